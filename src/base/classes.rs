//! The class table: what things are called, and the small numbers that stand for those names.

use bevy::prelude::Resource;
use serde::{Deserialize, Serialize};

/// Classes that the object kit can build, in the order of their ids (the first has id 1; 0 is "no class").
///
/// The order is part of recorded data and of trained models: append, never reorder.
pub const KIT_CLASSES: [&str; 36] = [
    "mug", "bowl", "plate", "bottle", "vase", "teapot", "kettle", "pan", "lamp", "chair", "stool", "table", "shelf",
    "book", "box", "crate", "barrel", "bucket", "ball", "cone", "die", "clock", "candle", "plant", "apple", "banana",
    "pear", "guitar", "drum", "hammer", "key", "umbrella", "hat", "boat", "car", "duck",
];

/// A class as a number: 0 is "no class" (walls, floor, sky, the companion), kit classes follow, then classes that scenes
/// add by importing assets with labels of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub u16);

impl ClassId {
    /// What belongs to no class.
    pub const NONE: ClassId = ClassId(0);
}

/// Names of all classes known to this run.
#[derive(Resource, Clone, Debug, PartialEq, Eq)]
pub struct ClassTable {
    names: Vec<String>,
}

impl Default for ClassTable {
    fn default() -> Self {
        Self { names: KIT_CLASSES.iter().map(|name| (*name).to_owned()).collect() }
    }
}

impl ClassTable {
    /// The id of `name`, if the table has it.
    pub fn id(&self, name: &str) -> Option<ClassId> {
        self.names.iter().position(|known| known == name).map(|index| ClassId(index as u16 + 1))
    }

    /// The id of `name`, which is appended to the table if it is new.
    pub fn id_or_insert(&mut self, name: &str) -> ClassId {
        self.id(name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            ClassId(self.names.len() as u16)
        })
    }

    /// The name of `id`; `None` for [`ClassId::NONE`] and for ids that the table lacks.
    pub fn name(&self, id: ClassId) -> Option<&str> {
        usize::from(id.0).checked_sub(1).and_then(|index| self.names.get(index)).map(String::as_str)
    }

    /// All classes, in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ClassId, &str)> {
        self.names.iter().enumerate().map(|(index, name)| (ClassId(index as u16 + 1), name.as_str()))
    }

    /// How many classes there are, "no class" not counted.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the table holds no class.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_start_at_one_and_survive_a_round_trip() {
        let mut table = ClassTable::default();
        assert_eq!(table.id("mug"), Some(ClassId(1)));
        assert_eq!(table.name(ClassId::NONE), None);
        let anvil = table.id_or_insert("anvil");
        assert_eq!(table.id_or_insert("anvil"), anvil);
        assert_eq!(table.name(anvil), Some("anvil"));
        assert_eq!(table.len(), KIT_CLASSES.len() + 1);
    }
}
