//! Dreams: the same name gives the same texture, surfaces get what they asked for without a hitch, and everything that can be
//! missing or broken leaves a world that goes on. With a small generator made on the spot; what needs ONNX Runtime says so.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use bevy::{prelude::*, time::TimeUpdateStrategy};
use umwelt::{
    app::{all_actions, dream_materials::dream_materials, inference_places},
    base::{Seed, Status, Tick},
    inference::{
        InferencePlugin, InferenceSettings, library,
        manifest::{MANIFEST_FILE, MODEL_FILE},
        model_folder::CheckedModel,
        provider::{Provider, ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    scene::{Mapping, Mixture, ScenePlugin, Variation},
    textures::{
        DiskSettings, Dreamer, DreamingPlugin, DreamingSettings, DreamingStatus,
        test_generator::{TEST_MATERIALS, test_generator},
    },
    world::{
        CommandAnswered, Commanded, CompanionPlugin, DeedsPlugin, DreamShown, Dreams, Outcome, Quality, RoomPart,
        RoomSurface, Swatches, WorldPlugin,
        hand::HandPlugin,
        player::{Player, PlayerPlugin, ViewPose},
    },
};

fn has_runtime() -> bool {
    let loaded = library::load(&inference_places::library_places());
    if let Err(error) = &loaded {
        eprintln!("SKIPPED: {error}");
    }
    loaded.is_ok()
}

fn cpu() -> SessionSettings {
    SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() }
}

fn dreamer(model: CheckedModel) -> Option<Dreamer> {
    let runtime = library::load(&inference_places::library_places()).inspect_err(|error| eprintln!("SKIPPED: {error}"));
    let session = ModelSession::new(runtime.ok()?, model, &cpu()).expect("the test's generator loads");
    Some(Dreamer::new(session).expect("a generator"))
}

/// Writes a model folder `texture` in `parent`.
fn write_model(parent: &Path, model: &CheckedModel) -> PathBuf {
    let folder = parent.join("texture");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(MODEL_FILE), &model.bytes).expect("a model file");
    fs::write(folder.join(MANIFEST_FILE), model.manifest.to_text().expect("text")).expect("a manifest");
    folder
}

#[test]
fn equal_names_are_equal_bytes_and_others_are_others() {
    let (Some(mut first), Some(mut second)) = (dreamer(test_generator()), dreamer(test_generator())) else { return };
    let marble = Mixture::pure("marble");
    let hash = |dreamer: &mut Dreamer, mixture: &Mixture, seed, size| {
        dreamer.dream(mixture, Variation::of(Seed(seed)), size).expect("a texture").texture.hash()
    };
    let one = hash(&mut first, &marble, 7, 96);
    assert_eq!(one, hash(&mut first, &marble, 7, 96));
    assert_eq!(one, hash(&mut second, &marble, 7, 96));
    let others = [
        hash(&mut first, &marble, 8, 96),
        hash(&mut first, &marble, 7, 64),
        hash(&mut first, &marble.with("moss", 0.3), 7, 96),
    ];
    assert_eq!(HashSet::from([&one, &others[0], &others[1], &others[2]]).len(), 4);
    assert!(first.dream(&marble, Variation::of(Seed(1)), 100).is_err());
    assert!(first.dream(&Mixture::pure("marbel"), Variation::of(Seed(1)), 64).is_err());
}

#[test]
fn textures_have_no_seam_and_normals_of_unit_length() {
    let Some(mut dreamer) = dreamer(test_generator()) else { return };
    let mut seam = umwelt::signal::tiling::SeamEnergy::default();
    for seed in 0..12 {
        let material = TEST_MATERIALS[seed as usize % TEST_MATERIALS.len()];
        let dreamt = dreamer.dream(&Mixture::pure(material), Variation::of(Seed(seed)), 64).expect("a texture");
        seam = seam.plus(dreamt.maps.seam());
        assert!(dreamt.texture.normals().iter().all(|normal| (normal.length() - 1.0).abs() < 1e-5));
    }
    assert!((0.8..1.2).contains(&seam.ratio()), "{}", seam.ratio());
}

#[test]
fn a_generator_with_a_wrong_number_of_channels_is_refused() {
    let mut model = test_generator();
    model.manifest.labels.pop();
    let Ok(runtime) =
        library::load(&inference_places::library_places()).inspect_err(|error| eprintln!("SKIPPED: {error}"))
    else {
        return;
    };
    let session = ModelSession::new(runtime, model, &cpu()).expect("as a model it is sound");
    let told = Dreamer::new(session).err().expect("as a generator it is not").to_string();
    assert!(told.contains("input \"material\" f32[1, 4] must be [1, 3]"), "{told}");
}

