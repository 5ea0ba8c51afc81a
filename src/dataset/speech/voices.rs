//! Synthetic voices: espeak-ng, flite, festival and RHVoice as programs of the machine.
//!
//! In: texts, each with a voice and a place for its sound. Out: WAV files of 16 kHz, the silence around the voice as the
//! engine left it; all processor cores speak at once. The speakers slt and awb are never drawn: whatever engine speaks with
//! them, they are for scores only.

use std::{
    env, fmt,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    super::DatasetError,
    recordings::{read_sound, write_wav},
};

/// The programs, and the Debian packages that hold them and their voices.
pub const PROGRAMS: [(&str, &str); 4] = [
    ("espeak-ng", "espeak-ng"),
    ("flite", "flite"),
    ("festival", "festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"),
    ("RHVoice-test", "rhvoice rhvoice-english"),
];

/// Which of the engines are here that may be absent while others speak; espeak-ng and flite must be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engines {
    pub festival: bool,
    pub rhvoice: bool,
}

impl Engines {
    pub fn found() -> Self {
        let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
        let is_here = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
        Self { festival: is_here("festival"), rhvoice: is_here("RHVoice-test") }
    }
}

/// Accents of espeak-ng, by the files that hold them (a language name would ignore the variant after `+`).
const ACCENTS: [&str; 8] = [
    "gmw/en",
    "gmw/en-US",
    "gmw/en-US",
    "gmw/en-US-nyc",
    "gmw/en-GB-scotland",
    "gmw/en-GB-x-rp",
    "gmw/en-GB-x-gbcwmd",
    "gmw/en-029",
];

/// Variants of espeak-ng that sound like people (no robots, whispers, creaks).
const VARIANTS: [&str; 71] = [
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "klatt",
    "klatt2",
    "klatt3",
    "klatt4",
    "klatt5",
    "klatt6",
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "Annie",
    "Denis",
    "Diogo",
    "Gene",
    "Gene2",
    "Henrique",
    "Hugo",
    "Jacky",
    "Lee",
    "Marco",
    "Mario",
    "Michael",
    "Mike",
    "adam",
    "anika",
    "antonio",
    "aunty",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "david",
    "ed",
    "edward",
    "edward2",
    "grandma",
    "grandpa",
    "gustave",
    "iven",
    "iven2",
    "iven3",
    "john",
    "kaukovalta",
    "linda",
    "marcelo",
    "max",
    "michel",
    "miguel",
    "norbert",
    "pablo",
    "paul",
    "pedro",
    "quincy",
    "rob",
    "robert",
    "sandro",
    "shelby",
    "zac",
];

/// Speakers who are for scores only, in every engine.
pub const HELD_OUT: [&str; 2] = ["slt", "awb"];

/// Who speaks, and how.
#[derive(Clone, Debug, PartialEq)]
pub enum Voice {
    /// `name` is accent+variant; pitch 0 to 99; speed in words a minute.
    Espeak { name: String, pitch: u32, speed: u32 },
    /// `stretch` above 1 is slower.
    Flite { name: String, stretch: f32 },
    /// As flite; the name is the scheme function's without `voice_`.
    Festival { name: String, stretch: f32 },
    /// Rate and pitch in percent of the speaker's own.
    RhVoice { name: String, rate: u32, pitch: u32 },
}

impl fmt::Display for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Voice::Espeak { name, pitch, speed } => write!(f, "espeak {name} p{pitch} s{speed}"),
            Voice::Flite { name, .. } => write!(f, "flite {name}"),
            Voice::Festival { name, .. } => write!(f, "festival {name}"),
            Voice::RhVoice { name, rate, pitch } => write!(f, "rhvoice {name} p{pitch} s{rate}"),
        }
    }
}

