//! The headless tour: a scripted player walks through every room while the companion keeps company, sees and is asked for
//! things. Writes pictures and a report.
//!
//! The world runs at the pace of the wall clock, as in a window: frames take as long as they take. Phases alternate, so
//! that frame times with and without inference come from the same places in the same run.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bevy::{prelude::*, time::TimeUpdateStrategy};
use serde::Serialize;

use super::{
    annotate::annotate,
    asset_folder,
    companion_pictures::CompanionPictures,
    headless::{finish, headless_app_for, picture_target, take_picture},
    inhabited::{CompanionEye, InhabitedWorldPlugin, LOOK_EVERY_TICKS},
    live_score::{LiveScore, LiveScorePlugin},
    memory::{MemoryFigures, resident_mib},
};
use crate::{
    base::{ClassTable, Tick},
    behaviours::{Friend, Said},
    inference::{InferenceSettings, Models},
    percepts::{Heard, RecognitionSettings, RecognitionStatus, Seen},
    scene::{ActiveScene, SceneProblems},
    sensors::{EarPlugin, EarSource, Eye, EyeRate, EyeStatus, Observation},
    signal::percentiles,
    world::{
        CommandAnswered, Commanded, Companion, HouseMap, Outcome, WalkIntent, WorldView,
        player::{Player, ViewPose},
    },
};

/// What a tour is asked for.
#[derive(Clone, Debug)]
pub struct TourSettings {
    pub scene: PathBuf,
    pub inference: InferenceSettings,
    /// What the ear is held to.
    pub ear: EarSource,
    pub seconds: f64,
    /// Pictures are written here.
    pub out: PathBuf,
    /// Size of the player's view that is drawn all the time.
    pub view: UVec2,
    /// Phases, and for how long each, seconds; repeated to the end.
    pub cycle: Vec<(Phase, f64)>,
    /// What the companion is asked to find half way.
    pub find: String,
}

/// What runs in a stretch of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Eyes render, models run.
    AiOn,
    /// Eyes render, models rest.
    AiOff,
    /// Eyes and models rest.
    EyesOff,
    /// As [`Phase::AiOn`], and every picture comes with its truth and is scored.
    Scored,
}

/// The phases of `umwelt play --headless`.
pub const REPORT_CYCLE: [(Phase, f64); 3] = [(Phase::AiOn, 5.0), (Phase::AiOff, 5.0), (Phase::Scored, 4.0)];

/// Size of written pictures.
const PICTURE: UVec2 = UVec2::new(1280, 720);
/// Seconds before anything is measured: shaders compile, textures load.
const WARM_UP_SECONDS: f64 = 4.0;
/// Memory is looked at this often.
const MEMORY_EVERY_SECONDS: f64 = 10.0;
/// A point of the walk is passed at this distance; given up after these seconds.
const PASSED_M: f32 = 0.5;
const PATIENCE_SECONDS: f64 = 9.0;

/// What happened, as `play --headless --report` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct TourReport {
    pub scene: String,
    pub adapter: String,
    pub seconds: f64,
    pub frames: usize,
    pub frame_ms: FrameTimes,
    pub views_per_second: f64,
    pub views_dropped: u64,
    pub percept_age_ms: Spread,
    pub inference_ms: Spread,
    pub provider: String,
    pub live: LiveFigures,
    /// What the ear heard on the way.
    pub heard: Vec<HeardUtterance>,
    /// What was commanded on the way, and what came of it.
    pub commands: Vec<Errand>,
    /// What the companion said, with seconds of the tour.
    pub said: Vec<(f64, String)>,
    pub faults: Vec<String>,
    pub pictures: Vec<PathBuf>,
    /// Resident memory in MiB, every ten seconds.
    pub memory_mib: Vec<f64>,
    pub memory_mb: MemoryFigures,
}

