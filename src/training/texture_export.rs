//! The generator of textures as an ONNX graph.
//!
//! In: a generator of any backend. Out: a graph of the standard operators that takes a wish and answers with four kinds of
//! maps, for any number of cells. Normalisations are folded into the convolutions; edges wrap by slices of the opposite edge.

use burn::{module::Param, nn::Linear, tensor::Tensor, tensor::backend::Backend};

use super::{
    backend::TrainingBackend,
    conv_block::values,
    texture_net::{CELL, Generator, Level, TextureShape, grain_offset},
};
use crate::inference::{
    graph_builder::{Dim, GraphBuilder},
    onnx_file::{AttributeProto, ElementType, ModelProto},
};

/// Inputs, in this order, all f32: name and shape.
pub fn inputs(shape: &TextureShape) -> [(&'static str, Vec<Dim>); 4] {
    let named = |name: &str| Dim::Named(name.to_owned());
    [
        ("material", vec![1.into(), shape.materials.into()]),
        ("style", vec![1.into(), shape.style.into()]),
        ("latent", vec![1.into(), shape.latent.into(), named("h"), named("w")]),
        ("grain", vec![1.into(), 1.into(), named("rows"), named("columns")]),
    ]
}

/// Outputs, all f32, 0 to 1: name and channels of `[1, channels, rows, columns]`.
pub const OUTPUTS: [(&str, usize); 4] = [("base_color", 3), ("height", 1), ("roughness", 1), ("metalness", 1)];

/// The graph.
pub fn export_texture<B: TrainingBackend>(net: &Generator<B>, shape: &TextureShape) -> ModelProto {
    let mut export = Export { graph: GraphBuilder::new("texture"), weights: 0 };
    for (name, dims) in inputs(shape) {
        export.graph.input(name, ElementType::F32, dims);
    }
    let of_material = export.linear(&net.of_material, "material");
    let of_style = export.linear(&net.of_style, "style");
    let code = export.graph.node("Add", [of_material, of_style], []);
    let code = export.graph.node("Relu", [code], []);
    let code = export.linear(&net.mapping, &code);
    let code = export.graph.node("Relu", [code], []);
    let doubling = export.graph.weights_f32("doubling", [4], &[1.0, 1.0, 2.0, 2.0]);

    let mut x = "latent".to_owned();
    for (level, block) in net.levels.iter().enumerate() {
        if level > 0 {
            let attributes = [
                AttributeProto::string("mode", "nearest"),
                AttributeProto::string("coordinate_transformation_mode", "asymmetric"),
                AttributeProto::string("nearest_mode", "floor"),
            ];
            let doubled = export.graph.node("Resize", [x.as_str(), "", &doubling], attributes);
            let step = CELL >> level;
            let offset = grain_offset(step) as i64;
            let grain = export.slice("grain", &[offset; 2], &[i64::MAX; 2], &[2, 3], step as i64);
            x = export.graph.node("Concat", [doubled, grain], [AttributeProto::int("axis", 1)]);
        }
        x = export.level(block, &x, &code);
    }
    let (weight, bias) = (values(net.maps.weight.val()), values(net.maps.bias.val()));
    let x = export.wrapped_conv(&x, &weight, &bias, net.maps.weight.dims());
    let maps = export.graph.node("Sigmoid", [x], []);
    let mut first = 0;
    for (name, channels) in OUTPUTS {
        let part = export.slice(&maps, &[first], &[first + channels as i64], &[1], 1);
        export.graph.node_named("Identity", [part], [name], []);
        let dims = [1.into(), channels.into(), Dim::Named("rows".into()), Dim::Named("columns".into())];
        export.graph.output(name, ElementType::F32, dims);
        first += channels as i64;
    }
    export.graph.finish()
}

struct Export {
    graph: GraphBuilder,
    /// Weight tensors so far; part of their names.
    weights: usize,
}

impl Export {
    fn f32s(&mut self, dims: &[usize], data: &[f32]) -> String {
        self.weights += 1;
        self.graph.weights_f32(&format!("weight_{}", self.weights), dims.iter().copied(), data)
    }

    fn i64s(&mut self, data: &[i64]) -> String {
        self.weights += 1;
        self.graph.weights_i64(&format!("numbers_{}", self.weights), [data.len()], data)
    }

    fn linear<B: Backend>(&mut self, linear: &Linear<B>, x: &str) -> String {
        let [inputs, outputs] = linear.weight.dims();
        let bias = bias_of(&linear.bias, outputs);
        self.affine(x, inputs, &values(linear.weight.val()), &bias)
    }

    /// `x · weight + bias`, weight row by row `[inputs, outputs]`.
    fn affine(&mut self, x: &str, inputs: usize, weight: &[f32], bias: &[f32]) -> String {
        let weight = self.f32s(&[inputs, bias.len()], weight);
        let bias = self.f32s(&[bias.len()], bias);
        let product = self.graph.node("MatMul", [x, &weight], []);
        self.graph.node("Add", [&product, &bias], [])
    }

    fn level<B: TrainingBackend>(&mut self, level: &Level<B>, x: &str, code: &str) -> String {
        let dims = level.first.weight.dims();
        let (weight, bias) = level.first.folded(1.0);
        let x = self.wrapped_conv(x, &weight, &bias, dims);
        // The modulation's one matrix as two: scales (with the 1 that they are told without) and shifts.
        let linear = &level.modulation.linear;
        let ([inputs, both], channels) = (linear.weight.dims(), dims[0]);
        let (weight, bias) = (values(linear.weight.val()), bias_of(&linear.bias, both));
        let [scale, shift] = [0, channels].map(|first| {
            let part: Vec<f32> =
                weight.chunks_exact(both).flat_map(|row| row[first..first + channels].to_vec()).collect();
            let one = if first == 0 { 1.0 } else { 0.0 };
            let bias: Vec<f32> = bias[first..first + channels].iter().map(|value| value + one).collect();
            let told = self.affine(code, inputs, &part, &bias);
            let shape = self.i64s(&[1, channels as i64, 1, 1]);
            self.graph.node("Reshape", [&told, &shape], [])
        });
        let x = self.graph.node("Mul", [&x, &scale], []);
        let x = self.graph.node("Add", [&x, &shift], []);
        let x = self.graph.node("Relu", [&x], []);
        let Some(second) = &level.second else { return x };
        let (weight, bias) = second.folded(1.0);
        let x = self.wrapped_conv(&x, &weight, &bias, second.weight.dims());
        self.graph.node("Relu", [&x], [])
    }

    /// A 3×3 convolution on a picture that wraps around.
    fn wrapped_conv(&mut self, x: &str, weight: &[f32], bias: &[f32], dims: [usize; 4]) -> String {
        let mut x = x.to_owned();
        for axis in [2, 3] {
            let last = self.slice(&x, &[-1], &[i64::MAX], &[axis], 1);
            let first = self.slice(&x, &[0], &[1], &[axis], 1);
            x = self.graph.node("Concat", [&last, &x, &first], [AttributeProto::int("axis", axis)]);
        }
        let weight = self.f32s(&dims, weight);
        let bias = self.f32s(&[dims[0]], bias);
        self.graph.node("Conv", [&x, &weight, &bias], [AttributeProto::ints("kernel_shape", [3, 3])])
    }

    fn slice(&mut self, x: &str, starts: &[i64], ends: &[i64], axes: &[i64], step: i64) -> String {
        let [starts, ends, axes, steps] = [starts, ends, axes, &vec![step; axes.len()]].map(|values| self.i64s(values));
        self.graph.node("Slice", [x, &starts, &ends, &axes, &steps], [])
    }
}

fn bias_of<B: Backend>(bias: &Option<Param<Tensor<B, 1>>>, outputs: usize) -> Vec<f32> {
    bias.as_ref().map_or_else(|| vec![0.0; outputs], |bias| values(bias.val()))
}
