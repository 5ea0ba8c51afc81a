//! From the renderer back to the world: copies what the cameras of an eye have drawn into a buffer and sends its bytes
//! home, stamped.
//!
//! In: [`CaptureQueue`], filled each frame for the cameras that are on. Out: [`Film`] through the [`Inbox`], one or more
//! updates later (in lockstep within the same update). The textures that the main pass wrote are copied directly: no blit,
//! no conversion, so floats arrive bit for bit; only an HDR camera's picture is copied from its target, after tone mapping.
//! What is absent: the decoding of the bytes ([`super::develop`]).

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use bevy::{
    camera::NormalizedRenderTarget,
    core_pipeline::{
        Core3d,
        upscaling::{ViewUpscalingPipeline, upscaling},
    },
    math::Affine3A,
    prelude::*,
    render::{
        ExtractSchedule, MainWorld, Render, RenderApp, RenderSystems,
        camera::ExtractedCamera,
        render_asset::RenderAssets,
        render_resource::{
            Buffer, BufferDescriptor, BufferUsages, MapMode, PipelineCache, PollType, TexelCopyBufferInfo,
            TexelCopyBufferLayout,
        },
        renderer::{RenderContext, RenderDevice, ViewQuery, render_system},
        sync_world::MainEntity,
        texture::GpuImage,
        view::ViewTarget,
    },
};

use super::{Intrinsics, bodies::Body};
use crate::base::Tick;

/// What belongs to one picture, written down in the frame that renders it.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub eye: Entity,
    pub tick: Tick,
    pub world_from_view: Affine3A,
    pub intrinsics: Intrinsics,
    /// All labelled bodies of that moment; `None` where no truth was asked for.
    pub(super) bodies: Option<Vec<Body>>,
}

/// One undeveloped picture: its stamp and the bytes of its textures, rows still padded.
#[derive(Debug)]
pub struct Capture {
    pub stamp: Stamp,
    pub(super) layout: BufferLayout,
    pub(super) bytes: Vec<u8>,
}

/// What comes back from the renderer.
#[derive(Debug)]
pub(super) enum Film {
    Exposed(Box<Capture>),
    /// Not rendered, or not as a whole, for this reason.
    Incomplete {
        eye: Entity,
        why: String,
    },
}

impl Film {
    pub(super) fn eye(&self) -> Entity {
        match self {
            Film::Exposed(capture) => capture.stamp.eye,
            Film::Incomplete { eye, .. } => *eye,
        }
    }
}

/// Where the two textures of a picture lie in its buffer. Rows are padded to 256 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BufferLayout {
    pub rgb_row: u32,
    pub label_offset: u64,
    pub label_row: u32,
    pub size: u64,
}

impl BufferLayout {
    /// Bytes of a pixel of the colour texture (Rgba8UnormSrgb) and of the label texture (Rgba32Float).
    pub const RGB_PIXEL: u32 = 4;
    pub const LABEL_PIXEL: u32 = 16;

    pub fn new(width: u32, height: u32, with_labels: bool) -> Self {
        let rgb_row = (width * Self::RGB_PIXEL).next_multiple_of(256);
        let label_row = if with_labels { (width * Self::LABEL_PIXEL).next_multiple_of(256) } else { 0 };
        let label_offset = u64::from(rgb_row) * u64::from(height);
        Self { rgb_row, label_offset, label_row, size: label_offset + u64::from(label_row) * u64::from(height) }
    }
}

/// Captures that this frame makes, on their way to the render world.
#[derive(Resource, Default)]
pub(super) struct CaptureQueue(Vec<Job>);

impl CaptureQueue {
    /// Asks for the picture of `stamp.eye`'s own camera and, if given, of its label camera.
    pub fn push(&mut self, stamp: Stamp, label_camera: Option<Entity>, wait: bool) {
        let lens = stamp.intrinsics;
        let layout = BufferLayout::new(lens.width, lens.height, label_camera.is_some());
        self.0.push(Job { stamp, label_camera, wait, layout, buffer: None, rgb_done: false, labels_done: false });
    }
}

struct Job {
    stamp: Stamp,
    label_camera: Option<Entity>,
    wait: bool,
    layout: BufferLayout,
    buffer: Option<Buffer>,
    rgb_done: bool,
    labels_done: bool,
}

/// Pictures that have come back.
#[derive(Resource)]
pub(super) struct Inbox(Mutex<Receiver<Film>>);

impl Inbox {
    /// Everything that has come since the last call, oldest first.
    pub fn take(&self) -> Vec<Film> {
        self.0.lock().map(|films| films.try_iter().collect()).unwrap_or_default()
    }
}

/// The render world's side: jobs of this frame, and buffers for reuse.
#[derive(Resource)]
struct Darkroom {
    jobs: Vec<Job>,
    outbox: Sender<Film>,
    /// Buffers that nobody uses, returned by the callbacks that emptied them.
    spare: Arc<Mutex<Vec<Buffer>>>,
}

pub(super) fn plugin(app: &mut App) {
    let (outbox, inbox) = channel();
    app.init_resource::<CaptureQueue>().insert_resource(Inbox(Mutex::new(inbox)));
    let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
        return; // No renderer: eyes stay closed.
    };
    render_app
        .insert_resource(Darkroom { jobs: Vec::new(), outbox, spare: Arc::default() })
        .add_systems(ExtractSchedule, extract_jobs)
        .add_systems(Core3d, copy_view.after(upscaling))
        .add_systems(
            Render,
            (skip_blit.in_set(RenderSystems::Render).before(render_system), send_films.in_set(RenderSystems::Cleanup)),
        );
}

