//! How many pixels a body would cover if it stood alone and the picture had no edge.
//!
//! In: the triangles of a body, lens and pose. Out: a number of pixels. Triangles are filled on the processor, pixel
//! centre by pixel centre like the renderer does it, so no further render pass is needed. A body that would cover an
//! enormous area (the lens almost touches it) is filled at a coarser grid; the error is then about half a coarse pixel
//! along the outline. Triangles are cut at [`NEAR_M`] before the lens.

use bevy::math::{Affine3A, Vec2, Vec3, Vec3A};

use super::{Intrinsics, bodies::Body};

/// Nothing nearer to the lens than this is filled, metres.
const NEAR_M: f32 = 0.05;

/// Cells of the grid, at most.
const MAX_CELLS: f32 = 4.0e6;

/// The number of pixels (not cut off by the picture's edge) whose centres `body` covers.
pub(super) fn covered_pixels(body: &Body, lens: &Intrinsics, view_from_world: Affine3A) -> f32 {
    let mut triangles = Vec::new();
    for part in &body.parts {
        let view_from_part = view_from_world * part.world_from_part;
        let points: Vec<Vec3A> =
            part.shape.positions.iter().map(|p| view_from_part.transform_point3a(Vec3A::from(*p))).collect();
        // Mirrored parts turn their triangles round.
        let mirrored = part.world_from_part.matrix3.determinant() < 0.0;
        for indices in &part.shape.triangles {
            let corners = indices.map(|index| Vec3::from(points[index as usize]));
            project(corners, lens, mirrored, part.double_sided, &mut triangles);
        }
    }
    count_cells(&triangles)
}

/// Adds the picture of one triangle, given in view space, cut at the near plane.
fn project(corners: [Vec3; 3], lens: &Intrinsics, mirrored: bool, double_sided: bool, out: &mut Vec<[Vec2; 3]>) {
    let inside = |p: Vec3| p.z < -NEAR_M;
    let to_pixel = |p: Vec3| lens.center + lens.focal * Vec2::new(p.x, -p.y) / -p.z;
    let mut push = |a: Vec3, b: Vec3, c: Vec3| {
        let picture = [to_pixel(a), to_pixel(b), to_pixel(c)];
        // y points down: what is counter-clockwise in the world has a negative area here.
        let area = (picture[1] - picture[0]).perp_dot(picture[2] - picture[0]);
        if double_sided || (area < 0.0) != mirrored {
            out.push(picture);
        }
    };
    match corners.map(inside) {
        [true, true, true] => push(corners[0], corners[1], corners[2]),
        [false, false, false] => {}
        _ => {
            // Sutherland and Hodgman, "Reentrant polygon clipping", CACM 17(1), 1974, for the one plane.
            let mut polygon = Vec::with_capacity(4);
            for (index, &a) in corners.iter().enumerate() {
                let b = corners[(index + 1) % 3];
                if inside(a) {
                    polygon.push(a);
                }
                if inside(a) != inside(b) {
                    polygon.push(a.lerp(b, (-NEAR_M - a.z) / (b.z - a.z)));
                }
            }
            for index in 2..polygon.len() {
                push(polygon[0], polygon[index - 1], polygon[index]);
            }
        }
    }
}

/// Pixels whose centres lie in at least one of the triangles.
fn count_cells(triangles: &[[Vec2; 3]]) -> f32 {
    let (mut min, mut max) = (Vec2::INFINITY, Vec2::NEG_INFINITY);
    for corner in triangles.iter().flatten() {
        min = min.min(*corner);
        max = max.max(*corner);
    }
    let size = max - min;
    if triangles.is_empty() || !size.is_finite() {
        return 0.0;
    }
    // Whole pixels where that is affordable, so that centres are those of the picture.
    let cell = ((size.x + 2.0) * (size.y + 2.0) / MAX_CELLS).sqrt().max(1.0);
    let origin = (min / cell).floor() * cell;
    let columns = (size.x / cell) as usize + 3;
    let rows = (size.y / cell) as usize + 3;
    let mut covered = vec![0_u8; columns * rows];
    for triangle in triangles {
        fill(triangle.map(|corner| (corner - origin) / cell), columns, rows, &mut covered);
    }
    covered.iter().map(|cell| u32::from(*cell)).sum::<u32>() as f32 * cell * cell
}

