//! Fruit: apple, pear, banana. A little larger than life, so that they read from across a table.

use std::f32::consts::{PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count},
    leaves::{Blade, leaf},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, Surface},
    palette::{Palette, hex, jitter, painted},
    shape::{Ends, Knot, arc, curve, lathe, merged, soft, tube},
};

const APPLES: Palette = Palette(&[0xb5202a, 0xc93a2e, 0xa3182b, 0x7fae35, 0x9cc14a, 0xd9b53a, 0xd86a35]);
const PEARS: Palette = Palette(&[0xb9c24a, 0x9db544, 0xd4c155, 0xc79a3f, 0xa8823c, 0x86a044, 0xc5603c]);
const BANANAS: Palette = Palette(&[0xf2cf3b, 0xeec52e, 0xf4da62, 0xe6bb2b, 0xc9cc4a, 0xa9bf42]);
const STALKS: Palette = Palette(&[0x4a3420, 0x5c4326, 0x3a2a1c, 0x54552a]);
const LEAVES: Palette = Palette(&[0x3f7a2e, 0x2f6b2b, 0x5b8f3a]);

/// The waxy skin of apples and bananas, the rougher one of pears.
fn skin(color: Vec3, roughness: f32) -> Surface {
    Surface { roughness, ..painted(color) }
}

/// The stalk of a fruit on the axis, from height `from`, `length` long, bent to one side and thicker at its end.
fn stalk(rng: &mut ChaCha8Rng, from: f32, length: f32, radius: f32) -> MeshBuffers {
    let bend = Quat::from_rotation_y(between(rng, 0.0, TAU)) * Vec3::X * (length * between(rng, 0.1, 0.45));
    let path =
        curve(&[Vec3::Y * from, Vec3::Y * (from + 0.55 * length) + 0.25 * bend, Vec3::Y * (from + length) + bend], 6);
    tube(&path, |t| Vec2::splat(radius * (1.0 + 0.6 * t * t)), 7, Ends::Flat)
}

/// One thick leaf beside the stalk.
fn fruit_leaf(rng: &mut ChaCha8Rng, from: Vec3, length: f32) -> MeshBuffers {
    let blade = Blade { length, width: 0.5 * length, arch: between(rng, 0.15, 0.35), fold: 0.25, thickness: 0.0022 };
    leaf(&blade, 6)
        .rotated(Quat::from_rotation_x(-between(rng, 0.1, 0.6)))
        .rotated(Quat::from_rotation_y(between(rng, 0.0, TAU)))
        .translated(from)
}

/// An apple: a dimple above with the stalk in it, a smaller one below, five soft lobes.
pub fn apple(rng: &mut ChaCha8Rng) -> ObjectModel {
    let radius = between(rng, 0.042, 0.056);
    let tall = between(rng, 0.86, 1.04);
    let shoulder = between(rng, -0.04, 0.06);
    let lobes = between(rng, 0.015, 0.045);
    const PROFILE: [(f32, f32); 14] = [
        (0.0, 0.17),
        (0.14, 0.1),
        (0.3, 0.015),
        (0.46, 0.01),
        (0.72, 0.16),
        (0.91, 0.48),
        (1.0, 0.93),
        (0.96, 1.28),
        (0.82, 1.57),
        (0.6, 1.72),
        (0.38, 1.72),
        (0.2, 1.6),
        (0.08, 1.42),
        (0.0, 1.32),
    ];
    let knots: Vec<Knot> = PROFILE
        .iter()
        .map(|(out, up)| {
            let waist = if *up > 0.9 && *out > 0.5 { 1.0 + shoulder } else { 1.0 };
            soft(radius * out * waist, radius * up * tall)
        })
        .collect();
    let body = lathe(&knots, 30).deformed(1.4, |p| {
        let reach = Vec2::new(p.x, p.z).length() / radius;
        let low = (1.0 - p.y / (1.7 * radius)).clamp(0.2, 1.0);
        let swell = 1.0 + lobes * reach * low * (5.0 * p.x.atan2(p.z)).cos();
        Vec3::new(p.x * swell, p.y - 0.25 * lobes * radius * reach * (5.0 * p.x.atan2(p.z)).cos() * low, p.z * swell)
    });
    let bottom = 1.28 * radius * tall;
    let mut parts = vec![Part::new(body, skin(APPLES.pick(rng), 0.28))];
    let length = between(rng, 0.6, 0.95) * radius;
    parts.push(Part::new(stalk(rng, bottom, length, 0.055 * radius), painted(STALKS.pick(rng))));
    if chance(rng, 0.55) {
        let length = between(rng, 0.8, 1.2) * radius;
        let from = Vec3::Y * (bottom + 0.45 * radius);
        parts.push(Part::new(fruit_leaf(rng, from, length), painted(LEAVES.pick(rng))));
    }
    fruit_model(parts, 0.18)
}

