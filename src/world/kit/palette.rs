//! Colours and surfaces of everyday things.

use bevy::math::Vec3;
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, pick},
    model::{Grain, Surface},
};

/// Linear RGB of a colour written as 0xRRGGBB in sRGB.
///
/// Source: IEC 61966-2-1 (transfer function of sRGB).
pub fn hex(rgb: u32) -> Vec3 {
    let linear = |shift: u32| {
        let value = (rgb >> shift & 0xff) as f32 / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Vec3::new(linear(16), linear(8), linear(0))
}

/// Colours that suit each other and a material, sRGB.
#[derive(Clone, Copy, Debug)]
pub struct Palette(pub &'static [u32]);

impl Palette {
    /// One of the colours, slightly varied; linear RGB.
    pub fn pick(&self, rng: &mut ChaCha8Rng) -> Vec3 {
        let color = hex(pick(rng, self.0));
        jitter(rng, color, 0.12)
    }
}

/// Glazes, from white to deep.
pub const GLAZES: Palette = Palette(&[
    0xf2ede2, 0xe8dcc4, 0xd9c2a0, 0xc9574a, 0xb0413e, 0xd98841, 0xe3b94f, 0x8fae6b, 0x4f7f5c, 0x6fa8a0, 0x3f7d8c,
    0x4a6fa5, 0x2f4a7c, 0x7d6b9e, 0x9c5f7a, 0x5a4a42, 0x2e3237, 0xd7a6a0, 0xa7c4d4,
]);
/// Timber from birch to wenge.
pub const TIMBER: Palette =
    Palette(&[0xd9bb8c, 0xc8a06a, 0xb98a55, 0xa8733f, 0x8f5c33, 0x774727, 0x5e3a24, 0x46301f, 0xc2956b, 0xe0c9a0]);
/// Painted wood, enamel and lacquer.
pub const PAINTS: Palette = Palette(&[
    0xf0ece2, 0x2b2d30, 0xb23a33, 0xd56f3e, 0xe0b040, 0x5c8a57, 0x2f6b5e, 0x3a78a8, 0x274b78, 0x8aa9b8, 0xb7c3a5,
    0xd8a7a0, 0x6d5478, 0x8c8578,
]);
/// Cloth.
pub const CLOTHS: Palette = Palette(&[
    0x8c3b3b, 0xb5654a, 0xc79a4b, 0x6f7f4a, 0x3f5f4f, 0x3d5a73, 0x2d3a55, 0x6a4a63, 0xb9aa95, 0xe2d8c6, 0x4a4a4d,
    0x9fb0b5, 0xc98f94,
]);
/// Bright plastics.
pub const PLASTICS: Palette = Palette(&[
    0xd83a34, 0xf0832f, 0xf4c531, 0x58b04c, 0x1f9e8f, 0x2f86d1, 0x3851b0, 0x8a4fb5, 0xe46a9a, 0xf1f0ec, 0x3a3c40,
]);
/// Bare metals: steel, brass, copper, iron.
pub const METALS: Palette = Palette(&[0xc4c6c8, 0xa9acb0, 0xd2ae6a, 0xc07f58, 0x7d7f83, 0xb8b2a6]);
/// Leather and book bindings.
pub const LEATHERS: Palette =
    Palette(&[0x6b3a25, 0x8a5432, 0x4a2c22, 0x2a2422, 0x5b1f22, 0x24402f, 0x1f2f4c, 0xa8793f]);
/// Bottle and lamp glass, opaque in this world.
pub const GLASSES: Palette = Palette(&[0x2f5d3a, 0x1f3f2b, 0x5a3318, 0x39627a, 0x9fb8b0, 0x7a2733, 0xb9c9a2, 0x24324f]);

/// `color` with brightness and warmth varied by up to `amount` (a share of 1); linear RGB within 0 to 1.
pub fn jitter(rng: &mut ChaCha8Rng, color: Vec3, amount: f32) -> Vec3 {
    let brightness = 1.0 + between(rng, -amount, amount);
    let warmth = between(rng, -0.5, 0.5) * amount;
    (color * brightness * Vec3::new(1.0 + warmth, 1.0, 1.0 - warmth)).clamp(Vec3::splat(0.005), Vec3::splat(0.95))
}

/// `color` mixed with black (share below 0) or white (above 0).
pub fn shade(color: Vec3, share: f32) -> Vec3 {
    if share < 0.0 { color * (1.0 + share) } else { color.lerp(Vec3::splat(0.9), share) }
}

fn surface(base_color: Vec3, roughness: f32, metallic: f32, grain: Grain) -> Surface {
    Surface { base_color, roughness, metallic, emissive: Vec3::ZERO, grain }
}

/// Glazed ceramic.
pub fn ceramic(color: Vec3) -> Surface {
    surface(color, 0.25, 0.0, Grain::Ceramic)
}

/// Oiled or bare timber.
pub fn wood(color: Vec3) -> Surface {
    surface(color, 0.6, 0.0, Grain::Wood)
}

/// Paint, enamel or lacquer.
pub fn painted(color: Vec3) -> Surface {
    surface(color, 0.4, 0.0, Grain::None)
}

/// Bare metal; `roughness` 0.15 polished to 0.6 rough.
pub fn metal(color: Vec3, roughness: f32) -> Surface {
    surface(color, roughness, 1.0, Grain::Metal)
}

/// Cloth.
pub fn fabric(color: Vec3) -> Surface {
    surface(color, 0.92, 0.0, Grain::Fabric)
}

/// Moulded plastic.
pub fn plastic(color: Vec3) -> Surface {
    surface(color, 0.35, 0.0, Grain::None)
}

/// Paper and cardboard.
pub fn paper(color: Vec3) -> Surface {
    surface(color, 0.9, 0.0, Grain::None)
}

/// Leather.
pub fn leather(color: Vec3) -> Surface {
    surface(color, 0.65, 0.0, Grain::Leather)
}

/// Glass, opaque in this world: dark and very smooth.
pub fn glass(color: Vec3) -> Surface {
    surface(color, 0.08, 0.0, Grain::None)
}

/// Something that shines by itself, `strength` times as bright as a white wall in full light.
pub fn shining(color: Vec3, strength: f32) -> Surface {
    Surface { emissive: color * strength, ..surface(color / color.max_element().max(1.0), 0.8, 0.0, Grain::None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_follows_the_srgb_curve() {
        // Middle grey: 18 % reflectance is 0x76 in sRGB (0.1812).
        assert!((hex(0x767676).x - 0.1812).abs() < 1e-3);
        assert_eq!(hex(0xffffff), Vec3::ONE);
        assert_eq!(hex(0x000000), Vec3::ZERO);
        assert!(hex(0xff0000).y == 0.0 && hex(0xff0000).x == 1.0);
    }
}
