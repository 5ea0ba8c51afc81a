//! The `umwelt` program: parses the command line and hands over to [`umwelt::app`].

use std::process::ExitCode;

fn main() -> ExitCode {
    // SAFETY: this is the program's first statement; no other thread exists that could be reading the environment.
    unsafe { umwelt::inference::library::forbid_telemetry() };
    umwelt::app::run()
}
