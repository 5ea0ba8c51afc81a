//! What the player's own body is told: go to a place, turn, jump, crouch, take a thing, let it go.
//!
//! In: commands, poses, bodies near by. Out: poses, intents, what the hand takes. One's own hand knows what lies before it,
//! so "pick up the mug" goes by the bodies' own labels; the companion, which only sees, never does.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use avian3d::prelude::*;
use bevy::{ecs::system::SystemParam, prelude::*};

use super::DeedHistory;
use crate::{
    base::ClassTable,
    scene::ActiveScene,
    world::{
        CommandAnswered, Commanded, Grabbable, HandIntent, Label, WalkIntent,
        hand::{Hand, HandSettings, HeldBy, Holding, TrackedHand},
        player::{Player, ViewPose, WalkSettings, Walker},
        snap_zones::Snapped,
    },
};

/// Places around a taken one that are tried, metres.
const AROUND: [f32; 4] = [0.0, 0.5, 0.9, 1.4];

/// The first free place near `wanted`: itself, then in rings around it.
fn free_place(wanted: Vec3, is_free: impl Fn(Vec3) -> bool) -> Option<Vec3> {
    AROUND
        .into_iter()
        .flat_map(|radius| {
            let steps = if radius == 0.0 { 1 } else { 8 };
            (0..steps).map(move |step| {
                let (sin, cos) = (TAU * step as f32 / steps as f32).sin_cos();
                wanted + radius * Vec3::new(sin, 0.0, cos)
            })
        })
        .find(|place| is_free(*place))
}

/// Answers `GoTo`, `Turn`, `Jump`, `Crouch` and `Stand`.
pub(super) fn command_body(
    mut commanded: MessageReader<Commanded>,
    mut players: Query<
        (Entity, &mut Transform, &mut LinearVelocity, &mut WalkIntent, &mut Walker, &mut ViewPose),
        With<Player>,
    >,
    scene: Option<Res<ActiveScene>>,
    spatial: SpatialQuery,
    settings: Res<WalkSettings>,
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    let Ok((player, mut transform, mut velocity, mut intent, mut walker, mut view)) = players.single_mut() else {
        return;
    };
    for command in commanded.read() {
        let word = command.word();
        let answer = match command.action.as_str() {
            "GoTo" => {
                let Some(scene) = &scene else { continue };
                let Some(wanted) = scene.spec.places.get(word) else { continue };
                let body = settings.body(settings.standing.height);
                let filter = SpatialQueryFilter::from_excluded_entities([player]);
                let is_free = |feet: Vec3| {
                    let inside = scene.spec.rooms.iter().any(|room| room.contains(feet));
                    let center = feet + settings.body_center(settings.standing.height);
                    inside && spatial.shape_intersections(&body, center, Quat::IDENTITY, &filter).is_empty()
                };
                match free_place(*wanted, is_free) {
                    Some(feet) => {
                        let before = (transform.translation, intent.yaw);
                        transform.translation = feet;
                        velocity.0 = Vec3::ZERO;
                        // The camera does not sweep through the house.
                        let eyes = Vec3::from(view.now.translation) - before.0 + feet;
                        view.now.translation = eyes.into();
                        view.before = view.now;
                        history.note("the way", move |world| stand_at(world, before.0, before.1));
                        CommandAnswered::done(command, format!("You are at: {word}."))
                    }
                    None => CommandAnswered::refused(command, format!("There is no room to stand at: {word}.")),
                }
            }
            "Turn" => {
                let angle = match word {
                    "left" => FRAC_PI_2,
                    "right" => -FRAC_PI_2,
                    "around" => PI,
                    _ => continue,
                };
                intent.yaw = (intent.yaw + angle + PI).rem_euclid(TAU) - PI;
                CommandAnswered::done(command, if word == "around" { "You turn round." } else { "You turn." })
            }
            "Jump" if walker.grounded => {
                intent.jump = true;
                CommandAnswered::done(command, "You jump.")
            }
            "Jump" => CommandAnswered::refused(command, "You stand on nothing."),
            "Crouch" => {
                let before = std::mem::replace(&mut walker.stays_down, true);
                history.note("the crouching", move |world| stay_down(world, before));
                CommandAnswered::done(command, "You crouch.")
            }
            "Stand" => {
                let before = std::mem::replace(&mut walker.stays_down, false);
                history.note("the standing", move |world| stay_down(world, before));
                CommandAnswered::done(command, "You stand up.")
            }
            _ => continue,
        };
        answers.write(answer);
    }
}

