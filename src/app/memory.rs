//! How much memory this process holds, and whether that grows.
//!
//! In: the system's account of the process. Out: samples and [`MemoryFigures`]. What is absent: what the memory is for.

use serde::Serialize;

/// Seconds after which caches are full: every room was visited, every program compiled.
pub const WARM_UP_SECONDS: f64 = 60.0;

/// Resident memory in the course of a run, megabytes (10⁶ bytes); all 0 where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct MemoryFigures {
    pub start: f64,
    /// After [`WARM_UP_SECONDS`], in shorter runs at half time.
    pub after_warm_up: f64,
    pub end: f64,
}

impl MemoryFigures {
    /// From samples in MiB that were taken every `period_seconds`, the first at the start.
    pub fn of(samples_mib: &[f64], period_seconds: f64) -> Self {
        let mb = |index: usize| samples_mib.get(index).map_or(0.0, |mib| mib * 1.048_576);
        let last = samples_mib.len().saturating_sub(1);
        let warm = (WARM_UP_SECONDS / period_seconds).ceil() as usize;
        Self { start: mb(0), after_warm_up: mb(if warm <= last { warm } else { last / 2 }), end: mb(last) }
    }
}

/// Memory of this process that is in RAM, MiB; `None` where the system does not tell.
pub fn resident_mib() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096.0 / 1_048_576.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_start_the_end_and_after_a_minute() {
        let samples: Vec<f64> = (0..=12).map(f64::from).collect();
        let mb = |mib: f64| mib * 1.048_576;
        let expected = MemoryFigures { start: 0.0, after_warm_up: mb(6.0), end: mb(12.0) };
        assert_eq!(MemoryFigures::of(&samples, 10.0), expected);
        let short = MemoryFigures { start: 0.0, after_warm_up: mb(1.0), end: mb(2.0) };
        assert_eq!(MemoryFigures::of(&samples[..3], 10.0), short);
        assert_eq!(MemoryFigures::of(&[], 10.0), MemoryFigures::default());
    }
}
