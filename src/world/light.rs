//! Sun, sky, lamps and bounced light of the active scene, as entities and textures.
//!
//! In: [`SceneChanged`], [`SceneReady`], [`LightControl`] and [`Quality`]. Out: the sun, an irradiance volume and a reflection
//! probe per room, and [`SceneLight`], from which `view` dresses cameras. What enters it and the maths are in `light_inputs`,
//! `sky`, `environment` and `bounce`, lamps in `lamps`; here it becomes assets. What is absent: light that objects give off
//! (`spawn`), how shadows follow quality (`shadows`).

use std::sync::Arc;

use bevy::{
    ecs::system::SystemParam,
    light::{EnvironmentMapLight, GlobalAmbientLight, IrradianceVolume, LightProbe},
    math::Vec3,
    prelude::*,
    tasks::{ComputeTaskPool, TaskPool, TaskPoolBuilder},
};

pub use super::light_inputs::{LightControl, PaintedSurface, doorway_middles};
use super::{
    beside_frames::{BesideFrames, News, Progress},
    bounce::{Crew, Detail, LightVolume},
    environment::{CubeMap, EnvironmentMaps},
    lamps::spawn_lamp,
    light_inputs::{ComputedLight, LightInputs, luminance},
    light_textures::{cube_image, volume_image},
    materials::linear,
    preparation::{BuildPace, SceneReady},
    quality::{Quality, QualitySettings},
    rooms::same_rooms,
    shadows::sun_cascades,
    sky::Sky,
};
use crate::scene::{SceneChanged, SceneSpec};

/// Light textures hold candela per square metre over this, so that sunlit walls fit into half floats.
pub const RADIANCE_UNIT: f32 = 50.0;
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

/// The light that is shown, the light that is being computed, and of which scene.
#[derive(Resource, Default)]
pub struct Lighting {
    scene: Option<Arc<SceneSpec>>,
    /// Whether that scene's rooms stand; until then its light would shine on others.
    stands: bool,
    wanted: Option<LightInputs>,
    /// `None` while a plain light is shown, or none.
    shown: Option<LightInputs>,
    work: Option<BesideFrames<Made>>,
    newest: Option<Made>,
}

/// What is computed beside the frames.
enum Made {
    Light(ComputedLight),
    /// For the time being.
    Plain(ComputedLight),
    /// The same sky with other pixels.
    Picture(CubeMap),
}

impl Lighting {
    /// How far the light of the present scene has come: parts that are done and parts in all, at least one.
    pub fn progress(&self) -> (usize, usize) {
        match &self.work {
            Some(work) => {
                let (done, total) = work.progress();
                // The last part is to show it.
                (done, total + 1)
            }
            None => (usize::from(self.shown.is_some() && self.shown == self.wanted), 1),
        }
    }

    /// Starts computing the wanted light beside the frames. A new scene gets all cores and a plain light first; what is
    /// commanded while playing leaves the other cores to the frames, and the old light stays until the new one is there.
    fn begin(&mut self, new_scene: bool) {
        let Some(inputs) = self.wanted.clone() else { return };
        self.newest = None;
        if self.shown.as_ref().is_some_and(|shown| shown.differ_in_picture(&inputs)) {
            self.work = Some(BesideFrames::start("sky", move |hand_over, _| {
                hand_over(Made::Picture(inputs.picture()));
            }));
            return;
        }
        let plain_first = new_scene && self.shown.as_ref().is_none_or(|shown| shown.rooms != inputs.rooms);
        self.work = Some(BesideFrames::start("light", move |hand_over, progress| {
            if plain_first {
                let crew = Crew { pool: None, progress: &Progress::default() };
                if let Some(plain) = inputs.compute(Detail::PLAIN, crew) {
                    hand_over(Made::Plain(plain));
                }
            }
            let pool = new_scene.then(|| TaskPoolBuilder::new().thread_name("light".to_owned()).build());
            if let Some(light) = inputs.compute(Detail::FULL, Crew { pool: pool.as_ref(), progress }) {
                hand_over(Made::Light(light));
            }
        }));
    }

