//! PyTorch's kernels for training: the wheel that the `tch` crate is made for, or the library that `LIBTORCH` names.

use std::{env, path::Path, process::Command};

use crate::steps::{Environment, Result, output, run};

/// The only version that tch 0.22 links with.
const VERSION: &str = "2.9.0";

/// Brings PyTorch into a Python environment of its own under `runtime`; returns the variables that building and running
/// with it need.
///
/// A folder in `LIBTORCH` (with `include` and `lib`) is used instead; tch is told to accept its version.
pub fn bring(runtime: &Path) -> Result<Environment> {
    if let Some(named) = env::var_os("LIBTORCH") {
        let mut environment = of_library(&Path::new(&named).join("lib"));
        environment.insert("LIBTORCH_BYPASS_VERSION_CHECK".to_owned(), "1".to_owned());
        return Ok(environment);
    }
    let folder = runtime.join("torch");
    let python = folder.join("bin/python3");
    let ask = "import torch, os; print(torch.__version__, os.path.join(os.path.dirname(torch.__file__), 'lib'))";
    let found = || output(Command::new(&python).args(["-c", ask]));
    let answer = match found() {
        Ok(answer) if answer.starts_with(VERSION) => answer,
        _ => {
            eprintln!("xtask: bringing PyTorch {VERSION} for its CPU kernels (once, 5.5 GB)");
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            run(Command::new(&python).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                &format!("torch=={VERSION}"),
                "numpy",
            ]))?;
            found()?
        }
    };
    let library = answer.split_whitespace().nth(1).unwrap_or_default();
    let path = format!("{}:{}", folder.join("bin").display(), env::var("PATH").unwrap_or_default());
    let mut environment = of_library(Path::new(library));
    environment.extend([("LIBTORCH_USE_PYTORCH".to_owned(), "1".to_owned()), ("PATH".to_owned(), path)]);
    Ok(environment)
}

/// What running with the library in this folder needs.
fn of_library(folder: &Path) -> Environment {
    let libraries = match env::var("LD_LIBRARY_PATH") {
        Ok(others) => format!("{}:{others}", folder.display()),
        Err(_) => folder.display().to_string(),
    };
    let mut environment = Environment::from([
        ("LD_LIBRARY_PATH".to_owned(), libraries),
        // Waiting threads sleep: three to five times less processor time on a busy machine.
        ("OMP_WAIT_POLICY".to_owned(), "PASSIVE".to_owned()),
        ("GOMP_SPINCOUNT".to_owned(), "0".to_owned()),
    ]);
    // The program names no symbol of the CUDA kernels, so the linker leaves them out; loaded first, they register themselves.
    let cuda = folder.join("libtorch_cuda.so");
    if Path::new("/dev/nvidia0").exists() && cuda.is_file() {
        environment.insert("LD_PRELOAD".to_owned(), cuda.display().to_string());
    }
    environment
}
