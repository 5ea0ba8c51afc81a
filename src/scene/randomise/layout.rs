//! Where things stand: furniture first, small things on it, the rest on the floor near by or anywhere as clutter.

use bevy::math::{EulerRot, Quat, Vec2, Vec3};
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{RandomOptions, Split, between, chance};
use crate::{
    base::Seed,
    scene::{KindRegistry, KindShape, spec::*},
};

/// Tries per object before it is left out.
const TRIES: usize = 60;
/// Air between neighbours, metres.
const GAP: f32 = 0.012;
/// Free strip along the walls, metres; wall halves and skirting reach into the room.
const WALL_STRIP: f32 = 0.1;
/// Share of the small things that stand on others.
const ON_SUPPORTS: f32 = 0.72;

/// The objects of a room.
pub(super) fn furnish(
    seed: Seed,
    split: Split,
    room: &RoomSpec,
    kinds: &KindRegistry,
    options: &RandomOptions,
) -> Vec<ObjectSpec> {
    let mut rng = seed.rng();
    let known: Vec<&str> = kinds.names().filter(|name| wanted(options, name)).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let count = rng.random_range(*options.objects.start() as u32..=*options.objects.end() as u32) as usize;
    let mut items: Vec<Item> = deal(&mut rng, &known, count)
        .into_iter()
        .filter_map(|kind| {
            let seed = split.variant(rng.random());
            let scale = between(&mut rng, 0.8, 1.3);
            Some(Item { kind, seed, scale, shape: kinds.shape(kind, seed)? })
        })
        .collect();
    // Large footprints that carry others come first; a stable sort keeps the draw's order otherwise.
    items.sort_by_key(|item| std::cmp::Reverse((item.is_furniture(), (item.shape.radius() * 20.0) as u32)));
    let mut layout = Layout { room, clusters: clusters(&mut rng, room), blocks: Vec::new(), stands: Vec::new() };
    let mut objects = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let roll = rng.random::<f32>();
        let placed = if item.is_furniture() {
            layout.on_floor(&mut rng, item)
        } else if roll < options.clutter {
            layout.anyhow(&mut rng, item)
        } else {
            let first = if roll < options.clutter + ON_SUPPORTS { layout.on_support(&mut rng, item) } else { None };
            first.or_else(|| layout.on_floor(&mut rng, item))
        };
        let Some((pose, fixed)) = placed.or_else(|| layout.anyhow(&mut rng, item)) else { continue };
        objects.push(ObjectSpec {
            name: format!("{}_{index}", item.kind),
            source: ObjectSource::Kind { kind: item.kind.to_owned(), seed: item.seed },
            position: pose.position,
            rotation: pose.rotation,
            scale: item.scale,
            fixed: fixed || item.shape.fixed,
            grabbable: item.shape.grabbable && !fixed,
            material: None,
        });
    }
    objects
}

fn wanted(options: &RandomOptions, name: &str) -> bool {
    options.kinds.is_empty() || options.kinds.iter().any(|kind| kind == name)
}

/// Draws from shuffled decks of all kinds, so that no kind is rare. One table or shelf is always among them.
fn deal<'a>(rng: &mut ChaCha8Rng, known: &[&'a str], count: usize) -> Vec<&'a str> {
    let mut dealt: Vec<&str> = Vec::new();
    while dealt.len() < count {
        let mut deck = known.to_vec();
        deck.shuffle(rng);
        dealt.extend(deck);
    }
    dealt.truncate(count);
    let large: Vec<&str> = known.iter().copied().filter(|kind| ["table", "shelf"].contains(kind)).collect();
    if !large.is_empty() && !dealt.iter().any(|kind| large.contains(kind)) {
        dealt[0] = large[rng.random_range(0..large.len() as u32) as usize];
    }
    dealt
}

struct Item<'a> {
    kind: &'a str,
    seed: Seed,
    scale: f32,
    shape: KindShape,
}

impl Item<'_> {
    fn half_size(&self) -> Vec2 {
        self.shape.half_size * self.scale
    }

    fn height(&self) -> f32 {
        self.shape.height * self.scale
    }

    /// Stands on the floor and carries others.
    fn is_furniture(&self) -> bool {
        !self.shape.supports.is_empty() && self.shape.radius() > 0.2
    }
}

#[derive(Clone, Copy)]
struct Pose {
    position: Vec3,
    rotation: Quat,
}

/// What an object fills: a turned rectangle over a range of heights.
#[derive(Clone, Copy)]
struct Block {
    center: Vec2,
    half_size: Vec2,
    yaw: f32,
    y: [f32; 2],
}

