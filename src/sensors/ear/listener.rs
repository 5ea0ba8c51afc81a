//! Hears voices in a stream of samples and cuts it into utterances: the same for microphones, files and commands.
//!
//! In: samples at [`SAMPLE_RATE_HZ`], pieces of any length, and [`Attention`]. Out: [`EarEvent`]s and the level. Whether a
//! frame is a voice is told by earshot's small network; `endpoint` makes utterances of it. No clock: seconds are samples.

use std::collections::VecDeque;

use super::{
    SAMPLE_RATE_HZ,
    endpoint::{EndpointSettings, Endpointer, FRAME_SAMPLES, Step, Turn},
    level::{Level, LevelMeter, dbfs, rms},
};

/// Seconds per frame.
const FRAME_S: f64 = FRAME_SAMPLES as f64 / SAMPLE_RATE_HZ as f64;
/// Quieter frames are no voice, whatever the network says of their last bits.
const FLOOR_DBFS: f32 = -65.0;

/// How the ear attends at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Attention {
    /// The talk key and whether it is down; `None`: voices begin utterances.
    pub talk_key: Option<bool>,
    /// Why nothing is to be heard now.
    pub deaf: Option<&'static str>,
    /// 0 (only loud and clear voices) to 1 (everything that may be one).
    pub sensitivity: f32,
    /// How much the game's own sounds cover voices, 0 to 1.
    pub masking: f32,
}

impl Default for Attention {
    fn default() -> Self {
        Self { talk_key: None, deaf: None, sensitivity: 0.5, masking: 0.0 }
    }
}

/// A piece of an utterance, as [`Speech`](super::Speech) but without ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EarEvent {
    pub utterance: u64,
    pub part: EarPart,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum EarPart {
    /// `addressed`: a talk key was held.
    Began {
        at_s: f64,
        addressed: bool,
    },
    Sound(Vec<f32>),
    Ended {
        at_s: f64,
    },
    Broken {
        reason: String,
    },
}

/// The listener of one ear.
pub(super) struct Listener {
    detector: Box<earshot::Detector>,
    settings: EndpointSettings,
    endpointer: Endpointer,
    /// The frame that is being filled.
    frame: Vec<f32>,
    /// The frames before, for the pre-roll.
    before: VecDeque<Vec<f32>>,
    meter: LevelMeter,
    /// Samples of whole frames since the source was opened, lost ones included.
    samples: u64,
    utterance: Option<u64>,
    next_utterance: u64,
    hang_over_s: Option<f64>,
}

/// Settings for a sensitivity of 0 to 1: as they are at 0.5, with thresholds that are up to 0.35 lower or higher.
fn adjusted(settings: &EndpointSettings, sensitivity: f32) -> EndpointSettings {
    let onset = (settings.onset_probability - 0.7 * (sensitivity.clamp(0.0, 1.0) - 0.5)).clamp(0.05, 0.95);
    let stay = settings.stay_probability * onset / settings.onset_probability.max(0.05);
    EndpointSettings { onset_probability: onset, stay_probability: stay, ..*settings }
}

impl Listener {
    pub fn new(settings: EndpointSettings) -> Self {
        Self {
            detector: Box::default(),
            settings,
            endpointer: Endpointer::new(settings),
            frame: Vec::with_capacity(FRAME_SAMPLES),
            before: VecDeque::new(),
            meter: LevelMeter::default(),
            samples: 0,
            utterance: None,
            next_utterance: 0,
            hang_over_s: None,
        }
    }

    /// Numbers the following utterances from here, for an ear that goes on where another one stopped.
    pub fn count_from(&mut self, utterance: u64) {
        self.next_utterance = utterance;
    }

    pub fn level(&self) -> Level {
        self.meter.0
    }

    /// Whether an utterance is under way.
    pub fn in_utterance(&self) -> bool {
        self.utterance.is_some()
    }

    /// Utterances begun so far.
    pub fn utterances(&self) -> u64 {
        self.next_utterance
    }

    /// From the end of the last voice to the moment that it was taken for the end, seconds of sound.
    pub fn hang_over_s(&self) -> Option<f64> {
        self.hang_over_s
    }

