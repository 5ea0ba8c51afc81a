//! What the player has chosen on this machine. Plain values; `settings_file` reads and writes them.

use bevy::prelude::Resource;
use serde::{Deserialize, Serialize};

use super::{bindings::Bindings, eye_height};
use crate::sensors::TalkMode;

/// Everything on the settings page. Unknown fields of a file are ignored and missing ones get their defaults, so that
/// older and newer versions read each other's files.
#[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub window: WindowSettings,
    pub quality: QualityChoice,
    /// Pixels drawn for 100 pixels of the window, per side, 25 to 100; `None` leaves it to the quality.
    pub resolution_percent: Option<u32>,
    /// Vertical, degrees, 40 to 100.
    pub field_of_view_degrees: f32,
    /// Degrees per 100 pixels of mouse movement, 1 to 40.
    pub mouse_sensitivity: f32,
    pub invert_pitch: bool,
    /// Whether one press takes a thing and the next lets it go; otherwise it is held as long as the button is.
    pub toggle_grab: bool,
    /// Whether names float over what the companion recognises.
    pub labels: bool,
    /// Whether words that were heard or said appear on the screen.
    pub subtitles: bool,
    /// Whether quiet music plays.
    pub music: bool,
    /// Whether sounds are made for headphones, so that they lie around the head; else for loudspeakers.
    pub headphones: bool,
    pub volumes: Volumes,
    pub voice: VoiceSettings,
    pub headset: HeadsetSettings,
    pub bindings: Bindings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: WindowSettings::default(),
            quality: QualityChoice::Auto,
            resolution_percent: None,
            field_of_view_degrees: 60.0,
            mouse_sensitivity: 10.0,
            invert_pitch: false,
            toggle_grab: true,
            labels: true,
            subtitles: true,
            music: false,
            headphones: true,
            volumes: Volumes::default(),
            voice: VoiceSettings::default(),
            headset: HeadsetSettings::default(),
            bindings: Bindings::default(),
        }
    }
}

impl Settings {
    /// Brings numbers from a file into their ranges (NaN to the default) and completes the bindings.
    pub fn sanitise(&mut self) {
        let default = Settings::default();
        let within = |value: &mut f32, low: f32, high: f32, default: f32| {
            *value = if value.is_finite() { value.clamp(low, high) } else { default };
        };
        within(&mut self.field_of_view_degrees, 40.0, 100.0, default.field_of_view_degrees);
        within(&mut self.mouse_sensitivity, 1.0, 40.0, default.mouse_sensitivity);
        within(&mut self.volumes.master, 0.0, 1.0, default.volumes.master);
        within(&mut self.volumes.effects, 0.0, 1.0, default.volumes.effects);
        within(&mut self.volumes.companion, 0.0, 1.0, default.volumes.companion);
        within(&mut self.voice.sensitivity, 0.0, 1.0, default.voice.sensitivity);
        self.resolution_percent = self.resolution_percent.map(|percent| percent.clamp(25, 100));
        within(&mut self.volumes.music, 0.0, 1.0, default.volumes.music);
        self.window.width = self.window.width.clamp(640, 7680);
        self.window.height = self.window.height.clamp(360, 4320);
        within(&mut self.headset.snap_degrees, 15.0, 90.0, default.headset.snap_degrees);
        self.headset.render_scale_percent = self.headset.render_scale_percent.clamp(50, 150);
        self.headset.eye_height_m = self
            .headset
            .eye_height_m
            .filter(|height| height.is_finite())
            .map(|height| height.clamp(*eye_height::STANDING_M.start(), *eye_height::STANDING_M.end()));
        self.bindings.complete();
    }
}

/// The window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowSettings {
    pub mode: WindowChoice,
    /// Of a window that does not fill the screen, pixels.
    pub width: u32,
    pub height: u32,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self { mode: WindowChoice::Windowed, width: 1280, height: 720 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowChoice {
    #[default]
    Windowed,
    Fullscreen,
}

/// The quality preset; `Auto` goes by the graphics adapter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityChoice {
    #[default]
    Auto,
    Software,
    Low,
    Medium,
    High,
}

