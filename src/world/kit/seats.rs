//! What one sits on: chairs and stools.

use std::f32::consts::TAU;

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count},
    joinery::{finish, leg, leg_hull},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, SupportSurface},
    palette::{CLOTHS, LEATHERS, METALS, fabric, leather, metal},
    shape::{
        Ends, beveled_box, beveled_cylinder, board, curve, lathe, merged, rod, sharp, sheet, soft, soft_box, tube,
    },
};

/// A chair that looks along +Z: seat at sitting height, four legs, a backrest (slats, ladder, spindles or a bent panel),
/// sometimes a cushion or armrests.
pub fn chair(rng: &mut ChaCha8Rng) -> ObjectModel {
    let seat = between(rng, 0.43, 0.48);
    let (half_width, half_depth) = (between(rng, 0.2, 0.24), between(rng, 0.19, 0.23));
    let height = between(rng, 0.82, 1.02);
    let thick = between(rng, 0.03, 0.042);
    let slab = between(rng, 0.022, 0.035);
    let square = chance(rng, 0.5);
    let splay = if square { between(rng, 0.0, 0.015) } else { between(rng, 0.01, 0.05) };
    let recline = between(rng, 0.05, 0.13);
    let under = seat - slab;
    let (leg_x, leg_z) = (half_width - 0.6 * thick, half_depth - 0.6 * thick);

    let mut frame: Vec<MeshBuffers> = Vec::new();
    let mut rests: Vec<MeshBuffers> = Vec::new();
    let mut top_posts = [Vec3::ZERO; 2];
    for (index, side) in [-1.0, 1.0].into_iter().enumerate() {
        let front = Vec3::new(side * leg_x, under + 0.004, leg_z);
        let back = Vec3::new(side * leg_x, under + 0.004, -leg_z);
        let grounded = |p: Vec3, out: Vec3| Vec3::new(p.x, 0.0, p.z) + out * splay;
        frame.push(leg(grounded(front, Vec3::new(side, 0.0, 1.0)), front, thick, square));
        frame.push(leg(grounded(back, Vec3::new(side, 0.0, -1.0)), back, thick, square));
        // The back post.
        let root = Vec3::new(side * leg_x, under, -leg_z);
        let end = Vec3::new(side * leg_x, height, -leg_z - recline);
        top_posts[index] = end;
        frame.push(leg(end, root, 0.9 * thick, square));
    }
    // Rails under the seat.
    if square || chance(rng, 0.4) {
        let (low, high) = (under - between(rng, 0.04, 0.06), under + 0.002);
        for side in [-1.0, 1.0] {
            frame.push(board(
                Vec3::new(side * leg_x - 0.009, low, -leg_z),
                Vec3::new(side * leg_x + 0.009, high, leg_z),
                0.002,
            ));
            frame.push(board(
                Vec3::new(-leg_x, low, side * leg_z - 0.009),
                Vec3::new(leg_x, high, side * leg_z + 0.009),
                0.002,
            ));
        }
    } else {
        let y = between(rng, 0.14, 0.22);
        for side in [-1.0, 1.0] {
            let x = side * (leg_x + splay * (1.0 - y / seat));
            let z = leg_z + splay * (1.0 - y / seat);
            frame.push(rod(Vec3::new(x, y, -z), Vec3::new(x, y, z), 0.009, 0.009, 8));
        }
        frame.push(rod(Vec3::new(-leg_x, y, 0.0), Vec3::new(leg_x, y, 0.0), 0.009, 0.009, 8));
    }
    // The seat: a board, or a board with a cushion.
    let seat_size = Vec3::new(2.0 * half_width, slab, 2.0 * half_depth);
    frame.push(beveled_box(seat_size, 0.006).translated(Vec3::Y * (seat - 0.5 * slab)));
    let cushioned = chance(rng, 0.45);
    let pad = between(rng, 0.03, 0.05);
    let mut soft_parts: Vec<MeshBuffers> = Vec::new();
    if cushioned {
        let size = Vec3::new(2.0 * half_width - 0.03, pad, 2.0 * half_depth - 0.03);
        soft_parts.push(soft_box(size, 0.45 * pad, 4).translated(Vec3::Y * (seat + 0.45 * pad)));
    }
    // The backrest between the posts; `at` gives points of its plane, x from −1 to 1, y the height.
    let at = |x: f32, y: f32| {
        let share = (y - under) / (height - under);
        Vec3::new(x * leg_x, y, -leg_z - recline * share)
    };
    let style = count(rng, 0, 4);
    let crest = between(rng, 0.05, 0.09);
    let bow = if style == 4 { 0.0 } else { between(rng, 0.0, 0.03) };
    let rail = |low: f32, high: f32, depth: f32| {
        sheet(8, 1, depth, move |u, v| {
            let x = 2.0 * u - 1.0;
            at(x, low + (high - low) * v) - Vec3::Z * (bow * (1.0 - x * x))
        })
    };
    match style {
        0 => {
            let slats = count(rng, 3, 6);
            rests.push(rail(height - crest, height, 0.018));
            for slat in 0..slats {
                let x = (slat as f32 + 0.5) / slats as f32 * 2.0 - 1.0;
                let half = 0.32 * leg_x / slats as f32;
                let behind = Vec3::Z * (bow * (1.0 - x * x));
                let (low, high) = (at(x, seat - 0.005), at(x, height - 0.5 * crest) - behind);
                rests.push(sheet(1, 1, 0.01, move |u, v| low.lerp(high, v) + Vec3::X * (half * (2.0 * u - 1.0))));
            }
        }
        1 => {
            let rails = count(rng, 2, 4);
            for index in 0..rails {
                let top = height - 0.005 - index as f32 * (height - seat - 0.08) / rails as f32;
                rests.push(rail(top - 0.8 * crest, top, 0.016));
            }
        }
        2 => {
            let spindles = count(rng, 5, 8);
            rests.push(rail(height - 0.7 * crest, height + 0.01, 0.024));
            for index in 0..spindles {
                let x = (index as f32 + 0.7) / (spindles as f32 + 0.4) * 2.0 - 1.0;
                let top = at(x, height - 0.35 * crest) - Vec3::Z * (bow * (1.0 - x * x));
                rests.push(rod(at(x, seat - 0.005), top, 0.007, 0.006, 6));
            }
        }
        3 => {
            let low = seat + between(rng, 0.1, 0.2);
            rests.push(rail(low, height + 0.005, 0.014));
        }
        _ => {
            // Upholstered.
            let low = seat + between(rng, 0.06, 0.14);
            let tilt = Quat::from_rotation_x(-(recline / (height - under)).atan());
            let size = Vec3::new(2.0 * leg_x + 0.01, height - low, 0.05);
            let middle = at(0.0, 0.5 * (height + low)) + Vec3::Z * 0.012;
            soft_parts.push(soft_box(size, 0.02, 4).rotated(tilt).translated(middle));
        }
    }
    if chance(rng, 0.2) {
        let y = seat + between(rng, 0.18, 0.23);
        for side in [-1.0, 1.0] {
            let front = Vec3::new(side * (leg_x + 0.012), y, leg_z - 0.04);
            let back = at(side, y);
            frame.push(tube(
                &curve(&[back, Vec3::new(front.x, y + 0.008, 0.0), front], 6),
                |_| Vec2::new(0.011, 0.02),
                8,
                Ends::Round,
            ));
            frame.push(rod(
                Vec3::new(front.x - side * 0.012, seat - 0.01, leg_z - 0.05),
                front - Vec3::Z * 0.01,
                0.011,
                0.01,
                8,
            ));
        }
    }
    let surface = finish(rng);
    let upholstery = if chance(rng, 0.25) { leather(LEATHERS.pick(rng)) } else { fabric(CLOTHS.pick(rng)) };
    frame.extend(rests);
    let mut parts = vec![Part::new(merged(frame), surface)];
    if !soft_parts.is_empty() {
        parts.push(Part::new(merged(soft_parts), upholstery));
    }
    let mut collider = vec![ColliderPiece::block(
        Vec3::new(-half_width, under, -half_depth),
        Vec3::new(half_width, seat + if cushioned { 0.9 * pad } else { 0.0 }, half_depth),
    )];
    for (x, z) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
        let foot = Vec3::new(x * (leg_x + splay), 0.0, z * (leg_z + splay));
        collider.push(leg_hull(foot, Vec3::new(x * leg_x, under, z * leg_z), 0.35 * thick));
    }
    let back = [at(-1.0, seat), at(1.0, seat), top_posts[0], top_posts[1]];
    collider.push(ColliderPiece::Hull(
        back.iter().flat_map(|p| [*p + Vec3::Z * 0.012, *p - Vec3::Z * (0.012 + bow)]).collect(),
    ));
    ObjectModel { parts, collider, mass_kg: 5.0, grabbable: true, ..ObjectModel::default() }
}

