//! The sign that tells how the ear is doing: whether it listens, how loud it is at the microphone, that somebody is heard, that
//! it is muted, why it cannot hear.
//!
//! In: [`EarStatus`], [`EarSettings`], [`HearingStatus`]. Out: a sign in the lower right corner while playing, in the headset at the lower
//! edge of what is read. What is absent:
//! what was said and what came of it (`subtitles`).

use bevy::prelude::*;

use super::{GameState, theme};
use crate::{
    base::Status,
    percepts::HearingStatus,
    platform::{
        bindings::Action,
        flat::PadInUse,
        panels::{PanelKind, ShownOn},
        settings::Settings,
    },
    sensors::{EarSettings, EarStatus, Level, TalkMode},
};

/// Shows the sign.
pub(super) struct EarSignPlugin;

impl Plugin for EarSignPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<EarSettings>()
            .init_resource::<EarStatus>()
            .init_resource::<HearingStatus>()
            .add_systems(OnEnter(GameState::Playing), spawn)
            .add_systems(OnExit(GameState::Playing), despawn)
            .add_systems(Update, show.run_if(in_state(GameState::Playing)));
    }
}

/// How the sign looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// It listens.
    Listens,
    /// Somebody speaks.
    Hears,
    /// It waits: for the talk key, for a device, for the model.
    Waits,
    /// The player closed it.
    Muted,
    /// It cannot hear.
    Deaf,
}

/// What the sign says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sign {
    mood: Mood,
    words: String,
    /// Why, or what is understood so far; empty for none.
    detail: String,
}

/// A reason is read once; then the short sign is enough. Seconds.
const REASON_SECS: f32 = 14.0;
/// Quieter than this is an empty bar, decibels relative to full scale.
const EMPTY_DBFS: f32 = -60.0;
const BAR_STEPS: f32 = 24.0;
/// What it sounds like so far is told from this confidence on.
const TOLD_CONFIDENCE: f32 = 0.3;

/// The sign for a state; `None` where the player switched the microphone off, or a file is over. `talk` and `mute` name keys.
fn sign(ear: &EarStatus, settings: &EarSettings, hearing: &HearingStatus, talk: &str, mute: &str) -> Option<Sign> {
    let say = |mood, words: String, detail: &str| Some(Sign { mood, words, detail: detail.to_owned() });
    if !settings.enabled || ear.finished {
        return None;
    }
    match (&ear.status, &hearing.status) {
        (Status::Unavailable(reason), _) => say(Mood::Deaf, "not listening".to_owned(), reason),
        (Status::Loading, _) => say(Mood::Waits, "looks for a microphone".to_owned(), ""),
        _ if settings.muted => say(Mood::Muted, format!("muted   {mute}"), ""),
        (_, Status::Unavailable(reason)) => say(Mood::Deaf, "not listening".to_owned(), reason),
        (_, Status::Loading) => say(Mood::Waits, "gets ready to listen".to_owned(), ""),
        _ if ear.hears_voice => {
            let likely = hearing.so_far.as_ref().filter(|(_, confidence)| *confidence >= TOLD_CONFIDENCE);
            let so_far = likely.map(|(text, _)| format!("{text} …"));
            say(Mood::Hears, "hears you".to_owned(), &so_far.unwrap_or_default())
        }
        _ if settings.mode == TalkMode::PushToTalk && !settings.talk_key => {
            say(Mood::Waits, format!("hold {talk} to speak"), "")
        }
        _ => say(Mood::Listens, "listening".to_owned(), ""),
    }
}

/// How much of the bar is full, 0 to 1, in steps that the eye tells apart.
pub(super) fn bar_fraction(level: Level) -> f32 {
    let fraction = ((level.rms_dbfs - EMPTY_DBFS) / -EMPTY_DBFS).clamp(0.0, 1.0);
    (fraction * BAR_STEPS).round() / BAR_STEPS
}

