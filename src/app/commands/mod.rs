//! The command line: one file per command, each with its arguments and a `run`.

mod bench;
mod bench_vr;
mod check;
mod doctor;
mod dream;
mod eval;
mod eval_speech;
mod eval_texture;
mod hear;
mod kit;
mod play;
mod record;
mod see;
mod train;
mod train_detector;
mod train_speech;
mod train_texture;
mod training_run;

use clap::{Parser, Subcommand};

use super::Exit;

/// A VR world with senses.
#[derive(Debug, Parser)]
#[command(name = "umwelt", version, about)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Enter the world: a window, or without a display a headless tour that writes pictures and a report.
    Play(play::PlayArgs),
    /// List every problem of scenes and model folders, with file, line and remedy.
    Check(check::CheckArgs),
    /// Write labelled pictures: RGB, depth, ids and one COCO file.
    Record(record::RecordArgs),
    /// Fit a model to recorded or freshly rendered data.
    Train(train::TrainArgs),
    /// Score a model against recorded truth.
    Eval(eval::EvalArgs),
    /// Recognise what is in one picture file.
    See(see::SeeArgs),
    /// Understand what is said in one sound file, or into the microphone.
    Hear(hear::HearArgs),
    /// Dream a surface: base colour, normals, roughness, height and a preview as pictures.
    Dream(dream::DreamArgs),
    /// Render contact sheets of the object kit.
    Kit(kit::KitArgs),
    /// Measure frame time with AI on and off, sensor rate and model latency in one run.
    Bench(bench::BenchArgs),
    /// Say what was found on this machine, and what to do about what is missing.
    Doctor(doctor::DoctorArgs),
}

/// Runs one command.
///
/// # Errors
/// - whatever the command reports; [`super::Exit::from_error`] gives its exit code
pub fn dispatch(line: CommandLine) -> anyhow::Result<Exit> {
    match line.command {
        Command::Play(args) => play::run(args),
        Command::Check(args) => check::run(args),
        Command::Record(args) => record::run(args),
        Command::Train(args) => train::run(args),
        Command::Eval(args) => eval::run(args),
        Command::See(args) => see::run(args),
        Command::Hear(args) => hear::run(args),
        Command::Dream(args) => dream::run(args),
        Command::Kit(args) => kit::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Doctor(args) => doctor::run(args),
    }
}
