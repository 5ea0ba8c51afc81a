//! A detector's network out of an exported graph, to be trained further.
//!
//! In: a graph that `detector_export` made, the network's make, and pictures like those of the training. Out: a network that
//! says the same as the graph. The graph has every normalisation folded into the convolution before it; as training
//! normalises by the batch, the statistics are measured anew on the pictures and taken out of weight and bias again.

use anyhow::{Context, ensure};
use burn::{
    module::{Param, RunningState},
    tensor::{
        ElementConversion, Tensor, TensorData, activation,
        backend::Backend,
        module::conv2d,
        ops::{ConvOptions, PaddedConvOptions},
    },
};

use super::{
    backend::TrainingBackend,
    conv_block::{ConvBias, ConvNorm},
    detector_net::{DetectorNet, NetShape, Stage},
};
use crate::inference::onnx_file::{ElementType, GraphProto, ModelProto};

/// The network of `model`, a graph of a detector of this `shape`. `pictures` are batches of [`DetectorNet::forward`]'s input,
/// at least one.
///
/// # Errors
/// - the graph holds no such weights: it is of another program, of another size of network or of other classes
pub fn import_detector<B: TrainingBackend>(
    model: &ModelProto,
    shape: &NetShape,
    pictures: impl IntoIterator<Item = Tensor<B, 4>>,
    device: &B::Device,
) -> anyhow::Result<DetectorNet<B>> {
    let graph = model.graph.as_ref().context("the model holds no graph")?;
    let mut net = DetectorNet::new(shape, device);
    for (number, convolution) in convolutions(&mut net).into_iter().enumerate() {
        // The first convolution takes bytes where the network takes 0 to 1.
        let scale = if number == 0 { 255.0 } else { 1.0 };
        match convolution {
            Convolution::Norm(block) => {
                block.weight = parameter(graph, &format!("weight_{number}"), block.weight.dims(), scale, device)?;
                // Until the statistics are known, the bias stays here.
                block.norm.beta = parameter(graph, &format!("bias_{number}"), block.norm.beta.dims(), 1.0, device)?;
            }
            Convolution::Bias(block) => {
                block.weight = parameter(graph, &format!("weight_{number}"), block.weight.dims(), scale, device)?;
                block.bias = parameter(graph, &format!("bias_{number}"), block.bias.dims(), 1.0, device)?;
            }
        }
    }
    let extra = format!("weight_{}", convolutions(&mut net).len());
    ensure!(graph.initializer.iter().all(|tensor| tensor.name != extra), "the model is a larger network than this one");
    unfold(&mut net, pictures)?;
    Ok(net)
}

/// One convolution of the network.
enum Convolution<'a, B: Backend> {
    Norm(&'a mut ConvNorm<B>),
    Bias(&'a mut ConvBias<B>),
}

/// All convolutions in the order in which the graph numbers them, which is that of the forward pass.
fn convolutions<B: Backend>(net: &mut DetectorNet<B>) -> Vec<Convolution<'_, B>> {
    let mut found = vec![Convolution::Norm(&mut net.stem)];
    for Stage { down, blocks } in &mut net.stages {
        found.push(Convolution::Norm(down));
        found.extend(blocks.iter_mut().flat_map(|block| [&mut block.narrow, &mut block.widen]).map(Convolution::Norm));
    }
    // Down the pyramid: the lateral of a grid, then what refines the sum.
    let mut upward = net.upward.iter_mut().rev();
    for (depth, lateral) in net.laterals.iter_mut().rev().enumerate() {
        found.push(Convolution::Norm(lateral));
        if depth > 0 {
            found.extend(upward.next().map(Convolution::Norm));
        }
    }
    found.extend(net.downward.iter_mut().map(Convolution::Norm));
    for head in &mut net.heads {
        found.push(Convolution::Norm(&mut head.class_hidden));
        found.push(Convolution::Bias(&mut head.class));
        found.push(Convolution::Norm(&mut head.distance_hidden));
        found.push(Convolution::Bias(&mut head.distance));
    }
    found
}

