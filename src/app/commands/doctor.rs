//! `umwelt doctor`: what was found on this machine, and what to do about what is missing.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::{
    app::{Exit, dream_materials::generator_problems, graphics, headset, inference_places::InferenceArgs},
    base::Status,
    inference::{
        InferenceSettings, ModelStatus, Models, library, models, provider::Assignment, session::ModelSession,
        test_model,
    },
    sensors::probe_microphone,
};

/// Arguments of `umwelt doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Answer with one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    inference: InferenceArgs,
}

/// What `umwelt doctor --json` answers. Fields may be added, never renamed.
#[derive(Debug, Serialize)]
struct Findings {
    /// Version of the library; `null`: there is none that can be used.
    onnx_runtime: Option<String>,
    /// The file that it was loaded from.
    onnx_runtime_path: Option<String>,
    /// The provider that ran a small model just now.
    provider: Option<String>,
    /// Every graphics adapter, the one that is used first; `null`: there is none.
    vulkan: Option<String>,
    /// The headset and its runtime; `null`: there is none.
    openxr: Option<String>,
    microphone: Option<String>,
    models: Vec<ModelFinding>,
    /// What to do, most important first.
    advice: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ModelFinding {
    name: String,
    /// `"ready"`, or why it is not.
    status: String,
    provider: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// - the findings cannot be written as JSON
pub fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let findings = examine(args.inference.settings());
    if args.json {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        print!("{}", as_text(&findings));
    }
    let complete = findings.provider.is_some() && findings.vulkan.is_some();
    Ok(if complete { Exit::Done } else { Exit::Lacking })
}

fn examine(settings: InferenceSettings) -> Findings {
    let mut advice = Vec::new();
    let (mut onnx_runtime, mut onnx_runtime_path, mut provider) = (None, None, None);
    match library::load(&settings.library) {
        Err(error) => advice.push(error.to_string()),
        Ok(runtime) => {
            onnx_runtime = Some(runtime.version.clone());
            onnx_runtime_path = Some(runtime.path.display().to_string());
            advice.extend(runtime.remarks.iter().cloned());
            let trial = ModelSession::new(runtime, test_model::identity_convolution(), &settings.session);
            match trial.as_ref().map(ModelSession::assignment) {
                Ok(assignment) => provider = Some(Assignment::provider(assignment).to_owned()),
                Err(error) => advice.push(error.to_string()),
            }
        }
    }

    let adapters: Vec<String> = graphics::adapters()
        .iter()
        .map(|info| {
            let software = if graphics::is_software(info) { ", software" } else { "" };
            format!("{} ({:?}{software})", info.name, info.backend)
        })
        .collect();
    let vulkan = (!adapters.is_empty()).then(|| adapters.join("; "));
    if vulkan.is_none() {
        advice.push(
            "no graphics adapter was found; install a graphics driver, or run `cargo xtask play`, which brings software \
             Vulkan"
                .to_owned(),
        );
    }

    let models_folder = settings.models.clone();
    let models = Models::open(settings);
    models.wait_until_loaded();
    let statuses = models.statuses();
    let blind = models.for_task(crate::percepts::TASK).is_none();
    if blind && !statuses.is_empty() {
        advice.push("no model detects, so the companion is blind; `umwelt train detector` makes one".to_owned());
    }
    if statuses.is_empty() {
        advice.push(format!("no models in {}; `umwelt train` makes them", models_folder.display()));
    }
    let faults = models::model_folders(&models_folder).into_iter().flat_map(|folder| generator_problems(&folder));
    advice.extend(faults.map(|fault| fault.to_string()));
    let microphone = find_microphone(&mut advice);
    let models = statuses.iter().map(finding).collect();
    let openxr = match headset::look() {
        Ok(found) => Some(found.to_string()),
        Err(why) => {
            advice.push(format!("to play in a headset: {why}"));
            None
        }
    };
    Findings { onnx_runtime, onnx_runtime_path, provider, vulkan, openxr, microphone, models, advice }
}

/// Opens the default microphone for a moment; what is wrong becomes advice.
fn find_microphone(advice: &mut Vec<String>) -> Option<String> {
    match probe_microphone(None, Duration::from_millis(600), Duration::from_secs(4)) {
        Ok(probe) => {
            let facts = &probe.facts;
            if facts.is_monitor {
                advice.push(format!(
                    "\"{}\" hears what the machine plays; choose a microphone as the system's default source",
                    facts.name
                ));
            }
            Some(format!(
                "{} ({}, {} Hz, {} channels, {:.0} dBFS)",
                facts.name, facts.host, facts.rate_hz, facts.channels, probe.level.rms_dbfs
            ))
        }
        Err(reason) => {
            advice.push(reason);
            None
        }
    }
}

fn finding(status: &ModelStatus) -> ModelFinding {
    let text = match &status.status {
        Status::Ready => "ready".to_owned(),
        Status::Loading => "loading".to_owned(),
        Status::Unavailable(reason) => reason.clone(),
    };
    ModelFinding { name: status.name.clone(), status: text, provider: status.provider.clone() }
}

fn as_text(findings: &Findings) -> String {
    let none = || "not found".to_owned();
    let library = match (&findings.onnx_runtime, &findings.onnx_runtime_path) {
        (Some(version), Some(path)) => format!("{version} ({path})"),
        _ => none(),
    };
    let mut lines = vec![
        format!("ONNX Runtime  {library}"),
        format!("provider      {}", findings.provider.clone().unwrap_or_else(none)),
        format!("graphics      {}", findings.vulkan.clone().unwrap_or_else(none)),
        format!("OpenXR        {}", findings.openxr.clone().unwrap_or_else(none)),
        format!("microphone    {}", findings.microphone.clone().unwrap_or_else(none)),
    ];
    for model in &findings.models {
        let provider = model.provider.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
        lines.push(format!("model         {}: {}{provider}", model.name, model.status));
    }
    lines.extend(findings.advice.iter().map(|advice| format!("• {advice}")));
    lines.join("\n") + "\n"
}
