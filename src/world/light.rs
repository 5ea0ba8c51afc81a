//! Sun, sky, lamps and bounced light of the active scene, as entities and textures.
//!
//! In: [`SceneChanged`] and [`Quality`]. Out: the sun, lamps, an irradiance volume and a reflection probe per room, and
//! [`SceneLight`], from which `view` dresses cameras. The maths is in `sky`, `environment` and `bounce`; here it becomes
//! assets. What is absent: light that objects give off (`spawn`).

use bevy::{
    asset::RenderAssetUsages,
    image::ImageSampler,
    light::{
        CascadeShadowConfigBuilder, DirectionalLightShadowMap, EnvironmentMapLight, GlobalAmbientLight,
        IrradianceVolume, LightProbe,
    },
    math::{UVec3, Vec3},
    prelude::*,
    render::render_resource::{Extent3d, TextureDimension, TextureFormat, TextureViewDescriptor, TextureViewDimension},
};

use super::{
    bounce::{LightVolume, PointSource, Reflectance, bounce_light},
    environment::{CubeMap, EnvironmentMaps, half_from_f32},
    materials::linear,
    quality::{Quality, QualitySettings},
    sky::Sky,
};
use crate::scene::{LightSpec, MaterialSpec, SceneChanged, SceneSpec};

/// Light textures hold candela per square metre over this, so that sunlit walls fit into half floats.
pub const RADIANCE_UNIT: f32 = 50.0;
/// Side of the faces of the sky's environment map, pixels.
const ENVIRONMENT_SIZE: u32 = 32;
/// Exposure value of a view that sees 1 candela per square metre on average (ISO 2720 with calibration constant 12.5:
/// log2(100 / 12.5)), brighter by a stop: white walls are to look white.
const EXPOSURE_OF_ONE_NIT: f32 = 3.0 - 1.0;
/// How much of a change of light exposure takes back: less than 1 leaves dark rooms darker than bright ones.
const ADAPTATION: f32 = 0.82;
/// Exposure value about which adaptation turns: a bright room.
const EXPOSURE_PIVOT: f32 = 10.0;

/// What cameras need to know about the light of the active scene.
#[derive(Resource, Default)]
pub struct SceneLight {
    /// Absent until a scene is there.
    pub sky: Option<SkyAssets>,
    volumes: Vec<LightVolume>,
    /// Mean luminance in each room, candela per square metre.
    room_means: Vec<f32>,
    /// Mean radiance under the open sky, candela per square metre.
    outdoors: f32,
}

/// The sky as textures.
pub struct SkyAssets {
    /// What is seen behind everything.
    pub picture: Handle<Image>,
    pub diffuse: Handle<Image>,
    pub specular: Handle<Image>,
    /// Candela per square metre of the value 1 in these textures.
    pub unit: f32,
}

/// Marks everything that is spawned here, to be replaced with the next light.
#[derive(Component)]
pub struct LitByScene;

impl SceneLight {
    /// The exposure value (EV100) with which a picture taken at `place` is neither dark nor burnt out.
    pub fn exposure_at(&self, place: Vec3) -> f32 {
        let room = self.volumes.iter().position(|volume| volume.contains(place));
        let luminance = room.map_or(self.outdoors, |room| {
            // A view from beside a window shows the room more than the window: the room counts for two thirds.
            let here = luminance(self.volumes[room].mean_at(place)).max(0.01);
            here.powf(1.0 / 3.0) * self.room_means[room].powf(2.0 / 3.0)
        });
        let exposure = luminance.max(0.5).log2() + EXPOSURE_OF_ONE_NIT;
        EXPOSURE_PIVOT + (exposure - EXPOSURE_PIVOT) * ADAPTATION
    }
}

/// Source: ITU-R BT.709.
fn luminance(color: Vec3) -> f32 {
    color.dot(Vec3::new(0.2126, 0.7152, 0.0722))
}

