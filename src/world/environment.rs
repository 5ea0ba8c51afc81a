//! Light from all around as cube maps, filtered on the processor once, so that no frame pays for it.
//!
//! In: a radiance (candela per square metre, linear RGB) for every direction of the world. Out: [`EnvironmentMaps`]: what
//! image-based lighting looks up. Faces are in the order +X, −X, +Y, −Y, +Z, −Z of a left-handed cube map, as graphics
//! interfaces define it; [`direction_of`] maps them to our right-handed world (Z is mirrored, as Bevy's shaders do).
//! What is absent: GPU types.

use bevy::math::{Vec2, Vec3};

/// A cube map with its mip levels: face by face, each face's levels largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct CubeMap {
    /// Side of a face at level 0, pixels.
    pub size: u32,
    pub mip_levels: u32,
    /// `[face][level]`, rows from the top.
    pub faces: Vec<Vec<Vec<Vec3>>>,
}

/// What lights a surface from all around.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentMaps {
    /// Mean radiance over the hemisphere about a normal, weighted by its cosine (irradiance / π).
    pub diffuse: CubeMap,
    /// Radiance blurred by the GGX lobe: level 0 is a mirror, the last level has roughness 1.
    pub specular: CubeMap,
}

/// World direction (not unit length) of a point of a face; `s` right and `t` down, −1 to 1.
pub fn direction_of(face: usize, s: f32, t: f32) -> Vec3 {
    let (x, y, z) = match face {
        0 => (1.0, -t, -s),
        1 => (-1.0, -t, s),
        2 => (s, 1.0, t),
        3 => (s, -1.0, -t),
        4 => (s, -t, 1.0),
        _ => (-s, -t, -1.0),
    };
    Vec3::new(x, y, -z)
}

/// Face and position on it (−1 to 1) of a world direction: the inverse of [`direction_of`].
fn face_of(direction: Vec3) -> (usize, f32, f32) {
    let d = Vec3::new(direction.x, direction.y, -direction.z);
    let a = d.abs();
    if a.x >= a.y && a.x >= a.z {
        if d.x > 0.0 { (0, -d.z / a.x, -d.y / a.x) } else { (1, d.z / a.x, -d.y / a.x) }
    } else if a.y >= a.z {
        if d.y > 0.0 { (2, d.x / a.y, d.z / a.y) } else { (3, d.x / a.y, -d.z / a.y) }
    } else if d.z > 0.0 {
        (4, d.x / a.z, -d.y / a.z)
    } else {
        (5, -d.x / a.z, -d.y / a.z)
    }
}

impl CubeMap {
    /// Evaluates `radiance` at the middle of every pixel; one level.
    pub fn draw(size: u32, radiance: impl Fn(Vec3) -> Vec3) -> Self {
        let faces = (0..6).map(|face| vec![level(face, size, &radiance)]).collect();
        Self { size, mip_levels: 1, faces }
    }

    /// The nearest pixel of level 0.
    fn nearest(&self, direction: Vec3) -> Vec3 {
        let (face, s, t) = face_of(direction);
        let pixel = |x: f32| (((0.5 * x + 0.5) * self.size as f32) as usize).min(self.size as usize - 1);
        self.faces[face][0][pixel(t) * self.size as usize + pixel(s)]
    }

    /// Directions of unit length, solid angles (steradian) and values of all pixels of level 0.
    fn pixels(&self) -> impl Iterator<Item = (Vec3, f32, Vec3)> + '_ {
        let n = self.size;
        (0..6).flat_map(move |face| {
            (0..n * n).map(move |i| {
                let [s, t] = [i % n, i / n].map(|p| 2.0 * (p as f32 + 0.5) / n as f32 - 1.0);
                let direction = direction_of(face, s, t);
                // A pixel's area, seen at the cosine and squared distance of its place on the cube.
                let solid_angle = 4.0 / (n * n) as f32 / direction.length().powi(3);
                (direction.normalize(), solid_angle, self.faces[face][0][i as usize])
            })
        })
    }

    /// Half floats (RGBA, little endian) in the order that textures are uploaded: face by face, level by level.
    pub fn to_rgba16f(&self) -> Vec<u8> {
        let levels = self.faces.iter().flatten().flatten();
        levels.flat_map(|c| [c.x, c.y, c.z, 1.0]).flat_map(|c| half_from_f32(c).to_le_bytes()).collect()
    }
}

fn level(face: usize, size: u32, radiance: &impl Fn(Vec3) -> Vec3) -> Vec<Vec3> {
    let coordinate = |p: u32| 2.0 * (p as f32 + 0.5) / size as f32 - 1.0;
    (0..size * size)
        .map(|i| radiance(direction_of(face, coordinate(i % size), coordinate(i / size)).normalize()))
        .collect()
}

