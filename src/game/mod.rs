//! What surrounds play: the loading screen, what floats over the picture, the menu, sound.
//!
//! In: states and statuses of other rooms, [`platform::Settings`](crate::platform::settings::Settings), actions that are
//! not about the body. Out: the screen, sounds, changed settings, whether the player's input reaches the body.

mod ask_list;
mod ask_screen;
mod comfort_page;
mod deeds;
mod dream_key;
mod ear_sign;
mod fading_lines;
pub mod floating_labels;
mod footsteps;
pub mod hud;
mod labels_in_headset;
pub mod loading;
mod material_browser;
pub mod menu;
mod menu_page;
mod menu_screen;
mod music;
pub mod notices;
pub mod panel;
mod placed_sound;
mod recording_signs;
pub mod sound;
mod spoken_answers;
mod subtitles;
mod synth;
mod theme;
mod window;

use bevy::prelude::*;

pub use deeds::{ScreenDeedsPlugin, register_actions};
pub use floating_labels::{FloatingLabel, FloatingLabels};
pub use loading::Loading;
pub use panel::PerceptionPanel;
pub use sound::{PlaySound, SoundKind};

use crate::{
    platform::{
        bindings::Action,
        flat::{Pressed, Steering},
        tracking::Tracking,
    },
    sensors::EarSettings,
};

/// Everything of this room. Needs a window app with `FlatRigPlugin` and `SettingsPlugin`.
pub struct GamePlugin;

impl Plugin for GamePlugin {
    fn build(&self, app: &mut App) {
        app.init_state::<GameState>()
            .init_resource::<Attended>()
            .add_plugins((
                theme::ThemePlugin,
                loading::LoadingPlugin,
                hud::HudPlugin,
                notices::NoticesPlugin,
                menu_screen::MenuPlugin,
                panel::PanelPlugin,
                floating_labels::FloatingLabelsPlugin,
                sound::SoundPlugin,
                footsteps::FootstepsPlugin,
                window::WindowSettingsPlugin,
            ))
            .add_plugins((
                ask_screen::AskPlugin,
                ear_sign::EarSignPlugin,
                ScreenDeedsPlugin,
                dream_key::DreamKeyPlugin,
                material_browser::MaterialBrowserPlugin,
                fading_lines::FadingLinesPlugin,
                recording_signs::RecordingSignsPlugin,
                music::MusicPlugin,
                spoken_answers::SpokenAnswersPlugin,
                subtitles::SubtitlesPlugin,
            ))
            .add_systems(
                Update,
                (pause_and_resume.after(ask_screen::AskSystems), pause_without_focus)
                    .run_if(in_state(GameState::Playing)),
            )
            .add_systems(OnEnter(GameState::Playing), (resume_time, open_ear))
            .add_systems(OnExit(GameState::Playing), close_ear)
            .add_systems(OnEnter(GameState::Loading), close_ear)
            .add_systems(OnEnter(GameState::Paused), stop_time);
    }
}

/// Whether a player is there: scripts and recordings answer no questions, and no window behind another stops them.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attended(pub bool);

impl Default for Attended {
    fn default() -> Self {
        Self(true)
    }
}

/// What the program is doing, as far as the player can tell.
#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GameState {
    /// The scene, its pictures and the renderer's programs are being made ready.
    #[default]
    Loading,
    Playing,
    /// The menu is open and the world stands still.
    Paused,
}

fn pause_and_resume(mut pressed: MessageReader<Pressed>, mut next: ResMut<NextState<GameState>>) {
    if pressed.read().any(|pressed| pressed.0 == Action::Pause) {
        next.set(GameState::Paused);
    }
}

/// Whoever changes to another window does not want the world to go on.
fn pause_without_focus(
    mut focus: MessageReader<bevy::window::WindowFocused>,
    mut next: ResMut<NextState<GameState>>,
    tracking: Option<Res<Tracking>>,
    attended: Res<Attended>,
) {
    // Whoever wears a headset is not at the window anyway.
    if !attended.0 || tracking.is_some_and(|tracking| tracking.worn) {
        focus.clear();
        return;
    }
    if focus.read().last().is_some_and(|focus| !focus.focused) {
        next.set(GameState::Paused);
    }
}

fn open_ear(mut ear: ResMut<EarSettings>) {
    ear.attending = true;
}

/// Words that are said to a menu, or before there is a world, are for nobody.
fn close_ear(mut ear: ResMut<EarSettings>) {
    ear.attending = false;
}

fn resume_time(
    mut steering: ResMut<Steering>,
    mut time: ResMut<Time<Virtual>>,
    mut pressed: ResMut<Messages<Pressed>>,
) {
    steering.0 = true;
    time.unpause();
    // The key that closed the menu would open it again.
    pressed.clear();
}

fn stop_time(mut steering: ResMut<Steering>, mut time: ResMut<Time<Virtual>>) {
    steering.0 = false;
    time.pause();
}
