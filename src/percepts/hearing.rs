//! Understanding what the ear passes on, while the world goes on.
//!
//! In: [`Speech`], the [`Grammar`], the model that serves the task `"transcribe"`. Out: [`Heard`] messages, [`HearingStatus`].
//! An utterance is worked on while it is being spoken: one chunk is with the model, what comes meanwhile is gathered, and
//! nothing is overtaken; the end of the voice finds little left to do. In lockstep the update waits for each chunk. What is
//! absent: what a command does; the file it was written in.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bevy::prelude::*;
use ndarray::ArrayD;

use super::{
    Heard,
    speech::{
        Decoded, Decoder, GrammarProblem, GrammarSource, PhoneGraph, SpeechSettings,
        request::{Chunks, TASK, decode, encode},
    },
};
use crate::{
    base::{Status, Tick},
    inference::{Answer, Models, NamedTensors, Worker, manifest::Manifest},
    sensors::{EarSystems, EyePace, Speech, SpeechPart},
};

/// Steps that are gathered before the model runs, while somebody speaks: a run costs little more for four than for one.
const STEPS_AT_ONCE: usize = 4;
/// Steps of one run at most, so that what has piled up does not hold the thread.
const MAX_STEPS: usize = 100;
/// Utterances that wait for the model; more than this means that it cannot follow.
const MAX_WAITING: usize = 4;
/// Nobody commands in longer sentences; the rest is not listened to.
const MAX_SECONDS: f64 = 30.0;
/// Waiting times are kept of this many utterances.
const WINDOW: usize = 256;

/// Hearing in every app that has an ear and models.
pub struct HearingPlugin;

/// Hearing happens in `PreUpdate`, behind the ear.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HearingSystems;

impl Plugin for HearingPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Speech>()
            .add_message::<Heard>()
            .init_resource::<Grammar>()
            .init_resource::<HearingStatus>()
            .init_resource::<Utterances>()
            .init_resource::<Tick>()
            .add_systems(
                PreUpdate,
                (gather, understand)
                    .chain()
                    .run_if(resource_exists::<Models>)
                    .in_set(HearingSystems)
                    .after(EarSystems::Listen),
            );
    }
}

/// What can be said now. A bad change is told and leaves what was.
#[derive(Resource, Default)]
pub struct Grammar {
    graph: Option<Arc<PhoneGraph>>,
    source: GrammarSource,
    problems: Vec<GrammarProblem>,
    /// Why there are no phrases and none are on their way.
    withheld: Option<String>,
}

impl Grammar {
    /// Other phrases from the next utterance on. Returns whether they are in use.
    pub fn replace(&mut self, source: GrammarSource) -> bool {
        if self.source == source && self.graph.is_some() {
            return true;
        }
        match PhoneGraph::compile(&source) {
            Ok(graph) => {
                (self.graph, self.source) = (Some(Arc::new(graph)), source);
                (self.problems, self.withheld) = (Vec::new(), None);
                true
            }
            Err(problems) => {
                self.problems = problems;
                false
            }
        }
    }

    /// No phrases will come, for this reason; `None`: they are on their way. Phrases in use stay.
    pub fn withhold(&mut self, reason: Option<String>) {
        self.withheld = reason;
    }

    /// Whether something can be said, is still being read, or why nothing can.
    pub fn status(&self) -> Status {
        match (&self.graph, self.problems.first(), &self.withheld) {
            (Some(graph), ..) if graph.is_empty() => {
                Status::Unavailable("nothing can be said in this scene; give it `commands`".to_owned())
            }
            (Some(_), ..) => Status::Ready,
            (None, Some(GrammarProblem { line, what, help }), _) => {
                Status::Unavailable(format!("no phrase can be used; line {line}: {what}; {help}"))
            }
            (None, None, Some(reason)) => Status::Unavailable(reason.clone()),
            (None, None, None) => Status::Loading,
        }
    }

    /// The phrases in use; `None` before the first good ones.
    pub fn graph(&self) -> Option<&Arc<PhoneGraph>> {
        self.graph.as_ref()
    }

