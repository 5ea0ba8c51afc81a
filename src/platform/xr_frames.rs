//! The renderer's side of an OpenXR session: begins frames, gives the eyes' cameras their images, submits what they drew.
//!
//! In: [`NewEyeStream`], other [`EyeImages`] and [`ForgottenEyes`] from the main world, [`HeadsetFrame`] each frame. Out: [`Fault`]s. A call that
//! fails ends the stream's work; the main world then closes the session.
//!
//! bevy_mod_openxr's `render` does the same and panics where a call fails; hence this file.

use std::{sync::Arc, time::Duration};

use ash::vk::Handle as _;
use bevy::{
    camera::ManualTextureViewHandle,
    prelude::*,
    render::{
        ExtractSchedule, MainWorld, Render, RenderApp,
        renderer::{RenderDevice, RenderQueue},
        texture::{ManualTextureView, ManualTextureViews},
        view::ExtractedView,
    },
};
use bevy_mod_openxr::{graphics::GraphicsExt as _, resources::OxrInstance};
use bevy_mod_xr::{
    camera::XrCamera,
    session::{XrRenderSystems, XrRootTransform},
};
use openxr::{
    CompositionLayerProjection, CompositionLayerProjectionView, EnvironmentBlendMode, Extent2Di, FrameStream,
    Offset2Di, Rect2Di, Session, Space, Swapchain, SwapchainSubImage, Time, View, ViewConfigurationType, Vulkan,
};

use super::{
    runtime_waits::RuntimeWaits,
    xr_actions::pose,
    xr_connect::ForgottenInstance,
    xr_readback::SubmittedEyes,
    xr_session::{Fault, HeadsetFrame},
};

/// The eyes' names among textures that Bevy is given by hand.
pub(super) const EYE_TEXTURES: [ManualTextureViewHandle; 2] =
    [ManualTextureViewHandle(0x0E7E_0000), ManualTextureViewHandle(0x0E7E_0001)];

pub(super) fn plugin(app: &mut App) {
    let (fault, waits) = (app.world().resource::<Fault>().clone(), app.world().resource::<RuntimeWaits>().clone());
    let Some(render_app) = app.get_sub_app_mut(RenderApp) else { return };
    render_app
        .insert_resource(fault)
        .insert_resource(waits)
        .add_systems(ExtractSchedule, hand_over)
        .add_systems(Render, begin.in_set(XrRenderSystems::PreRender))
        .add_systems(Render, submit.in_set(XrRenderSystems::PostRender));
}

/// A stream on its way to the renderer.
#[derive(Resource)]
pub(super) struct NewEyeStream(pub EyeStream);

/// Tells the renderer to drop its stream.
#[derive(Resource)]
pub(super) struct ForgottenEyes;

/// Images for two eyes, layers of one texture each, and where they are submitted.
#[derive(Resource)]
pub(super) struct EyeStream {
    session: Session<Vulkan>,
    stream: FrameStream<Vulkan>,
    stage: Arc<Space>,
    images: EyeImages,
    blend: EnvironmentBlendMode,
    frame: Begun,
}

/// The images themselves.
#[derive(Resource)]
pub(super) struct EyeImages {
    swapchain: Swapchain<Vulkan>,
    textures: Vec<wgpu::Texture>,
    resolution: UVec2,
    format: wgpu::TextureFormat,
    pub observed: bool,
}

impl EyeImages {
    /// Makes images of that many pixels for each eye. What is `observed` can be copied.
    ///
    /// # Errors
    /// - the runtime offers no format that Bevy draws into, or refuses the images
    pub fn new(
        session: &Session<Vulkan>,
        device: &wgpu::Device,
        resolution: UVec2,
        observed: bool,
    ) -> anyhow::Result<Self> {
        let formats: Vec<_> = session.enumerate_swapchain_formats()?;
        let format = [wgpu::TextureFormat::Rgba8UnormSrgb, wgpu::TextureFormat::Bgra8UnormSrgb]
            .into_iter()
            .find(|format| Vulkan::from_wgpu_format(*format).is_some_and(|format| formats.contains(&format)))
            .ok_or_else(|| anyhow::anyhow!("the runtime offers no sRGB image of 8 bits"))?;
        let mut usage = openxr::SwapchainUsageFlags::COLOR_ATTACHMENT | openxr::SwapchainUsageFlags::SAMPLED;
        if observed {
            usage |= openxr::SwapchainUsageFlags::TRANSFER_SRC;
        }
        let swapchain = session.create_swapchain(&openxr::SwapchainCreateInfo {
            create_flags: openxr::SwapchainCreateFlags::EMPTY,
            usage_flags: usage,
            format: Vulkan::from_wgpu_format(format).unwrap_or_default(),
            // Cameras resolve their samples before they write here.
            sample_count: 1,
            width: resolution.x,
            height: resolution.y,
            face_count: 1,
            array_size: 2,
            mip_count: 1,
        })?;
        let mut textures = Vec::new();
        for image in swapchain.enumerate_images()? {
            // SAFETY: the handle is an image of the swapchain, which outlives what is drawn into it (`hand_over`).
            textures.push(unsafe { texture_of(image, device, format, resolution, observed)? });
        }
        Ok(Self { swapchain, textures, resolution, format, observed })
    }

