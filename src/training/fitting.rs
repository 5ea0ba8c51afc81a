//! The steps that every fit to known answers takes: draw a batch, follow the loss downhill, average, validate, keep.
//!
//! In: a network, a [`Task`] that knows data, loss and score, settings, a folder for checkpoints. Out: the network whose
//! moving average scored best, and the learning curve. Says what it does through a callback; prints nothing. A run that was
//! stopped goes on from its last checkpoint, with the same batches that it would have seen.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use burn::{
    module::AutodiffModule,
    optim::{GradientsParams, Optimizer},
    tensor::{Tensor, backend::AutodiffBackend},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    average::MovingAverage,
    checkpoint::{self, Progress},
    kernel_steps::KernelSteps,
    schedule::{Budget, learning_rate},
};

/// How the steps are taken, whatever is learnt.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    pub peak_rate: f64,
    pub weight_decay: f32,
    /// Memory of AdamW's second moment.
    pub beta_2: f32,
    /// Whether kernels go by orthogonal steps (see [`KernelSteps`]).
    pub orthogonal: bool,
    /// Longer gradients (Euclidean norm of each parameter's) are cut to this.
    pub longest_gradient: f32,
    pub average: MovingAverage,
    pub budget: Budget,
    /// Validations over the whole budget.
    pub validations: usize,
    /// Validations without a better score after which the training ends.
    pub patience: usize,
}

/// What is learnt: data, loss and score.
pub trait Task<B: AutodiffBackend> {
    type Net: AutodiffModule<B>;
    /// A point of the learning curve.
    type Point: Copy + Serialize + DeserializeOwned;

    /// The loss of the next batch, one number; `None` for a batch without anything to learn. `spent` is the share of the
    /// budget that is gone, 0 to 1.
    ///
    /// # Errors
    /// - there are no batches any more
    fn loss(&mut self, net: &Self::Net, step: usize, spent: f64) -> anyhow::Result<Option<Tensor<B, 1>>>;

    /// The curve's next point and its score, more is better.
    fn validate(&self, average: &<Self::Net as AutodiffModule<B>>::InnerModule, so_far: SoFar) -> (Self::Point, f64);
}

/// Where a training stands when it is validated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoFar {
    pub step: usize,
    /// Seconds at work.
    pub seconds: f64,
    /// Mean training loss since the last point of the curve.
    pub loss: f64,
}

/// What a training reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report<P> {
    Step { step: usize, spent: f64, loss: f32, rate: f64 },
    Validated(P),
}

/// The best averaged network and the learning curve.
pub type Fitted<B, T> = (<<T as Task<B>>::Net as AutodiffModule<B>>::InnerModule, Vec<<T as Task<B>>::Point>);

/// Trains until the budget is spent, nothing improves any more, or `stop` is set. `task` is made when the step to go on from
/// and the share of the budget spent are known.
///
/// # Errors
/// - a checkpoint cannot be written, or the one in `run_folder` is of another network
/// - the loss is no longer a number
pub fn fit<B: AutodiffBackend, T: Task<B>>(
    mut net: T::Net,
    task: impl FnOnce(usize, f64) -> T,
    settings: &FitSettings,
    run_folder: &Path,
    device: &B::Device,
    stop: &AtomicBool,
    report: &mut dyn FnMut(Report<T::Point>),
) -> anyhow::Result<Fitted<B, T>> {
    let mut optimizer = KernelSteps::new(settings.weight_decay, settings.beta_2, settings.orthogonal)
        .of_network(settings.longest_gradient);
    let mut average = net.valid();
    let mut progress = Progress::<T::Point>::default();
    if let Some(saved) = checkpoint::load_progress(run_folder)? {
        (net, average, optimizer) = checkpoint::load(run_folder, net, average, optimizer, device)?;
        progress = saved;
    }

    let before = Duration::from_secs_f64(progress.seconds);
    let started = Instant::now();
    let at_work = || before + started.elapsed();
    let mut task = task(progress.step, settings.budget.spent(progress.step, at_work()));
    let mut losses = Vec::new();

    loop {
        let spent = settings.budget.spent(progress.step, at_work());
        let done = spent >= 1.0 || stop.load(Ordering::Relaxed);
        let due = (spent * settings.validations as f64) as usize > progress.curve.len();
        if (due || done) && !losses.is_empty() {
            let loss = losses.iter().sum::<f64>() / losses.len() as f64;
            losses.clear();
            progress.seconds = at_work().as_secs_f64();
            let so_far = SoFar { step: progress.step, seconds: progress.seconds, loss };
            let (point, score) = task.validate(&average, so_far);
            report(Report::Validated(point));
            if progress.take_in(point, score) {
                checkpoint::save_best(run_folder, &average)?;
            }
            checkpoint::save(run_folder, &net, &average, &optimizer, &progress)?;
        }
        if done || progress.since_best >= settings.patience {
            break;
        }

        let rate = learning_rate(settings.peak_rate, progress.step, spent);
        let loss = task.loss(&net, progress.step, spent)?;
        progress.step += 1;
        let Some(loss) = loss else { continue };
        let value = loss.clone().into_data().iter::<f32>().next().unwrap_or(f32::NAN);
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(rate, net, gradients);
        anyhow::ensure!(value.is_finite(), "the loss is {value} after {} steps; try a lower rate", progress.step);
        losses.push(f64::from(value));
        if settings.average.is_due(progress.step) {
            average = settings.average.follow(average, &net.valid(), progress.step);
        }
        report(Report::Step { step: progress.step, spent, loss: value, rate });
    }
    Ok((checkpoint::load_best(run_folder, average, device)?, progress.curve))
}
