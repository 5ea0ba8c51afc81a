//! What a player did, tick by tick, as a file: recorded while playing, replayed in any rig and without one.
//!
//! What is written is what reaches the body: the intents of walking and of hands, tracked hands with their motion, commands
//! (spoken or chosen). One line of JSON for each tick in which something changed; the first line says for which scene.
//! In the tick loop before everything that obeys: [`RecordInputPlugin`] reads, [`ReplayInputPlugin`] writes over whatever a rig
//! has written. What is absent: how the world began; the same scene begun the same way ends the same way.

use std::{
    fs,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::tracking::{Pose, Side};
use crate::{
    base::Status,
    world::{
        Commanded, HandIntent, WalkIntent,
        avatar::AvatarHand,
        hand::TrackedHand,
        player::{Player, ViewPose},
    },
};

const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    umwelt_input: u32,
    /// File name of the scene, for the reader.
    scene: String,
}

/// What reaches the body in one tick.
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

/// A line: the tick since the beginning, and what is done from it on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    tick: u64,
    #[serde(flatten)]
    input: TickInput,
}

/// A recording, tick by tick.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct InputLog {
    pub scene: String,
    pub ticks: Vec<TickInput>,
}

impl InputLog {
    /// Reads a recording.
    ///
    /// # Errors
    /// - the file cannot be read, is no recording, or a line of it is not understood (named)
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = fs::File::open(path).with_context(|| format!("{shown}"))?;
        let mut lines = BufReader::new(file).lines();
        let first = lines.next().transpose().with_context(|| format!("{shown}"))?.unwrap_or_default();
        let header: Header = serde_json::from_str(&first)
            .with_context(|| format!("{shown}:1: no recorded input; `umwelt play --record-input` makes such files"))?;
        if header.umwelt_input != VERSION {
            bail!("{shown}:1: version {} of recorded input is not known, only {VERSION}", header.umwelt_input);
        }
        let mut ticks: Vec<TickInput> = Vec::new();
        for (number, line) in lines.enumerate() {
            let place = || format!("{shown}:{}", number + 2);
            let line: Line = serde_json::from_str(&line.with_context(place)?).with_context(place)?;
            if line.tick < ticks.len() as u64 || line.tick > ticks.len() as u64 + LONGEST_PAUSE {
                bail!("{}: tick {} does not follow tick {}", place(), line.tick, ticks.len());
            }
            // Until then nothing changed.
            let lasting = ticks.last().map(lasting).unwrap_or_default();
            ticks.resize(line.tick as usize, lasting);
            ticks.push(line.input);
        }
        Ok(Self { scene: header.scene, ticks })
    }
}

/// A line says what is done for at most so many ticks: a day.
const LONGEST_PAUSE: u64 = 60 * 60 * 60 * 24;

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
    input
}

/// Writes what the player does to a file, from the first tick with a player on.
pub struct RecordInputPlugin {
    pub path: PathBuf,
    /// File name of the scene.
    pub scene: String,
}

impl Plugin for RecordInputPlugin {
    fn build(&self, app: &mut App) {
        let header = Header { umwelt_input: VERSION, scene: self.scene.clone() };
        let opened = fs::File::create(&self.path).map_err(anyhow::Error::from).and_then(|file| {
            let mut file = BufWriter::new(file);
            writeln!(file, "{}", serde_json::to_string(&header)?)?;
            Ok(file)
        });
        let (file, status) = match opened {
            Ok(file) => (Some(file), Status::Ready),
            Err(error) => (None, failed(&self.path, &error)),
        };
        app.add_message::<Commanded>()
            .insert_resource(Recorder { path: self.path.clone(), file, status, tick: 0, last: None })
            .add_systems(FixedPreUpdate, note_tick)
            .add_systems(Last, close_file.run_if(on_message::<AppExit>));
    }
}

/// How recording goes.
#[derive(Resource)]
pub struct Recorder {
    path: PathBuf,
    file: Option<BufWriter<fs::File>>,
    pub status: Status,
    tick: u64,
    last: Option<TickInput>,
}

fn failed(path: &Path, error: &anyhow::Error) -> Status {
    let reason = format!("{}: input is not recorded ({error}); choose a place that can be written", path.display());
    warn!("{reason}");
    Status::Unavailable(reason)
}

fn pose(isometry: Isometry3d) -> Pose {
    Pose { position: isometry.translation.into(), rotation: isometry.rotation }
}

fn note_tick(
    players: Query<(&WalkIntent, &HandIntent), With<Player>>,
    hands: Query<(&TrackedHand, &AvatarHand, &ViewPose, &HandIntent)>,
    mut commanded: MessageReader<Commanded>,
    mut recorder: ResMut<Recorder>,
) {
    let Ok((walk, hand)) = players.single() else { return };
    let mut hands: Vec<HandInput> = hands
        .iter()
        .map(|(tracked, avatar, view, intent)| HandInput {
            side: if avatar.left { Side::Left } else { Side::Right },
            palm: pose(tracked.palm),
            ray: pose(view.now),
            velocity: tracked.velocity,
            spin: tracked.spin,
            intent: *intent,
        })
        .collect();
    hands.sort_by_key(|hand| hand.side);
    let commands = commanded.read().map(|command| (command.action.clone(), command.words.clone())).collect();
    let input = TickInput { walk: *walk, hand: *hand, hands, commands };
    let Recorder { path, file, status, tick, last } = &mut *recorder;
    if last.as_ref().map(lasting).as_ref() != Some(&input)
        && let Some(writer) = file
    {
        let line = Line { tick: *tick, input: input.clone() };
        let written =
            serde_json::to_string(&line).map_err(anyhow::Error::from).and_then(|line| Ok(writeln!(writer, "{line}")?));
        if let Err(error) = written {
            *status = failed(path, &error);
            *file = None;
        }
    }
    *last = Some(input);
    *tick += 1;
}

