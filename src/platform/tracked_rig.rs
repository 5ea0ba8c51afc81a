//! The rig of a headset: tracked head and hands become intents, the play space moves through the world.
//!
//! In: [`Tracking`] (from whoever has it), [`Settings`], [`Steering`], where the body is. Out, while the headset is worn: the
//! player's `WalkIntent` and, for each tracked hand, an entity with `TrackedHand` and `HandIntent`; [`PlaySpace`]; [`TeleportAim`];
//! [`Pulse`]s; [`Pressed`]. What hands take is `world::hand`'s business, the same as flat.
//!
//! The head moves freely; the body follows it, swept, so that it stops at walls. While the body walks or is put somewhere, the play
//! space goes with it. Nothing here names a device.

use avian3d::prelude::{ColliderOf, LinearVelocity, Position, RigidBody, SpatialQuery, SpatialQueryFilter};
use bevy::{ecs::system::SystemParam, input::InputSystems, math::Vec3A, prelude::*};

use super::{
    bindings::Action,
    eye_height,
    flat::{Pressed, Steering},
    hand_pulses::{feel, feel_hits, feel_zones},
    handed_over::{self, HandedOver},
    headset::HeadsetWanted,
    input_log::{Replay, is_replaying},
    locomotion::{Flick, Motion, Squeezed, arc, pitch_of, recentred, turned_about, vignette, yaw_of},
    ride,
    settings::{HeadsetSettings, Locomotion, Settings, Turning},
    tracking::{HandState, Pulse, Side, Tracking},
};
use crate::world::{
    HandIntent, MeasuredHead, WalkIntent,
    avatar::AvatarHand,
    hand::{Holding, TrackedHand},
    player::{Landing, Player, ViewPose, WalkSystems},
    snap_zones::ZoneMoved,
};

/// Steers the player from [`Tracking`].
pub struct TrackedRigPlugin;

impl Plugin for TrackedRigPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Tracking>()
            .init_resource::<Steering>()
            .init_resource::<PlaySpace>()
            .init_resource::<TeleportAim>()
            .init_resource::<Veiling>()
            .add_message::<Pressed>()
            .add_message::<Pulse>()
            .add_systems(
                PreUpdate,
                (
                    (
                        take_place,
                        (steer_head, steer_hands).chain().run_if(not(is_replaying)),
                        announce_buttons,
                        aim_teleport.run_if(not(is_replaying)),
                    )
                        .chain()
                        .run_if(is_worn),
                    leave_body.run_if(not(is_worn)),
                )
                    .chain()
                    .in_set(TrackedRigSystems)
                    .after(InputSystems),
            )
            .add_plugins((eye_height::plugin, handed_over::plugin))
            .add_systems(PreUpdate, ride::veil.run_if(is_worn.and_then(is_replaying)).after(TrackedRigSystems))
            .add_systems(FixedUpdate, follow_body.after(WalkSystems).run_if(is_worn))
            .add_systems(FixedLast, feel_hits.run_if(is_worn))
            .add_message::<ZoneMoved>()
            .add_systems(Update, (feel, feel_zones, toggle_headset))
            .add_systems(PostUpdate, draw_hands.before(TransformSystems::Propagate).run_if(is_worn));
    }
}

/// Tracking becomes intents, in `PreUpdate`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrackedRigSystems;

/// Run condition: the player acts through a headset.
pub fn is_worn(tracking: Res<Tracking>) -> bool {
    tracking.worn && tracking.head.is_some()
}

/// Where the play space lies, world from stage, at this tick and the one before it.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct PlaySpace {
    pub now: Isometry3d,
    before: Isometry3d,
    /// How far the floor of the play space lies below the feet, metres: not 0 for whoever sits.
    floor: f32,
    /// Whether it was put where the body is.
    settled: bool,
    /// The heading that the head gave the body last, radians.
    heading: Option<f32>,
}

