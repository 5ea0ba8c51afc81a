//! A texture on a sphere or a flat patch in a small studio, as RGB pixels: for the command line and for lists on the screen.
//!
//! Drawn here and not by the renderer, so that it needs no graphics adapter and gives the same bytes everywhere. The
//! reflection model is the renderer's: GGX with Smith's visibility and Schlick's Fresnel, occlusion for light from around.
//!
//! Sources: Walter et al., "Microfacet models for refraction through rough surfaces", EGSR 2007; Heitz, "Understanding the
//! masking-shadowing function", JCGT 3(2), 2014; Karis, "Physically based shading on mobile", 2014 (light from around);
//! Narkowicz, "ACES filmic tone mapping curve", 2015.

use bevy::math::{Vec2, Vec3};

use super::maps::Texture;
use crate::signal::tiling::{linear_from_srgb, srgb_from_linear};

/// Samples per pixel along a side.
const SAMPLES: u32 = 3;
/// Radius of the sphere over half the picture's side.
const SPHERE: f32 = 0.84;
/// Repeats of the texture across the sphere, along its surface.
const REPEATS: f32 = 1.5;

/// Directions to lamps and their light.
const LAMPS: [(Vec3, Vec3); 3] = [
    (Vec3::new(-0.52, 0.62, 0.59), Vec3::new(2.7, 2.6, 2.45)),
    (Vec3::new(0.86, 0.10, 0.50), Vec3::new(0.42, 0.46, 0.54)),
    (Vec3::new(0.45, 0.55, -0.70), Vec3::new(1.1, 1.15, 1.25)),
];

/// One place of a surface.
struct Sample {
    /// Linear RGB.
    color: Vec3,
    /// Tangent space.
    normal: Vec3,
    roughness: f32,
    metalness: f32,
    occlusion: f32,
}

/// A texture that can be looked up between its texels.
struct Sampler<'a> {
    texture: &'a Texture,
    colors: Vec<Vec3>,
    normals: Vec<Vec3>,
    occlusion: Vec<f32>,
}

impl<'a> Sampler<'a> {
    fn of(texture: &'a Texture) -> Self {
        let linear = |value: u8| linear_from_srgb(f32::from(value) / 255.0);
        let colors = texture.base_color.chunks_exact(3).map(|t| Vec3::new(linear(t[0]), linear(t[1]), linear(t[2])));
        Self { texture, colors: colors.collect(), normals: texture.normals(), occlusion: texture.occlusion() }
    }

    /// At `uv` in repeats of the texture, v down; linear between texels.
    fn at(&self, uv: Vec2) -> Sample {
        let (width, rows) = (self.texture.width as i64, self.texture.rows as i64);
        let (x, y) = (uv.x * width as f32 - 0.5, uv.y * rows as f32 - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right_share, lower_share) = (x - left, y - top);
        let mut sum = Sample { color: Vec3::ZERO, normal: Vec3::ZERO, roughness: 0.0, metalness: 0.0, occlusion: 0.0 };
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let share = (if dx == 1 { right_share } else { 1.0 - right_share })
                * (if dy == 1 { lower_share } else { 1.0 - lower_share });
            let column = (left as i64 + dx).rem_euclid(width);
            let row = (top as i64 + dy).rem_euclid(rows);
            let texel = (row * width + column) as usize;
            sum.color += share * self.colors[texel];
            sum.normal += share * self.normals[texel];
            sum.roughness += share * f32::from(self.texture.roughness[texel]) / 255.0;
            sum.metalness += share * f32::from(self.texture.metalness[texel]) / 255.0;
            sum.occlusion += share * self.occlusion[texel];
        }
        sum
    }
}

/// The texture on a sphere before a pale wall, `side` × `side` pixels.
pub fn sphere(texture: &Texture, side: u32) -> Vec<u8> {
    let sampler = Sampler::of(texture);
    drawn(side, |place| {
        let on = place / SPHERE;
        let flat = on.length_squared();
        if flat > 1.0 {
            return wall(place);
        }
        let normal = Vec3::new(on.x, on.y, (1.0 - flat).sqrt());
        // Distances from the middle are true, so that nothing is pinched where one looks.
        let angle = normal.z.clamp(-1.0, 1.0).acos();
        let direction = on.normalize_or_zero();
        let uv = Vec2::new(0.5, 0.5) + Vec2::new(direction.x, -direction.y) * (angle / std::f32::consts::PI * REPEATS);
        let across = (Vec3::X - normal * normal.x).normalize_or(Vec3::X);
        let sample = sampler.at(uv);
        let bent = across * sample.normal.x + normal.cross(across) * sample.normal.y + normal * sample.normal.z;
        lit(&sample, bent.normalize_or(normal))
    })
}

