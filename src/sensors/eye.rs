//! Eyes: cameras of the world that deliver stamped pictures instead of drawing on a screen.
//!
//! In: [`Eye`] (settings), the clock ([`Tick`]), [`EyePace`]. Out: [`Observation`] messages and [`EyeStatus`]. Each update
//! that an eye is due, its colour camera and, where truth is asked for, its label camera are switched on for that one
//! frame; their textures are copied into a buffer of a small ring and come back some updates later. When all buffers of
//! the ring are under way, the picture is not rendered at all and counted as dropped: no frame ever waits for an eye.
//!
//! What is absent: what a picture means (`percepts`); files (`dataset`).

use bevy::{
    asset::AssetEventSystems,
    camera::{
        CameraUpdateSystems, RenderTarget,
        visibility::{RenderLayers, VisibilitySystems},
    },
    core_pipeline::tonemapping::{DebandDither, Tonemapping},
    light::cluster::ClusterConfig,
    prelude::*,
    render::render_resource::{TextureFormat, TextureUsages},
    tasks::{AsyncComputeTaskPool, Task, block_on, poll_once},
};

use super::{
    Intrinsics, Observation,
    bodies::{BodyGatherer, MeshShapes},
    capture::{self, Capture, CaptureQueue, Film, Inbox, Stamp},
    develop::develop,
    labels::{self, LABEL_LAYER, any_eye_wants_truth},
};
use crate::base::Tick;

/// Pictures of one eye that may be on their way back from the renderer at once.
const RING_SLOTS: u32 = 3;

/// Makes the entity's camera a sensor. Its `Transform` is the pose of the lens: −Z forward, +Y up.
///
/// Its picture is 8-bit sRGB, tone-mapped by the entity's [`Tonemapping`]; with [`Hdr`](bevy::camera::Hdr) on the entity it is drawn as for a
/// player (sky and effects included), without it straight to 8 bits, which is a little cheaper.
#[derive(Component, Clone, Debug, PartialEq)]
#[require(Camera3d, Camera { is_active: false, ..default() }, Msaa::Off, EyeStatus, Shutter)]
pub struct Eye {
    /// Pixels, 1 to 8192.
    pub width: u32,
    pub height: u32,
    /// Vertical field of view, radians.
    pub fov_y: f32,
    /// Nothing nearer than this is seen, metres.
    pub near: f32,
    /// Nothing farther than this is seen, metres.
    pub far: f32,
    pub rate: EyeRate,
    /// Whether the exact truth comes with every picture: it costs a second, unshaded pass.
    pub truth: bool,
}

impl Default for Eye {
    fn default() -> Self {
        Self {
            width: 320,
            height: 320,
            fov_y: 70_f32.to_radians(),
            near: 0.05,
            far: 200.0,
            rate: EyeRate::EveryTicks(12),
            truth: false,
        }
    }
}

impl Eye {
    /// The lens that these settings describe.
    pub fn intrinsics(&self) -> Intrinsics {
        Intrinsics::from_fov(self.width, self.height, self.fov_y)
    }
}

/// When an eye looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EyeRate {
    /// Every so many simulation ticks (60 a second); 0 and 1 mean every tick.
    EveryTicks(u32),
    /// Only when its [`Shutter`] is pressed.
    OnRequest,
}

/// Asks an eye for one picture at the next update, whatever its rate.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shutter {
    pub pressed: bool,
}

/// What became of an eye's pictures.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq)]
pub struct EyeStatus {
    /// Pictures that were rendered.
    pub captured: u64,
    /// Pictures that were delivered as [`Observation`]s.
    pub delivered: u64,
    /// Pictures that were due but not rendered, because all buffers were under way.
    pub dropped: u64,
    /// Pictures that were rendered while shaders were still compiling, and thrown away.
    pub incomplete: u64,
    /// Pictures under way.
    pub in_flight: u32,
    /// When the eye last looked.
    pub last_tick: Option<Tick>,
}

/// Whether the world waits for its eyes.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EyePace {
    /// Frames never wait; pictures come when they come.
    #[default]
    Live,
    /// The renderer finishes every picture before its frame ends, and nothing runs in the background: equal inputs give
    /// equal outputs. For recording, scores and tests.
    Lockstep,
}

/// Marks the camera that draws an eye's labels (a child of the eye). What decorates cameras (sky, fog, effects) must
/// leave it alone.
#[derive(Component, Debug)]
pub struct LabelCamera;

/// The eye's label camera.
#[derive(Component, Debug)]
struct EyeOptics {
    label_camera: Entity,
    /// Size of the targets, pixels.
    size: [u32; 2],
}

/// Eyes, their labels and their observations.
pub struct EyePlugin;

