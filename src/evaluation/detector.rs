//! The detector on pictures one after another, and its figures on recorded ones.

use std::{sync::Arc, time::Instant};

use image::RgbImage;
use serde::Serialize;
use thiserror::Error;

use crate::{
    dataset::{DatasetError, Reader},
    inference::{RunError, graph_builder::Dim, session::ModelSession, tensor::TensorError},
    percepts::{Detection, detector_request},
    signal::{Confusion, ScoredBox, TrueBox, score_detections},
};

/// Average precision looks at proposals down to this score.
const MIN_SCORE: f32 = 0.01;

/// A detector model, run while the caller waits.
pub struct Detector {
    session: ModelSession,
}

/// Why a picture was not looked at.
#[derive(Debug, Error)]
pub enum DetectorError {
    #[error("the model is no detector of pictures: {0}")]
    NoDetector(String),
    #[error("the picture is empty")]
    Empty,
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Answer(#[from] TensorError),
    #[error(transparent)]
    Data(#[from] DatasetError),
    #[error("the model's labels are not the recording's classes: {0}")]
    Labels(String),
}

impl Detector {
    /// Wraps a loaded model.
    ///
    /// # Errors
    /// - [`DetectorError::NoDetector`]: its task or its input are not a detector's
    pub fn new(session: ModelSession) -> Result<Self, DetectorError> {
        let manifest = session.manifest();
        if manifest.task != "detect" {
            return Err(DetectorError::NoDetector(format!("its task is {:?}", manifest.task)));
        }
        let shape = manifest.inputs.first().map(|input| input.shape.as_slice());
        let Some(&[Dim::Fixed(1), Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(3)]) = shape else {
            return Err(DetectorError::NoDetector("its input is not [1, side, side, 3]".into()));
        };
        if height != width {
            return Err(DetectorError::NoDetector(format!("its frame is {width}×{height}, not square")));
        }
        Ok(Self { session })
    }

    /// The provider that runs it.
    pub fn provider(&self) -> &str {
        self.session.assignment().provider()
    }

    /// Names of what it knows.
    pub fn labels(&self) -> &[String] {
        &self.session.manifest().labels
    }

    /// The confidence from which a detection is shown.
    pub fn confidence(&self) -> f32 {
        detector_request::min_confidence(self.session.manifest())
    }

    /// What is in the picture with at least `min_score`, best first, and the milliseconds that encoding, running and
    /// decoding took.
    ///
    /// # Errors
    /// - [`DetectorError::Empty`], [`DetectorError::Run`], [`DetectorError::Answer`]
    pub fn see(&mut self, picture: &RgbImage, min_score: f32) -> Result<(Vec<Detection>, f64), DetectorError> {
        if picture.width() == 0 || picture.height() == 0 {
            return Err(DetectorError::Empty);
        }
        let started = Instant::now();
        let manifest = Arc::clone(self.session.manifest());
        let outputs = self.session.run(&detector_request::encode(picture, &manifest))?;
        let size = [picture.width(), picture.height()];
        let found = detector_request::decode(&outputs, &manifest, size, min_score)?;
        Ok((found, started.elapsed().as_secs_f64() * 1e3))
    }
}

/// How good a detector is on recorded frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectorFigures {
    pub frames: usize,
    /// Classes that occur.
    pub classes: usize,
    /// At the model's own confidence and IoU ≥ 0.5.
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub map50: f64,
    pub map50_95: f64,
    /// The confidence that `precision`, `recall`, `f1` and `confusion` are for.
    pub confidence: f32,
    pub provider: String,
    /// Median milliseconds of encoding, running and decoding one frame.
    pub ms: f64,
    pub per_class: Vec<ClassFigures>,
    /// Rows: what is there, columns: what it was taken for; the last of each is "nothing".
    pub confusion: Vec<Vec<usize>>,
}

/// Figures of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    pub label: String,
    /// How many there are to be found.
    pub truths: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub ap50: f64,
    pub ap50_95: f64,
}

/// Runs `detector` on all frames of `readers` and scores it; `each_frame` is called after each.
///
/// # Errors
/// - a picture cannot be read or looked at
/// - the recording's classes are not the model's labels, name by name
pub fn score_detector(
    detector: &mut Detector,
    readers: &[Reader],
    mut each_frame: impl FnMut(),
) -> Result<DetectorFigures, DetectorError> {
    let labels = detector.labels().to_vec();
    let mut pictures: Vec<(Vec<ScoredBox>, Vec<TrueBox>)> = Vec::new();
    let mut times = Vec::new();
    for reader in readers {
        let known = &reader.recording().classes;
        if let Some((ours, theirs)) = labels.iter().zip(known).find(|(ours, theirs)| ours != theirs) {
            return Err(DetectorError::Labels(format!("{ours:?} in the model is {theirs:?} in the recording")));
        }
        for sample in reader.samples() {
            let sample = sample?;
            let (found, ms) = detector.see(&sample.rgb, MIN_SCORE)?;
            times.push(ms);
            let proposed = found
                .iter()
                .map(|found| ScoredBox {
                    class: usize::from(found.class.0) - 1,
                    score: found.confidence,
                    region: found.region,
                })
                .collect();
            let truths = sample.objects.iter().filter_map(|object| {
                let class = usize::from(object.class.0).checked_sub(1).filter(|class| *class < labels.len())?;
                Some(TrueBox::new(class, object.region, object.visible_fraction))
            });
            pictures.push((proposed, truths.collect()));
            each_frame();
        }
    }
    times.sort_by(f64::total_cmp);
    let ms = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(figures(&pictures, &labels, detector.confidence(), detector.provider().to_owned(), ms))
}

fn figures(
    pictures: &[(Vec<ScoredBox>, Vec<TrueBox>)],
    labels: &[String],
    confidence: f32,
    provider: String,
    ms: f64,
) -> DetectorFigures {
    let score = score_detections(pictures, labels.len());
    let confusion = Confusion::of(pictures, labels.len(), confidence);
    let point = confusion.operating_point();
    let per_class = score
        .per_class
        .iter()
        .map(|class| {
            let point = confusion.operating_point_of(class.class);
            ClassFigures {
                label: labels[class.class].clone(),
                truths: class.truths,
                precision: point.precision,
                recall: point.recall,
                f1: point.f1,
                ap50: class.ap50,
                ap50_95: class.ap50_95,
            }
        })
        .collect();
    DetectorFigures {
        frames: pictures.len(),
        classes: score.per_class.len(),
        precision: point.precision,
        recall: point.recall,
        f1: point.f1,
        map50: score.map50,
        map50_95: score.map50_95,
        confidence,
        provider,
        ms,
        per_class,
        confusion: confusion.counts,
    }
}
