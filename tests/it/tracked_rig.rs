//! The rig of a headset without any device: head and hands as values, stories told in them.

use avian3d::prelude::*;
use bevy::prelude::*;
use umwelt::{
    platform::{
        TrackedRigPlugin,
        flat::{Pressed, Steering},
        headset::{HeadsetStatus, HeadsetWanted},
        settings::{Locomotion, Settings, Turning},
        tracked_rig::{PlaySpace, RigHand, TeleportAim, Veiling},
        tracking::{HandState, Pose, Pulse, Side, Tracking},
    },
    scene::PoseSpec,
    world::{
        Grabbable, HandIntent, WalkIntent,
        avatar::AvatarHand,
        hand::{HeldBy, Holding},
        player::{ViewPose, WalkSettings, player_bundle},
    },
};

use crate::physics::{block, floor, place, run, thing, world_with};

/// A floor, a player in a headset in its middle.
pub struct Worn {
    pub app: App,
    pub player: Entity,
}

impl Worn {
    pub fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut app = world_with(TrackedRigPlugin);
        let mut settings = Settings::default();
        change(&mut settings);
        app.insert_resource(settings).insert_resource(Steering(true));
        floor(&mut app);
        let body = player_bundle(PoseSpec { position: Vec3::ZERO, yaw: 0.0 }, &WalkSettings::default());
        let player = app.world_mut().spawn(body).id();
        let mut worn = Self { app, player };
        worn.act(|tracking| {
            tracking.worn = true;
            tracking.head = Some(at(0.0, 1.7, 0.0));
        });
        run(&mut worn.app, 0.3);
        worn
    }

    /// Changes what is tracked; then a tick goes by.
    pub fn act(&mut self, change: impl FnOnce(&mut Tracking)) {
        let mut tracking = self.app.world_mut().resource_mut::<Tracking>();
        change(&mut tracking);
        tracking.seconds += 1.0 / 60.0;
        self.app.update();
    }

    fn stick(&mut self, side: Side, stick: Vec2) {
        self.act(|tracking| tracking.hand_mut(side).stick = stick);
    }

    pub fn head(&self) -> Vec3 {
        let tracking = self.app.world().resource::<Tracking>();
        self.space() * tracking.head.unwrap().position
    }

    pub fn space(&self) -> Isometry3d {
        self.app.world().resource::<PlaySpace>().now
    }

    pub fn feet(&self) -> Vec3 {
        self.app.world().get::<Transform>(self.player).unwrap().translation
    }

    pub fn yaw(&self) -> f32 {
        self.app.world().get::<WalkIntent>(self.player).unwrap().yaw
    }

    /// The right hand takes a mug from the floor and lifts it by 60 cm.
    pub fn lift_mug(&mut self) -> Entity {
        let mug = thing(&mut self.app, Collider::cylinder(0.045, 0.1), 0.3, Vec3::new(0.2, 0.05, -0.3));
        self.app.world_mut().entity_mut(mug).insert(Grabbable);
        for squeeze in [0.0, 0.0, 0.0, 1.0, 1.0] {
            self.act(|tracking| {
                let hand = tracking.hand_mut(Side::Right);
                hand.grip = Some(at(0.2, 0.1, -0.3));
                hand.squeeze = squeeze;
            });
        }
        for step in 1..=30 {
            self.act(|tracking| tracking.hand_mut(Side::Right).grip = Some(at(0.2, 0.1 + 0.02 * step as f32, -0.3)));
        }
        mug
    }

    pub fn held(&mut self) -> Vec<Entity> {
        let world = self.app.world_mut();
        world.query::<&Holding>().iter(world).map(|holding| holding.body).collect()
    }
}

pub fn at(x: f32, y: f32, z: f32) -> Pose {
    Pose { position: Vec3::new(x, y, z), rotation: Quat::IDENTITY }
}

#[test]
fn the_body_follows_the_head_and_the_eyes_are_where_the_head_is() {
    let mut worn = Worn::new(|_| {});
    for step in 1..=60 {
        worn.act(|tracking| tracking.head = Some(at(0.01 * step as f32, 1.6, -0.005 * step as f32)));
    }
    run(&mut worn.app, 0.2);
    assert!(worn.feet().distance(Vec3::new(0.6, 0.0, -0.3)) < 0.01, "feet at {}", worn.feet());
    let eyes = Vec3::from(worn.app.world().get::<ViewPose>(worn.player).unwrap().now.translation);
    assert!(eyes.distance(worn.head()) < 0.01, "eyes at {eyes}, head at {}", worn.head());
    // Standing still, nothing goes on.
    let before = worn.feet();
    run(&mut worn.app, 1.0);
    assert!(worn.feet().distance(before) < 1e-3);
}

