//! Photographs of materials in memory: what the generator learns from, and what it is compared with.
//!
//! In: the folder of photographs (a folder for each kind, a `manifest.csv`). Out: for each material its pictures with
//! estimated maps, split into those to learn from and those held out, and windows of them of one size.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    texture_maps::{Relief, Surface, estimate_maps},
    texture_net::MAPS,
};

/// Side of the windows that the networks see, pixels.
pub const SIDE: usize = 128;

/// One picture in so many is held out.
const HELD_OUT: usize = 5;

/// A material: its name in the world, the photographs' folders, how it lies and shines, and its size.
#[derive(Clone, Copy, Debug)]
pub struct Material {
    pub name: &'static str,
    folders: &'static [&'static str],
    surface: Surface,
    /// Whether a quarter turn makes another picture of the same material.
    turns: bool,
    /// Share of a texture's side that height 0 to 1 spans.
    pub relief: f64,
    /// Usual width of a texture in the world, metres.
    pub extent_m: f64,
}

const fn material(
    name: &'static str,
    folders: &'static [&'static str],
    (relief_by, height): (Relief, f32),
    roughness: [f32; 2],
    metalness: f32,
    turns: bool,
    relief: f64,
    extent_m: f64,
) -> Material {
    let surface = Surface { relief: relief_by, height, roughness, metalness };
    Material { name, folders, surface, turns, relief, extent_m }
}

use Relief::{DarkIsDeep, RareIsDeep};

/// All materials that the generator knows, in the order of its inputs.
#[rustfmt::skip]
pub const MATERIALS: [Material; 25] = [
    material("asphalt",    &["Asphalt"],                (DarkIsDeep, 0.7), [0.85, 0.95], 0.0, true,  0.010, 2.0),
    material("bark",       &["Bark"],                   (DarkIsDeep, 1.0), [0.85, 0.95], 0.0, false, 0.040, 1.0),
    material("bricks",     &["Bricks"],                 (RareIsDeep, 1.0), [0.80, 0.95], 0.0, false, 0.020, 1.5),
    material("carpet",     &["Carpet"],                 (DarkIsDeep, 0.6), [0.95, 1.00], 0.0, true,  0.010, 1.0),
    material("concrete",   &["Concrete", "Plaster"],    (DarkIsDeep, 0.5), [0.75, 0.90], 0.0, true,  0.006, 2.0),
    material("fabric",     &["Fabric"],                 (DarkIsDeep, 0.5), [0.90, 1.00], 0.0, false, 0.006, 0.5),
    material("granite",    &["Granite"],                (DarkIsDeep, 0.2), [0.30, 0.40], 0.0, true,  0.001, 1.0),
    material("grass",      &["Grass"],                  (DarkIsDeep, 1.0), [0.85, 0.95], 0.0, true,  0.030, 1.5),
    material("gravel",     &["Gravel"],                 (DarkIsDeep, 1.0), [0.85, 0.95], 0.0, true,  0.020, 1.5),
    material("ground",     &["Ground"],                 (DarkIsDeep, 1.0), [0.90, 1.00], 0.0, true,  0.020, 2.0),
    material("marble",     &["Marble"],                 (DarkIsDeep, 0.1), [0.15, 0.25], 0.0, true,  0.001, 1.5),
    material("metal",      &["Metal"],                  (DarkIsDeep, 0.3), [0.30, 0.50], 1.0, true,  0.002, 1.0),
    material("moss",       &["Moss"],                   (DarkIsDeep, 1.0), [0.95, 1.00], 0.0, true,  0.030, 1.0),
    material("onyx",       &["Onyx", "Travertine"],     (DarkIsDeep, 0.1), [0.15, 0.25], 0.0, false, 0.001, 1.5),
    material("parquet",    &["WoodFloor"],              (DarkIsDeep, 0.4), [0.35, 0.60], 0.0, false, 0.003, 1.5),
    material("paving",     &["PavingStones"],           (RareIsDeep, 1.0), [0.75, 0.95], 0.0, false, 0.015, 2.0),
    material("planks",     &["Planks", "WoodSiding"],   (DarkIsDeep, 0.8), [0.60, 0.80], 0.0, false, 0.010, 1.5),
    material("rock",       &["Rock"],                   (DarkIsDeep, 1.0), [0.75, 0.90], 0.0, true,  0.040, 2.0),
    material("roof tiles", &["RoofingTiles"],           (DarkIsDeep, 1.0), [0.70, 0.85], 0.0, false, 0.030, 2.0),
    material("rust",       &["Rust"],                   (DarkIsDeep, 0.6), [0.75, 0.90], 0.3, true,  0.004, 1.0),
    material("snow",       &["Snow"],                   (DarkIsDeep, 0.8), [0.55, 0.75], 0.0, true,  0.020, 2.0),
    material("stones",     &["Rocks"],                  (DarkIsDeep, 1.0), [0.75, 0.95], 0.0, true,  0.040, 1.5),
    material("terrazzo",   &["Terrazzo"],               (DarkIsDeep, 0.1), [0.20, 0.30], 0.0, true,  0.001, 1.0),
    material("tiles",      &["Tiles"],                  (RareIsDeep, 0.8), [0.20, 0.60], 0.0, false, 0.006, 1.5),
    material("wood",       &["Wood"],                   (DarkIsDeep, 0.4), [0.50, 0.65], 0.0, false, 0.003, 1.0),
];

