//! Books: closed and lying, standing, or lying open.

use std::f32::consts::{FRAC_PI_2, PI};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, Surface},
    palette::{CLOTHS, LEATHERS, PAINTS, fabric, hex, leather, metal, painted, paper},
    shape::{board, merged, sheet},
};

/// A book: boards, a rounded spine and a page block that they overhang; bands and a title. Lying with its spine to the
/// left, standing with its spine to the front, or open.
pub fn book(rng: &mut ChaCha8Rng) -> ObjectModel {
    let width = between(rng, 0.115, 0.19);
    let tall = width * between(rng, 1.28, 1.55);
    let thick = between(rng, 0.02, 0.055);
    let cover = match count(rng, 0, 2) {
        0 => leather(LEATHERS.pick(rng)),
        1 => fabric(CLOTHS.pick(rng)),
        _ => painted(PAINTS.pick(rng)),
    };
    let pages = paper(hex(pick(rng, &[0xf1e9d6, 0xe8dcc0, 0xf4f1e8])));
    let dark = cover.base_color.element_sum() < 0.9;
    let ornament =
        if dark { metal(hex(0xcaa34f), 0.35) } else { painted(hex(pick(rng, &[0x2b2320, 0x5b1f22, 0x22364f]))) };
    match count(rng, 0, 4) {
        0 => open_book(width, tall, thick, cover, pages, ornament),
        1 => {
            let mut model = closed_book(rng, width, tall, thick.max(0.03), cover, pages, ornament);
            // From lying, spine along −X, to standing, spine to the front: the head of the page goes up.
            let turn = Quat::from_rotation_y(FRAC_PI_2) * Quat::from_rotation_x(-FRAC_PI_2);
            let stand = |point: Vec3| turn * (point - Vec3::Y * 0.5 * thick.max(0.03));
            for part in &mut model.parts {
                let mesh = std::mem::take(&mut part.mesh);
                part.mesh = mesh.translated(Vec3::Y * -0.5 * thick.max(0.03)).rotated(turn);
            }
            let low = model.bounds().0.y;
            for part in &mut model.parts {
                let mesh = std::mem::take(&mut part.mesh);
                part.mesh = mesh.translated(Vec3::Y * -low);
            }
            let reach = (turn * Vec3::new(0.5 * width, 0.5 * thick.max(0.03), 0.5 * tall)).abs();
            let middle = stand(Vec3::Y * 0.5 * thick.max(0.03)) + Vec3::Y * reach.y;
            model.collider = vec![ColliderPiece::block(middle - reach, middle + reach)];
            model
        }
        _ => closed_book(rng, width, tall, thick, cover, pages, ornament),
    }
}

