//! `umwelt eval`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: EvalArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt eval` is not there yet")
}
