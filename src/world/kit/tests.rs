//! What every member of every family must be.

use bevy::math::Vec3;

use super::{ColliderPiece, FAMILIES, MeshBuffers, ObjectModel, Part, build, shape::merged};
use crate::base::{KIT_CLASSES, Seed};

/// Largest extent in metres, least and most, by class: what one finds in a house.
const SIZES: &[(&str, f32, f32)] = &[
    ("mug", 0.08, 0.17),
    ("bowl", 0.12, 0.31),
    ("plate", 0.17, 0.3),
    ("bottle", 0.2, 0.38),
    ("vase", 0.17, 0.45),
    ("teapot", 0.16, 0.36),
    ("kettle", 0.19, 0.45),
    ("pan", 0.3, 0.55),
    ("lamp", 0.3, 1.7),
    ("chair", 0.8, 1.1),
    ("stool", 0.38, 0.76),
    ("table", 0.7, 1.65),
    ("shelf", 0.7, 1.95),
    ("book", 0.14, 0.42),
    ("box", 0.14, 0.85),
    ("crate", 0.25, 0.65),
    ("barrel", 0.44, 0.92),
    ("bucket", 0.2, 0.56),
    ("ball", 0.1, 0.39),
    ("cone", 0.23, 0.56),
    ("die", 0.06, 0.14),
    ("clock", 0.15, 0.55),
    ("candle", 0.11, 0.45),
    ("plant", 0.15, 0.75),
    ("apple", 0.07, 0.15),
    ("banana", 0.12, 0.26),
    ("pear", 0.11, 0.22),
    ("guitar", 0.5, 1.15),
    ("drum", 0.16, 0.8),
    ("hammer", 0.22, 0.4),
    ("key", 0.13, 0.3),
    ("umbrella", 0.45, 1.0),
    ("hat", 0.2, 0.52),
    ("boat", 0.24, 0.7),
    ("car", 0.2, 0.4),
    ("duck", 0.12, 0.28),
];

/// Members of each family that are looked at.
const SEEDS: u64 = 8;
const TRIANGLE_BUDGET: usize = 2_500;

fn for_every_member(mut check: impl FnMut(&str, &ObjectModel)) {
    for (class, _) in FAMILIES {
        for seed in 0..SEEDS {
            let model = build(class, Seed(seed)).expect("a family of the table");
            check(&format!("{class} {seed}"), &model);
        }
    }
}

#[test]
fn families_are_classes_and_appear_once() {
    for (index, (class, _)) in FAMILIES.iter().enumerate() {
        assert!(KIT_CLASSES.contains(class), "{class}");
        assert!(FAMILIES[..index].iter().all(|(other, _)| other != class), "{class} twice");
    }
    assert!(build("unicorn", Seed(0)).is_none());
}

#[test]
fn meshes_are_sound() {
    for_every_member(|name, model| {
        assert!((1..=4).contains(&model.parts.len()), "{name}: parts");
        let mut triangles = 0;
        for (index, part) in model.parts.iter().enumerate() {
            let (mesh, name) = (&part.mesh, format!("{name} part {index}"));
            triangles += mesh.triangle_count();
            let count = mesh.positions.len();
            assert!(count > 0 && mesh.normals.len() == count && mesh.uvs.len() == count, "{name}: lengths");
            assert!(mesh.indices.len() % 3 == 0, "{name}: triangles");
            assert!(mesh.indices.iter().all(|corner| (*corner as usize) < count), "{name}: indices");
            assert!(mesh.positions.iter().all(|position| position.is_finite()), "{name}: positions");
            assert!(mesh.uvs.iter().all(|uv| uv.is_finite()), "{name}: uvs");
            assert!(mesh.normals.iter().all(|normal| (normal.length() - 1.0).abs() < 1e-3), "{name}: normals");
            let agreeing = mesh
                .indices
                .chunks_exact(3)
                .zip(mesh.triangles())
                .filter(|(corner, [a, b, c])| {
                    let face = (*b - *a).cross(*c - *a);
                    let shading: Vec3 = corner.iter().map(|index| mesh.normals[*index as usize]).sum();
                    face.dot(shading) >= 0.0
                })
                .count();
            assert_eq!(agreeing, mesh.triangle_count(), "{name}: normals against winding");
        }
        assert!(triangles <= TRIANGLE_BUDGET, "{name}: {triangles} triangles");
    });
}