#[derive(Component)]
struct EarSign;
#[derive(Component)]
struct Pill;
#[derive(Component)]
struct Words;
#[derive(Component)]
struct Detail;
#[derive(Component)]
struct BarTrack;
#[derive(Component)]
struct BarFill;
/// Parts of the drawn microphone that change their colour.
#[derive(Component)]
enum MicrophonePart {
    Filled,
    Outlined,
}
#[derive(Component)]
struct Slash;

fn spawn(mut commands: Commands) {
    let detail = (
        Detail,
        Visibility::Hidden,
        Node {
            padding: UiRect::axes(px(12), px(6)),
            max_width: px(380),
            border_radius: BorderRadius::all(px(7)),
            ..default()
        },
        BackgroundColor(theme::INK),
        children![theme::text("", 14.0, theme::TEXT)],
    );
    let bar = (
        BarTrack,
        Node { width: px(64), height: px(5), border_radius: BorderRadius::all(px(2.5)), ..default() },
        BackgroundColor(Color::WHITE.with_alpha(0.16)),
        children![(
            BarFill,
            Node { width: percent(0), height: percent(100), border_radius: BorderRadius::all(px(2.5)), ..default() },
            BackgroundColor(theme::TEXT),
        )],
    );
    let pill = (
        Pill,
        Node {
            padding: UiRect::new(px(11), px(14), px(7), px(7)),
            border: UiRect::all(px(1)),
            border_radius: BorderRadius::all(px(8)),
            align_items: AlignItems::Center,
            column_gap: px(10),
            ..default()
        },
        BackgroundColor(theme::INK_THIN),
        BorderColor::all(Color::NONE),
        children![microphone(), bar, (Words, theme::text("", 15.0, theme::TEXT))],
    );
    commands.spawn((
        EarSign,
        ShownOn(PanelKind::Words),
        Name::new("ear sign"),
        Visibility::Hidden,
        Node {
            position_type: PositionType::Absolute,
            right: px(18),
            bottom: px(18),
            flex_direction: FlexDirection::Column,
            align_items: AlignItems::FlexEnd,
            row_gap: px(6),
            ..default()
        },
        children![detail, pill],
    ));
}

/// A microphone of 16 × 22 pixels: capsule, cradle, stem, foot, and the slash of one that does not hear.
fn microphone() -> impl Bundle {
    let at = |left: f32, top: f32, width: f32, height: f32| Node {
        position_type: PositionType::Absolute,
        left: px(left),
        top: px(top),
        width: px(width),
        height: px(height),
        ..default()
    };
    let filled = |node: Node| (MicrophonePart::Filled, node, BackgroundColor(theme::TEXT));
    (
        Node { width: px(16), height: px(22), ..default() },
        children![
            filled(Node { border_radius: BorderRadius::MAX, ..at(5.0, 0.0, 6.0, 12.0) }),
            (
                MicrophonePart::Outlined,
                Node {
                    border: UiRect::new(px(1.5), px(1.5), px(0), px(1.5)),
                    border_radius: BorderRadius::new(px(0), px(0), px(6), px(6)),
                    ..at(2.0, 7.0, 12.0, 9.0)
                },
                BorderColor::all(theme::TEXT),
            ),
            filled(at(7.25, 16.0, 1.5, 4.0)),
            filled(at(4.0, 20.0, 8.0, 1.5)),
            (
                Slash,
                Visibility::Hidden,
                Node { border_radius: BorderRadius::MAX, ..at(-3.0, 9.75, 22.0, 2.5) },
                UiTransform::from_rotation(Rot2::degrees(-52.0)),
                BackgroundColor(theme::WARNING),
            ),
        ],
    )
}

fn despawn(mut commands: Commands, signs: Query<Entity, With<EarSign>>) {
    for sign in &signs {
        commands.entity(sign).despawn();
    }
}

