//! From the active scene to entities: its objects.
//!
//! In: [`SceneReady`]. Out: one body per object with [`Label`], `Name`, collider and mass on the root and its meshes as
//! children. When a scene changes, only what differs is replaced: an object that is described as before stays where it is
//! now, even if it was moved meanwhile.
//! What is absent: rooms (`rooms`), light (`light`), what hands and feet do with bodies, imported files (`imported`).

use std::collections::{HashMap, HashSet};

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    Grabbable, Label,
    box_mapping::box_mapped,
    imported::ImportedObject,
    lamps::Lamp,
    materials::{MaterialLibrary, Workshop},
    physics::surface_physics,
    preparation::SceneReady,
    quality::Quality,
    rooms::joinery_material,
    variants::Variants,
    worn::Worn,
};
use crate::{
    base::{ClassTable, Seed},
    scene::{Mapping, MaterialSpec, ObjectSource, ObjectSpec, SceneSpec},
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

/// Lets go of what was drawn for earlier scenes and numbers instances from one again. For runs through thousands of
/// scenes; call it just before a scene that keeps no object of the one before.
pub fn forget_earlier_scenes(world: &mut World) {
    world.resource_mut::<Variants>().clear();
    let settings = world.resource::<Quality>().settings();
    world.resource_mut::<MaterialLibrary>().forget_rooms(&settings);
    world.insert_resource(NextInstance::default());
}

/// Everything that spawning writes to.
#[derive(bevy::ecs::system::SystemParam)]
pub struct Stage<'w, 's> {
    pub(super) commands: Commands<'w, 's>,
    pub(super) meshes: ResMut<'w, Assets<Mesh>>,
    pub(super) images: ResMut<'w, Assets<Image>>,
    pub(super) materials: ResMut<'w, Assets<StandardMaterial>>,
    pub(super) library: ResMut<'w, MaterialLibrary>,
    pub(super) variants: ResMut<'w, Variants>,
    classes: ResMut<'w, ClassTable>,
    instances: ResMut<'w, NextInstance>,
    quality: Res<'w, Quality>,
}

/// Spawns new objects, replaces changed ones, removes those that are gone.
pub fn spawn_objects(mut changes: MessageReader<SceneReady>, living: Query<(Entity, &SceneObject)>, mut stage: Stage) {
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
    for object in &last.new.objects {
        if !kept.contains(object.name.as_str()) {
            stage.spawn_object(&last.new, object);
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
    pub(super) fn workshop(&mut self) -> (&mut MaterialLibrary, Workshop<'_>) {
        let settings = self.quality.settings();
        (&mut self.library, Workshop { images: &mut self.images, materials: &mut self.materials, settings })
    }

    /// What the scene calls `name`; a plain grey if it has no material of that name.
    pub(super) fn room_material(&mut self, scene: &SceneSpec, name: &str) -> Worn {
        let plain = joinery_material();
        let spec = scene.materials.get(name).unwrap_or(&plain);
        self.wear(spec, 1.0)
    }

    fn spawn_object(&mut self, scene: &SceneSpec, object: &ObjectSpec) {
        let place =
            Transform { translation: object.position, rotation: object.rotation, scale: Vec3::splat(object.scale) };
        let class = match &object.source {
            ObjectSource::Kind { kind, .. } => self.classes.id_or_insert(kind),
            ObjectSource::Asset { label, .. } => self.classes.id_or_insert(label),
        };
        let label = Label { class, instance: self.instances.take() };
        let name = (Name::new(object.name.clone()), SceneObject(object.name.clone()));
        let root = self.spawn_body(scene, object, place);
        let Some(root) = root else { return };
        let mut root = self.commands.entity(root);
        root.insert((name, label));
        if object.grabbable {
            root.insert(Grabbable);
        }
    }

    /// Gives an object's main part another material; `None` gives it back its own. `meshes` are what it wore. Returns false
    /// where that cannot be done: for objects from files.
    pub fn dress_object(
        &mut self,
        object: &ObjectSpec,
        root: Entity,
        meshes: &[Entity],
        material: Option<&MaterialSpec>,
    ) -> bool {
        let ObjectSource::Kind { kind, seed } = &object.source else { return false };
        for mesh in meshes {
            self.commands.entity(*mesh).despawn();
        }
        self.spawn_looks(material, object.scale, kind, *seed, root).is_some()
    }

    /// The object's root without its name and label.
    fn spawn_body(&mut self, scene: &SceneSpec, object: &ObjectSpec, place: Transform) -> Option<Entity> {
        match &object.source {
            ObjectSource::Kind { kind, seed } => {
                let root = self.spawn_kind(scene, object, kind, *seed, place);
                if root.is_none() {
                    warn!("\"{}\": the kit cannot build \"{kind}\" yet", object.name);
                }
                root
            }
            ObjectSource::Asset { path, collider, mass_kg, .. } => {
                let imported =
                    ImportedObject { path: path.clone(), collider: *collider, mass_kg: *mass_kg, fixed: object.fixed };
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
        let tangents = self.quality.settings().object_relief;
        // Drawn here and now only if nobody has prepared it; then with its main part apart, if that wears a material.
        let apart = object.material.as_ref().is_some_and(|name| scene.materials.contains_key(name));
        let variant = self.variants.get_or_draw((kind.to_owned(), seed), apart, tangents, &mut self.meshes)?;
        let (glow, mass_kg) = (variant.model.glow, variant.model.mass_kg);
        let (collider, center_of_mass) = (variant.collider.clone(), variant.model.center_of_mass);
        let body = if object.fixed { RigidBody::Static } else { RigidBody::Dynamic };
        let mut root = self.commands.spawn((place, Visibility::default(), body, surface_physics(kind)));
        if let Some(collider) = collider {
            root.insert((collider, Mass(mass_kg * object.scale.powi(3))));
        }
        if let Some(center) = center_of_mass {
            // avian's centre of mass does not follow the scale of the transform.
            root.insert((CenterOfMass(center * object.scale), NoAutoCenterOfMass));
        }
        let root = root.id();
        let worn = object.material.as_ref().and_then(|name| scene.materials.get(name));
        self.spawn_looks(worn, object.scale, kind, seed, root)?;
        if let Some((position, power)) = glow {
            let lumens = power.max_element().max(1e-3);
            let mut light = self.commands.spawn((
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
            if kind != "candle" {
                // Candles are not switched.
                light.insert(Lamp { lumens, shadows: false });
            }
        }
        Some(root)
    }

    /// The meshes of an object as children of `root`; the main part wears `worn`, if there is one.
    fn spawn_looks(
        &mut self,
        worn: Option<&MaterialSpec>,
        scale: f32,
        kind: &str,
        seed: Seed,
        root: Entity,
    ) -> Option<()> {
        let tangents = self.quality.settings().object_relief;
        let key = (kind.to_owned(), seed);
        let variant = self.variants.get_or_draw(key, worn.is_some(), tangents, &mut self.meshes)?;
        let meshes = if worn.is_some() { variant.meshes_apart.clone()? } else { variant.meshes.clone() };
        for (index, (mesh, look)) in meshes.into_iter().enumerate() {
            let worn = match worn {
                Some(spec) if index == 0 => self.wear(spec, scale),
                _ => {
                    let (library, mut workshop) = self.workshop();
                    Worn { material: library.object(look, &mut workshop), dream: None }
                }
            };
            let from_six_sides = worn.dream.as_ref().is_some_and(|dream| dream.mapping == Some(Mapping::Box));
            let mapped = self.meshes.get(&mesh).filter(|_| from_six_sides);
            let mapped = mapped.and_then(|mesh| box_mapped(mesh, &Transform::IDENTITY));
            let mesh = mapped.map_or(mesh, |mapped| self.meshes.add(mapped));
            let part = self.commands.spawn((Mesh3d(mesh), ChildOf(root))).id();
            worn.put_on(self.commands.entity(part));
        }
        Some(())
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
