//! What a model does while it runs: answers, deadlines, paces, reloading, what it costs.

use std::{
    fs,
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
    base::{Status, Tick},
    inference::{
        InferencePlugin, InferenceSettings, Models, NamedTensors, RunError, Worker,
        graph_builder::{Dim, GraphBuilder},
        manifest::{MODEL_FILE, Manifest},
        onnx_file::{AttributeProto, ElementType},
        session::ModelSession,
        test_model::{identity_convolution, with_manifest},
    },
};

use super::{adder, cpu, endless, logarithm, runtime, write};

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
