//! Maths on pictures that tile: their right edge continues at their left one, their bottom at their top.
//!
//! In: planes of values, row-major, `width` columns. Out: normals, hollows, smaller levels, how well the edges meet.
//! Everything here wraps around.

use bevy::math::{Vec3, Vec4};

/// The value of a plane at any column and row, wrapped.
fn at(plane: &[f32], width: usize, x: isize, y: isize) -> f32 {
    let height = plane.len() / width;
    plane[y.rem_euclid(height as isize) as usize * width + x.rem_euclid(width as isize) as usize]
}

/// Unit normals of a relief in tangent space: x along growing columns, y up in the picture, z out of it. A height of 1 lies
/// `relief` times the picture's width above a height of 0. Central differences.
pub fn normals_from_height(height: &[f32], width: usize, relief: f32) -> Vec<Vec3> {
    let slope = 0.5 * relief * width as f32;
    (0..height.len())
        .map(|i| {
            let (x, y) = ((i % width) as isize, (i / width) as isize);
            let right = at(height, width, x + 1, y) - at(height, width, x - 1, y);
            let down = at(height, width, x, y + 1) - at(height, width, x, y - 1);
            Vec3::new(-right * slope, down * slope, 1.0).normalize()
        })
        .collect()
}

/// The mean over a square of `2 · radius + 1` texels about each texel.
pub fn box_blurred(plane: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let height = plane.len() / width;
    let mut rows = vec![0.0; plane.len()];
    for (out, line) in rows.chunks_exact_mut(width).zip(plane.chunks_exact(width)) {
        sliding_means(width, radius, |x| line[x], |x, mean| out[x] = mean);
    }
    let mut all = vec![0.0; plane.len()];
    for x in 0..width {
        sliding_means(height, radius, |y| rows[y * width + x], |y, mean| all[y * width + x] = mean);
    }
    all
}

/// Means over `2 · radius + 1` neighbours on a ring of `count` values.
fn sliding_means(count: usize, radius: usize, value: impl Fn(usize) -> f32, mut put: impl FnMut(usize, f32)) {
    let radius = radius.min(count.saturating_sub(1) / 2);
    let wrap = |i: isize| i.rem_euclid(count as isize) as usize;
    let reach = radius as isize;
    let mut sum: f64 = (-reach..=reach).map(|i| f64::from(value(wrap(i)))).sum();
    for i in 0..count as isize {
        put(i as usize, (sum / (2 * radius + 1) as f64) as f32);
        sum += f64::from(value(wrap(i + reach + 1))) - f64::from(value(wrap(i - reach)));
    }
}

/// How much light from all around reaches each texel of a relief, 0 to 1: what lies below its surroundings (a 32nd of the
/// width about it) gets less, down to 0.4. `relief` as in [`normals_from_height`].
pub fn hollows_from_height(height: &[f32], width: usize, relief: f32) -> Vec<f32> {
    let around = box_blurred(height, width, (width / 32).max(1));
    // Depth over the distance to the rim: a hollow as deep as it is wide gets half the light.
    let steepness = relief * 32.0;
    height.iter().zip(&around).map(|(here, rim)| (1.0 - 0.5 * steepness * (rim - here).max(0.0)).max(0.4)).collect()
}

/// Gradient energy across the wrap and inside: sums of squared differences of neighbours, and their numbers. Sums of several
/// planes or pictures are added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SeamEnergy {
    across: f64,
    across_pairs: u64,
    inside: f64,
    inside_pairs: u64,
}

impl SeamEnergy {
    /// Of one plane.
    pub fn of(plane: &[f32], width: usize) -> Self {
        let mut energy = Self::default();
        let height = plane.len() / width;
        for (i, value) in plane.iter().enumerate() {
            let (x, y) = (i % width, i / width);
            for (neighbour, wraps) in [
                (at(plane, width, x as isize + 1, y as isize), x + 1 == width),
                (at(plane, width, x as isize, y as isize + 1), y + 1 == height),
            ] {
                let squared = f64::from(neighbour - value).powi(2);
                if wraps {
                    energy.across += squared;
                    energy.across_pairs += 1;
                } else {
                    energy.inside += squared;
                    energy.inside_pairs += 1;
                }
            }
        }
        energy
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            across: self.across + other.across,
            across_pairs: self.across_pairs + other.across_pairs,
            inside: self.inside + other.inside,
            inside_pairs: self.inside_pairs + other.inside_pairs,
        }
    }

    /// Mean energy across the wrap over mean energy inside: 1 where nothing tells the seam. 1 for flat planes, infinite
    /// where only the seam has an edge.
    pub fn ratio(&self) -> f64 {
        let mean = |sum: f64, pairs: u64| sum / pairs.max(1) as f64;
        let (across, inside) = (mean(self.across, self.across_pairs), mean(self.inside, self.inside_pairs));
        match (across > 0.0, inside > 0.0) {
            (false, _) if inside == 0.0 => 1.0,
            (true, false) => f64::INFINITY,
            _ => across / inside,
        }
    }
}

/// [`SeamEnergy::ratio`] of one plane.
pub fn seam_ratio(plane: &[f32], width: usize) -> f64 {
    SeamEnergy::of(plane, width).ratio()
}

