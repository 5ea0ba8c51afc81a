//! The loading screen: what is still being made ready, as far as it can be counted.
//!
//! In: [`Loading`] (any room reports its steps there), the active scene or its problems, how many of the renderer's
//! programs are still being compiled. Out: `GameState::Playing` when everything is there and has stood ready for some
//! frames. The first scene is held back for a few frames, so that this screen is there before the world is built. A scene that cannot be read stays on this screen with its problems until the file is mended.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bevy::{
    prelude::*,
    render::{Render, RenderApp, RenderSystems, render_resource::PipelineCache},
};

use super::{GameState, theme};
use crate::{
    platform::{
        flat::FlatCamera,
        panels::{PanelKind, ShownOn},
    },
    scene::{ActiveScene, SceneChanged, SceneProblems},
    world::{BuildPace, ImportEnded, ImportedObject, Preparation, WorldSystems, light::Lighting},
};

/// Shows progress and decides when play begins.
pub(super) struct LoadingPlugin;

impl Plugin for LoadingPlugin {
    fn build(&self, app: &mut App) {
        let waiting = PipelinesWaiting::default();
        if let Some(render) = app.get_sub_app_mut(RenderApp) {
            render.insert_resource(waiting.clone()).add_systems(Render, count_pipelines.in_set(RenderSystems::Cleanup));
        }
        app.init_resource::<Loading>()
            .init_resource::<SceneProblems>()
            .init_resource::<HeldScene>()
            // So that this screen moves while the world is built.
            .insert_resource(BuildPace::Background)
            .add_message::<SceneChanged>()
            .insert_resource(waiting)
            // The scene is read in `PreStartup` and looked at again in `First`; `PreUpdate` builds it.
            .add_systems(PostStartup, hold_scene)
            .add_systems(PreUpdate, release_scene.before(WorldSystems::Build))
            .add_systems(OnEnter(GameState::Loading), show)
            .add_systems(OnExit(GameState::Loading), hide)
            .add_systems(Update, (count_steps, update_screen, begin_play).chain().run_if(in_state(GameState::Loading)));
    }
}

/// What is being loaded: for each step how much of it is done. Rooms that load something report it here.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// In the order in which they were first reported.
    steps: Vec<(&'static str, Step)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Step {
    done: usize,
    total: usize,
}

impl Loading {
    /// Reports that `done` of `total` parts of a step are ready.
    pub fn report(&mut self, step: &'static str, done: usize, total: usize) {
        let news = Step { done: done.min(total), total };
        match self.steps.iter_mut().find(|(name, _)| *name == step) {
            Some((_, old)) => *old = news,
            None => self.steps.push((step, news)),
        }
    }

    /// Share of all steps that is done, 0 to 1; every step weighs the same.
    pub fn fraction(&self) -> f32 {
        if self.steps.is_empty() {
            return 0.0;
        }
        let share = |step: &Step| if step.total == 0 { 1.0 } else { step.done as f32 / step.total as f32 };
        self.steps.iter().map(|(_, step)| share(step)).sum::<f32>() / self.steps.len() as f32
    }

    /// The first step that is not done, as a sentence: `rooms and things, 12 of 96`.
    pub fn current(&self) -> Option<String> {
        self.steps.iter().find(|(_, step)| step.done < step.total).map(|(name, step)| {
            if step.total > 1 { format!("{name}, {} of {}", step.done, step.total) } else { (*name).to_owned() }
        })
    }

    /// Whether there are steps and all are done.
    pub fn is_complete(&self) -> bool {
        !self.steps.is_empty() && self.current().is_none()
    }
}

/// Programs that the renderer still compiles; written by the render world, read by the main world.
#[derive(Resource, Clone, Default)]
struct PipelinesWaiting(Arc<AtomicUsize>);

fn count_pipelines(cache: Res<PipelineCache>, waiting: Res<PipelinesWaiting>) {
    waiting.0.store(cache.waiting_pipelines().count(), Ordering::Relaxed);
}

/// News of the first scene, kept until the loading screen has been drawn: building the world takes seconds on a slow
/// machine, and nothing is shown meanwhile.
#[derive(Resource, Default)]
struct HeldScene {
    news: Vec<SceneChanged>,
    frames: u32,
}

/// Frames that the loading screen gets before the world is built.
const FRAMES_AHEAD: u32 = 4;

fn hold_scene(mut held: ResMut<HeldScene>, mut changes: ResMut<Messages<SceneChanged>>) {
    held.news = changes.drain().collect();
}

fn release_scene(mut held: ResMut<HeldScene>, mut changes: MessageWriter<SceneChanged>) {
    held.frames = held.frames.saturating_add(1);
    if held.frames > FRAMES_AHEAD {
        for news in held.news.drain(..) {
            changes.write(news);
        }
    }
}

const SCENE: &str = "reading the scene";
const MODELS: &str = "reading models";
const WORLD: &str = "building rooms and things";
const LIGHT: &str = "following the light";
const PROGRAMS: &str = "preparing the picture";