/// One utterance that the ear heard.
#[derive(Clone, Debug, Serialize)]
pub struct HeardUtterance {
    /// The best phrase of the grammar; empty where none fits.
    pub text: String,
    /// What it was taken for: `Find(teapot)`; absent where it was no command.
    pub command: Option<String>,
    pub confidence: f32,
    /// From the end of the voice to the command.
    pub waited_ms: f64,
}

/// One command and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Errand {
    /// Since the world began.
    pub seconds: f64,
    /// `Find(teapot)`.
    pub command: String,
    pub done: bool,
    pub answer: String,
}

/// Frame times per phase, milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FrameTimes {
    pub ai_on: Spread,
    pub ai_off: Spread,
    pub eyes_off: Spread,
}

/// Percentiles; all 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub count: usize,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let [p50, p95, p99] = percentiles(values, [0.5, 0.95, 0.99]);
        Self { count: values.len(), p50, p95, p99 }
    }
}

/// Precision, recall and F1 of what the companion saw on the way, against truth.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LiveFigures {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub views: usize,
}

/// The camera that stands where the player's eyes are.
#[derive(Component)]
struct TourView;

/// The scripted player's way.
#[derive(Resource, Default)]
struct Walk {
    points: Vec<Vec3>,
    next: usize,
    since: f64,
    /// Stands and looks until this second.
    rest_until: f64,
}

/// The newest picture of the companion's eye and what was recognised in it.
#[derive(Resource, Default)]
struct LastLook {
    observation: Option<Observation>,
    seen: Option<(Observation, Seen)>,
}

/// What was said, heard and commanded.
#[derive(Resource, Default)]
struct Transcript {
    said: Vec<(f64, String)>,
    heard: Vec<HeardUtterance>,
    commands: Vec<Errand>,
}

/// What is commanded at which part of the tour. `{find}` is what the companion is asked for.
const ERRANDS: [(f64, &str, &[&str]); 6] = [
    (0.2, "Describe", &[]),
    (0.4, "Find", &["{find}"]),
    (0.7, "TakePicture", &[]),
    (UNMEASURED_FROM, "Doors", &["close"]),
    (0.95, "Undo", &[]),
    (0.96, "Lights", &["dim"]),
];

/// From this part on frames are not measured: commands let light be computed beside them, which belongs to neither figure.
const UNMEASURED_FROM: f64 = 0.93;

/// Takes the tour.
///
/// # Errors
/// - the scene has problems, or the machine lacks a graphics adapter
/// - a picture could not be written
pub fn take_tour(settings: &TourSettings) -> anyhow::Result<TourReport> {
    std::fs::create_dir_all(&settings.out).with_context(|| format!("{}", settings.out.display()))?;
    let mut app = headless_app_for(Some(&settings.scene))?;
    let adapter = super::graphics::require_adapter()?;
    // The wall clock drives the simulation, as in a window.
    app.insert_resource(TimeUpdateStrategy::Automatic);
    app.add_plugins((
        InhabitedWorldPlugin { scene: settings.scene.clone(), inference: settings.inference.clone() },
        LiveScorePlugin,
        EarPlugin { source: settings.ear.clone() },
    ))
    .init_resource::<Walk>()
    .init_resource::<LastLook>()
    .init_resource::<Transcript>()
    .insert_resource(CompanionPictures { folder: settings.out.clone() })
    .add_message::<Heard>()
    .add_systems(PreUpdate, walk)
    .add_systems(Update, (keep_last_look, write_down));
    let view = picture_target(&mut app.world_mut().resource_mut::<Assets<Image>>(), settings.view.x, settings.view.y);
    let photo = picture_target(&mut app.world_mut().resource_mut::<Assets<Image>>(), PICTURE.x, PICTURE.y);
    app.world_mut().spawn((
        TourView,
        Friend,
        Camera3d::default(),
        Projection::from(PerspectiveProjection { fov: 1.05, near: 0.05, ..default() }),
        bevy::camera::RenderTarget::Image(view.into()),
        WorldView::PERSON,
        Transform::default(),
    ));
    let photographer = app
        .world_mut()
        .spawn((
            Camera3d::default(),
            Camera { is_active: false, order: 10, ..default() },
            Projection::from(PerspectiveProjection { fov: 1.05, near: 0.05, ..default() }),
            bevy::camera::RenderTarget::Image(photo.clone().into()),
            WorldView::PHOTOGRAPH,
            Transform::default(),
        ))
        .id();
    app.add_systems(PostUpdate, follow_eyes.before(TransformSystems::Propagate));
    finish(&mut app);
    app.update();
    if !app.world().contains_resource::<ActiveScene>() {
        let problems = &app.world().resource::<SceneProblems>().0;
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::bail!("the scene cannot be entered:\n{}", lines.join("\n"));
    }
    let find = &settings.find;
    anyhow::ensure!(app.world().resource::<ClassTable>().id(find).is_some(), "no class is called {find:?}");
    app.world().resource::<Models>().wait_until_loaded();
    plan_walk(&mut app);
    let mut tour = Tour {
        settings,
        photo,
        photographer,
        started: Instant::now(),
        frame_ms: BTreeMap::new(),
        pictures: Vec::new(),
        memory_mib: Vec::new(),
        errands_done: 0,
        photographed: [false; 6],
    };
    tour.run(&mut app)?;
    tour.report(&mut app, &adapter.name)
}

