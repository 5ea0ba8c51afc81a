//! How long a training lasts, and how fast it learns when.

use std::time::Duration;

/// What ends a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// After so many steps. Repeatable on any machine.
    Steps(usize),
    /// After so much time at work, pauses between checkpoints and resumption not counted.
    Time(Duration),
}

impl Budget {
    /// A time or a number of steps, whichever is given.
    pub fn given(time: Option<Duration>, steps: Option<usize>) -> Option<Self> {
        time.map(Budget::Time).or(steps.map(Budget::Steps))
    }

    /// How much of it is spent, 0 to 1.
    pub fn spent(&self, step: usize, at_work: Duration) -> f64 {
        let share = match self {
            Budget::Steps(steps) => step as f64 / (*steps).max(1) as f64,
            Budget::Time(time) => at_work.as_secs_f64() / time.as_secs_f64().max(1e-3),
        };
        share.min(1.0)
    }
}

/// The rate rises over so many steps, or over this share of the budget if that is less.
const WARM_UP_STEPS: usize = 200;
const WARM_UP_SHARE: f64 = 0.05;

/// Share of the peak rate that is left at the end.
const LAST_SHARE: f64 = 0.02;

/// Learning rate: a linear rise over the first steps, then half a cosine down to a fiftieth of `peak`.
///
/// Source: Loshchilov and Hutter, "SGDR", ICLR 2017.
pub fn learning_rate(peak: f64, step: usize, spent: f64) -> f64 {
    let rise = ((step + 1) as f64 / WARM_UP_STEPS as f64).max(spent / WARM_UP_SHARE).min(1.0);
    let fall = LAST_SHARE + (1.0 - LAST_SHARE) * 0.5 * (1.0 + (std::f64::consts::PI * spent).cos());
    peak * rise * fall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls() {
        assert!(learning_rate(1.0, 0, 0.0) < 0.01);
        assert!((learning_rate(1.0, 1000, 0.0) - 1.0).abs() < 1e-9);
        assert!((learning_rate(1.0, 1000, 0.5) - 0.51).abs() < 1e-9);
        assert!((learning_rate(1.0, 1000, 1.0) - 0.02).abs() < 1e-9);
    }

    #[test]
    fn budgets_end() {
        assert_eq!(Budget::Steps(10).spent(5, Duration::from_secs(100)), 0.5);
        assert_eq!(Budget::Time(Duration::from_secs(60)).spent(5, Duration::from_secs(90)), 1.0);
    }
}
