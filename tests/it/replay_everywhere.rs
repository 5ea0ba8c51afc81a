//! A session that was played as in a window ends in the same world, to the last bit, however it is replayed: without a window, as in
//! one, in a headset, at any frame rate. Everything of play is there but a display, a renderer, a microphone and models.

use std::sync::Arc;
use std::{
    f32::consts::TAU,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use avian3d::prelude::Position;
use bevy::{
    app::PluginsState,
    audio::AudioPlugin,
    gilrs::GilrsPlugin,
    input::{
        ButtonState,
        keyboard::{Key, KeyboardInput},
        mouse::MouseMotion,
    },
    log::LogPlugin,
    prelude::*,
    render::{
        RenderPlugin,
        pipelined_rendering::PipelinedRenderingPlugin,
        settings::{RenderCreation, WgpuSettings},
        sync_world::SyncWorldPlugin,
    },
    time::TimeUpdateStrategy,
    window::ExitCondition,
    winit::WinitPlugin,
};
use umwelt::{
    app::{
        headset::Headset,
        replay::{ReplayAnswer, ReplayReport, replay, report},
        window::{WindowSettings, add_play},
    },
    base::Tick,
    game::GameState,
    inference::InferenceSettings,
    platform::{
        headset::HeadsetStatus,
        input_log::{InputLog, Recorder},
        tracked_rig::PlaySpace,
        tracking::{Pose, Side, Tracking},
    },
    sensors::EarSource,
    world::{Commanded, Companion, FlyIntent, HandIntent, SceneObject, WalkIntent, hand::Holding, player::Player},
};

/// Two rooms with a door between them, piles of things to run into, models from files.
const SCENE: &str = r##"(
    version: 1,
    materials: {"plain": (color: "#d0c8b8")},
    rooms: [
        (name: "hall", min: (0, 0), max: (6, 5), floor: "plain", walls: "plain", ceiling: "plain",
         openings: [(kind: Door, side: East, center: 2.5, width: 1.2), (kind: Window, side: South, center: 3, width: 2)]),
        (name: "closet", min: (6, 0), max: (10, 5), floor: "plain", walls: "plain", ceiling: "plain"),
    ],
    objects: [
        (kind: "table", at: (2.5, 1.4)),
        (kind: "mug", on: "table_1", at: (-0.3, 0)),
        (kind: "teapot", on: "table_1", at: (0.15, -0.05)),
        (kind: "mug", on: "table_1", at: (0.4, 0.1)),
        (kind: "chair", at: (2.5, 2.4), yaw_deg: 180),
        (kind: "ball", at: (4.2, 3.2)),
        (kind: "ball", at: (4.5, 3.0)),
        (kind: "ball", at: (4.3, 2.7)),
        (kind: "die", at: (3.6, 3.4)),
        (kind: "apple", at: (1.4, 3.6)),
        (kind: "plant", at: (0.6, 0.6)),
        (kind: "ball", at: (7.5, 2.5)),
        (kind: "chair", at: (8, 2), yaw_deg: 90),
        (asset: "crate.gltf", label: "box", name: "crate a", at: (4.9, 0.1, 1.2), scale: 0.4, collider: Box, mass_kg: 2, grabbable: true),
        (asset: "crate.gltf", label: "box", name: "crate b", at: (4.9, 0.6, 1.25), scale: 0.3, collider: Box, mass_kg: 1, grabbable: true),
        (asset: "wedge.gltf", label: "wedge", name: "wedge", at: (1.2, 0.1, 2.4), scale: 0.5, collider: Hull, mass_kg: 1, grabbable: true),
    ],
    snap_zones: [
        (name: "tray", on: "table_1", at: (0.3, 0.15), radius_m: 0.3, takes: ["teapot", "mug", "ball"]),
        (name: "mark", at: (1.4, 0.5, 3.6), radius_m: 0.6),
    ],
    places: {"closet": (8.5, 3.5), "hall": (1, 4)},
    spawn: (at: (0.9, 3.4), yaw_deg: -35),
    nest: (4.2, 1.8, 0.8),
)"##;

