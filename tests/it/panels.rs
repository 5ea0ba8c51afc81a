//! The interface on panels in the world, operated by hands that are values: no device, no OpenXR. Needs a renderer, a software one
//! will do; without one the tests say `SKIPPED` and pass.

use bevy::{
    camera::{RenderTarget, visibility::RenderLayers},
    prelude::*,
    ui::{ComputedUiTargetCamera, UiGlobalTransform},
};
use umwelt::{
    app::headless::{finish, headless_app, picture_target, take_picture},
    game::{Attended, FloatingLabel, FloatingLabels, GamePlugin, GameState, notices::Notice},
    platform::{
        PANELS_LAYER, PanelsPlugin, TrackedRigPlugin,
        flat::FlatRigPlugin,
        panels::{Panel, PanelKind, ShownOn},
        settings::{Comfort, Settings},
        tracked_rig::{PlaySpace, RigHand},
        tracking::{Pose, Pulse, Side, Tracking},
    },
    scene::PoseSpec,
    world::{
        HandIntent,
        avatar::index_tip,
        hand::HandPlugin,
        physics::WorldPhysicsPlugin,
        player::{PlayerPlugin, WalkSettings, player_bundle},
    },
};

use crate::physics::{block, floor};

/// Lato's capitals, of its size: `sCapHeight` of the table OS/2 ÷ units per em.
const CAPITALS: f32 = 1435.0 / 2000.0;

/// A floor, a player in a headset, the game's screens.
struct Worn(App);

impl Worn {
    fn new(test: &str) -> Option<Self> {
        Self::with(test, settled())
    }

    fn with(test: &str, settings: Settings) -> Option<Self> {
        let mut app = match headless_app() {
            Ok(app) => app,
            Err(lacking) => {
                println!("SKIPPED: {test}: {lacking}");
                return None;
            }
        };
        app.insert_resource(settings)
            .insert_resource(ClearColor(Color::srgb(0.45, 0.55, 0.62)))
            .add_plugins((WorldPhysicsPlugin, PlayerPlugin, HandPlugin, TrackedRigPlugin, PanelsPlugin))
            .add_plugins((FlatRigPlugin, GamePlugin));
        finish(&mut app);
        floor(&mut app);
        let body = player_bundle(PoseSpec { position: Vec3::ZERO, yaw: 0.0 }, &WalkSettings::default());
        app.world_mut().spawn(body);
        let mut worn = Self(app);
        worn.0.world_mut().resource_mut::<NextState<GameState>>().set(GameState::Playing);
        worn.act(|tracking| {
            tracking.worn = true;
            tracking.head = Some(at(0.0, 1.6, 0.0));
            tracking.hand_mut(Side::Right).grip = Some(at(0.25, 1.2, -0.3));
            tracking.hand_mut(Side::Right).aim = Some(at(0.25, 1.2, -0.3));
        });
        worn.frames(5);
        Some(worn)
    }

    fn act(&mut self, change: impl FnOnce(&mut Tracking)) {
        let mut tracking = self.0.world_mut().resource_mut::<Tracking>();
        change(&mut tracking);
        tracking.seconds += 1.0 / 60.0;
        self.0.update();
    }

    fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.act(|_| {});
        }
    }

    /// Presses and lets go.
    fn press(&mut self, button: fn(&mut Tracking) -> &mut bool) {
        self.act(|tracking| *button(tracking) = true);
        self.act(|tracking| *button(tracking) = false);
        self.frames(3);
    }

    fn panel(&mut self, kind: PanelKind) -> Panel {
        panel(&mut self.0, kind)
    }

    fn state(&self) -> GameState {
        *self.0.world().resource::<State<GameState>>().get()
    }

    fn words(&mut self) -> Vec<String> {
        let world = self.0.world_mut();
        world.query::<&Text>().iter(world).map(|text| text.0.clone()).collect()
    }

    /// Where on the menu's panel a row with these words is, in the play space.
    fn place_of(&mut self, words: &str) -> Vec3 {
        place_on_menu(&mut self.0, words)
    }

    /// Points the right hand from where it is.
    fn aim_at(&mut self, target: Vec3) {
        self.act(|tracking| {
            let hand = tracking.hand_mut(Side::Right);
            let from = Vec3::new(0.25, 1.2, -0.3);
            let rotation = Transform::from_translation(from).looking_at(target, Vec3::Y).rotation;
            hand.grip = Some(at(from.x, from.y, from.z));
            hand.aim = Some(Pose { position: from, rotation });
        });
        self.frames(2);
    }

    /// Points at a row of the menu and presses it.
    fn choose(&mut self, row: &str) {
        let place = self.place_of(row);
        self.aim_at(place);
        self.trigger(1.0);
        self.trigger(0.0);
    }

    fn trigger(&mut self, value: f32) {
        self.act(|tracking| tracking.hand_mut(Side::Right).trigger = value);
        self.frames(3);
    }

    fn pulses(&mut self) -> Vec<Pulse> {
        self.0.world_mut().resource_mut::<Messages<Pulse>>().drain().collect()
    }

    /// Brings the tip of the left hand's index finger to `height` before a place on the menu's panel.
    fn finger(&mut self, target: Vec3, height: f32) {
        let panel = self.panel(PanelKind::Menu);
        let tip = target + panel.place.rotation * Vec3::Z * height;
        // As one points: fingers into the panel.
        let rotation = panel.place.rotation * Quat::from_rotation_x(std::f32::consts::FRAC_PI_2);
        let position = tip - rotation * index_tip(true, 0.0);
        self.act(|tracking| tracking.hand_mut(Side::Left).grip = Some(Pose { position, rotation }));
    }

    /// The least angle that capitals of the interface have for the eye on a panel, degrees, and all words' boxes lie on it.
    fn least_capitals(&mut self, kind: PanelKind) -> f32 {
        let panel = self.panel(kind);
        assert!(panel.open, "{kind:?}");
        let head = self.0.world().resource::<Tracking>().head.unwrap().position;
        let distance = head.distance(panel.place.translation.into());
        let metres_per_pixel = panel.size.y / kind.picture().y as f32;
        let world = self.0.world_mut();
        let mut texts = world.query::<(
            &Text,
            &TextFont,
            &ComputedNode,
            &UiGlobalTransform,
            &ComputedUiTargetCamera,
            &InheritedVisibility,
        )>();
        let mut least = f32::MAX;
        for (text, font, node, transform, camera, visible) in texts.iter(world) {
            if camera.get() != Some(panel.camera) || text.0.trim().is_empty() || !visible.get() {
                continue;
            }
            let FontSize::Px(pixels) = font.font_size else { panic!("{:?}", font.font_size) };
            let capitals = pixels * CAPITALS / node.inverse_scale_factor() * metres_per_pixel;
            least = least.min(2.0 * (0.5 * capitals / distance).atan().to_degrees());
            let corner = (transform.translation.abs() + 0.5 * node.size()) / kind.picture().as_vec2();
            assert!(corner.max_element() <= 1.001, "{:?} leaves the panel: {corner}", text.0);
        }
        least
    }

    /// What the head sees, for people who look: saved where `UMWELT_TEST_PICTURES` says.
    fn photograph(&mut self, name: &str) -> image::RgbImage {
        let head = self.0.world().resource::<Tracking>().head.unwrap();
        let pose = self.0.world().resource::<PlaySpace>().now * Isometry3d::from(head);
        let world = self.0.world_mut();
        let target = picture_target(&mut world.resource_mut::<Assets<Image>>(), 1200, 1200);
        let camera = world
            .spawn((
                Camera3d::default(),
                Projection::Perspective(PerspectiveProjection { fov: 80_f32.to_radians(), near: 0.05, ..default() }),
                RenderTarget::Image(target.clone().into()),
                RenderLayers::from_layers(&[0, PANELS_LAYER]),
                Transform::from_isometry(pose),
            ))
            .id();
        self.frames(3);
        let picture = take_picture(&mut self.0, &target).expect("a picture");
        self.0.world_mut().despawn(camera);
        if let Some(folder) = std::env::var_os("UMWELT_TEST_PICTURES") {
            picture.save(std::path::Path::new(&folder).join(name)).expect("saved");
        }
        picture
    }
}

