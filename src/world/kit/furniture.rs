//! Furniture that stays where it is: tables and shelves.

use std::f32::consts::PI;

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    joinery::{finish, leg, leg_hull, upright_post},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, SupportSurface, Surface},
    palette::{METALS, PAINTS, metal, painted, shade},
    shape::{Ends, beveled_cylinder, board, curve, merged, rod, tube},
};

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
