//! Recorded input replayed without a window: the same recording ends in the same world, to the last bit.
//!
//! In: a scene, an [`InputLog`]. Out: where everything came to rest, and a hash over it. The world advances one tick per update,
//! without renderer; the companion hovers at its nest, since nothing of it depends on the player's input alone.

use std::path::Path;

use avian3d::prelude::{Position, Rotation};
use bevy::{prelude::*, time::TimeUpdateStrategy};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    platform::input_log::{InputLog, ReplayInputPlugin},
    scene::{ScenePlugin, SceneProblems},
    world::{
        CompanionPlugin, DeedsPlugin, HouseMap, Quality, SceneObject, WorldPlugin,
        hand::HandPlugin,
        player::{Player, PlayerPlugin},
        register_scene_folder,
        rescue::RescuePlugin,
    },
};

/// What `umwelt play --replay FILE --headless` answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayReport {
    pub ticks: usize,
    /// SHA-256 over the poses of all bodies, by name, and of the player.
    pub hash: String,
    /// Where the player's feet stand, metres.
    pub player: [f32; 3],
    pub bodies: usize,
}

/// Replays from the first tick to the last.
///
/// # Errors
/// - the scene has problems
pub fn replay(scene: &Path, log: &InputLog) -> anyhow::Result<ReplayReport> {
    let mut app = App::new();
    register_scene_folder(&mut app, scene);
    app.add_plugins((MinimalPlugins, TransformPlugin, super::assets(), bevy::mesh::MeshPlugin))
        .init_asset::<Image>()
        .init_asset::<StandardMaterial>()
        .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
        .insert_resource(Quality::Software)
        .insert_resource(super::all_actions())
        .init_resource::<HouseMap>()
        .add_plugins((
            ScenePlugin { path: scene.to_owned() },
            WorldPlugin,
            PlayerPlugin,
            HandPlugin,
            RescuePlugin,
            CompanionPlugin,
            DeedsPlugin,
            ReplayInputPlugin { log: log.clone() },
        ));
    app.finish();
    app.cleanup();
    app.update();
    if let Some(problems) = app.world().get_resource::<SceneProblems>()
        && !problems.0.is_empty()
    {
        anyhow::bail!("{}", problems.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    for _ in 0..log.ticks.len() {
        app.update();
    }
    Ok(report(&mut app, log.ticks.len()))
}

fn report(app: &mut App, ticks: usize) -> ReplayReport {
    let world = app.world_mut();
    let mut bodies: Vec<(String, [u32; 7])> = world
        .query::<(&SceneObject, &Position, &Rotation)>()
        .iter(world)
        .map(|(object, position, rotation)| {
            let [x, y, z] = position.0.to_array();
            let [a, b, c, d] = rotation.0.to_array();
            (object.0.clone(), [x, y, z, a, b, c, d].map(f32::to_bits))
        })
        .collect();
    bodies.sort();
    let feet =
        world.query_filtered::<&Transform, With<Player>>().single(world).map_or(Vec3::ZERO, |feet| feet.translation);
    let mut hash = Sha256::new();
    for (name, pose) in &bodies {
        hash.update(name.as_bytes());
        for number in pose {
            hash.update(number.to_le_bytes());
        }
    }
    for number in feet.to_array() {
        hash.update(number.to_bits().to_le_bytes());
    }
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    ReplayReport { ticks, hash, player: feet.to_array(), bodies: bodies.len() }
}
