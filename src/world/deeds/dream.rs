//! Dreamt surfaces change while one looks at them: another one, darker, more of something, little by little.
//!
//! In: `Again`, `More`, `Shade`, `Mix`, `Drift`, `Morph`, the player's line of sight. Out: other [`Dreams`] on that surface;
//! [`Drifting`] goes on by itself, one step as soon as the last is shown. What is absent: generators.

use bevy::prelude::*;

use super::{paint::Brush, sight::Sight};
use crate::{
    base::Seed,
    scene::{ActiveScene, DreamMaterials, DreamSpec, Mixture, Variation},
    world::{CommandAnswered, Commanded, DreamShown, Dreams},
};

/// Ticks between two steps of a drift, at least.
const TICKS_PER_STEP: u32 = 4;
/// What is sent back of the light, per "darker"; "lighter" is its inverse.
const DARKER: f32 = 0.78;
/// How dark and bright a dream can be made.
const SHADES: [f32; 2] = [0.25, 1.7];
/// Share of what is mixed in, and what each "more" adds.
const MIXED: f32 = 0.3;
const MORE: f32 = 0.2;
/// So much of it is nearly all.
const NEARLY_ALL: f32 = 0.9;

/// One change of a dream.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    Another,
    Darker,
    Lighter,
    Mix(String),
}

/// The change that `More` repeats.
#[derive(Resource, Debug, Default)]
pub(super) struct LastChange(Option<Change>);

/// A surface whose dream changes by itself.
#[derive(Resource, Debug, Default)]
pub(super) struct Drifting(Option<Drift>);

#[derive(Debug)]
struct Drift {
    mesh: Entity,
    from: DreamSpec,
    to: DreamSpec,
    step: u8,
    /// Goes on to the next variation when it has arrived.
    endless: bool,
    ticks: u32,
}

/// The next of a dream's variations.
pub(super) fn another(dream: &DreamSpec) -> DreamSpec {
    let seed = Seed(dream.variation.goal().0.wrapping_add(1));
    DreamSpec { variation: Variation::of(seed), ..dream.clone() }
}

/// A dream after a change.
///
/// # Errors
/// - why it cannot change so, in words for the player
fn changed(dream: &DreamSpec, change: &Change) -> Result<DreamSpec, String> {
    let shaded = |factor: f32, word: &str| {
        let shade = dream.shade * factor;
        // A scene may have begun beyond: the way back is open.
        let beyond = if factor > 1.0 { shade > SHADES[1] } else { shade < SHADES[0] };
        if beyond {
            return Err(format!("It cannot be {word}."));
        }
        Ok(DreamSpec { shade, ..dream.clone() })
    };
    match change {
        Change::Another => Ok(another(dream)),
        Change::Darker => shaded(DARKER, "darker"),
        Change::Lighter => shaded(1.0 / DARKER, "lighter"),
        Change::Mix(material) => {
            let share = dream.mixture.share(material);
            if share >= NEARLY_ALL {
                return Err(format!("It is {material} already."));
            }
            let wanted = if share == 0.0 { MIXED } else { (share + MORE).min(NEARLY_ALL) };
            Ok(DreamSpec { mixture: dream.mixture.with(material, wanted), ..dream.clone() })
        }
    }
}

/// Between two dreams: `step` of [`Variation::STEPS`].
fn between(from: &DreamSpec, to: &DreamSpec, step: u8) -> DreamSpec {
    let t = f32::from(step) / f32::from(Variation::STEPS);
    DreamSpec {
        mixture: from.mixture.towards(&to.mixture, t),
        variation: Variation::on_the_way(from.variation.goal(), to.variation.goal(), step),
        ..to.clone()
    }
}

/// As one would say it: "marble and moss".
fn described(mixture: &Mixture) -> String {
    let mut parts: Vec<(&str, f32)> = mixture.parts().collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1));
    parts.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ")
}

/// Answers everything that changes a dream.
pub(super) fn command_dream(
    mut commanded: MessageReader<Commanded>,
    scene: Option<Res<ActiveScene>>,
    dreams: Res<DreamMaterials>,
    sight: Sight,
    mut brush: Brush,
    mut last: ResMut<LastChange>,
    mut drifting: ResMut<Drifting>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    for command in commanded.read() {
        let word = command.word();
        let Some(scene) = &scene else { continue };
        let of_material = matches!(command.action.as_str(), "Mix" | "Morph");
        if of_material && !scene.spec.material_names(&dreams).iter().any(|known| known == word) {
            continue;
        }
        let change = match (command.action.as_str(), word) {
            ("Again", _) => Ok(Some(Change::Another)),
            ("Shade", "darker") => Ok(Some(Change::Darker)),
            ("Shade", "lighter") => Ok(Some(Change::Lighter)),
            ("Mix" | "Morph", material) if !dreams.contains(material) && !dreams.0.is_empty() => {
                Err(format!("Nobody can dream {material}: {}.", dreams.help(material)))
            }
            ("Mix", material) => Ok(Some(Change::Mix(material.to_owned()))),
            ("More", _) => last.0.clone().map(Some).ok_or_else(|| "Nothing has been changed yet.".to_owned()),
            ("Drift", "off") => {
                let was = drifting.0.take().is_some();
                answers.write(match was {
                    true => CommandAnswered::done(command, "It stays as it is."),
                    false => CommandAnswered::refused(command, "Nothing is changing."),
                });
                continue;
            }
            ("Drift" | "Morph", _) => Ok(None),
            _ => continue,
        };
        let outcome = change.and_then(|change| {
            if dreams.0.is_empty() {
                return Err("There is no generator to dream with: `umwelt train texture` makes one.".to_owned());
            }
            let target = sight.target(&scene.spec)?;
            let worn = brush.dream_of(&target).ok_or("That wears nothing dreamt: paint it first.")?;
            let Some(change) = change else {
                let to = match command.action.as_str() {
                    "Morph" => DreamSpec { mixture: Mixture::pure(word), ..worn.clone() },
                    _ => another(&worn),
                };
                if to == worn {
                    return Err(format!("It is {word} already."));
                }
                let mesh = brush.dream_anew(&scene.spec, &target, between(&worn, &to, 1), "the change");
                let mesh = mesh.ok_or("That cannot be painted.")?;
                let endless = command.is("Drift");
                drifting.0 = Some(Drift { mesh, from: worn, to, step: 1, endless, ticks: 0 });
                return Ok(if endless { "It drifts.".to_owned() } else { format!("It turns into {word}.") });
            };
            let dream = changed(&worn, &change)?;
            let told = match &change {
                Change::Darker => "It is darker.".to_owned(),
                Change::Lighter => "It is lighter.".to_owned(),
                _ => format!("The {} dreams of {}.", target.name(), described(&dream.mixture)),
            };
            brush.dream_anew(&scene.spec, &target, dream, "the change").ok_or("That cannot be painted.")?;
            drifting.0 = None;
            last.0 = Some(change);
            Ok(told)
        });
        answers.write(match outcome {
            Ok(told) => CommandAnswered::done(command, told),
            Err(why) => CommandAnswered::refused(command, why),
        });
    }
}

