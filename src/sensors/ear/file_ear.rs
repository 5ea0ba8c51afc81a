//! An ear that is held to sound files: they are spoken into it tick by tick, one after the other.
//!
//! In: [`SpokenFiles`], or one file at the start; [`EarSettings`], [`OwnSound`]. Out: [`Speech`], [`EarStatus`]. What is absent:
//! clocks; a file is as long as its ticks.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bevy::prelude::*;

use super::{
    SAMPLE_RATE_HZ,
    endpoint::EndpointSettings,
    listener::{Attention, Listener},
    own_sound::OwnSound,
    plugin::{EarSettings, EarStatus, EarSystems, attention, pass_on},
    sound_file::SoundFile,
    speech::Speech,
};
use crate::base::{Status, Tick};

/// Files that are still to be spoken into an ear of [`EarSource::Files`](super::EarSource::Files), in order.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct SpokenFiles(pub VecDeque<PathBuf>);

/// Half a second of silence follows a file, so that its last word ends as others do.
const SILENCE_AFTER: usize = SAMPLE_RATE_HZ as usize / 2;

/// A decoder cannot be shared between threads; the mutex is never contended.
#[derive(Resource)]
struct FileEar(Mutex<Spoken>);

struct Spoken {
    /// What is being spoken; `None` between files.
    file: Option<SoundFile>,
    listener: Listener,
    /// Samples due so far: ticks are not whole numbers of samples.
    due: f64,
    silence_left: usize,
}

/// Gives the app an ear for files, the first of them perhaps now; how it is.
pub(super) fn open_file_ear(app: &mut App, path: Option<&Path>) -> EarStatus {
    let mut spoken =
        Spoken { file: None, listener: Listener::new(EndpointSettings::default()), due: 0.0, silence_left: 0 };
    let mut status = EarStatus { status: Status::Ready, finished: path.is_none(), ..default() };
    if let Some(path) = path
        && let Err(reason) = spoken.begin(path, &mut status)
    {
        return EarStatus { status: Status::Unavailable(reason), ..default() };
    }
    app.insert_resource(FileEar(Mutex::new(spoken)));
    app.add_systems(FixedPreUpdate, hear_files.in_set(EarSystems::Listen));
    status
}

impl Spoken {
    fn begin(&mut self, path: &Path, status: &mut EarStatus) -> Result<(), String> {
        let file = SoundFile::open(path).map_err(|error| error.to_string())?;
        if let Some(remark) = file.remark() {
            warn!("{}: {remark}", path.display());
        }
        status.source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        status.finished = false;
        self.file = Some(file);
        self.listener.restart();
        self.silence_left = SILENCE_AFTER;
        Ok(())
    }
}

/// One tick of a file.
fn hear_files(
    ear: ResMut<FileEar>,
    mut files: ResMut<SpokenFiles>,
    settings: Res<EarSettings>,
    own: Res<OwnSound>,
    time: Res<Time<Real>>,
    tick: Res<Tick>,
    mut status: ResMut<EarStatus>,
    mut speech: MessageWriter<Speech>,
) {
    if !settings.attending {
        return;
    }
    let ear = &mut *ear.into_inner().0.get_mut().unwrap_or_else(PoisonError::into_inner);
    let mut now = status.clone();
    while ear.file.is_none() {
        let Some(path) = files.0.pop_front() else { return };
        if let Err(reason) = ear.begin(&path, &mut now) {
            warn!("{reason}");
            now.unheard.push(reason);
        }
        status.set_if_neq(now.clone());
    }
    let Some(file) = &mut ear.file else { return };
    // Nobody holds a key for a file.
    let attention = Attention { talk_key: None, ..attention(&settings, own.masking(time.elapsed())) };
    ear.due += f64::from(SAMPLE_RATE_HZ) / Tick::RATE_HZ;
    let count = ear.due as usize;
    ear.due -= count as f64;
    let mut events = Vec::new();
    let sound = file.read(count);
    ear.listener.hear(&sound, &attention, &mut events);
    if sound.len() < count {
        let silence = (count - sound.len()).min(ear.silence_left);
        ear.listener.hear(&vec![0.0; silence], &attention, &mut events);
        ear.silence_left -= silence;
        if ear.silence_left == 0 {
            ear.listener.finish(&mut events);
            ear.file = None;
            now.finished = files.0.is_empty();
        }
    }
    let broken = pass_on(events, *tick, &mut speech);
    now.level = ear.listener.level();
    now.hears_voice = ear.listener.in_utterance();
    now.utterances = ear.listener.utterances();
    now.broken += broken;
    now.hang_over_s = ear.listener.hang_over_s();
    status.set_if_neq(now);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bevy::time::TimeUpdateStrategy;

    use super::{
        super::{EarPlugin, EarSource, SpeechPart, riff::tests::wav, test_voice},
        *,
    };

    fn write(sound: &[f32], path: &Path) {
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
        fs::write(path, wav(1, 16_000, 16, &bytes)).unwrap();
    }

    /// A world whose ear is held to a file, in lockstep.
    fn world_with(sound: &[f32], folder: &tempfile::TempDir) -> App {
        let path = folder.path().join("words.wav");
        write(sound, &path);
        world_of(EarSource::File(path))
    }

    fn world_of(source: EarSource) -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, EarPlugin { source }))
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
        let SpeechPart::Began { tick, at_s, .. } = log[0].part else { panic!("{log:?}") };
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
    fn files_are_spoken_one_after_the_other_as_they_come_and_a_bad_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write(&word(), &path("a.wav"));
        fs::write(path("b.wav"), "no sound").unwrap();
        let mut app = world_of(EarSource::Files);
        app.update();
        assert!(app.world().resource::<EarStatus>().finished);
        app.world_mut().resource_mut::<SpokenFiles>().0.extend([path("b.wav"), path("a.wav"), path("a.wav")]);
        app.update();
        app.update();
        let status = app.world().resource::<EarStatus>();
        assert!(!status.finished && status.source == "a.wav", "{status:?}");
        for _ in 0..260 {
            app.update();
        }
        let status = app.world().resource::<EarStatus>().clone();
        assert!(status.finished && status.utterances == 2 && status.unheard.len() == 1, "{status:?}");
        assert!(status.unheard[0].contains("b.wav"), "{status:?}");
        assert!(app.world().resource::<SpokenFiles>().0.is_empty());
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