impl EnvironmentMaps {
    /// Filters `radiance`. `size` is the side of the mirror level's faces, a power of two of at least 8.
    pub fn filter(size: u32, radiance: impl Fn(Vec3) -> Vec3) -> Self {
        let sharp = CubeMap::draw(size, radiance);
        let coarse = CubeMap::draw(16, |direction| {
            // The mean of a few pixels: 16² is coarse enough for a bright spot to fall between.
            let (right, up) = tangents(direction);
            let around = [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]];
            around.iter().map(|[x, y]| sharp.nearest(direction + (right * *x + up * *y) * 0.03)).sum::<Vec3>() / 4.0
        });
        let pixels: Vec<_> = coarse.pixels().collect();
        let diffuse = CubeMap::draw(8, |normal| {
            let (sum, weight) = pixels.iter().fold((Vec3::ZERO, 0.0), |(sum, weight), (direction, angle, value)| {
                let w = direction.dot(normal).max(0.0) * angle;
                (sum + *value * w, weight + w)
            });
            sum / weight
        });
        let mip_levels = size.ilog2() + 1;
        let faces = (0..6)
            .map(|face| {
                let rough = (1..mip_levels).map(|mip| {
                    let roughness = mip as f32 / (mip_levels - 1) as f32;
                    level(face, size >> mip, &|direction| reflected(&sharp, direction, roughness))
                });
                std::iter::once(sharp.faces[face][0].clone()).chain(rough).collect()
            })
            .collect();
        Self { diffuse, specular: CubeMap { size, mip_levels, faces } }
    }
}

/// Two unit vectors that complete `normal` to an orthonormal frame.
fn tangents(normal: Vec3) -> (Vec3, Vec3) {
    normal.any_orthonormal_pair()
}

/// Mean radiance over the lobe of a surface that is seen and lit along its normal. Source: Karis, "Real shading in Unreal
/// Engine 4", SIGGRAPH 2013 (importance sampling of GGX over the Hammersley set).
fn reflected(map: &CubeMap, normal: Vec3, perceptual_roughness: f32) -> Vec3 {
    const SAMPLES: u32 = 128;
    let alpha = perceptual_roughness * perceptual_roughness;
    let (right, up) = tangents(normal);
    let (mut sum, mut weight) = (Vec3::ZERO, 0.0);
    for i in 0..SAMPLES {
        let x = Vec2::new((i as f32 + 0.5) / SAMPLES as f32, i.reverse_bits() as f32 / u32::MAX as f32);
        let cos_theta = ((1.0 - x.x) / (1.0 + (alpha * alpha - 1.0) * x.x)).sqrt();
        let sin_theta = (1.0 - cos_theta * cos_theta).max(0.0).sqrt();
        let (sin_phi, cos_phi) = (std::f32::consts::TAU * x.y).sin_cos();
        let half = right * sin_theta * cos_phi + up * sin_theta * sin_phi + normal * cos_theta;
        let light = 2.0 * normal.dot(half) * half - normal;
        let cosine = normal.dot(light);
        if cosine > 0.0 {
            sum += map.nearest(light) * cosine;
            weight += cosine;
        }
    }
    if weight > 0.0 { sum / weight } else { map.nearest(normal) }
}

/// Rounds to the nearest half float; values beyond its range become the largest one. Source: IEEE 754-2019, binary16.
pub fn half_from_f32(x: f32) -> u16 {
    let x = if x.is_nan() { 0.0 } else { x.clamp(-65_504.0, 65_504.0) };
    let bits = x.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude < 0x3880_0000 {
        // Below the smallest normal half: a multiple of 2^−24.
        return sign | (f32::from_bits(magnitude) * 16_777_216.0).round() as u16;
    }
    let rounded = magnitude + 0x0fff + ((magnitude >> 13) & 1);
    sign | ((rounded - 0x3800_0000) >> 13) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_and_faces_are_inverse() {
        for face in 0..6 {
            for (s, t) in [(0.3, -0.7), (-0.9, 0.1), (0.0, 0.0)] {
                let (found, found_s, found_t) = face_of(direction_of(face, s, t));
                assert_eq!(found, face);
                assert!((found_s - s).abs() < 1e-6 && (found_t - t).abs() < 1e-6);
            }
        }
        assert_eq!(direction_of(5, 0.0, 0.0), Vec3::Z);
    }

    #[test]
    fn solid_angles_add_up_to_the_sphere() {
        let map = CubeMap::draw(32, |_| Vec3::ONE);
        let total: f32 = map.pixels().map(|(_, angle, _)| angle).sum();
        assert!((total - 4.0 * std::f32::consts::PI).abs() < 1e-2);
    }

    /// A sky of radiance 1 above the horizon: straight up the mean is 1, at a wall it is 1/2 (Lambert).
    #[test]
    fn a_half_bright_world_lights_walls_by_half() {
        let maps = EnvironmentMaps::filter(32, |direction| Vec3::splat(if direction.y > 0.0 { 1.0 } else { 0.0 }));
        assert!((maps.diffuse.nearest(Vec3::Y).x - 1.0).abs() < 0.05);
        assert!(maps.diffuse.nearest(-Vec3::Y).x < 0.05);
        let wall = 0.5
            * (maps.diffuse.nearest(Vec3::new(1.0, 0.01, 0.01)).x
                + maps.diffuse.nearest(Vec3::new(1.0, -0.01, 0.01)).x);
        assert!((wall - 0.5).abs() < 0.06, "{wall}");
        assert_eq!(maps.specular.mip_levels, 6);
        assert_eq!(maps.specular.faces[2][5].len(), 1);
    }

    #[test]
    fn half_floats_match_known_encodings() {
        let known = [
            (1.0, 0x3c00),
            (0.5, 0x3800),
            (-2.0, 0xc000),
            (65504.0, 0x7bff),
            (1e9, 0x7bff),
            (6.0e-8, 0x0001),
            (0.1, 0x2e66),
        ];
        for (value, bits) in known {
            assert_eq!(half_from_f32(value), bits, "{value}");
        }
    }
}
