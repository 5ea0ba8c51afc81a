//! Where an utterance begins and ends: a pure state machine over the probability of a voice, frame by frame.
//!
//! In: one probability per frame of [`FRAME_SAMPLES`] samples (16 ms), and whether the talk key decides instead. Out: what the
//! frame is to the utterance. What is absent: sound, clocks, threads.
//!
//! The hang-over is a trade: a command fires only after it (and after what the rest takes: 10–20 ms of buffers, 15 ms of
//! resampling, one chunk of recognition), and the goal is 300 ms after the end of speech; but stops inside words are silences
//! of 50 to 120 ms, and those between words may be longer. 192 ms keeps words whole and leaves 100 ms for the rest.

/// Samples per frame: what the voice activity network takes.
pub(super) const FRAME_SAMPLES: usize = 256;

/// When an utterance begins and ends; frames of 16 ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndpointSettings {
    /// A frame is voiced from this probability on while it is quiet, 0 to 1.
    pub onset_probability: f32,
    /// And from this on while somebody talks, so that weak ends of words count.
    pub stay_probability: f32,
    /// An utterance begins when so many of the last `onset_window` frames are voiced: also its least length.
    pub onset_frames: u32,
    /// At most 32.
    pub onset_window: u32,
    /// Sound before the first voiced frame that belongs to the utterance: soft consonants come before voices.
    pub pre_roll_frames: usize,
    /// How far back the first voiced frame may lie while the voice was still uncertain.
    pub lead_frames: usize,
    /// Frames without voice that end it.
    pub hang_over_frames: usize,
    /// Frames that still belong to it after the talk key was let go: people let go early.
    pub release_frames: usize,
    /// Longer talk is cut here.
    pub max_frames: usize,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            onset_probability: 0.7,
            stay_probability: 0.35,
            onset_frames: 6,
            onset_window: 10,
            pre_roll_frames: 19,
            lead_frames: 47,
            hang_over_frames: 12,
            release_frames: 9,
            max_frames: 750,
        }
    }
}

/// Who decides that somebody talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Voice,
    Key { down: bool },
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Quiet,
    /// The utterance begins so many frames before this one.
    Begins {
        frames_back: usize,
    },
    Goes,
    /// The last frame of the utterance; the voice ended so many frames before the end of this one.
    Ends {
        frames_back: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Quiet {
        /// One bit per frame, the newest lowest: whether it was voiced.
        recent: u32,
        /// Frames in a row that would be voiced if somebody talked.
        warm: usize,
    },
    Talking {
        frames: usize,
        unvoiced: usize,
        released: usize,
    },
}

/// The state machine.
#[derive(Clone, Debug)]
pub(super) struct Endpointer {
    pub settings: EndpointSettings,
    state: State,
    /// Frames since the last utterance ended; utterances do not overlap.
    since_end: usize,
}

impl Endpointer {
    pub fn new(settings: EndpointSettings) -> Self {
        Self { settings, state: State::Quiet { recent: 0, warm: 0 }, since_end: 0 }
    }

    pub fn talking(&self) -> bool {
        matches!(self.state, State::Talking { .. })
    }

    /// Forgets what was going on.
    pub fn reset(&mut self) {
        self.state = State::Quiet { recent: 0, warm: 0 };
        self.since_end = 0;
    }

    /// How many frames may be asked for by [`Step::Begins`].
    pub fn memory_frames(&self) -> usize {
        self.settings.pre_roll_frames + self.settings.lead_frames.max(self.settings.onset_window as usize)
    }

