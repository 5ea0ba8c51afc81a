//! The kit's classes as kinds of the scene: names for files, sizes and supports for layouts.

use super::kit;
use crate::{
    base::Seed,
    scene::{KindRegistry, KindShape, SupportArea},
};

/// Makes the classes of the object kit known, measured on the models themselves.
pub fn register_kit(kinds: &mut KindRegistry) {
    for (name, _) in kit::FAMILIES {
        kinds.register(name, measure);
    }
}

/// All kinds of this program, for commands that check or draw scenes without an app.
pub fn all_kinds() -> KindRegistry {
    let mut kinds = KindRegistry::typical();
    register_kit(&mut kinds);
    kinds
}

/// Size of one variant. The footprint is symmetric about the origin and holds all parts.
fn measure(class: &str, seed: Seed) -> KindShape {
    let model = kit::build(class, seed).unwrap_or_default();
    let (low, high) = model.bounds();
    let half_size = low.abs().max(high.abs());
    let supports = model.supports.iter().map(|surface| SupportArea {
        center: surface.center,
        half_size: surface.half_size,
        clearance: surface.clearance,
    });
    let mut supports: Vec<SupportArea> = supports.collect();
    supports.sort_by(|a, b| a.center.y.total_cmp(&b.center.y));
    KindShape {
        half_size: bevy::math::Vec2::new(half_size.x, half_size.z),
        height: high.y,
        supports,
        fixed: model.fixed,
        grabbable: model.grabbable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_measured_on_their_models() {
        let kinds = all_kinds();
        for (name, _) in kit::FAMILIES {
            let shape = kinds.shape(name, Seed(3)).unwrap();
            assert!(shape.height > 0.005 && shape.height < 2.5, "{name}: {shape:?}");
            assert!(shape.supports.iter().all(|area| area.center.y <= shape.height + 1e-3), "{name}: {shape:?}");
        }
    }
}
