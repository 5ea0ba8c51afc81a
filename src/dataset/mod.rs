//! Labelled samples on disk.
//!
//! A dataset folder:
//!
//! ```text
//! dataset.json        the parameters it was recorded with
//! coco.json           all frames: boxes, masks, cameras, class table (COCO's layout with further fields)
//! rgb/000000.png      8-bit sRGB
//! depth/000000.png    16 bits: distance along the view axis in millimetres, 0 where nothing is within 65 m
//! ids/000000.png      instance ids, red + 256 · green + 65536 · blue (as COCO's panoptic pictures), 0 is none
//! frames/000000.json  what coco.json says about one frame; written last, so that its presence means "frame complete"
//! ```
//!
//! In: [`Observation`](crate::sensors::Observation)s with truth. Out: such a folder ([`Writer`]), and samples from one
//! ([`Reader`]). Every file is written under another name and renamed when complete. What is absent: rendering (`sensors`),
//! and what decides which frames there are (`app`).

mod coco;
mod folder;
mod pictures;
mod reader;
mod rle;
pub mod speech;
mod writer;

pub use coco::{Annotation, Box3d, Camera, Category, Coco, FrameRecord, ImageEntry, Segmentation, frame_record};
pub use folder::{DatasetError, OnExisting, Recording, Split};
pub use reader::{AnnotatedObject, Reader, Sample};
pub use rle::Rle;
pub use writer::Writer;
