//! Commands that nobody can carry out: unknown actions, words that fit none. Voices and lists do not produce them; scripts may.

use bevy::prelude::*;

use crate::{
    base::{ClassId, ClassTable, did_you_mean},
    scene::{ActionRegistry, ActiveScene, DreamMaterials, Parameter, SceneSpec},
    world::{CommandAnswered, Commanded},
};

/// Refuses what no room reads.
pub(super) fn refuse_impossible(
    mut commanded: MessageReader<Commanded>,
    actions: Res<ActionRegistry>,
    scene: Option<Res<ActiveScene>>,
    classes: Res<ClassTable>,
    dreams: Res<DreamMaterials>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    let scene = scene.as_ref().map(|scene| &*scene.spec);
    let faults = commanded.read().filter_map(|command| {
        Some(CommandAnswered::refused(command, fault(command, &actions, scene, &classes, &dreams)?))
    });
    answers.write_batch(faults);
}

/// Why a command cannot be carried out by anybody; `None` if somebody can.
fn fault(
    command: &Commanded,
    actions: &ActionRegistry,
    scene: Option<&SceneSpec>,
    classes: &ClassTable,
    dreams: &DreamMaterials,
) -> Option<String> {
    let Some(shape) = actions.get(&command.action) else {
        let hint = actions.suggestion(&command.action).map(|name| format!(" Did you mean {name}?"));
        return Some(format!("Nobody here knows how to {}.{}", command.action, hint.unwrap_or_default()));
    };
    if command.words.len() != shape.parameters.len() {
        return Some(format!(
            "{} takes {} words, not {}.",
            command.action,
            shape.parameters.len(),
            command.words.len()
        ));
    }
    command.words.iter().zip(shape.parameters).find_map(|(word, parameter)| {
        let (known, what): (Vec<String>, &str) = match parameter {
            Parameter::Object => (
                (1..=classes.len()).filter_map(|id| classes.name(ClassId(id as u16)).map(str::to_owned)).collect(),
                "thing",
            ),
            Parameter::Material => (scene?.material_names(dreams), "material"),
            Parameter::Place => (scene?.places.keys().cloned().collect(), "place"),
            Parameter::Choice(words) => (words.iter().map(|word| (*word).to_owned()).collect(), "choice"),
            Parameter::Number(low, high) => {
                let fits = word.parse::<i64>().is_ok_and(|number| (*low..=*high).contains(&number));
                return (!fits).then(|| format!("{word} is no number from {low} to {high}."));
            }
        };
        (!known.contains(word)).then(|| {
            let hint =
                did_you_mean(word, known.iter().map(String::as_str)).map(|near| format!(" Did you mean {near}?"));
            format!("There is no {what} called {word}.{}", hint.unwrap_or_default())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_commands_are_told_from_possible_ones() {
        let mut actions = ActionRegistry::default();
        super::super::register_actions(&mut actions);
        let classes = ClassTable::default();
        let told = |action: &str, words: &[&str]| {
            fault(&Commanded::new(action, words), &actions, None, &classes, &DreamMaterials::default())
        };
        assert_eq!(told("Lights", &["off"]), None);
        assert_eq!(told("PickUp", &["mug"]), None);
        assert!(told("Lights", &["of"]).unwrap().contains("off"));
        assert!(told("Lights", &[]).unwrap().contains("takes 1"));
        assert!(told("Lihgts", &["on"]).unwrap().contains("Lights"));
        assert!(told("PickUp", &["unicorn"]).unwrap().contains("no thing"));
    }
}
