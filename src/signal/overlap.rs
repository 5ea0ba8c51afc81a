//! Boxes with scores, boxes known to be true, and the thinning of overlapping ones.

use crate::base::PixelBox;

/// A box that a detector proposes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredBox {
    /// Index of the class, from 0.
    pub class: usize,
    /// 0 to 1.
    pub score: f32,
    pub region: PixelBox,
}

/// A box that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueBox {
    /// Index of the class, from 0.
    pub class: usize,
    pub region: PixelBox,
    /// Too small or too hidden to be asked for: finding it is neither right nor wrong.
    pub ignored: bool,
}

/// Smallest side of a box that a detector is asked for, pixels.
pub const MIN_SIDE: f32 = 12.0;
/// Smallest visible fraction of a thing that a detector is asked for.
pub const MIN_VISIBLE: f32 = 0.25;

impl TrueBox {
    /// A box that is asked for if it is large enough and enough of the thing is visible.
    pub fn new(class: usize, region: PixelBox, visible_fraction: f32) -> Self {
        let ignored = visible_fraction < MIN_VISIBLE || region.width.min(region.height) < MIN_SIDE;
        Self { class, region, ignored }
    }
}

/// Keeps the best of boxes of one class that overlap by more than `max_iou` (greedy non-maximum suppression), at most
/// `limit` of all classes together. Best first.
pub fn suppress_overlaps(mut boxes: Vec<ScoredBox>, max_iou: f32, limit: usize) -> Vec<ScoredBox> {
    boxes.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<ScoredBox> = Vec::new();
    for candidate in boxes {
        if kept.len() >= limit {
            break;
        }
        let hidden =
            kept.iter().any(|other| other.class == candidate.class && other.region.iou(&candidate.region) > max_iou);
        if !hidden {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(class: usize, score: f32, x: f32) -> ScoredBox {
        ScoredBox { class, score, region: PixelBox { x, y: 0.0, width: 10.0, height: 10.0 } }
    }

    #[test]
    fn only_boxes_of_one_class_hide_each_other() {
        let kept = suppress_overlaps(
            vec![scored(0, 0.5, 1.0), scored(0, 0.9, 0.0), scored(1, 0.4, 0.0), scored(0, 0.3, 8.0)],
            0.6,
            10,
        );
        assert_eq!(kept, vec![scored(0, 0.9, 0.0), scored(1, 0.4, 0.0), scored(0, 0.3, 8.0)]);
        assert_eq!(suppress_overlaps(kept, 0.6, 1), vec![scored(0, 0.9, 0.0)]);
    }
}
