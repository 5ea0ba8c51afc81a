//! A frame as it might also have looked: mirrored, moved, nearer, four in one, tiled with close-ups, in other light, noisier.
//!
//! In: frames and a seed. Out: one training picture with its labels. Pure: the same seed gives the same picture.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    close_ups::Subjects,
    frames::{FrameLabel, FrameSet},
};
use crate::{
    base::{PixelBox, Seed},
    signal::{RgbView, TrueBox, Window, resample_bilinear},
};

/// What is shown where a picture ends.
const OUTSIDE: f32 = 114.0;

/// Boxes are asked for down to this side (pixels) in training: a little less than in scoring, so that the limit itself
/// is not where the network knows least.
const MIN_TRAINED_SIDE: f32 = 9.0;

/// How far pictures are changed. Everything at zero shows the frame as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// Share of pictures that are tiled with close-ups of things.
    pub close_ups: f32,
    /// Share of the others made of four frames.
    pub mosaic: f32,
    /// Greatest factor by which a frame is shown larger or smaller.
    pub max_zoom: f32,
    /// 0 to 1: strength of changes to light and colour.
    pub light: f32,
    /// Whether left and right may be exchanged.
    pub mirror: bool,
}

impl Augmentation {
    pub const NONE: Self = Self { close_ups: 0.0, mosaic: 0.0, max_zoom: 1.0, light: 0.0, mirror: false };
    pub const FULL: Self = Self { close_ups: 0.7, mosaic: 0.25, max_zoom: 1.4, light: 1.0, mirror: true };
    /// For the last part of a training: pictures like those that play shows.
    pub const GENTLE: Self = Self { close_ups: 0.0, mosaic: 0.0, max_zoom: 1.15, light: 0.6, mirror: true };
}

/// One training picture.
#[derive(Clone, Debug)]
pub struct Sample {
    /// RGB, 0 to 1, `[side, side, 3]`.
    pub pixels: Vec<f32>,
    pub truths: Vec<TrueBox>,
}

/// Makes a `side` × `side` picture of frame `index` (and of others, for a mosaic), or of close-ups of `subjects`.
pub fn make_sample(
    frames: &FrameSet,
    subjects: &Subjects,
    index: usize,
    side: usize,
    augmentation: &Augmentation,
    seed: Seed,
) -> Sample {
    let mut rng = seed.rng();
    let mut canvas = Canvas { side, pixels: vec![OUTSIDE; 3 * side * side], truths: Vec::new() };
    if rng.random::<f32>() < augmentation.close_ups {
        let tiles = Subjects::draw_tiles(&mut rng);
        for tile in 0..tiles * tiles {
            // Where a row begins and ends, to the pixel.
            let edge = |number: usize| number * side / tiles;
            let start = [tile % tiles, tile / tiles];
            let size = start.map(|number| edge(number + 1) - edge(number));
            let place = Place { start: start.map(edge), size };
            if let Some(subject) = subjects.draw(side as f32 / tiles as f32, &mut rng) {
                canvas.show(frames, subject.frame, Some(subject.region), place, augmentation, &mut rng);
            }
        }
    } else if rng.random::<f32>() < augmentation.mosaic {
        let split: [usize; 2] = std::array::from_fn(|_| (side as f32 * rng.random_range(0.35..0.65)) as usize);
        for corner in 0..4 {
            let (column, row) = (corner % 2, corner / 2);
            let start = [[0, split[0]][column], [0, split[1]][row]];
            let size = [[split[0], side - split[0]][column], [split[1], side - split[1]][row]];
            let frame = if corner == 0 { index } else { rng.random_range(0..frames.len()) };
            canvas.show(frames, frame, None, Place { start, size }, augmentation, &mut rng);
        }
    } else {
        let whole = Place { start: [0; 2], size: [side; 2] };
        canvas.show(frames, index, None, whole, augmentation, &mut rng);
    }
    let Canvas { mut pixels, truths, .. } = canvas;
    change_light(&mut pixels, augmentation.light, &mut rng);
    Sample { pixels, truths }
}

/// A rectangle of the picture, in pixels: (x, y), then (width, height).
#[derive(Clone, Copy, Debug)]
struct Place {
    start: [usize; 2],
    size: [usize; 2],
}

/// A picture in the making; values 0 to 255.
struct Canvas {
    side: usize,
    pixels: Vec<f32>,
    truths: Vec<TrueBox>,
}

impl Canvas {
    /// Shows a window of a frame in a rectangle of the picture, and its labels that are still to be seen there. The window lies
    /// anywhere, or around `subject`.
    fn show(
        &mut self,
        frames: &FrameSet,
        index: usize,
        subject: Option<PixelBox>,
        Place { start, size }: Place,
        augmentation: &Augmentation,
        rng: &mut ChaCha8Rng,
    ) {
        let (frame_width, frame_height) = (frames.width as f32, frames.height as f32);
        let zoom = augmentation.max_zoom.powf(rng.random_range(-1.0..=1.0));
        let stretch = augmentation.max_zoom.powf(0.2 * rng.random_range(-1.0..=1.0));
        let (zoom_x, zoom_y) = (zoom * stretch, zoom / stretch);
        // Without any change the whole frame fills the rectangle; with changes pixels keep about their size.
        let (width, height) = if augmentation.max_zoom == 1.0 {
            (frame_width, frame_height)
        } else {
            (size[0] as f32 / zoom_x, size[1] as f32 / zoom_y)
        };
        // Where a window may begin along one axis, from the frame's extent, its own and the subject's.
        let mut offset = |frame: f32, window: f32, subject: Option<[f32; 2]>| {
            let slack = frame - window;
            let [mut low, mut high] = [0.0, slack];
            if let Some([start, extent]) = subject {
                let bound = |at: f32| at.clamp(slack.min(0.0), slack.max(0.0));
                [low, high] = [bound(start + extent - window), bound(start)];
            }
            low + (high - low) * rng.random_range(0.0..=1.0)
        };
        let window = Window {
            x: offset(frame_width, width, subject.map(|region| [region.x, region.width])),
            y: offset(frame_height, height, subject.map(|region| [region.y, region.height])),
            width,
            height,
            mirrored: augmentation.mirror && rng.random::<bool>(),
        };
        let view = RgbView { width: frames.width, height: frames.height, pixels: frames.frame(index) };
        resample_bilinear(view, window, &mut self.pixels, self.side, start, size, OUTSIDE);
        self.truths.extend(frames.labels[index].iter().filter_map(|label| seen_through(label, window, start, size)));
    }
}

