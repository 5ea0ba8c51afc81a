//! Very small models, made on the spot: for finding out which provider works, and for tests.

use super::{
    graph_builder::{Dim, GraphBuilder},
    manifest::{FORMAT, Manifest, TensorSpec},
    model_folder::CheckedModel,
    onnx_file::{AttributeProto, ElementType, ModelProto},
};
use crate::base::sha256_hex;

/// A 3×3 convolution over one channel that changes nothing: `y` = `x`, both f32\[1, 1, 8, 8\]. Every provider has this
/// operator.
pub fn identity_convolution() -> CheckedModel {
    let shape = || [1, 1, 8, 8].map(Dim::Fixed);
    let mut graph = GraphBuilder::new("identity");
    let x = graph.input("x", ElementType::F32, shape());
    let weights = graph.weights_f32("weights", [1, 1, 3, 3], &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    let y = graph.node_named("Conv", [&x, &weights], ["y"], [AttributeProto::ints("pads", [1, 1, 1, 1])]);
    graph.output(&y[0], ElementType::F32, shape());
    with_manifest("identity", &graph.finish(), [("x", shape().to_vec())], [("y", shape().to_vec())])
}

/// A model with a manifest that fits it; all inputs and outputs are f32.
pub fn with_manifest<'a>(
    name: &str,
    model: &ModelProto,
    inputs: impl IntoIterator<Item = (&'a str, Vec<Dim>)>,
    outputs: impl IntoIterator<Item = (&'a str, Vec<Dim>)>,
) -> CheckedModel {
    let bytes = model.to_bytes();
    let spec = |(name, shape): (&str, Vec<Dim>)| TensorSpec { name: name.into(), element: ElementType::F32, shape };
    let manifest = Manifest {
        format: FORMAT,
        name: name.to_owned(),
        task: "test".to_owned(),
        inputs: inputs.into_iter().map(spec).collect(),
        outputs: outputs.into_iter().map(spec).collect(),
        preprocessing: Default::default(),
        labels: Vec::new(),
        thresholds: Default::default(),
        sha256: sha256_hex(&bytes),
        licence: "MIT".to_owned(),
        seed: 0,
        deadline_ms: None,
    };
    CheckedModel { manifest, bytes }
}
