//! Labelled frames in memory: decoded once, so that epochs cost no decoding.

use crate::{
    base::PixelBox,
    signal::{MIN_SIDE, MIN_VISIBLE, TrueBox},
};

/// One labelled thing in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameLabel {
    /// Index of the class, from 0.
    pub class: usize,
    /// Tight around what is visible.
    pub region: PixelBox,
    /// 0 to 1.
    pub visible_fraction: f32,
}

impl FrameLabel {
    /// As it is scored: what is too small or too hidden is ignored.
    pub fn to_truth(self) -> TrueBox {
        self.to_truth_from(MIN_SIDE)
    }

    /// The same with another smallest side (pictures shown larger or smaller).
    pub fn to_truth_from(self, min_side: f32) -> TrueBox {
        let asked = self.visible_fraction >= MIN_VISIBLE && self.region.width.min(self.region.height) >= min_side;
        TrueBox { class: self.class, region: self.region, ignored: !asked }
    }
}

/// Frames of one size.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameSet {
    pub width: usize,
    pub height: usize,
    /// RGB, 8 bits a channel, frame after frame, row by row.
    pub pixels: Vec<u8>,
    pub labels: Vec<Vec<FrameLabel>>,
}

impl FrameSet {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Takes the last `count` frames off into a set of their own.
    pub fn split_off(&mut self, count: usize) -> FrameSet {
        let at = self.len().saturating_sub(count);
        let pixels = self.pixels.split_off(3 * self.width * self.height * at);
        FrameSet { width: self.width, height: self.height, pixels, labels: self.labels.split_off(at) }
    }

    /// The pixels of one frame.
    pub fn frame(&self, index: usize) -> &[u8] {
        let bytes = 3 * self.width * self.height;
        &self.pixels[index * bytes..][..bytes]
    }
}
