//! One integration binary: each module is one subject.

mod architecture;
mod bad_scenes;
#[cfg(feature = "train")]
mod detector_training;
mod inference;
mod physics;
mod player;
mod shipped_scenes;
