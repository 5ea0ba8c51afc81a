//! Generator and critic learn from each other.
//!
//! In: photographs with estimated maps, settings, a folder for checkpoints. Out: the moving average of the generator. Says
//! what it does through a callback; prints nothing. A run that was stopped goes on from its last checkpoint. At every
//! checkpoint the same wishes are painted into a picture, so that a person sees progress.
//!
//! Sources: the relativistic pairing loss with gradient penalties on both sides, Huang et al., "The GAN is dead; long live the
//! GAN! A modern baseline GAN", NeurIPS 2024; the penalties by small differences instead of second derivatives, Lin et al.,
//! "Diffusion adversarial post-training", 2025, section 4; colours changed before the critic looks, Zhao et al.,
//! "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020. [`Recipe::Plain`] is Radford et al.,
//! "DCGAN", ICLR 2016, in these networks.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use burn::{
    module::{AutodiffModule, Module},
    optim::{AdamConfig, GradientsParams, Optimizer},
    tensor::{
        Distribution, Tensor, TensorData, activation,
        backend::{AutodiffBackend, Backend},
    },
};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{
    ahead::{Ahead, spare_threads},
    average::MovingAverage,
    backend::TrainingBackend,
    checkpoint::{self, Progress},
    fitting::Report,
    schedule::{Budget, learning_rate},
    texture_net::{CELL, Critic, Generator, MAPS, TextureShape, Wish},
    texture_photos::{MATERIALS, PhotoSet, SIDE},
};
use crate::base::Seed;

/// How generator and critic are set against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// Real and dreamt pictures in pairs, gradient penalties, changed colours, rare materials shown more often, averaged weights.
    Paired,
    /// The classic: each picture judged alone, nothing else.
    Plain,
}

/// Everything that decides what comes out, beside the photographs.
#[derive(Clone, Debug, PartialEq)]
pub struct TextureSettings {
    pub shape: TextureShape,
    pub recipe: Recipe,
    pub batch: usize,
    pub peak_rate: f64,
    /// Weight of the gradient penalties (γ of the source).
    pub penalty: f64,
    pub average: MovingAverage,
    pub budget: Budget,
    /// Checkpoints over the whole budget.
    pub checkpoints: usize,
    /// Threads that cut windows; what comes out does not depend on it.
    pub feeders: usize,
    pub seed: Seed,
}

impl TextureSettings {
    pub fn new(recipe: Recipe) -> Self {
        let paired = recipe == Recipe::Paired;
        Self {
            shape: TextureShape::usual(MATERIALS.len()),
            recipe,
            batch: 64,
            peak_rate: if paired { 5e-4 } else { 2e-4 },
            penalty: 1.0,
            average: MovingAverage { steps: if paired { 500.0 } else { 1.0 } },
            budget: Budget::Time(Duration::from_secs(60 * 60)),
            checkpoints: 12,
            feeders: spare_threads().min(4),
            seed: Seed(7),
        }
    }
}

/// Standard deviation of the small differences (maps span 2).
const SMALL: f64 = 0.05;

/// One point of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TexturePoint {
    pub step: usize,
    /// Seconds at work.
    pub seconds: f64,
    /// Mean losses since the last point.
    pub critic: f64,
    pub generator: f64,
}

/// Windows of photographs.
struct Windows {
    materials: Vec<usize>,
    /// `[batch, MAPS, SIDE, SIDE]`, −1 to 1.
    maps: Vec<f32>,
}

fn draw_windows(photos: &[PhotoSet], settings: &TextureSettings, step: usize) -> Windows {
    let mut rng = settings.seed.derive("windows").nth(step as u64).rng();
    let weights: Vec<f32> = photos
        .iter()
        .map(|set| {
            let count = set.train.len() as f32;
            if settings.recipe == Recipe::Paired { count.sqrt() } else { count }
        })
        .collect();
    let all: f32 = weights.iter().sum();
    let (mut materials, mut maps) = (Vec::new(), Vec::with_capacity(settings.batch * MAPS * SIDE * SIDE));
    for _ in 0..settings.batch {
        let mut left = rng.random_range(0.0..all);
        let material = weights
            .iter()
            .position(|weight| {
                left -= weight;
                left < 0.0
            })
            .unwrap_or(weights.len() - 1);
        let set = &photos[material].train;
        let photo = &set[rng.random_range(0..set.len())];
        maps.extend(photo.draw(&MATERIALS[material], &mut rng));
        materials.push(material);
    }
    Windows { materials, maps }
}

/// One weight for each material, `[batch, materials]`.
pub fn pure<B: Backend>(chosen: &[usize], materials: usize, device: &B::Device) -> Tensor<B, 2> {
    let mut weights = vec![0.0_f32; chosen.len() * materials];
    for (row, material) in chosen.iter().enumerate() {
        weights[row * materials + material] = 1.0;
    }
    Tensor::from_data(TensorData::new(weights, [chosen.len(), materials]), device)
}

