//! How a head and its ears change sound from each direction: measured head-related impulse responses.
//!
//! In: a direction in the head's frame (+X right, +Y up, −Z forward, any length). Out: for each ear a delay and an impulse
//! response of minimum phase at [`RATE_HZ`], both interpolated between the measured directions. Together they are the measured
//! response, as far as ears can tell (Kulkarni, Isabelle and Colburn 1999); apart they can be interpolated without the comb
//! filter that two clicks at different times would make. What is absent: distance, rooms, the sound itself (`binaural`).
//!
//! Source: B. Gardner and K. Martin, "HRTF Measurements of a KEMAR Dummy-Head Microphone", MIT Media Lab, 1994; how they became
//! the file is in `assets/audio/head/make.py`.

use std::{array, sync::LazyLock};

use bevy::math::Vec3;
use half::f16;

/// Samples per second of the responses.
pub const RATE_HZ: u32 = 44_100;
/// Samples of a response.
pub const TAPS: usize = 128;
/// No delay is longer, samples.
pub const MAX_DELAY: f32 = 30.0;

/// Directions measured at each elevation, −40° to 90° in steps of 10°; from the front evenly to the left and round.
const CIRCLES: [usize; 14] = [56, 60, 72, 72, 72, 72, 72, 60, 56, 45, 36, 24, 12, 1];
const LOWEST_DEGREES: f32 = -40.0;
const STEP_DEGREES: f32 = 10.0;

static KEMAR: LazyLock<HeadResponses> =
    LazyLock::new(|| HeadResponses::read(include_bytes!("../../assets/audio/head/kemar.f16")));

/// What one ear hears of a click.
#[derive(Clone, Debug, PartialEq)]
pub struct EarResponse {
    /// Samples from the earliest arrival of any direction, 0 to [`MAX_DELAY`].
    pub delay: f32,
    /// Newest first: `taps[k]` weighs the sample `k` before.
    pub taps: [f32; TAPS],
}

/// The responses of one head. Its right ear hears as its left one in a mirror.
pub struct HeadResponses {
    /// Of the left ear, elevation by elevation; the last one stands for straight down, where nothing was measured.
    left: Vec<EarResponse>,
}

impl HeadResponses {
    /// A mannequin of average measures (KEMAR), made to sound right over headphones (diffuse-field equalised).
    pub fn kemar() -> &'static HeadResponses {
        &KEMAR
    }

    /// Per direction, in the order of [`CIRCLES`]: delay, then taps, as halves.
    fn read(bytes: &[u8]) -> Self {
        let numbers: Vec<f32> =
            bytes.as_chunks::<2>().0.iter().map(|pair| f16::from_le_bytes(*pair).to_f32()).collect();
        let mut left: Vec<EarResponse> = numbers
            .as_chunks::<{ TAPS + 1 }>()
            .0
            .iter()
            .map(|row| EarResponse { delay: row[0], taps: array::from_fn(|tap| row[tap + 1]) })
            .collect();
        let lowest = CIRCLES[0];
        let parts: Vec<(usize, f32)> = (0..lowest).map(|index| (index, 1.0 / lowest as f32)).collect();
        left.push(mixed(&left, &parts));
        Self { left }
    }

    /// What the left and the right ear hear from a direction.
    pub fn towards(&self, direction: Vec3) -> [EarResponse; 2] {
        let direction = direction.normalize_or(Vec3::NEG_Z);
        [direction, direction * Vec3::new(-1.0, 1.0, 1.0)]
            .map(|direction| mixed(&self.left, &neighbours(direction, self.left.len() - 1)))
    }
}

fn mixed(responses: &[EarResponse], parts: &[(usize, f32)]) -> EarResponse {
    let mut mix = EarResponse { delay: 0.0, taps: [0.0; TAPS] };
    for (index, weight) in parts {
        let Some(part) = responses.get(*index) else { continue };
        mix.delay += weight * part.delay;
        for (sum, tap) in mix.taps.iter_mut().zip(&part.taps) {
            *sum += weight * tap;
        }
    }
    mix
}

