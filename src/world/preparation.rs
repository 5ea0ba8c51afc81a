//! What takes long about a new scene, made beside the frames: surfaces, things and rooms as plain values.
//!
//! In: [`SceneChanged`], [`Quality`], [`BuildPace`]. Out: [`Prepared`] and, in the frame in which it is complete, one
//! [`SceneReady`] for everybody who answers to a scene; until then the world stays as it was. A newer change takes the
//! place of one that is being prepared. What is absent: light (`light`); entities and handles (`rooms` and `spawn` make
//! them).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bevy::{
    prelude::*,
    tasks::{ComputeTaskPool, TaskPool, TaskPoolBuilder},
};

use super::{
    architecture::{RoomShell, build_room},
    beside_frames::{BesideFrames, News, Progress, each},
    materials::{DrawnSurface, MaterialLibrary, SurfaceOrder},
    quality::Quality,
    rooms::{joinery_material, land_material, same_rooms},
    variants::{DrawnVariant, VariantOrder, Variants},
};
use crate::scene::{SceneChanged, SceneSpec};

/// Whether frames go on while a scene is prepared.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuildPace {
    /// The update in which a scene changes ends with the new world: equal inputs give equal outputs.
    #[default]
    Blocking,
    /// Frames go on; the world changes when everything is there.
    Background,
}

/// The world changes to this scene in this frame (`old` is `None` if nothing of the one before may stay).
#[derive(Message, Clone, Debug)]
pub struct SceneReady {
    pub old: Option<Arc<SceneSpec>>,
    pub new: Arc<SceneSpec>,
}

/// What is to be prepared, as plain values.
struct Order {
    new: Arc<SceneSpec>,
    surfaces: Vec<SurfaceOrder>,
    variants: Vec<VariantOrder>,
    rooms: bool,
    /// Everything is drawn anew because quality has changed.
    redraw: bool,
}

/// What was prepared. Whoever makes entities of a part takes it out.
#[derive(Resource, Default)]
pub(super) struct Prepared {
    pub surfaces: Vec<DrawnSurface>,
    pub variants: Vec<DrawnVariant>,
    /// A shell per room; `None` if the rooms stay.
    pub rooms: Option<Vec<RoomShell>>,
    /// The textures of all materials are to be replaced.
    pub redraw: bool,
}

/// The preparation that is under way, and what the world was last built from.
#[derive(Resource, Default)]
pub struct Preparation {
    under_way: Option<UnderWay>,
    built: Option<Arc<SceneSpec>>,
    built_for: Option<Quality>,
}

struct UnderWay {
    ready: SceneReady,
    redraw: bool,
    work: BesideFrames<Prepared>,
}

impl Preparation {
    /// Parts that are done and parts in all, at least one; `None` while nothing is being prepared.
    pub fn progress(&self) -> Option<(usize, usize)> {
        let (done, total) = self.under_way.as_ref()?.work.progress();
        Some((done, total.max(1)))
    }
}

/// Starts preparing when the scene or the quality has changed, and tells when it is done.
pub(super) fn prepare_scene(
    mut changes: MessageReader<SceneChanged>,
    mut preparation: ResMut<Preparation>,
    mut prepared: ResMut<Prepared>,
    mut ready: MessageWriter<SceneReady>,
    pace: Res<BuildPace>,
    quality: Res<Quality>,
    library: Res<MaterialLibrary>,
    variants: Res<Variants>,
) {
    let changes: Vec<&SceneChanged> = changes.read().collect();
    let requality = preparation.built_for.is_some_and(|built_for| built_for != *quality);
    let latest = changes.last().map(|change| change.new.clone());
    let latest = latest.or_else(|| requality.then(|| preparation.latest()).flatten());
    if let Some(new) = latest {
        // A first scene forgets the one before; so does one that came before a first one was built.
        let fresh = changes.iter().any(|change| change.old.is_none())
            || preparation.under_way.as_ref().is_some_and(|under_way| under_way.ready.old.is_none());
        let old = preparation.built.clone().filter(|_| !fresh);
        let redraw = requality || preparation.under_way.as_ref().is_some_and(|under_way| under_way.redraw);
        let settings = quality.settings();
        let extra = [land_material(), joinery_material()];
        let order = Order {
            surfaces: library.orders(new.materials.values().chain(&extra), &settings, redraw),
            variants: variants.orders(&new, settings.object_relief, redraw),
            rooms: old.as_ref().is_none_or(|old| !same_rooms(old, &new)),
            redraw,
            new: new.clone(),
        };
        preparation.built_for = Some(*quality);
        let news = SceneReady { old, new };
        match *pace {
            BuildPace::Blocking => {
                let pool = ComputeTaskPool::get_or_init(Default::default);
                *prepared = prepare(&order, pool, &Progress::default()).unwrap_or_default();
                preparation.under_way = None;
                preparation.built = Some(news.new.clone());
                ready.write(news);
            }
            BuildPace::Background => {
                let work = BesideFrames::start("scene", move |hand_over, progress| {
                    // Threads of its own: with those of the frame, frames would wait for whole parts.
                    let pool = TaskPoolBuilder::new().thread_name("scene".to_owned()).build();
                    if let Some(prepared) = prepare(&order, &pool, progress) {
                        hand_over(prepared);
                    }
                });
                // What was under way stops.
                preparation.under_way = Some(UnderWay { ready: news, redraw, work });
            }
        }
    }
    let news = preparation.under_way.as_mut().map(|under_way| under_way.work.news());
    if let Some(News::Made(done)) = news
        && let Some(under_way) = preparation.under_way.take()
    {
        *prepared = done;
        preparation.built = Some(under_way.ready.new.clone());
        ready.write(under_way.ready);
    }
}

impl Preparation {
    /// The newest scene that was asked for.
    fn latest(&self) -> Option<Arc<SceneSpec>> {
        self.under_way.as_ref().map(|under_way| under_way.ready.new.clone()).or_else(|| self.built.clone())
    }
}

/// Makes everything that `order` asks for, on the threads of `pool`. Equal orders give equal values. `None` if nobody waits
/// for it any more.
fn prepare(order: &Order, pool: &TaskPool, progress: &Progress) -> Option<Prepared> {
    let spec = &order.new;
    let rooms = if order.rooms { spec.rooms.len() } else { 0 };
    progress.expect(order.surfaces.len() + order.variants.len() + rooms);
    let mut watch = Stopwatch::start();
    let surfaces = each(Some(pool), progress, &order.surfaces, SurfaceOrder::draw)?;
    let surfaces_took = watch.lap();
    let variants = each(Some(pool), progress, &order.variants, VariantOrder::draw)?.into_iter().flatten().collect();
    let variants_took = watch.lap();
    let indices: Vec<usize> = (0..rooms).collect();
    let rooms = each(Some(pool), progress, &indices, |index| build_room(&spec.rooms, *index))?;
    debug!("scene prepared: surfaces {surfaces_took:?}, things {variants_took:?}, rooms {:?}", watch.lap());
    Some(Prepared { surfaces, variants, rooms: order.rooms.then_some(rooms), redraw: order.redraw })
}

/// Wall-clock times for the log.
struct Stopwatch(Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the last lap.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}
