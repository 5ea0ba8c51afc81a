//! Commands in a world without renderer: each does something that can be seen, undo takes it back, the impossible is refused.

use bevy::{prelude::*, time::TimeUpdateStrategy};
use umwelt::{
    base::Tick,
    behaviours::{BehavioursPlugin, Friend, Goal, Mind, PictureWanted, Said, Saying},
    scene::ScenePlugin,
    world::{
        CommandAnswered, Commanded, Companion, CompanionPlugin, DeedsPlugin, HouseMap, Outcome, Quality, RoomPart,
        RoomSurface, SceneObject, WalkIntent, WorldPlugin,
        deeds::{Door, DoorPanel},
        hand::{HandPlugin, Holding, TrackedHand},
        lamps::Lamp,
        player::{Player, PlayerPlugin, ViewPose, Walker},
        rescue::RescuePlugin,
    },
};

const SCENE: &str = r##"(
    version: 1,
    sky: (sun_elevation_deg: 40, sun_azimuth_deg: 200, turbidity: 3, sun_lux: 90000, intensity: 1.0),
    materials: {"boards": (color: "#b08050"), "chalk": (color: "#e8dfd0"), "marble": (color: "#eeeeee", roughness: 0.2)},
    rooms: [
        (name: "hall", min: (0, 0), max: (4, 4), height: 2.6, floor: "boards", walls: "chalk", ceiling: "chalk",
         openings: [(kind: Door, side: East, center: 2.0, width: 1.0)]),
        (name: "room", min: (4, 0), max: (8, 4), height: 2.6, floor: "boards", walls: "chalk", ceiling: "chalk",
         openings: [(kind: Window, side: East, center: 2.0)]),
    ],
    lights: [(at: (2, 2.4, 2), color: "#ffd9a8", lumens: 1000, range_m: 8)],
    objects: [
        (kind: "table", name: "desk", seed: 22, at: (2, 1)),
        (kind: "mug", name: "cup", on: "desk"),
        (kind: "lamp", name: "reading lamp", seed: 1, at: (7, 1)),
    ],
    places: {"the room": (6, 2), "the doorway": (4, 2)},
    spawn: (at: (2, 2.2), yaw_deg: 180),
    nest: (3, 1.6, 3),
)"##;

