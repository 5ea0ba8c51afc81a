//! A scene becomes a world, follows its file while it is edited, and stands still when nobody touches it. No renderer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use avian3d::prelude::*;
use bevy::{prelude::*, time::TimeUpdateStrategy};
use umwelt::{
    base::Tick,
    scene::{ScenePlugin, SceneProblems},
    world::{
        Architecture, BuildPace, Label, Preparation, SceneObject, WorldPlugin, hand::HandPlugin, player::PlayerPlugin,
        rescue::RescuePlugin,
    },
};

const SCENE: &str = r##"(
    version: 1,
    materials: {
        "boards": (color: "#b08050"),
        "plaster": (color: "#e8dfd0"),
        "paint": (color: "#2050c0"),
    },
    rooms: [(name: "room", min: (0, 0), max: (6, 5), floor: "boards", walls: "plaster", ceiling: "plaster")],
    objects: [
        (kind: "table", name: "table", at: (3, 1.2)),
        (kind: "mug", name: "mug", on: "table", at: (-0.2, 0)),
        (kind: "crate", name: "low", at: (1, 3.5)),
        (kind: "box", name: "high", on: "low", at: (0, 0), scale: 0.6),
        (kind: "ball", name: "ball", at: (4.5, 3.5)),
    ],
    spawn: (at: (5.4, 4.4)),
)"##;

/// A world without a renderer that advances one tick per update.
fn world(scene: &Path) -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), bevy::mesh::MeshPlugin))
        .init_asset::<Image>()
        .init_asset::<StandardMaterial>()
        .insert_resource(umwelt::app::all_actions())
        .add_plugins((ScenePlugin { path: scene.to_owned() }, WorldPlugin, PlayerPlugin, HandPlugin, RescuePlugin))
        .insert_resource(TimeUpdateStrategy::FixedTimesteps(1));
    app.finish();
    app.update();
    app
}

fn run(app: &mut App, seconds: f64) {
    for _ in 0..(seconds * Tick::RATE_HZ) as usize {
        app.update();
    }
}

/// A scene file in a folder of its own and the world that follows it.
struct Workbench {
    _folder: tempfile::TempDir,
    path: PathBuf,
    app: App,
}

impl Workbench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.scene.ron");
        fs::write(&path, SCENE).expect("written");
        let app = world(&path);
        Self { _folder: folder, path, app }
    }

    /// Saves an edit and lets the world notice it: it looks twice a second.
    fn save(&mut self, text: &str) {
        fs::write(&self.path, text).expect("written");
        run(&mut self.app, 1.0);
    }

    fn objects(&mut self) -> BTreeMap<String, Entity> {
        let world = self.app.world_mut();
        world.query::<(Entity, &SceneObject)>().iter(world).map(|(entity, name)| (name.0.clone(), entity)).collect()
    }

    fn names(&mut self) -> BTreeSet<String> {
        self.objects().into_keys().collect()
    }

    fn rooms(&mut self) -> BTreeSet<Entity> {
        let world = self.app.world_mut();
        world.query_filtered::<Entity, With<Architecture>>().iter(world).collect()
    }

    fn place(&mut self, name: &str) -> Vec3 {
        let entity = self.objects()[name];
        self.app.world().get::<Position>(entity).expect("a body").0
    }

    fn problems(&self) -> usize {
        self.app.world().resource::<SceneProblems>().0.len()
    }
}

