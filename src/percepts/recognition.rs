//! Recognising things in what eyes see, while the world goes on.
//!
//! In: [`Observation`]s, the model that serves the task `"detect"`. Out: [`Seen`] messages, [`RecognitionStatus`]. Live,
//! the newest picture of each eye waits and one is in flight; in lockstep every picture is recognised before the update
//! ends. What is absent: truth; whatever an observation carries of it is not looked at.

use std::{collections::VecDeque, sync::Arc};

use bevy::prelude::*;
use image::RgbImage;

use super::{Seen, detector_request};
use crate::{
    base::Tick,
    inference::{Answer, Models, NamedTensors, manifest::Manifest},
    sensors::{EyePace, Observation},
};

/// The task that a model's manifest names if it can be used here.
pub const TASK: &str = "detect";

/// Ages and times are kept of this many answers.
const WINDOW: usize = 512;

/// Recognition in every app that has eyes and models.
pub struct RecognitionPlugin;

/// Recognition happens in `PreUpdate`, so that what a tick does may rest on the newest percepts.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecognitionSystems;

impl Plugin for RecognitionPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Observation>()
            .add_message::<Seen>()
            .init_resource::<RecognitionSettings>()
            .init_resource::<RecognitionStatus>()
            .init_resource::<Waiting>()
            .add_systems(
                PreUpdate,
                (gather, recognise.run_if(resource_exists::<Models>)).chain().in_set(RecognitionSystems),
            );
    }
}

/// Whether recognition runs.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecognitionSettings {
    pub enabled: bool,
}

impl Default for RecognitionSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Counts, and times of the last answers.
#[derive(Resource, Clone, Debug, Default)]
pub struct RecognitionStatus {
    /// Pictures that were recognised.
    pub answered: u64,
    /// Pictures that a newer one of the same eye overtook.
    pub dropped: u64,
    pub last_fault: Option<String>,
    /// From the capture of a picture to its percept, seconds of simulation.
    pub ages_seconds: VecDeque<f64>,
    /// Encode, run and decode, milliseconds.
    pub took_ms: VecDeque<f64>,
}

impl RecognitionStatus {
    fn note(&mut self, age_seconds: f64, took_ms: f64) {
        for (window, value) in [(&mut self.ages_seconds, age_seconds), (&mut self.took_ms, took_ms)] {
            window.push_back(value);
            if window.len() > WINDOW {
                window.pop_front();
            }
        }
        self.answered += 1;
    }
}

/// The newest picture of each eye that was not handed in yet; the eye that waits longest comes first.
#[derive(Resource, Default)]
struct Waiting(VecDeque<Observation>);

impl Waiting {
    /// Puts a picture in the place of an older one of the same eye, if there is one; says whether there was.
    fn put(&mut self, observation: Observation) -> bool {
        match self.0.iter_mut().find(|waiting| waiting.eye == observation.eye) {
            Some(waiting) => {
                *waiting = observation;
                true
            }
            None => {
                self.0.push_back(observation);
                false
            }
        }
    }
}

fn gather(
    mut observations: MessageReader<Observation>,
    mut waiting: ResMut<Waiting>,
    mut status: ResMut<RecognitionStatus>,
    settings: Res<RecognitionSettings>,
    pace: Option<Res<EyePace>>,
) {
    for observation in observations.read() {
        if !settings.enabled {
            continue;
        }
        if pace.as_deref() == Some(&EyePace::Lockstep) {
            waiting.0.push_back(observation.clone());
        } else if waiting.put(observation.clone()) {
            status.dropped += 1;
        }
    }
}

fn recognise(
    models: Res<Models>,
    mut waiting: ResMut<Waiting>,
    mut status: ResMut<RecognitionStatus>,
    mut seen: MessageWriter<Seen>,
    tick: Res<Tick>,
    pace: Option<Res<EyePace>>,
) {
    let Some(model) = models.for_task(TASK) else { return };
    if pace.as_deref() == Some(&EyePace::Lockstep) {
        for observation in waiting.0.drain(..) {
            let (encode, decode) = ends(&observation);
            match model.run_blocking(observation.tick, encode, decode) {
                Ok(answer) => take(answer, *tick, &mut status, &mut seen),
                Err(error) => status.last_fault = Some(error.to_string()),
            }
        }
        return;
    }
    if let Some(answer) = model.poll::<Result<Seen, String>>() {
        take(answer, *tick, &mut status, &mut seen);
    }
    if model.is_ready()
        && !model.is_busy()
        && let Some(observation) = waiting.0.pop_front()
    {
        let (encode, decode) = ends(&observation);
        model.submit(observation.tick, encode, decode);
    }
}

/// Passes a good answer on; keeps what went wrong with a bad one.
fn take(
    answer: Answer<Result<Seen, String>>,
    now: Tick,
    status: &mut RecognitionStatus,
    seen: &mut MessageWriter<Seen>,
) {
    match answer.result.map_err(|error| error.to_string()).and_then(|found| found) {
        Ok(found) => {
            status.note(now.seconds_since(found.tick), answer.took_ms);
            seen.write(found);
        }
        Err(fault) => status.last_fault = Some(fault),
    }
}

/// The two ends of one run, as the model's thread calls them.
fn ends(
    observation: &Observation,
) -> (
    impl FnOnce(&Manifest) -> NamedTensors + Send + use<>,
    impl FnOnce(&NamedTensors, &Manifest) -> Result<Seen, String> + Send + use<>,
) {
    let picture: Arc<RgbImage> = Arc::clone(&observation.rgb);
    let size = [picture.width(), picture.height()];
    let stamp = Seen {
        eye: observation.eye,
        tick: observation.tick,
        world_from_view: observation.world_from_view,
        intrinsics: observation.intrinsics,
        detections: Vec::new(),
    };
    let encode = move |manifest: &Manifest| detector_request::encode(&picture, manifest);
    let decode = move |outputs: &NamedTensors, manifest: &Manifest| {
        let detections = detector_request::decode(outputs, manifest, size, detector_request::min_confidence(manifest))
            .map_err(|error| error.to_string())?;
        Ok(Seen { detections, ..stamp })
    };
    (encode, decode)
}

#[cfg(test)]
mod tests {
    use bevy::math::Affine3A;

    use super::*;
    use crate::sensors::Intrinsics;

    fn observation(eye: u32, tick: u64) -> Observation {
        Observation {
            eye: Entity::from_raw_u32(eye).expect("a small number"),
            tick: Tick(tick),
            world_from_view: Affine3A::IDENTITY,
            intrinsics: Intrinsics::from_fov(8, 8, 1.0),
            rgb: Arc::new(RgbImage::new(8, 8)),
            truth: None,
        }
    }

    #[test]
    fn the_newest_picture_of_each_eye_waits() {
        let mut waiting = Waiting::default();
        assert!(!waiting.put(observation(1, 1)));
        assert!(!waiting.put(observation(2, 1)));
        assert!(waiting.put(observation(1, 2)), "the older picture of eye 1 is overtaken");
        let ticks: Vec<u64> = waiting.0.iter().map(|observation| observation.tick.0).collect();
        assert_eq!(ticks, [2, 1]);
    }
}
