//! What can be dreamt, as pictures on the screen: choose one and what you look at wears it. The world goes on behind it.
//!
//! In: `Action::Materials`, devices, [`DreamMaterials`], [`Swatches`]. Out: [`Commanded`] (`Paint`, `Mix`). Swatches are wanted
//! from the first look on and come one by one; until then their place is plain. What is absent: generators.

use bevy::{input::mouse::AccumulatedMouseMotion, prelude::*};

use super::{GameState, ask_screen::AskSystems, notices::Notice, theme};
use crate::{
    platform::{
        bindings::Action,
        flat::{DeviceInput, PadInUse, Pressed, Steering, in_headset},
        panel_pointer::PanelInput,
        panels::{PanelKind, ShownOn},
        settings::Settings,
        tracking::Tracking,
    },
    scene::DreamMaterials,
    world::{Commanded, Swatches},
};

/// Opens, draws and reads the browser.
pub(super) struct MaterialBrowserPlugin;

impl Plugin for MaterialBrowserPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Browser>()
            .init_resource::<Swatches>()
            .init_resource::<DreamMaterials>()
            .init_resource::<PadInUse>()
            .add_message::<Commanded>()
            .add_message::<Pressed>()
            .add_message::<Notice>()
            .add_systems(
                Update,
                (navigate, point, open, draw).chain().in_set(AskSystems).run_if(in_state(GameState::Playing)),
            )
            .add_systems(OnExit(GameState::Playing), leave);
    }
}

/// Pictures in a row.
const COLUMNS: usize = 5;

/// Whether the browser is open, and where in it one is.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Browser {
    open: bool,
    focus: usize,
}

#[derive(Component)]
struct BrowserScreen;

#[derive(Component, Clone, Copy)]
struct BrowserCell(usize);

#[derive(bevy::ecs::system::SystemParam)]
struct Shop<'w> {
    browser: ResMut<'w, Browser>,
    materials: Res<'w, DreamMaterials>,
    steering: ResMut<'w, Steering>,
    pressed: ResMut<'w, Messages<Pressed>>,
    commanded: MessageWriter<'w, Commanded>,
}

impl Shop<'_> {
    fn choose(&mut self, action: &str, cell: usize) {
        if let Some(name) = self.materials.0.get(cell) {
            self.commanded.write(Commanded::new(action, &[name.as_str()]));
            self.close();
        }
    }

    fn close(&mut self) {
        self.browser.open = false;
        self.steering.0 = true;
        // The key that closed the browser would open it, or the menu.
        self.pressed.clear();
    }
}

fn open(
    mut pressed: MessageReader<Pressed>,
    mut browser: ResMut<Browser>,
    materials: Res<DreamMaterials>,
    mut swatches: ResMut<Swatches>,
    mut steering: ResMut<Steering>,
    mut notices: MessageWriter<Notice>,
) {
    let asked = pressed.read().any(|pressed| pressed.0 == Action::Materials);
    if !asked || browser.open || !steering.0 {
        return;
    }
    if materials.0.is_empty() {
        notices.write(Notice("There is no generator to dream with: `umwelt train texture` makes one.".to_owned()));
        return;
    }
    browser.open = true;
    steering.0 = false;
    if !swatches.wanted {
        swatches.wanted = true;
    }
}

/// Where the focus goes from `focus` by columns and rows, in a grid of `count` cells.
fn moved(focus: usize, by: [isize; 2], count: usize) -> usize {
    let last = count.saturating_sub(1) as isize;
    let wanted = focus as isize + by[0] + by[1] * COLUMNS as isize;
    if (0..=last).contains(&wanted) { wanted as usize } else { focus.min(last as usize) }
}

