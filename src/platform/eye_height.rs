//! How high the eyes of the player are who stands: measured when it is asked for, from a head that holds still.
//!
//! In: [`EyeHeightMeasurement`] that a menu begins, [`Tracking`]. Out: `Settings::headset.eye_height_m` where the runtime knows
//! the floor; where it does not, the floor is put so far below the eyes as the settings say. Metres, seconds of the runtime's clock.

use std::{collections::VecDeque, ops::RangeInclusive};

use bevy::prelude::*;

use super::{
    settings::Settings,
    tracked_rig::{PlaySpace, TrackedRigSystems, is_worn},
    tracking::Tracking,
};

/// Of people who stand, children included.
pub const STANDING_M: RangeInclusive<f32> = 0.8..=2.3;
/// Of whom nobody measured.
pub const ASSUMED_M: f32 = 1.65;

/// From the press of a button until the head may be expected to hold still.
const LEAD_SECS: f64 = 1.0;
/// How long it must.
const STILL_SECS: f64 = 1.0;
/// After so long it is told that it did not.
const PATIENCE_SECS: f64 = 8.0;
/// A head within a box of this side holds still.
const STILL_M: f32 = 0.025;
/// Frames farther apart than this do not belong together.
const GAP_SECS: f64 = 0.3;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<EyeHeightMeasurement>()
        .add_systems(PreUpdate, measure.before(TrackedRigSystems).run_if(is_worn));
}

/// How measuring goes, for whoever asked for it.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub enum EyeHeightMeasurement {
    /// Nobody asked.
    #[default]
    Idle,
    /// It begins with the next frame.
    Asked,
    /// Since then, seconds.
    Watches(f64, StillHead),
    /// Metres. Whether the floor was put below the eyes instead of being measured from.
    Done { eyes: f32, floor_guessed: bool },
    /// Why it came to nothing, and what to do.
    Failed(String),
}

impl EyeHeightMeasurement {
    /// One line for the screen; empty: nothing happens.
    pub fn text(&self) -> String {
        match self {
            EyeHeightMeasurement::Idle => String::new(),
            EyeHeightMeasurement::Asked | EyeHeightMeasurement::Watches(..) => {
                "stand upright, look ahead, hold still …".to_owned()
            }
            EyeHeightMeasurement::Done { eyes, floor_guessed: false } => format!("your eyes are {eyes:.2} m up"),
            EyeHeightMeasurement::Done { eyes, floor_guessed: true } => format!("the floor is {eyes:.2} m below you"),
            EyeHeightMeasurement::Failed(why) => why.clone(),
        }
    }
}

/// Where a head was of late.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StillHead {
    /// Seconds, oldest first.
    positions: VecDeque<(f64, Vec3)>,
}

impl StillHead {
    /// Adds a position; the median height once it held still long enough.
    pub fn push(&mut self, seconds: f64, position: Vec3) -> Option<f32> {
        if self.positions.back().is_some_and(|(last, _)| seconds < *last || seconds - last > GAP_SECS) {
            self.positions.clear();
        }
        self.positions.push_back((seconds, position));
        // The oldest one stays that makes the span whole.
        while self.positions.get(1).is_some_and(|(second, _)| seconds - second >= STILL_SECS) {
            self.positions.pop_front();
        }
        let (first, _) = self.positions.front()?;
        let least = self.positions.iter().map(|at| at.1).reduce(Vec3::min)?;
        let most = self.positions.iter().map(|at| at.1).reduce(Vec3::max)?;
        if seconds - first < STILL_SECS || (most - least).max_element() > STILL_M {
            return None;
        }
        let mut heights: Vec<f32> = self.positions.iter().map(|at| at.1.y).collect();
        heights.sort_by(f32::total_cmp);
        heights.get(heights.len() / 2).copied()
    }
}

/// What a measured height over the runtime's floor is good for, to the centimetre.
///
/// # Errors
/// - nobody's eyes are there: what to do, for the screen
fn as_standing(height: f32) -> Result<f32, String> {
    if STANDING_M.contains(&height) {
        return Ok((height * 100.0).round() / 100.0);
    }
    Err(format!("{height:.2} m above the floor? Stand up, or set the floor in the headset's own software"))
}