impl Block {
    /// Axes on the floor: where the object's +X and +Z point, as (x, z).
    fn axes(&self) -> [Vec2; 2] {
        let (sin, cos) = self.yaw.sin_cos();
        [Vec2::new(cos, -sin), Vec2::new(sin, cos)]
    }

    /// Half the extent along a direction on the floor.
    fn reach(&self, direction: Vec2) -> f32 {
        let [x, z] = self.axes();
        (self.half_size.x * x.dot(direction)).abs() + (self.half_size.y * z.dot(direction)).abs()
    }

    /// Whether two blocks come closer than [`GAP`]: no axis of either separates them (separating axis theorem).
    fn meets(&self, other: &Block) -> bool {
        let apart_in_height = self.y[0] >= other.y[1] - 1e-3 || other.y[0] >= self.y[1] - 1e-3;
        let between = other.center - self.center;
        let separates = |axis: &Vec2| between.dot(*axis).abs() > self.reach(*axis) + other.reach(*axis) + GAP;
        !apart_in_height && !self.axes().iter().chain(&other.axes()).any(separates)
    }
}

/// An area on which things may be put.
struct Stand {
    /// The object in [`Layout::blocks`] that carries it.
    owner: usize,
    center: Vec3,
    half_size: Vec2,
    yaw: f32,
    clearance: f32,
}

struct Layout<'a> {
    room: &'a RoomSpec,
    clusters: Vec<Vec2>,
    blocks: Vec<Block>,
    stands: Vec<Stand>,
}

/// One to three spots round which things gather.
fn clusters(rng: &mut ChaCha8Rng, room: &RoomSpec) -> Vec<Vec2> {
    let count = rng.random_range(1_u32..=3);
    (0..count)
        .map(|_| {
            let share = Vec2::new(between(rng, 0.2, 0.8), between(rng, 0.2, 0.8));
            room.min + share * room.size()
        })
        .collect()
}