/// One repeat of the texture, flat, lit from the upper left, `side` × `side` pixels.
pub fn patch(texture: &Texture, side: u32) -> Vec<u8> {
    let sampler = Sampler::of(texture);
    drawn(side, |place| {
        let sample = sampler.at(Vec2::new(0.5 + 0.5 * place.x, 0.5 - 0.5 * place.y));
        lit(&sample, sample.normal.normalize_or(Vec3::Z))
    })
}

/// RGB of every pixel: the mean over [`SAMPLES`]² places, from (−1, −1) at the lower left to (1, 1).
fn drawn(side: u32, color: impl Fn(Vec2) -> Vec3) -> Vec<u8> {
    let fine = (side * SAMPLES) as f32;
    let mut pixels = Vec::with_capacity((side * side * 3) as usize);
    for y in 0..side {
        for x in 0..side {
            let mut sum = Vec3::ZERO;
            for sample in 0..SAMPLES * SAMPLES {
                let (dx, dy) = (sample % SAMPLES, sample / SAMPLES);
                let place = Vec2::new((x * SAMPLES + dx) as f32 + 0.5, (y * SAMPLES + dy) as f32 + 0.5) / fine;
                sum += shown(color(Vec2::new(2.0 * place.x - 1.0, 1.0 - 2.0 * place.y)));
            }
            let mean = sum / (SAMPLES * SAMPLES) as f32;
            pixels.extend(mean.to_array().map(|c| (srgb_from_linear(c.clamp(0.0, 1.0)) * 255.0 + 0.5) as u8));
        }
    }
    pixels
}

/// The wall behind the sphere, darker where it stands in the way of the light.
fn wall(place: Vec2) -> Vec3 {
    let shade = 0.52 + 0.14 * place.y;
    let shadow = (place - Vec2::new(0.20, -0.26)).length() / SPHERE;
    let dark = 1.0 - 0.35 * (1.0 - ((shadow - 0.75) / 0.45).clamp(0.0, 1.0)).powi(2);
    Vec3::new(0.98, 0.99, 1.0) * shade * dark
}

/// Tone-mapped, linear.
fn shown(radiance: Vec3) -> Vec3 {
    let x = 0.62 * radiance;
    (x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14)).clamp(Vec3::ZERO, Vec3::ONE)
}

/// Light that comes from around, spread over a lobe that widens with roughness.
fn studio(direction: Vec3, roughness: f32) -> Vec3 {
    let room = 0.42 + 0.30 * direction.y;
    let window = |towards: Vec3, half_width: f32, strength: f32| {
        // A wider lobe sees the window longer and dimmer.
        let reach = half_width + 0.9 * roughness * roughness;
        let angle = direction.dot(towards.normalize()).clamp(-1.0, 1.0).acos();
        let edge = 1.0 - ((angle - 0.8 * reach) / (0.08 + 0.8 * reach)).clamp(0.0, 1.0);
        strength * edge * edge * (half_width / reach).powi(2)
    };
    let light = room + window(LAMPS[0].0, 0.34, 5.0) + window(LAMPS[1].0, 0.22, 1.8);
    Vec3::new(1.0, 0.995, 0.98) * light
}

