//! The labelled bodies of a moment: what the truth about a picture needs besides the label pass.
//!
//! In: `Label`, transforms, meshes. Out: [`Body`] values that can leave the world (shared triangles, plain transforms).
//! The triangles of each mesh are taken out of its asset once and shared.

use std::sync::Arc;

use bevy::{
    asset::AssetEvent,
    camera::primitives::Aabb,
    ecs::system::SystemParam,
    math::Affine3A,
    mesh::{Indices, PrimitiveTopology, VertexAttributeValues},
    platform::collections::HashMap,
    prelude::*,
};

use super::labels::{LabelProxy, label_of};
use crate::world::Label;

/// One labelled body at one moment.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub label: Label,
    pub world_from_body: Affine3A,
    pub parts: Vec<BodyPart>,
}

/// One mesh of a body.
#[derive(Clone, Debug)]
pub(super) struct BodyPart {
    pub shape: Arc<MeshShape>,
    pub world_from_part: Affine3A,
    /// Whether the backs of its faces show.
    pub double_sided: bool,
}

/// Triangles of a mesh, in its own space.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MeshShape {
    pub positions: Vec<Vec3>,
    pub triangles: Vec<[u32; 3]>,
}

impl MeshShape {
    /// The triangles of `mesh`; `None` where they have left the main world or are no triangle list.
    pub fn of(mesh: &Mesh) -> Option<Self> {
        if mesh.primitive_topology() != PrimitiveTopology::TriangleList {
            return None;
        }
        let Ok(Some(VertexAttributeValues::Float32x3(positions))) = mesh.try_attribute_option(Mesh::ATTRIBUTE_POSITION)
        else {
            return None;
        };
        let positions: Vec<Vec3> = positions.iter().map(|position| Vec3::from_array(*position)).collect();
        let triples = |indices: &mut dyn Iterator<Item = u32>| {
            let flat: Vec<u32> = indices.collect();
            flat.as_chunks::<3>().0.to_vec()
        };
        let triangles = match mesh.indices() {
            Some(Indices::U16(indices)) => triples(&mut indices.iter().map(|index| u32::from(*index))),
            Some(Indices::U32(indices)) => triples(&mut indices.iter().copied()),
            None => triples(&mut (0..positions.len() as u32)),
        };
        let in_range = triangles.iter().flatten().all(|index| (*index as usize) < positions.len());
        in_range.then_some(Self { positions, triangles })
    }

    /// An axis-aligned box.
    pub fn cuboid(center: Vec3, half_size: Vec3) -> Self {
        let corner = |index: u32| {
            let sign = |bit: u32| if index & bit == 0 { -1.0 } else { 1.0 };
            center + half_size * Vec3::new(sign(1), sign(2), sign(4))
        };
        // Counter-clockwise from outside; corner bits: 1 is +x, 2 is +y, 4 is +z.
        let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3]];
        Self {
            positions: (0..8).map(corner).collect(),
            triangles: quads.iter().flat_map(|[a, b, c, d]| [[*a, *b, *c], [*a, *c, *d]]).collect(),
        }
    }
}

/// Shapes of meshes that belong to labelled bodies, by asset.
#[derive(Resource, Default)]
pub(super) struct MeshShapes(HashMap<AssetId<Mesh>, Arc<MeshShape>>);

/// Collects the bodies that label cameras can see.
#[derive(SystemParam)]
pub(super) struct BodyGatherer<'w, 's> {
    proxies: Query<'w, 's, (&'static LabelProxy, &'static ChildOf)>,
    meshes:
        Query<'w, 's, (&'static Mesh3d, &'static GlobalTransform, Option<&'static Aabb>, &'static InheritedVisibility)>,
    labels: Query<'w, 's, &'static Label>,
    parents: Query<'w, 's, &'static ChildOf>,
    transforms: Query<'w, 's, &'static GlobalTransform>,
    assets: Res<'w, Assets<Mesh>>,
    events: MessageReader<'w, 's, AssetEvent<Mesh>>,
    shapes: ResMut<'w, MeshShapes>,
}

impl BodyGatherer<'_, '_> {
    /// All labelled bodies with at least one visible part, by instance id.
    pub fn gather(&mut self) -> Vec<Body> {
        for event in self.events.read() {
            if let AssetEvent::Modified { id } | AssetEvent::Removed { id } = event {
                self.shapes.0.remove(id);
            }
        }
        let mut bodies: HashMap<Entity, Body> = HashMap::default();
        for (proxy, child_of) in &self.proxies {
            let Some((root, label)) = label_of(child_of.parent(), &self.labels, &self.parents) else { continue };
            let Ok((mesh, transform, bounds, visibility)) = self.meshes.get(child_of.parent()) else { continue };
            if !visibility.get() {
                continue;
            }
            let shape = self.shapes.0.entry(mesh.id()).or_insert_with(|| {
                let shape = self.assets.get(mesh.id()).and_then(MeshShape::of);
                Arc::new(shape.unwrap_or_else(|| {
                    // Triangles that only the renderer has: their bounding box stands for them.
                    bounds.map(|b| MeshShape::cuboid(b.center.into(), b.half_extents.into())).unwrap_or_default()
                }))
            });
            let part = BodyPart {
                shape: shape.clone(),
                world_from_part: transform.affine(),
                double_sided: proxy.double_sided,
            };
            let transforms = &self.transforms;
            bodies
                .entry(root)
                .or_insert_with(|| Body {
                    label,
                    world_from_body: transforms.get(root).map(GlobalTransform::affine).unwrap_or_default(),
                    parts: Vec::new(),
                })
                .parts
                .push(part);
        }
        let mut bodies: Vec<Body> = bodies.into_values().collect();
        bodies.sort_by_key(|body| body.label.instance);
        bodies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cuboid_is_closed_and_faces_outwards() {
        let shape = MeshShape::cuboid(Vec3::ONE, Vec3::new(1.0, 2.0, 3.0));
        // The divergence theorem: the signed volume of a closed surface that faces outwards is its volume.
        let volume: f32 = shape
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|index| shape.positions[index as usize]);
                a.dot(b.cross(c)) / 6.0
            })
            .sum();
        assert!((volume - 48.0).abs() < 1e-3, "{volume}");
    }

    #[test]
    fn triangles_come_out_of_a_mesh_as_they_went_in() {
        let shape = MeshShape::of(&Mesh::from(Cuboid::new(1.0, 1.0, 1.0))).expect("a triangle list");
        assert_eq!((shape.positions.len(), shape.triangles.len()), (24, 12));
    }
}
