//! From the model's outputs, step by step, to the phrase that explains them best.
//!
//! In: log probabilities of the blank and 39 phones, one row a step. Out, at any time: the best phrase, how well it explains
//! the sound, and the best phrase with another meaning. It is CTC prefix beam search (Hannun et al., "First-pass large
//! vocabulary continuous speech recognition using bi-directional recurrent DNNs", 2014) in which only the grammar's prefixes
//! live. Beside them, over the same steps, runs the best path through all phones: talk at large. A phrase is as credible as
//! its best single path explains the sound like talk at large does ([`Evidence`], [`Judgement`]). Before and after a phrase may be other
//! sounds, each of which costs. What is absent: the decision (who asks compares the confidence with the model's threshold).

use std::sync::Arc;

use super::{
    super::{
        SpokenCommand,
        phones::{BLANK, OUTPUTS, Phone},
    },
    alignment::{Evidence, Judgement, Row, align, best_output, foreign},
    grammar::{END, PhoneGraph, START, State},
};

/// Log probability of the impossible, and of what is not a number: one bad step must not silence a sentence.
const FLOOR: f32 = -30.0;
/// Complete prefixes that are followed into the sounds behind them.
const MAX_ENDED: usize = 64;
/// Complete prefixes that are read for the runner-up.
const MAX_READ: usize = 64;

/// How prefixes are pruned, and what foreign sounds cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoderSettings {
    /// Cost of each sound before or after the phrase, nats: the model's threshold `filler`.
    pub filler: f32,
    /// What each phone of a phrase is worth, nats: without it the shortest phrase explains a faint voice best. Of the phones
    /// that may follow another about twenty are likely, so that to foretell one is worth ln 20.
    pub phone_bonus: f32,
    /// Steps from phone to phone in ordinary speech.
    pub steps_per_phone: f32,
    /// What makes a phrase credible.
    pub judgement: Judgement,
    /// Prefixes that are worse than the best by more are given up, nats.
    pub beam: f32,
    /// No more prefixes than this are followed.
    pub max_prefixes: usize,
}

impl Default for DecoderSettings {
    fn default() -> Self {
        Self {
            filler: 4.0,
            phone_bonus: 3.0,
            steps_per_phone: 2.3,
            judgement: Judgement::default(),
            beam: 20.0,
            max_prefixes: 400,
        }
    }
}

/// A phrase that may have been said.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub command: SpokenCommand,
    /// 0 to 1, see [`Judgement`].
    pub confidence: f32,
    pub evidence: Evidence,
    /// Steps of its first and its last sound.
    pub first_step: usize,
    pub last_step: usize,
}

/// What an utterance may have been.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    pub best: Option<Candidate>,
    /// The best with another action or other words of it.
    pub runner_up: Option<Candidate>,
}

/// One prefix: a sequence of phones with which some sentence begins.
struct Prefix {
    parent: u32,
    phone: u8,
    /// States of the graph after these phones.
    states: Vec<State>,
    /// Where the longer prefixes begin, and how many there are, once they were made.
    children: Option<(u32, u32)>,
    /// Whether a sentence may end here.
    is_sentence: bool,
    length: u16,
    /// Log probability that the phones were emitted and a blank came last, or the last phone did.
    blank: f32,
    sound: f32,
    next_blank: f32,
    next_sound: f32,
    /// Best log probability that the sentence ended, and other sounds followed.
    ended: f32,
    /// Step at which it was last touched, so that it is listed once.
    touched: u32,
}

const NEVER: f32 = f32::NEG_INFINITY;
const ROOT: u32 = 0;

/// Follows one utterance at a time.
pub struct Decoder {
    graph: Arc<PhoneGraph>,
    settings: DecoderSettings,
    prefixes: Vec<Prefix>,
    active: Vec<u32>,
    /// Prefixes with something in `ended`.
    ended: Vec<u32>,
    /// Log probability of the best path of any phones.
    talk: f32,
    /// The output that was best at the last step.
    last_best: usize,
    /// The steps so far.
    rows: Vec<Row>,
}

