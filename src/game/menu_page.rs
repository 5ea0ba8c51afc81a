//! A page of the menu on the screen: its rows, the one in focus, how the microphone is.
//!
//! In: the [`Menu`], [`Settings`], [`EarStatus`]. Out: nodes, made anew whenever what they show changes. What the rows do is in
//! `menu`, what devices do to them in `menu_screen`.

use bevy::prelude::*;

use super::{
    ear_sign::bar_fraction,
    menu::{Deed, Page, Row, rows},
    menu_screen::{Around, Menu},
    theme,
};
use crate::{
    base::Status,
    platform::{
        eye_height::EyeHeightMeasurement,
        flat::in_headset,
        panels::{PanelKind, ShownOn},
        settings::Settings,
        tracking::Tracking,
    },
    sensors::EarStatus,
};

#[derive(Component)]
pub(super) struct MenuScreen;

/// A row on the screen, by its number.
#[derive(Component, Clone, Copy)]
pub(super) struct MenuRow(pub usize);

/// A half of a row's value: steps back or on.
#[derive(Component, Clone, Copy)]
pub(super) struct Stepper {
    pub row: usize,
    pub forward: bool,
}

/// The bar that shows how loud it is at the microphone.
#[derive(Component)]
pub(super) struct LevelFill;

/// What was drawn last.
#[derive(PartialEq)]
pub(super) struct Drawn {
    page: Page,
    rows: Vec<Row>,
    note: Option<String>,
}

/// What stands under the rows: how the microphone is.
fn note(page: Page, ear: &EarStatus) -> Option<String> {
    (page == Page::Sound).then(|| match &ear.status {
        Status::Ready => ear.source.clone(),
        Status::Loading => "A microphone is looked for.".to_owned(),
        Status::Unavailable(reason) => format!("Not listening: {reason}."),
    })
}

pub(super) fn draw(
    mut commands: Commands,
    menu: Res<Menu>,
    settings: Res<Settings>,
    (around, measurement): (Around, Res<EyeHeightMeasurement>),
    tracking: Option<Res<Tracking>>,
    screens: Query<Entity, With<MenuScreen>>,
    mut drawn: Local<Option<Drawn>>,
) {
    let measuring = measurement.text();
    let rows = rows(menu.page, &settings, menu.waiting, around.offered(&measuring));
    let ear = &around.ear;
    let wanted = Drawn { page: menu.page, rows, note: note(menu.page, ear) };
    if !screens.is_empty() && drawn.as_ref() == Some(&wanted) {
        return;
    }
    for screen in &screens {
        commands.entity(screen).despawn();
    }
    let width = if menu.page == Page::Main { 340 } else { 680 };
    let screen = commands
        .spawn((
            MenuScreen,
            ShownOn(PanelKind::Menu),
            Name::new("menu"),
            theme::cover(),
            GlobalZIndex(10),
            // It dims a window; in the world it would be a dark pane.
            BackgroundColor(Color::BLACK.with_alpha(if in_headset(tracking) { 0.0 } else { 0.35 })),
        ))
        .id();
    let panel = commands
        .spawn((
            ChildOf(screen),
            theme::panel(Node {
                width: px(width),
                padding: UiRect::all(px(22)),
                flex_direction: FlexDirection::Column,
                row_gap: px(3),
                ..default()
            }),
            children![(
                Node { margin: UiRect::new(px(12), px(12), px(0), px(12)), ..default() },
                theme::text(menu.page.title(), 27.0, theme::TEXT),
            )],
        ))
        .id();
    if let Some(lead) = menu.page.lead() {
        commands.spawn((
            ChildOf(panel),
            Node { margin: UiRect::new(px(12), px(12), px(0), px(10)), ..default() },
            children![theme::text(lead, 16.0, theme::MUTED)],
        ));
    }
    let padding = row_padding(wanted.rows.len());
    for (number, row) in wanted.rows.iter().enumerate() {
        draw_row(&mut commands, panel, number, row, padding);
    }
    if let Some(note) = &wanted.note {
        draw_note(&mut commands, panel, note, ear.status == Status::Ready);
    }
    *drawn = Some(wanted);
}

