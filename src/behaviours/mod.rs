//! The companion: percepts in, intents out.
//!
//! In: [`Seen`] messages, requests, poses of the companion and of its friend, the map of the house. Out: [`FlyIntent`],
//! [`Said`]. What is absent: labels, ids, depth: nothing here reads ground truth, and a test swaps labels to prove it.

mod memory;
mod mind;
mod requests;
mod sizes;

use bevy::prelude::*;

pub use memory::{Memory, Remembered};
pub use mind::{Goal, Mind, Request, Saying, Situation, Stance};
pub use requests::register_actions;

use crate::{
    base::{ClassId, ClassTable, Tick},
    percepts::Seen,
    world::{Companion, FlyIntent, HouseMap},
};

/// Remembering and acting, once per fixed tick.
pub struct BehavioursPlugin;

/// Order within `FixedUpdate`, before bodies move.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub enum BehaviourSystems {
    Remember,
    Think,
}

/// Marks whom the companion keeps company: the player's eyes.
#[derive(Component)]
pub struct Friend;

/// The companion is asked something.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(pub Request);

/// The companion says something.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct Said(pub Saying);

impl Said {
    /// The saying as text.
    pub fn in_words(&self, classes: &ClassTable) -> String {
        let name = |class: &ClassId| classes.name(*class).unwrap_or("thing").to_owned();
        match &self.0 {
            Saying::Acknowledge => "All right.".to_owned(),
            Saying::Found(class) => format!("I see a {}. Come with me.", name(class)),
            Saying::Here(class) => format!("Here is the {}.", name(class)),
            Saying::NotFound(class) => format!("I looked everywhere and saw no {}.", name(class)),
            Saying::Sees(things) if things.is_empty() => "I see nothing that I know.".to_owned(),
            Saying::Sees(things) => {
                let names: Vec<String> = things.iter().map(|class| format!("a {}", name(class))).collect();
                format!("I see {}.", names.join(", "))
            }
        }
    }
}

impl Plugin for BehavioursPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Memory>()
            .init_resource::<HouseMap>()
            .init_resource::<Tick>()
            .add_message::<Seen>()
            .add_message::<Asked>()
            .add_message::<Said>()
            .configure_sets(FixedUpdate, (BehaviourSystems::Remember, BehaviourSystems::Think).chain())
            .add_systems(
                FixedUpdate,
                (remember.in_set(BehaviourSystems::Remember), think.in_set(BehaviourSystems::Think)),
            );
    }
}

fn remember(mut memory: ResMut<Memory>, mut seen: MessageReader<Seen>) {
    for seen in seen.read() {
        memory.take_in(seen);
    }
}

fn think(
    mut companions: Query<(&mut Mind, &mut FlyIntent, &GlobalTransform), With<Companion>>,
    friends: Query<&GlobalTransform, With<Friend>>,
    memory: Res<Memory>,
    map: Res<HouseMap>,
    tick: Res<Tick>,
    mut asked: MessageReader<Asked>,
    mut said: MessageWriter<Said>,
) {
    let requests: Vec<Request> = asked.read().map(|asked| asked.0).collect();
    for (mut mind, mut intent, body) in &mut companions {
        let own = stance(body);
        // Alone, it keeps itself company.
        let friend = friends.iter().next().map_or(own, stance);
        let situation = Situation { tick: *tick, own, friend, memory: &memory, map: &map };
        for request in &requests {
            said.write(Said(mind.ask(*request, &situation)));
        }
        let (next, saying) = mind.think(&situation);
        *intent = next;
        said.write_batch(saying.map(Said));
    }
}

fn stance(transform: &GlobalTransform) -> Stance {
    let (_, rotation, position) = transform.to_scale_rotation_translation();
    Stance { position, rotation }
}