/// A stool without a back: round or square seat, three or four legs with a ring or rungs; low or bar height.
pub fn stool(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = if chance(rng, 0.3) { between(rng, 0.6, 0.74) } else { between(rng, 0.4, 0.5) };
    let radius = between(rng, 0.15, 0.19);
    let slab = between(rng, 0.025, 0.04);
    let round = chance(rng, 0.7);
    let legs = if round { count(rng, 3, 4) } else { 4 };
    let thick = between(rng, 0.03, 0.04);
    let splay = between(rng, 0.02, 0.07);
    let padded = chance(rng, 0.35);
    let pad = between(rng, 0.03, 0.05);
    let board_top = if padded { height - pad } else { height };
    let under = board_top - slab;

    let mut frame = Vec::new();
    let mut collider = Vec::new();
    if round {
        frame.push(beveled_cylinder(radius, radius, slab, 0.006, 32).translated(Vec3::Y * under));
        collider.push(ColliderPiece::upright(radius, under, height));
    } else {
        frame.push(
            beveled_box(Vec3::new(2.0 * radius, slab, 2.0 * radius), 0.006)
                .translated(Vec3::Y * (board_top - 0.5 * slab)),
        );
        collider.push(ColliderPiece::block(Vec3::new(-radius, under, -radius), Vec3::new(radius, height, radius)));
    }
    let place = |k: usize, y: f32| {
        let angle = (k as f32 + 0.5) / legs as f32 * TAU;
        let spread = if round { 0.72 * radius } else { (radius - thick) * 2.0_f32.sqrt() };
        let out = spread + splay * (1.0 - y / under);
        Vec3::new(out * angle.sin(), y, out * angle.cos())
    };
    let rung = between(rng, 0.3, 0.42) * height;
    for k in 0..legs {
        frame.push(leg(place(k, 0.0), place(k, under + 0.005), thick, !round));
        collider.push(leg_hull(place(k, 0.0), place(k, under), 0.35 * thick));
        let y = if round { rung } else { rung + (k % 2) as f32 * 0.05 };
        if legs == 4 {
            frame.push(rod(place(k, y), place((k + 1) % legs, y), 0.009, 0.009, 8));
        }
    }
    let mut ring = Vec::new();
    if legs == 3 {
        let at = place(0, rung);
        let reach = Vec2::new(at.x, at.z).length();
        let line: Vec<Vec3> = (0..28)
            .map(|k| k as f32 / 28.0 * TAU)
            .map(|angle| Vec3::new(reach * angle.sin(), rung, reach * angle.cos()))
            .collect();
        ring.push(tube(&line, |_| Vec2::splat(0.008), 6, Ends::Joined));
    }
    let surface = finish(rng);
    let mut parts = vec![Part::new(merged(frame), surface)];
    if !ring.is_empty() {
        parts.push(Part::new(merged(ring), metal(METALS.pick(rng), 0.35)));
    }
    if padded {
        let cover = if chance(rng, 0.4) { leather(LEATHERS.pick(rng)) } else { fabric(CLOTHS.pick(rng)) };
        let mesh = if round {
            let edge = 0.4 * pad;
            lathe(
                &[
                    sharp(0.0, 0.0),
                    sharp(radius - 0.008, 0.0),
                    soft(radius, edge),
                    soft(radius - 0.004, pad - 0.35 * edge),
                    soft(radius - 0.02, pad),
                    soft(0.0, pad),
                ],
                32,
            )
            .translated(Vec3::Y * board_top)
        } else {
            soft_box(Vec3::new(2.0 * radius, pad, 2.0 * radius), 0.45 * pad, 4)
                .translated(Vec3::Y * (board_top + 0.5 * pad))
        };
        parts.push(Part::new(mesh, cover));
    }
    ObjectModel {
        parts,
        collider,
        mass_kg: 3.5,
        grabbable: true,
        supports: vec![SupportSurface {
            center: Vec3::Y * height,
            half_size: Vec2::splat(if round { 0.62 * radius } else { radius - 0.03 }),
            clearance: f32::INFINITY,
        }],
        ..ObjectModel::default()
    }
}
