//! What every `umwelt train …` has in common: budget, seed, backend, stopping, the bar.

use clap::{Args, ValueEnum};

/// Arguments of every training.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Tensor library; the quickest that this program was built with, if it is left out.
    #[arg(long, value_enum)]
    pub backend: Option<BackendName>,
    /// Train for so many minutes (pauses between stop and resumption not counted) …
    #[arg(long, conflicts_with = "steps")]
    pub minutes: Option<f64>,
    /// … or for so many steps, which gives the same weights on every run of one machine.
    #[arg(long)]
    pub steps: Option<usize>,
    /// Seed of everything drawn at random.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Examples a step; the preset's if it is left out.
    #[arg(long)]
    pub batch: Option<usize>,
    /// CPU threads of the tensor library.
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Begin anew even if there is an unfinished run.
    #[arg(long)]
    pub fresh: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendName {
    /// Pure Rust on the CPU.
    Flex,
    /// libtorch (feature `train-tch`): on an NVIDIA GPU where the library and the machine have it, else on the CPU.
    Tch,
    /// Any GPU (feature `train-wgpu`).
    Wgpu,
    /// An NVIDIA GPU (feature `train-cuda`).
    Cuda,
}

#[cfg(feature = "train")]
pub use running::{RunBar, Training, on_backend, stop_on_signal};

#[cfg(feature = "train")]
mod running {
    use std::{
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    #[cfg(not(feature = "train-tch"))]
    use burn::backend::Flex;
    use burn::{backend::Autodiff, tensor::backend::AutodiffBackend};
    use indicatif::{ProgressBar, ProgressStyle};

    use super::{BackendName, RunArgs};
    use crate::{
        app::{Exit, Lacking},
        training::{backend::TrainingBackend, fitting::Report, schedule::Budget},
    };

    impl RunArgs {
        /// The budget that was asked for, if any.
        pub fn budget(&self) -> Option<Budget> {
            Budget::given(self.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes)), self.steps)
        }
    }

    /// A training on any backend.
    pub trait Training {
        /// # Errors
        /// - the data cannot be read, or what comes of them cannot be written
        fn train<B>(self, device: &B::Device) -> anyhow::Result<Exit>
        where
            B: AutodiffBackend + TrainingBackend,
            B::InnerBackend: TrainingBackend;
    }

    /// Runs the training on the backend that was asked for.
    ///
    /// # Errors
    /// - this program was built without the backend
    /// - what [`Training::train`] says
    pub fn on_backend(args: &RunArgs, training: impl Training) -> anyhow::Result<Exit> {
        let default = if cfg!(feature = "train-tch") { BackendName::Tch } else { BackendName::Flex };
        match args.backend.unwrap_or(default) {
            // Every backend compiles each training once more, and with libtorch at hand nobody asks for the slow one.
            #[cfg(not(feature = "train-tch"))]
            BackendName::Flex => training.train::<Autodiff<Flex>>(&Default::default()),
            #[cfg(feature = "train-tch")]
            BackendName::Tch => {
                use burn::backend::libtorch::{LibTorch, LibTorchDevice};
                tch::set_num_threads(args.threads as i32);
                // A libtorch with CUDA kernels is used where it finds a card; the others have the processor only.
                let device = if tch::Cuda::is_available() { LibTorchDevice::Cuda(0) } else { LibTorchDevice::Cpu };
                tch::Cuda::cudnn_set_benchmark(true);
                training.train::<Autodiff<LibTorch>>(&device)
            }
            #[cfg(feature = "train-wgpu")]
            BackendName::Wgpu => training.train::<Autodiff<burn::backend::Wgpu>>(&Default::default()),
            #[cfg(feature = "train-cuda")]
            BackendName::Cuda => training.train::<Autodiff<burn::backend::Cuda>>(&Default::default()),
            #[allow(unreachable_patterns)]
            other => Err(Lacking(format!(
                "this program was built without the backend {other:?}; build with `--features {}`",
                match other {
                    BackendName::Flex => "train` and without `train-tch".to_owned(),
                    other => format!("train-{}", format!("{other:?}").to_lowercase()),
                }
            ))
            .into()),
        }
    }

    /// A flag that the first interruption (Ctrl+C) raises.
    pub fn stop_on_signal() -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // Already taken where a test runs two commands in one process: then the process just ends on a signal.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        stop
    }

    /// The bar of a training that is under way.
    pub struct RunBar(ProgressBar);

    impl RunBar {
        /// # Errors
        /// - none in practice: the bar's template is fixed
        pub fn new() -> anyhow::Result<Self> {
            let bar = ProgressBar::new(1000);
            bar.set_style(ProgressStyle::with_template("{bar:30} {percent} % {elapsed} {msg}")?);
            Ok(Self(bar))
        }

        /// Shows a report; `line` says what a validation found.
        pub fn show<P>(&self, report: &Report<P>, line: impl FnOnce(&P) -> String) {
            match report {
                Report::Step { step, spent, loss, rate } => {
                    self.0.set_position((spent * 1000.0) as u64);
                    self.0.set_message(format!("step {step} loss {loss:.3} rate {rate:.5}"));
                }
                Report::Validated(point) => self.0.suspend(|| eprintln!("{}", line(point))),
            }
        }

        /// Takes the bar away. True if the training was stopped, and then says how to go on: half a training is no model.
        pub fn finish(self, stop: &AtomicBool, run_folder: &Path) -> bool {
            self.0.finish_and_clear();
            let stopped = stop.load(Ordering::Relaxed);
            if stopped {
                eprintln!("stopped, no model is written; the same command goes on from {}", run_folder.display());
            }
            stopped
        }
    }
}