/// The settings of a player who was asked how to move.
pub fn settled() -> Settings {
    let mut settings = Settings::default();
    settings.headset.comfort_chosen = true;
    settings
}

pub fn panel(app: &mut App, kind: PanelKind) -> Panel {
    let world = app.world_mut();
    *world.query::<&Panel>().iter(world).find(|panel| panel.kind == kind).expect("a panel")
}

/// Where on the menu's panel a row with these words is, in the play space.
pub fn place_on_menu(app: &mut App, words: &str) -> Vec3 {
    let panel = panel(app, PanelKind::Menu);
    let world = app.world_mut();
    let mut texts = world.query::<(&Text, &UiGlobalTransform, &ComputedUiTargetCamera)>();
    let (_, transform, camera) = texts.iter(world).find(|(text, ..)| text.0 == words).expect(words);
    assert_eq!(camera.get(), Some(panel.camera), "the menu is drawn for its panel");
    let share = transform.translation / panel.kind.picture().as_vec2() - 0.5;
    panel.place * (share * panel.size * Vec2::new(1.0, -1.0)).extend(0.0)
}

fn at(x: f32, y: f32, z: f32) -> Pose {
    Pose { position: Vec3::new(x, y, z), rotation: Quat::IDENTITY }
}

fn menu_button(tracking: &mut Tracking) -> &mut bool {
    &mut tracking.hand_mut(Side::Left).menu
}

fn b_button(tracking: &mut Tracking) -> &mut bool {
    &mut tracking.hand_mut(Side::Right).secondary
}

#[test]
fn the_menu_opens_before_the_head_and_a_ray_presses_its_rows() {
    let Some(mut worn) = Worn::new("ray at the menu") else { return };
    let empty = worn.photograph("panel-none.png");
    worn.press(menu_button);
    assert_eq!(worn.state(), GameState::Paused);
    let panel = worn.panel(PanelKind::Menu);
    let away = Vec3::from(panel.place.translation) - Vec3::new(0.0, 1.6, 0.0);
    assert!(panel.open && (away.length() - PanelKind::Menu.distance()).abs() < 1e-3 && away.z < -1.0, "{away}");

    let row = worn.place_of("Settings");
    worn.pulses();
    worn.aim_at(row);
    let hover = worn.pulses();
    assert!(hover.iter().any(|pulse| pulse.side == Side::Right), "a tick when a row is met: {hover:?}");
    let shown = worn.photograph("panel-menu.png");
    let changed = shown.pixels().zip(empty.pixels()).filter(|(a, b)| a.0[0].abs_diff(b.0[0]) > 20).count();
    assert!(changed > 20_000, "the head sees the menu: {changed} pixels changed");

    worn.pulses();
    worn.trigger(1.0);
    assert!(worn.words().contains(&"Sound and voice".to_owned()), "{:?}", worn.words());
    let press = worn.pulses();
    assert!(press.iter().any(|pulse| pulse.strength > hover[0].strength), "{press:?}");
    // What is still pressed presses nothing on the page that came.
    worn.frames(5);
    assert!(worn.words().contains(&"Sound and voice".to_owned()));
    worn.trigger(0.0);

    // Back by the button; the menu stays where it was although the head moved.
    worn.act(|tracking| tracking.head = Some(at(0.2, 1.5, 0.1)));
    worn.press(b_button);
    assert!(worn.words().contains(&"Paused".to_owned()));
    assert_eq!(worn.panel(PanelKind::Menu).place, panel.place);

    // The trigger that resumes takes nothing.
    let row = worn.place_of("Resume");
    worn.aim_at(row);
    worn.trigger(1.0);
    assert_eq!(worn.state(), GameState::Playing);
    assert!(!worn.panel(PanelKind::Menu).open);
    let world = worn.0.world_mut();
    let grabs = world.query_filtered::<&HandIntent, With<RigHand>>().iter(world).any(|intent| intent.grab);
    assert!(!grabs);
}

