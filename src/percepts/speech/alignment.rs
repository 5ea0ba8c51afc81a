//! A phrase laid over the sound: where its phones are, and how credible that makes it.
//!
//! In: rows of log probabilities, a sequence of phones, what foreign sounds cost. Out: the best single path (Viterbi 1967,
//! through the states of CTC, Graves et al. 2006) with foreign sounds before and after it, what speaks for and against it
//! ([`Evidence`]), and the confidence that follows by a [`Judgement`]. What is absent: other phrases; the decision.

use super::super::phones::{BLANK, OUTPUTS, Phone};

/// One row: log probabilities of the blank and the phones.
pub type Row = [f32; OUTPUTS];

/// Where a phrase lies in the sound, if it lies anywhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// Log probability of the best path.
    pub score: f32,
    /// Step at which each phone begins.
    pub onsets: Vec<usize>,
    /// Last step of the last phone.
    pub last_step: usize,
}

impl Alignment {
    /// How unlike speech the phones follow one another: the mean of |ln(steps from phone to phone / `steps_per_phone`)|.
    /// People at any pace have about 0.3; a phrase that was pieced together from scattered sounds has 1.
    pub fn unevenness(&self, steps_per_phone: f32) -> f32 {
        let gaps = self.onsets.windows(2).map(|pair| ((pair[1] - pair[0]).max(1) as f32 / steps_per_phone).ln().abs());
        gaps.sum::<f32>() / (self.onsets.len().max(2) - 1) as f32
    }
}

/// What a step costs that belongs to no phrase: silence is free, each new sound costs `filler`. `last_best` is the best
/// output of the step before.
pub fn foreign(row: &Row, last_best: usize, filler: f32) -> f32 {
    let best = best_output(row);
    let is_new = best != BLANK && best != last_best;
    row[BLANK].max(row[best] - if is_new { filler } else { 0.0 })
}

/// The likeliest output of a step.
pub fn best_output(row: &Row) -> usize {
    (0..OUTPUTS).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(BLANK)
}

/// The best path that says these phones and nothing else but foreign sounds around them; `None` if there are too few steps.
pub fn align(rows: &[Row], phones: &[Phone], filler: f32) -> Option<Alignment> {
    if phones.is_empty() {
        return None;
    }
    // What a path is in: foreign sound before (0), phone i (2i + 1), a blank between (2i + 2), foreign sound after (last).
    let states = 2 * phones.len() + 1;
    let mut scores = vec![f32::NEG_INFINITY; states];
    scores[0] = 0.0;
    // By how many states the best path into each state and step has come forward: 0, 1, or 2 past a blank.
    let mut advances = vec![0_u8; states * rows.len()];
    let mut last_best = BLANK;
    for (row, advances) in rows.iter().zip(advances.chunks_exact_mut(states)) {
        let outside = foreign(row, last_best, filler);
        last_best = best_output(row);
        // From the last state on, so that what is read is still of the step before.
        for state in (0..states).rev() {
            let is_last = state + 1 == states;
            let phone = phones.get(state / 2).filter(|_| state % 2 == 1);
            let (mut score, mut advance) = (scores[state], 0);
            // Of equals, the phrase that goes on for longer: a sound that stays is no foreign one.
            if state > 0 && (scores[state - 1] > score || is_last && scores[state - 1] == score) {
                (score, advance) = (scores[state - 1], 1);
            }
            // From phone to phone without a blank between, unless they are the same.
            let differs = phone.is_some() && state > 2 && phones[state / 2] != phones[state / 2 - 1];
            if differs && scores[state - 2] > score {
                (score, advance) = (scores[state - 2], 2);
            }
            advances[state] = advance;
            scores[state] = score
                + match phone {
                    Some(phone) => row[usize::from(phone.0)],
                    None if state == 0 || is_last => outside,
                    None => row[BLANK],
                };
        }
    }
    let mut state = if scores[states - 1] >= scores[states - 2] { states - 1 } else { states - 2 };
    let score = scores[state];
    if !score.is_finite() {
        return None;
    }
    let (mut onsets, mut last_step) = (vec![0; phones.len()], 0);
    for (step, advances) in advances.chunks_exact(states).enumerate().rev() {
        if state % 2 == 1 {
            onsets[state / 2] = step;
            last_step = last_step.max(step);
        }
        state -= usize::from(advances[state]);
    }
    Some(Alignment { score, onsets, last_step })
}

