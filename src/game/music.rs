//! Quiet music that is computed, not recorded: slow chords and single notes that come round after some while.
//!
//! In: [`Settings`], whether the ear hears somebody. Out: an audio player that loops, quieter while somebody speaks. The piece is computed once, beside the frames, when it is first asked
//! for. What is absent: the order to play it (`deeds`), a place that it comes from.

use std::f32::consts::TAU;

use bevy::{
    audio::Volume,
    prelude::*,
    tasks::{AsyncComputeTaskPool, Task, block_on, poll_once},
};
use rand::RngExt as _;

use super::{
    sound::{Clip, SoundStatus},
    synth::RATE_HZ,
};
use crate::{
    base::{Seed, Status},
    platform::settings::Settings,
    sensors::EarStatus,
};

/// Plays the music while the settings say so.
pub(super) struct MusicPlugin;

impl Plugin for MusicPlugin {
    fn build(&self, app: &mut App) {
        if app.is_plugin_added::<bevy::audio::AudioPlugin>() {
            app.add_systems(Update, keep_playing);
        }
    }
}

#[derive(Component)]
struct MusicPlayer;

/// The piece: not begun, being computed, or there.
#[derive(Default)]
enum Piece {
    #[default]
    None,
    Computing(Task<Clip>),
    Ready(Handle<Clip>),
}

/// Loudness while somebody speaks to the ear, and how fast it goes there and back, per second.
const DUCKED: f32 = 0.2;
const DUCKING_RATE: f32 = 5.0;

/// Moves a loudness of 0 to 1 towards where it is to be, within `frame_secs`.
fn ducked(now: f32, somebody_speaks: bool, frame_secs: f32) -> f32 {
    let goal = if somebody_speaks { DUCKED } else { 1.0 };
    now + (goal - now).clamp(-DUCKING_RATE * frame_secs, DUCKING_RATE * frame_secs)
}

/// Starts, stops and sets the loudness.
fn keep_playing(
    settings: Res<Settings>,
    ear: Option<Res<EarStatus>>,
    time: Res<Time<Real>>,
    mut ducking: Local<f32>,
    status: Res<SoundStatus>,
    mut piece: Local<Piece>,
    mut clips: ResMut<Assets<Clip>>,
    mut players: Query<(Entity, Option<&mut AudioSink>), With<MusicPlayer>>,
    mut commands: Commands,
) {
    let somebody_speaks = ear.is_some_and(|ear| ear.hears_voice);
    *ducking = ducked(*ducking, somebody_speaks, time.delta_secs());
    let loudness = Volume::Linear(settings.volumes.master * settings.volumes.music * *ducking);
    if !settings.music || matches!(status.0, Status::Unavailable(_)) {
        for (player, _) in &players {
            commands.entity(player).despawn();
        }
        return;
    }
    match &mut *piece {
        Piece::None => {
            let pool = AsyncComputeTaskPool::get_or_init(Default::default);
            *piece = Piece::Computing(pool.spawn(async { Clip::new(&compose()) }));
        }
        Piece::Computing(task) => {
            if let Some(clip) = block_on(poll_once(task)) {
                *piece = Piece::Ready(clips.add(clip));
            }
        }
        Piece::Ready(clip) if players.is_empty() => {
            let playback = PlaybackSettings::LOOP.with_volume(loudness);
            commands.spawn((MusicPlayer, Name::new("music"), AudioPlayer(clip.clone()), playback));
        }
        Piece::Ready(_) => {
            for (_, sink) in &mut players {
                if let Some(mut sink) = sink
                    && sink.volume() != loudness
                {
                    sink.set_volume(loudness);
                }
            }
        }
    }
}

/// Seconds of one chord, and the chords in hertz over the bass: D minor ninth, B flat major, F major, C with its ninth.
const CHORD_SECS: f32 = 8.0;
const CHORDS: [[f32; 5]; 4] = [
    [73.42, 146.83, 174.61, 220.00, 329.63],
    [58.27, 116.54, 174.61, 233.08, 293.66],
    [87.31, 130.81, 174.61, 220.00, 261.63],
    [65.41, 130.81, 196.00, 261.63, 293.66],
];
/// Notes that fall into the chords, hertz: a pentatonic scale, so that any goes with any.
const NOTES: [f32; 8] = [349.23, 392.00, 440.00, 523.25, 587.33, 698.46, 783.99, 880.00];

/// The whole piece, samples at [`RATE_HZ`]; its end runs into its beginning.
pub(super) fn compose() -> Vec<f32> {
    let count = (CHORD_SECS * CHORDS.len() as f32 * RATE_HZ as f32) as usize;
    let mut piece = vec![0.0; count];
    // Sounds that outlast the end go on at the beginning.
    let mut add = |start_secs: f32, secs: f32, wave: &mut dyn FnMut(f32) -> f32| {
        let start = (start_secs * RATE_HZ as f32) as usize;
        for n in 0..(secs * RATE_HZ as f32) as usize {
            piece[(start + n) % count] += wave(n as f32 / RATE_HZ as f32);
        }
    };
    for (index, chord) in CHORDS.iter().enumerate() {
        let secs = CHORD_SECS + 4.0;
        for (voice, pitch) in chord.iter().enumerate() {
            let loudness = 0.05 / (1.0 + 0.35 * voice as f32);
            add(index as f32 * CHORD_SECS, secs, &mut |t| {
                // Swells and ebbs; two strings a little out of tune beat slowly.
                let swell = (std::f32::consts::PI * t / secs).sin().powi(2);
                let string = (TAU * pitch * t).sin() + (TAU * pitch * 1.0018 * t).sin();
                loudness * swell * (string + 0.25 * (TAU * 2.0 * pitch * t).sin())
            });
        }
    }
    let mut notes = Seed(0).derive("music").rng();
    let mut at = 1.0;
    while at < CHORD_SECS * CHORDS.len() as f32 - 1.0 {
        let pitch = NOTES[notes.random_range(0..NOTES.len())];
        let loudness = notes.random_range(0.03..0.07);
        add(at, 3.5, &mut |t| {
            let strike = (t / 0.012).min(1.0) * (-t / 0.9).exp() * (1.0 - t / 3.5);
            loudness * strike * ((TAU * pitch * t).sin() + 0.3 * (TAU * 2.0 * pitch * t).sin())
        });
        at += [0.5, 1.0, 1.5, 2.0, 3.0][notes.random_range(0..5)];
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_way_to_a_voice_and_comes_back() {
        let mut loudness = 1.0;
        for _ in 0..60 {
            loudness = ducked(loudness, true, 0.016);
        }
        assert_eq!(loudness, DUCKED);
        assert!(ducked(loudness, false, 0.016) > DUCKED && ducked(loudness, false, 9.0) == 1.0);
    }

    #[test]
    fn the_piece_is_audible_never_loud_and_comes_round_without_a_click() {
        let piece = compose();
        assert!(piece.iter().all(|sample| sample.is_finite() && sample.abs() < 0.9));
        let power = |part: &[f32]| (part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32).sqrt();
        for second in piece.chunks_exact(RATE_HZ as usize) {
            assert!((0.005..0.3).contains(&power(second)), "{}", power(second));
        }
        let steepest = piece.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!((piece[0] - piece[piece.len() - 1]).abs() <= steepest);
        assert_eq!(piece, compose(), "always the same");
    }
}