#[test]
fn a_scene_becomes_rooms_and_labelled_bodies() {
    let mut bench = Workbench::new();
    assert_eq!(bench.names(), ["table", "mug", "low", "high", "ball"].map(str::to_owned).into());
    // The room and the land.
    assert_eq!(bench.rooms().len(), 2);
    let mut instances = BTreeSet::new();
    for (name, entity) in bench.objects() {
        let world = bench.app.world();
        assert!(world.get::<Collider>(entity).is_some() && world.get::<RigidBody>(entity).is_some(), "{name}");
        assert!(world.get::<Children>(entity).is_some_and(|children| !children.is_empty()), "{name} has meshes");
        instances.insert(world.get::<Label>(entity).expect("a label").instance);
    }
    assert_eq!(instances.len(), 5, "instances are unique");
    run(&mut bench.app, 2.0);
    let (mug, table) = (bench.place("mug"), bench.place("table"));
    assert!(mug.y - table.y > 0.3, "the mug stands on the table: {mug} {table}");
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    let mut bench = Workbench::new();
    run(&mut bench.app, 1.0);
    let (before, rooms) = (bench.objects(), bench.rooms());
    // Somebody has pushed the ball away meanwhile.
    let pushed = Vec3::new(2.0, 0.3, 4.0);
    bench.app.world_mut().get_mut::<Position>(before["ball"]).expect("a body").0 = pushed;

    // Added.
    let added =
        SCENE.replace("(kind: \"ball\"", "(kind: \"plant\", name: \"plant\", at: (0.6, 0.6)),\n(kind: \"ball\"");
    bench.save(&added);
    let after = bench.objects();
    assert_eq!(after.len(), 6);
    assert!(before.iter().all(|(name, entity)| after[name] == *entity), "what was there is the same");
    let ball = bench.place("ball").xz().distance(pushed.xz());
    assert!(ball < 0.5, "the ball is {ball} m from where it was pushed");

    // Moved: what stands on it goes along.
    let moved = added.replace("at: (1, 3.5)", "at: (2, 3.8)");
    bench.save(&moved);
    let low = bench.place("low");
    assert!(low.xz().distance(Vec2::new(2.0, 3.8)) < 0.05, "{low}");
    assert!(bench.place("high").xz().distance(low.xz()) < 0.1);
    assert_eq!(bench.objects()["table"], before["table"]);

    // Another material.
    let painted = moved.replace("name: \"mug\",", "name: \"mug\", material: \"paint\",");
    let mug = bench.objects()["mug"];
    bench.save(&painted);
    assert_ne!(bench.objects()["mug"], mug);
    assert_eq!(bench.rooms(), rooms, "the rooms stay");
    let brighter = painted.replace("#e8dfd0", "#ffffff");
    let objects = bench.objects();
    bench.save(&brighter);
    assert!(bench.rooms().is_disjoint(&rooms), "walls of another colour are other walls");
    assert_eq!(bench.objects(), objects);

    // Removed.
    bench.save(&brighter.replace("(kind: \"ball\", name: \"ball\", at: (4.5, 3.5)),", ""));
    assert!(!bench.names().contains("ball"));
    assert_eq!(bench.problems(), 0);
}

#[test]
fn a_bad_edit_keeps_the_world_and_tells_what_is_wrong() {
    let mut bench = Workbench::new();
    let (before, rooms) = (bench.objects(), bench.rooms());
    bench.save(&SCENE.replace("kind: \"crate\"", "kind: \"crat\""));
    assert!(bench.problems() > 0);
    bench.save(&SCENE[..SCENE.len() / 2]);
    assert!(bench.problems() > 0);
    assert_eq!((bench.objects(), bench.rooms()), (before.clone(), rooms.clone()), "the last good world stays");
    bench.save(SCENE);
    assert_eq!((bench.problems(), bench.objects(), bench.rooms()), (0, before, rooms));
}

#[test]
fn in_the_background_the_old_world_stays_until_the_new_one_is_ready() {
    let mut bench = Workbench::new();
    bench.app.insert_resource(BuildPace::Background);
    let rooms = bench.rooms();
    fs::write(&bench.path, SCENE.replace("max: (6, 5)", "max: (7, 5)")).expect("written");
    let mut waited = false;
    for _ in 0..20_000 {
        bench.app.update();
        let under_way = bench.app.world().resource::<Preparation>().progress();
        if let Some((done, total)) = under_way {
            assert!(done <= total && total > 0);
            assert_eq!(bench.rooms(), rooms, "nothing changes before everything is there");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        if waited && under_way.is_none() {
            break;
        }
        waited |= under_way.is_some();
    }
    assert!(waited, "it was prepared over several frames");
    assert!(bench.rooms().is_disjoint(&rooms));
    assert_eq!(bench.objects().len(), 5);
}

/// Shelves full of things, stacks of books, lamps: after some seconds nothing moves any more.
#[test]
fn the_starter_scene_comes_to_rest() {
    let mut app = world(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scenes/atelier.scene.ron"));
    run(&mut app, 10.0);
    let mut bodies = app.world_mut().query::<(&SceneObject, &RigidBody, &Position)>();
    let at = |app: &App, bodies: &mut QueryState<(&SceneObject, &RigidBody, &Position)>| -> BTreeMap<String, Vec3> {
        bodies
            .iter_manual(app.world())
            .filter(|(_, body, _)| body.is_dynamic())
            .map(|(name, _, position)| (name.0.clone(), position.0))
            .collect()
    };
    let before = at(&app, &mut bodies);
    run(&mut app, 3.0);
    let after = at(&app, &mut bodies);
    let mut restless: Vec<(String, f32)> = before
        .iter()
        .map(|(name, place)| (name.clone(), place.distance(after[name])))
        .filter(|(_, moved)| *moved > 0.003)
        .collect();
    restless.sort_by(|a, b| b.1.total_cmp(&a.1));
    assert!(before.len() > 80, "{} things can move", before.len());
    assert!(restless.is_empty(), "things that move by themselves, metres in 3 s: {restless:?}");
}
