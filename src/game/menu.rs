//! The menu as data: its pages, what their rows say, and what they do to the settings. `menu_screen` draws it.

use super::comfort_page;
use crate::platform::{
    bindings::{Action, Input},
    settings::{Comfort, Locomotion, QualityChoice, Settings, Turning, WindowChoice},
};
use crate::sensors::TalkMode;

/// One page of the menu.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Page {
    #[default]
    Main,
    Settings,
    Sound,
    Headset,
    /// Asked once, see `comfort_page`.
    Comfort,
    Bindings,
}

impl Page {
    pub(super) fn title(self) -> &'static str {
        match self {
            Page::Main => "Paused",
            Page::Settings => "Settings",
            Page::Sound => "Sound and voice",
            Page::Headset => "In the headset",
            Page::Comfort => "At ease in the headset",
            Page::Bindings => "Keys and buttons",
        }
    }

    /// What stands under the title.
    pub(super) fn lead(self) -> Option<&'static str> {
        (self == Page::Comfort).then_some(comfort_page::QUESTION)
    }
}

/// One row of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub label: String,
    /// The present choice, at the right.
    pub value: Option<String>,
    /// For quantities: where the value lies in its range, 0 to 1.
    pub fraction: Option<f32>,
    /// For one of several that exclude each other: whether it is the chosen one.
    pub mark: Option<bool>,
    pub deed: Deed,
}

/// What a row does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Deed {
    #[default]
    Resume,
    Open(Page),
    Back,
    Quit,
    /// Leaves the menu for what a key opens: not every controller has a button for it.
    Call(Action),
    Change(Choice),
    Prefer(Comfort),
    /// Measures how high the eyes are.
    Measure,
    /// Waits for a key.
    Rebind(Action),
    ResetBindings,
}

/// A setting that is stepped through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    WindowMode,
    WindowSize,
    Quality,
    Resolution,
    FieldOfView,
    MouseSensitivity,
    InvertPitch,
    ToggleGrab,
    Labels,
    MasterVolume,
    EffectsVolume,
    CompanionVolume,
    Subtitles,
    Music,
    MusicVolume,
    Headphones,
    MicrophoneOn,
    Microphone,
    TalkMode,
    Sensitivity,
    AnswersAloud,
    Comfort,
    Locomotion,
    Turning,
    SnapDegrees,
    Vignette,
    LeftHanded,
    Seated,
    EyeHeight,
    RenderScale,
    RefreshRate,
}

impl Choice {
    const OF_SETTINGS: [Choice; 9] = [
        Choice::WindowMode,
        Choice::WindowSize,
        Choice::Quality,
        Choice::Resolution,
        Choice::FieldOfView,
        Choice::MouseSensitivity,
        Choice::InvertPitch,
        Choice::ToggleGrab,
        Choice::Labels,
    ];

    const OF_SOUND: [Choice; 12] = [
        Choice::MasterVolume,
        Choice::EffectsVolume,
        Choice::CompanionVolume,
        Choice::MusicVolume,
        Choice::Music,
        Choice::Headphones,
        Choice::Subtitles,
        Choice::MicrophoneOn,
        Choice::Microphone,
        Choice::TalkMode,
        Choice::Sensitivity,
        Choice::AnswersAloud,
    ];

    const OF_HEADSET: [Choice; 10] = [
        Choice::Comfort,
        Choice::Locomotion,
        Choice::Turning,
        Choice::SnapDegrees,
        Choice::Vignette,
        Choice::LeftHanded,
        Choice::Seated,
        Choice::EyeHeight,
        Choice::RenderScale,
        Choice::RefreshRate,
    ];

