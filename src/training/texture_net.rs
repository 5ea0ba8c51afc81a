//! The networks of dreamt textures: a generator that tiles by construction, and the critic that it learns from.
//!
//! In (generator): which materials (mixture weights), which specimen (`style`), a layout in space (`latent`, one cell for 32
//! pixels) and fine grain (white noise, one value a pixel). Out: six maps, 0 to 1: sRGB colour (3), height, roughness,
//! metalness. All convolutions wrap around, so that pictures of any whole number of cells tile.
//! In (critic): six maps, −1 to 1, as wide as training pictures. Out: one number a picture and material, more is more real.
//!
//! Sources: spatial latents that wrap, Bergmann et al., "Learning texture manifolds with the periodic spatial GAN", ICML 2017;
//! conditional normalisation, de Vries et al., NeurIPS 2017; noise at every resolution, Karras et al., "StyleGAN", CVPR 2019;
//! one output a class, Choi et al., "StarGAN v2", CVPR 2020.

use burn::{
    module::{Initializer, Module},
    nn::{Linear, LinearConfig},
    tensor::{Tensor, activation, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::{
    backend::TrainingBackend,
    conv_block::{ConvLeaky, ConvNorm, doubled},
};

/// Pixels a side of one cell of the latent.
pub const CELL: usize = 32;

/// Times that the resolution doubles from latent to picture.
const DOUBLINGS: usize = 5;

/// Channels of all maps: colour (3), height, roughness, metalness.
pub const MAPS: usize = 6;

/// How large the generator is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextureShape {
    pub materials: usize,
    pub style: usize,
    pub latent: usize,
    /// Channels at 32, 16, 8, 4, 2 and 1 pixels a cell.
    pub widths: [usize; DOUBLINGS + 1],
    /// Hidden units between material, style and the modulations.
    pub mapping: usize,
}

impl TextureShape {
    /// 2 M parameters, 1.7 G multiply-adds for 256×256.
    pub fn usual(materials: usize) -> Self {
        Self { materials, style: 64, latent: 16, widths: [256, 192, 96, 64, 32, 16], mapping: 192 }
    }
}

/// What the generator is asked for, in batches.
#[derive(Clone, Debug)]
pub struct Wish<B: Backend> {
    /// `[batch, materials]`, weights of a mixture, sum 1.
    pub material: Tensor<B, 2>,
    /// `[batch, style]`, standard normal.
    pub style: Tensor<B, 2>,
    /// `[batch, latent, cells, cells]`, standard normal.
    pub latent: Tensor<B, 4>,
    /// `[batch, 1, pixels, pixels]`, standard normal.
    pub grain: Tensor<B, 4>,
}

/// Scale and shift of one resolution's channels, by material and style.
#[derive(Module, Debug)]
pub struct Modulation<B: Backend> {
    /// `[mapping] → [2 · channels]`: scales less 1, then shifts.
    pub linear: Linear<B>,
}

impl<B: TrainingBackend> Modulation<B> {
    fn new(mapping: usize, channels: usize, device: &B::Device) -> Self {
        let linear = LinearConfig::new(mapping, 2 * channels)
            .with_initializer(Initializer::Normal { mean: 0.0, std: 0.05 })
            .init(device);
        Self { linear }
    }

    fn apply(&self, x: Tensor<B, 4>, code: &Tensor<B, 2>) -> Tensor<B, 4> {
        let [batch, channels, _, _] = x.dims();
        let both = self.linear.forward(code.clone()).reshape([batch, 2 * channels, 1, 1]);
        let scale = both.clone().narrow(1, 0, channels).add_scalar(1.0);
        x * scale + both.narrow(1, channels, channels)
    }
}

/// One resolution: a modulated convolution, and at all but the finest another.
#[derive(Module, Debug)]
pub struct Level<B: Backend> {
    /// Not rectified: the modulation comes between.
    pub first: ConvNorm<B>,
    pub modulation: Modulation<B>,
    pub second: Option<ConvNorm<B>>,
}

impl<B: TrainingBackend> Level<B> {
    fn forward(&self, x: Tensor<B, 4>, code: &Tensor<B, 2>) -> Tensor<B, 4> {
        let x = activation::relu(self.modulation.apply(self.first.forward(x), code));
        match &self.second {
            Some(second) => second.forward(x),
            None => x,
        }
    }
}

#[derive(Module, Debug)]
pub struct Generator<B: Backend> {
    pub of_material: Linear<B>,
    pub of_style: Linear<B>,
    pub mapping: Linear<B>,
    /// Coarsest first. But for the finest each leaves one channel free, which the next resolution's grain takes.
    pub levels: Vec<Level<B>>,
    pub maps: ConvLeaky<B>,
}

impl<B: TrainingBackend> Generator<B> {
    /// Weights are drawn from the backend's generator: seed it first.
    pub fn new(shape: &TextureShape, device: &B::Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let last = shape.widths.len() - 1;
        let levels = (0..shape.widths.len())
            .map(|level| {
                let width = shape.widths[level];
                let width_in = if level == 0 { shape.latent } else { shape.widths[level - 1] };
                let first = ConvNorm::new(width_in, width, 3, 1, device).wrapped().linear();
                let modulation = Modulation::new(shape.mapping, width, device);
                let second = (level < last).then(|| ConvNorm::new(width, width - 1, 3, 1, device).wrapped());
                Level { first, modulation, second }
            })
            .collect();
        Self {
            of_material: linear(shape.materials, shape.mapping),
            of_style: linear(shape.style, shape.mapping),
            mapping: linear(shape.mapping, shape.mapping),
            levels,
            maps: ConvLeaky::new(shape.widths[last], MAPS, 3, 1, device).wrapped().linear(),
        }
    }

    /// `[batch, MAPS, pixels, pixels]`, 0 to 1.
    pub fn forward(&self, wish: Wish<B>) -> Tensor<B, 4> {
        let code = activation::relu(self.of_material.forward(wish.material) + self.of_style.forward(wish.style));
        let code = activation::relu(self.mapping.forward(code));
        let mut x = wish.latent;
        for (level, block) in self.levels.iter().enumerate() {
            if level > 0 {
                let grain = grain_of(wish.grain.clone(), CELL >> level);
                x = Tensor::cat(vec![doubled(x), grain], 1);
            }
            x = block.forward(x, &code);
        }
        activation::sigmoid(self.maps.forward(x))
    }
}

/// First row and column that the grain at one value for `step` pixels is taken from: other values than those of the other
/// resolutions.
pub fn grain_offset(step: usize) -> usize {
    step / 2
}

/// The grain of a coarser resolution: every `step`-th value of the finest.
fn grain_of<B: Backend>(grain: Tensor<B, 4>, step: usize) -> Tensor<B, 4> {
    let [batch, _, rows, columns] = grain.dims();
    let (offset, rows, columns) = (grain_offset(step), rows / step, columns / step);
    grain
        .reshape([batch * rows, step, columns, step])
        .narrow(1, offset, 1)
        .narrow(3, offset, 1)
        .reshape([batch, 1, rows, columns])
}

/// Tells real maps from dreamt ones, a number for each material, at two scales.
#[derive(Module, Debug)]
pub struct Critic<B: Backend> {
    /// Down to 8 pixels a cell.
    pub fine: Vec<ConvLeaky<B>>,
    pub fine_opinion: ConvLeaky<B>,
    /// Down to 32 pixels a cell.
    pub coarse: Vec<ConvLeaky<B>>,
    pub coarse_opinion: ConvLeaky<B>,
}

impl<B: TrainingBackend> Critic<B> {
    pub fn new(materials: usize, device: &B::Device) -> Self {
        let chain = |layers: &[(usize, usize, usize)]| {
            layers.iter().map(|&(from, to, stride)| ConvLeaky::new(from, to, 3, stride, device)).collect()
        };
        Self {
            fine: chain(&[
                (MAPS, 32, 1),
                (32, 64, 2),
                (64, 64, 1),
                (64, 128, 2),
                (128, 128, 1),
                (128, 192, 2),
                (192, 192, 1),
            ]),
            fine_opinion: ConvLeaky::new(192, materials, 1, 1, device).linear(),
            coarse: chain(&[(192, 256, 2), (256, 256, 1), (256, 256, 2)]),
            coarse_opinion: ConvLeaky::new(256, materials, 1, 1, device).linear(),
        }
    }

    /// `[batch, materials]`: how real each picture is as each material.
    pub fn forward(&self, maps: Tensor<B, 4>) -> Tensor<B, 2> {
        let run = |x: Tensor<B, 4>, layers: &[ConvLeaky<B>]| layers.iter().fold(x, |x, layer| layer.forward(x));
        let mean = |opinion: Tensor<B, 4>| opinion.flatten::<3>(2, 3).mean_dim(2).flatten::<2>(1, 2);
        let fine = run(maps, &self.fine);
        let coarse = run(fine.clone(), &self.coarse);
        mean(self.fine_opinion.forward(fine)) + mean(self.coarse_opinion.forward(coarse))
    }
}

#[cfg(test)]
mod tests {
    use burn::{backend::Flex, tensor::Distribution};

    use super::*;

    type B = Flex;

    fn tiny() -> TextureShape {
        TextureShape { materials: 3, style: 4, latent: 4, widths: [8, 8, 8, 8, 4, 4], mapping: 8 }
    }

    fn wish(cells: [usize; 2]) -> Wish<B> {
        let device = Default::default();
        let normal = Distribution::Normal(0.0, 1.0);
        Wish {
            material: Tensor::from_floats([[1.0, 0.0, 0.0]], &device),
            style: Tensor::random([1, 4], normal, &device),
            latent: Tensor::random([1, 4, cells[0], cells[1]], normal, &device),
            grain: Tensor::random([1, 1, CELL * cells[0], CELL * cells[1]], normal, &device),
        }
    }

    #[test]
    fn a_layout_that_is_moved_round_moves_the_picture_round() {
        let net = Generator::<B>::new(&tiny(), &Default::default());
        let wish = wish([2, 3]);
        let here = net.forward(wish.clone());
        let moved = net.forward(Wish {
            latent: wish.latent.roll_dim(1, 3),
            grain: wish.grain.roll_dim(CELL as i64, 3),
            ..wish
        });
        assert_eq!(here.dims(), [1, MAPS, 2 * CELL, 3 * CELL]);
        let difference = (here.roll_dim(CELL as i64, 3) - moved).abs().max().into_scalar();
        assert!(difference < 1e-5, "{difference}");
    }

    #[test]
    fn grains_of_all_resolutions_are_different_values() {
        let device = Default::default();
        let side = CELL as i64;
        let numbers =
            Tensor::<B, 1, burn::tensor::Int>::arange(0..side * side, &device).float().reshape([1, 1, 32, 32]);
        let mut seen = std::collections::BTreeSet::new();
        for step in [16, 8, 4, 2] {
            for value in grain_of(numbers.clone(), step).into_data().iter::<f32>() {
                assert!(seen.insert(value as i64), "step {step} shares {value}");
            }
        }
    }

    #[test]
    fn the_critic_has_an_opinion_for_each_material() {
        let device = Default::default();
        let critic = Critic::<B>::new(3, &device);
        let maps = Tensor::random([2, MAPS, 64, 64], Distribution::Normal(0.0, 1.0), &device);
        assert_eq!(critic.forward(maps).dims(), [2, 3]);
    }
}
