//! What a generator made: its outputs as maps, a texture of whole bytes, and the pictures that materials want.
//!
//! In: the outputs of one run. Out: [`Maps`] (numbers), [`Texture`] (bytes; the form that is hashed and kept), [`Pictures`]
//! (RGBA with all levels, as Bevy's `StandardMaterial` wants them). The pictures follow from the texture alone, so that one
//! from the disk looks as one that was just made. What is absent: GPU types, files.

use bevy::math::{Vec3, Vec4};
use thiserror::Error;

use crate::{
    base::sha256_hex,
    inference::{NamedTensors, tensor::TensorError},
    signal::tiling::{
        SeamEnergy, hollows_from_height, linear_from_srgb, mip_chain, normals_from_height, srgb_from_linear,
    },
};

/// How far outside 0 to 1 a value may lie by rounding.
const SLACK: f32 = 1e-3;

/// Why the outputs of a run are not used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum BadMaps {
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error("output \"{name}\" is {found:?}, not [1, {channels}, rows, columns] with the extents of the others")]
    Shape { name: &'static str, found: Vec<usize>, channels: usize },
    #[error("output \"{name}\" holds {value}, which is not in 0 to 1")]
    Range { name: &'static str, value: f32 },
}

/// Planes of one texture, row-major, all values 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    /// Columns, texels.
    pub width: usize,
    /// Red, green, blue; sRGB.
    pub base_color: [Vec<f32>; 3],
    pub height: Vec<f32>,
    /// Perceptual roughness.
    pub roughness: Vec<f32>,
    pub metalness: Vec<f32>,
}

/// The outputs of a run as maps.
///
/// # Errors
/// - an output is missing, has another shape than promised, or holds what is not a number from 0 to 1
pub fn decode_maps(outputs: &NamedTensors) -> Result<Maps, BadMaps> {
    let base = outputs.f32("base_color")?;
    let [1, 3, rows, columns] = *base.shape() else {
        return Err(BadMaps::Shape { name: "base_color", found: base.shape().to_vec(), channels: 3 });
    };
    let plane = |name: &'static str, channels: usize| -> Result<Vec<f32>, BadMaps> {
        let tensor = outputs.f32(name)?;
        if tensor.shape() != [1, channels, rows, columns] {
            return Err(BadMaps::Shape { name, found: tensor.shape().to_vec(), channels });
        }
        // NaN is in no range.
        match tensor.iter().find(|value| !(-SLACK..=1.0 + SLACK).contains(*value)) {
            Some(value) => Err(BadMaps::Range { name, value: *value }),
            None => Ok(tensor.iter().map(|value| value.clamp(0.0, 1.0)).collect()),
        }
    };
    let mut red = plane("base_color", 3)?;
    let blue = red.split_off(2 * rows * columns);
    let green = red.split_off(rows * columns);
    Ok(Maps {
        width: columns,
        base_color: [red, green, blue],
        height: plane("height", 1)?,
        roughness: plane("roughness", 1)?,
        metalness: plane("metalness", 1)?,
    })
}

impl Maps {
    /// Gradient energy across the wrap and inside, of colour and height together.
    pub fn seam(&self) -> SeamEnergy {
        let planes = self.base_color.iter().chain([&self.height]);
        planes.map(|plane| SeamEnergy::of(plane, self.width)).fold(SeamEnergy::default(), SeamEnergy::plus)
    }
}

/// A texture of whole bytes: what is hashed, kept on disk and shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Texture {
    /// Columns, texels.
    pub width: u32,
    pub rows: u32,
    /// How far a height of 65,535 lies above one of 0, over the width.
    pub relief: f32,
    /// Red, green, blue per texel; sRGB.
    pub base_color: Vec<u8>,
    pub height: Vec<u16>,
    pub roughness: Vec<u8>,
    pub metalness: Vec<u8>,
}

/// Largest side of a texture that is read back, texels.
const MAX_SIDE: u32 = 1 << 13;

impl Texture {
    pub fn of(maps: &Maps, relief: f32) -> Self {
        let bytes = |plane: &[f32]| plane.iter().map(|value| byte(*value)).collect();
        let [red, green, blue] = &maps.base_color;
        let texels = red.iter().zip(green).zip(blue);
        Self {
            width: maps.width as u32,
            rows: (maps.height.len() / maps.width) as u32,
            relief,
            base_color: texels.flat_map(|((r, g), b)| [byte(*r), byte(*g), byte(*b)]).collect(),
            height: maps.height.iter().map(|value| (value * 65_535.0 + 0.5) as u16).collect(),
            roughness: bytes(&maps.roughness),
            metalness: bytes(&maps.metalness),
        }
    }

