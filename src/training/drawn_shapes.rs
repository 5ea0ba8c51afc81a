//! Pictures of plain coloured shapes with exact boxes: data enough to prove that a training works, drawn in an instant.

use rand::RngExt;

use super::frames::{FrameLabel, FrameSet};
use crate::base::{PixelBox, Seed};

/// Square, disc, triangle, ring, cross, bar.
pub const SHAPES: usize = 6;

/// About the colour of each.
const COLOURS: [[u8; 3]; SHAPES] =
    [[200, 30, 20], [30, 160, 60], [200, 190, 20], [10, 90, 200], [190, 110, 30], [120, 20, 160]];

/// `count` pictures of `side` × `side` pixels with one to four shapes each on a mottled ground.
pub fn drawn_shapes(count: usize, side: usize, seed: Seed) -> FrameSet {
    let mut frames = FrameSet { width: side, height: side, ..Default::default() };
    for index in 0..count {
        let mut rng = seed.nth(index as u64).rng();
        let mut pixels: Vec<u8> = (0..3 * side * side).map(|_| rng.random_range(60..110)).collect();
        let mut labels: Vec<FrameLabel> = Vec::new();
        for _ in 0..rng.random_range(1..=4) {
            let class = rng.random_range(0..SHAPES);
            let size = rng.random_range(14..side / 3);
            let (x, y) = (rng.random_range(0..side - size), rng.random_range(0..side - size));
            let region = PixelBox { x: x as f32, y: y as f32, width: size as f32, height: size as f32 };
            if labels.iter().any(|other| other.region.intersection(&region) > 0.0) {
                continue;
            }
            let colour: [u8; 3] = COLOURS[class].map(|value| value + rng.random_range(0..50));
            for row in 0..size {
                for column in 0..size {
                    // From −1 to 1 across the shape.
                    let at = |i: usize| (2.0 * i as f32 + 1.0) / size as f32 - 1.0;
                    if covers(class, at(column), at(row)) {
                        let start = 3 * ((y + row) * side + x + column);
                        pixels[start..start + 3].copy_from_slice(&colour);
                    }
                }
            }
            labels.push(FrameLabel { class, region, visible_fraction: 1.0 });
        }
        frames.pixels.extend(pixels);
        frames.labels.push(labels);
    }
    frames
}

fn covers(class: usize, x: f32, y: f32) -> bool {
    let radius = x.hypot(y);
    match class {
        0 => true,
        1 => radius <= 1.0,
        2 => x.abs() <= 0.5 * (y + 1.0),
        3 => (0.55..=1.0).contains(&radius),
        4 => x.abs() < 0.3 || y.abs() < 0.3,
        _ => (x - y).abs() < 0.4,
    }
}