    fn label(self) -> &'static str {
        match self {
            Choice::WindowMode => "Window",
            Choice::WindowSize => "Window size",
            Choice::Quality => "Quality",
            Choice::Resolution => "Drawn pixels",
            Choice::FieldOfView => "Field of view",
            Choice::MouseSensitivity => "Mouse sensitivity",
            Choice::InvertPitch => "Mouse up looks",
            Choice::ToggleGrab => "Taking things",
            Choice::Labels => "The companion's labels",
            Choice::MasterVolume => "Volume",
            Choice::EffectsVolume => "Volume of effects",
            Choice::CompanionVolume => "Volume of the companion",
            Choice::Subtitles => "Subtitles",
            Choice::Music => "Music",
            Choice::MusicVolume => "Volume of the music",
            Choice::Headphones => "You hear through",
            Choice::MicrophoneOn => "Microphone",
            Choice::Microphone => "Which microphone",
            Choice::TalkMode => "It listens",
            Choice::Sensitivity => "Sensitivity to voices",
            Choice::AnswersAloud => "The companion answers",
            Choice::Comfort => "Comfort",
            Choice::Locomotion => "The walking hand's stick",
            Choice::Turning => "The other hand's stick",
            Choice::SnapDegrees => "One turn",
            Choice::Vignette => "While moving, the view",
            Choice::LeftHanded => "You are",
            Choice::Seated => "You play",
            Choice::EyeHeight => "Your eyes, when you stand",
            Choice::RenderScale => "Pixels for each eye",
            Choice::RefreshRate => "Pictures per second",
        }
    }

    fn value(self, settings: &Settings, offered: Offered) -> String {
        let percent = |fraction: f32| format!("{:.0} %", 100.0 * fraction);
        match self {
            Choice::WindowMode => match settings.window.mode {
                WindowChoice::Windowed => "window".to_owned(),
                WindowChoice::Fullscreen => "whole screen".to_owned(),
            },
            Choice::WindowSize => format!("{} × {}", settings.window.width, settings.window.height),
            Choice::Quality => match settings.quality {
                QualityChoice::Auto => "automatic".to_owned(),
                QualityChoice::Software => "lowest (no graphics card)".to_owned(),
                QualityChoice::Low => "low".to_owned(),
                QualityChoice::Medium => "medium".to_owned(),
                QualityChoice::High => "high".to_owned(),
            },
            Choice::Resolution => match settings.resolution_percent {
                None => "as the quality says".to_owned(),
                Some(100) => "all of the window".to_owned(),
                Some(percent) => format!("{percent} % of each side"),
            },
            Choice::FieldOfView => format!("{:.0}°", settings.field_of_view_degrees),
            Choice::MouseSensitivity => format!("{:.0}", settings.mouse_sensitivity),
            Choice::InvertPitch => if settings.invert_pitch { "down" } else { "up" }.to_owned(),
            Choice::ToggleGrab => if settings.toggle_grab { "press once" } else { "keep pressed" }.to_owned(),
            Choice::Labels => if settings.labels { "shown" } else { "hidden" }.to_owned(),
            Choice::MasterVolume => percent(settings.volumes.master),
            Choice::EffectsVolume => percent(settings.volumes.effects),
            Choice::CompanionVolume => percent(settings.volumes.companion),
            Choice::Subtitles => if settings.subtitles { "shown" } else { "hidden" }.to_owned(),
            Choice::Music => if settings.music { "plays" } else { "off" }.to_owned(),
            Choice::MusicVolume => percent(settings.volumes.music),
            Choice::Headphones => match settings.headphones {
                true => "headphones: sounds lie around you".to_owned(),
                false => "loudspeakers".to_owned(),
            },
            Choice::MicrophoneOn => if settings.voice.microphone_on { "on" } else { "off" }.to_owned(),
            Choice::Microphone => match &settings.voice.microphone {
                None => "the system's default".to_owned(),
                Some(name) if offered.microphones.contains(name) => shortened(name),
                Some(name) => format!("{} (not there)", shortened(name)),
            },
            Choice::TalkMode => match settings.voice.mode {
                TalkMode::Voice => "when you speak".to_owned(),
                TalkMode::PushToTalk => format!("while {} is held", settings.bindings.hint(Action::Talk, false)),
            },
            Choice::Sensitivity => percent(settings.voice.sensitivity),
            Choice::AnswersAloud => match settings.voice.answers_aloud {
                true => "in words, and aloud (espeak-ng)".to_owned(),
                false => "in words".to_owned(),
            },
            Choice::Comfort => match settings.headset.comfort() {
                Some(Comfort::Gentle) => "gentle: teleports, snap turns",
                Some(Comfort::Balanced) => "balanced: walks, snap turns",
                Some(Comfort::Free) => "free: walks and turns smoothly",
                None => "as chosen below",
            }
            .to_owned(),
            Choice::Locomotion => match settings.headset.locomotion {
                Locomotion::Teleport => "teleports".to_owned(),
                Locomotion::Smooth => "walks".to_owned(),
            },
            Choice::Turning => match settings.headset.turning {
                Turning::Snap => "turns by steps".to_owned(),
                Turning::Smooth => "turns smoothly".to_owned(),
            },
            Choice::SnapDegrees => format!("{:.0}°", settings.headset.snap_degrees),
            Choice::Vignette => if settings.headset.vignette { "closes in" } else { "stays open" }.to_owned(),
            Choice::LeftHanded => match settings.headset.left_handed {
                true => "left-handed: the right stick walks".to_owned(),
                false => "right-handed: the left stick walks".to_owned(),
            },
            Choice::Seated => if settings.headset.seated { "seated" } else { "standing" }.to_owned(),
            Choice::EyeHeight => match settings.headset.eye_height_m {
                Some(height) => format!("{height:.2} m up"),
                None => format!("{:.2} m up, assumed", settings.headset.eye_height()),
            },
            Choice::RenderScale => match settings.headset.render_scale_percent {
                100 => "as the headset recommends".to_owned(),
                percent => format!("{percent} % of each side"),
            },
            Choice::RefreshRate => match settings.headset.refresh_hz {
                None => "as the headset chooses".to_owned(),
                Some(rate) if offered.rates.contains(&rate) => rate.to_string(),
                Some(rate) => format!("{rate} (not offered)"),
            },
        }
    }

    fn fraction(self, settings: &Settings) -> Option<f32> {
        match self {
            Choice::FieldOfView => Some((settings.field_of_view_degrees - 40.0) / 60.0),
            Choice::MouseSensitivity => Some((settings.mouse_sensitivity - 1.0) / 39.0),
            Choice::MasterVolume => Some(settings.volumes.master),
            Choice::EffectsVolume => Some(settings.volumes.effects),
            Choice::CompanionVolume => Some(settings.volumes.companion),
            Choice::MusicVolume => Some(settings.volumes.music),
            Choice::Sensitivity => Some(settings.voice.sensitivity),
            _ => None,
        }
    }
}

