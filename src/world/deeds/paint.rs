//! Paint: what the player looks at gets the surface of another material, of the scene or of the generator.
//!
//! In: `Paint`, the player's line of sight, which materials can be dreamt. Out: a wall, a floor, a ceiling or an object's main
//! part in that material, and for rooms the light that it bounces ([`LightControl`]). A dreamt surface keeps its old look
//! until the dream is there.

use bevy::{ecs::system::SystemParam, prelude::*};

use super::{
    DeedHistory,
    sight::{Sight, Target},
};
use crate::{
    base::Seed,
    scene::{ActiveScene, DreamMaterials, DreamSpec, MaterialSpec, ObjectSource, ObjectSpec, SceneSpec, undreamt},
    world::{
        CommandAnswered, Commanded, Dreams, RoomPart, RoomSurface, SceneObject, Worn, imported::ImportedMeshes,
        light::LightControl, spawn::Stage,
    },
};

/// What an object was painted with.
#[derive(Component, Clone, Debug, PartialEq)]
pub(super) struct Painted(MaterialSpec);

/// What one paints with: everything that changes what surfaces wear, and takes it back.
#[derive(SystemParam)]
pub(super) struct Brush<'w, 's> {
    stage: Stage<'w, 's>,
    control: ResMut<'w, LightControl>,
    history: ResMut<'w, DeedHistory>,
    worn: Query<'w, 's, (&'static MeshMaterial3d<StandardMaterial>, Option<&'static Dreams>)>,
    painted: Query<'w, 's, &'static Painted>,
    children: Query<'w, 's, &'static Children>,
    meshes: Query<'w, 's, (), With<Mesh3d>>,
    surfaces: Query<'w, 's, &'static RoomSurface>,
    imported: ImportedMeshes<'w, 's>,
}

impl Brush<'_, '_> {
    /// The meshes of a target that dream, and what they wear.
    fn dreamers(&self, target: &Target) -> Vec<(Entity, Worn)> {
        let meshes: Vec<Entity> = match target {
            Target::Object { root, .. } => self.children.iter_descendants(*root).collect(),
            Target::Room { mesh, .. } => vec![*mesh],
        };
        let worn = meshes.into_iter().filter_map(|mesh| {
            let (material, dreams) = self.worn.get(mesh).ok()?;
            Some((mesh, Worn::of(material, dreams)))
        });
        worn.filter(|(_, worn)| worn.dream.is_some()).collect()
    }

    /// The dream that a target wears.
    pub fn dream_of(&self, target: &Target) -> Option<DreamSpec> {
        self.dreamers(target).into_iter().find_map(|(_, worn)| worn.dream)
    }

    /// A target that dreams shows another dream as soon as that is there. Returns its first mesh.
    pub fn dream_anew(&mut self, scene: &SceneSpec, target: &Target, dream: DreamSpec, deed: &str) -> Option<Entity> {
        let before = self.dreamers(target);
        let (mesh, worn) = before.first()?;
        let mesh = *mesh;
        let material = MaterialSpec { dream: Some(dream.clone()), ..undreamt(dream.mixture.main()) };
        let after = self.stage.dream_on(worn, dream);
        match target {
            Target::Room { .. } => self.dress_part(scene, target, after, Reflected::AsBefore, deed),
            Target::Object { root, .. } => {
                let (root, painted) = (*root, self.painted.get(*root).ok().cloned());
                for (mesh, _) in &before {
                    after.clone().put_on(self.stage.commands.entity(*mesh));
                }
                self.stage.commands.entity(root).insert(Painted(material));
                self.history.note(deed, move |world| {
                    for (mesh, worn) in before {
                        put_back(world, mesh, worn)?;
                    }
                    let mut root = world.get_entity_mut(root).map_err(|_| gone())?;
                    match painted {
                        Some(painted) => root.insert(painted),
                        None => root.remove::<Painted>(),
                    };
                    Ok(())
                });
                Some(mesh)
            }
        }
    }

    /// Gives an object's main part, or all of an object from a file, another material. False where that cannot be done.
    fn paint_object(&mut self, object: &ObjectSpec, root: Entity, material: MaterialSpec) -> bool {
        if matches!(object.source, ObjectSource::Asset { .. }) {
            return self.paint_imported(object, root, &material);
        }
        let looks: Vec<Entity> = self
            .children
            .get(root)
            .into_iter()
            .flatten()
            .copied()
            .filter(|child| self.meshes.contains(*child))
            .collect();
        if !self.stage.dress_object(object, root, &looks, Some(&material)) {
            return false;
        }
        let before = self.painted.get(root).ok().map(|painted| painted.0.clone());
        self.stage.commands.entity(root).insert(Painted(material));
        self.history.note("the paint", move |world| repaint_object(world, root, before));
        true
    }