    /// Takes the next frame.
    pub fn step(&mut self, probability: f32, turn: Turn) -> Step {
        let settings = &self.settings;
        self.since_end = self.since_end.saturating_add(1);
        match &mut self.state {
            State::Quiet { recent, warm } => {
                let mask = (1_u64 << settings.onset_window.min(32)) - 1;
                *recent =
                    (*recent << 1 | u32::from(probability >= settings.onset_probability)) & (mask & 0xffff_ffff) as u32;
                *warm = if probability >= settings.stay_probability { *warm + 1 } else { 0 };
                let frames_back = match turn {
                    Turn::Voice if recent.count_ones() >= settings.onset_frames.max(1) => {
                        let first_voiced = 31 - recent.leading_zeros() as usize;
                        // The network needs time to be sure; what led up to it is part of the word.
                        let led_up = warm.saturating_sub(1).min(settings.lead_frames);
                        first_voiced.max(led_up) + settings.pre_roll_frames
                    }
                    Turn::Key { down: true } => settings.pre_roll_frames,
                    _ => return Step::Quiet,
                };
                let frames_back = frames_back.min(self.since_end - 1);
                self.state = State::Talking { frames: frames_back + 1, unvoiced: 0, released: 0 };
                Step::Begins { frames_back }
            }
            State::Talking { frames, unvoiced, released } => {
                *frames += 1;
                *unvoiced = if probability >= settings.stay_probability { 0 } else { *unvoiced + 1 };
                let over = match turn {
                    Turn::Voice => *unvoiced >= settings.hang_over_frames,
                    Turn::Key { down: true } => {
                        *released = 0;
                        false
                    }
                    Turn::Key { down: false } => {
                        *released += 1;
                        *released >= settings.release_frames
                    }
                };
                if !over && *frames < settings.max_frames {
                    return Step::Goes;
                }
                let frames_back = (*unvoiced).min(*frames);
                self.reset();
                Step::Ends { frames_back }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of (frames, probability); answers steps other than "quiet" and "goes" with the frame's number.
    fn events(settings: EndpointSettings, runs: &[(usize, f32)]) -> Vec<(usize, Step)> {
        let mut endpointer = Endpointer::new(settings);
        let frames = runs.iter().flat_map(|(count, probability)| std::iter::repeat_n(*probability, *count));
        frames
            .enumerate()
            .map(|(number, probability)| (number, endpointer.step(probability, Turn::Voice)))
            .filter(|(_, step)| !matches!(step, Step::Quiet | Step::Goes))
            .collect()
    }

    #[test]
    fn a_word_begins_before_its_first_voiced_frame_and_ends_after_the_hang_over() {
        let steps = events(EndpointSettings::default(), &[(50, 0.0), (20, 0.9), (40, 0.1)]);
        // The sixth voiced frame is number 55, the first one 50, the pre-roll 19 frames.
        assert_eq!(steps, [(55, Step::Begins { frames_back: 24 }), (81, Step::Ends { frames_back: 12 })]);
    }

    #[test]
    fn clicks_are_no_words_and_stops_do_not_cut_one() {
        let clicks = [(30, 0.0), (3, 0.9), (30, 0.0), (5, 1.0), (30, 0.0)];
        assert_eq!(events(EndpointSettings::default(), &clicks), []);
        let stops = [(30, 0.0), (10, 0.9), (8, 0.0), (10, 0.9), (11, 0.1), (10, 0.9), (30, 0.0)];
        let steps = events(EndpointSettings::default(), &stops);
        assert_eq!(steps.len(), 2, "{steps:?}");
    }

    #[test]
    fn weak_ends_of_words_count_but_do_not_begin_one() {
        assert_eq!(events(EndpointSettings::default(), &[(100, 0.4)]), []);
        let steps = events(EndpointSettings::default(), &[(30, 0.0), (10, 0.9), (20, 0.4), (30, 0.0)]);
        assert_eq!(steps[1], (71, Step::Ends { frames_back: 12 }));
    }

    #[test]
    fn what_led_up_to_a_sure_voice_belongs_to_it() {
        let steps = events(EndpointSettings::default(), &[(50, 0.0), (20, 0.5), (10, 0.9)]);
        // The sixth sure frame is number 75; the voice set in 25 frames before it, the pre-roll is 19.
        assert_eq!(steps, [(75, Step::Begins { frames_back: 44 })]);
    }

    #[test]
    fn utterances_do_not_overlap_and_long_talk_is_cut() {
        let steps = events(EndpointSettings { max_frames: 100, ..Default::default() }, &[(30, 0.0), (300, 0.9)]);
        let mut covered_to = 0;
        for pair in steps.chunks(2) {
            let [(at, Step::Begins { frames_back }), (end, Step::Ends { frames_back: 0 })] = pair else { continue };
            assert!(at - frames_back >= covered_to, "{steps:?}");
            assert_eq!(end - (at - frames_back) + 1, 100);
            covered_to = end + 1;
        }
        assert!(covered_to > 200, "{steps:?}");
    }

    #[test]
    fn the_talk_key_decides_alone() {
        let settings = EndpointSettings::default();
        let mut endpointer = Endpointer::new(settings);
        for _ in 0..100 {
            assert_eq!(endpointer.step(1.0, Turn::Key { down: false }), Step::Quiet);
        }
        assert_eq!(endpointer.step(0.0, Turn::Key { down: true }), Step::Begins { frames_back: 19 });
        for _ in 0..100 {
            assert_eq!(endpointer.step(0.0, Turn::Key { down: true }), Step::Goes);
        }
        for _ in 1..settings.release_frames {
            assert_eq!(endpointer.step(0.9, Turn::Key { down: false }), Step::Goes);
        }
        assert_eq!(endpointer.step(0.9, Turn::Key { down: false }), Step::Ends { frames_back: 0 });
        // A second press at once does not take sound of the first.
        assert_eq!(endpointer.step(0.9, Turn::Key { down: true }), Step::Begins { frames_back: 0 });
    }
}
