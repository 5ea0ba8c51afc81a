//! `umwelt doctor`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: DoctorArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt doctor` is not there yet")
}