    /// Takes in what has been computed.
    fn collect(&mut self) {
        while let Some(work) = &mut self.work {
            match work.news() {
                News::Made(made) => self.newest = Some(made),
                News::Nothing => break,
                News::Over => self.work = None,
            }
        }
    }
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

/// Replaces the light when what it depends on has changed. With [`BuildPace::Blocking`] a new scene has its light at once;
/// everything else is computed beside the frames.
pub(super) fn light_scene(
    mut changes: MessageReader<SceneChanged>,
    mut ready: MessageReader<SceneReady>,
    pace: Res<BuildPace>,
    mut control: ResMut<LightControl>,
    mut lighting: ResMut<Lighting>,
    mut stage: LightStage,
) {
    let new_scene = changes.read().last().map(|change| change.new.clone());
    let is_new = new_scene.is_some();
    if let Some(new) = new_scene {
        // New rooms have their own paint again.
        if lighting.scene.as_ref().is_some_and(|old| !same_rooms(old, &new)) && !control.painted.is_empty() {
            control.painted.clear();
        }
        lighting.scene = Some(new);
        lighting.stands = false;
    }
    let Some(scene) = lighting.scene.clone() else { return };
    if ready.read().last().is_some_and(|ready| Arc::ptr_eq(&ready.new, &scene)) {
        lighting.stands = true;
    }
    if is_new || control.is_changed() || stage.quality.is_changed() {
        let inputs = LightInputs::of(&scene, &control, stage.quality.settings().sky_face_size);
        if lighting.wanted.as_ref() != Some(&inputs) {
            lighting.wanted = Some(inputs.clone());
            if lighting.shown.as_ref() == Some(&inputs) {
                // Back to what is there.
                (lighting.work, lighting.newest) = (None, None);
            } else if is_new && *pace == BuildPace::Blocking {
                let pool: &TaskPool = ComputeTaskPool::get_or_init(Default::default);
                let crew = Crew { pool: Some(pool), progress: &Progress::default() };
                lighting.work = None;
                lighting.newest = inputs.compute(Detail::FULL, crew).map(Made::Light);
            } else {
                lighting.begin(is_new);
            }
        }
    }
    if lighting.work.is_some() {
        lighting.collect();
    }
    if !lighting.stands || lighting.newest.is_none() {
        return;
    }
    let lighting = &mut *lighting;
    let (Some(made), Some(inputs)) = (lighting.newest.take(), &lighting.wanted) else { return };
    lighting.shown = None;
    match made {
        Made::Plain(computed) => {
            stage.install(inputs, computed);
            return;
        }
        Made::Light(computed) => stage.install(inputs, computed),
        Made::Picture(picture) => stage.install_picture(picture),
    }
    lighting.shown = Some(inputs.clone());
}

impl LightStage<'_, '_> {
    fn install_picture(&mut self, picture: CubeMap) {
        let picture = self.images.add(cube_image(picture));
        if let Some(sky) = &mut self.light.sky {
            sky.picture = picture;
        }
    }

    /// Replaces sun, lamps, probes and sky.
    fn install(&mut self, inputs: &LightInputs, computed: ComputedLight) {
        for entity in &self.old {
            self.commands.entity(entity).despawn();
        }
        let settings = self.quality.settings();
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

/// Mean luminance in a room, at least a hundredth of a candela per square metre.
fn room_mean(volume: &LightVolume) -> f32 {
    let sum: f32 = volume.cubes.iter().flatten().map(|radiance| luminance(*radiance)).sum();
    (sum / (6 * volume.cubes.len()) as f32).max(0.01)
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
        sun_cascades(settings),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::SkySpec;

    fn inputs() -> LightInputs {
        LightInputs::of_bare_room()
    }

    /// What `lighting` computes, in order.
    fn made(lighting: &mut Lighting) -> Vec<Made> {
        let mut made = Vec::new();
        while let Some(work) = &mut lighting.work {
            match work.news() {
                News::Made(news) => made.push(news),
                News::Nothing => std::thread::yield_now(),
                News::Over => lighting.work = None,
            }
        }
        made
    }

    #[test]
    fn a_new_scene_gets_a_plain_light_first() {
        let mut lighting = Lighting { wanted: Some(inputs()), ..default() };
        lighting.begin(true);
        let [Made::Plain(plain), Made::Light(full)] = &made(&mut lighting)[..] else { panic!("plain, then full") };
        assert!(plain.rooms[0].volume.cubes.len() < full.rooms[0].volume.cubes.len());
        assert_eq!(plain.rooms[0].volume.max, full.rooms[0].volume.max);
    }

    #[test]
    fn a_command_keeps_the_old_light_until_the_new_one_is_there() {
        let sky = SkySpec { sun_elevation: 0.1, ..inputs().sky };
        let mut lighting =
            Lighting { shown: Some(inputs()), wanted: Some(LightInputs { sky, ..inputs() }), ..default() };
        lighting.begin(false);
        assert!(matches!(&made(&mut lighting)[..], [Made::Light(_)]));
    }

    #[test]
    fn another_size_of_the_skys_picture_draws_nothing_but_that() {
        let wanted = LightInputs { sky_face_size: 32, ..inputs() };
        let mut lighting = Lighting { shown: Some(inputs()), wanted: Some(wanted), ..default() };
        lighting.begin(false);
        let [Made::Picture(picture)] = &made(&mut lighting)[..] else { panic!("a picture") };
        assert_eq!(picture.size, 32);
    }
}
