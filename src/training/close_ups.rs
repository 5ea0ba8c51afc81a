//! Pictures tiled with things that are drawn evenly over the kinds: most of a frame is room, and a picture of such tiles
//! names several times as many things for the same work.
//!
//! In: the labels of all frames and a seed. Out: how many tiles, and which thing of which frame is seen in each.

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::frames::FrameSet;
use crate::{base::PixelBox, signal::MIN_VISIBLE};

/// Tiles in a row that a picture may have.
const TILES_IN_A_ROW: [usize; 5] = [2, 3, 4, 5, 6];

/// Shares of a tile's side that the longer side of its thing may take.
const SHARE_OF_A_TILE: [f32; 2] = [0.2, 0.85];

/// Things are drawn down to this shorter side (pixels).
const MIN_SUBJECT_SIDE: f32 = 10.0;

/// One thing that a tile may show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject {
    pub frame: usize,
    pub region: PixelBox,
}

/// What tiles may show, by kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subjects {
    /// Of each class that there is, by the longer side of their boxes.
    classes: Vec<Vec<Subject>>,
}

impl Subjects {
    pub fn of(frames: &FrameSet) -> Self {
        let mut classes: Vec<Vec<Subject>> = Vec::new();
        for (frame, labels) in frames.labels.iter().enumerate() {
            for label in labels.iter().filter(|label| {
                label.visible_fraction >= MIN_VISIBLE && label.region.width.min(label.region.height) >= MIN_SUBJECT_SIDE
            }) {
                if classes.len() <= label.class {
                    classes.resize(label.class + 1, Vec::new());
                }
                classes[label.class].push(Subject { frame, region: label.region });
            }
        }
        classes.retain(|subjects| !subjects.is_empty());
        for subjects in &mut classes {
            subjects.sort_by(|a, b| longer_side(a).total_cmp(&longer_side(b)));
        }
        Self { classes }
    }

    /// How many tiles a picture has in a row.
    pub fn draw_tiles(rng: &mut ChaCha8Rng) -> usize {
        TILES_IN_A_ROW[rng.random_range(0..TILES_IN_A_ROW.len())]
    }

    /// A thing that suits a tile of this side (pixels of the frame): first the class is drawn, then one of its things. `None`
    /// where the drawn class has none of such a size.
    pub fn draw(&self, tile_side: f32, rng: &mut ChaCha8Rng) -> Option<Subject> {
        let class = self.classes.choose(rng)?;
        let [low, high] = SHARE_OF_A_TILE.map(|share| share * tile_side);
        let start = class.partition_point(|subject| longer_side(subject) < low);
        let end = class.partition_point(|subject| longer_side(subject) <= high);
        class[start..end].choose(rng).copied()
    }
}

fn longer_side(subject: &Subject) -> f32 {
    subject.region.width.max(subject.region.height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Seed, training::frames::FrameLabel};

    fn label(class: usize, side: f32) -> FrameLabel {
        let region = PixelBox { x: 0.0, y: 0.0, width: side, height: 0.8 * side };
        FrameLabel { class, region, visible_fraction: 1.0 }
    }

    #[test]
    fn kinds_are_drawn_evenly_and_things_fit_their_tiles() {
        let mut labels = vec![vec![label(0, 30.0); 99]];
        labels.push(vec![label(2, 40.0), label(2, 300.0), label(2, 13.0), label(0, 5.0)]);
        let frames = FrameSet { width: 320, height: 320, pixels: Vec::new(), labels };
        let subjects = Subjects::of(&frames);
        let mut rng = Seed(3).rng();
        let drawn: Vec<Subject> = (0..400).filter_map(|_| subjects.draw(80.0, &mut rng)).collect();
        assert_eq!(drawn.len(), 400);
        assert!(drawn.iter().all(|subject| (16.0..=68.0).contains(&longer_side(subject))), "a thing does not fit");
        let rare = drawn.iter().filter(|subject| subject.frame == 1).count();
        assert!((150..250).contains(&rare), "the rare kind was drawn {rare} times of 400");
    }

    #[test]
    fn nothing_is_drawn_where_nothing_fits() {
        assert_eq!(Subjects::default().draw(64.0, &mut Seed(1).rng()), None);
    }
}
