//! The player's body and hand: stories told in intents.

use avian3d::prelude::*;
use bevy::prelude::*;
use umwelt::{
    scene::PoseSpec,
    world::{
        Grabbable, HandIntent, WalkIntent,
        hand::{HandTarget, HeldBy, Holding},
        player::{ViewPose, WalkSettings, Walker, player_bundle},
    },
};

use crate::physics::{block, floor, place, run, thing, world};

/// A floor and a player in its middle who looks along −Z.
fn world_with_player() -> (App, Entity) {
    let mut app = world();
    floor(&mut app);
    let player = spawn_player(&mut app, Vec3::ZERO);
    run(&mut app, 0.5);
    (app, player)
}

fn spawn_player(app: &mut App, position: Vec3) -> Entity {
    let body = player_bundle(PoseSpec { position, yaw: 0.0 }, &WalkSettings::default());
    app.world_mut().spawn(body).id()
}

fn intend(app: &mut App, player: Entity, change: impl FnOnce(&mut WalkIntent)) {
    change(&mut app.world_mut().get_mut::<WalkIntent>(player).unwrap());
}

fn reach(app: &mut App, player: Entity, change: impl FnOnce(&mut HandIntent)) {
    change(&mut app.world_mut().get_mut::<HandIntent>(player).unwrap());
}

fn walk_forward(app: &mut App, player: Entity) {
    intend(app, player, |intent| intent.direction = Vec2::Y);
}

/// Turns the view towards a point of the world.
fn look_at(app: &mut App, player: Entity, point: Vec3) {
    let eyes: Vec3 = app.world().get::<ViewPose>(player).unwrap().now.translation.into();
    let to = (point - eyes).normalize();
    intend(app, player, |intent| {
        intent.yaw = (-to.x).atan2(-to.z);
        intent.pitch = to.y.asin();
    });
}

fn feet(app: &App, player: Entity) -> Vec3 {
    app.world().get::<Transform>(player).unwrap().translation
}

fn grounded(app: &App, player: Entity) -> bool {
    app.world().get::<Walker>(player).unwrap().grounded
}

fn mug(app: &mut App, center: Vec3) -> Entity {
    let mug = thing(app, Collider::cylinder(0.045, 0.1), 0.3, center);
    app.world_mut().entity_mut(mug).insert(Grabbable);
    mug
}

#[test]
fn stands_still_with_the_eyes_at_their_height() {
    let (mut app, player) = world_with_player();
    let start = feet(&app, player);
    run(&mut app, 5.0);
    assert!(feet(&app, player).distance(start) < 1e-3);
    assert!(feet(&app, player).y.abs() < 0.01 && grounded(&app, player));
    let eyes = app.world().get::<ViewPose>(player).unwrap().now.translation;
    assert!((eyes.y - 1.65).abs() < 0.01, "eyes at {} m", eyes.y);
}

#[test]
fn walks_and_runs_at_a_human_pace() {
    for (run_, speed) in [(false, 1.8), (true, 3.5)] {
        let (mut app, player) = world_with_player();
        walk_forward(&mut app, player);
        intend(&mut app, player, |intent| intent.run = run_);
        run(&mut app, 1.0);
        let before = feet(&app, player);
        run(&mut app, 1.0);
        let travelled = before.z - feet(&app, player).z;
        assert!((travelled - speed).abs() < 0.05, "{travelled} m in a second instead of {speed}");
    }
}

#[test]
fn stops_at_a_wall_and_slides_along_it() {
    let (mut app, player) = world_with_player();
    block(&mut app, Vec3::new(0.0, 1.5, -2.0), Vec3::new(10.0, 3.0, 0.2));
    walk_forward(&mut app, player);
    intend(&mut app, player, |intent| intent.run = true);
    run(&mut app, 3.0);
    let stopped = feet(&app, player);
    // The wall's face is at −1.9, the body's radius is 0.25.
    assert!((-1.66..-1.6).contains(&stopped.z), "stopped at {stopped}");
    assert!(stopped.x.abs() < 0.01 && stopped.y.abs() < 0.01);
    intend(&mut app, player, |intent| intent.yaw = 0.8);
    run(&mut app, 1.0);
    let slid = feet(&app, player);
    assert!(slid.x < stopped.x - 1.5 && slid.z > -1.66, "slid to {slid}");
}

