//! Toy vehicles, and the cone of the road: boat, car, cone. Vehicles point along +X, their side towards the viewer.

use std::f32::consts::{FRAC_PI_2, PI};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part},
    palette::{CLOTHS, PAINTS, PLASTICS, Palette, TIMBER, fabric, glass, hex, jitter, painted, plastic, wood},
    shape::{
        Ends, Knot, beveled_box, beveled_cylinder, board, extrude, lathe, loft, merged, rod, sharp, sheet, soft, tube,
    },
};

const CONES: Palette = Palette(&[0xe8591c, 0xf06a22, 0xd8421f, 0xf2b824, 0x2f7fc4, 0x4aa84a, 0xd83a5a]);

/// A traffic cone: a square foot, a hollow cone, reflecting bands.
pub fn cone(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.24, 0.55);
    let radius = height * between(rng, 0.2, 0.27);
    let top = height * between(rng, 0.03, 0.05);
    let foot_height = between(rng, 0.03, 0.05) * height + 0.006;
    let half = radius * between(rng, 1.22, 1.4);
    let wall = 0.02 * height;
    let radius_at = |y: f32| radius + (top - radius) * (y - foot_height) / (height - foot_height);
    let body = lathe(
        &[
            sharp(radius - wall, 0.5 * foot_height),
            sharp(radius * 1.06, 0.5 * foot_height),
            sharp(radius * 1.06, foot_height + 0.012 * height),
            sharp(radius_at(foot_height + 0.03 * height), foot_height + 0.03 * height),
            soft(radius_at(height - 0.01 * height), height - 0.01 * height),
            soft(top * 0.85, height),
            sharp(top * 0.45, height),
            sharp(top * 0.4, height - 0.05 * height),
            sharp(radius - wall, 0.5 * foot_height),
        ],
        28,
    );
    let bands = count(rng, 1, 3);
    let band = between(rng, 0.09, 0.15) * height / (0.6 + 0.3 * bands as f32);
    let start = between(rng, 0.3, 0.42) * height;
    let step = (0.86 * height - start) / bands as f32;
    let stripes = (0..bands).map(|k| {
        let (low, high) = (start + k as f32 * step, start + k as f32 * step + band.min(0.75 * step) * 1.5);
        let out = 0.0012 + 0.004 * height;
        lathe(
            &[
                sharp(radius_at(low) - 0.002, low),
                sharp(radius_at(low) + out, low),
                sharp(radius_at(high) + out, high),
                sharp(radius_at(high) - 0.002, high),
                sharp(radius_at(low) - 0.002, low),
            ],
            28,
        )
    });
    let foot = beveled_box(Vec3::new(2.0 * half, foot_height, 2.0 * half), 0.3 * foot_height)
        .translated(Vec3::Y * (0.5 * foot_height));
    let color = CONES.pick(rng);
    let white = jitter(rng, hex(0xf2f1ec), 0.05);
    let stripes = Part::new(merged(stripes), plastic(white));
    let parts = if chance(rng, 0.5) {
        vec![Part::new(body, plastic(color)), stripes, Part::new(foot, plastic(hex(0x232427)))]
    } else {
        vec![Part::new(merged([body, foot]), plastic(color)), stripes]
    };
    ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::block(Vec3::new(-half, 0.0, -half), Vec3::new(half, foot_height, half)),
            ColliderPiece::frustum(radius, top, foot_height, height),
        ],
        mass_kg: 6.0 * height * height,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A ship's hull along X: rings of a section that narrows to the stem, and the height of the deck.
struct Hull {
    mesh: MeshBuffers,
    deck: MeshBuffers,
    length: f32,
    beam: f32,
    deck_height: f32,
}