impl PlaySpace {
    /// Between the last two ticks; `fraction` 0 is the one before, 1 is the last.
    pub fn between(&self, fraction: f32) -> Isometry3d {
        Isometry3d::new(
            self.before.translation.lerp(self.now.translation, fraction),
            self.before.rotation.slerp(self.now.rotation, fraction),
        )
    }

    /// It is put where the body stands before the next frame.
    pub(super) fn lay_anew(&mut self) {
        self.settled = false;
    }

    fn jump_to(&mut self, now: Isometry3d) {
        self.now = now;
        self.before = now;
    }
}

/// The arc of a teleport that is being aimed; empty: none is.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct TeleportAim {
    pub points: Vec<Vec3>,
    /// Where the body would stand.
    pub place: Option<Vec3>,
    /// Whose stick aims.
    by: Option<Side>,
}

/// What eases the eyes.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct Veiling {
    /// How far the edge of the picture closes in, 0 to 1.
    pub vignette: f32,
    /// How dark it is because the head is inside something, 0 to 1.
    pub fade: f32,
}

/// A hand of the player's, left or right, and how its buttons were.
#[derive(Component, Clone, Debug)]
pub struct RigHand {
    pub side: Side,
    /// Where it was last seen, in the play space.
    seen: Isometry3d,
    motion: Motion,
    grip: Squeezed,
    /// It closed for a menu: it takes nothing until it was open.
    busy: bool,
    /// It was closed since it took something because it was told to.
    gripped: bool,
}

/// Speed of the arc's beginning, metres per second, and how its points are made.
const ARC_SPEED: f32 = 6.5;
const ARC_STEP_SECS: f32 = 0.03;
const ARC_DEPTH: f32 = 6.0;
const ARC_POINTS: usize = 90;
const GRAVITY: f32 = 9.81;
/// Radians per second of a smooth turn at full deflection.
const TURN_RATE: f32 = 1.8;
/// A head lower than this crouches, as a share of its height when one stands.
const CROUCHED_BELOW: f32 = 0.757;
/// The head is in a wall when it is so far from the body that would be under it, metres, and a wall is between.
const HEAD_AWAY: (f32, f32) = (0.22, 0.40);
/// How far the thumb of a fist comes in that presses nothing.
const THUMB_AT_REST: f32 = 0.6;
/// From the eyes to the outside of the head, metres.
const HEAD_RADIUS: f32 = 0.12;
/// Farther than this the body did not go by itself: somebody put it there, metres.
const PUT_AWAY: f32 = 0.7;

fn horizontal(vector: Vec3) -> Vec2 {
    vector.xz()
}

/// Puts the play space where the body stands: when the headset is put on, when it is asked for, when the runtime laid its own
/// space anew, and when the eyes are to be at another height.
fn take_place(
    tracking: Res<Tracking>,
    settings: Res<Settings>,
    mut space: ResMut<PlaySpace>,
    mut players: Query<(&Position, &WalkIntent, &mut HandIntent), With<Player>>,
    mut was_clicked: Local<bool>,
    mut was_raised_to: Local<Option<f32>>,
) {
    let (Ok((feet, intent, mut hand)), Some(head)) = (players.single_mut(), tracking.head) else { return };
    let clicked = Side::BOTH.iter().any(|side| tracking.hand(*side).stick_click);
    let asked = clicked && !std::mem::replace(&mut *was_clicked, clicked);
    *was_clicked = clicked;
    // Seated, or where nobody knows the floor, the eyes are put to where they are when one stands.
    let raised_to = (settings.headset.seated || tracking.floorless).then_some(settings.headset.eye_height());
    let other_height = raised_to != std::mem::replace(&mut *was_raised_to, raised_to);
    if space.settled && !asked && !other_height && !tracking.relaid {
        return;
    }
    if !space.settled {
        // What the window's hand holds would hang before the face: the tracked hands may take it.
        *hand = HandIntent::default();
    }
    let floor = raised_to.map_or(0.0, |eyes| head.position.y - eyes);
    let place = recentred(head, feet.0, intent.yaw, floor);
    space.jump_to(place);
    space.floor = floor;
    space.settled = true;
    space.heading = None;
}

