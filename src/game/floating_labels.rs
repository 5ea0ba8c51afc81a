//! Names that float over points of the world.
//!
//! In: [`FloatingLabels`], replaced by whoever perceives whenever that changes; the player's camera. Out: text on the
//! screen over those points, fading with age, never over each other. Not here: what is recognised, and where; what a headset
//! shows of it (`labels_in_headset`).

use bevy::{prelude::*, window::PrimaryWindow};

use super::{GameState, labels_in_headset, theme};
use crate::platform::{
    bindings::Action,
    flat::{FlatCamera, Pressed, in_headset},
    settings::Settings,
    tracking::Tracking,
};

/// Draws the labels.
pub(super) struct FloatingLabelsPlugin;

impl Plugin for FloatingLabelsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<FloatingLabels>()
            .add_plugins(labels_in_headset::plugin)
            .add_systems(Update, toggle)
            .add_systems(PostUpdate, draw.before(bevy::ui::UiSystems::Layout).after(TransformSystems::Propagate));
    }
}

/// All names that float now.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct FloatingLabels {
    pub items: Vec<FloatingLabel>,
}

/// One name.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatingLabel {
    /// Over this point of the world.
    pub position: Vec3,
    pub text: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Since it was last seen.
    pub age_seconds: f32,
}

/// Older than this, a label is gone.
const FADED_SECS: f32 = 20.0;
/// Farther than this, metres, labels are not read any more.
const FARTHEST: f32 = 15.0;
const AT_MOST: usize = 40;
pub(super) const LINE_HEIGHT: f32 = 26.0;

/// Opacity of a label: unsure and old ones are fainter, down to nothing.
pub(super) fn opacity(label: &FloatingLabel, distance: f32) -> f32 {
    let age = 1.0 - (label.age_seconds / FADED_SECS).clamp(0.0, 1.0);
    let far = 1.0 - ((distance - 0.6 * FARTHEST) / (0.4 * FARTHEST)).clamp(0.0, 1.0);
    let sure = 0.45 + 0.55 * label.confidence.clamp(0.0, 1.0);
    age * far * sure
}

/// What a label says: `mug 87 %`, and its age once that matters: `mug 87 %, 6 s ago`.
pub(super) fn words(label: &FloatingLabel) -> String {
    let percent = (100.0 * label.confidence).round();
    if label.age_seconds < 1.5 {
        format!("{}  {percent} %", label.text)
    } else {
        format!("{}  {percent} %  ·  {:.0} s ago", label.text, label.age_seconds)
    }
}

/// About how wide a label is, interface pixels.
pub(super) fn width(words: &str) -> f32 {
    16.0 + 7.2 * words.chars().count() as f32
}

/// Moves labels up until none covers another; the nearest keeps its place. Centres and widths in interface pixels, nearest
/// first.
pub(super) fn separate(labels: &mut [(Vec2, f32)]) {
    for index in 1..labels.len() {
        let (placed, rest) = labels.split_at_mut(index);
        let (center, width) = &mut rest[0];
        // Every move clears at least one label; more moves than labels cannot be needed.
        for _ in 0..placed.len() {
            let covered = placed.iter().find(|(other, other_width)| {
                (center.x - other.x).abs() < 0.5 * (*width + other_width) && (center.y - other.y).abs() < LINE_HEIGHT
            });
            let Some((other, _)) = covered else { break };
            center.y = other.y - LINE_HEIGHT;
        }
    }
}

#[derive(Component)]
struct Shown(usize);

fn toggle(mut pressed: MessageReader<Pressed>, mut settings: ResMut<Settings>) {
    for _ in pressed.read().filter(|pressed| pressed.0 == Action::Labels) {
        settings.labels = !settings.labels;
    }
}

/// What is to be drawn on a `screen` of this size: words, centre and opacity, all in interface pixels.
fn place(
    labels: &FloatingLabels,
    camera: &Camera,
    transform: &GlobalTransform,
    screen: Vec2,
) -> Vec<(String, Vec2, f32)> {
    let eye = transform.translation();
    let Some(viewport) = camera.logical_viewport_size() else { return Vec::new() };
    // The camera may draw fewer pixels than the window has.
    let enlarged = screen / viewport;
    let mut seen: Vec<(f32, &FloatingLabel, Vec2)> = labels
        .items
        .iter()
        .filter_map(|label| {
            let at = camera.world_to_viewport(transform, label.position).ok()?;
            let distance = eye.distance(label.position);
            (opacity(label, distance) > 0.03).then_some((distance, label, at * enlarged))
        })
        .collect();
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    seen.truncate(AT_MOST);
    let said: Vec<String> = seen.iter().map(|(_, label, _)| words(label)).collect();
    let mut centers: Vec<(Vec2, f32)> =
        seen.iter().zip(&said).map(|((_, _, at), said)| (*at - Vec2::Y * 14.0, width(said))).collect();
    separate(&mut centers);
    said.into_iter()
        .zip(centers)
        .zip(seen)
        .map(|((said, (center, _)), (distance, label, _))| (said, center, opacity(label, distance)))
        .collect()
}

