//! COCO's file layout, with our further fields, and one frame's share of it.
//!
//! Source: <https://cocodataset.org/#format-data>. Readers that know COCO only ignore what they do not know.

use bevy::math::{Affine3A, Quat, Vec3};
use serde::{Deserialize, Serialize};

use super::{Rle, folder::Recording};
use crate::{
    base::{ClassId, Seed},
    sensors::{GroundTruth, Intrinsics, ObjectTruth, Observation},
};

/// Annotations that one frame can have: annotation ids are frame × this + running number + 1.
const ANNOTATIONS_PER_FRAME: u64 = 1 << 16;

/// A whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coco {
    pub info: Info,
    pub licenses: Vec<License>,
    pub categories: Vec<Category>,
    pub images: Vec<ImageEntry>,
    pub annotations: Vec<Annotation>,
}

impl Coco {
    /// The file of a recording whose frames are still to be added.
    pub fn new(recording: &Recording) -> Self {
        let categories = (1..).zip(&recording.classes).map(|(id, name)| Category {
            id,
            name: name.clone(),
            supercategory: "object".to_owned(),
        });
        Self {
            info: Info {
                description: "Frames rendered by Umwelt, with exact labels".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            licenses: Vec::new(),
            categories: categories.collect(),
            images: Vec::new(),
            annotations: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    pub description: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct License {
    pub id: u32,
    pub name: String,
    pub url: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    pub id: u16,
    pub name: String,
    pub supercategory: String,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageEntry {
    pub id: u32,
    /// Relative to the folder of pictures.
    pub file_name: String,
    pub width: u32,
    pub height: u32,
    pub camera: Camera,
    /// Simulation tick of the picture.
    pub tick: u64,
    /// Seed of the view, in decimal (64 bits do not fit JSON's numbers everywhere).
    pub seed: String,
}

/// Pinhole lens and pose. Axes: x right, y up, −z forward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Focal lengths and principal point in pixels.
    pub fx: f32,
    pub fy: f32,
    pub cx: f32,
    pub cy: f32,
    /// Three rows of (rotation, translation in metres).
    pub world_from_view: [[f32; 4]; 3],
}

impl Camera {
    fn new(lens: &Intrinsics, world_from_view: &Affine3A) -> Self {
        let m = world_from_view.matrix3;
        let t = world_from_view.translation;
        let row = |r: usize| [m.x_axis[r], m.y_axis[r], m.z_axis[r], t[r]];
        Self {
            fx: lens.focal.x,
            fy: lens.focal.y,
            cx: lens.center.x,
            cy: lens.center.y,
            world_from_view: [row(0), row(1), row(2)],
        }
    }
}

/// One labelled body in one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    pub id: u64,
    pub image_id: u32,
    pub category_id: u16,
    /// x, y, width, height in pixels; tight around the visible pixels.
    pub bbox: [f32; 4],
    /// Visible pixels.
    pub area: u32,
    pub segmentation: Segmentation,
    pub iscrowd: u8,
    /// The value of its pixels in the id picture.
    pub instance: u32,
    /// Visible pixels ÷ pixels that it would cover alone in a picture without edge.
    pub visible_fraction: f32,
    pub box_3d: Box3d,
}

/// A mask in COCO's compressed run lengths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segmentation {
    /// Height, width.
    pub size: [u32; 2],
    pub counts: String,
}

/// An oriented box in the world, metres.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Box3d {
    pub center: [f32; 3],
    pub half_size: [f32; 3],
    /// Quaternion x, y, z, w.
    pub rotation: [f32; 4],
}

/// What one frame adds to the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameRecord {
    pub image: ImageEntry,
    pub annotations: Vec<Annotation>,
}

/// The record of frame `frame`. Bodies of no class are left out.
pub fn frame_record(frame: u32, seed: Seed, observation: &Observation, truth: &GroundTruth) -> FrameRecord {
    let lens = &observation.intrinsics;
    let objects = truth.objects.iter().filter(|object| object.class != ClassId::NONE);
    FrameRecord {
        image: ImageEntry {
            id: frame,
            file_name: format!("{frame:06}.png"),
            width: lens.width,
            height: lens.height,
            camera: Camera::new(lens, &observation.world_from_view),
            tick: observation.tick.0,
            seed: seed.0.to_string(),
        },
        annotations: (1..)
            .zip(objects)
            .map(|(number, object)| {
                annotation(u64::from(frame) * ANNOTATIONS_PER_FRAME + number, frame, object, truth, lens)
            })
            .collect(),
    }
}

fn annotation(id: u64, frame: u32, object: &ObjectTruth, truth: &GroundTruth, lens: &Intrinsics) -> Annotation {
    let region = object.visible_box;
    let mask = Rle::of_id(&truth.instances, lens.width, object.instance, &region);
    let (_, rotation, center) = object.world_from_box.to_scale_rotation_translation();
    Annotation {
        id,
        image_id: frame,
        category_id: object.class.0,
        bbox: [region.x, region.y, region.width, region.height],
        area: object.visible_pixels,
        segmentation: Segmentation { size: [lens.height, lens.width], counts: mask.to_text() },
        iscrowd: 0,
        instance: object.instance,
        visible_fraction: object.visible_fraction,
        box_3d: box_3d(center, object.half_size, rotation),
    }
}

fn box_3d(center: Vec3, half_size: Vec3, rotation: Quat) -> Box3d {
    Box3d { center: center.to_array(), half_size: half_size.to_array(), rotation: rotation.to_array() }
}
