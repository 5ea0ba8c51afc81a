//! How good a detector is: average precision by the rules of COCO.
//!
//! In: for each picture, what was proposed and what is there. Out: AP at IoU 0.50, and the mean over 0.50, 0.55 … 0.95.
//! The rules are those of `cocoeval.py` (Lin et al., <https://github.com/cocodataset/cocoapi>): at most 100 proposals
//! per picture and class, greedy matching by score, ignored truths matched last and by the share of the *proposal* that
//! they cover, precision made monotone and read at 101 recalls.

use serde::Serialize;

use super::overlap::{ScoredBox, TrueBox};

/// Proposals per picture and class that count.
const PROPOSALS_PER_PICTURE: usize = 100;

/// Average precision of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Index of the class, from 0.
    pub class: usize,
    /// How many there are to be found.
    pub truths: usize,
    pub ap50: f64,
    pub ap50_95: f64,
}

/// Average precision over all classes that occur.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DetectionScore {
    pub map50: f64,
    pub map50_95: f64,
    /// Classes with at least one truth, in order.
    pub per_class: Vec<ClassScore>,
}

/// Scores `pictures`, each a pair of proposals and truths.
pub fn score_detections(pictures: &[(Vec<ScoredBox>, Vec<TrueBox>)], classes: usize) -> DetectionScore {
    let per_class: Vec<ClassScore> = (0..classes).filter_map(|class| score_class(pictures, class)).collect();
    let mean = |part: fn(&ClassScore) -> f64| per_class.iter().map(part).sum::<f64>() / per_class.len().max(1) as f64;
    DetectionScore { map50: mean(|class| class.ap50), map50_95: mean(|class| class.ap50_95), per_class }
}

/// `None` where there is nothing to be found.
fn score_class(pictures: &[(Vec<ScoredBox>, Vec<TrueBox>)], class: usize) -> Option<ClassScore> {
    let truths = pictures.iter().flat_map(|(_, truths)| truths).filter(|t| t.class == class && !t.ignored).count();
    if truths == 0 {
        return None;
    }
    let aps: Vec<f64> = (0..10)
        .map(|step| {
            let min_iou = 0.5 + 0.05 * f64::from(step);
            let mut verdicts: Vec<(f32, Verdict)> =
                pictures.iter().flat_map(|(proposed, true_boxes)| judge(proposed, true_boxes, class, min_iou)).collect();
            // Stable, as the reference's merge sort: ties stay in the order of the pictures.
            verdicts.sort_by(|a, b| b.0.total_cmp(&a.0));
            average_precision(verdicts.into_iter().map(|(_, verdict)| verdict), truths)
        })
        .collect();
    Some(ClassScore { class, truths, ap50: aps[0], ap50_95: aps.iter().sum::<f64>() / aps.len() as f64 })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Right,
    Wrong,
    Ignored,
}

/// Matches one picture's proposals of one class to its truths.
fn judge(proposed: &[ScoredBox], truths: &[TrueBox], class: usize, min_iou: f64) -> Vec<(f32, Verdict)> {
    let mut proposed: Vec<&ScoredBox> = proposed.iter().filter(|p| p.class == class).collect();
    proposed.sort_by(|a, b| b.score.total_cmp(&a.score));
    proposed.truncate(PROPOSALS_PER_PICTURE);
    let mut truths: Vec<&TrueBox> = truths.iter().filter(|t| t.class == class).collect();
    truths.sort_by_key(|t| t.ignored);
    let mut taken = vec![false; truths.len()];

    proposed
        .into_iter()
        .map(|proposal| {
            let mut best: Option<usize> = None;
            let mut best_iou = min_iou.min(1.0 - 1e-10);
            for (index, truth) in truths.iter().enumerate() {
                if taken[index] && !truth.ignored {
                    continue;
                }
                // A match to a real truth is not given up for an ignored one.
                if best.is_some_and(|best| !truths[best].ignored) && truth.ignored {
                    break;
                }
                let iou = overlap(proposal, truth);
                if iou >= best_iou {
                    best_iou = iou;
                    best = Some(index);
                }
            }
            let verdict = match best {
                None => Verdict::Wrong,
                Some(index) => {
                    taken[index] = true;
                    if truths[index].ignored { Verdict::Ignored } else { Verdict::Right }
                }
            };
            (proposal.score, verdict)
        })
        .collect()
}

/// Intersection over union; for ignored truths, intersection over the proposal's area.
fn overlap(proposal: &ScoredBox, truth: &TrueBox) -> f64 {
    let intersection = f64::from(proposal.region.intersection(&truth.region));
    let proposal_area = f64::from(proposal.region.area());
    let whole =
        if truth.ignored { proposal_area } else { proposal_area + f64::from(truth.region.area()) - intersection };
    if whole > 0.0 { intersection / whole } else { 0.0 }
}

/// Mean precision at recalls 0, 0.01 … 1 of verdicts in falling order of score.
fn average_precision(verdicts: impl Iterator<Item = Verdict>, truths: usize) -> f64 {
    let (mut right, mut wrong) = (0.0, 0.0);
    let mut curve: Vec<(f64, f64)> = Vec::new();
    for verdict in verdicts {
        match verdict {
            Verdict::Right => right += 1.0,
            Verdict::Wrong => wrong += 1.0,
            Verdict::Ignored => continue,
        }
        curve.push((right / truths as f64, right / (right + wrong)));
    }
    for index in (1..curve.len()).rev() {
        curve[index - 1].1 = curve[index - 1].1.max(curve[index].1);
    }
    let read = |recall: f64| {
        let index = curve.partition_point(|&(reached, _)| reached < recall);
        curve.get(index).map_or(0.0, |&(_, precision)| precision)
    };
    (0..=100).map(|step| read(f64::from(step) / 100.0)).sum::<f64>() / 101.0
}