    fn paint_imported(&mut self, object: &ObjectSpec, root: Entity, material: &MaterialSpec) -> bool {
        let before = self.imported.of(root);
        let worn = self.stage.wear(material, object.scale);
        if !self.stage.dress_imported(&before, &worn) {
            return false;
        }
        self.history.note("the paint", move |world| {
            for part in before {
                put_back(world, part.entity, part.worn)?;
                world.entity_mut(part.entity).insert(Mesh3d(part.mesh));
            }
            Ok(())
        });
        true
    }

    /// Gives a part of a room another material, and takes one wall from those that share a mesh if need be. Returns its mesh.
    fn dress_part(
        &mut self,
        scene: &SceneSpec,
        target: &Target,
        after: Worn,
        reflected: Reflected,
        deed: &str,
    ) -> Option<Entity> {
        let Target::Room { room, part, body, mesh } = *target else { return None };
        let (material, dreams) = self.worn.get(mesh).ok()?;
        let before = Worn::of(material, dreams);
        let mut own = mesh;
        if let RoomPart::Wall(side) = part
            && self.surfaces.get(mesh).is_ok_and(|surface| surface.part == RoomPart::Walls)
        {
            let parted = self.stage.part_walls(scene, room, body, mesh, &before);
            own = parted.into_iter().find(|(parted_side, _)| *parted_side == side).map(|(_, entity)| entity)?;
        }
        after.put_on(self.stage.commands.entity(own));
        let reflected_before = match reflected {
            Reflected::Of(material) => Some(self.control.paint(room, part, Some(material))),
            Reflected::AsBefore => None,
        };
        self.history.note(deed, move |world: &mut World| {
            put_back(world, own, before)?;
            if let Some(reflected) = reflected_before {
                world.resource_mut::<LightControl>().paint(room, part, reflected);
            }
            Ok(())
        });
        Some(own)
    }
}

/// The light that a surface sends back.
enum Reflected {
    Of(MaterialSpec),
    /// Computing light takes seconds: small changes of a surface do not ask for it.
    AsBefore,
}

/// What a word stands for: a dream where the generator knows it, else a material of the scene.
fn material_named(
    word: &str,
    scene: &SceneSpec,
    dreams: &DreamMaterials,
    worn: Option<&DreamSpec>,
) -> Option<MaterialSpec> {
    let own = scene.materials.get(word).filter(|material| !material.nameless);
    if !dreams.contains(word) {
        return own.cloned();
    }
    let material = own.cloned().unwrap_or_else(|| undreamt(word));
    let dream = material.dream.clone().unwrap_or_else(|| DreamSpec::of(word, Seed(0)));
    // Asked for what is there already, one means another of the kind.
    let again = worn.filter(|worn| worn.mixture == dream.mixture);
    let dream = again.map_or(dream, super::dream::another);
    Some(MaterialSpec { dream: Some(dream), ..material })
}

/// Answers `Paint`.
pub(super) fn command_paint(
    mut commanded: MessageReader<Commanded>,
    scene: Option<Res<ActiveScene>>,
    dreams: Res<DreamMaterials>,
    sight: Sight,
    mut brush: Brush,
    mut answers: MessageWriter<CommandAnswered>,
) {
    for command in commanded.read().filter(|command| command.is("Paint")) {
        let word = command.word();
        let Some(scene) = &scene else { continue };
        let scene = &scene.spec;
        if material_named(word, scene, &dreams, None).is_none() {
            continue;
        }
        answers.write(match sight.target(scene) {
            Err(why) => CommandAnswered::refused(command, why),
            Ok(target) => match paint(&target, word, scene, &dreams, &mut brush) {
                Some(told) => CommandAnswered::done(command, told),
                None => CommandAnswered::refused(command, "That cannot be painted."),
            },
        });
    }
}

