//! Furniture: chairs, stools, tables, shelves.

use std::f32::consts::{PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, SupportSurface, Surface},
    palette::{CLOTHS, LEATHERS, METALS, PAINTS, TIMBER, fabric, leather, metal, painted, shade, wood},
    shape::{
        Ends, beveled_box, beveled_cylinder, board, curve, lathe, merged, rod, sharp, sheet, soft, soft_box, tube,
    },
};

/// Timber or paint.
fn finish(rng: &mut ChaCha8Rng) -> Surface {
    if chance(rng, 0.7) { wood(TIMBER.pick(rng)) } else { painted(PAINTS.pick(rng)) }
}

/// A leg from the floor to `top`, its foot at `foot`: round and tapered, or square. The foot is cut level.
fn leg(foot: Vec3, top: Vec3, thick: f32, square: bool) -> MeshBuffers {
    let mut mesh = if square {
        tube(&[foot, top], |t| Vec2::splat(thick * (0.6 + 0.12 * t)), 4, Ends::Flat).with_smooth_normals(0.5)
    } else {
        rod(foot, top, 0.36 * thick, 0.55 * thick, 10)
    };
    let along = top - foot;
    for position in &mut mesh.positions {
        if (*position - foot).dot(along) < 0.5 * along.length_squared() {
            *position -= along * ((position.y - foot.y) / along.y);
        }
    }
    mesh
}

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

/// The convex hull of a slanted square post from `foot` (on the floor) to `top`.
fn leg_hull(foot: Vec3, top: Vec3, half: f32) -> ColliderPiece {
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, z)| Vec3::new(x * half, 0.0, z * half));
    ColliderPiece::Hull(corners.iter().flat_map(|corner| [foot + *corner, top + *corner]).collect())
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

