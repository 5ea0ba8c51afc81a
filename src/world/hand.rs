//! Hands: taking, carrying, turning and throwing things.
//!
//! In: `HandIntent` and `ViewPose`, each fixed tick. Out: `HandTarget` (what could be taken), `Holding` on the hand's
//! entity and `HeldBy` on the thing. What is held stays a dynamic body: it is drawn to its place by its velocity, with
//! limited force, so it collides with the world, drags when heavy and is lost when it hangs behind something.
//!
//! A [`TrackedHand`] is a person's own, measured: it takes what its palm touches, else what its ray meets, holds it as it was
//! taken, and what it lets go flies on as the hand moved.
//!
//! Not here: input devices, how the target is shown.

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    Grabbable, HandIntent, Layer,
    player::{Player, ViewPose, WalkSystems},
};

/// Applies `HandIntent` in `FixedUpdate`, after walking and before physics steps.
pub struct HandPlugin;

impl Plugin for HandPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<HandSettings>()
            .register_required_components::<Player, Hand>()
            .add_message::<HandMoved>()
            .add_observer(settle_what_was_let_go)
            .add_systems(
                FixedUpdate,
                (aim, take, carry, let_go, collide_again).chain().in_set(HandSystems).after(WalkSystems),
            );
    }
}

/// All that hands do in a tick.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandSystems;

/// A hand that reaches along the `ViewPose` of its entity.
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(HandIntent, HandTarget, ViewPose)]
pub struct Hand {
    /// Whether the grip was closed in the tick before: only closing it takes something.
    closed: bool,
    /// A thing to be taken next, whatever the line of sight meets.
    told: Option<Entity>,
}

impl Hand {
    /// Tells the hand to take a thing with its next grip, wherever the eyes look.
    pub fn told(&mut self, thing: Entity) {
        self.told = Some(thing);
        self.closed = false;
    }
}

/// A person's hand in a headset; its [`ViewPose`] is the ray that it points with.
#[derive(Component, Clone, Copy, Debug)]
#[require(Hand)]
pub struct TrackedHand {
    /// The walking body that it belongs to.
    pub of: Entity,
    /// World space: the middle of the palm, −Z towards the thumb's side, −Y along the fingers of a flat hand.
    pub palm: Isometry3d,
    /// Metres and radians per second, world space.
    pub velocity: Vec3,
    pub spin: Vec3,
}

/// The thing that a grab would take now.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandTarget(pub Option<Entity>);

/// What a hand holds, and how.
#[derive(Component, Clone, Copy, Debug)]
pub struct Holding {
    pub body: Entity,
    /// From the eyes to the held thing's centre of mass, metres.
    pub distance: f32,
    /// Turn of the thing relative to the view's heading.
    rotation: Quat,
    /// In a tracked hand: the thing in the palm's space, instead of the two above.
    in_palm: Option<Isometry3d>,
    /// How long the thing has been too far from its place, seconds; below zero it is still on its way.
    strained_secs: f32,
    /// Taken because the hand was told to, not because a button is held.
    pub by_word: bool,
}

impl Holding {
    /// Holds `body` half a metre away, turned like the view.
    pub fn at_arms_length(body: Entity) -> Self {
        Self { body, distance: 0.5, rotation: Quat::IDENTITY, in_palm: None, strained_secs: 0.0, by_word: false }
    }
}

/// The hand that holds this body.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBy(pub Entity);

/// Was let go and may still overlap whoever carried it.
#[derive(Component, Clone, Copy, Debug)]
struct LetGo {
    by: Entity,
}

/// What a hand did; for sounds and quests.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct HandMoved {
    pub body: Entity,
    pub what: HandAction,
}

/// One thing that a hand does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandAction {
    Took,
    LetGo,
    Threw,
}

