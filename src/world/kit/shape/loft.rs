//! Skins over a row of cross-sections: hulls, necks, heads.

use bevy::math::{Vec2, Vec3};

use super::outline::triangulate;
use crate::world::kit::MeshBuffers;

/// A closed body through `rings`, which all have the same number of points in the same order (either way round). The
/// first and the last ring are filled if they enclose an area; a ring may shrink to a line (a bow) or a point. Faces that
/// meet at less than `crease_angle` (radians) are shaded smooth.
pub fn loft(rings: &[Vec<Vec3>], crease_angle: f32) -> MeshBuffers {
    let mut mesh = MeshBuffers::default();
    let count = rings.first().map_or(0, Vec::len);
    if rings.len() < 2 || count < 3 || rings.iter().any(|ring| ring.len() != count) {
        return mesh;
    }
    let mut along = 0.0;
    for pair in rings.windows(2) {
        let step = (0..count).map(|k| pair[0][k].distance(pair[1][k])).sum::<f32>() / count as f32;
        let mut round = 0.0;
        for here in 0..count {
            let next = (here + 1) % count;
            let width = pair[0][here].distance(pair[0][next]).max(pair[1][here].distance(pair[1][next]));
            mesh.push_quad([
                (pair[0][here], Vec2::new(round, along)),
                (pair[0][next], Vec2::new(round + width, along)),
                (pair[1][next], Vec2::new(round + width, along + step)),
                (pair[1][here], Vec2::new(round, along + step)),
            ]);
            round += width;
        }
        along += step;
    }
    for (ring, is_last) in [(&rings[0], false), (&rings[rings.len() - 1], true)] {
        // Newell's normal: twice the ring's area along its own axis.
        let area: Vec3 = (0..count).map(|k| ring[k].cross(ring[(k + 1) % count])).sum();
        if area.length() < 1e-9 {
            continue;
        }
        let (across, up) = area.normalize().any_orthonormal_pair();
        let flat: Vec<Vec2> = ring.iter().map(|point| Vec2::new(point.dot(across), point.dot(up))).collect();
        let sign = if across.cross(up).dot(area) > 0.0 { 1.0 } else { -1.0 };
        let outline: Vec<Vec2> = flat.iter().map(|point| Vec2::new(point.x, point.y * sign)).collect();
        for triangle in triangulate(&outline) {
            let [a, b, c] = triangle.map(|k| (ring[k as usize], flat[k as usize]));
            mesh.push_triangle(if is_last { [a, b, c] } else { [a, c, b] });
        }
    }
    if mesh.signed_volume() < 0.0 {
        for corner in mesh.indices.chunks_exact_mut(3) {
            corner.swap(1, 2);
        }
    }
    mesh.with_smooth_normals(crease_angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(half: f32, z: f32) -> Vec<Vec3> {
        [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, y)| Vec3::new(x * half, y * half, z)).to_vec()
    }

    #[test]
    fn a_skin_over_squares_is_a_frustum_in_either_direction() {
        for (from, to) in [(0.0, 0.6), (0.6, 0.0)] {
            let mesh = loft(&[square(0.2, from), square(0.1, to)], 0.5);
            assert!(mesh.is_watertight());
            // Height ÷ 3 × (A + B + √(A B)).
            let expected = 0.2 * (0.16 + 0.04 + 0.08);
            assert!((mesh.signed_volume() - expected).abs() < 1e-5, "{}", mesh.signed_volume());
        }
    }

    #[test]
    fn a_ring_may_shrink_to_a_line() {
        let mut edge = square(0.2, 0.5);
        for point in &mut edge {
            point.x = 0.0;
        }
        assert!(loft(&[square(0.2, 0.0), edge], 0.5).is_watertight());
    }
}
