//! Random scenes hold their promises with the real sizes of the kit, not only with typical ones.

use std::collections::BTreeMap;

use umwelt::{
    base::{KIT_CLASSES, Seed},
    scene::{ObjectSource, RandomOptions, Split, random_scene, random_view},
    world::all_kinds,
};

#[test]
fn every_class_of_the_kit_finds_its_places() {
    let kinds = all_kinds();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut stacked = 0;
    for index in 0..200 {
        let scene = random_scene(Seed(2).nth(index), Split::Train, &kinds, &RandomOptions::default());
        let room = &scene.rooms[0];
        assert!(room.contains(random_view(Seed(index), &scene).position));
        for object in &scene.objects {
            let ObjectSource::Kind { kind, .. } = &object.source else { continue };
            *counts.entry(kind.clone()).or_default() += 1;
            stacked += usize::from(!object.fixed && object.position.y > 0.01);
        }
    }
    let all = counts.values().sum::<usize>();
    assert_eq!(counts.len(), KIT_CLASSES.len());
    for (kind, count) in counts {
        let share = (count * KIT_CLASSES.len()) as f32 / all as f32;
        assert!((share - 1.0).abs() < 0.3, "{kind}: {share:.2} of a fair share");
    }
    assert!(stacked * 4 > all, "only {stacked} of {all} stand on others");
}
