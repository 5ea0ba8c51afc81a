//! What can be placed in a scene: every module registers the kinds that it spawns.
//!
//! In: names and a measuring function per kind. Out: size and supports of a drawn variant, so that files can say
//! `on: "table_1"` and random layouts know what fits where. What is absent: geometry and spawning (`world` does both).

use std::collections::BTreeMap;

use bevy::{
    math::{Vec2, Vec3},
    prelude::Resource,
};

use crate::base::{KIT_CLASSES, Seed, did_you_mean};

/// A level area of an object on which others can stand: a table top, one board of a shelf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupportArea {
    /// Middle of the area in the object's frame, metres.
    pub center: Vec3,
    /// Half extents along the object's X and Z, metres.
    pub half_size: Vec2,
    /// Free height above the area, metres; infinite under the open sky.
    pub clearance: f32,
}

/// The size of one variant at scale 1. Origin: the middle of the underside.
#[derive(Clone, Debug, PartialEq)]
pub struct KindShape {
    /// Half extents along X and Z, metres.
    pub half_size: Vec2,
    /// Metres.
    pub height: f32,
    /// Lowest first.
    pub supports: Vec<SupportArea>,
    /// Too heavy or too fixed to move.
    pub fixed: bool,
    /// Small enough to be carried.
    pub grabbable: bool,
}

impl KindShape {
    /// Radius of the circle about the origin that holds the footprint at any heading, metres.
    pub fn radius(&self) -> f32 {
        self.half_size.length()
    }
}

/// Measures the variant that a seed draws.
pub type MeasureKind = fn(&str, Seed) -> KindShape;

/// All kinds that this run can spawn, by name.
#[derive(Resource, Clone, Debug, Default)]
pub struct KindRegistry {
    kinds: BTreeMap<String, MeasureKind>,
}

impl KindRegistry {
    /// Makes `name` known; the last registration of a name counts.
    pub fn register(&mut self, name: &str, measure: MeasureKind) {
        self.kinds.insert(name.to_owned(), measure);
    }

    /// Whether `name` is registered.
    pub fn contains(&self, name: &str) -> bool {
        self.kinds.contains_key(name)
    }

    /// Size of the variant of `name` that `seed` draws; `None` for unknown kinds.
    pub fn shape(&self, name: &str, seed: Seed) -> Option<KindShape> {
        self.kinds.get(name).map(|measure| measure(name, seed))
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    /// The known name that `word` most resembles.
    pub fn suggestion(&self, word: &str) -> Option<&str> {
        did_you_mean(word, self.names())
    }
}

impl KindRegistry {
    /// The classes of the object kit with sizes from a table of typical ones, for tests and for tools that only check
    /// files. `world` registers the same names with the exact sizes of their variants.
    pub fn typical() -> Self {
        let mut registry = Self::default();
        for name in KIT_CLASSES {
            registry.register(name, typical_shape);
        }
        registry
    }
}

/// Typical size of a kit class, metres; a cube of 0.2 m for a name outside the table.
fn typical_shape(name: &str, _seed: Seed) -> KindShape {
    let (width, depth, height) = match name {
        "mug" => (0.12, 0.09, 0.10),
        "bowl" => (0.16, 0.16, 0.07),
        "plate" => (0.24, 0.24, 0.03),
        "bottle" => (0.08, 0.08, 0.28),
        "vase" => (0.14, 0.14, 0.28),
        "teapot" => (0.24, 0.15, 0.16),
        "kettle" => (0.22, 0.18, 0.24),
        "pan" => (0.44, 0.26, 0.07),
        "lamp" => (0.26, 0.26, 0.45),
        "chair" => (0.45, 0.48, 0.90),
        "stool" => (0.38, 0.38, 0.48),
        "table" => (1.40, 0.80, 0.75),
        "shelf" => (0.90, 0.32, 1.60),
        "book" => (0.16, 0.22, 0.04),
        "box" => (0.32, 0.26, 0.22),
        "crate" => (0.46, 0.38, 0.34),
        "barrel" => (0.54, 0.54, 0.80),
        "bucket" => (0.30, 0.30, 0.28),
        "ball" => (0.22, 0.22, 0.22),
        "cone" => (0.28, 0.28, 0.42),
        "die" => (0.10, 0.10, 0.10),
        "clock" => (0.26, 0.10, 0.28),
        "candle" => (0.09, 0.09, 0.20),
        "plant" => (0.40, 0.40, 0.65),
        "apple" => (0.08, 0.08, 0.09),
        "banana" => (0.19, 0.09, 0.05),
        "pear" => (0.08, 0.08, 0.11),
        "guitar" => (0.38, 0.14, 1.00),
        "drum" => (0.36, 0.36, 0.30),
        "hammer" => (0.30, 0.12, 0.05),
        "key" => (0.10, 0.04, 0.02),
        "umbrella" => (0.16, 0.16, 0.85),
        "hat" => (0.32, 0.32, 0.16),
        "boat" => (0.34, 0.13, 0.30),
        "car" => (0.28, 0.14, 0.11),
        "duck" => (0.17, 0.12, 0.15),
        _ => (0.20, 0.20, 0.20),
    };
    let half_size = Vec2::new(width, depth) * 0.5;
    let area =
        |y: f32, clearance: f32| SupportArea { center: Vec3::new(0.0, y, 0.0), half_size: half_size * 0.92, clearance };
    let supports = match name {
        "table" | "stool" | "crate" | "box" | "barrel" => vec![area(height, f32::INFINITY)],
        "chair" => vec![area(0.45, 0.6)],
        "shelf" => vec![area(0.05, 0.46), area(0.55, 0.46), area(1.05, 0.46), area(height, f32::INFINITY)],
        _ => Vec::new(),
    };
    KindShape {
        half_size,
        height,
        supports,
        fixed: matches!(name, "table" | "shelf"),
        grabbable: !matches!(name, "table" | "shelf" | "barrel"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_the_kit_has_a_typical_size() {
        let registry = KindRegistry::typical();
        assert_eq!(registry.names().count(), KIT_CLASSES.len());
        for name in KIT_CLASSES {
            let shape = registry.shape(name, Seed(1)).unwrap();
            assert!(shape.radius() < 1.0 && shape.height < 2.0, "{name}");
        }
        assert_eq!(registry.suggestion("teapto"), Some("teapot"));
        assert!(registry.shape("anvil", Seed(1)).is_none());
    }
}
