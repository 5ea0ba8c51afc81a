//! What a tracked hand would take now is marked: a rim around it and, where the hand does not touch it, a ray that leads there.
//!
//! In: `HandTarget` of tracked hands, meshes of what they mean. Out: unlit meshes on the panels' layer, entities of their own (no part of
//! the thing, which is labelled and painted): the headset's eyes and the window see them, the companion and the recorded truth do
//! not. What is absent: the flat hand, whose target the crosshair tells.

use avian3d::prelude::ComputedCenterOfMass;
use bevy::{
    camera::visibility::{NoFrustumCulling, RenderLayers},
    prelude::*,
    render::render_resource::Face,
};

use super::{
    flat::Steering,
    outline::outline_of,
    panel_view::beside_the_world,
    tracked_rig::{PlaySpace, is_worn},
};
use crate::world::{
    hand::{FETCHED_FROM, HandTarget, TrackedHand},
    player::{Player, ViewPose},
};

/// Of the rim, for each metre of distance from the eyes (about 0.13°), and its limits, metres.
const RIM_TANGENT: f32 = 0.0022;
const RIM: (f32, f32) = (0.002, 0.008);
const RAY_RADIUS: f32 = 0.0014;
/// The ray begins so far before the hand, metres.
const RAY_FROM: f32 = 0.06;
const GLOW: Color = Color::linear_rgb(1.9, 1.25, 0.5);

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, (mark_targets.run_if(is_worn), unmark_all.run_if(not(is_worn)))).add_systems(
        PostUpdate,
        (
            follow_parts.after(TransformSystems::Propagate),
            draw_rays.before(TransformSystems::Propagate).run_if(resource_exists::<MarkLook>),
        ),
    );
}

/// A shell around one mesh of what a hand would take.
#[derive(Component, Clone, Copy, Debug)]
pub struct Rim {
    /// The thing, and the mesh of it that this goes with.
    pub body: Entity,
    part: Entity,
}

/// From a hand to what it would take from afar.
#[derive(Component, Clone, Copy, Debug)]
struct Lead {
    hand: Entity,
}

#[derive(Resource)]
struct MarkLook {
    rim: Handle<StandardMaterial>,
    ray: Handle<StandardMaterial>,
    cylinder: Handle<Mesh>,
}

impl MarkLook {
    fn new(meshes: &mut Assets<Mesh>, materials: &mut Assets<StandardMaterial>) -> Self {
        let glow = StandardMaterial { base_color: GLOW, unlit: true, fog_enabled: false, ..default() };
        Self {
            rim: materials.add(StandardMaterial { cull_mode: Some(Face::Front), ..glow.clone() }),
            ray: materials.add(glow),
            cylinder: meshes.add(Cylinder::new(RAY_RADIUS, 1.0).mesh().resolution(8)),
        }
    }
}

/// Whether a mesh is one that people see, by its layers.
pub(super) fn is_drawn(layers: Option<&RenderLayers>) -> bool {
    layers.is_none_or(|layers| layers.intersects(&RenderLayers::layer(0)))
}

/// The rim of something so far from the eyes, metres.
fn rim_width(distance: f32) -> f32 {
    (RIM_TANGENT * distance).clamp(RIM.0, RIM.1)
}

