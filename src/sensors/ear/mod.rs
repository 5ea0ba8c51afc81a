//! The ear: sound from a microphone or a file, cut into utterances.
//!
//! In: [`EarSettings`], [`OwnSound`], a source. Out: [`Speech`] messages and [`EarStatus`]. A microphone is heard by a thread
//! of its own in real time; a file is heard in simulation time, tick by tick, so that it is spoken at the world's own pace:
//! real time in play, as fast as possible in lockstep. Nothing is kept on disk, no byte leaves the machine.
//!
//! | file | what |
//! |---|---|
//! | `microphone`, `microphone_thread`, `ring` | devices, and what may happen to them |
//! | `sound_file`, `riff`, `file_ear` | files, and speaking them into the ear |
//! | `to_ear_rate` | resampling to [`SAMPLE_RATE_HZ`] |
//! | `listener`, `endpoint`, `level`, `own_sound` | voices, their beginnings and ends |
//! | `plugin` | the ear in the world |
//!
//! What is absent: what was said (`percepts`).

mod endpoint;
mod file_ear;
mod level;
mod listener;
mod microphone;
mod microphone_thread;
mod own_sound;
mod plugin;
mod probe;
mod riff;
mod ring;
mod sound_file;
mod speech;
#[cfg(test)]
mod test_voice;
mod to_ear_rate;

pub use endpoint::EndpointSettings;
pub use file_ear::SpokenFiles;
pub use level::{Level, SILENCE_DBFS};
pub use microphone::MicrophoneFacts;
pub use own_sound::OwnSound;
pub use plugin::{EarPlugin, EarSettings, EarSource, EarStatus, EarSystems, TalkMode};
pub use probe::{Probe, probe_microphone};
pub use sound_file::{SoundFile, SoundFileError, Utterance, utterances};
pub use speech::{SAMPLE_RATE_HZ, Speech, SpeechPart};
