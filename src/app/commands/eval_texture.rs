//! `umwelt eval texture`.

use std::path::PathBuf;

use clap::Args;

use super::training_run::RunArgs;

/// Arguments of `umwelt eval texture`.
#[derive(Debug, Args)]
pub struct TextureArgs {
    /// Photographs of materials: a judge learns from some of them and is tried on the others.
    #[arg(long, default_value = "../shared/data/textures_ambientcg128", value_name = "DIR")]
    pub photos: PathBuf,
    /// The model folder; `texture` beside the other models if it is left out.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A second model to hold the first against (`umwelt train texture --plain`).
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    /// Textures to dream, over all materials that the judge can tell apart.
    #[arg(long, default_value_t = 1000)]
    pub samples: usize,
    /// Backend, seed and threads of the judge; `--steps` it learns.
    #[command(flatten)]
    pub run_args: RunArgs,
}

#[cfg(feature = "train")]
pub use texture::run;

/// Runs the command.
///
/// # Errors
/// - always: this program was built without training, and a judge has to be trained
#[cfg(not(feature = "train"))]
pub fn run(_args: &TextureArgs) -> anyhow::Result<crate::app::Exit> {
    let remedy = "this program was built without training, and a judge has to be trained first; run `cargo run --release \
                  --features train -- eval texture …`";
    Err(crate::app::Lacking(remedy.into()).into())
}

#[cfg(feature = "train")]
mod texture {
    use std::{path::Path, sync::Arc};

    use anyhow::Context;
    use burn::tensor::backend::AutodiffBackend;
    use indicatif::{ProgressBar, ProgressStyle};
    use serde::Serialize;

    use super::TextureArgs;
    use crate::{
        app::{
            Exit, Lacking,
            commands::training_run::{Training, on_backend},
            inference_places::{library_places, models_folder},
        },
        base::Seed,
        evaluation::texture::{kernel_distance, mean_nearest_distance, mean_pairwise_distance},
        inference::{
            library,
            provider::{Provider, ProviderChoice, SessionSettings},
            session::ModelSession,
        },
        scene::{Mixture, Variation},
        signal::{percentiles, tiling::SeamEnergy},
        textures::Dreamer,
        training::{
            backend::TrainingBackend,
            texture_judge::{Judge, Verdict, train_judge},
            texture_photos::{MATERIALS, SIDE, read_photos},
        },
    };

    /// Steps that the judge learns, unless told otherwise.
    const JUDGE_STEPS: usize = 1500;
    /// Windows of each photograph that stand for it beside the whole.
    const WINDOWS: usize = 7;
    /// Share of a material's held-out photographs that the judge must know, for it to judge dreams of that material.
    const TELLABLE: f64 = 0.5;
    /// Side of the texture that is timed.
    const TIMED_SIZE: u32 = 256;
    const TIMED_RUNS: u64 = 24;

    /// What the command prints.
    #[derive(Debug, Serialize)]
    struct Figures {
        /// Share of held-out photographs whose material the judge names.
        judge_accuracy: f64,
        judged_materials: Vec<&'static str>,
        samples: usize,
        /// Share of dreams whose material the judge names as asked for.
        agreement: f64,
        /// Mean kernel distance to held-out photographs, of dreams and of the photographs learnt from.
        kid: f64,
        kid_photos: f64,
        kid_against: Option<f64>,
        /// Mean pairwise distance of dreams of one material over that of photographs.
        diversity: f64,
        /// Mean distance to the nearest photograph learnt from, of dreams over that of held-out photographs.
        nearest: f64,
        /// Gradient energy across the wrap over inside.
        seam: f64,
        /// Median of encoding, running and decoding at 256×256 on one core.
        ms_256: f64,
        per_material: Vec<MaterialFigures>,
    }

    #[derive(Debug, Serialize)]
    struct MaterialFigures {
        material: &'static str,
        judge_recall: f64,
        agreement: f64,
        kid: f64,
        kid_against: Option<f64>,
        diversity: f64,
    }

    /// Runs the command.
    ///
    /// # Errors
    /// - [`Lacking`] without ONNX Runtime or photographs; a model does not pass the door
    pub fn run(args: &TextureArgs) -> anyhow::Result<Exit> {
        on_backend(&args.run_args, args)
    }

