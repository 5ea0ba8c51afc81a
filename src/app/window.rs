//! Play in a window: the inhabited world with the flat rig, menus and sound.
//!
//! Whoever records or replays input begins with a whole scene in which no time has passed: play begins ([`GameState::Playing`]) when all
//! of it is there, and only then time goes on.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use bevy::{
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
    window::{PresentMode, PrimaryWindow, WindowResolution},
    winit::WinitSettings,
};

use super::{
    Exit, Lacking,
    companion_pictures::CompanionPictures,
    graphics,
    headset::{self, Headset},
    inhabited::InhabitedWorldPlugin,
    perception_on_screen::PerceptionOnScreenPlugin,
    replay::{ReplayAnswer, ReplayPlugin, configure_companion_input, hold_world},
};
use crate::{
    game::{Attended, GamePlugin, GameState, notices::Screenshots},
    inference::InferenceSettings,
    platform::{
        PanelsPlugin, SettingsFile, SettingsPlugin, TalkingPlugin, TrackedRigPlugin,
        flat::FlatRigPlugin,
        headset::HeadsetStatus,
        input_log::{InputLog, RecordInputPlugin},
        scaled_view::ScaledViewPlugin,
    },
    sensors::{EarPlugin, EarSource},
    world::register_scene_folder,
};

/// What a window is opened with.
#[derive(Clone, Debug)]
pub struct WindowSettings {
    pub scene: PathBuf,
    pub inference: InferenceSettings,
    /// Whether it is played in a headset too.
    pub headset: Headset,
    /// Whether it is played there or not at all.
    pub headset_forced: bool,
    /// What the ear is held to.
    pub ear: EarSource,
    pub size: UVec2,
    /// Leave after so many frames of play.
    pub frames: Option<u64>,
    /// A picture of the last of them goes here.
    pub screenshot: Option<PathBuf>,
    /// What the player does goes here.
    pub record_input: Option<PathBuf>,
    /// What is done instead of what the player does.
    pub replay: Option<Arc<InputLog>>,
    /// Leave when the replay is over.
    pub leave: bool,
    /// The player's settings, and where dreamt textures are kept between runs; `None`: nowhere.
    pub config: Option<PathBuf>,
    pub texture_cache: Option<PathBuf>,
}

/// Opens the window and plays until it is closed.
///
/// # Errors
/// - [`super::Lacking`] if the machine has no graphics adapter, or the headset that was asked for cannot be played in
/// - the screenshot could not be written
pub fn play(settings: WindowSettings) -> anyhow::Result<Exit> {
    graphics::require_adapter()?;
    let mut app = App::new();
    register_scene_folder(&mut app, &settings.scene);
    headset::add_plugins(
        &mut app,
        DefaultPlugins
            .set(WindowPlugin {
                primary_window: Some(Window {
                    title: "Umwelt".to_owned(),
                    resolution: WindowResolution::new(settings.size.x, settings.size.y),
                    present_mode: PresentMode::AutoVsync,
                    ..default()
                }),
                ..default()
            })
            .set(super::assets())
            .set(super::log()),
        &settings.headset,
        false,
    );
    if settings.headset_forced {
        headset::require_device(&app)?;
        app.add_systems(Update, leave_unless_worn.run_if(run_once));
    }
    app.add_systems(Update, leave_pace_to_headset.run_if(resource_exists_and_changed::<HeadsetStatus>));
    add_play(&mut app, &settings);
    let exit = app.run();
    if let Some(error) = app.world_mut().get_resource_mut::<Session>().and_then(|mut session| session.error.take()) {
        return Err(error);
    }
    Ok(if exit.is_success() { Exit::Done } else { Exit::Bad })
}