/// How the microphone is, in words and as a bar.
fn draw_note(commands: &mut Commands, panel: Entity, note: &str, with_level: bool) {
    let line = commands
        .spawn((
            ChildOf(panel),
            Node {
                margin: UiRect::new(px(12), px(12), px(10), px(0)),
                justify_content: JustifyContent::SpaceBetween,
                align_items: AlignItems::Center,
                column_gap: px(18),
                ..default()
            },
            children![theme::text(note, 14.0, theme::MUTED)],
        ))
        .id();
    if with_level {
        let radius = BorderRadius::all(px(3));
        commands.spawn((
            ChildOf(line),
            Node { width: px(200), height: px(6), flex_shrink: 0.0, border_radius: radius, ..default() },
            BackgroundColor(theme::RAISED),
            children![(
                LevelFill,
                Node { width: percent(0), height: percent(100), border_radius: radius, ..default() },
                BackgroundColor(theme::ACCENT),
            )],
        ));
    }
}

pub(super) fn show_level(ear: Res<EarStatus>, mut fills: Query<&mut Node, With<LevelFill>>) {
    let width = percent(100.0 * bar_fraction(ear.level));
    for mut fill in &mut fills {
        if fill.width != width {
            fill.width = width;
        }
    }
}

/// Space above and below a row's words, interface pixels: less on long pages, so that they fit a window 720 pixels high.
fn row_padding(rows: usize) -> f32 {
    /// What is left of 720 pixels beside the title, the panel's own edges and some air.
    const FREE: f32 = 590.0;
    const LINE_AND_GAP: f32 = 24.0;
    (0.5 * (FREE / rows.max(1) as f32 - LINE_AND_GAP)).clamp(0.0, 7.0)
}

fn draw_row(commands: &mut Commands, panel: Entity, number: usize, row: &Row, padding: f32) {
    let line = commands
        .spawn((
            MenuRow(number),
            Interaction::None,
            ChildOf(panel),
            Node {
                padding: UiRect::axes(px(12), px(padding)),
                justify_content: JustifyContent::SpaceBetween,
                align_items: AlignItems::Center,
                border_radius: BorderRadius::all(px(6)),
                ..default()
            },
            BackgroundColor(Color::NONE),
        ))
        .id();
    let left = commands
        .spawn((
            ChildOf(line),
            Node { flex_shrink: 0.0, align_items: AlignItems::Center, column_gap: px(10), ..default() },
        ))
        .id();
    if let Some(is_chosen) = row.mark {
        commands.spawn((ChildOf(left), theme::radio(is_chosen)));
    }
    commands.spawn((ChildOf(left), theme::text(row.label.clone(), 17.0, theme::TEXT)));
    let Some(value) = &row.value else { return };
    let right =
        commands.spawn((ChildOf(line), Node { align_items: AlignItems::Center, column_gap: px(10), ..default() })).id();
    if let Some(fraction) = row.fraction {
        commands.spawn((
            ChildOf(right),
            Node { width: px(130), height: px(4), border_radius: BorderRadius::all(px(2)), ..default() },
            BackgroundColor(theme::RAISED),
            children![(
                Node {
                    width: percent(100.0 * fraction),
                    height: percent(100),
                    border_radius: BorderRadius::all(px(2)),
                    ..default()
                },
                BackgroundColor(theme::ACCENT),
            )],
        ));
    }
    let steps = matches!(row.deed, Deed::Change(_));
    if steps {
        draw_stepper(commands, right, number, false);
    }
    let min_width = if row.fraction.is_some() { px(52) } else { px(0) };
    commands.spawn((
        ChildOf(right),
        Node { min_width, justify_content: JustifyContent::Center, ..default() },
        children![theme::text(value.clone(), 16.0, theme::MUTED)],
    ));
    if steps {
        draw_stepper(commands, right, number, true);
    }
}

fn draw_stepper(commands: &mut Commands, parent: Entity, row: usize, forward: bool) {
    commands.spawn((
        Stepper { row, forward },
        Interaction::None,
        ChildOf(parent),
        Node { padding: UiRect::axes(px(8), px(0)), border_radius: BorderRadius::all(px(4)), ..default() },
        BackgroundColor(theme::RAISED),
        children![theme::text(if forward { "›" } else { "‹" }, 17.0, theme::TEXT)],
    ));
}

pub(super) fn paint_focus(menu: Res<Menu>, mut screen_rows: Query<(&MenuRow, &mut BackgroundColor)>) {
    for (row, mut background) in &mut screen_rows {
        let wanted = match (row.0 == menu.focus, menu.waiting) {
            (true, Some(_)) => theme::ACCENT.with_alpha(0.32),
            (true, None) => theme::ACCENT.with_alpha(0.17),
            _ => Color::NONE,
        };
        if background.0 != wanted {
            background.0 = wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_pages_fit_the_window() {
        for rows in 1..=24 {
            let height = rows as f32 * (2.0 * row_padding(rows) + 23.4) + 90.0;
            assert!(height <= 720.0, "{rows} rows are {height} pixels high");
        }
    }
}
