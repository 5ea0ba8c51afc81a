//! What each pattern looks like at one point. Pure functions of position and seed; every pattern tiles.
//!
//! Positions: (0, 0) to (1, 1) is one repeat, u right, v down. How many planks or bricks one repeat holds is part of the
//! pattern and is named at its function, so that authors can choose `scale_m`.

use bevy::math::{IVec2, Vec2};

use super::noise::{Noise, mix, unit};
use crate::{scene::Pattern, world::kit::Grain};

/// A surface at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Texel {
    /// 0 is the base colour, 1 the accent.
    pub accent: f32,
    /// Multiplies the colour, about 1.
    pub shade: f32,
    /// 0 (deep) to 1 (high).
    pub height: f32,
    /// Added to the material's roughness.
    pub roughness: f32,
}

impl Default for Texel {
    fn default() -> Self {
        Self { accent: 0.0, shade: 1.0, height: 0.5, roughness: 0.0 }
    }
}

/// The depth of a pattern's relief, as a fraction of one repeat.
pub fn relief(pattern: Pattern) -> f32 {
    match pattern {
        Pattern::Plain => 0.0,
        Pattern::Plaster => 0.0022,
        Pattern::Planks | Pattern::Parquet => 0.0022,
        Pattern::Bricks => 0.012,
        Pattern::Tiles => 0.006,
        Pattern::Marble => 0.0,
        Pattern::Paving => 0.012,
        Pattern::Concrete => 0.005,
        Pattern::Grass => 0.035,
        Pattern::Gravel => 0.05,
        Pattern::Fabric => 0.012,
    }
}

/// The depth of a grain's relief, as a fraction of one repeat.
pub fn grain_relief(grain: Grain) -> f32 {
    match grain {
        Grain::None => 0.0,
        Grain::Wood => 0.0015,
        Grain::Ceramic => 0.0012,
        Grain::Fabric => 0.012,
        Grain::Metal => 0.0008,
        Grain::Leather => 0.01,
        Grain::Peel => 0.005,
        Grain::Bark => 0.016,
    }
}

/// `pattern` at `uv`.
pub fn paint(pattern: Pattern, uv: Vec2, seed: u32) -> Texel {
    let noise = Noise::new(seed);
    match pattern {
        Pattern::Plain => Texel::default(),
        Pattern::Plaster => plaster(uv, noise),
        Pattern::Planks => planks(uv, noise),
        Pattern::Parquet => parquet(uv, noise),
        Pattern::Bricks => bricks(uv, noise),
        Pattern::Tiles => tiles(uv, noise),
        Pattern::Marble => marble(uv, noise),
        Pattern::Paving => paving(uv, noise),
        Pattern::Concrete => concrete(uv, noise),
        Pattern::Grass => grass(uv, noise),
        Pattern::Gravel => gravel(uv, noise),
        Pattern::Fabric => weave(uv, noise, 40),
    }
}

