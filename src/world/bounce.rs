//! Light that comes in through windows and doors and bounces about: computed once per scene on the processor.
//!
//! In: rooms as boxes with holes, the sky, lamps, how much each surface reflects. Out: a [`RoomLight`] per room: the light
//! that arrives at points of a grid from six sides, for the renderer's irradiance volumes and for the exposure of
//! cameras. Sunlight and lamplight that arrives directly is left out (the renderer draws it, with shadows), what they
//! bounce is in. What is absent: furniture; it receives this light, but does not block it.
//!
//! Method: radiosity by gathering (Goral et al., "Modeling the interaction of light between diffuse surfaces", SIGGRAPH
//! 1984, with Monte Carlo form factors), then ambient cubes (Mitchell, "Shading in Valve's Source engine", SIGGRAPH 2006).

use bevy::{
    math::{UVec3, Vec2, Vec3},
    tasks::TaskPool,
};

use super::{
    architecture::{EXTERIOR_THICKNESS, Hole, Rect2, Wall, walls_of},
    beside_frames::{Progress, each},
    environment::EnvironmentMaps,
    sky::Sky,
};
use crate::scene::RoomSpec;

/// Points of a volume along one axis.
const MAX_VOXELS: u32 = 40;

/// How finely light is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detail {
    /// Side of a patch of wall, metres.
    patch: f32,
    /// Distance between the points of a volume, metres.
    voxel: f32,
    /// How often light bounces between walls.
    bounces: usize,
    rays_per_patch: u32,
    rays_per_voxel: u32,
    /// Side of the faces of a room's reflection, pixels; a power of two of at least 8.
    reflection_size: u32,
}

impl Detail {
    pub const FULL: Self =
        Self { patch: 0.5, voxel: 0.45, bounces: 4, rays_per_patch: 96, rays_per_voxel: 240, reflection_size: 32 };
    /// About as bright and as coloured, without fine shades, in a hundredth of the time.
    pub const PLAIN: Self =
        Self { patch: 1.2, voxel: 1.2, bounces: 3, rays_per_patch: 24, rays_per_voxel: 48, reflection_size: 8 };
}

/// Who computes, and for whom.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// On all threads of a pool, or on this one alone: other cores stay free for frames.
    pub pool: Option<&'a TaskPool>,
    pub progress: &'a Progress,
}

/// What window glass lets through.
const GLASS: f32 = 0.9;
/// A ray passes at most this many rooms.
const MAX_ROOMS_PASSED: usize = 12;

/// How a room's surfaces reflect: linear RGB, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reflectance {
    pub floor: Vec3,
    /// North, east, south, west.
    pub walls: [Vec3; 4],
    pub ceiling: Vec3,
}

/// A lamp as a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointSource {
    pub position: Vec3,
    /// Linear RGB times lumens.
    pub power: Vec3,
    /// Direction and outer angle of a spot.
    pub spot: Option<(Vec3, f32)>,
}

/// The light in one room.
#[derive(Clone, Debug, PartialEq)]
pub struct LightVolume {
    /// The box that it fills, world space.
    pub min: Vec3,
    pub max: Vec3,
    pub resolution: UVec3,
    /// Per point (x fastest, then y, then z): mean radiance (candela per square metre) over the hemispheres towards
    /// −X, +X, −Y, +Y, −Z, +Z, weighted by cosine.
    pub cubes: Vec<[Vec3; 6]>,
}

impl LightVolume {
    /// Whether `point` lies in the volume.
    pub fn contains(&self, point: Vec3) -> bool {
        point.cmpge(self.min).all() && point.cmple(self.max).all()
    }

    /// Mean radiance at `point` from all sides, of the nearest grid point.
    pub fn mean_at(&self, point: Vec3) -> Vec3 {
        let unit = (point - self.min) / (self.max - self.min);
        let at = (unit * self.resolution.as_vec3())
            .as_ivec3()
            .clamp(bevy::math::IVec3::ZERO, self.resolution.as_ivec3() - 1);
        let index = at.x as u32 + self.resolution.x * (at.y as u32 + self.resolution.y * at.z as u32);
        self.cubes[index as usize].iter().sum::<Vec3>() / 6.0
    }
}

