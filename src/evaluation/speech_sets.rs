//! Test sets of spoken commands: sentences in voices that no model has learnt from, clean and in noise and rooms; and the same
//! in other voices, for calibration.
//!
//! In: sentences, voices. Out: a folder of speech as [`dataset::speech`](crate::dataset::speech) reads it, with the voice and the
//! condition of every file. The room is not one of those that training hears: it is made up.

use std::{fs, path::Path};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{
    base::Seed,
    dataset::{
        DatasetError,
        speech::{
            MANIFEST_FILE, quoted, read_sound,
            voices::{Line, Voice, speak},
            write_wav,
        },
    },
    signal::{
        log_mel::SAMPLE_RATE,
        noise::{add_at_snr, in_room, pink_noise, rms, white_noise},
    },
};

/// What stands between the voice and the ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Clean,
    /// Pink noise 10 dB below the power of the whole recording, pauses and all: what is commonly called 10 dB.
    Pink10,
    /// White noise likewise.
    White10,
    /// Pink noise 10 dB below the power of the voice where it speaks: louder noise than the former.
    Pink10Voiced,
    /// White noise likewise.
    White10Voiced,
    /// A hard-walled room, reverberation time 0.5 s.
    Reverberant,
}

impl Condition {
    pub const ALL: [Self; 6] =
        [Self::Clean, Self::Pink10, Self::White10, Self::Pink10Voiced, Self::White10Voiced, Self::Reverberant];

    /// As in the table's column `condition`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Pink10 => "pink 10 dB",
            Self::White10 => "white 10 dB",
            Self::Pink10Voiced => "pink 10 dB below voiced",
            Self::White10Voiced => "white 10 dB below voiced",
            Self::Reverberant => "reverberant",
        }
    }

    /// The voice as it is heard, with noise before and after it too.
    pub fn apply(self, voice: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut heard = vec![0.0; SAMPLE_RATE / 4];
        match self {
            Self::Reverberant => heard.extend(in_room(&with_silence(voice), &made_up_room(rng))),
            _ => heard.extend(with_silence(voice)),
        }
        let noise = match self {
            Self::Pink10 | Self::Pink10Voiced => pink_noise(heard.len(), rng),
            Self::White10 | Self::White10Voiced => white_noise(heard.len(), rng),
            Self::Clean | Self::Reverberant => return heard,
        };
        let level = match self {
            Self::Pink10Voiced | Self::White10Voiced => voice_level(voice),
            _ => rms(voice),
        };
        add_at_snr(&mut heard, &noise, level, 10.0);
        heard
    }
}

/// A quarter of a second of silence after the voice, in which the room rings and the model ends its answer.
fn with_silence(voice: &[f32]) -> Vec<f32> {
    let mut samples = voice.to_vec();
    samples.resize(voice.len() + SAMPLE_RATE / 4, 0.0);
    samples
}

/// Level of the voice where it speaks: pieces of 20 ms within 30 dB of the loudest.
fn voice_level(voice: &[f32]) -> f32 {
    let pieces: Vec<f32> = voice.chunks(SAMPLE_RATE / 50).map(rms).collect();
    let loudest = pieces.iter().copied().fold(0.0, f32::max);
    let spoken: Vec<f32> =
        pieces.into_iter().filter(|level| *level > loudest * 0.0316).map(|level| level * level).collect();
    (spoken.iter().sum::<f32>() / spoken.len().max(1) as f32).sqrt()
}

/// Direct sound, then echoes that die away by 60 dB in half a second.
fn made_up_room(rng: &mut ChaCha8Rng) -> Vec<f32> {
    const REVERBERATION_S: f32 = 0.5;
    let count = (REVERBERATION_S * SAMPLE_RATE as f32) as usize;
    let mut response: Vec<f32> = (0..count)
        .map(|n| 0.05 * 10.0_f32.powf(-3.0 * n as f32 / count as f32) * rng.random_range(-1.0..1.0_f32))
        .collect();
    // The first echo comes after 5 ms.
    response[..SAMPLE_RATE / 200].fill(0.0);
    response[0] = 1.0;
    response
}

/// Speaks all sentences with all these voices, in all conditions, into `folder`, and writes its table.
///
/// # Errors
/// - a voice cannot speak; the folder cannot be written
pub fn make_test_set(
    folder: &Path,
    sentences: &[String],
    voices: &[Voice],
    seed: Seed,
    mut each: impl FnMut(),
) -> Result<usize, DatasetError> {
    fs::create_dir_all(folder).map_err(|error| DatasetError::Speech(format!("{}: {error}", folder.display())))?;
    let lines: Vec<Line> = voices
        .iter()
        .enumerate()
        .flat_map(|(number, voice)| {
            sentences.iter().enumerate().map(move |(index, text)| Line {
                text: text.clone(),
                voice: voice.clone(),
                path: folder.join(format!("voice{number}_{index:03}.wav")),
            })
        })
        .collect();
    speak(&lines, &mut each)?;
    let mut table = String::from("file,transcript,voice,condition\n");
    let mut files = 0;
    for (index, line) in lines.iter().enumerate() {
        let voice = read_sound(&line.path)?;
        let stem = line.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for condition in Condition::ALL {
            let mut rng = seed.derive(condition.name()).nth(index as u64).rng();
            let file = format!("{stem}_{}.wav", condition.name().replace(' ', ""));
            write_wav(&folder.join(&file), &condition.apply(&voice, &mut rng))?;
            table +=
                &format!("{file},{},{},{}\n", quoted(&line.text), quoted(&line.voice.to_string()), condition.name());
            files += 1;
        }
    }
    let path = folder.join(MANIFEST_FILE);
    fs::write(&path, table).map_err(|error| DatasetError::Speech(format!("{}: {error}", path.display())))?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_add_what_they_say() {
        // Half of it is a pause: of the whole, the power is half of what it is while the voice speaks.
        let mut voice = vec![0.0; 16_000];
        voice.extend((0..16_000).map(|n| 0.3 * (n as f32 * 0.2).sin()));
        let heard = |condition: Condition| condition.apply(&voice, &mut Seed(4).rng());
        let lead = |samples: &[f32]| rms(&samples[..SAMPLE_RATE / 4]);
        assert_eq!(lead(&heard(Condition::Clean)), 0.0);
        let level = voice_level(&voice);
        for (condition, expected) in [
            (Condition::Pink10, 13.0),
            (Condition::White10, 13.0),
            (Condition::Pink10Voiced, 10.0),
            (Condition::White10Voiced, 10.0),
        ] {
            let ratio = 20.0 * (level / lead(&heard(condition))).log10();
            assert!((ratio - expected).abs() < 1.5, "{condition:?}: {ratio} dB");
        }
        let tail = |samples: &[f32]| rms(&samples[samples.len() - SAMPLE_RATE / 5..]);
        assert!(tail(&heard(Condition::Reverberant)) > 10.0 * tail(&heard(Condition::Clean)).max(1e-5));
        assert!(Condition::ALL.iter().all(|condition| heard(*condition).len() == voice.len() + SAMPLE_RATE / 2));
    }
}
