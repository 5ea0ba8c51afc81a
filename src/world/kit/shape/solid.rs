//! Boxes, cylinders and ellipsoids.

use std::f32::consts::PI;

use bevy::math::{Vec2, Vec3};

use super::lathe::{Knot, lathe, sharp, soft};
use crate::world::kit::MeshBuffers;

/// UV of a point on a face that looks along `axis` (0 x, 1 y, 2 z): v runs along the longer of the face's sides.
fn face_uv(position: Vec3, axis: usize, size: Vec3) -> Vec2 {
    let (across, along) = match axis {
        0 => (2, 1),
        1 => (0, 2),
        _ => (0, 1),
    };
    if size[across] > size[along] {
        Vec2::new(position[along], position[across])
    } else {
        Vec2::new(position[across], position[along])
    }
}

/// A box about the origin whose edges are broken by one smooth-shaded facet, `bevel` metres wide on both faces; 44
/// triangles (12 without bevel).
pub fn beveled_box(size: Vec3, bevel: f32) -> MeshBuffers {
    let half = 0.5 * size;
    let bevel = bevel.clamp(0.0, 0.49 * size.min_element());
    let mut mesh = MeshBuffers::default();
    // The corner with signs `sign` on the face that looks along `axis`.
    let on_face = |axis: usize, sign: Vec3| {
        let mut inset = Vec3::splat(bevel);
        inset[axis] = 0.0;
        sign * (half - inset)
    };
    let normal = |axis: usize, sign: Vec3| {
        let mut normal = Vec3::ZERO;
        normal[axis] = sign[axis];
        normal
    };
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        for side in [-1.0, 1.0] {
            let corner = |a: f32, b: f32| {
                let mut sign = Vec3::ZERO;
                sign[axis] = side;
                // u × v looks along +axis; for the other side the order is mirrored.
                (sign[u], sign[v]) = (a * side, b);
                sign
            };
            let ring = [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)].map(|sign| {
                let position = on_face(axis, sign);
                mesh.push(position, normal(axis, sign), face_uv(position, axis, size))
            });
            mesh.indices.extend([ring[0], ring[1], ring[2], ring[0], ring[2], ring[3]]);
        }
    }
    if bevel <= 0.0 {
        return mesh;
    }
    // Twelve edges, each between the faces of axes u and v and running along `axis`.
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        for (a, b) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
            let sign = |along: f32| {
                let mut sign = Vec3::ZERO;
                (sign[axis], sign[u], sign[v]) = (along, a, b);
                sign
            };
            let turned: f32 = a * b;
            let mut ring = Vec::with_capacity(4);
            for (face, along) in [(u, -turned), (v, -turned), (v, turned), (u, turned)] {
                let position = on_face(face, sign(along));
                ring.push(mesh.push(position, normal(face, sign(along)), face_uv(position, u, size)));
            }
            mesh.indices.extend([ring[0], ring[1], ring[2], ring[0], ring[2], ring[3]]);
        }
    }
    for corner in 0..8 {
        let sign = Vec3::from([0, 1, 2].map(|axis| if corner >> axis & 1 == 1 { 1.0 } else { -1.0 }));
        let ring = [0, 1, 2].map(|axis| {
            let position = on_face(axis, sign);
            mesh.push(position, normal(axis, sign), face_uv(position, 0, size))
        });
        let order = if sign.x * sign.y * sign.z > 0.0 { [0, 1, 2] } else { [0, 2, 1] };
        mesh.indices.extend(order.map(|k| ring[k]));
    }
    mesh
}

/// A bevelled box from corner to corner: what carpentry is made of.
pub fn board(low: Vec3, high: Vec3, bevel: f32) -> MeshBuffers {
    beveled_box(high - low, bevel).translated(0.5 * (low + high))
}

