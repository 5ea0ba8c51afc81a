//! `umwelt bench`: frame time with AI on and off, sensor rate, model latency and what a sound at a place costs, in one run on one
//! machine. With `--vr` the frames are those of a headset (`bench_vr`).

use std::{fs, path::PathBuf, time::Instant};

use anyhow::Context as _;
use bevy::math::{UVec2, Vec3};
use clap::Args;
use image::RgbImage;
use serde::Serialize;

use super::{
    bench_vr,
    play::{SIDES, TOUR_SECONDS, find_scene},
};
use crate::{
    app::{
        Exit, WrongCall,
        inference_places::InferenceArgs,
        tour::{FrameTimes, Phase, Spread, TourReport, TourSettings, take_tour},
    },
    base::Tick,
    inference::{Models, session::ModelSession},
    percepts::{TASK, detector_request},
    sensors::EarSource,
    signal::{
        binaural::{BLOCK, Binaural, Placement},
        head_responses::{self, HeadResponses},
        percentiles,
    },
};

/// Arguments of `umwelt bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Scene file, or the name of one in `assets/scenes`.
    #[arg(long, default_value = "atelier")]
    pub(super) scene: String,
    /// Length of the measured tour.
    #[arg(long, default_value_t = 60.0)]
    pub(super) seconds: f64,
    /// Frames of a headset instead; needs an OpenXR runtime that has one.
    #[arg(long)]
    vr: bool,
    /// Size of the player's view.
    #[arg(long, default_value_t = 640)]
    width: u32,
    #[arg(long, default_value_t = 360)]
    height: u32,
    /// Answer with one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// Folder for the tour's pictures.
    #[arg(long, default_value = "bench")]
    out: PathBuf,
    #[command(flatten)]
    pub(super) inference: InferenceArgs,
}

/// What `umwelt bench --json` answers.
#[derive(Debug, Serialize)]
struct Figures {
    machine: String,
    adapter: String,
    provider: String,
    frame_ms: FrameTimes,
    /// p99 frame time with inference on ÷ off, eyes rendering in both.
    inference_ratio: f64,
    /// p99 frame time with eyes and inference on ÷ both off.
    full_ratio: f64,
    /// p99 frame time while textures of the largest size are dreamt ÷ while none is; absent where none was made.
    dream_ratio: Option<f64>,
    textures_dreamt: u64,
    views_per_second: f64,
    percept_age_ms: Spread,
    model: Option<ModelFigures>,
    /// Processor time of one sound at a place that moves about the head, per second of sound.
    sound_ms_per_second: f64,
    memory_mib: Vec<f64>,
}

/// The detector on one picture, milliseconds, medians.
#[derive(Debug, Serialize)]
struct ModelFigures {
    /// Through the worker: submit, encode, run, decode.
    whole_ms: f64,
    /// ONNX Runtime's `Session::run` alone, on a tensor that is ready, nothing checked and nothing copied.
    run_ms: f64,
    ratio: f64,
}

/// Phases short enough that each place of the walk is seen in all of them.
const CYCLE: [(Phase, f64); 4] =
    [(Phase::AiOn, 4.0), (Phase::AiOff, 4.0), (Phase::EyesOff, 4.0), (Phase::Dreaming, 4.0)];
const MODEL_RUNS: usize = 60;

/// Runs the command.
///
/// # Errors
/// - as [`take_tour`]
/// - with `--vr`: as [`bench_vr::run`]
pub fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    if !TOUR_SECONDS.contains(&args.seconds) {
        return Err(WrongCall("a benchmark takes 1 to 86400 seconds".to_owned()).into());
    }
    if args.vr {
        return bench_vr::run(&args);
    }
    if ![args.width, args.height].iter().all(|side| SIDES.contains(side)) {
        return Err(WrongCall("the view's sides are 64 to 16384 pixels".to_owned()).into());
    }
    let inference = args.inference.settings();
    let model = measure_model(&inference)?;
    let tour = take_tour(&TourSettings {
        scene: find_scene(&args.scene)?,
        inference,
        ear: EarSource::Nothing("a benchmark has no ear".to_owned()),
        seconds: args.seconds,
        out: args.out,
        view: UVec2::new(args.width, args.height),
        cycle: CYCLE.to_vec(),
        find: "teapot".to_owned(),
    })?;
    let figures = figures(tour, model);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", as_text(&figures));
    }
    Ok(Exit::Done)
}

fn figures(tour: TourReport, model: Option<ModelFigures>) -> Figures {
    let ratio = |above: Spread, below: Spread| if below.p99 > 0.0 { above.p99 / below.p99 } else { 0.0 };
    Figures {
        machine: machine(),
        adapter: tour.adapter,
        provider: tour.provider,
        inference_ratio: ratio(tour.frame_ms.ai_on, tour.frame_ms.ai_off),
        full_ratio: ratio(tour.frame_ms.ai_on, tour.frame_ms.eyes_off),
        dream_ratio: (tour.textures_dreamt > 0).then(|| ratio(tour.frame_ms.dreaming, tour.frame_ms.ai_on)),
        textures_dreamt: tour.textures_dreamt,
        frame_ms: tour.frame_ms,
        views_per_second: tour.views_per_second,
        percept_age_ms: tour.percept_age_ms,
        model,
        sound_ms_per_second: measure_sound(),
        memory_mib: tour.memory_mib,
    }
}

