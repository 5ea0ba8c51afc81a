//! Containers that stand by themselves: bottles, vases, buckets, barrels.

use std::f32::consts::{PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, ObjectModel, Part, SupportSurface},
    palette::{
        GLASSES, GLAZES, PLASTICS, Palette, TIMBER, ceramic, glass, hex, metal, painted, paper, plastic, shade, wood,
    },
    shape::{Ends, Knot, arc, beveled_cylinder, ellipsoid, lathe, merged, rod, sharp, smooth_profile, soft, tube},
    tableware::{ear, open_vessel, radius_at},
};

/// A ring of rectangular section about +Y.
fn hoop(inner: f32, outer: f32, low: f32, high: f32, segments: usize) -> super::MeshBuffers {
    lathe(&[sharp(inner, low), sharp(outer, low), sharp(outer, high), sharp(inner, high), sharp(inner, low)], segments)
}

/// A bottle of coloured glass: slender body, shoulder, narrow neck; cork, cap or stopper; usually a paper label.
pub fn bottle(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.2, 0.33);
    let radius = height * between(rng, 0.115, 0.155);
    let neck = radius * between(rng, 0.34, 0.42);
    let (body_top, neck_bottom) = pick(rng, &[(0.6, 0.72), (0.5, 0.76), (0.42, 0.7), (0.56, 0.66)]);
    let (body_top, neck_bottom) = (body_top * height, neck_bottom * height);
    let middle = 0.5 * (body_top + neck_bottom);
    let mut outline = vec![
        sharp(0.0, 0.004),
        soft(0.6 * radius, 0.002),
        sharp(radius * 0.88, 0.0),
        soft(radius * 0.97, 0.003),
        soft(radius, 0.012),
    ];
    outline.extend(smooth_profile(
        &[
            (radius, body_top),
            (0.5 * (radius + neck) + 0.12 * radius, middle),
            (neck * 1.04, neck_bottom),
            (neck, 0.9 * height),
        ],
        10,
    ));
    outline.extend([
        sharp(neck, 0.93 * height),
        sharp(neck * 1.22, 0.932 * height),
        sharp(neck * 1.22, 0.965 * height),
        sharp(neck * 1.02, 0.97 * height),
        sharp(neck * 0.95, height - 0.006),
        sharp(0.0, height - 0.006),
    ]);
    let color = GLASSES.pick(rng);
    let mut parts = vec![Part::new(lathe(&outline, 26), glass(color))];
    let top = match count(rng, 0, 2) {
        0 => {
            parts.push(Part::new(
                beveled_cylinder(0.8 * neck, 0.92 * neck, 0.02, 0.002, 14).translated(Vec3::Y * (height - 0.008)),
                paper(hex(0xb98d5a)),
            ));
            height + 0.012
        }
        1 => {
            let tint = PLASTICS.pick(rng);
            parts.push(Part::new(
                beveled_cylinder(1.3 * neck, 1.26 * neck, 0.055 * height + 0.006, 0.0015, 18)
                    .translated(Vec3::Y * 0.945 * height),
                metal(tint, 0.35),
            ));
            height + 0.006
        }
        _ => {
            let ball = ellipsoid(Vec3::splat(1.25 * neck), 14, 9).translated(Vec3::Y * (height + 0.9 * neck));
            parts.push(Part::new(ball, glass(shade(color, 0.2))));
            height + 2.15 * neck
        }
    };
    if chance(rng, 0.8) {
        let (low, high) = (between(rng, 0.1, 0.2) * body_top, between(rng, 0.7, 0.88) * body_top);
        let label = hoop(radius - 0.002, radius + 0.0006, low, high, 26);
        let tint = if chance(rng, 0.6) { hex(0xede3cb) } else { GLAZES.pick(rng) };
        parts.push(Part::new(label, paper(tint)));
    }
    ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::upright(radius, 0.0, body_top),
            ColliderPiece::frustum(radius, neck * 1.1, body_top, neck_bottom),
            ColliderPiece::upright(neck * 1.2, neck_bottom, top),
        ],
        mass_kg: 3.0 * height,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A ceramic vase: foot, belly, neck and open, flared mouth in several classic outlines; plain, fluted or banded, some
