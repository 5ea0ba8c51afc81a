//! A tile on the floor that dreams without pause, so that a benchmark meets the generator at work.
//!
//! In: whether it is to dream. Out: `Dreams` of another seed as soon as the last one is shown. Nothing where no generator is.

use bevy::prelude::*;

use crate::{
    base::Seed,
    scene::{ActiveScene, DreamMaterials, DreamSpec, MAX_DREAM_SIZE},
    world::{DreamShown, Dreams},
};

/// Side, metres.
const SIDE: f32 = 0.3;

/// The tile, and how many dreams were asked of it.
#[derive(Component, Default)]
pub(super) struct RestlessTile {
    asked: u64,
}

/// Lays the tile where the player begins, if something can be dreamt.
pub(super) fn lay_tile(world: &mut World) {
    if world.resource::<DreamMaterials>().0.is_empty() {
        return;
    }
    let place = world.resource::<ActiveScene>().spec.spawn.position + 0.01 * Vec3::Y;
    let mesh = world.resource_mut::<Assets<Mesh>>().add(Plane3d::default().mesh().size(SIDE, SIDE));
    let material = world.resource_mut::<Assets<StandardMaterial>>().add(StandardMaterial::default());
    world.spawn((RestlessTile::default(), Mesh3d(mesh), MeshMaterial3d(material), Transform::from_translation(place)));
}

/// Asks for the next texture of the largest size where the last one is shown. Whether one is on its way now.
pub(super) fn dream_on(world: &mut World, go_on: bool) -> bool {
    let Some(material) = world.resource::<DreamMaterials>().0.first().cloned() else { return false };
    let mut tiles = world.query::<(Entity, &mut RestlessTile, Option<&Dreams>, Option<&DreamShown>)>();
    let Ok((entity, mut tile, dreams, shown)) = tiles.single_mut(world) else { return false };
    let under_way = dreams.is_some_and(|dreams| shown.is_none_or(|shown| shown.0 != dreams.0));
    if under_way || !go_on {
        return under_way;
    }
    tile.asked += 1;
    let dream = DreamSpec { size: MAX_DREAM_SIZE, ..DreamSpec::of(&material, Seed(tile.asked)) };
    world.entity_mut(entity).insert(Dreams(dream));
    true
}

/// Textures of it that were shown.
pub(super) fn dreamt(world: &mut World) -> u64 {
    let mut tiles = world.query::<(&RestlessTile, Option<&Dreams>, Option<&DreamShown>)>();
    tiles.single(world).map_or(0, |(tile, dreams, shown)| {
        let last = dreams.is_some_and(|dreams| shown.is_some_and(|shown| shown.0 == dreams.0));
        if last { tile.asked } else { tile.asked.saturating_sub(1) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_dream_comes_when_the_last_one_is_shown() {
        let mut world = World::new();
        world.insert_resource(DreamMaterials(vec!["moss".to_owned()]));
        assert!(!dream_on(&mut world, true), "no tile, no dream");
        let tile = world.spawn(RestlessTile::default()).id();
        assert!(!dream_on(&mut world, false));
        assert!(dream_on(&mut world, true));
        let first = world.get::<Dreams>(tile).expect("a dream").0.clone();
        assert_eq!(first.size, MAX_DREAM_SIZE);
        assert!(dream_on(&mut world, true));
        assert_eq!(world.get::<Dreams>(tile).expect("the same").0, first);
        assert_eq!(dreamt(&mut world), 0);
        world.entity_mut(tile).insert(DreamShown(first.clone()));
        assert_eq!(dreamt(&mut world), 1);
        assert!(!dream_on(&mut world, false));
        assert!(dream_on(&mut world, true));
        assert_ne!(world.get::<Dreams>(tile).expect("another").0, first);
    }
}
