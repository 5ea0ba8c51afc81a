//! Where to look from: at a cluster of things, from where a small flying companion or a standing player would be.

use bevy::math::{Vec2, Vec3};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{between, chance};
use crate::{
    base::Seed,
    scene::{KindRegistry, spec::*},
};

/// Distance of the camera from what it looks at, metres: near enough that small things cover a dozen pixels of 320.
const DISTANCE: [f32; 2] = [0.4, 6.0];
/// Distance of the camera from walls and things, metres.
const CLEAR: f32 = 0.12;
const TRIES: usize = 80;

/// A view of `scene` that has something in it. Equal arguments give equal views.
///
/// Works for authored scenes as well: camera and target are in one room. A scene without objects is seen from its middle.
pub fn random_view(seed: Seed, scene: &SceneSpec) -> CameraPose {
    let mut rng = seed.derive("view").rng();
    let fov_y = between(&mut rng, 58.0, 80.0).to_radians();
    let kinds = KindRegistry::typical();
    let bodies: Vec<Body> = scene.objects.iter().map(|object| Body::of(object, &kinds)).collect();
    for _ in 0..TRIES {
        let Some(target) = pick_target(&mut rng, &bodies) else { break };
        let Some(room) = scene.rooms.iter().find(|room| room.contains(target)) else { continue };
        let Some(position) = stand_back(&mut rng, room, target) else { continue };
        let is_free = bodies.iter().all(|body| body.distance(position) > CLEAR);
        if is_free {
            let aside =
                Vec3::new(between(&mut rng, -1.0, 1.0), between(&mut rng, -1.0, 1.0), between(&mut rng, -1.0, 1.0));
            let look_at = target + aside * (0.18 * position.distance(target));
            return CameraPose { position, look_at, fov_y };
        }
    }
    let position = scene.spawn.position + Vec3::Y * 1.6;
    let ahead = Vec3::new(-scene.spawn.yaw.sin(), -0.2, -scene.spawn.yaw.cos());
    CameraPose { position, look_at: position + ahead, fov_y }
}

/// The upright cylinder that an object is about to fill.
struct Body {
    center: Vec3,
    radius: f32,
    half_height: f32,
}

impl Body {
    fn of(object: &ObjectSpec, kinds: &KindRegistry) -> Self {
        let shape = match &object.source {
            ObjectSource::Kind { kind, seed } => kinds.shape(kind, *seed),
            ObjectSource::Asset { .. } => None,
        };
        let (half_size, height) = shape.map_or((Vec2::splat(0.2), 0.4), |shape| (shape.half_size, shape.height));
        let half = object.scale * Vec3::new(half_size.x, 0.5 * height, half_size.y);
        let center = object.position + object.rotation * (Vec3::Y * half.y);
        let up = (object.rotation * Vec3::Y).y.abs();
        let upright = up > 0.95;
        let (radius, half_height) =
            if upright { (half.x.max(half.z), half.y) } else { (half.max_element(), half.max_element()) };
        Self { center, radius, half_height }
    }

    fn distance(&self, point: Vec3) -> f32 {
        let aside = Vec2::new(point.x - self.center.x, point.z - self.center.z).length() - self.radius;
        let above = (point.y - self.center.y).abs() - self.half_height;
        aside.max(above)
    }
}

/// The middle of one thing, or of it and its neighbours.
fn pick_target(rng: &mut ChaCha8Rng, bodies: &[Body]) -> Option<Vec3> {
    if bodies.is_empty() {
        return None;
    }
    let body = &bodies[rng.random_range(0..bodies.len() as u32) as usize];
    if chance(rng, 0.5) {
        return Some(body.center);
    }
    let near = bodies.iter().map(|other| other.center).filter(|center| center.distance(body.center) < 0.9);
    let (sum, count) = near.fold((Vec3::ZERO, 0.0), |(sum, count), center| (sum + center, count + 1.0));
    Some(sum / count)
}

/// A point of the room at a random distance from the target: near ones as likely as far ones, on a logarithmic scale.
fn stand_back(rng: &mut ChaCha8Rng, room: &RoomSpec, target: Vec3) -> Option<Vec3> {
    let distance = between(rng, DISTANCE[0].ln(), DISTANCE[1].ln()).exp();
    let height = if chance(rng, 0.3) { between(rng, 1.45, 1.8) } else { between(rng, 0.4, 2.2) };
    let y = (room.floor_y + height).min(room.floor_y + room.height - CLEAR);
    // As far aside as the difference in height leaves of the distance; at least a little, for steep views.
    let rise = y - target.y;
    let aside = (distance * distance - rise * rise).max(0.09 * distance * distance).sqrt();
    let away = Vec2::from_angle(between(rng, 0.0, std::f32::consts::TAU)) * aside;
    let position = Vec3::new(target.x + away.x, y, target.z + away.y);
    let (low, high) = (room.min + 2.0 * CLEAR, room.max - 2.0 * CLEAR);
    let inside = position.x > low.x && position.x < high.x && position.z > low.y && position.z < high.y;
    (inside && position.distance(target) <= DISTANCE[1]).then_some(position)
}
