//! The ear in the world: settings and status as resources, speech as messages.

use std::path::PathBuf;

use bevy::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    file_ear::{SpokenFiles, open_file_ear},
    level::Level,
    listener::{Attention, EarEvent, EarPart},
    microphone_thread::{MicrophoneThread, Orders},
    own_sound::OwnSound,
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
    /// The files of [`SpokenFiles`], one after the other, as they come.
    Files,
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
    /// From the end of the last voice to the ear's word that it ended, seconds of sound.
    pub hang_over_s: Option<f64>,
    /// Microphones that can be chosen.
    pub microphones: Vec<String>,
    /// How often a microphone was opened.
    pub opened: u64,
    /// Files that could not be spoken, and why.
    pub unheard: Vec<String>,
    /// Whether all files have been heard to their ends.
    pub finished: bool,
}

/// The microphone that hears, once it was asked for.
#[derive(Resource, Default)]
struct MicrophoneEar(Option<MicrophoneThread>);

impl Plugin for EarPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Speech>()
            .init_resource::<EarSettings>()
            .init_resource::<OwnSound>()
            .init_resource::<Tick>()
            .init_resource::<SpokenFiles>();
        let status = match &self.source {
            EarSource::Microphone => {
                app.init_resource::<MicrophoneEar>();
                app.add_systems(PreUpdate, hear_microphone.in_set(EarSystems::Listen));
                EarStatus::default()
            }
            EarSource::Nothing(why) => EarStatus { status: Status::Unavailable(why.clone()), ..default() },
            EarSource::File(path) => open_file_ear(app, Some(path)),
            EarSource::Files => open_file_ear(app, None),
        };
        app.insert_resource(status);
    }
}

/// How to attend, from the settings.
pub(super) fn attention(settings: &EarSettings, masking: f32) -> Attention {
    let deaf = match (settings.attending, settings.muted) {
        (false, _) => Some("the world stood still"),
        (true, true) => Some("the microphone was muted"),
        (true, false) => None,
    };
    let talk_key = (settings.mode == TalkMode::PushToTalk).then_some(settings.talk_key);
    Attention { talk_key, deaf, sensitivity: settings.sensitivity, masking }
}

fn hear_microphone(
    mut ear: ResMut<MicrophoneEar>,
    settings: Res<EarSettings>,
    own: Res<OwnSound>,
    time: Res<Time<Real>>,
    tick: Res<Tick>,
    mut status: ResMut<EarStatus>,
    mut speech: MessageWriter<Speech>,
    mut under_way: Local<Option<u64>>,
) {
    let thread = &mut ear.0;
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
        hang_over_s: report.hang_over_s,
        microphones: report.names,
        opened: report.opened,
        unheard: Vec::new(),
        finished: false,
    };
    status.set_if_neq(now);
}

/// Writes events as messages, pieces of sound that follow each other as one; answers how many utterances broke.
pub(super) fn pass_on(events: Vec<EarEvent>, tick: Tick, speech: &mut MessageWriter<Speech>) -> u64 {
    let mut broken = 0;
    let mut sound: Vec<f32> = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(EarEvent { utterance, part }) = events.next() {
        let part = match part {
            EarPart::Began { at_s, addressed } => SpeechPart::Began { tick, at_s, addressed },
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
