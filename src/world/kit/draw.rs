//! Drawing proportions and choices from a family's random stream.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A number from `low` to `high`, evenly.
pub fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// A whole number from `low` to `high`, both included.
pub fn count(rng: &mut ChaCha8Rng, low: usize, high: usize) -> usize {
    rng.random_range(low as u32..=high as u32) as usize
}

/// True with probability `p`.
pub fn chance(rng: &mut ChaCha8Rng, p: f32) -> bool {
    rng.random::<f32>() < p
}

/// One of `choices`, which is not empty.
pub fn pick<T: Copy>(rng: &mut ChaCha8Rng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len() as u32) as usize]
}
