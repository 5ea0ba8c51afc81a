//! What can be said, as one graph over phones.
//!
//! In: phrases, what fills their slots, how names are said. Out: a [`PhoneGraph`], whose paths from start to end are all
//! ways to pronounce all sentences; or the words that cannot be pronounced, with their lines. A path's marks tell which
//! phrase, which words and which values of slots it is. The graph has silent arcs; whoever walks it follows all of them at
//! once, so that sentences share what they begin with, however many there are. What is absent: files, sound.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{super::SpokenCommand, super::phones::Phone, numbers::number_words, pronunciation::pronounce};
use crate::base::{Part, Phrase};

/// States of a graph; more would be a mistake in a file.
pub const MAX_STATES: usize = 200_000;

/// A phrase and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandPhrase {
    /// In the author's file, for reports.
    pub line: usize,
    pub phrase: Phrase,
    /// `Find`.
    pub action: String,
    pub words: Vec<Word>,
}

/// One word of a phrase's action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    Fixed(String),
    /// Whatever fills the slot of this name.
    Slot(String),
}

/// All that a grammar is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrammarSource {
    pub commands: Vec<CommandPhrase>,
    /// What each slot may be filled with.
    pub slots: BTreeMap<String, Vec<String>>,
    /// Lower-case words, and the words that are pronounced like them.
    pub say_as: BTreeMap<String, String>,
}

/// What is wrong with a grammar, in one line of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrammarProblem {
    pub line: usize,
    pub what: String,
    pub help: String,
}

/// A state of the graph.
pub type State = u32;

/// Where all sentences begin.
pub const START: State = 0;
/// Where all sentences end.
pub const END: State = 1;

/// One step through the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arc {
    pub to: State,
    /// `None`: silent.
    pub phone: Option<Phone>,
    pub mark: Option<Mark>,
}

/// What a path passes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Begins the sentence of a command.
    Phrase(u32),
    /// Ends a word.
    Word(u32),
    /// Ends a slot: the slot and its value.
    Value(u32),
}

/// All sentences of a grammar.
#[derive(Clone, Debug)]
pub struct PhoneGraph {
    arcs: Vec<Vec<Arc>>,
    phrases: Vec<CommandPhrase>,
    words: Vec<String>,
    values: Vec<(String, String)>,
}

impl PhoneGraph {
    /// Pronounces all phrases.
    ///
    /// # Errors
    /// - words that cannot be pronounced, slots with nothing in them, a grammar that is too large; all at once
    pub fn compile(source: &GrammarSource) -> Result<Self, Vec<GrammarProblem>> {
        let (phrases, words, values) = (Vec::new(), Vec::new(), Vec::new());
        let graph = PhoneGraph { arcs: vec![Vec::new(), Vec::new()], phrases, words, values };
        let mut compiler = Compiler { source, graph, line: 0, problems: Vec::new(), told: BTreeSet::new() };
        for (index, command) in source.commands.iter().enumerate() {
            compiler.line = command.line;
            let first = compiler.state();
            compiler.arc(START, Arc { to: first, phone: None, mark: Some(Mark::Phrase(index as u32)) });
            let last = compiler.sequence(&command.phrase.0, first);
            compiler.silent(last, END);
            if compiler.graph.arcs.len() > MAX_STATES {
                let what = format!("up to this phrase the grammar has more than {MAX_STATES} sounds");
                compiler.tell(what, "use fewer slots in one phrase, or smaller ranges of numbers".to_owned());
                break;
            }
        }
        let Compiler { mut graph, problems, .. } = compiler;
        graph.phrases.clone_from(&source.commands);
        if problems.is_empty() { Ok(graph) } else { Err(problems) }
    }

    /// Number of states.
    pub fn len(&self) -> usize {
        self.arcs.len()
    }

    /// Whether nothing can be said.
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    pub(super) fn phrases(&self) -> &[CommandPhrase] {
        &self.phrases
    }

    /// All states that silent arcs lead to from these, these included, each once.
    pub(super) fn silently(&self, states: &[State]) -> Vec<State> {
        let mut found = Vec::with_capacity(states.len());
        let mut seen: HashSet<State> = HashSet::with_capacity(states.len());
        let mut stack: Vec<State> = states.iter().rev().copied().collect();
        while let Some(state) = stack.pop() {
            if seen.insert(state) {
                found.push(state);
                stack
                    .extend(self.arcs[state as usize].iter().rev().filter(|arc| arc.phone.is_none()).map(|arc| arc.to));
            }
        }
        found
    }

    pub(super) fn arcs(&self, state: State) -> &[Arc] {
        &self.arcs[state as usize]
    }

    /// What these phones, from start to end, mean: up to `limit` readings with different meanings, in the file's order.
    pub fn readings(&self, phones: &[Phone], limit: usize) -> Vec<(usize, SpokenCommand)> {
        let mut search =
            Readings { graph: self, phones, limit, found: Vec::new(), marks: Vec::new(), dead: HashSet::new() };
        search.walk(START, 0);
        search.found
    }

