//! Hands close on things and open again.
//!
//! In: `HandIntent`, `HandTarget`. Out: `Holding`, `HeldBy`, [`HeldByBoth`]; [`HandMoved`] for each; collision layers while a thing is
//! carried.

use avian3d::prelude::*;
use bevy::{ecs::entity::EntityHashSet, prelude::*};

use super::{
    FETCH_SECS, FETCHED_FROM, Hand, HandAction, HandMoved, HandSettings, HandTarget, HeldBy, HeldByBoth, Holding,
    LetGo, Resized, THROWN_SPEED, TrackedHand, carry::velocity_with, center_of, heading,
};
use crate::world::{HandIntent, Layer, avatar::AvatarHand, player::ViewPose};

/// Speed of a throw, metres per second: a strong arm's, or what its energy gives a heavy thing (E = ½ m v²).
fn throw_speed(mass_kg: f32, settings: &HandSettings) -> f32 {
    settings.throw_speed.min((2.0 * settings.throw_energy / mass_kg.max(1e-3)).sqrt())
}

fn left_first(hand: Option<&AvatarHand>) -> Option<bool> {
    hand.map(|hand| !hand.left)
}

type Taken = (
    &'static Position,
    &'static Rotation,
    &'static Transform,
    &'static ComputedCenterOfMass,
    &'static RigidBodyColliders,
    (Option<&'static HeldBy>, Has<HeldByBoth>, Option<&'static Resized>),
    (Option<&'static Mass>, Option<&'static CenterOfMass>),
);

/// Closing the grip takes the target, or joins the hand that holds it.
pub(super) fn take(
    mut commands: Commands,
    mut hands: Query<
        (Entity, &mut Hand, &mut HandIntent, &HandTarget, &ViewPose, Option<&TrackedHand>, Option<&AvatarHand>),
        Without<Holding>,
    >,
    holders: Query<&TrackedHand, With<Holding>>,
    bodies: Query<Taken>,
    settings: Res<HandSettings>,
    mut moved: MessageWriter<HandMoved>,
) {
    let mut taken = EntityHashSet::default();
    // The left hand first, however they came to be: what happens in one tick happens alike in every replay.
    let mut hands: Vec<_> = hands.iter_mut().collect();
    hands.sort_by_key(|hand| left_first(hand.6));
    for (entity, mut hand, mut intent, target, view, tracked, _) in hands {
        // An empty hand has nothing to throw, now or later.
        intent.throw = false;
        let closing = intent.grab && !hand.closed;
        hand.closed = intent.grab;
        let told = hand.told.take();
        let (true, Some(body)) = (closing, told.or(target.0)) else { continue };
        let Ok((position, rotation, transform, center, colliders, held, set)) = bodies.get(body) else { continue };
        if !taken.insert(body) {
            // Another hand was quicker in this very tick: closing goes on in the next.
            hand.closed = false;
            continue;
        }
        let thing = Isometry3d::new(position.0, rotation.0);
        match (held, tracked) {
            ((None, ..), _) => {
                let center = center_of(position, rotation, center);
                let holding = match tracked {
                    Some(tracked) => {
                        let palm = Vec3::from(tracked.palm.translation);
                        // What was taken from afar comes into the palm.
                        let brought = if palm.distance(center) > FETCHED_FROM { palm - center } else { Vec3::ZERO };
                        let place = Isometry3d::new(position.0 + brought, rotation.0);
                        let in_palm = tracked.palm.inverse() * place;
                        Holding { strained_secs: -FETCH_SECS, ..Holding::in_palm(body, in_palm) }
                    }
                    None => Holding {
                        distance: center
                            .distance(view.now.translation.into())
                            .clamp(settings.nearest, settings.farthest),
                        rotation: heading(view.now.rotation).inverse() * rotation.0,
                        // It may come from farther than a strained thing would be held.
                        strained_secs: if told.is_some() { -FETCH_SECS } else { 0.0 },
                        ..Holding::at_arms_length(body)
                    },
                };
                commands.entity(entity).insert(Holding { by_word: told.is_some(), ..holding });
                commands.entity(body).remove::<(LetGo, Sleeping)>().insert((HeldBy(entity), SleepingDisabled));
                for collider in colliders {
                    commands
                        .entity(collider)
                        .insert(CollisionLayers::new(Layer::Held, LayerMask::from([Layer::Things, Layer::Held])));
                }
                moved.write(HandMoved { hand: entity, body, what: HandAction::Took });
            }
            ((Some(HeldBy(first)), false, resized), Some(tracked)) => {
                let Ok(leading) = holders.get(*first) else { continue };
                let resized = resized.copied().unwrap_or_else(|| Resized::unchanged(transform, set.0, set.1));
                let palms = [leading.palm, tracked.palm];
                let both = HeldByBoth::new([*first, entity], palms, thing, resized.size);
                commands.entity(body).insert((both, resized));
                commands.entity(entity).insert(Holding::in_palm(body, tracked.palm.inverse() * thing));
                moved.write(HandMoved { hand: entity, body, what: HandAction::Joined });
            }
            _ => {}
        }
    }
}

