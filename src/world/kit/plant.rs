//! Potted plants.

use std::f32::consts::{PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    leaves::{Blade, leaf},
    model::{ColliderPiece, Grain, MeshBuffers, ObjectModel, Part, Surface},
    palette::{GLAZES, Palette, ceramic, hex, jitter, painted},
    shape::{Ends, Knot, beveled_box, curve, lathe, merged, sharp, soft, tube},
};

const TERRACOTTA: Palette = Palette(&[0xb5623c, 0xa9573a, 0xc47750]);
const GREENS: Palette = Palette(&[0x2f6b2b, 0x3f7f35, 0x4f8f45, 0x6a9a3c, 0x2c5f3f, 0x7da35a, 0x5f8f6a]);
const STEMS: Palette = Palette(&[0x5b7a35, 0x6b5432, 0x4a6a30]);

/// A pot about the axis and the height of its soil.
struct Pot {
    mesh: MeshBuffers,
    soil: MeshBuffers,
    height: f32,
    /// Of the soil.
    radius: f32,
    collider: ColliderPiece,
}

fn pot(rng: &mut ChaCha8Rng) -> Pot {
    let (radius, height) = (between(rng, 0.055, 0.1), between(rng, 0.09, 0.15));
    let style = count(rng, 0, 3);
    let wall = 0.08 * radius;
    let soil_at = height - 0.12 * height;
    if style == 3 {
        // Square.
        let half = 0.9 * radius;
        let mut walls = Vec::new();
        for (x, z) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0_f32)] {
            let size = if x == 0.0 {
                Vec3::new(2.0 * half, height, 2.0 * wall)
            } else {
                Vec3::new(2.0 * wall, height, 2.0 * half - 4.0 * wall)
            };
            let middle = Vec3::new(x * (half - wall), 0.5 * height, z * (half - wall));
            walls.push(beveled_box(size, 0.3 * wall).translated(middle));
        }
        let fill = Vec3::new(2.0 * half - wall, soil_at - 0.004, 2.0 * half - wall);
        let soil = beveled_box(fill, 0.0).translated(Vec3::Y * (0.5 * fill.y + 0.004));
        let corner = Vec3::new(half, height, half);
        let collider = ColliderPiece::block(Vec3::new(-corner.x, 0.0, -corner.z), corner);
        return Pot { mesh: merged(walls), soil, height: soil_at, radius: 0.8 * half, collider };
    }
    let (foot, belly) = match style {
        0 => (0.7, 0.86),
        1 => (0.98, 0.99),
        _ => (0.62, 1.12),
    };
    let mut profile: Vec<Knot> = vec![sharp(0.0, 0.0), sharp(foot * radius, 0.0), soft(belly * radius, 0.5 * height)];
    if style == 0 {
        // The classic flower pot with its collar.
        let collar = 0.76 * height;
        profile.extend([sharp(0.93 * radius, collar), sharp(1.07 * radius, collar), sharp(1.1 * radius, height)]);
    } else {
        profile.push(sharp(radius, height));
    }
    profile.extend([
        sharp(radius - wall, height),
        sharp(radius - 1.3 * wall, soil_at - 0.01),
        sharp(0.0, soil_at - 0.01),
    ]);
    let inner = radius - 1.05 * wall;
    let soil = lathe(
        &[
            sharp(0.0, soil_at - 0.012),
            sharp(inner, soil_at - 0.012),
            sharp(inner, soil_at),
            soft(0.5 * inner, soil_at + 0.06 * radius),
            soft(0.0, soil_at + 0.08 * radius),
        ],
        16,
    );
    let widest = radius * if style == 0 { 1.1 } else { 1.0 };
    let collider = ColliderPiece::frustum(foot * radius, widest, 0.0, height);
    Pot { mesh: lathe(&profile, 26), soil, height: soil_at, radius: inner, collider }
}

/// A turn about the upright axis, then a lean away from it.
fn outward(way: f32, lift: f32) -> Quat {
    Quat::from_rotation_y(way) * Quat::from_rotation_x(-lift)
}

