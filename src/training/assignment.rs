//! Which cells answer for which thing: task-aligned assignment.
//!
//! In: what the network says now (raw answers of one picture) and what is there. Out: for each cell that is to answer,
//! the box and how sure it should be; and the cells whose class answer is left alone.
//!
//! Source: Feng et al., "TOOD: Task-aligned One-stage Object Detection", ICCV 2021: cells inside a box are ranked by
//! score^½ · IoU^6, the best [`CELLS_PER_BOX`] answer, and the target score is the rank scaled to the best IoU.

use super::detector_net::{Cell, DISTANCE_BINS};
use crate::{
    base::PixelBox,
    signal::{TrueBox, sigmoid, softmax},
};

/// Cells that answer for one box.
pub const CELLS_PER_BOX: usize = 10;

/// What one cell should say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Index of the cell.
    pub cell: usize,
    pub class: usize,
    /// 0 to 1.
    pub score: f32,
    /// Left, top, right, bottom in cells of this cell's grid; within what the bins can tell.
    pub distances: [f32; 4],
}

/// Targets of one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    pub targets: Vec<Target>,
    /// Cells in ignored things that answer for nothing else: whether they see something there is not asked.
    pub excused: Vec<usize>,
}

/// `class_logits` is `cells × classes`, `distance_logits` is `cells × 4 · DISTANCE_BINS`.
pub fn assign(
    cells: &[Cell],
    class_logits: &[f32],
    distance_logits: &[f32],
    truths: &[TrueBox],
    classes: usize,
) -> Assignment {
    /// One cell's bid for one box.
    struct Bid {
        cell: usize,
        truth: usize,
        rank: f32,
        iou: f32,
    }

    let mut winners: Vec<Option<Bid>> = cells.iter().map(|_| None).collect();
    for (truth_index, truth) in truths.iter().enumerate().filter(|(_, truth)| !truth.ignored) {
        let mut bids: Vec<Bid> = cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| reachable(cell, &truth.region))
            .map(|(index, cell)| {
                let iou = decode_box(cell, &distance_logits[index * 4 * DISTANCE_BINS..][..4 * DISTANCE_BINS])
                    .iou(&truth.region);
                let score = sigmoid(class_logits[index * classes + truth.class]);
                Bid { cell: index, truth: truth_index, rank: score.sqrt() * iou.powi(6), iou }
            })
            .collect();
        bids.sort_by(|a, b| b.rank.total_cmp(&a.rank));
        bids.truncate(CELLS_PER_BOX);
        for bid in bids {
            let seat = &mut winners[bid.cell];
            if seat.as_ref().is_none_or(|other| bid.iou > other.iou) {
                *seat = Some(bid);
            }
        }
    }

    let mut best_rank = vec![0.0_f32; truths.len()];
    let mut best_iou = vec![0.0_f32; truths.len()];
    for bid in winners.iter().flatten() {
        best_rank[bid.truth] = best_rank[bid.truth].max(bid.rank);
        best_iou[bid.truth] = best_iou[bid.truth].max(bid.iou);
    }
    let excused = cells
        .iter()
        .enumerate()
        .filter(|(index, cell)| {
            winners[*index].is_none() && truths.iter().any(|t| t.ignored && contains(&t.region, cell.center))
        })
        .map(|(index, _)| index)
        .collect();
    let targets = winners
        .into_iter()
        .flatten()
        .map(|bid| Target {
            cell: bid.cell,
            class: truths[bid.truth].class,
            score: bid.rank / (best_rank[bid.truth] + 1e-9) * best_iou[bid.truth],
            distances: distances(&cells[bid.cell], &truths[bid.truth].region),
        })
        .collect();
    Assignment { targets, excused }
}

/// Whether the cell's centre lies in the box and its bins reach all four sides.
fn reachable(cell: &Cell, region: &PixelBox) -> bool {
    contains(region, cell.center)
        && distances_unbounded(cell, region).into_iter().all(|distance| distance < (DISTANCE_BINS - 1) as f32)
}

fn contains(region: &PixelBox, [x, y]: [f32; 2]) -> bool {
    x > region.x && y > region.y && x < region.x + region.width && y < region.y + region.height
}

