//! One file per task: encode, run, decode.

mod seen;

pub use seen::{Detection, Seen};
