//! Pieces that carpenters share: legs, posts and the finish of timber.

use bevy::math::{Vec2, Vec3};
use rand_chacha::ChaCha8Rng;

use super::{
    draw::chance,
    model::{ColliderPiece, MeshBuffers, Surface},
    palette::{PAINTS, TIMBER, painted, wood},
    shape::{Ends, beveled_box, rod, tube},
};

/// Timber or paint.
pub(super) fn finish(rng: &mut ChaCha8Rng) -> Surface {
    if chance(rng, 0.7) { wood(TIMBER.pick(rng)) } else { painted(PAINTS.pick(rng)) }
}

/// A leg from the floor to `top`, its foot at `foot`: round and tapered, or square. The foot is cut level.
pub(super) fn leg(foot: Vec3, top: Vec3, thick: f32, square: bool) -> MeshBuffers {
    let mut mesh = if square {
        tube(&[foot, top], |t| Vec2::splat(thick * (0.6 + 0.12 * t)), 4, Ends::Flat).with_smooth_normals(0.5)
    } else {
        rod(foot, top, 0.36 * thick, 0.55 * thick, 10)
    };
    let along = top - foot;
    for position in &mut mesh.positions {
        if (*position - foot).dot(along) < 0.5 * along.length_squared() {
            *position -= along * ((position.y - foot.y) / along.y);
        }
    }
    mesh
}

/// A post of square section between two points, its sides along x.
pub(super) fn upright_post(foot: Vec3, head: Vec3, half: f32) -> MeshBuffers {
    let mut mesh = beveled_box(Vec3::new(2.0 * half, 1.0, 2.0 * half), 0.0);
    for position in &mut mesh.positions {
        let share = position.y + 0.5;
        *position = Vec3::new(position.x, 0.0, position.z) + foot.lerp(head, share);
    }
    for uv in &mut mesh.uvs {
        uv.y *= foot.distance(head);
    }
    mesh.with_smooth_normals(0.3)
}

/// The convex hull of a slanted square post from `foot` (on the floor) to `top`.
pub(super) fn leg_hull(foot: Vec3, top: Vec3, half: f32) -> ColliderPiece {
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, z)| Vec3::new(x * half, 0.0, z * half));
    ColliderPiece::Hull(corners.iter().flat_map(|corner| [foot + *corner, top + *corner]).collect())
}
