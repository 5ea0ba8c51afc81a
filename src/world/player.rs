//! Walking bodies: the player.
//!
//! In: `WalkIntent`, each fixed tick. Out: `Transform` (at the feet), `LinearVelocity`, `ViewPose` (where the eyes are),
//! impulses on what is pushed. Camera rigs read `ViewPose` between ticks with [`ViewPose::between`].
//!
//! The body is kinematic and swept, so that no speed takes it through a wall. Its capsule floats: it starts
//! [`WalkSettings::step_height`] above the feet, and a probe under it finds the ground; so low obstacles pass beneath and
//! lift the body, and what is higher blocks it. Small loose things at the feet are nudged aside and never stood on while
//! walking.
//!
//! Not here: input devices, cameras, hands.

mod footing;
mod landing;
mod pushing;

use avian3d::{character_controller::move_and_slide::*, prelude::*};
use bevy::prelude::*;

pub use landing::{ArcEnd, Landing};

use self::{
    footing::find_ground,
    pushing::{nudge_clutter, push_what_was_touched},
};
use super::{Arrivals, Layer, SceneReady, WalkIntent, hand::Holding};
use crate::scene::PoseSpec;

/// Applies `WalkIntent` in `FixedUpdate`, before physics steps.
pub struct PlayerPlugin;

impl Plugin for PlayerPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<WalkSettings>()
            .add_message::<SceneReady>()
            .add_systems(Update, spawn_player.in_set(Arrivals::Player))
            .add_systems(
                FixedUpdate,
                (change_height, walk, push_what_was_touched, nudge_clutter).chain().in_set(WalkSystems),
            );
    }
}

/// All that happens to walking bodies in a tick; hands follow it.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WalkSystems;

/// The player. Its `Transform` is where the feet stand; it never turns (the view does).
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(
    WalkIntent,
    Walker,
    ViewPose,
    Transform,
    RigidBody::Kinematic,
    CustomPositionIntegration,
    SpeculativeMargin(0.0),
    TransformInterpolation,
    LinearVelocity
)]
pub struct Player;

/// A player that stands at `pose`.
pub fn player_bundle(pose: PoseSpec, settings: &WalkSettings) -> impl Bundle {
    let walker = Walker { height: settings.standing.height, ..default() };
    let view = view_pose(pose.position, settings.standing.eye, pose.yaw, 0.0);
    (
        Player,
        Name::new("player"),
        Transform::from_translation(pose.position),
        Collider::compound(vec![(
            capsule_center(settings, walker.height),
            Quat::IDENTITY,
            capsule(settings, walker.height),
        )]),
        CollisionLayers::new(Layer::Walker, LayerMask::from([Layer::Things, Layer::Walker])),
        WalkIntent { yaw: pose.yaw, ..default() },
        walker,
        ViewPose { now: view, before: view },
    )
}

/// The first scene brings a player; a scene whose spawn point moved moves the player there.
fn spawn_player(
    mut commands: Commands,
    mut changes: MessageReader<SceneReady>,
    mut players: Query<(&mut Transform, &mut WalkIntent), With<Player>>,
    settings: Res<WalkSettings>,
) {
    for change in changes.read() {
        let spawn = change.new.spawn;
        if players.is_empty() {
            commands.spawn(player_bundle(spawn, &settings));
        } else if change.old.as_ref().is_some_and(|old| old.spawn != spawn) {
            for (mut transform, mut intent) in &mut players {
                transform.translation = spawn.position;
                intent.yaw = spawn.yaw;
            }
        }
    }
}

/// How tall a body is in one posture, metres above the feet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posture {
    pub height: f32,
    pub eye: f32,
}

/// Proportions and powers of walking bodies. Metres, seconds, radians, newtons, kilograms.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct WalkSettings {
    pub radius: f32,
    pub standing: Posture,
    pub crouching: Posture,
    /// Obstacles up to this are walked over.
    pub step_height: f32,
    pub walk_speed: f32,
    pub run_speed: f32,
    pub crouch_speed: f32,
    /// Towards the wished velocity, on the ground and in the air.
    pub ground_acceleration: f32,
    pub air_acceleration: f32,
    pub jump_height: f32,
    /// Steeper ground is slid off.
    pub max_slope: f32,
    pub push_force: f32,
    /// Loose things lighter than this and lower than a step are nudged aside instead of stood on.
    pub clutter_mass: f32,
}

