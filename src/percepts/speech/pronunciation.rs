//! How words are spoken.
//!
//! In: a word as an author writes it, and the author's own pronunciations. Out: all pronunciations that are to be expected,
//! as phones. Looked up in this order: the author's `say_as`; numbers; the dictionary (CMUdict 0.7b); an abbreviation
//! spelled out; a known word with an English ending; two known words in one; rules from letters to sounds.

use std::collections::BTreeMap;

use arpabet_cmudict::CMU_DICT;

use super::{super::phones::Phone, letter_rules::spoken_as_written, numbers::number_words};

/// One way to say a word.
pub type Pronunciation = Vec<Phone>;

/// More ways to say one word than this are not followed.
const MAX_VARIANTS: usize = 12;

/// All ways to say `word`; `None` if it holds what cannot be said. `say_as` has lower-case keys.
pub fn pronounce(word: &str, say_as: &BTreeMap<String, String>) -> Option<Vec<Pronunciation>> {
    let found = match say_as.get(&word.to_lowercase()) {
        Some(said) => joined(said.split([' ', '-']).filter(|part| !part.is_empty()).map(pronounce_part))?,
        None => joined(word.split(['-', '_', ' ']).filter(|part| !part.is_empty()).map(pronounce_part))?,
    };
    let found: Vec<Pronunciation> = found.into_iter().filter(|phones| !phones.is_empty()).collect();
    (!found.is_empty()).then_some(found)
}

/// The ways to say words one after another.
fn joined(parts: impl Iterator<Item = Option<Vec<Pronunciation>>>) -> Option<Vec<Pronunciation>> {
    let mut all = vec![Vec::new()];
    for part in parts {
        let part = part?;
        all =
            all.iter().flat_map(|head: &Vec<Phone>| part.iter().map(move |tail| [&head[..], tail].concat())).collect();
        all.truncate(MAX_VARIANTS);
    }
    Some(all)
}

/// One word without hyphens.
fn pronounce_part(word: &str) -> Option<Vec<Pronunciation>> {
    if let Ok(number) = word.parse::<u64>() {
        return joined(number_words(number, false).into_iter().map(in_dictionary));
    }
    let plain: String = word.chars().map(plain_letter).collect::<Option<String>>()?;
    let is_capitals = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let mut found = in_dictionary(&plain).unwrap_or_default();
    if is_capitals {
        found.extend(spelled(&plain)?);
    }
    if found.is_empty() {
        let vowels = plain.chars().any(|c| "aeiouy".contains(c));
        found = if !vowels && plain.len() <= 6 {
            spelled(&plain)?
        } else {
            let known = with_ending(&plain).or_else(|| two_words(&plain)).unwrap_or_default();
            let letters: String = plain.chars().filter(|c| *c != '\'').collect();
            known.into_iter().chain(spoken_as_written(&letters)).collect()
        };
    }
    found.sort();
    found.dedup();
    found.truncate(MAX_VARIANTS);
    Some(found)
}

/// A lower-case letter from a to z or an apostrophe, without what stands above or below it.
fn plain_letter(c: char) -> Option<char> {
    let c = c.to_lowercase().next()?;
    match c {
        'a'..='z' | '\'' => Some(c),
        'à'..='å' | 'ā' => Some('a'),
        'è'..='ë' | 'ē' => Some('e'),
        'ì'..='ï' | 'ī' => Some('i'),
        'ò'..='ö' | 'ø' | 'ō' => Some('o'),
        'ù'..='ü' | 'ū' => Some('u'),
        'ý' | 'ÿ' => Some('y'),
        'ç' | 'č' | 'ć' => Some('c'),
        'ñ' | 'ń' => Some('n'),
        'š' | 'ś' => Some('s'),
        'ž' | 'ź' | 'ż' => Some('z'),
        'ł' => Some('l'),
        _ => None,
    }
}

/// All pronunciations in CMUdict, where variants are listed as `the(1)`.
fn in_dictionary(word: &str) -> Option<Vec<Pronunciation>> {
    let phones = |key: &str| -> Option<Pronunciation> {
        Some(CMU_DICT.get(key)?.iter().filter_map(|phone| Phone::named(phone.to_str())).collect())
    };
    let first = phones(word)?;
    let mut found = vec![first];
    for variant in 1.. {
        let Some(next) = phones(&format!("{word}({variant})")) else { break };
        if !found.contains(&next) {
            found.push(next);
        }
    }
    // The dictionary's "a" lacks the way it is said alone.
    if word == "a" {
        found.push([Phone::named("EY")?].into());
    }
    Some(found)
}

/// Letter by letter, as abbreviations are read.
fn spelled(word: &str) -> Option<Vec<Pronunciation>> {
    joined(word.chars().filter(|c| *c != '\'').map(|c| match c {
        'a' => Some(vec![vec![Phone::named("EY")?]]),
        _ => in_dictionary(&c.to_string()),
    }))
}

