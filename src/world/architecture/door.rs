//! Sliding doors: panels that stand in the walls beside a doorway and slide out of them into it.
//!
//! In: rooms. Out: for every doorway that has room for it the panels, closed and open. Sliding doors take no place away from
//! furniture, and an open house looks as if it had none. A wide doorway beside a window gets several narrow panels that
//! slide into each other (a telescoping door): all stand in the middle of the wall, so that each face is in the light of the
//! room that it looks into. What is absent: doorways without a lintel or wider than
//! [`WIDEST`] (they stay free), movement (`deeds::doors`).

use bevy::math::{Vec2, Vec3};

use super::{
    plane::push_box,
    wall::{EXTERIOR_THICKNESS, PARTITION_HALF, Wall, walls_of},
};
use crate::{scene::RoomSpec, world::kit::MeshBuffers};

/// Wider openings are no doorways, metres.
pub const WIDEST: f32 = 2.6;
/// Half the thickness of the thinnest panel, and how much thicker the one is that it slides into, metres.
const HALF_THICKNESS: f32 = 0.017;
const SLEEVE: f32 = 0.01;
/// A panel's board lies behind its frame by this much, metres: less than [`SLEEVE`], or what slides in would show.
const RECESS: f32 = 0.006;
/// Panels overlap by this much when closed, metres.
const OVERLAP: f32 = 0.02;
/// This much of an open panel stands out of the wall, to be seen and taken hold of, metres.
const LIP: f32 = 0.045;
/// Gap above the floor and below the lintel, metres.
const GAP: f32 = 0.008;
/// Panels that slide behind each other in one wall.
const MOST_PANELS: usize = 3;
/// Width of a panel's frame, metres.
const STILE: f32 = 0.09;

/// A doorway with its panels.
#[derive(Clone, Debug, PartialEq)]
pub struct SlidingDoor {
    /// Middle of the opening, world space.
    pub middle: Vec3,
    /// Half of the opening's size, the wall's thickness included; world axes.
    pub half_size: Vec3,
    pub panels: Vec<Panel>,
}

/// One panel: an upright board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Panel {
    /// Its middle when the door is closed and when it is open, world space.
    pub closed: Vec3,
    pub open: Vec3,
    /// World axes.
    pub half_size: Vec3,
}

/// All doors of a house, each once.
pub fn sliding_doors(rooms: &[RoomSpec]) -> Vec<SlidingDoor> {
    let walls: Vec<[Wall; 4]> = (0..rooms.len()).map(|index| walls_of(rooms, index)).collect();
    let mut doors: Vec<SlidingDoor> = Vec::new();
    for (index, room) in rooms.iter().enumerate() {
        for wall in &walls[index] {
            for hole in &wall.openings {
                let rect = hole.rect;
                let size = rect.max - rect.min;
                let fits = !hole.glazed && rect.min.y < 0.05 && size.x <= WIDEST && rect.max.y < room.height - 0.05;
                let middle_w = if wall.shared { 0.0 } else { 0.5 * EXTERIOR_THICKNESS };
                let middle = wall.at(rect.center().x, rect.center().y, middle_w);
                if !fits || doors.iter().any(|door| door.middle.distance(middle) < 0.3) {
                    continue;
                }
                let free = pockets(wall, [rect.min.x, rect.max.x], walls.iter().flatten());
                let Some(spans) = panel_spans([rect.min.x, rect.max.x], free) else { continue };
                let panels = spans.into_iter().map(|span| {
                    let v = 0.5 * (rect.min.y + rect.max.y);
                    let center = |[from, to]: [f32; 2]| wall.at(0.5 * (from + to), v, middle_w);
                    let half =
                        Vec2::new(0.5 * (span.closed[1] - span.closed[0]), 0.5 * (rect.max.y - rect.min.y) - GAP);
                    let half_size = (wall.along * half.x + Vec3::Y * half.y + wall.outward * span.half_thickness).abs();
                    Panel { closed: center(span.closed), open: center(span.open), half_size }
                });
                let thickness = if wall.shared { PARTITION_HALF } else { 0.5 * EXTERIOR_THICKNESS };
                let half_size = (wall.along * 0.5 * size.x + Vec3::Y * 0.5 * size.y + wall.outward * thickness).abs();
                doors.push(SlidingDoor { middle, half_size, panels: panels.collect() });
            }
        }
    }
    doors
}

