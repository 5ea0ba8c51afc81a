//! The speech model on sounds one after another, and its figures on folders of speech.
//!
//! In: a loaded model, sounds with what was said in them, a way to read the model's outputs. Out: figures.

use std::{collections::BTreeMap, time::Instant};

use ndarray::{Array2, Array3};
use serde::Serialize;
use thiserror::Error;

use crate::{
    dataset::{
        DatasetError,
        speech::{SpokenEntry, read_sound},
    },
    inference::{NamedTensors, RunError, graph_builder::Dim, session::ModelSession, tensor::TensorError},
    percepts::phones::OUTPUTS,
    signal::{
        edit_distance::edit_distance,
        log_mel::{BANDS, LogMel, MelFrame, SAMPLE_RATE, silent_frame},
    },
};

/// Samples that reach the model at once, as in play: 80 ms.
const PIECE: usize = SAMPLE_RATE * 8 / 100;

/// A speech model, run while the caller waits.
pub struct SpeechModel {
    session: ModelSession,
    context: usize,
    stride: usize,
    state: [usize; 3],
}

/// Why a sound was not listened to.
#[derive(Debug, Error)]
pub enum SpeechError {
    #[error("the model is no speech model: {0}")]
    NoSpeech(String),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Answer(#[from] TensorError),
    #[error(transparent)]
    Data(#[from] DatasetError),
}

impl SpeechModel {
    /// Wraps a loaded model.
    ///
    /// # Errors
    /// - [`SpeechError::NoSpeech`]: its task, its inputs or its strides are not a speech model's
    pub fn new(session: ModelSession) -> Result<Self, SpeechError> {
        let manifest = session.manifest();
        if manifest.task != "transcribe" {
            return Err(SpeechError::NoSpeech(format!("its task is {:?}", manifest.task)));
        }
        let setting = |name: &str| {
            let number = manifest.number(name).filter(|number| *number >= 1.0);
            number.map(|number| number as usize).ok_or_else(|| SpeechError::NoSpeech(format!("it tells no {name}")))
        };
        let (context, stride) = (setting("context_frames")?, setting("stride")?);
        let state = manifest.inputs.iter().find(|input| input.name == "state").map(|input| input.shape.as_slice());
        let Some(&[Dim::Fixed(layers), Dim::Fixed(1), Dim::Fixed(hidden)]) = state else {
            return Err(SpeechError::NoSpeech("its state is not [layers, 1, hidden]".into()));
        };
        Ok(Self { session, context, stride, state: [layers, 1, hidden] })
    }

    /// The provider that runs it.
    pub fn provider(&self) -> &str {
        self.session.assignment().provider()
    }

    /// A threshold of the manifest.
    pub fn threshold(&self, name: &str) -> Option<f32> {
        self.session.manifest().thresholds.get(name).copied()
    }

    /// Log probabilities of a whole sound, steps × outputs, given piece by piece as a microphone would.
    ///
    /// # Errors
    /// - [`SpeechError::Run`], [`SpeechError::Answer`]
    pub fn hear(&mut self, samples: &[f32]) -> Result<Array2<f32>, SpeechError> {
        let mut spectrum = LogMel::new();
        let mut frames: Vec<MelFrame> = vec![silent_frame(); self.context];
        let mut state = Array3::<f32>::zeros(self.state);
        let mut log_probs = Vec::new();
        for piece in samples.chunks(PIECE) {
            frames.extend(spectrum.push(piece));
            let steps = frames.len().saturating_sub(self.context) / self.stride;
            if steps == 0 {
                continue;
            }
            let count = self.context + steps * self.stride;
            let features = frames[..count].iter().flatten().copied().collect();
            let features = Array3::from_shape_vec([1, count, BANDS], features).expect("as many as counted");
            let outputs = self.session.run(&NamedTensors::new().with("features", features).with("state", state))?;
            log_probs.extend(outputs.f32("log_probs")?.iter());
            let next = outputs.f32("state_out")?.clone();
            state = next.into_dimensionality().map_err(|error| SpeechError::NoSpeech(error.to_string()))?;
            frames.drain(..steps * self.stride);
        }
        let steps = log_probs.len() / OUTPUTS;
        Ok(Array2::from_shape_vec([steps, OUTPUTS], log_probs).expect("whole steps"))
    }
}

/// What was made of one sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeardText {
    /// The best sentence, also where it was refused.
    pub text: String,
    /// Whether it was taken for a command.
    pub accepted: bool,
}

/// How good a speech model is on a folder of speech, with one grammar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpeechFigures {
    /// Sounds that are commands.
    pub utterances: usize,
    /// Share of them that were accepted as exactly what was said.
    pub sentence_accuracy: f64,
    /// Word errors per word, refused sentences read as nothing.
    pub wer: f64,
    /// Sounds that are no commands and were taken for one, per hour of such sounds; null where there are none.
    pub false_accepts_per_hour: Option<f64>,
    /// Hours of sounds that are no commands.
    pub other_hours: f64,
    /// Seconds of one core for a second of sound.
    pub rtf: f64,
    /// Milliseconds from the last samples of a sound to the answer, 95th percentile.
    pub latency_ms: f64,
    pub provider: String,
    pub per_condition: Vec<GroupFigures>,
    pub per_voice: Vec<GroupFigures>,
}

