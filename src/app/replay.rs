//! Recorded input replayed: the same recording ends in the same world, to the last bit, without a window, in one and in a headset, at
//! any frame rate.
//!
//! In: a scene, an [`InputLog`]. Out: where everything came to rest, and a hash over it: a [`ReplayReport`] at the end of the last
//! tick, wherever the replay runs. Without a window the world advances one tick per update, without renderer.
//!
//! What makes it the same everywhere: time stands still until the scene is whole ([`hold_world`]), so that the first tick sees the
//! same world in the same state; bodies come in one order (`world::Arrivals`, `world::imported`), as physics works through them in that
//! order; everything that moves bodies runs in ticks of one length, in an order that is declared; commands are recorded in the tick in
//! which they are obeyed, and whatever notes a deed that can be taken back is there in every composition; the companion flies as it
//! flew (`platform::input_log`). What is absent: what others change meanwhile (an edit of the scene's file while
//! it is replayed counts), and other machines: another C library's sines may differ in their last bit, and so may the end.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use avian3d::prelude::{Position, Rotation};
use bevy::{prelude::*, time::TimeUpdateStrategy};
use serde::Serialize;

use super::{
    dream_materials::dream_materials,
    headless::{enter_scene, finish},
};
use crate::{
    base::sha256_hex,
    behaviours::{BehaviourSystems, BehavioursPlugin, Mind},
    game::ScreenDeedsPlugin,
    platform::{
        input_log::{CompanionInputSystems, InputLog, Replay, ReplayInputPlugin, ReplaySystems},
        settings::Settings,
    },
    scene::ScenePlugin,
    world::{
        Companion, CompanionPlugin, DeedsPlugin, FlySystems, HouseMap, Quality, SceneObject, WorldPlugin,
        hand::HandPlugin,
        is_importing,
        player::{Player, PlayerPlugin},
        register_scene_folder,
        rescue::RescuePlugin,
    },
};

/// What a replay answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayReport {
    pub ticks: usize,
    /// SHA-256 over the poses of all bodies, by name, and of the player and the companion.
    pub hash: String,
    /// Where the player's feet stand, metres.
    pub player: [f32; 3],
    pub bodies: usize,
    /// The first tick after which the player's eyes were not where they were when it was recorded.
    pub apart_at: Option<usize>,
}

/// Replays a log, and writes a [`ReplayReport`] as a message at its end. Needs the companion's and the player's plugins.
pub struct ReplayPlugin {
    pub log: Arc<InputLog>,
}

impl Plugin for ReplayPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(ReplayInputPlugin { log: self.log.clone() })
            .init_resource::<ReplayAnswer>()
            .add_systems(Startup, hold_world)
            .add_systems(FixedLast, answer.after(ReplaySystems).run_if(has_just_ended));
        configure_companion_input(app);
    }
}

/// Whoever records or replays what the companion does stands between its mind and its body.
pub fn configure_companion_input(app: &mut App) {
    app.configure_sets(FixedUpdate, CompanionInputSystems.after(BehaviourSystems::Think).before(FlySystems));
}

/// The report, once the last tick is over.
#[derive(Resource, Clone, Debug, Default)]
pub struct ReplayAnswer(pub Option<ReplayReport>);

/// Time stands still until somebody lets it go on: when the scene is whole.
pub fn hold_world(mut time: ResMut<Time<Virtual>>) {
    time.pause();
}

fn has_just_ended(replay: Res<Replay>, answer: Res<ReplayAnswer>) -> bool {
    replay.is_over() && answer.0.is_none()
}

fn answer(world: &mut World) {
    let replay = world.resource::<Replay>();
    let (ticks, apart_at) = (replay.ticks(), replay.apart_at());
    let report = report(world, ticks, apart_at);
    world.insert_resource(ReplayAnswer(Some(report)));
}

/// Models are read from disk for at most so long.
const IMPORT_PATIENCE: Duration = Duration::from_secs(120);

