//! The outline of a mesh: a shell around it of which only the inside is drawn, so that a rim shows wherever the mesh itself ends.
//!
//! Pure: a mesh and a width in, a mesh out. Corners that several faces share, whatever their normals, move as one, so that the shell has
//! no gaps at hard edges.

use bevy::{
    asset::RenderAssetUsages,
    mesh::{Indices, PrimitiveTopology, VertexAttributeValues},
    platform::collections::HashMap,
    prelude::*,
};

/// Sharp corners reach at most so much farther out than flat faces.
const MOST_MITRE: f32 = 2.0;

/// The shell `width` (in the mesh's own lengths) outside a mesh. `None` where its triangles are not at hand.
pub(super) fn outline_of(mesh: &Mesh, width: f32) -> Option<Mesh> {
    if mesh.primitive_topology() != PrimitiveTopology::TriangleList {
        return None;
    }
    let Ok(Some(VertexAttributeValues::Float32x3(positions))) = mesh.try_attribute_option(Mesh::ATTRIBUTE_POSITION)
    else {
        return None;
    };
    let mut corners: Vec<Vec3> = Vec::new();
    let mut corner_at: HashMap<[u32; 3], u32> = HashMap::new();
    let corner_of: Vec<u32> = positions
        .iter()
        .map(|position| {
            // Adding zero makes −0 and 0 one place.
            *corner_at.entry(position.map(|x| (x + 0.0).to_bits())).or_insert_with(|| {
                corners.push(Vec3::from_array(*position));
                corners.len() as u32 - 1
            })
        })
        .collect();
    let flat: Vec<usize> = match mesh.indices() {
        Some(indices) => indices.iter().collect(),
        None => (0..positions.len()).collect(),
    };
    let corner = |index: usize| corner_of.get(index).copied();
    let triangles: Option<Vec<[u32; 3]>> =
        flat.as_chunks::<3>().0.iter().map(|&[a, b, c]| Some([corner(a)?, corner(b)?, corner(c)?])).collect();
    // A file may name corners that it does not have.
    let triangles = triangles?;
    let mut sums = vec![(Vec3::ZERO, 0.0_f32); corners.len()];
    for triangle in &triangles {
        let place = triangle.map(|corner| corners[corner as usize]);
        let Some(normal) = (place[1] - place[0]).cross(place[2] - place[0]).try_normalize() else { continue };
        for turn in 0..3 {
            let (here, next, last) = (place[turn], place[(turn + 1) % 3], place[(turn + 2) % 3]);
            // However a face is cut into triangles, it counts by its angle at the corner.
            let angle = (next - here).angle_between(last - here);
            let (sum, weight) = &mut sums[triangle[turn] as usize];
            *sum += normal * angle;
            *weight += angle;
        }
    }
    let moved: Vec<Vec3> = corners
        .iter()
        .zip(&sums)
        .map(|(corner, (sum, weight))| {
            // Of opposite faces nothing is left: the two sides of a leaf have no outside.
            let Some(normal) = sum.try_normalize() else { return *corner };
            *corner + normal * width * (weight / sum.length()).min(MOST_MITRE)
        })
        .collect();
    let indices = triangles.into_iter().flatten().collect();
    let normals: Vec<Vec3> = sums.iter().map(|(sum, _)| sum.normalize_or(Vec3::Y)).collect();
    Some(
        Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::RENDER_WORLD)
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, moved)
            .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
            .with_inserted_indices(Indices::U32(indices)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(mesh: &Mesh) -> Vec<Vec3> {
        let Some(VertexAttributeValues::Float32x3(places)) = mesh.attribute(Mesh::ATTRIBUTE_POSITION) else { panic!() };
        places.iter().map(|place| Vec3::from_array(*place)).collect()
    }

    #[test]
    fn a_cubes_faces_move_out_by_the_width_and_its_corners_stay_together() {
        let shell = outline_of(&Mesh::from(Cuboid::new(1.0, 1.0, 1.0)), 0.1).expect("triangles");
        let corners = places(&shell);
        // 24 vertices with normals of their own are 8 corners, each √3 × 0.1 out.
        assert_eq!(corners.len(), 8);
        for corner in corners {
            assert!((corner.abs() - Vec3::splat(0.6)).length() < 1e-5, "{corner}");
        }
    }

    #[test]
    fn a_sphere_grows_by_the_width() {
        let shell = outline_of(&Sphere::new(0.5).mesh().ico(4).expect("a sphere"), 0.02).expect("triangles");
        for place in places(&shell) {
            assert!((place.length() - 0.52).abs() < 1e-3, "{place}");
        }
    }

    #[test]
    fn corners_that_are_not_there_have_no_outline() {
        let bad = Mesh::from(Cuboid::new(1.0, 1.0, 1.0)).with_inserted_indices(Indices::U32(vec![0, 1, 99]));
        assert!(outline_of(&bad, 0.1).is_none());
    }

    #[test]
    fn a_leaf_of_two_sides_has_no_outside() {
        let sides = vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
        let leaf = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
            .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, sides.clone())
            .with_inserted_indices(Indices::U32(vec![0, 1, 2, 0, 2, 1]));
        let places = places(&outline_of(&leaf, 0.1).expect("triangles"));
        assert_eq!(places, sides.into_iter().map(Vec3::from_array).collect::<Vec<_>>());
    }
}
