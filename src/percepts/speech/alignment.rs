//! A phrase laid over the sound: where its phones are, and how credible that makes it.
//!
//! In: rows of log probabilities, a sequence of phones, what foreign sounds cost. Out: the best single path (Viterbi 1967,
//! through the states of CTC, Graves et al. 2006) with foreign sounds before and after it, and the confidence that follows.
//! What is absent: other phrases; the decision.

use super::super::phones::{BLANK, OUTPUTS, Phone};

/// One row: log probabilities of the blank and the phones.
pub type Row = [f32; OUTPUTS];

/// Where a phrase lies in the sound, if it lies anywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// Log probability of the best path.
    pub score: f32,
    /// Steps of its first and its last phone.
    pub first_step: usize,
    pub last_step: usize,
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
    // What a path is in: foreign sound before (0), phone i (2i + 1), a blank between (2i + 2), foreign sound after (last).
    let states = 2 * phones.len() + 1;
    let nowhere = (f32::NEG_INFINITY, 0, 0);
    // Of the best path into each state: its score, its first and its last step in a phone.
    let mut paths = vec![nowhere; states];
    paths[0].0 = 0.0;
    let mut last_best = BLANK;
    for (step, row) in rows.iter().enumerate() {
        let outside = foreign(row, last_best, filler);
        last_best = best_output(row);
        // From the last state on, so that what is read is still of the step before.
        for state in (0..states).rev() {
            let mut from = paths[state];
            // Of equals, the phrase that goes on for longer: a sound that stays is no foreign one.
            let is_last = state + 1 == states;
            if state > 0 && (paths[state - 1].0 > from.0 || is_last && paths[state - 1].0 == from.0) {
                from = paths[state - 1];
            }
            let phone = phones.get(state / 2).filter(|_| state % 2 == 1);
            // From phone to phone without a blank between, unless they are the same.
            let differs = phone.is_some() && state > 2 && phones[state / 2] != phones[state / 2 - 1];
            if differs && paths[state - 2].0 > from.0 {
                from = paths[state - 2];
            }
            let (mut score, mut first, mut last) = from;
            score += match phone {
                Some(phone) => row[usize::from(phone.0)],
                None if state == 0 || state == states - 1 => outside,
                None => row[BLANK],
            };
            if phone.is_some() {
                first = if state == 1 && paths[1].0 < paths[0].0 { step } else { first };
                last = step;
            }
            paths[state] = (score, first, last);
        }
    }
    let ends = if phones.is_empty() { &paths[..1] } else { &paths[states - 2..] };
    let (score, first_step, last_step) = ends.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
    score.is_finite().then_some(Alignment { score, first_step, last_step })
}

/// Nats by which a phone of talk at large is less likely before it is heard: one of about twenty that may follow another.
const TALK_PHONE: f32 = 3.9;
/// Nats of evidence that chance gives: so many phrases, at so many places, that one of them fits a few sounds.
const CHANCE: f32 = 12.8;
/// How sure a nat a phone makes.
const SLOPE: f32 = 1.6;

/// How credible a phrase of so many phones is, 0 to 1, whose best path has the log probability `score`, where the best path
/// of any phones has `talk`.
///
/// A logistic function of the log odds a phone between the phrase and talk at large. The three constants are a logistic
/// regression over right phrases and the best phrases that were found in talk and noise; `umwelt eval speech` shows what
/// they give.
pub fn confidence(score: f32, talk: f32, phones: usize) -> f32 {
    let phones = phones.max(1) as f32;
    let odds = TALK_PHONE + ((score - talk).min(0.0) - CHANCE) / phones;
    1.0 / (1.0 + (-SLOPE * odds).exp())
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
        assert_eq!((found.first_step, found.last_step), (2, 5));
        assert!((found.score - 8.0 * 0.9_f32.ln()).abs() < 1e-4);
        // The same phone twice needs a blank between.
        let twice = align(&rows, &phones(&[5, 5]), 4.0).unwrap();
        assert!(twice.score < found.score - 4.0);
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
    fn long_phrases_need_less_evidence_a_phone() {
        assert!(confidence(-6.0, 0.0, 20) > 0.9);
        assert!(confidence(-6.0, 0.0, 4) < confidence(-6.0, 0.0, 8));
        // Four sounds that fit tolerably are found in any talk.
        assert!(confidence(-5.0, 0.0, 4) < 0.3);
        assert!((0.0..=1.0).contains(&confidence(-1e4, 0.0, 3)));
    }
}
