//! Things one holds and turns: hammer, key. They lie on the ground, pointing along X.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, Surface},
    palette::{METALS, PAINTS, PLASTICS, Palette, TIMBER, hex, metal, painted, plastic, wood},
    shape::{Ends, beveled_box, beveled_cylinder, board, curve, lathe, merged, rod, sharp, soft, soft_box, tube},
};

const STEELS: Palette = Palette(&[0x8f9296, 0x6a6d72, 0x55585c, 0xa9acb0, 0x3f4246]);

/// The head of a claw hammer about the origin: the face towards +Z, the claw towards −Z.
fn claw_head(size: f32) -> MeshBuffers {
    let face = lathe(
        &[
            sharp(0.0, 0.0),
            sharp(0.19, 0.0),
            sharp(0.19, 0.3),
            soft(0.17, 0.5),
            sharp(0.27, 0.56),
            sharp(0.27, 0.76),
            sharp(0.24, 0.8),
            sharp(0.0, 0.8),
        ]
        .map(|knot| knot.times(size)),
        18,
    )
    .rotated(Quat::from_rotation_x(FRAC_PI_2));
    let cheek = soft_box(Vec3::new(0.36, 0.46, 0.5) * size, 0.08 * size, 2);
    let mut pieces = vec![face, cheek];
    for side in [-1.0, 1.0] {
        // Two prongs that part and bend down towards the handle (+X here).
        let path = curve(
            &[
                Vec3::new(0.0, 0.08 * side, -0.15),
                Vec3::new(-0.02, 0.12 * side, -0.45),
                Vec3::new(0.08, 0.17 * side, -0.75),
                Vec3::new(0.3, 0.21 * side, -1.0),
            ]
            .map(|point| point * size),
            8,
        );
        // Flat prongs: thick in the plane in which they bend at the root, thin at the tip.
        let prong = tube(&path, |t| Vec2::new(0.12 - 0.05 * t, 0.15 - 0.11 * t) * size, 8, Ends::Flat);
        pieces.push(prong);
    }
    merged(pieces)
}

/// A hammer: claw hammer, sledge, or mallet of wood or rubber.
pub fn hammer(rng: &mut ChaCha8Rng) -> ObjectModel {
    let kind = pick(rng, &[0, 0, 0, 1, 2, 2]);
    let length = between(rng, 0.24, 0.36);
    let size = length * between(rng, 0.22, 0.27);
    let thick = length * between(rng, 0.034, 0.042);
    // The head is at x = 0, the handle runs towards +X; all in the XZ plane.
    let (head, reach) = match kind {
        0 => (claw_head(size), 0.27),
        1 => {
            let bar = beveled_box(Vec3::new(0.56, 0.56, 1.5) * size, 0.1 * size);
            (bar, 0.28)
        }
        _ => {
            let barrel = between(rng, 0.5, 0.62);
            let profile = [
                sharp(0.0, -0.85),
                sharp(barrel - 0.06, -0.85),
                sharp(barrel, -0.79),
                sharp(barrel, -0.5),
                sharp(barrel * 0.94, -0.46),
                soft(barrel * 0.94, 0.0),
                sharp(barrel * 0.94, 0.46),
                sharp(barrel, 0.5),
                sharp(barrel, 0.79),
                sharp(barrel - 0.06, 0.85),
                sharp(0.0, 0.85),
            ];
            let mesh = lathe(&profile.map(|knot| knot.times(size)), 22).rotated(Quat::from_rotation_x(FRAC_PI_2));
            (mesh, barrel)
        }
    };
    let lowest = -head.bounds().0.y;
    let grip_from = length * between(rng, 0.5, 0.62);
    let start = -0.9 * reach * size;
    // The handle: an oval stick that swells at the grip and sinks so that its end lies on the ground.
    let drop = lowest - thick * 1.15;
    let path: Vec<Vec3> =
        (0..=10).map(|k| k as f32 / 10.0).map(|t| Vec3::new(start + (length - start) * t, -drop * t, 0.0)).collect();
    let shape = move |t: f32| {
        let grip = (t * 9.0 - 5.0).clamp(0.0, 1.0);
        let swell = 0.78 + 0.22 * grip + 0.1 * (PI * t * 2.0).sin().min(0.0).abs() * grip;
        Vec2::new(1.25, 0.92) * (thick * swell)
    };
    let stick = tube(&path, shape, 12, Ends::Round);
    let sleeve_from = (grip_from / length * 10.0) as usize;
    let sleeve = tube(
        &path[sleeve_from.min(8)..],
        |t| shape(1.0 - 0.4 * (1.0 - t)) * (1.08 - 0.04 * (PI * 2.0 * t).cos()),
        12,
        Ends::Round,
    );
    let sheathed = kind != 2 && chance(rng, 0.6);
    let head_surface = match kind {
        0 => metal(STEELS.pick(rng), 0.35),
        1 => Surface { metallic: 0.6, ..metal(STEELS.pick(rng), 0.5) },
        _ if chance(rng, 0.5) => wood(TIMBER.pick(rng)),
        _ => Surface { roughness: 0.8, ..plastic(if chance(rng, 0.5) { hex(0x26272a) } else { PLASTICS.pick(rng) }) },
    };
    let mut parts = vec![Part::new(head, head_surface), Part::new(stick, wood(TIMBER.pick(rng)))];
    if sheathed {
        let rubber = if chance(rng, 0.3) { hex(0x222326) } else { PLASTICS.pick(rng) };
        parts.push(Part::new(sleeve, Surface { roughness: 0.7, ..plastic(rubber) }));
    }
    let handle_points: Vec<Vec3> = parts[1..].iter().flat_map(|part| part.mesh.positions.iter().copied()).collect();
    let collider = vec![ColliderPiece::hull_round(&parts[0].mesh.positions), ColliderPiece::hull_round(&handle_points)];
    let model =
        ObjectModel { parts, collider, mass_kg: 0.3 + 20.0 * size * size, grabbable: true, ..ObjectModel::default() };
    model.set_down()
}

