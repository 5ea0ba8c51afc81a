//! OpenXR: whether a headset is there, and the plugins that play in it.
//!
//! | file | what |
//! |---|---|
//! | `xr` | looking for a runtime with a headset; composing the plugins |
//! | `xr_device` | a graphics device that a headset can be opened on later |
//! | `xr_connect` | a headset that comes while the program runs |
//! | `xr_session` | one session: opened, begun, ended, lost; poses and pace of each frame |
//! | `xr_frames` | the renderer's side: images of the two eyes, submitted |
//! | `xr_readback` | the pictures as they are submitted, for tests |
//! | `xr_stage` | the play space: which it is, when the runtime lays it anew |
//! | `xr_settings` | the picture's pixels and rate, as the player chooses |
//! | `xr_actions` | controllers: actions, poses, vibration; bare hands |
//! | `xr_bindings` | which button of which controller does what |
//!
//! Out: [`HeadsetStatus`], [`Tracking`]. In: [`HeadsetWanted`], pulses. These files are the only ones that
//! name OpenXR. The graphics device is made by bevy_mod_openxr where a headset answers at the start; sessions and frames are ours,
//! because there a runtime that dies takes the program with it. What is absent: what hands do (`tracked_rig`).

use bevy::{
    app::PluginGroupBuilder,
    prelude::*,
    render::{RenderPlugin, pipelined_rendering::PipelinedRenderingPlugin, settings::RenderCreation},
};
use bevy_mod_openxr::{
    exts::OxrExtensions,
    init::OxrInitPlugin,
    resources::OxrInstance,
    types::{AppInfo, Version},
};
use bevy_mod_xr::{
    camera::XrCameraPlugin,
    session::{XrSessionPlugin, XrState},
};

use super::{
    headset::{HeadsetFound, HeadsetStatus, HeadsetWanted, NoHeadset, OfferedRates},
    headset_view,
    tracking::{Pulse, Tracking},
    xr_device::{self, OurDevice},
    xr_frames, xr_session,
};

pub(super) const NAME: &str = "Umwelt";

/// Asks the machine's OpenXR runtime for a headset. Takes milliseconds without a runtime, a moment with one.
///
/// # Errors
/// - [`NoHeadset`]: no loader, no runtime that answers and draws with Vulkan, or no headset
pub fn find_headset() -> Result<HeadsetFound, NoHeadset> {
    let (instance, system) = connect_to_headset()?;
    let silent = |error: openxr::sys::Result| NoHeadset::Runtime(error.to_string());
    let runtime = runtime_of(&instance).map_err(silent)?;
    match instance.system_properties(system) {
        Ok(system) => Ok(HeadsetFound { runtime, system: system.system_name }),
        Err(error) => Err(NoHeadset::Headset { runtime, why: error.to_string() }),
    }
}

/// Name and version.
fn runtime_of(instance: &openxr::Instance) -> openxr::Result<String> {
    let runtime = instance.properties()?;
    Ok(format!("{} {}", runtime.runtime_name, runtime.runtime_version))
}

/// Opens the machine's OpenXR runtime if it has a headset.
///
/// # Errors
/// - as [`find_headset`]
pub(super) fn connect_to_headset() -> Result<(openxr::Instance, openxr::SystemId), NoHeadset> {
    // SAFETY: the library of that name is the loader, which defines the entry points as the specification says.
    let entry = unsafe { openxr::Entry::load() }.map_err(|error| NoHeadset::Loader(error.to_string()))?;
    let silent = |error: openxr::sys::Result| NoHeadset::Runtime(error.to_string());
    let offered = entry.enumerate_extensions().map_err(silent)?;
    if !offered.khr_vulkan_enable2 {
        return Err(NoHeadset::Runtime("it does not draw with Vulkan".to_owned()));
    }
    let mut extensions = openxr::ExtensionSet::default();
    wish_for(&mut extensions);
    // The second asks what a device needs that the runtime did not make.
    (extensions.khr_vulkan_enable2, extensions.khr_vulkan_enable) = (true, true);
    let info = openxr::ApplicationInfo {
        application_name: NAME,
        application_version: 1,
        engine_name: "Bevy",
        engine_version: Version::BEVY.to_u32(),
        api_version: openxr::Version::new(1, 0, 34),
    };
    let instance = entry.create_instance(&info, &offered.intersection(&extensions), &[]).map_err(silent)?;
    match instance.system(openxr::FormFactor::HEAD_MOUNTED_DISPLAY) {
        Ok(system) => Ok((instance, system)),
        Err(error) => {
            let runtime = runtime_of(&instance).map_err(silent)?;
            Err(NoHeadset::Headset { runtime, why: error.to_string() })
        }
    }
}

/// Controllers of Pico, a choice of rates, hands without controllers, a floor without a room; a runtime without them warns.
fn wish_for(extensions: &mut openxr::ExtensionSet) {
    extensions.ext_hand_tracking = true;
    extensions.bd_controller_interaction = true;
    extensions.fb_display_refresh_rate = true;
    extensions.ext_local_floor = true;
}

/// Bevy's plugins with a renderer that draws for the headset too. Where that fails after all, the renderer is the ordinary
/// one and [`HeadsetStatus`] says so.
pub fn with_headset(plugins: impl PluginGroup, synchronous_pipeline_compilation: bool) -> PluginGroupBuilder {
    let mut extensions = OxrExtensions::default();
    wish_for(extensions.raw_mut());
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

/// A graphics device with which [`HeadsetWanted`] can open a headset that is not there yet.
///
/// # Errors
/// - the machine has no Vulkan, or the device refuses
pub fn device_for_later() -> anyhow::Result<RenderCreation> {
    xr_device::device_for_later()
}

/// Bevy's plugins with a renderer on such a device.
pub fn with_headset_later(
    plugins: impl PluginGroup,
    device: RenderCreation,
    synchronous_pipeline_compilation: bool,
) -> PluginGroupBuilder {
    plugins
        .build()
        .set(RenderPlugin { render_creation: device, synchronous_pipeline_compilation, ..default() })
        .add_before::<RenderPlugin>(XrSessionPlugin { auto_handle: false })
        .add(XrCameraPlugin)
        .add(HeadsetPlugin)
}

/// Whether the runtime that was found at the start made the renderer's graphics device.
pub fn has_device_of_runtime(app: &App) -> bool {
    app.world().contains_resource::<OxrInstance>() && !app.world().contains_resource::<OurDevice>()
}

/// Sessions and frames.
struct HeadsetPlugin;

impl Plugin for HeadsetPlugin {
    fn build(&self, app: &mut App) {
        let pipelined = app.is_plugin_added::<PipelinedRenderingPlugin>();
        let found = app.world().contains_resource::<OxrInstance>();
        if found {
            app.insert_resource(HeadsetStatus::Waiting);
        } else {
            let why = "the runtime's graphics device could not be made; start its software and this program again";
            app.insert_resource(HeadsetStatus::Absent(why.to_owned()))
                .insert_resource(OurDevice)
                .insert_resource(XrState::Unavailable);
        }
        app.insert_resource(HeadsetWanted(found))
            .init_resource::<Tracking>()
            .init_resource::<OfferedRates>()
            .add_message::<Pulse>();
        xr_session::plugin(app, pipelined);
        xr_frames::plugin(app);
        headset_view::plugin(app);
    }
}