/// The same of some of the sounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupFigures {
    pub name: String,
    pub utterances: usize,
    pub sentence_accuracy: f64,
    pub wer: f64,
}

/// One scored sound that is a command.
struct Scored {
    voice: String,
    condition: String,
    right: bool,
    errors: usize,
    words: usize,
}

/// Scores the model on all entries. Entries without transcript are sounds that are no command. `read` is given the model's
/// log probabilities (steps × outputs).
///
/// # Errors
/// - [`SpeechError::Run`], [`SpeechError::Answer`], [`SpeechError::Data`]
pub fn score_speech(
    model: &mut SpeechModel,
    entries: &[SpokenEntry],
    mut read: impl FnMut(&Array2<f32>) -> HeardText,
    mut each: impl FnMut(&SpokenEntry, &HeardText),
) -> Result<SpeechFigures, SpeechError> {
    let mut scored = Vec::new();
    let (mut sound_s, mut other_s, mut work_s, mut false_accepts) = (0.0, 0.0, 0.0, 0);
    let mut latencies = Vec::new();
    for entry in entries {
        let samples = read_sound(&entry.path)?;
        let seconds = samples.len() as f64 / SAMPLE_RATE as f64;
        let started = Instant::now();
        let log_probs = model.hear(&samples)?;
        let heard_s = started.elapsed().as_secs_f64();
        let heard = read(&log_probs);
        let took_s = started.elapsed().as_secs_f64();
        work_s += took_s;
        sound_s += seconds;
        // In play all but the last piece is done while the voice still speaks.
        latencies.push(1e3 * (took_s - heard_s + heard_s * (PIECE as f64 / samples.len().max(PIECE) as f64)));
        each(entry, &heard);
        if entry.transcript.is_empty() {
            other_s += seconds;
            false_accepts += usize::from(heard.accepted);
            continue;
        }
        let truth: Vec<&str> = entry.transcript.split_whitespace().collect();
        let found: Vec<&str> = if heard.accepted { heard.text.split_whitespace().collect() } else { Vec::new() };
        scored.push(Scored {
            voice: entry.speaker.clone(),
            condition: entry.condition.clone(),
            right: truth == found,
            errors: edit_distance(&truth, &found),
            words: truth.len(),
        });
    }
    latencies.sort_by(f64::total_cmp);
    let all = figures_of("all", scored.iter());
    Ok(SpeechFigures {
        utterances: all.utterances,
        sentence_accuracy: all.sentence_accuracy,
        wer: all.wer,
        false_accepts_per_hour: (other_s > 0.0).then(|| false_accepts as f64 / (other_s / 3600.0)),
        other_hours: other_s / 3600.0,
        rtf: work_s / f64::max(sound_s, 1e-9),
        latency_ms: latencies.get(latencies.len() * 95 / 100).copied().unwrap_or_default(),
        provider: model.provider().to_owned(),
        per_condition: grouped(&scored, |scored| &scored.condition),
        per_voice: grouped(&scored, |scored| &scored.voice),
    })
}

fn grouped(scored: &[Scored], key: impl Fn(&Scored) -> &String) -> Vec<GroupFigures> {
    let mut groups: BTreeMap<&str, Vec<&Scored>> = BTreeMap::new();
    for item in scored {
        groups.entry(key(item)).or_default().push(item);
    }
    groups.into_iter().map(|(name, items)| figures_of(name, items.into_iter())).collect()
}

fn figures_of<'a>(name: &str, scored: impl Iterator<Item = &'a Scored>) -> GroupFigures {
    let (mut utterances, mut right, mut errors, mut words) = (0, 0, 0, 0);
    for item in scored {
        utterances += 1;
        right += usize::from(item.right);
        errors += item.errors;
        words += item.words;
    }
    GroupFigures {
        name: name.to_owned(),
        utterances,
        sentence_accuracy: right as f64 / utterances.max(1) as f64,
        wer: errors as f64 / words.max(1) as f64,
    }
}
