//! Textures in memory: uploaded pictures by name, within a budget of bytes.
//!
//! What surfaces wear is kept whatever it costs; of the rest the least recently used goes first.

use std::collections::{HashMap, HashSet};

use bevy::prelude::*;

use super::name::TextureName;

/// Pictures of a texture as images, and what it is like from afar.
#[derive(Clone, Debug)]
pub struct Uploaded {
    pub base_color: Handle<Image>,
    pub normal: Handle<Image>,
    /// Occlusion, roughness and metalness; absent where quality leaves them out.
    pub surface: Option<Handle<Image>>,
    pub roughness: f32,
    pub metalness: f32,
    /// Of all pictures, bytes.
    pub bytes: usize,
    /// SHA-256 of the texture.
    pub hash: String,
}

/// All textures that are there.
#[derive(Debug)]
pub struct Store {
    textures: HashMap<TextureName, (Uploaded, u64)>,
    budget: usize,
    /// Counts uses.
    clock: u64,
}

impl Store {
    /// `budget` in bytes of pictures.
    pub fn new(budget: usize) -> Self {
        Self { textures: HashMap::new(), budget, clock: 0 }
    }

    pub fn get(&self, name: &TextureName) -> Option<&Uploaded> {
        self.textures.get(name).map(|(uploaded, _)| uploaded)
    }

    pub fn contains(&self, name: &TextureName) -> bool {
        self.textures.contains_key(name)
    }

    pub fn insert(&mut self, name: TextureName, uploaded: Uploaded) {
        self.clock += 1;
        self.textures.insert(name, (uploaded, self.clock));
    }

    /// Notes that a texture is used now.
    pub fn touch(&mut self, name: &TextureName) {
        self.clock += 1;
        if let Some((_, used)) = self.textures.get_mut(name) {
            *used = self.clock;
        }
    }

    /// Lets go of what is over the budget and not `worn`, the least recently used first.
    pub fn make_room(&mut self, worn: &HashSet<TextureName>) {
        let mut bytes = self.bytes();
        if bytes <= self.budget {
            return;
        }
        let mut idle: Vec<(u64, TextureName)> = (self.textures.iter())
            .filter(|(name, _)| !worn.contains(*name))
            .map(|(name, (_, used))| (*used, name.clone()))
            .collect();
        idle.sort();
        for (_, name) in idle {
            if bytes <= self.budget {
                return;
            }
            bytes -= self.textures.remove(&name).map_or(0, |(uploaded, _)| uploaded.bytes);
        }
    }

    pub fn is_over_budget(&self) -> bool {
        self.bytes() > self.budget
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.textures.clear();
    }

    pub fn len(&self) -> usize {
        self.textures.len()
    }

    pub fn is_empty(&self) -> bool {
        self.textures.is_empty()
    }

    /// Bytes of all pictures.
    pub fn bytes(&self) -> usize {
        self.textures.values().map(|(uploaded, _)| uploaded.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::Seed,
        scene::{Mixture, Variation},
    };

    fn name(seed: u64) -> TextureName {
        TextureName {
            model: "m".into(),
            mixture: Mixture::pure("moss"),
            variation: Variation::of(Seed(seed)),
            size: 32,
        }
    }

    fn uploaded() -> Uploaded {
        Uploaded {
            base_color: Handle::default(),
            normal: Handle::default(),
            surface: None,
            roughness: 0.5,
            metalness: 0.0,
            bytes: 100,
            hash: String::new(),
        }
    }

    #[test]
    fn the_least_recently_used_goes_and_what_is_worn_stays() {
        let mut store = Store::new(250);
        (1..=4).for_each(|seed| store.insert(name(seed), uploaded()));
        store.touch(&name(2));
        store.make_room(&HashSet::from([name(1)]));
        let left: Vec<u64> = (1..=4).filter(|seed| store.contains(&name(*seed))).collect();
        assert_eq!((left, store.bytes()), (vec![1, 2], 200));
        // What is worn is kept over the budget.
        (5..=7).for_each(|seed| store.insert(name(seed), uploaded()));
        let worn: HashSet<_> = (1..=7).map(name).collect();
        store.make_room(&worn);
        assert_eq!(store.len(), 5);
    }
}
