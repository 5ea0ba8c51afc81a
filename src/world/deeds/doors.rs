//! Doors that open and close: by command all of them, by hand the one that is looked at.
//!
//! In: the scene's rooms, `Doors`, a grip that closes on nothing before a panel. Out: panels that slide, light and ways that
//! end at closed doors. A door that would run into somebody or something waits. What is absent: where panels are
//! (`architecture::sliding_doors`).

use avian3d::prelude::*;
use bevy::{ecs::entity::EntityHashSet, prelude::*};

use super::DeedHistory;
use crate::{
    scene::{ActiveScene, MaterialSpec, Pattern},
    world::{
        Architecture, CommandAnswered, Commanded, HandIntent, HouseMap, SceneReady,
        architecture::{panel_meshes, sliding_doors},
        companion::Companion,
        hand::{Hand, HandTarget, Holding, TrackedHand},
        kit::mesh::to_mesh,
        light::LightControl,
        materials::{MaterialLibrary, Workshop},
        player::{ViewPose, Walker},
        quality::Quality,
    },
};

/// A doorway with a door.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Door {
    /// What it is told to be; its panels follow.
    pub open: bool,
    /// The opening: middle and half size, world space.
    pub middle: Vec3,
    pub half_size: Vec3,
}

/// One panel of a door.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct DoorPanel {
    pub door: Entity,
    pub closed: Vec3,
    pub open: Vec3,
}

/// Metres per second.
const SLIDE_SPEED: f32 = 1.1;
/// How far one reaches for a door, metres.
const REACH: f32 = 2.2;

/// Puts doors, open, into the doorways of a new scene.
pub(super) fn hang_doors(
    mut changes: MessageReader<SceneReady>,
    old: Query<Entity, With<Door>>,
    mut commands: Commands,
    (mut meshes, mut images, mut materials): (
        ResMut<Assets<Mesh>>,
        ResMut<Assets<Image>>,
        ResMut<Assets<StandardMaterial>>,
    ),
    mut library: ResMut<MaterialLibrary>,
    quality: Res<Quality>,
) {
    let Some(change) = changes.read().last() else { return };
    if change.old.as_ref().is_some_and(|old| old.rooms == change.new.rooms) {
        return;
    }
    for door in &old {
        commands.entity(door).despawn();
    }
    let mut workshop = Workshop { images: &mut images, materials: &mut materials, settings: quality.settings() };
    let [wood, paint] = [frame_material(), board_material()].map(|spec| library.room(&spec, &mut workshop));
    for door in sliding_doors(&change.new.rooms) {
        let root = commands
            .spawn((
                Name::new("door"),
                Door { open: true, middle: door.middle, half_size: door.half_size },
                Transform::default(),
                Visibility::default(),
            ))
            .id();
        for panel in door.panels {
            let size = 2.0 * panel.half_size;
            let looks = panel_meshes(panel.half_size);
            let mut mesh = |buffers| Mesh3d(meshes.add(to_mesh(buffers, true)));
            commands.spawn((
                DoorPanel { door: root, closed: panel.closed, open: panel.open },
                ChildOf(root),
                Transform::from_translation(panel.open),
                RigidBody::Kinematic,
                Collider::cuboid(size.x, size.y, size.z),
                mesh(&looks.frame),
                MeshMaterial3d(wood.clone()),
                children![(mesh(&looks.board), MeshMaterial3d(paint.clone()), Transform::default())],
            ));
        }
    }
}

/// Oiled wood.
fn frame_material() -> MaterialSpec {
    MaterialSpec {
        pattern: Pattern::Plain,
        base_color: Vec3::new(0.34, 0.21, 0.11),
        accent_color: Vec3::new(0.26, 0.16, 0.08),
        roughness: 0.45,
        metallic: 0.0,
        scale_m: 1.2,
        ..MaterialSpec::default()
    }
}

/// Light paint, so that a closed door is no dark hole in a bright wall.
fn board_material() -> MaterialSpec {
    MaterialSpec {
        pattern: Pattern::Plain,
        base_color: Vec3::new(0.74, 0.66, 0.52),
        accent_color: Vec3::new(0.66, 0.58, 0.45),
        roughness: 0.6,
        metallic: 0.0,
        scale_m: 1.2,
        ..MaterialSpec::default()
    }
}

