//! A model folder on disk: graph, manifest, card.

use std::{fs, path::Path};

use anyhow::Context;

use crate::inference::manifest::{MANIFEST_FILE, MODEL_FILE, Manifest};

/// Writes `model.onnx`, `model.ron` and `CARD.md` into `folder`; each file replaces its elder as a whole.
///
/// # Errors
/// - the folder cannot be made or written
pub fn write_model(folder: &Path, graph: &[u8], manifest: &Manifest, card: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let text = manifest.to_text().context("writing the manifest")?;
    for (name, bytes) in [(MODEL_FILE, graph), (MANIFEST_FILE, text.as_bytes()), ("CARD.md", card.as_bytes())] {
        let path = folder.join(name);
        let beside = folder.join(format!("{name}.part"));
        fs::write(&beside, bytes).with_context(|| format!("writing {}", beside.display()))?;
        fs::rename(&beside, &path).with_context(|| format!("moving {} into place", path.display()))?;
    }
    Ok(())
}