/// Replays from the first tick to the last. `models`: the folder of models; what can be dreamt is part of what can be commanded.
///
/// # Errors
/// - the scene has problems, or its models are not read within two minutes
pub fn replay(scene: &Path, log: &Arc<InputLog>, models: &Path) -> anyhow::Result<ReplayReport> {
    let mut app = App::new();
    register_scene_folder(&mut app, scene);
    app.add_plugins((
        MinimalPlugins,
        TransformPlugin,
        super::assets(),
        bevy::mesh::MeshPlugin,
        bevy::image::ImagePlugin::default(),
        bevy::world_serialization::WorldSerializationPlugin,
        bevy::gltf::GltfPlugin::default(),
    ))
    .init_asset::<StandardMaterial>()
    .insert_resource(TimeUpdateStrategy::FixedTimesteps(1))
    .insert_resource(Quality::Software)
    .insert_resource(super::all_actions())
    .insert_resource(dream_materials(models))
    .init_resource::<Settings>()
    .init_resource::<HouseMap>()
    .add_plugins((
        ScenePlugin { path: scene.to_owned() },
        WorldPlugin,
        PlayerPlugin,
        HandPlugin,
        RescuePlugin,
        CompanionPlugin,
        DeedsPlugin,
        BehavioursPlugin,
        ScreenDeedsPlugin,
        ReplayPlugin { log: log.clone() },
    ))
    .add_systems(Update, |bodies: Query<Entity, Added<Companion>>, mut commands: Commands| {
        for body in &bodies {
            commands.entity(body).insert(Mind::default());
        }
    });
    finish(&mut app);
    enter_scene(&mut app)?;
    let since = Instant::now();
    while is_importing(app.world_mut()) {
        anyhow::ensure!(since.elapsed() < IMPORT_PATIENCE, "the scene's models are not read within two minutes");
        std::thread::sleep(Duration::from_millis(2));
        app.update();
    }
    app.world_mut().resource_mut::<Time<Virtual>>().unpause();
    for _ in 0..log.ticks.len() {
        app.update();
    }
    // A recording without a tick answers too.
    let answered = app.world_mut().resource_mut::<ReplayAnswer>().0.take();
    Ok(answered.unwrap_or_else(|| report(app.world_mut(), 0, None)))
}

/// Where everything is now, as a replay's answer.
pub fn report(world: &mut World, ticks: usize, apart_at: Option<usize>) -> ReplayReport {
    let numbers = |position: Vec3, rotation: Quat| {
        let mut pose = position.to_array().to_vec();
        pose.extend(rotation.to_array());
        pose
    };
    let mut bodies: Vec<(String, Vec<u32>)> = world
        .query::<(&SceneObject, &Position, &Rotation, &Transform)>()
        .iter(world)
        .map(|(object, position, rotation, transform)| {
            let mut pose = numbers(position.0, rotation.0);
            // What hands have made larger or smaller, beside what the scene says, is part of where it is.
            if transform.scale != Vec3::ONE {
                pose.extend(transform.scale.to_array());
            }
            (object.0.clone(), pose.into_iter().map(f32::to_bits).collect())
        })
        .collect();
    bodies.sort();
    // Transforms lie between two ticks where frames do.
    let place = |(position, rotation): (&Position, &Rotation)| (position.0, rotation.0);
    let player = world.query_filtered::<(&Position, &Rotation), With<Player>>().iter(world).next().map(place);
    let companion = world.query_filtered::<(&Position, &Rotation), With<Companion>>().iter(world).next().map(place);
    let feet = player.map_or(Vec3::ZERO, |(feet, _)| feet);
    let mut bytes = Vec::new();
    for (name, pose) in &bodies {
        bytes.extend(name.as_bytes());
        for number in pose {
            bytes.extend(number.to_le_bytes());
        }
    }
    for (position, rotation) in player.into_iter().chain(companion) {
        for number in numbers(position, rotation) {
            bytes.extend(number.to_bits().to_le_bytes());
        }
    }
    ReplayReport { ticks, hash: sha256_hex(bytes), player: feet.to_array(), bodies: bodies.len(), apart_at }
}
