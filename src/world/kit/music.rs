//! Musical instruments: guitar, drum.

use std::f32::consts::{FRAC_PI_2, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, Surface},
    palette::{METALS, PAINTS, PLASTICS, Palette, TIMBER, hex, jitter, metal, painted, wood},
    shape::{Ends, beveled_box, beveled_cylinder, curve, extrude, lathe, merged, rod, sharp, soft, tube},
};

const TOPS: Palette = Palette(&[0xd9a860, 0xe3bd7a, 0xc98a45, 0xb8642e, 0x8f3b24, 0xd2944a]);
const SIDES: Palette = Palette(&[0x5e3018, 0x4a2614, 0x7a4522, 0x2f2018]);

/// A guitar's outline about x = 0 from y = 0 to `length`: lower bout, waist, upper bout. Counter-clockwise.
fn guitar_outline(length: f32, lower: f32, waist: f32, upper: f32) -> Vec<Vec2> {
    let right = curve(
        &[
            Vec3::new(0.0, 0.0, 0.0),
            Vec3::new(0.62 * lower, 0.025 * length, 0.0),
            Vec3::new(0.97 * lower, 0.17 * length, 0.0),
            Vec3::new(0.93 * lower, 0.36 * length, 0.0),
            Vec3::new(waist, 0.58 * length, 0.0),
            Vec3::new(0.96 * upper, 0.78 * length, 0.0),
            Vec3::new(0.78 * upper, 0.93 * length, 0.0),
            Vec3::new(0.3 * upper, length, 0.0),
        ],
        25,
    );
    let left = right.iter().rev().filter(|point| point.x > 1e-4).map(|point| Vec2::new(-point.x, point.y));
    right.iter().map(|point| Vec2::new(point.x, point.y)).chain(left).collect()
}

