//! The ear with a real sound server: speech that is played into a virtual microphone comes out as commands of a running app;
//! the server is killed and comes back, the microphone is unplugged and plugged in. And sound files that are none, as the
//! program's user meets them.
//!
//! The app runs in a process of its own ([`listen_and_tell`]), as the sound system is chosen by the environment. It tells what
//! happens in lines; tests wait for lines, and print how long it took.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use bevy::prelude::*;
use umwelt::{
    app::{all_actions, hearing::HearingInWorldPlugin, inference_places},
    base::{Status, Tick},
    inference::{
        InferencePlugin, InferenceSettings,
        manifest::MODEL_FILE,
        provider::{Provider, ProviderChoice, SessionSettings},
    },
    percepts::{Heard, HearingStatus},
    scene::{ScenePlugin, SceneProblems},
    sensors::{EarPlugin, EarSource, EarStatus, EndpointSettings, Speech, SpeechPart, utterances},
    world::{Commanded, all_kinds},
};

use crate::sound_server::{PATIENCE, SoundServer};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn spoken(name: &str) -> PathBuf {
    root().join("assets/audio/spoken").join(name)
}

/// Before every line of the app, so that the test harness's own words are told from them.
const MARK: &str = "EAR ";

/// Not a test by itself: the others run it in a process of its own, with a sound server.
#[test]
#[ignore = "run by the other tests, with a sound server"]
fn listen_and_tell() {
    let over = Arc::new(AtomicBool::new(false));
    let told = over.clone();
    std::thread::spawn(move || {
        // The end of the input is the order to leave.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    let settings = InferenceSettings {
        models: root().join("models"),
        library: inference_places::library_places(),
        session: SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() },
    };
    let mut app = App::new();
    // Of the world only what its scene may name: nothing is spawned.
    app.insert_resource(all_actions())
        .insert_resource(all_kinds())
        .init_resource::<Tick>()
        .add_plugins((
            MinimalPlugins,
            ScenePlugin { path: root().join("assets/scenes/atelier.scene.ron") },
            InferencePlugin { settings },
            HearingInWorldPlugin,
            EarPlugin { source: EarSource::Microphone },
        ))
        .add_systems(Update, tell);
    while !over.load(Ordering::Relaxed) {
        app.update();
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn tell(
    (ear, hearing, problems): (Res<EarStatus>, Res<HearingStatus>, Res<SceneProblems>),
    (mut speech, mut heard): (MessageReader<Speech>, MessageReader<Heard>),
    mut commanded: MessageReader<Commanded>,
    mut before: Local<(Option<Status>, Option<Status>)>,
) {
    let say = |line: String| {
        // Whoever does not read any more has left.
        let _ = writeln!(std::io::stdout(), "{MARK}{line}");
    };
    let words = |status: &Status| match status {
        Status::Ready => "ready".to_owned(),
        Status::Loading => "loading".to_owned(),
        Status::Unavailable(reason) => format!("unavailable: {reason}"),
    };
    if before.0.as_ref() != Some(&ear.status) {
        say(format!("microphone {}", words(&ear.status)));
        before.0 = Some(ear.status.clone());
    }
    if before.1.as_ref() != Some(&hearing.status) {
        say(format!("hearing {}", words(&hearing.status)));
        before.1 = Some(hearing.status.clone());
    }
    if problems.is_changed() {
        problems.0.iter().for_each(|problem| say(format!("scene problem: {problem}")));
    }
    for Speech { part, .. } in speech.read() {
        match part {
            SpeechPart::Began { .. } => say("speech began".to_owned()),
            SpeechPart::Sound(_) => {}
            SpeechPart::Ended { .. } => say("speech ended".to_owned()),
            SpeechPart::Broken { reason } => say(format!("speech broken: {reason}")),
        }
    }
    for heard in heard.read() {
        say(format!("heard {:?} {:.2}", heard.text, heard.confidence));
    }
    for command in commanded.read() {
        say(format!("commanded {}({})", command.action, command.words.join(", ")));
    }
}

/// How often something is said that is not understood.
const SPOKEN_AT_MOST: usize = 6;

/// The app in its own process.
struct Listener {
    process: Child,
    /// Dropped to let it leave.
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Listener {
    fn new(server: &SoundServer) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["ear::listen_and_tell", "--exact", "--ignored", "--nocapture"])
            .envs(server.environment())
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness's own line has no end of its own: ours may follow it.
                if let Some((_, line)) = line.split_once(MARK) {
                    let _ = tell.send(line.to_owned());
                }
            }
        });
        let input = process.stdin.take();
        Self { process, input, lines, seen: Vec::new() }
    }

    /// The next line that begins so; what comes before it is passed over. Prints how long it took.
    fn until(&mut self, beginning: &str) -> String {
        let begun = Instant::now();
        loop {
            let line = self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed()));
            let line = line.unwrap_or_else(|error| {
                let ended = match self.process.try_wait() {
                    Ok(Some(status)) => format!("the app has ended: {status}"),
                    _ => "the app runs".to_owned(),
                };
                let waited = begun.elapsed().as_secs_f64();
                panic!("{beginning:?} never came in {waited:.1} s ({error}; {ended}); this came: {:#?}", self.seen)
            });
            self.seen.push(line.clone());
            if line.starts_with(beginning) {
                println!("{:6.0} ms  {line}", begun.elapsed().as_secs_f64() * 1e3);
                return line;
            }
        }
    }

    /// Has this come, or comes it now? For states, which may be told in any order.
    fn has_come(&mut self, beginning: &str) {
        if !self.seen.iter().any(|line| line.starts_with(beginning)) {
            self.until(beginning);
        }
    }

    /// Speaks a file until it is commanded: where other programs hold the processor, the sound server drops pieces of it.
    fn until_commanded(&mut self, server: &mut SoundServer, file: &str, command: &str) {
        for _ in 0..SPOKEN_AT_MOST {
            server.speak(&spoken(file));
            let begun = Instant::now();
            while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(20).saturating_sub(begun.elapsed())) {
                let is_it = line == command;
                self.seen.push(line);
                if is_it {
                    println!("{:6.0} ms  {command}", begun.elapsed().as_secs_f64() * 1e3);
                    return;
                }
            }
        }
        panic!("{command:?} was not commanded by {SPOKEN_AT_MOST} times {file}; this came: {:#?}", self.seen);
    }

    /// Lets it leave, and waits for that.
    fn leave(mut self) {
        self.input = None;
        let begun = Instant::now();
        while self.process.try_wait().expect("a state").is_none() {
            assert!(begun.elapsed() < PATIENCE, "it hangs at the exit");
            std::thread::sleep(Duration::from_millis(5));
        }
        println!("{:6.0} ms  left", begun.elapsed().as_secs_f64() * 1e3);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Left already, where all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_is_said_into_a_microphone_is_commanded() {
    let Some(mut server) = SoundServer::new() else { return };
    let mut listener = Listener::new(&server);
    let understands = root().join("models/speech").join(MODEL_FILE).is_file();
    listener.until("microphone ready");
    if understands {
        listener.has_come("hearing ready");
    }
    for (file, command) in [
        ("what_do_you_see.flac", "commanded Describe()"),
        ("dim_the_lights.flac", "commanded Lights(dim)"),
        ("close_the_doors.flac", "commanded Doors(close)"),
    ] {
        if understands {
            listener.until_commanded(&mut server, file, command);
        } else {
            server.speak(&spoken(file));
            listener.until("speech began");
            listener.until("speech ended");
        }
    }
    if !understands {
        eprintln!("SKIPPED: there is no model in models/speech; only that somebody spoke was tested");
    }
    listener.leave();
}

#[test]
fn a_server_that_is_killed_while_somebody_speaks_is_told_and_taken_again() {
    let Some(mut server) = SoundServer::new() else { return };
    let mut listener = Listener::new(&server);
    listener.until("microphone ready");
    server.speak(&spoken("the_soup_was_a_little_too_hot_yesterday.flac"));
    listener.until("speech began");
    server.kill();
    let told = listener.until("microphone unavailable");
    assert!(told.contains("sound server"), "{told}");
    listener.until("speech broken");
    server.start();
    listener.until("microphone ready");
    server.speak(&spoken("dim_the_lights.flac"));
    listener.until("speech began");
    listener.until("speech ended");
    listener.leave();
}

#[test]
fn a_microphone_that_is_unplugged_is_told_and_taken_again() {
    let Some(mut server) = SoundServer::new() else { return };
    let mut listener = Listener::new(&server);
    listener.until("microphone ready");
    server.unplug();
    let told = listener.until("microphone unavailable");
    assert!(told.contains("microphone"), "{told}");
    server.plug_in();
    listener.until("microphone ready");
    server.speak(&spoken("dim_the_lights.flac"));
    listener.until("speech began");
    listener.until("speech ended");
    listener.leave();
}

#[test]
fn a_server_that_hangs_is_told_and_nobody_hangs_with_it() {
    let Some(server) = SoundServer::new() else { return };
    let mut listener = Listener::new(&server);
    listener.until("microphone ready");
    server.hang();
    let told = listener.until("microphone unavailable");
    assert!(told.contains("does not answer"), "{told}");
    listener.leave();
}

/// Reads a stream's lines as they come, carriage returns being ends of lines too, into one channel with others.
fn lines_of(stream: impl std::io::Read + Send + 'static, tell: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        let mut line = Vec::new();
        for byte in BufReader::new(stream).bytes().map_while(Result::ok) {
            if !matches!(byte, b'\n' | b'\r') {
                line.push(byte);
            } else if tell.send(String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned()).is_err() {
                return;
            }
        }
    });
}