const SCENE: &str = r##"(
    version: 1,
    materials: {
        "boards": (color: "#b08050"),
        "stone": dream("marble", seed: 7, scale_m: 1.5, size: 128),
        "chalk": (color: "#e8dfd0"),
    },
    rooms: [(name: "hall", min: (0, 0), max: (4, 4), height: 2.6, floor: dream("wood", size: 64), walls: "chalk",
             ceiling: "stone")],
    objects: [
        (kind: "table", name: "desk", seed: 22, at: (2, 1), scale: 2, material: "stone"),
        (kind: "stool", name: "seat", at: (3.4, 3.4), material: dream("marbel")),
    ],
    spawn: (at: (2, 2.2), yaw_deg: 180),
    nest: (3, 1.6, 3),
)"##;

/// A picture of 256 × 256 texels with its levels fits, two do not.
const UPLOAD_BYTES: usize = 400_000;

/// A hall with a player and a generator, or none.
struct Hall {
    app: App,
    _folder: tempfile::TempDir,
}

impl Hall {
    fn new(scene: &str, generator: Option<&CheckedModel>, disk: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hall.scene.ron");
        fs::write(&path, scene).expect("written");
        let models = folder.path().join("models");
        fs::create_dir_all(&models).expect("a folder");
        if let Some(model) = generator {
            write_model(&models, model);
        }
        let inference = InferenceSettings { models, session: cpu(), library: inference_places::library_places() };
        let disk = disk.map(|folder| DiskSettings { folder: folder.to_owned(), budget: 64 << 20 });
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), bevy::mesh::MeshPlugin))
            .init_asset::<Image>()
            .init_asset::<StandardMaterial>()
            .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
            .insert_resource(Quality::Medium)
            .insert_resource(all_actions())
            .add_plugins((
                ScenePlugin { path },
                WorldPlugin,
                PlayerPlugin,
                HandPlugin,
                CompanionPlugin,
                DeedsPlugin,
                InferencePlugin { settings: inference },
                DreamingPlugin {
                    settings: DreamingSettings { upload_bytes: UPLOAD_BYTES, disk, ..Default::default() },
                },
            ));
        app.finish();
        let mut hall = Self { app, _folder: folder };
        hall.run(Tick::RATE_HZ as usize);
        hall
    }

    fn run(&mut self, updates: usize) {
        (0..updates).for_each(|_| self.update());
    }

    /// One frame, in which no more is handed to the renderer than allowed.
    fn update(&mut self) {
        self.app.update();
        let uploaded = self.status().uploaded_bytes;
        assert!(uploaded <= UPLOAD_BYTES, "{uploaded} bytes in one frame");
    }

    fn status(&self) -> &DreamingStatus {
        self.app.world().resource::<DreamingStatus>()
    }

    /// Updates until `reached`; the generator takes as long as it takes.
    fn wait(&mut self, what: &str, mut reached: impl FnMut(&mut Self) -> bool) {
        for _ in 0..3000 {
            if reached(self) {
                return;
            }
            self.update();
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("{what} never came; {:?}", self.status());
    }

    /// Every surface that dreams shows its dream.
    fn all_shown(&mut self) -> bool {
        let world = self.app.world_mut();
        let mut dreaming = world.query::<(&Dreams, Option<&DreamShown>)>();
        dreaming.iter(world).all(|(dreams, shown)| shown.is_some_and(|shown| shown.0 == dreams.0))
    }

    /// What the mesh of a part of the room wears.
    fn worn(&mut self, part: RoomPart) -> (StandardMaterial, Option<Dreams>) {
        let world = self.app.world_mut();
        let mut surfaces = world.query::<(&RoomSurface, &MeshMaterial3d<StandardMaterial>, Option<&Dreams>)>();
        let found = surfaces.iter(world).find(|(surface, ..)| surface.part == part);
        let (_, material, dreams) = found.expect("the part");
        let (material, dreams) = (material.0.clone(), dreams.cloned());
        (world.resource::<Assets<StandardMaterial>>().get(&material).expect("a material").clone(), dreams)
    }

    /// The player looks at a point.
    fn look_at(&mut self, point: Vec3) {
        let world = self.app.world_mut();
        let mut players = world.query_filtered::<(&ViewPose, &mut umwelt::world::WalkIntent), With<Player>>();
        let (view, mut intent) = players.single_mut(world).expect("the player");
        let direction = point - Vec3::from(view.now.translation);
        intent.yaw = (-direction.x).atan2(-direction.z);
        intent.pitch = direction.y.atan2(direction.xz().length());
        self.run(3);
    }

    fn tell(&mut self, action: &str, words: &[&str]) -> Outcome {
        self.app.world_mut().resource_mut::<Messages<CommandAnswered>>().clear();
        self.app.world_mut().write_message(Commanded::new(action, words));
        for _ in 0..3 {
            self.update();
            let found: Vec<_> = self.app.world_mut().resource_mut::<Messages<CommandAnswered>>().drain().collect();
            match &found[..] {
                [] => {}
                [answer] => return answer.outcome.clone(),
                more => panic!("one answer for one command: {more:?}"),
            }
        }
        panic!("nobody answered {action} {words:?}");
    }

    fn done(&mut self, action: &str, words: &[&str]) -> String {
        match self.tell(action, words) {
            Outcome::Done(told) => told,
            Outcome::Refused(why) => panic!("{action} {words:?} was refused: {why}"),
        }
    }

    fn refused(&mut self, action: &str, words: &[&str]) -> String {
        match self.tell(action, words) {
            Outcome::Refused(why) => why,
            Outcome::Done(told) => panic!("{action} {words:?} was done: {told}"),
        }
    }
}

