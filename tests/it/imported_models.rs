//! Objects from glTF and GLB files of real packs: they load, get a body, fall, rest, and an eye knows them.
//!
//! The files are no part of this repository: they lie in `../shared/data/models` or in the folder that
//! `UMWELT_TEST_MODELS` names. Without them, or without a Vulkan adapter, the test says `SKIPPED` and passes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use avian3d::prelude::*;
use bevy::{prelude::*, time::TimeUpdateStrategy};
use umwelt::{
    app::headless::{finish, headless_app_for},
    base::{ClassTable, Tick},
    scene::ScenePlugin,
    sensors::{Eye, EyePace, EyePlugin, EyeRate, develop, look},
    world::{Grabbable, ImportFailed, Label, SceneObject, WorldPlugin, WorldView, is_importing, rescue::RescuePlugin},
};

/// A model, how the scene uses it and how tall it then is.
struct Model {
    file: &'static str,
    label: &'static str,
    scale: f32,
    collider: &'static str,
    mass_kg: f32,
    /// Of the file's accessors through its nodes, times `scale`, metres.
    height: f32,
}

const MODELS: [Model; 4] = [
    // Buffers and a picture in files of their own.
    Model {
        file: "kaykit_furniture/chair_A_wood.gltf",
        label: "chair",
        scale: 0.7,
        collider: "Hull",
        mass_kg: 4.0,
        height: 0.881,
    },
    Model {
        file: "kaykit_restaurant/crate.gltf",
        label: "crate",
        scale: 0.3,
        collider: "Box",
        mass_kg: 3.0,
        height: 0.24,
    },
    // One file each; the first has nodes that stand beside the origin, the second nodes that enlarge a hundredfold.
    Model { file: "kenney_platformer/crate.glb", label: "box", scale: 0.8, collider: "Box", mass_kg: 2.0, height: 0.4 },
    Model {
        file: "quaternius_crops_pack/Pumpkin_2.glb",
        label: "pumpkin",
        scale: 1.2,
        collider: "Box",
        mass_kg: 2.5,
        height: 0.305,
    },
];

fn models() -> PathBuf {
    std::env::var_os("UMWELT_TEST_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/models"), PathBuf::from)
}

/// Copies a model and what it names beside it into `folder`, and returns its path there.
fn copy(model: &Path, folder: &Path) -> String {
    let name = model.file_name().expect("a file").to_string_lossy().into_owned();
    fs::copy(model, folder.join(&name)).expect("copied");
    if model.extension().is_some_and(|extension| extension == "gltf") {
        let json: serde_json::Value = serde_json::from_slice(&fs::read(model).expect("read")).expect("JSON");
        for list in ["buffers", "images"] {
            for uri in json[list].as_array().into_iter().flatten().filter_map(|entry| entry["uri"].as_str()) {
                fs::copy(model.with_file_name(uri), folder.join(uri)).expect("copied");
            }
        }
    }
    name
}

