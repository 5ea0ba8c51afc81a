//! Pixels as PNG files.

use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder, ImageError, RgbImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

fn png(
    pixels: &[u8],
    width: u32,
    height: u32,
    kind: ExtendedColorType,
    filter: FilterType,
) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::with_capacity(pixels.len() / 2));
    // The fast setting is several times as fast as the default one and hardly larger on rendered pictures.
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, filter).write_image(pixels, width, height, kind)?;
    Ok(bytes.into_inner())
}

/// 8-bit sRGB.
pub(super) fn rgb_png(rgb: &RgbImage) -> Result<Vec<u8>, ImageError> {
    png(rgb.as_raw(), rgb.width(), rgb.height(), ExtendedColorType::Rgb8, FilterType::Paeth)
}

/// 16-bit millimetres; 0 where depth is infinite or beyond 65.535 m.
pub(super) fn depth_png(depth_m: &[f32], width: u32, height: u32) -> Result<Vec<u8>, ImageError> {
    // The encoder takes native byte order and writes PNG's.
    let pixels: Vec<u8> = depth_m.iter().flat_map(|depth| millimetres(*depth).to_ne_bytes()).collect();
    png(&pixels, width, height, ExtendedColorType::L16, FilterType::Up)
}

fn millimetres(depth_m: f32) -> u16 {
    let millimetres = (depth_m * 1000.0).round();
    if millimetres <= f32::from(u16::MAX) { millimetres as u16 } else { 0 }
}

/// 24-bit ids: red + 256 · green + 65536 · blue.
pub(super) fn ids_png(ids: &[u32], width: u32, height: u32) -> Result<Vec<u8>, ImageError> {
    let pixels: Vec<u8> = ids
        .iter()
        .flat_map(|id| {
            let [r, g, b, _] = id.to_le_bytes();
            [r, g, b]
        })
        .collect();
    png(&pixels, width, height, ExtendedColorType::Rgb8, FilterType::Up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_survives_the_file_to_the_millimetre() {
        let depths = [0.0504, 1.2346, 65.535, 65.6, f32::INFINITY, 3.0];
        let file = depth_png(&depths, 3, 2).expect("encoded");
        let back = image::load_from_memory(&file).expect("decoded").into_luma16().into_raw();
        assert_eq!(back, [50, 1235, 65535, 0, 0, 3000]);
    }

    #[test]
    fn ids_survive_the_file_to_the_last_bit() {
        let ids = [0, 1, 255, 256, 65_536, 16_777_215];
        let file = ids_png(&ids, 2, 3).expect("encoded");
        let back = image::load_from_memory(&file).expect("decoded").into_rgb8();
        let back: Vec<u32> = back.pixels().map(|p| u32::from_le_bytes([p.0[0], p.0[1], p.0[2], 0])).collect();
        assert_eq!(back, ids);
    }
}
