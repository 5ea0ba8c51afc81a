//! Pictures of a scene from chosen spots, for people who work on how the world looks and for the README.
//!
//! `SPOTS="2,1.6,3>0,1.2,0 ..." SCENE=assets/scenes/x.scene.ron OUT=folder SIZE=1280x720
//!  cargo test --release --features train --lib gallery -- --ignored --nocapture`

use bevy::{camera::RenderTarget, prelude::*};

use super::headless;
use crate::{
    scene::ScenePlugin,
    world::{Quality, WorldPlugin, WorldView},
};

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn vector(text: &str) -> Vec3 {
    let numbers: Vec<f32> = text.split(',').map(|number| number.parse().expect("a number")).collect();
    Vec3::from_slice(&numbers)
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
    app.add_plugins((ScenePlugin { path: scene }, WorldPlugin));
    headless::finish(&mut app);
    let start = std::time::Instant::now();
    app.update();
    println!("first update: {:?}", start.elapsed());
    let images = &mut app.world_mut().resource_mut::<Assets<Image>>();
    let target = headless::picture_target(images, width.parse()?, height.parse()?);
    let camera = app
        .world_mut()
        .spawn((
            Camera3d::default(),
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
    app.world_mut().entity_mut(camera).get_mut::<Camera>().expect("a camera").is_active = true;
    for (index, spot) in variable("SPOTS", "1,1.6,1>0,1.2,0").split_whitespace().enumerate() {
        let (from, to) = spot.split_once('>').expect("from>to");
        let pose = Transform::from_translation(vector(from)).looking_at(vector(to), Vec3::Y);
        app.world_mut().entity_mut(camera).insert(pose);
        for _ in 0..3 {
            app.update();
        }
        let start = std::time::Instant::now();
        let picture = headless::take_picture(&mut app, &target)?;
        println!("{spot}: {:?}", start.elapsed());
        picture.save(out.join(format!("spot_{index}.png")))?;
    }
    Ok(())
}
