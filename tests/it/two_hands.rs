//! Two hands in a headset on one thing, told as stories: hands are values, no device, no renderer.

use avian3d::prelude::*;
use bevy::prelude::*;
use umwelt::{
    platform::tracking::Side,
    world::{
        Grabbable,
        hand::{HandAction, HandMoved, HandTarget, HeldBy, HeldByBoth, SIZES},
    },
};

use crate::{
    physics::{block, place, thing},
    tracked_rig::{Worn, at},
};

/// The top of the table that the box stands on, metres.
const TABLE: f32 = 1.0;

/// Somebody at a table with a box of 20 cm and half a kilogram on it, whose weight lies low.
struct AtTable {
    worn: Worn,
    thing: Entity,
    /// Palms, world space, and whether they are closed: left, right.
    palms: [(Vec3, Quat, bool); 2],
    /// What hands did since it was last asked.
    deeds: Vec<HandAction>,
}

impl AtTable {
    fn new() -> Self {
        let mut worn = Worn::new(|_| {});
        block(&mut worn.app, Vec3::new(0.0, 0.5 * TABLE, -0.6), Vec3::new(2.0, TABLE, 0.8));
        let thing = thing(&mut worn.app, Collider::cuboid(0.2, 0.2, 0.2), 0.5, Vec3::new(0.0, TABLE + 0.1, -0.4));
        worn.app.world_mut().entity_mut(thing).insert((
            Grabbable,
            CenterOfMass(Vec3::NEG_Y * 0.02),
            NoAutoCenterOfMass,
        ));
        let palm = |x: f32| (Vec3::new(x, TABLE + 0.1, -0.4), Quat::IDENTITY, false);
        // The left hand is out of reach at first.
        let away = (Vec3::new(-0.6, 1.3, 0.3), Quat::IDENTITY, false);
        let mut table = Self { worn, thing, palms: [away, palm(0.1)], deeds: Vec::new() };
        table.ticks(20);
        table
    }

    fn ticks(&mut self, count: usize) {
        for _ in 0..count {
            let palms = self.palms;
            self.worn.act(|tracking| {
                for (side, (position, rotation, closed)) in Side::BOTH.into_iter().zip(palms) {
                    let hand = tracking.hand_mut(side);
                    let mut pose = at(position.x, position.y, position.z);
                    pose.rotation = rotation;
                    hand.grip = Some(pose);
                    // Beside everything.
                    hand.aim = Some(at(position.x, position.y + 3.0, position.z));
                    hand.squeeze = if closed { 1.0 } else { 0.0 };
                }
            });
            let mut moved = self.worn.app.world_mut().resource_mut::<Messages<HandMoved>>();
            self.deeds.extend(moved.drain().map(|moved| moved.what));
        }
    }

    /// Moves both palms evenly to new places within `count` ticks.
    fn move_to(&mut self, left: Vec3, right: Vec3, count: usize) {
        let from = self.palms;
        for step in 1..=count {
            let share = step as f32 / count as f32;
            self.palms[0].0 = from[0].0.lerp(left, share);
            self.palms[1].0 = from[1].0.lerp(right, share);
            self.ticks(1);
        }
    }

    fn close(&mut self, side: Side, closed: bool) {
        self.palms[side as usize].2 = closed;
        self.ticks(3);
    }

    fn get<C: Component>(&self) -> &C {
        self.worn.app.world().get(self.thing).expect("on the thing")
    }

    fn size(&self) -> f32 {
        self.get::<Transform>().scale.x
    }

    fn deeds(&mut self) -> Vec<HandAction> {
        std::mem::take(&mut self.deeds)
    }

    fn hand(&mut self, left: bool) -> Entity {
        let world = self.worn.app.world_mut();
        let mut hands = world.query::<(Entity, &umwelt::world::avatar::AvatarHand)>();
        hands.iter(world).find(|(_, hand)| hand.left == left).expect("a hand").0
    }

