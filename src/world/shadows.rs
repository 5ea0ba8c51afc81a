//! How finely shadows are drawn.
//!
//! In: [`Quality`]. Out: the size of shadow maps, the reach of the sun's shadows, which lamps throw any; at once when another
//! quality is chosen. What is absent: the lights themselves (`light`, `lamps`).

use bevy::{
    light::{CascadeShadowConfig, CascadeShadowConfigBuilder, DirectionalLightShadowMap},
    prelude::*,
};

use super::{
    lamps::Lamp,
    light::LitByScene,
    quality::{Quality, QualitySettings},
};

/// How the sun's shadows are spread over the distance from the camera.
pub(super) fn sun_cascades(settings: &QualitySettings) -> CascadeShadowConfig {
    CascadeShadowConfigBuilder {
        num_cascades: settings.shadow_cascades,
        minimum_distance: 0.1,
        maximum_distance: settings.shadow_distance,
        first_cascade_far_bound: (0.3 * settings.shadow_distance).min(9.0),
        overlap_proportion: 0.15,
    }
    .build()
}

/// Gives all lights the shadows of the present quality when it has changed.
pub(super) fn follow_quality(
    quality: Res<Quality>,
    suns: Query<Entity, (With<DirectionalLight>, With<LitByScene>)>,
    mut lamps: Query<(&Lamp, Option<&mut PointLight>, Option<&mut SpotLight>)>,
    mut commands: Commands,
) {
    let settings = quality.settings();
    commands.insert_resource(DirectionalLightShadowMap { size: settings.shadow_map_size });
    for sun in &suns {
        commands.entity(sun).insert(sun_cascades(&settings));
    }
    for (lamp, point, spot) in &mut lamps {
        let shadows = lamp.shadows && settings.lamp_shadows;
        if let Some(mut light) = point {
            light.shadow_maps_enabled = shadows;
        }
        if let Some(mut light) = spot {
            light.shadow_maps_enabled = shadows;
        }
    }
}
