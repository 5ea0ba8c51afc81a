//! What a hand would take, and where it would go, is seen by whoever wears the headset and by no sensor. Needs a renderer, a software one
//! will do; without one the tests say `SKIPPED` and pass.

use std::{fs, path::Path};

use avian3d::prelude::Position;
use bevy::{
    camera::{RenderTarget, visibility::RenderLayers},
    prelude::*,
};
use umwelt::{
    app::headless::{enter_scene, finish, headless_app_for, picture_target, take_picture},
    platform::{
        Ghost, PANELS_LAYER, PanelsPlugin, Rim, TrackedRigPlugin,
        flat::Steering,
        settings::Settings,
        tracked_rig::PlaySpace,
        tracking::{Pose, Side, Tracking},
    },
    scene::ScenePlugin,
    sensors::{Eye, EyePace, EyePlugin, EyeRate, Observation, develop, look},
    world::{
        Quality, SceneObject, WorldPlugin, WorldView, avatar::AvatarPlugin, hand::HandPlugin, player::PlayerPlugin,
        rescue::RescuePlugin, snap_zones::SnapZone,
    },
};

/// Somebody in a headset in the smallest scene, at its table.
struct Worn {
    _folder: tempfile::TempDir,
    app: App,
    eye: Entity,
    head: Pose,
}

impl Worn {
    fn new(test: &str) -> Option<Self> {
        let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scenes/tiny.scene.ron");
        let zone = "snap_zones: [(name: \"tray\", on: \"table_1\", at: (-0.08, 0.05), yaw_deg: 90)],\n    spawn:";
        let text = fs::read_to_string(tiny).expect("the scene").replace("spawn:", zone);
        let folder = tempfile::tempdir().expect("a folder");
        let scene = folder.path().join("x.scene.ron");
        fs::write(&scene, text).expect("written");
        let mut app = match headless_app_for(Some(&scene)) {
            Ok(app) => app,
            Err(lacking) => {
                println!("SKIPPED: {test}: {lacking}");
                return None;
            }
        };
        app.insert_resource(umwelt::app::all_actions())
            .insert_resource(Settings::default())
            .insert_resource(Quality::Software)
            .insert_resource(Steering(true))
            .add_plugins((ScenePlugin { path: scene }, WorldPlugin, PlayerPlugin, HandPlugin, RescuePlugin))
            .add_plugins((AvatarPlugin, TrackedRigPlugin, PanelsPlugin, EyePlugin))
            .insert_resource(EyePace::Lockstep);
        finish(&mut app);
        enter_scene(&mut app).expect("the scene has no problem");
        let eye = app
            .world_mut()
            .spawn((
                Eye { truth: true, rate: EyeRate::OnRequest, ..default() },
                WorldView::SENSOR,
                Transform::from_xyz(2.2, 1.5, 3.0).looking_at(Vec3::new(2.4, 0.75, 1.4), Vec3::Y),
            ))
            .id();
        let rotation = Quat::from_rotation_y(0.35) * Quat::from_rotation_x(-0.55);
        let head = Pose { position: Vec3::new(0.0, 1.45, 0.0), rotation };
        let mut worn = Self { _folder: folder, app, eye, head };
        worn.act(|tracking| {
            tracking.worn = true;
            tracking.head = Some(head);
        });
        // To the table, beside the chair, looking at the teapot.
        let feet = Vec3::new(3.0, 0.0, 2.1);
        let world = worn.app.world_mut();
        let mut players = world.query::<&mut umwelt::world::WalkIntent>();
        players.single_mut(world).expect("a player").teleport = Some(feet);
        for _ in 0..30 {
            worn.act(|_| {});
        }
        let space = worn.app.world().resource::<PlaySpace>().now;
        worn.head.rotation = space.rotation.inverse() * worn.head.rotation;
        let head = worn.head;
        worn.act(|tracking| tracking.head = Some(head));
        Some(worn)
    }

    fn act(&mut self, change: impl FnOnce(&mut Tracking)) {
        let mut tracking = self.app.world_mut().resource_mut::<Tracking>();
        change(&mut tracking);
        tracking.seconds += 1.0 / 60.0;
        self.app.update();
    }

    fn thing(&mut self, name: &str) -> Entity {
        let world = self.app.world_mut();
        let mut things = world.query::<(Entity, &SceneObject)>();
        things.iter(world).find(|(_, object)| object.0 == name).expect(name).0
    }

    /// Points the right hand at a place of the world from where it is held.
    fn point_at(&mut self, target: Vec3, away: bool) {
        let space = self.app.world().resource::<PlaySpace>().now;
        let head = space * self.head.position;
        let hand = head + Vec3::new(0.18, -0.3, -0.35);
        let target = if away { target + Vec3::Y * 1.5 } else { target };
        let rotation = Transform::from_translation(hand).looking_at(target, Vec3::Y).rotation;
        let held = space.inverse() * Isometry3d::new(hand, rotation);
        let pose = Pose { position: held.translation.into(), rotation: held.rotation };
        for _ in 0..4 {
            self.act(|tracking| {
                let hand = tracking.hand_mut(Side::Right);
                hand.grip = Some(pose);
                hand.aim = Some(pose);
            });
        }
    }

    fn rims(&mut self) -> Vec<Entity> {
        let world = self.app.world_mut();
        world.query::<&Rim>().iter(world).map(|rim| rim.body).collect()
    }

    /// What the sensor sees, nothing moving meanwhile.
    fn sense(&mut self) -> Observation {
        develop(&look(&mut self.app, self.eye).expect("a picture"))
    }