/// The head: heading, height, steps; sticks: walking and turning.
fn steer_head(
    tracking: Res<Tracking>,
    settings: Res<Settings>,
    steering: Res<Steering>,
    time: Res<Time<Real>>,
    mut space: ResMut<PlaySpace>,
    mut comfort: ResMut<Veiling>,
    mut players: Query<(Entity, &Position, &mut WalkIntent), With<Player>>,
    fixed: FixedThings,
    mut turn: Local<Flick>,
    mut jump: Local<bool>,
) {
    let (Ok((player, &Position(feet), mut walk)), Some(head)) = (players.single_mut(), tracking.head) else { return };
    let HeadsetSettings { locomotion, turning, left_handed, vignette: with_vignette, .. } = settings.headset;
    let (walking_hand, turning_hand) = hands_for(left_handed);
    let (mut walk_stick, mut turn_stick) = (tracking.hand(walking_hand).stick, tracking.hand(turning_hand).stick);
    if tracking.hand(walking_hand).is_bare() {
        // Each of two bare hands turns to its own side.
        turn_stick.x += std::mem::take(&mut walk_stick.x);
    }
    // Somebody turned the body, as a command does: the play space turns with it.
    if let Some(heading) = space.heading.filter(|heading| *heading != walk.yaw) {
        let place = turned_about(space.now, space.now * head.position, walk.yaw - heading);
        space.jump_to(place);
    }
    let seconds = time.delta_secs();
    let mut turned_smoothly = false;
    if steering.0 {
        let pivot = space.now * head.position;
        // A stick that is pushed forward aims; what it does sideways then is no turn.
        let sideways = if turn_stick.y.abs() > turn_stick.x.abs() { 0.0 } else { turn_stick.x };
        let angle = match turning {
            Turning::Snap => -turn.read(sideways) * settings.headset.snap_degrees.to_radians(),
            Turning::Smooth => -sideways * TURN_RATE * seconds,
        };
        if angle != 0.0 {
            turned_smoothly = turning == Turning::Smooth;
            let place = turned_about(space.now, pivot, angle);
            space.jump_to(place);
        }
    }
    let eyes = space.now * head.position;
    let rotation = space.now.rotation * head.rotation;
    let (yaw, pitch) = (yaw_of(rotation), pitch_of(rotation));
    space.heading = Some(yaw);
    let height = (eyes.y - feet.y).max(0.1);
    let direction = match locomotion {
        Locomotion::Smooth if steering.0 && walk_stick.length() > 0.15 => walk_stick.clamp_length_max(1.0),
        _ => Vec2::ZERO,
    };
    let jumps = tracking.hand(turning_hand).primary;
    let jump_begins = jumps && !std::mem::replace(&mut *jump, jumps);
    *jump = jumps;
    *walk = WalkIntent {
        direction,
        run: false,
        crouch: height < CROUCHED_BELOW * settings.headset.eye_height(),
        jump: walk.jump || (jump_begins && steering.0),
        yaw,
        pitch,
        // The body goes to where the head is, whatever it did not manage before.
        stride: horizontal(eyes - feet),
        teleport: walk.teleport,
        head: Some(MeasuredHead { height, rotation }),
    };
    let moving = with_vignette && (direction != Vec2::ZERO || turned_smoothly);
    comfort.vignette = vignette(comfort.vignette, moving, seconds);
    let away = horizontal(eyes - feet);
    // Leaning over a table leaves the body behind as well: only what stands between body and head darkens the picture.
    let above_body = Vec3::new(feet.x, eyes.y, feet.z);
    let walled = away.length() > HEAD_AWAY.0 && fixed.between(above_body, eyes + away_beyond(away), player);
    let depth = (away.length() - HEAD_AWAY.0) / (HEAD_AWAY.1 - HEAD_AWAY.0);
    comfort.fade = if walled { depth.clamp(0.0, 1.0) } else { 0.0 };
}

