//! The way in which authors write what can be said: `(find|show me) [the] {object}`, `wait {minutes 1-60} minutes`.
//!
//! In: text. Out: a [`Phrase`], or what is wrong with it. Words stand as they are, `(a|b)` is one of several, `[a]` may be
//! left out, `{object}` is a slot that somebody fills, `{minutes 1-60}` a whole number of a range under a name. What is
//! absent: sounds, meanings, what slots hold.

use std::collections::BTreeSet;

/// Characters of a phrase.
pub const MAX_PHRASE_CHARS: usize = 400;
/// Greatest number that can be spoken.
pub const MAX_NUMBER: u32 = 999;
/// Brackets inside brackets.
const MAX_DEPTH: usize = 8;

/// What can be said, as a family of word sequences; never empty, and never only of what may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase(pub Vec<Part>);

/// One part of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Letters, digits, apostrophes.
    Word(String),
    /// One of several sequences, none of them empty.
    AnyOf(Vec<Vec<Part>>),
    /// One of several sequences, or nothing.
    Optional(Vec<Vec<Part>>),
    /// Filled by whoever knows what there is.
    Slot(String),
    /// A whole number, both ends included.
    Number { slot: String, low: u32, high: u32 },
}

/// What is wrong with a phrase, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhraseError {
    pub what: String,
    pub help: String,
}

impl PhraseError {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }
}

impl Phrase {
    /// Reads a phrase.
    ///
    /// # Errors
    /// - it is empty, too long, nested too deep, or can be said by saying nothing
    /// - brackets do not match, or a character cannot be spoken
    /// - a slot is badly written or stands twice in one sentence
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let length = text.chars().count();
        if length > MAX_PHRASE_CHARS {
            let help = format!("at most {MAX_PHRASE_CHARS} are allowed: write several phrases");
            return Err(PhraseError::new(format!("the phrase has {length} characters"), help));
        }
        if text.trim().is_empty() {
            return Err(PhraseError::new("the phrase is empty", "write what is to be said"));
        }
        let mut reader = Reader { rest: text, open: Vec::new() };
        let mut sequences = reader.alternatives()?;
        if let Some(closing) = reader.rest.chars().next() {
            return Err(PhraseError::new(format!("`{closing}` closes nothing"), "remove it, or open it before"));
        }
        let parts = if sequences.len() == 1 { sequences.remove(0) } else { vec![Part::AnyOf(sequences)] };
        if parts.iter().all(Part::may_be_silent) {
            let what = "everything in the phrase may be left out";
            return Err(PhraseError::new(what, "write at least one word outside of [ ]"));
        }
        let mut twice = None;
        slots_of(&parts, &mut twice);
        if let Some(slot) = twice {
            let what = format!("the slot {{{slot}}} stands twice in one sentence");
            return Err(PhraseError::new(what, "keep one of them"));
        }
        Ok(Self(parts))
    }

    /// The slots by name, and whether every way to say the phrase fills them.
    pub fn slots(&self) -> Vec<(String, bool)> {
        let Slots { always, sometimes } = slots_of(&self.0, &mut None);
        sometimes.into_iter().map(|slot| (slot.clone(), always.contains(&slot))).collect()
    }

    /// The range of a number slot; `None` for a slot of another sort, or none.
    pub fn number_range(&self, slot: &str) -> Option<[u32; 2]> {
        fn find(parts: &[Part], wanted: &str) -> Option<[u32; 2]> {
            parts.iter().find_map(|part| match part {
                Part::Number { slot, low, high } if slot == wanted => Some([*low, *high]),
                Part::AnyOf(sequences) | Part::Optional(sequences) => {
                    sequences.iter().find_map(|sequence| find(sequence, wanted))
                }
                _ => None,
            })
        }
        find(&self.0, slot)
    }
}

impl Part {
    fn may_be_silent(&self) -> bool {
        match self {
            Part::Optional(_) => true,
            Part::AnyOf(sequences) => sequences.iter().any(|parts| parts.iter().all(Part::may_be_silent)),
            _ => false,
        }
    }
}

