//! One file per task: encode, run, decode.

pub mod detector;
pub mod detector_request;
mod heard;
pub mod phones;
mod recognition;
mod seen;

/// The lens that something was seen through, for those who know percepts but no sensors.
pub use crate::sensors::Intrinsics;
pub use heard::{Heard, SpokenCommand};
pub use recognition::{RecognitionPlugin, RecognitionSettings, RecognitionStatus, RecognitionSystems, TASK};
pub use seen::{Detection, Seen};
