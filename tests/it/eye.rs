//! What an eye delivers, measured against geometry: discs, rays, planes, flat colours.
//!
//! These tests need a Vulkan adapter (a software one will do); without one they say `SKIPPED` and pass.

use std::f32::consts::FRAC_PI_4;

use bevy::{
    core_pipeline::tonemapping::{DebandDither, Tonemapping},
    prelude::*,
};
use umwelt::{
    app::headless::{finish, headless_app},
    base::{ClassId, Tick},
    sensors::{Eye, EyePace, EyePlugin, EyeRate, EyeStatus, GroundTruth, Observation, develop, look},
    world::Label,
};

/// An app with eyes in lockstep, or `None` (said aloud) where nothing can render.
fn app_with_eyes(test: &str) -> Option<App> {
    let mut app = match headless_app() {
        Ok(app) => app,
        Err(lacking) => {
            println!("SKIPPED: {test}: {lacking}");
            return None;
        }
    };
    if std::env::var_os("UMWELT_TEST_LOG").is_some() {
        app.add_plugins(bevy::log::LogPlugin::default());
    }
    app.add_plugins(EyePlugin).insert_resource(EyePace::Lockstep).insert_resource(ClearColor(Color::BLACK));
    finish(&mut app);
    Some(app)
}

/// An eye that shows colours as they are.
fn plain_eye(pose: Transform) -> impl Bundle {
    (Eye { truth: true, rate: EyeRate::OnRequest, ..default() }, pose, Tonemapping::None, DebandDither::Disabled)
}

fn flat(color: Color) -> StandardMaterial {
    StandardMaterial { base_color: color, unlit: true, ..default() }
}

fn spawn(app: &mut App, mesh: impl Into<Mesh>, color: Color, pose: Transform, label: Option<(u16, u32)>) -> Entity {
    let mesh = app.world_mut().resource_mut::<Assets<Mesh>>().add(mesh.into());
    let material = app.world_mut().resource_mut::<Assets<StandardMaterial>>().add(flat(color));
    let mut entity = app.world_mut().spawn((Mesh3d(mesh), MeshMaterial3d(material), pose));
    if let Some((class, instance)) = label {
        entity.insert(Label { class: ClassId(class), instance });
    }
    entity.id()
}

fn see(app: &mut App, eye: Entity) -> Observation {
    let observation = develop(&look(app, eye).expect("a picture"));
    if let Some(folder) = std::env::var_os("UMWELT_TEST_PICTURES") {
        let name = format!("{}-{}.png", std::thread::current().name().unwrap_or("eye"), observation.tick.0);
        observation.rgb.save(std::path::Path::new(&folder).join(name.replace("::", "-"))).expect("saved");
    }
    observation
}

fn truth(observation: &Observation) -> &GroundTruth {
    observation.truth.as_deref().expect("truth was asked for")
}

/// Distance along a ray of unit length from the origin to a sphere, if it hits.
fn ray_to_sphere(ray: Vec3, center: Vec3, radius: f32) -> Option<f32> {
    let along = ray.dot(center);
    let square = along * along - center.length_squared() + radius * radius;
    (square >= 0.0).then(|| along - square.sqrt())
}