#[test]
fn a_finger_pokes_and_a_stick_steps() {
    let Some(mut worn) = Worn::new("finger at the menu") else { return };
    worn.press(menu_button);
    let row = worn.place_of("Settings");
    for height in [0.08, 0.04, 0.02] {
        worn.finger(row, height);
    }
    assert!(worn.words().contains(&"Paused".to_owned()), "before it touches");
    worn.pulses();
    worn.finger(row, -0.004);
    worn.frames(3);
    assert!(worn.words().contains(&"Sound and voice".to_owned()), "{:?}", worn.words());
    assert!(worn.pulses().iter().any(|pulse| pulse.side == Side::Left && pulse.strength > 0.3));
    worn.finger(row, 0.3);

    // The third row is the quality: two steps down, then one to the right.
    let quality = |worn: &Worn| worn.0.world().resource::<Settings>().quality;
    let before = quality(&worn);
    for stick in [Vec2::NEG_Y, Vec2::ZERO, Vec2::NEG_Y, Vec2::ZERO, Vec2::X, Vec2::ZERO] {
        worn.act(|tracking| tracking.hand_mut(Side::Left).stick = stick);
    }
    assert_ne!(quality(&worn), before);
    worn.photograph("panel-settings.png");
}

#[test]
fn capitals_on_every_page_are_as_large_as_reading_with_ease_needs() {
    let Some(mut worn) = Worn::new("capitals") else { return };
    worn.press(menu_button);
    let mut least = worn.least_capitals(PanelKind::Menu);
    for page in ["Settings", "Sound and voice", "In the headset", "Keys and buttons"] {
        if page == "Sound and voice" || page == "In the headset" {
            worn.choose("Settings");
        }
        worn.choose(page);
        let capitals = worn.least_capitals(PanelKind::Menu);
        println!("{page}: {capitals:.3} degrees");
        least = least.min(capitals);
        worn.photograph(&format!("panel-{}.png", page.to_lowercase().replace(' ', "-")));
        while !worn.words().contains(&"Paused".to_owned()) {
            worn.press(b_button);
        }
    }
    assert!(least >= 0.6, "capitals are {least} degrees high");
    // Before a wall the panel is nearer and smaller, and its words are as large.
    worn.press(menu_button);
    assert_eq!(worn.state(), GameState::Playing);
    block(&mut worn.0, Vec3::new(0.0, 1.5, -0.95), Vec3::new(4.0, 3.0, 0.1));
    worn.frames(2);
    worn.press(menu_button);
    let panel = worn.panel(PanelKind::Menu);
    assert!(panel.place.translation.z > -0.9 && panel.size.x < 0.8, "{panel:?}");
    let near = worn.least_capitals(PanelKind::Menu);
    assert!(near >= 0.6, "capitals are {near} degrees high before a wall");
}

