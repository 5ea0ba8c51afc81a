//! Materials dreamt by a generator.
//!
//! In: what surfaces wear ([`DreamSpec`](crate::scene::DreamSpec)), a model with task [`TASK`]. Out: textures of physically
//! based materials on those surfaces, by name, kept in memory and on disk.
//!
//! | file | job |
//! |---|---|
//! | [`generator`] | what a generator promises, and what it is given (encode) |
//! | [`maps`] | what it made: maps, a texture of bytes, pictures with all levels (decode) |
//! | [`dreaming`] | a queue before the generator, textures onto surfaces |
//! | [`store`], [`disk`] | textures in memory and on disk, within budgets |
//! | [`dreamer`] | a generator that is run here and now |
//! | [`name`] | names of textures |
//! | [`preview`] | a lit sphere or patch, drawn without a renderer |
//! | [`test_generator`] | a very small generator, made on the spot |

pub mod disk;
pub mod dreamer;
pub mod dreaming;
pub mod generator;
pub mod made;
pub mod maps;
pub mod name;
pub mod preview;
mod shelf;
pub mod store;
pub mod test_generator;

pub use dreamer::{DreamError, Dreamer, Dreamt, NoGenerator};
pub use dreaming::{DreamingPlugin, DreamingSettings, DreamingStatus, DreamingSystems};
pub use generator::{Generator, TASK, TextureInputs, UnknownMaterial, check_size};
pub use maps::{BadMaps, Maps, Pictures, Texture, decode_maps};
pub use name::TextureName;
pub use shelf::DiskSettings;