/// Sword-shaped leaves that stand upright.
fn swords(rng: &mut ChaCha8Rng, radius: f32) -> (Vec<MeshBuffers>, Vec<MeshBuffers>) {
    let blades = count(rng, 7, 11);
    let tall = between(rng, 0.2, 0.38);
    let leaves = (0..blades)
        .map(|k| {
            let way = (k as f32 * 2.4) + between(rng, -0.3, 0.3);
            let out = radius * (0.2 + 0.55 * (k as f32 / blades as f32));
            let blade = Blade {
                length: tall * between(rng, 0.65, 1.0),
                width: between(rng, 0.032, 0.05),
                arch: between(rng, -0.05, 0.1),
                fold: 0.35,
                thickness: 0.005,
            };
            let lift = 0.5 * PI - between(rng, 0.02, 0.3);
            leaf(&blade, 6).rotated(outward(way, lift)).translated(Quat::from_rotation_y(way) * Vec3::Z * out)
        })
        .collect();
    (leaves, Vec::new())
}

/// Broad leaves on stems of their own, like a rubber plant's.
fn broad(rng: &mut ChaCha8Rng, radius: f32) -> (Vec<MeshBuffers>, Vec<MeshBuffers>) {
    let tall = between(rng, 0.16, 0.3);
    let blades = count(rng, 9, 14);
    let (wide, arch) = (between(rng, 0.5, 0.8), between(rng, 0.2, 0.5));
    let mut leaves = Vec::new();
    let mut stems = Vec::new();
    for k in 0..blades {
        let way = k as f32 * 2.4 + between(rng, -0.25, 0.25);
        let share = k as f32 / (blades - 1) as f32;
        let aside = Quat::from_rotation_y(way) * Vec3::Z;
        let end = aside * (radius * (1.0 - 0.75 * share)) + Vec3::Y * (tall * (0.25 + 0.75 * share));
        let start = aside * (0.2 * radius);
        let path = curve(&[start, 0.5 * (start + end) + Vec3::Y * (0.15 * tall), end], 5);
        stems.push(tube(&path, |t| Vec2::splat(0.0042 - 0.0015 * t), 5, Ends::Flat));
        let length = between(rng, 0.09, 0.13) * (1.1 - 0.3 * share);
        let blade = Blade { length, width: wide * length, arch, fold: 0.22, thickness: 0.003 };
        leaves.push(leaf(&blade, 5).rotated(outward(way, 0.25 + 0.7 * share)).translated(end));
    }
    (leaves, stems)
}

/// Long fronds that arch over the rim.
fn fountain(rng: &mut ChaCha8Rng, radius: f32) -> (Vec<MeshBuffers>, Vec<MeshBuffers>) {
    let blades = count(rng, 15, 20);
    let length = between(rng, 0.2, 0.3);
    let leaves = (0..blades)
        .map(|k| {
            let way = k as f32 * 2.4;
            let inner = k as f32 / blades as f32;
            let blade = Blade {
                length: length * between(rng, 0.8, 1.0),
                width: between(rng, 0.02, 0.03),
                arch: 0.75 - 0.35 * inner,
                fold: 0.4,
                thickness: 0.003,
            };
            let from = Quat::from_rotation_y(way) * Vec3::Z * (0.3 * radius * (1.0 - inner));
            leaf(&blade, 7).rotated(outward(way, 0.75 + 0.6 * inner)).translated(from)
        })
        .collect();
    (leaves, Vec::new())
}

/// A rosette of short thick leaves.
fn rosette(rng: &mut ChaCha8Rng, radius: f32) -> (Vec<MeshBuffers>, Vec<MeshBuffers>) {
    let blades = count(rng, 18, 24);
    let size = radius * between(rng, 1.2, 1.6);
    let leaves = (0..blades)
        .map(|k| {
            let inner = k as f32 / (blades - 1) as f32;
            let length = size * (1.05 - 0.6 * inner);
            let blade = Blade { length, width: 0.5 * length, arch: -0.12, fold: 0.45, thickness: 0.1 * length };
            leaf(&blade, 4).rotated(outward(k as f32 * 2.4, 0.3 + 1.0 * inner)).translated(Vec3::Y * (0.02 * inner))
        })
        .collect();
    (leaves, Vec::new())
}