fn stay_down(world: &mut World, down: bool) -> Result<(), String> {
    let mut walkers = world.query_filtered::<&mut Walker, With<Player>>();
    walkers.iter_mut(world).for_each(|mut walker| walker.stays_down = down);
    Ok(())
}

fn stand_at(world: &mut World, feet: Vec3, yaw: f32) -> Result<(), String> {
    let mut players =
        world.query_filtered::<(&mut Transform, &mut LinearVelocity, &mut WalkIntent, &mut ViewPose), With<Player>>();
    for (mut transform, mut velocity, mut intent, mut view) in players.iter_mut(world) {
        let eyes = Vec3::from(view.now.translation) - transform.translation + feet;
        transform.translation = feet;
        velocity.0 = Vec3::ZERO;
        intent.yaw = yaw;
        view.now.translation = eyes.into();
        view.before = view.now;
    }
    Ok(())
}

/// How well a thing answers to "pick up": the nearer to the line of sight and to the eyes, the less. `None` behind the view
/// or out of reach.
fn pick_cost(eyes: Vec3, sight: Vec3, thing: Vec3, reach: f32) -> Option<f32> {
    let to = thing - eyes;
    let distance = to.length();
    let angle = to.angle_between(sight);
    (distance <= reach && angle < 1.2).then_some(angle + 0.3 * distance)
}

/// A player's hands: those of a headset, where it is worn, else the one that reaches along the view.
#[derive(SystemParam)]
pub(super) struct Hands<'w, 's> {
    all: Query<
        'w,
        's,
        (Entity, Option<&'static TrackedHand>, &'static mut Hand, &'static mut HandIntent, Option<&'static Holding>),
    >,
}

impl Hands<'_, '_> {
    /// The one that is to take something at `place`: the nearest that is empty. `None` if all are full.
    fn empty(&self, place: Vec3) -> Option<Entity> {
        let tracked = self.all.iter().any(|hand| hand.1.is_some());
        self.all
            .iter()
            .filter(|(_, of_headset, .., holding)| of_headset.is_some() == tracked && holding.is_none())
            .map(|(hand, of_headset, ..)| {
                (hand, of_headset.map_or(0.0, |hand| place.distance(hand.palm.translation.into())))
            })
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
            .map(|(hand, _)| hand)
    }

    /// Lets a hand take a thing, wherever one looks.
    fn tell(&mut self, hand: Entity, thing: Entity) {
        if let Ok((_, _, mut hand, mut intent, _)) = self.all.get_mut(hand) {
            hand.tell(&mut intent, thing);
        }
    }

    /// Opens the hands that hold something, what they were told to take first. What lies free now.
    fn open(&mut self) -> Option<Entity> {
        let held = |hand: (Entity, Option<&TrackedHand>, &Hand, &HandIntent, Option<&Holding>)| hand.4.copied();
        let (by_word, by_grip): (Vec<_>, Vec<_>) = self.all.iter().filter_map(held).partition(|held| held.by_word);
        let thing = by_word.first().or(by_grip.first())?.body;
        for (.., mut intent, holding) in &mut self.all {
            if holding.is_some_and(|holding| holding.body == thing) {
                intent.grab = false;
            }
        }
        Some(thing)
    }
}

