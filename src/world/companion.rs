//! The companion's body: a small flying creature that goes where its [`FlyIntent`] says, slides along what is in its way,
//! and shows its mood by light.
//!
//! In: intents, once per fixed tick. Out: the body's transform. What is absent: any reason for going anywhere.

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{Arrivals, FlyIntent, HouseMap, SceneReady, light::SceneLight, player::WalkSystems};

/// Radius of the body as the physics knows it, metres.
pub const BODY_RADIUS_M: f32 = 0.14;
/// Where its eye sits, ahead of everything that it could see of itself.
pub const EYE_OFFSET: Vec3 = Vec3::new(0.0, 0.0, -0.16);

/// Power of its own light in a bright room, lumens, and the exposure value (EV100) of such a room. In the dark it shines so
/// much less that it always looks as bright.
const LIGHT_LUMENS: f32 = 4_000.0;
const BRIGHT_ROOM: f32 = 10.0;
const TOP_SPEED: f32 = 2.6;
/// Approach rate, 1/s: speed grows with distance up to [`TOP_SPEED`].
const APPROACH: f32 = 2.4;
/// How fast velocity and heading answer, 1/s.
const AGILITY: f32 = 6.0;
const TURN_RATE: f32 = 4.5;

/// The companion's body in every scene: made at the first scene's nest, kept when scenes change.
pub struct CompanionPlugin;

impl Plugin for CompanionPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<HouseMap>()
            .add_message::<SceneReady>()
            .add_systems(
                Update,
                (learn_house, hatch.in_set(Arrivals::Companion).run_if(not(any_with_component::<Companion>))),
            )
            // After the doors too, which look where it is.
            .configure_sets(FixedUpdate, FlySystems.after(WalkSystems))
            .add_systems(FixedUpdate, fly.in_set(FlySystems))
            .add_systems(Update, show_mood);
    }
}

/// Intents become flight, in `FixedUpdate`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlySystems;

/// The companion. Looks along its local −Z.
#[derive(Component, Default)]
#[require(FlyIntent, Flight, Gesture)]
pub struct Companion;

/// Velocity of flight, metres per second.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Flight {
    pub velocity: Vec3,
}

/// A short movement of the shell that answers somebody; the eye stays steady.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub struct Gesture {
    pub kind: GestureKind,
    /// Since it began, seconds.
    pub age_secs: f32,
}

/// Ways to answer without words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GestureKind {
    #[default]
    None,
    /// Yes: twice down and up.
    Nod,
    /// Joy: once round in a circle.
    Loop,
    /// No: left and right.
    Shake,
}

/// How long a gesture takes, seconds.
const GESTURE_SECS: f32 = 0.9;

impl Gesture {
    pub fn begin(&mut self, kind: GestureKind) {
        *self = Self { kind, age_secs: 0.0 };
    }

    /// Offset and turn of the shell, and how much brighter it glows (0 to 1). All end where they begin.
    fn pose(&self) -> (Vec3, Quat, f32) {
        use std::f32::consts::TAU;
        let part = (self.age_secs / GESTURE_SECS).min(1.0);
        let swell = (std::f32::consts::PI * part).sin().max(0.0);
        match self.kind {
            GestureKind::None => (Vec3::ZERO, Quat::IDENTITY, 0.0),
            GestureKind::Nod => {
                let wave = swell * (2.0 * TAU * part).sin();
                (Vec3::Y * -0.02 * wave, Quat::from_rotation_x(-0.5 * wave), swell)
            }
            GestureKind::Loop => {
                let (sin, cos) = (TAU * part).sin_cos();
                (0.12 * Vec3::new(sin, 1.0 - cos, 0.0), Quat::from_rotation_z(-TAU * part), swell)
            }
            GestureKind::Shake => {
                (Vec3::ZERO, Quat::from_rotation_y(0.5 * swell * (2.0 * TAU * part).sin()), 0.3 * swell)
            }
        }
    }
}

/// The part of the body that hovers and glows; a child, so that the eye stays steady.
#[derive(Component)]
struct CompanionShell;

#[derive(Component)]
struct CompanionLight;

fn learn_house(mut changes: MessageReader<SceneReady>, mut map: ResMut<HouseMap>) {
    if let Some(change) = changes.read().last() {
        *map = HouseMap::of(&change.new);
    }
}

fn hatch(
    mut changes: MessageReader<SceneReady>,
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    if let Some(change) = changes.read().last() {
        spawn_companion(&mut commands, &mut meshes, &mut materials, change.new.nest);
    }
}

