//! How well the companion sees, scored while it lives: what it recognised against the truth of the very same picture.
//!
//! In: observations that carry truth, percepts with the same stamp. Out: counts. Only reports read them.

use std::{collections::VecDeque, sync::Arc};

use bevy::prelude::*;

use crate::{
    base::{ClassTable, Tick},
    percepts::Seen,
    sensors::{GroundTruth, Observation},
    signal::{Confusion, OperatingPoint, ScoredBox, TrueBox},
};

/// Truths that wait for their percept; older ones are of pictures that were dropped.
const WAITING: usize = 64;

/// Scores percepts of every eye whose observations carry truth.
pub struct LiveScorePlugin;

impl Plugin for LiveScorePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<LiveScore>().add_systems(Update, score);
    }
}

/// Pictures that were scored so far.
#[derive(Resource, Default)]
pub struct LiveScore {
    waiting: VecDeque<(Entity, Tick, Arc<GroundTruth>)>,
    pictures: Vec<(Vec<ScoredBox>, Vec<TrueBox>)>,
}

impl LiveScore {
    /// Precision, recall and F1 over all scored pictures, and how many those are.
    pub fn figures(&self, classes: usize) -> (OperatingPoint, usize) {
        (Confusion::of(&self.pictures, classes, 0.0).operating_point(), self.pictures.len())
    }
}

fn score(
    mut observations: MessageReader<Observation>,
    mut seen: MessageReader<Seen>,
    mut score: ResMut<LiveScore>,
    classes: Res<ClassTable>,
) {
    for observation in observations.read() {
        if let Some(truth) = &observation.truth {
            score.waiting.push_back((observation.eye, observation.tick, Arc::clone(truth)));
            if score.waiting.len() > WAITING {
                score.waiting.pop_front();
            }
        }
    }
    for seen in seen.read() {
        let stamp = |(eye, tick, _): &(Entity, Tick, Arc<GroundTruth>)| *eye == seen.eye && *tick == seen.tick;
        let Some(index) = score.waiting.iter().position(stamp) else { continue };
        let Some((_, _, truth)) = score.waiting.remove(index) else { continue };
        let picture = (proposals(seen), truths(&truth, classes.len()));
        score.pictures.push(picture);
    }
}

fn proposals(seen: &Seen) -> Vec<ScoredBox> {
    let index = |class: crate::base::ClassId| usize::from(class.0).checked_sub(1);
    seen.detections
        .iter()
        .filter_map(|found| {
            Some(ScoredBox { class: index(found.class)?, score: found.confidence, region: found.region })
        })
        .collect()
}

/// Truths as the detector is asked for them.
fn truths(truth: &GroundTruth, classes: usize) -> Vec<TrueBox> {
    truth
        .objects
        .iter()
        .filter_map(|object| {
            let class = usize::from(object.class.0).checked_sub(1).filter(|class| *class < classes)?;
            Some(TrueBox::new(class, object.visible_box, object.visible_fraction))
        })
        .collect()
}
