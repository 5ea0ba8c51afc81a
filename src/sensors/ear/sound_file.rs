//! A sound file as the ear hears it: WAV (PCM, float), FLAC or OGG Vorbis of any rate, one channel at [`SAMPLE_RATE_HZ`] out.
//!
//! Decoded as it is read, so an hour of sound takes as little memory as a second. What is absent: voices (`listener`).

use std::{
    fs::File,
    io::BufReader,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use rodio::{Decoder, Source as _};

use super::{
    SAMPLE_RATE_HZ,
    endpoint::EndpointSettings,
    listener::{Attention, EarEvent, EarPart, Listener},
    riff::{self, WavHeader},
    to_ear_rate::{RATES_HZ, ToEarRate},
};

/// Why a file cannot be listened to.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct SoundFileError {
    path: PathBuf,
    what: String,
}

/// A file that is being listened to.
pub struct SoundFile {
    path: PathBuf,
    decoder: Decoder<BufReader<File>>,
    channels: usize,
    converter: ToEarRate,
    /// Converted and not yet asked for.
    ready: Vec<f32>,
    ended: bool,
    remark: Option<String>,
}

impl std::fmt::Debug for SoundFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Frames decoded at once.
const CHUNK_FRAMES: usize = 4_096;

impl SoundFile {
    /// Opens a file.
    ///
    /// # Errors
    /// - it is missing, not a file, or cannot be read
    /// - it is empty, or no WAV (PCM, 32-bit float), FLAC or OGG Vorbis file
    /// - its header declares no sound, no channel, or a rate outside 2 to 768 kHz
    pub fn open(path: &Path) -> Result<Self, SoundFileError> {
        let fail = |what: String| SoundFileError { path: path.to_owned(), what };
        let unreadable = |error: std::io::Error| fail(format!("cannot be read ({error})"));
        // A pipe would wait for its writer.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(fail("is not a file".to_owned()));
        }
        if metadata.len() == 0 {
            return Err(fail("is empty".to_owned()));
        }
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let header = riff::read_header(&mut file).map_err(|error| fail(error.to_string()))?;
        let mut remark = None;
        if let Some(header) = header {
            check(&header).map_err(fail)?;
            if header.present < header.declared {
                let seconds = header.present as f64
                    / (f64::from(header.rate_hz) * f64::from(header.channels) * f64::from(header.bits) / 8.0);
                remark = Some(format!("the file was cut off: {seconds:.1} seconds are there"));
            }
        }
        // The decoders assert what headers promise; a crafted file may break that.
        let decoder = catch_unwind(AssertUnwindSafe(|| {
            let decoder = Decoder::builder().with_data(file).build()?;
            let (channels, rate_hz) = (decoder.channels().get(), decoder.sample_rate().get());
            Ok::<_, rodio::decoder::DecoderError>((decoder, channels, rate_hz))
        }));
        let (decoder, channels, rate_hz) = match decoder {
            Ok(Ok(decoder)) => decoder,
            Ok(Err(_)) => {
                return Err(fail(
                    "is no WAV (PCM or 32-bit float), FLAC or OGG Vorbis file; convert it with `sox` or `ffmpeg`"
                        .to_owned(),
                ));
            }
            Err(_) => return Err(fail("has a header that contradicts itself".to_owned())),
        };
        let converter = ToEarRate::new(rate_hz).map_err(|error| fail(format!("has {error}")))?;
        let mut file = Self {
            path: path.to_owned(),
            decoder,
            channels: usize::from(channels),
            converter,
            ready: Vec::new(),
            ended: false,
            remark,
        };
        file.decode();
        if file.ready.is_empty() && file.ended {
            return Err(fail("holds no sound".to_owned()));
        }
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is odd about the file although it can be heard.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// The next samples at [`SAMPLE_RATE_HZ`], at most so many; fewer only at the end, none after it.
    pub fn read(&mut self, samples: usize) -> Vec<f32> {
        while self.ready.len() < samples && !self.ended {
            self.decode();
        }
        self.ready.drain(..samples.min(self.ready.len())).collect()
    }

