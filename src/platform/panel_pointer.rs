//! Hands at a menu's panel: a ray that points and a trigger that presses, a finger that pokes, sticks and buttons.
//!
//! In: [`Tracking`], open [`Panel`]s, the nodes that the interface has on them. Out: their `Interaction`, as a mouse would have it;
//! [`PanelInput`] for what a mouse has not; [`Pulse`]s. Screens need to know of no hand.

use bevy::{prelude::*, ui::ComputedUiTargetCamera, ui::UiGlobalTransform};

use super::{
    flat::Steering,
    locomotion::Squeezed,
    panels::{Panel, PanelKind, PanelSystems, PlacePanels},
    tracked_rig::is_worn,
    tracking::{HandState, Pulse, Side, Tracking},
};
use crate::world::avatar::index_tip;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<PanelInput>()
        .init_resource::<PanelPointers>()
        .init_resource::<Steering>()
        .add_message::<Pulse>()
        .add_systems(
            PreUpdate,
            ((point, touch_nodes, read_buttons).chain().run_if(is_worn), forget.run_if(not(is_worn)))
                .chain()
                .in_set(PanelSystems)
                .after(PlacePanels),
        );
}

/// What hands ask of an open menu in this frame, besides what they point at.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PanelInput {
    /// Whether a hand points elsewhere than before.
    pub moved: bool,
    /// By a stick: to the right and up, one step at a time.
    pub step: IVec2,
    pub choose: bool,
    pub back: bool,
}

/// Where hands point.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub struct PanelPointers([PanelPointer; 2]);

impl PanelPointers {
    pub fn of(&self, side: Side) -> &PanelPointer {
        &self.0[side as usize]
    }
}

/// Where one hand points. All `None`: no menu is open, or the hand is not tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PanelPointer {
    /// The ray in the play space, along −Z.
    pub ray: Option<Isometry3d>,
    pub hit: Option<PanelHit>,
    pub by: Option<By>,
    trigger: Squeezed,
    touch: Touch,
    /// Whether it presses, and whether it began to in this frame.
    down: bool,
    begins: bool,
}

/// What a hand points with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Ray,
    Tip,
}

/// A place on a panel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PanelHit {
    /// Of the panel's picture, from its upper left corner.
    pub pixel: Vec2,
    /// From the hand, metres.
    pub distance: f32,
}

/// A finger nearer than this points instead of the hand's ray, metres.
const NEAR: f32 = 0.10;
/// A finger behind the panel by more than this is not on it any more, metres.
const THROUGH: f32 = 0.12;
/// So far it must come back before it can poke again, metres.
const LIFTED: f32 = 0.012;
/// A stick that stays pushed steps again after the first time, then each time, seconds.
const REPEAT_SECS: (f32, f32) = (0.45, 0.13);

fn pixel_of(panel: &Panel, on_panel: Vec2) -> Option<Vec2> {
    let share = Vec2::new(on_panel.x, -on_panel.y) / panel.size + 0.5;
    let inside = share.cmpge(Vec2::ZERO).all() && share.cmple(Vec2::ONE).all();
    inside.then(|| share * panel.kind.picture().as_vec2())
}

/// Where a ray meets the front of a panel.
pub fn ray_hit(panel: &Panel, ray: Isometry3d) -> Option<PanelHit> {
    let local = panel.place.inverse() * ray;
    let (from, along) = (Vec3::from(local.translation), local.rotation * Vec3::NEG_Z);
    if from.z <= 0.0 || along.z >= -1e-3 {
        return None;
    }
    let distance = -from.z / along.z;
    pixel_of(panel, (from + along * distance).xy()).map(|pixel| PanelHit { pixel, distance })
}

/// How a finger is on a panel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Touch {
    /// It was before the panel a moment ago, so that it did not come from behind.
    before: bool,
    down: bool,
}

impl Touch {
    /// Follows a fingertip, metres before the panel's front; `None`: it is beside it. Returns whether it begins to press.
    fn follow(&mut self, height: Option<f32>) -> bool {
        let Some(height) = height.filter(|height| *height > -THROUGH) else {
            *self = Touch::default();
            return false;
        };
        let begins = self.before && !self.down && height <= 0.0;
        self.down = (self.down || begins) && height < LIFTED;
        self.before = self.before || height > 0.0;
        begins
    }
}

