//! What protects from sun and rain: hat, umbrella.

use std::f32::consts::{PI, TAU};

use bevy::math::{Quat, Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::{between, chance, count, pick},
    model::{ColliderPiece, Grain, MeshBuffers, ObjectModel, Part, Surface},
    palette::{CLOTHS, METALS, PLASTICS, Palette, TIMBER, fabric, hex, jitter, metal, wood},
    shape::{Ends, Knot, arc, ellipsoid, lathe, merged, rod, sharp, sheet, soft, tube},
};

const FELTS: Palette =
    Palette(&[0x1c1c1f, 0x26221f, 0x3d2b22, 0x4a4a4e, 0x2a3348, 0x5a2a2c, 0x6b5a44, 0x34453a, 0x8a7a64]);
const STRAWS: Palette = Palette(&[0xdcc083, 0xe6cf9a, 0xcfae6c, 0xd9b98a, 0xf0e4c4]);
const RIBBONS: Palette = Palette(&[0xb3262a, 0x1d1d20, 0x24365f, 0x2f6b4f, 0xe0b040, 0xf0ece2, 0x8a3f6a]);

/// A hat's shell from the outer edge of the brim up over the crown and back inside, `wall` thick.
fn shell(outside: &[Knot], wall: f32) -> Vec<Knot> {
    let mut profile: Vec<Knot> = outside.to_vec();
    let inside = outside.iter().rev().map(|knot| Knot {
        radius: if knot.radius <= 0.0 { 0.0 } else { (knot.radius - wall).max(0.004) },
        height: knot.height - wall,
        crease: knot.crease,
    });
    profile.extend(inside.filter(|knot| knot.radius <= 0.0 || knot.radius < outside[0].radius - 1.5 * wall));
    // Round the edge of the brim.
    profile.push(soft(outside[0].radius - 0.6 * wall, outside[0].height - wall));
    profile.push(outside[0]);
    profile
}

