//! The library itself: absent, damaged, silent to the outside; and where its nodes really run.

use std::{
    env,
    fs::{self, OpenOptions},
};

use ndarray::{Array, ArrayD};
use tempfile::TempDir;
use umwelt::{
    app::inference_places,
    base::Status,
    inference::{
        NamedTensors, Worker,
        library::{self, LibraryError, LibraryPlaces},
        provider::{Provider, ProviderChoice, SessionSettings},
        session::ModelSession,
        test_model::identity_convolution,
    },
};

use super::{adder, runtime, write};

#[test]
fn a_truncated_library_is_refused_before_it_is_loaded() {
    let Ok(path) = inference_places::library_places().find() else {
        eprintln!("SKIPPED: no ONNX Runtime");
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let copy = folder.path().join("libonnxruntime.so.1.31.1");
    fs::copy(&path, &copy).expect("copied");
    let whole = fs::metadata(&copy).expect("there").len();
    library::inspect(&copy).expect("the whole library is good");
    for part in [whole - 4096, whole / 2, 2 << 20, 1000] {
        OpenOptions::new().write(true).open(&copy).expect("opened").set_len(part).expect("cut");
        let error = library::inspect(&copy).expect_err("a part is refused");
        assert!(matches!(error, LibraryError::Damaged { .. }), "{part} bytes: {error}");
    }
}

#[test]
fn without_a_library_every_model_says_so_and_the_app_goes_on() {
    let parent = TempDir::new().expect("a folder");
    write(parent.path(), "adder", &adder(1.0));
    let places = LibraryPlaces { named: Some(parent.path().join("libonnxruntime.so")), folders: Vec::new() };
    // A process has one runtime: where another test loaded it already, only the search can be looked at.
    assert!(matches!(places.find(), Err(LibraryError::Missing(_))));
    let worker = Worker::unavailable(&parent.path().join("adder"), LibraryError::Nowhere.to_string());
    let Status::Unavailable(reason) = worker.status().status else { panic!("not unavailable") };
    assert!(reason.contains("cargo xtask play"), "the remedy is part of {reason:?}");
}

#[test]
fn a_provider_that_is_asked_for_by_name_and_absent_is_an_error() {
    let Some(runtime) = runtime() else { return };
    // None of these is in the library that set-up brings on this platform.
    let absent = if cfg!(target_os = "macos") { Provider::DirectMl } else { Provider::CoreMl };
    for provider in [absent, Provider::Qnn] {
        let settings = SessionSettings { provider: ProviderChoice::Named(provider), ..Default::default() };
        let Err(error) = ModelSession::new(runtime, identity_convolution(), &settings) else {
            panic!("{provider} cannot be here");
        };
        let text = error.to_string();
        assert!(text.contains(provider.name()) && text.contains("--provider auto"), "{text}");
    }
}

#[test]
fn automatic_choice_names_the_provider_that_really_ran() {
    let Some(runtime) = runtime() else { return };
    let session = ModelSession::new(runtime, identity_convolution(), &SessionSettings::default()).expect("a session");
    let assignment = session.assignment();
    assert_eq!(assignment.nodes.values().sum::<usize>(), 1, "the record covers the graph's one node: {assignment:?}");
    let same =
        SessionSettings { provider: assignment.provider().parse().expect("one of our names"), ..Default::default() };
    assert!(ModelSession::new(runtime, identity_convolution(), &same).is_ok(), "and it is there by name too");
}

#[test]
fn the_webgpu_plugin_runs_the_same_convolution() {
    let Some(runtime) = runtime() else { return };
    let Some(plugin) = inference_places::webgpu_plugin() else {
        eprintln!("SKIPPED: no WebGPU plugin (UMWELT_WEBGPU_EP)");
        return;
    };
    if env::var_os("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER").is_none() {
        eprintln!("SKIPPED: ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER is not set, and this may be a machine without GPU");
        return;
    }
    let settings = SessionSettings {
        provider: ProviderChoice::Named(Provider::WebGpu),
        webgpu_plugin: Some(plugin),
        ..Default::default()
    };
    let mut session = ModelSession::new(runtime, identity_convolution(), &settings).expect("a session on WebGPU");
    assert_eq!(session.assignment().provider(), "webgpu");
    let picture: ArrayD<f32> = Array::from_shape_fn((1, 1, 8, 8), |(_, _, y, x)| (8 * y + x) as f32).into_dyn();
    let outputs = session.run(&NamedTensors::new().with("x", picture.clone())).expect("a result");
    let difference = (outputs.f32("y").expect("y") - &picture).mapv(f32::abs);
    assert!(difference.iter().all(|difference| *difference < 1e-4), "{difference}");
}

#[test]
fn nothing_is_told_to_the_outside() {
    use std::process::Command;
    if inference_places::library_places().find().is_err() {
        eprintln!("SKIPPED: no ONNX Runtime");
        return;
    }
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no strace");
        return;
    }
    let home = TempDir::new().expect("a folder");
    let models = home.path().join("models");
    write(&models, "adder", &adder(1.0));
    let trace = home.path().join("trace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=network,openat,mkdir,unlink,rename"])
        .arg("-o")
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_umwelt"))
        .args(["doctor", "--json", "--provider", "cpu", "--models"])
        .arg(&models)
        // The program has to switch telemetry off by itself.
        .env_remove(library::TELEMETRY_SWITCH)
        .env("HOME", home.path())
        .env_remove("XDG_CACHE_HOME")
        .output()
        .expect("strace runs");
    let trace = fs::read_to_string(&trace).expect("a trace");
    if trace.is_empty() {
        eprintln!("SKIPPED: strace may not trace here: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(answer["provider"], "cpu", "{answer}");
    assert_eq!(answer["models"][0]["status"], "ready", "{answer}");

    assert!(trace.contains("libonnxruntime"), "the trace covers the library's loading");
    let sockets = trace.lines().filter(|line| line.contains("socket(") || line.contains("connect("));
    let told: Vec<&str> = sockets.filter(|line| !line.contains("AF_UNIX") && !line.contains("AF_LOCAL")).collect();
    assert!(told.is_empty(), "{told:#?}");
    let names: Vec<&str> =
        trace.lines().filter(|line| line.contains("resolv.conf") || line.contains("Microsoft")).collect();
    assert!(names.is_empty(), "{names:#?}");
    assert!(!home.path().join(".cache/Microsoft").exists());
}