fn draw(
    mut commands: Commands,
    labels: Res<FloatingLabels>,
    settings: Res<Settings>,
    (state, tracking): (Res<State<GameState>>, Option<Res<Tracking>>),
    scale: Res<UiScale>,
    windows: Query<&Window, With<PrimaryWindow>>,
    cameras: Query<(&Camera, &GlobalTransform), With<FlatCamera>>,
    mut shown: Query<(&Shown, &mut Node, &mut BackgroundColor, &mut Visibility, &Children)>,
    mut texts: Query<(&mut Text, &mut TextColor)>,
) {
    // Whoever watches the window meanwhile sees those of the headset.
    let visible = settings.labels && *state.get() == GameState::Playing && !in_headset(tracking);
    let wanted = match (cameras.single(), windows.single()) {
        (Ok((camera, transform)), Ok(window)) if visible => place(&labels, camera, transform, window.size() / scale.0),
        _ => Vec::new(),
    };
    let count = shown.iter().len();
    for (slot, mut node, mut background, mut visibility, children) in &mut shown {
        let Some((said, center, opacity)) = wanted.get(slot.0) else {
            visibility.set_if_neq(Visibility::Hidden);
            continue;
        };
        visibility.set_if_neq(Visibility::Inherited);
        // As wide as is reserved for it, so that its middle stays over the thing.
        node.width = px(width(said));
        node.left = px(center.x - 0.5 * width(said));
        node.top = px(center.y - 0.5 * LINE_HEIGHT);
        background.0 = theme::INK_THIN.with_alpha(theme::INK_THIN.alpha() * opacity);
        for child in children {
            if let Ok((mut text, mut color)) = texts.get_mut(*child) {
                text.set_if_neq(Text(said.clone()));
                color.0 = theme::TEXT.with_alpha(*opacity);
            }
        }
    }
    for slot in count..wanted.len() {
        commands.spawn((
            Shown(slot),
            Name::new("floating label"),
            GlobalZIndex(1),
            Visibility::Hidden,
            Node {
                position_type: PositionType::Absolute,
                height: px(LINE_HEIGHT - 3.0),
                justify_content: JustifyContent::Center,
                align_items: AlignItems::Center,
                border_radius: BorderRadius::all(px(6)),
                ..default()
            },
            BackgroundColor(Color::NONE),
            children![theme::text("", 14.0, theme::TEXT)],
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(age_seconds: f32) -> FloatingLabel {
        FloatingLabel { position: Vec3::ZERO, text: "mug".to_owned(), confidence: 0.87, age_seconds }
    }

    #[test]
    fn labels_fade_with_age_and_distance() {
        assert!(opacity(&label(0.0), 2.0) > 0.9);
        assert!(opacity(&label(10.0), 2.0) < opacity(&label(5.0), 2.0));
        assert_eq!(opacity(&label(FADED_SECS), 2.0), 0.0);
        assert_eq!(opacity(&label(0.0), FARTHEST), 0.0);
    }

    #[test]
    fn words_tell_confidence_and_later_age() {
        assert_eq!(words(&label(0.3)), "mug  87 %");
        assert_eq!(words(&label(6.2)), "mug  87 %  ·  6 s ago");
    }

    #[test]
    fn no_label_covers_another() {
        let mut labels: Vec<(Vec2, f32)> =
            (0..12).map(|n| (Vec2::new(100.0 + (n % 3) as f32 * 20.0, 200.0 + (n % 4) as f32 * 5.0), 80.0)).collect();
        let nearest = labels[0];
        separate(&mut labels);
        assert_eq!(labels[0], nearest);
        for (index, (a, a_width)) in labels.iter().enumerate() {
            for (b, b_width) in &labels[index + 1..] {
                let apart = (a.x - b.x).abs() >= 0.5 * (a_width + b_width) || (a.y - b.y).abs() >= LINE_HEIGHT - 1e-3;
                assert!(apart, "{a} covers {b}");
            }
        }
    }
}
