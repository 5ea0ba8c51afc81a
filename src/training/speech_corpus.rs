//! What the speech model learns from: sentences of synthetic voices, and people's recordings.
//!
//! In: a folder to keep the synthesised sentences in, folders of recordings. Out: sounds with their phones, in memory, split
//! into what is learnt and what is validated; noises and rooms to put them into. Sentences are synthesised once.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::Context;
use arpabet_cmudict::load_cmudict;

use crate::{
    base::Seed,
    dataset::speech::{
        MANIFEST_FILE, PhraseBook, SpokenEntry, quoted, read_manifest, read_sound,
        voices::{Engines, Line, Voice, speak},
    },
    percepts::phones::Phone,
    signal::log_mel::SAMPLE_RATE,
};

/// One sound and the phones that are heard in it, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// 16 kHz, 16 bits.
    pub samples: Vec<i16>,
    pub phones: Vec<u8>,
}

/// Everything in memory.
#[derive(Clone, Debug, Default)]
pub struct SpeechCorpus {
    pub train: Vec<Utterance>,
    pub validation: Vec<Utterance>,
    /// Noises without speech, 16 kHz, −1 to 1.
    pub noises: Vec<Vec<f32>>,
    /// Room responses, 16 kHz.
    pub rooms: Vec<Vec<f32>>,
    /// Sounds learnt from, by their source: synthetic, and each folder of recordings.
    pub counts: Vec<(String, usize)>,
}

/// Recordings that are used: folder, and how often each is shown an epoch, so that people weigh against machines.
const RECORDED: [(&str, usize); 6] = [
    ("librispeech", 16),
    ("an4", 16),
    ("hymel_keywords", 5),
    ("mycroft_precise", 5),
    ("picovoice_wakeword", 2),
    ("spoken_digits", 1),
];

/// Of the synthesised sentences, one in so many is validated on.
const VALIDATION_SHARE: usize = 100;

/// At most so many of them, and so many recordings of one folder, are validated on.
const MOST_SYNTHETIC_VALIDATED: usize = 160;
const MOST_VALIDATED: usize = 60;

/// Longer and shorter sounds are left out, seconds.
const LONGEST_S: f32 = 9.0;
const SHORTEST_S: f32 = 0.25;

/// Words that people say in the recordings and CMUdict lacks.
const NAMES: [(&str, &str); 6] = [
    ("hadouken", "HH AH D UW K EH N"),
    ("dracarys", "D R AH K AA R IH S"),
    ("fenrir", "F EH N R IH R"),
    ("snowboy", "S N OW B OY"),
    ("chatterbox", "CH AE T ER B AA K S"),
    ("viewglass", "V Y UW G L AE S"),
];

/// The phones of words with spaces between; `None` if one is in no dictionary.
pub fn phones_of(text: &str) -> Option<Vec<u8>> {
    let dictionary = load_cmudict();
    let mut phones = Vec::new();
    for word in text.split_whitespace() {
        if let Some((_, name)) = NAMES.iter().find(|(name, _)| *name == word) {
            phones.extend(name.split(' ').filter_map(Phone::named).map(|phone| phone.0));
            continue;
        }
        let word = word.trim_matches(|c: char| !c.is_alphabetic());
        for phone in dictionary.get_polyphone_str(word)? {
            phones.push(Phone::named(phone)?.0);
        }
    }
    Some(phones)
}

/// Synthesises `count` sentences into `folder`, or those that are missing there, and writes the folder's table.
///
/// # Errors
/// - a voice cannot speak, or the folder cannot be written
pub fn synthesise(
    folder: &Path,
    count: usize,
    sentences: &[String],
    seed: Seed,
    each: impl FnMut(),
) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let words: Vec<String> = load_cmudict()
        .keys()
        .filter(|word| (3..=10).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .cloned()
        .collect();
    let known: Vec<String> = sentences.iter().filter(|sentence| phones_of(sentence).is_some()).cloned().collect();
    let book = PhraseBook::new(words, &known);
    let engines = Engines::found();
    let lines: Vec<Line> = (0..count)
        .map(|index| {
            let mut rng = seed.derive("sentences").nth(index as u64).rng();
            let text = book.phrase(&mut rng);
            let voice = Voice::to_learn_from(&mut rng, engines);
            Line { text, voice, path: folder.join(format!("{index:06}.wav")) }
        })
        .collect();
    speak(&lines, each)?;
    let mut table = String::from("file,transcript,voice\n");
    for line in &lines {
        let file = line.path.file_name().unwrap_or_default().to_string_lossy();
        table += &format!("{file},{},{}\n", quoted(&line.text), quoted(&line.voice.to_string()));
    }
    let path = folder.join(MANIFEST_FILE);
    fs::write(&path, table).with_context(|| format!("writing {}", path.display()))
}

