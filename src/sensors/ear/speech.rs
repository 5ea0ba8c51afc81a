//! What the ear passes on: the sound of one utterance, piece by piece, while it is being spoken.

use std::sync::Arc;

use bevy::prelude::Message;

use crate::base::Tick;

/// Samples per second of all sound that is listened to, one channel.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// One piece of one utterance. Pieces of an utterance come in order: one `Began`, any number of `Sound`, then one `Ended` or
/// `Broken`; utterances do not overlap.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Speech {
    /// Counts utterances from 0.
    pub utterance: u64,
    pub part: SpeechPart,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SpeechPart {
    /// A voice was heard; the sound that follows starts a little before (pre-roll).
    Began {
        tick: Tick,
        /// Where the sound starts, seconds since the ear opened its source.
        at_s: f64,
        /// Whether the speaker holds the talk key: then it is meant for the ear, and doubt weighs less.
        addressed: bool,
    },
    /// Samples at [`SAMPLE_RATE_HZ`], −1 to 1.
    Sound(Arc<[f32]>),
    /// Silence followed, or the talk key was let go.
    Ended {
        tick: Tick,
        /// Where the voice ended (before the silence that told so), seconds since the ear opened its source.
        at_s: f64,
    },
    /// The source went away, or sound was lost: what was said is not known.
    Broken { reason: String },
}
