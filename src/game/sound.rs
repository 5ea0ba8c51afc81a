//! Plays sounds, loud as the settings say, from where they are.
//!
//! In: [`PlaySound`]. Out: Bevy audio players, through the head's responses for headphones (`placed_sound`) and panned for
//! loudspeakers; [`SoundStatus`]; what the ear is not to take for a voice ([`OwnSound`]). Without an audio device nothing is queued
//! up and the status says so.

use std::{sync::Arc, time::Duration};

use bevy::{
    audio::{AddAudioSource as _, ChannelCount, Decodable, SampleRate, Source, SpatialScale, Volume},
    prelude::*,
    reflect::TypePath,
};

use super::{
    placed_sound::{Ears, PlacedClip, PlacedSoundPlugin, sounding},
    synth,
};
use crate::{
    base::Status,
    platform::{flat::FlatCamera, settings::Settings},
    sensors::OwnSound,
    signal::{head_responses, sample_rate::resample},
};

/// Answers [`PlaySound`].
pub(super) struct SoundPlugin;

impl Plugin for SoundPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<PlaySound>().init_resource::<SoundStatus>().init_resource::<OwnSound>();
        if !app.is_plugin_added::<bevy::audio::AudioPlugin>() {
            app.insert_resource(SoundStatus(Status::Unavailable("this mode has no sound".to_owned())));
            return;
        }
        app.add_plugins(PlacedSoundPlugin)
            .add_audio_source::<Clip>()
            .add_systems(Startup, make_clips)
            .add_systems(Update, (give_camera_ears, play, notice_missing_device).chain());
    }
}

/// Asks for a sound, once.
#[derive(Message, Clone, Copy, Debug, PartialEq)]
pub struct PlaySound {
    pub kind: SoundKind,
    /// World space; `None` is heard the same everywhere.
    pub position: Option<Vec3>,
}

/// The sounds there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SoundKind {
    Footstep,
    /// A menu row, a snap zone.
    Click,
    Grab,
    Throw,
    /// The companion, calm.
    Chirp,
    /// The companion, excited.
    HighChirp,
}

/// Whether there is something to hear with.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct SoundStatus(pub Status);

/// A computed sound: one channel at [`head_responses::RATE_HZ`], which devices play with less loss than [`synth::RATE_HZ`].
#[derive(Asset, TypePath, Clone)]
pub(super) struct Clip(pub(super) Arc<[f32]>);

impl Clip {
    /// Of samples at [`synth::RATE_HZ`].
    pub fn new(samples: &[f32]) -> Self {
        Self(resample(samples, f64::from(head_responses::RATE_HZ) / f64::from(synth::RATE_HZ)).into())
    }

    pub fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.0.len() as f64 / f64::from(head_responses::RATE_HZ))
    }
}

pub(super) struct ClipDecoder {
    samples: Arc<[f32]>,
    next: usize,
}

impl Iterator for ClipDecoder {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let sample = self.samples.get(self.next).copied();
        self.next += 1;
        sample
    }
}

impl Source for ClipDecoder {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> ChannelCount {
        ChannelCount::MIN
    }

    fn sample_rate(&self) -> SampleRate {
        const RATE: SampleRate = SampleRate::new(head_responses::RATE_HZ).expect("the rate is not zero");
        RATE
    }

    fn total_duration(&self) -> Option<Duration> {
        Some(Clip(self.samples.clone()).lasts())
    }
}

impl Decodable for Clip {
    type Decoder = ClipDecoder;

    fn decoder(&self) -> ClipDecoder {
        ClipDecoder { samples: self.0.clone(), next: 0 }
    }
}

const FOOTSTEPS: usize = 6;

/// A sound that is ready to be played: alone, and from a place.
struct Ready {
    clip: Handle<Clip>,
    sound: Clip,
}

#[derive(Resource)]
struct Clips {
    footsteps: [Ready; FOOTSTEPS],
    click: Ready,
    grab: Ready,
    throw: Ready,
    chirp: Ready,
    high_chirp: Ready,
}

fn make_clips(mut commands: Commands, mut clips: ResMut<Assets<Clip>>) {
    let mut add = |samples: Vec<f32>| {
        let sound = Clip::new(&samples);
        Ready { clip: clips.add(sound.clone()), sound }
    };
    let clips = Clips {
        footsteps: std::array::from_fn(|variant| add(synth::footstep(variant as u64))),
        click: add(synth::click()),
        grab: add(synth::grab()),
        throw: add(synth::throw()),
        chirp: add(synth::chirp(0.1)),
        high_chirp: add(synth::chirp(0.9)),
    };
    commands.insert_resource(clips);
}

