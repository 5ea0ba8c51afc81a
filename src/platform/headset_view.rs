//! What a headset's eyes see besides the world: the arc of a teleport with its target, the closing edge while one is moved, the
//! dark inside walls.
//!
//! In: [`TeleportAim`], [`Veiling`], the eyes' cameras. Out: unlit meshes on layers of the eyes' own.

use bevy::{
    asset::RenderAssetUsages,
    camera::visibility::{NoFrustumCulling, RenderLayers},
    light::{NotShadowCaster, NotShadowReceiver},
    mesh::Indices,
    prelude::*,
    render::render_resource::PrimitiveTopology,
};

use super::{
    HeadsetEye,
    panel_view::PANELS_LAYER,
    tracked_rig::{TeleportAim, Veiling},
};

/// Seen by both eyes and nobody else; the two after it belong to one eye each.
const EYES_LAYER: usize = 10;
/// Beads of the arc stand so far apart, metres.
const BEAD_SPACING: f32 = 0.14;
const BEADS: usize = 60;
/// The eye's own veils hang here, metres before it.
const VEIL_DISTANCE: f32 = 0.07;
/// Tangents of the angles from the middle of the view at which the closed edge begins, and from where on it is black.
const EDGE: (f32, f32) = (0.45, 0.85);

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, (veil_eyes, make_arc).chain())
        .add_systems(PostUpdate, (draw_arc, draw_veils).before(TransformSystems::Propagate));
}

#[derive(Component)]
struct Bead(usize);

#[derive(Component)]
struct Target;

#[derive(Component)]
enum Veil {
    /// The edge of the picture.
    Edge,
    /// All of it.
    All,
}

#[derive(Resource)]
struct ArcColours {
    lands: Handle<StandardMaterial>,
    lands_nowhere: Handle<StandardMaterial>,
}

/// A disc across the view, transparent inside `inner` and black from `outer` on (tangents).
fn veil_mesh(inner: f32, outer: f32) -> Mesh {
    const STEPS: u32 = 48;
    let rings = [(0.0, 0.0), (inner, 0.0), (outer, 1.0), (6.0, 1.0)];
    let (mut positions, mut colors, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    for (ring, (radius, alpha)) in rings.into_iter().enumerate() {
        for step in 0..STEPS {
            let (sin, cos) = (std::f32::consts::TAU * step as f32 / STEPS as f32).sin_cos();
            positions.push([radius * cos * VEIL_DISTANCE, radius * sin * VEIL_DISTANCE, 0.0]);
            colors.push([1.0, 1.0, 1.0, alpha]);
            if ring > 0 {
                let (here, inside) = (ring as u32 * STEPS, (ring as u32 - 1) * STEPS);
                let next = (step + 1) % STEPS;
                indices.extend([inside + step, here + step, here + next, inside + step, here + next, inside + next]);
            }
        }
    }
    let normals = vec![[0.0, 0.0, 1.0]; positions.len()];
    Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colors)
        .with_inserted_indices(Indices::U32(indices))
}

/// Gives each eye its layers and its veils.
fn veil_eyes(
    mut commands: Commands,
    eyes: Query<(Entity, &HeadsetEye), Added<HeadsetEye>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (eye, HeadsetEye { index }) in &eyes {
        let own = EYES_LAYER + 1 + *index as usize;
        commands.entity(eye).insert(RenderLayers::from_layers(&[0, EYES_LAYER, own, PANELS_LAYER]));
        for (veil, inner, outer) in [(Veil::Edge, EDGE.0, EDGE.1), (Veil::All, -1.0, 0.0)] {
            let mesh = if inner < 0.0 { veil_mesh(0.0, 0.001) } else { veil_mesh(inner, outer) };
            commands.spawn((
                veil,
                Mesh3d(meshes.add(mesh)),
                MeshMaterial3d(materials.add(StandardMaterial {
                    base_color: Color::BLACK.with_alpha(0.0),
                    unlit: true,
                    alpha_mode: AlphaMode::Blend,
                    cull_mode: None,
                    ..default()
                })),
                Transform::from_xyz(0.0, 0.0, -VEIL_DISTANCE),
                Visibility::Hidden,
                (NotShadowCaster, NotShadowReceiver, NoFrustumCulling, RenderLayers::layer(own)),
                ChildOf(eye),
            ));
        }
    }
}

