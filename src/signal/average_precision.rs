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
            let mut verdicts: Vec<(f32, Verdict)> = pictures
                .iter()
                .flat_map(|(proposed, true_boxes)| judge(proposed, true_boxes, class, min_iou))
                .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PixelBox;

    /// Picture, class, x, y, width, height, whether ignored ("iscrowd").
    #[rustfmt::skip]
    const TRUTHS: [[u8; 7]; 20] = [
        [0, 0, 19, 6, 33, 22, 0], [0, 0, 1, 25, 27, 39, 0], [0, 0, 33, 34, 21, 18, 0], [0, 1, 13, 60, 39, 10, 0],
        [0, 2, 54, 54, 38, 21, 1], [1, 1, 54, 48, 26, 16, 0], [1, 0, 5, 2, 24, 30, 0], [1, 2, 20, 40, 27, 16, 0],
        [1, 0, 45, 14, 18, 34, 0], [1, 2, 5, 57, 40, 40, 0], [2, 0, 21, 36, 10, 21, 1], [2, 1, 58, 13, 13, 11, 1],
        [2, 1, 2, 7, 36, 26, 0], [2, 1, 53, 13, 25, 16, 1], [2, 0, 20, 3, 38, 39, 0], [3, 0, 59, 55, 28, 38, 0],
        [3, 2, 51, 17, 20, 39, 0], [3, 2, 25, 59, 22, 16, 0], [3, 1, 56, 14, 27, 11, 0], [3, 0, 2, 44, 29, 13, 0],
    ];
    /// Picture, class, box, score.
    #[rustfmt::skip]
    const PROPOSALS: [(usize, usize, [u8; 4], f32); 26] = [
        (0, 1, [12, 58, 39, 10], 0.66), (0, 2, [58, 53, 36, 20], 0.52), (0, 0, [60, 59, 36, 37], 0.57),
        (0, 1, [0, 58, 19, 28], 0.45), (1, 1, [52, 47, 26, 16], 0.82), (1, 0, [3, 1, 21, 32], 0.91),
        (1, 0, [8, 2, 22, 31], 0.49), (1, 0, [43, 14, 21, 30], 0.14), (1, 2, [5, 58, 38, 42], 0.87),
        (1, 2, [43, 52, 12, 19], 0.41), (1, 1, [18, 8, 18, 22], 0.40), (2, 0, [22, 36, 7, 24], 0.97),
        (2, 1, [56, 9, 17, 14], 0.62), (2, 1, [1, 10, 35, 25], 0.49), (2, 1, [1, 9, 39, 25], 0.68),
        (2, 1, [57, 12, 24, 18], 0.87), (2, 2, [25, 57, 30, 30], 0.54), (2, 2, [47, 2, 25, 22], 0.15),
        (3, 0, [62, 56, 30, 42], 0.29), (3, 2, [51, 16, 16, 41], 0.90), (3, 2, [51, 13, 18, 42], 0.61),
        (3, 0, [21, 59, 19, 18], 0.82), (3, 1, [57, 18, 30, 15], 0.49), (3, 0, [0, 40, 30, 10], 0.78),
        (3, 2, [57, 0, 19, 36], 0.27), (3, 0, [5, 34, 24, 22], 0.20),
    ];

    fn region([x, y, width, height]: [u8; 4]) -> PixelBox {
        PixelBox { x: x.into(), y: y.into(), width: width.into(), height: height.into() }
    }

    #[test]
    fn scores_equal_those_of_pycocotools() {
        let pictures: Vec<(Vec<ScoredBox>, Vec<TrueBox>)> = (0..4)
            .map(|picture| {
                let proposed = PROPOSALS
                    .iter()
                    .filter(|proposal| proposal.0 == picture)
                    .map(|&(_, class, corner, score)| ScoredBox { class, score, region: region(corner) });
                let truths = TRUTHS.iter().filter(|truth| usize::from(truth[0]) == picture).map(
                    |&[_, class, x, y, width, height, ignored]| TrueBox {
                        class: class.into(),
                        region: region([x, y, width, height]),
                        ignored: ignored == 1,
                    },
                );
                (proposed.collect(), truths.collect())
            })
            .collect();
        let score = score_detections(&pictures, 3);
        // Computed once with pycocotools 2.0.11 (bbox, all areas, 100 proposals).
        let near = |a: f64, b: f64| (a - b).abs() < 1e-8;
        assert!(near(score.map50, 0.492_986_798_679_868), "{}", score.map50);
        assert!(near(score.map50_95, 0.279_790_979_097_909_8), "{}", score.map50_95);
        let expected = [
            (0.221_534_653_5, 0.104_059_405_9),
            (0.752_475_247_5, 0.385_808_580_9),
            (0.504_950_495_0, 0.349_504_950_5),
        ];
        for (class, (ap50, ap50_95)) in score.per_class.iter().zip(expected) {
            assert!(near(class.ap50, ap50) && near(class.ap50_95, ap50_95), "{class:?}");
        }
    }
}
