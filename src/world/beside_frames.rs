//! Work on a thread of its own, whose results come in while frames go on.
//!
//! In: a closure over plain values. Out: what it hands over, in its order; how far it has come. Whoever lets go of it stops
//! it at its next part. What is absent: Bevy's task pools for the whole of it: they have one thread or two for the renderer's
//! programs and for files, which would wait meanwhile.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, TryRecvError, channel},
    },
    thread,
};

use bevy::tasks::TaskPool;

/// How far some work has come, in parts of about equal size, and whether anybody still waits for it.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicUsize,
    total: AtomicUsize,
    abandoned: AtomicBool,
}

impl Progress {
    /// One more part is done.
    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more parts are to come.
    pub fn expect(&self, parts: usize) {
        self.total.fetch_add(parts, Ordering::Relaxed);
    }

    /// Parts that are done and parts in all.
    pub fn read(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Whether nobody waits any more.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

/// Applies `work` to every item, on all threads of `pool` or on this one; results in the order of the items. `None` if
/// nobody waits for them any more.
pub fn each<T: Sync, R: Send + 'static>(
    pool: Option<&TaskPool>,
    progress: &Progress,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Option<Vec<R>> {
    let part = &|item: &T| {
        (!progress.is_abandoned()).then(|| {
            let made = work(item);
            progress.step();
            made
        })
    };
    match pool {
        Some(pool) => pool
            .scope(|scope| {
                for item in items {
                    scope.spawn(async move { part(item) });
                }
            })
            .into_iter()
            .collect(),
        None => items.iter().map(part).collect(),
    }
}

/// Work under way.
pub struct BesideFrames<T> {
    results: Mutex<Receiver<T>>,
    progress: Arc<Progress>,
}

/// What has come in since one last asked.
#[derive(Debug, PartialEq, Eq)]
pub enum News<T> {
    Nothing,
    Made(T),
    /// Everything was handed over.
    Over,
}

impl<T: Send + 'static> BesideFrames<T> {
    /// Starts `work`, which calls its first argument with every result.
    pub fn start(name: &str, work: impl Fn(&mut dyn FnMut(T), &Progress) + Send + Sync + 'static) -> Self {
        let progress = Arc::new(Progress::default());
        let (sender, results) = channel();
        let work = Arc::new(work);
        let shared = (sender.clone(), work.clone(), progress.clone());
        let there = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let (sender, work, progress) = shared;
            // A receiver that is gone has been let go of: the next part stops.
            work(&mut |made| drop(sender.send(made)), &progress);
        });
        if there.is_err() {
            // Where there are no threads, it is done now.
            work(&mut |made| drop(sender.send(made)), &progress);
        }
        Self { results: Mutex::new(results), progress }
    }

    /// What has come in; never waits.
    pub fn news(&mut self) -> News<T> {
        match self.results.get_mut().unwrap_or_else(PoisonError::into_inner).try_recv() {
            Ok(made) => News::Made(made),
            Err(TryRecvError::Empty) => News::Nothing,
            Err(TryRecvError::Disconnected) => News::Over,
        }
    }

    /// Parts that are done and parts in all.
    pub fn progress(&self) -> (usize, usize) {
        self.progress.read()
    }
}

impl<T> Drop for BesideFrames<T> {
    fn drop(&mut self) {
        self.progress.abandoned.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use bevy::tasks::TaskPoolBuilder;

    use super::*;

    #[test]
    fn progress_counts_every_part_and_results_keep_their_order() {
        let items: Vec<usize> = (0..50).collect();
        let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
        let pool = TaskPoolBuilder::new().num_threads(2).build();
        for pool in [Some(&pool), None] {
            let progress = Progress::default();
            progress.expect(50);
            assert_eq!(each(pool, &progress, &items, |item| item * 2).as_ref(), Some(&doubled));
            assert_eq!(progress.read(), (50, 50));
        }
    }

    #[test]
    fn results_come_in_order_and_then_it_is_over() {
        let mut work = BesideFrames::start("test", |hand_over: &mut dyn FnMut(u32), _: &Progress| {
            hand_over(1);
            hand_over(2);
        });
        let mut made = Vec::new();
        loop {
            match work.news() {
                News::Made(number) => made.push(number),
                News::Nothing => thread::yield_now(),
                News::Over => break,
            }
        }
        assert_eq!(made, [1, 2]);
    }

    #[test]
    fn work_that_nobody_waits_for_stops() {
        let (ended, wait) = channel();
        let ended = Mutex::new(ended);
        let work = BesideFrames::start("test", move |_: &mut dyn FnMut(()), progress: &Progress| {
            while each(None, progress, &[()], |()| thread::yield_now()).is_some() {}
            ended.lock().expect("not poisoned").send(()).expect("the test waits");
        });
        drop(work);
        wait.recv().expect("it has ended");
    }
}
