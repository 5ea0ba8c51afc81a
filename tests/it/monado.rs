//! A real OpenXR runtime of a test's own: Monado, with a headset and controllers that the test moves.
//!
//! `cargo xtask test` brings it (`xtask/src/monado.rs`); `UMWELT_MONADO` names its folder.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use bevy::prelude::*;
use umwelt::platform::tracking::{Pose, Side};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Where the remote driver listens; this version of Monado knows no other place.
const PORT: u16 = 4242;
/// Name of the variable that makes it a failure if Monado does not start (`cargo xtask test --vr`).
const MUST: &str = "UMWELT_MONADO_MUST_START";
/// Name of the variable that says where it was brought to.
const TREE: &str = "UMWELT_MONADO";
/// Name of the variable by which the process inside is told about its server.
const SERVER: &str = "UMWELT_TEST_MONADO_PID";

/// The server; it ends with this value.
pub struct Monado {
    tree: PathBuf,
    folder: tempfile::TempDir,
    process: Child,
}

/// Where the server shows its pictures.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    Nowhere,
    /// In a window of its own on this X display.
    On(&'a str),
}

/// Starts the server and waits until it answers.
///
/// # Errors
/// - what it said instead
fn start(tree: &Path, folder: &Path, shown: Shown) -> Result<Child, String> {
    let log = folder.join("log");
    // What a killed server has left behind; none may be there.
    let _ = fs::remove_file(folder.join("monado_comp_ipc"));
    let output = fs::File::create(&log).expect("a log");
    let mut server = command(tree, folder, &tree.join("root/usr/bin/monado-service"));
    match shown {
        Shown::Nowhere => server.env("XRT_COMPOSITOR_NULL", "1"),
        Shown::On(display) => server.env("XRT_COMPOSITOR_FORCE_XCB", "1").env("DISPLAY", display),
    };
    let mut process = server
        .envs([("XRT_NO_STDIN", "1"), ("P_OVERRIDE_ACTIVE_CONFIG", "remote")])
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a log"))
        .stderr(output)
        .spawn()
        .expect("monado-service");
    let begun = Instant::now();
    let said = || fs::read_to_string(&log).unwrap_or_default();
    while !said().contains("The Monado service has started") {
        let ended = process.try_wait().is_ok_and(|ended| ended.is_some());
        if ended || begun.elapsed() > PATIENCE {
            let _ = process.kill();
            let _ = process.wait();
            return Err(said());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(process)
}

impl Monado {
    /// `None`, and a line that says so, where it was not brought; and, unless [`MUST`] is set, where it does not start.
    pub fn new() -> Option<Self> {
        Self::shown(Shown::Nowhere)
    }

    /// The same, with its pictures somewhere.
    pub fn shown(shown: Shown) -> Option<Self> {
        let Some(tree) = std::env::var_os(TREE).map(PathBuf::from) else {
            eprintln!("SKIPPED: no OpenXR runtime; `cargo xtask test --vr` brings one");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        match start(&tree, folder.path(), shown) {
            Ok(process) => Some(Self { tree, folder, process }),
            Err(said) => {
                assert!(std::env::var_os(MUST).is_none(), "Monado did not start:\n{said}");
                eprintln!("SKIPPED: Monado does not start on this machine:\n{said}");
                None
            }
        }
    }

    /// Ends the server; its tree stays, as that of a runtime that is installed and does not run.
    pub fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// A program inside the server's tree, for a longer time.
    pub fn command(&self, program: &Path) -> Command {
        command(&self.tree, self.folder.path(), program)
    }

    /// Runs a program inside the server's tree.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        command(&self.tree, self.folder.path(), program)
            .args(arguments)
            .env(SERVER, self.process.id().to_string())
            .output()
            .expect("the program")
    }

    /// Runs an ignored test of this binary inside the server's tree; it must succeed.
    pub fn run_inside(&self, test: &str) {
        let ourselves = std::env::current_exe().expect("a program");
        let output = self.run(&ourselves, &["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{test} ({}):\n{said}", output.status);
        println!("{said}");
    }
}

impl Drop for Monado {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A program run with the tree's libraries and runtime.
fn command(tree: &Path, folder: &Path, program: &Path) -> Command {
    let libraries = tree.join("root/usr/lib/x86_64-linux-gnu");
    let folders =
        ["x86_64-linux-gnu", "", "x86_64-linux-gnu/pulseaudio", "x86_64-linux-gnu/blas", "x86_64-linux-gnu/lapack"];
    let path = folders.map(|folder| tree.join("root/usr/lib").join(folder).display().to_string());
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command
        .arg("--library-path")
        .arg(path.join(":"))
        .arg(program)
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("VK_ICD_FILENAMES")
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("HOME", folder)
        .env("VK_DRIVER_FILES", tree.join("lvp_icd.json"))
        .env("VK_LOADER_LAYERS_DISABLE", "*")
        .env("XR_RUNTIME_JSON", tree.join("openxr_monado.json"));
    command
}

/// Kills the server from inside.
pub fn kill_server() {
    let server = std::env::var(SERVER).expect("run inside");
    assert!(Command::new("kill").args(["-KILL", &server]).status().is_ok_and(|status| status.success()));
}

/// Starts a server from inside, as somebody would who switches the headset on.
pub struct LateServer(Child);

impl LateServer {
    pub fn start() -> Self {
        let of = |name: &str| PathBuf::from(std::env::var_os(name).expect("run inside"));
        Self(start(&of(TREE), &of("XDG_RUNTIME_DIR"), Shown::Nowhere).expect("it started before"))
    }
}

impl Drop for LateServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Recentres the runtime's local spaces from inside, as a button on a headset would.
pub fn recentre() {
    let of = |name: &str| PathBuf::from(std::env::var_os(name).expect("run inside"));
    let tree = of(TREE);
    let output = command(&tree, &of("XDG_RUNTIME_DIR"), &tree.join("root/usr/bin/monado-ctl")).arg("-c").output();
    let output = output.expect("monado-ctl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Moves the headset and the controllers: Monado's remote driver (`r_interface.h`), its messages of 376 bytes.
pub struct Puppet {
    stream: Option<TcpStream>,
    state: [u8; Self::BYTES],
}

impl Puppet {
    const BYTES: usize = 376;
    const HEAD: usize = 104;
    const HANDS: [usize; 2] = [136, 256];
    // Within a hand: the pose, then these.
    const TRIGGER: usize = 72;
    const SQUEEZE: usize = 76;
    const STICK: usize = 84;
    const ACTIVE: usize = 104;
    const B: usize = 110;

    /// Connects, from inside.
    pub fn connect() -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", PORT)).expect("Monado's remote driver");
        // How it is reset, and how it is now.
        let mut states = [0; 2 * Self::BYTES];
        stream.read_exact(&mut states).expect("two states");
        let mut state = [0; Self::BYTES];
        state.copy_from_slice(&states[Self::BYTES..]);
        Self { stream: Some(stream), state }
    }

    /// Of a server that does not run yet.
    pub fn absent() -> Self {
        Self { stream: None, state: [0; Self::BYTES] }
    }

    fn put(&mut self, at: usize, numbers: &[f32]) {
        for (number, place) in numbers.iter().zip(self.state[at..].chunks_exact_mut(4)) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    fn put_pose(&mut self, at: usize, pose: Pose) {
        let Pose { position: p, rotation: q } = pose;
        self.put(at, &[q.x, q.y, q.z, q.w, p.x, p.y, p.z]);
    }

    pub fn head(&mut self, pose: Pose) -> &mut Self {
        self.put_pose(Self::HEAD, pose);
        self
    }

    pub fn hand(&mut self, side: Side, pose: Pose) -> &mut Self {
        let at = Self::HANDS[side as usize];
        self.put_pose(at, pose);
        self.state[at + Self::ACTIVE] = 1;
        self.state[at + Self::ACTIVE + 1] = 1;
        self
    }

    pub fn squeeze(&mut self, side: Side, value: f32) -> &mut Self {
        self.put(Self::HANDS[side as usize] + Self::SQUEEZE, &[value]);
        self
    }

    pub fn trigger(&mut self, side: Side, value: f32) -> &mut Self {
        self.put(Self::HANDS[side as usize] + Self::TRIGGER, &[value]);
        self
    }

    pub fn b(&mut self, side: Side, down: bool) -> &mut Self {
        self.state[Self::HANDS[side as usize] + Self::B] = u8::from(down);
        self
    }

    pub fn stick(&mut self, side: Side, value: Vec2) -> &mut Self {
        self.put(Self::HANDS[side as usize] + Self::STICK, &[value.x, value.y]);
        self
    }

    /// All of it takes effect.
    pub fn send(&mut self) {
        let state = self.state;
        self.stream.as_mut().expect("a server").write_all(&state).expect("Monado listens");
    }
}