    fn decode(&mut self) {
        let (channels, decoder) = (self.channels.max(1), &mut self.decoder);
        let decoded =
            catch_unwind(AssertUnwindSafe(|| decoder.by_ref().take(CHUNK_FRAMES * channels).collect::<Vec<f32>>()));
        let decoded = decoded.unwrap_or_else(|_| {
            self.remark = Some("the file is damaged; what follows was left out".to_owned());
            Vec::new()
        });
        let mono: Vec<f32> =
            decoded.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
        self.converter.convert(&mono, &mut self.ready);
        if mono.len() < CHUNK_FRAMES {
            self.converter.finish(&mut self.ready);
            self.ended = true;
        }
    }
}

/// Whether the decoder may see a file with this header.
fn check(header: &WavHeader) -> Result<(), String> {
    let WavHeader { format, channels, rate_hz, bits, present, .. } = *header;
    match (format, bits) {
        (1, 1..=32) | (3, 32) => {}
        (1 | 3, bits) => return Err(format!("has samples of {bits} bits; 8 to 32 (float: 32) can be read")),
        (other, _) => return Err(format!("is a compressed WAV file (format {other}); only PCM and float can be read")),
    }
    if !(1..=64).contains(&channels) {
        return Err(format!("declares {channels} channels; 1 to 64 can be read"));
    }
    if !RATES_HZ.contains(&rate_hz) {
        return Err(format!("declares {rate_hz} samples per second; 2 000 to 768 000 can be read"));
    }
    if present == 0 {
        return Err("holds no sound".to_owned());
    }
    Ok(())
}

/// One utterance of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// Where `samples` start (before the voice, by the pre-roll) and where the voice ends, seconds from the file's start.
    pub start_s: f64,
    pub end_s: f64,
    /// At [`SAMPLE_RATE_HZ`].
    pub samples: Vec<f32>,
}

/// The utterances of a file, in order, as the ear of a player would hear them; as fast as they can be decoded, one in
/// memory at a time.
///
/// # Errors
/// - those of [`SoundFile::open`]
pub fn utterances(path: &Path, settings: EndpointSettings) -> Result<impl Iterator<Item = Utterance>, SoundFileError> {
    let file = SoundFile::open(path)?;
    let listener = Listener::new(settings);
    Ok(Utterances { file, listener, events: Vec::new(), open: None, over: false })
}

struct Utterances {
    file: SoundFile,
    listener: Listener,
    events: Vec<EarEvent>,
    open: Option<Utterance>,
    over: bool,
}

impl Iterator for Utterances {
    type Item = Utterance;