/// All bounced light of one room.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomLight {
    pub volume: LightVolume,
    /// What polished things in the room mirror, seen from its middle.
    pub reflection: EnvironmentMaps,
}

/// Height above the floor from which reflections are taken, metres.
const REFLECTION_HEIGHT: f32 = 1.3;

/// One room as light sees it.
struct RoomBox {
    min: Vec3,
    max: Vec3,
    open_top: bool,
    /// Holes of the north, east, south and west wall: along world X or Z and Y, and what passes.
    holes: [Vec<(Rect2, f32)>; 4],
    reflectance: [Vec3; 6],
    /// Patches per face along its two axes.
    grid: [[u32; 2]; 6],
    /// Index of the face's first patch.
    first_patch: [usize; 6],
    /// The box of the room's volume.
    volume: (Vec3, Vec3),
}

/// Faces of a box: −X, +X, −Y, +Y, −Z, +Z. The axes that span face `f` are those after axis `f / 2`, in a cycle.
fn span_axes(face: usize) -> [usize; 2] {
    let axis = face / 2;
    [(axis + 1) % 3, (axis + 2) % 3]
}

/// What a ray ends on.
enum End {
    Patch(usize),
    /// Out of the building, with what is left of the light.
    Sky(f32),
}

struct Building<'a> {
    rooms: Vec<RoomBox>,
    sky: &'a Sky,
    patches: usize,
    detail: Detail,
}

/// Computes the light in every room, in their order; `None` if nobody waits for it any more. The result does not depend on
/// how many threads there are.
pub fn bounce_light(
    rooms: &[RoomSpec],
    reflectances: &[Reflectance],
    lamps: &[PointSource],
    sky: &Sky,
    detail: Detail,
    crew: Crew,
) -> Option<Vec<RoomLight>> {
    let building = Building::new(rooms, reflectances, sky, detail);
    let indices: Vec<usize> = (0..building.rooms.len()).collect();
    crew.progress.expect(indices.len() * (2 + detail.bounces));
    let per_room = |work: &(dyn Fn(usize) -> Vec<Vec3> + Sync)| -> Option<Vec<Vec3>> {
        Some(each(crew.pool, crew.progress, &indices, |room| work(*room))?.concat())
    };
    let direct = per_room(&|room| building.direct_light(room, lamps))?;
    // Radiance of every patch after all bounces.
    let mut glow = direct.clone();
    for _ in 0..detail.bounces {
        let gathered = per_room(&|room| building.gathered_light(room, &glow))?;
        glow = gathered.iter().zip(&direct).map(|(gathered, direct)| *gathered + *direct).collect();
    }
    each(crew.pool, crew.progress, &indices, |room| building.room_light(*room, &glow))
}

impl<'a> Building<'a> {
    fn new(rooms: &[RoomSpec], reflectances: &[Reflectance], sky: &'a Sky, detail: Detail) -> Self {
        let mut patches = 0;
        let rooms = rooms
            .iter()
            .zip(reflectances)
            .enumerate()
            .map(|(index, (room, reflectance))| {
                let walls = walls_of(rooms, index);
                let [north, east, south, west] = &walls;
                let min = Vec3::new(room.min.x - west.inner_w, room.floor_y, room.min.y - north.inner_w);
                let max = Vec3::new(room.max.x + east.inner_w, room.floor_y + room.height, room.max.y + south.inner_w);
                let holes = [north, east, south, west].map(|wall| {
                    let start = wall.origin.dot(wall.along);
                    let shift = Vec2::new(start, room.floor_y);
                    let hole = |hole: &Hole| {
                        let rect = Rect2 { min: hole.rect.min + shift, max: hole.rect.max + shift };
                        (rect, if hole.glazed { GLASS } else { 1.0 })
                    };
                    wall.openings.iter().map(hole).collect()
                });
                let Reflectance { floor, ceiling, walls: [n, e, s, w] } = *reflectance;
                let size = max - min;
                let grid = [0, 1, 2, 3, 4, 5]
                    .map(|face| span_axes(face).map(|axis| ((size[axis] / detail.patch).ceil() as u32).clamp(1, 64)));
                let first_patch = grid.map(|[a, b]| {
                    let first = patches;
                    patches += (a * b) as usize;
                    first
                });
                // Reveals belong to the room; the outer faces of its walls do not.
                let reach = |wall: &Wall| {
                    if wall.shared { wall.outer_w - wall.inner_w } else { EXTERIOR_THICKNESS - 0.04 }
                };
                let low = min - Vec3::new(reach(west), 0.05, reach(north));
                let high = max + Vec3::new(reach(east), 0.01, reach(south));
                RoomBox {
                    min,
                    max,
                    open_top: room.ceiling.is_none(),
                    holes,
                    reflectance: [w, e, floor, ceiling, n, s],
                    grid,
                    first_patch,
                    volume: (low, high),
                }
            })
            .collect();
        Self { rooms, sky, patches, detail }
    }

