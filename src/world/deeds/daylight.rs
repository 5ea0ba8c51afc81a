//! Lamps and the time of day by command.
//!
//! In: `Lights`, `TimeOfDay`. Out: [`LightControl`]; lamps follow it at once, the sky and all bounced light as soon as they
//! are computed, beside the frames (`light`).

use bevy::prelude::*;

use super::DeedHistory;
use crate::{
    scene::{ActiveScene, SkySpec},
    world::{CommandAnswered, Commanded, light::LightControl},
};

/// Power of lamps in each setting, 1 as the scene has them.
fn lamp_level(word: &str) -> Option<f32> {
    match word {
        "off" => Some(0.0),
        "dim" => Some(0.3),
        "on" => Some(1.0),
        "bright" => Some(2.0),
        _ => None,
    }
}

/// The scene's sky at another hour. Morning and evening suns stand low in the east and west, the night has a high moon a
/// hundred-thousandth as bright as the sun (Kyba et al., "How bright is moonlight?", 2017: 0.05 to 0.3 lux; here brighter, as
/// pictures of nights are).
pub fn sky_at(hour: &str, scene: &SkySpec) -> Option<SkySpec> {
    let sun = |elevation: f32, azimuth: f32, illuminance: f32| SkySpec {
        sun_elevation: elevation.to_radians(),
        sun_azimuth: azimuth.to_radians(),
        sun_illuminance: illuminance,
        ..*scene
    };
    match hour {
        // Azimuth counts from the north (−Z) over the west (90°) and the south.
        "morning" => Some(sun(24.0, 245.0, 0.8 * scene.sun_illuminance)),
        "noon" => Some(sun(62.0, 180.0, scene.sun_illuminance)),
        "evening" => Some(SkySpec {
            turbidity: scene.turbidity.max(4.0),
            sky_intensity: 0.55 * scene.sky_intensity,
            ..sun(6.0, 110.0, 0.3 * scene.sun_illuminance)
        }),
        "night" => Some(SkySpec {
            turbidity: 2.2,
            sky_intensity: 1.5e-4 * scene.sky_intensity,
            ..sun(42.0, 150.0, 2e-5 * scene.sun_illuminance)
        }),
        _ => None,
    }
}

/// Answers `Lights` and `TimeOfDay`.
pub(super) fn command_light(
    mut commanded: MessageReader<Commanded>,
    mut control: ResMut<LightControl>,
    scene: Option<Res<ActiveScene>>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    for command in commanded.read() {
        let word = command.word();
        match command.action.as_str() {
            "Lights" => {
                let Some(level) = lamp_level(word) else { continue };
                let before = std::mem::replace(&mut control.lamps, level);
                history.note("the lights", move |world| {
                    world.resource_mut::<LightControl>().lamps = before;
                    Ok(())
                });
                answers.write(CommandAnswered::done(command, format!("The lamps are {word}.")));
            }
            "TimeOfDay" => {
                let sky = scene.as_ref().and_then(|scene| sky_at(word, &scene.spec.sky));
                let Some(sky) = sky else { continue };
                let before = control.sky.replace(sky);
                history.note("the time of day", move |world| {
                    world.resource_mut::<LightControl>().sky = before;
                    Ok(())
                });
                let words =
                    if word == "noon" { "It becomes noon.".to_owned() } else { format!("{} comes.", capital(word)) };
                answers.write(CommandAnswered::done(command, words));
            }
            _ => {}
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Seed, world::sky::Sky};

    #[test]
    fn hours_differ_as_they_should() {
        let scene =
            SkySpec { sun_elevation: 0.6, sun_azimuth: 3.5, turbidity: 2.6, sun_illuminance: 95e3, sky_intensity: 1.0 };
        let sky = |hour: &str| Sky::new(&sky_at(hour, &scene).expect("an hour"), Seed(1));
        let [morning, noon, evening, night] = ["morning", "noon", "evening", "night"].map(sky);
        assert!(noon.to_sun.y > morning.to_sun.y && morning.to_sun.y > evening.to_sun.y);
        // The sun rises in the east (+X) and sets in the west.
        assert!(morning.to_sun.x > 0.3 && evening.to_sun.x < -0.3, "{} {}", morning.to_sun, evening.to_sun);
        let redness = |sky: &Sky| sky.sun_illuminance.x / sky.sun_illuminance.z;
        assert!(redness(&evening) > 1.5 * redness(&noon));
        assert!(night.sky_illuminance().y < 1e-3 * evening.sky_illuminance().y);
        assert_eq!(sky_at("teatime", &scene), None);
    }
}
