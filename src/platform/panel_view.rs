//! What panels look like: the interface drawn into a picture, the picture on a plane in the world, the rays that point at it.
//!
//! In: [`Panel`]s, [`PanelPointers`]. Out: a camera for the interface, a picture and a plane for each panel, a ray for each hand.
//! Eyes see them, and so does the window's camera; the companion does not.

use bevy::{
    camera::{ImageRenderTarget, RenderTarget, visibility::RenderLayers},
    core_pipeline::tonemapping::{DebandDither, Tonemapping},
    image::ImageSampler,
    light::{NotShadowCaster, NotShadowReceiver},
    prelude::*,
    render::render_resource::TextureFormat,
};

use super::{
    flat::FlatCamera,
    panel_pointer::{By, PanelPointers},
    panels::{Panel, PanelKind},
    tracked_rig::{PlaySpace, is_worn},
    tracking::Side,
};

/// Seen by the headset's eyes and by the window's camera.
pub const PANELS_LAYER: usize = 13;

/// What belongs to the player's eyes and hands and not to the world: it has and takes no shadows, and neither the companion nor labels
/// meet it.
pub fn beside_the_world() -> impl Bundle {
    (NotShadowCaster, NotShadowReceiver, RenderLayers::layer(PANELS_LAYER))
}

/// A picture that the interface is drawn into.
pub fn interface_picture(pixels: UVec2) -> Image {
    let mut picture = Image::new_target_texture(pixels.x, pixels.y, TextureFormat::Rgba8UnormSrgb, None);
    picture.sampler = ImageSampler::linear();
    picture
}

/// What draws the interface there, before the eyes that see it: `order` below theirs.
pub fn interface_camera(order: isize, target: RenderTarget) -> impl Bundle {
    (
        Camera2d,
        Msaa::Off,
        Tonemapping::None,
        DebandDither::Disabled,
        Camera { order, is_active: false, clear_color: ClearColorConfig::Custom(Color::NONE), ..default() },
        target,
    )
}

/// What shows such a picture in the world.
pub fn interface_material(picture: Handle<Image>) -> StandardMaterial {
    StandardMaterial {
        base_color: Color::linear_rgb(BRIGHTNESS, BRIGHTNESS, BRIGHTNESS),
        base_color_texture: Some(picture),
        unlit: true,
        fog_enabled: false,
        // The interface was blended over nothing.
        alpha_mode: AlphaMode::Premultiplied,
        ..default()
    }
}

/// A ray that meets no panel ends here, metres.
const RAY_LENGTH: f32 = 0.5;
/// Of the way to a panel.
const RAY_SHARE: f32 = 0.6;
const RAY_RADIUS: f32 = 0.0012;
/// Of the dot where it meets one, for each metre of distance.
const DOT_RADIUS: f32 = 0.006;
/// Words stand out as on a screen although the picture is toned down for the eyes.
const BRIGHTNESS: f32 = 1.6;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(PreUpdate, make_panels.run_if(is_worn).before(super::panels::PanelSystems))
        .add_systems(Update, show_to_window)
        .add_systems(PostUpdate, (draw_panels, draw_rays).before(TransformSystems::Propagate))
        .add_systems(PostUpdate, fit_canvas.before(bevy::ui::UiSystems::Prepare));
}

/// A hand's ray or the dot at its end.
#[derive(Component, Clone, Copy, PartialEq)]
enum Pointed {
    Ray(Side),
    Dot(Side),
}

/// Once there is somebody to see them.
fn make_panels(
    mut commands: Commands,
    made: Query<(), With<Panel>>,
    scale: Option<Res<UiScale>>,
    mut images: ResMut<Assets<Image>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    if !made.is_empty() {
        return;
    }
    let alone = || (beside_the_world(), Visibility::Hidden);
    for kind in PanelKind::ALL {
        let picture = images.add(interface_picture(kind.picture()));
        let target = canvas(kind, picture.clone(), scale.as_ref().map_or(1.0, |scale| scale.0));
        let camera = commands
            .spawn((Name::new(format!("camera of the panel {kind:?}")), interface_camera(-40 + kind as isize, target)))
            .id();
        commands.spawn((
            Panel::new(kind, camera),
            Name::new(format!("panel {kind:?}")),
            Mesh3d(meshes.add(Rectangle::new(1.0, 1.0))),
            MeshMaterial3d(materials.add(StandardMaterial { cull_mode: None, ..interface_material(picture) })),
            Transform::default(),
            alone(),
        ));
    }
    let glow = materials.add(StandardMaterial { base_color: Color::srgb(0.95, 0.78, 0.5), unlit: true, ..default() });
    let ray = meshes.add(Cylinder::new(RAY_RADIUS, 1.0).mesh().resolution(8));
    let dot = meshes.add(Sphere::new(1.0).mesh().uv(16, 10));
    for side in Side::BOTH {
        for (pointed, mesh) in [(Pointed::Ray(side), &ray), (Pointed::Dot(side), &dot)] {
            let look = (Mesh3d(mesh.clone()), MeshMaterial3d(glow.clone()));
            commands.spawn((pointed, look, Transform::default(), alone()));
        }
    }
}

