//! The companion: percepts in, intents out.
//!
//! In: [`Seen`] messages, requests, poses of the companion and of its friend, the map of the house. Out: [`FlyIntent`],
//! [`Said`]. What is absent: labels, ids, depth: nothing here reads ground truth, and a test swaps labels to prove it.

mod looking;
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
    world::{CommandAnswered, Commanded, Companion, DeedHistory, FlyIntent, Gesture, GestureKind, HouseMap},
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
            Saying::Found(class) => format!("I see {}. Come with me.", with_article(&name(class))),
            Saying::Here(class) => format!("Here is the {}.", name(class)),
            Saying::NotFound(class) => format!("I looked everywhere and saw no {}.", name(class)),
            Saying::Sees(things) if things.is_empty() => "I see nothing that I know.".to_owned(),
            Saying::Sees(things) => {
                let names: Vec<String> = things.iter().map(|class| with_article(&name(class))).collect();
                match names.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("I see {} and {last}.", rest.join(", ")),
                    _ => format!("I see {}.", names.concat()),
                }
            }
            Saying::HereIAm => "Here I am.".to_owned(),
            Saying::NeverSeen(class) => {
                format!("I have not seen {} yet. Ask me to find one.", with_article(&name(class)))
            }
            Saying::ThatIs(Some(class)) => format!("That is {}.", with_article(&name(class))),
            Saying::ThatIs(None) => "I see nothing there that I know.".to_owned(),
        }
    }
}

/// `a mug`, `an apple`.
fn with_article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// The companion was asked to keep a picture of what it sees.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureWanted;

/// How the body shows what was said.
fn gesture_of(saying: &Saying) -> GestureKind {
    match saying {
        Saying::Acknowledge | Saying::Sees(_) | Saying::ThatIs(Some(_)) => GestureKind::Nod,
        Saying::Found(_) | Saying::Here(_) | Saying::HereIAm => GestureKind::Loop,
        Saying::NotFound(_) | Saying::NeverSeen(_) | Saying::ThatIs(None) => GestureKind::Shake,
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
            .add_message::<PictureWanted>()
            .add_message::<Commanded>()
            .add_message::<CommandAnswered>()
            .init_resource::<ClassTable>()
            .init_resource::<DeedHistory>()
            .configure_sets(FixedUpdate, (BehaviourSystems::Remember, BehaviourSystems::Think).chain())
            .add_systems(
                FixedUpdate,
                ((remember, requests::heed).in_set(BehaviourSystems::Remember), think.in_set(BehaviourSystems::Think)),
            );
    }
}

fn remember(mut memory: ResMut<Memory>, mut seen: MessageReader<Seen>) {
    for seen in seen.read() {
        memory.take_in(seen);
    }
}

fn think(
    mut companions: Query<(&mut Mind, &mut FlyIntent, &mut Gesture, &GlobalTransform), With<Companion>>,
    friends: Query<&GlobalTransform, With<Friend>>,
    memory: Res<Memory>,
    map: Res<HouseMap>,
    tick: Res<Tick>,
    mut asked: MessageReader<Asked>,
    mut said: MessageWriter<Said>,
    mut pictures: MessageWriter<PictureWanted>,
) {
    let requests: Vec<Request> = asked.read().map(|asked| asked.0).collect();
    if requests.contains(&Request::TakePicture) {
        pictures.write(PictureWanted);
    }
    for (mut mind, mut intent, mut gesture, body) in &mut companions {
        let own = stance(body);
        // Alone, it keeps itself company.
        let friend = friends.iter().next().map_or(own, stance);
        let situation = Situation { tick: *tick, own, friend, memory: &memory, map: &map };
        let mut sayings: Vec<Saying> = requests.iter().map(|request| mind.ask(*request, &situation)).collect();
        let (next, saying) = mind.think(&situation);
        *intent = next;
        sayings.extend(saying);
        if let Some(last) = sayings.last() {
            gesture.begin(gesture_of(last));
        }
        said.write_batch(sayings.into_iter().map(Said));
    }
}

fn stance(transform: &GlobalTransform) -> Stance {
    let (_, rotation, position) = transform.to_scale_rotation_translation();
    Stance { position, rotation }
}