    /// Both palms at the box's sides, closed, the box lifted from the table.
    fn lift_with_both(&mut self) {
        self.close(Side::Right, true);
        self.move_to(self.palms[0].0, Vec3::new(0.1, 1.5, -0.4), 40);
        self.palms[0].0 = Vec3::new(-0.1, 1.5, -0.4);
        self.ticks(5);
        self.close(Side::Left, true);
    }
}

#[test]
fn taken_by_one_hand_then_by_both_pulled_larger_turned_and_let_go() {
    let mut table = AtTable::new();
    let thing = table.thing;
    let (left, right) = (table.hand(true), table.hand(false));
    let inertia =
        |table: &AtTable| table.get::<ComputedAngularInertia>().principal_angular_inertia_with_local_frame().0.y;
    let own_inertia = inertia(&table);

    // One hand takes it. A hand that closes elsewhere does not.
    table.close(Side::Left, true);
    table.close(Side::Left, false);
    assert!(table.worn.held().is_empty());
    table.close(Side::Right, true);
    assert_eq!(table.worn.held(), [thing]);
    table.close(Side::Left, true);
    table.close(Side::Left, false);
    assert_eq!(table.worn.held(), [thing], "the left hand is far away");
    table.move_to(table.palms[0].0, Vec3::new(0.1, 1.5, -0.4), 40);
    table.ticks(20);
    assert!(place(&table.worn.app, thing).distance(Vec3::new(0.0, 1.5, -0.4)) < 0.01, "it was lifted");

    // Then the other one, at its other side.
    table.palms[0].0 = Vec3::new(-0.1, 1.5, -0.4);
    table.ticks(5);
    assert_eq!(table.worn.app.world().get::<HandTarget>(left).unwrap().0, Some(thing), "it may be joined");
    table.close(Side::Left, true);
    assert_eq!(table.worn.held(), [thing, thing]);
    assert_eq!(table.get::<HeldByBoth>().other(right), Some(left));
    assert_eq!(table.deeds(), [HandAction::Took, HandAction::Joined]);

    // Pulled apart to twice the distance it is twice as large, eight times as heavy.
    table.move_to(Vec3::new(-0.2, 1.5, -0.4), Vec3::new(0.2, 1.5, -0.4), 60);
    table.ticks(20);
    assert!((table.size() - 2.0).abs() < 0.01, "its size is {}", table.size());
    assert!(place(&table.worn.app, thing).distance(Vec3::new(0.0, 1.5, -0.4)) < 0.01);
    let aabb = table.get::<ColliderAabb>();
    assert!((aabb.max - aabb.min - Vec3::splat(0.4)).length() < 0.05, "its box is {} large", aabb.max - aabb.min);
    assert!((table.get::<ComputedMass>().value() - 4.0).abs() < 0.1, "{:?}", table.get::<ComputedMass>());
    assert!((table.get::<ComputedCenterOfMass>().0 - Vec3::NEG_Y * 0.04).length() < 1e-3);
    // Moments of inertia go with mass × length².
    assert!((inertia(&table) / own_inertia - 32.0).abs() < 1.0, "{} of {own_inertia}", inertia(&table));

    // Turned by a quarter about the vertical: the right hand goes away from the body.
    for step in 1..=60 {
        let turn = Quat::from_rotation_y((1.5 * step as f32).to_radians());
        for (palm, x) in table.palms.iter_mut().zip([-0.2, 0.2]) {
            palm.0 = Vec3::new(0.0, 1.5, -0.4) + turn * Vec3::X * x;
            palm.1 = turn;
        }
        table.ticks(1);
    }
    table.ticks(20);
    let quarter = Quat::from_rotation_y(std::f32::consts::FRAC_PI_2);
    let turned = table.get::<Rotation>().0;
    assert!(turned.angle_between(quarter) < 0.03, "turned to {turned}");
    assert!((table.size() - 2.0).abs() < 0.01);

    // One lets go: the other one, which took it second, holds it as it is.
    table.deeds();
    table.close(Side::Right, false);
    assert_eq!((table.worn.held(), *table.get::<HeldBy>()), (vec![thing], HeldBy(left)));
    assert_eq!(table.deeds(), [HandAction::Parted]);
    let before = place(&table.worn.app, thing);
    table.move_to(table.palms[0].0 + Vec3::Y * 0.1, table.palms[1].0, 30);
    table.ticks(20);
    assert!(place(&table.worn.app, thing).distance(before + Vec3::Y * 0.1) < 0.02);
    assert!((table.size() - 2.0).abs() < 0.01);

    // The other one lets go: it falls and stands on the table, 20 cm above which its middle is now.
    table.close(Side::Left, false);
    assert!(table.worn.held().is_empty() && table.worn.app.world().get::<HeldBy>(thing).is_none());
    assert_eq!(table.deeds(), [HandAction::LetGo]);
    table.palms[0].0.x = -0.8;
    table.ticks(120);
    let rests = place(&table.worn.app, thing).y;
    assert!((rests - TABLE - 0.2).abs() < 0.01, "its middle rests {rests} m high");
}