/// All of play but Bevy's own plugins.
pub fn add_play(app: &mut App, settings: &WindowSettings) {
    app.add_plugins((
        SettingsPlugin { path: settings.config.clone() },
        FlatRigPlugin,
        TrackedRigPlugin,
        PanelsPlugin,
        ScaledViewPlugin,
        TalkingPlugin,
        GamePlugin,
        InhabitedWorldPlugin {
            scene: settings.scene.clone(),
            inference: settings.inference.clone(),
            texture_cache: settings.texture_cache.clone(),
        },
        PerceptionOnScreenPlugin,
        EarPlugin { source: settings.ear.clone() },
    ))
    .insert_resource(Attended(settings.frames.is_none() && settings.replay.is_none()))
    .insert_resource(Screenshots { folder: super::picture_folder() })
    .insert_resource(CompanionPictures { folder: super::picture_folder() })
    .insert_resource(Session { frames: settings.frames, screenshot: settings.screenshot.clone(), ..default() })
    .add_systems(Last, end_session.run_if(in_state(GameState::Playing)));
    if let Some(path) = &settings.record_input {
        app.add_plugins(RecordInputPlugin { path: path.clone(), scene: settings.scene.clone() })
            .add_systems(Startup, hold_world);
        configure_companion_input(app);
    }
    if let Some(log) = &settings.replay {
        // What the recording commands (music, names) is no choice of this player's: it is not kept.
        app.insert_resource(SettingsFile::default());
        let leave = settings.leave;
        app.add_plugins(ReplayPlugin { log: log.clone() }).add_systems(
            Update,
            (move |answer: Res<ReplayAnswer>, exit: MessageWriter<AppExit>| tell_answer(&answer, leave, exit))
                .run_if(resource_exists_and_changed::<ReplayAnswer>),
        );
    }
}

/// The same answer as without a window.
fn tell_answer(answer: &ReplayAnswer, leave: bool, mut exit: MessageWriter<AppExit>) {
    let Some(report) = &answer.0 else { return };
    match serde_json::to_string(report) {
        Ok(line) => println!("{line}"),
        Err(error) => warn!("the replay's answer cannot be written: {error}"),
    }
    if leave {
        exit.write(AppExit::Success);
    }
}

/// How long a scripted session lasts, and its picture.
#[derive(Resource, Default)]
struct Session {
    frames: Option<u64>,
    screenshot: Option<PathBuf>,
    drawn: u64,
    asked: bool,
    error: Option<anyhow::Error>,
}

/// A headset has a pace of its own: the window must not hold it up.
fn leave_pace_to_headset(
    status: Res<HeadsetStatus>,
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
    mut pace: ResMut<WinitSettings>,
) {
    let leads = matches!(*status, HeadsetStatus::Waiting | HeadsetStatus::Worn);
    *pace = if leads { WinitSettings::continuous() } else { WinitSettings::game() };
    for mut window in &mut windows {
        window.present_mode = if leads { PresentMode::AutoNoVsync } else { PresentMode::AutoVsync };
    }
}

/// The first frame opens the session. Whoever wants the headset or nothing gets nothing where that fails.
fn leave_unless_worn(status: Res<HeadsetStatus>, mut session: ResMut<Session>, mut exit: MessageWriter<AppExit>) {
    if let HeadsetStatus::Absent(why) | HeadsetStatus::Lost(why) = &*status {
        session.error = Some(Lacking(format!("--vr: {why}")).into());
        exit.write(AppExit::error());
    }
}

/// Counts frames of play; at the last one takes the picture, if there is to be one, and leaves.
fn end_session(mut session: ResMut<Session>, mut commands: Commands, windows: Query<(), With<PrimaryWindow>>) {
    session.drawn += 1;
    let Some(frames) = session.frames else { return };
    if session.drawn < frames || session.asked || windows.is_empty() {
        return;
    }
    session.asked = true;
    match session.screenshot.take() {
        None => {
            commands.write_message(AppExit::Success);
        }
        Some(path) => {
            commands.spawn(Screenshot::primary_window()).observe(
                move |captured: On<ScreenshotCaptured>,
                      mut session: ResMut<Session>,
                      mut exit: MessageWriter<AppExit>| {
                    session.error = save(&captured.image, &path).err();
                    exit.write(AppExit::Success);
                },
            );
        }
    }
}

fn save(picture: &Image, path: &std::path::Path) -> anyhow::Result<()> {
    let picture = picture.clone().try_into_dynamic().context("the window's picture has an unusual format")?;
    picture.to_rgb8().save(path).with_context(|| format!("{}", path.display()))
}
