//! What was heard: one utterance, understood as a command or not.

use bevy::prelude::Message;

use crate::base::Tick;

/// One utterance and what it was taken for.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Heard {
    /// Counts utterances from 0, as in [`Speech`](crate::sensors::Speech).
    pub utterance: u64,
    /// When the voice ended.
    pub tick: Tick,
    /// Begin and end of the voice, seconds since the ear opened its source.
    pub start_s: f64,
    pub end_s: f64,
    /// From the ear's `Ended` to this message, milliseconds.
    pub waited_ms: f64,
    /// The best command, if the utterance was one.
    pub command: Option<SpokenCommand>,
    /// The best phrase of the grammar, also where it was refused; empty where no phrase fits at all.
    pub text: String,
    /// 0 to 1: how much better the best phrase explains the sound than talk at large does.
    pub confidence: f32,
    /// The best phrase with another meaning, and its confidence.
    pub runner_up: Option<(String, f32)>,
}

/// A phrase of the grammar and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpokenCommand {
    /// The words as the grammar has them: `show me the teapot`.
    pub text: String,
    /// The action's name: `Find`.
    pub action: String,
    /// The action's words, slots filled in: `["teapot"]`.
    pub words: Vec<String>,
    /// Slot names and what filled them, in the phrase's order: `[("object", "teapot")]`.
    pub slots: Vec<(String, String)>,
}
