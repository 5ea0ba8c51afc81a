//! Geometry of moving in a headset: the play space in the world, turning, the arc of a teleport, how fast a hand moves.
//!
//! Pure functions and small state machines; `tracked_rig` drives them.

use std::collections::VecDeque;

use bevy::math::{Isometry3d, Quat, Vec2, Vec3};

use super::tracking::Pose;

/// Heading of a rotation about +Y, radians, also where it looks straight up or down: 0 looks along −Z, a quarter turn to the left
/// along −X.
pub fn yaw_of(rotation: Quat) -> f32 {
    let forward = rotation * Vec3::NEG_Z;
    let up = rotation * Vec3::Y;
    // Looking down, the top of the head points forward; looking up, backward.
    let flat = Vec2::new(forward.x, forward.z) - forward.y.signum() * forward.y.powi(4) * Vec2::new(up.x, up.z);
    (-flat.x).atan2(-flat.y)
}

/// Pitch of a rotation, radians, up is positive.
pub fn pitch_of(rotation: Quat) -> f32 {
    (rotation * Vec3::NEG_Z).y.clamp(-1.0, 1.0).asin()
}

/// The play space in the world after a turn of `angle` about the vertical through `pivot` (world space): the pivot stays.
pub fn turned_about(world_from_stage: Isometry3d, pivot: Vec3, angle: f32) -> Isometry3d {
    let turn = Quat::from_rotation_y(angle);
    let translation = pivot + turn * (Vec3::from(world_from_stage.translation) - pivot);
    Isometry3d::new(translation, (turn * world_from_stage.rotation).normalize())
}

/// The play space in the world by which a tracked head stands above `feet` and looks along `yaw`. The floor lies `floor` below the
/// feet (0 where the runtime knows it).
pub fn recentred(head_in_stage: Pose, feet: Vec3, yaw: f32, floor: f32) -> Isometry3d {
    let rotation = Quat::from_rotation_y(yaw - yaw_of(head_in_stage.rotation));
    let beside = rotation * (head_in_stage.position * Vec3::new(1.0, 0.0, 1.0));
    Isometry3d::new(feet - beside - Vec3::Y * floor, rotation)
}

/// Points of a throw's path from `origin`, `step_secs` apart, until it is `depth` below its start or `most` points are made.
pub fn arc(origin: Vec3, velocity: Vec3, gravity: f32, step_secs: f32, depth: f32, most: usize) -> Vec<Vec3> {
    let at = |step: usize| {
        let t = step as f32 * step_secs;
        origin + velocity * t - Vec3::Y * 0.5 * gravity * t * t
    };
    let mut points = Vec::new();
    for step in 0..most {
        let point = at(step);
        points.push(point);
        if point.y < origin.y - depth {
            break;
        }
    }
    points
}

/// A stick that acts once each time it is pushed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flick {
    pushed: bool,
}

impl Flick {
    /// −1 or 1 in the moment in which the stick is pushed far to that side, else 0. It must come back to the middle first.
    pub fn read(&mut self, deflection: f32) -> f32 {
        const PUSHED: f32 = 0.7;
        const LET_GO: f32 = 0.4;
        if self.pushed {
            self.pushed = deflection.abs() > LET_GO;
            return 0.0;
        }
        self.pushed = deflection.abs() > PUSHED;
        if self.pushed { deflection.signum() } else { 0.0 }
    }
}

/// A button with play: down above 0.6, up below 0.35.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Squeezed(pub bool);

impl Squeezed {
    pub fn read(&mut self, value: f32) -> bool {
        self.0 = value > if self.0 { 0.35 } else { 0.6 };
        self.0
    }
}

/// How a hand moved of late: poses of the last tenth of a second.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    /// Seconds, oldest first.
    poses: VecDeque<(f64, Pose)>,
}

impl Motion {
    /// A throw is what the hand did in this time, seconds.
    const SPAN_SECS: f64 = 0.1;

    /// Adds a pose; one that is not later than the last replaces it. A gap in time begins anew.
    pub fn push(&mut self, seconds: f64, pose: Pose) {
        if let Some((last, _)) = self.poses.back() {
            if seconds - last > 3.0 * Self::SPAN_SECS || seconds < *last {
                self.poses.clear();
            } else if seconds == *last {
                self.poses.pop_back();
            }
        }
        self.poses.push_back((seconds, pose));
        while self.poses.len() > 2 && self.poses.front().is_some_and(|(first, _)| seconds - first > Self::SPAN_SECS) {
            self.poses.pop_front();
        }
    }

    /// Velocity and angular velocity in the space of the poses: the line of least squares through the positions, and the mean turn.
    pub fn velocities(&self) -> (Vec3, Vec3) {
        let (Some((first_time, first)), Some((last_time, last))) = (self.poses.front(), self.poses.back()) else {
            return (Vec3::ZERO, Vec3::ZERO);
        };
        let span = (last_time - first_time) as f32;
        if span < 1e-4 {
            return (Vec3::ZERO, Vec3::ZERO);
        }
        let count = self.poses.len() as f32;
        let time = |seconds: f64| (seconds - first_time) as f32;
        let mean_time = self.poses.iter().map(|(seconds, _)| time(*seconds)).sum::<f32>() / count;
        let mean = self.poses.iter().map(|(_, pose)| pose.position).sum::<Vec3>() / count;
        let (mut along, mut square) = (Vec3::ZERO, 0.0);
        for (seconds, pose) in &self.poses {
            let t = time(*seconds) - mean_time;
            along += t * (pose.position - mean);
            square += t * t;
        }
        let mut turn = last.rotation * first.rotation.inverse();
        if turn.w < 0.0 {
            turn = -turn;
        }
        (along / square, turn.to_scaled_axis() / span)
    }
}

