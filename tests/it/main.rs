//! One integration binary: each module is one subject.

mod architecture;
mod bad_scenes;
mod companion;
mod deeds;
#[cfg(feature = "train")]
mod detector_training;
mod ear;
mod eye;
mod hand_marks;
mod headset;
mod headset_session;
mod hearing;
mod imported_models;
mod inference;
mod light;
mod lost_hands;
mod monado;
mod panels;
mod physics;
mod player;
mod random_layouts;
mod record;
mod replay;
mod replay_everywhere;
mod scene_reload;
mod shipped_scenes;
mod snap_zones;
mod sound_server;
#[cfg(feature = "train")]
mod speech_training;
mod standing;
#[cfg(feature = "train")]
mod texture_training;
mod textures;
mod tracked_rig;
mod two_hands;
mod x_display;
