//! What is refused when a model folder is opened or checked.

use std::{fs, path::Path};

use tempfile::TempDir;
use umwelt::{
    base::Problem,
    inference::{
        manifest::{MANIFEST_FILE, MODEL_FILE, Manifest},
        model_folder::{CheckedModel, check_model},
        onnx_file::{ElementType, ModelProto, StringStringEntryProto, TensorProto},
    },
};

use super::{adder, endless, write};

/// The problems of a folder that holds `model` after `spoil` has been at it.
fn problems(model: &CheckedModel, spoil: impl FnOnce(&Path)) -> Vec<String> {
    let parent = TempDir::new().expect("a folder");
    let folder = write(parent.path(), "m", model);
    assert_eq!(check_model(&folder), [], "the model is good before it is spoilt");
    spoil(&folder);
    check_model(&folder).iter().map(Problem::to_string).collect()
}

/// The problems of a folder whose manifest was changed by `edit`.
fn problems_of_edited(model: &CheckedModel, edit: impl FnOnce(&mut Manifest)) -> Vec<String> {
    problems(model, |folder| {
        let mut manifest = model.manifest.clone();
        edit(&mut manifest);
        fs::write(folder.join(MANIFEST_FILE), manifest.to_text().expect("text")).expect("a manifest");
    })
}

/// A model whose graph was changed by `edit`; the hash is right, so that only the change is wrong.
fn edited_graph(model: &CheckedModel, edit: impl FnOnce(&mut ModelProto)) -> CheckedModel {
    let mut graph = ModelProto::from_bytes(&model.bytes).expect("a model");
    edit(&mut graph);
    let bytes = graph.to_bytes();
    let manifest = Manifest { sha256: umwelt::base::sha256_hex(&bytes), ..model.manifest.clone() };
    CheckedModel { manifest, bytes }
}

#[track_caller]
fn assert_one(problems: &[String], part: &str) {
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains(part), "{problems:#?} should say {part:?}");
}

#[test]
fn what_is_missing_or_damaged_is_refused_at_the_door() {
    let model = adder(1.0);
    let missing = problems(&model, |folder| fs::remove_file(folder.join(MODEL_FILE)).expect("removed"));
    assert_one(&missing, "model.onnx: is missing");
    let missing = problems(&model, |folder| fs::remove_file(folder.join(MANIFEST_FILE)).expect("removed"));
    assert_one(&missing, "model.ron: is missing");
    let cut = problems(&model, |folder| {
        fs::write(folder.join(MODEL_FILE), &model.bytes[..model.bytes.len() / 2]).expect("written");
    });
    assert_eq!(cut.len(), 2, "{cut:#?}");
    assert!(cut[0].contains("the sha-256 of model.onnx is"), "{cut:#?}");
    assert!(cut[1].contains("is not an ONNX model or is cut off"), "{cut:#?}");
    assert!(!check_model(Path::new("/nowhere/at/all")).is_empty());
}

#[test]
fn a_manifest_that_does_not_fit_its_graph_is_refused() {
    let model = adder(1.0);
    let wrong_hash = problems_of_edited(&model, |manifest| manifest.sha256 = "0".repeat(64));
    assert_one(&wrong_hash, "model.ron:");
    assert_one(&wrong_hash, "the sha-256 of model.onnx is");
    let wrong_shape = problems_of_edited(&model, |manifest| manifest.inputs[0].shape = vec![1.into(), 4.into()]);
    assert_one(&wrong_shape, "input \"x\" has shape [n] in the graph, not [1, 4]");
    let wrong_type = problems_of_edited(&model, |manifest| manifest.outputs[0].element = ElementType::I64);
    assert_one(&wrong_type, "output \"y\" holds f32 in the graph, not i64");
    let unknown = problems_of_edited(&model, |manifest| manifest.inputs[0].name = "xx".into());
    assert_eq!(unknown.len(), 2, "{unknown:#?}");
    assert!(unknown[0].contains("the graph has no input \"xx\" (did you mean \"x\"?)"), "{unknown:#?}");
}

#[test]
fn foreign_operators_and_foreign_files_are_refused() {
    let custom = edited_graph(&adder(1.0), |model| {
        model.graph.as_mut().expect("a graph").node[0].domain = "com.example".into();
    });
    let parent = TempDir::new().expect("a folder");
    let found: Vec<String> =
        check_model(&write(parent.path(), "custom", &custom)).iter().map(Problem::to_string).collect();
    assert_one(&found, "uses custom operators of domain \"com.example\"");

    // In a subgraph, where a first look does not find it.
    let external = edited_graph(&endless(100), |model| {
        let body = model.graph.as_mut().expect("a graph").node[0].attribute[0].g.as_mut().expect("a body");
        let location = StringStringEntryProto { key: "location".into(), value: "../../secret".into() };
        let tensor = TensorProto { raw_data: None, ..TensorProto::f32("w", [1], &[0.0]) };
        body.initializer.push(TensorProto { external_data: vec![location], data_location: 1, ..tensor });
    });
    let found: Vec<String> =
        check_model(&write(parent.path(), "external", &external)).iter().map(Problem::to_string).collect();
    assert_one(&found, "keeps tensor \"w\" in another file");

    let library = problems(&adder(1.0), |folder| fs::write(folder.join("operators.so.1"), "").expect("written"));
    assert_one(&library, "is a shared library");
}

#[test]
fn check_lists_the_problems_of_model_folders() {
    let parent = TempDir::new().expect("a folder");
    write(parent.path(), "good", &adder(1.0));
    let bad = write(parent.path(), "bad", &adder(2.0));
    fs::write(bad.join(MODEL_FILE), b"half").expect("written");
    let check = |path: &Path| {
        let program = env!("CARGO_BIN_EXE_umwelt");
        let output = std::process::Command::new(program).args(["check", "--json"]).arg(path).output().expect("it runs");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        (output.status.code(), answer["problems"].as_array().expect("a list").len())
    };
    assert_eq!(check(&parent.path().join("good")), (Some(0), 0));
    assert_eq!(check(&bad.join(MANIFEST_FILE)), (Some(1), 2));
    assert_eq!(check(parent.path()), (Some(1), 2));
}
