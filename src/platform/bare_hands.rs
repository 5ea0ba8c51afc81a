//! A hand without a controller as one with: where it is and points, whether it pinches or makes a fist.
//!
//! In: the 26 joints of `XR_EXT_hand_tracking` in the play space, the head. Out: a [`HandState`].
//!
//! | fingers | palm away from the eyes | palm to the eyes |
//! |---|---|---|
//! | fist | squeeze | squeeze |
//! | thumb on index finger | trigger | nothing: headsets keep this gesture for themselves |
//! | thumb on middle finger | stick forward: aims a teleport, or walks | the menu's button |
//! | thumb on ring finger | stick to this hand's side: turns | nothing |
//!
//! The nearest finger alone counts. A palm turned up is no gesture of its own: before the body it looks to the eyes as well. What bare
//! hands have not: the lower and upper buttons.
//!
//! Axes are those of OpenXR 1.1: a joint's −Z runs along the fingers, +Y out of the back of the hand (12.31, "hand joints
//! layout"); a grip's −Z runs from the little finger to the thumb, +X into a right palm and out of a left one (6.3.3).

use bevy::math::{Mat3, Quat, Vec2, Vec3};

use super::{
    locomotion::yaw_of,
    tracking::{HandState, Pose, Side},
};

/// Joints of a hand, in the order of the extension.
pub const JOINTS: usize = 26;

const PALM: usize = 0;
const WRIST: usize = 1;
const THUMB_TIP: usize = 5;
const INDEX_PROXIMAL: usize = 7;
const INDEX_TIP: usize = 10;
const MIDDLE_PROXIMAL: usize = 12;
const MIDDLE_TIP: usize = 15;
const RING_TIP: usize = 20;
const LITTLE_TIP: usize = 25;

/// Tips that touch and tips that are apart, metres: joints lie inside the fingers.
const PINCH: (f32, f32) = (0.018, 0.045);
/// From the palm to the tips, of the length from wrist to knuckle: a fist, and a hand at rest.
const FIST: (f32, f32) = (0.60, 0.90);
/// From the head to the shoulder on the right, along its heading, metres: a ray from there through the knuckle points steadily.
const SHOULDER: Vec3 = Vec3::new(0.17, -0.22, 0.05);
/// Cosine of how far a palm may look past the eyes.
const PALM_TO_EYES: f32 = 0.75;

/// 1 at `closed` or below, 0 at `open` or above.
fn closing(value: f32, (closed, open): (f32, f32)) -> f32 {
    ((open - value) / (open - closed)).clamp(0.0, 1.0)
}

