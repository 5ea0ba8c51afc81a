//! Boxes and names drawn into a picture.

use std::{fs, path::Path};

use ab_glyph::{Font, FontVec, PxScale, ScaleFont, point};
use anyhow::Context;
use image::{Rgb, RgbImage};

use crate::{base::PixelBox, percepts::Detection};

/// Height of the letters in a picture of this many pixels' height, and never less than [`MIN_LETTER`].
const LETTER_SHARE: f32 = 1.0 / 26.0;
/// Pixels.
const MIN_LETTER: f32 = 13.0;

/// Draws each detection as a box in a colour of its class with name and percentage above it. Small pictures are enlarged
/// first, so that the letters can be read.
///
/// # Errors
/// - the font cannot be read
pub fn annotate(picture: RgbImage, named: &[(&str, Detection)], font: &Path) -> anyhow::Result<RgbImage> {
    let font = read_font(font)?;
    let enlarged = 1.max(640 / picture.height().max(1)).min(3);
    let mut canvas = if enlarged > 1 {
        let (width, height) = (picture.width() * enlarged, picture.height() * enlarged);
        image::imageops::resize(&picture, width, height, image::imageops::FilterType::Triangle)
    } else {
        picture
    };
    let scale = PxScale::from((canvas.height() as f32 * LETTER_SHARE).max(MIN_LETTER));
    // The surest last, so that it is on top.
    for (label, found) in named.iter().rev() {
        let by = enlarged as f32;
        let region = found.region;
        let region =
            PixelBox { x: region.x * by, y: region.y * by, width: region.width * by, height: region.height * by };
        let colour = class_colour(found.class.0);
        outline(&mut canvas, &region, colour, 2);
        let text = format!("{label} {:.0}", 100.0 * found.confidence);
        write_label(&mut canvas, &text, &region, colour, &font, scale);
    }
    Ok(canvas)
}

/// A font file.
///
/// # Errors
/// - it cannot be read, or is no font
pub fn read_font(path: &Path) -> anyhow::Result<FontVec> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    FontVec::try_from_vec(bytes).with_context(|| format!("{} is no font", path.display()))
}

/// Writes dark letters, `size` pixels high, to the right of and below `corner`.
pub fn write_line(canvas: &mut RgbImage, text: &str, corner: [u32; 2], size: f32, font: &FontVec) {
    write_letters(canvas, text, corner.map(|c| c as f32), font, PxScale::from(size));
}

/// Colours far from each other for neighbouring ids: hues a golden angle apart, all bright enough for dark letters.
fn class_colour(class: u16) -> Rgb<u8> {
    let hue = f32::from(class) * 2.399_963;
    let part = |shift: f32| (176.0 + 79.0 * (hue + shift).cos()) as u8;
    Rgb([part(0.0), part(-2.094), part(2.094)])
}

fn outline(canvas: &mut RgbImage, region: &PixelBox, colour: Rgb<u8>, thickness: i32) {
    let (left, top) = (region.x.round() as i32, region.y.round() as i32);
    let (right, bottom) = ((region.x + region.width).round() as i32, (region.y + region.height).round() as i32);
    fill(canvas, [left, top], [right, top + thickness], colour);
    fill(canvas, [left, bottom - thickness], [right, bottom], colour);
    fill(canvas, [left, top], [left + thickness, bottom], colour);
    fill(canvas, [right - thickness, top], [right, bottom], colour);
}

/// Fills `[from, to)` as far as it lies in the picture.
fn fill(canvas: &mut RgbImage, from: [i32; 2], to: [i32; 2], colour: Rgb<u8>) {
    let (width, height) = (canvas.width() as i32, canvas.height() as i32);
    for y in from[1].clamp(0, height)..to[1].clamp(0, height) {
        for x in from[0].clamp(0, width)..to[0].clamp(0, width) {
            canvas.put_pixel(x as u32, y as u32, colour);
        }
    }
}

/// Dark letters on the class's colour, above the box or, at the picture's upper edge, inside it.
fn write_label(canvas: &mut RgbImage, text: &str, region: &PixelBox, colour: Rgb<u8>, font: &FontVec, scale: PxScale) {
    let scaled = font.as_scaled(scale);
    let width: f32 = text.chars().map(|letter| scaled.h_advance(scaled.glyph_id(letter))).sum();
    let height = scaled.height();
    let top = if region.y >= height { region.y - height } else { region.y };
    let left = region.x.min(canvas.width() as f32 - width - 6.0).max(0.0);
    let corner = [left as i32, top as i32];
    fill(canvas, corner, [(left + width) as i32 + 6, (top + height) as i32], colour);
    write_letters(canvas, text, [left + 3.0, top], font, scale);
}

/// Letters darken what is there.
fn write_letters(canvas: &mut RgbImage, text: &str, corner: [f32; 2], font: &FontVec, scale: PxScale) {
    let scaled = font.as_scaled(scale);
    let [mut x, top] = corner;
    for letter in text.chars() {
        let id = scaled.glyph_id(letter);
        let glyph = id.with_scale_and_position(scale, point(x, top + scaled.ascent()));
        x += scaled.h_advance(id);
        let Some(drawn) = font.outline_glyph(glyph) else { continue };
        let bounds = drawn.px_bounds();
        drawn.draw(|column, row, cover| {
            let (x, y) = (bounds.min.x as i32 + column as i32, bounds.min.y as i32 + row as i32);
            if x >= 0 && y >= 0 && x < canvas.width() as i32 && y < canvas.height() as i32 {
                let pixel = canvas.get_pixel_mut(x as u32, y as u32);
                for value in &mut pixel.0 {
                    *value = (f32::from(*value) * (1.0 - cover.min(1.0))) as u8;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ClassId;

    #[test]
    fn boxes_and_names_are_drawn_where_they_belong() {
        let font = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts/Lato-Medium.ttf");
        let region = PixelBox { x: 200.0, y: 300.0, width: 100.0, height: 80.0 };
        let found = Detection { class: ClassId(3), confidence: 0.87, region };
        let drawn = annotate(RgbImage::new(640, 640), &[("plate", found)], &font).expect("drawn");
        assert_eq!(drawn.get_pixel(200, 350), &class_colour(3), "the left edge");
        assert_eq!(drawn.get_pixel(250, 340).0, [0, 0, 0], "the inside stays");
        let label = (0..100).filter(|x| drawn.get_pixel(200 + x, 285).0 != [0, 0, 0]).count();
        assert!(label > 50, "no label above the box");
    }
}
