//! Procedural surfaces: from a pattern, its colours and a seed to the pictures of a physically based material.
//!
//! In: [`SurfaceRecipe`] and a size in pixels (a power of two). Out: [`SurfaceMaps`]: base colour (sRGB), normals (tangent
//! space, +Y up in the picture) and roughness (glTF's green channel), each with all its mip levels. The same recipe gives
//! the same bytes. What is absent: GPU types and the ECS (`materials` makes assets of these).

mod noise;
mod paint;

pub use noise::Noise;
pub use paint::Texel;

use bevy::math::{Vec2, Vec3};

use self::paint::{grain_relief, paint, paint_grain, relief};
use crate::{base::Seed, scene::Pattern, world::kit::Grain};

/// Everything that a surface's pictures depend on, except their size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceRecipe {
    pub figure: Figure,
    /// Linear RGB.
    pub base_color: Vec3,
    /// Linear RGB.
    pub accent_color: Vec3,
    /// Perceptual roughness of the base.
    pub roughness: f32,
    pub seed: Seed,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Of a room's surface.
    Pattern(Pattern),
    /// Of an object's part; its colours modulate those of the part.
    Grain(Grain),
}

/// RGBA pictures of one surface, mip levels one after the other, largest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurfaceMaps {
    /// Width and height of the largest level, pixels.
    pub size: u32,
    pub mip_levels: u32,
    /// sRGB.
    pub base_color: Vec<u8>,
    /// Linear, 0.5 is 0.
    pub normal: Vec<u8>,
    /// Linear: red is 1 (occlusion), green the roughness, blue 1 (metallic is left to the material's factor).
    pub roughness: Vec<u8>,
}

impl SurfaceRecipe {
    fn texel(&self, uv: Vec2, seed: u32) -> Texel {
        match self.figure {
            Figure::Pattern(pattern) => paint(pattern, uv, seed),
            Figure::Grain(grain) => paint_grain(grain, uv, seed),
        }
    }

    fn relief(&self) -> f32 {
        match self.figure {
            Figure::Pattern(pattern) => relief(pattern),
            Figure::Grain(grain) => grain_relief(grain),
        }
    }

    /// Draws the surface at `size` × `size` pixels; `size` is a power of two, at least 4.
    pub fn draw(&self, size: u32) -> SurfaceMaps {
        let n = size as usize;
        let seed = (self.seed.0 ^ (self.seed.0 >> 32)) as u32;
        let texels: Vec<Texel> = (0..n * n)
            .map(|i| self.texel(Vec2::new((i % n) as f32 + 0.5, (i / n) as f32 + 0.5) / size as f32, seed))
            .collect();
        let color = texels
            .iter()
            .map(|texel| {
                (self.base_color.lerp(self.accent_color, texel.accent) * texel.shade).clamp(Vec3::ZERO, Vec3::ONE)
            })
            .collect();
        let slope = self.relief() * size as f32 * 0.5;
        let height = |x: usize, y: usize| texels[(y % n) * n + x % n].height;
        let normal = (0..n * n)
            .map(|i| {
                let (x, y) = (i % n, i / n);
                let right = height(x + 1, y) - height(x + n - 1, y);
                let down = height(x, y + 1) - height(x, y + n - 1);
                Vec3::new(-right * slope, down * slope, 1.0).normalize()
            })
            .collect();
        let roughness = texels
            .iter()
            .map(|texel| Vec3::new(1.0, (self.roughness + texel.roughness).clamp(0.03, 1.0), 1.0))
            .collect();
        SurfaceMaps {
            size,
            mip_levels: size.ilog2() + 1,
            base_color: mip_chain(color, n, |level| level, |c| c.to_array().map(srgb_byte)),
            normal: mip_chain(normal, n, |v| v.normalize_or(Vec3::Z), |v| v.to_array().map(|c| byte(0.5 + 0.5 * c))),
            roughness: mip_chain(roughness, n, |level| level, |v| v.to_array().map(byte)),
        }
    }
}

/// All mip levels of a picture, each the mean of 2 × 2 texels of the one before, `mend`ed and encoded.
fn mip_chain(mut level: Vec<Vec3>, size: usize, mend: fn(Vec3) -> Vec3, encode: fn(Vec3) -> [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size * size * 16 / 3 + 16);
    let mut n = size;
    loop {
        for texel in &level {
            bytes.extend(encode(*texel));
            bytes.push(255);
        }
        if n == 1 {
            return bytes;
        }
        let half = n / 2;
        level = (0..half * half)
            .map(|i| {
                let (x, y) = (2 * (i % half), 2 * (i / half));
                mend(
                    0.25 * (level[y * n + x]
                        + level[y * n + x + 1]
                        + level[(y + 1) * n + x]
                        + level[(y + 1) * n + x + 1]),
                )
            })
            .collect();
        n = half;
    }
}

