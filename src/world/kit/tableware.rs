//! What one drinks and eats from: mugs, bowls, plates.

use std::f32::consts::PI;

use bevy::math::{Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, ObjectModel, Part},
    palette::{GLAZES, TIMBER, ceramic, shade, wood},
    shape::{Ends, Knot, arc, curve, lathe, sharp, smooth_profile, soft, tube},
};

/// The two sides of an open vessel.
pub(super) struct VesselProfile {
    /// From the middle of the underside to the top of the lip.
    pub outside: Vec<Knot>,
    /// From the top of the lip to the middle of the floor.
    pub inside: Vec<Knot>,
}

impl VesselProfile {
    /// Both sides as one closed profile.
    pub fn whole(&self) -> Vec<Knot> {
        self.outside.iter().chain(&self.inside[1..]).copied().collect()
    }

    /// The same with every other knot of the inside left out: for smooth walls whose inside is seen less.
    pub fn thinned(mut self) -> Self {
        let last = self.inside.len() - 1;
        let mut index = 0;
        self.inside.retain(|_| {
            index += 1;
            index % 2 == 1 || index > last
        });
        self
    }
}

/// Gives the wall `outer` (from the foot's edge to the rim) a thickness of `wall` metres, measured across the wall, a floor
/// of `floor` metres and a round lip.
pub(super) fn open_vessel(outer: &[Knot], wall: f32, floor: f32) -> VesselProfile {
    let point = |index: usize| Vec2::new(outer[index].radius, outer[index].height);
    let last = outer.len() - 1;
    let along = |index: usize| {
        let before = if index > 0 { (point(index) - point(index - 1)).normalize_or_zero() } else { Vec2::ZERO };
        let after = if index < last { (point(index + 1) - point(index)).normalize_or_zero() } else { Vec2::ZERO };
        (before + after).normalize_or(Vec2::Y)
    };
    let inward = |index: usize| point(index) + along(index).perp() * wall;

    let rim = along(last);
    let lip = 0.5 * (point(last) + inward(last)) + rim * (0.4 * wall);
    let lip = soft(lip.x, lip.y);
    let mut outside = vec![sharp(0.0, outer[0].height)];
    outside.extend_from_slice(outer);
    outside.push(lip);

    let bottom = outer[0].height + floor.max(wall);
    let mut inside = vec![lip];
    for index in (0..=last).rev() {
        let place = inward(index);
        if place.y < bottom + 0.3 * wall || place.x < 0.5 * wall {
            break;
        }
        inside.push(soft(place.x, place.y));
    }
    // The floor ends where the wall below it is still thick enough.
    let floor_radius = radius_at(outer, bottom - 0.7 * wall).min(0.9 * inside[inside.len() - 1].radius);
    inside.extend([soft(floor_radius, bottom + 0.05 * wall), soft(0.0, bottom)]);
    VesselProfile { outside, inside }
}

/// The path of an ear in the XY plane, on the right-hand side of a wall: from `top` to `bottom` (x, y), standing out by
/// `reach` metres. Styles 0 round, 1 square, 2 swung.
pub(super) fn ear(top: Vec2, bottom: Vec2, reach: f32, style: usize) -> Vec<Vec3> {
    let middle = 0.5 * (top + bottom);
    let drop = top.y - bottom.y;
    match style {
        0 => {
            let half = 0.5 * (top - bottom);
            arc(middle.extend(0.0), Vec3::X * reach, half.extend(0.0), 0.5 * PI, -0.5 * PI, 13)
        }
        1 => curve(
            &[
                top.extend(0.0),
                Vec3::new(top.x + 0.75 * reach, top.y + 0.002, 0.0),
                Vec3::new(top.x + reach, top.y - 0.25 * drop, 0.0),
                Vec3::new(bottom.x + reach, bottom.y + 0.25 * drop, 0.0),
                Vec3::new(bottom.x + 0.75 * reach, bottom.y - 0.002, 0.0),
                bottom.extend(0.0),
            ],
            16,
        ),
        _ => curve(
            &[
                top.extend(0.0),
                Vec3::new(top.x + 0.7 * reach, top.y + 0.12 * drop, 0.0),
                Vec3::new(top.x + reach, top.y - 0.3 * drop, 0.0),
                Vec3::new(middle.x + 0.5 * reach, bottom.y + 0.2 * drop, 0.0),
                bottom.extend(0.0),
            ],
            14,
        ),
    }
}

