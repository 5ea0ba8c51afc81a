//! The speech model's way from sounds to a model folder: it learns what it hears, goes on where it was stopped, and the
//! exported model says what the network says, in one piece or in many.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use burn::{
    backend::{Autodiff, Flex},
    module::Module,
    tensor::{Tensor, TensorData},
};
use ndarray::Array3;
use umwelt::{
    app::inference_places,
    base::Seed,
    inference::{
        NamedTensors, library,
        provider::{Provider, ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    percepts::phones::OUTPUTS,
    signal::{
        log_mel::{BANDS, MelFrame, log_mel, silent_frame},
        noise::pink_noise,
    },
    training::{
        checkpoint,
        fitting::{FitSettings, Report},
        schedule::Budget,
        speech_corpus::{SpeechCorpus, Utterance},
        speech_model::write_speech,
        speech_net::{CONTEXT, STRIDE, SpeechNet, SpeechShape, steps_of},
        speech_training::{SpeechPoint, SpeechSettings, train_speech},
    },
};

fn tiny() -> SpeechShape {
    SpeechShape { widths: [16, 24, 32], layers: 2, hidden: 32 }
}

/// "Phones" that are tones of a tenth of a second, two or three in each utterance.
fn tones() -> SpeechCorpus {
    const HZ: [f32; 4] = [300.0, 700.0, 1500.0, 3000.0];
    let utterance = |n: usize| {
        let phones: Vec<u8> =
            (0..2 + n % 2).map(|place| 1 + ((n / 2 + place * (1 + n / 8)) % HZ.len()) as u8).collect();
        let mut samples = vec![0; 800];
        for &phone in &phones {
            let step = std::f32::consts::TAU * HZ[usize::from(phone) - 1] / 16_000.0;
            samples.extend((0..1600).map(|at| (8000.0 * (at as f32 * step).sin()) as i16));
            samples.extend([0; 480]);
        }
        Utterance { samples, phones }
    };
    let train: Vec<Utterance> = (0..16).map(utterance).collect();
    SpeechCorpus { validation: train.clone(), train, ..Default::default() }
}

fn train(steps: usize, stop_at: usize, run: &Path) -> Vec<SpeechPoint> {
    let usual = SpeechSettings::cpu();
    let fit = FitSettings { peak_rate: 1e-2, budget: Budget::Steps(steps), validations: 2, ..usual.fit };
    let settings =
        SpeechSettings { shape: tiny(), batch: 16, batch_threads: 2, fit, augmented: false, seed: usual.seed };
    let stop = AtomicBool::new(false);
    let mut report = |report| {
        if let Report::Step { step, .. } = report {
            stop.store(step >= stop_at, Ordering::Relaxed);
        }
    };
    train_speech::<Autodiff<Flex>>(&settings, Arc::new(tones()), run, &Default::default(), &stop, &mut report)
        .expect("trained")
        .1
}

#[test]
#[ignore = "takes a minute or two"]
fn tones_are_learnt_by_heart() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let curve = train(250, usize::MAX, run.path());
    let last = curve.last().expect("validated at the end");
    assert!(last.clean < 0.1, "{curve:?}");
}

#[test]
fn a_stopped_training_of_speech_goes_on_where_it_was() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let curve = train(4, 2, run.path());
    assert_eq!(curve.last().map(|point| point.step), Some(2));
    let saved = checkpoint::load_progress::<SpeechPoint>(run.path()).expect("readable").expect("there");
    assert_eq!(saved.step, 2);
    let curve = train(4, usize::MAX, run.path());
    assert_eq!(curve.iter().map(|point| point.step).collect::<Vec<_>>(), [2, 4]);
}

/// The frames that a model is given at the beginning of a stream: context of silence, then two seconds of noise.
fn frames() -> Vec<MelFrame> {
    let noise: Vec<f32> = pink_noise(32_000, &mut Seed(9).rng()).iter().map(|sample| 0.05 * sample).collect();
    let mut frames = vec![silent_frame(); CONTEXT];
    frames.extend(log_mel(&noise));
    frames
}

