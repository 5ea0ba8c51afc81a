//! Moving, joining, measuring and smoothing meshes.

use std::collections::HashMap;

use bevy::math::{Mat3, Quat, Vec2, Vec3};

use crate::world::kit::MeshBuffers;

/// All `meshes` as one, in order.
pub fn merged(meshes: impl IntoIterator<Item = MeshBuffers>) -> MeshBuffers {
    let mut all = MeshBuffers::default();
    for mesh in meshes {
        all.append(mesh);
    }
    all
}

impl MeshBuffers {
    /// Adds the triangles of `other`.
    pub fn append(&mut self, other: MeshBuffers) {
        let first = self.positions.len() as u32;
        self.positions.extend(other.positions);
        self.normals.extend(other.normals);
        self.uvs.extend(other.uvs);
        self.indices.extend(other.indices.iter().map(|index| first + index));
    }

    /// Adds a vertex and returns its index.
    pub(in crate::world::kit) fn push(&mut self, position: Vec3, normal: Vec3, uv: Vec2) -> u32 {
        self.positions.push(position);
        self.normals.push(normal);
        self.uvs.push(uv);
        self.positions.len() as u32 - 1
    }

    /// Adds a flat triangle with vertices of its own; its normal follows from its winding.
    pub(in crate::world::kit) fn push_triangle(&mut self, corners: [(Vec3, Vec2); 3]) {
        let [a, b, c] = corners.map(|(position, _)| position);
        let normal = (b - a).cross(c - a).normalize_or_zero();
        for (position, uv) in corners {
            let index = self.push(position, normal, uv);
            self.indices.push(index);
        }
    }

    /// Adds a flat quadrilateral, corners counter-clockwise seen from outside.
    pub(in crate::world::kit) fn push_quad(&mut self, [a, b, c, d]: [(Vec3, Vec2); 4]) {
        self.push_triangle([a, b, c]);
        self.push_triangle([a, c, d]);
    }

    /// Number of triangles.
    pub fn triangle_count(&self) -> usize {
        self.indices.len() / 3
    }

