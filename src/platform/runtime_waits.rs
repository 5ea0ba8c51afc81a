//! How long a headset's runtime is waited for: it sets the pace, so that what a frame costs is what it takes without this.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bevy::prelude::Resource;

/// Time spent in calls that wait for the runtime or its compositor, in either world; shared by its clones.
#[derive(Resource, Clone, Debug, Default)]
pub struct RuntimeWaits(Arc<AtomicU64>);

impl RuntimeWaits {
    /// Since the program began.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Makes such a call.
    pub fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let answer = call();
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_of_both_worlds_add_up() {
        let waits = RuntimeWaits::default();
        let other = waits.clone();
        let sleep = || std::thread::sleep(Duration::from_millis(3));
        waits.during(sleep);
        assert_eq!(other.during(|| 7), 7);
        other.during(sleep);
        assert!(waits.total() >= Duration::from_millis(6) && waits.total() == other.total());
    }
}
