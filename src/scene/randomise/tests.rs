use std::collections::BTreeMap;

use bevy::math::Vec3Swizzles;

use super::*;

fn scenes(count: u64, split: Split) -> Vec<SceneSpec> {
    let kinds = KindRegistry::typical();
    (0..count).map(|index| random_scene(Seed(11).nth(index), split, &kinds, &RandomOptions::default())).collect()
}

fn kind_and_seed(object: &ObjectSpec) -> (&str, Seed) {
    match &object.source {
        ObjectSource::Kind { kind, seed } => (kind, *seed),
        ObjectSource::Asset { .. } => panic!("random scenes hold kinds only"),
    }
}

#[test]
fn every_class_has_its_share() {
    let scenes = scenes(200, Split::Train);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for object in scenes.iter().flat_map(|scene| &scene.objects) {
        *counts.entry(kind_and_seed(object).0).or_default() += 1;
    }
    let share = counts.values().sum::<usize>() as f32 / 36.0;
    assert_eq!(counts.len(), 36);
    for (kind, count) in counts {
        assert!((count as f32 / share - 1.0).abs() < 0.3, "{kind}: {count} where {share} is fair");
    }
}

#[test]
fn things_are_in_the_room_and_not_in_each_other() {
    let kinds = KindRegistry::typical();
    let mut on_others = 0;
    let mut all = 0;
    for scene in scenes(60, Split::Heldout) {
        let room = &scene.rooms[0];
        assert!((8..=30).contains(&scene.objects.len()), "{} objects", scene.objects.len());
        // Discs that fit inside the footprints: whatever overlaps here, interpenetrates.
        let mut discs = Vec::new();
        for object in &scene.objects {
            let (kind, seed) = kind_and_seed(object);
            let shape = kinds.shape(kind, seed).unwrap();
            let center = object.position + object.rotation * Vec3::Y * (0.5 * shape.height * object.scale);
            assert!(room.contains(center), "{} at {center}", object.name);
            all += 1;
            let upright = (object.rotation * Vec3::Y).y > 0.999;
            on_others += usize::from(upright && !object.fixed && object.position.y > 0.01);
            if upright {
                let radius = 0.95 * object.scale * shape.half_size.min_element();
                let heights = [object.position.y, object.position.y + shape.height * object.scale];
                discs.push((object, radius, heights, !shape.supports.is_empty()));
            }
        }
        for (index, (a, a_radius, a_y, a_carries)) in discs.iter().enumerate() {
            for (b, b_radius, b_y, b_carries) in &discs[..index] {
                let apart = a.position.xz().distance(b.position.xz()) >= a_radius + b_radius;
                let stacked = a_y[0] >= b_y[1] - 0.002 || b_y[0] >= a_y[1] - 0.002;
                // A thing between the boards of a shelf is within its height.
                let carried = (*a_carries && b_y[0] > a_y[0] + 0.01) || (*b_carries && a_y[0] > b_y[0] + 0.01);
                assert!(apart || stacked || carried, "{}: {} and {}", scene.name, a.name, b.name);
            }
        }
    }
    let share = on_others as f32 / all as f32;
    assert!(share > 0.25, "only {share} of all stand on others");
}

#[test]
fn splits_share_no_variant_and_no_room() {
    let (train, heldout) = (scenes(20, Split::Train), scenes(20, Split::Heldout));
    for (scene, parity) in train.iter().map(|scene| (scene, 0)).chain(heldout.iter().map(|scene| (scene, 1))) {
        assert!(scene.objects.iter().all(|object| kind_and_seed(object).1.0 & 1 == parity));
    }
    assert!(train.iter().zip(&heldout).all(|(a, b)| a.rooms != b.rooms && a.materials != b.materials));
}

#[test]
fn equal_seeds_give_equal_scenes_and_views() {
    let (first, second) = (scenes(3, Split::Train), scenes(3, Split::Train));
    assert_eq!(first, second);
    assert_ne!(first[0], first[1]);
    assert_eq!(random_view(Seed(5), &first[0]), random_view(Seed(5), &second[0]));
    assert_ne!(random_view(Seed(5), &first[0]), random_view(Seed(6), &first[0]));
}

#[test]
fn views_stay_in_the_room_and_see_things() {
    let kinds = KindRegistry::typical();
    let mut boxes = 0;
    let mut views = 0;
    for (index, scene) in scenes(40, Split::Train).iter().enumerate() {
        for view in (0..5).map(|view| random_view(Seed(index as u64).nth(view), scene)) {
            views += 1;
            assert!(scene.rooms[0].contains(view.position), "{view:?}");
            let forward = (view.look_at - view.position).normalize();
            let focal_px = 160.0 / (0.5 * view.fov_y).tan();
            for object in &scene.objects {
                let (kind, seed) = kind_and_seed(object);
                let size = kinds.shape(kind, seed).unwrap().half_size.min_element() * 2.0 * object.scale;
                let away = object.position - view.position;
                let depth = away.dot(forward);
                let in_view = depth > 0.2 && away.length() < depth / (0.5 * view.fov_y).cos();
                boxes += usize::from(in_view && size * focal_px / depth >= 12.0);
            }
        }
    }
    let per_view = boxes as f32 / views as f32;
    assert!(per_view >= 4.0, "{per_view} things of 12 pixels per view");
}
