//! The two blocks that every network here is made of: convolution with normalisation, and convolution with bias.
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
        module::conv2d,
        ops::{ConvOptions, PaddedConvOptions},
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
        Self { weight, norm, stride, rectified: true }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        B::conv_norm(self, x)
    }

    /// The block out of the backend's own primitives.
    pub(super) fn forward_composed(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let x = conv2d(x, self.weight.val(), None, padded(self.padding(), self.stride));
        let x = self.norm.forward(x);
        if self.rectified { activation::relu(x) } else { x }
    }
}

impl<B: Backend> ConvNorm<B> {
    /// Pixels added on each side, so that stride 1 keeps the size.
    pub fn padding(&self) -> usize {
        self.weight.dims()[2] / 2
    }
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

fn padded(padding: usize, stride: usize) -> PaddedConvOptions<2> {
    ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1).into()
}
