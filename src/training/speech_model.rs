//! A trained speech model as a model folder: graph, manifest, card.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::{
    model_files::write_model,
    speech_export::{FEATURES, LOG_PROBS, STATE, STATE_OUT, export_speech},
    speech_net::{CONTEXT, STRIDE, SpeechNet},
};
use crate::{
    base::{Seed, sha256_hex},
    inference::{
        graph_builder::Dim,
        manifest::{FORMAT, Manifest, Setting, TensorSpec},
        onnx_file::ElementType,
    },
    percepts::phones::{OUTPUTS, PHONES},
    signal::log_mel::{BANDS, HOP, SAMPLE_RATE},
};

/// A run that takes longer is given up, milliseconds: far more than what an utterance of ten seconds needs.
const DEADLINE_MS: u64 = 2000;

/// Writes `model.onnx`, `model.ron` and `CARD.md` into `folder`; each file replaces its elder as a whole.
///
/// # Errors
/// - the folder cannot be made or written
pub fn write_speech<B: Backend>(
    folder: &Path,
    net: &SpeechNet<B>,
    thresholds: &[(&str, f32)],
    seed: Seed,
    card: &str,
) -> anyhow::Result<()> {
    let bytes = export_speech(net).to_bytes();
    let spec = |name: &str, shape: &[Dim]| TensorSpec {
        name: name.to_owned(),
        element: ElementType::F32,
        shape: shape.to_vec(),
    };
    let state = [net.recurrent.len().into(), 1.into(), net.recurrent[0].hidden.into()];
    let number = |name: &str, value: usize| (name.to_owned(), Setting::Number(value as f64));
    let manifest = Manifest {
        format: FORMAT,
        name: "speech".into(),
        task: "transcribe".into(),
        inputs: vec![spec(FEATURES, &[1.into(), "frames".into(), BANDS.into()]), spec(STATE, &state)],
        outputs: vec![spec(LOG_PROBS, &[1.into(), "steps".into(), OUTPUTS.into()]), spec(STATE_OUT, &state)],
        preprocessing: [
            number("sample_rate", SAMPLE_RATE),
            number("hop", HOP),
            number("context_frames", CONTEXT),
            number("stride", STRIDE),
        ]
        .into(),
        labels: std::iter::once("blank").chain(PHONES).map(str::to_owned).collect(),
        thresholds: thresholds.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        sha256: sha256_hex(&bytes),
        licence: "MIT".into(),
        seed: seed.0,
        deadline_ms: Some(DEADLINE_MS),
    };
    write_model(folder, &bytes, &manifest, card)
}
