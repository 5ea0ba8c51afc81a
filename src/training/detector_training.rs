//! The detector's training, from frames in memory to the best weights.
//!
//! In: frames to learn from, frames to validate on, settings, a folder for checkpoints. Out: the network whose moving
//! average scored best on the validation frames. Says what it does through a callback; prints nothing. A run that was
//! stopped goes on from its last checkpoint, with the same batches that it would have seen.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use burn::{
    grad_clipping::GradientClippingConfig,
    module::AutodiffModule,
    optim::{AdamWConfig, GradientsParams, Optimizer},
    tensor::{Tensor, TensorData, backend::AutodiffBackend},
};
use serde::{Deserialize, Serialize};

use super::{
    augment::Augmentation,
    average::move_towards,
    backend::TrainingBackend,
    batches::{Batch, BatchPlan, stream_batches},
    checkpoint::{self, Progress},
    detector_loss::{assign_batch, detector_loss},
    detector_net::{DetectorNet, NetShape, STRIDES, cells},
    detector_validation::validate,
    frames::FrameSet,
    schedule::{Budget, learning_rate},
};
use crate::{base::Seed, signal::TrueBox};

/// Everything that decides what comes out, beside the frames.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorSettings {
    pub shape: NetShape,
    pub batch: usize,
    pub peak_rate: f64,
    pub weight_decay: f32,
    pub budget: Budget,
    /// Whether pictures are changed at random (mirrored, moved, lit otherwise); only tests learn by heart.
    pub augmented: bool,
    /// Validations over the whole budget.
    pub validations: usize,
    /// Validations without a better score after which the training ends.
    pub patience: usize,
    pub seed: Seed,
}

impl DetectorSettings {
    /// For two CPU cores.
    pub fn cpu(classes: usize) -> Self {
        Self {
            shape: NetShape::small(classes),
            batch: 8,
            peak_rate: 5e-3,
            weight_decay: 0.02,
            budget: Budget::Time(Duration::from_secs(70 * 60)),
            augmented: true,
            validations: 24,
            patience: 12,
            seed: Seed(7),
        }
    }

    /// For a GPU: a larger network, larger batches, more of them.
    pub fn gpu(classes: usize) -> Self {
        Self {
            shape: NetShape::large(classes),
            batch: 64,
            budget: Budget::Steps(40_000),
            validations: 60,
            ..Self::cpu(classes)
        }
    }

    /// Replaces the budget by a time or a number of steps, where one is given.
    pub fn set_budget(&mut self, time: Option<Duration>, steps: Option<usize>) {
        if let Some(budget) = time.map(Budget::Time).or(steps.map(Budget::Steps)) {
            self.budget = budget;
        }
    }
}

