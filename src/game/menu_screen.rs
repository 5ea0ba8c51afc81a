//! The menu on the screen, for mouse, keyboard and gamepad.
//!
//! In: `GameState::Paused`, devices, [`Settings`]. Out: changed [`Settings`], `GameState::Playing`, `AppExit`. The page is
//! rebuilt whenever what it shows changes; what rows say and do is in `menu`.

use bevy::{
    input::{InputSystems, mouse::AccumulatedMouseMotion},
    prelude::*,
};

use super::{
    GameState,
    menu::{Deed, Page, Row, change, rows},
    sound::{PlaySound, SoundKind},
    theme,
};
use crate::platform::{bindings::Action, flat::DeviceInput, settings::Settings};

/// Draws the menu while the world is paused.
pub(super) struct MenuPlugin;

impl Plugin for MenuPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Menu>()
            .add_systems(OnEnter(GameState::Paused), open)
            .add_systems(OnExit(GameState::Paused), close)
            .add_systems(PreUpdate, (navigate, point).chain().after(InputSystems).run_if(in_state(GameState::Paused)))
            .add_systems(Update, (draw, paint_focus).chain().run_if(in_state(GameState::Paused)));
    }
}

/// What the menu shows.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
struct Menu {
    page: Page,
    /// Row under the pointer or chosen by keys.
    focus: usize,
    waiting: Option<Action>,
    /// The pages that led here and the row that was focused on each.
    path: Vec<(Page, usize)>,
    /// The frame of opening: its key presses opened the menu and do nothing in it.
    fresh: bool,
}

#[derive(Component)]
struct MenuScreen;

/// A row on the screen, by its number.
#[derive(Component, Clone, Copy)]
struct MenuRow(usize);

/// A half of a row's value: steps back or on.
#[derive(Component, Clone, Copy)]
struct Stepper {
    row: usize,
    forward: bool,
}

/// What a device asks of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Up,
    Down,
    Less,
    More,
    Do,
    Back,
}

fn open(mut menu: ResMut<Menu>) {
    *menu = Menu { fresh: true, ..default() };
}

fn close(mut commands: Commands, screens: Query<Entity, With<MenuScreen>>) {
    for screen in &screens {
        commands.entity(screen).despawn();
    }
}

/// What menus and settings need to act.
#[derive(bevy::ecs::system::SystemParam)]
struct Desk<'w> {
    menu: ResMut<'w, Menu>,
    settings: ResMut<'w, Settings>,
    next: ResMut<'w, NextState<GameState>>,
    exit: MessageWriter<'w, AppExit>,
    sounds: MessageWriter<'w, PlaySound>,
}

impl Desk<'_> {
    fn act(&mut self, deed: Deed) {
        self.sounds.write(PlaySound { kind: SoundKind::Click, position: None });
        match deed {
            Deed::Resume => self.next.set(GameState::Playing),
            Deed::Open(page) => {
                let from = (self.menu.page, self.menu.focus);
                self.menu.path.push(from);
                self.menu.page = page;
                self.menu.focus = 0;
            }
            Deed::Back => match self.menu.path.pop() {
                Some((page, focus)) => {
                    self.menu.page = page;
                    self.menu.focus = focus;
                }
                None => self.next.set(GameState::Playing),
            },
            Deed::Quit => {
                self.exit.write(AppExit::Success);
            }
            Deed::Change(choice) => change(&mut self.settings, choice, true),
            Deed::Rebind(action) => self.menu.waiting = Some(action),
            Deed::ResetBindings => self.settings.bindings = default(),
        }
    }

    fn step(&mut self, deed: Deed, forward: bool) {
        if let Deed::Change(choice) = deed {
            self.sounds.write(PlaySound { kind: SoundKind::Click, position: None });
            change(&mut self.settings, choice, forward);
        }
    }

    fn rows(&self) -> Vec<Row> {
        rows(self.menu.page, &self.settings, self.menu.waiting)
    }
}