fn byte(x: f32) -> u8 {
    (x.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// Linear to sRGB. Source: IEC 61966-2-1.
fn srgb_byte(x: f32) -> u8 {
    byte(if x <= 0.003_130_8 { 12.92 * x } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(pattern: Pattern) -> SurfaceRecipe {
        SurfaceRecipe {
            figure: Figure::Pattern(pattern),
            base_color: Vec3::splat(0.5),
            accent_color: Vec3::splat(0.1),
            roughness: 0.6,
            seed: Seed(1),
        }
    }

    #[test]
    fn maps_have_all_mip_levels_and_are_reproducible() {
        let maps = recipe(Pattern::Bricks).draw(32);
        let texels: usize = (0..6).map(|level| (32usize >> level).pow(2)).sum();
        assert_eq!(maps.mip_levels, 6);
        for map in [&maps.base_color, &maps.normal, &maps.roughness] {
            assert_eq!(map.len(), texels * 4);
        }
        assert_eq!(maps, recipe(Pattern::Bricks).draw(32));
    }

    #[test]
    fn a_plain_surface_is_its_colour_and_flat() {
        let maps = recipe(Pattern::Plain).draw(4);
        // Linear 0.5 is 188 in sRGB.
        assert_eq!(&maps.base_color[..4], &[188, 188, 188, 255]);
        assert_eq!(&maps.normal[..4], &[128, 128, 255, 255]);
        assert_eq!(&maps.roughness[..4], &[255, 153, 255, 255]);
    }

    /// `cargo test draw_all -- --ignored`: pictures of all surfaces under `target/patterns`, to be looked at.
    #[test]
    #[ignore = "writes pictures for a person to look at"]
    fn draw_all_surfaces() {
        let colors = [
            (Pattern::Plaster, [0.78, 0.72, 0.62], [0.85, 0.80, 0.72]),
            (Pattern::Planks, [0.42, 0.25, 0.13], [0.20, 0.10, 0.05]),
            (Pattern::Parquet, [0.45, 0.28, 0.14], [0.24, 0.13, 0.06]),
            (Pattern::Bricks, [0.42, 0.15, 0.09], [0.55, 0.50, 0.44]),
            (Pattern::Tiles, [0.70, 0.74, 0.72], [0.35, 0.34, 0.32]),
            (Pattern::Marble, [0.80, 0.78, 0.75], [0.22, 0.22, 0.25]),
            (Pattern::Paving, [0.38, 0.34, 0.29], [0.16, 0.14, 0.12]),
            (Pattern::Concrete, [0.42, 0.41, 0.39], [0.55, 0.54, 0.51]),
            (Pattern::Grass, [0.10, 0.22, 0.04], [0.35, 0.42, 0.12]),
            (Pattern::Gravel, [0.45, 0.41, 0.36], [0.22, 0.20, 0.19]),
            (Pattern::Fabric, [0.25, 0.30, 0.42], [0.40, 0.44, 0.52]),
        ];
        let grains =
            [Grain::Wood, Grain::Ceramic, Grain::Fabric, Grain::Metal, Grain::Leather, Grain::Peel, Grain::Bark];
        let patterns =
            colors.map(|(pattern, base, accent)| (Figure::Pattern(pattern), Vec3::from(base), Vec3::from(accent)));
        let grains = grains.map(|grain| (Figure::Grain(grain), Vec3::splat(0.8), Vec3::splat(0.4)));
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/patterns");
        std::fs::create_dir_all(&folder).unwrap();
        for (figure, base_color, accent_color) in patterns.into_iter().chain(grains) {
            let start = std::time::Instant::now();
            let maps = SurfaceRecipe { figure, base_color, accent_color, roughness: 0.6, seed: Seed(1) }.draw(256);
            println!("{figure:?}: {:?}", start.elapsed());
            // Two repeats of the colour, lit by the normals from the upper left, so that seams and relief show.
            let picture = image::RgbImage::from_fn(512, 512, |x, y| {
                let i = (((y % 256) * 256 + x % 256) * 4) as usize;
                let n: Vec<f32> = maps.normal[i..i + 3].iter().map(|c| *c as f32 / 127.5 - 1.0).collect();
                let light = Vec3::new(-0.4, 0.45, 0.8).normalize().dot(Vec3::new(n[0], n[1], n[2])).max(0.0) / 0.8;
                image::Rgb([0, 1, 2].map(|c| (maps.base_color[i + c] as f32 * light).min(255.0) as u8))
            });
            picture.save(folder.join(format!("{figure:?}.png").replace(['(', ')'], "_"))).unwrap();
        }
    }
}
