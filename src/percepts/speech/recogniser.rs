//! Hearing one utterance at a time and waiting for it: for commands, scores and tests. The same chunks, model and decoder
//! as in play, one after another.

use std::{sync::Arc, time::Instant};

use super::{
    decoder::{Candidate, Decoded, Decoder},
    grammar::PhoneGraph,
    request::{Chunks, SpeechSettings, TASK, decode, encode},
};
use crate::inference::{NamedTensors, RunError, session::ModelSession};

/// Steps of a chunk: long chunks cost least.
const STEPS: usize = 50;

/// A model and a grammar.
pub struct Recogniser {
    session: ModelSession,
    settings: SpeechSettings,
    decoder: Decoder,
}

/// What one utterance was taken for.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    pub decoded: Decoded,
    /// Whether the best phrase is believed.
    pub accepted: bool,
    /// Features, model and decoder, milliseconds.
    pub ms: f64,
}

impl Recognised {
    /// The best phrase, if it is believed.
    pub fn command(&self) -> Option<&Candidate> {
        self.decoded.best.as_ref().filter(|_| self.accepted)
    }
}

impl Recogniser {
    /// # Errors
    /// - the model is none for speech
    pub fn new(session: ModelSession, graph: Arc<PhoneGraph>) -> anyhow::Result<Self> {
        let manifest = session.manifest();
        anyhow::ensure!(manifest.task == TASK, "the model's task is {:?}, not {TASK:?}", manifest.task);
        let settings = SpeechSettings::of(manifest);
        Ok(Self { session, settings, decoder: Decoder::new(graph, settings.decoder) })
    }

    pub fn settings(&self) -> &SpeechSettings {
        &self.settings
    }

    /// Which provider runs the model.
    pub fn provider(&self) -> &str {
        self.session.assignment().provider()
    }

    /// Hears other phrases from now on.
    pub fn set_grammar(&mut self, graph: Arc<PhoneGraph>) {
        self.decoder = Decoder::new(graph, self.settings.decoder);
    }

    /// Judges by other thresholds than the model's own, for tuning.
    pub fn set_settings(&mut self, settings: SpeechSettings, graph: Arc<PhoneGraph>) {
        self.settings = settings;
        self.set_grammar(graph);
    }

    /// Log probabilities of a whole utterance, 16 kHz, in rows of [`OUTPUTS`](super::super::phones::OUTPUTS).
    ///
    /// # Errors
    /// - the model fails
    pub fn posteriors(&mut self, samples: &[f32]) -> Result<Vec<f32>, RunError> {
        let mut chunks = Chunks::new(&self.settings);
        chunks.push(samples);
        chunks.finish();
        let (mut rows, mut state) = (Vec::new(), None);
        while let Some(chunk) = chunks.take(STEPS) {
            let inputs: NamedTensors = encode(&chunk, state.take(), self.session.manifest());
            let outputs = self.session.run(&inputs)?;
            let (more, next) = decode(&outputs).map_err(|error| RunError::Runtime(error.to_string()))?;
            rows.extend(more);
            state = Some(next);
        }
        Ok(rows)
    }

    /// What rows of log probabilities were.
    pub fn decode(&mut self, rows: &[f32]) -> Decoded {
        self.decoder.reset();
        self.decoder.push(rows);
        self.decoder.decoded()
    }

    /// Hears one utterance, 16 kHz, silence around it included.
    ///
    /// # Errors
    /// - the model fails
    pub fn hear(&mut self, samples: &[f32]) -> Result<Recognised, RunError> {
        self.hear_as(samples, false)
    }

    /// The same; `addressed`: the speaker holds the talk key, so that doubt weighs less.
    ///
    /// # Errors
    /// - as [`Recogniser::hear`]
    pub fn hear_as(&mut self, samples: &[f32], addressed: bool) -> Result<Recognised, RunError> {
        let begun = Instant::now();
        let rows = self.posteriors(samples)?;
        let decoded = self.decode(&rows);
        let accepted = decoded.best.as_ref().is_some_and(|best| best.confidence >= self.settings.least(addressed));
        Ok(Recognised { decoded, accepted, ms: begun.elapsed().as_secs_f64() * 1e3 })
    }
}
