//! Curved sheets with thickness: backrests, canopies, brims, leaves, paper.

use bevy::math::{Vec2, Vec3};

use crate::world::kit::MeshBuffers;

/// A sheet of `thickness` metres about the surface `at(u, v)`, u and v from 0 to 1 in `columns` × `rows` quadrilaterals.
/// The side towards ∂u × ∂v is the front. Closed all round; edges are square, the faces smooth.
pub fn sheet(columns: usize, rows: usize, thickness: f32, at: impl Fn(f32, f32) -> Vec3) -> MeshBuffers {
    let (columns, rows) = (columns.max(1), rows.max(1));
    let share = |i: usize, n: usize| i as f32 / n as f32;
    let point = |i: usize, j: usize| at(share(i, columns), share(j, rows));
    let normal = |i: usize, j: usize| {
        const STEP: f32 = 1e-3;
        let (u, v) = (share(i, columns), share(j, rows));
        let du = at((u + STEP).min(1.0), v) - at((u - STEP).max(0.0), v);
        let dv = at(u, (v + STEP).min(1.0)) - at(u, (v - STEP).max(0.0));
        du.cross(dv).normalize_or(Vec3::Y)
    };
    let side = |i: usize, j: usize, front: f32| point(i, j) + normal(i, j) * (0.5 * thickness * front);
    // Sizes along the sheet, for UVs.
    let width: f32 = (0..columns).map(|i| point(i, rows / 2).distance(point(i + 1, rows / 2))).sum();
    let height: f32 = (0..rows).map(|j| point(columns / 2, j).distance(point(columns / 2, j + 1))).sum();
    let uv = |i: usize, j: usize| Vec2::new(share(i, columns) * width, share(j, rows) * height);

    let mut mesh = MeshBuffers::default();
    for j in 0..rows {
        for i in 0..columns {
            let ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            mesh.push_quad(ring.map(|(i, j)| (side(i, j, 1.0), uv(i, j))));
            let [a, b, c, d] = ring.map(|(i, j)| (side(i, j, -1.0), uv(i, j)));
            mesh.push_quad([a, d, c, b]);
        }
    }
    let mut border: Vec<(usize, usize)> = Vec::new();
    border.extend((0..columns).map(|i| (i, 0)));
    border.extend((0..rows).map(|j| (columns, j)));
    border.extend((1..=columns).rev().map(|i| (i, rows)));
    border.extend((1..=rows).rev().map(|j| (0, j)));
    for (index, here) in border.iter().enumerate() {
        let next = border[(index + 1) % border.len()];
        let edge = |(i, j): (usize, usize), front: f32| {
            (side(i, j, front), uv(i, j) + Vec2::splat(0.5 * thickness * (1.0 - front)))
        };
        mesh.push_quad([edge(*here, 1.0), edge(*here, -1.0), edge(next, -1.0), edge(next, 1.0)]);
    }
    mesh.with_smooth_normals(0.75)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bent_sheet_is_closed_and_looks_outward() {
        let mesh = sheet(8, 6, 0.01, |u, v| Vec3::new(u, v, 0.2 * (3.0 * u).sin()));
        assert!(mesh.is_watertight());
        let flat = sheet(3, 2, 0.02, |u, v| Vec3::new(u, v, 0.0));
        assert!((flat.signed_volume() - 0.02).abs() < 1e-5);
        assert!(mesh.signed_volume() > 0.0);
    }
}
