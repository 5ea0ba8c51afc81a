//! What exists and moves.

mod intent;
mod kinds;
pub mod kit;
mod label;

pub use intent::{FlyIntent, HandIntent, WalkIntent};
pub use kinds::{all_kinds, register_kit};
pub use label::Label;