/// One photograph with its maps.
#[derive(Clone, Debug)]
pub struct Photo {
    width: usize,
    height: usize,
    /// The maps of each pixel, row by row, 0 to 1: colour, height, roughness, metalness.
    texels: Vec<[f32; MAPS]>,
    /// Whether left meets right, and top bottom.
    wraps: [bool; 2],
}

/// The photographs of one material.
#[derive(Clone, Debug, Default)]
pub struct PhotoSet {
    pub train: Vec<Photo>,
    pub held_out: Vec<Photo>,
}

/// Reads the photographs of all materials, in the order of [`MATERIALS`].
///
/// # Errors
/// - a folder is missing or empty, or a picture cannot be read
pub fn read_photos(folder: &Path) -> anyhow::Result<Vec<PhotoSet>> {
    MATERIALS.iter().map(|material| read_material(folder, material)).collect()
}

fn read_material(folder: &Path, material: &Material) -> anyhow::Result<PhotoSet> {
    let mut set = PhotoSet::default();
    for name in material.folders {
        let folder = folder.join(name);
        let entries = fs::read_dir(&folder).with_context(|| {
            format!(
                "{} cannot be read; --photos names a folder with photographs of each material in a folder of its own, like \
                 those of ambientCG",
                folder.display()
            )
        })?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        ensure!(!paths.is_empty(), "{} holds no pictures", folder.display());
        let few = paths.len() < HELD_OUT;
        for (index, path) in paths.iter().enumerate() {
            let photo = Photo::read(path, material)?;
            let held_out = !few && index % HELD_OUT == HELD_OUT - 1;
            if held_out { &mut set.held_out } else { &mut set.train }.push(photo);
        }
    }
    Ok(set)
}

impl Photo {
    fn read(path: &Path, material: &Material) -> anyhow::Result<Self> {
        let picture = image::open(path).with_context(|| format!("reading {}", path.display()))?.to_rgb8();
        let rgb: Vec<[f32; 3]> = picture.pixels().map(|pixel| pixel.0.map(|value| f32::from(value) / 255.0)).collect();
        Ok(Self::new(&rgb, picture.width() as usize, material))
    }

    /// A picture `width` pixels wide of a material, sRGB from 0 to 1, row by row; its other maps are estimated.
    pub fn new(rgb: &[[f32; 3]], width: usize, material: &Material) -> Self {
        let height = rgb.len() / width;
        let maps = estimate_maps(rgb, width, &material.surface);
        let texels = rgb
            .iter()
            .enumerate()
            .map(|(i, [r, g, b])| [*r, *g, *b, maps.height[i], maps.roughness[i], maps.metalness[i]])
            .collect();
        Self { width, height, texels, wraps: wraps(rgb, width, height) }
    }

    /// The whole picture, `[MAPS, SIDE, SIDE]`, −1 to 1; shorter sides are continued round.
    pub fn whole(&self) -> Vec<f32> {
        self.window([0.0, 0.0], SIDE as f32 / self.width.max(self.height) as f32, [false; 2], false)
    }

    /// A window drawn at random, `[MAPS, SIDE, SIDE]`, −1 to 1: moved, up to a third nearer, mirrored, and turned where the
    /// material allows it.
    pub fn draw(&self, material: &Material, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let longer = self.width.max(self.height) as f32;
        let scale = SIDE as f32 / longer * 1.33_f32.powf(rng.random_range(0.0..=1.0));
        let shown = SIDE as f32 / scale;
        let extents = [self.width, self.height];
        let offset = std::array::from_fn(|axis| {
            // Where the picture does not wrap, the window stays inside, if it fits.
            let room = extents[axis] as f32 - shown;
            if self.wraps[axis] || room < 0.0 {
                rng.random_range(0.0..extents[axis] as f32)
            } else {
                rng.random_range(0.0..=room.max(1e-3))
            }
        });
        let mirrored = [rng.random(), rng.random()];
        let turned = material.turns && rng.random();
        self.window(offset, scale, mirrored, turned)
    }