/// A model of these corners, each three of them a triangle.
fn write_model(folder: &Path, name: &str, corners: &[[f32; 3]]) {
    let bytes: Vec<u8> = corners.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
    let edge = |pick: fn(f32, f32) -> f32, from: f32| -> Vec<f32> {
        (0..3).map(|axis| corners.iter().map(|corner| corner[axis]).fold(from, pick)).collect()
    };
    let gltf = serde_json::json!({
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": corners.len(), "type": "VEC3",
                       "min": edge(f32::min, f32::MAX), "max": edge(f32::max, f32::MIN)}],
        "bufferViews": [{"buffer": 0, "byteLength": bytes.len()}],
        "buffers": [{"byteLength": bytes.len(), "uri": format!("{name}.bin")}],
    });
    fs::write(folder.join(format!("{name}.gltf")), gltf.to_string()).unwrap();
    fs::write(folder.join(format!("{name}.bin")), bytes).unwrap();
}

/// The scene's file in a folder of its own.
fn house() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (low, high) = ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]);
    write_model(folder.path(), "crate", &[low, [1.0, 0.0, 1.0], high]);
    let (a, b, c, d) = (low, [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.3, 0.7, 0.3]);
    write_model(folder.path(), "wedge", &[a, b, c, a, b, d, b, c, d, c, a, d]);
    let path = folder.path().join("house.scene.ron");
    fs::write(&path, SCENE).unwrap();
    (folder, path)
}

/// Play as in a window, `step` a frame.
struct Play {
    app: App,
    step: Duration,
}

impl Play {
    fn new(scene: &Path, step: Duration, record_input: Option<PathBuf>, replay: Option<Arc<InputLog>>) -> Self {
        let mut app = App::new();
        umwelt::world::register_scene_folder(&mut app, scene);
        app.add_plugins(
            DefaultPlugins
                .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
                .set(RenderPlugin {
                    render_creation: RenderCreation::Automatic(Box::new(WgpuSettings { backends: None, ..default() })),
                    ..default()
                })
                .set(AssetPlugin { file_path: concat!(env!("CARGO_MANIFEST_DIR"), "/assets").to_owned(), ..default() })
                .disable::<LogPlugin>()
                .disable::<WinitPlugin>()
                .disable::<AudioPlugin>()
                .disable::<GilrsPlugin>()
                .disable::<PipelinedRenderingPlugin>(),
        )
        // What is meant for a renderer is noted for it, although none takes it.
        .add_plugins(SyncWorldPlugin)
        .insert_resource(HeadsetStatus::Absent("a test".to_owned()))
        .insert_resource(TimeUpdateStrategy::ManualDuration(step));
        let why = "a test".to_owned();
        add_play(
            &mut app,
            &WindowSettings {
                scene: scene.to_owned(),
                inference: InferenceSettings { models: scene.with_file_name("no models"), ..default() },
                headset: Headset::Absent(why.clone()),
                headset_forced: false,
                ear: EarSource::Nothing(why),
                size: UVec2::new(1280, 720),
                // As many as come; and nothing is asked first.
                frames: Some(u64::MAX),
                screenshot: None,
                record_input,
                replay,
                leave: false,
                config: None,
                texture_cache: None,
            },
        );
        while app.plugins_state() == PluginsState::Adding {
            bevy::tasks::tick_global_task_pools_on_main_thread();
        }
        app.finish();
        app.cleanup();
        let mut play = Self { app, step };
        let since = Instant::now();
        while *play.app.world().resource::<State<GameState>>().get() != GameState::Playing {
            assert!(since.elapsed() < Duration::from_secs(300), "play does not begin");
            play.app.update();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(play.app.world().resource::<Tick>().0, 0, "no time passes before play");
        play
    }

    fn key(&mut self, key: KeyCode, down: bool) {
        self.app.world_mut().write_message(KeyboardInput {
            key_code: key,
            logical_key: Key::Unidentified(bevy::input::keyboard::NativeKey::Unidentified),
            state: if down { ButtonState::Pressed } else { ButtonState::Released },
            text: None,
            repeat: false,
            window: Entity::PLACEHOLDER,
        });
    }

    fn command(&mut self, action: &str, words: &[&str]) {
        self.app.world_mut().write_message(Commanded::new(action, words));
    }

    /// Plays for so long; `act` does something before each frame.
    fn play(&mut self, seconds: f32, mut act: impl FnMut(&mut Play, f32, usize)) {
        for frame in 0..(seconds / self.step.as_secs_f32()) as usize {
            act(self, frame as f32 * self.step.as_secs_f32(), frame);
            self.app.update();
        }
    }

    /// Ends the recording; where everything is.
    fn end(&mut self) -> ReplayReport {
        self.app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO));
        self.app.world_mut().write_message(AppExit::Success);
        self.app.update();
        let ticks = (self.app.world().resource::<Recorder>().seconds() * Tick::RATE_HZ).round() as usize;
        report(self.app.world_mut(), ticks, None)
    }

    /// Goes on until the replay is over; `act` does something before each frame.
    fn answer(&mut self, mut act: impl FnMut(&mut Play)) -> ReplayReport {
        loop {
            act(self);
            self.app.update();
            if let Some(report) = self.app.world().resource::<ReplayAnswer>().0.clone() {
                return report;
            }
        }
    }
}

