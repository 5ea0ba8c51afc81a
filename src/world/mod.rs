//! What exists and moves.

mod body;
pub mod companion;
pub mod hand;
mod house_map;
mod intent;
mod kinds;
pub mod kit;
mod label;
pub mod player;
pub mod rescue;

pub use body::{Grabbable, Layer, WorldBounds};
pub use companion::{Companion, CompanionPlugin, FlySystems, spawn_companion};
pub use house_map::{HouseMap, MapNode};
pub use intent::{FlyIntent, HandIntent, WalkIntent};
pub use kinds::{all_kinds, register_kit};
pub use label::Label;
