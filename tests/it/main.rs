//! One integration binary: each module is one subject.

mod architecture;
mod bad_scenes;
mod inference;
mod physics;
mod player;
mod random_layouts;
mod shipped_scenes;
//! Integration tests: the program's parts together, as a user meets them. One binary, one module per subject.
mod eye;
