//! Signs that input is recorded, voice included, or replayed: in the upper left corner while playing.
//!
//! In: [`Recorder`], [`Replay`], whether the ear is open. Out: the sign; a notice of what is written where when recording begins, of
//! what can no longer be written, and that a replay is over.

use bevy::prelude::*;

use super::{
    GameState,
    notices::{Notice, NoticeSystems},
    theme,
};
use crate::{
    base::Status,
    platform::{
        bindings::Action,
        flat::PadInUse,
        input_log::{Recorder, Replay},
        panels::{PanelKind, ShownOn},
        settings::Settings,
    },
    sensors::{EarSettings, EarStatus},
};

/// Shows the signs.
pub(super) struct RecordingSignsPlugin;

impl Plugin for RecordingSignsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(OnEnter(GameState::Playing), spawn.run_if(is_wanted))
            .add_systems(OnExit(GameState::Playing), despawn)
            .add_systems(
                Update,
                (
                    show,
                    tell_begin.before(NoticeSystems).run_if(resource_exists::<Recorder>),
                    tell_end.before(NoticeSystems).run_if(resource_exists::<Replay>),
                )
                    .run_if(in_state(GameState::Playing)),
            )
            .add_systems(Update, tell_failures.before(NoticeSystems).run_if(resource_exists::<Recorder>));
    }
}

fn is_wanted(recorder: Option<Res<Recorder>>, replay: Option<Res<Replay>>) -> bool {
    recorder.is_some() || replay.is_some()
}

/// What the sign says.
#[derive(Clone, Debug, PartialEq)]
struct Sign {
    words: String,
    dot: Color,
    /// Share of the replay that is over.
    done: Option<f32>,
}

/// Minutes and seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn recorder_sign(recorder: &Recorder, ear_open: bool) -> Sign {
    let time = clock(recorder.seconds());
    match &recorder.status {
        Status::Unavailable(_) => Sign { words: "Input is not recorded".to_owned(), dot: theme::MUTED, done: None },
        _ => {
            let voice = ear_open && recorder.voice_status.is_ready();
            let what = if voice { "Recording input and voice" } else { "Recording input" };
            Sign { words: format!("{what}   {time}"), dot: theme::WARNING, done: None }
        }
    }
}

/// `None` once it is over.
fn replay_sign(replay: &Replay) -> Option<Sign> {
    let (now, all) = replay.seconds();
    let done = (now / all.max(1e-3)) as f32;
    let words = format!("Replay {} of {}", clock(now), clock(all));
    (!replay.is_over()).then_some(Sign { words, dot: theme::ACCENT, done: Some(done.clamp(0.0, 1.0)) })
}

/// Whether what is said now is taken.
fn is_open(ear: &EarStatus, settings: &EarSettings) -> bool {
    settings.enabled && !settings.muted && !ear.finished && !matches!(ear.status, Status::Unavailable(_))
}

#[derive(Component)]
struct SignRoot;
#[derive(Component)]
struct Dot;
#[derive(Component)]
struct Words;
#[derive(Component)]
struct Track;
#[derive(Component)]
struct Fill;

fn spawn(mut commands: Commands) {
    let line = (
        Node { align_items: AlignItems::Center, column_gap: px(10), ..default() },
        children![
            (
                Dot,
                Node { width: px(10), height: px(10), border_radius: BorderRadius::MAX, ..default() },
                BackgroundColor(theme::WARNING),
            ),
            (Words, theme::text("", 15.0, theme::TEXT)),
        ],
    );
    let track = (
        Track,
        Node { height: px(3), border_radius: BorderRadius::MAX, display: Display::None, ..default() },
        BackgroundColor(Color::WHITE.with_alpha(0.16)),
        children![(
            Fill,
            Node { width: percent(0), height: percent(100), border_radius: BorderRadius::MAX, ..default() },
            BackgroundColor(theme::ACCENT),
        )],
    );
    commands.spawn((
        SignRoot,
        ShownOn(PanelKind::Words),
        Name::new("recording sign"),
        Visibility::Hidden,
        Node {
            position_type: PositionType::Absolute,
            left: px(18),
            top: px(18),
            padding: UiRect::axes(px(14), px(8)),
            border_radius: BorderRadius::all(px(8)),
            flex_direction: FlexDirection::Column,
            row_gap: px(7),
            ..default()
        },
        BackgroundColor(theme::INK_CLEAR),
        children![line, track],
    ));
}

