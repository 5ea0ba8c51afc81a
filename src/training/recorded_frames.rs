//! Recorded folders into memory.

use std::path::Path;

use anyhow::{Context, ensure};

use super::frames::{FrameLabel, FrameSet};
use crate::dataset::Reader;

/// Appends the frames of one recorded folder to `frames`, each told to `each_frame` when it is read.
///
/// # Errors
/// - the folder is not a finished recording, or a picture is damaged
/// - its pictures are not of one size, or not of the size of those already there
/// - it holds objects of classes beyond the first `classes`
pub fn append_recorded(
    frames: &mut FrameSet,
    folder: &Path,
    classes: usize,
    mut each_frame: impl FnMut(),
) -> anyhow::Result<()> {
    let reader = Reader::open(folder)?;
    if let (true, Some(first)) = (frames.is_empty(), reader.images().first()) {
        (frames.width, frames.height) = (first.width as usize, first.height as usize);
    }
    frames.pixels.reserve(3 * frames.width * frames.height * reader.len());
    for index in 0..reader.len() {
        let sample = reader.sample(index)?;
        let (width, height) = (sample.rgb.width() as usize, sample.rgb.height() as usize);
        ensure!(
            (width, height) == (frames.width, frames.height),
            "frame {index} of {} is {width}×{height}, not {}×{} like those before it",
            folder.display(),
            frames.width,
            frames.height
        );
        let labels = sample
            .objects
            .iter()
            .map(|object| {
                let class =
                    usize::from(object.class.0).checked_sub(1).filter(|class| *class < classes).with_context(|| {
                        format!("frame {index} of {}: unknown class {}", folder.display(), object.class.0)
                    })?;
                Ok(FrameLabel { class, region: object.region, visible_fraction: object.visible_fraction })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        frames.pixels.extend_from_slice(sample.rgb.as_raw());
        frames.labels.push(labels);
        each_frame();
    }
    Ok(())
}
