//! Finding and loading the ONNX Runtime shared library.
//!
//! In: the places where it may lie; out: the one [`Runtime`] of the process, or why there is none and what to do. Every
//! file is looked at before it is loaded: the loader maps a truncated library without complaint, and touching a page that
//! the file does not have kills the process (SIGBUS), which nothing can catch.
//!
//! Telemetry: the official builds of ONNX Runtime 1.31 write a device id under `~/.cache/Microsoft` and look up a host
//! name as soon as they are loaded, whatever the environment's telemetry flag says later. Only the variable
//! [`TELEMETRY_SWITCH`] stops that. So [`load`] refuses to load anything while the variable is not set, and
//! [`forbid_telemetry`] sets it. That check is the one look at the environment in this room: a lock on the door must not
//! depend on somebody else's having told it the truth.

use std::{
    env, fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use ort::environment::Environment;
use thiserror::Error;

use crate::base::sha256_hex;

/// The environment variable that keeps ONNX Runtime's telemetry off.
pub const TELEMETRY_SWITCH: &str = "ORT_DISABLE_TELEMETRY";

/// The version that the project is built and tested with.
pub const TESTED_VERSION: &str = "1.31.1";

/// Known builds: size in bytes, SHA-256, what it is. Another library works if its version does, and is remarked on.
const KNOWN_BUILDS: [(u64, &str, &str); 4] = [
    (
        29_352_200,
        "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
        "PyPI onnxruntime 1.31.1, Linux x86-64",
    ),
    (
        25_265_040,
        "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",
        "PyPI onnxruntime 1.31.1, Linux aarch64",
    ),
    (
        33_037_336,
        "d586cbe89effc085a09d3341b3cfbd5c322517f9d397aeb20814af21433f2b36",
        "PyPI onnxruntime 1.31.1, macOS arm64",
    ),
    (
        19_288_376,
        "e45f61e50d8650885452be538a00bb14a715e46a1bc3691000ce947e89ed0306",
        "PyPI onnxruntime 1.31.1, Windows x86-64",
    ),
];

/// No build of the library is smaller, in bytes: a smaller file is a stub, a text or the rest of a download.
const LEAST_SIZE: u64 = 1 << 20;

/// What to do when there is no usable library.
const REMEDY: &str = "run `cargo xtask play` once, or set ORT_DYLIB_PATH to an onnxruntime 1.31 shared library";

/// Where the library is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LibraryPlaces {
    /// A file that the user named; nothing else is tried if it is given.
    pub named: Option<PathBuf>,
    /// Folders, in order; each is searched three levels deep.
    pub folders: Vec<PathBuf>,
}

impl LibraryPlaces {
    /// The usual places: `named` (from `ORT_DYLIB_PATH`), what set-up brought under the build folder, beside `program`,
    /// then the system's folders.
    pub fn usual(named: Option<PathBuf>, program: Option<&Path>) -> Self {
        let mut folders = vec![PathBuf::from("target/runtime/onnxruntime")];
        // The program lies in `target/release`, a test in `target/release/deps`.
        let beside: Vec<&Path> = program.map(|file| file.ancestors().skip(1).take(3).collect()).unwrap_or_default();
        folders.extend(beside.iter().map(|folder| folder.join("runtime/onnxruntime")));
        folders.extend(beside.first().map(|folder| folder.join("onnxruntime")));
        folders.extend(["/usr/local/lib/onnxruntime", "/usr/lib/onnxruntime"].map(PathBuf::from));
        Self { named, folders }
    }

    /// The first library in these places.
    ///
    /// # Errors
    /// - the named file, or any file, is not there
    pub fn find(&self) -> Result<PathBuf, LibraryError> {
        if let Some(named) = &self.named {
            let absolute = std::path::absolute(named).unwrap_or_else(|_| named.clone());
            return if absolute.is_file() { Ok(absolute) } else { Err(LibraryError::Missing(absolute)) };
        }
        let beside_system = ["/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
        let searched = self.folders.iter().filter_map(|folder| search(folder, 3));
        let system = beside_system.iter().filter_map(|folder| search(Path::new(folder), 0));
        let found = searched.chain(system).next().ok_or(LibraryError::Nowhere)?;
        Ok(std::path::absolute(&found).unwrap_or(found))
    }
}

/// ONNX Runtime as loaded: one per process, for the rest of its life.
#[derive(Debug)]
pub struct Runtime {
    pub(super) environment: Environment,
    /// The file that was loaded.
    pub path: PathBuf,
    /// Its version, as far as the library tells (`"1.31.1"`).
    pub version: String,
    /// What is odd about it but not wrong.
    pub remarks: Vec<String>,
}

/// Why there is no ONNX Runtime.
#[derive(Debug, Error)]
pub enum LibraryError {
    #[error("ONNX Runtime was not found; {REMEDY}")]
    Nowhere,
    #[error("ONNX Runtime is not at {0}; {REMEDY}")]
    Missing(PathBuf),
    #[error("{path} cannot be read ({error}); {REMEDY}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path} is not a usable library: {what}; {REMEDY}")]
    Damaged { path: PathBuf, what: String },
    #[error("{path} was refused: {error}; {REMEDY}")]
    Refused { path: PathBuf, error: String },
    #[error(
        "ONNX Runtime is not loaded while its telemetry is on; set {TELEMETRY_SWITCH}=1 (the `umwelt` program does so itself)"
    )]
    TelemetryOn,
}

