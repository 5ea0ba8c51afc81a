//! One wall of a room: where its faces stand, what is cut out of it, what its neighbours hide.

use bevy::math::{Vec2, Vec3};

use super::{
    Solid,
    plane::{Rect2, push_face},
};
use crate::{
    scene::{RoomSpec, Side},
    world::kit::MeshBuffers,
};

/// Thickness of a wall with nothing behind it, metres.
pub const EXTERIOR_THICKNESS: f32 = 0.24;
/// Half of the thickness of a wall between two rooms, metres.
pub const PARTITION_HALF: f32 = 0.07;
/// Two lines closer than this are one line, metres.
const SAME_LINE: f32 = 0.02;
/// Roofs and their edges above a neighbour's ceiling hide this much more of our wall, metres.
const NEIGHBOUR_ROOF: f32 = 0.22;

/// A wall in its own frame: u along it from the end with the smaller coordinate, v up from the floor, w outwards from the
/// room's rectangle.
#[derive(Clone, Debug, PartialEq)]
pub struct Wall {
    pub side: Side,
    /// World position of u = v = w = 0.
    pub origin: Vec3,
    pub along: Vec3,
    /// Away from the room.
    pub outward: Vec3,
    pub length: f32,
    pub height: f32,
    /// Whether another room lies behind at least a part of it.
    pub shared: bool,
    /// w of the face towards the room (negative for a shared wall).
    pub inner_w: f32,
    /// w of the face away from the room.
    pub outer_w: f32,
    pub openings: Vec<Hole>,
    /// Parts of the outer face behind which another room stands.
    pub hidden: Vec<Rect2>,
    /// u range of the inner face, between the inner faces of the adjoining walls.
    inner_u: [f32; 2],
    /// u range of the outer face, up to the outer faces of the adjoining outside walls.
    outer_u: [f32; 2],
}

/// An opening, cut to the wall it lies in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hole {
    pub rect: Rect2,
    pub glazed: bool,
}

impl Wall {
    /// World position of (u, v, w).
    pub fn at(&self, u: f32, v: f32, w: f32) -> Vec3 {
        self.origin + self.along * u + Vec3::Y * v + self.outward * w
    }

    /// The face towards the room.
    pub fn inner_rect(&self) -> Rect2 {
        Rect2::new(self.inner_u[0], 0.0, self.inner_u[1], self.height)
    }

    /// The face away from the room, from `bottom` to `top`.
    pub fn outer_rect(&self, bottom: f32, top: f32) -> Rect2 {
        Rect2::new(self.outer_u[0], bottom, self.outer_u[1], top)
    }

    /// Where a window's frame and glass stand: on the line between two rooms, or towards the outside.
    pub fn glass_w(&self) -> f32 {
        if self.shared { 0.0 } else { 0.62 * self.outer_w }
    }

    /// Appends the part `rect` of the plane at `w`.
    pub(super) fn push_face(&self, mesh: &mut MeshBuffers, rect: Rect2, w: f32, normal: Vec3) {
        let [a, b] = [self.at(rect.min.x, rect.min.y, w), self.at(rect.max.x, rect.max.y, w)];
        push_face(mesh, a.min(b), a.max(b), normal);
    }

    /// The solid part behind `rect` between two depths.
    pub(super) fn solid(&self, rect: Rect2, near_w: f32, far_w: f32) -> Solid {
        Solid::from_corners(self.at(rect.min.x, rect.min.y, near_w), self.at(rect.max.x, rect.max.y, far_w))
    }
}

/// The walls of the room at `index`: north, east, south, west.
pub fn walls_of(rooms: &[RoomSpec], index: usize) -> [Wall; 4] {
    let sides = [Side::North, Side::East, Side::South, Side::West];
    let shared = sides.map(|side| rooms.iter().enumerate().any(|(i, r)| i != index && touches(&rooms[index], side, r)));
    [0, 1, 2, 3].map(|i| {
        // The walls at the ends with the smaller and the larger coordinate.
        let [start, end] = if i % 2 == 0 { [3, 1] } else { [0, 2] };
        wall(rooms, index, sides[i], shared[i], [shared[start], shared[end]])
    })
}