    /// Corners of every triangle.
    pub fn triangles(&self) -> impl Iterator<Item = [Vec3; 3]> + '_ {
        self.indices.chunks_exact(3).map(|corner| [0, 1, 2].map(|k| self.positions[corner[k] as usize]))
    }

    /// Smallest and largest corner of the axis-aligned bounding box; zeros for an empty mesh.
    pub fn bounds(&self) -> (Vec3, Vec3) {
        let Some(first) = self.positions.first() else { return (Vec3::ZERO, Vec3::ZERO) };
        self.positions.iter().fold((*first, *first), |(low, high), position| (low.min(*position), high.max(*position)))
    }

    /// Enclosed volume in cubic metres; positive where faces look outward (divergence theorem).
    pub fn signed_volume(&self) -> f32 {
        self.triangles().map(|[a, b, c]| a.dot(b.cross(c)) / 6.0).sum()
    }

    /// Whether every edge is shared by two triangles that run along it in opposite directions, vertices at the same
    /// place taken as one.
    pub fn is_watertight(&self) -> bool {
        let places = self.places();
        let mut balance: HashMap<(u32, u32), i32> = HashMap::new();
        for corner in self.indices.chunks_exact(3) {
            let corner = [0, 1, 2].map(|k| places[corner[k] as usize]);
            for k in 0..3 {
                let (from, to) = (corner[k], corner[(k + 1) % 3]);
                *balance.entry((from.min(to), from.max(to))).or_default() += if from < to { 1 } else { -1 };
            }
        }
        balance.values().all(|difference| *difference == 0)
    }

    #[must_use]
    pub fn translated(mut self, offset: Vec3) -> Self {
        for position in &mut self.positions {
            *position += offset;
        }
        self
    }

    /// Turned about the origin.
    #[must_use]
    pub fn rotated(mut self, rotation: Quat) -> Self {
        for vector in self.positions.iter_mut().chain(&mut self.normals) {
            *vector = rotation * *vector;
        }
        self
    }

    /// Scaled about the origin, each axis by its own factor; a mirrored mesh keeps its outside outside. UVs stay.
    #[must_use]
    pub fn scaled(mut self, factors: Vec3) -> Self {
        let normal_matrix = Mat3::from_diagonal(factors.recip());
        for position in &mut self.positions {
            *position *= factors;
        }
        for normal in &mut self.normals {
            *normal = (normal_matrix * *normal).normalize_or_zero();
        }
        if factors.x * factors.y * factors.z < 0.0 {
            for corner in self.indices.chunks_exact_mut(3) {
                corner.swap(1, 2);
            }
        }
        self
    }

    /// Bent: every position goes through `bend`, then normals are made anew with `crease_angle` (radians).
    #[must_use]
    pub fn deformed(mut self, crease_angle: f32, bend: impl Fn(Vec3) -> Vec3) -> Self {
        for position in &mut self.positions {
            *position = bend(*position);
        }
        self.with_smooth_normals(crease_angle)
    }

    /// UVs turned by a quarter, so that the grain runs across instead of along.
    #[must_use]
    pub fn with_grain_turned(mut self) -> Self {
        for uv in &mut self.uvs {
            *uv = Vec2::new(-uv.y, uv.x);
        }
        self
    }

    /// Normals made anew: faces that meet at less than `crease_angle` (radians) are shaded as one smooth surface, others
    /// keep an edge. Each face counts by its angle at the vertex.
    ///
    /// Source: Thürmer and Wüthrich, "Computing vertex normals from polygonal facets", JGT 3(1), 1998.
    #[must_use]
    pub fn with_smooth_normals(self, crease_angle: f32) -> Self {
        let places = self.places();
        let limit = crease_angle.cos() - 1e-4;
        let mut faces: Vec<([u32; 3], Vec3)> = Vec::with_capacity(self.triangle_count());
        for (corner, [a, b, c]) in self.indices.chunks_exact(3).zip(self.triangles()) {
            if let Some(normal) = (b - a).cross(c - a).try_normalize() {
                faces.push(([corner[0], corner[1], corner[2]], normal));
            }
        }
        let mut around: Vec<Vec<(usize, f32)>> = vec![Vec::new(); self.positions.len()];
        for (face, (corner, _)) in faces.iter().enumerate() {
            for k in 0..3 {
                let [here, next, last] = [0, 1, 2].map(|step| self.positions[corner[(k + step) % 3] as usize]);
                let angle = (next - here).angle_between(last - here);
                around[places[corner[k] as usize] as usize].push((face, if angle.is_finite() { angle } else { 0.0 }));
            }
        }
        let mut smooth = MeshBuffers::default();
        let mut known: HashMap<(u32, [i32; 5]), u32> = HashMap::new();
        for (corner, face_normal) in &faces {
            for vertex in corner {
                let (place, uv) = (places[*vertex as usize], self.uvs[*vertex as usize]);
                let sum: Vec3 = around[place as usize]
                    .iter()
                    .filter(|(face, _)| faces[*face].1.dot(*face_normal) >= limit)
                    .map(|(face, angle)| faces[*face].1 * *angle)
                    .sum();
                let normal = sum.try_normalize().unwrap_or(*face_normal);
                let key = [normal.x * 1e3, normal.y * 1e3, normal.z * 1e3, uv.x * 1e5, uv.y * 1e5];
                let index = *known
                    .entry((place, key.map(|value| value.round() as i32)))
                    .or_insert_with(|| smooth.push(self.positions[*vertex as usize], normal, uv));
                smooth.indices.push(index);
            }
        }
        smooth
    }

    /// For every vertex the index of the first vertex at the same place (within about 5 µm).
    fn places(&self) -> Vec<u32> {
        let mut first_at: HashMap<[i32; 3], u32> = HashMap::new();
        self.positions
            .iter()
            .enumerate()
            .map(|(index, position)| {
                let scaled = *position * 1e5;
                let cell = scaled.round();
                // What rounding has torn apart lies close to the border of its cell: there the neighbour counts as well.
                let off = scaled - cell;
                let beside = Vec3::select(off.abs().cmpgt(Vec3::splat(0.45)), off.signum(), Vec3::ZERO);
                let key = |corner: usize| {
                    let step = Vec3::new((corner & 1) as f32, (corner >> 1 & 1) as f32, (corner >> 2) as f32);
                    (cell + step * beside).to_array().map(|value| value as i32)
                };
                let known = (0..8).find_map(|corner| {
                    let repeats = (0..3).any(|axis| corner >> axis & 1 == 1 && beside[axis] == 0.0);
                    if repeats { None } else { first_at.get(&key(corner)).copied() }
                });
                known.unwrap_or_else(|| {
                    first_at.insert(key(0), index as u32);
                    index as u32
                })
            })
            .collect()
    }
}