    /// Takes the next samples.
    pub fn hear(&mut self, samples: &[f32], attention: &Attention, events: &mut Vec<EarEvent>) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(FRAME_SAMPLES - self.frame.len()));
            self.frame.extend(now.iter().map(|sample| sample.clamp(-1.0, 1.0)));
            rest = later;
            if self.frame.len() == FRAME_SAMPLES {
                self.hear_frame(attention, events);
            }
        }
    }

    fn hear_frame(&mut self, attention: &Attention, events: &mut Vec<EarEvent>) {
        let frame = std::mem::replace(&mut self.frame, Vec::with_capacity(FRAME_SAMPLES));
        self.samples += FRAME_SAMPLES as u64;
        self.meter.hear(&frame, FRAME_S as f32);
        let voice = self.detector.predict_f32(&frame);
        if let Some(reason) = attention.deaf {
            self.break_off(reason, events);
            self.endpointer.reset();
            self.before.clear();
            return;
        }
        let loud_enough = dbfs(rms(&frame)) > FLOOR_DBFS;
        // What has begun goes on: the mask is there so that the game does not start to talk to itself.
        let masking = if self.endpointer.talking() { 0.0 } else { attention.masking.clamp(0.0, 1.0) };
        let probability = if loud_enough { voice * (1.0 - masking) } else { 0.0 };
        self.endpointer.settings = adjusted(&self.settings, attention.sensitivity);
        let turn = attention.talk_key.map_or(Turn::Voice, |down| Turn::Key { down });
        match self.endpointer.step(probability, turn) {
            Step::Quiet => {}
            Step::Begins { frames_back } => {
                let utterance = self.next_utterance;
                self.next_utterance += 1;
                self.utterance = Some(utterance);
                let back = frames_back.min(self.before.len());
                let at_s = self.seconds() - (back + 1) as f64 * FRAME_S;
                let addressed = attention.talk_key.is_some();
                events.push(EarEvent { utterance, part: EarPart::Began { at_s, addressed } });
                let mut sound: Vec<f32> = self.before.range(self.before.len() - back..).flatten().copied().collect();
                sound.extend_from_slice(&frame);
                events.push(EarEvent { utterance, part: EarPart::Sound(sound) });
            }
            Step::Goes => self.emit(EarPart::Sound(frame.clone()), events),
            Step::Ends { frames_back } => {
                self.emit(EarPart::Sound(frame.clone()), events);
                let at_s = self.seconds() - frames_back as f64 * FRAME_S;
                self.emit(EarPart::Ended { at_s }, events);
                self.utterance = None;
                self.hang_over_s = Some(frames_back as f64 * FRAME_S);
            }
        }
        if self.before.len() >= self.endpointer.memory_frames() {
            self.before.pop_front();
        }
        self.before.push_back(frame);
    }

    /// Samples of the source were lost: the clock goes on, what was being said is not known.
    pub fn lose(&mut self, samples: u64, events: &mut Vec<EarEvent>) {
        self.break_off(&format!("{samples} samples were lost"), events);
        self.samples += samples;
        self.frame.clear();
        self.before.clear();
        self.endpointer.reset();
    }

    /// Ends an utterance that cannot be trusted.
    pub fn break_off(&mut self, reason: &str, events: &mut Vec<EarEvent>) {
        self.emit(EarPart::Broken { reason: reason.to_owned() }, events);
        self.utterance = None;
        self.endpointer.reset();
    }

    /// The source has ended: what is under way ends with it.
    pub fn finish(&mut self, events: &mut Vec<EarEvent>) {
        let rest = std::mem::take(&mut self.frame);
        let at_s = self.seconds() + rest.len() as f64 / f64::from(SAMPLE_RATE_HZ);
        if self.in_utterance() {
            self.emit(EarPart::Sound(rest), events);
            self.emit(EarPart::Ended { at_s }, events);
        }
        self.utterance = None;
        self.endpointer.reset();
    }

    /// A new source: its seconds start at 0.
    pub fn restart(&mut self) {
        self.detector.reset();
        self.endpointer.reset();
        self.frame.clear();
        self.before.clear();
        self.meter = LevelMeter::default();
        self.samples = 0;
    }

    fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    fn emit(&self, part: EarPart, events: &mut Vec<EarEvent>) {
        if let Some(utterance) = self.utterance {
            events.push(EarEvent { utterance, part });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::test_voice, *};

    fn heard(sound: &[f32], piece: usize, attention: &Attention) -> Vec<EarEvent> {
        let mut listener = Listener::new(EndpointSettings::default());
        let mut events = Vec::new();
        for piece in sound.chunks(piece) {
            listener.hear(piece, attention, &mut events);
        }
        listener.finish(&mut events);
        events
    }

    fn spoken() -> Vec<f32> {
        let mut sound = vec![0.0; 16_000];
        sound.extend(test_voice::say(1.2, 200.0));
        sound.extend(vec![0.0; 16_000]);
        sound
    }

    #[test]
    fn a_voice_is_cut_out_with_its_own_samples_and_times() {
        let sound = spoken();
        let events = heard(&sound, 777, &Attention::default());
        let EarPart::Began { at_s: began, addressed: false } = events[0].part else { panic!("{events:?}") };
        let Some(EarPart::Ended { at_s: ended }) = events.last().map(|event| event.part.clone()) else {
            panic!("{events:?}")
        };
        assert!((0.6..1.05).contains(&began) && (2.0..2.4).contains(&ended), "{began} {ended}");
        let samples: Vec<f32> = events
            .iter()
            .filter_map(|event| if let EarPart::Sound(samples) = &event.part { Some(samples.clone()) } else { None })
            .flatten()
            .collect();
        let start = (began * 16_000.0).round() as usize;
        assert_eq!(samples, sound[start..start + samples.len()], "not one sample is missing or moved");
        assert!(events.iter().all(|event| event.utterance == 0));
    }

    #[test]
    fn the_size_of_pieces_does_not_matter() {
        let sound = spoken();
        assert_eq!(heard(&sound, 1, &Attention::default()), heard(&sound, 16_000, &Attention::default()));
    }

    #[test]
    fn a_deaf_ear_and_a_masked_one_hear_nothing() {
        let sound = spoken();
        assert_eq!(heard(&sound, 256, &Attention { deaf: Some("muted"), ..Default::default() }), []);
        assert_eq!(heard(&sound, 256, &Attention { masking: 1.0, ..Default::default() }), []);
    }

    #[test]
    fn muting_in_the_middle_breaks_off() {
        let sound = spoken();
        let mut listener = Listener::new(EndpointSettings::default());
        let mut events = Vec::new();
        listener.hear(&sound[..24_000], &Attention::default(), &mut events);
        assert!(listener.in_utterance());
        listener.hear(&sound[24_000..], &Attention { deaf: Some("muted"), ..Default::default() }, &mut events);
        assert_eq!(events.last().unwrap().part, EarPart::Broken { reason: "muted".to_owned() });
        assert_eq!(events.iter().filter(|event| matches!(event.part, EarPart::Began { .. })).count(), 1);
    }

    #[test]
    fn lost_samples_break_the_utterance_and_the_clock_goes_on() {
        let sound = spoken();
        let mut listener = Listener::new(EndpointSettings::default());
        let mut events = Vec::new();
        listener.hear(&sound[..24_000], &Attention::default(), &mut events);
        listener.lose(16_000, &mut events);
        assert_eq!(events.last().unwrap().part, EarPart::Broken { reason: "16000 samples were lost".to_owned() });
        events.clear();
        listener.hear(&sound, &Attention::default(), &mut events);
        let EarPart::Began { at_s, .. } = events[0].part else { panic!("{events:?}") };
        assert!(at_s > 3.0, "{at_s}");
        assert_eq!(events[0].utterance, 1);
    }

    #[test]
    fn hum_hiss_and_clicks_are_no_voices() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let hiss: Vec<f32> = (0..80_000).map(|_| 0.05 * noise()).collect();
        let hum: Vec<f32> = (0..80_000).map(|index| 0.2 * (index as f32 * 0.01963).sin()).collect();
        let clicks: Vec<f32> = (0..80_000).map(|index| if index % 8_000 < 20 { 0.8 } else { 0.0 }).collect();
        for (name, sound) in [("hiss", hiss), ("hum", hum), ("clicks", clicks)] {
            let events = heard(&sound, 512, &Attention::default());
            assert_eq!(events.len(), 0, "{name} is taken for a voice");
        }
    }

    #[test]
    fn the_talk_key_frames_an_utterance_without_a_voice() {
        let mut listener = Listener::new(EndpointSettings::default());
        let mut events = Vec::new();
        let key = |down| Attention { talk_key: Some(down), ..Default::default() };
        listener.hear(&[0.0; 16_000], &key(false), &mut events);
        assert_eq!(events, []);
        listener.hear(&[0.0; 8_000], &key(true), &mut events);
        listener.hear(&[0.0; 8_000], &key(false), &mut events);
        assert!(matches!(events[0].part, EarPart::Began { .. }));
        assert!(matches!(events.last().unwrap().part, EarPart::Ended { .. }));
    }
}
