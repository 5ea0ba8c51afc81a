//! Eyes and ears: stamped observations, exact ground truth, and what was spoken.
//!
//! [`EyePlugin`] renders what each [`Eye`] sees: one shaded pass for its colours and, where truth is asked for, one
//! unshaded pass that writes instance ids, depth and normals together. `capture` brings the textures home, `develop` makes
//! the [`Observation`], `truth` and `silhouette` work out boxes and visible fractions. [`EarPlugin`] listens to a microphone
//! or a sound file and passes on [`Speech`].
//!
//! What is absent: what a picture or a word means (`percepts`), and files of pictures (`dataset`).

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
pub use ear::{
    EarPlugin, EarSettings, EarSource, EarStatus, EarSystems, EndpointSettings, Level, MicrophoneFacts, OwnSound,
    Probe, SAMPLE_RATE_HZ, SILENCE_DBFS, SoundFile, SoundFileError, Speech, SpeechPart, SpokenFiles, TalkMode,
    Utterance, probe_microphone, utterances,
};
pub use eye::{Eye, EyePace, EyePlugin, EyeRate, EyeStatus, EyeSystems, LabelCamera, LookError, Shutter, look};
pub use labels::{LABEL_LAYER, LabelProxy};
pub use observation::{GroundTruth, Intrinsics, ObjectTruth, Observation};
