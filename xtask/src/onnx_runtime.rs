//! ONNX Runtime's shared library, out of its Python wheel: pinned, verified by pip against the hash below, unpacked.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::steps::{Environment, Result, at, run};

const VERSION: &str = "1.31.1";

/// One wheel: the platform tag that pip knows, the library inside, the wheel's sha-256.
struct Wheel {
    package: &'static str,
    version: &'static str,
    platform: &'static str,
    library: &'static str,
    sha256: &'static str,
}

/// The wheel for this platform, if there is one.
fn wheel() -> Option<Wheel> {
    let (platform, library, sha256) = match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => (
            "manylinux_2_28_x86_64",
            "onnxruntime/capi/libonnxruntime.so.1.31.1",
            "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
        ),
        ("linux", "aarch64") => (
            "manylinux_2_28_aarch64",
            "onnxruntime/capi/libonnxruntime.so.1.31.1",
            "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
        ),
        ("macos", "aarch64") => (
            "macosx_14_0_arm64",
            "onnxruntime/capi/libonnxruntime.1.31.1.dylib",
            "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
        ),
        ("windows", "x86_64") => (
            "win_amd64",
            "onnxruntime/capi/onnxruntime.dll",
            "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
        ),
        _ => return None,
    };
    Some(Wheel { package: "onnxruntime", version: VERSION, platform, library, sha256 })
}

/// The plugin provider that runs on any Vulkan device.
const WEBGPU: Wheel = Wheel {
    package: "onnxruntime-ep-webgpu",
    version: "0.4.0",
    platform: "manylinux_2_28_x86_64",
    library: "onnxruntime_ep_webgpu/libonnxruntime_providers_webgpu.so",
    sha256: "5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb",
};

/// Finds or brings the library: `ORT_DYLIB_PATH` first, then a system library, then the wheel.
pub fn bring(runtime: &Path) -> Result<Environment> {
    let variable = "ORT_DYLIB_PATH";
    if env::var_os(variable).is_some() {
        return Ok(Environment::new());
    }
    let path = match system_library() {
        Some(path) => path,
        None => {
            let wheel = wheel().ok_or_else(|| {
                format!(
                    "ONNX Runtime {VERSION} has no package for {} on {}; build it and name the library in {variable}",
                    env::consts::OS,
                    env::consts::ARCH
                )
            })?;
            unpack(&wheel, &runtime.join("onnxruntime"))?
        }
    };
    Ok(Environment::from([(variable.to_owned(), path.display().to_string())]))
}

/// Brings the WebGPU provider.
pub fn bring_webgpu(runtime: &Path) -> Result<Environment> {
    if (env::consts::OS, env::consts::ARCH) != ("linux", "x86_64") {
        return Err("it is brought on Linux x86-64 only".to_owned());
    }
    let path = unpack(&WEBGPU, &runtime.join("webgpu"))?;
    Ok(Environment::from([("UMWELT_WEBGPU_EP".to_owned(), path.display().to_string())]))
}

/// A library that the operating system has, of at least the interface version that the program asks for.
fn system_library() -> Option<PathBuf> {
    let folders =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];
    folders.iter().map(|folder| Path::new(folder).join("libonnxruntime.so.1.31.1")).find(|path| path.is_file())
}

/// Downloads the wheel (verified by pip) and unpacks its library into `folder`; does nothing if it is there already.
fn unpack(wheel: &Wheel, folder: &Path) -> Result<PathBuf> {
    let library = folder.join(Path::new(wheel.library).file_name().unwrap_or_default());
    let stamp = folder.join("VERSION");
    if library.is_file() && fs::read_to_string(&stamp).is_ok_and(|version| version.trim() == wheel.version) {
        return Ok(library);
    }
    eprintln!("xtask: bringing {} {}", wheel.package, wheel.version);
    let scratch = folder.join("scratch");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).map_err(at(&scratch))?;
    let pinned = scratch.join("requirements.txt");
    fs::write(&pinned, format!("{}=={} --hash=sha256:{}\n", wheel.package, wheel.version, wheel.sha256))
        .map_err(at(&pinned))?;
    run(Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"])
        .args(["--implementation", "cp", "--python-version", "3.12", "--platform", wheel.platform])
        .arg("--dest")
        .arg(&scratch)
        .arg("--requirement")
        .arg(&pinned))?;
    let file = fs::read_dir(&scratch)
        .map_err(at(&scratch))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("pip brought no wheel of {}", wheel.package))?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&file).arg(&scratch))?;
    fs::rename(scratch.join(wheel.library), &library).map_err(at(&library))?;
    fs::write(&stamp, wheel.version).map_err(at(&stamp))?;
    fs::remove_dir_all(&scratch).map_err(at(&scratch))?;
    Ok(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unpacked_already_is_not_brought_again() {
        let folder = env::temp_dir().join(format!("umwelt-xtask-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let library = folder.join("libonnxruntime_providers_webgpu.so");
        fs::write(&library, "library").unwrap();
        fs::write(folder.join("VERSION"), WEBGPU.version).unwrap();
        assert_eq!(unpack(&WEBGPU, &folder).unwrap(), library);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn hashes_are_whole() {
        for wheel in wheel().iter().chain([&WEBGPU]) {
            assert_eq!(wheel.sha256.len(), 64);
            assert!(wheel.sha256.chars().all(|digit| digit.is_ascii_hexdigit()));
        }
    }
}