/// An acoustic guitar (or a ukulele) on a small stand, leaning back: waisted body, sound hole, bridge, neck with frets,
/// head with pegs, strings.
pub fn guitar(rng: &mut ChaCha8Rng) -> ObjectModel {
    let body = between(rng, 0.24, 0.42);
    let lower = body * between(rng, 0.37, 0.42);
    let waist = lower * between(rng, 0.58, 0.7);
    let upper = lower * between(rng, 0.7, 0.8);
    let depth = body * between(rng, 0.17, 0.22);
    let neck = body * between(rng, 0.8, 1.0);
    let neck_half = body * 0.058;
    let outline = guitar_outline(body, lower, waist, upper);
    let face = 0.5 * depth;
    let sides = extrude(&outline, depth, 0.03 * body, 0.7);
    let centre = Vec2::new(0.0, 0.46 * body);
    let inset: Vec<Vec2> = outline.iter().map(|point| centre + (*point - centre) * 0.93).collect();
    let top = extrude(&inset, 0.006, 0.001, 0.7).translated(Vec3::Z * face);
    let disc = |radius: f32, height: f32, y: f32, thick: f32| {
        beveled_cylinder(radius, radius, thick, 0.0, 22)
            .rotated(Quat::from_rotation_x(FRAC_PI_2))
            .translated(Vec3::new(0.0, y, height))
    };
    let hole_y = 0.66 * body;
    let hole = waist * between(rng, 0.4, 0.5);
    let front = face + 0.003;
    // Dark wood: rosette, hole, bridge, fretboard, head.
    let nut = body + neck;
    let fret_top = front + 0.022 * body;
    let mut dark = vec![
        disc(1.22 * hole, front - 0.002, hole_y, 0.0028),
        beveled_box(Vec3::new(0.62 * lower, 0.05 * body, 0.03 * body), 0.004).translated(Vec3::new(
            0.0,
            0.24 * body,
            front + 0.012 * body,
        )),
        beveled_box(Vec3::new(1.9 * neck_half, neck + 0.22 * body, 0.022 * body), 0.002).translated(Vec3::new(
            0.0,
            nut - 0.5 * (neck + 0.22 * body),
            fret_top - 0.011 * body,
        )),
    ];
    let head = 0.24 * body;
    let pegs = if chance(rng, 0.7) { 3 } else { 2 };
    let flare = between(rng, 1.25, 1.6);
    let head_outline = [
        Vec2::new(-0.95 * neck_half, 0.0),
        Vec2::new(0.95 * neck_half, 0.0),
        Vec2::new(flare * neck_half, 0.3 * head),
        Vec2::new(1.08 * flare * neck_half, 0.95 * head),
        Vec2::new(0.45 * neck_half, 1.05 * head),
        Vec2::new(-0.45 * neck_half, 1.05 * head),
        Vec2::new(-1.08 * flare * neck_half, 0.95 * head),
        Vec2::new(-flare * neck_half, 0.3 * head),
    ];
    let tilt = Quat::from_rotation_x(-0.2);
    let on_head = Vec3::new(0.0, nut - 0.002, fret_top - 0.02 * body);
    dark.push(extrude(&head_outline, 0.034 * body, 0.003, 0.5).rotated(tilt).translated(on_head));
    // Neck under the fretboard.
    let neck_mesh = tube(
        &[Vec3::new(0.0, 0.96 * body, fret_top - 0.03 * body), Vec3::new(0.0, nut + 0.01, fret_top - 0.03 * body)],
        |_| Vec2::new(0.032 * body, 0.93 * neck_half),
        10,
        Ends::Flat,
    );
    // Bright metal: pegs, frets, strings, saddle.
    let mut bright = Vec::new();
    for peg in 0..pegs {
        let y = (0.25 + 0.6 * peg as f32 / (pegs - 1) as f32) * head;
        for side in [-1.0, 1.0] {
            let from = Vec3::new(side * flare * neck_half * 0.9, y, 0.0);
            let shaft = rod(from, from + Vec3::X * side * 0.045 * body, 0.007 * body, 0.007 * body, 5);
            let button =
                beveled_box(Vec3::new(0.03, 0.045, 0.022) * body, 0.0).translated(from + Vec3::X * side * 0.055 * body);
            bright.push(merged([shaft, button]).rotated(tilt).translated(on_head));
        }
    }
    for fret in 1..10 {
        // Each fret lies a semitone above the last: the remaining length shrinks by 2^(1/12).
        let scale = nut - 0.24 * body;
        let y = nut - scale * (1.0 - 2.0_f32.powf(-(fret as f32) / 12.0));
        bright.push(
            beveled_box(Vec3::new(1.9 * neck_half, 0.006 * body, 0.006 * body), 0.0)
                .translated(Vec3::new(0.0, y, fret_top)),
        );
    }
    let strings = 2 * pegs;
    for string in 0..strings {
        let share = string as f32 / (strings - 1) as f32 - 0.5;
        let from = Vec3::new(share * 2.0 * neck_half, 0.24 * body, front + 0.032 * body);
        let to = Vec3::new(share * 1.5 * neck_half, nut + 0.01, fret_top + 0.004);
        bright.push(tube(&[from, to], |_| Vec2::splat(0.0009), 4, Ends::Flat));
    }
    // The hole is dark however light the wood is; it and the stand share a surface with it.
    let mut black = vec![disc(hole, front - 0.001, hole_y, 0.0034)];
    let lean = 0.2;
    let leaned = |mesh: MeshBuffers| mesh.rotated(Quat::from_rotation_x(-lean)).translated(Vec3::Y * (0.12 * body));
    let back = Quat::from_rotation_x(-lean) * Vec3::new(0.0, 0.85 * body, -face - 0.012) + Vec3::Y * (0.12 * body);
    let thick = 0.014 * body + 0.002;
    let foot_y = thick;
    for side in [-1.0, 1.0] {
        let cradle = Quat::from_rotation_x(-lean) * Vec3::new(side * 0.45 * lower, -0.014 * body, face * 1.25)
            + Vec3::Y * (0.12 * body);
        let heel = Quat::from_rotation_x(-lean) * Vec3::new(side * 0.45 * lower, -0.014 * body, -face * 1.4)
            + Vec3::Y * (0.12 * body);
        let ground = Vec3::new(side * 0.75 * lower, foot_y, face * 1.9);
        let path = [cradle + Vec3::Y * (0.07 * body) + Vec3::Z * 0.01, cradle, heel, back + Vec3::X * side * 0.02];
        black.push(tube(&path, |_| Vec2::splat(thick), 6, Ends::Round));
        black.push(tube(&[heel, ground], |_| Vec2::splat(thick), 6, Ends::Round));
    }
    let rear = Vec3::new(0.0, foot_y, back.z - 0.38 * body);
    black.push(tube(&[back, rear], |_| Vec2::splat(thick), 6, Ends::Round));

    let top_color = TOPS.pick(rng);
    let painted_top = chance(rng, 0.25);
    let side_color = if painted_top { PAINTS.pick(rng) } else { SIDES.pick(rng) };
    let lacquer = Surface { roughness: 0.25, ..wood(if painted_top { side_color } else { top_color }) };
    let top = leaned(top);
    // The hole, the stand, the fretboard and the bridge are one dark surface; the back and the neck are another.
    let mut night: Vec<MeshBuffers> = dark.into_iter().chain(black.drain(..1)).map(leaned).collect();
    night.extend(black);
    let hull = leaned(sides.clone());
    let spine = leaned(neck_mesh.clone());
    let stand_points = |x: f32| [Vec3::new(x, 0.0, face * 1.9), Vec3::new(x, 0.0, back.z - 0.38 * body)];
    let base: Vec<Vec3> = [-0.75 * lower, 0.75 * lower]
        .into_iter()
        .flat_map(stand_points)
        .flat_map(|point| [point, Vec3::new(0.6 * point.x, 0.12 * body, 0.5 * point.z)])
        .collect();
    ObjectModel {
        parts: vec![
            Part::new(leaned(merged([sides, neck_mesh])), Surface { roughness: 0.3, ..wood(side_color) }),
            Part::new(top, lacquer),
            Part::new(merged(night), Surface { roughness: 0.5, ..painted(hex(0x1d1512)) }),
            Part::new(leaned(merged(bright)), metal(METALS.pick(rng), 0.3)),
        ],
        collider: vec![
            ColliderPiece::hull_round(&hull.positions),
            ColliderPiece::hull_round(&spine.positions),
            ColliderPiece::Hull(base),
        ],
        mass_kg: 1.5,
        grabbable: true,
        ..ObjectModel::default()
    }
    .set_down()
}

