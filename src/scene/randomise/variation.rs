//! An authored scene as it might also have been: the same rooms and furniture in another light, other colours, with other
//! specimens of the small things, some of them elsewhere and some not there.
//!
//! In: a scene, a seed, a split, the registered kinds. Out: a scene of the same rooms, equal for equal arguments. What stands
//! stays standing: only upright small things of the kit are exchanged, by specimens that fill no more room.

use std::collections::BTreeSet;

use bevy::math::Vec3;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{Split, between, chance, lamp_color, random_color, random_sun};
use crate::{
    base::Seed,
    scene::{KindRegistry, KindShape, spec::*},
};

/// Specimens that are looked at before a thing stays as it is.
const TRIES: usize = 12;
/// Times that a specimen may be as wide or high as the one in whose place it stands.
const LARGEST: f32 = 1.05;
/// Share of the small things that are not there.
const ABSENT: f32 = 0.12;
/// Share of the lamps that are off.
const OFF: f32 = 0.2;

/// Another state of `scene`. Equal arguments give equal scenes.
pub fn varied_scene(scene: &SceneSpec, seed: Seed, split: Split, kinds: &KindRegistry) -> SceneSpec {
    let stream = split.stream(seed);
    let mut varied = scene.clone();
    varied.seed = seed;
    vary_light(&mut stream.derive("light").rng(), &mut varied);
    let mut rng = stream.derive("materials").rng();
    varied.materials.values_mut().for_each(|material| vary_material(&mut rng, material));
    let mut rng = stream.derive("things").rng();
    let mut small = Vec::new();
    for (index, object) in varied.objects.iter_mut().enumerate() {
        if let Some(shape) = vary_specimen(&mut rng, object, split, kinds).filter(|shape| shape.supports.is_empty()) {
            small.push(Small { index, radius: shape.radius() * object.scale, height: shape.height * object.scale });
        }
    }
    exchange_places(&mut rng, &mut varied.objects, &small);
    let absent: BTreeSet<usize> = small.iter().map(|thing| thing.index).filter(|_| chance(&mut rng, ABSENT)).collect();
    let mut index = 0..;
    varied.objects.retain(|_| index.next().is_some_and(|index| !absent.contains(&index)));
    varied
}

/// A small thing that stands somewhere: which of the objects, and its size, metres.
#[derive(Clone, Copy)]
struct Small {
    index: usize,
    radius: f32,
    height: f32,
}

fn vary_light(rng: &mut ChaCha8Rng, scene: &mut SceneSpec) {
    let sky = &mut scene.sky;
    [sky.sun_elevation, sky.sun_azimuth, sky.turbidity] = random_sun(rng);
    sky.sun_illuminance *= between(rng, 0.4, 1.2);
    sky.sky_intensity *= between(rng, 0.6, 1.5);
    for light in &mut scene.lights {
        light.color *= lamp_color(between(rng, 0.0, 0.5));
        light.lumens *= if chance(rng, OFF) { 0.0 } else { between(rng, 0.5, 1.5) };
    }
}

/// Another colour of about the same brightness, worn more or less.
fn vary_material(rng: &mut ChaCha8Rng, material: &mut MaterialSpec) {
    let share = between(rng, 0.0, 0.6);
    for color in [&mut material.base_color, &mut material.accent_color] {
        let other = random_color(rng, color.element_sum() / 3.0);
        *color = color.lerp(other, share).clamp(Vec3::splat(0.02), Vec3::splat(0.95));
    }
    material.roughness = (material.roughness + between(rng, -0.2, 0.2)).clamp(0.05, 1.0);
    material.scale_m *= between(rng, 0.8, 1.25);
}

/// The kind and the size of an upright small thing of the kit; `None` for all others. To know a size is to build the thing: what
/// costs nothing is asked first.
fn small_thing<'a>(object: &'a ObjectSpec, kinds: &KindRegistry) -> Option<(&'a str, KindShape)> {
    let ObjectSource::Kind { kind, seed } = &object.source else { return None };
    let upright = (object.rotation * Vec3::Y).y > 0.999;
    if !upright || object.fixed || !object.grabbable {
        return None;
    }
    kinds.shape(kind, *seed).filter(|shape| shape.supports.is_empty()).map(|shape| (kind.as_str(), shape))
}

