//! Rooms and the openings in their walls.
//!
//! A door or window between two rooms is written once, in either of them; the neighbour's wall gets the same opening
//! here, so that the spec holds both.

use bevy::math::Vec2;

use super::{EXTENT, MAX_ROOMS, dream::Palette, items};
use crate::scene::{
    read::{self, Fields, Report},
    spec::*,
    syntax::Node,
};

const MAX_OPENINGS: usize = 32;
/// Rooms that touch may differ by rounding.
const TOUCH: f32 = 1e-3;
const SIDES: [(&str, Side); 4] =
    [("North", Side::North), ("East", Side::East), ("South", Side::South), ("West", Side::West)];

pub(super) fn rooms(node: &Node, materials: &Palette, report: &mut Report) -> Vec<RoomSpec> {
    let before = report.len();
    let all = items(node, "rooms", MAX_ROOMS, report);
    if all.is_empty() && report.len() == before {
        report.add(node.line, "the scene has no room", "add one to `rooms`");
    }
    let mut rooms: Vec<(usize, RoomSpec, Vec<usize>)> = Vec::new();
    for node in all {
        let Some((room, opening_lines)) = room(node, materials, report) else { continue };
        if rooms.iter().any(|(_, earlier, _)| earlier.name == room.name) {
            report.add(node.line, format!("two rooms are named \"{}\"", room.name), "rename one of them");
        }
        for (line, earlier, _) in &rooms {
            let overlap = room.max.min(earlier.max) - room.min.max(earlier.min);
            let stacked = room.floor_y >= earlier.floor_y + earlier.height - TOUCH
                || earlier.floor_y >= room.floor_y + room.height - TOUCH;
            if overlap.min_element() > TOUCH && !stacked {
                let told = format!("room \"{}\" overlaps room \"{}\" of line {line}", room.name, earlier.name);
                let help = format!("they share {:.2} m × {:.2} m: move or shrink one", overlap.x, overlap.y);
                report.add(node.line, told, help);
            }
        }
        rooms.push((node.line, room, opening_lines));
    }
    if report.len() == before {
        mirror_openings(&mut rooms, report);
    }
    rooms.into_iter().map(|(_, room, _)| room).collect()
}

const ROOM_FIELDS: [&str; 9] = ["name", "min", "max", "floor_y", "height", "floor", "walls", "ceiling", "openings"];

fn room(node: &Node, materials: &Palette, report: &mut Report) -> Option<(RoomSpec, Vec<usize>)> {
    let fields = Fields::open(node, "room", &ROOM_FIELDS, report)?;
    let name = fields.require("name", report).and_then(|node| read::text(node, "name", report));
    let min = fields.require("min", report).and_then(|node| read::vec2(node, "min", EXTENT, report));
    let max = fields.require("max", report).and_then(|node| read::vec2(node, "max", EXTENT, report));
    let height = fields.number_or("height", 2.8, [1.8, 30.0], report);
    let mut surface = |field: &str| {
        let named = fields.require(field, report).and_then(|node| materials.name(node, field, report));
        named.unwrap_or_default()
    };
    let (floor, walls) = (surface("floor"), surface("walls"));
    let ceiling = fields.get("ceiling").and_then(|node| materials.name(node, "ceiling", report));
    let floor_y = fields.number_or("floor_y", 0.0, [-100.0, 100.0], report);
    let size = min.zip(max).map(|(min, max)| max - min);
    if let Some(size) = size
        && (size.min_element() < 1.0 || size.max_element() > 100.0)
    {
        let help = "max must be larger than min by 1 to 100 m, in x and z";
        report.add(node.line, format!("the room is {:.2} m × {:.2} m", size.x, size.y), help);
    }
    let sane = size.filter(|size| size.min_element() >= 1.0);
    let mut openings: Vec<OpeningSpec> = Vec::new();
    let mut lines = Vec::new();
    if let Some(list) = fields.get("openings") {
        for node in items(list, "openings", MAX_OPENINGS, report) {
            let Some(found) = opening(node, sane, height, report) else { continue };
            if let Some(index) = openings.iter().position(|earlier| found.overlaps(earlier)) {
                let told = format!("the opening overlaps the one of line {}", lines[index]);
                report.add(node.line, told, "move or narrow one of them");
            }
            openings.push(found);
            lines.push(node.line);
        }
    }
    let room = RoomSpec {
        name: name.unwrap_or_default().to_owned(),
        min: min.unwrap_or_default(),
        max: max.unwrap_or(Vec2::ONE),
        floor_y,
        height,
        floor,
        walls,
        ceiling,
        openings,
    };
    Some((room, lines))
}

