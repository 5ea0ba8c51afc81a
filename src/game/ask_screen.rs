//! The list of what can be asked, on the screen, for mouse, keyboard and gamepad. The world goes on behind it.
//!
//! In: `Action::Ask`, devices, the scene's commands. Out: [`Commanded`]. What the rows are is in `ask_list`.

use bevy::{
    input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll},
    prelude::*,
};

use super::{
    GameState,
    ask_list::{Chosen, Entry, choose, entries, fill, words_for},
    notices::Notice,
    sound::{PlaySound, SoundKind},
    theme,
};
use crate::{
    platform::{
        bindings::Action,
        flat::{DeviceInput, PadInUse, Pressed, Steering, in_headset},
        panel_pointer::PanelInput,
        panels::{PanelKind, ShownOn},
        settings::Settings,
        tracking::Tracking,
    },
    scene::{ActionRegistry, ActiveScene, DreamMaterials},
    world::Commanded,
};

/// Opens, draws and reads the list.
pub(super) struct AskPlugin;

impl Plugin for AskPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<AskList>()
            .init_resource::<PadInUse>()
            .init_resource::<ActionRegistry>()
            .init_resource::<DreamMaterials>()
            .add_message::<Commanded>()
            .add_message::<Pressed>()
            .add_systems(
                Update,
                (navigate, point, open, draw).chain().in_set(AskSystems).run_if(in_state(GameState::Playing)),
            )
            .add_message::<Notice>()
            .add_systems(OnEnter(GameState::Playing), tell_key)
            .add_systems(OnExit(GameState::Playing), leave);
    }
}

/// Before anything else reads presses: the key that closes the list opens no menu.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AskSystems;

/// Whether the list is open, and where in it one is.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AskList {
    pub open: bool,
    /// A command whose word is being chosen.
    entry: Option<Entry>,
    focus: usize,
}

/// Rows shown at once.
const ROWS: usize = 14;

#[derive(Component)]
struct AskScreen;

#[derive(Component, Clone, Copy)]
struct AskRow(usize);

/// What the list is made of and what it writes to.
#[derive(bevy::ecs::system::SystemParam)]
struct Counter<'w> {
    list: ResMut<'w, AskList>,
    scene: Option<Res<'w, ActiveScene>>,
    actions: Res<'w, ActionRegistry>,
    dreams: Res<'w, DreamMaterials>,
    steering: ResMut<'w, Steering>,
    pressed: ResMut<'w, Messages<Pressed>>,
    commanded: MessageWriter<'w, Commanded>,
    sounds: MessageWriter<'w, PlaySound>,
}

impl Counter<'_> {
    fn entries(&self) -> Vec<Entry> {
        entries(self.scene.as_ref().map(|scene| &*scene.spec), &self.actions)
    }

    fn rows(&self) -> Vec<String> {
        match &self.list.entry {
            Some(entry) => words_for(entry, self.scene.as_ref().map(|scene| &*scene.spec), &self.actions, &self.dreams),
            None => self.entries().into_iter().map(|entry| entry.label).collect(),
        }
    }

    fn choose(&mut self, row: usize) {
        self.sounds.write(PlaySound { kind: SoundKind::Click, position: None });
        let chosen = match &self.list.entry {
            Some(entry) => self.rows().get(row).map(|word| fill(entry, word)),
            None => self.entries().get(row).map(choose),
        };
        match chosen {
            Some(Chosen::Send(command)) => {
                self.commanded.write(command);
                self.close();
            }
            Some(Chosen::Ask(entry)) => {
                self.list.entry = Some(entry);
                self.list.focus = 0;
            }
            None => {}
        }
    }

    fn close(&mut self) {
        *self.list = AskList::default();
        self.steering.0 = true;
        // The key that closed the list would open it, or the menu.
        self.pressed.clear();
    }
}

/// Once, so that the list is found.
fn tell_key(
    settings: Res<Settings>,
    pad: Res<PadInUse>,
    tracking: Option<Res<Tracking>>,
    mut told: Local<bool>,
    mut notices: MessageWriter<Notice>,
) {
    if !std::mem::replace(&mut *told, true) {
        let key = match (in_headset(tracking), settings.headset.left_handed) {
            (false, _) => settings.bindings.hint(Action::Ask, pad.0),
            (true, false) => "Upper button, right hand".to_owned(),
            (true, true) => "Upper button, left hand".to_owned(),
        };
        notices.write(Notice(format!("{key}: ask the companion, command the world")));
    }
}

fn open(mut pressed: MessageReader<Pressed>, mut list: ResMut<AskList>, mut steering: ResMut<Steering>) {
    let asked = pressed.read().any(|pressed| pressed.0 == Action::Ask);
    if asked && !list.open {
        *list = AskList { open: true, ..default() };
        steering.0 = false;
    }
}

