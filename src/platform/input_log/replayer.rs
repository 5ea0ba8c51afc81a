//! Does what a recording says, instead of what a rig or the companion's mind wants.
//!
//! In: an [`InputLog`]. Out: intents, tracked hands, commands and the companion's intents, tick by tick, written over whatever others
//! have written; [`Replay`], which tells how far it is and whether the player's eyes are still where they were. While it lasts
//! the rigs steer nothing ([`is_replaying`]), and what a list or a key commands is dropped. When it is over, the hands let go and
//! the body is the player's again. Pausing the world pauses it: it counts ticks, no clock.

use std::sync::Arc;

use bevy::{app::RunFixedMainLoopSystems, prelude::*};

use super::{CompanionInputSystems, HandInput, InputLog, pose};
use crate::{
    base::Tick,
    platform::tracking::Side,
    world::{
        Commanded, Companion, FlyIntent, HandIntent, WalkIntent,
        avatar::AvatarHand,
        hand::{Hand, Holding, TrackedHand},
        player::{Player, ViewPose},
    },
};

/// Does what an [`InputLog`] says, from the first tick with a player on.
pub struct ReplayInputPlugin {
    pub log: Arc<InputLog>,
}

/// At the end of a tick, in `FixedLast`: what came of it is compared with the recording.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplaySystems;

impl Plugin for ReplayInputPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Commanded>()
            .insert_resource(Replay { log: self.log.clone(), done: 0, under_way: false, apart_at: None })
            .add_systems(
                RunFixedMainLoop,
                drop_commands.in_set(RunFixedMainLoopSystems::BeforeFixedMainLoop).run_if(is_replaying),
            )
            .add_systems(FixedPreUpdate, (let_go.run_if(not(is_replaying)), play_tick.run_if(is_replaying)))
            .add_systems(FixedUpdate, fly_as_recorded.in_set(CompanionInputSystems).run_if(is_replaying))
            .add_systems(FixedLast, end_tick.in_set(ReplaySystems).run_if(is_replaying));
    }
}

/// How far the replay is.
#[derive(Resource, Clone, Debug)]
pub struct Replay {
    log: Arc<InputLog>,
    /// Ticks that are over.
    done: usize,
    /// Whether a tick has begun.
    under_way: bool,
    apart_at: Option<usize>,
}

impl Replay {
    /// Ticks that were replayed.
    pub fn ticks(&self) -> usize {
        self.done
    }

    pub fn is_over(&self) -> bool {
        self.done >= self.log.ticks.len()
    }

    /// Replayed so far, and in all, seconds.
    pub fn seconds(&self) -> (f64, f64) {
        (self.done as f64 / Tick::RATE_HZ, self.log.ticks.len() as f64 / Tick::RATE_HZ)
    }

    /// The first tick after which the player's eyes were not where they were when it was recorded.
    pub fn apart_at(&self) -> Option<usize> {
        self.apart_at
    }

    fn tick(&self) -> Option<&super::TickInput> {
        self.log.ticks.get(self.done)
    }
}

/// Run condition: a recording acts for the player.
pub fn is_replaying(replay: Option<Res<Replay>>) -> bool {
    replay.is_some_and(|replay| !replay.is_over())
}

/// What was commanded since the last frame's ticks was not recorded. What the recording itself commanded has been read by now.
fn drop_commands(mut commanded: ResMut<Messages<Commanded>>) {
    commanded.clear();
}

/// A hand that the recording moves.
#[derive(Component)]
struct ReplayedHand;

fn play_tick(
    mut commands: Commands,
    mut replay: ResMut<Replay>,
    mut players: Query<(Entity, &mut WalkIntent, &mut HandIntent, Option<&mut Hand>), With<Player>>,
    mut hands: Query<
        (Entity, &mut TrackedHand, &mut AvatarHand, &mut ViewPose, &mut HandIntent, &mut Transform, Option<&Holding>),
        Without<Player>,
    >,
    mut commanded: MessageWriter<Commanded>,
) {
    let Ok((player, mut walk, mut hand, own)) = players.single_mut() else { return };
    replay.under_way = true;
    let Some(input) = replay.tick() else { return };
    *walk = input.walk;
    *hand = input.hand;
    let is = |avatar: &AvatarHand, input: &HandInput| avatar.left == (input.side == Side::Left);
    let mut handed_over = None;
    for (entity, _, avatar, .., holding) in &hands {
        if !input.hands.iter().any(|input| is(avatar, input)) {
            handed_over = handed_over.or(holding.map(|holding| holding.body));
            commands.entity(entity).despawn();
        }
    }
    // The headset was taken off: as then (`handed_over`), the window's hand has what they held.
    if let (Some(thing), true, Some(mut own)) = (handed_over, input.hands.is_empty(), own) {
        own.tell(&mut hand, thing);
    }
    // New ones in the order in which they were in the world: it decides what is handed over.
    for input in &input.hands {
        let tracked = TrackedHand { of: player, palm: input.palm.into(), velocity: input.velocity, spin: input.spin };
        let curl = f32::from(u8::from(input.intent.grab));
        let looks = AvatarHand { left: input.side == Side::Left, index_curl: curl, fist_curl: curl, thumb_curl: curl };
        let place = Transform::from_isometry(input.palm.into());
        let now = input.ray.into();
        match hands.iter_mut().find(|hand| is(&hand.2, input)) {
            Some((_, mut its_tracking, mut its_looks, mut its_view, mut its_intent, mut its_place, _)) => {
                *its_tracking = tracked;
                its_looks.set_if_neq(looks);
                *its_view = ViewPose { now, before: its_view.now };
                *its_intent = input.intent;
                *its_place = place;
            }
            None => {
                commands.spawn((ReplayedHand, tracked, looks, ViewPose { now, before: now }, input.intent, place));
            }
        }
    }
    for (action, words) in &input.commands {
        commanded.write(Commanded { action: action.clone(), words: words.clone() });
    }
}

