//! A phrase laid over the sound: where its phones are, and how credible that makes it.
//!
//! In: rows of log probabilities, a sequence of phones, what foreign sounds cost. Out: the best single path (Viterbi 1967,
//! through the states of CTC, Graves et al. 2006) with foreign sounds before and after it, and the confidence that follows.
//! What is absent: other phrases; the decision.

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

/// The log odds that a phrase was said: what they are without any evidence, …
const BIAS: f32 = 8.84;
/// … a nat a phone by which talk at large explains the sound better, …
const LESS_LIKELY: f32 = 2.04;
/// … few phones, which chance finds in any talk (over their number), …
const SHORT: f32 = 18.07;
/// … phones that do not follow one another as in speech.
const UNEVEN: f32 = 5.67;

/// How credible a phrase is, 0 to 1, whose best path is this, where the best path of any phones has the log probability
/// `talk`.
///
/// A logistic regression over phrases that were said (held-out voices in four conditions) and the best phrases that were
/// found in talk and noise; `umwelt eval speech` tells what each threshold gives.
pub fn confidence(found: &Alignment, talk: f32, steps_per_phone: f32) -> f32 {
    let phones = found.onsets.len().max(1) as f32;
    let distance = (talk - found.score).max(0.0) / phones;
    let odds = BIAS - LESS_LIKELY * distance - SHORT / phones - UNEVEN * found.unevenness(steps_per_phone);
    1.0 / (1.0 + (-odds).exp())
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
            confidence(&found, 0.0, 2.3)
        };
        let even: Vec<usize> = (0..12).map(|index| 2 * index).collect();
        assert!(sure(-8.0, &even) > 0.9);
        assert!(sure(-8.0, &even[..4]) < 0.5);
        let scattered: Vec<usize> = (0..12).map(|index| 9 * index).collect();
        assert!(sure(-8.0, &scattered) < 0.5);
        assert!((0.0..=1.0).contains(&sure(-1e4, &even)));
    }
}
