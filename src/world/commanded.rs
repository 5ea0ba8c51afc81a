//! What the world's people are told to do in words, whoever said it: a voice, a list on the screen, a script.

use bevy::prelude::Message;

/// An action of the [`ActionRegistry`](crate::scene::ActionRegistry) that was asked for. Whoever registered the action
/// reads these and carries it out.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct Commanded {
    /// As registered: `Find`.
    pub action: String,
    /// One word or phrase for each parameter, checked against the action's shape: `["teapot"]`.
    pub words: Vec<String>,
}

impl Commanded {
    pub fn new(action: &str, words: &[&str]) -> Self {
        Self { action: action.to_owned(), words: words.iter().map(|&word| word.to_owned()).collect() }
    }
}