#[test]
fn a_wall_stops_the_body_and_darkens_the_eyes_that_go_on() {
    let mut worn = Worn::new(|_| {});
    block(&mut worn.app, Vec3::new(0.0, 1.5, -0.6), Vec3::new(6.0, 3.0, 0.2));
    for step in 1..=65 {
        worn.act(|tracking| tracking.head = Some(at(0.0, 1.7, -0.01 * step as f32)));
    }
    // The wall's face is at −0.5, the body's radius is 0.25.
    assert!(worn.feet().z > -0.3, "the body stands in the wall: {}", worn.feet());
    assert!(worn.app.world().resource::<Veiling>().fade > 0.9);
    worn.act(|tracking| tracking.head = Some(at(0.0, 1.7, 0.0)));
    run(&mut worn.app, 0.2);
    assert_eq!(worn.app.world().resource::<Veiling>().fade, 0.0);
}

#[test]
fn leaning_over_a_table_leaves_the_eyes_light() {
    let mut worn = Worn::new(|_| {});
    block(&mut worn.app, Vec3::new(0.0, 0.4, -0.6), Vec3::new(6.0, 0.8, 0.2));
    for step in 1..=65 {
        worn.act(|tracking| tracking.head = Some(at(0.0, 1.5, -0.01 * step as f32)));
    }
    assert!(worn.feet().z > -0.3, "the table stops the body: {}", worn.feet());
    assert_eq!(worn.app.world().resource::<Veiling>().fade, 0.0);
}

#[test]
fn what_the_window_holds_is_let_go_when_the_headset_is_put_on() {
    let mut worn = Worn::new(|_| {});
    worn.act(|tracking| tracking.worn = false);
    let player = worn.player;
    worn.app.world_mut().get_mut::<HandIntent>(player).expect("a hand").grab = true;
    worn.act(|tracking| tracking.worn = true);
    assert!(!worn.app.world().get::<HandIntent>(player).expect("a hand").grab);
}

#[test]
fn sticks_turn_by_steps_about_the_head_and_for_left_handers_the_other_one_does() {
    for left_handed in [false, true] {
        let mut worn = Worn::new(|settings| settings.headset.left_handed = left_handed);
        worn.act(|tracking| tracking.head = Some(at(0.2, 1.7, 0.1)));
        run(&mut worn.app, 0.3);
        let (head, yaw) = (worn.head(), worn.yaw());
        let (turns, walks) = if left_handed { (Side::Left, Side::Right) } else { (Side::Right, Side::Left) };
        worn.stick(walks, Vec2::X);
        worn.stick(walks, Vec2::ZERO);
        assert!((worn.yaw() - yaw).abs() < 1e-5);
        worn.stick(turns, Vec2::X);
        run(&mut worn.app, 0.5);
        worn.stick(turns, Vec2::ZERO);
        assert!((worn.yaw() - yaw + 30_f32.to_radians()).abs() < 1e-3, "turned by {}", worn.yaw() - yaw);
        assert!(worn.head().distance(head) < 1e-3);
    }
}

#[test]
fn smooth_turning_and_walking_close_the_edge_of_the_view() {
    let mut worn = Worn::new(|settings| {
        settings.headset.locomotion = Locomotion::Smooth;
        settings.headset.turning = Turning::Smooth;
    });
    worn.stick(Side::Left, Vec2::Y);
    let before = worn.feet();
    run(&mut worn.app, 1.0);
    let walked = before.z - worn.feet().z;
    assert!((1.6..2.0).contains(&walked), "walked {walked} m");
    // The head came along, a step of the body behind at most.
    assert!(worn.head().xz().distance(worn.feet().xz()) < 0.05);
    worn.stick(Side::Left, Vec2::ZERO);
    run(&mut worn.app, 0.3);
    let stopped = worn.feet();
    run(&mut worn.app, 0.5);
    assert!(worn.feet().distance(stopped) < 1e-3);
}