fn log_add(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == NEVER { high } else { high + (low - high).exp().ln_1p() }
}

impl Decoder {
    pub fn new(graph: Arc<PhoneGraph>, settings: DecoderSettings) -> Self {
        let mut decoder = Self {
            graph,
            settings,
            prefixes: Vec::new(),
            active: Vec::new(),
            ended: Vec::new(),
            talk: 0.0,
            last_best: BLANK,
            rows: Vec::new(),
        };
        decoder.reset();
        decoder
    }

    /// Forgets the utterance.
    pub fn reset(&mut self) {
        self.prefixes.clear();
        self.prefixes.push(Prefix { blank: 0.0, ..Prefix::new(ROOT, 0, vec![START], 0) });
        self.active = vec![ROOT];
        self.ended.clear();
        self.rows.clear();
        (self.talk, self.last_best) = (0.0, BLANK);
    }

    /// Steps since the utterance began.
    pub fn steps(&self) -> usize {
        self.rows.len()
    }

    /// Takes the next steps: rows of [`OUTPUTS`] log probabilities. An incomplete row at the end is not looked at.
    pub fn push(&mut self, log_probs: &[f32]) {
        for row in log_probs.chunks_exact(OUTPUTS) {
            let mut step = [FLOOR; OUTPUTS];
            if row.iter().all(|value| value.is_finite() || *value == f32::NEG_INFINITY) {
                step.iter_mut().zip(row).for_each(|(value, given)| *value = given.clamp(FLOOR, 0.0));
            }
            if step.iter().all(|value| *value == FLOOR) {
                // Nothing to go by is silence.
                step[BLANK] = 0.0;
            }
            self.step(&step);
            self.rows.push(step);
        }
    }

    fn step(&mut self, log_probs: &Row) {
        let filler = foreign(log_probs, self.last_best, self.settings.filler);
        let best = best_output(log_probs);
        self.talk += log_probs[best];
        self.last_best = best;

        let now = self.rows.len() as u32 + 1;
        let mut touched = Vec::with_capacity(self.active.len() * 2);
        for index in std::mem::take(&mut self.active) {
            self.expand(index);
            let prefix = &self.prefixes[index as usize];
            let (blank, sound, phone) = (prefix.blank, prefix.sound, prefix.phone);
            let (children, is_sentence) = (prefix.children, prefix.is_sentence);
            let total = log_add(blank, sound);
            if index == ROOT {
                self.add(index, now, blank + filler, NEVER, &mut touched);
            } else {
                let repeated = sound + log_probs[usize::from(phone)];
                self.add(index, now, total + log_probs[BLANK], repeated, &mut touched);
            }
            if is_sentence {
                let prefix = &mut self.prefixes[index as usize];
                if prefix.ended == NEVER {
                    self.ended.push(index);
                }
                prefix.ended = prefix.ended.max(total);
            }
            let (start, count) = children.unwrap_or((0, 0));
            for child in start..start + count {
                let child_phone = self.prefixes[child as usize].phone;
                // The same sound twice needs a blank between.
                let before = if child_phone == phone && index != ROOT { blank } else { total };
                let arrived = before + log_probs[usize::from(child_phone)] + self.settings.phone_bonus;
                self.add(child, now, NEVER, arrived, &mut touched);
            }
        }
        for index in &self.ended {
            self.prefixes[*index as usize].ended += filler;
        }
        self.prune(&touched);
    }

    /// Adds to a prefix's probabilities of the next step.
    fn add(&mut self, index: u32, now: u32, blank: f32, sound: f32, touched: &mut Vec<u32>) {
        let prefix = &mut self.prefixes[index as usize];
        if prefix.touched != now {
            prefix.touched = now;
            (prefix.next_blank, prefix.next_sound) = (NEVER, NEVER);
            touched.push(index);
        }
        prefix.next_blank = log_add(prefix.next_blank, blank);
        prefix.next_sound = log_add(prefix.next_sound, sound);
    }

