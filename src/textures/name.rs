//! The name of a texture: model, mixture, variation and size. Equal names are equal textures on the CPU provider; scenes and
//! caches keep names.

use std::fmt;

use super::generator::{Generator, UnknownMaterial};
use crate::{
    base::sha256_hex,
    scene::{DreamSpec, Mixture, Variation},
};

/// All that a texture depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextureName {
    /// SHA-256 of the model, hexadecimal.
    pub model: String,
    pub mixture: Mixture,
    pub variation: Variation,
    /// Side, texels.
    pub size: u32,
}

impl TextureName {
    /// The texture of a surface.
    ///
    /// # Errors
    /// - the generator does not know one of the materials
    pub fn of(dream: &DreamSpec, generator: &Generator) -> Result<Self, UnknownMaterial> {
        generator.weights(&dream.mixture)?;
        Ok(Self {
            model: generator.model.clone(),
            mixture: dream.mixture.clone(),
            variation: dream.variation,
            size: dream.size,
        })
    }

    /// SHA-256 of the text form, hexadecimal.
    pub fn hash(&self) -> String {
        sha256_hex(self.to_string())
    }
}

/// `marble 70 + moss 30, seed 7, 256, model 0123…`: the same in all versions.
impl fmt::Display for TextureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, seed {}, {}, model {}", self.mixture, self.variation, self.size, self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Seed, textures::test_generator::test_generator};

    #[test]
    fn names_have_a_stable_form_and_differ_in_everything_that_counts() {
        let manifest = test_generator().manifest;
        let generator = Generator::of(&manifest).unwrap();
        let dream = DreamSpec { mixture: Mixture::pure("marble").with("moss", 0.3), ..DreamSpec::of("", Seed(7)) };
        let name = TextureName::of(&dream, &generator).unwrap();
        let expected = format!("marble 70 + moss 30, seed 7, 256, model {}", manifest.sha256);
        assert_eq!(name.to_string(), expected);
        let others = [
            DreamSpec { mixture: Mixture::pure("marble"), ..dream.clone() },
            DreamSpec { variation: Variation::of(Seed(8)), ..dream.clone() },
            DreamSpec { size: 128, ..dream.clone() },
        ];
        for other in others {
            assert_ne!(TextureName::of(&other, &generator).unwrap().hash(), name.hash());
        }
        // How large it is laid and how bright are not the texture's business.
        let wide = DreamSpec { scale_m: Some(3.0), shade: 0.5, ..dream };
        assert_eq!(TextureName::of(&wide, &generator).unwrap(), name);
        assert!(TextureName::of(&DreamSpec::of("cheese", Seed(1)), &generator).is_err());
    }
}