/// A wish for `side` pixels a side, drawn from the backend's generator.
pub fn wish<B: Backend>(material: Tensor<B, 2>, shape: &TextureShape, side: usize) -> Wish<B> {
    let (device, batch, cells) = (material.device(), material.dims()[0], side / CELL);
    let normal = Distribution::Normal(0.0, 1.0);
    Wish {
        material,
        style: Tensor::random([batch, shape.style], normal, &device),
        latent: Tensor::random([batch, shape.latent, cells, cells], normal, &device),
        grain: Tensor::random([batch, 1, side, side], normal, &device),
    }
}

/// Colours brighter or darker, paler or stronger, all maps softer or harder, each picture by its own measure.
fn change_colours<B: Backend>(maps: Tensor<B, 4>) -> Tensor<B, 4> {
    let ([batch, ..], device) = (maps.dims(), maps.device());
    let around = |half: f64| Tensor::<B, 4>::random([batch, 1, 1, 1], Distribution::Uniform(-half, half), &device);
    let colour = maps.clone().narrow(1, 0, 3);
    let grey = colour.clone().mean_dim(1);
    let colour = (colour - grey.clone()) * around(0.5).add_scalar(1.0) + grey + around(0.3);
    let maps = Tensor::cat(vec![colour, maps.narrow(1, 3, MAPS - 3)], 1);
    let mean = maps.clone().mean_dim(2).mean_dim(3);
    (maps - mean.clone()) * around(0.3).add_scalar(1.0) + mean
}

/// −log σ(x), mean over all.
fn surprise<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 1> {
    activation::log_sigmoid(x).mean().neg()
}

/// The opinion about the material that each picture should be, `[batch, 1]`.
fn opinion<B: TrainingBackend>(critic: &Critic<B>, maps: Tensor<B, 4>, material: &Tensor<B, 2>) -> Tensor<B, 2> {
    (critic.forward(maps) * material.clone()).sum_dim(1)
}

struct Duel<'a, B: AutodiffBackend> {
    settings: &'a TextureSettings,
    device: &'a B::Device,
}

impl<B> Duel<'_, B>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    /// As the critic sees pictures.
    fn shown(&self, maps: Tensor<B, 4>) -> Tensor<B, 4> {
        if self.settings.recipe == Recipe::Paired { change_colours(maps) } else { maps }
    }

    fn dream(&self, generator: &Generator<B>, material: &Tensor<B, 2>) -> Tensor<B, 4> {
        let wish = wish(material.clone(), &self.settings.shape, SIDE);
        generator.forward(wish).mul_scalar(2.0).sub_scalar(1.0)
    }

    fn critic_loss(
        &self,
        critic: &Critic<B>,
        real: Tensor<B, 4>,
        dreamt: Tensor<B, 4>,
        material: &Tensor<B, 2>,
    ) -> Tensor<B, 1> {
        let dreamt = Tensor::from_inner(dreamt.inner());
        let batch = material.dims()[0];
        let pairs = Tensor::cat(vec![self.shown(real), self.shown(dreamt)], 0);
        let materials = Tensor::cat(vec![material.clone(); 2], 0);
        if self.settings.recipe == Recipe::Plain {
            let told = opinion(critic, pairs, &materials);
            return surprise(told.clone().narrow(0, 0, batch)) + surprise(told.narrow(0, batch, batch).neg());
        }
        let noise = pairs.random_like(Distribution::Normal(0.0, SMALL));
        let told = opinion(
            critic,
            Tensor::cat(vec![pairs.clone(), pairs + noise], 0),
            &Tensor::cat(vec![materials.clone(), materials], 0),
        );
        let (here, near) = (told.clone().narrow(0, 0, 2 * batch), told.narrow(0, 2 * batch, 2 * batch));
        let steepness = (near - here.clone()).div_scalar(SMALL).powi_scalar(2).mean();
        let (real, dreamt) = (here.clone().narrow(0, 0, batch), here.narrow(0, batch, batch));
        // Both penalties, each γ/2 times a mean over half of the pictures.
        surprise(real - dreamt) + steepness.mul_scalar(self.settings.penalty)
    }

    fn generator_loss(
        &self,
        critic: &Critic<B>,
        real: Tensor<B, 4>,
        dreamt: Tensor<B, 4>,
        material: &Tensor<B, 2>,
    ) -> Tensor<B, 1> {
        let critic = critic.clone().no_grad();
        let dreamt = opinion(&critic, self.shown(dreamt), material);
        match self.settings.recipe {
            Recipe::Plain => surprise(dreamt),
            Recipe::Paired => surprise(dreamt - opinion(&critic, self.shown(real), material)),
        }
    }
}

