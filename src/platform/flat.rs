//! The flat rig: a camera in a window, steered by mouse, keyboard and gamepads.
//!
//! In: input devices, [`Settings`], [`Steering`]. Out: `WalkIntent` and `HandIntent` of the player, the camera's pose
//! (between ticks, so that it is smooth at any frame rate; turns are immediate), the cursor, [`Pressed`] for what is not
//! about the body. Not here: menus, what is drawn over the picture.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use bevy::{
    input::{
        InputSystems,
        mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll},
    },
    prelude::*,
    window::{CursorGrabMode, CursorOptions, PrimaryWindow},
};

use super::{
    bindings::{Action, Devices},
    input_log::{Replay, is_replaying},
    panel_pointer::PanelInput,
    settings::Settings,
    tracked_rig::TrackedRigSystems,
    tracking::Tracking,
};
use crate::world::{
    HandIntent, WalkIntent,
    hand::Holding,
    player::{Player, ViewPose, view_rotation},
};

/// Steers the player from a window.
pub struct FlatRigPlugin;

impl Plugin for FlatRigPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Steering>()
            .init_resource::<PadInUse>()
            .add_message::<Pressed>()
            .add_systems(
                PreUpdate,
                (announce_presses, steer.run_if(not(in_headset).and_then(not(is_replaying))))
                    .chain()
                    .after(InputSystems)
                    .before(TrackedRigSystems),
            )
            .add_systems(Update, (spawn_camera, set_field_of_view, hold_cursor))
            .add_systems(PostUpdate, follow_player.before(TransformSystems::Propagate));
    }
}

/// Whether input moves the player (and the cursor is hidden); false while a menu is open or something loads.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steering(pub bool);

/// Whether the gamepad was used last; hints on screen follow it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PadInUse(pub bool);

/// An action began in this frame. Only those that are not about the body.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed(pub Action);

/// The player's camera. Others dress it (sky, exposure, listener).
#[derive(Component, Clone, Copy, Debug, Default)]
#[require(Camera3d)]
pub struct FlatCamera;

/// Radians per second at full deflection of the right stick.
const STICK_TURN_RATE: f32 = 2.6;
/// Metres per second while a push button is held; one line of the wheel counts as a twelfth of a second.
const PUSH_SPEED: f32 = 1.2;
const PUSH_PER_WHEEL_LINE: f32 = 0.1;
/// Turning a held thing is this much faster than looking.
const HELD_TURN_GAIN: f32 = 2.5;
/// The window follows a tracked head within this time, seconds.
const MIRROR_SECS: f32 = 0.12;
const PITCH_LIMIT: f32 = FRAC_PI_2 - 0.02;

/// What the devices ask of the body in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Wish {
    walk: Vec2,
    run: bool,
    crouch: bool,
    jump: bool,
    /// Yaw and pitch, radians.
    look: Vec2,
    grab_begins: bool,
    grab_held: bool,
    throw: bool,
    /// Metres.
    push: f32,
    turning: bool,
}

/// Reads the devices.
fn read_wish(devices: &Devices, mouse_pixels: Vec2, settings: &Settings, frame_secs: f32) -> Wish {
    let bindings = &settings.bindings;
    let holds = |action| devices.holds(bindings, action);
    let radians_per_pixel = (settings.mouse_sensitivity / 100.0).to_radians();
    let stick: Vec2 = devices.pads.iter().map(|pad| pad.right_stick()).sum::<Vec2>().clamp_length_max(1.0);
    // Squared: fine near the middle, quick at the rim.
    let stick = stick * stick.length() * STICK_TURN_RATE * frame_secs;
    let mut look =
        Vec2::new(-mouse_pixels.x * radians_per_pixel - stick.x, -mouse_pixels.y * radians_per_pixel + stick.y);
    if settings.invert_pitch {
        look.y = -look.y;
    }
    let wheel = bindings
        .of(Action::Push)
        .iter()
        .chain(bindings.of(Action::Pull))
        .any(|input| matches!(input, super::bindings::Input::WheelUp | super::bindings::Input::WheelDown));
    let push_buttons = match (holds(Action::Push), holds(Action::Pull)) {
        (true, false) => 1.0,
        (false, true) => -1.0,
        _ => 0.0,
    };
    let push = if wheel && devices.wheel != 0.0 {
        push_buttons * devices.wheel.abs().min(5.0) * PUSH_PER_WHEEL_LINE
    } else {
        push_buttons * PUSH_SPEED * frame_secs
    };
    Wish {
        walk: devices.walk(bindings),
        run: holds(Action::Run),
        crouch: holds(Action::Crouch),
        jump: devices.begins(bindings, Action::Jump),
        look,
        grab_begins: devices.begins(bindings, Action::Grab),
        grab_held: holds(Action::Grab),
        throw: devices.begins(bindings, Action::Throw),
        push,
        turning: holds(Action::Turn),
    }
}

