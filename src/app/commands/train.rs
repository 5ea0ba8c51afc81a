//! `umwelt train`.

use clap::{Args, Subcommand};

use crate::app::Exit;

/// Arguments of `umwelt train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fit the detector: which things are where in a picture.
    Detector(super::train_detector::DetectorArgs),
    /// Fit the speech model: which sounds of English are in a voice.
    Speech(super::train_speech::SpeechArgs),
    /// Fit the generator of textures: what the surfaces of materials look like.
    Texture(super::train_texture::TextureArgs),
}

/// Runs the command.
///
/// # Errors
/// - this program was built without training, or without the backend that was asked for
/// - the data cannot be read, or the model folder or a checkpoint cannot be written
#[cfg(not(feature = "train"))]
pub fn run(_args: TrainArgs) -> anyhow::Result<Exit> {
    let remedy = "this program was built without training; run `cargo run --release --features train -- train …`";
    Err(crate::app::Lacking(remedy.into()).into())
}

/// Runs the command.
///
/// # Errors
/// - this program was built without the backend that was asked for
/// - the data cannot be read, or the model folder or a checkpoint cannot be written
#[cfg(feature = "train")]
pub fn run(args: TrainArgs) -> anyhow::Result<Exit> {
    match args.what {
        What::Detector(args) => super::train_detector::run(&args),
        What::Speech(args) => super::train_speech::run(&args),
        What::Texture(args) => super::train_texture::run(&args),
    }
}
