//! Models as assets: what is refused at the door, what a model may do while it runs, which provider ran, and that nothing
//! is told to the outside. Tests that need ONNX Runtime say so and pass where it is not installed.

use std::{
    env,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bevy::{MinimalPlugins, app::App};
use ndarray::{Array, Array1, Array2, ArrayD};
use tempfile::TempDir;
use umwelt::{
    app::inference_places,
    base::{Problem, Status, Tick},
    inference::{
        InferencePlugin, InferenceSettings, Models, NamedTensors, RunError, Worker,
        graph_builder::{Dim, GraphBuilder, value_info},
        library::{self, LibraryError, LibraryPlaces, Runtime},
        manifest::{self, MANIFEST_FILE, MODEL_FILE, Manifest},
        model_folder::{CheckedModel, check_model},
        onnx_file::{AttributeProto, ElementType, ModelProto, StringStringEntryProto, TensorProto},
        provider::{Provider, ProviderChoice, SessionSettings},
        session::ModelSession,
        test_model::{identity_convolution, with_manifest},
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
    let manifest = Manifest { sha256: manifest::sha256_hex(&bytes), ..model.manifest.clone() };
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
fn a_model_computes_and_wrong_inputs_are_refused() {
    let Some(runtime) = runtime() else { return };
    let mut session = ModelSession::new(runtime, adder(0.5), &cpu()).expect("a session");
    let outputs = session.run(&NamedTensors::new().with("x", Array1::from(vec![1.0_f32, 2.0]))).expect("a result");
    assert_eq!(outputs.f32("y").expect("y").as_slice(), Some(&[1.5_f32, 2.5][..]));
    let wrong = session.run(&NamedTensors::new().with("x", Array2::<f32>::zeros((2, 2))));
    assert!(matches!(wrong, Err(RunError::WrongInput { .. })), "{wrong:?}");

    // An array whose axes were swapped is not row-major; its numbers must arrive in its order all the same.
    let mut convolution = ModelSession::new(runtime, identity_convolution(), &cpu()).expect("a session");
    let picture: ArrayD<f32> = Array::from_shape_fn((1, 1, 8, 8), |(_, _, y, x)| (8 * y + x) as f32).into_dyn();
    let turned = picture.clone().permuted_axes(ndarray::IxDyn(&[0, 1, 3, 2]));
    let outputs = convolution.run(&NamedTensors::new().with("x", turned.clone())).expect("a result");
    assert_eq!(outputs.f32("y"), Ok(&turned));
}

#[test]
fn numbers_that_are_not_finite_are_reported_and_not_used() {
    let Some(runtime) = runtime() else { return };
    let mut session = ModelSession::new(runtime, logarithm(), &cpu()).expect("a session");
    let bad = session.run(&NamedTensors::new().with("x", Array1::from(vec![1.0_f32, -1.0])));
    assert_eq!(bad, Err(RunError::NotFinite("y".into())));
    let good = session.run(&NamedTensors::new().with("x", Array1::from(vec![1.0_f32])));
    assert!(good.is_ok(), "a fault is not the end of the model: {good:?}");
}

#[test]
fn a_model_that_hangs_is_stopped_at_its_deadline() {
    let Some(runtime) = runtime() else { return };
    let mut session = ModelSession::new(runtime, endless(150), &cpu()).expect("a session");
    let inputs = NamedTensors::new().with("x", Array2::<f32>::eye(64));
    for attempt in 0..2 {
        let started = Instant::now();
        let result = session.run(&inputs);
        assert!(matches!(result, Err(RunError::Deadline(_))), "attempt {attempt}: {result:?}");
        // Generous upward, as the machine may be busy; an endless run would not end at all.
        assert!(started.elapsed() >= Duration::from_millis(150));
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn the_newest_request_wins_and_what_it_overtook_is_counted() {
    let Some(runtime) = runtime() else { return };
    let parent = TempDir::new().expect("a folder");
    let worker = Worker::start(runtime, write(parent.path(), "adder", &adder(1.0)), cpu());
    worker.wait_until_loaded().expect("loaded");

    // The first request occupies the thread until the last one is in.
    let (release, released) = std::sync::mpsc::channel::<()>();
    let encoded = Arc::new(AtomicUsize::new(0));
    let submit = |tick: u64, wait: Option<std::sync::mpsc::Receiver<()>>| {
        let encoded = Arc::clone(&encoded);
        worker.submit(
            Tick(tick),
            move |_| {
                encoded.fetch_add(1, Ordering::Relaxed);
                wait.map(|released| released.recv());
                NamedTensors::new().with("x", Array1::from(vec![tick as f32]))
            },
            |outputs, _| outputs.f32("y").expect("y")[[0]],
        );
    };
    submit(1, Some(released));
    while encoded.load(Ordering::Relaxed) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    (2..=5).for_each(|tick| submit(tick, None));
    assert!(worker.is_busy());
    release.send(()).expect("the thread waits");

    let answer = loop {
        match worker.poll::<f32>() {
            Some(answer) if answer.tick == Tick(5) => break answer,
            Some(answer) => assert_eq!(answer.tick, Tick(1), "ticks 2 to 4 are never run"),
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    assert_eq!(answer.result, Ok(6.0));
    let status = worker.status();
    assert_eq!((status.runs, status.drops, status.faults), (2, 3, 0));
    assert_eq!(encoded.load(Ordering::Relaxed), 2, "what is overtaken is not even encoded");
    assert!(status.took_ms.p95 >= status.took_ms.p50);
}

#[test]
fn lockstep_requests_are_all_answered_and_a_panic_is_a_fault() {
    let Some(runtime) = runtime() else { return };
    let parent = TempDir::new().expect("a folder");
    let worker = Worker::start(runtime, write(parent.path(), "adder", &adder(1.0)), cpu());
    worker.wait_until_loaded().expect("loaded");
    let run = |value: f32| {
        worker.run_blocking(
            Tick(7),
            move |_| NamedTensors::new().with("x", Array1::from(vec![value])),
            |outputs, manifest| (manifest.name.clone(), outputs.f32("y").expect("y")[[0]]),
        )
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|value| scope.spawn(move || (value, run(value as f32)))).collect();
        for caller in callers {
            let (value, answer) = caller.join().expect("no panic");
            assert_eq!(answer.expect("an answer").result, Ok(("adder".into(), value as f32 + 1.0)));
        }
    });
    let bad = worker.run_blocking(Tick(8), |_| -> NamedTensors { panic!("no picture") }, |_, _| ());
    assert_eq!(bad.expect("an answer").result, Err(RunError::Panicked("no picture".into())));
    assert!(run(1.0).is_ok(), "the thread lives on");
    let status = worker.status();
    assert_eq!((status.runs, status.drops, status.faults), (10, 0, 1));
}

#[test]
fn a_changed_model_is_reloaded_and_a_bad_change_keeps_the_old_one() {
    let Some(_) = runtime() else { return };
    let parent = TempDir::new().expect("a folder");
    let folder = write(parent.path(), "adder", &adder(1.0));
    let settings = InferenceSettings {
        models: parent.path().to_owned(),
        library: inference_places::library_places(),
        session: cpu(),
    };
    let mut models = Models::open(settings);
    models.wait_until_loaded();
    let ask = |models: &Models| {
        let worker = models.for_task("test").expect("a model");
        let encode = |_: &Manifest| NamedTensors::new().with("x", Array1::from(vec![0.0_f32]));
        let answer = worker.run_blocking(Tick(0), encode, |outputs, _| outputs.f32("y").expect("y")[[0]]);
        answer.expect("an answer").result.expect("a result")
    };
    assert_eq!(ask(&models), 1.0);

    // A cut-off file, as in the middle of a copy: reported, and the old model serves on.
    fs::write(folder.join(MODEL_FILE), b"half").expect("written");
    models.look_for_changes();
    wait_for(|| !models.statuses()[0].problems.is_empty());
    assert_eq!(ask(&models), 1.0);
    assert_eq!(models.statuses()[0].status, Status::Ready);

    write(parent.path(), "adder", &adder(2.0));
    models.look_for_changes();
    wait_for(|| models.statuses()[0].problems.is_empty());
    assert_eq!(ask(&models), 2.0);

    write(parent.path(), "late", &adder(3.0));
    models.look_for_changes();
    assert!(models.get("late").is_some(), "folders that appear are served");
}

#[test]
fn the_plugin_looks_for_changes_by_itself() {
    let Some(_) = runtime() else { return };
    let parent = TempDir::new().expect("a folder");
    let settings = InferenceSettings {
        models: parent.path().to_owned(),
        library: inference_places::library_places(),
        session: cpu(),
    };
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, InferencePlugin { settings }));
    app.update();
    assert!(app.world().resource::<Models>().statuses().is_empty());
    write(parent.path(), "adder", &adder(1.0));
    wait_for(|| {
        app.update();
        app.world().resource::<Models>().get("adder").is_some_and(Worker::is_ready)
    });
}

#[test]
fn a_worker_can_be_dropped_while_its_model_hangs() {
    let Some(runtime) = runtime() else { return };
    let parent = TempDir::new().expect("a folder");
    let worker = Worker::start(runtime, write(parent.path(), "endless", &endless(60_000)), cpu());
    worker.wait_until_loaded().expect("loaded");
    let encode = |_: &Manifest| NamedTensors::new().with("x", Array2::<f32>::eye(64));
    worker.submit(Tick(0), encode, |_, _| ());
    thread::sleep(Duration::from_millis(50));
    let started = Instant::now();
    drop(worker);
    assert!(started.elapsed() < Duration::from_secs(20), "the run's own deadline is a minute away");
}

/// Prints how much more processor time submit, encode, run and decode take than ONNX Runtime alone; run it by name with
/// `cargo test --release --test it overhead -- --ignored --nocapture`. Processor time of the whole process, as model
/// threads have a low priority and wait when the machine is busy.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a measurement, not a test"]
fn overhead_over_a_bare_run() {
    let Some(runtime) = runtime() else { return };
    for (size, channels) in [(32, 16), (80, 32), (160, 32)] {
        let shape = || [1, channels, size, size].map(Dim::Fixed);
        let mut graph = GraphBuilder::new("convolutions");
        let mut value = graph.input("x", ElementType::F32, shape());
        for layer in 0..4 {
            let weights = vec![0.01; channels * channels * 9];
            let weights = graph.weights_f32(&format!("w{layer}"), [channels, channels, 3, 3], &weights);
            value = graph.node("Conv", [&value, &weights], [AttributeProto::ints("pads", [1, 1, 1, 1])]);
        }
        let y = graph.node_named("Relu", [&value], ["y"], []);
        graph.output(&y[0], ElementType::F32, shape());
        let model = with_manifest("m", &graph.finish(), [("x", shape().to_vec())], [("y", shape().to_vec())]);
        let parent = TempDir::new().expect("a folder");
        let worker = Worker::start(runtime, write(parent.path(), "m", &model), cpu());
        worker.wait_until_loaded().expect("loaded");
        let mut bare = ModelSession::new(runtime, model, &cpu()).expect("a session");
        let picture = Array::<f32, _>::from_elem([1, channels, size, size], 0.5).into_dyn();
        let (mut ours, mut theirs) = (0.0, 0.0);
        const RUNS: usize = 60;
        for _ in 0..RUNS {
            let inputs = NamedTensors::new().with("x", picture.clone());
            let started = processor_ms();
            bare.time_bare_run(&inputs).expect("a run");
            theirs += (processor_ms() - started) / RUNS as f64;
            let (picture, started) = (picture.clone(), processor_ms());
            let answer = worker.run_blocking(
                Tick(0),
                move |_| NamedTensors::new().with("x", picture),
                |outputs, _| outputs.f32("y").expect("y")[[0, 0, 0, 0]],
            );
            ours += (processor_ms() - started) / RUNS as f64;
            answer.expect("an answer").result.expect("a result");
        }
        println!("{size}x{size}x{channels}: ours {ours:.3} ms, bare {theirs:.3} ms, ratio {:.3}", ours / theirs);
    }
}

/// Processor time that this process has used, in milliseconds.
#[cfg(target_os = "linux")]
fn processor_ms() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec`, which is there.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "every Linux has this clock");
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 * 1e-6
}

#[track_caller]
fn wait_for(mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not happen");
        thread::sleep(Duration::from_millis(2));
    }
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
