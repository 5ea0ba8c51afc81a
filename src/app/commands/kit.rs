//! `umwelt kit`: contact sheets of the object kit, to look at every family from several sides.
//!
//! In: class names, seeds. Out: one JPEG per class (a row per seed, a column per side) and, if no class is named, one of
//! all classes. Every cell is a camera of its own with its own viewport; one update draws a whole sheet.

use std::{
    f32::consts::TAU,
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use bevy::{
    camera::{RenderTarget, Viewport},
    ecs::system::RunSystemOnce,
    light::{CascadeShadowConfigBuilder, DirectionalLightShadowMap, EnvironmentMapLight, GlobalAmbientLight},
    prelude::*,
};
use clap::Args;
use image::{RgbImage, codecs::jpeg::JpegEncoder};
use indicatif::ProgressBar;

use crate::{
    app::{
        Exit, WrongCall,
        headless::{finish, headless_app, picture_target, take_picture},
    },
    base::{Seed, did_you_mean},
    world::{
        Quality,
        environment::EnvironmentMaps,
        kit::{self, FAMILIES, mesh::drawn_parts},
        light_textures::cube_image,
        materials::{MaterialLibrary, Workshop, linear},
    },
};

/// Arguments of `umwelt kit`.
#[derive(Debug, Args)]
pub struct KitArgs {
    /// Class to draw; may be given several times. Without it: every class, and a sheet of all.
    #[arg(long, value_name = "NAME")]
    class: Vec<String>,
    /// Members of each family, one row each.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=16))]
    seeds: u64,
    /// The first member's seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Side of one picture on a sheet, pixels.
    #[arg(long, default_value_t = 192, value_parser = clap::value_parser!(u32).range(64..=512))]
    size: u32,
    /// Draw only the sheet of all classes.
    #[arg(long, conflicts_with = "class")]
    overview: bool,
    /// Folder for the sheets; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// - a class that the kit does not have
/// - no graphics adapter
/// - the folder cannot be written
pub fn run(args: KitArgs) -> anyhow::Result<Exit> {
    let mut classes = Vec::new();
    for name in &args.class {
        classes.push(known_class(name)?);
    }
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let mut sheets = Vec::new();
    if classes.is_empty() {
        sheets.push(Sheet::of_all(Seed(args.seed), args.size));
    }
    if classes.is_empty() && !args.overview {
        classes = FAMILIES.iter().map(|(class, _)| *class).collect();
    }
    sheets.extend(classes.into_iter().map(|class| Sheet::of_class(class, args.seed, args.seeds, args.size)));

    let mut app = headless_app()?;
    app.init_resource::<MaterialLibrary>()
        .insert_resource(ClearColor(linear(BACKDROP)))
        .insert_resource(GlobalAmbientLight::NONE)
        .insert_resource(DirectionalLightShadowMap { size: 1024 });
    finish(&mut app);
    let progress = ProgressBar::new(sheets.len() as u64);
    for sheet in sheets {
        let path = args.out.join(format!("{}.jpg", sheet.name));
        let picture = photograph(&mut app, sheet)?;
        save(&picture, &path)?;
        progress.suspend(|| println!("{}", path.display()));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(Exit::Done)
}

fn known_class(name: &str) -> anyhow::Result<&'static str> {
    let classes = FAMILIES.iter().map(|(class, _)| *class);
    classes.clone().find(|class| *class == name).ok_or_else(|| {
        let hint = did_you_mean(name, classes.clone())
            .map(|word| format!("did you mean `{word}`?"))
            .unwrap_or_else(|| format!("it has {}", classes.collect::<Vec<_>>().join(", ")));
        WrongCall(format!("the kit has no class `{name}`; {hint}")).into()
    })
}

/// Sides from which a class is shown: turn to the left and height of the camera above the horizon, radians.
const SIDES: [(f32, f32); 4] = [(0.09 * TAU, 0.34), (0.34 * TAU, 0.24), (0.6 * TAU, 0.34), (0.87 * TAU, 0.75)];
/// Columns of the sheet of all classes.
const COLUMNS: u32 = 9;

/// A member of a family, seen from one side.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    class: &'static str,
    seed: Seed,
    side: (f32, f32),
    caption: String,
}

/// What is on one picture, row by row.
#[derive(Clone, Debug, PartialEq)]
struct Sheet {
    name: &'static str,
    cells: Vec<Cell>,
    columns: u32,
    /// Side of a cell, pixels.
    size: u32,
}

impl Sheet {
    fn of_all(seed: Seed, size: u32) -> Self {
        let cell = |class| Cell { class, seed, side: SIDES[0], caption: class.to_owned() };
        Self { name: "kit", cells: FAMILIES.iter().map(|(class, _)| cell(*class)).collect(), columns: COLUMNS, size }
    }

    fn of_class(class: &'static str, first_seed: u64, seeds: u64, size: u32) -> Self {
        let seeds = (0..seeds).map(|step| first_seed.wrapping_add(step));
        let cells = seeds
            .flat_map(|seed| {
                SIDES.map(|side| Cell { class, seed: Seed(seed), side, caption: format!("{class} {seed}") })
            })
            .collect();
        Self { name: class, cells, columns: SIDES.len() as u32, size }
    }

    /// Width and height in pixels.
    fn extent(&self) -> UVec2 {
        UVec2::new(self.columns, (self.cells.len() as u32).div_ceil(self.columns)) * self.size
    }

    /// The upper left pixel of a cell.
    fn corner(&self, index: usize) -> UVec2 {
        let index = index as u32;
        UVec2::new(index % self.columns, index / self.columns) * self.size
    }
}

/// Linear RGB of floor and background.
const BACKDROP: Vec3 = Vec3::new(0.6, 0.6, 0.6);
/// Distance between the places of two cells, metres: far enough that no camera sees its neighbour's object.
const SPACING: f32 = 60.0;
/// Objects are shown as large as a ball of 1 m radius, from this distance, metres.
const DISTANCE: f32 = 5.2;
/// Opening angle of the cameras, radians: a ball of 1 m radius at [`DISTANCE`] fits.
const FIELD_OF_VIEW: f32 = 0.41;
/// Illuminance of the lamp that casts the shadows.
const KEY_LIGHT_LUX: f32 = 3_600.0;

/// Everything that is cleared away between sheets.
#[derive(Component)]
struct OnStage;

fn photograph(app: &mut App, sheet: Sheet) -> anyhow::Result<RgbImage> {
    let extent = sheet.extent();
    let target = picture_target(&mut app.world_mut().resource_mut::<Assets<Image>>(), extent.x, extent.y);
    let stage = (sheet, target.clone());
    app.world_mut().run_system_once_with(set_stage, stage).map_err(|error| anyhow::anyhow!("{error}"))?;
    // The first frames of a stage are drawn before its assets are on the graphics card.
    for _ in 0..3 {
        app.update();
    }
    let picture = take_picture(app, &target);
    app.world_mut().run_system_once(clear_stage).map_err(|error| anyhow::anyhow!("{error}"))?;
    picture
}

fn clear_stage(things: Query<Entity, With<OnStage>>, mut commands: Commands) {
    for entity in &things {
        commands.entity(entity).despawn();
    }
}

/// Radiance of the studio from `direction`, candela per square metre: a pale room with a large window lamp at the upper
/// left and a smaller one at the right.
fn studio(direction: Vec3) -> Vec3 {
    let room = 380.0 + 450.0 * direction.y.max(0.0) + 60.0 * direction.y.min(0.0);
    let lamp = |towards: Vec3, reach: f32, strength: f32| {
        let off = 1.0 - direction.dot(towards.normalize());
        strength * (1.0 - (off / reach).clamp(0.0, 1.0)).powi(2)
    };
    let lamps = lamp(Vec3::new(-0.8, 0.9, 0.7), 0.14, 5_000.0) + lamp(Vec3::new(1.0, 0.35, 0.3), 0.06, 2_500.0);
    Vec3::new(1.0, 0.99, 0.97) * (room + lamps)
}

fn set_stage(
    In((sheet, target)): In<(Sheet, Handle<Image>)>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut images: ResMut<Assets<Image>>,
    mut library: ResMut<MaterialLibrary>,
    mut commands: Commands,
) {
    let room = EnvironmentMaps::filter(32, studio);
    let light = EnvironmentMapLight {
        diffuse_map: images.add(cube_image(room.diffuse)),
        specular_map: images.add(cube_image(room.specular)),
        intensity: crate::world::light::RADIANCE_UNIT,
        ..default()
    };
    commands.spawn((
        OnStage,
        DirectionalLight { illuminance: KEY_LIGHT_LUX, shadow_maps_enabled: true, ..default() },
        CascadeShadowConfigBuilder {
            num_cascades: 1,
            minimum_distance: 0.5,
            maximum_distance: 1.8 * DISTANCE,
            ..default()
        }
        .build(),
        Transform::default().looking_to(Vec3::new(0.62, -1.0, -0.55), Vec3::Y),
    ));
    let floor = materials.add(StandardMaterial {
        base_color: linear(BACKDROP),
        perceptual_roughness: 0.95,
        reflectance: 0.2,
        ..default()
    });
    let slab = meshes.add(Plane3d::new(Vec3::Y, Vec2::new(0.5 * SPACING, 10.0 * SPACING)).mesh());
    let mut workshop =
        Workshop { images: &mut images, materials: &mut materials, settings: Quality::Medium.settings() };
    for (index, cell) in sheet.cells.iter().enumerate() {
        let Some(model) = kit::build(cell.class, cell.seed) else { continue };
        let place = Vec3::X * (index as f32 * SPACING);
        let (low, high) = model.bounds();
        let scale = 2.0 / (high - low).length();
        let (turn, height) = cell.side;
        let object = commands
            .spawn((
                OnStage,
                Visibility::default(),
                Transform::from_translation(place)
                    .with_rotation(Quat::from_rotation_y(-turn))
                    .with_scale(Vec3::splat(scale)),
            ))
            .id();
        for part in drawn_parts(&model, false, true) {
            let material = library.object(part.look, &mut workshop);
            commands.spawn((Mesh3d(meshes.add(part.mesh)), MeshMaterial3d(material), ChildOf(object)));
        }
        commands.spawn((
            OnStage,
            Mesh3d(slab.clone()),
            MeshMaterial3d(floor.clone()),
            Transform::from_translation(place),
        ));
        let middle = place + Quat::from_rotation_y(-turn) * (0.5 * scale * (low + high));
        let eye = middle + DISTANCE * Vec3::new(0.0, height.sin(), height.cos());
        commands.spawn((
            OnStage,
            Camera3d::default(),
            Camera {
                order: index as isize,
                viewport: Some(Viewport {
                    physical_position: sheet.corner(index),
                    physical_size: UVec2::splat(sheet.size),
                    ..default()
                }),
                ..default()
            },
            RenderTarget::Image(target.clone().into()),
            Projection::Perspective(PerspectiveProjection { fov: FIELD_OF_VIEW, near: 0.5, ..default() }),
            Transform::from_translation(eye).looking_at(middle, Vec3::Y),
            light.clone(),
        ));
    }
    let captions = commands
        .spawn((
            OnStage,
            Camera2d,
            Camera { order: sheet.cells.len() as isize, clear_color: ClearColorConfig::None, ..default() },
            RenderTarget::Image(target.into()),
        ))
        .id();
    for (index, cell) in sheet.cells.iter().enumerate() {
        let corner = sheet.corner(index).as_vec2();
        commands.spawn((
            OnStage,
            UiTargetCamera(captions),
            Text::new(cell.caption.clone()),
            TextFont { font_size: FontSize::Px(13.0), ..default() },
            TextColor(Color::srgb(0.08, 0.09, 0.1)),
            Node {
                position_type: PositionType::Absolute,
                left: Val::Px(corner.x + 6.0),
                top: Val::Px(corner.y + sheet.size as f32 - 20.0),
                ..default()
            },
        ));
    }
}

fn save(picture: &RgbImage, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    JpegEncoder::new_with_quality(std::io::BufWriter::new(file), 88)
        .encode_image(picture)
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_tile_the_sheet() {
        let sheet = Sheet::of_all(Seed(0), 100);
        assert_eq!(sheet.extent(), UVec2::new(900, 400));
        assert_eq!(sheet.corner(0), UVec2::ZERO);
        assert_eq!(sheet.corner(35), UVec2::new(800, 300));
        let sheet = Sheet::of_class("duck", 7, 3, 64);
        assert_eq!(sheet.extent(), UVec2::new(256, 192));
        assert_eq!(sheet.cells[4].caption, "duck 8");
    }

    #[test]
    fn an_unknown_class_is_a_wrong_call_with_a_hint() {
        let error = known_class("bananna").expect_err("there is no such class");
        assert_eq!(Exit::from_error(&error), Exit::WrongCall);
        assert!(error.to_string().contains("did you mean `banana`?"), "{error}");
    }
}
