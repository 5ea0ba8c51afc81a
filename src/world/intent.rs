//! What bodies are asked to do. Rigs, scripts and behaviours write intents; systems of `world` apply them each fixed tick.

use bevy::{
    math::{Quat, Vec2, Vec3},
    prelude::Component,
};
use serde::{Deserialize, Serialize};

/// What a walking body (the player) is asked to do.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WalkIntent {
    /// Right and forward relative to the heading, length 0 to 1.
    pub direction: Vec2,
    pub run: bool,
    pub crouch: bool,
    /// True on the tick in which a jump is asked for.
    pub jump: bool,
    /// Heading about +Y and pitch, radians.
    pub yaw: f32,
    pub pitch: f32,
    /// Steps made on one's own feet, metres along world X and Z, beside what `direction` walks; used up by the next tick.
    pub stride: Vec2,
    /// Stand here after the next tick (feet, world space).
    pub teleport: Option<Vec3>,
    /// Where the eyes really are, if that is measured; else posture, heading and pitch decide.
    pub head: Option<MeasuredHead>,
}

/// A tracked head.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredHead {
    /// Of the eyes above the feet, metres.
    pub height: f32,
    /// World space; −Z looks forward.
    pub rotation: Quat,
}

/// What a hand is asked to do; the player's flat hand follows the view.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandIntent {
    /// Hold what is in reach while true.
    pub grab: bool,
    /// Let go with a throw on this tick.
    pub throw: bool,
    /// Metres per second, away from the body.
    pub push: f32,
    /// Turn what is held: yaw and pitch, radians per second.
    pub turn: Vec2,
}

/// What a flying body (the companion) is asked to do.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlyIntent {
    /// Where to be, world space; `None` hovers.
    pub target: Option<Vec3>,
    /// What to look at, world space.
    pub look_at: Option<Vec3>,
    /// 0 calm to 1 excited: light and sound follow.
    pub mood: f32,
}
