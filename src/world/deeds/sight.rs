//! What the player looks at and could give another surface.

use avian3d::prelude::*;
use bevy::{ecs::system::SystemParam, prelude::*};

use crate::{
    scene::{RoomSpec, SceneSpec, Side},
    world::{
        Architecture, RoomPart, RoomSurface, SceneObject,
        companion::Companion,
        hand::HeldBy,
        player::{Player, ViewPose},
    },
};

/// How far one paints, metres.
const REACH: f32 = 12.0;

/// Something that can wear a material.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// An object of the scene, by the root's entity and its name.
    Object { root: Entity, name: String },
    /// A surface of a room.
    Room {
        /// As in the scene.
        room: usize,
        part: RoomPart,
        body: Entity,
        /// The mesh of this part alone, or of all walls as long as they share one.
        mesh: Entity,
    },
}

impl Target {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Target::Object { .. } => "thing",
            Target::Room { part, .. } => match part {
                RoomPart::Floor => "floor",
                RoomPart::Walls | RoomPart::Wall(_) => "wall",
                RoomPart::Ceiling => "ceiling",
                RoomPart::Exterior => "outer wall",
                RoomPart::Joinery => "woodwork",
            },
        }
    }
}

/// The part of a room that a ray meets at `point` of its shell.
fn part_at(room: &RoomSpec, eye: Vec3, point: Vec3, normal: Vec3) -> RoomPart {
    if !room.contains(eye) {
        return RoomPart::Exterior;
    }
    if normal.y > 0.7 {
        return RoomPart::Floor;
    }
    if normal.y < -0.7 && point.y > room.floor_y + room.height - 0.1 {
        return RoomPart::Ceiling;
    }
    let sides = [
        (Side::North, room.min.y - point.z),
        (Side::East, point.x - room.max.x),
        (Side::South, point.z - room.max.y),
        (Side::West, room.min.x - point.x),
    ];
    let nearest = sides.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    RoomPart::Wall(nearest.map_or(Side::North, |(side, _)| side))
}

/// The player's line of sight.
#[derive(SystemParam)]
pub(super) struct Sight<'w, 's> {
    players: Query<'w, 's, (Entity, &'static ViewPose), With<Player>>,
    spatial: SpatialQuery<'w, 's>,
    unseen: Query<'w, 's, Entity, Or<(With<Companion>, With<HeldBy>)>>,
    bodies: Query<'w, 's, &'static ColliderOf>,
    objects: Query<'w, 's, &'static SceneObject>,
    architecture: Query<'w, 's, (), With<Architecture>>,
    children: Query<'w, 's, &'static Children>,
    surfaces: Query<'w, 's, &'static RoomSurface>,
}

impl Sight<'_, '_> {
    /// What the player looks at.
    ///
    /// # Errors
    /// - why it is nothing that wears a material, in words for the player
    pub fn target(&self, scene: &SceneSpec) -> Result<Target, &'static str> {
        const NOTHING: &str = "You look at nothing that is near enough.";
        const UNFIT: &str = "That cannot be painted.";
        let (player, view) = self.players.single().map_err(|_| NOTHING)?;
        let ray = view.ray();
        let filter = SpatialQueryFilter::from_excluded_entities(self.unseen.iter().chain([player]));
        let hit = self.spatial.cast_ray(ray.origin, ray.direction, REACH, true, &filter).ok_or(NOTHING)?;
        let body = self.bodies.get(hit.entity).map_or(hit.entity, |of| of.body);
        if let Ok(SceneObject(name)) = self.objects.get(body) {
            return Ok(Target::Object { root: body, name: name.clone() });
        }
        let children = self.children.get(body).into_iter().flatten();
        let surfaces: Vec<(Entity, &RoomSurface)> =
            children.filter_map(|child| Some((*child, self.surfaces.get(*child).ok()?))).collect();
        let room = surfaces.first().map(|(_, surface)| surface.room);
        let room = room.filter(|_| self.architecture.contains(body)).ok_or(UNFIT)?;
        let point = ray.origin + *ray.direction * hit.distance;
        let part = part_at(&scene.rooms[room], ray.origin, point, hit.normal);
        let mesh_of = |part| surfaces.iter().find(|(_, surface)| surface.part == part).map(|(mesh, _)| *mesh);
        let shared = || matches!(part, RoomPart::Wall(_)).then(|| mesh_of(RoomPart::Walls)).flatten();
        let mesh = mesh_of(part).or_else(shared).ok_or(UNFIT)?;
        Ok(Target::Room { room, part, body, mesh })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_paints_what_one_looks_at() {
        let room = RoomSpec::bare("r", [0.0, 0.0], [5.0, 4.0], vec![]);
        let eye = Vec3::new(2.0, 1.6, 2.0);
        let part = |point: [f32; 3], normal| part_at(&room, eye, point.into(), normal);
        assert_eq!(part([2.0, 0.0, 1.0], Vec3::Y), RoomPart::Floor);
        assert_eq!(part([2.0, 3.0, 1.0], -Vec3::Y), RoomPart::Ceiling);
        assert_eq!(part([2.0, 1.0, 0.0], Vec3::Z), RoomPart::Wall(Side::North));
        assert_eq!(part([4.93, 1.0, 2.0], -Vec3::X), RoomPart::Wall(Side::East));
        assert_eq!(part_at(&room, Vec3::new(9.0, 1.6, 2.0), Vec3::new(5.2, 1.0, 2.0), Vec3::X), RoomPart::Exterior);
    }
}
