//! Gives the window and the renderer what the settings say.

use bevy::{
    prelude::*,
    window::{MonitorSelection, PrimaryWindow, WindowMode},
};

use crate::platform::settings::{Settings, WindowChoice, WindowSettings};

/// Applies window settings when they change.
pub(super) struct WindowSettingsPlugin;

impl Plugin for WindowSettingsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, apply);
    }
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
