//! The authored file: schema, validation, kind registry, spawning, randomisation.

mod spec;

pub use spec::*;
