//! From the active scene to entities: rooms and objects.
//!
//! In: [`SceneChanged`]. Out: one static body per room with its meshes as children; one body per object with [`Label`],
//! `Name`, collider and mass on the root and its meshes as children. When a scene changes, only what differs is replaced:
//! an object that is described as before stays where it is now, even if it was moved meanwhile.
//! What is absent: light (`light`), what hands and feet do with bodies, imported files (`imported`).

use std::collections::{HashMap, HashSet};

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    Grabbable, Label, WorldBounds,
    architecture::{PLINTH_DEPTH, build_room},
    imported::ImportedObject,
    kit::{
        self, MeshBuffers, ObjectModel,
        mesh::{Look, drawn_parts, to_mesh},
    },
    materials::{MaterialLibrary, Workshop},
    physics::{building_collider, object_collider, surface_physics},
    quality::Quality,
};
use crate::{
    base::{ClassTable, Seed},
    scene::{ActiveScene, MaterialSpec, ObjectSource, ObjectSpec, Pattern, SceneChanged, SceneSpec},
};

/// The root of an object of the scene, with its name in the file.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct SceneObject(pub String);

/// The root of a room or of the land around the house.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Architecture;

/// The instance number that the next body gets.
#[derive(Resource, Clone, Copy, Debug)]
pub struct NextInstance(pub u32);

impl Default for NextInstance {
    fn default() -> Self {
        Self(1)
    }
}

impl NextInstance {
    /// A number that no living body has.
    pub fn take(&mut self) -> u32 {
        let instance = self.0;
        self.0 += 1;
        instance
    }
}

/// A drawn variant of a family, shared by all objects of the same class and seed.
struct Variant {
    model: ObjectModel,
    meshes: Vec<(Handle<Mesh>, Look)>,
    /// The main part alone and the rest, for objects whose main part wears another material.
    meshes_apart: Option<Vec<(Handle<Mesh>, Look)>>,
}

/// Variants that were drawn in this run.
#[derive(Resource, Default)]
pub struct Variants(HashMap<(String, Seed), Variant>);

/// Lets go of what was drawn for earlier scenes and numbers instances from one again. For runs through thousands of
/// scenes; call it just before a scene that keeps no object of the one before.
pub fn forget_earlier_scenes(world: &mut World) {
    world.resource_mut::<Variants>().0.clear();
    let settings = world.resource::<Quality>().settings();
    world.resource_mut::<MaterialLibrary>().forget_rooms(&settings);
    world.insert_resource(NextInstance::default());
}

/// Everything that spawning writes to.
#[derive(bevy::ecs::system::SystemParam)]
pub struct Stage<'w, 's> {
    commands: Commands<'w, 's>,
    meshes: ResMut<'w, Assets<Mesh>>,
    images: ResMut<'w, Assets<Image>>,
    materials: ResMut<'w, Assets<StandardMaterial>>,
    library: ResMut<'w, MaterialLibrary>,
    variants: ResMut<'w, Variants>,
    classes: ResMut<'w, ClassTable>,
    instances: ResMut<'w, NextInstance>,
    quality: Res<'w, Quality>,
}

/// Half of the side of the land around the house, metres.
const LAND_HALF_SIZE: f32 = 120.0;
/// What gets further away from the house than this is lost and put back, metres.
const BOUNDS_BEYOND_HOUSE: f32 = 25.0;
/// How far the land lies below the lowest floor, metres.
const LAND_BELOW_FLOOR: f32 = 0.15;

/// Replaces the rooms when they or their materials have changed.
pub fn build_rooms(mut changes: MessageReader<SceneChanged>, old: Query<Entity, With<Architecture>>, mut stage: Stage) {
    let Some(change) = changes.read().last() else { return };
    let new = &change.new;
    if change.old.as_ref().is_some_and(|old| old.rooms == new.rooms && old.materials == new.materials) {
        return;
    }
    for entity in &old {
        stage.commands.entity(entity).despawn();
    }
    stage.prepare_materials(new);
    for index in 0..new.rooms.len() {
        stage.spawn_room(new, index);
    }
    stage.spawn_land(new);
}

