//! Batches of sounds of like length, made ahead by one thread while the network works on the last.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use rand::{RngExt, seq::SliceRandom};

use super::{
    speech_augment::{augmented_frames, plain_frames},
    speech_corpus::{SpeechCorpus, Utterance},
    speech_net::{CONTEXT, steps_of},
};
use crate::{
    base::Seed,
    signal::log_mel::{BANDS, MelFrame, silent_frame},
};

/// Batches made ahead of use.
const AHEAD: usize = 6;

/// Steps over which sounds become as hard as they will be: CTC finds its first alignments in clean speech.
const EASY_STEPS: f64 = 1200.0;

/// Sounds of one step, filled up with silence to one length.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeechBatch {
    pub count: usize,
    /// Frames of the longest.
    pub frames: usize,
    /// `[count, frames, BANDS]`, row by row; each begins with the context of silence that a stream begins with.
    pub features: Vec<f32>,
    /// Steps of each that are its own.
    pub steps: Vec<i32>,
    /// `[count, longest]`, filled up with 0.
    pub phones: Vec<i32>,
    pub phone_counts: Vec<i32>,
}

/// Makes a batch of frames and phones; sounds too short for their phones are left out, so that it may be smaller.
pub fn collate<'a>(sounds: impl IntoIterator<Item = (Vec<MelFrame>, &'a [u8])>) -> SpeechBatch {
    let sounds: Vec<_> = sounds
        .into_iter()
        .filter(|(frames, phones)| steps_of(frames.len() + CONTEXT) >= least_steps(phones).max(1))
        .collect();
    let frames = CONTEXT + sounds.iter().map(|(frames, _)| frames.len()).max().unwrap_or(0);
    let longest = sounds.iter().map(|(_, phones)| phones.len()).max().unwrap_or(0);
    let mut batch = SpeechBatch {
        count: sounds.len(),
        frames,
        features: Vec::with_capacity(sounds.len() * frames * BANDS),
        steps: Vec::new(),
        phones: Vec::new(),
        phone_counts: Vec::new(),
    };
    let silence = silent_frame();
    for (own, phones) in sounds {
        batch.features.extend(silence.iter().copied().cycle().take(CONTEXT * BANDS));
        batch.features.extend(own.iter().flatten());
        batch.features.extend(silence.iter().copied().cycle().take((frames - CONTEXT - own.len()) * BANDS));
        batch.steps.push(steps_of(own.len() + CONTEXT) as i32);
        batch.phones.extend(phones.iter().map(|&phone| i32::from(phone)));
        batch.phones.extend(std::iter::repeat_n(0, longest - phones.len()));
        batch.phone_counts.push(phones.len() as i32);
    }
    batch
}

/// CTC needs a step for each phone, and one more between two that are equal.
fn least_steps(phones: &[u8]) -> usize {
    phones.len() + phones.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

/// Makes the batch of one step. Every epoch shows each sound once, with others of about its length; the first begins with the
/// shortest.
///
/// Source: "SortaGrad" in Amodei et al., "Deep Speech 2", ICML 2016.
pub fn make_speech_batch(corpus: &SpeechCorpus, size: usize, augmented: bool, step: usize, seed: Seed) -> SpeechBatch {
    let batches = corpus.train.len().div_ceil(size);
    let epoch = step / batches;
    let order = epoch_order(&corpus.train, size, epoch > 0, seed.derive("epoch").nth(epoch as u64));
    let strength = (step as f64 / EASY_STEPS).min(1.0);
    let step_seed = seed.derive("step").nth(step as u64);
    let sounds = order[step % batches].iter().enumerate().map(|(position, &index)| {
        let utterance = &corpus.train[index];
        let frames = if augmented {
            augmented_frames(utterance, corpus, strength, &mut step_seed.nth(position as u64).rng())
        } else {
            plain_frames(utterance)
        };
        (frames, utterance.phones.as_slice())
    });
    collate(sounds)
}

/// All sounds in batches of like length, from short to long or `shuffled`.
fn epoch_order(sounds: &[Utterance], size: usize, shuffled: bool, seed: Seed) -> Vec<Vec<usize>> {
    let mut rng = seed.rng();
    let mut by_length: Vec<(usize, f32)> = sounds
        .iter()
        .enumerate()
        .map(|(index, sound)| (index, sound.samples.len() as f32 * rng.random_range(0.9..1.1)))
        .collect();
    by_length.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut batches: Vec<Vec<usize>> =
        by_length.chunks(size).map(|chunk| chunk.iter().map(|(index, _)| *index).collect()).collect();
    if shuffled {
        batches.shuffle(&mut rng);
    }
    batches
}

/// Starts the thread that makes batches from `first_step` on. It ends when the receiver is dropped.
pub fn stream_speech_batches(
    corpus: Arc<SpeechCorpus>,
    size: usize,
    augmented: bool,
    first_step: usize,
    seed: Seed,
) -> Receiver<SpeechBatch> {
    let (sender, receiver) = sync_channel(AHEAD);
    thread::spawn(move || {
        for step in first_step.. {
            if sender.send(make_speech_batch(&corpus, size, augmented, step, seed)).is_err() {
                break;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_shows_every_sound_once_with_its_like() {
        let sounds: Vec<Utterance> =
            (1..=50).map(|n| Utterance { samples: vec![0; 1000 * n], phones: vec![1] }).collect();
        let order = epoch_order(&sounds, 8, true, Seed(4));
        let mut all: Vec<usize> = order.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        let ratio = |batch: &[usize]| *batch.iter().max().unwrap() as f32 / *batch.iter().min().unwrap() as f32;
        assert!(order.iter().filter(|batch| !batch.contains(&0)).all(|batch| batch.len() < 2 || ratio(batch) < 8.0));
        assert_ne!(order, epoch_order(&sounds, 8, true, Seed(5)));
    }

    #[test]
    fn batches_are_filled_up_and_what_cannot_be_aligned_is_left_out() {
        let frame = [1.0; BANDS];
        let long = (vec![frame; 30], &[3_u8, 3, 4][..]);
        let short = (vec![frame; 12], &[5_u8][..]);
        let hopeless = (vec![frame; 12], &[5_u8, 5, 6, 7][..]);
        let batch = collate([long, short, hopeless]);
        assert_eq!((batch.count, batch.frames), (2, 30 + CONTEXT));
        assert_eq!(batch.features.len(), 2 * batch.frames * BANDS);
        assert_eq!(batch.phones, [3, 3, 4, 5, 0, 0]);
        assert_eq!((batch.steps, batch.phone_counts), (vec![10, 4], vec![3, 1]));
    }
}