impl Default for WalkSettings {
    fn default() -> Self {
        Self {
            radius: 0.25,
            standing: Posture { height: 1.75, eye: 1.65 },
            crouching: Posture { height: 1.1, eye: 1.0 },
            step_height: 0.25,
            walk_speed: 1.8,
            run_speed: 3.5,
            crouch_speed: 0.9,
            ground_acceleration: 20.0,
            air_acceleration: 4.0,
            jump_height: 0.5,
            max_slope: 46_f32.to_radians(),
            push_force: 400.0,
            clutter_mass: 8.0,
        }
    }
}

impl WalkSettings {
    /// The swept shape of a body of this height; it leaves out the lowest step.
    pub fn body(&self, height: f32) -> Collider {
        capsule(self, height)
    }

    /// The middle of that shape above the feet.
    pub fn body_center(&self, height: f32) -> Vec3 {
        capsule_center(self, height)
    }
}

/// What a walking body is doing.
#[derive(Component, Clone, Debug, Default)]
pub struct Walker {
    /// Stands on something that is not too steep.
    pub grounded: bool,
    /// The ground lies right under the middle of the body, not only at the edge of a step.
    pub firm: bool,
    /// Of the body in its present posture, metres.
    pub height: f32,
    /// Told to crouch until told to stand, or until it jumps.
    pub stays_down: bool,
    /// The eyes lag behind sudden steps by this much, metres, so that stairs do not shake the view.
    step_lag: f32,
    /// Eye height above the feet, eased between postures; 0 until the first tick.
    eye_height: f32,
    /// Seconds without ground and without falling: wedged between things.
    wedged_secs: f32,
    touches: Vec<Touch>,
}

/// A body in the way, and how it was run into.
#[derive(Clone, Copy, Debug)]
struct Touch {
    collider: Entity,
    point: Vec3,
    /// Horizontal, away from the walker, unit length.
    direction: Vec3,
    /// Of the walker along `direction`, metres per second.
    speed: f32,
}

/// Where the eyes are and look, world space, at this tick and the one before it. −Z of the rotation is forward.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct ViewPose {
    pub now: Isometry3d,
    pub before: Isometry3d,
}

impl ViewPose {
    /// Eye position between the last two ticks; `fraction` 0 is the one before, 1 is the last.
    pub fn between(&self, fraction: f32) -> Vec3 {
        Vec3::from(self.before.translation).lerp(Vec3::from(self.now.translation), fraction)
    }

    /// The line of sight.
    pub fn ray(&self) -> Ray3d {
        Ray3d {
            origin: self.now.translation.into(),
            direction: Dir3::new(self.now.rotation * Vec3::NEG_Z).unwrap_or(Dir3::NEG_Z),
        }
    }
}

/// Nobody steps farther than this in a tick, metres.
const MAX_STRIDE: f32 = 0.25;

/// Rotation of a view: heading about +Y, then pitch.
pub fn view_rotation(yaw: f32, pitch: f32) -> Quat {
    Quat::from_euler(EulerRot::YXZ, yaw, pitch, 0.0)
}

fn view_pose(feet: Vec3, eye_height: f32, yaw: f32, pitch: f32) -> Isometry3d {
    Isometry3d::new(feet + Vec3::Y * eye_height, view_rotation(yaw, pitch))
}

/// The swept capsule of a body of this height; it leaves out the lowest `step_height`.
fn capsule(settings: &WalkSettings, height: f32) -> Collider {
    Collider::capsule(settings.radius, (height - settings.step_height - 2.0 * settings.radius).max(0.01))
}

fn capsule_center(settings: &WalkSettings, height: f32) -> Vec3 {
    Vec3::Y * 0.5 * (settings.step_height + height)
}

/// The velocity that is asked for, in the horizontal plane.
fn wished_velocity(intent: &WalkIntent, crouched: bool, settings: &WalkSettings) -> Vec3 {
    let speed = match (crouched, intent.run) {
        (true, _) => settings.crouch_speed,
        (false, true) => settings.run_speed,
        (false, false) => settings.walk_speed,
    };
    let direction = intent.direction.clamp_length_max(1.0);
    Quat::from_rotation_y(intent.yaw) * Vec3::new(direction.x, 0.0, -direction.y) * speed
}

