//! One OpenXR session: opened when a headset is wanted, begun and ended as the runtime says, given up when it is lost.
//!
//! In: the instance and device of bevy_mod_openxr or `xr_connect`, [`HeadsetWanted`], [`Pulse`]s, the runtime's events. Out, each frame
//! before everything else: [`HeadsetStatus`], [`Tracking`], the eyes' cameras (children of bevy_mod_xr's tracking root), and the
//! pace: the frame begins when the runtime says so. Every call's failure is a state: the session is dropped, play goes on flat.
//!
//! The session states are those of the specification (OpenXR 1.0, section 9.3); bevy_mod_xr's own state machine is not used.

use std::sync::{Arc, Mutex};

use bevy::{
    camera::RenderTarget,
    prelude::*,
    render::{
        extract_resource::{ExtractResource, ExtractResourcePlugin},
        renderer::RenderDevice,
        texture::ManualTextureViews,
    },
};
use bevy_mod_openxr::{
    graphics::GraphicsWrap,
    resources::{OxrInstance, OxrSystemId, SessionGraphicsCreateInfo},
};
use bevy_mod_xr::{
    camera::{Fov, XrCamera, XrProjection, calculate_projection},
    session::{XrFirst, XrTrackingRoot},
};
use openxr::{
    EnvironmentBlendMode, Event, EventDataBuffer, FrameState, FrameWaiter, ReferenceSpaceType, Session, SessionState,
    Space, View, ViewConfigurationType, Vulkan, sys,
};

use super::{
    headset::{HeadsetStatus, HeadsetWanted, OfferedRates},
    runtime_waits::RuntimeWaits,
    settings::Settings,
    tracked_rig::PlaySpace,
    tracking::{Pulse, Side, Tracking},
    xr_actions::{HandActions, located, pose},
    xr_connect::{Connection, connect},
    xr_frames::{EYE_TEXTURES, EyeImages, EyeStream, ForgottenEyes, NewEyeStream},
    xr_readback::SubmittedEyes,
    xr_settings::{EyeSizes, Rates, follow_settings},
    xr_stage::Stage,
};

/// Nothing nearer than this is seen, metres: hands come close to the face.
const NEAR: f32 = 0.05;
const STEREO: ViewConfigurationType = ViewConfigurationType::PRIMARY_STEREO;

pub(super) fn plugin(app: &mut App, pipelined: bool) {
    app.insert_resource(Pipelined(pipelined))
        .init_resource::<HeadsetFrame>()
        .init_resource::<Fault>()
        .init_resource::<RuntimeWaits>()
        .init_resource::<PlaySpace>()
        .add_plugins(ExtractResourcePlugin::<HeadsetFrame>::default())
        .add_systems(
            XrFirst,
            (poll_events, follow_wish, follow_settings, keep_pace, give_up_what_is_lost, place_eyes).chain(),
        )
        .add_systems(PostUpdate, move_stage.before(TransformSystems::Propagate))
        .add_systems(Last, vibrate);
}

/// The session of this moment.
#[derive(Resource)]
pub(super) struct OpenSession {
    pub session: Session<Vulkan>,
    waiter: FrameWaiter,
    /// The play space, and the head in it.
    stage: Arc<Space>,
    laid: Stage,
    head: Space,
    hands: HandActions,
    pub sizes: EyeSizes,
    /// Pixels of each eye's image.
    pub resolution: UVec2,
    pub rates: Rates,
    state: SessionState,
    pub running: bool,
}

/// Whether frames are drawn while the next one is simulated.
#[derive(Resource)]
struct Pipelined(bool);

/// The runtime's frame that is being made; `None`: nothing is drawn for a headset.
#[derive(Resource, Clone, Default, ExtractResource)]
pub(super) struct HeadsetFrame(pub Option<FrameState>);

/// The runtime no longer answers: no call to it is made any more.
#[derive(Resource)]
pub(super) struct Dead;

/// The first failure of a call in either world.
#[derive(Resource, Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<String>>>);

impl Fault {
    /// Notes a failure. What merely says that the session is not running at this moment is none.
    pub fn note(&self, call: &str, error: sys::Result) {
        if error == sys::Result::ERROR_SESSION_NOT_RUNNING {
            return;
        }
        let mut fault = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        fault.get_or_insert_with(|| format!("{call}: {error}"));
    }

