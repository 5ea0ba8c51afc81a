//! The interface on panels in the world, for whoever wears a headset.
//!
//! In: roots of the interface that are [`ShownOn`] a panel, [`Tracking`], what stands before the head. Out, while the headset is
//! worn: a panel wherever one has something to show, where it lies in the play space. Menus are put before the head when they open
//! and stay there; words follow the head lazily. Without a headset the same roots are in the window as ever.
//!
//! `panel_view` draws panels, `panel_pointer` lets hands touch them. Lengths in metres, in the play space; sizes of the interface
//! in its own pixels (those of a window 720 pixels high).

use avian3d::prelude::*;
use bevy::{prelude::*, ui::UiSystems};

use super::{
    hand_marks,
    locomotion::yaw_of,
    panel_pointer, panel_view,
    tracked_rig::{PlaySpace, TrackedRigSystems, is_worn},
    tracking::{Pose, Side, Tracking},
    zone_ghosts,
};
use crate::world::{hand::HeldBy, player::Player};

/// Shows the interface in the headset, and what hands would take or where it would go. Needs `TrackedRigPlugin` and a renderer.
pub struct PanelsPlugin;

impl Plugin for PanelsPlugin {
    fn build(&self, app: &mut App) {
        // In the headset there is no cursor; `panel_pointer` does the same for hands.
        app.configure_sets(PreUpdate, UiSystems::Focus.run_if(not(is_worn)))
            .configure_sets(PreUpdate, PanelSystems.after(TrackedRigSystems).after(UiSystems::Focus))
            .add_systems(
                PreUpdate,
                (place_menu, follow_with_words).in_set(PlacePanels).in_set(PanelSystems).run_if(is_worn),
            )
            .add_systems(PostUpdate, choose_screen.before(UiSystems::Prepare));
        panel_pointer::plugin(app);
        panel_view::plugin(app);
        hand_marks::plugin(app);
        zone_ghosts::plugin(app);
    }
}

/// Panels are placed and hands point at them, in `PreUpdate`; screens read what comes of it after this.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PanelSystems;

/// The first part of [`PanelSystems`].
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PlacePanels;

/// Which panel shows a root of the interface while a headset is worn.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownOn(pub PanelKind);

/// The panels there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PanelKind {
    /// What hands operate.
    Menu,
    /// What is read in passing.
    Words,
}

/// How high an interface pixel is for the eye, in the middle of a panel: the tangent of its angle.
///
/// The smallest words have 13 pixels, their capitals 9.3: 0.62°. "Typography" in Microsoft's guidelines for mixed reality has 0.35°
/// to 0.4° as the least that can be read at two metres and 0.6° to 0.75° as what is read with ease.
pub const PIXEL_TANGENT: f32 = 0.00116;

/// Pixels of the picture for one of the interface: about as many as a headset has for the same angle (25 per degree).
const PICTURE_PIXELS: f32 = 1.6;

impl PanelKind {
    pub const ALL: [PanelKind; 2] = [PanelKind::Menu, PanelKind::Words];

    /// Interface pixels.
    pub fn canvas(self) -> Vec2 {
        match self {
            PanelKind::Menu => Vec2::new(760.0, 740.0),
            PanelKind::Words => Vec2::new(640.0, 400.0),
        }
    }

    /// Pixels of the picture.
    pub fn picture(self) -> UVec2 {
        (self.canvas() * PICTURE_PIXELS).as_uvec2()
    }

    /// From the eyes, where nothing is in the way, metres. Words lie behind the menu.
    pub fn distance(self) -> f32 {
        match self {
            PanelKind::Menu => 1.3,
            PanelKind::Words => 1.5,
        }
    }

    /// Of the middle, seen from the eyes, radians above the horizon.
    fn elevation(self) -> f32 {
        match self {
            PanelKind::Menu => -0.10,
            PanelKind::Words => -0.26,
        }
    }

    /// Metres of a panel that is so far away: nearer ones are smaller, so that their words are as large for the eye.
    pub fn size(self, distance: f32) -> Vec2 {
        self.canvas() * PIXEL_TANGENT * distance
    }
}

/// A panel in the world.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct Panel {
    pub kind: PanelKind,
    /// Its middle in the play space; +X to the right of who reads it, +Y up, +Z towards them.
    pub place: Isometry3d,
    /// Width and height, metres.
    pub size: Vec2,
    /// Whether there is something on it and somebody to see it.
    pub open: bool,
    /// The camera that draws the interface for it.
    pub camera: Entity,
    /// Where the head was when it was placed.
    placed_for: Option<Pose>,
}