/// The last line says how long it went on.
fn close_file(mut recorder: ResMut<Recorder>) {
    let Recorder { path, file, status, tick, last } = &mut *recorder;
    let (Some(mut writer), Some(last)) = (file.take(), last.as_ref()) else { return };
    let line = Line { tick: *tick, input: lasting(last) };
    let written = serde_json::to_string(&line).map_err(anyhow::Error::from).and_then(|line| {
        writeln!(writer, "{line}")?;
        Ok(writer.flush()?)
    });
    if let Err(error) = written {
        *status = failed(path, &error);
    }
}

/// Does what an [`InputLog`] says, from the first tick with a player on; after its end the body stands still.
pub struct ReplayInputPlugin {
    pub log: InputLog,
}

impl Plugin for ReplayInputPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Commanded>()
            .insert_resource(self.log.clone())
            .init_resource::<Replayed>()
            .add_systems(FixedPreUpdate, play_tick);
    }
}

/// How many ticks were replayed.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed(pub u64);

fn play_tick(
    mut commands: Commands,
    log: Res<InputLog>,
    mut replayed: ResMut<Replayed>,
    mut players: Query<(Entity, &mut WalkIntent, &mut HandIntent), With<Player>>,
    mut hands: Query<(Entity, &mut TrackedHand, &AvatarHand, &mut ViewPose, &mut HandIntent), Without<Player>>,
    mut commanded: MessageWriter<Commanded>,
) {
    let Ok((player, mut walk, mut hand)) = players.single_mut() else { return };
    let over = log.ticks.last().map(lasting).unwrap_or_default();
    let input = log.ticks.get(replayed.0 as usize).unwrap_or(&over);
    replayed.0 += 1;
    *walk = input.walk;
    *hand = input.hand;
    for side in Side::BOTH {
        let left = side == Side::Left;
        let there = hands.iter_mut().find(|hand| hand.2.left == left);
        match (input.hands.iter().find(|hand| hand.side == side), there) {
            (None, None) => {}
            (None, Some((entity, ..))) => commands.entity(entity).despawn(),
            (Some(input), Some((_, mut tracked, _, mut view, mut intent))) => {
                *tracked = tracked_hand(input, player);
                *view = ViewPose { now: input.ray.into(), before: view.now };
                *intent = input.intent;
            }
            (Some(input), None) => {
                commands.spawn((
                    tracked_hand(input, player),
                    AvatarHand { left, index_curl: 0.0, fist_curl: 0.0 },
                    ViewPose { now: input.ray.into(), before: input.ray.into() },
                    input.intent,
                ));
            }
        }
    }
    for (action, words) in &input.commands {
        commanded.write(Commanded { action: action.clone(), words: words.clone() });
    }
}

fn tracked_hand(input: &HandInput, of: Entity) -> TrackedHand {
    TrackedHand { of, palm: input.palm.into(), velocity: input.velocity, spin: input.spin }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(lines: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.jsonl");
        fs::write(&path, lines.join("\n")).unwrap();
        (folder, path)
    }

    /// Records `ticks` with what `act` does before each.
    fn record(ticks: u64, act: impl Fn(u64, &mut World, Entity)) -> InputLog {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.jsonl");
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, RecordInputPlugin { path: path.clone(), scene: "tiny".to_owned() }))
            .insert_resource(bevy::time::TimeUpdateStrategy::FixedTimesteps(1));
        let player = app.world_mut().spawn((Player, HandIntent::default())).id();
        app.update();
        for tick in 0..ticks {
            act(tick, app.world_mut(), player);
            app.update();
        }
        app.world_mut().write_message(AppExit::Success);
        app.update();
        InputLog::read(&path).unwrap()
    }

    #[test]
    fn what_was_done_is_read_back_tick_by_tick() {
        let log = record(20, |tick, world, player| {
            let mut walk = world.get_mut::<WalkIntent>(player).unwrap();
            walk.jump = tick == 5;
            walk.yaw = if tick < 10 { 0.25 } else { 0.1 + 0.2 };
            if tick == 7 {
                world.write_message(Commanded::new("Jump", &[]));
            }
        });
        assert_eq!(log.scene, "tiny");
        let jumps: Vec<_> = log.ticks.iter().filter(|tick| tick.walk.jump).collect();
        assert_eq!(jumps.len(), 1);
        // To the last bit.
        assert_eq!(log.ticks.last().unwrap().walk.yaw.to_bits(), (0.1_f32 + 0.2).to_bits());
        assert_eq!(log.ticks.iter().map(|tick| tick.commands.len()).sum::<usize>(), 1);
        assert!((20..=23).contains(&log.ticks.len()), "{}", log.ticks.len());
    }

    #[test]
    fn bad_files_are_told_with_their_line() {
        let header = r#"{"umwelt_input": 1, "scene": "x"}"#;
        for (lines, said) in [
            (&["", "x"][..], ":1: no recorded input"),
            (&[r#"{"umwelt_input": 9, "scene": "x"}"#], ":1: version 9"),
            (&[header, "nonsense"], ":2"),
            (&[header, r#"{"tick": 99999999999, "walk": {}, "hand": {}}"#], ":2: tick"),
        ] {
            let (_folder, path) = written(lines);
            let error = format!("{:#}", InputLog::read(&path).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
        let (_folder, path) = written(&[header]);
        assert_eq!(InputLog::read(&path).unwrap().ticks, []);
    }
}
