//! Subtitles: what was heard and what came of it, what was not understood, what the companion says.
//!
//! In: [`Heard`], [`CommandAnswered`], [`Said`]. Out: lines at the lower edge of the screen that fade. What is absent: sound.

use bevy::prelude::*;

use super::{
    fading_lines::{LineStyle, add_lines},
    theme,
};
use crate::{
    base::ClassTable,
    behaviours::{Said, Saying},
    percepts::Heard,
    platform::{
        panels::{PanelKind, ShownOn},
        settings::Settings,
    },
    world::{CommandAnswered, Commanded, Outcome},
};

/// Shows subtitles.
pub(super) struct SubtitlesPlugin;

impl Plugin for SubtitlesPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Heard>()
            .add_message::<CommandAnswered>()
            .add_message::<Said>()
            .init_resource::<ClassTable>()
            .add_systems(Startup, spawn)
            .add_systems(Update, write_lines);
    }
}

const STYLE: LineStyle = LineStyle {
    shown_secs: 6.0,
    at_most: 3,
    text_px: 18.0,
    max_width_px: 780.0,
    padding_px: Vec2::new(14.0, 5.0),
    background: theme::INK_CLEAR,
    edge: Color::NONE,
};
/// Words that were heard are waited for by their command's answer this long, seconds.
const ANSWER_SECS: f32 = 2.0;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    /// A command and what comes of it.
    Command,
    /// A command that nothing comes of.
    Refused,
    /// Talk that was no command.
    Unheeded,
    /// The companion speaks.
    Companion,
}

impl Tone {
    fn color(self) -> Color {
        match self {
            Tone::Command => theme::TEXT,
            Tone::Refused => theme::WARNING,
            Tone::Unheeded => theme::MUTED,
            Tone::Companion => theme::ACCENT,
        }
    }
}

/// A line of words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    text: String,
    tone: Tone,
}

#[derive(Component)]
struct SubtitleArea;

/// `TakePicture` as people say it: `take picture`, then its words.
pub(super) fn in_words(command: &Commanded) -> String {
    let mut words = String::new();
    for letter in command.action.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    for word in &command.words {
        words.push(' ');
        words.push_str(word);
    }
    words
}

/// A command's line: what was said, an arrow, what comes of it.
fn answer_line(answer: &CommandAnswered, heard: Option<&str>) -> Line {
    let said = heard.map_or_else(|| in_words(&answer.command), str::to_owned);
    let (outcome, tone) = match &answer.outcome {
        Outcome::Done(words) => (words, Tone::Command),
        Outcome::Refused(words) => (words, Tone::Refused),
    };
    Line { text: format!("{said}  →  {outcome}"), tone }
}

/// Talk that was no command.
fn unheeded_line(heard: &Heard) -> Line {
    let text =
        if heard.text.is_empty() { "not understood".to_owned() } else { format!("not understood: {}", heard.text) };
    Line { text, tone: Tone::Unheeded }
}

fn spawn(mut commands: Commands) {
    commands.spawn((
        SubtitleArea,
        ShownOn(PanelKind::Words),
        Name::new("subtitles"),
        GlobalZIndex(12),
        Node {
            position_type: PositionType::Absolute,
            bottom: px(84),
            width: percent(100),
            flex_direction: FlexDirection::Column,
            align_items: AlignItems::Center,
            row_gap: px(5),
            ..default()
        },
    ));
}

fn write_lines(
    (mut heard, mut answers, mut said): (MessageReader<Heard>, MessageReader<CommandAnswered>, MessageReader<Said>),
    mut waiting: Local<Vec<(Commanded, String, f32)>>,
    areas: Query<(Entity, Option<&Children>), With<SubtitleArea>>,
    classes: Res<ClassTable>,
    settings: Res<Settings>,
    time: Res<Time<Real>>,
    mut commands: Commands,
) {
    let now = time.elapsed_secs();
    waiting.retain(|(.., since)| now - since < ANSWER_SECS);
    let mut lines = Vec::new();
    for heard in heard.read() {
        match &heard.command {
            Some(spoken) => {
                let command = Commanded { action: spoken.action.clone(), words: spoken.words.clone() };
                waiting.push((command, spoken.text.clone(), now));
            }
            None => lines.push(unheeded_line(heard)),
        }
    }
    for answer in answers.read() {
        let known = waiting.iter().position(|(command, ..)| *command == answer.command);
        let text = known.map(|index| waiting.remove(index).1);
        lines.push(answer_line(answer, text.as_deref()));
    }
    for said in said.read().filter(|said| said.0 != Saying::Acknowledge) {
        lines.push(Line { text: said.in_words(&classes), tone: Tone::Companion });
    }
    let Ok((area, shown)) = areas.single() else { return };
    if !lines.is_empty() && settings.subtitles {
        let lines = lines.into_iter().map(|line| (line.text, line.tone.color()));
        add_lines(&mut commands, area, shown, &STYLE, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_what_was_said_and_what_comes_of_it() {
        let command = Commanded::new("Find", &["teapot"]);
        let answer = CommandAnswered::done(&command, "I look for the teapot.");
        let line = answer_line(&answer, Some("show me the teapot"));
        assert_eq!(line.text, "show me the teapot  →  I look for the teapot.");
        assert_eq!(answer_line(&answer, None).text, "find teapot  →  I look for the teapot.");
        let refused = CommandAnswered::refused(&Commanded::new("PickUp", &["mug"]), "No mug is before you.");
        let line = answer_line(&refused, None);
        assert_eq!((line.text.as_str(), line.tone), ("pick up mug  →  No mug is before you.", Tone::Refused));
    }
}