fn wall(rooms: &[RoomSpec], index: usize, side: Side, shared: bool, ends_shared: [bool; 2]) -> Wall {
    let room = &rooms[index];
    let (origin, along, outward) = frame(room, side);
    let length = if along.x > 0.5 { room.max.x - room.min.x } else { room.max.y - room.min.y };
    let (inner_w, outer_w) = if shared { (-PARTITION_HALF, 0.0) } else { (0.0, EXTERIOR_THICKNESS) };
    let inset = ends_shared.map(|shared| if shared { PARTITION_HALF } else { 0.0 });
    let extension = ends_shared.map(|end| if end || shared { 0.0 } else { EXTERIOR_THICKNESS });
    let inner_u = [inset[0], length - inset[1]];
    let limits = Rect2::new(inner_u[0], 0.0, inner_u[1], room.height);
    let openings = room
        .openings
        .iter()
        .filter(|opening| opening.side == side)
        .map(|opening| Hole {
            rect: Rect2::new(
                opening.center - 0.5 * opening.width,
                opening.bottom,
                opening.center + 0.5 * opening.width,
                opening.top,
            )
            .intersection(&limits),
            glazed: opening.glazed,
        })
        .filter(|hole| hole.rect.area() > 0.0)
        .collect();
    let hidden = rooms
        .iter()
        .enumerate()
        .filter(|(i, other)| *i != index && touches(room, side, other))
        .map(|(_, other)| {
            let (low, high) = span(other, side);
            let start = if along.x > 0.5 { room.min.x } else { room.min.y };
            let roof = if other.ceiling.is_some() { NEIGHBOUR_ROOF } else { 0.0 };
            let below = other.floor_y - room.floor_y;
            Rect2 {
                min: Vec2::new(low - start, below - 1.0),
                max: Vec2::new(high - start, below + other.height + roof),
            }
        })
        .collect();
    Wall {
        side,
        origin,
        along,
        outward,
        length,
        height: room.height,
        shared,
        inner_w,
        outer_w,
        openings,
        hidden,
        inner_u,
        outer_u: [-extension[0], length + extension[1]],
    }
}

fn frame(room: &RoomSpec, side: Side) -> (Vec3, Vec3, Vec3) {
    let at = |x: f32, z: f32| Vec3::new(x, room.floor_y, z);
    match side {
        Side::North => (at(room.min.x, room.min.y), Vec3::X, -Vec3::Z),
        Side::East => (at(room.max.x, room.min.y), Vec3::Z, Vec3::X),
        Side::South => (at(room.min.x, room.max.y), Vec3::X, Vec3::Z),
        Side::West => (at(room.min.x, room.min.y), Vec3::Z, -Vec3::X),
    }
}

/// The range of a room along one of its sides.
fn span(room: &RoomSpec, side: Side) -> (f32, f32) {
    match side {
        Side::North | Side::South => (room.min.x, room.max.x),
        Side::East | Side::West => (room.min.y, room.max.y),
    }
}

/// Whether `other` stands directly behind a part of `room`'s wall.
fn touches(room: &RoomSpec, side: Side, other: &RoomSpec) -> bool {
    let (line, other_line) = match side {
        Side::North => (room.min.y, other.max.y),
        Side::East => (room.max.x, other.min.x),
        Side::South => (room.max.y, other.min.y),
        Side::West => (room.min.x, other.max.x),
    };
    let (low, high) = span(room, side);
    let (other_low, other_high) = span(other, side);
    let overlap_u = high.min(other_high) - low.max(other_low);
    let top = (room.floor_y + room.height).min(other.floor_y + other.height);
    let overlap_v = top - room.floor_y.max(other.floor_y);
    (line - other_line).abs() < SAME_LINE && overlap_u > SAME_LINE && overlap_v > SAME_LINE
}