impl PanelPointer {
    /// Follows one hand at one panel.
    fn follow(&mut self, panel: &Panel, side: Side, hand: &HandState) {
        let (Some(grip), ray) = (hand.grip.or(hand.aim), hand.aim.or(hand.grip)) else {
            *self = Self { trigger: self.trigger, ..default() };
            return;
        };
        let ray = ray.map(Isometry3d::from);
        let tip = hand.index_tip.unwrap_or_else(|| Isometry3d::from(grip) * index_tip(side == Side::Left, 0.0));
        let tip = panel.place.inverse() * tip;
        let touched = pixel_of(panel, tip.xy()).filter(|_| tip.z < NEAR);
        let pokes = self.touch.follow(touched.map(|_| tip.z));
        let was_down = self.trigger.0;
        let triggered = self.trigger.read(hand.trigger);
        self.ray = ray;
        if let Some(pixel) = touched {
            self.hit = Some(PanelHit { pixel, distance: 0.0 });
            (self.by, self.down, self.begins) = (Some(By::Tip), self.touch.down, pokes);
        } else {
            self.hit = ray.and_then(|ray| ray_hit(panel, ray));
            self.by = self.hit.map(|_| By::Ray);
            (self.down, self.begins) = (triggered, triggered && !was_down);
        }
    }
}

/// A menu is pointed at with both hands.
fn point(
    tracking: Res<Tracking>,
    panels: Query<&Panel>,
    mut pointers: ResMut<PanelPointers>,
    mut input: ResMut<PanelInput>,
) {
    let before = *pointers;
    let menu = panels.iter().find(|panel| panel.kind == PanelKind::Menu && panel.open);
    for side in Side::BOTH {
        let pointer = &mut pointers.0[side as usize];
        match menu {
            Some(panel) => pointer.follow(panel, side, tracking.hand(side)),
            // The trigger that is down when a menu opens does not press in it.
            None => *pointer = PanelPointer { trigger: Squeezed(true), ..default() },
        }
    }
    let moved = Side::BOTH.iter().any(|side| {
        let [then, now] = [&before, &*pointers].map(|pointers| pointers.of(*side).hit.map(|hit| hit.pixel));
        now.is_some_and(|now| then.is_none_or(|then| then.distance(now) > 0.5))
    });
    *input = PanelInput { moved, ..default() };
}

/// Nodes are hovered and pressed.
fn touch_nodes(
    pointers: Res<PanelPointers>,
    panels: Query<&Panel>,
    mut nodes: Query<(
        &mut Interaction,
        &ComputedNode,
        &UiGlobalTransform,
        &InheritedVisibility,
        &ComputedUiTargetCamera,
    )>,
    mut felt: Local<[Option<IVec2>; 2]>,
    mut pulses: MessageWriter<Pulse>,
) {
    let cameras: Vec<Entity> =
        panels.iter().filter(|panel| panel.kind == PanelKind::Menu && panel.open).map(|panel| panel.camera).collect();
    // For each hand the smallest node that it is on: its area and where it is.
    let mut smallest: [Option<(f32, IVec2)>; 2] = [None; 2];
    for (mut interaction, node, transform, visibility, target) in &mut nodes {
        if !visibility.get() || target.get().is_none_or(|camera| !cameras.contains(&camera)) {
            interaction.set_if_neq(Interaction::None);
            continue;
        }
        let mut now = Interaction::None;
        for side in Side::BOTH {
            let pointer = pointers.of(side);
            if !pointer.hit.is_some_and(|hit| node.contains_point(*transform, hit.pixel)) {
                continue;
            }
            let pressed = pointer.begins || (pointer.down && *interaction == Interaction::Pressed);
            now = match now {
                Interaction::Pressed => Interaction::Pressed,
                _ if pressed => Interaction::Pressed,
                _ => Interaction::Hovered,
            };
            let (area, place) = (node.size().element_product(), transform.translation.round().as_ivec2());
            let smallest = &mut smallest[side as usize];
            if smallest.is_none_or(|(least, _)| area < least) {
                *smallest = Some((area, place));
            }
        }
        interaction.set_if_neq(now);
    }
    for side in Side::BOTH {
        // A page that is drawn anew under a resting hand is not felt.
        let now = smallest[side as usize].map(|(_, place)| place);
        let before = std::mem::replace(&mut felt[side as usize], now);
        if now.is_some() && pointers.of(side).begins {
            pulses.write(Pulse { side, strength: 0.5, seconds: 0.04 });
        } else if now.is_some() && now != before {
            pulses.write(Pulse { side, strength: 0.15, seconds: 0.015 });
        }
    }
}

/// A stick as steps: one when it is pushed over, more while it stays there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Steps {
    direction: IVec2,
    until_next_secs: f32,
}

