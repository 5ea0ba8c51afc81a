//! The menu on the screen, for mouse, keyboard and gamepad.
//!
//! In: `GameState::Paused`, devices, [`Settings`], [`EarStatus`]. Out: changed [`Settings`],
//! `GameState::Playing`, `AppExit`. What rows say and do is in `menu`, how they look in `menu_page`.

use std::time::Duration;

use bevy::{
    input::{InputSystems, mouse::AccumulatedMouseMotion},
    prelude::*,
    time::common_conditions::on_real_timer,
};

use super::{
    GameState, comfort_page,
    menu::{Deed, Offered, Page, Row, change, rows},
    menu_page::{MenuRow, MenuScreen, Stepper, draw, paint_focus, show_level},
    sound::{PlaySound, SoundKind},
};
use crate::{
    platform::{
        bindings::Action,
        eye_height::EyeHeightMeasurement,
        flat::{DeviceInput, Pressed},
        headset::OfferedRates,
        panel_pointer::PanelInput,
        panels::PanelSystems,
        settings::Settings,
        tracking::Tracking,
    },
    sensors::{EarSettings, EarStatus},
};

/// Draws the menu while the world is paused.
pub(super) struct MenuPlugin;

impl Plugin for MenuPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Menu>()
            .add_plugins(comfort_page::plugin)
            .init_resource::<EyeHeightMeasurement>()
            .init_resource::<Tracking>()
            .init_resource::<EarSettings>()
            .init_resource::<EarStatus>()
            .init_resource::<OfferedRates>()
            .add_systems(OnEnter(GameState::Paused), open)
            .add_systems(OnExit(GameState::Paused), close)
            .add_message::<Pressed>()
            .add_systems(OnEnter(GameState::Playing), call.after(super::resume_time))
            .add_systems(
                PreUpdate,
                (navigate, point).chain().after(InputSystems).after(PanelSystems).run_if(in_state(GameState::Paused)),
            )
            .add_systems(
                Update,
                (
                    list_microphones.run_if(on_real_timer(Duration::from_secs(2))),
                    (draw, paint_focus, show_level).chain(),
                )
                    .run_if(in_state(GameState::Paused)),
            );
    }
}

/// What the menu shows.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Menu {
    pub page: Page,
    /// Row under the pointer or chosen by keys.
    pub focus: usize,
    pub waiting: Option<Action>,
    /// Where it opens the next time.
    pub opens_on: Page,
    /// The pages that led here and the row that was focused on each.
    path: Vec<(Page, usize)>,
    /// What is opened once play goes on.
    calls: Option<Action>,
    /// The frame of opening: its key presses opened the menu and do nothing in it.
    fresh: bool,
}

impl Menu {
    /// To the page that led here; whether there is one.
    pub(super) fn go_back(&mut self) -> bool {
        let Some((page, focus)) = self.path.pop() else { return false };
        (self.page, self.focus) = (page, focus);
        true
    }
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

fn open(mut menu: ResMut<Menu>, mut measurement: ResMut<EyeHeightMeasurement>) {
    *menu = Menu { page: menu.opens_on, fresh: true, ..default() };
    *measurement = default();
}

fn close(mut commands: Commands, screens: Query<Entity, With<MenuScreen>>) {
    for screen in &screens {
        commands.entity(screen).despawn();
    }
}

fn call(mut menu: ResMut<Menu>, mut pressed: MessageWriter<Pressed>) {
    if let Some(action) = menu.calls.take() {
        pressed.write(Pressed(action));
    }
}

/// What menus and settings need to act.
#[derive(bevy::ecs::system::SystemParam)]
struct Desk<'w> {
    menu: ResMut<'w, Menu>,
    settings: ResMut<'w, Settings>,
    ear: ResMut<'w, EarSettings>,
    measurement: ResMut<'w, EyeHeightMeasurement>,
    around: Around<'w>,
    next: ResMut<'w, NextState<GameState>>,
    exit: MessageWriter<'w, AppExit>,
    sounds: MessageWriter<'w, PlaySound>,
}

/// What the machine has to choose from.
#[derive(bevy::ecs::system::SystemParam)]
pub(super) struct Around<'w> {
    pub ear: Res<'w, EarStatus>,
    rates: Res<'w, OfferedRates>,
    tracking: Res<'w, Tracking>,
}

