//! Hands that the headset loses sight of, and bodies that somebody else moves while one is worn.

use bevy::prelude::*;
use umwelt::{
    platform::{
        tracked_rig::TeleportAim,
        tracking::{HandState, Side},
    },
    world::WalkIntent,
};

use crate::{
    physics::{place, run},
    tracked_rig::{Worn, at},
};

#[test]
fn what_a_lost_hand_holds_stays_with_whoever_is_put_elsewhere() {
    let mut worn = Worn::new(|_| {});
    let mug = worn.lift_mug();
    worn.act(|tracking| tracking.hand_mut(Side::Right).grip = None);
    run(&mut worn.app, 0.3);
    let before = place(&worn.app, mug) - worn.feet();
    let player = worn.player;
    worn.app.world_mut().get_mut::<WalkIntent>(player).expect("a body").teleport = Some(Vec3::new(4.0, 0.0, 3.0));
    run(&mut worn.app, 0.5);
    assert!(worn.feet().distance(Vec3::new(4.0, 0.0, 3.0)) < 0.05, "{}", worn.feet());
    assert_eq!(worn.held(), [mug]);
    let after = place(&worn.app, mug) - worn.feet();
    assert!(after.distance(before) < 0.05, "{after} instead of {before} from the feet");
}

#[test]
fn losing_the_hand_that_aims_takes_the_teleport_back() {
    let mut worn = Worn::new(|_| {});
    worn.act(|tracking| {
        let hand = tracking.hand_mut(Side::Right);
        (hand.grip, hand.aim) = (Some(at(0.2, 1.2, -0.3)), Some(at(0.2, 1.2, -0.3)));
        hand.stick = Vec2::Y;
    });
    worn.act(|_| {});
    assert!(worn.app.world().resource::<TeleportAim>().place.is_some());
    let before = worn.feet();
    worn.act(|tracking| *tracking.hand_mut(Side::Right) = HandState::default());
    run(&mut worn.app, 0.2);
    assert_eq!(*worn.app.world().resource::<TeleportAim>(), TeleportAim::default());
    assert!(worn.feet().distance(before) < 0.01, "went to {}", worn.feet());
}

#[test]
fn whoever_turns_the_body_turns_what_the_eyes_see() {
    let mut worn = Worn::new(|_| {});
    worn.act(|tracking| tracking.head = Some(at(0.2, 1.7, 0.1)));
    run(&mut worn.app, 0.3);
    let (head, yaw) = (worn.head(), worn.yaw());
    let player = worn.player;
    worn.app.world_mut().get_mut::<WalkIntent>(player).expect("a body").yaw += 1.2;
    run(&mut worn.app, 0.3);
    assert!((worn.yaw() - yaw - 1.2).abs() < 1e-3, "turned by {}", worn.yaw() - yaw);
    assert!(worn.head().distance(head) < 1e-3, "the head is at {}", worn.head());
}