/// A ribbed cactus with one or two arms.
fn cactus(rng: &mut ChaCha8Rng, radius: f32) -> (Vec<MeshBuffers>, Vec<MeshBuffers>) {
    let tall = between(rng, 0.18, 0.3);
    let thick = radius * between(rng, 0.42, 0.55);
    let ribs = 8;
    let ribbed = |mesh: MeshBuffers| mesh.with_smooth_normals(0.5);
    let column = |path: &[Vec3], thick: f32| ribbed(tube(path, |_| Vec2::splat(thick), ribs, Ends::Round));
    let trunk = column(&[Vec3::NEG_Y * 0.005, Vec3::Y * 0.5 * tall, Vec3::Y * (tall - thick)], thick);
    let mut leaves = vec![trunk];
    for arm in 0..count(rng, 1, 2) {
        let way = Quat::from_rotation_y(between(rng, -0.5, 0.5) + PI * arm as f32) * Vec3::X;
        let from = Vec3::Y * (tall * between(rng, 0.35, 0.5));
        let reach = 2.1 * thick;
        let path = curve(
            &[
                from,
                from + way * (0.8 * reach) + Vec3::Y * 0.01,
                from + way * reach + Vec3::Y * (between(rng, 0.25, 0.4) * tall),
            ],
            7,
        );
        leaves.push(column(&path, 0.55 * thick));
    }
    // Spines in rows.
    let mut spines = Vec::new();
    for rib in 0..ribs {
        let aside = Quat::from_rotation_y((rib as f32) / ribs as f32 * TAU) * Vec3::Z;
        for row in 1..7 {
            let from = Vec3::Y * (row as f32 / 7.0 * (tall - thick)) + aside * (0.95 * thick);
            spines.push(tube(
                &[from, from + aside * 0.012 + Vec3::Y * 0.003],
                |t| Vec2::splat(0.0016 * (1.05 - t)),
                3,
                Ends::Flat,
            ));
        }
    }
    (leaves, spines)
}

/// A plant in a pot: swords, broad leaves, a fountain of fronds, a rosette, or a cactus.
pub fn plant(rng: &mut ChaCha8Rng) -> ObjectModel {
    let pot = pot(rng);
    let kind = pick(rng, &[0, 0, 1, 1, 1, 2, 2, 3, 4]);
    let (leaves, stems) = match kind {
        0 => swords(rng, pot.radius),
        1 => broad(rng, pot.radius),
        2 => fountain(rng, pot.radius),
        3 => rosette(rng, pot.radius),
        _ => cactus(rng, pot.radius),
    };
    let up = Vec3::Y * pot.height;
    let foliage = merged(leaves).translated(up);
    let ground = pot.soil;
    let clay = if chance(rng, 0.5) {
        Surface { roughness: 0.85, ..ceramic(TERRACOTTA.pick(rng)) }
    } else {
        ceramic(GLAZES.pick(rng))
    };
    let top = foliage.bounds().1.y;
    let mut parts = vec![
        Part::new(pot.mesh, clay),
        Part::new(foliage, Surface { roughness: 0.5, ..painted(GREENS.pick(rng)) }),
        Part::new(ground, Surface { grain: Grain::Bark, roughness: 1.0, ..painted(jitter(rng, hex(0x3a2a1f), 0.2)) }),
    ];
    if !stems.is_empty() {
        let color = if kind == 4 { hex(0xe8dfc4) } else { STEMS.pick(rng) };
        parts.push(Part::new(merged(stems).translated(up), painted(color)));
    }
    let crown = ColliderPiece::upright(0.6 * pot.radius, pot.height - 0.02, 0.5 * (pot.height + top));
    ObjectModel { parts, collider: vec![pot.collider, crown], mass_kg: 1.6, grabbable: true, ..ObjectModel::default() }
}
