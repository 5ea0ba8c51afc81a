//! The detector's training, from frames in memory to the best weights.
//!
//! In: frames to learn from, frames to validate on, settings, a folder for checkpoints. Out: the network whose moving
//! average scored best on the validation frames. Says what it does through a callback; prints nothing. A run that was
//! stopped goes on from its last checkpoint, with the same batches that it would have seen.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use burn::tensor::{Int, Tensor, TensorData, backend::AutodiffBackend};
use serde::{Deserialize, Serialize};

use super::{
    ahead::{Ahead, spare_threads},
    augment::Augmentation,
    average::MovingAverage,
    backend::TrainingBackend,
    batches::{Batch, BatchPlan, stream_batches},
    detector_import::import_detector,
    detector_loss::{assign_batch, detector_loss},
    detector_net::{DetectorNet, NetShape, STRIDES, cells},
    detector_validation::{frames_to_tensor, validate},
    fitting::{FitSettings, Report, SoFar, Task, fit},
    frames::FrameSet,
    schedule::Budget,
};
use crate::{base::Seed, inference::onnx_file::ModelProto, signal::TrueBox};

/// Everything that decides what comes out, beside the frames.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorSettings {
    pub shape: NetShape,
    pub batch: usize,
    pub fit: FitSettings,
    /// Whether pictures are of full size from the start.
    pub whole_pictures: bool,
    /// Threads that make pictures; what comes out does not depend on it.
    pub feeders: usize,
    /// Whether pictures are changed at random (mirrored, moved, lit otherwise); only tests learn by heart.
    pub augmented: bool,
    pub seed: Seed,
}

impl DetectorSettings {
    /// For two CPU cores.
    pub fn cpu(classes: usize) -> Self {
        Self {
            shape: NetShape::small(classes),
            batch: 8,
            fit: FitSettings {
                peak_rate: 5e-3,
                weight_decay: 0.02,
                beta_2: 0.99,
                orthogonal: true,
                longest_gradient: 5.0,
                average: MovingAverage { steps: 1000.0 },
                budget: Budget::Time(Duration::from_secs(70 * 60)),
                validations: 24,
                patience: 12,
            },
            whole_pictures: false,
            feeders: 1,
            augmented: true,
            seed: Seed(7),
        }
    }

    /// For a GPU: a larger network, larger batches, more of them.
    pub fn gpu(classes: usize) -> Self {
        let cpu = Self::cpu(classes);
        Self {
            shape: NetShape::large(classes),
            batch: 64,
            whole_pictures: true,
            feeders: spare_threads(),
            fit: FitSettings {
                peak_rate: 3e-3,
                budget: Budget::Steps(20_000),
                validations: 20,
                patience: 20,
                ..cpu.fit
            },
            ..cpu
        }
    }

    fn batches(&self, frames: Arc<FrameSet>, plan: BatchPlan, first_step: usize) -> Ahead<Batch> {
        stream_batches(frames, plan, first_step, self.seed, self.feeders)
    }
}

/// On CPUs: windows of the frames at first, nearly whole frames later, most of them tiled with close-ups, and at last pictures as
/// play shows them: small pictures teach as much per pixel, and more of them fit into the budget. On GPUs, where a step costs
/// more than its pixels: whole pictures from the start.
fn plan(settings: &DetectorSettings, frame_side: usize, spent: f64) -> BatchPlan {
    let (tenths, augmentation): (&[usize], _) = match spent {
        _ if !settings.augmented => (&[10], Augmentation::NONE),
        ..0.75 if settings.whole_pictures => (&[10], Augmentation::FULL),
        ..0.5 => (&[7, 8, 9], Augmentation::FULL),
        ..0.8 => (&[9, 10], Augmentation::FULL),
        _ => (&[10], Augmentation::GENTLE),
    };
    // Whole cells of the coarsest grid.
    let side = |tenths: &usize| (frame_side * tenths).div_ceil(10 * COARSEST) * COARSEST;
    BatchPlan { size: settings.batch, sides: tenths.iter().map(side).collect(), augmentation }
}

/// Pixels a cell of the coarsest grid.
const COARSEST: usize = STRIDES[2];

/// One point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    pub step: usize,
    /// Seconds at work.
    pub seconds: f64,
    /// Mean training loss since the last point.
    pub loss: f64,
    pub map50: f64,
    pub map50_95: f64,
}

/// Frames to find things in.
struct Detection<'a, B: AutodiffBackend> {
    settings: &'a DetectorSettings,
    frames: Arc<FrameSet>,
    validation: &'a FrameSet,
    plan: BatchPlan,
    batches: Ahead<Batch>,
    device: &'a B::Device,
}

