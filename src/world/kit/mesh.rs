//! From an object's model to meshes that are drawn: few, because every mesh is a draw call.
//!
//! In: [`ObjectModel`]. Out: [`DrawnPart`]s with Bevy meshes; parts that differ only in colour are one mesh whose vertices
//! carry the colours. What is absent: materials as assets (`materials`), entities (`spawn`).

use bevy::{
    asset::RenderAssetUsages,
    math::Vec3,
    mesh::{Indices, Mesh, PrimitiveTopology},
};

use super::{Grain, MeshBuffers, ObjectModel, Surface};

/// One mesh of an object and what its surface is like.
#[derive(Clone, Debug)]
pub struct DrawnPart {
    pub mesh: Mesh,
    pub look: Look,
}

/// What parts must share to be drawn as one. Numbers are steps, so that looks can be compared and used as keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    pub grain: Grain,
    /// Perceptual roughness in steps of 1/16.
    pub roughness: u8,
    pub metallic: bool,
    /// Emissive linear RGB in steps of 1/16.
    pub emissive: [u16; 3],
}

impl Look {
    pub fn of(surface: &Surface) -> Self {
        Self {
            grain: surface.grain,
            roughness: (surface.roughness.clamp(0.0, 1.0) * 16.0).round() as u8,
            metallic: surface.metallic > 0.5,
            emissive: surface.emissive.to_array().map(|c| (c.clamp(0.0, 4000.0) * 16.0).round() as u16),
        }
    }

    pub fn perceptual_roughness(&self) -> f32 {
        (f32::from(self.roughness) / 16.0).max(0.03)
    }

    pub fn emissive(&self) -> Vec3 {
        Vec3::from(self.emissive.map(|c| f32::from(c) / 16.0))
    }
}

/// The meshes of `model`. With `apart`, the main (first) part keeps a mesh of its own, so that it can wear another material.
/// `tangents` are needed only where a relief is drawn.
pub fn drawn_parts(model: &ObjectModel, apart: bool, tangents: bool) -> Vec<DrawnPart> {
    let mut groups: Vec<(Look, bool, MeshBuffers, Vec<[f32; 4]>)> = Vec::new();
    for (index, part) in model.parts.iter().enumerate() {
        let look = Look::of(&part.surface);
        let main = apart && index == 0;
        let found = groups.iter().position(|(other, is_main, ..)| *other == look && !is_main && !main);
        let group = found.unwrap_or_else(|| {
            groups.push((look, main, MeshBuffers::default(), Vec::new()));
            groups.len() - 1
        });
        let (_, _, buffers, colors) = &mut groups[group];
        let first = buffers.positions.len() as u32;
        buffers.positions.extend(&part.mesh.positions);
        buffers.normals.extend(&part.mesh.normals);
        buffers.uvs.extend(&part.mesh.uvs);
        buffers.indices.extend(part.mesh.indices.iter().map(|index| index + first));
        // A part that wears another material brings no colour of its own.
        let color = if main { Vec3::ONE } else { part.surface.base_color };
        colors.resize(buffers.positions.len(), color.extend(1.0).to_array());
    }
    groups
        .into_iter()
        .map(|(look, _, buffers, colors)| {
            let mut mesh = to_mesh(&buffers, tangents);
            mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colors);
            DrawnPart { mesh, look }
        })
        .collect()
}

/// A Bevy mesh of `buffers`.
pub fn to_mesh(buffers: &MeshBuffers, tangents: bool) -> Mesh {
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default());
    mesh.insert_attribute(Mesh::ATTRIBUTE_POSITION, buffers.positions.clone());
    mesh.insert_attribute(Mesh::ATTRIBUTE_NORMAL, buffers.normals.clone());
    mesh.insert_attribute(Mesh::ATTRIBUTE_UV_0, buffers.uvs.clone());
    mesh.insert_indices(Indices::U32(buffers.indices.clone()));
    if tangents {
        mesh.insert_attribute(Mesh::ATTRIBUTE_TANGENT, tangents_of(buffers));
    }
    mesh
}

/// Tangents (xyz along growing u, w the side of the picture's upward direction). Source: Lengyel, "Computing tangent space
/// basis vectors for an arbitrary mesh", 2001; the bitangent points against v, because pictures run down.
fn tangents_of(buffers: &MeshBuffers) -> Vec<[f32; 4]> {
    let mut along = vec![Vec3::ZERO; buffers.positions.len()];
    let mut down = vec![Vec3::ZERO; buffers.positions.len()];
    for triangle in buffers.indices.chunks_exact(3) {
        let [a, b, c] = [0, 1, 2].map(|corner| triangle[corner] as usize);
        let [p, q] = [buffers.positions[b] - buffers.positions[a], buffers.positions[c] - buffers.positions[a]];
        let [s, t] = [buffers.uvs[b] - buffers.uvs[a], buffers.uvs[c] - buffers.uvs[a]];
        let area = s.perp_dot(t);
        if area.abs() < 1e-12 {
            continue;
        }
        let (u, v) = ((p * t.y - q * s.y) / area, (q * s.x - p * t.x) / area);
        for corner in [a, b, c] {
            along[corner] += u;
            down[corner] += v;
        }
    }
    (0..along.len())
        .map(|i| {
            let normal = buffers.normals[i];
            let tangent = (along[i] - normal * normal.dot(along[i]))
                .try_normalize()
                .unwrap_or_else(|| normal.any_orthonormal_vector());
            let side = if normal.cross(tangent).dot(down[i]) > 0.0 { -1.0 } else { 1.0 };
            tangent.extend(side).to_array()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bevy::math::Vec2;

    use super::*;
    use crate::world::kit::Part;

    fn quad() -> MeshBuffers {
        MeshBuffers {
            positions: vec![Vec3::ZERO, Vec3::X, Vec3::new(1.0, 1.0, 0.0), Vec3::Y],
            normals: vec![Vec3::Z; 4],
            // The picture's top is up.
            uvs: vec![Vec2::new(0.0, 1.0), Vec2::ONE, Vec2::new(1.0, 0.0), Vec2::ZERO],
            indices: vec![0, 1, 2, 0, 2, 3],
        }
    }

    fn surface(base_color: Vec3, grain: Grain) -> Surface {
        Surface { base_color, roughness: 0.5, metallic: 0.0, emissive: Vec3::ZERO, grain }
    }

    #[test]
    fn tangents_point_along_u_and_up_is_up() {
        for tangent in tangents_of(&quad()) {
            assert_eq!(tangent, [1.0, 0.0, 0.0, 1.0]);
        }
    }

    #[test]
    fn parts_that_differ_in_colour_only_are_drawn_together() {
        let part = |color, grain| Part { mesh: quad(), surface: surface(color, grain) };
        let model = ObjectModel {
            parts: vec![part(Vec3::X, Grain::Wood), part(Vec3::Y, Grain::Wood), part(Vec3::Z, Grain::Metal)],
            ..Default::default()
        };
        let together = drawn_parts(&model, false, false);
        assert_eq!(together.len(), 2);
        assert_eq!(together[0].mesh.count_vertices(), 8);
        assert_eq!(drawn_parts(&model, true, false).len(), 3);
    }
}
