//! What stands on a stove or a tea table: teapots, kettles, pans.

use std::f32::consts::PI;

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part},
    palette::{GLAZES, PAINTS, TIMBER, ceramic, hex, metal, painted, plastic, shade, wood},
    shape::{
        Ends, Knot, arc, beveled_cylinder, curve, ellipsoid, lathe, merged, rod, sharp, smooth_profile, soft, tube,
    },
    tableware::{ear, open_vessel, radius_at},
};

/// A spout along `path` whose radius falls from `base` to `tip`, with a dark mouth; both meshes.
fn spout(path: &[Vec3], base: f32, tip: f32, sides: usize) -> (MeshBuffers, MeshBuffers) {
    let pipe = tube(path, |t| Vec2::splat(base + (tip - base) * t.powf(0.7)), sides, Ends::Flat);
    let end = path[path.len() - 1];
    let outward = (end - path[path.len() - 2]).normalize_or(Vec3::Y);
    let mouth = rod(end - outward * 0.002, end + outward * 0.0006, 0.72 * tip, 0.72 * tip, sides);
    (pipe, mouth)
}

/// A ceramic teapot: round body, lid with a knob, curved spout to the left, ear to the right.
pub fn teapot(rng: &mut ChaCha8Rng) -> ObjectModel {
    let radius = between(rng, 0.062, 0.085);
    let squat = between(rng, 1.15, 1.75);
    let height = radius * squat;
    let lid = radius * between(rng, 0.42, 0.55);
    let foot = radius * between(rng, 0.52, 0.68);
    let straight = chance(rng, 0.25);
    let belly = if straight { 0.3 } else { pick(rng, &[0.32, 0.42, 0.54]) } * height;
    let foot = if straight { 0.86 * radius } else { foot };
    let outline = if straight {
        // A drum with a rounded shoulder.
        [
            (foot, 0.006),
            (0.97 * radius, 0.1 * height),
            (radius, belly),
            (0.93 * radius, 0.78 * height),
            (lid * 1.06, 0.97 * height),
        ]
    } else {
        [
            (foot, 0.006),
            (0.5 * (foot + radius) + 0.22 * (radius - foot), 0.45 * belly),
            (radius, belly),
            (0.5 * (radius + lid) + 0.26 * (radius - lid), 0.5 * (belly + height) + 0.04 * height),
            (lid * 1.06, 0.97 * height),
        ]
    };
    let mut wall = vec![sharp(foot, 0.0), sharp(foot * 0.97, 0.005)];
    wall.extend(smooth_profile(&outline, 13));
    let mut profile = vec![sharp(0.0, 0.002)];
    profile.extend_from_slice(&wall);
    profile.extend([sharp(lid * 1.06, height), sharp(lid, height), sharp(0.0, height - 0.002)]);
    let mut body = lathe(&profile, 30);

    // Lid: a dome on a flange, and its knob.
    let dome = lid * between(rng, 0.3, 0.55);
    let cover = lathe(
        &[
            sharp(0.0, height - 0.001),
            sharp(lid * 0.97, height - 0.001),
            sharp(lid * 0.97, height + 0.003),
            soft(lid * 0.85, height + 0.003 + 0.35 * dome),
            soft(lid * 0.5, height + 0.003 + 0.85 * dome),
            soft(0.0, height + 0.003 + dome),
        ],
        26,
    );
    let knob_radius = between(rng, 0.009, 0.014);
    let knob_at = height + dome + 0.75 * knob_radius;
    let knob =
        ellipsoid(Vec3::new(1.0, between(rng, 0.8, 1.2), 1.0) * knob_radius, 12, 6).translated(Vec3::Y * knob_at);

    let reach = radius * between(rng, 0.75, 1.0);
    let start = Vec3::new(-0.8 * radius, (0.45 * belly).max(0.36 * radius), 0.0);
    let rise = height * between(rng, 0.92, 1.04);
    let path = curve(
        &[
            start,
            Vec3::new(-radius - 0.27 * reach, belly, 0.0),
            Vec3::new(-radius - 0.62 * reach, 0.4 * belly + 0.6 * rise, 0.0),
            Vec3::new(-radius - reach, rise, 0.0),
        ],
        9,
    );
    let (pipe, mouth) = spout(&path, 0.27 * radius, 0.11 * radius, 12);

    let (top, bottom) = (0.84 * height, between(rng, 0.2, 0.32) * height);
    let attach = |at: f32| Vec2::new(radius_at(&wall[1..], at) - 0.004, at);
    let ear_path = ear(attach(top), attach(bottom), radius * between(rng, 0.55, 0.75), pick(rng, &[0, 0, 2]));
    let handle = tube(&ear_path, |_| Vec2::new(0.009, 0.0055), 8, Ends::Flat);

    let color = GLAZES.pick(rng);
    let trim = if chance(rng, 0.45) { GLAZES.pick(rng) } else { color };
    body.append(pipe);
    let mut trims = merged([cover, knob]);
    if chance(rng, 0.5) {
        trims.append(handle)
    } else {
        body.append(handle)
    }
    ObjectModel {
        parts: vec![
            Part::new(body, ceramic(color)),
            Part::new(trims, ceramic(trim)),
            Part::new(mouth, painted(hex(0x1a1512))),
        ],
        collider: vec![
            ColliderPiece::frustum(foot, radius, 0.0, belly),
            ColliderPiece::frustum(radius, lid, belly, height + dome),
            ColliderPiece::block(
                Vec3::new(-radius - reach, 0.8 * belly, -0.012),
                Vec3::new(-0.8 * radius, rise, 0.012),
            ),
            ColliderPiece::block(Vec3::new(0.8 * radius, bottom, -0.009), Vec3::new(radius * 1.5, top, 0.009)),
        ],
        mass_kg: 0.8,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A kettle of metal: broad-based body under a high bail with a wooden or plastic grip and a short spout, or a gooseneck
/// kettle with a long thin spout and a handle behind.
pub fn kettle(rng: &mut ChaCha8Rng) -> ObjectModel {
    let radius = between(rng, 0.085, 0.11);
    let height = radius * between(rng, 1.1, 1.45);
    let gooseneck = chance(rng, 0.35);
    let lid = radius * between(rng, 0.42, 0.55);
    let shape: &[(f32, f32)] = if gooseneck {
        &[(1.0, 0.02), (0.97, 0.25), (0.78, 0.75), (0.66, 0.95)]
    } else {
        pick(
            rng,
            &[
                &[(1.0, 0.03), (1.02, 0.2), (0.92, 0.6), (0.62, 0.94)],
                &[(0.9, 0.02), (1.0, 0.25), (1.0, 0.5), (0.85, 0.8), (0.58, 0.97)],
                &[(1.0, 0.02), (0.99, 0.3), (0.8, 0.72), (0.6, 0.97)],
            ],
        )
    };
    let points: Vec<(f32, f32)> = shape.iter().map(|(r, h)| (r * radius, h * height)).collect();
    let mut wall = vec![soft(points[0].0 - 0.006, 0.0)];
    wall.extend(smooth_profile(&points, 12));
    let mut profile = vec![sharp(0.0, 0.0), sharp(points[0].0 - 0.006, 0.0)];
    profile.extend_from_slice(&wall[1..]);
    profile.extend([sharp(lid * 1.1, height), sharp(lid, height), sharp(0.0, height - 0.002)]);
    let mut body = lathe(&profile, 32);
    body.append(lathe(
        &[
            sharp(0.0, height - 0.001),
            sharp(lid * 0.98, height - 0.001),
            sharp(lid * 0.98, height + 0.004),
            soft(lid * 0.7, height + 0.012),
            soft(0.0, height + 0.016),
        ],
        24,
    ));
    let mut grips = vec![
        beveled_cylinder(0.007, 0.009, 0.014, 0.0, 10).translated(Vec3::Y * (height + 0.013)),
        ellipsoid(Vec3::new(0.014, 0.009, 0.014), 12, 6).translated(Vec3::Y * (height + 0.031)),
    ];
    let mut wires = Vec::new();
    let mut collider = vec![
        ColliderPiece::frustum(radius, radius, 0.0, 0.5 * height),
        ColliderPiece::frustum(radius, lid * 1.1, 0.5 * height, height + 0.02),
    ];
    let (pipe, mouth);
    if gooseneck {
        let tip = Vec3::new(-radius * 2.0, height * 1.02, 0.0);
        let path = curve(
            &[
                Vec3::new(-0.85 * radius, 0.2 * height, 0.0),
                Vec3::new(-1.35 * radius, 0.24 * height, 0.0),
                Vec3::new(-1.5 * radius, 0.62 * height, 0.0),
                Vec3::new(-1.62 * radius, 1.0 * height, 0.0),
                tip,
            ],
            20,
        );
        (pipe, mouth) = spout(&path, 0.014, 0.0075, 12);
        let high = between(rng, 1.05, 1.25) * height;
        let back = curve(
            &[
                Vec3::new(0.62 * radius, 0.93 * height, 0.0),
                Vec3::new(0.95 * radius, high, 0.0),
                Vec3::new(1.5 * radius, high * 0.98, 0.0),
                Vec3::new(1.68 * radius, 0.7 * height, 0.0),
                Vec3::new(1.6 * radius, 0.35 * height, 0.0),
            ],
            16,
        );
        wires.push(tube(&back[..7], |_| Vec2::new(0.007, 0.004), 8, Ends::Flat));
        grips.push(tube(&back[5..], |_| Vec2::new(0.011, 0.008), 8, Ends::Round));
        collider.push(ColliderPiece::block(tip - Vec3::splat(0.01), tip + Vec3::new(0.5 * radius, 0.005, 0.01)));
    } else {
        let angle = between(rng, 0.6, 0.95);
        let root = Vec3::new(-0.88 * radius, 0.5 * height, 0.0);
        let along = Vec3::new(-angle.cos(), angle.sin(), 0.0);
        let length = radius * between(rng, 0.75, 0.95);
        let path = [root, root + along * (0.5 * length), root + along * length];
        (pipe, mouth) = spout(&path, 0.027, 0.014, 14);
        let wide = radius * between(rng, 0.72, 0.85);
        let pivot = 0.8 * height;
        let lift = between(rng, 1.0, 1.25) * height;
        let bow = arc(Vec3::Y * pivot, Vec3::X * wide, Vec3::Y * lift, 0.0, PI, 25);
        wires.push(tube(&bow[..9], |_| Vec2::new(0.006, 0.003), 8, Ends::Flat));
        wires.push(tube(&bow[16..], |_| Vec2::new(0.006, 0.003), 8, Ends::Flat));
        grips.push(tube(
            &bow[8..=16],
            |t| Vec2::new(0.012, 0.009) * (1.0 - 0.5 * (2.0 * t - 1.0).powi(4)),
            10,
            Ends::Flat,
        ));
        collider.push(ColliderPiece::block(
            Vec3::new(-0.6 * wide, pivot + 0.72 * lift, -0.01),
            Vec3::new(0.6 * wide, pivot + lift, 0.01),
        ));
    }
    body.append(pipe);
    let shell = match count(rng, 0, 3) {
        0 => painted(PAINTS.pick(rng)),
        1 => metal(hex(0xc07a52), 0.22),
        _ => metal(hex(0xc6c9cc), 0.2),
    };
    let grip = if chance(rng, 0.5) { wood(TIMBER.pick(rng)) } else { plastic(hex(0x202124)) };
    ObjectModel {
        parts: vec![
            Part::new(body, shell),
            Part::new(merged(wires), metal(hex(0xa2a4a6), 0.3)),
            Part::new(merged(grips), grip),
            Part::new(mouth, painted(hex(0x141416))),
        ],
        collider,
        mass_kg: 1.3,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A pan with one long handle: a flat skillet with flared wall or a deep saucepan; iron, steel, copper or coated.
pub fn pan(rng: &mut ChaCha8Rng) -> ObjectModel {
    let deep = chance(rng, 0.3);
    let radius = if deep { between(rng, 0.075, 0.1) } else { between(rng, 0.1, 0.145) };
    let height = if deep { radius * between(rng, 0.85, 1.1) } else { between(rng, 0.036, 0.055) };
    let foot = radius * if deep { 0.96 } else { between(rng, 0.74, 0.84) };
    let wall = 0.0035;
    let outer: Vec<Knot> = vec![
        sharp(foot - 0.004, 0.0),
        soft(foot, 0.0035),
        soft(foot + 0.25 * (radius - foot), 0.3 * height),
        soft(foot + 0.65 * (radius - foot), 0.7 * height),
        soft(radius, height - 0.4 * wall),
    ];
    let profile = open_vessel(&outer, wall, 0.004);
    let inner = lathe(&profile.inside, 36);
    let mut outside = lathe(&profile.outside, 36);
    // The handle climbs a little away from the rim.
    let length = between(rng, 0.15, 0.21);
    let climb = between(rng, 0.01, 0.045);
    let root = Vec3::new(radius_at(&outer, 0.78 * height) - 0.003, 0.78 * height, 0.0);
    let end = root + Vec3::new(length, climb, 0.0);
    let path = curve(&[root, root + Vec3::new(0.3 * length, 0.55 * climb, 0.0), end], 12);
    let half_width = between(rng, 0.009, 0.013);
    let (bracket, grip);
    if chance(rng, 0.5) {
        // One forged piece, broad at the end.
        bracket = tube(&path, |t| Vec2::new(half_width * (0.8 + 0.5 * t * t), 0.005), 10, Ends::Round);
        grip = None;
    } else {
        bracket = tube(&path[..5], |_| Vec2::new(0.6 * half_width, 0.004), 8, Ends::Flat);
        grip = Some(tube(
            &path[3..],
            |t| Vec2::new(half_width, 0.7 * half_width) * (0.82 + 0.3 * (PI * t).sin()),
            10,
            Ends::Round,
        ));
    }
    outside.append(bracket);
    for side in [-1.0, 1.0] {
        let rivet = ellipsoid(Vec3::new(0.003, 0.004, 0.004), 8, 4);
        let place = Vec3::new(radius_at(&outer, 0.78 * height) - wall, 0.78 * height, side * 0.006);
        outside.append(rivet.translated(place));
    }
    let (shell, lining) = match count(rng, 0, 4) {
        0 => (metal(hex(0x2c2c2e), 0.55), painted(hex(0x1d1d1f))),
        1 => (metal(hex(0xb9bcbf), 0.28), metal(hex(0xc9cbcd), 0.25)),
        2 => (metal(hex(0xc2774e), 0.25), metal(hex(0xc9c5bd), 0.3)),
        3 => {
            let color = PAINTS.pick(rng);
            (painted(color), painted(hex(0x262628)))
        }
        _ => {
            let color = PAINTS.pick(rng);
            (painted(color), painted(shade(hex(0xe8e2d4), 0.0)))
        }
    };
    let mut parts = vec![Part::new(outside, shell), Part::new(inner, lining)];
    if let Some(grip) = grip {
        let surface = if chance(rng, 0.5) { wood(TIMBER.pick(rng)) } else { plastic(hex(0x1c1c1e)) };
        parts.push(Part::new(grip, surface));
    }
    let turn = Quat::from_rotation_z((climb / length).atan());
    ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::frustum(foot, radius, 0.0, height),
            ColliderPiece::Box {
                center: 0.5 * (root + end),
                rotation: turn,
                half_size: Vec3::new(0.5 * length, 0.006, half_width),
            },
        ],
        mass_kg: 10.0 * radius,
        grabbable: true,
        ..ObjectModel::default()
    }
}
