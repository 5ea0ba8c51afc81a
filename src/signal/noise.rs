//! Noise and rooms: what stands between a voice and an ear.
//!
//! In: samples, a stream of random numbers. Out: samples. Noise has no fixed level; [`add_at_snr`] gives it one.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use realfft::RealFftPlanner;

/// Equal power at all frequencies.
pub fn white_noise(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    // The sum of three even draws is near enough to a Gaussian for an ear.
    (0..count).map(|_| (0..3).map(|_| rng.random_range(-1.0..1.0_f32)).sum()).collect()
}

/// Power falls by 3 dB an octave, to 0.05 dB from 10 Hz up.
///
/// Source: Paul Kellet's filter, <https://www.firstpr.com.au/dsp/pink-noise/>.
pub fn pink_noise(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    const POLES: [(f32, f32); 6] = [
        (0.998_86, 0.055_517_9),
        (0.993_32, 0.075_075_9),
        (0.969_00, 0.153_852),
        (0.866_50, 0.310_485_6),
        (0.550_00, 0.532_952_2),
        (-0.7616, -0.016_898),
    ];
    let mut state = [0.0; 6];
    let mut last = 0.0;
    white_noise(count, rng)
        .into_iter()
        .map(|white| {
            for (value, (pole, share)) in state.iter_mut().zip(POLES) {
                *value = pole * *value + share * white;
            }
            let pink = state.iter().sum::<f32>() + last + white * 0.5362;
            last = white * 0.115_926;
            pink
        })
        .collect()
}

/// Power falls by 6 dB an octave.
pub fn brown_noise(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut level = 0.0;
    white_noise(count, rng)
        .into_iter()
        .map(|white| {
            level = 0.995 * level + 0.05 * white;
            level
        })
        .collect()
}

/// Root of the mean square; 0 for no samples.
pub fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// Adds as much of `noise` (repeated if it is short) as leaves a voice of level `voice_rms` the given ratio, in decibels
/// of power. Silent noise adds nothing.
pub fn add_at_snr(samples: &mut [f32], noise: &[f32], voice_rms: f32, snr_db: f32) {
    let level = rms(noise);
    if level <= 1e-9 {
        return;
    }
    let gain = voice_rms / level * 10.0_f32.powf(-snr_db / 20.0);
    for (sample, noise) in samples.iter_mut().zip(noise.iter().cycle()) {
        *sample += gain * noise;
    }
}

/// The sound in a room: the convolution with the room's response, as long as the sound, as loud as before.
pub fn in_room(samples: &[f32], response: &[f32]) -> Vec<f32> {
    if samples.is_empty() || response.is_empty() {
        return samples.to_vec();
    }
    let length = (samples.len() + response.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
    let spectrum = |signal: &[f32]| {
        let mut padded = forward.make_input_vec();
        padded[..signal.len()].copy_from_slice(signal);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).expect("buffers were made by the plan");
        spectrum
    };
    let mut product = spectrum(samples);
    for (value, factor) in product.iter_mut().zip(spectrum(response)) {
        *value *= factor;
    }
    // The edges' imaginary parts are rounding errors, which the inverse refuses.
    product[0].im = 0.0;
    product[length / 2].im = 0.0;
    let mut sound = inverse.make_output_vec();
    inverse.process(&mut product, &mut sound).expect("a spectrum of real sound");
    sound.truncate(samples.len());
    let gain = rms(samples) / rms(&sound).max(1e-12);
    sound.iter_mut().for_each(|sample| *sample *= gain);
    sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Seed, signal::log_mel::log_mel};

    /// Mean log energy of the low and of the high bands.
    fn low_and_high(samples: &[f32]) -> (f32, f32) {
        let frames = log_mel(samples);
        let mean = |bands: std::ops::Range<usize>| {
            frames.iter().flat_map(|frame| &frame[bands.clone()]).sum::<f32>() / (frames.len() * bands.len()) as f32
        };
        (mean(4..12), mean(52..60))
    }

    #[test]
    fn colours_fall_towards_high_frequencies() {
        let rng = || Seed(5).rng();
        let fall = |samples: Vec<f32>| {
            let (low, high) = low_and_high(&samples);
            low - high
        };
        let (white, pink, brown) = (
            fall(white_noise(16_000, &mut rng())),
            fall(pink_noise(16_000, &mut rng())),
            fall(brown_noise(16_000, &mut rng())),
        );
        // Bands widen with frequency, so that white noise even rises.
        assert!(white < pink - 0.3 && pink < brown - 0.3, "{white} {pink} {brown}");
    }

    #[test]
    fn noise_comes_at_the_ratio_asked_for() {
        let noise = white_noise(8000, &mut Seed(2).rng());
        let mut heard = vec![0.0; 16_000];
        add_at_snr(&mut heard, &noise, 0.5, 20.0);
        assert!((rms(&heard) - 0.05).abs() < 1e-3);
        let before = heard.clone();
        add_at_snr(&mut heard, &[0.0; 10], 0.5, 0.0);
        assert_eq!(heard, before);
    }

    #[test]
    fn a_room_with_one_echo_gives_one_echo() {
        let mut click = vec![0.0; 1000];
        click[10] = 1.0;
        let mut room = vec![0.0; 300];
        room[0] = 0.8;
        room[200] = 0.6;
        let heard = in_room(&click, &room);
        assert_eq!(heard.len(), click.len());
        assert!((heard[10] - 0.8).abs() < 1e-4 && (heard[210] - 0.6).abs() < 1e-4 && heard[100].abs() < 1e-4);
    }
}
