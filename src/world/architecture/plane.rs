//! Flat pieces of building: rectangles with holes, and the faces and boxes made from them.
//!
//! In: rectangles in metres. Out: triangles in [`MeshBuffers`] whose texture coordinates are metres along the surface,
//! taken from the position, so that a pattern runs on from one face to the next.

use bevy::math::{Vec2, Vec3};

use crate::world::kit::MeshBuffers;

/// An axis-aligned rectangle on a wall: u along the wall, v up, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect2 {
    pub min: Vec2,
    pub max: Vec2,
}

impl Rect2 {
    pub fn new(min_u: f32, min_v: f32, max_u: f32, max_v: f32) -> Self {
        Self { min: Vec2::new(min_u, min_v), max: Vec2::new(max_u, max_v) }
    }

    /// Square metres; 0 for an inside-out rectangle.
    pub fn area(&self) -> f32 {
        let size = (self.max - self.min).max(Vec2::ZERO);
        size.x * size.y
    }

    pub fn center(&self) -> Vec2 {
        0.5 * (self.min + self.max)
    }

    pub fn contains(&self, point: Vec2) -> bool {
        point.cmpge(self.min).all() && point.cmple(self.max).all()
    }

    /// The overlap; may be inside out (area 0).
    pub fn intersection(&self, other: &Rect2) -> Rect2 {
        Rect2 { min: self.min.max(other.min), max: self.max.min(other.max) }
    }
}

/// What is left of `rect` without `holes`, as cells of one grid, so that neighbouring cells share their corners and no
/// crack shows between them.
pub fn cells_without(rect: Rect2, holes: &[Rect2]) -> Vec<Rect2> {
    let cuts = |low: f32, high: f32, bounds: &dyn Fn(&Rect2) -> [f32; 2]| {
        let inner = holes.iter().flat_map(bounds).filter(|cut| *cut > low && *cut < high);
        let mut cuts: Vec<f32> = [low, high].into_iter().chain(inner).collect();
        cuts.sort_by(f32::total_cmp);
        cuts.dedup_by(|a, b| (*a - *b).abs() < 1e-5);
        cuts
    };
    let us = cuts(rect.min.x, rect.max.x, &|hole| [hole.min.x, hole.max.x]);
    let vs = cuts(rect.min.y, rect.max.y, &|hole| [hole.min.y, hole.max.y]);
    let mut cells = Vec::new();
    for u in us.windows(2) {
        for v in vs.windows(2) {
            let cell = Rect2::new(u[0], v[0], u[1], v[1]);
            if !holes.iter().any(|hole| hole.contains(cell.center())) {
                cells.push(cell);
            }
        }
    }
    cells
}

/// The same as [`cells_without`] in fewer, larger pieces (upright strips): for collision, where corners need not meet.
pub fn strips_without(rect: Rect2, holes: &[Rect2]) -> Vec<Rect2> {
    let mut strips: Vec<Rect2> = Vec::new();
    for cell in cells_without(rect, holes) {
        // Cells come column by column from bottom to top.
        match strips.last_mut() {
            Some(last) if last.min.x == cell.min.x && last.max.x == cell.max.x && last.max.y == cell.min.y => {
                last.max.y = cell.max.y;
            }
            _ => strips.push(cell),
        }
    }
    let mut merged: Vec<Rect2> = Vec::new();
    for strip in strips {
        let left =
            merged.iter_mut().find(|m| m.max.x == strip.min.x && m.min.y == strip.min.y && m.max.y == strip.max.y);
        match left {
            Some(left) => left.max.x = strip.max.x,
            None => merged.push(strip),
        }
    }
    merged
}