/// Trains until the budget is spent or `stop` is set. Returns the averaged generator and the learning curve; at each checkpoint
/// `look` is shown the average and the step.
///
/// # Errors
/// - a checkpoint cannot be written, or the one in `run_folder` is of another network
/// - a loss is no longer a number
pub fn train_texture<B>(
    settings: &TextureSettings,
    photos: Arc<Vec<PhotoSet>>,
    run_folder: &Path,
    device: &B::Device,
    stop: &AtomicBool,
    look: &mut dyn FnMut(&Generator<B::InnerBackend>, usize) -> anyhow::Result<()>,
    report: &mut dyn FnMut(Report<TexturePoint>),
) -> anyhow::Result<(Generator<B::InnerBackend>, Vec<TexturePoint>)>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    B::seed(device, settings.seed.derive("weights").0);
    let mut generator = Generator::<B>::new(&settings.shape, device);
    let mut critic = Critic::<B>::new(settings.shape.materials, device);
    let (beta_1, beta_2) = if settings.recipe == Recipe::Paired { (0.0, 0.99) } else { (0.5, 0.999) };
    let adam = AdamConfig::new().with_beta_1(beta_1).with_beta_2(beta_2).with_epsilon(1e-8);
    let (mut generator_optimizer, mut critic_optimizer) = (adam.init::<B, Generator<B>>(), adam.init::<B, Critic<B>>());
    let mut average = generator.valid();
    let mut progress = Progress::<TexturePoint>::default();
    let folders = [run_folder.join("generator"), run_folder.join("critic")];
    if let Some(saved) = checkpoint::load_progress(&folders[0])? {
        (generator, average, generator_optimizer) =
            checkpoint::load(&folders[0], generator, average, generator_optimizer, device)?;
        let before = critic.valid();
        (critic, _, critic_optimizer) = checkpoint::load(&folders[1], critic, before, critic_optimizer, device)?;
        progress = saved;
    }
    let before = Duration::from_secs_f64(progress.seconds);
    let started = Instant::now();
    let duel = Duel::<B> { settings, device };
    let mut windows = {
        let (photos, settings) = (photos, settings.clone());
        Ahead::start(settings.feeders, progress.step, move |step| draw_windows(&photos, &settings, step))
    };
    let mut losses: Vec<[f64; 2]> = Vec::new();
    loop {
        let at_work = before + started.elapsed();
        let spent = settings.budget.spent(progress.step, at_work);
        let done = spent >= 1.0 || stop.load(Ordering::Relaxed);
        let due = (spent * settings.checkpoints as f64) as usize > progress.curve.len();
        if (due || done) && !losses.is_empty() {
            let [critic_loss, generator_loss] =
                [0, 1].map(|which| losses.iter().map(|pair| pair[which]).sum::<f64>() / losses.len() as f64);
            losses.clear();
            progress.seconds = at_work.as_secs_f64();
            let point = TexturePoint {
                step: progress.step,
                seconds: progress.seconds,
                critic: critic_loss,
                generator: generator_loss,
            };
            report(Report::Validated(point));
            // There is no score: the last average is the best.
            progress.take_in(point, progress.step as f64);
            checkpoint::save(&folders[1], &critic, &critic.valid(), &critic_optimizer, &progress)?;
            checkpoint::save(&folders[0], &generator, &average, &generator_optimizer, &progress)?;
            look(&average, progress.step)?;
        }
        if done {
            return Ok((average, progress.curve));
        }

        let rate = learning_rate(settings.peak_rate, progress.step, spent);
        let Windows { materials, maps } = windows.take()?;
        B::seed(device, settings.seed.derive("dreams").nth(progress.step as u64).0);
        let material = pure::<B>(&materials, settings.shape.materials, duel.device);
        let real = Tensor::<B, 4>::from_data(TensorData::new(maps, [materials.len(), MAPS, SIDE, SIDE]), device);

        let dreamt = duel.dream(&generator, &material);
        let critic_loss = duel.critic_loss(&critic, real.clone(), dreamt, &material);
        let gradients = GradientsParams::from_grads(critic_loss.backward(), &critic);
        critic = critic_optimizer.step(rate, critic, gradients);

        let dreamt = duel.dream(&generator, &material);
        let generator_loss = duel.generator_loss(&critic, real, dreamt, &material);
        let gradients = GradientsParams::from_grads(generator_loss.backward(), &generator);
        generator = generator_optimizer.step(rate, generator, gradients);

        progress.step += 1;
        let [critic_loss, generator_loss] =
            [critic_loss, generator_loss].map(|loss| loss.into_data().iter::<f32>().next().map_or(f64::NAN, f64::from));
        anyhow::ensure!(
            critic_loss.is_finite() && generator_loss.is_finite(),
            "the losses are {critic_loss} and {generator_loss} after {} steps; try a lower rate",
            progress.step
        );
        losses.push([critic_loss, generator_loss]);
        if settings.average.is_due(progress.step) {
            average = settings.average.follow(average, &generator.valid(), progress.step);
        }
        report(Report::Step { step: progress.step, spent, loss: critic_loss as f32, rate });
    }
}