/// Runs the detector alternately through its worker and bare, so that both see the same machine.
fn measure_model(settings: &crate::inference::InferenceSettings) -> anyhow::Result<Option<ModelFigures>> {
    let models = Models::open(settings.clone());
    models.wait_until_loaded();
    let (Some(worker), Ok(runtime)) = (models.for_task(TASK), models.runtime()) else { return Ok(None) };
    let folder = settings.models.join(worker.status().name);
    let mut session = ModelSession::open(runtime, &folder, &settings.session).context("opening the detector")?;
    let picture = RgbImage::from_fn(320, 320, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let inputs = detector_request::encode(&picture, session.manifest());
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..MODEL_RUNS {
        let started = Instant::now();
        let (encoded, size) = (picture.clone(), [picture.width(), picture.height()]);
        worker.run_blocking(
            Tick(0),
            move |manifest| detector_request::encode(&encoded, manifest),
            move |outputs, manifest| {
                let least = detector_request::min_confidence(manifest);
                detector_request::decode(outputs, manifest, size, least).map(|found| found.len())
            },
        )?;
        whole.push(started.elapsed().as_secs_f64() * 1e3);
        bare.push(session.time_bare_run(&inputs)?.as_secs_f64() * 1e3);
    }
    let ([whole_ms], [run_ms]) = (percentiles(&whole, [0.5]), percentiles(&bare, [0.5]));
    Ok(Some(ModelFigures { whole_ms, run_ms, ratio: whole_ms / run_ms }))
}

/// Ten seconds of a sound that goes round the head twice a second, so that every block is a crossfade.
fn measure_sound() -> f64 {
    const SECONDS: usize = 10;
    let blocks = SECONDS * head_responses::RATE_HZ as usize / BLOCK;
    let place = |index: usize| {
        let angle = std::f32::consts::TAU * 2.0 * (index * BLOCK) as f32 / head_responses::RATE_HZ as f32;
        Placement { direction: Vec3::new(angle.sin(), 0.2, -angle.cos()).normalize(), gain: 1.0 }
    };
    let mut binaural = Binaural::new(HeadResponses::kemar(), place(0));
    let started = Instant::now();
    for index in 0..blocks {
        let block = std::array::from_fn(|n| ((index + 7 * n) % 64) as f32 / 64.0);
        std::hint::black_box(binaural.render(&block, place(index)));
    }
    started.elapsed().as_secs_f64() * 1e3 / SECONDS as f64
}

/// Processor and number of cores.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let name = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split(':').nth(1)?.trim().to_owned())
    });
    format!("{}, {cores} cores", name.unwrap_or_else(|| std::env::consts::ARCH.to_owned()))
}

fn as_text(figures: &Figures) -> String {
    let row = |name: &str, spread: Spread| {
        format!("  {name:<22}{:>8.1} {:>8.1} {:>8.1}   ({} frames)\n", spread.p50, spread.p95, spread.p99, spread.count)
    };
    let mut text = format!("{}\n{} · inference on {}\n\n", figures.machine, figures.adapter, figures.provider);
    text += "frame time, ms              p50      p95      p99\n";
    text += &row("eyes and inference", figures.frame_ms.ai_on);
    text += &row("eyes only", figures.frame_ms.ai_off);
    text += &row("neither", figures.frame_ms.eyes_off);
    text += &row("all, and dreaming", figures.frame_ms.dreaming);
    text += &format!("\ninference on ÷ off, p99  {:.2}\n", figures.inference_ratio);
    text += &format!("all on ÷ all off, p99    {:.2}\n", figures.full_ratio);
    if let Some(dreaming) = figures.dream_ratio {
        text += &format!("dreaming ÷ all on, p99   {dreaming:.2} ({} textures)\n", figures.textures_dreamt);
    }
    text += &format!("views per second         {:.1}\n", figures.views_per_second);
    text += &format!(
        "percept age, ms          {:.0} (p95 {:.0})\n",
        figures.percept_age_ms.p50, figures.percept_age_ms.p95
    );
    if let Some(model) = &figures.model {
        text += &format!(
            "detector, ms             {:.1} whole, {:.1} run alone, ratio {:.2}\n",
            model.whole_ms, model.run_ms, model.ratio
        );
    }
    if let (Some(first), Some(last)) = (figures.memory_mib.first(), figures.memory_mib.last()) {
        text += &format!("memory, MiB              {first:.0} at first, {last:.0} at last\n");
    }
    text += &format!("a sound at a place       {:.1} ms per second of it\n", figures.sound_ms_per_second);
    text
}
