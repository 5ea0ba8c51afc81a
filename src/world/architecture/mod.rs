//! Rooms as buildings: from [`RoomSpec`]s to meshes and collision boxes. Pure geometry; no ECS.
//!
//! In: all rooms of a scene, because neighbours share walls. Out: a [`RoomShell`] per room, in world space and metres.
//!
//! Where the walls stand: the inner face of an outside wall stands on the room's rectangle and the wall grows
//! [`EXTERIOR_THICKNESS`] outwards. Where two rooms share a line, each builds its own half of the wall on its own side of the
//! line ([`PARTITION_HALF`]), so that no two faces lie in one plane and each room keeps its own surface. Both cut their
//! own opening into it; the two halves of the reveal meet on the line.
//!
//! What is absent: materials (the caller knows which surface is which), light, movement of doors, glass.

mod door;
mod joinery;
mod plane;
mod wall;

pub use door::{PanelMeshes, SlidingDoor, panel_meshes, sliding_doors};
pub use plane::Rect2;
pub use wall::{EXTERIOR_THICKNESS, Hole, PARTITION_HALF, Wall, walls_of};

use bevy::math::{Vec2, Vec3};

use self::{
    joinery::{push_architrave, push_skirting, push_window},
    plane::{cells_without, push_box, push_face, strips_without},
};
use crate::{scene::RoomSpec, world::kit::MeshBuffers};

/// How far outside walls reach below the floor, metres; the garden lies within.
pub const PLINTH_DEPTH: f32 = 0.4;
/// Thickness of a roof, metres.
const ROOF_THICKNESS: f32 = 0.2;
/// How far a roof reaches out over outside walls, metres.
const EAVES: f32 = 0.3;
/// Gap between a ceiling and the underside of its roof, metres: keeps the eaves out of the ceiling's plane.
const ROOF_GAP: f32 = 0.02;
/// Thickness of the collision slabs below floors and above ceilings, metres. Thick, so that nothing tunnels.
const SLAB_THICKNESS: f32 = 1.0;

/// The surfaces of one room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoomShell {
    pub floor: MeshBuffers,
    /// Inner faces and window reveals.
    pub walls: MeshBuffers,
    /// Empty for a room open to the sky.
    pub ceiling: MeshBuffers,
    /// What is seen of the room from outside: outer faces, wall tops, roof.
    pub exterior: MeshBuffers,
    /// Frames, architraves, door linings, skirting.
    pub joinery: MeshBuffers,
    /// What is solid.
    pub solids: Vec<Solid>,
}

/// A solid axis-aligned box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solid {
    pub center: Vec3,
    pub half_size: Vec3,
}

impl Solid {
    fn from_corners(a: Vec3, b: Vec3) -> Self {
        Self { center: 0.5 * (a + b), half_size: 0.5 * (b - a).abs() }
    }
}

/// Builds the room at `index` among `rooms`.
pub fn build_room(rooms: &[RoomSpec], index: usize) -> RoomShell {
    let room = &rooms[index];
    let walls = walls_of(rooms, index);
    let mut shell = RoomShell::default();
    for wall in &walls {
        push_wall(&mut shell, wall, room.ceiling.is_some());
    }
    push_floor_and_ceiling(&mut shell, room, &walls);
    shell
}

fn push_wall(shell: &mut RoomShell, wall: &Wall, indoors: bool) {
    let inner = wall.inner_rect();
    let holes: Vec<Rect2> = wall.openings.iter().map(|opening| opening.rect).collect();
    for cell in cells_without(inner, &holes) {
        wall.push_face(&mut shell.walls, cell, wall.inner_w, -wall.outward);
    }
    let mut outer_holes = holes.clone();
    outer_holes.extend(wall.hidden.iter().copied());
    let top = wall.height + if indoors { ROOF_GAP } else { 0.0 };
    let outer = wall.outer_rect(-PLINTH_DEPTH, top);
    for cell in cells_without(outer, &outer_holes) {
        wall.push_face(&mut shell.exterior, cell, wall.outer_w, wall.outward);
    }
    if !indoors {
        // The wall's top.
        let [a, b] = [wall.at(outer.min.x, top, wall.inner_w), wall.at(outer.max.x, top, wall.outer_w)];
        push_face(&mut shell.exterior, a.min(b), a.max(b), Vec3::Y);
    }
    // The wall's ends, seen where it runs on beyond its neighbours.
    for (u, direction) in [(outer.min.x, -wall.along), (outer.max.x, wall.along)] {
        let [a, b] = [wall.at(u, -PLINTH_DEPTH, wall.inner_w.max(0.0)), wall.at(u, top, wall.outer_w)];
        push_face(&mut shell.exterior, a.min(b), a.max(b), direction);
    }
    for opening in &wall.openings {
        push_reveal(shell, wall, opening.rect);
        if opening.glazed {
            push_window(&mut shell.joinery, wall, opening.rect);
            let pane = wall.glass_w();
            shell.solids.push(wall.solid(opening.rect, pane - 0.03, pane + 0.03));
        } else {
            push_architrave(&mut shell.joinery, wall, opening.rect);
        }
    }
    if indoors {
        push_skirting(&mut shell.joinery, wall);
    }
    for strip in strips_without(wall.outer_rect(0.0, wall.height), &holes) {
        shell.solids.push(wall.solid(strip, wall.inner_w, wall.outer_w));
    }
}

