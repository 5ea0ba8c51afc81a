//! What an eye saw, as far as a mind may know it.

use bevy::{ecs::entity::Entity, math::Affine3A, prelude::Message};

use crate::{
    base::{ClassId, PixelBox, Tick},
    sensors::Intrinsics,
};

/// One thing that a detector found in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    pub class: ClassId,
    /// 0 to 1.
    pub confidence: f32,
    /// In pixels of the picture.
    pub region: PixelBox,
}

/// What was recognised in one observation. Carries the stamp of that observation, not of its arrival.
#[derive(Message, Clone, Debug, PartialEq)]
pub struct Seen {
    /// The entity with the `Eye`.
    pub eye: Entity,
    pub tick: Tick,
    pub world_from_view: Affine3A,
    pub intrinsics: Intrinsics,
    pub detections: Vec<Detection>,
}