impl Around<'_> {
    pub(super) fn offered<'a>(&'a self, measuring: &'a str) -> Offered<'a> {
        Offered { microphones: &self.ear.microphones, rates: &self.rates.0, worn: self.tracking.worn, measuring }
    }
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
                self.ear.listings += u64::from(page == Page::Sound);
            }
            Deed::Back => {
                if self.menu.page == Page::Comfort {
                    self.settings.headset.comfort_chosen = true;
                }
                if !self.menu.go_back() {
                    self.next.set(GameState::Playing);
                }
            }
            Deed::Call(action) => {
                self.menu.calls = Some(action);
                self.next.set(GameState::Playing);
            }
            Deed::Quit => {
                self.exit.write(AppExit::Success);
            }
            Deed::Change(choice) => change(&mut self.settings, choice, true, self.around.offered("")),
            Deed::Prefer(comfort) => self.settings.headset.apply(comfort),
            Deed::Measure => *self.measurement = EyeHeightMeasurement::Asked,
            Deed::Rebind(action) => self.menu.waiting = Some(action),
            Deed::ResetBindings => self.settings.bindings = default(),
        }
    }

    fn step(&mut self, deed: Deed, forward: bool) {
        if let Deed::Change(choice) = deed {
            self.sounds.write(PlaySound { kind: SoundKind::Click, position: None });
            change(&mut self.settings, choice, forward, self.around.offered(""));
        }
    }

    fn rows(&self) -> Vec<Row> {
        let measuring = self.measurement.text();
        rows(self.menu.page, &self.settings, self.menu.waiting, self.around.offered(&measuring))
    }
}

fn asked(input: &DeviceInput, settings: &Settings) -> Option<Ask> {
    input.read(|devices| {
        let key = |keys: &[KeyCode]| devices.keys.any_just_pressed(keys.iter().copied());
        let pad = |button| devices.pads.iter().any(|pad| pad.just_pressed(button));
        let PanelInput { step, choose, back, .. } = devices.hands;
        [
            (key(&[KeyCode::ArrowUp, KeyCode::KeyW]) || pad(GamepadButton::DPadUp) || step.y > 0, Ask::Up),
            (key(&[KeyCode::ArrowDown, KeyCode::KeyS]) || pad(GamepadButton::DPadDown) || step.y < 0, Ask::Down),
            (key(&[KeyCode::ArrowLeft, KeyCode::KeyA]) || pad(GamepadButton::DPadLeft) || step.x < 0, Ask::Less),
            (key(&[KeyCode::ArrowRight, KeyCode::KeyD]) || pad(GamepadButton::DPadRight) || step.x > 0, Ask::More),
            (
                key(&[KeyCode::Enter, KeyCode::Space, KeyCode::NumpadEnter]) || pad(GamepadButton::South) || choose,
                Ask::Do,
            ),
            (
                key(&[KeyCode::Escape, KeyCode::Backspace])
                    || pad(GamepadButton::East)
                    || back
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
        let (pressed, back) = input.read(|devices| (devices.first_pressed(), devices.hands.back));
        if let Some(pressed) = pressed {
            desk.settings.bindings.rebind(action, pressed);
        }
        if pressed.is_some() || back {
            desk.menu.waiting = None;
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

/// The mouse, and hands in a headset.
fn point(
    mut desk: Desk,
    (motion, input): (Res<AccumulatedMouseMotion>, DeviceInput),
    screen_rows: Query<(&MenuRow, Ref<Interaction>)>,
    steppers: Query<(&Stepper, Ref<Interaction>)>,
    mut moved_before: Local<bool>,
) {
    // Hovering may be found out a frame after the movement. A resting mouse takes nothing: neither back from the keys, nor
    // when a new page opens under it.
    let moves = motion.delta != Vec2::ZERO || input.read(|devices| devices.hands.moved);
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

/// What is plugged in while the page is open appears on it.
fn list_microphones(menu: Res<Menu>, mut ear: ResMut<EarSettings>) {
    if menu.page == Page::Sound {
        ear.listings += 1;
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
    fn what_a_key_opens_is_called_from_the_menu_too() {
        let mut chair = Chair::paused();
        for _ in 0..3 {
            chair.press(KeyCode::ArrowDown);
        }
        let mut keys = chair.0.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.press(KeyCode::Enter);
        chair.0.update();
        assert_eq!(chair.state(), GameState::Playing);
        let pressed: Vec<_> = chair.0.world_mut().resource_mut::<Messages<Pressed>>().drain().collect();
        assert_eq!(pressed, [Pressed(Action::Ask)]);
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
