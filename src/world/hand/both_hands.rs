//! Two tracked hands on one thing: it follows both and is made larger and smaller.
//!
//! In: [`HeldByBoth`], the hands' motion. Out: the thing's velocities, its size ([`Resized`], `Transform::scale`), mass and centre of
//! mass. Colliders follow the transform's scale by themselves (avian's `update_collider_scale`), and with them the moments of inertia;
//! a mass and a centre of mass that were set do not.

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    HandSettings, Holding, TrackedHand,
    carry::{carried_spin, followed_velocity, strained},
    center_of,
    two_handed_grip::{TwoHandedGrip, motion},
};

/// How small and how large hands make a thing, of its own size. Four times as long is 64 times as heavy: about the most that two arms
/// still lift of what stands on tables. A quarter of a die (4 mm) is about the least that does not fall through a board.
pub const SIZES: [f32; 2] = [0.25, 4.0];
/// Smaller changes wait: every change makes the collision shape anew.
const LEAST_CHANGE: f32 = 1e-3;

/// A second hand holds this body too.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct HeldByBoth {
    hands: [Entity; 2],
    grip: TwoHandedGrip,
}

impl HeldByBoth {
    pub(super) fn new(hands: [Entity; 2], palms: [Isometry3d; 2], thing: Isometry3d, size: f32) -> Self {
        Self { hands, grip: TwoHandedGrip::new(palms, thing, size) }
    }

    /// The hand that holds it beside this one.
    pub fn other(&self, hand: Entity) -> Option<Entity> {
        match self.hands {
            [first, second] if first == hand => Some(second),
            [first, second] if second == hand => Some(first),
            _ => None,
        }
    }
}

/// Hands have made this body larger or smaller, or were about to.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Resized {
    /// Of its own size.
    pub size: f32,
    own_scale: Vec3,
    /// Where they were set.
    own_mass_kg: Option<f32>,
    own_center: Option<Vec3>,
}

impl Resized {
    /// A body as it was made.
    pub(super) fn unchanged(transform: &Transform, mass: Option<&Mass>, center: Option<&CenterOfMass>) -> Self {
        Self {
            size: 1.0,
            own_scale: transform.scale,
            own_mass_kg: mass.map(|mass| mass.0),
            own_center: center.map(|center| center.0),
        }
    }
}

type Body = (
    &'static mut HeldByBoth,
    &'static mut Resized,
    &'static mut Transform,
    (&'static Position, &'static Rotation, &'static ComputedCenterOfMass, &'static ComputedMass),
    (&'static mut LinearVelocity, &'static mut AngularVelocity),
    (Option<&'static mut Mass>, Option<&'static mut CenterOfMass>),
);

/// Draws what two hands hold to its place between them, and gives it its size.
pub(super) fn carry(
    mut bodies: Query<Body>,
    mut hands: Query<(&TrackedHand, &mut Holding)>,
    settings: Res<HandSettings>,
    gravity: Res<Gravity>,
    time: Res<Time>,
) {
    let dt = time.delta_secs();
    for (mut both, mut resized, mut transform, body, (mut velocity, mut spin), (mass_set, center_set)) in &mut bodies {
        let (position, rotation, center, mass) = body;
        let Ok([(first, mut by_first), (second, mut by_second)]) = hands.get_many_mut(both.hands) else { continue };
        let palms = [first.palm, second.palm];
        let (place, size) = both.grip.follow(palms, SIZES);
        if (size - resized.size).abs() > LEAST_CHANGE * resized.size || SIZES.contains(&size) && size != resized.size {
            resized.size = size;
            transform.scale = resized.own_scale * size;
            if let (Some(mut mass), Some(own)) = (mass_set, resized.own_mass_kg) {
                mass.0 = own * size.powi(3);
            }
            if let (Some(mut center), Some(own)) = (center_set, resized.own_center) {
                center.0 = own * size;
            }
        }
        let middle = 0.5 * Vec3::from(palms[0].translation + palms[1].translation);
        let places = palms.map(|palm| palm.translation.into());
        let (along, about) = motion(places, [first.velocity, second.velocity], [first.spin, second.spin]);
        let with_hands = along + about.cross(center_of(position, rotation, center) - middle);
        let offset = Vec3::from(place.translation) - position.0;
        velocity.0 = followed_velocity(offset, with_hands, velocity.0, mass.value(), dt, &settings) - gravity.0 * dt;
        spin.0 = about + carried_spin(rotation.0, place.rotation, &settings);
        for holding in [&mut by_first, &mut by_second] {
            holding.strained_secs = strained(holding.strained_secs, offset, dt, &settings);
        }
    }
}
