//! Surfaces that a generator makes up: which materials, which of their many variations, how large.
//!
//! Plain values with a stable text form. What is absent: the generator and its textures (`textures`), files (`parse`).

use std::fmt;

use bevy::{
    color::{LinearRgba, Srgba},
    math::Vec3,
    prelude::Resource,
};

use super::{MaterialSpec, Pattern};
use crate::base::{Seed, did_you_mean};

/// Sides of textures are multiples of this, texels.
pub const DREAM_CELL: u32 = 32;
/// Largest side of a texture in a scene, texels.
pub const MAX_DREAM_SIZE: u32 = 512;
/// Side where none is named, texels.
pub const DREAM_SIZE: u32 = 256;
/// Parts that a mixture may have.
pub const MAX_MIXED: usize = 8;

/// The materials that can be dreamt in this run, by the names that the generator gives them; empty where there is none.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct DreamMaterials(pub Vec<String>);

impl DreamMaterials {
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }

    /// What to write instead of an unknown name.
    pub fn help(&self, name: &str) -> String {
        match did_you_mean(name, self.0.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the generator knows {}", self.0.join(", ")),
        }
    }
}

/// A surface that a generator makes.
#[derive(Clone, Debug, PartialEq)]
pub struct DreamSpec {
    pub mixture: Mixture,
    pub variation: Variation,
    /// Side of the texture, texels: a multiple of [`DREAM_CELL`] up to [`MAX_DREAM_SIZE`].
    pub size: u32,
    /// Width of [`DREAM_SIZE`] texels in the world, metres; `None`: as wide as the generator says of its materials.
    pub scale_m: Option<f32>,
    /// How much of its light it sends back: 1 as dreamt, 0.5 half as bright.
    pub shade: f32,
    /// `None`: along the coordinates of what this program builds, from six sides on what comes from a file.
    pub mapping: Option<Mapping>,
    /// How much the mesh that wears it is enlarged, so that its size in the world stays right.
    pub stretch: f32,
}

impl DreamSpec {
    /// One material, as wide as it is by nature.
    pub fn of(material: &str, seed: Seed) -> Self {
        Self {
            mixture: Mixture::pure(material),
            variation: Variation::of(seed),
            size: DREAM_SIZE,
            scale_m: None,
            shade: 1.0,
            mapping: None,
            stretch: 1.0,
        }
    }
}

/// All of it in one line: equal dreams have equal forms.
impl fmt::Display for DreamSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mixture, variation, size, scale_m, shade, mapping, stretch } = self;
        write!(f, "dream({mixture}, seed {variation}, {size} texels, ")?;
        match scale_m {
            Some(scale_m) => write!(f, "{scale_m} m, ")?,
            None => f.write_str("its own width, ")?,
        }
        write!(f, "shade {shade}, {mapping:?}, stretched {stretch})")
    }
}

/// How a texture is laid onto a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mapping {
    /// Along the mesh's own coordinates, taken for metres: so they are on everything that this program builds.
    Uv,
    /// From six sides, whatever coordinates the mesh has.
    Box,
}

/// Materials and their shares in hundredths, by name; the shares sum to 100, none is 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mixture(Vec<(String, u8)>);

impl Mixture {
    /// One material alone.
    pub fn pure(material: &str) -> Self {
        Self(vec![(material.to_owned(), 100)])
    }

