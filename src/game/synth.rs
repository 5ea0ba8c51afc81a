//! Sounds that are computed, not recorded. Pure: seconds in, samples out.

use std::f32::consts::TAU;

use rand::RngExt as _;

use crate::base::Seed;

/// Samples per second of every sound, one channel.
pub(super) const RATE_HZ: u32 = 22_050;

/// Samples of a sound of this length, −1 to 1, from a function of time in seconds; its last 5 ms fade out.
fn render(secs: f32, mut wave: impl FnMut(f32) -> f32) -> Vec<f32> {
    let count = (secs * RATE_HZ as f32) as usize;
    let fade = (0.005 * RATE_HZ as f32) as usize;
    (0..count)
        .map(|n| wave(n as f32 / RATE_HZ as f32).clamp(-1.0, 1.0) * ((count - n) as f32 / fade as f32).min(1.0))
        .collect()
}

/// Rises within `attack` seconds, then decays to 1/e every `decay` seconds.
fn envelope(t: f32, attack: f32, decay: f32) -> f32 {
    (t / attack).min(1.0) * (-(t - attack).max(0.0) / decay).exp()
}

/// A soft step: low-passed noise over a low thump. Every `variant` sounds a little different.
pub(super) fn footstep(variant: u64) -> Vec<f32> {
    let mut noise = Seed(0).derive("footstep").nth(variant).rng();
    let pitch = noise.random_range(70.0..95.0);
    let brightness = noise.random_range(0.10..0.2);
    let mut low = 0.0;
    render(0.16, |t| {
        low += brightness * (noise.random_range(-1.0..1.0) - low);
        let scuff = low * envelope(t, 0.006, 0.028);
        let thump = (TAU * pitch * t).sin() * envelope(t, 0.004, 0.03);
        0.9 * scuff + 0.35 * thump
    })
}

/// A short wooden click.
pub(super) fn click() -> Vec<f32> {
    render(0.06, |t| {
        (TAU * 1150.0 * t).sin() * envelope(t, 0.001, 0.008) * 0.4
            + (TAU * 460.0 * t).sin() * envelope(t, 0.001, 0.014) * 0.3
    })
}

/// A hand closes round something: two soft taps.
pub(super) fn grab() -> Vec<f32> {
    render(0.13, |t| {
        let tap = |t: f32, pitch: f32| if t < 0.0 { 0.0 } else { (TAU * pitch * t).sin() * envelope(t, 0.002, 0.016) };
        0.35 * tap(t, 330.0) + 0.3 * tap(t - 0.045, 410.0)
    })
}

/// Air past a throwing arm.
pub(super) fn throw() -> Vec<f32> {
    let mut noise = Seed(0).derive("throw").rng();
    let (mut low, mut lower) = (0.0, 0.0);
    render(0.28, |t| {
        low += 0.35 * (noise.random_range(-1.0..1.0) - low);
        lower += 0.06 * (low - lower);
        (low - lower) * (std::f32::consts::PI * (t / 0.28).min(1.0)).sin().powi(2) * 0.5
    })
}

/// A small voice: a bell-like tone that glides from one pitch to another. `mood` 0 is calm, 1 excited.
pub(super) fn chirp(mood: f32) -> Vec<f32> {
    let (from, to, secs) = (620.0 + 260.0 * mood, 820.0 + 620.0 * mood, 0.24 - 0.08 * mood);
    let mut phase = 0.0;
    render(secs, |t| {
        let progress = t / secs;
        let vibrato = 1.0 + 0.012 * (TAU * 22.0 * t).sin();
        phase += TAU * (from + (to - from) * progress * progress) * vibrato / RATE_HZ as f32;
        let tone = phase.sin() + 0.22 * (2.0 * phase).sin() + 0.08 * (3.0 * phase).sin();
        0.3 * tone * envelope(t, 0.02, 0.09)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_are_audible_bounded_and_end_in_silence() {
        for (name, samples) in [
            ("footstep", footstep(0)),
            ("click", click()),
            ("grab", grab()),
            ("throw", throw()),
            ("calm chirp", chirp(0.0)),
            ("excited chirp", chirp(1.0)),
        ] {
            assert!(samples.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0), "{name}");
            let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
            assert!(power.sqrt() > 0.005, "{name} is too quiet: {}", power.sqrt());
            assert!(samples.last().unwrap().abs() < 0.01, "{name} ends with a click");
            assert!(samples[0].abs() < 0.2, "{name} starts with a click");
        }
    }

    #[test]
    fn steps_differ_but_repeat() {
        assert_ne!(footstep(0), footstep(1));
        assert_eq!(footstep(1), footstep(1));
    }

    #[test]
    fn an_excited_chirp_is_higher() {
        let crossings = |samples: Vec<f32>| {
            let count = samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
            count as f32 / samples.len() as f32
        };
        assert!(crossings(chirp(1.0)) > 1.3 * crossings(chirp(0.0)));
    }
}
