//! One sound at a place, for two ears: a stream of blocks through the head's responses.
//!
//! In: blocks of one channel at [`RATE_HZ`] and where the sound is by the end of each, [`Placement`]. Out: blocks of two channels,
//! left and right, later by less than a millisecond. A placement that moves is followed smoothly: the direction within some
//! hundredths of a second, the delays gliding as they do when something moves, the responses crossfaded over each block.
//! Allocates nothing and waits for nobody, so it may run on the thread that feeds the device.
//!
//! Source: J.-M. Jot, V. Larcher and O. Warusfel, "Digital Signal Processing Issues in the Context of Binaural and Transaural
//! Stereophony", AES 1995 (minimum phase and pure delay, interpolated apart).

use bevy::math::Vec3;

use super::head_responses::{EarResponse, HeadResponses, MAX_DELAY, RATE_HZ, TAPS};

/// Samples of a block: 2.9 ms.
pub const BLOCK: usize = 128;
/// A sound that has ended is heard for so many samples more.
pub const TAIL: usize = TAPS + KEPT;

/// What of the past of the sound is kept for the delays, samples.
const KEPT: usize = MAX_DELAY as usize + 6;
/// Interpolating between samples looks so far ahead.
const AHEAD: f32 = 2.0;
/// The direction and the loudness follow within this time, seconds.
const FOLLOW_SECS: f32 = 0.015;
/// Directions nearer than this are one, about a twentieth of a degree.
const SAME: f32 = 0.001;

/// Where a sound is as the head hears it, and how loud.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// In the head's frame: +X right, +Y up, −Z forward; unit length.
    pub direction: Vec3,
    /// Linear.
    pub gain: f32,
}

/// One sound's way to two ears.
pub struct Binaural {
    head: &'static HeadResponses,
    now: Placement,
    ears: [Ear; 2],
    /// The newest samples of the sound, oldest first.
    sound: [f32; KEPT + BLOCK],
}

struct Ear {
    /// Samples before the sound is there.
    delay: f32,
    /// Oldest sample's weight first.
    weights: [f32; TAPS],
    /// The sound as it arrives, oldest first.
    arrived: [f32; TAPS - 1 + BLOCK],
}

impl Ear {
    fn new(response: &EarResponse) -> Self {
        Self { delay: response.delay, weights: reversed(&response.taps), arrived: [0.0; TAPS - 1 + BLOCK] }
    }
}

fn reversed(taps: &[f32; TAPS]) -> [f32; TAPS] {
    let mut weights = *taps;
    weights.reverse();
    weights
}

impl Binaural {
    /// A sound that begins at a place.
    pub fn new(head: &'static HeadResponses, place: Placement) -> Self {
        let ears = head.towards(place.direction).each_ref().map(Ear::new);
        Self { head, now: place, ears, sound: [0.0; KEPT + BLOCK] }
    }

    /// The next block of the sound, as the ears hear it: left and right.
    pub fn render(&mut self, block: &[f32; BLOCK], place: Placement) -> [[f32; BLOCK]; 2] {
        self.sound.copy_within(BLOCK.., 0);
        self.sound[KEPT..].copy_from_slice(block);
        let before = self.now;
        self.now = follow(before, place);
        let moved = self.now.direction != before.direction;
        let responses = moved.then(|| self.head.towards(self.now.direction));
        let gains = [before.gain, self.now.gain];
        let mut heard = [[0.0; BLOCK]; 2];
        for (index, (ear, heard)) in self.ears.iter_mut().zip(&mut heard).enumerate() {
            let next = responses.as_ref().map(|responses| &responses[index]);
            ear.hear(&self.sound, next, gains, heard);
        }
        heard
    }
}

impl Ear {
    /// Hears a block; where the response changes, it does so on the way.
    fn hear(
        &mut self,
        sound: &[f32; KEPT + BLOCK],
        next: Option<&EarResponse>,
        gains: [f32; 2],
        heard: &mut [f32; BLOCK],
    ) {
        self.arrived.copy_within(BLOCK.., 0);
        let to_delay = next.map_or(self.delay, |next| next.delay);
        for (n, arrived) in self.arrived[TAPS - 1..].iter_mut().enumerate() {
            let delay = self.delay + (to_delay - self.delay) * progress(n);
            *arrived = between(sound, (KEPT + n) as f32 - AHEAD - delay);
        }
        self.delay = to_delay;
        let weights = next.map(|next| reversed(&next.taps));
        for (n, heard) in heard.iter_mut().enumerate() {
            let window = &self.arrived[n..n + TAPS];
            let mut sum = dot(&self.weights, window);
            if let Some(weights) = &weights {
                sum += (dot(weights, window) - sum) * progress(n);
            }
            *heard = sum * (gains[0] + (gains[1] - gains[0]) * progress(n));
        }
        if let Some(weights) = weights {
            self.weights = weights;
        }
    }
}

