//! One file per task: encode, run, decode.

pub mod detector;
pub mod detector_request;
mod heard;
mod hearing;
pub mod phones;
mod recognition;
mod seen;
pub mod speech;

/// The lens that something was seen through, for those who know percepts but no sensors.
pub use crate::sensors::Intrinsics;
pub use heard::{Heard, SpokenCommand};
pub use hearing::{Grammar, HearingPlugin, HearingStatus, HearingSystems};
pub use recognition::{RecognitionPlugin, RecognitionSettings, RecognitionStatus, RecognitionSystems, TASK};
pub use seen::{Detection, Seen};