fn hull(rng: &mut ChaCha8Rng) -> Hull {
    let length = between(rng, 0.26, 0.42);
    let beam = length * between(rng, 0.3, 0.4);
    let depth = length * between(rng, 0.15, 0.2);
    let sheer = depth * between(rng, 0.2, 0.5);
    let transom = between(rng, 0.55, 0.85);
    let rail = 0.055 * beam;
    let deck_drop = 0.16 * depth;
    // Half the beam at the share t of the length, stern 0, stem 1.
    let half_beam = move |t: f32| {
        let stern = transom + (1.0 - transom) * (t / 0.4).clamp(0.0, 1.0).sqrt();
        let bow = (1.0 - ((t - 0.45) / 0.55).clamp(0.0, 1.0).powf(2.2)).max(0.0);
        0.5 * beam * stern * bow
    };
    let x_at = move |t: f32, up: f32| (t - 0.5) * length + 0.1 * length * up * (t - 0.35).max(0.0);
    let gunwale = move |t: f32| depth + sheer * ((t - 0.35) / 0.65).max(0.0).powi(2);
    let stations = [0.0, 0.12, 0.28, 0.44, 0.6, 0.74, 0.85, 0.93, 0.98, 1.0_f32];
    let rings: Vec<Vec<Vec3>> = stations
        .iter()
        .map(|t| {
            let (b, top) = (half_beam(*t), gunwale(*t));
            let inner = (b - rail).max(0.0);
            let floor = top - deck_drop;
            let keel = 0.55 * depth * ((t - 0.75) / 0.25).max(0.0).powi(2);
            // From the keel up one side, over the rail, along the deck, and down the other side.
            let half: [(f32, f32); 6] = [
                (0.3 * b, keel),
                (0.72 * b, keel + 0.1 * depth),
                (0.93 * b, keel + 0.42 * depth),
                (b, top),
                (inner, top),
                (inner * 0.99, floor),
            ];
            let right = half.iter().map(|(z, y)| Vec3::new(x_at(*t, y / depth), *y, *z));
            let left = half.iter().rev().map(|(z, y)| Vec3::new(x_at(*t, y / depth), *y, -*z));
            right.chain(left).collect()
        })
        .collect();
    let mesh = loft(&rings, 0.7);
    // The planking of the deck, just above the hull's own.
    let inner = |t: f32| (half_beam(t) - 0.9 * rail).max(0.0);
    let deck = sheet(6, 9, 0.003, |u, v| {
        let t = 0.015 + 0.96 * v;
        let y = gunwale(t) - deck_drop + 0.002;
        Vec3::new(x_at(t, y / depth), y, (2.0 * u - 1.0) * inner(t).max(0.001))
    });
    let deck_height = depth - deck_drop + 0.003;
    Hull { mesh, deck, length, beam, deck_height }
}

