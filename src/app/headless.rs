//! The world without a window: for recording, scoring, tours and tests.
//!
//! Time stands still between updates: each [`App::update`] is exactly one fixed tick. Rendering is not pipelined, so what
//! an update draws is what that update simulated.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use bevy::{
    app::PluginsState,
    asset::RenderAssetUsages,
    audio::AudioPlugin,
    gilrs::GilrsPlugin,
    log::LogPlugin,
    prelude::*,
    render::{
        RenderPlugin,
        gpu_readback::{Readback, ReadbackComplete},
        pipelined_rendering::PipelinedRenderingPlugin,
        render_resource::{Extent3d, TextureDimension, TextureFormat, TextureUsages},
    },
    time::TimeUpdateStrategy,
    window::ExitCondition,
    winit::WinitPlugin,
};
use image::RgbImage;

use super::{
    Lacking, graphics,
    headset::{self, Headset},
};
use crate::{
    base::Tick,
    scene::{ActiveScene, SceneProblems},
    world::register_scene_folder,
};

/// A windowless app with Bevy's renderer and nothing of ours. Add plugins, then call [`finish`].
///
/// # Errors
/// - [`Lacking`] if the machine has no graphics adapter, software ones included.
pub fn headless_app() -> Result<App, Lacking> {
    headless_app_for(None)
}

/// As [`headless_app`], for a scene file that may import models from its folder.
///
/// # Errors
/// - as [`headless_app`]
pub fn headless_app_for(scene: Option<&Path>) -> Result<App, Lacking> {
    headless_app_with(scene, &Headset::Absent("not asked for".to_owned()))
}

/// As [`headless_app_for`], drawing for a headset too; its runtime then sets the pace of updates.
///
/// # Errors
/// - as [`headless_app`]
pub fn headless_app_with(scene: Option<&Path>, headset: &Headset) -> Result<App, Lacking> {
    graphics::require_adapter()?;
    let mut app = App::new();
    if let Some(scene) = scene {
        register_scene_folder(&mut app, scene);
    }
    headset::add_plugins(
        &mut app,
        DefaultPlugins
            .set(WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() })
            .set(RenderPlugin { synchronous_pipeline_compilation: true, ..default() })
            .set(super::assets())
            .disable::<LogPlugin>()
            .disable::<WinitPlugin>()
            .disable::<AudioPlugin>()
            .disable::<GilrsPlugin>()
            .disable::<PipelinedRenderingPlugin>(),
        headset,
        true,
    );
    let step = Duration::from_secs_f64(1.0 / Tick::RATE_HZ);
    app.insert_resource(TimeUpdateStrategy::ManualDuration(step));
    app.insert_resource(Time::<Fixed>::from_duration(step));
    Ok(app)
}

/// Waits until every plugin is ready (the renderer opens its device on a thread of its own) and completes them.
pub fn finish(app: &mut App) {
    while app.plugins_state() == PluginsState::Adding {
        bevy::tasks::tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
}

/// The first update, in which the scene is read.
///
/// # Errors
/// - the scene has problems: all of them
pub fn enter_scene(app: &mut App) -> anyhow::Result<()> {
    app.update();
    if app.world().contains_resource::<ActiveScene>() {
        return Ok(());
    }
    let problems = &app.world().resource::<SceneProblems>().0;
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::bail!("the scene cannot be entered:\n{}", lines.join("\n"))
}

/// An image that a camera can draw into and that can be read back: sRGB, 8 bits a channel.
pub fn picture_target(images: &mut Assets<Image>, width: u32, height: u32) -> Handle<Image> {
    let size = Extent3d { width, height, depth_or_array_layers: 1 };
    let mut image = Image::new_fill(
        size,
        TextureDimension::D2,
        &[0, 0, 0, 255],
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::default(),
    );
    image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
    images.add(image)
}

#[derive(Resource, Default)]
struct Developed(Option<Vec<u8>>);

/// Updates the app until the picture in `target` has come back, and returns it.
///
/// # Errors
/// - the picture did not come back within 50 updates
/// - `target` is not an image of this app
pub fn take_picture(app: &mut App, target: &Handle<Image>) -> anyhow::Result<RgbImage> {
    let size = app.world().resource::<Assets<Image>>().get(target).context("the picture's target is gone")?.size();
    app.insert_resource(Developed::default());
    let camera = app
        .world_mut()
        .spawn(Readback::texture(target.clone()))
        .observe(|done: On<ReadbackComplete>, mut developed: ResMut<Developed>| {
            developed.0 = Some(done.event().data.clone());
        })
        .id();
    let mut rows = None;
    for _ in 0..50 {
        app.update();
        rows = app.world_mut().resource_mut::<Developed>().0.take();
        if rows.is_some() {
            break;
        }
    }
    app.world_mut().despawn(camera);
    let rows = rows.context("the renderer did not deliver the picture")?;
    Ok(strip_row_padding(&rows, size.x, size.y))
}

/// Rows come padded to 256 bytes (wgpu's copy alignment); the fourth channel is dropped.
fn strip_row_padding(rows: &[u8], width: u32, height: u32) -> RgbImage {
    let stride = rows.len() / height as usize;
    RgbImage::from_fn(width, height, |x, y| {
        let start = y as usize * stride + x as usize * 4;
        image::Rgb([rows[start], rows[start + 1], rows[start + 2]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_stripped() {
        let mut rows = vec![0_u8; 256 * 2];
        rows[..4].copy_from_slice(&[1, 2, 3, 4]);
        rows[256 + 4..256 + 8].copy_from_slice(&[5, 6, 7, 8]);
        let picture = strip_row_padding(&rows, 2, 2);
        assert_eq!(picture.get_pixel(0, 0).0, [1, 2, 3]);
        assert_eq!(picture.get_pixel(1, 1).0, [5, 6, 7]);
    }
}