/// How much of a block is over with its sample `n`, above 0 to 1.
fn progress(n: usize) -> f32 {
    (n + 1) as f32 / BLOCK as f32
}

/// One block's way towards a place.
fn follow(now: Placement, to: Placement) -> Placement {
    let part = 1.0 - (-(BLOCK as f32) / (FOLLOW_SECS * RATE_HZ as f32)).exp();
    let gain = if (to.gain - now.gain).abs() < 1e-4 { to.gain } else { now.gain + part * (to.gain - now.gain) };
    let direction = if now.direction.distance(to.direction) < SAME {
        to.direction
    } else {
        // To the very opposite there is no shortest way: any is begun.
        let opposite = now.direction.dot(to.direction) < -0.99;
        let goal = if opposite { now.direction.any_orthonormal_vector() } else { to.direction };
        now.direction.lerp(goal, part).normalize_or(to.direction)
    };
    Placement { direction, gain }
}

/// The sound at a place between two samples: a cubic through the four around it (Lagrange).
fn between(sound: &[f32; KEPT + BLOCK], at: f32) -> f32 {
    let before = (at as usize).clamp(1, KEPT + BLOCK - 3);
    let f = at - before as f32;
    let [a, b, c, d] = [sound[before - 1], sound[before], sound[before + 1], sound[before + 2]];
    let (g, h, k) = (f + 1.0, f - 1.0, f - 2.0);
    -a * f * h * k / 6.0 + b * g * h * k / 2.0 - c * g * f * k / 2.0 + d * g * f * h / 6.0
}