    impl Training for &TextureArgs {
        fn train<B>(self, device: &B::Device) -> anyhow::Result<Exit>
        where
            B: AutodiffBackend + TrainingBackend,
            B::InnerBackend: TrainingBackend,
        {
            let figures = score::<B>(self, device)?;
            if self.run_args.json {
                println!("{}", serde_json::to_string(&figures)?);
            } else {
                print_figures(&figures);
            }
            Ok(Exit::Done)
        }
    }

    fn score<B>(args: &TextureArgs, device: &B::Device) -> anyhow::Result<Figures>
    where
        B: AutodiffBackend + TrainingBackend,
        B::InnerBackend: TrainingBackend,
    {
        let seed = Seed(args.run_args.seed);
        let mut model = open(args.model.as_deref().unwrap_or(&models_folder().join("texture")))?;
        let mut against = args.against.as_deref().map(open).transpose()?;
        let photos =
            read_photos(&args.photos).map_err(|error| Lacking(format!("no photographs to judge by: {error:#}")))?;
        let photos = Arc::new(photos);
        let bar = bar(args.run_args.steps.unwrap_or(JUDGE_STEPS), "the judge learns")?;
        let judge = train_judge::<B>(&photos, args.run_args.steps.unwrap_or(JUDGE_STEPS), seed, device, || bar.inc(1))?;
        bar.finish_and_clear();
        let look = |pictures: &[Vec<f32>]| judge.look(pictures, device);

        let held_out: Vec<Vec<Verdict>> = photos
            .iter()
            .map(|set| look(&set.held_out.iter().map(|photo| photo.whole()).collect::<Vec<_>>()))
            .collect();
        let right = |verdicts: &[Verdict], material: usize| verdicts.iter().filter(|v| v.material == material).count();
        let (rights, all) = held_out.iter().enumerate().fold((0, 0), |(rights, all), (material, verdicts)| {
            (rights + right(verdicts, material), all + verdicts.len())
        });
        let recall =
            |material: usize| right(&held_out[material], material) as f64 / held_out[material].len().max(1) as f64;
        let judged: Vec<usize> = (0..MATERIALS.len())
            .filter(|&material| held_out[material].len() >= 2 && recall(material) >= TELLABLE)
            .collect();
        anyhow::ensure!(!judged.is_empty(), "the judge cannot tell any materials apart; give it more --steps");

        let each = args.samples.div_ceil(judged.len()).max(2);
        let bar = self::bar(each * judged.len() * (1 + usize::from(against.is_some())), "textures dreamt")?;
        let mut seam = SeamEnergy::default();
        let mut per_material = Vec::new();
        let (mut agreed, mut diversity, mut nearest) = (0, [0.0; 2], [0.0; 2]);
        let mut kid_photos = 0.0;
        for &material in &judged {
            let name = MATERIALS[material].name;
            let verdicts = dreams(&mut model, &judge, name, each, seed, device, &bar, &mut seam)?;
            let others = match &mut against {
                Some(other) => Some(dreams(other, &judge, name, each, seed, device, &bar, &mut SeamEnergy::default())?),
                None => None,
            };
            let [train, held] = [&photos[material].train, &photos[material].held_out].map(|photos| {
                let mut rng = seed.derive("windows to compare with").nth(material as u64).rng();
                let windows: Vec<Vec<f32>> = photos
                    .iter()
                    .flat_map(|photo| {
                        let drawn: Vec<_> = (0..WINDOWS).map(|_| photo.draw(&MATERIALS[material], &mut rng)).collect();
                        drawn.into_iter().chain([photo.whole()])
                    })
                    .collect();
                features(&look(&windows))
            });
            let dreamt = features(&verdicts);
            let count = right(&verdicts, material);
            agreed += count;
            let kid_against = others.map(|verdicts| kernel_distance(&features(&verdicts), &held));
            let real = mean_pairwise_distance(&[train.clone(), held.clone()].concat());
            let varied = mean_pairwise_distance(&dreamt);
            diversity = [diversity[0] + varied, diversity[1] + real];
            nearest[0] += mean_nearest_distance(&dreamt, &train);
            nearest[1] += mean_nearest_distance(&held, &train);
            kid_photos += kernel_distance(&train, &held);
            per_material.push(MaterialFigures {
                material: name,
                judge_recall: recall(material),
                agreement: count as f64 / each as f64,
                kid: kernel_distance(&dreamt, &held),
                kid_against,
                diversity: varied / real,
            });
        }
        bar.finish_and_clear();
        let count = judged.len() as f64;
        let mean = |value: fn(&MaterialFigures) -> f64| per_material.iter().map(value).sum::<f64>() / count;
        Ok(Figures {
            judge_accuracy: rights as f64 / all.max(1) as f64,
            judged_materials: judged.iter().map(|&material| MATERIALS[material].name).collect(),
            samples: each * judged.len(),
            agreement: agreed as f64 / (each * judged.len()) as f64,
            kid: mean(|figures| figures.kid),
            kid_photos: kid_photos / count,
            kid_against: against.is_some().then(|| mean(|figures| figures.kid_against.unwrap_or(0.0))),
            diversity: diversity[0] / diversity[1],
            nearest: nearest[0] / nearest[1],
            seam: seam.ratio(),
            ms_256: milliseconds(&mut model)?,
            per_material,
        })
    }

