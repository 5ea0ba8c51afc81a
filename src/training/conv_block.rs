//! The blocks that every network here is made of: convolution with normalisation, and convolution with bias.
//!
//! In: activations `[batch, channels, height, width]`. Out: the same with new channels and, by the stride, smaller.
//! In training the normalisation uses the batch's own statistics and remembers their running mean; elsewhere it uses
//! what it remembers. How a block is computed is the backend's choice ([`TrainingBackend`]).

use burn::{
    module::{Initializer, Module, Param},
    nn::{BatchNorm, BatchNormConfig},
    tensor::{
        Tensor, activation,
        backend::Backend,
        module::{conv2d, interpolate},
        ops::{ConvOptions, InterpolateMode, InterpolateOptions, PaddedConvOptions},
    },
};

use super::backend::TrainingBackend;

/// Convolution without bias, batch normalisation, and (but for a few) a rectifier.
#[derive(Module, Debug)]
pub struct ConvNorm<B: Backend> {
    /// `[out, in, side, side]`.
    pub weight: Param<Tensor<B, 4>>,
    pub norm: BatchNorm<B>,
    pub stride: usize,
    pub rectified: bool,
    /// Whether what lies beyond an edge is the opposite edge, and not zero.
    pub wrapped: bool,
}

impl<B: TrainingBackend> ConvNorm<B> {
    /// A square kernel of odd `side` with "same" padding; weights after He et al., 2015 (fan-out, normal).
    pub fn new(channels_in: usize, channels_out: usize, side: usize, stride: usize, device: &B::Device) -> Self {
        let fan_out = channels_out * side * side;
        let weight = Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true }.init_with(
            [channels_out, channels_in, side, side],
            None,
            Some(fan_out),
            device,
        );
        let norm = BatchNormConfig::new(channels_out).with_epsilon(1e-3).with_momentum(0.03).init(device);
        Self { weight, norm, stride, rectified: true, wrapped: false }
    }

    /// The same block on a picture that wraps around.
    pub fn wrapped(self) -> Self {
        Self { wrapped: true, ..self }
    }

    /// The same block without rectifier.
    pub fn linear(self) -> Self {
        Self { rectified: false, ..self }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        B::conv_norm(self, x)
    }

    /// The block out of the backend's own primitives.
    pub(super) fn forward_composed(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let (x, padding) = if self.wrapped { (wrap(x, self.padding()), 0) } else { (x, self.padding()) };
        let x = conv2d(x, self.weight.val(), None, padded(padding, self.stride));
        let x = self.norm.forward(x);
        if self.rectified { activation::relu(x) } else { x }
    }
}

impl<B: Backend> ConvNorm<B> {
    /// Pixels added on each side, so that stride 1 keeps the size.
    pub fn padding(&self) -> usize {
        self.weight.dims()[2] / 2
    }

    /// Weight and bias of one convolution that does the same to `scale · x` as the block does elsewhere than in training.
    pub fn folded(&self, scale: f32) -> (Vec<f32>, Vec<f32>) {
        let gamma = values(self.norm.gamma.val());
        let beta = values(self.norm.beta.val());
        let mean = values(self.norm.running_mean.value_sync());
        let variance = values(self.norm.running_var.value_sync());
        let mut weight = values(self.weight.val());
        let per_output = weight.len() / gamma.len();
        let mut bias = Vec::with_capacity(gamma.len());
        for (channel, kernel) in weight.chunks_exact_mut(per_output).enumerate() {
            let factor = gamma[channel] / (variance[channel] + self.norm.epsilon as f32).sqrt();
            kernel.iter_mut().for_each(|value| *value *= factor * scale);
            bias.push(beta[channel] - mean[channel] * factor);
        }
        (weight, bias)
    }
}

/// All elements, row-major.
pub(super) fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Convolution with bias and nothing after it: the last layer of a head.
#[derive(Module, Debug)]
pub struct ConvBias<B: Backend> {
    /// `[out, in, 1, 1]`.
    pub weight: Param<Tensor<B, 4>>,
    /// `[out]`.
    pub bias: Param<Tensor<B, 1>>,
}

impl<B: TrainingBackend> ConvBias<B> {
    /// A 1×1 kernel with small weights, all outputs near `bias`.
    pub fn new(channels_in: usize, channels_out: usize, bias: f64, device: &B::Device) -> Self {
        Self {
            weight: Initializer::Normal { mean: 0.0, std: 0.01 }.init([channels_out, channels_in, 1, 1], device),
            bias: Initializer::Constant { value: bias }.init([channels_out], device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        B::conv_bias(self, x)
    }

    pub(super) fn forward_composed(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        conv2d(x, self.weight.val(), Some(self.bias.val()), padded(0, 1))
    }
}

/// Convolution with bias and a leaky rectifier, without normalisation: what critics are made of.
#[derive(Module, Debug)]
pub struct ConvLeaky<B: Backend> {
    /// `[out, in, side, side]`.
    pub weight: Param<Tensor<B, 4>>,
    /// `[out]`.
    pub bias: Param<Tensor<B, 1>>,
    pub stride: usize,
    pub rectified: bool,
    /// Whether what lies beyond an edge is the opposite edge, and not zero.
    pub wrapped: bool,
}

/// Slope of the leaky rectifier below zero.
pub(super) const LEAK: f64 = 0.2;

impl<B: TrainingBackend> ConvLeaky<B> {
    /// A square kernel of odd `side` with "same" padding; weights after He et al., 2015 (fan-in, normal, with the leak).
    pub fn new(channels_in: usize, channels_out: usize, side: usize, stride: usize, device: &B::Device) -> Self {
        let fan_in = channels_in * side * side;
        let std = (2.0 / ((1.0 + LEAK * LEAK) * fan_in as f64)).sqrt();
        Self {
            weight: Initializer::Normal { mean: 0.0, std }.init([channels_out, channels_in, side, side], device),
            bias: Initializer::Zeros.init([channels_out], device),
            stride,
            rectified: true,
            wrapped: false,
        }
    }

    /// The same block on a picture that wraps around.
    pub fn wrapped(self) -> Self {
        Self { wrapped: true, ..self }
    }

    /// The same block without rectifier.
    pub fn linear(self) -> Self {
        Self { rectified: false, ..self }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        B::conv_leaky(self, x)
    }

    pub(super) fn forward_composed(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let (x, padding) = if self.wrapped { (wrap(x, self.padding()), 0) } else { (x, self.padding()) };
        let x = conv2d(x, self.weight.val(), Some(self.bias.val()), padded(padding, self.stride));
        if self.rectified { activation::leaky_relu(x, LEAK) } else { x }
    }
}

impl<B: Backend> ConvLeaky<B> {
    /// Pixels added on each side, so that stride 1 keeps the size.
    pub fn padding(&self) -> usize {
        self.weight.dims()[2] / 2
    }
}

/// A picture with `margin` pixels of its opposite edges around it.
fn wrap<B: Backend>(x: Tensor<B, 4>, margin: usize) -> Tensor<B, 4> {
    (2..4).fold(x, |x, axis| {
        let extent = x.dims()[axis];
        let (before, after) = (x.clone().narrow(axis, extent - margin, margin), x.clone().narrow(axis, 0, margin));
        Tensor::cat(vec![before, x, after], axis)
    })
}

/// Each cell becomes 2×2 equal ones.
pub(super) fn doubled<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let [_, _, height, width] = x.dims();
    interpolate(x, [2 * height, 2 * width], InterpolateOptions::new(InterpolateMode::Nearest))
}

fn padded(padding: usize, stride: usize) -> PaddedConvOptions<2> {
    ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1).into()
}
