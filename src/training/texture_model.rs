//! A trained generator of textures as a model folder: graph, manifest, card.

use std::path::Path;

use super::{
    backend::TrainingBackend,
    model_files::write_model,
    texture_export::{OUTPUTS, export_texture, inputs},
    texture_net::{CELL, Generator, TextureShape},
    texture_photos::MATERIALS,
};
use crate::{
    base::{Seed, sha256_hex},
    inference::{
        graph_builder::Dim,
        manifest::{FORMAT, Manifest, Setting, TensorSpec},
        onnx_file::ElementType,
    },
};

/// A run that takes longer is given up, milliseconds: 512×512 on a busy core, many times over.
const DEADLINE_MS: u64 = 10_000;

/// Writes `model.onnx`, `model.ron` and `CARD.md` into `folder`; each file replaces its elder as a whole.
///
/// # Errors
/// - the folder cannot be made or written
pub fn write_texture<B: TrainingBackend>(
    folder: &Path,
    net: &Generator<B>,
    shape: &TextureShape,
    seed: Seed,
    card: &str,
) -> anyhow::Result<()> {
    let bytes = export_texture(net, shape).to_bytes();
    let spec = |name: &str, shape: Vec<Dim>| TensorSpec { name: name.to_owned(), element: ElementType::F32, shape };
    let numbers =
        |of: fn(&super::texture_photos::Material) -> f64| Setting::Numbers(MATERIALS.iter().map(of).collect());
    let manifest = Manifest {
        format: FORMAT,
        name: "texture".into(),
        task: "dream".into(),
        inputs: inputs(shape).into_iter().map(|(name, dims)| spec(name, dims)).collect(),
        outputs: OUTPUTS
            .iter()
            .map(|&(name, channels)| {
                let sides = ["rows", "columns"].map(|side| Dim::Named(side.to_owned()));
                spec(name, [vec![1.into(), channels.into()], sides.into()].concat())
            })
            .collect(),
        preprocessing: [
            ("cell".to_owned(), Setting::Number(CELL as f64)),
            ("relief".to_owned(), numbers(|material| material.relief)),
            ("extent_m".to_owned(), numbers(|material| material.extent_m)),
        ]
        .into(),
        labels: MATERIALS.iter().map(|material| material.name.to_owned()).collect(),
        thresholds: [].into(),
        sha256: sha256_hex(&bytes),
        licence: "MIT".into(),
        seed: seed.0,
        deadline_ms: Some(DEADLINE_MS),
    };
    write_model(folder, &bytes, &manifest, card)
}
