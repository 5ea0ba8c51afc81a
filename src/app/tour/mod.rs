//! The headless tour: a scripted player walks through every room while the companion keeps company, sees and is asked for
//! things, aloud where a speech model understands them. Writes pictures and a report.
//!
//! The world runs at the pace of the wall clock, as in a window: frames take as long as they take. Phases alternate, so
//! that frame times with and without inference come from the same places in the same run.

mod errands;
mod pictures;
mod report;
mod restless_tile;
mod walk;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bevy::{prelude::*, time::TimeUpdateStrategy};
use indicatif::{ProgressBar, ProgressStyle};

use self::{
    errands::{Errands, LAST_WORDS_SECONDS, Transcript, UNMEASURED_FROM, write_down},
    pictures::{LastLook, PICTURE, keep_last_look},
    report::LiveFigures,
    restless_tile::{dream_on, dreamt, lay_tile},
    walk::{TourView, Walk, follow_eyes, plan_walk, walk},
};
use super::{
    companion_pictures::CompanionPictures,
    headless::{enter_scene, finish, headless_app_for, picture_target},
    inhabited::{CompanionEye, InhabitedWorldPlugin, LOOK_EVERY_TICKS},
    live_score::{LiveScore, LiveScorePlugin},
    memory::{MemoryFigures, resident_mib},
};
use crate::{
    base::{ClassTable, Status},
    behaviours::Friend,
    inference::{InferenceSettings, Models, Worker},
    percepts::{Heard, RecognitionSettings, RecognitionStatus, TASK},
    sensors::{EarPlugin, EarSource, Eye, EyeRate, EyeStatus},
    world::WorldView,
};

pub use report::{FrameTimes, Spread, TourReport};

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
    /// As [`Phase::AiOn`], and one texture of the largest size after the other is dreamt.
    Dreaming,
}

impl Phase {
    /// Whether models look at what the eyes see.
    fn sees(self) -> bool {
        matches!(self, Phase::AiOn | Phase::Scored | Phase::Dreaming)
    }
}

/// The phases of `umwelt play --headless`.
pub const REPORT_CYCLE: [(Phase, f64); 3] = [(Phase::AiOn, 5.0), (Phase::AiOff, 5.0), (Phase::Scored, 4.0)];

/// Seconds before anything is measured: shaders compile, textures load.
const WARM_UP_SECONDS: f64 = 4.0;
/// Memory is looked at this often.
const MEMORY_EVERY_SECONDS: f64 = 10.0;

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
        InhabitedWorldPlugin {
            scene: settings.scene.clone(),
            inference: settings.inference.clone(),
            texture_cache: None,
        },
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
    enter_scene(&mut app)?;
    let find = &settings.find;
    anyhow::ensure!(app.world().resource::<ClassTable>().id(find).is_some(), "no class is called {find:?}");
    app.world().resource::<Models>().wait_until_loaded();
    plan_walk(&mut app);
    if settings.cycle.iter().any(|(phase, _)| *phase == Phase::Dreaming) {
        lay_tile(app.world_mut());
    }
    let mut tour = Tour {
        settings,
        photo,
        photographer,
        started: Instant::now(),
        frame_ms: BTreeMap::new(),
        answered: 0,
        pictures: Vec::new(),
        memory_mib: Vec::new(),
        errands: Errands::default(),
        photographed: [false; 6],
    };
    tour.run(&mut app)?;
    tour.report(&mut app, &adapter.name)
}

/// The phase of a cycle after so many seconds of it.
fn phase_at(cycle: &[(Phase, f64)], seconds: f64) -> Phase {
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
    phase
}

/// Lets eyes and models run or rest as a phase wants it.
pub fn switch_senses(world: &mut World, phase: Phase) {
    let enabled = phase.sees();
    world.resource_mut::<RecognitionSettings>().set_if_neq(RecognitionSettings { enabled });
    let mut eyes = world.query_filtered::<&mut Eye, With<CompanionEye>>();
    for mut eye in eyes.iter_mut(world) {
        let rate = if phase == Phase::EyesOff { EyeRate::OnRequest } else { EyeRate::EveryTicks(LOOK_EVERY_TICKS) };
        let wanted = Eye { truth: phase == Phase::Scored, rate, ..eye.clone() };
        eye.set_if_neq(wanted);
    }
}

/// What a tour keeps while it runs.
struct Tour<'a> {
    settings: &'a TourSettings,
    photo: Handle<Image>,
    photographer: Entity,
    started: Instant,
    frame_ms: BTreeMap<Phase, Vec<f64>>,
    /// Views that were answered in measured frames with models at work.
    answered: u64,
    pictures: Vec<PathBuf>,
    memory_mib: Vec<f64>,
    errands: Errands,
    photographed: [bool; 6],
}

