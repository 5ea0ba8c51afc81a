//! Truth about bodies, for labels, scores and tests. What behaves in the world never reads it.

use bevy::prelude::Component;

use crate::base::ClassId;

/// What a body is. Put on the root entity of everything that has a class; `sensors` draws ids from it.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub class: ClassId,
    /// Unique among the living bodies of a world, 1 to 2^24 − 1 (exact in a 32-bit float).
    pub instance: u32,
}