/// Crouches, and stands up where there is room.
fn change_height(
    mut commands: Commands,
    mut walkers: Query<(Entity, &WalkIntent, &mut Walker, &Transform, Option<&Holding>)>,
    world: MoveAndSlide,
    settings: Res<WalkSettings>,
) {
    for (entity, intent, mut walker, transform, holding) in &mut walkers {
        let wanted =
            if intent.crouch || walker.stays_down { settings.crouching.height } else { settings.standing.height };
        if walker.height == wanted {
            continue;
        }
        let shape = capsule(&settings, wanted);
        let center = transform.translation + capsule_center(&settings, wanted);
        if wanted > walker.height {
            let filter = sweep_filter(entity, holding);
            let mut fits = true;
            world.intersections(&shape, center, Quat::IDENTITY, 0.0, &filter, |_, contact, normal| {
                // Walls that are merely brushed do not keep the head down; what is above it does.
                fits = contact.penetration < 0.01 || normal.y > -0.1;
                fits
            });
            if !fits {
                continue;
            }
        }
        walker.height = wanted;
        commands.entity(entity).insert(Collider::compound(vec![(
            capsule_center(&settings, wanted),
            Quat::IDENTITY,
            shape,
        )]));
    }
}

/// Walking bodies do not run into themselves, into what they carry, nor into what they just let go of.
fn sweep_filter(entity: Entity, holding: Option<&Holding>) -> SpatialQueryFilter {
    SpatialQueryFilter::from_mask([Layer::Things, Layer::Walker])
        .with_excluded_entities(std::iter::once(entity).chain(holding.map(|holding| holding.body)))
}

type WalkingBody = (
    Entity,
    &'static mut WalkIntent,
    &'static mut Walker,
    &'static mut Transform,
    &'static mut LinearVelocity,
    &'static mut ViewPose,
    Option<&'static Holding>,
);