/// A hat: top hat, bowler, sun hat, trilby or peaked cap.
pub fn hat(rng: &mut ChaCha8Rng) -> ObjectModel {
    let kind = count(rng, 0, 4);
    if kind == 4 {
        return cap(rng);
    }
    let head = between(rng, 0.085, 0.1);
    let wall = 0.004;
    let lift = 0.012;
    let (crown, brim): (f32, f32) = match kind {
        0 => (between(rng, 0.13, 0.19), head + between(rng, 0.04, 0.06)),
        1 => (between(rng, 0.1, 0.125), head + between(rng, 0.035, 0.05)),
        2 => (between(rng, 0.09, 0.11), head + between(rng, 0.09, 0.13)),
        _ => (between(rng, 0.1, 0.125), head + between(rng, 0.055, 0.075)),
    };
    let flare = between(rng, 0.92, 1.12);
    let outside: Vec<Knot> = match kind {
        0 => vec![
            soft(brim, lift),
            soft(0.5 * (brim + head), lift + 0.001),
            sharp(head, lift + 0.004),
            soft(head * (0.5 + 0.5 * flare) * 0.96, 0.55 * crown),
            soft(head * flare, crown - 0.006),
            soft(head * flare - 0.006, crown),
            soft(0.5 * head, crown + 0.001),
            soft(0.0, crown + 0.001),
        ],
        1 => vec![
            soft(brim, lift),
            soft(0.5 * (brim + head), lift + 0.001),
            sharp(head, lift + 0.004),
            soft(1.02 * head, 0.45 * crown),
            soft(0.93 * head, 0.7 * crown),
            soft(0.7 * head, 0.9 * crown),
            soft(0.36 * head, 0.985 * crown),
            soft(0.0, crown),
        ],
        2 => vec![
            soft(brim, lift - 0.004),
            soft(0.5 * (brim + head), lift + 0.006),
            sharp(head, lift + 0.012),
            soft(0.99 * head, 0.5 * crown),
            soft(0.88 * head, 0.8 * crown),
            soft(0.55 * head, 0.97 * crown),
            soft(0.0, crown),
        ],
        _ => vec![
            soft(brim, lift),
            soft(0.5 * (brim + head), lift + 0.001),
            sharp(head, lift + 0.004),
            soft(0.95 * head, 0.5 * crown),
            soft(0.84 * head, 0.88 * crown),
            soft(0.72 * head, crown),
            soft(0.45 * head, 0.985 * crown),
            soft(0.0, 0.96 * crown),
        ],
    };
    let segments = 36;
    let curl = match kind {
        0 => between(rng, 0.012, 0.024),
        1 => between(rng, 0.014, 0.024),
        2 => 0.0,
        _ => between(rng, 0.006, 0.016),
    };
    let waves = if kind == 2 { count(rng, 3, 5) as f32 } else { 0.0 };
    let pinch = if kind == 3 { between(rng, 0.12, 0.2) } else { 0.0 };
    let shape = move |p: Vec3| {
        let reach = Vec2::new(p.x, p.z).length();
        let out = ((reach - head) / (brim - head)).clamp(0.0, 1.2);
        let round = p.x.atan2(p.z);
        // The sides of the brim curl up; a sun hat's waves instead.
        let side = round.sin().powi(2);
        let mut y = p.y + curl * out.powi(2) * side + 0.008 * out * (waves * round).sin() * (waves / 4.0).min(1.0);
        let mut x = p.x;
        if pinch > 0.0 && p.y > 0.5 * crown {
            // A dent along the top and a pinch at the front.
            let high = (p.y / crown - 0.5) * 2.0;
            x *= 1.0 - pinch * high * (p.z / head).clamp(0.0, 1.0);
            y -= 0.16
                * crown
                * high.powi(2)
                * (1.0 - (p.x / (0.6 * head)).powi(2)).max(0.0)
                * (1.0 - 0.3 * (p.z / head).abs());
        }
        Vec3::new(x * 0.94, y, p.z * 1.06)
    };
    let body = lathe(&shell(&outside, wall), segments).deformed(1.0, shape);
    let band_top = lift + 0.004 + crown * between(rng, 0.16, 0.3);
    let radius_at = |y: f32| {
        let wall: Vec<&Knot> = outside[2..].iter().collect();
        wall.windows(2).find(|pair| (pair[0].height..=pair[1].height).contains(&y)).map_or(head, |pair| {
            let share = (y - pair[0].height) / (pair[1].height - pair[0].height).max(1e-6);
            pair[0].radius + (pair[1].radius - pair[0].radius) * share
        })
    };
    let low = outside[2].height - 0.002;
    let out = 0.0035;
    let band = lathe(
        &[
            sharp(head - 0.003, low),
            sharp(head + out, low),
            sharp(radius_at(band_top) + out, band_top),
            sharp(radius_at(band_top) - 0.003, band_top),
            sharp(head - 0.003, low),
        ],
        segments,
    )
    .deformed(0.6, |p| Vec3::new(p.x * 0.94, p.y, p.z * 1.06));
    let mut bands = vec![band];
    if kind >= 2 || chance(rng, 0.4) {
        // A bow at the side.
        let middle = 0.5 * (low + band_top);
        let tall = 0.55 * (band_top - low).max(0.02);
        for side in [-1.0, 1.0] {
            bands.push(
                ellipsoid(Vec3::new(0.006, tall, 0.018), 8, 6)
                    .rotated(Quat::from_rotation_x(side * 0.35))
                    .translated(Vec3::new(0.94 * (head + 0.004), middle, side * 0.018)),
            );
        }
    }
    let (surface, ribbon) = if kind == 2 {
        (Surface { roughness: 0.85, ..fabric(STRAWS.pick(rng)) }, RIBBONS.pick(rng))
    } else {
        let color = FELTS.pick(rng);
        let mut ribbon = RIBBONS.pick(rng);
        while ribbon.distance(color) < 0.06 {
            ribbon = RIBBONS.pick(rng);
        }
        (fabric(color), ribbon)
    };
    hat_model(vec![Part::new(body, surface), Part::new(merged(bands), fabric(ribbon))], crown, head, brim, lift)
}

fn hat_model(parts: Vec<Part>, crown: f32, head: f32, brim: f32, lift: f32) -> ObjectModel {
    let model = ObjectModel {
        parts,
        collider: vec![
            ColliderPiece::frustum(head, 0.9 * head, lift, crown),
            ColliderPiece::frustum(0.94 * brim, 0.94 * brim, 0.0, lift + 0.004),
        ],
        mass_kg: 0.2,
        grabbable: true,
        ..ObjectModel::default()
    };
    let low = model.bounds().0.y;
    let parts =
        model.parts.into_iter().map(|part| Part { mesh: part.mesh.translated(Vec3::NEG_Y * low), ..part }).collect();
    ObjectModel { parts, ..model }
}