    fn next(&mut self) -> Option<Utterance> {
        loop {
            let mut events = std::mem::take(&mut self.events).into_iter();
            while let Some(event) = events.next() {
                match event.part {
                    EarPart::Began { at_s, .. } => {
                        self.open = Some(Utterance { start_s: at_s, end_s: at_s, samples: Vec::new() });
                    }
                    EarPart::Sound(samples) => {
                        if let Some(open) = &mut self.open {
                            open.samples.extend(samples);
                        }
                    }
                    EarPart::Ended { at_s } => {
                        if let Some(mut whole) = self.open.take() {
                            whole.end_s = at_s;
                            self.events = events.collect();
                            return Some(whole);
                        }
                    }
                    EarPart::Broken { .. } => self.open = None,
                }
            }
            if self.over {
                return None;
            }
            let samples = self.file.read(SAMPLE_RATE_HZ as usize / 10);
            if samples.is_empty() {
                self.over = true;
                self.listener.finish(&mut self.events);
            } else {
                self.listener.hear(&samples, &Attention::default(), &mut self.events);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        super::{riff::tests::wav, test_voice},
        *,
    };

    fn pcm16(samples: &[f32]) -> Vec<u8> {
        samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect()
    }

    fn opened(bytes: &[u8]) -> Result<SoundFile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        fs::write(&path, bytes).unwrap();
        SoundFile::open(&path).map_err(|error| error.to_string())
    }

    fn whole(mut file: SoundFile) -> Vec<f32> {
        let mut all = Vec::new();
        loop {
            let piece = file.read(1_000);
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    #[test]
    fn sixteen_bit_wavs_come_back_as_they_were_written() {
        let sound = test_voice::say(0.5, 120.0);
        let read = whole(opened(&wav(1, 16_000, 16, &pcm16(&sound))).unwrap());
        assert_eq!(read.len(), sound.len());
        assert!(read.iter().zip(&sound).all(|(read, written)| (read - written).abs() < 1e-4));
    }

    #[test]
    fn eight_bits_and_stereo_at_96_khz_work() {
        let eight: Vec<u8> = (0..8_000).map(|index| 128 + (20.0 * (index as f32 * 0.3).sin()) as u8 % 100).collect();
        assert_eq!(whole(opened(&wav(1, 8_000, 8, &eight)).unwrap()).len(), 16_000);
        let stereo: Vec<f32> = (0..96_000).flat_map(|index| [0.4 * (index as f32 * 0.01).sin(), 0.0]).collect();
        let read = whole(opened(&wav(2, 96_000, 16, &pcm16(&stereo))).unwrap());
        assert_eq!(read.len(), 16_000);
        let peak = read.iter().fold(0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - 0.2).abs() < 0.01, "the channels' mean: {peak}");
    }

    #[test]
    fn a_truncated_file_is_heard_to_its_end_with_a_remark() {
        let sound = wav(1, 16_000, 16, &pcm16(&test_voice::say(1.0, 120.0)));
        let file = opened(&sound[..sound.len() / 2]).unwrap();
        assert!(file.remark().unwrap().contains("0.5 seconds"), "{:?}", file.remark());
        assert!((7_900..8_100).contains(&whole(file).len()));
    }

    #[test]
    fn what_is_no_sound_is_told_with_a_reason() {
        let mut no_rate = wav(1, 16_000, 16, &[0; 100]);
        no_rate[24..28].fill(0);
        let mut no_channel = wav(1, 16_000, 16, &[0; 100]);
        no_channel[22..24].fill(0);
        let mut compressed = wav(1, 16_000, 16, &[0; 100]);
        compressed[20] = 6;
        for (bytes, reason) in [
            (Vec::new(), "is empty"),
            (b"hello, this is a letter".to_vec(), "is no WAV"),
            (wav(1, 16_000, 16, &[]), "holds no sound"),
            (wav(1, 16_000, 64, &[0; 100]), "64 bits"),
            (no_rate, "0 samples per second"),
            (no_channel, "0 channels"),
            (compressed, "compressed"),
            (b"fLaC\0\0\0\x22".to_vec(), "is no WAV"),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0".to_vec(), "is no WAV"),
        ] {
            let error = opened(&bytes).unwrap_err();
            assert!(error.contains(reason) && error.contains("x.wav"), "{error}");
        }
        assert!(SoundFile::open(Path::new("/nowhere/x.wav")).unwrap_err().to_string().contains("cannot be read"));
        assert!(SoundFile::open(&std::env::temp_dir()).unwrap_err().to_string().contains("is not a file"));
    }

    #[test]
    fn the_utterances_of_a_file_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.wav");
        let pause = vec![0.0; 16_000];
        let sound = [pause.clone(), test_voice::say(0.9, 110.0), pause, test_voice::say(0.7, 190.0)].concat();
        fs::write(&path, wav(1, 16_000, 16, &pcm16(&sound))).unwrap();
        let found: Vec<Utterance> = utterances(&path, EndpointSettings::default()).unwrap().collect();
        assert_eq!(found.len(), 2, "{:?}", found.iter().map(|one| (one.start_s, one.end_s)).collect::<Vec<_>>());
        assert!((1.7..2.1).contains(&found[0].end_s), "{}", found[0].end_s);
        assert!((2.5..3.0).contains(&found[1].start_s), "{}", found[1].start_s);
        assert!((3.4..3.61).contains(&found[1].end_s), "{}", found[1].end_s);
    }
}
