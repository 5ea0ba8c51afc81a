//! Commands that are about the screen and the loudspeaker: music, labels.
//!
//! In: [`Commanded`]. Out: changed [`Settings`], what came of it, how it is taken back. What is absent: the music itself
//! (`music`), the labels (`floating_labels`).

use bevy::prelude::*;

use crate::{
    platform::settings::Settings,
    scene::{ActionRegistry, Parameter},
    world::{CommandAnswered, Commanded, DeedHistory, DeedSystems},
};

/// Carries out what is about the screen and the loudspeaker.
pub struct ScreenDeedsPlugin;

impl Plugin for ScreenDeedsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<DeedHistory>()
            .add_message::<Commanded>()
            .add_message::<CommandAnswered>()
            // In the tick, so that what is taken back is the last deed at any frame rate.
            .add_systems(FixedUpdate, command_screen.before(DeedSystems));
    }
}

/// Makes known what this room carries out.
pub fn register_actions(actions: &mut ActionRegistry) {
    let music = &[Parameter::Choice(&["on", "off", "louder", "quieter"])];
    actions.register("Music", music, "Plays or stops quiet music, or changes its volume.");
    let labels = &[Parameter::Choice(&["on", "off"])];
    actions.register("Labels", labels, "Shows or hides the names of what the companion recognises.");
}

/// Changes the settings as told; the answer, or `None` for other rooms' commands.
fn obey(command: &Commanded, settings: &mut Settings) -> Option<Result<String, String>> {
    let volume = settings.volumes.music;
    Some(match (command.action.as_str(), command.word()) {
        ("Music", "on") => {
            settings.music = true;
            Ok("Music plays.".to_owned())
        }
        ("Music", "off") => {
            settings.music = false;
            Ok("The music stops.".to_owned())
        }
        ("Music", "louder" | "quieter") if !settings.music => Err("No music plays.".to_owned()),
        ("Music", word @ ("louder" | "quieter")) => {
            let next = if word == "louder" { volume + 0.2 } else { volume - 0.2 }.clamp(0.0, 1.0);
            if (next - volume).abs() < 1e-3 {
                return Some(Err(format!("The music cannot be {word}.")));
            }
            settings.volumes.music = next;
            Ok(format!("The music is {word}."))
        }
        ("Labels", word @ ("on" | "off")) => {
            settings.labels = word == "on";
            Ok(if settings.labels { "Names are shown." } else { "Names are hidden." }.to_owned())
        }
        _ => return None,
    })
}

fn command_screen(
    mut commanded: MessageReader<Commanded>,
    mut settings: ResMut<Settings>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    for command in commanded.read() {
        let before = (settings.music, settings.volumes.music, settings.labels);
        let Some(outcome) = obey(command, settings.bypass_change_detection()) else { continue };
        answers.write(match outcome {
            Ok(words) => {
                settings.set_changed();
                let name = if command.is("Music") { "the music" } else { "the names" };
                history.note(name, move |world| {
                    let mut settings = world.resource_mut::<Settings>();
                    (settings.music, settings.volumes.music, settings.labels) = before;
                    Ok(())
                });
                CommandAnswered::done(command, words)
            }
            Err(why) => CommandAnswered::refused(command, why),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn music_and_labels_obey_and_other_commands_are_left_alone() {
        let mut settings = Settings::default();
        let mut tell = |action, word: &str| obey(&Commanded::new(action, &[word]), &mut settings);
        assert!(tell("Music", "louder").unwrap().is_err(), "nothing plays yet");
        assert!(tell("Music", "on").unwrap().is_ok());
        assert!(tell("Music", "quieter").unwrap().is_ok());
        assert!(tell("Labels", "off").unwrap().is_ok());
        assert_eq!(tell("Lights", "off"), None);
        assert!(settings.music && !settings.labels);
        assert!(settings.volumes.music < Settings::default().volumes.music);
    }
}
