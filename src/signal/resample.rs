//! Pictures of other sizes: bilinear windows, and fitting a picture into a fixed frame.

use crate::base::PixelBox;

/// Borrowed RGB pixels, 8 bits a channel, row by row from the top left.
#[derive(Clone, Copy, Debug)]
pub struct RgbView<'a> {
    pub width: usize,
    pub height: usize,
    /// `3 · width · height` bytes.
    pub pixels: &'a [u8],
}

/// A rectangle of a source picture in its pixels; it may reach beyond the picture and may be mirrored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    /// Whether left and right are exchanged.
    pub mirrored: bool,
}

/// Fills the `width` × `height` rectangle at (`left`, `top`) of `target`, whose rows are `target_width` long, with what
/// `window` shows of `source`; bilinear, pixel centres at half integers, `outside` where there is no picture.
///
/// Values keep their range, 0 to 255.
#[allow(clippy::too_many_arguments)]
pub fn resample_bilinear(
    source: RgbView<'_>,
    window: Window,
    target: &mut [f32],
    target_width: usize,
    [left, top]: [usize; 2],
    [width, height]: [usize; 2],
    outside: f32,
) {
    let columns: Vec<Tap> = (0..width)
        .map(|column| {
            let u = (column as f32 + 0.5) / width as f32;
            let u = if window.mirrored { 1.0 - u } else { u };
            Tap::at(window.x + u * window.width - 0.5, source.width)
        })
        .collect();
    for row in 0..height {
        let vertical = Tap::at(window.y + (row as f32 + 0.5) / height as f32 * window.height - 0.5, source.height);
        let start = 3 * ((top + row) * target_width + left);
        let line = &mut target[start..start + 3 * width];
        if !vertical.inside {
            line.fill(outside);
            continue;
        }
        let upper = &source.pixels[3 * source.width * vertical.low..][..3 * source.width];
        let lower = &source.pixels[3 * source.width * vertical.high..][..3 * source.width];
        for (pixel, tap) in line.chunks_exact_mut(3).zip(&columns) {
            if !tap.inside {
                pixel.fill(outside);
                continue;
            }
            for (channel, value) in pixel.iter_mut().enumerate() {
                let at = |line: &[u8], column: usize| f32::from(line[3 * column + channel]);
                let above = at(upper, tap.low) + (at(upper, tap.high) - at(upper, tap.low)) * tap.weight;
                let below = at(lower, tap.low) + (at(lower, tap.high) - at(lower, tap.low)) * tap.weight;
                *value = above + (below - above) * vertical.weight;
            }
        }
    }
}

/// Two neighbours on one axis and the weight of the higher one.
#[derive(Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    weight: f32,
    inside: bool,
}

impl Tap {
    fn at(position: f32, length: usize) -> Self {
        let inside = position >= -0.5 && position < length as f32 - 0.5;
        let held = position.clamp(0.0, (length - 1) as f32);
        let low = held as usize;
        Self { low, high: (low + 1).min(length - 1), weight: held - low as f32, inside }
    }
}

/// How a picture of any size sits in a fixed frame: scaled alike on both axes, centred, with bars where it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// Frame pixels per picture pixel.
    pub scale: f32,
    /// Picture's top left in the frame, pixels.
    pub left: usize,
    pub top: usize,
    /// Picture's size in the frame, pixels.
    pub width: usize,
    pub height: usize,
}

impl Letterbox {
    /// Fits `picture` (width, height) into `frame` (width, height); no side of the picture may be 0.
    pub fn fit(picture: [usize; 2], frame: [usize; 2]) -> Self {
        let scale = (frame[0] as f32 / picture[0] as f32).min(frame[1] as f32 / picture[1] as f32);
        let width = ((picture[0] as f32 * scale).round() as usize).clamp(1, frame[0]);
        let height = ((picture[1] as f32 * scale).round() as usize).clamp(1, frame[1]);
        Self { scale, left: (frame[0] - width) / 2, top: (frame[1] - height) / 2, width, height }
    }

    /// A box of the frame, in pixels of the picture.
    pub fn to_picture(&self, region: PixelBox) -> PixelBox {
        PixelBox {
            x: (region.x - self.left as f32) / self.scale,
            y: (region.y - self.top as f32) / self.scale,
            width: region.width / self.scale,
            height: region.height / self.scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_window_of_equal_size_is_the_picture_and_mirrors() {
        let pixels: Vec<u8> = (0..2 * 3 * 3).map(|v| v * 10).collect();
        let source = RgbView { width: 3, height: 2, pixels: &pixels };
        let window = Window { x: 0.0, y: 0.0, width: 3.0, height: 2.0, mirrored: false };
        let mut target = vec![0.0; pixels.len()];
        resample_bilinear(source, window, &mut target, 3, [0, 0], [3, 2], 114.0);
        assert!(target.iter().zip(&pixels).all(|(a, b)| *a == f32::from(*b)));
        resample_bilinear(source, Window { mirrored: true, ..window }, &mut target, 3, [0, 0], [3, 2], 114.0);
        assert_eq!(&target[..3], &[60.0, 70.0, 80.0]);
    }

    #[test]
    fn outside_the_picture_is_grey_and_between_pixels_is_the_mean() {
        let source = RgbView { width: 2, height: 1, pixels: &[0, 0, 0, 100, 100, 100] };
        let mut target = vec![0.0; 9];
        let window = Window { x: 0.5, y: 0.0, width: 3.0, height: 1.0, mirrored: false };
        resample_bilinear(source, window, &mut target, 3, [0, 0], [3, 1], 114.0);
        assert_eq!(target, [50.0, 50.0, 50.0, 114.0, 114.0, 114.0, 114.0, 114.0, 114.0]);
    }

    #[test]
    fn a_wide_picture_gets_bars_above_and_below() {
        let letterbox = Letterbox::fit([640, 320], [320, 320]);
        assert_eq!(letterbox, Letterbox { scale: 0.5, left: 0, top: 80, width: 320, height: 160 });
        let region = letterbox.to_picture(PixelBox { x: 10.0, y: 90.0, width: 20.0, height: 30.0 });
        assert_eq!(region, PixelBox { x: 20.0, y: 20.0, width: 40.0, height: 60.0 });
    }
}
