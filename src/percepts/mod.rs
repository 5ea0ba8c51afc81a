//! One file per task: encode, run, decode.

pub mod detector;
mod seen;

/// The lens that something was seen through, for those who know percepts but no sensors.
pub use crate::sensors::Intrinsics;
pub use seen::{Detection, Seen};
