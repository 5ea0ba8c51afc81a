//! Sounds changed at random, so that a model hears more speakers, rooms and microphones than there are recordings.
//!
//! In: an utterance, noises, rooms, a stream of random numbers. Out: frames of the spectrogram as the model takes them.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::speech_corpus::{SpeechCorpus, Utterance};
use crate::signal::{
    log_mel::{BANDS, MelFrame, SAMPLE_RATE, log_mel, silent_frame},
    noise::{add_at_snr, brown_noise, in_room, pink_noise, rms, white_noise},
    sample_rate::resample,
};

/// Share of utterances that each change is made to.
const SPED: f64 = 0.8;
const IN_ROOM: f64 = 0.4;
const NOISY: f64 = 0.75;
const WARPED: f64 = 0.5;
const BAND_LIMITED: f64 = 0.15;
const ONSET_CLIPPED: f64 = 0.05;

/// The frames of an utterance as it is, with a quarter of a second of silence after it.
pub fn plain_frames(utterance: &Utterance) -> Vec<MelFrame> {
    let mut samples = to_float(utterance);
    samples.resize(samples.len() + SAMPLE_RATE / 4, 0.0);
    log_mel(&samples)
}

/// The frames of an utterance, changed: seldom and little at `strength` 0, as often and as much as play may bring at 1. The
/// phones stay true.
pub fn augmented_frames(
    utterance: &Utterance,
    corpus: &SpeechCorpus,
    strength: f64,
    rng: &mut ChaCha8Rng,
) -> Vec<MelFrame> {
    let mut voice = to_float(utterance);
    if rng.random_bool(ONSET_CLIPPED * strength) {
        // A gate that opens late; only where the engine left silence or the first sound is long enough to bear it.
        let cut = rng.random_range(0..SAMPLE_RATE / 50).min(voice.len() / 20);
        voice.drain(..cut);
    }
    if rng.random_bool(SPED * strength) {
        // Faster is also higher, in pitch and formants: the nearest thing to another throat.
        voice = resample(&voice, rng.random_range(0.8_f64.ln()..1.15_f64.ln()).exp());
    }
    if rng.random_bool(IN_ROOM * strength)
        && let Some(room) = corpus.rooms.choose(rng)
    {
        voice = in_room(&voice, room);
    }
    let level = rms(&voice);
    let lead = rng.random_range(0..SAMPLE_RATE * 2 / 5);
    let trail = rng.random_range(SAMPLE_RATE / 10..SAMPLE_RATE / 2);
    let mut samples = vec![0.0; lead];
    samples.extend(voice);
    samples.resize(samples.len() + trail, 0.0);
    if rng.random_bool(NOISY * strength) {
        let noise = noise(samples.len(), corpus, rng);
        // Often where it is hard and can still be learnt from.
        let hard = rng.random_bool(0.5 * strength);
        let ratio_db = if hard { 0.0..15.0 } else { 30.0 * (1.0 - strength as f32)..31.0 };
        add_at_snr(&mut samples, &noise, level, rng.random_range(ratio_db));
    }
    // From a whisper across the room to a shout into the microphone, which clips.
    let wanted = 10.0_f32.powf(rng.random_range(-26.0 - 19.0 * strength as f32..-8.0) / 20.0);
    let gain = wanted / level.max(1e-6);
    samples.iter_mut().for_each(|sample| *sample = (*sample * gain).clamp(-1.0, 1.0));
    let mut frames = log_mel(&samples);
    if rng.random_bool(WARPED * strength) {
        warp(&mut frames, rng.random_range(0.9..1.1));
    }
    if rng.random_bool(BAND_LIMITED * strength) {
        limit_band(&mut frames, rng.random_range(44..60));
    }
    tilt(&mut frames, strength as f32 * rng.random_range(-0.4..0.4));
    if rng.random_bool(strength) {
        mask(&mut frames, rng);
    }
    frames
}

fn to_float(utterance: &Utterance) -> Vec<f32> {
    utterance.samples.iter().map(|&sample| f32::from(sample) / 32768.0).collect()
}

