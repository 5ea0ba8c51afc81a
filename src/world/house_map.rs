//! The house as one who lives in it knows it: rooms and the doors between them, as points to fly or walk through.
//!
//! In: the scene's rooms. Out: a graph of points and shortest ways on it. What is absent: objects; where things stand is
//! for the senses to find out.

use bevy::{math::Vec3, prelude::Resource};

use crate::scene::{RoomSpec, SceneSpec, Side};

/// Height above the floor of the points, metres: above tables, below lamps.
const HEIGHT_M: f32 = 1.45;
/// Doors that two rooms declare at almost the same place are one.
const SAME_DOOR_M: f32 = 0.6;

/// A point of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapNode {
    pub position: Vec3,
    /// A point from which a room is seen; otherwise a doorway.
    pub is_vantage: bool,
}

/// Vantage points of all rooms and the doorways that join them.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct HouseMap {
    pub nodes: Vec<MapNode>,
    /// Pairs of nodes with a free line between them.
    pub edges: Vec<[usize; 2]>,
}

impl HouseMap {
    /// The map of a scene: one vantage point per 4.5 m of a room's longer side, every doorway of the room joined to each,
    /// vantage points of a room joined in a row.
    pub fn of(scene: &SceneSpec) -> Self {
        let mut map = HouseMap::default();
        for room in &scene.rooms {
            let vantages: Vec<usize> = vantage_points(room).map(|position| map.add(position, true)).collect();
            map.edges.extend(vantages.windows(2).map(|pair| [pair[0], pair[1]]));
            for position in doorways(room) {
                let known = map
                    .nodes
                    .iter()
                    .position(|node| !node.is_vantage && node.position.distance(position) < SAME_DOOR_M);
                let door = known.unwrap_or_else(|| map.add(position, false));
                map.edges.extend(vantages.iter().map(|vantage| [*vantage, door]));
            }
        }
        map
    }

    /// Cuts the ways through doorways near these points. Numbers of nodes stay.
    pub fn shut(&mut self, doorways: &[Vec3]) {
        let level = |point: Vec3| Vec3::new(point.x, 0.0, point.z);
        let nodes = &self.nodes;
        let is_shut = |node: usize| {
            let position = level(nodes[node].position);
            !nodes[node].is_vantage && doorways.iter().any(|door| level(*door).distance(position) < SAME_DOOR_M)
        };
        self.edges.retain(|[a, b]| !is_shut(*a) && !is_shut(*b));
    }

    fn add(&mut self, position: Vec3, is_vantage: bool) -> usize {
        self.nodes.push(MapNode { position, is_vantage });
        self.nodes.len() - 1
    }

    /// The node nearest to a point; vantage points only if asked. `None` on an empty map.
    pub fn nearest(&self, point: Vec3, vantage_only: bool) -> Option<usize> {
        (0..self.nodes.len()).filter(|index| !vantage_only || self.nodes[*index].is_vantage).min_by(|a, b| {
            let distance = |index: &usize| self.nodes[*index].position.distance_squared(point);
            distance(a).total_cmp(&distance(b))
        })
    }

    /// The shortest way between two nodes, both included, and its length in metres (Dijkstra 1959, linear scan: maps
    /// have tens of nodes). `None` if they are not connected.
    pub fn way(&self, from: usize, to: usize) -> Option<(Vec<usize>, f32)> {
        let count = self.nodes.len();
        let mut length = vec![f32::INFINITY; count];
        let mut before = vec![usize::MAX; count];
        let mut open = vec![true; count];
        *length.get_mut(from)? = 0.0;
        while let Some(here) = (0..count)
            .filter(|index| open[*index] && length[*index].is_finite())
            .min_by(|a, b| length[*a].total_cmp(&length[*b]))
        {
            if here == to {
                let mut way = vec![to];
                while let Some(&previous) = way.last().map(|last| &before[*last]).filter(|index| **index != usize::MAX)
                {
                    way.push(previous);
                }
                way.reverse();
                return Some((way, length[to]));
            }
            open[here] = false;
            for edge in self.edges.iter().filter(|edge| edge.contains(&here)) {
                let next = if edge[0] == here { edge[1] } else { edge[0] };
                let through = length[here] + self.nodes[here].position.distance(self.nodes[next].position);
                if through < length[next] {
                    length[next] = through;
                    before[next] = here;
                }
            }
        }
        None
    }