    /// All of it, little endian: sides, relief, then the maps one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 + self.height.len() * 7);
        bytes.extend(self.width.to_le_bytes());
        bytes.extend(self.rows.to_le_bytes());
        bytes.extend(self.relief.to_le_bytes());
        bytes.extend(&self.base_color);
        bytes.extend(self.height.iter().flat_map(|height| height.to_le_bytes()));
        bytes.extend(&self.roughness);
        bytes.extend(&self.metalness);
        bytes
    }

    /// What [`Self::to_bytes`] wrote; `None` if these bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| -> Option<[u8; 4]> { bytes.get(at..at + 4)?.try_into().ok() };
        let (width, rows) = (u32::from_le_bytes(word(0)?), u32::from_le_bytes(word(4)?));
        let relief = f32::from_le_bytes(word(8)?);
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&rows) || !(0.0..=1.0).contains(&relief) {
            return None;
        }
        let texels = (width * rows) as usize;
        let maps = bytes.get(12..).filter(|maps| maps.len() == 7 * texels)?;
        let (base_color, maps) = maps.split_at(3 * texels);
        let (height, maps) = maps.split_at(2 * texels);
        let (roughness, metalness) = maps.split_at(texels);
        Some(Self {
            width,
            rows,
            relief,
            base_color: base_color.to_vec(),
            height: height.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(),
            roughness: roughness.to_vec(),
            metalness: metalness.to_vec(),
        })
    }

    /// SHA-256 of all bytes, hexadecimal: equal textures have equal hashes.
    pub fn hash(&self) -> String {
        sha256_hex(self.to_bytes())
    }

    /// Mean colour, linear RGB.
    pub fn mean_color(&self) -> Vec3 {
        let table = linear_table();
        let sum: Vec3 = self
            .base_color
            .chunks_exact(3)
            .map(|texel| Vec3::new(table[texel[0] as usize], table[texel[1] as usize], table[texel[2] as usize]))
            .sum();
        sum / self.height.len().max(1) as f32
    }

    /// Mean roughness and metalness, 0 to 1.
    pub fn mean_surface(&self) -> (f32, f32) {
        let mean = |map: &[u8]| map.iter().map(|v| f32::from(*v)).sum::<f32>() / (255.0 * map.len().max(1) as f32);
        (mean(&self.roughness), mean(&self.metalness))
    }

    /// Heights, 0 to 1.
    pub fn heights(&self) -> Vec<f32> {
        self.height.iter().map(|height| f32::from(*height) / 65_535.0).collect()
    }

    /// Unit normals in tangent space: x along columns, y up in the picture.
    pub fn normals(&self) -> Vec<Vec3> {
        normals_from_height(&self.heights(), self.width as usize, self.relief)
    }

    /// Light that reaches each texel from around, 0 to 1.
    pub fn occlusion(&self) -> Vec<f32> {
        hollows_from_height(&self.heights(), self.width as usize, self.relief)
    }

    /// The pictures of a material.
    pub fn pictures(&self) -> Pictures {
        let width = self.width as usize;
        let table = linear_table();
        let unit = |value: u8| f32::from(value) / 255.0;
        let linear: Vec<Vec4> = self
            .base_color
            .chunks_exact(3)
            .map(|texel| Vec3::new(table[texel[0] as usize], table[texel[1] as usize], table[texel[2] as usize]))
            .map(|color| color.extend(1.0))
            .collect();
        let surface: Vec<Vec4> = (self.occlusion().into_iter().zip(&self.roughness).zip(&self.metalness))
            .map(|((light, roughness), metalness)| Vec4::new(light, unit(*roughness).max(0.03), unit(*metalness), 1.0))
            .collect();
        let normals = self.normals().into_iter().map(|normal| normal.extend(1.0)).collect();
        let srgb = |v: Vec4| Vec4::new(srgb_from_linear(v.x), srgb_from_linear(v.y), srgb_from_linear(v.z), 1.0);
        let renormalised = |v: Vec4| v.truncate().normalize_or(Vec3::Z).extend(1.0);
        let signed = |v: Vec4| (0.5 + 0.5 * v.truncate()).extend(1.0);
        Pictures {
            width: self.width,
            rows: self.rows,
            levels: self.width.max(self.rows).ilog2() + 1,
            base_color: encoded(mip_chain(linear, width, |v| v), srgb),
            normal: encoded(mip_chain(normals, width, renormalised), signed),
            surface: encoded(mip_chain(surface, width, |v| v), |v| v),
        }
    }
}

/// RGBA pictures of one texture, levels one after the other, largest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// Columns of the largest level.
    pub width: u32,
    pub rows: u32,
    pub levels: u32,
    /// sRGB.
    pub base_color: Vec<u8>,
    /// Tangent space, +Y up in the picture; 0.5 is 0.
    pub normal: Vec<u8>,
    /// Linear: red the light from around (occlusion), green the roughness, blue the metalness.
    pub surface: Vec<u8>,
}

