//! In the headset: our whole way through OpenXR, against a real runtime on software Vulkan.
//!
//! The tests here start the runtime and run those of [`inside`], each in a process of its own within the runtime's libraries.

use std::{path::Path, process::Command, sync::Mutex};

use crate::monado::Monado;

/// One at a time: each has the machine's cores busy.
pub static TURN: Mutex<()> = Mutex::new(());

pub fn in_monado(test: &str) {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(server) = Monado::new() else { return };
    server.run_inside(test);
}

#[test]
fn the_session_is_focused_and_the_eyes_follow_the_head() {
    in_monado("headset::inside::eyes_follow_the_head");
}

#[test]
fn the_two_eyes_see_two_pictures_with_the_right_disparity() {
    in_monado("headset::inside::pictures_differ_by_their_disparity");
}

#[test]
fn a_tracked_hand_takes_carries_and_drops_a_mug() {
    in_monado("headset::inside::a_hand_carries_a_mug");
}

#[test]
fn teleports_and_snap_turns_land_where_they_should() {
    in_monado("headset::inside::sticks_teleport_and_turn");
}

#[test]
fn a_menu_opens_and_is_operated_by_a_controller() {
    in_monado("headset::inside::a_ray_presses_a_row_of_the_menu");
}

#[test]
fn the_pixels_of_the_eyes_change_while_they_look() {
    in_monado("headset::inside::pixels_follow_the_settings");
}

#[test]
fn the_benchmark_tells_what_a_frame_in_the_headset_costs() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(server) = Monado::new() else { return };
    let program = Path::new(env!("CARGO_BIN_EXE_umwelt"));
    let output = server.run(program, &["bench", "--vr", "--json", "--seconds", "2", "--scene", "tiny"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let figures: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let number = |path: &str| figures.pointer(path).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
    for stretch in ["ai_on", "inference_off", "ai_off", "one_eye", "waited"] {
        assert!(number(&format!("/work_ms/{stretch}/p50")) > 0.0, "{stretch}: {figures:#}");
    }
    assert!(number("/inference_ratio") > 0.0 && number("/shared/two_eyes_cost") > 0.0, "{figures:#}");
    // Both eyes see the room, and nearly the same of it.
    let (seen, both) = (number("/shared/visible/0"), number("/shared/visible_to_both"));
    assert!(seen > 3.0 && both > 0.7 * seen, "{figures:#}");
    println!("{figures:#}");
}

#[test]
fn a_headset_that_is_asked_for_and_not_there_is_a_lack_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let start = |what: &str, manifest: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_umwelt"));
        command
            .args([what, "--vr"])
            .env("DISPLAY", ":none")
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_CONFIG_DIRS", folder.path())
            .env_remove("XR_RUNTIME_JSON");
        if let Some(manifest) = manifest {
            command.env("XR_RUNTIME_JSON", folder.path().join(manifest));
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // Nothing is set up; and what is set up is not there, with or without the loader's library.
    for (what, manifest) in [("play", None), ("play", Some("gone.json")), ("bench", None)] {
        let (code, said) = start(what, manifest);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("--vr: no OpenXR"), "{said}");
    }
}

/// What runs inside the runtime's tree.
pub mod inside {
    use std::time::Instant;

    use avian3d::prelude::*;
    use bevy::{prelude::*, time::TimeUpdateStrategy};
    use umwelt::{
        app::{
            headless::{finish, headless_app_with},
            headset::{self, Headset, HeadsetChoice},
        },
        game::{GamePlugin, GameState},
        platform::{
            HeadsetEye, PanelsPlugin, TrackedRigPlugin,
            bindings::Action,
            flat::{FlatRigPlugin, Pressed, Steering},
            headset::HeadsetStatus,
            panels::PanelKind,
            settings::Settings,
            tracked_rig::{PlaySpace, TeleportAim},
            tracking::{Pose, Side, Tracking},
            xr_readback::SubmittedEyes,
        },
        scene::PoseSpec,
        world::{
            Grabbable,
            hand::{HandPlugin, Holding},
            physics::WorldPhysicsPlugin,
            player::{PlayerPlugin, WalkSettings, player_bundle},
        },
    };

