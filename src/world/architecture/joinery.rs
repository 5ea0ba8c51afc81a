//! What a joiner adds to bare walls: window frames with muntins, architraves around doors, skirting.

use super::{
    plane::{Rect2, push_box, push_face},
    wall::Wall,
};
use crate::world::kit::MeshBuffers;

/// Width and depth of a window's frame, metres.
const FRAME: [f32; 2] = [0.06, 0.07];
/// Width and depth of the bars between panes, metres.
const MUNTIN: [f32; 2] = [0.028, 0.035];
/// Panes are about this large (width, height), metres.
const PANE: [f32; 2] = [0.62, 0.75];
/// A window board reaches this far into the room and beside its opening, metres; and its thickness.
const BOARD: [f32; 3] = [0.06, 0.06, 0.03];
/// Width and thickness of an architrave, metres.
const ARCHITRAVE: [f32; 2] = [0.085, 0.02];
/// Height and thickness of a skirting board, metres.
const SKIRTING: [f32; 2] = [0.1, 0.014];

/// Appends a box that covers `rect` between two depths.
fn push_bar(mesh: &mut MeshBuffers, wall: &Wall, rect: Rect2, near_w: f32, far_w: f32) {
    let [a, b] = [wall.at(rect.min.x, rect.min.y, near_w), wall.at(rect.max.x, rect.max.y, far_w)];
    push_box(mesh, a.min(b), a.max(b));
}

/// A frame around `hole`, bars between its panes and a board towards the room. On a shared line both rooms see the same
/// window: only the one on the north or west side builds it.
pub fn push_window(mesh: &mut MeshBuffers, wall: &Wall, hole: Rect2) {
    let builds_frame = !wall.shared || wall.outward.max_element() > 0.5;
    if builds_frame {
        let glass = wall.glass_w();
        let [width, depth] = FRAME;
        let (near, far) = (glass - 0.5 * depth, glass + 0.5 * depth);
        let Rect2 { min, max } = hole;
        push_bar(mesh, wall, Rect2::new(min.x, min.y, min.x + width, max.y), near, far);
        push_bar(mesh, wall, Rect2::new(max.x - width, min.y, max.x, max.y), near, far);
        push_bar(mesh, wall, Rect2::new(min.x + width, min.y, max.x - width, min.y + width), near, far);
        push_bar(mesh, wall, Rect2::new(min.x + width, max.y - width, max.x - width, max.y), near, far);
        let inside = Rect2::new(min.x + width, min.y + width, max.x - width, max.y - width);
        let size = inside.max - inside.min;
        let (near, far) = (glass - 0.5 * MUNTIN[1], glass + 0.5 * MUNTIN[1]);
        for u in bars(size.x, PANE[0]) {
            let center = inside.min.x + u;
            let bar = Rect2::new(center - 0.5 * MUNTIN[0], inside.min.y, center + 0.5 * MUNTIN[0], inside.max.y);
            push_bar(mesh, wall, bar, near, far);
        }
        for v in bars(size.y, PANE[1]) {
            let center = inside.min.y + v;
            let bar = Rect2::new(inside.min.x, center - 0.5 * MUNTIN[0], inside.max.x, center + 0.5 * MUNTIN[0]);
            push_bar(mesh, wall, bar, near + 0.002, far - 0.002);
        }
    }
    if hole.min.y > BOARD[2] {
        let [reach, beside, thickness] = BOARD;
        let board = Rect2::new(hole.min.x - beside, hole.min.y - thickness, hole.max.x + beside, hole.min.y);
        push_bar(mesh, wall, board, wall.inner_w - reach, wall.inner_w + 0.005);
    }
}

/// Positions of the bars that divide `length` into equal panes of about `pane`.
fn bars(length: f32, pane: f32) -> impl Iterator<Item = f32> {
    let panes = (length / pane).round().clamp(1.0, 12.0) as u32;
    (1..panes).map(move |bar| length * bar as f32 / panes as f32)
}

/// A moulding on the room's face of the wall, around three sides of a door.
pub fn push_architrave(mesh: &mut MeshBuffers, wall: &Wall, hole: Rect2) {
    let [width, thickness] = ARCHITRAVE;
    let (near, far) = (wall.inner_w - thickness, wall.inner_w);
    let limits = wall.inner_rect();
    let top = (hole.max.y + width).min(limits.max.y);
    let left = (hole.min.x - width).max(limits.min.x);
    let right = (hole.max.x + width).min(limits.max.x);
    let bottom = if hole.min.y < 0.01 { 0.0 } else { hole.min.y };
    push_bar(mesh, wall, Rect2::new(left, bottom, hole.min.x, top), near, far);
    push_bar(mesh, wall, Rect2::new(hole.max.x, bottom, right, top), near, far);
    push_bar(mesh, wall, Rect2::new(hole.min.x, hole.max.y, hole.max.x, top), near, far);
}

/// Boards at the foot of the wall, between its doors. Only the faces that can be seen.
pub fn push_skirting(mesh: &mut MeshBuffers, wall: &Wall) {
    let [height, thickness] = SKIRTING;
    let limits = wall.inner_rect();
    let mut gaps: Vec<[f32; 2]> = wall
        .openings
        .iter()
        .filter(|opening| opening.rect.min.y < height)
        .map(|opening| [opening.rect.min.x - ARCHITRAVE[0], opening.rect.max.x + ARCHITRAVE[0]])
        .collect();
    gaps.sort_by(|a, b| a[0].total_cmp(&b[0]));
    gaps.push([limits.max.x, limits.max.x]);
    let mut start = limits.min.x;
    let w = wall.inner_w - thickness;
    for [gap_start, gap_end] in gaps {
        if gap_start - start > 0.01 {
            wall.push_face(mesh, Rect2::new(start, 0.0, gap_start, height), w, -wall.outward);
            let [a, b] = [wall.at(start, height, w), wall.at(gap_start, height, wall.inner_w)];
            push_face(mesh, a.min(b), a.max(b), bevy::math::Vec3::Y);
        }
        start = start.max(gap_end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_are_equal_and_about_the_wanted_size() {
        assert_eq!(bars(1.2, 0.6).collect::<Vec<_>>(), vec![0.6]);
        assert_eq!(bars(0.5, 0.6).count(), 0);
        assert_eq!(bars(100.0, 0.6).count(), 11);
    }
}
