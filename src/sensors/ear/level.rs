//! How loud it is at the ear.

/// What silence is shown as, decibels relative to full scale.
pub const SILENCE_DBFS: f32 = -90.0;

/// Loudness, decibels relative to full scale: 0 is the loudest, [`SILENCE_DBFS`] the quietest that is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Root mean square, falling slowly.
    pub rms_dbfs: f32,
    /// Loudest sample of the last second or so.
    pub peak_dbfs: f32,
}

impl Default for Level {
    fn default() -> Self {
        Self { rms_dbfs: SILENCE_DBFS, peak_dbfs: SILENCE_DBFS }
    }
}

/// Decibels of an amplitude.
pub(super) fn dbfs(amplitude: f32) -> f32 {
    (20.0 * amplitude.max(1e-9).log10()).max(SILENCE_DBFS)
}

/// Root mean square amplitude, 0 for no samples.
pub(super) fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// Follows the loudness frame by frame: rises at once, falls by 40 dB per second (peaks by 20).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LevelMeter(pub Level);

impl LevelMeter {
    pub fn hear(&mut self, frame: &[f32], frame_s: f32) {
        let peak = frame.iter().fold(0_f32, |peak, sample| peak.max(sample.abs()));
        let fall = |before: f32, rate: f32| (before - rate * frame_s).max(SILENCE_DBFS);
        self.0.rms_dbfs = dbfs(rms(frame)).max(fall(self.0.rms_dbfs, 40.0));
        self.0.peak_dbfs = dbfs(peak).max(fall(self.0.peak_dbfs, 20.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_wave_has_its_own_level_and_silence_falls() {
        let mut meter = LevelMeter::default();
        meter.hear(&[0.1, -0.1, 0.1, -0.1], 0.016);
        assert!((meter.0.rms_dbfs + 20.0).abs() < 0.01 && (meter.0.peak_dbfs + 20.0).abs() < 0.01);
        meter.hear(&[0.0; 256], 1.0);
        assert!((meter.0.rms_dbfs + 60.0).abs() < 0.01 && (meter.0.peak_dbfs + 40.0).abs() < 0.01);
        for _ in 0..5 {
            meter.hear(&[0.0; 256], 1.0);
        }
        assert_eq!(meter.0, Level::default());
    }
}
