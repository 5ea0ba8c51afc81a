//! Geometry of two hands on one thing: moved by the middle of the palms, turned by the line between them and the mean roll of the hands,
//! sized by the ratio of their distances.
//!
//! Pure: palms in, a place and a size out. It goes by steps from tick to tick, so that no turn, however far, ever flips over. A rigid
//! motion of both hands moves the thing by exactly that motion.

use std::f32::consts::{PI, TAU};

use bevy::math::{Isometry3d, Quat, Vec3};

/// Palms that are nearer to each other count as this far apart, metres: else a millimetre would double what is between them.
const NEAREST_PALMS: f32 = 0.06;

/// How two palms hold a thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TwoHandedGrip {
    /// Where the palms were when they were last looked at.
    palms: [Isometry3d; 2],
    /// How far the line between them and their roll have turned the thing by then.
    turn: Quat,
    /// When the second hand closed: the thing's rotation, where it was from the middle of the palms, their distance and its size.
    rotation: Quat,
    offset: Vec3,
    span: f32,
    size: f32,
}

fn middle(palms: &[Isometry3d; 2]) -> Vec3 {
    0.5 * Vec3::from(palms[0].translation + palms[1].translation)
}

/// From the first palm to the second, and how long that counts.
fn line(palms: &[Isometry3d; 2]) -> (Vec3, f32) {
    let line = Vec3::from(palms[1].translation - palms[0].translation);
    (line, line.length().max(NEAREST_PALMS))
}

/// How far `rotation` turns about `axis` (unit length), −π to π: the twist of its swing-twist decomposition.
fn twist_about(axis: Vec3, rotation: Quat) -> f32 {
    let angle = 2.0 * rotation.xyz().dot(axis).atan2(rotation.w);
    (angle + PI).rem_euclid(TAU) - PI
}

impl TwoHandedGrip {
    /// Both palms have closed on a thing of this size.
    pub fn new(palms: [Isometry3d; 2], thing: Isometry3d, size: f32) -> Self {
        Self {
            palms,
            turn: Quat::IDENTITY,
            rotation: thing.rotation,
            offset: Vec3::from(thing.translation) - middle(&palms),
            span: line(&palms).1,
            size,
        }
    }

    /// The palms have moved on: where the thing belongs now, and its size within `limits`.
    pub fn follow(&mut self, palms: [Isometry3d; 2], limits: [f32; 2]) -> (Isometry3d, f32) {
        let ((before, _), (now, span)) = (line(&self.palms), line(&palms));
        if let (Some(before), Some(now)) = (before.try_normalize(), now.try_normalize()) {
            let swing = Quat::from_rotation_arc(before, now);
            let roll = |hand: usize| {
                let turned = palms[hand].rotation * self.palms[hand].rotation.inverse();
                twist_about(before, swing.inverse() * turned)
            };
            let roll = Quat::from_axis_angle(before, 0.5 * (roll(0) + roll(1)));
            self.turn = (swing * roll * self.turn).normalize();
        }
        self.palms = palms;
        let size = (self.size * span / self.span).clamp(limits[0], limits[1]);
        let offset = self.turn * self.offset * (size / self.size);
        (Isometry3d::new(middle(&palms) + offset, self.turn * self.rotation), size)
    }
}

