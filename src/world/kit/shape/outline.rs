//! Flat outlines given thickness.

use bevy::math::Vec2;

use crate::world::kit::MeshBuffers;

/// Twice the signed area of the triangle; positive where it turns counter-clockwise.
fn turn(a: Vec2, b: Vec2, c: Vec2) -> f32 {
    (b - a).perp_dot(c - a)
}

fn signed_area(outline: &[Vec2]) -> f32 {
    let next = outline.iter().cycle().skip(1);
    0.5 * outline.iter().zip(next).map(|(a, b)| a.perp_dot(*b)).sum::<f32>()
}

/// Triangles (indices into `outline`) that fill a simple polygon given counter-clockwise, by ear clipping.
///
/// Source: Meisters, "Polygons have ears", American Mathematical Monthly 82(6), 1975.
pub fn triangulate(outline: &[Vec2]) -> Vec<[u32; 3]> {
    let mut left: Vec<usize> = (0..outline.len()).collect();
    let mut triangles = Vec::with_capacity(outline.len().saturating_sub(2));
    while left.len() > 3 {
        let count = left.len();
        let corners = |k: usize| [left[(k + count - 1) % count], left[k], left[(k + 1) % count]];
        let is_ear = |k: &usize| {
            let [a, b, c] = corners(*k).map(|index| outline[index]);
            turn(a, b, c) > 0.0
                && left.iter().map(|index| outline[*index]).all(|p| {
                    [a, b, c].contains(&p) || turn(a, b, p) < 0.0 || turn(b, c, p) < 0.0 || turn(c, a, p) < 0.0
                })
        };
        // The fattest ear first keeps slivers away. Where rounding hides every ear, any corner will do: the rest is flat.
        let fatness = |k: &usize| {
            let [a, b, c] = corners(*k).map(|index| outline[index]);
            let longest = a.distance_squared(b).max(b.distance_squared(c)).max(c.distance_squared(a));
            turn(a, b, c) / longest.max(1e-12)
        };
        let ear = (0..count).filter(is_ear).max_by(|a, b| fatness(a).total_cmp(&fatness(b))).unwrap_or(0);
        triangles.push(corners(ear).map(|index| index as u32));
        left.remove(ear);
    }
    if left.len() == 3 {
        triangles.push([left[0] as u32, left[1] as u32, left[2] as u32]);
    }
    triangles
}

/// A simple polygon (x right, y up, either direction) given `thickness` metres along Z about z = 0. The edges of both
/// faces are broken by `bevel`; walls that meet at less than `crease_angle` (radians) are shaded smooth.
pub fn extrude(outline: &[Vec2], thickness: f32, bevel: f32, crease_angle: f32) -> MeshBuffers {
    let mut outer = outline.to_vec();
    if signed_area(&outer) < 0.0 {
        outer.reverse();
    }
    let count = outer.len();
    if count < 3 {
        return MeshBuffers::default();
    }
    let bevel = bevel.clamp(0.0, 0.49 * thickness);
    let inner: Vec<Vec2> = (0..count)
        .map(|index| {
            let (before, here, after) = (outer[(index + count - 1) % count], outer[index], outer[(index + 1) % count]);
            let [a, b] = [here - before, after - here].map(|along| along.normalize_or_zero().perp());
            // Mitre: the inward bisector, longer where the corner is sharper, at most twice the bevel.
            let middle = (a + b).normalize_or(a);
            here + middle * (bevel / middle.dot(a).max(0.5))
        })
        .collect();
    let half = 0.5 * thickness;
    let mut mesh = MeshBuffers::default();
    for [a, b, c] in triangulate(&outer) {
        let at = |index: u32, z: f32| (inner[index as usize].extend(z), inner[index as usize]);
        mesh.push_triangle([at(a, half), at(b, half), at(c, half)]);
        mesh.push_triangle([at(a, -half), at(c, -half), at(b, -half)]);
    }
    let rings: Vec<(&[Vec2], f32)> = if bevel > 0.0 {
        vec![(&inner, half), (&outer, half - bevel), (&outer, bevel - half), (&inner, -half)]
    } else {
        vec![(&outer, half), (&outer, -half)]
    };
    let mut along = 0.0;
    for index in 0..count {
        let next = (index + 1) % count;
        let step = outer[index].distance(outer[next]);
        for pair in rings.windows(2) {
            let [(top, top_z), (bottom, bottom_z)] = [pair[0], pair[1]];
            mesh.push_quad([
                (top[index].extend(top_z), Vec2::new(along, top_z)),
                (bottom[index].extend(bottom_z), Vec2::new(along, bottom_z)),
                (bottom[next].extend(bottom_z), Vec2::new(along + step, bottom_z)),
                (top[next].extend(top_z), Vec2::new(along + step, top_z)),
            ]);
        }
        along += step;
    }
    // A bevel meets the face at 45°: faces stay flat.
    mesh.with_smooth_normals(crease_angle.min(0.75))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area_of(triangles: &[[u32; 3]], outline: &[Vec2]) -> f32 {
        triangles
            .iter()
            .map(|t| 0.5 * turn(outline[t[0] as usize], outline[t[1] as usize], outline[t[2] as usize]))
            .sum()
    }

    fn star() -> Vec<Vec2> {
        (0..10)
            .map(|k| {
                let angle = k as f32 / 10.0 * std::f32::consts::TAU;
                Vec2::from_angle(angle) * if k % 2 == 0 { 1.0 } else { 0.4 }
            })
            .collect()
    }

    #[test]
    fn triangles_fill_a_concave_outline_exactly() {
        let outline = star();
        let triangles = triangulate(&outline);
        assert_eq!(triangles.len(), outline.len() - 2);
        assert!((area_of(&triangles, &outline) - signed_area(&outline)).abs() < 1e-5);
        assert!(triangles.iter().all(|t| area_of(&[*t], &outline) > 0.0));
    }

    #[test]
    fn an_extruded_star_is_closed_in_either_direction() {
        let mut outline = star();
        for _ in 0..2 {
            let plain = extrude(&outline, 0.2, 0.0, 0.5);
            assert!(plain.is_watertight());
            assert!((plain.signed_volume() - 0.2 * signed_area(&star())).abs() < 1e-4);
            let beveled = extrude(&outline, 0.2, 0.02, 0.5);
            assert!(beveled.is_watertight() && beveled.signed_volume() < plain.signed_volume());
            outline.reverse();
        }
    }
}