impl Voice {
    /// A voice to learn from: espeak's family for variety, recorded speakers for nature.
    pub fn to_learn_from(rng: &mut ChaCha8Rng, engines: Engines) -> Self {
        let (festival, rhvoice) = (u32::from(engines.festival), u32::from(engines.rhvoice));
        let shares = [36, 20, 8, 12 * festival, 6 * festival, 18 * rhvoice, 12 * rhvoice];
        let mut drawn = rng.random_range(0..shares.iter().sum::<u32>());
        let kind = shares.iter().position(|share| {
            let is_it = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            is_it
        });
        let stretch = rng.random_range(0.85..1.25_f32);
        let (rate, pitch) = (rng.random_range(85..125), rng.random_range(85..118));
        let flite = |name: &str| Voice::Flite { name: name.into(), stretch };
        let festival = |name: &str| Voice::Festival { name: name.into(), stretch };
        let rhvoice = |name: &str| Voice::RhVoice { name: name.into(), rate, pitch };
        match kind {
            Some(1) => flite("rms"),
            Some(2) => flite("kal16"),
            Some(3) => festival("ked_diphone"),
            Some(4) => festival("kal_diphone"),
            Some(5) => rhvoice("CLB"),
            Some(6) => rhvoice("BDL"),
            _ => {
                let accent = ACCENTS.choose(rng).copied().unwrap_or(ACCENTS[0]);
                let variant = VARIANTS.choose(rng).copied().unwrap_or(VARIANTS[0]);
                Voice::Espeak {
                    name: format!("{accent}+{variant}"),
                    pitch: rng.random_range(20..85),
                    speed: rng.random_range(120..210),
                }
            }
        }
    }

    /// Voices to calibrate a model's confidence with: models may learn from them, no figure is of them.
    pub fn to_calibrate_with() -> Vec<Self> {
        let festival = |name: &str| Voice::Festival { name: name.into(), stretch: 1.0 };
        let espeak = |name: &str, pitch| Voice::Espeak { name: name.into(), pitch, speed: 165 };
        vec![
            festival("ked_diphone"),
            festival("kal_diphone"),
            Voice::Flite { name: "rms".into(), stretch: 1.1 },
            espeak("gmw/en-US+f3", 55),
        ]
    }

    /// The voices to score with: both held-out speakers in every engine that has them.
    pub fn to_score_with() -> Vec<Self> {
        vec![
            Voice::Flite { name: "slt".into(), stretch: 1.0 },
            Voice::Flite { name: "awb".into(), stretch: 1.0 },
            Voice::Festival { name: "cmu_us_slt_arctic_hts".into(), stretch: 1.0 },
        ]
    }
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub text: String,
    pub voice: Voice,
    /// The WAV file to write.
    pub path: PathBuf,
}

/// Festival takes half a second to start, so that it gets many lines at once.
const FESTIVAL_LINES: usize = 50;

/// Speaks all lines, on all processor cores; those that exist already stay. Calls `each` after every line.
///
/// # Errors
/// - a program is missing or cannot speak; the sound cannot be read or written
pub fn speak(lines: &[Line], mut each: impl FnMut()) -> Result<(), DatasetError> {
    let (festival, others): (Vec<&Line>, Vec<&Line>) =
        lines.iter().filter(|line| !line.path.exists()).partition(|line| matches!(line.voice, Voice::Festival { .. }));
    let jobs: Vec<&[&Line]> = festival.chunks(FESTIVAL_LINES).chain(others.chunks(1)).collect();
    let next = AtomicUsize::new(0);
    let (sender, done) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (jobs, next, sender) = (&jobs, &next, sender.clone());
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let spoken = speak_together(job).map(|()| job.len());
                    let failed = spoken.is_err();
                    if sender.send(spoken).is_err() || failed {
                        break;
                    }
                }
            });
        }
        drop(sender);
        // The first failure is the answer; the receiver's end stops the others.
        for count in done {
            (0..count?).for_each(|_| each());
        }
        Ok(())
    })
}

/// Lines of one engine call: many of festival, or one of another.
fn speak_together(lines: &[&Line]) -> Result<(), DatasetError> {
    match lines {
        [line] if !matches!(line.voice, Voice::Festival { .. }) => {
            let raw = raw_path(&line.path);
            let output = spoken_by_command(line, &raw).map_err(|error| missing(&line.voice, &error))?;
            if !raw.exists() {
                let what = format!("{} said: {}", line.voice, String::from_utf8_lossy(&output.stderr).trim());
                return Err(DatasetError::at(&line.path, what));
            }
        }
        _ => speak_with_festival(lines)?,
    }
    lines.iter().try_for_each(|line| finish(line, &raw_path(&line.path)))
}