/// How far the edge of the picture closes in, 0 to 1, after `seconds`: quickly when motion begins, slowly when it ends.
pub fn vignette(now: f32, moving: bool, seconds: f32) -> f32 {
    let (wanted, rate) = if moving { (1.0, 8.0) } else { (0.0, 4.0) };
    now + (wanted - now) * (1.0 - (-rate * seconds).exp())
}

#[cfg(test)]
mod tests {
    use std::f32::consts::{FRAC_PI_2, PI};

    use super::*;

    fn close(a: Vec3, b: Vec3) {
        assert!((a - b).length() < 1e-4, "{a} is not {b}");
    }

    #[test]
    fn headings_survive_looking_up_and_down() {
        for yaw in [-3.0, -1.0, 0.0, 0.5, 2.5] {
            for pitch in [-1.5, -0.8, 0.0, 0.8, 1.5_f32] {
                let rotation = Quat::from_rotation_y(yaw) * Quat::from_rotation_x(pitch);
                assert!((yaw_of(rotation) - yaw).abs() < 1e-3, "{yaw} {pitch}: {}", yaw_of(rotation));
                assert!((pitch_of(rotation) - pitch).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn a_snap_turn_leaves_the_head_where_it_is() {
        let before = Isometry3d::new(Vec3::new(1.0, 0.2, -3.0), Quat::from_rotation_y(0.4));
        let head_in_stage = Vec3::new(0.7, 1.6, 0.3);
        let head = before * head_in_stage;
        let after = turned_about(before, head, -FRAC_PI_2 / 3.0);
        close(after * head_in_stage, head);
        let turned = yaw_of(after.rotation) - yaw_of(before.rotation);
        assert!((turned + PI / 6.0).abs() < 1e-4, "{turned}");
        // The floor stays the floor.
        assert!((after.translation.y - before.translation.y).abs() < 1e-6);
    }

    #[test]
    fn after_recentring_the_head_is_above_the_feet_and_looks_ahead() {
        let rotation = Quat::from_rotation_y(1.9) * Quat::from_rotation_x(-0.3);
        let head = Pose { position: Vec3::new(2.0, 1.7, -1.0), rotation };
        let feet = Vec3::new(5.0, 0.5, 4.0);
        let origin = recentred(head, feet, 0.25, 0.0);
        close(origin * head.position, feet + Vec3::Y * 1.7);
        assert!((yaw_of(origin.rotation * rotation) - 0.25).abs() < 1e-3);
        // A runtime without a floor.
        close(recentred(head, feet, 0.25, -0.3) * head.position, feet + Vec3::Y * 2.0);
    }

    #[test]
    fn the_arc_is_a_throw() {
        // 6 m/s at 45° from 1.5 m: it comes down to 0 after (v + √(v² + 2 g h)) / g seconds, v = 6/√2.
        let v = 6.0 / 2_f32.sqrt();
        let points = arc(Vec3::Y * 1.5, Vec3::new(0.0, v, -v), 9.81, 0.01, 1.5, 500);
        let t = (v + (v * v + 2.0 * 9.81 * 1.5).sqrt()) / 9.81;
        let end = points[points.len() - 1];
        assert!((end.z + v * t).abs() < 0.05, "{end} instead of {}", -v * t);
        assert_eq!(arc(Vec3::ZERO, Vec3::Y * 100.0, 9.81, 0.01, 5.0, 40).len(), 40);
    }

    #[test]
    fn a_flick_counts_once() {
        let mut flick = Flick::default();
        let read: Vec<f32> = [0.1, 0.8, 1.0, 0.5, 0.9, 0.3, -0.9].into_iter().map(|x| flick.read(x)).collect();
        assert_eq!(read, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
    }

    #[test]
    fn a_thrown_hand_has_its_true_velocity() {
        let mut motion = Motion::default();
        let (velocity, spin) = (Vec3::new(3.0, 2.0, -1.0), Vec3::new(0.0, 4.0, 0.0));
        // Uneven frames, with a millimetre of jitter.
        for (step, jitter) in (0..20).zip([1.0, -1.0, 0.5, -0.5].into_iter().cycle()) {
            let seconds = 100.0 + f64::from(step) * 0.011 + 0.002 * f64::from(step % 3);
            let since = (seconds - 100.0) as f32;
            motion.push(
                seconds,
                Pose {
                    position: velocity * since + Vec3::splat(0.001 * jitter),
                    rotation: Quat::from_scaled_axis(spin * since),
                },
            );
        }
        let (v, w) = motion.velocities();
        assert!((v - velocity).length() < 0.05, "{v}");
        assert!((w - spin).length() < 0.05, "{w}");
    }

    #[test]
    fn a_hand_that_is_seen_again_was_not_thrown() {
        let mut motion = Motion::default();
        let at = |x| Pose { position: Vec3::X * x, rotation: Quat::IDENTITY };
        motion.push(1.0, at(0.0));
        motion.push(1.01, at(0.01));
        motion.push(3.0, at(2.0));
        assert_eq!(motion.velocities(), (Vec3::ZERO, Vec3::ZERO));
    }

    #[test]
    fn the_vignette_closes_faster_than_it_opens() {
        let closed = vignette(0.0, true, 0.1);
        let opened = 1.0 - vignette(1.0, false, 0.1);
        assert!(closed > opened && closed < 1.0 && opened > 0.0);
    }
}