#[test]
fn a_teleport_lands_on_ground_that_has_room_and_nowhere_else() {
    let mut worn = Worn::new(|_| {});
    let aim = |worn: &mut Worn| {
        worn.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            hand.grip = Some(at(0.2, 1.2, -0.3));
            hand.aim = hand.grip;
            hand.stick = Vec2::Y;
        });
        worn.app.world().resource::<TeleportAim>().clone()
    };
    let place = aim(&mut worn).place.expect("the floor");
    // Level at 6.5 m/s from 1.2 m: √(2 · 1.2 / 9.81) seconds.
    let expected = Vec3::new(0.2, 0.0, -0.3 - 6.5 * (2.0 * 1.2 / 9.81_f32).sqrt());
    assert!(place.distance(expected) < 0.02, "{place} instead of {expected}");
    worn.stick(Side::Right, Vec2::ZERO);
    run(&mut worn.app, 0.1);
    assert!(worn.feet().distance(place) < 0.01 && worn.head().xz().distance(place.xz()) < 0.01);
    assert_eq!(*worn.app.world().resource::<TeleportAim>(), TeleportAim::default());

    // Things that move are no ground; too low a room is none; the way must be free from the eyes to the hand.
    let target = worn.feet() + (expected - Vec3::ZERO);
    let crate_ = thing(&mut worn.app, Collider::cuboid(1.0, 0.5, 1.0), 30.0, target + Vec3::Y * 0.26);
    run(&mut worn.app, 0.5);
    assert_eq!(aim(&mut worn).place, None, "on a crate");
    worn.app.world_mut().despawn(crate_);
    worn.stick(Side::Right, Vec2::ZERO);
    let shelf = block(&mut worn.app, target + Vec3::Y * 1.4, Vec3::new(1.5, 0.1, 1.5));
    run(&mut worn.app, 0.1);
    assert_eq!(aim(&mut worn).place, None, "under a shelf");
    worn.app.world_mut().despawn(shelf);
    worn.stick(Side::Right, Vec2::ZERO);
    run(&mut worn.app, 0.1);
    assert!(aim(&mut worn).place.is_some(), "free again");
    let pane = worn.feet() + Vec3::new(0.0, 1.5, -0.2);
    block(&mut worn.app, pane, Vec3::new(3.0, 3.0, 0.02));
    run(&mut worn.app, 0.1);
    assert_eq!(aim(&mut worn).place, None, "the hand is behind a pane");
}

#[test]
fn a_button_pressed_while_one_aims_takes_the_teleport_back() {
    let mut worn = Worn::new(|_| {});
    worn.act(|tracking| {
        let hand = tracking.hand_mut(Side::Right);
        hand.grip = Some(at(0.2, 1.2, -0.3));
        hand.aim = hand.grip;
        hand.stick = Vec2::Y;
    });
    assert!(worn.app.world().resource::<TeleportAim>().place.is_some());
    // As a pad that is pressed where it was touched to aim.
    worn.act(|tracking| {
        let hand = tracking.hand_mut(Side::Right);
        (hand.stick, hand.primary) = (Vec2::ZERO, true);
    });
    assert_eq!(*worn.app.world().resource::<TeleportAim>(), TeleportAim::default());
    let mut highest = 0.0_f32;
    for _ in 0..40 {
        worn.act(|_| {});
        highest = highest.max(worn.feet().y);
    }
    assert!(worn.feet().xz().length() < 0.01, "it went to {}", worn.feet());
    assert!((0.4..0.6).contains(&highest), "instead it jumped, {highest} m high");
}

#[test]
fn bare_hands_turn_to_their_own_sides_and_teleport() {
    let mut worn = Worn::new(|settings| settings.headset.locomotion = Locomotion::Smooth);
    let pinch = |worn: &mut Worn, side: Side, stick: Vec2| {
        worn.act(|tracking| {
            let hand = tracking.hand_mut(side);
            hand.grip = Some(at(0.2, 1.2, -0.3));
            hand.aim = hand.grip;
            hand.index_tip = Some(Vec3::new(0.2, 1.2, -0.45));
            hand.stick = stick;
        });
    };
    for (side, stick, degrees) in [(Side::Left, Vec2::NEG_X, 30.0_f32), (Side::Right, Vec2::X, 0.0)] {
        pinch(&mut worn, side, stick);
        pinch(&mut worn, side, Vec2::ZERO);
        run(&mut worn.app, 0.3);
        assert!((worn.yaw() - degrees.to_radians()).abs() < 1e-3, "{side:?}: heading {}", worn.yaw());
    }
    assert!(worn.feet().xz().length() < 0.02, "nothing was walked: {}", worn.feet());
    pinch(&mut worn, Side::Right, Vec2::Y);
    let place = worn.app.world().resource::<TeleportAim>().place.expect("the floor");
    pinch(&mut worn, Side::Right, Vec2::ZERO);
    run(&mut worn.app, 0.1);
    assert!(worn.feet().distance(place) < 0.01);
    // In this setting the left hand walks.
    pinch(&mut worn, Side::Left, Vec2::Y);
    run(&mut worn.app, 1.0);
    assert!((1.6..2.0).contains(&worn.feet().distance(place)), "walked {} m", worn.feet().distance(place));
}

