//! Lamps: how strong they shine, and what glows with them.
//!
//! In: lamps of the scene and of objects, [`LightControl`]. Out: point and spot lights, glowing parts. What is absent: what
//! lamps bounce off walls (`light`), candles, which are not switched.

use std::collections::HashMap;

use bevy::prelude::*;

use super::{
    light::{LightControl, LitByScene},
    materials::linear,
    quality::QualitySettings,
};
use crate::scene::LightSpec;

/// A lamp, as it is when it is switched on.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Lamp {
    pub lumens: f32,
    /// Whether it throws shadows where the quality allows it.
    pub shadows: bool,
}

/// One lamp of the scene at a part of its power.
pub(super) fn spawn_lamp(lamp: &LightSpec, level: f32, settings: &QualitySettings, commands: &mut Commands) {
    let shadows = lamp.shadows && settings.lamp_shadows;
    let place = Transform::from_translation(lamp.position);
    let mut entity =
        commands.spawn((Name::new("lamp light"), LitByScene, Lamp { lumens: lamp.lumens, shadows: lamp.shadows }));
    match lamp.spot {
        Some((direction, outer_angle)) => {
            let direction = direction.normalize_or(-Vec3::Y);
            let up = if direction.y.abs() > 0.99 { Vec3::X } else { Vec3::Y };
            entity.insert((
                SpotLight {
                    color: linear(lamp.color),
                    intensity: lamp.lumens * level,
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
                    intensity: lamp.lumens * level,
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

/// Lamps follow the command at once; what they bounce follows when it is computed. Glowing parts beside a lamp glow with it.
pub fn shine_lamps(
    control: Res<LightControl>,
    added: Query<(), Added<Lamp>>,
    mut lamps: Query<(&Lamp, Option<&ChildOf>, Option<&mut PointLight>, Option<&mut SpotLight>)>,
    objects: Query<&Children>,
    parts: Query<&MeshMaterial3d<StandardMaterial>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut glows: Local<HashMap<AssetId<StandardMaterial>, LinearRgba>>,
) {
    if !control.is_changed() && added.is_empty() {
        return;
    }
    for (lamp, object, point, spot) in &mut lamps {
        let lumens = lamp.lumens * control.lamps;
        if let Some(mut light) = point {
            light.intensity = lumens;
        }
        if let Some(mut light) = spot {
            light.intensity = lumens;
        }
        let siblings = object.and_then(|object| objects.get(object.parent()).ok()).into_iter().flatten();
        for material in siblings.filter_map(|part| parts.get(*part).ok()) {
            let Some(present) = materials.get(&material.0).map(|material| material.emissive) else { continue };
            let full = *glows.entry(material.id()).or_insert(present);
            let wanted = full * control.lamps;
            if present != wanted
                && let Some(mut material) = materials.get_mut(&material.0)
            {
                material.emissive = wanted;
            }
        }
    }
}
