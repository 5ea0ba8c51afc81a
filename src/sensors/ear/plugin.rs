//! The ear in the world: settings and status as resources, speech as messages.

use std::{path::PathBuf, sync::Mutex, sync::PoisonError};

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    SAMPLE_RATE_HZ,
    endpoint::EndpointSettings,
    level::Level,
    listener::{Attention, EarEvent, EarPart, Listener},
    microphone_thread::{MicrophoneThread, Orders},
    own_sound::OwnSound,
    sound_file::SoundFile,
    speech::{Speech, SpeechPart},
};
use crate::base::{Status, Tick};

/// Gives the world an ear.
pub struct EarPlugin {
    pub source: EarSource,
}

/// What the ear is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarSource {
    /// The microphone of [`EarSettings`].
    Microphone,
    /// A sound file, spoken once at the world's own pace.
    File(PathBuf),
    /// Nothing, for this reason.
    Nothing(String),
}

/// When the ear reads its source: before whoever reads [`Speech`] in the same frame or tick.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EarSystems {
    Listen,
}

/// Who begins an utterance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TalkMode {
    /// The voice.
    #[default]
    Voice,
    /// The talk key, held down.
    PushToTalk,
}

/// How the ear is to listen. Plain values; whoever owns settings and keys writes them.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct EarSettings {
    /// Whether the microphone is to be open at all.
    pub enabled: bool,
    /// By name; `None`: the system's default.
    pub microphone: Option<String>,
    pub mode: TalkMode,
    /// 0 (only loud and clear voices) to 1 (everything that may be one).
    pub sensitivity: f32,
    pub muted: bool,
    /// Whether the talk key is down.
    pub talk_key: bool,
    /// False while the world does not attend (a menu is open): nothing is heard, and a file waits.
    pub attending: bool,
    /// Counts requests to list the microphones again.
    pub listings: u64,
}

impl Default for EarSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            microphone: None,
            mode: TalkMode::default(),
            sensitivity: 0.5,
            muted: false,
            talk_key: false,
            attending: true,
            listings: 0,
        }
    }
}

/// How the ear is doing.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct EarStatus {
    pub status: Status,
    /// The microphone's or the file's name, with its host and rate.
    pub source: String,
    pub level: Level,
    /// Whether an utterance is under way.
    pub hears_voice: bool,
    /// Samples that were lost between the device and the world.
    pub lost_samples: u64,
    /// Utterances begun, and those of them that broke.
    pub utterances: u64,
    pub broken: u64,
    /// Microphones that can be chosen.
    pub microphones: Vec<String>,
    /// How often a microphone was opened.
    pub opened: u64,
    /// Whether a file has been heard to its end.
    pub finished: bool,
}

/// What hears.
#[derive(Resource)]
enum Ear {
    Microphone(Option<MicrophoneThread>),
    /// A decoder cannot be shared between threads; the mutex is never contended.
    File(Box<Mutex<FileEar>>),
    Nothing,
}

struct FileEar {
    file: SoundFile,
    listener: Listener,
    /// Samples due so far, in sixtieths of a sample's share: ticks are not whole numbers of samples.
    due: f64,
    /// Samples of silence after the end, so that the last word ends as others do.
    silence_left: usize,
    done: bool,
}

/// Half a second follows a file.
const SILENCE_AFTER: usize = SAMPLE_RATE_HZ as usize / 2;

impl Plugin for EarPlugin {
    fn build(&self, app: &mut App) {
        let (ear, status) = match &self.source {
            EarSource::Microphone => (Ear::Microphone(None), EarStatus::default()),
            EarSource::Nothing(why) => (Ear::Nothing, unavailable(why.clone())),
            EarSource::File(path) => match SoundFile::open(path) {
                Ok(file) => {
                    if let Some(remark) = file.remark() {
                        warn!("{}: {remark}", path.display());
                    }
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let listener = Listener::new(EndpointSettings::default());
                    let ear = FileEar { file, listener, due: 0.0, silence_left: SILENCE_AFTER, done: false };
                    let status = EarStatus { status: Status::Ready, source: name, ..default() };
                    (Ear::File(Box::new(Mutex::new(ear))), status)
                }
                Err(error) => (Ear::Nothing, unavailable(error.to_string())),
            },
        };
        app.add_message::<Speech>()
            .init_resource::<EarSettings>()
            .init_resource::<OwnSound>()
            .init_resource::<Tick>()
            .insert_resource(ear)
            .insert_resource(status)
            .add_systems(PreUpdate, hear_microphone.in_set(EarSystems::Listen))
            .add_systems(FixedPreUpdate, hear_file.in_set(EarSystems::Listen));
    }
}