#[test]
fn a_texture_keeps_its_scale() {
    for (class, _) in FAMILIES {
        let (mut surface_area, mut texture_area, mut squashed, mut triangles) = (0.0, 0.0, 0, 0);
        for seed in 0..SEEDS {
            for part in build(class, Seed(seed)).expect("a family of the table").parts {
                for corner in part.mesh.indices.chunks_exact(3) {
                    let [a, b, c] = [0, 1, 2].map(|k| part.mesh.positions[corner[k] as usize]);
                    let [u, v, w] = [0, 1, 2].map(|k| part.mesh.uvs[corner[k] as usize]);
                    let area = 0.5 * (b - a).cross(c - a).length();
                    let texture = 0.5 * (v - u).perp_dot(w - u).abs();
                    (surface_area, texture_area) = (surface_area + area, texture_area + texture);
                    triangles += 1;
                    squashed += usize::from(texture < 0.02 * area);
                }
            }
        }
        let ratio = texture_area / surface_area;
        assert!((0.7..1.6).contains(&ratio), "{class}: {ratio} m² of texture per m²");
        assert!(squashed * 100 < triangles, "{class}: {squashed} of {triangles} triangles without a tangent");
    }
}

#[test]
fn every_object_is_closed() {
    for_every_member(|name, model| {
        // A vessel's glazes meet at the lip: the object as a whole is closed, a part need not be.
        let whole = merged(model.parts.iter().map(|part| part.mesh.clone()));
        assert!(whole.is_watertight(), "{name} has a hole");
        assert!(whole.signed_volume() > 0.0, "{name}: faces look inward");
    });
}

