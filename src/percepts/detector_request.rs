//! One run of the detector model in named tensors: the same for live recognition, single pictures, scores and benches.
//!
//! In: a picture and the model's manifest, then the model's outputs. Out: tensors, then detections. The pixels' side of it
//! is `detector`; this file knows only names and shapes.

use image::RgbImage;
use ndarray::Array;

use super::{
    Detection,
    detector::{self, decode as decode_values},
};
use crate::{
    inference::{NamedTensors, graph_builder::Dim, manifest::Manifest, tensor::TensorError},
    signal::Letterbox,
};

/// Confidence below which a detection is not reported, unless the model's manifest says otherwise.
const MIN_CONFIDENCE: f32 = 0.4;

/// The model's square frame side in pixels, from the shape `[1, side, side, 3]` of its input; 0 if that is not its shape.
pub fn frame_side(manifest: &Manifest) -> usize {
    match manifest.inputs.first().map(|input| input.shape.as_slice()) {
        Some(&[_, Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(3)]) if height == width => width,
        _ => 0,
    }
}

/// The confidence from which a detection is reported.
pub fn min_confidence(manifest: &Manifest) -> f32 {
    manifest.thresholds.get("confidence").copied().unwrap_or(MIN_CONFIDENCE)
}

/// The picture as the model's input.
pub fn encode(picture: &RgbImage, manifest: &Manifest) -> NamedTensors {
    let side = frame_side(manifest);
    let (bytes, _) = detector::encode(picture, side);
    match Array::from_shape_vec([1, side, side, 3], bytes.into_owned()) {
        Ok(frame) => NamedTensors::new().with(manifest.inputs[0].name.clone(), frame),
        // The session then refuses the request by naming the input that it lacks.
        Err(_) => NamedTensors::new(),
    }
}

/// The model's outputs with at least `min_score` as detections in a picture of `size` (width, height) pixels.
///
/// # Errors
/// - an output is missing or is no `f32` tensor
pub fn decode(
    outputs: &NamedTensors,
    manifest: &Manifest,
    size: [u32; 2],
    min_score: f32,
) -> Result<Vec<Detection>, TensorError> {
    let (boxes, scores) = (outputs.f32("boxes")?.as_standard_layout(), outputs.f32("scores")?.as_standard_layout());
    let side = frame_side(manifest);
    let letterbox = Letterbox::fit(size.map(|side| side as usize), [side, side]);
    Ok(decode_values(
        boxes.as_slice().unwrap_or_default(),
        scores.as_slice().unwrap_or_default(),
        manifest.labels.len(),
        min_score,
        &letterbox,
        size,
    ))
}