/// `scale` times the constant of that name, which must be of these extents.
fn parameter<B: Backend, const D: usize>(
    graph: &GraphProto,
    name: &str,
    dims: [usize; D],
    scale: f32,
    device: &B::Device,
) -> anyhow::Result<Param<Tensor<B, D>>> {
    let tensor =
        graph.initializer.iter().find(|tensor| tensor.name == name).with_context(|| {
            format!("the model has no constant {name}; it was not written by `umwelt train detector`")
        })?;
    let found: Vec<usize> = tensor.dims.iter().map(|&extent| extent as usize).collect();
    ensure!(
        found == dims,
        "the model is of another network: {name} is {found:?} there and {dims:?} here (another --preset?)"
    );
    let bytes = tensor.raw_data.as_deref().filter(|_| tensor.data_type == ElementType::F32.code());
    let bytes = bytes.with_context(|| format!("{name} is not stored as raw 32-bit floats"))?;
    let values: Vec<f32> =
        bytes.chunks_exact(4).map(|b| scale * f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    ensure!(values.len() == dims.iter().product::<usize>(), "{name} is cut off");
    Ok(Param::from_tensor(Tensor::from_data(TensorData::new(values, dims), device)))
}

/// Mean and mean square of one block's convolution, per channel, over all pictures.
struct Sums<B: Backend> {
    first: Tensor<B, 1>,
    second: Tensor<B, 1>,
}

/// Takes the statistics of the pictures out of weights and biases.
fn unfold<B: TrainingBackend>(
    net: &mut DetectorNet<B>,
    pictures: impl IntoIterator<Item = Tensor<B, 4>>,
) -> anyhow::Result<()> {
    let mut sums: Vec<Sums<B>> = Vec::new();
    let mut batches = 0;
    for batch in pictures {
        let mut number = 0;
        net.forward_through(batch, &mut |block: &ConvNorm<B>, x| {
            let options: PaddedConvOptions<2> =
                ConvOptions::new([block.stride; 2], [block.padding(); 2], [1, 1], 1).into();
            let y = conv2d(x.detach(), block.weight.val(), None, options);
            let channels = y.dims()[1];
            let mean = |y: Tensor<B, 4>| y.mean_dim(0).mean_dim(2).mean_dim(3).reshape([channels]).detach();
            let (first, second) = (mean(y.clone()), mean(y.clone().powi_scalar(2)));
            if let Some(sum) = sums.get_mut(number) {
                sum.first = sum.first.clone() + first;
                sum.second = sum.second.clone() + second;
            } else {
                sums.push(Sums { first, second });
            }
            number += 1;
            activation::relu(y + block.norm.beta.val().reshape([1, channels, 1, 1]))
        });
        batches += 1;
    }
    ensure!(batches > 0, "there are no pictures to measure the model on");
    let blocks = convolutions(net).into_iter().filter_map(|convolution| match convolution {
        Convolution::Norm(block) => Some(block),
        Convolution::Bias(_) => None,
    });
    for (block, sum) in blocks.zip(sums) {
        let mean = sum.first / batches as f64;
        let variance = (sum.second / batches as f64 - mean.clone().powi_scalar(2)).clamp_min(0.0);
        // The normalisation forgets how long the weights are, but not how far a step of the optimiser turns them: they get
        // the length of new ones.
        let [out, _, side, _] = block.weight.dims();
        let weight = block.weight.val();
        let length: f32 = weight.clone().powi_scalar(2).mean().into_scalar().elem();
        let scale = f64::from((2.0 / (out * side * side) as f32 / length.max(1e-20)).sqrt());
        block.weight = Param::from_tensor(weight.mul_scalar(scale).detach());
        let spread = (variance.clone() * (scale * scale)).add_scalar(block.norm.epsilon).sqrt();
        block.norm.gamma = Param::from_tensor((spread / scale).detach());
        block.norm.beta = Param::from_tensor((block.norm.beta.val() + mean.clone()).detach());
        block.norm.running_mean = RunningState::new(mean * scale);
        block.norm.running_var = RunningState::new(variance * (scale * scale));
    }
    Ok(())
}
