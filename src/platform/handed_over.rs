//! What a tracked hand holds when the headset is taken off stays in the player's hand, the one that the window steers.
//!
//! In: [`HandedOver`], written when the tracked hands go. Out: what the player's hand is told to take, in the next tick.

use bevy::prelude::*;

use crate::world::{
    HandIntent,
    hand::{Hand, HandSystems},
    player::Player,
};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<HandedOver>().add_systems(FixedUpdate, take_over.before(HandSystems));
}

/// The thing, until the player's hand has it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HandedOver(pub Option<Entity>);

fn take_over(mut over: ResMut<HandedOver>, mut hands: Query<(&mut Hand, &mut HandIntent), With<Player>>) {
    let Some(thing) = over.bypass_change_detection().0.take() else { return };
    for (mut hand, mut intent) in &mut hands {
        hand.tell(&mut intent, thing);
    }
}
