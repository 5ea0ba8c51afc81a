//! A dataset folder as such: its parameters, what may be done to it, files that are there as a whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::base::Seed;

/// What a dataset was recorded with. Equal parameters give equal bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Version of the folder's layout: 1.
    pub format: u32,
    /// Name of the scene; `None` where every few frames have a random one.
    pub scene: Option<String>,
    pub seed: Seed,
    pub split: Split,
    pub frames: u32,
    pub width: u32,
    pub height: u32,
    /// Frames that share one random scene, or one state of the scene.
    pub views_per_scene: u32,
    /// Whether the scene was in another state every few frames; random scenes always are others.
    #[serde(default)]
    pub varied: bool,
    /// Class names in the order of their ids, from 1.
    pub classes: Vec<String>,
}

impl Recording {
    pub const FORMAT: u32 = 1;
}

/// Which variants of the object families occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Variants that models may learn from.
    #[default]
    Train,
    /// Variants and scenes that no model has learnt from.
    Heldout,
}

/// What to do with a folder that already holds a dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExisting {
    /// Leave it alone, unless it has the same parameters and none of the wanted frames (another shard's folder).
    #[default]
    Refuse,
    /// Add the frames that are missing.
    Resume,
    /// Remove its frames and begin anew.
    Overwrite,
}

/// What went wrong with a dataset folder.
#[derive(Debug, Error)]
pub enum DatasetError {
    #[error(
        "{0} already holds a dataset; add --resume to continue it, --force to replace it, or choose another folder"
    )]
    Exists(PathBuf),
    #[error("{0} holds no dataset; `umwelt record --out {0}` makes one")]
    Absent(PathBuf),
    #[error("{0} is not empty and holds no dataset; choose another folder")]
    Foreign(PathBuf),
    #[error("{path} was recorded with another {what}; choose another folder, or --force to replace it")]
    Differs { path: PathBuf, what: &'static str },
    #[error("{path}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is no file of a dataset")]
    Json {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("{path}")]
    Picture {
        path: PathBuf,
        #[source]
        source: image::ImageError,
    },
    #[error("the observation of frame {0} carries no truth")]
    NoTruth(u32),
    /// Place and problem in one text.
    #[error("{0}")]
    Speech(String),
}

impl DatasetError {
    /// Something about a file of speech.
    pub(super) fn at(path: &Path, what: impl std::fmt::Display) -> Self {
        Self::Speech(format!("{}: {what}", path.display()))
    }
}

impl DatasetError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Files and subfolders that belong to a dataset.
pub(super) const SUBFOLDERS: [&str; 4] = ["rgb", "depth", "ids", "frames"];
pub(super) const PARAMETERS: &str = "dataset.json";
pub(super) const COCO: &str = "coco.json";

/// `rgb/000042.png` and its like.
pub(super) fn frame_path(root: &Path, subfolder: &str, frame: u32, extension: &str) -> PathBuf {
    root.join(subfolder).join(format!("{frame:06}.{extension}"))
}

/// Makes `root` ready for `recording`.
///
/// # Errors
/// - [`DatasetError::Exists`], [`DatasetError::Foreign`], [`DatasetError::Differs`]: it holds something else
/// - [`DatasetError::Io`]: it cannot be read or written
pub(super) fn prepare(
    root: &Path,
    recording: &Recording,
    on_existing: OnExisting,
    wanted: &[u32],
) -> Result<(), DatasetError> {
    let is_used = match fs::read_dir(root) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(DatasetError::io(root)(error)),
    };
    if is_used {
        let parameters = root.join(PARAMETERS);
        if !parameters.is_file() {
            return Err(DatasetError::Foreign(root.to_owned()));
        }
        if on_existing == OnExisting::Overwrite {
            clear(root)?;
        } else {
            let known: Recording = read_json(&parameters)?;
            let difference = difference(&known, recording);
            let has_wanted = || wanted.iter().any(|frame| frame_path(root, "frames", *frame, "json").exists());
            match (on_existing, difference) {
                (OnExisting::Resume, Some(what)) => return Err(DatasetError::Differs { path: root.to_owned(), what }),
                (OnExisting::Refuse, Some(_)) => return Err(DatasetError::Exists(root.to_owned())),
                (OnExisting::Refuse, None) if has_wanted() => return Err(DatasetError::Exists(root.to_owned())),
                _ => {}
            }
        }
    }
    for subfolder in SUBFOLDERS {
        let path = root.join(subfolder);
        fs::create_dir_all(&path).map_err(DatasetError::io(&path))?;
    }
    write_json(&root.join(PARAMETERS), recording)
}

