//! Things made ahead of use by several threads, handed over in order.
//!
//! In: a function from a number to a thing, and the first number. Out: the things of that number, the next, and so on, the
//! same whatever the number of threads. The threads end when the stream is dropped.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use anyhow::Context;

/// Things that each thread makes ahead of use.
const AHEAD: usize = 2;

/// A stream of things made ahead.
pub struct Ahead<T> {
    /// One per thread; each thread makes every n-th thing.
    queues: Vec<Receiver<T>>,
    turn: usize,
}

impl<T: Send + 'static> Ahead<T> {
    /// Starts `threads` threads (at least one) that call `make` with `first`, `first + 1` and so on between them.
    pub fn start(threads: usize, first: usize, make: impl Fn(usize) -> T + Send + Sync + 'static) -> Self {
        let threads = threads.max(1);
        let make = Arc::new(make);
        let queues = (0..threads)
            .map(|thread| {
                let (sender, receiver) = sync_channel(AHEAD);
                let make = make.clone();
                thread::spawn(move || {
                    for number in (first + thread..).step_by(threads) {
                        if sender.send(make(number)).is_err() {
                            break;
                        }
                    }
                });
                receiver
            })
            .collect();
        Self { queues, turn: 0 }
    }

    /// The next thing; waits until it is made.
    ///
    /// # Errors
    /// - the thread whose turn it is has ended (it panicked)
    pub fn take(&mut self) -> anyhow::Result<T> {
        let thing = self.queues[self.turn].recv().context("a thread that makes training data has ended")?;
        self.turn = (self.turn + 1) % self.queues.len();
        Ok(thing)
    }
}

/// Threads that may make things beside a training: all but two of this machine's, at most ten, at least one.
pub fn spare_threads() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(2).clamp(1, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_in_order_whatever_the_threads() {
        for threads in [1, 2, 5] {
            let mut squares = Ahead::start(threads, 3, |n| n * n);
            let taken: Vec<usize> = (0..9).map(|_| squares.take().unwrap()).collect();
            assert_eq!(taken, (3..12).map(|n| n * n).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}
