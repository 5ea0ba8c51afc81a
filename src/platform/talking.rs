//! What settings and devices tell the ear: which microphone, who begins an utterance, the talk and the mute key.
//!
//! In: [`Settings`], input devices. Out: [`EarSettings`], all but whether the world attends and requests to list microphones,
//! which belong to whoever knows about menus. What is absent: sound.

use bevy::{input::InputSystems, prelude::*};

use super::{bindings::Action, flat::DeviceInput, settings::Settings, tracked_rig::hands_for, tracking::Tracking};
use crate::sensors::{EarSettings, EarSystems};

/// Keeps [`EarSettings`] up to date.
pub struct TalkingPlugin;

impl Plugin for TalkingPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<EarSettings>()
            .add_systems(PreUpdate, tell_ear.after(InputSystems).before(EarSystems::Listen));
    }
}

/// What the ear is told, given what it was told before and what the keys do.
fn told(before: &EarSettings, settings: &Settings, talk_held: bool, mute_pressed: bool) -> EarSettings {
    let voice = &settings.voice;
    EarSettings {
        enabled: voice.microphone_on,
        microphone: voice.microphone.clone(),
        mode: voice.mode,
        sensitivity: voice.sensitivity,
        // While a menu is open its keys mean something else.
        muted: before.muted != (mute_pressed && before.attending),
        talk_key: talk_held && before.attending,
        ..before.clone()
    }
}

fn tell_ear(
    input: DeviceInput,
    settings: Res<Settings>,
    tracking: Option<Res<Tracking>>,
    mut ear: ResMut<EarSettings>,
) {
    let (held, mute) = input.read(|devices| {
        (devices.holds(&settings.bindings, Action::Talk), devices.begins(&settings.bindings, Action::Mute))
    });
    // In a headset, the lower button of the hand that walks; that of the other one jumps.
    let by_hand = tracking.is_some_and(|tracking| {
        let (walking, _) = hands_for(settings.headset.left_handed);
        tracking.worn && tracking.hand(walking).primary
    });
    let now = told(&ear, &settings, held || by_hand, mute);
    ear.set_if_neq(now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::TalkMode;

    #[test]
    fn the_settings_page_reaches_the_ear() {
        let mut settings = Settings::default();
        settings.voice.microphone = Some("Headset".to_owned());
        settings.voice.mode = TalkMode::PushToTalk;
        settings.voice.microphone_on = false;
        settings.voice.sensitivity = 0.7;
        let ear = told(&EarSettings { listings: 4, ..default() }, &settings, false, false);
        assert_eq!((ear.enabled, ear.microphone.as_deref(), ear.mode), (false, Some("Headset"), TalkMode::PushToTalk));
        assert_eq!((ear.sensitivity, ear.listings), (0.7, 4));
    }

    #[test]
    fn the_mute_key_closes_and_opens_and_does_nothing_in_a_menu() {
        let settings = Settings::default();
        let muted = told(&EarSettings::default(), &settings, false, true);
        assert!(muted.muted && told(&muted, &settings, false, false).muted);
        assert!(!told(&muted, &settings, false, true).muted);
        let in_menu = EarSettings { attending: false, ..default() };
        let told = told(&in_menu, &settings, true, true);
        assert!(!told.muted && !told.talk_key);
    }
}
