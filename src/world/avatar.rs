//! What the player looks like to others: hands that curl, and a head and a body that only others see.
//!
//! In: [`AvatarHand`] on any entity that stands where a palm is; the player's measured head. Out: their meshes. A body is shown only
//! where the head is measured: nobody sees through a window. What is absent: what hands do (`hand`).

use bevy::{camera::visibility::RenderLayers, prelude::*};

use super::{
    WalkIntent,
    player::{Player, ViewPose},
};

/// Seen by the companion and by cameras, not by the player's own eyes.
pub const OTHERS_LAYER: usize = 9;

/// Shapes and moves the player's picture.
pub struct AvatarPlugin;

impl Plugin for AvatarPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, (shape_hands, curl_fingers, embody).chain())
            .add_systems(PostUpdate, carry_body.before(TransformSystems::Propagate));
    }
}

/// A hand's picture. Its entity's space: the middle of the palm, −Z towards the thumb's side, −Y along the fingers of a flat hand,
/// +X into a right palm and out of a left one.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
#[require(Transform, Visibility)]
pub struct AvatarHand {
    pub left: bool,
    /// Of the index finger, of the other three and of the thumb, 0 flat to 1 closed.
    pub index_curl: f32,
    pub fist_curl: f32,
    pub thumb_curl: f32,
}

/// Fingers that bend each for itself.
#[derive(Clone, Copy)]
enum Finger {
    Thumb,
    Index,
    Other,
}

/// A joint of a finger: of which hand, how far it bends at most.
#[derive(Component)]
struct Joint {
    hand: Entity,
    finger: Finger,
    most: f32,
    rest: Quat,
}

/// The head and what hangs below it, for others.
#[derive(Component)]
enum BodyPart {
    Head,
    Torso,
}

const SKIN: Color = Color::srgb(0.82, 0.64, 0.52);
const CLOTH: Color = Color::srgb(0.26, 0.36, 0.44);
const BRASS: Color = Color::srgb(0.80, 0.58, 0.34);
const VISOR: Color = Color::srgb(0.04, 0.05, 0.07);

/// Where fingers begin (y, z) and their length, metres: index, middle, ring, little finger.
const FINGERS: [(f32, f32, f32); 4] =
    [(-0.042, -0.030, 0.078), (-0.046, -0.010, 0.086), (-0.043, 0.010, 0.080), (-0.036, 0.029, 0.064)];

/// How a finger bends at its two joints when it is closed, and how much of that a hand at rest does, radians.
const BENDS: [f32; 2] = [1.35, 1.6];
const REST: f32 = 0.18;
/// Its two parts, of its length.
const SEGMENTS: [f32; 2] = [0.52, 0.48];
const FINGER_RADIUS: f32 = 0.0088;

fn curled(curl: f32) -> f32 {
    REST + (1.0 - REST) * curl
}

/// The tip of an index finger in the hand's space, metres.
pub fn index_tip(left: bool, curl: f32) -> Vec3 {
    let side = if left { -1.0 } else { 1.0 };
    let (y, z, length) = FINGERS[0];
    let mut tip = Vec3::new(0.015 * side, y, z);
    let mut bend = 0.0;
    for (segment, most) in SEGMENTS.into_iter().zip(BENDS) {
        bend -= most * side * curled(curl);
        tip += Quat::from_rotation_z(bend) * Vec3::NEG_Y * segment * length;
    }
    tip + Quat::from_rotation_z(bend) * Vec3::NEG_Y * FINGER_RADIUS
}

fn shape_hands(
    mut commands: Commands,
    hands: Query<(Entity, &AvatarHand), Added<AvatarHand>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (hand, avatar) in &hands {
        let side = if avatar.left { -1.0 } else { 1.0 };
        let skin = materials.add(StandardMaterial { base_color: SKIN, perceptual_roughness: 0.6, ..default() });
        let cloth = materials.add(StandardMaterial { base_color: CLOTH, perceptual_roughness: 0.9, ..default() });
        let brass = materials.add(StandardMaterial {
            base_color: BRASS,
            metallic: 1.0,
            perceptual_roughness: 0.35,
            ..default()
        });
        let ball = meshes.add(Sphere::new(0.5).mesh().uv(24, 16));
        let cuff = meshes.add(Capsule3d::new(0.031, 0.05).mesh().longitudes(20).latitudes(8));
        let ring = meshes.add(Torus { minor_radius: 0.004, major_radius: 0.031 });
        commands.entity(hand).with_children(|parts| {
            parts.spawn((
                Mesh3d(ball.clone()),
                MeshMaterial3d(skin.clone()),
                Transform::from_xyz(0.016 * side, -0.002, 0.0).with_scale(Vec3::new(0.030, 0.098, 0.084)),
            ));
            parts.spawn((
                Mesh3d(ball),
                MeshMaterial3d(skin.clone()),
                Transform::from_xyz(0.008 * side, 0.012, -0.026).with_scale(Vec3::new(0.034, 0.058, 0.036)),
            ));
            parts.spawn((
                Mesh3d(cuff),
                MeshMaterial3d(cloth),
                Transform::from_xyz(0.016 * side, 0.092, 0.0).with_scale(Vec3::new(0.85, 1.0, 1.0)),
            ));
            parts.spawn((
                Mesh3d(ring),
                MeshMaterial3d(brass),
                Transform::from_xyz(0.016 * side, 0.056, 0.0).with_scale(Vec3::new(0.85, 1.0, 1.0)),
            ));
        });
        for (number, (y, z, length)) in FINGERS.into_iter().enumerate() {
            let root = Transform::from_xyz(0.015 * side, y, z);
            let segments = SEGMENTS.map(|part| part * length);
            finger(
                &mut commands,
                &mut meshes,
                &skin,
                hand,
                if number == 0 { Finger::Index } else { Finger::Other },
                root,
                segments,
                BENDS.map(|most| -most * side),
            );
        }
        let thumb = Transform::from_xyz(0.004 * side, 0.008, -0.038)
            .with_rotation(Quat::from_rotation_x(0.85) * Quat::from_rotation_z(-0.35 * side));
        finger(
            &mut commands,
            &mut meshes,
            &skin,
            hand,
            Finger::Thumb,
            thumb,
            [0.036, 0.030],
            [-0.35 * side, -0.6 * side],
        );
    }
}

