//! A voice for tests: pulses of a larynx through formants (source and filter), syllables with falling pitch.

use std::f32::consts::TAU;

use super::SAMPLE_RATE_HZ;

/// First three formants of some vowels, Hz: Peterson and Barney, "Control methods used in a study of the vowels", 1952.
const VOWELS: [[f32; 3]; 5] = [
    [730.0, 1090.0, 2440.0],
    [270.0, 2290.0, 3010.0],
    [300.0, 870.0, 2240.0],
    [530.0, 1840.0, 2480.0],
    [570.0, 840.0, 2410.0],
];
const BANDWIDTHS: [f32; 3] = [90.0, 110.0, 170.0];

/// Seconds of syllables at a pitch in Hz; 16 kHz, peak 0.5.
pub(super) fn say(seconds: f32, pitch_hz: f32) -> Vec<f32> {
    let rate = SAMPLE_RATE_HZ as f32;
    let count = (seconds * rate) as usize;
    let mut phase = 0.0_f32;
    let mut memory = [[0.0_f32; 2]; 3];
    let mut sound: Vec<f32> = (0..count)
        .map(|index| {
            let t = index as f32 / rate;
            // A syllable every 0.24 s, with soft edges.
            let within = (t / 0.24).fract();
            let loudness = (within * 8.0).min(1.0) * ((1.0 - within) * 5.0).min(1.0);
            phase += pitch_hz * (1.0 - 0.15 * within + 0.02 * (TAU * 5.0 * t).sin()) / rate;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase = phase.fract();
            let vowel = VOWELS[(t / 0.24) as usize % VOWELS.len()];
            let mut out = pulse;
            for ((formant, bandwidth), state) in vowel.iter().zip(BANDWIDTHS).zip(&mut memory) {
                // Klatt's resonator: "Software for a cascade/parallel formant synthesizer", JASA 1980, eq. 2.
                let c = -(-TAU * bandwidth / rate).exp();
                let b = 2.0 * (-std::f32::consts::PI * bandwidth / rate).exp() * (TAU * formant / rate).cos();
                let next = (1.0 - b - c) * out + b * state[0] + c * state[1];
                *state = [next, state[0]];
                out = next;
            }
            out * loudness
        })
        .collect();
    let peak = sound.iter().fold(1e-9_f32, |peak, sample| peak.max(sample.abs()));
    sound.iter_mut().for_each(|sample| *sample *= 0.5 / peak);
    sound
}
