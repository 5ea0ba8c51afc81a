//! Convolution blocks and recurrent layers on libtorch, with libtorch's own gradients.
//!
//! burn derives a convolution's weight gradient as a convolution whose kernel is as large as the picture, and batch
//! normalisation as some thirty passes over memory. libtorch has kernels for both, but its bindings do not offer them
//! by name, so a block is recorded on libtorch's tape and enters burn's tape as one operation. Where the hardware
//! multiplies bfloat16 (GPUs, processors with AVX-512 BF16) activations travel as such (weights, statistics and losses
//! stay f32), which halves the traffic and doubles the arithmetic rate; elsewhere it would cost ten times as much, and
//! they stay f32. Recurrent layers go through libtorch's own loop over time, in f32.

use burn::{
    backend::{
        Autodiff, LibTorch,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        libtorch::TchTensor,
    },
    tensor::{Tensor, TensorPrimitive, ops::FloatTensor},
};
use tch::Kind;

use super::{
    backend::TrainingBackend,
    conv_block::{ConvBias, ConvLeaky, ConvNorm, LEAK},
    gru_layer::GruLayer,
};

type Tracked = FloatTensor<Autodiff<LibTorch>>;

impl TrainingBackend for Autodiff<LibTorch> {
    fn conv_norm(block: &ConvNorm<Self>, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        let mean = Leaf::alone(&primitive(block.norm.running_mean.value_sync()).primitive).tensor.copy();
        let variance = Leaf::alone(&primitive(block.norm.running_var.value_sync()).primitive).tensor.copy();
        let inputs = [
            primitive(x),
            primitive(block.weight.val()),
            primitive(block.norm.gamma.val()),
            primitive(block.norm.beta.val()),
        ];
        let (stride, padding, wrapped) = (block.stride as i64, block.padding() as i64, block.wrapped);
        let output = on_torch_tape(inputs, |[x, weight, gamma, beta]| {
            let y = if wrapped {
                convolve(&wrap(x, padding), weight, None, stride, 0)
            } else {
                convolve(x, weight, None, stride, padding)
            };
            let mut y = y.batch_norm(
                Some(gamma),
                Some(beta),
                Some(&mean),
                Some(&variance),
                true,
                block.norm.momentum,
                block.norm.epsilon,
                false,
            );
            if block.rectified { y.relu_() } else { y }
        });
        block.norm.running_mean.update(inner(mean));
        block.norm.running_var.update(inner(variance));
        output
    }

    fn conv_bias(block: &ConvBias<Self>, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        let inputs = [primitive(x), primitive(block.weight.val()), primitive(block.bias.val())];
        on_torch_tape(inputs, |[x, weight, bias]| convolve(x, weight, Some(bias), 1, 0).to_kind(Kind::Float))
    }

    /// In f32: a critic's gradient is told by small differences, which bfloat16 would drown.
    fn conv_leaky(block: &ConvLeaky<Self>, x: Tensor<Self, 4>) -> Tensor<Self, 4> {
        let inputs = [primitive(x), primitive(block.weight.val()), primitive(block.bias.val())];
        let (stride, padding) = (block.stride as i64, block.padding() as i64);
        on_torch_tape(inputs, |[x, weight, bias]| {
            let conv = |x: &tch::Tensor, padding| x.conv2d(weight, Some(bias), [stride; 2], [padding; 2], [1, 1], 1);
            let x = x.to_kind(Kind::Float);
            let y = if block.wrapped { conv(&wrap(&x, padding), 0) } else { conv(&x, padding) };
            if block.rectified { y.maximum(&(&y * LEAK)) } else { y }
        })
    }

    fn gru(layer: &GruLayer<Self>, x: Tensor<Self, 3>, state: Tensor<Self, 2>) -> Tensor<Self, 3> {
        let inputs = [
            primitive(x),
            primitive(state),
            primitive(layer.input_weight.val()),
            primitive(layer.hidden_weight.val()),
            primitive(layer.input_bias.val()),
            primitive(layer.hidden_bias.val()),
        ];
        on_torch_tape(inputs, |[x, state, weights @ ..]| run_gru(x, state, &weights))
    }
}

impl TrainingBackend for LibTorch {
    fn gru(layer: &GruLayer<Self>, x: Tensor<Self, 3>, state: Tensor<Self, 2>) -> Tensor<Self, 3> {
        let [x, state] = [x.into_primitive().tensor().tensor, state.into_primitive().tensor().tensor];
        let weights = [
            layer.input_weight.val().into_primitive().tensor().tensor,
            layer.hidden_weight.val().into_primitive().tensor().tensor,
            layer.input_bias.val().into_primitive().tensor().tensor,
            layer.hidden_bias.val().into_primitive().tensor().tensor,
        ];
        let states = tch::no_grad(|| run_gru(&x, &state, &weights.each_ref()));
        Tensor::from_primitive(TensorPrimitive::Float(TchTensor::new(states)))
    }
}