fn unavailable(why: String) -> EarStatus {
    EarStatus { status: Status::Unavailable(why), ..default() }
}

/// How to attend, from the settings.
fn attention(settings: &EarSettings, masking: f32) -> Attention {
    let deaf = match (settings.attending, settings.muted) {
        (false, _) => Some("the world stood still"),
        (true, true) => Some("the microphone was muted"),
        (true, false) => None,
    };
    let talk_key = (settings.mode == TalkMode::PushToTalk).then_some(settings.talk_key);
    Attention { talk_key, deaf, sensitivity: settings.sensitivity, masking }
}

fn hear_microphone(
    mut ear: ResMut<Ear>,
    settings: Res<EarSettings>,
    own: Res<OwnSound>,
    time: Res<Time<Real>>,
    tick: Res<Tick>,
    mut status: ResMut<EarStatus>,
    mut speech: MessageWriter<Speech>,
    mut under_way: Local<Option<u64>>,
) {
    let Ear::Microphone(thread) = &mut *ear else { return };
    if !settings.enabled {
        if thread.take().is_some() || status.status == Status::Loading {
            if let Some(utterance) = under_way.take() {
                let reason = "the microphone was switched off".to_owned();
                speech.write(Speech { utterance, part: SpeechPart::Broken { reason } });
                status.broken += 1;
            }
            let reason = "the microphone is switched off; switch it on in the settings".to_owned();
            *status = EarStatus {
                status: Status::Unavailable(reason),
                source: String::new(),
                level: Level::default(),
                hears_voice: false,
                ..status.clone()
            };
        }
        return;
    }
    let orders = Orders {
        wanted: settings.microphone.clone(),
        attention: attention(&settings, own.masking(time.elapsed())),
        listings: settings.listings,
    };
    let thread = match thread {
        Some(thread) => thread,
        None => match MicrophoneThread::start(orders.clone(), status.utterances) {
            Ok(started) => thread.insert(started),
            Err(error) => {
                let reason = format!("no thread could be had for the microphone ({error}); close other programs");
                status.set_if_neq(EarStatus { status: Status::Unavailable(reason), ..status.clone() });
                return;
            }
        },
    };
    thread.order(&orders);
    let report = thread.report();
    let events = thread.take_events();
    for event in &events {
        *under_way = match event.part {
            EarPart::Began { .. } => Some(event.utterance),
            EarPart::Sound(_) => *under_way,
            EarPart::Ended { .. } | EarPart::Broken { .. } => None,
        };
    }
    let broken = pass_on(events, *tick, &mut speech);
    let source = report.facts.map_or_else(String::new, |facts| {
        format!("{} · {} · {:.1} kHz", facts.name, facts.host, f64::from(facts.rate_hz) / 1e3)
    });
    let now = EarStatus {
        status: report.status,
        source,
        level: report.level,
        hears_voice: report.in_utterance,
        lost_samples: report.lost_samples,
        utterances: report.utterances.max(status.utterances),
        broken: status.broken + broken,
        microphones: report.names,
        opened: report.opened,
        finished: false,
    };
    status.set_if_neq(now);
}

/// One tick of a file.
fn hear_file(
    mut ear: ResMut<Ear>,
    settings: Res<EarSettings>,
    own: Res<OwnSound>,
    time: Res<Time<Real>>,
    tick: Res<Tick>,
    mut status: ResMut<EarStatus>,
    mut speech: MessageWriter<Speech>,
) {
    let Ear::File(ear) = &mut *ear else { return };
    let ear = ear.get_mut().unwrap_or_else(PoisonError::into_inner);
    if ear.done || !settings.attending {
        return;
    }
    // Nobody holds a key for a file.
    let attention = Attention { talk_key: None, ..attention(&settings, own.masking(time.elapsed())) };
    ear.due += f64::from(SAMPLE_RATE_HZ) / Tick::RATE_HZ;
    let count = ear.due as usize;
    ear.due -= count as f64;
    let mut events = Vec::new();
    let sound = ear.file.read(count);
    ear.listener.hear(&sound, &attention, &mut events);
    if sound.len() < count {
        let silence = (count - sound.len()).min(ear.silence_left);
        ear.listener.hear(&vec![0.0; silence], &attention, &mut events);
        ear.silence_left -= silence;
        if ear.silence_left == 0 {
            ear.listener.finish(&mut events);
            ear.done = true;
        }
    }
    let broken = pass_on(events, *tick, &mut speech);
    let now = EarStatus {
        level: ear.listener.level(),
        hears_voice: ear.listener.in_utterance(),
        utterances: ear.listener.utterances(),
        broken: status.broken + broken,
        finished: ear.done,
        ..status.clone()
    };
    status.set_if_neq(now);
}