/// Where a ray from `origin` along the unit vector `direction` meets the mesh: distance, and +1 where it goes in or −1 where
/// it comes out.
///
/// Source: Möller and Trumbore, "Fast, minimum storage ray/triangle intersection", JGT 2(1), 1997.
fn crossings(mesh: &MeshBuffers, origin: Vec3, direction: Vec3) -> Vec<(f32, i32)> {
    let crossing = |[a, b, c]: [Vec3; 3]| {
        let (edge, other) = (b - a, c - a);
        let p = direction.cross(other);
        let determinant = edge.dot(p);
        if determinant.abs() < 1e-14 {
            return None;
        }
        let s = origin - a;
        let q = s.cross(edge);
        let (u, v) = (s.dot(p) / determinant, direction.dot(q) / determinant);
        (u >= 0.0 && v >= 0.0 && u + v <= 1.0)
            .then(|| (other.dot(q) / determinant, if determinant > 0.0 { 1 } else { -1 }))
    };
    let mut found: Vec<(f32, i32)> = mesh.triangles().filter_map(crossing).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

#[test]
fn no_wall_is_inside_out() {
    // A ray may be inside several bodies at once, but never inside fewer than none: that is a wall whose inner side lies
    // outside its outer side.
    const THINNEST: f32 = 1e-3;
    for_every_member(|name, model| {
        let whole = merged(model.parts.iter().map(|part| part.mesh.clone()));
        let (low, high) = model.bounds();
        let (middle, reach) = (0.5 * (low + high), (high - low).length());
        for ray in 0..40 {
            // Directions of a Fibonacci lattice, through points off the middle and off every plane of symmetry.
            let angle = 0.37 + ray as f32 * 2.399_963;
            let y = 0.97 - 1.91 * ray as f32 / 39.0;
            let direction = Vec3::new(angle.cos() * (1.0 - y * y).sqrt(), y, angle.sin() * (1.0 - y * y).sqrt());
            let aim =
                middle + 0.31 * (high - low) * Vec3::new((1.7 * angle).sin(), (2.3 * angle).cos(), (3.1 * angle).sin());
            let hits = crossings(&whole, aim - reach * direction, direction);
            let mut depth = 0;
            for pair in hits.windows(2) {
                depth += pair[0].1;
                assert!(depth >= 0 || pair[1].0 - pair[0].0 < THINNEST, "{name}: inside out along ray {ray}");
            }
        }
    });
}

#[test]
fn objects_stand_on_their_origin_and_have_their_size() {
    for_every_member(|name, model| {
        let (low, high) = model.bounds();
        assert!(low.y.abs() < 1e-3, "{name}: underside at {}", low.y);
        assert!(low.x < 0.0 && low.z < 0.0 && high.x > 0.0 && high.z > 0.0, "{name}: origin beside the object");
        let extent = (high - low).max_element();
        if let Some((_, least, most)) = SIZES.iter().find(|(class, ..)| name.starts_with(&format!("{class} "))) {
            assert!((*least..=*most).contains(&extent), "{name}: {extent} m");
        } else {
            panic!("{name}: no size known");
        }
        assert!(model.mass_kg > 0.0, "{name}: mass");
        if let Some(weight) = model.center_of_mass {
            assert!(weight.cmpge(low).all() && weight.cmple(high).all(), "{name}: centre of mass beside the object");
        }
    });
}

#[test]
fn surfaces_are_physical() {
    for_every_member(|name, model| {
        for Part { surface, .. } in &model.parts {
            assert!(surface.base_color.min_element() >= 0.0 && surface.base_color.max_element() <= 1.0, "{name}");
            assert!((0.03..=1.0).contains(&surface.roughness) && (0.0..=1.0).contains(&surface.metallic), "{name}");
        }
    });
}

#[test]
fn seeds_decide() {
    for (class, _) in FAMILIES {
        for seed in 0..SEEDS {
            assert_eq!(build(class, Seed(seed)), build(class, Seed(seed)), "{class} {seed}");
            assert_ne!(build(class, Seed(seed)), build(class, Seed(seed + 1)), "{class} {seed}");
        }
    }
}

/// Smallest and largest corner of a collision piece.
fn extent(piece: &ColliderPiece) -> (Vec3, Vec3) {
    let (center, reach) = match piece {
        ColliderPiece::Box { center, rotation, half_size } => {
            let axes = [Vec3::X, Vec3::Y, Vec3::Z].map(|axis| (*rotation * (axis * *half_size)).abs());
            (*center, axes[0] + axes[1] + axes[2])
        }
        ColliderPiece::Cylinder { center, rotation, radius, half_height } => {
            let axis = *rotation * Vec3::Y;
            (*center, axis.abs() * *half_height + (Vec3::ONE - axis * axis).max(Vec3::ZERO).map(f32::sqrt) * *radius)
        }
        ColliderPiece::Sphere { center, radius } => (*center, Vec3::splat(*radius)),
        ColliderPiece::Hull(points) => {
            let low = points.iter().copied().reduce(Vec3::min).unwrap_or_default();
            let high = points.iter().copied().reduce(Vec3::max).unwrap_or_default();
            return (low, high);
        }
    };
    (center - reach, center + reach)
}

#[test]
fn colliders_fit_the_geometry() {
    const SLACK: f32 = 0.02;
    for_every_member(|name, model| {
        assert!(!model.collider.is_empty(), "{name}: no collider");
        let (low, high) = model.bounds();
        let (mut least, mut most) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for piece in &model.collider {
            let (piece_low, piece_high) = extent(piece);
            (least, most) = (least.min(piece_low), most.max(piece_high));
        }
        assert!(least.cmpge(low - SLACK).all() && most.cmple(high + SLACK).all(), "{name}: collider beyond the mesh");
        // What stands, stands on its collider.
        assert!(least.y.abs() < 2e-3, "{name}: collider ends at {}", least.y);
    });
}

#[test]
fn supports_lie_on_the_object() {
    for_every_member(|name, model| {
        let (low, high) = model.bounds();
        for support in &model.supports {
            let reach = Vec3::new(support.half_size.x, 0.0, support.half_size.y);
            assert!(support.half_size.min_element() > 0.02 && support.clearance > 0.1, "{name}: support too small");
            assert!((support.center - reach).cmpge(low - 1e-3).all(), "{name}: support beyond the object");
            assert!((support.center + reach).cmple(high + 1e-3).all(), "{name}: support beyond the object");
        }
    });
}
