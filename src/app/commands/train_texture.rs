//! `umwelt train texture`.

use std::path::PathBuf;

use clap::Args;

use super::training_run::RunArgs;

/// Arguments of `umwelt train texture`.
#[derive(Debug, Args)]
pub struct TextureArgs {
    /// Photographs of materials: a folder for each kind.
    #[arg(long, default_value = "../shared/data/textures_ambientcg128", value_name = "DIR")]
    pub photos: PathBuf,
    /// Train the same networks in the classic way (DCGAN), for comparison.
    #[arg(long)]
    pub plain: bool,
    /// The model folder to write.
    #[arg(long, default_value = "models/texture", value_name = "DIR")]
    pub out: PathBuf,
    /// Where checkpoints and pictures of the progress are kept; an unfinished run found there goes on.
    #[arg(long, default_value = "target/training/texture", value_name = "DIR")]
    pub run: PathBuf,
    #[command(flatten)]
    pub run_args: RunArgs,
}

#[cfg(feature = "train")]
pub use texture::run;

#[cfg(feature = "train")]
mod texture {
    use std::sync::Arc;

    use anyhow::Context;
    use burn::{module::Module, tensor::backend::AutodiffBackend};
    use image::{Rgb, RgbImage};
    use serde_json::json;

    use super::TextureArgs;
    use crate::{
        app::{
            Exit,
            commands::training_run::{RunBar, Training, on_backend, stop_on_signal},
        },
        base::Seed,
        training::{
            backend::TrainingBackend,
            checkpoint,
            texture_model::write_texture,
            texture_net::{Generator, MAPS, TextureShape},
            texture_photos::{MATERIALS, PhotoSet, SIDE, read_photos},
            texture_training::{Recipe, TexturePoint, TextureSettings, pure, train_texture, wish},
        },
    };

    /// Runs the command.
    ///
    /// # Errors
    /// - this program was built without the backend that was asked for
    /// - the photographs cannot be read, or the model folder or a checkpoint cannot be written
    pub fn run(args: &TextureArgs) -> anyhow::Result<Exit> {
        on_backend(&args.run_args, args)
    }

    impl Training for &TextureArgs {
        fn train<B>(self, device: &B::Device) -> anyhow::Result<Exit>
        where
            B: AutodiffBackend + TrainingBackend,
            B::InnerBackend: TrainingBackend,
        {
            let args = self;
            let run_args = &args.run_args;
            if run_args.fresh {
                for part in ["generator", "critic"] {
                    checkpoint::remove(&args.run.join(part))?;
                }
            }
            let photos = read_photos(&args.photos)?;
            let mut settings = TextureSettings::new(if args.plain { Recipe::Plain } else { Recipe::Paired });
            settings.seed = Seed(run_args.seed);
            settings.budget = run_args.budget().unwrap_or(settings.budget);
            settings.batch = run_args.batch.unwrap_or(settings.batch);
            let stop = stop_on_signal();
            let bar = RunBar::new()?;
            let shape = settings.shape.clone();
            let card = |curve: &[TexturePoint], parameters| card(args, &settings, &photos, parameters, curve);
            let mut look = |net: &Generator<B::InnerBackend>, step: usize| {
                let path = args.run.join(format!("panel-{step:07}.png"));
                panel(net, &shape, device)?.save(&path).with_context(|| format!("writing {}", path.display()))
            };
            let (net, curve) = train_texture::<B>(
                &settings,
                Arc::new(photos.clone()),
                &args.run,
                device,
                &stop,
                &mut look,
                &mut |report| {
                    bar.show(&report, |point| {
                        let TexturePoint { step, seconds, critic, generator } = point;
                        let minutes = seconds / 60.0;
                        format!("step {step:6}  {minutes:5.1} min  critic {critic:.3}  generator {generator:.3}")
                    });
                },
            )?;
            if bar.finish(&stop, &args.run) {
                return Ok(Exit::Done);
            }
            let parameters = net.num_params();
            write_texture(&args.out, &net, &shape, settings.seed, &card(&curve, parameters))?;
            let steps = curve.last().map_or(0, |point| point.step);
            if run_args.json {
                println!("{}", json!({"model": args.out, "steps": steps, "parameters": parameters, "curve": curve}));
            } else {
                println!("wrote {} after {steps} steps", args.out.display());
            }
            Ok(Exit::Done)
        }
    }

