//! What a mesh wears: a material, and the dream that the material is to show.
//!
//! `textures` makes dreams true: it reads [`Dreams`] and dresses the material beside it. Until then, and where nothing can
//! dream, the material looks as its pattern and colours say. What is absent: generators.

use std::collections::BTreeMap;

use bevy::prelude::*;

use super::spawn::Stage;
use crate::scene::{DreamSpec, MaterialSpec};

/// The material beside this is to show a dream.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct Dreams(pub DreamSpec);

/// The dream that the material beside this shows by now.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct DreamShown(pub DreamSpec);

/// Small pictures of what can be dreamt, for lists on the screen; `textures` draws them while they are wanted.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Swatches {
    pub wanted: bool,
    /// By the material's name.
    pub pictures: BTreeMap<String, Handle<Image>>,
}

/// A material and its dream, if it has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Worn {
    pub material: Handle<StandardMaterial>,
    pub dream: Option<DreamSpec>,
}

impl Worn {
    /// As an entity wears it.
    pub fn of(material: &MeshMaterial3d<StandardMaterial>, dreams: Option<&Dreams>) -> Self {
        Self { material: material.0.clone(), dream: dreams.map(|dreams| dreams.0.clone()) }
    }

    /// Puts it onto an entity.
    pub fn put_on(self, mut entity: EntityCommands) {
        entity.remove::<DreamShown>().insert(MeshMaterial3d(self.material));
        match self.dream {
            Some(dream) => entity.insert(Dreams(dream)),
            None => entity.remove::<Dreams>(),
        };
    }
}

impl Stage<'_, '_> {
    /// What something made of `spec` wears; `stretch` is by how much its mesh is enlarged.
    pub fn wear(&mut self, spec: &MaterialSpec, stretch: f32) -> Worn {
        let mut spec = spec.clone();
        spec.scale_m /= stretch;
        if let Some(dream) = &mut spec.dream {
            dream.stretch *= stretch;
        }
        let (library, mut workshop) = self.workshop();
        Worn { material: library.room(&spec, &mut workshop), dream: spec.dream }
    }

    /// A material of its own that looks as `worn` does now and is to show `dream`: the old look stays until the dream is
    /// there.
    pub fn dream_on(&mut self, worn: &Worn, dream: DreamSpec) -> Worn {
        let look = self.materials.get(&worn.material).cloned().unwrap_or_default();
        Worn { material: self.materials.add(look), dream: Some(dream) }
    }
}