/// Moves walking bodies by one tick.
fn walk(
    mut walkers: Query<WalkingBody>,
    world: MoveAndSlide,
    bodies: Query<(&RigidBody, &ComputedMass, &ColliderAabb)>,
    settings: Res<WalkSettings>,
    gravity: Res<Gravity>,
    time: Res<Time>,
) {
    let dt = time.delta_secs();
    for (entity, mut intent, mut walker, mut transform, mut velocity, mut view, holding) in &mut walkers {
        let filter = sweep_filter(entity, holding);
        let crouched = walker.height < settings.standing.height;
        let teleported = intent.teleport.take();
        if let Some(feet) = teleported {
            transform.translation = feet;
            velocity.0 = Vec3::ZERO;
            intent.stride = Vec2::ZERO;
        }
        let feet_before = transform.translation;
        // What the player's own feet do is no speed to go on with.
        let stride = std::mem::take(&mut intent.stride).clamp_length_max(MAX_STRIDE) / dt.max(1e-3);
        let stride = Vec3::new(stride.x, 0.0, stride.y);

        // What is wanted, and what gravity adds. Semi-implicit steps would lose height; the mean speed over the tick is exact.
        let wish = wished_velocity(&intent, crouched, &settings);
        let acceleration = if walker.grounded { settings.ground_acceleration } else { settings.air_acceleration };
        let horizontal = Vec3::new(velocity.x, 0.0, velocity.z);
        let horizontal = horizontal + (wish - horizontal).clamp_length_max(acceleration * dt);
        let mut rise = velocity.y;
        if std::mem::take(&mut intent.jump) && walker.grounded {
            walker.grounded = false;
            walker.stays_down = false;
            rise = (2.0 * -gravity.0.y * settings.jump_height).max(0.0).sqrt();
        }
        let mean_rise = if walker.grounded {
            rise = 0.0;
            0.0
        } else {
            let before = rise;
            rise = (rise + gravity.0.y * dt).max(-50.0);
            0.5 * (before + rise)
        };

        // The sweep.
        walker.touches.clear();
        let grounded = walker.grounded;
        let center = capsule_center(&settings, walker.height);
        let shape = capsule(&settings, walker.height);
        let wanted = horizontal + stride + Vec3::Y * mean_rise;
        let swept = world.move_and_slide(
            &shape,
            feet_before + center,
            Quat::IDENTITY,
            wanted,
            time.delta(),
            &MoveAndSlideConfig::default(),
            &filter,
            |hit| {
                let flat = Vec3::new(hit.normal.x, 0.0, hit.normal.z).normalize_or_zero();
                if flat != Vec3::ZERO {
                    walker.touches.push(Touch {
                        collider: hit.entity,
                        point: hit.point,
                        direction: -flat,
                        speed: -flat.dot(horizontal + stride),
                    });
                    if grounded && let Ok(flat) = Dir3::new(flat) {
                        // On the ground the probe below decides what is climbed; whatever the capsule meets is a wall.
                        *hit.normal = flat;
                    }
                }
                MoveAndSlideHitResponse::Accept
            },
        );
        let mut feet = swept.position - center;
        let mut moved = swept.projected_velocity;

        // The ground.
        let reach = if grounded { settings.step_height } else { 0.02 } + (feet_before.y - feet.y).max(0.0);
        let ground = find_ground(&world, feet, reach, grounded, &settings, &filter, &bodies);
        walker.firm = false;
        if rise <= 0.0
            && let Some(ground) = ground
        {
            walker.step_lag += if grounded { feet.y - ground.height } else { 0.0 };
            walker.firm = ground.firm;
            feet.y = ground.height;
            rise = 0.0;
            walker.grounded = true;
        } else {
            walker.grounded = false;
            // A ceiling stops the rise, a ledge under the capsule stops the fall.
            if (moved.y - wanted.y).abs() > 1e-3 {
                rise = moved.y;
            }
            let stuck = rise.abs() < 0.2 && (feet - feet_before).length() < 0.01 * dt.max(1e-3);
            walker.wedged_secs = if stuck { walker.wedged_secs + dt } else { 0.0 };
            if walker.wedged_secs > 0.2 {
                // Wedged between things: let it walk and jump out.
                walker.grounded = true;
            }
        }
        if stride != Vec3::ZERO {
            moved -= stride;
            moved = Vec3::new(moved.x, 0.0, moved.z).clamp_length_max(horizontal.length());
        }
        if !grounded {
            // In the air the sweep may have turned part of the walk into a climb along a slanted edge.
            moved = Vec3::new(moved.x, 0.0, moved.z).clamp_length_max(horizontal.length());
        }
        velocity.0 = Vec3::new(moved.x, rise, moved.z);
        transform.translation = feet;

        // The eyes.
        let posture = if crouched { settings.crouching } else { settings.standing };
        let eased = 1.0 - (-12.0 * dt).exp();
        if walker.eye_height == 0.0 {
            walker.eye_height = posture.eye;
        }
        walker.eye_height += (posture.eye - walker.eye_height) * eased;
        walker.step_lag = (walker.step_lag * (1.0 - eased)).clamp(-settings.step_height, settings.step_height);
        view.before = view.now;
        view.now = match intent.head {
            Some(head) => Isometry3d::new(feet + Vec3::Y * (head.height + walker.step_lag), head.rotation),
            None => view_pose(feet, walker.eye_height + walker.step_lag, intent.yaw, intent.pitch),
        };
        if teleported.is_some() {
            // Nothing sweeps through the house.
            view.before = view.now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_follows_the_heading_and_the_gait() {
        let settings = WalkSettings::default();
        let forward = WalkIntent { direction: Vec2::Y, ..default() };
        let close = |a: Vec3, b: Vec3| assert!((a - b).length() < 1e-5, "{a} is not {b}");
        close(wished_velocity(&forward, false, &settings), Vec3::NEG_Z * 1.8);
        // A quarter turn to the left looks along −X.
        let left = WalkIntent { yaw: std::f32::consts::FRAC_PI_2, ..forward };
        close(wished_velocity(&left, false, &settings), Vec3::NEG_X * 1.8);
        close(wished_velocity(&WalkIntent { run: true, ..forward }, false, &settings), Vec3::NEG_Z * 3.5);
        // Crouching walks, whatever else is asked; and no diagonal is faster.
        close(wished_velocity(&WalkIntent { run: true, ..forward }, true, &settings), Vec3::NEG_Z * 0.9);
        let diagonal = WalkIntent { direction: Vec2::ONE, ..default() };
        assert!((wished_velocity(&diagonal, false, &settings).length() - 1.8).abs() < 1e-5);
    }

    #[test]
    fn the_line_of_sight_is_minus_z_turned_by_yaw_then_pitch() {
        let up = ViewPose { now: view_pose(Vec3::ZERO, 1.65, 0.0, 0.5), ..default() };
        assert!((*up.ray().direction - Vec3::new(0.0, 0.5_f32.sin(), -0.5_f32.cos())).length() < 1e-6);
        assert_eq!(up.ray().origin, Vec3::Y * 1.65);
    }
}
