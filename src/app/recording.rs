//! Records datasets: random scenes (or one authored scene in many states) seen from random places, one frame after the other.
//!
//! In: an [`Order`]. Out: a dataset folder and a [`Report`]. What frame `i` shows depends on the seed, the parameters and
//! `i` alone, so shards can be made anywhere and in any order. Time stands still: nothing falls, nothing moves. One app
//! renders all frames; scenes are exchanged in it. Pictures are worked out and compressed on other threads meanwhile.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use bevy::{prelude::*, time::TimeUpdateStrategy};
use serde::Serialize;

use super::{asset_folder, headless};
use crate::{
    base::{ClassTable, Seed, Tick},
    dataset::{DatasetError, OnExisting, Recording, Split, Writer},
    scene::{
        self, ActiveScene, DreamMaterials, Known, ObjectSource, RandomOptions, SceneChanged, SceneSpec, parse_scene,
        random_scene, random_view, read_bounded, varied_scene,
    },
    sensors::{Capture, Eye, EyePace, EyePlugin, EyeRate, develop, look},
    world::{Quality, WorldPlugin, WorldView, all_kinds, forget_earlier_scenes, is_importing},
};

/// Updates after a scene has come before the first picture is taken: meshes and textures reach the renderer in the first.
const SETTLE_UPDATES: u32 = 2;

/// What to record.
#[derive(Clone, Debug)]
pub struct Order {
    /// File or name of a shipped scene; `None` for random scenes.
    pub scene: Option<String>,
    /// Whether that scene is in another state every few frames.
    pub varied: bool,
    /// Frames of the whole dataset.
    pub frames: u32,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub out: PathBuf,
    pub seed: Seed,
    pub shard: Shard,
    pub split: Split,
    pub views_per_scene: u32,
    pub on_existing: OnExisting,
}

/// The `index`-th of `count` parts, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Whether this shard makes the frames of scene `scene`.
    fn has_scene(self, scene: u32) -> bool {
        scene % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (index, count) = text.split_once('/').ok_or("write the part and their number as 1/4")?;
        let shard = Shard {
            index: index.parse().map_err(|_| format!("\"{index}\" is not a number"))?,
            count: count.parse().map_err(|_| format!("\"{count}\" is not a number"))?,
        };
        if (1..=shard.count).contains(&shard.index) {
            Ok(shard)
        } else {
            Err(format!("there is no part {index} of {count}; the first is 1/{count}"))
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// What was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Frames that this run made.
    pub frames: u32,
    /// From the first scene to the last file.
    pub seconds: f64,
    pub frames_per_second: f64,
    pub out: PathBuf,
    /// Whether the run was asked to stop before it was done.
    pub stopped: bool,
}

/// Records what is missing of `order`, until `stop` is set. `progress` hears (frames done, frames of this shard).
///
/// # Errors
/// - the scene has problems
/// - [`DatasetError`]: the folder is used otherwise, the disk is full or read-only
/// - [`super::Lacking`]: nothing can render here
pub fn record(order: &Order, stop: &AtomicBool, mut progress: impl FnMut(u64, u64)) -> anyhow::Result<Report> {
    let authored = order.scene.as_deref().map(authored_scene).transpose()?;
    // Nothing is left behind where nothing can be drawn.
    super::graphics::require_adapter()?;
    let recording = Recording {
        format: Recording::FORMAT,
        scene: order.scene.clone(),
        seed: order.seed,
        split: order.split,
        frames: order.frames,
        width: order.width,
        height: order.height,
        views_per_scene: order.views_per_scene,
        varied: order.varied,
        classes: classes(authored.as_ref().map(|(spec, _)| spec)),
    };
    let own: Vec<u32> =
        (0..order.frames).filter(|frame| order.shard.has_scene(frame / order.views_per_scene)).collect();
    let writer = Writer::open(&order.out, recording, order.on_existing, &own)?;
    let missing: Vec<u32> = own.iter().copied().filter(|frame| !writer.has(*frame)).collect();
    let start = Instant::now();
    let mut made = 0;
    if !missing.is_empty() {
        let mut studio = Studio::open(order, authored)?;
        let before = (own.len() - missing.len()) as u64;
        made = with_writers(&writer, |send| {
            for frame in missing {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                if !send(studio.take(frame)?) {
                    break;
                }
                made += 1;
                progress(before + u64::from(made), own.len() as u64);
            }
            Ok(made)
        })?;
    }
    let stopped = own.iter().any(|frame| !writer.has(*frame));
    if !stopped {
        writer.finish()?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let frames_per_second = f64::from(made) / seconds.max(1e-9);
    Ok(Report { frames: made, seconds, frames_per_second, out: order.out.clone(), stopped })
}

/// One frame that was rendered and not yet written.
struct Taken {
    frame: u32,
    seed: Seed,
    capture: Capture,
}

/// Runs `render` with a function that hands frames to writing threads; that function says `false` when writing has failed.
/// Returns what `render` does once everything is written.
fn with_writers<T>(
    writer: &Writer,
    render: impl FnOnce(&mut dyn FnMut(Taken) -> bool) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
    // Few are enough to keep everybody busy; each holds some megabytes.
    let (sender, receiver) = sync_channel::<Taken>(threads);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| write_all(writer, &receiver))).collect();
        let rendered =
            render(&mut |taken| !workers.iter().any(|worker| worker.is_finished()) && sender.send(taken).is_ok());
        drop(sender);
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a writing thread panicked"))??;
        }
        rendered
    })
}

