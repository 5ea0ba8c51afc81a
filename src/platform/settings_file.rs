//! The settings on disk: `settings.ron` in the user's configuration folder.
//!
//! In: a path (the app finds the folder), [`Settings`] whenever they change. Out: [`Settings`] at start, [`SettingsFile`]
//! with what went wrong, for the screen. Writing is atomic: a temporary file beside it, then a rename. A file that cannot
//! be understood is set aside under another name, never overwritten. A folder that cannot be written is a status; play
//! goes on.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use bevy::{prelude::*, time::common_conditions::on_real_timer};

use super::settings::Settings;
use crate::base::Status;

/// More than any settings file is long; what is longer is none.
const MAX_BYTES: u64 = 256 * 1024;

/// Reads the settings when built, and writes them half a second after they changed at the latest.
pub struct SettingsPlugin {
    /// `None`: nothing is read or written (tours, tests).
    pub path: Option<PathBuf>,
}

impl Plugin for SettingsPlugin {
    fn build(&self, app: &mut App) {
        let (settings, file) = match &self.path {
            Some(path) => load(path),
            None => (Settings::default(), SettingsFile::default()),
        };
        app.insert_resource(settings)
            .insert_resource(file)
            .add_systems(Last, write_changes.run_if(on_real_timer(Duration::from_millis(500))))
            .add_systems(Last, write_on_exit.run_if(on_message::<AppExit>).after(write_changes));
    }
}

/// Where the settings are kept and how that goes.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct SettingsFile {
    pub path: Option<PathBuf>,
    /// `Unavailable` if changes cannot be kept.
    pub status: Status,
    /// What happened to the file that was found, for the screen.
    pub notice: Option<String>,
    /// What the file holds.
    written: Option<Settings>,
}

/// Reads settings. Whatever happens, there are settings to play with.
pub fn load(path: &Path) -> (Settings, SettingsFile) {
    let mut file = SettingsFile { path: Some(path.to_owned()), status: Status::Ready, ..Default::default() };
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            file.written = Some(Settings::default());
            return (Settings::default(), file);
        }
        Err(error) => {
            set_aside(path, &format!("cannot be read ({error})"), &mut file);
            return (Settings::default(), file);
        }
    };
    match ron::from_str::<Settings>(&text) {
        Ok(mut settings) => {
            settings.sanitise();
            file.written = Some(settings.clone());
            (settings, file)
        }
        Err(error) => {
            set_aside(path, &format!("is not understood (line {error})"), &mut file);
            (Settings::default(), file)
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is far too long"));
    }
    Ok(text)
}

/// Keeps a bad file under a free name; if that fails, nothing will be written at all, so that nothing is lost.
fn set_aside(path: &Path, what: &str, file: &mut SettingsFile) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let free = (1..1000).map(|n| path.with_file_name(format!("{name}.bad-{n}"))).find(|candidate| !candidate.exists());
    let moved = free.ok_or_else(|| io::Error::other("too many bad files are there already")).and_then(|aside| {
        fs::rename(path, &aside)?;
        Ok(aside)
    });
    match moved {
        Ok(aside) => {
            let notice =
                format!("{} {what}. It was kept as {}; playing with defaults.", path.display(), aside.display());
            warn!("{notice}");
            file.notice = Some(notice);
        }
        Err(error) => {
            let notice = format!(
                "{} {what} and cannot be moved ({error}); changes to settings will not be kept.",
                path.display()
            );
            warn!("{notice}");
            file.status = Status::Unavailable(notice.clone());
            file.notice = Some(notice);
            file.path = None;
        }
    }
}

