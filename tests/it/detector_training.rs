//! The detector's way from pictures to a model folder: it learns what it is shown, goes on where it was stopped, and the
//! exported model says what the network says.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use burn::{
    backend::{Autodiff, Flex},
    module::AutodiffModule,
    tensor::{Tensor, TensorData},
};
use image::RgbImage;
use umwelt::{
    app::inference_places,
    base::Seed,
    evaluation::Detector,
    inference::{
        NamedTensors, library,
        provider::{Provider, ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    signal::sigmoid,
    training::{
        assignment::decode_box,
        backend::TrainingBackend,
        checkpoint,
        detector_export::export_detector,
        detector_import::import_detector,
        detector_model::{DetectorFacts, SIDE, write_detector},
        detector_net::{DISTANCE_BINS, DetectorNet, NetShape, RawAnswers, cells},
        detector_training::{CurvePoint, DetectorSettings, new_detector, train_detector},
        drawn_shapes::{SHAPES, drawn_shapes},
        fitting::{FitSettings, Report},
        frames::FrameSet,
        schedule::Budget,
    },
};

type B = Autodiff<Flex>;

fn tiny(classes: usize) -> NetShape {
    NetShape { classes, widths: [8, 16, 24, 32, 48], depths: [0, 1, 1, 1], pyramid: 24 }
}

fn settings(classes: usize, steps: usize) -> DetectorSettings {
    let usual = DetectorSettings::cpu(classes);
    let fit = FitSettings { peak_rate: 6e-3, budget: Budget::Steps(steps), validations: 2, ..usual.fit };
    DetectorSettings { shape: tiny(classes), batch: 8, fit, augmented: false, ..usual }
}

/// 32 pictures; with `classes` 1 all shapes are of one class.
fn pictures(classes: usize) -> FrameSet {
    let mut frames = drawn_shapes(32, 96, Seed(11));
    for label in frames.labels.iter_mut().flatten() {
        label.class %= classes;
    }
    frames
}

fn train(classes: usize, steps: usize, stop_at: usize, run: &Path) -> Vec<CurvePoint> {
    let frames = pictures(classes);
    let stop = AtomicBool::new(false);
    let mut report = |report| {
        if let Report::Step { step, .. } = report {
            stop.store(step >= stop_at, Ordering::Relaxed);
        }
    };
    let device = Default::default();
    let settings = settings(classes, steps);
    let net = new_detector::<B>(&settings, &device);
    train_detector::<B>(net, &settings, Arc::new(frames.clone()), &frames, run, &device, &stop, &mut report)
        .expect("trained")
        .1
}

#[test]
#[ignore = "takes a minute or two"]
fn boxes_of_thirty_two_pictures_are_learnt_by_heart() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let curve = train(1, 400, usize::MAX, run.path());
    let last = curve.last().expect("validated at the end");
    assert!(last.map50 > 0.95, "{curve:?}");
}

#[test]
#[ignore = "takes minutes"]
fn names_of_thirty_two_pictures_are_learnt_by_heart() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let curve = train(SHAPES, 1500, usize::MAX, run.path());
    let last = curve.last().expect("validated at the end");
    assert!(last.map50 > 0.95, "{curve:?}");
}

#[test]
fn a_stopped_training_goes_on_where_it_was() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let curve = train(1, 12, 5, run.path());
    assert_eq!(curve.last().map(|point| point.step), Some(5));
    let saved = checkpoint::load_progress::<CurvePoint>(run.path()).expect("readable").expect("there");
    assert_eq!(saved.step, 5);
    let curve = train(1, 12, usize::MAX, run.path());
    assert_eq!(curve.last().map(|point| point.step), Some(12));
    assert!(curve[0].step == 5, "the curve keeps its beginning: {curve:?}");
}

/// Runs the network as the training library does: boxes and scores of one picture, cell by cell.
fn answers_of<T: TrainingBackend>(net: &DetectorNet<T>, pixels: &[u8]) -> (Vec<f32>, Vec<f32>) {
    let data: Vec<f32> = pixels.iter().map(|&value| f32::from(value) / 255.0).collect();
    let picture = Tensor::<T, 4>::from_data(TensorData::new(data, [1, SIDE, SIDE, 3]), &Default::default());
    let answers = net.forward(picture.permute([0, 3, 1, 2]));
    let scores = answers.classes.into_data().iter::<f32>().map(sigmoid).collect();
    let distances: Vec<f32> = answers.distances.into_data().iter::<f32>().collect();
    let boxes = cells(SIDE, SIDE)
        .iter()
        .zip(distances.chunks_exact(4 * DISTANCE_BINS))
        .flat_map(|(cell, logits)| {
            let found = decode_box(cell, logits);
            [found.x, found.y, found.width, found.height]
        })
        .collect();
    (boxes, scores)
}

