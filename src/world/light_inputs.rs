//! What enters the light of a scene, and the light as numbers.
//!
//! In: the scene, [`LightControl`], the size of the sky's picture. Out: [`LightInputs`], which can be compared, and the
//! [`ComputedLight`] that they give, on any thread. What is absent: textures and entities (`light`).

use bevy::{math::Vec3, prelude::Resource};

use super::{
    bounce::{Crew, Detail, PointSource, Reflectance, RoomLight, bounce_light},
    environment::{CubeMap, EnvironmentMaps},
    rooms::RoomPart,
    sky::Sky,
};
use crate::{
    base::Seed,
    scene::{LightSpec, MaterialSpec, OpeningSpec, RoomSpec, SceneSpec, Side, SkySpec},
};

/// Side of the faces of the sky's environment map, pixels.
const ENVIRONMENT_SIZE: u32 = 32;
/// Side of the faces of the sky's picture in plain light, pixels.
const PLAIN_SKY_SIZE: u32 = 64;
/// Two doorways nearer than this are one, metres: rooms on both sides of a wall declare it.
const SAME_DOORWAY: f32 = 0.3;

/// What light is asked to be, beyond what the scene's file says.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct LightControl {
    /// Scales the power of all lamps: 0 is off, 1 as the scene has them.
    pub lamps: f32,
    /// Replaces the scene's sky.
    pub sky: Option<SkySpec>,
    /// Doorways that let no light through: middles of openings, world space.
    pub shut: Vec<Vec3>,
    /// Surfaces that wear another material than the scene's file says.
    pub painted: Vec<PaintedSurface>,
}

/// A surface of a room, and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct PaintedSurface {
    /// As in the scene.
    pub room: usize,
    pub part: RoomPart,
    pub material: MaterialSpec,
}

impl Default for LightControl {
    fn default() -> Self {
        Self { lamps: 1.0, sky: None, shut: Vec::new(), painted: Vec::new() }
    }
}

impl LightControl {
    /// Notes what a surface wears now, `None` as in the file; returns what it wore before.
    pub fn paint(&mut self, room: usize, part: RoomPart, material: Option<MaterialSpec>) -> Option<MaterialSpec> {
        let known = self.painted.iter().position(|painted| painted.room == room && painted.part == part);
        let before = known.map(|index| self.painted.remove(index).material);
        self.painted.extend(material.map(|material| PaintedSurface { room, part, material }));
        before
    }
}

/// All that enters the light of a scene.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LightInputs {
    pub sky: SkySpec,
    pub seed: Seed,
    pub lights: Vec<LightSpec>,
    pub lamp_level: f32,
    pub rooms: Vec<RoomSpec>,
    pub reflectances: Vec<Reflectance>,
    /// Side of the faces of the sky's picture, pixels.
    pub sky_face_size: u32,
}

impl LightInputs {
    pub fn of(scene: &SceneSpec, control: &LightControl, sky_face_size: u32) -> Self {
        let mut rooms = scene.rooms.clone();
        for room in &mut rooms {
            let middles = doorway_middles(room);
            let mut middles = middles.into_iter();
            room.openings.retain(|_| {
                let middle = middles.next().unwrap_or(Vec3::INFINITY);
                !control.shut.iter().any(|shut| shut.distance(middle) < SAME_DOORWAY)
            });
        }
        Self {
            sky: control.sky.unwrap_or(scene.sky),
            seed: scene.seed,
            lights: scene.lights.clone(),
            lamp_level: control.lamps,
            rooms,
            reflectances: reflectances(scene, &control.painted),
            sky_face_size,
        }
    }

    fn lamps(&self) -> Vec<PointSource> {
        let source = |lamp: &LightSpec| PointSource {
            position: lamp.position,
            power: lamp.color * lamp.lumens * self.lamp_level,
            spot: lamp.spot,
        };
        self.lights.iter().map(source).collect()
    }

    /// The light that these inputs give; `None` if nobody waits for it any more.
    pub fn compute(&self, detail: Detail, crew: Crew) -> Option<ComputedLight> {
        crew.progress.expect(1);
        let sky = Sky::new(&self.sky, self.seed);
        let face_size = if detail == Detail::FULL { self.sky_face_size } else { PLAIN_SKY_SIZE };
        let environment = EnvironmentMaps::filter(ENVIRONMENT_SIZE, |direction| sky.radiance(direction));
        let picture = CubeMap::draw(face_size, |direction| sky.radiance_with_sun(direction));
        crew.progress.step();
        let rooms = bounce_light(&self.rooms, &self.reflectances, &self.lamps(), &sky, detail, crew)?;
        Some(ComputedLight { sky, rooms, environment, picture })
    }

