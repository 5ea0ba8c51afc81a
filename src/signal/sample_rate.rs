//! Sound at another rate: a whole recording, any ratio.
//!
//! In: samples. Out: `ratio` times as many. Below half of the lower rate the spectrum stays, above it is cut. For streams
//! from a microphone use a streaming resampler; this one sees the whole recording.

/// Zero crossings of the kernel on each side.
const HALF_WIDTH: f64 = 12.0;
/// Places between two samples for which a kernel is made.
const PHASES: usize = 128;

/// `ratio` is the new rate over the old, above 0. The output has `round(length · ratio)` samples.
///
/// A sinc under a Hann window, cut at 95 % of the lower Nyquist frequency.
///
/// Source: J. O. Smith, "Digital Audio Resampling", <https://ccrma.stanford.edu/~jos/resample/>.
pub fn resample(samples: &[f32], ratio: f64) -> Vec<f32> {
    let cut = 0.95 * ratio.min(1.0);
    let reach = (HALF_WIDTH / cut).ceil() as usize;
    let taps = 2 * reach;
    // Row: place between two samples; column: weight of the sample `reach − 1` before it, and so on.
    let kernel: Vec<f32> = (0..=PHASES)
        .flat_map(|phase| {
            let offset = phase as f64 / PHASES as f64;
            (0..taps).map(move |tap| {
                let x = tap as f64 - (reach as f64 - 1.0) - offset;
                let window = 0.5 + 0.5 * (std::f64::consts::PI * x / reach as f64).cos();
                (cut * sinc(cut * x) * if x.abs() < reach as f64 { window } else { 0.0 }) as f32
            })
        })
        .collect();
    let count = (samples.len() as f64 * ratio).round() as usize;
    (0..count)
        .map(|index| {
            let at = index as f64 / ratio;
            let before = at.floor();
            let phase = ((at - before) * PHASES as f64).round() as usize;
            let weights = &kernel[phase * taps..(phase + 1) * taps];
            let first = before as isize - (reach as isize - 1);
            let from = (-first).clamp(0, taps as isize) as usize;
            let to = (samples.len() as isize - first).clamp(from as isize, taps as isize) as usize;
            let start = (first + from as isize) as usize;
            weights[from..to].iter().zip(&samples[start.min(samples.len())..]).map(|(w, s)| w * s).sum()
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, rate: f64, count: usize) -> Vec<f32> {
        (0..count).map(|n| (std::f64::consts::TAU * hz * n as f64 / rate).sin() as f32).collect()
    }

    #[test]
    fn a_tone_stays_the_tone() {
        for (from, to) in [(22_050.0, 16_000.0), (8_000.0, 16_000.0), (16_000.0, 14_321.0)] {
            let out = resample(&tone(1000.0, from, 4000), to / from);
            let expected = tone(1000.0, to, out.len());
            let worst =
                out[200..out.len() - 200].iter().zip(&expected[200..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 0.02, "{from} to {to}: {worst}");
        }
    }

    #[test]
    fn what_the_new_rate_cannot_carry_is_cut() {
        let out = resample(&tone(7000.0, 32_000.0, 8000), 8_000.0 / 32_000.0);
        assert!(out[100..out.len() - 100].iter().all(|sample| sample.abs() < 0.01));
        assert_eq!(out.len(), 2000);
        assert!(resample(&[], 0.5).is_empty());
    }
}