#[test]
fn hear_live_shows_what_is_said_as_it_is_said() {
    if !root().join("models/speech").join(MODEL_FILE).is_file() {
        eprintln!("SKIPPED: there is no model in models/speech");
        return;
    }
    let Some(mut server) = SoundServer::new() else { return };
    let mut process = Command::new(env!("CARGO_BIN_EXE_umwelt"))
        .args(["hear", "--live", "--provider", "cpu"])
        .envs(server.environment())
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let (tell, lines) = mpsc::channel();
    lines_of(process.stdout.take().expect("its output"), tell.clone());
    lines_of(process.stderr.take().expect("its news"), tell);
    let mut seen = Vec::new();
    // What came and holds `wanted`; gives up after a while.
    let mut comes = |wanted: &str, patience: Duration| {
        let begun = Instant::now();
        while let Ok(line) = lines.recv_timeout(patience.saturating_sub(begun.elapsed())) {
            seen.push(line.clone());
            if line.contains(wanted) {
                return true;
            }
        }
        println!("not yet: {wanted:?}; this came: {seen:#?}");
        false
    };
    let all = comes("listening to ", PATIENCE)
        && (0..SPOKEN_AT_MOST).any(|_| {
            server.speak(&spoken("dim_the_lights.flac"));
            comes("Lights(dim)", Duration::from_secs(20))
        });
    let _ = process.kill();
    let _ = process.wait();
    assert!(all);
}

