//! Where a thing would come to be: its ghost in the snap zone that it comes near, with a rim once letting go puts it there.
//!
//! In: [`SnapZone`]s, the meshes of what they are near to. Out: see-through meshes on the panels' layer, entities of their own: the
//! window and the headset's eyes see them, the companion and the recorded truth do not. The same with flat and with tracked hands.

use bevy::{
    camera::visibility::{NoFrustumCulling, RenderLayers},
    light::{NotShadowCaster, NotShadowReceiver},
    prelude::*,
    render::render_resource::Face,
};

use super::{outline::outline_of, panel_view::PANELS_LAYER};
use crate::world::snap_zones::SnapZone;

/// Metres.
const RIM: f32 = 0.003;
const GLOW: LinearRgba = LinearRgba::rgb(0.25, 1.5, 1.2);
/// How much of the ghost is seen from afar, and when it would be taken.
const FAINT: f32 = 0.10;
const CLEAR: f32 = 0.35;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, make_ghosts)
        .add_systems(PostUpdate, place_ghosts.before(TransformSystems::Propagate).run_if(resource_exists::<GhostLook>));
}

/// One mesh of a thing, where it would be in a zone.
#[derive(Component, Clone, Copy, Debug)]
pub struct Ghost {
    pub zone: Entity,
    pub body: Entity,
    part: Entity,
    is_rim: bool,
}

#[derive(Resource)]
struct GhostLook {
    rim: Handle<StandardMaterial>,
    faint: Handle<StandardMaterial>,
    clear: Handle<StandardMaterial>,
}

impl FromWorld for GhostLook {
    fn from_world(world: &mut World) -> Self {
        let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
        let glow = |alpha: f32| StandardMaterial {
            base_color: GLOW.with_alpha(alpha).into(),
            unlit: true,
            fog_enabled: false,
            ..default()
        };
        let mut fill = |alpha| materials.add(StandardMaterial { alpha_mode: AlphaMode::Blend, ..glow(alpha) });
        let (faint, clear) = (fill(FAINT), fill(CLEAR));
        let rim = materials.add(StandardMaterial { cull_mode: Some(Face::Front), ..glow(1.0) });
        Self { rim, faint, clear }
    }
}

/// Ghosts come and go with what is near.
fn make_ghosts(
    mut commands: Commands,
    zones: Query<(Entity, Ref<SnapZone>)>,
    ghosts: Query<(Entity, &Ghost)>,
    children: Query<&Children>,
    parts: Query<(&Mesh3d, &GlobalTransform, Option<&RenderLayers>), With<MeshMaterial3d<StandardMaterial>>>,
    look: Option<Res<GhostLook>>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    for (entity, ghost) in &ghosts {
        let stays = zones.get(ghost.zone).is_ok_and(|(_, zone)| zone.near == Some(ghost.body));
        if !stays || !parts.contains(ghost.part) {
            commands.entity(entity).despawn();
        }
    }
    for (entity, zone) in &zones {
        let Some(body) = zone.near else { continue };
        if ghosts.iter().any(|(_, ghost)| ghost.zone == entity && ghost.body == body) {
            continue;
        }
        let Some(look) = &look else {
            commands.init_resource::<GhostLook>();
            return;
        };
        for part in std::iter::once(body).chain(children.iter_descendants(body)) {
            let Ok((mesh, place, layers)) = parts.get(part) else { continue };
            if layers.is_some_and(|layers| !layers.intersects(&RenderLayers::layer(0))) {
                continue;
            }
            let alone = || {
                let layer = RenderLayers::layer(PANELS_LAYER);
                (NotShadowCaster, NotShadowReceiver, NoFrustumCulling, layer, Visibility::Hidden)
            };
            let ghost = Ghost { zone: entity, body, part, is_rim: false };
            commands.spawn((ghost, Mesh3d(mesh.0.clone()), MeshMaterial3d(look.faint.clone()), alone()));
            let width = RIM / place.scale().max_element().max(1e-3);
            let shell = meshes.get(&mesh.0).and_then(|mesh| outline_of(mesh, width));
            if let Some(shell) = shell {
                let shell = (Mesh3d(meshes.add(shell)), MeshMaterial3d(look.rim.clone()));
                commands.spawn((Ghost { is_rim: true, ..ghost }, shell, alone()));
            }
        }
    }
}

/// The thing's own shape and size, where the zone is.
fn place_ghosts(
    zones: Query<&SnapZone>,
    places: Query<&GlobalTransform, Without<Ghost>>,
    look: Res<GhostLook>,
    mut ghosts: Query<(&Ghost, &mut Transform, &mut Visibility, &mut MeshMaterial3d<StandardMaterial>)>,
) {
    for (ghost, mut transform, mut visibility, mut material) in &mut ghosts {
        let (Ok(zone), Ok(body), Ok(part)) = (zones.get(ghost.zone), places.get(ghost.body), places.get(ghost.part))
        else {
            continue;
        };
        let in_body = body.affine().inverse() * part.affine();
        let at_zone = Transform::from_isometry(zone.place()).with_scale(body.scale());
        transform.set_if_neq(Transform::from_matrix((at_zone.compute_affine() * in_body).into()));
        visibility.set_if_neq(if ghost.is_rim && !zone.offers { Visibility::Hidden } else { Visibility::Visible });
        let fill = if zone.offers { &look.clear } else { &look.faint };
        if !ghost.is_rim && material.0 != *fill {
            material.0 = fill.clone();
        }
    }
}