/// The measured directions around a unit direction and their weights, which add up to 1. `down` is the number of straight down.
fn neighbours(direction: Vec3, down: usize) -> [(usize, f32); 4] {
    let elevation = direction.y.clamp(-1.0, 1.0).asin().to_degrees();
    // Anticlockwise from the front, seen from above, 0 to 1 for the full circle.
    let turn = ((-direction.x).atan2(-direction.z) / std::f32::consts::TAU).rem_euclid(1.0);
    let along = |circle: usize, weight: f32| {
        let (first, count): (usize, usize) = (CIRCLES[..circle].iter().sum(), CIRCLES[circle]);
        let at = turn * count as f32;
        let (before, part) = (at.floor() as usize, at.fract());
        [(first + before % count, weight * (1.0 - part)), (first + (before + 1) % count, weight * part)]
    };
    if elevation < LOWEST_DEGREES {
        let part = (LOWEST_DEGREES - elevation) / (90.0 + LOWEST_DEGREES);
        let [a, b] = along(0, 1.0 - part);
        return [a, b, (down, part), (down, 0.0)];
    }
    let at = (elevation - LOWEST_DEGREES) / STEP_DEGREES;
    let lower = (at as usize).min(CIRCLES.len() - 2);
    let part = at - lower as f32;
    let ([a, b], [c, d]) = (along(lower, 1.0 - part), along(lower + 1, part));
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(azimuth_degrees: f32, elevation_degrees: f32) -> Vec3 {
        let (azimuth, elevation) = (azimuth_degrees.to_radians(), elevation_degrees.to_radians());
        Vec3::new(azimuth.sin() * elevation.cos(), elevation.sin(), -azimuth.cos() * elevation.cos())
    }

    fn level_db(response: &EarResponse) -> f32 {
        10.0 * response.taps.iter().map(|tap| tap * tap).sum::<f32>().log10()
    }

    /// Every direction, a degree or so apart.
    fn sphere() -> impl Iterator<Item = Vec3> {
        (-90..=90).flat_map(|elevation| (0..360).step_by(3).map(move |azimuth| at(azimuth as f32, elevation as f32)))
    }

    #[test]
    fn the_file_holds_all_measured_directions_and_sane_numbers() {
        let head = HeadResponses::kemar();
        assert_eq!(head.left.len(), CIRCLES.iter().sum::<usize>() + 1);
        for response in &head.left {
            assert!((0.0..=MAX_DELAY).contains(&response.delay), "{}", response.delay);
            assert!(response.taps.iter().all(|tap| tap.is_finite() && tap.abs() < 2.0));
            assert!((-20.0..12.0).contains(&level_db(response)), "{}", level_db(response));
        }
    }

    #[test]
    fn weights_are_a_partition_and_measured_directions_are_themselves() {
        let head = HeadResponses::kemar();
        let down = head.left.len() - 1;
        for direction in sphere() {
            let parts = neighbours(direction, down);
            let sum: f32 = parts.iter().map(|part| part.1).sum();
            assert!(
                (sum - 1.0).abs() < 1e-4 && parts.iter().all(|part| part.0 <= down && part.1 >= -1e-5),
                "{parts:?}"
            );
        }
        // To the left at the height of the ears: eighteen steps of five degrees into the fifth circle.
        let measured = &head.left[56 + 60 + 72 + 72 + 18];
        let [left, _] = head.towards(Vec3::NEG_X);
        assert!((left.delay - measured.delay).abs() < 1e-3);
        assert!(left.taps.iter().zip(&measured.taps).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn neighbouring_directions_sound_alike() {
        let head = HeadResponses::kemar();
        for direction in sphere() {
            for aside in [direction.any_orthonormal_vector(), direction.any_orthonormal_pair().1] {
                let near = (direction + 0.01 * aside).normalize();
                let pair = head.towards(direction).into_iter().zip(head.towards(near));
                for (here, there) in pair {
                    assert!((here.delay - there.delay).abs() < 1.2, "delays jump at {direction}");
                    assert!((level_db(&here) - level_db(&there)).abs() < 1.5, "levels jump at {direction}");
                }
            }
        }
    }

    #[test]
    fn the_time_between_the_ears_is_that_of_a_round_head() {
        // Woodworth 1938: a sphere of 8.75 cm radius, sound at 343 m/s.
        let head = HeadResponses::kemar();
        for azimuth in [-75.0_f32, -45.0, -20.0, 0.0, 30.0, 60.0, 85.0] {
            let [left, right] = head.towards(at(azimuth, 0.0));
            let measured_ms = (left.delay - right.delay) / 44.1;
            let angle = azimuth.to_radians();
            let expected_ms = 87.5 / 343.0 * (angle + angle.sin());
            assert!((measured_ms - expected_ms).abs() < 0.06, "{azimuth}°: {measured_ms} ms, {expected_ms} expected");
        }
    }

    #[test]
    fn the_far_ear_lies_in_the_shadow_and_the_middle_is_the_same_for_both() {
        let head = HeadResponses::kemar();
        let [left, right] = head.towards(Vec3::X);
        assert!(level_db(&right) - level_db(&left) > 8.0);
        for direction in [Vec3::NEG_Z, Vec3::Z, Vec3::Y, Vec3::NEG_Y, at(0.0, 45.0)] {
            let [left, right] = head.towards(direction);
            assert!((left.delay - right.delay).abs() < 0.05, "{direction}");
            assert!((level_db(&left) - level_db(&right)).abs() < 0.1, "{direction}");
        }
        // Not the same sound from before and behind, above and below: the pinna.
        let bright = |response: &EarResponse| {
            response.taps.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f32>()
                / response.taps.iter().map(|tap| tap * tap).sum::<f32>()
        };
        assert!(bright(&head.towards(Vec3::NEG_Z)[0]) > 1.15 * bright(&head.towards(Vec3::Z)[0]));
    }
}