impl Tour<'_> {
    fn run(&mut self, app: &mut App) -> anyhow::Result<()> {
        let mut photographing = Duration::ZERO;
        // Shown on a terminal only.
        let progress = ProgressBar::new(self.settings.seconds as u64);
        progress.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} s of the tour")?);
        loop {
            // Time that pictures take is not time of the tour.
            let seconds = (self.started.elapsed() - photographing).as_secs_f64() - WARM_UP_SECONDS;
            let late = seconds - self.settings.seconds;
            if late >= LAST_WORDS_SECONDS || late >= 0.0 && !self.errands.under_way(app) {
                progress.finish_and_clear();
                return Ok(());
            }
            let phase = phase_at(&self.settings.cycle, seconds);
            switch_senses(app.world_mut(), phase);
            // What was begun is brought to its end in the next phase, and not measured there.
            let belated = dream_on(app.world_mut(), phase == Phase::Dreaming) && phase != Phase::Dreaming;
            let answered = |app: &App| app.world().resource::<RecognitionStatus>().answered;
            let (before, answered_before) = (Instant::now(), answered(app));
            app.update();
            if !belated && seconds > 0.0 && seconds < UNMEASURED_FROM * self.settings.seconds {
                self.frame_ms.entry(phase).or_default().push(before.elapsed().as_secs_f64() * 1e3);
                if phase.sees() {
                    self.answered += answered(app) - answered_before;
                }
            }
            progress.set_position(seconds.clamp(0.0, self.settings.seconds) as u64);
            self.errands.run(app, self.settings, seconds / self.settings.seconds);
            if seconds >= MEMORY_EVERY_SECONDS * self.memory_mib.len() as f64 {
                self.memory_mib.extend(resident_mib());
            }
            let before = Instant::now();
            self.take_due_pictures(app, seconds / self.settings.seconds)?;
            photographing += before.elapsed();
        }
    }

    fn report(self, app: &mut App, adapter: &str) -> anyhow::Result<TourReport> {
        let world = app.world_mut();
        let spread = |phase| Spread::of(self.frame_ms.get(&phase).map_or(&[], Vec::as_slice));
        let frame_ms = FrameTimes {
            ai_on: spread(Phase::AiOn),
            ai_off: spread(Phase::AiOff),
            eyes_off: spread(Phase::EyesOff),
            dreaming: spread(Phase::Dreaming),
        };
        let textures_dreamt = dreamt(world);
        let status = world.resource::<RecognitionStatus>().clone();
        let models = world.resource::<Models>();
        let (detector, statuses) = (models.for_task(TASK).map(Worker::status), models.statuses());
        let ai_seconds: f64 =
            self.frame_ms.iter().filter(|(phase, _)| phase.sees()).flat_map(|(_, times)| times).sum::<f64>() / 1e3;
        let classes = world.resource::<ClassTable>().len();
        let (live, views) = world.resource::<LiveScore>().figures(classes);
        let mut eyes = world.query_filtered::<&EyeStatus, With<CompanionEye>>();
        let dropped = eyes.iter(world).map(|eye| eye.dropped).sum::<u64>() + status.dropped;
        let ages: Vec<f64> = status.ages_seconds.iter().map(|age| age * 1e3).collect();
        let took: Vec<f64> = status.took_ms.iter().copied().collect();
        let mut faults: Vec<String> = status.last_fault.into_iter().collect();
        for model in statuses {
            faults.extend(model.last_fault);
            if let Status::Unavailable(reason) = &model.status {
                faults.push(format!("{}: {reason}", model.name));
            }
        }
        if detector.is_none() {
            faults.push("no model that detects: the companion is blind".to_owned());
        }
        Ok(TourReport {
            scene: self.settings.scene.display().to_string(),
            adapter: adapter.to_owned(),
            seconds: self.settings.seconds,
            frames: self.frame_ms.values().map(Vec::len).sum(),
            frame_ms,
            textures_dreamt,
            views_per_second: if ai_seconds > 0.0 { self.answered as f64 / ai_seconds } else { 0.0 },
            views_dropped: dropped,
            percept_age_ms: Spread::of(&ages),
            inference_ms: Spread::of(&took),
            provider: detector.and_then(|detector| detector.provider).unwrap_or_default(),
            live: LiveFigures { precision: live.precision, recall: live.recall, f1: live.f1, views },
            ear: self.errands.ear_figures(world),
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