/// The radius of a wall at `height`, between the knots.
pub(super) fn radius_at(wall: &[Knot], height: f32) -> f32 {
    wall.windows(2)
        .find(|pair| (pair[0].height..=pair[1].height).contains(&height))
        .map(|pair| {
            let share = (height - pair[0].height) / (pair[1].height - pair[0].height).max(1e-6);
            pair[0].radius + share * (pair[1].radius - pair[0].radius)
        })
        .unwrap_or(wall[wall.len() - 1].radius)
}

/// A drinking mug: a straight, tapered, bellied or waisted wall and one ear; the inside or the ear may have a glaze of
/// its own.
pub fn mug(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.085, 0.115);
    let radius = between(rng, 0.036, 0.047);
    let (foot, belly, rim) = pick(
        rng,
        &[(1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.78, 0.92, 1.04), (0.8, 1.1, 0.95), (1.06, 0.92, 1.0), (1.08, 1.0, 0.9)],
    );
    let wall = between(rng, 0.0035, 0.005);
    let mut outer = vec![sharp(radius * foot - 0.005, 0.0), soft(radius * foot - 0.001, 0.0025)];
    outer.extend(smooth_profile(
        &[(radius * foot, 0.006), (radius * belly, 0.5 * height), (radius * rim, height - 0.4 * wall)],
        if foot == rim && belly == rim { 2 } else { 7 },
    ));
    let profile = open_vessel(&outer, wall, 0.006);
    let body_wall = &outer[1..];

    let (top, bottom) = (between(rng, 0.76, 0.87) * height, between(rng, 0.16, 0.3) * height);
    let attach = |at: f32| Vec2::new(radius_at(body_wall, at) - 0.6 * wall, at);
    let path = ear(attach(top), attach(bottom), between(rng, 0.026, 0.036), count(rng, 0, 2));
    let (width, thickness) = (between(rng, 0.005, 0.009), between(rng, 0.0032, 0.0048));
    let handle = tube(&path, |_| Vec2::new(width, thickness), 8, Ends::Flat);

    let color = GLAZES.pick(rng);
    let second = if chance(rng, 0.4) { GLAZES.pick(rng) } else { shade(color, 0.7) };
    let parts = match count(rng, 0, 3) {
        0 => {
            let (mut outside, inside) = (lathe(&profile.outside, 26), lathe(&profile.inside, 26));
            outside.append(handle);
            vec![Part::new(outside, ceramic(color)), Part::new(inside, ceramic(second))]
        }
        1 => {
            vec![Part::new(lathe(&profile.whole(), 26), ceramic(color)), Part::new(handle, ceramic(second))]
        }
        _ => {
            let mut whole = lathe(&profile.whole(), 26);
            whole.append(handle);
            vec![Part::new(whole, ceramic(color))]
        }
    };
    let widest = radius * foot.max(belly).max(rim);
    let reach = path.iter().fold(0.0, |far, point| point.x.max(far)) + thickness;
    ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::upright(widest, 0.0, height),
            ColliderPiece::block(Vec3::new(widest - 0.004, bottom, -width), Vec3::new(reach, top, width)),
        ],
        mass_kg: 0.32,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A bowl: round, conical or flared, on a foot ring; ceramic with a second glaze inside, or turned from wood.
