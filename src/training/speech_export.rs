//! The speech model's network as an ONNX graph.
//!
//! In: a network of any backend. Out: a graph that takes any number of frames and the states of the recurrent layers, and
//! answers with log probabilities and the states to go on with. Operators are from the standard set only; the recurrent
//! layers are real `GRU` operators. Large networks keep their large weights as 16-bit floats, which halves the file.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};

use super::{
    gru_layer::GruLayer,
    speech_net::{SpeechNet, TimeConv},
};
use crate::{
    inference::{
        graph_builder::GraphBuilder,
        onnx_file::{AttributeProto, ElementType, ModelProto},
    },
    percepts::phones::OUTPUTS,
    signal::log_mel::BANDS,
};

/// Input: `[1, frames, BANDS]`, f32.
pub const FEATURES: &str = "features";
/// Input: `[layers, 1, hidden]`, f32; zeros before any sound.
pub const STATE: &str = "state";
/// Output: `[1, steps, OUTPUTS]`, f32, natural logarithms.
pub const LOG_PROBS: &str = "log_probs";
/// Output: what [`STATE`] is next.
pub const STATE_OUT: &str = "state_out";

/// Networks with more parameters are kept in 16 bits.
const MOST_IN_F32: usize = 2_000_000;

/// Puts weights into a graph: its builder, their name, shape and values; answers with their name.
type Keep = fn(&mut GraphBuilder, &str, &[usize], &[f32]) -> String;

/// The graph for one stream.
pub fn export_speech<B: Backend>(net: &SpeechNet<B>) -> ModelProto {
    let (layers, hidden) = (net.recurrent.len(), net.recurrent[0].hidden);
    let keep: Keep = if net.num_params() > MOST_IN_F32 {
        |graph, name, dims, data| graph.weights_f16(name, dims.iter().copied(), data)
    } else {
        |graph, name, dims, data| graph.weights_f32(name, dims.iter().copied(), data)
    };
    let mut graph = GraphBuilder::new("speech");
    let features = graph.input(FEATURES, ElementType::F32, [1.into(), "frames".into(), BANDS.into()]);
    let state = graph.input(STATE, ElementType::F32, [layers.into(), 1.into(), hidden.into()]);

    // Convolutions want channels before time.
    let mut x = graph.node("Transpose", [features], [AttributeProto::ints("perm", [0, 2, 1])]);
    for (index, convolution) in net.convolutions.iter().enumerate() {
        x = convolve(&mut graph, keep, convolution, index, &x);
    }
    // [1, channels, steps] to [steps, 1, channels], which recurrent operators want.
    let mut x = graph.node("Transpose", [x], [AttributeProto::ints("perm", [2, 0, 1])]);
    let axis = graph.weights_i64("directions", [1], &[1]);
    let mut states = Vec::with_capacity(layers);
    for (index, layer) in net.recurrent.iter().enumerate() {
        let from = graph.weights_i64(&format!("layer_{index}_from"), [1], &[index as i64]);
        let to = graph.weights_i64(&format!("layer_{index}_to"), [1], &[index as i64 + 1]);
        let before = graph.node("Slice", [&state, &from, &to], []);
        let (all, last) = recur(&mut graph, keep, layer, index, &x, &before);
        // [steps, directions, 1, hidden] to [steps, 1, hidden].
        x = graph.node("Squeeze", [&all, &axis], []);
        states.push(last);
    }
    graph.node_named("Concat", &states, [STATE_OUT], [AttributeProto::int("axis", 0)]);

    let weight = graph.weights_f32("output_weight", [hidden, OUTPUTS], &values(net.output.weight.val()));
    let bias = net.output.bias.as_ref().map_or(vec![0.0; OUTPUTS], |bias| values(bias.val()));
    let bias = graph.weights_f32("output_bias", [OUTPUTS], &bias);
    let x = graph.node("Transpose", [x], [AttributeProto::ints("perm", [1, 0, 2])]);
    let x = graph.node("MatMul", [&x, &weight], []);
    let x = graph.node("Add", [&x, &bias], []);
    graph.node_named("LogSoftmax", [&x], [LOG_PROBS], [AttributeProto::int("axis", 2)]);

    graph.output(LOG_PROBS, ElementType::F32, [1.into(), "steps".into(), OUTPUTS.into()]);
    graph.output(STATE_OUT, ElementType::F32, [layers.into(), 1.into(), hidden.into()]);
    graph.finish()
}

