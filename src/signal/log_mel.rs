//! The spectrogram that the speech model hears: one function for play, training and scores.
//!
//! In: samples of 16 kHz mono, −1 to 1, in pieces of any length. Out: frames of [`BANDS`] numbers, one every 10 ms, each
//! from the 25 ms that begin with it: Hann window, power spectrum, triangles on the mel scale, logarithm, and a fixed
//! shift and scale that bring speech to about −2…3. Nothing is measured over the utterance, so that streaming and whole
//! give the same numbers; loudness therefore stays in them, and the model learns to look past it.

use std::{fmt, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex32};

/// Samples a second.
pub const SAMPLE_RATE: usize = 16_000;
/// Samples under one frame's window: 25 ms.
pub const WINDOW: usize = 400;
/// Samples from one frame to the next: 10 ms.
pub const HOP: usize = 160;
/// Numbers in a frame.
pub const BANDS: usize = 64;

/// Length of the transform; the window is filled up with zeros.
const FFT: usize = 512;
/// Edges of the lowest and of the highest band, Hz.
const LOWEST_HZ: f64 = 60.0;
const HIGHEST_HZ: f64 = 7600.0;
/// Added before the logarithm: about what the quietest microphone hisses, so that digital silence is no abyss.
const FLOOR: f32 = 1e-6;
/// A frame's numbers are `(ln(energy + FLOOR) + SHIFT) / SCALE`.
const SHIFT: f32 = 4.0;
const SCALE: f32 = 4.0;

/// One frame: log energies of the bands, low to high.
pub type MelFrame = [f32; BANDS];

/// The frame of digital silence: what the model is told came before the first sample.
pub fn silent_frame() -> MelFrame {
    [normalised(0.0); BANDS]
}

/// Turns a stream of samples into frames.
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    filters: Vec<Filter>,
    /// Samples that no frame has passed yet.
    pending: Vec<f32>,
    windowed: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

/// One band: weights of some neighbouring bins of the spectrum.
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

impl Default for LogMel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LogMel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogMel").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

impl LogMel {
    pub fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FFT);
        let step = std::f64::consts::TAU / WINDOW as f64;
        Self {
            window: (0..WINDOW).map(|n| (0.5 - 0.5 * (step * n as f64).cos()) as f32).collect(),
            filters: filters(),
            pending: Vec::new(),
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    /// Takes the next samples of the stream; returns the frames that they complete.
    pub fn push(&mut self, samples: &[f32]) -> Vec<MelFrame> {
        self.pending.extend_from_slice(samples);
        let mut frames = Vec::new();
        let mut start = 0;
        while start + WINDOW <= self.pending.len() {
            frames.push(self.frame(start));
            start += HOP;
        }
        self.pending.drain(..start.min(self.pending.len()));
        frames
    }

    /// Forgets the stream so far.
    pub fn reset(&mut self) {
        self.pending.clear();
    }

    fn frame(&mut self, start: usize) -> MelFrame {
        self.windowed.fill(0.0);
        let samples = &self.pending[start..start + WINDOW];
        for ((out, sample), weight) in self.windowed.iter_mut().zip(samples).zip(&self.window) {
            *out = sample * weight;
        }
        self.fft
            .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
            .expect("buffers were made by the plan");
        std::array::from_fn(|band| {
            let Filter { first, weights } = &self.filters[band];
            let bins = &self.spectrum[*first..*first + weights.len()];
            normalised(bins.iter().zip(weights).map(|(bin, weight)| bin.norm_sqr() * weight).sum())
        })
    }
}

/// All frames of a whole recording.
pub fn log_mel(samples: &[f32]) -> Vec<MelFrame> {
    LogMel::new().push(samples)
}

fn normalised(energy: f32) -> f32 {
    ((energy + FLOOR).ln() + SHIFT) / SCALE
}