#[test]
fn dreams_of_a_scene_appear_on_walls_and_things_and_equal_ones_share_pictures() {
    if !has_runtime() {
        return;
    }
    let scene = SCENE.replace("marbel", "marble");
    let mut hall = Hall::new(&scene, Some(&test_generator()), None);
    hall.wait("the dreams", Hall::all_shown);
    assert_eq!(hall.status().generator, Status::Ready);
    assert_eq!((hall.status().made, hall.status().textures), (3, 3), "stone once, floor, stool");
    let (ceiling, _) = hall.worn(RoomPart::Ceiling);
    assert!(ceiling.normal_map_texture.is_some() && ceiling.metallic_roughness_texture.is_some());
    assert_eq!(ceiling.uv_transform.matrix2.x_axis.x, 1.0 / 0.75, "256 texels are 1.5 m wide, these are 128");
    let (floor, _) = hall.worn(RoomPart::Floor);
    assert_ne!(floor.base_color_texture, ceiling.base_color_texture);
    // As wide as the generator says of wood.
    assert!((floor.uv_transform.matrix2.x_axis.x - 1.0 / 0.375).abs() < 1e-6);
    let (walls, dreams) = hall.worn(RoomPart::Walls);
    assert!(dreams.is_none() && walls.base_color_texture.is_none(), "chalk stays chalk");

    // The desk, twice as large, wears the same pictures, stretched so that they are as wide in the world.
    let world = hall.app.world_mut();
    let mut worn = world.query_filtered::<(&Dreams, &MeshMaterial3d<StandardMaterial>), Without<RoomSurface>>();
    let desk = worn.iter(world).find(|(dreams, _)| dreams.0.stretch == 2.0).expect("the desk").1.0.clone();
    let desk = world.resource::<Assets<StandardMaterial>>().get(&desk).unwrap();
    assert_eq!(desk.base_color_texture, ceiling.base_color_texture);
    assert!((desk.uv_transform.matrix2.x_axis.x - 2.0 / 0.75).abs() < 1e-6);
    let image = world.resource::<Assets<Image>>().get(ceiling.base_color_texture.as_ref().unwrap()).unwrap();
    assert_eq!((image.width(), image.texture_descriptor.mip_level_count), (128, 8));
}

#[test]
fn without_a_generator_the_world_is_plain_and_says_so() {
    let mut hall = Hall::new(SCENE, None, None);
    hall.run(30);
    let Status::Unavailable(reason) = &hall.status().generator else { panic!("{:?}", hall.status()) };
    assert!(!reason.is_empty());
    assert!(!hall.all_shown());
    let (ceiling, _) = hall.worn(RoomPart::Ceiling);
    assert!(ceiling.base_color_texture.is_some(), "marble has a painted pattern meanwhile");
    hall.look_at(Vec3::new(2.0, 2.6, 2.1));
    assert!(hall.refused("Again", &[]).contains("no generator"));
    assert!(hall.refused("Mix", &["boards"]).contains("no generator"));
}

