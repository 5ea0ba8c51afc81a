//! `umwelt eval`.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    app::{
        Exit, Lacking,
        inference_places::{library_places, models_folder, webgpu_plugin},
    },
    dataset::Reader,
    evaluation::{Detector, DetectorFigures, score_detector},
    inference::{
        library,
        provider::{ProviderChoice, SessionSettings},
        session::ModelSession,
    },
};

/// Arguments of `umwelt eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Score the detector: which things are where in a picture.
    Detector(DetectorArgs),
    /// Score hearing: which command was spoken.
    Speech(super::eval_speech::SpeechArgs),
    /// Score the generator of textures: whether its materials are known again, how near to photographs, how varied.
    Texture(super::eval_texture::TextureArgs),
}

/// Arguments of `umwelt eval detector`.
#[derive(Debug, Args)]
struct DetectorArgs {
    /// Recorded folders (`umwelt record --split heldout`); more than one are scored together.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    data: Vec<PathBuf>,
    /// The model folder; `detector` beside the other models if it is left out.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Hardware to run it on: auto, cpu, cuda, webgpu, …
    #[arg(long, default_value = "auto", value_parser = ProviderChoice::from_str)]
    provider: ProviderChoice,
    /// Print the figures as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// - ONNX Runtime, the model or the data cannot be read, or do not belong together
pub fn run(args: EvalArgs) -> anyhow::Result<Exit> {
    match args.what {
        What::Detector(args) => detector(&args),
        What::Speech(args) => super::eval_speech::run(&args),
        What::Texture(args) => super::eval_texture::run(&args),
    }
}

fn detector(args: &DetectorArgs) -> anyhow::Result<Exit> {
    let mut detector = open_detector(args.model.as_deref(), args.provider)?;
    let readers = args.data.iter().map(|folder| Reader::open(folder)).collect::<Result<Vec<_>, _>>()?;
    let bar = ProgressBar::new(readers.iter().map(Reader::len).sum::<usize>() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} frames {eta} left")?);
    let figures = score_detector(&mut detector, &readers, || bar.inc(1))?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print_figures(&figures, detector.labels());
    }
    Ok(Exit::Done)
}

/// Loads ONNX Runtime and a detector.
///
/// # Errors
/// - [`Lacking`] without ONNX Runtime; the model does not pass the door, or is no detector
pub(super) fn open_detector(folder: Option<&Path>, provider: ProviderChoice) -> anyhow::Result<Detector> {
    let runtime = library::load(&library_places()).map_err(|error| Lacking(error.to_string()))?;
    let settings = SessionSettings { provider, webgpu_plugin: webgpu_plugin(), ..Default::default() };
    let folder = folder.map_or_else(|| models_folder().join("detector"), Path::to_owned);
    Ok(Detector::new(ModelSession::open(runtime, &folder, &settings)?)?)
}

fn print_figures(figures: &DetectorFigures, labels: &[String]) {
    println!(
        "{:<10} {:>6} {:>9} {:>7} {:>6} {:>6} {:>8}",
        "class", "truths", "precision", "recall", "F1", "AP50", "AP50-95"
    );
    for class in &figures.per_class {
        println!(
            "{:<10} {:>6} {:>9.3} {:>7.3} {:>6.3} {:>6.3} {:>8.3}",
            class.label, class.truths, class.precision, class.recall, class.f1, class.ap50, class.ap50_95
        );
    }
    println!(
        "\ntaken for another class most often (of things found at IoU ≥ 0.5, confidence ≥ {:.2}):",
        figures.confidence
    );
    let mut mistakes: Vec<(usize, &str, &str)> = Vec::new();
    for (row, there) in figures.confusion.iter().zip(labels) {
        for (&count, taken) in row.iter().zip(labels) {
            if count > 0 && there != taken {
                mistakes.push((count, there, taken));
            }
        }
    }
    mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.0));
    for (count, there, taken) in mistakes.iter().take(8) {
        println!("  {count:>5} × {there} taken for {taken}");
    }
    print_confusion(figures, labels);
    println!(
        "\n{} frames, {} classes: precision {:.3}, recall {:.3}, F1 {:.3}, mAP50 {:.3}, mAP50-95 {:.3}; {:.1} ms a frame on {}",
        figures.frames,
        figures.classes,
        figures.precision,
        figures.recall,
        figures.f1,
        figures.map50,
        figures.map50_95,
        figures.ms,
        figures.provider
    );
}

/// The confusion matrix of things found: a row for what is there, a column for what it was taken for, by the same numbers.
fn print_confusion(figures: &DetectorFigures, labels: &[String]) {
    let width = figures.confusion.iter().flatten().max().map_or(1, |most| most.to_string().len()).max(2);
    println!("\nwhat is there (rows) and what it was taken for (columns, numbered as the rows; · is none):");
    let numbers: String = (1..=labels.len()).map(|number| format!(" {number:>width$}")).collect();
    println!("{:>13}{numbers}", "");
    for (number, (label, row)) in labels.iter().zip(&figures.confusion).enumerate() {
        let counts: String = row
            .iter()
            .take(labels.len())
            .map(|count| if *count == 0 { format!(" {:>width$}", "·") } else { format!(" {count:>width$}") })
            .collect();
        println!("{label:>10} {:>2}{counts}", number + 1);
    }
}
