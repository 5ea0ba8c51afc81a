//! Batches of sounds of like length, made ahead by some threads while the network works on the last.
//!
//! A batch depends on its step and the seed alone, so that any number of threads makes the same batches.

use std::sync::Arc;

use rand::{
    RngExt,
    seq::{IndexedRandom, SliceRandom},
};
use rand_chacha::ChaCha8Rng;

use super::{
    ahead::Ahead,
    speech_augment::{augmented_frames, plain_frames},
    speech_corpus::{SpeechCorpus, Utterance},
    speech_net::{CONTEXT, steps_of},
};
use crate::{
    base::Seed,
    signal::log_mel::{BANDS, MelFrame, SAMPLE_RATE, silent_frame},
};

/// Two short sounds follow each other in this share of the cases, so that no word is known by being alone.
const JOINED: f64 = 0.15;
const SHORT_S: f64 = 1.6;

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
    let sounds: Vec<(Vec<MelFrame>, Vec<u8>)> = order[step % batches]
        .iter()
        .enumerate()
        .map(|(position, &index)| {
            let utterance = &corpus.train[index];
            if !augmented {
                return (plain_frames(utterance), utterance.phones.clone());
            }
            let mut rng = step_seed.nth(position as u64).rng();
            let joined = rng.random_bool(JOINED * strength).then(|| joined(utterance, corpus, &mut rng)).flatten();
            let utterance = joined.as_ref().unwrap_or(utterance);
            (augmented_frames(utterance, corpus, strength, &mut rng), utterance.phones.clone())
        })
        .collect();
    collate(sounds.iter().map(|(frames, phones)| (frames.clone(), phones.as_slice())))
}

/// A short sound with another one behind it, as loud; `None` for longer ones, or where a longer one was drawn.
fn joined(utterance: &Utterance, corpus: &SpeechCorpus, rng: &mut ChaCha8Rng) -> Option<Utterance> {
    let is_short = |sound: &Utterance| (sound.samples.len() as f64) < SHORT_S * SAMPLE_RATE as f64;
    let other = corpus.train.choose(rng)?;
    if !is_short(utterance) || !is_short(other) {
        return None;
    }
    let level = |sound: &Utterance| {
        let power: f64 = sound.samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        (power / sound.samples.len().max(1) as f64).sqrt()
    };
    let gain = (level(utterance) / level(other).max(1.0)).min(8.0);
    let mut samples = utterance.samples.clone();
    samples.resize(samples.len() + rng.random_range(0..SAMPLE_RATE / 8), 0);
    samples.extend(other.samples.iter().map(|&sample| (f64::from(sample) * gain) as i16));
    Some(Utterance { samples, phones: [utterance.phones.as_slice(), &other.phones].concat() })
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

/// Starts `threads` threads that make the batches from `first_step` on.
pub fn stream_speech_batches(
    corpus: Arc<SpeechCorpus>,
    size: usize,
    augmented: bool,
    first_step: usize,
    seed: Seed,
    threads: usize,
) -> Ahead<SpeechBatch> {
    Ahead::start(threads, first_step, move |step| make_speech_batch(&corpus, size, augmented, step, seed))
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
    fn any_number_of_threads_makes_the_same_batches_in_order() {
        let tone = |length: usize| Utterance {
            samples: (0..length).map(|n| ((n as f32 * 0.2).sin() * 9000.0) as i16).collect(),
            phones: vec![1, 2],
        };
        let train = (0..20).map(|n| tone(8_000 + 100 * n)).collect();
        let corpus = Arc::new(SpeechCorpus { train, ..Default::default() });
        let made = |threads: usize| -> Vec<SpeechBatch> {
            let mut batches = stream_speech_batches(corpus.clone(), 4, true, 1_500, Seed(3), threads);
            (0..7).map(|_| batches.take().unwrap()).collect()
        };
        assert_eq!(made(1), made(3));
        assert!(made(1).iter().any(|batch| batch.phone_counts.contains(&4)), "two sounds in one");
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