    /// The next step becomes this one; what is too unlikely is given up.
    fn prune(&mut self, touched: &[u32]) {
        let total = |prefix: &Prefix| log_add(prefix.next_blank, prefix.next_sound);
        let mut scored: Vec<(f32, u32)> =
            touched.iter().map(|index| (total(&self.prefixes[*index as usize]), *index)).collect();
        let best = scored.iter().map(|(score, _)| *score).fold(NEVER, f32::max);
        let bound = best - self.settings.beam;
        // The empty prefix stays: a sentence may begin after any noise.
        scored.retain(|(score, index)| *score >= bound || *index == ROOT);
        if scored.len() > self.settings.max_prefixes {
            scored.select_nth_unstable_by(self.settings.max_prefixes, |a, b| b.0.total_cmp(&a.0));
            scored.truncate(self.settings.max_prefixes);
            if !scored.iter().any(|(_, index)| *index == ROOT) {
                scored.push((NEVER, ROOT));
            }
        }
        for index in touched {
            let prefix = &mut self.prefixes[*index as usize];
            (prefix.blank, prefix.sound) = (NEVER, NEVER);
        }
        self.active.clear();
        for (_, index) in scored {
            let prefix = &mut self.prefixes[index as usize];
            (prefix.blank, prefix.sound) = (prefix.next_blank, prefix.next_sound);
            self.active.push(index);
        }
        if self.ended.len() > MAX_ENDED {
            let prefixes = &self.prefixes;
            let score = |index: &u32| prefixes[*index as usize].ended;
            self.ended.sort_unstable_by(|a, b| score(b).total_cmp(&score(a)));
            for index in self.ended.drain(MAX_ENDED..) {
                self.prefixes[index as usize].ended = NEVER;
            }
        }
    }

    /// Makes the prefixes that are one phone longer.
    fn expand(&mut self, index: u32) {
        if self.prefixes[index as usize].children.is_some() {
            return;
        }
        let reached = self.graph.silently(&self.prefixes[index as usize].states);
        let mut next: Vec<(Phone, Vec<State>)> = Vec::new();
        for state in &reached {
            for arc in self.graph.arcs(*state) {
                let Some(phone) = arc.phone else { continue };
                match next.iter_mut().find(|(known, _)| *known == phone) {
                    Some((_, states)) if states.contains(&arc.to) => {}
                    Some((_, states)) => states.push(arc.to),
                    None => next.push((phone, vec![arc.to])),
                }
            }
        }
        let start = self.prefixes.len() as u32;
        let length = self.prefixes[index as usize].length + 1;
        let prefix = &mut self.prefixes[index as usize];
        prefix.is_sentence = reached.contains(&END);
        prefix.children = Some((start, next.len() as u32));
        self.prefixes.extend(next.into_iter().map(|(phone, states)| Prefix::new(index, phone.0, states, length)));
    }

    /// What the steps so far may have been.
    pub fn decoded(&mut self) -> Decoded {
        for index in self.active.clone() {
            self.expand(index);
        }
        let mut sentences: Vec<(f32, u32)> = Vec::new();
        for index in self.active.iter().chain(&self.ended) {
            let prefix = &self.prefixes[*index as usize];
            if prefix.is_sentence && !sentences.iter().any(|(_, known)| known == index) {
                sentences.push((prefix.ended.max(log_add(prefix.blank, prefix.sound)), *index));
            }
        }
        sentences.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut decoded = Decoded::default();
        for (_, index) in sentences.into_iter().take(MAX_READ) {
            let Some(candidate) = self.candidate(index) else { continue };
            match &decoded.best {
                None => decoded.best = Some(candidate),
                Some(best) => {
                    let (a, b) = (&best.command, &candidate.command);
                    if a.action != b.action || a.words != b.words {
                        decoded.runner_up = Some(candidate);
                        break;
                    }
                }
            }
        }
        decoded
    }

