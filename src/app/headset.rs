//! Whether this run plays in a headset: what the command line asks, what the machine has.

use std::path::PathBuf;

use bevy::{app::PluginGroupBuilder, prelude::*};

use super::Lacking;
use crate::platform::{
    headset::{HeadsetFound, HeadsetStatus, NoHeadset},
    xr,
};

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadsetChoice {
    /// In the headset where one answers, else in the window.
    #[default]
    IfThere,
    /// In the headset or not at all.
    Forced,
    /// In the window.
    Flat,
}

/// The headset to play in, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headset {
    Found(HeadsetFound),
    /// None answers, but a runtime is installed: one may be put on later. Why there is none now.
    Later(String),
    Absent(String),
}

/// Looks for a headset.
///
/// # Errors
/// - [`Lacking`] if one was asked for and is not there
pub fn choose(choice: HeadsetChoice) -> Result<Headset, Lacking> {
    match choice {
        HeadsetChoice::Flat => Ok(Headset::Absent("not asked for (--flat)".to_owned())),
        HeadsetChoice::Forced => look().map(Headset::Found).map_err(|why| Lacking(format!("--vr: {why}"))),
        HeadsetChoice::IfThere => Ok(match look() {
            Ok(found) => Headset::Found(found),
            Err(why @ (NoHeadset::Runtime(_) | NoHeadset::Headset { .. })) if is_runtime_set_up() => {
                Headset::Later(why.to_string())
            }
            Err(why) => Headset::Absent(why.to_string()),
        }),
    }
}

/// Looks for a headset without loading anything where no runtime is set up.
///
/// # Errors
/// - [`NoHeadset`]
pub fn look() -> Result<HeadsetFound, NoHeadset> {
    if !is_runtime_set_up() {
        return Err(NoHeadset::Runtime("none is set up".to_owned()));
    }
    xr::find_headset()
}

/// Whether the loader would find a runtime's manifest. Elsewhere than on Linux only the loader knows.
fn is_runtime_set_up() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("XR_RUNTIME_JSON").is_some() || manifests().iter().any(|path| path.is_file())
}

/// Places of the active runtime's manifest (OpenXR loader's specification, "Linux Active Runtime Location").
fn manifests() -> Vec<PathBuf> {
    let folders = |name: &str, default: &str| -> Vec<PathBuf> {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned());
        std::env::split_paths(&value).collect()
    };
    let home = std::env::var("HOME").unwrap_or_default();
    let mut places = folders("XDG_CONFIG_HOME", &format!("{home}/.config"));
    places.extend(folders("XDG_CONFIG_DIRS", "/etc/xdg"));
    places.push(PathBuf::from("/etc"));
    let arch = if cfg!(target_arch = "x86_64") { "x86_64" } else { std::env::consts::ARCH };
    places
        .iter()
        .flat_map(|folder| {
            [format!("openxr/1/active_runtime.{arch}.json"), "openxr/1/active_runtime.json".to_owned()]
                .map(|name| folder.join(name))
        })
        .collect()
}

/// Whether an app that was asked for in a headset is one.
///
/// # Errors
/// - [`Lacking`]: the runtime that was found could not make its graphics device
pub fn require_device(app: &App) -> Result<(), Lacking> {
    if xr::has_device_of_runtime(app) {
        return Ok(());
    }
    let what = "--vr: the OpenXR runtime was found, but could not make a graphics device for its headset (its reason is above); \
                start its software again, and see that the window's graphics card is the headset's";
    Err(Lacking(what.to_owned()))
}

/// Adds Bevy's plugins, with the headset's where there is one. Where one may come later, with
/// a renderer that it can be put on for; else nothing else is added than Bevy's own.
pub fn add_plugins(app: &mut App, plugins: PluginGroupBuilder, headset: &Headset, synchronous_pipelines: bool) {
    match headset {
        Headset::Found(found) => {
            app.add_plugins(xr::with_headset(plugins, synchronous_pipelines)).insert_resource(found.clone());
        }
        Headset::Later(why) => match xr::device_for_later() {
            Ok(device) => {
                app.add_plugins(xr::with_headset_later(plugins, device, synchronous_pipelines))
                    .insert_resource(HeadsetStatus::Absent(why.clone()));
            }
            Err(error) => {
                let why = format!("{why}; nor can this run take one later ({error:#})");
                app.add_plugins(plugins).insert_resource(HeadsetStatus::Absent(why));
            }
        },
        Headset::Absent(why) => {
            app.add_plugins(plugins).insert_resource(HeadsetStatus::Absent(why.clone()));
        }
    }
}
