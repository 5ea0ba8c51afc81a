//! What the companion and the world are asked for on a tour, spoken where a speech model understands it; and the transcript of
//! what was said, heard and done.
//!
//! In: the part of the tour that is over, [`HearingStatus`]. Out: [`SpokenFiles`], [`Commanded`], a [`Transcript`]. What is spoken
//! and not understood is commanded all the same, so that the rest of the tour is as ever; the report tells both.

use bevy::prelude::*;

use super::{
    TourSettings,
    report::{EarFigures, Errand, HeardUtterance},
};
use crate::{
    app::asset_folder,
    base::{ClassTable, Status, Tick},
    behaviours::Said,
    percepts::{Heard, HearingStatus},
    sensors::{EarSource, EarStatus, SpokenFiles},
    world::{CommandAnswered, Commanded, Outcome},
};

/// What was said, heard and commanded.
#[derive(Resource, Default)]
pub(super) struct Transcript {
    pub said: Vec<(f64, String)>,
    pub heard: Vec<HeardUtterance>,
    pub commands: Vec<Errand>,
}

/// Something that is asked for.
struct Asked {
    /// The part of the tour that is over by then, 0 to 1.
    due: f64,
    /// The command; `None` for talk that is none. `{find}` is what the companion is asked to find.
    command: Option<(&'static str, &'static [&'static str])>,
    /// The file in `assets/audio/spoken`, without its ending.
    spoken: &'static str,
}

/// From this part on frames are not measured: commands let light be computed beside them, which belongs to neither figure.
pub(super) const UNMEASURED_FROM: f64 = 0.93;

/// What can be asked for in the file that asks for it.
const SPOKEN_FIND: &str = "teapot";

const ERRANDS: [Asked; 7] = [
    Asked { due: 0.1, command: None, spoken: "the_soup_was_a_little_too_hot_yesterday" },
    Asked { due: 0.2, command: Some(("Describe", &[])), spoken: "what_do_you_see" },
    Asked { due: 0.4, command: Some(("Find", &["{find}"])), spoken: "show_me_the_teapot" },
    Asked { due: 0.7, command: Some(("TakePicture", &[])), spoken: "take_a_picture" },
    Asked { due: UNMEASURED_FROM, command: Some(("Doors", &["close"])), spoken: "close_the_doors" },
    Asked { due: 0.95, command: Some(("Undo", &[])), spoken: "take_that_back" },
    Asked { due: 0.96, command: Some(("Lights", &["dim"])), spoken: "dim_the_lights" },
];

/// After the tour's seconds what is being said may be said to its end for so long.
pub(super) const LAST_WORDS_SECONDS: f64 = 30.0;

impl Asked {
    fn file(&self) -> std::path::PathBuf {
        asset_folder().join("audio/spoken").join(format!("{}.flac", self.spoken))
    }

    fn command(&self, find: &str) -> Option<Commanded> {
        let (action, words) = self.command?;
        let words = words.iter().map(|word| word.replace("{find}", find)).collect();
        Some(Commanded { action: action.to_owned(), words })
    }

    /// Whether the file says what is asked for.
    fn fits(&self, find: &str) -> bool {
        let asks_for_find = self.command.is_some_and(|(_, words)| words.contains(&"{find}"));
        !asks_for_find || find == SPOKEN_FIND
    }
}

/// How far the errands are.
#[derive(Default)]
pub(super) struct Errands {
    given: usize,
    spoken: Vec<String>,
    /// Of what was heard, so much was looked at.
    answered: usize,
}

impl Errands {
    /// Asks for what is due, and in writing for what was said and not understood.
    pub fn run(&mut self, app: &mut App, settings: &TourSettings, part: f64) {
        let world = app.world_mut();
        let speaks = settings.ear == EarSource::Files && world.resource::<HearingStatus>().status == Status::Ready;
        while let Some(asked) = ERRANDS.get(self.given).filter(|asked| part >= asked.due) {
            self.given += 1;
            if speaks && asked.fits(&settings.find) {
                world.resource_mut::<SpokenFiles>().0.push_back(asked.file());
                self.spoken.push(asked.spoken.to_owned());
            } else if let Some(command) = asked.command(&settings.find) {
                world.write_message(command);
            }
        }
        let heard = &world.resource::<Transcript>().heard;
        let not_understood: Vec<Commanded> = heard[self.answered..]
            .iter()
            .filter(|heard| heard.command.is_none())
            .filter_map(|heard| ERRANDS.iter().find(|asked| heard.file.starts_with(asked.spoken)))
            .filter_map(|asked| asked.command(&settings.find))
            .collect();
        self.answered = heard.len();
        world.write_message_batch(not_understood);
    }

    /// Whether something is still being said or understood.
    pub fn under_way(&self, app: &App) -> bool {
        let world = app.world();
        let (ear, hearing) = (world.resource::<EarStatus>(), world.resource::<HearingStatus>());
        let files = world.resource::<SpokenFiles>();
        !self.spoken.is_empty()
            && (!files.0.is_empty() || !ear.finished || ear.utterances > hearing.utterances + hearing.given_up)
    }

    pub fn ear_figures(self, world: &World) -> EarFigures {
        let ear = world.resource::<EarStatus>().clone();
        EarFigures {
            status: ear.status,
            hearing: world.resource::<HearingStatus>().status.clone(),
            spoken: self.spoken,
            unheard: ear.unheard,
            utterances: ear.utterances,
            broken: ear.broken,
            hang_over_ms: ear.hang_over_s.map(|seconds| 1e3 * seconds),
        }
    }
}

/// Keeps what happens.
pub(super) fn write_down(
    mut said: MessageReader<Said>,
    mut heard: MessageReader<Heard>,
    mut answers: MessageReader<CommandAnswered>,
    mut transcript: ResMut<Transcript>,
    ear: Res<EarStatus>,
    tick: Res<Tick>,
    classes: Res<ClassTable>,
) {
    let transcript = &mut *transcript;
    transcript.said.extend(said.read().map(|said| (tick.seconds(), said.in_words(&classes))));
    transcript.heard.extend(heard.read().map(|heard| HeardUtterance {
        seconds: tick.seconds(),
        file: ear.source.clone(),
        text: heard.text.clone(),
        command: heard.command.as_ref().map(|command| written(&command.action, &command.words)),
        confidence: heard.confidence,
        waited_ms: heard.waited_ms,
    }));
    transcript.commands.extend(answers.read().map(|answered| {
        let (done, answer) = match &answered.outcome {
            Outcome::Done(words) => (true, words.clone()),
            Outcome::Refused(words) => (false, words.clone()),
        };
        let command = written(&answered.command.action, &answered.command.words);
        Errand { seconds: tick.seconds(), command, done, answer }
    }));
}

/// A command as scene files write it: `Find(teapot)`.
fn written(action: &str, words: &[String]) -> String {
    if words.is_empty() { action.to_owned() } else { format!("{action}({})", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_has_its_file_and_they_come_in_order() {
        for asked in &ERRANDS {
            assert!(asked.file().is_file(), "{}", asked.file().display());
        }
        assert!(ERRANDS.is_sorted_by(|a, b| a.due <= b.due));
    }

    #[test]
    fn only_what_is_in_the_file_is_asked_for_by_voice() {
        let find = &ERRANDS[2];
        assert!(find.fits("teapot") && !find.fits("mug"));
        assert_eq!(find.command("mug"), Some(Commanded::new("Find", &["mug"])));
        assert_eq!((ERRANDS[0].command("mug"), ERRANDS[0].fits("mug")), (None, true));
    }
}
