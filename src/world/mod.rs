//! What exists and moves.

mod intent;
pub mod kit;
mod label;

pub use intent::{FlyIntent, HandIntent, WalkIntent};
pub use label::Label;
