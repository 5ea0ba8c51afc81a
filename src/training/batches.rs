//! Batches of training pictures, made ahead by one thread while the network works on the last.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use rand::{RngExt, seq::SliceRandom};

use super::{
    augment::{Augmentation, Sample, make_sample},
    frames::FrameSet,
};
use crate::base::Seed;

/// Batches made ahead of use.
const AHEAD: usize = 3;

/// What one step trains on.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchPlan {
    pub size: usize,
    /// Sides that pictures may have, multiples of 32; one a batch.
    pub sides: Vec<usize>,
    pub augmentation: Augmentation,
}

/// One batch: square pictures of one side.
#[derive(Clone, Debug)]
pub struct Batch {
    pub step: usize,
    pub side: usize,
    pub samples: Vec<Sample>,
}

/// Makes the batch of one step. Every epoch shows each frame once, in an order of its own.
pub fn make_batch(frames: &FrameSet, plan: &BatchPlan, step: usize, seed: Seed) -> Batch {
    let step_seed = seed.derive("step").nth(step as u64);
    let side = plan.sides[step_seed.derive("side").rng().random_range(0..plan.sides.len())];
    let samples = (0..plan.size)
        .map(|position| {
            let drawn = step * plan.size + position;
            let frame = shuffled(frames.len(), drawn / frames.len(), seed)[drawn % frames.len()];
            make_sample(frames, frame, side, &plan.augmentation, step_seed.derive("picture").nth(position as u64))
        })
        .collect();
    Batch { step, side, samples }
}

fn shuffled(count: usize, epoch: usize, seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut seed.derive("epoch").nth(epoch as u64).rng());
    order
}

/// Starts the thread that makes batches from `first_step` on. It ends when the receiver is dropped.
pub fn stream_batches(frames: Arc<FrameSet>, plan: BatchPlan, first_step: usize, seed: Seed) -> Receiver<Batch> {
    let (sender, receiver) = sync_channel(AHEAD);
    thread::spawn(move || {
        for step in first_step.. {
            if sender.send(make_batch(&frames, &plan, step, seed)).is_err() {
                break;
            }
        }
    });
    receiver
}
