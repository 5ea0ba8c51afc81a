//! The figures of hearing: a model and a grammar on folders of speech, through the decoder of play.
//!
//! In: a [`Recogniser`], sounds with what was said in them. Out: figures. Sounds without words are no commands; what is
//! accepted of them is an error, counted per hour. What is absent: voice activity (the caller cuts long sounds as the ear
//! does), thresholds (the model's manifest has them).

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;

use super::speech_calibration::Example;
use crate::{
    dataset::speech::SpokenEntry,
    percepts::speech::{Candidate, Recogniser},
    signal::{edit_distance::edit_distance, log_mel::SAMPLE_RATE},
};

/// One entry and its sound.
#[derive(Clone, Debug)]
pub struct SpokenSound {
    pub entry: SpokenEntry,
    /// Seconds of the whole sound.
    pub seconds: f64,
    /// What reaches the model, 16 kHz: the whole sound, or the utterances that an ear cuts out of it.
    pub utterances: Vec<Vec<f32>>,
}

/// How good hearing is on a folder of speech with one grammar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpeechFigures {
    /// Sounds that are commands.
    pub utterances: usize,
    /// Share of them that were accepted as exactly what was said.
    pub sentence_accuracy: f64,
    /// The same, were every best phrase believed.
    pub sentence_accuracy_unrefused: f64,
    /// Word errors per word; a refused sentence has none of its words.
    pub wer: f64,
    /// Accepted commands in sounds that are none, per hour of such sounds; null where there are none.
    pub false_accepts_per_hour: Option<f64>,
    /// Hours of sounds that are no commands.
    pub other_hours: f64,
    /// Seconds of work for a second of sound.
    pub rtf: f64,
    /// Milliseconds of work on one second of sound, about the wait after the last chunk; 95th percentile.
    pub latency_ms: f64,
    pub confidence: f32,
    pub provider: String,
    pub per_condition: Vec<GroupFigures>,
    pub per_voice: Vec<GroupFigures>,
    /// What other thresholds than `confidence` would give.
    pub operating_points: Vec<OperatingPoint>,
    /// Commands that were refused or taken for another.
    pub mistakes: Vec<Mistake>,
    /// What spoke against each best phrase, for calibration.
    #[serde(skip)]
    pub examples: Vec<Example>,
}

/// The same of some of the sounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupFigures {
    pub name: String,
    pub utterances: usize,
    pub sentence_accuracy: f64,
    /// Were every best phrase believed.
    pub sentence_accuracy_unrefused: f64,
    pub wer: f64,
}

/// What a threshold of confidence gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    pub confidence: f32,
    pub sentence_accuracy: f64,
    /// Null where there are no other sounds.
    pub false_accepts_per_hour: Option<f64>,
}

/// A command that was not heard as it was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    pub file: String,
    pub said: String,
    /// The best phrase.
    pub heard: String,
    pub confidence: f32,
    pub accepted: bool,
}

struct Scored {
    voice: String,
    condition: String,
    /// Whether it was accepted as what was said.
    right: bool,
    /// Whether the best phrase is what was said, and how credible it is.
    best_right: bool,
    confidence: f32,
    errors: usize,
    words: usize,
}

/// Scores hearing on all sounds.
///
/// # Errors
/// - a sound cannot be read (the caller's error), the model fails
pub fn score_speech(
    recogniser: &mut Recogniser,
    sounds: impl Iterator<Item = anyhow::Result<SpokenSound>>,
) -> anyhow::Result<SpeechFigures> {
    let (mut scored, mut mistakes, mut delays) = (Vec::new(), Vec::new(), Vec::new());
    let (mut heard_s, mut other_s, mut work_s) = (0.0, 0.0, 0.0);
    let mut false_accepts = 0_usize;
    let (mut mistaken, mut examples) = (Vec::new(), Vec::new());
    for sound in sounds {
        let SpokenSound { entry, seconds, utterances } = sound?;
        let is_command = !entry.transcript.is_empty();
        let (mut best, mut confidence, mut accepted, mut evidence) = (String::new(), 0.0, false, None);
        for samples in &utterances {
            let found = recogniser.hear(samples).with_context(|| format!("hearing {}", entry.path.display()))?;
            let length_s = samples.len() as f64 / SAMPLE_RATE as f64;
            work_s += found.ms / 1e3;
            heard_s += length_s;
            delays.push(found.ms / length_s.max(0.1));
            if !is_command {
                false_accepts += usize::from(found.accepted);
                mistaken.extend(found.decoded.best.as_ref().map(|best| best.confidence));
                let example = |best: &Candidate| Example { evidence: best.evidence, said: false, talk: true };
                examples.extend(found.decoded.best.as_ref().map(example));
            }
            if let Some(candidate) = found.decoded.best.filter(|candidate| candidate.confidence >= confidence) {
                (confidence, accepted, evidence) = (candidate.confidence, found.accepted, Some(candidate.evidence));
                best = candidate.command.text;
            }
        }
        if !is_command {
            other_s += seconds;
            continue;
        }
        let truth: Vec<&str> = entry.transcript.split_whitespace().collect();
        let words: Vec<&str> = best.split_whitespace().collect();
        let best_right = words == truth;
        examples.extend(evidence.map(|evidence| Example { evidence, said: best_right, talk: false }));
        let found = if accepted { words.as_slice() } else { &[] };
        let right = found == truth;
        scored.push(Scored {
            voice: entry.speaker,
            condition: entry.condition,
            right,
            best_right,
            confidence,
            errors: edit_distance(&truth, found),
            words: truth.len(),
        });
        if !right {
            let file = entry.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            mistakes.push(Mistake { file, said: entry.transcript, heard: best, confidence, accepted });
        }
    }
    delays.sort_by(f64::total_cmp);
    let all = figures_of("all", scored.iter());
    Ok(SpeechFigures {
        utterances: all.utterances,
        sentence_accuracy: all.sentence_accuracy,
        sentence_accuracy_unrefused: all.sentence_accuracy_unrefused,
        wer: all.wer,
        false_accepts_per_hour: (other_s > 0.0).then(|| false_accepts as f64 / (other_s / 3600.0)),
        other_hours: other_s / 3600.0,
        rtf: work_s / f64::max(heard_s, 1e-9),
        latency_ms: delays.get(delays.len() * 95 / 100).copied().unwrap_or_default(),
        confidence: recogniser.settings().min_confidence,
        provider: recogniser.provider().to_owned(),
        per_condition: grouped(&scored, |scored| &scored.condition),
        per_voice: grouped(&scored, |scored| &scored.voice),
        operating_points: operating_points(&scored, &mistaken, other_s / 3600.0),
        mistakes,
        examples,
    })
}