fn count_steps(
    scene: Option<Res<ActiveScene>>,
    cameras: Query<(), With<FlatCamera>>,
    models: Query<Has<ImportEnded>, With<ImportedObject>>,
    waiting: Res<PipelinesWaiting>,
    (preparation, lighting): (Option<Res<Preparation>>, Option<Res<Lighting>>),
    mut most: Local<usize>,
    mut loading: ResMut<Loading>,
) {
    loading.report(SCENE, usize::from(scene.is_some()), 1);
    let (done, total) = preparation.and_then(|preparation| preparation.progress()).unwrap_or_default();
    // The last part is to make entities of what was prepared.
    let built = if cameras.is_empty() { done } else { total + 1 };
    loading.report(WORLD, built, total + 1);
    if !models.is_empty() {
        loading.report(MODELS, models.iter().filter(|ended| *ended).count(), models.iter().count());
    }
    if let Some(lighting) = lighting {
        let (done, total) = lighting.progress();
        loading.report(LIGHT, done, total);
    }
    let waiting = waiting.0.load(Ordering::Relaxed);
    *most = waiting.max(*most);
    // Nothing is compiled before there is something to draw.
    let (done, total) = if cameras.is_empty() { (0, 1) } else { (*most - waiting, *most) };
    loading.report(PROGRAMS, done, total);
}

/// Frames in a row that must be complete: a newly drawn thing asks for its programs a frame or two later.
const SETTLED_FRAMES: u32 = 5;

fn begin_play(loading: Res<Loading>, mut settled: Local<u32>, mut next: ResMut<NextState<GameState>>) {
    *settled = if loading.is_complete() { *settled + 1 } else { 0 };
    if *settled >= SETTLED_FRAMES {
        next.set(GameState::Playing);
    }
}

/// The screen, and the camera that shows it until the player has one.
#[derive(Component)]
struct LoadingScreen;
#[derive(Component)]
struct LoadingCamera;
#[derive(Component)]
struct Bar;
#[derive(Component)]
struct Line;
#[derive(Component)]
struct Problems;

fn show(mut commands: Commands) {
    commands.spawn((
        LoadingCamera,
        Name::new("loading camera"),
        Camera2d,
        Msaa::Off,
        // Over the player's camera, so that a half-built world is not seen.
        Camera { order: 100, clear_color: ClearColorConfig::Custom(theme::INK_SOLID), ..default() },
        IsDefaultUiCamera,
    ));
    commands.spawn((
        LoadingScreen,
        ShownOn(PanelKind::Menu),
        Name::new("loading screen"),
        Node { row_gap: px(18), ..theme::cover() },
        BackgroundColor(theme::INK_SOLID),
        children![
            theme::text("Umwelt", 64.0, theme::TEXT),
            theme::text("the world as one creature perceives it", 17.0, theme::MUTED),
            (
                Node {
                    width: px(420),
                    height: px(4),
                    margin: UiRect::top(px(36)),
                    border_radius: BorderRadius::all(px(2)),
                    ..default()
                },
                BackgroundColor(theme::RAISED),
                children![(
                    Bar,
                    Node {
                        width: percent(0),
                        height: percent(100),
                        border_radius: BorderRadius::all(px(2)),
                        ..default()
                    },
                    BackgroundColor(theme::ACCENT),
                )],
            ),
            (Line, theme::text(" ", 15.0, theme::MUTED)),
            (Problems, Node { max_width: px(860), ..default() }, theme::text("", 15.0, theme::WARNING)),
        ],
    ));
}

fn update_screen(
    loading: Res<Loading>,
    problems: Res<SceneProblems>,
    scene: Option<Res<ActiveScene>>,
    mut bars: Query<&mut Node, With<Bar>>,
    mut lines: Query<&mut Text, (With<Line>, Without<Problems>)>,
    mut told: Query<&mut Text, With<Problems>>,
) {
    for mut bar in &mut bars {
        bar.width = percent(100.0 * loading.fraction());
    }
    let stuck = scene.is_none() && !problems.0.is_empty();
    for mut line in &mut lines {
        let words = if stuck {
            "The scene cannot be read. Mend the file and save it: it is read again at once.".to_owned()
        } else {
            loading.current().unwrap_or_default()
        };
        line.set_if_neq(Text(words));
    }
    for mut text in &mut told {
        let words = if stuck { problem_lines(&problems, 10) } else { String::new() };
        text.set_if_neq(Text(words));
    }
}

/// The first problems, a line each, and how many more there are.
pub(super) fn problem_lines(problems: &SceneProblems, at_most: usize) -> String {
    let mut lines: Vec<String> = problems.0.iter().take(at_most).map(ToString::to_string).collect();
    if problems.0.len() > at_most {
        lines.push(format!("and {} more; `umwelt check` lists all", problems.0.len() - at_most));
    }
    lines.join("\n")
}

fn hide(mut commands: Commands, shown: Query<Entity, Or<(With<LoadingScreen>, With<LoadingCamera>)>>) {
    for entity in &shown {
        commands.entity(entity).despawn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_every_step_once() {
        let mut loading = Loading::default();
        assert!(!loading.is_complete(), "nothing reported is not everything done");
        loading.report("a", 1, 1);
        loading.report("b", 25, 50);
        assert_eq!(loading.fraction(), 0.75);
        assert_eq!(loading.current().as_deref(), Some("b, 25 of 50"));
        loading.report("b", 50, 50);
        assert!(loading.is_complete());
        // A step without parts is done.
        loading.report("c", 0, 0);
        assert_eq!(loading.fraction(), 1.0);
    }
}