    /// Why the last change is not in use.
    pub fn problems(&self) -> &[GrammarProblem] {
        &self.problems
    }
}

/// How hearing is doing.
#[derive(Resource, Clone, Debug, Default)]
pub struct HearingStatus {
    pub status: Status,
    /// Utterances that were worked through, and those of them that were commands.
    pub utterances: u64,
    pub commands: u64,
    /// Utterances that were given up: the sound broke off, the model failed or could not follow.
    pub given_up: u64,
    pub last_fault: Option<String>,
    /// What the utterance under way sounds like so far, and its confidence.
    pub so_far: Option<(String, f32)>,
    /// From the end of the voice, as the ear told it, to [`Heard`]; milliseconds, newest last.
    pub waited_ms: VecDeque<f64>,
    /// Time that the model's thread was busy, and the length of the sound that kept it so, seconds since the start.
    pub busy_s: f64,
    pub sound_s: f64,
}

/// What was said and is not understood yet, in order; the first is being worked on.
#[derive(Resource, Default)]
struct Utterances {
    waiting: VecDeque<Utterance>,
    /// Whether a chunk of the first is with the model.
    in_flight: bool,
}

struct Utterance {
    number: u64,
    start_s: f64,
    chunks: Chunks,
    settings: SpeechSettings,
    /// Whether the speaker said that it is meant for the ear.
    addressed: bool,
    /// With the model's thread while a chunk is in flight.
    decoder: Option<Decoder>,
    state: Option<ArrayD<f32>>,
    end: Option<End>,
    seconds: f64,
}

#[derive(Clone, Copy)]
struct End {
    tick: Tick,
    at_s: f64,
    told: Instant,
}

/// What comes back from the model's thread.
type Worked = (Decoder, Result<ArrayD<f32>, String>, Decoded);

/// Puts what the ear passed on where it belongs.
fn gather(
    mut speech: MessageReader<Speech>,
    mut utterances: ResMut<Utterances>,
    mut status: ResMut<HearingStatus>,
    grammar: Res<Grammar>,
    models: Res<Models>,
) {
    let model = models.for_task(TASK).filter(|model| model.is_ready());
    let now = match &model {
        Some(_) => grammar.status(),
        None => models.runtime().err().map_or_else(
            || match models.statuses().iter().any(|model| model.status == Status::Loading) {
                true => Status::Loading,
                false => Status::Unavailable(format!("no model serves {TASK:?}; see `umwelt doctor`")),
            },
            |reason| Status::Unavailable(reason.to_owned()),
        ),
    };
    if status.status != now {
        status.status = now;
    }
    for Speech { utterance, part } in speech.read() {
        let known = utterances.waiting.iter().position(|waiting| waiting.number == *utterance);
        match (part, known) {
            (SpeechPart::Began { at_s, addressed, .. }, _) => {
                let phrases = grammar.graph().filter(|graph| !graph.is_empty());
                let (Some(manifest), Some(graph)) = (model.and_then(Worker::manifest), phrases) else {
                    status.given_up += 1;
                    continue;
                };
                if utterances.waiting.len() >= MAX_WAITING {
                    status.given_up += 1;
                    status.last_fault = Some("the speech model is slower than what is said".to_owned());
                    continue;
                }
                let settings = SpeechSettings::of(&manifest);
                utterances.waiting.push_back(Utterance {
                    number: *utterance,
                    start_s: *at_s,
                    chunks: Chunks::new(&settings),
                    settings,
                    addressed: *addressed,
                    decoder: Some(Decoder::new(Arc::clone(graph), settings.decoder)),
                    state: None,
                    end: None,
                    seconds: 0.0,
                });
            }
            (SpeechPart::Sound(samples), Some(index)) => {
                let waiting = &mut utterances.waiting[index];
                if waiting.seconds < MAX_SECONDS {
                    waiting.chunks.push(samples);
                    waiting.seconds += samples.len() as f64 / f64::from(crate::sensors::SAMPLE_RATE_HZ);
                }
            }
            (SpeechPart::Ended { tick, at_s }, Some(index)) => {
                let waiting = &mut utterances.waiting[index];
                waiting.chunks.finish();
                waiting.end = Some(End { tick: *tick, at_s: *at_s, told: Instant::now() });
            }
            (SpeechPart::Broken { reason }, Some(index)) => {
                give_up(&mut utterances, index, reason.clone(), &mut status);
            }
            // Of an utterance that was given up.
            (_, None) => {}
        }
    }
}

