//! Pictures of a scene from chosen spots, for people who work on how the world looks and for the README.
//!
//! `SPOTS="2,1.6,3>0,1.2,0 Lights(off) 2,1.6,3>0,1.2,0 ..." SCENE=assets/scenes/x.scene.ron OUT=folder SIZE=1280x720
//!  cargo test --release --features train --lib gallery -- --ignored --nocapture`
//!
//! A spot is a place and what is looked at from there; the player stands there as well and looks the same way. What has
//! brackets is commanded (`PickUp(mug)`, spaces of words as `_`) and waited for, light and dreams included. A number waits so many
//! ticks.

use bevy::{camera::RenderTarget, prelude::*};

use super::{dream_materials::dream_materials, headless, inference_places};
use crate::{
    behaviours::{BehavioursPlugin, Friend, Mind},
    inference::{InferencePlugin, InferenceSettings, Models},
    scene::ScenePlugin,
    textures::{DreamingPlugin, DreamingStatus},
    world::{
        CommandAnswered, Commanded, Companion, CompanionPlugin, DeedsPlugin, Quality, WalkIntent, WorldPlugin,
        WorldView,
        hand::HandPlugin,
        light::Lighting,
        player::{Player, PlayerPlugin},
    },
};

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn vector(text: &str) -> Vec3 {
    let numbers: Vec<f32> = text.split(',').map(|number| number.parse().expect("a number")).collect();
    Vec3::from_slice(&numbers)
}

/// The player's body under `pose`, looking along it.
fn stand(app: &mut App, pose: &Transform) {
    let (yaw, pitch, _) = pose.rotation.to_euler(EulerRot::YXZ);
    let world = app.world_mut();
    let mut players = world.query_filtered::<(&mut Transform, &mut WalkIntent), With<Player>>();
    for (mut transform, mut intent) in players.iter_mut(world) {
        transform.translation = pose.translation - Vec3::Y * 1.65;
        (intent.yaw, intent.pitch) = (yaw, pitch);
    }
}

/// Gives a command and waits for its answer, its movements and its light.
fn command(app: &mut App, text: &str) {
    let (action, words) = text.trim_end_matches(')').split_once('(').expect("Action(words)");
    let words: Vec<String> = words.split(',').filter(|w| !w.is_empty()).map(|w| w.replace('_', " ")).collect();
    app.world_mut().write_message(Commanded { action: action.to_owned(), words });
    for tick in 0.. {
        app.update();
        for answer in app.world_mut().resource_mut::<Messages<CommandAnswered>>().drain() {
            println!("{text}: {:?}", answer.outcome);
        }
        let (done, total) = app.world().resource::<Lighting>().progress();
        if tick > 3 && done == total && app.world().resource::<DreamingStatus>().waiting == 0 {
            break;
        }
    }
}

#[test]
#[ignore = "renders pictures for people to look at"]
fn pictures_from_chosen_spots() -> anyhow::Result<()> {
    let size = variable("SIZE", "1280x720");
    let (width, height) = size.split_once('x').expect("WxH");
    let out = std::path::PathBuf::from(variable("OUT", "target/gallery"));
    std::fs::create_dir_all(&out)?;
    let scene = std::path::PathBuf::from(variable("SCENE", "assets/scenes/atelier.scene.ron"));
    let mut app = headless::headless_app_for(Some(&scene))?;
    let quality = match variable("QUALITY", "").as_str() {
        "low" => Some(Quality::Low),
        "medium" => Some(Quality::Medium),
        "high" => Some(Quality::High),
        _ => None,
    };
    if let Some(quality) = quality {
        app.insert_resource(quality);
    }
    let models = inference_places::models_folder();
    let inference =
        InferenceSettings { models: models.clone(), library: inference_places::library_places(), ..Default::default() };
    app.insert_resource(super::all_actions())
        .insert_resource(dream_materials(&models))
        .add_plugins((InferencePlugin { settings: inference }, DreamingPlugin::default()))
        .add_plugins((
            ScenePlugin { path: scene },
            WorldPlugin,
            PlayerPlugin,
            HandPlugin,
            CompanionPlugin,
            DeedsPlugin,
            BehavioursPlugin,
        ))
        .add_systems(Update, |bodies: Query<Entity, Added<Companion>>, mut commands: Commands| {
            for body in &bodies {
                commands.entity(body).insert(Mind::default());
            }
        });
    headless::finish(&mut app);
    app.world().resource::<Models>().wait_until_loaded();
    let start = std::time::Instant::now();
    app.update();
    println!("first update: {:?}", start.elapsed());
    let images = &mut app.world_mut().resource_mut::<Assets<Image>>();
    let target = headless::picture_target(images, width.parse()?, height.parse()?);
    let camera = app
        .world_mut()
        .spawn((
            Camera3d::default(),
            Friend,
            WorldView::PHOTOGRAPH,
            RenderTarget::from(target.clone()),
            Projection::Perspective(PerspectiveProjection {
                fov: variable("FOV", "1.05").parse()?,
                near: 0.05,
                ..default()
            }),
        ))
        .id();
    // Let things come to rest.
    app.world_mut().entity_mut(camera).get_mut::<Camera>().expect("a camera").is_active = false;
    for _ in 0..variable("SETTLE", "60").parse()? {
        app.update();
    }
    while app.world().resource::<DreamingStatus>().waiting > 0 {
        app.update();
    }
    let mut pictures = 0;
    for step in variable("SPOTS", "1,1.6,1>0,1.2,0").split_whitespace() {
        app.world_mut().entity_mut(camera).get_mut::<Camera>().expect("a camera").is_active = false;
        if step.contains('(') {
            command(&mut app, step);
            continue;
        }
        if let Ok(ticks) = step.parse::<u32>() {
            (0..ticks).for_each(|_| app.update());
            continue;
        }
        let (from, to) = step.split_once('>').expect("from>to");
        let pose = Transform::from_translation(vector(from)).looking_at(vector(to), Vec3::Y);
        stand(&mut app, &pose);
        let mut eye = app.world_mut().entity_mut(camera);
        eye.insert(pose);
        eye.get_mut::<Camera>().expect("a camera").is_active = true;
        for _ in 0..3 {
            app.update();
        }
        let start = std::time::Instant::now();
        let picture = headless::take_picture(&mut app, &target)?;
        println!("{step}: {:?}", start.elapsed());
        picture.save(out.join(format!("spot_{pictures}.png")))?;
        pictures += 1;
    }
    Ok(())
}
