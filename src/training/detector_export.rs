//! The detector's network as an ONNX graph.
//!
//! In: a network of any backend. Out: a graph that takes a picture's bytes and answers with boxes in pixels and scores
//! (see `percepts::detector`). Normalisations are folded into the convolutions before them, the scaling of pixels into the
//! first; distances are decoded to boxes in the graph. Operators are from the standard set only; batch and size are fixed.

use burn::tensor::backend::Backend;

use super::{
    conv_block::{ConvBias, ConvNorm, values},
    detector_net::{DISTANCE_BINS, DetectorNet, Head, Stage, cells},
};
use crate::inference::{
    graph_builder::GraphBuilder,
    onnx_file::{AttributeProto, ElementType, ModelProto},
};

/// Name of the input: `[1, side, side, 3]`, u8, RGB.
pub const INPUT: &str = "image";
/// Name of the first output: `[1, cells, 4]`, f32, x, y, width, height in pixels.
pub const BOXES: &str = "boxes";
/// Name of the second output: `[1, cells, classes]`, f32, 0 to 1.
pub const SCORES: &str = "scores";

/// Name of the constant that doubles height and width.
const DOUBLING: &str = "doubling";

/// The graph for pictures of `side` × `side` pixels, a multiple of 32.
pub fn export_detector<B: Backend>(net: &DetectorNet<B>, classes: usize, side: usize) -> ModelProto {
    let mut export = Export { graph: GraphBuilder::new("detector"), weights: 0 };
    let graph = &mut export.graph;
    let image = graph.input(INPUT, ElementType::U8, [1, side, side, 3].map(Into::into));
    let image = graph.node("Cast", [image], [AttributeProto::int("to", i64::from(ElementType::F32.code()))]);
    let image = graph.node("Transpose", [image], [AttributeProto::ints("perm", [0, 3, 1, 2])]);

    graph.weights_f32(DOUBLING, [4], &[1.0, 1.0, 2.0, 2.0]);

    let x = export.conv_norm_scaled(&net.stem, &image, 1.0 / 255.0);
    let x4 = export.stage(&net.stages[0], &x);
    let x8 = export.stage(&net.stages[1], &x4);
    let x16 = export.stage(&net.stages[2], &x8);
    let x32 = export.stage(&net.stages[3], &x16);

    let p32 = export.conv_norm(&net.laterals[2], &x32);
    let l16 = export.conv_norm(&net.laterals[1], &x16);
    let sum = export.sum_with_doubled(&l16, &p32);
    let p16 = export.conv_norm(&net.upward[1], &sum);
    let l8 = export.conv_norm(&net.laterals[0], &x8);
    let sum = export.sum_with_doubled(&l8, &p16);
    let p8 = export.conv_norm(&net.upward[0], &sum);
    let down = export.conv_norm(&net.downward[0], &p8);
    let p16 = export.graph.node("Add", [&p16, &down], []);
    let down = export.conv_norm(&net.downward[1], &p16);
    let p32 = export.graph.node("Add", [&p32, &down], []);

    let (logits, distances): (Vec<_>, Vec<_>) =
        [p8, p16, p32].iter().zip(&net.heads).map(|(x, head)| export.head(head, x, classes)).unzip();
    let graph = &mut export.graph;
    let concat =
        |graph: &mut GraphBuilder, parts: &[String]| graph.node("Concat", parts, [AttributeProto::int("axis", 1)]);
    let logits = concat(graph, &logits);
    graph.node_named("Sigmoid", [&logits], [SCORES], []);

    // Each side at the mean of its distribution, in cells: [1, cells, 4, bins] · [bins, 1].
    let distances = concat(graph, &distances);
    let grid = cells(side, side);
    let shape = graph.weights_i64("by_side", [4], &[1, grid.len() as i64, 4, DISTANCE_BINS as i64]);
    let distances = graph.node("Reshape", [&distances, &shape], []);
    let shares = graph.node("Softmax", [&distances], [AttributeProto::int("axis", 3)]);
    let bins: Vec<f32> = (0..DISTANCE_BINS).map(|bin| bin as f32).collect();
    let bins = graph.weights_f32("bins", [DISTANCE_BINS, 1], &bins);
    let means = graph.node("MatMul", [&shares, &bins], []);
    let shape = graph.weights_i64("sides", [3], &[1, grid.len() as i64, 4]);
    let means = graph.node("Reshape", [&means, &shape], []);
    // (left, top, right, bottom) to (x, y, width, height): a 4×4 matrix, the cell's stride, the cell's centre.
    #[rustfmt::skip]
    let corners = graph.weights_f32("corners", [4, 4], &[
        -1.0,  0.0, 1.0, 0.0,
         0.0, -1.0, 0.0, 1.0,
         0.0,  0.0, 1.0, 0.0,
         0.0,  0.0, 0.0, 1.0,
    ]);
    let strides: Vec<f32> = grid.iter().map(|cell| cell.stride).collect();
    let strides = graph.weights_f32("strides", [1, grid.len(), 1], &strides);
    let centers: Vec<f32> = grid.iter().flat_map(|cell| [cell.center[0], cell.center[1], 0.0, 0.0]).collect();
    let centers = graph.weights_f32("centers", [1, grid.len(), 4], &centers);
    let boxes = graph.node("MatMul", [&means, &corners], []);
    let boxes = graph.node("Mul", [&boxes, &strides], []);
    graph.node_named("Add", [&boxes, &centers], [BOXES], []);

    graph.output(BOXES, ElementType::F32, [1, grid.len(), 4].map(Into::into));
    graph.output(SCORES, ElementType::F32, [1, grid.len(), classes].map(Into::into));
    export.graph.finish()
}

