//! Controllers that lack buttons, as ones that have them.
//!
//! In: a [`HandState`] as the controller has it, what kind it is. Out: the same with the buttons that it lacks. Without A and B (Vive,
//! Windows Mixed Reality) the pad or stick is pressed instead: forward for the lower button, backward for the upper one, in the middle
//! for itself. With one button alone (and for hands that a runtime shows as such a controller) a palm that is turned up makes
//! that button push the stick forward.

use bevy::math::{Vec2, Vec3};

use super::tracking::{HandState, Side};

/// What a kind of controller has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buttons {
    /// Stick, lower and upper button.
    #[default]
    All,
    /// A pad or stick that can be pressed.
    PressedStick,
    /// One, beside the menu's.
    One,
}

/// Where a pad or stick was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pressed {
    Forward,
    Backward,
    Sideways,
    Middle,
}

/// A press this far out is none in the middle; a thumb that is nearer than this has come back to the middle.
const OUT: f32 = 0.5;
const BACK: f32 = 0.3;
/// The button is down above this.
const DOWN: f32 = 0.6;
/// Cosine of how far a palm that is turned up may be tilted.
const PALM_UP: f32 = 0.7;

/// How one hand's few buttons stand in for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FewButtons {
    pressed: Option<Pressed>,
    /// Pressed away from the middle, and the thumb is not back there yet: where it rests means nothing until then.
    thumb_away: bool,
    /// The one button went down with the palm up (or not); `None`: it is up.
    pushes: Option<bool>,
}

impl FewButtons {
    /// The state in which nothing lacks.
    pub fn read(&mut self, side: Side, buttons: Buttons, state: HandState) -> HandState {
        match buttons {
            Buttons::All => state,
            Buttons::PressedStick => self.read_pressed_stick(state),
            Buttons::One => self.read_one(side, state),
        }
    }

    fn read_pressed_stick(&mut self, state: HandState) -> HandState {
        self.pressed = state.stick_click.then(|| self.pressed.unwrap_or_else(|| pressed_at(state.stick)));
        let up_or_down = matches!(self.pressed, Some(Pressed::Forward | Pressed::Backward));
        self.thumb_away = up_or_down || self.thumb_away && state.stick.length() > BACK;
        HandState {
            stick: if self.thumb_away { Vec2::ZERO } else { state.stick },
            stick_click: self.pressed == Some(Pressed::Middle),
            primary: self.pressed == Some(Pressed::Forward),
            secondary: self.pressed == Some(Pressed::Backward),
            ..state
        }
    }

    fn read_one(&mut self, side: Side, state: HandState) -> HandState {
        let down = state.trigger > DOWN;
        self.pushes = down.then(|| self.pushes.unwrap_or_else(|| has_palm_up(side, &state)));
        if self.pushes != Some(true) {
            return state;
        }
        HandState { trigger: 0.0, stick: Vec2::Y, ..state }
    }
}

fn pressed_at(stick: Vec2) -> Pressed {
    if stick.length() <= OUT {
        Pressed::Middle
    } else if stick.x.abs() > stick.y.abs() {
        Pressed::Sideways
    } else if stick.y > 0.0 {
        Pressed::Forward
    } else {
        Pressed::Backward
    }
}

/// A grip's +X goes into a right palm and out of a left one (OpenXR 1.1, 6.3.3).
fn has_palm_up(side: Side, state: &HandState) -> bool {
    let out_of_palm = if side == Side::Left { Vec3::X } else { Vec3::NEG_X };
    state.grip.is_some_and(|grip| (grip.rotation * out_of_palm).y > PALM_UP)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use bevy::math::Quat;

    use super::*;
    use crate::platform::tracking::Pose;

    fn thumb(x: f32, y: f32, stick_click: bool) -> HandState {
        HandState { stick: Vec2::new(x, y), stick_click, ..HandState::default() }
    }

    #[test]
    fn a_pad_pressed_forward_is_the_lower_button_and_backward_the_upper_one() {
        for (x, y, primary, secondary, stick_click) in [
            (0.1, 0.9, true, false, false),
            (-0.2, -0.8, false, true, false),
            (0.0, 0.1, false, false, true),
            // To the sides one turns: that is no view to put straight.
            (0.9, 0.2, false, false, false),
        ] {
            let read = FewButtons::default().read(Side::Right, Buttons::PressedStick, thumb(x, y, true));
            assert_eq!((read.primary, read.secondary, read.stick_click), (primary, secondary, stick_click), "{x} {y}");
        }
        let same = thumb(0.3, 0.9, true);
        assert_eq!(FewButtons::default().read(Side::Right, Buttons::All, same), same);
    }

    #[test]
    fn a_press_counts_where_it_began_and_the_thumb_aims_again_after_it_was_in_the_middle() {
        let mut pad = FewButtons::default();
        let mut read = |x, y, click| pad.read(Side::Left, Buttons::PressedStick, thumb(x, y, click));
        assert_eq!(read(0.0, 0.9, false).stick, Vec2::new(0.0, 0.9), "touched, it aims");
        let pressed = read(0.0, 0.9, true);
        assert!(pressed.primary && pressed.stick == Vec2::ZERO);
        assert!(read(0.0, -0.9, true).primary, "slid while pressed");
        let released = read(0.0, 0.9, false);
        assert!(!released.primary && released.stick == Vec2::ZERO, "resting where it pressed, it does not aim");
        assert_eq!(read(0.0, 0.1, false).stick, Vec2::new(0.0, 0.1));
        assert_eq!(read(0.0, 0.9, false).stick, Vec2::new(0.0, 0.9));
    }

    #[test]
    fn one_button_pushes_the_stick_where_the_palm_is_up() {
        for side in Side::BOTH {
            let hand = |palm_up: bool, trigger: f32| {
                // Palm down, thumbs inwards: +X of the right grip is up, that of the left one down; half a turn about the thumb's axis.
                let down = if side == Side::Right { PI / 2.0 } else { -PI / 2.0 };
                let turn = if palm_up { PI } else { 0.0 };
                let rotation = Quat::from_rotation_z(down + turn);
                HandState { grip: Some(Pose { position: Vec3::ZERO, rotation }), trigger, ..HandState::default() }
            };
            let mut few = FewButtons::default();
            let mut read = |palm_up, trigger| few.read(side, Buttons::One, hand(palm_up, trigger));
            assert_eq!((read(false, 1.0).trigger, read(false, 1.0).stick), (1.0, Vec2::ZERO), "palm down it takes");
            assert_eq!(read(true, 1.0).trigger, 1.0, "and goes on taking however the hand turns");
            assert_eq!(read(true, 0.0).stick, Vec2::ZERO);
            let aims = read(true, 1.0);
            assert_eq!((aims.trigger, aims.stick), (0.0, Vec2::Y), "palm up it aims");
            assert_eq!(read(false, 1.0).stick, Vec2::Y);
            assert_eq!(read(false, 0.0), hand(false, 0.0));
        }
    }
}
