//! `umwelt hear`: what was said in a sound file, or into the microphone.

use std::{io::Write as _, path::PathBuf, str::FromStr, time::Duration};

use anyhow::Context as _;
use bevy::{app::ScheduleRunnerPlugin, prelude::*};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    app::{
        Exit, Lacking, WrongCall, asset_folder,
        inference_places::{library_places, models_folder, webgpu_plugin},
        spoken_grammar::{open_grammar, open_source},
    },
    base::Status,
    inference::{
        InferencePlugin, InferenceSettings, library,
        models::is_model_folder,
        provider::{ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    percepts::{
        Grammar, Heard, HearingPlugin, HearingStatus,
        speech::{Candidate, Recognised, Recogniser},
    },
    sensors::{EarPlugin, EarSource, EarStatus, EndpointSettings, SoundFile, Utterance, utterances},
};

/// Arguments of `umwelt hear`.
#[derive(Debug, Args)]
pub struct HearArgs {
    /// A WAV, FLAC or OGG file of any rate.
    wav: Option<PathBuf>,
    /// Listen to the microphone and show what is heard as you speak, until Ctrl+C.
    #[arg(long, conflicts_with_all = ["wav", "json"])]
    live: bool,
    /// What can be said: a scene, or a file NAME.grammar.ron; the starter scene's commands if it is left out.
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
    /// The model folder; `speech` beside the other models if it is left out.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// As if the talk key were held while it was spoken: doubt weighs less.
    #[arg(long, conflicts_with = "live")]
    held: bool,
    /// Hardware to run it on: auto, cpu, cuda, webgpu, …
    #[arg(long, default_value = "auto", value_parser = ProviderChoice::from_str)]
    provider: ProviderChoice,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command. The answer is [`Exit::Bad`] where nothing was taken for a command.
///
/// # Errors
/// - the sound file or the grammar cannot be used
/// - [`Lacking`] without ONNX Runtime, a speech model or (with `--live`) a microphone
pub fn run(args: HearArgs) -> anyhow::Result<Exit> {
    let grammar = args.grammar.clone().unwrap_or_else(|| asset_folder().join("scenes/atelier.scene.ron"));
    let folder = args.model.clone().unwrap_or_else(|| models_folder().join("speech"));
    if args.live {
        return listen(&grammar, folder, args.provider);
    }
    let Some(wav) = &args.wav else {
        return Err(WrongCall("name a sound file, or write --live".to_owned()).into());
    };
    if let Some(remark) = SoundFile::open(wav)?.remark() {
        eprintln!("umwelt: {remark}");
    }
    let spoken = utterances(wav, EndpointSettings::default())?;
    let graph = open_grammar(&grammar)?;
    require_model(&folder)?;
    let runtime = library::load(&library_places()).map_err(|error| Lacking(error.to_string()))?;
    let settings = SessionSettings { provider: args.provider, webgpu_plugin: webgpu_plugin(), ..Default::default() };
    let mut recogniser = Recogniser::new(ModelSession::open(runtime, &folder, &settings)?, graph)?;
    let mut all = Vec::new();
    for utterance in spoken {
        let found = recogniser.hear_as(&utterance.samples, args.held).context("running the speech model")?;
        let report = report(&utterance, &found, recogniser.settings().seconds_per_step());
        if !args.json {
            print_line(&report);
        }
        all.push(report);
    }
    if args.json {
        println!("{}", answer(&all, recogniser.provider()));
    } else if all.is_empty() {
        println!("no voice was heard");
    }
    let any = all.iter().any(|report| report["accepted"] == true);
    Ok(if any { Exit::Done } else { Exit::Bad })
}

fn require_model(folder: &std::path::Path) -> Result<(), Lacking> {
    if is_model_folder(folder) {
        return Ok(());
    }
    Err(Lacking(format!("there is no speech model in {}; `umwelt train speech` makes one", folder.display())))
}

/// One utterance in the fields of `--json`.
fn report(utterance: &Utterance, found: &Recognised, seconds_per_step: f64) -> Value {
    let best = found.decoded.best.as_ref();
    let seconds = |step: fn(&Candidate) -> usize| {
        best.map(|best| utterance.start_s + (step(best) as f64 + 0.5) * seconds_per_step)
    };
    let start_s = seconds(|best| best.first_step).unwrap_or(utterance.start_s).min(utterance.end_s);
    let slots: serde_json::Map<String, Value> = found
        .command()
        .map(|best| best.command.slots.iter().map(|(slot, value)| (slot.clone(), json!(value))).collect())
        .unwrap_or_default();
    json!({
        "accepted": found.accepted,
        "text": best.map_or("", |best| &best.command.text),
        "command": found.command().map(|best| json!({"action": best.command.action, "words": best.command.words})),
        "slots": slots,
        "confidence": best.map_or(0.0, |best| best.confidence),
        "runner_up": found.decoded.runner_up.as_ref().map(|other| {
            json!({"text": other.command.text, "confidence": other.confidence})
        }),
        "start_s": start_s,
        "end_s": utterance.end_s,
        "ms": found.ms,
    })
}

/// The first command, or the most likely utterance, with all of them beside it.
fn answer(all: &[Value], provider: &str) -> Value {
    let confidence = |report: &Value| report["confidence"].as_f64().unwrap_or(0.0);
    let likeliest = || all.iter().max_by(|a, b| confidence(a).total_cmp(&confidence(b)));
    let silence = json!({
        "accepted": false, "text": "", "command": null, "slots": {}, "confidence": 0.0, "runner_up": null,
        "start_s": 0.0, "end_s": 0.0, "ms": 0.0,
    });
    let main = all.iter().find(|report| report["accepted"] == true).or_else(likeliest);
    let mut answer = main.cloned().unwrap_or(silence);
    answer["utterances"] = json!(all);
    answer["provider"] = json!(provider);
    answer
}

fn print_line(report: &Value) {
    let number = |field: &str| report[field].as_f64().unwrap_or(0.0);
    let text = report["text"].as_str().unwrap_or_default();
    let times = format!("{:7.2} – {:.2} s", number("start_s"), number("end_s"));
    let percent = 100.0 * number("confidence");
    if report["accepted"] == true {
        let command = &report["command"];
        let words: Vec<&str> = command["words"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let action = command["action"].as_str().unwrap_or_default();
        println!("{times}  {text}  →  {action}({})  {percent:.0} %", words.join(", "));
    } else if text.is_empty() {
        println!("{times}  no command");
    } else {
        println!("{times}  no command (most like \"{text}\", {percent:.0} %)");
    }
}

/// Shows what is heard while somebody speaks.
fn listen(grammar: &std::path::Path, folder: PathBuf, provider: ProviderChoice) -> anyhow::Result<Exit> {
    let phrases = open_source(grammar)?;
    require_model(&folder)?;
    let settings = InferenceSettings {
        models: folder,
        library: library_places(),
        session: SessionSettings { provider, webgpu_plugin: webgpu_plugin(), ..Default::default() },
    };
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins.set(ScheduleRunnerPlugin::run_loop(Duration::from_millis(15))),
        InferencePlugin { settings },
        EarPlugin { source: EarSource::Microphone },
        HearingPlugin,
    ))
    .add_systems(Update, show);
    app.world_mut().resource_mut::<Grammar>().replace(phrases);
    eprintln!("getting ready to listen; Ctrl+C ends");
    Ok(if app.run().is_success() { Exit::Done } else { Exit::Bad })
}

/// Why nothing can be heard, or who listens; empty while both get ready.
fn news(ear: &EarStatus, hearing: &HearingStatus) -> String {
    match (&ear.status, &hearing.status) {
        (Status::Unavailable(reason), _) | (_, Status::Unavailable(reason)) => {
            format!("nothing can be heard: {reason}")
        }
        (Status::Ready, Status::Ready) => format!("listening to {}", ear.source),
        _ => String::new(),
    }
}

/// One line that changes while somebody speaks, and stays when it is done.
fn show(
    mut heard: MessageReader<Heard>,
    hearing: Res<HearingStatus>,
    ear: Res<EarStatus>,
    mut told: Local<(String, String)>,
) {
    let (told_last, shown) = &mut *told;
    let news = news(&ear, &hearing);
    if !news.is_empty() && *told_last != news {
        eprintln!("{news}");
        *told_last = news;
    }
    for heard in heard.read() {
        print!("\r\x1b[K");
        print_line(&json!({
            "accepted": heard.command.is_some(),
            "text": heard.text,
            "command": heard.command.as_ref().map(|command| json!({"action": command.action, "words": command.words})),
            "confidence": heard.confidence,
            "start_s": heard.start_s,
            "end_s": heard.end_s,
        }));
        shown.clear();
    }
    let line = match &hearing.so_far {
        Some((text, confidence)) if ear.hears_voice => format!("  … {text} ({:.0} %)", 100.0 * confidence),
        _ => String::new(),
    };
    if line != *shown {
        print!("\r\x1b[K{line}");
        // A terminal that is gone is noticed elsewhere.
        let _ = std::io::stdout().flush();
        *shown = line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_is_told_once_microphone_and_model_are_both_ready() {
        let ear = EarStatus { status: Status::Ready, source: "Headset".into(), ..Default::default() };
        let hearing = |status| HearingStatus { status, ..Default::default() };
        assert_eq!(news(&ear, &hearing(Status::Loading)), "");
        assert_eq!(news(&ear, &hearing(Status::Ready)), "listening to Headset");
        let broken = Status::Unavailable("no model".into());
        assert_eq!(news(&EarStatus::default(), &hearing(broken)), "nothing can be heard: no model");
    }

    #[test]
    fn the_answer_is_the_first_command_or_the_likeliest_utterance() {
        let one = |accepted: bool, text: &str, confidence: f64| json!({"accepted": accepted, "text": text, "confidence": confidence});
        let all = [one(false, "a", 0.3), one(true, "b", 0.5), one(true, "c", 0.9)];
        assert_eq!(answer(&all, "CPU")["text"], "b");
        assert_eq!(answer(&[one(false, "a", 0.1), one(false, "b", 0.2)], "CPU")["text"], "b");
        let silence = answer(&[], "CPU");
        assert_eq!((&silence["accepted"], &silence["command"]), (&json!(false), &Value::Null));
        assert_eq!(silence["utterances"], json!([]));
    }
}
