//! What a walking body may stand on.
//!
//! In: a place of the feet. Out: the ground under it. What is absent: moving the body (`player`).

use avian3d::{character_controller::move_and_slide::*, prelude::*};
use bevy::prelude::*;

use super::WalkSettings;

/// Walkable ground.
pub(super) struct Ground {
    /// World space, metres.
    pub height: f32,
    /// See [`Walker::firm`](super::Walker::firm).
    pub firm: bool,
}

/// The walkable ground under the feet: at most a step above them, at most `reach` below.
pub(super) fn find_ground(
    world: &MoveAndSlide,
    feet: Vec3,
    reach: f32,
    skip_clutter: bool,
    settings: &WalkSettings,
    filter: &SpatialQueryFilter,
    bodies: &Query<(&RigidBody, &ComputedMass, &ColliderAabb)>,
) -> Option<Ground> {
    const PROBE_RADIUS: f32 = 0.1;
    let origin = feet + Vec3::Y * (settings.step_height + 0.01 + PROBE_RADIUS);
    let holds = |collider: Entity| {
        world.colliders.contains(collider) && !(skip_clutter && is_clutter(collider, settings, bodies))
    };
    let hit = world.spatial_query.cast_shape_predicate(
        &Collider::sphere(PROBE_RADIUS),
        origin,
        Quat::IDENTITY,
        Dir3::NEG_Y,
        &ShapeCastConfig {
            ignore_origin_penetration: true,
            ..ShapeCastConfig::from_max_distance(settings.step_height + 0.01 + reach)
        },
        filter,
        &holds,
    )?;
    let height = origin.y - hit.distance - PROBE_RADIUS;
    if is_walkable(hit.normal1, settings.max_slope) {
        return Some(Ground { height, firm: true });
    }
    // A slanted normal is either a steep slope or the edge of a step: look straight down, a little further in.
    let inward = -Vec3::new(hit.normal1.x, 0.0, hit.normal1.z).normalize_or_zero() * 0.02;
    let above = Vec3::new(hit.point1.x, origin.y, hit.point1.z) + inward;
    let top = world.spatial_query.cast_ray_predicate(
        above,
        Dir3::NEG_Y,
        settings.step_height + PROBE_RADIUS + reach,
        false,
        filter,
        &holds,
    )?;
    let top_height = above.y - top.distance;
    (is_walkable(top.normal, settings.max_slope) && top_height <= feet.y + settings.step_height + 0.01)
        .then_some(Ground { height, firm: false })
}

pub(super) fn is_walkable(normal: Vec3, max_slope: f32) -> bool {
    normal.y >= max_slope.cos()
}

/// Whether a collider is a small loose thing.
fn is_clutter(
    collider: Entity,
    settings: &WalkSettings,
    bodies: &Query<(&RigidBody, &ComputedMass, &ColliderAabb)>,
) -> bool {
    bodies.get(collider).is_ok_and(|(body, mass, aabb)| {
        body.is_dynamic() && mass.value() < settings.clutter_mass && aabb.max.y - aabb.min.y < settings.step_height
    })
}