/// Spawns the body at a resting place; returns its root.
pub fn spawn_companion(
    commands: &mut Commands,
    meshes: &mut Assets<Mesh>,
    materials: &mut Assets<StandardMaterial>,
    nest: Vec3,
) -> Entity {
    let pearl = materials.add(StandardMaterial {
        base_color: Color::srgb(0.93, 0.90, 0.86),
        perceptual_roughness: 0.35,
        reflectance: 0.6,
        ..default()
    });
    let dark = materials.add(StandardMaterial {
        base_color: Color::srgb(0.03, 0.04, 0.06),
        perceptual_roughness: 0.08,
        reflectance: 0.8,
        ..default()
    });
    let glow = materials.add(StandardMaterial {
        base_color: Color::BLACK,
        emissive: LinearRgba::rgb(0.2, 1.6, 2.2),
        ..default()
    });
    let copper = materials.add(StandardMaterial {
        base_color: Color::srgb(0.83, 0.52, 0.33),
        metallic: 1.0,
        perceptual_roughness: 0.3,
        ..default()
    });
    let body = meshes.add(Sphere::new(0.105).mesh().uv(28, 18));
    let lens = meshes.add(Sphere::new(0.052).mesh().uv(20, 14));
    let iris =
        meshes.add(Torus { minor_radius: 0.007, major_radius: 0.05 }.mesh().minor_resolution(8).major_resolution(28));
    let halo =
        meshes.add(Torus { minor_radius: 0.006, major_radius: 0.15 }.mesh().minor_resolution(8).major_resolution(36));
    let fin = meshes.add(Capsule3d::new(0.016, 0.075).mesh().longitudes(10).latitudes(6));

    let shell = commands
        .spawn((CompanionShell, Transform::default(), Visibility::default()))
        .with_children(|shell| {
            shell.spawn((
                Mesh3d(body),
                MeshMaterial3d(pearl.clone()),
                Transform::from_scale(Vec3::new(1.0, 0.94, 1.05)),
            ));
            shell.spawn((Mesh3d(lens), MeshMaterial3d(dark), Transform::from_xyz(0.0, 0.008, -0.07)));
            shell.spawn((
                Mesh3d(iris),
                MeshMaterial3d(glow.clone()),
                Transform::from_xyz(0.0, 0.008, -0.088)
                    .with_rotation(Quat::from_rotation_x(std::f32::consts::FRAC_PI_2)),
            ));
            shell.spawn((
                Mesh3d(halo),
                MeshMaterial3d(copper),
                Transform::from_rotation(Quat::from_rotation_z(0.18) * Quat::from_rotation_x(0.12)),
            ));
            for side in [-1.0, 1.0] {
                shell.spawn((
                    Mesh3d(fin.clone()),
                    MeshMaterial3d(pearl.clone()),
                    Transform::from_xyz(side * 0.075, 0.11, 0.02)
                        .with_rotation(Quat::from_rotation_z(-side * 0.55) * Quat::from_rotation_x(0.35)),
                ));
            }
            shell.spawn((
                CompanionLight,
                PointLight {
                    color: Color::srgb(0.55, 0.9, 1.0),
                    intensity: LIGHT_LUMENS,
                    range: 2.5,
                    radius: 0.05,
                    ..default()
                },
                MeshMaterial3d(glow),
                Transform::from_xyz(0.0, -0.05, -0.1),
            ));
        })
        .id();
    commands
        .spawn((
            Companion,
            Name::new("companion"),
            Transform::from_translation(nest),
            Visibility::default(),
            RigidBody::Kinematic,
            Collider::sphere(BODY_RADIUS_M),
            FlyIntent { target: Some(nest), ..default() },
        ))
        .add_child(shell)
        .id()
}

/// Moves bodies as their intents say; collisions make them slide.
fn fly(
    mut bodies: Query<(Entity, &FlyIntent, &mut Flight, &mut Transform, &Collider), With<Companion>>,
    slide: MoveAndSlide,
    time: Res<Time>,
) {
    for (entity, intent, mut flight, mut transform, collider) in &mut bodies {
        let seconds = time.delta_secs();
        let velocity = next_velocity(flight.velocity, transform.translation, intent.target, seconds);
        let filter = SpatialQueryFilter::from_excluded_entities([entity]);
        let moved = slide.move_and_slide(
            collider,
            transform.translation,
            Quat::IDENTITY,
            velocity,
            time.delta(),
            &MoveAndSlideConfig::default(),
            &filter,
            |_| MoveAndSlideHitResponse::Accept,
        );
        if moved.position.is_finite() {
            transform.translation = moved.position;
            flight.velocity = moved.projected_velocity;
        }
        if let Some(look_at) = intent.look_at {
            transform.rotation = turn_towards(transform.rotation, look_at - transform.translation, seconds);
        }
    }
}

/// Velocity after `seconds` of answering to a target: exponential approach, bounded by the top speed.
fn next_velocity(velocity: Vec3, position: Vec3, target: Option<Vec3>, seconds: f32) -> Vec3 {
    let wanted = target.map_or(Vec3::ZERO, |target| ((target - position) * APPROACH).clamp_length_max(TOP_SPEED));
    velocity.lerp(wanted, 1.0 - (-AGILITY * seconds).exp())
}

