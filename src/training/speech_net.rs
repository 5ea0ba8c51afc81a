//! The speech model's network: log-mel frames to phones, as they are spoken.
//!
//! In: frames `[batch, frames, 64]` of [`log_mel`](crate::signal::log_mel) and the states of the recurrent layers. Out: one
//! step for every [`STRIDE`] frames, log probabilities of the blank and the phones. Convolutions over time without padding,
//! so that a stream may be cut anywhere as long as each piece begins with the [`CONTEXT`] last frames of the one before.
//!
//! Sources: convolutions before recurrent layers as in Amodei et al., "Deep Speech 2", ICML 2016; layer normalisation, Ba et
//! al., 2016, which takes the voice's loudness out of the picture step by step.

use burn::{
    module::Module,
    nn::{Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig},
    tensor::{
        Tensor,
        activation::{log_softmax, relu},
        backend::Backend,
    },
};
use serde::{Deserialize, Serialize};

use super::{backend::TrainingBackend, gru_layer::GruLayer};
use crate::{percepts::phones::OUTPUTS, signal::log_mel::BANDS};

/// Frames from one step to the next.
pub const STRIDE: usize = 3;
/// Frames under one step.
pub const FIELD: usize = 13;
/// Frames of the past that a piece of a stream begins with, so that steps = (frames − CONTEXT) / STRIDE.
pub const CONTEXT: usize = FIELD - STRIDE;

/// Frames and stride of the convolutions: together [`FIELD`] and [`STRIDE`].
const KERNELS: [(usize, usize); 3] = [(5, 1), (3, 3), (3, 1)];

/// Share of the values between layers that each training step leaves out.
const DROPOUT: f64 = 0.1;

/// How large the network is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechShape {
    /// Channels after each convolution.
    pub widths: [usize; 3],
    pub layers: usize,
    pub hidden: usize,
}

impl SpeechShape {
    /// 1.1 M parameters: one CPU core fits it in about an hour.
    pub fn small() -> Self {
        Self { widths: [96, 192, 256], layers: 2, hidden: 256 }
    }

    /// 3.1 M parameters, for a machine with a GPU.
    pub fn large() -> Self {
        Self { widths: [128, 224, 384], layers: 3, hidden: 384 }
    }
}

/// A convolution over time, layer normalisation, a rectifier.
#[derive(Module, Debug)]
pub struct TimeConv<B: Backend> {
    /// On `kernel` frames one after another: `[kernel · channels in, channels out]`.
    pub linear: Linear<B>,
    pub norm: LayerNorm<B>,
    pub kernel: usize,
    /// 1, or as long as the kernel.
    pub stride: usize,
}

impl<B: Backend> TimeConv<B> {
    fn new(channels_in: usize, channels_out: usize, kernel: usize, stride: usize, device: &B::Device) -> Self {
        assert!(stride == 1 || stride == kernel, "frames are windowed by shifts or by blocks");
        Self {
            linear: LinearConfig::new(kernel * channels_in, channels_out).init(device),
            norm: LayerNormConfig::new(channels_out).init(device),
            kernel,
            stride,
        }
    }

    fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, frames, channels] = x.dims();
        let steps = (frames - self.kernel) / self.stride + 1;
        let windows = if self.stride == 1 {
            Tensor::cat((0..self.kernel).map(|shift| x.clone().narrow(1, shift, steps)).collect(), 2)
        } else {
            x.narrow(1, 0, steps * self.kernel).reshape([batch, steps, self.kernel * channels])
        };
        relu(self.norm.forward(self.linear.forward(windows)))
    }
}

#[derive(Module, Debug)]
pub struct SpeechNet<B: Backend> {
    pub convolutions: Vec<TimeConv<B>>,
    pub recurrent: Vec<GruLayer<B>>,
    pub output: Linear<B>,
    pub dropout: Dropout,
}

impl<B: TrainingBackend> SpeechNet<B> {
    /// Weights are drawn from the backend's generator: seed it first.
    pub fn new(shape: &SpeechShape, device: &B::Device) -> Self {
        let inputs = [BANDS, shape.widths[0], shape.widths[1]];
        Self {
            convolutions: (0..3)
                .map(|index| {
                    let (kernel, stride) = KERNELS[index];
                    TimeConv::new(inputs[index], shape.widths[index], kernel, stride, device)
                })
                .collect(),
            recurrent: (0..shape.layers)
                .map(|layer| {
                    let inputs = if layer == 0 { shape.widths[2] } else { shape.hidden };
                    GruLayer::new(inputs, shape.hidden, device)
                })
                .collect(),
            output: LinearConfig::new(shape.hidden, OUTPUTS).init(device),
            dropout: DropoutConfig::new(DROPOUT).init(),
        }
    }

    /// Log probabilities `[batch, steps, OUTPUTS]` and the states to go on with, `[layers, batch, hidden]`.
    pub fn forward(&self, frames: Tensor<B, 3>, state: Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 3>) {
        let mut x = self.convolutions.iter().fold(frames, |x, convolution| convolution.forward(x));
        let mut states = Vec::with_capacity(self.recurrent.len());
        for (index, layer) in self.recurrent.iter().enumerate() {
            let [_, batch, hidden] = state.dims();
            let before = state.clone().narrow(0, index, 1).reshape([batch, hidden]);
            x = layer.forward(self.dropout.forward(x), before);
            let steps = x.dims()[1];
            states.push(x.clone().narrow(1, steps - 1, 1).reshape([1, batch, hidden]));
        }
        (log_softmax(self.output.forward(self.dropout.forward(x)), 2), Tensor::cat(states, 0))
    }

    /// The state before any sound.
    pub fn silent_state(&self, batch: usize, device: &B::Device) -> Tensor<B, 3> {
        Tensor::zeros([self.recurrent.len(), batch, self.recurrent[0].hidden], device)
    }
}

/// Steps that so many frames give (0 if there are too few).
pub fn steps_of(frames: usize) -> usize {
    frames.saturating_sub(CONTEXT) / STRIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_and_the_contract_agree() {
        let (mut field, mut stride) = (1, 1);
        for (kernel, step) in KERNELS {
            field += (kernel - 1) * stride;
            stride *= step;
        }
        assert_eq!((field, stride), (FIELD, STRIDE));
        assert_eq!([0, 12, 13, 15, 16].map(steps_of), [0, 0, 1, 1, 2]);
    }
}