/// What a tour keeps while it runs.
struct Tour<'a> {
    settings: &'a TourSettings,
    photo: Handle<Image>,
    photographer: Entity,
    started: Instant,
    frame_ms: BTreeMap<Phase, Vec<f64>>,
    pictures: Vec<PathBuf>,
    memory_mib: Vec<f64>,
    errands_done: usize,
    photographed: [bool; 6],
}

impl Tour<'_> {
    fn run(&mut self, app: &mut App) -> anyhow::Result<()> {
        let mut photographing = Duration::ZERO;
        loop {
            // Time that pictures take is not time of the tour.
            let seconds = (self.started.elapsed() - photographing).as_secs_f64() - WARM_UP_SECONDS;
            if seconds >= self.settings.seconds {
                return Ok(());
            }
            let phase = self.enter_phase(app, seconds);
            let before = Instant::now();
            app.update();
            if seconds > 0.0 && seconds < UNMEASURED_FROM * self.settings.seconds {
                self.frame_ms.entry(phase).or_default().push(before.elapsed().as_secs_f64() * 1e3);
            }
            self.run_errands(app, seconds / self.settings.seconds);
            if seconds >= MEMORY_EVERY_SECONDS * self.memory_mib.len() as f64 {
                self.memory_mib.extend(resident_mib());
            }
            let before = Instant::now();
            self.take_due_pictures(app, seconds / self.settings.seconds)?;
            photographing += before.elapsed();
        }
    }

    /// Gives the commands that are due.
    fn run_errands(&mut self, app: &mut App, part: f64) {
        while let Some((_, action, words)) = ERRANDS.get(self.errands_done).filter(|(due, ..)| part >= *due) {
            let words = words.iter().map(|word| word.replace("{find}", &self.settings.find)).collect();
            app.world_mut().write_message(Commanded { action: (*action).to_owned(), words });
            self.errands_done += 1;
        }
    }

    /// The phase at a moment of the tour; senses are switched when it begins.
    fn enter_phase(&self, app: &mut App, seconds: f64) -> Phase {
        let cycle = &self.settings.cycle;
        let whole: f64 = cycle.iter().map(|(_, length)| length).sum();
        let mut rest = seconds.max(0.0) % whole.max(1e-3);
        let mut phase = cycle.first().map_or(Phase::AiOn, |(phase, _)| *phase);
        for (next, length) in cycle {
            phase = *next;
            if rest < *length {
                break;
            }
            rest -= length;
        }
        let world = app.world_mut();
        let enabled = matches!(phase, Phase::AiOn | Phase::Scored);
        world.resource_mut::<RecognitionSettings>().set_if_neq(RecognitionSettings { enabled });
        let mut eyes = world.query_filtered::<&mut Eye, With<CompanionEye>>();
        for mut eye in eyes.iter_mut(world) {
            let rate = if phase == Phase::EyesOff { EyeRate::OnRequest } else { EyeRate::EveryTicks(LOOK_EVERY_TICKS) };
            let wanted = Eye { truth: phase == Phase::Scored, rate, ..eye.clone() };
            eye.set_if_neq(wanted);
        }
        phase
    }

    /// Six pictures: three of the player's view on the way, one of the companion, one of the whole house from above, one
    /// of what the eye sees with its boxes.
    fn take_due_pictures(&mut self, app: &mut App, part: f64) -> anyhow::Result<()> {
        const DUE: [(f64, &str); 6] =
            [(0.01, "view-1"), (0.3, "view-2"), (0.45, "companion"), (0.6, "eye"), (0.75, "view-3"), (0.9, "house")];
        for (index, (due, name)) in DUE.into_iter().enumerate() {
            if part < due || self.photographed[index] {
                continue;
            }
            let path = self.settings.out.join(format!("{name}.png"));
            match name {
                "eye" => {
                    // Waits for a picture with something in it until nearly the end.
                    let world = app.world();
                    let Some((observation, seen)) = &world.resource::<LastLook>().seen else { continue };
                    if seen.detections.is_empty() && part < 0.97 {
                        continue;
                    }
                    let classes = world.resource::<ClassTable>();
                    let named: Vec<_> = seen
                        .detections
                        .iter()
                        .map(|found| (classes.name(found.class).unwrap_or("?"), *found))
                        .collect();
                    let font = asset_folder().join("fonts/Lato-Medium.ttf");
                    annotate((*observation.rgb).clone(), &named, &font)?
                        .save(&path)
                        .with_context(|| format!("{}", path.display()))?;
                }
                _ => {
                    let pose = match name {
                        "companion" => portrait_pose(app),
                        "house" => overview_pose(app),
                        _ => tour_pose(app),
                    };
                    let Some(pose) = pose else { continue };
                    self.photograph(app, pose)?.save(&path).with_context(|| format!("{}", path.display()))?;
                }
            }
            self.photographed[index] = true;
            self.pictures.push(path);
        }
        Ok(())
    }

    fn photograph(&self, app: &mut App, pose: Transform) -> anyhow::Result<image::RgbImage> {
        let switch = |app: &mut App, active: bool| {
            let mut camera = app.world_mut().entity_mut(self.photographer);
            camera.insert(pose);
            if let Some(mut camera) = camera.get_mut::<Camera>() {
                camera.is_active = active;
            }
        };
        // The moment is kept: time stands still while the picture is developed.
        app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO));
        switch(app, true);
        app.update();
        let picture = take_picture(app, &self.photo);
        switch(app, false);
        app.insert_resource(TimeUpdateStrategy::Automatic);
        picture
    }

    fn report(self, app: &mut App, adapter: &str) -> anyhow::Result<TourReport> {
        let world = app.world_mut();
        let spread = |phase| Spread::of(self.frame_ms.get(&phase).map_or(&[], Vec::as_slice));
        let frame_ms =
            FrameTimes { ai_on: spread(Phase::AiOn), ai_off: spread(Phase::AiOff), eyes_off: spread(Phase::EyesOff) };
        let status = world.resource::<RecognitionStatus>().clone();
        let model = world.resource::<Models>().statuses().into_iter().next();
        let ai_seconds: f64 =
            [Phase::AiOn, Phase::Scored].iter().filter_map(|phase| self.frame_ms.get(phase)).flatten().sum::<f64>()
                / 1e3;
        let classes = world.resource::<ClassTable>().len();
        let (live, views) = world.resource::<LiveScore>().figures(classes);
        let mut eyes = world.query_filtered::<&EyeStatus, With<CompanionEye>>();
        let dropped = eyes.iter(world).map(|eye| eye.dropped).sum::<u64>() + status.dropped;
        let ages: Vec<f64> = status.ages_seconds.iter().map(|age| age * 1e3).collect();
        let took: Vec<f64> = status.took_ms.iter().copied().collect();
        let mut faults: Vec<String> = status.last_fault.into_iter().collect();
        if let Some(model) = &model {
            faults.extend(model.last_fault.clone());
            if let crate::base::Status::Unavailable(reason) = &model.status {
                faults.push(format!("{}: {reason}", model.name));
            }
        } else {
            faults.push("no model that detects: the companion is blind".to_owned());
        }
        Ok(TourReport {
            scene: self.settings.scene.display().to_string(),
            adapter: adapter.to_owned(),
            seconds: self.settings.seconds,
            frames: self.frame_ms.values().map(Vec::len).sum(),
            frame_ms,
            views_per_second: if ai_seconds > 0.0 { status.answered as f64 / ai_seconds } else { 0.0 },
            views_dropped: dropped,
            percept_age_ms: Spread::of(&ages),
            inference_ms: Spread::of(&took),
            provider: model.and_then(|model| model.provider).unwrap_or_default(),
            live: LiveFigures { precision: live.precision, recall: live.recall, f1: live.f1, views },
            heard: world.resource::<Transcript>().heard.clone(),
            commands: world.resource::<Transcript>().commands.clone(),
            said: world.resource::<Transcript>().said.clone(),
            faults,
            pictures: self.pictures,
            memory_mb: MemoryFigures::of(&self.memory_mib, MEMORY_EVERY_SECONDS),
            memory_mib: self.memory_mib,
        })
    }
}