fn despawn(mut commands: Commands, signs: Query<Entity, With<SignRoot>>) {
    for sign in &signs {
        commands.entity(sign).despawn();
    }
}

fn show(
    (recorder, replay): (Option<Res<Recorder>>, Option<Res<Replay>>),
    (ear, ear_settings): (Res<EarStatus>, Res<EarSettings>),
    mut roots: Query<&mut Visibility, With<SignRoot>>,
    mut words: Query<&mut Text, With<Words>>,
    mut dots: Query<&mut BackgroundColor, With<Dot>>,
    mut tracks: Query<&mut Node, (With<Track>, Without<Fill>)>,
    mut fills: Query<&mut Node, With<Fill>>,
) {
    let of_replay = replay.and_then(|replay| replay_sign(&replay));
    let sign = of_replay.or_else(|| recorder.map(|recorder| recorder_sign(&recorder, is_open(&ear, &ear_settings))));
    for mut visibility in &mut roots {
        visibility.set_if_neq(if sign.is_some() { Visibility::Inherited } else { Visibility::Hidden });
    }
    let Some(sign) = sign else { return };
    for mut text in &mut words {
        text.set_if_neq(Text(sign.words.clone()));
    }
    for mut dot in &mut dots {
        dot.set_if_neq(BackgroundColor(sign.dot));
    }
    let display = if sign.done.is_some() { Display::Flex } else { Display::None };
    for mut track in &mut tracks {
        if track.display != display {
            track.display = display;
        }
    }
    for mut fill in &mut fills {
        let width = percent(100.0 * sign.done.unwrap_or_default());
        if fill.width != width {
            fill.width = width;
        }
    }
}

/// Where it goes and how one stays out of it, once.
fn tell_begin(
    recorder: Res<Recorder>,
    (ear, ear_settings): (Res<EarStatus>, Res<EarSettings>),
    (settings, pad): (Res<Settings>, Res<PadInUse>),
    mut told: Local<bool>,
    mut notices: MessageWriter<Notice>,
) {
    if std::mem::replace(&mut *told, true) || !recorder.status.is_ready() {
        return;
    }
    let voice = if is_open(&ear, &ear_settings) {
        let mute = settings.bindings.hint(Action::Mute, pad.0);
        format!(", what you say to {}; {mute} mutes the microphone", recorder.voice_path().display())
    } else {
        String::new()
    };
    notices.write(Notice(format!("What you do is written to {}{voice}.", recorder.path().display())));
}

fn tell_failures(recorder: Res<Recorder>, mut told: Local<[bool; 2]>, mut notices: MessageWriter<Notice>) {
    for (status, told) in [&recorder.status, &recorder.voice_status].into_iter().zip(&mut *told) {
        if let (Status::Unavailable(why), false) = (status, *told) {
            notices.write(Notice(why.clone()));
            *told = true;
        }
    }
}

fn tell_end(replay: Res<Replay>, mut told: Local<bool>, mut notices: MessageWriter<Notice>) {
    if !replay.is_over() || std::mem::replace(&mut *told, true) {
        return;
    }
    notices.write(Notice("The replay is over. The world is yours from here on.".to_owned()));
    if let Some(tick) = replay.apart_at() {
        let at = clock(tick as f64 / crate::base::Tick::RATE_HZ);
        notices.write(Notice(format!("From {at} on it went another way than when it was recorded.")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!((clock(0.0), clock(62.9), clock(600.0)), ("0:00".into(), "1:02".into(), "10:00".into()));
    }

    #[test]
    fn a_voice_is_taken_only_by_an_open_ear() {
        let (ear, settings) = (EarStatus { status: Status::Ready, ..default() }, EarSettings::default());
        assert!(is_open(&ear, &settings));
        assert!(!is_open(&ear, &EarSettings { muted: true, ..settings.clone() }));
        assert!(!is_open(&ear, &EarSettings { enabled: false, ..settings.clone() }));
        let absent = EarStatus { status: Status::Unavailable("none".into()), ..default() };
        assert!(!is_open(&absent, &settings));
    }
}
