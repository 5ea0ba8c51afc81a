//! The measurements panel: frame rate and times, what draws, what the companion perceives.
//!
//! In: the wall clock between frames (for display only), the adapter, [`PerceptionPanel`] rows that other rooms fill. Out:
//! text on the screen, shown and hidden by the panel key.

use std::{collections::VecDeque, time::Duration};

use bevy::{prelude::*, render::renderer::RenderAdapterInfo, time::common_conditions::on_real_timer};

use super::theme;
use crate::{
    platform::{bindings::Action, flat::Pressed, headset::HeadsetStatus, scaled_view::DrawnPixels},
    signal::percentiles,
    world::Quality,
};

/// Measures always, shows on request.
pub(super) struct PanelPlugin;

impl Plugin for PanelPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<PerceptionPanel>()
            .init_resource::<FrameTimes>()
            .init_resource::<PanelShown>()
            .add_systems(First, measure_frame)
            .add_systems(Update, toggle)
            .add_systems(
                Update,
                redraw
                    .after(toggle)
                    .run_if(on_real_timer(Duration::from_millis(500)).or_else(resource_changed::<PanelShown>)),
            );
    }
}

/// Rows of the perception block: a name and a value. Whoever perceives keeps them up to date.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct PerceptionPanel {
    pub lines: Vec<(String, String)>,
}

/// Whether the panel is on the screen.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PanelShown(pub bool);

/// The durations of the last frames.
#[derive(Resource, Clone, Debug, Default)]
pub struct FrameTimes(VecDeque<Duration>);

/// How many frames the figures speak of.
const FRAMES: usize = 600;

impl FrameTimes {
    /// Adds the newest frame and forgets the oldest.
    pub fn push(&mut self, frame: Duration) {
        if self.0.len() == FRAMES {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }

    /// Frame times below which these parts (0 to 1) of all frames lie, milliseconds.
    pub fn percentiles_ms<const N: usize>(&self, parts: [f64; N]) -> [f64; N] {
        let frames: Vec<f64> = self.0.iter().map(|frame| frame.as_secs_f64() * 1e3).collect();
        percentiles(&frames, parts)
    }

    /// Frames per second over the last second or so.
    pub fn rate(&self) -> f32 {
        let mut frames = 0;
        let mut span = Duration::ZERO;
        for frame in self.0.iter().rev() {
            frames += 1;
            span += *frame;
            if span >= Duration::from_secs(1) {
                break;
            }
        }
        if span.is_zero() { 0.0 } else { frames as f32 / span.as_secs_f32() }
    }
}

#[derive(Component)]
struct Panel;

fn measure_frame(time: Res<Time<Real>>, mut frames: ResMut<FrameTimes>) {
    if !time.delta().is_zero() {
        frames.push(time.delta());
    }
}

fn toggle(mut pressed: MessageReader<Pressed>, mut shown: ResMut<PanelShown>) {
    for _ in pressed.read().filter(|pressed| pressed.0 == Action::Panel) {
        shown.0 = !shown.0;
    }
}

fn frame_rows(frames: &FrameTimes) -> Vec<(String, String)> {
    let [p50, p95, p99] = frames.percentiles_ms([0.5, 0.95, 0.99]);
    vec![
        ("frames per second".to_owned(), format!("{:.0}", frames.rate())),
        ("frame time p50, p95, p99".to_owned(), format!("{p50:.1}, {p95:.1}, {p99:.1} ms")),
    ]
}

/// What the window has, and what is drawn where that is less.
fn picture_size(window: UVec2, drawn: Option<&DrawnPixels>) -> String {
    match drawn {
        Some(DrawnPixels(drawn)) if *drawn != window && *drawn != UVec2::ZERO => {
            format!("{} × {}, enlarged to {} × {}", drawn.x, drawn.y, window.x, window.y)
        }
        _ => format!("{} × {}", window.x, window.y),
    }
}

fn redraw(
    mut commands: Commands,
    shown: Res<PanelShown>,
    frames: Res<FrameTimes>,
    perception: Res<PerceptionPanel>,
    adapter: Option<Res<RenderAdapterInfo>>,
    quality: Option<Res<Quality>>,
    windows: Query<&Window>,
    drawn: Option<Res<DrawnPixels>>,
    headset: Option<Res<HeadsetStatus>>,
    panels: Query<Entity, With<Panel>>,
) {
    for panel in &panels {
        commands.entity(panel).despawn();
    }
    if !shown.0 {
        return;
    }
    let mut rows = frame_rows(&frames);
    if let Some(adapter) = adapter {
        rows.push(("drawn by".to_owned(), adapter.name.clone()));
    }
    if let Some(window) = windows.iter().next() {
        rows.push(("picture".to_owned(), picture_size(window.physical_size(), drawn.as_deref())));
    }
    if let Some(quality) = quality {
        rows.push(("quality".to_owned(), format!("{:?}", *quality).to_lowercase()));
    }

    if let Some(headset) = headset {
        rows.push(("headset".to_owned(), headset.text()));
    }

    let panel = commands
        .spawn((
            Panel,
            Name::new("measurements"),
            GlobalZIndex(5),
            theme::panel(Node {
                position_type: PositionType::Absolute,
                right: px(18),
                top: px(18),
                width: px(430),
                padding: UiRect::all(px(14)),
                flex_direction: FlexDirection::Column,
                row_gap: px(3),
                ..default()
            }),
        ))
        .id();
    for row in &rows {
        draw_row(&mut commands, panel, row);
    }
    if !perception.lines.is_empty() {
        commands.spawn((
            ChildOf(panel),
            Node { margin: UiRect::new(px(0), px(0), px(8), px(2)), ..default() },
            children![theme::text("The companion's senses", 14.0, theme::ACCENT)],
        ));
        for row in &perception.lines {
            draw_row(&mut commands, panel, row);
        }
    }
}

fn draw_row(commands: &mut Commands, panel: Entity, (name, value): &(String, String)) {
    commands.spawn((
        ChildOf(panel),
        Node { justify_content: JustifyContent::SpaceBetween, column_gap: px(18), ..default() },
        children![
            (Node { flex_shrink: 0.0, ..default() }, theme::text(name.clone(), 14.0, theme::MUTED)),
            theme::text(value.clone(), 14.0, theme::TEXT)
        ],
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let mut frames = FrameTimes::default();
        for _ in 0..10 {
            frames.push(Duration::from_millis(500));
        }
        for _ in 0..100 {
            frames.push(Duration::from_millis(20));
        }
        assert!((frames.rate() - 50.0).abs() < 0.5, "{}", frames.rate());
    }
}
