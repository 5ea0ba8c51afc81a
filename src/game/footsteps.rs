//! Sounds of the player's body: steps by the distance walked, hands by what they do, the click of a snap zone.

use bevy::prelude::*;

use super::{
    GameState,
    sound::{PlaySound, SoundKind},
};
use crate::world::{
    hand::{HandAction, HandMoved},
    player::{Player, Walker},
    snap_zones::{SnapZone, ZoneAction, ZoneMoved},
};

/// Turns movements into sounds.
pub(super) struct FootstepsPlugin;

impl Plugin for FootstepsPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<HandMoved>()
            .add_message::<ZoneMoved>()
            .add_systems(Update, (step, handle, click).run_if(in_state(GameState::Playing)));
    }
}

/// Metres between two steps.
const STRIDE: f32 = 0.75;

/// Adds what was walked in a frame; true when a foot falls. In the air no foot falls, but the landing does.
fn foot_falls(since_step: &mut f32, walked: f32, grounded: bool, landed: bool) -> bool {
    *since_step += if grounded { walked } else { 0.0 };
    let falls = landed || *since_step >= STRIDE;
    if falls {
        *since_step = 0.0;
    }
    falls
}

#[derive(Default)]
struct Gait {
    before: Option<Vec3>,
    since_step: f32,
    was_grounded: bool,
}

fn step(
    players: Query<(&Transform, &Walker), With<Player>>,
    mut gait: Local<Gait>,
    mut sounds: MessageWriter<PlaySound>,
) {
    let Ok((transform, walker)) = players.single() else { return };
    let feet = transform.translation;
    let before = gait.before.replace(feet).unwrap_or(feet);
    // Being put somewhere else is no step.
    let walked = (feet - before).with_y(0.0).length();
    let landed = walker.grounded && !std::mem::replace(&mut gait.was_grounded, walker.grounded);
    if walked < 1.0 && foot_falls(&mut gait.since_step, walked, walker.grounded, landed) {
        sounds.write(PlaySound { kind: SoundKind::Footstep, position: Some(feet) });
    }
}

fn handle(mut moved: MessageReader<HandMoved>, places: Query<&GlobalTransform>, mut sounds: MessageWriter<PlaySound>) {
    for hand in moved.read() {
        let kind = match hand.what {
            HandAction::Took | HandAction::Joined | HandAction::Parted | HandAction::LetGo => SoundKind::Grab,
            HandAction::Threw => SoundKind::Throw,
        };
        sounds.write(PlaySound { kind, position: places.get(hand.body).ok().map(GlobalTransform::translation) });
    }
}

fn click(mut moved: MessageReader<ZoneMoved>, zones: Query<&SnapZone>, mut sounds: MessageWriter<PlaySound>) {
    for zone in moved.read().filter(|moved| moved.what == ZoneAction::Took) {
        let position = zones.get(zone.zone).ok().map(|zone| zone.spec.position);
        sounds.write(PlaySound { kind: SoundKind::Click, position });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_metres_are_thirteen_steps_and_a_jump_lands_once() {
        let mut since = 0.0;
        let steps = (0..1000).filter(|_| foot_falls(&mut since, 0.01, true, false)).count();
        assert_eq!(steps, 13);
        assert!((0..50).all(|_| !foot_falls(&mut since, 0.05, false, false)), "no steps in the air");
        assert!(foot_falls(&mut since, 0.0, true, true));
    }
}