/// Log probabilities of `frames` and the state after them.
fn run(session: &mut ModelSession, frames: &[MelFrame], state: &Array3<f32>) -> (Vec<f32>, Array3<f32>) {
    let flat = frames.iter().flatten().copied().collect();
    let features = Array3::from_shape_vec([1, frames.len(), BANDS], flat).expect("of this shape");
    let inputs = NamedTensors::new().with("features", features).with("state", state.clone());
    let outputs = session.run(&inputs).expect("ran");
    let state = outputs.f32("state_out").expect("there").clone().into_dimensionality().expect("three axes");
    (outputs.f32("log_probs").expect("there").iter().copied().collect(), state)
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The network's own answer to [`frames`], and the states after them.
fn own_answer(net: &SpeechNet<Flex>, frames: &[MelFrame]) -> (Vec<f32>, Vec<f32>) {
    let device = Default::default();
    let data = TensorData::new(frames.iter().flatten().copied().collect(), [1, frames.len(), BANDS]);
    let (log_probs, last) = net.forward(Tensor::from_data(data, &device), net.silent_state(1, &device));
    let values = |data: TensorData| data.iter::<f32>().collect::<Vec<f32>>();
    (values(log_probs.into_data()), values(last.into_data()))
}

#[test]
fn a_large_network_is_kept_in_half_the_bytes_and_says_nearly_the_same() {
    let Ok(runtime) = library::load(&inference_places::library_places()) else {
        eprintln!("SKIPPED: ONNX Runtime is not installed");
        return;
    };
    let device = Default::default();
    <Flex as burn::tensor::backend::Backend>::seed(&device, 3);
    let shape = SpeechShape::large();
    let net = SpeechNet::<Flex>::new(&shape, &device);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_speech(folder.path(), &net, &[("confidence", 0.5)], Seed(3), "test").expect("written");
    let bytes = folder.path().join("model.onnx").metadata().expect("there").len() as usize;
    assert!(bytes < 5 * net.num_params() / 2, "{bytes} bytes for {} parameters", net.num_params());
    let cpu = SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() };
    let mut session = ModelSession::open(runtime, folder.path(), &cpu).expect("passes the door");
    let frames = frames();
    let silence = Array3::zeros([shape.layers, 1, shape.hidden]);
    let (said, _) = run(&mut session, &frames, &silence);
    let difference = apart(&said, &own_answer(&net, &frames).0);
    assert!(difference > 0.0 && difference < 5e-3, "{difference}");
}

#[test]
fn the_exported_speech_model_says_what_the_network_says_whole_or_in_pieces() {
    let runtime = match library::load(&inference_places::library_places()) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    let device = Default::default();
    <Flex as burn::tensor::backend::Backend>::seed(&device, 3);
    let net = SpeechNet::<Flex>::new(&tiny(), &device);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_speech(folder.path(), &net, &[("confidence", 0.5)], Seed(3), "test").expect("written");
    let cpu = SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() };
    let mut session = ModelSession::open(runtime, folder.path(), &cpu).expect("passes the door");

    let frames = frames();
    let (expected, last) = own_answer(&net, &frames);
    assert_eq!(expected.len(), steps_of(frames.len()) * OUTPUTS);

    let silence = Array3::zeros([2, 1, 32]);
    let (whole, state) = run(&mut session, &frames, &silence);
    assert!(apart(&whole, &expected) < 1e-4, "{}", apart(&whole, &expected));
    assert!(apart(state.as_slice().expect("contiguous"), &last) < 1e-4);

    let (mut pieces, mut state, mut start) = (Vec::new(), silence, 0);
    for steps in [1, 7, 2, 30].into_iter().cycle() {
        let end = start + CONTEXT + steps * STRIDE;
        if end > frames.len() {
            break;
        }
        let (piece, after) = run(&mut session, &frames[start..end], &state);
        assert_eq!(piece.len(), steps * OUTPUTS);
        pieces.extend(piece);
        (state, start) = (after, end - CONTEXT);
    }
    assert!(pieces.len() > 100 * OUTPUTS / STRIDE);
    assert!(apart(&pieces, &whole[..pieces.len()]) < 1e-4);
}