    fn room_light(&self, room: usize, glow: &[Vec3]) -> RoomLight {
        RoomLight { volume: self.volume(room, glow), reflection: self.reflection(room, glow) }
    }

    /// Follows a ray that starts in `room` to where it ends, and how far away that is.
    fn trace(&self, mut room: usize, origin: Vec3, direction: Vec3) -> (End, f32) {
        let mut passed = 1.0;
        for _ in 0..MAX_ROOMS_PASSED {
            let space = &self.rooms[room];
            let bound = Vec3::select(direction.cmpgt(Vec3::ZERO), space.max, space.min);
            let t =
                Vec3::select(direction.abs().cmplt(Vec3::splat(1e-7)), Vec3::INFINITY, (bound - origin) / direction);
            let axis = t.min_position();
            let distance = t[axis].max(0.0);
            let point = origin + direction * distance;
            let face = 2 * axis + usize::from(direction[axis] > 0.0);
            if face == 3 && space.open_top {
                return (End::Sky(passed), f32::INFINITY);
            }
            let wall = match face {
                4 => Some(0),
                1 => Some(1),
                5 => Some(2),
                0 => Some(3),
                _ => None,
            };
            let hole = wall.and_then(|wall| {
                let along = if axis == 0 { point.z } else { point.x };
                space.holes[wall].iter().find(|(rect, _)| rect.contains(Vec2::new(along, point.y)))
            });
            let Some((_, through)) = hole else {
                return (End::Patch(self.patch_at(room, face, point)), distance);
            };
            passed *= through;
            let mut beyond = point;
            beyond[axis] += 0.3 * direction[axis].signum();
            match (0..self.rooms.len()).find(|other| *other != room && self.rooms[*other].holds(beyond)) {
                Some(other) => room = other,
                None => return (End::Sky(passed), f32::INFINITY),
            }
        }
        (End::Sky(0.0), f32::INFINITY)
    }

    fn patch_at(&self, room: usize, face: usize, point: Vec3) -> usize {
        let space = &self.rooms[room];
        let size = space.max - space.min;
        let grid = space.grid[face];
        let [i, j] = [0, 1].map(|k| {
            let axis = span_axes(face)[k];
            (((point[axis] - space.min[axis]) / size[axis] * grid[k] as f32).max(0.0) as u32).min(grid[k] - 1)
        });
        space.first_patch[face] + (j * grid[0] + i) as usize
    }

    /// Radiance at the end of a ray.
    fn seen(&self, end: &End, direction: Vec3, glow: &[Vec3]) -> Vec3 {
        match end {
            End::Patch(patch) => glow[*patch],
            End::Sky(passed) => self.sky.radiance(direction) * *passed,
        }
    }