/// So long a thing that was taken from afar may take to arrive, seconds.
const FETCH_SECS: f32 = 0.8;
/// What is farther from the palm than this when it is taken, comes into it, metres.
const FETCHED_FROM: f32 = 0.3;
/// What leaves a tracked hand faster than this was thrown, metres per second.
const THROWN_SPEED: f32 = 1.2;

/// Reach and strength of hands. Metres, seconds, newtons, joules.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct HandSettings {
    pub reach: f32,
    /// A thing this far from the line of sight is still taken, if nothing else is in the way.
    pub aim_radius: f32,
    /// A tracked hand takes what is this near to its palm.
    pub palm_radius: f32,
    pub nearest: f32,
    pub farthest: f32,
    /// Share of the distance to its place that a held thing makes up per second.
    pub stiffness: f32,
    pub max_speed: f32,
    pub max_force: f32,
    /// Farther than this from its place for `strain_secs`, a thing slips out of the hand.
    pub max_strain: f32,
    pub strain_secs: f32,
    pub throw_speed: f32,
    /// Heavy things are thrown more slowly.
    pub throw_energy: f32,
}

impl Default for HandSettings {
    fn default() -> Self {
        Self {
            reach: 2.5,
            aim_radius: 0.08,
            palm_radius: 0.09,
            nearest: 0.4,
            farthest: 2.5,
            stiffness: 12.0,
            max_speed: 6.0,
            max_force: 300.0,
            max_strain: 0.8,
            strain_secs: 0.25,
            throw_speed: 10.0,
            throw_energy: 60.0,
        }
    }
}

/// Speed of a throw, metres per second: a strong arm's, or what its energy gives a heavy thing (E = ½ m v²).
fn throw_speed(mass_kg: f32, settings: &HandSettings) -> f32 {
    settings.throw_speed.min((2.0 * settings.throw_energy / mass_kg.max(1e-3)).sqrt())
}

/// The velocity that leads a thing towards its place in this tick, from `velocity`, with limited speed and force.
fn carried_velocity(offset: Vec3, velocity: Vec3, mass_kg: f32, dt: f32, settings: &HandSettings) -> Vec3 {
    let wanted = (offset * settings.stiffness).clamp_length_max(settings.max_speed);
    velocity + (wanted - velocity).clamp_length_max(settings.max_force / mass_kg.max(1e-3) * dt)
}

/// The angular velocity that turns `from` towards `to`, radians per second.
fn carried_spin(from: Quat, to: Quat, settings: &HandSettings) -> Vec3 {
    let mut turn = to * from.inverse();
    if turn.w < 0.0 {
        turn = -turn;
    }
    (turn.to_scaled_axis() * settings.stiffness).clamp_length_max(15.0)
}

/// The velocity of a point that moves with a hand, metres per second.
fn velocity_with(hand: &TrackedHand, point: Vec3) -> Vec3 {
    hand.velocity + hand.spin.cross(point - Vec3::from(hand.palm.translation))
}

/// The velocity that keeps a thing in a tracked hand: the hand's own, and what makes up for the distance.
fn followed_velocity(
    offset: Vec3,
    with_hand: Vec3,
    velocity: Vec3,
    mass_kg: f32,
    dt: f32,
    settings: &HandSettings,
) -> Vec3 {
    let wanted = with_hand + (offset * 2.0 * settings.stiffness).clamp_length_max(settings.max_speed);
    // A hand accelerates with the strength of an arm on top of what carrying takes.
    velocity + (wanted - velocity).clamp_length_max(2.0 * settings.max_force / mass_kg.max(1e-3) * dt)
}

/// Heading of a view about +Y, as a rotation.
fn heading(rotation: Quat) -> Quat {
    Quat::from_rotation_y(rotation.to_euler(EulerRot::YXZ).0)
}

