//! Writes what the player does to a file, tick by tick.
//!
//! In: intents, tracked hands, commands, the companion's intents, [`Tracking`], devices, [`Speech`], each tick before anything obeys;
//! the eyes at its end. Out: a line for each tick in which something changed, the voice beside it (`voice_file`), [`Recorder`] for
//! the screen. Written out once a second.

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use bevy::{
    input::{InputSystems, mouse::AccumulatedMouseScroll},
    prelude::*,
};

use super::{
    CompanionInputSystems, HandInput, Header, HeadsetInput, LONGEST_PAUSE, Line, MOST_TICKS, TickInput, VERSION,
    VoiceMark, lasting, pose, scene_sha256, voice_file::VoiceFile, voice_path,
};
use crate::{
    base::{Status, Tick},
    platform::{
        bindings::Action,
        flat::{DeviceInput, Steering},
        settings::Settings,
        tracked_rig::PlaySpace,
        tracking::{Side, Tracking},
    },
    sensors::{EarSystems, Speech},
    world::{
        Commanded, Companion, FlyIntent, HandIntent, WalkIntent,
        avatar::AvatarHand,
        hand::TrackedHand,
        player::{Player, ViewPose},
    },
};

/// Writes what the player does to a file, from the first tick with a player on.
pub struct RecordInputPlugin {
    pub path: PathBuf,
    pub scene: PathBuf,
}

impl Plugin for RecordInputPlugin {
    fn build(&self, app: &mut App) {
        let voice = voice_path(&self.path);
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let header = Header {
            umwelt_input: VERSION,
            scene: name(&self.scene),
            scene_sha256: scene_sha256(&self.scene),
            voice: Some(name(&voice)),
        };
        let opened = fs::File::create(&self.path).map_err(anyhow::Error::from).and_then(|file| {
            let mut file = BufWriter::new(file);
            writeln!(file, "{}", serde_json::to_string(&header)?)?;
            file.flush()?;
            Ok(file)
        });
        let (file, status) = match opened {
            Ok(file) => (Some(file), Status::Ready),
            Err(error) => (None, failed(&self.path, &error)),
        };
        let recorder = Recorder {
            path: self.path.clone(),
            voice_path: voice.clone(),
            file,
            voice: status.is_ready().then(|| VoiceFile::new(&voice)),
            status,
            voice_status: Status::Ready,
            ticks: 0,
            lines_to: 0,
            pending: None,
            actions: Vec::new(),
            marks: Vec::new(),
            last: None,
        };
        app.add_message::<Commanded>()
            .add_message::<Speech>()
            .insert_resource(recorder)
            .add_systems(
                PreUpdate,
                note_actions
                    .after(InputSystems)
                    .run_if(resource_exists::<Settings>.and_then(resource_exists::<AccumulatedMouseScroll>)),
            )
            .add_systems(FixedPreUpdate, (note_voice, note_tick).chain().after(EarSystems::Listen))
            .add_systems(FixedUpdate, note_companion.in_set(CompanionInputSystems))
            .add_systems(FixedLast, write_tick)
            .add_systems(Last, close_file.run_if(on_message::<AppExit>));
    }
}

/// How recording goes.
#[derive(Resource)]
pub struct Recorder {
    path: PathBuf,
    voice_path: PathBuf,
    file: Option<BufWriter<fs::File>>,
    voice: Option<VoiceFile>,
    pub status: Status,
    /// Whether the voice can be written; nothing need have been said yet.
    pub voice_status: Status,
    ticks: u64,
    /// The ticks that the lines so far tell of.
    lines_to: u64,
    /// Of the tick that is under way.
    pending: Option<TickInput>,
    /// Since the tick before.
    actions: Vec<Action>,
    marks: Vec<VoiceMark>,
    last: Option<TickInput>,
}

impl Recorder {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the voice goes.
    pub fn voice_path(&self) -> &Path {
        &self.voice_path
    }

    /// Time recorded so far.
    pub fn seconds(&self) -> f64 {
        self.ticks as f64 / Tick::RATE_HZ
    }

    /// Sound of the voice so far.
    pub fn voice_seconds(&self) -> f64 {
        self.voice.as_ref().map_or(0.0, VoiceFile::seconds)
    }
}

fn failed(path: &Path, error: &anyhow::Error) -> Status {
    let reason = format!("{}: input is not recorded ({error}); choose a place that can be written", path.display());
    warn!("{reason}");
    Status::Unavailable(reason)
}

/// A tap may come and go between two ticks. What is pressed in a menu is none of the player's deeds.
fn note_actions(
    input: DeviceInput,
    settings: Res<Settings>,
    steering: Option<Res<Steering>>,
    mut recorder: ResMut<Recorder>,
) {
    if steering.is_some_and(|steering| !steering.0) {
        return;
    }
    input.read(|devices| {
        for action in Action::ALL {
            if devices.holds(&settings.bindings, action) && !recorder.actions.contains(&action) {
                recorder.actions.push(action);
            }
        }
    });
}