/// Eight sums side by side, which the compiler turns into vector instructions.
fn dot(weights: &[f32; TAPS], window: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (weights, window) in weights.as_chunks::<8>().0.iter().zip(window.as_chunks::<8>().0) {
        for ((sum, weight), sample) in sums.iter_mut().zip(weights).zip(window) {
            *sum += weight * sample;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use bevy::math::Quat;

    use super::*;

    fn place(direction: Vec3) -> Placement {
        Placement { direction: direction.normalize(), gain: 1.0 }
    }

    /// Plays samples from where `at` says for each block.
    fn play(samples: &[f32], at: impl Fn(usize) -> Placement) -> [Vec<f32>; 2] {
        let mut binaural = Binaural::new(HeadResponses::kemar(), at(0));
        let mut ears = [Vec::new(), Vec::new()];
        for (index, chunk) in samples.chunks(BLOCK).enumerate() {
            let mut block = [0.0; BLOCK];
            block[..chunk.len()].copy_from_slice(chunk);
            for (ear, heard) in ears.iter_mut().zip(binaural.render(&block, at(index))) {
                ear.extend(heard);
            }
        }
        ears
    }

    fn click_from(direction: Vec3) -> [Vec<f32>; 2] {
        let mut click = [0.0; 4 * BLOCK];
        click[10] = 1.0;
        play(&click, |_| place(direction))
    }

    fn level_db(samples: &[f32]) -> f32 {
        10.0 * samples.iter().map(|sample| sample * sample).sum::<f32>().log10()
    }

    /// Milliseconds by which the left ear hears the same thing later: the peak of the cross-correlation, to a tenth of a sample.
    fn left_later_ms([left, right]: &[Vec<f32>; 2]) -> f32 {
        // Below about 1.5 kHz, where the ears compare times.
        let low = |samples: &[f32]| {
            let mut state = [0.0_f32; 2];
            let step = samples.iter().map(|sample| {
                state[0] += 0.2 * (sample - state[0]);
                state[1] += 0.2 * (state[0] - state[1]);
                state[1]
            });
            step.collect::<Vec<f32>>()
        };
        let (left, right) = (low(left), low(right));
        let alike = |lag: isize| -> f32 {
            let pairs =
                (0..right.len() as isize).filter_map(|n| Some((right[n as usize], *left.get((n + lag) as usize)?)));
            pairs.map(|(a, b)| a * b).sum()
        };
        let best = (-60..=60).max_by(|a, b| alike(*a).total_cmp(&alike(*b))).unwrap();
        let [a, b, c] = [alike(best - 1), alike(best), alike(best + 1)];
        (best as f32 + 0.5 * (a - c) / (a - 2.0 * b + c)) / 44.1
    }

    #[test]
    fn a_click_from_the_right_is_sooner_and_louder_in_the_right_ear() {
        let ears = click_from(Vec3::X);
        let later = left_later_ms(&ears);
        assert!((0.55..0.75).contains(&later), "{later} ms");
        assert!(level_db(&ears[1]) - level_db(&ears[0]) > 8.0);
        println!("from the right: {later:.3} ms sooner, {:.1} dB louder", level_db(&ears[1]) - level_db(&ears[0]));
        let mirrored = click_from(Vec3::NEG_X);
        assert!((left_later_ms(&mirrored) + later).abs() < 0.005);
        assert!((level_db(&mirrored[0]) - level_db(&ears[1])).abs() < 0.01);
    }

    #[test]
    fn what_is_ahead_is_the_same_in_both_ears() {
        let ears = click_from(Vec3::NEG_Z);
        assert!(left_later_ms(&ears).abs() < 0.005 && (level_db(&ears[0]) - level_db(&ears[1])).abs() < 0.1);
        let sums = ears.map(|ear| ear.iter().sum::<f32>());
        assert!(
            (sums[0] - sums[1]).abs() < 0.01 && (0.8..1.25).contains(&sums[0]),
            "low tones pass as they are: {sums:?}"
        );
    }

    #[test]
    fn a_still_sound_is_the_convolution_with_the_response() {
        let direction = Vec3::new(0.3, 0.5, 0.4);
        let ears = click_from(direction);
        for (heard, response) in ears.iter().zip(HeadResponses::kemar().towards(direction)) {
            // Before the click is there, nothing; after its end, nothing.
            let begin = 10 + response.delay as usize;
            assert!(heard[..begin].iter().all(|sample| sample.abs() < 1e-3));
            assert!(heard[begin + TAIL..].iter().all(|sample| *sample == 0.0));
            let energy: f32 = response.taps.iter().map(|tap| tap * tap).sum();
            let heard: f32 = heard.iter().map(|sample| sample * sample).sum();
            // Interpolating between samples costs some of the highest tones.
            assert!((0.6..1.02).contains(&(heard / energy)), "{}", heard / energy);
        }
    }

    #[test]
    fn it_moves_without_a_click() {
        let tone = |hz: f32| -> Vec<f32> {
            (0..44_100).map(|n| (std::f32::consts::TAU * hz * n as f32 / 44_100.0).sin()).collect()
        };
        let steepest = |ears: &[Vec<f32>; 2]| {
            ears.iter().flat_map(|ear| ear.windows(2).map(|pair| (pair[1] - pair[0]).abs())).fold(0.0, f32::max)
        };
        for hz in [120.0, 900.0] {
            let tone = tone(hz);
            let loudest_still = [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Z, Vec3::Z]
                .map(|direction| steepest(&play(&tone, |_| place(direction))))
                .into_iter()
                .fold(0.0, f32::max);
            // A head that shakes about once a second; one that turns round in a block; a jump to the opposite and near.
            let shaken =
                play(&tone, |block| place(Quat::from_rotation_y(3.0 * (0.018 * block as f32).sin()) * Vec3::X));
            let jumping = play(&tone, |block| {
                let side = if block / 20 % 2 == 0 { Vec3::X } else { Vec3::NEG_X };
                Placement { direction: side, gain: if block / 20 % 2 == 0 { 1.0 } else { 0.3 } }
            });
            for (what, ears) in [("shaken", shaken), ("jumping", jumping)] {
                assert!(ears.iter().flatten().all(|sample| sample.is_finite()), "{what}");
                let step = steepest(&ears);
                assert!(step < 1.25 * loudest_still, "{what}, {hz} Hz: {step}, at rest {loudest_still}");
            }
        }
    }

    #[test]
    fn any_direction_and_gain_is_finite() {
        let noise: Vec<f32> = (0..20 * BLOCK).map(|n| ((n * 7919 % 1009) as f32 / 504.5) - 1.0).collect();
        for direction in [Vec3::ZERO, Vec3::NEG_Y, Vec3::Y, Vec3::splat(f32::MIN_POSITIVE)] {
            let ears = play(&noise, |block| Placement { direction, gain: (block % 2) as f32 });
            assert!(ears.iter().flatten().all(|sample| sample.is_finite() && sample.abs() < 8.0), "{direction}");
        }
    }
}
