//! What the game itself plays, so that the ear does not take it for somebody who speaks.

use std::time::Duration;

use bevy::prelude::Resource;

/// Sound needs this long from the game to the loudspeaker, through the room and the microphone to the ear.
const ECHO: Duration = Duration::from_millis(250);

/// The sounds that the game plays now. Whoever plays a sound that resembles a voice, or a loud one, announces it here; no
/// utterance begins while it covers the ear. One that has begun goes on: then it is the sounds that give way.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct OwnSound {
    /// How much each covers, 0 to 1, and until when, real time since start.
    masks: Vec<(f32, Duration)>,
}

impl OwnSound {
    /// A sound starts now.
    ///
    /// `masking` is 0 (no voice is ever mistaken for it) to 1 (nothing can begin while it plays).
    pub fn announce(&mut self, masking: f32, now: Duration, lasts: Duration) {
        self.masks.retain(|(_, until)| *until > now);
        if masking > 0.0 {
            self.masks.push((masking.min(1.0), now + lasts + ECHO));
        }
    }

    /// How much voices are covered at a moment, 0 to 1.
    pub fn masking(&self, now: Duration) -> f32 {
        self.masks.iter().filter(|(_, until)| *until > now).fold(0.0, |most, (masking, _)| masking.max(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_sound_covers_until_its_echo_is_over() {
        let at = Duration::from_millis;
        let mut own = OwnSound::default();
        own.announce(0.3, at(0), at(2_000));
        own.announce(1.0, at(100), at(300));
        assert_eq!(own.masking(at(500)), 1.0);
        assert_eq!(own.masking(at(649)), 1.0);
        assert_eq!(own.masking(at(650)), 0.3);
        assert_eq!(own.masking(at(2_250)), 0.0);
    }
}