impl<B> Task<B> for Detection<'_, B>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    type Net = DetectorNet<B>;
    type Point = CurvePoint;

    fn loss(&mut self, net: &DetectorNet<B>, step: usize, spent: f64) -> anyhow::Result<Option<Tensor<B, 1>>> {
        let next = plan(self.settings, self.frames.width, spent);
        if next != self.plan {
            self.plan = next;
            self.batches = self.settings.batches(self.frames.clone(), self.plan.clone(), step);
        }
        let batch = self.batches.take()?;
        let (pictures, truths) = to_tensor::<B>(batch, self.device);
        let [_, _, height, width] = pictures.dims();
        let cells = cells(width, height);
        let answers = net.forward(pictures);
        let assignments = assign_batch(&answers.clone().inner(), &cells, &truths);
        Ok(Some(detector_loss(answers, &cells, &assignments)))
    }

    fn validate(&self, average: &DetectorNet<B::InnerBackend>, so_far: SoFar) -> (CurvePoint, f64) {
        let score = validate(average, self.validation, self.settings.shape.classes, self.device);
        let SoFar { step, seconds, loss } = so_far;
        (CurvePoint { step, seconds, loss, map50: score.map50, map50_95: score.map50_95 }, score.map50_95)
    }
}

/// A network that knows nothing yet.
pub fn new_detector<B: TrainingBackend>(settings: &DetectorSettings, device: &B::Device) -> DetectorNet<B> {
    B::seed(device, settings.seed.derive("weights").0);
    DetectorNet::new(&settings.shape, device)
}

/// Share of the peak rate for a network that knows something already. It forgets at first and learns more in the end: carried on
/// for 85 minutes, the shipped detector fell from 0.59 to 0.51 within minutes, was back after 25 and ended at 0.67.
const CARRIED_ON_SHARE: f64 = 0.4;

/// The network of an exported graph, and the settings to train it further.
///
/// # Errors
/// - the graph is of another network (see [`import_detector`])
pub fn carried_on<B: TrainingBackend>(
    model: &ModelProto,
    mut settings: DetectorSettings,
    frames: &FrameSet,
    device: &B::Device,
) -> anyhow::Result<(DetectorNet<B>, DetectorSettings)> {
    /// Frames that the network's statistics are measured on, in batches of eight.
    const MEASURED: usize = 64;
    let step = (frames.len() / MEASURED).max(1);
    let indices: Vec<usize> = (0..frames.len()).step_by(step).take(MEASURED).collect();
    let pictures = indices.chunks(8).map(|indices| frames_to_tensor::<B>(frames, indices, device));
    let net = import_detector(model, &settings.shape, pictures, device)?;
    settings.fit.peak_rate *= CARRIED_ON_SHARE;
    // At first it only forgets: the score that it came with may stay the best until the rate has fallen.
    settings.fit.patience = settings.fit.validations;
    Ok((net, settings))
}

/// Trains until the budget is spent, nothing improves any more, or `stop` is set. Returns the best averaged network and
/// the learning curve.
///
/// # Errors
/// - a checkpoint cannot be written, or the one in `run_folder` is of another network
/// - the loss is no longer a number
#[allow(clippy::too_many_arguments)]
pub fn train_detector<B>(
    net: DetectorNet<B>,
    settings: &DetectorSettings,
    frames: Arc<FrameSet>,
    validation: &FrameSet,
    run_folder: &Path,
    device: &B::Device,
    stop: &AtomicBool,
    report: &mut dyn FnMut(Report<CurvePoint>),
) -> anyhow::Result<(DetectorNet<B::InnerBackend>, Vec<CurvePoint>)>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    let task = |step, spent| {
        let plan = plan(settings, frames.width, spent);
        let batches = settings.batches(frames.clone(), plan.clone(), step);
        Detection::<B> { settings, frames, validation, plan, batches, device }
    };
    fit(net, task, &settings.fit, run_folder, device, stop, report)
}

/// Pictures `[batch, 3, side, side]` (channels innermost in memory), 0 to 1, and their truths.
fn to_tensor<B: TrainingBackend>(batch: Batch, device: &B::Device) -> (Tensor<B, 4>, Vec<Vec<TrueBox>>) {
    let Batch { side, pixels, truths, .. } = batch;
    let bytes = TensorData::new(pixels, [truths.len(), side, side, 3]);
    let pictures = Tensor::<B, 4, Int>::from_data(bytes, device).float() / 255.0;
    (pictures.permute([0, 3, 1, 2]), truths)
}
