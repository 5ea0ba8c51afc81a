//! What was done and can be taken back, newest first.
//!
//! In: deeds with a way to take each back, from whoever did them; `Undo`. Out: the last one taken back. What is absent: any
//! knowledge of what the deeds are.

use std::collections::VecDeque;

use bevy::prelude::*;

use crate::world::{CommandAnswered, Commanded};

/// More than this many are not remembered.
const REMEMBERED: usize = 64;

/// A bounded stack of named deeds.
#[derive(Clone, Debug)]
pub struct History<T> {
    done: VecDeque<(String, T)>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { done: VecDeque::new() }
    }
}

impl<T> History<T> {
    /// Remembers a deed; the oldest is forgotten when there are too many.
    pub fn note(&mut self, name: impl Into<String>, take_back: T) {
        if self.done.len() == REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back((name.into(), take_back));
    }

    /// The newest deed, which is then forgotten.
    pub fn last(&mut self) -> Option<(String, T)> {
        self.done.pop_back()
    }
}

/// Takes a deed back. Tells what stands in the way if it cannot be.
pub type TakeBack = Box<dyn FnOnce(&mut World) -> Result<(), String> + Send + Sync>;

/// The deeds of this run.
#[derive(Resource, Default)]
pub struct DeedHistory(History<TakeBack>);

impl DeedHistory {
    /// Remembers a deed, named as one would say it ("the lights"), and how it is taken back.
    pub fn note(
        &mut self,
        name: impl Into<String>,
        take_back: impl FnOnce(&mut World) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0.note(name, Box::new(take_back));
    }
}

/// Answers `Undo`.
pub(super) fn undo(
    mut commanded: MessageReader<Commanded>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
    mut commands: Commands,
) {
    for command in commanded.read().filter(|command| command.is("Undo")) {
        let Some((name, take_back)) = history.0.last() else {
            answers.write(CommandAnswered::refused(command, "There is nothing to take back."));
            continue;
        };
        let command = command.clone();
        commands.queue(move |world: &mut World| {
            let answer = match take_back(world) {
                Ok(()) => CommandAnswered::done(&command, format!("Taken back: {name}.")),
                Err(why) => CommandAnswered::refused(&command, why),
            };
            world.write_message(answer);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_deed_comes_back_first_and_only_once() {
        let mut history = History::default();
        history.note("lights", 1);
        history.note("doors", 2);
        assert_eq!(history.last(), Some(("doors".to_owned(), 2)));
        history.note("paint", 3);
        assert_eq!(history.last(), Some(("paint".to_owned(), 3)));
        assert_eq!(history.last(), Some(("lights".to_owned(), 1)));
        assert_eq!(history.last(), None);
    }

    #[test]
    fn the_oldest_of_too_many_is_forgotten() {
        let mut history = History::default();
        for number in 0..=REMEMBERED {
            history.note("deed", number);
        }
        let mut left = std::iter::from_fn(|| history.last()).map(|(_, number)| number);
        assert_eq!(left.next(), Some(REMEMBERED));
        assert_eq!(left.last(), Some(1));
    }
}
