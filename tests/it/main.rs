//! One integration binary: each module is one subject.

mod physics;
mod player;