/// How the two palms move what is between them: the velocity of their middle and the angular velocity about it (metres and radians per
/// second), from the palms' places and velocities.
pub(super) fn motion(places: [Vec3; 2], velocities: [Vec3; 2], spins: [Vec3; 2]) -> (Vec3, Vec3) {
    let velocity = 0.5 * (velocities[0] + velocities[1]);
    let line = places[1] - places[0];
    let Some(axis) = line.try_normalize() else { return (velocity, Vec3::ZERO) };
    // ω = r × v / r² of the line, and along it the mean of what the hands roll.
    let swing = line.cross(velocities[1] - velocities[0]) / line.length_squared().max(NEAREST_PALMS * NEAREST_PALMS);
    (velocity, swing + axis * 0.5 * (spins[0] + spins[1]).dot(axis))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;

    use super::*;

    const LIMITS: [f32; 2] = [0.25, 4.0];

    fn at(x: f32, y: f32, z: f32) -> Isometry3d {
        Isometry3d::from_translation(Vec3::new(x, y, z))
    }

    fn close(found: (Isometry3d, f32), place: Vec3, rotation: Quat, size: f32) {
        let (found, found_size) = found;
        assert!((Vec3::from(found.translation) - place).length() < 1e-4, "at {} instead of {place}", found.translation);
        let rotation = if found.rotation.dot(rotation) < 0.0 { -rotation } else { rotation };
        assert!((found.rotation - rotation).length() < 1e-4, "turned {} instead of {rotation}", found.rotation);
        assert!((found_size - size).abs() < 1e-4, "size {found_size} instead of {size}");
    }

    /// Palms 20 cm apart along X at a height of 1 m, the thing 5 cm to the right of their middle.
    fn grip() -> TwoHandedGrip {
        TwoHandedGrip::new([at(-0.1, 1.0, 0.0), at(0.1, 1.0, 0.0)], at(0.05, 1.0, 0.0), 1.0)
    }

    #[test]
    fn pulled_to_twice_the_distance_it_is_twice_as_large_and_so_is_its_offset() {
        let found = grip().follow([at(-0.2, 1.0, 0.0), at(0.2, 1.0, 0.0)], LIMITS);
        close(found, Vec3::new(0.1, 1.0, 0.0), Quat::IDENTITY, 2.0);
    }

    #[test]
    fn it_goes_with_the_middle() {
        let found = grip().follow([at(0.2, 1.1, -0.3), at(0.4, 1.1, -0.3)], LIMITS);
        close(found, Vec3::new(0.35, 1.1, -0.3), Quat::IDENTITY, 1.0);
    }

    #[test]
    fn a_quarter_turn_of_the_line_turns_it_by_a_quarter() {
        // About +Y from +X to −Z: the right palm goes to z −0.1, the offset of 5 cm along.
        let found = grip().follow([at(0.0, 1.0, 0.1), at(0.0, 1.0, -0.1)], LIMITS);
        close(found, Vec3::new(0.0, 1.0, -0.05), Quat::from_rotation_y(FRAC_PI_2), 1.0);
    }

    #[test]
    fn it_rolls_by_the_mean_of_the_hands() {
        let rolled = |left: f32, right: f32| {
            let hand = |x: f32, angle: f32| Isometry3d::new(Vec3::new(x, 1.0, 0.0), Quat::from_rotation_x(angle));
            grip().follow([hand(-0.1, left), hand(0.1, right)], LIMITS)
        };
        let place = Vec3::new(0.05, 1.0, 0.0);
        close(rolled(0.4, 0.4), place, Quat::from_rotation_x(0.4), 1.0);
        close(rolled(0.4, 0.0), place, Quat::from_rotation_x(0.2), 1.0);
        close(rolled(0.4, -0.4), place, Quat::IDENTITY, 1.0);
    }

    #[test]
    fn beyond_its_limits_it_waits_for_the_hands_to_come_back() {
        let mut grip = grip();
        let palms = |half: f32| [at(-half, 1.0, 0.0), at(half, 1.0, 0.0)];
        close(grip.follow(palms(0.7), LIMITS), Vec3::new(0.2, 1.0, 0.0), Quat::IDENTITY, 4.0);
        close(grip.follow(palms(0.3), LIMITS), Vec3::new(0.15, 1.0, 0.0), Quat::IDENTITY, 3.0);
        // 6 cm is the least that counts: 0.06 / 0.2.
        close(grip.follow(palms(0.001), LIMITS), Vec3::new(0.015, 1.0, 0.0), Quat::IDENTITY, 0.3);
        close(grip.follow(palms(0.1), LIMITS), Vec3::new(0.05, 1.0, 0.0), Quat::IDENTITY, 1.0);
    }

    #[test]
    fn round_and_round_it_never_flips() {
        let mut grip = grip();
        let mut found = (Isometry3d::IDENTITY, 0.0);
        // One and a half turns by three degrees.
        for step in 1..=180 {
            let turn = Quat::from_rotation_z((3.0 * step as f32).to_radians());
            let palm = |x: f32| Isometry3d::new(Vec3::Y + turn * Vec3::X * x, turn);
            found = grip.follow([palm(-0.1), palm(0.1)], LIMITS);
            close(found, Vec3::Y + turn * Vec3::X * 0.05, turn, 1.0);
        }
        assert!(found.0.translation.x < -0.04);
    }

    #[test]
    fn a_rigid_motion_of_both_hands_is_followed_exactly() {
        let palms = [
            Isometry3d::new(Vec3::new(-0.1, 1.2, -0.4), Quat::from_euler(bevy::math::EulerRot::YXZ, 0.3, 0.2, -0.5)),
            Isometry3d::new(Vec3::new(0.2, 1.0, -0.3), Quat::from_rotation_x(1.1)),
        ];
        let thing = Isometry3d::new(Vec3::new(0.0, 1.15, -0.5), Quat::from_rotation_z(0.8));
        let mut grip = TwoHandedGrip::new(palms, thing, 1.5);
        let mut moved = Isometry3d::IDENTITY;
        for step in 0..100 {
            let axis = Vec3::new(1.0, (0.1 * step as f32).sin(), 0.5).normalize();
            moved = Isometry3d::new(Vec3::new(0.01, 0.0, 0.005), Quat::from_axis_angle(axis, 0.05)) * moved;
            let place = moved * thing;
            close(grip.follow(palms.map(|palm| moved * palm), LIMITS), place.translation.into(), place.rotation, 1.5);
        }
    }

    #[test]
    fn two_hands_on_a_wheel_spin_it() {
        // Palms 0.4 m apart on a wheel that turns about +Y at 2 rad/s and goes along +Z at 1 m/s: ω × r = 2 × 0.2.
        let places = [Vec3::NEG_X * 0.2, Vec3::X * 0.2];
        let velocities = [Vec3::new(0.0, 0.0, 1.4), Vec3::new(0.0, 0.0, 0.6)];
        let (velocity, spin) = motion(places, velocities, [Vec3::X * 3.0, Vec3::X]);
        assert!((velocity - Vec3::Z).length() < 1e-6);
        assert!((spin - Vec3::new(2.0, 2.0, 0.0)).length() < 1e-5, "{spin}");
    }
}
