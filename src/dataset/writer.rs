//! Writes a dataset folder, frame by frame.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    coco::{Coco, FrameRecord, frame_record},
    folder::{COCO, DatasetError, OnExisting, Recording, frame_path, prepare, read_json, write_json, write_whole},
    pictures::{depth_png, ids_png, rgb_png},
};
use crate::{base::Seed, sensors::Observation};

/// A dataset folder that is being recorded. Frames may be written in any order and from several threads or processes.
#[derive(Clone, Debug)]
pub struct Writer {
    root: PathBuf,
    recording: Recording,
}

impl Writer {
    /// Makes `root` ready. `wanted` are the frames that the caller means to write.
    ///
    /// # Errors
    /// - [`DatasetError::Exists`], [`DatasetError::Foreign`], [`DatasetError::Differs`]: the folder is used otherwise
    /// - [`DatasetError::Io`]: it cannot be made, read or written
    pub fn open(
        root: &Path,
        recording: Recording,
        on_existing: OnExisting,
        wanted: &[u32],
    ) -> Result<Self, DatasetError> {
        prepare(root, &recording, on_existing, wanted)?;
        Ok(Self { root: root.to_owned(), recording })
    }

    /// Whether `frame` is complete.
    pub fn has(&self, frame: u32) -> bool {
        frame_path(&self.root, "frames", frame, "json").is_file()
    }

    /// Writes all files of `frame`; `seed` is that of its view.
    ///
    /// # Errors
    /// - [`DatasetError::NoTruth`]: the observation has no labels
    /// - [`DatasetError::Io`]: the disk is full or read-only; the frame then counts as missing
    pub fn write(&self, frame: u32, seed: Seed, observation: &Observation) -> Result<(), DatasetError> {
        let truth = observation.truth.as_ref().ok_or(DatasetError::NoTruth(frame))?;
        let (width, height) = (observation.intrinsics.width, observation.intrinsics.height);
        let pictures = [
            ("rgb", rgb_png(&observation.rgb)),
            ("depth", depth_png(&truth.depth_m, width, height)),
            ("ids", ids_png(&truth.instances, width, height)),
        ];
        for (subfolder, png) in pictures {
            let path = frame_path(&self.root, subfolder, frame, "png");
            let bytes = png.map_err(|source| DatasetError::Picture { path: path.clone(), source })?;
            write_whole(&path, &bytes)?;
        }
        // Last, because its presence says that the frame is complete.
        let record = frame_record(frame, seed, observation, truth);
        write_json(&frame_path(&self.root, "frames", frame, "json"), &record)
    }

    /// Writes `coco.json` about the frames that are there, and returns their number.
    ///
    /// Shards may end at the same time: whoever finds that more frames have come meanwhile writes the file again.
    ///
    /// # Errors
    /// - [`DatasetError::Io`], [`DatasetError::Json`]: a file cannot be read or written
    pub fn finish(&self) -> Result<u32, DatasetError> {
        loop {
            let frames: Vec<u32> = (0..self.recording.frames).filter(|frame| self.has(*frame)).collect();
            let mut coco = Coco::new(&self.recording);
            for frame in &frames {
                let record: FrameRecord = read_json(&frame_path(&self.root, "frames", *frame, "json"))?;
                coco.images.push(record.image);
                coco.annotations.extend(record.annotations);
            }
            write_json(&self.root.join(COCO), &coco)?;
            if (0..self.recording.frames).filter(|frame| self.has(*frame)).count() == frames.len() {
                self.sweep();
                return Ok(frames.len() as u32);
            }
        }
    }

    /// Removes parts that a killed process left behind, if no other process can be writing.
    fn sweep(&self) {
        if (0..self.recording.frames).any(|frame| !self.has(frame)) {
            return;
        }
        for subfolder in super::folder::SUBFOLDERS {
            let entries = fs::read_dir(self.root.join(subfolder)).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "part")) {
                // What cannot be removed does no harm: nobody reads it.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
