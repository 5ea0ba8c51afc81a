//! From whatever rate a source has to [`SAMPLE_RATE_HZ`], one channel, without aliases.
//!
//! In: samples of one channel, pieces of any length. Out: samples at 16 kHz; the first one belongs to the same moment as the
//! first one in. Delay when live: about 15 ms (a chunk of 10 ms and half of the filter).

use rubato::{Fft, FixedSync, Resampler as _, audioadapter_buffers::direct::InterleavedSlice};

use super::SAMPLE_RATE_HZ;

/// A streaming converter for one source.
pub(super) struct ToEarRate {
    /// `None`: the source has the right rate already.
    fft: Option<Fft<f32>>,
    waiting: Vec<f32>,
    chunk: Vec<f32>,
    /// Samples of the filter's delay that are still to be thrown away.
    to_skip: usize,
    /// Samples in and out, for the length of the end.
    taken: u64,
    given: u64,
    rate_hz: u32,
}

/// Rates that a source may have, samples per second.
pub(super) const RATES_HZ: std::ops::RangeInclusive<u32> = 2_000..=768_000;

impl ToEarRate {
    /// # Errors
    /// - the rate is outside [`RATES_HZ`]
    pub fn new(rate_hz: u32) -> Result<Self, String> {
        if !RATES_HZ.contains(&rate_hz) {
            return Err(format!("{rate_hz} samples per second, which is not between 2 000 and 768 000"));
        }
        let fft = if rate_hz == SAMPLE_RATE_HZ {
            None
        } else {
            let chunk = rate_hz as usize / 100;
            let fft = Fft::new(rate_hz as usize, SAMPLE_RATE_HZ as usize, chunk, 1, FixedSync::Input);
            Some(fft.map_err(|error| format!("{rate_hz} samples per second cannot be converted ({error})"))?)
        };
        let to_skip = fft.as_ref().map_or(0, |fft| fft.output_delay());
        let chunk = vec![0.0; fft.as_ref().map_or(0, |fft| fft.output_frames_max())];
        Ok(Self { fft, waiting: Vec::new(), chunk, to_skip, taken: 0, given: 0, rate_hz })
    }

    /// Converts what can be converted now and appends it to `out`. Samples that are no numbers become silence.
    pub fn convert(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.taken += samples.len() as u64;
        let clean = samples.iter().map(|sample| if sample.is_finite() { *sample } else { 0.0 });
        let Some(fft) = &mut self.fft else {
            out.extend(clean);
            self.given += samples.len() as u64;
            return;
        };
        self.waiting.extend(clean);
        let mut used = 0;
        while self.waiting.len() - used >= fft.input_frames_next() {
            let piece = &self.waiting[used..used + fft.input_frames_next()];
            let (frames_in, frames_out) = (piece.len(), self.chunk.len());
            let done = match (
                InterleavedSlice::new(piece, 1, frames_in),
                InterleavedSlice::new_mut(&mut self.chunk, 1, frames_out),
            ) {
                (Ok(from), Ok(mut to)) => fft.process_into_buffer(&from, &mut to, None).ok(),
                _ => None,
            };
            // The sizes are the resampler's own, so this is its promise and not ours.
            let (_, written) = done.expect("the resampler takes chunks of the size that it asked for");
            used += frames_in;
            let skipped = written.min(self.to_skip);
            self.to_skip -= skipped;
            self.given += (written - skipped) as u64;
            out.extend_from_slice(&self.chunk[skipped..written]);
        }
        self.waiting.drain(..used);
    }

    /// The source has ended: gives what is still inside, so that as much time comes out as went in.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let due = self.taken * u64::from(SAMPLE_RATE_HZ) / u64::from(self.rate_hz);
        let Some(fft) = &self.fft else { return };
        let silence = vec![0.0; fft.input_frames_next()];
        let mut rest = Vec::new();
        let before = self.given;
        while self.given < due {
            self.convert(&silence, &mut rest);
        }
        rest.truncate((due - before) as usize);
        out.append(&mut rest);
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(frequency_hz: f32, rate_hz: u32, seconds: f32) -> Vec<f32> {
        (0..(seconds * rate_hz as f32) as usize)
            .map(|index| 0.5 * (TAU * frequency_hz * index as f32 / rate_hz as f32).sin())
            .collect()
    }

    fn converted(samples: &[f32], rate_hz: u32, piece: usize) -> Vec<f32> {
        let mut converter = ToEarRate::new(rate_hz).unwrap();
        let mut out = Vec::new();
        for piece in samples.chunks(piece) {
            converter.convert(piece, &mut out);
        }
        converter.finish(&mut out);
        out
    }

    /// Root mean square of the middle, away from the ends.
    fn rms(samples: &[f32]) -> f32 {
        let middle = &samples[samples.len() / 4..3 * samples.len() / 4];
        (middle.iter().map(|sample| sample * sample).sum::<f32>() / middle.len() as f32).sqrt()
    }

    #[test]
    fn tones_below_half_the_rate_stay_and_those_above_vanish() {
        for rate_hz in [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000] {
            let kept = converted(&tone(1_000.0, rate_hz, 1.0), rate_hz, 333);
            assert!((rms(&kept) - 0.5 / 2_f32.sqrt()).abs() < 0.004, "{rate_hz}: {}", rms(&kept));
            // The same moment, to less than one sample (which would be 0.139): not only as loud.
            let expected = tone(1_000.0, SAMPLE_RATE_HZ, 1.0);
            let error: Vec<f32> = kept.iter().zip(&expected).map(|(got, want)| got - want).collect();
            assert!(rms(&error) < 0.12, "{rate_hz}: off by {}", rms(&error));
            if rate_hz > 20_000 {
                let folded = converted(&tone(9_500.0, rate_hz, 1.0), rate_hz, 333);
                assert!(rms(&folded) < 0.001, "{rate_hz}: 9.5 kHz comes back at {}", rms(&folded));
            }
        }
    }

    #[test]
    fn as_much_time_comes_out_as_went_in() {
        for rate_hz in [8_001, 16_000, 44_100, 48_000] {
            for samples in [0, 1, 479, 480, 48_123] {
                let out = converted(&vec![0.1; samples], rate_hz, 7_000);
                assert_eq!(out.len() as u64, samples as u64 * 16_000 / u64::from(rate_hz), "{rate_hz} {samples}");
            }
        }
    }

    #[test]
    fn absurd_rates_are_refused_and_nonsense_samples_are_silence() {
        for rate in [0, 1, 1_999, 1_000_000] {
            assert!(ToEarRate::new(rate).is_err());
        }
        assert_eq!(converted(&[f32::NAN, f32::INFINITY, 0.5], 16_000, 3), [0.0, 0.0, 0.5]);
    }
}