    /// The command that a path's marks tell.
    pub(super) fn command(&self, marks: &[Mark]) -> Option<(usize, SpokenCommand)> {
        let mut phrase = None;
        let (mut words, mut slots): (Vec<&str>, Vec<(String, String)>) = (Vec::new(), Vec::new());
        for mark in marks {
            match mark {
                Mark::Phrase(index) => phrase = Some(*index as usize),
                Mark::Word(index) => words.push(&self.words[*index as usize]),
                Mark::Value(index) => slots.push(self.values[*index as usize].clone()),
            }
        }
        let phrase = phrase?;
        let CommandPhrase { action, words: wanted, .. } = &self.phrases[phrase];
        let filled = wanted.iter().map(|word| match word {
            Word::Fixed(word) => word.clone(),
            Word::Slot(slot) => {
                slots.iter().find(|(name, _)| name == slot).map_or_else(String::new, |(_, value)| value.clone())
            }
        });
        let (text, action) = (words.join(" "), action.clone());
        Some((phrase, SpokenCommand { text, action, words: filled.collect(), slots }))
    }
}

struct Compiler<'a> {
    source: &'a GrammarSource,
    graph: PhoneGraph,
    line: usize,
    problems: Vec<GrammarProblem>,
    /// Each word is told once.
    told: BTreeSet<String>,
}

impl Compiler<'_> {
    fn state(&mut self) -> State {
        self.graph.arcs.push(Vec::new());
        self.graph.arcs.len() as State - 1
    }

    fn arc(&mut self, from: State, arc: Arc) {
        self.graph.arcs[from as usize].push(arc);
    }

    fn silent(&mut self, from: State, to: State) {
        self.arc(from, Arc { to, phone: None, mark: None });
    }

    fn tell(&mut self, what: String, help: String) {
        self.problems.push(GrammarProblem { line: self.line, what, help });
    }

    /// Appends parts behind `from`; returns where they end.
    fn sequence(&mut self, parts: &[Part], mut from: State) -> State {
        for part in parts {
            if self.graph.arcs.len() > MAX_STATES {
                break;
            }
            from = match part {
                Part::Word(word) => self.word(word, from),
                Part::Slot(slot) => self.slot(slot, from),
                Part::Number { slot, low, high } => self.numbers(slot, *low, *high, from),
                Part::AnyOf(sequences) | Part::Optional(sequences) => {
                    let to = self.state();
                    for sequence in sequences {
                        let first = self.state();
                        self.silent(from, first);
                        let last = self.sequence(sequence, first);
                        self.silent(last, to);
                    }
                    if matches!(part, Part::Optional(_)) {
                        self.silent(from, to);
                    }
                    to
                }
            };
        }
        from
    }

    /// A word in all its pronunciations.
    fn word(&mut self, word: &str, from: State) -> State {
        let Some(pronunciations) = pronounce(word, &self.source.say_as) else {
            if self.told.insert(word.to_owned()) {
                let help = format!("say how: `say_as: {{ \"{word}\": \"…\" }}`");
                self.tell(format!("\"{word}\" cannot be pronounced"), help);
            }
            return from;
        };
        self.graph.words.push(word.replace('_', " "));
        let mark = Some(Mark::Word(self.graph.words.len() as u32 - 1));
        let to = self.state();
        for phones in pronunciations {
            let mut at = from;
            let last = phones.len() - 1;
            for (index, phone) in phones.into_iter().enumerate() {
                let next = if index == last { to } else { self.state() };
                self.arc(at, Arc { to: next, phone: Some(phone), mark: mark.filter(|_| index == last) });
                at = next;
            }
        }
        to
    }

    fn value(&mut self, slot: &str, value: &str, last: State, to: State) {
        self.graph.values.push((slot.to_owned(), value.to_owned()));
        let mark = Some(Mark::Value(self.graph.values.len() as u32 - 1));
        self.arc(last, Arc { to, phone: None, mark });
    }

    fn slot(&mut self, slot: &str, from: State) -> State {
        let source = self.source;
        let to = self.state();
        let values = source.slots.get(slot).map_or(&[][..], Vec::as_slice);
        if values.is_empty() {
            self.tell(
                format!("nothing fills the slot {{{slot}}}"),
                "take the phrase out, or add what it names".to_owned(),
            );
        }
        for value in values {
            let mut at = self.state();
            self.silent(from, at);
            for word in value.split_whitespace() {
                at = self.word(word, at);
            }
            self.value(slot, value, at, to);
        }
        to
    }

    fn numbers(&mut self, slot: &str, low: u32, high: u32, from: State) -> State {
        let to = self.state();
        for number in low..=high {
            let mut ways = vec![number_words(u64::from(number), false), number_words(u64::from(number), true)];
            ways.dedup();
            for words in ways {
                let mut at = self.state();
                self.silent(from, at);
                for word in words {
                    at = self.word(word, at);
                }
                self.value(slot, &number.to_string(), at, to);
            }
        }
        to
    }
}