fn opening(node: &Node, size: Option<Vec2>, height: f32, report: &mut Report) -> Option<OpeningSpec> {
    let known = ["kind", "side", "center", "width", "bottom", "top"];
    let fields = Fields::open(node, "opening", &known, report)?;
    let side_node = fields.require("side", report)?;
    let side = read::choice(side_node, "side", &SIDES, report)?;
    let kind_node = fields.require("kind", report)?;
    let glazed = read::choice(kind_node, "kind", &[("Door", false), ("Window", true)], report)?;
    let (bottom, top, width) = if glazed { (0.9, 2.2, 1.4) } else { (0.0, 2.1, 1.0) };
    let opening = OpeningSpec {
        side,
        center: fields.number("center", [0.0, 100.0], report)?,
        width: fields.number_or("width", width, [0.2, 100.0], report),
        bottom: fields.number_or("bottom", bottom, [0.0, 30.0], report),
        top: fields.number_or("top", top, [0.1, 30.0], report),
        glazed,
    };
    if let Some(size) = size {
        let wall = if matches!(side, Side::North | Side::South) { size.x } else { size.y };
        let [from, to] = opening.span();
        if from < -TOUCH || to > wall + TOUCH {
            let told = format!("the opening reaches from {from:.2} to {to:.2} m of a wall of {wall:.2} m");
            report.add(node.line, told, "`center` counts from the wall's end with the smaller coordinate");
        }
    }
    if opening.top > height + TOUCH {
        let told = format!("the opening's top is at {} m, the room is {height} m high", opening.top);
        report.add(node.line, told, "lower it");
    }
    if opening.top - opening.bottom < 0.1 {
        report.add(node.line, "the opening's bottom is not below its top", "bottom < top, in metres above the floor");
    }
    if !glazed && opening.bottom > 0.5 {
        report.add(node.line, "nobody can walk through this door", "set `bottom: 0`, or make it a Window");
    }
    Some(opening)
}

/// Gives the other side of a shared wall the same openings.
fn mirror_openings(rooms: &mut [(usize, RoomSpec, Vec<usize>)], report: &mut Report) {
    for from in 0..rooms.len() {
        for to in (0..rooms.len()).filter(|to| *to != from) {
            let (_, room, lines) = &rooms[from];
            let (line, neighbour, _) = &rooms[to];
            let mut added = Vec::new();
            for (opening, opening_line) in room.openings.iter().zip(lines) {
                let Some((seen, wall)) = seen_from(room, opening, neighbour) else { continue };
                let [start, end] = seen.span();
                if end <= TOUCH || start >= wall - TOUCH || neighbour.openings.iter().any(|known| known.is_near(&seen))
                {
                    continue;
                }
                let crossing = neighbour.openings.iter().any(|known| known.overlaps(&seen));
                let beyond =
                    start < -TOUCH || end > wall + TOUCH || seen.bottom < -TOUCH || seen.top > neighbour.height;
                if crossing || beyond {
                    let told = format!("the opening does not fit into the wall of \"{}\" behind it", neighbour.name);
                    let why = if crossing { "another opening of that wall is in the way" } else { "it is too large" };
                    report.add(*opening_line, told, format!("{why} (room of line {line}): move one"));
                } else {
                    added.push((seen, *opening_line));
                }
            }
            for (opening, line) in added {
                rooms[to].1.openings.push(opening);
                rooms[to].2.push(line);
            }
        }
    }
}

/// The opening in `neighbour`'s coordinates and the length of its wall, if the two share that wall.
fn seen_from(room: &RoomSpec, opening: &OpeningSpec, neighbour: &RoomSpec) -> Option<(OpeningSpec, f32)> {
    let (touches, side, start, other_start, wall) = match opening.side {
        Side::North => (room.min.y - neighbour.max.y, Side::South, room.min.x, neighbour.min.x, neighbour.size().x),
        Side::South => (room.max.y - neighbour.min.y, Side::North, room.min.x, neighbour.min.x, neighbour.size().x),
        Side::East => (room.max.x - neighbour.min.x, Side::West, room.min.y, neighbour.min.y, neighbour.size().y),
        Side::West => (room.min.x - neighbour.max.x, Side::East, room.min.y, neighbour.min.y, neighbour.size().y),
    };
    let lift = room.floor_y - neighbour.floor_y;
    let (bottom, top) = (opening.bottom + lift, opening.top + lift);
    let meet = touches.abs() <= TOUCH && top > 0.0 && bottom < neighbour.height;
    let seen = OpeningSpec { side, center: opening.center + start - other_start, bottom, top, ..*opening };
    meet.then_some((seen, wall))
}