/// From the eyes to the front of a head that leans this way, metres.
fn away_beyond(away: Vec2) -> Vec3 {
    let front = away.normalize_or_zero() * HEAD_RADIUS;
    Vec3::new(front.x, 0.0, front.y)
}

/// What does not move: walls and furniture that is fixed.
#[derive(SystemParam)]
struct FixedThings<'w, 's> {
    spatial: SpatialQuery<'w, 's>,
    bodies: Query<'w, 's, &'static RigidBody>,
    parts: Query<'w, 's, &'static ColliderOf>,
}

impl FixedThings<'_, '_> {
    /// Whether something fixed stands between two points.
    fn between(&self, from: Vec3, to: Vec3, player: Entity) -> bool {
        let Ok((direction, length)) = Dir3::new_and_length(to - from) else { return false };
        let filter = SpatialQueryFilter::from_excluded_entities([player]);
        let is_fixed = |entity| {
            let body = self.parts.get(entity).map_or(entity, |part| part.body);
            self.bodies.get(body).is_ok_and(|body| body.is_static())
        };
        self.spatial.cast_ray_predicate(from, direction, length, true, &filter, &is_fixed).is_some()
    }
}

/// The hand whose stick walks, and the one whose stick turns.
pub(super) fn hands_for(left_handed: bool) -> (Side, Side) {
    if left_handed { (Side::Right, Side::Left) } else { (Side::Left, Side::Right) }
}

/// Whether a hand holds on: with its grip, or with its trigger where it points at something or has no grip.
fn closes(state: &HandState) -> f32 {
    state.squeeze.max(state.trigger)
}

/// Hands come, move, close and go.
fn steer_hands(
    mut commands: Commands,
    tracking: Res<Tracking>,
    steering: Res<Steering>,
    space: Res<PlaySpace>,
    players: Query<(Entity, &LinearVelocity), With<Player>>,
    mut hands: Query<(
        &mut RigHand,
        &mut TrackedHand,
        &mut HandIntent,
        &mut ViewPose,
        &mut AvatarHand,
        Option<&Holding>,
    )>,
) {
    let Ok((player, &LinearVelocity(carried))) = players.single() else { return };
    for side in Side::BOTH {
        let state = tracking.hand(side);
        let found = hands.iter_mut().find(|hand| hand.0.side == side);
        let Some(grip) = state.grip else {
            // A hand out of sight stays where it was in the play space, closed as it was, until the headset is taken off.
            if let Some((mut hand, mut tracked, ..)) = found {
                hand.motion = Motion::default();
                let palm = space.now * hand.seen;
                *tracked = TrackedHand { of: player, palm, velocity: carried, spin: Vec3::ZERO };
            }
            continue;
        };
        let aim = state.aim.unwrap_or(grip);
        let (palm, ray) = (space.now * Isometry3d::from(grip), space.now * Isometry3d::from(aim));
        match found {
            None => {
                commands.spawn((
                    RigHand {
                        side,
                        seen: grip.into(),
                        motion: Motion::default(),
                        grip: Squeezed::default(),
                        busy: false,
                        gripped: false,
                    },
                    Name::new(if side == Side::Left { "left hand" } else { "right hand" }),
                    TrackedHand { of: player, palm, velocity: Vec3::ZERO, spin: Vec3::ZERO },
                    ViewPose { now: ray, before: ray },
                    Transform::from_isometry(palm),
                    AvatarHand { left: side == Side::Left, index_curl: 0.0, fist_curl: 0.0, thumb_curl: 0.0 },
                ));
            }
            Some((mut hand, mut tracked, mut intent, mut view, mut avatar, holding)) => {
                if tracking.relaid {
                    // It did not move: what it is measured from did.
                    hand.motion = Motion::default();
                }
                hand.motion.push(tracking.seconds, grip);
                let (velocity, spin) = hand.motion.velocities();
                *tracked = TrackedHand {
                    of: player,
                    palm,
                    velocity: space.now.rotation * velocity + carried,
                    spin: space.now.rotation * spin,
                };
                *view = ViewPose { now: ray, before: view.now };
                hand.seen = grip.into();
                let thumb_curl = if state.thumb_presses() { 1.0 } else { THUMB_AT_REST * state.squeeze };
                *avatar = AvatarHand { index_curl: closes(state), fist_curl: state.squeeze, thumb_curl, ..*avatar };
                let closed = hand.grip.read(closes(state));
                // In a menu nothing is taken, and what is held stays held.
                hand.busy = (hand.busy || !steering.0) && closed;
                // What it took because it was told to stays in the open hand, until that closes and opens.
                let by_word = holding.is_some_and(|holding| holding.by_word);
                hand.gripped = by_word && (hand.gripped || closed);
                let keeps = by_word && !hand.gripped;
                intent.grab = if steering.0 && !hand.busy { closed || keeps } else { holding.is_some() };
            }
        }
    }
}

