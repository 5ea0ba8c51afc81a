//! Rooms and the land around them as static bodies.
//!
//! In: [`SceneReady`] and the shells that were prepared for it. Out: one body per room with its meshes as children, and one
//! for the land; [`WorldBounds`]. Materials whose textures were drawn anew are dressed here as well. What is absent: the
//! shape of walls (`architecture`), objects (`spawn`).

use avian3d::prelude::*;
use bevy::prelude::*;

use super::{
    Architecture, WorldBounds,
    architecture::{PLINTH_DEPTH, RoomShell, build_room},
    kit::{MeshBuffers, mesh::to_mesh},
    physics::building_collider,
    preparation::{Prepared, SceneReady},
    spawn::Stage,
    worn::Worn,
};
use crate::scene::{MaterialSpec, Pattern, RoomSpec, SceneSpec, Side};

/// Half of the side of the land around the house, metres.
const LAND_HALF_SIZE: f32 = 120.0;
/// What gets further away from the house than this is lost and put back, metres.
const BOUNDS_BEYOND_HOUSE: f32 = 25.0;
/// How far the land lies below the lowest floor, metres.
const LAND_BELOW_FLOOR: f32 = 0.15;

/// What a mesh of a room is; `room` counts as in the scene.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomSurface {
    pub room: usize,
    pub part: RoomPart,
}

/// The surfaces of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomPart {
    Floor,
    /// All four walls, until one of them gets a surface of its own.
    Walls,
    Wall(Side),
    Ceiling,
    /// What is seen from outside.
    Exterior,
    Joinery,
}

/// Whether two scenes have the same rooms in the same materials.
pub(super) fn same_rooms(old: &SceneSpec, new: &SceneSpec) -> bool {
    old.rooms == new.rooms && old.materials == new.materials
}

/// Makes assets of what was prepared, and replaces the rooms if there are new ones.
pub(super) fn build_rooms(
    mut ready: MessageReader<SceneReady>,
    mut prepared: ResMut<Prepared>,
    old: Query<Entity, With<Architecture>>,
    mut stage: Stage,
) {
    let Some(change) = ready.read().last() else { return };
    stage.store_drawn(&mut prepared);
    let Some(shells) = prepared.rooms.take() else { return };
    for entity in &old {
        stage.commands.entity(entity).despawn();
    }
    for (index, shell) in shells.into_iter().enumerate() {
        stage.spawn_room(&change.new, index, shell);
    }
    stage.spawn_land(&change.new);
}

impl Stage<'_, '_> {
    fn store_drawn(&mut self, prepared: &mut Prepared) {
        let redraw = std::mem::take(&mut prepared.redraw);
        let surfaces = std::mem::take(&mut prepared.surfaces);
        let (library, mut workshop) = self.workshop();
        if redraw {
            library.forget_pictures();
        }
        library.store(surfaces, &mut workshop);
        if redraw {
            library.redress(&mut workshop);
        }
        for variant in std::mem::take(&mut prepared.variants) {
            self.variants.store(variant, &mut self.meshes);
        }
    }

    fn spawn_room(&mut self, scene: &SceneSpec, index: usize, shell: RoomShell) {
        let room = &scene.rooms[index];
        let exterior = if scene.materials.contains_key("exterior") { "exterior" } else { &room.walls };
        let pieces = [
            (RoomPart::Floor, shell.floor, room.floor.as_str()),
            (RoomPart::Walls, shell.walls, room.walls.as_str()),
            (RoomPart::Ceiling, shell.ceiling, room.ceiling.as_deref().unwrap_or_default()),
            (RoomPart::Exterior, shell.exterior, exterior),
            (RoomPart::Joinery, shell.joinery, "joinery"),
        ];
        let mut body = self.commands.spawn((
            Name::new(format!("room {}", room.name)),
            Architecture,
            Transform::default(),
            Visibility::default(),
            RigidBody::Static,
            Friction::new(0.7),
        ));
        if let Some(collider) = building_collider(&shell.solids) {
            body.insert(collider);
        }
        let body = body.id();
        for (part, buffers, material) in pieces {
            if !buffers.indices.is_empty() {
                let worn = self.room_material(scene, material);
                let surface = self.spawn_mesh(body, &buffers, worn);
                self.commands.entity(surface).insert(RoomSurface { room: index, part });
            }
        }
    }

    /// Replaces the one mesh of all walls of a room by one for each, all as the one was dressed; returns them.
    pub fn part_walls(
        &mut self,
        scene: &SceneSpec,
        index: usize,
        body: Entity,
        walls: Entity,
        worn: &Worn,
    ) -> Vec<(Side, Entity)> {
        self.commands.entity(walls).despawn();
        let room = &scene.rooms[index];
        let parts = walls_apart(&build_room(&scene.rooms, index).walls, room);
        let mut surfaces = Vec::new();
        for (side, buffers) in parts.into_iter().filter(|(_, buffers)| !buffers.indices.is_empty()) {
            let surface = self.spawn_mesh(body, &buffers, worn.clone());
            self.commands.entity(surface).insert(RoomSurface { room: index, part: RoomPart::Wall(side) });
            surfaces.push((side, surface));
        }
        surfaces
    }

