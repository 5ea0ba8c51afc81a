//! Ends runs that exceed their deadline.
//!
//! One thread for the whole process sleeps until the nearest deadline of all runs in progress, then asks ONNX Runtime to
//! stop that run; it returns with an error at its next operator. A run that ends in time is taken off the list first, so
//! that its options can be used again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ort::session::RunOptions;

/// A run under watch; dropping it ends the watch.
#[must_use]
pub struct Watched {
    id: u64,
    fired: Arc<AtomicBool>,
}

impl Watched {
    /// Ends the watch and says whether the run was told to stop because its deadline had passed.
    pub fn end(self) -> bool {
        let fired = Arc::clone(&self.fired);
        drop(self);
        fired.load(Ordering::Acquire)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Under the lock: after this nobody touches the run's options any more.
        watchdog().lock().runs.remove(&self.id);
    }
}

/// Stops the run that uses `options` if `limit` passes before the watch ends.
pub fn watch(options: Arc<RunOptions>, limit: Duration) -> Watched {
    let fired = Arc::new(AtomicBool::new(false));
    let deadline = Instant::now() + limit;
    let watchdog = watchdog();
    let mut state = watchdog.lock();
    let id = state.next_id;
    state.next_id += 1;
    state.runs.insert(id, Run { deadline, options, fired: Arc::clone(&fired) });
    // Waking the thread costs more than a small run, so it is woken only if it would oversleep. It does not hear of runs
    // that ended, and so wakes at most once per limit for nothing.
    let oversleeps = state.wakes_at.is_none_or(|wakes_at| deadline < wakes_at);
    drop(state);
    if oversleeps {
        watchdog.changed.notify_one();
    }
    Watched { id, fired }
}

struct Run {
    deadline: Instant,
    options: Arc<RunOptions>,
    fired: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    next_id: u64,
    /// Until when the thread sleeps; `None`: until it is woken.
    wakes_at: Option<Instant>,
    runs: BTreeMap<u64, Run>,
}

#[derive(Default)]
struct Watchdog {
    state: Mutex<State>,
    changed: Condvar,
}

impl Watchdog {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patrol(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            for run in state.runs.values().filter(|run| run.deadline <= now && !run.fired.load(Ordering::Relaxed)) {
                run.fired.store(true, Ordering::Release);
                if let Err(error) = run.options.terminate() {
                    bevy::log::error!("a model exceeded its deadline and could not be stopped: {error}");
                }
            }
            let waiting = state.runs.values().filter(|run| !run.fired.load(Ordering::Relaxed));
            state.wakes_at = waiting.map(|run| run.deadline).min();
            state = match state.wakes_at {
                Some(deadline) => {
                    let pause = deadline.saturating_duration_since(now);
                    self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// The process's watchdog; its thread starts with the first call.
fn watchdog() -> &'static Watchdog {
    static WATCHDOG: OnceLock<&'static Watchdog> = OnceLock::new();
    WATCHDOG.get_or_init(|| {
        let watchdog: &'static Watchdog = Box::leak(Box::default());
        let started = thread::Builder::new().name("model deadlines".into()).spawn(|| watchdog.patrol());
        if let Err(error) = started {
            bevy::log::error!("no thread for the deadlines of models, which are not kept: {error}");
        }
        watchdog
    })
}
