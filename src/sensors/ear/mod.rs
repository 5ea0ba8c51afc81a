//! The ear: sound from a microphone or a file, cut into utterances.

mod speech;

pub use speech::{SAMPLE_RATE_HZ, Speech, SpeechPart};
