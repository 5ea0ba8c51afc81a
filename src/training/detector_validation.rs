//! Scores a network on frames while it is still a network of the training library.
//!
//! The shipped model is scored by `evaluation`, through ONNX Runtime; this is the quick look between epochs.

use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::{
    assignment::decode_box,
    backend::TrainingBackend,
    detector_net::{Cell, DISTANCE_BINS, DetectorNet, cells},
    frames::FrameSet,
};
use crate::signal::{DetectionScore, ScoredBox, TrueBox, logit, score_detections, sigmoid, suppress_overlaps};

/// Proposals below this score are not looked at.
const MIN_SCORE: f32 = 0.01;
/// Boxes of one class that overlap by more are one thing.
const MAX_OVERLAP: f32 = 0.6;
/// Proposals kept per frame.
const LIMIT: usize = 200;
/// Frames at once.
const BATCH: usize = 8;

/// Scores `net` on all of `frames`.
pub fn validate<B: TrainingBackend>(
    net: &DetectorNet<B>,
    frames: &FrameSet,
    classes: usize,
    device: &B::Device,
) -> DetectionScore {
    let cells = cells(frames.width, frames.height);
    let mut pictures = Vec::with_capacity(frames.len());
    for start in (0..frames.len()).step_by(BATCH) {
        let count = BATCH.min(frames.len() - start);
        let indices: Vec<usize> = (start..start + count).collect();
        let answers = net.forward(frames_to_tensor(frames, &indices, device));
        let class_logits: Vec<f32> = answers.classes.into_data().iter::<f32>().collect();
        let distance_logits: Vec<f32> = answers.distances.into_data().iter::<f32>().collect();
        let (n, d) = (cells.len() * classes, cells.len() * 4 * DISTANCE_BINS);
        for index in 0..count {
            let proposed =
                proposals(&cells, &class_logits[index * n..][..n], &distance_logits[index * d..][..d], classes);
            let truths: Vec<TrueBox> = frames.labels[start + index].iter().map(|label| label.to_truth()).collect();
            pictures.push((proposed, truths));
        }
    }
    score_detections(&pictures, classes)
}

/// Whole frames as the network takes them: `[batch, 3, height, width]`, 0 to 1.
pub fn frames_to_tensor<B: Backend>(frames: &FrameSet, indices: &[usize], device: &B::Device) -> Tensor<B, 4> {
    let pixels: Vec<f32> =
        indices.iter().flat_map(|&index| frames.frame(index)).map(|&value| f32::from(value) / 255.0).collect();
    let data = TensorData::new(pixels, [indices.len(), frames.height, frames.width, 3]);
    Tensor::<B, 4>::from_data(data, device).permute([0, 3, 1, 2])
}

/// What one picture's raw answers propose, thinned.
fn proposals(cells: &[Cell], class_logits: &[f32], distance_logits: &[f32], classes: usize) -> Vec<ScoredBox> {
    let min_logit = logit(MIN_SCORE);
    let mut boxes = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let logits = &class_logits[index * classes..][..classes];
        let mut region = None;
        for (class, &value) in logits.iter().enumerate().filter(|(_, value)| **value > min_logit) {
            let region = *region.get_or_insert_with(|| {
                decode_box(cell, &distance_logits[index * 4 * DISTANCE_BINS..][..4 * DISTANCE_BINS])
            });
            boxes.push(ScoredBox { class, score: sigmoid(value), region });
        }
    }
    suppress_overlaps(boxes, MAX_OVERLAP, LIMIT)
}
