//! Hands: taking, carrying, turning, resizing and throwing things.
//!
//! In: `HandIntent` and `ViewPose`, each fixed tick. Out: `HandTarget` (what could be taken), `Holding` on the hand's
//! entity and `HeldBy` on the thing. What is held stays a dynamic body: it is drawn to its place by its velocity, with
//! limited force, so it collides with the world, drags when heavy and is lost when it hangs behind something.
//!
//! A [`TrackedHand`] is a person's own, measured: it takes what its palm touches, else what its ray meets, holds it as it was
//! taken, and what it lets go flies on as the hand moved. Two of them may hold one thing: it follows both, and is made larger and
//! smaller ([`HeldByBoth`]).
//!
//! | file | in the order of a tick |
//! |---|---|
//! | `aim` | what could be taken |
//! | `take` | closing takes, opening lets go |
//! | `carry` | one hand's thing is led to its place |
//! | `both_hands` | two hands' thing is led and resized; `two_handed_grip` is the geometry |
//!
//! Not here: input devices, how the target is shown, places that things click into (`snap_zones`).

mod aim;
mod both_hands;
mod bring_along;
mod carry;
mod take;
mod two_handed_grip;

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    HandIntent,
    player::{Player, ViewPose, WalkSystems},
    snap_zones,
};

pub use both_hands::{HeldByBoth, Resized, SIZES};
pub(super) use carry::carried_spin;

/// Applies `HandIntent` in `FixedUpdate`, after walking and before physics steps; what is let go clicks into the scene's snap zones.
pub struct HandPlugin;

impl Plugin for HandPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<HandSettings>()
            .register_required_components::<Player, Hand>()
            .add_message::<HandMoved>()
            .add_observer(take::settle_what_was_let_go)
            .add_systems(
                FixedUpdate,
                (
                    bring_along::bring_along,
                    aim::aim,
                    take::take,
                    carry::carry,
                    both_hands::carry,
                    take::let_go,
                    take::collide_again,
                )
                    .chain()
                    .in_set(HandSystems)
                    .after(WalkSystems),
            );
        snap_zones::plugin(app);
    }
}

/// All that hands do in a tick.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandSystems;

/// A hand that reaches along the `ViewPose` of its entity.
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(HandIntent, HandTarget, ViewPose)]
pub struct Hand {
    /// Whether the grip was closed in the tick before: only closing it takes something.
    closed: bool,
    /// A thing to be taken next, whatever the line of sight meets.
    told: Option<Entity>,
}

impl Hand {
    /// Tells the hand to take a thing in the next tick, wherever the eyes look; it stays in it although nobody grips.
    pub fn tell(&mut self, intent: &mut HandIntent, thing: Entity) {
        self.told = Some(thing);
        self.closed = false;
        intent.grab = true;
    }
}

/// A person's hand in a headset; its [`ViewPose`] is the ray that it points with.
#[derive(Component, Clone, Copy, Debug)]
#[require(Hand)]
pub struct TrackedHand {
    /// The walking body that it belongs to.
    pub of: Entity,
    /// World space: the middle of the palm, −Z towards the thumb's side, −Y along the fingers of a flat hand.
    pub palm: Isometry3d,
    /// Metres and radians per second, world space.
    pub velocity: Vec3,
    pub spin: Vec3,
}

/// The thing that a grab would take now.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandTarget(pub Option<Entity>);

/// What a hand holds, and how.
#[derive(Component, Clone, Copy, Debug)]
pub struct Holding {
    pub body: Entity,
    /// From the eyes to the held thing's centre of mass, metres.
    pub distance: f32,
    /// Turn of the thing relative to the view's heading.
    rotation: Quat,
    /// In a tracked hand: the thing in the palm's space, instead of the two above.
    in_palm: Option<Isometry3d>,
    /// How long the thing has been too far from its place, seconds; below zero it is still on its way.
    strained_secs: f32,
    /// Taken because the hand was told to, not because a button is held.
    pub by_word: bool,
}

impl Holding {
    /// Holds `body` half a metre away, turned like the view.
    pub fn at_arms_length(body: Entity) -> Self {
        Self { body, distance: 0.5, rotation: Quat::IDENTITY, in_palm: None, strained_secs: 0.0, by_word: false }
    }

    /// Holds `body` as it lies in a tracked hand's palm.
    fn in_palm(body: Entity, in_palm: Isometry3d) -> Self {
        Self { in_palm: Some(in_palm), ..Self::at_arms_length(body) }
    }
}

/// The hand that holds this body; of two, the one that took it first.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBy(pub Entity);

/// Was let go and may still overlap whoever carried it.
#[derive(Component, Clone, Copy, Debug)]
struct LetGo {
    by: Entity,
}

/// What a hand did; for sounds, snap zones and quests.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct HandMoved {
    pub hand: Entity,
    pub body: Entity,
    pub what: HandAction,
}

/// One thing that a hand does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandAction {
    Took,
    /// Closed on what another hand holds.
    Joined,
    /// Left it to the other hand.
    Parted,
    LetGo,
    Threw,
}

/// So long a thing that was taken from afar may take to arrive, seconds.
const FETCH_SECS: f32 = 0.8;
/// What is farther from the palm than this when it is taken, comes into it, metres.
pub const FETCHED_FROM: f32 = 0.3;
/// What leaves a tracked hand faster than this was thrown, metres per second.
const THROWN_SPEED: f32 = 1.2;

/// Reach and strength of hands. Metres, seconds, newtons, joules.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct HandSettings {
    pub reach: f32,
    /// A thing this far from the line of sight is still taken, if nothing else is in the way.
    pub aim_radius: f32,
    /// A tracked hand takes what is this near to its palm.
    pub palm_radius: f32,
    pub nearest: f32,
    pub farthest: f32,
    /// Share of the distance to its place that a held thing makes up per second.
    pub stiffness: f32,
    pub max_speed: f32,
    pub max_force: f32,
    /// Farther than this from its place for `strain_secs`, a thing slips out of the hand.
    pub max_strain: f32,
    pub strain_secs: f32,
    pub throw_speed: f32,
    /// Heavy things are thrown more slowly.
    pub throw_energy: f32,
}

impl Default for HandSettings {
    fn default() -> Self {
        Self {
            reach: 2.5,
            aim_radius: 0.08,
            palm_radius: 0.09,
            nearest: 0.4,
            farthest: 2.5,
            stiffness: 12.0,
            max_speed: 6.0,
            max_force: 300.0,
            max_strain: 0.8,
            strain_secs: 0.25,
            throw_speed: 10.0,
            throw_energy: 60.0,
        }
    }
}

/// Where a body's centre of mass is, world space.
fn center_of(position: &Position, rotation: &Rotation, center: &ComputedCenterOfMass) -> Vec3 {
    position.0 + rotation.0 * center.0
}

/// Heading of a view about +Y, as a rotation.
fn heading(rotation: Quat) -> Quat {
    Quat::from_rotation_y(rotation.to_euler(EulerRot::YXZ).0)
}
