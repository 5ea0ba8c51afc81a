//! What the world is entered with: rigs, input, the settings of this machine.
//!
//! Rigs write intents and follow `ViewPose`; they never move a body.

pub mod bare_hands;
pub mod bindings;
pub mod eye_height;
pub mod few_buttons;
pub mod flat;
mod hand_marks;
mod hand_pulses;
mod handed_over;
pub mod headset;
mod headset_view;
pub mod input_log;
pub mod locomotion;
mod outline;
pub mod panel_pointer;
mod panel_view;
pub mod panels;
mod ride;
pub mod runtime_waits;
pub mod scaled_view;
pub mod settings;
mod settings_file;
mod talking;
pub mod tracked_rig;
pub mod tracking;
pub mod xr;
mod xr_actions;
mod xr_bindings;
mod xr_connect;
mod xr_device;
mod xr_frames;
pub mod xr_readback;
mod xr_session;
mod xr_settings;
mod xr_stage;
mod zone_ghosts;

pub use hand_marks::Rim;
pub use panel_view::{PANELS_LAYER, beside_the_world, interface_camera, interface_material, interface_picture};
pub use panels::PanelsPlugin;
pub use settings_file::{SettingsFile, SettingsPlugin};
pub use talking::TalkingPlugin;
pub use tracked_rig::TrackedRigPlugin;
pub use xr_session::HeadsetEye;
pub use zone_ghosts::Ghost;
