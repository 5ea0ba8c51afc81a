//! Random scenes and views, for labelled training data.
//!
//! In: a seed, a split, the registered kinds, perhaps an authored scene. Out: a [`SceneSpec`] of one furnished room, or another
//! state of the authored one, and a [`CameraPose`] in it, equal for equal seeds. Classes come from shuffled decks, so that each
//! has its share; large things stand first, small ones on them. What is absent: physics (things are put where they can rest, or
//! are fixed in the air as clutter), rendering.
//!
//! Held-out means unseen: the two splits draw from streams of different names, and the lowest bit of every object's seed
//! says its split, so that no variant of an object can be in both.

mod layout;
mod variation;
mod view;

use std::{collections::BTreeMap, ops::RangeInclusive};

use bevy::math::{Vec2, Vec3};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub use variation::varied_scene;
pub use view::random_view;

use super::{KindRegistry, spec::*};
use crate::base::Seed;

/// What a random scene is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// Fitting and choosing of models.
    Train,
    /// Scores: rooms and variants that training never saw.
    Heldout,
}

impl Split {
    /// The stream of this split under `seed`.
    pub fn stream(self, seed: Seed) -> Seed {
        seed.derive(match self {
            Split::Train => "scenes for training",
            Split::Heldout => "scenes held out",
        })
    }

    /// The seed of an object: even for training, odd for what is held out.
    pub fn variant(self, drawn: u64) -> Seed {
        Seed((drawn & !1) | u64::from(self == Split::Heldout))
    }
}

/// What [`random_scene`] may be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomOptions {
    /// How many objects a scene has; a few fewer where no place is found.
    pub objects: RangeInclusive<usize>,
    /// Kinds to draw from; empty means all that are registered.
    pub kinds: Vec<String>,
    /// Share of the objects that lie about or hang in the air in any pose.
    pub clutter: f32,
}

impl Default for RandomOptions {
    fn default() -> Self {
        Self { objects: 14..=30, kinds: Vec::new(), clutter: 0.14 }
    }
}

/// A furnished room. Equal arguments give equal scenes.
pub fn random_scene(seed: Seed, split: Split, kinds: &KindRegistry, options: &RandomOptions) -> SceneSpec {
    let stream = split.stream(seed);
    let mut rng = stream.derive("room").rng();
    let room = random_room(&mut rng);
    let materials = random_materials(&mut stream.derive("materials").rng());
    let (sky, lights) = random_light(&mut stream.derive("light").rng(), &room);
    let objects = layout::furnish(stream.derive("layout"), split, &room, kinds, options);
    let middle = 0.5 * (room.min + room.max);
    let spawn = PoseSpec { position: Vec3::new(middle.x, 0.0, middle.y), yaw: 0.0 };
    SceneSpec {
        name: format!("random {:016x}", seed.0),
        seed,
        sky,
        materials,
        lights,
        objects,
        snap_zones: Vec::new(),
        places: BTreeMap::new(),
        commands: Vec::new(),
        say_as: BTreeMap::new(),
        spawn,
        nest: spawn.position + Vec3::Y * 1.5,
        rooms: vec![room],
    }
}

fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

fn chance(rng: &mut ChaCha8Rng, p: f32) -> bool {
    rng.random::<f32>() < p
}

fn random_room(rng: &mut ChaCha8Rng) -> RoomSpec {
    let size = Vec2::new(between(rng, 3.4, 8.5), between(rng, 3.4, 8.5));
    let height = between(rng, 2.4, 3.6);
    let ceiling = chance(rng, 0.82).then(|| "ceiling".to_owned());
    let mut openings = Vec::new();
    for side in [Side::North, Side::East, Side::South, Side::West] {
        let wall = if matches!(side, Side::North | Side::South) { size.x } else { size.y };
        if chance(rng, 0.6) {
            let glazed = chance(rng, 0.85);
            let width = between(rng, 0.8, (wall - 1.0).min(2.6));
            let center = between(rng, 0.4 + 0.5 * width, wall - 0.4 - 0.5 * width);
            let (bottom, top) =
                if glazed { (between(rng, 0.4, 1.1), between(rng, 1.9, height - 0.2)) } else { (0.0, 2.1) };
            openings.push(OpeningSpec { side, center, width, bottom, top, glazed });
        }
    }
    RoomSpec {
        name: "room".to_owned(),
        min: -0.5 * size,
        max: 0.5 * size,
        floor_y: 0.0,
        height,
        floor: "floor".to_owned(),
        walls: "walls".to_owned(),
        ceiling,
        openings,
    }
}