/// `grain` at `uv`; its colour modulates that of the part, so shade stays near 1.
pub fn paint_grain(grain: Grain, uv: Vec2, seed: u32) -> Texel {
    let noise = Noise::new(seed);
    match grain {
        Grain::None => Texel::default(),
        Grain::Wood => {
            let wood = wood(uv, noise, 0);
            Texel { accent: 0.0, shade: wood.shade * (1.0 - 0.35 * wood.accent), ..wood }
        }
        Grain::Ceramic => {
            let speck = noise.cell(uv * 40.0, IVec2::splat(40));
            let spot = smooth(0.16, 0.08, speck.nearest) * unit(mix(speck.id)).powi(3);
            let wave = noise.octaves(uv * 5.0, IVec2::splat(5), 3);
            Texel {
                shade: 1.0 - 0.35 * spot + 0.02 * wave,
                height: 0.5 + 0.5 * wave,
                roughness: 0.1 * spot,
                accent: 0.0,
            }
        }
        Grain::Fabric => weave(uv, noise, 24),
        Grain::Metal => {
            let brush = noise.octaves(Vec2::new(uv.x * 3.0, uv.y * 90.0), IVec2::new(3, 90), 2);
            let cloud = noise.octaves(uv * 4.0, IVec2::splat(4), 3);
            Texel {
                shade: 1.0 + 0.05 * brush + 0.05 * cloud,
                height: 0.5 + 0.5 * brush,
                roughness: 0.06 * cloud + 0.05 * brush,
                accent: 0.0,
            }
        }
        Grain::Leather => {
            let cell = noise.cell(uv * 28.0, IVec2::splat(28));
            let crease = smooth(0.0, 0.3, cell.second - cell.nearest);
            let worn = noise.octaves(uv * 4.0, IVec2::splat(4), 3);
            Texel { shade: 0.82 + 0.18 * crease + 0.08 * worn, height: crease, roughness: 0.1 * worn, accent: 0.0 }
        }
        Grain::Peel => {
            let pore = noise.cell(uv * 30.0, IVec2::splat(30));
            let pit = smooth(0.3, 0.1, pore.nearest);
            let blush = noise.octaves(uv * 3.0, IVec2::splat(3), 4);
            Texel { shade: 1.0 - 0.1 * pit + 0.13 * blush, height: 1.0 - pit, roughness: 0.08 * pit, accent: 0.0 }
        }
        Grain::Bark => {
            let warp = noise.octaves(uv * 6.0, IVec2::splat(6), 3);
            let ridge = noise.octaves(Vec2::new(uv.x * 14.0 + warp, uv.y * 4.0), IVec2::new(14, 4), 3).abs();
            let crack = smooth(0.02, 0.3, ridge);
            Texel { shade: 0.55 + 0.45 * crack + 0.1 * warp, height: crack, roughness: 0.0, accent: 0.0 }
        }
    }
}

/// Hermite step from 0 at `low` to 1 at `high`; falls where `low` is above `high`.
fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Lime plaster: soft clouds, trowel strokes, fine sand.
fn plaster(uv: Vec2, noise: Noise) -> Texel {
    let cloud = noise.octaves(uv * 3.0, IVec2::splat(3), 4);
    let bend = noise.octaves(uv * 4.0, IVec2::splat(4), 2);
    let stroke = noise.octaves(Vec2::new(uv.x * 5.0 + bend, uv.y * 14.0 + 2.0 * bend), IVec2::new(5, 14), 3);
    let sand = noise.octaves(uv * 80.0, IVec2::splat(80), 2);
    Texel {
        accent: smooth(-0.2, 0.9, cloud) * 0.35,
        shade: 1.0 + 0.022 * stroke + 0.012 * sand,
        height: 0.5 + 0.42 * stroke + 0.08 * sand,
        roughness: 0.05 * stroke,
    }
}

/// Wood whose fibres run along u: rings stretched along the fibre, pores, knots rarely.
fn wood(uv: Vec2, noise: Noise, plank: u32) -> Texel {
    // Each plank is cut from another place of the same tree.
    let offset = Vec2::new(unit(plank) * 8.0, unit(mix(plank)) * 8.0).floor();
    let warp = noise.octaves(Vec2::new(uv.x * 2.0, uv.y * 7.0) + offset, IVec2::new(2, 7), 2);
    let rings = ((uv.y * 26.0 + 2.4 * warp + unit(mix(plank ^ 7)) * 6.0) * std::f32::consts::TAU * 0.5).sin();
    let late = rings.abs().powi(3);
    let fibre = noise.octaves(Vec2::new(uv.x * 6.0, uv.y * 160.0), IVec2::new(6, 160), 2);
    let pore = smooth(0.25, 0.6, noise.gradient(Vec2::new(uv.x * 14.0, uv.y * 220.0), IVec2::new(14, 220)));
    Texel {
        accent: (0.5 * late + 0.18 * warp + 0.25 * pore).clamp(0.0, 1.0),
        shade: 1.0 + 0.07 * fibre,
        height: 0.75 - 0.25 * late - 0.35 * pore + 0.1 * fibre,
        roughness: 0.08 * pore - 0.04 * late,
    }
}

