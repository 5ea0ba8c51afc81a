//! What can be dreamt, read from the manifests of models before any model is loaded: scenes are checked against it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    base::Problem,
    inference::{
        manifest::{MANIFEST_FILE, Manifest},
        models::model_folders,
    },
    scene::DreamMaterials,
    textures::{Generator, TASK},
};

/// The materials of the first generator among the model folders in `models`; none if there is no usable one.
pub fn dream_materials(models: &Path) -> DreamMaterials {
    let manifest = generator_folder(models).and_then(|folder| manifest(&folder));
    let generator = manifest.and_then(|manifest| Generator::of(&manifest).ok());
    let mut names = generator.map(|generator| generator.labels).unwrap_or_default();
    names.sort();
    DreamMaterials(names)
}

/// The first model folder in `models` that says that it holds a generator.
pub fn generator_folder(models: &Path) -> Option<PathBuf> {
    let dreams = |folder: &PathBuf| manifest(folder).is_some_and(|manifest| manifest.task == TASK);
    model_folders(models).into_iter().find(dreams)
}

/// In what a model that calls itself a generator differs from one; nothing for other models.
pub fn generator_problems(folder: &Path) -> Vec<Problem> {
    let Some(manifest) = manifest(folder).filter(|manifest| manifest.task == TASK) else { return Vec::new() };
    let faults = Generator::of(&manifest).err().unwrap_or_default();
    let path = folder.join(MANIFEST_FILE);
    let help = "`umwelt train texture` writes generators that are";
    faults.iter().map(|fault| Problem::of_file(&path, &format!("is no generator of textures: {fault}"), help)).collect()
}

fn manifest(folder: &Path) -> Option<Manifest> {
    let path = folder.join(MANIFEST_FILE);
    Manifest::parse(&fs::read_to_string(&path).ok()?, &path).ok()
}
