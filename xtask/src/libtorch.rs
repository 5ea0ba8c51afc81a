//! PyTorch's CPU kernels for training without a graphics card: the wheel that the `tch` crate is made for.

use std::{path::Path, process::Command};

use crate::steps::{Environment, Result, output, run};

/// The only version that tch 0.22 links with.
const VERSION: &str = "2.9.0";

/// Brings PyTorch into a Python environment of its own under `runtime`; returns the variables that building and running
/// with it need.
pub fn bring(runtime: &Path) -> Result<Environment> {
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
    let library = answer.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let libraries = match std::env::var("LD_LIBRARY_PATH") {
        Ok(others) => format!("{library}:{others}"),
        Err(_) => library,
    };
    Ok(Environment::from([
        ("LIBTORCH_USE_PYTORCH".to_owned(), "1".to_owned()),
        ("PATH".to_owned(), path),
        ("LD_LIBRARY_PATH".to_owned(), libraries),
        // Waiting threads sleep: three to five times less processor time on a busy machine.
        ("OMP_WAIT_POLICY".to_owned(), "PASSIVE".to_owned()),
        ("GOMP_SPINCOUNT".to_owned(), "0".to_owned()),
    ]))
}