/// A plank of wood with its edges: `along` and `across` from 0 to 1 on the plank, gaps in parts of those.
fn plank(texel: Texel, plank: u32, along: Vec2, gap: Vec2) -> Texel {
    let edge = |x: f32, gap: f32| smooth(0.0, gap, x.min(1.0 - x));
    let joint = edge(along.x, gap.x).min(edge(along.y, gap.y));
    let tone = unit(mix(plank ^ 0x51)) - 0.5;
    Texel {
        accent: (texel.accent + 0.35 * (unit(mix(plank ^ 0x77)) - 0.35)).clamp(0.0, 1.0),
        shade: texel.shade * (1.0 + 0.22 * tone) * (0.45 + 0.55 * joint),
        height: texel.height * joint,
        roughness: texel.roughness + 0.1 * (1.0 - joint),
    }
}

/// Floor boards along u: 7 rows of 2 boards to one repeat.
fn planks(uv: Vec2, noise: Noise) -> Texel {
    const ROWS: i32 = 7;
    let row = ((uv.y * ROWS as f32) as i32).min(ROWS - 1);
    let across = uv.y * ROWS as f32 - row as f32;
    let shift = noise.unit(row, 100);
    let u = (uv.x + shift).rem_euclid(1.0);
    let split = 0.38 + 0.24 * noise.unit(row, 200);
    let (index, along) = if u < split { (0, u / split) } else { (1, (u - split) / (1.0 - split)) };
    let id = noise.hash(row, 300 + index);
    plank(wood(uv, noise, id), id, Vec2::new(along, across), Vec2::new(0.006, 0.028))
}

/// Herringbone: blocks of 1 × 4 cells on 8 × 8 cells to one repeat.
fn parquet(uv: Vec2, noise: Noise) -> Texel {
    const LENGTH: i32 = 4;
    const CELLS: i32 = 2 * LENGTH;
    let p = uv * CELLS as f32;
    let cell = p.floor().as_ivec2().clamp(IVec2::ZERO, IVec2::splat(CELLS - 1));
    let f = p - cell.as_vec2();
    // Going right along a lying block counts 0 to 3; going down along a standing block counts the rest backwards.
    let k = (cell.x - cell.y).rem_euclid(CELLS);
    let lying = k < LENGTH;
    let step = if lying { k } else { CELLS - 1 - k };
    let (start, along, fibre) = if lying {
        (IVec2::new(cell.x - step, cell.y), Vec2::new((step as f32 + f.x) / LENGTH as f32, f.y), uv)
    } else {
        (IVec2::new(cell.x, cell.y - step), Vec2::new((step as f32 + f.y) / LENGTH as f32, f.x), Vec2::new(uv.y, uv.x))
    };
    let start = start.rem_euclid(IVec2::splat(CELLS));
    let id = noise.hash(start.x, start.y + if lying { 0 } else { 1000 });
    plank(wood(fibre, noise, id), id, along, Vec2::new(0.009, 0.03))
}

/// Running bond: 12 courses of 4 bricks to one repeat; the accent is the mortar.
fn bricks(uv: Vec2, noise: Noise) -> Texel {
    const COURSES: i32 = 12;
    const BRICKS: i32 = 4;
    let wobble =
        Vec2::new(noise.octaves(uv * 24.0, IVec2::splat(24), 2), noise.octaves(uv * 24.0 + 7.0, IVec2::splat(24), 2))
            * 0.0022;
    let p = (uv + wobble).rem_euclid(Vec2::ONE);
    let course = ((p.y * COURSES as f32) as i32).min(COURSES - 1);
    let x = (p.x * BRICKS as f32 + if course % 2 == 0 { 0.0 } else { 0.5 }).rem_euclid(BRICKS as f32);
    let index = (x as i32).min(BRICKS - 1);
    let f = Vec2::new(x - index as f32, p.y * COURSES as f32 - course as f32);
    // A brick is three times as wide as it is high: measure its edge in heights.
    let edge = (f.x.min(1.0 - f.x) * 3.0).min(f.y.min(1.0 - f.y));
    let face = smooth(0.05, 0.13, edge);
    let id = noise.hash(index, course);
    let rough = noise.octaves(uv * 40.0, IVec2::splat(40), 3);
    let burn = noise.octaves(uv * 9.0, IVec2::splat(9), 2);
    let tone = unit(id) - 0.5;
    let brick = 1.0 + 0.34 * tone + 0.1 * rough + 0.1 * burn;
    let mortar = 1.0 + 0.12 * rough;
    Texel {
        accent: 1.0 - face,
        shade: (mortar + face * (brick - mortar)) * (0.8 + 0.2 * smooth(0.0, 0.2, edge)),
        height: face * (0.82 + 0.12 * rough + 0.1 * (unit(mix(id)) - 0.5)) + 0.08 * rough,
        roughness: 0.05 * rough,
    }
}

