//! What the player can do, and with which key, button or wheel.
//!
//! Plain values: [`Bindings`] are part of the settings file, [`Held`] is what the devices do in one frame.

use std::{collections::BTreeMap, fmt, str::FromStr};

use bevy::{
    input::{
        ButtonInput,
        gamepad::{Gamepad, GamepadButton},
        keyboard::KeyCode,
        mouse::MouseButton,
    },
    math::Vec2,
    reflect::{
        FromReflect, Typed,
        enums::{DynamicEnum, DynamicVariant, VariantInfo},
    },
};
use serde::{Deserialize, Serialize};

use super::panel_pointer::PanelInput;

/// Something that a player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Forward,
    Back,
    Left,
    Right,
    Run,
    Crouch,
    Jump,
    Grab,
    Throw,
    Push,
    Pull,
    Turn,
    Pause,
    Panel,
    Labels,
    Screenshot,
    /// Opens the list of what can be asked.
    Ask,
    /// Held while one speaks, where the settings say so.
    Talk,
    /// Closes and opens the ear.
    Mute,
    /// Dreams the surface that one looks at anew; held, it drifts.
    Dream,
    /// Opens the list of what can be dreamt.
    Materials,
    /// Puts the headset on and takes it off.
    Headset,
}

impl Action {
    /// All of them, in the order of the settings page.
    pub const ALL: [Action; 22] = [
        Action::Forward,
        Action::Back,
        Action::Left,
        Action::Right,
        Action::Run,
        Action::Crouch,
        Action::Jump,
        Action::Grab,
        Action::Throw,
        Action::Push,
        Action::Pull,
        Action::Turn,
        Action::Pause,
        Action::Panel,
        Action::Labels,
        Action::Screenshot,
        Action::Ask,
        Action::Talk,
        Action::Mute,
        Action::Dream,
        Action::Materials,
        Action::Headset,
    ];

    /// Whether it opens a list of commands.
    pub fn commands(self) -> bool {
        matches!(self, Action::Ask | Action::Materials)
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Action::Forward => "Walk forward",
            Action::Back => "Walk back",
            Action::Left => "Step left",
            Action::Right => "Step right",
            Action::Run => "Run",
            Action::Crouch => "Crouch",
            Action::Jump => "Jump",
            Action::Grab => "Take, let go",
            Action::Throw => "Throw",
            Action::Push => "Push away",
            Action::Pull => "Pull closer",
            Action::Turn => "Turn (hold, move mouse)",
            Action::Pause => "Pause",
            Action::Panel => "Measurements",
            Action::Labels => "Labels on, off",
            Action::Screenshot => "Take a picture",
            Action::Ask => "Ask, command",
            Action::Talk => "Speak (hold, if chosen)",
            Action::Mute => "Mute the microphone",
            Action::Dream => "Dream anew (hold: drift)",
            Action::Materials => "Materials",
            Action::Headset => "Headset on, off",
        }
    }
}

/// A key, a button or a direction of the wheel. In files: `KeyW`, `MouseLeft`, `PadSouth`, `WheelUp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Input {
    Key(KeyCode),
    Mouse(MouseButton),
    Pad(GamepadButton),
    WheelUp,
    WheelDown,
}

/// A name in a settings file that stands for no key or button.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no key, button or wheel direction")]
pub struct UnknownInput(String);

/// The unit variant of `T` with this name.
fn variant_named<T: Typed + FromReflect>(name: &str) -> Option<T> {
    match T::type_info().as_enum().ok()?.variant(name)? {
        VariantInfo::Unit(_) => T::from_reflect(&DynamicEnum::new(name.to_owned(), DynamicVariant::Unit)),
        _ => None,
    }
}

impl FromStr for Input {
    type Err = UnknownInput;

    fn from_str(name: &str) -> Result<Self, UnknownInput> {
        let found = match name {
            "WheelUp" => Some(Input::WheelUp),
            "WheelDown" => Some(Input::WheelDown),
            _ => variant_named(name)
                .map(Input::Key)
                .or_else(|| name.strip_prefix("Mouse").and_then(variant_named).map(Input::Mouse))
                .or_else(|| name.strip_prefix("Pad").and_then(variant_named).map(Input::Pad)),
        };
        found.ok_or_else(|| UnknownInput(name.to_owned()))
    }
}