/// Names of devices can be long: the row has room for this many letters.
const NAME_LETTERS: usize = 40;

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_LETTERS {
        return name.to_owned();
    }
    name.chars().take(NAME_LETTERS - 1).chain(['…']).collect()
}

/// Sizes that a window steps through.
const WINDOW_SIZES: [(u32, u32); 6] = [(960, 540), (1280, 720), (1600, 900), (1920, 1080), (2560, 1440), (3840, 2160)];

/// What the picture's resolution steps through, percent of the window's.
const RESOLUTIONS: [Option<u32>; 6] = [None, Some(35), Some(50), Some(67), Some(80), Some(100)];

/// The neighbour of `current` in a ring of values.
fn step<T: Clone + PartialEq>(ring: &[T], current: T, forward: bool) -> T {
    let at = ring.iter().position(|value| *value == current).unwrap_or(0);
    let next = if forward { at + 1 } else { at + ring.len() - 1 };
    ring[next % ring.len()].clone()
}

/// What the machine has to choose from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offered<'a> {
    pub microphones: &'a [String],
    /// Pictures per second of the headset; empty: no choice, or no headset.
    pub rates: &'a [u32],
    /// Whether a headset is worn.
    pub worn: bool,
    /// How measuring the player goes, in words.
    pub measuring: &'a str,
}