/// A convolution over time with its normalisation over channels and its rectifier; `[1, channels, time]` in and out.
fn convolve<B: Backend>(graph: &mut GraphBuilder, keep: Keep, block: &TimeConv<B>, index: usize, x: &str) -> String {
    let [rows, channels_out] = block.linear.weight.dims();
    let channels_in = rows / block.kernel;
    // [kernel · in, out] to [out, in, kernel].
    let weight = block.linear.weight.val().reshape([block.kernel, channels_in, channels_out]).permute([2, 1, 0]);
    let dims = [channels_out, channels_in, block.kernel];
    let weight = keep(graph, &format!("conv_{index}_weight"), &dims, &values(weight));
    let bias = block.linear.bias.as_ref().map_or(vec![0.0; channels_out], |bias| values(bias.val()));
    let bias = graph.weights_f32(&format!("conv_{index}_bias"), [channels_out], &bias);
    let attributes = [
        AttributeProto::ints("kernel_shape", [block.kernel as i64]),
        AttributeProto::ints("strides", [block.stride as i64]),
    ];
    let y = graph.node("Conv", [x, &weight, &bias], attributes);
    let y = graph.node("Transpose", [y], [AttributeProto::ints("perm", [0, 2, 1])]);
    let gamma = graph.weights_f32(&format!("norm_{index}_scale"), [channels_out], &values(block.norm.gamma.val()));
    let beta = block.norm.beta.as_ref().map_or(vec![0.0; channels_out], |beta| values(beta.val()));
    let beta = graph.weights_f32(&format!("norm_{index}_shift"), [channels_out], &beta);
    let epsilon = AttributeProto::float("epsilon", NORM_EPSILON);
    let y = graph.node("LayerNormalization", [&y, &gamma, &beta], [AttributeProto::int("axis", 2), epsilon]);
    let y = graph.node("Relu", [y], []);
    graph.node("Transpose", [y], [AttributeProto::ints("perm", [0, 2, 1])])
}

/// burn's default, which its layer does not tell.
const NORM_EPSILON: f32 = 1e-5;

/// One recurrent layer: all states `[steps, 1, 1, hidden]` and the last, `[1, 1, hidden]`.
fn recur<B: Backend>(
    graph: &mut GraphBuilder,
    keep: Keep,
    layer: &GruLayer<B>,
    index: usize,
    x: &str,
    before: &str,
) -> (String, String) {
    let hidden = layer.hidden;
    let inputs = layer.input_weight.dims()[1];
    // PyTorch's gates are r, z, n; ONNX's are z, r, h.
    let reordered = |weights: Vec<f32>, columns: usize| {
        let gate = hidden * columns;
        let mut reordered = weights[gate..2 * gate].to_vec();
        reordered.extend(&weights[..gate]);
        reordered.extend(&weights[2 * gate..]);
        reordered
    };
    let weight = reordered(values(layer.input_weight.val()), inputs);
    let weight = keep(graph, &format!("gru_{index}_input"), &[1, 3 * hidden, inputs], &weight);
    let recurrence = reordered(values(layer.hidden_weight.val()), hidden);
    let recurrence = keep(graph, &format!("gru_{index}_hidden"), &[1, 3 * hidden, hidden], &recurrence);
    let mut bias = reordered(values(layer.input_bias.val()), 1);
    bias.extend(reordered(values(layer.hidden_bias.val()), 1));
    let bias = graph.weights_f32(&format!("gru_{index}_bias"), [1, 6 * hidden], &bias);
    let outputs = [format!("gru_{index}_all"), format!("gru_{index}_last")];
    let attributes = [AttributeProto::int("hidden_size", hidden as i64), AttributeProto::int("linear_before_reset", 1)];
    graph.node_named("GRU", [x, &weight, &recurrence, &bias, "", before], &outputs, attributes);
    let [all, last] = outputs;
    (all, last)
}

/// All elements, row-major.
fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