    /// Makes layer `eye` of an image what cameras draw into under that name.
    fn show(&self, textures: &mut ManualTextureViews, handle: ManualTextureViewHandle, image: usize, eye: u32) {
        let Some(texture) = self.textures.get(image) else { return };
        let view = texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2),
            array_layer_count: Some(1),
            base_array_layer: eye,
            ..default()
        });
        let view = ManualTextureView { texture_view: view.into(), size: self.resolution, view_format: self.format };
        textures.insert(handle, view);
    }

    /// The first image, for both eyes.
    pub fn show_both(&self, textures: &mut ManualTextureViews) {
        for (eye, handle) in (0..).zip(EYE_TEXTURES) {
            self.show(textures, handle, 0, eye);
        }
    }
}

/// A runtime's image of two layers as the renderer knows textures.
///
/// # Safety
/// `image` is one of these properties, and lives as long as the texture is drawn into.
///
/// # Errors
/// - the renderer does not use Vulkan
unsafe fn texture_of(
    image: openxr::sys::platform::VkImage,
    device: &wgpu::Device,
    format: wgpu::TextureFormat,
    resolution: UVec2,
    observed: bool,
) -> anyhow::Result<wgpu::Texture> {
    use wgpu::hal::{MemoryFlags, TextureDescriptor, vulkan};
    let size = wgpu::Extent3d { width: resolution.x, height: resolution.y, depth_or_array_layers: 2 };
    let (mut uses, mut usage) = (wgpu::TextureUses::COLOR_TARGET, wgpu::TextureUsages::RENDER_ATTACHMENT);
    if observed {
        uses |= wgpu::TextureUses::COPY_SRC;
        usage |= wgpu::TextureUsages::COPY_SRC;
    }
    let raw = TextureDescriptor {
        label: Some("eyes"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: uses,
        memory_flags: MemoryFlags::empty(),
        view_formats: Vec::new(),
    };
    let texture = {
        // SAFETY: the device is not destroyed here.
        let hal = unsafe { device.as_hal::<vulkan::Api>() };
        let hal = hal.ok_or_else(|| anyhow::anyhow!("the renderer does not use Vulkan"))?;
        // SAFETY: as the caller promises; the memory stays the runtime's.
        unsafe { hal.texture_from_raw(ash::vk::Image::from_raw(image), &raw, None, vulkan::TextureMemory::External) }
    };
    let description = wgpu::TextureDescriptor {
        label: raw.label,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: raw.dimension,
        format,
        usage,
        view_formats: &[],
    };
    // SAFETY: both descriptions are of the same texture.
    Ok(unsafe { device.create_texture_from_hal::<vulkan::Api>(texture, &description) })
}

impl Drop for EyeImages {
    fn drop(&mut self) {
        // The runtime owns the images and frees them with the swapchain: the textures that stand for them must not.
        self.textures.drain(..).for_each(std::mem::forget);
    }
}

/// How far the frame of this moment is.
enum Begun {
    /// Not begun, or not to be ended any more.
    No,
    /// Begun; nothing is drawn.
    Empty(Time),
    /// Begun, with an image (its number) that is drawn into from these views.
    Drawing(Time, u32, Vec<View>),
}

impl EyeStream {
    pub fn new(
        session: Session<Vulkan>,
        stream: FrameStream<Vulkan>,
        stage: Arc<Space>,
        images: EyeImages,
        blend: Option<EnvironmentBlendMode>,
    ) -> Self {
        let blend = blend.unwrap_or(EnvironmentBlendMode::OPAQUE);
        Self { session, stream, stage, images, blend, frame: Begun::No }
    }
}

fn hand_over(
    mut commands: Commands,
    mut main: ResMut<MainWorld>,
    device: Res<RenderDevice>,
    eyes: Option<ResMut<EyeStream>>,
) {
    // Nothing may be drawing into the images when they go.
    let finish = || {
        let done = device
            .wgpu_device()
            .poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(Duration::from_secs(1)) });
        if let Err(error) = done {
            warn!("headset: the renderer was not done with the images: {error}");
        }
    };
    if main.remove_resource::<ForgottenInstance>().is_some() {
        commands.remove_resource::<OxrInstance>();
    }
    if main.remove_resource::<ForgottenEyes>().is_some() {
        finish();
        commands.remove_resource::<EyeStream>();
    }
    if let Some(images) = main.remove_resource::<EyeImages>()
        && let Some(mut eyes) = eyes
    {
        finish();
        eyes.images = images;
    }
    if let Some(NewEyeStream(stream)) = main.remove_resource() {
        if let Some(observer) = main.get_resource::<SubmittedEyes>() {
            commands.insert_resource(observer.clone());
        }
        commands.insert_resource(stream);
    }
}

