//! How wrong the detector is, as one differentiable number.
//!
//! In: raw answers of a batch and the targets that [`assign`] chose for them. Out: class loss (binary cross-entropy
//! against soft scores) + box loss (distance IoU) + distance loss (cross-entropy of the distributions), each per unit of
//! target score, in the proportion 2 : 7.5 : 1.5. (The YOLO family gives classes a half. Rendered things have clean edges:
//! boxes are learnt first, and names, of which there are many, need the greater share.)
//!
//! Sources: Zheng et al., "Distance-IoU Loss", AAAI 2020; Li et al., "Generalized Focal Loss", NeurIPS 2020.

use std::thread;

use burn::tensor::{DType, Int, Tensor, TensorData, activation, backend::Backend};

use super::{
    ahead::spare_threads,
    assignment::{Assignment, assign},
    detector_net::{Cell, DISTANCE_BINS, RawAnswers},
};
use crate::signal::TrueBox;

const CLASS_GAIN: f64 = 2.0;
const BOX_GAIN: f64 = 7.5;
const DISTANCE_GAIN: f64 = 1.5;

/// Losses are told per unit of target score; the mean score of answering cells is taken to be at least this.
const LEAST_MEAN_SCORE: f32 = 0.1;

/// Chooses the targets of a batch by what the network says now.
pub fn assign_batch<B: Backend>(answers: &RawAnswers<B>, cells: &[Cell], truths: &[Vec<TrueBox>]) -> Vec<Assignment> {
    let classes = answers.classes.dims()[2];
    let class_logits = to_f32(answers.classes.clone().into_data());
    let distance_logits = to_f32(answers.distances.clone().into_data());
    let one = |picture: usize| {
        let (n, d) = (cells.len() * classes, cells.len() * 4 * DISTANCE_BINS);
        assign(
            cells,
            &class_logits[picture * n..][..n],
            &distance_logits[picture * d..][..d],
            &truths[picture],
            classes,
        )
    };
    let workers = spare_threads().min(truths.len().div_ceil(8));
    if workers <= 1 {
        return (0..truths.len()).map(one).collect();
    }
    let share = truths.len().div_ceil(workers);
    thread::scope(|scope| {
        let shares: Vec<_> = (0..truths.len())
            .step_by(share)
            .map(|start| {
                let one = &one;
                scope.spawn(move || (start..(start + share).min(truths.len())).map(one).collect::<Vec<_>>())
            })
            .collect();
        shares.into_iter().flat_map(|share| share.join().expect("assigning does not panic")).collect()
    })
}

/// All elements as f32, whatever float type the backend keeps them in.
fn to_f32(data: TensorData) -> Vec<f32> {
    match data.dtype {
        DType::F32 => data.into_vec().expect("the type was asked for"),
        _ => data.iter::<f32>().collect(),
    }
}

