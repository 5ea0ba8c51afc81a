//! Folders of speech: a `manifest.csv` and sound files.
//!
//! The table's first line names its columns. `file` (or `path`) is relative to the table; `transcript` is empty where nobody
//! speaks or nobody wrote it down; `speaker` (or `voice`), `condition`, `label` and `seconds` may be absent. Fields that hold
//! commas stand in double quotes. Sound files: what the ear can hear.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::super::DatasetError;
use crate::{sensors::SoundFile, signal::log_mel::SAMPLE_RATE};

/// Name of the table in a folder of speech.
pub const MANIFEST_FILE: &str = "manifest.csv";

/// Speakers (whole) and one keyword that no model learns from: for validation and scores.
const LEFT_OUT_SPEAKERS: [&str; 13] = [
    "3080",
    "533",
    "mrcb",
    "fnsv",
    "fash",
    "mmxg",
    "mjwl",
    "fbbh",
    "group:web-session-20",
    "group:web-session-24",
    "group:web-session-12",
    "group:web-session-13",
    "group:num-joke",
];
const LEFT_OUT_LABEL: &str = "view_glass";

/// One line of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpokenEntry {
    pub path: PathBuf,
    /// Lower case; empty: no words, or nobody knows which.
    pub transcript: String,
    pub speaker: String,
    pub condition: String,
    pub label: String,
}

impl SpokenEntry {
    /// Whether no model learns from it.
    pub fn is_left_out(&self) -> bool {
        self.label == LEFT_OUT_LABEL || LEFT_OUT_SPEAKERS.contains(&self.speaker.as_str())
    }
}

/// The table of `folder`.
///
/// # Errors
/// - the table cannot be read, has no column `file` or `path`, or a line has another number of fields
pub fn read_manifest(folder: &Path) -> Result<Vec<SpokenEntry>, DatasetError> {
    let path = folder.join(MANIFEST_FILE);
    let text = fs::read_to_string(&path).map_err(|error| DatasetError::at(&path, error))?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = lines.next().map(|(_, line)| fields(line)).unwrap_or_default();
    let columns: HashMap<&str, usize> = header.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
    let column = |names: &[&str]| names.iter().find_map(|name| columns.get(name).copied());
    let Some(file) = column(&["file", "path"]) else {
        return Err(DatasetError::at(&path, "the first line names no column `file` or `path`"));
    };
    let [transcript, speaker, condition, label] =
        [["transcript", "text"], ["speaker", "voice"], ["condition", "noise"], ["label", "kind"]]
            .map(|names| column(&names));
    lines
        .map(|(number, line)| {
            let fields = fields(line);
            if fields.len() != header.len() {
                let what = format!("line {}: {} fields under {} columns", number + 1, fields.len(), header.len());
                return Err(DatasetError::at(&path, what));
            }
            let field = |column: Option<usize>| column.map(|index| fields[index].clone()).unwrap_or_default();
            Ok(SpokenEntry {
                path: folder.join(&fields[file]),
                transcript: field(transcript).to_lowercase(),
                speaker: field(speaker),
                condition: field(condition),
                label: field(label),
            })
        })
        .collect()
}

/// The fields of one line; quotes are taken off, doubled ones are one.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                fields.last_mut().expect("never empty").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().expect("never empty").push(other),
        }
    }
    fields
}

/// A field as it stands in a table.
pub fn quoted(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// A whole sound file at 16 kHz, −1 to 1.
///
/// # Errors
/// - the file cannot be read or is no sound
pub fn read_sound(path: &Path) -> Result<Vec<f32>, DatasetError> {
    let mut file = SoundFile::open(path).map_err(|error| DatasetError::Speech(error.to_string()))?;
    let mut samples = Vec::new();
    loop {
        let more = file.read(SAMPLE_RATE);
        if more.is_empty() {
            return Ok(samples);
        }
        samples.extend(more);
    }
}

/// Writes 16 kHz mono, 16 bits.
///
/// # Errors
/// - the file cannot be written
pub fn write_wav(path: &Path, samples: &[f32]) -> Result<(), DatasetError> {
    let bytes = 2 * samples.len() as u32;
    let rate = SAMPLE_RATE as u32;
    let mut file = Vec::with_capacity(44 + bytes as usize);
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend([1, 0, 1, 0]);
    file.extend(rate.to_le_bytes());
    file.extend((2 * rate).to_le_bytes());
    // Bytes of one sample, bits of one sample.
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| ((sample.clamp(-1.0, 1.0) * 32767.0).round() as i16).to_le_bytes()));
    fs::write(path, file).map_err(|error| DatasetError::at(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_by_the_names_of_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        let table = "voice,path,transcript,note\nslt,a/b.wav,Lights Off,\"0.5, \"\"cut\"\"\"\nawb,c.wav,,\n";
        fs::write(folder.path().join(MANIFEST_FILE), table).unwrap();
        let entries = read_manifest(folder.path()).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].path, folder.path().join("a/b.wav"));
        assert_eq!((entries[0].transcript.as_str(), entries[0].speaker.as_str()), ("lights off", "slt"));
        assert_eq!(entries[1].transcript, "");
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MANIFEST_FILE), "file,transcript\na.wav,x\nb.wav\n").unwrap();
        let error = read_manifest(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn written_sound_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        let samples: Vec<f32> = (0..1600).map(|n| 0.5 * (n as f32 * 0.1).sin()).collect();
        write_wav(&path, &samples).unwrap();
        let read = read_sound(&path).unwrap();
        assert_eq!(read.len(), samples.len());
        assert!(read.iter().zip(&samples).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn what_is_no_sound_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("noise.wav");
        fs::write(&path, b"not a sound").unwrap();
        assert!(read_sound(&path).unwrap_err().to_string().contains("noise.wav"));
    }
}
