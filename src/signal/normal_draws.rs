//! Standard normal numbers, and paths between two fields of them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// `count` independent standard normal numbers, by the Box-Muller transform in 64-bit arithmetic, rounded to 32 bits.
///
/// Source: Box and Muller, "A note on the generation of random normal deviates", Annals of Mathematical Statistics 29, 1958.
pub fn normal_draws(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut draws = Vec::with_capacity(count + 1);
    while draws.len() < count {
        // 1 − u lies in (0, 1], whose logarithm is finite.
        let (u, v): (f64, f64) = (rng.random(), rng.random());
        let radius = (-2.0 * (1.0 - u).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
        draws.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    draws.truncate(count);
    draws
}

/// Between two independent fields of standard normal numbers, `t` from 0 (the first) to 1 (the second), along a quarter of a
/// circle: `cos(πt/2) · a + sin(πt/2) · b` has variance 1 everywhere on the way, which a straight line has not.
///
/// Source: White, "Sampling generative networks", 2016 (spherical interpolation), for independent fields.
pub fn normal_between(from: &[f32], to: &[f32], t: f32) -> Vec<f32> {
    let (sin, cos) = (t.clamp(0.0, 1.0) * std::f32::consts::FRAC_PI_2).sin_cos();
    if t <= 0.0 {
        return from.to_vec();
    }
    if t >= 1.0 {
        return to.to_vec();
    }
    from.iter().zip(to).map(|(a, b)| cos * a + sin * b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    /// Mean, variance and the share beyond two standard deviations.
    fn moments(values: &[f32]) -> [f64; 3] {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        [mean, variance, values.iter().filter(|v| v.abs() > 2.0).count() as f64 / n]
    }

    #[test]
    fn draws_and_everything_between_two_of_them_are_standard_normal() {
        let draw = |seed: u64| normal_draws(100_001, &mut Seed(seed).rng());
        let (a, b) = (draw(1), draw(2));
        assert_eq!(a.len(), 100_001);
        assert_eq!(a, draw(1));
        for t in [0.0, 0.25, 0.5, 0.9, 1.0] {
            let [mean, variance, tails] = moments(&normal_between(&a, &b, t));
            // Standard errors for 100,000 draws: 0.003, 0.0045, 0.0007.
            assert!(mean.abs() < 0.015 && (variance - 1.0).abs() < 0.02, "t {t}: {mean} {variance}");
            assert!((tails - 0.0455).abs() < 0.0035, "t {t}: {tails}");
        }
        assert_eq!(normal_between(&a, &b, 0.0), a);
        assert_eq!(normal_between(&a, &b, 1.0), b);
    }
}
