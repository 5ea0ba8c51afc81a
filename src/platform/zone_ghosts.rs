//! Where a thing would come to be: its ghost in the snap zone that it comes near, clearer once letting go puts it there.
//!
//! In: [`SnapZone`]s, meshes and materials of what they are near to. Out: the same, see-through and glowing, on the panels' layer,
//! entities of their own: the window and the headset's eyes see them, the companion and the recorded truth do not. The same with flat
//! and with tracked hands.

use bevy::{
    camera::visibility::{NoFrustumCulling, RenderLayers},
    prelude::*,
};

use super::{hand_marks::is_drawn, panel_view::beside_the_world};
use crate::world::snap_zones::SnapZone;

/// How much of the ghost is seen, and how it glows whatever the light is: from afar, and when it would be taken.
const FAINT: (f32, LinearRgba) = (0.22, LinearRgba::rgb(0.01, 0.06, 0.05));
const CLEAR: (f32, LinearRgba) = (0.6, LinearRgba::rgb(0.03, 0.30, 0.24));

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, make_ghosts).add_systems(PostUpdate, place_ghosts.before(TransformSystems::Propagate));
}

/// One mesh of a thing, where it would be in a zone.
#[derive(Component, Clone, Copy, Debug)]
pub struct Ghost {
    pub zone: Entity,
    pub body: Entity,
    part: Entity,
    is_clear: bool,
}

/// What a ghost wears instead of `material`.
fn ghostly(material: &StandardMaterial, is_clear: bool) -> StandardMaterial {
    let (alpha, emissive) = if is_clear { CLEAR } else { FAINT };
    StandardMaterial {
        base_color: material.base_color.with_alpha(alpha),
        alpha_mode: AlphaMode::Blend,
        emissive,
        emissive_texture: None,
        emissive_exposure_weight: 0.0,
        ..material.clone()
    }
}

/// Ghosts come and go with what is near.
fn make_ghosts(
    mut commands: Commands,
    zones: Query<(Entity, &SnapZone)>,
    ghosts: Query<(Entity, &Ghost)>,
    children: Query<&Children>,
    parts: Query<(&Mesh3d, &MeshMaterial3d<StandardMaterial>, Option<&RenderLayers>), Without<Ghost>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
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
        for part in std::iter::once(body).chain(children.iter_descendants(body)) {
            let Ok((mesh, material, layers)) = parts.get(part) else { continue };
            if !is_drawn(layers) {
                continue;
            }
            let Some(look) = materials.get(&material.0).map(|material| ghostly(material, zone.offers)) else {
                continue;
            };
            commands.spawn((
                Ghost { zone: entity, body, part, is_clear: zone.offers },
                Mesh3d(mesh.0.clone()),
                MeshMaterial3d(materials.add(look)),
                Visibility::Hidden,
                (beside_the_world(), NoFrustumCulling),
            ));
        }
    }
}

/// The thing's own shape and size, where the zone is.
fn place_ghosts(
    zones: Query<&SnapZone>,
    places: Query<&GlobalTransform, Without<Ghost>>,
    mut ghosts: Query<(&mut Ghost, &mut Transform, &mut Visibility, &MeshMaterial3d<StandardMaterial>)>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (mut ghost, mut transform, mut visibility, material) in &mut ghosts {
        let (Ok(zone), Ok(body), Ok(part)) = (zones.get(ghost.zone), places.get(ghost.body), places.get(ghost.part))
        else {
            continue;
        };
        let in_body = body.affine().inverse() * part.affine();
        let at_zone = Transform::from_isometry(zone.place()).with_scale(body.scale());
        transform.set_if_neq(Transform::from_matrix((at_zone.compute_affine() * in_body).into()));
        visibility.set_if_neq(Visibility::Visible);
        if ghost.is_clear != zone.offers
            && let Some(mut look) = materials.get_mut(&material.0)
        {
            ghost.is_clear = zone.offers;
            let changed = ghostly(&look, zone.offers);
            *look = changed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ghost_is_its_thing_seen_through_and_clearer_where_it_would_be_taken() {
        let red = StandardMaterial { base_color: Color::srgb(0.8, 0.1, 0.1), metallic: 0.4, ..default() };
        let (faint, clear) = (ghostly(&red, false), ghostly(&red, true));
        assert!(faint.base_color.alpha() < clear.base_color.alpha() && clear.base_color.alpha() < 1.0);
        assert_eq!((clear.base_color.with_alpha(1.0), clear.metallic), (red.base_color, 0.4));
        assert_eq!(ghostly(&faint, true).base_color, clear.base_color);
    }
}
