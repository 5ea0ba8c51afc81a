//! What tracked hands feel of what they touch, hold and strike.
//!
//! In: `HandTarget` and `Holding` of the rig's hands, contacts of what they hold, snap zones. Out: [`Pulse`]s. What is absent: devices (whoever has
//! them plays the pulses), and pulses of teleports and panels, which come from there.

use avian3d::prelude::{Collisions, ComputedMass, RigidBodyColliders};
use bevy::prelude::*;

use super::{tracked_rig::RigHand, tracking::Pulse};
use crate::world::{
    hand::{HandTarget, Holding},
    snap_zones::{ZoneAction, ZoneMoved},
};

/// What is held strikes something where that changes its speed by more in one tick, metres per second: more than its weight does.
const HIT_SPEED: f32 = 0.7;

/// Hands feel what they could take, what they took and what they let go.
pub(super) fn feel(
    hands: Query<(&RigHand, &HandTarget, Option<&Holding>)>,
    mut felt: Local<[(Option<Entity>, Option<Entity>); 2]>,
    mut pulses: MessageWriter<Pulse>,
) {
    for (hand, target, holding) in &hands {
        let side = hand.side;
        let now = (target.0, holding.map(|holding| holding.body));
        let before = std::mem::replace(&mut felt[side as usize], now);
        let mut pulse = |strength, seconds| {
            pulses.write(Pulse { side, strength, seconds });
        };
        match (before, now) {
            ((_, None), (_, Some(_))) => pulse(0.6, 0.06),
            ((_, Some(_)), (_, None)) => pulse(0.3, 0.04),
            ((was, _), (is, None)) if is.is_some() && is != was => pulse(0.15, 0.02),
            _ => {}
        }
    }
}

/// Hands feel a snap zone before them, and things that click into it and come out of it.
pub(super) fn feel_zones(
    mut moved: MessageReader<ZoneMoved>,
    hands: Query<&RigHand>,
    mut pulses: MessageWriter<Pulse>,
) {
    for ZoneMoved { hand, what, .. } in moved.read() {
        let Ok(RigHand { side, .. }) = hands.get(*hand) else { continue };
        let (strength, seconds) = match what {
            ZoneAction::Offered => (0.2, 0.02),
            ZoneAction::Took => (0.8, 0.05),
            ZoneAction::Gave => (0.3, 0.03),
        };
        pulses.write(Pulse { side: *side, strength, seconds });
    }
}

/// Hands feel what they hold strike against something.
pub(super) fn feel_hits(
    hands: Query<(&RigHand, &Holding)>,
    bodies: Query<(&RigidBodyColliders, &ComputedMass)>,
    collisions: Collisions,
    mut were_struck: Local<[bool; 2]>,
    mut pulses: MessageWriter<Pulse>,
) {
    for (hand, holding) in &hands {
        let Ok((colliders, mass)) = bodies.get(holding.body) else { continue };
        let pairs = colliders.iter().flat_map(|collider| collisions.collisions_with(collider));
        let speed_change = pairs.map(|pair| pair.total_normal_impulse_magnitude()).sum::<f32>() * mass.inverse();
        let is_struck = speed_change > HIT_SPEED;
        let was_struck = std::mem::replace(&mut were_struck[hand.side as usize], is_struck);
        if is_struck && !was_struck {
            pulses.write(Pulse { side: hand.side, strength: (0.25 * speed_change).clamp(0.2, 0.9), seconds: 0.03 });
        }
    }
}
