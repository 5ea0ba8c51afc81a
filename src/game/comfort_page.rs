//! What is asked once, when a headset is worn for the first time: how to move, whether one sits, which hand leads.
//!
//! In: [`Settings`], whether a headset is worn. Out: the menu opens on [`Page::Comfort`], until it was left once; the settings page
//! leads there again. In the window it is never shown: whoever takes the headset off is asked when it is worn again.

use bevy::prelude::*;

use super::{
    Attended, GameState,
    menu::{Choice, Deed, Page, Row},
    menu_screen::Menu,
};
use crate::platform::{
    settings::{Comfort, Settings},
    tracked_rig::is_worn,
};

pub(super) fn plugin(app: &mut App) {
    app.add_systems(
        Update,
        (
            ask.run_if(in_state(GameState::Playing)).run_if(is_worn),
            leave.run_if(in_state(GameState::Paused)).run_if(not(is_worn)),
        ),
    );
}

fn ask(
    settings: Res<Settings>,
    attended: Res<Attended>,
    mut menu: ResMut<Menu>,
    mut next: ResMut<NextState<GameState>>,
) {
    if attended.0 && !settings.headset.comfort_chosen {
        menu.opens_on = Page::Comfort;
        next.set(GameState::Paused);
    }
}

fn leave(mut menu: ResMut<Menu>, mut next: ResMut<NextState<GameState>>) {
    if menu.page == Page::Comfort && !menu.go_back() {
        next.set(GameState::Playing);
    }
}

/// Above the rows.
pub(super) const QUESTION: &str = "How do you like to move? You can change it later in the settings.";

/// A preset in plain words.
fn in_words(comfort: Comfort) -> (&'static str, &'static str) {
    match comfort {
        Comfort::Gentle => ("Gentle", "you jump to where you point and turn by steps; nothing moves you"),
        Comfort::Balanced => ("Balanced", "a stick walks you, turns go by steps, the view narrows meanwhile"),
        Comfort::Free => ("Free", "a stick walks you, the other turns you smoothly, the view stays wide"),
    }
}

/// The rows of the page; `chosen` makes a row of a setting.
pub(super) fn rows(settings: &Settings, chosen: impl Fn(Choice) -> Row, measuring: Row) -> Vec<Row> {
    let now = settings.headset.comfort();
    let preset = |comfort: Comfort| {
        let (name, meaning) = in_words(comfort);
        Row {
            label: name.to_owned(),
            value: Some(meaning.to_owned()),
            fraction: None,
            mark: Some(now == Some(comfort)),
            deed: Deed::Prefer(comfort),
        }
    };
    let begin = Row { label: "That is how I like it".to_owned(), deed: Deed::Back, ..default() };
    let presets = [Comfort::Gentle, Comfort::Balanced, Comfort::Free].map(preset);
    presets.into_iter().chain([chosen(Choice::Seated), chosen(Choice::LeftHanded), measuring, begin]).collect()
}