    /// From positive shares of any sum, names each once; rounded by the largest remainder. `None` if there is no share, or
    /// one is not a positive number.
    pub fn of_shares<'a>(shares: impl IntoIterator<Item = (&'a str, f32)>) -> Option<Self> {
        let shares: Vec<(&str, f32)> = shares.into_iter().collect();
        let sum: f32 = shares.iter().map(|(_, share)| share).sum();
        if shares.is_empty() || !sum.is_finite() || shares.iter().any(|(_, share)| share.is_nan() || *share <= 0.0) {
            return None;
        }
        let exact: Vec<(&str, f32)> = shares.iter().map(|(name, share)| (*name, 100.0 * share / sum)).collect();
        let mut parts: Vec<(String, u8, f32)> =
            exact.iter().map(|(name, share)| ((*name).to_owned(), share.floor() as u8, share.fract())).collect();
        let given: u32 = parts.iter().map(|part| u32::from(part.1)).sum();
        parts.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        let count = parts.len();
        for index in 0..100_u32.saturating_sub(given) as usize {
            parts[index % count].1 += 1;
        }
        let mut parts: Vec<(String, u8)> =
            parts.into_iter().filter(|part| part.1 > 0).map(|(name, share, _)| (name, share)).collect();
        parts.sort();
        Some(Self(parts))
    }

    /// This mixture with `share` (0 to 1) of one material, the others keeping their proportions.
    #[must_use]
    pub fn with(&self, material: &str, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        let others: f32 = self.0.iter().filter(|(name, _)| name != material).map(|(_, part)| f32::from(*part)).sum();
        let parts = self
            .0
            .iter()
            .filter(|(name, _)| name != material)
            .map(|(name, part)| (name.as_str(), f32::from(*part) / others * (1.0 - share)))
            .chain([(material, share)])
            .filter(|(_, share)| *share > 0.0);
        Self::of_shares(parts).unwrap_or_else(|| self.clone())
    }

    /// Between this mixture (`t` = 0) and another (1).
    #[must_use]
    pub fn towards(&self, other: &Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        let mut names: Vec<&str> = self.0.iter().chain(&other.0).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let shares = names.into_iter().map(|name| (name, self.share(name) * (1.0 - t) + other.share(name) * t));
        Self::of_shares(shares.filter(|(_, share)| *share > 0.0)).unwrap_or_else(|| self.clone())
    }

    /// The share of a material, 0 to 1.
    pub fn share(&self, material: &str) -> f32 {
        self.0.iter().find(|(name, _)| name == material).map_or(0.0, |(_, part)| f32::from(*part) / 100.0)
    }

    /// Names and shares (0 to 1), by name.
    pub fn parts(&self) -> impl Iterator<Item = (&str, f32)> {
        self.0.iter().map(|(name, part)| (name.as_str(), f32::from(*part) / 100.0))
    }

    /// The material with the largest share.
    pub fn main(&self) -> &str {
        self.0.iter().max_by_key(|(_, part)| *part).map_or("", |(name, _)| name)
    }
}

/// `marble`, `marble 70 + moss 30`.
impl fmt::Display for Mixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(only, _)] = &self.0[..] {
            return f.write_str(only);
        }
        for (index, (name, part)) in self.0.iter().enumerate() {
            let plus = if index > 0 { " + " } else { "" };
            write!(f, "{plus}{name} {part}")?;
        }
        Ok(())
    }
}

/// Which of the many surfaces of a material: a seed, or a place on the way from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variation {
    seed: u64,
    /// Equal to `seed` where there is no way.
    towards: u64,
    /// Of [`Variation::STEPS`].
    step: u8,
}

impl Variation {
    /// Steps from one seed to another.
    pub const STEPS: u8 = 64;

    pub fn of(seed: Seed) -> Self {
        Self { seed: seed.0, towards: seed.0, step: 0 }
    }

    /// A place on the way from this one's seed to another: `step` of [`Self::STEPS`].
    #[must_use]
    pub fn on_the_way(from: Seed, to: Seed, step: u8) -> Self {
        match step {
            0 => Self::of(from),
            step if step >= Self::STEPS => Self::of(to),
            _ if from == to => Self::of(from),
            step => Self { seed: from.0, towards: to.0, step },
        }
    }

    /// Where the way begins.
    pub fn seed(self) -> Seed {
        Seed(self.seed)
    }

    /// Where it leads.
    pub fn goal(self) -> Seed {
        Seed(self.towards)
    }

    /// How far along, 0 to 1.
    pub fn t(self) -> f32 {
        f32::from(self.step) / f32::from(Self::STEPS)
    }
}

/// `7`, or `7>9@16` for 16 of 64 steps from seed 7 to seed 9.
impl fmt::Display for Variation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            0 => write!(f, "{}", self.seed),
            step => write!(f, "{}>{}@{step}", self.seed, self.towards),
        }
    }
}

