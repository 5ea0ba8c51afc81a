//! What a walking body does to the things it runs into.
//!
//! In: what walkers have touched in this tick. Out: impulses on those things. What is absent: hands (`hand`).

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{WalkSettings, Walker, sweep_filter};
use crate::world::hand::Holding;

/// Gives bodies that were run into the walker's speed, as far as its strength goes.
pub(super) fn push_what_was_touched(
    mut walkers: Query<&mut Walker>,
    colliders: Query<&ColliderOf>,
    mut bodies: Query<(&RigidBody, &ComputedMass, Forces), Without<Walker>>,
    settings: Res<WalkSettings>,
    time: Res<Time>,
) {
    for mut walker in &mut walkers {
        for touch in std::mem::take(&mut walker.touches) {
            let Ok((body, mass, mut forces)) = colliders.get(touch.collider).and_then(|of| bodies.get_mut(of.body))
            else {
                continue;
            };
            let gain = touch.speed - forces.linear_velocity().dot(touch.direction);
            if !body.is_dynamic() || gain <= 0.0 {
                continue;
            }
            let impulse = (mass.value() * gain).min(settings.push_force * time.delta_secs());
            // At the height of the centre, so that a push turns a thing but does not tip it over.
            let point = Vec3::new(touch.point.x, forces.position().0.y, touch.point.z);
            forces.apply_linear_impulse_at_point(touch.direction * impulse, point);
        }
    }
}

/// Small loose things at the feet of a moving walker roll aside.
pub(super) fn nudge_clutter(
    walkers: Query<(Entity, &Transform, &LinearVelocity, Option<&Holding>), With<Walker>>,
    spatial: SpatialQuery,
    colliders: Query<&ColliderOf>,
    mut bodies: Query<(&RigidBody, &ComputedMass, Forces), Without<Walker>>,
    settings: Res<WalkSettings>,
) {
    for (entity, transform, velocity, holding) in &walkers {
        let pace = Vec3::new(velocity.x, 0.0, velocity.z);
        if pace.length() < 0.2 {
            continue;
        }
        let shape = Collider::cylinder(settings.radius, settings.step_height);
        let center = transform.translation + Vec3::Y * 0.5 * settings.step_height;
        for collider in spatial.shape_intersections(&shape, center, Quat::IDENTITY, &sweep_filter(entity, holding)) {
            let Ok((body, mass, mut forces)) = colliders.get(collider).and_then(|of| bodies.get_mut(of.body)) else {
                continue;
            };
            if !body.is_dynamic() || mass.value() >= settings.clutter_mass {
                continue;
            }
            let away = (forces.position().0 - transform.translation) * Vec3::new(1.0, 0.0, 1.0);
            // Straight ahead and sideways in equal parts, so that things give way instead of being herded.
            let direction = (away.normalize_or_zero() + pace.normalize()).normalize_or(pace.normalize());
            let gain = 1.2 * pace.length() - forces.linear_velocity().dot(direction);
            if gain > 0.0 {
                forces.apply_linear_impulse(direction * mass.value() * gain);
            }
        }
    }
}
