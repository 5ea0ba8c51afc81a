//! What stands on a desk: clock, candle.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, Grain, MeshBuffers, ObjectModel, Part, Surface},
    palette::{
        GLAZES, METALS, PAINTS, PLASTICS, Palette, TIMBER, ceramic, hex, jitter, metal, painted, plastic, shining, wood,
    },
    shape::{Ends, Knot, arc, beveled_box, beveled_cylinder, board, extrude, lathe, merged, rod, sharp, soft, tube},
};

const WAXES: Palette =
    Palette(&[0xf3ead2, 0xf3ead2, 0xe9d9b0, 0xb3262a, 0x2f5f4f, 0x3a5f96, 0xd98a4a, 0xc77f9a, 0x7a5a8c]);

/// The dial of a clock about the origin, looking along +Z: face, then ticks and hands. `radius` of the face.
fn dial(rng: &mut ChaCha8Rng, radius: f32) -> (MeshBuffers, MeshBuffers) {
    let facing = Quat::from_rotation_x(FRAC_PI_2);
    let face = beveled_cylinder(radius, radius, 0.006, 0.0, 36).rotated(facing).translated(Vec3::NEG_Z * 0.002);
    let front = 0.004;
    let mut marks = Vec::new();
    let bold = between(rng, 0.8, 1.3);
    let dots = chance(rng, 0.25);
    for hour in 0..12 {
        let way = Quat::from_rotation_z(-(hour as f32) / 12.0 * TAU);
        let quarter = hour % 3 == 0;
        let mark = if dots {
            beveled_cylinder(
                radius * if quarter { 0.075 } else { 0.05 },
                radius * if quarter { 0.07 } else { 0.045 },
                0.003,
                0.0,
                8,
            )
            .rotated(facing)
            .translated(Vec3::new(0.0, 0.82 * radius, front - 0.001))
        } else {
            let size = Vec2::new(if quarter { 0.07 } else { 0.04 } * bold, if quarter { 0.2 } else { 0.13 });
            beveled_box(Vec3::new(size.x * radius, size.y * radius, 0.004), 0.0).translated(Vec3::new(
                0.0,
                (0.92 - 0.5 * size.y) * radius,
                front,
            ))
        };
        marks.push(mark.rotated(way));
    }
    let time = between(rng, 0.0, 12.0);
    for (length, width, turn, lift) in [(0.52, 0.1, time / 12.0, 0.003), (0.78, 0.07, time.fract(), 0.006)] {
        let hand = [
            Vec2::new(-0.35 * width, -0.12),
            Vec2::new(0.35 * width, -0.12),
            Vec2::new(0.62 * width, 0.6 * length),
            Vec2::new(0.0, length),
            Vec2::new(-0.62 * width, 0.6 * length),
        ]
        .map(|point| point * radius);
        marks.push(
            extrude(&hand, 0.003, 0.0, 0.5)
                .rotated(Quat::from_rotation_z(-turn * TAU))
                .translated(Vec3::Z * (front + lift)),
        );
    }
    marks.push(
        beveled_cylinder(0.075 * radius, 0.06 * radius, 0.012, 0.0, 12).rotated(facing).translated(Vec3::Z * front),
    );
    (face, merged(marks))
}