/// Triangles of height 1 whose corners lie evenly on the mel scale.
///
/// Source: mel as in the Hidden Markov Model Toolkit, 2595 · log10(1 + f / 700); filters of equal height.
fn filters() -> Vec<Filter> {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(LOWEST_HZ), mel(HIGHEST_HZ));
    let corner = |index: usize| hz(low + (high - low) * index as f64 / (BANDS + 1) as f64);
    let bin_hz = SAMPLE_RATE as f64 / FFT as f64;
    (0..BANDS)
        .map(|band| {
            let [left, peak, right] = [corner(band), corner(band + 1), corner(band + 2)];
            let weight = |bin: usize| {
                let at = bin as f64 * bin_hz;
                ((at - left) / (peak - left)).min((right - at) / (right - peak)).max(0.0) as f32
            };
            let first = (left / bin_hz).ceil() as usize;
            let last = (right / bin_hz).floor() as usize;
            Filter { first, weights: (first..=last).map(weight).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of two tones and a rising one, quiet at its end.
    fn signal() -> Vec<f32> {
        (0..SAMPLE_RATE)
            .map(|n| {
                let t = n as f64 / SAMPLE_RATE as f64;
                let tau = std::f64::consts::TAU;
                let tones = 0.3 * (tau * 440.0 * t).sin() + 0.05 * (tau * 5000.0 * t).sin();
                let rising = 0.1 * (tau * (100.0 * t + 1500.0 * t * t)).sin();
                let fade = if n < 12_000 { 1.0 } else { 1e-3 };
                ((tones + rising) * fade) as f32
            })
            .collect()
    }

    #[test]
    fn frames_are_those_of_the_reference_implementation() {
        // librosa 0.11, NumPy, f64: y as above; S = abs(stft(y, n_fft=512, hop_length=160, win_length=512, window=a Hann
        // window of 400 (periodic) and 112 zeros, center=False))**2; M = filters.mel(sr=16000, n_fft=512, n_mels=64,
        // fmin=60, fmax=7600, htk=True, norm=None); (log(M @ S + 1e-6) + 4) / 4.
        const BANDS_SHOWN: [usize; 8] = [0, 5, 11, 12, 30, 47, 53, 63];
        const GOLDEN: [(usize, [f32; 8]); 3] = [
            (0, [1.7050, 0.6036, 2.4498, 1.6053, -2.4308, -2.4526, 1.5907, -2.4537]),
            (60, [-1.0701, -0.3347, 2.4498, 1.6054, -0.8239, -2.4518, 1.5907, -2.4537]),
            (97, [-2.4539, -2.4528, -1.0034, -1.8270, -2.4539, -2.4539, -1.8407, -2.4539]),
        ];
        let frames = log_mel(&signal());
        assert_eq!(frames.len(), 1 + (SAMPLE_RATE - WINDOW) / HOP);
        for (index, expected) in GOLDEN {
            let found = BANDS_SHOWN.map(|band| frames[index][band]);
            let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-3, "frame {index}: {found:?}, reference {expected:?}");
        }
    }

    #[test]
    fn pieces_give_the_frames_of_the_whole() {
        let signal = signal();
        let whole = log_mel(&signal);
        for piece in [1, 77, 160, 400, 1000] {
            let mut stream = LogMel::new();
            let frames: Vec<MelFrame> = signal.chunks(piece).flat_map(|piece| stream.push(piece)).collect();
            assert!(frames == whole, "pieces of {piece} samples");
        }
    }

    #[test]
    fn silence_is_the_silent_frame_and_louder_is_more() {
        assert_eq!(log_mel(&[0.0; WINDOW]), [silent_frame()]);
        let signal = signal();
        let quiet = log_mel(&signal[..WINDOW])[0];
        let louder: Vec<f32> = signal[..WINDOW].iter().map(|sample| sample * 2.0).collect();
        // Twice the amplitude is four times the energy; only far above the floor exactly.
        assert!((log_mel(&louder)[0][11] - quiet[11] - 4.0_f32.ln() / SCALE).abs() < 1e-4);
    }

    #[test]
    fn every_band_hears_something() {
        assert!(filters().iter().all(|filter| filter.weights.iter().sum::<f32>() > 0.1));
    }
}