#[test]
fn words_come_along_and_the_list_of_questions_opens_by_a_button() {
    let Some(mut worn) = Worn::new("words") else { return };
    worn.0.world_mut().write_message(Notice("A saucer has broken in the kitchen.".to_owned()));
    worn.frames(5);
    let words = worn.panel(PanelKind::Words);
    assert!(words.open);
    let capitals = worn.least_capitals(PanelKind::Words);
    assert!(capitals >= 0.6, "{capitals} degrees");
    // However small the window is.
    worn.0.world_mut().resource_mut::<UiScale>().0 = 0.6;
    worn.frames(3);
    let in_a_small_window = worn.least_capitals(PanelKind::Words);
    assert!((in_a_small_window - capitals).abs() < 1e-3, "{in_a_small_window} instead of {capitals} degrees");
    worn.photograph("panel-words.png");
    // The head turns to the left; the words follow.
    let turned = Quat::from_rotation_y(1.5);
    worn.act(|tracking| tracking.head = Some(Pose { rotation: turned, ..at(0.0, 1.6, 0.0) }));
    for _ in 0..240 {
        worn.act(|_| {});
    }
    worn.0.world_mut().write_message(Notice("It was the blue one.".to_owned()));
    worn.frames(3);
    let place = worn.panel(PanelKind::Words).place.translation;
    assert!(place.x < -1.2 && place.z.abs() < 0.4, "{place}");

    worn.press(b_button);
    assert!(worn.words().contains(&"Ask or command".to_owned()), "{:?}", worn.words());
    let menu = worn.panel(PanelKind::Menu);
    assert!(menu.open && menu.place.translation.x < -1.0, "before the head: {menu:?}");
    assert!(!worn.panel(PanelKind::Words).open, "the menu shows the words meanwhile");
    worn.photograph("panel-ask.png");
    worn.press(b_button);
    assert!(!worn.words().contains(&"Ask or command".to_owned()) && !worn.panel(PanelKind::Menu).open);
}

#[test]
fn comfort_is_asked_the_first_time_a_headset_is_worn_and_never_again() {
    const QUESTION: &str = "At ease in the headset";
    let Some(mut worn) = Worn::with("comfort", Settings::default()) else { return };
    let asks = |worn: &mut Worn| worn.words().contains(&QUESTION.to_owned());
    let headset = |worn: &Worn| worn.0.world().resource::<Settings>().headset;
    assert!(asks(&mut worn), "{:?}", worn.words());
    assert!(worn.panel(PanelKind::Menu).open);
    assert!(worn.least_capitals(PanelKind::Menu) >= 0.6);
    worn.photograph("panel-comfort.png");

    // Whoever takes it off unasked is asked when it is worn again, and never in the window.
    worn.act(|tracking| tracking.worn = false);
    worn.frames(3);
    assert_eq!(worn.state(), GameState::Playing);
    assert!(!asks(&mut worn) && !headset(&worn).comfort_chosen);
    worn.act(|tracking| tracking.worn = true);
    worn.frames(5);
    assert!(asks(&mut worn));

    // By a finger.
    let row = worn.place_of("Balanced");
    for height in [0.08, 0.02, -0.004] {
        worn.finger(row, height);
    }
    worn.frames(3);
    worn.finger(row, 0.3);
    assert_eq!(headset(&worn).comfort(), Some(Comfort::Balanced));
    // By the ray.
    worn.choose("Free");
    assert_eq!(headset(&worn).comfort(), Some(Comfort::Free));
    // By the stick: to the row of the posture, the one after it of the hand.
    for stick in [Vec2::NEG_Y, Vec2::ZERO, Vec2::X, Vec2::ZERO, Vec2::NEG_Y, Vec2::ZERO, Vec2::X, Vec2::ZERO] {
        worn.act(|tracking| tracking.hand_mut(Side::Left).stick = stick);
    }
    assert!(headset(&worn).seated && headset(&worn).left_handed, "{:?}", headset(&worn));
    worn.photograph("panel-comfort-chosen.png");
    assert!(!headset(&worn).comfort_chosen, "not done yet");
    worn.choose("That is how I like it");
    assert_eq!(worn.state(), GameState::Playing);
    assert!(headset(&worn).comfort_chosen);

    // Never again, but where one looks for it.
    worn.act(|tracking| tracking.worn = false);
    worn.act(|tracking| tracking.worn = true);
    worn.frames(5);
    assert_eq!(worn.state(), GameState::Playing);
    worn.press(menu_button);
    for row in ["Settings", "In the headset", "Ask me again how I like to move"] {
        worn.choose(row);
    }
    assert!(asks(&mut worn));
    worn.press(b_button);
    assert!(worn.words().contains(&"In the headset".to_owned()), "back where one came from: {:?}", worn.words());
    worn.photograph("panel-in-the-headset-worn.png");
}

