//! What inference is told by the command line and the environment.
//!
//! `ORT_DYLIB_PATH`: the ONNX Runtime library; `UMWELT_WEBGPU_EP`: the WebGPU plugin; `UMWELT_MODELS`: the folder of model
//! folders. Set-up (`cargo xtask`) sets the first two; without them the usual places are searched.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::inference::{
    InferenceSettings,
    library::LibraryPlaces,
    provider::{ProviderChoice, SessionSettings},
};

/// Where set-up puts the WebGPU plugin on Linux.
const WEBGPU_PLUGIN: &str = "target/runtime/webgpu/libonnxruntime_providers_webgpu.so";

/// Arguments of every command that runs models.
#[derive(Clone, Debug, Args)]
pub struct InferenceArgs {
    /// What runs the models: auto (a GPU if there is one, else the CPU), cpu, cuda, tensorrt, directml, coreml, webgpu, ...
    #[arg(long, default_value_t = ProviderChoice::Auto)]
    pub provider: ProviderChoice,
    /// The folder that holds model folders.
    #[arg(long, value_name = "FOLDER")]
    pub models: Option<PathBuf>,
    /// Threads that share one operator of a model.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub model_threads: usize,
}

impl InferenceArgs {
    /// These arguments together with the environment.
    pub fn settings(&self) -> InferenceSettings {
        InferenceSettings {
            models: self.models.clone().unwrap_or_else(models_folder),
            library: library_places(),
            session: SessionSettings {
                provider: self.provider,
                intra_threads: self.model_threads,
                webgpu_plugin: webgpu_plugin(),
            },
        }
    }
}

/// Where models are: `UMWELT_MODELS`, else `models` in the working folder, else beside the program's source.
pub fn models_folder() -> PathBuf {
    variable("UMWELT_MODELS").unwrap_or_else(|| {
        let here = PathBuf::from("models");
        if here.is_dir() { here } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("models") }
    })
}

/// Where ONNX Runtime is looked for.
pub fn library_places() -> LibraryPlaces {
    LibraryPlaces::usual(variable("ORT_DYLIB_PATH"), env::current_exe().ok().as_deref())
}

/// The WebGPU plugin, if it is named or was brought by set-up.
pub fn webgpu_plugin() -> Option<PathBuf> {
    variable("UMWELT_WEBGPU_EP").or_else(|| Some(PathBuf::from(WEBGPU_PLUGIN)).filter(|path| path.is_file()))
}

/// A path in the environment; an empty one counts as none.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
