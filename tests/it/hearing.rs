//! Hearing from the ear's messages to commands: with a model that hears tones instead of voices, in a running app.

use std::{
    f32::consts::TAU,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bevy::prelude::*;
use umwelt::{
    app::{all_actions, hearing::HearingInWorldPlugin, inference_places, spoken_grammar::open_grammar},
    base::{Status, Tick},
    inference::{
        InferencePlugin, InferenceSettings,
        graph_builder::{Dim, GraphBuilder},
        library,
        manifest::{MANIFEST_FILE, MODEL_FILE, Setting},
        onnx_file::{AttributeProto, ElementType},
        provider::{Provider, ProviderChoice, SessionSettings},
        test_model::with_manifest,
    },
    percepts::{
        Grammar, Heard, HearingStatus,
        phones::{OUTPUTS, PHONES},
        speech::Recogniser,
    },
    scene::{ActiveScene, ScenePlugin, SceneProblems},
    sensors::{EndpointSettings, Speech, SpeechPart, utterances},
    signal::log_mel::{BANDS, log_mel},
    world::Commanded,
};

/// The band whose energy means the first phone; each phone has one.
const FIRST_BAND: usize = BANDS - PHONES.len();
const SHARPNESS: f32 = 30.0;

/// A model to which phone number n is a tone in band `FIRST_BAND` + n, and quiet is the blank. One step a frame.
fn write_tone_model(folder: &Path) {
    let mut graph = GraphBuilder::new("tones");
    let (frames, state) = (|bands: usize| vec![1.into(), Dim::from("frames"), bands.into()], [1, 1, 1].map(Dim::from));
    let features = graph.input("features", ElementType::F32, frames(BANDS));
    let before = graph.input("state", ElementType::F32, state.clone());
    let mut slice = |from: usize, to: usize, name: &str| {
        let starts = graph.weights_i64(&format!("{name} from"), [1], &[from as i64]);
        let ends = graph.weights_i64(&format!("{name} to"), [1], &[to as i64]);
        let axes = graph.weights_i64(&format!("{name} axis"), [1], &[2]);
        graph.node("Slice", [&features, &starts, &ends, &axes], [])
    };
    let (phones, any) = (slice(FIRST_BAND, BANDS, "phones"), slice(0, 1, "blank"));
    let sharpness = graph.weights_f32("sharpness", [1], &[SHARPNESS]);
    let phones = graph.node("Mul", [&phones, &sharpness], []);
    // The blank has the same number in all frames: between quiet and a tone.
    let nothing = graph.weights_f32("nothing", [1], &[0.0]);
    let blank = graph.node("Mul", [&any, &nothing], []);
    let logits = graph.node("Concat", [&blank, &phones], [AttributeProto::int("axis", 2)]);
    let rows = graph.node_named("LogSoftmax", [&logits], ["log_probs"], [AttributeProto::int("axis", 2)]);
    graph.output(&rows[0], ElementType::F32, frames(OUTPUTS));
    let after = graph.node_named("Identity", [&before], ["state_out"], []);
    graph.output(&after[0], ElementType::F32, state.clone());
    let state = state.to_vec();
    let mut model = with_manifest(
        "tones",
        &graph.finish(),
        [("features", frames(BANDS)), ("state", state.clone())],
        [("log_probs", frames(OUTPUTS)), ("state_out", state)],
    );
    model.manifest.task = "transcribe".to_owned();
    model.manifest.preprocessing = [("context_frames", 0.0), ("stride", 1.0)]
        .map(|(name, value)| (name.to_owned(), Setting::Number(value)))
        .into();
    model.manifest.thresholds = [("confidence".to_owned(), 0.3)].into();
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join(MODEL_FILE), &model.bytes).expect("model");
    fs::write(folder.join(MANIFEST_FILE), model.manifest.to_text().expect("text")).expect("manifest");
}

fn tone(hertz: f32, samples: usize) -> impl Iterator<Item = f32> {
    (0..samples).map(move |n| 0.3 * (TAU * hertz * n as f32 / 16_000.0).sin())
}

/// For each phone the tone that the model hears as this phone.
fn tones() -> Vec<f32> {
    let mut best = vec![(0.0_f32, 0.0_f32); PHONES.len()];
    for hertz in (300..7_600).step_by(10) {
        let samples: Vec<f32> = tone(hertz as f32, 400).collect();
        let frame = log_mel(&samples)[0];
        for (index, best) in best.iter_mut().enumerate() {
            let others = (0..BANDS).filter(|band| *band != FIRST_BAND + index).map(|band| frame[band]);
            let margin = frame[FIRST_BAND + index] - others.fold(f32::MIN, f32::max);
            if margin > best.0 {
                *best = (margin, hertz as f32);
            }
        }
    }
    best.into_iter().map(|(_, hertz)| hertz).collect()
}

