//! Hearing commands: from the sound of an utterance to what was meant.
//!
//! | file | job |
//! |---|---|
//! | [`pronunciation`], [`letter_rules`], [`numbers`] | words into phones |
//! | [`grammar`], [`ambiguity`] | phrases into one graph over phones, and what sounds alike in it |
//! | [`decoder`] | the model's outputs, step by step, into the phrase that explains them best |
//! | [`alignment`] | a phrase laid over the sound: where it is and how credible |
//! | [`request`] | sound into the model's inputs, its outputs into rows |
//! | [`recogniser`] | all of it for one utterance, waiting for the model |
//!
//! Pure but for the last: values in, values out. Who hears while the world goes on is `hearing`.

pub mod alignment;
pub mod ambiguity;
pub mod decoder;
pub mod grammar;
pub mod letter_rules;
pub mod numbers;
pub mod pronunciation;
pub mod recogniser;
pub mod request;

pub use decoder::{Candidate, Decoded, Decoder, DecoderSettings};
pub use grammar::{CommandPhrase, GrammarProblem, GrammarSource, PhoneGraph, Word};
pub use recogniser::{Recognised, Recogniser};
pub use request::SpeechSettings;
