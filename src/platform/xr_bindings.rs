//! Which input of which controller does what: bindings that are suggested to the runtime, one profile after the other.
//!
//! Plain tables; a test compares every path and type with the specification's registry.

use super::{few_buttons::Buttons, tracking::Side};

/// What a controller's input stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum XrInput {
    GripPose,
    AimPose,
    /// A click counts as 0 or 1.
    Trigger,
    Squeeze,
    Stick,
    StickClick,
    Primary,
    Secondary,
    Menu,
    Haptic,
}

/// One kind of controller.
pub(super) struct Profile {
    pub path: &'static str,
    /// What stands in for the buttons that it lacks (`few_buttons`).
    pub buttons: Buttons,
    /// Input, component of both hands.
    pub both: &'static [(XrInput, &'static str)],
    pub left: &'static [(XrInput, &'static str)],
    pub right: &'static [(XrInput, &'static str)],
}

impl Profile {
    /// All of its bindings: hand, input, component.
    pub fn bindings(&self) -> impl Iterator<Item = (Side, XrInput, &'static str)> {
        let of = |side: Side, own: &'static [(XrInput, &'static str)]| {
            self.both.iter().chain(own).map(move |(input, path)| (side, *input, *path))
        };
        of(Side::Left, self.left).chain(of(Side::Right, self.right))
    }
}

use XrInput::*;

const X_AND_Y: &[(XrInput, &str)] = &[(Primary, "/input/x/click"), (Secondary, "/input/y/click")];
const A_AND_B: &[(XrInput, &str)] = &[(Primary, "/input/a/click"), (Secondary, "/input/b/click")];