/// Colours of the microphone and its words, and of the pill and its edge.
fn colors(mood: Mood) -> (Color, Color, Color) {
    match mood {
        Mood::Listens => (theme::TEXT, theme::INK_THIN, Color::NONE),
        Mood::Hears => (theme::ACCENT, theme::INK_THIN, theme::ACCENT),
        Mood::Waits => (theme::MUTED, theme::INK_THIN, Color::NONE),
        Mood::Muted => (theme::WARNING, theme::INK, theme::WARNING),
        Mood::Deaf => (theme::TEXT, theme::INK, Color::NONE),
    }
}

/// The whole sign and its parts.
#[derive(bevy::ecs::system::SystemParam)]
struct Parts<'w, 's> {
    sign: Query<'w, 's, &'static mut Visibility, With<EarSign>>,
    detail: Query<'w, 's, (&'static mut Visibility, &'static Children), (With<Detail>, Without<EarSign>)>,
    slash: Query<'w, 's, &'static mut Visibility, (With<Slash>, Without<EarSign>, Without<Detail>)>,
    words: Query<'w, 's, Entity, With<Words>>,
    texts: Query<'w, 's, (&'static mut Text, &'static mut TextColor)>,
    track: Query<'w, 's, &'static mut Node, With<BarTrack>>,
    fill: Query<'w, 's, (&'static mut Node, &'static mut BackgroundColor), (With<BarFill>, Without<BarTrack>)>,
    pill: Query<'w, 's, (&'static mut BackgroundColor, &'static mut BorderColor), (With<Pill>, Without<BarFill>)>,
    microphone: Query<
        'w,
        's,
        (&'static MicrophonePart, Option<&'static mut BackgroundColor>, Option<&'static mut BorderColor>),
        (Without<Pill>, Without<BarFill>),
    >,
}

impl Parts<'_, '_> {
    fn write(&mut self, entity: Entity, words: &str, color: Color) {
        if let Ok((mut text, mut text_color)) = self.texts.get_mut(entity) {
            text.set_if_neq(Text(words.to_owned()));
            text_color.set_if_neq(TextColor(color));
        }
    }

