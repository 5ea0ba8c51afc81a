//! Umwelt: a VR world with senses.
//!
//! This file is the map. Each module is one room; the table in `DESIGN.md` (kept by `tests/it/architecture.rs`) says who
//! may import whom. The loop is closed by data in the ECS world, never by imports:
//!
//! ```text
//!       ┌──────────── Intent (component owned by `world`) ◀──── behaviours
//!       ▼                                                         ▲
//!     world ──Transform, Label──▶ sensors ──frames──▶ percepts ──Seen──┘
//!                                                      ▲   │
//!                                 inference ◀──named tensors
//! ```
//!
//! Axes everywhere: right-handed, +Y up, −Z forward; metres, seconds, radians unless a name says otherwise.

pub mod app;
pub mod base;
pub mod behaviours;
pub mod dataset;
pub mod evaluation;
pub mod game;
pub mod inference;
pub mod percepts;
pub mod platform;
pub mod scene;
pub mod sensors;
pub mod signal;
pub mod textures;
#[cfg(feature = "train")]
pub mod training;
pub mod world;