/// Writes a wish into the intents. What lasts one tick (jump, throw) stays set until a tick has used it, since a frame may
/// be shorter than a tick.
fn apply_wish(
    wish: &Wish,
    holds_something: bool,
    toggle_grab: bool,
    frame_secs: f32,
    walk: &mut WalkIntent,
    hand: &mut HandIntent,
) {
    let per_sec = 1.0 / frame_secs.max(1e-3);
    walk.direction = wish.walk;
    walk.run = wish.run;
    walk.crouch = wish.crouch;
    walk.jump |= wish.jump;
    let turns_held = wish.turning && holds_something;
    if turns_held {
        hand.turn = Vec2::new(-wish.look.x, -wish.look.y) * HELD_TURN_GAIN * per_sec;
    } else {
        hand.turn = Vec2::ZERO;
        walk.yaw = (walk.yaw + wish.look.x + PI).rem_euclid(TAU) - PI;
        walk.pitch = (walk.pitch + wish.look.y).clamp(-PITCH_LIMIT, PITCH_LIMIT);
    }
    hand.push = wish.push * per_sec;
    hand.throw |= wish.throw && holds_something;
    hand.grab = match (toggle_grab, holds_something) {
        (false, _) => wish.grab_held,
        // The press that took it may still be down; the next one lets go.
        (true, true) => hand.grab && !wish.grab_begins,
        (true, false) => wish.grab_held,
    };
}

/// Everything that reads devices.
#[derive(bevy::ecs::system::SystemParam)]
pub struct DeviceInput<'w, 's> {
    keys: Res<'w, ButtonInput<KeyCode>>,
    mouse: Res<'w, ButtonInput<MouseButton>>,
    scroll: Res<'w, AccumulatedMouseScroll>,
    pads: Query<'w, 's, &'static Gamepad>,
    hands: Option<Res<'w, PanelInput>>,
}

impl DeviceInput<'_, '_> {
    /// Calls `read` with what the devices do in this frame.
    pub fn read<T>(&self, read: impl FnOnce(&Devices) -> T) -> T {
        let pads: Vec<&Gamepad> = self.pads.iter().collect();
        let hands = self.hands.as_ref().map(|hands| **hands).unwrap_or_default();
        read(&Devices { keys: &self.keys, mouse: &self.mouse, wheel: self.scroll.delta.y, pads: &pads, hands })
    }
}

fn announce_presses(
    input: DeviceInput,
    settings: Res<Settings>,
    motion: Res<AccumulatedMouseMotion>,
    replay: Option<Res<Replay>>,
    mut pad_in_use: ResMut<PadInUse>,
    mut pressed: MessageWriter<Pressed>,
) {
    let replaying = is_replaying(replay);
    input.read(|devices| {
        let announced = [
            Action::Pause,
            Action::Panel,
            Action::Labels,
            Action::Screenshot,
            Action::Ask,
            Action::Materials,
            Action::Headset,
        ];
        for action in announced {
            if devices.begins(&settings.bindings, action) && !(replaying && action.commands()) {
                pressed.write(Pressed(action));
            }
        }
        let by_pad = devices.pads.iter().any(|pad| {
            pad.get_just_pressed().next().is_some() || pad.left_stick().length().max(pad.right_stick().length()) > 0.5
        });
        let by_hand = motion.delta != Vec2::ZERO
            || devices.keys.get_just_pressed().next().is_some()
            || devices.mouse.get_just_pressed().next().is_some();
        if by_pad || by_hand {
            pad_in_use.set_if_neq(PadInUse(by_pad));
        }
    });
}