struct Slots {
    always: BTreeSet<String>,
    sometimes: BTreeSet<String>,
}

fn slots_of(parts: &[Part], twice: &mut Option<String>) -> Slots {
    let mut all = Slots { always: BTreeSet::new(), sometimes: BTreeSet::new() };
    for part in parts {
        let found = match part {
            Part::Word(_) => continue,
            Part::Slot(slot) | Part::Number { slot, .. } => {
                let one = BTreeSet::from([slot.clone()]);
                Slots { always: one.clone(), sometimes: one }
            }
            Part::AnyOf(sequences) | Part::Optional(sequences) => {
                let each: Vec<Slots> = sequences.iter().map(|sequence| slots_of(sequence, twice)).collect();
                let sometimes: BTreeSet<String> = each.iter().flat_map(|slots| slots.sometimes.clone()).collect();
                let mut always = sometimes.clone();
                always.retain(|slot| each.iter().all(|slots| slots.always.contains(slot)));
                if matches!(part, Part::Optional(_)) {
                    always.clear();
                }
                Slots { always, sometimes }
            }
        };
        if let Some(slot) = found.sometimes.iter().find(|slot| all.sometimes.contains(*slot)) {
            *twice = Some(slot.clone());
        }
        all.always.extend(found.always);
        all.sometimes.extend(found.sometimes);
    }
    all
}

struct Reader<'a> {
    rest: &'a str,
    open: Vec<char>,
}

impl Reader<'_> {
    /// Sequences up to a closing bracket, which is left, or the end.
    fn alternatives(&mut self) -> Result<Vec<Vec<Part>>, PhraseError> {
        let mut sequences = vec![Vec::new()];
        loop {
            self.rest = self.rest.trim_start();
            let Some(next) = self.rest.chars().next() else { break };
            let current = sequences.last_mut().expect("there is always one");
            match next {
                ')' | ']' | '}' => break,
                '|' => {
                    if current.is_empty() {
                        return Err(empty_choice());
                    }
                    self.rest = &self.rest[1..];
                    sequences.push(Vec::new());
                }
                '(' | '[' => {
                    let part = self.group(next)?;
                    sequences.last_mut().expect("there is always one").push(part);
                }
                '{' => {
                    let Some(end) = self.rest.find('}') else { return Err(never_closed('{')) };
                    let part = slot(&self.rest[1..end])?;
                    self.rest = &self.rest[end + 1..];
                    current.push(part);
                }
                // Marks for the eye: "lights off, please".
                ',' | '.' | '?' | '!' => self.rest = &self.rest[1..],
                _ => {
                    let end = self.rest.find(|c: char| c.is_whitespace() || "()[]{}|".contains(c));
                    let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                    current.push(Part::Word(spoken(word)?));
                    self.rest = rest;
                }
            }
        }
        if sequences.last().is_some_and(Vec::is_empty) {
            return Err(empty_choice());
        }
        Ok(sequences)
    }

    fn group(&mut self, opening: char) -> Result<Part, PhraseError> {
        if self.open.len() == MAX_DEPTH {
            let what = format!("brackets stand inside each other more than {MAX_DEPTH} deep");
            return Err(PhraseError::new(what, "write several phrases"));
        }
        self.open.push(opening);
        self.rest = &self.rest[1..];
        let sequences = self.alternatives()?;
        let closing = if opening == '(' { ')' } else { ']' };
        match self.rest.chars().next() {
            Some(found) if found == closing => self.rest = &self.rest[1..],
            Some(found) => {
                let what = format!("found `{found}` where `{opening}` is open");
                return Err(PhraseError::new(what, format!("write `{closing}`")));
            }
            None => return Err(never_closed(opening)),
        }
        self.open.pop();
        Ok(if opening == '(' { Part::AnyOf(sequences) } else { Part::Optional(sequences) })
    }
}

fn empty_choice() -> PhraseError {
    PhraseError::new("brackets or `|` with nothing in them", "write [a|b] for what may be left out")
}

