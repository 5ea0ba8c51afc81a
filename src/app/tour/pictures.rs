//! The pictures of a tour: the player's view, the companion, what its eye sees, the house from above.

use std::time::Duration;

use anyhow::Context as _;
use bevy::{prelude::*, time::TimeUpdateStrategy};

use super::{Tour, walk::TourView};
use crate::{
    app::{annotate::annotate, asset_folder, headless::take_picture},
    base::ClassTable,
    percepts::Seen,
    scene::ActiveScene,
    sensors::Observation,
    world::Companion,
};

/// Size of written pictures.
pub(super) const PICTURE: UVec2 = UVec2::new(1280, 720);

/// The newest picture of the companion's eye and what was recognised in it.
#[derive(Resource, Default)]
pub(super) struct LastLook {
    seen: Option<(Observation, Seen)>,
}

impl Tour<'_> {
    /// Six pictures: three of the player's view on the way, one of the companion, one of the whole house from above, one
    /// of what the eye sees with its boxes.
    pub(super) fn take_due_pictures(&mut self, app: &mut App, part: f64) -> anyhow::Result<()> {
        const DUE: [(f64, &str); 6] =
            [(0.01, "view-1"), (0.3, "view-2"), (0.45, "companion"), (0.6, "eye"), (0.75, "view-3"), (0.9, "house")];
        for (index, (due, name)) in DUE.into_iter().enumerate() {
            if part < due || self.photographed[index] {
                continue;
            }
            let path = self.settings.out.join(format!("{name}.png"));
            match name {
                "eye" => {
                    // Waits for a picture with something in it until nearly the end.
                    let world = app.world();
                    let Some((observation, seen)) = &world.resource::<LastLook>().seen else { continue };
                    if seen.detections.is_empty() && part < 0.97 {
                        continue;
                    }
                    let classes = world.resource::<ClassTable>();
                    let named: Vec<_> = seen
                        .detections
                        .iter()
                        .map(|found| (classes.name(found.class).unwrap_or("?"), *found))
                        .collect();
                    let font = asset_folder().join("fonts/Lato-Medium.ttf");
                    annotate((*observation.rgb).clone(), &named, &font)?
                        .save(&path)
                        .with_context(|| format!("{}", path.display()))?;
                }
                _ => {
                    let pose = match name {
                        "companion" => portrait_pose(app),
                        "house" => overview_pose(app),
                        _ => tour_pose(app),
                    };
                    let Some(pose) = pose else { continue };
                    self.photograph(app, pose)?.save(&path).with_context(|| format!("{}", path.display()))?;
                }
            }
            self.photographed[index] = true;
            self.pictures.push(path);
        }
        Ok(())
    }

    fn photograph(&self, app: &mut App, pose: Transform) -> anyhow::Result<image::RgbImage> {
        let switch = |app: &mut App, active: bool| {
            let mut camera = app.world_mut().entity_mut(self.photographer);
            camera.insert(pose);
            if let Some(mut camera) = camera.get_mut::<Camera>() {
                camera.is_active = active;
            }
        };
        // The moment is kept: time stands still while the picture is developed.
        app.insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO));
        switch(app, true);
        app.update();
        let picture = take_picture(app, &self.photo);
        switch(app, false);
        app.insert_resource(TimeUpdateStrategy::Automatic);
        picture
    }
}

pub(super) fn keep_last_look(
    mut observations: MessageReader<Observation>,
    mut seen: MessageReader<Seen>,
    mut last: ResMut<LastLook>,
    mut waiting: Local<Vec<Observation>>,
) {
    for observation in observations.read() {
        waiting.push(observation.clone());
        if waiting.len() > 16 {
            waiting.remove(0);
        }
    }
    for seen in seen.read() {
        let Some(picture) = waiting.iter().find(|picture| picture.eye == seen.eye && picture.tick == seen.tick) else {
            continue;
        };
        let richer = last.seen.as_ref().is_none_or(|(_, best)| seen.detections.len() >= best.detections.len());
        if richer {
            last.seen = Some((picture.clone(), seen.clone()));
        }
    }
}

fn tour_pose(app: &mut App) -> Option<Transform> {
    let mut views = app.world_mut().query_filtered::<&Transform, With<TourView>>();
    views.iter(app.world()).next().copied()
}

/// Before the companion's face, a little above.
fn portrait_pose(app: &mut App) -> Option<Transform> {
    let mut bodies = app.world_mut().query_filtered::<&Transform, With<Companion>>();
    let body = bodies.iter(app.world()).next()?;
    let from = body.translation + 0.75 * (body.rotation * Vec3::new(0.35, 0.15, -1.0)).normalize();
    Some(Transform::from_translation(from).looking_at(body.translation, Vec3::Y))
}

/// From outside and above, the whole house.
fn overview_pose(app: &mut App) -> Option<Transform> {
    let scene = &app.world().resource::<ActiveScene>().spec;
    let min = scene.rooms.iter().map(|room| room.min).reduce(Vec2::min)?;
    let max = scene.rooms.iter().map(|room| room.max).reduce(Vec2::max)?;
    let middle = (0.5 * (min + max)).extend(0.0).xzy();
    let size = (max - min).max_element();
    Some(Transform::from_translation(middle + Vec3::new(0.45, 0.75, 0.95) * size).looking_at(middle, Vec3::Y))
}
