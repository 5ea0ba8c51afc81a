//! What things are carried and kept in: crates and boxes.

use std::f32::consts::FRAC_PI_2;

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, SupportSurface},
    palette::{PLASTICS, Palette, TIMBER, fabric, hex, metal, painted, paper, shade, wood},
    shape::{Ends, beveled_cylinder, board, curve, ellipsoid, merged, sheet, tube},
};

/// A slatted wooden crate: corner posts, horizontal slats with gaps; open on top, or closed by boards.
pub fn wooden_crate(rng: &mut ChaCha8Rng) -> ObjectModel {
    let half = Vec3::new(between(rng, 0.16, 0.28), 0.0, between(rng, 0.14, 0.22));
    let height = between(rng, 0.2, 0.4);
    let plank = between(rng, 0.012, 0.018);
    let post = between(rng, 0.03, 0.045);
    let slats = count(rng, 3, 4);
    let lidded = chance(rng, 0.4);
    let gap = between(rng, 0.012, 0.022);
    let slat_height = (height - gap * (slats as f32 - 1.0)) / slats as f32;

    let mut boards: Vec<MeshBuffers> = Vec::new();
    for (x, z) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
        let outer = Vec3::new(x * (half.x - plank), 0.0, z * (half.z - plank));
        let inner = outer - Vec3::new(x * post, 0.0, z * post) + Vec3::Y * (height - 0.002);
        boards.push(board(outer.min(inner) + Vec3::Y * 0.002, outer.max(inner), 0.0015));
    }
    let mut nails: Vec<MeshBuffers> = Vec::new();
    for slat in 0..slats {
        let (low, high) = (slat as f32 * (slat_height + gap), slat as f32 * (slat_height + gap) + slat_height);
        for side in [-1.0, 1.0] {
            let (a, b) = (Vec3::new(-half.x, low, side * half.z), Vec3::new(half.x, high, side * (half.z - plank)));
            boards.push(board(a.min(b), a.max(b), 0.002));
            let (a, b) = (
                Vec3::new(side * half.x, low, plank - half.z),
                Vec3::new(side * (half.x - plank), high, half.z - plank),
            );
            boards.push(board(a.min(b), a.max(b), 0.002));
            for end in [-1.0, 1.0] {
                let place = Vec3::new(end * (half.x - 0.6 * post), 0.5 * (low + high), side * (half.z - 0.002));
                nails.push(
                    beveled_cylinder(0.004, 0.0035, 0.004, 0.0, 6)
                        .rotated(Quat::from_rotation_x(side * FRAC_PI_2))
                        .translated(place),
                );
            }
        }
    }
    // The floor, and the lid.
    let across = 4;
    let mut deck = |top: f32, reach: f32| {
        let width = 2.0 * reach / across as f32;
        for index in 0..across {
            let z = -reach + index as f32 * width;
            let side = half.x - if reach < half.z { plank } else { 0.0 };
            boards.push(board(
                Vec3::new(-side, top - plank, z + 0.004),
                Vec3::new(side, top, z + width - 0.004),
                0.0015,
            ));
        }
    };
    deck(plank + 0.004, half.z - plank);
    let top = if lidded { height + plank } else { height };
    if lidded {
        deck(top, half.z);
    }
    let color = TIMBER.pick(rng);
    let support = if lidded {
        SupportSurface {
            center: Vec3::Y * top,
            half_size: Vec2::new(half.x - 0.02, half.z - 0.02),
            clearance: f32::INFINITY,
        }
    } else {
        SupportSurface {
            center: Vec3::Y * (plank + 0.004),
            half_size: Vec2::new(half.x - plank - post - 0.01, half.z - plank - 0.01),
            clearance: height,
        }
    };
    let wall = |low: Vec3, high: Vec3| ColliderPiece::block(low.min(high), low.max(high));
    let collider = if lidded {
        vec![wall(Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, top, half.z))]
    } else {
        let mut pieces = vec![wall(Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, plank + 0.004, half.z))];
        for side in [-1.0, 1.0] {
            pieces
                .push(wall(Vec3::new(-half.x, 0.0, side * half.z), Vec3::new(half.x, height, side * (half.z - plank))));
            pieces
                .push(wall(Vec3::new(side * half.x, 0.0, -half.z), Vec3::new(side * (half.x - plank), height, half.z)));
        }
        pieces
    };
    ObjectModel {
        parts: vec![Part::new(merged(boards), wood(color)), Part::new(merged(nails), metal(shade(color, -0.6), 0.5))],
        collider,
        mass_kg: 4.0,
        grabbable: true,
        supports: vec![support],
        ..ObjectModel::default()
    }
}

