//! One run of the speech model in named tensors: the same for play, for single files and for scores.
//!
//! In: samples, piece by piece; the model's outputs. Out: chunks of frames as the model takes them, then rows of log
//! probabilities and the state for the next chunk. Chunks overlap by the model's context, before the first sound is
//! silence, so that the answer does not depend on where the sound was cut.

use ndarray::{Array, ArrayD, IxDyn};

use super::{
    alignment::{Evidence, Judgement},
    decoder::DecoderSettings,
};
use crate::{
    inference::{NamedTensors, graph_builder::Dim, manifest::Manifest, tensor::TensorError},
    signal::log_mel::{BANDS, HOP, LogMel, MelFrame, SAMPLE_RATE, silent_frame},
};

/// The task that a model's manifest names if it can be used here.
pub const TASK: &str = "transcribe";

/// Confidence from which a phrase is a command, unless the model's manifest says otherwise.
const MIN_CONFIDENCE: f32 = 0.7;

/// The same where the speaker holds the talk key.
const MIN_CONFIDENCE_ADDRESSED: f32 = 0.2;

/// Name of [`Judgement::bias`] among a manifest's thresholds; the weights are known by [`Evidence::NAMES`].
pub const BIAS: &str = "confidence_bias";

/// From phone to phone in ordinary speech, seconds.
const PHONE_S: f32 = 0.069;

/// What the decoder must know of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeechSettings {
    /// Frames of a chunk that belong to the chunk before.
    pub context_frames: usize,
    /// Frames of one step.
    pub stride: usize,
    /// Confidence from which a phrase is a command.
    pub min_confidence: f32,
    /// The same where the speaker holds a key to say that it is one.
    pub min_confidence_addressed: f32,
    pub decoder: DecoderSettings,
}

impl SpeechSettings {
    /// As the manifest says, with defaults for what it leaves out.
    pub fn of(manifest: &Manifest) -> Self {
        let count = |name: &str, least: usize| manifest.number(name).map_or(least, |value| (value as usize).max(least));
        let threshold = |name: &str, default: f32| manifest.thresholds.get(name).copied().unwrap_or(default);
        let decoder = DecoderSettings::default();
        let stride = count("stride", 1);
        // All of a calibration or none of it: its numbers were fitted together.
        let judgement = manifest.thresholds.get(BIAS).map_or_else(Judgement::default, |bias| Judgement {
            bias: *bias,
            weights: Evidence::NAMES.map(|name| threshold(name, 0.0)),
        });
        Self {
            context_frames: count("context_frames", 0),
            stride,
            min_confidence: threshold("confidence", MIN_CONFIDENCE),
            min_confidence_addressed: threshold("addressed_confidence", MIN_CONFIDENCE_ADDRESSED),
            decoder: DecoderSettings {
                filler: threshold("filler", decoder.filler),
                phone_bonus: threshold("phone_bonus", decoder.phone_bonus),
                steps_per_phone: PHONE_S / seconds_per_step(stride) as f32,
                judgement,
                ..decoder
            },
        }
    }

    /// Confidence from which a phrase is a command.
    pub fn least(&self, addressed: bool) -> f32 {
        if addressed { self.min_confidence_addressed } else { self.min_confidence }
    }

    /// Seconds of one step.
    pub fn seconds_per_step(&self) -> f64 {
        seconds_per_step(self.stride)
    }
}

fn seconds_per_step(stride: usize) -> f64 {
    (stride * HOP) as f64 / SAMPLE_RATE as f64
}

/// Cuts the sound of one utterance into chunks for the model.
pub struct Chunks {
    mel: LogMel,
    /// The context of the next chunk, then frames that were in none.
    frames: Vec<MelFrame>,
    context: usize,
    stride: usize,
}

impl Chunks {
    pub fn new(settings: &SpeechSettings) -> Self {
        let SpeechSettings { context_frames: context, stride, .. } = *settings;
        Self { mel: LogMel::new(), frames: vec![silent_frame(); context], context, stride }
    }