    use crate::{
        monado::{PATIENCE, Puppet, recentre},
        panels::{panel, place_on_menu, settled},
        physics::{block, floor, place, thing},
    };

    /// A floor and a player in a headset.
    pub struct Worn {
        pub app: App,
        pub player: Entity,
        pub puppet: Puppet,
    }

    impl Worn {
        /// Starts, and waits until the headset shows the world and has the input.
        pub fn new() -> Self {
            Self::with(|_: &mut App| {})
        }

        /// The same with a plugin more.
        pub fn with(more: impl Plugin) -> Self {
            let headset = headset::choose(HeadsetChoice::Forced).expect("a headset");
            let Headset::Found(found) = &headset else { panic!("{headset:?}") };
            assert!(found.runtime.starts_with("Monado"), "{found}");
            let (app, player) = world(&headset, more);
            let mut worn = Self { app, player, puppet: Puppet::connect() };
            worn.until_focused();
            worn
        }

        /// Waits until the headset shows the world and has the input.
        pub fn until_focused(&mut self) {
            self.puppet.head(at(0.0, 1.6, 0.0)).send();
            self.until("the session is focused", |worn| {
                let tracking = worn.app.world().resource::<Tracking>();
                tracking.worn && tracking.head.is_some() && tracking.hand(Side::Right).grip.is_some()
            });
            assert_eq!(*self.app.world().resource::<HeadsetStatus>(), HeadsetStatus::Worn);
            self.frames(3);
        }

        /// Presses the headset key.
        pub fn press_the_key(&mut self) {
            self.app.world_mut().write_message(Pressed(Action::Headset));
            self.frames(2);
        }

        /// Moves the head and asserts that it is followed.
        pub fn assert_followed(&mut self) {
            let pose = Pose { position: Vec3::new(0.1, 1.5, -0.1), rotation: Quat::from_rotation_y(0.5) };
            self.puppet.head(pose);
            self.act();
            let head = self.tracking().head.expect("a head");
            let (off, turn) = (head.position.distance(pose.position), degrees_between(head.rotation, pose.rotation));
            assert!(off < 0.001 && turn < 0.1, "the head is {off} m and {turn} degrees off");
            let wanted = self.space() * Isometry3d::from(pose);
            let between = 0.5 * (self.eye(0).0.translation() + self.eye(1).0.translation());
            assert!(between.distance(wanted.translation.into()) < 0.001, "{between}, not {wanted:?}");
        }

        pub fn frames(&mut self, count: usize) {
            for _ in 0..count {
                self.app.update();
            }
        }

