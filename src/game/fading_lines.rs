//! Lines of words that stand for a while and fade, newest at the end: notices and subtitles.
//!
//! In: words and their colour, a [`LineStyle`], the node that they stand in. Out: nodes that vanish by themselves. What is
//! absent: which words, and where on the screen.

use bevy::prelude::*;

use super::theme;

/// Lets lines fade.
pub(super) struct FadingLinesPlugin;

impl Plugin for FadingLinesPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, fade);
    }
}

/// How the lines of one place look.
pub(super) struct LineStyle {
    /// A short line stands this long, a long one as long as reading takes.
    pub shown_secs: f32,
    /// More at once are not read by anybody: the oldest go.
    pub at_most: usize,
    pub text_px: f32,
    pub max_width_px: f32,
    /// Beside and above the words, pixels.
    pub padding_px: Vec2,
    pub background: Color,
    pub edge: Color,
}

/// Seconds in which a line fades, the last of its time.
const FADE_SECS: f32 = 1.3;
/// Reading speed, after a second in which a line is noticed. Netflix's "Timed Text Style Guide" allows 17 for children's
/// programmes; here one looks about meanwhile.
const LETTERS_PER_SECOND: f32 = 15.0;
const NOTICING_SECS: f32 = 1.0;

/// A line, and its colours when it does not fade.
#[derive(Component)]
struct FadingLine {
    left_secs: f32,
    background: Color,
    edge: Color,
    text: Color,
}

/// How long a line of words stands.
fn standing_secs(words: &str, shortest: f32) -> f32 {
    shortest.max(NOTICING_SECS + words.chars().count() as f32 / LETTERS_PER_SECOND + FADE_SECS)
}

/// Full colour until the last [`FADE_SECS`].
fn opacity(left_secs: f32) -> f32 {
    (left_secs / FADE_SECS).clamp(0.0, 1.0)
}

/// Adds lines at the end of `area`, whose lines are `shown` so far.
pub(super) fn add_lines(
    commands: &mut Commands,
    area: Entity,
    shown: Option<&Children>,
    style: &LineStyle,
    lines: impl IntoIterator<Item = (String, Color)>,
) {
    let mut all: Vec<Entity> = shown.map(|lines| lines.to_vec()).unwrap_or_default();
    for (words, color) in lines {
        let line = FadingLine {
            left_secs: standing_secs(&words, style.shown_secs),
            background: style.background,
            edge: style.edge,
            text: color,
        };
        let node = Node {
            padding: UiRect::axes(px(style.padding_px.x), px(style.padding_px.y)),
            max_width: px(style.max_width_px),
            border: UiRect::all(px(1)),
            border_radius: BorderRadius::all(px(8)),
            ..default()
        };
        let entity = commands
            .spawn((
                line,
                ChildOf(area),
                node,
                BackgroundColor(style.background),
                BorderColor::all(style.edge),
                children![(theme::text(words, style.text_px, color), TextLayout::justify(Justify::Center))],
            ))
            .id();
        all.push(entity);
    }
    for old in all.iter().rev().skip(style.at_most) {
        commands.entity(*old).try_despawn();
    }
}

fn fade(
    mut commands: Commands,
    time: Res<Time<Real>>,
    mut lines: Query<(Entity, &mut FadingLine, &mut BackgroundColor, &mut BorderColor, &Children)>,
    mut colors: Query<&mut TextColor>,
) {
    for (entity, mut line, mut background, mut edge, children) in &mut lines {
        line.left_secs -= time.delta_secs();
        if line.left_secs <= 0.0 {
            commands.entity(entity).try_despawn();
            continue;
        }
        let opacity = opacity(line.left_secs);
        if opacity < 1.0 {
            let faded = |color: Color| color.with_alpha(color.alpha() * opacity);
            background.0 = faded(line.background);
            *edge = BorderColor::all(faded(line.edge));
            for child in children {
                if let Ok(mut color) = colors.get_mut(*child) {
                    color.0 = faded(line.text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::time::TimeUpdateStrategy;

    use super::*;

    const STYLE: LineStyle = LineStyle {
        shown_secs: 6.0,
        at_most: 2,
        text_px: 15.0,
        max_width_px: 800.0,
        padding_px: Vec2::new(14.0, 6.0),
        background: theme::INK_THIN,
        edge: theme::EDGE,
    };

    fn words(app: &mut App) -> Vec<String> {
        let mut words: Vec<String> =
            app.world_mut().query::<&Text>().iter(app.world()).map(|text| text.0.clone()).collect();
        words.sort_unstable();
        words
    }

    #[test]
    fn the_oldest_lines_go_first_and_all_fade_in_the_end() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, FadingLinesPlugin))
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(500)));
        let area = app.world_mut().spawn(Node::default()).id();
        app.add_systems(Startup, move |mut commands: Commands| {
            let lines = ["one", "two", "three"].map(|words| (words.to_owned(), theme::TEXT));
            add_lines(&mut commands, area, None, &STYLE, lines);
        });
        app.update();
        assert_eq!(words(&mut app), ["three", "two"]);
        for _ in 0..11 {
            app.update();
        }
        assert_eq!(words(&mut app).len(), 2, "for six seconds");
        let alphas: Vec<f32> = app.world_mut().query::<&TextColor>().iter(app.world()).map(|c| c.0.alpha()).collect();
        assert!(alphas.iter().all(|alpha| *alpha < 1.0), "{alphas:?} fade");
        for _ in 0..3 {
            app.update();
        }
        assert!(words(&mut app).is_empty());
    }

    #[test]
    fn long_lines_stand_as_long_as_reading_takes() {
        assert_eq!(standing_secs("No.", 6.0), 6.0);
        assert!(standing_secs(&"x".repeat(150), 6.0) > 11.0);
    }
}