/// All levels of a picture, largest first, down to one texel: each side is half of that before, rounded down, and a texel is
/// the mean of those that it covers, `mend`ed.
pub fn mip_chain(picture: Vec<Vec4>, width: usize, mend: impl Fn(Vec4) -> Vec4) -> Vec<Vec<Vec4>> {
    let (mut width, mut height) = (width, picture.len() / width);
    let mut levels = vec![picture];
    while width > 1 || height > 1 {
        let (next_width, next_height) = ((width / 2).max(1), (height / 2).max(1));
        let columns: Vec<_> = (0..next_width).map(|x| covered(x, width, next_width)).collect();
        let level = &levels[levels.len() - 1];
        let mut next = Vec::with_capacity(next_width * next_height);
        for y in 0..next_height {
            let rows = covered(y, height, next_height);
            for columns in &columns {
                let mut sum = Vec4::ZERO;
                for (row, row_share) in rows.iter().filter(|(_, share)| *share > 0.0) {
                    for (column, share) in columns.iter().filter(|(_, share)| *share > 0.0) {
                        sum += level[row * width + column] * (row_share * share);
                    }
                }
                next.push(mend(sum));
            }
        }
        levels.push(next);
        (width, height) = (next_width, next_height);
    }
    levels
}

/// The texels of a line of `from` that texel `index` of a line of `to` covers, and their shares, which sum to 1.
fn covered(index: usize, from: usize, to: usize) -> [(usize, f32); 4] {
    let step = from as f32 / to as f32;
    let (start, end) = (index as f32 * step, (index + 1) as f32 * step);
    let first = start as usize;
    [0, 1, 2, 3].map(|k| {
        let texel = first + k;
        let share = (end.min((texel + 1) as f32) - start.max(texel as f32)).max(0.0) / step;
        (texel.min(from - 1), share)
    })
}

/// sRGB 0 to 1 to linear. Source: IEC 61966-2-1.
pub fn linear_from_srgb(x: f32) -> f32 {
    if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
}

/// Linear 0 to 1 to sRGB. Source: IEC 61966-2-1.
pub fn srgb_from_linear(x: f32) -> f32 {
    if x <= 0.003_130_8 { 12.92 * x } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn plane(width: usize, height: usize, value: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        (0..width * height)
            .map(|i| value((i % width) as f32 / width as f32, (i / width) as f32 / height as f32))
            .collect()
    }

    #[test]
    fn normals_of_a_wave_are_those_of_its_derivative_and_wrap() {
        let n = 128;
        let height = plane(n, n, |x, _| 0.5 + 0.5 * (TAU * x).sin());
        let normals = normals_from_height(&height, n, 0.1);
        for (i, normal) in normals.iter().enumerate() {
            assert!((normal.length() - 1.0).abs() < 1e-5);
            // d(0.1 · (0.5 + 0.5 sin 2πx)) / dx.
            let slope = 0.05 * TAU * (TAU * (i % n) as f32 / n as f32).cos();
            let expected = Vec3::new(-slope, 0.0, 1.0).normalize();
            assert!(normal.abs_diff_eq(expected, 2e-3), "{i}: {normal} ≠ {expected}");
        }
        // What falls towards the bottom of the picture looks down: −y.
        let falling = normals_from_height(&plane(8, 8, |_, y| 1.0 - y), 8, 0.1);
        assert!(falling[3 * 8 + 3].y < 0.0, "{}", falling[3 * 8 + 3]);
    }

    #[test]
    fn a_seam_is_found_and_a_wave_has_none() {
        let wave = plane(64, 64, |x, y| (TAU * x).sin() + (TAU * 2.0 * y).cos());
        let ratio = seam_ratio(&wave, 64);
        assert!((0.2..3.0).contains(&ratio), "{ratio}");
        // Moved by any amount, a picture that tiles is as seamless.
        let moved = plane(64, 64, |x, y| (TAU * (x + 0.25)).sin() + (TAU * 2.0 * (y + 0.3)).cos());
        let ramp = plane(64, 64, |x, _| x);
        assert!(seam_ratio(&ramp, 64) > 1000.0);
        assert!(seam_ratio(&moved, 64) < 3.0);
        assert_eq!(seam_ratio(&[0.3; 16], 4), 1.0);
        let both = SeamEnergy::of(&ramp, 64).plus(SeamEnergy::of(&wave, 64));
        assert!(both.ratio() > ratio && both.ratio() < seam_ratio(&ramp, 64));
    }

    #[test]
    fn levels_keep_the_mean_and_end_with_one_texel() {
        for (width, height) in [(8, 8), (96, 32), (6, 3)] {
            let picture: Vec<Vec4> = plane(width, height, |x, y| x + y * y).into_iter().map(Vec4::splat).collect();
            let mean = picture.iter().map(|v| v.x).sum::<f32>() / picture.len() as f32;
            let levels = mip_chain(picture, width, |v| v);
            let last = &levels[levels.len() - 1];
            assert_eq!(levels.len(), width.max(height).ilog2() as usize + 1);
            assert_eq!(last.len(), 1);
            assert!((last[0].x - mean).abs() < 1e-4, "{width} × {height}: {} ≠ {mean}", last[0].x);
        }
    }

    #[test]
    fn hollows_are_darker_than_ridges() {
        let height = plane(64, 64, |x, _| 0.5 + 0.5 * (TAU * 8.0 * x).sin());
        let light = hollows_from_height(&height, 64, 0.03);
        let (deep, high) = (light[6], light[2]);
        assert!(deep < 0.9 && high == 1.0, "{deep} {high}");
        assert!(light.iter().all(|share| (0.4..=1.0).contains(share)));
        assert_eq!(box_blurred(&[2.0; 12], 4, 5), [2.0; 12]);
    }

    #[test]
    fn srgb_and_linear_are_each_others_inverse() {
        for x in [0.0, 0.002, 0.04, 0.2, 0.5, 1.0] {
            assert!((srgb_from_linear(linear_from_srgb(x)) - x).abs() < 1e-5, "{x}");
        }
        assert!((linear_from_srgb(128.0 / 255.0) - 0.215_86).abs() < 1e-4);
    }
}