    /// Every patch of a room: its middle, the normal into the room, its size along its axes, its reflectance.
    fn patches_of(&self, room: usize) -> impl Iterator<Item = (Vec3, Vec3, [Vec3; 2], Vec3)> + '_ {
        let space = &self.rooms[room];
        let size = space.max - space.min;
        (0..6).flat_map(move |face| {
            let [a, b] = span_axes(face);
            let [na, nb] = space.grid[face];
            let normal = Vec3::AXES[face / 2] * if face % 2 == 0 { 1.0 } else { -1.0 };
            let edges = [Vec3::AXES[a] * size[a] / na as f32, Vec3::AXES[b] * size[b] / nb as f32];
            let mut corner = space.min;
            if face % 2 == 1 {
                corner[face / 2] = space.max[face / 2];
            }
            (0..na * nb).map(move |i| {
                let center = corner + edges[0] * ((i % na) as f32 + 0.5) + edges[1] * ((i / na) as f32 + 0.5);
                (center + normal * 1e-3, normal, edges, space.reflectance[face])
            })
        })
    }

    /// Radiance that the patches of a room send back of sunlight and lamplight.
    fn direct_light(&self, room: usize, lamps: &[PointSource]) -> Vec<Vec3> {
        self.patches_of(room)
            .map(|(center, normal, edges, reflectance)| {
                let mut light = Vec3::ZERO;
                // Four points of the patch, because sunlight has edges.
                for [x, y] in [[-0.25, -0.25], [0.25, -0.25], [-0.25, 0.25], [0.25, 0.25]] {
                    let point = center + edges[0] * x + edges[1] * y;
                    let cosine = normal.dot(self.sky.to_sun);
                    if cosine > 0.0
                        && let (End::Sky(passed), _) = self.trace(room, point, self.sky.to_sun)
                    {
                        light += 0.25 * self.sky.sun_illuminance * cosine * passed;
                    }
                }
                for lamp in lamps {
                    light += self.lamp_light(room, center, normal, lamp);
                }
                light * reflectance / std::f32::consts::PI
            })
            .collect()
    }

    /// Illuminance of a patch by a lamp, lux.
    fn lamp_light(&self, room: usize, center: Vec3, normal: Vec3, lamp: &PointSource) -> Vec3 {
        let to_lamp = lamp.position - center;
        let distance = to_lamp.length().max(0.2);
        let direction = to_lamp / distance;
        let cosine = normal.dot(direction);
        let lit = lamp.spot.is_none_or(|(axis, angle)| (-direction).dot(axis.normalize_or(-Vec3::Y)) > angle.cos());
        if cosine <= 0.0 || !lit || distance > 12.0 || self.trace(room, center, direction).1 < distance - 0.05 {
            return Vec3::ZERO;
        }
        lamp.power / (4.0 * std::f32::consts::PI) * cosine / (distance * distance)
    }

    /// Radiance that the patches of a room send back of what arrives from other patches and the sky.
    fn gathered_light(&self, room: usize, glow: &[Vec3]) -> Vec<Vec3> {
        debug_assert_eq!(glow.len(), self.patches);
        self.patches_of(room)
            .enumerate()
            .map(|(index, (center, normal, edges, reflectance))| {
                let (right, up) = normal.any_orthonormal_pair();
                let mut sum = Vec3::ZERO;
                let rays = self.detail.rays_per_patch;
                for ray in 0..rays {
                    let x = hammersley(ray, rays, index as u32);
                    let place = hammersley(ray, rays, index as u32 ^ 0x55) - 0.5;
                    let (sin, cos) = (std::f32::consts::TAU * x.y).sin_cos();
                    let sin_theta = x.x.sqrt();
                    let direction =
                        right * sin_theta * cos + up * sin_theta * sin + normal * (1.0 - x.x).max(1e-6).sqrt();
                    let start = center + 0.9 * (edges[0] * place.x + edges[1] * place.y);
                    let (end, _) = self.trace(room, start, direction);
                    sum += self.seen(&end, direction, glow);
                }
                sum / rays as f32 * reflectance
            })
            .collect()
    }

    fn volume(&self, room: usize, glow: &[Vec3]) -> LightVolume {
        let space = &self.rooms[room];
        let (min, max) = space.volume;
        let size = max - min;
        let resolution = (size / self.detail.voxel).ceil().as_uvec3().clamp(UVec3::splat(2), UVec3::splat(MAX_VOXELS));
        let count = resolution.x * resolution.y * resolution.z;
        let margin = Vec3::splat(0.05).min(0.25 * (space.max - space.min));
        let cubes = (0..count)
            .map(|index| {
                let at = UVec3::new(index, index / resolution.x, index / (resolution.x * resolution.y)) % resolution;
                let point = min + size * (at.as_vec3() + 0.5) / resolution.as_vec3();
                self.cube(room, point.clamp(space.min + margin, space.max - margin), glow)
            })
            .collect();
        LightVolume { min, max, resolution, cubes }
    }

    fn reflection(&self, room: usize, glow: &[Vec3]) -> EnvironmentMaps {
        let space = &self.rooms[room];
        let mut eye = 0.5 * (space.min + space.max);
        eye.y = (space.min.y + REFLECTION_HEIGHT).min(eye.y);
        EnvironmentMaps::filter(self.detail.reflection_size, |direction| {
            let (end, _) = self.trace(room, eye, direction);
            self.seen(&end, direction, glow)
        })
    }

    fn cube(&self, room: usize, point: Vec3, glow: &[Vec3]) -> [Vec3; 6] {
        let mut sums = [Vec3::ZERO; 6];
        let mut weights = [0.0; 6];
        let rays = self.detail.rays_per_voxel;
        for ray in 0..rays {
            // The same well spread directions for every point, so that neighbours agree.
            let y = 1.0 - 2.0 * (ray as f32 + 0.5) / rays as f32;
            let r = (1.0 - y * y).sqrt();
            let (sin, cos) = (ray as f32 * 2.399_963_2).sin_cos();
            let direction = Vec3::new(r * cos, y, r * sin);
            let (end, _) = self.trace(room, point, direction);
            let radiance = self.seen(&end, direction, glow);
            for face in 0..6 {
                let cosine = direction[face / 2] * if face % 2 == 0 { -1.0 } else { 1.0 };
                if cosine > 0.0 {
                    sums[face] += radiance * cosine;
                    weights[face] += cosine;
                }
            }
        }
        [0, 1, 2, 3, 4, 5].map(|face| sums[face] / weights[face])
    }
}

