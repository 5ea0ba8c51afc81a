//! `umwelt bench`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: BenchArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt bench` is not there yet")
}