/// Linear loudness of a kind.
fn loudness(kind: SoundKind, settings: &Settings) -> f32 {
    let volumes = &settings.volumes;
    volumes.master
        * match kind {
            SoundKind::Chirp | SoundKind::HighChirp => volumes.companion,
            _ => volumes.effects,
        }
}

/// How much a kind at this loudness covers voices at the ear, 0 to 1. Only what resembles a voice does, or one could not
/// speak while walking: a test plays all kinds to the ear.
fn masking(kind: SoundKind, loudness: f32) -> f32 {
    match kind {
        SoundKind::Chirp | SoundKind::HighChirp if loudness > 0.0 => 1.0,
        _ => 0.0,
    }
}

/// The listener is where the camera is.
fn give_camera_ears(mut commands: Commands, cameras: Query<Entity, Added<FlatCamera>>) {
    for camera in &cameras {
        commands.entity(camera).insert(SpatialListener::new(0.2));
    }
}

/// A sound that was asked for and is not yet known to play.
#[derive(Component)]
struct Asked {
    at: Duration,
}

/// Sounds of the world are as loud as they are made at this distance and nearer, metres.
const FULL_WITHIN: f32 = 1.5;

fn play(
    mut commands: Commands,
    mut asked: MessageReader<PlaySound>,
    clips: Res<Clips>,
    (ears, mut placed): (Res<Ears>, ResMut<Assets<PlacedClip>>),
    settings: Res<Settings>,
    status: Res<SoundStatus>,
    time: Res<Time<Real>>,
    mut own: ResMut<OwnSound>,
    mut steps: Local<usize>,
) {
    for PlaySound { kind, position } in asked.read() {
        let loudness = loudness(*kind, &settings);
        if loudness <= 0.0 || matches!(status.0, Status::Unavailable(_)) {
            continue;
        }
        let Ready { clip, sound } = match kind {
            SoundKind::Footstep => {
                *steps += 1;
                // Never the same foot twice.
                &clips.footsteps[*steps * 5 % FOOTSTEPS]
            }
            SoundKind::Click => &clips.click,
            SoundKind::Grab => &clips.grab,
            SoundKind::Throw => &clips.throw,
            SoundKind::Chirp => &clips.chirp,
            SoundKind::HighChirp => &clips.high_chirp,
        };
        let masking = masking(*kind, loudness);
        if masking > 0.0 {
            own.announce(masking, time.elapsed(), sound.lasts());
        }
        let playback = PlaybackSettings::DESPAWN.with_volume(Volume::Linear(loudness));
        let asked = Asked { at: time.elapsed() };
        if let Some(position) = position
            && settings.headphones
        {
            let sounding = sounding(sound.0.clone(), *position, FULL_WITHIN, &ears, &mut placed);
            commands.spawn((sounding, playback, asked));
            continue;
        }
        let playback = playback.with_spatial(position.is_some()).with_spatial_scale(SpatialScale::new(0.4));
        let place = Transform::from_translation(position.unwrap_or_default());
        commands.spawn((AudioPlayer(clip.clone()), playback, place, asked));
    }
}

