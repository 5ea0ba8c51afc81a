//! `umwelt bench --vr`: what a frame in the headset costs with AI on and off, and what its two eyes share.
//!
//! In: an OpenXR runtime with a headset, a scene. Out: figures of our own work, which is simulation, extraction, preparing and
//! submitting what is drawn: the time of a whole update without what it waited for the runtime ([`RuntimeWaits`]). The player walks
//! in circles by the sticks, so that all phases see the same places. In one phase only the left eye draws: the rest of the frame is
//! what both share.
//!
//! Both eyes in one pass (multiview) would share more. In Bevy 0.19 every camera is a view with a uniform, phases and passes of its
//! own; its render passes and pipelines have no multiview mask, and its shaders read one `view` instead of one per
//! `view_index` (bevyengine/bevy#15864, awtterpip/bevy_oxr#210). Without a change of the renderer itself it cannot be had.

use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bevy::{camera::visibility::VisibleEntities, light::cascade::Cascades, prelude::*, time::TimeUpdateStrategy};
use serde::Serialize;

use super::{
    bench::{BenchArgs, machine},
    play::find_scene,
};
use crate::{
    app::{
        Exit, Lacking, graphics,
        headless::{enter_scene, finish, headless_app_with},
        headset::{self, Headset, HeadsetChoice},
        inhabited::InhabitedWorldPlugin,
        tour::{Phase, Spread, switch_senses},
    },
    behaviours::Friend,
    inference::Models,
    percepts::TASK,
    platform::{
        HeadsetEye, TrackedRigPlugin,
        flat::Steering,
        headset::HeadsetStatus,
        runtime_waits::RuntimeWaits,
        settings::{HeadsetSettings, Locomotion, Settings, Turning},
        tracked_rig::TrackedRigSystems,
        tracking::{Side, Tracking},
    },
    world::WorldView,
};

/// A frame in the headset may cost so much more with AI than without.
const GOAL: f64 = 1.15;
/// The runtime shows the world within this time, or never.
const PATIENCE: Duration = Duration::from_secs(90);
/// A turn of one stretch lasts so many seconds, less where not all of them would have one, and so many frames.
const TURN_SECONDS: f64 = 4.0;
const TURN_FRAMES: usize = 8;
/// The same in the first round, which is not measured: shaders compile, textures load.
const WARM_UP_SECONDS: f64 = 1.5;
const WARM_UP_FRAMES: usize = 4;
const CYCLE: [Stretch; 4] = [Stretch::AiOn, Stretch::InferenceOff, Stretch::AiOff, Stretch::OneEye];

/// What `umwelt bench --vr --json` answers.
#[derive(Debug, Serialize)]
struct Figures {
    machine: String,
    adapter: String,
    headset: String,
    provider: String,
    /// Our own work.
    work_ms: Work,
    /// p99 with AI on ÷ off, the companion's eye rendering in both.
    inference_ratio: f64,
    /// p99 with AI on ÷ off, the companion's eye and its models together.
    ai_ratio: f64,
    goal: f64,
    frames_per_second: f64,
    shared: Shared,
}

/// Milliseconds of a frame.
#[derive(Debug, Serialize)]
struct Work {
    ai_on: Spread,
    inference_off: Spread,
    ai_off: Spread,
    /// As `ai_off`, and only the left eye draws.
    one_eye: Spread,
    /// Waited for the runtime, of all frames.
    waited: Spread,
}

/// What the two eyes of a frame have in common, counted at its end.
#[derive(Clone, Debug, Default, Serialize)]
struct Shared {
    /// A frame's work with two eyes ÷ with one, medians; 2: nothing is shared.
    two_eyes_cost: f64,
    /// Meshes that each eye sees, found once for each.
    visible: [usize; 2],
    visible_to_both: usize,
    /// Shadow maps of the sun or moon, each drawn for one eye.
    cascades: [usize; 2],
    /// Faces of lamps' shadow maps, drawn once for both.
    lamp_faces: usize,
}

