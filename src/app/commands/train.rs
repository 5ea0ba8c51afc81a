//! `umwelt train`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    Detector(DetectorArgs),
}

/// Arguments of `umwelt train detector`.
#[derive(Debug, Args)]
pub struct DetectorArgs {
    /// Recorded folders to learn from (`umwelt record --split train`).
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    pub data: Vec<PathBuf>,
    /// Recorded folders to validate on; without it the last twentieth of the data is held back.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub validation: Vec<PathBuf>,
    /// How large a network, how large its batches, how long.
    #[arg(long, value_enum, default_value_t = Preset::Cpu)]
    pub preset: Preset,
    /// Tensor library; the quickest that this program was built with, if it is left out.
    #[arg(long, value_enum)]
    pub backend: Option<BackendName>,
    /// Train for so many minutes (pauses between stop and resumption not counted) …
    #[arg(long, conflicts_with = "steps")]
    pub minutes: Option<f64>,
    /// … or for so many steps, which gives the same weights on every run of one machine.
    #[arg(long)]
    pub steps: Option<usize>,
    /// Seed of everything drawn at random.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// CPU threads of the tensor library.
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// The model folder to write.
    #[arg(long, default_value = "models/detector", value_name = "DIR")]
    pub out: PathBuf,
    /// Where checkpoints are kept; an unfinished run found there goes on.
    #[arg(long, default_value = "target/training/detector", value_name = "DIR")]
    pub run: PathBuf,
    /// Begin anew even if there is an unfinished run.
    #[arg(long)]
    pub fresh: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Two CPU cores, about an hour.
    Cpu,
    /// A larger network for a machine with a GPU.
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendName {
    /// Pure Rust on the CPU.
    Flex,
    /// libtorch on the CPU (feature `train-tch`).
    Tch,
    /// Any GPU (feature `train-wgpu`).
    Wgpu,
    /// An NVIDIA GPU (feature `train-cuda`).
    Cuda,
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
        What::Detector(args) => detector::run(args),
    }
}