fn asked(input: &DeviceInput, settings: &Settings) -> Option<Ask> {
    input.read(|devices| {
        let key = |keys: &[KeyCode]| devices.keys.any_just_pressed(keys.iter().copied());
        let pad = |button| devices.pads.iter().any(|pad| pad.just_pressed(button));
        [
            (key(&[KeyCode::ArrowUp, KeyCode::KeyW]) || pad(GamepadButton::DPadUp), Ask::Up),
            (key(&[KeyCode::ArrowDown, KeyCode::KeyS]) || pad(GamepadButton::DPadDown), Ask::Down),
            (key(&[KeyCode::ArrowLeft, KeyCode::KeyA]) || pad(GamepadButton::DPadLeft), Ask::Less),
            (key(&[KeyCode::ArrowRight, KeyCode::KeyD]) || pad(GamepadButton::DPadRight), Ask::More),
            (key(&[KeyCode::Enter, KeyCode::Space, KeyCode::NumpadEnter]) || pad(GamepadButton::South), Ask::Do),
            (
                key(&[KeyCode::Escape, KeyCode::Backspace])
                    || pad(GamepadButton::East)
                    || devices.begins(&settings.bindings, Action::Pause),
                Ask::Back,
            ),
        ]
        .into_iter()
        .find_map(|(pressed, ask)| pressed.then_some(ask))
    })
}

/// Keys and gamepads.
fn navigate(mut desk: Desk, input: DeviceInput) {
    if std::mem::take(&mut desk.menu.bypass_change_detection().fresh) {
        return;
    }
    if let Some(action) = desk.menu.waiting {
        if let Some(pressed) = input.read(|devices| devices.first_pressed()) {
            desk.menu.waiting = None;
            desk.settings.bindings.rebind(action, pressed);
        }
        return;
    }
    let Some(ask) = asked(&input, &desk.settings) else { return };
    let rows = desk.rows();
    let focus = desk.menu.focus.min(rows.len() - 1);
    match ask {
        Ask::Up => desk.menu.focus = (focus + rows.len() - 1) % rows.len(),
        Ask::Down => desk.menu.focus = (focus + 1) % rows.len(),
        Ask::Less => desk.step(rows[focus].deed, false),
        Ask::More => desk.step(rows[focus].deed, true),
        Ask::Do => desk.act(rows[focus].deed),
        Ask::Back => desk.act(Deed::Back),
    }
}

/// The mouse.
fn point(
    mut desk: Desk,
    motion: Res<AccumulatedMouseMotion>,
    screen_rows: Query<(&MenuRow, Ref<Interaction>)>,
    steppers: Query<(&Stepper, Ref<Interaction>)>,
    mut moved_before: Local<bool>,
) {
    // Hovering may be found out a frame after the movement. A resting mouse takes nothing: neither back from the keys, nor
    // when a new page opens under it.
    let moves = motion.delta != Vec2::ZERO;
    let moved = std::mem::replace(&mut *moved_before, moves) || moves;
    if desk.menu.waiting.is_some() {
        return;
    }
    for (row, interaction) in &screen_rows {
        if moved && *interaction != Interaction::None && desk.menu.focus != row.0 {
            desk.menu.focus = row.0;
        }
    }
    let stepped = steppers
        .iter()
        .find(|(_, interaction)| interaction.is_changed() && **interaction == Interaction::Pressed)
        .map(|(stepper, _)| *stepper);
    if let Some(stepper) = stepped {
        if let Some(row) = desk.rows().get(stepper.row) {
            desk.step(row.deed, stepper.forward);
        }
        return;
    }
    let pressed = screen_rows
        .iter()
        .find(|(_, interaction)| interaction.is_changed() && **interaction == Interaction::Pressed)
        .map(|(row, _)| row.0);
    if let Some(row) = pressed.and_then(|row| desk.rows().into_iter().nth(row)) {
        desk.act(row.deed);
    }
}

/// What was drawn last.
#[derive(PartialEq)]
struct Drawn {
    page: Page,
    rows: Vec<Row>,
}

fn draw(
    mut commands: Commands,
    menu: Res<Menu>,
    settings: Res<Settings>,
    screens: Query<Entity, With<MenuScreen>>,
    mut drawn: Local<Option<Drawn>>,
) {
    let wanted = Drawn { page: menu.page, rows: rows(menu.page, &settings, menu.waiting) };
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
            Name::new("menu"),
            theme::cover(),
            GlobalZIndex(10),
            BackgroundColor(Color::BLACK.with_alpha(0.35)),
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
    let padding = row_padding(wanted.rows.len());
    for (number, row) in wanted.rows.iter().enumerate() {
        draw_row(&mut commands, panel, number, row, padding);
    }
    *drawn = Some(wanted);
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
            children![theme::text(row.label.clone(), 17.0, theme::TEXT)],
        ))
        .id();
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

