//! Masks as COCO writes them: run lengths of a column-major binary picture.

use crate::base::PixelBox;

/// Run lengths, zeros first, down the columns from left to right.
///
/// Source: pycocotools, `common/maskApi.h` and `maskApi.c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rle {
    pub counts: Vec<u32>,
}

impl Rle {
    /// The mask of `id` in a picture of ids (row-major, `width` wide); `bounds` is a box that holds all its pixels.
    pub fn of_id(ids: &[u32], width: u32, id: u32, bounds: &PixelBox) -> Self {
        let height = ids.len() as u32 / width.max(1);
        let columns = bounds.x.max(0.0) as u32..((bounds.x + bounds.width) as u32).min(width);
        let rows = bounds.y.max(0.0) as u32..((bounds.y + bounds.height) as u32).min(height);
        let mut counts = Vec::new();
        // First index behind the last run of ones.
        let mut end = 0;
        for x in columns {
            for y in rows.clone() {
                if ids[(y * width + x) as usize] != id {
                    continue;
                }
                let index = x * height + y;
                match counts.last_mut() {
                    Some(run) if index == end => *run += 1,
                    _ => counts.extend([index - end, 1]),
                }
                end = index + 1;
            }
        }
        if end < width * height {
            counts.push(width * height - end);
        }
        Self { counts }
    }

    /// The number of ones.
    pub fn area(&self) -> u32 {
        self.counts.iter().skip(1).step_by(2).sum()
    }

    /// COCO's compressed text: differences to the run before last, five bits a character.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.counts.len() * 2);
        for (index, &count) in self.counts.iter().enumerate() {
            let mut rest = i64::from(count);
            if index > 2 {
                rest -= i64::from(self.counts[index - 2]);
            }
            loop {
                let bits = (rest & 0x1f) as u8;
                rest >>= 5;
                let more = if bits & 0x10 != 0 { rest != -1 } else { rest != 0 };
                text.push(char::from(48 + (bits | if more { 0x20 } else { 0 })));
                if !more {
                    break;
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_down_the_columns() {
        #[rustfmt::skip]
        let ids = [
            0, 7, 0,
            7, 7, 0,
        ];
        let rle = Rle::of_id(&ids, 3, 7, &PixelBox { x: 0.0, y: 0.0, width: 2.0, height: 2.0 });
        // Columns: (0, 7), (7, 7), (0, 0).
        assert_eq!(rle.counts, [1, 3, 2]);
        assert_eq!(rle.area(), 3);
    }

    #[test]
    fn a_mask_that_starts_and_ends_the_picture() {
        let rle = Rle::of_id(&[5, 0, 5], 3, 5, &PixelBox { x: 0.0, y: 0.0, width: 3.0, height: 1.0 });
        assert_eq!(rle.counts, [0, 1, 1, 1]);
    }

    #[test]
    fn text_is_that_of_pycocotools() {
        // pycocotools 2.0: mask.encode(np.asfortranarray([[0, 1, 0], [1, 1, 0]], dtype=np.uint8)) and
        // mask.frPyObjects({"size": .., "counts": ..}, height, width).
        let text = |counts: &[u32]| Rle { counts: counts.to_vec() }.to_text();
        assert_eq!(text(&[1, 3, 2]), "132");
        assert_eq!(text(&[17, 40, 500, 3, 440]), "a0X1d?kNTN");
        assert_eq!(text(&[0, 1, 5000, 2, 70, 97_327]), "01Xl41nUK]Qo2");
    }
}