/// Lying on its back board: spine at −X, head at −Z.
fn closed_book(
    rng: &mut ChaCha8Rng,
    width: f32,
    tall: f32,
    thick: f32,
    cover: Surface,
    pages: Surface,
    ornament: Surface,
) -> ObjectModel {
    let (half, long) = (0.5 * width, 0.5 * tall);
    let sheet_thick = 0.0028;
    let overhang = 0.004;
    let block = board(
        Vec3::new(-half + 0.004, sheet_thick, -long + overhang),
        Vec3::new(half - overhang, thick - sheet_thick, long - overhang),
        0.0,
    );
    let bulge = (0.16 * thick).min(0.007);
    // The spine: from the lower board round to the upper one.
    let spine_at = move |v: f32| {
        let angle = (v - 0.5) * PI;
        Vec2::new(-half + 0.002 - bulge * angle.cos(), 0.5 * thick + (0.5 * thick - 0.5 * sheet_thick) * angle.sin())
    };
    let spine = |from: f32, to: f32, lift: f32, thickness: f32| {
        sheet(1, 8, thickness, move |u, v| {
            let point = spine_at(v);
            let z = from + (to - from) * u;
            Vec3::new(point.x - lift, point.y, z)
        })
    };
    let covers = merged([
        board(Vec3::new(-half + 0.001, 0.0, -long), Vec3::new(half, sheet_thick, long), 0.0008),
        board(Vec3::new(-half + 0.001, thick - sheet_thick, -long), Vec3::new(half, thick, long), 0.0008),
        spine(-long, long, 0.0, sheet_thick),
    ]);
    let mut marks: Vec<MeshBuffers> = Vec::new();
    // Raised bands across the spine.
    for share in pick::<&[f32]>(rng, &[&[-0.7, 0.7], &[-0.75, -0.3, 0.3, 0.75], &[-0.8, 0.55, 0.8], &[0.5]]) {
        let z = share * long;
        marks.push(spine(z - 0.002, z + 0.002, 0.0011, sheet_thick));
    }
    // A title plate and lines on the front board.
    let top = |low: Vec2, high: Vec2| {
        board(Vec3::new(low.x, thick - 0.0005, low.y), Vec3::new(high.x, thick + 0.0006, high.y), 0.0)
    };
    match count(rng, 0, 2) {
        0 => {
            let (x, z) = (0.55 * half, 0.16 * long);
            marks.push(top(Vec2::new(-x + 0.1 * half, -0.55 * long - z), Vec2::new(x + 0.1 * half, -0.55 * long + z)));
        }
        1 => {
            // A frame.
            let (x0, x1, z, line) = (-0.72 * half, 0.82 * half, 0.84 * long, 0.0022);
            marks.push(top(Vec2::new(x0, -z), Vec2::new(x1, -z + line)));
            marks.push(top(Vec2::new(x0, z - line), Vec2::new(x1, z)));
            marks.push(top(Vec2::new(x0, -z), Vec2::new(x0 + line, z)));
            marks.push(top(Vec2::new(x1 - line, -z), Vec2::new(x1, z)));
            marks.push(top(Vec2::new(-0.4 * half, -0.5 * long), Vec2::new(0.5 * half, -0.36 * long)));
        }
        _ => {
            for (row, reach) in [0.5, 0.38, 0.25].into_iter().enumerate() {
                let z = -0.62 * long + row as f32 * 0.13 * long;
                marks.push(top(Vec2::new((0.06 - reach) * half, z), Vec2::new((0.06 + reach) * half, z + 0.07 * long)));
            }
            if chance(rng, 0.6) {
                let size = 0.3 * half;
                let z = 0.3 * long;
                marks.push(top(Vec2::new(-size + 0.06 * half, z - size), Vec2::new(size + 0.06 * half, z + size)));
            }
        }
    }
    ObjectModel {
        parts: vec![Part::new(covers, cover), Part::new(block, pages), Part::new(merged(marks), ornament)],
        collider: vec![ColliderPiece::block(Vec3::new(-half, 0.0, -long), Vec3::new(half, thick, long))],
        mass_kg: 700.0 * width * tall * thick,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// Lying open, both halves of the page block arching away from the gutter.
fn open_book(width: f32, tall: f32, thick: f32, cover: Surface, pages: Surface, ornament: Surface) -> ObjectModel {
    let long = 0.5 * tall;
    let sheet_thick = 0.0028;
    let block = (0.5 * thick).max(0.012);
    // Height of the pages' top at the share t from the gutter to the edge.
    let arch = move |t: f32| sheet_thick + block * (0.35 + 1.1 * (t * 3.2).min(1.0).powf(0.6) - 0.7 * t * t).max(0.12);
    let page = |side: f32| {
        // A closed prism under the arch: bent from a flat slab.
        let mut slab = sheet(10, 1, 1.0, |u, v| Vec3::new(u, 0.0, 0.5 - v));
        for uv in &mut slab.uvs {
            *uv *= Vec2::new(width, tall);
        }
        slab.deformed(0.6, |p| {
            let t = p.x;
            let y = if p.y > 0.0 { arch(t) } else { sheet_thick };
            Vec3::new(side * t * (width - 0.005), y, side * p.z * 2.0 * (long - 0.004))
        })
    };
    let covers = merged([
        board(Vec3::new(-width, 0.0, -long), Vec3::new(-0.004, sheet_thick, long), 0.0008),
        board(Vec3::new(0.004, 0.0, -long), Vec3::new(width, sheet_thick, long), 0.0008),
        board(Vec3::new(-0.005, 0.0003, -long), Vec3::new(0.005, sheet_thick - 0.0004, long), 0.0),
    ]);
    // Lines of print.
    let mut lines = Vec::new();
    for side in [-1.0, 1.0] {
        for row in 0..7 {
            let z = -0.66 * long + row as f32 * 0.2 * long;
            let to = if row == 6 { 0.6 } else { 0.86 };
            lines.push(sheet(5, 1, 0.0008, |u, v| {
                let t = if side > 0.0 { 0.32 + (to - 0.32) * u } else { 0.86 - (to - 0.32) * u };
                Vec3::new(side * t * (width - 0.005), arch(t) + 0.0004, z + 0.045 * long * (1.0 - v))
            }));
        }
    }
    let ink = Surface { metallic: 0.0, base_color: hex(0x4a443e), ..ornament };
    ObjectModel {
        parts: vec![
            Part::new(covers, cover),
            Part::new(merged([page(-1.0), page(1.0)]), pages),
            Part::new(merged(lines), ink),
        ],
        collider: vec![ColliderPiece::block(
            Vec3::new(-width, 0.0, -long),
            Vec3::new(width, sheet_thick + 1.05 * block, long),
        )],
        mass_kg: 700.0 * width * tall * thick,
        grabbable: true,
        ..ObjectModel::default()
    }
}