    fn candidate(&self, index: u32) -> Option<Candidate> {
        let mut phones = Vec::with_capacity(usize::from(self.prefixes[index as usize].length));
        let mut at = index;
        while at != ROOT {
            phones.push(Phone(self.prefixes[at as usize].phone));
            at = self.prefixes[at as usize].parent;
        }
        phones.reverse();
        let (_, command) = self.graph.readings(&phones, 1).pop()?;
        let found = align(&self.rows, &phones, self.settings.filler)?;
        let evidence = Evidence::of(&self.rows, &phones, &found, self.talk, self.settings.steps_per_phone);
        let confidence = self.settings.judgement.confidence(&evidence);
        let first_step = found.onsets.first().copied().unwrap_or_default();
        Some(Candidate { command, confidence, evidence, first_step, last_step: found.last_step })
    }
}

impl Prefix {
    fn new(parent: u32, phone: u8, states: Vec<State>, length: u16) -> Self {
        Self {
            parent,
            phone,
            states,
            children: None,
            is_sentence: false,
            length,
            blank: NEVER,
            sound: NEVER,
            next_blank: NEVER,
            next_sound: NEVER,
            ended: NEVER,
            touched: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{
        super::grammar::tests::{phones, source},
        *,
    };

    const OBJECTS: &[&str] = &["teapot", "kettle", "lamp", "chair", "car", "key"];

    fn decoder() -> Decoder {
        let source = source(
            &[
                ("(find|show me|where is) [the] {object}", "Find", &["object"]),
                ("lights on", "Lights", &["on"]),
                ("lights off", "Lights", &["off"]),
                ("(follow|come with) me", "Follow", &[]),
                ("stop", "Stay", &[]),
            ],
            &[("object", OBJECTS)],
        );
        Decoder::new(Arc::new(PhoneGraph::compile(&source).unwrap()), DecoderSettings::default())
    }

    /// Rows of a model that is `sure` (probability) of these words: each phone for two steps, then two blanks.
    fn spoken(words: &str, sure: f32) -> Vec<f32> {
        phones(words)
            .into_iter()
            .flat_map(|phone| [usize::from(phone.0), usize::from(phone.0), BLANK, BLANK])
            .flat_map(|k| row(k, sure))
            .collect()
    }

    fn row(output: usize, sure: f32) -> [f32; OUTPUTS] {
        let mut row = [((1.0 - sure) / (OUTPUTS - 1) as f32).ln(); OUTPUTS];
        row[output] = sure.ln();
        row
    }

    fn decode(rows: &[f32]) -> Decoded {
        let mut decoder = decoder();
        // In pieces, as they come in play.
        for piece in rows.chunks(3 * OUTPUTS) {
            decoder.push(piece);
        }
        decoder.decoded()
    }

    #[test]
    fn what_was_said_is_found_with_its_slots() {
        for (said, words) in [("show me the teapot", "teapot"), ("where is the key", "key"), ("find car", "car")] {
            let found = decode(&spoken(said, 0.9)).best.unwrap();
            assert_eq!((found.command.text.as_str(), found.command.action.as_str()), (said, "Find"));
            assert_eq!(found.command.words, [words]);
            assert!(found.confidence > 0.9, "{said}: {}", found.confidence);
        }
    }

    #[test]
    fn like_phrases_are_told_apart_and_the_other_one_is_named() {
        let found = decode(&spoken("lights off", 0.8));
        let (best, other) = (found.best.unwrap(), found.runner_up.unwrap());
        assert_eq!((best.command.words, other.command.words), (vec!["off".to_owned()], vec!["on".to_owned()]));
        assert!(best.confidence > other.confidence + 0.1, "{} {}", best.confidence, other.confidence);
    }

    #[test]
    fn one_wrong_sound_is_forgiven_and_talk_at_large_is_not() {
        // "find the deapot"
        let mut rows = spoken("find the teapot", 0.8);
        let first = phones("find the").len() * 4 * OUTPUTS;
        let d = usize::from(Phone::named("D").unwrap().0);
        rows[first..first + OUTPUTS].copy_from_slice(&row(d, 0.8));
        rows[first + OUTPUTS..first + 2 * OUTPUTS].copy_from_slice(&row(d, 0.8));
        let heard = decode(&rows).best.unwrap();
        assert_eq!(heard.command.words, ["teapot"]);
        assert!(heard.confidence > 0.4, "{}", heard.confidence);
        for talk in
            ["yesterday my neighbour went swimming", "under the blue umbrella", "please stop talking about music"]
        {
            let confidence = decode(&spoken(talk, 0.9)).best.map_or(0.0, |best| best.confidence);
            assert!(confidence < 0.1, "{talk}: {confidence}");
        }
    }

    #[test]
    fn silence_and_a_little_noise_around_a_phrase_do_no_harm() {
        let silence: Vec<f32> = (0..40).flat_map(|_| row(BLANK, 0.9)).collect();
        let rows = [&silence[..], &spoken("follow me", 0.9), &silence].concat();
        let heard = decode(&rows).best.unwrap();
        assert!(heard.confidence > 0.9 && heard.command.action == "Follow");
        assert_eq!((heard.first_step, heard.last_step), (40, 40 + 4 * (phones("follow me").len() - 1) + 1));
        let noise = spoken("uh", 0.9);
        let heard = decode(&[&noise[..], &spoken("show me the teapot", 0.9), &noise].concat()).best.unwrap();
        assert!(heard.command.words == ["teapot"] && heard.confidence > 0.4, "{}", heard.confidence);
    }

    #[test]
    fn nothing_and_nonsense_give_nothing_and_no_panic() {
        assert_eq!(decode(&[]), Decoded::default());
        assert_eq!(decode(&[0.0; 7]), Decoded::default());
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let found = decode(&vec![value; 50 * OUTPUTS]);
            assert!(found.best.is_none_or(|best| best.confidence.is_finite()));
        }
        // One step of garbage in the middle of a word does not silence it.
        let mut rows = spoken("lights on", 0.9);
        rows[5 * OUTPUTS..6 * OUTPUTS].fill(f32::NAN);
        assert_eq!(decode(&rows).best.unwrap().command.words, ["on"]);
        let nothing = PhoneGraph::compile(&Default::default()).unwrap();
        let mut empty = Decoder::new(Arc::new(nothing), DecoderSettings::default());
        empty.push(&rows);
        assert_eq!(empty.decoded(), Decoded::default());
    }

    #[test]
    fn the_cost_of_a_second_of_sound() {
        let objects: Vec<String> = crate::base::KIT_CLASSES.map(str::to_owned).into();
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        let verbs = ["find", "paint", "open", "take", "watch", "bring", "show", "lift", "drop", "turn"];
        let phrases: Vec<String> = (0..40)
            .map(|n| {
                format!(
                    "({}|please {}) [the|a] {{object}} {}",
                    verbs[n % 10],
                    verbs[n / 4],
                    ["now", "there", "here", "again"][n % 4]
                )
            })
            .collect();
        let commands: Vec<(&str, &str, &[&str])> =
            phrases.iter().map(|phrase| (phrase.as_str(), "Act", &["object"][..])).collect();
        let begun = Instant::now();
        let graph = PhoneGraph::compile(&source(&commands, &[("object", &objects)])).unwrap();
        let compiled = begun.elapsed();
        let states = graph.len();
        let mut decoder = Decoder::new(Arc::new(graph), DecoderSettings::default());
        let rows = spoken("please show the umbrella there", 0.5);
        let seconds = rows.len() as f64 / OUTPUTS as f64 * 0.04;
        let begun = Instant::now();
        for _ in 0..20 {
            decoder.reset();
            decoder.push(&rows);
        }
        let ms = begun.elapsed().as_secs_f64() * 1e3 / 20.0 / seconds;
        println!(
            "decoder: {ms:.2} ms per second of audio at 25 steps a second, {} prefixes; {states} states compiled in {:.1} ms",
            decoder.prefixes.len(),
            compiled.as_secs_f64() * 1e3
        );
        assert!(decoder.prefixes.len() < 100_000, "prefixes are not pruned");
    }
}