/// Free length of wall at both sides of an opening: up to the next opening of any wall on the same line, or the wall's end.
fn pockets<'w>(wall: &Wall, span: [f32; 2], walls: impl Iterator<Item = &'w Wall>) -> [f32; 2] {
    let inner = wall.inner_rect();
    let (mut low, mut high) = (inner.min.x, inner.max.x);
    for other in walls {
        let on_line = other.along == wall.along && (other.origin - wall.origin).dot(wall.outward).abs() < 0.05;
        if !on_line {
            continue;
        }
        let shift = (other.origin - wall.origin).dot(wall.along);
        let limits = other.inner_rect();
        let (start, end) = (limits.min.x + shift, limits.max.x + shift);
        if start < span[0] && end > span[1] {
            // The wall's other half must reach as far, or the panel would be seen behind its end.
            (low, high) = (low.max(start), high.min(end));
        }
        for [from, to] in other.openings.iter().map(|hole| [hole.rect.min.x + shift, hole.rect.max.x + shift]) {
            if to <= span[0] + 0.01 {
                low = low.max(to);
            }
            if from >= span[1] - 0.01 {
                high = high.min(from);
            }
        }
    }
    [span[0] - low, high - span[1]]
}

/// Where one panel stands along its wall, and how thick it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PanelSpan {
    closed: [f32; 2],
    open: [f32; 2],
    half_thickness: f32,
}

/// The panels that close an opening with these free lengths beside it: as few as fit, one wing for narrow doorways, two for
/// wide ones where possible. `None` if there is no room for any.
fn panel_spans(span: [f32; 2], free: [f32; 2]) -> Option<Vec<PanelSpan>> {
    let width = span[1] - span[0];
    let wing = |length: f32, panels: usize, side: usize| {
        let panel = length / panels as f32 + OVERLAP;
        (panel <= free[side] + LIP - 0.01).then(|| {
            (0..panels).map(move |index| {
                let inwards = length / panels as f32 * index as f32;
                let along = if side == 0 { 1.0 } else { -1.0 };
                let place = |from: f32| {
                    let [a, b] = [span[side] + along * from, span[side] + along * (from + panel)];
                    [a.min(b), a.max(b)]
                };
                // The one beside the wall takes in the others.
                let half_thickness = HALF_THICKNESS + SLEEVE * (panels - 1 - index) as f32;
                PanelSpan { closed: place(inwards), open: place(LIP - panel), half_thickness }
            })
        })
    };
    let one_wing = |panels| [0, 1].into_iter().find_map(|side| Some(wing(width, panels, side)?.collect::<Vec<_>>()));
    let two_wings = |panels| {
        // The wings meet: neither overlaps the other's half.
        let half = 0.5 * (width - OVERLAP);
        Some(wing(half, panels, 0)?.chain(wing(half, panels, 1)?).collect::<Vec<_>>())
    };
    (1..=MOST_PANELS).find_map(|panels| {
        if width > 1.25 {
            two_wings(panels).or_else(|| one_wing(panels))
        } else {
            one_wing(panels).or_else(|| two_wings(panels))
        }
    })
}

/// What a panel is made of, about its middle.
pub struct PanelMeshes {
    /// Stiles, and rails below, above and at the height of the hand.
    pub frame: MeshBuffers,
    /// The thin board that they hold.
    pub board: MeshBuffers,
}