/// A clock with a dial, ticks and two hands: a round alarm clock with bells, a round clock on a foot, a mantel clock, or a
/// square desk clock.
pub fn clock(rng: &mut ChaCha8Rng) -> ObjectModel {
    let kind = pick(rng, &[0, 0, 1, 1, 2, 3]);
    let radius = match kind {
        0 => between(rng, 0.055, 0.08),
        1 => between(rng, 0.09, 0.16),
        _ => between(rng, 0.06, 0.1),
    };
    let depth = radius * if kind == 1 { between(rng, 0.3, 0.42) } else { between(rng, 0.6, 0.85) };
    let half = 0.5 * depth;
    let facing = Quat::from_rotation_x(FRAC_PI_2);
    // A round case with a raised bezel and the dial set back in it, about the dial's middle.
    let case: Vec<Knot> = vec![
        sharp(0.0, -half),
        sharp(1.0 * radius, -half),
        soft(1.12 * radius, -0.6 * half),
        soft(1.15 * radius, 0.5 * half),
        soft(1.14 * radius, 0.92 * half),
        soft(1.08 * radius, half),
        soft(1.01 * radius, 0.9 * half),
        sharp(0.99 * radius, 0.62 * half),
        sharp(0.0, 0.62 * half),
    ];
    // Clocks on a foot look the same from behind: the case has a well on both sides.
    let well = [sharp(0.0, -0.62 * half), sharp(0.99 * radius, -0.62 * half), soft(1.01 * radius, -0.9 * half)];
    let case: Vec<Knot> = if kind == 1 { well.into_iter().chain(case.into_iter().skip(2)).collect() } else { case };
    let (face, marks) = dial(rng, 0.995 * radius);
    let mut body: Vec<MeshBuffers> = Vec::new();
    let mut trim: Vec<MeshBuffers> = Vec::new();
    let mut collider = Vec::new();
    let centre = Vec3::Y * (1.3 * radius);
    let dial_front;
    match kind {
        0 | 1 => {
            body.push(lathe(&case, 36).rotated(facing).translated(centre));
            dial_front = 0.62 * half;
            collider.push(ColliderPiece::Cylinder {
                center: centre,
                rotation: facing,
                radius: 1.14 * radius,
                half_height: half,
            });
        }
        2 => {
            // A mantel clock: a round-topped block with a base.
            let wide = 1.25 * radius;
            let mut outline = vec![Vec2::new(-wide, -1.2 * radius), Vec2::new(wide, -1.2 * radius)];
            outline.extend((0..=14).map(|k| Vec2::from_angle(k as f32 / 14.0 * PI) * wide));
            body.push(extrude(&outline, depth, 0.05 * radius, 0.6).translated(centre));
            trim.push(board(
                Vec3::new(-1.2 * wide, 0.0, -1.2 * half),
                Vec3::new(1.2 * wide, 0.16 * radius, 1.2 * half),
                0.03 * radius,
            ));
            dial_front = half + 0.002;
            collider.push(ColliderPiece::block(
                Vec3::new(-1.2 * wide, 0.0, -1.2 * half),
                Vec3::new(1.2 * wide, 0.16 * radius, 1.2 * half),
            ));
            let crown = centre.y + wide;
            collider.push(ColliderPiece::block(Vec3::new(-wide, 0.1 * radius, -half), Vec3::new(wide, centre.y, half)));
            collider.push(ColliderPiece::block(
                Vec3::new(-0.75 * wide, centre.y, -half),
                Vec3::new(0.75 * wide, crown - 0.15 * wide, half),
            ));
        }
        _ => {
            let size = Vec3::new(2.5 * radius, 2.5 * radius, depth);
            body.push(beveled_box(size, 0.12 * radius).translated(centre));
            dial_front = half + 0.002;
            collider.push(ColliderPiece::block(centre - 0.5 * size, centre + 0.5 * size));
        }
    }
    if kind >= 2 {
        // A rim round the dial.
        trim.push(
            lathe(
                &[
                    sharp(0.97 * radius, -0.01),
                    sharp(1.08 * radius, -0.01),
                    soft(1.08 * radius, 0.006),
                    soft(1.03 * radius, 0.012),
                    soft(0.97 * radius, 0.006),
                    sharp(0.97 * radius, -0.01),
                ],
                36,
            )
            .rotated(facing)
            .translated(centre + Vec3::Z * half),
        );
    }
    match kind {
        0 => {
            for side in [-1.0, 1.0] {
                let foot = centre + Vec3::new(side * 0.7, -1.28, 0.0) * radius;
                let hip = centre + Vec3::new(side * 0.5, -0.9, 0.0) * radius;
                trim.push(tube(&[hip, foot], |t| Vec2::splat(radius * (0.08 + 0.05 * t)), 10, Ends::Round));
                let tilt = Quat::from_rotation_z(-side * 0.55);
                let bell = lathe(
                    &[
                        sharp(0.0, 0.0),
                        sharp(0.5, 0.0),
                        soft(0.47, 0.16),
                        soft(0.3, 0.36),
                        soft(0.1, 0.43),
                        soft(0.0, 0.44),
                    ]
                    .map(|knot| knot.times(radius)),
                    18,
                )
                .rotated(tilt)
                .translated(centre + tilt * Vec3::Y * (1.22 * radius));
                trim.push(bell);
                trim.push(rod(
                    centre + tilt * Vec3::Y * radius,
                    centre + tilt * Vec3::Y * (1.3 * radius),
                    0.05 * radius,
                    0.05 * radius,
                    6,
                ));
            }
            let handle = arc(
                centre + Vec3::Y * (1.25 * radius),
                Vec3::X * (0.62 * radius),
                Vec3::Y * (0.62 * radius),
                0.35,
                PI - 0.35,
                11,
            );
            trim.push(tube(&handle, |_| Vec2::splat(0.05 * radius), 7, Ends::Round));
            collider.push(ColliderPiece::block(
                Vec3::new(-0.8 * radius, -0.1 * radius, -half),
                Vec3::new(0.8 * radius, 0.5 * radius, half),
            ));
            collider.push(ColliderPiece::block(
                centre + Vec3::new(-0.8 * radius, 0.8 * radius, -0.4 * radius),
                centre + Vec3::new(0.8 * radius, 1.6 * radius, 0.4 * radius),
            ));
        }
        1 => {
            // A foot as wide as it must be to stand.
            let foot = Vec3::new(1.1 * radius, 0.16 * radius, (1.5 * depth).max(0.7 * radius));
            trim.push(beveled_box(foot, 0.05 * radius).translated(Vec3::Y * (0.08 * radius)));
            trim.push(board(
                Vec3::new(-0.3 * radius, 0.12 * radius, -0.8 * half),
                Vec3::new(0.3 * radius, 0.26 * radius, 0.8 * half),
                0.03 * radius,
            ));
            collider.push(ColliderPiece::block(
                Vec3::new(-0.5 * foot.x, 0.0, -0.5 * foot.z),
                Vec3::new(0.5 * foot.x, foot.y, 0.5 * foot.z),
            ));
        }
        3 => {
            for (x, z) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
                let place = Vec3::new(x * 0.95 * radius, -0.05 * radius, z * 0.6 * half);
                trim.push(beveled_cylinder(0.12 * radius, 0.15 * radius, 0.15 * radius, 0.0, 10).translated(place));
            }
            collider.push(ColliderPiece::block(
                Vec3::new(-radius, -0.05 * radius, -0.7 * half),
                Vec3::new(radius, 0.1 * radius, 0.7 * half),
            ));
        }
        _ => {}
    }
    let seat = centre + Vec3::Z * dial_front;
    let (mut face, mut marks) = (face.translated(seat), marks.translated(seat));
    if (kind == 1 && chance(rng, 0.8)) || (kind == 3 && chance(rng, 0.5)) {
        // A dial on the back as well, as in a station.
        let about_face = Quat::from_rotation_y(PI);
        face.append(face.clone().rotated(about_face));
        marks.append(marks.clone().rotated(about_face));
        trim = vec![merged([merged(trim.iter().cloned()).rotated(about_face), merged(trim)])];
    }
    let dark_face = chance(rng, 0.15);
    let paper = pick(rng, &[0xf5f1e6, 0xf8f7f2, 0xefe3c4, 0xe4eef0].map(hex));
    let face_color = if dark_face { hex(0x1e2226) } else { jitter(rng, paper, 0.04) };
    let ink = if dark_face { hex(0xf0ece0) } else { pick(rng, &[0x141416, 0x141416, 0x3a2a1c, 0x14233f].map(hex)) };
    let case_surface = match (kind, count(rng, 0, 2)) {
        (2, _) | (3, 0) => wood(TIMBER.pick(rng)),
        (_, 0) => metal(METALS.pick(rng), 0.3),
        (_, 1) => plastic(PLASTICS.pick(rng)),
        _ => painted(PAINTS.pick(rng)),
    };
    let trim_surface = if chance(rng, 0.7) { metal(METALS.pick(rng), 0.25) } else { painted(PAINTS.pick(rng)) };
    let model = ObjectModel {
        parts: vec![
            Part::new(merged(body), case_surface),
            Part::new(face, painted(face_color)),
            Part::new(marks, painted(ink)),
            Part::new(merged(trim), trim_surface),
        ],
        collider,
        mass_kg: 0.3 + 30.0 * radius * radius,
        grabbable: true,
        ..ObjectModel::default()
    };
    fitted_to_ground(model.set_down())
}