/// Answers `PickUp` and `Drop`.
pub(super) fn command_hand(
    mut commanded: MessageReader<Commanded>,
    players: Query<(Entity, &ViewPose), With<Player>>,
    mut hands: Hands,
    things: Query<(Entity, &Label, &Position, &Rotation), (With<Grabbable>, Without<HeldBy>)>,
    bodies: Query<&ColliderOf>,
    spatial: SpatialQuery,
    (classes, settings): (Res<ClassTable>, Res<HandSettings>),
    mut history: ResMut<DeedHistory>,
    mut answers: MessageWriter<CommandAnswered>,
) {
    let Ok((player, view)) = players.single() else { return };
    for command in commanded.read() {
        let answer = match command.action.as_str() {
            "PickUp" => {
                let word = command.word();
                let Some(class) = classes.id(word) else { continue };
                let ray = view.ray();
                let filter = SpatialQueryFilter::from_excluded_entities([player]);
                let in_sight = |thing: Entity, place: Vec3| {
                    // A little past its origin's height, so that the ray meets the thing and not what it stands on.
                    Dir3::new_and_length(place + Vec3::Y * 0.03 - ray.origin).is_ok_and(|(direction, length)| {
                        spatial
                            .cast_ray(ray.origin, direction, length, true, &filter)
                            .is_none_or(|hit| bodies.get(hit.entity).is_ok_and(|of| of.body == thing))
                    })
                };
                let nearest = things
                    .iter()
                    .filter(|(_, label, ..)| label.class == class)
                    .filter_map(|(thing, _, position, rotation)| {
                        let cost = pick_cost(ray.origin, *ray.direction, position.0, settings.reach)?;
                        in_sight(thing, position.0).then_some((thing, position.0, rotation.0, cost))
                    })
                    .min_by(|a, b| a.3.total_cmp(&b.3));
                let place = nearest.map_or(Vec3::from(view.now.translation), |(_, place, ..)| place);
                match (hands.empty(place), nearest) {
                    (None, _) => CommandAnswered::refused(command, "Your hands are full."),
                    (Some(hand), Some((thing, position, rotation, _))) => {
                        hands.tell(hand, thing);
                        history.note("the taking", move |world| put_back(world, thing, position, rotation));
                        CommandAnswered::done(command, format!("You take the {word}."))
                    }
                    (Some(_), None) => {
                        let why = format!("No {word} is before you within reach.");
                        CommandAnswered::refused(command, why)
                    }
                }
            }
            "Drop" => match hands.open() {
                Some(thing) => {
                    history.note("the letting go", move |world| take_again(world, thing));
                    CommandAnswered::done(command, "You let go.")
                }
                None => CommandAnswered::refused(command, "Your hands are empty."),
            },
            _ => continue,
        };
        answers.write(answer);
    }
}

/// Sets a thing down where it was taken from.
fn put_back(world: &mut World, thing: Entity, position: Vec3, rotation: Quat) -> Result<(), String> {
    let mut hands = world.query::<(Entity, &mut HandIntent, &Holding)>();
    let mut holders = Vec::new();
    for (hand, mut intent, holding) in hands.iter_mut(world) {
        if holding.body == thing {
            intent.grab = false;
            holders.push(hand);
        }
    }
    for hand in holders {
        // At once: a hand that opens by itself would pull at the thing once more.
        world.entity_mut(hand).remove::<Holding>();
    }
    let mut body = world.get_entity_mut(thing).map_err(|_| "It is gone.".to_owned())?;
    let scale = body.get::<Transform>().map_or(Vec3::ONE, |transform| transform.scale);
    // A zone that it was put into since would pull it back.
    body.remove::<(Snapped, SleepingDisabled)>().insert((
        Transform { translation: position, rotation, scale },
        Position(position),
        Rotation(rotation),
        LinearVelocity::ZERO,
        AngularVelocity::ZERO,
    ));
    Ok(())
}

fn take_again(world: &mut World, thing: Entity) -> Result<(), String> {
    let reach = world.resource::<HandSettings>().reach;
    let place = world.get::<Position>(thing).map(|position| position.0).ok_or("It is gone.")?;
    let mut views = world.query_filtered::<&ViewPose, With<Player>>();
    let eyes = views.single(world).map_err(|_| "Nobody is there.".to_owned())?.now.translation;
    if place.distance(eyes.into()) > reach {
        return Err("It lies too far away by now.".to_owned());
    }
    let told = world.run_system_cached_with(
        |In((thing, place)): In<(Entity, Vec3)>, mut hands: Hands| {
            let hand = hands.empty(place);
            hand.into_iter().for_each(|hand| hands.tell(hand, thing));
            hand.is_some()
        },
        (thing, place),
    );
    if told.is_ok_and(|told| told) { Ok(()) } else { Err("Your hands are full.".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_place_is_left_for_the_nearest_free_one() {
        let wanted = Vec3::new(3.0, 0.0, 2.0);
        assert_eq!(free_place(wanted, |_| true), Some(wanted));
        let beside = free_place(wanted, |place| place.x > 3.4).expect("there is room");
        assert!((beside - wanted).length() < 0.55 && beside.x > 3.4, "{beside}");
        assert_eq!(free_place(wanted, |_| false), None);
    }

    #[test]
    fn what_is_looked_at_is_picked_before_what_is_nearer() {
        let cost = |thing: [f32; 3]| pick_cost(Vec3::ZERO, -Vec3::Z, thing.into(), 2.5);
        assert!(cost([0.0, 0.0, -2.0]).unwrap() < cost([0.8, 0.0, -0.8]).unwrap());
        assert_eq!(cost([0.0, 0.0, 1.0]), None, "behind");
        assert_eq!(cost([0.0, 0.0, -3.0]), None, "out of reach");
    }
}
