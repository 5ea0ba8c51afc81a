//! The scripted player's walk: past every vantage point of the house, nearest first.

use bevy::prelude::*;

use crate::{
    scene::ActiveScene,
    world::{
        HouseMap, WalkIntent,
        player::{Player, ViewPose},
    },
};

/// A point of the walk is passed at this distance; given up after these seconds.
const PASSED_M: f32 = 0.5;
const PATIENCE_SECONDS: f64 = 9.0;

/// The camera that stands where the player's eyes are.
#[derive(Component)]
pub(super) struct TourView;

/// The scripted player's way.
#[derive(Resource, Default)]
pub(super) struct Walk {
    points: Vec<Vec3>,
    next: usize,
    since: f64,
    /// Stands and looks until this second.
    rest_until: f64,
}

/// The player visits every vantage point of the house, nearest first.
pub(super) fn plan_walk(app: &mut App) {
    let map = app.world().resource::<HouseMap>().clone();
    let spawn = app.world().resource::<ActiveScene>().spec.spawn.position;
    let mut here = spawn;
    let mut left: Vec<usize> = (0..map.nodes.len()).filter(|node| map.nodes[*node].is_vantage).collect();
    let mut points = Vec::new();
    while !left.is_empty() {
        let length = |node: usize| {
            let way = map.nearest(here, false).and_then(|from| map.way(from, node));
            way.map_or(f32::INFINITY, |(_, length)| length)
        };
        let nearest = (0..left.len()).min_by(|a, b| length(left[*a]).total_cmp(&length(left[*b]))).unwrap_or(0);
        let goal = map.nodes[left.swap_remove(nearest)].position;
        points.extend(map.route(here, goal));
        here = goal;
    }
    app.insert_resource(Walk { points, ..default() });
}

/// Steers the body along its way: towards the next point, resting a little at each, looking about while resting.
pub(super) fn walk(
    mut walk: ResMut<Walk>,
    mut players: Query<(&mut WalkIntent, &ViewPose), With<Player>>,
    time: Res<Time<Virtual>>,
) {
    let now = time.elapsed_secs_f64();
    for (mut intent, view) in &mut players {
        if now < walk.rest_until {
            intent.direction = Vec2::ZERO;
            intent.yaw += 0.5 * time.delta_secs();
            continue;
        }
        let Some(goal) = walk.points.get(walk.next % walk.points.len().max(1)).copied() else { continue };
        let eyes = Vec3::from(view.now.translation);
        let ahead = (goal - eyes).with_y(0.0);
        if ahead.length() < PASSED_M || now - walk.since > PATIENCE_SECONDS {
            walk.next += 1;
            walk.since = now;
            if ahead.length() < PASSED_M {
                walk.rest_until = now + 1.2;
                walk.since = walk.rest_until;
            }
            continue;
        }
        let wanted = (-ahead.x).atan2(-ahead.z);
        let turn =
            (wanted - intent.yaw + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU) - std::f32::consts::PI;
        intent.yaw += turn.clamp(-2.5 * time.delta_secs(), 2.5 * time.delta_secs());
        intent.pitch = -0.12;
        intent.direction = if turn.abs() < 0.7 { Vec2::Y } else { Vec2::ZERO };
    }
}

pub(super) fn follow_eyes(players: Query<&ViewPose, With<Player>>, mut cameras: Query<&mut Transform, With<TourView>>) {
    for (view, mut camera) in players.iter().zip(&mut cameras) {
        *camera = Transform::from_isometry(view.now);
    }
}
