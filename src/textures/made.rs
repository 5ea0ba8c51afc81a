//! A texture with everything that is made of it beside the frames.

use bevy::math::Vec3;

use super::{
    maps::{Pictures, Texture},
    preview,
};

/// Side of a swatch, pixels.
pub const SWATCH: u32 = 84;

/// A texture, its pictures and what it is like from afar.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub texture: Texture,
    pub pictures: Pictures,
    /// Linear RGB.
    pub mean_color: Vec3,
    /// Perceptual roughness, 0 to 1.
    pub roughness: f32,
    pub metalness: f32,
    /// SHA-256 of the texture.
    pub hash: String,
    /// RGBA of the texture on a sphere, [`SWATCH`] pixels wide and high, where that is wanted.
    pub swatch: Option<Vec<u8>>,
}

impl Made {
    pub fn of(texture: Texture, with_swatch: bool) -> Self {
        let (roughness, metalness) = texture.mean_surface();
        let (pictures, mean_color, hash) = (texture.pictures(), texture.mean_color(), texture.hash());
        let swatch = with_swatch.then(|| swatch(&texture));
        Self { texture, pictures, mean_color, roughness, metalness, hash, swatch }
    }
}

fn swatch(texture: &Texture) -> Vec<u8> {
    let pixels = preview::sphere(texture, SWATCH);
    pixels.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect()
}