/// Lets the lowest block of the collider end exactly on the ground.
fn fitted_to_ground(mut model: ObjectModel) -> ObjectModel {
    for piece in &mut model.collider {
        if let ColliderPiece::Box { center, half_size, .. } = piece {
            let (low, high) = (center.y - half_size.y, center.y + half_size.y);
            if low < 0.01 {
                (center.y, half_size.y) = (0.5 * high, 0.5 * high);
            }
        }
    }
    model
}

/// A burning candle in a holder: a saucer with a ring, a turned candlestick, a wide dish, or a lantern-like cup.
pub fn candle(rng: &mut ChaCha8Rng) -> ObjectModel {
    let kind = count(rng, 0, 2);
    let radius = if kind == 2 { between(rng, 0.026, 0.04) } else { between(rng, 0.012, 0.018) };
    let tall = if kind == 2 { between(rng, 0.07, 0.14) } else { between(rng, 0.1, 0.18) };
    let segments = 22;
    let cup = radius * 1.25;
    let (holder, seat, foot) = match kind {
        0 => {
            // A chamberstick.
            let saucer = radius * between(rng, 3.2, 4.0);
            let profile = [
                sharp(0.0, 0.0),
                sharp(0.62 * saucer, 0.0),
                soft(0.94 * saucer, 0.014),
                soft(saucer, 0.024),
                soft(0.95 * saucer, 0.026),
                soft(0.6 * saucer, 0.008),
                sharp(cup + 0.002, 0.009),
                soft(cup, 0.02),
                sharp(cup * 1.1, 0.04),
                sharp(0.0, 0.04),
            ];
            let ring_at = Vec3::new(saucer + 0.012, 0.026, 0.0);
            let ring: Vec<Vec3> =
                (0..18).map(|k| ring_at + Quat::from_rotation_z(k as f32 / 18.0 * TAU) * Vec3::X * 0.019).collect();
            let mesh = merged([lathe(&profile, 28), tube(&ring, |_| Vec2::new(0.005, 0.0035), 8, Ends::Joined)]);
            (mesh, 0.036, (saucer * 0.62, saucer, 0.026))
        }
        1 => {
            // A turned candlestick.
            let stem = between(rng, 0.07, 0.17);
            let foot = radius * between(rng, 2.6, 3.4);
            let bead = between(rng, 1.0, 1.5);
            let profile = [
                sharp(0.0, 0.0),
                sharp(foot, 0.0),
                sharp(foot, 0.008),
                soft(0.75 * foot, 0.016),
                soft(0.42 * foot, 0.028),
                soft(0.55 * radius, 0.25 * stem + 0.028),
                soft(0.95 * radius * bead, 0.42 * stem + 0.02),
                soft(0.5 * radius, 0.58 * stem + 0.02),
                soft(0.6 * radius, 0.8 * stem + 0.02),
                soft(1.2 * radius, stem + 0.02),
                sharp(1.75 * radius, stem + 0.026),
                sharp(1.75 * radius, stem + 0.03),
                sharp(cup, stem + 0.032),
                sharp(cup, stem + 0.05),
                sharp(0.0, stem + 0.05),
            ];
            (lathe(&profile, 24), stem + 0.046, (foot, 1.2 * radius, stem + 0.05))
        }
        _ => {
            let dish = radius * between(rng, 1.7, 2.2);
            let profile = [
                sharp(0.0, 0.0),
                sharp(0.7 * dish, 0.0),
                soft(0.9 * dish, 0.01),
                soft(dish, 0.022),
                soft(0.96 * dish, 0.023),
                soft(0.82 * dish, 0.01),
                soft(0.0, 0.009),
            ];
            (lathe(&profile, 28), 0.008, (0.7 * dish, dish, 0.022))
        }
    };
    let top = seat + tall;
    let mut wax = vec![lathe(
        &[
            sharp(0.0, seat),
            sharp(radius, seat),
            soft(radius * 0.99, top - 0.25 * radius),
            soft(0.93 * radius, top),
            soft(0.75 * radius, top - 0.06 * radius),
            soft(0.35 * radius, top - 0.25 * radius),
            soft(0.0, top - 0.28 * radius),
        ],
        segments,
    )];
    for drip in 0..count(rng, 1, 4) {
        let way = Quat::from_rotation_y(drip as f32 * 2.1 + between(rng, 0.0, 1.0)) * Vec3::Z * (0.95 * radius);
        let run = tall * between(rng, 0.15, 0.5);
        wax.push(tube(
            &[way + Vec3::Y * (top - 0.1 * radius), way + Vec3::Y * (top - 0.6 * run), way + Vec3::Y * (top - run)],
            |t| Vec2::splat(0.14 * radius * (0.9 + 0.5 * t)),
            7,
            Ends::Round,
        ));
    }
    let wick_top = top + 0.011;
    let wick = tube(
        &[Vec3::Y * (top - 0.3 * radius), Vec3::Y * (top + 0.006), Vec3::new(0.0015, wick_top, 0.0)],
        |_| Vec2::splat(0.0014),
        6,
        Ends::Flat,
    );
    let flame_size = between(rng, 0.85, 1.2);
    let flame = lathe(
        &[
            soft(0.0, 0.0),
            soft(0.0035, 0.002),
            soft(0.0068, 0.009),
            soft(0.0066, 0.015),
            soft(0.0045, 0.024),
            soft(0.002, 0.032),
            soft(0.0, 0.038),
        ]
        .map(|knot| knot.times(flame_size * 1.15)),
        14,
    )
    .translated(Vec3::Y * (top + 0.004));
    let base = match count(rng, 0, 2) {
        0 => metal(METALS.pick(rng), 0.3),
        1 => ceramic(GLAZES.pick(rng)),
        _ if kind == 1 => wood(TIMBER.pick(rng)),
        _ => painted(PAINTS.pick(rng)),
    };
    let light = Vec3::new(1.0, 0.58, 0.24);
    let (low, high, lip) = foot;
    ObjectModel {
        parts: vec![
            Part::new(holder, base),
            Part::new(merged(wax), Surface { roughness: 0.45, grain: Grain::None, ..painted(WAXES.pick(rng)) }),
            Part::new(wick, painted(hex(0x1a1512))),
            Part::new(flame, shining(Vec3::new(1.0, 0.62, 0.2), 6.0)),
        ],
        collider: vec![ColliderPiece::frustum(low, high, 0.0, lip), ColliderPiece::upright(radius, lip, top)],
        mass_kg: 0.35,
        grabbable: true,
        // A candle gives about 12.6 lumens (1 cd all round); a little more, so that it reads in a lit room.
        glow: Some((Vec3::Y * (top + 0.03), light * 25.0)),
        ..ObjectModel::default()
    }
}
