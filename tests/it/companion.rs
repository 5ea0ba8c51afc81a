//! The companion's mind in a world of its own: percepts in, intents out, and nothing else.

use bevy::{
    math::{Affine3A, Quat},
    prelude::*,
    time::TimeUpdateStrategy,
};
use umwelt::{
    base::{ClassId, ClassTable, PixelBox, Tick},
    behaviours::{Asked, BehavioursPlugin, Friend, Memory, Mind, Request, Said, Saying},
    percepts::{Detection, Intrinsics, Seen},
    world::{Companion, FlyIntent, HouseMap, Label, MapNode},
};

/// A mind with a body that flies where it is told, in a house of two rooms. `labels` are the truth about two bodies that
/// stand in it.
struct Life {
    app: App,
    body: Entity,
    friend: Entity,
}

impl Life {
    fn new(labels: [&str; 2]) -> Self {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TransformPlugin, BehavioursPlugin))
            .insert_resource(TimeUpdateStrategy::ManualDuration(std::time::Duration::from_secs_f64(
                1.0 / Tick::RATE_HZ,
            )))
            .insert_resource(Time::<Fixed>::from_hz(Tick::RATE_HZ))
            .init_resource::<ClassTable>()
            .add_systems(FixedFirst, |mut tick: ResMut<Tick>| tick.0 += 1)
            .add_systems(FixedPostUpdate, obey);
        let classes = app.world().resource::<ClassTable>().clone();
        for (index, label) in labels.into_iter().enumerate() {
            let class = classes.id(label).expect("a kit class");
            let place = Transform::from_xyz(if index == 0 { 6.5 } else { -1.0 }, 0.8, -1.0);
            app.world_mut().spawn((Label { class, instance: index as u32 + 1 }, place));
        }
        let node = |x: f32, is_vantage| MapNode { position: Vec3::new(x, 1.45, 0.0), is_vantage };
        let map =
            HouseMap { nodes: vec![node(0.0, true), node(3.0, false), node(6.0, true)], edges: vec![[0, 1], [1, 2]] };
        app.insert_resource(map);
        let body = app.world_mut().spawn((Companion, Mind::default(), Transform::from_xyz(0.5, 1.4, 0.0))).id();
        let friend = app.world_mut().spawn((Friend, Transform::from_xyz(0.0, 1.65, 2.0))).id();
        Self { app, body, friend }
    }

    fn class(&self, name: &str) -> ClassId {
        self.app.world().resource::<ClassTable>().id(name).expect("a kit class")
    }

    /// Lives for some seconds; ten times a second it sees a teapot that stands at (6.5, 0.8, −1), if it faces it from
    /// within four metres. Returns what it said and where it was asked to be, tick by tick.
    fn live(&mut self, seconds: f64) -> (Vec<Saying>, Vec<FlyIntent>) {
        let (mut said, mut intents) = (Vec::new(), Vec::new());
        for step in 0..(seconds * Tick::RATE_HZ) as u64 {
            if step % 6 == 0 {
                let percept = self.look();
                self.app.world_mut().write_message(percept);
            }
            self.app.update();
            said.extend(self.app.world_mut().resource_mut::<Messages<Said>>().drain().map(|said| said.0));
            intents.push(*self.app.world().get::<FlyIntent>(self.body).expect("the body has intents"));
        }
        (said, intents)
    }

    fn look(&self) -> Seen {
        let pose = self.app.world().get::<Transform>(self.body).expect("a body");
        let intrinsics = Intrinsics::from_fov(320, 320, 70_f32.to_radians());
        let world_from_view = Affine3A::from_rotation_translation(pose.rotation, pose.translation);
        let view = world_from_view.inverse().transform_point3(Vec3::new(6.5, 0.8, -1.0));
        let detections = intrinsics
            .project(view)
            .filter(|pixel| {
                view.length() < 4.0 && pixel.cmpge(Vec2::splat(20.0)).all() && pixel.cmple(Vec2::splat(300.0)).all()
            })
            .map(|pixel| {
                let side = intrinsics.focal.x * 0.24 / -view.z;
                let region = PixelBox { x: pixel.x - side / 2.0, y: pixel.y - side / 2.0, width: side, height: side };
                Detection { class: self.class("teapot"), confidence: 0.8, region }
            });
        let tick = *self.app.world().resource::<Tick>();
        Seen { eye: self.body, tick, world_from_view, intrinsics, detections: detections.into_iter().collect() }
    }
}

