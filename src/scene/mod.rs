//! The authored file: schema, validation, kind registry, spawning, randomisation.

mod kinds;
mod spec;

pub use kinds::{KindRegistry, KindShape, MeasureKind, SupportArea};
pub use spec::*;