impl Steps {
    fn read(&mut self, stick: Vec2, seconds: f32) -> IVec2 {
        let threshold = if self.direction == IVec2::ZERO { 0.7 } else { 0.4 };
        let direction = if stick.abs().max_element() < threshold {
            IVec2::ZERO
        } else if stick.x.abs() > stick.y.abs() {
            IVec2::new(stick.x.signum() as i32, 0)
        } else {
            IVec2::new(0, stick.y.signum() as i32)
        };
        let is_new = direction != self.direction;
        self.direction = direction;
        self.until_next_secs -= seconds;
        if direction == IVec2::ZERO || (!is_new && self.until_next_secs > 0.0) {
            return IVec2::ZERO;
        }
        self.until_next_secs = if is_new { REPEAT_SECS.0 } else { REPEAT_SECS.1 };
        direction
    }
}

/// Sticks and buttons, while the body does not want them.
fn read_buttons(
    tracking: Res<Tracking>,
    steering: Res<Steering>,
    time: Res<Time<Real>>,
    mut steps: Local<[Steps; 2]>,
    mut were_down: Local<[bool; 2]>,
    mut input: ResMut<PanelInput>,
) {
    let any = |is_down: fn(&HandState) -> bool| Side::BOTH.iter().any(|side| is_down(tracking.hand(*side)));
    let down = [any(|hand| hand.primary), any(|hand| hand.menu || hand.secondary)];
    let before = std::mem::replace(&mut *were_down, down);
    let step = Side::BOTH
        .map(|side| steps[side as usize].read(tracking.hand(side).stick, time.delta_secs()))
        .into_iter()
        .find(|step| *step != IVec2::ZERO);
    if !steering.0 {
        input.step = step.unwrap_or_default();
        [input.choose, input.back] = [down[0] && !before[0], down[1] && !before[1]];
    }
}

fn forget(mut pointers: ResMut<PanelPointers>, mut input: ResMut<PanelInput>) {
    pointers.set_if_neq(PanelPointers::default());
    input.set_if_neq(PanelInput::default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::panels::facing;

    fn panel() -> Panel {
        let mut panel = Panel::new(PanelKind::Menu, Entity::PLACEHOLDER);
        panel.place = facing(Vec3::new(0.0, 1.6, 0.0), 0.4, -0.1, 1.3);
        panel
    }

    fn look(from: Vec3, at: Vec3) -> Isometry3d {
        Transform::from_translation(from).looking_at(at, Vec3::Y).to_isometry()
    }

    #[test]
    fn a_ray_meets_the_pixel_that_it_points_at_and_no_panel_from_behind() {
        let panel = panel();
        let hand = Vec3::new(0.3, 1.1, -0.1);
        let picture = panel.kind.picture().as_vec2();
        for share in [Vec2::splat(0.5), Vec2::new(0.1, 0.9), Vec2::new(0.97, 0.02)] {
            let on_panel = (share - 0.5) * panel.size * Vec2::new(1.0, -1.0);
            let target = panel.place * on_panel.extend(0.0);
            let hit = ray_hit(&panel, look(hand, target)).expect("a hit");
            assert!(hit.pixel.distance(share * picture) < 0.1, "{} instead of {}", hit.pixel, share * picture);
            assert!((hit.distance - hand.distance(target)).abs() < 1e-4);
        }
        let beside = panel.place * Vec3::new(0.51 * panel.size.x, 0.0, 0.0);
        assert_eq!(ray_hit(&panel, look(hand, beside)), None);
        let (behind, middle) = (panel.place * Vec3::NEG_Z, Vec3::from(panel.place.translation));
        assert_eq!(ray_hit(&panel, look(behind, middle)), None);
    }

    #[test]
    fn a_finger_pokes_once_until_it_is_lifted_and_not_from_behind() {
        let mut touch = Touch::default();
        let pokes =
            |touch: &mut Touch, heights: &[f32]| heights.iter().filter(|height| touch.follow(Some(**height))).count();
        assert_eq!(
            pokes(&mut touch, &[0.06, 0.02, -0.004, -0.01, 0.004, -0.003]),
            1,
            "it trembled, and was not lifted"
        );
        assert!(touch.down);
        assert_eq!(pokes(&mut touch, &[0.02, -0.002]), 1);
        touch.follow(None);
        assert_eq!(pokes(&mut touch, &[-0.05, -0.01]), 0, "it came through from behind");
    }

    #[test]
    fn a_stick_steps_once_and_repeats_while_it_stays() {
        let mut steps = Steps::default();
        let mut count = |stick: Vec2, frames: usize| -> i32 {
            (0..frames).map(|_| steps.read(stick, 1.0 / 60.0)).map(|step| step.y).sum()
        };
        assert_eq!(count(Vec2::new(0.1, -0.5), 10), 0, "not far enough");
        assert_eq!(count(Vec2::new(0.1, -0.9), 10), -1);
        assert_eq!(count(Vec2::new(0.0, -0.9), 60), -6);
        assert_eq!(count(Vec2::ZERO, 2), 0);
        assert_eq!(count(Vec2::Y, 1), 1);
    }
}