/// While the headset is worn, its rig steers.
pub fn in_headset(tracking: Option<Res<Tracking>>) -> bool {
    tracking.is_some_and(|tracking| tracking.worn)
}

fn steer(
    input: DeviceInput,
    motion: Res<AccumulatedMouseMotion>,
    settings: Res<Settings>,
    steering: Res<Steering>,
    time: Res<Time<Real>>,
    mut players: Query<(&mut WalkIntent, &mut HandIntent, Option<&Holding>), With<Player>>,
    mut stale_grab: Local<bool>,
) {
    let frame_secs = time.delta_secs();
    // The click that closed a menu is no grab: the button counts again once it has been up.
    if !steering.0 {
        *stale_grab = true;
    }
    let mut wish = if steering.0 {
        input.read(|devices| read_wish(devices, motion.delta, &settings, frame_secs))
    } else {
        Wish::default()
    };
    if steering.0 {
        *stale_grab &= wish.grab_held;
        wish.grab_held &= !*stale_grab;
    }
    for (mut walk, mut hand, holding) in &mut players {
        let holds = holding.is_some();
        if steering.0 {
            // What was taken because somebody said so stays in the hand although no button is down.
            let toggle_grab = settings.toggle_grab || holding.is_some_and(|holding| holding.by_word);
            apply_wish(&wish, holds, toggle_grab, frame_secs, &mut walk, &mut hand);
        } else {
            // Stand still; what is held stays in the hand.
            *walk = WalkIntent { yaw: walk.yaw, pitch: walk.pitch, crouch: walk.crouch, ..default() };
            *hand = HandIntent { grab: holds, ..default() };
        }
    }
}

fn spawn_camera(
    mut commands: Commands,
    players: Query<&ViewPose, Added<Player>>,
    cameras: Query<(), With<FlatCamera>>,
) {
    if let Some(view) = players.iter().next()
        && cameras.is_empty()
    {
        commands.spawn((FlatCamera, Name::new("flat camera"), Transform::from_isometry(view.now)));
    }
}

fn set_field_of_view(settings: Res<Settings>, mut cameras: Query<(Ref<FlatCamera>, &mut Projection)>) {
    for (camera, mut projection) in &mut cameras {
        if settings.is_changed() || camera.is_added() {
            *projection = Projection::Perspective(PerspectiveProjection {
                fov: settings.field_of_view_degrees.to_radians(),
                near: 0.05,
                ..default()
            });
        }
    }
}

/// The camera is between the last two ticks, its direction is that of this very frame; in a headset it follows the head as
/// steadily as whoever watches the window needs it.
fn follow_player(
    time: Res<Time<Fixed>>,
    real: Res<Time<Real>>,
    tracking: Option<Res<Tracking>>,
    players: Query<(&ViewPose, &WalkIntent), With<Player>>,
    mut cameras: Query<&mut Transform, With<FlatCamera>>,
) {
    let Ok((view, intent)) = players.single() else { return };
    for mut transform in &mut cameras {
        transform.translation = view.between(time.overstep_fraction());
        let rotation = view_rotation(intent.yaw, intent.pitch);
        let worn = tracking.as_ref().is_some_and(|tracking| tracking.worn);
        transform.rotation = if worn {
            transform.rotation.slerp(rotation, 1.0 - (-real.delta_secs() / MIRROR_SECS).exp())
        } else {
            rotation
        };
    }
}

