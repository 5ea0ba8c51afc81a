//! A generator that is run here and now: for commands and scores. Play has a queue (`dreaming`).

use std::time::Instant;

use thiserror::Error;

use super::{
    generator::{Generator, TextureInputs, UnknownMaterial, WrongSize},
    maps::{BadMaps, Maps, Texture, decode_maps},
};
use crate::{
    inference::{RunError, session::ModelSession},
    scene::{Mixture, Variation},
};

/// A model that is no generator of textures.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the model is no generator of textures: {}", .0.join("; "))]
pub struct NoGenerator(pub Vec<String>);

/// Why there is no texture.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DreamError {
    #[error(transparent)]
    Material(#[from] UnknownMaterial),
    #[error(transparent)]
    Size(#[from] WrongSize),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("the generator's answer is not used: {0}")]
    Maps(#[from] BadMaps),
}

/// A texture, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Dreamt {
    pub maps: Maps,
    pub texture: Texture,
    /// Drawing the inputs, running the model and checking the outputs, milliseconds.
    pub ms: f64,
}

/// A loaded generator.
pub struct Dreamer {
    session: ModelSession,
    generator: Generator,
}

impl Dreamer {
    /// # Errors
    /// - the model is no generator
    pub fn new(session: ModelSession) -> Result<Self, NoGenerator> {
        let generator = Generator::of(session.manifest()).map_err(NoGenerator)?;
        Ok(Self { session, generator })
    }

    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// What runs it.
    pub fn provider(&self) -> &str {
        self.session.assignment().provider()
    }

    /// Makes one texture, `size` texels wide and high.
    ///
    /// # Errors
    /// - a material is unknown, the size is impossible, the run fails, or gives what is no texture
    pub fn dream(&mut self, mixture: &Mixture, variation: Variation, size: u32) -> Result<Dreamt, DreamError> {
        let weights = self.generator.weights(mixture)?;
        let started = Instant::now();
        let inputs = TextureInputs::draw(&self.generator, &weights, variation, size)?;
        let maps = decode_maps(&self.session.run(&inputs.into_tensors())?)?;
        let texture = Texture::of(&maps, self.generator.relief_of(&weights, size));
        let ms = started.elapsed().as_secs_f64() * 1e3;
        Ok(Dreamt { maps, texture, ms })
    }
}