fn noise(count: usize, corpus: &SpeechCorpus, rng: &mut ChaCha8Rng) -> Vec<f32> {
    match rng.random_range(0..100) {
        0..30 => match corpus.noises.choose(rng) {
            Some(noise) => {
                let start = rng.random_range(0..noise.len());
                noise.iter().cycle().skip(start).take(count).copied().collect()
            }
            None => pink_noise(count, rng),
        },
        30..55 => white_noise(count, rng),
        55..85 => pink_noise(count, rng),
        85..93 => brown_noise(count, rng),
        // Others who talk: three at once, so that no word of theirs is plain.
        _ => {
            let mut babble = vec![0.0; count];
            for _ in 0..3 {
                if let Some(other) = corpus.train.choose(rng) {
                    let start = rng.random_range(0..other.samples.len());
                    let voices = other.samples.iter().cycle().skip(start);
                    babble.iter_mut().zip(voices).for_each(|(sum, sample)| *sum += f32::from(*sample) / 32768.0);
                }
            }
            babble
        }
    }
}

/// Moves the formants: band b becomes what was at band b · `factor`.
fn warp(frames: &mut [MelFrame], factor: f32) {
    for frame in frames {
        let before = *frame;
        for (band, value) in frame.iter_mut().enumerate() {
            let at = (band as f32 * factor).min((BANDS - 1) as f32);
            let low = (at as usize).min(BANDS - 2);
            *value = before[low] + (before[low + 1] - before[low]) * (at - low as f32);
        }
    }
}

/// A telephone or a cheap microphone: nothing from band `first` up.
fn limit_band(frames: &mut [MelFrame], first: usize) {
    for frame in frames {
        for (value, silent) in frame.iter_mut().zip(silent_frame()).skip(first) {
            *value = (*value - 1.5).max(silent);
        }
    }
}

/// A microphone that hears one end of the spectrum better, by `amount` at each end.
fn tilt(frames: &mut [MelFrame], amount: f32) {
    let silent = silent_frame();
    for frame in frames {
        for (band, value) in frame.iter_mut().enumerate() {
            *value = (*value + amount * (2.0 * band as f32 / (BANDS - 1) as f32 - 1.0)).max(silent[band]);
        }
    }
}

/// Hides a few bands and a few frames.
///
/// Source: Park et al., "SpecAugment", Interspeech 2019.
fn mask(frames: &mut [MelFrame], rng: &mut ChaCha8Rng) {
    let count = frames.len() * BANDS;
    let mean = frames.iter().flatten().sum::<f32>() / count.max(1) as f32;
    for _ in 0..rng.random_range(0..=2) {
        let width = rng.random_range(1..=8);
        let first = rng.random_range(0..BANDS - width);
        frames.iter_mut().for_each(|frame| frame[first..first + width].fill(mean));
    }
    for _ in 0..rng.random_range(0..=2) {
        let width = rng.random_range(1..=5);
        if frames.len() > 4 * width {
            let first = rng.random_range(0..frames.len() - width);
            frames[first..first + width].iter_mut().for_each(|frame| frame.fill(mean));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    #[test]
    fn one_seed_makes_one_sound_and_every_sound_is_finite() {
        let tone = |hz: f32| Utterance {
            samples: (0..8000).map(|n| ((n as f32 * hz).sin() * 9000.0) as i16).collect(),
            phones: vec![1],
        };
        let corpus = SpeechCorpus {
            train: vec![tone(0.1), tone(0.3)],
            noises: vec![(0..500).map(|n| (n as f32 * 1.7).sin()).collect()],
            rooms: vec![vec![1.0, 0.0, 0.5]],
            ..Default::default()
        };
        let made = |n: u64| augmented_frames(&corpus.train[0], &corpus, 1.0, &mut Seed(1).nth(n).rng());
        for n in 0..60 {
            let frames = made(n);
            assert_eq!(frames, made(n));
            assert!(frames.len() > 30 && frames.iter().flatten().all(|value| value.is_finite()));
        }
        assert_ne!(made(0), made(1));
    }
}