#[test]
fn does_not_leave_a_room_however_it_pushes() {
    let (mut app, player) = world_with_player();
    for (center, size) in [
        (Vec3::new(0.0, 1.5, -2.05), Vec3::new(4.2, 3.0, 0.1)),
        (Vec3::new(0.0, 1.5, 2.05), Vec3::new(4.2, 3.0, 0.1)),
        (Vec3::new(-2.05, 1.5, 0.0), Vec3::new(0.1, 3.0, 4.2)),
        (Vec3::new(2.05, 1.5, 0.0), Vec3::new(0.1, 3.0, 4.2)),
    ] {
        block(&mut app, center, size);
    }
    // Into every corner, jumping.
    for turn in 0..16 {
        intend(&mut app, player, |intent| {
            intent.direction = Vec2::Y;
            intent.run = true;
            intent.yaw = turn as f32 * 2.4;
            intent.jump = turn % 2 == 0;
        });
        run(&mut app, 0.8);
        let feet = feet(&app, player);
        assert!(feet.x.abs() < 1.8 && feet.z.abs() < 1.8 && feet.y > -0.02, "after {turn} turns at {feet}");
    }
}

#[test]
fn climbs_stairs_of_twenty_centimetres_but_no_half_metre() {
    let (mut app, player) = world_with_player();
    for step in 0..4 {
        let height = 0.2 * (step + 1) as f32;
        block(&mut app, Vec3::new(0.0, 0.5 * height, -1.5 - 0.3 * step as f32), Vec3::new(2.0, height, 0.3));
    }
    block(&mut app, Vec3::new(0.0, 0.4, -4.0), Vec3::new(2.0, 0.8, 3.0));
    block(&mut app, Vec3::new(0.0, 1.05, -4.5), Vec3::new(2.0, 0.5, 1.0));
    walk_forward(&mut app, player);
    run(&mut app, 4.0);
    let top = feet(&app, player);
    assert!((top.y - 0.8).abs() < 0.02, "at {top}");
    assert!(top.z > -3.8 && top.z < -3.7, "the half metre did not stop it: {top}");
    assert!(grounded(&app, player));
    // And down again, without leaving the ground.
    intend(&mut app, player, |intent| intent.yaw = std::f32::consts::PI);
    for _ in 0..180 {
        app.update();
        assert!(grounded(&app, player), "lost the ground at {}", feet(&app, player));
    }
    assert!(feet(&app, player).y.abs() < 0.02, "{}", feet(&app, player));
}

#[test]
fn climbs_a_slope_of_thirty_degrees_and_not_one_of_sixty() {
    for (degrees, climbs) in [(30_f32, true), (60.0, false)] {
        let (mut app, player) = world_with_player();
        let angle = degrees.to_radians();
        // A ramp whose upper face begins at the floor at z = −1 and rises along −Z.
        let ramp = block(&mut app, Vec3::ZERO, Vec3::new(4.0, 0.2, 6.0));
        let tilt = Quat::from_rotation_x(angle);
        let center = Vec3::new(0.0, 0.0, -1.0) + tilt * Vec3::new(0.0, -0.1, -3.0);
        app.world_mut().entity_mut(ramp).insert(Transform::from_translation(center).with_rotation(tilt));
        walk_forward(&mut app, player);
        run(&mut app, 3.0);
        let height = feet(&app, player).y;
        assert_eq!(height > 1.0, climbs, "on {degrees}° the feet are at {} m", feet(&app, player));
        if climbs {
            // It does not slide down either.
            intend(&mut app, player, |intent| intent.direction = Vec2::ZERO);
            run(&mut app, 0.5);
            let rest = feet(&app, player);
            run(&mut app, 2.0);
            assert!(feet(&app, player).distance(rest) < 0.01, "slid from {rest} to {}", feet(&app, player));
        }
    }
}

#[test]
fn jumps_half_a_metre_and_only_from_the_ground() {
    let (mut app, player) = world_with_player();
    let mut highest = 0.0_f32;
    for tick in 0..90 {
        // Asked for on every tick, granted once.
        intend(&mut app, player, |intent| intent.jump = tick < 30);
        app.update();
        highest = highest.max(feet(&app, player).y);
    }
    assert!((0.47..0.53).contains(&highest), "jumped {highest} m");
    assert!(grounded(&app, player) && feet(&app, player).y.abs() < 0.01);
}

