//! What exists and moves.
//!
//! In: the active scene, intents. Out: bodies with `Transform`, `Label` and meshes; light; what cameras with a
//! [`WorldView`] see.
//!
//! | when | set | what |
//! |---|---|---|
//! | `PreUpdate` | [`WorldSystems::Build`] | a changed scene and its light are made (beside the frames, if asked); then rooms, light and objects follow it |
//! | `FixedFirst` | – | `Tick` counts |
//! | `FixedPostUpdate` | avian's sets | bodies move |
//! | `PostUpdate`, after transforms | [`WorldSystems::Expose`] | cameras get sky, light and exposure |

pub mod architecture;
pub mod avatar;
mod beside_frames;
mod body;
pub mod bounce;
mod box_mapping;
mod commanded;
pub mod companion;
mod contact;
pub mod deeds;
pub mod environment;
pub mod hand;
mod house_map;
mod imported;
mod intent;
mod kinds;
pub mod kit;
mod label;
pub mod lamps;
pub mod light;
mod light_inputs;
pub mod light_textures;
pub mod materials;
pub mod patterns;
pub mod physics;
pub mod player;
mod preparation;
pub mod quality;
pub mod rescue;
mod rooms;
mod shadows;
pub mod sky;
pub mod snap_zones;
mod spawn;
mod variants;
mod view;
mod worn;

use avian3d::prelude::PhysicsSystems;
use bevy::prelude::*;

pub use body::{Grabbable, Layer, WorldBounds};
pub use commanded::{CommandAnswered, Commanded, Outcome};
pub use companion::{Companion, CompanionPlugin, FlySystems, Gesture, GestureKind, spawn_companion};
pub use deeds::{DeedHistory, DeedSystems, DeedsPlugin, register_actions};
pub use house_map::{HouseMap, MapNode};
pub use imported::{ImportEnded, ImportFailed, ImportedObject, is_importing, register_scene_folder};
pub use intent::{FlyIntent, HandIntent, MeasuredHead, WalkIntent};
pub use kinds::{all_kinds, register_kit};
pub use label::Label;
pub use preparation::{BuildPace, Preparation, SceneReady};
pub use quality::Quality;
pub use rooms::{RoomPart, RoomSurface};
pub use spawn::{Architecture, NextInstance, SceneObject, forget_earlier_scenes};
pub use view::WorldView;
pub use worn::{DreamShown, Dreams, Swatches, Worn};

use crate::{
    base::ClassTable,
    scene::{KindRegistry, SceneChanged},
};

/// Everything of the world but the bodies that walk and fly.
pub struct WorldPlugin;

/// Who comes into a new scene, in `Update` of the frame in which it is ready: in every program in this order, since what bodies do
/// to each other depends on the order in which they came.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrivals {
    Doors,
    Player,
    Companion,
}

/// When the world's systems run.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorldSystems {
    /// `PreUpdate`: entities follow the scene.
    Build,
    /// `PostUpdate`, after transforms are propagated: cameras follow the light.
    Expose,
}

impl Plugin for WorldPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(physics::WorldPhysicsPlugin)
            .add_message::<SceneChanged>()
            .add_message::<SceneReady>()
            .init_resource::<BuildPace>()
            .init_resource::<Preparation>()
            .init_resource::<preparation::Prepared>()
            .init_resource::<ClassTable>()
            .init_resource::<NextInstance>()
            .init_resource::<light::SceneLight>()
            .init_resource::<light::LightControl>()
            .init_resource::<light::Lighting>()
            .init_resource::<materials::MaterialLibrary>()
            .init_resource::<variants::Variants>()
            .init_resource::<contact::ContactShadowAssets>()
            .add_systems(PreStartup, quality::choose_quality)
            .add_systems(
                PreUpdate,
                (
                    preparation::prepare_scene,
                    rooms::build_rooms,
                    light::light_scene,
                    shadows::follow_quality.run_if(resource_changed::<Quality>),
                    spawn::spawn_objects,
                    imported::load_imported,
                    lamps::shine_lamps,
                )
                    .chain()
                    .in_set(WorldSystems::Build),
            )
            .add_message::<ImportFailed>()
            .configure_sets(Update, (Arrivals::Doors, Arrivals::Player, Arrivals::Companion).chain())
            .add_systems(
                Update,
                (imported::notice_failures, imported::give_bodies, imported::dress_imported)
                    .chain()
                    .after(Arrivals::Companion),
            )
            .add_systems(PostUpdate, contact::add_contact_shadows)
            .add_systems(FixedPostUpdate, contact::place_contact_shadows.after(PhysicsSystems::Last))
            .add_systems(
                PostUpdate,
                (view::dress_views, view::expose_views)
                    .chain()
                    .in_set(WorldSystems::Expose)
                    .after(TransformSystems::Propagate),
            );
        register_kit(&mut app.world_mut().get_resource_or_init::<KindRegistry>());
    }
}