/// A label as it appears in the rectangle at `start` of `size` that shows `window`; `None` where nothing of it does.
fn seen_through(label: &FrameLabel, window: Window, start: [usize; 2], size: [usize; 2]) -> Option<TrueBox> {
    let (scale_x, scale_y) = (size[0] as f32 / window.width, size[1] as f32 / window.height);
    let left = label.region.x - window.x;
    let left = if window.mirrored { window.width - left - label.region.width } else { left };
    let top = label.region.y - window.y;
    let whole = PixelBox {
        x: left * scale_x,
        y: top * scale_y,
        width: label.region.width * scale_x,
        height: label.region.height * scale_y,
    };
    let x = whole.x.max(0.0);
    let y = whole.y.max(0.0);
    let width = (whole.x + whole.width).min(size[0] as f32) - x;
    let height = (whole.y + whole.height).min(size[1] as f32) - y;
    if width <= 1.0 || height <= 1.0 {
        return None;
    }
    let region = PixelBox { x: x + start[0] as f32, y: y + start[1] as f32, width, height };
    let visible_fraction = label.visible_fraction * region.area() / whole.area().max(f32::EPSILON);
    Some(FrameLabel { class: label.class, region, visible_fraction }.to_truth_from(MIN_TRAINED_SIDE))
}

/// Brightness, contrast, tint, saturation, noise, and now and then a grey patch; to 0..1 on the way.
fn change_light(pixels: &mut [f32], strength: f32, rng: &mut ChaCha8Rng) {
    let mut around = |spread: f32| 1.0 + strength * spread * rng.random_range(-1.0..=1.0_f32);
    let gain = around(0.35) / 255.0;
    let contrast = around(0.25);
    let saturation = around(0.4);
    let tint: [f32; 3] = std::array::from_fn(|_| around(0.1) * gain);
    let noise = strength * 0.03 * rng.random_range(0.0..1.0_f32).powi(2);
    // A cheap generator of its own for the noise: eight bits a value are plenty.
    let mut state: u64 = rng.random::<u64>() | 1;
    for pixel in pixels.chunks_exact_mut(3) {
        let grey = (pixel[0] * 0.299 + pixel[1] * 0.587 + pixel[2] * 0.114) * (1.0 - saturation);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for (channel, value) in pixel.iter_mut().enumerate() {
            let random = ((state >> (32 + 8 * channel)) & 0xff) as f32 / 127.5 - 1.0;
            let lit = (*value * saturation + grey) * tint[channel];
            *value = ((lit - 0.45) * contrast + 0.45 + noise * random).clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_frame() -> FrameSet {
        let mut pixels = vec![20_u8; 3 * 64 * 64];
        for y in 10..30 {
            for x in 8..40 {
                pixels[3 * (y * 64 + x)] = 250;
            }
        }
        let region = PixelBox { x: 8.0, y: 10.0, width: 32.0, height: 20.0 };
        FrameSet {
            width: 64,
            height: 64,
            pixels,
            labels: vec![vec![FrameLabel { class: 3, region, visible_fraction: 1.0 }]],
        }
    }

    #[test]
    fn nothing_asked_nothing_changed() {
        let frames = one_frame();
        let sample = make_sample(&frames, &Subjects::of(&frames), 0, 64, &Augmentation::NONE, Seed(1));
        assert!(sample.pixels.iter().zip(&frames.pixels).all(|(a, b)| (a - f32::from(*b) / 255.0).abs() < 1e-5));
        assert_eq!(sample.truths[0].region, frames.labels[0][0].region);
    }

    #[test]
    fn labels_move_with_the_pixels() {
        let frames = one_frame();
        let mosaics = Augmentation { close_ups: 0.0, light: 0.0, mosaic: 0.5, ..Augmentation::FULL };
        // In tiles of 64 pixels the block is a close-up.
        let close_ups = Augmentation { close_ups: 1.0, ..mosaics };
        for (side, changes, least) in [(64, &mosaics, 40), (128, &close_ups, 100)] {
            let mut checked = 0;
            for index in 0..60 {
                let sample = make_sample(&frames, &Subjects::of(&frames), 0, side, changes, Seed(5).nth(index));
                for truth in sample.truths.iter().filter(|truth| !truth.ignored) {
                    // The label is the red block: inside is red, just outside is not.
                    let red = |x: f32, y: f32| sample.pixels[3 * (y as usize * side + x as usize)] > 0.75;
                    let [x, y] = truth.region.center();
                    assert!(red(x, y), "seed {index}: {truth:?}");
                    checked += 1;
                }
            }
            assert!(checked > least, "only {checked} labels were still to be seen in pictures of {side} pixels");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_picture() {
        let frames = one_frame();
        let make = |seed| make_sample(&frames, &Subjects::of(&frames), 0, 64, &Augmentation::FULL, Seed(seed)).pixels;
        assert_eq!(make(3), make(3));
        assert_ne!(make(3), make(4));
    }
}