fn measure(
    tracking: Res<Tracking>,
    mut settings: ResMut<Settings>,
    mut measurement: ResMut<EyeHeightMeasurement>,
    mut space: ResMut<PlaySpace>,
) {
    let Some(head) = tracking.head else { return };
    let now = tracking.seconds;
    if *measurement == EyeHeightMeasurement::Asked {
        *measurement = EyeHeightMeasurement::Watches(now, StillHead::default());
    }
    // What the screen says stays the same while it watches.
    let EyeHeightMeasurement::Watches(since, still) = measurement.bypass_change_detection() else { return };
    if tracking.relaid {
        *still = StillHead::default();
    }
    if now - *since < LEAD_SECS {
        return;
    }
    let Some(height) = still.push(now, head.position) else {
        if now - *since > PATIENCE_SECS {
            *measurement = EyeHeightMeasurement::Failed("you moved; press again and hold still".to_owned());
        }
        return;
    };
    *measurement = if tracking.floorless {
        space.lay_anew();
        EyeHeightMeasurement::Done { eyes: settings.headset.eye_height(), floor_guessed: true }
    } else {
        match as_standing(height) {
            Ok(eyes) => {
                settings.headset.eye_height_m = Some(eyes);
                EyeHeightMeasurement::Done { eyes, floor_guessed: false }
            }
            Err(why) => EyeHeightMeasurement::Failed(why),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::player::WalkSettings;

    /// The first height that comes of positions at 90 frames a second.
    fn first(positions: impl Iterator<Item = Vec3>) -> Option<(usize, f32)> {
        let mut head = StillHead::default();
        positions.enumerate().find_map(|(frame, at)| head.push(frame as f64 / 90.0, at).map(|height| (frame, height)))
    }

    #[test]
    fn a_head_that_holds_still_is_measured_after_a_second_whatever_it_trembles() {
        let trembling = (0..400).map(|frame| {
            let jitter = 0.006 * Vec3::new((frame as f32).sin(), (1.7 * frame as f32).sin(), 0.0);
            Vec3::new(0.2, 1.743, -0.1) + jitter
        });
        let (frame, height) = first(trembling).expect("it holds still");
        assert!((89..=91).contains(&frame), "after {frame} frames");
        assert!((height - 1.743).abs() < 0.004, "{height}");
    }

    #[test]
    fn one_stray_position_does_not_matter_to_the_median_and_nodding_is_not_holding_still() {
        let stray = (0..400).map(|frame| Vec3::Y * if frame == 40 { 1.72 } else { 1.70 });
        assert_eq!(first(stray).expect("still enough").1, 1.70);
        let nodding = (0..900).map(|frame| Vec3::Y * (1.7 + 0.02 * (frame as f32 / 20.0).sin()));
        assert_eq!(first(nodding), None);
        let walking = (0..900).map(|frame| Vec3::new(0.003 * frame as f32, 1.7, 0.0));
        assert_eq!(first(walking), None);
    }

    #[test]
    fn it_is_measured_anew_after_a_gap_and_once_the_head_came_to_rest() {
        let mut head = StillHead::default();
        assert!((0..80).all(|frame| head.push(f64::from(frame) / 90.0, Vec3::Y).is_none()));
        assert_eq!(head.push(1.5, Vec3::Y), None, "nobody knows what it did meanwhile");
        let rises = (0..400).map(|frame| Vec3::Y * (1.2 + 0.01 * frame as f32).min(1.8));
        let (frame, height) = first(rises).expect("it rests");
        assert!((140..=152).contains(&frame) && (height - 1.8).abs() < 1e-5, "{height} after {frame} frames");
    }

    #[test]
    fn absurd_heights_are_no_measure() {
        assert_eq!(as_standing(1.7349), Ok(1.73));
        for absurd in [0.0, 0.4, 3.0, -1.0, f32::NAN] {
            assert!(as_standing(absurd).is_err_and(|why| why.contains("floor")), "{absurd}");
        }
    }

    #[test]
    fn of_whom_nobody_measured_is_as_tall_as_the_body() {
        assert_eq!(ASSUMED_M, WalkSettings::default().standing.eye);
    }
}