/// Two segments along −Y, each bending about Z.
fn finger(
    commands: &mut Commands,
    meshes: &mut Assets<Mesh>,
    skin: &Handle<StandardMaterial>,
    hand: Entity,
    which: Finger,
    root: Transform,
    segments: [f32; 2],
    most: [f32; 2],
) {
    let mut parent = hand;
    let mut place = root;
    for (length, most) in segments.into_iter().zip(most) {
        let joint = commands
            .spawn((
                Joint { hand, finger: which, most, rest: place.rotation },
                place,
                Visibility::default(),
                ChildOf(parent),
            ))
            .id();
        commands.spawn((
            Mesh3d(meshes.add(Capsule3d::new(FINGER_RADIUS, length).mesh().longitudes(12).latitudes(6))),
            MeshMaterial3d(skin.clone()),
            Transform::from_xyz(0.0, -0.5 * length, 0.0),
            ChildOf(joint),
        ));
        parent = joint;
        place = Transform::from_xyz(0.0, -length, 0.0);
    }
}

fn curl_fingers(hands: Query<&AvatarHand>, mut joints: Query<(&Joint, &mut Transform)>) {
    for (joint, mut transform) in &mut joints {
        let Ok(hand) = hands.get(joint.hand) else { continue };
        // Fingers of a hand at rest are never quite flat.
        let curl = match joint.finger {
            Finger::Thumb => hand.thumb_curl,
            Finger::Index => hand.index_curl,
            Finger::Other => hand.fist_curl,
        };
        let rotation = joint.rest * Quat::from_rotation_z(joint.most * curled(curl));
        if transform.rotation != rotation {
            transform.rotation = rotation;
        }
    }
}

/// A measured head brings a body, and takes it along.
fn embody(
    mut commands: Commands,
    players: Query<&WalkIntent, With<Player>>,
    parts: Query<Entity, With<BodyPart>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let measured = players.iter().any(|intent| intent.head.is_some());
    if measured != parts.is_empty() {
        return;
    }
    if !measured {
        for part in &parts {
            commands.entity(part).despawn();
        }
        return;
    }
    let mut plain = |color, roughness| {
        materials.add(StandardMaterial { base_color: color, perceptual_roughness: roughness, ..default() })
    };
    let (skin, cloth, visor) = (plain(SKIN, 0.6), plain(CLOTH, 0.9), plain(VISOR, 0.15));
    let ball = meshes.add(Sphere::new(0.5).mesh().uv(32, 20));
    let chest = meshes.add(Capsule3d::new(0.19, 0.34).mesh().longitudes(28).latitudes(12));
    let others = RenderLayers::layer(OTHERS_LAYER);
    let head = [
        (ball.clone(), skin.clone(), Vec3::new(0.0, 0.02, 0.08), Vec3::new(0.165, 0.235, 0.205)),
        (ball.clone(), visor, Vec3::new(0.0, 0.01, 0.0), Vec3::new(0.172, 0.085, 0.075)),
        (ball, skin, Vec3::new(0.0, -0.12, 0.09), Vec3::new(0.10, 0.14, 0.10)),
    ];
    commands
        .spawn((BodyPart::Head, Name::new("player's head"), Transform::default(), Visibility::default()))
        .with_children(|parts| {
            for (mesh, material, place, size) in head {
                let transform = Transform::from_translation(place).with_scale(size);
                parts.spawn((Mesh3d(mesh), MeshMaterial3d(material), transform, others.clone()));
            }
        });
    commands
        .spawn((BodyPart::Torso, Name::new("player's body"), Transform::default(), Visibility::default()))
        .with_child((Mesh3d(chest), MeshMaterial3d(cloth), Transform::from_scale(Vec3::new(1.0, 1.0, 0.62)), others));
}

/// The body hangs below the head, turned as the head is turned about the vertical.
fn carry_body(players: Query<(&ViewPose, &WalkIntent), With<Player>>, mut parts: Query<(&BodyPart, &mut Transform)>) {
    let Ok((view, intent)) = players.single() else { return };
    for (part, mut transform) in &mut parts {
        *transform = match part {
            BodyPart::Head => Transform::from_isometry(view.now),
            BodyPart::Torso => {
                let rotation = Quat::from_rotation_y(intent.yaw);
                let neck = Vec3::from(view.now.translation) + rotation * Vec3::new(0.0, -0.16, 0.12);
                Transform::from_translation(neck - Vec3::Y * 0.34).with_rotation(rotation)
            }
        };
    }
}
