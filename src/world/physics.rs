//! avian3d, set up for a room full of things that are stacked, thrown and rolled. The only file that configures it.
//!
//! In: nothing. Out: the physics plugins on the fixed schedule, [`Tick`] counted, colliders from [`ColliderPiece`]s.

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{architecture::Solid, kit::ColliderPiece};
use crate::base::Tick;

/// Physics at [`Tick::RATE_HZ`].
pub struct WorldPhysicsPlugin;

impl Plugin for WorldPhysicsPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(PhysicsPlugins::default())
            .insert_resource(Time::<Fixed>::from_hz(Tick::RATE_HZ))
            .insert_resource(Gravity(Vec3::NEG_Y * 9.81))
            // Six is avian's default; light things under heavy ones need more to stand still.
            .insert_resource(SubstepCount(8))
            .init_resource::<Tick>()
            .add_systems(FixedFirst, count_tick);
    }
}

fn count_tick(mut tick: ResMut<Tick>) {
    tick.0 += 1;
}

/// The collision shape of an object; `None` if it has no piece that is a solid.
pub fn object_collider(pieces: &[ColliderPiece]) -> Option<Collider> {
    let shapes: Vec<(Vec3, Quat, Collider)> = pieces
        .iter()
        .filter_map(|piece| match piece {
            ColliderPiece::Box { center, rotation, half_size } => {
                let size = (2.0 * *half_size).max(Vec3::splat(0.002));
                Some((*center, *rotation, Collider::cuboid(size.x, size.y, size.z)))
            }
            ColliderPiece::Cylinder { center, rotation, radius, half_height } => {
                Some((*center, *rotation, Collider::cylinder(*radius, 2.0 * half_height)))
            }
            ColliderPiece::Sphere { center, radius } => Some((*center, Quat::IDENTITY, Collider::sphere(*radius))),
            ColliderPiece::Hull(points) => Some((Vec3::ZERO, Quat::IDENTITY, Collider::convex_hull(points.clone())?)),
        })
        .collect();
    (!shapes.is_empty()).then(|| Collider::compound(shapes))
}

/// The collision shape of a building.
pub fn building_collider(solids: &[Solid]) -> Option<Collider> {
    let shapes: Vec<(Vec3, Quat, Collider)> = solids
        .iter()
        .filter(|solid| solid.half_size.min_element() > 1e-4)
        .map(|solid| {
            let size = 2.0 * solid.half_size;
            (solid.center, Quat::IDENTITY, Collider::cuboid(size.x, size.y, size.z))
        })
        .collect();
    (!shapes.is_empty()).then(|| Collider::compound(shapes))
}

/// How a class of things rubs, bounces and comes to rest.
pub fn surface_physics(class: &str) -> (Friction, Restitution, AngularDamping) {
    // Real things lose their roll on floors; rigid bodies without rolling friction never would.
    let (friction, restitution, damping) = match class {
        "ball" => (0.7, 0.65, 0.5),
        "apple" | "pear" | "duck" => (0.6, 0.15, 1.5),
        "die" => (0.5, 0.3, 0.4),
        _ => (0.6, 0.08, 0.8),
    };
    (Friction::new(friction), Restitution::new(restitution), AngularDamping(damping))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_models_have_no_collider_and_pieces_are_joined() {
        assert!(object_collider(&[]).is_none());
        let pieces = [
            ColliderPiece::Sphere { center: Vec3::X, radius: 0.5 },
            ColliderPiece::Sphere { center: -Vec3::X, radius: 0.5 },
        ];
        let collider = object_collider(&pieces).unwrap();
        let bounds = collider.aabb(Vec3::ZERO, Quat::IDENTITY);
        assert!((bounds.max.x - 1.5).abs() < 1e-3 && (bounds.min.x + 1.5).abs() < 1e-3);
    }
}
