//! How cameras see the world: sky, exposure, tone mapping, image-based light.
//!
//! In: [`WorldView`] on any camera (the player's, an eye, a photographer's); where it stands; the light of the scene. Out:
//! the render components of that camera, kept in step. What is absent: the camera itself, its target, its lens.

use bevy::{
    camera::{Exposure, Hdr},
    core_pipeline::tonemapping::{DebandDither, Tonemapping},
    light::{EnvironmentMapLight, Skybox},
    post_process::bloom::Bloom,
    prelude::*,
};

use super::{light::SceneLight, quality::Quality};

/// Marks a camera that sees the world as a person would. Exposure follows the light at the camera's place, as an iris does.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct WorldView {
    /// Whether exposure changes over about half a second (a person's view) or at once (sensors, single pictures).
    pub adapts_smoothly: bool,
    /// Whether quality decides on multi-sampling and bloom (the player's view); sensors draw plain pixels.
    pub refined: bool,
}

impl WorldView {
    /// The view of a person.
    pub const PERSON: Self = Self { adapts_smoothly: true, refined: true };
    /// The view of a sensor: no memory of earlier frames, no anti-aliasing, no bloom.
    pub const SENSOR: Self = Self { adapts_smoothly: false, refined: false };
    /// A single picture: as a person sees, at once.
    pub const PHOTOGRAPH: Self = Self { adapts_smoothly: false, refined: true };
}

/// Seconds in which a smooth exposure covers 63 % of the way.
const ADAPTATION_SECS: f32 = 0.5;

/// Gives new views, and all views when light or quality change, what they need.
pub fn dress_views(
    light: Res<SceneLight>,
    quality: Res<Quality>,
    views: Query<(Entity, Ref<WorldView>)>,
    mut commands: Commands,
) {
    for (entity, view) in &views {
        if !(view.is_added() || view.is_changed() || light.is_changed() || quality.is_changed()) {
            continue;
        }
        let settings = quality.settings();
        let mut camera = commands.entity(entity);
        camera.insert((Hdr, Tonemapping::TonyMcMapface, DebandDither::Enabled));
        if let Some(sky) = &light.sky {
            camera.insert((
                Skybox { image: Some(sky.picture.clone()), brightness: sky.unit, rotation: Quat::IDENTITY },
                EnvironmentMapLight {
                    diffuse_map: sky.diffuse.clone(),
                    specular_map: sky.specular.clone(),
                    intensity: sky.unit,
                    ..default()
                },
            ));
        }
        if view.refined {
            camera.insert(Msaa::from_samples(settings.msaa_samples));
            if settings.bloom {
                camera.insert(Bloom { intensity: 0.08, ..Bloom::NATURAL });
            } else {
                camera.remove::<Bloom>();
            }
        } else {
            camera.insert(Msaa::Off).remove::<Bloom>();
        }
    }
}

/// Sets the exposure of every view to the light at its place.
pub fn expose_views(
    light: Res<SceneLight>,
    time: Res<Time>,
    mut views: Query<(&WorldView, &GlobalTransform, Option<&mut Exposure>, Entity)>,
    mut commands: Commands,
) {
    for (view, transform, exposure, entity) in &mut views {
        let wanted = light.exposure_at(transform.translation());
        match exposure {
            Some(mut exposure) => {
                let step = if view.adapts_smoothly { 1.0 - (-time.delta_secs() / ADAPTATION_SECS).exp() } else { 1.0 };
                if (exposure.ev100 - wanted).abs() > 0.001 {
                    exposure.ev100 += (wanted - exposure.ev100) * step;
                }
            }
            None => {
                commands.entity(entity).insert(Exposure { ev100: wanted });
            }
        }
    }
}