/// What people said in the recordings, as text.
pub fn sentences_of(recordings: &Path) -> Vec<String> {
    let entries = read_manifest(&recordings.join("librispeech")).unwrap_or_default();
    entries.into_iter().filter(|entry| !entry.is_left_out()).map(|entry| entry.transcript).collect()
}

/// Reads the synthesised sentences and all recordings that are there. Calls `each` now and then.
///
/// # Errors
/// - a table or a sound cannot be read
pub fn load(synthetic: &Path, recordings: &Path, mut each: impl FnMut()) -> anyhow::Result<SpeechCorpus> {
    let mut corpus = SpeechCorpus::default();
    let sentences = read_manifest(synthetic)?;
    for (index, utterance) in utterances(&sentences, &mut each)?.into_iter().enumerate() {
        let Some(utterance) = utterance else { continue };
        if index % VALIDATION_SHARE == 0 && corpus.validation.len() < MOST_SYNTHETIC_VALIDATED {
            corpus.validation.push(utterance);
        } else {
            corpus.train.push(utterance);
        }
    }
    corpus.counts.push(("synthetic voices".into(), corpus.train.len()));
    for (name, times) in RECORDED {
        let folder = recordings.join(name);
        if !folder.exists() {
            continue;
        }
        let (mut learnt, mut validated) = (0, 0);
        let entries: Vec<_> =
            read_manifest(&folder)?.into_iter().filter(|entry| !entry.transcript.is_empty()).collect();
        for (entry, utterance) in entries.iter().zip(utterances(&entries, &mut each)?) {
            let Some(utterance) = utterance else { continue };
            if entry.is_left_out() {
                if validated < MOST_VALIDATED {
                    corpus.validation.push(utterance);
                }
                validated += 1;
            } else {
                corpus.train.extend(std::iter::repeat_n(utterance, times));
                learnt += 1;
            }
        }
        corpus.counts.push((name.into(), learnt));
    }
    corpus.noises = sounds_in(&recordings.join("noise"))?;
    corpus.rooms = sounds_in(&recordings.join("rir"))?;
    Ok(corpus)
}

/// The sounds of entries, in their order, read on all processor cores; `None` for what cannot be learnt from.
fn utterances(entries: &[SpokenEntry], each: &mut impl FnMut()) -> anyhow::Result<Vec<Option<Utterance>>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = entries.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = entries
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(utterance).collect::<anyhow::Result<Vec<_>>>()))
            .collect();
        let mut all = Vec::with_capacity(entries.len());
        for part in parts {
            all.extend(part.join().map_err(|_| anyhow::anyhow!("reading sounds failed"))??);
            each();
        }
        Ok(all)
    })
}

fn sounds_in(folder: &Path) -> anyhow::Result<Vec<Vec<f32>>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let paths: BTreeSet<PathBuf> = read_manifest(folder)?.into_iter().map(|entry| entry.path).collect();
    paths.iter().map(|path| Ok(read_sound(path)?)).collect()
}

fn utterance(entry: &SpokenEntry) -> anyhow::Result<Option<Utterance>> {
    let Some(phones) = phones_of(&entry.transcript).filter(|phones| !phones.is_empty()) else {
        return Ok(None);
    };
    let samples = read_sound(&entry.path)?;
    let seconds = samples.len() as f32 / SAMPLE_RATE as f32;
    if !(SHORTEST_S..LONGEST_S).contains(&seconds) {
        return Ok(None);
    }
    let samples = samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32767.0) as i16).collect();
    Ok(Some(Utterance { samples, phones }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Option<String> {
        let phones = phones_of(text)?;
        Some(phones.into_iter().map(|phone| Phone(phone).name()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn words_become_phones() {
        assert_eq!(names("the teapot").as_deref(), Some("DH AH T IY P AA T"));
        assert_eq!(names("hey fenrir").as_deref(), Some("HH EY F EH N R IH R"));
        assert_eq!(names("qxzzy"), None);
    }
}
