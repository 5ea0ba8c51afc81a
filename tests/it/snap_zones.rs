//! Things click into places that a scene declares, by flat and by tracked hands. No renderer.

use std::{fs, path::PathBuf};

use avian3d::prelude::*;
use bevy::{prelude::*, time::TimeUpdateStrategy};
use umwelt::{
    base::Tick,
    scene::{ScenePlugin, SceneProblems},
    world::{
        HandIntent, SceneObject, WalkIntent, WorldPlugin,
        hand::{HandPlugin, HeldBy, TrackedHand},
        player::{PlayerPlugin, ViewPose},
        rescue::RescuePlugin,
        snap_zones::{SnapZone, Snapped, ZoneAction, ZoneMoved},
    },
};

const SCENE: &str = r##"(
    version: 1,
    materials: { "boards": (color: "#b08050"), "plaster": (color: "#e8dfd0") },
    rooms: [(name: "room", min: (0, 0), max: (6, 5), floor: "boards", walls: "plaster", ceiling: "plaster")],
    objects: [
        (kind: "table", name: "table", at: (3, 2)),
        (kind: "teapot", name: "teapot", on: "table", at: (-0.3, 0)),
        (kind: "mug", name: "mug", on: "table", at: (0, 0.15)),
        (kind: "hat", name: "hat", at: (1.0, 1.7, 0.02), pitch_deg: 90),
    ],
    snap_zones: [
        (name: "tray", on: "table", at: (0.3, 0), yaw_deg: 90, radius_m: 0.2, takes: ["teapot"]),
        (name: "peg", at: (1.0, 1.7, 0.02), pitch_deg: 90, takes: ["hat"]),
    ],
    spawn: (at: (3, 3.2)),
)"##;