/// The four faces inside an opening. A door's threshold belongs to the floor, its lining to the joinery.
fn push_reveal(shell: &mut RoomShell, wall: &Wall, hole: Rect2) {
    let is_door = hole.min.y < 0.01;
    let lining = if is_door { &mut shell.joinery } else { &mut shell.walls };
    let (near, far) = (wall.inner_w, wall.outer_w);
    for (u, normal) in [(hole.min.x, wall.along), (hole.max.x, -wall.along)] {
        let [a, b] = [wall.at(u, hole.min.y, near), wall.at(u, hole.max.y, far)];
        push_face(lining, a.min(b), a.max(b), normal);
    }
    let [a, b] = [wall.at(hole.min.x, hole.max.y, near), wall.at(hole.max.x, hole.max.y, far)];
    push_face(lining, a.min(b), a.max(b), -Vec3::Y);
    let sill = if is_door { &mut shell.floor } else { lining };
    let [a, b] = [wall.at(hole.min.x, hole.min.y, near), wall.at(hole.max.x, hole.min.y, far)];
    push_face(sill, a.min(b), a.max(b), Vec3::Y);
}

fn push_floor_and_ceiling(shell: &mut RoomShell, room: &RoomSpec, walls: &[Wall; 4]) {
    let [north, east, south, west] = walls;
    let corner = |x: f32, z: f32, v: f32| Vec3::new(x, room.floor_y + v, z);
    let inner_min = Vec2::new(room.min.x - west.inner_w, room.min.y - north.inner_w);
    let inner_max = Vec2::new(room.max.x + east.inner_w, room.max.y + south.inner_w);
    let [a, b] = [corner(inner_min.x, inner_min.y, 0.0), corner(inner_max.x, inner_max.y, 0.0)];
    push_face(&mut shell.floor, a, b, Vec3::Y);
    let outer_min = Vec2::new(room.min.x - west.outer_w, room.min.y - north.outer_w);
    let outer_max = Vec2::new(room.max.x + east.outer_w, room.max.y + south.outer_w);
    let [low, high] = [corner(outer_min.x, outer_min.y, 0.0), corner(outer_max.x, outer_max.y, 0.0)];
    shell.solids.push(Solid::from_corners(low - Vec3::Y * SLAB_THICKNESS, high));
    if room.ceiling.is_none() {
        return;
    }
    let up = Vec3::Y * room.height;
    push_face(&mut shell.ceiling, a + up, b + up, -Vec3::Y);
    shell.solids.push(Solid::from_corners(low + up, high + up + Vec3::Y * SLAB_THICKNESS));
    let eaves = |wall: &Wall| if wall.shared { 0.0 } else { EAVES };
    let roof_min = low - Vec3::new(eaves(west), 0.0, eaves(north)) + up + Vec3::Y * ROOF_GAP;
    let roof_max = high + Vec3::new(eaves(east), ROOF_THICKNESS, eaves(south)) + up + Vec3::Y * ROOF_GAP;
    push_box(&mut shell.exterior, roof_min, roof_max);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{OpeningSpec, Side};

    fn opening(side: Side, center: f32, bottom: f32, glazed: bool) -> OpeningSpec {
        OpeningSpec { side, center, width: 1.0, bottom, top: bottom + 2.0, glazed }
    }

    fn area_facing(mesh: &MeshBuffers, normal: Vec3) -> f32 {
        mesh.indices
            .chunks(3)
            .filter(|triangle| mesh.normals[triangle[0] as usize].dot(normal) > 0.999)
            .map(|triangle| {
                let [a, b, c] = [0, 1, 2].map(|corner| mesh.positions[triangle[corner] as usize]);
                0.5 * (b - a).cross(c - a).length()
            })
            .sum()
    }

    #[test]
    fn a_lone_room_has_the_areas_of_its_plan() {
        let rooms = [RoomSpec::bare("a", [0.0, 0.0], [5.0, 4.0], vec![opening(Side::South, 2.5, 0.8, true)])];
        let shell = build_room(&rooms, 0);
        assert!((area_facing(&shell.floor, Vec3::Y) - 20.0).abs() < 1e-3);
        assert!((area_facing(&shell.ceiling, -Vec3::Y) - 20.0).abs() < 1e-3);
        // The south wall has a hole of 2 m²; the reveals of the window face along the wall and up and down.
        assert!((area_facing(&shell.walls, -Vec3::Z) - (15.0 - 2.0)).abs() < 1e-3);
        assert!((area_facing(&shell.walls, Vec3::Z) - 15.0).abs() < 1e-3);
        let reveal = 2.0 * EXTERIOR_THICKNESS;
        assert!((area_facing(&shell.walls, Vec3::X) - (12.0 + reveal)).abs() < 1e-3);
    }

    #[test]
    fn neighbours_build_their_own_halves_of_a_shared_wall() {
        let rooms = [
            RoomSpec::bare("a", [0.0, 0.0], [5.0, 4.0], vec![opening(Side::East, 2.0, 0.0, false)]),
            RoomSpec::bare("b", [5.0, 0.0], [9.0, 4.0], vec![opening(Side::West, 2.0, 0.0, false)]),
        ];
        let [a, b] = [0, 1].map(|index| build_room(&rooms, index));
        let plane_of = |mesh: &MeshBuffers, normal: Vec3| {
            let index = (0..mesh.normals.len()).find(|i| mesh.normals[*i] == normal && mesh.positions[*i].x > 1.0);
            index.map(|index| mesh.positions[index].x)
        };
        assert_eq!(plane_of(&a.walls, -Vec3::X), Some(5.0 - PARTITION_HALF));
        assert!((area_facing(&a.walls, -Vec3::X) - (12.0 - 2.0)).abs() < 1e-3);
        assert!((area_facing(&b.walls, Vec3::X) - (12.0 - 2.0)).abs() < 1e-3);
        // Nothing of one room's outside shows between the two (ends of walls and the roof's edges remain).
        let outside = |shell: &RoomShell, normal: Vec3| {
            (0..shell.exterior.positions.len()).any(|i| {
                let p = shell.exterior.positions[i];
                shell.exterior.normals[i] == normal && (p.x - 5.0).abs() < 1e-3 && p.z > 0.01 && p.z < 3.99 && p.y < 2.9
            })
        };
        assert!(!outside(&a, Vec3::X) && !outside(&b, -Vec3::X));
        // The threshold: both floors together reach from wall to wall through the door.
        let floors = area_facing(&a.floor, Vec3::Y) + area_facing(&b.floor, Vec3::Y);
        assert!((floors - (36.0 - 2.0 * PARTITION_HALF * 4.0 + 2.0 * PARTITION_HALF)).abs() < 1e-3);
    }

    #[test]
    fn doors_are_free_and_windows_are_solid() {
        let rooms = [RoomSpec::bare(
            "a",
            [0.0, 0.0],
            [6.0, 4.0],
            vec![opening(Side::South, 1.5, 0.0, false), opening(Side::South, 4.0, 0.8, true)],
        )];
        let shell = build_room(&rooms, 0);
        let solid_at = |point: Vec3| {
            shell.solids.iter().any(|solid| (point - solid.center).abs().cmple(solid.half_size + 1e-4).all())
        };
        let middle = 4.0 + 0.5 * EXTERIOR_THICKNESS;
        assert!(!solid_at(Vec3::new(1.5, 1.0, middle)));
        assert!(solid_at(Vec3::new(3.0, 1.0, middle)));
        let glass = walls_of(&rooms, 0)[2].glass_w();
        assert!(solid_at(Vec3::new(4.0, 1.5, 4.0 + glass)));
        assert!(solid_at(Vec3::new(3.0, -0.5, 2.0)) && solid_at(Vec3::new(3.0, 3.5, 2.0)));
    }

    #[test]
    fn every_normal_agrees_with_its_winding() {
        let rooms = [
            RoomSpec::bare("a", [0.0, 0.0], [5.0, 4.0], vec![opening(Side::East, 2.0, 0.0, false)]),
            RoomSpec {
                ceiling: None,
                height: 2.5,
                ..RoomSpec::bare("yard", [5.0, -1.0], [9.0, 6.0], vec![opening(Side::West, 3.0, 0.0, false)])
            },
        ];
        for index in 0..2 {
            let shell = build_room(&rooms, index);
            for mesh in [shell.floor, shell.walls, shell.ceiling, shell.exterior, shell.joinery] {
                for triangle in mesh.indices.chunks(3) {
                    let [a, b, c] = [0, 1, 2].map(|corner| mesh.positions[triangle[corner] as usize]);
                    let facing = (b - a).cross(c - a).normalize().dot(mesh.normals[triangle[0] as usize]);
                    assert!(facing > 0.999, "{facing} at {a}");
                }
            }
        }
    }
}
