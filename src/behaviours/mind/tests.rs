use super::*;
use crate::world::MapNode;

fn two_rooms() -> HouseMap {
    let node = |x: f32, is_vantage| MapNode { position: Vec3::new(x, 1.45, 0.0), is_vantage };
    HouseMap { nodes: vec![node(0.0, true), node(3.0, false), node(6.0, true)], edges: vec![[0, 1], [1, 2]] }
}

fn stance(position: Vec3) -> Stance {
    Stance { position, rotation: Quat::IDENTITY }
}

/// Runs the mind with a body that goes where it is told at 2 m/s; returns all it said, with seconds.
fn live(
    mind: &mut Mind,
    seconds: f64,
    memory: impl Fn(f64) -> Memory,
    friend: impl Fn(f64) -> Vec3,
) -> Vec<(f64, Saying)> {
    let map = two_rooms();
    let mut own = stance(Vec3::new(0.5, 1.45, 0.0));
    let mut said = Vec::new();
    for tick in 0..(seconds * Tick::RATE_HZ) as u64 {
        let now = Tick(tick).seconds();
        let memory = memory(now);
        let situation = Situation { tick: Tick(tick), own, friend: stance(friend(now)), memory: &memory, map: &map };
        let (intent, saying) = mind.think(&situation);
        if let Some(target) = intent.target {
            own.position += (target - own.position).clamp_length_max(2.0 / 60.0);
        }
        said.extend(saying.map(|saying| (now, saying)));
    }
    said
}

#[test]
fn it_keeps_company_beside_the_view_and_out_of_the_face() {
    let mut mind = Mind::default();
    let map = two_rooms();
    let friend = stance(Vec3::new(0.0, 1.65, 2.0));
    let memory = Memory::default();
    let own = stance(Vec3::new(0.1, 1.6, 1.8));
    let close = Situation { tick: Tick(0), own, friend, memory: &memory, map: &map };
    let target = mind.think(&close).0.target.expect("it moves");
    assert!(target.distance(friend.position) >= OUT_OF_FACE_M, "it backs off");
    let settled = Situation { own: stance(Vec3::new(1.0, 1.6, 0.6)), ..close };
    let target = mind.think(&settled).0.target.expect("it hovers");
    let angle = (target - friend.position).angle_between(friend.forward()).to_degrees();
    assert!((20.0..60.0).contains(&angle), "{angle}° off the view axis");
}

#[test]
fn it_searches_every_room_then_says_that_it_found_nothing() {
    let mut mind =
        Mind { goal: Goal::Find { class: ClassId(6), visited: vec![], search: Search::Choosing }, interest: None };
    let said = live(&mut mind, 60.0, |_| Memory::default(), |_| Vec3::new(0.0, 1.65, 2.0));
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].1, Saying::NotFound(ClassId(6)));
    assert_eq!(mind.goal, Goal::Follow);
}
#[test]
fn called_it_comes_before_the_face_and_greets() {
    let mut mind = Mind { goal: Goal::Come { since: Tick(0) }, interest: None };
    let said = live(&mut mind, 8.0, |_| Memory::default(), |_| Vec3::new(0.0, 1.65, 2.0));
    assert_eq!(said.iter().map(|(_, saying)| saying).collect::<Vec<_>>(), [&Saying::HereIAm]);
    assert_eq!(mind.goal, Goal::Follow);
}

#[test]
fn shown_an_empty_place_it_looks_there_says_so_and_goes_on_waiting() {
    let map = two_rooms();
    let memory = Memory::default();
    let friend = stance(Vec3::new(0.0, 1.65, 2.0));
    let mut mind = Mind { goal: Goal::Stay(Vec3::new(1.0, 1.4, 0.0)), interest: None };
    let situation = |tick| Situation {
        tick: Tick(tick),
        own: stance(Vec3::new(1.0, 1.4, 0.0)),
        friend,
        memory: &memory,
        map: &map,
    };
    assert_eq!(mind.ask(Request::LookHere, &situation(0)), Saying::Acknowledge);
    let (intent, _) = mind.think(&situation(1));
    let looks = intent.look_at.expect("it looks");
    assert!((looks - Vec3::new(0.0, 1.65, -0.5)).length() < 1e-4, "it looks at {looks}");
    let (_, said) = mind.think(&situation(600));
    assert_eq!(said, Some(Saying::ThatIs(None)));
    assert!(matches!(mind.goal, Goal::Stay(_)));
    assert_eq!(mind.ask(Request::LookAt(ClassId(3)), &situation(601)), Saying::NeverSeen(ClassId(3)));
}
