//! Where a teleport may land.
//!
//! In: an arc, as points. Out: where it ends, and the place to stand there. What is absent: the arc's shape, moving the body.

use avian3d::prelude::*;
use bevy::{ecs::system::SystemParam, prelude::*};

use super::{WalkSettings, footing::is_walkable};
use crate::world::hand::HeldBy;

/// Looks for places to stand.
#[derive(SystemParam)]
pub struct Landing<'w, 's> {
    spatial: SpatialQuery<'w, 's>,
    settings: Res<'w, WalkSettings>,
    colliders: Query<'w, 's, &'static ColliderOf>,
    bodies: Query<'w, 's, &'static RigidBody>,
    held: Query<'w, 's, Entity, With<HeldBy>>,
}

/// The end of an arc.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArcEnd {
    /// What it meets, or its last point.
    pub point: Vec3,
    /// How many of the arc's points lie before it.
    pub points: usize,
    /// Whether a body may stand there.
    pub place: Option<Vec3>,
}

impl Landing<'_, '_> {
    /// Follows `arc` to the first thing that it meets. A place is walkable ground that does not move, has room for a standing
    /// body, and is not behind something: neither the arc nor the way from the `eyes` to its beginning goes through anything.
    pub fn follow(&self, arc: &[Vec3], eyes: Vec3, walker: Entity) -> ArcEnd {
        let filter = SpatialQueryFilter::from_excluded_entities(std::iter::once(walker).chain(self.held.iter()));
        let nowhere = |point, points| ArcEnd { point, points, place: None };
        let Some(&start) = arc.first() else { return nowhere(eyes, 0) };
        if self.hit(eyes, start, &filter).is_some() {
            return nowhere(start, 0);
        }
        for (number, pair) in arc.windows(2).enumerate() {
            let Some(hit) = self.hit(pair[0], pair[1], &filter) else { continue };
            let point = pair[0] + (pair[1] - pair[0]).normalize_or_zero() * hit.distance;
            let firm = self.is_fixed(hit.entity) && is_walkable(hit.normal, self.settings.max_slope);
            let place = (firm && self.has_room(point, &filter)).then_some(point);
            return ArcEnd { point, points: number + 1, place };
        }
        nowhere(arc[arc.len() - 1], arc.len())
    }

    fn hit(&self, from: Vec3, to: Vec3, filter: &SpatialQueryFilter) -> Option<RayHitData> {
        let (direction, length) = Dir3::new_and_length(to - from).ok()?;
        self.spatial.cast_ray(from, direction, length, true, filter)
    }

    fn is_fixed(&self, collider: Entity) -> bool {
        self.colliders.get(collider).and_then(|of| self.bodies.get(of.body)).is_ok_and(|body| body.is_static())
    }

    fn has_room(&self, feet: Vec3, filter: &SpatialQueryFilter) -> bool {
        let height = self.settings.standing.height;
        let center = feet + self.settings.body_center(height);
        let body = self.settings.body(height);
        self.spatial.shape_intersections(&body, center, Quat::IDENTITY, filter).is_empty()
    }
}
