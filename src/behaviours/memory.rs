//! Remembering what was seen where, from boxes in pictures and the eye's own pose alone.
//!
//! In: [`Seen`]. Out: things with a class, an estimated position and a confidence. What is absent: depth, ids, labels;
//! the distance of a thing comes from the usual size of its class at first, then from seeing it from several places.

use bevy::{
    math::{Mat3, Vec2, Vec3},
    prelude::Resource,
};

use super::sizes::typical_extent_m;
use crate::{
    base::{ClassId, Tick},
    percepts::{Detection, Intrinsics, Seen},
};

/// Spread of a box's centre about the thing's middle, radians.
const BEARING_SPREAD: f32 = 0.03;
/// Spread of a distance told by the usual size of a class, as a part of that distance.
const SIZE_SPREAD: f32 = 0.45;
/// Sightings deviate by more than this from the thing that they are of in one case of a hundred (χ², three degrees of
/// freedom).
const SAME_THING: f32 = 11.34;
/// A thing is forgotten below this confidence.
const FORGOTTEN: f32 = 0.12;
/// More than this many things are not kept; the least certain goes first.
const CAPACITY: usize = 256;
/// Things that should be seen and are not lose this part of their confidence at each look.
const DOUBT: f32 = 0.12;

/// One remembered thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    pub class: ClassId,
    /// Estimated middle, world space.
    pub position: Vec3,
    /// 0 to 1: how sure it is that the thing is there.
    pub confidence: f32,
    /// Confidence of the newest detection, 0 to 1.
    pub recognition: f32,
    pub first_seen: Tick,
    pub last_seen: Tick,
    pub sightings: u32,
    /// Information form of the position estimate: sum of inverse covariances, and of those times positions.
    precision: Mat3,
    weighted: Vec3,
}

/// What the companion remembers.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Memory {
    pub things: Vec<Remembered>,
}

/// A ray from the eye to a thing, with a first guess of the distance.
struct Sighting {
    class: ClassId,
    origin: Vec3,
    direction: Vec3,
    distance: f32,
    confidence: f32,
}

impl Memory {
    /// Takes in what was recognised in one picture.
    pub fn take_in(&mut self, seen: &Seen) {
        let mut matched = vec![false; self.things.len()];
        for sighting in seen.detections.iter().map(|detection| sighting(detection, seen)) {
            match self.best_match(&sighting, &matched) {
                Some(index) => {
                    matched[index] = true;
                    self.things[index].strengthen(&sighting, seen.tick);
                }
                None => {
                    self.things.push(Remembered::new(&sighting, seen.tick));
                    matched.push(true);
                }
            }
        }
        for (thing, _) in self.things.iter_mut().zip(&matched).filter(|(_, matched)| !**matched) {
            if should_be_seen(thing.position, seen) {
                thing.confidence *= 1.0 - DOUBT;
            }
        }
        self.things.retain(|thing| thing.confidence >= FORGOTTEN);
        while self.things.len() > CAPACITY {
            let weakest =
                (0..self.things.len()).min_by(|a, b| self.things[*a].confidence.total_cmp(&self.things[*b].confidence));
            self.things.swap_remove(weakest.unwrap_or(0));
        }
    }

    /// The thing of a class that is remembered best: confidence first, nearness to `from` second.
    pub fn recall(&self, class: ClassId, from: Vec3) -> Option<&Remembered> {
        let worth = |thing: &Remembered| thing.confidence - 0.01 * thing.position.distance(from);
        self.things
            .iter()
            .filter(|thing| thing.class == class && thing.sightings >= 2)
            .max_by(|a, b| worth(a).total_cmp(&worth(b)))
    }

    /// The thing of the same class that the sighting most probably is of: least Mahalanobis distance between the two
    /// position estimates, within what chance explains.
    fn best_match(&self, sighting: &Sighting, taken: &[bool]) -> Option<usize> {
        self.things
            .iter()
            .enumerate()
            .filter(|(index, thing)| thing.class == sighting.class && !taken[*index])
            .map(|(index, thing)| (index, thing.squared_deviation(sighting)))
            .filter(|(_, deviation)| *deviation < SAME_THING)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| index)
    }
}

impl Sighting {
    /// Where the thing seems to be.
    fn position(&self) -> Vec3 {
        self.origin + self.direction * self.distance
    }

    /// Inverse covariance of that position: tight across the ray, loose along it.
    fn information(&self) -> Mat3 {
        let along = outer(self.direction);
        let across = Mat3::IDENTITY - along;
        across * (BEARING_SPREAD * self.distance).powi(-2) + along * (SIZE_SPREAD * self.distance).powi(-2)
    }
}

impl Remembered {
    /// Squared Mahalanobis distance between this estimate and a sighting, both with their covariances; the middle of what
    /// is visible wanders on a thing by a part of its size.
    fn squared_deviation(&self, sighting: &Sighting) -> f32 {
        let wander = (0.25 * typical_extent_m(self.class)).powi(2);
        let covariance =
            self.precision.inverse() + sighting.information().inverse() + Mat3::from_diagonal(Vec3::splat(wander));
        let apart = self.position - sighting.position();
        apart.dot(covariance.inverse() * apart)
    }

    fn new(sighting: &Sighting, tick: Tick) -> Self {
        let mut thing = Self {
            class: sighting.class,
            position: Vec3::ZERO,
            confidence: 0.0,
            recognition: 0.0,
            first_seen: tick,
            last_seen: tick,
            sightings: 0,
            precision: Mat3::ZERO,
            weighted: Vec3::ZERO,
        };
        thing.strengthen(sighting, tick);
        thing
    }