/// A box of cardboard, open with its flaps out or closed with tape; or a present with lid, ribbon and bow.
pub fn cardboard_box(rng: &mut ChaCha8Rng) -> ObjectModel {
    match count(rng, 0, 4) {
        0 | 1 => open_box(rng),
        2 => taped_box(rng),
        _ => present(rng),
    }
}

const CARDBOARD: Palette = Palette(&[0xc49a6c, 0xb88a5a, 0xd0aa7c, 0xa87f52]);

fn open_box(rng: &mut ChaCha8Rng) -> ObjectModel {
    let half = Vec3::new(between(rng, 0.14, 0.24), 0.0, between(rng, 0.11, 0.18));
    let height = between(rng, 0.15, 0.28);
    let wall = 0.004;
    let mut walls = vec![board(Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, wall, half.z), 0.0)];
    let mut flaps = Vec::new();
    let mut collider = vec![ColliderPiece::block(Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, 0.012, half.z))];
    for (axis, side) in [(0, -1.0), (0, 1.0), (2, -1.0), (2, 1.0)] {
        let other = 2 - axis;
        let (mut a, mut b) = (Vec3::ZERO, Vec3::Y * height);
        (a[axis], b[axis]) = (side * half[axis], side * (half[axis] - wall));
        (a[other], b[other]) = (-half[other], half[other]);
        walls.push(board(a.min(b), a.max(b), 0.0));
        let mut thick = b;
        thick[axis] = side * (half[axis] - 0.012);
        collider.push(ColliderPiece::block(a.min(thick), a.max(thick)));
        // Flaps open outward, each by its own angle below or above the level.
        let angle: f32 = between(rng, -0.75, 0.55);
        let length = half.z * between(rng, 0.85, 0.98);
        let (mut out, mut along) = (Vec3::Y * angle.sin(), Vec3::ZERO);
        out[axis] = side * angle.cos();
        along[other] = half[other] - 0.003;
        let mut hinge = Vec3::Y * (height - 0.5 * wall);
        hinge[axis] = side * (half[axis] - 0.5 * wall);
        // Both directions are mirrored together, so that the sheet's front stays up.
        let flip = if along.cross(out).y > 0.0 { 1.0 } else { -1.0 };
        flaps.push(sheet(1, 2, wall, move |u, v| {
            hinge + along * (flip * (2.0 * u - 1.0)) + out * (length * v) + Vec3::Y * (0.012 * v * (1.0 - v))
        }));
    }
    let color = CARDBOARD.pick(rng);
    let mut parts = vec![Part::new(merged(walls), paper(color)), Part::new(merged(flaps), paper(shade(color, 0.08)))];
    if chance(rng, 0.6) {
        parts.push(shipping_label(rng, half, height));
    }
    ObjectModel {
        parts,
        collider,
        mass_kg: 0.5,
        grabbable: true,
        supports: vec![SupportSurface {
            center: Vec3::Y * wall,
            half_size: Vec2::new(half.x - 0.03, half.z - 0.03),
            clearance: height,
        }],
        ..ObjectModel::default()
    }
}

/// A paper label on the front (+Z).
fn shipping_label(rng: &mut ChaCha8Rng, half: Vec3, height: f32) -> Part {
    let (width, tall) = (half.x * between(rng, 0.25, 0.4), height * between(rng, 0.14, 0.22));
    let middle = Vec3::new(between(rng, -0.45, 0.45) * half.x, height * between(rng, 0.45, 0.65), half.z);
    let reach = Vec3::new(width, tall, 0.0008);
    Part::new(board(middle - reach, middle + reach, 0.0), paper(hex(0xf0ede4)))
}

