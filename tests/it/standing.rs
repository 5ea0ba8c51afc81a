//! Where the floor is under whoever stands in a headset, how tall they are, and what happens when the runtime lays its space anew.

use bevy::prelude::*;
use umwelt::{
    platform::{
        eye_height::EyeHeightMeasurement,
        settings::Settings,
        tracking::{Pose, Side},
    },
    world::{Grabbable, WalkIntent},
};

use crate::{
    physics::{place, run, thing},
    tracked_rig::{Worn, at},
};

fn crouches(worn: &Worn) -> bool {
    worn.app.world().get::<WalkIntent>(worn.player).expect("an intent").crouch
}

fn measurement(worn: &Worn) -> EyeHeightMeasurement {
    worn.app.world().resource::<EyeHeightMeasurement>().clone()
}

/// Asks for a measurement and lets so many frames go by.
fn measure(worn: &mut Worn, frames: usize) {
    worn.app.insert_resource(EyeHeightMeasurement::Asked);
    for _ in 0..frames {
        worn.act(|_| {});
    }
}

#[test]
fn a_measured_height_is_what_crouching_goes_by_and_the_floor_stays_under_the_feet() {
    let mut worn = Worn::new(|_| {});
    // Somebody small: by the assumed height they would crouch where they stand.
    worn.act(|tracking| tracking.head = Some(at(0.0, 1.2, 0.0)));
    assert!(crouches(&worn));
    measure(&mut worn, 140);
    assert_eq!(measurement(&worn), EyeHeightMeasurement::Done { eyes: 1.2, floor_guessed: false });
    assert_eq!(worn.app.world().resource::<Settings>().headset.eye_height_m, Some(1.2));
    worn.act(|_| {});
    assert!(!crouches(&worn));
    assert!(worn.space().translation.y.abs() < 1e-3 && (worn.head().y - 1.2).abs() < 1e-3, "the floor stays the floor");
    worn.act(|tracking| tracking.head = Some(at(0.0, 0.88, 0.0)));
    assert!(crouches(&worn));
}

#[test]
fn what_is_no_standing_height_is_told_and_not_kept() {
    let mut worn = Worn::new(|_| {});
    worn.act(|tracking| tracking.head = Some(at(0.0, 0.05, 0.0)));
    measure(&mut worn, 140);
    assert!(matches!(measurement(&worn), EyeHeightMeasurement::Failed(_)), "{:?}", measurement(&worn));
    assert_eq!(worn.app.world().resource::<Settings>().headset.eye_height_m, None);

    // And whoever does not hold still hears of it.
    worn.app.insert_resource(EyeHeightMeasurement::Asked);
    for frame in 0..600 {
        worn.act(|tracking| tracking.head = Some(at(0.0, 1.7 + 0.1 * (frame as f32 * 0.2).sin(), 0.0)));
    }
    assert!(matches!(&measurement(&worn), EyeHeightMeasurement::Failed(why) if why.contains("moved")));
}

#[test]
fn without_a_floor_the_eyes_are_as_high_as_was_measured_or_chosen() {
    // The runtime knows no floor: the head is where it is, 0.3 m above some origin.
    let mut worn = Worn::new(|settings| settings.headset.eye_height_m = Some(1.52));
    worn.act(|tracking| {
        tracking.floorless = true;
        tracking.head = Some(at(0.0, 0.3, 0.0));
    });
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 1.52).abs() < 1e-3, "{}", worn.head());
    // Ducking is ducking, not the floor rising.
    worn.act(|tracking| tracking.head = Some(at(0.0, -0.3, 0.0)));
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 0.92).abs() < 1e-3 && crouches(&worn), "{}", worn.head());
    // Who set the headset on while seated stands up and says so.
    worn.act(|tracking| tracking.head = Some(at(0.0, 0.8, 0.0)));
    measure(&mut worn, 140);
    assert_eq!(measurement(&worn), EyeHeightMeasurement::Done { eyes: 1.52, floor_guessed: true });
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 1.52).abs() < 1e-3, "{}", worn.head());
    // Another height is chosen by hand: it takes effect at once.
    worn.app.world_mut().resource_mut::<Settings>().headset.eye_height_m = Some(1.8);
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 1.8).abs() < 1e-3, "{}", worn.head());
}

#[test]
fn seated_the_eyes_are_at_the_players_own_standing_height() {
    let mut worn = Worn::new(|settings| settings.headset.eye_height_m = Some(1.8));
    worn.act(|tracking| tracking.head = Some(at(0.0, 1.15, 0.0)));
    worn.app.world_mut().resource_mut::<Settings>().headset.seated = true;
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 1.8).abs() < 1e-3, "{}", worn.head());
    worn.app.world_mut().resource_mut::<Settings>().headset.seated = false;
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 1.15).abs() < 1e-3, "the floor is the room's again: {}", worn.head());
}

#[test]
fn when_the_runtime_lays_its_space_anew_the_head_stays_above_the_feet_and_nothing_is_thrown() {
    let mut worn = Worn::new(|_| {});
    let mug = thing(&mut worn.app, avian3d::prelude::Collider::cylinder(0.045, 0.1), 0.3, Vec3::new(0.2, 1.1, -0.3));
    worn.app.world_mut().entity_mut(mug).insert((Grabbable, avian3d::prelude::GravityScale(0.0)));
    for squeeze in [0.0, 0.0, 0.0, 1.0, 1.0] {
        worn.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            hand.grip = Some(at(0.2, 1.1, -0.3));
            hand.squeeze = squeeze;
        });
    }
    run(&mut worn.app, 0.5);
    assert_eq!(worn.held(), [mug]);
    let (head, feet, yaw, held) = (worn.head(), worn.feet(), worn.yaw(), place(&worn.app, mug));

    // The same head and hand, told from an origin two metres away and a quarter turn round.
    let anew = Isometry3d::new(Vec3::new(2.0, 0.0, -1.0), Quat::from_rotation_y(1.6));
    let moved = |pose: Pose| {
        let pose = anew * Isometry3d::from(pose);
        Pose { position: pose.translation.into(), rotation: pose.rotation }
    };
    worn.act(|tracking| {
        tracking.relaid = true;
        tracking.head = tracking.head.map(moved);
        let hand = tracking.hand_mut(Side::Right);
        hand.grip = hand.grip.map(moved);
    });
    for _ in 0..60 {
        worn.act(|tracking| tracking.relaid = false);
    }
    assert!(worn.head().distance(head) < 0.01, "the head from {head} to {}", worn.head());
    assert!(worn.feet().distance(feet) < 0.01, "the feet from {feet} to {}", worn.feet());
    assert!((worn.yaw() - yaw).abs() < 1e-3);
    assert_eq!(worn.held(), [mug]);
    assert!(place(&worn.app, mug).distance(held) < 0.02, "the mug from {held} to {}", place(&worn.app, mug));
}
