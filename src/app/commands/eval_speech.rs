//! `umwelt eval speech`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    app::{
        Exit, Lacking,
        inference_places::{library_places, models_folder, webgpu_plugin},
        spoken_grammar::open_grammar,
    },
    base::{Phrase, Seed},
    dataset::speech::{MANIFEST_FILE, SpokenEntry, read_manifest, read_sound, voices::Voice},
    evaluation::{SpeechFigures, SpokenSound, score_speech, speech_calibration::calibrate, speech_sets::make_test_set},
    inference::{
        library,
        manifest::{MANIFEST_FILE as MODEL_MANIFEST, Manifest},
        provider::{ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    percepts::speech::{CommandPhrase, GrammarSource, PhoneGraph, Recogniser, alignment::Evidence, request::BIAS},
    sensors::{EndpointSettings, utterances},
    signal::log_mel::SAMPLE_RATE,
};

/// Arguments of `umwelt eval speech`.
#[derive(Debug, Args)]
pub struct SpeechArgs {
    /// Folders of speech (a manifest.csv each); sounds without transcript are no commands and should not be taken for one.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    data: Vec<PathBuf>,
    /// What can be said: a scene, or a file NAME.grammar.ron; without it every transcript of the data is a command.
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
    /// More folders, of which nothing is a command whatever its transcripts say.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    other: Vec<PathBuf>,
    /// A list of sentences, one a line: first speak them with the held-out voices, in six conditions, into the (one, new)
    /// folder of `--data`.
    #[arg(long, value_name = "FILE")]
    synthesise: Option<PathBuf>,
    /// Leave out data whose labels begin with one of these words.
    #[arg(long, num_args = 1.., value_name = "LABEL")]
    without: Vec<String>,
    /// Score only the recordings that no model learns from; all transcripts remain in the grammar.
    #[arg(long)]
    held_out: bool,
    /// Take no sound for a command: all of the data is talk at large (needs `--grammar`).
    #[arg(long, requires = "grammar")]
    talk: bool,
    /// Fit the model's confidence to this data, which should hold commands and other talk of voices that are in no test, and
    /// write it into the model's manifest: what is no command is then accepted so many times an hour.
    #[arg(long, value_name = "ACCEPTS_PER_HOUR", conflicts_with = "confidence")]
    calibrate: Option<f64>,
    /// With `--synthesise`: speak with voices to learn from instead of the held-out ones, for calibration.
    #[arg(long, requires = "synthesise")]
    learnt_voices: bool,
    /// The model folder; `speech` beside the other models if it is left out.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Accept phrases from this confidence on instead of the model's own, 0 to 1.
    #[arg(long)]
    confidence: Option<f32>,
    /// Hardware to run it on: auto, cpu, cuda, webgpu, …
    #[arg(long, default_value = "cpu", value_parser = ProviderChoice::from_str)]
    provider: ProviderChoice,
    /// Print the figures as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// - ONNX Runtime, the model, the grammar or the data cannot be read; a voice cannot speak
pub fn run(args: &SpeechArgs) -> anyhow::Result<Exit> {
    if let Some(list) = &args.synthesise {
        synthesise(list, &args.data, args.learnt_voices)?;
    }
    let mut entries = Vec::new();
    for folder in &args.data {
        entries.extend(read_manifest(folder)?);
    }
    for folder in &args.other {
        entries
            .extend(read_manifest(folder)?.into_iter().map(|entry| SpokenEntry { transcript: String::new(), ..entry }));
    }
    entries.retain(|entry| !args.without.iter().any(|label| entry.label.starts_with(label.as_str())));
    if args.talk {
        entries.iter_mut().for_each(|entry| entry.transcript.clear());
    }
    anyhow::ensure!(!entries.is_empty(), "the folders hold no sounds");
    let graph = match &args.grammar {
        Some(path) => open_grammar(path)?,
        None => every_transcript(&entries)?,
    };
    if args.held_out {
        entries.retain(SpokenEntry::is_left_out);
        anyhow::ensure!(!entries.is_empty(), "the folders hold no sounds that training leaves out");
    }
    let runtime = library::load(&library_places()).map_err(|error| Lacking(error.to_string()))?;
    let session = SessionSettings { provider: args.provider, webgpu_plugin: webgpu_plugin(), ..Default::default() };
    let folder = args.model.clone().unwrap_or_else(|| models_folder().join("speech"));
    let mut recogniser = Recogniser::new(ModelSession::open(runtime, &folder, &session)?, graph.clone())?;
    if let Some(confidence) = args.confidence {
        let mut settings = *recogniser.settings();
        settings.min_confidence = confidence;
        recogniser.set_settings(settings, graph);
    }

    let bar = ProgressBar::new(entries.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} sounds {eta} left")?);
    let sounds = entries.into_iter().map(|entry| {
        bar.inc(1);
        sound_of(entry)
    });
    let figures = score_speech(&mut recogniser, sounds)?;
    bar.finish_and_clear();
    if let Some(accepts_per_hour) = args.calibrate {
        write_calibration(&folder, &figures, accepts_per_hour)?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print_figures(&figures);
    }
    Ok(Exit::Done)
}

/// Puts what the examples say into the manifest in `folder`.
fn write_calibration(folder: &Path, figures: &SpeechFigures, accepts_per_hour: f64) -> anyhow::Result<()> {
    let fitted = calibrate(&figures.examples, figures.other_hours, accepts_per_hour, figures.confidence)
        .context("calibration wants commands and other talk (sounds without transcript) in the data")?;
    let path = folder.join(MODEL_MANIFEST);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut manifest = Manifest::parse(&text, &path).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })?;
    manifest.thresholds.insert(BIAS.to_owned(), fitted.bias);
    for (name, weight) in Evidence::NAMES.iter().zip(fitted.weights) {
        manifest.thresholds.insert((*name).to_owned(), weight);
    }
    fs::write(&path, manifest.to_text()?).with_context(|| format!("writing {}", path.display()))?;
    eprintln!("wrote {}: {fitted:?}; the figures below are from before", path.display());
    Ok(())
}