/// Answers `Doors`.
pub(super) fn command_doors(
    mut commanded: MessageReader<Commanded>,
    mut doors: Query<(Entity, &mut Door)>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    for command in commanded.read().filter(|command| command.is("Doors")) {
        let open = match command.word() {
            "open" => true,
            "close" => false,
            _ => continue,
        };
        let changed: Vec<Entity> =
            doors.iter().filter(|(_, door)| door.open != open).map(|(entity, _)| entity).collect();
        if changed.is_empty() {
            let why = match (doors.is_empty(), open) {
                (true, _) => "There are no doors here.",
                (_, true) => "All doors are open.",
                (_, false) => "All doors are closed.",
            };
            answers.write(CommandAnswered::refused(command, why));
            continue;
        }
        for entity in &changed {
            if let Ok((_, mut door)) = doors.get_mut(*entity) {
                door.open = open;
            }
        }
        history.note("the doors", move |world| move_doors(world, &changed, !open));
        answers.write(CommandAnswered::done(command, if open { "The doors open." } else { "The doors close." }));
    }
}

fn move_doors(world: &mut World, doors: &[Entity], open: bool) -> Result<(), String> {
    let mut found = false;
    for entity in doors {
        if let Some(mut door) = world.get_mut::<Door>(*entity) {
            door.open = open;
            found = true;
        }
    }
    found.then_some(()).ok_or_else(|| "Those doors are gone.".to_owned())
}

/// A hand that closes on nothing before a door moves the door.
pub(super) fn use_door(
    hands: Query<(Entity, &HandIntent, &HandTarget, &ViewPose, Option<&TrackedHand>, Has<Holding>), With<Hand>>,
    spatial: SpatialQuery,
    panels: Query<&DoorPanel>,
    mut doors: Query<&mut Door>,
    mut history: ResMut<DeedHistory>,
    mut closed_before: Local<EntityHashSet>,
) {
    closed_before.retain(|hand| hands.contains(*hand));
    for (entity, hand, target, view, tracked, holds) in &hands {
        let closing = hand.grab && closed_before.insert(entity);
        if !hand.grab {
            closed_before.remove(&entity);
        }
        let player = tracked.map_or(entity, |tracked| tracked.of);
        if !closing || holds || target.0.is_some() {
            continue;
        }
        let ray = view.ray();
        let filter = SpatialQueryFilter::from_excluded_entities([player]);
        let hit = spatial.cast_ray(ray.origin, ray.direction, REACH, true, &filter);
        let Some(panel) = hit.and_then(|hit| panels.get(hit.entity).ok()) else { continue };
        let Ok(mut door) = doors.get_mut(panel.door) else { continue };
        door.open = !door.open;
        let (entity, open) = (panel.door, door.open);
        history.note("the door", move |world| move_doors(world, &[entity], !open));
    }
}

/// Moves panels to where they are told to be. A closing door waits while somebody or something is in its way.
pub(super) fn slide(
    doors: Query<&Door>,
    mut panels: Query<(&DoorPanel, &mut Transform)>,
    people: Query<&Transform, (Or<(With<Walker>, With<Companion>)>, Without<DoorPanel>)>,
    things: Query<(&RigidBody, &ColliderAabb), Without<DoorPanel>>,
    time: Res<Time>,
) {
    for (panel, mut transform) in &mut panels {
        let Ok(door) = doors.get(panel.door) else { continue };
        let wanted = if door.open { panel.open } else { panel.closed };
        let way = wanted - transform.translation;
        if way == Vec3::ZERO {
            continue;
        }
        if !door.open {
            let (low, high) = (door.middle - door.half_size, door.middle + door.half_size);
            let margin = Vec3::new(0.3, 0.0, 0.3);
            let stands_in = |place: Vec3| place.cmpge(low - margin).all() && place.cmple(high + margin).all();
            let overlaps = |aabb: &ColliderAabb| aabb.min.cmplt(high).all() && aabb.max.cmpgt(low).all();
            let blocked = people.iter().any(|body| stands_in(body.translation + Vec3::Y * 0.1))
                || things.iter().any(|(body, aabb)| body.is_dynamic() && overlaps(aabb));
            if blocked {
                continue;
            }
        }
        transform.translation += way.clamp_length_max(SLIDE_SPEED * time.delta_secs());
    }
}

/// Light and ways end at doors that are told to be closed.
pub(super) fn close_ways(
    changed: Query<(), Changed<Door>>,
    mut gone: RemovedComponents<Door>,
    doors: Query<&Door>,
    rooms: Query<(), Added<Architecture>>,
    scene: Option<Res<ActiveScene>>,
    map: Option<ResMut<HouseMap>>,
    mut control: ResMut<LightControl>,
) {
    if changed.is_empty() && gone.read().count() == 0 && rooms.is_empty() {
        return;
    }
    let shut: Vec<Vec3> = doors.iter().filter(|door| !door.open).map(|door| door.middle).collect();
    if let (Some(mut map), Some(scene)) = (map, scene) {
        let mut wanted = HouseMap::of(&scene.spec);
        wanted.shut(&shut);
        map.set_if_neq(wanted);
    }
    if control.shut != shut {
        control.shut = shut;
    }
}