        /// Updates until something is so.
        pub fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
            let begun = Instant::now();
            while !is_so(self) {
                let status = self.app.world().resource::<HeadsetStatus>().text();
                assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}; headset: {status}");
                self.app.update();
            }
        }

        pub fn tracking(&self) -> Tracking {
            *self.app.world().resource::<Tracking>()
        }

        pub fn space(&self) -> Isometry3d {
            self.app.world().resource::<PlaySpace>().now
        }

        pub fn feet(&self) -> Vec3 {
            self.app.world().get::<Transform>(self.player).unwrap().translation
        }

        pub fn eye(&mut self, wanted: u32) -> (GlobalTransform, Mat4) {
            let world = self.app.world_mut();
            let mut eyes = world.query::<(&HeadsetEye, &GlobalTransform, &Camera)>();
            let (_, transform, camera) = eyes.iter(world).find(|eye| eye.0.index == wanted).expect("an eye");
            (*transform, camera.clip_from_view())
        }

        /// The pictures that the runtime gets, left and right.
        pub fn submitted(&mut self) -> [image::RgbaImage; 2] {
            let eyes = self.app.world().resource::<SubmittedEyes>().clone();
            eyes.ask();
            for _ in 0..20 {
                self.app.update();
                if let Some(pictures) = eyes.take() {
                    return pictures.expect("read back");
                }
            }
            panic!("nothing was submitted")
        }

        /// Sends what the puppet does and lets it take effect: frames already under way show what was before.
        pub fn act(&mut self) {
            self.puppet.send();
            self.frames(4);
        }
    }

    /// A floor and a player, in a headset if there is one.
    pub fn world(headset: &Headset, more: impl Plugin) -> (App, Entity) {
        let mut app = headless_app_with(None, headset).expect("a renderer");
        app.insert_resource(TimeUpdateStrategy::Automatic)
            .insert_resource(Settings::default())
            .insert_resource(Steering(true))
            .insert_resource(ClearColor(Color::BLACK))
            .init_resource::<SubmittedEyes>()
            .add_plugins((WorldPhysicsPlugin, PlayerPlugin, HandPlugin, TrackedRigPlugin))
            .add_plugins(more);
        finish(&mut app);
        floor(&mut app);
        let body = player_bundle(PoseSpec { position: Vec3::ZERO, yaw: 0.0 }, &WalkSettings::default());
        let player = app.world_mut().spawn(body).id();
        (app, player)
    }

    /// What hands hold.
    pub fn held(worn: &mut Worn) -> Vec<Entity> {
        let world = worn.app.world_mut();
        world.query::<&Holding>().iter(world).map(|holding| holding.body).collect()
    }

    /// The right hand takes a mug from a table: the mug, where it stood in the world, where the hand is in the play space.
    pub fn take_a_mug(worn: &mut Worn) -> (Entity, Vec3, Vec3) {
        block(&mut worn.app, Vec3::new(0.2, 0.4, -0.6), Vec3::new(0.6, 0.8, 0.4));
        let mug = thing(&mut worn.app, Collider::cylinder(0.045, 0.1), 0.3, Vec3::new(0.2, 0.86, -0.6));
        worn.app.world_mut().entity_mut(mug).insert(Grabbable);
        worn.frames(10);
        let rest = place(&worn.app, mug);
        assert!((rest.y - 0.85).abs() < 0.01, "{rest}");
        let before = worn.space().inverse() * (rest + Vec3::new(0.04, 0.02, 0.02));
        worn.puppet.hand(Side::Right, at(before.x, before.y, before.z));
        worn.act();
        worn.puppet.squeeze(Side::Right, 1.0);
        worn.act();
        assert_eq!(held(worn), [mug], "taken");
        (mug, rest, before)
    }

    pub fn at(x: f32, y: f32, z: f32) -> Pose {
        Pose { position: Vec3::new(x, y, z), rotation: Quat::IDENTITY }
    }

    fn degrees_between(a: Quat, b: Quat) -> f32 {
        a.angle_between(b).to_degrees()
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn eyes_follow_the_head() {
        let mut worn = Worn::new();
        let turned = Quat::from_rotation_y(0.7) * Quat::from_rotation_x(-0.3) * Quat::from_rotation_z(0.1);
        for pose in [
            at(0.0, 1.7, 0.0),
            Pose { position: Vec3::new(0.11, 1.62, -0.07), rotation: turned },
            Pose { position: Vec3::new(-0.05, 1.35, 0.02), rotation: Quat::from_rotation_y(-2.0) },
        ] {
            worn.puppet.head(pose);
            worn.act();
            let head = worn.tracking().head.unwrap();
            let (off, turn) = (head.position.distance(pose.position), degrees_between(head.rotation, pose.rotation));
            assert!(off < 0.001 && turn < 0.1, "the head is {off} m and {turn}° from {pose:?}: {head:?}");
            // Between the eyes of the picture lies the head, in the world.
            let wanted = worn.space() * Isometry3d::from(pose);
            let (left, right) = (worn.eye(0).0, worn.eye(1).0);
            let between = 0.5 * (left.translation() + right.translation());
            let off = between.distance(wanted.translation.into());
            let turn = degrees_between(left.rotation(), wanted.rotation);
            assert!(off < 0.001 && turn < 0.1, "the eyes are {off} m and {turn}° from {wanted:?}");
            // Right is right, and about as far as people's eyes are apart.
            let apart = wanted.rotation.inverse() * (right.translation() - left.translation());
            assert!((0.055..0.07).contains(&apart.x) && apart.yz().length() < 1e-4, "{apart}");
        }
        // A recentring of spaces that are not the play space moves nothing.
        let (head, view) = (worn.tracking().head.unwrap(), worn.eye(0).0);
        recentre();
        worn.frames(10);
        let now = worn.tracking().head.unwrap();
        assert!(now.position.distance(head.position) < 0.001, "{now:?} instead of {head:?}");
        assert!(worn.eye(0).0.translation().distance(view.translation()) < 0.001);
        // The front of a cube of a metre, two metres before the head, is a metre wide to each eye and two metres away to both.
        let head = worn.space() * Isometry3d::from(worn.tracking().head.unwrap());
        let edges = [-0.5, 0.5].map(|x| head * Vec3::new(x, 0.0, -2.0));
        // Tangents of the angles at which the edges are seen, from clip space through the lens.
        let [left, right] = [0, 1].map(|index| {
            let (eye, lens) = worn.eye(index);
            edges.map(|edge| {
                let clip = lens * eye.to_matrix().inverse() * edge.extend(1.0);
                (clip.x / clip.w + lens.z_axis.x) / lens.x_axis.x
            })
        });
        let apart = worn.eye(0).0.translation().distance(worn.eye(1).0.translation());
        for (of_left, of_right) in left.into_iter().zip(right) {
            let away = apart / (of_left - of_right);
            assert!((away - 2.0).abs() < 0.01, "an edge is {away} m away");
        }
        for [from, to] in [left, right] {
            let width = 2.0 * (to - from);
            assert!((width - 1.0).abs() < 1e-3, "the cube is {width} m wide");
        }
        println!(
            "head within 1 mm and 0.1 degrees of the script; {}",
            worn.app.world().resource::<HeadsetStatus>().text()
        );
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn pictures_differ_by_their_disparity() {
        let mut worn = Worn::new();
        // A small light, a metre and a half before the head, a little to the left of its middle.
        let lamp = worn.space() * Vec3::new(-0.1, 1.6, -1.5);
        let world = worn.app.world_mut();
        let mesh = world.resource_mut::<Assets<Mesh>>().add(Sphere::new(0.04).mesh().uv(32, 18));
        let white = StandardMaterial { base_color: Color::WHITE, unlit: true, ..default() };
        let white = world.resource_mut::<Assets<StandardMaterial>>().add(white);
        world.spawn((Mesh3d(mesh), MeshMaterial3d(white), Transform::from_translation(lamp)));
        worn.frames(4);
        let pictures = worn.submitted();
        let size = UVec2::from(pictures[0].dimensions()).as_vec2();
        let mut centres = Vec::new();
        for (index, picture) in (0..).zip(&pictures) {
            let (transform, lens) = worn.eye(index);
            let (mut sum, mut weight) = (Vec2::ZERO, 0.0);
            for (x, y, pixel) in picture.enumerate_pixels() {
                let bright = f32::from(pixel.0[1]) / 255.0;
                if bright > 0.3 {
                    sum += bright * Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                    weight += bright;
                }
            }
            assert!(weight > 5.0, "eye {index} does not see the lamp");
            let seen = sum / weight;
            // Where the lens puts it: from clip space to pixels.
            let clip = lens * transform.to_matrix().inverse() * lamp.extend(1.0);
            let expected = (Vec2::new(clip.x, -clip.y) / clip.w * 0.5 + 0.5) * size;
            assert!(seen.distance(expected) < 0.7, "eye {index} sees it at {seen}, not at {expected}");
            centres.push(seen);
        }
        // What is near lies farther to the right for the left eye: focal length × distance of the eyes ÷ depth.
        let focal = worn.eye(0).1.x_axis.x * 0.5 * size.x;
        let apart = worn.eye(0).0.translation().distance(worn.eye(1).0.translation());
        let lens_shift = 0.5 * size.x * (worn.eye(1).1.z_axis.x - worn.eye(0).1.z_axis.x);
        let expected = focal * apart / 1.5 + lens_shift;
        let disparity = centres[0].x - centres[1].x;
        assert!((disparity - expected).abs() < 1.0 && disparity != 0.0, "{disparity} px instead of {expected}");
        assert!(pictures[0] != pictures[1]);
        println!("disparity {disparity:.2} px of {size}, {expected:.2} expected, in the pictures that were submitted");
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn a_hand_carries_a_mug() {
        let mut worn = Worn::new();
        let (mug, rest, before) = take_a_mug(&mut worn);

        // Carry over half a metre, in a second or so.
        for step in 1..=20 {
            let part = step as f32 / 20.0;
            let now = before + Vec3::new(-0.45, 0.25, 0.1) * part;
            worn.puppet.hand(Side::Right, at(now.x, now.y, now.z)).send();
            worn.frames(1);
        }
        worn.frames(20);
        let carried = place(&worn.app, mug);
        let expected = rest + worn.space().rotation * Vec3::new(-0.45, 0.25, 0.1);
        assert!(carried.distance(expected) < 0.01, "carried to {carried} instead of {expected}");

        // Let go above the floor.
        worn.puppet.squeeze(Side::Right, 0.0);
        worn.act();
        worn.until("the mug lies on the floor", |worn| place(&worn.app, mug).y < 0.06);
        worn.frames(10);
        assert!(held(&mut worn).is_empty());
        let dropped = place(&worn.app, mug);
        assert!(dropped.xz().distance(carried.xz()) < 0.25, "dropped to {dropped} from {carried}");
        println!("taken at {rest}, carried to {carried}, dropped to {dropped}");
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn sticks_teleport_and_turn() {
        let mut worn = Worn::new();
        // A snap turn: 30° to the right about the head.
        worn.puppet.head(at(0.3, 1.7, 0.2));
        worn.act();
        let (head, yaw) = (worn.space() * worn.tracking().head.unwrap().position, worn.space().rotation);
        worn.puppet.stick(Side::Right, Vec2::X);
        worn.act();
        worn.puppet.stick(Side::Right, Vec2::ZERO);
        worn.act();
        let after = worn.space() * worn.tracking().head.unwrap().position;
        assert!(after.distance(head) < 0.001, "the head moved from {head} to {after}");
        let turn = yaw.inverse() * worn.space().rotation;
        assert!(degrees_between(turn, Quat::from_rotation_y(-30_f32.to_radians())) < 0.1, "{turn}");

        // A teleport: the hand points level, the arc is that of a throw, the floor is at 0.
        worn.puppet.hand(Side::Right, at(0.3, 1.2, -0.2)).stick(Side::Right, Vec2::Y);
        worn.act();
        let aim = worn.app.world().resource::<TeleportAim>().clone();
        let landing = aim.place.expect("the floor is a place");
        let hand = worn.space() * Isometry3d::from(worn.tracking().hand(Side::Right).aim.unwrap());
        let velocity = hand.rotation * Vec3::NEG_Z * 6.5;
        let fall = (velocity.y + (velocity.y * velocity.y + 2.0 * 9.81 * hand.translation.y).sqrt()) / 9.81;
        let expected = Vec3::from(hand.translation) + velocity * fall;
        assert!(landing.xz().distance(expected.xz()) < 0.02 && landing.y.abs() < 0.01, "{landing}, not {expected}");
        worn.puppet.stick(Side::Right, Vec2::ZERO);
        worn.act();
        assert!(worn.feet().distance(landing) < 0.02, "stands at {} instead of {landing}", worn.feet());
        let head = worn.space() * worn.tracking().head.unwrap().position;
        assert!(head.xz().distance(landing.xz()) < 0.005 && (head.y - 1.7).abs() < 0.005, "the head is at {head}");

        // A wall between takes the place away.
        let forward = worn.space().rotation * Vec3::NEG_Z;
        let wall = worn.feet() + forward * 1.2;
        let along = Transform::from_translation(wall).with_rotation(worn.space().rotation);
        worn.app.world_mut().spawn((RigidBody::Static, Collider::cuboid(6.0, 5.0, 0.1), along));
        worn.puppet.stick(Side::Right, Vec2::Y);
        worn.act();
        assert_eq!(worn.app.world().resource::<TeleportAim>().place, None);
        let before = worn.feet();
        worn.puppet.stick(Side::Right, Vec2::ZERO);
        worn.act();
        assert!(worn.feet().distance(before) < 0.01);
        println!("turned by 30 degrees, teleported to {landing}");
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn a_ray_presses_a_row_of_the_menu() {
        let mut worn = Worn::with(|app: &mut App| {
            app.insert_resource(settled())
                .add_plugins((PanelsPlugin, FlatRigPlugin, GamePlugin))
                .insert_resource(ClearColor(Color::srgb(0.3, 0.35, 0.4)));
        });
        worn.app.world_mut().resource_mut::<NextState<GameState>>().set(GameState::Playing);
        worn.frames(5);
        // The controllers that Monado plays have no menu button; the left B is bound to it.
        worn.puppet.hand(Side::Left, at(-0.25, 1.2, -0.3)).b(Side::Left, true);
        worn.act();
        worn.puppet.b(Side::Left, false);
        worn.until("the menu is open", |worn| {
            *worn.app.world().resource::<State<GameState>>().get() == GameState::Paused
        });
        worn.act();
        // The hand is held so that its ray, wherever the runtime lets it begin, goes through the row.
        worn.puppet.hand(Side::Right, at(0.25, 1.2, -0.3));
        worn.act();
        let held = worn.tracking().hand(Side::Right).aim.expect("a ray");
        let ray_from_hand = Isometry3d::from(at(0.25, 1.2, -0.3)).inverse() * Isometry3d::from(held);
        let row = place_on_menu(&mut worn.app, "Settings");
        let ray = Transform::from_translation(held.position).looking_at(row, Vec3::Y).to_isometry();
        let hand = ray * ray_from_hand.inverse();
        worn.puppet.hand(Side::Right, Pose { position: hand.translation.into(), rotation: hand.rotation });
        worn.act();
        worn.puppet.trigger(Side::Right, 1.0);
        worn.act();
        worn.puppet.trigger(Side::Right, 0.0);
        worn.act();
        let panel = panel(&mut worn.app, PanelKind::Menu);
        let world = worn.app.world_mut();
        let words: Vec<String> = world.query::<&Text>().iter(world).map(|text| text.0.clone()).collect();
        assert!(words.contains(&"Sound and voice".to_owned()), "{words:?}");
        assert!(panel.open);
        println!("the menu lies at {}", panel.place.translation);
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn pixels_follow_the_settings() {
        let mut worn = Worn::new();
        let pixels = |worn: &Worn| {
            let world = worn.app.world();
            let mut eyes = world.try_query::<(&HeadsetEye, &Camera)>().expect("eyes");
            eyes.iter(world).find_map(|(_, camera)| camera.physical_target_size()).expect("a size")
        };
        let recommended = pixels(&worn);
        for percent in [50, 80, 100] {
            worn.app.world_mut().resource_mut::<Settings>().headset.render_scale_percent = percent;
            let wanted = (recommended.as_vec2() * percent as f32 / 100.0).round().as_uvec2();
            worn.until("the eyes' pictures have the chosen size", |worn| pixels(worn) == wanted);
            worn.frames(10);
            assert!(worn.tracking().worn, "{}", worn.app.world().resource::<HeadsetStatus>().text());
        }
        println!("{recommended} at 100 %");
    }
}