#[test]
fn a_sphere_covers_its_disc_at_its_depth_with_its_normals() {
    let Some(mut app) = app_with_eyes("sphere") else { return };
    let pose = Transform::from_xyz(0.4, 1.3, 2.0).looking_at(Vec3::new(-0.3, 0.9, -1.0), Vec3::Y);
    let eye = app.world_mut().spawn(plain_eye(pose)).id();
    let (center, radius) = (Vec3::new(0.2, 1.0, -1.0), 0.5);
    let id = 16_777_215;
    let sphere = Sphere::new(radius).mesh().uv(512, 256);
    spawn(&mut app, sphere, Color::WHITE, Transform::from_translation(center), Some((3, id)));

    let observation = see(&mut app, eye);
    let truth = truth(&observation);
    let lens = observation.intrinsics;
    let view_from_world = observation.world_from_view.inverse();
    let center_view = view_from_world.transform_point3(center);
    let mut hits = 0;
    for y in 0..lens.height {
        for x in 0..lens.width {
            let index = (y * lens.width + x) as usize;
            let pixel = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
            let hit = |offset: Vec2| ray_to_sphere(lens.ray(pixel + offset), center_view, radius);
            let around = [Vec2::X, Vec2::Y, Vec2::NEG_X, Vec2::NEG_Y];
            if around.iter().all(|offset| hit(*offset).is_some()) {
                assert_eq!(truth.instances[index], id, "({x}, {y}) is inside the disc");
            }
            if hit(Vec2::ZERO).is_none() && around.iter().all(|offset| hit(*offset).is_none()) {
                assert_eq!(truth.instances[index], 0, "({x}, {y}) is outside the disc");
                assert_eq!(truth.depth_m[index], f32::INFINITY);
                assert_eq!(truth.normals[index], Vec3::ZERO);
            }
            let Some(distance) = hit(Vec2::ZERO) else { continue };
            let ray = lens.ray(pixel);
            let normal_view = (ray * distance - center_view) / radius;
            // Near the outline a ray grazes the surface, and the facets of the mesh show.
            if truth.instances[index] == id && -normal_view.dot(ray) > 0.2 {
                let depth = -(ray * distance).z;
                assert!((truth.depth_m[index] - depth).abs() < 0.001, "({x}, {y}): {} {depth}", truth.depth_m[index]);
                let normal = observation.world_from_view.transform_vector3(normal_view);
                assert!(truth.normals[index].dot(normal) > 0.9998, "({x}, {y}): {} {normal}", truth.normals[index]);
                hits += 1;
            }
        }
    }
    assert!(hits > 3000, "{hits}");

    let object = &truth.objects[0];
    assert_eq!((truth.objects.len(), object.instance, object.class), (1, id, ClassId(3)));
    assert!(object.visible_fraction > 0.99, "{}", object.visible_fraction);
    assert!((object.half_size - Vec3::splat(radius)).length() < 1e-3);
    assert!((Vec3::from(object.world_from_box.translation) - center).length() < 1e-3);
}

#[test]
fn a_floor_has_the_depth_of_its_rays_far_out() {
    let Some(mut app) = app_with_eyes("floor") else { return };
    let pose = Transform::from_xyz(0.0, 1.6, 0.0).with_rotation(Quat::from_rotation_x(-0.3));
    let eye = app.world_mut().spawn(plain_eye(pose)).id();
    spawn(&mut app, Plane3d::default().mesh().size(100.0, 100.0), Color::WHITE, Transform::IDENTITY, None);

    let observation = see(&mut app, eye);
    let truth = truth(&observation);
    let mut seen = 0;
    for y in 0..320 {
        for x in 0..320 {
            let ray_view = observation.intrinsics.ray(Vec2::new(x as f32 + 0.5, y as f32 + 0.5));
            let ray = observation.world_from_view.transform_vector3(ray_view);
            let depth = -ray_view.z * (1.6 / -ray.y);
            let index = (y * 320 + x) as usize;
            if ray.y < 0.0 && depth < 20.0 {
                assert!((truth.depth_m[index] - depth).abs() < 0.001, "({x}, {y}): {} {depth}", truth.depth_m[index]);
                assert!(truth.normals[index].dot(Vec3::Y) > 0.999_999);
                assert_eq!(truth.instances[index], 0);
                seen += 1;
            }
        }
    }
    assert!(seen > 40_000, "{seen}");
    assert!(truth.objects.is_empty());
}