/// A room with a table, a player before it, and a tracked hand of the player's.
struct Room {
    _folder: tempfile::TempDir,
    path: PathBuf,
    app: App,
    player: Entity,
    hand: Entity,
    told: Vec<ZoneMoved>,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.scene.ron");
        fs::write(&path, SCENE).expect("written");
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), bevy::mesh::MeshPlugin))
            .init_asset::<Image>()
            .init_asset::<StandardMaterial>()
            .insert_resource(umwelt::app::all_actions())
            .add_plugins((ScenePlugin { path: path.clone() }, WorldPlugin, PlayerPlugin, HandPlugin, RescuePlugin))
            .insert_resource(TimeUpdateStrategy::FixedTimesteps(1));
        app.finish();
        app.update();
        app.update();
        assert!(app.world().resource::<SceneProblems>().0.is_empty());
        let world = app.world_mut();
        let player = world.query_filtered::<Entity, With<umwelt::world::player::Player>>().single(world).expect("one");
        let away = Isometry3d::from_translation(Vec3::new(5.0, 1.0, 4.0));
        let tracked = TrackedHand { of: player, palm: away, velocity: Vec3::ZERO, spin: Vec3::ZERO };
        let hand = world.spawn((tracked, ViewPose { now: away, before: away })).id();
        let mut room = Self { _folder: folder, path, app, player, hand, told: Vec::new() };
        room.run(1.0);
        room
    }

    fn run(&mut self, secs: f64) {
        for _ in 0..(secs * Tick::RATE_HZ).round() as usize {
            self.app.update();
            self.told.extend(self.app.world_mut().resource_mut::<Messages<ZoneMoved>>().drain());
        }
    }

    fn thing(&mut self, name: &str) -> Entity {
        let world = self.app.world_mut();
        let mut things = world.query::<(Entity, &SceneObject)>();
        things.iter(world).find(|(_, object)| object.0 == name).expect(name).0
    }

    fn zone(&mut self, name: &str) -> (Entity, SnapZone) {
        let world = self.app.world_mut();
        let mut zones = world.query::<(Entity, &SnapZone)>();
        let (entity, zone) = zones.iter(world).find(|(_, zone)| zone.spec.name == name).expect(name);
        (entity, zone.clone())
    }

    fn pose(&mut self, name: &str) -> Isometry3d {
        let thing = self.thing(name);
        let body = self.app.world().entity(thing);
        Isometry3d::new(body.get::<Position>().expect("a body").0, body.get::<Rotation>().expect("a body").0)
    }

    /// Where a thing's middle is above its origin.
    fn center(&mut self, name: &str) -> Vec3 {
        let thing = self.thing(name);
        self.app.world().get::<ComputedCenterOfMass>(thing).expect("a body").0
    }

    fn told(&mut self) -> Vec<(Entity, ZoneAction)> {
        std::mem::take(&mut self.told).into_iter().map(|moved| (moved.hand, moved.what)).collect()
    }

    /// Moves the tracked hand evenly, closed or open, with the velocity that this is.
    fn palm(&mut self, to: Vec3, closed: bool, secs: f64) {
        let ticks = (secs * Tick::RATE_HZ).round() as usize;
        let from = Vec3::from(self.app.world().get::<TrackedHand>(self.hand).expect("a hand").palm.translation);
        for tick in 1..=ticks {
            let at = from.lerp(to, tick as f32 / ticks as f32);
            let mut hand = self.app.world_mut().entity_mut(self.hand);
            let mut tracked = hand.get_mut::<TrackedHand>().expect("a hand");
            tracked.palm = Isometry3d::from_translation(at);
            tracked.velocity = (to - from) / secs as f32;
            // The ray goes up, past everything.
            let ray = Isometry3d::new(at, Quat::from_rotation_x(1.5));
            *hand.get_mut::<ViewPose>().expect("a ray") = ViewPose { now: ray, before: ray };
            hand.get_mut::<HandIntent>().expect("a hand").grab = closed;
            self.run(1.0 / Tick::RATE_HZ);
        }
    }

    /// Takes a thing with the tracked hand.
    fn take(&mut self, name: &str) {
        let at = self.pose(name) * self.center(name);
        self.palm(at, false, 0.5);
        self.palm(at, false, 0.1);
        self.palm(at, true, 0.1);
        let thing = self.thing(name);
        assert_eq!(self.app.world().get::<HeldBy>(thing), Some(&HeldBy(self.hand)), "{name} is taken");
    }

    /// Carries it so that its middle is `offset` from where it would be in a zone, rests and opens.
    fn let_go_at(&mut self, name: &str, zone: &str, offset: Vec3) {
        let to = self.zone(zone).1.place() * self.center(name) + offset;
        self.palm(to + Vec3::Y * 0.3, true, 0.8);
        self.palm(to, true, 0.5);
        self.palm(to, true, 0.3);
        self.palm(to, false, 0.1);
    }
}

#[test]
fn what_is_let_go_near_glides_in_stays_and_is_taken_out_again() {
    let mut room = Room::new();
    let (hand, teapot) = (room.hand, room.thing("teapot"));
    room.take("teapot");
    assert!(room.told().is_empty());
    room.let_go_at("teapot", "tray", Vec3::new(0.08, 0.05, 0.03));
    assert_eq!(room.told(), [(hand, ZoneAction::Offered), (hand, ZoneAction::Took)]);
    room.run(1.0);
    let (zone_entity, zone) = room.zone("tray");
    let there = room.pose("teapot");
    assert_eq!(zone.holds, Some(teapot));
    assert_eq!(room.app.world().get::<Snapped>(teapot).map(|snapped| snapped.zone), Some(zone_entity));
    let away = Vec3::from(there.translation).distance(zone.spec.position);
    assert!(away < 0.01, "it is {away} m from its place");
    assert!(there.rotation.angle_between(zone.spec.rotation) < 0.05, "turned as the zone says: {}", there.rotation);

    // It stays when it is pushed.
    room.app.world_mut().get_mut::<LinearVelocity>(teapot).unwrap().0 = Vec3::new(0.5, 0.0, 0.5);
    room.run(1.0);
    assert!(Vec3::from(room.pose("teapot").translation).distance(zone.spec.position) < 0.01);

    // Taken again, the zone is empty.
    room.take("teapot");
    // Being where it was, it would go back.
    assert_eq!(room.told(), [(hand, ZoneAction::Gave), (hand, ZoneAction::Offered)]);
    assert!(room.app.world().get::<Snapped>(teapot).is_none() && room.zone("tray").1.holds.is_none());
}