    /// Adds one sighting: the estimate is the mean of all, each weighted by its inverse covariance (the information form
    /// of the Kalman filter; Maybeck 1979, chapter 5.7): tight across the ray, loose along it.
    fn strengthen(&mut self, sighting: &Sighting, tick: Tick) {
        let along = outer(sighting.direction);
        let across = Mat3::IDENTITY - along;
        let information =
            across * (BEARING_SPREAD * sighting.distance).powi(-2) + along * (SIZE_SPREAD * sighting.distance).powi(-2);
        // Old sightings fade, so that a thing which was moved is followed.
        let keep = 0.97;
        self.precision = self.precision * keep + information;
        self.weighted = self.weighted * keep + information * sighting.position();
        self.position = self.precision.inverse() * self.weighted;
        self.confidence += (1.0 - self.confidence) * 0.5 * sighting.confidence;
        self.recognition = sighting.confidence;
        self.last_seen = tick;
        self.sightings += 1;
    }
}

/// d dᵀ.
fn outer(d: Vec3) -> Mat3 {
    Mat3::from_cols(d * d.x, d * d.y, d * d.z)
}

fn sighting(detection: &Detection, seen: &Seen) -> Sighting {
    let region = detection.region;
    let lens = seen.intrinsics;
    let view_ray = lens.ray(Vec2::from(region.center()));
    let depth = lens.focal.y * typical_extent_m(detection.class) / region.width.max(region.height).max(1.0);
    Sighting {
        class: detection.class,
        origin: seen.world_from_view.translation.into(),
        direction: seen.world_from_view.transform_vector3(view_ray).normalize(),
        distance: (depth / -view_ray.z).clamp(0.1, 30.0),
        confidence: detection.confidence,
    }
}

/// Whether a point lies well inside the picture and near enough to be recognised.
fn should_be_seen(position: Vec3, seen: &Seen) -> bool {
    let view = seen.world_from_view.inverse().transform_point3(position);
    let Intrinsics { width, height, .. } = seen.intrinsics;
    let margin = 0.12 * Vec2::new(width as f32, height as f32);
    let inside = seen.intrinsics.project(view).is_some_and(|pixel| {
        pixel.cmpge(margin).all() && pixel.cmple(Vec2::new(width as f32, height as f32) - margin).all()
    });
    inside && view.length() < 3.0
}

#[cfg(test)]
mod tests {
    use bevy::{
        ecs::entity::Entity,
        math::{Affine3A, Quat},
    };

    use super::*;
    use crate::base::PixelBox;

    const LENS: Intrinsics =
        Intrinsics { width: 320, height: 320, focal: Vec2::splat(200.0), center: Vec2::splat(160.0) };

    /// What an eye at `origin`, looking along −Z, sees of a sphere-like thing.
    fn look(origin: Vec3, things: &[(ClassId, Vec3, f32)], tick: u64) -> Seen {
        let detections = things
            .iter()
            .map(|(class, position, size)| {
                let view = *position - origin;
                let pixel = LENS.project(view).expect("in front of the eye");
                let side = LENS.focal.x * size / -view.z;
                let region = PixelBox { x: pixel.x - side / 2.0, y: pixel.y - side / 2.0, width: side, height: side };
                Detection { class: *class, confidence: 0.9, region }
            })
            .collect();
        let world_from_view = Affine3A::from_rotation_translation(Quat::IDENTITY, origin);
        Seen { eye: Entity::PLACEHOLDER, tick: Tick(tick), world_from_view, intrinsics: LENS, detections }
    }

    #[test]
    fn seeing_from_two_sides_corrects_a_wrong_guess_of_size() {
        let (mug, place) = (ClassId(1), Vec3::new(0.2, 1.0, -3.0));
        let mut memory = Memory::default();
        // A giant mug: by its size alone it seems twice as near as it is.
        for (tick, x) in [-1.2_f32, -0.4, 0.4, 1.2].into_iter().enumerate() {
            memory.take_in(&look(Vec3::new(x, 1.2, 0.0), &[(mug, place, 0.24)], tick as u64));
        }
        assert_eq!(memory.things.len(), 1, "one thing, seen four times: {:?}", memory.things);
        let error = memory.things[0].position.distance(place);
        assert!(error < 0.2, "position off by {error} m");
        assert_eq!(memory.things[0].sightings, 4);
    }

    #[test]
    fn two_things_of_a_class_stay_two() {
        let (ball, left, right) = (ClassId(19), Vec3::new(-0.8, 1.0, -2.5), Vec3::new(0.8, 1.0, -2.5));
        let mut memory = Memory::default();
        for tick in 0..5 {
            memory.take_in(&look(Vec3::Y, &[(ball, left, 0.21), (ball, right, 0.21)], tick));
        }
        assert_eq!(memory.things.len(), 2);
        assert!(memory.recall(ball, left).is_some());
    }

    #[test]
    fn what_was_taken_away_is_forgotten_when_looked_for() {
        let mug = ClassId(1);
        let mut memory = Memory::default();
        for tick in 0..3 {
            memory.take_in(&look(Vec3::Y, &[(mug, Vec3::new(0.0, 1.0, -1.5), 0.12)], tick));
        }
        assert!(memory.recall(mug, Vec3::ZERO).is_some());
        for tick in 3..40 {
            memory.take_in(&look(Vec3::Y, &[], tick));
        }
        assert!(memory.things.is_empty());
    }
}