/// Writes settings so that a reader sees the old file or the new one, never a part.
///
/// # Errors
/// - the folder cannot be made, or the file not be written or put in its place
pub fn save(settings: &Settings, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text =
        ron::ser::to_string_pretty(settings, ron::ser::PrettyConfig::default()).context("settings do not serialise")?;
    let in_folder = || format!("cannot write in {}", folder.display());
    fs::create_dir_all(folder).with_context(in_folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(in_folder)?;
    file.write_all(text.as_bytes()).with_context(in_folder)?;
    file.as_file().sync_all().with_context(in_folder)?;
    file.persist(path).with_context(|| format!("cannot replace {}", path.display()))?;
    Ok(())
}

fn write_changes(settings: Res<Settings>, mut file: ResMut<SettingsFile>) {
    let Some(path) = file.path.clone() else { return };
    if file.written.as_ref() == Some(&*settings) {
        return;
    }
    // Also after a failure: the same settings are not tried again twice a second.
    file.written = Some(settings.clone());
    file.status = match save(&settings, &path) {
        Ok(()) => Status::Ready,
        Err(error) => {
            let reason = format!("Settings are not kept: {error:#}. Make the folder writable, then change a setting.");
            warn!("{reason}");
            Status::Unavailable(reason)
        }
    };
}

fn write_on_exit(world: &mut World) -> Result {
    world.run_system_cached(write_changes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bevy::input::keyboard::KeyCode;

    use super::*;
    use crate::platform::bindings::{Action, Input};

    #[test]
    fn settings_survive_a_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/settings.ron");
        let mut settings = Settings { field_of_view_degrees: 75.0, labels: false, ..Settings::default() };
        settings.bindings.rebind(Action::Jump, Input::Key(KeyCode::KeyJ));
        save(&settings, &path).unwrap();
        let (read, file) = load(&path);
        assert_eq!(read, settings);
        assert_eq!((file.status, file.notice), (Status::Ready, None));
        // Nothing half-written lies around.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_file_is_no_problem() {
        let folder = tempfile::tempdir().unwrap();
        let (settings, file) = load(&folder.path().join("settings.ron"));
        assert_eq!((settings, file.status, file.notice), (Settings::default(), Status::Ready, None));
    }

    #[test]
    fn a_bad_file_is_kept_aside_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.ron");
        for (round, bad) in ["(labels: maybe)", "", "(bindings: {jump: [\"KeyÄ\"]})"].into_iter().enumerate() {
            fs::write(&path, bad).unwrap();
            let (settings, file) = load(&path);
            assert_eq!(settings, Settings::default());
            let aside = folder.path().join(format!("settings.ron.bad-{}", round + 1));
            assert_eq!(fs::read_to_string(&aside).unwrap(), bad);
            assert!(file.notice.unwrap().contains("bad-"), "the notice tells where the file is");
            save(&settings, &path).unwrap();
            assert_eq!(fs::read_to_string(&aside).unwrap(), bad);
        }
        // A file that is no text at all.
        fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
        assert!(load(&path).1.notice.is_some());
        assert!(folder.path().join("settings.ron.bad-4").exists());
    }

    #[test]
    fn absurd_numbers_are_brought_into_range_and_unknown_fields_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.ron");
        fs::write(&path, "(field_of_view_degrees: 9000.0, mouse_sensitivity: NaN, volumes: (master: -3.0), later: 7)")
            .unwrap();
        let (settings, file) = load(&path);
        assert_eq!(file.notice, None);
        assert_eq!(settings.field_of_view_degrees, 100.0);
        assert_eq!(settings.mouse_sensitivity, Settings::default().mouse_sensitivity);
        assert_eq!(settings.volumes.master, 0.0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_a_status() {
        let folder = tempfile::tempdir().unwrap();
        // A file where the folder should be: not writable for anybody, root included.
        let blocked = folder.path().join("config");
        fs::write(&blocked, "").unwrap();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SettingsPlugin { path: Some(blocked.join("settings.ron")) }));
        app.world_mut().resource_mut::<Settings>().labels = false;
        app.world_mut().run_system_cached(write_changes).unwrap();
        let file = app.world().resource::<SettingsFile>();
        assert!(matches!(&file.status, Status::Unavailable(reason) if reason.contains("config")), "{:?}", file.status);
        assert!(!app.world().resource::<Settings>().labels, "play goes on with what was chosen");
    }
}