/// Every controller that we know. What a runtime does not know of them, it refuses; the others still count.
pub(super) const PROFILES: &[Profile] = &[
    Profile {
        path: "/interaction_profiles/khr/simple_controller",
        buttons: Buttons::One,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/select/click"),
            (Menu, "/input/menu/click"),
            (Haptic, "/output/haptic"),
        ],
        left: &[],
        right: &[],
    },
    Profile {
        path: "/interaction_profiles/oculus/touch_controller",
        buttons: Buttons::All,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/trigger/value"),
            (Squeeze, "/input/squeeze/value"),
            (Stick, "/input/thumbstick"),
            (StickClick, "/input/thumbstick/click"),
            (Haptic, "/output/haptic"),
        ],
        left: &[X_AND_Y[0], X_AND_Y[1], (Menu, "/input/menu/click")],
        right: A_AND_B,
    },
    Profile {
        path: "/interaction_profiles/valve/index_controller",
        buttons: Buttons::All,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/trigger/value"),
            (Squeeze, "/input/squeeze/value"),
            (Stick, "/input/thumbstick"),
            (StickClick, "/input/thumbstick/click"),
            (Primary, "/input/a/click"),
            (Haptic, "/output/haptic"),
        ],
        // It has no button for a menu of one's own.
        left: &[(Menu, "/input/b/click")],
        right: &[(Secondary, "/input/b/click")],
    },
    Profile {
        path: "/interaction_profiles/htc/vive_controller",
        buttons: Buttons::PressedStick,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/trigger/value"),
            (Squeeze, "/input/squeeze/click"),
            (Stick, "/input/trackpad"),
            (StickClick, "/input/trackpad/click"),
            (Menu, "/input/menu/click"),
            (Haptic, "/output/haptic"),
        ],
        left: &[],
        right: &[],
    },
    Profile {
        path: "/interaction_profiles/microsoft/motion_controller",
        buttons: Buttons::PressedStick,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/trigger/value"),
            (Squeeze, "/input/squeeze/click"),
            (Stick, "/input/thumbstick"),
            (StickClick, "/input/thumbstick/click"),
            (Menu, "/input/menu/click"),
            (Haptic, "/output/haptic"),
        ],
        left: &[],
        right: &[],
    },
    Profile {
        path: "/interaction_profiles/bytedance/pico4_controller",
        buttons: Buttons::All,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/trigger/value"),
            (Squeeze, "/input/squeeze/value"),
            (Stick, "/input/thumbstick"),
            (StickClick, "/input/thumbstick/click"),
            (Haptic, "/output/haptic"),
        ],
        left: &[X_AND_Y[0], X_AND_Y[1], (Menu, "/input/menu/click")],
        right: A_AND_B,
    },
    Profile {
        path: "/interaction_profiles/bytedance/pico_neo3_controller",
        buttons: Buttons::All,
        both: &[
            (GripPose, "/input/grip/pose"),
            (AimPose, "/input/aim/pose"),
            (Trigger, "/input/trigger/value"),
            (Squeeze, "/input/squeeze/value"),
            (Stick, "/input/thumbstick"),
            (StickClick, "/input/thumbstick/click"),
            (Menu, "/input/menu/click"),
            (Haptic, "/output/haptic"),
        ],
        left: X_AND_Y,
        right: A_AND_B,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Profile → (hand, component) → type, as the registry has it.
    fn registry() -> BTreeMap<String, BTreeMap<(Side, String), String>> {
        let mut profiles: BTreeMap<String, BTreeMap<(Side, String), String>> = BTreeMap::new();
        let mut current = String::new();
        for line in include_str!("../../tests/data/openxr_profiles.txt").lines() {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["#", ..] => {}
                [profile] => current = profile.to_owned(),
                [hand, component, kind] => {
                    let sides = match hand {
                        "left" => &[Side::Left][..],
                        "right" => &[Side::Right],
                        _ => &Side::BOTH,
                    };
                    let components = profiles.entry(current.clone()).or_default();
                    for side in sides {
                        components.insert((*side, component.to_owned()), kind.to_owned());
                    }
                }
                _ => panic!("not understood: {line}"),
            }
        }
        profiles
    }

    /// Types of components that an action for this input may be bound to: a click may stand for a number, nothing else.
    fn types(input: XrInput) -> &'static [&'static str] {
        match input {
            GripPose | AimPose => &["pose"],
            Trigger | Squeeze => &["float", "boolean"],
            Stick => &["vector2f"],
            StickClick | Primary | Secondary | Menu => &["boolean"],
            Haptic => &["vibration"],
        }
    }

    #[test]
    fn every_binding_stands_in_the_registry_with_its_type() {
        let registry = registry();
        assert_eq!(registry.len(), PROFILES.len(), "profiles of the table");
        for profile in PROFILES {
            let known = &registry[profile.path];
            for (side, input, component) in profile.bindings() {
                let kind = known
                    .get(&(side, component.to_owned()))
                    .unwrap_or_else(|| panic!("{} has no {component} on the {side:?}", profile.path));
                assert!(types(input).contains(&kind.as_str()), "{} {component} is {kind}", profile.path);
            }
        }
    }

    #[test]
    fn every_hand_points_takes_and_feels() {
        for profile in PROFILES {
            for side in Side::BOTH {
                let inputs: Vec<_> =
                    profile.bindings().filter(|binding| binding.0 == side).map(|binding| binding.1).collect();
                for needed in [GripPose, AimPose, Trigger, Haptic] {
                    assert!(inputs.contains(&needed), "{} {side:?} {needed:?}", profile.path);
                }
                // Jumping, talking and the lists need two more; or something stands in for them.
                let stands_in: &[XrInput] = match profile.buttons {
                    Buttons::All => &[Stick, Primary],
                    Buttons::PressedStick => &[Stick, StickClick],
                    Buttons::One => &[Trigger],
                };
                for needed in stands_in {
                    assert!(inputs.contains(needed), "{} {side:?} {needed:?}", profile.path);
                }
                assert_eq!(profile.buttons == Buttons::All, inputs.contains(&Primary), "{}", profile.path);
                let mut unique = inputs.clone();
                unique.sort();
                unique.dedup();
                assert_eq!(unique.len(), inputs.len(), "{} binds an input twice", profile.path);
            }
        }
    }
}
