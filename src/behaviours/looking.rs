//! Coming when called, and looking at what one is shown: goals of the companion that end by themselves.
//!
//! In: where its friend stands and looks, what it remembers. Out: intents and words. What is absent: depth; where the friend
//! points is a line, and what stands on it is the remembered thing next to it.

use bevy::math::Vec3;

use super::{
    memory::{Memory, Remembered},
    mind::{Goal, Mind, Saying, Situation, Stance, next_point},
};
use crate::{base::Tick, world::FlyIntent};

/// How near it comes when it is called, metres.
const CALLED_M: f32 = 1.15;
/// How long it looks at what it is shown, seconds.
const LOOK_SECONDS: f64 = 4.0;
/// From here it sees what it looks at well, metres.
const SEE_FROM_M: f32 = 1.6;
/// A remembered thing counts as pointed at within this angle of the line of sight, radians.
const POINTED_AT: f32 = 0.16;
/// Where one points if nothing is known there, metres ahead.
const SHOWN_M: f32 = 2.5;
/// Gives up on a way after so many seconds.
const PATIENCE_SECONDS: f64 = 15.0;

/// The remembered thing next to a line of sight, within the angle that one points with.
pub(super) fn pointed_at<'m>(memory: &'m Memory, friend: &Stance) -> Option<&'m Remembered> {
    let angle = |thing: &Remembered| (thing.position - friend.position).angle_between(friend.forward());
    memory
        .things
        .iter()
        .filter(|thing| thing.position.distance(friend.position) < 8.0 && angle(thing) < POINTED_AT)
        .min_by(|a, b| angle(a).total_cmp(&angle(b)))
}

/// Where the friend looks.
pub(super) fn shown_place(memory: &Memory, friend: &Stance) -> Vec3 {
    pointed_at(memory, friend).map_or(friend.position + SHOWN_M * friend.forward(), |thing| thing.position)
}

impl Mind {
    /// Flies up to the friend's face, greets, keeps company from then on.
    pub(super) fn come(&mut self, since: Tick, situation: &Situation) -> (FlyIntent, Option<Saying>) {
        let friend = &situation.friend;
        let own = situation.own.position;
        let place = friend.position + CALLED_M * friend.heading();
        let intent = |target| FlyIntent { target: Some(target), look_at: Some(friend.position), mood: 0.7 };
        if own.distance(place) < 0.35 || situation.tick.seconds_since(since) > PATIENCE_SECONDS {
            self.goal = Goal::Follow;
            return (intent(own), Some(Saying::HereIAm));
        }
        (intent(next_point(situation, place)), None)
    }

    /// Looks at a place from near by, tells what it sees there if it was asked to, goes on with what it did.
    pub(super) fn look(
        &mut self,
        place: Vec3,
        tells: bool,
        since: Tick,
        then: Goal,
        situation: &Situation,
    ) -> (FlyIntent, Option<Saying>) {
        let own = situation.own.position;
        let far = own.distance(place) > SEE_FROM_M;
        // From where it is on the level of the place, as near as it sees well.
        let beside = place + SEE_FROM_M * 0.8 * (own - place).with_y(0.25).normalize_or(Vec3::Y);
        let target = if far { next_point(situation, beside) } else { own };
        let intent = FlyIntent { target: Some(target), look_at: Some(place), mood: 0.5 };
        if situation.tick.seconds_since(since) < LOOK_SECONDS {
            return (intent, None);
        }
        self.goal = then;
        let saying = tells.then(|| {
            let thing = situation.memory.things.iter().filter(|thing| thing.position.distance(place) < 0.6);
            let nearest = thing.min_by(|a, b| a.position.distance(place).total_cmp(&b.position.distance(place)));
            Saying::ThatIs(nearest.map(|thing| thing.class))
        });
        (intent, saying)
    }
}