impl RoomBox {
    fn holds(&self, point: Vec3) -> bool {
        let slack = Vec3::splat(0.02);
        point.cmpge(self.min - slack).all() && point.cmple(self.max + slack).all()
    }
}

/// The `i`-th of `count` points that cover the unit square evenly, shifted by a hash of `salt`.
fn hammersley(i: u32, count: u32, salt: u32) -> Vec2 {
    let shift = salt.wrapping_mul(0x9e37_79b9);
    let x = (i as f32 + (shift >> 16) as f32 / 65_536.0) / count as f32;
    let y = (i.reverse_bits() as f32 / u32::MAX as f32 + (shift & 0xffff) as f32 / 65_536.0).fract();
    Vec2::new(x.min(0.999_999), y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::Seed,
        scene::{OpeningSpec, Side, SkySpec},
    };

    fn room(openings: Vec<OpeningSpec>, ceiling: bool) -> RoomSpec {
        let bare = RoomSpec::bare("r", [0.0, 0.0], [4.0, 4.0], openings);
        RoomSpec { ceiling: bare.ceiling.clone().filter(|_| ceiling), ..bare }
    }

    fn sky() -> Sky {
        let spec =
            SkySpec { sun_elevation: 0.7, sun_azimuth: 0.0, turbidity: 3.0, sun_illuminance: 0.0, sky_intensity: 1.0 };
        Sky::new(&spec, Seed(1))
    }

    fn light(rooms: &[RoomSpec], grey: Reflectance, lamps: &[PointSource], detail: Detail) -> Vec<RoomLight> {
        let crew = Crew { pool: None, progress: &Progress::default() };
        bounce_light(rooms, &vec![grey; rooms.len()], lamps, &sky(), detail, crew).expect("nobody gave it up")
    }

    fn grey(value: f32) -> Reflectance {
        Reflectance { floor: Vec3::splat(value), walls: [Vec3::splat(value); 4], ceiling: Vec3::splat(value) }
    }

    #[test]
    fn a_closed_room_is_dark_and_a_window_lights_it_from_its_side() {
        let dark = light(&[room(vec![], true)], grey(0.5), &[], Detail::FULL);
        assert_eq!(dark[0].volume.mean_at(Vec3::new(2.0, 1.0, 2.0)), Vec3::ZERO);
        let window = OpeningSpec { side: Side::North, center: 2.0, width: 2.0, bottom: 0.8, top: 2.2, glazed: true };
        let rooms = [room(vec![window], true)];
        let lit = light(&rooms, grey(0.5), &[], Detail::FULL);
        let pool = bevy::tasks::TaskPoolBuilder::new().num_threads(3).build();
        let progress = Progress::default();
        let crew = Crew { pool: Some(&pool), progress: &progress };
        let by_many = bounce_light(&rooms, &[grey(0.5)], &[], &sky(), Detail::FULL, crew);
        assert_eq!(Some(&lit), by_many.as_ref(), "on many threads the same");
        assert_eq!(progress.read(), (6, 6), "every part was counted");
        let near = lit[0].volume.mean_at(Vec3::new(2.0, 1.5, 0.5)).y;
        let far = lit[0].volume.mean_at(Vec3::new(2.0, 1.5, 3.5)).y;
        assert!(near > 2.0 * far && far > 0.0, "{near} {far}");
    }

    /// In a closed room with one lamp all light ends in the walls: with reflectance r, the mean radiance that the walls
    /// send is the lamp's first bounce over (1 − r) (geometric series over a closed diffuse enclosure).
    #[test]
    fn energy_is_kept_in_a_closed_room() {
        let lamp = PointSource { position: Vec3::new(2.0, 1.5, 2.0), power: Vec3::splat(1000.0), spot: None };
        let r = 0.5;
        let area = 2.0 * (16.0 + 12.0 + 12.0);
        let exact = r * 1000.0 / area / std::f32::consts::PI / (1.0 - r);
        let volume = &light(&[room(vec![], true)], grey(r), &[lamp], Detail::FULL)[0].volume;
        let mean = volume.cubes.iter().map(|cube| cube.iter().map(|c| c.y).sum::<f32>() / 6.0).sum::<f32>()
            / volume.cubes.len() as f32;
        // Four bounces of the endless series carry 97 %; points near the walls weigh more than the walls' mean.
        assert!((mean / exact - 1.0).abs() < 0.15, "{mean} {exact}");
    }

    #[test]
    fn light_passes_from_room_to_room() {
        let door = |side| OpeningSpec { side, center: 2.0, width: 1.2, bottom: 0.0, top: 2.2, glazed: false };
        let yard = room(vec![door(Side::East)], false);
        let inner =
            RoomSpec { min: Vec2::new(4.0, 0.0), max: Vec2::new(8.0, 4.0), ..room(vec![door(Side::West)], true) };
        let lights = light(&[yard, inner], grey(0.5), &[], Detail::FULL);
        let outside = lights[0].volume.mean_at(Vec3::new(2.0, 1.5, 2.0)).y;
        let inside = lights[1].volume.mean_at(Vec3::new(5.0, 1.0, 2.0)).y;
        assert!(inside > 0.0 && inside < 0.5 * outside, "{inside} {outside}");
    }

    #[test]
    fn plain_light_is_about_as_bright() {
        let window = OpeningSpec { side: Side::North, center: 2.0, width: 2.0, bottom: 0.8, top: 2.2, glazed: true };
        let rooms = [room(vec![window], true)];
        let mean = |detail| {
            let volume = &light(&rooms, grey(0.7), &[], detail)[0].volume;
            volume.cubes.iter().flatten().map(|radiance| radiance.y).sum::<f32>() / (6 * volume.cubes.len()) as f32
        };
        let ratio = mean(Detail::PLAIN) / mean(Detail::FULL);
        assert!((0.7..1.4).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_red_wall_reddens_the_room() {
        let window = OpeningSpec { side: Side::North, center: 2.0, width: 2.0, bottom: 0.8, top: 2.2, glazed: true };
        let red = Vec3::new(0.8, 0.1, 0.1);
        let mut walls = grey(0.5);
        walls.walls[1] = red;
        let [plain, painted] =
            [grey(0.5), walls].map(|walls| light(&[room(vec![window], true)], walls, &[], Detail::FULL));
        // Light that goes to −X, beside the east wall, against light that goes to +X beside the west wall.
        let redness = |light: &[RoomLight], point: Vec3| {
            let mean = light[0].volume.mean_at(point);
            mean.x / mean.z
        };
        let [by_it, far] = [3.6, 0.4].map(|x| {
            let point = Vec3::new(x, 1.5, 2.0);
            redness(&painted, point) / redness(&plain, point)
        });
        assert!(by_it > 1.3 && by_it > far && far > 1.01, "{by_it} {far}");
    }
}
