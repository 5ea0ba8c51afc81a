//! What a generator promises, and what it is given: material, style, latent and grain.
//!
//! In: the manifest of a model with task [`TASK`], a mixture, a variation, a size. Out: [`TextureInputs`] as named tensors; the
//! same arguments give the same bytes. What is absent: sessions (`inference`), outputs (`maps`).
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `material` | 1, materials | shares, 0 to 1, sum 1 |
//! | `style` | 1, channels | standard normal: which of the many surfaces of the material |
//! | `latent` | 1, channels, h, w | standard normal: what is where; wraps around |
//! | `grain` | 1, channels, rows, columns | standard normal: fine detail |
//! | → `base_color` | 1, 3, rows, columns | sRGB, 0 to 1 |
//! | → `height`, `roughness`, `metalness` | 1, 1, rows, columns | 0 to 1 |
//!
//! Rows and columns are `cell` (32) times h and w. Style, latent and grain come from sub-seeds of their own.

use ndarray::Array;

use crate::{
    base::{Seed, did_you_mean},
    inference::{NamedTensors, graph_builder::Dim, manifest::Manifest},
    scene::{DREAM_CELL, DREAM_SIZE, Mixture, Variation},
    signal::{normal_between, normal_draws},
};

/// What manifests of generators call their task.
pub const TASK: &str = "dream";
/// Largest side that is generated at all, texels.
pub const MAX_SIZE: u32 = 2048;

/// A generator as its manifest describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// SHA-256 of the model, hexadecimal.
    pub model: String,
    /// Material names, in the order of the input.
    pub labels: Vec<String>,
    /// For each material the height of its relief over the texture's side.
    pub relief: Vec<f32>,
    /// For each material the usual width of one repeat, metres.
    pub extent_m: Vec<f32>,
    style: usize,
    latent: usize,
    grain: usize,
}

/// A material that the generator does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown material \"{name}\"; {help}")]
pub struct UnknownMaterial {
    pub name: String,
    pub help: String,
}

/// A size that no texture can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a texture cannot be {0} texels wide; write a multiple of {DREAM_CELL} from {DREAM_CELL} to {MAX_SIZE}")]
pub struct WrongSize(pub u32);

/// Whether a texture can have this side.
///
/// # Errors
/// - it is 0, no multiple of [`DREAM_CELL`], or larger than [`MAX_SIZE`]
pub fn check_size(size: u32) -> Result<(), WrongSize> {
    if size == 0 || !size.is_multiple_of(DREAM_CELL) || size > MAX_SIZE { Err(WrongSize(size)) } else { Ok(()) }
}

