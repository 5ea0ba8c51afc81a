//! `umwelt see`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt see`.
#[derive(Debug, Args)]
pub struct SeeArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: SeeArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt see` is not there yet")
}
