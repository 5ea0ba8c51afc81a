//! One integration binary: each module is one subject.

mod architecture;
mod physics;
mod player;
