//! The inhabited world: every room of the program put together, the same for a window, a tour and a test.
//!
//! In: a scene file, where models and ONNX Runtime are. Out: a world with a player's body and a companion that has an eye
//! and a mind. What is absent: windows, input devices, menus.

use std::path::PathBuf;

use bevy::{camera::visibility::RenderLayers, prelude::*};

use super::companion_pictures::CompanionPicturesPlugin;
use super::{dream_materials::dream_materials, hearing::HearingInWorldPlugin};
use crate::{
    behaviours::{BehaviourSystems, BehavioursPlugin, Mind},
    inference::{InferencePlugin, InferenceSettings},
    percepts::RecognitionPlugin,
    scene::ScenePlugin,
    sensors::{Eye, EyePlugin, EyeRate},
    textures::{DiskSettings, DreamingPlugin, DreamingSettings},
    world::{
        Companion, CompanionPlugin, DeedsPlugin, FlySystems, WorldPlugin, WorldView,
        avatar::{AvatarPlugin, OTHERS_LAYER},
        companion::EYE_OFFSET,
        hand::HandPlugin,
        player::PlayerPlugin,
        rescue::RescuePlugin,
    },
};

/// World, senses and mind.
pub struct InhabitedWorldPlugin {
    pub scene: PathBuf,
    pub inference: InferenceSettings,
    /// Where dreamt textures are kept between runs; `None`: nowhere.
    pub texture_cache: Option<PathBuf>,
}

/// Textures kept on disk, bytes.
const TEXTURE_CACHE_BYTES: u64 = 512 << 20;

/// The companion's eye; a child of its body.
#[derive(Component)]
pub struct CompanionEye;

/// How often the companion's eye looks, in ticks: five times a second.
pub const LOOK_EVERY_TICKS: u32 = 12;

impl Plugin for InhabitedWorldPlugin {
    fn build(&self, app: &mut App) {
        // Before the scene's file is read: it is checked against these.
        let disk = self.texture_cache.clone().map(|folder| DiskSettings { folder, budget: TEXTURE_CACHE_BYTES });
        app.insert_resource(super::all_actions())
            .insert_resource(dream_materials(&self.inference.models))
            .add_plugins((
                ScenePlugin { path: self.scene.clone() },
                WorldPlugin,
                PlayerPlugin,
                HandPlugin,
                AvatarPlugin,
                RescuePlugin,
                CompanionPlugin,
                DeedsPlugin,
                EyePlugin,
                InferencePlugin { settings: self.inference.clone() },
                RecognitionPlugin,
                BehavioursPlugin,
                CompanionPicturesPlugin,
                HearingInWorldPlugin,
                DreamingPlugin { settings: DreamingSettings { disk, ..default() } },
            ))
            .configure_sets(FixedUpdate, BehaviourSystems::Think.before(FlySystems))
            .add_systems(Update, give_senses);
    }
}

/// A body that hatched gets an eye and a mind.
fn give_senses(bodies: Query<Entity, Added<Companion>>, mut commands: Commands) {
    for body in &bodies {
        let eye = commands
            .spawn((
                CompanionEye,
                Name::new("companion's eye"),
                Eye { rate: EyeRate::EveryTicks(LOOK_EVERY_TICKS), ..default() },
                WorldView::SENSOR,
                RenderLayers::from_layers(&[0, OTHERS_LAYER]),
                Transform::from_translation(EYE_OFFSET),
            ))
            .id();
        commands.entity(body).insert(Mind::default()).add_child(eye);
    }
}