impl Panel {
    pub(super) fn new(kind: PanelKind, camera: Entity) -> Self {
        let size = kind.size(kind.distance());
        Self { kind, place: Isometry3d::IDENTITY, size, open: false, camera, placed_for: None }
    }

    fn put(&mut self, place: Isometry3d, distance: f32) {
        self.place = place;
        self.size = self.kind.size(distance);
    }
}

/// Nearer than this no panel comes, whatever it is in: eyes cannot follow, metres.
const NEAREST: f32 = 0.4;
/// What stands behind a panel is left so much air, metres.
const AIR: f32 = 0.04;
/// A menu is put before the head again when that went so far away, metres.
const GONE: f32 = 1.2;
/// Words follow when the head turned so far from them, until they are so near again, radians.
const TURNED: (f32, f32) = (0.35, 0.03);
/// How fast they follow, seconds.
const FOLLOW_SECS: f32 = 0.3;

/// A place that faces a head from `distance` away, towards `yaw` and `elevation`.
pub fn facing(head: Vec3, yaw: f32, elevation: f32, distance: f32) -> Isometry3d {
    let rotation = Quat::from_rotation_y(yaw) * Quat::from_rotation_x(elevation);
    Isometry3d::new(head + rotation * Vec3::NEG_Z * distance, rotation)
}

/// What stands before a head.
#[derive(bevy::ecs::system::SystemParam)]
struct Surroundings<'w, 's> {
    spatial: SpatialQuery<'w, 's>,
    no_obstacle: Query<'w, 's, Entity, Or<(With<Player>, With<HeldBy>)>>,
    space: Res<'w, PlaySpace>,
}

impl Surroundings<'_, '_> {
    /// How far away a panel can be put so that neither its middle nor its corners are in something.
    fn free_distance(&self, kind: PanelKind, head: Vec3, yaw: f32, elevation: f32) -> f32 {
        let wanted = kind.distance();
        let place = facing(head, yaw, elevation, wanted);
        let filter = SpatialQueryFilter::from_excluded_entities(self.no_obstacle.iter());
        let eyes = self.space.now * head;
        let half = 0.5 * kind.size(wanted);
        let share = [Vec2::ZERO, half, -half, half * Vec2::new(1.0, -1.0), half * Vec2::new(-1.0, 1.0)]
            .into_iter()
            .filter_map(|corner| {
                let to = self.space.now * (place * corner.extend(0.0)) - eyes;
                let (direction, length) = Dir3::new_and_length(to).ok()?;
                let hit = self.spatial.cast_ray(eyes, direction, length + AIR, true, &filter)?;
                Some((hit.distance - AIR) / length)
            })
            .fold(1.0, f32::min);
        (wanted * share).max(NEAREST)
    }
}

/// A menu that opens is put before the head, and again when the head is elsewhere or asks to be put straight.
fn place_menu(tracking: Res<Tracking>, around: Surroundings, mut panels: Query<&mut Panel>) {
    let Some(head) = tracking.head else { return };
    let straight = Side::BOTH.iter().any(|side| tracking.hand(*side).stick_click);
    for mut panel in panels.iter_mut().filter(|panel| panel.kind == PanelKind::Menu && panel.open) {
        let stays = panel.placed_for.is_some_and(|then| then.position.distance(head.position) < GONE);
        if stays && !straight {
            continue;
        }
        let (yaw, elevation) = (yaw_of(head.rotation), panel.kind.elevation());
        let distance = around.free_distance(panel.kind, head.position, yaw, elevation);
        panel.put(facing(head.position, yaw, elevation, distance), distance);
        panel.placed_for = Some(head);
    }
}

/// Where words are about the head.
#[derive(Clone, Copy, Debug, Default)]
struct Lagging {
    yaw: f32,
    distance: f32,
    follows: bool,
}

impl Lagging {
    /// The direction after `seconds`, for a head that looks along `yaw`.
    fn turn(&mut self, yaw: f32, seconds: f32) {
        let off = (yaw - self.yaw + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU) - std::f32::consts::PI;
        self.follows = off.abs() > if self.follows { TURNED.1 } else { TURNED.0 };
        if self.follows {
            self.yaw += off * (1.0 - (-seconds / FOLLOW_SECS).exp());
        }
    }
}