#[cfg(feature = "train")]
mod detector {
    use std::{
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use burn::{
        backend::{Autodiff, Flex},
        module::Module,
        tensor::backend::AutodiffBackend,
    };
    use indicatif::{ProgressBar, ProgressStyle};
    use serde_json::json;

    use super::{BackendName, DetectorArgs, Preset};
    use crate::{
        app::{Exit, Lacking},
        base::{KIT_CLASSES, Seed},
        training::{
            backend::TrainingBackend,
            checkpoint,
            detector_model::{DetectorFacts, write_detector},
            detector_training::{CurvePoint, DetectorSettings, Report, train_detector},
            frames::FrameSet,
            learning_curve::draw_learning_curve,
            recorded_frames::append_recorded,
        },
    };

    /// The confidence from which detections are shown; near the best F1 on validation frames.
    const CONFIDENCE: f32 = 0.4;

    pub fn run(args: DetectorArgs) -> anyhow::Result<Exit> {
        let built_with_torch = cfg!(feature = "train-tch");
        let default = if built_with_torch { BackendName::Tch } else { BackendName::Flex };
        match args.backend.unwrap_or(default) {
            BackendName::Flex => train::<Autodiff<Flex>>(&args, &Default::default()),
            #[cfg(feature = "train-tch")]
            BackendName::Tch => {
                tch::set_num_threads(args.threads as i32);
                train::<Autodiff<burn::backend::LibTorch>>(&args, &Default::default())
            }
            #[cfg(feature = "train-wgpu")]
            BackendName::Wgpu => train::<Autodiff<burn::backend::Wgpu>>(&args, &Default::default()),
            #[cfg(feature = "train-cuda")]
            BackendName::Cuda => train::<Autodiff<burn::backend::Cuda>>(&args, &Default::default()),
            #[allow(unreachable_patterns)]
            other => Err(Lacking(format!(
                "this program was built without the backend {other:?}; build with `--features train-{}`",
                format!("{other:?}").to_lowercase()
            ))
            .into()),
        }
    }

    fn train<B>(args: &DetectorArgs, device: &B::Device) -> anyhow::Result<Exit>
    where
        B: AutodiffBackend + TrainingBackend,
        B::InnerBackend: TrainingBackend,
    {
        if args.fresh {
            checkpoint::remove(&args.run)?;
        }
        let mut frames = load(&args.data)?;
        let validation =
            if args.validation.is_empty() { frames.split_off(frames.len() / 20) } else { load(&args.validation)? };
        anyhow::ensure!(!frames.is_empty() && !validation.is_empty(), "the recorded folders hold too few frames");
        let mut settings = match args.preset {
            Preset::Cpu => DetectorSettings::cpu(KIT_CLASSES.len()),
            Preset::Gpu => DetectorSettings::gpu(KIT_CLASSES.len()),
        };
        settings.seed = Seed(args.seed);
        settings.set_budget(args.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes)), args.steps);

        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // Already taken where a test runs two commands in one process: then the process just ends on a signal.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        let (frame_count, validation_count) = (frames.len(), validation.len());
        let bar = ProgressBar::new(1000);
        bar.set_style(ProgressStyle::with_template("{bar:30} {percent} % {elapsed} {msg}")?);
        let (net, curve) =
            train_detector::<B>(&settings, Arc::new(frames), &validation, &args.run, device, &stop, &mut |report| {
                match report {
                    Report::Step { step, spent, loss, rate } => {
                        bar.set_position((spent * 1000.0) as u64);
                        bar.set_message(format!("step {step} loss {loss:.3} rate {rate:.5}"));
                    }
                    Report::Validated(point) => eprintln!(
                        "step {:6}  {:5.1} min  loss {:.3}  mAP50 {:.4}  mAP50-95 {:.4}",
                        point.step,
                        point.seconds / 60.0,
                        point.loss,
                        point.map50,
                        point.map50_95
                    ),
                }
            })?;
        bar.finish_and_clear();
        if stop.load(Ordering::Relaxed) {
            eprintln!("stopped; the same command goes on from {}", args.run.display());
        }
        let best = curve.iter().copied().max_by(|a, b| a.map50_95.total_cmp(&b.map50_95));
        let parameters = net.num_params();
        let card = card(args, frame_count, validation_count, parameters, best.as_ref());
        let labels = KIT_CLASSES.map(str::to_owned).to_vec();
        write_detector(&args.out, &net, &DetectorFacts { labels, confidence: CONFIDENCE, seed: settings.seed, card })?;
        draw_learning_curve(&curve, &args.out.join("learning-curve.svg"))?;
        let (map50, map50_95) = best.map_or((0.0, 0.0), |point| (point.map50, point.map50_95));
        if args.json {
            let result = json!({
                "model": args.out, "steps": curve.last().map_or(0, |point| point.step), "parameters": parameters,
                "validation_map50": map50, "validation_map50_95": map50_95, "curve": curve,
            });
            println!("{result}");
        } else {
            println!("wrote {}: mAP50 {map50:.3}, mAP50-95 {map50_95:.3} on validation frames", args.out.display());
        }
        Ok(Exit::Done)
    }

    fn load(folders: &[std::path::PathBuf]) -> anyhow::Result<FrameSet> {
        let mut frames = FrameSet::default();
        let spinner = ProgressBar::new_spinner();
        for folder in folders {
            append_recorded(&mut frames, folder, KIT_CLASSES.len(), || {
                spinner.inc(1);
                if spinner.position() % 50 == 0 {
                    spinner.set_message(format!("{} frames read", spinner.position()));
                }
            })?;
        }
        spinner.finish_and_clear();
        Ok(frames)
    }

    /// The card of a model that has not been scored on held-out frames yet.
    fn card(
        args: &DetectorArgs,
        frames: usize,
        validation: usize,
        parameters: usize,
        best: Option<&CurvePoint>,
    ) -> String {
        let name = |folder: &Path| folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let data: Vec<String> = args.data.iter().map(|folder| name(folder)).collect();
        let (minutes, steps, map50, map50_95) =
            best.map_or((0.0, 0, 0.0, 0.0), |point| (point.seconds / 60.0, point.step, point.map50, point.map50_95));
        format!(
            "# Detector\n\n\
             Names and boxes of {} kinds of things in one picture of this world.\n\n\
             - Input: `image` [1, 320, 320, 3] u8 RGB. Outputs: `boxes` [1, 2100, 4] (x, y, width, height in pixels), \
             `scores` [1, 2100, {}].\n\
             - Network: {parameters} parameters, anchor-free, three resolutions, ordinary convolutions.\n\
             - Data: {frames} frames rendered by this program ({}), no other pictures.\n\
             - Training: seed {}, best after {steps} steps and {minutes:.0} minutes.\n\
             - Validation ({validation} frames): mAP50 {map50:.3}, mAP50-95 {map50_95:.3}.\n\
             - Licence: MIT OR Apache-2.0.\n\n\
             Score it on frames that it has not seen: `umwelt eval detector --data DIR`.\n",
            KIT_CLASSES.len(),
            KIT_CLASSES.len(),
            data.join(", "),
            args.seed,
        )
    }
}