/// Windows of the frames at first, nearly whole frames later, and at last pictures as play shows them: small pictures
/// teach as much per pixel, and more of them fit into the budget.
fn plan(settings: &DetectorSettings, frame_side: usize, spent: f64) -> BatchPlan {
    let (tenths, augmentation): (&[usize], _) = match spent {
        _ if !settings.augmented => (&[10], Augmentation::NONE),
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

/// The moving average forgets a step within about this many.
const AVERAGED_STEPS: f32 = 1000.0;

/// Steps between two looks of the average at the weights.
const AVERAGE_EVERY: usize = 4;

/// What the training reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report {
    Step { step: usize, spent: f64, loss: f32, rate: f64 },
    Validated(CurvePoint),
}

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

/// Trains until the budget is spent, nothing improves any more, or `stop` is set. Returns the best averaged network and
/// the learning curve.
///
/// # Errors
/// - a checkpoint cannot be written, or the one in `run_folder` is of another network
/// - the loss is no longer a number
pub fn train_detector<B>(
    settings: &DetectorSettings,
    frames: Arc<FrameSet>,
    validation: &FrameSet,
    run_folder: &Path,
    device: &B::Device,
    stop: &AtomicBool,
    report: &mut dyn FnMut(Report),
) -> anyhow::Result<(DetectorNet<B::InnerBackend>, Vec<CurvePoint>)>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    B::seed(device, settings.seed.derive("weights").0);
    let mut net = DetectorNet::<B>::new(&settings.shape, device);
    let mut optimizer = AdamWConfig::new()
        .with_weight_decay(settings.weight_decay)
        .with_beta_2(0.99)
        .with_epsilon(1e-8)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(5.0)))
        .init::<B, DetectorNet<B>>();
    let mut average = net.valid();
    let mut progress = Progress::<CurvePoint>::default();
    if let Some(saved) = checkpoint::load_progress(run_folder)? {
        let loaded = checkpoint::load(run_folder, net, average, optimizer, device)?;
        (net, average, optimizer) = loaded;
        progress = saved;
    }

    let before = Duration::from_secs_f64(progress.seconds);
    let started = Instant::now();
    let at_work = || before + started.elapsed();
    let mut current = plan(settings, frames.width, settings.budget.spent(progress.step, at_work()));
    let mut batches = stream_batches(frames.clone(), current.clone(), progress.step, settings.seed);
    let mut losses = Vec::new();

    loop {
        let spent = settings.budget.spent(progress.step, at_work());
        let next = plan(settings, frames.width, spent);
        if next != current {
            current = next;
            batches = stream_batches(frames.clone(), current.clone(), progress.step, settings.seed);
        }
        let done = spent >= 1.0 || stop.load(Ordering::Relaxed);
        let due = (spent * settings.validations as f64) as usize > progress.curve.len();
        if (due || done) && !losses.is_empty() {
            let score = validate(&average, validation, settings.shape.classes, device);
            let point = CurvePoint {
                step: progress.step,
                seconds: at_work().as_secs_f64(),
                loss: losses.iter().sum::<f64>() / losses.len() as f64,
                map50: score.map50,
                map50_95: score.map50_95,
            };
            losses.clear();
            progress.curve.push(point);
            progress.seconds = point.seconds;
            report(Report::Validated(point));
            if progress.best.is_none_or(|best| point.map50_95 > best) {
                progress.best = Some(point.map50_95);
                progress.since_best = 0;
                checkpoint::save_best(run_folder, &average)?;
            } else {
                progress.since_best += 1;
            }
            checkpoint::save(run_folder, &net, &average, &optimizer, &progress)?;
        }
        if done || progress.since_best >= settings.patience {
            break;
        }

        let batch = batches.recv().context("the thread that makes training pictures has ended")?;
        let rate = learning_rate(settings.peak_rate, progress.step, spent);
        let loss = {
            let (pictures, truths) = to_tensor::<B>(batch, device);
            let [_, _, height, width] = pictures.dims();
            let cells = cells(width, height);
            let answers = net.forward(pictures);
            let assignments = assign_batch(&answers.clone().inner(), &cells, &truths);
            let loss = detector_loss(answers, &cells, &assignments);
            let value = loss.clone().into_data().iter::<f32>().next().unwrap_or(f32::NAN);
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optimizer.step(rate, net, gradients);
            value
        };
        anyhow::ensure!(loss.is_finite(), "the loss is {loss} after {} steps; try a lower rate", progress.step);
        losses.push(f64::from(loss));
        progress.step += 1;
        if progress.step.is_multiple_of(AVERAGE_EVERY) {
            // Young averages forget faster, so that they do not drag the first random weights along.
            let memory = AVERAGED_STEPS.min(0.1 * progress.step as f32 + 1.0).max(AVERAGE_EVERY as f32);
            average = move_towards(average, &net.valid(), AVERAGE_EVERY as f32 / memory);
        }
        report(Report::Step { step: progress.step, spent, loss, rate });
    }
    Ok((checkpoint::load_best(run_folder, average, device)?, progress.curve))
}

/// Stacks a batch: pictures `[batch, 3, side, side]` (channels innermost in memory) and their truths.
fn to_tensor<B: TrainingBackend>(batch: Batch, device: &B::Device) -> (Tensor<B, 4>, Vec<Vec<TrueBox>>) {
    let Batch { side, samples, .. } = batch;
    let count = samples.len();
    let mut pixels = Vec::with_capacity(count * side * side * 3);
    let mut truths = Vec::with_capacity(count);
    for sample in samples {
        pixels.extend_from_slice(&sample.pixels);
        truths.push(sample.truths);
    }
    let pictures = Tensor::<B, 4>::from_data(TensorData::new(pixels, [count, side, side, 3]), device);
    (pictures.permute([0, 3, 1, 2]), truths)
}