/// Light towards the viewer, who looks along −Z.
fn lit(sample: &Sample, normal: Vec3) -> Vec3 {
    let view = Vec3::Z;
    let roughness = sample.roughness.max(0.06);
    let alpha = roughness * roughness;
    let facing = normal.dot(view).max(0.03);
    let straight = Vec3::splat(0.04).lerp(sample.color, sample.metalness);
    let matte = sample.color * (1.0 - sample.metalness);
    let mut light = Vec3::ZERO;
    for (towards, strength) in LAMPS {
        let towards = towards.normalize();
        let lit = normal.dot(towards);
        if lit <= 0.0 {
            continue;
        }
        let half = (towards + view).normalize_or(Vec3::Z);
        let (n_h, v_h) = (normal.dot(half).max(0.0), view.dot(half).max(0.0));
        let spread = alpha * alpha / (std::f32::consts::PI * (n_h * n_h * (alpha * alpha - 1.0) + 1.0).powi(2));
        let smith = |a: f32, b: f32| a * (b * b * (1.0 - alpha * alpha) + alpha * alpha).sqrt();
        let visible = 0.5 / (smith(lit, facing) + smith(facing, lit)).max(1e-4);
        let fresnel = straight + (Vec3::ONE - straight) * (1.0 - v_h).powi(5);
        // Lamps that are also windows of the studio shine there: the mirror image is not counted twice.
        let glint = (spread * visible * fresnel).min(Vec3::splat(2.0)) * 0.5;
        light += strength * lit * (matte / std::f32::consts::PI * 1.6 + glint);
    }
    let around = Vec3::new(0.98, 0.99, 1.0) * (0.46 + 0.26 * normal.y) * sample.occlusion;
    let mirrored = 2.0 * normal.dot(view) * normal - view;
    let split = {
        let r = [-roughness + 1.0, -0.0275 * roughness + 0.0425, -0.572 * roughness + 1.04, 0.022 * roughness - 0.04];
        let a = (r[0] * r[0]).min((-9.28 * facing).exp2()) * r[0] + r[1];
        Vec2::new(-1.04 * a + r[2], 1.04 * a + r[3])
    };
    let reflected = studio(mirrored, roughness) * (straight * split.x + Vec3::splat(split.y));
    light + matte * around + reflected * sample.occlusion
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::textures::maps::tests::wavy;

    fn uniform(color: [u8; 3], roughness: u8, metalness: u8) -> Texture {
        let n = 32 * 32;
        Texture {
            width: 32,
            rows: 32,
            relief: 0.02,
            base_color: color.repeat(n),
            height: vec![30_000; n],
            roughness: vec![roughness; n],
            metalness: vec![metalness; n],
        }
    }

    fn pixel(picture: &[u8], side: u32, x: u32, y: u32) -> [i32; 3] {
        let at = ((y * side + x) * 3) as usize;
        [0, 1, 2].map(|c| i32::from(picture[at + c]))
    }

    #[test]
    fn a_sphere_is_lit_from_the_upper_left_and_keeps_its_colour() {
        let picture = sphere(&uniform([200, 40, 40], 200, 0), 64);
        let (bright, dark) = (pixel(&picture, 64, 22, 20), pixel(&picture, 64, 44, 50));
        assert!(bright[0] > dark[0] + 40, "{bright:?} {dark:?}");
        assert!(bright[0] > 2 * bright[1], "{bright:?}");
        let corner = pixel(&picture, 64, 1, 1);
        assert!((corner[0] - corner[2]).abs() < 12, "the wall is grey: {corner:?}");
        assert_eq!(picture, sphere(&uniform([200, 40, 40], 200, 0), 64));
    }

    #[test]
    fn smooth_things_shine_and_rough_ones_do_not() {
        let brightest = |roughness| {
            let picture = sphere(&uniform([60, 60, 60], roughness, 0), 48);
            let inner = (12..36).flat_map(|y| (12..36).map(move |x| (x, y)));
            inner.map(|(x, y)| pixel(&picture, 48, x, y)[1]).max()
        };
        assert!(brightest(20) > brightest(250).map(|value| value + 40));
    }

    #[test]
    fn relief_is_seen_on_a_patch() {
        let range = |texture: &Texture| {
            let picture = patch(texture, 32);
            let green = picture.chunks_exact(3).map(|p| i32::from(p[1]));
            green.clone().max().unwrap() - green.min().unwrap()
        };
        let mut grey = wavy(64);
        grey.base_color.fill(128);
        grey.roughness.fill(255);
        grey.relief = 0.1;
        let flat = Texture { relief: 0.0, ..grey.clone() };
        assert!(range(&grey) > range(&flat) + 20, "{} {}", range(&grey), range(&flat));
    }
}
