//! All models of the program, as a resource: loaded when the app starts, reloaded when their files change.
//!
//! In: a folder of model folders; out: [`Models`], through which systems submit requests and poll answers by a model's
//! name. A model that cannot be loaded has a status with the reason, and the others are served.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bevy::{
    app::{App, Plugin, PreUpdate},
    prelude::{DetectChangesMut as _, IntoScheduleConfigs as _, ResMut, Resource},
    time::common_conditions::on_real_timer,
};

use super::{
    library::{self, LibraryPlaces, Runtime},
    manifest::{MANIFEST_FILE, MODEL_FILE},
    provider::SessionSettings,
    worker::{ModelStatus, Worker},
};
use crate::base::Status;

/// How often model folders are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where models and ONNX Runtime are, and how models are run.
#[derive(Clone, Debug)]
pub struct InferenceSettings {
    /// The folder that holds model folders, or one model's own.
    pub models: PathBuf,
    pub library: LibraryPlaces,
    pub session: SessionSettings,
}

impl Default for InferenceSettings {
    fn default() -> Self {
        Self {
            models: PathBuf::from("models"),
            library: LibraryPlaces::usual(None, None),
            session: SessionSettings::default(),
        }
    }
}

/// Loads all models and keeps them up to date.
#[derive(Default)]
pub struct InferencePlugin {
    pub settings: InferenceSettings,
}

impl Plugin for InferencePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Models::open(self.settings.clone()))
            .add_systems(PreUpdate, reload_changed_models.run_if(on_real_timer(LOOK_EVERY)));
    }
}

/// The program's models, by the names of their folders.
#[derive(Resource)]
pub struct Models {
    settings: InferenceSettings,
    runtime: Result<&'static Runtime, String>,
    workers: BTreeMap<String, Served>,
}

struct Served {
    worker: Worker,
    version: FolderVersion,
}

/// When the files of a model folder were written and how long they are; equal versions are taken for equal files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FolderVersion([Option<(SystemTime, u64)>; 2]);

impl FolderVersion {
    fn of(folder: &Path) -> Self {
        Self([MANIFEST_FILE, MODEL_FILE].map(|name| {
            let metadata = fs::metadata(folder.join(name)).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        }))
    }
}

impl Models {
    /// Loads ONNX Runtime and starts a thread for each model folder; returns before the models are loaded.
    pub fn open(settings: InferenceSettings) -> Self {
        let runtime = library::load(&settings.library).map_err(|error| error.to_string());
        match &runtime {
            Ok(runtime) => bevy::log::info!("ONNX Runtime {} from {}", runtime.version, runtime.path.display()),
            Err(error) => bevy::log::warn!("{error}"),
        }
        let mut models = Self { settings, runtime, workers: BTreeMap::new() };
        models.look_for_changes();
        models
    }

    /// The model in folder `name`; `None` if there is no such folder.
    pub fn get(&self, name: &str) -> Option<&Worker> {
        self.workers.get(name).map(|served| &served.worker)
    }

    /// The first model, in order of names, whose manifest names this task; `None` as long as none is loaded.
    pub fn for_task(&self, task: &str) -> Option<&Worker> {
        let serves = |worker: &&Worker| worker.manifest().is_some_and(|manifest| manifest.task == task);
        self.workers.values().map(|served| &served.worker).find(serves)
    }

    /// State and figures of every model, in order of names.
    pub fn statuses(&self) -> Vec<ModelStatus> {
        self.workers.values().map(|served| served.worker.status()).collect()
    }

    /// The library that runs the models.
    ///
    /// # Errors
    /// - why there is none, and what to do
    pub fn runtime(&self) -> Result<&'static Runtime, &str> {
        self.runtime.as_ref().map(|runtime| *runtime).map_err(String::as_str)
    }

    /// Why the model in folder `name` does not do what is asked of it: it loads or cannot be used; or it is not there, or ready and
    /// for something else, which `nothing` says.
    pub fn absence(&self, name: &str, nothing: &str) -> Status {
        if let Err(reason) = self.runtime() {
            return Status::Unavailable(reason.to_owned());
        }
        match self.get(name).map(|worker| worker.status().status) {
            Some(Status::Ready) | None => Status::Unavailable(nothing.to_owned()),
            Some(status) => status,
        }
    }

    /// Waits until every model is ready or known to be unavailable: for lockstep runs and commands.
    pub fn wait_until_loaded(&self) {
        for served in self.workers.values() {
            // Whoever wants the model asks for its status.
            let _ = served.worker.wait_until_loaded();
        }
    }

    /// Starts new model folders and reloads changed ones. A folder that went away is reported, and served from memory.
    pub fn look_for_changes(&mut self) {
        for folder in model_folders(&self.settings.models) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let version = FolderVersion::of(&folder);
            match self.workers.get_mut(&name) {
                Some(served) if served.version == version => {}
                Some(served) => {
                    served.version = version;
                    served.worker.reload();
                }
                None => {
                    let worker = match &self.runtime {
                        Ok(runtime) => Worker::start(runtime, folder, self.settings.session.clone()),
                        Err(reason) => Worker::unavailable(&folder, reason.clone()),
                    };
                    self.workers.insert(name, Served { worker, version });
                }
            }
        }
    }
}

fn reload_changed_models(mut models: ResMut<Models>) {
    models.bypass_change_detection().look_for_changes();
}

/// Whether `folder` holds a model, or the remains of one.
pub fn is_model_folder(folder: &Path) -> bool {
    folder.join(MANIFEST_FILE).is_file() || folder.join(MODEL_FILE).is_file()
}

/// The model folders in `models`, sorted; none if it is not there. A folder that is a model's own is the only one.
pub fn model_folders(models: &Path) -> Vec<PathBuf> {
    if is_model_folder(models) {
        return vec![models.to_owned()];
    }
    let entries = fs::read_dir(models).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_model_folder(path)).collect();
    folders.sort();
    folders
}