/// Takes a drifting surface one step further as soon as it shows the last one.
pub(super) fn drift(mut drifting: ResMut<Drifting>, mut surfaces: Query<(&mut Dreams, Option<&DreamShown>)>) {
    let Some(drift) = drifting.bypass_change_detection().0.as_mut() else { return };
    let Ok((mut dreams, shown)) = surfaces.get_mut(drift.mesh) else {
        drifting.0 = None;
        return;
    };
    drift.ticks += 1;
    if drift.ticks < TICKS_PER_STEP || shown.is_none_or(|shown| shown.0 != dreams.0) {
        return;
    }
    if dreams.0 != between(&drift.from, &drift.to, drift.step) {
        // Undone or changed by somebody else.
        drifting.0 = None;
        return;
    }
    drift.ticks = 0;
    drift.step += 1;
    if drift.step > Variation::STEPS {
        if !drift.endless {
            drifting.0 = None;
            return;
        }
        drift.from = drift.to.clone();
        drift.to = another(&drift.to);
        drift.step = 1;
    }
    dreams.0 = between(&drift.from, &drift.to, drift.step);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marble() -> DreamSpec {
        DreamSpec::of("marble", Seed(7))
    }

    #[test]
    fn changes_add_up_and_end_somewhere() {
        let after = |change: Change, times: usize| (0..times).try_fold(marble(), |dream, _| changed(&dream, &change));
        assert_eq!(after(Change::Another, 2).unwrap().variation, Variation::of(Seed(9)));
        assert!(after(Change::Darker, 2).unwrap().shade < 0.65);
        assert_eq!(after(Change::Darker, 20).unwrap_err(), "It cannot be darker.");
        assert_eq!(after(Change::Lighter, 20).unwrap_err(), "It cannot be lighter.");
        let moss = || Change::Mix("moss".to_owned());
        assert_eq!(after(moss(), 1).unwrap().mixture.to_string(), "marble 70 + moss 30");
        assert_eq!(after(moss(), 2).unwrap().mixture.to_string(), "marble 50 + moss 50");
        assert_eq!(after(moss(), 20).unwrap_err(), "It is moss already.");
        assert_eq!(changed(&marble(), &Change::Mix("marble".to_owned())).unwrap_err(), "It is marble already.");
        assert_eq!(described(&after(moss(), 3).unwrap().mixture), "moss and marble");
    }

    #[test]
    fn a_way_begins_and_ends_at_its_ends() {
        let to = DreamSpec { mixture: Mixture::pure("moss"), ..another(&marble()) };
        assert_eq!(between(&marble(), &to, 0), marble());
        assert_eq!(between(&marble(), &to, Variation::STEPS), to);
        assert_eq!(between(&marble(), &to, 16).mixture.to_string(), "marble 75 + moss 25");
    }

    #[test]
    fn a_drift_waits_for_what_is_shown_and_stops_when_its_surface_is_gone() {
        let mut app = App::new();
        app.init_resource::<Drifting>().add_systems(Update, drift);
        let (from, to) = (marble(), another(&marble()));
        let first = between(&from, &to, 1);
        let mesh = app.world_mut().spawn(Dreams(first.clone())).id();
        app.insert_resource(Drifting(Some(Drift { mesh, from, to, step: 1, endless: true, ticks: 0 })));
        let now = |app: &App| app.world().get::<Dreams>(mesh).unwrap().0.clone();
        (0..20).for_each(|_| app.update());
        assert_eq!(now(&app), first, "nothing is shown yet");
        for _ in 0..20 * TICKS_PER_STEP {
            let shown = DreamShown(now(&app));
            app.world_mut().entity_mut(mesh).insert(shown);
            app.update();
        }
        assert!((0.25..0.4).contains(&now(&app).variation.t()), "{}", now(&app));
        app.world_mut().despawn(mesh);
        app.update();
        assert!(app.world().resource::<Drifting>().0.is_none());
    }
}