#[test]
fn it_grows_and_shrinks_within_limits_and_is_itself_again_between() {
    let mut table = AtTable::new();
    table.lift_with_both();
    let apart = |half: f32| (Vec3::new(-half, 1.5, -0.4), Vec3::new(half, 1.5, -0.4));
    for (half, size) in [(0.9, SIZES[1]), (0.03, 0.3), (0.1, 1.0)] {
        let (left, right) = apart(half);
        table.move_to(left, right, 60);
        table.ticks(20);
        assert!((table.size() - size).abs() < 0.01, "{} instead of {size}", table.size());
    }
    assert!((table.get::<ComputedMass>().value() - 0.5).abs() < 0.01);
    // Let go and joined again, it counts from what it is and not anew.
    let (left, right) = apart(0.2);
    table.move_to(left, right, 30);
    table.close(Side::Left, false);
    table.palms[0].0 = Vec3::new(-0.2, 1.5, -0.4);
    table.ticks(3);
    table.close(Side::Left, true);
    let (left, right) = apart(0.6);
    table.move_to(left, right, 60);
    assert!((table.size() - SIZES[1]).abs() < 0.01, "{}", table.size());
}

#[test]
fn two_hands_that_close_at_once_both_hold_it_and_open_at_once() {
    let mut table = AtTable::new();
    table.palms[0].0 = Vec3::new(-0.1, TABLE + 0.1, -0.4);
    table.ticks(5);
    table.palms[0].2 = true;
    table.close(Side::Right, true);
    assert_eq!(table.worn.held().len(), 2);
    assert_eq!(table.deeds(), [HandAction::Took, HandAction::Joined]);
    table.palms[0].2 = false;
    table.close(Side::Right, false);
    assert!(table.worn.held().is_empty());
    let world = table.worn.app.world();
    assert!(world.get::<HeldBy>(table.thing).is_none() && world.get::<HeldByBoth>(table.thing).is_none());
    assert_eq!(table.deeds(), [HandAction::Parted, HandAction::LetGo]);
}

#[test]
fn a_hand_that_is_gone_leaves_it_to_the_other_and_a_thing_that_is_gone_leaves_both_empty() {
    let mut table = AtTable::new();
    table.lift_with_both();
    let right = table.hand(false);
    table.worn.app.world_mut().despawn(right);
    table.worn.app.update();
    let left = table.hand(true);
    assert_eq!(*table.get::<HeldBy>(), HeldBy(left));
    let mut table = AtTable::new();
    table.lift_with_both();
    let thing = table.thing;
    table.worn.app.world_mut().despawn(thing);
    table.ticks(3);
    assert!(table.worn.held().is_empty());
}

#[test]
fn the_same_hands_do_the_same_to_the_last_bit() {
    let play = || {
        let mut table = AtTable::new();
        table.lift_with_both();
        table.move_to(Vec3::new(-0.17, 1.45, -0.3), Vec3::new(0.21, 1.55, -0.5), 47);
        table.close(Side::Left, false);
        table.close(Side::Right, false);
        table.ticks(50);
        let (position, rotation) = (table.get::<Position>().0, table.get::<Rotation>().0);
        (position.to_array().map(f32::to_bits), rotation.to_array().map(f32::to_bits), table.size().to_bits())
    };
    assert_eq!(play(), play());
}