/// What a bare hand does.
pub fn state_of(side: Side, joints: &[Pose; JOINTS], head: Option<Pose>) -> HandState {
    let at = |joint: usize| joints[joint].position;
    let palm = joints[PALM];
    let (right, back) = (palm.rotation * Vec3::X, palm.rotation * Vec3::Y);
    let along = palm.rotation * Vec3::Z;
    let axes = match side {
        Side::Right => Mat3::from_cols(back, along, right),
        Side::Left => Mat3::from_cols(-back, along, -right),
    };
    let grip = Pose { position: palm.position, rotation: Quat::from_mat3(&axes).normalize() };

    let hand_length = at(WRIST).distance(at(MIDDLE_PROXIMAL)).max(0.03);
    let reach = [MIDDLE_TIP, RING_TIP, LITTLE_TIP].map(|tip| at(tip).distance(palm.position) / hand_length);
    let squeeze = closing(reach.iter().sum::<f32>() / 3.0, FIST);
    let shows_palm = head.is_some_and(|head| {
        let to_eyes = (head.position - palm.position).normalize_or_zero();
        to_eyes.dot(-back) > PALM_TO_EYES
    });
    let from_thumb = |tip: usize| at(THUMB_TIP).distance(at(tip));
    let nearest = [INDEX_TIP, MIDDLE_TIP, RING_TIP]
        .into_iter()
        .min_by(|a, b| from_thumb(*a).total_cmp(&from_thumb(*b)))
        // In a fist the thumb lies on the fingers.
        .filter(|_| squeeze <= 0.6);
    let pinch = |tip: usize| if nearest == Some(tip) { closing(from_thumb(tip), PINCH) } else { 0.0 };
    let to_side = if side == Side::Left { -1.0 } else { 1.0 };
    let aim = head.map_or(grip, |head| {
        let mirrored = Vec3::new(if side == Side::Left { -1.0 } else { 1.0 }, 1.0, 1.0);
        let shoulder = head.position + Quat::from_rotation_y(yaw_of(head.rotation)) * (SHOULDER * mirrored);
        let direction = (at(INDEX_PROXIMAL) - shoulder).normalize_or(palm.rotation * Vec3::NEG_Z);
        let level = Vec3::Y.cross(-direction).normalize_or(right);
        let rotation = Quat::from_mat3(&Mat3::from_cols(level, (-direction).cross(level), -direction));
        Pose { position: at(INDEX_PROXIMAL), rotation: rotation.normalize() }
    });
    HandState {
        grip: Some(grip),
        aim: Some(aim),
        index_tip: Some(at(INDEX_TIP)),
        trigger: if shows_palm { 0.0 } else { pinch(INDEX_TIP) },
        squeeze,
        stick: if shows_palm { Vec2::ZERO } else { Vec2::new(to_side * pinch(RING_TIP), pinch(MIDDLE_TIP)) },
        menu: shows_palm && pinch(MIDDLE_TIP) > 0.8,
        ..HandState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A right hand, palm down, fingers along −Z; mirrored for the left. `curl` bends all fingers but the thumb, 0 to 1.
    fn hand(side: Side, curl: f32, thumb_tip: Option<usize>) -> [Pose; JOINTS] {
        let mirror = Vec3::new(if side == Side::Left { -1.0 } else { 1.0 }, 1.0, 1.0);
        let centre = Vec3::new(0.2, 1.1, -0.4);
        let pose = |offset: Vec3| Pose { position: centre + offset * mirror, rotation: Quat::IDENTITY };
        let mut joints = [pose(Vec3::ZERO); JOINTS];
        joints[WRIST] = pose(Vec3::new(0.0, 0.0, 0.05));
        for finger in 0..4 {
            let x = -0.03 + 0.02 * finger as f32;
            let first = 6 + 5 * finger;
            joints[first] = pose(Vec3::new(x, 0.0, 0.02));
            let mut point = Vec3::new(x, 0.0, -0.04);
            let mut bend = 0.0_f32;
            joints[first + 1] = pose(point);
            for (joint, length) in (first + 2..).zip([0.045, 0.026, 0.018]) {
                bend += curl * 1.4;
                point += Vec3::new(0.0, -bend.sin(), -bend.cos()) * length;
                joints[joint] = pose(point);
            }
        }
        for (joint, z) in (2..6).zip([0.03, 0.0, -0.03, -0.05]) {
            joints[joint] = pose(Vec3::new(-0.05, -0.01, z));
        }
        if let Some(tip) = thumb_tip {
            joints[THUMB_TIP].position = joints[tip].position + Vec3::new(0.0, -0.012, 0.005);
        }
        joints
    }

    fn head() -> Option<Pose> {
        Some(Pose { position: Vec3::new(0.0, 1.6, 0.0), rotation: Quat::IDENTITY })
    }

    #[test]
    fn an_open_hand_does_nothing_a_pinch_pulls_the_trigger_and_a_fist_grabs() {
        for side in Side::BOTH {
            let open = state_of(side, &hand(side, 0.05, None), head());
            assert!(open.trigger < 0.1 && open.squeeze < 0.1 && !open.menu, "{open:?}");
            let pinch = state_of(side, &hand(side, 0.3, Some(INDEX_TIP)), head());
            assert!(pinch.trigger > 0.9 && pinch.squeeze < 0.5, "{pinch:?}");
            let fist = state_of(side, &hand(side, 1.0, Some(INDEX_TIP)), head());
            assert!(fist.squeeze > 0.9 && fist.trigger == 0.0, "{fist:?}");
        }
    }

    #[test]
    fn the_middle_finger_pushes_a_stick_forward_and_the_ring_finger_to_the_hands_side() {
        for side in Side::BOTH {
            let pinched = |tip: usize| state_of(side, &hand(side, 0.3, Some(tip)), head());
            let (middle, ring) = (pinched(MIDDLE_TIP), pinched(RING_TIP));
            assert!(middle.stick.y > 0.9 && middle.stick.x == 0.0 && middle.trigger == 0.0, "{middle:?}");
            let turns = if side == Side::Left { -ring.stick.x } else { ring.stick.x };
            assert!(turns > 0.9 && ring.stick.y == 0.0 && ring.trigger == 0.0, "{ring:?}");
            assert_eq!(pinched(INDEX_TIP).stick, Vec2::ZERO);
            let fist = state_of(side, &hand(side, 1.0, Some(MIDDLE_TIP)), head());
            assert_eq!(fist.stick, Vec2::ZERO);
        }
    }

    #[test]
    fn the_grip_has_the_axes_of_a_controllers() {
        for side in Side::BOTH {
            let grip = state_of(side, &hand(side, 0.0, None), head()).grip.unwrap();
            // Palm down, fingers forward: the thumbs point at each other.
            let to_thumb = if side == Side::Right { Vec3::NEG_X } else { Vec3::X };
            assert!((grip.rotation * Vec3::NEG_Z).distance(to_thumb) < 1e-5);
            assert!((grip.rotation * Vec3::NEG_Y).distance(Vec3::NEG_Z) < 1e-5, "along the fingers");
            let palm_normal = if side == Side::Right { Vec3::Y } else { Vec3::NEG_Y };
            assert!((grip.rotation * Vec3::X).distance(palm_normal) < 1e-5, "into a right palm, out of a left one");
        }
    }

    #[test]
    fn the_ray_goes_from_the_shoulder_through_the_knuckle() {
        let joints = hand(Side::Right, 0.0, None);
        let aim = state_of(Side::Right, &joints, head()).aim.unwrap();
        let knuckle = joints[INDEX_PROXIMAL].position;
        let direction = (knuckle - (head().unwrap().position + SHOULDER)).normalize();
        assert!(aim.position.distance(knuckle) < 1e-6);
        assert!((aim.rotation * Vec3::NEG_Z).distance(direction) < 1e-5);
        assert!((aim.rotation * Vec3::X).y.abs() < 1e-5, "level");
    }

    #[test]
    fn the_menu_opens_by_the_middle_finger_of_a_hand_that_shows_its_palm() {
        let turned = |tip: usize| {
            let mut joints = hand(Side::Left, 0.2, Some(tip));
            let centre = joints[PALM].position;
            let turn = Quat::from_rotation_z(3.0) * Quat::from_rotation_x(-0.6);
            for joint in &mut joints {
                joint.position = centre + turn * (joint.position - centre);
                joint.rotation = turn * joint.rotation;
            }
            let eyes = Pose { position: centre - turn * Vec3::Y * 0.4, rotation: Quat::IDENTITY };
            state_of(Side::Left, &joints, Some(eyes))
        };
        assert!(turned(MIDDLE_TIP).menu && turned(MIDDLE_TIP).stick == Vec2::ZERO);
        assert!(!turned(INDEX_TIP).menu && turned(INDEX_TIP).trigger == 0.0, "that gesture is the runtime's own");
        assert!(!state_of(Side::Left, &hand(Side::Left, 0.2, Some(MIDDLE_TIP)), head()).menu, "palm down");
    }
}
