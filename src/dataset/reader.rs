//! Reads a dataset folder, sample by sample.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use image::RgbImage;

use super::{
    coco::{Annotation, Coco, ImageEntry},
    folder::{COCO, DatasetError, PARAMETERS, Recording, read_json},
};
use crate::base::{ClassId, PixelBox};

/// A recorded dataset: its parameters and labels in memory, its pictures on disk.
#[derive(Clone, Debug)]
pub struct Reader {
    root: PathBuf,
    recording: Recording,
    images: Vec<ImageEntry>,
    objects: Vec<Vec<AnnotatedObject>>,
}

/// One picture and what is in it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The frame's number.
    pub frame: u32,
    pub rgb: RgbImage,
    pub objects: Vec<AnnotatedObject>,
}

/// One labelled body in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnnotatedObject {
    pub class: ClassId,
    /// Tight around the visible pixels.
    pub region: PixelBox,
    /// 0 to 1.
    pub visible_fraction: f32,
    pub visible_pixels: u32,
    pub instance: u32,
}

impl From<&Annotation> for AnnotatedObject {
    fn from(annotation: &Annotation) -> Self {
        let [x, y, width, height] = annotation.bbox;
        Self {
            class: ClassId(annotation.category_id),
            region: PixelBox { x, y, width, height },
            visible_fraction: annotation.visible_fraction,
            visible_pixels: annotation.area,
            instance: annotation.instance,
        }
    }
}

impl Reader {
    /// Opens a recorded folder.
    ///
    /// # Errors
    /// - [`DatasetError::Io`]: `coco.json` or `dataset.json` is missing (recording was stopped: resume it)
    /// - [`DatasetError::Json`]: they are not what they should be
    pub fn open(root: &Path) -> Result<Self, DatasetError> {
        if !root.join(PARAMETERS).is_file() {
            return Err(DatasetError::Absent(root.to_owned()));
        }
        let recording = read_json(&root.join(PARAMETERS))?;
        let coco: Coco = read_json(&root.join(COCO))?;
        let mut by_image: BTreeMap<u32, Vec<AnnotatedObject>> = BTreeMap::new();
        for annotation in &coco.annotations {
            by_image.entry(annotation.image_id).or_default().push(annotation.into());
        }
        let objects = coco.images.iter().map(|image| by_image.remove(&image.id).unwrap_or_default()).collect();
        Ok(Self { root: root.to_owned(), recording, images: coco.images, objects })
    }

    /// What the dataset was recorded with, class names included.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// What COCO says about each sample's picture, camera included.
    pub fn images(&self) -> &[ImageEntry] {
        &self.images
    }

    /// What is in sample `index`, without reading its picture.
    pub fn objects(&self, index: usize) -> &[AnnotatedObject] {
        &self.objects[index]
    }

    /// Sample `index`, 0 to [`Self::len`] − 1.
    ///
    /// # Errors
    /// - [`DatasetError::Picture`]: its picture is missing or damaged
    pub fn sample(&self, index: usize) -> Result<Sample, DatasetError> {
        let image = &self.images[index];
        let path = self.root.join("rgb").join(&image.file_name);
        let rgb = image::open(&path).map_err(|source| DatasetError::Picture { path, source })?.into_rgb8();
        Ok(Sample { frame: image.id, rgb, objects: self.objects[index].clone() })
    }

    /// All samples in order.
    pub fn samples(&self) -> impl Iterator<Item = Result<Sample, DatasetError>> + '_ {
        (0..self.len()).map(|index| self.sample(index))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bevy::{
        ecs::entity::Entity,
        math::{Affine3A, Vec3},
    };

    use super::*;
    use crate::{
        base::{Seed, Tick},
        dataset::{OnExisting, Writer, folder::tests::recording},
        sensors::{GroundTruth, Intrinsics, ObjectTruth, Observation},
    };

    fn observation() -> Observation {
        let mut rgb = RgbImage::new(4, 2);
        rgb.put_pixel(3, 1, image::Rgb([1, 2, 3]));
        let region = PixelBox { x: 1.0, y: 0.0, width: 2.0, height: 1.0 };
        Observation {
            eye: Entity::PLACEHOLDER,
            tick: Tick(5),
            world_from_view: Affine3A::IDENTITY,
            intrinsics: Intrinsics::from_fov(4, 2, 1.0),
            rgb: Arc::new(rgb),
            truth: Some(Arc::new(GroundTruth {
                instances: vec![0, 9, 9, 0, 0, 0, 0, 0],
                depth_m: vec![1.0; 8],
                normals: vec![Vec3::Y; 8],
                objects: vec![ObjectTruth {
                    instance: 9,
                    class: ClassId(2),
                    visible_box: region,
                    visible_pixels: 2,
                    visible_fraction: 0.5,
                    world_from_box: Affine3A::IDENTITY,
                    half_size: Vec3::ONE,
                }],
            })),
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("data");
        let writer = Writer::open(&root, recording(2), OnExisting::Refuse, &[0, 1]).expect("opened");
        for frame in 0..2 {
            assert!(!writer.has(frame));
            writer.write(frame, Seed(u64::MAX), &observation()).expect("written");
            assert!(writer.has(frame));
        }
        assert_eq!(writer.finish().expect("finished"), 2);

        let reader = Reader::open(&root).expect("opened");
        assert_eq!(reader.len(), 2);
        assert_eq!(reader.images()[1].seed, u64::MAX.to_string());
        let sample = reader.sample(1).expect("read");
        assert_eq!(sample.frame, 1);
        assert_eq!(sample.rgb.get_pixel(3, 1).0, [1, 2, 3]);
        let region = PixelBox { x: 1.0, y: 0.0, width: 2.0, height: 1.0 };
        let expected =
            AnnotatedObject { class: ClassId(2), region, visible_fraction: 0.5, visible_pixels: 2, instance: 9 };
        assert_eq!(sample.objects, [expected]);
    }

    #[test]
    fn an_observation_without_truth_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("data");
        let writer = Writer::open(&root, recording(1), OnExisting::Refuse, &[0]).expect("opened");
        let blind = Observation { truth: None, ..observation() };
        assert!(matches!(writer.write(0, Seed(1), &blind), Err(DatasetError::NoTruth(0))));
        assert!(!writer.has(0));
    }
}