    fn spawn_mesh(&mut self, parent: Entity, buffers: &MeshBuffers, worn: Worn) -> Entity {
        let mesh = self.meshes.add(to_mesh(buffers, true));
        let surface = self.commands.spawn((Mesh3d(mesh), ChildOf(parent))).id();
        worn.put_on(self.commands.entity(surface));
        surface
    }

    /// Land around the house, so that nothing falls and windows look out on something.
    fn spawn_land(&mut self, scene: &SceneSpec) {
        let Some(lowest) = scene.rooms.iter().map(|room| room.floor_y).reduce(f32::min) else { return };
        let (low, high) = scene
            .rooms
            .iter()
            .fold((Vec2::MAX, Vec2::MIN), |(low, high), room| (low.min(room.min), high.max(room.max)));
        let center = 0.5 * (low + high);
        let reach = Vec2::splat(BOUNDS_BEYOND_HOUSE);
        let tallest = scene.rooms.iter().map(|room| room.floor_y + room.height).fold(lowest, f32::max);
        self.commands.insert_resource(WorldBounds {
            min: Vec3::new(low.x - reach.x, lowest - 3.0, low.y - reach.y),
            max: Vec3::new(high.x + reach.x, tallest + BOUNDS_BEYOND_HOUSE, high.y + reach.y),
        });
        let top = lowest - LAND_BELOW_FLOOR.min(PLINTH_DEPTH);
        let worn = match scene.materials.get("land") {
            Some(land) => self.wear(land, 1.0),
            None => self.wear(&land_material(), 1.0),
        };
        let half = LAND_HALF_SIZE;
        let corner = |x: f32, z: f32| Vec3::new(center.x + x * half, top, center.y + z * half);
        let positions = vec![corner(-1.0, -1.0), corner(-1.0, 1.0), corner(1.0, 1.0), corner(1.0, -1.0)];
        let buffers = MeshBuffers {
            uvs: positions.iter().map(|p| Vec2::new(p.x, p.z)).collect(),
            normals: vec![Vec3::Y; 4],
            positions,
            indices: vec![0, 1, 2, 0, 2, 3],
        };
        let body = self
            .commands
            .spawn((
                Name::new("land"),
                Architecture,
                RigidBody::Static,
                Friction::new(0.8),
                Transform::default(),
                Visibility::default(),
            ))
            .id();
        // A child, so that the box below the surface needs no offset of the body.
        self.commands.spawn((
            Collider::cuboid(2.0 * half, 4.0, 2.0 * half),
            Transform::from_xyz(center.x, top - 2.0, center.y),
            ChildOf(body),
        ));
        self.spawn_mesh(body, &buffers, worn);
    }
}

/// The triangles of a room's walls by the wall that each belongs to: the one whose line is nearest.
fn walls_apart(walls: &MeshBuffers, room: &RoomSpec) -> [(Side, MeshBuffers); 4] {
    let mut parts = [Side::North, Side::East, Side::South, Side::West].map(|side| (side, MeshBuffers::default()));
    for triangle in walls.indices.chunks_exact(3) {
        let corners = [0, 1, 2].map(|corner| triangle[corner] as usize);
        let middle = corners.iter().map(|corner| walls.positions[*corner]).sum::<Vec3>() / 3.0;
        // Negative inside the room; reveals lie outside of exactly one line.
        let beyond = [room.min.y - middle.z, middle.x - room.max.x, middle.z - room.max.y, room.min.x - middle.x];
        let nearest = (0..4).max_by(|a, b| beyond[*a].total_cmp(&beyond[*b])).unwrap_or(0);
        let part = &mut parts[nearest].1;
        for corner in corners {
            part.indices.push(part.positions.len() as u32);
            part.positions.push(walls.positions[corner]);
            part.normals.push(walls.normals[corner]);
            part.uvs.push(walls.uvs[corner]);
        }
    }
    parts
}

/// What frames, skirting and doors are painted with.
pub(super) fn joinery_material() -> MaterialSpec {
    MaterialSpec {
        pattern: Pattern::Plain,
        base_color: Vec3::new(0.72, 0.68, 0.60),
        accent_color: Vec3::ONE,
        roughness: 0.45,
        metallic: 0.0,
        scale_m: 1.0,
        ..MaterialSpec::default()
    }
}

/// A meadow.
pub(super) fn land_material() -> MaterialSpec {
    MaterialSpec {
        pattern: Pattern::Grass,
        base_color: Vec3::new(0.07, 0.12, 0.03),
        accent_color: Vec3::new(0.19, 0.24, 0.08),
        roughness: 0.95,
        metallic: 0.0,
        scale_m: 2.0,
        ..MaterialSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_told_apart() {
        let room = RoomSpec::bare("r", [0.0, 0.0], [5.0, 4.0], vec![]);
        let whole = build_room(std::slice::from_ref(&room), 0).walls;
        let parts = walls_apart(&whole, &room);
        assert_eq!(parts.iter().map(|(_, part)| part.indices.len()).sum::<usize>(), whole.indices.len());
        for ((side, part), normal) in parts.iter().zip([Vec3::Z, -Vec3::X, -Vec3::Z, Vec3::X]) {
            assert!(!part.indices.is_empty() && part.normals.iter().all(|n| *n == normal), "{side:?}");
        }
    }
}
