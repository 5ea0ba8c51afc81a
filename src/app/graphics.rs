//! Which graphics adapters there are, asked before a renderer is started: Bevy panics where there is none.

use bevy::tasks::block_on;
use wgpu::{AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor};

use super::Lacking;

/// Every adapter that Vulkan, Metal or DirectX 12 offers, the one that the renderer would choose first.
pub fn adapters() -> Vec<AdapterInfo> {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::PRIMARY,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let mut found: Vec<AdapterInfo> =
        block_on(instance.enumerate_adapters(Backends::PRIMARY)).iter().map(wgpu::Adapter::get_info).collect();
    found.sort_by_key(|info| match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Cpu | DeviceType::Other => 3,
    });
    found
}

/// The adapter that rendering will use.
///
/// # Errors
/// - [`Lacking`] if no adapter is there, with the remedy.
pub fn require_adapter() -> Result<AdapterInfo, Lacking> {
    adapters().into_iter().next().ok_or_else(|| {
        Lacking(
            "no Vulkan, Metal or DirectX 12 device was found; install a graphics driver, or Mesa's software Vulkan \
             (`cargo xtask play` brings it on Debian and Ubuntu)"
                .to_owned(),
        )
    })
}

/// Whether frames are drawn by the processor.
pub fn is_software(info: &AdapterInfo) -> bool {
    info.device_type == DeviceType::Cpu
}
