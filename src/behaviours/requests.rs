//! What the companion can be asked, as actions with words, and how commands become requests.
//!
//! In: [`Commanded`]. Out: [`Asked`], what came of it in words, and how following and staying are taken back. What is
//! absent: labels of things; a class is a word here, and only memory knows where one was seen.

use bevy::prelude::*;

use super::{
    Asked,
    mind::{Goal, Mind, Request},
};
use crate::{
    base::ClassTable,
    scene::{ActionRegistry, Parameter},
    world::{CommandAnswered, Commanded, Companion, DeedHistory},
};

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

/// The request that a command stands for, and in the companion's words what it will do; `None` for other rooms' commands.
fn request(command: &Commanded, classes: &ClassTable) -> Option<(Request, String)> {
    let word = command.word();
    Some(match command.action.as_str() {
        "Find" => (Request::Find(classes.id(word)?), format!("I look for the {word}.")),
        "Follow" => (Request::Follow, "I keep you company.".to_owned()),
        "Stay" => (Request::Stay, "I stay here.".to_owned()),
        "Come" => (Request::Come, "I am coming.".to_owned()),
        "Describe" => (Request::Describe, "I tell what I see.".to_owned()),
        "LookAt" => (Request::LookAt(classes.id(word)?), format!("I look at the {word}.")),
        "LookHere" => (Request::LookHere, "I look there.".to_owned()),
        "TakePicture" => (Request::TakePicture, "I keep a picture.".to_owned()),
        _ => return None,
    })
}

/// Commands become requests.
pub(super) fn heed(
    mut commanded: MessageReader<Commanded>,
    minds: Query<(Entity, &Mind), With<Companion>>,
    classes: Res<ClassTable>,
    mut asked: MessageWriter<Asked>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    for command in commanded.read() {
        let Some((request, words)) = request(command, &classes) else { continue };
        let Some((companion, mind)) = minds.iter().next() else {
            answers.write(CommandAnswered::refused(command, "There is no companion to ask."));
            continue;
        };
        if matches!(request, Request::Follow | Request::Stay) {
            let before = mind.goal.clone();
            history.note("what I was told", move |world| restore_goal(world, companion, before));
        }
        asked.write(Asked(request));
        answers.write(CommandAnswered::done(command, words));
    }
}

fn restore_goal(world: &mut World, companion: Entity, goal: Goal) -> Result<(), String> {
    let mut mind = world.get_mut::<Mind>(companion).ok_or("The companion is gone.")?;
    mind.goal = goal;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_action_is_a_request_and_no_other() {
        let classes = ClassTable::default();
        let mut actions = ActionRegistry::default();
        register_actions(&mut actions);
        for name in actions.names() {
            assert!(request(&Commanded::new(name, &["mug"]), &classes).is_some(), "{name}");
        }
        assert_eq!(request(&Commanded::new("Lights", &["on"]), &classes), None);
        assert_eq!(request(&Commanded::new("Find", &["unicorn"]), &classes), None);
    }
}