/// Begins the runtime's frame, takes an image and looks from where the head is by now.
fn begin(
    eyes: Option<ResMut<EyeStream>>,
    frame: Res<HeadsetFrame>,
    root: Option<Res<XrRootTransform>>,
    (fault, waits): (Res<Fault>, Res<RuntimeWaits>),
    mut textures: ResMut<ManualTextureViews>,
    mut cameras: Query<(&mut ExtractedView, &XrCamera)>,
) {
    let (Some(mut eyes), Some(state)) = (eyes, frame.0) else { return };
    let eyes = &mut *eyes;
    eyes.frame = Begun::No;
    if let Err(error) = waits.during(|| eyes.stream.begin()) {
        fault.note("xrBeginFrame", error);
        return;
    }
    let time = state.predicted_display_time;
    eyes.frame = Begun::Empty(time);
    if !state.should_render {
        return;
    }
    let image = match eyes.images.swapchain.acquire_image() {
        Ok(image) => image,
        Err(error) => return fault.note("xrAcquireSwapchainImage", error),
    };
    if let Err(error) = waits.during(|| eyes.images.swapchain.wait_image(openxr::Duration::INFINITE)) {
        return fault.note("xrWaitSwapchainImage", error);
    }
    for (eye, handle) in EYE_TEXTURES.into_iter().enumerate() {
        eyes.images.show(&mut textures, handle, image as usize, eye as u32);
    }
    let views = match eyes.session.locate_views(ViewConfigurationType::PRIMARY_STEREO, time, &eyes.stage) {
        Ok((_, views)) => views,
        Err(error) => {
            fault.note("xrLocateViews", error);
            Vec::new()
        }
    };
    let world_from_stage = root.map(|root| root.0).unwrap_or_default();
    for (mut camera, eye) in &mut cameras {
        let Some(view) = views.get(eye.0 as usize) else { continue };
        let at = pose(view.pose);
        camera.world_from_view =
            world_from_stage.mul_transform(Transform::from_translation(at.position).with_rotation(at.rotation));
    }
    eyes.frame = Begun::Drawing(time, image, views);
}

/// Gives the image back and submits the frame.
fn submit(
    eyes: Option<ResMut<EyeStream>>,
    (fault, waits): (Res<Fault>, Res<RuntimeWaits>),
    (observer, device, queue): (Option<Res<SubmittedEyes>>, Res<RenderDevice>, Res<RenderQueue>),
) {
    let Some(mut eyes) = eyes else { return };
    let eyes = &mut *eyes;
    let (time, views) = match std::mem::replace(&mut eyes.frame, Begun::No) {
        Begun::No => return,
        Begun::Empty(time) => (time, Vec::new()),
        Begun::Drawing(time, image, views) => {
            if let (Some(observer), true, Some(image)) =
                (observer, eyes.images.observed, eyes.images.textures.get(image as usize))
            {
                observer.answer(device.wgpu_device(), &queue, image);
            }
            if let Err(error) = eyes.images.swapchain.release_image() {
                return fault.note("xrReleaseSwapchainImage", error);
            }
            (time, views)
        }
    };
    let resolution = eyes.images.resolution.as_ivec2();
    let extent = Extent2Di { width: resolution.x, height: resolution.y };
    let image_of = |eye: u32| {
        SwapchainSubImage::new()
            .swapchain(&eyes.images.swapchain)
            .image_array_index(eye)
            .image_rect(Rect2Di { offset: Offset2Di::default(), extent })
    };
    let projected: Vec<_> = views
        .iter()
        .zip(0..)
        .map(|(view, eye)| CompositionLayerProjectionView::new().pose(view.pose).fov(view.fov).sub_image(image_of(eye)))
        .collect();
    let layer = CompositionLayerProjection::new().space(&eyes.stage).views(&projected);
    let ended = waits.during(|| {
        if projected.len() == 2 {
            eyes.stream.end(time, eyes.blend, &[&layer])
        } else {
            eyes.stream.end(time, eyes.blend, &[])
        }
    });
    if let Err(error) = ended {
        fault.note("xrEndFrame", error);
    }
}
