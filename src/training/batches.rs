//! Batches of training pictures, made ahead by threads of their own while the network works on the last.

use std::sync::Arc;

use rand::{RngExt, seq::SliceRandom};

use super::{
    ahead::Ahead,
    augment::{Augmentation, make_sample},
    close_ups::Subjects,
    frames::FrameSet,
};
use crate::{base::Seed, signal::TrueBox};

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
    /// RGB, 8 bits a channel as in play, `[pictures, side, side, 3]`.
    pub pixels: Vec<u8>,
    /// Of each picture.
    pub truths: Vec<Vec<TrueBox>>,
}

/// Makes the batch of one step. Every epoch shows each frame once, in an order of its own.
pub fn make_batch(frames: &FrameSet, subjects: &Subjects, plan: &BatchPlan, step: usize, seed: Seed) -> Batch {
    let step_seed = seed.derive("step").nth(step as u64);
    let side = plan.sides[step_seed.derive("side").rng().random_range(0..plan.sides.len())];
    let mut pixels = Vec::with_capacity(plan.size * 3 * side * side);
    let mut truths = Vec::with_capacity(plan.size);
    let mut order = (usize::MAX, Vec::new());
    for position in 0..plan.size {
        let drawn = step * plan.size + position;
        let epoch = drawn / frames.len();
        if order.0 != epoch {
            order = (epoch, shuffled(frames.len(), epoch, seed));
        }
        let frame = order.1[drawn % frames.len()];
        let seed = step_seed.derive("picture").nth(position as u64);
        let sample = make_sample(frames, subjects, frame, side, &plan.augmentation, seed);
        pixels.extend(sample.pixels.iter().map(|value| (value * 255.0).round() as u8));
        truths.push(sample.truths);
    }
    Batch { step, side, pixels, truths }
}

fn shuffled(count: usize, epoch: usize, seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut seed.derive("epoch").nth(epoch as u64).rng());
    order
}

/// Starts `threads` threads that make the batches from `first_step` on.
pub fn stream_batches(
    frames: Arc<FrameSet>,
    plan: BatchPlan,
    first_step: usize,
    seed: Seed,
    threads: usize,
) -> Ahead<Batch> {
    let subjects = Subjects::of(&frames);
    Ahead::start(threads, first_step, move |step| make_batch(&frames, &subjects, &plan, step, seed))
}