/// A peaked cap: six panels, the front ones of another colour perhaps, a button, a peak towards +Z.
fn cap(rng: &mut ChaCha8Rng) -> ObjectModel {
    let head = between(rng, 0.085, 0.098);
    let tall = between(rng, 0.095, 0.115);
    let wall = 0.004;
    let outside: Vec<Knot> = (0..=9)
        .map(|k| {
            let angle = k as f32 / 9.0 * 0.5 * PI;
            let radius = head * angle.cos().powf(0.75);
            Knot {
                radius: if k == 9 { 0.0 } else { radius },
                height: 0.004 + (tall - 0.004) * angle.sin(),
                crease: false,
            }
        })
        .collect();
    let mut profile = vec![sharp(head - wall, 0.0), sharp(head, 0.0)];
    profile.extend(outside.iter().copied());
    let inside = outside.iter().rev().map(|knot| {
        let radius = if knot.radius <= 0.0 { 0.0 } else { (knot.radius - wall).max(0.003) };
        Knot { radius, height: (knot.height - wall).max(0.002), crease: false }
    });
    profile.extend(inside);
    profile.push(sharp(head - wall, 0.0));
    // Six panels: seams press in a little.
    let dome = lathe(&profile, 36).deformed(1.0, |p| {
        let round = p.x.atan2(p.z);
        let seam = 1.0 - 0.02 * (3.0 * round).cos().abs().powi(12);
        Vec3::new(p.x * 0.95 * seam, p.y, p.z * 1.06 * seam)
    });
    let reach = between(rng, 0.065, 0.08);
    let spread = between(rng, 0.85, 1.0);
    let bend = between(rng, 0.012, 0.028);
    let peak = sheet(12, 4, 0.005, |u, v| {
        let angle = (1.0 - 2.0 * u) * spread;
        let out = Vec2::new(0.95 * head * angle.sin(), 1.05 * head * angle.cos());
        let forward = reach * v * (angle / spread * 0.5 * PI).cos().max(0.0).powf(0.6) + 0.004 * v - 0.004;
        Vec3::new(out.x * (1.0 + 0.06 * v), 0.004 + bend - bend * (angle / spread).powi(2) - 0.006 * v, out.y + forward)
    });
    let button = ellipsoid(Vec3::new(0.01, 0.006, 0.01), 10, 6).translated(Vec3::Y * (tall + 0.001));
    // A badge on the front, lying on the dome.
    let badge = ellipsoid(Vec3::new(0.26 * head, 0.24 * head, 0.05 * head), 12, 6)
        .rotated(Quat::from_rotation_x(-0.55))
        .translated(Vec3::new(0.0, 0.56 * tall, 0.93 * head));
    let color = if chance(rng, 0.7) { PLASTICS.pick(rng) } else { CLOTHS.pick(rng) };
    let peak_color = if chance(rng, 0.5) { color } else { PLASTICS.pick(rng) };
    let accent = if color.element_sum() > 1.4 { hex(0x24365f) } else { hex(0xf2efe6) };
    let mut accents = vec![button];
    if chance(rng, 0.6) {
        accents.push(badge);
    }
    let half = Vec3::new(0.8 * head, 0.0, reach);
    let model = ObjectModel {
        collider: vec![
            ColliderPiece::hull_round(&dome.positions),
            ColliderPiece::block(
                Vec3::new(-half.x, 0.0, 0.8 * head),
                Vec3::new(half.x, 0.012, 1.05 * head + 0.8 * reach),
            ),
        ],
        parts: vec![
            Part::new(dome, fabric(color)),
            Part::new(peak, fabric(peak_color)),
            Part::new(merged(accents), fabric(accent)),
        ],
        mass_kg: 0.12,
        grabbable: true,
        ..ObjectModel::default()
    };
    let mut model = model.set_down();
    for piece in &mut model.collider {
        if let ColliderPiece::Hull(points) = piece {
            points.iter_mut().filter(|point| point.y < 0.01).for_each(|point| point.y = 0.0);
        } else if let ColliderPiece::Box { center, half_size, .. } = piece {
            let high = center.y + half_size.y;
            (center.y, half_size.y) = (0.5 * high, 0.5 * high);
        }
    }
    model
}