    fn show(&mut self, sign: Option<&Sign>, tell_detail: bool, level: Level) {
        for mut visibility in &mut self.sign {
            visibility.set_if_neq(if sign.is_some() { Visibility::Inherited } else { Visibility::Hidden });
        }
        let Some(sign) = sign else { return };
        let (ink, ground, edge) = colors(sign.mood);
        for words in self.words.iter().collect::<Vec<_>>() {
            self.write(words, &sign.words, ink);
        }
        let mut detail_texts = Vec::new();
        for (mut visibility, children) in &mut self.detail {
            let shown = tell_detail && !sign.detail.is_empty();
            visibility.set_if_neq(if shown { Visibility::Inherited } else { Visibility::Hidden });
            detail_texts.extend(children.iter().filter(|_| shown));
        }
        for text in detail_texts {
            self.write(text, &sign.detail, theme::TEXT);
        }
        let crossed = matches!(sign.mood, Mood::Muted | Mood::Deaf);
        for mut visibility in &mut self.slash {
            visibility.set_if_neq(if crossed { Visibility::Inherited } else { Visibility::Hidden });
        }
        let display = if crossed { Display::None } else { Display::Flex };
        for mut track in &mut self.track {
            if track.display != display {
                track.display = display;
            }
        }
        for (mut fill, mut color) in &mut self.fill {
            let width = percent(100.0 * bar_fraction(level));
            if fill.width != width {
                fill.width = width;
            }
            color.set_if_neq(BackgroundColor(ink));
        }
        for (mut background, mut border) in &mut self.pill {
            background.set_if_neq(BackgroundColor(ground));
            border.set_if_neq(BorderColor::all(edge));
        }
        for (part, background, border) in &mut self.microphone {
            match (part, background, border) {
                (MicrophonePart::Filled, Some(mut background), _) => {
                    background.set_if_neq(BackgroundColor(ink));
                }
                (MicrophonePart::Outlined, _, Some(mut border)) => {
                    border.set_if_neq(BorderColor::all(ink));
                }
                _ => {}
            }
        }
    }
}

fn show(
    (ear, ear_settings, hearing): (Res<EarStatus>, Res<EarSettings>, Res<HearingStatus>),
    (settings, pad): (Res<Settings>, Res<PadInUse>),
    time: Res<Time<Real>>,
    mut shown: Local<(Option<Sign>, f32)>,
    mut parts: Parts,
) {
    let key = |action| settings.bindings.hint(action, pad.0);
    let now = sign(&ear, &ear_settings, &hearing, &key(Action::Talk), &key(Action::Mute));
    let (before, since) = &mut *shown;
    if *before != now {
        *since = time.elapsed_secs();
        before.clone_from(&now);
    }
    let fresh = time.elapsed_secs() - *since < REASON_SECS;
    let tell_detail = fresh || now.as_ref().is_some_and(|sign| sign.mood == Mood::Hears);
    parts.show(now.as_ref(), tell_detail, ear.level);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> (EarStatus, EarSettings, HearingStatus) {
        let ear = EarStatus { status: Status::Ready, ..default() };
        (ear, EarSettings::default(), HearingStatus { status: Status::Ready, ..default() })
    }

    fn said(ear: &EarStatus, settings: &EarSettings, hearing: &HearingStatus) -> Option<(Mood, String, String)> {
        sign(ear, settings, hearing, "V", "M").map(|sign| (sign.mood, sign.words, sign.detail))
    }

    #[test]
    fn it_tells_listening_from_hearing_and_what_is_understood_so_far() {
        let (mut ear, settings, mut hearing) = ready();
        assert_eq!(said(&ear, &settings, &hearing), Some((Mood::Listens, "listening".into(), String::new())));
        ear.hears_voice = true;
        hearing.so_far = Some(("show me the".into(), 0.4));
        let heard = said(&ear, &settings, &hearing);
        assert_eq!(heard, Some((Mood::Hears, "hears you".into(), "show me the …".into())));
        hearing.so_far = Some(("where is a plant".into(), 0.1));
        assert_eq!(said(&ear, &settings, &hearing).unwrap().2, "", "a guess is not told");
    }

    #[test]
    fn muting_is_told_with_the_key_that_ends_it_also_while_somebody_speaks() {
        let (mut ear, mut settings, hearing) = ready();
        settings.muted = true;
        ear.hears_voice = true;
        assert_eq!(said(&ear, &settings, &hearing), Some((Mood::Muted, "muted   M".into(), String::new())));
    }

    #[test]
    fn the_talk_key_is_asked_for_until_it_is_held() {
        let (ear, mut settings, hearing) = ready();
        settings.mode = TalkMode::PushToTalk;
        assert_eq!(said(&ear, &settings, &hearing).unwrap().1, "hold V to speak");
        settings.talk_key = true;
        assert_eq!(said(&ear, &settings, &hearing).unwrap().0, Mood::Listens);
    }

    #[test]
    fn who_cannot_hear_says_why_and_who_was_switched_off_says_nothing() {
        let (mut ear, mut settings, mut hearing) = ready();
        hearing.status = Status::Unavailable("no model".into());
        assert_eq!(said(&ear, &settings, &hearing), Some((Mood::Deaf, "not listening".into(), "no model".into())));
        ear.status = Status::Unavailable("plug one in".into());
        assert_eq!(said(&ear, &settings, &hearing).unwrap().2, "plug one in");
        settings.enabled = false;
        assert_eq!(said(&ear, &settings, &hearing), None);
    }

    #[test]
    fn the_bar_is_empty_in_silence_and_full_at_full_scale() {
        let at = |rms_dbfs| bar_fraction(Level { rms_dbfs, peak_dbfs: 0.0 });
        assert_eq!((at(-90.0), at(-30.0), at(0.0)), (0.0, 0.5, 1.0));
    }
}