/// An utterance is not understood. An answer that is still to come is dropped when it comes.
fn give_up(utterances: &mut Utterances, index: usize, reason: String, status: &mut HearingStatus) {
    if index == 0 && utterances.in_flight {
        // Its decoder is away: it stays as an empty one that ends at once.
        let first = &mut utterances.waiting[0];
        first.chunks = Chunks::new(&first.settings);
        first.end = None;
        first.number = u64::MAX;
    } else {
        utterances.waiting.remove(index);
    }
    status.given_up += 1;
    status.so_far = None;
    status.last_fault = Some(reason);
}

/// Takes the model's answer and gives it the next chunk.
fn understand(
    mut utterances: ResMut<Utterances>,
    mut status: ResMut<HearingStatus>,
    mut heard: MessageWriter<Heard>,
    models: Res<Models>,
    pace: Option<Res<EyePace>>,
    tick: Res<Tick>,
) {
    let Some(model) = models.for_task(TASK) else {
        if !utterances.waiting.is_empty() {
            utterances.in_flight = false;
            give_up(&mut utterances, 0, "the speech model is gone".to_owned(), &mut status);
        }
        return;
    };
    let lockstep = pace.as_deref() == Some(&EyePace::Lockstep);
    loop {
        if utterances.in_flight {
            let was_busy = model.is_busy();
            match model.poll::<Worked>() {
                Some(answer) => take(answer, &mut utterances, &mut status),
                None if was_busy => return,
                None => {
                    utterances.in_flight = false;
                    give_up(&mut utterances, 0, "the speech model was replaced meanwhile".to_owned(), &mut status);
                }
            }
        }
        let Some(first) = utterances.waiting.front_mut() else { return };
        if first.number == u64::MAX {
            utterances.waiting.pop_front();
            continue;
        }
        let wanted = if first.end.is_some() { 1 } else { STEPS_AT_ONCE };
        if first.chunks.has_steps(wanted) {
            let (Some(chunk), Some(decoder)) = (first.chunks.take(MAX_STEPS), first.decoder.take()) else {
                give_up(&mut utterances, 0, "the utterance lost its decoder".to_owned(), &mut status);
                continue;
            };
            let state = first.state.take();
            let encode = move |manifest: &Manifest| encode(&chunk, state, manifest);
            let decode = move |outputs: &NamedTensors, _: &Manifest| work(decoder, outputs);
            if lockstep {
                match model.run_blocking(*tick, encode, decode) {
                    Ok(answer) => take(answer, &mut utterances, &mut status),
                    Err(error) => give_up(&mut utterances, 0, error.to_string(), &mut status),
                }
            } else if model.is_ready() {
                model.submit(*tick, encode, decode);
                utterances.in_flight = true;
                return;
            } else {
                give_up(&mut utterances, 0, "the speech model is not ready".to_owned(), &mut status);
            }
        } else if first.end.is_some()
            && let Some(done) = utterances.waiting.pop_front()
        {
            tell(done, &mut status, &mut heard);
        } else {
            return;
        }
    }
}

/// On the model's thread: rows into the decoder.
fn work(mut decoder: Decoder, outputs: &NamedTensors) -> Worked {
    let state = decode(outputs).map_err(|error| error.to_string()).map(|(rows, state)| {
        decoder.push(&rows);
        state
    });
    let so_far = decoder.decoded();
    (decoder, state, so_far)
}