    /// Takes the next samples, 16 kHz.
    pub fn push(&mut self, samples: &[f32]) {
        self.frames.extend(self.mel.push(samples));
    }

    /// The utterance has ended: silence follows, so that the model sees its last sound from both sides.
    pub fn finish(&mut self) {
        let missing = (self.frames.len().saturating_sub(self.context)).next_multiple_of(self.stride) + self.context;
        let length = missing + self.context.next_multiple_of(self.stride);
        self.frames.resize(length, silent_frame());
    }

    /// Whether a chunk of at least so many steps is there.
    pub fn has_steps(&self, steps: usize) -> bool {
        self.frames.len() >= self.context + steps.max(1) * self.stride
    }

    /// The next chunk of whole steps, at most so many; `None` if there is not one.
    pub fn take(&mut self, max_steps: usize) -> Option<Vec<MelFrame>> {
        let steps = (self.frames.len().saturating_sub(self.context) / self.stride).min(max_steps);
        if steps == 0 {
            return None;
        }
        let chunk = self.frames[..self.context + steps * self.stride].to_vec();
        self.frames.drain(..steps * self.stride);
        Some(chunk)
    }

    /// Sound that was in no chunk yet, seconds.
    pub fn pending_seconds(&self) -> f64 {
        (self.frames.len().saturating_sub(self.context) * HOP) as f64 / SAMPLE_RATE as f64
    }
}

/// A chunk as the model's inputs; without a state the utterance begins.
pub fn encode(chunk: &[MelFrame], state: Option<ArrayD<f32>>, manifest: &Manifest) -> NamedTensors {
    let values: Vec<f32> = chunk.iter().flatten().copied().collect();
    let features = Array::from_shape_vec((1, chunk.len(), BANDS), values).unwrap_or_default();
    let zeros = || {
        let spec = manifest.inputs.iter().find(|spec| spec.name == "state")?;
        let extent = |dim: &Dim| if let Dim::Fixed(extent) = dim { *extent } else { 1 };
        Some(ArrayD::zeros(IxDyn(&spec.shape.iter().map(extent).collect::<Vec<_>>())))
    };
    let tensors = NamedTensors::new().with("features", features);
    match state.or_else(zeros) {
        Some(state) => tensors.with("state", state),
        None => tensors,
    }
}

/// Rows of log probabilities, and the state for the next chunk.
///
/// # Errors
/// - an output is missing or is no `f32` tensor
pub fn decode(outputs: &NamedTensors) -> Result<(Vec<f32>, ArrayD<f32>), TensorError> {
    let rows = outputs.f32("log_probs")?.iter().copied().collect();
    Ok((rows, outputs.f32("state_out")?.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SpeechSettings {
        let decoder = DecoderSettings::default();
        SpeechSettings { context_frames: 6, stride: 4, min_confidence: 0.5, min_confidence_addressed: 0.2, decoder }
    }

    #[test]
    fn chunks_overlap_by_the_context_and_lose_no_frame() {
        let samples: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        let mut whole = Chunks::new(&settings());
        whole.push(&samples);
        whole.finish();
        let all = whole.take(usize::MAX).unwrap();
        let mut chunks = Chunks::new(&settings());
        let mut joined = vec![silent_frame(); 6];
        let mut add = |chunk: Vec<MelFrame>| {
            assert_eq!((chunk.len() - 6) % 4, 0);
            assert_eq!(chunk[..6], joined[joined.len() - 6..]);
            joined.extend(&chunk[6..]);
        };
        for piece in samples.chunks(777) {
            chunks.push(piece);
            if chunks.has_steps(3) {
                add(chunks.take(2).unwrap());
            }
        }
        chunks.finish();
        while let Some(chunk) = chunks.take(5) {
            add(chunk);
        }
        assert_eq!(joined, all);
        assert!(joined.len() >= 98 + 6 + 6, "silence follows the last of 98 frames");
    }
}