impl Layout<'_> {
    fn is_free(&self, block: &Block, but: Option<usize>) -> bool {
        let reach = Vec2::new(block.reach(Vec2::X), block.reach(Vec2::Y)) + WALL_STRIP;
        let (low, high) = (block.center - reach, block.center + reach);
        let inside = low.cmpge(self.room.min).all() && high.cmple(self.room.max).all();
        let mut others = self.blocks.iter().enumerate().filter(|(index, _)| Some(*index) != but);
        inside && block.y[1] < self.room.floor_y + self.room.height && !others.any(|(_, other)| block.meets(other))
    }

    fn near_cluster(&self, rng: &mut ChaCha8Rng, spread: f32) -> Vec2 {
        let center = self.clusters[rng.random_range(0..self.clusters.len() as u32) as usize];
        let angle = between(rng, 0.0, std::f32::consts::TAU);
        center + Vec2::from_angle(angle) * (spread * rng.random::<f32>().sqrt())
    }

    /// Upright on the floor; shelves with their back to a wall, the rest near a cluster, closer first.
    fn on_floor(&mut self, rng: &mut ChaCha8Rng, item: &Item) -> Option<(Pose, bool)> {
        let half_size = item.half_size();
        for attempt in 0..TRIES {
            let mut yaw = between(rng, -std::f32::consts::PI, std::f32::consts::PI);
            let mut center = self.near_cluster(rng, 0.5 + 0.05 * attempt as f32);
            if item.kind == "shelf" {
                (center, yaw) = self.along_wall(rng, half_size.y);
            }
            let y = [self.room.floor_y, self.room.floor_y + item.height()];
            let block = Block { center, half_size, yaw, y };
            if self.is_free(&block, None) {
                return Some((self.put(block, item), false));
            }
        }
        None
    }

    fn along_wall(&self, rng: &mut ChaCha8Rng, half_depth: f32) -> (Vec2, f32) {
        let quarter = std::f32::consts::FRAC_PI_2;
        let from_wall = half_depth + WALL_STRIP + 0.01;
        let (low, high) = (self.room.min + from_wall, self.room.max - from_wall);
        let (x, z) = (between(rng, low.x, high.x), between(rng, low.y, high.y));
        match rng.random_range(0_u32..4) {
            0 => (Vec2::new(x, low.y), 0.0),
            1 => (Vec2::new(x, high.y), 2.0 * quarter),
            2 => (Vec2::new(low.x, z), quarter),
            _ => (Vec2::new(high.x, z), -quarter),
        }
    }

    /// Remembers an upright object and what it carries.
    fn put(&mut self, block: Block, item: &Item) -> Pose {
        let pose = Pose {
            position: Vec3::new(block.center.x, block.y[0], block.center.y),
            rotation: Quat::from_rotation_y(block.yaw),
        };
        let owner = self.blocks.len();
        for area in &item.shape.supports {
            self.stands.push(Stand {
                owner,
                center: pose.position + pose.rotation * (area.center * item.scale),
                half_size: area.half_size * item.scale,
                yaw: block.yaw,
                clearance: area.clearance * item.scale,
            });
        }
        self.blocks.push(block);
        pose
    }

    /// Upright on a table, a board of a shelf, a crate; large areas are chosen more often.
    fn on_support(&mut self, rng: &mut ChaCha8Rng, item: &Item) -> Option<(Pose, bool)> {
        let half_size = item.half_size();
        let fits = |stand: &Stand| {
            let narrow = half_size.min_element() <= stand.half_size.min_element() + 0.02;
            let long = half_size.max_element() <= stand.half_size.max_element() + 0.02;
            narrow && long && item.height() < stand.clearance
        };
        let fitting: Vec<usize> = (0..self.stands.len()).filter(|index| fits(&self.stands[*index])).collect();
        if fitting.is_empty() {
            return None;
        }
        for _ in 0..TRIES {
            // The better of two draws by area.
            let area = |index: usize| self.stands[index].half_size.element_product();
            let mut draw = || fitting[rng.random_range(0..fitting.len() as u32) as usize];
            let (a, b) = (draw(), draw());
            let stand = &self.stands[if area(a) > area(b) { a } else { b }];
            let mut yaw = between(rng, -std::f32::consts::PI, std::f32::consts::PI);
            if half_size.max_element() > stand.half_size.min_element() {
                // Too long to be turned freely: along the board.
                let along_x = (half_size.x > half_size.y) == (stand.half_size.x > stand.half_size.y);
                let quarters = if along_x { 0.0 } else { std::f32::consts::FRAC_PI_2 };
                yaw = stand.yaw + quarters + between(rng, -0.15, 0.15);
            }
            let room_left = (stand.half_size - 0.8 * half_size.min_element()).max(Vec2::ZERO);
            let offset =
                Vec3::new(between(rng, -room_left.x, room_left.x), 0.0, between(rng, -room_left.y, room_left.y));
            let middle = stand.center + Quat::from_rotation_y(stand.yaw) * offset;
            let y = [middle.y, middle.y + item.height()];
            let block = Block { center: Vec2::new(middle.x, middle.z), half_size, yaw, y };
            let owner = stand.owner;
            if self.is_free(&block, Some(owner)) {
                return Some((self.put(block, item), false));
            }
        }
        None
    }

    /// Lying on the floor, or in the air in any pose; fixed, since it could not rest like this.
    fn anyhow(&mut self, rng: &mut ChaCha8Rng, item: &Item) -> Option<(Pose, bool)> {
        let half = Vec3::new(item.half_size().x, 0.5 * item.height(), item.half_size().y);
        let lying = chance(rng, 0.5) && item.shape.supports.is_empty();
        for attempt in 0..TRIES {
            let yaw = between(rng, -std::f32::consts::PI, std::f32::consts::PI);
            let rotation = if lying {
                Quat::from_rotation_y(yaw) * Quat::from_rotation_x(std::f32::consts::FRAC_PI_2)
            } else if chance(rng, 0.5) {
                Quat::from_euler(EulerRot::YXZ, yaw, between(rng, -0.6, 0.6), between(rng, -0.6, 0.6))
            } else {
                any_rotation(rng)
            };
            // Half the box round the turned object: the absolute matrix applied to its half size.
            let axes = [rotation * Vec3::X, rotation * Vec3::Y, rotation * Vec3::Z];
            let extent = axes[0].abs() * half.x + axes[1].abs() * half.y + axes[2].abs() * half.z;
            let center = self.near_cluster(rng, 0.8 + 0.05 * attempt as f32);
            let above = if lying { 0.0 } else { between(rng, 0.05, 1.9) };
            let y = self.room.floor_y + extent.y + above;
            let block =
                Block { center, half_size: Vec2::new(extent.x, extent.z), yaw: 0.0, y: [y - extent.y, y + extent.y] };
            if self.is_free(&block, None) {
                self.blocks.push(block);
                let position = Vec3::new(center.x, y, center.y) - rotation * (Vec3::Y * half.y);
                return Some((Pose { position, rotation }, true));
            }
        }
        None
    }
}

/// A rotation, all equally likely. Source: K. Shoemake, "Uniform random rotations", Graphics Gems III, 1992.
fn any_rotation(rng: &mut ChaCha8Rng) -> Quat {
    let u = rng.random::<f32>();
    let (a, b) = (between(rng, 0.0, std::f32::consts::TAU), between(rng, 0.0, std::f32::consts::TAU));
    let (low, high) = ((1.0 - u).sqrt(), u.sqrt());
    Quat::from_xyzw(low * a.sin(), low * a.cos(), high * b.sin(), high * b.cos()).normalize()
}