/// A toy boat: a sailing boat with one or two sails, or a steamer with cabin and funnel.
pub fn boat(rng: &mut ChaCha8Rng) -> ObjectModel {
    let Hull { mesh: hull, deck, length, beam, deck_height } = hull(rng);
    let mut timber = vec![deck];
    let mut collider = vec![ColliderPiece::hull_round(&hull.positions)];
    let hull_color = PAINTS.pick(rng);
    let lacquered = chance(rng, 0.25);
    let mut parts = Vec::new();
    if chance(rng, 0.55) {
        let tall = length * between(rng, 0.85, 1.2);
        let mast_x = length * between(rng, 0.04, 0.12);
        let foot = Vec3::new(mast_x, deck_height - 0.01, 0.0);
        timber.push(rod(foot, foot + Vec3::Y * tall, 0.016 * length, 0.01 * length, 8));
        let boom = length * between(rng, 0.42, 0.5);
        let boom_y = deck_height + 0.13 * tall;
        let swing = between(rng, -0.35, 0.35);
        let aft = Quat::from_rotation_y(swing) * Vec3::NEG_X;
        let clew = Vec3::new(mast_x, boom_y, 0.0) + aft * boom;
        timber.push(rod(Vec3::new(mast_x, boom_y, 0.0), clew, 0.011 * length, 0.009 * length, 7));
        let belly = between(rng, 0.06, 0.13) * length;
        // A three-cornered sail; the head is a narrow edge.
        let sail = |tack: Vec3, clew: Vec3, head: Vec3| {
            let side = (clew - tack).cross(head - tack).normalize_or(Vec3::Z);
            sheet(5, 6, 0.0035, move |u, v| {
                let across = u * (1.0 - 0.96 * v);
                let flat = tack + (head - tack) * v + (clew - tack) * across;
                flat + side * (belly * (PI * u).sin() * (1.0 - v) * (0.35 + v))
            })
        };
        let head = Vec3::new(mast_x, deck_height + 0.95 * tall, 0.0) + aft * (0.012 * length);
        let gap = aft * (0.02 * length);
        let mut sails =
            vec![sail(Vec3::new(mast_x, boom_y + 0.02 * length, 0.0) + gap, clew + Vec3::Y * (0.03 * length), head)];
        if chance(rng, 0.7) {
            let stem = Vec3::new(0.47 * length, deck_height + 0.06 * length, 0.0);
            let foot = Vec3::new(mast_x + 0.05 * length, deck_height + 0.12 * tall, -0.1 * beam * swing.signum());
            sails.push(sail(foot, stem, Vec3::new(mast_x + 0.02 * length, deck_height + 0.8 * tall, 0.0)));
        }
        if chance(rng, 0.6) {
            // A pennant.
            let top = foot + Vec3::Y * (tall - 0.005);
            sails.push(
                extrude(
                    &[Vec2::ZERO, Vec2::new(-0.14 * length, -0.035 * length), Vec2::new(0.0, -0.07 * length)],
                    0.003,
                    0.0,
                    0.5,
                )
                .translated(top),
            );
        }
        let cloth = if chance(rng, 0.5) { jitter(rng, hex(0xf0ebdf), 0.06) } else { CLOTHS.pick(rng) };
        collider.push(ColliderPiece::block(
            Vec3::new(mast_x - 0.02 * length, deck_height, -0.02 * length),
            Vec3::new(mast_x + 0.02 * length, deck_height + tall - 0.02, 0.02 * length),
        ));
        parts.push(Part::new(merged(sails), fabric(cloth)));
    } else {
        let (long, wide) = (length * between(rng, 0.3, 0.42), beam * between(rng, 0.5, 0.6));
        let tall = length * between(rng, 0.13, 0.18);
        let at = Vec3::new(-0.06 * length, 0.0, 0.0);
        let low = deck_height - 0.006;
        let mut house = vec![board(
            at + Vec3::new(-0.5 * long, low, -0.5 * wide),
            at + Vec3::new(0.5 * long, low + tall, 0.5 * wide),
            0.008,
        )];
        let storeys = count(rng, 1, 2);
        let mut top = low + tall;
        if storeys == 2 {
            house.push(board(
                at + Vec3::new(-0.1 * long, top - 0.004, -0.4 * wide),
                at + Vec3::new(0.42 * long, top + 0.75 * tall, 0.4 * wide),
                0.006,
            ));
            top += 0.75 * tall;
        }
        timber.push(board(
            at + Vec3::new(if storeys == 2 { -0.16 } else { -0.56 } * long, top - 0.002, -0.56 * wide),
            at + Vec3::new(if storeys == 2 { 0.5 } else { 0.56 } * long, top + 0.012, 0.56 * wide),
            0.004,
        ));
        // Round windows on both sides of the lower house, square ones to the front.
        let mut panes = Vec::new();
        for k in 0..3 {
            for side in [-1.0, 1.0] {
                let place =
                    at + Vec3::new((k as f32 - 1.0) * 0.28 * long, low + 0.56 * tall, side * (0.5 * wide - 0.002));
                panes.push(
                    beveled_cylinder(0.2 * tall, 0.2 * tall, 0.005, 0.0, 12)
                        .rotated(Quat::from_rotation_x(side * FRAC_PI_2))
                        .translated(place),
                );
            }
        }
        let front = at.x + if storeys == 2 { 0.42 } else { 0.5 } * long;
        let pane = Vec3::new(0.006, 0.28 * tall, 0.26 * wide);
        for side in [-1.0, 1.0] {
            panes.push(beveled_box(pane, 0.0).translated(Vec3::new(front, top - 0.32 * tall, side * 0.18 * wide)));
        }
        // The funnel behind.
        let funnel_at = at - Vec3::X * (0.3 * long);
        let funnel = low + tall + length * between(rng, 0.14, 0.2);
        let thick = wide * between(rng, 0.17, 0.24);
        let from = if storeys == 2 { low + tall - 0.004 } else { top };
        let funnel_mesh = rod(funnel_at + Vec3::Y * from, funnel_at + Vec3::Y * funnel, thick, 0.92 * thick, 16);
        panes.push(rod(
            funnel_at + Vec3::Y * (funnel - 0.35 * thick),
            funnel_at + Vec3::Y * (funnel + 0.2 * thick),
            thick,
            0.98 * thick,
            16,
        ));
        timber.push(funnel_mesh);
        collider.push(ColliderPiece::block(
            at + Vec3::new(-0.5 * long, low, -0.5 * wide),
            at + Vec3::new(0.5 * long, top, 0.5 * wide),
        ));
        parts.push(Part::new(merged(house), painted(jitter(rng, hex(0xefeae0), 0.08))));
        parts.push(Part::new(merged(panes), glass(hex(0x1d2a33))));
    }
    let trim = if lacquered || parts.len() == 1 {
        wood(TIMBER.pick(rng))
    } else {
        painted(pick(rng, &[0xc23a30, 0xe0a83a, 0xb98a55, 0x2f6fa8].map(hex)))
    };
    parts.push(Part::new(merged(timber), trim));
    parts.insert(0, Part::new(hull, if lacquered { wood(TIMBER.pick(rng)) } else { painted(hull_color) }));
    ObjectModel { parts, collider, mass_kg: 12.0 * length * beam, grabbable: true, ..ObjectModel::default() }.set_down()
}

