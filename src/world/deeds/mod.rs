//! What the world and its player are told to do, and do: light, doors, paint, where one stands, what one holds.
//!
//! In: [`Commanded`](super::Commanded). Out: changed light, doors, materials, poses and hands. What is absent: what the
//! companion is asked (`behaviours`), music and labels (`game`), and who gave the command.

use crate::scene::{ActionRegistry, Parameter};

/// Makes known what the world carries out.
pub fn register_actions(actions: &mut ActionRegistry) {
    let levels = &[Parameter::Choice(&["on", "off", "dim", "bright"])];
    actions.register("Lights", levels, "Switches all lamps on or off, or makes them dim or bright.");
    let hours = &[Parameter::Choice(&["morning", "noon", "evening", "night"])];
    actions.register("TimeOfDay", hours, "Moves the sun; the light changes everywhere.");
    actions.register("Doors", &[Parameter::Choice(&["open", "close"])], "Opens or closes all doors of the house.");
    actions.register("Paint", &[Parameter::Material], "Gives what you look at another surface.");
    actions.register("GoTo", &[Parameter::Place], "Takes you to a place.");
    actions.register("PickUp", &[Parameter::Object], "You take a thing that is within reach.");
    actions.register("Drop", &[], "You let go of what you hold.");
    actions.register("Turn", &[Parameter::Choice(&["left", "right", "around"])], "You turn.");
    actions.register("Jump", &[], "You jump.");
    actions.register("Crouch", &[], "You crouch until you stand up.");
    actions.register("Stand", &[], "You stand up.");
    actions.register("Undo", &[], "Takes back the last command that can be taken back.");
}