/// A pear: a round belly, a neck that leans a little, the stalk on top.
pub fn pear(rng: &mut ChaCha8Rng) -> ObjectModel {
    let radius = between(rng, 0.038, 0.05);
    let neck = between(rng, 0.85, 1.25);
    let slim = between(rng, 0.85, 1.1);
    let lean = between(rng, 0.0, 0.12);
    const PROFILE: [(f32, f32); 14] = [
        (0.0, 0.12),
        (0.16, 0.04),
        (0.34, 0.0),
        (0.66, 0.12),
        (0.9, 0.42),
        (1.0, 0.84),
        (0.93, 1.24),
        (0.74, 1.62),
        (0.56, 1.96),
        (0.46, 2.28),
        (0.41, 2.56),
        (0.31, 2.76),
        (0.14, 2.86),
        (0.0, 2.84),
    ];
    let knots: Vec<Knot> = PROFILE
        .iter()
        .map(|(out, up)| {
            let (above, thin) = ((up - 1.0).max(0.0), if *up > 1.5 { slim } else { 1.0 });
            soft(radius * out * thin, radius * (up.min(1.0) + above * neck))
        })
        .collect();
    let top = knots.last().map_or(0.0, |knot| knot.height);
    let way = Quat::from_rotation_y(between(rng, 0.0, TAU)) * Vec3::X;
    let leaned = move |p: Vec3| p + way * (lean * radius * 2.0 * (p.y / top).max(0.0).powi(2));
    let body = lathe(&knots, 28).deformed(1.4, leaned);
    let mut parts = vec![Part::new(body, skin(PEARS.pick(rng), 0.5))];
    let length = between(rng, 0.5, 0.85) * radius;
    let stem = stalk(rng, top - 0.1 * radius, length, 0.065 * radius).translated(leaned(Vec3::Y * top) - Vec3::Y * top);
    parts.push(Part::new(stem, painted(STALKS.pick(rng))));
    if chance(rng, 0.45) {
        let length = between(rng, 0.8, 1.2) * radius;
        let from = leaned(Vec3::Y * top) + Vec3::Y * (0.25 * radius);
        parts.push(Part::new(fruit_leaf(rng, from, length), painted(LEAVES.pick(rng))));
    }
    fruit_model(parts, 0.2)
}

/// The body is the collider; stalk and leaf give way.
fn fruit_model(parts: Vec<Part>, mass_kg: f32) -> ObjectModel {
    let collider = vec![ColliderPiece::hull_round(&parts[0].mesh.positions)];
    ObjectModel { parts, collider, mass_kg, grabbable: true, ..ObjectModel::default() }.set_down()
}

