//! A very small generator that keeps all promises of [`super::generator`], made on the spot: for tests.
//!
//! Its colours come from the material's shares, the style and the latent, enlarged with wrap-around; its relief from the
//! latent and the grain. Nothing about it is trained.

use crate::{
    base::Seed,
    inference::{
        graph_builder::{Dim, GraphBuilder},
        manifest::Setting,
        model_folder::CheckedModel,
        onnx_file::{AttributeProto, ElementType},
        test_model::with_manifest,
    },
    scene::DREAM_CELL,
    signal::normal_draws,
};

/// The materials of [`test_generator`].
pub const TEST_MATERIALS: [&str; 4] = ["bricks", "marble", "moss", "wood"];
const STYLE: usize = 64;
const LATENT: usize = 16;

/// The model and its manifest.
pub fn test_generator() -> CheckedModel {
    let materials = TEST_MATERIALS.len();
    let shapes: [(&str, Vec<Dim>); 4] = [
        ("material", vec![1.into(), materials.into()]),
        ("style", vec![1.into(), STYLE.into()]),
        ("latent", vec![1.into(), LATENT.into(), "h".into(), "w".into()]),
        ("grain", vec![1.into(), 1.into(), "rows".into(), "columns".into()]),
    ];
    let map = |channels: usize| vec![1.into(), channels.into(), "rows".into(), "columns".into()];
    let outputs: [(&str, Vec<Dim>); 4] =
        [("base_color", map(3)), ("height", map(1)), ("roughness", map(1)), ("metalness", map(1))];
    let mut graph = GraphBuilder::new("dreams of tests");
    for (name, shape) in &shapes {
        graph.input(name, ElementType::F32, shape.iter().cloned());
    }
    let weights = |purpose: &str, count: usize, scale: f32| -> Vec<f32> {
        normal_draws(count, &mut Seed(3).derive(purpose).rng()).into_iter().map(|draw| draw * scale).collect()
    };

    // Six channels per cell: colour, height, roughness, metalness.
    let kernel = graph.weights_f32("kernel", [6, LATENT, 1, 1], &weights("kernel", 6 * LATENT, 0.3));
    let cells = graph.node("Conv", [graph_name("latent"), kernel], []);
    let of_material = graph.weights_f32("of_material", [materials, 6], &weights("material", materials * 6, 1.0));
    let of_style = graph.weights_f32("of_style", [STYLE, 6], &weights("style", STYLE * 6, 0.05));
    let material = graph.node("MatMul", [graph_name("material"), of_material], []);
    let style = graph.node("MatMul", [graph_name("style"), of_style], []);
    let offset = graph.node("Add", [material, style], []);
    let channels = graph.weights_i64("channels", [4], &[1, 6, 1, 1]);
    let offset = graph.node("Reshape", [offset, channels], []);
    let cells = graph.node("Add", [cells, offset], []);

    // Enlarged by 32 with a bilinear kernel; one cell of wrap-around on each side is put on before and cut off after.
    let padded = wrapped(&mut graph, &cells, 2);
    let padded = wrapped(&mut graph, &padded, 3);
    let scales = graph.weights_f32("scales", [4], &[1.0, 1.0, DREAM_CELL as f32, DREAM_CELL as f32]);
    let mode = AttributeProto::string("mode", "linear");
    let large = graph.node("Resize", [padded.as_str(), "", scales.as_str()], [mode]);
    let starts = graph.weights_i64("starts", [2], &[i64::from(DREAM_CELL); 2]);
    let ends = graph.weights_i64("ends", [2], &[-i64::from(DREAM_CELL); 2]);
    let axes = graph.weights_i64("axes", [2], &[2, 3]);
    let large = graph.node("Slice", [large, starts, ends, axes], []);

    let strength = graph.weights_f32("strength", [1, 6, 1, 1], &[0.15, 0.15, 0.15, 0.6, 0.1, 0.0]);
    let grain = graph.node("Mul", [graph_name("grain"), strength], []);
    let sum = graph.node("Add", [large, grain], []);
    let all = graph.node("Sigmoid", [sum], []);
    let parts = AttributeProto::int("axis", 1);
    let split = graph.weights_i64("split", [4], &[3, 1, 1, 1]);
    graph.node_named("Split", [all, split], outputs.iter().map(|(name, _)| *name), [parts]);
    for (name, shape) in &outputs {
        graph.output(name, ElementType::F32, shape.iter().cloned());
    }

    let mut model = with_manifest("texture", &graph.finish(), shapes, outputs);
    model.manifest.task = super::TASK.to_owned();
    model.manifest.labels = TEST_MATERIALS.map(str::to_owned).into();
    let numbers = |values: [f64; TEST_MATERIALS.len()]| Setting::Numbers(values.into());
    model.manifest.preprocessing = [
        ("cell".to_owned(), Setting::Number(f64::from(DREAM_CELL))),
        ("relief".to_owned(), numbers([0.04, 0.01, 0.05, 0.02])),
        ("extent_m".to_owned(), numbers([1.2, 1.0, 0.8, 1.5])),
    ]
    .into();
    model
}

fn graph_name(input: &str) -> String {
    input.to_owned()
}

/// The last slice along `axis` before the first, the first behind the last.
fn wrapped(graph: &mut GraphBuilder, value: &str, axis: i64) -> String {
    let index =
        |graph: &mut GraphBuilder, what: &str, at: i64| graph.weights_i64(&format!("{what}_{axis}"), [1], &[at]);
    let (zero, one) = (index(graph, "zero", 0), index(graph, "one", 1));
    let (last, end) = (index(graph, "last", -1), index(graph, "end", i64::MAX));
    let along = index(graph, "along", axis);
    let behind = graph.node("Slice", [value, last.as_str(), end.as_str(), along.as_str()], []);
    let first = graph.node("Slice", [value, zero.as_str(), one.as_str(), along.as_str()], []);
    graph.node("Concat", [behind.as_str(), value, first.as_str()], [AttributeProto::int("axis", axis)])
}