/// Appends an axis-aligned rectangle from `min` to `max` (equal in one axis) that faces `normal` (a signed unit axis).
/// Empty rectangles are skipped.
pub fn push_face(mesh: &mut MeshBuffers, min: Vec3, max: Vec3, normal: Vec3) {
    let size = max - min;
    // The two edges that span the face, in an order whose cross product is the positive normal axis.
    let (a, b) = match normal.abs().max_position() {
        0 => (Vec3::Y * size.y, Vec3::Z * size.z),
        1 => (Vec3::Z * size.z, Vec3::X * size.x),
        _ => (Vec3::X * size.x, Vec3::Y * size.y),
    };
    if a.length_squared() < 1e-10 || b.length_squared() < 1e-10 || size.min_element() < -1e-6 {
        return;
    }
    let first = mesh.positions.len() as u32;
    let corners = [min, min + a, min + a + b, min + b];
    mesh.positions.extend(corners);
    mesh.normals.extend([normal; 4]);
    mesh.uvs.extend(corners.map(|corner| planar_uv(corner, normal)));
    let order = if normal.max_element() > 0.5 { [0, 1, 2, 0, 2, 3] } else { [0, 2, 1, 0, 3, 2] };
    mesh.indices.extend(order.map(|corner| first + corner));
}

/// Appends the six faces of a box.
pub fn push_box(mesh: &mut MeshBuffers, min: Vec3, max: Vec3) {
    for axis in Vec3::AXES {
        let side = axis * (max - min);
        push_face(mesh, min, max - side, -axis);
        push_face(mesh, min + side, max, axis);
    }
}

/// Texture coordinates in metres: upright on walls (v runs down, as pictures do), x and z on floors.
fn planar_uv(position: Vec3, normal: Vec3) -> Vec2 {
    match normal.abs().max_position() {
        0 => Vec2::new(position.z, -position.y),
        1 => Vec2::new(position.x, position.z),
        _ => Vec2::new(position.x, -position.y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(pieces: &[Rect2]) -> f32 {
        pieces.iter().map(Rect2::area).sum()
    }

    #[test]
    fn a_wall_without_its_window_has_the_area_that_is_left() {
        let wall = Rect2::new(0.0, 0.0, 5.0, 3.0);
        let window = Rect2::new(1.0, 0.9, 2.2, 2.1);
        for pieces in [cells_without(wall, &[window]), strips_without(wall, &[window])] {
            assert!((total(&pieces) - (15.0 - 1.44)).abs() < 1e-4);
            assert!(pieces.iter().all(|piece| piece.intersection(&window).area() < 1e-6));
        }
        assert_eq!(cells_without(wall, &[window]).len(), 8);
        assert_eq!(strips_without(wall, &[window]).len(), 4);
    }

    #[test]
    fn overlapping_and_overhanging_holes_are_cut_once() {
        let wall = Rect2::new(0.0, 0.0, 4.0, 2.0);
        let holes = [Rect2::new(1.0, -1.0, 2.0, 1.0), Rect2::new(1.5, 0.5, 3.0, 3.0)];
        // 8 - (1 × 1) - (1.5 × 1.5) + overlap (0.5 × 0.5)
        assert!((total(&cells_without(wall, &holes)) - 5.0).abs() < 1e-5);
    }

    #[test]
    fn box_faces_look_outward_and_wind_counter_clockwise() {
        let mut mesh = MeshBuffers::default();
        push_box(&mut mesh, Vec3::ZERO, Vec3::new(1.0, 2.0, 3.0));
        assert_eq!(mesh.positions.len(), 24);
        let center = Vec3::new(0.5, 1.0, 1.5);
        let mut volume = 0.0;
        for triangle in mesh.indices.chunks(3) {
            let [a, b, c] = [0, 1, 2].map(|corner| mesh.positions[triangle[corner] as usize]);
            let normal = (b - a).cross(c - a);
            assert!(normal.normalize().dot(mesh.normals[triangle[0] as usize]) > 0.999);
            assert!(normal.dot(a - center) > 0.0);
            volume += (a - center).dot((b - center).cross(c - center)) / 6.0;
        }
        assert!((volume - 6.0).abs() < 1e-4);
    }
}