/// A hall with the models a hand's breadth over its floor, two metres apart.
fn scene_of(models: &[(&Model, String)]) -> String {
    let objects: Vec<String> = models
        .iter()
        .enumerate()
        .map(|(index, (model, path))| {
            format!(
                "(asset: \"{path}\", label: \"{}\", name: \"{}\", at: ({}, 0.15, 2), scale: {}, collider: {}, mass_kg: {}, \
                 grabbable: true),",
                model.label,
                model.label,
                1.5 + 1.6 * index as f32,
                model.scale,
                model.collider,
                model.mass_kg
            )
        })
        .collect();
    format!(
        "(version: 1, materials: {{\"plain\": (color: \"#d0c8b8\")}}, spawn: (at: (4, 5)),
         rooms: [(name: \"hall\", min: (0, 0), max: (8, 6), floor: \"plain\", walls: \"plain\")],
         objects: [{}])",
        objects.join("\n")
    )
}

/// A world that reads `scene`, with an eye in lockstep; `None` (said aloud) where nothing can render.
fn world(scene: &Path, test: &str) -> Option<App> {
    let mut app = match headless_app_for(Some(scene)) {
        Ok(app) => app,
        Err(lacking) => {
            println!("SKIPPED: {test}: {lacking}");
            return None;
        }
    };
    app.add_plugins((ScenePlugin { path: scene.to_owned() }, WorldPlugin, RescuePlugin, EyePlugin))
        .insert_resource(EyePace::Lockstep)
        .insert_resource(TimeUpdateStrategy::FixedTimesteps(1));
    finish(&mut app);
    app.update();
    Some(app)
}

/// Updates until all files have been read.
fn wait_for_models(app: &mut App) {
    let start = Instant::now();
    while is_importing(app.world_mut()) {
        assert!(start.elapsed() < Duration::from_secs(60), "the models are still loading");
        std::thread::sleep(Duration::from_millis(5));
        app.update();
    }
}

#[test]
fn files_of_several_packs_become_bodies_that_fall_rest_and_are_seen() {
    let packs = models();
    if !packs.is_dir() {
        println!("SKIPPED: imported models: {} is not there", packs.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here: Vec<(&Model, String)> =
        MODELS.iter().map(|model| (model, copy(&packs.join(model.file), folder.path()))).collect();
    let scene = folder.path().join("imports.scene.ron");
    fs::write(&scene, scene_of(&here)).expect("written");
    let Some(mut app) = world(&scene, "imported models") else { return };
    wait_for_models(&mut app);
    let failed: Vec<ImportFailed> = app.world_mut().resource_mut::<Messages<ImportFailed>>().drain().collect();
    assert!(failed.is_empty(), "{failed:?}");
    for _ in 0..(3.0 * Tick::RATE_HZ) as usize {
        app.update();
    }

    let classes = app.world().resource::<ClassTable>().clone();
    let mut bodies = app.world_mut().query::<(
        &SceneObject,
        &Label,
        &Collider,
        &Position,
        &Rotation,
        &GlobalTransform,
        &LinearVelocity,
        &ComputedMass,
        Has<Grabbable>,
    )>();
    let found: Vec<_> = bodies.iter(app.world()).collect();
    assert_eq!(found.len(), MODELS.len(), "every model has a body");
    let mut labels = Vec::new();
    for (name, label, collider, position, rotation, transform, velocity, mass, grabbable) in found {
        let model = MODELS.iter().find(|model| model.label == name.0).expect("one of ours");
        assert_eq!(classes.name(label.class), Some(model.label));
        assert!(grabbable && (mass.value() - model.mass_kg).abs() < 1e-3, "{}: {} kg", name.0, mass.value());
        assert!((transform.scale().y - model.scale).abs() < 1e-4);
        let bounds = collider.aabb(position.0, rotation.0);
        let size = bounds.max - bounds.min;
        assert!((size.y - model.height).abs() < 0.03, "{}: {} m high, not {}", name.0, size.y, model.height);
        assert!(bounds.min.y.abs() < 0.02, "{} stands at {} m", name.0, bounds.min.y);
        assert!(velocity.length() < 0.02, "{} moves at {} m/s", name.0, velocity.length());
        labels.push((*label, model));
    }

    let eye = Eye { truth: true, rate: EyeRate::OnRequest, width: 640, height: 320, ..default() };
    let pose = Transform::from_xyz(4.0, 1.6, 5.4).looking_at(Vec3::new(4.0, 0.2, 2.0), Vec3::Y);
    let eye = app.world_mut().spawn((eye, WorldView::SENSOR, pose)).id();
    // What its label camera draws in the very update that made it is no picture yet.
    app.update();
    let observation = develop(&look(&mut app, eye).expect("a picture"));
    if let Some(folder) = std::env::var_os("UMWELT_TEST_PICTURES") {
        observation.rgb.save(Path::new(&folder).join("imported-models.png")).expect("saved");
    }
    let truth = observation.truth.as_deref().expect("truth was asked for");
    let covered = |label: &Label| truth.instances.iter().filter(|instance| **instance == label.instance).count();
    let pixels: Vec<(&str, usize)> = labels.iter().map(|(label, model)| (model.label, covered(label))).collect();
    assert!(pixels.iter().all(|(_, pixels)| *pixels > 150), "{pixels:?} of the eye's ids");
}

#[test]
fn a_model_that_cannot_be_read_is_told_and_the_rest_of_the_scene_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    // Passes for a model until its buffer is asked for.
    let broken = r#"{"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
                       "min": [0, 0, 0], "max": [1, 1, 1]}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"byteLength": 36, "uri": "short.bin"}]}"#;
    fs::write(folder.path().join("broken.gltf"), broken).expect("written");
    fs::write(folder.path().join("short.bin"), [0_u8; 8]).expect("written");
    let scene = folder.path().join("broken.scene.ron");
    let text = "(version: 1, materials: {\"plain\": ()}, spawn: (at: (4, 5)),
         rooms: [(name: \"hall\", min: (0, 0), max: (8, 6), floor: \"plain\", walls: \"plain\")],
         objects: [(asset: \"broken.gltf\", label: \"anvil\", at: (2, 0.2, 2)), (kind: \"mug\", at: (4, 2))])";
    fs::write(&scene, text).expect("written");
    let Some(mut app) = world(&scene, "a model that cannot be read") else { return };
    wait_for_models(&mut app);
    let failed: Vec<ImportFailed> = app.world_mut().resource_mut::<Messages<ImportFailed>>().drain().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].path, Path::new("broken.gltf"));
    let mut bodies = app.world_mut().query::<(&SceneObject, &RigidBody)>();
    let names: Vec<&str> = bodies.iter(app.world()).map(|(name, _)| name.0.as_str()).collect();
    assert_eq!(names, ["mug_1"], "the mug stands, the broken model has no body");
}

#[test]
fn an_object_from_a_file_wears_what_the_scene_says_in_the_right_size() {
    let folder = tempfile::tempdir().expect("a folder");
    // One triangle, a metre along x and y, enlarged twice by its node.
    let gltf = r#"{"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": [2, 2, 2]}], "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3",
                       "min": [0, 0, 0], "max": [1, 1, 0]}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"byteLength": 36, "uri": "triangle.bin"}]}"#;
    let corners: [f32; 9] = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let bytes: Vec<u8> = corners.iter().flat_map(|corner| corner.to_le_bytes()).collect();
    fs::write(folder.path().join("triangle.gltf"), gltf).expect("written");
    fs::write(folder.path().join("triangle.bin"), bytes).expect("written");
    let scene = folder.path().join("tiled.scene.ron");
    let text =
        "(version: 1, materials: {\"plain\": (), \"tiles\": (pattern: Tiles, scale_m: 0.6)}, spawn: (at: (4, 5)),
         rooms: [(name: \"hall\", min: (0, 0), max: (8, 6), floor: \"plain\", walls: \"plain\")],
         objects: [(asset: \"triangle.gltf\", label: \"sail\", name: \"sail\", at: (2, 0.2, 2), scale: 0.5,
                    material: \"tiles\", collider: Nothing)])";
    fs::write(&scene, text).expect("written");
    let Some(mut app) = world(&scene, "an object from a file in a material") else { return };
    wait_for_models(&mut app);
    app.update();
    app.update();
    let root = {
        let mut objects = app.world_mut().query::<(Entity, &SceneObject)>();
        objects.iter(app.world()).find(|(_, object)| object.0 == "sail").expect("the sail").0
    };
    let mut open = vec![root];
    let mut worn = Vec::new();
    while let Some(entity) = open.pop() {
        let entity = app.world().entity(entity);
        open.extend(entity.get::<Children>().into_iter().flatten());
        if let (Some(mesh), Some(material)) = (entity.get::<Mesh3d>(), entity.get::<MeshMaterial3d<StandardMaterial>>())
        {
            worn.push((mesh.0.clone(), material.0.clone()));
        }
    }
    let [(mesh, material)] = &worn[..] else { panic!("{} meshes", worn.len()) };
    let material = app.world().resource::<Assets<StandardMaterial>>().get(material).expect("a material");
    assert!(material.base_color_texture.is_some(), "tiles have a picture");
    // A tile's repeat is 0.6 m in the world, 1.2 m before the object is halved.
    assert!((material.uv_transform.matrix2.x_axis.x - 1.0 / 1.2).abs() < 1e-6);
    let mesh = app.world().resource::<Assets<Mesh>>().get(mesh).expect("a mesh");
    let uvs = mesh.attribute(Mesh::ATTRIBUTE_UV_0).expect("coordinates");
    let bevy::mesh::VertexAttributeValues::Float32x2(uvs) = uvs else { panic!("{uvs:?}") };
    let width =
        uvs.iter().map(|uv| uv[0]).fold(f32::MIN, f32::max) - uvs.iter().map(|uv| uv[0]).fold(f32::MAX, f32::min);
    assert!((width - 2.0).abs() < 1e-5, "{width} m wide in the object");
}