/// When things happen to eyes within `PostUpdate`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EyeSystems {
    /// Cameras and label proxies are made and cameras switched on or off; before transforms, visibility and cameras are
    /// worked out.
    Open,
    /// Pose, lens, tick and bodies are written down; after transforms and visibility are propagated.
    Stamp,
}

impl Plugin for EyePlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins((labels::plugin, capture::plugin))
            .add_message::<Observation>()
            .init_resource::<Tick>()
            .init_resource::<EyePace>()
            .init_resource::<MeshShapes>()
            .init_resource::<Developing>()
            .configure_sets(
                PostUpdate,
                (
                    EyeSystems::Open
                        .before(TransformSystems::Propagate)
                        .before(CameraUpdateSystems)
                        .before(VisibilitySystems::CalculateBounds)
                        .before(VisibilitySystems::VisibilityPropagate)
                        .before(AssetEventSystems),
                    EyeSystems::Stamp
                        .after(TransformSystems::Propagate)
                        .after(CameraUpdateSystems)
                        .after(VisibilitySystems::VisibilityPropagate),
                ),
            )
            .add_systems(PreUpdate, deliver_observations)
            .add_systems(
                PostUpdate,
                (
                    (
                        fit_eyes,
                        open_due_eyes,
                        (labels::spawn_proxies, labels::retag_proxies).chain().run_if(any_eye_wants_truth),
                    )
                        .chain()
                        .in_set(EyeSystems::Open),
                    stamp_captures.in_set(EyeSystems::Stamp),
                ),
            );
    }
}

/// Makes and refits the cameras of eyes whose settings are new.
fn fit_eyes(
    mut commands: Commands,
    mut images: ResMut<Assets<Image>>,
    mut eyes: Query<(Entity, &Eye, &mut Camera, Option<&EyeOptics>), Changed<Eye>>,
) {
    for (entity, eye, mut camera, optics) in &mut eyes {
        camera.is_active = false;
        let projection = Projection::Perspective(PerspectiveProjection {
            fov: eye.fov_y,
            near: eye.near,
            far: eye.far,
            aspect_ratio: eye.width as f32 / eye.height as f32,
            ..default()
        });
        let size = [eye.width, eye.height];
        let label_camera = match optics {
            Some(optics) => optics.label_camera,
            None => commands
                .spawn((
                    LabelCamera,
                    Camera3d::default(),
                    Camera { is_active: false, clear_color: ClearColorConfig::Custom(Color::NONE), ..default() },
                    Msaa::Off,
                    Tonemapping::None,
                    DebandDither::Disabled,
                    ClusterConfig::Single,
                    RenderLayers::layer(LABEL_LAYER),
                    ChildOf(entity),
                ))
                .id(),
        };
        if optics.is_none_or(|optics| optics.size != size) {
            let mut target = |format| {
                let mut image = Image::new_target_texture(eye.width, eye.height, format, None);
                image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
                RenderTarget::Image(images.add(image).into())
            };
            let optics = EyeOptics { label_camera, size };
            commands.entity(entity).insert((optics, target(TextureFormat::Rgba8UnormSrgb)));
            commands.entity(label_camera).insert(target(TextureFormat::Rgba32Float));
        }
        commands.entity(entity).insert(projection.clone());
        commands.entity(label_camera).insert(projection);
    }
}

/// Switches the cameras of due eyes on, and all others off.
fn open_due_eyes(
    tick: Res<Tick>,
    mut eyes: Query<(&Eye, &mut EyeStatus, &mut Shutter, &EyeOptics, &mut Camera)>,
    mut label_cameras: Query<&mut Camera, (With<LabelCamera>, Without<Eye>)>,
) {
    for (eye, mut status, mut shutter, optics, mut camera) in &mut eyes {
        let due = shutter.pressed || is_due(eye.rate, status.last_tick, *tick);
        let free = status.in_flight < RING_SLOTS;
        if due {
            shutter.pressed = false;
            status.last_tick = Some(*tick);
            status.dropped += u64::from(!free);
        }
        let open = due && free;
        if camera.is_active != open {
            camera.is_active = open;
        }
        if let Ok(mut label_camera) = label_cameras.get_mut(optics.label_camera)
            && label_camera.is_active != (open && eye.truth)
        {
            label_camera.is_active = open && eye.truth;
        }
    }
}

/// Whether an eye that last looked at `last` looks again at `now`.
fn is_due(rate: EyeRate, last: Option<Tick>, now: Tick) -> bool {
    match rate {
        EyeRate::OnRequest => false,
        EyeRate::EveryTicks(period) => {
            last.is_none_or(|last| now.0.saturating_sub(last.0) >= u64::from(period.max(1)) || now < last)
        }
    }
}