#[test]
fn crouches_under_a_beam_and_stands_up_only_where_there_is_room() {
    let (mut app, player) = world_with_player();
    block(&mut app, Vec3::new(0.0, 1.45, -2.0), Vec3::new(4.0, 0.3, 1.5));
    walk_forward(&mut app, player);
    run(&mut app, 2.0);
    assert!(feet(&app, player).z > -1.1, "walked under the beam upright: {}", feet(&app, player));
    intend(&mut app, player, |intent| intent.crouch = true);
    run(&mut app, 1.5);
    let under = feet(&app, player);
    assert!((-2.6..-1.4).contains(&under.z), "crouched to {under}");
    intend(&mut app, player, |intent| *intent = WalkIntent { yaw: 0.0, ..default() });
    run(&mut app, 0.5);
    assert!(app.world().get::<Walker>(player).unwrap().height < 1.2, "stood up inside the beam");
    walk_forward(&mut app, player);
    run(&mut app, 3.0);
    assert!(app.world().get::<Walker>(player).unwrap().height > 1.7, "did not stand up behind the beam");
}

#[test]
fn pushes_a_crate_and_does_not_climb_a_mug() {
    let (mut app, player) = world_with_player();
    let crate_ = thing(&mut app, Collider::cuboid(0.5, 0.5, 0.5), 8.0, Vec3::new(0.0, 0.25, -1.5));
    mug(&mut app, Vec3::new(0.0, 0.05, -0.6));
    walk_forward(&mut app, player);
    let mut highest = 0.0_f32;
    for _ in 0..150 {
        app.update();
        highest = highest.max(feet(&app, player).y);
    }
    assert!(place(&app, crate_).z < -2.3, "the crate is at {}", place(&app, crate_));
    assert!(highest < 0.03, "stepped {highest} m up");
}

#[test]
fn a_fallen_player_stands_where_it_last_stood() {
    let (mut app, player) = world_with_player();
    walk_forward(&mut app, player);
    intend(&mut app, player, |intent| intent.run = true);
    run(&mut app, 8.0);
    intend(&mut app, player, |intent| intent.direction = Vec2::ZERO);
    run(&mut app, 3.0);
    let back = feet(&app, player);
    assert!(back.z < -19.0 && back.z > -20.05 && back.y.abs() < 0.02 && grounded(&app, player), "at {back}");
}

#[test]
fn takes_a_mug_carries_it_across_the_room_and_throws_it() {
    let (mut app, player) = world_with_player();
    // A table stands before the player, with a mug on it.
    block(&mut app, Vec3::new(0.0, 0.4, -1.2), Vec3::new(1.2, 0.8, 0.6));
    let mug = mug(&mut app, Vec3::new(0.1, 0.85, -1.1));
    run(&mut app, 1.0);

    // The player looks at it: now it could be taken, and it is.
    let mug_place = place(&app, mug);
    look_at(&mut app, player, mug_place);
    run(&mut app, 0.1);
    assert_eq!(app.world().get::<HandTarget>(player).unwrap().0, Some(mug));
    reach(&mut app, player, |intent| intent.grab = true);
    run(&mut app, 0.1);
    assert_eq!(app.world().get::<Holding>(player).map(|holding| holding.body), Some(mug));
    assert_eq!(app.world().get::<HeldBy>(mug), Some(&HeldBy(player)));

    // It is pulled closer, and comes along when the player turns round and walks away.
    reach(&mut app, player, |intent| intent.push = -1.0);
    run(&mut app, 0.6);
    reach(&mut app, player, |intent| intent.push = 0.0);
    intend(&mut app, player, |intent| (intent.yaw, intent.pitch) = (std::f32::consts::PI, 0.0));
    run(&mut app, 1.0);
    walk_forward(&mut app, player);
    run(&mut app, 2.0);
    let carried = place(&app, mug) - feet(&app, player);
    assert!((0.4..1.2).contains(&carried.z) && (1.3..2.0).contains(&carried.y), "the mug hangs at {carried}");

    // A throw lets it fly ahead; it lands some metres on, and nobody holds it.
    intend(&mut app, player, |intent| intent.direction = Vec2::ZERO);
    run(&mut app, 0.5);
    let from = feet(&app, player);
    reach(&mut app, player, |intent| intent.throw = true);
    run(&mut app, 0.1);
    reach(&mut app, player, |intent| intent.grab = false);
    run(&mut app, 1.5);
    let flown = place(&app, mug).z - from.z;
    assert!(flown > 3.0, "the mug flew {flown} m");
    assert!(app.world().get::<Holding>(player).is_none() && app.world().get::<HeldBy>(mug).is_none());

    // Later the mug is an ordinary thing again.
    run(&mut app, 5.0);
    assert_eq!(app.world().get::<CollisionLayers>(mug), Some(&CollisionLayers::default()));
    assert!((place(&app, mug).y) > 0.0);
}