/// with two ears.
pub fn vase(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.18, 0.42);
    let slim = between(rng, 0.88, 1.12);
    let shape: &[(f32, f32)] = pick(
        rng,
        &[
            // Shares of the height: (radius, height).
            &[(0.15, 0.0), (0.27, 0.22), (0.3, 0.45), (0.17, 0.74), (0.13, 0.86), (0.2, 1.0)],
            &[(0.13, 0.0), (0.18, 0.25), (0.3, 0.6), (0.27, 0.76), (0.12, 0.88), (0.17, 1.0)],
            &[(0.14, 0.0), (0.16, 0.3), (0.18, 0.6), (0.22, 0.82), (0.3, 1.0)],
            &[(0.18, 0.0), (0.32, 0.16), (0.34, 0.3), (0.2, 0.5), (0.1, 0.66), (0.1, 0.84), (0.16, 1.0)],
            &[(0.2, 0.0), (0.14, 0.08), (0.25, 0.35), (0.3, 0.55), (0.2, 0.78), (0.17, 0.88), (0.24, 1.0)],
        ],
    );
    let wall = 0.005 + 0.004 * height;
    let points: Vec<(f32, f32)> =
        shape.iter().map(|(r, h)| (r * slim * height, 0.004 + h * (height - 0.004 - 0.4 * wall))).collect();
    let mut outer = vec![sharp(points[0].0 - 0.004, 0.0)];
    outer.extend(smooth_profile(&points, 18));
    let profile = open_vessel(&outer, wall, 0.012).thinned();
    let ribs = if chance(rng, 0.3) { count(rng, 8, 10) } else { 0 };
    let depth = between(rng, 0.025, 0.05);
    let segments = if ribs > 0 { 4 * ribs } else { 30 };
    let turned = |knots: &[Knot]| {
        let mesh = lathe(knots, segments);
        if ribs == 0 {
            return mesh;
        }
        mesh.deformed(0.9, |p| {
            let swell = 1.0 + depth * (p.x.atan2(p.z) * ribs as f32).cos();
            // The foot and the lip stay round.
            let share = (p.y / height * (1.0 - p.y / height) * 6.0).clamp(0.0, 1.0);
            let factor = 1.0 + (swell - 1.0) * share;
            Vec3::new(p.x * factor, p.y, p.z * factor)
        })
    };
    let color = GLAZES.pick(rng);
    let second = if chance(rng, 0.6) { GLAZES.pick(rng) } else { shade(color, -0.5) };
    let mut parts = Vec::new();
    let eared = ribs == 0 && chance(rng, 0.25);
    if ribs == 0 && chance(rng, 0.5) {
        // A band round the wall.
        let last = profile.outside.len() - 1;
        let from = count(rng, 3, 8);
        let to = (from + count(rng, 2, 5)).min(last - 2);
        let mut body = lathe(&profile.outside[..=from], segments);
        body.append(lathe(&profile.outside[to..], segments));
        body.append(lathe(&profile.inside, segments));
        parts.push(Part::new(body, ceramic(color)));
        parts.push(Part::new(lathe(&profile.outside[from..=to], segments), ceramic(second)));
    } else {
        parts.push(Part::new(turned(&profile.whole()), ceramic(color)));
    }
    if eared {
        let (top, bottom) = (0.9 * height, 0.58 * height);
        let attach = |at: f32| Vec2::new(radius_at(&outer[1..], at) - 0.6 * wall, at);
        let path = ear(attach(top), attach(bottom), 0.16 * height, 0);
        let one = tube(&path, |_| Vec2::new(0.02, 0.014) * height, 8, Ends::Flat);
        let ears = merged([one.clone(), one.rotated(Quat::from_rotation_y(PI))]);
        parts.push(Part::new(ears, ceramic(second)));
    }
    let widest = outer.iter().fold(0.0_f32, |most, knot| most.max(knot.radius));
    let widest_at = outer.iter().find(|knot| knot.radius >= widest - 1e-6).map_or(0.5 * height, |knot| knot.height);
    let neck = outer.iter().filter(|k| k.height > 0.6 * height).fold(1.0_f32, |least, k| least.min(k.radius));
    let mut collider = Vec::new();
    if widest_at < 0.8 * height {
        collider.push(ColliderPiece::frustum(points[0].0, widest, 0.0, widest_at));
        collider.push(ColliderPiece::frustum(widest, neck, widest_at, 0.88 * height));
        collider.push(ColliderPiece::frustum(neck, outer[outer.len() - 1].radius, 0.88 * height, height));
    } else {
        collider.push(ColliderPiece::frustum(points[0].0, widest, 0.0, height));
    }
    ObjectModel { parts, collider, mass_kg: 5.0 * height, grabbable: true, ..ObjectModel::default() }
}