fn navigate(mut shop: Shop, input: DeviceInput, settings: Res<Settings>) {
    if !shop.browser.open {
        return;
    }
    let (step, chosen, back) = input.read(|devices| {
        let key = |keys: &[KeyCode]| devices.keys.any_just_pressed(keys.iter().copied());
        let pad = |button| devices.pads.iter().any(|pad| pad.just_pressed(button));
        let PanelInput { step: by_hand, choose, back, .. } = devices.hands;
        let steps = [
            (key(&[KeyCode::ArrowLeft, KeyCode::KeyA]) || pad(GamepadButton::DPadLeft) || by_hand.x < 0, [-1, 0]),
            (key(&[KeyCode::ArrowRight, KeyCode::KeyD]) || pad(GamepadButton::DPadRight) || by_hand.x > 0, [1, 0]),
            (key(&[KeyCode::ArrowUp, KeyCode::KeyW]) || pad(GamepadButton::DPadUp) || by_hand.y > 0, [0, -1]),
            (key(&[KeyCode::ArrowDown, KeyCode::KeyS]) || pad(GamepadButton::DPadDown) || by_hand.y < 0, [0, 1]),
        ];
        let step = steps.into_iter().find(|(pressed, _)| *pressed).map(|(_, step)| step);
        let chosen = if key(&[KeyCode::Enter, KeyCode::NumpadEnter, KeyCode::Space, KeyCode::KeyE])
            || pad(GamepadButton::South)
            || choose
        {
            Some("Paint")
        } else if key(&[KeyCode::KeyX]) || pad(GamepadButton::West) {
            Some("Mix")
        } else {
            None
        };
        let back = key(&[KeyCode::Escape, KeyCode::Backspace])
            || back
            || pad(GamepadButton::East)
            || (step.is_none() && devices.begins(&settings.bindings, Action::Materials))
            || devices.begins(&settings.bindings, Action::Pause);
        (step, chosen, back)
    });
    let focus = shop.browser.focus;
    if let Some(step) = step {
        shop.browser.focus = moved(focus, step, shop.materials.0.len());
    } else if let Some(action) = chosen {
        shop.choose(action, focus);
    } else if back {
        shop.close();
    }
}

/// The mouse, and hands in a headset.
fn point(
    mut shop: Shop,
    motion: Res<AccumulatedMouseMotion>,
    input: DeviceInput,
    cells: Query<(&BrowserCell, Ref<Interaction>)>,
) {
    if !shop.browser.open {
        return;
    }
    let moves = motion.delta != Vec2::ZERO || input.read(|devices| devices.hands.moved);
    for (cell, interaction) in &cells {
        let hovers = *interaction != Interaction::None && (moves || interaction.is_changed());
        if hovers && shop.browser.focus != cell.0 {
            shop.browser.focus = cell.0;
        }
    }
    let clicked = cells
        .iter()
        .find(|(_, interaction)| interaction.is_changed() && **interaction == Interaction::Pressed)
        .map(|(cell, _)| cell.0);
    if let Some(cell) = clicked {
        shop.choose("Paint", cell);
    }
}

fn leave(mut browser: ResMut<Browser>, screens: Query<Entity, With<BrowserScreen>>, mut commands: Commands) {
    browser.open = false;
    for screen in &screens {
        commands.entity(screen).despawn();
    }
}

fn draw(
    browser: Res<Browser>,
    materials: Res<DreamMaterials>,
    swatches: Res<Swatches>,
    (pad, tracking): (Res<PadInUse>, Option<Res<Tracking>>),
    screens: Query<Entity, With<BrowserScreen>>,
    mut commands: Commands,
) {
    let is_drawn = screens.is_empty() != browser.open;
    if is_drawn && !browser.is_changed() && !swatches.is_changed() && !materials.is_changed() {
        return;
    }
    for screen in &screens {
        commands.entity(screen).despawn();
    }
    if !browser.open {
        return;
    }
    let worn = in_headset(tracking);
    let screen = commands
        .spawn((
            BrowserScreen,
            ShownOn(PanelKind::Menu),
            Name::new("material browser"),
            theme::LISTS,
            theme::solid_panel(Node { row_gap: px(8), ..theme::list_node(60.0, COLUMNS as f32 * 96.0 + 34.0, worn) }),
            children![(
                Node { margin: UiRect::new(px(4), px(4), px(0), px(2)), ..default() },
                theme::text("Paint what you look at", 19.0, theme::TEXT),
            )],
        ))
        .id();
    let grid = commands
        .spawn((ChildOf(screen), Node { flex_wrap: FlexWrap::Wrap, row_gap: px(4), column_gap: px(4), ..default() }))
        .id();
    for (number, name) in materials.0.iter().enumerate() {
        let edge = if number == browser.focus { theme::ACCENT } else { Color::NONE };
        let cell = commands
            .spawn((
                BrowserCell(number),
                Interaction::None,
                ChildOf(grid),
                Node {
                    width: px(92),
                    padding: UiRect::all(px(5)),
                    border: UiRect::all(px(2)),
                    border_radius: BorderRadius::all(px(8)),
                    flex_direction: FlexDirection::Column,
                    align_items: AlignItems::Center,
                    row_gap: px(3),
                    ..default()
                },
                BorderColor::all(edge),
            ))
            .id();
        let place = Node { width: px(76), height: px(76), border_radius: BorderRadius::all(px(6)), ..default() };
        let mut picture = commands.spawn((ChildOf(cell), place));
        match swatches.pictures.get(name) {
            Some(swatch) => picture.insert(ImageNode::new(swatch.clone())),
            None => picture.insert(BackgroundColor(theme::RAISED)),
        };
        commands.spawn((ChildOf(cell), theme::text(name.clone(), 14.0, theme::TEXT)));
    }
    let keys = match (worn, pad.0) {
        (true, _) => "trigger  paint     upper button  back",
        (false, true) => "A (lower)  paint     X (left)  mix in     B (right)  back",
        (false, false) => "Enter  paint     X  mix in     Esc  back",
    };
    commands.spawn((
        ChildOf(screen),
        Node { margin: UiRect::new(px(4), px(4), px(4), px(0)), ..default() },
        children![theme::text(keys, 13.0, theme::MUTED)],
    ));
}

