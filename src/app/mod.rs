//! Composition root: the command line, the run modes, the error policy. The only module that knows all others, and with
//! the binary the only one that reads arguments and the environment.

mod actions;
pub mod annotate;
pub mod commands;
pub mod companion_pictures;
#[cfg(target_os = "linux")]
mod display;
pub mod dream_materials;
mod dream_rows;
mod ear_rows;
pub mod failure;
#[cfg(test)]
mod gallery;
pub mod graphics;
pub mod headless;
pub mod headset;
pub mod hearing;
pub mod inference_places;
pub mod inhabited;
pub mod live_score;
pub mod memory;
pub mod perception_on_screen;
pub mod recording;
pub mod replay;
pub mod spoken_grammar;
pub mod tour;
pub mod window;

use std::process::ExitCode;

use clap::Parser;

pub use actions::all_actions;
pub use failure::{Exit, Lacking, WrongCall};

/// Reads the command line, runs the command, prints what went wrong once and with its causes.
pub fn run() -> ExitCode {
    let line = commands::CommandLine::parse();
    match commands::dispatch(line) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("umwelt: {error:#}");
            Exit::from_error(&error).into()
        }
    }
}

/// Where assets are read from: `UMWELT_ASSETS`, else `assets` beside the working folder, else beside the program's source.
pub fn asset_folder() -> std::path::PathBuf {
    use std::path::PathBuf;
    std::env::var_os("UMWELT_ASSETS").map(PathBuf::from).unwrap_or_else(|| {
        let here = PathBuf::from("assets");
        if here.is_dir() { here } else { PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets") }
    })
}

/// Bevy's asset loading, from [`asset_folder`].
fn assets() -> bevy::asset::AssetPlugin {
    let folder = asset_folder();
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    bevy::asset::AssetPlugin { file_path: folder.to_string_lossy().into_owned(), ..Default::default() }
}

/// Where the player's settings are kept: `UMWELT_CONFIG`, else `umwelt` in the user's configuration folder.
fn settings_path() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("UMWELT_CONFIG").map(std::path::PathBuf::from).or_else(|| {
        directories::ProjectDirs::from("", "", "umwelt").map(|folders| folders.config_dir().to_path_buf())
    })?;
    Some(folder.join("settings.ron"))
}

/// Where the player's pictures go: `Umwelt` in the user's folder of pictures, else `pictures` beside the settings, else
/// the present folder.
fn picture_folder() -> std::path::PathBuf {
    let of_user = directories::UserDirs::new().and_then(|dirs| Some(dirs.picture_dir()?.join("Umwelt")));
    let beside_settings = || Some(settings_path()?.with_file_name("pictures"));
    of_user.or_else(beside_settings).unwrap_or_default()
}

/// Where dreamt textures are kept between runs: `UMWELT_CACHE`, else `umwelt` in the user's folder of caches.
fn texture_cache() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("UMWELT_CACHE").map(std::path::PathBuf::from).or_else(|| {
        directories::ProjectDirs::from("", "", "umwelt").map(|folders| folders.cache_dir().to_path_buf())
    })?;
    Some(folder.join("textures"))
}

/// What is logged: warnings of everybody, and what this program has to say.
fn log() -> bevy::log::LogPlugin {
    // Both tell of every lost connection, the first without end while a sound server is away; the ear's status tells it once.
    let filter = "warn,umwelt=info,rodio::stream=off,pulseaudio=off".to_owned();
    bevy::log::LogPlugin { filter, ..Default::default() }
}