/// Keys, gamepads, the wheel.
fn navigate(mut counter: Counter, input: DeviceInput, settings: Res<Settings>, wheel: Res<AccumulatedMouseScroll>) {
    if !counter.list.open {
        return;
    }
    let step = input.read(|devices| {
        let key = |keys: &[KeyCode]| devices.keys.any_just_pressed(keys.iter().copied());
        let pad = |button| devices.pads.iter().any(|pad| pad.just_pressed(button));
        let PanelInput { step, choose, back, .. } = devices.hands;
        let by_hand = [step.y > 0, step.y < 0, step.x < 0, step.x > 0];
        if key(&[KeyCode::ArrowUp, KeyCode::KeyW]) || pad(GamepadButton::DPadUp) || wheel.delta.y > 0.0 || by_hand[0] {
            Some(Step::Up)
        } else if key(&[KeyCode::ArrowDown, KeyCode::KeyS])
            || pad(GamepadButton::DPadDown)
            || wheel.delta.y < 0.0
            || by_hand[1]
        {
            Some(Step::Down)
        } else if key(&[KeyCode::PageUp, KeyCode::ArrowLeft]) || pad(GamepadButton::DPadLeft) || by_hand[2] {
            Some(Step::PageUp)
        } else if key(&[KeyCode::PageDown, KeyCode::ArrowRight]) || pad(GamepadButton::DPadRight) || by_hand[3] {
            Some(Step::PageDown)
        } else if key(&[KeyCode::Enter, KeyCode::NumpadEnter, KeyCode::Space, KeyCode::KeyE])
            || pad(GamepadButton::South)
            || choose
        {
            Some(Step::Choose)
        } else if key(&[KeyCode::Escape, KeyCode::Backspace])
            || pad(GamepadButton::East)
            || back
            || devices.begins(&settings.bindings, Action::Ask)
            || devices.begins(&settings.bindings, Action::Pause)
        {
            Some(Step::Back)
        } else {
            None
        }
    });
    let Some(step) = step else { return };
    let rows = counter.rows().len().max(1);
    let focus = counter.list.focus.min(rows - 1);
    match step {
        Step::Up => counter.list.focus = (focus + rows - 1) % rows,
        Step::Down => counter.list.focus = (focus + 1) % rows,
        Step::PageUp => counter.list.focus = focus.saturating_sub(ROWS),
        Step::PageDown => counter.list.focus = (focus + ROWS).min(rows - 1),
        Step::Choose => counter.choose(focus),
        Step::Back if counter.list.entry.is_some() => {
            counter.list.entry = None;
            counter.list.focus = 0;
            counter.pressed.clear();
        }
        Step::Back => counter.close(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Up,
    Down,
    PageUp,
    PageDown,
    Choose,
    Back,
}

/// The mouse, and hands in a headset.
fn point(
    mut counter: Counter,
    motion: Res<AccumulatedMouseMotion>,
    input: DeviceInput,
    rows: Query<(&AskRow, Ref<Interaction>)>,
) {
    if !counter.list.open {
        return;
    }
    let moves = motion.delta != Vec2::ZERO || input.read(|devices| devices.hands.moved);
    for (row, interaction) in &rows {
        let hovers = *interaction != Interaction::None && (moves || interaction.is_changed());
        if hovers && counter.list.focus != row.0 {
            counter.list.focus = row.0;
        }
    }
    let clicked = rows
        .iter()
        .find(|(_, interaction)| interaction.is_changed() && **interaction == Interaction::Pressed)
        .map(|(row, _)| row.0);
    if let Some(row) = clicked {
        counter.choose(row);
    }
}

fn leave(mut list: ResMut<AskList>, screens: Query<Entity, With<AskScreen>>, mut commands: Commands) {
    list.set_if_neq(AskList::default());
    for screen in &screens {
        commands.entity(screen).despawn();
    }
}

/// The first of the rows that are shown, so that the focused one is among them.
fn first_shown(focus: usize, rows: usize) -> usize {
    focus.saturating_sub(ROWS / 2).min(rows.saturating_sub(ROWS))
}

fn draw(
    counter: Counter,
    pad: Res<PadInUse>,
    tracking: Option<Res<Tracking>>,
    screens: Query<Entity, With<AskScreen>>,
    mut drawn: Local<Option<AskList>>,
    mut commands: Commands,
) {
    if drawn.as_ref() == Some(&*counter.list) && screens.is_empty() != counter.list.open {
        return;
    }
    *drawn = Some(counter.list.clone());
    for screen in &screens {
        commands.entity(screen).despawn();
    }
    if !counter.list.open {
        return;
    }
    let worn = in_headset(tracking);
    let rows = counter.rows();
    let focus = counter.list.focus.min(rows.len().saturating_sub(1));
    let first = first_shown(focus, rows.len());
    let title = counter.list.entry.as_ref().map_or("Ask or command".to_owned(), |entry| entry.label.clone());
    let screen = commands
        .spawn((
            AskScreen,
            ShownOn(PanelKind::Menu),
            Name::new("ask list"),
            theme::LISTS,
            theme::solid_panel(Node { row_gap: px(2), ..theme::list_node(96.0, 320.0, worn) }),
            children![(
                Node { margin: UiRect::new(px(10), px(10), px(0), px(8)), ..default() },
                theme::text(title, 19.0, theme::TEXT),
            )],
        ))
        .id();
    for (number, words) in rows.iter().enumerate().skip(first).take(ROWS) {
        let color = if number == focus { theme::ACCENT.with_alpha(0.2) } else { Color::NONE };
        commands.spawn((
            AskRow(number),
            Interaction::None,
            ChildOf(screen),
            Node { padding: UiRect::axes(px(10), px(5)), border_radius: BorderRadius::all(px(6)), ..default() },
            BackgroundColor(color),
            children![theme::text(words.clone(), 16.0, theme::TEXT)],
        ));
    }
    let [choose, back] = match (worn, pad.0) {
        (true, _) => ["trigger", "upper button"],
        (false, true) => ["A (lower)", "B (right)"],
        (false, false) => ["Enter", "Esc"],
    };
    let place = if rows.len() > ROWS { format!("{} of {}     ", focus + 1, rows.len()) } else { String::new() };
    commands.spawn((
        ChildOf(screen),
        Node { margin: UiRect::new(px(10), px(10), px(8), px(0)), ..default() },
        children![theme::text(format!("{place}{choose}  choose     {back}  back"), 13.0, theme::MUTED)],
    ));
}

#[cfg(test)]
mod tests {
    use bevy::state::app::StatesPlugin;

    use super::*;
    use crate::game::ask_list::tests::actions;

    struct Seat(App);

    impl Seat {
        fn new() -> Self {
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, StatesPlugin, AskPlugin))
                .insert_state(GameState::Playing)
                .add_message::<PlaySound>()
                .init_resource::<Settings>()
                .insert_resource(Steering(true))
                .insert_resource(actions())
                .init_resource::<ButtonInput<KeyCode>>()
                .init_resource::<ButtonInput<MouseButton>>()
                .init_resource::<AccumulatedMouseMotion>()
                .init_resource::<AccumulatedMouseScroll>();
            app.update();
            app.world_mut().write_message(Pressed(Action::Ask));
            app.update();
            Self(app)
        }

        fn press(&mut self, key: KeyCode) {
            self.0.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
            self.0.update();
            self.0.world_mut().resource_mut::<ButtonInput<KeyCode>>().reset_all();
            self.0.update();
        }

        fn words(&mut self) -> Vec<String> {
            self.0.world_mut().query::<&Text>().iter(self.0.world()).map(|text| text.0.clone()).collect()
        }

        fn sent(&mut self) -> Vec<Commanded> {
            self.0.world_mut().resource_mut::<Messages<Commanded>>().drain().collect()
        }
    }

    #[test]
    fn a_command_with_a_choice_is_given_by_keys() {
        let mut seat = Seat::new();
        assert!(seat.words().contains(&"lights …".to_owned()), "{:?}", seat.words());
        assert!(!seat.0.world().resource::<Steering>().0, "the body stands still meanwhile");
        seat.press(KeyCode::ArrowDown);
        seat.press(KeyCode::Enter);
        assert!(seat.words().contains(&"off".to_owned()), "{:?}", seat.words());
        seat.press(KeyCode::ArrowDown);
        let before = seat.sent();
        assert!(before.is_empty(), "{before:?}");
        seat.0.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(KeyCode::Enter);
        seat.0.update();
        assert_eq!(seat.sent(), [Commanded::new("Lights", &["off"])]);
        assert!(seat.0.world().resource::<Steering>().0);
        assert!(!seat.0.world().resource::<AskList>().open);
    }

    #[test]
    fn back_leads_to_the_list_and_then_out_of_it() {
        let mut seat = Seat::new();
        seat.press(KeyCode::Enter);
        assert!(seat.0.world().resource::<AskList>().entry.is_some());
        seat.press(KeyCode::Escape);
        assert!(seat.0.world().resource::<AskList>().open);
        seat.press(KeyCode::Escape);
        assert!(!seat.0.world().resource::<AskList>().open && seat.words().is_empty());
        assert!(seat.sent().is_empty());
    }

    #[test]
    fn pages_end_with_the_list() {
        let mut seat = Seat::new();
        seat.press(KeyCode::PageDown);
        assert_eq!(seat.0.world().resource::<AskList>().focus, 2, "three rows");
        seat.press(KeyCode::PageUp);
        assert_eq!(seat.0.world().resource::<AskList>().focus, 0);
    }

    #[test]
    fn long_lists_scroll_with_the_focus() {
        assert_eq!(first_shown(0, 30), 0);
        assert_eq!(first_shown(15, 30), 15 - ROWS / 2);
        assert_eq!(first_shown(29, 30), 30 - ROWS);
        assert_eq!(first_shown(3, 5), 0);
    }
}
