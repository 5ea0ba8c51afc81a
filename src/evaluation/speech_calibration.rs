//! How much each piece of evidence counts for a speech model: fitted to commands that were said and to what was found in talk.
//!
//! In: evidence of best phrases, whether they were what was said, hours of talk. Out: a [`Judgement`] for the model's
//! manifest. What is absent: sounds and models. Calibrate on voices that the model may know and that no figure is of: the test
//! voices' figures would tell too much of them.

use crate::percepts::speech::alignment::{Evidence, Judgement};

/// The best phrase of one utterance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example {
    pub evidence: Evidence,
    /// Whether it is exactly what was said.
    pub said: bool,
    /// Whether what was said is no command at all.
    pub talk: bool,
}

const COUNT: usize = Evidence::NAMES.len();

/// The weights that tell what was said from all else, both counting the same, and the bias with which `confidence` is
/// reached `accepts_per_hour` times in an hour of talk. `None` without both kinds of examples.
///
/// Logistic regression by gradient descent, with weights that are not below 0: nothing that speaks against a phrase may
/// speak for it.
pub fn calibrate(examples: &[Example], hours: f64, accepts_per_hour: f64, confidence: f32) -> Option<Judgement> {
    let count = |said: bool| examples.iter().filter(|example| example.said == said).count();
    let (said, others) = (count(true), count(false));
    if said == 0 || others == 0 {
        return None;
    }
    let scale = spread(examples);
    let rows: Vec<([f64; COUNT], f64, f64)> = examples
        .iter()
        .map(|example| {
            let values = example.evidence.values();
            let row = std::array::from_fn(|index| f64::from(values[index]) / scale[index]);
            let share = 0.5 / if example.said { said } else { others } as f64;
            (row, f64::from(u8::from(example.said)), share)
        })
        .collect();
    let (mut bias, mut weights) = (0.0, [0.0; COUNT]);
    for _ in 0..STEPS {
        let (mut bias_slope, mut slopes) = (0.0, weights.map(|weight: f64| STIFFNESS * weight));
        for (row, truth, share) in &rows {
            let against: f64 = row.iter().zip(weights).map(|(value, weight)| value * weight).sum();
            let error = share * (1.0 / (1.0 + (against - bias).exp()) - truth);
            bias_slope += error;
            slopes.iter_mut().zip(row).for_each(|(slope, value)| *slope -= error * value);
        }
        bias -= RATE * bias_slope;
        weights.iter_mut().zip(slopes).for_each(|(weight, slope)| *weight = (*weight - RATE * slope).max(0.0));
    }
    let weights = std::array::from_fn(|index| (weights[index] / scale[index]) as f32);
    let free = Judgement { bias: 0.0, weights };
    let mut talk: Vec<f32> =
        examples.iter().filter(|example| example.talk).map(|example| free.log_odds(&example.evidence)).collect();
    talk.sort_by(|a, b| b.total_cmp(a));
    // Halfway between the last that is accepted and the first that is not.
    let accepted = ((accepts_per_hour * hours) as usize).min(talk.len());
    let border = match (accepted.checked_sub(1).and_then(|index| talk.get(index)), talk.get(accepted)) {
        (Some(above), Some(below)) => 0.5 * (above + below),
        (None, Some(highest)) => highest + MARGIN,
        (Some(lowest), None) => lowest - MARGIN,
        (None, None) => -(bias as f32),
    };
    Some(Judgement { bias: (confidence / (1.0 - confidence)).ln() - border, weights })
}

/// Steps and rate of the descent: enough for evidence of unit spread.
const STEPS: usize = 6_000;
const RATE: f64 = 0.5;
/// Keeps weights of evidence that tells nothing small.
const STIFFNESS: f64 = 1e-4;
/// Log odds between the border and all examples where they lie on one side of it.
const MARGIN: f32 = 0.3;

/// Standard deviation of each piece of evidence; 1 where it does not vary.
fn spread(examples: &[Example]) -> [f64; COUNT] {
    let count = examples.len() as f64;
    std::array::from_fn(|index| {
        let values = || examples.iter().map(|example| f64::from(example.evidence.values()[index]));
        let mean = values().sum::<f64>() / count;
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        if deviation > 1e-6 { deviation } else { 1.0 }
    })
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::base::Seed;

    /// Commands lie near, talk far; the number of phones tells nothing.
    fn examples() -> Vec<Example> {
        let mut rng = Seed(5).rng();
        (0..400)
            .map(|n| {
                let said = n % 2 == 0;
                let distance = rng.random_range(0.0..2.0) + if said { 0.0 } else { 1.2 };
                let evidence = Evidence { distance, shortness: rng.random_range(0.05..0.3), ..Default::default() };
                Example { evidence, said, talk: !said }
            })
            .collect()
    }

    #[test]
    fn what_tells_apart_gets_weight_and_what_does_not_gets_little() {
        let examples = examples();
        let fitted = calibrate(&examples, 2.0, 5.0, 0.7).expect("both kinds");
        assert!(fitted.weights[0] > 2.0, "{fitted:?}");
        assert!(0.2 * fitted.weights[2] < 0.3 * fitted.weights[0], "{fitted:?}");
        let accepted = |said: bool| {
            let confidence = |example: &Example| fitted.confidence(&example.evidence);
            examples.iter().filter(|example| example.said == said && confidence(example) >= 0.7).count()
        };
        assert_eq!(accepted(false), 10, "five an hour in two hours");
        assert!(accepted(true) > 100);
    }

    #[test]
    fn one_kind_alone_is_no_calibration() {
        let only: Vec<Example> = examples().into_iter().filter(|example| example.said).collect();
        assert_eq!(calibrate(&only, 1.0, 1.0, 0.7), None);
        assert_eq!(calibrate(&[], 1.0, 1.0, 0.7), None);
    }
}
