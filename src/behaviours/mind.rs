//! What the companion wants: follow, stay, find a thing and lead to it. One pure step per tick.
//!
//! In: its own pose, where its friend stands, what it remembers, the map of the house. Out: an intent to fly, and now and
//! then something to say. What is absent: labels and truth; every thing it acts on comes from [`Memory`].

use bevy::{
    math::{Quat, Vec3},
    prelude::Component,
};

use super::{looking::shown_place, memory::Memory};
use crate::{
    base::{ClassId, Tick},
    world::{FlyIntent, HouseMap},
};

/// How close to its friend it may come, metres.
const OUT_OF_FACE_M: f32 = 0.9;
/// Where it likes to be: ahead of the friend, to the right, near eye height.
const COMPANY_AHEAD_M: f32 = 1.5;
const COMPANY_ASIDE_M: f32 = 0.95;
/// A point on the way counts as passed within this distance.
const PASSED_M: f32 = 0.45;
/// Seconds for one look around.
const LOOK_AROUND_SECONDS: f64 = 6.0;
/// Seconds that one interesting thing is looked at.
const INTEREST_SECONDS: f64 = 2.5;
/// Confidence from which a remembered thing is gone to.
const SURE: f32 = 0.45;
/// The friend is waited for beyond this distance, metres.
const WAIT_M: f32 = 4.5;
/// Gives up a point that cannot be reached, seconds.
const PATIENCE_SECONDS: f64 = 12.0;

/// What the companion is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Goal {
    /// Keep company, look at what interests.
    #[default]
    Follow,
    /// Wait here.
    Stay(Vec3),
    /// Go from vantage point to vantage point, looking around at each, until a thing of the class is seen.
    Find { class: ClassId, visited: Vec<usize>, search: Search },
    /// Bring the friend to where the thing is.
    Lead { class: ClassId, place: Vec3 },
    /// Fly up to the friend who called.
    Come { since: Tick },
    /// Look at a place for a while, perhaps tell what is there, then go on with the goal before.
    Look { place: Vec3, tells: bool, since: Tick, then: Box<Goal> },
}

/// Where a search stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Search {
    #[default]
    Choosing,
    Flying {
        node: usize,
        since: Tick,
    },
    Looking {
        node: usize,
        since: Tick,
    },
}

/// The companion's mind.
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub struct Mind {
    pub goal: Goal,
    /// What it looks at, and since when.
    interest: Option<(Vec3, Tick)>,
}

/// What the companion is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Follow,
    Stay,
    Find(ClassId),
    /// Name what is in view.
    Describe,
    Come,
    /// Look at the remembered thing of a class.
    LookAt(ClassId),
    /// Look where the friend looks.
    LookHere,
    /// Keep the next picture of the eye.
    TakePicture,
}

/// What the companion says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saying {
    /// It has understood.
    Acknowledge,
    /// It sees what it was asked for.
    Found(ClassId),
    /// Its friend stands before what it was asked for.
    Here(ClassId),
    /// It looked everywhere.
    NotFound(ClassId),
    /// What it recognises now, nearest first.
    Sees(Vec<ClassId>),
    /// It came when it was called.
    HereIAm,
    /// It has never seen one of these.
    NeverSeen(ClassId),
    /// What it recognises at the place that it was shown.
    ThatIs(Option<ClassId>),
}

/// A pose as one feels it: where one stands and which way one faces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stance {
    pub position: Vec3,
    pub rotation: Quat,
}

impl Stance {
    pub(super) fn forward(&self) -> Vec3 {
        self.rotation * Vec3::NEG_Z
    }

    /// Forward on the level.
    pub(super) fn heading(&self) -> Vec3 {
        let forward = self.forward();
        Vec3::new(forward.x, 0.0, forward.z).normalize_or(Vec3::NEG_Z)
    }
}

/// All that one step of thought may know.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    pub tick: Tick,
    pub own: Stance,
    /// The friend's eyes.
    pub friend: Stance,
    pub memory: &'a Memory,
    pub map: &'a HouseMap,
}

impl Mind {
    /// Takes a request; returns what to say to it.
    pub fn ask(&mut self, request: Request, situation: &Situation) -> Saying {
        match request {
            Request::Follow => self.goal = Goal::Follow,
            Request::Stay => self.goal = Goal::Stay(situation.own.position),
            Request::Find(class) => {
                self.goal = match situation.memory.recall(class, situation.friend.position) {
                    Some(thing) if thing.confidence >= SURE => Goal::Lead { class, place: thing.position },
                    _ => Goal::Find { class, visited: Vec::new(), search: Search::Choosing },
                };
            }
            Request::Describe => return Saying::Sees(in_view(situation)),
            Request::Come => self.goal = Goal::Come { since: situation.tick },
            Request::LookAt(class) => match situation.memory.recall(class, situation.own.position) {
                Some(thing) => self.look_from_now(thing.position, false, situation.tick),
                None => return Saying::NeverSeen(class),
            },
            Request::LookHere => {
                let place = shown_place(situation.memory, &situation.friend);
                self.look_from_now(place, true, situation.tick);
            }
            // The picture is another's to keep; the mind only agrees.
            Request::TakePicture => {}
        }
        Saying::Acknowledge
    }