/// Sets [`TELEMETRY_SWITCH`] for this process.
///
/// # Safety
/// The environment is one global table that C code (drivers, the loader, locale) reads without a lock. Call this first in
/// `main`, before any thread is started, as only then can nobody be reading while it is written.
pub unsafe fn forbid_telemetry() {
    // SAFETY: the caller promises that no other thread runs.
    unsafe { env::set_var(TELEMETRY_SWITCH, "1") };
}

/// Loads the library from the first of `places` and makes the process's environment. Later calls return the same runtime,
/// whatever their places; a failed call may be repeated.
///
/// # Errors
/// - telemetry is on (see the module's header)
/// - there is no library; it is truncated or something else; it is too old or does not load
pub fn load(places: &LibraryPlaces) -> Result<&'static Runtime, LibraryError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    static LOADING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = load_from(&places.find()?)?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

fn load_from(path: &Path) -> Result<Runtime, LibraryError> {
    if env::var_os(TELEMETRY_SWITCH).is_none_or(|value| value != "1") {
        return Err(LibraryError::TelemetryOn);
    }
    let remarks = inspect(path)?;
    let refused = |error: String| LibraryError::Refused { path: path.to_owned(), error };
    let environment = ort::init_from(path)
        .map_err(|error| refused(error.to_string()))?
        .with_name("umwelt")
        .with_telemetry(false)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    Ok(Runtime { environment, path: path.to_owned(), version: version(ort::info(), path), remarks })
}

/// Looks at a library file before it is loaded.
///
/// # Errors
/// - it cannot be read; it is too small, cut off, or not a shared library of this platform
pub fn inspect(path: &Path) -> Result<Vec<String>, LibraryError> {
    let unreadable = |error| LibraryError::Unreadable { path: path.to_owned(), error };
    let damaged = |what: String| LibraryError::Damaged { path: path.to_owned(), what };
    let size = inspect_extent(path)?;
    let Some((_, hash, name)) = KNOWN_BUILDS.iter().find(|(known, ..)| *known == size) else {
        return Ok(vec![format!("{} is a build that this version was not tested with", path.display())]);
    };
    let found = sha256_hex(&fs::read(path).map_err(unreadable)?);
    if found != *hash {
        return Err(damaged(format!("it has the size of {name} but not its contents (sha-256 {found})")));
    }
    Ok(Vec::new())
}

/// Looks at a provider's plugin library before it is loaded.
///
/// # Errors
/// - it cannot be read; it is cut off, or not a shared library of this platform
pub fn inspect_plugin(path: &Path) -> Result<(), LibraryError> {
    inspect_extent(path).map(|_size| ())
}

/// The size of a library file in bytes, if the file is whole.
fn inspect_extent(path: &Path) -> Result<u64, LibraryError> {
    let unreadable = |error| LibraryError::Unreadable { path: path.to_owned(), error };
    let damaged = |what: String| LibraryError::Damaged { path: path.to_owned(), what };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size < LEAST_SIZE {
        return Err(damaged(format!("it has only {size} bytes")));
    }
    if cfg!(target_os = "linux") {
        let needed = elf_extent(&mut file).map_err(unreadable)?.map_err(damaged)?;
        if size < needed {
            return Err(damaged(format!("it is cut off, {size} of {needed} bytes are there")));
        }
    }
    Ok(size)
}

