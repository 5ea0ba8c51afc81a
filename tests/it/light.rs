//! Light follows the scene and the quality while the world goes on. No renderer.

use std::{fs, path::PathBuf, time::Duration};

use bevy::{
    light::{CascadeShadowConfig, DirectionalLightShadowMap, IrradianceVolume},
    prelude::*,
    time::TimeUpdateStrategy,
};
use umwelt::{
    scene::ScenePlugin,
    world::{
        BuildPace, Quality, WorldPlugin,
        lamps::Lamp,
        light::{Lighting, SceneLight},
    },
};

const SCENE: &str = r##"(
    version: 1,
    sky: (sun_elevation_deg: 40, sun_azimuth_deg: 200, turbidity: 3, sun_lux: 90000, intensity: 1.0),
    materials: {"boards": (color: "#b08050"), "chalk": (color: "#e8dfd0")},
    rooms: [(name: "room", min: (0, 0), max: (6, 5), floor: "boards", walls: "chalk", ceiling: "chalk",
             openings: [(kind: Window, side: South, center: 3.0)])],
    lights: [(at: (2, 2.4, 2), color: "#ffd9a8", lumens: 1000, range_m: 8, shadows: true)],
    objects: [(kind: "mug", name: "cup", at: (2, 2))],
    spawn: (at: (4, 4)),
)"##;

struct Bench {
    app: App,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(pace: BuildPace, quality: Quality) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.scene.ron");
        fs::write(&path, SCENE).expect("written");
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin, AssetPlugin::default(), bevy::mesh::MeshPlugin))
            .init_asset::<Image>()
            .init_asset::<StandardMaterial>()
            .insert_resource(quality)
            .insert_resource(umwelt::app::all_actions())
            .add_plugins((ScenePlugin { path: path.clone() }, WorldPlugin))
            .insert_resource(pace)
            .insert_resource(TimeUpdateStrategy::FixedTimesteps(1));
        app.finish();
        Self { app, path, _folder: folder }
    }

    /// Updates until the wanted light is shown; returns how many updates went by without it.
    fn wait_for_light(&mut self) -> usize {
        for waited in 0..60_000 {
            self.app.update();
            let (done, total) = self.app.world().resource::<Lighting>().progress();
            assert!(done <= total);
            if done == total {
                return waited;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("no light came");
    }

    fn volumes(&mut self) -> Vec<UVec3> {
        let world = self.app.world_mut();
        let volumes: Vec<Handle<Image>> =
            world.query::<&IrradianceVolume>().iter(world).map(|volume| volume.voxels.clone()).collect();
        let size = |handle: &Handle<Image>| {
            let size = world.resource::<Assets<Image>>().get(handle).expect("the volume").texture_descriptor.size;
            UVec3::new(size.width, size.height, size.depth_or_array_layers)
        };
        volumes.iter().map(size).collect()
    }

    fn sky_picture(&self) -> u32 {
        let world = self.app.world();
        let sky = world.resource::<SceneLight>().sky.as_ref().expect("a sky");
        world.resource::<Assets<Image>>().get(&sky.picture).expect("its picture").texture_descriptor.size.width
    }
}

#[test]
fn a_new_scene_is_lit_beside_the_frames_and_as_in_one_step() {
    let mut at_once = Bench::new(BuildPace::Blocking, Quality::Software);
    at_once.app.update();
    assert_eq!(at_once.wait_for_light(), 0, "the first update ends with the light");
    let mut beside = Bench::new(BuildPace::Background, Quality::Software);
    beside.app.update();
    assert!(beside.volumes().is_empty(), "no frame waits for light");
    assert!(beside.wait_for_light() > 0);
    assert_eq!(beside.volumes(), at_once.volumes());
    let exposure = |bench: &Bench| bench.app.world().resource::<SceneLight>().exposure_at(Vec3::new(3.0, 1.5, 2.0));
    assert_eq!(exposure(&beside), exposure(&at_once), "the same light");
}

#[test]
fn an_edit_of_rooms_changes_the_light_with_them() {
    let mut bench = Bench::new(BuildPace::Background, Quality::Software);
    bench.wait_for_light();
    let before = bench.volumes();
    fs::write(&bench.path, SCENE.replace("max: (6, 5)", "max: (12, 5)")).expect("written");
    for _ in 0..60 {
        bench.app.update();
    }
    bench.wait_for_light();
    let after = bench.volumes();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert!(after[0].x > before[0].x, "{before:?} {after:?}");
}

#[test]
fn another_quality_reaches_shadows_at_once_and_the_sky_when_it_is_drawn() {
    let mut bench = Bench::new(BuildPace::Background, Quality::Software);
    bench.wait_for_light();
    let shadows = |bench: &mut Bench| {
        let world = bench.app.world_mut();
        let size = world.resource::<DirectionalLightShadowMap>().size;
        let cascades = world.query::<&CascadeShadowConfig>().single(world).expect("one sun").bounds.len();
        let lamp = world.query_filtered::<&PointLight, With<Lamp>>().single(world).expect("one lamp");
        (size, cascades, lamp.shadow_maps_enabled)
    };
    assert_eq!(shadows(&mut bench), (1024, 1, false));
    assert_eq!(bench.sky_picture(), 256);
    bench.app.insert_resource(Quality::High);
    bench.app.update();
    assert_eq!(shadows(&mut bench), (4096, 3, true));
    bench.wait_for_light();
    assert_eq!(bench.sky_picture(), 512);
    bench.app.insert_resource(Quality::Software);
    bench.app.update();
    bench.wait_for_light();
    assert_eq!((shadows(&mut bench), bench.sky_picture()), ((1024, 1, false), 256));
}
