//! Scores models against recorded truth, through ONNX Runtime: the path that play takes.
//!
//! In: a loaded model and a recorded dataset. Out: figures. What is absent: rendering, training, printing.

mod detector;
mod speech;
pub mod speech_calibration;
pub mod speech_sets;
pub mod texture;

pub use detector::{ClassFigures, Detector, DetectorError, DetectorFigures, score_detector};
pub use speech::{GroupFigures, Mistake, SpeechFigures, SpokenSound, score_speech};
