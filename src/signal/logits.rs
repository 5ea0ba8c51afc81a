//! Between logits and probabilities.

/// 1 / (1 + e^−x), without overflow.
pub fn sigmoid(x: f32) -> f32 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// The inverse of [`sigmoid`] for probabilities strictly between 0 and 1.
pub fn logit(p: f32) -> f32 {
    (p / (1.0 - p)).ln()
}

/// In place: positive, sum 1. An empty slice stays empty.
pub fn softmax(values: &mut [f32]) {
    let peak = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - peak).exp();
        sum += *value;
    }
    for value in values {
        *value /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_logit_are_inverse_and_do_not_overflow() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert!((sigmoid(logit(0.01)) - 0.01).abs() < 1e-6);
        assert_eq!(sigmoid(-1000.0), 0.0);
        assert_eq!(sigmoid(1000.0), 1.0);
    }

    #[test]
    fn softmax_of_large_logits() {
        let mut values = [1000.0, 1000.0, 1000.0 - 2.0_f32.ln()];
        softmax(&mut values);
        assert!(values.iter().zip([0.4, 0.4, 0.2]).all(|(a, b)| (a - b).abs() < 1e-4), "{values:?}");
    }
}
