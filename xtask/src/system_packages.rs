//! What the operating system must have, by name: installed on Debian and Ubuntu, printed elsewhere.

use std::{fs, path::Path, process::Command};

use crate::steps::{Result, output, run};

/// Name in Debian, and why it is needed.
type Package = (&'static str, &'static str);

const TO_BUILD: &[Package] = &[
    ("gcc", "linking"),
    ("libc6-dev", "linking"),
    ("pkg-config", "finding libraries"),
    ("libasound2-dev", "sound"),
    ("libudev-dev", "gamepads"),
];

const TO_RUN: &[Package] = &[
    ("libvulkan1", "drawing"),
    ("libx11-6", "the window"),
    ("libx11-xcb1", "the window"),
    ("libxcursor1", "the window"),
    ("libxi6", "the window"),
    ("libxrandr2", "the window"),
    ("libxkbcommon0", "the keyboard"),
    ("libxkbcommon-x11-0", "the keyboard"),
    ("python3-pip", "bringing ONNX Runtime"),
];

/// Drawing by the processor where there is no graphics card.
const WITHOUT_GPU: &[Package] = &[("mesa-vulkan-drivers", "drawing without a graphics card")];

const TO_TEST: &[Package] = &[
    ("xvfb", "a real window without a display"),
    ("pulseaudio", "a microphone that tests speak into"),
    ("pulseaudio-utils", "speaking into it"),
    ("strace", "the proof that no byte leaves the machine"),
    ("python3-venv", "pycocotools, the reader that recordings are checked with"),
    ("flite", "a voice that tests speak with"),
];

/// Synthetic voices: what the speech model learns from and is scored with.
const TO_SPEAK: &[Package] = &[
    ("espeak-ng", "many accents"),
    ("flite", "the voices kal, rms, slt, awb"),
    ("festival", "the voices below"),
    ("festvox-kallpc16k", "the voice kal"),
    ("festvox-kdlpc16k", "the voice ked"),
    ("festvox-us-slt-hts", "the voice slt, for scores"),
];

/// Installs the packages that are missing, or says which they are and why.
pub fn install(for_tests: bool) -> Result {
    let mut wanted: Vec<Package> = [TO_BUILD, TO_RUN].concat();
    if !has_gpu() {
        wanted.extend(WITHOUT_GPU);
    }
    if for_tests {
        wanted.extend(TO_TEST);
    }
    install_missing(&wanted)
}

/// Installs the synthetic voices, or says which they are.
pub fn install_voices() -> Result {
    install_missing(TO_SPEAK)
}

fn install_missing(wanted: &[Package]) -> Result {
    if !cfg!(target_os = "linux") {
        let tools =
            if cfg!(target_os = "macos") { "Xcode's command line tools" } else { "Visual Studio's C++ build tools" };
        eprintln!("xtask: nothing is installed on this system; building needs {tools}");
        return Ok(());
    }
    if Command::new("dpkg-query").arg("--version").output().is_err() {
        eprintln!("xtask: this is not Debian or Ubuntu; these packages (Debian's names) are needed:");
        for (name, why) in wanted {
            eprintln!("    {name:<24} {why}");
        }
        return Ok(());
    }
    let missing: Vec<&str> = wanted.iter().map(|(name, _)| *name).filter(|name| !satisfied(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: installing {}", missing.join(" "));
    run(apt_get().arg("update").arg("-qq"))?;
    run(apt_get().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing))
        .map_err(|error| format!("{error}\n    install by hand: apt-get install {}", missing.join(" ")))
}

/// Whether the machine has a graphics card with a driver.
pub fn has_gpu() -> bool {
    let render_node = fs::read_dir("/dev/dri")
        .map(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("renderD")))
        .unwrap_or(false);
    render_node || Path::new("/dev/nvidia0").exists()
}

/// A package counts as present when dpkg has it, or when the tool it stands for is on the path from elsewhere.
fn satisfied(name: &str) -> bool {
    let on_path =
        |tool: &[&str]| Command::new(tool[0]).args(&tool[1..]).output().is_ok_and(|done| done.status.success());
    match name {
        "gcc" => on_path(&["cc", "--version"]),
        "python3-pip" => on_path(&["python3", "-m", "pip", "--version"]),
        "python3-venv" => on_path(&["python3", "-c", "import venv, ensurepip"]),
        _ => output(Command::new("dpkg-query").args(["-W", "-f=${Status}", name]))
            .is_ok_and(|status| status.contains("install ok installed")),
    }
}

fn apt_get() -> Command {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("apt-get");
        sudo
    };
    // Standard output is for what `setup` prints to be evaluated by a shell.
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::io::stderr());
    command
}