/// The shape of a car's side, as shares of its length and height.
struct Body {
    /// Height of the bonnet, the belt line and the boot.
    bonnet: f32,
    belt: f32,
    boot: f32,
    /// x of the windscreen's foot and head, of the rear window's head and foot (−0.5 stern to 0.5 nose).
    cabin: [f32; 4],
    height: f32,
}

/// A toy car: saloon, hatchback, van or pick-up; windows, wheels, lights.
pub fn car(rng: &mut ChaCha8Rng) -> ObjectModel {
    let length = between(rng, 0.22, 0.36);
    let width = length * between(rng, 0.42, 0.5);
    let v = between(rng, -0.02, 0.02);
    let (body, flatbed) = match count(rng, 0, 3) {
        0 => (
            Body { bonnet: 0.25, belt: 0.29, boot: 0.27, cabin: [0.2 + v, 0.06, -0.2, -0.33 + v], height: 0.44 },
            false,
        ),
        1 => (Body { bonnet: 0.26, belt: 0.3, boot: 0.3, cabin: [0.21 + v, 0.08, -0.36, -0.46], height: 0.46 }, false),
        2 => (Body { bonnet: 0.3, belt: 0.32, boot: 0.32, cabin: [0.38 + v, 0.27, -0.45, -0.48], height: 0.55 }, false),
        _ => (
            Body { bonnet: 0.29, belt: 0.31, boot: 0.27, cabin: [0.22 + v, 0.12, -0.06, -0.1 + v], height: 0.52 },
            true,
        ),
    };
    let wheel = length * between(rng, 0.105, 0.13);
    let tall = body.height * length * between(rng, 0.95, 1.08);
    let clearance = 0.5 * wheel;
    let y = |share: f32| clearance + (tall - clearance) * share / body.height;
    let axles = [0.3 * length, -0.3 * length];
    let x = |share: f32| share * length;
    // The side, from the rear sill forward underneath, with arches over the wheels, then back along the top.
    let mut side: Vec<Vec2> = vec![Vec2::new(x(-0.49), clearance)];
    for axle in [axles[1], axles[0]] {
        let arch = 1.16 * wheel;
        for k in 0..=8 {
            let angle = PI - k as f32 / 8.0 * PI;
            let point = Vec2::new(axle + arch * angle.cos(), wheel + arch * angle.sin());
            side.push(Vec2::new(point.x, point.y.max(clearance)));
        }
    }
    side.extend([
        Vec2::new(x(0.49), clearance),
        Vec2::new(x(0.5), y(0.12)),
        Vec2::new(x(0.49), y(body.bonnet - 0.03)),
        Vec2::new(x(0.465), y(body.bonnet)),
        Vec2::new(x(body.cabin[0]), y(body.belt)),
        Vec2::new(x(body.cabin[3]), y(body.belt)),
        Vec2::new(x(-0.47), y(body.boot)),
        Vec2::new(x(-0.5), y(body.boot - 0.03)),
    ]);
    let mut shell = vec![extrude(&side, width, 0.022 * length, 0.6)];
    // The greenhouse: glass all round, narrower towards the roof, with a roof and pillars of sheet metal.
    let lean = |p: Vec3, inset: f32| {
        let up = ((p.y - y(body.belt)) / (tall - y(body.belt))).clamp(-0.2, 1.1);
        Vec3::new(p.x, p.y, p.z * (1.0 - inset * up))
    };
    let roof = 0.025 * length;
    let [front_foot, front_head, rear_head, rear_foot] = body.cabin.map(x);
    let greenhouse = [
        Vec2::new(rear_foot, y(body.belt) - 0.004),
        Vec2::new(front_foot, y(body.belt) - 0.004),
        Vec2::new(front_head, tall - roof),
        Vec2::new(rear_head, tall - roof),
    ];
    let glazing = extrude(&greenhouse, 0.9 * width, 0.004, 0.5).deformed(0.6, |p| lean(p, 0.16));
    let cap = [
        Vec2::new(rear_head - 0.006, tall - roof - 0.002),
        Vec2::new(front_head + 0.006, tall - roof - 0.002),
        Vec2::new(front_head - 0.02 * length, tall),
        Vec2::new(rear_head + 0.02 * length, tall),
    ];
    shell.push(extrude(&cap, 0.92 * width, 0.3 * roof, 0.9).deformed(0.9, |p| lean(p, 0.16)));
    let post = 0.014 * length;
    let middle = 0.5 * (front_head + rear_head);
    for z in [-0.445 * width, 0.445 * width] {
        let ends = [(front_foot, front_head), (rear_foot, rear_head), (middle, middle)];
        for (low, high) in ends.iter().take(if flatbed { 2 } else { 3 }) {
            let [from, to] = [Vec3::new(*low, y(body.belt) - 0.003, z), Vec3::new(*high, tall - 0.6 * roof, z)];
            shell.push(tube(&[lean(from, 0.16), lean(to, 0.16)], |_| Vec2::splat(post), 6, Ends::Flat));
        }
    }
    if flatbed {
        // The bed's walls.
        let (rim, bed) = (0.02 * length, [rear_foot - 0.01, x(-0.49)]);
        let (low, high) = (y(body.boot) - 0.01, y(body.belt) + 0.03 * length);
        for z in [-0.5 * width + 0.5 * rim, 0.5 * width - 0.5 * rim] {
            shell.push(board(Vec3::new(bed[1], low, z - 0.5 * rim), Vec3::new(bed[0], high, z + 0.5 * rim), 0.003));
        }
        shell.push(board(Vec3::new(bed[1], low, -0.48 * width), Vec3::new(bed[1] + rim, high, 0.48 * width), 0.003));
    }
    let tread = 0.16 * width;
    let tyre_profile: Vec<Knot> = vec![
        sharp(0.0, -0.5 * tread),
        sharp(0.86 * wheel, -0.5 * tread),
        soft(wheel, -0.3 * tread),
        soft(wheel, 0.3 * tread),
        sharp(0.86 * wheel, 0.5 * tread),
        sharp(0.0, 0.5 * tread),
    ];
    let mut tyres = Vec::new();
    let mut bright = Vec::new();
    for axle in axles {
        for side in [-1.0, 1.0] {
            let turn = Quat::from_rotation_x(side * FRAC_PI_2);
            let at = Vec3::new(axle, wheel, side * (0.5 * width - 0.3 * tread));
            tyres.push(lathe(&tyre_profile, 20).rotated(turn).translated(at));
            let hub = lathe(
                &[
                    sharp(0.0, 0.4 * tread),
                    sharp(0.58 * wheel, 0.4 * tread),
                    sharp(0.54 * wheel, 0.56 * tread),
                    soft(0.0, 0.62 * tread),
                ],
                14,
            );
            bright.push(hub.rotated(turn).translated(at));
        }
    }
    // Lights, bumpers.
    let lamp = 0.036 * length;
    for side in [-1.0, 1.0] {
        let place = Vec3::new(x(0.488), y(body.bonnet - 0.075), side * 0.33 * width);
        bright.push(
            beveled_cylinder(lamp, 0.85 * lamp, 0.022 * length, 0.002, 14)
                .rotated(Quat::from_rotation_z(-FRAC_PI_2))
                .translated(place),
        );
        let rear = Vec3::new(x(-0.497), y(body.boot - 0.08), side * 0.36 * width);
        tyres.push(beveled_box(Vec3::new(0.02, 0.055, 0.05) * length, 0.002).translated(rear));
    }
    for end in [-1.0, 1.0] {
        let place = Vec3::new(end * 0.495 * length, clearance + 0.045 * length, 0.0);
        bright
            .push(beveled_box(Vec3::new(0.04 * length, 0.035 * length, 0.9 * width), 0.01 * length).translated(place));
    }
    let color = if chance(rng, 0.6) { PLASTICS.pick(rng) } else { PAINTS.pick(rng) };
    let half = 0.5 * width;
    ObjectModel {
        parts: vec![
            Part::new(merged(shell), plastic(color)),
            Part::new(glazing, glass(jitter(rng, hex(0x24323c), 0.3))),
            Part::new(merged(tyres), plastic(hex(0x1d1d1f))),
            Part::new(merged(bright), plastic(jitter(rng, hex(0xe6e4dc), 0.08))),
        ],
        collider: vec![
            ColliderPiece::block(Vec3::new(x(-0.5), clearance, -half), Vec3::new(x(0.5), y(body.bonnet), half)),
            ColliderPiece::block(
                Vec3::new(rear_head - 0.02, y(body.bonnet), -0.42 * width),
                Vec3::new(front_head + 0.02, tall, 0.42 * width),
            ),
            ColliderPiece::block(
                Vec3::new(axles[1] - 0.6 * wheel, 0.0, -half),
                Vec3::new(axles[1] + 0.6 * wheel, clearance, half),
            ),
            ColliderPiece::block(
                Vec3::new(axles[0] - 0.6 * wheel, 0.0, -half),
                Vec3::new(axles[0] + 0.6 * wheel, clearance, half),
            ),
        ],
        mass_kg: 14.0 * length * width,
        grabbable: true,
        ..ObjectModel::default()
    }
}
