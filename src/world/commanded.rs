//! What the world's people are told to do in words, whoever said it: a voice, a list on the screen, a script; and what came
//! of it.

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

    /// Whether this is the action of that name.
    pub fn is(&self, action: &str) -> bool {
        self.action == action
    }

    /// The first word; empty if there is none.
    pub fn word(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// What came of a command. Whoever carries out an action writes one for each.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct CommandAnswered {
    pub command: Commanded,
    pub outcome: Outcome,
}

/// How a command ended, in words for the player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What happens now.
    Done(String),
    /// Why nothing happens.
    Refused(String),
}

impl CommandAnswered {
    pub fn done(command: &Commanded, words: impl Into<String>) -> Self {
        Self { command: command.clone(), outcome: Outcome::Done(words.into()) }
    }

    pub fn refused(command: &Commanded, words: impl Into<String>) -> Self {
        Self { command: command.clone(), outcome: Outcome::Refused(words.into()) }
    }
}
