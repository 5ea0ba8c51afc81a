//! Toys: ball, die, duck.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, Grain, MeshBuffers, ObjectModel, Part, Surface},
    palette::{GLAZES, PLASTICS, Palette, ceramic, hex, jitter, painted, plastic, shade, wood},
    shape::{Ends, beveled_cylinder, ellipsoid, lathe, merged, soft, soft_box, tube},
};

const LEATHER_BALLS: Palette = Palette(&[0xc8642a, 0xb5552a, 0xd0783a, 0x9b4a2a, 0x3d5aa0, 0xb8323a]);
const TENNIS: Palette = Palette(&[0xc8dc3c, 0xb5d430, 0xd8e04a, 0xf09a3e, 0xe46a9a]);
const RUBBER: Palette =
    Palette(&[0xf5c92c, 0xf7d23e, 0xf2b824, 0xe86f9e, 0x4aa3d8, 0x6cc26a, 0xf0efe8, 0xe0483e, 0x9a6cc8, 0x38b0a8]);
const BILLS: Palette = Palette(&[0xef7a1f, 0xe8541f, 0xd8402a, 0xf09a2a]);

/// The patch of a sphere between two longitudes and two latitudes (radians; latitude −π/2 to π/2).
fn sphere_patch(radius: f32, longitude: [f32; 2], latitude: [f32; 2], columns: usize, rows: usize) -> MeshBuffers {
    let mut mesh = MeshBuffers::default();
    let direction = |column: usize, row: usize| {
        let along = longitude[0] + (longitude[1] - longitude[0]) * column as f32 / columns as f32;
        let up = latitude[0] + (latitude[1] - latitude[0]) * row as f32 / rows as f32;
        let out = if FRAC_PI_2 - up.abs() < 1e-4 { 0.0 } else { up.cos() };
        Vec3::new(out * along.sin(), up.sin(), out * along.cos())
    };
    for row in 0..=rows {
        for column in 0..=columns {
            let normal = direction(column, row);
            let uv = Vec2::new(column as f32 / columns as f32 * (longitude[1] - longitude[0]), normal.y) * radius;
            mesh.push(normal * radius, normal, uv);
        }
    }
    let stride = columns as u32 + 1;
    for row in 0..rows as u32 {
        for column in 0..columns as u32 {
            let (below, above) = (row * stride + column, (row + 1) * stride + column);
            for corner in [[below, below + 1, above + 1], [below, above + 1, above]] {
                let [a, b, c] = corner.map(|index| mesh.positions[index as usize]);
                if (b - a).cross(c - a).length() > 1e-12 {
                    mesh.indices.extend(corner);
                }
            }
        }
    }
    mesh
}

/// Coloured gores with a button at each pole.
fn beach_ball(rng: &mut ChaCha8Rng, radius: f32) -> Vec<Part> {
    let gores = pick(rng, &[6, 6, 8, 9]);
    let colors = if gores == 8 { 2 } else { 3 };
    let cap = 1.36;
    let columns = 24 / gores;
    let mut patches: Vec<Vec<MeshBuffers>> = vec![Vec::new(); colors];
    for gore in 0..gores {
        let [from, to] = [gore, gore + 1].map(|k| k as f32 / gores as f32 * TAU);
        patches[gore % colors].push(sphere_patch(radius, [from, to], [-cap, cap], columns, 14));
    }
    let caps = [[-FRAC_PI_2, -cap], [cap, FRAC_PI_2]]
        .map(|latitude| sphere_patch(radius, [0.0, TAU], latitude, columns * gores, 2));
    patches[0].extend(caps);
    let first = PLASTICS.pick(rng);
    let mut second = PLASTICS.pick(rng);
    while second.distance(first) < 0.25 {
        second = PLASTICS.pick(rng);
    }
    let white = jitter(rng, hex(0xf1efe8), 0.05);
    let colors = if colors == 2 { vec![first, second] } else { vec![white, first, second] };
    patches.into_iter().zip(colors).map(|(patch, color)| Part::new(merged(patch), plastic(color))).collect()
}