pub fn bowl(rng: &mut ChaCha8Rng) -> ObjectModel {
    let radius = between(rng, 0.065, 0.14);
    let height = radius * between(rng, 0.62, 0.95);
    let wall = between(rng, 0.004, 0.006);
    let foot = radius * between(rng, 0.38, 0.5);
    let foot_height = between(rng, 0.004, 0.014);
    let fullness = pick(rng, &[(0.78, 0.3, 0.96, 0.65), (0.7, 0.4, 0.88, 0.7), (0.86, 0.28, 1.0, 0.6)]);
    let flare = if chance(rng, 0.3) { 1.06 } else { 1.0 };
    let mut outer = vec![sharp(foot, 0.0), sharp(foot * 0.97, foot_height)];
    outer.extend(smooth_profile(
        &[
            (foot * 1.02, foot_height + 0.001),
            (radius * fullness.0, foot_height + fullness.1 * (height - foot_height)),
            (radius * fullness.2, foot_height + fullness.3 * (height - foot_height)),
            (radius * flare, height - 0.4 * wall),
        ],
        10,
    ));
    let profile = open_vessel(&outer, wall, foot_height + 0.005);
    let parts = if chance(rng, 0.25) {
        let color = TIMBER.pick(rng);
        vec![Part::new(lathe(&profile.whole(), 32), wood(color))]
    } else {
        let color = GLAZES.pick(rng);
        let inside = if chance(rng, 0.6) { GLAZES.pick(rng) } else { shade(color, 0.5) };
        vec![
            Part::new(lathe(&profile.outside, 32), ceramic(color)),
            Part::new(lathe(&profile.inside, 32), ceramic(inside)),
        ]
    };
    ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::frustum(foot, radius * fullness.0, 0.0, foot_height + fullness.1 * height),
            ColliderPiece::frustum(radius * fullness.0, radius, foot_height + fullness.1 * height, height),
        ],
        mass_kg: 6.0 * radius,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A plate: with a broad rim or a raised edge; the rim or a line on it may be coloured.
pub fn plate(rng: &mut ChaCha8Rng) -> ObjectModel {
    let radius = between(rng, 0.09, 0.145);
    let height = between(rng, 0.016, 0.028);
    let thick = 0.0045;
    let foot = radius * between(rng, 0.5, 0.62);
    let rimmed = chance(rng, 0.6);
    // The well ends and the rim begins at this radius.
    let well = radius * if rimmed { between(rng, 0.62, 0.7) } else { between(rng, 0.82, 0.9) };
    let shoulder = if rimmed { 0.62 * height } else { 0.3 * height };
    let line = well + (radius - well) * pick(rng, &[0.12, 0.55, 0.75]);
    let line_height = shoulder + (height - shoulder) * (line - well) / (radius - well);
    let underside = [
        sharp(0.0, 0.0015),
        sharp(foot - 0.004, 0.0015),
        sharp(foot - 0.003, 0.0),
        sharp(foot, 0.0),
        sharp(foot, 0.002),
        soft(well, (shoulder - thick).max(0.0025)),
        soft(radius, height - thick),
        soft(radius + 0.001, height - 0.5 * thick),
        soft(radius, height),
    ];
    let rim = [soft(radius, height), soft(line, line_height)];
    let middle = [
        soft(line, line_height),
        soft(well, shoulder),
        soft(well - 0.5 * (shoulder - thick).max(0.002) - 0.004, thick + 0.3 * (shoulder - thick)),
        soft(well - 1.2 * (shoulder - thick).max(0.002) - 0.006, thick + 0.0015),
        soft(0.0, thick + 0.001),
    ];
    let color = GLAZES.pick(rng);
    let pale = shade(color, 0.75);
    let (ground, band) = if chance(rng, 0.6) { (pale, color) } else { (color, GLAZES.pick(rng)) };
    let mut base = lathe(&underside, 40);
    base.append(lathe(&middle, 40));
    ObjectModel {
        parts: vec![Part::new(base, ceramic(ground)), Part::new(lathe(&rim, 40), ceramic(band))],
        collider: vec![
            ColliderPiece::frustum(foot, radius, 0.0, 0.7 * height),
            ColliderPiece::upright(radius, 0.7 * height, height),
        ],
        mass_kg: 3.5 * radius,
        grabbable: true,
        ..ObjectModel::default()
    }
}