/// Spawns new objects, replaces changed ones, removes those that are gone.
pub fn spawn_objects(
    mut changes: MessageReader<SceneChanged>,
    scene: Option<Res<ActiveScene>>,
    living: Query<(Entity, &SceneObject)>,
    mut stage: Stage,
) {
    // Several changes in one frame are one change from the oldest to the newest.
    let changes: Vec<_> = changes.read().collect();
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
    let keep = unchanged_objects(first.old.as_deref(), &last.new);
    let mut kept = HashSet::new();
    for (entity, object) in &living {
        if keep.contains(object.0.as_str()) {
            kept.insert(object.0.as_str());
        } else {
            stage.commands.entity(entity).despawn();
        }
    }
    let folder = scene.and_then(|scene| scene.path.parent().map(std::path::Path::to_path_buf)).unwrap_or_default();
    for object in &last.new.objects {
        if !kept.contains(object.name.as_str()) {
            stage.spawn_object(&last.new, object, &folder);
        }
    }
}

/// Names of the objects that are described alike in both scenes, the materials they wear included.
fn unchanged_objects<'n>(old: Option<&SceneSpec>, new: &'n SceneSpec) -> HashSet<&'n str> {
    let Some(old) = old else { return HashSet::new() };
    let before: HashMap<&str, &ObjectSpec> = old.objects.iter().map(|object| (object.name.as_str(), object)).collect();
    let worn = |scene: &SceneSpec, object: &ObjectSpec| -> Option<MaterialSpec> {
        object.material.as_ref().and_then(|name| scene.materials.get(name)).cloned()
    };
    new.objects
        .iter()
        .filter(|object| {
            before
                .get(object.name.as_str())
                .is_some_and(|old_object| *old_object == *object && worn(old, old_object) == worn(new, object))
        })
        .map(|object| object.name.as_str())
        .collect()
}

impl Stage<'_, '_> {
    fn workshop(&mut self) -> (&mut MaterialLibrary, Workshop<'_>) {
        let settings = self.quality.settings();
        (&mut self.library, Workshop { images: &mut self.images, materials: &mut self.materials, settings })
    }

    fn prepare_materials(&mut self, scene: &SceneSpec) {
        let extra = [land_material(), joinery_material()];
        let (library, mut workshop) = self.workshop();
        library.prepare(scene.materials.values().chain(&extra), &mut workshop);
    }

    /// The material that the scene calls `name`; a plain grey one if it has none of that name.
    fn room_material(&mut self, scene: &SceneSpec, name: &str) -> Handle<StandardMaterial> {
        let plain = joinery_material();
        let spec = scene.materials.get(name).unwrap_or(&plain);
        let (library, mut workshop) = self.workshop();
        library.room(spec, &mut workshop)
    }

    fn spawn_room(&mut self, scene: &SceneSpec, index: usize) {
        let room = &scene.rooms[index];
        let shell = build_room(&scene.rooms, index);
        let exterior = if scene.materials.contains_key("exterior") { "exterior" } else { &room.walls };
        let pieces = [
            (shell.floor, room.floor.as_str()),
            (shell.walls, room.walls.as_str()),
            (shell.ceiling, room.ceiling.as_deref().unwrap_or_default()),
            (shell.exterior, exterior),
            (shell.joinery, "joinery"),
        ];
        let mut body = self.commands.spawn((
            Name::new(format!("room {}", room.name)),
            Architecture,
            Transform::default(),
            Visibility::default(),
            RigidBody::Static,
            Friction::new(0.7),
        ));
        if let Some(collider) = building_collider(&shell.solids) {
            body.insert(collider);
        }
        let body = body.id();
        for (buffers, material) in pieces {
            if !buffers.indices.is_empty() {
                let material = self.room_material(scene, material);
                self.spawn_mesh(body, &buffers, material);
            }
        }
    }

