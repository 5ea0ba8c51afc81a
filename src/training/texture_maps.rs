//! From a photograph of a material to the maps that a renderer wants.
//!
//! In: base colour (sRGB) of a surface without shading, and what is known of its material. Out: height, roughness and
//! metalness of every pixel, 0 to 1. Photographs do not tell these; they are estimated from brightness: what is dark beside
//! its surroundings lies deep (dark-is-deep, Langer and Bülthoff, "Depth discrimination from shading under diffuse
//! lighting", Perception 2000), in walls and floors of many pieces what is narrow (a joint) lies deep, and what lies deep is
//! rougher. Edges wrap around, as the textures do.

use crate::signal::tiling::box_blurred;

/// What makes the relief of a material.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relief {
    /// Dark lies deep.
    DarkIsDeep,
    /// The rarer brightness (joints between pieces) lies deep.
    RareIsDeep,
}

/// What is known of a material before a picture of it is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surface {
    pub relief: Relief,
    /// Share of the full height that the relief takes, 0 to 1.
    pub height: f32,
    /// Roughness (perceptual) of high and of deep places.
    pub roughness: [f32; 2],
    /// Of grey places; strongly coloured ones (paint, rust) of a metal count as a quarter.
    pub metalness: f32,
}

/// Height, roughness and metalness, pixel by pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimatedMaps {
    pub height: Vec<f32>,
    pub roughness: Vec<f32>,
    pub metalness: Vec<f32>,
}

/// Pixels a side of the surroundings that a pixel is compared with, as a share of the width.
const SURROUNDINGS: f32 = 0.16;

/// Differences of brightness below this (0 to 1, standard deviation) are taken for noise, not for relief.
const LEAST_CONTRAST: f32 = 0.02;

/// Estimates the maps of an RGB picture (0 to 1, row by row).
pub fn estimate_maps(rgb: &[[f32; 3]], width: usize, surface: &Surface) -> EstimatedMaps {
    let luma: Vec<f32> = rgb.iter().map(|[r, g, b]| 0.299 * r + 0.587 * g + 0.114 * b).collect();
    let radius = ((SURROUNDINGS * width as f32) as usize / 2).max(1);
    let around = box_blurred(&box_blurred(&luma, width, radius), width, radius);
    let smooth = box_blurred(&luma, width, 1);
    let mut relief: Vec<f32> = smooth.iter().zip(&around).map(|(here, around)| here - around).collect();
    let count = relief.len() as f32;
    let deviation = (relief.iter().map(|value| value * value).sum::<f32>() / count).sqrt();
    if surface.relief == Relief::RareIsDeep {
        let skew = relief.iter().map(|value| value.powi(3)).sum::<f32>();
        if skew > 0.0 {
            relief.iter_mut().for_each(|value| *value = -*value);
        }
    }
    // Two standard deviations up or down are the ends; flat pictures stay flat.
    let scale = 0.25 * surface.height / deviation.max(LEAST_CONTRAST);
    let height: Vec<f32> = relief.iter().map(|value| (0.5 + scale * value).clamp(0.0, 1.0)).collect();
    let [high, deep] = surface.roughness;
    let roughness = height.iter().map(|height| (high + (deep - high) * (1.0 - height)).clamp(0.0, 1.0)).collect();
    let metalness = rgb
        .iter()
        .map(|[r, g, b]| {
            let (least, most) = (r.min(*g).min(*b), r.max(*g).max(*b));
            let saturation = (most - least) / most.max(0.05);
            let covered = ((saturation - 0.25) / 0.2).clamp(0.0, 1.0);
            surface.metalness * (1.0 - 0.75 * covered)
        })
        .collect();
    EstimatedMaps { height, roughness, metalness }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Surface = Surface { relief: Relief::RareIsDeep, height: 1.0, roughness: [0.6, 0.9], metalness: 0.0 };

    /// Pieces of 16 pixels with joints of two.
    fn wall(piece: f32, joint: f32) -> Vec<[f32; 3]> {
        (0..64 * 64).map(|i| if i % 64 % 16 < 2 || i / 64 % 16 < 2 { [joint; 3] } else { [piece; 3] }).collect()
    }

    #[test]
    fn joints_lie_deep_whether_dark_or_bright() {
        for (piece, joint) in [(0.4, 0.8), (0.6, 0.2)] {
            let maps = estimate_maps(&wall(piece, joint), 64, &WALL);
            let (deep, high) = (maps.height[8 * 64], maps.height[8 * 64 + 8]);
            assert!(deep < 0.3 && high > 0.5, "joint {deep}, piece {high}");
            assert!(maps.roughness[8 * 64] > maps.roughness[8 * 64 + 8]);
        }
    }

    #[test]
    fn a_flat_picture_is_flat() {
        let maps = estimate_maps(&[[0.3, 0.3, 0.3]; 32 * 32], 32, &WALL);
        assert!(maps.height.iter().all(|height| (height - 0.5).abs() < 1e-3));
    }

    #[test]
    fn rust_on_metal_is_less_metallic() {
        let metal = Surface { metalness: 1.0, ..WALL };
        let mut picture = vec![[0.6, 0.6, 0.6]; 16 * 16];
        picture[0] = [0.6, 0.25, 0.1];
        let maps = estimate_maps(&picture, 16, &metal);
        assert_eq!((maps.metalness[0], maps.metalness[1]), (0.25, 1.0));
    }
}
