//! What exists and moves.

mod body;
pub mod hand;
mod intent;
mod kinds;
pub mod kit;
mod label;
pub mod player;
pub mod rescue;

pub use body::{Grabbable, Layer, WorldBounds};
pub use intent::{FlyIntent, HandIntent, WalkIntent};
pub use kinds::{all_kinds, register_kit};
pub use label::Label;