/// `mistaken`: the confidence of the best phrase in each utterance that is no command; `hours` of such sounds.
fn operating_points(scored: &[Scored], mistaken: &[f32], hours: f64) -> Vec<OperatingPoint> {
    (1..20)
        .map(|twentieths| {
            let confidence = twentieths as f32 / 20.0;
            let right = scored.iter().filter(|item| item.best_right && item.confidence >= confidence).count();
            let wrong = mistaken.iter().filter(|found| **found >= confidence).count();
            OperatingPoint {
                confidence,
                sentence_accuracy: right as f64 / scored.len().max(1) as f64,
                false_accepts_per_hour: (hours > 0.0).then(|| wrong as f64 / hours),
            }
        })
        .collect()
}

fn grouped(scored: &[Scored], key: impl Fn(&Scored) -> &String) -> Vec<GroupFigures> {
    let mut groups: BTreeMap<&str, Vec<&Scored>> = BTreeMap::new();
    for item in scored {
        groups.entry(key(item)).or_default().push(item);
    }
    groups.into_iter().map(|(name, items)| figures_of(name, items.into_iter())).collect()
}

fn figures_of<'a>(name: &str, scored: impl Iterator<Item = &'a Scored>) -> GroupFigures {
    let (mut utterances, mut right, mut best_right, mut errors, mut words) =
        (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for item in scored {
        utterances += 1;
        best_right += usize::from(item.best_right);
        right += usize::from(item.right);
        errors += item.errors;
        words += item.words;
    }
    GroupFigures {
        name: name.to_owned(),
        utterances,
        sentence_accuracy: right as f64 / utterances.max(1) as f64,
        sentence_accuracy_unrefused: best_right as f64 / utterances.max(1) as f64,
        wer: errors as f64 / words.max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(voice: &str, errors: usize, confidence: f32) -> Scored {
        Scored {
            voice: voice.into(),
            condition: "clean".into(),
            right: errors == 0,
            best_right: errors < 4,
            confidence,
            errors,
            words: 4,
        }
    }

    #[test]
    fn groups_are_scored_apart() {
        let scored = [item("a", 0, 0.9), item("a", 2, 0.9), item("b", 0, 0.9)];
        let groups = grouped(&scored, |scored| &scored.voice);
        assert_eq!(groups.len(), 2);
        assert_eq!((groups[0].utterances, groups[0].sentence_accuracy, groups[0].wer), (2, 0.5, 0.25));
        assert_eq!((groups[1].sentence_accuracy, groups[1].wer), (1.0, 0.0));
    }

    #[test]
    fn a_higher_threshold_refuses_more_of_both() {
        let scored = [item("a", 0, 0.82), item("a", 0, 0.42), item("a", 4, 0.92)];
        let points = operating_points(&scored, &[0.12, 0.62], 0.5);
        let at = |confidence: f32| {
            let point = points.iter().find(|point| (point.confidence - confidence).abs() < 1e-6).expect("a point");
            (point.sentence_accuracy, point.false_accepts_per_hour)
        };
        assert_eq!(at(0.1), (2.0 / 3.0, Some(4.0)));
        assert_eq!(at(0.5), (1.0 / 3.0, Some(2.0)));
        assert_eq!(at(0.7), (1.0 / 3.0, Some(0.0)));
        assert_eq!(operating_points(&scored, &[], 0.0)[0].false_accepts_per_hour, None);
    }
}
