//! Eyes: stamped observations and exact ground truth.

mod observation;

pub use observation::{GroundTruth, Intrinsics, ObjectTruth, Observation};