fn never_closed(opening: char) -> PhraseError {
    let closing = match opening {
        '(' => ')',
        '[' => ']',
        _ => '}',
    };
    PhraseError::new(format!("`{opening}` is never closed"), format!("add `{closing}`"))
}

/// A word that somebody can say.
fn spoken(word: &str) -> Result<String, PhraseError> {
    let word = word.trim_end_matches([',', '.', '?', '!']);
    let strange = word.chars().find(|c| !c.is_alphanumeric() && !"'’-".contains(*c));
    match strange {
        Some(c) => Err(PhraseError::new(format!("`{c}` cannot be spoken"), "write it as words")),
        None if !word.chars().any(char::is_alphanumeric) => {
            Err(PhraseError::new("a mark stands where a word should be", "write it as words"))
        }
        None => Ok(word.replace('’', "'")),
    }
}

/// What stands between `{` and `}`.
fn slot(text: &str) -> Result<Part, PhraseError> {
    let wrong = || PhraseError::new(format!("{{{text}}} is not a slot"), "write {object} or {number 1-99}");
    let mut words = text.split_whitespace();
    let name = words.next().ok_or_else(wrong)?;
    let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && name.len() <= 32;
    let range = words.next();
    if !is_name || words.next().is_some() {
        return Err(wrong());
    }
    let Some(range) = range else { return Ok(Part::Slot(name.to_owned())) };
    let (low, high) = range.split_once('-').ok_or_else(wrong)?;
    let (low, high) = (low.parse::<u32>().map_err(|_| wrong())?, high.parse::<u32>().map_err(|_| wrong())?);
    if low > high || high > MAX_NUMBER {
        let what = format!("the numbers {low} to {high} cannot be spoken");
        return Err(PhraseError::new(what, format!("write the lower one first; the greatest is {MAX_NUMBER}")));
    }
    Ok(Part::Number { slot: name.to_owned(), low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Part {
        Part::Word(text.to_owned())
    }

    #[test]
    fn phrases_are_read_as_they_are_meant() {
        let phrase = Phrase::parse("(find|show me) [the] {object}, [{minutes 1-60}]").unwrap();
        assert_eq!(
            phrase.0,
            [
                Part::AnyOf(vec![vec![word("find")], vec![word("show"), word("me")]]),
                Part::Optional(vec![vec![word("the")]]),
                Part::Slot("object".into()),
                Part::Optional(vec![vec![Part::Number { slot: "minutes".into(), low: 1, high: 60 }]]),
            ]
            .as_slice()
        );
        assert_eq!(phrase.slots(), [("minutes".to_owned(), false), ("object".to_owned(), true)]);
        assert_eq!(phrase.number_range("minutes"), Some([1, 60]));
        let either = Phrase::parse("lights off|it is (too bright|late)").unwrap();
        assert_eq!(either.0.len(), 1);
        assert_eq!(Phrase::parse("(find {object}|where is {object})").unwrap().slots(), [("object".to_owned(), true)]);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("", "empty"),
            ("  ", "empty"),
            ("[please]", "left out"),
            ("(a|[b])", "left out"),
            ("(find|show me the {object}", "`(` is never closed"),
            ("find] it", "`]` closes nothing"),
            ("(find] it", "found `]`"),
            ("find {object", "`{` is never closed"),
            ("(find|) it", "nothing in them"),
            ("| it", "nothing in them"),
            ("find () it", "nothing in them"),
            ("salt & pepper", "`&` cannot be spoken"),
            ("wait - now", "a mark"),
            ("{object} on {object}", "twice"),
            ("{Object}", "is not a slot"),
            ("{number 1}", "is not a slot"),
            ("{number 9-1}", "cannot be spoken"),
            ("{number 1-5000}", "cannot be spoken"),
            ("((((((((((a))))))))))", "deep"),
        ] {
            let told = Phrase::parse(text).expect_err(text);
            assert!(told.what.contains(expected), "{text}: {told:?}");
            assert!(!told.help.is_empty());
        }
        assert!(Phrase::parse(&"word ".repeat(100)).unwrap_err().what.contains("500 characters"));
    }
}
