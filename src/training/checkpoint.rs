//! A training on disk: stop it, and go on where it was.
//!
//! `net`, `average`, `optimizer` and `best` are burn records; `progress.json` is written last and says that the rest is
//! whole. Every file is written beside its final name and then moved there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use burn::{
    module::{AutodiffModule, Module},
    optim::Optimizer,
    record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder},
    tensor::backend::{AutodiffBackend, Backend},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const PROGRESS_FILE: &str = "progress.json";

/// How far a training has come; `P` is a point of its learning curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress<P> {
    pub step: usize,
    /// Seconds at work.
    pub seconds: f64,
    pub curve: Vec<P>,
    /// Best score on validation data so far; more is better.
    pub best: Option<f64>,
    /// Validations since then.
    pub since_best: usize,
}

impl<P> Default for Progress<P> {
    fn default() -> Self {
        Self { step: 0, seconds: 0.0, curve: Vec::new(), best: None, since_best: 0 }
    }
}

impl<P> Progress<P> {
    /// Adds a point to the curve; true if its score (more is better) is the best so far.
    pub fn take_in(&mut self, point: P, score: f64) -> bool {
        self.curve.push(point);
        let better = self.best.is_none_or(|best| score > best);
        if better {
            self.best = Some(score);
            self.since_best = 0;
        } else {
            self.since_best += 1;
        }
        better
    }
}

/// The progress in `folder`; `None` where there is none.
///
/// # Errors
/// - the file cannot be read or is not of this format
pub fn load_progress<P: DeserializeOwned>(folder: &Path) -> anyhow::Result<Option<Progress<P>>> {
    let path = folder.join(PROGRESS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text)
        .map(Some)
        .with_context(|| format!("{} is not a checkpoint of this version", path.display()))
}

/// Writes everything that [`load`] needs.
///
/// # Errors
/// - the folder cannot be made or written
pub fn save<B, M, O, P>(
    folder: &Path,
    net: &M,
    average: &M::InnerModule,
    optimizer: &O,
    progress: &Progress<P>,
) -> anyhow::Result<()>
where
    B: AutodiffBackend,
    M: AutodiffModule<B>,
    O: Optimizer<M, B>,
    P: Serialize,
{
    write_record::<B, _>(folder, "net", net.clone().into_record())?;
    write_record::<B::InnerBackend, _>(folder, "average", average.clone().into_record())?;
    write_record::<B, _>(folder, "optimizer", optimizer.to_record())?;
    write(&folder.join(PROGRESS_FILE), serde_json::to_string_pretty(progress)?.as_bytes())
}

/// Reads what [`save`] wrote into a network, average and optimizer of the same make.
///
/// # Errors
/// - a file is missing or of another network
pub fn load<B, M, O>(
    folder: &Path,
    net: M,
    average: M::InnerModule,
    optimizer: O,
    device: &B::Device,
) -> anyhow::Result<(M, M::InnerModule, O)>
where
    B: AutodiffBackend,
    M: AutodiffModule<B>,
    O: Optimizer<M, B>,
{
    let net = net.load_record(read_record::<B, _>(folder, "net", device)?);
    let average = average.load_record(read_record::<B::InnerBackend, _>(folder, "average", device)?);
    let optimizer = optimizer.load_record(read_record::<B, _>(folder, "optimizer", device)?);
    Ok((net, average, optimizer))
}

/// Keeps the best network so far.
///
/// # Errors
/// - the folder cannot be made or written
pub fn save_best<B: Backend, M: Module<B>>(folder: &Path, net: &M) -> anyhow::Result<()> {
    write_record::<B, _>(folder, "best", net.clone().into_record())
}

/// The best network so far, into one of the same make.
///
/// # Errors
/// - there is none, or it is of another make
pub fn load_best<B: Backend, M: Module<B>>(folder: &Path, net: M, device: &B::Device) -> anyhow::Result<M> {
    Ok(net.load_record(read_record::<B, _>(folder, "best", device)?))
}

/// Removes what [`save`] and [`save_best`] wrote; other files stay.
///
/// # Errors
/// - a file cannot be removed
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    let records = ["net", "average", "optimizer", "best"].map(|name| record_path(folder, name));
    for path in [folder.join(PROGRESS_FILE)].into_iter().chain(records) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn record_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.mpk"))
}

fn write_record<B: Backend, R: Record<B>>(folder: &Path, name: &str, record: R) -> anyhow::Result<()> {
    let bytes = NamedMpkBytesRecorder::<FullPrecisionSettings>::default()
        .record(record, ())
        .map_err(|error| anyhow!("packing {name}: {error}"))?;
    write(&record_path(folder, name), &bytes)
}

fn read_record<B: Backend, R: Record<B>>(folder: &Path, name: &str, device: &B::Device) -> anyhow::Result<R> {
    let path = record_path(folder, name);
    let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    NamedMpkBytesRecorder::<FullPrecisionSettings>::default()
        .load(bytes, device)
        .map_err(|error| anyhow!("{} does not fit this network: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let beside = path.with_extension("part");
    fs::write(&beside, bytes).with_context(|| format!("writing {}", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("moving {} into place", beside.display()))
}