/// Buttons that open something. Once it is open they are its own (`panel_pointer`).
fn announce_buttons(
    tracking: Res<Tracking>,
    settings: Res<Settings>,
    steering: Res<Steering>,
    replay: Option<Res<Replay>>,
    mut were_down: Local<[bool; 3]>,
    mut pressed: MessageWriter<Pressed>,
) {
    let replaying = is_replaying(replay);
    let (walking, turning) = hands_for(settings.headset.left_handed);
    let buttons = [
        (Side::BOTH.iter().any(|side| tracking.hand(*side).menu), Action::Pause),
        (tracking.hand(turning).secondary, Action::Ask),
        (tracking.hand(walking).secondary, Action::Materials),
    ];
    for ((down, action), was_down) in buttons.into_iter().zip(&mut *were_down) {
        if down && !std::mem::replace(was_down, down) && steering.0 && !(replaying && action.commands()) {
            pressed.write(Pressed(action));
        }
        *was_down = down;
    }
}

/// Hands are drawn where they are between two ticks, as the eyes are.
fn draw_hands(space: Res<PlaySpace>, time: Res<Time<Fixed>>, mut hands: Query<(&RigHand, &mut Transform)>) {
    let world_from_stage = space.between(time.overstep_fraction());
    for (hand, mut transform) in &mut hands {
        *transform = Transform::from_isometry(world_from_stage * hand.seen);
    }
}

/// A stick pushed forward aims, let go it teleports; a button pressed meanwhile takes it back.
fn aim_teleport(
    tracking: Res<Tracking>,
    settings: Res<Settings>,
    steering: Res<Steering>,
    landing: Landing,
    mut space: ResMut<PlaySpace>,
    mut aim: ResMut<TeleportAim>,
    mut players: Query<(Entity, &mut WalkIntent), With<Player>>,
    mut pulses: MessageWriter<Pulse>,
) {
    let (Ok((player, mut walk)), Some(head)) = (players.single_mut(), tracking.head) else { return };
    let (walking, turning) = hands_for(settings.headset.left_handed);
    let aims = |side: Side| {
        let forward = tracking.hand(side).stick.y;
        let may = side == turning || settings.headset.locomotion == Locomotion::Teleport;
        let begun = aim.by == Some(side);
        may && tracking.hand(side).aim.is_some() && forward > if begun { 0.3 } else { 0.7 }
    };
    let by = steering.0.then(|| [turning, walking].into_iter().find(|side| aims(*side))).flatten();
    match (by, aim.by) {
        (Some(side), _) => {
            let Some(hand) = tracking.hand(side).aim else { return };
            let ray = space.now * Isometry3d::from(hand);
            let velocity = ray.rotation * Vec3::NEG_Z * ARC_SPEED;
            let path = arc(ray.translation.into(), velocity, GRAVITY, ARC_STEP_SECS, ARC_DEPTH, ARC_POINTS);
            let end = landing.follow(&path, space.now * head.position, player);
            let mut points = path;
            points.truncate(end.points);
            points.push(end.point);
            if end.place.is_some() != aim.place.is_some() {
                pulses.write(Pulse { side, strength: 0.2, seconds: 0.02 });
            }
            *aim = TeleportAim { points, place: end.place, by: Some(side) };
        }
        (None, Some(side)) => {
            // What else the hand does now takes it back; so does losing sight of it.
            let hand = tracking.hand(side);
            let lost = hand.aim.is_none();
            let taken_back = lost || hand.primary || hand.secondary || hand.menu;
            if let (Some(feet), true, false) = (aim.place, steering.0, taken_back) {
                // The head comes to stand above the place.
                let eyes = space.now * head.position;
                let by = feet - Vec3::new(eyes.x, space.now.translation.y + space.floor, eyes.z);
                let mut place = space.now;
                place.translation += Vec3A::from(by);
                space.jump_to(place);
                walk.teleport = Some(feet);
                walk.stride = Vec2::ZERO;
                pulses.write(Pulse { side, strength: 0.5, seconds: 0.05 });
            }
            *aim = TeleportAim::default();
        }
        (None, None) => {}
    }
}

