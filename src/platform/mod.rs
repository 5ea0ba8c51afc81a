//! What the world is entered with: rigs, input, the settings of this machine.
//!
//! Rigs write intents and follow `ViewPose`; they never move a body.

pub mod bindings;
pub mod flat;
pub mod scaled_view;
pub mod settings;
mod settings_file;
mod talking;

pub use settings_file::{SettingsFile, SettingsPlugin};
pub use talking::TalkingPlugin;
