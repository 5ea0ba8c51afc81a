//! `umwelt record`: labelled frames to disk.

use std::{
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    app::{
        Exit, WrongCall,
        recording::{Order, Shard, record},
    },
    base::Seed,
    dataset::{OnExisting, Split},
};

/// Arguments of `umwelt record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// A scene file, or the name of a shipped scene; without it every few frames have a random scene of their own.
    #[arg(long)]
    scene: Option<String>,
    /// How many frames the whole dataset has.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    frames: u32,
    /// Width and height of a picture in pixels.
    #[arg(long, default_value = "320x320")]
    size: Size,
    /// The folder to write; it is never overwritten unasked.
    #[arg(long)]
    out: PathBuf,
    /// Equal seeds give equal bytes.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The I-th of N parts (1/4 … 4/4): shards are independent and together equal the whole.
    #[arg(long, default_value = "1/1", value_name = "I/N")]
    shard: Shard,
    /// Whether variants and rooms are those for training or those that no training sees.
    #[arg(long, value_enum, default_value_t = SplitArg::Train)]
    split: SplitArg,
    /// Show the scene as it is written: without this every few frames have it in another light, with other colours and other
    /// specimens of the small things, some of them elsewhere or not there.
    #[arg(long, requires = "scene")]
    as_it_is: bool,
    /// Frames that share one random scene, or one state of the scene.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    views_per_scene: u32,
    /// Add the frames that an earlier run left out.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replace the dataset in the folder.
    #[arg(long)]
    force: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SplitArg {
    Train,
    Heldout,
}

/// `320x240`.
#[derive(Clone, Copy, Debug)]
struct Size {
    width: u32,
    height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |side: &str| side.parse().ok().filter(|side| (16..=4096).contains(side));
        text.split_once('x')
            .and_then(|(width, height)| Some(Size { width: parse(width)?, height: parse(height)? }))
            .ok_or_else(|| "write width and height as 320x240, each 16 to 4096".to_owned())
    }
}

/// Runs the command.
///
/// # Errors
/// - the folder is used otherwise, the disk is full or read-only, the scene has problems
/// - [`crate::app::Lacking`]: nothing can render here
pub fn run(args: RecordArgs) -> anyhow::Result<Exit> {
    let order = Order {
        varied: args.scene.is_some() && !args.as_it_is,
        scene: args.scene,
        frames: args.frames,
        width: args.size.width,
        height: args.size.height,
        out: args.out,
        seed: Seed(args.seed),
        shard: args.shard,
        split: match args.split {
            SplitArg::Train => Split::Train,
            SplitArg::Heldout => Split::Heldout,
        },
        views_per_scene: args.views_per_scene,
        on_existing: match (args.resume, args.force) {
            (true, _) => OnExisting::Resume,
            (_, true) => OnExisting::Overwrite,
            _ => OnExisting::Refuse,
        },
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed)).context("listening for signals")?;

    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} frames, {per_sec}, {eta} left")
        .map_err(|error| WrongCall(error.to_string()))?;
    let bar = ProgressBar::new(u64::from(args.frames)).with_style(style);
    let report = record(&order, &stop, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} frames, {:.1} seconds, {:.2} frames per second, {}",
            report.frames,
            report.seconds,
            report.frames_per_second,
            report.out.display()
        );
    }
    if report.stopped {
        eprintln!("umwelt: stopped; the same command with --resume continues");
        return Ok(Exit::Bad);
    }
    Ok(Exit::Done)
}
