//! `umwelt dream`: one texture of a material as pictures, or a contact sheet of many.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context as _;
use clap::Args;
use image::{ExtendedColorType, ImageFormat, RgbImage};
use indicatif::ProgressBar;
use serde_json::json;

use crate::{
    app::{
        Exit, Lacking, WrongCall, annotate, asset_folder,
        dream_materials::generator_folder,
        inference_places::{library_places, models_folder, webgpu_plugin},
    },
    base::Seed,
    inference::{
        library,
        models::is_model_folder,
        provider::{ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    scene::{Mixture, Variation},
    textures::{Dreamer, Generator, Texture, TextureName, check_size, preview},
};

/// Arguments of `umwelt dream`.
#[derive(Debug, Args)]
pub struct DreamArgs {
    /// What the surface is made of; `--list` tells the names.
    material: Option<String>,
    /// Which of the many surfaces of that material.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Side of the texture in texels, a multiple of 32.
    #[arg(long, default_value_t = 256, value_name = "TEXELS")]
    size: u32,
    /// Mix another material in, with its share: `moss:0.3`. May be given several times.
    #[arg(long, value_name = "MATERIAL:SHARE", value_parser = parse_share)]
    mix: Vec<(String, f32)>,
    /// Folder for the pictures; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A contact sheet instead: a row for each material (all, or the one named), a column for each seed.
    #[arg(long)]
    grid: bool,
    /// Columns of the contact sheet.
    #[arg(long, default_value_t = 6, requires = "grid", value_parser = clap::value_parser!(u64).range(1..=32))]
    seeds: u64,
    /// Name the materials that the generator knows.
    #[arg(long, conflicts_with_all = ["grid", "material"])]
    list: bool,
    /// The model folder; the first generator among the models if it is left out.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Hardware to run it on: auto, cpu, cuda, webgpu, …
    #[arg(long, default_value = "auto", value_parser = ProviderChoice::from_str)]
    provider: ProviderChoice,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// `moss:0.3`.
fn parse_share(text: &str) -> Result<(String, f32), String> {
    let (name, share) = text.split_once(':').ok_or("write MATERIAL:SHARE, like moss:0.3")?;
    let share: f32 = share.trim().parse().map_err(|_| format!("\"{share}\" is not a number"))?;
    if name.trim().is_empty() || !(0.01..=0.99).contains(&share) {
        return Err("a share is 0.01 to 0.99, like moss:0.3".to_owned());
    }
    Ok((name.trim().to_owned(), share))
}

/// Runs the command.
///
/// # Errors
/// - [`WrongCall`]: an unknown material, an impossible size or mixture
/// - [`Lacking`]: no ONNX Runtime, no generator
/// - the model cannot be used, the pictures cannot be written
pub fn run(args: DreamArgs) -> anyhow::Result<Exit> {
    check_size(args.size).map_err(|error| WrongCall(error.to_string()))?;
    if args.material.is_none() && !args.list && !args.grid {
        return Err(WrongCall("name a material, or write --list or --grid".to_owned()).into());
    }
    if args.out.is_none() && !args.list {
        return Err(WrongCall("say where the pictures go: --out DIR".to_owned()).into());
    }
    if args.material.is_none() && !args.mix.is_empty() {
        return Err(WrongCall("--mix needs a material to mix into".to_owned()).into());
    }
    let mut dreamer = open_dreamer(args.model.as_deref(), args.provider)?;
    let generator = dreamer.generator().clone();
    if args.list {
        list(&generator, args.json);
        return Ok(Exit::Done);
    }
    let mixture = args.material.as_deref().map(|material| mixture(material, &args.mix)).transpose()?;
    if let Some(mixture) = &mixture {
        generator.weights(mixture).map_err(|unknown| WrongCall(unknown.to_string()))?;
    }
    let out = args.out.clone().unwrap_or_default();
    fs::create_dir_all(&out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    match mixture {
        Some(mixture) if !args.grid => one(&args, &mut dreamer, &mixture, &out)?,
        mixture => sheet(&args, &mut dreamer, mixture, &out)?,
    }
    Ok(Exit::Done)
}

/// The main material with what is left of 1 after what is mixed in.
fn mixture(material: &str, mixed: &[(String, f32)]) -> Result<Mixture, WrongCall> {
    let share: f32 = mixed.iter().map(|(_, share)| share).sum();
    if share >= 0.995 {
        return Err(WrongCall(format!("the shares of --mix are {share:.2} together; leave some for {material}")));
    }
    let names = mixed.iter().map(|(name, _)| name.as_str()).chain([material]);
    if let Some(twice) = names.clone().enumerate().find(|(index, name)| names.clone().take(*index).any(|n| n == *name))
    {
        return Err(WrongCall(format!("{} is mixed with itself; name each material once", twice.1)));
    }
    let mixture =
        Mixture::of_shares(mixed.iter().map(|(name, share)| (name.as_str(), *share)).chain([(material, 1.0 - share)]));
    mixture.ok_or_else(|| WrongCall("the shares of --mix make no mixture".to_owned()))
}

/// Loads ONNX Runtime and a generator.
///
/// # Errors
/// - [`Lacking`] without ONNX Runtime or a generator; the model does not pass the door, or is no generator
pub(super) fn open_dreamer(folder: Option<&Path>, provider: ProviderChoice) -> anyhow::Result<Dreamer> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => generator_folder(&models_folder()).unwrap_or_else(|| models_folder().join("texture")),
    };
    if !is_model_folder(&folder) {
        let told = format!("there is no generator in {}; `umwelt train texture` makes one", folder.display());
        return Err(Lacking(told).into());
    }
    let runtime = library::load(&library_places()).map_err(|error| Lacking(error.to_string()))?;
    let settings = SessionSettings { provider, webgpu_plugin: webgpu_plugin(), ..Default::default() };
    Ok(Dreamer::new(ModelSession::open(runtime, &folder, &settings)?)?)
}

fn list(generator: &Generator, as_json: bool) {
    if as_json {
        println!("{}", json!({ "materials": generator.labels, "model": generator.model }));
        return;
    }
    for (name, extent) in generator.labels.iter().zip(&generator.extent_m) {
        println!("{name:<12} {extent:.1} m wide");
    }
}

fn one(args: &DreamArgs, dreamer: &mut Dreamer, mixture: &Mixture, out: &Path) -> anyhow::Result<()> {
    let variation = Variation::of(Seed(args.seed));
    let dreamt = dreamer.dream(mixture, variation, args.size)?;
    let files = write_pictures(&dreamt.texture, mixture, args.seed, out)?;
    let name =
        TextureName { model: dreamer.generator().model.clone(), mixture: mixture.clone(), variation, size: args.size };
    if args.json {
        let files: serde_json::Map<_, _> =
            files.iter().map(|(map, path)| ((*map).to_owned(), json!(path.display().to_string()))).collect();
        let answer = json!({
            "material": mixture.to_string(),
            "seed": args.seed,
            "size": args.size,
            "hash": dreamt.texture.hash(),
            "name": name.to_string(),
            "seam": dreamt.maps.seam().ratio(),
            "ms": dreamt.ms,
            "provider": dreamer.provider(),
            "files": files,
        });
        println!("{answer}");
    } else {
        for (_, path) in &files {
            println!("{}", path.display());
        }
        println!("{name}\n{:.0} ms on {}", dreamt.ms, dreamer.provider());
    }
    Ok(())
}

/// Writes all maps and the preview; returns what is where.
fn write_pictures(
    texture: &Texture,
    mixture: &Mixture,
    seed: u64,
    out: &Path,
) -> anyhow::Result<Vec<(&'static str, PathBuf)>> {
    const PREVIEW: u32 = 384;
    let stem = format!("{}_{seed}", mixture.to_string().replace(" + ", "_").replace(' ', "-"));
    let mut files = Vec::new();
    let mut save = |map: &'static str, bytes: &[u8], side: [u32; 2], color: ExtendedColorType| -> anyhow::Result<()> {
        let path = out.join(format!("{stem}_{map}.png"));
        image::save_buffer_with_format(&path, bytes, side[0], side[1], color, ImageFormat::Png)
            .with_context(|| format!("writing {}", path.display()))?;
        files.push((map, path));
        Ok(())
    };
    let sides = [texture.width, texture.rows];
    let normals: Vec<u8> = texture
        .normals()
        .iter()
        .flat_map(|normal| normal.to_array().map(|c| ((0.5 + 0.5 * c) * 255.0 + 0.5) as u8))
        .collect();
    // 16-bit samples in the order of the machine, as the encoder takes them.
    let height: Vec<u8> = texture.height.iter().flat_map(|height| height.to_ne_bytes()).collect();
    save("base_color", &texture.base_color, sides, ExtendedColorType::Rgb8)?;
    save("normal", &normals, sides, ExtendedColorType::Rgb8)?;
    save("roughness", &texture.roughness, sides, ExtendedColorType::L8)?;
    save("height", &height, sides, ExtendedColorType::L16)?;
    save("metalness", &texture.metalness, sides, ExtendedColorType::L8)?;
    save("preview", &preview::sphere(texture, PREVIEW), [PREVIEW; 2], ExtendedColorType::Rgb8)?;
    Ok(files)
}

/// Side of a cell of the contact sheet, pixels.
const CELL: u32 = 160;
/// Between cells.
const GAP: u32 = 6;
/// Height of a row's caption.
const CAPTION: u32 = 26;

/// Draws the contact sheet: each cell a lit patch, the first of each row also as a sphere.
fn sheet(args: &DreamArgs, dreamer: &mut Dreamer, mixture: Option<Mixture>, out: &Path) -> anyhow::Result<()> {
    let rows = match mixture {
        Some(mixture) => vec![mixture],
        None => dreamer.generator().labels.iter().map(|label| Mixture::pure(label)).collect(),
    };
    let columns = args.seeds as u32 + 1;
    let (width, row_height) = (columns * (CELL + GAP) + GAP, CELL + CAPTION + GAP);
    let mut picture = RgbImage::from_pixel(width, rows.len() as u32 * row_height + GAP, image::Rgb([238, 236, 232]));
    let font = annotate::read_font(&asset_folder().join("fonts/Lato-Medium.ttf"))?;
    let bar = ProgressBar::new(rows.len() as u64 * args.seeds);
    let (mut ms, mut hashes) = (0.0, Vec::new());
    for (row, mixture) in rows.iter().enumerate() {
        let top = GAP + row as u32 * row_height;
        annotate::write_line(&mut picture, &mixture.to_string(), [GAP + 2, top + 3], 17.0, &font);
        for column in 0..args.seeds {
            let variation = Variation::of(Seed(args.seed.wrapping_add(column)));
            let dreamt = dreamer.dream(mixture, variation, args.size)?;
            let mut place = |cell: u32, pixels: Vec<u8>| {
                let drawn = RgbImage::from_raw(CELL, CELL, pixels).unwrap_or_default();
                let left = GAP + cell * (CELL + GAP);
                image::imageops::replace(&mut picture, &drawn, i64::from(left), i64::from(top + CAPTION));
            };
            if column == 0 {
                place(0, preview::sphere(&dreamt.texture, CELL));
            }
            place(column as u32 + 1, preview::patch(&dreamt.texture, CELL));
            ms += dreamt.ms;
            hashes.push(dreamt.texture.hash());
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let path = out.join("sheet.png");
    picture.save(&path).with_context(|| format!("writing {}", path.display()))?;
    let mean_ms = ms / hashes.len().max(1) as f64;
    if args.json {
        let materials: Vec<String> = rows.iter().map(Mixture::to_string).collect();
        let answer = json!({
            "materials": materials, "seed": args.seed, "seeds": args.seeds, "size": args.size, "hashes": hashes,
            "ms": mean_ms, "files": { "sheet": path.display().to_string() },
        });
        println!("{answer}");
    } else {
        println!("{}\n{} textures, {mean_ms:.0} ms each on {}", path.display(), hashes.len(), dreamer.provider());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_leave_some_for_the_main_material() {
        assert_eq!(parse_share("moss:0.3"), Ok(("moss".to_owned(), 0.3)));
        for wrong in ["moss", "moss:", "moss:x", "moss:0", "moss:1.5", ":0.3", "moss:NaN"] {
            assert!(parse_share(wrong).is_err(), "{wrong}");
        }
        let mixed = |shares: &[f32]| {
            let shares: Vec<_> = shares.iter().enumerate().map(|(i, share)| (format!("m{i}"), *share)).collect();
            mixture("marble", &shares).map(|mixture| mixture.to_string())
        };
        assert_eq!(mixed(&[0.3]).unwrap(), "m0 30 + marble 70");
        assert_eq!(mixed(&[]).unwrap(), "marble");
        assert!(mixed(&[0.5, 0.5]).unwrap_err().to_string().contains("leave some for marble"));
    }
}
