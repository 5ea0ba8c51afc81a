//! Controllers through OpenXR's actions.
//!
//! In: the session, the profiles of `xr_bindings` and what stands in for buttons that a controller lacks (`few_buttons`), joints of hands
//! without controllers (`bare_hands`). Out: [`HandState`]s; vibration. What is absent: what buttons mean.

use std::sync::{Mutex, PoisonError};

use bevy::prelude::*;
use openxr::{
    Action, ActionSet, ActionTy, Binding, Hand, HandTracker, Haptic, HapticVibration, Instance, Path, Posef, Session,
    Space, SpaceLocationFlags, SystemId, Time, Vector2f, Vulkan, sys,
};

use super::{
    bare_hands::{JOINTS, state_of},
    few_buttons::{Buttons, FewButtons},
    tracking::{HandState, Pose, Pulse, Side, Tracking},
    xr_bindings::{PROFILES, XrInput},
};

/// What hands do, in one set for one session.
pub(super) struct HandActions {
    set: ActionSet,
    trigger: Action<f32>,
    squeeze: Action<f32>,
    stick: Action<Vector2f>,
    stick_click: Action<bool>,
    primary: Action<bool>,
    secondary: Action<bool>,
    menu: Action<bool>,
    haptic: Action<Haptic>,
    hands: [Path; 2],
    /// Controllers that lack buttons, and how each hand makes up for it.
    few_buttons: Vec<(Path, Buttons)>,
    stand_ins: Mutex<[FewButtons; 2]>,
    grips: [Space; 2],
    aims: [Space; 2],
    /// Hands without controllers, where the runtime sees them.
    bare: [Option<HandTracker>; 2],
}

impl HandActions {
    /// Makes the actions, suggests what they are bound to and attaches them.
    ///
    /// # Errors
    /// - whatever the runtime answers; a controller that it does not know is none
    pub fn attach(instance: &Instance, session: &Session<Vulkan>, system: SystemId) -> openxr::Result<Self> {
        let set = instance.create_action_set("hands", "Hands", 0)?;
        let hands = [instance.string_to_path("/user/hand/left")?, instance.string_to_path("/user/hand/right")?];
        fn action<T: ActionTy>(set: &ActionSet, hands: &[Path], name: &str, title: &str) -> openxr::Result<Action<T>> {
            set.create_action(name, title, hands)
        }
        let grip = action::<Posef>(&set, &hands, "grip_pose", "Hand")?;
        let aim = action::<Posef>(&set, &hands, "aim_pose", "Pointing")?;
        let trigger = action(&set, &hands, "trigger", "Take from afar, press")?;
        let squeeze = action(&set, &hands, "squeeze", "Take")?;
        let stick = action(&set, &hands, "stick", "Walk, turn")?;
        let stick_click = action(&set, &hands, "stick_click", "Put the view straight")?;
        let primary = action(&set, &hands, "primary", "Primary button")?;
        let secondary = action(&set, &hands, "secondary", "Secondary button")?;
        let menu = action(&set, &hands, "menu", "Menu")?;
        let haptic = action(&set, &hands, "haptic", "Vibration")?;
        let mut few_buttons = Vec::new();
        for profile in PROFILES {
            let mut bindings = Vec::new();
            for (side, input, component) in profile.bindings() {
                let hand = if side == Side::Left { "/user/hand/left" } else { "/user/hand/right" };
                let path = instance.string_to_path(&format!("{hand}{component}"))?;
                bindings.push(match input {
                    XrInput::GripPose => Binding::new(&grip, path),
                    XrInput::AimPose => Binding::new(&aim, path),
                    XrInput::Trigger => Binding::new(&trigger, path),
                    XrInput::Squeeze => Binding::new(&squeeze, path),
                    XrInput::Stick => Binding::new(&stick, path),
                    XrInput::StickClick => Binding::new(&stick_click, path),
                    XrInput::Primary => Binding::new(&primary, path),
                    XrInput::Secondary => Binding::new(&secondary, path),
                    XrInput::Menu => Binding::new(&menu, path),
                    XrInput::Haptic => Binding::new(&haptic, path),
                });
            }
            let path = instance.string_to_path(profile.path)?;
            if profile.buttons != Buttons::All {
                few_buttons.push((path, profile.buttons));
            }
            if let Err(error) = instance.suggest_interaction_profile_bindings(path, &bindings) {
                debug!("the OpenXR runtime does not know {}: {error}", profile.path);
            }
        }
        session.attach_action_sets(&[&set])?;
        let space = |action: &Action<Posef>, hand| action.create_space(session, hand, Posef::IDENTITY);
        Ok(Self {
            grips: [space(&grip, hands[0])?, space(&grip, hands[1])?],
            aims: [space(&aim, hands[0])?, space(&aim, hands[1])?],
            set,
            trigger,
            squeeze,
            stick,
            stick_click,
            primary,
            secondary,
            menu,
            haptic,
            hands,
            few_buttons,
            stand_ins: Mutex::default(),
            bare: [Hand::LEFT, Hand::RIGHT].map(|hand| tracker(instance, session, system, hand)),
        })
    }

