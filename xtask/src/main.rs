//! Set-up and checks: the two commands that a fresh machine needs.
//!
//! - `cargo xtask play [ARGS…]` installs what is missing, builds in release, enters the world.
//! - `cargo xtask test` does the same set-up, then format, clippy with warnings as errors, and every test; last those against a real
//!   OpenXR runtime, or why they are skipped. With arguments it runs the tests that they name.
//! - `cargo xtask test --vr` runs the headset's tests alone, and fails where no OpenXR runtime can be brought for them.
//! - `cargo xtask run COMMAND [ARGS…]` does the same set-up and runs any other command of the program (`cargo xtask run dream moss --out DIR`).
//! - `cargo xtask setup` stops after the set-up and prints the environment of the program as `export` lines.
//! - `cargo xtask train detector|speech|texture [ARGS…]` trains a model on PyTorch's kernels, on an NVIDIA GPU if there is one (brings
//!   libtorch, 5.5 GB, and for speech the synthetic voices, when asked).
//!
//! Nothing is fetched twice: what was brought lies under `target/runtime`, and a second call needs no network.

mod libtorch;
mod monado;
mod onnx_runtime;
mod private_apt;
mod software_vulkan;
mod steps;
mod system_packages;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use steps::{Environment, Result, run};

/// Every build uses one profile and one feature set, so that nothing is compiled twice.
const BUILD: &[&str] = &["--release", "--features", "train"];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.skip_while(|argument| argument == "--").collect();
    let done = match task.as_str() {
        "play" => run_program(&[&["play".to_owned()], rest.as_slice()].concat()),
        "run" => run_program(&rest),
        "test" => test(&rest),
        "setup" => setup(false).map(|environment| {
            for (name, value) in environment {
                println!("export {name}='{value}'");
            }
        }),
        "train" => train(&rest),
        _ => {
            eprintln!(
                "usage: cargo xtask play [ARGS…] | run COMMAND [ARGS…] | test [--vr] | setup | train detector|speech|texture [ARGS…]"
            );
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Brings everything that building and running needs; returns the variables that the program is run with.
fn setup(for_tests: bool) -> Result<Environment> {
    let runtime = root().join("target/runtime");
    system_packages::install(for_tests)?;
    let mut environment = Environment::new();
    environment.extend(onnx_runtime::bring(&runtime)?);
    environment.extend(software_vulkan::bring(&runtime)?);
    if for_tests || system_packages::has_gpu() {
        // The plugin provider is an extra: it runs models on any graphics card, and a platform without it goes without.
        match onnx_runtime::bring_webgpu(&runtime) {
            Ok(found) => environment.extend(found),
            Err(why) if for_tests => eprintln!("xtask: the WebGPU provider's test will be skipped: {why}"),
            Err(why) => eprintln!("xtask: models will run on the processor, without the WebGPU provider: {why}"),
        }
    }
    Ok(environment)
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn run_program(arguments: &[String]) -> Result {
    let environment = setup(false)?;
    let mut cargo = cargo();
    // Run through cargo: it finds the program wherever the target folder is, and builds what changed.
    cargo.arg("run").args(BUILD);
    let built =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("release/umwelt");
    if built.with_extension(env::consts::EXE_EXTENSION).is_file() {
        cargo.arg("--quiet");
    } else {
        eprintln!("xtask: the first build takes twenty to forty minutes on two cores; later ones start at once");
    }
    run(cargo.args(["--bin", "umwelt", "--"]).args(arguments).envs(environment))
}

fn test(arguments: &[String]) -> Result {
    if arguments.first().is_some_and(|first| first == "--vr") {
        return test_headset(&arguments[1..]);
    }
    let mut environment = setup(true)?;
    run(cargo().args(["fmt", "--all", "--", "--check"]))?;
    run(cargo().arg("clippy").args(BUILD).args(["--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    run(cargo().args(["test", "--release", "--package", "xtask"]))?;
    // The program itself is built too: tests run it as a person would.
    run(cargo()
        .arg("test")
        .args(BUILD)
        .args(["--lib", "--bins", "--test", "it"])
        .args(arguments)
        .envs(&environment)
        .env_remove("UMWELT_MONADO"))?;
    if !arguments.is_empty() {
        return Ok(());
    }
    // Not beside the others: each of these has the machine's cores busy.
    match monado::bring(&root().join("target/runtime")) {
        Ok(found) => environment.extend(found),
        Err(why) => {
            // A package manager says the same of each package.
            let why: Vec<&str> = why.lines().take(2).collect();
            eprintln!("xtask: skipped: the headset's tests against a real OpenXR runtime: {}", why.join(" "));
        }
    }
    run_headset_tests(&[], environment)
}

/// The tests against a real OpenXR runtime, which are not skipped here.
fn test_headset(arguments: &[String]) -> Result {
    let mut environment = setup(true)?;
    environment.extend(monado::bring(&root().join("target/runtime"))?);
    environment.insert("UMWELT_MONADO_MUST_START".to_owned(), "1".to_owned());
    run_headset_tests(arguments, environment)
}

/// A runtime keeps real time, which a machine with other work does not always let it have: what fails is tried once more.
fn run_headset_tests(arguments: &[String], environment: Environment) -> Result {
    let all = ["headset::", "headset_session::"].map(str::to_owned);
    let named = if arguments.is_empty() { &all[..] } else { arguments };
    let tests = || run(cargo().arg("test").args(BUILD).args(["--test", "it", "--"]).args(named).envs(&environment));
    tests().or_else(|why| {
        eprintln!("xtask: the headset's tests failed ({why}); once more");
        tests()
    })
}

fn train(arguments: &[String]) -> Result {
    // Without a name the detector is meant, as it was the first.
    let named = arguments.first().is_some_and(|first| ["detector", "speech", "texture"].contains(&first.as_str()));
    let (model, arguments) = if named { (arguments[0].as_str(), &arguments[1..]) } else { ("detector", arguments) };
    let mut environment = setup(false)?;
    if model == "speech" {
        system_packages::install_voices()?;
    }
    environment.extend(libtorch::bring(&root().join("target/runtime"))?);
    run(cargo()
        .args(["run", "--release", "--features", "train,train-tch", "--bin", "umwelt", "--", "train", model])
        .args(arguments)
        .envs(environment))
}