/// What speaks against a phrase: 0 each where the phrase is as likely as any talk, long, and evenly spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// By how much talk at large explains the sound better, nats a phone.
    pub distance: f32,
    /// The same for the phone of the phrase that fits worst, nats.
    pub worst: f32,
    /// One over the number of phones: chance finds few of them in any talk.
    pub shortness: f32,
    /// See [`Alignment::unevenness`].
    pub unevenness: f32,
    /// Share of the phrase's phones that are nowhere the likeliest output where they should be.
    pub unmatched: f32,
    /// Other sounds before and after the phrase, 0 to 1 with half at four of them.
    pub foreign: f32,
}

impl Evidence {
    /// Names in the order of [`Evidence::values`]; manifests of models know their weights by them.
    pub const NAMES: [&str; 6] = [
        "against_distance",
        "against_worst",
        "against_shortness",
        "against_unevenness",
        "against_unmatched",
        "against_foreign",
    ];

    /// Of the best path of a phrase in `rows`, where the best path of any phones has the log probability `talk`.
    pub fn of(rows: &[Row], phones: &[Phone], found: &Alignment, talk: f32, steps_per_phone: f32) -> Self {
        /// More is not told from this much, nats.
        const MOST: f32 = 20.0;
        let count = phones.len().max(1) as f32;
        let (mut worst, mut unmatched) = (0.0_f32, 0_usize);
        let ends = found.onsets.iter().skip(1).copied().chain([found.last_step + 1]);
        for ((phone, onset), end) in phones.iter().zip(&found.onsets).zip(ends) {
            let phone = usize::from(phone.0);
            let steps = rows.get(*onset..end.max(onset + 1)).unwrap_or_default();
            let lost: f32 = steps
                .iter()
                .enumerate()
                .map(|(step, row)| {
                    let on_path = if step == 0 { row[phone] } else { row[phone].max(row[BLANK]) };
                    row[best_output(row)] - on_path
                })
                .sum();
            worst = worst.max(lost);
            unmatched += usize::from(!steps.iter().any(|row| best_output(row) == phone));
        }
        let first = found.onsets.first().copied().unwrap_or_default();
        let outside = [rows.get(..first), rows.get(found.last_step + 1..)].map(Option::unwrap_or_default);
        let others = outside.map(new_sounds).iter().sum::<usize>() as f32;
        Self {
            distance: ((talk - found.score).max(0.0) / count).min(MOST),
            worst: worst.min(MOST),
            shortness: 1.0 / count,
            unevenness: found.unevenness(steps_per_phone),
            unmatched: unmatched as f32 / count,
            foreign: others / (others + 4.0),
        }
    }

    pub fn values(&self) -> [f32; Self::NAMES.len()] {
        [self.distance, self.worst, self.shortness, self.unevenness, self.unmatched, self.foreign]
    }
}

/// How many sounds the likeliest outputs of these steps are.
fn new_sounds(rows: &[Row]) -> usize {
    let mut last = BLANK;
    rows.iter()
        .filter(|row| {
            let best = best_output(row);
            let is_new = best != BLANK && best != last;
            last = best;
            is_new
        })
        .count()
}

/// The log odds that a phrase was said: what they are without any evidence, and how much each [`Evidence`] takes away.
/// They belong to a model: its manifest has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    pub bias: f32,
    pub weights: [f32; Evidence::NAMES.len()],
}

impl Default for Judgement {
    /// For models that were not calibrated.
    fn default() -> Self {
        Self { bias: 8.84, weights: [2.04, 0.0, 18.07, 5.67, 0.0, 0.0] }
    }
}

impl Judgement {
    /// How credible a phrase is, 0 to 1.
    pub fn confidence(&self, evidence: &Evidence) -> f32 {
        1.0 / (1.0 + (-self.log_odds(evidence)).exp())
    }

