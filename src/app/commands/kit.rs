//! `umwelt kit`.

use clap::Args;

use crate::app::Exit;

/// Arguments of `umwelt kit`.
#[derive(Debug, Args)]
pub struct KitArgs {}

/// Runs the command.
///
/// # Errors
/// - always, until the command is there
pub fn run(_args: KitArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("`umwelt kit` is not there yet")
}