fn synthesise(list: &PathBuf, data: &[PathBuf], learnt_voices: bool) -> anyhow::Result<()> {
    let [folder] = data else {
        anyhow::bail!("name one folder with --data to speak into");
    };
    anyhow::ensure!(
        !folder.join(MANIFEST_FILE).exists(),
        "{} holds speech already; leave --synthesise out, or name another folder",
        folder.display()
    );
    let text = fs::read_to_string(list).with_context(|| format!("reading {}", list.display()))?;
    let sentences: Vec<String> =
        text.lines().map(|line| line.trim().to_lowercase()).filter(|l| !l.is_empty()).collect();
    let spinner = ProgressBar::new_spinner();
    spinner.set_message("speaking");
    let voices = if learnt_voices { Voice::to_calibrate_with() } else { Voice::to_score_with() };
    make_test_set(folder, &sentences, &voices, Seed(7), || spinner.tick())?;
    spinner.finish_and_clear();
    Ok(())
}

/// Each transcript as a phrase of its own.
fn every_transcript(entries: &[SpokenEntry]) -> anyhow::Result<Arc<PhoneGraph>> {
    let sentences: BTreeSet<&str> =
        entries.iter().map(|entry| entry.transcript.as_str()).filter(|text| !text.is_empty()).collect();
    anyhow::ensure!(!sentences.is_empty(), "the data has no transcripts; name what can be said with --grammar");
    let mut source = GrammarSource::default();
    for (line, sentence) in sentences.into_iter().enumerate() {
        let phrase =
            Phrase::parse(sentence).map_err(|error| anyhow::anyhow!("the transcript {sentence:?}: {}", error.what))?;
        source.commands.push(CommandPhrase { line, phrase, action: sentence.to_owned(), words: Vec::new() });
    }
    let graph = PhoneGraph::compile(&source).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{}; {}", problem.what, problem.help)).collect();
        anyhow::anyhow!("the transcripts are no grammar\n{}", lines.join("\n"))
    })?;
    Ok(Arc::new(graph))
}

/// A command is heard as a whole; what is none passes the ear's voice activity first, as in play.
fn sound_of(entry: SpokenEntry) -> anyhow::Result<SpokenSound> {
    let samples = read_sound(&entry.path)?;
    let seconds = samples.len() as f64 / SAMPLE_RATE as f64;
    let utterances = if entry.transcript.is_empty() {
        utterances(&entry.path, EndpointSettings::default())?.map(|utterance| utterance.samples).collect()
    } else {
        vec![samples]
    };
    Ok(SpokenSound { entry, seconds, utterances })
}

fn print_figures(figures: &SpeechFigures) {
    println!("{:<32} {:>10} {:>17} {:>17} {:>6}", "", "utterances", "sentence accuracy", "without refusals", "WER");
    for group in figures.per_condition.iter().chain(&figures.per_voice) {
        println!(
            "{:<32} {:>10} {:>17.3} {:>17.3} {:>6.3}",
            group.name, group.utterances, group.sentence_accuracy, group.sentence_accuracy_unrefused, group.wer
        );
    }
    println!("\n{:>10} {:>17} {:>22}", "confidence", "sentence accuracy", "false accepts an hour");
    for point in &figures.operating_points {
        let false_accepts = point.false_accepts_per_hour.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}"));
        println!("{:>10.2} {:>17.3} {:>22}", point.confidence, point.sentence_accuracy, false_accepts);
    }
    println!();
    for mistake in &figures.mistakes {
        let verdict = if mistake.accepted { "heard" } else { "refused, most like" };
        println!("  {}: {:?} {verdict} {:?} ({:.2})", mistake.file, mistake.said, mistake.heard, mistake.confidence);
    }
    if figures.utterances > 0 {
        println!(
            "{} utterances: sentence accuracy {:.3} ({:.3} without refusals), WER {:.3}",
            figures.utterances, figures.sentence_accuracy, figures.sentence_accuracy_unrefused, figures.wer
        );
    }
    if let Some(rate) = figures.false_accepts_per_hour {
        println!("{:.2} hours of other sounds: {rate:.2} commands an hour heard in them", figures.other_hours);
    }
    println!(
        "confidence {:.2}; {:.3} seconds of work a second of sound on {}",
        figures.confidence, figures.rtf, figures.provider
    );
}
