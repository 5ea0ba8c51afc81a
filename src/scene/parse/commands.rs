//! `commands: { "(find|show me) [the] {object}": "Find(object)" }` and `say_as: { "Siobhan": "shi vawn" }`.
//!
//! In: the two maps. Out: [`CommandSpec`]s whose actions exist and get what they take, or what is wrong with each line.
//! What is absent: whether two phrases sound alike, and how words are pronounced (`percepts`).

use std::collections::{BTreeMap, BTreeSet};

use super::named;
use crate::{
    base::{Phrase, did_you_mean},
    scene::{
        ActionRegistry, Parameter,
        read::Report,
        spec::*,
        syntax::{Node, Value},
    },
};

pub(super) const MAX_COMMANDS: usize = 256;
const MAX_ACTION_CHARS: usize = 200;

/// Slots that a scene fills.
const SCENE_SLOTS: [&str; 3] = ["object", "material", "place"];

/// What a scene's commands may name.
pub(super) struct Named<'a> {
    pub actions: &'a ActionRegistry,
    pub classes: BTreeSet<&'a str>,
    pub materials: BTreeSet<&'a str>,
    pub places: BTreeSet<&'a str>,
}

/// What actions and slots mean.
pub(super) enum Meaning<'a> {
    /// Registered actions, slots of a scene.
    Actions(&'a Named<'a>),
    /// Whatever somebody makes of them; slots of the same file.
    Anything { slots: &'a BTreeMap<String, Vec<String>> },
}

pub(super) fn commands(node: Option<&Node>, meaning: &Meaning, report: &mut Report) -> Vec<CommandSpec> {
    let Some(node) = node else { return Vec::new() };
    let Value::Map(entries) = &node.value else {
        if node.value != Value::Wrong {
            let told = format!("commands must be a map, found {}", node.value.noun());
            report.add(node.line, told, "write { \"lights off\": \"Lights(off)\", … }");
        }
        return Vec::new();
    };
    if entries.len() > MAX_COMMANDS {
        report.add(node.line, format!("{} commands", entries.len()), format!("at most {MAX_COMMANDS} are allowed"));
    }
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let mut commands = Vec::new();
    for (key, value) in entries.iter().take(MAX_COMMANDS) {
        let Some(phrase) = quoted(key, "the phrase", report) else { continue };
        if let Some(line) = lines.insert(phrase, key.line) {
            report.add(key.line, format!("\"{phrase}\" already stands in line {line}"), "keep one of them");
            continue;
        }
        // Both sides are looked at, so that two mistakes of one line are told at once.
        let parts = match Phrase::parse(phrase) {
            Ok(parts) => Some(parts).filter(|parts| slots_exist(parts, key.line, meaning, report)),
            Err(error) => {
                report.add(key.line, format!("\"{phrase}\": {}", error.what), error.help);
                None
            }
        };
        let action = quoted(value, "the action", report).and_then(|action| call(action, value.line, report));
        if let Some((parts, (action, words))) = parts.zip(action)
            && let Some(words) = arguments(&parts, &action, &words, meaning, value.line, report)
        {
            commands.push(CommandSpec { line: key.line, phrase: phrase.to_owned(), parts, action, words });
        }
    }
    commands
}

/// How names are pronounced.
pub(super) fn say_as(node: Option<&Node>, report: &mut Report) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (name, node) in named(node, "say_as", report) {
        let Some(said) = quoted(node, "the pronunciation", report) else { continue };
        let is_words = |text: &str| text.chars().all(|c| c.is_alphabetic() || "' -".contains(c));
        if name.chars().any(|c| c.is_whitespace() || c == '-') {
            report.add(node.line, format!("\"{name}\" is more than one word"), "write an entry for each word");
        } else if !is_words(said) || said.len() > 64 {
            let told = format!("\"{said}\" is not a pronunciation in words");
            report.add(node.line, told, "write it like \"shi vawn\", in up to 64 letters");
        } else {
            all.insert(name.to_lowercase(), said.to_owned());
        }
    }
    all
}

/// A text in quotes of any length; phrases have a limit of their own.
fn quoted<'a>(node: &'a Node, what: &str, report: &mut Report) -> Option<&'a str> {
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Wrong => None,
        other => {
            report.add(node.line, format!("{what} must be a text in quotes, found {}", other.noun()), "add quotes");
            None
        }
    }
}

/// Whether all slots of a phrase can be filled; tells those that cannot.
fn slots_exist(parts: &Phrase, line: usize, meaning: &Meaning, report: &mut Report) -> bool {
    let known: Vec<&str> = match meaning {
        Meaning::Actions(_) => SCENE_SLOTS.into(),
        Meaning::Anything { slots } => slots.keys().map(String::as_str).collect(),
    };
    let before = report.len();
    for (slot, _) in parts.slots() {
        let is_number = parts.number_range(&slot).is_some();
        if !is_number && !known.contains(&slot.as_str()) {
            let help = match did_you_mean(&slot, known.iter().copied()) {
                Some(near) => format!("did you mean {{{near}}}?"),
                None if slot == "number" => "write its range: {number 1-99}".to_owned(),
                None if known.is_empty() => "define it under `slots`".to_owned(),
                None => format!("known are {{{}}} and {{number 1-99}}", known.join("}, {")),
            };
            report.add(line, format!("unknown slot {{{slot}}}"), help);
        } else if let Meaning::Actions(named) = meaning
            && ((slot == "material" && named.materials.is_empty()) || (slot == "place" && named.places.is_empty()))
        {
            report.add(line, format!("the scene has nothing for {{{slot}}}"), format!("add some `{slot}s`"));
        }
    }
    report.len() == before
}

