//! `umwelt train`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt train`.
#[derive(Debug, Args)]
pub struct TrainArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: TrainArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt train` is not there yet")
}