/// Words are where the head looks, more or less.
fn follow_with_words(
    tracking: Res<Tracking>,
    time: Res<Time<Real>>,
    around: Surroundings,
    mut panels: Query<&mut Panel>,
    mut lagging: Local<Lagging>,
) {
    let Some(head) = tracking.head else { return };
    for mut panel in panels.iter_mut().filter(|panel| panel.kind == PanelKind::Words && panel.open) {
        let elevation = panel.kind.elevation();
        let appears = panel.placed_for.is_none();
        if appears {
            *lagging = Lagging { yaw: yaw_of(head.rotation), ..default() };
        }
        lagging.turn(yaw_of(head.rotation), time.delta_secs());
        let free = around.free_distance(panel.kind, head.position, lagging.yaw, elevation);
        let share = if appears { 1.0 } else { 1.0 - (-time.delta_secs() / FOLLOW_SECS).exp() };
        // Out of a wall at once, back from it slowly.
        lagging.distance = free.min(lagging.distance + (free - lagging.distance) * share);
        panel.put(facing(head.position, lagging.yaw, elevation, lagging.distance), lagging.distance);
        panel.placed_for = Some(head);
    }
}

/// Whether a root of the interface has anything to show.
fn shows(node: &ComputedNode, visibility: &InheritedVisibility) -> bool {
    visibility.get() && node.size().min_element() > 0.0
}

/// Roots of the interface go to the panels while a headset is worn, and back to the window. A menu takes the words along.
fn choose_screen(
    mut commands: Commands,
    tracking: Res<Tracking>,
    roots: Query<(Entity, &ShownOn, Option<&UiTargetCamera>, &ComputedNode, &InheritedVisibility)>,
    mut panels: Query<&mut Panel>,
) {
    let worn = is_worn(tracking);
    let menu = worn && roots.iter().any(|(_, on, ..)| on.0 == PanelKind::Menu);
    let words = worn && !menu && roots.iter().any(|(.., node, visibility)| shows(node, visibility));
    let mut cameras = [None; 2];
    for mut panel in &mut panels {
        let open = if panel.kind == PanelKind::Menu { menu } else { words };
        cameras[panel.kind as usize] = Some(panel.camera);
        if panel.open != open {
            panel.open = open;
            panel.placed_for = None;
        }
    }
    for (root, on, now, ..) in &roots {
        let kind = if menu { PanelKind::Menu } else { on.0 };
        let wanted = if worn { cameras[kind as usize] } else { None };
        match (wanted, now) {
            (Some(camera), now) if now.map(UiTargetCamera::entity) != Some(camera) => {
                commands.entity(root).insert(UiTargetCamera(camera));
            }
            (None, Some(_)) => {
                commands.entity(root).remove::<UiTargetCamera>();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_faces_the_head_upright_and_lies_where_it_looks() {
        let head = Vec3::new(0.3, 1.6, -0.2);
        let place = facing(head, 0.6, -0.2, 1.3);
        let towards = head - Vec3::from(place.translation);
        assert!((towards.length() - 1.3).abs() < 1e-5);
        assert!((place.rotation * Vec3::Z).distance(towards.normalize()) < 1e-5, "its front");
        assert!((place.rotation * Vec3::X).y.abs() < 1e-6, "level");
        let gaze = Quat::from_rotation_y(0.6) * Vec3::NEG_Z;
        assert!((-towards).xz().normalize().distance(gaze.xz().normalize()) < 1e-5);
        assert!(place.translation.y < head.y);
    }

    #[test]
    fn words_wait_for_a_head_that_turned_away_and_then_come_all_the_way() {
        let mut words = Lagging::default();
        for _ in 0..300 {
            words.turn(0.3, 1.0 / 60.0);
        }
        assert_eq!(words.yaw, 0.0, "a glance aside moves nothing");
        for _ in 0..300 {
            words.turn(3.0, 1.0 / 60.0);
        }
        assert!((words.yaw - 3.0).abs() < TURNED.1, "{}", words.yaw);
        for _ in 0..300 {
            words.turn(-2.5, 1.0 / 60.0);
        }
        // The short way, over the back.
        assert!((words.yaw - (std::f32::consts::TAU - 2.5)).abs() < TURNED.1, "{}", words.yaw);
    }

    #[test]
    fn nearer_panels_are_as_large_for_the_eye() {
        for kind in PanelKind::ALL {
            let seen = |distance: f32| kind.size(distance) / distance;
            assert!(seen(0.5).distance(seen(1.4)) < 1e-6);
            // Within what one sees without turning the head.
            let half = (0.5 * seen(1.0).max_element()).atan().to_degrees();
            assert!(half < 30.0, "{kind:?} reaches {half} degrees from its middle");
        }
    }
}