    /// Points to pass on the way from one place to another, the goal last. A straight line if the map has no way.
    pub fn route(&self, from: Vec3, to: Vec3) -> Vec<Vec3> {
        let way = (self.nearest(from, false)).zip(self.nearest(to, false)).and_then(|(from, to)| self.way(from, to));
        let mut points: Vec<Vec3> =
            way.map(|(way, _)| way.iter().map(|index| self.nodes[*index].position).collect()).unwrap_or_default();
        // The first node may lie behind: skip it when the second is nearer to the start than to the first.
        if points.len() > 1 && from.distance(points[1]) <= points[0].distance(points[1]) {
            points.remove(0);
        }
        if points.len() == 1 && from.distance(to) <= points[0].distance(to) {
            points.clear();
        }
        points.push(to);
        points
    }
}

fn vantage_points(room: &RoomSpec) -> impl Iterator<Item = Vec3> {
    let size = room.max - room.min;
    let count = (size.max_element() / 4.5).ceil().max(1.0) as usize;
    let (min, along_x, y) = (room.min, size.x >= size.y, room.floor_y + HEIGHT_M);
    (0..count).map(move |index| {
        let part = (index as f32 + 0.5) / count as f32;
        let at = if along_x {
            min + size * bevy::math::Vec2::new(part, 0.5)
        } else {
            min + size * bevy::math::Vec2::new(0.5, part)
        };
        Vec3::new(at.x, y, at.y)
    })
}

/// Middles of the openings that one can pass through.
fn doorways(room: &RoomSpec) -> impl Iterator<Item = Vec3> {
    room.openings.iter().filter(|opening| !opening.glazed && opening.bottom < 0.3).map(|opening| {
        let y = room.floor_y + HEIGHT_M.min(0.5 * (opening.bottom + opening.top) + 0.3);
        match opening.side {
            Side::North => Vec3::new(room.min.x + opening.center, y, room.min.y),
            Side::South => Vec3::new(room.min.x + opening.center, y, room.max.y),
            Side::West => Vec3::new(room.min.x, y, room.min.y + opening.center),
            Side::East => Vec3::new(room.max.x, y, room.min.y + opening.center),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three vantage points in a row with doors between: a ─ d ─ b ─ e ─ c.
    fn row() -> HouseMap {
        let nodes = (0..5)
            .map(|index| MapNode { position: Vec3::new(index as f32 * 2.0, 1.45, 0.0), is_vantage: index % 2 == 0 })
            .collect();
        HouseMap { nodes, edges: (0..4).map(|index| [index, index + 1]).collect() }
    }

    #[test]
    fn the_shortest_way_passes_the_doors_in_order() {
        let (way, length) = row().way(0, 4).expect("connected");
        assert_eq!(way, [0, 1, 2, 3, 4]);
        assert!((length - 8.0).abs() < 1e-5);
    }

    #[test]
    fn there_is_no_way_where_no_door_is() {
        let mut map = row();
        map.edges.truncate(2);
        assert_eq!(map.way(0, 4), None);
    }

    #[test]
    fn a_shut_door_is_no_way() {
        let mut map = row();
        map.shut(&[Vec3::new(2.1, 1.0, 0.0)]);
        assert_eq!(map.way(0, 4), None);
        assert!(map.way(2, 4).is_some());
    }

    #[test]
    fn routes_end_at_the_goal_and_do_not_turn_back_first() {
        let goal = Vec3::new(8.0, 1.0, 1.0);
        let route = row().route(Vec3::new(0.6, 1.45, 0.0), goal);
        assert_eq!(route.last(), Some(&goal));
        assert_eq!(route[0], Vec3::new(2.0, 1.45, 0.0), "the vantage point behind is skipped");
        assert_eq!(row().route(Vec3::new(7.9, 1.4, 0.9), goal), vec![goal]);
    }
}
