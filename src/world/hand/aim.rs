//! What a hand could take: the first thing on its line of sight, else one close beside it that nothing hides; for a tracked hand before
//! that what its palm touches.
//!
//! In: `ViewPose`, `TrackedHand`. Out: [`HandTarget`]. What one tracked hand holds, another may take as well, but only by touching it or
//! pointing straight at it.

use avian3d::prelude::*;
use bevy::{ecs::system::SystemParam, prelude::*};

use super::{Hand, HandSettings, HandTarget, HeldBy, HeldByBoth, Holding, TrackedHand, center_of};
use crate::world::{Grabbable, player::ViewPose};

/// What may be taken.
#[derive(SystemParam)]
pub(super) struct Takeable<'w, 's> {
    colliders: Query<'w, 's, &'static ColliderOf>,
    things: Query<'w, 's, (Option<&'static HeldBy>, Has<HeldByBoth>), With<Grabbable>>,
    tracked: Query<'w, 's, (), With<TrackedHand>>,
}

impl Takeable<'_, '_> {
    fn body_of(&self, collider: Entity) -> Option<Entity> {
        self.colliders.get(collider).map(|of| of.body).ok()
    }

    /// Nobody holds it.
    fn is_free(&self, body: Entity) -> bool {
        self.things.get(body).is_ok_and(|(held, _)| held.is_none())
    }

    /// `hand`, a tracked one, may hold it together with the one that does.
    fn may_join(&self, hand: Entity, body: Entity) -> bool {
        self.things
            .get(body)
            .is_ok_and(|(held, both)| held.is_some_and(|held| held.0 != hand && self.tracked.contains(held.0)) && !both)
    }

    fn takes(&self, hand: Entity, is_tracked: bool, collider: Entity) -> Option<Entity> {
        self.body_of(collider).filter(|body| self.is_free(*body) || is_tracked && self.may_join(hand, *body))
    }
}

/// Finds what could be taken.
pub(super) fn aim(
    mut hands: Query<(Entity, &ViewPose, &mut HandTarget, Option<&TrackedHand>, Has<Holding>), With<Hand>>,
    spatial: SpatialQuery,
    takeable: Takeable,
    places: Query<(&Position, &Rotation, &ComputedCenterOfMass)>,
    settings: Res<HandSettings>,
) {
    let touched = |hand: Entity, tracked: &TrackedHand| {
        let palm = Vec3::from(tracked.palm.translation);
        let filter = SpatialQueryFilter::from_excluded_entities([tracked.of]);
        let distance = |body: Entity| {
            let (position, rotation, center) = places.get(body).ok()?;
            Some((body, palm.distance(center_of(position, rotation, center))))
        };
        spatial
            .shape_intersections(&Collider::sphere(settings.palm_radius), palm, Quat::IDENTITY, &filter)
            .into_iter()
            .filter_map(|collider| distance(takeable.takes(hand, true, collider)?))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
            .map(|(body, _)| body)
    };
    for (entity, view, mut target, tracked, holds) in &mut hands {
        let found = if holds {
            None
        } else if let Some(body) = tracked.and_then(|tracked| touched(entity, tracked)) {
            Some(body)
        } else {
            let owner = tracked.map_or(entity, |tracked| tracked.of);
            let filter = SpatialQueryFilter::from_excluded_entities([entity, owner]);
            let ray = view.ray();
            let first = spatial.cast_ray(ray.origin, ray.direction, settings.reach, true, &filter);
            let met = first.and_then(|hit| takeable.takes(entity, tracked.is_some(), hit.entity));
            met.or_else(|| {
                let limit = first.map_or(settings.reach, |hit| hit.distance);
                let body_of = |collider| takeable.body_of(collider);
                let takes = |collider| body_of(collider).is_some_and(|body| takeable.is_free(body));
                spatial
                    .cast_shape_predicate(
                        &Collider::sphere(settings.aim_radius),
                        ray.origin,
                        Quat::IDENTITY,
                        ray.direction,
                        &ShapeCastConfig::from_max_distance(limit),
                        &filter,
                        &takes,
                    )
                    .filter(|hit| {
                        // A little past the surface, so that the ray meets the thing itself if nothing hides it.
                        let to = (hit.point1 - ray.origin) * 1.01;
                        Dir3::new_and_length(to).is_ok_and(|(direction, length)| {
                            spatial
                                .cast_ray(ray.origin, direction, length, true, &filter)
                                .is_none_or(|seen| body_of(seen.entity) == body_of(hit.entity))
                        })
                    })
                    .and_then(|hit| body_of(hit.entity))
            })
        };
        target.set_if_neq(HandTarget(found));
    }
}
