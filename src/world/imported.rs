//! Objects from glTF and GLB files.
//!
//! In: [`ImportedObject`] on a root that `spawn` made; the asset source [`register_scene_folder`]. Out: the file's meshes as
//! descendants, and when those of all models have loaded, colliders made from them and bodies, in the order of the scene: files load in
//! any order, and what bodies do to each other depends on the order in which they came. A file that cannot be loaded leaves
//! the root without a body, and an [`ImportFailed`].
//!
//! Models are read through an asset source of their own, whose root is the scene's folder: Bevy refuses every path that
//! leaves a source, also those that a model names itself (its buffers and pictures).

use std::path::{Path, PathBuf};

use avian3d::prelude::*;
use bevy::{
    asset::{
        AssetPath, LoadState,
        io::{AssetSourceBuilder, AssetSourceId},
    },
    ecs::system::SystemParam,
    gltf::GltfAssetLabel,
    mesh::VertexAttributeValues,
    prelude::*,
    world_serialization::{WorldAssetRoot, WorldInstanceReady},
};

use super::{
    Label,
    box_mapping::box_mapped,
    physics::surface_physics,
    spawn::{SceneObject, Stage},
    worn::{Dreams, Worn},
};
use crate::scene::{ActiveScene, AssetCollider, Mapping};

/// An object whose meshes come from a file.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct ImportedObject {
    /// Relative to the scene's folder.
    pub path: PathBuf,
    pub collider: AssetCollider,
    pub mass_kg: f32,
    pub fixed: bool,
}

/// Its file was read, or it never will be.
#[derive(Component, Clone, Copy, Debug)]
pub struct ImportEnded;

/// Its meshes are there.
#[derive(Component)]
pub(super) struct ImportLoaded;

/// A model could not be loaded.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct ImportFailed {
    pub path: PathBuf,
    pub reason: String,
}

/// The name of the asset source of the scene's folder.
const SCENE_SOURCE: &str = "scene";

/// Lets models be read from the folder of the file `scene`. Call it before Bevy's asset plugin is added.
pub fn register_scene_folder(app: &mut App, scene: &Path) {
    let folder = scene.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    app.register_asset_source(
        AssetSourceId::from(SCENE_SOURCE),
        AssetSourceBuilder::platform_default(&folder.to_string_lossy(), None),
    );
}

/// Whether models are still being read.
pub fn is_importing(world: &mut World) -> bool {
    let mut open = world.query_filtered::<(), (With<ImportedObject>, Without<ImportEnded>)>();
    open.iter(world).next().is_some()
}

/// Starts loading the file of every new imported object.
pub fn load_imported(
    added: Query<(Entity, &ImportedObject), Added<ImportedObject>>,
    assets: Res<AssetServer>,
    mut commands: Commands,
) {
    for (entity, imported) in &added {
        let path = AssetPath::from_path_buf(imported.path.clone()).with_source(SCENE_SOURCE);
        let scene = assets.load(GltfAssetLabel::Scene(0).from_asset(path));
        commands.entity(entity).insert(WorldAssetRoot(scene)).observe(note_loaded);
    }
}

/// Tells which files cannot be loaded, once each.
pub fn notice_failures(
    loading: Query<(Entity, &ImportedObject, &WorldAssetRoot), (Without<ImportEnded>, Without<ImportLoaded>)>,
    assets: Res<AssetServer>,
    mut failed: MessageWriter<ImportFailed>,
    mut commands: Commands,
) {
    for (entity, imported, root) in &loading {
        if let Some(LoadState::Failed(error)) = assets.get_load_state(root.0.id()) {
            warn!("{}: {error}", imported.path.display());
            failed.write(ImportFailed { path: imported.path.clone(), reason: error.to_string() });
            commands.entity(entity).insert(ImportEnded);
        }
    }
}

