//! Gives the window and the renderer what the settings say.

use bevy::{
    prelude::*,
    render::renderer::RenderAdapterInfo,
    window::{MonitorSelection, PrimaryWindow, WindowMode},
};

use crate::{
    platform::settings::{QualityChoice, Settings, WindowChoice, WindowSettings},
    world::Quality,
};

/// Applies window settings when they change.
pub(super) struct WindowSettingsPlugin;

impl Plugin for WindowSettingsPlugin {
    fn build(&self, app: &mut App) {
        // Before anything is spawned, so that it is not made twice.
        let chosen = app.world().get_resource::<Settings>().and_then(|settings| preset(settings.quality));
        if let Some(quality) = chosen {
            app.insert_resource(quality);
        }
        app.add_systems(Update, (apply, apply_quality));
    }
}

/// The preset that was chosen; `None` leaves it to the adapter.
fn preset(choice: QualityChoice) -> Option<Quality> {
    match choice {
        QualityChoice::Auto => None,
        QualityChoice::Software => Some(Quality::Software),
        QualityChoice::Low => Some(Quality::Low),
        QualityChoice::Medium => Some(Quality::Medium),
        QualityChoice::High => Some(Quality::High),
    }
}

/// A choice in the menu counts at once for views and shadows, and for textures and the sky when they are drawn anew.
fn apply_quality(
    settings: Res<Settings>,
    adapter: Option<Res<RenderAdapterInfo>>,
    mut before: Local<Option<QualityChoice>>,
    quality: Option<ResMut<Quality>>,
) {
    let Some(old) = before.replace(settings.quality) else { return };
    let (Some(mut quality), true) = (quality, old != settings.quality) else { return };
    let by_adapter = || adapter.map_or(Quality::Software, |adapter| Quality::for_adapter(adapter.device_type));
    quality.set_if_neq(preset(settings.quality).unwrap_or_else(by_adapter));
}

/// Only what changed in the menu is applied: a window that the user resized by hand, or that the command line made, stays.
fn apply(
    settings: Res<Settings>,
    mut before: Local<Option<WindowSettings>>,
    mut windows: Query<&mut Window, With<PrimaryWindow>>,
) {
    let now = settings.window;
    let Some(old) = before.replace(now) else { return };
    if old == now {
        return;
    }
    for mut window in &mut windows {
        window.mode = match now.mode {
            WindowChoice::Windowed => WindowMode::Windowed,
            WindowChoice::Fullscreen => WindowMode::BorderlessFullscreen(MonitorSelection::Current),
        };
        if (old.width, old.height) != (now.width, now.height) {
            window.resolution.set_physical_resolution(now.width, now.height);
        }
    }
}
