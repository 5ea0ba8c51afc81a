//! What the label pass draws: for every mesh that an eye can see, a child with the same mesh on a layer of its own, drawn
//! with one shared unshaded material that writes the body's instance id, depth and normal.
//!
//! In: `Mesh3d`, `Label`, `RenderLayers`, the hierarchy. Out: proxies (children with [`LabelProxy`]). A mesh under an
//! entity with a [`Label`] carries that id; any other mesh (walls, floor, furniture without class) carries 0 but still
//! hides what is behind it. What lies on no eye layer (floating text, gizmos, a body's own shell) gets no proxy, nor does
//! what lets light through (blended materials) unless it has a label.
//!
//! What is absent: skinned and morphed meshes keep their rest shape; alpha masks count as solid.

use bevy::{
    asset::{load_internal_asset, uuid_handle},
    camera::visibility::RenderLayers,
    light::{NotShadowCaster, NotShadowReceiver},
    mesh::{MeshTag, MeshVertexBufferLayoutRef},
    pbr::{MaterialPipeline, MaterialPipelineKey},
    prelude::*,
    reflect::TypePath,
    render::render_resource::{AsBindGroup, Face, RenderPipelineDescriptor, SpecializedMeshPipelineError},
    shader::ShaderRef,
};

use super::eye::Eye;
use crate::world::Label;

/// The render layer of labels. Nothing else may be on it.
pub const LABEL_LAYER: usize = 31;

const LABEL_SHADER: Handle<Shader> = uuid_handle!("5e3cf3a2-6a0e-4b37-9d0a-7f1f3a52c9d1");

/// Writes (id, depth, normal) and shades nothing. Two exist in a world: one that shows only front faces, one for both.
#[derive(Asset, TypePath, AsBindGroup, Clone, Debug)]
#[bind_group_data(LabelMaterialKey)]
pub(super) struct LabelMaterial {
    double_sided: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub(super) struct LabelMaterialKey {
    double_sided: bool,
}

impl From<&LabelMaterial> for LabelMaterialKey {
    fn from(material: &LabelMaterial) -> Self {
        Self { double_sided: material.double_sided }
    }
}

impl Material for LabelMaterial {
    fn fragment_shader() -> ShaderRef {
        LABEL_SHADER.into()
    }

    fn enable_prepass() -> bool {
        false
    }

    fn enable_shadows() -> bool {
        false
    }

    fn specialize(
        _pipeline: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _layout: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.primitive.cull_mode = (!key.bind_group_data.double_sided).then_some(Face::Back);
        Ok(())
    }
}

#[derive(Resource)]
pub(super) struct LabelMaterials {
    front: Handle<LabelMaterial>,
    both: Handle<LabelMaterial>,
}

/// A child that only label cameras see.
#[derive(Component, Debug)]
#[require(NotShadowCaster, NotShadowReceiver)]
pub struct LabelProxy {
    /// Whether back faces are drawn too.
    pub double_sided: bool,
}

/// On a mesh that has its proxy.
#[derive(Component, Debug)]
pub(super) struct HasLabelProxy(Entity);

pub(super) fn plugin(app: &mut App) {
    load_internal_asset!(app, LABEL_SHADER, "label.wgsl", Shader::from_wgsl);
    app.add_plugins(MaterialPlugin::<LabelMaterial>::default()).add_systems(Startup, create_materials);
}

fn create_materials(mut commands: Commands, mut materials: ResMut<Assets<LabelMaterial>>) {
    commands.insert_resource(LabelMaterials {
        front: materials.add(LabelMaterial { double_sided: false }),
        both: materials.add(LabelMaterial { double_sided: true }),
    });
}

/// Run condition: somebody wants the truth.
pub(super) fn any_eye_wants_truth(eyes: Query<&Eye>) -> bool {
    eyes.iter().any(|eye| eye.truth)
}

type BareMesh = (Without<HasLabelProxy>, Without<LabelProxy>);

/// Gives every visible mesh its proxy, and keeps the proxy's mesh that of its parent.
#[allow(clippy::type_complexity)] // one query per state of a mesh
pub(super) fn spawn_proxies(
    mut commands: Commands,
    labels: Query<&Label>,
    parents: Query<&ChildOf>,
    bare: Query<(Entity, &Mesh3d, Option<&RenderLayers>, Option<&MeshMaterial3d<StandardMaterial>>), BareMesh>,
    changed: Query<(&Mesh3d, &HasLabelProxy), Changed<Mesh3d>>,
    materials: Option<Res<LabelMaterials>>,
    surfaces: Res<Assets<StandardMaterial>>,
) {
    let Some(materials) = materials else { return };
    let scene = RenderLayers::layer(0);
    for (entity, mesh, layers, material) in &bare {
        if layers.is_some_and(|layers| !layers.intersects(&scene)) {
            continue;
        }
        let label = label_of(entity, &labels, &parents);
        let surface = material.map(|material| (material, surfaces.get(&material.0)));
        let double_sided = match surface {
            // Its surface is still loading: another time, when it is known whether it hides anything.
            Some((_, None)) => continue,
            Some((_, Some(surface))) => {
                let solid = matches!(surface.alpha_mode, AlphaMode::Opaque | AlphaMode::Mask(_));
                if !solid && label.is_none() {
                    continue;
                }
                surface.cull_mode.is_none()
            }
            None => false,
        };
        let material = if double_sided { &materials.both } else { &materials.front };
        let proxy = commands
            .spawn((
                LabelProxy { double_sided },
                Mesh3d(mesh.0.clone()),
                MeshMaterial3d(material.clone()),
                MeshTag(label.map_or(0, |(_, label)| label.instance)),
                RenderLayers::layer(LABEL_LAYER),
                ChildOf(entity),
            ))
            .id();
        commands.entity(entity).insert(HasLabelProxy(proxy));
    }
    for (mesh, proxy) in &changed {
        commands.entity(proxy.0).try_insert(Mesh3d(mesh.0.clone()));
    }
}

/// Keeps ids true when labels come, change or go, or meshes change hands.
pub(super) fn retag_proxies(
    mut proxies: Query<(&mut MeshTag, &ChildOf), With<LabelProxy>>,
    labels: Query<&Label>,
    parents: Query<&ChildOf>,
) {
    for (mut tag, child_of) in &mut proxies {
        let instance = label_of(child_of.parent(), &labels, &parents).map_or(0, |(_, label)| label.instance);
        tag.set_if_neq(MeshTag(instance));
    }
}

/// The nearest entity upwards (itself included) that has a label.
pub(super) fn label_of(mesh: Entity, labels: &Query<&Label>, parents: &Query<&ChildOf>) -> Option<(Entity, Label)> {
    std::iter::once(mesh)
        .chain(parents.iter_ancestors(mesh))
        .find_map(|entity| labels.get(entity).ok().map(|label| (entity, *label)))
}