/// Bands round the middle.
fn banded_ball(rng: &mut ChaCha8Rng, radius: f32) -> Vec<Part> {
    let bands = pick(rng, &[3, 5]);
    let reach = between(rng, 0.28, 0.5);
    let mut patches: Vec<Vec<MeshBuffers>> = vec![Vec::new(); 2];
    let mut edges = vec![-FRAC_PI_2];
    edges.extend((0..bands - 1).map(|k| reach * (k as f32 / (bands - 2) as f32 * 2.0 - 1.0)));
    edges.push(FRAC_PI_2);
    for (index, pair) in edges.windows(2).enumerate() {
        let rows = if index == 0 || index == bands - 1 { 7 } else { 3 };
        patches[index % 2].push(sphere_patch(radius, [0.0, TAU], [pair[0], pair[1]], 26, rows));
    }
    let first = PLASTICS.pick(rng);
    let second = if first.element_sum() > 1.6 { hex(0xc8322e) } else { jitter(rng, hex(0xf4f0e6), 0.05) };
    patches.into_iter().zip([first, second]).map(|(patch, color)| Part::new(merged(patch), plastic(color))).collect()
}

/// A football: the truncated icosahedron's 12 dark pentagons and 20 light hexagons, each a little puffed up.
fn football(rng: &mut ChaCha8Rng, radius: f32) -> Vec<Part> {
    let golden = 0.5 * (1.0 + 5.0_f32.sqrt());
    let mut corners: Vec<Vec3> = Vec::new();
    for (a, b) in [(1.0, golden), (-1.0, golden), (1.0, -golden), (-1.0, -golden)] {
        corners.extend([Vec3::new(0.0, a, b), Vec3::new(a, b, 0.0), Vec3::new(b, 0.0, a)]);
    }
    let near = |a: Vec3, b: Vec3| (a.distance(b) - 2.0).abs() < 0.01;
    let panel = |middle: Vec3, mut ring: Vec<Vec3>| -> MeshBuffers {
        let middle = middle.normalize();
        let (across, up) = middle.any_orthonormal_pair();
        let sense = if across.cross(up).dot(middle) > 0.0 { 1.0 } else { -1.0 };
        ring.sort_by(|a, b| {
            let angle = |p: &Vec3| (sense * p.dot(up)).atan2(p.dot(across));
            angle(a).total_cmp(&angle(b))
        });
        // `fine` pieces per edge; the seam lies a little deeper than the panel.
        let fine = 3;
        let mut mesh = MeshBuffers::default();
        for k in 0..ring.len() {
            let (a, b) = (ring[k].normalize(), ring[(k + 1) % ring.len()].normalize());
            let at = |i: usize, j: usize| {
                // i steps out of `fine` from the middle, j of i steps along the edge.
                let out = i as f32 / fine as f32;
                let along = if i == 0 { 0.0 } else { j as f32 / i as f32 };
                let point = middle.lerp(a.lerp(b, along), out).normalize();
                // Both sides of a seam come to the same numbers.
                let point = (point * 4096.0).round() / 4096.0;
                let depth = if i == fine { 0.965 } else { 1.0 };
                (point * (radius * depth), Vec2::new(point.dot(across), point.dot(up)) * radius)
            };
            for i in 0..fine {
                for j in 0..=i {
                    mesh.push_triangle([at(i, j), at(i + 1, j), at(i + 1, j + 1)]);
                    if j < i {
                        mesh.push_triangle([at(i, j), at(i + 1, j + 1), at(i, j + 1)]);
                    }
                }
            }
        }
        mesh.with_smooth_normals(0.9)
    };
    let mut pentagons = Vec::new();
    let mut hexagons = Vec::new();
    for a in &corners {
        let ring: Vec<Vec3> = corners.iter().filter(|b| near(*a, **b)).map(|b| a.lerp(*b, 1.0 / 3.0)).collect();
        pentagons.push(panel(*a, ring));
    }
    for (i, a) in corners.iter().enumerate() {
        for (j, b) in corners.iter().enumerate().skip(i + 1).filter(|(_, b)| near(*a, **b)) {
            for c in corners.iter().skip(j + 1).filter(|c| near(*a, **c) && near(*b, **c)) {
                let thirds = |p: Vec3, q: Vec3| [p.lerp(q, 1.0 / 3.0), p.lerp(q, 2.0 / 3.0)];
                let ring = [thirds(*a, *b), thirds(*b, *c), thirds(*c, *a)].concat();
                hexagons.push(panel(*a + *b + *c, ring));
            }
        }
    }
    let dark = if chance(rng, 0.6) { hex(0x1c1d20) } else { PLASTICS.pick(rng) };
    let light = jitter(rng, hex(0xf0eee8), 0.05);
    vec![Part::new(merged(hexagons), plastic(light)), Part::new(merged(pentagons), plastic(dark))]
}

