//! Simulation time, counted in fixed steps.

use bevy::prelude::Resource;
use serde::{Deserialize, Serialize};

/// The number of fixed simulation steps since the world began. Observations, percepts and intents carry it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub u64);

impl Tick {
    /// Simulation steps per second.
    pub const RATE_HZ: f64 = 60.0;

    /// Simulated seconds since the world began.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / Self::RATE_HZ
    }

    /// Simulated seconds from `earlier` to this tick; 0 if `earlier` is later.
    pub fn seconds_since(self, earlier: Tick) -> f64 {
        Tick(self.0.saturating_sub(earlier.0)).seconds()
    }
}