fn write_all(writer: &Writer, receiver: &Mutex<Receiver<Taken>>) -> Result<(), DatasetError> {
    loop {
        let next = receiver.lock().map(|receiver| receiver.recv());
        let Ok(Ok(Taken { frame, seed, capture })) = next else { return Ok(()) };
        writer.write(frame, seed, &develop(&capture))?;
    }
}

/// The app that renders, and what is in it.
struct Studio {
    app: App,
    eye: Entity,
    order: Order,
    authored: Option<Arc<SceneSpec>>,
    /// The scene that is there, by number.
    current: Option<(u32, Arc<SceneSpec>)>,
}

impl Studio {
    fn open(order: &Order, authored: Option<(SceneSpec, PathBuf)>) -> anyhow::Result<Self> {
        let mut app = headless::headless_app_for(authored.as_ref().map(|(_, path)| path.as_path()))?;
        app.add_plugins((WorldPlugin, EyePlugin))
            .insert_resource(EyePace::Lockstep)
            // The same pictures whatever draws them.
            .insert_resource(Quality::Software)
            // No simulation step ever comes: what is thrown about hangs in the air.
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::ZERO));
        headless::finish(&mut app);
        let authored = authored.map(|(spec, path)| {
            let spec = Arc::new(spec);
            app.insert_resource(ActiveScene { spec: spec.clone(), path });
            spec
        });
        let eye = Eye { width: order.width, height: order.height, truth: true, rate: EyeRate::OnRequest, ..default() };
        let eye = app.world_mut().spawn((eye, WorldView::SENSOR)).id();
        app.update();
        Ok(Self { app, eye, order: order.clone(), authored, current: None })
    }

    /// Renders frame `frame`.
    fn take(&mut self, frame: u32) -> anyhow::Result<Taken> {
        let scene = self.scene(frame / self.order.views_per_scene);
        let seed = self.order.seed.derive("views of a recording").nth(u64::from(frame));
        let pose = random_view(seed, &scene);
        let world = self.app.world_mut();
        world.insert_resource(Tick(u64::from(frame)));
        let mut eye = world.entity_mut(self.eye);
        eye.insert(Transform::from_translation(pose.position).looking_at(pose.look_at, Vec3::Y));
        if let Some(mut eye) = eye.get_mut::<Eye>() {
            eye.fov_y = pose.fov_y;
        }
        let capture = look(&mut self.app, self.eye)?;
        Ok(Taken { frame, seed, capture })
    }

    /// Makes scene `number` the present one.
    fn scene(&mut self, number: u32) -> Arc<SceneSpec> {
        let number = if self.authored.is_some() && !self.order.varied { 0 } else { number };
        if let Some((current, spec)) = &self.current
            && *current == number
        {
            return spec.clone();
        }
        let seed = self.order.seed.derive("scenes of a recording").nth(u64::from(number));
        let split = match self.order.split {
            Split::Train => scene::Split::Train,
            Split::Heldout => scene::Split::Heldout,
        };
        let spec = match &self.authored {
            Some(authored) if self.order.varied => Arc::new(varied_scene(authored, seed, split, &all_kinds())),
            Some(authored) => authored.clone(),
            None => Arc::new(random_scene(seed, split, &all_kinds(), &RandomOptions::default())),
        };
        let world = self.app.world_mut();
        forget_earlier_scenes(world);
        // As a first scene: nothing of the one before may stay, however alike.
        world.write_message(SceneChanged { old: None, new: spec.clone() });
        for _ in 0..SETTLE_UPDATES {
            self.app.update();
        }
        // Models come from files, in their own time.
        while is_importing(self.app.world_mut()) {
            std::thread::sleep(Duration::from_millis(2));
            self.app.update();
        }
        self.current = Some((number, spec.clone()));
        spec
    }
}

/// The scene that `name` means, and its file: a path, or the name of a shipped scene.
fn authored_scene(name: &str) -> anyhow::Result<(SceneSpec, PathBuf)> {
    let path = Some(PathBuf::from(name))
        .filter(|path| path.is_file())
        .unwrap_or_else(|| asset_folder().join(Path::new("scenes").join(format!("{name}.scene.ron"))));
    let text = read_bounded(&path).map_err(|problem| anyhow!("{problem}"))?;
    let spec = parse_scene(
        &text,
        &path,
        Known { kinds: &all_kinds(), actions: &super::all_actions(), dreams: &DreamMaterials::default() },
    )
    .map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!("{}", lines.join("\n"))
    });
    Ok((spec.context("the scene has problems")?, path))
}

/// Class names by id, as spawning `scene` will give them out.
fn classes(scene: Option<&SceneSpec>) -> Vec<String> {
    let mut table = ClassTable::default();
    for object in scene.iter().flat_map(|scene| &scene.objects) {
        if let ObjectSource::Asset { label, .. } = &object.source {
            table.id_or_insert(label);
        }
    }
    table.iter().map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_out_all_scenes() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().expect("a shard")).collect();
        for scene in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.has_scene(scene)).count(), 1);
        }
        for bad in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
