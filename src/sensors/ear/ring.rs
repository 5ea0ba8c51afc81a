//! The way of samples from the sound system's thread to the ear's: one writer, one reader, no lock, nothing dropped in
//! silence.
//!
//! In: samples, −1 to 1. Out: the same samples in order, and how many found no room. When the ring is full the newest
//! samples are lost, never the oldest: what is read is without a gap up to the loss.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

struct Ring {
    /// Bits of `f32`.
    slots: Box<[AtomicU32]>,
    /// Samples ever written and ever read; their difference is what lies in the ring.
    written: AtomicUsize,
    read: AtomicUsize,
    lost: AtomicU64,
}

/// The sound system's end.
pub(super) struct RingWriter(Arc<Ring>);

/// The ear's end.
pub(super) struct RingReader(Arc<Ring>);

/// A ring with room for `capacity` samples.
pub(super) fn ring(capacity: usize) -> (RingWriter, RingReader) {
    let ring = Arc::new(Ring {
        slots: (0..capacity.max(1)).map(|_| AtomicU32::new(0)).collect(),
        written: AtomicUsize::new(0),
        read: AtomicUsize::new(0),
        lost: AtomicU64::new(0),
    });
    (RingWriter(ring.clone()), RingReader(ring))
}

impl RingWriter {
    /// Adds samples; those that find no room are counted. Neither waits nor allocates.
    pub fn write(&mut self, samples: impl Iterator<Item = f32>) {
        let ring = &*self.0;
        let mut written = ring.written.load(Ordering::Relaxed);
        let read = ring.read.load(Ordering::Acquire);
        let mut lost = 0;
        for sample in samples {
            if written.wrapping_sub(read) == ring.slots.len() {
                lost += 1;
                continue;
            }
            ring.slots[written % ring.slots.len()].store(sample.to_bits(), Ordering::Relaxed);
            written = written.wrapping_add(1);
        }
        ring.written.store(written, Ordering::Release);
        if lost > 0 {
            ring.lost.fetch_add(lost, Ordering::Release);
        }
    }
}

impl RingReader {
    /// Appends everything that is there to `samples`; returns how many samples were lost behind them.
    pub fn read(&mut self, samples: &mut Vec<f32>) -> u64 {
        let ring = &*self.0;
        let lost = ring.lost.swap(0, Ordering::Acquire);
        let written = ring.written.load(Ordering::Acquire);
        let mut read = ring.read.load(Ordering::Relaxed);
        samples.reserve(written.wrapping_sub(read));
        while read != written {
            samples.push(f32::from_bits(ring.slots[read % ring.slots.len()].load(Ordering::Relaxed)));
            read = read.wrapping_add(1);
        }
        ring.read.store(read, Ordering::Release);
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let (mut writer, mut reader) = ring(4);
        writer.write([1.0, 2.0, 3.0].into_iter());
        let mut got = Vec::new();
        assert_eq!(reader.read(&mut got), 0);
        writer.write((4..10).map(|value| value as f32));
        assert_eq!(reader.read(&mut got), 2);
        assert_eq!(got, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        writer.write([10.0].into_iter());
        assert_eq!(reader.read(&mut got), 0, "a loss is told once");
    }

    #[test]
    fn every_sample_arrives_or_is_counted_across_threads() {
        const COUNT: u64 = 200_000;
        let (mut writer, mut reader) = ring(512);
        let speaker = std::thread::spawn(move || {
            for start in (0..COUNT).step_by(160) {
                writer.write((start..(start + 160).min(COUNT)).map(|value| value as f32));
            }
        });
        let (mut got, mut lost) = (Vec::new(), 0);
        while !speaker.is_finished() {
            lost += reader.read(&mut got);
        }
        lost += reader.read(&mut got);
        assert_eq!(got.len() as u64 + lost, COUNT);
        assert!(got.windows(2).all(|pair| pair[0] < pair[1]), "order is kept");
    }
}