    /// Reads both hands as they will be at `time`.
    ///
    /// # Errors
    /// - whatever the runtime answers
    pub fn read(
        &self,
        session: &Session<Vulkan>,
        stage: &Space,
        time: Time,
        tracking: &mut Tracking,
    ) -> openxr::Result<()> {
        if !self.sync(session)? {
            // Poses go on and buttons read as up: such a hand is out of sight, not open.
            for side in Side::BOTH {
                *tracking.hand_mut(side) = HandState::default();
            }
            return Ok(());
        }
        for side in Side::BOTH {
            let hand = self.hands[side as usize];
            let button = |action: &Action<bool>| action.state(session, hand).map(|state| state.current_state);
            let number = |action: &Action<f32>| action.state(session, hand).map(|state| state.current_state);
            let stick = self.stick.state(session, hand)?.current_state;
            let controller = HandState {
                grip: located(&self.grips[side as usize], stage, time)?,
                aim: located(&self.aims[side as usize], stage, time)?,
                trigger: number(&self.trigger)?,
                squeeze: number(&self.squeeze)?,
                stick: Vec2::new(stick.x, stick.y),
                stick_click: button(&self.stick_click)?,
                primary: button(&self.primary)?,
                secondary: button(&self.secondary)?,
                menu: button(&self.menu)?,
                index_tip: None,
            };
            let profile = session.current_interaction_profile(hand)?;
            let few = self.few_buttons.iter().find(|(path, _)| *path == profile);
            let mut stand_ins = self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner);
            let buttons = few.map_or(Buttons::All, |(_, buttons)| *buttons);
            let controller = stand_ins[side as usize].read(side, buttons, controller);
            let bare = match (&controller.grip, &self.bare[side as usize]) {
                (None, Some(tracker)) => joints(stage, tracker, time)?,
                _ => None,
            };
            let head = tracking.head;
            *tracking.hand_mut(side) = bare.map_or(controller, |joints| state_of(side, &joints, head));
        }
        Ok(())
    }

    /// Takes the newest input; whether there is any: not while another program has it.
    fn sync(&self, session: &Session<Vulkan>) -> openxr::Result<bool> {
        // openxr's own call does not tell a session without focus from one with it.
        let set = sys::ActiveActionSet { action_set: self.set.as_raw(), subaction_path: sys::Path::NULL };
        let info = sys::ActionsSyncInfo {
            ty: sys::ActionsSyncInfo::TYPE,
            next: std::ptr::null(),
            count_active_action_sets: 1,
            active_action_sets: &set,
        };
        // SAFETY: session and set are alive, and the set is attached to the session.
        let answer = unsafe { (session.instance().fp().sync_actions)(session.as_raw(), &info) };
        if answer.into_raw() < 0 { Err(answer) } else { Ok(answer != sys::Result::SESSION_NOT_FOCUSED) }
    }

    /// Vibrates.
    ///
    /// # Errors
    /// - whatever the runtime answers
    pub fn pulse(&self, session: &Session<Vulkan>, pulse: &Pulse) -> openxr::Result<()> {
        let nanoseconds = (f64::from(pulse.seconds.max(0.0)) * 1e9) as i64;
        let vibration = HapticVibration::new()
            .amplitude(pulse.strength.clamp(0.0, 1.0))
            .frequency(openxr::FREQUENCY_UNSPECIFIED)
            .duration(openxr::Duration::from_nanos(nanoseconds));
        self.haptic.apply_feedback(session, self.hands[pulse.side as usize], &vibration)
    }
}

/// What follows a bare hand; `None` where the runtime or the headset cannot.
fn tracker(instance: &Instance, session: &Session<Vulkan>, system: SystemId, hand: Hand) -> Option<HandTracker> {
    // Without the extension the answer is an error, and as good as no.
    if !instance.supports_hand_tracking(system).unwrap_or(false) {
        return None;
    }
    session.create_hand_tracker(hand).inspect_err(|error| warn!("headset: hands are not followed: {error}")).ok()
}

/// The joints of a bare hand; `None` while it is not seen.
fn joints(stage: &Space, tracker: &HandTracker, time: Time) -> openxr::Result<Option<[Pose; JOINTS]>> {
    let valid = SpaceLocationFlags::POSITION_VALID | SpaceLocationFlags::ORIENTATION_VALID;
    let seen = stage.locate_hand_joints(tracker, time)?;
    let seen = seen.filter(|joints| joints.iter().all(|joint| joint.location_flags.contains(valid)));
    Ok(seen.map(|joints| joints.map(|joint| pose(joint.pose))).filter(|joints| joints.iter().all(Pose::is_finite)))
}

/// Where `space` is; `None` while it is not tracked.
///
/// # Errors
/// - whatever the runtime answers
pub(super) fn located(space: &Space, base: &Space, time: Time) -> openxr::Result<Option<Pose>> {
    let location = space.locate(base, time)?;
    let valid = SpaceLocationFlags::POSITION_VALID | SpaceLocationFlags::ORIENTATION_VALID;
    // A runtime that promises a pose may still tell numbers that are none.
    Ok(location.location_flags.contains(valid).then(|| pose(location.pose)).filter(Pose::is_finite))
}

/// A runtime's pose as ours; what is no rotation is none.
pub(super) fn pose(pose: Posef) -> Pose {
    let (position, rotation) = (pose.position, pose.orientation);
    let rotation = Quat::from_xyzw(rotation.x, rotation.y, rotation.z, rotation.w);
    Pose {
        position: Vec3::new(position.x, position.y, position.z),
        rotation: if rotation.length_squared() > 1e-6 { rotation.normalize() } else { Quat::IDENTITY },
    }
}