/// Moves a setting one step on or back. Quantities stop at their ends, choices go round.
pub(super) fn change(settings: &mut Settings, choice: Choice, forward: bool, offered: Offered) {
    let sign = if forward { 1.0 } else { -1.0 };
    let tenth = |value: f32| (10.0 * value + sign).round() / 10.0;
    match choice {
        Choice::WindowMode => {
            settings.window.mode =
                step(&[WindowChoice::Windowed, WindowChoice::Fullscreen], settings.window.mode, forward);
        }
        Choice::WindowSize => {
            let size = (settings.window.width, settings.window.height);
            (settings.window.width, settings.window.height) = step(&WINDOW_SIZES, size, forward);
        }
        Choice::Quality => {
            let ring = [
                QualityChoice::Auto,
                QualityChoice::Software,
                QualityChoice::Low,
                QualityChoice::Medium,
                QualityChoice::High,
            ];
            settings.quality = step(&ring, settings.quality, forward);
        }
        Choice::Resolution => {
            settings.resolution_percent = step(&RESOLUTIONS, settings.resolution_percent, forward);
        }
        Choice::FieldOfView => settings.field_of_view_degrees += 5.0 * sign,
        Choice::MouseSensitivity => settings.mouse_sensitivity += sign,
        Choice::InvertPitch => settings.invert_pitch = !settings.invert_pitch,
        Choice::ToggleGrab => settings.toggle_grab = !settings.toggle_grab,
        Choice::Labels => settings.labels = !settings.labels,
        Choice::MasterVolume => settings.volumes.master = tenth(settings.volumes.master),
        Choice::EffectsVolume => settings.volumes.effects = tenth(settings.volumes.effects),
        Choice::CompanionVolume => settings.volumes.companion = tenth(settings.volumes.companion),
        Choice::Subtitles => settings.subtitles = !settings.subtitles,
        Choice::Music => settings.music = !settings.music,
        Choice::MusicVolume => settings.volumes.music = tenth(settings.volumes.music),
        Choice::Headphones => settings.headphones = !settings.headphones,
        Choice::MicrophoneOn => settings.voice.microphone_on = !settings.voice.microphone_on,
        Choice::Microphone => {
            let ring: Vec<Option<String>> =
                std::iter::once(None).chain(offered.microphones.iter().cloned().map(Some)).collect();
            settings.voice.microphone = step(&ring, settings.voice.microphone.clone(), forward);
        }
        Choice::TalkMode => {
            settings.voice.mode = step(&[TalkMode::Voice, TalkMode::PushToTalk], settings.voice.mode, forward);
        }
        Choice::Sensitivity => settings.voice.sensitivity = tenth(settings.voice.sensitivity),
        Choice::AnswersAloud => settings.voice.answers_aloud = !settings.voice.answers_aloud,
        Choice::Comfort => {
            let ring = [Comfort::Gentle, Comfort::Balanced, Comfort::Free];
            let next = settings.headset.comfort().map_or(Comfort::Gentle, |comfort| step(&ring, comfort, forward));
            settings.headset.apply(next);
        }
        Choice::Locomotion => {
            let ring = [Locomotion::Teleport, Locomotion::Smooth];
            settings.headset.locomotion = step(&ring, settings.headset.locomotion, forward);
        }
        Choice::Turning => {
            settings.headset.turning = step(&[Turning::Snap, Turning::Smooth], settings.headset.turning, forward);
        }
        Choice::SnapDegrees => settings.headset.snap_degrees += 15.0 * sign,
        Choice::Vignette => settings.headset.vignette = !settings.headset.vignette,
        Choice::LeftHanded => settings.headset.left_handed = !settings.headset.left_handed,
        Choice::Seated => settings.headset.seated = !settings.headset.seated,
        Choice::EyeHeight => {
            let centimetres = (100.0 * settings.headset.eye_height()).round() + sign;
            settings.headset.eye_height_m = Some(centimetres / 100.0);
        }
        Choice::RenderScale => {
            let percent = settings.headset.render_scale_percent as i32 + 10 * sign as i32;
            settings.headset.render_scale_percent = percent.max(0) as u32;
        }
        Choice::RefreshRate => {
            let ring: Vec<Option<u32>> = std::iter::once(None).chain(offered.rates.iter().copied().map(Some)).collect();
            settings.headset.refresh_hz = step(&ring, settings.headset.refresh_hz, forward);
        }
    }
    settings.sanitise();
}