#[test]
fn a_wall_is_painted_changed_and_gets_its_old_look_back() {
    if !has_runtime() {
        return;
    }
    let scene = SCENE.replace("marbel", "marble");
    let mut hall = Hall::new(&scene, Some(&test_generator()), None);
    hall.wait("the dreams", Hall::all_shown);
    hall.look_at(Vec3::new(0.0, 1.4, 2.2));
    let west = RoomPart::Wall(umwelt::scene::Side::West);
    assert!(hall.refused("Again", &[]).contains("paint it first"));
    assert!(hall.refused("More", &[]).contains("Nothing has been changed"));
    assert_eq!(hall.done("Paint", &["moss"]), "The wall wears moss now.");
    hall.wait("moss", Hall::all_shown);
    let texture = |hall: &mut Hall| hall.worn(west).0.base_color_texture.expect("a dream");
    let moss = texture(&mut hall);

    hall.done("Again", &[]);
    hall.run(2);
    hall.wait("other moss", Hall::all_shown);
    assert_ne!(texture(&mut hall), moss);
    hall.done("Undo", &[]);
    hall.run(2);
    hall.wait("the first moss", Hall::all_shown);
    assert_eq!(texture(&mut hall), moss, "the same name is the same picture");

    hall.done("Shade", &["darker"]);
    hall.wait("darkness", Hall::all_shown);
    let shade = |hall: &mut Hall| hall.worn(west).0.base_color.to_linear().red;
    let dark = shade(&mut hall);
    assert!(dark < 0.9, "{dark}");
    hall.done("More", &[]);
    hall.wait("more darkness", Hall::all_shown);
    assert!(shade(&mut hall) < dark);
    assert_eq!(hall.done("Mix", &["wood"]), "The wall dreams of moss and wood.");
    hall.wait("a mixture", Hall::all_shown);
    let (_, dreams) = hall.worn(west);
    assert_eq!(dreams.unwrap().0.mixture.to_string(), "moss 70 + wood 30");

    for _ in 0..4 {
        hall.done("Undo", &[]);
    }
    hall.run(3);
    let (old, dreams) = hall.worn(west);
    assert!(dreams.is_none() && old.base_color_texture.is_none(), "chalk again");
    assert!(hall.status().last_fault.is_none(), "{:?}", hall.status());
}

#[test]
fn a_surface_that_is_painted_keeps_how_its_dream_lies_on_it() {
    if !has_runtime() {
        return;
    }
    let scene = SCENE.replace("marbel", "marble").replace("size: 128", "size: 128, map: Box");
    let mut hall = Hall::new(&scene, Some(&test_generator()), None);
    hall.wait("the dreams", Hall::all_shown);
    hall.look_at(Vec3::new(2.0, 2.6, 2.1));
    assert_eq!(hall.done("Paint", &["moss"]), "The ceiling wears moss now.");
    let (_, dreams) = hall.worn(RoomPart::Ceiling);
    let dream = dreams.expect("a dream").0;
    assert_eq!((dream.mixture.to_string().as_str(), dream.mapping), ("moss", Some(Mapping::Box)));
}

#[test]
fn a_surface_drifts_until_it_is_told_to_stay() {
    if !has_runtime() {
        return;
    }
    let mut hall = Hall::new(&SCENE.replace("marbel", "marble"), Some(&test_generator()), None);
    hall.wait("the dreams", Hall::all_shown);
    hall.look_at(Vec3::new(2.0, 0.0, 3.0));
    hall.done("Drift", &["on"]);
    let way = |hall: &mut Hall| hall.worn(RoomPart::Floor).1.expect("a dream").0.variation.t();
    hall.wait("some way", |hall| way(hall) > 0.1);
    hall.done("Drift", &["off"]);
    hall.run(20);
    let there = way(&mut hall);
    hall.run(60);
    assert_eq!(way(&mut hall), there);
    assert!(hall.refused("Drift", &["off"]).contains("Nothing is changing"));
    hall.done("Morph", &["moss"]);
    let share = |hall: &mut Hall| hall.worn(RoomPart::Floor).1.expect("a dream").0.mixture.share("moss");
    hall.wait("all moss", |hall| share(hall) == 1.0);
}

#[test]
fn what_was_dreamt_once_comes_from_the_disk() {
    if !has_runtime() {
        return;
    }
    let cache = tempfile::tempdir().expect("a folder");
    let scene = SCENE.replace("marbel", "marble");
    let mut first = Hall::new(&scene, Some(&test_generator()), Some(cache.path()));
    first.wait("the dreams", Hall::all_shown);
    assert_eq!((first.status().made, first.status().from_disk), (3, 0));
    drop(first);
    // One entry is broken: it alone is made anew.
    let entry = fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(&entry, "broken").unwrap();
    let mut second = Hall::new(&scene, Some(&test_generator()), Some(cache.path()));
    second.wait("the dreams", Hall::all_shown);
    assert_eq!((second.status().made, second.status().from_disk), (1, 2));
    drop(second);
    let file = cache.path().join("a file");
    fs::write(&file, "").unwrap();
    let mut third = Hall::new(&scene, Some(&test_generator()), Some(&file.join("no folder")));
    third.wait("the dreams", Hall::all_shown);
    assert!(third.status().disk_trouble.is_some() && third.status().made == 3);
}

