//! The eyes' pictures as they are submitted, for whoever asks: nobody does in play, tests do.
//!
//! In: [`SubmittedEyes::ask`]; the images of the session, which must have been opened while the resource was there. Out: both
//! pictures of one frame, copied after the last camera drew and before the runtime gets them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use bevy::prelude::Resource;
use image::RgbaImage;

/// Where both worlds find the pictures; shared by its clones.
#[derive(Resource, Clone, Default)]
pub struct SubmittedEyes(Arc<Mutex<Request>>);

#[derive(Default)]
enum Request {
    #[default]
    None,
    Asked,
    Answered(anyhow::Result<[RgbaImage; 2]>),
}

impl SubmittedEyes {
    fn request(&self) -> std::sync::MutexGuard<'_, Request> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The next frame that is submitted is copied.
    pub fn ask(&self) {
        *self.request() = Request::Asked;
    }

    /// Left and right, once they are there.
    pub fn take(&self) -> Option<anyhow::Result<[RgbaImage; 2]>> {
        let mut request = self.request();
        match std::mem::take(&mut *request) {
            Request::Answered(answer) => Some(answer),
            other => {
                *request = other;
                None
            }
        }
    }

    /// Copies the image, if somebody asked. Waits for the graphics device.
    pub(super) fn answer(&self, device: &wgpu::Device, queue: &wgpu::Queue, image: &wgpu::Texture) {
        let mut request = self.request();
        if matches!(*request, Request::Asked) {
            *request = Request::Answered(read(device, queue, image));
        }
    }
}

/// Both layers of an image of 8 bits a channel.
///
/// # Errors
/// - the image is of another kind, or the device failed
fn read(device: &wgpu::Device, queue: &wgpu::Queue, image: &wgpu::Texture) -> anyhow::Result<[RgbaImage; 2]> {
    let (width, height) = (image.width(), image.height());
    let row = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("submitted eyes"),
        size: u64::from(2 * row * height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut commands = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    commands.copy_texture_to_buffer(
        image.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: Some(height) },
        },
        wgpu::Extent3d { width, height, depth_or_array_layers: 2 },
    );
    // The runtime expects the image as a camera leaves it (XR_KHR_vulkan_enable2, swapchain image layout).
    let as_drawn = wgpu::TextureTransition { texture: image, selector: None, state: wgpu::TextureUses::COLOR_TARGET };
    commands.transition_resources(std::iter::empty(), std::iter::once(as_drawn));
    queue.submit([commands.finish()]);
    let (tell, mapped) = std::sync::mpsc::channel();
    buffer.map_async(wgpu::MapMode::Read, .., move |result| {
        // Who asked waits below.
        let _ = tell.send(result);
    });
    device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(Duration::from_secs(10)) })?;
    mapped.recv().context("the copy was dropped")??;
    let bytes = buffer.get_mapped_range(..).to_vec();
    let swapped = image.format() == wgpu::TextureFormat::Bgra8UnormSrgb;
    let picture = |eye: u32| {
        RgbaImage::from_fn(width, height, |x, y| {
            let at = ((eye * height + y) * row + 4 * x) as usize;
            let [a, b, c, d] = [0, 1, 2, 3].map(|channel| bytes[at + channel]);
            image::Rgba(if swapped { [c, b, a, d] } else { [a, b, c, d] })
        })
    };
    Ok([picture(0), picture(1)])
}
