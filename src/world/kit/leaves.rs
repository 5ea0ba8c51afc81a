//! Leaves with thickness.

use bevy::math::Vec3;

use super::{model::MeshBuffers, shape::sheet};

/// The measures of a leaf, metres unless a name says otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blade {
    pub length: f32,
    /// At the widest place.
    pub width: f32,
    /// How far the tip sinks below the straight line, as a share of the length.
    pub arch: f32,
    /// How far the edges stand above the midrib, as a share of half the width.
    pub fold: f32,
    pub thickness: f32,
}

/// A pointed leaf that starts at the origin and grows along +Z, upper side up. `rows` pieces along it, two across.
pub(super) fn leaf(blade: &Blade, rows: usize) -> MeshBuffers {
    let Blade { length, width, arch, fold, thickness } = *blade;
    sheet(2, rows, thickness, |u, v| {
        // Widest at two fifths of the length; a narrow foot, a tip.
        let spread = (std::f32::consts::PI * (0.04 + 0.96 * v).powf(0.75)).sin().max(0.0) + 0.035;
        let side = 1.0 - 2.0 * u;
        Vec3::new(
            0.5 * width * spread * side,
            length * (0.35 * arch * v - 1.35 * arch * v * v) + 0.5 * width * spread * fold * side.abs(),
            length * v,
        )
    })
}