fn encoded(levels: Vec<Vec<Vec4>>, encode: impl Fn(Vec4) -> Vec4) -> Vec<u8> {
    levels.iter().flatten().flat_map(|texel| encode(*texel).to_array().map(byte)).collect()
}

fn byte(x: f32) -> u8 {
    (x.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// Linear values of all sRGB bytes.
fn linear_table() -> [f32; 256] {
    std::array::from_fn(|value| linear_from_srgb(value as f32 / 255.0))
}

#[cfg(test)]
pub(super) mod tests {
    use std::f32::consts::TAU;

    use ndarray::Array;

    use super::*;

    /// Waves that tile, as a run's outputs; `size` texels wide and high.
    fn outputs(size: usize) -> NamedTensors {
        let wave = |phase: f32| {
            move |(_, c, y, x): (usize, usize, usize, usize)| {
                let (u, v) = (x as f32 / size as f32, y as f32 / size as f32);
                0.5 + 0.3 * (TAU * (2.0 * u + v) + phase + c as f32).sin()
            }
        };
        NamedTensors::new()
            .with("base_color", Array::from_shape_fn((1, 3, size, size), wave(0.0)))
            .with("height", Array::from_shape_fn((1, 1, size, size), wave(1.0)))
            .with("roughness", Array::from_shape_fn((1, 1, size, size), wave(2.0)))
            .with("metalness", Array::<f32, _>::zeros((1, 1, size, size)))
    }

    pub(crate) fn wavy(size: usize) -> Texture {
        Texture::of(&decode_maps(&outputs(size)).expect("good outputs"), 0.05)
    }

    #[test]
    fn what_is_no_number_from_0_to_1_is_refused() {
        for (value, fits) in [(f32::NAN, false), (f32::INFINITY, false), (-0.1, false), (1.2, false), (1.0005, true)] {
            let mut roughness = Array::<f32, _>::zeros((1, 1, 32, 32));
            roughness[[0, 0, 31, 3]] = value;
            let result = decode_maps(&outputs(32).with("roughness", roughness));
            assert_eq!(result.is_ok(), fits, "{value}");
            assert!(fits || result.unwrap_err().to_string().contains("\"roughness\" holds"));
        }
        let narrow = outputs(32).with("height", Array::<f32, _>::zeros((1, 1, 32, 16)));
        assert!(matches!(decode_maps(&narrow), Err(BadMaps::Shape { name: "height", .. })));
        let many = outputs(32).with("base_color", Array::<f32, _>::zeros((1, 4, 32, 32)));
        assert!(matches!(decode_maps(&many), Err(BadMaps::Shape { name: "base_color", .. })));
    }

    #[test]
    fn bytes_survive_a_round_trip_and_nothing_else_is_taken_for_them() {
        let texture = wavy(32);
        let bytes = texture.to_bytes();
        assert_eq!(Texture::from_bytes(&bytes).as_ref(), Some(&texture));
        assert_eq!(Texture::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Texture::from_bytes(&[]), None);
        assert_eq!(Texture::from_bytes(&[255; 64]), None);
        let mut other = texture.clone();
        other.metalness[5] ^= 1;
        assert_ne!(other.hash(), texture.hash());
        assert_eq!(texture.hash().len(), 64);
    }

    #[test]
    fn pictures_have_all_levels_and_normals_of_unit_length() {
        for size in [32, 96] {
            let pictures = wavy(size).pictures();
            let texels: usize = (0..pictures.levels).map(|level| ((size >> level).max(1)).pow(2)).sum();
            for picture in [&pictures.base_color, &pictures.normal, &pictures.surface] {
                assert_eq!(picture.len(), 4 * texels);
            }
            for texel in pictures.normal.chunks_exact(4) {
                let [x, y, z] = [0, 1, 2].map(|c| f32::from(texel[c]) / 127.5 - 1.0);
                let length = (x * x + y * y + z * z).sqrt();
                assert!((length - 1.0).abs() < 0.012 && z > 0.0, "{texel:?} has length {length}");
            }
        }
    }

    #[test]
    fn the_mean_is_that_of_linear_light_and_a_tiling_texture_has_no_seam() {
        let texture = wavy(64);
        // The last level is the mean.
        let pictures = texture.pictures();
        let last = &pictures.base_color[pictures.base_color.len() - 4..];
        for (channel, mean) in texture.mean_color().to_array().into_iter().enumerate() {
            assert!((linear_from_srgb(f32::from(last[channel]) / 255.0) - mean).abs() < 0.01);
        }
        let maps = decode_maps(&outputs(64)).unwrap();
        assert!((0.3..1.7).contains(&maps.seam().ratio()), "{}", maps.seam().ratio());
    }
}
