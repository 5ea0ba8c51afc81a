//! `umwelt play`: a window, or without a display a headless tour.

use std::{
    fs,
    io::Write as _,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use bevy::math::UVec2;
use clap::Args;

#[cfg(target_os = "linux")]
use crate::app::display::find_display;
use crate::{
    app::{
        Exit, Lacking, WrongCall, asset_folder,
        headset::{self, Headset, HeadsetChoice},
        inference_places::InferenceArgs,
        replay::replay,
        tour::{REPORT_CYCLE, TourSettings, take_tour},
        window::{self, WindowSettings},
    },
    inference::{InferenceSettings, models::is_model_folder},
    platform::input_log::{InputLog, scene_sha256, voice_path},
    sensors::{EarSource, SoundFile},
};

/// Sides of a window, pixels.
pub(super) const SIDES: RangeInclusive<u32> = 64..=16384;
/// Length of a tour, seconds.
pub(super) const TOUR_SECONDS: RangeInclusive<f64> = 1.0..=86_400.0;

/// Arguments of `umwelt play`.
#[derive(Debug, Args)]
pub struct PlayArgs {
    /// Scene file, or the name of one in `assets/scenes`; the atelier, or the scene of --replay, if it is left out.
    scene: Option<String>,
    /// No window: a scripted player tours the scene; pictures and a report are written.
    #[arg(long)]
    headless: bool,
    /// In the headset, or not at all. Without --vr and --flat: in the headset where one answers, else in the window.
    #[arg(long, conflicts_with_all = ["flat", "headless"])]
    vr: bool,
    /// In the window, whatever headset there is.
    #[arg(long)]
    flat: bool,
    /// Length of the headless tour.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    seconds: f64,
    /// Where the tour's report goes (JSON); standard output if left out.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Folder for the tour's pictures.
    #[arg(long, default_value = "tour", value_name = "DIR")]
    out: PathBuf,
    /// What the companion is asked to find half way through the tour.
    #[arg(long, default_value = "teapot", value_name = "CLASS")]
    find: String,
    /// A sound file (WAV, FLAC, OGG) that is spoken into the ear instead of the microphone.
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    microphone: Option<PathBuf>,
    /// Write a picture of the window to this file when `--frames` are drawn (60 if not given), then leave.
    #[arg(long, value_name = "FILE", conflicts_with = "headless")]
    screenshot: Option<PathBuf>,
    /// Leave after so many frames.
    #[arg(long, value_name = "N", conflicts_with = "headless")]
    frames: Option<u64>,
    /// Write what the player does, tick by tick, to this file: head, hands, buttons, commands; what is said goes beside it, to
    /// FILE with the ending .voice.wav.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["headless", "replay"])]
    record_input: Option<PathBuf>,
    /// Do what was recorded by --record-input, in the window, in the headset or, with --headless, without drawing. The answer is the
    /// same: a hash over where everything ended. Then play goes on, with the microphone closed.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Leave when the replay is over.
    #[arg(long, requires = "replay")]
    leave: bool,
    /// Size of the window.
    #[arg(long, value_name = "PIXELS")]
    width: Option<u32>,
    #[arg(long, value_name = "PIXELS")]
    height: Option<u32>,
    #[command(flatten)]
    inference: InferenceArgs,
}

/// Runs the command.
///
/// # Errors
/// - there is no such scene, or it cannot be entered
/// - the machine has no graphics adapter
pub fn run(args: PlayArgs) -> anyhow::Result<Exit> {
    let log = args.replay.as_deref().map(InputLog::read).transpose()?.map(Arc::new);
    let scene = scene_of(args.scene.as_deref(), log.as_deref())?;
    let size = [args.width, args.height].map(|side| side.filter(|side| SIDES.contains(side)));
    if args.width.is_some() != size[0].is_some() || args.height.is_some() != size[1].is_some() {
        return Err(WrongCall("the window's sides are 64 to 16384 pixels".to_owned()).into());
    }
    if !TOUR_SECONDS.contains(&args.seconds) {
        return Err(WrongCall("a tour takes 1 to 86400 seconds".to_owned()).into());
    }
    // A file that cannot be heard is told before anything is built.
    if let Some(path) = &args.microphone {
        SoundFile::open(path)?;
    }
    if let Some(path) = &args.record_input {
        check_new_file(path)?;
        check_new_file(&voice_path(path))?;
    }
    if let Some(log) = &log
        && log.scene_sha256.is_some()
        && log.scene_sha256 != scene_sha256(&scene)
    {
        eprintln!("umwelt: {} has changed since the recording was made: it may end elsewhere", scene.display());
    }
    let inference = args.inference.settings();
    let display = if args.headless { Ok(()) } else { find_display() };
    let headless = args.headless || display.is_err();
    if let (Some(log), true) = (&log, headless) {
        if let Err(why) = &display {
            eprintln!("umwelt: {why}; replayed without window");
        }
        println!("{}", serde_json::to_string(&replay(&scene, log, &inference.models)?)?);
        return Ok(Exit::Done);
    }
    if let Err(why) = &display {
        if args.vr {
            // Whoever asks for a headset is told first whether there is one.
            headset::choose(HeadsetChoice::Forced)?;
        }
        let of_a_window = [
            ("--vr", args.vr),
            ("--screenshot", args.screenshot.is_some()),
            ("--frames", args.frames.is_some()),
            ("--record-input", args.record_input.is_some()),
        ];
        if let Some((flag, _)) = of_a_window.iter().find(|(_, given)| *given) {
            return Err(Lacking(format!("{flag} needs a window on the desktop, and {why}")).into());
        }
    }
    let ear = match &args.microphone {
        Some(path) => EarSource::File(path.clone()),
        // What is said now is no part of what was recorded.
        None if log.is_some() => EarSource::Nothing("the microphone is closed in a replay".to_owned()),
        // A microphone is not opened where nothing would understand it.
        None if !is_model_folder(&inference.models.join("speech")) => EarSource::Nothing(format!(
            "there is no speech model, so {}; `umwelt train speech` makes one",
            if headless { "nothing is said on the tour" } else { "the microphone stays closed" }
        )),
        None if headless => EarSource::Files,
        None => EarSource::Microphone,
    };
    if headless {
        if let Err(why) = &display {
            eprintln!("umwelt: {why}, so this is a headless tour of {} seconds", args.seconds);
        }
        if let EarSource::Nothing(why) = &ear {
            eprintln!("umwelt: {why}");
        }
        return tour(args, scene, inference, ear);
    }
    let choice = match (args.vr, args.flat) {
        (true, _) => HeadsetChoice::Forced,
        (_, true) => HeadsetChoice::Flat,
        _ => HeadsetChoice::IfThere,
    };
    let headset = headset::choose(choice)?;
    if let Headset::Found(found) = &headset {
        eprintln!("umwelt: playing in {found}");
    }
    let settings = WindowSettings {
        scene,
        inference,
        headset,
        headset_forced: args.vr,
        ear,
        size: UVec2::new(size[0].unwrap_or(1280), size[1].unwrap_or(720)),
        frames: args.frames.or(args.screenshot.as_ref().map(|_| 60)),
        screenshot: args.screenshot,
        record_input: args.record_input,
        replay: log,
        leave: args.leave,
        config: crate::app::settings_path(),
        texture_cache: crate::app::texture_cache(),
    };
    window::play(settings)
}

fn tour(args: PlayArgs, scene: PathBuf, inference: InferenceSettings, ear: EarSource) -> anyhow::Result<Exit> {
    // A place that cannot be written is told before the tour.
    let report_file = args.report.as_deref().map(|path| {
        let file = fs::File::create(path);
        file.with_context(|| format!("the report cannot be written to {}", path.display()))
    });
    let report_file = report_file.transpose()?;
    let settings = TourSettings {
        scene,
        inference,
        ear,
        seconds: args.seconds,
        out: args.out,
        view: UVec2::new(args.width.unwrap_or(640), args.height.unwrap_or(360)),
        cycle: REPORT_CYCLE.to_vec(),
        find: args.find,
    };
    let report = take_tour(&settings)?;
    let text = serde_json::to_string_pretty(&report)?;
    match report_file {
        Some(mut file) => writeln!(file, "{text}").context("writing the report")?,
        None => println!("{text}"),
    }
    for picture in &report.pictures {
        eprintln!("umwelt: wrote {}", picture.display());
    }
    Ok(Exit::Done)
}

/// A file as it is named, or a scene of ours by its bare name.
///
/// # Errors
/// - neither is there
pub fn find_scene(name: &str) -> anyhow::Result<PathBuf> {
    let as_named = PathBuf::from(name);
    if as_named.is_file() {
        return Ok(as_named);
    }
    let ours = asset_folder().join("scenes").join(format!("{name}.scene.ron"));
    if ours.is_file() {
        return Ok(ours);
    }
    Err(WrongCall(format!("there is no scene {name:?}: neither that file nor {}", ours.display())).into())
}

/// The scene that was named, or that of a recording, or the atelier.
///
/// # Errors
/// - there is no such scene, or a recording is of another one
fn scene_of(named: Option<&str>, log: Option<&InputLog>) -> anyhow::Result<PathBuf> {
    let Some(log) = log else { return find_scene(named.unwrap_or("atelier")) };
    let recorded = log.scene.trim_end_matches(".scene.ron");
    let scene = find_scene(named.unwrap_or(recorded))
        .with_context(|| format!("the recording was made in {}; name where that scene is now", log.scene))?;
    if scene.file_name().is_none_or(|name| name.to_string_lossy() != log.scene) {
        let what = format!("the recording was made in {}, not in {}; leave the scene out", log.scene, scene.display());
        return Err(WrongCall(what).into());
    }
    Ok(scene)
}

/// # Errors
/// - the file is there already, or its folder is not
fn check_new_file(path: &Path) -> Result<(), WrongCall> {
    if path.exists() {
        return Err(WrongCall(format!("{} is there already; choose another name", path.display())));
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => Err(WrongCall(format!("there is no folder {}", folder.display()))),
        _ => Ok(()),
    }
}

/// Elsewhere than on Linux there is always a desktop.
#[cfg(not(target_os = "linux"))]
fn find_display() -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(scene: &str) -> InputLog {
        InputLog { scene: scene.to_owned(), ..Default::default() }
    }

    #[test]
    fn a_recording_is_replayed_where_it_was_made() {
        let log = log_of("tiny.scene.ron");
        let scene = scene_of(None, Some(&log)).expect("a scene of ours");
        assert!(scene.ends_with("tiny.scene.ron"), "{}", scene.display());
        assert!(scene_of(Some("tiny"), Some(&log)).is_ok());
        let refused = scene_of(Some("atelier"), Some(&log)).expect_err("another scene");
        assert!(refused.to_string().contains("made in tiny.scene.ron"), "{refused}");
        assert!(scene_of(None, Some(&log_of("gone.scene.ron"))).is_err());
        assert!(scene_of(None, None).is_ok_and(|scene| scene.ends_with("atelier.scene.ron")));
    }

    #[test]
    fn a_recording_replaces_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("input.jsonl");
        assert!(check_new_file(&path).is_ok());
        std::fs::write(&path, "kept").expect("written");
        assert!(check_new_file(&path).is_err());
        assert!(check_new_file(&folder.path().join("none/input.jsonl")).is_err());
    }
}
