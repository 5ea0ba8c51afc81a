//! The play space of a session: which of the runtime's reference spaces it is, and when the runtime lays it anew.
//!
//! In: what the runtime offers and announces. Out: the space, `Tracking::floorless`, `Tracking::relaid`. What is absent: where it lies
//! in the world (`tracked_rig`).

use openxr::{Posef, ReferenceSpaceType, Session, Space, Time, Vector3f, Vulkan};

/// A play space.
pub(super) struct Stage {
    kind: ReferenceSpaceType,
    /// When the runtime will have laid it anew.
    changes_at: Option<Time>,
}

/// The best of the spaces that a runtime offers: the floor of the room; a floor below where the head was; that head itself.
fn kind_of(offered: &[ReferenceSpaceType]) -> ReferenceSpaceType {
    [ReferenceSpaceType::STAGE, ReferenceSpaceType::LOCAL_FLOOR]
        .into_iter()
        .find(|kind| offered.contains(kind))
        .unwrap_or(ReferenceSpaceType::LOCAL)
}

impl Stage {
    /// Makes the space. Where the runtime knows no floor, it is guessed `eye_height` metres below the head.
    ///
    /// # Errors
    /// - whatever the runtime answers
    pub fn open(session: &Session<Vulkan>, eye_height: f32) -> openxr::Result<(Self, Space)> {
        let stage = Self { kind: kind_of(&session.enumerate_reference_spaces()?), changes_at: None };
        let offset = if stage.is_floorless() { -eye_height } else { 0.0 };
        let origin = Posef { position: Vector3f { x: 0.0, y: offset, z: 0.0 }, ..Posef::IDENTITY };
        let space = session.create_reference_space(stage.kind, origin)?;
        Ok((stage, space))
    }

    pub fn is_floorless(&self) -> bool {
        self.kind == ReferenceSpaceType::LOCAL
    }

    /// Notes that the runtime will lay a space anew. Others than this one are nobody's business.
    pub fn note_change(&mut self, kind: ReferenceSpaceType, at: Time) {
        if kind == self.kind {
            self.changes_at = Some(at);
        }
    }

    /// Whether poses of `time` are the first in the space that was laid anew.
    pub fn is_relaid(&mut self, time: Time) -> bool {
        self.changes_at.take_if(|at| at.as_nanos() <= time.as_nanos()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_preferred_to_none_and_the_rooms_to_one_below_the_head() {
        let (stage, floor) = (ReferenceSpaceType::STAGE, ReferenceSpaceType::LOCAL_FLOOR);
        let (view, local) = (ReferenceSpaceType::VIEW, ReferenceSpaceType::LOCAL);
        assert_eq!(kind_of(&[view, local, floor, stage]), stage);
        assert_eq!(kind_of(&[view, local, floor]), floor);
        assert_eq!(kind_of(&[view, local]), local);
    }

    #[test]
    fn a_space_is_laid_anew_once_when_its_time_has_come_and_others_are_not_ours() {
        let mut stage = Stage { kind: ReferenceSpaceType::LOCAL_FLOOR, changes_at: None };
        stage.note_change(ReferenceSpaceType::LOCAL, Time::from_nanos(10));
        assert!(!stage.is_relaid(Time::from_nanos(20)));
        stage.note_change(ReferenceSpaceType::LOCAL_FLOOR, Time::from_nanos(100));
        let seen = [90, 99, 101, 102].map(|at| stage.is_relaid(Time::from_nanos(at)));
        assert_eq!(seen, [false, false, true, false]);
        // Announced when it is over already: with the next poses.
        stage.note_change(ReferenceSpaceType::LOCAL_FLOOR, Time::from_nanos(50));
        assert!(stage.is_relaid(Time::from_nanos(200)));
    }
}
