//! Sun, sky, lamps and bounced light of the active scene, as entities and textures.
//!
//! In: [`SceneChanged`], [`LightControl`] and [`Quality`]. Out: the sun, an irradiance volume and a reflection probe per
//! room, and [`SceneLight`], from which `view` dresses cameras. The maths is in `sky`, `environment` and `bounce`, lamps in
//! `lamps`; here it becomes assets. What is absent: light that objects give off (`spawn`).

use std::sync::Arc;

use bevy::{
    ecs::system::SystemParam,
    light::{
        CascadeShadowConfigBuilder, DirectionalLightShadowMap, EnvironmentMapLight, GlobalAmbientLight,
        IrradianceVolume, LightProbe,
    },
    math::Vec3,
    prelude::*,
    tasks::{AsyncComputeTaskPool, Task, block_on, poll_once},
};

use super::{
    bounce::{LightVolume, PointSource, Reflectance, RoomLight, bounce_light, bounce_light_quietly},
    environment::{CubeMap, EnvironmentMaps},
    lamps::spawn_lamp,
    light_textures::{cube_image, volume_image},
    materials::linear,
    quality::{Quality, QualitySettings},
    sky::Sky,
};
use crate::{
    base::Seed,
    scene::{LightSpec, MaterialSpec, OpeningSpec, RoomSpec, SceneChanged, SceneSpec, Side, SkySpec},
};

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

/// What light is asked to be, beyond what the scene's file says.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct LightControl {
    /// Scales the power of all lamps: 0 is off, 1 as the scene has them.
    pub lamps: f32,
    /// Replaces the scene's sky.
    pub sky: Option<SkySpec>,
    /// Doorways that let no light through: middles of openings, world space.
    pub shut: Vec<Vec3>,
}

impl Default for LightControl {
    fn default() -> Self {
        Self { lamps: 1.0, sky: None, shut: Vec::new() }
    }
}

/// All that enters the light of a scene.
#[derive(Clone, Debug, PartialEq)]
struct LightInputs {
    sky: SkySpec,
    seed: Seed,
    lights: Vec<LightSpec>,
    lamp_level: f32,
    rooms: Vec<RoomSpec>,
    reflectances: Vec<Reflectance>,
    sky_face_size: u32,
}

impl LightInputs {
    fn of(scene: &SceneSpec, control: &LightControl, settings: &QualitySettings) -> Self {
        let mut rooms = scene.rooms.clone();
        for room in &mut rooms {
            let middles = doorway_middles(room);
            let mut middles = middles.into_iter();
            room.openings.retain(|_| {
                let middle = middles.next().unwrap_or(Vec3::INFINITY);
                !control.shut.iter().any(|shut| shut.distance(middle) < SAME_DOORWAY)
            });
        }
        Self {
            sky: control.sky.unwrap_or(scene.sky),
            seed: scene.seed,
            lights: scene.lights.clone(),
            lamp_level: control.lamps,
            rooms,
            reflectances: reflectances(scene),
            sky_face_size: settings.sky_face_size,
        }
    }

    fn lamps(&self) -> Vec<PointSource> {
        let source = |lamp: &LightSpec| PointSource {
            position: lamp.position,
            power: lamp.color * lamp.lumens * self.lamp_level,
            spot: lamp.spot,
        };
        self.lights.iter().map(source).collect()
    }

    /// The light that these inputs give; `quietly` on this thread alone.
    fn compute(&self, quietly: bool) -> ComputedLight {
        let sky = Sky::new(&self.sky, self.seed);
        let bounce = if quietly { bounce_light_quietly } else { bounce_light };
        ComputedLight {
            rooms: bounce(&self.rooms, &self.reflectances, &self.lamps(), &sky),
            environment: EnvironmentMaps::filter(ENVIRONMENT_SIZE, |direction| sky.radiance(direction)),
            picture: CubeMap::draw(self.sky_face_size, |direction| sky.radiance_with_sun(direction)),
            sky,
        }
    }
}

/// Two doorways nearer than this are one, metres: rooms on both sides of a wall declare it.
const SAME_DOORWAY: f32 = 0.3;

/// Light as numbers, not yet in textures.
struct ComputedLight {
    sky: Sky,
    rooms: Vec<RoomLight>,
    environment: EnvironmentMaps,
    picture: CubeMap,
}

