//! Running other programs, and saying what failed.

use std::{
    collections::BTreeMap,
    io,
    process::{Command, Output},
};

/// A step's answer; the error is a text for the person at the terminal.
pub type Result<T = ()> = std::result::Result<T, String>;

/// Variables that the program is run with.
pub type Environment = BTreeMap<String, String>;

/// Runs a program with its output on the terminal.
pub fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", name(command))) }
}

/// Runs a program and returns its standard output; what it printed is in the error if it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.output().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr);
    Err(format!("{} failed ({status}):\n{}", name(command), said.trim()))
}

/// Turns an I/O error on `path` into a text with the place.
pub fn at(path: &std::path::Path) -> impl Fn(io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).take(4).collect::<Vec<_>>().join(" ")
}

fn not_started(command: &Command, error: &io::Error) -> String {
    format!("{} could not be started: {error}", command.get_program().to_string_lossy())
}
