//! What the companion perceives, shown to the player: labels over what it recognises, rows of the panel, its words and its
//! voice.
//!
//! In: memory, statuses of eyes, models and recognition, what it says. Out: `game`'s resources. What is absent: truth.

use bevy::prelude::*;

use super::{companion_pictures::PictureKept, dream_rows::dream_rows, ear_rows::ear_rows, inhabited::CompanionEye};
use crate::{
    base::{ClassTable, Status, Tick},
    behaviours::{Friend, Goal, Memory, Mind, Said, Saying},
    game::{FloatingLabel, FloatingLabels, PerceptionPanel, PlaySound, SoundKind, notices::Notice},
    inference::Models,
    percepts::{HearingStatus, RecognitionStatus, TASK},
    platform::{HeadsetEye, flat::FlatCamera},
    sensors::{EarSettings, EarStatus, EyeStatus},
    signal::percentiles,
    textures::DreamingStatus,
    world::{Companion, WorldView},
};

/// Name of the shipped detector's folder.
const DETECTOR: &str = "detector";

/// Labels are shown for things that it is this sure of.
const SHOWN_CONFIDENCE: f32 = 0.3;

/// Fills the screen's resources from percepts.
pub struct PerceptionOnScreenPlugin;

impl Plugin for PerceptionOnScreenPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Update, (dress_player_view, show_labels, fill_panel, speak, tell_pictures, tell_dream_faults));
    }
}

/// The player's cameras see as a person does; the window's is whom the companion keeps company.
fn dress_player_view(
    cameras: Query<Entity, Added<FlatCamera>>,
    eyes: Query<Entity, Added<HeadsetEye>>,
    mut commands: Commands,
) {
    for eye in &eyes {
        commands.entity(eye).insert(WorldView::PERSON);
    }
    for camera in &cameras {
        commands.entity(camera).insert((WorldView::PERSON, Friend));
    }
}

fn show_labels(memory: Res<Memory>, mut labels: ResMut<FloatingLabels>, classes: Res<ClassTable>, tick: Res<Tick>) {
    let items = memory
        .things
        .iter()
        .filter(|thing| thing.sightings >= 2 && thing.confidence >= SHOWN_CONFIDENCE)
        .filter_map(|thing| {
            Some(FloatingLabel {
                position: thing.position + Vec3::new(0.0, 0.12, 0.0),
                text: classes.name(thing.class)?.to_owned(),
                confidence: thing.confidence,
                age_seconds: tick.seconds_since(thing.last_seen) as f32,
            })
        })
        .collect();
    labels.set_if_neq(FloatingLabels { items });
}