/// Writes events as messages, pieces of sound that follow each other as one; answers how many utterances broke.
fn pass_on(events: Vec<EarEvent>, tick: Tick, speech: &mut MessageWriter<Speech>) -> u64 {
    let mut broken = 0;
    let mut sound: Vec<f32> = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(EarEvent { utterance, part }) = events.next() {
        let part = match part {
            EarPart::Began { at_s } => SpeechPart::Began { tick, at_s },
            EarPart::Ended { at_s } => SpeechPart::Ended { tick, at_s },
            EarPart::Broken { reason } => {
                broken += 1;
                SpeechPart::Broken { reason }
            }
            EarPart::Sound(samples) => {
                sound.extend(samples);
                if matches!(events.peek(), Some(EarEvent { part: EarPart::Sound(_), .. })) {
                    continue;
                }
                SpeechPart::Sound(std::mem::take(&mut sound).into())
            }
        };
        speech.write(Speech { utterance, part });
    }
    broken
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bevy::time::TimeUpdateStrategy;

    use super::{
        super::{riff::tests::wav, test_voice},
        *,
    };

    /// A world whose ear is held to a file, in lockstep.
    fn world_with(sound: &[f32], folder: &tempfile::TempDir) -> App {
        let path = folder.path().join("words.wav");
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
        fs::write(&path, wav(1, 16_000, 16, &bytes)).unwrap();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, EarPlugin { source: EarSource::File(path) }))
            .insert_resource(Time::<Fixed>::from_hz(Tick::RATE_HZ))
            .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
            .init_resource::<Log>()
            .add_systems(FixedFirst, |mut tick: ResMut<Tick>| tick.0 += 1)
            .add_systems(Update, |mut speech: MessageReader<Speech>, mut log: ResMut<Log>| {
                log.0.extend(speech.read().cloned());
            });
        app
    }

    #[derive(Resource, Default)]
    struct Log(Vec<Speech>);

    fn word() -> Vec<f32> {
        [vec![0.0; 8_000], test_voice::say(0.8, 200.0)].concat()
    }

    #[test]
    fn a_file_is_spoken_tick_by_tick_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = world_with(&word(), &folder);
        for _ in 0..130 {
            app.update();
        }
        let status = app.world().resource::<EarStatus>().clone();
        assert!(status.finished && status.status == Status::Ready && status.source == "words.wav", "{status:?}");
        assert_eq!((status.utterances, status.broken), (1, 0));
        let log = &app.world().resource::<Log>().0;
        let SpeechPart::Began { tick, at_s } = log[0].part else { panic!("{log:?}") };
        assert!((0.1..0.55).contains(&at_s), "{at_s}");
        assert!(
            tick.seconds() > at_s && tick.seconds() < at_s + 0.6,
            "{tick:?} is when it was heard, {at_s} s began it"
        );
        assert!(matches!(log.last().unwrap().part, SpeechPart::Ended { .. }));
    }

    #[test]
    fn a_muted_ear_lets_the_file_pass_and_one_that_does_not_attend_makes_it_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = world_with(&word(), &folder);
        app.world_mut().resource_mut::<EarSettings>().attending = false;
        for _ in 0..200 {
            app.update();
        }
        assert!(!app.world().resource::<EarStatus>().finished);
        app.world_mut().resource_mut::<EarSettings>().attending = true;
        app.world_mut().resource_mut::<EarSettings>().muted = true;
        for _ in 0..130 {
            app.update();
        }
        assert!(app.world().resource::<EarStatus>().finished);
        assert_eq!(app.world().resource::<Log>().0, []);
    }

    #[test]
    fn the_ear_does_not_begin_to_listen_while_the_companion_speaks() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = world_with(&word(), &folder);
        app.world_mut().resource_mut::<OwnSound>().announce(
            1.0,
            std::time::Duration::ZERO,
            std::time::Duration::from_secs(3_600),
        );
        for _ in 0..130 {
            app.update();
        }
        assert_eq!(app.world().resource::<Log>().0, []);
    }

    #[test]
    fn a_file_that_is_none_is_a_status() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, EarPlugin { source: EarSource::File("/nowhere.wav".into()) }));
        app.update();
        let status = &app.world().resource::<EarStatus>().status;
        assert!(matches!(status, Status::Unavailable(reason) if reason.contains("/nowhere.wav")), "{status:?}");
    }
}