/// A house with a player, a companion that sees nothing, and somebody who gives commands.
struct House {
    app: App,
    _folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("house.scene.ron");
        std::fs::write(&path, SCENE).expect("written");
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), bevy::mesh::MeshPlugin))
            .init_asset::<Image>()
            .init_asset::<StandardMaterial>()
            .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
            .insert_resource(Quality::Software)
            .insert_resource(umwelt::app::all_actions())
            .add_plugins((
                ScenePlugin { path },
                WorldPlugin,
                PlayerPlugin,
                HandPlugin,
                RescuePlugin,
                CompanionPlugin,
                DeedsPlugin,
                BehavioursPlugin,
            ))
            .add_systems(Update, |bodies: Query<Entity, Added<Companion>>, mut commands: Commands| {
                for body in &bodies {
                    commands.entity(body).insert(Mind::default());
                }
            });
        app.finish();
        let mut house = Self { app, _folder: folder };
        house.app.update();
        house.app.world_mut().spawn((Friend, Transform::from_xyz(2.0, 1.65, 2.2)));
        house.run(1.0);
        assert!(house.app.world_mut().query::<&Player>().single(house.app.world()).is_ok(), "the scene was entered");
        house
    }

    fn run(&mut self, seconds: f64) {
        for _ in 0..(seconds * Tick::RATE_HZ) as u64 {
            self.app.update();
        }
    }

    /// Gives a command and tells what came of it.
    fn tell(&mut self, action: &str, words: &[&str]) -> Outcome {
        let mut answers = self.app.world_mut().resource_mut::<Messages<CommandAnswered>>();
        answers.clear();
        self.app.world_mut().write_message(Commanded::new(action, words));
        for _ in 0..3 {
            self.app.update();
            let found: Vec<_> = self.app.world_mut().resource_mut::<Messages<CommandAnswered>>().drain().collect();
            if let [answer] = &found[..] {
                assert_eq!(answer.command, Commanded::new(action, words));
                return answer.outcome.clone();
            }
            assert!(found.is_empty(), "one answer for one command: {found:?}");
        }
        panic!("nobody answered {action} {words:?}");
    }

    fn done(&mut self, action: &str, words: &[&str]) -> String {
        match self.tell(action, words) {
            Outcome::Done(words) => words,
            Outcome::Refused(why) => panic!("{action} {words:?} was refused: {why}"),
        }
    }

    fn refused(&mut self, action: &str, words: &[&str]) -> String {
        match self.tell(action, words) {
            Outcome::Refused(why) => why,
            Outcome::Done(words) => panic!("{action} was done: {words}"),
        }
    }

    fn one<C: Component + Clone>(&mut self) -> C {
        let world = self.app.world_mut();
        world.query_filtered::<&C, With<Player>>().single(world).expect("the player").clone()
    }

    /// Luminous power of all lamps together.
    fn lumens(&mut self) -> f32 {
        let world = self.app.world_mut();
        let mut lamps = world.query_filtered::<(Option<&PointLight>, Option<&SpotLight>), With<Lamp>>();
        let sum = |(point, spot): (Option<&PointLight>, Option<&SpotLight>)| {
            point.map_or(0.0, |light| light.intensity) + spot.map_or(0.0, |light| light.intensity)
        };
        lamps.iter(world).map(sum).sum()
    }

    /// Where the sun shines to, once the light has followed.
    fn sunlight(&mut self) -> (Vec3, f32) {
        let world = self.app.world_mut();
        let mut suns = world.query::<(&Transform, &DirectionalLight)>();
        suns.iter(world).next().map(|(place, sun)| (*place.forward(), sun.illuminance)).expect("a sun")
    }

    /// Updates until `reached`; light is computed beside the frames and takes as long as it takes.
    fn wait(&mut self, what: &str, mut reached: impl FnMut(&mut Self) -> bool) {
        for _ in 0..6000 {
            if reached(self) {
                return;
            }
            self.app.update();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("{what} never came");
    }

    /// Turns the player's eyes to a point and lets the view follow.
    fn look_at(&mut self, point: Vec3) {
        let eyes = Vec3::from(self.one::<ViewPose>().now.translation);
        let to = (point - eyes).normalize();
        let world = self.app.world_mut();
        let mut intent = world.query::<&mut WalkIntent>().single_mut(world).expect("the player");
        intent.yaw = (-to.x).atan2(-to.z);
        intent.pitch = to.y.asin();
        self.run(0.1);
    }

    fn thing(&mut self, name: &str) -> Entity {
        let world = self.app.world_mut();
        let mut things = world.query::<(Entity, &SceneObject)>();
        things.iter(world).find(|(_, object)| object.0 == name).map(|(entity, _)| entity).expect("an object")
    }

    fn goal(&mut self) -> Goal {
        let world = self.app.world_mut();
        world.query::<&Mind>().single(world).expect("a mind").goal.clone()
    }
}

#[test]
fn lamps_go_off_become_dim_and_come_back() {
    let mut house = House::new();
    let full = house.lumens();
    assert!(full > 1000.0, "the scene's lamp and the one on its foot: {full}");
    house.done("Lights", &["dim"]);
    house.run(0.1);
    assert!((house.lumens() / full - 0.3).abs() < 1e-3);
    house.done("Lights", &["off"]);
    house.run(0.1);
    assert_eq!(house.lumens(), 0.0);
    house.done("Undo", &[]);
    house.run(0.1);
    assert!((house.lumens() / full - 0.3).abs() < 1e-3);
    house.done("Undo", &[]);
    house.run(0.1);
    assert!((house.lumens() - full).abs() < 1e-2);
    assert!(house.refused("Undo", &[]).contains("nothing"));
}

#[test]
fn the_sun_moves_and_sets_beside_the_frames_and_undo_brings_it_back() {
    let mut house = House::new();
    let (before, bright) = house.sunlight();
    house.done("TimeOfDay", &["evening"]);
    house.wait("the evening", |house| house.sunlight().0.angle_between(before) > 0.5);
    let (evening, _) = house.sunlight();
    assert!(evening.y.abs() < 0.2, "a low sun: {evening}");
    house.done("TimeOfDay", &["night"]);
    house.wait("the night", |house| house.sunlight().1 < 1e-3 * bright);
    house.done("Undo", &[]);
    house.done("Undo", &[]);
    house.wait("the morning", |house| house.sunlight().0.angle_between(before) < 1e-3);
}

#[test]
fn doors_close_and_open_and_ways_end_at_them() {
    let mut house = House::new();
    let panel_z = |house: &mut House| {
        let world = house.app.world_mut();
        let panels: Vec<f32> =
            world.query::<(&DoorPanel, &Transform)>().iter(world).map(|(_, at)| at.translation.z).collect();
        assert_eq!(panels.len(), 1);
        panels[0]
    };
    let open = panel_z(&mut house);
    let ways = house.app.world().resource::<HouseMap>().edges.len();
    assert!(house.refused("Doors", &["open"]).contains("open"));
    house.done("Doors", &["close"]);
    house.run(2.0);
    assert!((panel_z(&mut house) - 2.0).abs() < 0.05, "in the middle of the doorway: {}", panel_z(&mut house));
    assert!(house.app.world().resource::<HouseMap>().edges.len() < ways);
    house.done("Undo", &[]);
    house.run(2.0);
    assert!((panel_z(&mut house) - open).abs() < 1e-3);
    assert_eq!(house.app.world().resource::<HouseMap>().edges.len(), ways);
}

