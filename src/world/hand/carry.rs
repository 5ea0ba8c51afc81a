//! One hand's thing is led to its place by its velocity, with limited force.
//!
//! In: `Holding`, `ViewPose` or `TrackedHand`. Out: velocities of what is held.

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{Hand, HandSettings, HeldByBoth, Holding, TrackedHand, center_of, heading};
use crate::world::{HandIntent, player::ViewPose};

/// The velocity that leads a thing towards its place in this tick, from `velocity`, with limited speed and force.
pub(super) fn carried_velocity(offset: Vec3, velocity: Vec3, mass_kg: f32, dt: f32, settings: &HandSettings) -> Vec3 {
    let wanted = (offset * settings.stiffness).clamp_length_max(settings.max_speed);
    velocity + (wanted - velocity).clamp_length_max(settings.max_force / mass_kg.max(1e-3) * dt)
}

/// The angular velocity that turns `from` towards `to`, radians per second.
pub(in crate::world) fn carried_spin(from: Quat, to: Quat, settings: &HandSettings) -> Vec3 {
    let mut turn = to * from.inverse();
    if turn.w < 0.0 {
        turn = -turn;
    }
    (turn.to_scaled_axis() * settings.stiffness).clamp_length_max(15.0)
}

/// The velocity of a point that moves with a hand, metres per second.
pub(super) fn velocity_with(hand: &TrackedHand, point: Vec3) -> Vec3 {
    hand.velocity + hand.spin.cross(point - Vec3::from(hand.palm.translation))
}

/// The velocity that keeps a thing in tracked hands: the hands' own, and what makes up for the distance.
pub(super) fn followed_velocity(
    offset: Vec3,
    with_hand: Vec3,
    velocity: Vec3,
    mass_kg: f32,
    dt: f32,
    settings: &HandSettings,
) -> Vec3 {
    let wanted = with_hand + (offset * 2.0 * settings.stiffness).clamp_length_max(settings.max_speed);
    // A hand accelerates with the strength of an arm on top of what carrying takes.
    velocity + (wanted - velocity).clamp_length_max(2.0 * settings.max_force / mass_kg.max(1e-3) * dt)
}

/// How long a thing has been too far from its place, seconds; what is still on its way (below zero) arrives first.
pub(super) fn strained(before: f32, offset: Vec3, dt: f32, settings: &HandSettings) -> f32 {
    if offset.length() > settings.max_strain || before < 0.0 { before + dt } else { 0.0 }
}

/// Draws what is held by one hand to its place.
pub(super) fn carry(
    mut commands: Commands,
    mut hands: Query<(Entity, &HandIntent, &ViewPose, &mut Holding, Option<&TrackedHand>), With<Hand>>,
    mut bodies: Query<(
        &Position,
        &Rotation,
        &ComputedCenterOfMass,
        &ComputedMass,
        &mut LinearVelocity,
        &mut AngularVelocity,
        Has<HeldByBoth>,
    )>,
    settings: Res<HandSettings>,
    gravity: Res<Gravity>,
    time: Res<Time>,
) {
    let dt = time.delta_secs();
    for (entity, intent, view, mut holding, tracked) in &mut hands {
        let Ok((position, rotation, center, mass, mut velocity, mut spin, both)) = bodies.get_mut(holding.body) else {
            // The thing is gone from the world.
            commands.entity(entity).remove::<Holding>();
            continue;
        };
        if both {
            continue;
        }
        let center = center_of(position, rotation, center);
        if let (Some(tracked), Some(in_palm)) = (tracked, holding.in_palm) {
            let place = tracked.palm * in_palm;
            let offset = Vec3::from(place.translation) - position.0;
            let with_hand = velocity_with(tracked, center);
            velocity.0 = followed_velocity(offset, with_hand, velocity.0, mass.value(), dt, &settings) - gravity.0 * dt;
            spin.0 = tracked.spin + carried_spin(rotation.0, place.rotation, &settings);
            holding.strained_secs = strained(holding.strained_secs, offset, dt, &settings);
            continue;
        }
        holding.distance = (holding.distance + intent.push * dt).clamp(settings.nearest, settings.farthest);
        let heading = heading(view.now.rotation);
        let turn = Quat::from_rotation_y(intent.turn.x * dt) * Quat::from_rotation_x(intent.turn.y * dt);
        holding.rotation = (turn * holding.rotation).normalize();

        let ray = view.ray();
        let offset = ray.origin + *ray.direction * holding.distance - center;
        // Gravity is taken out beforehand; the step adds it again.
        velocity.0 = carried_velocity(offset, velocity.0, mass.value(), dt, &settings) - gravity.0 * dt;
        spin.0 = carried_spin(rotation.0, heading * holding.rotation, &settings);
        holding.strained_secs = strained(holding.strained_secs, offset, dt, &settings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_thing_is_led_with_limited_force() {
        let settings = HandSettings::default();
        let dt = 1.0 / 60.0;
        let light = carried_velocity(Vec3::X * 0.1, Vec3::ZERO, 0.3, dt, &settings);
        assert!((light - Vec3::X * 1.2).length() < 1e-5, "{light}");
        // 300 N on 50 kg for one tick give 0.1 m/s.
        let heavy = carried_velocity(Vec3::X, Vec3::ZERO, 50.0, dt, &settings);
        assert!((heavy.x - 0.1).abs() < 1e-5, "{heavy}");
    }

    #[test]
    fn a_thing_in_a_tracked_hand_moves_with_it_without_delay() {
        let settings = HandSettings::default();
        let hand = TrackedHand {
            of: Entity::PLACEHOLDER,
            palm: Isometry3d::from_translation(Vec3::Y),
            velocity: Vec3::X,
            spin: Vec3::Z * 2.0,
        };
        // ω × r = (0, 0, 2) × (0.1, 0, 0) = (0, 0.2, 0).
        let with_hand = velocity_with(&hand, Vec3::new(0.1, 1.0, 0.0));
        assert!((with_hand - Vec3::new(1.0, 0.2, 0.0)).length() < 1e-6, "{with_hand}");
        let led = followed_velocity(Vec3::ZERO, with_hand, Vec3::ZERO, 0.3, 1.0 / 60.0, &settings);
        assert_eq!(led, with_hand);
    }

    #[test]
    fn spin_takes_the_short_way_round() {
        let settings = HandSettings { stiffness: 1.0, ..default() };
        let spin = carried_spin(Quat::IDENTITY, Quat::from_rotation_y(0.3), &settings);
        assert!((spin - Vec3::Y * 0.3).length() < 1e-5);
        let spin = carried_spin(Quat::IDENTITY, -Quat::from_rotation_y(0.3), &settings);
        assert!((spin - Vec3::Y * 0.3).length() < 1e-5);
    }
}
