//! One look for everything on the screen: colours, the font, the building blocks of panels.

use bevy::{
    asset::{AssetId, uuid_handle},
    prelude::*,
    window::PrimaryWindow,
};

/// Loads the font and keeps the interface in proportion to the window.
pub(super) struct ThemePlugin;

impl Plugin for ThemePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Startup, load_font).add_systems(Update, scale_with_window);
    }
}

pub(super) const INK: Color = Color::srgba(0.055, 0.062, 0.078, 0.92);
pub(super) const INK_SOLID: Color = Color::srgb(0.055, 0.062, 0.078);
pub(super) const INK_THIN: Color = Color::srgba(0.055, 0.062, 0.078, 0.62);
/// Behind words that stand before the world: dark enough to read them before a sunlit wall.
pub(super) const INK_CLEAR: Color = Color::srgba(0.055, 0.062, 0.078, 0.76);
pub(super) const RAISED: Color = Color::srgba(1.0, 1.0, 1.0, 0.07);
pub(super) const EDGE: Color = Color::srgba(1.0, 1.0, 1.0, 0.09);
pub(super) const TEXT: Color = Color::srgb(0.93, 0.915, 0.88);
pub(super) const MUTED: Color = Color::srgb(0.62, 0.635, 0.65);
pub(super) const ACCENT: Color = Color::srgb(0.945, 0.69, 0.36);
pub(super) const WARNING: Color = Color::srgb(0.93, 0.45, 0.36);

/// Lato, see assets/SOURCES.md; part of the program, so that even "assets are missing" can be told.
const FONT: Handle<Font> = uuid_handle!("5b0f4d0e-6c58-4a5e-9d0a-6f1f2d1b7c11");
const FONT_BYTES: &[u8] = include_bytes!("../../assets/fonts/Lato-Medium.ttf");

fn load_font(mut fonts: ResMut<Assets<Font>>) {
    let id: AssetId<Font> = FONT.id();
    if let Err(error) = fonts.insert(id, Font::from_bytes(FONT_BYTES.to_vec())) {
        warn!("the interface's font could not be registered: {error}");
    }
}

/// Sizes in this room are for a window 720 pixels high.
fn scale_with_window(windows: Query<&Window, With<PrimaryWindow>>, mut scale: ResMut<UiScale>) {
    if let Ok(window) = windows.single() {
        let wanted = (window.resolution.height() / 720.0).min(window.resolution.width() / 960.0).clamp(0.5, 4.0);
        if (scale.0 - wanted).abs() > 1e-3 {
            scale.0 = wanted;
        }
    }
}

/// Text in the interface's font.
pub(super) fn text(content: impl Into<String>, size: f32, color: Color) -> impl Bundle {
    (Text::new(content), TextFont { font: FONT.into(), font_size: FontSize::Px(size), ..default() }, TextColor(color))
}

/// A ring, with a dot in it where it is the chosen one.
pub(super) fn radio(is_chosen: bool) -> impl Bundle {
    let node = |side: f32, border: f32| Node {
        width: px(side),
        height: px(side),
        border: UiRect::all(px(border)),
        border_radius: BorderRadius::all(px(0.5 * side)),
        justify_content: JustifyContent::Center,
        align_items: AlignItems::Center,
        ..default()
    };
    (
        node(15.0, 1.5),
        BorderColor::all(if is_chosen { ACCENT } else { MUTED }),
        children![(node(7.0, 0.0), BackgroundColor(if is_chosen { ACCENT } else { Color::NONE }))],
    )
}

/// A dark panel with rounded corners.
pub(super) fn panel(node: Node) -> impl Bundle {
    (
        Node { border: UiRect::all(px(1)), border_radius: BorderRadius::all(px(10)), ..node },
        BackgroundColor(INK),
        BorderColor::all(EDGE),
    )
}

/// Over notices and subtitles: what one operates is not covered.
pub(super) const LISTS: GlobalZIndex = GlobalZIndex(21);

/// A list's place: at the left of the window, where the world stays in sight, or in the middle of its panel in a headset.
pub(super) fn list_node(top: f32, width: f32, in_headset: bool) -> Node {
    let (left, back) = if in_headset { (percent(50), -0.5 * width) } else { (px(28), 0.0) };
    Node {
        position_type: PositionType::Absolute,
        left,
        top: px(top),
        width: px(width),
        margin: UiRect::left(px(back)),
        padding: UiRect::all(px(14)),
        flex_direction: FlexDirection::Column,
        ..default()
    }
}

/// A panel through which no notice shines.
pub(super) fn solid_panel(node: Node) -> impl Bundle {
    (
        Node { border: UiRect::all(px(1)), border_radius: BorderRadius::all(px(10)), ..node },
        BackgroundColor(INK_SOLID),
        BorderColor::all(EDGE),
    )
}

/// A node that covers the window.
pub(super) fn cover() -> Node {
    Node {
        position_type: PositionType::Absolute,
        width: percent(100),
        height: percent(100),
        flex_direction: FlexDirection::Column,
        align_items: AlignItems::Center,
        justify_content: JustifyContent::Center,
        ..default()
    }
}