/// A table: rectangular or round top; four legs, a pedestal, trestles or metal frames; some with a drawer or a shelf.
/// Dining, work or coffee height.
pub fn table(rng: &mut ChaCha8Rng) -> ObjectModel {
    let low_table = chance(rng, 0.25);
    let height = if low_table { between(rng, 0.4, 0.48) } else { between(rng, 0.7, 0.77) };
    let slab = between(rng, 0.024, 0.042);
    let under = height - slab;
    let thick = between(rng, 0.045, 0.07);
    let round = chance(rng, 0.28);
    let half = if round {
        Vec2::splat(between(rng, 0.38, 0.56))
    } else {
        Vec2::new(between(rng, 0.48, 0.8), between(rng, 0.32, 0.44))
    };
    let mut frame: Vec<MeshBuffers> = Vec::new();
    let mut iron: Vec<MeshBuffers> = Vec::new();
    let top;
    let mut collider = Vec::new();
    if round {
        top = beveled_cylinder(half.x, half.x, slab, 0.006, 44).translated(Vec3::Y * under);
        collider.push(ColliderPiece::upright(half.x, under, height));
    } else {
        top = board(Vec3::new(-half.x, under, -half.y), Vec3::new(half.x, height, half.y), 0.005);
        collider.push(ColliderPiece::block(Vec3::new(-half.x, under, -half.y), Vec3::new(half.x, height, half.y)));
    }
    let style = if round { pick(rng, &[0, 1, 1]) } else { pick(rng, &[0, 0, 2, 3]) };
    let mut has_drawer = false;
    match style {
        // Four legs under an apron.
        0 => {
            let square = !round && chance(rng, 0.65);
            let splay = if square { 0.0 } else { between(rng, 0.3, 0.9) * thick };
            let inset = if round { half * 0.62 } else { half - thick };
            for (x, z) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
                let head = Vec3::new(x * inset.x, under + 0.004, z * inset.y);
                let foot = Vec3::new(x * (inset.x + splay), 0.0, z * (inset.y + splay));
                if square {
                    frame.push(board(
                        foot - Vec3::new(0.5, 0.0, 0.5) * thick,
                        head + Vec3::new(0.5, 0.0, 0.5) * thick,
                        0.004,
                    ));
                } else {
                    frame.push(leg(foot, head, 1.15 * thick, false));
                }
                collider.push(leg_hull(foot, Vec3::new(head.x, under, head.z), 0.4 * thick));
            }
            if !round {
                let apron = between(rng, 0.06, 0.11).min(0.3 * height);
                for side in [-1.0, 1.0] {
                    let (x, z) = (side * inset.x, side * inset.y);
                    frame.push(board(
                        Vec3::new(-inset.x, under - apron, z - 0.01),
                        Vec3::new(inset.x, under + 0.002, z + 0.01),
                        0.002,
                    ));
                    frame.push(board(
                        Vec3::new(x - 0.01, under - apron, -inset.y),
                        Vec3::new(x + 0.01, under + 0.002, inset.y),
                        0.002,
                    ));
                }
                if apron > 0.08 && square {
                    has_drawer = true;
                    let width = 0.42 * inset.x;
                    let z = inset.y + 0.012;
                    frame.push(board(
                        Vec3::new(-width, under - apron + 0.012, inset.y),
                        Vec3::new(width, under - 0.012, z + 0.006),
                        0.003,
                    ));
                    iron.push(
                        beveled_cylinder(0.009, 0.014, 0.02, 0.003, 12)
                            .rotated(Quat::from_rotation_x(0.5 * PI))
                            .translated(Vec3::new(0.0, under - 0.5 * apron, z + 0.004)),
                    );
                }
            }
        }
        // A pedestal on a disc or a cross.
        1 => {
            let column = between(rng, 0.035, 0.055);
            frame.push(beveled_cylinder(column, column * 0.85, under - 0.02, 0.0, 20).translated(Vec3::Y * 0.022));
            frame.push(
                beveled_cylinder(column * 1.2, column * 2.6, 0.04, 0.004, 20).translated(Vec3::Y * (under - 0.038)),
            );
            let reach = 0.62 * half.x;
            if chance(rng, 0.5) {
                frame.push(beveled_cylinder(reach * 0.85, reach * 0.8, 0.026, 0.006, 36));
            } else {
                for k in 0..4 {
                    let turn = Quat::from_rotation_y((k as f32 + 0.5) * 0.5 * PI);
                    let path = [
                        Vec3::new(0.0, 0.085, 0.3 * column),
                        Vec3::new(0.0, 0.06, 0.5 * reach),
                        Vec3::new(0.0, 0.02, reach),
                    ];
                    let foot = tube(&curve(&path, 8), |t| Vec2::new(0.02, 0.03 - 0.01 * t), 8, Ends::Round);
                    let floor = foot.bounds().0.y;
                    frame.push(foot.translated(Vec3::Y * -floor).rotated(turn));
                }
            }
            collider.push(ColliderPiece::upright(column, 0.0, under));
            collider.push(ColliderPiece::upright(0.8 * reach, 0.0, 0.025));
        }
        // Trestles: an A at either end and a beam.
        2 => {
            let x = half.x * between(rng, 0.62, 0.76);
            let spread = half.y * 0.82;
            for side in [-1.0, 1.0] {
                for z in [-1.0, 1.0] {
                    let (foot, head) =
                        (Vec3::new(side * x, 0.0, z * spread), Vec3::new(side * x, under, z * 0.25 * spread));
                    frame.push(upright_post(foot, head, 0.5 * thick));
                    collider.push(leg_hull(foot, head, 0.35 * thick));
                }
                frame.push(board(
                    Vec3::new(side * x - 0.5 * thick, under - 0.05, -0.8 * spread),
                    Vec3::new(side * x + 0.5 * thick, under + 0.002, 0.8 * spread),
                    0.003,
                ));
            }
            let y = 0.42 * height;
            frame.push(board(Vec3::new(-x, y - 0.035, -0.016), Vec3::new(x, y + 0.035, 0.016), 0.003));
            for side in [-1.0, 1.0] {
                frame.push(board(
                    Vec3::new(side * x - 0.018, y - 0.04, -0.55 * spread),
                    Vec3::new(side * x + 0.018, y + 0.03, 0.55 * spread),
                    0.003,
                ));
            }
        }
        // Frames of square steel tube.
        _ => {
            let bar = between(rng, 0.028, 0.045);
            let x = half.x - bar - 0.02;
            let z = half.y - 0.5 * bar - 0.015;
            for side in [-1.0, 1.0] {
                for end in [-1.0, 1.0] {
                    let middle = Vec3::new(side * x, 0.0, end * z);
                    let reach = Vec3::new(0.5 * bar, 0.0, 0.5 * bar);
                    iron.push(board(middle - reach, middle + reach + Vec3::Y * (under + 0.002), 0.002));
                    collider.push(leg_hull(middle, middle + Vec3::Y * under, 0.5 * bar));
                }
                for (low, high) in [(0.0, bar), (under - bar, under + 0.001)] {
                    iron.push(board(
                        Vec3::new(side * x - 0.45 * bar, low + 0.001, -z),
                        Vec3::new(side * x + 0.45 * bar, high, z),
                        0.002,
                    ));
                }
            }
        }
    }
    let surface = finish(rng);
    let legs_surface = if chance(rng, 0.3) { painted(PAINTS.pick(rng)) } else { surface.clone() };
    let steel = if has_drawer {
        metal(METALS.pick(rng), 0.35)
    } else {
        let color = PAINTS.pick(rng);
        painted(shade(color, -0.6))
    };
    let mut parts = vec![Part::new(top, surface)];
    if !frame.is_empty() {
        parts.push(Part::new(merged(frame), legs_surface));
    }
    if !iron.is_empty() {
        parts.push(Part::new(merged(iron), steel));
    }
    let reach = if round { half * 0.66 } else { half - 0.04 };
    ObjectModel {
        parts,
        collider,
        mass_kg: 20.0,
        fixed: true,
        supports: vec![SupportSurface { center: Vec3::Y * height, half_size: reach, clearance: f32::INFINITY }],
        ..ObjectModel::default()
    }
}