fn distances_unbounded(cell: &Cell, region: &PixelBox) -> [f32; 4] {
    let [x, y] = cell.center;
    [x - region.x, y - region.y, region.x + region.width - x, region.y + region.height - y]
        .map(|pixels| pixels / cell.stride)
}

fn distances(cell: &Cell, region: &PixelBox) -> [f32; 4] {
    distances_unbounded(cell, region).map(|distance| distance.clamp(0.0, (DISTANCE_BINS - 1) as f32 - 0.01))
}

/// The box that a cell's distance logits tell: each side at the mean of its distribution.
pub fn decode_box(cell: &Cell, logits: &[f32]) -> PixelBox {
    let mut side = [0.0; 4];
    for (value, bins) in side.iter_mut().zip(logits.chunks_exact(DISTANCE_BINS)) {
        let mut bins: [f32; DISTANCE_BINS] = std::array::from_fn(|bin| bins[bin]);
        softmax(&mut bins);
        *value = bins.iter().enumerate().map(|(bin, p)| bin as f32 * p).sum::<f32>() * cell.stride;
    }
    let [left, top, right, bottom] = side;
    let [x, y] = cell.center;
    PixelBox { x: x - left, y: y - top, width: left + right, height: top + bottom }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::detector_net::cells;

    /// Distance logits that say exactly `region` in every cell that can.
    fn knowing(cells: &[Cell], region: &PixelBox) -> Vec<f32> {
        let mut logits = vec![-40.0; cells.len() * 4 * DISTANCE_BINS];
        for (index, cell) in cells.iter().enumerate() {
            for (side, distance) in distances(cell, region).into_iter().enumerate() {
                let bin = distance.max(0.0) as usize;
                let at = (index * 4 + side) * DISTANCE_BINS + bin;
                let rest = (distance - bin as f32).clamp(1e-6, 1.0 - 1e-6);
                logits[at] = (1.0 - rest).ln();
                logits[at + 1] = rest.ln();
            }
        }
        logits
    }

    #[test]
    fn cells_in_the_box_answer_and_tell_it() {
        let cells = cells(64, 64);
        let region = PixelBox { x: 10.0, y: 12.0, width: 30.0, height: 20.0 };
        let truth = TrueBox { class: 1, region, ignored: false };
        let distance_logits = knowing(&cells, &region);
        let assignment = assign(&cells, &vec![0.0; cells.len() * 2], &distance_logits, &[truth], 2);
        assert_eq!(assignment.targets.len(), CELLS_PER_BOX);
        for target in &assignment.targets {
            assert!(contains(&region, cells[target.cell].center));
            assert_eq!(target.class, 1);
            assert!((target.score - 1.0).abs() < 1e-3, "all agree with the truth, so all should be sure: {target:?}");
            let told = decode_box(&cells[target.cell], &distance_logits[target.cell * 64..][..64]);
            assert!(told.iou(&region) > 0.999, "{told:?}");
        }
    }

    #[test]
    fn ignored_things_excuse_their_cells() {
        let cells = cells(32, 32);
        let region = PixelBox { x: 0.0, y: 0.0, width: 16.0, height: 8.0 };
        let truth = TrueBox { class: 0, region, ignored: true };
        let assignment = assign(&cells, &vec![0.0; cells.len()], &vec![0.0; cells.len() * 64], &[truth], 1);
        assert_eq!(assignment, Assignment { targets: vec![], excused: vec![0, 1] });
    }

    #[test]
    fn the_smallest_asked_for_box_always_has_a_cell() {
        let cells = cells(320, 320);
        for offset in 0..16 {
            let at = 100.0 + offset as f32 * 0.5;
            let region = PixelBox { x: at, y: at, width: 12.0, height: 12.0 };
            let truth = TrueBox { class: 0, region, ignored: false };
            let assignment = assign(&cells, &vec![0.0; cells.len()], &vec![0.0; cells.len() * 64], &[truth], 1);
            assert!(!assignment.targets.is_empty(), "nothing answers for a box at {at}");
        }
    }
}