struct Export {
    graph: GraphBuilder,
    /// Weight tensors so far; part of their names.
    weights: usize,
}

impl Export {
    fn conv_norm<B: Backend>(&mut self, block: &ConvNorm<B>, x: &str) -> String {
        self.conv_norm_scaled(block, x, 1.0)
    }

    /// The block on `scale · x`.
    fn conv_norm_scaled<B: Backend>(&mut self, block: &ConvNorm<B>, x: &str, scale: f32) -> String {
        let (weight, bias) = block.folded(scale);
        let dims = block.weight.dims();
        let y = self.conv(x, &weight, &bias, dims, block.stride, block.padding());
        if block.rectified { self.graph.node("Relu", [&y], []) } else { y }
    }

    fn conv_bias<B: Backend>(&mut self, block: &ConvBias<B>, x: &str) -> String {
        let (weight, bias) = (values(block.weight.val()), values(block.bias.val()));
        self.conv(x, &weight, &bias, block.weight.dims(), 1, 0)
    }

    fn conv(
        &mut self,
        x: &str,
        weight: &[f32],
        bias: &[f32],
        dims: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> String {
        let number = self.weights;
        self.weights += 1;
        let weight = self.graph.weights_f32(&format!("weight_{number}"), dims, weight);
        let bias = self.graph.weights_f32(&format!("bias_{number}"), [dims[0]], bias);
        let attributes = [
            AttributeProto::ints("kernel_shape", [dims[2] as i64, dims[3] as i64]),
            AttributeProto::ints("strides", [stride as i64; 2]),
            AttributeProto::ints("pads", [padding as i64; 4]),
        ];
        self.graph.node("Conv", [x, &weight, &bias], attributes)
    }

    fn stage<B: Backend>(&mut self, stage: &Stage<B>, x: &str) -> String {
        let mut x = self.conv_norm(&stage.down, x);
        for block in &stage.blocks {
            let narrow = self.conv_norm(&block.narrow, &x);
            let wide = self.conv_norm(&block.widen, &narrow);
            x = self.graph.node("Add", [&x, &wide], []);
        }
        x
    }

    fn sum_with_doubled(&mut self, fine: &str, coarse: &str) -> String {
        let attributes = [
            AttributeProto::string("mode", "nearest"),
            AttributeProto::string("coordinate_transformation_mode", "asymmetric"),
            AttributeProto::string("nearest_mode", "floor"),
        ];
        let doubled = self.graph.node("Resize", [coarse, "", DOUBLING], attributes);
        self.graph.node("Add", [fine, &doubled], [])
    }

    /// Class logits `[1, cells, classes]` and distance logits `[1, cells, 4 · bins]` of one grid.
    fn head<B: Backend>(&mut self, head: &Head<B>, x: &str, classes: usize) -> (String, String) {
        let hidden = self.conv_norm(&head.class_hidden, x);
        let class = self.conv_bias(&head.class, &hidden);
        let hidden = self.conv_norm(&head.distance_hidden, x);
        let distance = self.conv_bias(&head.distance, &hidden);
        (self.by_cell(&class, classes), self.by_cell(&distance, 4 * DISTANCE_BINS))
    }

    fn by_cell(&mut self, x: &str, channels: usize) -> String {
        let x = self.graph.node("Transpose", [x], [AttributeProto::ints("perm", [0, 2, 3, 1])]);
        let name = format!("by_cell_{channels}_{}", self.weights);
        let shape = self.graph.weights_i64(&name, [3], &[1, -1, channels as i64]);
        self.graph.node("Reshape", [&x, &shape], [])
    }
}