/// Flies at two metres a second and turns at once.
fn obey(mut bodies: Query<(&FlyIntent, &mut Transform)>) {
    for (intent, mut body) in &mut bodies {
        if let Some(target) = intent.target {
            let step = (target - body.translation).clamp_length_max(2.0 / Tick::RATE_HZ as f32);
            body.translation += step;
        }
        if let Some(look_at) = intent.look_at
            && look_at.distance(body.translation) > 1e-3
        {
            body.look_at(look_at, Vec3::Y);
        }
    }
}

#[test]
fn asked_for_a_teapot_it_searches_finds_and_leads() {
    let mut life = Life::new(["teapot", "mug"]);
    let teapot = life.class("teapot");
    life.app.world_mut().write_message(Asked(Request::Find(teapot)));
    let (said, _) = life.live(40.0);
    assert_eq!(said.first(), Some(&Saying::Acknowledge));
    assert!(said.contains(&Saying::Found(teapot)), "it never found it: {said:?}");
    // The friend comes along.
    let friend = life.friend;
    life.app.world_mut().get_mut::<Transform>(friend).expect("the friend").translation = Vec3::new(5.5, 1.65, -0.2);
    let (said, _) = life.live(20.0);
    assert!(said.contains(&Saying::Here(teapot)), "it never led there: {said:?}");
    let place = life.app.world().resource::<Memory>().recall(teapot, Vec3::ZERO).expect("it remembers").position;
    assert!(place.distance(Vec3::new(6.5, 0.8, -1.0)) < 0.4, "remembered at {place}");
}

#[test]
fn labels_swapped_behind_its_back_change_nothing() {
    let lives = [["teapot", "mug"], ["mug", "teapot"]].map(|labels| {
        let mut life = Life::new(labels);
        let teapot = life.class("teapot");
        life.app.world_mut().write_message(Asked(Request::Find(teapot)));
        let first = life.live(5.0);
        // In mid-life the labels change places once more.
        let mut labelled = life.app.world_mut().query::<&mut Label>();
        let world = life.app.world_mut();
        let classes: Vec<ClassId> = labelled.iter(world).map(|label| label.class).collect();
        for (mut label, class) in labelled.iter_mut(world).zip(classes.into_iter().rev()) {
            label.class = class;
        }
        (first, life.live(15.0), life.app.world().resource::<Memory>().clone())
    });
    assert!(lives[0].1.1.iter().any(|intent| intent.target.is_some()), "it did nothing at all");
    assert!(lives[0] == lives[1], "the companion behaved differently when only the truth was different");
}

#[test]
fn it_describes_what_it_sees_and_nothing_else() {
    let mut life = Life::new(["teapot", "mug"]);
    let body = life.body;
    let mut pose = life.app.world_mut().get_mut::<Transform>(body).expect("a body");
    *pose =
        Transform::from_xyz(5.0, 1.2, 0.5).with_rotation(Quat::IDENTITY).looking_at(Vec3::new(6.5, 0.8, -1.0), Vec3::Y);
    life.app.world_mut().get_mut::<Transform>(life.friend).expect("the friend").translation = Vec3::new(4.2, 1.65, 1.5);
    for _ in 0..3 {
        let percept = life.look();
        life.app.world_mut().write_message(percept);
        life.app.update();
    }
    life.app.world_mut().write_message(Asked(Request::Describe));
    let (said, _) = life.live(0.1);
    assert_eq!(said, [Saying::Sees(vec![life.class("teapot")])]);
}
