//! The speech model's training, from sounds in memory to the best weights.
//!
//! In: a corpus, settings, a folder for checkpoints. Out: the network whose moving average made the fewest errors on the
//! validation sounds. Says what it does through a callback; prints nothing. A run that was stopped goes on from its last
//! checkpoint, with the same batches that it would have seen.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use burn::tensor::{Int, Tensor, TensorData, backend::AutodiffBackend, module::ctc_loss};
use serde::{Deserialize, Serialize};

use super::{
    ahead::Ahead,
    average::MovingAverage,
    backend::TrainingBackend,
    fitting::{FitSettings, Report, SoFar, Task, fit},
    schedule::Budget,
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
    /// Threads that make batches; they change nothing of what comes out.
    pub batch_threads: usize,
    pub fit: FitSettings,
    /// Whether sounds are changed at random; only tests learn by heart.
    pub augmented: bool,
    pub seed: Seed,
}

impl SpeechSettings {
    /// For a CPU core or two.
    pub fn cpu() -> Self {
        Self {
            shape: SpeechShape::small(),
            batch: 24,
            batch_threads: 1,
            fit: FitSettings {
                peak_rate: 2e-3,
                weight_decay: 0.01,
                beta_2: 0.98,
                orthogonal: false,
                longest_gradient: 1.0,
                average: MovingAverage { steps: 400.0 },
                budget: Budget::Time(Duration::from_secs(50 * 60)),
                validations: 20,
                patience: 8,
            },
            augmented: true,
            seed: Seed(7),
        }
    }

    /// For a GPU that is fed by all processor cores but two.
    pub fn gpu() -> Self {
        let cpu = Self::cpu();
        Self {
            shape: SpeechShape::large(),
            batch: 96,
            batch_threads: thread::available_parallelism().map_or(1, usize::from).saturating_sub(2).max(1),
            fit: FitSettings {
                average: MovingAverage { steps: 1000.0 },
                budget: Budget::Time(Duration::from_secs(10 * 60)),
                validations: 16,
                patience: 16,
                ..cpu.fit.clone()
            },
            ..cpu
        }
    }
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

/// Sounds to find phones in.
struct Transcription<'a, B: AutodiffBackend> {
    batches: Ahead<SpeechBatch>,
    validation: Validation,
    device: &'a B::Device,
}

impl<B> Task<B> for Transcription<'_, B>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    type Net = SpeechNet<B>;
    type Point = SpeechPoint;

    fn loss(&mut self, net: &SpeechNet<B>, _step: usize, _spent: f64) -> anyhow::Result<Option<Tensor<B, 1>>> {
        let batch = self.batches.take()?;
        Ok((batch.count > 0).then(|| batch_loss(net, &batch, self.device)))
    }

    fn validate(&self, average: &SpeechNet<B::InnerBackend>, so_far: SoFar) -> (SpeechPoint, f64) {
        let [clean, changed] = [&self.validation.clean, &self.validation.changed]
            .map(|batches| phone_error_rate::<B::InnerBackend>(average, batches, self.device));
        let SoFar { step, seconds, loss } = so_far;
        (SpeechPoint { step, seconds, loss, clean, changed }, 1.0 - 0.5 * (clean + changed))
    }
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
    report: &mut dyn FnMut(Report<SpeechPoint>),
) -> anyhow::Result<(SpeechNet<B::InnerBackend>, Vec<SpeechPoint>)>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    B::seed(device, settings.seed.derive("weights").0);
    let net = SpeechNet::<B>::new(&settings.shape, device);
    let task = |step, _spent| Transcription::<B> {
        batches: stream_speech_batches(
            corpus.clone(),
            settings.batch,
            settings.augmented,
            step,
            settings.seed,
            settings.batch_threads,
        ),
        validation: validation_batches(&corpus, settings),
        device,
    };
    fit(net, task, &settings.fit, run_folder, device, stop, report)
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