/// What the light was last made of, and what is being made.
#[derive(Default)]
pub struct Lighting {
    inputs: Option<LightInputs>,
    task: Option<Task<ComputedLight>>,
}

/// Where light becomes entities and textures.
#[derive(SystemParam)]
pub struct LightStage<'w, 's> {
    quality: Res<'w, Quality>,
    old: Query<'w, 's, Entity, With<LitByScene>>,
    light: ResMut<'w, SceneLight>,
    images: ResMut<'w, Assets<Image>>,
    commands: Commands<'w, 's>,
}

/// Replaces the light when what it depends on has changed: at once for another scene, because nothing can be seen without;
/// beside the frames, on a thread of its own, for what is commanded.
pub fn light_scene(
    mut changes: MessageReader<SceneChanged>,
    mut scene: Local<Option<Arc<SceneSpec>>>,
    control: Res<LightControl>,
    mut lighting: Local<Lighting>,
    mut stage: LightStage,
) {
    let new_scene = changes.read().last().map(|change| change.new.clone());
    let at_once = new_scene.is_some();
    if let Some(new) = new_scene {
        *scene = Some(new);
    }
    let Some(scene) = scene.as_ref() else { return };
    if at_once || control.is_changed() {
        let inputs = LightInputs::of(scene, &control, &stage.quality.settings());
        if lighting.inputs.as_ref() != Some(&inputs) {
            if at_once {
                let computed = inputs.compute(false);
                stage.install(&inputs, computed);
                lighting.task = None;
            } else {
                let inputs = inputs.clone();
                // A newer command replaces the one before: its task is dropped.
                lighting.task = Some(
                    AsyncComputeTaskPool::get_or_init(Default::default).spawn(async move { inputs.compute(true) }),
                );
            }
            lighting.inputs = Some(inputs);
        }
    }
    let done = lighting.task.as_mut().and_then(|task| block_on(poll_once(task)));
    if let (Some(computed), Some(inputs)) = (done, &lighting.inputs) {
        stage.install(inputs, computed);
        lighting.task = None;
    }
}

impl LightStage<'_, '_> {
    /// Replaces sun, lamps, probes and sky.
    fn install(&mut self, inputs: &LightInputs, computed: ComputedLight) {
        for entity in &self.old {
            self.commands.entity(entity).despawn();
        }
        let settings = self.quality.settings();
        self.commands.insert_resource(DirectionalLightShadowMap { size: settings.shadow_map_size });
        // Everything is lit by what really arrives: sun, sky, lamps and what they bounce.
        self.commands.insert_resource(GlobalAmbientLight::NONE);
        spawn_sun(&computed.sky, &settings, &mut self.commands);
        for lamp in &inputs.lights {
            spawn_lamp(lamp, inputs.lamp_level, &settings, &mut self.commands);
        }
        let mut volumes = Vec::new();
        for room in computed.rooms {
            spawn_room_light(&room.volume, room.reflection, &mut self.images, &mut self.commands);
            volumes.push(room.volume);
        }
        *self.light = SceneLight {
            sky: Some(SkyAssets {
                picture: self.images.add(cube_image(computed.picture)),
                diffuse: self.images.add(cube_image(computed.environment.diffuse)),
                specular: self.images.add(cube_image(computed.environment.specular)),
                unit: RADIANCE_UNIT,
            }),
            room_means: volumes.iter().map(room_mean).collect(),
            volumes,
            outdoors: luminance(outdoor_radiance(&computed.sky)),
        };
    }
}

/// The middles of a room's openings, world space.
pub fn doorway_middles(room: &RoomSpec) -> Vec<Vec3> {
    let middle = |opening: &OpeningSpec| {
        let y = room.floor_y + 0.5 * (opening.bottom + opening.top);
        match opening.side {
            Side::North => Vec3::new(room.min.x + opening.center, y, room.min.y),
            Side::South => Vec3::new(room.min.x + opening.center, y, room.max.y),
            Side::West => Vec3::new(room.min.x, y, room.min.y + opening.center),
            Side::East => Vec3::new(room.max.x, y, room.min.y + opening.center),
        }
    };
    room.openings.iter().map(middle).collect()
}

/// Mean luminance in a room, at least a hundredth of a candela per square metre.
fn room_mean(volume: &LightVolume) -> f32 {
    let sum: f32 = volume.cubes.iter().flatten().map(|radiance| luminance(*radiance)).sum();
    (sum / (6 * volume.cubes.len()) as f32).max(0.01)
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