/// The picture as something to draw the interface on, whose pixels are as large as the panel's whatever the window's are.
fn canvas(kind: PanelKind, picture: Handle<Image>, interface_scale: f32) -> RenderTarget {
    let scale_factor = kind.picture().x as f32 / kind.canvas().x / interface_scale.max(1e-3);
    RenderTarget::Image(ImageRenderTarget { handle: picture, scale_factor })
}

fn fit_canvas(
    scale: Res<UiScale>,
    panels: Query<&Panel>,
    mut targets: Query<(&mut RenderTarget, &mut Projection), With<Camera>>,
) {
    if !scale.is_changed() {
        return;
    }
    for panel in &panels {
        if let Ok((mut target, mut projection)) = targets.get_mut(panel.camera)
            && let Some(picture) = target.as_image().cloned()
        {
            *target = canvas(panel.kind, picture, scale.0);
            // Bevy does not look at a target that changed by itself.
            projection.set_changed();
        }
    }
}

/// Whoever watches the window sees what is operated.
fn show_to_window(mut commands: Commands, cameras: Query<Entity, Added<FlatCamera>>) {
    for camera in &cameras {
        commands.entity(camera).insert(RenderLayers::from_layers(&[0, PANELS_LAYER]));
    }
}

fn draw_panels(
    space: Res<PlaySpace>,
    time: Res<Time<Fixed>>,
    mut panels: Query<(&Panel, &mut Transform, &mut Visibility)>,
    mut cameras: Query<&mut Camera>,
) {
    let world_from_stage = space.between(time.overstep_fraction());
    for (panel, mut transform, mut visibility) in &mut panels {
        if let Ok(mut camera) = cameras.get_mut(panel.camera)
            && camera.is_active != panel.open
        {
            camera.is_active = panel.open;
        }
        visibility.set_if_neq(if panel.open { Visibility::Visible } else { Visibility::Hidden });
        if panel.open {
            let place = world_from_stage * panel.place;
            transform.set_if_neq(Transform::from_isometry(place).with_scale(panel.size.extend(1.0)));
        }
    }
}

fn draw_rays(
    space: Res<PlaySpace>,
    time: Res<Time<Fixed>>,
    pointers: Res<PanelPointers>,
    mut drawn: Query<(&Pointed, &mut Transform, &mut Visibility)>,
) {
    let world_from_stage = space.between(time.overstep_fraction());
    for (pointed, mut transform, mut visibility) in &mut drawn {
        let (Pointed::Ray(side) | Pointed::Dot(side)) = *pointed;
        let pointer = pointers.of(side);
        let ray = pointer.ray.filter(|_| pointer.by != Some(By::Tip));
        let place = ray.and_then(|ray| {
            let (from, along) = (Vec3::from(ray.translation), ray.rotation * Vec3::NEG_Z);
            match *pointed {
                Pointed::Ray(_) => {
                    // Not up to the words that it points at.
                    let length = pointer.hit.map_or(RAY_LENGTH, |hit| RAY_SHARE * hit.distance);
                    let turn = Quat::from_rotation_arc(Vec3::Y, along);
                    let middle = Isometry3d::new(from + along * 0.5 * length, turn);
                    Some(Transform::from_isometry(world_from_stage * middle).with_scale(Vec3::new(1.0, length, 1.0)))
                }
                Pointed::Dot(_) => pointer.hit.map(|hit| {
                    let at = world_from_stage * (from + along * hit.distance);
                    Transform::from_translation(at).with_scale(Vec3::splat(DOT_RADIUS * hit.distance))
                }),
            }
        });
        visibility.set_if_neq(if place.is_some() { Visibility::Visible } else { Visibility::Hidden });
        if let Some(place) = place {
            transform.set_if_neq(place);
        }
    }
}