    fn look_from_now(&mut self, place: Vec3, tells: bool, since: Tick) {
        let then = match std::mem::take(&mut self.goal) {
            // One look replaces another.
            Goal::Look { then, .. } => then,
            other => Box::new(other),
        };
        self.goal = Goal::Look { place, tells, since, then };
    }

    /// One step of thought: what to do now, and what to say if anything.
    pub fn think(&mut self, situation: &Situation) -> (FlyIntent, Option<Saying>) {
        match self.goal.clone() {
            Goal::Follow => (self.keep_company(situation), None),
            Goal::Stay(place) => {
                let look_at = self.interest(situation).unwrap_or(situation.friend.position);
                (FlyIntent { target: Some(place), look_at: Some(look_at), mood: 0.0 }, None)
            }
            Goal::Find { class, visited, search } => self.find(class, visited, search, situation),
            Goal::Lead { class, place } => self.lead(class, place, situation),
            Goal::Come { since } => self.come(since, situation),
            Goal::Look { place, tells, since, then } => self.look(place, tells, since, *then, situation),
        }
    }

    fn keep_company(&mut self, situation: &Situation) -> FlyIntent {
        let place = company_place(situation);
        let interest = self.interest(situation);
        let far = situation.own.position.distance(place) > 2.5;
        let look_at =
            if far { place } else { interest.unwrap_or(situation.friend.position + 4.0 * situation.friend.heading()) };
        let target = next_point(situation, place);
        FlyIntent { target: Some(target), look_at: Some(look_at), mood: if interest.is_some() { 0.35 } else { 0.1 } }
    }

    /// The thing to look at: the least familiar one near by, each for a while.
    fn interest(&mut self, situation: &Situation) -> Option<Vec3> {
        if let Some((point, since)) = self.interest
            && situation.tick.seconds_since(since) < INTEREST_SECONDS
        {
            return Some(point);
        }
        let novelty = |sightings: u32, distance: f32| 1.0 / (1.0 + sightings as f32) - 0.05 * distance;
        let next = situation
            .memory
            .things
            .iter()
            .map(|thing| (thing, thing.position.distance(situation.own.position)))
            .filter(|(_, distance)| (0.3..5.0).contains(distance))
            .max_by(|a, b| novelty(a.0.sightings, a.1).total_cmp(&novelty(b.0.sightings, b.1)))
            .map(|(thing, _)| thing.position);
        self.interest = next.map(|point| (point, situation.tick));
        next
    }

    fn find(
        &mut self,
        class: ClassId,
        mut visited: Vec<usize>,
        search: Search,
        situation: &Situation,
    ) -> (FlyIntent, Option<Saying>) {
        if let Some(thing) = situation.memory.recall(class, situation.own.position)
            && thing.confidence >= SURE
        {
            let place = thing.position;
            self.goal = Goal::Lead { class, place };
            return (hover(situation, place, 1.0), Some(Saying::Found(class)));
        }
        let own = situation.own.position;
        let (search, intent) = match search {
            Search::Choosing => match next_vantage(situation, &visited) {
                Some(node) => (
                    Search::Flying { node, since: situation.tick },
                    hover(situation, own + situation.own.forward(), 0.6),
                ),
                None => {
                    self.goal = Goal::Follow;
                    return (hover(situation, situation.friend.position, 0.0), Some(Saying::NotFound(class)));
                }
            },
            Search::Flying { node, since } => {
                let place = situation.map.nodes[node].position;
                let arrived = own.distance(place) < PASSED_M;
                if arrived || situation.tick.seconds_since(since) > PATIENCE_SECONDS {
                    visited.push(node);
                    (
                        Search::Looking { node, since: situation.tick },
                        hover(situation, own + situation.own.forward(), 0.6),
                    )
                } else {
                    let target = next_point(situation, place);
                    (
                        Search::Flying { node, since },
                        FlyIntent { target: Some(target), look_at: Some(target), mood: 0.6 },
                    )
                }
            }
            Search::Looking { node, since } => {
                let seconds = situation.tick.seconds_since(since);
                if seconds >= LOOK_AROUND_SECONDS {
                    (Search::Choosing, hover(situation, own + situation.own.forward(), 0.6))
                } else {
                    (Search::Looking { node, since }, hover(situation, own + look_around(seconds), 0.6))
                }
            }
        };
        self.goal = Goal::Find { class, visited, search };
        (intent, None)
    }