/// These phones, each as a tone of 60 ms with 40 ms of quiet behind it, silence around all.
fn sung(phones: &str) -> Vec<f32> {
    let tones = tones();
    let mut samples = vec![0.0; 1_600];
    for name in phones.split_whitespace() {
        let index = PHONES.iter().position(|phone| *phone == name).expect("a phone");
        samples.extend(tone(tones[index], 960));
        samples.extend([0.0; 640]);
    }
    samples.extend([0.0; 1_600]);
    samples
}

fn scene(commands: &str) -> String {
    format!(
        "(version: 1, materials: {{\"m\": ()}}, spawn: (at: (1, 1)),
        rooms: [(name: \"r\", min: (0, 0), max: (4, 4), floor: \"m\", walls: \"m\")],
        commands: {{ {commands} }})"
    )
}

struct Hearing {
    app: App,
    scene: PathBuf,
    utterance: u64,
    _folder: tempfile::TempDir,
}

impl Hearing {
    /// Ready to hear; `None`, and a line that says so, without ONNX Runtime.
    fn new(commands: &str) -> Option<Self> {
        let mut hearing = Self::starting(&scene(commands))?;
        hearing.until("hearing is ready", |world| world.resource::<HearingStatus>().status == Status::Ready);
        Some(hearing)
    }

    /// With this text as the scene's file, before the first update.
    fn starting(scene: &str) -> Option<Self> {
        if let Err(error) = library::load(&inference_places::library_places()) {
            eprintln!("SKIPPED: {error}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        write_tone_model(&folder.path().join("models/tones"));
        let path = folder.path().join("x.scene.ron");
        fs::write(&path, scene).expect("scene");
        let settings = InferenceSettings {
            models: folder.path().join("models"),
            library: inference_places::library_places(),
            session: SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() },
        };
        let mut app = App::new();
        app.insert_resource(all_actions()).init_resource::<Tick>().add_plugins((
            MinimalPlugins,
            ScenePlugin { path: path.clone() },
            InferencePlugin { settings },
            HearingInWorldPlugin,
        ));
        Some(Self { app, scene: path, utterance: 0, _folder: folder })
    }

    /// Updates until something is so; long enough for a busy machine.
    fn until(&mut self, what: &str, is_so: impl Fn(&World) -> bool) {
        let begun = Instant::now();
        while !is_so(self.app.world()) {
            self.app.update();
            let status = self.app.world().resource::<HearingStatus>().clone();
            assert!(begun.elapsed() < Duration::from_secs(120), "never came about: {what}; {status:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn speech(&mut self, part: SpeechPart) {
        let utterance = self.utterance;
        self.app.world_mut().write_message(Speech { utterance, part });
    }

    /// Says some phones, a tenth of a second an update, up to the end or a broken end.
    fn say(&mut self, phones: &str, broken: bool) {
        self.speech(SpeechPart::Began { tick: Tick(0), at_s: 2.0, addressed: false });
        let samples = sung(phones);
        for piece in samples.chunks(1_600) {
            self.speech(SpeechPart::Sound(Arc::from(piece)));
            self.app.update();
        }
        let end = SpeechPart::Ended { tick: Tick(7), at_s: 2.0 + samples.len() as f64 / 16_000.0 };
        self.speech(if broken { SpeechPart::Broken { reason: "unplugged".to_owned() } } else { end });
        self.utterance += 1;
    }

    /// What was heard of the next utterance, and what was commanded.
    fn heard(&mut self) -> (Heard, Vec<Commanded>) {
        let before = self.app.world().resource::<HearingStatus>().utterances;
        self.until("an utterance is understood", |world| world.resource::<HearingStatus>().utterances > before);
        let heard = self.app.world_mut().resource_mut::<Messages<Heard>>().drain().last().expect("one was heard");
        (heard, self.app.world_mut().resource_mut::<Messages<Commanded>>().drain().collect())
    }

    fn edit(&mut self, commands: &str) {
        fs::write(&self.scene, scene(commands)).expect("scene");
    }
}

const LIGHTS_OFF: &str = "L AY T S AO F";
const DARKNESS: &str = "D AA R K N AH S";

#[test]
fn a_phrase_written_while_playing_works_and_a_bad_one_leaves_the_good_ones() {
    let Some(mut hearing) = Hearing::new("\"lights off\": \"Lights(off)\", \"lights on\": \"Lights(on)\"") else {
        return;
    };
    hearing.say(LIGHTS_OFF, false);
    let (heard, commanded) = hearing.heard();
    assert_eq!(commanded, [Commanded::new("Lights", &["off"])], "{heard:?}");
    assert_eq!((heard.text.as_str(), heard.tick, heard.utterance), ("lights off", Tick(7), 0));
    assert!(heard.start_s > 2.0 && heard.start_s < 2.3 && heard.end_s > heard.start_s, "{heard:?}");

    hearing.say(DARKNESS, false);
    let (heard, commanded) = hearing.heard();
    assert!(heard.command.is_none() && commanded.is_empty(), "not in the grammar yet: {heard:?}");

    hearing.edit("\"lights off\": \"Lights(off)\", \"darkness\": \"Lights(off)\"");
    hearing.until("the new phrase is in use", |world| {
        world.resource::<ActiveScene>().spec.commands[1].phrase == "darkness"
    });
    hearing.say(DARKNESS, false);
    let (heard, commanded) = hearing.heard();
    assert_eq!(commanded, [Commanded::new("Lights", &["off"])], "{heard:?}");

    hearing.edit("\"lights off\": \"Lights(off)\", \"日本\": \"Lights(on)\"");
    hearing.until("the problem is shown", |world| !world.resource::<SceneProblems>().0.is_empty());
    let problem = hearing.app.world().resource::<SceneProblems>().0[0].to_string();
    assert!(problem.contains(":3: \"日本\" cannot be pronounced"), "{problem}");
    assert_eq!(hearing.app.world().resource::<Grammar>().problems().len(), 1);
    hearing.say(DARKNESS, false);
    assert_eq!(hearing.heard().1.len(), 1, "the last good phrases stay");
}

#[test]
fn a_scene_that_cannot_be_read_is_told_by_its_problem_and_heard_once_it_is_mended() {
    let bad = scene("\"lights off\": \"Lights(off)\"").replace("spawn", "spwan");
    let Some(mut hearing) = Hearing::starting(&bad) else { return };
    hearing.until("why nothing can be said is told", |world| {
        matches!(&world.resource::<HearingStatus>().status, Status::Unavailable(reason) if reason.contains("spwan"))
    });
    hearing.edit("\"lights off\": \"Lights(off)\"");
    hearing.until("hearing is ready", |world| world.resource::<HearingStatus>().status == Status::Ready);
    hearing.say(LIGHTS_OFF, false);
    assert_eq!(hearing.heard().1, [Commanded::new("Lights", &["off"])]);

    fs::write(&hearing.scene, scene("").replace("commands: {  }", "")).expect("scene");
    hearing.until("that nothing can be said is told", |world| {
        matches!(&world.resource::<HearingStatus>().status, Status::Unavailable(reason) if reason.contains("`commands`"))
    });
}

#[test]
fn what_breaks_off_is_given_up_and_the_next_is_heard() {
    let Some(mut hearing) = Hearing::new("\"lights off\": \"Lights(off)\"") else { return };
    hearing.say(LIGHTS_OFF, true);
    hearing.say(LIGHTS_OFF, false);
    let (heard, commanded) = hearing.heard();
    assert_eq!((heard.utterance, commanded.len()), (1, 1), "{heard:?}");
    let status = hearing.app.world().resource::<HearingStatus>();
    assert_eq!((status.given_up, status.commands), (1, 1));
    assert_eq!(status.last_fault.as_deref(), Some("unplugged"));
}

#[test]
fn without_a_model_hearing_says_why_and_nothing_hangs() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = InferenceSettings { models: folder.path().to_owned(), ..Default::default() };
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, InferencePlugin { settings }, HearingInWorldPlugin));
    for part in [
        SpeechPart::Began { tick: Tick(0), at_s: 0.0, addressed: false },
        SpeechPart::Sound(Arc::from([0.0; 1_600].as_slice())),
        SpeechPart::Ended { tick: Tick(9), at_s: 0.1 },
    ] {
        app.world_mut().write_message(Speech { utterance: 0, part });
        app.update();
    }
    let status = app.world().resource::<HearingStatus>();
    assert!(matches!(&status.status, Status::Unavailable(reason) if !reason.is_empty()), "{status:?}");
    assert_eq!((status.given_up, status.utterances), (1, 0));
}

/// The shipped model on a synthesised voice, where both are.
#[test]
fn the_shipped_model_understands_a_synthesised_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("models/speech");
    if !folder.join(MODEL_FILE).is_file() {
        eprintln!("SKIPPED: there is no model in {}", folder.display());
        return;
    }
    let Ok(runtime) = library::load(&inference_places::library_places()) else {
        eprintln!("SKIPPED: ONNX Runtime is not installed");
        return;
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let wav = scratch.path().join("said.wav");
    let spoken = std::process::Command::new("flite")
        .args(["-voice", "slt", "-t", "show me the teapot", "-o"])
        .arg(&wav)
        .status();
    if !spoken.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: flite is not installed");
        return;
    }
    let graph = open_grammar(&root.join("assets/scenes/atelier.scene.ron")).expect("a grammar");
    let session = umwelt::inference::session::ModelSession::open(runtime, &folder, &SessionSettings::default());
    let mut recogniser = Recogniser::new(session.expect("a model"), graph).expect("a speech model");
    let utterance = utterances(&wav, EndpointSettings::default()).expect("a sound file").next().expect("a voice");
    let heard = recogniser.hear(&utterance.samples).expect("a run");
    println!("heard {:?} in {:.0} ms", heard.decoded.best, heard.ms);
    let command = &heard.command().expect("a command").command;
    assert_eq!((command.action.as_str(), command.words.join(" ").as_str()), ("Find", "teapot"));
}