/// All states, `[batch, steps, hidden]`.
fn run_gru(x: &tch::Tensor, state: &tch::Tensor, weights: &[&tch::Tensor; 4]) -> tch::Tensor {
    x.gru(&state.unsqueeze(0), weights, true, 1, 0.0, true, false, true).0
}

fn convolve(
    x: &tch::Tensor,
    weight: &tch::Tensor,
    bias: Option<&tch::Tensor>,
    stride: i64,
    padding: i64,
) -> tch::Tensor {
    let kind = quick_kind(x.device());
    let bias = bias.map(|bias| bias.to_kind(kind));
    x.to_kind(kind).conv2d(&weight.to_kind(kind), bias.as_ref(), [stride; 2], [padding; 2], [1, 1], 1)
}

/// The float type in which this device convolves fastest.
fn quick_kind(device: tch::Device) -> Kind {
    #[cfg(target_arch = "x86_64")]
    let processor = std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    let processor = false;
    if device.is_cuda() || processor { Kind::BFloat16 } else { Kind::Float }
}

/// A picture with `margin` pixels of its opposite edges around it.
fn wrap(x: &tch::Tensor, margin: i64) -> tch::Tensor {
    x.pad([margin; 4], "circular", None)
}

fn primitive<const D: usize>(tensor: Tensor<Autodiff<LibTorch>, D>) -> Tracked {
    tensor.into_primitive().tensor()
}

fn inner<const D: usize>(tensor: tch::Tensor) -> Tensor<Autodiff<LibTorch>, D> {
    Tensor::from_inner(Tensor::from_primitive(TensorPrimitive::Float(TchTensor::new(tensor))))
}

/// A tensor that starts a tape of its own. It shares memory with burn's tensor and keeps burn from writing there.
struct Leaf;

impl Leaf {
    fn alone(burns: &TchTensor) -> TchTensor {
        TchTensor { tensor: burns.tensor.detach(), storage: burns.storage.clone() }
    }

    fn tracked(burns: &TchTensor) -> TchTensor {
        TchTensor { tensor: burns.tensor.detach().set_requires_grad(true), storage: burns.storage.clone() }
    }
}

/// What the forward pass leaves to the backward pass.
#[derive(Clone, Debug)]
struct Tape<const N: usize> {
    inputs: [TchTensor; N],
    output: TchTensor,
}

#[derive(Debug)]
struct TorchTape;

impl<const N: usize> Backward<LibTorch, N> for TorchTape {
    type State = Tape<N>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = grads.consume::<LibTorch>(&ops.node);
        let Tape { inputs, output } = ops.state;
        // The tape runs back from a scalar: the inner product with the gradient has that gradient.
        let scalar = flat(&output.tensor).dot(&flat(&gradient.tensor.to_kind(output.tensor.kind())));
        let (nodes, wanted): (Vec<_>, Vec<&tch::Tensor>) =
            ops.parents.iter().zip(&inputs).filter_map(|(node, input)| Some((node.as_ref()?, &input.tensor))).unzip();
        let gradients = tch::Tensor::run_backward(&[scalar], &wanted, false, false);
        for (node, gradient) in nodes.into_iter().zip(gradients) {
            grads.register::<LibTorch>(node.id, TchTensor::new(gradient));
        }
    }
}

/// A view of all elements, of pictures channels last (the order in which the convolutions leave them).
fn flat(tensor: &tch::Tensor) -> tch::Tensor {
    if tensor.dim() == 4 { tensor.permute([0, 2, 3, 1]).reshape([-1]) } else { tensor.reshape([-1]) }
}

fn on_torch_tape<const N: usize, const D: usize>(
    inputs: [Tracked; N],
    compute: impl FnOnce([&tch::Tensor; N]) -> tch::Tensor,
) -> Tensor<Autodiff<LibTorch>, D> {
    let leaves: [TchTensor; N] = std::array::from_fn(|i| {
        if inputs[i].node.requirement.is_none() {
            Leaf::alone(&inputs[i].primitive)
        } else {
            Leaf::tracked(&inputs[i].primitive)
        }
    });
    let output = TchTensor::new(compute(std::array::from_fn(|i| &leaves[i].tensor)));
    let shown = Leaf::alone(&output);
    let tracked: Tracked =
        match TorchTape.prepare::<NoCheckpointing>(inputs.map(|input| input.node)).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(Tape { inputs: leaves, output }, shown),
            OpsKind::UnTracked(prep) => prep.finish(shown),
        };
    Tensor::from_primitive(TensorPrimitive::Float(tracked))
}
