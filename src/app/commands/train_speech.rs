//! `umwelt train speech`.

use std::path::PathBuf;

use clap::Args;

use super::{train_detector::Preset, training_run::RunArgs};

/// Arguments of `umwelt train speech`.
#[derive(Debug, Args)]
pub struct SpeechArgs {
    /// How many sentences to synthesise; what the run folder holds already is not spoken again.
    #[arg(long, default_value_t = 16_000)]
    pub sentences: usize,
    /// Recordings, noises and rooms (folders with a manifest.csv each); those that are absent are left out.
    #[arg(long, default_value = "../shared/data", value_name = "DIR")]
    pub recordings: PathBuf,
    /// How large a network, how large its batches, how long.
    #[arg(long, value_enum, default_value_t = Preset::Cpu)]
    pub preset: Preset,
    /// Synthesise the sentences and stop.
    #[arg(long)]
    pub prepare: bool,
    /// The model folder to write.
    #[arg(long, default_value = "models/speech", value_name = "DIR")]
    pub out: PathBuf,
    /// Where sentences and checkpoints are kept; an unfinished run found there goes on.
    #[arg(long, default_value = "target/training/speech", value_name = "DIR")]
    pub run: PathBuf,
    #[command(flatten)]
    pub run_args: RunArgs,
}

#[cfg(feature = "train")]
pub use speech::run;

#[cfg(feature = "train")]
mod speech {
    use std::sync::Arc;

    use burn::{module::Module, tensor::backend::AutodiffBackend};
    use indicatif::{ProgressBar, ProgressStyle};
    use serde_json::json;

    use super::{Preset, SpeechArgs};
    use crate::{
        app::{
            Exit,
            commands::training_run::{RunBar, Training, on_backend, stop_on_signal},
        },
        base::Seed,
        training::{
            backend::TrainingBackend,
            checkpoint,
            learning_curve::{LearningCurve, draw_learning_curve},
            speech_corpus::{self, SpeechCorpus, sentences_of},
            speech_model::write_speech,
            speech_training::{SpeechPoint, SpeechSettings, train_speech},
        },
    };

    /// Runs the command.
    ///
    /// # Errors
    /// - this program was built without the backend that was asked for
    /// - a voice cannot speak, a sound cannot be read, or the model folder or a checkpoint cannot be written
    pub fn run(args: &SpeechArgs) -> anyhow::Result<Exit> {
        on_backend(&args.run_args, args)
    }

    impl Training for &SpeechArgs {
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
            let folder = args.run.join("sentences");
            let bar = ProgressBar::new(args.sentences as u64);
            bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} sentences spoken, {eta} left")?);
            let texts = sentences_of(&args.recordings);
            speech_corpus::synthesise(&folder, args.sentences, &texts, Seed(run_args.seed), || bar.inc(1))?;
            bar.finish_and_clear();
            if args.prepare {
                return Ok(Exit::Done);
            }
            let spinner = ProgressBar::new_spinner();
            spinner.set_message("reading sounds");
            let corpus = speech_corpus::load(&folder, &args.recordings, || spinner.tick())?;
            spinner.finish_and_clear();
            anyhow::ensure!(
                !corpus.train.is_empty() && !corpus.validation.is_empty(),
                "too few sentences to learn from"
            );

