//! Debian packages of another release, unpacked into a folder: package lists of our own, verified by apt's signatures; the
//! system is not changed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::steps::{Result, at, output, run};

/// apt with its state in one folder.
pub struct PrivateApt {
    /// Lists, an empty database of installed packages, what was downloaded.
    state: PathBuf,
}

impl PrivateApt {
    /// Opens apt on `sources` (deb822) and fetches their lists; `folder` is for its state alone.
    pub fn open(folder: &Path, sources: &str) -> Result<Self> {
        for path in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(path)).map_err(at(folder))?;
        }
        for (name, text) in [("status", ""), ("debian.sources", sources)] {
            let path = folder.join(name);
            fs::write(&path, text).map_err(at(&path))?;
        }
        let apt = Self { state: folder.to_path_buf() };
        output(apt.get().arg("update"))?;
        Ok(apt)
    }

    fn get(&self) -> Command {
        let mut apt = Command::new("apt-get");
        apt.current_dir(&self.state).arg("-qq").args(["-o", "APT::Sandbox::User=root"]);
        // Where nothing answers, this is known soon.
        apt.args(["-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=2"]);
        for (option, path) in [
            ("Dir::State", self.state.clone()),
            ("Dir::State::Lists", self.state.join("lists")),
            ("Dir::State::status", self.state.join("status")),
            ("Dir::Cache", self.state.join("cache")),
            ("Dir::Etc::sourcelist", self.state.join("debian.sources")),
            ("Dir::Etc::sourceparts", PathBuf::from("/dev/null")),
        ] {
            apt.arg("-o").arg(format!("{option}={}", path.display()));
        }
        apt
    }

    /// Downloads just these packages and unpacks them into `root`.
    pub fn unpack(&self, packages: impl IntoIterator<Item = String>, root: &Path) -> Result {
        let archives = self.state.join("packages");
        fs::create_dir_all(&archives).map_err(at(&archives))?;
        output(self.get().current_dir(&archives).arg("download").args(packages))?;
        unpack_all(&archives, root)
    }

    /// Downloads these packages with all that they depend on, and unpacks them into `root`.
    pub fn unpack_with_dependencies(&self, packages: &[&str], root: &Path) -> Result {
        output(self.get().args(["install", "--yes", "--no-install-recommends", "--download-only"]).args(packages))?;
        unpack_all(&self.state.join("cache/archives"), root)
    }
}

fn unpack_all(archives: &Path, root: &Path) -> Result {
    for entry in fs::read_dir(archives).map_err(at(archives))?.flatten() {
        let package = entry.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(package).arg(root))?;
        }
    }
    Ok(())
}

/// The system's own source of Debian packages, pointed at other suites.
pub fn sources_of(suites: &str) -> Result<String> {
    let modern = Path::new("/etc/apt/sources.list.d/debian.sources");
    if let Ok(text) = fs::read_to_string(modern) {
        let stanza = text.split("\n\n").next().unwrap_or_default();
        let suites = format!("Suites: {suites}");
        let lines = stanza.lines().map(|line| if line.starts_with("Suites:") { suites.as_str() } else { line });
        return Ok(lines.chain([""]).collect::<Vec<_>>().join("\n"));
    }
    let classic = Path::new("/etc/apt/sources.list");
    let text = fs::read_to_string(classic).map_err(at(classic))?;
    let host = text
        .lines()
        .filter(|line| line.starts_with("deb "))
        .find_map(|line| line.split_whitespace().find(|word| word.contains("://")))
        .ok_or("no source of Debian packages is configured")?;
    Ok(format!(
        "Types: deb\nURIs: {host}\nSuites: {suites}\nComponents: main\n\
         Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    ))
}

/// Whether packages for this machine come from Debian's archive.
pub fn is_debian_x86_64() -> bool {
    env::consts::ARCH == "x86_64"
        && fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=debian"))
}