    fn bar(length: usize, what: &str) -> anyhow::Result<ProgressBar> {
        let bar = ProgressBar::new(length as u64);
        bar.set_style(ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {what}, {{eta}} left"))?);
        Ok(bar)
    }

    fn features(verdicts: &[Verdict]) -> Vec<Vec<f32>> {
        verdicts.iter().map(|verdict| verdict.features.clone()).collect()
    }

    /// Dreams of one material as the judge sees them.
    fn dreams<B: TrainingBackend>(
        model: &mut Dreamer,
        judge: &Judge<B>,
        name: &str,
        count: usize,
        seed: Seed,
        device: &B::Device,
        bar: &ProgressBar,
        seam: &mut SeamEnergy,
    ) -> anyhow::Result<Vec<Verdict>> {
        let mut pictures = Vec::with_capacity(count);
        for index in 0..count {
            let variation = Variation::of(seed.derive(name).nth(index as u64));
            let maps = model.dream(&Mixture::pure(name), variation, SIDE as u32)?.maps;
            *seam = seam.plus(maps.seam());
            pictures.push(maps.base_color.iter().flatten().map(|value| 2.0 * value - 1.0).collect::<Vec<f32>>());
            bar.inc(1);
        }
        Ok(judge.look(&pictures, device))
    }

    /// A generator through ONNX Runtime, on one core: the path that play takes.
    fn open(folder: &Path) -> anyhow::Result<Dreamer> {
        let runtime = library::load(&library_places()).map_err(|error| Lacking(error.to_string()))?;
        let provider = ProviderChoice::Named(Provider::Cpu);
        let settings = SessionSettings { provider, intra_threads: 1, ..Default::default() };
        let session = ModelSession::open(runtime, folder, &settings)?;
        Dreamer::new(session).with_context(|| folder.display().to_string())
    }

    /// Median of drawing the inputs, running and checking, on one core.
    fn milliseconds(model: &mut Dreamer) -> anyhow::Result<f64> {
        let mixture = Mixture::pure(&model.generator().labels[0]);
        let times = (0..TIMED_RUNS)
            .map(|index| Ok(model.dream(&mixture, Variation::of(Seed(index)), TIMED_SIZE)?.ms))
            .collect::<anyhow::Result<Vec<f64>>>()?;
        Ok(percentiles(&times, [0.5])[0])
    }

    fn print_figures(figures: &Figures) {
        println!(
            "{:<12} {:>12} {:>9} {:>8} {:>12} {:>9}",
            "material", "judge recall", "agreement", "KID", "KID against", "diversity"
        );
        for row in &figures.per_material {
            let against = row.kid_against.map_or_else(|| "–".to_owned(), |kid| format!("{kid:.3}"));
            println!(
                "{:<12} {:>12.2} {:>9.2} {:>8.3} {:>12} {:>9.2}",
                row.material, row.judge_recall, row.agreement, row.kid, against, row.diversity
            );
        }
        println!(
            "\njudge: {:.3} of held-out photographs named, {} of {} materials told apart",
            figures.judge_accuracy,
            figures.judged_materials.len(),
            MATERIALS.len()
        );
        println!("agreement {:.3} on {} textures; seam {:.3}", figures.agreement, figures.samples, figures.seam);
        println!("KID to held-out photographs {:.4} (photographs learnt from: {:.4})", figures.kid, figures.kid_photos);
        if let Some(against) = figures.kid_against {
            println!("KID of the other model {against:.4}: this one has {:.2} of it", figures.kid / against);
        }
        println!("diversity {:.2} of the photographs'", figures.diversity);
        println!("nearest photograph learnt from {:.2} as far as from held-out photographs", figures.nearest);
        println!("256×256: {:.1} ms on one core", figures.ms_256);
    }
}