    /// Notes a failure of a call that play can do without: it only counts where it tells that all is over.
    pub fn note_if_over(&self, call: &str, error: sys::Result) {
        let over = [
            sys::Result::ERROR_INSTANCE_LOST,
            sys::Result::ERROR_SESSION_LOST,
            sys::Result::ERROR_RUNTIME_FAILURE,
            sys::Result::ERROR_RUNTIME_UNAVAILABLE,
        ];
        if over.contains(&error) {
            self.note(call, error);
        } else {
            debug!("headset: {call}: {error}");
        }
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }
}

/// A camera of the headset. Others dress it.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadsetEye {
    /// 0 left, 1 right.
    pub index: u32,
}

/// Whether the runtime shows the world in this state.
fn is_worn(state: SessionState) -> bool {
    state == SessionState::VISIBLE || state == SessionState::FOCUSED
}

fn poll_events(world: &mut World) {
    let Some(instance) = world.get_resource::<OxrInstance>().cloned() else { return };
    if world.contains_resource::<Dead>() {
        return;
    }
    let fault = world.resource::<Fault>().clone();
    let mut buffer = EventDataBuffer::default();
    loop {
        match instance.poll_event(&mut buffer) {
            Ok(None) => return,
            Ok(Some(Event::SessionStateChanged(change))) => follow_state(world, change.state()),
            Ok(Some(Event::ReferenceSpaceChangePending(change))) => {
                if let Some(mut open) = world.get_resource_mut::<OpenSession>() {
                    open.laid.note_change(change.reference_space_type(), change.change_time());
                }
            }
            Ok(Some(Event::InstanceLossPending(_))) => fault.note("xrPollEvent", sys::Result::ERROR_INSTANCE_LOST),
            Ok(Some(_)) => {}
            Err(error) => {
                fault.note("xrPollEvent", error);
                return;
            }
        }
    }
}

/// Does what a session must do in a state that the runtime has put it into.
fn follow_state(world: &mut World, state: SessionState) {
    let fault = world.resource::<Fault>().clone();
    let Some(mut open) = world.get_resource_mut::<OpenSession>() else { return };
    open.state = state;
    match state {
        SessionState::READY => match open.session.begin(STEREO) {
            Ok(_) => open.running = true,
            Err(error) => fault.note("xrBeginSession", error),
        },
        SessionState::STOPPING => {
            open.running = false;
            if let Err(error) = open.session.end() {
                fault.note("xrEndSession", error);
            }
        }
        SessionState::EXITING => {
            world.resource_mut::<HeadsetWanted>().0 = false;
            close(world, HeadsetStatus::Absent("left; the headset key puts it on again".to_owned()));
            return;
        }
        SessionState::LOSS_PENDING => {
            // Another one is opened once the renderer has let go of this one.
            close(world, HeadsetStatus::Waiting);
            return;
        }
        _ => {}
    }
    let worn = is_worn(state);
    world.resource_mut::<Tracking>().worn = worn;
    let status = if worn { HeadsetStatus::Worn } else { HeadsetStatus::Waiting };
    world.resource_mut::<HeadsetStatus>().set_if_neq(status);
    info!("headset: {state:?}");
}

/// Opens and leaves sessions as the player wants.
fn follow_wish(world: &mut World, mut asked_to_leave: Local<bool>) {
    let wanted = world.resource::<HeadsetWanted>().0;
    match world.get_resource::<OpenSession>() {
        None if wanted && world.contains_resource::<ForgottenEyes>() => {}
        None if wanted => {
            let refused = match connect(world) {
                Connection::Sought => {
                    world.resource_mut::<HeadsetStatus>().set_if_neq(HeadsetStatus::Sought);
                    return;
                }
                Connection::Refused(why) => why,
                Connection::There => match open(world) {
                    Ok(()) => {
                        *asked_to_leave = false;
                        return;
                    }
                    Err(error) => format!("the session could not be opened: {error}"),
                },
            };
            warn!("headset: {refused}");
            world.resource_mut::<HeadsetWanted>().0 = false;
            world.insert_resource(HeadsetStatus::Absent(refused));
        }
        Some(open) if !wanted => {
            if open.running {
                if !*asked_to_leave {
                    *asked_to_leave = true;
                    if let Err(error) = open.session.request_exit() {
                        world.resource::<Fault>().note("xrRequestExitSession", error);
                    }
                }
            } else if open.state != SessionState::STOPPING {
                close(world, HeadsetStatus::Absent("taken off; the headset key puts it on again".to_owned()));
            }
        }
        _ => {}
    }
}