/// How many bytes a 64-bit little-endian ELF file must have: the end of its segments and of its section table. The inner
/// error says why it is no such file.
///
/// Source: System V ABI, ELF-64 header and program header, <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>.
fn elf_extent(file: &mut (impl Read + Seek)) -> io::Result<Result<u64, String>> {
    let mut header = [0_u8; 64];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header)?;
    if header[..6] != [0x7f, b'E', b'L', b'F', 2, 1] {
        return Ok(Err("it is not a 64-bit shared library of Linux".to_owned()));
    }
    let u16_at = |bytes: &[u8], at: usize| u64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let u64_at = |bytes: &[u8], at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(word)
    };
    let (programs_at, sections_at) = (u64_at(&header, 32), u64_at(&header, 40));
    let (program_size, programs) = (u16_at(&header, 54), u16_at(&header, 56));
    let (section_size, sections) = (u16_at(&header, 58), u16_at(&header, 60));
    let mut extent = sections_at.saturating_add(section_size * sections);
    let mut table = vec![0; (program_size * programs) as usize];
    file.seek(SeekFrom::Start(programs_at))?;
    if let Err(error) = file.read_exact(&mut table) {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(Err("it ends before its program headers".to_owned())),
            _ => Err(error),
        };
    }
    for program in table.chunks_exact(program_size.max(56) as usize) {
        // p_offset at byte 8, p_filesz at byte 32.
        extent = extent.max(u64_at(program, 8).saturating_add(u64_at(program, 32)));
    }
    Ok(Ok(extent))
}

/// The best library file in `folder`, `depth` levels of folders down: the one whose name is last in the alphabet, so that
/// `libonnxruntime.so.1.31.1` wins over a `libonnxruntime.so` that may be a link to something else.
fn search(folder: &Path, depth: usize) -> Option<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let is_library = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if cfg!(windows) {
            name.eq_ignore_ascii_case("onnxruntime.dll")
        } else if cfg!(target_os = "macos") {
            name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
        } else {
            name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so.")
        }
    };
    let here = entries.iter().rev().find(|path| is_library(path) && path.is_file()).cloned();
    here.or_else(|| {
        let folders = entries.iter().filter(|path| depth > 0 && path.is_dir());
        folders.filter_map(|inner| search(inner, depth - 1)).next()
    })
}

/// The version in the build information (`git-branch=rel-1.31.1`), else in the file's name, else `"unknown"`.
fn version(build_info: &str, path: &Path) -> String {
    let leading_version = |text: &str| -> Option<String> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let version = text[..end].trim_matches('.');
        (version.matches('.').count() == 2).then(|| version.to_owned())
    };
    let branch = build_info.split("git-branch=rel-").nth(1).and_then(leading_version);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    branch.or_else(|| name.split(".so.").nth(1).and_then(leading_version)).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// An ELF header with one program header whose segment ends at byte 4096, and no sections.
    fn small_elf() -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64 + 8..64 + 10].copy_from_slice(&1096_u16.to_le_bytes());
        bytes[64 + 32..64 + 34].copy_from_slice(&3000_u16.to_le_bytes());
        bytes
    }

    #[test]
    fn the_extent_of_an_elf_file_covers_its_segments() {
        assert_eq!(elf_extent(&mut Cursor::new(small_elf())).expect("readable"), Ok(4096));
        let cut = &small_elf()[..100];
        assert!(elf_extent(&mut Cursor::new(cut)).expect("readable").is_err());
        assert!(elf_extent(&mut Cursor::new([b'#'; 200])).expect("readable").is_err());
    }

    #[test]
    fn versions_are_read_from_build_information_or_file_name() {
        let path = Path::new("lib/libonnxruntime.so.1.30.2");
        assert_eq!(version("ORT Build Info: git-branch=rel-1.31.1, git-commit-id=1", path), "1.31.1");
        assert_eq!(version("ORT Build Info: git-branch=HEAD", path), "1.30.2");
        assert_eq!(version("", Path::new("onnxruntime.dll")), "unknown");
    }

    #[test]
    fn a_named_library_that_is_missing_is_not_replaced_by_another() {
        let places = LibraryPlaces::usual(Some("/nowhere/libonnxruntime.so".into()), None);
        assert!(matches!(places.find(), Err(LibraryError::Missing(_))));
    }

    #[test]
    fn libraries_are_found_some_folders_down() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("1.31.1/capi");
        fs::create_dir_all(&inner).expect("a folder");
        let name = if cfg!(windows) {
            "onnxruntime.dll"
        } else if cfg!(target_os = "macos") {
            "libonnxruntime.1.dylib"
        } else {
            "libonnxruntime.so.1.31.1"
        };
        fs::write(inner.join(name), b"stub").expect("a file");
        let places = LibraryPlaces { named: None, folders: vec![folder.path().to_owned()] };
        let found = places.find().expect("found");
        assert!(found.ends_with(format!("1.31.1/capi/{name}")));
        assert!(matches!(inspect(&found), Err(LibraryError::Damaged { .. })), "a stub is not loaded");
    }
}
