//! What the companion can be asked, as actions with words.

use crate::scene::{ActionRegistry, Parameter};

/// Makes known what the companion does when asked.
pub fn register_actions(actions: &mut ActionRegistry) {
    actions.register("Find", &[Parameter::Object], "The companion looks for a thing and leads you to it.");
    actions.register("Follow", &[], "The companion keeps you company.");
    actions.register("Stay", &[], "The companion waits where it is.");
    actions.register("Come", &[], "The companion comes to you.");
    actions.register("Describe", &[], "The companion tells what it sees.");
    actions.register("LookAt", &[Parameter::Object], "The companion looks at a thing that it remembers.");
    actions.register("LookHere", &[], "The companion looks where you look, and tells what it sees there.");
    actions.register("TakePicture", &[], "The companion keeps a picture of what it sees.");
}