/// Writes down what belongs to the pictures that this frame renders.
fn stamp_captures(
    tick: Res<Tick>,
    pace: Res<EyePace>,
    mut queue: ResMut<CaptureQueue>,
    mut eyes: Query<(Entity, &Eye, &Camera, &GlobalTransform, &EyeOptics, &mut EyeStatus)>,
    mut gatherer: BodyGatherer,
) {
    for (entity, eye, camera, transform, optics, mut status) in &mut eyes {
        if !camera.is_active {
            continue;
        }
        status.captured += 1;
        status.in_flight += 1;
        queue.push(
            Stamp {
                eye: entity,
                tick: *tick,
                world_from_view: transform.affine(),
                intrinsics: eye.intrinsics(),
                bodies: eye.truth.then(|| gatherer.gather()),
            },
            eye.truth.then_some(optics.label_camera),
            *pace == EyePace::Lockstep,
        );
    }
}

/// Observations that are being made from captures in the background.
#[derive(Resource, Default)]
struct Developing(Vec<Task<Observation>>);

/// Sends what has come back. Where truth has to be worked out, that happens in the background, so that the frame does not
/// wait; in lockstep it happens here.
fn deliver_observations(
    inbox: Res<Inbox>,
    pace: Res<EyePace>,
    mut developing: ResMut<Developing>,
    mut eyes: Query<&mut EyeStatus>,
    mut observations: MessageWriter<Observation>,
) {
    let mut send = |observation: Observation, eyes: &mut Query<&mut EyeStatus>| {
        if let Ok(mut status) = eyes.get_mut(observation.eye) {
            status.delivered += 1;
        }
        observations.write(observation);
    };
    for film in inbox.take() {
        account(&film, &mut eyes);
        let Film::Exposed(capture) = film else { continue };
        if *pace == EyePace::Live && capture.stamp.bodies.is_some() {
            developing.0.push(AsyncComputeTaskPool::get().spawn(async move { develop(&capture) }));
        } else {
            send(develop(&capture), &mut eyes);
        }
    }
    // In order: what was captured later is not sent before what was captured earlier.
    while let Some(first) = developing.0.first_mut() {
        let Some(observation) = block_on(poll_once(first)) else { break };
        drop(developing.0.remove(0));
        send(observation, &mut eyes);
    }
}

fn account(film: &Film, eyes: &mut Query<&mut EyeStatus>) {
    if let Ok(mut status) = eyes.get_mut(film.eye()) {
        status.in_flight = status.in_flight.saturating_sub(1);
        status.incomplete += u64::from(matches!(film, Film::Incomplete { .. }));
    }
}

/// Why an eye gave no picture.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error("the entity {0} has no eye")]
    NoEye(Entity),
    #[error("the eye gave no picture within {updates} updates ({why})")]
    NoPicture { updates: u32, why: String },
    #[error("the app was asked to exit")]
    Exit,
}

/// Steps `app` (in [`EyePace::Lockstep`]) until `eye` has taken a picture of the present tick, and returns it undeveloped;
/// [`develop`] makes the [`Observation`], on any thread. No message is sent for it.
///
/// # Errors
/// - [`LookError::NoEye`]: the entity has no [`Eye`].
/// - [`LookError::NoPicture`]: no renderer, or shaders that do not compile.
/// - [`LookError::Exit`]: something in the app asked to exit.
pub fn look(app: &mut App, eye: Entity) -> Result<Capture, LookError> {
    /// Shaders compile during the first updates, then one is enough.
    const PATIENCE: u32 = 900;
    let mut why = "is there a renderer?".to_owned();
    for _ in 0..PATIENCE {
        app.world_mut().get_mut::<Shutter>(eye).ok_or(LookError::NoEye(eye))?.pressed = true;
        app.update();
        if app.should_exit().is_some() {
            return Err(LookError::Exit);
        }
        for film in app.world().resource::<Inbox>().take() {
            if let Some(mut status) = app.world_mut().get_mut::<EyeStatus>(film.eye()) {
                status.in_flight = status.in_flight.saturating_sub(1);
                status.incomplete += u64::from(matches!(film, Film::Incomplete { .. }));
            }
            match film {
                Film::Exposed(capture) if capture.stamp.eye == eye => return Ok(*capture),
                Film::Exposed(_) => {}
                Film::Incomplete { why: reason, .. } => why = reason,
            }
        }
    }
    Err(LookError::NoPicture { updates: PATIENCE, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eye_is_due_at_its_rate_and_after_the_clock_was_set_back() {
        let every_12 = EyeRate::EveryTicks(12);
        assert!(is_due(every_12, None, Tick(5)));
        assert!(!is_due(every_12, Some(Tick(5)), Tick(16)));
        assert!(is_due(every_12, Some(Tick(5)), Tick(17)));
        assert!(is_due(every_12, Some(Tick(500)), Tick(0)));
        assert!(!is_due(EyeRate::EveryTicks(0), Some(Tick(5)), Tick(5)));
        assert!(!is_due(EyeRate::OnRequest, None, Tick(5)));
    }
}
