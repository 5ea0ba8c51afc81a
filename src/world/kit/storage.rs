//! Crates and boxes: what things are carried and kept in.

use std::f32::consts::FRAC_PI_2;

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, SupportSurface},
    palette::{TIMBER, metal, shade, wood},
    shape::{beveled_cylinder, board, merged},
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