/// What a dreamt surface looks like until it is there, and where nothing can dream: a pattern and colours that go with
/// the material's name, as far as names are known; grey for others.
pub fn undreamt(material: &str) -> MaterialSpec {
    // Base and accent colour as in a picture editor, roughness, metallic.
    let (pattern, base, accent, roughness, metallic) = match material {
        "bark" => (Pattern::Plain, 0x5b4a3a, 0x3b2f25, 0.95, 0.0),
        "bricks" | "brick" => (Pattern::Bricks, 0xa85f45, 0xc9bba8, 0.9, 0.0),
        "carpet" => (Pattern::Fabric, 0x7d6f66, 0x5f544d, 0.97, 0.0),
        "concrete" => (Pattern::Concrete, 0x9a9890, 0x86847d, 0.9, 0.0),
        "fabric" => (Pattern::Fabric, 0x8a8078, 0x6c635c, 0.95, 0.0),
        "grass" => (Pattern::Grass, 0x5f8f3a, 0x3c6527, 0.95, 0.0),
        "gravel" => (Pattern::Gravel, 0x8f877b, 0x6f6a62, 0.95, 0.0),
        "leather" => (Pattern::Plain, 0x6b4430, 0x4a2e20, 0.6, 0.0),
        "marble" => (Pattern::Marble, 0xece8e2, 0x9c9890, 0.25, 0.0),
        "metal" => (Pattern::Plain, 0x9fa2a6, 0x808488, 0.4, 1.0),
        "moss" => (Pattern::Grass, 0x55702c, 0x3a5020, 0.97, 0.0),
        "paving" => (Pattern::Paving, 0xa79c8b, 0x6f675b, 0.88, 0.0),
        "planks" => (Pattern::Planks, 0xa67c50, 0x74502e, 0.6, 0.0),
        "plaster" => (Pattern::Plaster, 0xd9d0c2, 0xc9bfae, 0.93, 0.0),
        "rock" => (Pattern::Concrete, 0x7f7a72, 0x625e58, 0.9, 0.0),
        "rust" => (Pattern::Concrete, 0x7a4a30, 0x57402f, 0.85, 0.0),
        "snow" => (Pattern::Plain, 0xeef1f5, 0xdfe5ec, 0.85, 0.0),
        "tiles" => (Pattern::Tiles, 0xb9bdb8, 0x77746e, 0.35, 0.0),
        "wood" => (Pattern::Planks, 0x9a7048, 0x6b4a2c, 0.6, 0.0),
        _ => (Pattern::Plain, 0x9c968c, 0x7d786f, 0.75, 0.0),
    };
    let linear = |hex: u32| {
        let channel = |shift: u32| (hex >> shift) as u8;
        let color = LinearRgba::from(Srgba::rgb_u8(channel(16), channel(8), channel(0)));
        Vec3::new(color.red, color.green, color.blue)
    };
    MaterialSpec {
        pattern,
        base_color: linear(base),
        accent_color: linear(accent),
        roughness,
        metallic,
        scale_m: 1.0,
        ..MaterialSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_have_one_form_each() {
        let text = |shares: &[(&str, f32)]| Mixture::of_shares(shares.iter().copied()).map(|m| m.to_string());
        assert_eq!(text(&[("moss", 0.3), ("marble", 0.7)]).as_deref(), Some("marble 70 + moss 30"));
        assert_eq!(text(&[("marble", 7.0), ("moss", 3.0)]), text(&[("moss", 0.3), ("marble", 0.7)]));
        assert_eq!(text(&[("a", 1.0), ("b", 1.0), ("c", 1.0)]).as_deref(), Some("a 34 + b 33 + c 33"));
        assert_eq!(text(&[("a", 1000.0), ("b", 0.001)]).as_deref(), Some("a"));
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[("a", f32::NAN)]), None);
        assert_eq!(text(&[("a", -1.0)]), None);
    }

    #[test]
    fn more_of_one_leaves_the_others_their_proportions() {
        let half = Mixture::pure("a").with("b", 0.5);
        assert_eq!(half.to_string(), "a 50 + b 50");
        assert_eq!(half.with("c", 0.2).to_string(), "a 40 + b 40 + c 20");
        assert_eq!(half.with("b", 0.8).to_string(), "a 20 + b 80");
        assert_eq!(half.with("b", 1.0), Mixture::pure("b"));
        assert_eq!(Mixture::pure("a").with("a", 0.4), Mixture::pure("a"));
        assert_eq!(Mixture::pure("a").towards(&Mixture::pure("b"), 0.25).to_string(), "a 75 + b 25");
        assert_eq!(half.with("c", 0.6).main(), "c");
    }

    #[test]
    fn ways_between_seeds_end_at_seeds() {
        let way = |step| Variation::on_the_way(Seed(7), Seed(9), step);
        assert_eq!(way(0), Variation::of(Seed(7)));
        assert_eq!(way(64), Variation::of(Seed(9)));
        assert_eq!(way(16).to_string(), "7>9@16");
        assert_eq!(Variation::on_the_way(Seed(7), Seed(7), 20), Variation::of(Seed(7)));
        assert!((way(16).t() - 0.25).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_dreamt_yet_looks_like_something() {
        assert_eq!(undreamt("bricks").pattern, Pattern::Bricks);
        assert_eq!(undreamt("no such thing").pattern, Pattern::Plain);
    }
}