/// Heading after `seconds` of turning towards a direction at no more than the turn rate; never rolls, pitch within ±70°.
fn turn_towards(rotation: Quat, direction: Vec3, seconds: f32) -> Quat {
    if direction.length_squared() < 1e-6 {
        return rotation;
    }
    let yaw = (-direction.x).atan2(-direction.z);
    let pitch = direction.y.atan2(direction.xz().length()).clamp(-1.2, 1.2);
    let wanted = Quat::from_euler(EulerRot::YXZ, yaw, pitch, 0.0);
    let smooth = rotation.slerp(wanted, 1.0 - (-AGILITY * seconds).exp());
    rotation.rotate_towards(smooth, TURN_RATE * seconds)
}

/// How much light it gives where the eye is exposed by `ev100`, lumens.
fn own_lumens(ev100: f32) -> f32 {
    LIGHT_LUMENS * (ev100 - BRIGHT_ROOM).clamp(-8.0, 0.0).exp2()
}

/// Hovering, leaning into the flight, and light that follows the mood: calm blue-green to warm yellow.
fn show_mood(
    mut companions: Query<(&FlyIntent, &Flight, &mut Gesture, &Transform, &Children), With<Companion>>,
    mut shells: Query<(&mut Transform, &Children), (With<CompanionShell>, Without<Companion>)>,
    mut lights: Query<(&mut PointLight, &MeshMaterial3d<StandardMaterial>), With<CompanionLight>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    scene_light: Option<Res<SceneLight>>,
    time: Res<Time>,
) {
    for (intent, flight, mut gesture, body, children) in &mut companions {
        let exposure = scene_light.as_ref().map_or(BRIGHT_ROOM, |light| light.exposure_at(body.translation));
        gesture.age_secs += time.delta_secs();
        let (offset, turn, glow) = gesture.pose();
        for child in children {
            let Ok((mut shell, parts)) = shells.get_mut(*child) else { continue };
            let lean = body.rotation.inverse() * flight.velocity;
            shell.translation = offset + Vec3::Y * 0.015 * (time.elapsed_secs() * 2.3).sin();
            shell.rotation = Quat::from_euler(EulerRot::XYZ, 0.09 * lean.z, 0.0, -0.09 * lean.x) * turn;
            for part in parts {
                let Ok((mut light, material)) = lights.get_mut(*part) else { continue };
                let color =
                    LinearRgba::rgb(0.2, 1.6, 2.2).mix(&LinearRgba::rgb(3.0, 1.7, 0.3), intent.mood.clamp(0.0, 1.0));
                light.color = color.into();
                light.intensity = own_lumens(exposure) * (1.0 + 2.0 * glow);
                // Writing a material uploads it again; only a changed mood is worth that.
                if materials.get(&material.0).is_some_and(|glow| glow.emissive != color)
                    && let Some(mut glow) = materials.get_mut(&material.0)
                {
                    glow.emissive = color;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_arrives_without_overshooting_and_stays() {
        let (mut position, mut velocity) = (Vec3::ZERO, Vec3::ZERO);
        let target = Vec3::new(4.0, 1.0, 0.0);
        for _ in 0..360 {
            velocity = next_velocity(velocity, position, Some(target), 1.0 / 60.0);
            position += velocity / 60.0;
            assert!(velocity.length() <= TOP_SPEED + 1e-3);
            assert!(position.x < target.x + 0.05, "overshot to {position}");
        }
        assert!(position.distance(target) < 0.02, "ended at {position}");
    }

    #[test]
    fn in_the_dark_it_shines_less() {
        assert_eq!(own_lumens(BRIGHT_ROOM), LIGHT_LUMENS);
        assert_eq!(own_lumens(14.0), LIGHT_LUMENS, "no floodlight outdoors");
        assert_eq!(own_lumens(BRIGHT_ROOM - 3.0), LIGHT_LUMENS / 8.0);
    }

    #[test]
    fn gestures_move_the_shell_and_end_where_they_began() {
        for kind in [GestureKind::Nod, GestureKind::Loop, GestureKind::Shake] {
            let pose = |age_secs| Gesture { kind, age_secs }.pose();
            let (offset, turn, _) = pose(0.3 * GESTURE_SECS);
            assert!(offset.length() > 0.005 || turn.angle_between(Quat::IDENTITY) > 0.1, "{kind:?}");
            let (offset, turn, glow) = pose(2.0);
            assert!(offset.length() < 1e-4 && turn.angle_between(Quat::IDENTITY) < 1e-2 && glow < 1e-4, "{kind:?}");
        }
    }

    #[test]
    fn it_turns_to_what_it_looks_at_and_keeps_upright() {
        let mut rotation = Quat::IDENTITY;
        for _ in 0..180 {
            rotation = turn_towards(rotation, Vec3::new(1.0, 0.5, 0.0), 1.0 / 60.0);
        }
        let forward = rotation * Vec3::NEG_Z;
        assert!(forward.angle_between(Vec3::new(1.0, 0.5, 0.0)) < 0.01);
        assert!((rotation * Vec3::X).y.abs() < 1e-3, "rolled");
    }
}
