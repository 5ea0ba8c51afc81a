//! Noise that repeats: gradient noise, its octaves, and cells, on a lattice whose opposite edges are one.
//!
//! The lattice lookup wraps at an integer period, so a picture of one period tiles without a seam. Values depend on seed
//! and position only.

use std::sync::LazyLock;

use bevy::math::{IVec2, Vec2};

/// Gradients: directions all around. A table, because surfaces ask for tens of millions of them.
static DIRECTIONS: LazyLock<[Vec2; 256]> =
    LazyLock::new(|| std::array::from_fn(|index| Vec2::from_angle(index as f32 * (std::f32::consts::TAU / 256.0))));

/// One field of noise.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    seed: u32,
}

/// The cell that a point lies in (Worley 1996).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Distances to the nearest and the second nearest feature point, in cells.
    pub nearest: f32,
    pub second: f32,
    /// A random number for the cell.
    pub id: u32,
}

impl Noise {
    pub fn new(seed: u32) -> Self {
        Self { seed: mix(seed ^ 0x9e37_79b9) }
    }

    /// Another field, independent of this one.
    pub fn other(&self, index: u32) -> Self {
        Self { seed: mix(self.seed ^ index.wrapping_mul(0x27d4_eb2f)) }
    }

    /// A random number for a lattice point.
    pub fn hash(&self, x: i32, y: i32) -> u32 {
        mix(mix(self.seed ^ (x as u32).wrapping_mul(0x85eb_ca6b)) ^ (y as u32).wrapping_mul(0xc2b2_ae35))
    }

    /// A random number from 0 to 1 for a lattice point.
    pub fn unit(&self, x: i32, y: i32) -> f32 {
        unit(self.hash(x, y))
    }

    /// Gradient noise with quintic fade, about −1 to 1, 0 at lattice points. Source: Perlin, "Improving noise", SIGGRAPH
    /// 2002.
    pub fn gradient(&self, p: Vec2, period: IVec2) -> f32 {
        let cell = p.floor();
        let f = p - cell;
        let base = cell.as_ivec2();
        let corner = |dx: i32, dy: i32| {
            let at = (base + IVec2::new(dx, dy)).rem_euclid(period);
            let direction = DIRECTIONS[(self.hash(at.x, at.y) >> 24) as usize];
            direction.dot(f - Vec2::new(dx as f32, dy as f32))
        };
        let fade = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
        let [a, b, c, d] = [corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)];
        let low = a + fade.x * (b - a);
        let high = c + fade.x * (d - c);
        1.5 * (low + fade.y * (high - low))
    }

    /// Sum of `octaves` of gradient noise, each twice as fine and half as strong; about −1 to 1.
    pub fn octaves(&self, p: Vec2, period: IVec2, octaves: u32) -> f32 {
        let (mut sum, mut weight, mut total) = (0.0, 1.0, 0.0);
        for octave in 0..octaves {
            let scale = 1 << octave;
            let field = if octave == 0 { *self } else { self.other(octave) };
            sum += weight * field.gradient(p * scale as f32, period * scale);
            total += weight;
            weight *= 0.5;
        }
        sum / total
    }

    /// The cell around a random point per lattice square. Source: Worley, "A cellular texture basis function", SIGGRAPH
    /// 1996.
    pub fn cell(&self, p: Vec2, period: IVec2) -> Cell {
        let base = p.floor();
        let mut cell = Cell { nearest: f32::MAX, second: f32::MAX, id: 0 };
        for dy in -1..=1 {
            for dx in -1..=1 {
                let square = base.as_ivec2() + IVec2::new(dx, dy);
                let at = square.rem_euclid(period);
                let id = self.hash(at.x, at.y);
                let point = square.as_vec2() + 0.12 + 0.76 * Vec2::new(unit(id), unit(mix(id)));
                let distance = point.distance(p);
                if distance < cell.nearest {
                    cell = Cell { nearest: distance, second: cell.nearest, id };
                } else {
                    cell.second = cell.second.min(distance);
                }
            }
        }
        cell
    }
}

/// Maps a hash to 0…1.
pub fn unit(hash: u32) -> f32 {
    (hash >> 8) as f32 / 16_777_215.0
}

/// A bijective scramble of 32 bits (the "lowbias32" constants of C. Wellons' hash prospector).
pub fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_repeats_after_its_period_and_stays_in_range() {
        let noise = Noise::new(3);
        let period = IVec2::new(4, 6);
        for step in 0..200 {
            let p = Vec2::new(step as f32 * 0.137, step as f32 * 0.091);
            let shifted = p + period.as_vec2();
            assert!((noise.octaves(p, period, 4) - noise.octaves(shifted, period, 4)).abs() < 1e-3);
            assert!(noise.octaves(p, period, 4).abs() <= 1.1);
            assert_eq!(noise.cell(p, period).id, noise.cell(shifted, period).id);
        }
        assert!(noise.gradient(Vec2::new(2.0, 3.0), period).abs() < 1e-6);
    }
}
