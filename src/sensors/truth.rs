//! The truth about the bodies in one picture, from its instance ids and the bodies of that moment.
//!
//! In: ids per pixel, bodies, lens and pose. Out: [`ObjectTruth`] per body that shows at least one pixel. Pure functions.

use bevy::{
    math::{Affine3A, Mat3A, Quat, Vec3, Vec3A},
    platform::collections::HashMap,
};

use super::{Intrinsics, ObjectTruth, bodies::Body, silhouette::covered_pixels};
use crate::base::PixelBox;

/// One entry per body that shows, by instance id.
///
/// The visible fraction is the count of visible pixels over the count of pixels whose centres the body's triangles cover
/// when it stands alone and the picture has no edge. Both follow the same rule (pixel centres), so they agree to the
/// renderer's rounding of coordinates: a pixel here and there along the outline.
pub(super) fn object_truths(
    instances: &[u32],
    bodies: &[Body],
    lens: &Intrinsics,
    world_from_view: Affine3A,
) -> Vec<ObjectTruth> {
    let spans = visible_spans(instances, lens.width);
    let view_from_world = world_from_view.inverse();
    bodies
        .iter()
        .filter_map(|body| {
            let span = spans.get(&body.label.instance)?;
            let unoccluded = covered_pixels(body, lens, view_from_world);
            let (world_from_box, half_size) = oriented_box(body);
            Some(ObjectTruth {
                instance: body.label.instance,
                class: body.label.class,
                visible_box: span.tight_box(),
                visible_pixels: span.pixels,
                visible_fraction: (span.pixels as f32 / unoccluded.max(1.0)).min(1.0),
                world_from_box,
                half_size,
            })
        })
        .collect()
}

/// Inclusive bounds and number of the pixels of one id.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    min: [u32; 2],
    max: [u32; 2],
    pixels: u32,
}

impl Span {
    fn tight_box(&self) -> PixelBox {
        PixelBox {
            x: self.min[0] as f32,
            y: self.min[1] as f32,
            width: (self.max[0] - self.min[0] + 1) as f32,
            height: (self.max[1] - self.min[1] + 1) as f32,
        }
    }
}

/// Where each id but 0 shows, row by row in runs of equal ids.
fn visible_spans(instances: &[u32], width: u32) -> HashMap<u32, Span> {
    let mut spans: HashMap<u32, Span> = HashMap::default();
    for (y, row) in (0_u32..).zip(instances.chunks(width as usize)) {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let length = run.len() as u32;
            if run[0] != 0 {
                let span = spans.entry(run[0]).or_insert(Span { min: [x, y], max: [x, y], pixels: 0 });
                span.min[0] = span.min[0].min(x);
                span.max[0] = span.max[0].max(x + length - 1);
                span.max[1] = y;
                span.pixels += length;
            }
            x += length;
        }
    }
    spans
}

/// The box of a body along its own axes, in the world: (pose without scale, half size in metres).
fn oriented_box(body: &Body) -> (Affine3A, Vec3) {
    let (_, rotation, _) = body.world_from_body.to_scale_rotation_translation();
    let rotation = if rotation.is_finite() { rotation } else { Quat::IDENTITY };
    let box_from_world = Mat3A::from_quat(rotation.inverse());
    let (mut min, mut max) = (Vec3A::INFINITY, Vec3A::NEG_INFINITY);
    for part in &body.parts {
        let box_from_part = Affine3A {
            matrix3: box_from_world * part.world_from_part.matrix3,
            translation: box_from_world * part.world_from_part.translation,
        };
        for position in &part.shape.positions {
            let point = box_from_part.transform_point3a(Vec3A::from(*position));
            min = min.min(point);
            max = max.max(point);
        }
    }
    if !min.is_finite() || !max.is_finite() {
        return (body.world_from_body, Vec3::ZERO);
    }
    let center = rotation * Vec3::from((min + max) * 0.5);
    (Affine3A::from_rotation_translation(rotation, center), ((max - min) * 0.5).into())
}

#[cfg(test)]
mod tests {
    use std::{f32::consts::FRAC_PI_4, sync::Arc};

    use super::*;
    use crate::{
        base::ClassId,
        sensors::bodies::{BodyPart, MeshShape},
        world::Label,
    };

    fn body(instance: u32, shape: MeshShape, pose: Affine3A) -> Body {
        Body {
            label: Label { class: ClassId(3), instance },
            world_from_body: pose,
            parts: vec![BodyPart { shape: Arc::new(shape), world_from_part: pose, double_sided: false }],
        }
    }

    #[test]
    fn spans_are_tight_and_counted() {
        #[rustfmt::skip]
        let instances = [
            0, 0, 7, 0,
            0, 7, 7, 0,
            5, 0, 0, 7,
        ];
        let spans = visible_spans(&instances, 4);
        assert_eq!(spans[&7], Span { min: [1, 0], max: [3, 2], pixels: 4 });
        assert_eq!(spans[&7].tight_box(), PixelBox { x: 1.0, y: 0.0, width: 3.0, height: 3.0 });
        assert_eq!(spans[&5].pixels, 1);
        assert_eq!(spans.len(), 2);
    }

    #[test]
    fn half_a_body_is_half_visible() {
        // A face 1 m wide, 2 m away, seen with a focal length of 100 px: 50 × 50 px; the right half is hidden.
        let lens = Intrinsics::from_fov(200, 200, 2.0 * 1_f32.atan());
        let shape = MeshShape::cuboid(Vec3::new(0.0, 0.0, -2.5), Vec3::splat(0.5));
        let mut instances = vec![0; 200 * 200];
        for y in 75..125 {
            for x in 75..100 {
                instances[y * 200 + x] = 9;
            }
        }
        let truths = object_truths(&instances, &[body(9, shape, Affine3A::IDENTITY)], &lens, Affine3A::IDENTITY);
        assert_eq!(truths.len(), 1);
        assert_eq!(truths[0].visible_pixels, 25 * 50);
        assert!((truths[0].visible_fraction - 0.5).abs() < 0.02, "{}", truths[0].visible_fraction);
        assert_eq!(truths[0].class, ClassId(3));
    }

    #[test]
    fn bodies_that_do_not_show_are_left_out() {
        let lens = Intrinsics::from_fov(4, 1, 1.0);
        let shape = MeshShape::cuboid(Vec3::ZERO, Vec3::ONE);
        assert!(object_truths(&[0; 4], &[body(1, shape, Affine3A::IDENTITY)], &lens, Affine3A::IDENTITY).is_empty());
    }

    #[test]
    fn boxes_follow_the_body_and_carry_no_scale() {
        let pose = Affine3A::from_scale_rotation_translation(
            Vec3::splat(2.0),
            Quat::from_rotation_y(FRAC_PI_4),
            Vec3::new(1.0, 2.0, 3.0),
        );
        let shape = MeshShape::cuboid(Vec3::new(0.0, 0.5, 0.0), Vec3::new(0.1, 0.5, 0.2));
        let (world_from_box, half_size) = oriented_box(&body(1, shape, pose));
        assert!((half_size - Vec3::new(0.2, 1.0, 0.4)).length() < 1e-5, "{half_size}");
        assert!((Vec3::from(world_from_box.translation) - Vec3::new(1.0, 3.0, 3.0)).length() < 1e-5);
        let x_axis = world_from_box.transform_vector3(Vec3::X);
        assert!((x_axis - Quat::from_rotation_y(FRAC_PI_4) * Vec3::X).length() < 1e-5);
    }
}
