//! What a tour reports. Plain values.

use std::path::PathBuf;

use serde::Serialize;

use crate::{app::memory::MemoryFigures, base::Status, signal::percentiles};

/// What happened, as `play --headless --report` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct TourReport {
    pub scene: String,
    pub adapter: String,
    pub seconds: f64,
    pub frames: usize,
    pub frame_ms: FrameTimes,
    /// In phases that dream without pause.
    pub textures_dreamt: u64,
    pub views_per_second: f64,
    pub views_dropped: u64,
    pub percept_age_ms: Spread,
    pub inference_ms: Spread,
    pub provider: String,
    pub live: LiveFigures,
    /// How the ear was.
    pub ear: EarFigures,
    /// What the ear heard on the way.
    pub heard: Vec<HeardUtterance>,
    /// What was commanded on the way, and what came of it.
    pub commands: Vec<Errand>,
    /// What the companion said, with seconds of the tour.
    pub said: Vec<(f64, String)>,
    pub faults: Vec<String>,
    pub pictures: Vec<PathBuf>,
    /// Resident memory in MiB, every ten seconds.
    pub memory_mib: Vec<f64>,
    pub memory_mb: MemoryFigures,
}

/// One utterance that the ear heard.
#[derive(Clone, Debug, Serialize)]
pub struct HeardUtterance {
    /// Since the world began.
    pub seconds: f64,
    /// The file that was being spoken.
    pub file: String,
    /// The best phrase of the grammar; empty where none fits.
    pub text: String,
    /// What it was taken for: `Find(teapot)`; absent where it was no command.
    pub command: Option<String>,
    pub confidence: f32,
    /// From the ear's word that the voice was over to the command.
    pub waited_ms: f64,
}

/// How the ear was.
#[derive(Clone, Debug, Serialize)]
pub struct EarFigures {
    pub status: Status,
    /// Whether what the ear passes on is understood.
    pub hearing: Status,
    /// Files that the tour spoke into it.
    pub spoken: Vec<String>,
    /// Files that could not be spoken, and why.
    pub unheard: Vec<String>,
    /// Utterances begun, and those of them that broke off.
    pub utterances: u64,
    pub broken: u64,
    /// From the end of the last voice to the ear's word that it was over.
    pub hang_over_ms: Option<f64>,
}

/// One command and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Errand {
    /// Since the world began.
    pub seconds: f64,
    /// `Find(teapot)`.
    pub command: String,
    pub done: bool,
    pub answer: String,
}

/// Frame times per phase, milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FrameTimes {
    pub ai_on: Spread,
    pub ai_off: Spread,
    pub eyes_off: Spread,
    /// Eyes, inference and the generator of textures at work.
    pub dreaming: Spread,
}

/// Percentiles; all 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub count: usize,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let [p50, p95, p99] = percentiles(values, [0.5, 0.95, 0.99]);
        Self { count: values.len(), p50, p95, p99 }
    }
}

/// Precision, recall and F1 of what the companion saw on the way, against truth.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct LiveFigures {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub views: usize,
}
