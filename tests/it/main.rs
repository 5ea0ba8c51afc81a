//! One integration binary: each module is one subject.

mod architecture;
mod inference;
mod physics;
mod player;
