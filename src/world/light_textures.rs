//! Light as textures: volumes and cube maps in the layout that the renderer reads.
//!
//! In: light as numbers, candela per square metre. Out: images whose value 1 is [`RADIANCE_UNIT`].

use bevy::{
    asset::RenderAssetUsages,
    image::ImageSampler,
    math::UVec3,
    prelude::*,
    render::render_resource::{Extent3d, TextureDimension, TextureFormat, TextureViewDescriptor, TextureViewDimension},
};

use super::{
    bounce::LightVolume,
    environment::{CubeMap, half_from_f32},
    light::RADIANCE_UNIT,
};

/// Packs ambient cubes as Bevy's irradiance volumes want them: `(Rx, 2 Ry, 3 Rz)`, negative sides in the upper half.
pub(super) fn volume_image(volume: &LightVolume) -> Image {
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