/// Replaces the light when what it depends on has changed.
pub fn light_scene(
    mut changes: MessageReader<SceneChanged>,
    quality: Res<Quality>,
    old: Query<Entity, With<LitByScene>>,
    mut light: ResMut<SceneLight>,
    mut images: ResMut<Assets<Image>>,
    mut commands: Commands,
) {
    let Some(change) = changes.read().last() else { return };
    let new = &change.new;
    if change.old.as_ref().is_some_and(|old| same_light(old, new)) {
        return;
    }
    for entity in &old {
        commands.entity(entity).despawn();
    }
    let settings = quality.settings();
    let sky = Sky::new(&new.sky, new.seed);
    commands.insert_resource(DirectionalLightShadowMap { size: settings.shadow_map_size });
    // Everything is lit by what really arrives: sun, sky, lamps and what they bounce.
    commands.insert_resource(GlobalAmbientLight::NONE);
    spawn_sun(&sky, &settings, &mut commands);
    for lamp in &new.lights {
        spawn_lamp(lamp, &settings, &mut commands);
    }
    let mut volumes = Vec::new();
    for room in bounce_light(&new.rooms, &reflectances(new), &lamps(new), &sky) {
        spawn_room_light(&room.volume, room.reflection, &mut images, &mut commands);
        volumes.push(room.volume);
    }
    let environment = EnvironmentMaps::filter(ENVIRONMENT_SIZE, |direction| sky.radiance(direction));
    let picture = CubeMap::draw(settings.sky_face_size, |direction| sky.radiance_with_sun(direction));
    *light = SceneLight {
        sky: Some(SkyAssets {
            picture: images.add(cube_image(picture)),
            diffuse: images.add(cube_image(environment.diffuse)),
            specular: images.add(cube_image(environment.specular)),
            unit: RADIANCE_UNIT,
        }),
        room_means: volumes.iter().map(room_mean).collect(),
        volumes,
        outdoors: luminance(outdoor_radiance(&sky)),
    };
}

/// Mean luminance in a room, at least a hundredth of a candela per square metre.
fn room_mean(volume: &LightVolume) -> f32 {
    let sum: f32 = volume.cubes.iter().flatten().map(|radiance| luminance(*radiance)).sum();
    (sum / (6 * volume.cubes.len()) as f32).max(0.01)
}

/// Whether two scenes are lit alike: all that enters the light is equal.
fn same_light(old: &SceneSpec, new: &SceneSpec) -> bool {
    old.sky == new.sky
        && old.seed == new.seed
        && old.lights == new.lights
        && old.rooms == new.rooms
        && reflectances(old) == reflectances(new)
}

/// How much light the surfaces of every room send back.
fn reflectances(spec: &SceneSpec) -> Vec<Reflectance> {
    let of = |name: &str| spec.materials.get(name).map_or(Vec3::splat(0.5), mean_color);
    spec.rooms
        .iter()
        .map(|room| Reflectance {
            floor: of(&room.floor),
            walls: of(&room.walls),
            ceiling: room.ceiling.as_deref().map_or(Vec3::splat(0.5), of),
        })
        .collect()
}

/// Mean colour of a surface with its pattern, capped at what real paints reach. Its tint is halved: rugs, furniture and the
/// eye's own white balance keep real rooms from taking on the colour of their floors.
fn mean_color(material: &MaterialSpec) -> Vec3 {
    let color = material.base_color.lerp(material.accent_color, 0.2);
    Vec3::splat(luminance(color)).lerp(color, 0.5).min(Vec3::splat(0.85))
}

fn lamps(spec: &SceneSpec) -> Vec<PointSource> {
    let source =
        |lamp: &LightSpec| PointSource { position: lamp.position, power: lamp.color * lamp.lumens, spot: lamp.spot };
    spec.lights.iter().map(source).collect()
}

/// Mean radiance from all around in the open: half sky, half land.
fn outdoor_radiance(sky: &Sky) -> Vec3 {
    0.5 * (sky.sky_illuminance() / std::f32::consts::PI + sky.radiance(-Vec3::Y))
}

fn spawn_sun(sky: &Sky, settings: &QualitySettings, commands: &mut Commands) {
    let illuminance = luminance(sky.sun_illuminance);
    if illuminance < 1.0 {
        return;
    }
    let cascades = CascadeShadowConfigBuilder {
        num_cascades: settings.shadow_cascades,
        minimum_distance: 0.1,
        maximum_distance: settings.shadow_distance,
        first_cascade_far_bound: (0.3 * settings.shadow_distance).min(9.0),
        overlap_proportion: 0.15,
    };
    commands.spawn((
        Name::new("sun"),
        LitByScene,
        DirectionalLight {
            color: linear(sky.sun_illuminance / illuminance),
            illuminance,
            shadow_maps_enabled: true,
            shadow_depth_bias: 0.03,
            shadow_normal_bias: 1.6,
            ..default()
        },
        cascades.build(),
        Transform::default().looking_to(-sky.to_sun, Vec3::Y),
    ));
}