/// Finds what could be taken: the first thing on the line of sight, else one close beside it that nothing hides.
fn aim(
    mut hands: Query<(Entity, &ViewPose, &mut HandTarget, Option<&TrackedHand>, Has<Holding>), With<Hand>>,
    spatial: SpatialQuery,
    colliders: Query<&ColliderOf>,
    places: Query<(&Position, &Rotation, &ComputedCenterOfMass)>,
    grabbable: Query<(), (With<Grabbable>, Without<HeldBy>)>,
    settings: Res<HandSettings>,
) {
    let body_of = |collider: Entity| colliders.get(collider).map(|of| of.body).ok();
    let takes = |collider: Entity| body_of(collider).is_some_and(|body| grabbable.contains(body));
    let touched = |tracked: &TrackedHand| {
        let palm = Vec3::from(tracked.palm.translation);
        let filter = SpatialQueryFilter::from_excluded_entities([tracked.of]);
        let distance = |body: Entity| {
            let (position, rotation, center) = places.get(body).ok()?;
            Some((body, palm.distance(position.0 + rotation.0 * center.0)))
        };
        spatial
            .shape_intersections(&Collider::sphere(settings.palm_radius), palm, Quat::IDENTITY, &filter)
            .into_iter()
            .filter(|collider| takes(*collider))
            .filter_map(|collider| distance(body_of(collider)?))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
            .map(|(body, _)| body)
    };
    for (entity, view, mut target, tracked, holds) in &mut hands {
        let found = if holds {
            None
        } else if let Some(body) = tracked.and_then(touched) {
            Some(body)
        } else {
            let owner = tracked.map_or(entity, |tracked| tracked.of);
            let filter = SpatialQueryFilter::from_excluded_entities([entity, owner]);
            let ray = view.ray();
            let first = spatial.cast_ray(ray.origin, ray.direction, settings.reach, true, &filter);
            match first {
                Some(hit) if takes(hit.entity) => body_of(hit.entity),
                _ => {
                    let limit = first.map_or(settings.reach, |hit| hit.distance);
                    spatial
                        .cast_shape_predicate(
                            &Collider::sphere(settings.aim_radius),
                            ray.origin,
                            Quat::IDENTITY,
                            ray.direction,
                            &ShapeCastConfig::from_max_distance(limit),
                            &filter,
                            &takes,
                        )
                        .filter(|hit| {
                            // A little past the surface, so that the ray meets the thing itself if nothing hides it.
                            let to = (hit.point1 - ray.origin) * 1.01;
                            Dir3::new_and_length(to).is_ok_and(|(direction, length)| {
                                spatial
                                    .cast_ray(ray.origin, direction, length, true, &filter)
                                    .is_none_or(|seen| body_of(seen.entity) == body_of(hit.entity))
                            })
                        })
                        .and_then(|hit| body_of(hit.entity))
                }
            }
        };
        target.set_if_neq(HandTarget(found));
    }
}

/// Closing the grip takes the target.
fn take(
    mut commands: Commands,
    mut hands: Query<
        (Entity, &mut Hand, &mut HandIntent, &HandTarget, &ViewPose, Option<&TrackedHand>),
        Without<Holding>,
    >,
    bodies: Query<(&Position, &Rotation, &ComputedCenterOfMass, &RigidBodyColliders), Without<HeldBy>>,
    settings: Res<HandSettings>,
    mut moved: MessageWriter<HandMoved>,
) {
    for (entity, mut hand, mut intent, target, view, tracked) in &mut hands {
        // An empty hand has nothing to throw, now or later.
        intent.throw = false;
        let closing = intent.grab && !hand.closed;
        hand.closed = intent.grab;
        let told = hand.told.take();
        let (true, Some(body)) = (closing, told.or(target.0)) else { continue };
        let Ok((position, rotation, center, colliders)) = bodies.get(body) else { continue };
        let center = position.0 + rotation.0 * center.0;
        let holding = Holding {
            body,
            distance: center.distance(view.now.translation.into()).clamp(settings.nearest, settings.farthest),
            rotation: heading(view.now.rotation).inverse() * rotation.0,
            in_palm: tracked.map(|tracked| {
                let palm = Vec3::from(tracked.palm.translation);
                // What was taken from afar comes into the palm.
                let brought = if palm.distance(center) > FETCHED_FROM { palm - center } else { Vec3::ZERO };
                tracked.palm.inverse() * Isometry3d::new(position.0 + brought, rotation.0)
            }),
            strained_secs: if tracked.is_some() || told.is_some() { -FETCH_SECS } else { 0.0 },
            by_word: told.is_some(),
        };
        commands.entity(entity).insert(holding);
        commands.entity(body).remove::<(LetGo, Sleeping)>().insert((HeldBy(entity), SleepingDisabled));
        for collider in colliders {
            commands
                .entity(collider)
                .insert(CollisionLayers::new(Layer::Held, LayerMask::from([Layer::Things, Layer::Held])));
        }
        moved.write(HandMoved { body, what: HandAction::Took });
    }
}