#[test]
fn labels_lie_on_the_colours_they_name() {
    let Some(mut app) = app_with_eyes("alignment") else { return };
    let eye = app.world_mut().spawn(plain_eye(Transform::from_xyz(0.0, 1.0, 3.0))).id();
    // Every combination of a coordinate of the grid and a shape; colours are codes of ids.
    let ids = [1_u32, 255, 256, 65_535, 65_537, 1 << 20, 8_388_609, 16_777_215, 77];
    let color = |id: u32| {
        let [a, b, c, _] = id.wrapping_mul(2_654_435_761).to_le_bytes();
        Color::srgb_u8(a | 1, b, c)
    };
    for (index, id) in ids.into_iter().enumerate() {
        let at = Vec3::new((index % 3) as f32 - 1.0, (index / 3) as f32 * 0.8 + 0.2, (index as f32 * 0.37).sin());
        let pose = Transform::from_translation(at).with_rotation(Quat::from_euler(EulerRot::XYZ, 0.5, at.z, 0.2));
        let mesh = match index % 3 {
            0 => Mesh::from(Torus::new(0.15, 0.45)),
            1 => Mesh::from(Cuboid::new(0.6, 0.5, 0.7)),
            _ => Mesh::from(Cone::new(0.4, 0.9)),
        };
        spawn(&mut app, mesh, color(id), pose, Some((1, id)));
    }
    // Hides part of them; belongs to nothing.
    let wall = Color::srgb_u8(10, 200, 30);
    spawn(&mut app, Cuboid::new(0.3, 2.0, 0.1), wall, Transform::from_xyz(0.5, 1.0, 1.2), None);

    let observation = see(&mut app, eye);
    let truth = truth(&observation);
    let mut wrong = 0;
    for (pixel, (id, depth)) in observation.rgb.pixels().zip(truth.instances.iter().zip(&truth.depth_m)) {
        let expected = match (*id, depth.is_finite()) {
            (0, false) => Color::BLACK,
            (0, true) => wall,
            (id, _) => color(id),
        };
        let expected = expected.to_srgba().to_u8_array_no_alpha();
        wrong += u32::from(pixel.0.iter().zip(expected).any(|(a, b)| a.abs_diff(b) > 1));
    }
    assert_eq!(wrong, 0, "pixels whose colour and label differ");
    assert_eq!(truth.objects.len(), ids.len());
    for object in &truth.objects {
        let count = truth.instances.iter().filter(|id| **id == object.instance).count();
        assert_eq!(object.visible_pixels as usize, count);
    }

    // A body in several parts is one instance; a lost label, a hidden body and a lost body are no longer seen.
    let mut labels = app.world_mut().query::<(Entity, &Label)>();
    let bodies: Vec<(Entity, u32)> = labels.iter(app.world()).map(|(entity, label)| (entity, label.instance)).collect();
    let body = |id: u32| bodies.iter().find(|(_, instance)| *instance == id).expect("spawned").0;
    app.world_mut().entity_mut(body(1)).remove::<Label>();
    app.world_mut().entity_mut(body(255)).insert(Visibility::Hidden);
    app.world_mut().entity_mut(body(256)).despawn();
    app.world_mut().entity_mut(body(77)).get_mut::<Label>().expect("labelled").instance = 78;
    let part = spawn(&mut app, Cuboid::new(0.2, 0.2, 0.2), color(78), Transform::from_xyz(0.0, 0.7, 0.0), None);
    app.world_mut().entity_mut(body(77)).add_child(part);
    let after = see(&mut app, eye);
    let seen: Vec<u32> = after.truth.as_ref().expect("truth").objects.iter().map(|object| object.instance).collect();
    assert_eq!(seen, [78, 65_535, 65_537, 1 << 20, 8_388_609, 16_777_215]);
    let half_height = after.truth.as_ref().expect("truth").objects[0].half_size.y;
    assert!((half_height - 0.625).abs() < 1e-3, "the part reaches above the cone: {half_height}");
}

#[test]
fn half_hidden_is_half_visible_and_so_is_half_outside() {
    let Some(mut app) = app_with_eyes("visible fraction") else { return };
    let eye = app.world_mut().spawn(plain_eye(Transform::IDENTITY)).id();
    let ball = |app: &mut App, at: Vec3, id| {
        spawn(app, Sphere::new(0.5).mesh().uv(64, 32), Color::WHITE, Transform::from_translation(at), Some((1, id)))
    };
    ball(&mut app, Vec3::new(0.0, 0.0, -4.0), 1);
    // The wall's left edge stands in the plane x = 0 that cuts the ball in halves.
    spawn(&mut app, Cuboid::new(1.0, 2.0, 0.01), Color::WHITE, Transform::from_xyz(0.5, 0.0, -2.0), None);
    // The picture's left edge goes through the middle of this one, as its outline is seen.
    let half_width = (35_f32).to_radians().tan() * 4.0;
    ball(&mut app, Vec3::new(-half_width, 0.0, -4.0), 2);
    let observation = see(&mut app, eye);
    let objects = &truth(&observation).objects;
    assert!((objects[0].visible_fraction - 0.5).abs() < 0.02, "{}", objects[0].visible_fraction);
    // Seen at 35° with an angular radius of α = asin(0.5 · cos 35° / 4), the outline crosses the horizon at tan(35° ± α):
    // an ellipse of semi-axis 0.1543 about 0.7114, cut at tan 35° = 0.7002, which leaves
    // ½ − (u · √(1 − u²) + asin u) / π of it with u = 0.0112 / 0.1543.
    assert!((objects[1].visible_fraction - 0.454).abs() < 0.01, "{}", objects[1].visible_fraction);
    assert_eq!(objects[1].visible_box.x, 0.0);
}