/// Runs the command.
///
/// # Errors
/// - [`Lacking`]: no runtime, no headset, or it never showed the world
/// - the scene has problems
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    let headset = headset::choose(HeadsetChoice::Forced)?;
    let Headset::Found(found) = &headset else { return Err(Lacking("no headset".to_owned()).into()) };
    let scene = find_scene(&args.scene)?;
    let mut app = headless_app_with(Some(&scene), &headset)?;
    headset::require_device(&app)?;
    let adapter = graphics::require_adapter()?;
    let comfort = HeadsetSettings { locomotion: Locomotion::Smooth, turning: Turning::Smooth, ..default() };
    app.insert_resource(TimeUpdateStrategy::Automatic)
        .insert_resource(Settings { headset: comfort, ..default() })
        .insert_resource(Steering(true))
        .init_resource::<LeftEyeAlone>()
        .add_plugins((
            InhabitedWorldPlugin { scene, inference: args.inference.settings(), texture_cache: None },
            TrackedRigPlugin,
        ))
        .add_systems(PreUpdate, (walk_in_circles.before(TrackedRigSystems), close_right_eye))
        .add_systems(Update, dress_eyes);
    finish(&mut app);
    enter_scene(&mut app)?;
    app.world().resource::<Models>().wait_until_loaded();
    wait_until_worn(&mut app)?;
    let measured = measure(&mut app, args.seconds)?;

    let spread = |phase: Stretch| Spread::of(measured.work_ms.get(&phase).map_or(&[], Vec::as_slice));
    let ratio = |above: f64, below: f64| if below > 0.0 { above / below } else { 0.0 };
    let work_ms = Work {
        ai_on: spread(Stretch::AiOn),
        inference_off: spread(Stretch::InferenceOff),
        ai_off: spread(Stretch::AiOff),
        one_eye: spread(Stretch::OneEye),
        waited: Spread::of(&measured.waited_ms),
    };
    let models = app.world().resource::<Models>();
    let detector = models.for_task(TASK).map(|worker| worker.status());
    let figures = Figures {
        machine: machine(),
        adapter: adapter.name,
        headset: found.to_string(),
        provider: detector.and_then(|detector| detector.provider).unwrap_or_default(),
        inference_ratio: ratio(work_ms.ai_on.p99, work_ms.inference_off.p99),
        ai_ratio: ratio(work_ms.ai_on.p99, work_ms.ai_off.p99),
        goal: GOAL,
        frames_per_second: measured.frames_per_second,
        shared: Shared { two_eyes_cost: ratio(work_ms.ai_off.p50, work_ms.one_eye.p50), ..measured.shared },
        work_ms,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", as_text(&figures));
    }
    Ok(Exit::Done)
}

fn wait_until_worn(app: &mut App) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let tracking = app.world().resource::<Tracking>();
        if tracking.worn && tracking.head.is_some() {
            return Ok(());
        }
        let status = app.world().resource::<HeadsetStatus>();
        let hopeless = matches!(status, HeadsetStatus::Absent(_) | HeadsetStatus::Lost(_));
        if hopeless || begun.elapsed() > PATIENCE {
            return Err(Lacking(format!("--vr: the headset does not show the world: {}", status.text())).into());
        }
        app.update();
    }
}

/// What is compared, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stretch {
    AiOn,
    InferenceOff,
    AiOff,
    OneEye,
}

impl Stretch {
    /// Which of the companion's senses run.
    fn phase(self) -> Phase {
        match self {
            Stretch::AiOn => Phase::AiOn,
            Stretch::InferenceOff => Phase::AiOff,
            Stretch::AiOff | Stretch::OneEye => Phase::EyesOff,
        }
    }
}

#[derive(Default)]
struct Measured {
    work_ms: BTreeMap<Stretch, Vec<f64>>,
    waited_ms: Vec<f64>,
    frames_per_second: f64,
    shared: Shared,
}

/// Rounds of all stretches, for so many seconds or a little longer.
fn measure(app: &mut App, seconds: f64) -> anyhow::Result<Measured> {
    let waits = app.world().get_resource::<RuntimeWaits>().cloned().context("the renderer draws for no headset")?;
    let mut measured = Measured::default();
    for stretch in CYCLE {
        turn(app, stretch, &waits, WARM_UP_SECONDS, WARM_UP_FRAMES)?;
    }
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < seconds {
        for stretch in CYCLE {
            let frames = turn(app, stretch, &waits, TURN_SECONDS.min(seconds / CYCLE.len() as f64), TURN_FRAMES)?;
            if stretch != Stretch::OneEye {
                let shared = count_shared(app.world_mut());
                if shared.visible[0] >= measured.shared.visible[0] {
                    measured.shared = shared;
                }
            }
            measured.waited_ms.extend(frames.iter().map(|frame| frame.waited_ms));
            measured.work_ms.entry(stretch).or_default().extend(frames.iter().map(|frame| frame.work_ms));
        }
    }
    measured.frames_per_second = measured.waited_ms.len() as f64 / started.elapsed().as_secs_f64();
    Ok(measured)
}

struct Frame {
    work_ms: f64,
    waited_ms: f64,
}

fn turn(
    app: &mut App,
    stretch: Stretch,
    waits: &RuntimeWaits,
    seconds: f64,
    least: usize,
) -> anyhow::Result<Vec<Frame>> {
    switch_senses(app.world_mut(), stretch.phase());
    app.world_mut().resource_mut::<LeftEyeAlone>().0 = stretch == Stretch::OneEye;
    let (started, mut frames) = (Instant::now(), Vec::new());
    while started.elapsed().as_secs_f64() < seconds || frames.len() < least {
        let (before, waited) = (Instant::now(), waits.total());
        app.update();
        let (whole, waited) = (before.elapsed(), waits.total() - waited);
        let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
        frames.push(Frame { work_ms: millis(whole.saturating_sub(waited)), waited_ms: millis(waited) });
        let status = app.world().resource::<HeadsetStatus>();
        anyhow::ensure!(app.world().resource::<Tracking>().worn, "the headset was taken off: {}", status.text());
    }
    Ok(frames)
}