    fn window(&self, offset: [f32; 2], scale: f32, mirrored: [bool; 2], turned: bool) -> Vec<f32> {
        let mut out = vec![0.0; MAPS * SIDE * SIDE];
        for row in 0..SIDE {
            for column in 0..SIDE {
                let [mut x, mut y] = if turned { [row, column] } else { [column, row] };
                if mirrored[0] {
                    x = SIDE - 1 - x;
                }
                if mirrored[1] {
                    y = SIDE - 1 - y;
                }
                let texel = self.at(offset[0] + x as f32 / scale, offset[1] + y as f32 / scale);
                for (map, value) in texel.into_iter().enumerate() {
                    out[(map * SIDE + row) * SIDE + column] = 2.0 * value - 1.0;
                }
            }
        }
        out
    }

    /// Between four pixels, edges wrapped.
    fn at(&self, x: f32, y: f32) -> [f32; MAPS] {
        let (x0, y0) = (x.floor(), y.floor());
        let (u, v) = (x - x0, y - y0);
        let wrapped = |value: f32, extent: usize| (value as isize).rem_euclid(extent as isize) as usize;
        let (left, top) = (wrapped(x0, self.width), wrapped(y0, self.height));
        let (right, below) = ((left + 1) % self.width, (top + 1) % self.height);
        let texel = |x: usize, y: usize| &self.texels[y * self.width + x];
        let corners = [texel(left, top), texel(right, top), texel(left, below), texel(right, below)];
        std::array::from_fn(|map| {
            let [a, b, c, d] = corners.map(|corner| corner[map]);
            (a + (b - a) * u) * (1.0 - v) + (c + (d - c) * u) * v
        })
    }
}

/// Whether left meets right and top bottom: the step across is hardly larger than those inside.
fn wraps(rgb: &[[f32; 3]], width: usize, height: usize) -> [bool; 2] {
    let step = |a: usize, b: usize| (0..3).map(|c| (rgb[a][c] - rgb[b][c]).powi(2)).sum::<f32>();
    let mean = |values: &mut dyn Iterator<Item = f32>| {
        let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        sum / count.max(1) as f32
    };
    let inside = [
        mean(&mut (0..height).flat_map(|y| (1..width).map(move |x| step(y * width + x, y * width + x - 1)))),
        mean(&mut (1..height).flat_map(|y| (0..width).map(move |x| step(y * width + x, (y - 1) * width + x)))),
    ];
    let across = [
        mean(&mut (0..height).map(|y| step(y * width, y * width + width - 1))),
        mean(&mut (0..width).map(|x| step(x, (height - 1) * width + x))),
    ];
    // Noise of the picture's compression counts as inside.
    [0, 1].map(|axis| across[axis] < 2.5 * (inside[axis] + 1e-4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    fn stripes(width: usize, height: usize) -> Vec<[f32; 3]> {
        (0..width * height)
            .map(|i| if (i % width / 4).is_multiple_of(2) { [0.8, 0.5, 0.2] } else { [0.1; 3] })
            .collect()
    }

    #[test]
    fn a_whole_picture_of_the_networks_size_is_the_picture() {
        let photo = Photo::new(&stripes(SIDE, SIDE), SIDE, &MATERIALS[0]);
        let whole = photo.whole();
        assert_eq!(whole.len(), MAPS * SIDE * SIDE);
        assert!((whole[0] - 0.6).abs() < 1e-6 && (whole[4] + 0.8).abs() < 1e-6);
        assert!((whole[SIDE * SIDE] - 0.0).abs() < 1e-6, "green follows red");
    }

    #[test]
    fn pictures_that_meet_at_their_edges_are_known() {
        let wave = |i: usize| [0.5 + 0.4 * (std::f32::consts::TAU * 3.0 * (i % 64) as f32 / 64.0).sin(); 3];
        let waves: Vec<[f32; 3]> = (0..64 * 64).map(wave).collect();
        assert_eq!(wraps(&waves, 64, 64), [true, true]);
        let slope: Vec<[f32; 3]> = (0..64 * 64).map(|i| [(i % 64) as f32 / 64.0; 3]).collect();
        assert_eq!(wraps(&slope, 64, 64), [false, true]);
    }

    #[test]
    fn windows_follow_from_the_seed_and_stay_in_range() {
        let photo = Photo::new(&stripes(64, 48), 64, &MATERIALS[0]);
        let draw = |seed: u64| photo.draw(&MATERIALS[0], &mut Seed(seed).rng());
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        assert!((0..20).flat_map(draw).all(|value| (-1.0..=1.0).contains(&value)));
    }

    #[test]
    fn names_are_said_once() {
        let names: std::collections::BTreeSet<_> = MATERIALS.iter().map(|material| material.name).collect();
        assert_eq!(names.len(), MATERIALS.len());
    }
}
