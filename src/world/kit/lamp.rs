//! Lamps: a shade of cloth on a turned base, a jointed desk lamp, a standing lamp.

use std::f32::consts::PI;

use bevy::math::{Quat, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, MeshBuffers, ObjectModel, Part, Surface},
    palette::{GLAZES, METALS, PAINTS, Palette, TIMBER, ceramic, fabric, metal, painted, shining, wood},
    shape::{beveled_box, beveled_cylinder, ellipsoid, lathe, merged, rod, sharp, smooth_profile, soft},
};

/// Light of an incandescent bulb (2,700 K), linear RGB with a mean of about 1.
///
/// Source: blackbody colour after Charity, "What color is a blackbody?", normalised.
const WARM: Vec3 = Vec3::new(1.55, 0.95, 0.5);

/// A lamp with a shade: a table lamp, a desk lamp with jointed arms or a standing lamp.
pub fn lamp(rng: &mut ChaCha8Rng) -> ObjectModel {
    match count(rng, 0, 4) {
        0..=2 => shaded(rng, false),
        3 => desk(rng),
        _ => shaded(rng, true),
    }
}

/// An open shade about +Y: a thin wall from (bottom radius, `low`) to (top radius, `high`).
fn shade_mesh(bottom: f32, top: f32, low: f32, high: f32, segments: usize) -> MeshBuffers {
    let wall = 0.003;
    lathe(
        &[
            sharp(bottom - wall, low),
            sharp(bottom, low),
            sharp(top, high),
            sharp(top - wall, high),
            sharp(bottom - wall, low),
        ],
        segments,
    )
}

