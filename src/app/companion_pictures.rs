//! Pictures that the companion is asked to keep: what its own eye saw, as files.
//!
//! In: [`PictureWanted`], observations of the companion's eye. Out: files named `companion-NNNN.png`, [`PictureKept`].
//! Written beside the frames. What is absent: what to do with the news.

use std::path::{Path, PathBuf};

use bevy::{
    prelude::*,
    tasks::{IoTaskPool, Task, block_on, poll_once},
};

use super::inhabited::CompanionEye;
use crate::{behaviours::PictureWanted, sensors::Observation};

/// Keeps the pictures.
pub struct CompanionPicturesPlugin;

impl Plugin for CompanionPicturesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<CompanionPictures>()
            .add_message::<PictureWanted>()
            .add_message::<Observation>()
            .add_message::<PictureKept>()
            .add_systems(Update, keep);
    }
}

/// Where they are kept.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanionPictures {
    pub folder: PathBuf,
}

/// A picture was written, or why not.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct PictureKept(pub Result<PathBuf, String>);

/// The next observation of the companion's eye after a request is written.
fn keep(
    mut wanted: MessageReader<PictureWanted>,
    mut observations: MessageReader<Observation>,
    eyes: Query<(), With<CompanionEye>>,
    place: Res<CompanionPictures>,
    mut pending: Local<bool>,
    mut writing: Local<Vec<Task<Result<PathBuf, String>>>>,
    mut kept: MessageWriter<PictureKept>,
) {
    *pending |= wanted.read().count() > 0;
    for observation in observations.read() {
        if eyes.contains(observation.eye) && std::mem::take(&mut *pending) {
            let (picture, folder) = (observation.rgb.clone(), place.folder.clone());
            let task = IoTaskPool::get_or_init(Default::default).spawn(async move { write(&picture, &folder) });
            writing.push(task);
        }
    }
    writing.retain_mut(|task| match block_on(poll_once(task)) {
        Some(result) => {
            kept.write(PictureKept(result));
            false
        }
        None => true,
    });
}

fn write(picture: &image::RgbImage, folder: &Path) -> Result<PathBuf, String> {
    let path = (1..10_000)
        .map(|number| folder.join(format!("companion-{number:04}.png")))
        .find(|path| !path.exists())
        .ok_or_else(|| format!("{} is full of pictures", folder.display()))?;
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    picture.save(&path).map_err(|error| error.to_string())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_numbered_and_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let picture = image::RgbImage::from_pixel(4, 3, image::Rgb([1, 2, 3]));
        let first = write(&picture, folder.path()).unwrap();
        let second = write(&picture, folder.path()).unwrap();
        assert_ne!(first, second);
        assert_eq!(image::open(&second).unwrap().to_rgb8(), picture);
        assert!(write(&picture, &first).is_err(), "a file is no folder");
    }
}