fn paint_focus(menu: Res<Menu>, mut screen_rows: Query<(&MenuRow, &mut BackgroundColor)>) {
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
    use bevy::{input::mouse::AccumulatedMouseScroll, state::app::StatesPlugin};

    use super::*;

    struct Chair(App);

    impl Chair {
        fn paused() -> Self {
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, StatesPlugin, MenuPlugin))
                .insert_state(GameState::Paused)
                .add_message::<PlaySound>()
                .init_resource::<Settings>()
                .init_resource::<ButtonInput<KeyCode>>()
                .init_resource::<ButtonInput<MouseButton>>()
                .init_resource::<AccumulatedMouseMotion>()
                .init_resource::<AccumulatedMouseScroll>();
            app.update();
            app.update();
            Self(app)
        }

        fn press(&mut self, key: KeyCode) {
            let mut keys = self.0.world_mut().resource_mut::<ButtonInput<KeyCode>>();
            keys.reset_all();
            keys.press(key);
            self.0.update();
            self.0.world_mut().resource_mut::<ButtonInput<KeyCode>>().reset_all();
            self.0.update();
        }

        fn state(&self) -> GameState {
            *self.0.world().resource::<State<GameState>>().get()
        }

        fn page(&self) -> Page {
            self.0.world().resource::<Menu>().page
        }

        fn words(&mut self) -> Vec<String> {
            self.0.world_mut().query::<&Text>().iter(self.0.world()).map(|text| text.0.clone()).collect()
        }
    }

    #[test]
    fn enter_on_the_first_row_resumes() {
        let mut chair = Chair::paused();
        assert!(chair.words().contains(&"Resume".to_owned()));
        chair.press(KeyCode::Enter);
        assert_eq!(chair.state(), GameState::Playing);
        assert!(chair.words().is_empty(), "the menu is gone");
    }

    #[test]
    fn settings_are_reached_changed_and_left_by_keys() {
        let mut chair = Chair::paused();
        chair.press(KeyCode::ArrowDown);
        chair.press(KeyCode::Enter);
        assert_eq!(chair.page(), Page::Settings);
        // Third row from the top: quality.
        chair.press(KeyCode::ArrowDown);
        chair.press(KeyCode::ArrowDown);
        let before = chair.0.world().resource::<Settings>().quality;
        chair.press(KeyCode::ArrowRight);
        assert_ne!(chair.0.world().resource::<Settings>().quality, before);
        chair.press(KeyCode::Escape);
        assert_eq!(chair.page(), Page::Main);
        chair.press(KeyCode::Escape);
        assert_eq!(chair.state(), GameState::Playing);
    }

    #[test]
    fn a_page_that_opens_under_a_resting_mouse_keeps_its_focus() {
        let mut chair = Chair::paused();
        let hover = |chair: &mut Chair| {
            let world = chair.0.world_mut();
            let mut rows = world.query::<(&MenuRow, &mut Interaction)>();
            for (row, mut interaction) in rows.iter_mut(world) {
                *interaction = if row.0 == 3 { Interaction::Hovered } else { Interaction::None };
            }
        };
        hover(&mut chair);
        chair.0.update();
        assert_eq!(chair.0.world().resource::<Menu>().focus, 0);
        chair.0.world_mut().resource_mut::<AccumulatedMouseMotion>().delta = Vec2::X;
        chair.0.update();
        assert_eq!(chair.0.world().resource::<Menu>().focus, 3, "a moved mouse takes it");
    }

    #[test]
    fn long_pages_fit_the_window() {
        for rows in 1..=24 {
            let height = rows as f32 * (2.0 * row_padding(rows) + 23.4) + 90.0;
            assert!(height <= 720.0, "{rows} rows are {height} pixels high");
        }
    }

    #[test]
    fn a_key_is_rebound_by_pressing_it() {
        let mut chair = Chair::paused();
        chair.press(KeyCode::ArrowDown);
        chair.press(KeyCode::ArrowDown);
        chair.press(KeyCode::Enter);
        assert_eq!(chair.page(), Page::Bindings);
        // One step back is where one came from.
        chair.press(KeyCode::Escape);
        assert_eq!(chair.page(), Page::Main);
        chair.press(KeyCode::Enter);
        // First row: walk forward. Enter, then the new key; Escape would be taken as a key as well.
        chair.press(KeyCode::Enter);
        assert!(chair.words().iter().any(|words| words.starts_with("press a key")));
        chair.press(KeyCode::KeyI);
        let bindings = &chair.0.world().resource::<Settings>().bindings;
        assert_eq!(bindings.of(Action::Forward), [crate::platform::bindings::Input::Key(KeyCode::KeyI)]);
        assert!(chair.words().contains(&"I".to_owned()));
    }
}
