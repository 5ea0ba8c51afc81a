//! Eyes: stamped observations and exact ground truth.
//!
//! [`EyePlugin`] renders what each [`Eye`] sees: one shaded pass for its colours and, where truth is asked for, one
//! unshaded pass that writes instance ids, depth and normals together. `capture` brings the textures home, `develop` makes
//! the [`Observation`], `truth` and `silhouette` work out boxes and visible fractions.
//!
//! What is absent: what a picture means (`percepts`), and files (`dataset`).

mod bodies;
mod capture;
mod develop;
mod ear;
mod eye;
mod labels;
mod observation;
mod silhouette;
mod truth;

pub use capture::{Capture, Stamp};
pub use develop::develop;
pub use ear::{SAMPLE_RATE_HZ, Speech, SpeechPart};
pub use eye::{Eye, EyePace, EyePlugin, EyeRate, EyeStatus, EyeSystems, LabelCamera, LookError, Shutter, look};
pub use labels::{LABEL_LAYER, LabelProxy};
pub use observation::{GroundTruth, Intrinsics, ObjectTruth, Observation};