/// A bucket: tapered wall, rolled rim, two lugs and a wire bail, up or folded down; zinc, enamel or plastic.
pub fn bucket(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.2, 0.29);
    let rim = height * between(rng, 0.46, 0.56);
    let foot = rim * between(rng, 0.66, 0.78);
    let wall = 0.003;
    let at = |share: f32| foot + (rim - foot) * share;
    let ribs: &[f32] = pick(rng, &[&[], &[0.7], &[0.35, 0.7]]);
    let mut outer =
        vec![sharp(foot - 0.002, 0.0), sharp(foot, 0.001), sharp(foot + 0.001, 0.014), soft(at(0.07), 0.018)];
    for share in ribs {
        let y = share * height;
        outer.extend([soft(at(share - 0.03), y - 0.01), soft(at(*share) + 0.005, y), soft(at(share + 0.03), y + 0.01)]);
    }
    outer.extend([
        soft(at(0.97), 0.955 * height),
        soft(rim + 0.005, 0.965 * height),
        soft(rim + 0.006, height - 0.003),
    ]);
    let profile = open_vessel(&outer, wall, 0.012);
    let bail_up = chance(rng, 0.6);
    let pivot_height = 0.9 * height;
    let pivot = at(0.9) + 0.006;
    let lift = rim * between(rng, 0.85, 1.0);
    let swing = if bail_up { between(rng, -0.35, 0.35) } else { between(rng, 1.75, 1.95) };
    // The bail turns about the axis through both lugs.
    let bail_pose =
        |mesh: super::MeshBuffers| mesh.rotated(Quat::from_rotation_x(swing)).translated(Vec3::Y * pivot_height);
    let bail = arc(Vec3::ZERO, Vec3::X * pivot, Vec3::Y * if bail_up { lift } else { rim * 1.12 }, 0.0, PI, 22);
    let wire = tube(&bail, |_| Vec2::splat(0.003), 6, Ends::Flat);
    let top = if bail_up { lift } else { rim * 1.12 };
    let grip = rod(Vec3::new(-0.05, top, 0.0), Vec3::new(0.05, top, 0.0), 0.011, 0.011, 10);
    let lugs = [-1.0, 1.0].map(|side| {
        ellipsoid(Vec3::new(0.008, 0.016, 0.014), 10, 6).translated(Vec3::new(
            side * (pivot - 0.004),
            pivot_height,
            0.0,
        ))
    });
    let style = count(rng, 0, 2);
    let color = match style {
        0 => Palette(&[0xb4b8ba, 0x9ea4a8]).pick(rng),
        _ => PLASTICS.pick(rng),
    };
    let body = match style {
        0 => metal(color, 0.45),
        1 => painted(color),
        _ => plastic(color),
    };
    let mut shell = lathe(&profile.whole(), 30);
    for lug in lugs {
        shell.append(lug);
    }
    let mut collider = vec![ColliderPiece::frustum(foot, rim, 0.0, height)];
    if bail_up {
        let turn = Quat::from_rotation_x(swing);
        collider.push(ColliderPiece::Box {
            center: Vec3::Y * pivot_height + turn * (Vec3::Y * lift),
            rotation: turn,
            half_size: Vec3::new(0.05, 0.011, 0.011),
        });
    }
    ObjectModel {
        parts: vec![
            Part::new(shell, body),
            Part::new(bail_pose(wire), metal(hex(0x8a8d90), 0.35)),
            Part::new(bail_pose(grip), wood(TIMBER.pick(rng))),
        ],
        collider,
        mass_kg: 0.9,
        grabbable: true,
        ..ObjectModel::default()
    }
}