#[cfg(test)]
mod tests {
    use bevy::{input::mouse::AccumulatedMouseScroll, state::app::StatesPlugin};

    use super::*;

    fn seat(names: &[&str]) -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, StatesPlugin, MaterialBrowserPlugin))
            .insert_state(GameState::Playing)
            .init_resource::<Settings>()
            .insert_resource(Steering(true))
            .insert_resource(DreamMaterials(names.iter().map(|name| (*name).to_owned()).collect()))
            .init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<ButtonInput<MouseButton>>()
            .init_resource::<AccumulatedMouseMotion>()
            .init_resource::<AccumulatedMouseScroll>();
        app.update();
        app.world_mut().write_message(Pressed(Action::Materials));
        app.update();
        app
    }

    fn press(app: &mut App, key: KeyCode) {
        app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
        app.update();
        app.world_mut().resource_mut::<ButtonInput<KeyCode>>().reset_all();
    }

    #[test]
    fn a_material_is_chosen_by_keys_and_swatches_are_asked_for() {
        let mut app = seat(&["bark", "bricks", "carpet", "concrete", "fabric", "grass"]);
        assert!(app.world().resource::<Swatches>().wanted && !app.world().resource::<Steering>().0);
        let names = app.world_mut().query::<&Text>().iter(app.world()).filter(|text| text.0 == "grass").count();
        assert_eq!(names, 1);
        press(&mut app, KeyCode::ArrowDown);
        press(&mut app, KeyCode::Enter);
        let sent: Vec<_> = app.world_mut().resource_mut::<Messages<Commanded>>().drain().collect();
        assert_eq!(sent, [Commanded::new("Paint", &["grass"])]);
        assert!(app.world().resource::<Steering>().0 && !app.world().resource::<Browser>().open);
    }

    #[test]
    fn escape_closes_it_and_without_a_generator_it_does_not_open() {
        let mut app = seat(&["bark"]);
        press(&mut app, KeyCode::Escape);
        app.update();
        assert!(!app.world().resource::<Browser>().open);
        assert!(app.world_mut().query::<&BrowserScreen>().iter(app.world()).next().is_none());
        let mut app = seat(&[]);
        assert!(!app.world().resource::<Browser>().open);
        let told: Vec<_> = app.world_mut().resource_mut::<Messages<Notice>>().drain().collect();
        assert!(told[0].0.contains("no generator"), "{}", told[0].0);
    }

    #[test]
    fn the_focus_stays_in_the_grid() {
        assert_eq!(moved(0, [-1, 0], 7), 0);
        assert_eq!(moved(6, [1, 0], 7), 6);
        assert_eq!(moved(3, [0, 1], 7), 3);
        assert_eq!(moved(1, [0, 1], 7), 6);
        assert_eq!(moved(9, [0, 0], 3), 2);
    }
}