fn note_voice(mut speech: MessageReader<Speech>, mut recorder: ResMut<Recorder>) {
    let recorder = &mut *recorder;
    for piece in speech.read() {
        let Some(voice) = &mut recorder.voice else { continue };
        match voice.take(piece) {
            Ok(mark) => recorder.marks.extend(mark),
            Err(error) => {
                let reason = format!("{}: the voice is no longer recorded ({error})", recorder.voice_path.display());
                warn!("{reason}");
                recorder.voice_status = Status::Unavailable(reason);
                recorder.voice = None;
            }
        }
    }
}

fn note_tick(
    players: Query<(&WalkIntent, &HandIntent), With<Player>>,
    hands: Query<(&TrackedHand, &AvatarHand, &ViewPose, &HandIntent)>,
    (tracking, play_space): (Option<Res<Tracking>>, Option<Res<PlaySpace>>),
    mut commanded: MessageReader<Commanded>,
    mut recorder: ResMut<Recorder>,
) {
    let Ok((walk, hand)) = players.single() else { return };
    // As they are in the world: what the first of them holds is handed over when the headset is taken off.
    let hands = hands
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
    let headset = tracking.filter(|tracking| tracking.worn).map(|tracking| {
        let play_space = play_space.map(|space| space.now).unwrap_or_default();
        Box::new(HeadsetInput { tracking: *tracking, play_space: pose(play_space) })
    });
    recorder.pending = Some(TickInput {
        walk: *walk,
        hand: *hand,
        hands,
        commands: commanded.read().map(|command| (command.action.clone(), command.words.clone())).collect(),
        companion: None,
        eyes: None,
        headset,
        actions: std::mem::take(&mut recorder.actions),
        voice: std::mem::take(&mut recorder.marks),
    });
}

fn note_companion(companions: Query<&FlyIntent, With<Companion>>, mut recorder: ResMut<Recorder>) {
    if let Some(pending) = &mut recorder.pending {
        pending.companion = companions.iter().next().copied();
    }
}

fn write_tick(players: Query<&ViewPose, With<Player>>, mut recorder: ResMut<Recorder>) {
    let Recorder { path, file, voice, status, ticks, lines_to, pending, last, .. } = &mut *recorder;
    let Some(mut input) = pending.take() else { return };
    input.eyes = players.single().ok().map(|view| pose(view.now));
    let tick = *ticks;
    *ticks += 1;
    if tick >= MOST_TICKS {
        if file.take().is_some_and(|mut writer| writer.flush().is_ok()) {
            let reason = format!("{}: three hours are recorded, and no more will be", path.display());
            *status = Status::Unavailable(reason);
        }
        close_voice(voice);
        return;
    }
    let changed = last.as_ref().map(lasting).as_ref() != Some(&input) || tick - *lines_to >= LONGEST_PAUSE;
    if let Some(writer) = file {
        let mut write = || {
            if changed {
                write_line(writer, tick, &input)?;
                *lines_to = tick + 1;
            }
            if tick.is_multiple_of(WRITTEN_OUT_TICKS) {
                writer.flush()?;
            }
            Ok(())
        };
        if let Err(error) = write() {
            *status = failed(path, &error);
            *file = None;
        }
    }
    *last = Some(input);
}

/// Ticks between two times that the file is written out.
const WRITTEN_OUT_TICKS: u64 = Tick::RATE_HZ as u64;

fn write_line(writer: &mut BufWriter<fs::File>, tick: u64, input: &TickInput) -> anyhow::Result<()> {
    Ok(writeln!(writer, "{}", serde_json::to_string(&Line { tick, input: input.clone() })?)?)
}

fn close_voice(voice: &mut Option<VoiceFile>) {
    if let Some(mut voice) = voice.take()
        && let Err(error) = voice.close()
    {
        warn!("the recorded voice could not be finished: {error}");
    }
}

/// The last line says how long it went on.
fn close_file(mut recorder: ResMut<Recorder>) {
    let Recorder { path, file, voice, status, ticks, lines_to, last, .. } = &mut *recorder;
    close_voice(voice);
    let (Some(mut writer), Some(last)) = (file.take(), last.as_ref()) else { return };
    let quiet_end = *ticks > *lines_to;
    let written = if quiet_end { write_line(&mut writer, *ticks - 1, &lasting(last)) } else { Ok(()) };
    if let Err(error) = written.and_then(|()| Ok(writer.flush()?)) {
        *status = failed(path, &error);
    }
}

#[cfg(test)]
mod tests {
    use bevy::time::TimeUpdateStrategy;

    use super::{
        super::{InputLog, VoiceMark},
        *,
    };
    use crate::{platform::tracking::Pose, sensors::SpeechPart};

    struct Session {
        app: App,
        player: Entity,
        folder: tempfile::TempDir,
    }