/// A flat ring (or another closed curve) of round wire in the XZ plane.
fn wire_loop(points: impl Fn(f32) -> Vec2, samples: usize, thick: f32) -> MeshBuffers {
    let path: Vec<Vec3> = (0..samples)
        .map(|k| points(k as f32 / samples as f32 * TAU))
        .map(|point| Vec3::new(point.x, 0.0, point.y))
        .collect();
    tube(&path, |_| Vec2::splat(thick), 9, Ends::Joined)
}

/// An ornamental key: bow, collars, shaft, bit with teeth. It lies on its side, or stands on a plinth.
pub fn key(rng: &mut ChaCha8Rng) -> ObjectModel {
    let length = between(rng, 0.14, 0.22);
    let thick = length * between(rng, 0.035, 0.048);
    let bow = length * between(rng, 0.15, 0.19);
    let wire = thick * between(rng, 0.95, 1.2);
    // The bow's middle at the origin, the shaft towards +X.
    let mut pieces: Vec<MeshBuffers> = Vec::new();
    let edge = match count(rng, 0, 4) {
        0 => {
            pieces.push(wire_loop(|t| Vec2::from_angle(t) * bow, 24, wire));
            bow
        }
        1 => {
            // An oval across the shaft.
            pieces.push(wire_loop(|t| Vec2::new(0.78 * t.cos(), 1.15 * t.sin()) * bow, 24, wire));
            0.78 * bow
        }
        2 => {
            // A clover of three rings.
            for k in 0..3 {
                let way = Vec2::from_angle((k as f32 + 0.5) / 3.0 * TAU + PI / 3.0 * 2.0) * (0.72 * bow);
                pieces.push(wire_loop(|t| way + Vec2::from_angle(t) * (0.58 * bow), 18, 0.85 * wire));
            }
            pieces.push(
                beveled_cylinder(0.4 * bow, 0.4 * bow, 1.6 * wire, 0.2 * wire, 12).translated(Vec3::Y * (-0.8 * wire)),
            );
            0.35 * bow
        }
        3 => {
            // A heart, its tip towards the shaft.
            pieces.push(wire_loop(
                |t| {
                    let (s, c) = t.sin_cos();
                    let heart = Vec2::new(
                        -(13.0 * c - 5.0 * (2.0 * t).cos() - 2.0 * (3.0 * t).cos() - (4.0 * t).cos()),
                        16.0 * s * s * s,
                    );
                    heart / 15.0 * bow
                },
                30,
                wire,
            ));
            // The wire overlaps itself in the notch: let normals follow the faces there.
            pieces = pieces.into_iter().map(|piece| piece.with_smooth_normals(1.0)).collect();
            1.12 * bow
        }
        _ => {
            // A solid plate with a hole, like a house key's.
            let (rim, hole) = (1.05 * bow, 0.3 * bow);
            let half = 0.7 * wire;
            pieces.push(lathe(
                &[
                    sharp(hole, -half),
                    sharp(0.92 * rim, -half),
                    soft(rim, 0.0),
                    sharp(0.92 * rim, half),
                    sharp(hole, half),
                    sharp(hole, -half),
                ],
                26,
            ));
            rim
        }
    };
    let tip = length - bow;
    let start = 0.9 * edge;
    pieces.push(rod(Vec3::X * start, Vec3::X * tip, thick, 0.92 * thick, 12));
    for (share, swell) in [(0.04, 1.55), (0.13, 1.3), (0.97, 1.2)].iter().take(count(rng, 1, 3)) {
        let x = start + (tip - start) * share;
        pieces.push(rod(Vec3::X * (x - 0.35 * thick), Vec3::X * (x + 0.35 * thick), swell * thick, swell * thick, 12));
    }
    // The bit, towards +Z, with slots that leave teeth.
    let teeth = count(rng, 2, 4);
    let bit = length * between(rng, 0.17, 0.24);
    let deep = length * between(rng, 0.13, 0.17);
    let plate = 0.62 * thick;
    let end = tip - 0.25 * thick;
    pieces.push(board(Vec3::new(end - bit, -plate, 0.5 * thick), Vec3::new(end, plate, 0.55 * deep), 0.1 * plate));
    let pitch = bit / (teeth as f32 - 0.4);
    for tooth in 0..teeth {
        let x = end - tooth as f32 * pitch;
        let long = deep * pick(rng, &[0.8, 0.9, 1.0]);
        pieces.push(board(Vec3::new(x - 0.6 * pitch, -plate, 0.5 * deep), Vec3::new(x, plate, long), 0.1 * plate));
    }
    let shape = merged(pieces);
    let surface = match count(rng, 0, 5) {
        0 => painted(PLASTICS.pick(rng)),
        1 => metal(hex(0x4a4846), 0.55),
        _ => metal(METALS.pick(rng), between(rng, 0.25, 0.45)),
    };
    let lying = chance(rng, 0.6);
    let turn = if lying { Quat::IDENTITY } else { Quat::from_rotation_x(FRAC_PI_2) * Quat::from_rotation_y(0.0) };
    // Standing: bow upward, the bit to the side, the flat towards the viewer.
    let turn = if lying { turn } else { Quat::from_rotation_z(-FRAC_PI_2) * turn };
    let shape = shape.rotated(turn);
    let mut collider = vec![ColliderPiece::hull_round(&shape.positions)];
    let mut parts = vec![Part::new(shape, surface)];
    if !lying {
        let low = parts[0].mesh.bounds().0.y;
        let (half, high) = (0.16 * length, 0.16 * length);
        let plinth = if chance(rng, 0.5) {
            collider.push(ColliderPiece::block(
                Vec3::new(-half, low + 0.02 * length - high, -half),
                Vec3::new(half, low + 0.02 * length, half),
            ));
            beveled_box(Vec3::new(2.0 * half, high, 2.0 * half), 0.08 * high)
                .translated(Vec3::Y * (low + 0.02 * length - 0.5 * high))
        } else {
            let round = beveled_cylinder(1.1 * half, 0.9 * half, high, 0.1 * high, 20)
                .translated(Vec3::Y * (low + 0.02 * length - high));
            collider.push(ColliderPiece::hull_round(&round.positions));
            round
        };
        let base = if chance(rng, 0.6) { wood(TIMBER.pick(rng)) } else { painted(PAINTS.pick(rng)) };
        parts.push(Part::new(plinth, base));
    }
    ObjectModel {
        parts,
        collider,
        mass_kg: 40.0 * length * length * thick * 10.0,
        grabbable: true,
        ..ObjectModel::default()
    }
    .set_down()
}