#[test]
fn a_thrown_thing_flies_as_the_hand_moved() {
    let mut worn = Worn::new(|_| {});
    let ball = thing(&mut worn.app, Collider::sphere(0.05), 0.2, Vec3::new(0.2, 1.2, -0.3));
    worn.app.world_mut().entity_mut(ball).insert((Grabbable, GravityScale(0.0)));
    let hand = |worn: &mut Worn, x: f32, squeeze: f32| {
        worn.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            hand.grip = Some(at(x, 1.2, -0.28));
            hand.aim = hand.grip;
            hand.squeeze = squeeze;
        });
    };
    for _ in 0..5 {
        hand(&mut worn, 0.2, 0.0);
    }
    for _ in 0..5 {
        hand(&mut worn, 0.2, 1.0);
    }
    assert_eq!(worn.held(), [ball]);
    assert!(worn.app.world().get::<HeldBy>(ball).is_some());
    // 3 m/s to the right.
    for step in 1..=12 {
        hand(&mut worn, 0.2 + 0.05 * step as f32, 1.0);
    }
    hand(&mut worn, 0.85, 0.0);
    hand(&mut worn, 0.90, 0.0);
    assert!(worn.held().is_empty());
    let velocity = worn.app.world().get::<LinearVelocity>(ball).unwrap().0;
    assert!((velocity - Vec3::X * 3.0).length() < 0.1, "thrown with {velocity}");
}

#[test]
fn a_held_thing_that_strikes_a_wall_is_felt_once() {
    let mut worn = Worn::new(|_| {});
    let ball = thing(&mut worn.app, Collider::sphere(0.05), 0.2, Vec3::new(0.2, 1.2, -0.3));
    worn.app.world_mut().entity_mut(ball).insert((Grabbable, GravityScale(0.0)));
    block(&mut worn.app, Vec3::new(0.7, 1.2, -0.3), Vec3::new(0.2, 1.0, 1.0));
    let strikes = |worn: &mut Worn, x: f32, squeeze: f32| {
        worn.app.world_mut().resource_mut::<Messages<Pulse>>().clear();
        worn.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            hand.grip = Some(at(x, 1.2, -0.28));
            hand.aim = hand.grip;
            hand.squeeze = squeeze;
        });
        worn.app.world_mut().resource_mut::<Messages<Pulse>>().drain().count()
    };
    for tick in 0..10 {
        strikes(&mut worn, 0.2, if tick < 5 { 0.0 } else { 1.0 });
    }
    assert_eq!(worn.held(), [ball]);
    let on_the_way: usize = (1..=4).map(|step| strikes(&mut worn, 0.2 + 0.05 * step as f32, 1.0)).sum();
    assert_eq!(on_the_way, 0);
    let at_the_wall: usize = (5..=9).map(|step| strikes(&mut worn, 0.2 + 0.05 * step as f32, 1.0)).sum();
    assert_eq!(at_the_wall, 1);
}

#[test]
fn a_ray_fetches_what_is_out_of_reach() {
    let mut worn = Worn::new(|_| {});
    block(&mut worn.app, Vec3::new(0.2, 0.5, -2.0), Vec3::new(0.5, 1.0, 0.5));
    let mug = thing(&mut worn.app, Collider::cylinder(0.045, 0.1), 0.3, Vec3::new(0.2, 1.06, -2.0));
    worn.app.world_mut().entity_mut(mug).insert(Grabbable);
    run(&mut worn.app, 0.3);
    let hand = |worn: &mut Worn, squeeze: f32| {
        worn.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            hand.grip = Some(at(0.2, 1.1, -0.3));
            // A little downwards, at the mug.
            hand.aim = Some(Pose { rotation: Quat::from_rotation_x(-0.03), ..at(0.2, 1.1, -0.3) });
            hand.squeeze = squeeze;
        });
    };
    for _ in 0..5 {
        hand(&mut worn, 0.0);
    }
    for _ in 0..90 {
        hand(&mut worn, 1.0);
    }
    assert_eq!(worn.held(), [mug]);
    let there = place(&worn.app, mug);
    assert!(there.distance(Vec3::new(0.2, 1.1, -0.3)) < 0.05, "it came to {there}");
}

