//! OpenXR: whether a headset is there, and the plugins that play in it.
//!
//! | file | what |
//! |---|---|
//! | `xr` | looking for a runtime with a headset; composing the plugins |
//! | `xr_session` | one session: opened, begun, ended, lost; poses and pace of each frame |
//! | `xr_frames` | the renderer's side: images of the two eyes, submitted |
//! | `xr_stage` | the play space: which it is, when the runtime lays it anew |
//! | `xr_settings` | the picture's pixels and rate, as the player chooses |
//! | `xr_actions` | controllers: actions, poses, vibration; bare hands |
//! | `xr_bindings` | which button of which controller does what |
//!
//! Out: [`HeadsetStatus`], [`Tracking`]. In: [`HeadsetWanted`], pulses. These files are the only ones that
//! name OpenXR. The graphics device is made by bevy_mod_openxr; sessions and frames are ours, because there a runtime that dies
//! takes the program with it. What is absent: what hands do (`tracked_rig`).

use bevy::{
    app::PluginGroupBuilder, prelude::*, render::RenderPlugin, render::pipelined_rendering::PipelinedRenderingPlugin,
};
use bevy_mod_openxr::{
    exts::OxrExtensions,
    init::OxrInitPlugin,
    types::{AppInfo, Version},
};
use bevy_mod_xr::{camera::XrCameraPlugin, session::XrSessionPlugin};

use super::{
    headset::{HeadsetFound, HeadsetStatus, HeadsetWanted, NoHeadset, OfferedRates},
    headset_view,
    tracking::{Pulse, Tracking},
    xr_frames, xr_session,
};

const NAME: &str = "Umwelt";

/// Asks the machine's OpenXR runtime for a headset. Takes milliseconds without a runtime, a moment with one.
///
/// # Errors
/// - [`NoHeadset`]: no loader, no runtime that answers and draws with Vulkan, or no headset
pub fn find_headset() -> Result<HeadsetFound, NoHeadset> {
    // SAFETY: the library of that name is the loader, which defines the entry points as the specification says.
    let entry = unsafe { openxr::Entry::load() }.map_err(|error| NoHeadset::Loader(error.to_string()))?;
    let silent = |error: openxr::sys::Result| NoHeadset::Runtime(error.to_string());
    if !entry.enumerate_extensions().map_err(silent)?.khr_vulkan_enable2 {
        return Err(NoHeadset::Runtime("it does not draw with Vulkan".to_owned()));
    }
    let info = openxr::ApplicationInfo {
        application_name: NAME,
        application_version: 1,
        engine_name: "Bevy",
        engine_version: Version::BEVY.to_u32(),
        api_version: openxr::Version::new(1, 0, 34),
    };
    let instance = entry.create_instance(&info, &openxr::ExtensionSet::default(), &[]).map_err(silent)?;
    let runtime = instance.properties().map_err(silent)?;
    let runtime = format!("{} {}", runtime.runtime_name, runtime.runtime_version);
    let system = instance
        .system(openxr::FormFactor::HEAD_MOUNTED_DISPLAY)
        .and_then(|system| instance.system_properties(system))
        .map_err(|error| NoHeadset::Headset { runtime: runtime.clone(), why: error.to_string() })?;
    Ok(HeadsetFound { runtime, system: system.system_name })
}

/// Bevy's plugins with a renderer that draws for the headset too. Where that fails after all, the renderer is the ordinary
/// one and [`HeadsetStatus`] says so.
pub fn with_headset(plugins: impl PluginGroup, synchronous_pipeline_compilation: bool) -> PluginGroupBuilder {
    let mut extensions = OxrExtensions::default();
    // Controllers of Pico, a choice of rates, hands without controllers, a floor without a room; a runtime without them warns.
    extensions.raw_mut().ext_hand_tracking = true;
    extensions.raw_mut().bd_controller_interaction = true;
    extensions.raw_mut().fb_display_refresh_rate = true;
    extensions.raw_mut().ext_local_floor = true;
    plugins
        .build()
        .disable::<RenderPlugin>()
        .add_before::<RenderPlugin>(XrSessionPlugin { auto_handle: false })
        .add_before::<RenderPlugin>(OxrInitPlugin {
            app_info: AppInfo { name: NAME.into(), version: Version(0, 1, 0) },
            exts: extensions,
            synchronous_pipeline_compilation,
            ..default()
        })
        .add(XrCameraPlugin)
        .add(HeadsetPlugin)
}

/// Sessions and frames.
struct HeadsetPlugin;

impl Plugin for HeadsetPlugin {
    fn build(&self, app: &mut App) {
        let pipelined = app.is_plugin_added::<PipelinedRenderingPlugin>();
        app.insert_resource(HeadsetStatus::Waiting)
            .insert_resource(HeadsetWanted(true))
            .init_resource::<Tracking>()
            .init_resource::<OfferedRates>()
            .add_message::<Pulse>();
        xr_session::plugin(app, pipelined);
        xr_frames::plugin(app);
        headset_view::plugin(app);
    }
}