    /// The same as log odds.
    pub fn log_odds(&self, evidence: &Evidence) -> f32 {
        self.bias - self.weights.iter().zip(evidence.values()).map(|(weight, value)| weight * value).sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(output: usize, sure: f32) -> Row {
        let mut row = [((1.0 - sure) / (OUTPUTS - 1) as f32).ln(); OUTPUTS];
        row[output] = sure.ln();
        row
    }

    fn phones(numbers: &[u8]) -> Vec<Phone> {
        numbers.iter().copied().map(Phone).collect()
    }

    #[test]
    fn phones_are_found_where_they_are() {
        let rows = [0, 0, 5, 5, 0, 7, 0, 0].map(|output| row(output, 0.9));
        let found = align(&rows, &phones(&[5, 7]), 4.0).unwrap();
        let score = found.score;
        assert_eq!((found.onsets, found.last_step), (vec![2, 5], 5));
        assert!((found.score - 8.0 * 0.9_f32.ln()).abs() < 1e-4);
        // The same phone twice needs a blank between.
        let twice = align(&rows, &phones(&[5, 5]), 4.0).unwrap();
        assert!(twice.score < score - 4.0);
        let rows = [5, 0, 5].map(|output| row(output, 0.9));
        assert!((align(&rows, &phones(&[5, 5]), 4.0).unwrap().score - 3.0 * 0.9_f32.ln()).abs() < 1e-4);
    }

    #[test]
    fn foreign_sounds_cost_and_silence_does_not() {
        let alone = [0, 5, 7, 0].map(|output| row(output, 0.9));
        let after = [9, 9, 0, 5, 7, 0].map(|output| row(output, 0.9));
        let score = |rows: &[Row]| align(rows, &phones(&[5, 7]), 4.0).unwrap().score;
        assert!((score(&alone) - score(&after) - 2.0 * -(0.9_f32.ln()) - 4.0).abs() < 1e-4);
    }

    #[test]
    fn too_few_steps_hold_no_phrase() {
        assert_eq!(align(&[row(5, 0.9)], &phones(&[5, 7]), 4.0), None);
        assert_eq!(align(&[], &phones(&[5]), 4.0), None);
    }

    #[test]
    fn short_phrases_and_scattered_sounds_need_more_evidence() {
        let sure = |score: f32, onsets: &[usize]| {
            let found = Alignment { score, onsets: onsets.to_vec(), last_step: onsets[onsets.len() - 1] };
            let phones = vec![Phone(5); onsets.len()];
            Judgement::default().confidence(&Evidence::of(&[], &phones, &found, 0.0, 2.3))
        };
        let even: Vec<usize> = (0..12).map(|index| 2 * index).collect();
        assert!(sure(-8.0, &even) > 0.9);
        assert!(sure(-8.0, &even[..4]) < 0.5);
        let scattered: Vec<usize> = (0..12).map(|index| 9 * index).collect();
        assert!(sure(-8.0, &scattered) < 0.5);
        assert!((0.0..=1.0).contains(&sure(-1e4, &even)));
    }

    #[test]
    fn evidence_names_the_phone_that_is_not_there_and_the_sounds_around() {
        let rows = [9, 8, 0, 5, 0, 6, 0, 0].map(|output| row(output, 0.9));
        let talk: f32 = rows.iter().map(|row| row[best_output(row)]).sum();
        let evidence = |numbers: &[u8]| {
            let phones = phones(numbers);
            Evidence::of(&rows, &phones, &align(&rows, &phones, 4.0).unwrap(), talk, 2.0)
        };
        let (right, wrong) = (evidence(&[5, 6]), evidence(&[5, 7]));
        assert_eq!((right.worst, right.unmatched, wrong.unmatched), (0.0, 0.0, 0.5));
        assert!((wrong.worst - (0.9_f32 / (0.1 / (OUTPUTS - 1) as f32)).ln()).abs() < 1e-3, "{wrong:?}");
        assert!((right.foreign - 2.0 / 6.0).abs() < 1e-6, "{right:?}");
        assert!((right.distance - 4.0).abs() < 1e-3, "two foreign sounds, two phones: {right:?}");
    }
}