impl Generator {
    /// Reads a manifest.
    ///
    /// # Errors
    /// - everything in which it differs from what generators promise
    pub fn of(manifest: &Manifest) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let materials = manifest.labels.len();
        if materials == 0 {
            faults.push("no material is listed in `labels`".to_owned());
        }
        if manifest.task != TASK {
            faults.push(format!("its task is \"{}\", not \"{TASK}\"", manifest.task));
        }
        // A number stands for itself, "n" for any fixed extent, a name for what varies.
        let mut channels = |name: &str, output: bool, wanted: &[Wanted]| -> usize {
            let specs = if output { &manifest.outputs } else { &manifest.inputs };
            let what = if output { "output" } else { "input" };
            let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
                faults.push(format!("there is no {what} \"{name}\""));
                return 0;
            };
            let fits = spec.shape.len() == wanted.len()
                && spec.shape.iter().zip(wanted).all(|(dim, wanted)| match (dim, wanted) {
                    (Dim::Fixed(found), Wanted::Exactly(extent)) => found == extent,
                    (Dim::Fixed(found), Wanted::Some) => (1..=4096).contains(found),
                    (Dim::Named(_), Wanted::Any) => true,
                    _ => false,
                });
            if !fits {
                let wanted: Vec<String> = wanted.iter().map(Wanted::to_string).collect();
                faults.push(format!("{what} {spec} must be [{}]", wanted.join(", ")));
                return 0;
            }
            match spec.shape.get(1) {
                Some(Dim::Fixed(channels)) => *channels,
                _ => 0,
            }
        };
        use Wanted::{Any, Exactly, Some as Fixed};
        channels("material", false, &[Exactly(1), Exactly(materials)]);
        let style = channels("style", false, &[Exactly(1), Fixed]);
        let latent = channels("latent", false, &[Exactly(1), Fixed, Any, Any]);
        let grain = channels("grain", false, &[Exactly(1), Fixed, Any, Any]);
        channels("base_color", true, &[Exactly(1), Exactly(3), Any, Any]);
        for name in ["height", "roughness", "metalness"] {
            channels(name, true, &[Exactly(1), Exactly(1), Any, Any]);
        }
        if manifest.number("cell") != Some(f64::from(DREAM_CELL)) {
            faults.push(format!("`preprocessing` must hold \"cell\": {DREAM_CELL}"));
        }
        let mut per_material = |name: &str, range: std::ops::RangeInclusive<f64>| -> Vec<f32> {
            let numbers = manifest.numbers(name).unwrap_or_default();
            if numbers.len() != materials || !numbers.iter().all(|number| range.contains(number)) {
                let (low, high) = (range.start(), range.end());
                faults.push(format!("`preprocessing` must hold \"{name}\": {materials} numbers from {low} to {high}"));
            }
            numbers.iter().map(|number| *number as f32).collect()
        };
        let relief = per_material("relief", 0.0..=0.5);
        let extent_m = per_material("extent_m", 0.01..=100.0);
        if !faults.is_empty() {
            return Err(faults);
        }
        let (model, labels) = (manifest.sha256.to_lowercase(), manifest.labels.clone());
        Ok(Self { model, labels, relief, extent_m, style, latent, grain })
    }

    /// The shares of all materials, in the order of the model's input.
    ///
    /// # Errors
    /// - the first material that the generator does not know
    pub fn weights(&self, mixture: &Mixture) -> Result<Vec<f32>, UnknownMaterial> {
        let mut weights = vec![0.0; self.labels.len()];
        for (name, share) in mixture.parts() {
            let Some(index) = self.labels.iter().position(|label| label == name) else {
                let help = match did_you_mean(name, self.labels.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("the generator knows {}", self.labels.join(", ")),
                };
                return Err(UnknownMaterial { name: name.to_owned(), help });
            };
            weights[index] = share;
        }
        Ok(weights)
    }

    /// Height of the relief of a mixture over the side of a texture of `size` texels.
    pub fn relief_of(&self, weights: &[f32], size: u32) -> f32 {
        weighted(&self.relief, weights) / repeats(size)
    }

    /// The usual width of a mixture in a texture of [`DREAM_SIZE`], metres.
    pub fn extent_of(&self, weights: &[f32]) -> f32 {
        weighted(&self.extent_m, weights)
    }
}

/// How much more of a material a texture of `size` shows than one of [`DREAM_SIZE`], side over side: larger textures hold more
/// of the same, not finer things.
pub fn repeats(size: u32) -> f32 {
    size as f32 / DREAM_SIZE as f32
}

fn weighted(values: &[f32], weights: &[f32]) -> f32 {
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Exactly(usize),
    /// Fixed, but any.
    Some,
    /// Known only at run time.
    Any,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wanted::Exactly(extent) => extent.fmt(f),
            Wanted::Some => f.write_str("a number"),
            Wanted::Any => f.write_str("a name"),
        }
    }
}

/// What a generator is given for one texture; row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct TextureInputs {
    pub material: Vec<f32>,
    pub style: Vec<f32>,
    pub latent: Vec<f32>,
    pub grain: Vec<f32>,
    /// Cells along a side.
    cells: usize,
}

impl TextureInputs {
    /// Draws style, latent and grain of a variation; `material` are shares in the order of the labels, `size` is a side in
    /// texels.
    ///
    /// # Errors
    /// - no texture can have that size
    pub fn draw(generator: &Generator, material: &[f32], variation: Variation, size: u32) -> Result<Self, WrongSize> {
        check_size(size)?;
        let (cells, side) = ((size / DREAM_CELL) as usize, size as usize);
        let field = |purpose: &str, count: usize| {
            let draw = |seed: Seed| normal_draws(count, &mut seed.derive(purpose).rng());
            if variation.t() == 0.0 {
                return draw(variation.seed());
            }
            normal_between(&draw(variation.seed()), &draw(variation.goal()), variation.t())
        };
        Ok(Self {
            material: material.to_vec(),
            style: field("style", generator.style),
            latent: field("latent", generator.latent * cells * cells),
            grain: field("grain", generator.grain * side * side),
            cells,
        })
    }