fn fits(shape: &KindShape, place: &KindShape) -> bool {
    shape.radius() <= LARGEST * place.radius() && shape.height <= LARGEST * place.height
}

/// The size of the specimen that is there then; `None` for what is no small thing, which stays.
fn vary_specimen(
    rng: &mut ChaCha8Rng,
    object: &mut ObjectSpec,
    split: Split,
    kinds: &KindRegistry,
) -> Option<KindShape> {
    let (kind, place) = small_thing(object, kinds)?;
    let kind = kind.to_owned();
    for _ in 0..TRIES {
        let seed = split.variant(rng.random());
        if let Some(shape) = kinds.shape(&kind, seed).filter(|shape| fits(shape, &place)) {
            object.source = ObjectSource::Kind { kind, seed };
            return Some(shape);
        }
    }
    Some(place)
}

/// Pairs of small things change places where each fits into the other's.
fn exchange_places(rng: &mut ChaCha8Rng, objects: &mut [ObjectSpec], small: &[Small]) {
    let alike = |x: f32, y: f32| x.max(y) <= 1.25 * x.min(y);
    let mut order = small.to_vec();
    order.shuffle(rng);
    for pair in order.chunks_exact(2) {
        let [a, b] = [pair[0], pair[1]];
        if alike(a.radius, b.radius) && alike(a.height, b.height) {
            let [one, other] = [a, b].map(|thing| (objects[thing.index].position, objects[thing.index].rotation));
            (objects[a.index].position, objects[a.index].rotation) = other;
            (objects[b.index].position, objects[b.index].rotation) = one;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{RandomOptions, random_scene};

    fn scene() -> SceneSpec {
        random_scene(Seed(4), Split::Train, &KindRegistry::typical(), &RandomOptions::default())
    }

    #[test]
    fn a_scene_varies_in_light_colour_and_things_but_not_in_rooms_and_furniture() {
        let (scene, kinds) = (scene(), KindRegistry::typical());
        let varied = varied_scene(&scene, Seed(9), Split::Heldout, &kinds);
        assert_eq!(varied, varied_scene(&scene, Seed(9), Split::Heldout, &kinds), "equal for equal seeds");
        assert_ne!(varied, varied_scene(&scene, Seed(10), Split::Heldout, &kinds));
        assert_eq!(varied.rooms, scene.rooms);
        assert_ne!(varied.sky, scene.sky);
        assert_ne!(varied.materials, scene.materials);
        let furniture = |scene: &SceneSpec| -> Vec<ObjectSpec> {
            scene.objects.iter().filter(|object| small_thing(object, &kinds).is_none()).cloned().collect()
        };
        assert_eq!(furniture(&varied), furniture(&scene));
    }

    #[test]
    fn small_things_are_other_specimens_of_the_split_in_places_that_were_there() {
        let (scene, kinds) = (scene(), KindRegistry::typical());
        let places: Vec<Vec3> = scene.objects.iter().map(|object| object.position).collect();
        let (mut exchanged, mut absent) = (0, 0);
        for seed in 0..20 {
            let varied = varied_scene(&scene, Seed(seed), Split::Heldout, &kinds);
            absent += scene.objects.len() - varied.objects.len();
            for object in varied.objects.iter().filter(|object| small_thing(object, &kinds).is_some()) {
                assert!(places.contains(&object.position), "{} stands where nothing stood", object.name);
                let before = scene.objects.iter().find(|other| other.name == object.name).expect("it was there");
                let ObjectSource::Kind { seed, .. } = &object.source else { panic!("of the kit") };
                assert!(object.source == before.source || seed.0 & 1 == 1, "a specimen of the other split");
                exchanged += usize::from(object.position != before.position);
            }
        }
        assert!(exchanged > 0 && absent > 0, "{exchanged} exchanged, {absent} absent");
    }
}