/// The rows of a page. `waiting` is the action whose new key is awaited.
pub(super) fn rows(page: Page, settings: &Settings, waiting: Option<Action>, offered: Offered) -> Vec<Row> {
    let plain = |label: &str, deed| Row { label: label.to_owned(), deed, ..Row::default() };
    let measure = Row { value: Some(offered.measuring.to_owned()), ..plain("Set my height", Deed::Measure) };
    let chosen = |choice: Choice| Row {
        label: choice.label().to_owned(),
        value: Some(choice.value(settings, offered)),
        fraction: choice.fraction(settings),
        mark: None,
        deed: Deed::Change(choice),
    };
    match page {
        Page::Main => vec![
            plain("Resume", Deed::Resume),
            plain("Settings", Deed::Open(Page::Settings)),
            plain("Keys and buttons", Deed::Open(Page::Bindings)),
            plain("Ask or command", Deed::Call(Action::Ask)),
            plain("Materials", Deed::Call(Action::Materials)),
            plain("Quit", Deed::Quit),
        ],
        Page::Settings => {
            let ways_out = [
                plain("Sound and voice", Deed::Open(Page::Sound)),
                plain("In the headset", Deed::Open(Page::Headset)),
                plain("Keys and buttons", Deed::Open(Page::Bindings)),
                plain("Back", Deed::Back),
            ];
            Choice::OF_SETTINGS.map(chosen).into_iter().chain(ways_out).collect()
        }
        Page::Sound => Choice::OF_SOUND.map(chosen).into_iter().chain([plain("Back", Deed::Back)]).collect(),
        Page::Headset => {
            let there = |choice: &Choice| *choice != Choice::RefreshRate || !offered.rates.is_empty();
            let choices = Choice::OF_HEADSET.into_iter().filter(there).map(chosen);
            // Of whoever wears none, nothing can be measured, and comfort cannot be tried.
            let of_the_worn = [measure, plain("Ask me again how I like to move", Deed::Open(Page::Comfort))];
            let of_the_worn = of_the_worn.into_iter().filter(|_| offered.worn);
            choices.chain(of_the_worn).chain([plain("Back", Deed::Back)]).collect()
        }
        Page::Comfort => comfort_page::rows(settings, chosen, measure),
        Page::Bindings => {
            let actions = Action::ALL.map(|action| Row {
                label: action.title().to_owned(),
                value: Some(if waiting == Some(action) {
                    "press a key, a button or turn the wheel".to_owned()
                } else {
                    inputs_shown(settings.bindings.of(action))
                }),
                deed: Deed::Rebind(action),
                ..Row::default()
            });
            let ways_out = [plain("Back to the defaults", Deed::ResetBindings), plain("Back", Deed::Back)];
            actions.into_iter().chain(ways_out).collect()
        }
    }
}

