//! From the bytes of a capture to an observation: strips row padding, decodes labels, works out the truth.
//!
//! In: [`Capture`]. Out: [`Observation`]. A pure function; it may run on any thread.

use std::sync::Arc;

use bevy::math::{Vec2, Vec3, Vec3Swizzles};
use image::RgbImage;

use super::{
    GroundTruth, Observation,
    capture::{BufferLayout, Capture},
    truth::object_truths,
};

/// The observation that a capture holds.
pub fn develop(capture: &Capture) -> Observation {
    let Capture { stamp, layout, bytes } = capture;
    let (width, height) = (stamp.intrinsics.width, stamp.intrinsics.height);
    let rgb = rgb_image(bytes, width, height, layout.rgb_row);
    let truth = stamp.bodies.as_ref().map(|bodies| {
        let labels = &bytes[layout.label_offset as usize..];
        let (instances, depth_m, normals) = decode_labels(labels, width, height, layout.label_row);
        let objects = object_truths(&instances, bodies, &stamp.intrinsics, stamp.world_from_view);
        Arc::new(GroundTruth { instances, depth_m, normals, objects })
    });
    Observation {
        eye: stamp.eye,
        tick: stamp.tick,
        world_from_view: stamp.world_from_view,
        intrinsics: stamp.intrinsics,
        rgb: Arc::new(rgb),
        truth,
    }
}

/// Rows of RGBA bytes, `row` bytes apart, without their alpha.
fn rgb_image(bytes: &[u8], width: u32, height: u32, row: u32) -> RgbImage {
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for line in bytes.chunks_exact(row as usize).take(height as usize) {
        let rgba = line[..(width * BufferLayout::RGB_PIXEL) as usize].as_chunks::<4>().0;
        pixels.extend(rgba.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]));
    }
    RgbImage::from_raw(width, height, pixels).unwrap_or_else(|| RgbImage::new(width, height))
}

/// (instance ids, depths in metres, world normals) of rows of label texels, `row` bytes apart.
fn decode_labels(bytes: &[u8], width: u32, height: u32, row: u32) -> (Vec<u32>, Vec<f32>, Vec<Vec3>) {
    let count = (width * height) as usize;
    let (mut instances, mut depths, mut normals) =
        (Vec::with_capacity(count), Vec::with_capacity(count), Vec::with_capacity(count));
    for line in bytes.chunks_exact(row as usize).take(height as usize) {
        let texels = line[..(width * BufferLayout::LABEL_PIXEL) as usize].as_chunks::<16>().0;
        for texel in texels {
            let [id, depth, x, y] =
                [0, 4, 8, 12].map(|at| f32::from_le_bytes([texel[at], texel[at + 1], texel[at + 2], texel[at + 3]]));
            // The clear colour is zero, and nothing drawn can be at depth 0.
            let drawn = depth > 0.0;
            instances.push(id as u32);
            depths.push(if drawn { depth } else { f32::INFINITY });
            normals.push(if drawn { from_octahedral(Vec2::new(x, y)) } else { Vec3::ZERO });
        }
    }
    (instances, depths, normals)
}

/// The unit vector of a point in [−1, 1]²; the inverse of `octahedral` in `label.wgsl`.
fn from_octahedral(p: Vec2) -> Vec3 {
    let z = 1.0 - p.x.abs() - p.y.abs();
    let fold = (-z).max(0.0);
    let sign = Vec2::new(1_f32.copysign(p.x), 1_f32.copysign(p.y));
    (p - sign * fold).extend(z).normalize().xyz()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_stripped() {
        let mut bytes = vec![9; 512];
        bytes[..8].copy_from_slice(&[1, 2, 3, 255, 4, 5, 6, 255]);
        bytes[256..264].copy_from_slice(&[7, 8, 9, 255, 10, 11, 12, 255]);
        assert_eq!(rgb_image(&bytes, 2, 2, 256).into_raw(), (1..=12).collect::<Vec<u8>>());
    }

    #[test]
    fn octahedral_vectors_decode() {
        // Corners and edges of the map by hand: the four corners all fold onto −Z.
        assert_eq!(from_octahedral(Vec2::ZERO), Vec3::Z);
        assert_eq!(from_octahedral(Vec2::X), Vec3::X);
        assert_eq!(from_octahedral(Vec2::new(0.0, -1.0)), Vec3::NEG_Y);
        assert_eq!(from_octahedral(Vec2::new(1.0, 1.0)), Vec3::NEG_Z);
        let oblique = from_octahedral(Vec2::new(1.0 / 3.0, 1.0 / 3.0));
        assert!((oblique - Vec3::splat(1.0 / 3_f32.sqrt())).length() < 1e-6);
    }

    #[test]
    fn labels_decode_and_nothing_is_infinitely_far() {
        let mut bytes = Vec::new();
        for value in [16_777_215.0_f32, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.resize(256, 7);
        let (instances, depths, normals) = decode_labels(&bytes, 2, 1, 256);
        assert_eq!(instances, [16_777_215, 0]);
        assert_eq!(depths, [2.5, f32::INFINITY]);
        assert_eq!(normals, [Vec3::Z, Vec3::ZERO]);
    }
}