    impl Session {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let scene = folder.path().join("tiny.scene.ron");
            fs::write(&scene, "()").unwrap();
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, RecordInputPlugin { path: folder.path().join("input.jsonl"), scene }))
                .insert_resource(TimeUpdateStrategy::FixedTimesteps(1));
            app.update();
            let player = app.world_mut().spawn((Player, HandIntent::default())).id();
            Self { app, player, folder }
        }

        /// Records `ticks` with what `act` does before each.
        fn record(&mut self, ticks: u64, act: impl Fn(u64, &mut World, Entity)) {
            for tick in 0..ticks {
                act(tick, self.app.world_mut(), self.player);
                self.app.update();
            }
        }

        fn read(&self) -> InputLog {
            InputLog::read(&self.folder.path().join("input.jsonl")).unwrap()
        }

        fn end(mut self) -> InputLog {
            self.app.world_mut().write_message(AppExit::Success);
            // The message is seen in the same update; no time passes.
            self.app.insert_resource(TimeUpdateStrategy::FixedTimesteps(0));
            self.app.update();
            self.read()
        }
    }

    #[test]
    fn what_was_done_is_read_back_tick_by_tick() {
        let mut session = Session::new();
        session.record(20, |tick, world, player| {
            let mut walk = world.get_mut::<WalkIntent>(player).unwrap();
            walk.jump = tick == 5;
            walk.yaw = if tick < 10 { 0.25 } else { 0.1 + 0.2 };
            if tick == 7 {
                world.write_message(Commanded::new("Jump", &[]));
            }
        });
        let log = session.end();
        assert_eq!((log.scene.as_str(), log.ticks.len()), ("tiny.scene.ron", 20));
        assert_eq!(log.scene_sha256.as_deref().map(str::len), Some(64));
        let jumps: Vec<usize> = (0..20).filter(|tick| log.ticks[*tick].walk.jump).collect();
        assert_eq!(jumps, [5]);
        // To the last bit.
        assert_eq!(log.ticks.last().unwrap().walk.yaw.to_bits(), (0.1_f32 + 0.2).to_bits());
        let commands: Vec<usize> = (0..20).filter(|tick| !log.ticks[*tick].commands.is_empty()).collect();
        assert_eq!(commands, [7]);
    }

    #[test]
    fn the_headset_the_companion_and_the_eyes_are_in_the_file() {
        let mut session = Session::new();
        let companion = session.app.world_mut().spawn((Companion, FlyIntent::default())).id();
        session.app.insert_resource(Tracking::default());
        session.record(6, |tick, world, player| {
            let mut tracking = world.resource_mut::<Tracking>();
            tracking.worn = tick >= 2;
            tracking.head = Some(Pose { position: Vec3::new(0.1, 1.6, 0.2), rotation: Quat::from_rotation_y(0.3) });
            tracking.hand_mut(Side::Left).trigger = 0.75;
            tracking.hand_mut(Side::Left).stick_click = tick == 4;
            world.get_mut::<FlyIntent>(companion).unwrap().target = Some(Vec3::splat(0.1 * tick as f32));
            world.get_mut::<ViewPose>(player).unwrap().now = Isometry3d::from_xyz(0.0, 1.5 + 0.1 * tick as f32, 0.0);
        });
        let tracking = *session.app.world().resource::<Tracking>();
        let log = session.end();
        assert_eq!(log.ticks[1].headset, None, "not worn yet");
        let worn = log.ticks[5].headset.as_ref().unwrap();
        assert_eq!(worn.tracking, tracking);
        assert!(log.ticks[4].headset.as_ref().unwrap().tracking.hand(Side::Left).stick_click);
        assert_eq!(log.ticks[3].companion.unwrap().target, Some(Vec3::splat(0.1 * 3.0)));
        assert_eq!(log.ticks[5].eyes.unwrap().position.y.to_bits(), (1.5 + 0.1 * 5.0_f32).to_bits());
    }

    #[test]
    fn a_voice_lies_beside_and_its_phrases_have_their_ticks() {
        let mut session = Session::new();
        session.record(30, |tick, world, _| {
            let part = match tick {
                10 => SpeechPart::Began { tick: Tick(0), at_s: 3.0, addressed: false },
                11..=13 => SpeechPart::Sound(vec![0.25; 800].into()),
                14 => SpeechPart::Ended { tick: Tick(0), at_s: 3.2 },
                _ => return,
            };
            world.write_message(Speech { utterance: 0, part });
        });
        assert!((session.app.world().resource::<Recorder>().voice_seconds() - 0.15).abs() < 1e-9);
        let voice = session.folder.path().join("input.voice.wav");
        assert!(voice.is_file());
        let log = session.end();
        assert_eq!(log.ticks[11].voice, [VoiceMark::Began { phrase: 0, sample: 0, secs_ago: 0.05 }]);
        assert_eq!(log.ticks[14].voice, [VoiceMark::Ended { phrase: 0, sample: 2400 }]);
        assert_eq!(log.ticks.iter().map(|tick| tick.voice.len()).sum::<usize>(), 2);
    }

    #[test]
    fn without_an_end_a_second_is_lost_at_most() {
        let mut session = Session::new();
        session.record(200, |tick, world, player| {
            world.get_mut::<WalkIntent>(player).unwrap().yaw = 0.01 * tick as f32;
        });
        let read = session.read().ticks.len();
        assert!((140..=200).contains(&read), "{read} of 200 ticks");
    }
}