    /// The sky's picture alone.
    pub fn picture(&self) -> CubeMap {
        let sky = Sky::new(&self.sky, self.seed);
        CubeMap::draw(self.sky_face_size, |direction| sky.radiance_with_sun(direction))
    }

    /// A closed room of 3 m by 3 m.
    #[cfg(test)]
    pub fn of_bare_room() -> Self {
        let half = Vec3::splat(0.5);
        Self {
            sky: SkySpec {
                sun_elevation: 0.7,
                sun_azimuth: 0.0,
                turbidity: 3.0,
                sun_illuminance: 9e4,
                sky_intensity: 1.0,
            },
            seed: Seed(1),
            lights: Vec::new(),
            lamp_level: 1.0,
            rooms: vec![RoomSpec::bare("r", [0.0, 0.0], [3.0, 3.0], vec![])],
            reflectances: vec![Reflectance { floor: half, walls: [half; 4], ceiling: half }],
            sky_face_size: 16,
        }
    }

    /// Whether only the sky's picture differs.
    pub fn differ_in_picture(&self, other: &Self) -> bool {
        self.sky_face_size != other.sky_face_size
            && Self { sky_face_size: self.sky_face_size, ..other.clone() } == *self
    }
}

/// Light as numbers, not yet in textures.
pub(super) struct ComputedLight {
    pub sky: Sky,
    pub rooms: Vec<RoomLight>,
    pub environment: EnvironmentMaps,
    pub picture: CubeMap,
}

/// The middles of a room's openings, world space.
pub fn doorway_middles(room: &RoomSpec) -> Vec<Vec3> {
    let middle = |opening: &OpeningSpec| {
        let y = room.floor_y + 0.5 * (opening.bottom + opening.top);
        match opening.side {
            Side::North => Vec3::new(room.min.x + opening.center, y, room.min.y),
            Side::South => Vec3::new(room.min.x + opening.center, y, room.max.y),
            Side::West => Vec3::new(room.min.x, y, room.min.y + opening.center),
            Side::East => Vec3::new(room.max.x, y, room.min.y + opening.center),
        }
    };
    room.openings.iter().map(middle).collect()
}

/// How much light the surfaces of every room send back.
fn reflectances(spec: &SceneSpec, painted: &[PaintedSurface]) -> Vec<Reflectance> {
    let of = |name: &str| spec.materials.get(name).map_or(Vec3::splat(0.5), mean_color);
    spec.rooms
        .iter()
        .enumerate()
        .map(|(index, room)| {
            let worn = |part: RoomPart| {
                let painted = painted.iter().find(|painted| painted.room == index && painted.part == part);
                painted.map(|painted| mean_color(&painted.material))
            };
            let wall = |side| worn(RoomPart::Wall(side)).unwrap_or_else(|| of(&room.walls));
            Reflectance {
                floor: worn(RoomPart::Floor).unwrap_or_else(|| of(&room.floor)),
                walls: [Side::North, Side::East, Side::South, Side::West].map(wall),
                ceiling: worn(RoomPart::Ceiling)
                    .unwrap_or_else(|| room.ceiling.as_deref().map_or(Vec3::splat(0.5), of)),
            }
        })
        .collect()
}

/// Source: ITU-R BT.709.
pub(super) fn luminance(color: Vec3) -> f32 {
    color.dot(Vec3::new(0.2126, 0.7152, 0.0722))
}

/// Mean colour of a surface with its pattern, capped at what real paints reach. Its tint is halved: rugs, furniture and the
/// eye's own white balance keep real rooms from taking on the colour of their floors.
fn mean_color(material: &MaterialSpec) -> Vec3 {
    let color = material.base_color.lerp(material.accent_color, 0.2);
    Vec3::splat(luminance(color)).lerp(color, 0.5).min(Vec3::splat(0.85))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_wall_reflects_its_paint_and_gives_it_back() {
        let mut control = LightControl::default();
        let wall = RoomPart::Wall(Side::East);
        let [marble, brick] =
            [0.9, 0.3].map(|grey| MaterialSpec { base_color: Vec3::splat(grey), ..MaterialSpec::default() });
        assert_eq!(control.paint(1, wall, Some(marble.clone())), None);
        assert_eq!(control.paint(1, wall, Some(brick.clone())), Some(marble));
        assert_eq!(control.painted.len(), 1);
        assert_eq!(control.paint(1, wall, None), Some(brick));
        assert_eq!(control, LightControl::default());
    }
}