    fn spawn_mesh(&mut self, parent: Entity, buffers: &MeshBuffers, material: Handle<StandardMaterial>) {
        let mesh = self.meshes.add(to_mesh(buffers, true));
        self.commands.spawn((Mesh3d(mesh), MeshMaterial3d(material), ChildOf(parent)));
    }

    /// Land around the house, so that nothing falls and windows look out on something.
    fn spawn_land(&mut self, scene: &SceneSpec) {
        let Some(lowest) = scene.rooms.iter().map(|room| room.floor_y).reduce(f32::min) else { return };
        let (low, high) = scene
            .rooms
            .iter()
            .fold((Vec2::MAX, Vec2::MIN), |(low, high), room| (low.min(room.min), high.max(room.max)));
        let center = 0.5 * (low + high);
        let reach = Vec2::splat(BOUNDS_BEYOND_HOUSE);
        let tallest = scene.rooms.iter().map(|room| room.floor_y + room.height).fold(lowest, f32::max);
        self.commands.insert_resource(WorldBounds {
            min: Vec3::new(low.x - reach.x, lowest - 3.0, low.y - reach.y),
            max: Vec3::new(high.x + reach.x, tallest + BOUNDS_BEYOND_HOUSE, high.y + reach.y),
        });
        let top = lowest - LAND_BELOW_FLOOR.min(PLINTH_DEPTH);
        let material = if scene.materials.contains_key("land") {
            self.room_material(scene, "land")
        } else {
            let (library, mut workshop) = self.workshop();
            library.room(&land_material(), &mut workshop)
        };
        let half = LAND_HALF_SIZE;
        let corner = |x: f32, z: f32| Vec3::new(center.x + x * half, top, center.y + z * half);
        let positions = vec![corner(-1.0, -1.0), corner(-1.0, 1.0), corner(1.0, 1.0), corner(1.0, -1.0)];
        let buffers = MeshBuffers {
            uvs: positions.iter().map(|p| Vec2::new(p.x, p.z)).collect(),
            normals: vec![Vec3::Y; 4],
            positions,
            indices: vec![0, 1, 2, 0, 2, 3],
        };
        let body = self
            .commands
            .spawn((
                Name::new("land"),
                Architecture,
                RigidBody::Static,
                Friction::new(0.8),
                Transform::default(),
                Visibility::default(),
            ))
            .id();
        // A child, so that the box below the surface needs no offset of the body.
        self.commands.spawn((
            Collider::cuboid(2.0 * half, 4.0, 2.0 * half),
            Transform::from_xyz(center.x, top - 2.0, center.y),
            ChildOf(body),
        ));
        self.spawn_mesh(body, &buffers, material);
    }

    fn spawn_object(&mut self, scene: &SceneSpec, object: &ObjectSpec, folder: &std::path::Path) {
        let place =
            Transform { translation: object.position, rotation: object.rotation, scale: Vec3::splat(object.scale) };
        let class = match &object.source {
            ObjectSource::Kind { kind, .. } => self.classes.id_or_insert(kind),
            ObjectSource::Asset { label, .. } => self.classes.id_or_insert(label),
        };
        let label = Label { class, instance: self.instances.take() };
        let name = (Name::new(object.name.clone()), SceneObject(object.name.clone()));
        let root = self.spawn_body(scene, object, folder, place);
        let Some(root) = root else { return };
        let mut root = self.commands.entity(root);
        root.insert((name, label));
        if object.grabbable {
            root.insert(Grabbable);
        }
    }

    /// The object's root without its name and label.
    fn spawn_body(
        &mut self,
        scene: &SceneSpec,
        object: &ObjectSpec,
        folder: &std::path::Path,
        place: Transform,
    ) -> Option<Entity> {
        match &object.source {
            ObjectSource::Kind { kind, seed } => {
                let root = self.spawn_kind(scene, object, kind, *seed, place);
                if root.is_none() {
                    warn!("\"{}\": the kit cannot build \"{kind}\" yet", object.name);
                }
                root
            }
            ObjectSource::Asset { path, collider, mass_kg, .. } => {
                let imported = ImportedObject {
                    path: folder.join(path),
                    collider: *collider,
                    mass_kg: *mass_kg,
                    fixed: object.fixed,
                };
                Some(self.commands.spawn((place, Visibility::default(), imported)).id())
            }
        }
    }

