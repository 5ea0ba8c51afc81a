//! The voice that belongs to recorded input: the phrases that the ear took, one after the other in a sound file.
//!
//! In: [`Speech`]. Out: a WAV file (16 kHz, mono, 16 bits) and a [`VoiceMark`] for each beginning and end, which says where in
//! the file and, by its line, in which tick. Silence, what a muted ear did not take and what nobody said are no part of it. The
//! file is made with the first phrase. It is written out at the end of each phrase and each second of one, so that a crash loses no more.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::sensors::{SAMPLE_RATE_HZ, Speech, SpeechPart};

/// Where a phrase of the recorded voice begins or ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiceMark {
    /// `sample` counts from the file's beginning; the sound began `secs_ago` before this tick.
    Began { phrase: u64, sample: u64, secs_ago: f32 },
    /// Silence followed, or the talk key was let go.
    Ended { phrase: u64, sample: u64 },
    /// The rest of it was not heard.
    Broken { phrase: u64, sample: u64, why: String },
}

/// So much sound is kept of one session, seconds: three hours of talk, 345 MB.
pub(super) const LONGEST_SECS: u64 = 3 * 60 * 60;

/// The file, and the phrase that is under way.
pub(super) struct VoiceFile {
    path: PathBuf,
    writer: Option<hound::WavWriter<BufWriter<File>>>,
    samples: u64,
    written_out: u64,
    phrase: Option<Phrase>,
    phrases: u64,
}

struct Phrase {
    number: u64,
    /// Whether its first sound is in the file.
    begun: bool,
}

impl VoiceFile {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), writer: None, samples: 0, written_out: 0, phrase: None, phrases: 0 }
    }

    /// Seconds of sound so far.
    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(SAMPLE_RATE_HZ)
    }

    /// Takes a piece of a phrase.
    ///
    /// # Errors
    /// - the file cannot be written, or is as long as it may be
    pub fn take(&mut self, speech: &Speech) -> anyhow::Result<Option<VoiceMark>> {
        match &speech.part {
            SpeechPart::Began { .. } => {
                self.phrase = Some(Phrase { number: self.phrases, begun: false });
                self.phrases += 1;
                Ok(None)
            }
            SpeechPart::Sound(sound) => self.write(sound),
            SpeechPart::Ended { .. } => self.end(|phrase, sample| VoiceMark::Ended { phrase, sample }),
            SpeechPart::Broken { reason } => {
                self.end(|phrase, sample| VoiceMark::Broken { phrase, sample, why: reason.clone() })
            }
        }
    }

    fn write(&mut self, sound: &[f32]) -> anyhow::Result<Option<VoiceMark>> {
        // The middle of a phrase whose beginning was before the recording.
        let Some(phrase) = &mut self.phrase else { return Ok(None) };
        if self.samples / u64::from(SAMPLE_RATE_HZ) >= LONGEST_SECS {
            anyhow::bail!("{} hours of talk are enough for one file", LONGEST_SECS / 3600);
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let spec = hound::WavSpec {
                    channels: 1,
                    sample_rate: SAMPLE_RATE_HZ,
                    bits_per_sample: 16,
                    sample_format: hound::SampleFormat::Int,
                };
                self.writer.insert(hound::WavWriter::create(&self.path, spec)?)
            }
        };
        for sample in sound {
            writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16)?;
        }
        let (number, sample) = (phrase.number, self.samples);
        let first = !std::mem::replace(&mut phrase.begun, true);
        self.samples += sound.len() as u64;
        if self.samples - self.written_out >= u64::from(SAMPLE_RATE_HZ) {
            writer.flush()?;
            self.written_out = self.samples;
        }
        let secs_ago = sound.len() as f32 / SAMPLE_RATE_HZ as f32;
        Ok(first.then_some(VoiceMark::Began { phrase: number, sample, secs_ago }))
    }

    fn end(&mut self, mark: impl FnOnce(u64, u64) -> VoiceMark) -> anyhow::Result<Option<VoiceMark>> {
        let Some(phrase) = self.phrase.take().filter(|phrase| phrase.begun) else { return Ok(None) };
        if let Some(writer) = &mut self.writer {
            writer.flush()?;
            self.written_out = self.samples;
        }
        Ok(Some(mark(phrase.number, self.samples)))
    }

    /// Nothing comes after this.
    ///
    /// # Errors
    /// - the file cannot be written
    pub fn close(&mut self) -> anyhow::Result<()> {
        Ok(self.writer.take().map_or(Ok(()), hound::WavWriter::finalize)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Tick, sensors::SoundFile};

    fn speech(utterance: u64, part: SpeechPart) -> Speech {
        Speech { utterance, part }
    }

    fn began(utterance: u64) -> Speech {
        speech(utterance, SpeechPart::Began { tick: Tick(0), at_s: 0.0, addressed: false })
    }

    fn sound(utterance: u64, samples: &[f32]) -> Speech {
        speech(utterance, SpeechPart::Sound(samples.into()))
    }

    #[test]
    fn phrases_follow_each_other_and_marks_tell_where_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.voice.wav");
        let mut file = VoiceFile::new(&path);
        assert_eq!(file.take(&sound(6, &[0.9])).unwrap(), None, "its beginning was not heard");
        assert!(!path.exists());
        assert_eq!(file.take(&began(7)).unwrap(), None);
        let mark = file.take(&sound(7, &[0.5; 1600])).unwrap();
        assert_eq!(mark, Some(VoiceMark::Began { phrase: 0, sample: 0, secs_ago: 0.1 }));
        assert_eq!(file.take(&sound(7, &[0.25; 400])).unwrap(), None);
        let mark = file.take(&speech(7, SpeechPart::Ended { tick: Tick(9), at_s: 1.0 })).unwrap();
        assert_eq!(mark, Some(VoiceMark::Ended { phrase: 0, sample: 2000 }));
        // Whole without being closed: nothing is lost by a crash now.
        let mut read = SoundFile::open(&path).unwrap();
        assert_eq!(read.read(4000).len(), 2000);

        file.take(&began(8)).unwrap();
        let mark = file.take(&sound(8, &[-0.5; 800])).unwrap();
        assert_eq!(mark, Some(VoiceMark::Began { phrase: 1, sample: 2000, secs_ago: 0.05 }));
        let why = "muted".to_owned();
        let mark = file.take(&speech(8, SpeechPart::Broken { reason: why.clone() })).unwrap();
        assert_eq!(mark, Some(VoiceMark::Broken { phrase: 1, sample: 2800, why }));
        file.close().unwrap();
        let samples = SoundFile::open(&path).unwrap().read(4000);
        assert_eq!(samples.len(), 2800);
        assert!((samples[10] - 0.5).abs() < 1e-3 && (samples[1800] - 0.25).abs() < 1e-3);
        assert!((samples[2500] + 0.5).abs() < 1e-3);
    }

    #[test]
    fn a_long_phrase_is_written_out_each_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.voice.wav");
        let mut file = VoiceFile::new(&path);
        file.take(&began(0)).unwrap();
        for _ in 0..25 {
            file.take(&sound(0, &[0.5; 1600])).unwrap();
        }
        assert_eq!(file.seconds(), 2.5);
        let lasting = SoundFile::open(&path).unwrap().read(1 << 20).len();
        assert!((32_000..=40_000).contains(&lasting), "{lasting}");
    }
}
