//! Bodies without anybody in the world: they stack, roll, stop at walls and come back when they fall out.

use std::time::Duration;

use avian3d::prelude::*;
use bevy::{prelude::*, time::TimeUpdateStrategy};
use umwelt::{
    base::Tick,
    world::{WorldBounds, hand::HandPlugin, physics::WorldPhysicsPlugin, player::PlayerPlugin, rescue::RescuePlugin},
};

/// A world of physics and intents, without renderer, that advances one tick per update.
pub fn world() -> App {
    world_with(|_: &mut App| {})
}

/// The same with a plugin more.
pub fn world_with(more: impl Plugin) -> App {
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        TransformPlugin,
        AssetPlugin::default(),
        bevy::mesh::MeshPlugin,
        WorldPhysicsPlugin,
        PlayerPlugin,
        HandPlugin,
        RescuePlugin,
    ))
    .add_plugins(more)
    .insert_resource(TimeUpdateStrategy::FixedTimesteps(1));
    app.finish();
    app
}

/// Advances the world by this much simulated time.
pub fn run(app: &mut App, secs: f32) {
    for _ in 0..(secs * Tick::RATE_HZ as f32).round() as usize {
        app.update();
    }
}

/// A fixed box; `center` and full `size` in metres.
pub fn block(app: &mut App, center: Vec3, size: Vec3) -> Entity {
    app.world_mut()
        .spawn((RigidBody::Static, Collider::cuboid(size.x, size.y, size.z), Transform::from_translation(center)))
        .id()
}

/// A floor whose surface is at height 0.
pub fn floor(app: &mut App) {
    block(app, Vec3::new(0.0, -0.25, 0.0), Vec3::new(40.0, 0.5, 40.0));
}

pub fn thing(app: &mut App, collider: Collider, mass_kg: f32, center: Vec3) -> Entity {
    app.world_mut().spawn((RigidBody::Dynamic, collider, Mass(mass_kg), Transform::from_translation(center))).id()
}

pub fn place(app: &App, entity: Entity) -> Vec3 {
    app.world().get::<Position>(entity).expect("a body has a position").0
}

#[test]
fn a_stack_of_five_crates_stands_still_and_falls_asleep() {
    let mut app = world();
    floor(&mut app);
    let crates: Vec<_> = (0..5)
        .map(|level| thing(&mut app, Collider::cuboid(0.4, 0.4, 0.4), 6.0, Vec3::Y * (0.2 + 0.4 * level as f32)))
        .collect();
    run(&mut app, 1.0);
    let settled: Vec<_> = crates.iter().map(|&entity| place(&app, entity)).collect();
    run(&mut app, 10.0);
    for (&entity, settled) in crates.iter().zip(settled) {
        let drift = place(&app, entity).distance(settled);
        assert!(drift < 0.005, "a crate drifted by {drift} m");
        assert!(app.world().get::<Sleeping>(entity).is_some(), "a crate at {settled} is still awake");
    }
}

#[test]
fn a_ball_rolls_as_far_as_its_speed_says() {
    let mut app = world();
    floor(&mut app);
    let ball = thing(&mut app, Collider::sphere(0.1), 0.4, Vec3::Y * 0.1);
    // Rolling from the start, so that nothing is lost to sliding: spin = speed ÷ radius.
    app.world_mut().entity_mut(ball).insert((LinearVelocity(Vec3::X), AngularVelocity(Vec3::NEG_Z * 10.0)));
    run(&mut app, 2.0);
    let travelled = place(&app, ball);
    assert!((1.8..2.05).contains(&travelled.x), "the ball rolled {} m in 2 s at 1 m/s", travelled.x);
    assert!((travelled.y - 0.1).abs() < 0.01, "it left the floor: {travelled}");
    let (speed, spin) =
        (app.world().get::<LinearVelocity>(ball).unwrap().x, -app.world().get::<AngularVelocity>(ball).unwrap().z);
    assert!((speed - 0.1 * spin).abs() < 0.05, "it slides: {speed} m/s, {spin} rad/s");
}

#[test]
fn a_thrown_die_does_not_pass_through_a_wall_of_ten_centimetres() {
    let mut app = world();
    floor(&mut app);
    block(&mut app, Vec3::new(3.0, 1.0, 0.0), Vec3::new(0.1, 2.0, 4.0));
    for (row, speed) in [15.0, 30.0, 60.0].into_iter().enumerate() {
        let die = thing(&mut app, Collider::cuboid(0.016, 0.016, 0.016), 0.005, Vec3::new(0.0, 0.6, row as f32 - 1.0));
        app.world_mut().entity_mut(die).insert((LinearVelocity(Vec3::X * speed), AngularVelocity(Vec3::splat(20.0))));
        run(&mut app, 2.0);
        let end = place(&app, die);
        assert!(end.x < 2.95 && end.y > 0.0, "thrown at {speed} m/s the die ended at {end}");
    }
}

#[test]
fn what_falls_out_of_the_world_is_put_back_where_it_last_rested() {
    let mut app = world();
    floor(&mut app);
    let mug = thing(&mut app, Collider::cylinder(0.04, 0.1), 0.3, Vec3::new(1.0, 0.05, 2.0));
    run(&mut app, 2.0);
    let rested = place(&app, mug);
    // Over the edge it goes.
    app.world_mut().get_mut::<Position>(mug).unwrap().0 = Vec3::new(30.0, 1.0, 0.0);
    let mut lowest = f32::MAX;
    for _ in 0..180 {
        app.update();
        lowest = lowest.min(place(&app, mug).y);
    }
    assert!(lowest > WorldBounds::default().min.y - 0.5, "it fell to {lowest} m");
    assert!(place(&app, mug).distance(rested) < 0.01, "it came back at {}, not {rested}", place(&app, mug));
    assert!(app.world().get::<LinearVelocity>(mug).unwrap().length() < 0.05);
}

#[test]
fn numbers_that_are_none_do_not_spread() {
    let mut app = world();
    floor(&mut app);
    let mug = thing(&mut app, Collider::cylinder(0.04, 0.1), 0.3, Vec3::new(1.0, 0.05, 2.0));
    let other = thing(&mut app, Collider::cylinder(0.04, 0.1), 0.3, Vec3::new(1.2, 0.05, 2.0));
    run(&mut app, 1.0);
    let rested = place(&app, mug);
    app.world_mut().get_mut::<LinearVelocity>(mug).unwrap().0 = Vec3::splat(f32::NAN);
    run(&mut app, 0.5);
    app.world_mut().get_mut::<Position>(mug).unwrap().0 = Vec3::splat(f32::INFINITY);
    run(&mut app, 0.5);
    assert!(place(&app, mug).distance(rested) < 0.01, "it is at {}", place(&app, mug));
    assert!(place(&app, other).is_finite());
}

#[test]
fn a_tick_is_a_sixtieth_of_a_second() {
    let mut app = world();
    run(&mut app, 1.0);
    let elapsed = app.world().resource::<Time<Fixed>>().elapsed();
    assert!(elapsed.abs_diff(Duration::from_secs(1)) < Duration::from_millis(20), "{elapsed:?}");
}
