//! What is drawn over the picture while playing: the point one looks at, and what the hand could do.

use bevy::prelude::*;

use super::{GameState, theme};
use crate::{
    platform::{bindings::Action, flat::PadInUse, settings::Settings},
    world::{
        hand::{HandTarget, Holding},
        player::Player,
    },
};

/// Crosshair and hints.
pub(super) struct HudPlugin;

impl Plugin for HudPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(OnEnter(GameState::Playing), show)
            .add_systems(OnExit(GameState::Playing), hide)
            .add_systems(Update, update.run_if(in_state(GameState::Playing)));
    }
}

#[derive(Component)]
struct Hud;
#[derive(Component)]
struct Crosshair;
#[derive(Component)]
struct Hint;

/// What the hand can do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HandState {
    Nothing,
    CanTake,
    Holds,
}

/// The hint's words.
fn hint(state: HandState, settings: &Settings, pad: bool) -> String {
    let key = |action| settings.bindings.hint(action, pad);
    match state {
        HandState::Nothing => String::new(),
        HandState::CanTake => format!("{}  take", key(Action::Grab)),
        HandState::Holds => format!(
            "{}  let go     {}  throw     {} / {}  push, pull     {}  turn",
            key(Action::Grab),
            key(Action::Throw),
            key(Action::Push),
            key(Action::Pull),
            key(Action::Turn)
        ),
    }
}

fn show(mut commands: Commands) {
    commands.spawn((
        Hud,
        Name::new("hud"),
        theme::cover(),
        children![(
            Crosshair,
            Node {
                width: px(6),
                height: px(6),
                border: UiRect::all(px(1)),
                border_radius: BorderRadius::MAX,
                ..default()
            },
            BackgroundColor(Color::WHITE.with_alpha(0.75)),
            BorderColor::all(Color::BLACK.with_alpha(0.35)),
        )],
    ));
    commands.spawn((
        Hud,
        Name::new("hints"),
        Node {
            position_type: PositionType::Absolute,
            bottom: px(38),
            width: percent(100),
            justify_content: JustifyContent::Center,
            ..default()
        },
        children![(
            Hint,
            Node { padding: UiRect::axes(px(14), px(7)), border_radius: BorderRadius::all(px(8)), ..default() },
            BackgroundColor(theme::INK_THIN),
            Visibility::Hidden,
            children![theme::text("", 15.0, theme::TEXT)],
        )],
    ));
}

fn update(
    players: Query<(&HandTarget, Has<Holding>), With<Player>>,
    settings: Res<Settings>,
    pad: Res<PadInUse>,
    mut crosshairs: Query<(&mut Node, &mut BackgroundColor, &mut BorderColor), With<Crosshair>>,
    mut hints: Query<(&mut Visibility, &Children), With<Hint>>,
    mut texts: Query<&mut Text>,
) {
    let state = match players.single() {
        Ok((_, true)) => HandState::Holds,
        Ok((HandTarget(Some(_)), false)) => HandState::CanTake,
        _ => HandState::Nothing,
    };
    for (mut node, mut fill, mut edge) in &mut crosshairs {
        // A dot; a ring round what can be taken; a small ring while something is held.
        let (size, inside, outside) = match state {
            HandState::Nothing => (6, Color::WHITE.with_alpha(0.75), Color::BLACK.with_alpha(0.35)),
            HandState::CanTake => (22, Color::NONE, theme::ACCENT),
            HandState::Holds => (10, Color::NONE, Color::WHITE.with_alpha(0.8)),
        };
        let (size, width) = (px(size), if state == HandState::CanTake { px(2) } else { px(1) });
        if node.width != size {
            node.width = size;
            node.height = size;
            node.border = UiRect::all(width);
            fill.0 = inside;
            *edge = BorderColor::all(outside);
        }
    }
    let words = hint(state, &settings, pad.0);
    for (mut visibility, children) in &mut hints {
        visibility.set_if_neq(if words.is_empty() { Visibility::Hidden } else { Visibility::Inherited });
        for child in children {
            if let Ok(mut text) = texts.get_mut(*child) {
                text.set_if_neq(Text(words.clone()));
            }
        }
    }
}

fn hide(mut commands: Commands, shown: Query<Entity, With<Hud>>) {
    for entity in &shown {
        commands.entity(entity).despawn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_keys_of_the_device_in_use() {
        let settings = Settings::default();
        assert_eq!(hint(HandState::CanTake, &settings, false), "E  take");
        assert_eq!(hint(HandState::CanTake, &settings, true), "Pad right trigger  take");
        assert!(hint(HandState::Holds, &settings, false).contains("Right mouse  throw"));
        assert!(hint(HandState::Nothing, &settings, false).is_empty());
    }
}
