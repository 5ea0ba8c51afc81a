use std::path::Path;

use bevy::math::{Quat, Vec2, Vec3};

use super::*;

fn parse(body: &str) -> Result<SceneSpec, Vec<String>> {
    let text = format!(
        "(version: 1, materials: {{\"m\": ()}}, spawn: (at: (2, 2)),
        rooms: [(name: \"r\", min: (0, 0), max: (8, 6), height: 3, floor: \"m\", walls: \"m\", ceiling: \"m\"),
                (name: \"s\", min: (8, 1), max: (12, 6), floor: \"m\", walls: \"m\",
                 openings: [(kind: Door, side: West, center: 2)])],
        {body})"
    );
    let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
    let known = Known {
        kinds: &KindRegistry::typical(),
        actions: &ActionRegistry::default(),
        dreams: &DreamMaterials::default(),
    };
    parse_scene(&text, Path::new("x.scene.ron"), known).map_err(told)
}

fn position(scene: &SceneSpec, name: &str) -> Vec3 {
    scene.objects.iter().find(|object| object.name == name).unwrap().position
}

#[test]
fn things_stand_on_turned_and_scaled_supports_in_any_order() {
    let scene = parse(
        "objects: [(kind: \"pear\", on: \"book_1\", yaw_deg: 90), (kind: \"book\", on: \"t\", at: (0.5, 0)),
            (kind: \"table\", name: \"t\", at: (4, 3), yaw_deg: 90, scale: 2, seed: 18446744073709551615)]",
    )
    .unwrap();
    // A quarter turn to the left carries +X to -Z; a table of 0.75 m, twice as large, with a book of 0.04 m on it.
    assert!(position(&scene, "t").distance(Vec3::new(4.0, 0.0, 3.0)) < 1e-6);
    assert!(position(&scene, "book_1").distance(Vec3::new(4.0, 1.5, 2.5)) < 1e-5, "{scene:?}");
    assert!(position(&scene, "pear_1").distance(Vec3::new(4.0, 1.54, 2.5)) < 1e-5);
    let half_turn = Quat::from_rotation_y(std::f32::consts::PI);
    assert!(scene.objects[0].rotation.angle_between(half_turn) < 1e-3);
    assert!(scene.objects[2].fixed && !scene.objects[2].grabbable && scene.objects[0].grabbable);
    let ObjectSource::Kind { seed, .. } = scene.objects[2].source else { panic!() };
    assert_eq!(seed, Seed(u64::MAX));
}

#[test]
fn a_door_opens_both_walls() {
    let scene = parse("").unwrap();
    assert_eq!(scene.rooms[0].openings.len(), 1);
    let opening = scene.rooms[0].openings[0];
    assert_eq!((opening.side, opening.center), (Side::East, 3.0));
    assert_eq!(scene.rooms[1].size(), Vec2::new(4.0, 5.0));
}

#[test]
fn adding_an_object_leaves_the_others_as_they_are() {
    let one = parse("objects: [(kind: \"mug\", at: (1, 1))]").unwrap();
    let two = parse("objects: [(kind: \"duck\", at: (2, 1)), (kind: \"mug\", at: (1, 1))]").unwrap();
    assert_eq!(one.objects[0], two.objects[1]);
}

#[test]
fn a_long_chain_of_supports_does_not_exhaust_the_stack() {
    let mut objects = String::from("objects: [(kind: \"book\", name: \"b0\", at: (1, 1), scale: 0.05),");
    for index in 1..1_000 {
        objects += &format!("(kind: \"book\", name: \"b{index}\", on: \"b{}\", scale: 0.05),", index - 1);
    }
    let scene = parse(&(objects + "]")).unwrap();
    assert!((position(&scene, "b999").y - 999.0 * 0.04 * 0.05).abs() < 1e-2);
}