    /// Pictures of each material on a panel, beside height and roughness of the last.
    const EXAMPLES: usize = 6;

    /// The same wishes at each look: a row for each material.
    fn panel<B: TrainingBackend>(
        net: &Generator<B>,
        shape: &TextureShape,
        device: &B::Device,
    ) -> anyhow::Result<RgbImage> {
        let side = SIDE as u32;
        let mut picture = RgbImage::new((EXAMPLES as u32 + 2) * side, MATERIALS.len() as u32 * side);
        B::seed(device, Seed(1).derive("panel").0);
        for row in 0..MATERIALS.len() {
            let material = pure::<B>(&[row; EXAMPLES], shape.materials, device);
            let maps: Vec<f32> = net.forward(wish(material, shape, SIDE)).into_data().iter::<f32>().collect();
            for (index, maps) in maps.chunks_exact(MAPS * SIDE * SIDE).enumerate() {
                for (pixel, at) in (0..SIDE * SIDE).map(|at| (at as u32, at)) {
                    let value = |map: usize| (maps[map * SIDE * SIDE + at] * 255.0).round() as u8;
                    let (x, y) = (pixel % side, row as u32 * side + pixel / side);
                    picture.put_pixel(index as u32 * side + x, y, Rgb([value(0), value(1), value(2)]));
                    if index == EXAMPLES - 1 {
                        picture.put_pixel(EXAMPLES as u32 * side + x, y, Rgb([value(3); 3]));
                        picture.put_pixel((EXAMPLES as u32 + 1) * side + x, y, Rgb([value(4); 3]));
                    }
                }
            }
        }
        Ok(picture)
    }

    fn card(
        args: &TextureArgs,
        settings: &TextureSettings,
        photos: &[PhotoSet],
        parameters: usize,
        curve: &[TexturePoint],
    ) -> String {
        let counts: Vec<String> = MATERIALS
            .iter()
            .zip(photos)
            .map(|(material, set)| format!("{} {} ({})", material.name, set.train.len(), set.held_out.len()))
            .collect();
        let (steps, minutes) = curve.last().map_or((0, 0.0), |point| (point.step, point.seconds / 60.0));
        format!(
            "# Texture\n\n\
             Surfaces of {} materials that tile without a seam: base colour, height, roughness, metalness.\n\n\
             - Inputs: `material` [1, {}] f32, weights of a mixture, sum 1; `style` [1, {}], `latent` [1, {}, h, w] and `grain` \
             [1, 1, 32 h, 32 w], standard normal. Outputs, 0 to 1: `base_color` [1, 3, 32 h, 32 w] (sRGB), `height`, \
             `roughness`, `metalness` [1, 1, 32 h, 32 w]. Every number of cells tiles by construction: all convolutions wrap \
             around.\n\
             - Network: {parameters} parameters; convolutions, nearest doubling, modulation by material and style.\n\
             - Data: photographs of ambientCG (CC0), 128 pixels, base colour only; pictures learnt from (held out): {}. Height, \
             roughness and metalness are *estimated* from the photographs' brightness and from what is known of each material \
             (`training::texture_maps`): nobody measured them.\n\
             - Training: `umwelt train texture{}`, seed {}, batch {}, {steps} steps, {minutes:.0} minutes.\n\
             - Licence: MIT.\n",
            MATERIALS.len(),
            settings.shape.materials,
            settings.shape.style,
            settings.shape.latent,
            counts.join(", "),
            if args.plain { " --plain" } else { "" },
            args.run_args.seed,
            settings.batch,
        )
    }
}