/// Opens the hand: because it is asked to, because it throws, or because the thing hangs behind something.
pub(super) fn let_go(
    mut commands: Commands,
    mut hands: Query<(
        Entity,
        &mut Hand,
        &mut HandIntent,
        &ViewPose,
        &Holding,
        Option<&TrackedHand>,
        Option<&LinearVelocity>,
        Option<&AvatarHand>,
    )>,
    mut bodies: Query<
        (
            (&Position, &Rotation, &ComputedCenterOfMass, &ComputedMass),
            (&mut LinearVelocity, &mut AngularVelocity),
            Has<HeldByBoth>,
        ),
        Without<Hand>,
    >,
    settings: Res<HandSettings>,
    mut moved: MessageWriter<HandMoved>,
) {
    let mut left_to_other = EntityHashSet::default();
    let mut hands: Vec<_> = hands.iter_mut().collect();
    hands.sort_by_key(|hand| left_first(hand.7));
    for (entity, mut hand, mut intent, view, holding, tracked, own_velocity, _) in hands {
        hand.closed = intent.grab;
        let mut thrown = std::mem::take(&mut intent.throw);
        let slipped = holding.strained_secs > settings.strain_secs;
        if intent.grab && !thrown && !slipped {
            continue;
        }
        let body = holding.body;
        if let Ok(((position, rotation, center, mass), (mut velocity, mut spin), both)) = bodies.get_mut(body) {
            let what = if both && left_to_other.insert(body) {
                HandAction::Parted
            } else {
                if let (Some(tracked), false) = (tracked, slipped) {
                    let with_hand = velocity_with(tracked, center_of(position, rotation, center));
                    velocity.0 = with_hand.clamp_length_max(throw_speed(mass.value(), &settings));
                    spin.0 = tracked.spin;
                    thrown = velocity.length() > THROWN_SPEED;
                } else if thrown {
                    velocity.0 = *view.ray().direction * throw_speed(mass.value(), &settings)
                        + own_velocity.map_or(Vec3::ZERO, |own| own.0);
                }
                if thrown { HandAction::Threw } else { HandAction::LetGo }
            };
            moved.write(HandMoved { hand: entity, body, what });
        }
        commands.entity(entity).remove::<Holding>();
    }
}

/// Whatever ends a hold (an open hand, a despawned player, a reloaded scene), the thing becomes an ordinary one again, or the other
/// hand's.
pub(super) fn settle_what_was_let_go(
    lost: On<Discard, Holding>,
    mut commands: Commands,
    mut hands: Query<(&mut Holding, Option<&TrackedHand>)>,
    bodies: Query<(&Position, &Rotation, Option<&HeldByBoth>)>,
) {
    let Ok((holding, tracked)) = hands.get(lost.entity) else { return };
    let thing = holding.body;
    let by = tracked.map_or(lost.entity, |tracked| tracked.of);
    let Ok(mut body) = commands.get_entity(thing) else { return };
    if let Ok((position, rotation, Some(both))) = bodies.get(thing)
        && let Some(other) = both.other(lost.entity)
        && let Ok((mut holding, Some(tracked))) = hands.get_mut(other)
    {
        // As it lies between the hands now it stays in the one that is left.
        let in_palm = tracked.palm.inverse() * Isometry3d::new(position.0, rotation.0);
        *holding = Holding::in_palm(thing, in_palm);
        body.try_remove::<HeldByBoth>().try_insert(HeldBy(other));
        return;
    }
    body.try_remove::<(HeldBy, HeldByBoth, SleepingDisabled)>().try_insert(LetGo { by });
}

/// What was let go collides with its carrier again as soon as it is clear of them.
pub(super) fn collide_again(
    mut commands: Commands,
    bodies: Query<(Entity, &LetGo, &RigidBodyColliders)>,
    boxes: Query<&ColliderAabb>,
) {
    for (body, let_go, colliders) in &bodies {
        let overlaps = boxes.get(let_go.by).is_ok_and(|carrier| {
            colliders.iter().any(|collider| boxes.get(collider).is_ok_and(|aabb| aabb.intersects(carrier)))
        });
        if !overlaps {
            commands.entity(body).remove::<LetGo>();
            for collider in colliders {
                commands.entity(collider).insert(CollisionLayers::default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_things_fly_at_the_arms_speed_and_heavy_ones_at_their_energys() {
        let settings = HandSettings::default();
        assert_eq!(throw_speed(0.1, &settings), 10.0);
        // 60 J in 30 kg are 2 m/s.
        assert!((throw_speed(30.0, &settings) - 2.0).abs() < 1e-5);
    }
}
