//! `umwelt train detector`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::training_run::RunArgs;

/// Arguments of `umwelt train detector`.
#[derive(Debug, Args)]
pub struct DetectorArgs {
    /// Recorded folders to learn from (`umwelt record --split train`); without any, frames are rendered first and kept
    /// beside the checkpoints.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub data: Vec<PathBuf>,
    /// How many frames to render where no data is given.
    #[arg(long, default_value_t = 4000, conflicts_with = "data")]
    pub frames: u32,
    /// Recorded folders to validate on; without it the last twentieth of the data is held back.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub validation: Vec<PathBuf>,
    /// Recorded folders to score the finished model on, each by itself and all together (`--split heldout`); the card
    /// tells the figures.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub test: Vec<PathBuf>,
    /// How large a network, how large its batches, how long.
    #[arg(long, value_enum, default_value_t = Preset::Cpu)]
    pub preset: Preset,
    /// Go on from the weights of this model folder (of the same preset) instead of random ones: the way to teach a trained
    /// model more of the same, or your own scenes.
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// Highest learning rate; the preset's, or with --from a tenth of it, if it is left out.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub learning_rate: Option<f64>,
    /// The model folder to write.
    #[arg(long, default_value = "models/detector", value_name = "DIR")]
    pub out: PathBuf,
    /// Where checkpoints are kept; an unfinished run found there goes on.
    #[arg(long, default_value = "target/training/detector", value_name = "DIR")]
    pub run: PathBuf,
    #[command(flatten)]
    pub run_args: RunArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Two CPU cores, about an hour.
    Cpu,
    /// A larger network for a machine with a GPU.
    Gpu,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("\"{text}\" is not a number"))?;
    if rate > 0.0 && rate <= 1.0 { Ok(rate) } else { Err("a learning rate is more than 0 and at most 1".to_owned()) }
}

#[cfg(feature = "train")]
pub use detector::run;

#[cfg(feature = "train")]
mod detector {
    use std::{
        path::{Path, PathBuf},
        sync::{Arc, atomic::AtomicBool},
    };

    use anyhow::Context;
    use burn::{module::Module, tensor::backend::AutodiffBackend};
    use indicatif::{ProgressBar, ProgressStyle};
    use serde_json::json;

    use super::{DetectorArgs, Preset};
    use crate::{
        app::{
            Exit,
            commands::{
                eval::open_detector,
                training_run::{RunBar, Training, on_backend, stop_on_signal},
            },
            recording::{Order, record},
        },
        base::{KIT_CLASSES, Seed},
        dataset::{OnExisting, Reader, Split},
        evaluation::{DetectorFigures, score_detector},
        inference::{
            model_folder::load_model,
            onnx_file::ModelProto,
            provider::{Provider, ProviderChoice},
        },
        training::{
            backend::TrainingBackend,
            checkpoint,
            detector_model::{DetectorFacts, SIDE, write_detector},
            detector_training::{CurvePoint, DetectorSettings, carried_on, new_detector, train_detector},
            frames::FrameSet,
            learning_curve::{LearningCurve, draw_learning_curve},
            recorded_frames::append_recorded,
        },
    };

    /// Frames that share one random scene.
    const VIEWS_PER_SCENE: u32 = 6;

    /// The confidence from which detections are shown; near the best F1 on validation frames.
    const CONFIDENCE: f32 = 0.4;

    /// Runs the command.
    ///
    /// # Errors
    /// - this program was built without the backend that was asked for
    /// - the data cannot be read, or the model folder or a checkpoint cannot be written
    pub fn run(args: &DetectorArgs) -> anyhow::Result<Exit> {
        on_backend(&args.run_args, args)
    }

