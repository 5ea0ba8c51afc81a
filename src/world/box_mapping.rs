//! Texture coordinates from six sides, in metres, for meshes whose own coordinates are no measure: those from files.
//!
//! In: a mesh of triangles and its place in the object. Out: the same triangles with coordinates along the two axes that each
//! faces least, as a picture on the wall behind it would lie, and tangents that fit.

use bevy::{
    math::{Vec2, Vec3},
    mesh::{PrimitiveTopology, VertexAttributeValues},
    prelude::*,
};

use super::kit::{MeshBuffers, mesh::to_mesh};

/// The mesh with other coordinates; `None` if it is not made of triangles. `place` is the mesh's in its object.
pub(super) fn box_mapped(mesh: &Mesh, place: &Transform) -> Option<Mesh> {
    if mesh.primitive_topology() != PrimitiveTopology::TriangleList {
        return None;
    }
    let VertexAttributeValues::Float32x3(positions) = mesh.attribute(Mesh::ATTRIBUTE_POSITION)? else { return None };
    let normals = match mesh.attribute(Mesh::ATTRIBUTE_NORMAL) {
        Some(VertexAttributeValues::Float32x3(normals)) if normals.len() == positions.len() => Some(normals),
        _ => None,
    };
    let corners: Vec<usize> = match mesh.indices() {
        Some(indices) => indices.iter().collect(),
        None => (0..positions.len()).collect(),
    };
    let mut mapped = MeshBuffers::default();
    for triangle in corners.chunks_exact(3) {
        let corner = |k: usize| positions.get(triangle[k]).copied().map(Vec3::from);
        let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) else { continue };
        let [p, q, r] = [a, b, c].map(|corner| place.transform_point(corner));
        let faces = (q - p).cross(r - p);
        let flat = (b - a).cross(c - a).normalize_or(Vec3::Y);
        for ((index, local), in_object) in triangle.iter().zip([a, b, c]).zip([p, q, r]) {
            mapped.indices.push(mapped.positions.len() as u32);
            mapped.positions.push(local);
            mapped.normals.push(normals.map_or(flat, |normals| Vec3::from(normals[*index]).normalize_or(flat)));
            mapped.uvs.push(seen_from_outside(in_object, faces));
        }
    }
    (!mapped.indices.is_empty()).then(|| to_mesh(&mapped, true))
}

/// Where a point lies on the side that its face looks to: u to the right as one sees it from outside, v down; metres.
fn seen_from_outside(point: Vec3, faces: Vec3) -> Vec2 {
    let size = faces.abs();
    if size.y >= size.x && size.y >= size.z {
        Vec2::new(point.x, if faces.y >= 0.0 { point.z } else { -point.z })
    } else if size.x >= size.z {
        Vec2::new(if faces.x >= 0.0 { -point.z } else { point.z }, -point.y)
    } else {
        Vec2::new(if faces.z >= 0.0 { point.x } else { -point.x }, -point.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_metres_of_the_object_whatever_the_mesh_is_scaled_by() {
        let cube = Mesh::from(Cuboid::new(1.0, 1.0, 1.0));
        let place = Transform::from_xyz(3.0, 0.0, 1.0).with_scale(Vec3::splat(2.0));
        let mapped = box_mapped(&cube, &place).expect("a cube has triangles");
        let vectors = |attribute| match mapped.attribute(attribute) {
            Some(VertexAttributeValues::Float32x3(values)) => values.clone(),
            other => panic!("{other:?}"),
        };
        let (positions, normals) = (vectors(Mesh::ATTRIBUTE_POSITION), vectors(Mesh::ATTRIBUTE_NORMAL));
        let Some(VertexAttributeValues::Float32x2(uvs)) = mapped.attribute(Mesh::ATTRIBUTE_UV_0) else {
            panic!("no uvs")
        };
        assert_eq!(positions.len(), 36);
        for triangle in 0..12 {
            let [a, b] = [3 * triangle, 3 * triangle + 1];
            let along = Vec3::from(positions[b]).distance(Vec3::from(positions[a])) * 2.0;
            let on_picture = Vec2::from(uvs[b]).distance(Vec2::from(uvs[a]));
            assert!((along - on_picture).abs() < 1e-5, "{along} m are {on_picture} m on the picture");
            assert!(normals[a] == normals[b] && Vec3::from(normals[a]).is_normalized());
        }
        assert!(mapped.attribute(Mesh::ATTRIBUTE_TANGENT).is_some());
    }

    #[test]
    fn pictures_stand_upright_and_are_not_mirrored() {
        for faces in [Vec3::X, -Vec3::X, Vec3::Z, -Vec3::Z] {
            let right = Vec3::Y.cross(faces);
            let uv = |point| seen_from_outside(point, faces);
            assert!(uv(right).x > uv(Vec3::ZERO).x && uv(Vec3::Y).y < uv(Vec3::ZERO).y, "{faces}");
        }
    }
}