/// The meshes of an object from a file, with their places in it.
#[derive(SystemParam)]
pub(super) struct ImportedMeshes<'w, 's> {
    children: Query<'w, 's, &'static Children>,
    parts: Query<'w, 's, (&'static Mesh3d, &'static MeshMaterial3d<StandardMaterial>, Option<&'static Dreams>)>,
    transforms: Query<'w, 's, &'static Transform>,
}

/// A mesh of an object from a file, before it is dressed.
#[derive(Clone, Debug)]
pub(super) struct ImportedMesh {
    pub entity: Entity,
    pub mesh: Handle<Mesh>,
    pub worn: Worn,
    /// In the object.
    place: Transform,
}

impl ImportedMeshes<'_, '_> {
    /// All meshes below `root`.
    pub fn of(&self, root: Entity) -> Vec<ImportedMesh> {
        let mut found = Vec::new();
        let mut open = vec![(root, Transform::IDENTITY)];
        while let Some((entity, place)) = open.pop() {
            if let Ok((mesh, material, dreams)) = self.parts.get(entity) {
                found.push(ImportedMesh { entity, mesh: mesh.0.clone(), worn: Worn::of(material, dreams), place });
            }
            for child in self.children.get(entity).into_iter().flatten() {
                let own = self.transforms.get(*child).copied().unwrap_or_default();
                open.push((*child, place * own));
            }
        }
        found
    }
}

impl Stage<'_, '_> {
    /// Gives all meshes of an object from a file a material, laid onto them from six sides, since coordinates in files are no
    /// measure, or along those coordinates where a dream asks for them. False if it has no mesh that can wear it.
    pub(super) fn dress_imported(&mut self, parts: &[ImportedMesh], worn: &Worn) -> bool {
        let mut any = false;
        let along_coordinates = worn.dream.as_ref().is_some_and(|dream| dream.mapping == Some(Mapping::Uv));
        for part in parts {
            let mapped = self.meshes.get(&part.mesh).and_then(|mesh| {
                if along_coordinates { along_its_coordinates(mesh) } else { box_mapped(mesh, &part.place) }
            });
            let Some(mapped) = mapped else { continue };
            let mesh = self.meshes.add(mapped);
            self.commands.entity(part.entity).insert(Mesh3d(mesh));
            worn.clone().put_on(self.commands.entity(part.entity));
            any = true;
        }
        any
    }
}

/// The mesh with the tangents that relief needs; `None` if it has no coordinates for a texture.
fn along_its_coordinates(mesh: &Mesh) -> Option<Mesh> {
    mesh.attribute(Mesh::ATTRIBUTE_UV_0)?;
    let mut mesh = mesh.clone();
    if mesh.attribute(Mesh::ATTRIBUTE_TANGENT).is_none() {
        mesh.generate_tangents().ok()?;
    }
    Some(mesh)
}

/// Objects from files wear what the scene says as soon as they are there.
pub(super) fn dress_imported(
    ended: Query<(Entity, &SceneObject), (With<ImportedObject>, Added<ImportEnded>)>,
    scene: Option<Res<ActiveScene>>,
    meshes: ImportedMeshes,
    mut stage: Stage,
) {
    let Some(scene) = scene else { return };
    for (root, SceneObject(name)) in &ended {
        let object = scene.spec.objects.iter().find(|object| object.name == *name);
        let worn = object.and_then(|object| Some((object, scene.spec.materials.get(object.material.as_ref()?)?)));
        if let Some((object, material)) = worn {
            let worn = stage.wear(material, object.scale);
            stage.dress_imported(&meshes.of(root), &worn);
        }
    }
}

fn note_loaded(ready: On<WorldInstanceReady>, mut commands: Commands) {
    commands.entity(ready.event().entity).insert(ImportLoaded);
}

/// When nothing is being read any more: makes bodies of what has loaded.
pub(super) fn give_bodies(
    open: Query<(Entity, &ImportedObject, Option<&Label>, Has<ImportLoaded>), Without<ImportEnded>>,
    children: Query<&Children>,
    parts: Query<&Mesh3d>,
    transforms: Query<&Transform>,
    meshes: Res<Assets<Mesh>>,
    mut commands: Commands,
) {
    if open.iter().any(|(.., loaded)| !loaded) {
        return;
    }
    let mut loaded: Vec<_> = open.iter().map(|(root, imported, label, _)| (label, root, imported)).collect();
    loaded.sort_by_key(|(label, root, _)| (label.map(|label| label.instance), *root));
    for (_, root, imported) in loaded {
        give_body(root, imported, &children, &parts, &transforms, &meshes, &mut commands);
    }
}

fn give_body(
    root: Entity,
    imported: &ImportedObject,
    children: &Query<&Children>,
    parts: &Query<&Mesh3d>,
    transforms: &Query<&Transform>,
    meshes: &Assets<Mesh>,
    commands: &mut Commands,
) {
    let mut points = Vec::new();
    let mut triangles: Vec<[u32; 3]> = Vec::new();
    // Global transforms are not there yet in the frame of spawning: multiply down from the root.
    let mut open: Vec<(Entity, Transform)> = vec![(root, Transform::IDENTITY)];
    while let Some((entity, place)) = open.pop() {
        if let Ok(mesh) = parts.get(entity)
            && let Some(mesh) = meshes.get(&mesh.0)
        {
            push_triangles(mesh, &place, &mut points, &mut triangles);
        }
        for child in children.get(entity).into_iter().flatten() {
            let own = transforms.get(*child).copied().unwrap_or_default();
            open.push((*child, place * own));
        }
    }
    let mut body = commands.entity(root);
    body.insert((
        ImportEnded,
        if imported.fixed { RigidBody::Static } else { RigidBody::Dynamic },
        surface_physics(""),
    ));
    match shape(imported.collider, points, triangles) {
        Some(collider) => {
            body.insert((collider, Mass(imported.mass_kg)));
        }
        None if imported.collider == AssetCollider::None => {
            body.insert(RigidBody::Static);
        }
        None => {
            warn!("{}: no collision shape could be made of its meshes; it stays fixed", imported.path.display());
            body.insert(RigidBody::Static);
        }
    }
}

fn push_triangles(mesh: &Mesh, place: &Transform, points: &mut Vec<Vec3>, triangles: &mut Vec<[u32; 3]>) {
    let Some(VertexAttributeValues::Float32x3(positions)) = mesh.attribute(Mesh::ATTRIBUTE_POSITION) else { return };
    let first = points.len() as u32;
    points.extend(positions.iter().map(|position| place.transform_point(Vec3::from(*position))));
    let indices: Vec<u32> = match mesh.indices() {
        Some(indices) => indices.iter().map(|index| index as u32).collect(),
        None => (0..positions.len() as u32).collect(),
    };
    triangles.extend(indices.chunks_exact(3).map(|t| [first + t[0], first + t[1], first + t[2]]));
}

fn shape(kind: AssetCollider, points: Vec<Vec3>, triangles: Vec<[u32; 3]>) -> Option<Collider> {
    if points.is_empty() {
        return None;
    }
    match kind {
        AssetCollider::None => None,
        AssetCollider::Hull => Collider::convex_hull(points),
        AssetCollider::Mesh => Collider::try_trimesh(points, triangles).ok(),
        AssetCollider::Box => {
            let (low, high) =
                points.iter().fold((Vec3::MAX, Vec3::MIN), |(low, high), point| (low.min(*point), high.max(*point)));
            let size = (high - low).max(Vec3::splat(0.002));
            let cuboid = Collider::cuboid(size.x, size.y, size.z);
            Some(Collider::compound(vec![(0.5 * (low + high), Quat::IDENTITY, cuboid)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_fit_their_points_wherever_they_lie() {
        let points = vec![Vec3::new(1.0, 0.0, 0.0), Vec3::new(3.0, 2.0, 1.0)];
        let bounds = shape(AssetCollider::Box, points, Vec::new()).unwrap().aabb(Vec3::ZERO, Quat::IDENTITY);
        assert!(bounds.min.abs_diff_eq(Vec3::new(1.0, 0.0, 0.0), 1e-4));
        assert!(bounds.max.abs_diff_eq(Vec3::new(3.0, 2.0, 1.0), 1e-4));
        assert!(shape(AssetCollider::Hull, Vec::new(), Vec::new()).is_none());
    }

    #[test]
    fn a_file_s_own_coordinates_are_kept_where_it_has_them() {
        let uvs = |mesh: &Mesh| match mesh.attribute(Mesh::ATTRIBUTE_UV_0) {
            Some(VertexAttributeValues::Float32x2(uvs)) => uvs.clone(),
            other => panic!("{other:?}"),
        };
        let cube = Mesh::from(Cuboid::new(1.0, 2.0, 3.0));
        let mapped = along_its_coordinates(&cube).expect("a cube has coordinates");
        assert_eq!(uvs(&mapped), uvs(&cube));
        assert!(mapped.attribute(Mesh::ATTRIBUTE_TANGENT).is_some());
        let bare = cube.with_removed_attribute(Mesh::ATTRIBUTE_UV_0);
        assert!(along_its_coordinates(&bare).is_none());
    }
}
