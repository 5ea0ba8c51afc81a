//! The scenes that come with the program hold what they promise.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use bevy::math::{Vec3, Vec3Swizzles as _};
use umwelt::{
    app::{all_actions, spoken_grammar::spoken_problems},
    scene::{DreamMaterials, KindRegistry, Known, ObjectSource, SceneSpec, SnapFit, check_scene},
    world::all_kinds,
};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scenes").join(name)
}

fn load(name: &str, kinds: &KindRegistry) -> SceneSpec {
    check_scene(&shipped(name), Known { kinds, actions: &all_actions(), dreams: &DreamMaterials::default() })
        .unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
        })
}

#[test]
fn they_have_no_problems_with_typical_and_with_real_sizes() {
    for kinds in [KindRegistry::typical(), all_kinds()] {
        assert_eq!(load("tiny.scene.ron", &kinds).objects.len(), 6);
        load("atelier.scene.ron", &kinds);
    }
}

#[test]
fn atelier_is_a_furnished_house_with_a_garden() {
    let scene = load("atelier.scene.ron", &all_kinds());
    let classes: BTreeSet<&str> = scene
        .objects
        .iter()
        .filter_map(|object| match &object.source {
            ObjectSource::Kind { kind, .. } => Some(kind.as_str()),
            ObjectSource::Asset { .. } => None,
        })
        .collect();
    assert!(scene.objects.len() >= 80 && classes.len() >= 30, "{} of {}", scene.objects.len(), classes.len());
    let indoors = scene.rooms.iter().filter(|room| room.ceiling.is_some()).count();
    assert!(indoors >= 4 && scene.rooms.len() > indoors, "rooms and a courtyard");
    assert!(scene.places.len() >= 4);
    assert!((30..=50).contains(&scene.commands.len()), "{} commands", scene.commands.len());
    let problems = spoken_problems(&scene.grammar(&DreamMaterials::default()), &shipped("atelier.scene.ron"));
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn snap_zones_in_atelier_have_room_for_what_they_take() {
    let kinds = all_kinds();
    let scene = load("atelier.scene.ron", &kinds);
    assert!(scene.snap_zones.len() >= 3);
    let discs = |named: &dyn Fn(&str) -> bool| -> Vec<(String, Vec3, f32, f32)> {
        let known = scene.objects.iter().filter_map(|object| {
            let ObjectSource::Kind { kind, seed } = &object.source else { return None };
            let shape = kinds.shape(kind, *seed)?;
            let radius = 0.9 * object.scale * shape.half_size.min_element();
            named(kind).then(|| (object.name.clone(), object.position, radius, object.scale * shape.height))
        });
        known.collect()
    };
    let all = discs(&|_| true);
    for zone in &scene.snap_zones {
        let takes = |kind: &str| zone.takes.contains(&SnapFit::Class(kind.to_owned()));
        let fitting = discs(&takes);
        assert!(!fitting.is_empty(), "nothing in the house fits into {}", zone.name);
        if (zone.rotation * Vec3::Y).y < 0.9 {
            continue;
        }
        for (name, _, radius, height) in &fitting {
            let in_the_way = all.iter().find(|(other, place, other_radius, other_height)| {
                let beside = place.xz().distance(zone.position.xz()) < radius + other_radius;
                let level = place.y < zone.position.y + height && place.y + other_height > zone.position.y + 0.02;
                // What carries the zone, or is taken by it, is not in its way.
                other != name && beside && level && place.y > zone.position.y - 0.1
            });
            assert!(in_the_way.is_none(), "{name} in {} meets {in_the_way:?}", zone.name);
        }
    }
}

/// Free things that begin inside each other are thrown apart by the physics; fixed ones look broken.
#[test]
fn nothing_in_atelier_stands_inside_another_thing() {
    let kinds = all_kinds();
    let scene = load("atelier.scene.ron", &kinds);
    let mut bodies = Vec::new();
    for object in &scene.objects {
        let ObjectSource::Kind { kind, seed } = &object.source else { continue };
        let shape = kinds.shape(kind, *seed).unwrap();
        // The disc inside the footprint: what overlaps here, interpenetrates.
        let radius = 0.9 * object.scale * shape.half_size.min_element();
        let top = object.position.y + 0.98 * object.scale * shape.height;
        let room = scene.rooms.iter().find(|room| room.contains(object.position)).unwrap();
        let center = bevy::math::Vec2::new(object.position.x, object.position.z);
        let walls = (center - room.min).min(room.max - center).min_element();
        assert!(walls > radius, "{} reaches {:.2} m into a wall", object.name, radius - walls);
        bodies.push((object, center, radius, top, !shape.supports.is_empty()));
    }
    let mut told = String::new();
    for (index, (a, a_center, a_radius, a_top, a_carries)) in bodies.iter().enumerate() {
        for (b, b_center, b_radius, b_top, b_carries) in &bodies[..index] {
            let overlap = a_radius + b_radius - a_center.distance(*b_center);
            let apart = a.position.y >= *b_top || b.position.y >= *a_top;
            // A thing between the boards of a shelf is within its height.
            let carried = (*a_carries && b.position.y > a.position.y + 0.01)
                || (*b_carries && a.position.y > b.position.y + 0.01);
            if overlap > 0.0 && !apart && !carried {
                told += &format!("{} and {} overlap by {overlap:.3} m\n", a.name, b.name);
            }
        }
    }
    assert!(told.is_empty(), "{told}");
}
