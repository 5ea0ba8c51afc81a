//! Bodies of revolution about +Y.

use std::f32::consts::TAU;

use bevy::math::{Vec2, Vec3};

use super::tube::curve;
use crate::world::kit::MeshBuffers;

/// A point of a profile, metres. Radius 0 is a pole on the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knot {
    pub radius: f32,
    pub height: f32,
    /// Whether the surface has an edge here.
    pub crease: bool,
}

impl Knot {
    /// Both measures times `factor`: for profiles that are written in shares of a size.
    pub fn times(self, factor: f32) -> Self {
        Self { radius: self.radius * factor, height: self.height * factor, ..self }
    }
}

/// A knot that the surface passes smoothly.
pub fn soft(radius: f32, height: f32) -> Knot {
    Knot { radius, height, crease: false }
}

/// A knot with an edge.
pub fn sharp(radius: f32, height: f32) -> Knot {
    Knot { radius, height, crease: true }
}

/// Soft knots along a smooth curve through (radius, height) points, `samples` of them, first and last included. Heights
/// that rise in the points rise all along the curve.
///
/// Source: Catmull and Rom 1974 for the radius; Fritsch and Carlson, "Monotone piecewise cubic interpolation", SIAM J.
/// Numer. Anal. 17(2), 1980, for the height.
pub fn smooth_profile(points: &[(f32, f32)], samples: usize) -> Vec<Knot> {
    let line: Vec<Vec3> = points.iter().map(|(radius, height)| Vec3::new(*radius, *height, 0.0)).collect();
    if points.len() < 2 {
        return line.iter().map(|point| soft(point.x, point.y)).collect();
    }
    let last = points.len() - 1;
    let slopes: Vec<f32> = points.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    let tangent = |index: usize| match index {
        0 => slopes[0],
        index if index == last => slopes[last - 1],
        index => {
            let (before, after) = (slopes[index - 1], slopes[index]);
            if before * after > 0.0 { 2.0 * before * after / (before + after) } else { 0.0 }
        }
    };
    curve(&line, samples)
        .into_iter()
        .enumerate()
        .map(|(sample, point)| {
            let t = sample as f32 / (samples.max(2) - 1) as f32 * last as f32;
            let piece = (t as usize).min(last - 1);
            let t = t - piece as f32;
            let (t2, t3) = (t * t, t * t * t);
            let height = points[piece].1 * (2.0 * t3 - 3.0 * t2 + 1.0)
                + tangent(piece) * (t3 - 2.0 * t2 + t)
                + points[piece + 1].1 * (3.0 * t2 - 2.0 * t3)
                + tangent(piece + 1) * (t3 - t2);
            soft(point.x.max(0.0), height)
        })
        .collect()
}

const POLE: f32 = 1e-6;

