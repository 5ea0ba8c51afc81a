//! A recent software Vulkan for machines without a graphics card.
//!
//! Debian 12 has Mesa 22.3; its backports have 25.0, which draws two to three times faster and which the WebGPU provider
//! needs. The packages are unpacked under `target/runtime/vulkan`, verified by apt's own signatures through package lists
//! of our own; the system is not changed. Elsewhere the system's Mesa is used.

use std::{env, fs, path::Path};

use crate::{
    private_apt::{PrivateApt, sources_of},
    steps::{Environment, Result, at},
    system_packages::has_gpu,
};

/// From backports; what they depend on comes from the release itself.
const FROM_BACKPORTS: &[&str] = &["mesa-vulkan-drivers", "libdrm2", "libdrm-amdgpu1", "libdrm-common"];
const FROM_RELEASE: &[&str] = &["libllvm15", "libelf1", "libz3-4", "libxshmfence1"];

const LIBRARIES: &str = "root/usr/lib/x86_64-linux-gnu";

/// Brings the driver where it helps; returns the variables that choose it. A failure is no error: the system's own driver
/// draws the same pictures, only slower.
pub fn bring(runtime: &Path) -> Result<Environment> {
    let chosen = env::var_os("VK_DRIVER_FILES").is_some() || env::var_os("VK_ICD_FILENAMES").is_some();
    if chosen || has_gpu() || !is_bookworm() || env::consts::ARCH != "x86_64" {
        return Ok(Environment::new());
    }
    let folder = runtime.join("vulkan");
    let driver = folder.join("lvp_icd.json");
    if !driver.is_file() {
        eprintln!("xtask: bringing Mesa's software Vulkan from backports (once, 45 MB)");
        if let Err(why) = unpack(&folder, &driver) {
            eprintln!("xtask: drawing with the system's older Mesa instead: {why}");
            return Ok(Environment::new());
        }
    }
    let mut libraries = folder.join(LIBRARIES).display().to_string();
    if let Ok(others) = env::var("LD_LIBRARY_PATH") {
        libraries = format!("{libraries}:{others}");
    }
    Ok(Environment::from([
        ("VK_DRIVER_FILES".to_owned(), driver.display().to_string()),
        ("LD_LIBRARY_PATH".to_owned(), libraries),
    ]))
}

fn is_bookworm() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| text.contains("VERSION_CODENAME=bookworm"))
}

fn unpack(folder: &Path, driver: &Path) -> Result {
    let _ = fs::remove_dir_all(folder);
    let lists = folder.join("apt");
    let backports = FROM_BACKPORTS.iter().map(|name| format!("{name}/bookworm-backports"));
    let release = FROM_RELEASE.iter().map(|name| (*name).to_owned());
    PrivateApt::open(&lists, &sources_of("bookworm bookworm-backports")?)?
        .unpack(backports.chain(release), &folder.join("root"))?;
    let library = folder.join(LIBRARIES).join("libvulkan_lvp.so");
    if !library.is_file() {
        return Err(format!("{} did not come with the packages", library.display()));
    }
    let manifest = format!(
        "{{\"ICD\": {{\"api_version\": \"1.4.305\", \"library_path\": \"{}\"}}, \"file_format_version\": \"1.0.0\"}}\n",
        library.display()
    );
    fs::remove_dir_all(&lists).map_err(at(&lists))?;
    fs::write(driver, manifest).map_err(at(driver))
}