/// The play space follows the body where the body moved by itself: walking, falling, put somewhere.
fn follow_body(
    tracking: Res<Tracking>,
    time: Res<Time>,
    replay: Option<Res<Replay>>,
    mut space: ResMut<PlaySpace>,
    players: Query<(&Transform, &WalkIntent), With<Player>>,
) {
    let (Ok((transform, walk)), Some(head)) = (players.single(), tracking.head) else { return };
    // Whoever wears the headset while a recording walks rides along above its feet, and looks where they want.
    let rides = is_replaying(replay);
    space.before = space.now;
    if walk.teleport.is_some() {
        return;
    }
    let feet = transform.translation;
    let eyes = space.now * head.position;
    let away = horizontal(feet - eyes);
    if rides || walk.direction != Vec2::ZERO || away.length() > PUT_AWAY {
        space.now.translation += Vec3A::new(away.x, 0.0, away.y);
        if away.length() > PUT_AWAY {
            space.before = space.now;
        }
    }
    let rise = feet.y - space.floor - space.now.translation.y;
    // Steps are climbed smoothly; whoever falls, falls.
    let share = if rise.abs() < 0.5 { 1.0 - (-14.0 * time.delta_secs()).exp() } else { 1.0 };
    space.now.translation.y += rise * share;
}

/// Without a headset the body is steered from the window again, and the hands are gone; what they held is the window's hand's.
fn leave_body(
    mut commands: Commands,
    hands: Query<(Entity, Option<&Holding>), With<RigHand>>,
    mut players: Query<&mut WalkIntent, With<Player>>,
    mut space: ResMut<PlaySpace>,
    mut over: ResMut<HandedOver>,
    mut aim: ResMut<TeleportAim>,
    mut comfort: ResMut<Veiling>,
) {
    if !space.settled {
        return;
    }
    space.settled = false;
    *aim = TeleportAim::default();
    *comfort = Veiling::default();
    over.0 = hands.iter().find_map(|(_, holding)| holding.map(|holding| holding.body));
    for (hand, _) in &hands {
        commands.entity(hand).despawn();
    }
    for mut walk in &mut players {
        *walk = WalkIntent { yaw: walk.yaw, pitch: walk.pitch, ..default() };
    }
}

/// The headset key puts it on and takes it off.
fn toggle_headset(mut pressed: MessageReader<Pressed>, wanted: Option<ResMut<HeadsetWanted>>) {
    let asked = pressed.read().filter(|pressed| pressed.0 == Action::Headset).count() % 2 == 1;
    if let (true, Some(mut wanted)) = (asked, wanted) {
        wanted.0 = !wanted.0;
    }
}
