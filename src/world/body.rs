//! Marks on physical bodies that rooms agree on: which layer they collide in, what may be carried, what bounds the world.
//!
//! Plain data; no system lives here.

use avian3d::prelude::PhysicsLayer;
use bevy::{
    math::Vec3,
    prelude::{Component, Resource},
};

/// Collision layers. Scenes spawn everything in `Things`; the others are set while somebody walks or carries.
#[derive(PhysicsLayer, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    #[default]
    Things,
    /// Walking bodies.
    Walker,
    /// What is being carried: it collides with the world, but not with whoever carries it.
    Held,
}

/// A body that a hand may take. Spawners put it on the entity with the `RigidBody`.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grabbable;

/// The box that bodies must not leave, world space, metres. Spawners set it with the scene; what leaves it is put back.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct WorldBounds {
    pub min: Vec3,
    pub max: Vec3,
}

impl Default for WorldBounds {
    fn default() -> Self {
        Self { min: Vec3::new(-200.0, -5.0, -200.0), max: Vec3::new(200.0, 100.0, 200.0) }
    }
}

impl WorldBounds {
    /// Whether `point` is finite and inside.
    pub fn contains(&self, point: Vec3) -> bool {
        // A comparison with NaN is false, so that a point that is no number lies outside.
        point.cmpge(self.min).all() && point.cmple(self.max).all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_is_outside() {
        let bounds = WorldBounds::default();
        assert!(bounds.contains(Vec3::ZERO));
        assert!(!bounds.contains(Vec3::new(0.0, -5.1, 0.0)));
        assert!(!bounds.contains(Vec3::new(f32::NAN, 0.0, 0.0)));
        assert!(!bounds.contains(Vec3::new(0.0, f32::INFINITY, 0.0)));
    }
}
