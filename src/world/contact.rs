//! Soft dark patches where things touch what they stand on: the light that the bounced-light grid is too coarse to miss.
//!
//! In: bodies of the scene's objects and what lies under them. Out: one flat, see-through patch per resting object, an
//! entity of its own (never a child: it is no part of the object that sensors label). Lifted things have none.

use avian3d::prelude::*;
use bevy::{
    asset::RenderAssetUsages,
    image::ImageSampler,
    light::{NotShadowCaster, NotShadowReceiver},
    math::primitives::Plane3d,
    prelude::*,
    render::render_resource::{Extent3d, TextureDimension, TextureFormat},
};

use super::spawn::SceneObject;

/// The patch below an object.
#[derive(Component, Clone, Copy, Debug)]
pub struct ContactShadow {
    of: Entity,
    /// Where the object was when the patch was placed.
    placed_at: Option<Vec3>,
}

/// What all patches are made of.
#[derive(Resource, Clone)]
pub struct ContactShadowAssets {
    mesh: Handle<Mesh>,
    material: Handle<StandardMaterial>,
}

/// How dark the middle is, 0 to 1.
const STRENGTH: f32 = 0.55;
/// A patch reaches this much beyond the object's footprint: a share of it, and metres.
const REACH: (f32, f32) = (1.22, 0.025);
/// Height above the ground that keeps the patch out of its plane, metres.
const LIFT: f32 = 0.004;
/// What is this close above the ground stands on it, metres.
const TOUCH: f32 = 0.04;
/// Side of the patch's picture, pixels.
const PICTURE_SIZE: u32 = 64;

impl FromWorld for ContactShadowAssets {
    fn from_world(world: &mut World) -> Self {
        let picture = world.resource_mut::<Assets<Image>>().add(patch_picture());
        let material = world.resource_mut::<Assets<StandardMaterial>>().add(StandardMaterial {
            base_color: Color::linear_rgba(0.0, 0.0, 0.0, STRENGTH),
            base_color_texture: Some(picture),
            unlit: true,
            alpha_mode: AlphaMode::Blend,
            ..default()
        });
        let mesh = world.resource_mut::<Assets<Mesh>>().add(Plane3d::new(Vec3::Y, Vec2::splat(1.0)).mesh().build());
        Self { mesh, material }
    }
}

/// Darkness from the middle to the rim of a patch, 0 to 1; `r` is 0 in the middle and 1 at the rim.
fn darkness(r: f32) -> f32 {
    let t = ((1.0 - r) / 0.75).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn patch_picture() -> Image {
    let n = PICTURE_SIZE;
    let bytes = (0..n * n)
        .flat_map(|i| {
            let at = Vec2::new((i % n) as f32 + 0.5, (i / n) as f32 + 0.5) / n as f32 * 2.0 - 1.0;
            // Between a circle and a square, because many things are boxes.
            let r = at.abs().powf(2.6).element_sum().powf(1.0 / 2.6);
            [255, 255, 255, (255.0 * darkness(r)) as u8]
        })
        .collect();
    let size = Extent3d { width: n, height: n, depth_or_array_layers: 1 };
    let mut image =
        Image::new(size, TextureDimension::D2, bytes, TextureFormat::Rgba8UnormSrgb, RenderAssetUsages::RENDER_WORLD);
    image.sampler = ImageSampler::linear();
    image
}

/// Gives every new object a patch, not shown yet.
pub fn add_contact_shadows(
    added: Query<Entity, Added<SceneObject>>,
    assets: Res<ContactShadowAssets>,
    mut commands: Commands,
) {
    for of in &added {
        commands.spawn((
            ContactShadow { of, placed_at: None },
            Mesh3d(assets.mesh.clone()),
            MeshMaterial3d(assets.material.clone()),
            Transform::default(),
            Visibility::Hidden,
            NotShadowCaster,
            NotShadowReceiver,
        ));
    }
}

/// Moves the patches of bodies that have moved; removes those whose object is gone.
pub fn place_contact_shadows(
    mut shadows: Query<(Entity, &mut ContactShadow, &mut Transform, &mut Visibility)>,
    bodies: Query<(&Collider, &Position, &Rotation)>,
    objects: Query<(), With<SceneObject>>,
    spatial: SpatialQuery,
    mut commands: Commands,
) {
    for (entity, mut shadow, mut place, mut visibility) in &mut shadows {
        let Ok((collider, position, rotation)) = bodies.get(shadow.of) else {
            if !objects.contains(shadow.of) {
                commands.entity(entity).despawn();
            }
            continue;
        };
        if shadow.placed_at.is_some_and(|before| before.distance_squared(position.0) < 1e-6) {
            continue;
        }
        let bounds = collider.aabb(position.0, *rotation);
        let center = 0.5 * (bounds.min + bounds.max);
        let foot = Vec3::new(center.x, bounds.min.y + 0.5 * TOUCH, center.z);
        let filter = SpatialQueryFilter::default().with_excluded_entities([shadow.of]);
        let ground = spatial.cast_ray(foot, Dir3::NEG_Y, TOUCH, true, &filter);
        let shown = match ground {
            Some(hit) => {
                let half = 0.5 * (bounds.max - bounds.min) * REACH.0 + REACH.1;
                place.translation = Vec3::new(center.x, foot.y - hit.distance + LIFT, center.z);
                place.scale = Vec3::new(half.x, 1.0, half.z);
                Visibility::Inherited
            }
            None => Visibility::Hidden,
        };
        visibility.set_if_neq(shown);
        shadow.placed_at = Some(position.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_dark_in_the_middle_and_ends_at_its_rim() {
        assert_eq!(darkness(0.0), 1.0);
        assert_eq!(darkness(1.0), 0.0);
        let picture = patch_picture();
        let alpha = |x: u32, y: u32| picture.data.as_ref().unwrap()[((y * PICTURE_SIZE + x) * 4 + 3) as usize];
        assert!(alpha(32, 32) > 250);
        assert_eq!(alpha(0, 32), 0);
        assert_eq!(alpha(0, 0), 0);
    }
}