/// The loss of a batch, a single number.
pub fn detector_loss<B: Backend>(answers: RawAnswers<B>, cells: &[Cell], assignments: &[Assignment]) -> Tensor<B, 1> {
    let device = answers.classes.device();
    let [batch, cell_count, classes] = answers.classes.dims();

    let mut wanted_scores = vec![0.0_f32; batch * cell_count * classes];
    let mut asked = vec![1.0_f32; batch * cell_count];
    let mut rows = Vec::<i64>::new();
    let mut wanted_distances = Vec::<f32>::new();
    let mut wanted_bins = Vec::<f32>::new();
    let mut weights = Vec::<f32>::new();
    for (picture, assignment) in assignments.iter().enumerate() {
        for &cell in &assignment.excused {
            asked[picture * cell_count + cell] = 0.0;
        }
        for target in &assignment.targets {
            let row = picture * cell_count + target.cell;
            wanted_scores[row * classes + target.class] = target.score;
            rows.push(row as i64);
            weights.push(target.score);
            for distance in target.distances {
                wanted_distances.push(distance);
                let low = distance as usize;
                let rest = distance - low as f32;
                let mut bins = [0.0; DISTANCE_BINS];
                bins[low] = 1.0 - rest;
                bins[low + 1] = rest;
                wanted_bins.extend(bins);
            }
        }
    }
    debug_assert_eq!(cells.len(), cell_count);
    // Early on the network is sure of nothing and the scores are tiny: the floor keeps the first gradients in proportion.
    let floor = (LEAST_MEAN_SCORE * weights.len() as f32).max(1.0);
    let total_score = f64::from(weights.iter().sum::<f32>().max(floor));

    let wanted_scores =
        Tensor::<B, 2>::from_data(TensorData::new(wanted_scores, [batch * cell_count, classes]), &device);
    let asked = Tensor::<B, 2>::from_data(TensorData::new(asked, [batch * cell_count, 1]), &device);
    let logits = answers.classes.reshape([batch * cell_count, classes]);
    // −log σ(x) + (1 − t) x: cross-entropy against t, stable for large |x|.
    let entropy = (wanted_scores.neg().add_scalar(1.0) * logits.clone()) - activation::log_sigmoid(logits);
    let class_loss = (entropy * asked).sum() / total_score;

    let count = rows.len();
    if count == 0 {
        return class_loss * CLASS_GAIN;
    }
    let rows = Tensor::<B, 1, Int>::from_data(TensorData::new(rows, [count]), &device);
    let weights = Tensor::<B, 2>::from_data(TensorData::new(weights, [count, 1]), &device);
    let wanted_bins = Tensor::<B, 3>::from_data(TensorData::new(wanted_bins, [count, 4, DISTANCE_BINS]), &device);
    let wanted = Tensor::<B, 2>::from_data(TensorData::new(wanted_distances, [count, 4]), &device);

    let logits = answers.distances.reshape([batch * cell_count, 4 * DISTANCE_BINS]).select(0, rows).reshape([
        count,
        4,
        DISTANCE_BINS,
    ]);
    let log_bins = activation::log_softmax(logits, 2);
    let distance_loss =
        (wanted_bins * log_bins.clone()).sum_dim(2).reshape([count, 4]).mean_dim(1).neg().mul(weights.clone()).sum();
    let steps = Tensor::<B, 1, Int>::arange(0..DISTANCE_BINS as i64, &device).float().reshape([1, 1, DISTANCE_BINS]);
    let told = (log_bins.exp() * steps).sum_dim(2).reshape([count, 4]);
    let box_loss = (distance_iou(told, wanted).neg().add_scalar(1.0) * weights).sum();

    class_loss * CLASS_GAIN + box_loss * (BOX_GAIN / total_score) + distance_loss * (DISTANCE_GAIN / total_score)
}

/// IoU less the squared distance of the centres over the squared diagonal of the hull, of boxes told as distances
/// (left, top, right, bottom) from one point; `[boxes, 4]` to `[boxes, 1]`.
fn distance_iou<B: Backend>(a: Tensor<B, 2>, b: Tensor<B, 2>) -> Tensor<B, 2> {
    let side = |t: &Tensor<B, 2>, i: usize| t.clone().narrow(1, i, 1);
    let area = |t: &Tensor<B, 2>| (side(t, 0) + side(t, 2)) * (side(t, 1) + side(t, 3));
    // min(a, b) and max(a, b) by |a − b|, which every backend differentiates.
    let sum = a.clone() + b.clone();
    let difference = (a.clone() - b.clone()).abs();
    let inner = (sum.clone() - difference.clone()) * 0.5;
    let outer = (sum + difference) * 0.5;
    // Both boxes hold the common point, so all inner sides are positive.
    let intersection = area(&inner);
    let union = area(&a) + area(&b) - intersection.clone();
    let iou = intersection / union.add_scalar(1e-7);
    let diagonal =
        (side(&outer, 0) + side(&outer, 2)).powi_scalar(2) + (side(&outer, 1) + side(&outer, 3)).powi_scalar(2);
    let offset = |i: usize, j: usize| (side(&a, j) - side(&a, i) - side(&b, j) + side(&b, i)) * 0.5;
    let distance = offset(0, 2).powi_scalar(2) + offset(1, 3).powi_scalar(2);
    iou - distance / diagonal.add_scalar(1e-7)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    #[test]
    fn distance_iou_of_known_boxes() {
        let device = Default::default();
        // Boxes [−1, 1]² and [0, 2] × [−1, 1], seen from (0.5, 0): IoU 1/3, centres 1 apart, hull diagonal² 13.
        let a = Tensor::<Flex, 2>::from_floats([[1.5, 1.0, 0.5, 1.0], [1.0, 1.0, 1.0, 1.0]], &device);
        let b = Tensor::<Flex, 2>::from_floats([[0.5, 1.0, 1.5, 1.0], [1.0, 1.0, 1.0, 1.0]], &device);
        let values = distance_iou(a, b).into_data().to_vec::<f32>().unwrap();
        assert!((values[0] - (1.0 / 3.0 - 1.0 / 13.0)).abs() < 1e-5, "{values:?}");
        assert!((values[1] - 1.0).abs() < 1e-5, "{values:?}");
    }
}
