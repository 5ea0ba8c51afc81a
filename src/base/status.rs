//! Presence of things that may be absent: devices, models, runtimes.

use serde::Serialize;

/// Absence is a state with a reason, shown on screen and in `doctor`; never a panic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being opened or loaded.
    #[default]
    Loading,
    Ready,
    /// Not there, for this reason, with what to do about it.
    Unavailable(String),
}

impl Status {
    pub fn is_ready(&self) -> bool {
        *self == Status::Ready
    }
}
