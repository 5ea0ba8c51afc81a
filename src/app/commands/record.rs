//! `umwelt record`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt record`.
#[derive(Debug, Args)]
pub struct RecordArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: RecordArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt record` is not there yet")
}