            let mut settings = match args.preset {
                Preset::Cpu => SpeechSettings::cpu(),
                Preset::Gpu => SpeechSettings::gpu(),
            };
            settings.seed = Seed(run_args.seed);
            settings.fit.budget = run_args.budget().unwrap_or(settings.fit.budget);
            settings.batch = run_args.batch.unwrap_or(settings.batch);
            let stop = stop_on_signal();
            let corpus = Arc::new(corpus);
            let bar = RunBar::new()?;
            let (net, curve) = train_speech::<B>(&settings, corpus.clone(), &args.run, device, &stop, &mut |report| {
                bar.show(&report, |point| {
                    let SpeechPoint { step, seconds, loss, clean, changed } = point;
                    let minutes = seconds / 60.0;
                    format!(
                        "step {step:6}  {minutes:5.1} min  loss {loss:.3}  phone errors {clean:.4}, in noise and rooms \
                         {changed:.4}"
                    )
                });
            })?;
            if bar.finish(&stop, &args.run) {
                return Ok(Exit::Done);
            }
            let best = curve.iter().copied().min_by(|a, b| (a.clean + a.changed).total_cmp(&(b.clean + b.changed)));
            let parameters = net.num_params();
            write_speech(&args.out, &net, &THRESHOLDS, settings.seed, &card(args, &corpus, parameters, best))?;
            let values = |value: fn(&SpeechPoint) -> f64| curve.iter().map(value).collect::<Vec<_>>();
            let picture = LearningCurve {
                caption: "Speech: errors on validation sounds",
                measure: "errors per phone",
                minutes: values(|point| point.seconds / 60.0),
                scores: vec![
                    ("as recorded", values(|point| point.clean.min(1.0))),
                    ("in noise and rooms", values(|point| point.changed.min(1.0))),
                ],
                loss: values(|point| point.loss),
            };
            draw_learning_curve(&picture, &args.out.join("learning-curve.svg"))?;
            let (clean, changed) = best.map_or((1.0, 1.0), |point| (point.clean, point.changed));
            if run_args.json {
                let result = json!({
                    "model": args.out, "steps": curve.last().map_or(0, |point| point.step), "parameters": parameters,
                    "validation_phone_errors": clean, "validation_phone_errors_changed": changed, "curve": curve,
                });
                println!("{result}");
            } else {
                println!("wrote {}: {clean:.3} errors per phone on validation sounds", args.out.display());
            }
            Ok(Exit::Done)
        }
    }

    /// From which confidence on a phrase is taken for a command.
    const THRESHOLDS: [(&str, f32); 1] = [("confidence", 0.7)];

    fn card(args: &SpeechArgs, corpus: &SpeechCorpus, parameters: usize, best: Option<SpeechPoint>) -> String {
        let sources: Vec<String> =
            corpus.counts.iter().map(|(source, count)| format!("{count} from {source}")).collect();
        let mut text = format!(
            "# Speech\n\n\
             The sounds of English in a voice, as it is spoken; any grammar is laid over them in play.\n\n\
             - Input: `features` [1, frames, 64] f32, log-mel frames of 10 ms (`signal::log_mel`), and `state`; outputs: \
             `log_probs` [1, steps, 40] (blank and 39 ARPAbet phones, one step for three frames) and `state_out`.\n\
             - Network: {parameters} parameters; three convolutions over time, two layers of gated recurrent units, CTC.\n\
             - Data: {} sounds: {}. Synthetic voices: espeak-ng (7 accents × 71 variants), flite kal16 and rms, festival kal \
             and ked. Changed at random in speed, formants, level, bands, rooms and noise.\n\
             - Held out: the speakers slt and awb in every engine; whole speakers of the recordings for validation.\n",
            corpus.counts.iter().map(|(_, count)| count).sum::<usize>(),
            sources.join(", "),
        );
        if let Some(best) = best {
            text += &format!(
                "- Training: seed {}, best after {} steps and {:.0} minutes on {} CPU thread(s). Validation on {} sounds \
                 of the training voices and of held-out recorded speakers: {:.3} errors per phone as recorded, {:.3} in \
                 noise and rooms (best output of each step, no grammar). The curve is in `learning-curve.svg`.\n",
                args.run_args.seed,
                best.step,
                best.seconds / 60.0,
                args.run_args.threads,
                corpus.validation.len(),
                best.clean,
                best.changed
            );
        }
        text + "- Licence: MIT. Licences of the recordings: `assets/SOURCES.md`.\n\n## Figures\n\n\
                Not scored on held-out voices yet.\n"
    }
}