fn count_shared(world: &mut World) -> Shared {
    let mut eyes = world.query::<(Entity, &HeadsetEye, &VisibleEntities)>();
    let mut seen: [BTreeSet<Entity>; 2] = default();
    let mut entities = [Entity::PLACEHOLDER; 2];
    for (entity, eye, visible) in eyes.iter(world) {
        let index = eye.index as usize % 2;
        entities[index] = entity;
        seen[index] = visible.iter(TypeId::of::<Mesh3d>()).copied().collect();
    }
    let mut suns = world.query::<(&DirectionalLight, &Cascades)>();
    let of = |eye: Entity, cascades: &Cascades| cascades.cascades.get(&eye).map_or(0, Vec::len);
    let mut cascades = [0; 2];
    for (light, of_views) in suns.iter(world) {
        for (sum, eye) in cascades.iter_mut().zip(entities) {
            *sum += if light.shadow_maps_enabled { of(eye, of_views) } else { 0 };
        }
    }
    let mut lamps = world.query::<&PointLight>();
    let mut spots = world.query::<&SpotLight>();
    let lamp_faces = 6 * lamps.iter(world).filter(|lamp| lamp.shadow_maps_enabled).count()
        + spots.iter(world).filter(|lamp| lamp.shadow_maps_enabled).count();
    Shared {
        two_eyes_cost: 0.0,
        visible: seen.each_ref().map(BTreeSet::len),
        visible_to_both: seen[0].intersection(&seen[1]).count(),
        cascades,
        lamp_faces,
    }
}

/// Whether only the left eye draws.
#[derive(Resource, Default)]
struct LeftEyeAlone(bool);

fn close_right_eye(alone: Res<LeftEyeAlone>, mut eyes: Query<(&HeadsetEye, &mut Camera)>) {
    for (eye, mut camera) in &mut eyes {
        if alone.0 && eye.index == 1 {
            camera.is_active = false;
        }
    }
}

/// The player's eyes see as a person does; the companion keeps company with the left one.
fn dress_eyes(eyes: Query<(Entity, &HeadsetEye), Added<HeadsetEye>>, mut commands: Commands) {
    for (entity, eye) in &eyes {
        let mut eye_entity = commands.entity(entity);
        eye_entity.insert(WorldView::PERSON);
        if eye.index == 0 {
            eye_entity.insert(Friend);
        }
    }
}

/// Sticks as somebody holds them who walks in circles, 2.6 m across, ten seconds each.
fn walk_in_circles(mut tracking: ResMut<Tracking>) {
    tracking.hand_mut(Side::Left).stick = Vec2::Y * 0.6;
    tracking.hand_mut(Side::Right).stick = Vec2::X * 0.35;
}

fn as_text(figures: &Figures) -> String {
    let row = |name: &str, spread: Spread| {
        format!("  {name:<26}{:>8.1} {:>8.1} {:>8.1}   ({} frames)\n", spread.p50, spread.p95, spread.p99, spread.count)
    };
    let Figures { work_ms, shared, .. } = figures;
    let mut text = format!("{}\n{} · {}\n", figures.machine, figures.adapter, figures.headset);
    text += &format!("inference on {}, {:.1} frames per second\n\n", figures.provider, figures.frames_per_second);
    text += "our work in a frame, ms         p50      p95      p99\n";
    text += &row("eye and inference", work_ms.ai_on);
    text += &row("eye only", work_ms.inference_off);
    text += &row("neither", work_ms.ai_off);
    text += &row("neither, left eye alone", work_ms.one_eye);
    text += &row("waited for the runtime", work_ms.waited);
    text += &format!("\ninference on ÷ off, p99      {:.2}   (goal {GOAL})\n", figures.inference_ratio);
    text += &format!("eye and inference ÷ neither  {:.2}\n", figures.ai_ratio);
    text += &format!("two eyes ÷ one, p50          {:.2}   (2: nothing is shared)\n", shared.two_eyes_cost);
    let [left, right] = shared.visible;
    let both = shared.visible_to_both;
    text += "\nsimulation, extraction and lamps' shadows are done once, culling, the sun's shadows and drawing for each eye:\n";
    text += &format!("  {left} and {right} meshes seen, {both} of them by both\n");
    let [left, right] = shared.cascades;
    text += &format!("  {left} and {right} shadow maps of the sun, {} of lamps\n", shared.lamp_faces);
    text
}
