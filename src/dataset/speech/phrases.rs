//! What the voices say: made-up English, so that a model learns the sounds and no list of commands.
//!
//! In: seeds, a dictionary's words, sentences that people have written. Out: phrases of lower-case words with spaces
//! between. No phrase of any scene's grammar is written down here.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

const COMMON_WORDS: &str = include_str!("common_words.txt");

/// Where phrases are drawn from.
#[derive(Clone, Debug)]
pub struct PhraseBook {
    verbs: Vec<&'static str>,
    nouns: Vec<&'static str>,
    adjectives: Vec<&'static str>,
    places: Vec<&'static str>,
    function: Vec<&'static str>,
    numbers: Vec<&'static str>,
    common: Vec<&'static str>,
    /// Every word of the dictionary that may be said.
    dictionary: Vec<String>,
    sentences: Vec<Vec<String>>,
}

impl PhraseBook {
    /// `dictionary`: words for phonetic riches, in any order; `sentences`: written text to cut phrases from, may be empty.
    pub fn new(mut dictionary: Vec<String>, sentences: &[String]) -> Self {
        dictionary.sort_unstable();
        let words = |kind: &str| words_of(kind);
        let common =
            COMMON_WORDS.lines().filter(|line| !line.starts_with(['#', '['])).flat_map(str::split_whitespace).collect();
        Self {
            verbs: words("verbs"),
            nouns: words("nouns"),
            adjectives: words("adjectives"),
            places: words("places"),
            function: words("function"),
            numbers: words("numbers"),
            common,
            dictionary,
            sentences: sentences
                .iter()
                .map(|sentence| sentence.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>())
                .filter(|words| words.len() >= 3)
                .collect(),
        }
    }

    /// One phrase of one to eight words.
    pub fn phrase(&self, rng: &mut ChaCha8Rng) -> String {
        let words = match rng.random_range(0..100) {
            0..22 => self.some(rng, 2..=6, |book, rng| book.common_word(rng)),
            22..48 => self.command(rng),
            48..58 => self.some(rng, 1..=2, |book, rng| book.common_word(rng)),
            58..70 => self.some(rng, 1..=4, |book, rng| book.rare_word(rng)),
            70..78 => self.some(rng, 1..=4, |book, rng| pick(&book.numbers, rng)),
            78..85 => self.question(rng),
            _ => self.cut_sentence(rng),
        };
        words.join(" ")
    }

    fn some(
        &self,
        rng: &mut ChaCha8Rng,
        count: std::ops::RangeInclusive<usize>,
        word: impl Fn(&Self, &mut ChaCha8Rng) -> String,
    ) -> Vec<String> {
        let count = rng.random_range(count);
        (0..count).map(|_| word(self, rng)).collect()
    }

    fn common_word(&self, rng: &mut ChaCha8Rng) -> String {
        if rng.random_bool(0.25) { pick(&self.function, rng) } else { pick(&self.common, rng) }
    }

    fn rare_word(&self, rng: &mut ChaCha8Rng) -> String {
        self.dictionary.choose(rng).cloned().unwrap_or_else(|| pick(&self.common, rng))
    }

    /// "please paint the old door marble", "turn left", "drop it": imperative, some object, some addition.
    fn command(&self, rng: &mut ChaCha8Rng) -> Vec<String> {
        let mut words = Vec::new();
        if rng.random_bool(0.12) {
            words.push(pick(&["please", "now", "hey", "okay", "can you", "could you", "i want to", "let us"], rng));
        }
        words.push(pick(&self.verbs, rng));
        if rng.random_bool(0.15) {
            words.push(pick(&["up", "down", "on", "off", "out", "back", "away", "over"], rng));
        }
        match rng.random_range(0..10) {
            0..6 => self.push_thing(&mut words, rng),
            6 => words.push(pick(&["it", "me", "this", "that", "them", "him", "her", "everything"], rng)),
            7 => words.push(self.rare_word(rng)),
            8 => words.push(pick(&self.adjectives, rng)),
            _ => {}
        }
        if rng.random_bool(0.3) {
            words.push(pick(&self.places, rng));
            self.push_thing(&mut words, rng);
        } else if rng.random_bool(0.15) {
            words.push(pick(&["please", "now", "again", "here", "there", "today", "slowly", "to me"], rng));
        }
        words
    }

    fn question(&self, rng: &mut ChaCha8Rng) -> Vec<String> {
        let starts = [
            "what is",
            "where is",
            "who is",
            "how is",
            "what are",
            "where are",
            "is this",
            "do you see",
            "what do you",
            "how many",
            "which",
            "when does",
            "why is",
            "can you",
            "did you",
        ];
        let mut words = vec![pick(&starts, rng)];
        if rng.random_bool(0.5) {
            words.push(pick(&self.verbs, rng));
        }
        self.push_thing(&mut words, rng);
        words
    }

    fn push_thing(&self, words: &mut Vec<String>, rng: &mut ChaCha8Rng) {
        if rng.random_bool(0.75) {
            words.push(pick(
                &["the", "the", "the", "a", "my", "your", "this", "that", "some", "all", "two", "every"],
                rng,
            ));
        }
        if rng.random_bool(0.35) {
            words.push(pick(&self.adjectives, rng));
        }
        words.push(pick(&self.nouns, rng));
    }

    fn cut_sentence(&self, rng: &mut ChaCha8Rng) -> Vec<String> {
        let Some(sentence) = self.sentences.choose(rng) else {
            return self.question(rng);
        };
        let length = rng.random_range(3..=8).min(sentence.len());
        let start = rng.random_range(0..=sentence.len() - length);
        sentence[start..start + length].to_vec()
    }
}

fn words_of(kind: &str) -> Vec<&'static str> {
    let heading = format!("[{kind}]");
    COMMON_WORDS
        .lines()
        .skip_while(|line| **line != *heading)
        .skip(1)
        .take_while(|line| !line.is_empty())
        .flat_map(str::split_whitespace)
        .collect()
}

fn pick(words: &[&str], rng: &mut ChaCha8Rng) -> String {
    words.choose(rng).copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::Seed;

    #[test]
    fn phrases_differ_and_one_seed_gives_one_phrase() {
        let book = PhraseBook::new(vec!["zebra".into(), "quixotic".into()], &["It was a dark and stormy night".into()]);
        let phrases = || (0..500).map(|n| book.phrase(&mut Seed(3).nth(n).rng())).collect::<Vec<_>>();
        assert_eq!(phrases(), phrases());
        assert!(phrases().iter().collect::<BTreeSet<_>>().len() > 350);
        assert!(phrases().iter().all(|phrase| !phrase.is_empty() && phrase.split(' ').count() <= 14));
        assert!(phrases().iter().any(|phrase| phrase.contains("dark and stormy")));
    }
}
