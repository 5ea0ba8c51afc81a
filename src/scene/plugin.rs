//! The scene that is being played, kept in step with its file.
//!
//! In: a scene file, looked at twice a second; the [`KindRegistry`], the [`ActionRegistry`] and the [`DreamMaterials`], which
//! others fill while the app is built. Out: [`ActiveScene`], one [`SceneChanged`] for the first load and for every change,
//! [`SceneProblems`] for the screen. A bad edit keeps the last good scene. What is absent: spawning (`world` answers to [`SceneChanged`]).

use std::{path::PathBuf, sync::Arc, time::Duration, time::SystemTime};

use bevy::{prelude::*, time::common_conditions::on_real_timer};

use super::{ActionRegistry, DreamMaterials, KindRegistry, Known, SceneSpec, parse_scene, read_bounded};
use crate::base::Problem;

/// How often the file is looked at. A human saves a file; half a second is soon enough and costs one `stat`.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Loads a scene file at start-up and again whenever it changes.
pub struct ScenePlugin {
    pub path: PathBuf,
}

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<KindRegistry>()
            .init_resource::<ActionRegistry>()
            .init_resource::<DreamMaterials>()
            .init_resource::<SceneProblems>()
            .insert_resource(SceneFile { path: self.path.clone(), ..default() })
            .add_message::<SceneChanged>()
            .add_systems(PreStartup, reload_scene)
            .add_systems(First, reload_scene.run_if(on_real_timer(LOOK_EVERY)));
    }
}

/// The last good scene. Absent until a file was read without problems.
#[derive(Resource, Clone, Debug)]
pub struct ActiveScene {
    pub spec: Arc<SceneSpec>,
    /// The file; imported models lie in its folder.
    pub path: PathBuf,
}

/// What is wrong with the file as it is now; empty if it is the active scene.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct SceneProblems(pub Vec<Problem>);

/// The active scene was replaced (`old` is `None` at the first load).
#[derive(Message, Clone, Debug)]
pub struct SceneChanged {
    pub old: Option<Arc<SceneSpec>>,
    pub new: Arc<SceneSpec>,
}

/// What the file looked like when it was last read.
#[derive(Resource, Default)]
struct SceneFile {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
    text: Option<String>,
}

impl SceneFile {
    /// The text, if it is not what was seen before.
    fn changed_text(&mut self) -> Option<Result<String, Problem>> {
        let stamp = self.path.metadata().ok().and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        if stamp.is_some() && stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        let read = read_bounded(&self.path);
        if let Ok(text) = &read {
            if self.text.as_ref() == Some(text) {
                return None;
            }
            self.text = Some(text.clone());
        } else {
            // Whatever comes next is news, even the text from before.
            self.text = None;
        }
        Some(read)
    }
}

fn reload_scene(
    mut file: ResMut<SceneFile>,
    kinds: Res<KindRegistry>,
    actions: Res<ActionRegistry>,
    dreams: Res<DreamMaterials>,
    active: Option<ResMut<ActiveScene>>,
    mut problems: ResMut<SceneProblems>,
    mut changed: MessageWriter<SceneChanged>,
    mut commands: Commands,
) {
    let Some(text) = file.changed_text() else { return };
    let known = Known { kinds: &kinds, actions: &actions, dreams: &dreams };
    let parsed = text.map_err(|problem| vec![problem]).and_then(|text| parse_scene(&text, &file.path, known));
    match parsed {
        Ok(spec) => {
            problems.set_if_neq(SceneProblems::default());
            let new = Arc::new(spec);
            let old = active.map(|mut active| std::mem::replace(&mut active.spec, new.clone()));
            if old.is_none() {
                commands.insert_resource(ActiveScene { spec: new.clone(), path: file.path.clone() });
            }
            if old.as_ref() != Some(&new) {
                info!("scene \"{}\": {} objects in {} rooms", new.name, new.objects.len(), new.rooms.len());
                changed.write(SceneChanged { old, new });
            }
        }
        Err(found) => {
            if problems.0 != found {
                for problem in &found {
                    warn!("{problem}");
                }
            }
            problems.set_if_neq(SceneProblems(found));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bevy::time::TimePlugin;

    use super::*;

    const GOOD: &str = "(version: 1, materials: {\"m\": ()}, spawn: (at: (1, 1)),
        rooms: [(name: \"r\", min: (0, 0), max: (4, 4), floor: \"m\", walls: \"m\")])";

    /// Writes `text`, lets the plugin look once and tells how often the scene changed.
    fn edit(app: &mut App, path: &std::path::Path, text: &str) -> usize {
        fs::write(path, text).unwrap();
        app.world_mut().run_system_cached(reload_scene).unwrap();
        app.world_mut().resource_mut::<Messages<SceneChanged>>().drain().count()
    }

    #[test]
    fn a_bad_edit_keeps_the_last_good_scene_and_tells_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.scene.ron");
        fs::write(&path, GOOD).unwrap();
        let mut app = App::new();
        app.add_plugins((TimePlugin, ScenePlugin { path: path.clone() }));
        app.update();
        assert_eq!(app.world_mut().resource_mut::<Messages<SceneChanged>>().drain().count(), 1);

        assert_eq!(edit(&mut app, &path, &GOOD.replace("version: 1", "version: 1, nmae: \"x\"")), 0);
        assert!(app.world().resource::<SceneProblems>().0[0].help.contains("name"));
        assert_eq!(app.world().resource::<ActiveScene>().spec.rooms.len(), 1);

        assert_eq!(edit(&mut app, &path, &GOOD.replace("(4, 4)", "(9, 9)")), 1);
        assert!(app.world().resource::<SceneProblems>().0.is_empty());
        assert_eq!(app.world().resource::<ActiveScene>().spec.rooms[0].max.x, 9.0);

        fs::remove_file(&path).unwrap();
        app.world_mut().run_system_cached(reload_scene).unwrap();
        assert_eq!(app.world().resource::<SceneProblems>().0.len(), 1);
        assert_eq!(edit(&mut app, &path, &GOOD.replace("(4, 4)", "(9, 9)")), 0, "the same scene again is no change");
    }
}