fn millis(step: u64) -> Duration {
    Duration::from_millis(step)
}

/// Walks about, looks about, takes and throws, gives commands.
fn busy(play: &mut Play, seconds: f32, frame: usize) {
    // What is done is quantised to frames; which frames those are is no matter.
    let every = |period: f32, offset: f32| {
        let phase = |time: f32| ((time + offset) / period).floor();
        phase(seconds) != phase(seconds - 0.016)
    };
    if frame == 0 {
        play.key(KeyCode::KeyW, true);
    }
    let turn = Vec2::new(9.0 * (TAU * seconds / 7.0).sin() + 2.0, 3.0 * (TAU * seconds / 3.1).sin());
    play.app.world_mut().write_message(MouseMotion { delta: turn });
    for (key, period) in [
        (KeyCode::KeyE, 1.3),
        (KeyCode::Space, 4.7),
        (KeyCode::ShiftLeft, 6.1),
        (KeyCode::KeyA, 5.3),
        (KeyCode::KeyC, 11.0),
    ] {
        if every(period, 0.0) {
            play.key(key, true);
        }
        if every(period, 0.7 * period) {
            play.key(key, false);
        }
    }
    for (index, (action, words)) in [
        ("Doors", &["close"][..]),
        ("Turn", &["left"]),
        ("PickUp", &["ball"]),
        ("Undo", &[]),
        ("GoTo", &["closet"]),
        ("Music", &["on"]),
        ("Undo", &[]),
        ("Doors", &["open"]),
        ("Stay", &[]),
        ("Undo", &[]),
        ("PickUp", &["box"]),
        ("Drop", &[]),
        ("GoTo", &["hall"]),
        ("Follow", &[]),
        ("Turn", &["around"]),
        ("Undo", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        if every(41.0, 41.0 - 2.5 * index as f32 - 1.0) {
            play.command(action, words);
        }
    }
}

#[test]
fn a_minute_of_play_ends_the_same_without_a_window_and_in_one_at_any_frame_rate() {
    let (folder, scene) = house();
    let file = folder.path().join("walk.jsonl");
    let mut session = Play::new(&scene, millis(16), Some(file.clone()), None);
    session.play(60.0, busy);
    let ended = session.end();
    drop(session);
    let log = Arc::new(InputLog::read(&file).unwrap());
    assert_eq!((log.ticks.len(), ended.bodies), (ended.ticks, 16));
    assert!(log.ticks.len() > 3500, "{}", log.ticks.len());
    assert!(log.ticks.iter().filter(|tick| !tick.commands.is_empty()).count() > 20);
    assert!(log.ticks.iter().filter(|tick| tick.hand.grab).count() > 250);
    assert!(log.ticks.iter().any(|tick| !tick.actions.is_empty()));
    let flown: Vec<FlyIntent> = log.ticks.iter().filter_map(|tick| tick.companion).collect();
    assert!(flown.len() == log.ticks.len() && flown.iter().any(|intent| intent.target != flown[0].target));

    let models = scene.with_file_name("no models");
    let first = replay(&scene, &log, &models).unwrap();
    assert_eq!(first, ended, "without a window");
    assert_eq!(replay(&scene, &log, &models).unwrap(), first, "again");
    for step in [7, 50] {
        let mut again = Play::new(&scene, millis(step), None, Some(log.clone()));
        // Somebody sits at the keys and tells the world what to do: that is no part of the recording.
        let answer = again.answer(|play| {
            play.key(KeyCode::KeyS, true);
            play.app.world_mut().write_message(MouseMotion { delta: Vec2::new(30.0, 5.0) });
            play.command("Drop", &[]);
        });
        assert_eq!(answer, ended, "frames of {step} ms");
    }
}

/// Both hands take the apple from the floor, lift it and draw apart, so that it grows.
fn enlarge(play: &mut Play, seconds: f32, apple: Vec3) {
    let world = play.app.world_mut();
    let stage_from_world = world.resource::<PlaySpace>().now.inverse();
    let mut tracking = world.resource_mut::<Tracking>();
    tracking.worn = true;
    tracking.seconds = f64::from(seconds);
    tracking.head = Some(Pose { position: Vec3::new(0.0, 1.6, 0.0), rotation: Quat::IDENTITY });
    let lifted = 0.9 * ((seconds - 2.0) / 1.5).clamp(0.0, 1.0);
    let apart = 0.02 + 0.15 * ((seconds - 3.5) / 2.0).clamp(0.0, 1.0);
    for (side, sign, closes) in [(Side::Left, -1.0, 1.0), (Side::Right, 1.0, 1.4)] {
        let at = stage_from_world * Isometry3d::from_translation(apple + Vec3::new(apart * sign, lifted, 0.0));
        let pose = Pose { position: at.translation.into(), rotation: at.rotation };
        let hand = tracking.hand_mut(side);
        (hand.grip, hand.aim) = (Some(pose), Some(pose));
        hand.squeeze = if seconds > closes && seconds < 6.0 { 1.0 } else { 0.0 };
    }
}

/// Looks and reaches about, takes what is there, walks and turns with the sticks.
fn reach(play: &mut Play, seconds: f32) {
    let mut tracking = play.app.world_mut().resource_mut::<Tracking>();
    tracking.worn = true;
    tracking.seconds = f64::from(seconds);
    let wave = |period: f32| (TAU * seconds / period).sin();
    let head = Vec3::new(0.3 * wave(5.0), 1.6 + 0.3 * wave(9.0), 0.3 * wave(7.0));
    let heading = Quat::from_rotation_y(0.6 * wave(11.0)) * Quat::from_rotation_x(-0.4);
    tracking.head = Some(Pose { position: head, rotation: heading });
    for (side, sign) in [(Side::Left, -1.0), (Side::Right, 1.0)] {
        let hand = tracking.hand_mut(side);
        // Apart and together again, so that what both hold becomes larger and smaller.
        let at = head + heading * Vec3::new((0.12 + 0.08 * wave(2.3)) * sign, -0.35, -0.5 + 0.2 * wave(1.7));
        let pose = Pose { position: at, rotation: heading };
        (hand.grip, hand.aim) = (Some(pose), Some(pose));
        hand.squeeze = if (seconds + sign) % 2.0 < 1.2 { 1.0 } else { 0.0 };
        hand.stick = if side == Side::Left {
            Vec2::new(0.0, if seconds % 3.0 < 1.5 { 0.9 } else { 0.0 })
        } else {
            Vec2::new(if seconds % 2.0 < 0.1 { 1.0 } else { 0.0 }, 0.0)
        };
    }
}

#[test]
fn what_was_done_in_a_headset_ends_the_same_flat_and_under_another_head() {
    let (folder, scene) = house();
    let file = folder.path().join("walk.jsonl");
    let mut session = Play::new(&scene, millis(11), Some(file.clone()), None);
    let objects = |play: &mut Play| -> Vec<(String, Vec3, Vec3)> {
        let world = play.app.world_mut();
        let mut objects = world.query::<(&SceneObject, &Position, &Transform)>();
        objects.iter(world).map(|(object, position, place)| (object.0.clone(), position.0, place.scale)).collect()
    };
    let apple = objects(&mut session).into_iter().find(|object| object.0.starts_with("apple")).unwrap().1;
    session.play(7.0, |play, seconds, _| enlarge(play, seconds, apple));
    session.play(15.0, |play, seconds, _| reach(play, 7.0 + seconds));
    let apple = objects(&mut session).into_iter().find(|object| object.0.starts_with("apple")).unwrap();
    assert!(apple.2.x > 1.5, "{apple:?} is as large as ever");
    let ended = session.end();
    drop(session);
    let log = Arc::new(InputLog::read(&file).unwrap());
    assert!(log.ticks.iter().filter(|tick| tick.hands.len() == 2 && tick.headset.is_some()).count() > 1000);
    assert!(log.ticks.iter().any(|tick| tick.hands.iter().any(|hand| hand.intent.grab)));
    let models = scene.with_file_name("no models");
    assert_eq!(replay(&scene, &log, &models).unwrap(), ended, "without a window");
    let mut flat = Play::new(&scene, millis(16), None, Some(log.clone()));
    assert_eq!(flat.answer(|_| {}), ended, "flat");
    // Whoever wears a headset meanwhile looks elsewhere, and nothing comes of what their hands do.
    let mut worn = Play::new(&scene, millis(13), None, Some(log.clone()));
    let mut seconds = 0.0;
    let mut farthest: f32 = 0.0;
    let answer = worn.answer(|play| {
        seconds += 0.013;
        reach(play, 3.0 + 0.7 * seconds);
        let world = play.app.world_mut();
        let head = world.resource::<Tracking>().head.unwrap().position;
        let eyes = world.resource::<PlaySpace>().now * head;
        let feet = world.query_filtered::<&Position, With<Player>>().single(world).unwrap().0;
        if seconds > 1.0 {
            farthest = farthest.max((eyes - feet).xz().length());
        }
    });
    assert_eq!(answer, ended, "under another head");
    assert!(farthest < 0.1, "they ride along above the recorded feet: {farthest} m");
}

#[test]
fn what_a_hand_holds_when_the_headset_is_taken_off_stays_held_in_the_replay() {
    let (folder, scene) = house();
    let file = folder.path().join("walk.jsonl");
    let mut session = Play::new(&scene, millis(11), Some(file.clone()), None);
    let world = session.app.world_mut();
    let mut objects = world.query::<(&SceneObject, &Position)>();
    let apple = objects.iter(world).find(|(object, _)| object.0.starts_with("apple")).expect("an apple").1.0;
    session.play(5.0, |play, seconds, _| enlarge(play, seconds, apple));
    session.play(1.0, |play, _, _| play.app.world_mut().resource_mut::<Tracking>().worn = false);
    let world = session.app.world_mut();
    assert_eq!(world.query_filtered::<(), (With<Player>, With<Holding>)>().iter(world).count(), 1, "handed over");
    let ended = session.end();
    drop(session);
    let log = Arc::new(InputLog::read(&file).unwrap());
    assert_eq!(replay(&scene, &log, &scene.with_file_name("no models")).unwrap(), ended);
}

#[test]
fn a_replay_pauses_with_the_world_and_gives_the_body_back_at_its_end() {
    let (folder, scene) = house();
    let file = folder.path().join("walk.jsonl");
    let mut session = Play::new(&scene, millis(16), Some(file.clone()), None);
    session.play(6.0, busy);
    let ended = session.end();
    drop(session);
    let log = Arc::new(InputLog::read(&file).unwrap());
    let mut again = Play::new(&scene, millis(16), None, Some(log));
    let words = |play: &mut Play| -> Vec<String> {
        let world = play.app.world_mut();
        world.query::<&Text>().iter(world).map(|text| text.0.clone()).collect()
    };
    again.play(2.0, |_, _, _| {});
    assert!(words(&mut again).iter().any(|words| words == "Replay 0:01 of 0:05"), "{:?}", words(&mut again));
    again.key(KeyCode::Escape, true);
    again.app.update();
    again.key(KeyCode::Escape, false);
    again.play(0.1, |_, _, _| {});
    assert_eq!(*again.app.world().resource::<State<GameState>>().get(), GameState::Paused);
    let before = again.app.world().resource::<Tick>().0;
    again.play(1.0, |_, _, _| {});
    assert_eq!(again.app.world().resource::<Tick>().0, before, "it waits");
    again.app.world_mut().resource_mut::<NextState<GameState>>().set(GameState::Playing);
    assert_eq!(again.answer(|_| {}), ended, "a pause changes nothing");

    again.key(KeyCode::KeyW, true);
    again.play(0.2, |_, _, _| {});
    assert!(words(&mut again).iter().any(|words| words.starts_with("The replay is over")), "{:?}", words(&mut again));
    let world = again.app.world_mut();
    let (walk, hand, holds) = world
        .query_filtered::<(&WalkIntent, &HandIntent, Has<Holding>), With<Player>>()
        .single(world)
        .map(|(walk, hand, holds)| (*walk, *hand, holds))
        .unwrap();
    assert_eq!((walk.direction, hand.grab, holds), (Vec2::Y, false, false));
    assert!(world.query::<(&Companion, &FlyIntent)>().iter(world).count() == 1);
    assert!(world.query::<&SceneObject>().iter(world).count() == 16);
}