/// Depth-first search for paths with given phones.
struct Readings<'a> {
    graph: &'a PhoneGraph,
    phones: &'a [Phone],
    limit: usize,
    found: Vec<(usize, SpokenCommand)>,
    marks: Vec<Mark>,
    /// States from which, after so many phones, no end is reached.
    dead: HashSet<(State, usize)>,
}

impl Readings<'_> {
    /// Whether an end was reached from here.
    fn walk(&mut self, state: State, at: usize) -> bool {
        if self.found.len() >= self.limit || self.dead.contains(&(state, at)) {
            return false;
        }
        let mut reached = state == END && at == self.phones.len();
        if reached && let Some(command) = self.graph.command(&self.marks) {
            let same = |(_, found): &(usize, SpokenCommand)| {
                found.action == command.1.action && found.words == command.1.words
            };
            if !self.found.iter().any(same) {
                self.found.push(command);
            }
        }
        let graph = self.graph;
        for arc in graph.arcs(state) {
            let next = match arc.phone {
                None => at,
                Some(phone) if self.phones.get(at) == Some(&phone) => at + 1,
                Some(_) => continue,
            };
            self.marks.extend(arc.mark);
            reached |= self.walk(arc.to, next);
            if arc.mark.is_some() {
                self.marks.pop();
            }
        }
        if !reached && self.found.len() < self.limit {
            self.dead.insert((state, at));
        }
        reached
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Commands as `phrase = Action(word, word)`; a word that is a slot of the phrase is that slot.
    pub fn source(commands: &[(&str, &str, &[&str])], slots: &[(&str, &[&str])]) -> GrammarSource {
        let commands = commands.iter().enumerate().map(|(index, (phrase, action, words))| {
            let phrase = Phrase::parse(phrase).unwrap();
            let is_slot = |word: &&str| phrase.slots().iter().any(|(slot, _)| slot == word);
            let words = words.iter().map(|word| {
                if is_slot(word) { Word::Slot((*word).to_owned()) } else { Word::Fixed((*word).to_owned()) }
            });
            let words = words.collect();
            CommandPhrase { line: index + 1, phrase, action: (*action).to_owned(), words }
        });
        let commands = commands.collect();
        let slots = slots
            .iter()
            .map(|(slot, values)| ((*slot).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()));
        GrammarSource { commands, slots: slots.collect(), say_as: BTreeMap::new() }
    }

    pub fn phones(words: &str) -> Vec<Phone> {
        words.split_whitespace().flat_map(|word| pronounce(word, &BTreeMap::new()).unwrap().remove(0)).collect()
    }

    #[test]
    fn sentences_mean_what_their_phrase_says() {
        let objects: &[&str] = &["teapot", "coffee_machine", "easel"];
        let source = source(
            &[
                ("(find|show me) [the] {object}", "Find", &["object"]),
                ("wait {minutes 1-120} minutes", "Wait", &["minutes"]),
                ("lights (off|out)", "Lights", &["off"]),
            ],
            &[("object", objects)],
        );
        let graph = PhoneGraph::compile(&source).unwrap();
        let read = |text: &str| {
            let mut found = graph.readings(&phones(text), 4);
            assert!(found.len() <= 1, "{text}: {found:?}");
            found.pop().map(|(_, command)| command)
        };
        let command = read("show me the coffee machine").unwrap();
        assert_eq!((command.text.as_str(), command.action.as_str()), ("show me the coffee machine", "Find"));
        assert_eq!(command.words, ["coffee_machine"]);
        assert_eq!(command.slots, [("object".to_owned(), "coffee_machine".to_owned())]);
        assert_eq!(read("wait one hundred five minutes").unwrap().words, ["105"]);
        assert_eq!(read("wait one hundred and five minutes").unwrap().words, ["105"]);
        assert_eq!(read("lights out").unwrap().words, ["off"]);
        assert_eq!(read("show me the"), None);
        assert_eq!(read("lights off off"), None);
    }

    #[test]
    fn what_cannot_be_said_is_told_with_its_line() {
        let told = PhoneGraph::compile(&source(
            &[("find 日本", "Find", &["x"]), ("paint it {material}", "Paint", &["material"])],
            &[],
        ));
        let told = told.unwrap_err();
        assert_eq!(told.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2], "{told:?}");
        assert!(told[0].what.contains("cannot be pronounced") && told[1].what.contains("nothing fills"));
        let large = "[{a 1-999} {b 1-999} {c 1-999} {d 1-999}] x {e 1-999} [{f 1-999}] {g 1-999} {h 1-999} {i 1-999}";
        let told = PhoneGraph::compile(&source(&[(large, "X", &["e"])], &[])).unwrap_err();
        assert!(told[0].what.contains("more than"), "{told:?}");
    }
}
