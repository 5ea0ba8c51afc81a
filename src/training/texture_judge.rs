//! A judge of materials: which of them a picture shows, learnt from photographs alone.
//!
//! In: photographs. Out: a classifier whose inner values serve as features for comparing pictures, and how often it is right
//! on photographs that were held out. It never sees a dreamt picture while it learns.

use burn::{
    module::{AutodiffModule, Module},
    nn::{Linear, LinearConfig},
    optim::{AdamWConfig, GradientsParams, Optimizer},
    tensor::{
        Tensor, TensorData, activation,
        backend::{AutodiffBackend, Backend},
    },
};
use rand::RngExt;

use super::{
    ahead::{Ahead, spare_threads},
    backend::TrainingBackend,
    conv_block::ConvNorm,
    schedule::learning_rate,
    texture_photos::{MATERIALS, PhotoSet, SIDE},
    texture_training::pure,
};
use crate::base::Seed;

/// Length of a picture's features.
pub const FEATURES: usize = 128;

/// Pictures a step.
const BATCH: usize = 32;

/// Colours of a picture: the judge looks at these only.
const COLOURS: usize = 3;

#[derive(Module, Debug)]
pub struct Judge<B: Backend> {
    pub blocks: Vec<ConvNorm<B>>,
    pub verdict: Linear<B>,
}

/// What the judge makes of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Index into [`MATERIALS`].
    pub material: usize,
    /// [`FEATURES`] values.
    pub features: Vec<f32>,
}

impl<B: TrainingBackend> Judge<B> {
    fn new(device: &B::Device) -> Self {
        let widths = [(COLOURS, 24, 2), (24, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1), (96, FEATURES, 2)];
        Self {
            blocks: widths.iter().map(|&(from, to, stride)| ConvNorm::new(from, to, 3, stride, device)).collect(),
            verdict: LinearConfig::new(FEATURES, MATERIALS.len()).init(device),
        }
    }

    /// Features `[batch, FEATURES]` of pictures `[batch, 3, side, side]`, −1 to 1.
    fn features(&self, pictures: Tensor<B, 4>) -> Tensor<B, 2> {
        let x = self.blocks.iter().fold(pictures, |x, block| block.forward(x));
        x.flatten::<3>(2, 3).mean_dim(2).flatten::<2>(1, 2)
    }

    /// Judges pictures, each `[3, SIDE, SIDE]` (further maps behind are passed over), −1 to 1.
    pub fn look(&self, pictures: &[Vec<f32>], device: &B::Device) -> Vec<Verdict> {
        let pixels = COLOURS * SIDE * SIDE;
        let mut verdicts = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(BATCH) {
            let data: Vec<f32> = batch.iter().flat_map(|picture| picture[..pixels].iter().copied()).collect();
            let data = TensorData::new(data, [batch.len(), COLOURS, SIDE, SIDE]);
            let features = self.features(Tensor::from_data(data, device));
            let chosen = self.verdict.forward(features.clone()).argmax(1).into_data();
            let features: Vec<f32> = features.into_data().iter::<f32>().collect();
            verdicts.extend(
                chosen
                    .iter::<i64>()
                    .zip(features.chunks_exact(FEATURES))
                    .map(|(material, features)| Verdict { material: material as usize, features: features.to_vec() }),
            );
        }
        verdicts
    }
}

/// Trains a judge; `each` is told every step.
///
/// # Errors
/// - the thread that cuts windows has ended
pub fn train_judge<B>(
    photos: &std::sync::Arc<Vec<PhotoSet>>,
    steps: usize,
    seed: Seed,
    device: &B::Device,
    mut each: impl FnMut(),
) -> anyhow::Result<Judge<B::InnerBackend>>
where
    B: AutodiffBackend + TrainingBackend,
    B::InnerBackend: TrainingBackend,
{
    B::seed(device, seed.derive("weights").0);
    let mut judge = Judge::<B>::new(device);
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.05).init::<B, Judge<B>>();
    let photos = photos.clone();
    let mut windows = Ahead::start(spare_threads().min(4), 0, move |step| {
        let mut rng = seed.derive("windows").nth(step as u64).rng();
        let (mut chosen, mut data) = (Vec::new(), Vec::new());
        for _ in 0..BATCH {
            let material = rng.random_range(0..MATERIALS.len());
            let set = &photos[material].train;
            let window = set[rng.random_range(0..set.len())].draw(&MATERIALS[material], &mut rng);
            // A little brighter or darker: few photographs show few exposures.
            let light = rng.random_range(-0.15..0.15_f32);
            data.extend(window[..COLOURS * SIDE * SIDE].iter().map(|value| (value + light).clamp(-1.0, 1.0)));
            chosen.push(material);
        }
        (chosen, data)
    });
    for step in 0..steps {
        let (chosen, data) = windows.take()?;
        let pictures = Tensor::<B, 4>::from_data(TensorData::new(data, [BATCH, COLOURS, SIDE, SIDE]), device);
        let logits = judge.verdict.forward(judge.features(pictures));
        let wanted = pure::<B>(&chosen, MATERIALS.len(), device);
        // A tenth of the certainty is spread over all (Szegedy et al., 2016).
        let wanted = wanted.mul_scalar(0.9).add_scalar(0.1 / MATERIALS.len() as f64);
        let loss = (wanted * activation::log_softmax(logits, 1)).sum_dim(1).mean().neg();
        let gradients = GradientsParams::from_grads(loss.backward(), &judge);
        judge = optimizer.step(learning_rate(2e-3, step, step as f64 / steps as f64), judge, gradients);
        each();
    }
    Ok(judge.valid())
}