/// Sets the cells whose centres lie in a triangle given in cells, row by row between its left and right edge.
fn fill(corners: [Vec2; 3], columns: usize, rows: usize, covered: &mut [u8]) {
    let top = corners.iter().fold(f32::INFINITY, |y, c| y.min(c.y));
    let bottom = corners.iter().fold(f32::NEG_INFINITY, |y, c| y.max(c.y));
    let first = (top - 0.5).ceil().max(0.0) as usize;
    let end = ((bottom - 0.5).ceil().max(0.0) as usize).min(rows);
    for row in first..end {
        let y = row as f32 + 0.5;
        let (mut left, mut right) = (f32::INFINITY, f32::NEG_INFINITY);
        for (a, b) in [(corners[0], corners[1]), (corners[1], corners[2]), (corners[2], corners[0])] {
            // Neighbours share an edge: taken from its upper end, both find the same crossing and leave no gap.
            let (a, b) = if a.y <= b.y { (a, b) } else { (b, a) };
            if a.y <= y && y < b.y {
                let x = a.x + (y - a.y) * ((b.x - a.x) / (b.y - a.y));
                left = left.min(x);
                right = right.max(x);
            }
        }
        let from = ((left - 0.5).ceil().max(0.0) as usize).min(columns);
        let to = ((right - 0.5).ceil().max(0.0) as usize).min(columns);
        if from < to {
            covered[row * columns + from..row * columns + to].fill(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{f32::consts::PI, sync::Arc};

    use bevy::prelude::{Meshable, Sphere};

    use super::*;
    use crate::{
        base::ClassId,
        sensors::bodies::{BodyPart, MeshShape},
        world::Label,
    };

    fn alone(shape: MeshShape, pose: Affine3A) -> Body {
        Body {
            label: Label { class: ClassId(1), instance: 1 },
            world_from_body: pose,
            parts: vec![BodyPart { shape: Arc::new(shape), world_from_part: pose, double_sided: false }],
        }
    }

    #[test]
    fn a_sphere_covers_its_analytic_disc() {
        // Outline of a sphere of radius r at distance d on the axis: a circle of radius f · r / √(d² − r²).
        let lens = Intrinsics::from_fov(320, 320, 1.2);
        let mesh = Sphere::new(0.5).mesh().uv(256, 128);
        let shape = MeshShape::of(&mesh).expect("a triangle list");
        for distance in [1.0_f32, 3.0] {
            let body = alone(shape.clone(), Affine3A::from_translation(Vec3::new(0.0, 0.0, -distance)));
            let radius = lens.focal.y * 0.5 / (distance * distance - 0.25).sqrt();
            let covered = covered_pixels(&body, &lens, Affine3A::IDENTITY);
            let expected = PI * radius * radius;
            assert!((covered - expected).abs() < 0.004 * expected + 4.0, "{covered} is not {expected}");
        }
    }

    #[test]
    fn neighbouring_triangles_leave_no_gap_and_count_once() {
        let lens = Intrinsics::from_fov(100, 100, 1.0);
        // A face of exactly 40 × 20 px at one metre.
        let half = Vec2::new(20.0, 10.0) / lens.focal;
        let shape = MeshShape::cuboid(Vec3::new(0.0, 0.0, -2.0), half.extend(1.0));
        assert_eq!(covered_pixels(&alone(shape, Affine3A::IDENTITY), &lens, Affine3A::IDENTITY), 800.0);
    }

    #[test]
    fn what_is_outside_the_picture_counts_and_what_is_behind_the_lens_does_not() {
        let lens = Intrinsics::from_fov(100, 100, 1.0);
        let half = Vec2::new(20.0, 10.0) / lens.focal;
        let shape = MeshShape::cuboid(Vec3::new(500.0 / lens.focal.x, 0.0, -2.0), half.extend(1.0));
        let covered = covered_pixels(&alone(shape, Affine3A::IDENTITY), &lens, Affine3A::IDENTITY);
        assert!(covered >= 800.0, "{covered}");
        let behind = MeshShape::cuboid(Vec3::new(0.0, 0.0, 5.0), Vec3::ONE);
        assert_eq!(covered_pixels(&alone(behind, Affine3A::IDENTITY), &lens, Affine3A::IDENTITY), 0.0);
    }

    #[test]
    fn a_wall_through_the_lens_is_cut_and_stays_finite() {
        let lens = Intrinsics::from_fov(320, 320, 1.2);
        let wall = MeshShape::cuboid(Vec3::new(0.3, 0.0, 0.0), Vec3::new(0.01, 2.0, 5.0));
        let covered = covered_pixels(&alone(wall, Affine3A::IDENTITY), &lens, Affine3A::IDENTITY);
        assert!(covered.is_finite() && covered > 320.0 * 100.0, "{covered}");
    }
}
