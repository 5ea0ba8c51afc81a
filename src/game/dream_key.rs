//! The key that dreams: tapped, what you look at is dreamt anew; held, it drifts until the key is let go.
//!
//! In: `Action::Dream`. Out: [`Commanded`] (`Again`, `Drift`).

use bevy::prelude::*;

use super::GameState;
use crate::{
    platform::{
        bindings::Action,
        flat::{DeviceInput, Steering},
        settings::Settings,
    },
    world::Commanded,
};

/// So long a key is held rather than tapped, seconds.
const HELD_S: f32 = 0.35;

/// Reads the key.
pub(super) struct DreamKeyPlugin;

impl Plugin for DreamKeyPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Commanded>().add_systems(Update, read_key.run_if(in_state(GameState::Playing)));
    }
}

/// How long the key has been down, seconds; `None` while it is up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Key(Option<f32>);

impl Key {
    /// What follows from the key's state `dt` seconds later.
    fn step(&mut self, down: bool, dt: f32) -> Option<Commanded> {
        let before = self.0;
        self.0 = down.then(|| before.map_or(0.0, |held| held + dt));
        match (before, self.0) {
            (Some(before), Some(now)) if before < HELD_S && now >= HELD_S => Some(Commanded::new("Drift", &["on"])),
            (Some(before), None) if before < HELD_S => Some(Commanded::new("Again", &[])),
            (Some(_), None) => Some(Commanded::new("Drift", &["off"])),
            _ => None,
        }
    }
}

fn read_key(
    input: DeviceInput,
    settings: Res<Settings>,
    steering: Res<Steering>,
    time: Res<Time<Real>>,
    mut key: Local<Key>,
    mut commanded: MessageWriter<Commanded>,
) {
    // In a list its keys mean something else; a drift that was begun is ended all the same.
    let down = steering.0 && input.read(|devices| devices.holds(&settings.bindings, Action::Dream));
    if let Some(command) = key.step(down, time.delta_secs()) {
        commanded.write(command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_dreams_anew_and_a_held_key_drifts() {
        let run = |frames: usize| -> Vec<String> {
            let mut key = Key::default();
            let states = std::iter::repeat_n(true, frames).chain([false, false]);
            let sent = states.filter_map(|down| key.step(down, 0.1));
            sent.map(|command| format!("{} {}", command.action, command.word())).collect()
        };
        assert_eq!(run(2), ["Again "]);
        assert_eq!(run(10), ["Drift on", "Drift off"]);
        assert!(run(0).is_empty());
    }
}