#[test]
fn what_does_not_fit_is_too_far_or_is_thrown_does_not_snap() {
    let mut room = Room::new();
    // A mug fits nowhere here.
    room.take("mug");
    room.let_go_at("mug", "tray", Vec3::Y * 0.05);
    room.run(0.5);
    assert!(room.told().is_empty() && room.zone("tray").1.holds.is_none());
    // Half a metre above.
    let mut room = Room::new();
    room.take("teapot");
    room.let_go_at("teapot", "tray", Vec3::Y * 0.45);
    assert!(room.told().is_empty());
    assert_eq!(room.zone("tray").1.holds, None);
    // Thrown through it.
    let mut room = Room::new();
    room.take("teapot");
    let to = room.zone("tray").1.place() * room.center("teapot") + Vec3::Y * 0.1;
    room.palm(to - Vec3::X * 0.3, true, 0.6);
    room.palm(to, true, 0.12);
    room.palm(to + Vec3::X * 0.05, false, 0.02);
    assert!(!room.told().iter().any(|(_, what)| *what == ZoneAction::Took), "a thrown thing flies on");
}

#[test]
fn flat_hands_put_things_there_too() {
    let mut room = Room::new();
    let (player, teapot) = (room.player, room.thing("teapot"));
    // As the mouse does: look at it, close, look at the zone, open.
    let look = |room: &mut Room, target: Vec3, closed: bool, secs: f64| {
        let eyes = room.app.world().get::<ViewPose>(player).unwrap().now.translation;
        let to = target - Vec3::from(eyes);
        let mut body = room.app.world_mut().entity_mut(player);
        let mut walk = body.get_mut::<WalkIntent>().unwrap();
        (walk.yaw, walk.pitch) = ((-to.x).atan2(-to.z), to.y.atan2(to.xz().length()));
        body.get_mut::<HandIntent>().unwrap().grab = closed;
        room.run(secs);
    };
    let at = room.pose("teapot") * room.center("teapot");
    look(&mut room, at, false, 0.3);
    look(&mut room, at, true, 0.3);
    assert_eq!(room.app.world().get::<HeldBy>(teapot), Some(&HeldBy(player)));
    let to = room.zone("tray").1.place() * room.center("teapot") + Vec3::Y * 0.08;
    look(&mut room, to, true, 1.2);
    assert!(room.zone("tray").1.offers, "it shows where it would go");
    look(&mut room, to, false, 1.0);
    assert_eq!(room.zone("tray").1.holds, Some(teapot));
    assert!(Vec3::from(room.pose("teapot").translation).distance(room.zone("tray").1.spec.position) < 0.01);
}

#[test]
fn what_the_author_put_into_a_zone_hangs_there_and_edits_carry_it_along() {
    let mut room = Room::new();
    let hat = room.thing("hat");
    room.run(1.0);
    let (zone, peg) = room.zone("peg");
    assert_eq!(peg.holds, Some(hat));
    assert!(Vec3::from(room.pose("hat").translation).distance(peg.spec.position) < 0.01, "it hangs");

    // The zone moves, the hat's own place is described as before.
    let moved = SCENE.replace("(name: \"peg\", at: (1.0, 1.7, 0.02)", "(name: \"peg\", at: (1.6, 1.6, 0.02)");
    fs::write(&room.path, &moved).expect("written");
    room.run(2.0);
    assert_eq!(room.zone("peg").0, zone, "the same zone");
    assert!(Vec3::from(room.pose("hat").translation).distance(Vec3::new(1.6, 1.6, 0.02)) < 0.02);

    // Without the zone it falls.
    let without = moved.replace("(name: \"peg\", at: (1.6, 1.6, 0.02), pitch_deg: 90, takes: [\"hat\"]),", "");
    assert_ne!(without, moved);
    fs::write(&room.path, without).expect("written");
    room.run(2.5);
    assert!(room.pose("hat").translation.y < 0.4, "{}", room.pose("hat").translation);
}