#[derive(Resource, Default)]
struct Received(Vec<Observation>);

#[test]
fn two_live_eyes_see_the_tick_that_their_stamp_names() {
    let Some(mut app) = app_with_eyes("live") else { return };
    app.insert_resource(EyePace::Live).init_resource::<Received>();
    let ball = spawn(&mut app, Sphere::new(0.2), Color::WHITE, Transform::IDENTITY, Some((5, 42)));
    let position = |tick: Tick| Vec3::new((tick.0 as f32 * 0.1).sin(), 0.0, -3.0);
    app.add_systems(Update, move |mut tick: ResMut<Tick>, mut bodies: Query<&mut Transform, With<Label>>| -> Result {
        tick.0 += 1;
        bodies.get_mut(ball)?.translation = position(*tick);
        Ok(())
    });
    app.add_systems(Last, |mut new: MessageReader<Observation>, mut all: ResMut<Received>| {
        all.0.extend(new.read().cloned());
    });
    let every_tick = Eye { truth: true, rate: EyeRate::EveryTicks(1), ..default() };
    let aside = Transform::from_xyz(1.0, 0.5, 0.0).with_rotation(Quat::from_rotation_y(FRAC_PI_4 * 0.3));
    let front = app.world_mut().spawn((every_tick.clone(), Transform::IDENTITY)).id();
    let wide = Eye { width: 333, height: 200, rate: EyeRate::EveryTicks(3), ..every_tick };
    let side = app.world_mut().spawn((wide, aside)).id();
    for _ in 0..60 {
        app.update();
        std::thread::sleep(std::time::Duration::from_millis(2));
    }

    let received = &app.world().resource::<Received>().0;
    for eye in [front, side] {
        let own: Vec<&Observation> = received.iter().filter(|observation| observation.eye == eye).collect();
        assert!(own.len() >= 5, "{}", own.len());
        assert!(own.is_sorted_by_key(|observation| observation.tick));
        for observation in own {
            let expected = observation
                .intrinsics
                .project(observation.world_from_view.inverse().transform_point3(position(observation.tick)))
                .expect("before the lens");
            let region = truth(observation).objects[0].visible_box;
            let [x, y] = region.center();
            // A sphere's outline is not centred on its centre's projection away from the axis: up to a pixel here.
            let distance = (Vec2::new(x, y) - expected).length();
            assert!(distance < 2.0, "tick {}: seen at ({x}, {y}), was at {expected}", observation.tick.0);
        }
        let status = app.world().get::<EyeStatus>(eye).expect("an eye");
        assert_eq!(
            status.captured,
            status.delivered + status.incomplete + u64::from(status.in_flight) + in_work(status)
        );
    }
}

/// Pictures that are neither under way nor delivered: being worked on in the background.
fn in_work(status: &EyeStatus) -> u64 {
    status.captured - status.delivered - status.incomplete - u64::from(status.in_flight)
}

#[test]
fn what_cannot_keep_up_is_dropped_and_counted() {
    let Some(mut app) = app_with_eyes("drops") else { return };
    app.add_systems(Update, |mut tick: ResMut<Tick>| tick.0 += 1);
    let eye = app.world_mut().spawn(Eye { rate: EyeRate::EveryTicks(1), ..default() }).id();
    for _ in 0..5 {
        // As if the renderer had not given anything back.
        app.world_mut().get_mut::<EyeStatus>(eye).expect("an eye").in_flight = 50;
        app.update();
    }
    let status = app.world().get::<EyeStatus>(eye).expect("an eye");
    assert_eq!((status.captured, status.dropped), (0, 5));
}