/// Glazed tiles: 4 × 4 to one repeat; the accent is the grout.
fn tiles(uv: Vec2, noise: Noise) -> Texel {
    const TILES: f32 = 4.0;
    let p = uv * TILES;
    let cell = p.floor();
    let f = p - cell;
    let edge = f.x.min(1.0 - f.x).min(f.y.min(1.0 - f.y));
    let face = smooth(0.010, 0.020, edge);
    let rim = smooth(0.010, 0.06, edge);
    let id = noise.hash(cell.x as i32, cell.y as i32);
    let glaze = noise.octaves(uv * 10.0, IVec2::splat(10), 3);
    let sand = noise.octaves(uv * 90.0, IVec2::splat(90), 1);
    let tilt = (f - 0.5).dot(Vec2::from_angle(unit(id) * std::f32::consts::TAU)) * 0.22;
    Texel {
        accent: (1.0 - face) + face * 0.10 * unit(mix(id)),
        shade: 1.0 + 0.10 * (unit(id) - 0.5) * face + 0.03 * glaze + 0.05 * sand * (1.0 - face) - 0.12 * (1.0 - rim),
        height: 0.75 * rim + face * (0.05 * glaze + tilt * 0.3),
        roughness: (1.0 - face) * 0.5,
    }
}

/// Polished marble: veins where warped noise crosses zero.
fn marble(uv: Vec2, noise: Noise) -> Texel {
    let period = IVec2::splat(3);
    let warp = Vec2::new(noise.octaves(uv * 3.0, period, 4), noise.octaves(uv * 3.0 + 11.0, period, 4));
    let vein = |scale: i32, width: f32, shift: f32| {
        let p = uv * scale as f32 + warp * 0.38 + shift;
        smooth(width, 0.0, noise.octaves(p, IVec2::splat(scale), 4).abs())
    };
    let fine = vein(5, 0.03, 5.0) * smooth(-0.1, 0.5, warp.y);
    let bold = vein(2, 0.05, 0.0) * smooth(-0.3, 0.4, warp.x);
    let cloud = noise.octaves(uv * 4.0 + warp, IVec2::splat(4), 4);
    Texel {
        accent: (0.75 * bold + 0.4 * fine + 0.12 * smooth(-0.4, 0.8, cloud)).min(1.0),
        shade: 1.0 + 0.04 * cloud,
        height: 0.5,
        roughness: 0.06 * bold,
    }
}

/// Hewn flagstones: 5 rows of 3 stones of random widths to one repeat; the accent is the joint.
fn paving(uv: Vec2, noise: Noise) -> Texel {
    const ROWS: i32 = 5;
    const STONES: i32 = 3;
    let wobble =
        Vec2::new(noise.octaves(uv * 12.0, IVec2::splat(12), 3), noise.octaves(uv * 12.0 + 5.0, IVec2::splat(12), 3))
            * 0.006;
    let p = (uv + wobble).rem_euclid(Vec2::ONE);
    let row = ((p.y * ROWS as f32) as i32).min(ROWS - 1);
    let across = p.y * ROWS as f32 - row as f32;
    let u = (p.x + noise.unit(row, 50)).rem_euclid(1.0);
    // Joints are moved from their regular places by up to a third of a stone.
    let joint = |index: i32| {
        let wrapped = index.rem_euclid(STONES);
        let moved = if wrapped == 0 { 0.0 } else { (noise.unit(row, 60 + wrapped) - 0.5) * 0.6 };
        (index as f32 + moved) / STONES as f32
    };
    let mut index = (u * STONES as f32) as i32;
    if u < joint(index) {
        index -= 1;
    } else if u >= joint(index + 1) {
        index += 1;
    }
    let (left, right) = (joint(index), joint(index + 1));
    // Distances to the joints in rows, so that all joints are equally wide.
    let edge = ((u - left).min(right - u) * ROWS as f32).min(across.min(1.0 - across));
    let face = smooth(0.025, 0.07, edge);
    let id = noise.hash(row, 400 + index.rem_euclid(STONES));
    let rough = noise.octaves(uv * 30.0, IVec2::splat(30), 4);
    let wear = noise.octaves(uv * 6.0, IVec2::splat(6), 3);
    Texel {
        accent: 1.0 - face,
        shade: 1.0 + face * (0.26 * (unit(id) - 0.5) + 0.1 * wear) + 0.12 * rough
            - 0.15 * (1.0 - smooth(0.0, 0.12, edge)),
        height: face * (0.75 + 0.1 * wear + 0.1 * (unit(mix(id)) - 0.5)) + 0.1 * rough,
        roughness: 0.08 * rough - 0.06 * wear,
    }
}