#[test]
fn swatches_come_when_they_are_wanted() {
    if !has_runtime() {
        return;
    }
    let mut hall = Hall::new(&SCENE.replace("marbel", "marble"), Some(&test_generator()), None);
    hall.wait("the dreams", Hall::all_shown);
    assert!(hall.app.world().resource::<Swatches>().pictures.is_empty());
    hall.app.world_mut().resource_mut::<Swatches>().wanted = true;
    hall.wait("all swatches", |hall| hall.app.world().resource::<Swatches>().pictures.len() == TEST_MATERIALS.len());
}

#[test]
fn a_generator_that_breaks_its_promises_is_told_and_nothing_dreams() {
    if !has_runtime() {
        return;
    }
    let mut model = test_generator();
    model.manifest.preprocessing.remove("cell");
    let mut hall = Hall::new(SCENE, Some(&model), None);
    hall.wait("its refusal", |hall| matches!(hall.status().generator, Status::Unavailable(_)));
    hall.wait(
        "the reason",
        |hall| matches!(&hall.status().generator, Status::Unavailable(why) if why.contains("\"cell\": 32")),
    );
    assert!(!hall.all_shown());
}

fn umwelt(arguments: &[&str], models: &Path) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_umwelt"))
        .args(arguments)
        .env("UMWELT_MODELS", models)
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_writes_pictures_and_tells_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let (models, none) = (folder.path().join("models"), folder.path().join("no models"));
    write_model(&models, &test_generator());
    assert_eq!(dream_materials(&models).0, TEST_MATERIALS);
    let out_text = out.to_string_lossy().into_owned();
    let dream = |arguments: &[&str]| umwelt(&[&["dream"][..], arguments, &["--out", &out_text][..]].concat(), &models);

    let (code, _, told) = dream(&["marble", "--size", "100"]);
    assert!(code == 2 && told.contains("multiple of 32"), "{code} {told}");
    assert_eq!(dream(&["marble", "--mix", "moss"]).0, 2);
    let (code, _, told) = umwelt(&["dream", "marble", "--out", &out_text], &none);
    assert!(code == 3 && told.contains("no generator"), "{code} {told}");
    if !has_runtime() {
        return;
    }
    let (code, _, told) = dream(&["marbel"]);
    assert!(code == 2 && told.contains("did you mean \"marble\"?"), "{code} {told}");
    let arguments = ["marble", "--mix", "moss:0.3", "--seed", "5", "--size", "64", "--provider", "cpu", "--json"];
    let (code, answer, told) = dream(&arguments);
    assert_eq!(code, 0, "{told}");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["material"], "marble 70 + moss 30");
    assert_eq!(answer["seed"], 5);
    for (map, side) in [("base_color", 64), ("normal", 64), ("roughness", 64), ("height", 64), ("preview", 384)] {
        let picture = image::open(answer["files"][map].as_str().expect("a file")).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (side, side), "{map}");
    }
    let (_, again, _) = dream(&arguments);
    let again: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["hash"], answer["hash"]);
    let (code, listed, _) = umwelt(&["dream", "--list"], &models);
    assert!(code == 0 && listed.lines().count() == TEST_MATERIALS.len(), "{listed}");
    let (code, _, told) = dream(&["--grid", "--seeds", "2", "--size", "64"]);
    assert_eq!(code, 0, "{told}");
    assert!(image::open(out.join("sheet.png")).expect("a sheet").width() > 400);
}

#[test]
fn check_knows_the_generators_materials_and_its_faults() {
    let folder = tempfile::tempdir().expect("a folder");
    let models = folder.path().join("models");
    let model = write_model(&models, &test_generator());
    let scene = folder.path().join("x.scene.ron");
    fs::write(&scene, SCENE).expect("written");
    let scene = scene.to_string_lossy().into_owned();
    let (code, told, _) = umwelt(&["check", &scene], &models);
    assert!(code == 1 && told.contains("unknown material \"marbel\"; did you mean \"marble\"?"), "{code} {told}");
    let (code, told, _) = umwelt(&["check", &scene], &folder.path().join("none"));
    assert_eq!(code, 0, "without a generator nobody knows: {told}");

    let mut wrong = test_generator();
    wrong.manifest.preprocessing.remove("relief");
    write_model(&models, &wrong);
    let (code, told, _) = umwelt(&["check", &model.to_string_lossy()], &models);
    assert!(code == 1 && told.contains("no generator of textures"), "{code} {told}");
}
