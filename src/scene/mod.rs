//! The authored file: schema, validation, kind registry, spawning, randomisation.

mod actions;
mod dream;
mod kinds;
mod parse;
mod plugin;
mod randomise;
mod read;
mod spec;
mod syntax;

pub use actions::{ActionRegistry, ActionShape, Parameter};
pub use dream::{
    DREAM_CELL, DREAM_SIZE, DreamMaterials, DreamSpec, MAX_DREAM_SIZE, MAX_MIXED, Mapping, Mixture, Variation, undreamt,
};
pub use kinds::{KindRegistry, KindShape, MeasureKind, SupportArea};
pub use parse::{
    FORMAT_VERSION, Known, MAX_FILE_BYTES, MAX_LIGHTS, MAX_OBJECTS, MAX_ROOMS, check_grammar, check_scene, parse_scene,
    read_bounded,
};
pub use plugin::{ActiveScene, SceneChanged, ScenePlugin, SceneProblems};
pub use randomise::{RandomOptions, Split, random_scene, random_view, varied_scene};
pub use spec::*;
