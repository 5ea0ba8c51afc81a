//! What can be commanded: every module registers the actions that it carries out, as it registers the kinds it spawns.
//!
//! In: names with their parameters. Out: what a scene's `commands` may name, and the check of an action's words. What is
//! absent: phrases and sound (`percepts`), deeds (`world`, `behaviours`, `game`).

use std::collections::BTreeMap;

use bevy::prelude::Resource;

use crate::base::did_you_mean;

/// What one word of an action may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parameter {
    /// The name of a class that the scene or the kit holds: `teapot`.
    Object,
    /// The name of one of the scene's materials.
    Material,
    /// The name of one of the scene's places.
    Place,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number in this range, both ends included.
    Number(i64, i64),
}

/// An action that some module carries out.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionShape {
    /// In order, as in `Find(object)`.
    pub parameters: &'static [Parameter],
    /// For lists of commands: one line of what happens.
    pub about: &'static str,
}

/// All actions that this run can carry out, by name.
#[derive(Resource, Clone, Debug, Default)]
pub struct ActionRegistry {
    actions: BTreeMap<&'static str, ActionShape>,
}

impl ActionRegistry {
    /// Makes an action known; the last registration of a name counts.
    pub fn register(&mut self, name: &'static str, parameters: &'static [Parameter], about: &'static str) {
        self.actions.insert(name, ActionShape { parameters, about });
    }

    pub fn get(&self, name: &str) -> Option<&ActionShape> {
        self.actions.get(name)
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.actions.keys().copied()
    }

    /// The known name that `word` most resembles.
    pub fn suggestion(&self, word: &str) -> Option<&'static str> {
        let near = did_you_mean(word, self.names())?;
        self.names().find(|name| *name == near)
    }
}