/// The player visits every vantage point of the house, nearest first.
fn plan_walk(app: &mut App) {
    let map = app.world().resource::<HouseMap>().clone();
    let spawn = app.world().resource::<ActiveScene>().spec.spawn.position;
    let mut here = spawn;
    let mut left: Vec<usize> = (0..map.nodes.len()).filter(|node| map.nodes[*node].is_vantage).collect();
    let mut points = Vec::new();
    while !left.is_empty() {
        let length = |node: usize| {
            let way = map.nearest(here, false).and_then(|from| map.way(from, node));
            way.map_or(f32::INFINITY, |(_, length)| length)
        };
        let nearest = (0..left.len()).min_by(|a, b| length(left[*a]).total_cmp(&length(left[*b]))).unwrap_or(0);
        let goal = map.nodes[left.swap_remove(nearest)].position;
        points.extend(map.route(here, goal));
        here = goal;
    }
    app.insert_resource(Walk { points, ..default() });
}

/// Steers the body along its way: towards the next point, resting a little at each, looking about while resting.
fn walk(
    mut walk: ResMut<Walk>,
    mut players: Query<(&mut WalkIntent, &ViewPose), With<Player>>,
    time: Res<Time<Virtual>>,
) {
    let now = time.elapsed_secs_f64();
    for (mut intent, view) in &mut players {
        if now < walk.rest_until {
            intent.direction = Vec2::ZERO;
            intent.yaw += 0.5 * time.delta_secs();
            continue;
        }
        let Some(goal) = walk.points.get(walk.next % walk.points.len().max(1)).copied() else { continue };
        let eyes = Vec3::from(view.now.translation);
        let ahead = (goal - eyes).with_y(0.0);
        if ahead.length() < PASSED_M || now - walk.since > PATIENCE_SECONDS {
            walk.next += 1;
            walk.since = now;
            if ahead.length() < PASSED_M {
                walk.rest_until = now + 1.2;
                walk.since = walk.rest_until;
            }
            continue;
        }
        let wanted = (-ahead.x).atan2(-ahead.z);
        let turn =
            (wanted - intent.yaw + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU) - std::f32::consts::PI;
        intent.yaw += turn.clamp(-2.5 * time.delta_secs(), 2.5 * time.delta_secs());
        intent.pitch = -0.12;
        intent.direction = if turn.abs() < 0.7 { Vec2::Y } else { Vec2::ZERO };
    }
}

