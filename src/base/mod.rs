//! Words that everybody shares: ticks, seeds, the class table, boxes, digests, phrases, problems, statuses.
//!
//! What is absent: systems, I/O, `App`. Everything here is a plain value.

mod classes;
mod digest;
mod phrase;
mod pixel_box;
mod problem;
mod seed;
mod status;
mod tick;

pub use classes::{ClassId, ClassTable, KIT_CLASSES};
pub use digest::sha256_hex;
pub use phrase::{MAX_NUMBER, Part, Phrase, PhraseError};
pub use pixel_box::PixelBox;
pub use problem::{Problem, did_you_mean};
pub use seed::Seed;
pub use status::Status;
pub use tick::Tick;
