//! What a headset and its controllers do, in the space that they are tracked in.
//!
//! Plain values. Written once a frame by whoever has them (`xr*`, a recording, a test), read by `tracked_rig`. The play space:
//! metres, +Y up, −Z forward where the runtime was last told so, its floor at height 0. What is absent: devices, the world.

use bevy::{
    math::{Isometry3d, Quat, Vec2, Vec3},
    prelude::{Message, Resource},
};
use serde::{Deserialize, Serialize};

/// Left or right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Left,
    Right,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

/// A position and a rotation in the play space.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    pub position: Vec3,
    pub rotation: Quat,
}

impl Pose {
    /// Whether all of its numbers are numbers.
    pub fn is_finite(&self) -> bool {
        self.position.is_finite() && self.rotation.is_finite()
    }
}

impl From<Pose> for Isometry3d {
    fn from(pose: Pose) -> Self {
        Isometry3d::new(pose.position, pose.rotation)
    }
}

/// The newest state of head and hands.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    /// Whether the headset shows the world and the player acts through it; else the window is played in.
    pub worn: bool,
    /// When these poses hold, seconds of the runtime's clock.
    pub seconds: f64,
    /// `None`: never seen yet.
    pub head: Option<Pose>,
    /// Whether nobody knows where the floor is: heights are over a guess.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub floorless: bool,
    /// Whether the play space was laid anew under head and hands since the poses before these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relaid: bool,
    hands: [HandState; 2],
}

impl Tracking {
    pub fn hand(&self, side: Side) -> &HandState {
        &self.hands[side as usize]
    }

    pub fn hand_mut(&mut self, side: Side) -> &mut HandState {
        &mut self.hands[side as usize]
    }
}

/// One controller. Buttons that it lacks are never pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HandState {
    /// Of the palm around a stick that is gripped; `None` while it is not tracked.
    pub grip: Option<Pose>,
    /// Of the ray that points: along −Z.
    pub aim: Option<Pose>,
    /// Of a hand without a controller: the tip of its index finger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_tip: Option<Vec3>,
    /// 0 to 1.
    pub trigger: f32,
    pub squeeze: f32,
    /// Right and forward.
    pub stick: Vec2,
    pub stick_click: bool,
    /// A or X; B or Y.
    pub primary: bool,
    pub secondary: bool,
    pub menu: bool,
}

impl HandState {
    /// Whether the thumb is on something: a button, or a stick or pad that it pushes.
    pub fn thumb_presses(&self) -> bool {
        self.primary || self.secondary || self.menu || self.stick_click || self.stick.length() > 0.2
    }

    /// Whether it has no controller.
    pub fn is_bare(&self) -> bool {
        self.index_tip.is_some()
    }
}

/// A short vibration of a controller.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    pub side: Side,
    /// 0 to 1.
    pub strength: f32,
    pub seconds: f32,
}
