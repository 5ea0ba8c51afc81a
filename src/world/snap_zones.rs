//! Places that things click into: what fits and is let go near glides there and stays until it is taken again.
//!
//! In: zones of the scene, what hands hold and let go ([`HandMoved`]). Out: [`SnapZone`] (what it would take now, what it holds),
//! [`Snapped`] on the thing, [`ZoneMoved`] for sounds, hands and quests. A thing in a zone stays a dynamic body, led to its place with
//! limited force: it rests against what stands there, and comes away when it is held off for long. What is thrown does not snap. What
//! stands in a zone when the scene begins is in it.
//!
//! What is absent: how a zone is shown.

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    Grabbable, Label, SceneObject, SceneReady,
    hand::{HandAction, HandMoved, HandSettings, HandSystems, HeldBy, carried_spin},
};
use crate::{
    base::ClassTable,
    scene::{SnapFit, SnapZoneSpec},
};

/// Adds zones to a world with hands.
pub(super) fn plugin(app: &mut App) {
    app.add_message::<SceneReady>()
        .add_message::<ZoneMoved>()
        .init_resource::<ClassTable>()
        .add_systems(Update, follow_scene)
        .add_systems(FixedUpdate, (give, take, offer, hold_from_the_start, lead).chain().after(HandSystems));
}

/// A place that things click into.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct SnapZone {
    pub spec: SnapZoneSpec,
    /// The thing in it.
    pub holds: Option<Entity>,
    /// Something that fits, is carried and comes near.
    pub near: Option<Entity>,
    /// Whether it is so near that letting it go puts it here.
    pub offers: bool,
}

impl SnapZone {
    fn new(spec: SnapZoneSpec) -> Self {
        Self { spec, holds: None, near: None, offers: false }
    }

    /// Where the origin of the thing comes to be.
    pub fn place(&self) -> Isometry3d {
        Isometry3d::new(self.spec.position, self.spec.rotation)
    }

    fn fits(&self, thing: &Thing, classes: &ClassTable) -> bool {
        let is = |fit: &SnapFit| match fit {
            SnapFit::Class(class) => thing.label.is_some_and(|label| classes.id(class) == Some(label.class)),
            SnapFit::Object(name) => thing.object.is_some_and(|object| object.0 == *name),
        };
        self.spec.takes.is_empty() || self.spec.takes.iter().any(is)
    }

    /// How far a body's middle is from where it would be here, metres.
    fn distance(&self, position: Vec3, rotation: Quat, center: Vec3) -> f32 {
        (self.place() * center).distance(position + rotation * center)
    }
}

/// Is in a zone.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Snapped {
    pub zone: Entity,
    /// How long it has been off its place, seconds.
    off_secs: f32,
}

/// What a zone did; for sounds, hands and quests.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneMoved {
    pub zone: Entity,
    pub body: Entity,
    /// Whose hand it was.
    pub hand: Entity,
    pub what: ZoneAction,
}

/// One thing that a zone does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneAction {
    /// Would take what the hand holds.
    Offered,
    Took,
    /// Gave it to the hand.
    Gave,
}

/// A zone is shown to what fits within this many of its radii.
const SHOWN_WITHIN: f32 = 2.5;
/// Share of the way to its place that a thing makes up per second, the most it moves (m/s) and how hard it is led (m/s²).
const GLIDE_RATE: f32 = 14.0;
const GLIDE_SPEED: f32 = 1.5;
const GLIDE_ACCELERATION: f32 = 40.0;
/// Farther than this from its place for so long, a thing is held off and falls out: metres, seconds.
const OFF: (f32, f32) = (0.04, 2.0);
/// What stands so near to its place when the scene begins is in the zone, metres.
const STANDS_IN: f32 = 0.05;

/// A body as zones know it.
struct Thing<'a> {
    label: Option<&'a Label>,
    object: Option<&'a SceneObject>,
}

