//! Nothing is lost: what leaves the world's bounds, or whose numbers stop being numbers, is put back where it last rested.
//!
//! In: `Position`, velocities, `WorldBounds`. Out: the same, corrected, and a [`Rescued`] message. Runs before physics
//! steps (against bad numbers that somebody wrote) and after them (against what the step made of things).

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    FlySystems, WorldBounds,
    hand::{HandSystems, HeldBy},
    player::{ViewPose, Walker},
};

/// Puts back what was lost.
pub struct RescuePlugin;

impl Plugin for RescuePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<WorldBounds>()
            .register_required_components::<RigidBody, RestingPlace>()
            .add_message::<Rescued>()
            .add_systems(FixedUpdate, put_back.after(HandSystems).after(FlySystems))
            .add_systems(FixedPostUpdate, (put_back, note_resting_places).chain().after(PhysicsSystems::Last));
    }
}

/// Where a body last rested inside the world; its place at spawning until then.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct RestingPlace {
    pub pose: Option<Isometry3d>,
    /// How long the body has been at rest, seconds.
    still_secs: f32,
    /// In the tick before: a body that somebody has just put elsewhere is not at rest, whatever its speed.
    before: Vec3,
}

/// So long must a body stand still for its place to count: the top of a throw is no resting place.
const REST_SECS: f32 = 0.25;

/// A body was put back.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescued(pub Entity);

type Body = (
    Entity,
    &'static RigidBody,
    &'static RestingPlace,
    &'static mut Transform,
    &'static mut Position,
    &'static mut Rotation,
    &'static mut LinearVelocity,
    &'static mut AngularVelocity,
    Option<&'static mut ViewPose>,
);

/// Puts back moving bodies that left the bounds or have a coordinate or velocity that is not finite.
fn put_back(mut bodies: Query<Body>, bounds: Res<WorldBounds>, mut rescued: MessageWriter<Rescued>) {
    for (entity, body, place, mut transform, mut position, mut rotation, mut velocity, mut spin, view) in &mut bodies {
        let sound = transform.translation.is_finite()
            && rotation.0.is_finite()
            && velocity.0.is_finite()
            && spin.0.is_finite()
            && bounds.contains(position.0);
        if sound || body.is_static() {
            continue;
        }
        // A body that never had a place inside the world is set down in its middle.
        let place =
            place.pose.unwrap_or_else(|| Isometry3d::from_translation(0.5 * (bounds.min + bounds.max).with_y(0.5)));
        position.0 = place.translation.into();
        rotation.0 = place.rotation;
        *transform = Transform { scale: transform.scale, ..Transform::from_isometry(place) };
        velocity.0 = Vec3::ZERO;
        spin.0 = Vec3::ZERO;
        if let Some(mut view) = view {
            // The camera does not sweep through the world on its way back.
            view.before = view.now;
        }
        rescued.write(Rescued(entity));
    }
}

/// Remembers where bodies stand still, and at first where they were put.
fn note_resting_places(
    mut bodies: Query<
        (&Position, &Rotation, &LinearVelocity, &AngularVelocity, &mut RestingPlace, Option<&Walker>),
        (Without<HeldBy>, Without<Sleeping>),
    >,
    bounds: Res<WorldBounds>,
    time: Res<Time>,
) {
    for (position, rotation, velocity, spin, mut place, walker) in &mut bodies {
        let moved = position.0.distance_squared(std::mem::replace(&mut place.before, position.0));
        let rests = match walker {
            Some(walker) => walker.grounded && walker.firm,
            None => moved < 1e-6 && velocity.length_squared() < 1e-3 && spin.length_squared() < 1e-2,
        };
        place.still_secs = if rests { place.still_secs + time.delta_secs() } else { 0.0 };
        if (place.still_secs > REST_SECS || place.pose.is_none()) && bounds.contains(position.0) {
            place.pose = Some(Isometry3d::new(position.0, rotation.0));
        }
    }
}