/// Loudness, linear, 0 to 1. `master` multiplies the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volumes {
    pub master: f32,
    pub effects: f32,
    pub companion: f32,
    pub music: f32,
}

impl Default for Volumes {
    fn default() -> Self {
        Self { master: 0.8, effects: 0.8, companion: 0.8, music: 0.5 }
    }
}

/// Whether and how the player's voice is listened to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VoiceSettings {
    /// Whether the microphone is open at all.
    pub microphone_on: bool,
    /// By name; `None`: the system's default.
    pub microphone: Option<String>,
    pub mode: TalkMode,
    /// 0 (only loud and clear voices) to 1 (everything that may be one).
    pub sensitivity: f32,
    /// Whether the companion's answers are also spoken, where espeak-ng is installed.
    pub answers_aloud: bool,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self { microphone_on: true, microphone: None, mode: TalkMode::Voice, sensitivity: 0.5, answers_aloud: false }
    }
}

/// How one moves in a headset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadsetSettings {
    pub locomotion: Locomotion,
    pub turning: Turning,
    /// Of one snap turn, 15 to 90.
    pub snap_degrees: f32,
    /// The left hand turns and points, the right one walks.
    pub left_handed: bool,
    /// Whether the edge of the picture closes in while one is moved.
    pub vignette: bool,
    /// Whether one sits: the eyes are put to where they are when one stands.
    pub seated: bool,
    /// From the floor to the eyes of the player who stands, metres, as [`eye_height::STANDING_M`]; `None`: never measured.
    pub eye_height_m: Option<f32>,
    /// Whether the player was asked once how to move.
    pub comfort_chosen: bool,
    /// Pixels drawn for 100 pixels that the headset recommends, per side, 50 to 150.
    pub render_scale_percent: u32,
    /// Pictures per second, where the headset offers a choice; `None` leaves it to the headset.
    pub refresh_hz: Option<u32>,
}

impl Default for HeadsetSettings {
    fn default() -> Self {
        Self {
            locomotion: Locomotion::Teleport,
            turning: Turning::Snap,
            snap_degrees: 30.0,
            left_handed: false,
            vignette: true,
            seated: false,
            eye_height_m: None,
            comfort_chosen: false,
            render_scale_percent: 100,
            refresh_hz: None,
        }
    }
}

/// How much motion a player is at ease with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comfort {
    /// Nothing moves but the player's own head.
    Gentle,
    Balanced,
    Free,
}

impl HeadsetSettings {
    /// The preset that these settings are, if they are one.
    pub fn comfort(&self) -> Option<Comfort> {
        [Comfort::Gentle, Comfort::Balanced, Comfort::Free].into_iter().find(|comfort| {
            let mut preset = *self;
            preset.apply(*comfort);
            preset == *self
        })
    }

    /// From the floor to the eyes of the player who stands, metres, measured or assumed.
    pub fn eye_height(&self) -> f32 {
        self.eye_height_m.unwrap_or(eye_height::ASSUMED_M)
    }

    /// Sets what a preset is about; handedness, posture and the size of a turn stay.
    pub fn apply(&mut self, comfort: Comfort) {
        (self.locomotion, self.turning, self.vignette) = match comfort {
            Comfort::Gentle => (Locomotion::Teleport, Turning::Snap, true),
            Comfort::Balanced => (Locomotion::Smooth, Turning::Snap, true),
            Comfort::Free => (Locomotion::Smooth, Turning::Smooth, false),
        };
    }
}

/// What the walking hand's stick does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locomotion {
    /// Pushed forward it aims, let go it teleports.
    #[default]
    Teleport,
    /// It walks, towards where one looks.
    Smooth,
}

/// What the turning hand's stick does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turning {
    #[default]
    Snap,
    Smooth,
}