/// One banana in the XY plane, its back upward, the stem end at the origin: peel, then the two dark ends.
fn one_banana(length: f32, thickness: f32, bend: f32, sides: usize) -> (MeshBuffers, MeshBuffers) {
    let radius = length / bend;
    let from = 0.5 * PI + 0.5 * bend;
    let path: Vec<Vec3> = arc(Vec3::ZERO, Vec3::X * radius, Vec3::Y * radius, from, from - bend, 17);
    let start = path[0];
    let path: Vec<Vec3> = path.iter().map(|point| *point - start).collect();
    let half = move |t: f32| {
        // A thin stem, a quick swell, a long belly, a blunt tip.
        let swell = ((t - 0.1) / 0.2).clamp(0.0, 1.0);
        let swell = swell * swell * (3.0 - 2.0 * swell);
        let taper = ((1.0 - t) / 0.22).clamp(0.0, 1.0).sqrt();
        let belly = 0.36 + 0.64 * swell;
        Vec2::splat(thickness * belly * (0.28 + 0.72 * taper))
    };
    let body = tube(&path[1..16], |t| half(0.06 + 0.88 * t), sides, Ends::Flat);
    let body = if sides < 7 { body.with_smooth_normals(0.9) } else { body };
    let stem = tube(&path[..2], |t| half(0.06 * t) * (1.25 - 0.17 * t), 7, Ends::Flat);
    let tip = tube(&path[15..], |t| half(0.94 + 0.02 * t) * (1.0 - 0.25 * t), 7, Ends::Flat);
    (body, merged([stem, tip]))
}

/// A banana lying on its side, or a hand of two to four that stands on its tips.
pub fn banana(rng: &mut ChaCha8Rng) -> ObjectModel {
    let length = between(rng, 0.17, 0.23);
    let thickness = between(rng, 0.017, 0.022);
    let bend = between(rng, 1.15, 1.75);
    let sides = if chance(rng, 0.6) { 6 } else { 9 };
    let fingers = if chance(rng, 0.45) { 1 } else { count(rng, 2, 4) };
    let mut peels: Vec<MeshBuffers> = Vec::new();
    let mut ends: Vec<MeshBuffers> = Vec::new();
    let mut collider: Vec<ColliderPiece> = Vec::new();
    for finger in 0..fingers {
        let share = if fingers > 1 { finger as f32 / (fingers - 1) as f32 - 0.5 } else { 0.0 };
        let (body, dark) =
            one_banana(length * between(rng, 0.94, 1.0), thickness, bend * between(rng, 0.93, 1.07), sides);
        let turn = if fingers == 1 {
            Quat::from_rotation_x(0.5 * PI)
        } else {
            // Fanned out about the crown; the outer ones roll outward.
            Quat::from_rotation_y(share * 0.34 * fingers as f32) * Quat::from_rotation_x(share * 0.5)
        };
        let aside = Vec3::Z * (-share * (fingers as f32 - 1.0) * 0.62 * thickness);
        let (body, dark) = (body.rotated(turn).translated(aside), dark.rotated(turn).translated(aside));
        // Convex pieces along the bend.
        let points = &body.positions;
        for piece in 0..3 {
            let (from, to) = (points.len() * piece / 3, points.len() * (piece + 1) / 3);
            collider.push(ColliderPiece::hull_round(&points[from..to]));
        }
        peels.push(body);
        ends.push(dark);
    }
    if fingers > 1 {
        let crown = tube(
            &[Vec3::new(-0.35 * thickness, 0.1 * thickness, 0.0), Vec3::new(0.7 * thickness, 0.5 * thickness, 0.0)],
            |_| Vec2::new(0.34 * thickness * (fingers as f32 + 0.6), 0.75 * thickness),
            8,
            Ends::Round,
        );
        ends.push(crown);
    }
    let color = BANANAS.pick(rng);
    let dark = jitter(rng, hex(0x5a4322), 0.2);
    let parts = vec![Part::new(merged(peels), skin(color, 0.42)), Part::new(merged(ends), painted(dark))];
    let model =
        ObjectModel { parts, collider, mass_kg: 0.13 * fingers as f32, grabbable: true, ..ObjectModel::default() };
    grounded_collider(model.set_down())
}

/// Lowers the lowest points of hulls to the ground, so that the object rests on what is drawn.
fn grounded_collider(mut model: ObjectModel) -> ObjectModel {
    let lowest = |piece: &ColliderPiece| match piece {
        ColliderPiece::Hull(points) => points.iter().map(|point| point.y).fold(f32::MAX, f32::min),
        _ => f32::MAX,
    };
    let least = model.collider.iter().map(lowest).fold(f32::MAX, f32::min);
    for piece in &mut model.collider {
        if let ColliderPiece::Hull(points) = piece {
            points.iter_mut().filter(|point| point.y < least + 1e-3).for_each(|point| point.y = 0.0);
        }
    }
    model
}