impl TryFrom<String> for Input {
    type Error = UnknownInput;

    fn try_from(name: String) -> Result<Self, UnknownInput> {
        name.parse()
    }
}

impl From<Input> for String {
    fn from(input: Input) -> String {
        match input {
            Input::Key(key) => format!("{key:?}"),
            Input::Mouse(button) => format!("Mouse{button:?}"),
            Input::Pad(button) => format!("Pad{button:?}"),
            Input::WheelUp => "WheelUp".to_owned(),
            Input::WheelDown => "WheelDown".to_owned(),
        }
    }
}

/// For people: `W`, `Left Shift`, `Left mouse`, `Pad A (lower)`, `Wheel up`.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Key(key) => {
                let name = format!("{key:?}");
                let plain = name.strip_prefix("Key").or(name.strip_prefix("Digit")).unwrap_or(&name);
                let (side, rest) = match (plain.strip_suffix("Left"), plain.strip_suffix("Right")) {
                    (Some(rest), _) if rest != "Arrow" => ("Left ", rest),
                    (_, Some(rest)) if rest != "Arrow" => ("Right ", rest),
                    _ => ("", plain),
                };
                match rest {
                    "ArrowUp" => write!(f, "Up arrow"),
                    "ArrowDown" => write!(f, "Down arrow"),
                    "ArrowLeft" => write!(f, "Left arrow"),
                    "ArrowRight" => write!(f, "Right arrow"),
                    "Escape" => write!(f, "Esc"),
                    "Control" => write!(f, "{side}Ctrl"),
                    _ => write!(f, "{side}{rest}"),
                }
            }
            Input::Mouse(button) => write!(f, "{button:?} mouse"),
            Input::Pad(button) => write!(f, "Pad {}", pad_button_name(*button)),
            Input::WheelUp => write!(f, "Wheel up"),
            Input::WheelDown => write!(f, "Wheel down"),
        }
    }
}

/// What is printed on pads, or where the button sits.
fn pad_button_name(button: GamepadButton) -> String {
    let name = match button {
        GamepadButton::South => "A (lower)",
        GamepadButton::East => "B (right)",
        GamepadButton::North => "Y (upper)",
        GamepadButton::West => "X (left)",
        GamepadButton::LeftTrigger => "left shoulder",
        GamepadButton::RightTrigger => "right shoulder",
        GamepadButton::LeftTrigger2 => "left trigger",
        GamepadButton::RightTrigger2 => "right trigger",
        GamepadButton::LeftThumb => "left stick",
        GamepadButton::RightThumb => "right stick",
        GamepadButton::DPadUp => "up",
        GamepadButton::DPadDown => "down",
        GamepadButton::DPadLeft => "left",
        GamepadButton::DPadRight => "right",
        other => return format!("{other:?}"),
    };
    name.to_owned()
}

/// Which inputs do what. An action may have none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bindings(BTreeMap<Action, Vec<Input>>);

