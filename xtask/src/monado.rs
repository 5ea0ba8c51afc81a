//! A real OpenXR runtime without a headset: Monado with its simulated devices, out of Debian 13's packages.
//!
//! Its packages are unpacked under `target/runtime/monado`, with the loader and C library that they need; the system is not
//! changed. Programs are run with them through that tree's own dynamic loader (`tests/it/monado.rs` does).

use std::{fs, net::TcpListener, path::Path};

use crate::{
    private_apt::{PrivateApt, is_debian_x86_64, sources_of},
    steps::{Environment, Result, at},
};

/// What the runtime is, and what our own program needs beside it from the same tree.
const PACKAGES: &[&str] = &[
    "monado-service",
    "libopenxr1-monado",
    "libopenxr-loader1",
    "mesa-vulkan-drivers",
    "libudev1",
    "libasound2t64",
    "libx11-6",
    "libx11-xcb1",
    "libxcursor1",
    "libxi6",
    "libxrandr2",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
];

/// Where its remote driver listens, by which tests move the headset.
const PORT: u16 = 4242;

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Brings the runtime; returns the variable by which tests find it.
///
/// # Errors
/// - not Debian on x86-64, or its packages cannot be had
/// - somebody else uses the port that the headset is moved by
pub fn bring(runtime: &Path) -> Result<Environment> {
    let folder = runtime.join("monado");
    let stamp = folder.join("COMPLETE");
    if !stamp.is_file() {
        if !is_debian_x86_64() {
            return Err("Monado is brought on Debian x86-64 only".to_owned());
        }
        eprintln!("xtask: bringing Monado, an OpenXR runtime with a simulated headset (once, 165 MB)");
        unpack(&folder)?;
        fs::write(&stamp, "").map_err(at(&stamp))?;
    }
    TcpListener::bind(("127.0.0.1", PORT)).map_err(|error| format!("Monado's port {PORT} is not free: {error}"))?;
    Ok(Environment::from([("UMWELT_MONADO".to_owned(), folder.display().to_string())]))
}

fn unpack(folder: &Path) -> Result {
    let _ = fs::remove_dir_all(folder);
    let root = folder.join("root");
    fs::create_dir_all(&root).map_err(at(&root))?;
    let state = folder.join("apt");
    PrivateApt::open(&state, &sources_of("trixie")?)?.unpack_with_dependencies(PACKAGES, &root)?;
    fs::remove_dir_all(&state).map_err(at(&state))?;

    let libraries = root.join(LIBRARIES);
    // The name that programs open.
    let name = libraries.join("libopenxr_loader.so");
    fs::copy(libraries.join("libopenxr_loader.so.1"), &name).map_err(at(&name))?;
    // Manifests name their libraries by their place, so that nothing of the system's is found instead.
    let manifests = [
        ("openxr_monado.json", "1.0.0", "runtime", "libopenxr_monado.so", "\"name\": \"Monado\""),
        ("lvp_icd.json", "1.0.0", "ICD", "libvulkan_lvp.so", "\"api_version\": \"1.4.305\""),
    ];
    for (manifest, format, what, library, more) in manifests {
        let library = libraries.join(library);
        if !library.is_file() {
            return Err(format!("{} did not come with the packages", library.display()));
        }
        let text = format!(
            "{{\"file_format_version\": \"{format}\", \"{what}\": {{{more}, \"library_path\": \"{}\"}}}}\n",
            library.display()
        );
        let path = folder.join(manifest);
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}
