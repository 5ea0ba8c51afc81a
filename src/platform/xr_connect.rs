//! A headset that comes while the program runs: looked for beside the frames, taken if it can be drawn for with the device there is.
//!
//! In: a wish without a runtime's instance, or with one that is lost. Out: bevy_mod_openxr's resources, as if they had been there
//! from the start. What is absent: sessions (`xr_session`).
//!
//! A runtime may take long to answer, and frames go on meanwhile. The loader has room for one instance: a lost one goes first.

use std::sync::{
    Mutex,
    mpsc::{Receiver, TryRecvError, channel},
};

use anyhow::{Context as _, bail, ensure};
use ash::vk::Handle as _;
use bevy::{prelude::*, render::renderer::RenderDevice};
use bevy_mod_openxr::{
    graphics::GraphicsWrap,
    resources::{OxrInstance, OxrSystemId, SessionGraphicsCreateInfo},
    types::AppInfo,
};
use openxr::{Instance, SystemId, Vulkan};

use super::{headset::NoHeadset, xr, xr_device::OurDevice, xr_session::Dead};

/// How far the way to a runtime is.
pub(super) enum Connection {
    There,
    Sought,
    Refused(String),
}

/// An answer that is waited for.
#[derive(Resource)]
struct Search(Mutex<Receiver<Result<(Instance, SystemId), NoHeadset>>>);

/// The renderer lets go of a lost instance.
#[derive(Resource)]
pub(super) struct ForgottenInstance;

/// Goes a step towards a runtime with a headset.
pub(super) fn connect(world: &mut World) -> Connection {
    let dead = world.contains_resource::<Dead>();
    if world.contains_resource::<OxrInstance>() && !dead {
        return Connection::There;
    }
    if world.remove_resource::<OxrInstance>().is_some() {
        world.insert_resource(ForgottenInstance);
    }
    if world.contains_resource::<ForgottenInstance>() {
        return Connection::Sought;
    }
    let Some(search) = world.get_resource::<Search>() else {
        let (tell, answer) = channel();
        // Nobody listens any more: then nobody needs it.
        std::thread::spawn(move || tell.send(xr::connect_to_headset()).ok());
        world.insert_resource(Search(Mutex::new(answer)));
        return Connection::Sought;
    };
    let answer = search.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).try_recv();
    let answer = match answer {
        Err(TryRecvError::Empty) => return Connection::Sought,
        Err(TryRecvError::Disconnected) => Err("looking for a headset failed".to_owned()),
        Ok(answer) => answer.map_err(|why| why.to_string()),
    };
    world.remove_resource::<Search>();
    let taken = answer.and_then(|(instance, system)| {
        let again = "this run's graphics device does not suit it; `umwelt play --vr` starts in it";
        take(world, instance, system).map_err(|error| format!("{again} ({error:#})"))
    });
    match taken {
        Ok(()) => {
            world.remove_resource::<Dead>();
            Connection::There
        }
        Err(why) => Connection::Refused(why),
    }
}

/// Takes a runtime's instance if its headset can be drawn for with the renderer's device.
///
/// # Errors
/// - the headset is on another graphics card, or the runtime needs what the device lacks
fn take(world: &mut World, instance: Instance, system: SystemId) -> anyhow::Result<()> {
    // Runtimes refuse sessions of programs that did not ask.
    instance.graphics_requirements::<Vulkan>(system)?;
    let device = world.resource::<RenderDevice>().wgpu_device();
    let graphics = {
        // SAFETY: the device is not destroyed here.
        let device =
            unsafe { device.as_hal::<wgpu::hal::api::Vulkan>() }.context("the renderer does not use Vulkan")?;
        if world.contains_resource::<OurDevice>() && instance.exts().khr_vulkan_enable.is_some() {
            let wanted = instance.vulkan_legacy_device_extensions(system)?;
            // SAFETY: the device's own Vulkan instance and graphics card.
            let offered = unsafe {
                let vulkan = device.shared_instance().raw_instance();
                vulkan.enumerate_device_extension_properties(device.raw_physical_device())?
            };
            // What the graphics card lacks, a device of the runtime's own making would lack as well.
            let offers = |name: &str| {
                let same = |had: &ash::vk::ExtensionProperties| {
                    had.extension_name_as_c_str().is_ok_and(|had| had.to_bytes() == name.as_bytes())
                };
                offered.iter().any(same)
            };
            let has =
                |name: &str| device.enabled_device_extensions().iter().any(|had| had.to_bytes() == name.as_bytes());
            let lacks: Vec<&str> = wanted.split_whitespace().filter(|name| offers(name) && !has(name)).collect();
            ensure!(lacks.is_empty(), "it lacks {}", lacks.join(", "));
        }
        let vulkan = device.shared_instance().raw_instance().handle().as_raw() as openxr::sys::platform::VkInstance;
        // SAFETY: the handle is that of the renderer's Vulkan instance, which lives as long as the app.
        let wanted = unsafe { instance.vulkan_graphics_device(system, vulkan)? };
        let ours = device.raw_physical_device().as_raw() as openxr::sys::platform::VkPhysicalDevice;
        if wanted != ours {
            bail!("the headset is connected to another graphics card");
        }
        openxr::vulkan::SessionCreateInfo {
            instance: vulkan,
            physical_device: ours,
            device: device.raw_device().handle().as_raw() as openxr::sys::platform::VkDevice,
            queue_family_index: device.queue_family_index(),
            queue_index: device.queue_index(),
        }
    };
    let info = AppInfo { name: xr::NAME.into(), ..default() };
    // SAFETY: the instance was made with the extension for Vulkan.
    let instance = unsafe { OxrInstance::from_inner(instance, GraphicsWrap::Vulkan(()), info) };
    world.insert_resource(instance);
    world.insert_resource(OxrSystemId(system));
    world.insert_non_send(SessionGraphicsCreateInfo(GraphicsWrap::Vulkan(graphics)));
    Ok(())
}