/// Draws what is held to its place.
fn carry(
    mut commands: Commands,
    mut hands: Query<(Entity, &HandIntent, &ViewPose, &mut Holding, Option<&TrackedHand>), With<Hand>>,
    mut bodies: Query<(
        &Position,
        &Rotation,
        &ComputedCenterOfMass,
        &ComputedMass,
        &mut LinearVelocity,
        &mut AngularVelocity,
    )>,
    settings: Res<HandSettings>,
    gravity: Res<Gravity>,
    time: Res<Time>,
) {
    let dt = time.delta_secs();
    for (entity, intent, view, mut holding, tracked) in &mut hands {
        let Ok((position, rotation, center, mass, mut velocity, mut spin)) = bodies.get_mut(holding.body) else {
            // The thing is gone from the world.
            commands.entity(entity).remove::<Holding>();
            continue;
        };
        if let (Some(tracked), Some(in_palm)) = (tracked, holding.in_palm) {
            let place = tracked.palm * in_palm;
            let offset = Vec3::from(place.translation) - position.0;
            let with_hand = velocity_with(tracked, position.0 + rotation.0 * center.0);
            velocity.0 = followed_velocity(offset, with_hand, velocity.0, mass.value(), dt, &settings) - gravity.0 * dt;
            spin.0 = tracked.spin + carried_spin(rotation.0, place.rotation, &settings);
            let strained = offset.length() > settings.max_strain || holding.strained_secs < 0.0;
            holding.strained_secs = if strained { holding.strained_secs + dt } else { 0.0 };
            continue;
        }
        holding.distance = (holding.distance + intent.push * dt).clamp(settings.nearest, settings.farthest);
        let heading = heading(view.now.rotation);
        let turn = Quat::from_rotation_y(intent.turn.x * dt) * Quat::from_rotation_x(intent.turn.y * dt);
        holding.rotation = (turn * holding.rotation).normalize();

        let ray = view.ray();
        let offset = ray.origin + *ray.direction * holding.distance - (position.0 + rotation.0 * center.0);
        // Gravity is taken out beforehand; the step adds it again.
        velocity.0 = carried_velocity(offset, velocity.0, mass.value(), dt, &settings) - gravity.0 * dt;
        spin.0 = carried_spin(rotation.0, heading * holding.rotation, &settings);
        holding.strained_secs = if offset.length() > settings.max_strain { holding.strained_secs + dt } else { 0.0 };
    }
}