/// Bevy does not tell that there is no device: a sound that gets no sink within a second is the sign.
fn notice_missing_device(
    mut commands: Commands,
    waiting: Query<(Entity, &Asked), (Without<AudioSink>, Without<SpatialAudioSink>)>,
    playing: Query<(), Or<(With<AudioSink>, With<SpatialAudioSink>)>>,
    mut status: ResMut<SoundStatus>,
    time: Res<Time<Real>>,
) {
    if status.0 == Status::Loading && !playing.is_empty() {
        status.0 = Status::Ready;
    }
    for (entity, asked) in &waiting {
        if time.elapsed().saturating_sub(asked.at) > Duration::from_secs(1) {
            commands.entity(entity).despawn();
            if status.0 == Status::Loading {
                let reason = "no audio device was found; connect one and start again".to_owned();
                info!("sound: {reason}");
                status.0 = Status::Unavailable(reason);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::{EndpointSettings, utterances};

    #[test]
    fn volumes_multiply_and_the_companion_has_its_own() {
        let mut settings = Settings::default();
        settings.volumes.master = 0.5;
        settings.volumes.effects = 0.4;
        settings.volumes.companion = 0.0;
        assert!((loudness(SoundKind::Footstep, &settings) - 0.2).abs() < 1e-6);
        assert_eq!(loudness(SoundKind::Chirp, &settings), 0.0);
    }

    /// Utterances that the ear takes these sounds for, each played into it between pauses.
    fn taken_for_voices(sounds: &[Vec<f32>]) -> usize {
        let pause = vec![0.0; synth::RATE_HZ as usize];
        let samples: Vec<f32> = sounds.iter().flat_map(|sound| [pause.clone(), sound.clone()].concat()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.wav");
        let bytes = u32::try_from(2 * samples.len()).unwrap();
        let mut file = b"RIFF".to_vec();
        file.extend((36 + bytes).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        file.extend(synth::RATE_HZ.to_le_bytes());
        file.extend((2 * synth::RATE_HZ).to_le_bytes());
        file.extend(b"\x02\0\x10\0data");
        file.extend(bytes.to_le_bytes());
        file.extend(samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()));
        std::fs::write(&path, file).unwrap();
        utterances(&path, EndpointSettings::default()).unwrap().count()
    }

    #[test]
    fn unmasked_sounds_are_no_voices_to_the_ear() {
        let steps: Vec<Vec<f32>> = (0..FOOTSTEPS as u64).map(synth::footstep).cycle().take(30).collect();
        assert_eq!(taken_for_voices(&steps), 0, "steps");
        for (name, sound) in [("click", synth::click()), ("grab", synth::grab()), ("throw", synth::throw())] {
            assert_eq!(taken_for_voices(&vec![sound; 10]), 0, "{name}");
        }
        // What a loudspeaker plays is at a microphone a small part of what it was.
        let piece = super::super::music::compose();
        let at = |part: f32| taken_for_voices(&[piece.iter().map(|sample| part * sample).collect()]);
        assert_eq!(at(0.05), 0, "music at a twentieth of full scale");
    }

    #[test]
    fn a_clip_decodes_to_its_samples() {
        let clip = Clip(vec![0.1, 0.2].into());
        let decoder = clip.decoder();
        assert_eq!((decoder.channels().get(), decoder.sample_rate().get()), (1, head_responses::RATE_HZ));
        assert_eq!(decoder.collect::<Vec<_>>(), [0.1, 0.2]);
        let second = Clip::new(&vec![0.0; synth::RATE_HZ as usize]);
        assert_eq!(second.lasts(), Duration::from_secs(1));
    }

    /// A world that plays sounds, without a device.
    fn played(headphones: bool, sound: PlaySound) -> (App, Entity) {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<Clip>()
            .init_asset::<PlacedClip>()
            .init_resource::<Ears>()
            .init_resource::<OwnSound>()
            .init_resource::<SoundStatus>()
            .insert_resource(Settings { headphones, ..default() })
            .add_message::<PlaySound>()
            .add_systems(Startup, make_clips)
            .add_systems(Update, play);
        app.world_mut().write_message(sound);
        app.update();
        let asked = app.world_mut().query_filtered::<Entity, With<Asked>>().single(app.world()).unwrap();
        (app, asked)
    }

    #[test]
    fn headphones_get_a_head_loudspeakers_are_panned_and_either_way_the_ear_is_told() {
        let chirp = PlaySound { kind: SoundKind::Chirp, position: Some(Vec3::X) };
        for headphones in [true, false] {
            let (app, asked) = played(headphones, chirp);
            let asked = app.world().entity(asked);
            assert_eq!(asked.contains::<AudioPlayer<PlacedClip>>(), headphones);
            assert_eq!(asked.contains::<AudioPlayer<Clip>>(), !headphones);
            assert_eq!(asked.get::<PlaybackSettings>().unwrap().spatial, !headphones);
            assert_eq!(app.world().resource::<OwnSound>().masking(Duration::from_millis(100)), 1.0);
        }
        // What has no place is in the middle for everybody.
        let (app, asked) = played(true, PlaySound { kind: SoundKind::Click, position: None });
        let asked = app.world().entity(asked);
        assert!(asked.contains::<AudioPlayer<Clip>>() && !asked.get::<PlaybackSettings>().unwrap().spatial);
    }
}