/// Rims come and go with what hands would take.
fn mark_targets(
    mut commands: Commands,
    hands: Query<(Entity, &HandTarget, &TrackedHand)>,
    views: Query<&ViewPose, With<Player>>,
    rims: Query<(Entity, &Rim)>,
    leads: Query<(Entity, &Lead)>,
    children: Query<&Children>,
    parts: Query<(&Mesh3d, &GlobalTransform, Option<&RenderLayers>), With<MeshMaterial3d<StandardMaterial>>>,
    steering: Option<Res<Steering>>,
    look: Option<Res<MarkLook>>,
    (mut meshes, mut materials): (ResMut<Assets<Mesh>>, ResMut<Assets<StandardMaterial>>),
) {
    let steered = steering.is_none_or(|steering| steering.0);
    let wanted: Vec<(Entity, Entity)> = hands
        .iter()
        .filter(|_| steered)
        .filter_map(|(_, target, tracked)| target.0.map(|body| (body, tracked.of)))
        .collect();
    for (rim, Rim { body, part }) in &rims {
        if !wanted.iter().any(|(wanted, _)| wanted == body) || !parts.contains(*part) {
            commands.entity(rim).despawn();
        }
    }
    for (lead, Lead { hand }) in &leads {
        if !hands.contains(*hand) {
            commands.entity(lead).despawn();
        }
    }
    if hands.is_empty() {
        return;
    }
    let Some(look) = look else {
        commands.insert_resource(MarkLook::new(&mut meshes, &mut materials));
        return;
    };
    for (hand, ..) in &hands {
        if !leads.iter().any(|(_, lead)| lead.hand == hand) {
            let ray = (Mesh3d(look.cylinder.clone()), MeshMaterial3d(look.ray.clone()));
            commands.spawn((
                Lead { hand },
                ray,
                Transform::default(),
                Visibility::Hidden,
                (beside_the_world(), NoFrustumCulling),
            ));
        }
    }
    let mut marked: Vec<Entity> = rims.iter().map(|(_, rim)| rim.body).collect();
    for (body, player) in wanted {
        if marked.contains(&body) {
            continue;
        }
        marked.push(body);
        let eyes = views.get(player).map_or(Vec3::ZERO, |view| view.now.translation.into());
        for part in std::iter::once(body).chain(children.iter_descendants(body)) {
            let Ok((mesh, place, layers)) = parts.get(part) else { continue };
            if !is_drawn(layers) {
                continue;
            }
            let width = rim_width(eyes.distance(place.translation())) / place.scale().max_element().max(1e-3);
            let Some(shell) = meshes.get(&mesh.0).and_then(|mesh| outline_of(mesh, width)) else { continue };
            let shell = (Mesh3d(meshes.add(shell)), MeshMaterial3d(look.rim.clone()));
            commands.spawn((
                Rim { body, part },
                shell,
                place.compute_transform(),
                (beside_the_world(), NoFrustumCulling),
            ));
        }
    }
}

fn unmark_all(mut commands: Commands, rims: Query<Entity, Or<(With<Rim>, With<Lead>)>>) {
    for rim in &rims {
        commands.entity(rim).despawn();
    }
}

/// Rims are where their meshes are in this very frame.
fn follow_parts(
    mut rims: Query<(&Rim, &mut Transform, &mut GlobalTransform)>,
    parts: Query<&GlobalTransform, Without<Rim>>,
) {
    for (rim, mut transform, mut global) in &mut rims {
        if let Ok(part) = parts.get(rim.part)
            && *part != *global
        {
            *transform = part.compute_transform();
            *global = *part;
        }
    }
}

fn draw_rays(
    space: Option<Res<PlaySpace>>,
    time: Res<Time<Fixed>>,
    steering: Option<Res<Steering>>,
    hands: Query<(&HandTarget, &TrackedHand, &ViewPose)>,
    bodies: Query<(&GlobalTransform, Option<&ComputedCenterOfMass>), Without<Lead>>,
    mut leads: Query<(&Lead, &mut Transform, &mut Visibility)>,
) {
    let drawn_from_world = space.map_or(Isometry3d::IDENTITY, |space| {
        // The hand is drawn between two ticks.
        space.between(time.overstep_fraction()) * space.now.inverse()
    });
    let steered = steering.is_none_or(|steering| steering.0);
    for (lead, mut transform, mut visibility) in &mut leads {
        let place = hands.get(lead.hand).ok().filter(|_| steered).and_then(|(target, tracked, view)| {
            let (place, center) = bodies.get(target.0?).ok()?;
            let end = place.transform_point(center.map_or(Vec3::ZERO, |center| center.0 / place.scale()));
            if end.distance(tracked.palm.translation.into()) <= FETCHED_FROM {
                return None;
            }
            let (along, length) = Dir3::new_and_length(end - drawn_from_world * view.ray().origin).ok()?;
            let length = length - RAY_FROM;
            let from = drawn_from_world * view.ray().origin + *along * RAY_FROM;
            (length > 0.0).then(|| Transform {
                translation: from + *along * 0.5 * length,
                rotation: Quat::from_rotation_arc(Vec3::Y, *along),
                scale: Vec3::new(1.0, length, 1.0),
            })
        });
        visibility.set_if_neq(if place.is_some() { Visibility::Visible } else { Visibility::Hidden });
        if let Some(place) = place {
            transform.set_if_neq(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rim_is_as_wide_to_the_eye_near_and_far_within_limits() {
        assert_eq!(rim_width(0.3), RIM.0);
        assert!((rim_width(2.0) - 0.0044).abs() < 1e-6);
        assert_eq!(rim_width(10.0), RIM.1);
    }
}