/// A plain sphere with raised seams along closed curves.
fn seamed_ball(radius: f32, curves: &[Vec<Vec3>], seam: f32, skin: Surface, line: Surface) -> Vec<Part> {
    let seams = curves.iter().map(|path| {
        let path: Vec<Vec3> = path.iter().map(|point| point.normalize() * (radius * 0.994)).collect();
        tube(&path, |_| Vec2::splat(seam), 5, Ends::Joined)
    });
    vec![Part::new(ellipsoid(Vec3::splat(radius), 26, 16), skin), Part::new(merged(seams), line)]
}

fn closed_curve(samples: usize, at: impl Fn(f32) -> Vec3) -> Vec<Vec3> {
    (0..samples).map(|k| at(k as f32 / samples as f32 * TAU)).collect()
}

fn basketball(rng: &mut ChaCha8Rng, radius: f32) -> Vec<Part> {
    let bulge = between(rng, 0.55, 0.75);
    let mut curves = vec![
        closed_curve(32, |t| Vec3::new(t.cos(), t.sin(), 0.0)),
        closed_curve(32, |t| Vec3::new(0.0, t.sin(), t.cos())),
    ];
    for side in [-1.0, 1.0] {
        curves.push(closed_curve(32, |t| Vec3::new(side * (0.8 - bulge * 0.4 * t.cos().powi(2)), t.sin(), t.cos())));
    }
    let skin = Surface { grain: Grain::Leather, ..plastic(LEATHER_BALLS.pick(rng)) };
    seamed_ball(radius, &curves, 0.022 * radius, skin, painted(hex(0x1b1816)))
}

fn tennis_ball(rng: &mut ChaCha8Rng, radius: f32) -> Vec<Part> {
    let line = closed_curve(56, |t| {
        Vec3::new(
            0.75 * t.cos() + 0.25 * (3.0 * t).cos(),
            0.75 * t.sin() - 0.25 * (3.0 * t).sin(),
            0.866 * (2.0 * t).sin(),
        )
    });
    let skin = Surface { grain: Grain::Fabric, roughness: 0.95, ..plastic(TENNIS.pick(rng)) };
    seamed_ball(radius, &[line], 0.035 * radius, skin, painted(hex(0xf0eee6)))
}

/// A ball: beach ball, banded rubber ball, football, basketball or tennis ball, turned any way.
pub fn ball(rng: &mut ChaCha8Rng) -> ObjectModel {
    let kind = pick(rng, &[0, 0, 1, 2, 2, 3, 3, 4]);
    let radius = match kind {
        0 => between(rng, 0.12, 0.19),
        4 => between(rng, 0.05, 0.08),
        _ => between(rng, 0.08, 0.125),
    };
    let parts = match kind {
        0 => beach_ball(rng, radius),
        1 => banded_ball(rng, radius),
        2 => football(rng, radius),
        3 => basketball(rng, radius),
        _ => tennis_ball(rng, radius),
    };
    let turn = Quat::from_rotation_y(between(rng, 0.0, TAU)) * Quat::from_rotation_x(between(rng, -1.2, 1.2));
    let parts = parts
        .into_iter()
        .map(|part| Part { mesh: part.mesh.rotated(turn).translated(Vec3::Y * radius), ..part })
        .collect();
    let model = ObjectModel {
        parts,
        collider: vec![ColliderPiece::Sphere { center: Vec3::Y * radius, radius }],
        mass_kg: 0.15 + 12.0 * radius.powi(2),
        grabbable: true,
        ..ObjectModel::default()
    };
    // Facets may not reach down to the sphere's lowest point.
    let low = model.bounds().0.y;
    let parts =
        model.parts.into_iter().map(|part| Part { mesh: part.mesh.translated(Vec3::NEG_Y * low), ..part }).collect();
    ObjectModel { parts, ..model }
}