    fn lead(&mut self, class: ClassId, mut place: Vec3, situation: &Situation) -> (FlyIntent, Option<Saying>) {
        // Nearer looks correct the place; a thing that is gone is searched for again.
        match situation.memory.recall(class, place) {
            Some(thing) if thing.position.distance(place) < 1.5 => place = thing.position,
            Some(_) => {}
            None => {
                self.goal = Goal::Find { class, visited: Vec::new(), search: Search::Choosing };
                return (hover(situation, place, 0.4), None);
            }
        }
        self.goal = Goal::Lead { class, place };
        let (own, friend) = (situation.own.position, situation.friend.position);
        let level = |point: Vec3| Vec3::new(point.x, 0.0, point.z);
        if level(friend).distance(level(place)) < 2.2 && own.distance(place) < 2.0 {
            self.goal = Goal::Follow;
            self.interest = Some((place, situation.tick));
            return (hover(situation, place, 1.0), Some(Saying::Here(class)));
        }
        if own.distance(friend) > WAIT_M {
            // Too far ahead, or just found: come back for the friend, or wait for him if he is on his way.
            let target =
                if own.distance(friend) > 1.6 * WAIT_M { next_point(situation, friend + 0.2 * Vec3::Y) } else { own };
            return (FlyIntent { target: Some(target), look_at: Some(friend), mood: 0.8 }, None);
        }
        let beside = place + Vec3::new(0.0, 0.45, 0.0) + 0.7 * (own - place).with_y(0.0).normalize_or_zero();
        let target = next_point(situation, beside);
        let look_at = if own.distance(place) < 2.5 { place } else { target };
        (FlyIntent { target: Some(target), look_at: Some(look_at), mood: 0.9 }, None)
    }
}

/// Beside the line of sight, never nearer than allowed.
fn company_place(situation: &Situation) -> Vec3 {
    let heading = situation.friend.heading();
    let right = Vec3::new(-heading.z, 0.0, heading.x);
    let place =
        situation.friend.position + COMPANY_AHEAD_M * heading + COMPANY_ASIDE_M * right + Vec3::new(0.0, -0.05, 0.0);
    let away = situation.own.position - situation.friend.position;
    if away.length() < OUT_OF_FACE_M {
        // Too close: leave by the shortest way first.
        situation.friend.position + away.normalize_or(right) * (OUT_OF_FACE_M + 0.4)
    } else {
        place
    }
}

/// The next point on the way through the house. What lies in the same room is flown to directly.
pub(super) fn next_point(situation: &Situation, goal: Vec3) -> Vec3 {
    let own = situation.own.position;
    if own.distance(goal) < 3.0 && same_side(situation, goal) {
        return goal;
    }
    let mut route = situation.map.route(own, goal);
    route.retain(|point| own.distance(*point) > PASSED_M || *point == goal);
    route.first().copied().unwrap_or(goal)
}

/// Whether the same point of the map is nearest to both places, or two that are joined without a doorway.
fn same_side(situation: &Situation, goal: Vec3) -> bool {
    let map = situation.map;
    let nearest = map.nearest(situation.own.position, true).zip(map.nearest(goal, true));
    nearest.is_none_or(|(a, b)| a == b || map.edges.contains(&[a, b]) || map.edges.contains(&[b, a]))
}

fn next_vantage(situation: &Situation, visited: &[usize]) -> Option<usize> {
    let here = situation.map.nearest(situation.own.position, false)?;
    (0..situation.map.nodes.len())
        .filter(|node| situation.map.nodes[*node].is_vantage && !visited.contains(node))
        .filter_map(|node| situation.map.way(here, node).map(|(_, length)| (node, length)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(node, _)| node)
}

/// Direction to look in while looking around: once about, a little down, where things stand.
fn look_around(seconds: f64) -> Vec3 {
    let angle = (seconds / LOOK_AROUND_SECONDS * std::f64::consts::TAU) as f32;
    Vec3::new(angle.sin(), -0.28, -angle.cos())
}

fn hover(situation: &Situation, look_at: Vec3, mood: f32) -> FlyIntent {
    FlyIntent { target: Some(situation.own.position), look_at: Some(look_at), mood }
}

/// Classes recognised within the last second and a half, nearest first, each once.
fn in_view(situation: &Situation) -> Vec<ClassId> {
    let mut near: Vec<_> =
        situation.memory.things.iter().filter(|thing| situation.tick.seconds_since(thing.last_seen) < 1.5).collect();
    let distance = |position: Vec3| position.distance_squared(situation.own.position);
    near.sort_by(|a, b| distance(a.position).total_cmp(&distance(b.position)));
    let mut classes = Vec::new();
    for thing in near {
        if !classes.contains(&thing.class) {
            classes.push(thing.class);
        }
    }
    classes
}

#[cfg(test)]
mod tests;