fn follow_eyes(players: Query<&ViewPose, With<Player>>, mut cameras: Query<&mut Transform, With<TourView>>) {
    for (view, mut camera) in players.iter().zip(&mut cameras) {
        *camera = Transform::from_isometry(view.now);
    }
}

fn keep_last_look(
    mut observations: MessageReader<Observation>,
    mut seen: MessageReader<Seen>,
    mut last: ResMut<LastLook>,
    mut waiting: Local<Vec<Observation>>,
) {
    for observation in observations.read() {
        waiting.push(observation.clone());
        if waiting.len() > 16 {
            waiting.remove(0);
        }
        last.observation = Some(observation.clone());
    }
    for seen in seen.read() {
        let Some(picture) = waiting.iter().find(|picture| picture.eye == seen.eye && picture.tick == seen.tick) else {
            continue;
        };
        let richer = last.seen.as_ref().is_none_or(|(_, best)| seen.detections.len() >= best.detections.len());
        if richer {
            last.seen = Some((picture.clone(), seen.clone()));
        }
    }
}

fn write_down(
    mut said: MessageReader<Said>,
    mut heard: MessageReader<Heard>,
    mut answers: MessageReader<CommandAnswered>,
    mut transcript: ResMut<Transcript>,
    tick: Res<Tick>,
    classes: Res<ClassTable>,
) {
    let transcript = &mut *transcript;
    transcript.said.extend(said.read().map(|said| (tick.seconds(), said.in_words(&classes))));
    transcript.heard.extend(heard.read().map(|heard| HeardUtterance {
        text: heard.text.clone(),
        command: heard.command.as_ref().map(|command| written(&command.action, &command.words)),
        confidence: heard.confidence,
        waited_ms: heard.waited_ms,
    }));
    transcript.commands.extend(answers.read().map(|answered| {
        let (done, answer) = match &answered.outcome {
            Outcome::Done(words) => (true, words.clone()),
            Outcome::Refused(words) => (false, words.clone()),
        };
        let command = written(&answered.command.action, &answered.command.words);
        Errand { seconds: tick.seconds(), command, done, answer }
    }));
}

