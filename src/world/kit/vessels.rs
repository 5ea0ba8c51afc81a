//! Vessels that one drinks and eats from.

use std::f32::consts::PI;

use bevy::math::{Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part},
    palette::{GLAZES, ceramic, shade},
    shape::{Ends, Knot, arc, curve, lathe, sharp, soft, tube},
};

/// The profile of an open vessel: `outside` from the foot to the rim, walls of `wall` metres, a floor of `floor` metres.
/// The lip is round.
pub(super) fn open_vessel(outside: &[Knot], wall: f32, floor: f32) -> Vec<Knot> {
    let mut profile = vec![sharp(0.0, outside[0].height)];
    profile.extend_from_slice(outside);
    let Some(rim) = outside.last() else { return profile };
    profile.push(soft(rim.radius - 0.5 * wall, rim.height + 0.35 * wall));
    let bottom = outside[0].height + floor;
    profile.extend(
        outside
            .iter()
            .rev()
            .filter(|knot| knot.height > bottom + 0.2 * wall)
            .map(|knot| soft((knot.radius - wall).max(0.002), knot.height)),
    );
    let floor_radius = profile.last().map_or(0.0, |knot| knot.radius);
    profile.push(soft(0.92 * floor_radius, bottom + 0.1 * wall));
    profile.push(soft(0.0, bottom));
    profile
}

/// An ear of a handle in the XY plane on the right of a wall: from `top` to `bottom` (x, y), standing out by `reach`.
pub(super) fn ear(top: Vec2, bottom: Vec2, reach: f32, style: usize) -> Vec<Vec3> {
    let middle = 0.5 * (top + bottom);
    match style {
        // A half ellipse.
        0 => {
            let half = 0.5 * (top - bottom);
            arc(middle.extend(0.0), Vec3::X * reach, half.extend(0.0), 0.5 * PI, -0.5 * PI, 13)
        }
        // A square ear with round corners.
        1 => curve(
            &[
                top.extend(0.0),
                Vec3::new(top.x + 0.75 * reach, top.y + 0.002, 0.0),
                Vec3::new(top.x + reach, top.y - 0.25 * (top.y - bottom.y), 0.0),
                Vec3::new(bottom.x + reach, bottom.y + 0.25 * (top.y - bottom.y), 0.0),
                Vec3::new(bottom.x + 0.75 * reach, bottom.y - 0.002, 0.0),
                bottom.extend(0.0),
            ],
            15,
        ),
        // A swung ear, high and wide above, tapering to the wall.
        _ => curve(
            &[
                top.extend(0.0),
                Vec3::new(top.x + 0.7 * reach, top.y + 0.12 * (top.y - bottom.y), 0.0),
                Vec3::new(top.x + reach, top.y - 0.3 * (top.y - bottom.y), 0.0),
                Vec3::new(middle.x + 0.5 * reach, bottom.y + 0.2 * (top.y - bottom.y), 0.0),
                bottom.extend(0.0),
            ],
            14,
        ),
    }
}

/// A drinking mug: a straight, tapered or bellied wall and one ear.
pub fn mug(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.085, 0.115);
    let radius = between(rng, 0.036, 0.046);
    let style = count(rng, 0, 3);
    let (foot, belly, rim) = match style {
        0 => (1.0, 1.0, 1.0),
        1 => (0.8, 0.92, 1.03),
        2 => (0.82, 1.1, 0.95),
        _ => (0.95, 0.9, 1.0),
    };
    let wall = between(rng, 0.0035, 0.005);
    let outside = [
        sharp(radius * foot - 0.004, 0.0),
        soft(radius * foot, 0.004),
        soft(radius * (0.5 * (foot + belly) + 0.01), 0.25 * height),
        soft(radius * belly, 0.5 * height),
        soft(radius * (0.5 * (rim + belly) + 0.005), 0.78 * height),
        soft(radius * rim, height - 0.002),
    ];
    let body = lathe(&open_vessel(&outside, wall, 0.006), 28);
    let (top, bottom) = (between(rng, 0.76, 0.86) * height, between(rng, 0.18, 0.3) * height);
    let wall_at = |share: f32| {
        radius * (foot + (belly - foot) * (2.0 * share).min(1.0) + (rim - belly) * (2.0 * share - 1.0).max(0.0))
    };
    let path = ear(
        Vec2::new(wall_at(top / height) - 0.5 * wall, top),
        Vec2::new(wall_at(bottom / height) - 0.5 * wall, bottom),
        between(rng, 0.026, 0.036),
        count(rng, 0, 2),
    );
    let (width, thickness) = (between(rng, 0.005, 0.0085), between(rng, 0.0032, 0.0045));
    let handle = tube(&path, |_| Vec2::new(width, thickness), 8, Ends::Flat);
    let color = GLAZES.pick(rng);
    let mut parts: Vec<Part> = Vec::new();
    if chance(rng, 0.35) {
        // A glaze of its own on the handle.
        let second = GLAZES.pick(rng);
        parts.push(Part::new(body, ceramic(color)));
        parts.push(Part::new(handle, ceramic(second)));
    } else {
        let mut whole: MeshBuffers = body;
        whole.append(handle);
        parts.push(Part::new(whole, ceramic(shade(color, 0.05))));
    }
    let widest = radius * belly.max(rim).max(foot);
    ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::upright(widest, 0.0, height),
            ColliderPiece::block(
                Vec3::new(widest - 0.004, bottom, -width),
                Vec3::new(path.iter().fold(0.0, |far, point| point.x.max(far)), top, width),
            ),
        ],
        mass_kg: 0.32,
        grabbable: true,
        ..ObjectModel::default()
    }
}