fn inputs_shown(inputs: &[Input]) -> String {
    if inputs.is_empty() {
        return "unbound".to_owned();
    }
    inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join("  ·  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Offered = Offered { microphones: &[], rates: &[], worn: false, measuring: "" };

    #[test]
    fn quantities_stop_at_their_ends() {
        let mut settings = Settings::default();
        for _ in 0..50 {
            change(&mut settings, Choice::FieldOfView, true, NOTHING);
            change(&mut settings, Choice::MasterVolume, false, NOTHING);
        }
        assert_eq!(settings.field_of_view_degrees, 100.0);
        assert_eq!(settings.volumes.master, 0.0);
        change(&mut settings, Choice::MasterVolume, true, NOTHING);
        assert_eq!(settings.volumes.master, 0.1);
    }

    #[test]
    fn choices_go_round_both_ways() {
        let mut settings = Settings::default();
        let microphones = ["Headset".to_owned(), "Webcam".to_owned()];
        let there = Offered { microphones: &microphones, rates: &[72, 90], ..NOTHING };
        for choice in [
            Choice::WindowMode,
            Choice::Quality,
            Choice::Resolution,
            Choice::Labels,
            Choice::InvertPitch,
            Choice::Headphones,
            Choice::MicrophoneOn,
            Choice::Microphone,
            Choice::TalkMode,
            Choice::AnswersAloud,
            Choice::Locomotion,
            Choice::Turning,
            Choice::SnapDegrees,
            Choice::Vignette,
            Choice::LeftHanded,
            Choice::Seated,
            Choice::RenderScale,
            Choice::RefreshRate,
        ] {
            let before = settings.clone();
            change(&mut settings, choice, true, there);
            assert_ne!(settings, before, "{choice:?}");
            change(&mut settings, choice, false, there);
            assert_eq!(settings, before, "{choice:?}");
        }
    }

    #[test]
    fn comfort_goes_round_from_whatever_was_chosen() {
        let mut settings = Settings::default();
        assert_eq!(settings.headset.comfort(), Some(Comfort::Gentle));
        change(&mut settings, Choice::Comfort, true, NOTHING);
        assert_eq!((settings.headset.locomotion, settings.headset.turning), (Locomotion::Smooth, Turning::Snap));
        change(&mut settings, Choice::Vignette, true, NOTHING);
        assert_eq!(settings.headset.comfort(), None);
        settings.headset.left_handed = true;
        change(&mut settings, Choice::Comfort, true, NOTHING);
        assert_eq!(settings.headset.comfort(), Some(Comfort::Gentle));
        assert!(settings.headset.left_handed, "the hand is nobody's comfort but one's own");
    }

    #[test]
    fn the_page_of_comfort_marks_the_preset_that_is_chosen() {
        let mut settings = Settings::default();
        let marks = |settings: &Settings| -> Vec<bool> {
            rows(Page::Comfort, settings, None, NOTHING).iter().filter_map(|row| row.mark).collect()
        };
        assert_eq!(marks(&settings), [true, false, false]);
        settings.headset.apply(Comfort::Free);
        assert_eq!(marks(&settings), [false, false, true]);
        settings.headset.vignette = true;
        assert_eq!(marks(&settings), [false; 3], "a mixture of one's own");
    }

    #[test]
    fn the_height_of_the_eyes_goes_by_centimetres_within_what_people_have() {
        let mut settings = Settings::default();
        change(&mut settings, Choice::EyeHeight, true, NOTHING);
        assert_eq!(settings.headset.eye_height_m, Some(1.66));
        for _ in 0..200 {
            change(&mut settings, Choice::EyeHeight, false, NOTHING);
        }
        assert_eq!(settings.headset.eye_height_m, Some(0.8));
    }

    #[test]
    fn nothing_is_measured_in_the_window() {
        let measures = |worn: bool| {
            let rows = rows(Page::Headset, &Settings::default(), None, Offered { worn, ..NOTHING });
            rows.iter().any(|row| row.deed == Deed::Measure)
        };
        assert!(measures(true) && !measures(false));
    }

    #[test]
    fn a_microphone_that_went_away_stays_chosen_and_is_told() {
        let mut settings = Settings::default();
        let microphones = ["Headset".to_owned()];
        let there = Offered { microphones: &microphones, ..NOTHING };
        change(&mut settings, Choice::Microphone, true, there);
        let shown = |settings: &Settings, there: Offered| Choice::Microphone.value(settings, there);
        assert_eq!(shown(&settings, there), "Headset");
        assert_eq!(shown(&settings, NOTHING), "Headset (not there)");
        change(&mut settings, Choice::Microphone, true, NOTHING);
        assert_eq!(shown(&settings, NOTHING), "the system's default");
    }

    #[test]
    fn every_page_leads_back_and_every_action_has_a_row() {
        let settings = Settings::default();
        for page in [Page::Settings, Page::Sound, Page::Headset, Page::Comfort, Page::Bindings] {
            assert!(rows(page, &settings, None, NOTHING).iter().any(|row| row.deed == Deed::Back), "{page:?}");
        }
        let bindings = rows(Page::Bindings, &settings, Some(Action::Jump), NOTHING);
        for action in Action::ALL {
            assert!(bindings.iter().any(|row| row.deed == Deed::Rebind(action)));
        }
        let jump = bindings.iter().find(|row| row.deed == Deed::Rebind(Action::Jump)).unwrap();
        assert!(jump.value.as_ref().unwrap().starts_with("press"));
    }

    #[test]
    fn bars_stay_inside_their_track() {
        let settings = Settings::default();
        let pages = [Page::Settings, Page::Sound].map(|page| rows(page, &settings, None, NOTHING));
        for row in pages.concat() {
            assert!(row.fraction.is_none_or(|fraction| (0.0..=1.0).contains(&fraction)), "{row:?}");
        }
    }
}
