//! The `umwelt` program: parses the command line and hands over to [`umwelt::app`].

use std::process::ExitCode;

fn main() -> ExitCode {
    umwelt::app::run()
}