/// Opens a session with its images, spaces, actions and cameras.
fn open(world: &mut World) -> anyhow::Result<()> {
    let instance: openxr::Instance = world
        .get_resource::<OxrInstance>()
        .map(|instance| openxr::Instance::clone(instance))
        .ok_or_else(|| anyhow::anyhow!("the runtime's graphics device could not be made"))?;
    let system = world.resource::<OxrSystemId>().0;
    let device = world.resource::<RenderDevice>().wgpu_device().clone();
    let GraphicsWrap::Vulkan(graphics) = world.non_send::<SessionGraphicsCreateInfo>().0.clone();

    // SAFETY: the handles are those of the renderer's device, made for this instance or found fit for it; it lives as long as the app.
    let (session, waiter, stream) = unsafe { instance.create_session::<Vulkan>(system, &graphics)? };
    let views = instance.enumerate_view_configuration_views(system, STEREO)?;
    let view = views.first().ok_or_else(|| anyhow::anyhow!("the runtime offers no stereo view"))?;
    let sizes = EyeSizes {
        recommended: UVec2::new(view.recommended_image_rect_width, view.recommended_image_rect_height),
        most: UVec2::new(view.max_image_rect_width, view.max_image_rect_height),
    };
    let settings = world.get_resource::<Settings>().cloned().unwrap_or_default();
    let resolution = sizes.scaled(settings.headset.render_scale_percent);
    let observed = world.contains_resource::<SubmittedEyes>();
    let images = EyeImages::new(&session, &device, resolution, observed)?;
    let rates = Rates::of(&session).unwrap_or_else(|error| {
        warn!("headset: its rates are not known: {error}");
        Rates::default()
    });
    world.insert_resource(rates.offered());
    let blends = instance.enumerate_environment_blend_modes(system, STEREO)?;
    let blend =
        [EnvironmentBlendMode::OPAQUE].into_iter().find(|mode| blends.contains(mode)).or(blends.first().copied());
    let (laid, stage) = Stage::open(&session, settings.headset.eye_height())?;
    let stage = Arc::new(stage);
    let head = session.create_reference_space(ReferenceSpaceType::VIEW, openxr::Posef::IDENTITY)?;
    let hands = HandActions::attach(&instance, &session, system)?;

    images.show_both(&mut world.resource_mut::<ManualTextureViews>());
    let eyes = EyeStream::new(session.clone(), stream, stage.clone(), images, blend);
    for (index, handle) in EYE_TEXTURES.into_iter().enumerate() {
        let index = index as u32;
        world.spawn((
            HeadsetEye { index },
            XrCamera(index),
            Name::new(if index == 0 { "left eye" } else { "right eye" }),
            RenderTarget::TextureView(handle),
            // Before the window's cameras, so that what the eyes see is ready first.
            Camera { is_active: false, order: -20 + index as isize, ..default() },
            Projection::custom(XrProjection { near: NEAR, ..default() }),
        ));
    }
    world.insert_resource(NewEyeStream(eyes));
    world.insert_resource(HeadsetStatus::Waiting);
    world.insert_resource(OpenSession {
        session,
        waiter,
        stage,
        laid,
        head,
        hands,
        sizes,
        resolution,
        rates,
        state: SessionState::IDLE,
        running: false,
    });
    Ok(())
}

/// Drops the session and all that belongs to it.
fn close(world: &mut World, status: HeadsetStatus) {
    info!("headset: {}", status.text());
    world.remove_resource::<OpenSession>();
    world.remove_resource::<NewEyeStream>();
    world.remove_resource::<EyeImages>();
    world.insert_resource(OfferedRates::default());
    world.insert_resource(HeadsetFrame(None));
    world.insert_resource(ForgottenEyes);
    world.insert_resource(status);
    world.resource_mut::<Tracking>().worn = false;
    let eyes: Vec<Entity> = world.query_filtered::<Entity, With<HeadsetEye>>().iter(world).collect();
    for eye in eyes {
        world.despawn(eye);
    }
    let mut textures = world.resource_mut::<ManualTextureViews>();
    for handle in EYE_TEXTURES {
        textures.remove(&handle);
    }
}

