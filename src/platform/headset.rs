//! How the headset is, in words for the screen and for `doctor`, and whether the player wants it.
//!
//! Plain values; `xr_session` writes and obeys them.

use bevy::prelude::Resource;

/// The state of the way to a headset. Absence is a state: play goes on flat.
#[derive(Resource, Clone, Debug, PartialEq, Eq)]
pub enum HeadsetStatus {
    /// There is none, or it was not asked for; why, and what to do about it.
    Absent(String),
    /// It is being looked for.
    Sought,
    /// It was found and is being started, or it waits to be put on.
    Waiting,
    /// It shows the world.
    Worn,
    /// It was lost while playing.
    Lost(String),
}

impl HeadsetStatus {
    /// One line for the screen.
    pub fn text(&self) -> String {
        match self {
            HeadsetStatus::Absent(why) => why.clone(),
            HeadsetStatus::Sought => "is looked for".to_owned(),
            HeadsetStatus::Waiting => "found, waits to be put on".to_owned(),
            HeadsetStatus::Worn => "worn".to_owned(),
            HeadsetStatus::Lost(why) => format!("lost: {why}"),
        }
    }
}

/// Pictures per second that the headset in use offers, rounded, least first; empty: it offers no choice.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedRates(pub Vec<u32>);

/// A headset that a runtime offers.
#[derive(Resource, Clone, Debug, PartialEq, Eq)]
pub struct HeadsetFound {
    /// Name and version.
    pub runtime: String,
    pub system: String,
}

impl std::fmt::Display for HeadsetFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.system, self.runtime)
    }
}

/// Why no headset can be played in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHeadset {
    #[error("no OpenXR loader is installed ({0}); install `libopenxr-loader1` or your headset's software")]
    Loader(String),
    #[error("no OpenXR runtime answers ({0}); start your headset's software (SteamVR, Monado, …)")]
    Runtime(String),
    #[error("{runtime} has no headset ({why}); connect it and switch it on")]
    Headset { runtime: String, why: String },
}

/// Whether the player wants to be in the headset; a key changes it while playing.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadsetWanted(pub bool);
