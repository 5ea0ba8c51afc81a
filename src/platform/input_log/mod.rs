//! What a player did, tick by tick, as a file: recorded while playing, replayed in any rig and without one.
//!
//! One line of JSON for each tick in which something changed; the first line says for which scene. A line holds what reaches the
//! body (intents of walking and of hands, tracked hands with their motion, commands, spoken or chosen), how the companion flew, and
//! what it all came from, for whoever trains or measures with it: the headset's and the controllers' poses and buttons, the
//! actions whose keys were down, where the eyes were, which phrase of the recorded voice began and ended.
//!
//! | file | what |
//! |---|---|
//! | `recorder` | plays the clerk: one line a tick, the voice beside it |
//! | `voice_file` | phrases that the ear took, one after the other in a sound file |
//! | `replayer` | writes over whatever a rig has written |
//!
//! **The companion** sees with models that take as long as they take, so what it wants differs from run to run. Its body is one of
//! the bodies of the world (doors wait for it, things are pushed by it): therefore its [`FlyIntent`]s are recorded and replayed
//! like the player's, after its mind and before its body. In a replay its mind goes on seeing and speaking, and flies nothing.
//!
//! What is absent: how the world began. Whoever records or replays begins with a whole scene in which no time has passed
//! (`app::replay`); the same scene begun the same way ends the same way.

mod recorder;
mod replayer;
mod voice_file;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

pub use recorder::{RecordInputPlugin, Recorder};
pub use replayer::{Replay, ReplayInputPlugin, ReplaySystems, is_replaying};
pub use voice_file::VoiceMark;

use super::{
    bindings::Action,
    tracking::{Pose, Side, Tracking},
};
use crate::{
    base::{Tick, sha256_hex},
    world::{FlyIntent, HandIntent, WalkIntent},
};

/// What is written. Version 1 has neither companion nor eyes, tracking, actions and voice; it is still read.
const VERSION: u32 = 2;

/// The companion's recorded or replayed intents, in `FixedUpdate`: the app puts it after the mind and before the body.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CompanionInputSystems;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    umwelt_input: u32,
    /// File name of the scene, for the reader.
    scene: String,
    /// Of the scene's file when the recording was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scene_sha256: Option<String>,
    /// File name of the recorded voice, which lies beside; not there if nobody spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    voice: Option<String>,
}

/// What reaches the bodies in one tick, and what it came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TickInput {
    pub walk: WalkIntent,
    pub hand: HandIntent,
    /// In a headset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hands: Vec<HandInput>,
    /// Action and words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<(String, Vec<String>)>,
    /// `None`: it hovers where it hatched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub companion: Option<FlyIntent>,
    /// Where the player's eyes are at the end of the tick, world space; −Z is forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eyes: Option<Pose>,
    /// While a headset is worn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headset: Option<Box<HeadsetInput>>,
    /// What was held in the window since the tick before, whichever key or button is bound to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voice: Vec<VoiceMark>,
}

/// One tracked hand, world space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandInput {
    pub side: Side,
    pub palm: Pose,
    pub ray: Pose,
    pub velocity: Vec3,
    pub spin: Vec3,
    pub intent: HandIntent,
}

/// What the headset and its controllers do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadsetInput {
    /// In the play space.
    pub tracking: Tracking,
    /// World from play space.
    pub play_space: Pose,
}

/// A line: the tick since the beginning, and what is done from it on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    tick: u64,
    #[serde(flatten)]
    input: TickInput,
}

/// A recording, tick by tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputLog {
    pub scene: String,
    /// Of the scene's file, if it was written down.
    pub scene_sha256: Option<String>,
    /// The recorded voice's file, if somebody spoke.
    pub voice: Option<PathBuf>,
    pub ticks: Vec<TickInput>,
}

impl InputLog {
    /// Reads a recording. A last line that was cut off, as by a crash, is left out.
    ///
    /// # Errors
    /// - the file cannot be read, is no recording, or a line of it is not understood (named)
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = fs::File::open(path).with_context(|| format!("{shown}"))?;
        let mut file = BufReader::new(file);
        let mut text = String::new();
        file.read_line(&mut text).with_context(|| format!("{shown}"))?;
        let header: Header = serde_json::from_str(&text)
            .with_context(|| format!("{shown}:1: no recorded input; `umwelt play --record-input` makes such files"))?;
        if !(1..=VERSION).contains(&header.umwelt_input) {
            bail!(
                "{shown}:1: version {} of recorded input is not known, only 1 to {VERSION}; take a newer umwelt",
                header.umwelt_input
            );
        }
        let mut ticks: Vec<TickInput> = Vec::new();
        for number in 2.. {
            let place = || format!("{shown}:{number}");
            text.clear();
            if file.read_line(&mut text).with_context(place)? == 0 {
                break;
            }
            let line: Line = match serde_json::from_str(&text) {
                Ok(line) => line,
                Err(error) if error.is_eof() && !text.ends_with('\n') => {
                    warn!("{}: the last line is cut off and left out", place());
                    break;
                }
                Err(error) => return Err(error).with_context(place),
            };
            if line.tick < ticks.len() as u64 || line.tick > ticks.len() as u64 + LONGEST_PAUSE {
                bail!("{}: tick {} does not follow tick {}", place(), line.tick, ticks.len());
            }
            if line.tick >= MOST_TICKS {
                bail!(
                    "{}: tick {} is beyond three hours, the longest recording; cut it off before",
                    place(),
                    line.tick
                );
            }
            // Until then nothing changed.
            let lasting = ticks.last().map(lasting).unwrap_or_default();
            ticks.resize(line.tick as usize, lasting);
            ticks.push(line.input);
        }
        let voice = header.voice.map(|name| path.with_file_name(name)).filter(|voice| voice.is_file());
        Ok(Self { scene: header.scene, scene_sha256: header.scene_sha256, voice, ticks })
    }
}

