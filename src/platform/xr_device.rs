//! A graphics device that a headset can be opened on later, made at the start where a runtime is installed and no headset answers.
//!
//! In: the machine's Vulkan. Out: a device like the renderer's own, with the extensions by which runtimes share pictures. Where
//! it cannot be made, the renderer makes its ordinary one, and a headset needs a new start. Which runtime comes is not known here.
//!
//! A device made by `xrCreateVulkanDeviceKHR` needs a headset's system id, so it cannot be made before there is a headset; this one
//! follows the older way, `XR_KHR_vulkan_enable`: the program makes the device with what the runtime lists (`xr_connect` compares).

use std::{ffi::CStr, sync::Arc};

use anyhow::Context as _;
use bevy::{
    prelude::*,
    render::{
        renderer::{RenderAdapter, RenderAdapterInfo, RenderInstance, RenderQueue, WgpuWrapper},
        settings::RenderCreation,
    },
    tasks::block_on,
};
use wgpu::hal::api::Vulkan;

/// The device was made here and not by a runtime: a runtime's extensions must be compared with its own.
#[derive(Resource)]
pub(super) struct OurDevice;

/// What runtimes ask of a device: Monado, SteamVR and Meta's, on Linux and Windows. What a device lacks is left out.
const SHARING: [&CStr; 21] = [
    c"VK_KHR_dedicated_allocation",
    c"VK_KHR_get_memory_requirements2",
    c"VK_KHR_bind_memory2",
    c"VK_KHR_maintenance1",
    c"VK_KHR_maintenance2",
    c"VK_KHR_multiview",
    c"VK_KHR_image_format_list",
    c"VK_KHR_timeline_semaphore",
    c"VK_KHR_external_memory",
    c"VK_KHR_external_memory_fd",
    c"VK_KHR_external_memory_win32",
    c"VK_KHR_external_semaphore",
    c"VK_KHR_external_semaphore_fd",
    c"VK_KHR_external_semaphore_win32",
    c"VK_KHR_external_fence",
    c"VK_KHR_external_fence_fd",
    c"VK_KHR_external_fence_win32",
    c"VK_KHR_win32_keyed_mutex",
    c"VK_EXT_external_memory_dma_buf",
    c"VK_EXT_image_drm_format_modifier",
    c"VK_EXT_queue_family_foreign",
];

/// Makes the device.
///
/// # Errors
/// - the machine has no Vulkan, or the device refuses
pub(super) fn device_for_later() -> anyhow::Result<RenderCreation> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let options = wgpu::RequestAdapterOptions { power_preference: wgpu::PowerPreference::HighPerformance, ..default() };
    let adapter = block_on(instance.request_adapter(&options)).context("no Vulkan device")?;
    let info = adapter.get_info();
    // As the renderer chooses them itself (`bevy_render::renderer::initialize_renderer`).
    let mut features = adapter.features();
    if info.device_type == wgpu::DeviceType::DiscreteGpu {
        features.remove(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS);
    }
    let description = wgpu::DeviceDescriptor {
        label: None,
        required_features: features,
        required_limits: adapter.limits(),
        // SAFETY: as in the renderer's own device: nothing experimental is used.
        experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
        memory_hints: wgpu::MemoryHints::Performance,
        trace: wgpu::Trace::Off,
    };
    let open = {
        // SAFETY: the adapter is not destroyed here.
        let hal = unsafe { adapter.as_hal::<Vulkan>() }.context("no Vulkan adapter")?;
        let offered = hal.physical_device_capabilities();
        let more: Vec<&'static CStr> = SHARING.into_iter().filter(|name| offered.supports_extension(name)).collect();
        let add = move |arguments: wgpu::hal::vulkan::CreateDeviceCallbackArgs| {
            for name in more {
                if !arguments.extensions.contains(&name) {
                    arguments.extensions.push(name);
                }
            }
        };
        // SAFETY: only extensions that the device has are added, and none is removed.
        unsafe {
            hal.open_with_callback(
                features,
                &description.required_limits,
                &description.memory_hints,
                Some(Box::new(add)),
            )
        }
        .context("opening the Vulkan device")?
    };
    // SAFETY: the device was opened just now on this adapter with these features and limits.
    let (device, queue) = unsafe { adapter.create_device_from_hal::<Vulkan>(open, &description) }?;
    Ok(RenderCreation::manual(
        device.into(),
        RenderQueue(Arc::new(WgpuWrapper::new(queue))),
        RenderAdapterInfo(WgpuWrapper::new(info)),
        RenderAdapter(Arc::new(WgpuWrapper::new(adapter))),
        RenderInstance(Arc::new(WgpuWrapper::new(instance))),
    ))
}