impl Default for Bindings {
    fn default() -> Self {
        use Input::{Key, Mouse, Pad};
        Self(BTreeMap::from([
            (Action::Forward, vec![Key(KeyCode::KeyW), Key(KeyCode::ArrowUp)]),
            (Action::Back, vec![Key(KeyCode::KeyS), Key(KeyCode::ArrowDown)]),
            (Action::Left, vec![Key(KeyCode::KeyA), Key(KeyCode::ArrowLeft)]),
            (Action::Right, vec![Key(KeyCode::KeyD), Key(KeyCode::ArrowRight)]),
            (Action::Run, vec![Key(KeyCode::ShiftLeft), Key(KeyCode::ShiftRight), Pad(GamepadButton::LeftThumb)]),
            (Action::Crouch, vec![Key(KeyCode::ControlLeft), Key(KeyCode::KeyC), Pad(GamepadButton::East)]),
            (Action::Jump, vec![Key(KeyCode::Space), Pad(GamepadButton::South)]),
            (Action::Grab, vec![Key(KeyCode::KeyE), Mouse(MouseButton::Left), Pad(GamepadButton::RightTrigger2)]),
            (Action::Throw, vec![Mouse(MouseButton::Right), Pad(GamepadButton::LeftTrigger2)]),
            (Action::Push, vec![Input::WheelUp, Pad(GamepadButton::DPadUp)]),
            (Action::Pull, vec![Input::WheelDown, Pad(GamepadButton::DPadDown)]),
            (Action::Turn, vec![Key(KeyCode::KeyR), Pad(GamepadButton::LeftTrigger)]),
            (Action::Pause, vec![Key(KeyCode::Escape), Pad(GamepadButton::Start)]),
            (Action::Panel, vec![Key(KeyCode::F3), Pad(GamepadButton::Select)]),
            (Action::Labels, vec![Key(KeyCode::KeyL), Pad(GamepadButton::North)]),
            (Action::Screenshot, vec![Key(KeyCode::F12)]),
            (Action::Ask, vec![Key(KeyCode::KeyQ), Pad(GamepadButton::West)]),
            (Action::Talk, vec![Key(KeyCode::KeyV), Pad(GamepadButton::RightTrigger)]),
            (Action::Mute, vec![Key(KeyCode::KeyM), Pad(GamepadButton::DPadLeft)]),
            (Action::Dream, vec![Key(KeyCode::KeyG), Pad(GamepadButton::RightThumb)]),
            (Action::Materials, vec![Key(KeyCode::KeyB), Pad(GamepadButton::DPadRight)]),
            (Action::Headset, vec![Key(KeyCode::F8)]),
        ]))
    }
}

impl Bindings {
    /// What is bound to `action`.
    pub fn of(&self, action: Action) -> &[Input] {
        self.0.get(&action).map_or(&[], Vec::as_slice)
    }

    /// Gives `input` to `action` as its only input of that kind of device, and takes it from every other action.
    ///
    /// `Pause` keeps at least one input: without it nobody finds the way back to this page.
    pub fn rebind(&mut self, action: Action, input: Input) {
        if action != Action::Pause && self.of(Action::Pause) == [input] {
            return;
        }
        for inputs in self.0.values_mut() {
            inputs.retain(|bound| *bound != input);
        }
        let inputs = self.0.entry(action).or_default();
        inputs.retain(|bound| matches!(bound, Input::Pad(_)) != matches!(input, Input::Pad(_)));
        inputs.insert(0, input);
    }

    /// A file may leave out what did not exist when it was written: those actions get their defaults, and so does a
    /// `Pause` that nothing would open.
    pub fn complete(&mut self) {
        for (action, inputs) in Bindings::default().0 {
            let bound = self.0.entry(action).or_insert_with(|| inputs.clone());
            if action == Action::Pause && bound.is_empty() {
                *bound = inputs;
            }
        }
    }

    /// For a hint on screen: the first input of the kind of device that is in use.
    pub fn hint(&self, action: Action, pad: bool) -> String {
        let inputs = self.of(action);
        let fits = |input: &&Input| matches!(input, Input::Pad(_)) == pad;
        inputs.iter().find(fits).or(inputs.first()).map_or_else(|| "unbound".to_owned(), ToString::to_string)
    }
}

/// What the devices do in one frame.
#[derive(Clone, Copy)]
pub struct Devices<'a> {
    pub keys: &'a ButtonInput<KeyCode>,
    pub mouse: &'a ButtonInput<MouseButton>,
    /// Lines of the wheel, away from the user is positive.
    pub wheel: f32,
    pub pads: &'a [&'a Gamepad],
    /// Hands in a headset, at an open menu.
    pub hands: PanelInput,
}

