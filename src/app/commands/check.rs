//! `umwelt check`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt check`.
#[derive(Debug, Args)]
pub struct CheckArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: CheckArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt check` is not there yet")
}