/// Opens the hand: because it is asked to, because it throws, or because the thing hangs behind something.
fn let_go(
    mut commands: Commands,
    mut hands: Query<(
        Entity,
        &mut Hand,
        &mut HandIntent,
        &ViewPose,
        &Holding,
        Option<&TrackedHand>,
        Option<&LinearVelocity>,
    )>,
    mut bodies: Query<
        (&Position, &Rotation, &ComputedCenterOfMass, &ComputedMass, &mut LinearVelocity, &mut AngularVelocity),
        Without<Hand>,
    >,
    settings: Res<HandSettings>,
    mut moved: MessageWriter<HandMoved>,
) {
    for (entity, mut hand, mut intent, view, holding, tracked, own_velocity) in &mut hands {
        hand.closed = intent.grab;
        let mut thrown = std::mem::take(&mut intent.throw);
        let slipped = holding.strained_secs > settings.strain_secs;
        if intent.grab && !thrown && !slipped {
            continue;
        }
        if let Ok((position, rotation, center, mass, mut velocity, mut spin)) = bodies.get_mut(holding.body) {
            if let (Some(tracked), false) = (tracked, slipped) {
                let with_hand = velocity_with(tracked, position.0 + rotation.0 * center.0);
                velocity.0 = with_hand.clamp_length_max(throw_speed(mass.value(), &settings));
                spin.0 = tracked.spin;
                thrown = velocity.length() > THROWN_SPEED;
            } else if thrown {
                velocity.0 = *view.ray().direction * throw_speed(mass.value(), &settings)
                    + own_velocity.map_or(Vec3::ZERO, |own| own.0);
            }
            let what = if thrown { HandAction::Threw } else { HandAction::LetGo };
            moved.write(HandMoved { body: holding.body, what });
        }
        commands.entity(entity).remove::<Holding>();
    }
}

/// Whatever ends a hold (an open hand, a despawned player, a reloaded scene), the thing becomes an ordinary one again.
fn settle_what_was_let_go(
    lost: On<Discard, Holding>,
    mut commands: Commands,
    hands: Query<(&Holding, Option<&TrackedHand>)>,
) {
    let Ok((holding, tracked)) = hands.get(lost.entity) else { return };
    let by = tracked.map_or(lost.entity, |tracked| tracked.of);
    if let Ok(mut body) = commands.get_entity(holding.body) {
        body.try_remove::<(HeldBy, SleepingDisabled)>().try_insert(LetGo { by });
    }
}

/// What was let go collides with its carrier again as soon as it is clear of them.
fn collide_again(
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

    #[test]
    fn a_held_thing_is_led_with_limited_force() {
        let settings = HandSettings::default();
        let dt = 1.0 / 60.0;
        let light = carried_velocity(Vec3::X * 0.1, Vec3::ZERO, 0.3, dt, &settings);
        assert!((light - Vec3::X * 1.2).length() < 1e-5, "{light}");
        // 300 N on 50 kg for one tick give 0.1 m/s.
        let heavy = carried_velocity(Vec3::X, Vec3::ZERO, 50.0, dt, &settings);
        assert!((heavy.x - 0.1).abs() < 1e-5, "{heavy}");
    }

    #[test]
    fn a_thing_in_a_tracked_hand_moves_with_it_without_delay() {
        let settings = HandSettings::default();
        let hand = TrackedHand {
            of: Entity::PLACEHOLDER,
            palm: Isometry3d::from_translation(Vec3::Y),
            velocity: Vec3::X,
            spin: Vec3::Z * 2.0,
        };
        // ω × r = (0, 0, 2) × (0.1, 0, 0) = (0, 0.2, 0).
        let with_hand = velocity_with(&hand, Vec3::new(0.1, 1.0, 0.0));
        assert!((with_hand - Vec3::new(1.0, 0.2, 0.0)).length() < 1e-6, "{with_hand}");
        let led = followed_velocity(Vec3::ZERO, with_hand, Vec3::ZERO, 0.3, 1.0 / 60.0, &settings);
        assert_eq!(led, with_hand);
    }

    #[test]
    fn spin_takes_the_short_way_round() {
        let settings = HandSettings { stiffness: 1.0, ..default() };
        let spin = carried_spin(Quat::IDENTITY, Quat::from_rotation_y(0.3), &settings);
        assert!((spin - Vec3::Y * 0.3).length() < 1e-5);
        let spin = carried_spin(Quat::IDENTITY, -Quat::from_rotation_y(0.3), &settings);
        assert!((spin - Vec3::Y * 0.3).length() < 1e-5);
    }
}