#[test]
fn a_bad_grammar_and_a_missing_model_are_told_by_hear() {
    let folder = tempfile::tempdir().expect("a folder");
    let grammar = folder.path().join("bar.grammar.ron");
    let voice = spoken("dim_the_lights.flac");
    let voice = voice.to_str().expect("plain");
    for (text, told) in [
        ("(version: 1, commands: {\"pour a {drnk}\": \"Order\"}, slots: {\"drink\": [\"latte\"]})", "drnk"),
        ("(version: 1, commands: {\"pour (a|\": \"Order\"})", "bar.grammar.ron:1"),
        ("(version: 1, commands: {})", "there is no command"),
    ] {
        fs::write(&grammar, text).expect("written");
        let (code, answer) = umwelt(&["hear", voice, "--grammar"], &grammar);
        assert!(code == Some(1) && answer.contains(told), "{text}: {code:?} {answer}");
    }
    let (code, answer) = umwelt(&["hear", voice, "--model"], &folder.path().join("nowhere"));
    assert!(code == Some(3) && answer.contains("umwelt train speech"), "{code:?} {answer}");
}

/// A WAV file of one format: header and data.
fn wav(channels: u16, rate_hz: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short");
    let frame = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// The program's answer: exit code and what it printed to standard error.
fn umwelt(arguments: &[&str], file: &Path) -> (Option<i32>, String) {
    let answer =
        Command::new(env!("CARGO_BIN_EXE_umwelt")).args(arguments).arg(file).env("DISPLAY", "").output().expect("run");
    (answer.status.code(), String::from_utf8_lossy(&answer.stderr).into_owned())
}

#[test]
fn files_that_are_no_sound_are_refused_by_hear_and_by_play_with_their_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_sound = wav(1, 16_000, 16, &[]);
    let mut half_a_header = wav(1, 16_000, 16, &[0; 64]);
    half_a_header.truncate(30);
    for (name, bytes, reason) in [
        ("empty.wav", &b""[..], "is empty"),
        ("letter.wav", b"Dear companion, I write to you", "is no WAV"),
        ("silent.wav", &no_sound, "holds no sound"),
        ("half.wav", &half_a_header, "half.wav"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        for arguments in [&["hear"][..], &["play", "--headless", "--seconds", "1", "--microphone"]] {
            let (code, text) = umwelt(arguments, &path);
            assert_eq!(code, Some(1), "{arguments:?} {name}: {text}");
            assert!(text.contains(name) && text.contains(reason), "{arguments:?}: {text}");
        }
    }
    let (code, text) = umwelt(&["hear"], &folder.path().join("nowhere.wav"));
    assert!(code == Some(1) && text.contains("nowhere.wav"), "{text}");
}

#[test]
fn unusual_files_are_listened_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let eight: Vec<u8> = (0..8_000_u32).map(|n| 118 + (n * 7 % 20) as u8).collect();
    let stereo: Vec<u8> = (0..96_000).flat_map(|n| [((n % 300) as i16 * 20).to_le_bytes(), [0, 0]].concat()).collect();
    let whole = wav(1, 16_000, 16, &vec![3; 32_000]);
    for (name, bytes) in [
        ("eight.wav", wav(1, 8_000, 8, &eight)),
        ("stereo.wav", wav(2, 96_000, 16, &stereo)),
        ("truncated.wav", whole[..20_000].to_vec()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let (code, text) = umwelt(&["hear"], &path);
        // 1: nothing was said in it; 3: there is no model or no ONNX Runtime, which is looked for after the file.
        assert!(matches!(code, Some(1 | 3)) && !text.contains(name), "{name}: {code:?} {text}");
    }
}

#[test]
fn an_hour_of_noise_is_listened_to_and_is_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hour.wav");
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..3_600 * 8_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // A tenth of full scale.
            (115 + (state >> 24) / 10) as u8
        })
        .collect();
    fs::write(&path, wav(1, 8_000, 8, &noise)).expect("written");
    let found = utterances(&path, EndpointSettings::default()).expect("a sound").count();
    assert_eq!(found, 0, "voices in noise");
}