/// A box about the origin with round edges of `radius` metres in `steps` ≥ 1 facets per quarter turn, shaded smooth:
/// cushions, dice, soap. 12 · (steps + 2)² triangles for even `steps`.
pub fn soft_box(size: Vec3, radius: f32, steps: usize) -> MeshBuffers {
    let half = 0.5 * size;
    let radius = radius.clamp(1e-4, 0.499 * size.min_element());
    let inner = half - radius;
    // Per face each coordinate runs through half a rounding (45°), the flat middle, half a rounding.
    let steps = steps.div_ceil(2).max(1);
    let tilts: Vec<f32> = (0..=steps).map(|step| (step as f32 / steps as f32 * 0.25 * PI).tan()).collect();
    let mut line: Vec<(f32, f32)> = Vec::new(); // (side of the flat middle, tangent of the tilt)
    line.extend(tilts.iter().rev().map(|tilt| (-1.0, -tilt)));
    line.extend(tilts.iter().map(|tilt| (1.0, *tilt)));
    let mut mesh = MeshBuffers::default();
    for axis in 0..3 {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        for side in [-1.0, 1.0] {
            let first = mesh.positions.len() as u32;
            for (v_side, v_tilt) in &line {
                for (u_side, u_tilt) in &line {
                    let (mut core, mut direction) = (Vec3::ZERO, Vec3::ZERO);
                    (core[axis], core[u], core[v]) = (side * inner[axis], u_side * side * inner[u], v_side * inner[v]);
                    (direction[axis], direction[u], direction[v]) = (side, *u_tilt * side, *v_tilt);
                    let normal = direction.normalize();
                    let position = core + radius * normal;
                    mesh.push(position, normal, face_uv(position, axis, size));
                }
            }
            let row = line.len() as u32;
            for i in 0..row - 1 {
                for j in 0..row - 1 {
                    let corner = first + i * row + j;
                    mesh.indices.extend([corner, corner + 1, corner + row + 1, corner, corner + row + 1, corner + row]);
                }
            }
        }
    }
    mesh
}

/// A closed cylinder or cone frustum on the ground plane, from y = 0 to `height`, with broken edges. A top radius of 0
/// makes a cone.
pub fn beveled_cylinder(bottom_radius: f32, top_radius: f32, height: f32, bevel: f32, segments: usize) -> MeshBuffers {
    let wall = Vec2::new(top_radius - bottom_radius, height).normalize_or(Vec2::Y) * bevel;
    let mut profile: Vec<Knot> = vec![sharp(0.0, 0.0)];
    if bevel > 0.0 {
        profile.extend([sharp(bottom_radius - bevel, 0.0), sharp(bottom_radius + wall.x, wall.y)]);
    } else {
        profile.push(sharp(bottom_radius, 0.0));
    }
    if top_radius <= 0.0 {
        profile.push(sharp(0.0, height));
    } else if bevel > 0.0 {
        profile.extend([
            sharp(top_radius - wall.x, height - wall.y),
            sharp(top_radius - bevel, height),
            sharp(0.0, height),
        ]);
    } else {
        profile.extend([sharp(top_radius, height), sharp(0.0, height)]);
    }
    lathe(&profile, segments)
}

/// An ellipsoid about the origin; `segments` facets go round, `rings` from pole to pole.
pub fn ellipsoid(half_size: Vec3, segments: usize, rings: usize) -> MeshBuffers {
    let rings = rings.max(2);
    let profile: Vec<Knot> = (0..=rings)
        .map(|ring| {
            let (sin, cos) = (ring as f32 / rings as f32 * PI).sin_cos();
            soft(if ring % rings == 0 { 0.0 } else { sin }, -cos)
        })
        .collect();
    let mut mesh = lathe(&profile, segments).scaled(half_size);
    // UVs were made on the unit sphere.
    let scale = Vec2::new(0.5 * (half_size.x + half_size.z), half_size.y);
    for uv in &mut mesh.uvs {
        *uv *= scale;
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_closed_and_have_their_size() {
        let size = Vec3::new(0.3, 0.2, 0.5);
        for (mesh, lost) in
            [(beveled_box(size, 0.0), 1e-4), (beveled_box(size, 0.01), 0.02), (soft_box(size, 0.02, 4), 0.03)]
        {
            assert!(mesh.is_watertight());
            let (low, high) = mesh.bounds();
            assert!((high - low).distance(size) < 1e-5);
            let share = mesh.signed_volume() / (size.x * size.y * size.z);
            assert!(share <= 1.0001 && share > 1.0 - lost, "{share}");
        }
        assert_eq!(beveled_box(size, 0.01).triangle_count(), 44);
    }

    #[test]
    fn facets_of_a_beveled_box_look_outward() {
        let mesh = beveled_box(Vec3::ONE, 0.1);
        for [a, b, c] in mesh.triangles() {
            assert!((b - a).cross(c - a).dot(a + b + c) > 0.0);
        }
    }

    #[test]
    fn an_ellipsoid_has_the_volume_of_an_ellipsoid() {
        let mesh = ellipsoid(Vec3::new(0.1, 0.2, 0.3), 96, 64);
        assert!(mesh.is_watertight());
        assert!((mesh.signed_volume() / (4.0 / 3.0 * PI * 0.006) - 1.0).abs() < 0.01);
        for normal in &mesh.normals {
            assert!((normal.length() - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn a_beveled_cone_is_closed() {
        for top in [0.0, 0.05, 0.2] {
            let mesh = beveled_cylinder(0.1, top, 0.3, 0.005, 24);
            assert!(mesh.is_watertight() && mesh.signed_volume() > 0.0);
        }
    }
}