/// The first parameter in which two recordings differ.
fn difference(known: &Recording, wanted: &Recording) -> Option<&'static str> {
    let checks = [
        (known.format == wanted.format, "format"),
        (known.scene == wanted.scene, "scene"),
        (known.seed == wanted.seed, "seed"),
        (known.split == wanted.split, "split"),
        (known.frames == wanted.frames, "number of frames"),
        ((known.width, known.height) == (wanted.width, wanted.height), "size"),
        (known.views_per_scene == wanted.views_per_scene, "number of views per scene"),
        (known.classes == wanted.classes, "class table"),
    ];
    checks.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
}

/// Removes what belongs to a dataset, and nothing else.
fn clear(root: &Path) -> Result<(), DatasetError> {
    for subfolder in SUBFOLDERS {
        let path = root.join(subfolder);
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(DatasetError::io(&path))?;
        }
    }
    for file in [COCO, PARAMETERS] {
        let path = root.join(file);
        if path.exists() {
            fs::remove_file(&path).map_err(DatasetError::io(&path))?;
        }
    }
    Ok(())
}

/// Writes a file that is there as a whole or not at all.
///
/// # Errors
/// - [`DatasetError::Io`]: the disk is full or read-only; nothing is left behind
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written =
        fs::File::create(&part).and_then(|mut file| file.write_all(bytes)).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| {
        // Best effort: on a read-only disk there is nothing to remove.
        let _ = fs::remove_file(&part);
        DatasetError::io(path)(error)
    })
}

pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), DatasetError> {
    let json = serde_json::to_vec(value).map_err(|source| DatasetError::Json { path: path.to_owned(), source })?;
    write_whole(path, &json)
}

pub(super) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, DatasetError> {
    let bytes = fs::read(path).map_err(DatasetError::io(path))?;
    serde_json::from_slice(&bytes).map_err(|source| DatasetError::Json { path: path.to_owned(), source })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn recording(frames: u32) -> Recording {
        Recording {
            format: Recording::FORMAT,
            scene: None,
            seed: Seed(7),
            split: Split::Train,
            frames,
            width: 4,
            height: 2,
            views_per_scene: 2,
            varied: false,
            classes: vec!["mug".into(), "bowl".into()],
        }
    }

    #[test]
    fn a_folder_is_never_overwritten_unasked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("data");
        let open = |recording: &Recording, mode, wanted: &[u32]| prepare(&root, recording, mode, wanted);
        open(&recording(4), OnExisting::Refuse, &[0, 1]).expect("a new folder");
        write_whole(&frame_path(&root, "frames", 0, "json"), b"{}").expect("written");

        assert!(matches!(open(&recording(4), OnExisting::Refuse, &[0, 1]), Err(DatasetError::Exists(_))));
        open(&recording(4), OnExisting::Refuse, &[2, 3]).expect("another shard may join");
        open(&recording(4), OnExisting::Resume, &[0, 1]).expect("asked to continue");
        let differs = open(&recording(5), OnExisting::Resume, &[0, 1]);
        assert!(matches!(differs, Err(DatasetError::Differs { what: "number of frames", .. })));
        assert!(frame_path(&root, "frames", 0, "json").exists());
        open(&recording(5), OnExisting::Overwrite, &[0, 1]).expect("asked to replace");
        assert!(!frame_path(&root, "frames", 0, "json").exists());
    }

    #[test]
    fn foreign_folders_are_refused_even_by_force() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mine = folder.path().join("thesis.txt");
        fs::write(&mine, "precious").expect("written");
        for mode in [OnExisting::Refuse, OnExisting::Resume, OnExisting::Overwrite] {
            let refused = prepare(folder.path(), &recording(4), mode, &[0]);
            assert!(matches!(refused, Err(DatasetError::Foreign(_))));
        }
        assert!(mine.exists());
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A folder stands where the file should go: creation of the part works, the rename fails.
        let path = folder.path().join("rgb");
        fs::create_dir_all(path.join("x")).expect("made");
        assert!(write_whole(&path, b"bytes").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