/// Paints; what happened in words, `None` if it cannot be done.
fn paint(target: &Target, word: &str, scene: &SceneSpec, dreams: &DreamMaterials, brush: &mut Brush) -> Option<String> {
    let worn = brush.dream_of(target);
    let material = material_named(word, scene, dreams, worn.as_ref())?;
    let live = material.dream.clone().filter(|dream| dreams.contains(dream.mixture.main()));
    // The mesh stays, and with it how textures lie on it.
    let live =
        live.map(|dream| DreamSpec { mapping: worn.as_ref().map_or(dream.mapping, |worn| worn.mapping), ..dream });
    match target {
        Target::Object { root, name } => {
            let object = scene.objects.iter().find(|object| object.name == *name)?;
            match (live, worn) {
                (Some(dream), Some(_)) => {
                    let dream = DreamSpec { stretch: object.scale, ..dream };
                    brush.dream_anew(scene, target, dream, "the paint")?;
                }
                _ => {
                    if !brush.paint_object(object, *root, material) {
                        return None;
                    }
                }
            }
            Some(format!("It wears {word} now."))
        }
        Target::Room { mesh, .. } => {
            let (old, dreams) = brush.worn.get(*mesh).ok()?;
            let old = Worn::of(old, dreams);
            let after = match live {
                Some(dream) => brush.stage.dream_on(&old, dream),
                None => brush.stage.wear(&material, 1.0),
            };
            brush.dress_part(scene, target, after, Reflected::Of(material), "the paint")?;
            Some(format!("The {} wears {word} now.", target.name()))
        }
    }
}

fn gone() -> String {
    "It is gone.".to_owned()
}

/// Dresses a mesh as it was.
fn put_back(world: &mut World, mesh: Entity, before: Worn) -> Result<(), String> {
    if world.get_entity(mesh).is_err() {
        return Err(gone());
    }
    before.put_on(world.commands().entity(mesh));
    world.flush();
    Ok(())
}

/// Gives an object the material that it wore before; `None` is the one of the scene's file.
fn repaint_object(world: &mut World, body: Entity, before: Option<MaterialSpec>) -> Result<(), String> {
    let SceneObject(name) = world.get::<SceneObject>(body).cloned().ok_or_else(gone)?;
    world
        .run_system_cached_with(
            |In((body, name, before)): In<(Entity, String, Option<MaterialSpec>)>,
             scene: Res<ActiveScene>,
             children: Query<&Children>,
             meshes: Query<(), With<Mesh3d>>,
             mut stage: Stage,
             mut commands: Commands| {
                let Some(object) = scene.spec.objects.iter().find(|object| object.name == name) else { return false };
                let looks: Vec<Entity> =
                    children.get(body).into_iter().flatten().copied().filter(|child| meshes.contains(*child)).collect();
                match &before {
                    Some(material) => commands.entity(body).insert(Painted(material.clone())),
                    None => commands.entity(body).remove::<Painted>(),
                };
                let of_scene = object.material.as_ref().and_then(|name| scene.spec.materials.get(name));
                stage.dress_object(object, body, &looks, before.as_ref().or(of_scene))
            },
            (body, name, before),
        )
        .ok()
        .filter(|dressed| *dressed)
        .map(drop)
        .ok_or_else(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{KindRegistry, Pattern, RandomOptions, Split, Variation, random_scene};

    #[test]
    fn words_are_dreamt_where_the_generator_knows_them() {
        let mut scene = random_scene(Seed(1), Split::Train, &KindRegistry::typical(), &RandomOptions::default());
        let own = MaterialSpec { pattern: Pattern::Marble, roughness: 0.11, ..MaterialSpec::default() };
        scene.materials.insert("marble".to_owned(), own.clone());
        scene.materials.insert("chalk".to_owned(), own.clone());
        let generator = DreamMaterials(vec!["marble".to_owned(), "moss".to_owned()]);
        let named = |word, dreams: &DreamMaterials, worn| material_named(word, &scene, dreams, worn);

        let none = DreamMaterials::default();
        assert_eq!(named("marble", &none, None), Some(own.clone()));
        assert_eq!(named("moss", &none, None), None);
        assert_eq!(named("chalk", &generator, None), Some(own.clone()));
        let marble = named("marble", &generator, None).unwrap();
        assert_eq!((marble.roughness, marble.dream.clone()), (0.11, Some(DreamSpec::of("marble", Seed(0)))));
        assert_eq!(named("moss", &generator, None).unwrap().dream, Some(DreamSpec::of("moss", Seed(0))));
        let again = named("marble", &generator, marble.dream.as_ref()).unwrap().dream.unwrap();
        assert_eq!(again.variation, Variation::of(Seed(1)));
    }
}
