//! What a family of the kit builds: geometry, surfaces, collision pieces. Plain values; no ECS.

use bevy::math::{Quat, Vec2, Vec3};

/// A built object. Origin: the middle of the underside; +Y up; the side that faces the viewer looks along +Z.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectModel {
    pub parts: Vec<Part>,
    /// Convex pieces that together stand for the object in the physics.
    pub collider: Vec<ColliderPiece>,
    pub mass_kg: f32,
    /// Small enough to be carried in one hand or two.
    pub grabbable: bool,
    /// Too heavy or too fixed to move (shelf, table).
    pub fixed: bool,
    /// Light that the object gives off (lamp, candle): position and linear colour × lumens.
    pub glow: Option<(Vec3, Vec3)>,
}

/// Geometry that shares one surface.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub mesh: MeshBuffers,
    pub surface: Surface,
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