fn fly_as_recorded(
    replay: Res<Replay>,
    mut companions: Query<(&mut FlyIntent, &Transform), With<Companion>>,
    mut hatched: Local<Option<Vec3>>,
) {
    let Some(input) = replay.tick().filter(|_| replay.under_way) else { return };
    for (mut intent, place) in &mut companions {
        let hatched = *hatched.get_or_insert(place.translation);
        *intent = input.companion.unwrap_or(FlyIntent { target: Some(hatched), ..default() });
    }
}

fn end_tick(mut replay: ResMut<Replay>, players: Query<&ViewPose, With<Player>>) {
    if !std::mem::take(&mut replay.under_way) {
        return;
    }
    let recorded = replay.tick().and_then(|input| input.eyes);
    let eyes = players.single().ok().map(|view| pose(view.now));
    if recorded.is_some() && recorded != eyes && replay.apart_at.is_none() {
        replay.apart_at = Some(replay.done);
    }
    replay.done += 1;
}

/// Once, when it is over: what is held is let go, and the body stands.
fn let_go(
    mut commands: Commands,
    hands: Query<Entity, With<ReplayedHand>>,
    mut players: Query<(&mut WalkIntent, &mut HandIntent), With<Player>>,
    mut done: Local<bool>,
) {
    if std::mem::replace(&mut *done, true) {
        return;
    }
    for hand in &hands {
        commands.entity(hand).despawn();
    }
    for (mut walk, mut hand) in &mut players {
        *walk = WalkIntent { yaw: walk.yaw, pitch: walk.pitch, ..default() };
        *hand = HandIntent::default();
    }
}

#[cfg(test)]
mod tests {
    use bevy::time::TimeUpdateStrategy;

    use super::{super::TickInput, *};

    fn log(ticks: usize) -> InputLog {
        let ticks = (0..ticks).map(|tick| TickInput {
            walk: WalkIntent { yaw: tick as f32, ..default() },
            commands: if tick == 1 { vec![("Jump".to_owned(), Vec::new())] } else { Vec::new() },
            companion: (tick > 0).then(|| FlyIntent { target: Some(Vec3::Y * tick as f32), ..default() }),
            ..default()
        });
        InputLog { ticks: ticks.collect(), ..default() }
    }

    #[derive(Resource, Default)]
    struct Heard(Vec<String>);

    /// A world in which somebody else steers, commands and flies too.
    fn world(log: InputLog) -> (App, Entity, Entity) {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, ReplayInputPlugin { log: Arc::new(log) }))
            .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
            .init_resource::<Heard>()
            .add_systems(Update, |mut commanded: MessageWriter<Commanded>| {
                commanded.write(Commanded::new("Undo", &[]));
            })
            .add_systems(FixedUpdate, |mut commanded: MessageReader<Commanded>, mut heard: ResMut<Heard>| {
                heard.0.extend(commanded.read().map(|command| command.action.clone()));
            });
        app.update();
        let player = app.world_mut().spawn((Player, HandIntent { grab: true, ..default() })).id();
        let companion = app.world_mut().spawn((Companion, Transform::from_xyz(5.0, 0.0, 0.0))).id();
        app.world_mut().resource_mut::<Heard>().0.clear();
        (app, player, companion)
    }

    #[test]
    fn a_recording_wins_over_everybody_else_until_it_is_over() {
        let (mut app, player, companion) = world(log(3));
        for tick in 0..3 {
            *app.world_mut().get_mut::<WalkIntent>(player).unwrap() = WalkIntent { yaw: -1.0, run: true, ..default() };
            app.world_mut().get_mut::<FlyIntent>(companion).unwrap().target = None;
            app.update();
            let walk = *app.world().get::<WalkIntent>(player).unwrap();
            assert_eq!((walk.yaw, walk.run), (tick as f32, false));
            let target = app.world().get::<FlyIntent>(companion).unwrap().target;
            assert_eq!(target, Some(if tick == 0 { Vec3::X * 5.0 } else { Vec3::Y * tick as f32 }));
        }
        assert!(app.world().resource::<Replay>().is_over());
        assert_eq!(app.world().resource::<Heard>().0, ["Jump"], "lists and keys command nothing meanwhile");
        // Then it is the player's again.
        app.update();
        assert!(!app.world().get::<HandIntent>(player).unwrap().grab);
        app.world_mut().get_mut::<WalkIntent>(player).unwrap().run = true;
        app.update();
        assert!(app.world().get::<WalkIntent>(player).unwrap().run);
        assert!(app.world().resource::<Heard>().0.len() > 1);
        assert_eq!(app.world().resource::<Replay>().ticks(), 3);
    }

    #[test]
    fn eyes_that_are_elsewhere_are_told_with_their_tick() {
        let mut log = log(5);
        let eyes = |y: f32| Some(pose(Isometry3d::from_xyz(0.0, y, 0.0)));
        for (tick, input) in log.ticks.iter_mut().enumerate() {
            input.eyes = eyes(if tick < 3 { 0.0 } else { 1e-6 });
        }
        let (mut app, ..) = world(log);
        for _ in 0..6 {
            app.update();
        }
        assert_eq!(app.world().resource::<Replay>().apart_at(), Some(3));
    }
}