/// A shade of cloth on a column, for a table or for the floor.
fn shaded(rng: &mut ChaCha8Rng, standing: bool) -> ObjectModel {
    let height = if standing { between(rng, 1.35, 1.65) } else { between(rng, 0.36, 0.6) };
    let shade_height = if standing { between(rng, 0.24, 0.34) } else { height * between(rng, 0.36, 0.46) };
    let bottom = shade_height * between(rng, 0.56, 0.78);
    let top = bottom * pick(rng, &[0.45, 0.65, 0.82, 1.0]);
    let low = height - shade_height;
    let neck = 0.008;
    let foot = if standing { between(rng, 0.13, 0.17) } else { bottom * between(rng, 0.62, 0.8) };

    let style = if standing { count(rng, 0, 1) } else { count(rng, 0, 3) };
    let mut base = match style {
        // A disc and a rod.
        0 => merged([
            beveled_cylinder(foot, foot * 0.96, 0.02, 0.005, 32),
            rod(Vec3::Y * 0.018, Vec3::Y * (low + 0.5 * shade_height), 0.01, 0.01, 10),
        ]),
        // A tripod or a turned baluster.
        1 if standing => {
            let hub = Vec3::Y * (low - 0.05);
            let legs = (0..3).map(|k| {
                let turn = Quat::from_rotation_y(k as f32 / 3.0 * 2.0 * PI);
                rod(turn * Vec3::new(0.0, 0.006, 1.75 * foot), turn * (hub + Vec3::Z * 0.012), 0.013, 0.017, 10)
            });
            merged(legs.chain([
                beveled_cylinder(0.03, 0.03, 0.05, 0.004, 14).translated(hub - Vec3::Y * 0.025),
                rod(hub, Vec3::Y * (low + 0.5 * shade_height), 0.008, 0.008, 8),
            ]))
        }
        1 => lathe(
            &{
                let mut profile = vec![sharp(0.0, 0.0), sharp(foot, 0.0), sharp(foot, 0.012)];
                profile.extend(smooth_profile(
                    &[
                        (foot * 0.9, 0.016),
                        (foot * 0.3, 0.14 * low),
                        (foot * 0.5, 0.38 * low),
                        (foot * 0.22, 0.66 * low),
                        (foot * 0.3, 0.8 * low),
                        (neck, low),
                        (neck, low + 0.4 * shade_height),
                    ],
                    22,
                ));
                profile.push(sharp(0.0, low + 0.4 * shade_height));
                profile
            },
            24,
        ),
        // A gourd.
        2 => lathe(
            &{
                let mut profile = vec![sharp(0.0, 0.0), sharp(foot * 0.62, 0.0)];
                profile.extend(smooth_profile(
                    &[
                        (foot * 0.66, 0.006),
                        (foot * 0.98, 0.36 * low),
                        (foot * 0.8, 0.66 * low),
                        (foot * 0.22, 0.88 * low),
                        (neck, low),
                        (neck, low + 0.4 * shade_height),
                    ],
                    20,
                ));
                profile.push(sharp(0.0, low + 0.4 * shade_height));
                profile
            },
            26,
        ),
        // A block.
        _ => merged([
            beveled_box(Vec3::new(1.15 * foot, 0.72 * low, 1.15 * foot), 0.006).translated(Vec3::Y * 0.36 * low),
            rod(Vec3::Y * 0.7 * low, Vec3::Y * (low + 0.4 * shade_height), neck, neck, 10),
        ]),
    };
    // Slanted feet touch the floor with an edge.
    let floor = base.bounds().0.y;
    base = base.translated(Vec3::Y * -floor);
    let bulb_at = Vec3::Y * (low + 0.52 * shade_height);
    // Three spokes hold the shade.
    let ring_height = height - 0.12 * shade_height;
    let reach = bottom + (top - bottom) * 0.88 - 0.002;
    for k in 0..3 {
        let turn = Quat::from_rotation_y((k as f32 + 0.5) / 3.0 * 2.0 * PI);
        base.append(rod(Vec3::Y * ring_height, turn * Vec3::new(0.0, ring_height, reach), 0.002, 0.002, 5));
    }
    base.append(rod(bulb_at, Vec3::Y * ring_height, 0.004, 0.004, 6));
    let surface = match style {
        0 => metal(METALS.pick(rng), 0.35),
        1 => wood(TIMBER.pick(rng)),
        2 => ceramic(GLAZES.pick(rng)),
        _ => {
            if chance(rng, 0.5) {
                wood(TIMBER.pick(rng))
            } else {
                painted(PAINTS.pick(rng))
            }
        }
    };
    let tint = Palette(&[0xf3ead6, 0xefe0c0, 0xe9d3a6, 0xd9a58a, 0xb9c7a8, 0xc85a46, 0x8fb0bb]).pick(rng);
    // Light comes through the cloth.
    let cloth = Surface { emissive: tint * WARM * 0.55, ..fabric(tint) };
    ObjectModel {
        parts: vec![
            Part::new(shade_mesh(bottom, top, low, height, 32), cloth),
            Part::new(base, surface),
            Part::new(ellipsoid(Vec3::new(0.025, 0.032, 0.025), 12, 8).translated(bulb_at), shining(WARM, 6.0)),
        ],
        collider: vec![
            if style == 1 && standing {
                let feet = (0..3).map(|k| Quat::from_rotation_y(k as f32 / 3.0 * 2.0 * PI) * Vec3::Z * 1.75 * foot);
                ColliderPiece::Hull(feet.chain([Vec3::Y * (low - 0.03)]).collect())
            } else {
                ColliderPiece::upright(foot * 0.9, 0.0, 0.03)
            },
            ColliderPiece::upright(if style < 2 { 0.03 } else { 0.6 * foot }, 0.03, low),
            ColliderPiece::frustum(bottom, top, low, height),
        ],
        mass_kg: if standing { 4.0 } else { 1.6 },
        center_of_mass: Some(Vec3::Y * 0.22 * height),
        grabbable: true,
        glow: Some((bulb_at, WARM * if standing { 900.0 } else { 500.0 })),
        ..ObjectModel::default()
    }
}

