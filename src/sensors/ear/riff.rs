//! The header of a WAV file, read before a decoder sees it: what it declares is compared with what is there.
//!
//! Source: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991), chapter 3; the extensible
//! format, Microsoft's mmreg.h.

use std::io::{self, Read, Seek, SeekFrom};

/// What a WAV file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WavHeader {
    /// 1: integers, 3: floats; others are compressed.
    pub format: u16,
    pub channels: u16,
    pub rate_hz: u32,
    pub bits: u16,
    /// Bytes of sound that are declared, and that are there.
    pub declared: u64,
    pub present: u64,
}

/// Reads the header; `None`: this is no WAV file. The position is put back to the start.
///
/// # Errors
/// - the file cannot be read
/// - it begins as a WAV file and lacks the chunk that describes or holds the sound
pub(super) fn read_header(file: &mut (impl Read + Seek)) -> io::Result<Option<WavHeader>> {
    let bytes = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let header = walk(file, bytes);
    file.rewind()?;
    header
}

fn walk(file: &mut (impl Read + Seek), bytes: u64) -> io::Result<Option<WavHeader>> {
    let mut start = [0; 12];
    if bytes < 12 {
        return Ok(None);
    }
    file.read_exact(&mut start)?;
    if &start[..4] != b"RIFF" || &start[8..] != b"WAVE" {
        return Ok(None);
    }
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("the WAV file {what}"));
    let mut at = 12;
    let mut format = None;
    loop {
        let mut chunk = [0; 8];
        if at + 8 > bytes {
            return Err(wrong("ends before its sound begins"));
        }
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut chunk)?;
        let length = u64::from(u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]));
        at += 8;
        match &chunk[..4] {
            b"fmt " => {
                let mut body = [0; 26];
                let held = body.len().min(length as usize);
                file.read_exact(&mut body[..held]).map_err(|_| wrong("ends inside its header"))?;
                if held < 16 {
                    return Err(wrong("has a header that is too short"));
                }
                let word = |offset: usize| u16::from_le_bytes([body[offset], body[offset + 1]]);
                // An extensible header has the real format further on.
                let kind = if word(0) == 0xfffe && held >= 26 { word(24) } else { word(0) };
                let rate_hz = u32::from_le_bytes([body[4], body[5], body[6], body[7]]);
                format = Some((kind, word(2), rate_hz, word(14)));
            }
            b"data" => {
                let Some((format, channels, rate_hz, bits)) = format else {
                    return Err(wrong("has its sound before its header"));
                };
                let present = (bytes - at).min(length);
                return Ok(Some(WavHeader { format, channels, rate_hz, bits, declared: length, present }));
            }
            _ => {}
        }
        // Chunks begin at even positions.
        at += length + length % 2;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use super::*;

    /// A WAV file of 16-bit samples.
    pub fn wav(channels: u16, rate_hz: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF".to_vec();
        file.extend((36 + data.len() as u32).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend(16_u32.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(rate_hz.to_le_bytes());
        let block = channels * bits / 8;
        file.extend((rate_hz.wrapping_mul(u32::from(block))).to_le_bytes());
        file.extend(block.to_le_bytes());
        file.extend(bits.to_le_bytes());
        file.extend(b"data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn a_plain_header_is_read_and_a_cut_file_is_noticed() {
        let file = wav(2, 44_100, 16, &[0; 400]);
        let header = read_header(&mut Cursor::new(&file)).unwrap().unwrap();
        let expected = WavHeader { format: 1, channels: 2, rate_hz: 44_100, bits: 16, declared: 400, present: 400 };
        assert_eq!(header, expected);
        let header = read_header(&mut Cursor::new(&file[..144])).unwrap().unwrap();
        assert_eq!((header.declared, header.present), (400, 100));
    }

    #[test]
    fn every_shorter_file_is_an_error_or_no_wav_but_never_a_panic() {
        let file = wav(1, 16_000, 16, &[1; 8]);
        for length in 0..file.len() {
            match read_header(&mut Cursor::new(&file[..length])) {
                Ok(None) => assert!(length < 12),
                Ok(Some(header)) => assert!(length >= 44 && header.present < 8),
                Err(error) => assert!((12..44).contains(&length), "{length}: {error}"),
            }
        }
    }

    #[test]
    fn a_chunk_that_claims_to_be_endless_ends_with_the_file() {
        let mut file = b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xff".to_vec();
        file.extend([0; 100]);
        assert!(read_header(&mut Cursor::new(file)).is_err());
    }
}