fn take(answer: Answer<Worked>, utterances: &mut Utterances, status: &mut HearingStatus) {
    utterances.in_flight = false;
    status.busy_s += answer.took_ms * 1e-3;
    let Some(first) = utterances.waiting.front_mut() else { return };
    let worked = answer.result.map_err(|error| error.to_string());
    match worked.and_then(|(decoder, state, so_far)| Ok((decoder, state?, so_far))) {
        Ok((decoder, state, so_far)) => {
            (first.decoder, first.state) = (Some(decoder), Some(state));
            status.so_far = so_far.best.map(|best| (best.command.text, best.confidence));
        }
        Err(fault) => give_up(utterances, 0, fault, status),
    }
}

/// The whole utterance is with the decoder: what was it?
fn tell(mut done: Utterance, status: &mut HearingStatus, heard: &mut MessageWriter<Heard>) {
    let (Some(end), Some(decoder)) = (done.end, &mut done.decoder) else { return };
    let Decoded { best, runner_up } = decoder.decoded();
    let waited_ms = end.told.elapsed().as_secs_f64() * 1e3;
    let confidence = best.as_ref().map_or(0.0, |best| best.confidence);
    let accepted = confidence >= done.settings.least(done.addressed);
    let first_sound = best.as_ref().map_or(0, |best| best.first_step) as f64 * done.settings.seconds_per_step();
    status.utterances += 1;
    status.commands += u64::from(accepted);
    status.sound_s += done.seconds;
    status.so_far = None;
    status.waited_ms.push_back(waited_ms);
    if status.waited_ms.len() > WINDOW {
        status.waited_ms.pop_front();
    }
    heard.write(Heard {
        utterance: done.number,
        tick: end.tick,
        start_s: (done.start_s + first_sound).min(end.at_s),
        end_s: end.at_s,
        waited_ms,
        text: best.as_ref().map_or_else(String::new, |best| best.command.text.clone()),
        command: best.filter(|_| accepted).map(|best| best.command),
        confidence,
        runner_up: runner_up.map(|other| (other.command.text, other.confidence)),
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{base::Phrase, percepts::speech::CommandPhrase};

    fn source(phrase: &str) -> GrammarSource {
        let phrase = Phrase::parse(phrase).expect("a phrase");
        let command = CommandPhrase { line: 3, phrase, action: "Stay".into(), words: Vec::new() };
        GrammarSource { commands: vec![command], slots: BTreeMap::new(), say_as: BTreeMap::new() }
    }

    #[test]
    fn a_bad_grammar_leaves_the_good_one_in_use() {
        let mut grammar = Grammar::default();
        assert!(grammar.replace(source("stop")));
        let good = Arc::clone(grammar.graph().expect("a grammar"));
        assert!(!grammar.replace(source("stop {thing}")));
        assert_eq!(grammar.problems()[0].line, 3);
        assert!(Arc::ptr_eq(&good, grammar.graph().expect("the good one")));
        assert!(grammar.replace(source("halt")) && grammar.problems().is_empty());
        assert!(!Arc::ptr_eq(&good, grammar.graph().expect("the new one")));
    }

    #[test]
    fn phrases_that_may_still_come_are_not_phrases_that_are_not_there() {
        let reason = |grammar: &Grammar| match grammar.status() {
            Status::Unavailable(reason) => reason,
            other => panic!("{other:?}"),
        };
        let mut grammar = Grammar::default();
        assert_eq!(grammar.status(), Status::Loading);
        grammar.withhold(Some("the file is a letter".to_owned()));
        assert_eq!(reason(&grammar), "the file is a letter");
        grammar.withhold(None);
        assert!(!grammar.replace(source("stop {thing}")));
        assert!(reason(&grammar).contains("line 3"), "{:?}", grammar.status());
        assert!(grammar.replace(source("stop")));
        assert_eq!(grammar.status(), Status::Ready);
        assert!(grammar.replace(GrammarSource::default()));
        assert!(reason(&grammar).contains("`commands`"));
    }
}
