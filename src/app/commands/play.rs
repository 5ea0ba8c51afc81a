//! `umwelt play`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt play`.
#[derive(Debug, Args)]
pub struct PlayArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: PlayArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt play` is not there yet")
}