fn spawn_lamp(lamp: &LightSpec, settings: &QualitySettings, commands: &mut Commands) {
    let shadows = lamp.shadows && settings.lamp_shadows;
    let place = Transform::from_translation(lamp.position);
    let mut entity = commands.spawn((Name::new("lamp light"), LitByScene));
    match lamp.spot {
        Some((direction, outer_angle)) => {
            let direction = direction.normalize_or(-Vec3::Y);
            let up = if direction.y.abs() > 0.99 { Vec3::X } else { Vec3::Y };
            entity.insert((
                SpotLight {
                    color: linear(lamp.color),
                    intensity: lamp.lumens,
                    range: lamp.range,
                    radius: 0.05,
                    shadow_maps_enabled: shadows,
                    outer_angle,
                    inner_angle: 0.4 * outer_angle,
                    ..default()
                },
                place.looking_to(direction, up),
            ));
        }
        None => {
            entity.insert((
                PointLight {
                    color: linear(lamp.color),
                    intensity: lamp.lumens,
                    range: lamp.range,
                    radius: 0.05,
                    shadow_maps_enabled: shadows,
                    ..default()
                },
                place,
            ));
        }
    }
}

fn spawn_room_light(
    volume: &LightVolume,
    reflection: EnvironmentMaps,
    images: &mut Assets<Image>,
    commands: &mut Commands,
) {
    let place = Transform::from_translation(0.5 * (volume.min + volume.max)).with_scale(volume.max - volume.min);
    commands.spawn((
        Name::new("bounced light"),
        LitByScene,
        LightProbe::new(),
        IrradianceVolume {
            voxels: images.add(volume_image(volume)),
            intensity: RADIANCE_UNIT,
            affects_lightmapped_meshes: false,
        },
        place,
    ));
    commands.spawn((
        Name::new("reflections"),
        LitByScene,
        LightProbe::new(),
        EnvironmentMapLight {
            diffuse_map: images.add(cube_image(reflection.diffuse)),
            specular_map: images.add(cube_image(reflection.specular)),
            intensity: RADIANCE_UNIT,
            ..default()
        },
        place,
    ));
}

/// Packs ambient cubes as Bevy's irradiance volumes want them: `(Rx, 2 Ry, 3 Rz)`, negative sides in the upper half.
fn volume_image(volume: &LightVolume) -> Image {
    let UVec3 { x: rx, y: ry, z: rz } = volume.resolution;
    let mut bytes = vec![0; (rx * 2 * ry * 3 * rz * 8) as usize];
    for (index, cube) in volume.cubes.iter().enumerate() {
        let index = index as u32;
        let (x, y, z) = (index % rx, index / rx % ry, index / (rx * ry));
        for (side, radiance) in cube.iter().enumerate() {
            let side = side as u32;
            // Sides come as −X, +X, −Y, …; the shader looks up what a surface with that normal receives.
            let (axis, positive) = (side / 2, side % 2);
            let t = y + if positive == 1 { 0 } else { ry };
            let p = z + axis * rz;
            let at = ((x + rx * (t + 2 * ry * p)) * 8) as usize;
            let value = *radiance / RADIANCE_UNIT;
            for (channel, component) in [value.x, value.y, value.z, 1.0].into_iter().enumerate() {
                bytes[at + 2 * channel..at + 2 * channel + 2].copy_from_slice(&half_from_f32(component).to_le_bytes());
            }
        }
    }
    let mut image = Image::new(
        Extent3d { width: rx, height: 2 * ry, depth_or_array_layers: 3 * rz },
        TextureDimension::D3,
        bytes,
        TextureFormat::Rgba16Float,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.sampler = ImageSampler::linear();
    image
}

/// A cube map in units of [`RADIANCE_UNIT`] as a texture.
pub fn cube_image(mut map: CubeMap) -> Image {
    for value in map.faces.iter_mut().flatten().flatten() {
        *value /= RADIANCE_UNIT;
    }
    let mut image = Image::new_uninit(
        Extent3d { width: map.size, height: map.size, depth_or_array_layers: 6 },
        TextureDimension::D2,
        TextureFormat::Rgba16Float,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.data = Some(map.to_rgba16f());
    image.texture_descriptor.mip_level_count = map.mip_levels;
    image.texture_view_descriptor =
        Some(TextureViewDescriptor { dimension: Some(TextureViewDimension::Cube), ..default() });
    image.sampler = ImageSampler::linear();
    image
}