/// A command as scene files write it: `Find(teapot)`.
fn written(action: &str, words: &[String]) -> String {
    if words.is_empty() { action.to_owned() } else { format!("{action}({})", words.join(", ")) }
}

fn tour_pose(app: &mut App) -> Option<Transform> {
    let mut views = app.world_mut().query_filtered::<&Transform, With<TourView>>();
    views.iter(app.world()).next().copied()
}

/// Before the companion's face, a little above.
fn portrait_pose(app: &mut App) -> Option<Transform> {
    let mut bodies = app.world_mut().query_filtered::<&Transform, With<Companion>>();
    let body = bodies.iter(app.world()).next()?;
    let from = body.translation + 0.75 * (body.rotation * Vec3::new(0.35, 0.15, -1.0)).normalize();
    Some(Transform::from_translation(from).looking_at(body.translation, Vec3::Y))
}

/// From outside and above, the whole house.
fn overview_pose(app: &mut App) -> Option<Transform> {
    let scene = &app.world().resource::<ActiveScene>().spec;
    let min = scene.rooms.iter().map(|room| room.min).reduce(Vec2::min)?;
    let max = scene.rooms.iter().map(|room| room.max).reduce(Vec2::max)?;
    let middle = (0.5 * (min + max)).extend(0.0).xzy();
    let size = (max - min).max_element();
    Some(Transform::from_translation(middle + Vec3::new(0.45, 0.75, 0.95) * size).looking_at(middle, Vec3::Y))
}