fn spoken_by_command(line: &Line, raw: &Path) -> std::io::Result<Output> {
    let mut child = one_line(line, raw).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    if let (Some(mut input), Voice::RhVoice { .. }) = (child.stdin.take(), &line.voice) {
        // An engine that does not read has failed; its file is missed.
        let _ = input.write_all(line.text.as_bytes());
    }
    child.wait_with_output()
}

fn one_line(line: &Line, raw: &Path) -> Command {
    match &line.voice {
        Voice::Espeak { name, pitch, speed } => {
            let mut command = Command::new("espeak-ng");
            command
                .args(["-v", name, "-p", &pitch.to_string(), "-s", &speed.to_string(), "-w"])
                .arg(raw)
                .arg(&line.text);
            command
        }
        Voice::Flite { name, stretch } | Voice::Festival { name, stretch } => {
            let mut command = Command::new("flite");
            command
                .args(["-voice", name, "--setf", &format!("duration_stretch={stretch}"), "-t", &line.text, "-o"])
                .arg(raw);
            command
        }
        Voice::RhVoice { name, rate, pitch } => {
            let mut command = Command::new("RHVoice-test");
            command.args(["-p", name, "-r", &rate.to_string(), "-t", &pitch.to_string(), "-o"]).arg(raw);
            command
        }
    }
}

fn speak_with_festival(lines: &[&Line]) -> Result<(), DatasetError> {
    let Some(first) = lines.first() else { return Ok(()) };
    let mut program = String::new();
    for line in lines {
        if let Voice::Festival { name, stretch } = &line.voice {
            let text = line.text.replace(['"', '\\'], " ");
            program += &format!(
                "(voice_{name})\n(Parameter.set 'Duration_Stretch {stretch})\n\
                 (set! u (utt.synth (Utterance Text \"{text}\")))\n(utt.save.wave u {:?} 'riff)\n",
                raw_path(&line.path).display().to_string()
            );
        }
    }
    let mut child = Command::new("festival")
        .arg("--pipe")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| missing(&first.voice, &error))?;
    if let Some(mut input) = child.stdin.take() {
        // A festival that stops reading has failed; its files are missed below.
        let _ = input.write_all(program.as_bytes());
    }
    child.wait().map_err(|error| missing(&first.voice, &error))?;
    Ok(())
}

fn raw_path(path: &Path) -> PathBuf {
    path.with_extension("raw.wav")
}

/// Brings the engine's file to 16 kHz and in place.
fn finish(line: &Line, raw: &Path) -> Result<(), DatasetError> {
    let samples = read_sound(raw)?;
    let part = line.path.with_extension("part");
    write_wav(&part, &samples)?;
    std::fs::rename(&part, &line.path).map_err(|error| DatasetError::at(&line.path, error))?;
    std::fs::remove_file(raw).map_err(|error| DatasetError::at(raw, error))
}

fn missing(voice: &Voice, error: &std::io::Error) -> DatasetError {
    let program = match voice {
        Voice::Espeak { .. } => 0,
        Voice::Flite { .. } => 1,
        Voice::Festival { .. } => 2,
        Voice::RhVoice { .. } => 3,
    };
    let (program, packages) = PROGRAMS[program];
    DatasetError::at(
        Path::new(program),
        format!("cannot be started ({error}); install {packages} (`cargo xtask train speech` does)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seed;

    #[test]
    fn voices_to_learn_from_are_never_those_of_the_scores() {
        let drawn = |engines: Engines| {
            (0..2000).map(move |n| Voice::to_learn_from(&mut Seed(1).nth(n).rng(), engines).to_string().to_lowercase())
        };
        for voice in drawn(Engines { festival: true, rhvoice: true }) {
            assert!(!HELD_OUT.iter().any(|speaker| voice.contains(speaker)), "{voice}");
        }
        let few: Vec<String> = drawn(Engines { festival: false, rhvoice: false }).collect();
        assert!(few.iter().all(|voice| voice.starts_with("espeak") || voice.starts_with("flite")));
        assert!(few.iter().filter(|voice| voice.contains("rms")).count() > 300);
        let held_out: Vec<String> = Voice::to_score_with().iter().map(Voice::to_string).collect();
        assert!(held_out.iter().all(|voice| HELD_OUT.iter().any(|speaker| voice.contains(speaker))));
    }
}