impl Devices<'_> {
    fn pressed(&self, input: Input) -> bool {
        match input {
            Input::Key(key) => self.keys.pressed(key),
            Input::Mouse(button) => self.mouse.pressed(button),
            Input::Pad(button) => self.pads.iter().any(|pad| pad.pressed(button)),
            Input::WheelUp => self.wheel > 0.0,
            Input::WheelDown => self.wheel < 0.0,
        }
    }

    fn just_pressed(&self, input: Input) -> bool {
        match input {
            Input::Key(key) => self.keys.just_pressed(key),
            Input::Mouse(button) => self.mouse.just_pressed(button),
            Input::Pad(button) => self.pads.iter().any(|pad| pad.just_pressed(button)),
            Input::WheelUp | Input::WheelDown => self.pressed(input),
        }
    }

    /// Whether anything bound to `action` is down.
    pub fn holds(&self, bindings: &Bindings, action: Action) -> bool {
        bindings.of(action).iter().any(|input| self.pressed(*input))
    }

    /// Whether anything bound to `action` went down in this frame.
    pub fn begins(&self, bindings: &Bindings, action: Action) -> bool {
        bindings.of(action).iter().any(|input| self.just_pressed(*input))
    }

    /// Right and forward, from keys and left sticks, length at most 1.
    pub fn walk(&self, bindings: &Bindings) -> Vec2 {
        let axis = |plus, minus| {
            f32::from(u8::from(self.holds(bindings, plus))) - f32::from(u8::from(self.holds(bindings, minus)))
        };
        let keys = Vec2::new(axis(Action::Right, Action::Left), axis(Action::Forward, Action::Back));
        let sticks: Vec2 = self.pads.iter().map(|pad| pad.left_stick()).sum();
        (keys + sticks).clamp_length_max(1.0)
    }

    /// The first key or button that went down in this frame, for "press a key".
    pub fn first_pressed(&self) -> Option<Input> {
        let key = self.keys.get_just_pressed().next().map(|key| Input::Key(*key));
        let mouse = || self.mouse.get_just_pressed().next().map(|button| Input::Mouse(*button));
        let pad = || self.pads.iter().find_map(|pad| pad.get_just_pressed().next()).map(|button| Input::Pad(*button));
        let wheel = || match self.wheel {
            up if up > 0.0 => Some(Input::WheelUp),
            down if down < 0.0 => Some(Input::WheelDown),
            _ => None,
        };
        key.or_else(mouse).or_else(pad).or_else(wheel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip_and_read_well() {
        for (input, name, shown) in [
            (Input::Key(KeyCode::KeyW), "KeyW", "W"),
            (Input::Key(KeyCode::ShiftLeft), "ShiftLeft", "Left Shift"),
            (Input::Key(KeyCode::ArrowLeft), "ArrowLeft", "Left arrow"),
            (Input::Key(KeyCode::Digit3), "Digit3", "3"),
            (Input::Key(KeyCode::ControlRight), "ControlRight", "Right Ctrl"),
            (Input::Mouse(MouseButton::Left), "MouseLeft", "Left mouse"),
            (Input::Pad(GamepadButton::DPadUp), "PadDPadUp", "Pad up"),
            (Input::WheelDown, "WheelDown", "Wheel down"),
        ] {
            assert_eq!(String::from(input), name);
            assert_eq!(name.parse(), Ok(input));
            assert_eq!(input.to_string(), shown);
        }
        for bad in ["", "KeyÄ", "Unidentified", "MouseOther", "Pad", "wheelup"] {
            assert!(bad.parse::<Input>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_action_has_a_default_and_no_input_does_two_things() {
        let bindings = Bindings::default();
        let mut all: Vec<Input> = Vec::new();
        for action in Action::ALL {
            assert!(!bindings.of(action).is_empty(), "{action:?}");
            all.extend(bindings.of(action));
        }
        let unique: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
    }

    #[test]
    fn a_new_key_replaces_the_old_ones_and_leaves_the_gamepad() {
        let mut bindings = Bindings::default();
        bindings.rebind(Action::Jump, Input::Key(KeyCode::KeyE));
        assert_eq!(bindings.of(Action::Jump), [Input::Key(KeyCode::KeyE), Input::Pad(GamepadButton::South)]);
        assert!(!bindings.of(Action::Grab).contains(&Input::Key(KeyCode::KeyE)));
    }

    #[test]
    fn the_way_to_the_menu_is_never_lost() {
        let mut bindings = Bindings::default();
        bindings.rebind(Action::Pause, Input::Key(KeyCode::KeyP));
        bindings.rebind(Action::Jump, Input::Pad(GamepadButton::Start));
        assert_eq!(bindings.of(Action::Pause), [Input::Key(KeyCode::KeyP)]);
        bindings.rebind(Action::Jump, Input::Key(KeyCode::KeyP));
        assert_eq!(bindings.of(Action::Pause), [Input::Key(KeyCode::KeyP)]);
    }
}
