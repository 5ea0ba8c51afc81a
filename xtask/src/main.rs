//! Set-up and checks: the two commands that a fresh machine needs.
//!
//! - `cargo xtask play [ARGS…]` installs what is missing, builds in release, enters the world.
//! - `cargo xtask test` does the same set-up, then format, clippy with warnings as errors, and every test; last those against a real
//!   OpenXR runtime, or why they are skipped. With arguments it runs the tests that they name.
//! - `cargo xtask test --vr` runs the headset's tests alone, and fails where no OpenXR runtime can be brought for them.
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
        "play" => play(&rest),
        "test" => test(&rest),
        "setup" => setup(false).map(|environment| {
            for (name, value) in environment {
                println!("export {name}='{value}'");
            }
        }),
        "train" => train(&rest),
        _ => {
            eprintln!("usage: cargo xtask play [ARGS…] | test [--vr] | setup | train detector|speech|texture [ARGS…]");
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
    if for_tests {
        // The plugin provider is an extra: a platform without it skips its test visibly.
        match onnx_runtime::bring_webgpu(&runtime) {
            Ok(found) => environment.extend(found),
            Err(why) => eprintln!("xtask: the WebGPU provider's test will be skipped: {why}"),
        }
    }
    Ok(environment)
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn play(arguments: &[String]) -> Result {
    let environment = setup(false)?;
    // Run through cargo: it finds the program wherever the target folder is, and builds what changed.
    run(cargo()
        .arg("run")
        .args(BUILD)
        .args(["--quiet", "--bin", "umwelt", "--", "play"])
        .args(arguments)
        .envs(environment))
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
    run_headset_tests(arguments, environment)
}

fn run_headset_tests(arguments: &[String], environment: Environment) -> Result {
    run(cargo().arg("test").args(BUILD).args(["--test", "it", "headset::"]).args(arguments).envs(environment))
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