    /// As the model takes them.
    pub fn into_tensors(self) -> NamedTensors {
        let (cells, side) = (self.cells, self.cells * DREAM_CELL as usize);
        let channels = |values: &[f32], side: usize| values.len() / (side * side);
        let (latent, grain) = (channels(&self.latent, cells), channels(&self.grain, side));
        let shaped = |values: Vec<f32>, shape: &[usize]| {
            Array::from_shape_vec(shape, values).expect("as many values as the shape says: both come from `draw`")
        };
        let (materials, style) = (self.material.len(), self.style.len());
        NamedTensors::new()
            .with("material", shaped(self.material, &[1, materials]))
            .with("style", shaped(self.style, &[1, style]))
            .with("latent", shaped(self.latent, &[1, latent, cells, cells]))
            .with("grain", shaped(self.grain, &[1, grain, side, side]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::textures::test_generator::test_generator;

    fn generator() -> Generator {
        Generator::of(&test_generator().manifest).expect("the test's generator keeps its promises")
    }

    #[test]
    fn equal_seeds_give_equal_inputs_and_others_differ_everywhere() {
        let generator = generator();
        let weights = generator.weights(&Mixture::pure("marble")).unwrap();
        let draw = |seed| TextureInputs::draw(&generator, &weights, Variation::of(Seed(seed)), 64).unwrap();
        assert_eq!(draw(7), draw(7));
        let (a, b) = (draw(7), draw(8));
        assert!(a.style != b.style && a.latent != b.latent && a.grain != b.grain && a.material == b.material);
        assert_ne!(a.style[..8], a.latent[..8], "sub-seeds of their own");
        let tensors = a.into_tensors();
        assert_eq!(tensors.f32("latent").unwrap().shape(), [1, 16, 2, 2]);
        assert_eq!(tensors.f32("grain").unwrap().shape(), [1, 1, 64, 64]);
        assert_eq!(tensors.f32("style").unwrap().shape(), [1, 64]);
    }

    #[test]
    fn a_morph_stays_standard_normal_and_moves_little_by_little() {
        let generator = generator();
        let weights = vec![1.0; generator.labels.len()];
        let draw = |step| {
            let variation = Variation::on_the_way(Seed(1), Seed(2), step);
            TextureInputs::draw(&generator, &weights, variation, 512).unwrap()
        };
        for step in [0, 9, 32, 50, 64] {
            let inputs = draw(step);
            for (values, tolerance) in [(&inputs.grain, 0.02), (&inputs.latent, 0.12)] {
                let n = values.len() as f32;
                let mean = values.iter().sum::<f32>() / n;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
                assert!(mean.abs() < tolerance && (variance - 1.0).abs() < tolerance, "{step}: {mean} {variance}");
            }
        }
        let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        let (start, near, far) = (draw(0), draw(1), draw(64));
        assert!(distance(&start.latent, &near.latent) < 0.05 * distance(&start.latent, &far.latent));
    }

    #[test]
    fn sizes_are_multiples_of_a_cell() {
        for size in [0, 1, 31, 33, 100, 4096, u32::MAX] {
            assert_eq!(check_size(size), Err(WrongSize(size)));
        }
        assert_eq!(check_size(96), Ok(()));
        assert!(WrongSize(100).to_string().contains("multiple of 32"));
    }

    #[test]
    fn unknown_materials_are_told_with_a_guess() {
        let error = generator().weights(&Mixture::pure("marbel")).unwrap_err();
        assert_eq!(error.to_string(), "unknown material \"marbel\"; did you mean \"marble\"?");
        let weights = generator().weights(&Mixture::pure("marble").with("moss", 0.3)).unwrap();
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_breaks_its_promises_is_told_all_at_once() {
        let mut manifest = test_generator().manifest;
        manifest.labels.push("chocolate".to_owned());
        manifest.outputs.retain(|output| output.name != "metalness");
        manifest.preprocessing.remove("cell");
        let faults = Generator::of(&manifest).unwrap_err();
        let told = |words: &str| faults.iter().any(|fault| fault.contains(words));
        assert!(told("input \"material\"") && told("no output \"metalness\"") && told("\"cell\": 32"), "{faults:?}");
        assert!(told("\"relief\"") && told("\"extent_m\""), "{faults:?}");
    }
}