fn fill_panel(
    mut panel: ResMut<PerceptionPanel>,
    models: Option<Res<Models>>,
    recognition: Res<RecognitionStatus>,
    memory: Res<Memory>,
    eyes: Query<&EyeStatus, With<CompanionEye>>,
    minds: Query<&Mind>,
    (ear, ear_settings, hearing): (Res<EarStatus>, Res<EarSettings>, Res<HearingStatus>),
    dreams: Res<DreamingStatus>,
    classes: Res<ClassTable>,
    time: Res<Time<Real>>,
    mut rate: Local<(f64, u64, f64)>,
) {
    // Views per second over the last full second.
    let (since, before, shown) = &mut *rate;
    let now = time.elapsed_secs_f64();
    if now - *since >= 1.0 {
        *shown = (recognition.answered - *before) as f64 / (now - *since);
        (*since, *before) = (now, recognition.answered);
    }
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    match models.as_deref().and_then(|models| models.for_task(TASK)).map(|worker| worker.status()) {
        Some(model) => {
            let provider = model.provider.clone().unwrap_or_default();
            line("detector", format!("{} · {provider}", status_text(&model.status)));
        }
        None => line("detector", models.map_or("no model".to_owned(), |models| blindness(&models))),
    }
    let ages: Vec<f64> = recognition.ages_seconds.iter().map(|age| age * 1e3).collect();
    let took: Vec<f64> = recognition.took_ms.iter().copied().collect();
    line("views", format!("{shown:.1} /s"));
    line("inference", format!("{:.0} ms", percentiles(&took, [0.5])[0]));
    line("percept age", format!("{:.0} ms", percentiles(&ages, [0.5])[0]));
    for eye in &eyes {
        line("eye", format!("{} seen, {} dropped", eye.delivered, eye.dropped + recognition.dropped));
    }
    line("remembers", format!("{} things", memory.things.len()));
    for mind in &minds {
        let name = |class| classes.name(class).unwrap_or("thing");
        line(
            "companion",
            match &mind.goal {
                Goal::Follow => "keeps company".to_owned(),
                Goal::Stay(_) => "waits".to_owned(),
                Goal::Find { class, .. } => format!("looks for a {}", name(*class)),
                Goal::Lead { class, .. } => format!("leads to the {}", name(*class)),
                Goal::Come { .. } => "comes".to_owned(),
                Goal::Look { .. } => "looks at something".to_owned(),
            },
        );
    }
    if let Some(fault) = &recognition.last_fault {
        line("fault", fault.clone());
    }
    lines.extend(ear_rows(&ear, &ear_settings, &hearing));
    lines.extend(dream_rows(&dreams));
    panel.set_if_neq(PerceptionPanel { lines });
}

fn status_text(status: &Status) -> String {
    match status {
        Status::Ready => "ready".to_owned(),
        Status::Loading => "loading".to_owned(),
        Status::Unavailable(reason) => reason.clone(),
    }
}

/// Why nothing is recognised.
fn blindness(models: &Models) -> String {
    let nothing = "none; `umwelt train detector` makes one: the companion is blind";
    status_text(&models.absence(DETECTOR, nothing))
}

/// What it says is heard from where it is, as a chirp: high when it has found what it was asked for. The words are
/// subtitles.
fn speak(
    mut said: MessageReader<Said>,
    mut sounds: MessageWriter<PlaySound>,
    companions: Query<&GlobalTransform, With<Companion>>,
) {
    for said in said.read() {
        let position = companions.iter().next().map(GlobalTransform::translation);
        let glad = matches!(said.0, Saying::Found(_) | Saying::Here(_) | Saying::HereIAm);
        let kind = if glad { SoundKind::HighChirp } else { SoundKind::Chirp };
        sounds.write(PlaySound { kind, position });
    }
}

/// Pictures that the companion kept, told as notices.
fn tell_pictures(mut kept: MessageReader<PictureKept>, mut notices: MessageWriter<Notice>) {
    for PictureKept(result) in kept.read() {
        notices.write(Notice(match result {
            Ok(path) => format!("The companion's picture: {}", path.display()),
            Err(why) => format!("The companion's picture could not be kept: {why}"),
        }));
    }
}

/// A dream that cannot come true, told once.
fn tell_dream_faults(
    dreams: Option<Res<DreamingStatus>>,
    mut told: Local<Option<String>>,
    mut notices: MessageWriter<Notice>,
) {
    let fault = dreams.and_then(|dreams| dreams.last_fault.clone());
    if fault == *told {
        return;
    }
    if let Some(fault) = &fault {
        notices.write(Notice(format!("A surface keeps its old look: {fault}")));
    }
    *told = fault;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_dream_is_told_once() {
        let mut app = App::new();
        app.add_message::<Notice>().init_resource::<DreamingStatus>().add_systems(Update, tell_dream_faults);
        app.update();
        app.world_mut().resource_mut::<DreamingStatus>().last_fault = Some("the answer is not finite".to_owned());
        app.update();
        app.update();
        let told: Vec<Notice> = app.world_mut().resource_mut::<Messages<Notice>>().drain().collect();
        assert_eq!(told, [Notice("A surface keeps its old look: the answer is not finite".to_owned())]);
    }
}