/// A post of square section between two points, its sides along x.
fn upright_post(foot: Vec3, head: Vec3, half: f32) -> MeshBuffers {
    let mut mesh = beveled_box(Vec3::new(2.0 * half, 1.0, 2.0 * half), 0.0);
    for position in &mut mesh.positions {
        let share = position.y + 0.5;
        *position = Vec3::new(position.x, 0.0, position.z) + foot.lerp(head, share);
    }
    for uv in &mut mesh.uvs {
        uv.y *= foot.distance(head);
    }
    mesh.with_smooth_normals(0.3)
}

/// A shelf for books and things, empty: a case with a back, an open rack with posts of steel, or a ladder rack. Opens
/// towards +Z.
pub fn shelf(rng: &mut ChaCha8Rng) -> ObjectModel {
    let half_width = between(rng, 0.32, 0.52);
    let half_depth = between(rng, 0.13, 0.17);
    let low_shelf = chance(rng, 0.35);
    let height = if low_shelf { between(rng, 0.75, 1.0) } else { between(rng, 1.35, 1.9) };
    let plank = between(rng, 0.02, 0.03);
    let tiers = if low_shelf { count(rng, 2, 3) } else { count(rng, 4, 5) };
    let style = count(rng, 0, 3);
    let plinth = if style < 2 { between(rng, 0.05, 0.09) } else { between(rng, 0.08, 0.16) };
    let top = if style == 2 { height - between(rng, 0.0, 0.12) } else { height };
    let step = (top - plank - plinth) / tiers as f32;
    let floors: Vec<f32> = (0..=tiers).map(|tier| plinth + tier as f32 * step).collect();

    let mut boards = Vec::new();
    let mut posts = Vec::new();
    let mut back = Vec::new();
    let mut collider = Vec::new();
    let cased = style < 2;
    let inner = if cased { half_width - plank } else { half_width - 0.002 };
    for y in &floors {
        let (low, high) = (Vec3::new(-inner, *y, -half_depth), Vec3::new(inner, y + plank, half_depth));
        boards.push(board(low, high, 0.002));
        collider.push(ColliderPiece::block(low, high));
    }
    if cased {
        for side in [-1.0, 1.0] {
            let (a, b) = (
                Vec3::new(side * half_width, 0.0, -half_depth),
                Vec3::new(side * (half_width - plank), height, half_depth),
            );
            posts.push(board(a.min(b), a.max(b), 0.002));
            collider.push(ColliderPiece::block(a.min(b), a.max(b)));
        }
        back.push(board(
            Vec3::new(-half_width + 0.005, plinth, -half_depth - 0.008),
            Vec3::new(half_width - 0.005, height - 0.004, -half_depth + 0.002),
            0.0,
        ));
        collider.push(ColliderPiece::block(
            Vec3::new(-half_width, plinth, -half_depth - 0.008),
            Vec3::new(half_width, height, -half_depth + 0.004),
        ));
        posts.push(board(
            Vec3::new(-inner, 0.0, half_depth - 0.035),
            Vec3::new(inner, plinth + 0.002, half_depth - 0.018),
            0.001,
        ));
        if style == 1 {
            // A partition in the middle of some tiers.
            for tier in 0..tiers {
                if chance(rng, 0.6) {
                    let x = if tier % 2 == 0 { 0.0 } else { inner * 0.3 };
                    let low = Vec3::new(x - 0.5 * plank, floors[tier] + plank - 0.001, -half_depth);
                    let high = Vec3::new(x + 0.5 * plank, floors[tier + 1] + 0.001, half_depth - 0.004);
                    posts.push(board(low, high, 0.001));
                    collider.push(ColliderPiece::block(low, high));
                }
            }
        }
    } else {
        let bar = between(rng, 0.022, 0.032);
        for (x, z) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
            let foot = Vec3::new(x * half_width, 0.0, z * (half_depth - 0.4 * bar));
            let reach = Vec3::new(0.5 * bar, 0.0, 0.5 * bar);
            posts.push(board(foot - reach, foot + reach + Vec3::Y * height, 0.002));
            collider.push(ColliderPiece::block(foot - reach, foot + reach + Vec3::Y * height));
        }
        if style == 3 {
            // Diagonal braces behind.
            for side in [-1.0, 1.0] {
                back.push(rod(
                    Vec3::new(-side * half_width, plinth, -half_depth),
                    Vec3::new(side * half_width, top, -half_depth),
                    0.005,
                    0.005,
                    6,
                ));
            }
        } else {
            for side in [-1.0, 1.0] {
                for y in &floors {
                    posts.push(board(
                        Vec3::new(side * half_width - 0.3 * bar, y - 0.8 * bar, -half_depth + 0.4 * bar),
                        Vec3::new(side * half_width + 0.3 * bar, y + 0.001, half_depth - 0.4 * bar),
                        0.001,
                    ));
                }
            }
        }
    }
    let surface = finish(rng);
    let frame = if cased {
        surface.clone()
    } else if chance(rng, 0.6) {
        metal(METALS.pick(rng), 0.45)
    } else {
        painted(PAINTS.pick(rng))
    };
    let behind = if !cased {
        frame.clone()
    } else if chance(rng, 0.3) {
        painted(PAINTS.pick(rng))
    } else {
        Surface { base_color: shade(surface.base_color, -0.2), ..surface.clone() }
    };
    let mut parts = vec![Part::new(merged(boards), surface), Part::new(merged(posts), frame)];
    if !back.is_empty() {
        parts.push(Part::new(merged(back), behind));
    }
    let supports = floors
        .iter()
        .enumerate()
        .map(|(tier, y)| SupportSurface {
            center: Vec3::new(0.0, y + plank, 0.01),
            half_size: Vec2::new(inner - 0.04, half_depth - 0.03),
            clearance: if tier == tiers { f32::INFINITY } else { step - plank },
        })
        .collect();
    ObjectModel { parts, collider, mass_kg: 30.0, fixed: true, supports, ..ObjectModel::default() }
}