/// A panel of this half size; the smaller of its level axes is the thin one.
pub fn panel_meshes(half_size: Vec3) -> PanelMeshes {
    let (mut frame, mut board) = (MeshBuffers::default(), MeshBuffers::default());
    let thin = if half_size.x < half_size.z { Vec3::X } else { Vec3::Z };
    let along = Vec3::ONE - Vec3::Y - thin;
    let (length, height) = (half_size.dot(along), half_size.y);
    let depth = thin * half_size.dot(thin);
    let stile = STILE.min(0.3 * length);
    // Its edges end inside the frame.
    let held = (along * (length - 0.5 * stile) + Vec3::Y * (height - 0.5 * STILE)).max(Vec3::ZERO);
    let board_half = held + depth - thin * RECESS.min(0.5 * half_size.dot(thin));
    push_box(&mut board, -board_half, board_half);
    let mut bar = |from: Vec2, to: Vec2| {
        let corner = |point: Vec2| along * point.x + Vec3::Y * point.y;
        push_box(&mut frame, corner(from) - depth, corner(to) + depth);
    };
    bar(Vec2::new(-length, -height), Vec2::new(-length + stile, height));
    bar(Vec2::new(length - stile, -height), Vec2::new(length, height));
    for middle in [-height + 0.75 * STILE, -height + 1.0_f32.min(height), height - 0.5 * STILE] {
        bar(Vec2::new(-length + stile, middle - 0.5 * STILE), Vec2::new(length - stile, middle + 0.5 * STILE));
    }
    PanelMeshes { frame, board }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{OpeningSpec, Side};

    fn door(side: Side, center: f32, width: f32) -> OpeningSpec {
        OpeningSpec { side, center, width, bottom: 0.0, top: 2.1, glazed: false }
    }

    #[test]
    fn a_door_between_two_rooms_is_one_and_closes_its_opening() {
        let rooms = [
            RoomSpec::bare("r", [0.0, 0.0], [5.0, 4.0], vec![door(Side::East, 2.0, 1.0)]),
            RoomSpec::bare("r", [5.0, 0.0], [9.0, 4.0], vec![door(Side::West, 2.0, 1.0)]),
        ];
        let doors = sliding_doors(&rooms);
        assert_eq!(doors.len(), 1);
        let [panel] = doors[0].panels[..] else { panic!("one panel: {doors:?}") };
        assert!((panel.closed.z - 2.0).abs() < 0.02 && panel.half_size.z >= 0.5, "{panel:?}");
        // Open, it stands in the wall but for its lip.
        assert!((panel.open.z + panel.half_size.z - (1.5 + LIP)).abs() < 1e-4, "{panel:?}");
        assert!((panel.open.x - 5.0).abs() < 0.01 && panel.half_size.x < PARTITION_HALF);
    }

    #[test]
    fn wide_doorways_between_windows_get_panels_behind_each_other() {
        let spans = panel_spans([2.9, 5.1], [0.55, 0.55]).expect("it fits");
        // Two wings of 1.09 m each; a panel of half a wing and its overlap, 0.565 m, hides in 0.55 m and the lip.
        assert_eq!(spans.len(), 4);
        let covered = |u: f32| spans.iter().any(|span| span.closed[0] <= u && u <= span.closed[1]);
        assert!((0..=44).all(|step| covered(2.9 + 0.05 * step as f32 * 0.999 + 1e-4)), "{spans:?}");
        for span in &spans {
            let outside = span.open[0] >= 2.9 - 0.55 && span.open[1] <= 5.1 + 0.55;
            assert!(outside, "it would be seen in a window: {span:?}");
        }
        for wing in spans.chunks(2) {
            let [outer, inner] = [wing[0].half_thickness, wing[1].half_thickness];
            assert!(outer - RECESS > inner && outer < PARTITION_HALF, "the inner one hides in the outer: {spans:?}");
        }
        assert_eq!(panel_spans([1.0, 2.0], [0.1, 0.2]), None, "no room for any panel");
    }

    #[test]
    fn a_frame_holds_its_board() {
        let half_size = Vec3::new(0.5, 1.05, 0.017);
        let PanelMeshes { frame, board } = panel_meshes(half_size);
        let reach = |mesh: &MeshBuffers| mesh.positions.iter().fold(Vec3::ZERO, |reach, p| reach.max(p.abs()));
        assert!(reach(&frame).abs_diff_eq(half_size, 1e-5));
        let board = reach(&board);
        assert!(
            (board.z - (half_size.z - RECESS)).abs() < 1e-5 && board.x < half_size.x && board.x > half_size.x - STILE
        );
    }

    #[test]
    fn a_terrace_that_is_open_all_along_has_no_door() {
        let terrace = RoomSpec {
            height: 2.8,
            ..RoomSpec::bare("r", [0.0, 0.0], [13.0, 3.0], vec![door(Side::South, 6.5, 12.6)])
        };
        assert!(sliding_doors(&[terrace]).is_empty());
    }
}