/// Waits until the runtime wants a frame, and finds out where head and hands will be when it is seen.
fn keep_pace(
    open: Option<ResMut<OpenSession>>,
    mut frame: ResMut<HeadsetFrame>,
    mut tracking: ResMut<Tracking>,
    mut views: Local<Vec<View>>,
    mut eyes: Query<(&HeadsetEye, &mut Transform, &mut Projection)>,
    pipelined: Res<Pipelined>,
    (fault, waits): (Res<Fault>, Res<RuntimeWaits>),
) {
    let running = open.filter(|open| open.running);
    let Some(mut open) = running else {
        if frame.0.is_some() {
            frame.0 = None;
        }
        return;
    };
    let state = match waits.during(|| open.waiter.wait()) {
        Ok(state) => state,
        Err(error) => {
            fault.note("xrWaitFrame", error);
            frame.0 = None;
            return;
        }
    };
    frame.0 = Some(state);
    // What is simulated now is drawn a frame later.
    let ahead = if pipelined.0 { state.predicted_display_period.as_nanos() } else { 0 };
    let time = openxr::Time::from_nanos(state.predicted_display_time.as_nanos() + ahead);
    tracking.seconds = time.as_nanos() as f64 * 1e-9;
    tracking.floorless = open.laid.is_floorless();
    tracking.relaid = open.laid.is_relaid(time);
    match located(&open.head, &open.stage, time) {
        Ok(Some(head)) => tracking.head = Some(head),
        Ok(None) => {}
        Err(error) => fault.note_if_over("xrLocateSpace", error),
    }
    if let Err(error) = read_hands(&open, time, &mut tracking) {
        fault.note_if_over("xrSyncActions", error);
    }
    match open.session.locate_views(STEREO, time, &open.stage) {
        Ok((flags, located)) if flags.contains(openxr::ViewStateFlags::ORIENTATION_VALID) => *views = located,
        Ok(_) => {}
        Err(error) => fault.note_if_over("xrLocateViews", error),
    }
    for (eye, mut transform, mut projection) in &mut eyes {
        let Some(view) = views.get(eye.index as usize) else { continue };
        let at = pose(view.pose);
        *transform = Transform::from_translation(at.position).with_rotation(at.rotation);
        *projection = Projection::custom(XrProjection { near: NEAR, projection_matrix: lens(view.fov) });
    }
}

fn read_hands(open: &OpenSession, time: openxr::Time, tracking: &mut Tracking) -> openxr::Result<()> {
    if open.state == SessionState::FOCUSED {
        return open.hands.read(&open.session, &open.stage, time, tracking);
    }
    // Another program has the input: buttons are up, hands are not seen.
    for side in Side::BOTH {
        *tracking.hand_mut(side) = default();
    }
    Ok(())
}

/// The eye's lens as a matrix: reversed depth, nothing too far.
fn lens(fov: openxr::Fovf) -> Mat4 {
    calculate_projection(
        NEAR,
        Fov {
            angle_left: fov.angle_left,
            angle_right: fov.angle_right,
            angle_down: fov.angle_down,
            angle_up: fov.angle_up,
        },
    )
}

/// A session with a failed call is over; if the instance is lost, so is every later one.
fn give_up_what_is_lost(world: &mut World) {
    let Some(why) = world.resource::<Fault>().take() else { return };
    warn!("headset: lost ({why}); play goes on in the window");
    world.insert_resource(Dead);
    world.resource_mut::<HeadsetWanted>().0 = false;
    let what = format!("the OpenXR runtime ended ({why}); start it, then the headset key puts it on again");
    close(world, HeadsetStatus::Lost(what));
}

/// Eyes draw when the runtime shows what they draw.
fn place_eyes(frame: Res<HeadsetFrame>, mut cameras: Query<&mut Camera, With<HeadsetEye>>) {
    let draw = frame.0.is_some_and(|state| state.should_render);
    for mut camera in &mut cameras {
        if camera.is_active != draw {
            camera.is_active = draw;
        }
    }
}

/// The eyes go where the play space goes.
fn move_stage(space: Res<PlaySpace>, time: Res<Time<Fixed>>, mut roots: Query<&mut Transform, With<XrTrackingRoot>>) {
    for mut root in &mut roots {
        root.set_if_neq(Transform::from_isometry(space.between(time.overstep_fraction())));
    }
}

fn vibrate(open: Option<Res<OpenSession>>, mut pulses: MessageReader<Pulse>, fault: Res<Fault>) {
    let focused = open.filter(|open| open.state == SessionState::FOCUSED);
    for pulse in pulses.read() {
        if let Some(open) = &focused
            && let Err(error) = open.hands.pulse(&open.session, pulse)
        {
            fault.note_if_over("xrApplyHapticFeedback", error);
        }
    }
}