/// The cursor belongs to the world while it is steered in a focused window.
fn hold_cursor(steering: Res<Steering>, mut windows: Query<(&Window, &mut CursorOptions), With<PrimaryWindow>>) {
    for (window, mut cursor) in &mut windows {
        let held = steering.0 && window.focused;
        let grab_mode = if held { CursorGrabMode::Locked } else { CursorGrabMode::None };
        if cursor.grab_mode != grab_mode || cursor.visible == held {
            cursor.grab_mode = grab_mode;
            cursor.visible = !held;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::player::Walker;

    /// A rig without window whose devices a test presses.
    struct Sofa {
        app: App,
        player: Entity,
    }

    impl Sofa {
        fn new() -> Self {
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, FlatRigPlugin))
                .init_resource::<ButtonInput<KeyCode>>()
                .init_resource::<ButtonInput<MouseButton>>()
                .init_resource::<AccumulatedMouseMotion>()
                .init_resource::<AccumulatedMouseScroll>()
                .init_resource::<Settings>()
                .insert_resource(Steering(true));
            let player =
                app.world_mut().spawn((Player, WalkIntent::default(), HandIntent::default(), Walker::default())).id();
            Self { app, player }
        }

        fn press(&mut self, key: KeyCode) {
            self.app.world_mut().resource_mut::<ButtonInput<KeyCode>>().press(key);
        }

        fn release(&mut self, key: KeyCode) {
            self.app.world_mut().resource_mut::<ButtonInput<KeyCode>>().release(key);
        }

        fn move_mouse(&mut self, pixels: Vec2) {
            self.app.world_mut().resource_mut::<AccumulatedMouseMotion>().delta = pixels;
        }

        /// One frame; then the devices forget what was new in it.
        fn frame(&mut self) -> (WalkIntent, HandIntent) {
            self.app.update();
            let world = self.app.world_mut();
            world.resource_mut::<ButtonInput<KeyCode>>().clear();
            world.resource_mut::<ButtonInput<MouseButton>>().clear();
            world.resource_mut::<AccumulatedMouseMotion>().delta = Vec2::ZERO;
            world.resource_mut::<AccumulatedMouseScroll>().delta = Vec2::ZERO;
            (*world.get(self.player).unwrap(), *world.get(self.player).unwrap())
        }

        fn hold_something(&mut self, holds: bool) {
            let body = self.app.world_mut().spawn_empty().id();
            let mut player = self.app.world_mut().entity_mut(self.player);
            if holds {
                player.insert(Holding::at_arms_length(body));
            } else {
                player.remove::<Holding>();
            }
        }
    }

    #[test]
    fn keys_walk_and_stop_walking() {
        let mut sofa = Sofa::new();
        sofa.press(KeyCode::KeyW);
        sofa.press(KeyCode::KeyD);
        sofa.press(KeyCode::ShiftLeft);
        let (walk, _) = sofa.frame();
        assert!((walk.direction - Vec2::ONE.normalize()).length() < 1e-6 && walk.run);
        sofa.release(KeyCode::KeyD);
        assert_eq!(sofa.frame().0.direction, Vec2::Y);
        sofa.release(KeyCode::KeyW);
        assert_eq!(sofa.frame().0.direction, Vec2::ZERO);
    }

    #[test]
    fn the_mouse_turns_the_view_and_not_upside_down() {
        let mut sofa = Sofa::new();
        sofa.move_mouse(Vec2::new(100.0, 0.0));
        // 10° per 100 pixels; to the right is negative about +Y.
        assert!((sofa.frame().0.yaw + 10_f32.to_radians()).abs() < 1e-5);
        sofa.move_mouse(Vec2::new(0.0, -1e5));
        let (walk, _) = sofa.frame();
        assert!(walk.pitch > 1.5 && walk.pitch < FRAC_PI_2);
    }

    #[test]
    fn a_jump_waits_for_the_tick_that_uses_it() {
        let mut sofa = Sofa::new();
        sofa.press(KeyCode::Space);
        assert!(sofa.frame().0.jump);
        assert!(sofa.frame().0.jump, "frames without a tick keep it");
    }

    #[test]
    fn one_press_takes_and_the_next_lets_go() {
        let mut sofa = Sofa::new();
        sofa.press(KeyCode::KeyE);
        assert!(sofa.frame().1.grab);
        sofa.hold_something(true);
        assert!(sofa.frame().1.grab, "the key is still down");
        sofa.release(KeyCode::KeyE);
        assert!(sofa.frame().1.grab, "the key is up, the thing stays in the hand");
        sofa.press(KeyCode::KeyE);
        assert!(!sofa.frame().1.grab);
        sofa.hold_something(false);
        sofa.release(KeyCode::KeyE);
        assert!(!sofa.frame().1.grab);
    }

    #[test]
    fn without_toggle_a_thing_is_held_as_long_as_the_button() {
        let mut sofa = Sofa::new();
        sofa.app.world_mut().resource_mut::<Settings>().toggle_grab = false;
        sofa.press(KeyCode::KeyE);
        assert!(sofa.frame().1.grab);
        sofa.hold_something(true);
        sofa.release(KeyCode::KeyE);
        assert!(!sofa.frame().1.grab);
    }

    #[test]
    fn a_held_thing_is_turned_pushed_and_thrown() {
        let mut sofa = Sofa::new();
        sofa.press(KeyCode::KeyE);
        sofa.frame();
        sofa.hold_something(true);
        sofa.press(KeyCode::KeyR);
        sofa.move_mouse(Vec2::new(50.0, 0.0));
        let (walk, hand) = sofa.frame();
        assert_eq!(walk.yaw, 0.0, "the view stays while the thing turns");
        assert!(hand.turn.x > 0.0);
        sofa.release(KeyCode::KeyR);
        sofa.app.world_mut().resource_mut::<AccumulatedMouseScroll>().delta = Vec2::Y * 2.0;
        assert!(sofa.frame().1.push > 0.0);
        sofa.app.world_mut().resource_mut::<ButtonInput<MouseButton>>().press(MouseButton::Right);
        assert!(sofa.frame().1.throw);
    }

    #[test]
    fn a_menu_takes_the_input_but_leaves_the_thing_in_the_hand() {
        let mut sofa = Sofa::new();
        sofa.hold_something(true);
        sofa.app.insert_resource(Steering(false));
        sofa.press(KeyCode::KeyW);
        sofa.move_mouse(Vec2::splat(80.0));
        let (walk, hand) = sofa.frame();
        assert_eq!((walk.direction, walk.yaw, hand.grab), (Vec2::ZERO, 0.0, true));
    }

    #[test]
    fn the_click_that_closes_a_menu_takes_nothing() {
        let mut sofa = Sofa::new();
        sofa.app.insert_resource(Steering(false));
        sofa.press(KeyCode::KeyE);
        sofa.frame();
        sofa.app.insert_resource(Steering(true));
        assert!(!sofa.frame().1.grab);
        sofa.release(KeyCode::KeyE);
        sofa.frame();
        sofa.press(KeyCode::KeyE);
        assert!(sofa.frame().1.grab);
    }

    #[test]
    fn a_rebound_key_works_at_once() {
        let mut sofa = Sofa::new();
        let forward = super::super::bindings::Input::Key(KeyCode::KeyI);
        sofa.app.world_mut().resource_mut::<Settings>().bindings.rebind(Action::Forward, forward);
        sofa.press(KeyCode::KeyI);
        assert_eq!(sofa.frame().0.direction, Vec2::Y);
    }

    #[test]
    fn a_gamepad_walks_looks_and_takes() {
        let mut sofa = Sofa::new();
        let mut pad = Gamepad::default();
        pad.analog_mut().set(GamepadAxis::LeftStickY, 1.0);
        pad.analog_mut().set(GamepadAxis::RightStickX, 1.0);
        pad.digital_mut().press(GamepadButton::RightTrigger2);
        sofa.app.world_mut().spawn(pad);
        std::thread::sleep(std::time::Duration::from_millis(5));
        sofa.frame();
        std::thread::sleep(std::time::Duration::from_millis(5));
        let (walk, hand) = sofa.frame();
        assert!(walk.direction.y > 0.99 && walk.yaw < 0.0 && hand.grab);
        assert!(sofa.app.world().resource::<PadInUse>().0);
    }
}
