//! What a family of the kit builds: geometry, surfaces, collision pieces. Plain values; no ECS.

use bevy::math::{Quat, Vec2, Vec3};

/// A built object. Origin: the middle of the underside; +Y up; the side that faces the viewer looks along +Z.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectModel {
    pub parts: Vec<Part>,
    /// Convex pieces that together stand for the object in the physics.
    pub collider: Vec<ColliderPiece>,
    pub mass_kg: f32,
    /// Where the weight sits, for things that are not evenly heavy (a lamp's foot); `None`: as the collider's pieces say.
    pub center_of_mass: Option<Vec3>,
    /// Small enough to be carried in one hand or two.
    pub grabbable: bool,
    /// Too heavy or too fixed to move (shelf, table).
    pub fixed: bool,
    /// Light that the object gives off (lamp, candle): position and linear colour × lumens.
    pub glow: Option<(Vec3, Vec3)>,
    /// Where other things may stand (tables, shelves, stools, crates).
    pub supports: Vec<SupportSurface>,
}

impl ObjectModel {
    /// Smallest and largest corner of the box round all parts, metres.
    pub fn bounds(&self) -> (Vec3, Vec3) {
        self.parts
            .iter()
            .map(|part| part.mesh.bounds())
            .reduce(|(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)))
            .unwrap_or_default()
    }

    /// Moved so that the middle of the box round all parts stands over the origin, the underside on y = 0.
    #[must_use]
    pub(super) fn set_down(mut self) -> Self {
        let (low, high) = self.bounds();
        let offset = -Vec3::new(0.5 * (low.x + high.x), low.y, 0.5 * (low.z + high.z));
        for part in &mut self.parts {
            part.mesh = std::mem::take(&mut part.mesh).translated(offset);
        }
        self.collider = self.collider.into_iter().map(|piece| piece.translated(offset)).collect();
        for support in &mut self.supports {
            support.center += offset;
        }
        self.center_of_mass = self.center_of_mass.map(|center| center + offset);
        self.glow = self.glow.map(|(position, light)| (position + offset, light));
        self
    }
}

/// A flat, level, axis-aligned area on which things may stand, in the object's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupportSurface {
    /// Middle of the area, on the surface.
    pub center: Vec3,
    /// Half the size along x and z, metres; edges that would let things fall are already left out.
    pub half_size: Vec2,
    /// Free height above the surface, metres; infinite under the open sky.
    pub clearance: f32,
}

/// Geometry that shares one surface.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub mesh: MeshBuffers,
    pub surface: Surface,
}

impl Part {
    pub fn new(mesh: MeshBuffers, surface: Surface) -> Self {
        Self { mesh, surface }
    }
}

/// Triangles, counter-clockwise seen from outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeshBuffers {
    pub positions: Vec<Vec3>,
    /// Unit length, outward.
    pub normals: Vec<Vec3>,
    /// In metres along the surface, so that a pattern keeps its scale.
    pub uvs: Vec<Vec2>,
    pub indices: Vec<u32>,
}

/// How a part looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    /// Linear RGB, 0 to 1.
    pub base_color: Vec3,
    /// Perceptual roughness, 0.03 to 1.
    pub roughness: f32,
    pub metallic: f32,
    /// Linear RGB; above 1 glows.
    pub emissive: Vec3,
    pub grain: Grain,
}

/// The tiling texture of a surface, modulating its base colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Grain {
    #[default]
    None,
    Wood,
    Ceramic,
    Fabric,
    Metal,
    Leather,
    Peel,
    Bark,
}

/// A convex collision piece in the object's frame.
#[derive(Clone, Debug, PartialEq)]
pub enum ColliderPiece {
    Box {
        center: Vec3,
        rotation: Quat,
        half_size: Vec3,
    },
    /// Axis along the piece's +Y.
    Cylinder {
        center: Vec3,
        rotation: Quat,
        radius: f32,
        half_height: f32,
    },
    Sphere {
        center: Vec3,
        radius: f32,
    },
    /// Convex hull of points.
    Hull(Vec<Vec3>),
}

impl ColliderPiece {
    /// An axis-aligned box between two corners.
    pub fn block(low: Vec3, high: Vec3) -> Self {
        Self::Box { center: 0.5 * (low + high), rotation: Quat::IDENTITY, half_size: 0.5 * (high - low) }
    }

    /// An upright cylinder about the Y axis from height `bottom` to `top`.
    pub fn upright(radius: f32, bottom: f32, top: f32) -> Self {
        Self::Cylinder {
            center: Vec3::Y * (0.5 * (bottom + top)),
            rotation: Quat::IDENTITY,
            radius,
            half_height: 0.5 * (top - bottom),
        }
    }

    /// The convex hull of an upright frustum about the Y axis, as a dodecagon that touches the circle from within.
    pub fn frustum(bottom_radius: f32, top_radius: f32, bottom: f32, top: f32) -> Self {
        let ring = |radius: f32, height: f32| {
            (0..12).map(move |k| {
                let (sin, cos) = (k as f32 / 12.0 * std::f32::consts::TAU).sin_cos();
                Vec3::new(radius * sin, height, radius * cos)
            })
        };
        Self::Hull(ring(bottom_radius, bottom).chain(ring(top_radius, top)).collect())
    }

    /// The convex hull of `points`, thinned to those that lie outermost in 42 directions: straight up and down, and
    /// eight ways round at five tilts.
    pub fn hull_round(points: &[Vec3]) -> Self {
        const TILTS: [f32; 5] = [-1.2, -0.6, 0.0, 0.6, 1.2];
        let ways = (0..8).map(|k| k as f32 / 8.0 * std::f32::consts::TAU);
        let slanted = ways
            .flat_map(|way| TILTS.map(|tilt| Vec3::new(way.sin() * tilt.cos(), tilt.sin(), way.cos() * tilt.cos())));
        let mut outermost: Vec<Vec3> = Vec::new();
        for direction in slanted.chain([Vec3::Y, Vec3::NEG_Y]) {
            let farthest = points.iter().max_by(|a, b| a.dot(direction).total_cmp(&b.dot(direction)));
            outermost.extend(farthest.filter(|point| !outermost.contains(point)));
        }
        Self::Hull(outermost)
    }

    /// Moved by `offset`.
    #[must_use]
    pub(super) fn translated(mut self, offset: Vec3) -> Self {
        match &mut self {
            Self::Box { center, .. } | Self::Cylinder { center, .. } | Self::Sphere { center, .. } => *center += offset,
            Self::Hull(points) => points.iter_mut().for_each(|point| *point += offset),
        }
        self
    }
}
