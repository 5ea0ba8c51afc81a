//! Axis-aligned boxes in pictures.

use serde::{Deserialize, Serialize};

/// An axis-aligned box in pixels: origin at the picture's top left, x right, y down. `[x, x + width)` is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PixelBox {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl PixelBox {
    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// Centre (x, y) in pixels.
    pub fn center(&self) -> [f32; 2] {
        [self.x + 0.5 * self.width, self.y + 0.5 * self.height]
    }

    /// Area of the overlap with `other`, in square pixels.
    pub fn intersection(&self, other: &PixelBox) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union, 0 to 1 (the Jaccard index); 0 for two empty boxes.
    pub fn iou(&self, other: &PixelBox) -> f32 {
        let intersection = self.intersection(other);
        let union = self.area() + other.area() - intersection;
        if union > 0.0 { intersection / union } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_shifted_unit_boxes() {
        let a = PixelBox { x: 0.0, y: 0.0, width: 2.0, height: 2.0 };
        let b = PixelBox { x: 1.0, ..a };
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&PixelBox { x: 5.0, ..a }), 0.0);
    }
}