/// Takes `Find(object)` apart.
fn call(text: &str, line: usize, report: &mut Report) -> Option<(String, Vec<String>)> {
    let text = text.trim();
    let (name, words) = match text.split_once('(') {
        None => (text, Some("")),
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')')),
    };
    let is_name = name.chars().next().is_some_and(char::is_alphabetic) && name.chars().all(char::is_alphanumeric);
    let plain =
        words.filter(|words| is_name && text.len() <= MAX_ACTION_CHARS && !words.contains(['(', ')', '{', '}']));
    let Some(words) = plain else {
        let short: String = text.chars().take(40).collect();
        report.add(line, format!("\"{short}\" is not an action"), "write it like \"Follow\" or \"Find(object)\"");
        return None;
    };
    let words: Vec<String> = match words.trim() {
        "" => Vec::new(),
        words => words.split(',').map(|word| word.trim().to_owned()).collect(),
    };
    Some((name.to_owned(), words))
}

/// The action's words as fixed words and slots, checked against the action's shape.
fn arguments(
    parts: &Phrase,
    action: &str,
    words: &[String],
    meaning: &Meaning,
    line: usize,
    report: &mut Report,
) -> Option<Vec<CommandWord>> {
    let before = report.len();
    let slots = parts.slots();
    let parameters = match meaning {
        Meaning::Anything { .. } => None,
        Meaning::Actions(named) => {
            let Some(shape) = named.actions.get(action) else {
                let help = match named.actions.suggestion(action) {
                    Some(near) => format!("did you mean {near}?"),
                    None => {
                        format!("known are {}", named.actions.names().collect::<Vec<_>>().join(", "))
                    }
                };
                report.add(line, format!("unknown action {action}"), help);
                return None;
            };
            if shape.parameters.len() != words.len() {
                let told = format!("{action} takes {}, found {}", counted(shape.parameters.len()), words.len());
                report.add(line, told, format!("write \"{}\"", shape_text(action, shape.parameters)));
                return None;
            }
            Some((*named, shape.parameters))
        }
    };
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let slot = slots.iter().find(|(slot, _)| slot == word);
        if let Some((slot, false)) = slot {
            let told = format!("{action} needs {{{slot}}}, which may be left out of the phrase");
            report.add(line, told, "take it out of [ ], or into every alternative");
        } else if let Some((slot, true)) = slot {
            if let Some((_, parameters)) = parameters {
                check_slot(parts, action, slot, &parameters[index], line, report);
            }
            found.push(CommandWord::Slot(slot.clone()));
        } else {
            if let Some((named, parameters)) = parameters {
                check_word(named, action, word, &parameters[index], line, report);
            } else if word.is_empty() {
                report.add(line, format!("{action} has an empty word"), "remove the comma");
            }
            found.push(CommandWord::Fixed(word.clone()));
        }
    }
    (report.len() == before).then_some(found)
}

fn counted(count: usize) -> String {
    match count {
        0 => "no word".to_owned(),
        1 => "1 word".to_owned(),
        more => format!("{more} words"),
    }
}

/// `Find(object)`, `Lights(on|off)`.
fn shape_text(action: &str, parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return action.to_owned();
    }
    let words: Vec<String> = parameters
        .iter()
        .map(|parameter| match parameter {
            Parameter::Object => "object".to_owned(),
            Parameter::Material => "material".to_owned(),
            Parameter::Place => "place".to_owned(),
            Parameter::Choice(words) => words.join("|"),
            Parameter::Number(low, high) => format!("{low}-{high}"),
        })
        .collect();
    format!("{action}({})", words.join(", "))
}

/// Tells if a slot can hold what the parameter does not take.
fn check_slot(parts: &Phrase, action: &str, slot: &str, parameter: &Parameter, line: usize, report: &mut Report) {
    let range = parts.number_range(slot);
    let fits = match parameter {
        Parameter::Object => slot == "object" && range.is_none(),
        Parameter::Material => slot == "material" && range.is_none(),
        Parameter::Place => slot == "place" && range.is_none(),
        Parameter::Choice(_) => false,
        Parameter::Number(low, high) => {
            range.is_some_and(|range| i64::from(range[0]) >= *low && i64::from(range[1]) <= *high)
        }
    };
    if !fits {
        let told = format!("{{{slot}}} does not fit {action}");
        report.add(line, told, format!("it takes {}", shape_text(action, std::slice::from_ref(parameter))));
    }
}

/// Tells if a fixed word is none that the parameter takes.
fn check_word(named: &Named, action: &str, word: &str, parameter: &Parameter, line: usize, report: &mut Report) {
    let (what, known): (&str, Vec<&str>) = match parameter {
        Parameter::Object => ("object", named.classes.iter().copied().collect()),
        Parameter::Material => ("material", named.materials.iter().copied().collect()),
        Parameter::Place => ("place", named.places.iter().copied().collect()),
        Parameter::Choice(words) => ("word", words.to_vec()),
        Parameter::Number(low, high) => {
            if !word.parse::<i64>().is_ok_and(|number| (*low..=*high).contains(&number)) {
                report.add(line, format!("{action} does not take \"{word}\""), format!("write {low} to {high}"));
            }
            return;
        }
    };
    if known.contains(&word) {
        return;
    }
    if word == what {
        report.add(line, format!("the phrase has no {{{what}}}"), format!("add it, or name the {what} in {action}(…)"));
        return;
    }
    let help = match did_you_mean(word, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if known.is_empty() => format!("the scene has no {what}"),
        None => format!("known are {}", known.into_iter().take(40).collect::<Vec<_>>().join(", ")),
    };
    report.add(line, format!("unknown {what} \"{word}\" of {action}"), help);
}
