//! `umwelt see`.

use std::{path::PathBuf, str::FromStr};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::eval::open_detector;
use crate::{
    app::{Exit, WrongCall, annotate::annotate, asset_folder},
    inference::provider::ProviderChoice,
};

/// Arguments of `umwelt see`.
#[derive(Debug, Args)]
pub struct SeeArgs {
    /// A PNG or JPEG file of any size.
    image: PathBuf,
    /// The model folder; `detector` beside the other models if it is left out.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Hardware to run it on: auto, cpu, cuda, webgpu, …
    #[arg(long, default_value = "auto", value_parser = ProviderChoice::from_str)]
    provider: ProviderChoice,
    /// Show what is at least so certain, 0 to 1; the model's own threshold if it is left out.
    #[arg(long)]
    confidence: Option<f32>,
    /// Write the picture with boxes and names drawn into it.
    #[arg(long, value_name = "OUT.png")]
    annotate: Option<PathBuf>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// - the picture, ONNX Runtime or the model cannot be read, or the annotated picture cannot be written
pub fn run(args: SeeArgs) -> anyhow::Result<Exit> {
    if args.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
        return Err(WrongCall("a confidence is 0 to 1".to_owned()).into());
    }
    let picture = image::open(&args.image).with_context(|| format!("reading {}", args.image.display()))?.into_rgb8();
    let mut detector = open_detector(args.model.as_deref(), args.provider)?;
    let (found, ms) = detector.see(&picture, args.confidence.unwrap_or_else(|| detector.confidence()))?;
    let named: Vec<(&str, _)> = found
        .iter()
        .map(|found| {
            let label = usize::from(found.class.0).checked_sub(1).and_then(|class| detector.labels().get(class));
            (label.map_or("?", String::as_str), *found)
        })
        .collect();
    if let Some(path) = &args.annotate {
        let font = asset_folder().join("fonts/Lato-Medium.ttf");
        annotate(picture, &named, &font)?.save(path).with_context(|| format!("writing {}", path.display()))?;
    }
    if args.json {
        let objects: Vec<_> = named
            .iter()
            .map(|(label, found)| {
                let region = found.region;
                let corner = [region.x, region.y, region.width, region.height];
                json!({"label": label, "confidence": found.confidence, "box": corner})
            })
            .collect();
        println!("{}", json!({"provider": detector.provider(), "ms": ms, "objects": objects}));
    } else {
        for (label, found) in &named {
            let region = found.region;
            println!(
                "{label:<10} {:3.0} %  at {:.0}, {:.0}  {:.0} × {:.0} px",
                100.0 * found.confidence,
                region.x,
                region.y,
                region.width,
                region.height
            );
        }
        println!("{} things in {ms:.0} ms on {}", named.len(), detector.provider());
    }
    Ok(Exit::Done)
}
