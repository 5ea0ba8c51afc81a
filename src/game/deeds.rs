//! Commands that are about the screen and the loudspeaker: music, labels.

use crate::scene::{ActionRegistry, Parameter};

/// Makes known what this room carries out.
pub fn register_actions(actions: &mut ActionRegistry) {
    let music = &[Parameter::Choice(&["on", "off", "louder", "quieter"])];
    actions.register("Music", music, "Plays or stops quiet music, or changes its volume.");
    let labels = &[Parameter::Choice(&["on", "off"])];
    actions.register("Labels", labels, "Shows or hides the names of what the companion recognises.");
}
