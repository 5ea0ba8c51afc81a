//! What a detector takes for what, at one confidence threshold.

use serde::Serialize;

use super::overlap::{ScoredBox, TrueBox};

/// Precision and recall at one threshold and IoU ≥ 0.5, all classes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct OperatingPoint {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

impl OperatingPoint {
    /// From counts; a ratio of nothing to nothing is 0.
    pub fn from_counts(right: usize, wrong: usize, missed: usize) -> Self {
        let ratio = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        Self {
            precision: ratio(right, right + wrong),
            recall: ratio(right, right + missed),
            f1: ratio(2 * right, 2 * right + wrong + missed),
        }
    }
}

/// Counts by (true class, proposed class); the last row and column stand for "nothing".
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// `counts[true][proposed]`, `classes + 1` square.
    pub counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Pairs boxes by overlap whatever their class (IoU ≥ 0.5, best first), then counts which class was taken for which.
    /// Proposals that lie for the better half in an ignored truth count for nothing.
    pub fn of(pictures: &[(Vec<ScoredBox>, Vec<TrueBox>)], classes: usize, threshold: f32) -> Self {
        let nothing = classes;
        let mut counts = vec![vec![0; classes + 1]; classes + 1];
        for (proposed, truths) in pictures {
            let proposed: Vec<&ScoredBox> = proposed.iter().filter(|p| p.score >= threshold).collect();
            let mut pairs: Vec<(f32, bool, usize, usize)> = Vec::new();
            for (i, proposal) in proposed.iter().enumerate() {
                for (j, truth) in truths.iter().enumerate().filter(|(_, truth)| !truth.ignored) {
                    let iou = proposal.region.iou(&truth.region);
                    if iou >= 0.5 {
                        pairs.push((iou, proposal.class == truth.class, i, j));
                    }
                }
            }
            // Of two proposals for one thing the one that names it rightly is counted.
            pairs.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.total_cmp(&a.0)));
            let mut paired_truth = vec![None; truths.len()];
            let mut paired_proposal = vec![false; proposed.len()];
            for (_, _, i, j) in pairs {
                if !paired_proposal[i] && paired_truth[j].is_none() {
                    paired_proposal[i] = true;
                    paired_truth[j] = Some(i);
                }
            }
            for (truth, pair) in truths.iter().zip(&paired_truth).filter(|(truth, _)| !truth.ignored) {
                counts[truth.class][pair.map_or(nothing, |i| proposed[i].class)] += 1;
            }
            for (proposal, _) in proposed.iter().zip(paired_proposal).filter(|(_, paired)| !paired) {
                let excused = truths.iter().filter(|truth| truth.ignored).any(|truth| {
                    proposal.region.intersection(&truth.region) >= 0.5 * proposal.region.area().max(f32::EPSILON)
                });
                if !excused {
                    counts[nothing][proposal.class] += 1;
                }
            }
        }
        Self { counts }
    }

    /// Precision, recall and F1 over all classes.
    pub fn operating_point(&self) -> OperatingPoint {
        let classes = self.counts.len().saturating_sub(1);
        let right: usize = (0..classes).map(|class| self.counts[class][class]).sum();
        let proposed: usize = self.counts.iter().flat_map(|row| &row[..classes]).sum();
        let truths: usize = self.counts[..classes].iter().flatten().sum();
        OperatingPoint::from_counts(right, proposed - right, truths - right)
    }

    /// Precision, recall and F1 of one class.
    pub fn operating_point_of(&self, class: usize) -> OperatingPoint {
        let right = self.counts[class][class];
        let proposed: usize = self.counts.iter().map(|row| row[class]).sum();
        let truths: usize = self.counts[class].iter().sum();
        OperatingPoint::from_counts(right, proposed - right, truths - right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PixelBox;

    #[test]
    fn one_right_one_taken_for_another_one_missed_one_invented() {
        let region = |x: f32| PixelBox { x, y: 0.0, width: 10.0, height: 10.0 };
        let truth = |class, x| TrueBox { class, region: region(x), ignored: false };
        let scored = |class, x| ScoredBox { class, score: 0.9, region: region(x) };
        let proposed = vec![scored(0, 0.0), scored(1, 20.0), scored(1, 60.0), scored(0, 80.0)];
        let truths = vec![truth(0, 0.0), truth(0, 20.0), truth(1, 40.0), TrueBox { ignored: true, ..truth(0, 80.0) }];
        let confusion = Confusion::of(&[(proposed, truths)], 2, 0.5);
        assert_eq!(confusion.counts, vec![vec![1, 1, 0], vec![0, 0, 1], vec![0, 1, 0]]);
        let point = confusion.operating_point();
        assert!((point.precision - 1.0 / 3.0).abs() < 1e-9);
        assert!((point.recall - 1.0 / 3.0).abs() < 1e-9);
        assert!((point.f1 - 1.0 / 3.0).abs() < 1e-9);
    }
}