#[test]
fn what_hands_meet_is_felt() {
    let mut worn = Worn::new(|_| {});
    let mug = thing(&mut worn.app, Collider::cylinder(0.045, 0.1), 0.3, Vec3::new(0.2, 0.05, -0.3));
    worn.app.world_mut().entity_mut(mug).insert(Grabbable);
    let felt = |worn: &mut Worn, squeeze: f32| {
        let mut felt = Vec::new();
        for _ in 0..4 {
            worn.act(|tracking| {
                let hand = tracking.hand_mut(Side::Left);
                hand.grip = Some(at(0.2, 0.1, -0.3));
                hand.squeeze = squeeze;
            });
            felt.extend(worn.app.world_mut().resource_mut::<Messages<Pulse>>().drain());
        }
        felt
    };
    let hover = felt(&mut worn, 0.0);
    assert!(hover.len() == 1 && hover[0].side == Side::Left, "{hover:?}");
    let grab = felt(&mut worn, 1.0);
    assert!(grab.len() == 1 && grab[0].strength > hover[0].strength, "{grab:?}");
}

#[test]
fn without_the_headset_the_hands_are_gone_and_the_windows_hand_has_what_they_held() {
    let mut worn = Worn::new(|_| {});
    let mug = worn.lift_mug();
    assert!(place(&worn.app, mug).y > 0.4);
    worn.act(|tracking| tracking.worn = false);
    run(&mut worn.app, 1.5);
    assert!(place(&worn.app, mug).y > 0.4, "{}", place(&worn.app, mug));
    assert_eq!(worn.held(), [mug]);
    assert!(worn.app.world().get::<Holding>(worn.player).is_some_and(|holding| holding.body == mug));
    let world = worn.app.world_mut();
    assert_eq!(world.query::<&RigHand>().iter(world).count(), 0);
    assert_eq!(world.get::<WalkIntent>(worn.player).unwrap().head, None);
    let eyes = world.get::<ViewPose>(worn.player).unwrap().now.translation;
    assert!((eyes.y - 1.65).abs() < 0.02, "the eyes are at the posture's height again: {eyes}");
}

#[test]
fn fingers_go_with_trigger_and_grip_and_the_thumb_with_what_it_presses() {
    let mut worn = Worn::new(|_| {});
    let mut curls = |change: fn(&mut HandState)| {
        for _ in 0..2 {
            worn.act(|tracking| {
                let hand = tracking.hand_mut(Side::Right);
                *hand = HandState { grip: Some(at(0.2, 1.1, -0.3)), ..default() };
                change(hand);
            });
        }
        let world = worn.app.world_mut();
        let hand = world.query::<&AvatarHand>().single(world).expect("a hand");
        [hand.index_curl, hand.fist_curl, hand.thumb_curl]
    };
    assert_eq!(curls(|_| {}), [0.0; 3]);
    assert_eq!(curls(|hand| hand.trigger = 0.5), [0.5, 0.0, 0.0]);
    assert_eq!(curls(|hand| hand.primary = true), [0.0, 0.0, 1.0]);
    assert_eq!(curls(|hand| hand.stick = Vec2::X), [0.0, 0.0, 1.0]);
    let [index, fist, thumb] = curls(|hand| hand.squeeze = 1.0);
    assert!(index == 1.0 && fist == 1.0 && (0.3..1.0).contains(&thumb), "{thumb}");
}

#[test]
fn whoever_sits_sees_from_a_standing_persons_height() {
    let mut worn = Worn::new(|settings| settings.headset.seated = true);
    worn.act(|tracking| {
        tracking.head = Some(at(0.1, 1.15, 0.0));
        tracking.hand_mut(Side::Left).stick_click = true;
    });
    run(&mut worn.app, 0.5);
    assert!((worn.head().y - 1.65).abs() < 0.01, "{}", worn.head());
}

#[test]
fn a_menu_stops_sticks_and_keeps_what_is_held() {
    let mut worn = Worn::new(|settings| settings.headset.locomotion = Locomotion::Smooth);
    worn.app.insert_resource(Steering(false));
    worn.stick(Side::Left, Vec2::Y);
    run(&mut worn.app, 0.5);
    assert!(worn.feet().length() < 0.01);
}

#[test]
fn the_headset_key_asks_for_it_and_back() {
    let mut worn = Worn::new(|_| {});
    worn.app.insert_resource(HeadsetWanted(true)).insert_resource(HeadsetStatus::Worn);
    let press = |worn: &mut Worn| {
        let action = umwelt::platform::bindings::Action::Headset;
        worn.app.world_mut().write_message(Pressed(action));
        worn.app.update();
        worn.app.update();
        worn.app.world().resource::<HeadsetWanted>().0
    };
    assert!(!press(&mut worn));
    assert!(press(&mut worn));
    worn.app.insert_resource(HeadsetWanted(false)).insert_resource(HeadsetStatus::Lost("x".to_owned()));
    assert!(press(&mut worn), "what was lost may be there again");
}
