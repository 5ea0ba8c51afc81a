//! What the world and its player are told to do, and do: light, doors, paint, where one stands, what one holds.
//!
//! In: [`Commanded`]. Out: changed light, doors, materials, poses and hands; a [`CommandAnswered`] for each; what can be
//! taken back in [`DeedHistory`]. What is absent: what the companion is asked (`behaviours`), music and labels (`game`), and
//! who gave the command.

mod body;
mod check;
pub mod daylight;
mod doors;
mod dream;
mod history;
mod paint;
mod sight;

use bevy::prelude::*;

pub use doors::{Door, DoorPanel};
pub use history::{DeedHistory, History, TakeBack};

use super::{Arrivals, CommandAnswered, Commanded, player::WalkSystems};
use crate::scene::{ActionRegistry, DreamMaterials, Parameter};

/// Carries out what the world and its player are told, each fixed tick before bodies move.
pub struct DeedsPlugin;

/// All that commands change in a tick.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeedSystems;

impl Plugin for DeedsPlugin {
    fn build(&self, app: &mut App) {
        register_actions(&mut app.world_mut().get_resource_or_init::<ActionRegistry>());
        app.init_resource::<DeedHistory>()
            .init_resource::<DreamMaterials>()
            .init_resource::<dream::LastChange>()
            .init_resource::<dream::Drifting>()
            .add_message::<Commanded>()
            .add_message::<CommandAnswered>()
            .configure_sets(FixedUpdate, DeedSystems.before(WalkSystems))
            .add_systems(Update, doors::hang_doors.in_set(Arrivals::Doors))
            .add_systems(
                FixedUpdate,
                (
                    check::refuse_impossible,
                    daylight::command_light,
                    paint::command_paint,
                    dream::command_dream,
                    dream::drift,
                    body::command_body,
                    body::command_hand,
                    doors::command_doors,
                    doors::use_door,
                    doors::slide,
                    doors::close_ways,
                    history::undo,
                )
                    .chain()
                    .in_set(DeedSystems),
            );
    }
}

/// Makes known what the world carries out.
pub fn register_actions(actions: &mut ActionRegistry) {
    let levels = &[Parameter::Choice(&["on", "off", "dim", "bright"])];
    actions.register("Lights", levels, "Switches all lamps on or off, or makes them dim or bright.");
    let hours = &[Parameter::Choice(&["morning", "noon", "evening", "night"])];
    actions.register("TimeOfDay", hours, "Moves the sun; the light changes everywhere.");
    actions.register("Doors", &[Parameter::Choice(&["open", "close"])], "Opens or closes all doors of the house.");
    actions.register("Paint", &[Parameter::Material], "Gives what you look at another surface.");
    actions.register("Again", &[], "Dreams another surface of the same material where you look.");
    actions.register("More", &[], "Changes the surface where you look once more as before.");
    let shades = &[Parameter::Choice(&["darker", "lighter"])];
    actions.register("Shade", shades, "Makes the dreamt surface where you look darker or lighter.");
    actions.register("Mix", &[Parameter::Material], "Mixes a material into the dreamt surface where you look.");
    actions.register(
        "Morph",
        &[Parameter::Material],
        "Turns the dreamt surface where you look into a material, slowly.",
    );
    let drift = &[Parameter::Choice(&["on", "off"])];
    actions.register("Drift", drift, "Lets the dreamt surface where you look change by itself, or stops it.");
    actions.register("GoTo", &[Parameter::Place], "Takes you to a place.");
    actions.register("PickUp", &[Parameter::Object], "You take a thing that is within reach.");
    actions.register("Drop", &[], "You let go of what you hold.");
    actions.register("Turn", &[Parameter::Choice(&["left", "right", "around"])], "You turn.");
    actions.register("Jump", &[], "You jump.");
    actions.register("Crouch", &[], "You crouch until you stand up.");
    actions.register("Stand", &[], "You stand up.");
    actions.register("Undo", &[], "Takes back the last command that can be taken back.");
}
