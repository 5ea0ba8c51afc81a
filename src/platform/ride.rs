//! Whoever wears the headset while a recording walks rides along: the play space stays under the recorded feet (`tracked_rig`), the head
//! is their own, and the edge of the picture closes in while they are carried.
//!
//! In: the body's velocity, [`Settings`]. Out: [`Veiling`].

use avian3d::prelude::LinearVelocity;
use bevy::prelude::*;

use super::{locomotion::vignette, settings::Settings, tracked_rig::Veiling};
use crate::world::player::Player;

/// Slower than this nobody feels carried, metres per second.
const CARRIED: f32 = 0.1;

pub(super) fn veil(
    players: Query<&LinearVelocity, With<Player>>,
    settings: Res<Settings>,
    time: Res<Time<Real>>,
    mut veiling: ResMut<Veiling>,
) {
    let carried = players.iter().any(|velocity| velocity.length() > CARRIED);
    let moving = carried && settings.headset.vignette;
    *veiling = Veiling { vignette: vignette(veiling.vignette, moving, time.delta_secs()), fade: 0.0 };
}