/// Zones come, move and go with the scene; what one of the same name held goes along.
fn follow_scene(
    mut changes: MessageReader<SceneReady>,
    mut zones: Query<(Entity, &mut SnapZone)>,
    mut commands: Commands,
) {
    let Some(change) = changes.read().last() else { return };
    let mut known = Vec::new();
    for (entity, mut zone) in &mut zones {
        match change.new.snap_zones.iter().find(|spec| spec.name == zone.spec.name) {
            Some(spec) => {
                known.push(spec.name.as_str());
                if zone.spec != *spec {
                    zone.spec = spec.clone();
                }
            }
            None => {
                if let Some(body) = zone.holds {
                    free(&mut commands, body);
                }
                commands.entity(entity).despawn();
            }
        }
    }
    for spec in change.new.snap_zones.iter().filter(|spec| !known.contains(&spec.name.as_str())) {
        commands.spawn((Name::new(format!("snap zone {}", spec.name)), SnapZone::new(spec.clone())));
    }
}

fn free(commands: &mut Commands, body: Entity) {
    if let Ok(mut body) = commands.get_entity(body) {
        body.try_remove::<(Snapped, SleepingDisabled)>();
    }
}

/// What a hand takes leaves its zone.
fn give(
    mut moved: MessageReader<HandMoved>,
    snapped: Query<&Snapped>,
    mut zones: Query<&mut SnapZone>,
    mut commands: Commands,
    mut answers: MessageWriter<ZoneMoved>,
) {
    for HandMoved { hand, body, what } in moved.read() {
        let (HandAction::Took, Ok(Snapped { zone, .. })) = (what, snapped.get(*body)) else { continue };
        // The hand keeps it awake.
        commands.entity(*body).remove::<Snapped>();
        if let Ok(mut zone) = zones.get_mut(*zone) {
            zone.holds = None;
        }
        answers.write(ZoneMoved { zone: *zone, body: *body, hand: *hand, what: ZoneAction::Gave });
    }
}

/// What is let go where a zone offers itself, not thrown, is taken by it.
fn take(
    mut moved: MessageReader<HandMoved>,
    mut zones: Query<(Entity, &mut SnapZone)>,
    mut commands: Commands,
    mut answers: MessageWriter<ZoneMoved>,
) {
    for HandMoved { hand, body, what } in moved.read() {
        if *what != HandAction::LetGo {
            continue;
        }
        let offering = zones.iter_mut().find(|(_, zone)| zone.offers && zone.near == Some(*body));
        let Some((entity, mut zone)) = offering else { continue };
        if zone.holds.is_some() {
            continue;
        }
        zone.holds = Some(*body);
        commands.entity(*body).try_insert((Snapped { zone: entity, off_secs: 0.0 }, SleepingDisabled));
        answers.write(ZoneMoved { zone: entity, body: *body, hand: *hand, what: ZoneAction::Took });
    }
}

/// Each thing that is carried is offered the nearest empty zone that it fits into.
fn offer(
    held: Query<(Entity, &HeldBy, (&Position, &Rotation, &ComputedCenterOfMass), Option<&Label>, Option<&SceneObject>)>,
    mut zones: Query<(Entity, &mut SnapZone)>,
    classes: Res<ClassTable>,
    mut answers: MessageWriter<ZoneMoved>,
) {
    let mut pairs: Vec<(f32, Entity, Entity, Entity)> = Vec::new();
    for (body, HeldBy(hand), (position, rotation, center), label, object) in &held {
        let thing = Thing { label, object };
        for (entity, zone) in zones.iter().filter(|(_, zone)| zone.holds.is_none() && zone.fits(&thing, &classes)) {
            let share = zone.distance(position.0, rotation.0, center.0) / zone.spec.radius;
            if share < SHOWN_WITHIN {
                pairs.push((share, entity, body, *hand));
            }
        }
    }
    // The nearest first, each zone and each thing once.
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut wanted: Vec<(Entity, Entity, Entity, bool)> = Vec::new();
    for (share, zone, body, hand) in pairs {
        if !wanted.iter().any(|pair| pair.0 == zone || pair.1 == body) {
            wanted.push((zone, body, hand, share < 1.0));
        }
    }
    for (entity, mut zone) in &mut zones {
        let found = wanted.iter().find(|(wanted, ..)| *wanted == entity);
        let (near, offers) = (found.map(|found| found.1), found.is_some_and(|found| found.3));
        if (zone.near, zone.offers) == (near, offers) {
            continue;
        }
        if let (Some((_, body, hand, true)), false) = (found, zone.offers && zone.near == near) {
            answers.write(ZoneMoved { zone: entity, body: *body, hand: *hand, what: ZoneAction::Offered });
        }
        (zone.near, zone.offers) = (near, offers);
    }
}