/// An open umbrella lying as one puts it down: on two ribs and the handle. Gores, ribs, shaft, hooked handle.
pub fn umbrella(rng: &mut ChaCha8Rng) -> ObjectModel {
    let gores: usize = pick(rng, &[6, 8, 8]);
    let reach = between(rng, 0.26, 0.42);
    let dome = reach * between(rng, 0.4, 0.55);
    let shaft = reach * between(rng, 1.5, 1.75);
    let thick = 0.006 + 0.006 * reach;
    // The axis is +Y, the handle's end at y = 0, the canopy's edge at `edge`.
    let edge = shaft - dome;
    let sector = TAU / gores as f32;
    let canopy_at = move |round: f32, out: f32| {
        // Between the ribs the cloth hangs lower and its edge is drawn in.
        let between_ribs = (PI * (round / sector).fract()).sin();
        let drawn = 1.0 - 0.1 * between_ribs * out.powi(2);
        let sag = 0.05 * dome * between_ribs * out;
        let radius = reach * (0.5 * PI * out).sin().powf(0.9) * drawn;
        let height = edge + dome * (0.5 * PI * out).cos() - sag;
        Vec3::new(radius * round.sin(), height, radius * round.cos())
    };
    let alternate = chance(rng, 0.7);
    let mut cloth: [Vec<MeshBuffers>; 2] = [Vec::new(), Vec::new()];
    for gore in 0..gores {
        let start = gore as f32 * sector;
        let patch = sheet(4, 6, 0.004, |u, v| {
            // A hair's breadth inside the sector, so that a seam takes the side of its own gore.
            canopy_at(start + sector * (0.0005 + 0.999 * u), 1.0 - 0.985 * v)
        });
        cloth[if alternate { gore % 2 } else { 0 }].push(patch);
    }
    let mut frame = vec![rod(Vec3::Y * (0.1 * shaft), Vec3::Y * (shaft + 0.09 * reach), 0.55 * thick, 0.4 * thick, 8)];
    for rib in 0..gores {
        let round = rib as f32 * sector;
        let path: Vec<Vec3> = (0..5)
            .map(|k| 0.03 + 0.98 * k as f32 / 4.0)
            .map(|out| canopy_at(round + 1e-4, out) - Vec3::Y * 0.005)
            .collect();
        frame.push(tube(&path, |_| Vec2::splat(0.0028), 4, Ends::Flat));
        // Stretchers from the runner to the middle of the rib.
        frame.push(rod(Vec3::Y * (edge + 0.02 * dome), path[2], 0.0024, 0.0024, 4));
    }
    // The handle: a hook in the plane that stands upright when the umbrella lies.
    let hook = 0.15 * reach + 0.012;
    let mut grip = vec![Vec3::Y * (0.32 * shaft), Vec3::Y * (0.2 * shaft), Vec3::Y * hook];
    grip.extend(
        arc(Vec3::new(0.0, hook, hook), Vec3::NEG_Z * hook, Vec3::NEG_Y * hook, 0.0, PI, 9).into_iter().skip(1),
    );
    let handle = tube(&grip, |_| Vec2::splat(thick), 8, Ends::Round);
    let first = if chance(rng, 0.6) { PLASTICS.pick(rng) } else { CLOTHS.pick(rng) };
    let mut second = if chance(rng, 0.5) { jitter(rng, hex(0xf0ebdf), 0.06) } else { PLASTICS.pick(rng) };
    while alternate && second.distance(first) < 0.25 {
        second = PLASTICS.pick(rng);
    }
    let handle_surface = if chance(rng, 0.6) { wood(TIMBER.pick(rng)) } else { metal(METALS.pick(rng), 0.4) };
    let cloth_surface = |color: Vec3| Surface { roughness: 0.75, grain: Grain::Fabric, ..fabric(color) };
    let [even, odd] = cloth;
    let mut parts = vec![Part::new(merged(even), cloth_surface(first))];
    if !odd.is_empty() {
        parts.push(Part::new(merged(odd), cloth_surface(second)));
    }
    parts.push(Part::new(merged(frame), metal(METALS.pick(rng), 0.4)));
    parts.push(Part::new(handle, handle_surface));
    // Laid down: the lowest chord between two rib ends and the hook touch the ground. The canopy looks towards the viewer's
    // left and up, so that gores and handle both show.
    let chord = reach * (0.5 * sector).cos();
    let tilt = (chord / edge).atan();
    // Half a sector puts two rib ends below.
    let lay = Quat::from_rotation_y(0.55)
        * Quat::from_rotation_z(0.5 * PI - tilt)
        * Quat::from_rotation_y(0.5 * sector - 0.5 * PI);
    let parts: Vec<Part> = parts.into_iter().map(|part| Part { mesh: part.mesh.rotated(lay), ..part }).collect();
    let (canopy, rest): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| part.surface.grain == Grain::Fabric);
    let points =
        |parts: &[&Part]| -> Vec<Vec3> { parts.iter().flat_map(|part| part.mesh.positions.iter().copied()).collect() };
    let collider =
        vec![ColliderPiece::hull_round(&points(&canopy)), ColliderPiece::hull_round(&points(&rest[rest.len() - 1..]))];
    ObjectModel { parts, collider, mass_kg: 0.5, grabbable: true, ..ObjectModel::default() }.set_down()
}
