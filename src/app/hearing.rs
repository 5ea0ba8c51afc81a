//! Hearing in the inhabited world: the scene's commands are what can be said, and what was heard is commanded.
//!
//! In: [`ActiveScene`], [`Heard`]. Out: [`Grammar`], [`Commanded`]. A change of the scene's file or of what can be dreamt counts from the next
//! utterance on; phrases that cannot be used are shown with the other problems of the file, and the last good ones stay.

use bevy::prelude::*;

use super::spoken_grammar::{in_file, spoken_grammar};
use crate::{
    percepts::{Grammar, Heard, HearingPlugin, HearingSystems, speech::ambiguity::ambiguities},
    scene::{ActiveScene, DreamMaterials, SceneProblems},
    world::Commanded,
};

/// Hearing, its phrases from the scene, its commands to the world.
pub struct HearingInWorldPlugin;

impl Plugin for HearingInWorldPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(HearingPlugin)
            .add_message::<Commanded>()
            .init_resource::<SceneProblems>()
            .init_resource::<DreamMaterials>()
            .add_systems(
                PreUpdate,
                (
                    follow_scene
                        .run_if(resource_exists::<ActiveScene>)
                        .run_if(resource_exists_and_changed::<ActiveScene>.or_else(resource_changed::<DreamMaterials>))
                        .before(HearingSystems),
                    tell_missing_scene
                        .run_if(not(resource_exists::<ActiveScene>).and_then(resource_changed::<SceneProblems>))
                        .before(HearingSystems),
                    command.after(HearingSystems),
                ),
            );
    }
}

fn follow_scene(
    scene: Res<ActiveScene>,
    dreams: Res<DreamMaterials>,
    mut grammar: ResMut<Grammar>,
    mut problems: ResMut<SceneProblems>,
) {
    let used = grammar.replace(spoken_grammar(&scene.spec.grammar(&dreams)));
    let found = match grammar.graph().filter(|_| used) {
        Some(graph) => ambiguities(graph),
        None => grammar.problems().to_vec(),
    };
    for problem in found {
        let problem = in_file(problem, &scene.path);
        if !problems.0.contains(&problem) {
            warn!("{problem}");
            problems.0.push(problem);
        }
    }
}

/// Without a scene there are no phrases: they are on their way, or the file is why they are not.
fn tell_missing_scene(problems: Res<SceneProblems>, mut grammar: ResMut<Grammar>) {
    grammar.withhold(problems.0.first().map(|first| format!("the scene's file cannot be used: {first}")));
}

fn command(mut heard: MessageReader<Heard>, mut commanded: MessageWriter<Commanded>) {
    for command in heard.read().filter_map(|heard| heard.command.as_ref()) {
        commanded.write(Commanded { action: command.action.clone(), words: command.words.clone() });
    }
}
