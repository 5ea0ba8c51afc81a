//! The list of what can be asked, as data: its rows, what choosing one means. `ask_screen` draws it and reads devices.
//!
//! In: the scene's commands, the registered actions, what the scene holds. Out: a [`Commanded`], in one step or, for
//! commands with a slot, in two or more. What is absent: the voice, which says the same things.

use std::collections::BTreeSet;

use crate::{
    scene::{ActionRegistry, CommandSpec, CommandWord, DreamMaterials, ObjectSource, Parameter, SceneSpec},
    world::Commanded,
};

/// Something that can be asked. Words that are `None` are chosen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub label: String,
    action: String,
    words: Vec<Option<String>>,
}

/// What choosing a row leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Send(Commanded),
    /// A word is still to be chosen.
    Ask(Entry),
}

/// What the scene's author declared, then every other action that somebody carries out.
pub(super) fn entries(scene: Option<&SceneSpec>, actions: &ActionRegistry) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for command in scene.into_iter().flat_map(|scene| &scene.commands) {
        let entry = declared(command);
        let known = entries.iter().any(|other| other.action == entry.action && other.words == entry.words);
        if !known && actions.get(&entry.action).is_some() {
            entries.push(entry);
        }
    }
    for name in actions.names().filter(|name| !scene.is_some_and(|scene| declares(scene, name))) {
        let Some(shape) = actions.get(name) else { continue };
        let label = super::subtitles::in_words(&Commanded::new(name, &[]));
        let words = vec![None; shape.parameters.len()];
        let label = if words.is_empty() { label } else { format!("{label} …") };
        entries.push(Entry { label, action: name.to_owned(), words });
    }
    entries
}

fn declares(scene: &SceneSpec, action: &str) -> bool {
    scene.commands.iter().any(|command| command.action == action)
}

fn declared(command: &CommandSpec) -> Entry {
    let words = command.words.iter().map(|word| match word {
        CommandWord::Fixed(word) => Some(word.clone()),
        CommandWord::Slot(_) => None,
    });
    Entry { label: plain_phrase(&command.phrase), action: command.action.clone(), words: words.collect() }
}

/// A phrase as one would say it: the first of alternatives, without optional words, slots as an ellipsis.
/// `(find|show me) [the] {object}` → `find …`.
fn plain_phrase(phrase: &str) -> String {
    let mut plain = String::new();
    // Inside `[…]`; and for every open `(` whether its first alternative is over.
    let mut optional = 0;
    let mut groups: Vec<bool> = Vec::new();
    let mut slot = false;
    for letter in phrase.chars() {
        match letter {
            '[' => optional += 1,
            ']' => optional -= 1,
            '(' => groups.push(false),
            ')' => drop(groups.pop()),
            '|' => {
                if let Some(over) = groups.last_mut() {
                    *over = true;
                }
            }
            '{' => {
                slot = true;
                if optional == 0 && !groups.contains(&true) {
                    plain.push('…');
                }
            }
            '}' => slot = false,
            _ if slot || optional > 0 || groups.contains(&true) => {}
            _ => plain.push(letter),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words that the first open slot of an entry may be.
pub(super) fn words_for(
    entry: &Entry,
    scene: Option<&SceneSpec>,
    actions: &ActionRegistry,
    dreams: &DreamMaterials,
) -> Vec<String> {
    let Some(slot) = entry.words.iter().position(Option::is_none) else { return Vec::new() };
    let parameter = actions.get(&entry.action).and_then(|shape| shape.parameters.get(slot));
    match (parameter, scene) {
        (Some(Parameter::Choice(words)), _) => words.iter().map(|word| (*word).to_owned()).collect(),
        (Some(Parameter::Number(low, high)), _) => (*low..=*high).take(50).map(|number| number.to_string()).collect(),
        (Some(Parameter::Object), Some(scene)) => {
            let names = scene.objects.iter().map(|object| match &object.source {
                ObjectSource::Kind { kind, .. } => kind.clone(),
                ObjectSource::Asset { label, .. } => label.clone(),
            });
            names.collect::<BTreeSet<_>>().into_iter().collect()
        }
        (Some(Parameter::Material), Some(scene)) => scene.material_names(dreams),
        (Some(Parameter::Place), Some(scene)) => scene.places.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Chooses an entry as it is.
pub(super) fn choose(entry: &Entry) -> Chosen {
    let words: Option<Vec<String>> = entry.words.iter().cloned().collect();
    match words {
        Some(words) => Chosen::Send(Commanded { action: entry.action.clone(), words }),
        None => Chosen::Ask(entry.clone()),
    }
}

/// Fills the first open slot of an entry.
pub(super) fn fill(entry: &Entry, word: &str) -> Chosen {
    let mut filled = entry.clone();
    if let Some(slot) = filled.words.iter_mut().find(|slot| slot.is_none()) {
        *slot = Some(word.to_owned());
    }
    filled.label = filled.label.replacen('…', word, 1);
    choose(&filled)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn actions() -> ActionRegistry {
        let mut actions = ActionRegistry::default();
        actions.register("Find", &[Parameter::Object], "Finds.");
        actions.register("Lights", &[Parameter::Choice(&["on", "off"])], "Lights.");
        actions.register("TakePicture", &[], "Takes a picture.");
        actions
    }

    #[test]
    fn phrases_are_shown_as_one_would_say_them() {
        for (phrase, shown) in [
            ("(find|show me|where is) [the] {object}", "find …"),
            ("lights off", "lights off"),
            ("[please] (turn (left|right)|go)", "turn left"),
            ("paint (this|the wall) {material}", "paint this …"),
        ] {
            assert_eq!(plain_phrase(phrase), shown);
        }
    }

    #[test]
    fn without_declared_phrases_every_action_is_listed() {
        let actions = actions();
        let entries = entries(None, &actions);
        let labels: Vec<&str> = entries.iter().map(|entry| entry.label.as_str()).collect();
        assert_eq!(labels, ["find …", "lights …", "take picture"]);
        assert_eq!(choose(&entries[2]), Chosen::Send(Commanded::new("TakePicture", &[])));
        let Chosen::Ask(lights) = choose(&entries[1]) else { panic!("a word is missing") };
        assert_eq!(words_for(&lights, None, &actions, &DreamMaterials::default()), ["on", "off"]);
        assert_eq!(fill(&lights, "off"), Chosen::Send(Commanded::new("Lights", &["off"])));
    }
}