#[test]
fn a_closing_door_waits_for_whoever_stands_in_it() {
    let mut house = House::new();
    house.done("GoTo", &["the doorway"]);
    house.run(0.2);
    house.done("Doors", &["close"]);
    house.run(2.0);
    let world = house.app.world_mut();
    let (panel, at) = world.query::<(&DoorPanel, &Transform)>().single(world).unwrap();
    assert!(at.translation.distance(panel.open) < 0.05, "it ran into the player");
    assert!(!world.query::<&Door>().single(world).unwrap().open, "it still means to close");
}

#[test]
fn one_wall_is_painted_and_an_object_and_both_get_their_old_look_back() {
    let mut house = House::new();
    house.look_at(Vec3::new(0.0, 1.4, 2.2));
    assert!(house.refused("Paint", &["gold"]).contains("no material"));
    let said = house.done("Paint", &["marble"]);
    assert_eq!(said, "The wall wears marble now.");
    house.run(0.1);
    let walls = |house: &mut House| -> Vec<(RoomPart, Handle<StandardMaterial>)> {
        let world = house.app.world_mut();
        let mut surfaces = world.query::<(&RoomSurface, &MeshMaterial3d<StandardMaterial>)>();
        let of_hall = surfaces.iter(world).filter(|(surface, _)| surface.room == 0);
        of_hall.filter(|(s, _)| matches!(s.part, RoomPart::Wall(_))).map(|(s, m)| (s.part, m.0.clone())).collect()
    };
    let painted = walls(&mut house);
    assert_eq!(painted.len(), 4);
    let west = painted.iter().find(|(part, _)| *part == RoomPart::Wall(umwelt::scene::Side::West)).unwrap().1.clone();
    assert_eq!(painted.iter().filter(|(_, material)| *material == west).count(), 1, "only that wall");
    house.done("Undo", &[]);
    house.run(0.1);
    assert!(walls(&mut house).iter().all(|(_, material)| *material != west));

    let desk = house.thing("desk");
    let looks = |house: &mut House| -> Vec<AssetId<StandardMaterial>> {
        let world = house.app.world_mut();
        let children: Vec<Entity> = world.get::<Children>(desk).unwrap().to_vec();
        children
            .iter()
            .filter_map(|part| world.get::<MeshMaterial3d<StandardMaterial>>(*part))
            .map(|m| m.id())
            .collect()
    };
    let before = looks(&mut house);
    let place = house.app.world().get::<GlobalTransform>(desk).unwrap().translation();
    house.look_at(place + Vec3::new(0.15, 0.72, 0.1));
    house.done("Paint", &["marble"]);
    house.run(0.1);
    assert!(looks(&mut house).contains(&west.id()), "its main part wears the wall's marble");
    house.done("Undo", &[]);
    house.run(0.1);
    assert_eq!(looks(&mut house), before);
}

#[test]
fn the_player_goes_to_a_place_turns_crouches_and_jumps() {
    let mut house = House::new();
    let start = house.one::<Transform>().translation;
    assert!(house.refused("GoTo", &["the attic"]).contains("no place"));
    house.done("GoTo", &["the room"]);
    house.run(0.5);
    let there = house.one::<Transform>().translation;
    assert!(there.distance(Vec3::new(6.0, 0.0, 2.0)) < 0.1, "at {there}");
    let eyes = house.one::<ViewPose>();
    assert!(eyes.now.translation.x > 5.5 && eyes.before.translation.x > 5.5);
    house.done("Undo", &[]);
    house.run(0.5);
    assert!(house.one::<Transform>().translation.distance(start) < 0.1);

    let yaw = house.one::<WalkIntent>().yaw;
    house.done("Turn", &["left"]);
    let turned = house.one::<WalkIntent>().yaw - yaw;
    assert!((turned.rem_euclid(std::f32::consts::TAU) - std::f32::consts::FRAC_PI_2).abs() < 1e-3);

    house.done("Crouch", &[]);
    house.run(0.5);
    assert!(house.one::<Walker>().height < 1.2);
    house.done("Stand", &[]);
    house.run(0.5);
    assert!(house.one::<Walker>().height > 1.7);
    house.done("Jump", &[]);
    house.run(0.2);
    assert!(house.one::<Transform>().translation.y > 0.15);
    assert!(house.refused("Jump", &[]).contains("nothing"));
}

