//! The companion's words aloud, where the player wants it and the program espeak-ng is on the machine.
//!
//! In: [`Said`], [`Settings`]. Out: an audio player where the companion is and goes; the ear is told not to listen meanwhile
//! ([`OwnSound`]). espeak-ng runs beside the frames. What is absent: the words on the screen (`subtitles`), chirps.

use std::{
    process::{Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use bevy::{
    audio::{SpatialScale, Volume},
    prelude::*,
};

use super::{
    notices::Notice,
    placed_sound::{Ears, PlacedClip, sounding},
    sound::{Clip, SoundStatus},
    synth::RATE_HZ,
};
use crate::{
    base::{ClassTable, Status},
    behaviours::{Said, Saying},
    platform::settings::Settings,
    sensors::OwnSound,
    world::Companion,
};

/// Speaks what the companion says.
pub(super) struct SpokenAnswersPlugin;

impl Plugin for SpokenAnswersPlugin {
    fn build(&self, app: &mut App) {
        if app.is_plugin_added::<bevy::audio::AudioPlugin>() {
            app.init_resource::<Voice>().add_message::<Said>().add_systems(Update, (synthesise, play).chain());
        }
    }
}

/// A light, high voice, words per minute, and pitch (0 to 99).
const VOICE: [&str; 6] = ["-v", "gmw/en+f4", "-s", "160", "-p", "68"];

type Spoken = Result<Vec<f32>, String>;

/// Sentences on their way from espeak-ng.
#[derive(Resource)]
struct Voice {
    tell: mpsc::Sender<Result<Clip, String>>,
    /// A mutex, as a receiver cannot be shared between threads and the world wants that.
    spoken: Mutex<mpsc::Receiver<Result<Clip, String>>>,
}

/// The companion's words are as loud as they are made at this distance and nearer, metres.
const FULL_WITHIN: f32 = 2.5;

impl Default for Voice {
    fn default() -> Self {
        let (tell, spoken) = mpsc::channel();
        Self { tell, spoken: Mutex::new(spoken) }
    }
}

/// The samples of a WAV stream as espeak-ng writes it: one channel of 16 bits at [`RATE_HZ`], lengths not known.
fn samples(wav: &[u8]) -> Spoken {
    let field = |at: usize| wav.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let data = wav.windows(4).position(|name| name == b"data");
    match (data, field(24)) {
        (Some(data), Some(RATE_HZ)) => {
            let bytes = wav.get(data + 8..).unwrap_or_default();
            Ok(bytes.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect())
        }
        (Some(_), Some(rate_hz)) => Err(format!("espeak-ng speaks at {rate_hz} samples per second, not {RATE_HZ}")),
        _ => Err("espeak-ng wrote no sound".to_owned()),
    }
}

/// Lets espeak-ng say something. Takes some tens of milliseconds.
fn say(words: &str) -> Spoken {
    let done = Command::new("espeak-ng")
        .args(VOICE)
        .args(["--stdout", "--", words])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("espeak-ng cannot be started ({error}); install it, or switch spoken answers off"))?;
    samples(&done.stdout)
}

fn synthesise(
    mut said: MessageReader<Said>,
    settings: Res<Settings>,
    status: Res<SoundStatus>,
    classes: Res<ClassTable>,
    voice: Res<Voice>,
) {
    for said in said.read() {
        let silent = matches!(status.0, Status::Unavailable(_)) || said.0 == Saying::Acknowledge;
        if silent || !settings.voice.answers_aloud {
            continue;
        }
        let (words, tell) = (said.in_words(&classes), voice.tell.clone());
        // Without a thread the words stay on the screen, and without a world nobody waits for them.
        let _ = thread::Builder::new().name("spoken answer".to_owned()).spawn(move || {
            let _ = tell.send(say(&words).map(|samples| Clip::new(&samples)));
        });
    }
}

fn play(
    mut commands: Commands,
    voice: Res<Voice>,
    companions: Query<(Entity, &GlobalTransform), With<Companion>>,
    settings: Res<Settings>,
    time: Res<Time<Real>>,
    (mut clips, mut own, mut notices): (ResMut<Assets<Clip>>, ResMut<OwnSound>, MessageWriter<Notice>),
    (ears, mut placed): (Res<Ears>, ResMut<Assets<PlacedClip>>),
    mut told: Local<Option<String>>,
) {
    for spoken in voice.spoken.lock().unwrap_or_else(PoisonError::into_inner).try_iter() {
        let clip = match spoken {
            Ok(clip) => clip,
            Err(reason) => {
                if told.as_ref() != Some(&reason) {
                    notices.write(Notice(format!("The companion cannot speak aloud: {reason}.")));
                    *told = Some(reason);
                }
                continue;
            }
        };
        own.announce(1.0, time.elapsed(), clip.lasts());
        let loudness = Volume::Linear(settings.volumes.master * settings.volumes.companion);
        let playback = PlaybackSettings::DESPAWN.with_volume(loudness);
        let name = Name::new("spoken answer");
        let companion = companions.iter().next().map(|(body, place)| (body, place.translation()));
        if let (Some((body, at)), true) = (companion, settings.headphones) {
            let (player, sound) = sounding(clip.0, at, FULL_WITHIN, &ears, &mut placed);
            commands.spawn((name, player, sound.following(body), playback));
            continue;
        }
        let playback = playback.with_spatial(companion.is_some()).with_spatial_scale(SpatialScale::new(0.25));
        let place = Transform::from_translation(companion.map(|(_, at)| at).unwrap_or_default());
        commands.spawn((name, AudioPlayer(clips.add(clip)), playback, place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_without_known_length_is_read_and_another_rate_is_refused() {
        let mut wav = b"RIFF\x24\xf0\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend(RATE_HZ.to_le_bytes());
        wav.extend((2 * RATE_HZ).to_le_bytes());
        wav.extend(b"\x02\0\x10\0data\0\xf0\xff\x7f\0\x40\0\xc0");
        assert_eq!(samples(&wav), Ok(vec![0.5, -0.5]));
        wav[24..28].copy_from_slice(&8_000_u32.to_le_bytes());
        assert!(samples(&wav).unwrap_err().contains("8000"));
        assert!(samples(b"").is_err());
    }

    #[test]
    fn espeak_speaks_audibly() {
        match say("I see a chair.") {
            Ok(samples) => {
                assert!(samples.len() > RATE_HZ as usize / 3, "{}", samples.len());
                assert!(samples.iter().any(|sample| sample.abs() > 0.1));
            }
            Err(reason) => eprintln!("SKIPPED: {reason}"),
        }
    }
}