#[test]
fn the_exported_model_says_what_the_network_says() {
    let runtime = match library::load(&inference_places::library_places()) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    <Flex as burn::tensor::backend::Backend>::seed(&Default::default(), 3);
    // A training pass or two, so that the running statistics are not the identity.
    let net = DetectorNet::<B>::new(&tiny(SHAPES), &Default::default());
    let frames = drawn_shapes(2, SIDE, Seed(5));
    let data: Vec<f32> = frames.pixels.iter().map(|&value| f32::from(value) / 255.0).collect();
    for _ in 0..2 {
        let pictures = Tensor::from_data(TensorData::new(data.clone(), [2, SIDE, SIDE, 3]), &Default::default());
        net.forward(pictures.permute([0, 3, 1, 2]));
    }
    let net = net.valid();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let labels = (0..SHAPES).map(|shape| format!("shape {shape}")).collect();
    let facts = DetectorFacts { labels, confidence: 0.4, seed: Seed(3), card: "test".into() };
    write_detector(folder.path(), &net, &facts).expect("written");

    let cpu = SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() };
    let mut session = ModelSession::open(runtime, folder.path(), &cpu).expect("passes the door");
    let image = ndarray::Array::from_shape_vec([1, SIDE, SIDE, 3], frames.frame(0).to_vec()).expect("of this shape");
    let outputs = session.run(&NamedTensors::new().with("image", image)).expect("ran");
    let (boxes, scores) = answers_of(&net, frames.frame(0));
    let apart = |a: &[f32], b: Vec<f32>| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let (told_boxes, told_scores) = (outputs.f32("boxes").expect("boxes"), outputs.f32("scores").expect("scores"));
    let scores_apart = apart(told_scores.as_slice().expect("row-major"), scores);
    // In units of the picture's side, as scores are in units of certainty.
    let boxes_apart = apart(told_boxes.as_slice().expect("row-major"), boxes) / SIDE as f32;
    assert!(scores_apart <= 1e-4 && boxes_apart <= 1e-4, "scores differ by {scores_apart}, boxes by {boxes_apart}");

    let mut detector = Detector::new(session).expect("a detector");
    let picture = RgbImage::from_raw(SIDE as u32, SIDE as u32, frames.frame(0).to_vec()).expect("of this size");
    assert!(detector.see(&picture, 0.9).is_ok_and(|(found, _)| found.is_empty()), "it has learnt nothing yet");
}

/// How far two sets of answers lie apart at most, in logits.
fn farthest(a: &RawAnswers<B>, b: &RawAnswers<B>) -> f32 {
    let apart = |a: &Tensor<B, 3>, b: &Tensor<B, 3>| (a.clone() - b.clone()).abs().max().into_scalar();
    apart(&a.classes, &b.classes).max(apart(&a.distances, &b.distances))
}

#[test]
fn an_exported_model_is_trained_further_from_where_it_was() {
    let device = Default::default();
    <Flex as burn::tensor::backend::Backend>::seed(&device, 4);
    let frames = drawn_shapes(4, 96, Seed(6));
    let data: Vec<f32> = frames.pixels.iter().map(|&value| f32::from(value) / 255.0).collect();
    let pictures = || {
        let pictures = Tensor::<B, 4>::from_data(TensorData::new(data.clone(), [4, 96, 96, 3]), &device);
        pictures.permute([0, 3, 1, 2])
    };
    let net = DetectorNet::<B>::new(&tiny(SHAPES), &device);
    for _ in 0..200 {
        net.forward(pictures());
    }
    let graph = export_detector(&net.valid(), SHAPES, 96);
    let carried = import_detector::<B>(&graph, &tiny(SHAPES), [pictures()], &device).expect("of the same make");

    let as_it_was = net.valid().forward(pictures().inner());
    let as_it_is = carried.valid().forward(pictures().inner());
    let outer = |answers: RawAnswers<Flex>| RawAnswers::<B> {
        classes: Tensor::from_inner(answers.classes),
        distances: Tensor::from_inner(answers.distances),
    };
    let as_it_was = outer(as_it_was);
    let played = farthest(&as_it_was, &outer(as_it_is));
    assert!(played < 1e-3, "in play it should say the same, but differs by {played}");
    // In training the batch's own statistics are used; on the pictures that were measured these are the same.
    let trained = farthest(&as_it_was, &carried.forward(pictures()));
    assert!(trained < 0.02, "in training it should begin with the same answers, but differs by {trained}");

    let other = NetShape { pyramid: 16, ..tiny(SHAPES) };
    let error = import_detector::<B>(&graph, &other, [pictures()], &device).expect_err("another network");
    assert!(error.to_string().contains("another network"), "{error}");
}