#[test]
fn a_mug_within_reach_is_picked_up_and_dropped() {
    let mut house = House::new();
    let cup = house.thing("cup");
    let place = house.app.world().get::<GlobalTransform>(cup).unwrap().translation();
    // It lies behind.
    let eyes = Vec3::from(house.one::<ViewPose>().now.translation);
    house.look_at(eyes + (eyes - place).with_y(0.0));
    assert!(house.refused("PickUp", &["mug"]).contains("mug"));
    assert!(house.refused("Drop", &[]).contains("empty"));
    house.look_at(place + Vec3::new(0.3, 0.0, 0.0));
    house.done("PickUp", &["mug"]);
    house.run(0.5);
    assert_eq!(house.one::<Holding>().body, cup);
    assert!(house.refused("PickUp", &["mug"]).contains("full"));
    house.done("Undo", &[]);
    house.run(1.0);
    let back = house.app.world().get::<GlobalTransform>(cup).unwrap().translation();
    assert!(back.distance(place) < 0.05, "put back at {back}, taken from {place}");
    house.done("PickUp", &["mug"]);
    house.run(0.5);
    house.done("Drop", &[]);
    house.run(0.1);
    let world = house.app.world_mut();
    assert!(world.query::<&Holding>().iter(world).next().is_none());
}

#[test]
fn in_a_headset_the_nearest_empty_hand_takes_what_it_is_told_to() {
    let mut house = House::new();
    let cup = house.thing("cup");
    let place = house.app.world().get::<GlobalTransform>(cup).unwrap().translation();
    house.look_at(place + Vec3::new(0.3, 0.0, 0.0));
    let world = house.app.world_mut();
    let of = world.query_filtered::<Entity, With<Player>>().single(world).expect("a player");
    let mut hand = |away: f32| {
        let palm = Isometry3d::from_translation(place + Vec3::Y * away);
        let hand = TrackedHand { of, palm, velocity: Vec3::ZERO, spin: Vec3::ZERO };
        world.spawn((hand, ViewPose { now: palm, before: palm })).id()
    };
    let [_, near] = [0.9, 0.4].map(&mut hand);
    house.done("PickUp", &["mug"]);
    house.run(0.5);
    assert_eq!(house.app.world().get::<Holding>(near).map(|holding| holding.body), Some(cup));
    house.done("Drop", &[]);
    house.run(0.1);
    let world = house.app.world_mut();
    assert!(world.query::<&Holding>().iter(world).next().is_none());
}

#[test]
fn the_companion_obeys_answers_and_goes_back_to_what_it_did() {
    let mut house = House::new();
    house.done("Stay", &[]);
    house.run(0.1);
    assert!(matches!(house.goal(), Goal::Stay(_)));
    house.done("Undo", &[]);
    assert_eq!(house.goal(), Goal::Follow);
    house.done("Find", &["mug"]);
    house.run(0.1);
    assert!(matches!(house.goal(), Goal::Find { .. }));
    house.app.world_mut().resource_mut::<Messages<Said>>().clear();
    house.done("Come", &[]);
    house.wait("the companion", |house| {
        let said = house.app.world_mut().resource_mut::<Messages<Said>>().drain().collect::<Vec<_>>();
        said.contains(&Said(Saying::HereIAm))
    });
    let mut said_to = |action: &str, words: &[&str], expected: Saying| {
        house.app.world_mut().resource_mut::<Messages<Said>>().clear();
        house.app.world_mut().write_message(Commanded::new(action, words));
        house.app.update();
        house.app.update();
        let said: Vec<Said> = house.app.world_mut().resource_mut::<Messages<Said>>().drain().collect();
        assert!(said.contains(&Said(expected)), "{action}: {said:?}");
    };
    // It has seen nothing, whatever stands there.
    said_to("Describe", &[], Saying::Sees(vec![]));
    said_to("LookAt", &["mug"], Saying::NeverSeen(umwelt::base::ClassId(1)));
    said_to("LookHere", &[], Saying::Acknowledge);
    said_to("TakePicture", &[], Saying::Acknowledge);
    assert!(!house.app.world().resource::<Messages<PictureWanted>>().is_empty());
}

#[test]
fn what_nobody_can_do_is_refused_with_a_reason() {
    let mut house = House::new();
    assert!(house.refused("Dance", &[]).contains("Nobody here knows"));
    assert!(house.refused("Lights", &["of"]).contains("Did you mean off?"));
    assert!(house.refused("Find", &["unicorn"]).contains("no thing"));
    assert!(house.refused("Doors", &[]).contains("takes 1"));
}
