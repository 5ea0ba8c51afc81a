//! Paint: what the player looks at gets the surface of another material of the scene.
//!
//! In: `Paint`, the player's line of sight. Out: a wall, a floor, a ceiling or an object's main part in that material, and
//! for rooms the light that it bounces ([`LightControl`]).

use avian3d::prelude::*;
use bevy::prelude::*;

use super::DeedHistory;
use crate::{
    scene::{ActiveScene, RoomSpec, Side},
    world::{
        Architecture, CommandAnswered, Commanded, RoomPart, RoomSurface, SceneObject,
        companion::Companion,
        hand::HeldBy,
        light::LightControl,
        player::{Player, ViewPose},
        spawn::Stage,
    },
};

/// How far one paints, metres.
const REACH: f32 = 12.0;

/// The material that an object was painted with.
#[derive(Component, Clone, Debug, PartialEq, Eq)]
pub struct Painted(pub String);

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

/// What a part is called.
fn name(part: RoomPart) -> &'static str {
    match part {
        RoomPart::Floor => "floor",
        RoomPart::Walls | RoomPart::Wall(_) => "wall",
        RoomPart::Ceiling => "ceiling",
        RoomPart::Exterior => "outer wall",
        RoomPart::Joinery => "woodwork",
    }
}

/// Answers `Paint`.
pub(super) fn command_paint(
    mut commanded: MessageReader<Commanded>,
    players: Query<(Entity, &ViewPose), With<Player>>,
    spatial: SpatialQuery,
    unseen: Query<Entity, Or<(With<Companion>, With<HeldBy>)>>,
    bodies: Query<&ColliderOf>,
    (objects, painted, architecture): (Query<&SceneObject>, Query<&Painted>, Query<(), With<Architecture>>),
    children: Query<&Children>,
    surfaces: Query<(Entity, &RoomSurface)>,
    (worn, meshes): (Query<&MeshMaterial3d<StandardMaterial>>, Query<(), With<Mesh3d>>),
    scene: Option<Res<ActiveScene>>,
    mut stage: Stage,
    mut control: ResMut<LightControl>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
    mut commands: Commands,
) {
    for command in commanded.read().filter(|command| command.is("Paint")) {
        let material = command.word();
        let (Some(scene), Ok((player, view))) = (&scene, players.single()) else { continue };
        let scene = &scene.spec;
        if !scene.materials.contains_key(material) {
            continue;
        }
        let ray = view.ray();
        let filter = SpatialQueryFilter::from_excluded_entities(unseen.iter().chain([player]));
        let Some(hit) = spatial.cast_ray(ray.origin, ray.direction, REACH, true, &filter) else {
            answers.write(CommandAnswered::refused(command, "You look at nothing that is near enough."));
            continue;
        };
        let body = bodies.get(hit.entity).map_or(hit.entity, |of| of.body);
        if let Ok(SceneObject(object_name)) = objects.get(body) {
            let object = scene.objects.iter().find(|object| object.name == *object_name);
            let looks: Vec<Entity> = mesh_children(body, &children, &meshes);
            let dressed = object.is_some_and(|object| stage.dress_object(scene, object, body, &looks, Some(material)));
            if !dressed {
                answers.write(CommandAnswered::refused(command, "That cannot be painted."));
                continue;
            }
            let before = painted.get(body).ok().map(|painted| painted.0.clone());
            commands.entity(body).insert(Painted(material.to_owned()));
            history.note("the paint", move |world| repaint_object(world, body, before));
            answers.write(CommandAnswered::done(command, format!("It wears {material} now.")));
            continue;
        }
        let point = ray.origin + *ray.direction * hit.distance;
        let room = children.get(body).ok().and_then(|children| {
            children.iter().find_map(|child| surfaces.get(child).ok()).map(|(_, surface)| surface.room)
        });
        let (Some(index), true) = (room, architecture.contains(body)) else {
            answers.write(CommandAnswered::refused(command, "That cannot be painted."));
            continue;
        };
        let part = part_at(&scene.rooms[index], ray.origin, point, hit.normal);
        let of_room: Vec<(Entity, RoomPart)> = children
            .get(body)
            .into_iter()
            .flatten()
            .filter_map(|child| surfaces.get(*child).ok().map(|(entity, surface)| (entity, surface.part)))
            .collect();
        let mut target = of_room.iter().find(|(_, known)| *known == part).map(|(entity, _)| *entity);
        let mut before = target.and_then(|entity| worn.get(entity).ok()).map(|worn| worn.0.clone());
        if let (None, RoomPart::Wall(side)) = (target, part)
            && let Some((walls, _)) = of_room.iter().find(|(_, known)| *known == RoomPart::Walls)
            && let Ok(old) = worn.get(*walls)
        {
            before = Some(old.0.clone());
            let parted = stage.part_walls(scene, index, body, *walls, &old.0);
            target = parted.into_iter().find(|(parted_side, _)| *parted_side == side).map(|(_, entity)| entity);
        }
        let (Some(target), Some(before)) = (target, before) else {
            answers.write(CommandAnswered::refused(command, "That cannot be painted."));
            continue;
        };
        let new = stage.room_material(scene, material);
        commands.entity(target).insert(MeshMaterial3d(new));
        let reflected_before = control.paint(index, part, Some(material.to_owned()));
        history.note("the paint", move |world: &mut World| {
            let mut surface = world.get_entity_mut(target).map_err(|_| "It is gone.".to_owned())?;
            surface.insert(MeshMaterial3d(before));
            world.resource_mut::<LightControl>().paint(index, part, reflected_before);
            Ok(())
        });
        answers.write(CommandAnswered::done(command, format!("The {} wears {material} now.", name(part))));
    }
}

fn mesh_children(body: Entity, children: &Query<&Children>, meshes: &Query<(), With<Mesh3d>>) -> Vec<Entity> {
    children.get(body).into_iter().flatten().copied().filter(|child| meshes.contains(*child)).collect()
}

/// Gives an object the material that it wore before; `None` is the one of the scene's file.
fn repaint_object(world: &mut World, body: Entity, before: Option<String>) -> Result<(), String> {
    let gone = || "It is gone.".to_owned();
    let SceneObject(name) = world.get::<SceneObject>(body).cloned().ok_or_else(gone)?;
    world
        .run_system_cached_with(
            |In((body, name, before)): In<(Entity, String, Option<String>)>,
             scene: Res<ActiveScene>,
             children: Query<&Children>,
             meshes: Query<(), With<Mesh3d>>,
             mut stage: Stage,
             mut commands: Commands| {
                let Some(object) = scene.spec.objects.iter().find(|object| object.name == name) else { return false };
                let looks = mesh_children(body, &children, &meshes);
                match &before {
                    Some(material) => commands.entity(body).insert(Painted(material.clone())),
                    None => commands.entity(body).remove::<Painted>(),
                };
                let material = before.as_deref().or(object.material.as_deref());
                stage.dress_object(&scene.spec, object, body, &looks, material)
            },
            (body, name, before),
        )
        .ok()
        .filter(|dressed| *dressed)
        .map(drop)
        .ok_or_else(gone)
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
