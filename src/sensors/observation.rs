//! What an eye delivers: one picture with the tick, the pose and the lens it was taken with, and the truth about it.

use std::sync::Arc;

use bevy::{
    ecs::entity::Entity,
    math::{Affine3A, Vec2, Vec3},
    prelude::Message,
};
use image::RgbImage;

use crate::base::{ClassId, PixelBox, Tick};

/// A pinhole lens: pixel (u, v) = (cx + fx · x / depth, cy − fy · y / depth) for a point (x, y, −depth) in view space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intrinsics {
    pub width: u32,
    pub height: u32,
    /// Focal lengths in pixels.
    pub focal: Vec2,
    /// Principal point in pixels.
    pub center: Vec2,
}

impl Intrinsics {
    /// A lens with a vertical field of view in radians, its principal point in the middle.
    pub fn from_fov(width: u32, height: u32, fov_y: f32) -> Self {
        let focal = 0.5 * height as f32 / (0.5 * fov_y).tan();
        Self { width, height, focal: Vec2::splat(focal), center: Vec2::new(width as f32, height as f32) * 0.5 }
    }

    /// Direction in view space through pixel (u, v); unit length.
    pub fn ray(&self, pixel: Vec2) -> Vec3 {
        let plane = (pixel - self.center) / self.focal;
        Vec3::new(plane.x, -plane.y, -1.0).normalize()
    }

    /// The pixel that shows a point of view space; `None` behind the lens.
    pub fn project(&self, view: Vec3) -> Option<Vec2> {
        (view.z < 0.0).then(|| self.center + self.focal * Vec2::new(view.x, -view.y) / -view.z)
    }
}

/// One picture, stamped. Sent as a message when the picture has come back from the renderer; everything in it is of the
/// one `tick`.
#[derive(Message, Clone, Debug)]
pub struct Observation {
    /// The entity with the `Eye`.
    pub eye: Entity,
    pub tick: Tick,
    pub world_from_view: Affine3A,
    pub intrinsics: Intrinsics,
    /// sRGB, 8 bits a channel.
    pub rgb: Arc<RgbImage>,
    /// Only where the eye asks for it (recording, scores, tests).
    pub truth: Option<Arc<GroundTruth>>,
}

/// Exact labels of one picture, row by row from the top left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroundTruth {
    /// Instance id per pixel, 0 where there is none.
    pub instances: Vec<u32>,
    /// Distance along the view axis, metres; infinite where nothing is.
    pub depth_m: Vec<f32>,
    /// World-space unit normals; zero where nothing is.
    pub normals: Vec<Vec3>,
    pub objects: Vec<ObjectTruth>,
}

/// One labelled body in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectTruth {
    pub instance: u32,
    pub class: ClassId,
    /// Tight box around the visible pixels.
    pub visible_box: PixelBox,
    pub visible_pixels: u32,
    /// Visible pixels ÷ pixels that the body would cover if nothing stood before it and the picture had no edge, 0 to 1.
    pub visible_fraction: f32,
    /// Oriented box in world space: centre, half size and axes.
    pub world_from_box: Affine3A,
    pub half_size: Vec3,
}
