//! How much is spent on a picture: one preset table for everything that draws.
//!
//! In: what kind of adapter draws (known once the renderer runs), or a choice of the player. Out: [`Quality`] and the
//! numbers behind it, [`Quality::settings`], read by lights, materials and views. What is absent: window size and field of
//! view (the platform's), and anything that changes what is simulated.

use bevy::{prelude::*, render::renderer::RenderAdapterInfo};
use wgpu::DeviceType;

/// A preset. `Software` is for adapters that draw on the processor.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    Software,
    Low,
    #[default]
    Medium,
    High,
}

/// What a preset means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualitySettings {
    /// Side of a shadow map of the sun, pixels.
    pub shadow_map_size: usize,
    pub shadow_cascades: usize,
    /// How far from the camera the sun throws shadows, metres.
    pub shadow_distance: f32,
    /// Whether lamps that ask for it throw shadows.
    pub lamp_shadows: bool,
    /// Samples per pixel of the player's view: 1, 2, 4 or 8.
    pub msaa_samples: u32,
    /// Side of procedural textures, pixels; a power of two.
    pub texture_size: u32,
    /// Texture samples along the steepest direction, 1 to 16.
    pub anisotropy: u16,
    /// Whether roughness varies across a surface.
    pub roughness_maps: bool,
    /// Whether small objects have relief (rooms always do).
    pub object_relief: bool,
    /// Side of a face of the sky's picture, pixels; a power of two.
    pub sky_face_size: u32,
    pub bloom: bool,
    /// Ratio of drawn to shown pixels per side for the player's view.
    pub resolution_scale: f32,
}

impl Quality {
    /// The numbers of this preset.
    pub fn settings(self) -> QualitySettings {
        let medium = QualitySettings {
            shadow_map_size: 2048,
            shadow_cascades: 2,
            shadow_distance: 30.0,
            lamp_shadows: false,
            msaa_samples: 4,
            texture_size: 512,
            anisotropy: 8,
            roughness_maps: true,
            object_relief: true,
            sky_face_size: 512,
            bloom: true,
            resolution_scale: 1.0,
        };
        match self {
            Quality::Software => QualitySettings {
                shadow_map_size: 1024,
                shadow_cascades: 1,
                shadow_distance: 14.0,
                msaa_samples: 1,
                texture_size: 256,
                anisotropy: 1,
                roughness_maps: false,
                object_relief: false,
                sky_face_size: 256,
                bloom: false,
                resolution_scale: 0.5,
                ..medium
            },
            Quality::Low => QualitySettings {
                shadow_map_size: 1024,
                shadow_cascades: 1,
                shadow_distance: 20.0,
                msaa_samples: 1,
                texture_size: 256,
                anisotropy: 4,
                roughness_maps: false,
                bloom: false,
                ..medium
            },
            Quality::Medium => medium,
            Quality::High => QualitySettings {
                shadow_map_size: 4096,
                shadow_cascades: 3,
                shadow_distance: 50.0,
                lamp_shadows: true,
                texture_size: 1024,
                anisotropy: 16,
                ..medium
            },
        }
    }

    /// The preset for a kind of adapter.
    pub fn for_adapter(device_type: DeviceType) -> Self {
        match device_type {
            DeviceType::Cpu => Quality::Software,
            DeviceType::IntegratedGpu => Quality::Low,
            DeviceType::VirtualGpu | DeviceType::Other => Quality::Medium,
            DeviceType::DiscreteGpu => Quality::High,
        }
    }
}

/// Chooses the preset for the adapter that draws, unless somebody has chosen one already. Runs once, before anything is
/// spawned.
pub fn choose_quality(chosen: Option<Res<Quality>>, adapter: Option<Res<RenderAdapterInfo>>, mut commands: Commands) {
    if chosen.is_none() {
        let quality = adapter.map_or(Quality::Software, |adapter| Quality::for_adapter(adapter.device_type));
        info!("quality: {quality:?}");
        commands.insert_resource(quality);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_adapters_get_the_cheapest_preset() {
        assert_eq!(Quality::for_adapter(DeviceType::Cpu), Quality::Software);
        let presets = [Quality::Software, Quality::Low, Quality::Medium, Quality::High].map(Quality::settings);
        for pair in presets.windows(2) {
            assert!(pair[0].shadow_map_size <= pair[1].shadow_map_size);
            assert!(pair[0].texture_size <= pair[1].texture_size);
            assert!(pair[0].msaa_samples <= pair[1].msaa_samples);
        }
        assert!(presets.iter().all(|p| p.texture_size.is_power_of_two() && p.sky_face_size.is_power_of_two()));
    }
}