type Standing<'a> = (Entity, (Ref<'a, Position>, &'a Rotation), Option<&'a Label>, &'a SceneObject, &'a RigidBody);

/// What the author put into a zone is in it.
fn hold_from_the_start(
    mut zones: Query<(Entity, &mut SnapZone)>,
    things: Query<Standing<'static>, (With<Grabbable>, Without<HeldBy>, Without<Snapped>)>,
    classes: Res<ClassTable>,
    mut commands: Commands,
) {
    for (entity, mut zone) in &mut zones {
        if zone.holds.is_some() {
            continue;
        }
        let is_new = zone.is_added();
        let place = zone.place();
        let standing = things.iter().find(|(_, (position, rotation), label, object, body)| {
            (is_new || position.is_added())
                && body.is_dynamic()
                && position.0.distance(place.translation.into()) < STANDS_IN
                && rotation.0.angle_between(place.rotation) < 0.2
                && zone.fits(&Thing { label: *label, object: Some(object) }, &classes)
        });
        if let Some((body, ..)) = standing {
            zone.holds = Some(body);
            commands.entity(body).insert((Snapped { zone: entity, off_secs: 0.0 }, SleepingDisabled));
        }
    }
}

/// The velocity that leads a thing to its place in a zone, gravity aside.
fn gliding_velocity(offset: Vec3, velocity: Vec3, dt: f32) -> Vec3 {
    let wanted = (offset * GLIDE_RATE).clamp_length_max(GLIDE_SPEED);
    velocity + (wanted - velocity).clamp_length_max(GLIDE_ACCELERATION * dt)
}

/// Leads things to their places and keeps them there.
fn lead(
    mut zones: Query<&mut SnapZone>,
    mut bodies: Query<
        (Entity, &mut Snapped, (&Position, &Rotation), &mut LinearVelocity, &mut AngularVelocity),
        Without<HeldBy>,
    >,
    snapped: Query<(), With<Snapped>>,
    (settings, gravity, time): (Res<HandSettings>, Res<Gravity>, Res<Time>),
    mut commands: Commands,
) {
    let dt = time.delta_secs();
    for (body, mut state, (position, rotation), mut velocity, mut spin) in &mut bodies {
        let Ok(mut zone) = zones.get_mut(state.zone) else {
            free(&mut commands, body);
            continue;
        };
        let place = zone.place();
        let offset = Vec3::from(place.translation) - position.0;
        state.off_secs = if offset.length() > OFF.0 { state.off_secs + dt } else { 0.0 };
        if state.off_secs > OFF.1 {
            zone.holds = None;
            free(&mut commands, body);
            continue;
        }
        velocity.0 = gliding_velocity(offset, velocity.0, dt) - gravity.0 * dt;
        spin.0 = carried_spin(rotation.0, place.rotation, &settings);
    }
    for mut zone in &mut zones {
        // Gone from the world.
        if zone.holds.is_some_and(|body| !snapped.contains(body)) {
            zone.holds = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_glide_with_limited_speed_and_stop_at_their_place() {
        let dt = 1.0 / 60.0;
        let (mut offset, mut velocity, mut fastest) = (Vec3::X * 0.3, Vec3::ZERO, 0.0_f32);
        for _ in 0..60 {
            velocity = gliding_velocity(offset, velocity, dt);
            offset -= velocity * dt;
            fastest = fastest.max(velocity.length());
            assert!(offset.x > -0.01, "it goes beyond by {}", -offset.x);
        }
        assert!(fastest <= GLIDE_SPEED + 1e-5 && fastest > 1.0, "{fastest}");
        assert!(offset.length() < 1e-3 && velocity.length() < 0.02);
    }
}