const FLOORS: [Pattern; 10] = [
    Pattern::Planks,
    Pattern::Parquet,
    Pattern::Tiles,
    Pattern::Marble,
    Pattern::Paving,
    Pattern::Concrete,
    Pattern::Grass,
    Pattern::Gravel,
    Pattern::Fabric,
    Pattern::Plain,
];
const WALLS: [Pattern; 9] = [
    Pattern::Plaster,
    Pattern::Plaster,
    Pattern::Plain,
    Pattern::Bricks,
    Pattern::Tiles,
    Pattern::Planks,
    Pattern::Concrete,
    Pattern::Marble,
    Pattern::Fabric,
];

fn random_materials(rng: &mut ChaCha8Rng) -> BTreeMap<String, MaterialSpec> {
    let mut materials = BTreeMap::new();
    for (name, patterns) in [("floor", FLOORS.as_slice()), ("walls", &WALLS), ("ceiling", &WALLS[..3])] {
        let pattern = patterns[rng.random_range(0..patterns.len() as u32) as usize];
        let base_color = random_color(rng, if name == "floor" { 0.35 } else { 0.6 });
        let accent_color = (base_color * between(rng, 0.3, 1.5)).min(Vec3::splat(0.95));
        let material = MaterialSpec {
            pattern,
            base_color,
            accent_color,
            roughness: between(rng, 0.25, 1.0),
            metallic: 0.0,
            scale_m: between(rng, 0.4, 2.2),
            ..MaterialSpec::default()
        };
        materials.insert(name.to_owned(), material);
    }
    materials
}

/// A linear colour round a brightness, mostly pale, sometimes strong.
fn random_color(rng: &mut ChaCha8Rng, brightness: f32) -> Vec3 {
    let value = brightness * between(rng, 0.35, 1.4);
    let saturation = between(rng, 0.0, 1.0).powi(2);
    let tint = Vec3::new(rng.random(), rng.random(), rng.random());
    (value * Vec3::ONE.lerp(2.0 * tint, saturation)).clamp(Vec3::splat(0.02), Vec3::splat(0.95))
}

/// Elevation and azimuth of a sun by day, and the sky's turbidity, as in [`SkySpec`].
fn random_sun(rng: &mut ChaCha8Rng) -> [f32; 3] {
    [between(rng, 12.0, 75.0).to_radians(), between(rng, -180.0, 180.0).to_radians(), between(rng, 2.0, 7.0)]
}

/// From white (0) to the orange of a weak bulb (1).
fn lamp_color(warmth: f32) -> Vec3 {
    Vec3::new(1.0, 1.0 - 0.3 * warmth, 1.0 - 0.65 * warmth)
}

fn random_light(rng: &mut ChaCha8Rng, room: &RoomSpec) -> (SkySpec, Vec<LightSpec>) {
    let [sun_elevation, sun_azimuth, turbidity] = random_sun(rng);
    let sky = SkySpec {
        sun_elevation,
        sun_azimuth,
        turbidity,
        sun_illuminance: between(rng, 25_000.0, 110_000.0),
        sky_intensity: between(rng, 0.6, 1.5),
    };
    let inset = room.size() * 0.4;
    let lamps = rng.random_range(u32::from(room.ceiling.is_some())..=3);
    let lights = (0..lamps).map(|_| {
        let warmth = between(rng, 0.0, 1.0);
        LightSpec {
            position: Vec3::new(
                between(rng, -inset.x, inset.x),
                between(rng, 1.8, room.height - 0.3),
                between(rng, -inset.y, inset.y),
            ),
            color: lamp_color(warmth),
            lumens: between(rng, 500.0, 3_000.0),
            range: 12.0,
            shadows: false,
            spot: None,
        }
    });
    let lights = lights.collect();
    (sky, lights)
}

#[cfg(test)]
mod tests;
