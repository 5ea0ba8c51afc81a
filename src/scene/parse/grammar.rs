//! Grammar files, `NAME.grammar.ron`: what can be said, without a scene around it.
//!
//! ```ron
//! (
//!     version: 1,
//!     slots: { "drink": ["latte", "flat white"], "size": ["small", "large"] },
//!     commands: { "[i would like] a {size} {drink} [please]": "Order(size, drink)" },
//!     say_as: { "latte": "lah tay" },
//! )
//! ```
//!
//! Actions are whatever the reader makes of them. A file with `rooms` is a scene, and its commands are taken.

use std::{collections::BTreeMap, path::Path};

use super::{
    FORMAT_VERSION, Known,
    commands::{Meaning, commands, say_as},
    items, named, parse_scene, read_bounded,
};
use crate::{
    base::Problem,
    scene::{
        read::{self, Fields, Report},
        spec::GrammarSpec,
        syntax::{Node, Value, read_tree},
    },
};

const MAX_VALUES: usize = 1_000;

/// Reads and checks one grammar file, or the commands of one scene file.
///
/// # Errors
/// - All problems of the file, by line; one with line 0 if the file cannot be read, is too large or is not UTF-8.
pub fn check_grammar(path: &Path, known: Known) -> Result<GrammarSpec, Vec<Problem>> {
    let text = read_bounded(path).map_err(|problem| vec![problem])?;
    let mut report = Report::new(path);
    let tree = read_tree(&text, &mut report);
    let is_scene = matches!(&tree.value, Value::Fields(fields) if fields.iter().any(|(name, _)| name == "rooms"));
    if is_scene {
        return parse_scene(&text, path, known).map(|scene| scene.grammar(known.dreams));
    }
    let found = grammar(&tree, &mut report);
    match found {
        Some(found) if report.is_empty() => Ok(found),
        _ => Err(report.into_problems()),
    }
}

fn grammar(tree: &Node, report: &mut Report) -> Option<GrammarSpec> {
    let fields = Fields::open(tree, "grammar", &["version", "slots", "commands", "say_as"], report)?;
    if let Some(node) = fields.require("version", report)
        && let Some(version) = read::whole_number(node, "version", report)
        && version != FORMAT_VERSION
    {
        report.add(node.line, format!("there is no format version {version}"), "write `version: 1`");
    }
    let mut slots = BTreeMap::new();
    for (slot, node) in named(fields.get("slots"), "slots", report) {
        if !slot.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            report.add(node.line, format!("\"{slot}\" is no name for a slot"), "use a to z and _");
        }
        let values = items(node, "values of a slot", MAX_VALUES, report);
        let values: Vec<String> =
            values.iter().filter_map(|value| read::text(value, "value", report)).map(str::to_owned).collect();
        if values.is_empty() {
            report.add(node.line, format!("nothing fills the slot \"{slot}\""), "list what can be said for it");
        }
        slots.insert(slot.to_owned(), values);
    }
    let node = fields.require("commands", report)?;
    let commands = commands(Some(node), &Meaning::Anything { slots: &slots }, report);
    if commands.is_empty() && report.is_empty() {
        report.add(node.line, "there is no command", "add one to `commands`");
    }
    Some(GrammarSpec { commands, say_as: say_as(fields.get("say_as"), report), slots })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scene::{ActionRegistry, CommandWord, DreamMaterials, KindRegistry};

    fn check(text: &str) -> Result<GrammarSpec, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.grammar.ron");
        fs::write(&path, text).unwrap();
        let known = Known {
            kinds: &KindRegistry::typical(),
            actions: &ActionRegistry::default(),
            dreams: &DreamMaterials::default(),
        };
        check_grammar(&path, known).map_err(|problems| {
            problems.iter().map(|problem| problem.to_string().split(".ron").last().unwrap().to_owned()).collect()
        })
    }

    #[test]
    fn a_small_file_is_a_grammar() {
        let found = check(
            "(version: 1, slots: {\"drink\": [\"latte\", \"flat white\"]}, say_as: {\"Latte\": \"lah tay\"},
            commands: {\"[a] {drink} [for {people 1-9}]\": \"Order(drink, hot)\"})",
        )
        .unwrap();
        assert_eq!(found.slots["drink"], ["latte", "flat white"]);
        assert_eq!(found.say_as["latte"], "lah tay");
        let command = &found.commands[0];
        assert_eq!((command.line, command.action.as_str()), (2, "Order"));
        assert_eq!(command.words, [CommandWord::Slot("drink".into()), CommandWord::Fixed("hot".into())]);
    }

    #[test]
    fn its_mistakes_are_told() {
        let told = check(
            "(version: 1, slots: {\"drink\": [], \"Big Size\": [\"x\"]},
            commands: {\"a {drinks}\": \"Order(drinks)\",
            \"b\": \"Order(\",
            \"c {drink\": \"C\"})",
        )
        .unwrap_err();
        assert_eq!(told.len(), 5, "{told:#?}");
        assert!(told[2].starts_with(":2: unknown slot {drinks}; did you mean {drink}?"), "{told:#?}");
        assert!(check("").is_err() && check("(version: 1)").is_err() && check("(version: 1, commands: {})").is_err());
    }
}
