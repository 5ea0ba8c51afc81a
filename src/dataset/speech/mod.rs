//! Speech on disk: folders of recordings, and the voices that make more of it.
//!
//! [`read_manifest`] and [`read_sound`] read what people recorded and what [`voices`] wrote; [`PhraseBook`] says what the
//! voices speak. What is absent: sounds of words (`percepts`), noise and rooms (`training`, `evaluation`).

mod phrases;
mod recordings;
pub mod voices;

pub use phrases::PhraseBook;
pub use recordings::{MANIFEST_FILE, SpokenEntry, quoted, read_manifest, read_sound, write_wav};