fn taped_box(rng: &mut ChaCha8Rng) -> ObjectModel {
    let half = Vec3::new(between(rng, 0.14, 0.26), 0.0, between(rng, 0.1, 0.18));
    let height = between(rng, 0.14, 0.3);
    let (low, high) = (Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, height, half.z));
    let color = CARDBOARD.pick(rng);
    let tape_half = between(rng, 0.02, 0.028);
    let hang = 0.25 * height;
    // Two lids with a slit between them, and the tape over it and down both ends.
    let body = merged([
        board(low, Vec3::new(half.x, height - 0.003, half.z), 0.003),
        board(Vec3::new(-half.x, height - 0.0035, -half.z), Vec3::new(half.x, height, -0.002), 0.0012),
        board(Vec3::new(-half.x, height - 0.0035, 0.002), Vec3::new(half.x, height, half.z), 0.0012),
    ]);
    let tape = merged([
        board(
            Vec3::new(-half.x - 0.0012, height - 0.001, -tape_half),
            Vec3::new(half.x + 0.0012, height + 0.0012, tape_half),
            0.0,
        ),
        board(
            Vec3::new(-half.x - 0.0012, height - hang, -tape_half),
            Vec3::new(-half.x + 0.001, height, tape_half),
            0.0,
        ),
        board(Vec3::new(half.x - 0.001, height - hang, -tape_half), Vec3::new(half.x + 0.0012, height, tape_half), 0.0),
    ]);
    let tape_color = pick(rng, &[0xd9c08a, 0x8a5a2c, 0xe6dfcf, 0xb5473a]);
    let label = shipping_label(rng, half, height);
    let tape_surface = painted(hex(tape_color));
    ObjectModel {
        parts: vec![Part::new(body, paper(color)), Part::new(tape, tape_surface), label],
        collider: vec![ColliderPiece::block(low, high)],
        mass_kg: 2.0,
        grabbable: true,
        supports: vec![SupportSurface {
            center: Vec3::Y * (height + 0.001),
            half_size: Vec2::new(half.x - 0.03, half.z - 0.03),
            clearance: f32::INFINITY,
        }],
        ..ObjectModel::default()
    }
}

fn present(rng: &mut ChaCha8Rng) -> ObjectModel {
    let half = Vec3::new(between(rng, 0.08, 0.15), 0.0, between(rng, 0.08, 0.15));
    let height = between(rng, 0.1, 0.2);
    let lid = between(rng, 0.03, 0.05);
    let over = 0.004;
    let wrap = PLASTICS.pick(rng);
    let mut ribbon_color = PLASTICS.pick(rng);
    if ribbon_color.distance(wrap) < 0.25 {
        ribbon_color = if wrap.element_sum() > 1.2 { hex(0xb3202c) } else { hex(0xf3e6c8) };
    }
    let ribbon = between(rng, 0.011, 0.017);
    let body = board(Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, height - 0.004, half.z), 0.003);
    let cover = board(
        Vec3::new(-half.x - over, height - lid, -half.z - over),
        Vec3::new(half.x + over, height, half.z + over),
        0.003,
    );
    let skin = over + 0.0015;
    let mut bands = vec![
        board(
            Vec3::new(-half.x - skin, height - lid - 0.0005, -ribbon),
            Vec3::new(half.x + skin, height + 0.0015, ribbon),
            0.0,
        ),
        board(
            Vec3::new(-ribbon, height - lid - 0.0005, -half.z - skin),
            Vec3::new(ribbon, height + 0.0016, half.z + skin),
            0.0,
        ),
        board(Vec3::new(-half.x - 0.0015, 0.0, -ribbon), Vec3::new(half.x + 0.0015, height - lid, ribbon), 0.0),
        board(Vec3::new(-ribbon, 0.0, -half.z - 0.0015), Vec3::new(ribbon, height - lid, half.z + 0.0015), 0.0),
    ];
    // The bow: loops of ribbon round a knot.
    let size = between(rng, 0.045, 0.065);
    let turn = between(rng, 0.4, 1.1);
    for k in 0..4 {
        let rotation = Quat::from_rotation_y(turn + k as f32 * FRAC_PI_2);
        let long = if k % 2 == 0 { 1.0 } else { 0.75 };
        let path: Vec<Vec3> = curve(
            &[
                Vec3::new(0.0, 0.006, 0.0),
                Vec3::new(0.55 * size, 0.018, 0.0),
                Vec3::new(1.0 * size * long, 0.6 * size, 0.0),
                Vec3::new(0.6 * size * long, 0.78 * size, 0.0),
                Vec3::new(0.0, 0.014, 0.0),
            ],
            13,
        );
        let loop_band = tube(&path, |_| Vec2::new(0.8 * ribbon, 0.0012), 6, Ends::Flat);
        bands.push(loop_band.rotated(rotation).translated(Vec3::Y * height));
    }
    bands.push(ellipsoid(Vec3::new(0.012, 0.011, 0.012), 10, 6).translated(Vec3::Y * (height + 0.011)));
    let lid_color = if chance(rng, 0.5) { shade(wrap, -0.25) } else { shade(wrap, 0.3) };
    ObjectModel {
        parts: vec![
            Part::new(body, paper(wrap)),
            Part::new(cover, paper(lid_color)),
            Part::new(merged(bands), fabric(ribbon_color)),
        ],
        collider: vec![
            ColliderPiece::block(Vec3::new(-half.x, 0.0, -half.z), Vec3::new(half.x, height, half.z)),
            ColliderPiece::frustum(0.01, 0.7 * size, height, height + 0.7 * size),
        ],
        mass_kg: 1.0,
        grabbable: true,
        ..ObjectModel::default()
    }
}