    fn spawn_kind(
        &mut self,
        scene: &SceneSpec,
        object: &ObjectSpec,
        kind: &str,
        seed: Seed,
        place: Transform,
    ) -> Option<Entity> {
        let worn = object.material.as_ref().filter(|name| scene.materials.contains_key(name.as_str()));
        let variant = self.variant(kind, seed, worn.is_some())?;
        let meshes = if worn.is_some() { variant.meshes_apart.clone()? } else { variant.meshes.clone() };
        let (glow, mass_kg) = (variant.model.glow, variant.model.mass_kg);
        let collider = object_collider(&variant.model.collider);
        let body = if object.fixed { RigidBody::Static } else { RigidBody::Dynamic };
        let mut root = self.commands.spawn((place, Visibility::default(), body, surface_physics(kind)));
        if let Some(collider) = collider {
            root.insert((collider, Mass(mass_kg * object.scale.powi(3))));
        }
        let root = root.id();
        for (index, (mesh, look)) in meshes.into_iter().enumerate() {
            let material = match worn {
                Some(name) if index == 0 => self.room_material(scene, name),
                _ => {
                    let (library, mut workshop) = self.workshop();
                    library.object(look, &mut workshop)
                }
            };
            self.commands.spawn((Mesh3d(mesh), MeshMaterial3d(material), ChildOf(root)));
        }
        if let Some((position, power)) = glow {
            let lumens = power.max_element().max(1e-3);
            self.commands.spawn((
                PointLight {
                    color: super::materials::linear(power / lumens),
                    intensity: lumens,
                    range: 5.0,
                    radius: 0.03,
                    ..default()
                },
                Transform::from_translation(position),
                ChildOf(root),
            ));
        }
        Some(root)
    }

    fn variant(&mut self, kind: &str, seed: Seed, apart: bool) -> Option<&Variant> {
        let tangents = self.quality.settings().object_relief;
        let key = (kind.to_owned(), seed);
        if !self.variants.0.contains_key(&key) {
            let model = kit::build(kind, seed)?;
            let meshes = self.add_meshes(&model, false, tangents);
            self.variants.0.insert(key.clone(), Variant { model, meshes, meshes_apart: None });
        }
        if apart && self.variants.0[&key].meshes_apart.is_none() {
            let model = self.variants.0[&key].model.clone();
            // A material of a room has relief, so the main part needs tangents in any case.
            let meshes = self.add_meshes(&model, true, true);
            self.variants.0.get_mut(&key)?.meshes_apart = Some(meshes);
        }
        self.variants.0.get(&key)
    }

    fn add_meshes(&mut self, model: &ObjectModel, apart: bool, tangents: bool) -> Vec<(Handle<Mesh>, Look)> {
        drawn_parts(model, apart, tangents).into_iter().map(|part| (self.meshes.add(part.mesh), part.look)).collect()
    }
}

/// What frames, skirting and doors are painted with.
fn joinery_material() -> MaterialSpec {
    MaterialSpec {
        pattern: Pattern::Plain,
        base_color: Vec3::new(0.72, 0.68, 0.60),
        accent_color: Vec3::ONE,
        roughness: 0.45,
        metallic: 0.0,
        scale_m: 1.0,
    }
}

/// A meadow.
fn land_material() -> MaterialSpec {
    MaterialSpec {
        pattern: Pattern::Grass,
        base_color: Vec3::new(0.07, 0.12, 0.03),
        accent_color: Vec3::new(0.19, 0.24, 0.08),
        roughness: 0.95,
        metallic: 0.0,
        scale_m: 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_are_unique_and_start_at_one() {
        let mut next = NextInstance::default();
        assert_eq!((next.take(), next.take()), (1, 2));
    }
}
