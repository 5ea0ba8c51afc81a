//! The speech model's training, from sounds in memory to the best weights.
//!
//! In: a corpus, settings, a folder for checkpoints. Out: the network whose moving average made the fewest errors on the
//! validation sounds. Says what it does through a callback; prints nothing. A run that was stopped goes on from its last
//! checkpoint, with the same batches that it would have seen.

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
    tensor::{Int, Tensor, TensorData, backend::AutodiffBackend, module::ctc_loss},
};
use serde::{Deserialize, Serialize};

use super::{
    average::move_towards,
    backend::TrainingBackend,
    checkpoint::{self, Progress},
    schedule::{Budget, learning_rate},
    speech_augment::{augmented_frames, plain_frames},
    speech_batches::{SpeechBatch, collate, stream_speech_batches},
    speech_corpus::SpeechCorpus,
    speech_net::{SpeechNet, SpeechShape},
};
use crate::{
    base::Seed,
    percepts::phones::{BLANK, OUTPUTS},
    signal::{
        edit_distance::{edit_distance, greedy_labels},
        log_mel::BANDS,
    },
};

/// Everything that decides what comes out, beside the sounds.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeechSettings {
    pub shape: SpeechShape,
    pub batch: usize,
    pub peak_rate: f64,
    pub weight_decay: f32,
    pub budget: Budget,
    /// Whether sounds are changed at random; only tests learn by heart.
    pub augmented: bool,
    /// Validations over the whole budget.
    pub validations: usize,
    /// Validations without a better score after which the training ends.
    pub patience: usize,
    pub seed: Seed,
}

impl SpeechSettings {
    /// For a CPU core or two.
    pub fn cpu() -> Self {
        Self {
            shape: SpeechShape::small(),
            batch: 24,
            peak_rate: 2e-3,
            weight_decay: 0.01,
            budget: Budget::Time(Duration::from_secs(50 * 60)),
            augmented: true,
            validations: 20,
            patience: 8,
            seed: Seed(7),
        }
    }

    /// Replaces the budget by a time or a number of steps, where one is given.
    pub fn set_budget(&mut self, time: Option<Duration>, steps: Option<usize>) {
        if let Some(budget) = time.map(Budget::Time).or(steps.map(Budget::Steps)) {
            self.budget = budget;
        }
    }
}

/// The moving average forgets a step within about this many.
const AVERAGED_STEPS: f32 = 400.0;

/// Steps between two looks of the average at the weights.
const AVERAGE_EVERY: usize = 4;

/// What the training reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report {
    Step { step: usize, spent: f64, loss: f32, rate: f64 },
    Validated(SpeechPoint),
}

/// One point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpeechPoint {
    pub step: usize,
    /// Seconds at work.
    pub seconds: f64,
    /// Mean training loss a phone since the last point.
    pub loss: f64,
    /// Errors per phone on the validation sounds as they are.
    pub clean: f64,
    /// The same with every sound changed as in training.
    pub changed: f64,
}

