//! Synthetic voices: espeak-ng, flite and festival as programs of the machine.
//!
//! In: texts, each with a voice and a place for its sound. Out: WAV files of 16 kHz, the silence around the voice as the
//! engine left it. The speakers slt and awb are never drawn: whatever engine speaks with them, they are for scores only.

use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    super::DatasetError,
    recordings::{read_sound, write_wav},
};

/// The programs, and the Debian packages that hold them and their voices.
pub const PROGRAMS: [(&str, &str); 3] = [
    ("espeak-ng", "espeak-ng"),
    ("flite", "flite"),
    ("festival", "festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"),
];

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
}

impl fmt::Display for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Voice::Espeak { name, pitch, speed } => write!(f, "espeak {name} p{pitch} s{speed}"),
            Voice::Flite { name, .. } => write!(f, "flite {name}"),
            Voice::Festival { name, .. } => write!(f, "festival {name}"),
        }
    }
}

impl Voice {
    /// A voice to learn from: espeak's family for variety, recorded speakers for nature.
    pub fn to_learn_from(rng: &mut ChaCha8Rng) -> Self {
        let stretch = |rng: &mut ChaCha8Rng| rng.random_range(0.85..1.25_f32);
        let flite = |name: &str, rng: &mut ChaCha8Rng| Voice::Flite { name: name.into(), stretch: stretch(rng) };
        let festival = |name: &str, rng: &mut ChaCha8Rng| Voice::Festival { name: name.into(), stretch: stretch(rng) };
        match rng.random_range(0..100) {
            0..42 => {
                let accent = ACCENTS.choose(rng).copied().unwrap_or(ACCENTS[0]);
                let variant = VARIANTS.choose(rng).copied().unwrap_or(VARIANTS[0]);
                Voice::Espeak {
                    name: format!("{accent}+{variant}"),
                    pitch: rng.random_range(20..85),
                    speed: rng.random_range(120..210),
                }
            }
            42..70 => flite("rms", rng),
            70..78 => flite("kal16", rng),
            78..92 => festival("ked_diphone", rng),
            _ => festival("kal_diphone", rng),
        }
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

/// Speaks all lines; those that exist already stay. Calls `each` after every line.
///
/// # Errors
/// - a program is missing or cannot speak; the sound cannot be read or written
pub fn speak(lines: &[Line], mut each: impl FnMut()) -> Result<(), DatasetError> {
    let (festival, others): (Vec<&Line>, Vec<&Line>) =
        lines.iter().filter(|line| !line.path.exists()).partition(|line| matches!(line.voice, Voice::Festival { .. }));
    for line in others {
        let raw = raw_path(&line.path);
        let output = one_line(line, &raw).output().map_err(|error| missing(&line.voice, &error))?;
        if !raw.exists() {
            let what = format!("{} said: {}", line.voice, String::from_utf8_lossy(&output.stderr).trim());
            return Err(DatasetError::at(&line.path, what));
        }
        finish(line, &raw)?;
        each();
    }
    // Festival takes half a second to start, so that it gets many lines at once.
    for lines in festival.chunks(50) {
        speak_with_festival(lines)?;
        for line in lines {
            finish(line, &raw_path(&line.path))?;
            each();
        }
    }
    Ok(())
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
        for n in 0..2000 {
            let voice = Voice::to_learn_from(&mut Seed(1).nth(n).rng()).to_string();
            assert!(!HELD_OUT.iter().any(|speaker| voice.contains(speaker)), "{voice}");
        }
        let held_out: Vec<String> = Voice::to_score_with().iter().map(Voice::to_string).collect();
        assert!(held_out.iter().all(|voice| HELD_OUT.iter().any(|speaker| voice.contains(speaker))));
    }
}