fn draw_veils(
    comfort: Res<Veiling>,
    mut veils: Query<(&Veil, &mut Visibility, &MeshMaterial3d<StandardMaterial>)>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    if !comfort.is_changed() {
        return;
    }
    for (veil, mut visibility, material) in &mut veils {
        let strength = match veil {
            Veil::Edge => comfort.vignette,
            Veil::All => comfort.fade,
        };
        let shown = if strength > 0.01 { Visibility::Inherited } else { Visibility::Hidden };
        visibility.set_if_neq(shown);
        if shown == Visibility::Inherited
            && let Some(mut material) = materials.get_mut(&material.0)
        {
            material.base_color = Color::BLACK.with_alpha(strength);
        }
    }
}

/// Beads and a ring, once there are eyes to see them.
fn make_arc(
    mut commands: Commands,
    eyes: Query<(), Added<HeadsetEye>>,
    made: Option<Res<ArcColours>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    if eyes.is_empty() || made.is_some() {
        return;
    }
    let mut glow = |color: Color| materials.add(StandardMaterial { base_color: color, unlit: true, ..default() });
    let colours =
        ArcColours { lands: glow(Color::srgb(0.35, 0.95, 0.85)), lands_nowhere: glow(Color::srgb(0.95, 0.35, 0.25)) };
    let bead = meshes.add(Sphere::new(0.012).mesh().uv(12, 8));
    let alone = || (NotShadowCaster, NotShadowReceiver, RenderLayers::layer(EYES_LAYER));
    for number in 0..BEADS {
        commands.spawn((
            Bead(number),
            Mesh3d(bead.clone()),
            MeshMaterial3d(colours.lands.clone()),
            Transform::default(),
            Visibility::Hidden,
            alone(),
        ));
    }
    commands.spawn((
        Target,
        Mesh3d(meshes.add(Torus { minor_radius: 0.018, major_radius: 0.24 })),
        MeshMaterial3d(colours.lands.clone()),
        Transform::default(),
        Visibility::Hidden,
        alone(),
    ));
    commands.insert_resource(colours);
}

/// Points along a path, `spacing` apart.
fn beads_along(path: &[Vec3], spacing: f32, most: usize) -> Vec<Vec3> {
    let mut beads = Vec::new();
    let mut until = spacing;
    for pair in path.windows(2) {
        let length = pair[0].distance(pair[1]);
        while until <= length && beads.len() < most {
            beads.push(pair[0].lerp(pair[1], until / length));
            until += spacing;
        }
        until -= length;
    }
    beads
}

fn draw_arc(
    aim: Res<TeleportAim>,
    colours: Option<Res<ArcColours>>,
    mut beads: Query<(&Bead, &mut Transform, &mut Visibility, &mut MeshMaterial3d<StandardMaterial>)>,
    mut targets: Query<(&mut Transform, &mut Visibility), (With<Target>, Without<Bead>)>,
) {
    let (Some(colours), true) = (colours, aim.is_changed()) else { return };
    let places = beads_along(&aim.points, BEAD_SPACING, BEADS);
    let colour = if aim.place.is_some() { &colours.lands } else { &colours.lands_nowhere };
    let shown = |is: bool| if is { Visibility::Inherited } else { Visibility::Hidden };
    for (bead, mut transform, mut visibility, mut material) in &mut beads {
        let place = places.get(bead.0);
        visibility.set_if_neq(shown(place.is_some()));
        if let Some(place) = place {
            transform.translation = *place;
            if material.0 != *colour {
                material.0 = colour.clone();
            }
        }
    }
    for (mut transform, mut visibility) in &mut targets {
        visibility.set_if_neq(shown(aim.place.is_some()));
        if let Some(place) = aim.place {
            // Half sunk, so that it lies on the ground.
            transform.translation = place + Vec3::Y * 0.005;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beads_are_evenly_spaced_over_corners() {
        let path = [Vec3::ZERO, Vec3::X, Vec3::X + Vec3::Y * 0.35];
        let beads = beads_along(&path, 0.3, 10);
        let expected = [Vec3::X * 0.3, Vec3::X * 0.6, Vec3::X * 0.9, Vec3::new(1.0, 0.2, 0.0)];
        assert_eq!(beads.len(), expected.len());
        for (bead, expected) in beads.iter().zip(expected) {
            assert!(bead.distance(expected) < 1e-5, "{bead}");
        }
        assert_eq!(beads_along(&path, 0.01, 5).len(), 5);
        assert!(beads_along(&[], 0.1, 5).is_empty());
    }
}