/// Cast concrete: clouds, sand, air holes.
fn concrete(uv: Vec2, noise: Noise) -> Texel {
    let cloud = noise.octaves(uv * 4.0, IVec2::splat(4), 5);
    let sand = noise.octaves(uv * 70.0, IVec2::splat(70), 2);
    let bubble = noise.cell(uv * 22.0, IVec2::splat(22));
    let hole = smooth(0.14, 0.06, bubble.nearest) * smooth(0.6, 0.9, unit(mix(bubble.id)));
    Texel {
        accent: smooth(-0.1, 0.9, cloud) * 0.6,
        shade: 1.0 + 0.06 * cloud + 0.05 * sand - 0.35 * hole,
        height: 0.6 + 0.15 * cloud + 0.12 * sand - 0.5 * hole,
        roughness: 0.05 * sand,
    }
}

/// A lawn: crossing blades in three layers, lighter towards the tips; the accent is dry or sunlit grass.
fn grass(uv: Vec2, noise: Noise) -> Texel {
    let mut top = Texel { accent: 0.0, shade: 0.34, height: 0.0, roughness: 0.05 };
    for layer in 0..3 {
        let cells = 26 + 6 * layer;
        let p = uv * cells as f32;
        let base = p.floor().as_ivec2();
        for dy in -1..=1 {
            for dx in -1..=1 {
                let square = base + IVec2::new(dx, dy);
                let at = square.rem_euclid(IVec2::splat(cells));
                let id = noise.hash(at.x + 500 * layer, at.y);
                let root = square.as_vec2() + Vec2::new(unit(mix(id ^ 1)), unit(mix(id ^ 2)));
                let blade =
                    Vec2::from_angle(unit(mix(id ^ 3)) * std::f32::consts::TAU) * (0.7 + 0.3 * unit(mix(id ^ 4)));
                let along = ((p - root).dot(blade) / blade.length_squared()).clamp(0.0, 1.0);
                let distance = (p - root - blade * along).length();
                let width = 0.13 * (1.0 - 0.8 * along);
                let height = (0.35 + 0.65 * along) * (0.55 + 0.15 * layer as f32 + 0.2 * unit(mix(id ^ 5)));
                if distance < width && height > top.height {
                    top.height = height;
                    top.shade = 0.5 + 0.62 * height + 0.18 * (unit(mix(id ^ 6)) - 0.5);
                    top.accent = (0.55 * along + 0.45 * unit(mix(id ^ 8))).powi(2);
                }
            }
        }
    }
    let patch = noise.octaves(uv * 3.0, IVec2::splat(3), 3);
    Texel { shade: top.shade * (1.0 + 0.14 * patch), accent: (top.accent + 0.2 * patch).clamp(0.0, 1.0), ..top }
}