fn extract_jobs(mut main_world: ResMut<MainWorld>, mut darkroom: ResMut<Darkroom>) {
    darkroom.jobs.append(&mut main_world.resource_mut::<CaptureQueue>().0);
}

/// Takes the blit from an eye's main texture to its target out of this frame where nobody needs it: without HDR both would
/// hold the same. (A camera that writes no output at all would not be rendered.)
fn skip_blit(
    cameras: Query<(Entity, &MainEntity, &ExtractedCamera), With<ViewUpscalingPipeline>>,
    darkroom: Res<Darkroom>,
    mut commands: Commands,
) {
    for (entity, main, camera) in &cameras {
        let is_eye = |job: &Job| job.stamp.eye == main.id() || job.label_camera == Some(main.id());
        if !camera.hdr && darkroom.jobs.iter().any(is_eye) {
            commands.entity(entity).remove::<ViewUpscalingPipeline>();
        }
    }
}

/// Runs for each camera when its picture is done: copies its main texture into the buffer of its job, if it has one.
fn copy_view(
    view: ViewQuery<(&ViewTarget, &ExtractedCamera, &MainEntity)>,
    images: Res<RenderAssets<GpuImage>>,
    mut darkroom: ResMut<Darkroom>,
    device: Res<RenderDevice>,
    mut context: RenderContext,
) {
    let (target, extracted, camera) = view.into_inner();
    let texture = match &extracted.target {
        Some(NormalizedRenderTarget::Image(image)) if extracted.hdr => {
            let Some(image) = images.get(&image.handle) else { return };
            &image.texture
        }
        _ => target.main_texture(),
    };
    let Darkroom { jobs, spare, .. } = &mut *darkroom;
    for job in jobs {
        let (offset, row, done) = if job.stamp.eye == camera.id() {
            (0, job.layout.rgb_row, &mut job.rgb_done)
        } else if job.label_camera == Some(camera.id()) {
            (job.layout.label_offset, job.layout.label_row, &mut job.labels_done)
        } else {
            continue;
        };
        let buffer = job.buffer.get_or_insert_with(|| buffer_of_size(job.layout.size, spare, &device));
        context.command_encoder().copy_texture_to_buffer(
            texture.as_image_copy(),
            TexelCopyBufferInfo {
                buffer,
                layout: TexelCopyBufferLayout { offset, bytes_per_row: Some(row), rows_per_image: None },
            },
            texture.size(),
        );
        *done = true;
    }
}

fn buffer_of_size(size: u64, spare: &Mutex<Vec<Buffer>>, device: &RenderDevice) -> Buffer {
    let reused = spare.lock().ok().and_then(|mut spare| {
        // Another size means that an eye was refitted or is gone: what no longer fits is not kept for long.
        let index = spare.iter().position(|buffer| buffer.size() == size);
        if index.is_none() && spare.len() > 8 {
            spare.clear();
        }
        index.map(|index| spare.swap_remove(index))
    });
    reused.unwrap_or_else(|| {
        device.create_buffer(&BufferDescriptor {
            label: Some("eye_capture"),
            size,
            usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            mapped_at_creation: false,
        })
    })
}

/// After the frame's commands are submitted: asks for the bytes of each buffer and sends them home when they are there.
fn send_films(mut darkroom: ResMut<Darkroom>, device: Res<RenderDevice>, pipelines: Res<PipelineCache>) {
    if darkroom.jobs.is_empty() {
        return;
    }
    let waiting = pipelines.waiting_pipelines().count();
    let mut wait = false;
    for job in std::mem::take(&mut darkroom.jobs) {
        let eye = job.stamp.eye;
        let labels_done = job.labels_done || job.label_camera.is_none();
        let (Some(buffer), true, true, 0) = (job.buffer, job.rgb_done, labels_done, waiting) else {
            let why = format!("colours {}, labels {labels_done}, {waiting} shaders compiling", job.rgb_done);
            // The world may be gone while its renderer still runs: nobody to tell, then.
            let _ = darkroom.outbox.send(Film::Incomplete { eye, why });
            continue;
        };
        wait |= job.wait;
        let (outbox, spare) = (darkroom.outbox.clone(), darkroom.spare.clone());
        let (mapped, layout, stamp) = (buffer.clone(), job.layout, job.stamp);
        buffer.slice(..).map_async(MapMode::Read, move |result| {
            let film = match result {
                Ok(()) => {
                    let bytes = mapped.slice(..).get_mapped_range().to_vec();
                    mapped.unmap();
                    if let Ok(mut spare) = spare.lock() {
                        spare.push(mapped);
                    }
                    Film::Exposed(Box::new(Capture { stamp, layout, bytes }))
                }
                Err(error) => {
                    let why = format!("reading back: {error}");
                    Film::Incomplete { eye, why }
                }
            };
            let _ = outbox.send(film);
        });
    }
    if wait && let Err(error) = device.poll(PollType::wait_indefinitely()) {
        warn!("waiting for a picture failed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_to_256_bytes() {
        let layout = BufferLayout::new(321, 10, true);
        assert_eq!((layout.rgb_row, layout.label_row), (1536, 5376));
        assert_eq!(layout.label_offset, 15_360);
        assert_eq!(layout.size, 15_360 + 53_760);
        assert_eq!(BufferLayout::new(64, 2, false).size, 512);
    }
}
