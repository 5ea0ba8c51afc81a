//! The detector's two ends: a picture into tensors, tensors into what was seen. Pure; who runs the model is elsewhere.
//!
//! The model takes pixels as they are, `image` `[1, side, side, 3]` u8 RGB: scaling to 0..1 and the order of axes are in
//! its graph, so that no two callers can differ in them. It answers with `boxes` `[1, cells, 4]` (x, y, width, height in
//! pixels of its frame) and `scores` `[1, cells, classes]` (0 to 1).

use std::borrow::Cow;

use image::RgbImage;

use super::seen::Detection;
use crate::{
    base::{ClassId, PixelBox},
    signal::{Letterbox, RgbView, ScoredBox, Window, resample_bilinear, suppress_overlaps},
};

/// What the bars beside a picture of another shape are filled with, as in training.
pub const OUTSIDE: f32 = 114.0;

/// Boxes of one class that overlap by more are one thing.
pub const MAX_OVERLAP: f32 = 0.6;

/// Things kept per picture.
pub const MAX_DETECTIONS: usize = 200;

/// The picture as the model takes it: `side · side · 3` bytes, row by row, and where in them the picture is.
///
/// A picture of the model's own size is passed on as it is. Neither side of the picture may be 0.
pub fn encode(picture: &RgbImage, side: usize) -> (Cow<'_, [u8]>, Letterbox) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let letterbox = Letterbox::fit([width, height], [side, side]);
    if [width, height] == [side, side] {
        return (Cow::Borrowed(picture.as_raw()), letterbox);
    }
    let view = RgbView { width, height, pixels: picture.as_raw() };
    let window = Window { x: 0.0, y: 0.0, width: width as f32, height: height as f32, mirrored: false };
    let mut frame = vec![OUTSIDE; 3 * side * side];
    let (start, size) = ([letterbox.left, letterbox.top], [letterbox.width, letterbox.height]);
    resample_bilinear(view, window, &mut frame, side, start, size, OUTSIDE);
    (Cow::Owned(frame.into_iter().map(|value| value.round() as u8).collect()), letterbox)
}

/// All boxes of the model's answer with at least `min_score`, overlaps removed, best first; in pixels of its frame.
///
/// `boxes` is `cells × 4`, `scores` is `cells × classes`; extra elements of either are not looked at.
pub fn decode_boxes(boxes: &[f32], scores: &[f32], classes: usize, min_score: f32) -> Vec<ScoredBox> {
    let mut candidates = Vec::new();
    for (corner, cell_scores) in boxes.chunks_exact(4).zip(scores.chunks_exact(classes.max(1))) {
        let &[x, y, width, height] = corner else { continue };
        for (class, &score) in cell_scores.iter().enumerate().filter(|(_, score)| **score >= min_score) {
            candidates.push(ScoredBox { class, score, region: PixelBox { x, y, width, height } });
        }
    }
    suppress_overlaps(candidates, MAX_OVERLAP, MAX_DETECTIONS)
}

/// The model's answer as detections in pixels of the picture that went into [`encode`], cut at its edges.
///
/// Class ids follow the model's labels, which are in the order of the class table.
pub fn decode(
    boxes: &[f32],
    scores: &[f32],
    classes: usize,
    min_score: f32,
    letterbox: &Letterbox,
    picture_size: [u32; 2],
) -> Vec<Detection> {
    let [width, height] = picture_size.map(|side| side as f32);
    decode_boxes(boxes, scores, classes, min_score)
        .into_iter()
        .map(|found| {
            let whole = letterbox.to_picture(found.region);
            let (x, y) = (whole.x.clamp(0.0, width), whole.y.clamp(0.0, height));
            let region = PixelBox {
                x,
                y,
                width: (whole.x + whole.width).clamp(x, width) - x,
                height: (whole.y + whole.height).clamp(y, height) - y,
            };
            Detection { class: ClassId(found.class as u16 + 1), confidence: found.score, region }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_the_right_size_is_not_touched() {
        let picture = RgbImage::from_fn(32, 32, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let (bytes, letterbox) = encode(&picture, 32);
        assert!(matches!(bytes, Cow::Borrowed(_)));
        assert_eq!(letterbox.scale, 1.0);
    }

    #[test]
    fn boxes_come_back_in_pixels_of_the_picture() {
        let picture = RgbImage::from_pixel(64, 32, image::Rgb([200, 0, 0]));
        let (bytes, letterbox) = encode(&picture, 32);
        assert_eq!(&bytes[..3], &[114, 114, 114], "a bar above");
        assert_eq!(&bytes[3 * 16 * 32..][..3], &[200, 0, 0], "the picture in the middle");
        // Two cells for one thing, and one that is unsure.
        let boxes = [4.0, 10.0, 8.0, 4.0, 4.0, 10.0, 8.0, 4.5, -4.0, 9.0, 8.0, 4.0];
        let scores = [0.1, 0.9, 0.0, 0.8, 0.3, 0.0];
        let found = decode(&boxes, &scores, 2, 0.25, &letterbox, [64, 32]);
        let region = PixelBox { x: 8.0, y: 4.0, width: 16.0, height: 8.0 };
        let cut = PixelBox { x: 0.0, y: 2.0, width: 8.0, height: 8.0 };
        assert_eq!(
            found,
            [
                Detection { class: ClassId(2), confidence: 0.9, region },
                Detection { class: ClassId(1), confidence: 0.3, region: cut }
            ]
        );
    }
}
