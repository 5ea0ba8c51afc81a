//! The renderer's side of an OpenXR session: begins frames, gives the eyes' cameras their images, submits what they drew.
//!
//! In: [`NewEyeStream`] and [`ForgottenEyes`] from the main world, [`HeadsetFrame`] each frame. Out: [`Fault`]s. A call that
//! fails ends the stream's work; the main world then closes the session.
//!
//! bevy_mod_openxr's `render` does the same and panics where a call fails; hence this file.

use std::{sync::Arc, time::Duration};

use bevy::{
    camera::ManualTextureViewHandle,
    prelude::*,
    render::{
        ExtractSchedule, MainWorld, Render, RenderApp,
        renderer::RenderDevice,
        texture::{ManualTextureView, ManualTextureViews},
        view::ExtractedView,
    },
};
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
    swapchain: Swapchain<Vulkan>,
    stage: Arc<Space>,
    images: Vec<wgpu::Texture>,
    resolution: UVec2,
    format: wgpu::TextureFormat,
    blend: EnvironmentBlendMode,
    frame: Begun,
}

/// How far the frame of this moment is.
enum Begun {
    /// Not begun, or not to be ended any more.
    No,
    /// Begun; nothing is drawn.
    Empty(Time),
    /// Begun, with an image that is drawn into from these views.
    Drawing(Time, Vec<View>),
}

impl EyeStream {
    pub fn new(
        session: Session<Vulkan>,
        stream: FrameStream<Vulkan>,
        swapchain: Swapchain<Vulkan>,
        stage: Arc<Space>,
        images: Vec<wgpu::Texture>,
        resolution: UVec2,
        format: wgpu::TextureFormat,
        blend: Option<EnvironmentBlendMode>,
    ) -> Self {
        let blend = blend.unwrap_or(EnvironmentBlendMode::OPAQUE);
        Self { session, stream, swapchain, stage, images, resolution, format, blend, frame: Begun::No }
    }

    /// Makes layer `eye` of an image what cameras draw into under that name.
    pub fn show(&self, textures: &mut ManualTextureViews, handle: ManualTextureViewHandle, image: usize, eye: u32) {
        let Some(texture) = self.images.get(image) else { return };
        let view = texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2),
            array_layer_count: Some(1),
            base_array_layer: eye,
            ..default()
        });
        let view = ManualTextureView { texture_view: view.into(), size: self.resolution, view_format: self.format };
        textures.insert(handle, view);
    }
}

impl Drop for EyeStream {
    fn drop(&mut self) {
        // The runtime owns the images and frees them with the swapchain: the textures that stand for them must not.
        self.images.drain(..).for_each(std::mem::forget);
    }
}

fn hand_over(mut commands: Commands, mut main: ResMut<MainWorld>, device: Res<RenderDevice>) {
    if main.remove_resource::<ForgottenEyes>().is_some() {
        // Nothing may be drawing into the images when they go.
        let done = device
            .wgpu_device()
            .poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(Duration::from_secs(1)) });
        if let Err(error) = done {
            warn!("headset: the renderer was not done with the images: {error}");
        }
        commands.remove_resource::<EyeStream>();
    }
    if let Some(NewEyeStream(stream)) = main.remove_resource() {
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
    let image = match eyes.swapchain.acquire_image() {
        Ok(image) => image,
        Err(error) => return fault.note("xrAcquireSwapchainImage", error),
    };
    if let Err(error) = waits.during(|| eyes.swapchain.wait_image(openxr::Duration::INFINITE)) {
        return fault.note("xrWaitSwapchainImage", error);
    }
    for (eye, handle) in EYE_TEXTURES.into_iter().enumerate() {
        eyes.show(&mut textures, handle, image as usize, eye as u32);
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
    eyes.frame = Begun::Drawing(time, views);
}

/// Gives the image back and submits the frame.
fn submit(eyes: Option<ResMut<EyeStream>>, (fault, waits): (Res<Fault>, Res<RuntimeWaits>)) {
    let Some(mut eyes) = eyes else { return };
    let eyes = &mut *eyes;
    let (time, views) = match std::mem::replace(&mut eyes.frame, Begun::No) {
        Begun::No => return,
        Begun::Empty(time) => (time, Vec::new()),
        Begun::Drawing(time, views) => {
            if let Err(error) = eyes.swapchain.release_image() {
                return fault.note("xrReleaseSwapchainImage", error);
            }
            (time, views)
        }
    };
    let extent = Extent2Di { width: eyes.resolution.x as i32, height: eyes.resolution.y as i32 };
    let image_of = |eye: u32| {
        SwapchainSubImage::new()
            .swapchain(&eyes.swapchain)
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