/// A die: a rounded cube with pips, opposite faces adding up to seven.
pub fn die(rng: &mut ChaCha8Rng) -> ObjectModel {
    let side = between(rng, 0.06, 0.13);
    let half = 0.5 * side;
    let body = soft_box(Vec3::splat(side), side * between(rng, 0.1, 0.2), 4);
    let pip = side * between(rng, 0.08, 0.1);
    let spread = side * between(rng, 0.23, 0.26);
    let dot = beveled_cylinder(pip, pip * 0.92, 0.03 * side, 0.0, 12);
    let layouts: [&[(f32, f32)]; 6] = [
        &[(0.0, 0.0)],
        &[(-1.0, -1.0), (1.0, 1.0)],
        &[(-1.0, -1.0), (0.0, 0.0), (1.0, 1.0)],
        &[(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)],
        &[(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (0.0, 0.0)],
        &[(-1.0, -1.0), (1.0, -1.0), (-1.0, 0.0), (1.0, 0.0), (-1.0, 1.0), (1.0, 1.0)],
    ];
    // Turns that carry the upper face to each face; faces k and 5 − k lie opposite.
    let faces = [
        Quat::IDENTITY,
        Quat::from_rotation_x(FRAC_PI_2),
        Quat::from_rotation_z(FRAC_PI_2),
        Quat::from_rotation_z(-FRAC_PI_2),
        Quat::from_rotation_x(-FRAC_PI_2),
        Quat::from_rotation_x(PI),
    ];
    let mut pips = Vec::new();
    for (layout, turn) in layouts.iter().zip(faces) {
        for (x, z) in *layout {
            let place = Vec3::new(x * spread, half - 0.022 * side, z * spread);
            pips.push(dot.clone().translated(place).rotated(turn));
        }
    }
    let cast = faces[count(rng, 0, 5)];
    let skin = match count(rng, 0, 3) {
        0 => jitter(rng, hex(0xf1ece0), 0.06),
        _ => PLASTICS.pick(rng),
    };
    let ink = if skin.element_sum() > 0.85 { hex(0x17171a) } else { jitter(rng, hex(0xf4f1e8), 0.04) };
    let skin = if chance(rng, 0.2) { wood(skin.lerp(hex(0xc8a06a), 0.6)) } else { plastic(skin) };
    // The pips' feet are inside the body, their faces just outside: what stands on the ground is the body's face.
    let place = |mesh: MeshBuffers| mesh.rotated(cast).translated(Vec3::Y * (half + 0.008 * side));
    ObjectModel {
        parts: vec![Part::new(place(body), skin), Part::new(place(merged(pips)), painted(ink))],
        collider: vec![ColliderPiece::block(Vec3::new(-half, 0.0, -half), Vec3::new(half, side, half))],
        mass_kg: 400.0 * side.powi(3),
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A rubber duck: boat-shaped body with a turned-up tail, round head, flat bill, eyes.
pub fn duck(rng: &mut ChaCha8Rng) -> ObjectModel {
    let size = between(rng, 0.055, 0.09);
    let wide = between(rng, 0.78, 0.92);
    let tail = between(rng, 0.65, 0.95);
    let head = size * between(rng, 0.58, 0.7);
    let neck = between(rng, 1.22, 1.42) * size;
    // The duck looks along +Z.
    let body = lathe(
        &[
            soft(0.0, -0.62),
            soft(0.42, -0.62),
            soft(0.75, -0.48),
            soft(0.95, -0.18),
            soft(0.98, 0.12),
            soft(0.84, 0.42),
            soft(0.55, 0.63),
            soft(0.25, 0.71),
            soft(0.0, 0.73),
        ]
        .map(|knot| knot.times(size)),
        24,
    )
    .deformed(1.4, |p| {
        let p = p / size;
        let back = (-p.z).max(0.0);
        let rise = tail * back.powi(3) + 0.12 * p.z.max(0.0).powi(2);
        let slim = 1.0 - 0.6 * back.powi(2);
        Vec3::new(p.x * wide * slim, p.y * (1.0 - 0.3 * back.powi(2)) + rise, p.z * if p.z < 0.0 { 1.32 } else { 1.02 })
            * size
    })
    .translated(Vec3::Y * (0.62 * size));
    let forward = 0.42 * size;
    let head_at = Vec3::new(0.0, 0.62 * size + neck * 0.62 + 0.35 * head, forward);
    let skull = ellipsoid(Vec3::new(head * 0.96, head, head), 20, 12).translated(head_at);
    let throat = tube(
        &[Vec3::new(0.0, 0.8 * size, forward * 0.9), head_at - Vec3::Y * (0.45 * head)],
        |t| Vec2::splat(head * (0.98 - 0.22 * t)),
        16,
        Ends::Flat,
    );
    let mut yellow = vec![body, skull, throat];
    for side in [-1.0, 1.0] {
        let wing = ellipsoid(Vec3::new(0.14, 0.32, 0.55) * size, 12, 8)
            .rotated(Quat::from_rotation_x(0.3) * Quat::from_rotation_y(side * 0.22))
            .translated(Vec3::new(side * 0.86 * wide * size, 0.78 * size, -0.22 * size));
        yellow.push(wing);
    }
    if chance(rng, 0.5) {
        // A tuft.
        yellow.push(
            ellipsoid(Vec3::new(0.1, 0.26, 0.1) * head, 8, 6)
                .rotated(Quat::from_rotation_x(-0.7))
                .translated(head_at + Vec3::new(0.0, 1.05, -0.15) * head),
        );
    }
    let beak_size = head * between(rng, 0.9, 1.15);
    let beak_at = head_at + Vec3::new(0.0, -0.16 * head, 0.9 * head);
    let half_bill = |tilt: f32, length: f32, lift: f32| {
        ellipsoid(Vec3::new(0.48, 0.13, 0.52 * length) * beak_size, 14, 8)
            .deformed(1.4, |p| {
                let out = (p.z / (0.52 * beak_size)).max(0.0);
                Vec3::new(p.x, p.y + 0.1 * beak_size * out * out * tilt.signum(), p.z)
            })
            .rotated(Quat::from_rotation_x(-tilt))
            .translated(beak_at + Vec3::new(0.0, lift * beak_size, 0.16 * beak_size))
    };
    let bill = merged([half_bill(0.12, 1.0, 0.07), half_bill(-0.2, 0.8, -0.07)]);
    let mut whites = Vec::new();
    let mut pupils = Vec::new();
    let eye = head * between(rng, 0.2, 0.26);
    for side in [-1.0, 1.0] {
        let way = Quat::from_rotation_y(side * 0.68) * Quat::from_rotation_x(-0.32);
        let place = |share: f32| head_at + way * Vec3::Z * (share * head);
        whites.push(ellipsoid(Vec3::new(eye, 1.15 * eye, 0.4 * eye), 12, 6).rotated(way).translated(place(0.93)));
        pupils.push(
            ellipsoid(Vec3::new(0.58, 0.7, 0.3) * eye, 10, 6)
                .rotated(way)
                .translated(place(0.93) + way * Vec3::Z * (0.27 * eye)),
        );
    }
    let color = RUBBER.pick(rng);
    let skin = if chance(rng, 0.2) { ceramic(GLAZES.pick(rng)) } else { plastic(color) };
    let bill_color = BILLS.pick(rng);
    let bill_color = if bill_color.distance(skin.base_color) < 0.3 { shade(hex(0xf2c02a), 0.0) } else { bill_color };
    let hull = ColliderPiece::hull_round(&yellow[0].positions);
    ObjectModel {
        parts: vec![
            Part::new(merged(yellow), skin),
            Part::new(bill.clone(), plastic(bill_color)),
            Part::new(merged(whites), plastic(hex(0xf7f7f4))),
            Part::new(merged(pupils), plastic(hex(0x111113))),
        ],
        collider: vec![
            hull,
            ColliderPiece::Sphere { center: head_at, radius: head },
            ColliderPiece::hull_round(&bill.positions),
        ],
        mass_kg: 0.12,
        grabbable: true,
        ..ObjectModel::default()
    }
    .set_down()
}