/// A wooden barrel: bulging staves, iron hoops, sunken heads, sometimes a bung or a tap.
pub fn barrel(rng: &mut ChaCha8Rng) -> ObjectModel {
    let height = between(rng, 0.45, 0.9);
    let head = height * between(rng, 0.27, 0.33);
    let belly = head * between(rng, 1.14, 1.28);
    let staves = count(rng, 14, 17);
    let inset = 0.04 * height;
    let radius = |y: f32| {
        let t = 2.0 * y / height - 1.0;
        belly - (belly - head) * t * t
    };
    let rim = 0.022;
    let mut profile = vec![sharp(0.0, inset), sharp(head - rim, inset), sharp(head - rim, 0.0)];
    profile.extend((0..=6).map(|row| {
        let y = height * row as f32 / 6.0;
        Knot { crease: row == 0 || row == 6, ..soft(radius(y), y) }
    }));
    profile.extend([sharp(head - rim, height), sharp(head - rim, height - inset), sharp(0.0, height - inset)]);
    let segments = staves * 3;
    // Grooves between the staves: every third column lies deeper.
    let body = lathe(&profile, segments).deformed(0.5, |p| {
        let column = (p.x.atan2(p.z) / TAU * segments as f32).round() as i32;
        let is_outer = Vec2::new(p.x, p.z).length() > head - 0.5 * rim;
        let factor = if column.rem_euclid(3) == 0 && is_outer { 0.978 } else { 1.0 };
        Vec3::new(p.x * factor, p.y, p.z * factor)
    });
    let width = 0.045 * height;
    let hoop_at = |y: f32| {
        let (low, high) = (radius(y - 0.5 * width), radius(y + 0.5 * width));
        lathe(
            &[
                sharp(low - 0.012, y - 0.5 * width),
                sharp(low + 0.004, y - 0.5 * width),
                sharp(high + 0.004, y + 0.5 * width),
                sharp(high - 0.012, y + 0.5 * width),
                sharp(low - 0.012, y - 0.5 * width),
            ],
            32,
        )
    };
    let places: &[f32] = pick(rng, &[&[0.06, 0.3, 0.7, 0.94], &[0.05, 0.22, 0.78, 0.95], &[0.1, 0.36, 0.64, 0.9]]);
    let hoops = merged(places.iter().map(|share| hoop_at(share * (height - width) + 0.5 * width)));
    let color = TIMBER.pick(rng);
    let iron = pick(rng, &[0x3a3a3c, 0x55504a, 0x8a7a58, 0x6a6c70]);
    let mut parts = vec![Part::new(body, wood(color)), Part::new(hoops, metal(hex(iron), 0.5))];
    if chance(rng, 0.5) {
        let plug = beveled_cylinder(0.024, 0.02, 0.022, 0.003, 14)
            .rotated(Quat::from_rotation_x(0.5 * PI))
            .translated(Vec3::new(0.0, 0.5 * height, belly - 0.008));
        parts.push(Part::new(plug, wood(shade(color, 0.25))));
    }
    let rings = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (radius(share * height), share * height));
    let hull = rings.windows(2).map(|pair| ColliderPiece::frustum(pair[0].0, pair[1].0, pair[0].1, pair[1].1));
    ObjectModel {
        parts,
        collider: hull.collect(),
        mass_kg: 60.0 * height * height,
        grabbable: height < 0.6,
        supports: vec![SupportSurface {
            center: Vec3::Y * (height - inset),
            half_size: Vec2::splat((head - rim) * 0.65),
            clearance: f32::INFINITY,
        }],
        ..ObjectModel::default()
    }
}