/// Where the voice goes that is recorded with the input in `path`: beside it, `walk.jsonl` and `walk.voice.wav`.
pub fn voice_path(path: &Path) -> PathBuf {
    path.with_extension("voice.wav")
}

/// What tells one text of a scene from another; `None` if the file cannot be read.
pub fn scene_sha256(scene: &Path) -> Option<String> {
    Some(sha256_hex(fs::read(scene).ok()?))
}

/// Ticks of the longest recording: three hours. A player's whole evening, and a log of it that fits into memory.
const MOST_TICKS: u64 = Tick::RATE_HZ as u64 * 60 * 60 * 3;

/// A line says what is done for at most so many ticks: half an hour.
const LONGEST_PAUSE: u64 = MOST_TICKS / 6;

/// What goes on when nothing new is done: single deeds are over.
fn lasting(input: &TickInput) -> TickInput {
    let mut input = input.clone();
    input.walk.jump = false;
    input.walk.teleport = None;
    input.walk.stride = Vec2::ZERO;
    input.hand.throw = false;
    for hand in &mut input.hands {
        hand.intent.throw = false;
    }
    input.commands.clear();
    input.voice.clear();
    input
}

fn pose(isometry: Isometry3d) -> Pose {
    Pose { position: isometry.translation.into(), rotation: isometry.rotation }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.jsonl");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn bad_files_are_told_with_their_line() {
        let header = r#"{"umwelt_input": 1, "scene": "x"}"#;
        for (text, said) in [
            ("\nx".to_owned(), ":1: no recorded input"),
            (r#"{"umwelt_input": 9, "scene": "x"}"#.to_owned(), ":1: version 9"),
            (r#"{"umwelt_input": 0, "scene": "x"}"#.to_owned(), ":1: version 0"),
            (format!("{header}\nnonsense"), ":2"),
            (format!("{header}\n{{\"tick\": 0, \"walk\":\n"), ":2"),
            (format!("{header}\n{}", r#"{"tick": 99999999999, "walk": {}, "hand": {}}"#), ":2: tick"),
        ] {
            let (_folder, path) = written(&text);
            let error = format!("{:#}", InputLog::read(&path).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
        let (_folder, path) = written(header);
        assert_eq!(InputLog::read(&path).unwrap().ticks, []);
    }

    #[test]
    fn a_recording_that_was_cut_off_ends_with_its_last_whole_line() {
        let text = concat!(
            "{\"umwelt_input\": 2, \"scene\": \"x\", \"voice\": \"input.voice.wav\"}\n",
            "{\"tick\": 0, \"walk\": {\"jump\": true}, \"hand\": {}}\n{\"tick\": 4, \"walk\": {\"ya"
        );
        let (_folder, path) = written(text);
        let log = InputLog::read(&path).unwrap();
        assert!(log.ticks.len() == 1 && log.ticks[0].walk.jump);
        assert_eq!(log.voice, None, "nobody spoke: there is no such file");
        fs::write(voice_path(&path), "sound").unwrap();
        assert_eq!(InputLog::read(&path).unwrap().voice, Some(voice_path(&path)));
    }

    #[test]
    fn version_1_is_still_read() {
        // As written before version 2.
        let text = concat!(
            r#"{"umwelt_input":1,"scene":"tiny.scene.ron"}"#,
            "\n",
            r#"{"tick":0,"walk":{"direction":[0.0,1.0],"run":false,"crouch":false,"jump":false,"yaw":0.25,"pitch":0.0,"stride":[0.0,0.0],"teleport":null,"head":null},"hand":{"grab":false,"throw":false,"push":0.0,"turn":[0.0,0.0]}}"#,
            "\n",
            r#"{"tick":3,"walk":{"yaw":0.3},"hand":{"grab":true},"hands":[{"side":"right","palm":{"position":[0.0,1.0,0.0],"rotation":[0.0,0.0,0.0,1.0]},"ray":{"position":[0.0,1.0,0.0],"rotation":[0.0,0.0,0.0,1.0]},"velocity":[0.0,0.0,0.0],"spin":[0.0,0.0,0.0],"intent":{"grab":true}}],"commands":[["Turn",["left"]]]}"#,
            "\n"
        );
        let (_folder, path) = written(text);
        let log = InputLog::read(&path).unwrap();
        assert_eq!((log.ticks.len(), log.scene_sha256, log.voice), (4, None, None));
        assert_eq!(log.ticks[2].walk.direction, Vec2::Y, "until the next line");
        let last = &log.ticks[3];
        assert!(last.hands[0].intent.grab && last.commands == [("Turn".to_owned(), vec!["left".to_owned()])]);
        assert_eq!((last.companion, last.eyes, &last.headset), (None, None, &None));
    }
}