#[test]
fn a_script_is_not_asked_about_comfort() {
    let Some(mut worn) = Worn::with("comfort of scripts", Settings::default()) else { return };
    worn.act(|tracking| tracking.worn = false);
    worn.frames(3);
    worn.0.insert_resource(Attended(false));
    worn.act(|tracking| tracking.worn = true);
    worn.frames(5);
    assert_eq!(worn.state(), GameState::Playing);
}

#[test]
fn my_height_is_measured_from_the_settings_page() {
    let Some(mut worn) = Worn::new("height") else { return };
    worn.act(|tracking| tracking.head = Some(at(0.0, 1.78, 0.0)));
    worn.press(menu_button);
    for row in ["Settings", "In the headset", "Set my height"] {
        worn.choose(row);
    }
    assert!(worn.words().iter().any(|words| words.starts_with("stand upright")), "{:?}", worn.words());
    worn.frames(150);
    assert_eq!(worn.0.world().resource::<Settings>().headset.eye_height_m, Some(1.78));
    assert!(worn.words().contains(&"your eyes are 1.78 m up".to_owned()), "{:?}", worn.words());
    worn.photograph("panel-height.png");
}

#[test]
fn names_float_before_what_the_companion_recognises() {
    let Some(mut worn) = Worn::new("labels") else { return };
    let before = worn.photograph("labels-none.png");
    let label = |position: Vec3, text: &str, age_seconds: f32| FloatingLabel {
        position,
        text: text.to_owned(),
        confidence: 0.87,
        age_seconds,
    };
    let mug = Vec3::new(-0.6, 1.5, -2.0);
    worn.0.world_mut().resource_mut::<FloatingLabels>().items =
        vec![label(mug, "mug", 0.0), label(Vec3::new(0.5, 1.2, -1.2), "teapot", 6.0), label(mug * 1.5, "chair", 0.0)];
    worn.frames(4);
    let shown = worn.photograph("labels.png");
    let changed: Vec<(u32, u32)> = shown
        .enumerate_pixels()
        .filter(|(x, y, pixel)| pixel.0[0].abs_diff(before.get_pixel(*x, *y).0[0]) > 20)
        .map(|(x, y, _)| (x, y))
        .collect();
    assert!(changed.len() > 2000, "{} pixels changed", changed.len());
    // The camera looks level from 1.6 m with 80 degrees over 1200 pixels: the mug lies left of the middle and below it.
    let focal = 600.0 / 40_f32.to_radians().tan();
    let at = (600.0 + focal * mug.x / 2.0, 600.0 + focal * (1.6 - mug.y) / 2.0);
    let near = changed.iter().filter(|(x, y)| (*x as f32 - at.0).abs() < 90.0 && (*y as f32 - at.1).abs() < 60.0);
    assert!(near.count() > 500, "nothing at {at:?}");
    // The settings hide them, and so does taking the headset off.
    worn.0.world_mut().resource_mut::<Settings>().labels = false;
    worn.frames(4);
    let hidden = worn.photograph("labels-hidden.png");
    let left = hidden.pixels().zip(before.pixels()).filter(|(a, b)| a.0[0].abs_diff(b.0[0]) > 20).count();
    assert!(left < 200, "{left} pixels are left");
}

#[test]
fn without_the_headset_everything_is_in_the_window_again() {
    let Some(mut worn) = Worn::new("window") else { return };
    worn.press(menu_button);
    let on_panels = |worn: &mut Worn| {
        let world = worn.0.world_mut();
        let mut roots = world.query::<(&ShownOn, Has<UiTargetCamera>)>();
        roots.iter(world).filter(|(_, on_panel)| *on_panel).count()
    };
    assert!(on_panels(&mut worn) >= 3);
    worn.act(|tracking| tracking.worn = false);
    worn.frames(2);
    assert_eq!(on_panels(&mut worn), 0);
    assert!(!worn.panel(PanelKind::Menu).open);
    assert_eq!(worn.state(), GameState::Paused, "the menu is still open");
}