#[test]
fn what_is_held_comes_along_where_its_carrier_is_put() {
    let (mut app, player) = world_with_player();
    block(&mut app, Vec3::new(0.0, 0.4, -1.2), Vec3::new(1.2, 0.8, 0.6));
    let mug = mug(&mut app, Vec3::new(0.1, 0.85, -1.1));
    // It would have to pass this wall.
    block(&mut app, Vec3::new(3.0, 1.5, 0.0), Vec3::new(0.2, 3.0, 8.0));
    run(&mut app, 1.0);
    let at = place(&app, mug);
    look_at(&mut app, player, at);
    run(&mut app, 0.1);
    reach(&mut app, player, |intent| intent.grab = true);
    run(&mut app, 0.5);
    let before = place(&app, mug) - feet(&app, player);
    intend(&mut app, player, |intent| intent.teleport = Some(Vec3::new(6.0, 0.0, 1.0)));
    run(&mut app, 1.0);
    assert!(feet(&app, player).distance(Vec3::new(6.0, 0.0, 1.0)) < 0.05, "{}", feet(&app, player));
    assert_eq!(app.world().get::<Holding>(player).map(|holding| holding.body), Some(mug));
    let after = place(&app, mug) - feet(&app, player);
    assert!(after.distance(before) < 0.1, "{after} instead of {before} from the feet");
}

#[test]
fn cannot_take_through_a_wall_nor_beyond_reach() {
    let (mut app, player) = world_with_player();
    let behind = mug(&mut app, Vec3::new(0.0, 1.05, -1.5));
    block(&mut app, Vec3::new(0.0, 0.5, -1.5), Vec3::new(0.4, 1.0, 0.4));
    block(&mut app, Vec3::new(0.0, 1.5, -1.0), Vec3::new(2.0, 3.0, 0.1));
    let far = mug(&mut app, Vec3::new(3.0, 0.05, 0.0));
    for (thing, why) in [(behind, "through the wall"), (far, "beyond reach")] {
        let at = place(&app, thing);
        look_at(&mut app, player, at);
        reach(&mut app, player, |intent| intent.grab = false);
        run(&mut app, 0.1);
        reach(&mut app, player, |intent| intent.grab = true);
        run(&mut app, 0.2);
        assert!(app.world().get::<Holding>(player).is_none(), "took a mug {why}");
    }
}

#[test]
fn a_held_thing_stays_outside_walls_and_slips_out_of_the_hand_behind_them() {
    let (mut app, player) = world_with_player();
    let mug = mug(&mut app, Vec3::new(0.0, 1.5, -1.2));
    app.world_mut().entity_mut(mug).insert(GravityScale(0.0));
    run(&mut app, 0.1);
    look_at(&mut app, player, Vec3::new(0.0, 1.5, -1.2));
    run(&mut app, 0.1);
    reach(&mut app, player, |intent| intent.grab = true);
    run(&mut app, 0.1);
    assert!(app.world().get::<HeldBy>(mug).is_some());

    // Pressed against a wall it stays on this side.
    block(&mut app, Vec3::new(0.0, 1.5, -1.6), Vec3::new(4.0, 3.0, 0.1));
    reach(&mut app, player, |intent| intent.push = 2.0);
    for _ in 0..60 {
        app.update();
        assert!(place(&app, mug).z > -1.55, "the mug is in the wall: {}", place(&app, mug));
    }
    // The place where it should be is 0.8 m behind the wall by now: the hand is empty.
    assert!(app.world().get::<HeldBy>(mug).is_none(), "still held, at {}", place(&app, mug));
}

#[test]
fn what_is_held_turns_with_the_hand() {
    let (mut app, player) = world_with_player();
    let mug = mug(&mut app, Vec3::new(0.0, 1.4, -1.0));
    app.world_mut().entity_mut(mug).insert(GravityScale(0.0));
    run(&mut app, 0.1);
    look_at(&mut app, player, Vec3::new(0.0, 1.4, -1.0));
    run(&mut app, 0.1);
    reach(&mut app, player, |intent| intent.grab = true);
    run(&mut app, 0.5);
    let before = app.world().get::<Rotation>(mug).unwrap().0;
    reach(&mut app, player, |intent| intent.turn = Vec2::new(1.0, 0.0));
    run(&mut app, 1.0);
    reach(&mut app, player, |intent| intent.turn = Vec2::ZERO);
    run(&mut app, 1.0);
    let turned = app.world().get::<Rotation>(mug).unwrap().0.angle_between(before);
    assert!((turned - 1.0).abs() < 0.1, "turned by {turned} rad");
}