/// A desk lamp: heavy foot, two arms with joints, a metal shade that looks down and forward.
fn desk(rng: &mut ChaCha8Rng) -> ObjectModel {
    let foot = between(rng, 0.075, 0.095);
    let lower = between(rng, 0.2, 0.27);
    let upper = between(rng, 0.18, 0.24);
    let thick = between(rng, 0.006, 0.008);
    let lean = between(rng, 0.35, 0.55);
    let fold = between(rng, 0.55, 0.85);
    // Arms in the plane x = 0: back, then forward (+Z).
    let shoulder = Vec3::new(0.0, 0.035, -0.3 * foot);
    let elbow = shoulder + lower * Vec3::new(0.0, lean.cos(), -lean.sin());
    let wrist = elbow + upper * Vec3::new(0.0, fold.cos(), fold.sin());
    let tilt = between(rng, 0.35, 0.75);
    // The head points along −Y of its own frame, tilted forward.
    let turn = Quat::from_rotation_x(-tilt);
    let (mouth, back, depth) = (between(rng, 0.062, 0.08), 0.024, between(rng, 0.1, 0.125));
    let head = |mesh: MeshBuffers| mesh.rotated(turn).translated(wrist);
    let wall = 0.0025;
    let outside = smooth_profile(
        &[
            (mouth, -depth),
            (0.86 * mouth, -0.72 * depth),
            (0.52 * mouth, -0.36 * depth),
            (back, -0.16 * depth),
            (back, 0.05),
        ],
        11,
    );
    let shell: Vec<_> = [sharp(mouth - wall, -depth), sharp(mouth, -depth)]
        .into_iter()
        .chain(outside[1..].iter().copied())
        .chain([sharp(back, 0.052), soft(0.0, 0.056)])
        .collect();
    let lining: Vec<_> = [sharp(0.0, -0.2 * depth), soft(back, -0.24 * depth), soft(0.52 * mouth, -0.42 * depth)]
        .into_iter()
        .chain([soft(0.84 * mouth, -0.74 * depth), sharp(mouth - wall, -depth)])
        .collect();
    let bulb_at = wrist + turn * Vec3::new(0.0, -0.6 * depth, 0.0);
    let color = PAINTS.pick(rng);
    let joints = [shoulder, elbow, wrist].map(|place| {
        beveled_cylinder(0.014, 0.014, 0.034, 0.003, 12)
            .rotated(Quat::from_rotation_z(0.5 * PI))
            .translated(place + Vec3::X * 0.017)
    });
    let bars = [-1.0, 1.0].into_iter().flat_map(|side| {
        let offset = Vec3::X * (side * 0.011);
        [
            rod(shoulder + offset, elbow + offset, thick * 0.6, thick * 0.6, 8),
            rod(elbow + offset, wrist + offset, thick * 0.6, thick * 0.6, 8),
        ]
    });
    let mut arms = merged(bars.chain(joints));
    arms.append(rod(Vec3::new(0.0, 0.015, shoulder.z), shoulder, 0.012, 0.012, 10));
    let painted_parts = merged([
        beveled_cylinder(foot, foot * 0.93, 0.024, 0.006, 32),
        head(lathe(&shell, 28)),
        head(lathe(&lining, 28)),
    ]);
    ObjectModel {
        parts: vec![
            Part::new(painted_parts, painted(color)),
            Part::new(arms, metal(METALS.pick(rng), 0.3)),
            Part::new(ellipsoid(Vec3::splat(0.026), 12, 8).translated(bulb_at), shining(WARM, 6.0)),
        ],
        collider: vec![
            ColliderPiece::upright(foot, 0.0, 0.03),
            arm_box(shoulder, elbow),
            arm_box(elbow, wrist),
            ColliderPiece::Cylinder {
                center: wrist + turn * Vec3::new(0.0, -0.35 * depth, 0.0),
                rotation: turn,
                radius: 0.8 * mouth,
                half_height: 0.6 * depth,
            },
        ],
        mass_kg: 2.2,
        center_of_mass: Some(Vec3::Y * 0.06),
        grabbable: true,
        glow: Some((bulb_at, WARM * 450.0)),
        ..ObjectModel::default()
    }
}

/// A thin box from joint to joint.
fn arm_box(from: Vec3, to: Vec3) -> ColliderPiece {
    ColliderPiece::Box {
        center: 0.5 * (from + to),
        rotation: Quat::from_rotation_arc(Vec3::Y, (to - from).normalize_or(Vec3::Y)),
        half_size: Vec3::new(0.016, 0.5 * from.distance(to), 0.01),
    }
}