/// A drum: side drum with lugs, a taller drum with zigzag cords, or a goblet drum; sometimes sticks lie on the skin.
pub fn drum(rng: &mut ChaCha8Rng) -> ObjectModel {
    let kind = pick(rng, &[0, 0, 1, 1, 2]);
    let radius = between(rng, 0.09, 0.17);
    let height = radius * if kind == 0 { between(rng, 0.75, 1.2) } else { between(rng, 1.5, 2.2) };
    let segments = 28;
    let hoop = radius * between(rng, 0.045, 0.06);
    let foot_radius = if kind == 2 { 0.62 * radius } else { radius };
    let shell = if kind == 2 {
        lathe(
            &[
                sharp(0.0, 0.0),
                sharp(0.6 * radius, 0.0),
                soft(0.55 * radius, 0.08 * height),
                soft(0.36 * radius, 0.36 * height),
                soft(0.45 * radius, 0.5 * height),
                soft(0.8 * radius, 0.68 * height),
                soft(0.97 * radius, 0.84 * height),
                sharp(0.97 * radius, height),
                sharp(0.0, height),
            ],
            segments,
        )
    } else {
        lathe(
            &[
                sharp(0.0, 0.004),
                sharp(0.97 * radius, 0.004),
                soft(0.97 * radius, 0.5 * height),
                sharp(0.97 * radius, height),
                sharp(0.0, height),
            ],
            segments,
        )
    };
    let ring = |low: f32, high: f32| {
        lathe(
            &[
                sharp(0.94 * radius, low),
                sharp(radius + 0.6 * hoop, low),
                soft(radius + hoop, 0.5 * (low + high)),
                sharp(radius + 0.6 * hoop, high),
                sharp(0.94 * radius, high),
                sharp(0.94 * radius, low),
            ],
            segments,
        )
    };
    let band = between(rng, 0.12, 0.18) * radius;
    let top = height + 0.35 * hoop;
    let mut hoops = vec![ring(height - band, top)];
    if kind != 2 {
        hoops.push(ring(0.0, band));
    }
    let skin = lathe(
        &[
            sharp(0.0, height - 0.004),
            sharp(0.95 * radius, height - 0.004),
            sharp(0.95 * radius, height + 0.002),
            soft(0.0, height + 0.003),
        ],
        segments,
    );
    let mut fittings = Vec::new();
    let stays = pick(rng, &[6, 8, 10]);
    let out = radius + 0.7 * hoop;
    let at = |turn: f32, out: f32, y: f32| {
        let (sin, cos) = (turn / stays as f32 * TAU).sin_cos();
        Vec3::new(out * sin, y, out * cos)
    };
    let low = if kind == 2 { 0.6 * height } else { 0.7 * band };
    let low_out = if kind == 2 { 0.66 * radius } else { out };
    for stay in 0..stays {
        let stay = stay as f32;
        if kind == 0 {
            // A lug in the middle, tension rods to both hoops.
            let middle = 0.5 * height;
            let lug = beveled_box(Vec3::new(0.13 * radius, 0.42 * height, 0.1 * radius), 0.02 * radius)
                .rotated(Quat::from_rotation_y(stay / stays as f32 * TAU))
                .translated(at(stay, radius + 0.02 * radius, middle));
            fittings.push(lug);
            fittings.push(rod(
                at(stay, out + hoop, 0.2 * band),
                at(stay, out + hoop, height),
                0.022 * radius,
                0.022 * radius,
                6,
            ));
        } else {
            let cord = 0.022 * radius;
            let upper = height - 0.6 * band;
            fittings.push(rod(at(stay, low_out, low), at(stay + 0.5, out + 0.5 * hoop, upper), cord, cord, 5));
            fittings.push(rod(at(stay + 0.5, out + 0.5 * hoop, upper), at(stay + 1.0, low_out, low), cord, cord, 5));
        }
    }
    let mut parts_collider = vec![match kind {
        2 => ColliderPiece::frustum(foot_radius, radius, 0.0, height),
        _ => ColliderPiece::upright(radius, 0.0, height),
    }];
    let mut light = vec![skin];
    if chance(rng, 0.45) {
        for side in [-1.0, 1.0] {
            let way = Quat::from_rotation_y(side * between(rng, 0.25, 0.5) + FRAC_PI_2) * Vec3::Z;
            let lift = top + 0.03 * radius + if side > 0.0 { 0.05 * radius } else { 0.0 };
            let (from, to) = (Vec3::Y * lift - way * (1.2 * radius), Vec3::Y * lift + way * (0.85 * radius));
            let stick = tube(
                &[from, from.lerp(to, 0.8), from.lerp(to, 0.9), from.lerp(to, 0.94), to],
                |t| Vec2::splat(radius * if t > 0.92 { 0.055 } else { 0.045 - 0.02 * t }),
                8,
                Ends::Round,
            );
            light.push(stick);
        }
        parts_collider.push(ColliderPiece::upright(0.5 * radius, height, top + 0.05 * radius));
    }
    let color = if chance(rng, 0.65) { PLASTICS.pick(rng) } else { PAINTS.pick(rng) };
    let shell_surface = if kind != 0 && chance(rng, 0.5) {
        wood(TIMBER.pick(rng))
    } else {
        Surface { roughness: 0.25, ..painted(color) }
    };
    let rim = match count(rng, 0, 2) {
        0 => metal(METALS.pick(rng), 0.3),
        1 => wood(TIMBER.pick(rng)),
        _ => painted(pick(rng, &[0xf0e6cc, 0xe8b830, 0xc23030, 0x22314f].map(hex))),
    };
    let stay = if kind == 0 { metal(METALS.pick(rng), 0.25) } else { painted(jitter(rng, hex(0xf0ead8), 0.08)) };
    ObjectModel {
        parts: vec![
            Part::new(shell, shell_surface),
            Part::new(merged(hoops), rim),
            Part::new(merged(light), Surface { roughness: 0.7, ..painted(jitter(rng, hex(0xeee4cc), 0.06)) }),
            Part::new(merged(fittings), stay),
        ],
        collider: parts_collider,
        mass_kg: 25.0 * radius * radius + 0.4,
        grabbable: true,
        ..ObjectModel::default()
    }
    .set_down()
}