    impl Training for &DetectorArgs {
        fn train<B>(self, device: &B::Device) -> anyhow::Result<Exit>
        where
            B: AutodiffBackend + TrainingBackend,
            B::InnerBackend: TrainingBackend,
        {
            let args = self;
            let run_args = &args.run_args;
            if run_args.fresh {
                checkpoint::remove(&args.run)?;
            }
            let stop = stop_on_signal();
            let data = if args.data.is_empty() { vec![rendered(args, &stop)?] } else { args.data.clone() };
            let mut frames = load(&data)?;
            let validation =
                if args.validation.is_empty() { frames.split_off(frames.len() / 20) } else { load(&args.validation)? };
            anyhow::ensure!(!frames.is_empty() && !validation.is_empty(), "the recorded folders hold too few frames");
            let mut settings = match args.preset {
                Preset::Cpu => DetectorSettings::cpu(KIT_CLASSES.len()),
                Preset::Gpu => DetectorSettings::gpu(KIT_CLASSES.len()),
            };
            settings.seed = Seed(run_args.seed);
            settings.fit.budget = run_args.budget().unwrap_or(settings.fit.budget);
            settings.batch = run_args.batch.unwrap_or(settings.batch);
            let net = match &args.from {
                Some(folder) => {
                    let carried = carried_on::<B>(&graph_of(folder)?, settings, &frames, device)
                        .with_context(|| format!("going on from {}", folder.display()))?;
                    settings = carried.1;
                    carried.0
                }
                None => new_detector::<B>(&settings, device),
            };
            settings.fit.peak_rate = args.learning_rate.unwrap_or(settings.fit.peak_rate);

            let (frame_count, validation_count) = (frames.len(), validation.len());
            let bar = RunBar::new()?;
            let (net, curve) = train_detector::<B>(
                net,
                &settings,
                Arc::new(frames),
                &validation,
                &args.run,
                device,
                &stop,
                &mut |report| {
                    bar.show(&report, |point| {
                        let CurvePoint { step, seconds, loss, map50, map50_95 } = point;
                        let minutes = seconds / 60.0;
                        format!(
                            "step {step:6}  {minutes:5.1} min  loss {loss:.3}  mAP50 {map50:.4}  mAP50-95 {map50_95:.4}"
                        )
                    });
                },
            )?;
            if bar.finish(&stop, &args.run) {
                return Ok(Exit::Done);
            }
            let best = curve.iter().copied().max_by(|a, b| a.map50_95.total_cmp(&b.map50_95));
            let parameters = net.num_params();
            let made = Made { frames: frame_count, validation: validation_count, parameters, best };
            let mut facts = DetectorFacts {
                labels: KIT_CLASSES.map(str::to_owned).to_vec(),
                confidence: CONFIDENCE,
                seed: settings.seed,
                card: card(args, &made, &[]),
            };
            write_detector(&args.out, &net, &facts)?;
            let scores = score(args)?;
            if !scores.is_empty() {
                facts.card = card(args, &made, &scores);
                write_detector(&args.out, &net, &facts)?;
            }
            let values = |value: fn(&CurvePoint) -> f64| curve.iter().map(value).collect::<Vec<_>>();
            let picture = LearningCurve {
                caption: "Detector: scores on validation frames",
                measure: "mean average precision",
                minutes: values(|point| point.seconds / 60.0),
                scores: vec![("mAP50", values(|point| point.map50)), ("mAP50-95", values(|point| point.map50_95))],
                loss: values(|point| point.loss),
            };
            draw_learning_curve(&picture, &args.out.join("learning-curve.svg"))?;
            let (map50, map50_95) = best.map_or((0.0, 0.0), |point| (point.map50, point.map50_95));
            if run_args.json {
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
    }

    /// The graph of a detector of this kit's classes.
    fn graph_of(folder: &Path) -> anyhow::Result<ModelProto> {
        let model = load_model(folder).map_err(|problems| {
            anyhow::anyhow!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        anyhow::ensure!(
            model.manifest.labels == KIT_CLASSES,
            "{} was trained for other classes than this kit's; train from the beginning, without --from",
            folder.display()
        );
        Ok(ModelProto::from_bytes(&model.bytes)?)
    }

    /// The folder of frames that this command renders for itself; what is there already is not rendered again.
    fn rendered(args: &DetectorArgs, stop: &AtomicBool) -> anyhow::Result<PathBuf> {
        let out = args.run.join("frames");
        let order = Order {
            scene: None,
            varied: false,
            frames: args.frames,
            width: SIDE as u32,
            height: SIDE as u32,
            out: out.clone(),
            seed: Seed(args.run_args.seed).derive("frames to learn from"),
            shard: "1/1".parse().map_err(anyhow::Error::msg)?,
            split: Split::Train,
            views_per_scene: VIEWS_PER_SCENE,
            on_existing: OnExisting::Resume,
        };
        let bar = ProgressBar::new(u64::from(args.frames));
        bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} frames rendered, {eta} left")?);
        let report = record(&order, stop, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
        anyhow::ensure!(!report.stopped, "stopped while rendering; the same command goes on");
        Ok(out)
    }

    fn load(folders: &[PathBuf]) -> anyhow::Result<FrameSet> {
        let mut frames = FrameSet::default();
        let spinner = ProgressBar::new_spinner();
        for folder in folders {
            append_recorded(&mut frames, folder, KIT_CLASSES.len(), || {
                spinner.inc(1);
                if spinner.position().is_multiple_of(50) {
                    spinner.set_message(format!("{} frames read", spinner.position()));
                }
            })?;
        }
        spinner.finish_and_clear();
        Ok(frames)
    }

    /// Scores the written model through ONNX Runtime on each folder of `--test`, then on all together.
    fn score(args: &DetectorArgs) -> anyhow::Result<Vec<(String, DetectorFigures)>> {
        if args.test.is_empty() {
            return Ok(Vec::new());
        }
        let cpu = ProviderChoice::Named(Provider::Cpu);
        let mut detector = open_detector(Some(&args.out), cpu)?;
        let readers = args.test.iter().map(|folder| Reader::open(folder)).collect::<Result<Vec<_>, _>>()?;
        let mut scores = Vec::new();
        for (folder, reader) in args.test.iter().zip(&readers) {
            let name = format!("{} (seed {})", folder_name(folder), reader.recording().seed.0);
            scores.push((name, score_detector(&mut detector, std::slice::from_ref(reader), || {})?));
        }
        scores.push(("all together".into(), score_detector(&mut detector, &readers, || {})?));
        Ok(scores)
    }

    fn folder_name(folder: &Path) -> String {
        folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// What the card tells of the training.
    struct Made {
        frames: usize,
        validation: usize,
        parameters: usize,
        best: Option<CurvePoint>,
    }

    fn card(args: &DetectorArgs, made: &Made, scores: &[(String, DetectorFigures)]) -> String {
        let data = if args.data.is_empty() {
            "its own".to_owned()
        } else {
            args.data.iter().map(|folder| folder_name(folder)).collect::<Vec<_>>().join(", ")
        };
        let classes = KIT_CLASSES.len();
        let mut text = format!(
            "# Detector\n\n\
             Names and boxes of {classes} kinds of things in one picture of this world.\n\n\
             - Input: `image` [1, 320, 320, 3] u8, RGB as it is. Outputs: `boxes` [1, 2100, 4] (x, y, width, height in \
             pixels), `scores` [1, 2100, {classes}] (0 to 1). What is left to do: a threshold and the removal of overlaps.\n\
             - Network: {} parameters, anchor-free, three resolutions, ordinary convolutions and rectifiers.\n\
             - Data: {} frames of 320 × 320 pixels, rendered by this program with exact labels ({}); no other pictures.\n",
            made.parameters, made.frames, data,
        );
        if let Some(best) = &made.best {
            text += &format!(
                "- Training: seed {}, {} CPU thread(s), best after {} steps and {:.0} minutes. Validation on {} frames: mAP50 \
                 {:.3}, mAP50-95 {:.3}. The curve is in `learning-curve.svg`.\n",
                args.run_args.seed,
                args.run_args.threads,
                best.step,
                best.seconds / 60.0,
                made.validation,
                best.map50,
                best.map50_95
            );
        }
        text += "- Licence: MIT.\n\n## Figures\n\n";
        if scores.is_empty() {
            return text + "Not scored on held-out frames yet: `umwelt eval detector --data DIR`.\n";
        }
        text += "Frames of scenes and of family variants that training never saw; things with a visible fraction of at least \
                 0.25 and a box side of at least 12 pixels; average precision by the rules of COCO.\n\n\
                 | frames | number | mAP50 | mAP50-95 | precision | recall | F1 |\n|---|---|---|---|---|---|---|\n";
        for (name, figures) in scores {
            text += &format!(
                "| {name} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
                figures.frames, figures.map50, figures.map50_95, figures.precision, figures.recall, figures.f1
            );
        }
        if let Some((_, all)) = scores.last() {
            text += &format!(
                "\nPrecision, recall and F1 at confidence {:.2} and IoU 0.5. One frame takes {:.1} ms (median of encoding, \
                 running and decoding on one core, ONNX Runtime, {}).\n\n| class | things | AP50 | AP50-95 |\n|---|---|---|---|\n",
                all.confidence, all.ms, all.provider
            );
            for class in &all.per_class {
                text += &format!("| {} | {} | {:.3} | {:.3} |\n", class.label, class.truths, class.ap50, class.ap50_95);
            }
        }
        text + "\n## Limits\n\nIt has seen rendered pictures of this world only. Things of fewer than 12 pixels, or hidden \
                by more than three quarters, are often missed; things of other kinds are taken for the nearest of these.\n"
    }
}