/// Turns `profile` about +Y. A profile runs with the outside on its right-hand side (radius to the right, height up):
/// from the middle of the underside outward, up the wall, over the rim and down the inside. The body is closed if the
/// profile begins and ends on the axis or comes back to its first knot. `segments` ≥ 3 facets go round.
pub fn lathe(profile: &[Knot], segments: usize) -> MeshBuffers {
    let mut mesh = MeshBuffers::default();
    let count = profile.len();
    if count < 2 || segments < 3 {
        return mesh;
    }
    let point = |knot: &Knot| Vec2::new(knot.radius, knot.height);
    // Outward normals of the profile's pieces, in (radius, height).
    let pieces: Vec<Vec2> = profile
        .windows(2)
        .map(|pair| {
            let along = point(&pair[1]) - point(&pair[0]);
            Vec2::new(along.y, -along.x).normalize_or(Vec2::X)
        })
        .collect();
    let is_ring = profile[0].radius > POLE && point(&profile[0]).distance(point(&profile[count - 1])) < POLE;
    let around = profile.iter().fold(POLE, |largest, knot| largest.max(knot.radius));

    let mut start = 0;
    let mut length = 0.0;
    while start + 1 < count {
        let end = (start + 1..count - 1).find(|index| profile[*index].crease).unwrap_or(count - 1);
        let run = &profile[start..=end];
        let low = run.iter().fold(f32::MAX, |least, knot| least.min(knot.height));
        let high = run.iter().fold(f32::MIN, |most, knot| most.max(knot.height));
        let inner = run.iter().fold(f32::MAX, |least, knot| least.min(knot.radius));
        let outer = run.iter().fold(0.0_f32, |most, knot| most.max(knot.radius));
        let is_flat = high - low < 0.35 * (outer - inner);

        let first_vertex = mesh.positions.len() as u32;
        for (index, knot) in run.iter().enumerate() {
            if index > 0 {
                length += point(knot).distance(point(&run[index - 1]));
            }
            let here = start + index;
            let before = if index > 0 { Some(pieces[here - 1]) } else { None };
            let after = if here < end { Some(pieces[here]) } else { None };
            let normal = match (before, after) {
                (Some(a), Some(b)) => (a + b).normalize_or(a),
                (Some(a), None) | (None, Some(a)) if knot.crease => a,
                (Some(a), None) | (None, Some(a)) if knot.radius <= POLE => {
                    Vec2::new(0.0, if a.y < 0.0 { -1.0 } else { 1.0 })
                }
                (Some(_), None) | (None, Some(_)) if is_ring => {
                    (pieces[0] + pieces[pieces.len() - 1]).normalize_or(pieces[0])
                }
                (Some(a), None) | (None, Some(a)) => a,
                (None, None) => Vec2::X,
            };
            for column in 0..=segments {
                // A pole has one vertex per facet, in the facet's middle.
                let shift = if knot.radius <= POLE { 0.5 } else { 0.0 };
                let turn = (column % segments) as f32 + shift;
                let (sin, cos) = (turn / segments as f32 * TAU).sin_cos();
                let radius = if knot.radius <= POLE { 0.0 } else { knot.radius };
                let position = Vec3::new(radius * sin, knot.height, radius * cos);
                let uv = if is_flat {
                    Vec2::new(position.x, position.z)
                } else {
                    Vec2::new((column as f32 + shift) / segments as f32 * TAU * around, length)
                };
                mesh.push(position, Vec3::new(normal.x * sin, normal.y, normal.x * cos), uv);
            }
        }
        let row = segments as u32 + 1;
        for (index, pair) in run.windows(2).enumerate() {
            let below = first_vertex + index as u32 * row;
            let above = below + row;
            for column in 0..segments as u32 {
                if pair[0].radius > POLE {
                    let apex = if pair[1].radius > POLE { above + column + 1 } else { above + column };
                    mesh.indices.extend([below + column, below + column + 1, apex]);
                }
                if pair[1].radius > POLE {
                    mesh.indices.extend([below + column, above + column + 1, above + column]);
                }
            }
        }
        start = end;
    }
    mesh
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    #[test]
    fn a_turned_cylinder_has_the_volume_of_a_cylinder() {
        let mesh = lathe(&[soft(0.0, 0.0), sharp(0.1, 0.0), sharp(0.1, 0.3), soft(0.0, 0.3)], 256);
        assert!(mesh.is_watertight());
        assert!((mesh.signed_volume() - PI * 0.01 * 0.3).abs() < 1e-5);
    }

    #[test]
    fn a_smooth_profile_never_turns_back() {
        let knots = smooth_profile(&[(0.1, 0.0), (0.3, 0.001), (0.35, 0.2), (0.2, 0.21), (0.4, 1.0)], 60);
        assert!(knots.windows(2).all(|pair| pair[1].height > pair[0].height));
        assert!((knots[59].radius - 0.4).abs() < 1e-6 && (knots[59].height - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_ring_profile_makes_a_closed_torus() {
        let section: Vec<Knot> = (0..=24)
            .map(|step| (step % 24) as f32 / 24.0 * TAU)
            .map(|angle| soft(0.2 + 0.05 * angle.cos(), 0.05 * angle.sin()))
            .collect();
        let mesh = lathe(&section, 96);
        assert!(mesh.is_watertight());
        // Pappus: area of the section times the path of its centre.
        let expected = PI * 0.05 * 0.05 * TAU * 0.2;
        assert!((mesh.signed_volume() / expected - 1.0).abs() < 0.02);
        // The seam of the section is smooth: the first knot's normal is radial.
        assert!(mesh.normals[0].distance(Vec3::Z) < 1e-3);
    }
}
