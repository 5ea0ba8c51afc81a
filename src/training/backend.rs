//! Which tensor library fits the models, and the one place where that matters: how the networks' blocks are computed.
//!
//! Everything else in this room is generic over [`TrainingBackend`]. Pure Rust (`flex`) is the default; the features
//! `train-tch`, `train-wgpu` and `train-cuda` add others.

use burn::{
    backend::{Autodiff, Flex},
    tensor::{Tensor, backend::Backend},
};

use super::{
    conv_block::{ConvBias, ConvLeaky, ConvNorm},
    gru_layer::GruLayer,
};

/// A tensor backend that can run the blocks of the networks here. The defaults compose them of the backend's primitives.
pub trait TrainingBackend: Backend {
    fn conv_norm(block: &ConvNorm<Self>, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        block.forward_composed(x)
    }

    fn conv_bias(block: &ConvBias<Self>, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        block.forward_composed(x)
    }

    fn conv_leaky(block: &ConvLeaky<Self>, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        block.forward_composed(x)
    }

    fn gru(layer: &GruLayer<Self>, x: Tensor<Self, 3>, state: Tensor<Self, 2>) -> Tensor<Self, 3> {
        layer.forward_composed(x, state)
    }
}

impl TrainingBackend for Flex {}
impl TrainingBackend for Autodiff<Flex> {}

#[cfg(feature = "train-wgpu")]
impl TrainingBackend for burn::backend::Wgpu {}
#[cfg(feature = "train-wgpu")]
impl TrainingBackend for Autodiff<burn::backend::Wgpu> {}

#[cfg(feature = "train-cuda")]
impl TrainingBackend for burn::backend::Cuda {}
#[cfg(feature = "train-cuda")]
impl TrainingBackend for Autodiff<burn::backend::Cuda> {}
