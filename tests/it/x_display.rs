//! A screen of a test's own: Xvfb, with what is seen on it. Where it is not installed, the tests say `SKIPPED` and pass.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use image::RgbImage;

/// The screen; it goes with this value.
pub struct XDisplay {
    server: Child,
    name: String,
}

impl XDisplay {
    /// `None`, and a line that says so, where `Xvfb` or ImageMagick's `import` is not installed.
    pub fn new() -> Option<Self> {
        let is_there = |program: &str| {
            let probe = Command::new(program).arg("-help").stdout(Stdio::null()).stderr(Stdio::null()).status();
            probe.is_ok()
        };
        for program in ["Xvfb", "import"] {
            if !is_there(program) {
                eprintln!("SKIPPED: there is no {program} on this machine");
                return None;
            }
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb");
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("its output")).read_line(&mut number).expect("a number");
        assert!(!number.trim().is_empty(), "Xvfb did not start");
        Some(Self { server, name: format!(":{}", number.trim()) })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is seen on it, from its upper left corner.
    pub fn photograph(&self, (width, height): (u32, u32)) -> RgbImage {
        let area = format!("{width}x{height}+0+0");
        let output = Command::new("import")
            .args(["-window", "root", "-crop", &area, "+repage", "png:-"])
            .env("DISPLAY", &self.name)
            .output()
            .expect("import");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        image::load_from_memory(&output.stdout).expect("a picture").to_rgb8()
    }
}

impl Drop for XDisplay {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
