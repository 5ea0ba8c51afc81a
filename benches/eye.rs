//! What a picture costs: processor time per RGB picture and per RGB picture with labels (ids, depth, normals, boxes), with
//! and without a shadow, of a plane with 24 simple bodies at 320 × 320.
//!
//! `cargo bench --features train --bench eye` prints one JSON object. `benches/sapien_eye.py` renders a like scene with
//! SAPIEN 3; run both on the same machine with the same Vulkan driver. All threads are counted, those of a software
//! renderer included; on a GPU the figures say what is left for the processor. Linux only.

use std::{fs, process::ExitCode};

use bevy::prelude::*;
use umwelt::{
    app::headless::{finish, headless_app},
    base::ClassId,
    sensors::{Eye, EyePace, EyePlugin, EyeRate, develop, look},
    world::Label,
};

const PICTURES: u32 = 60;
/// Pictures before the measurement: shaders compile, caches fill.
const WARM_UP: u32 = 5;
/// Linux counts processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> ExitCode {
    match measure() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            ExitCode::SUCCESS
        }
    }
}

fn measure() -> Result<String, Box<dyn std::error::Error>> {
    let mut figures = Vec::new();
    for shadow in [false, true] {
        let rgb = cpu_ms_per_picture(shadow, false)?;
        let all = cpu_ms_per_picture(shadow, true)?;
        figures.push(format!(
            "\"{}\": {{\"rgb_cpu_ms\": {rgb:.1}, \"rgb_and_labels_cpu_ms\": {all:.1}, \"labels_over_rgb\": {:.2}}}",
            if shadow { "shadow" } else { "no_shadow" },
            (all - rgb) / rgb
        ));
    }
    Ok(format!("{{{}}}", figures.join(", ")))
}

/// Processor time of one picture, mean of [`PICTURES`], milliseconds.
fn cpu_ms_per_picture(shadow: bool, truth: bool) -> Result<f64, Box<dyn std::error::Error>> {
    let mut app = headless_app()?;
    app.add_plugins(EyePlugin).insert_resource(EyePace::Lockstep);
    finish(&mut app);
    let world = app.world_mut();
    furnish(world, shadow);
    let eye = (
        Eye { truth, rate: EyeRate::OnRequest, fov_y: 1.0, ..default() },
        Transform::from_xyz(0.0, 2.5, 5.0).looking_at(Vec3::new(0.0, 0.3, 0.0), Vec3::Y),
    );
    let eye = world.spawn(eye).id();
    for _ in 0..WARM_UP {
        develop(&look(&mut app, eye)?);
    }
    let start = cpu_seconds()?;
    for _ in 0..PICTURES {
        let observation = develop(&look(&mut app, eye)?);
        assert_eq!(observation.truth.is_some(), truth);
    }
    Ok((cpu_seconds()? - start) * 1000.0 / f64::from(PICTURES))
}

/// A floor, a sun and 24 boxes, balls and cylinders in rows.
fn furnish(world: &mut World, shadow: bool) {
    let mut meshes = world.resource_mut::<Assets<Mesh>>();
    let floor = meshes.add(Plane3d::default().mesh().size(10.0, 10.0));
    let shapes = [
        meshes.add(Cuboid::new(0.4, 0.4, 0.4)),
        meshes.add(Sphere::new(0.22).mesh().uv(32, 16)),
        meshes.add(Cylinder::new(0.2, 0.4)),
    ];
    let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
    let grey = materials.add(Color::srgb(0.5, 0.5, 0.5));
    let colors: Vec<_> = (0..24).map(|n| materials.add(Color::hsl(n as f32 * 15.0, 0.7, 0.5))).collect();
    world.spawn((Mesh3d(floor), MeshMaterial3d(grey)));
    for (n, color) in colors.into_iter().enumerate() {
        let at = Vec3::new((n % 6) as f32 * 0.7 - 1.75, 0.22, (n / 6) as f32 * 0.8 - 1.2);
        world.spawn((
            Mesh3d(shapes[n % 3].clone()),
            MeshMaterial3d(color),
            Transform::from_translation(at),
            Label { class: ClassId(1), instance: n as u32 + 1 },
        ));
    }
    world.insert_resource(bevy::light::DirectionalLightShadowMap { size: 2048 });
    world.spawn((
        DirectionalLight { shadow_maps_enabled: shadow, illuminance: 10_000.0, ..default() },
        bevy::light::CascadeShadowConfigBuilder { num_cascades: 1, maximum_distance: 15.0, ..default() }.build(),
        Transform::default().looking_to(Vec3::new(-0.5, -1.0, -0.3), Vec3::Y),
    ));
}

/// Processor time of this process so far, all threads. Source: proc(5), `/proc/self/stat`, fields 14 and 15.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("an unknown format of /proc/self/stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    Ok((ticks(11) + ticks(12)) / TICKS_PER_SECOND)
}
