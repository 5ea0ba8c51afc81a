//! Models as assets: what is refused at the door, what a model may do while it runs, which provider ran, and that nothing
//! is told to the outside. Tests that need ONNX Runtime say so and pass where it is not installed.

mod door;
mod library_and_providers;
mod running;

use std::{
    fs,
    path::{Path, PathBuf},
};

use umwelt::{
    app::inference_places,
    inference::{
        graph_builder::{Dim, GraphBuilder, value_info},
        library::{self, Runtime},
        manifest::{MANIFEST_FILE, MODEL_FILE},
        model_folder::CheckedModel,
        onnx_file::{AttributeProto, ElementType},
        provider::{Provider, ProviderChoice, SessionSettings},
        test_model::with_manifest,
    },
};

/// The installed library; `None`, and a line that says so, where there is none.
fn runtime() -> Option<&'static Runtime> {
    let loaded = library::load(&inference_places::library_places());
    if let Err(error) = &loaded {
        eprintln!("SKIPPED: {error}");
    }
    loaded.ok()
}

fn cpu() -> SessionSettings {
    SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() }
}

fn vector() -> Vec<Dim> {
    vec!["n".into()]
}

/// `y` = `x` + `offset`, for vectors of any length.
fn adder(offset: f32) -> CheckedModel {
    let mut graph = GraphBuilder::new("adder");
    let x = graph.input("x", ElementType::F32, vector());
    let offset = graph.weights_f32("offset", [], &[offset]);
    let y = graph.node_named("Add", [&x, &offset], ["y"], []);
    graph.output(&y[0], ElementType::F32, vector());
    with_manifest("adder", &graph.finish(), [("x", vector())], [("y", vector())])
}

/// `y` = log `x`: NaN for negative numbers.
fn logarithm() -> CheckedModel {
    let mut graph = GraphBuilder::new("logarithm");
    let x = graph.input("x", ElementType::F32, vector());
    let y = graph.node_named("Log", [&x], ["y"], []);
    graph.output(&y[0], ElementType::F32, vector());
    with_manifest("logarithm", &graph.finish(), [("x", vector())], [("y", vector())])
}

/// Multiplies a 64×64 matrix with itself for years, if it is let.
fn endless(deadline_ms: u64) -> CheckedModel {
    const BOOL: i32 = 9;
    let square = || [64, 64].map(Dim::Fixed);
    let mut body = GraphBuilder::new("body");
    let product = body.node_named("MatMul", ["carried", "carried"], ["product"], []);
    let squashed = body.node_named("Tanh", [&product[0]], ["carried_on"], []);
    let goes_on = body.node_named("Identity", ["condition"], ["goes_on"], []);
    let mut body = body.into_graph();
    body.input = vec![
        value_info("iteration", ElementType::I64.code(), []),
        value_info("condition", BOOL, []),
        value_info("carried", ElementType::F32.code(), square()),
    ];
    body.output = vec![value_info(&goes_on[0], BOOL, []), value_info(&squashed[0], ElementType::F32.code(), square())];

    let mut graph = GraphBuilder::new("endless");
    let x = graph.input("x", ElementType::F32, square());
    let trips = graph.weights_i64("trips", [], &[i64::MAX]);
    let y = graph.node_named("Loop", [&trips, "", &x], ["y"], [AttributeProto::graph("body", body)]);
    graph.output(&y[0], ElementType::F32, square());
    let shape = square().to_vec();
    let mut model = with_manifest("endless", &graph.finish(), [("x", shape.clone())], [("y", shape)]);
    model.manifest.deadline_ms = Some(deadline_ms);
    model
}

/// Writes a model folder `name` in `parent`.
fn write(parent: &Path, name: &str, model: &CheckedModel) -> PathBuf {
    let folder = parent.join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(MODEL_FILE), &model.bytes).expect("a model file");
    fs::write(folder.join(MANIFEST_FILE), model.manifest.to_text().expect("text")).expect("a manifest");
    folder
}
