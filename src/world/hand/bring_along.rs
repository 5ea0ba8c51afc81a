//! What hands hold goes along where its carrier is put somewhere else: a teleport drags nothing through walls.
//!
//! In: where players stand at this tick and the one before. Out: places of what they hold, palms of their tracked hands (which a rig
//! measures anew in its next frame).

use avian3d::prelude::*;
use bevy::{ecs::entity::EntityHashMap, math::Vec3A, prelude::*};

use super::{Holding, TrackedHand};
use crate::world::player::Player;

/// No body walks or falls so far in a tick: somebody put it there, metres.
const PUT_AWAY: f32 = 1.0;

pub(super) fn bring_along(
    players: Query<(Entity, &Transform), With<Player>>,
    mut hands: Query<(Entity, Option<&mut TrackedHand>, Option<&Holding>)>,
    mut things: Query<&mut Position, Without<Player>>,
    mut stood: Local<EntityHashMap<Vec3>>,
) {
    let before = std::mem::take(&mut *stood);
    for (player, transform) in &players {
        let feet = transform.translation;
        stood.insert(player, feet);
        let by = before.get(&player).map_or(Vec3::ZERO, |before| feet - before);
        if by.length() < PUT_AWAY {
            continue;
        }
        let mut brought = Vec::new();
        for (hand, tracked, holding) in &mut hands {
            if tracked.as_ref().map_or(hand, |tracked| tracked.of) != player {
                continue;
            }
            if let Some(mut tracked) = tracked {
                tracked.palm.translation += Vec3A::from(by);
            }
            // Two hands may hold one thing.
            if let Some(body) = holding.map(|holding| holding.body)
                && !brought.contains(&body)
                && let Ok(mut place) = things.get_mut(body)
            {
                place.0 += by;
                brought.push(body);
            }
        }
    }
}
