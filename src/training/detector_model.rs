//! A trained detector as a model folder: graph, manifest, card.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::{
    detector_export::{BOXES, INPUT, SCORES, export_detector},
    detector_net::{DetectorNet, cells},
    model_files::write_model,
};
use crate::{
    base::{Seed, sha256_hex},
    inference::{
        manifest::{FORMAT, Manifest, Setting, TensorSpec},
        onnx_file::ElementType,
    },
};

/// Side of the pictures that the shipped graph takes, pixels.
pub const SIDE: usize = 320;

/// A run that takes longer is given up, milliseconds: fifty times what one CPU core needs.
const DEADLINE_MS: u64 = 2000;

/// What the manifest and the card say beside the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorFacts {
    /// Names of the classes in the order of the outputs.
    pub labels: Vec<String>,
    /// The confidence from which a detection is shown.
    pub confidence: f32,
    pub seed: Seed,
    /// The card's text.
    pub card: String,
}

/// Writes `model.onnx`, `model.ron` and `CARD.md` into `folder`; each file replaces its elder as a whole.
///
/// # Errors
/// - the folder cannot be made or written
pub fn write_detector<B: Backend>(folder: &Path, net: &DetectorNet<B>, facts: &DetectorFacts) -> anyhow::Result<()> {
    let classes = facts.labels.len();
    let bytes = export_detector(net, classes, SIDE).to_bytes();
    let spec = |name: &str, element, shape: &[usize]| TensorSpec {
        name: name.to_owned(),
        element,
        shape: shape.iter().map(|&extent| extent.into()).collect(),
    };
    let count = cells(SIDE, SIDE).len();
    let manifest = Manifest {
        format: FORMAT,
        name: "detector".into(),
        task: "detect".into(),
        inputs: vec![spec(INPUT, ElementType::U8, &[1, SIDE, SIDE, 3])],
        outputs: vec![
            spec(BOXES, ElementType::F32, &[1, count, 4]),
            spec(SCORES, ElementType::F32, &[1, count, classes]),
        ],
        preprocessing: [("layout".to_owned(), Setting::Text("rgb".into()))].into(),
        labels: facts.labels.clone(),
        thresholds: [("confidence".to_owned(), facts.confidence)].into(),
        sha256: sha256_hex(&bytes),
        licence: "MIT".into(),
        seed: facts.seed.0,
        deadline_ms: Some(DEADLINE_MS),
    };
    write_model(folder, &bytes, &manifest, &facts.card)
}
