//! Imported models: the file must lie in the scene's folder, and so must everything that it names.

use std::{
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
};

use crate::base::did_you_mean;

/// Bytes of an imported model.
const MAX_ASSET_BYTES: u64 = 256 << 20;
/// Bytes of the JSON part of a model, which is read here.
const MAX_JSON_BYTES: usize = 16 << 20;

/// A path that stays inside `folder`, relative to it.
///
/// # Errors
/// - What is wrong and what to do: absolute, with `..`, leaving by a link, missing, not a glTF or GLB file, too large,
///   or naming files outside the folder itself.
pub(super) fn check_asset(folder: &Path, written: &str) -> Result<PathBuf, (String, String)> {
    let relative = inside(folder, folder, written, "asset")?;
    let path = folder.join(&relative);
    let told = |what: &str, help: &str| (format!("asset \"{written}\" {what}"), help.to_owned());
    let extension = relative.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
    if extension != "glb" && extension != "gltf" {
        return Err(told("is not a glTF or GLB file", "export the model as .glb"));
    }
    let metadata = path.metadata().map_err(|error| told(&format!("cannot be read: {error}"), "check the file"))?;
    if !metadata.is_file() || metadata.len() > MAX_ASSET_BYTES {
        return Err(told("is not a file or larger than 256 MiB", "export it smaller"));
    }
    let json = model_json(&path, extension == "glb").ok_or_else(|| told("has no readable glTF", "export it again"))?;
    let beside = path.parent().unwrap_or(folder);
    for list in ["buffers", "images"] {
        let entries = json.get(list).and_then(|entries| entries.as_array());
        for uri in entries.into_iter().flatten().filter_map(|entry| entry.get("uri")?.as_str()) {
            if !uri.starts_with("data:") {
                inside(folder, beside, uri, &format!("\"{written}\" names a file:"))?;
            }
        }
    }
    Ok(relative)
}

/// The path `written` as seen from `base`, which must exist and stay inside `folder`; the answer is relative to `base`.
fn inside(folder: &Path, base: &Path, written: &str, what: &str) -> Result<PathBuf, (String, String)> {
    let told = |why: &str, help: String| Err((format!("{what} \"{written}\" {why}"), help));
    let relative = Path::new(written);
    let leaves = relative.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
    if leaves || written.contains(['\\', ':', '%']) {
        return told("leaves the scene's folder", "copy it beside the scene and write its plain name".to_owned());
    }
    let Ok(real) = base.join(relative).canonicalize() else {
        let names: Vec<_> = std::fs::read_dir(base).into_iter().flatten().flatten().collect();
        let names: Vec<_> = names.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let help = match did_you_mean(written, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "put it beside the scene file".to_owned(),
        };
        return told("does not exist", help);
    };
    match folder.canonicalize() {
        Ok(root) if real.starts_with(&root) => Ok(relative.to_owned()),
        _ => told("is a link that leaves the scene's folder", "copy the file itself".to_owned()),
    }
}

/// The JSON of a glTF file, or of a GLB file's first chunk (glTF 2.0 specification, section 4.4).
fn model_json(path: &Path, binary: bool) -> Option<serde_json::Value> {
    let mut file = File::open(path).ok()?;
    let mut length = MAX_JSON_BYTES;
    if binary {
        let mut header = [0_u8; 20];
        file.read_exact(&mut header).ok()?;
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        length = word(12) as usize;
        if &header[..4] != b"glTF" || word(4) != 2 || &header[16..] != b"JSON" || length > MAX_JSON_BYTES {
            return None;
        }
    }
    let mut json = Vec::new();
    file.take(length as u64).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_leaves_the_folder_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("scenes");
        fs::create_dir(&folder).unwrap();
        fs::write(outside.path().join("secret.gltf"), "{}").unwrap();
        fs::write(folder.join("good.gltf"), r#"{"buffers": [{"uri": "data:x"}]}"#).unwrap();
        fs::write(folder.join("nosy.gltf"), r#"{"images": [{"uri": "../secret.gltf"}]}"#).unwrap();
        fs::write(folder.join("empty.glb"), "").unwrap();
        let told = |written: &str| check_asset(&folder, written).err().map(|(what, help)| format!("{what}; {help}"));
        assert_eq!(check_asset(&folder, "good.gltf"), Ok(PathBuf::from("good.gltf")));
        for (written, expected) in [
            ("../secret.gltf", "leaves the scene's folder"),
            ("/etc/passwd", "leaves the scene's folder"),
            ("C:\\x.glb", "leaves the scene's folder"),
            ("nosy.gltf", "leaves the scene's folder"),
            ("goood.gltf", "did you mean \"good.gltf\"?"),
            ("empty.glb", "has no readable glTF"),
        ] {
            let told = told(written).unwrap_or_default();
            assert!(told.contains(expected), "{written}: {told}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path().join("secret.gltf"), folder.join("link.gltf")).unwrap();
            assert!(told("link.gltf").unwrap_or_default().contains("is a link that leaves"));
        }
    }
}
