//! How large things usually are: what a mind brings along, so that one picture tells roughly how far a thing is.

use crate::base::{ClassId, KIT_CLASSES};

/// Largest visible extent of an ordinary specimen, metres, in the order of [`KIT_CLASSES`].
const TYPICAL_EXTENT_M: [f32; KIT_CLASSES.len()] = [
    0.12, 0.17, 0.24, 0.28, 0.28, 0.24, 0.26, 0.38, 0.55, 0.92, 0.48, 1.1, 1.6, 0.24, 0.34, 0.45, 0.75, 0.30, 0.21,
    0.42, 0.09, 0.26, 0.17, 0.50, 0.09, 0.19, 0.11, 0.95, 0.36, 0.31, 0.16, 0.95, 0.30, 0.36, 0.30, 0.17,
];

/// What is assumed of classes that nobody told the size of.
const UNKNOWN_EXTENT_M: f32 = 0.4;

/// Typical largest extent of a class, metres.
pub(super) fn typical_extent_m(class: ClassId) -> f32 {
    usize::from(class.0)
        .checked_sub(1)
        .and_then(|index| TYPICAL_EXTENT_M.get(index))
        .copied()
        .unwrap_or(UNKNOWN_EXTENT_M)
}
