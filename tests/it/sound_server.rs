//! A PulseAudio server of a test's own, with a virtual microphone: what is played is what the microphone hears.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything may take on a machine that is busy with other things; what comes is waited for, not slept for.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The server; it ends with this value.
pub struct SoundServer {
    folder: tempfile::TempDir,
    processes: Vec<Child>,
}

impl SoundServer {
    /// `None`, and a line that says so, where PulseAudio is not installed.
    pub fn new() -> Option<Self> {
        for tool in ["pulseaudio", "pactl", "paplay", "pacat"] {
            if Command::new(tool).arg("--version").output().is_err() {
                eprintln!("SKIPPED: {tool} is not installed");
                return None;
            }
        }
        let mut server = Self { folder: tempfile::tempdir().expect("a folder"), processes: Vec::new() };
        server.start();
        Some(server)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("pulse.sock")
    }

    /// What programs are to have in their environment to reach the server and nothing else.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        let folder = self.folder.path().display().to_string();
        [
            ("PULSE_SERVER", format!("unix:{}", self.socket().display())),
            ("XDG_RUNTIME_DIR", folder.clone()),
            ("PULSE_RUNTIME_PATH", folder.clone()),
            ("HOME", folder),
        ]
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the server with its virtual microphone.
    pub fn start(&mut self) {
        let socket = self.socket();
        // A killed server leaves it there.
        let _ = fs::remove_file(&socket);
        let mut command = self.command("pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L"]);
        command.arg(format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display()));
        self.processes.push(command.spawn().expect("pulseaudio"));
        let begun = Instant::now();
        while !self.pactl(&["info"]) {
            assert!(begun.elapsed() < PATIENCE, "the sound server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.plug_in();
    }

    /// The virtual microphone appears.
    pub fn plug_in(&mut self) {
        let sink =
            ["load-module", "module-null-sink", "sink_name=vmic", "rate=48000", "channels=1", "channel_map=mono"];
        assert!(self.pactl(&sink));
        assert!(self.pactl(&["set-default-sink", "vmic"]) && self.pactl(&["set-default-source", "vmic.monitor"]));
        // Without a stream the sink works in blocks of two seconds.
        let mut quiet = self.command("pacat");
        quiet.args(["--latency-msec=20", "/dev/zero"]);
        self.processes.push(quiet.spawn().expect("pacat"));
    }

    /// The virtual microphone goes away.
    pub fn unplug(&self) {
        assert!(self.pactl(&["unload-module", "module-null-sink"]));
    }

    fn pactl(&self, arguments: &[&str]) -> bool {
        self.command("pactl").args(arguments).status().is_ok_and(|status| status.success())
    }

    /// Begins to speak a sound file into the microphone.
    pub fn speak(&mut self, file: &Path) {
        let mut player = self.command("paplay");
        player.args(["--latency-msec=20"]).arg(file);
        self.processes.push(player.spawn().expect("paplay"));
    }

    /// The server and all that talks to it through us dies at once.
    pub fn kill(&mut self) {
        for mut process in self.processes.drain(..) {
            // Players may be over already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The server lives and does not answer any more.
    pub fn hang(&self) {
        let server = self.processes.first().expect("a server").id().to_string();
        assert!(Command::new("kill").args(["-STOP", &server]).status().is_ok_and(|status| status.success()));
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        self.kill();
    }
}
