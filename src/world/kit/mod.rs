//! The object kit: parametric families of everyday objects, drawn from seeds.

mod model;

pub use model::{ColliderPiece, Grain, MeshBuffers, ObjectModel, Part, Surface};