/// A known word with an ending: `teapots`, `repainting`.
fn with_ending(word: &str) -> Option<Vec<Pronunciation>> {
    const ENDINGS: [(&str, &[&str]); 8] = [
        ("'s", &[]),
        ("ing", &["IH", "NG"]),
        ("ness", &["N", "AH", "S"]),
        ("less", &["L", "AH", "S"]),
        ("ly", &["L", "IY"]),
        ("er", &["ER"]),
        ("ed", &[]),
        ("s", &[]),
    ];
    for (ending, sounds) in ENDINGS {
        let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() > 2) else { continue };
        // hoping: hop(e); stopping: stop(p).
        let halved = stem.strip_suffix(&stem[stem.len() - 1..]).filter(|half| half.ends_with(&stem[stem.len() - 1..]));
        let known = in_dictionary(stem)
            .or_else(|| in_dictionary(&format!("{stem}e")).filter(|_| ["ing", "er", "ed"].contains(&ending)))
            .or_else(|| in_dictionary(halved?).filter(|_| ["ing", "er", "ed"].contains(&ending)));
        let Some(known) = known else { continue };
        let spoken = known.into_iter().map(|mut phones| {
            let last = phones.last().map_or("", |phone| phone.name());
            let added: Vec<&str> = match ending {
                "s" | "'s" if ["S", "Z", "SH", "ZH", "CH", "JH"].contains(&last) => vec!["IH", "Z"],
                "s" | "'s" if ["P", "T", "K", "F", "TH"].contains(&last) => vec!["S"],
                "s" | "'s" => vec!["Z"],
                "ed" if ["T", "D"].contains(&last) => vec!["IH", "D"],
                "ed" if ["P", "K", "F", "TH", "S", "SH", "CH"].contains(&last) => vec!["T"],
                "ed" => vec!["D"],
                _ => sounds.to_vec(),
            };
            phones.extend(added.into_iter().filter_map(Phone::named));
            phones
        });
        return Some(spoken.collect());
    }
    None
}

/// Two known words of at least three letters in one: `bookstand`. The most even split is taken.
fn two_words(word: &str) -> Option<Vec<Pronunciation>> {
    if !word.is_ascii() || word.contains('\'') {
        return None;
    }
    let mut cuts: Vec<usize> = (3..word.len().saturating_sub(2)).collect();
    cuts.sort_by_key(|cut| cut.abs_diff(word.len() / 2));
    let both = |cut: usize| Some([in_dictionary(&word[..cut])?, in_dictionary(&word[cut..])?]);
    cuts.into_iter().find_map(both).and_then(|parts| joined(parts.into_iter().map(Some)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(word: &str) -> Vec<String> {
        said_as(word, &BTreeMap::new())
    }

    fn said_as(word: &str, say_as: &BTreeMap<String, String>) -> Vec<String> {
        let text = |phones: Pronunciation| phones.iter().map(|phone| phone.name()).collect::<Vec<_>>().join(" ");
        pronounce(word, say_as).unwrap_or_default().into_iter().map(text).collect()
    }

    #[test]
    fn words_are_said_as_the_dictionary_has_them() {
        assert_eq!(said("Teapot"), ["T IY P AA T"]);
        assert_eq!(said("the"), ["DH AH", "DH IY"]);
        assert!(said("a").contains(&"EY".to_owned()) && said("a").contains(&"AH".to_owned()));
        assert_eq!(said("what's").len(), 2);
        assert_eq!(said("42"), ["F AO R T IY T UW"]);
        assert_eq!(said("coffee_machine"), ["K AA F IY M AH SH IY N", "K AO F IY M AH SH IY N"]);
    }

    #[test]
    fn words_that_it_lacks_are_made_up_from_what_it_has() {
        assert_eq!(said("teapots")[0], "T IY P AA T S", "an ending");
        assert!(said("XKCD").contains(&"EH K S K EY S IY D IY".to_owned()), "an abbreviation: {:?}", said("XKCD"));
        assert!(said("teastand").contains(&"T IY S T AE N D".to_owned()), "two words: {:?}", said("teastand"));
        assert_eq!(said("blorp"), ["B L AO R P"], "letters");
        assert!(!said("café").is_empty());
    }

    #[test]
    fn authors_have_the_last_word_and_some_words_cannot_be_said() {
        let say_as = BTreeMap::from([("siobhan".to_owned(), "shi vawn".to_owned())]);
        assert_eq!(said_as("Siobhan", &say_as), ["SH IY V AO N"]);
        assert_eq!(pronounce("日本", &BTreeMap::new()), None);
        assert_eq!(pronounce("-", &BTreeMap::new()), None);
    }
}