/// Pebbles in two sizes; each has its own tone between base and accent.
fn gravel(uv: Vec2, noise: Noise) -> Texel {
    let pebble = |cells: i32, noise: Noise| {
        let cell = noise.cell(uv * cells as f32, IVec2::splat(cells));
        (smooth(0.0, 0.42, cell.second - cell.nearest), cell.id)
    };
    let (large, large_id) = pebble(16, noise);
    let (small, small_id) = pebble(34, noise.other(77));
    let keep = unit(mix(large_id ^ 9)) > 0.35;
    let (dome, id, lift) = if keep && large > 0.25 { (large, large_id, 0.35) } else { (small, small_id, 0.0) };
    let sand = noise.octaves(uv * 80.0, IVec2::splat(80), 2);
    Texel {
        accent: unit(mix(id ^ 4)).powi(2),
        shade: (0.45 + 0.55 * dome.sqrt()) * (0.88 + 0.3 * (unit(mix(id ^ 5)) - 0.4)) + 0.05 * sand,
        height: lift + 0.6 * dome,
        roughness: 0.05 * sand,
    }
}

/// Plain weave of `threads` each way to one repeat.
fn weave(uv: Vec2, noise: Noise, threads: i32) -> Texel {
    let p = uv * threads as f32;
    let cell = p.floor().as_ivec2();
    let f = p - p.floor() - 0.5;
    let over = (cell.x + cell.y) % 2 == 0;
    let (across, along, thread) = if over { (f.y, f.x, cell.y) } else { (f.x, f.y, cell.x + 900) };
    let round = (1.0 - (2.0 * across).powi(2)).max(0.0).sqrt();
    let arch = (std::f32::consts::PI * along).cos().max(0.0);
    let fibre = noise.octaves(uv * 64.0, IVec2::splat(64), 2);
    let tone = noise.unit(thread, 3) - 0.5;
    let cloud = noise.octaves(uv * 3.0, IVec2::splat(3), 3);
    let height = round * (0.45 + 0.55 * arch);
    Texel {
        accent: if over { 0.0 } else { 0.35 },
        shade: 0.66 + 0.36 * height + 0.1 * tone + 0.07 * fibre + 0.04 * cloud,
        height,
        roughness: 0.05 * fibre,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Pattern; 12] = [
        Pattern::Plain,
        Pattern::Plaster,
        Pattern::Planks,
        Pattern::Parquet,
        Pattern::Bricks,
        Pattern::Tiles,
        Pattern::Marble,
        Pattern::Paving,
        Pattern::Concrete,
        Pattern::Grass,
        Pattern::Gravel,
        Pattern::Fabric,
    ];

    #[test]
    fn patterns_are_finite_and_in_range() {
        for pattern in ALL {
            for step in 0..2000 {
                let uv = Vec2::new((step as f32 * 0.618_034).fract(), (step as f32 * 0.414_214).fract());
                let texel = paint(pattern, uv, 5);
                assert!((0.0..=1.0).contains(&texel.accent), "{pattern:?} {texel:?}");
                assert!(texel.shade > 0.0 && texel.shade < 2.0, "{pattern:?} {texel:?}");
                assert!(texel.height.abs() < 2.0 && texel.roughness.abs() < 0.6, "{pattern:?} {texel:?}");
            }
        }
    }

    /// Across the seam the pattern must change no more than across any other line of the picture.
    #[test]
    fn patterns_tile_without_a_seam() {
        const N: usize = 96;
        for pattern in ALL {
            let at = |x: usize, y: usize| {
                let texel = paint(pattern, Vec2::new((x % N) as f32 + 0.5, (y % N) as f32 + 0.5) / N as f32, 9);
                texel.shade + texel.accent
            };
            let change = |x: usize| (0..N).map(|y| (at(x, y) - at(x + 1, y)).abs()).sum::<f32>();
            let change_v = |y: usize| (0..N).map(|x| (at(x, y) - at(x, y + 1)).abs()).sum::<f32>();
            let inside = (0..N - 1).map(change).fold(0.0, f32::max);
            let inside_v = (0..N - 1).map(change_v).fold(0.0, f32::max);
            assert!(change(N - 1) <= 1.3 * inside + 1e-3, "{pattern:?}: {} across, {inside} inside", change(N - 1));
            assert!(change_v(N - 1) <= 1.3 * inside_v + 1e-3, "{pattern:?}: {} down, {inside_v}", change_v(N - 1));
        }
    }
}