/// Trains until the budget is spent, nothing improves any more, or `stop` is set. Returns the best averaged network and
/// the learning curve.
///
/// # Errors
/// - a checkpoint cannot be written, or the one in `run_folder` is of another network
/// - the loss is no longer a number
pub fn train_speech<B>(
    settings: &SpeechSettings,
    corpus: Arc<SpeechCorpus>,
    run_folder: &Path,
    device: &B::Device,
    stop: &AtomicBool,
    report: &mut dyn FnMut(Report),
) -> anyhow::Result<(SpeechNet<B::InnerBackend>, Vec<SpeechPoint>)>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    B::seed(device, settings.seed.derive("weights").0);
    let mut net = SpeechNet::<B>::new(&settings.shape, device);
    let mut optimizer = AdamWConfig::new()
        .with_weight_decay(settings.weight_decay)
        .with_beta_2(0.98)
        .with_epsilon(1e-8)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init::<B, SpeechNet<B>>();
    let mut average = net.valid();
    let mut progress = Progress::<SpeechPoint>::default();
    if let Some(saved) = checkpoint::load_progress(run_folder)? {
        (net, average, optimizer) = checkpoint::load(run_folder, net, average, optimizer, device)?;
        progress = saved;
    }
    let validation = validation_batches(&corpus, settings);

    let before = Duration::from_secs_f64(progress.seconds);
    let started = Instant::now();
    let at_work = || before + started.elapsed();
    let batches =
        stream_speech_batches(corpus.clone(), settings.batch, settings.augmented, progress.step, settings.seed);
    let mut losses = Vec::new();

    loop {
        let spent = settings.budget.spent(progress.step, at_work());
        let done = spent >= 1.0 || stop.load(Ordering::Relaxed);
        let due = (spent * settings.validations as f64) as usize > progress.curve.len();
        if (due || done) && !losses.is_empty() {
            let [clean, changed] = [&validation.clean, &validation.changed]
                .map(|batches| phone_error_rate::<B::InnerBackend>(&average, batches, device));
            let point = SpeechPoint {
                step: progress.step,
                seconds: at_work().as_secs_f64(),
                loss: losses.iter().sum::<f64>() / losses.len() as f64,
                clean,
                changed,
            };
            losses.clear();
            progress.curve.push(point);
            progress.seconds = point.seconds;
            report(Report::Validated(point));
            let score = 1.0 - 0.5 * (clean + changed);
            if progress.best.is_none_or(|best| score > best) {
                progress.best = Some(score);
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

        let batch = batches.recv().context("the thread that makes training sounds has ended")?;
        let rate = learning_rate(settings.peak_rate, progress.step, spent);
        progress.step += 1;
        if batch.count == 0 {
            continue;
        }
        let loss = {
            let loss = batch_loss(&net, &batch, device);
            let value = loss.clone().into_data().iter::<f32>().next().unwrap_or(f32::NAN);
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optimizer.step(rate, net, gradients);
            value
        };
        anyhow::ensure!(loss.is_finite(), "the loss is {loss} after {} steps; try a lower rate", progress.step);
        losses.push(f64::from(loss));
        if progress.step.is_multiple_of(AVERAGE_EVERY) {
            // Young averages forget faster, so that they do not drag the first random weights along.
            let memory = AVERAGED_STEPS.min(0.1 * progress.step as f32 + 1.0).max(AVERAGE_EVERY as f32);
            average = move_towards(average, &net.valid(), AVERAGE_EVERY as f32 / memory);
        }
        report(Report::Step { step: progress.step, spent, loss, rate });
    }
    Ok((checkpoint::load_best(run_folder, average, device)?, progress.curve))
}

/// Mean CTC loss a phone.
fn batch_loss<B: AutodiffBackend + TrainingBackend>(
    net: &SpeechNet<B>,
    batch: &SpeechBatch,
    device: &B::Device,
) -> Tensor<B, 1> {
    let ints =
        |values: &[i32]| Tensor::<B, 1, Int>::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
    let log_probs = forward(net, batch, device).swap_dims(0, 1);
    let targets = ints(&batch.phones).reshape([batch.count, batch.phones.len() / batch.count]);
    let losses = ctc_loss(log_probs, targets, ints(&batch.steps), ints(&batch.phone_counts), BLANK);
    let phones: i32 = batch.phone_counts.iter().sum();
    losses.sum().div_scalar(phones)
}

fn forward<B: TrainingBackend>(net: &SpeechNet<B>, batch: &SpeechBatch, device: &B::Device) -> Tensor<B, 3> {
    let shape = [batch.count, batch.frames, BANDS];
    let frames = Tensor::from_data(TensorData::new(batch.features.clone(), shape), device);
    net.forward(frames, net.silent_state(batch.count, device)).0
}

struct Validation {
    clean: Vec<SpeechBatch>,
    changed: Vec<SpeechBatch>,
}

fn validation_batches(corpus: &SpeechCorpus, settings: &SpeechSettings) -> Validation {
    let mut sounds: Vec<_> = corpus.validation.iter().collect();
    sounds.sort_by_key(|sound| sound.samples.len());
    let batches = |frames: &dyn Fn(usize) -> Vec<crate::signal::log_mel::MelFrame>| {
        let indices: Vec<usize> = (0..sounds.len()).collect();
        indices
            .chunks(settings.batch)
            .map(|chunk| collate(chunk.iter().map(|&index| (frames(index), sounds[index].phones.as_slice()))))
            .collect()
    };
    let seed = settings.seed.derive("validation");
    Validation {
        clean: batches(&|index| plain_frames(sounds[index])),
        changed: batches(&|index| augmented_frames(sounds[index], corpus, 1.0, &mut seed.nth(index as u64).rng())),
    }
}

/// Errors per phone, each step read by its best output.
pub fn phone_error_rate<B: TrainingBackend>(net: &SpeechNet<B>, batches: &[SpeechBatch], device: &B::Device) -> f64 {
    let (mut errors, mut phones) = (0, 0);
    for batch in batches.iter().filter(|batch| batch.count > 0) {
        let log_probs: Vec<f32> = forward(net, batch, device).into_data().iter::<f32>().collect();
        let width = batch.phones.len() / batch.count;
        for (index, rows) in log_probs.chunks_exact(log_probs.len() / batch.count).enumerate() {
            let found = greedy_labels(&rows[..batch.steps[index] as usize * OUTPUTS], OUTPUTS);
            let count = batch.phone_counts[index] as usize;
            let truth: Vec<u8> =
                batch.phones[index * width..index * width + count].iter().map(|&phone| phone as u8).collect();
            errors += edit_distance(&truth, &found);
            phones += count;
        }
    }
    errors as f64 / phones.max(1) as f64
}