    /// What the head sees, for people who look: saved where `UMWELT_TEST_PICTURES` says.
    fn photograph(&mut self, name: &str) -> image::RgbImage {
        let pose = self.app.world().resource::<PlaySpace>().now * Isometry3d::from(self.head);
        let world = self.app.world_mut();
        let target = picture_target(&mut world.resource_mut::<Assets<Image>>(), 900, 900);
        let camera = world
            .spawn((
                Camera3d::default(),
                WorldView::PHOTOGRAPH,
                Projection::Perspective(PerspectiveProjection { fov: 60_f32.to_radians(), near: 0.05, ..default() }),
                RenderTarget::Image(target.clone().into()),
                RenderLayers::from_layers(&[0, PANELS_LAYER]),
                Transform::from_isometry(pose),
            ))
            .id();
        self.app.update();
        self.app.update();
        let picture = take_picture(&mut self.app, &target).expect("a picture");
        self.app.world_mut().despawn(camera);
        if let Some(folder) = std::env::var_os("UMWELT_TEST_PICTURES") {
            picture.save(Path::new(&folder).join(name)).expect("saved");
        }
        picture
    }
}

fn differs((a, b): &(&image::Rgb<u8>, &image::Rgb<u8>)) -> bool {
    a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 24)
}

#[test]
fn the_head_sees_what_a_hand_would_take_and_the_sensor_does_not() {
    let Some(mut worn) = Worn::new("marks of hands") else { return };
    let teapot = worn.thing("teapot_1");
    let place = worn.app.world().get::<Position>(teapot).expect("a body").0 + Vec3::Y * 0.05;
    // Nothing that sensors see may change between their pictures: the hand is shown to be the same, only its ray turns.
    worn.point_at(place, true);
    assert!(worn.rims().is_empty(), "the hand points over it");
    let world = worn.app.world_mut();
    for mut hand in world.query_filtered::<&mut Visibility, With<umwelt::world::avatar::AvatarHand>>().iter_mut(world) {
        *hand = Visibility::Hidden;
    }
    let (plain, sensed) = (worn.photograph("mark-none.png"), worn.sense());

    worn.point_at(place, false);
    assert!(!worn.rims().is_empty() && worn.rims().iter().all(|body| *body == teapot), "{:?}", worn.rims());
    let (marked, sensed_marked) = (worn.photograph("mark-teapot.png"), worn.sense());
    let changed = marked.pixels().zip(plain.pixels()).filter(differs).count();
    assert!((300..40_000).contains(&changed), "{changed} of the head's pixels changed");
    let changed = sensed_marked.rgb.pixels().zip(sensed.rgb.pixels()).filter(differs).count();
    assert_eq!(changed, 0, "pixels of the sensor that changed");
    let (before, after) = (sensed.truth.expect("truth"), sensed_marked.truth.expect("truth"));
    assert_eq!(before.instances, after.instances);

    // Taken, it is no longer to be taken.
    for _ in 0..60 {
        worn.act(|tracking| tracking.hand_mut(Side::Right).squeeze = 1.0);
    }
    assert!(worn.rims().is_empty(), "{:?}", worn.rims());
    worn.photograph("mark-held.png");
    worn.act(|tracking| tracking.worn = false);
    worn.act(|_| {});
    assert!(worn.rims().is_empty());
}

#[test]
fn the_head_sees_where_a_thing_would_go_and_the_sensor_does_not() {
    let Some(mut worn) = Worn::new("ghosts in snap zones") else { return };
    let teapot = worn.thing("teapot_1");
    let place = worn.app.world().get::<Position>(teapot).expect("a body").0 + Vec3::Y * 0.05;
    worn.point_at(place, false);
    for _ in 0..60 {
        worn.act(|tracking| tracking.hand_mut(Side::Right).squeeze = 1.0);
    }
    let zone = {
        let world = worn.app.world_mut();
        world.query::<(Entity, &SnapZone)>().single(world).map(|(zone, known)| (zone, known.spec.clone())).expect("one")
    };
    // The hand goes to 12 cm above and beside the tray, turned as it is.
    let space = worn.app.world().resource::<PlaySpace>().now;
    let to = space.inverse() * (zone.1.position + Vec3::new(0.06, 0.2, 0.05));
    for step in 1..=60 {
        worn.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            let mut pose = hand.grip.expect("a hand");
            pose.position = pose.position.lerp(to, step as f32 / 60.0);
            (hand.grip, hand.aim) = (Some(pose), Some(pose));
        });
    }
    for _ in 0..30 {
        worn.act(|_| {});
    }
    let world = worn.app.world_mut();
    assert!(world.get::<SnapZone>(zone.0).expect("a zone").offers, "it is near");
    assert!(world.query::<&Ghost>().iter(world).all(|ghost| ghost.body == teapot && ghost.zone == zone.0));
    let (shown, sensed) = (worn.photograph("ghost.png"), worn.sense());
    worn.app.world_mut().despawn(zone.0);
    worn.act(|_| {});
    let world = worn.app.world_mut();
    assert_eq!(world.query::<&Ghost>().iter(world).count(), 0);
    let (plain, sensed_plain) = (worn.photograph("ghost-none.png"), worn.sense());
    let changed = shown.pixels().zip(plain.pixels()).filter(differs).count();
    assert!((1_000..80_000).contains(&changed), "{changed} of the head's pixels changed");
    let changed = sensed.rgb.pixels().zip(sensed_plain.rgb.pixels()).filter(differs).count();
    assert_eq!(changed, 0, "pixels of the sensor that changed");
}
