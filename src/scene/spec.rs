//! A scene that cannot be wrong: what the rest of the program sees of an authored file.
//!
//! Comes from [`super::parse`] (files) or [`super::randomise`] (recording); every number is finite and in range, every
//! reference resolves, every path stays inside the scene's folder. Axes: +Y up, metres, angles in radians.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use bevy::math::{Quat, Vec2, Vec3};

use super::{DreamMaterials, DreamSpec};
use crate::base::{KIT_CLASSES, Phrase, Seed};

/// A whole scene.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSpec {
    pub name: String,
    pub seed: Seed,
    pub sky: SkySpec,
    /// Surfaces by name; rooms and objects refer to them.
    pub materials: BTreeMap<String, MaterialSpec>,
    pub rooms: Vec<RoomSpec>,
    pub lights: Vec<LightSpec>,
    pub objects: Vec<ObjectSpec>,
    pub snap_zones: Vec<SnapZoneSpec>,
    /// Named positions on a floor.
    pub places: BTreeMap<String, Vec3>,
    /// What can be said, and what it does.
    pub commands: Vec<CommandSpec>,
    /// How names are pronounced, in words that are pronounced as they are written: "Siobhan" as "shi vawn".
    pub say_as: BTreeMap<String, String>,
    /// Where the player's feet start.
    pub spawn: PoseSpec,
    /// Where the companion rests.
    pub nest: Vec3,
}

/// A phrase, or a family of them, and the action it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSpec {
    /// Line in the scene's file, for reports on the phrase.
    pub line: usize,
    /// As written: `(find|show me) [the] {object}`.
    pub phrase: String,
    /// What can be said.
    pub parts: Phrase,
    /// A registered action's name: `Find`.
    pub action: String,
    /// For each of the action's parameters a fixed word or a slot of the phrase.
    pub words: Vec<CommandWord>,
}

/// One word of a command's action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandWord {
    Fixed(String),
    /// The name of a slot: `object`.
    Slot(String),
}

/// All that can be said at one time: the commands of a scene, or of a small file that holds nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrammarSpec {
    pub commands: Vec<CommandSpec>,
    /// What each slot may be filled with: `object` → `teapot`, `mug` …
    pub slots: BTreeMap<String, Vec<String>>,
    /// As in [`SceneSpec::say_as`].
    pub say_as: BTreeMap<String, String>,
}

impl SceneSpec {
    /// What can be said in this scene; slots hold the kit's and the scene's classes, the scene's and the generator's
    /// materials, the scene's places.
    pub fn grammar(&self, dreams: &DreamMaterials) -> GrammarSpec {
        let mut classes: Vec<String> = KIT_CLASSES.map(str::to_owned).into();
        for object in &self.objects {
            let class = match &object.source {
                ObjectSource::Kind { kind, .. } => kind,
                ObjectSource::Asset { label, .. } => label,
            };
            if !classes.contains(class) {
                classes.push(class.clone());
            }
        }
        let slots = [
            ("object", classes),
            ("material", self.material_names(dreams)),
            ("place", self.places.keys().cloned().collect()),
        ];
        GrammarSpec {
            commands: self.commands.clone(),
            slots: slots.map(|(slot, values)| (slot.to_owned(), values)).into(),
            say_as: self.say_as.clone(),
        }
    }
}

impl SceneSpec {
    /// The materials that can be asked for by name, in alphabetical order: the scene's and the generator's.
    pub fn material_names(&self, dreams: &DreamMaterials) -> Vec<String> {
        let named = self.materials.iter().filter(|(_, material)| !material.nameless).map(|(name, _)| name.clone());
        named.chain(dreams.0.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// A position and a heading about +Y (0 looks along −Z, positive turns left).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoseSpec {
    pub position: Vec3,
    pub yaw: f32,
}

/// Where a camera stands and what it sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraPose {
    pub position: Vec3,
    /// The point in the middle of the picture; never the position itself.
    pub look_at: Vec3,
    /// Vertical field of view.
    pub fov_y: f32,
}

/// Sun and sky.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkySpec {
    /// Height of the sun above the horizon, −0.2 (dusk) to π/2.
    pub sun_elevation: f32,
    /// Compass direction of the sun about +Y, 0 is −Z.
    pub sun_azimuth: f32,
    /// Haze: 2 (clear) to 10 (hazy).
    pub turbidity: f32,
    /// Illuminance of the sun at normal incidence, lux.
    pub sun_illuminance: f32,
    /// Scale of the light that comes from the sky, 1 is natural.
    pub sky_intensity: f32,
}

/// How a surface looks: a procedural pattern and its colours, and what a generator is to make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MaterialSpec {
    pub pattern: Pattern,
    /// Linear RGB, 0 to 1.
    pub base_color: Vec3,
    /// The pattern's second colour (grout, veins, knots), linear RGB.
    pub accent_color: Vec3,
    /// Perceptual roughness, 0.03 to 1.
    pub roughness: f32,
    /// 0 (dielectric) or 1 (metal).
    pub metallic: f32,
    /// Size of one repeat of the pattern in the world, metres.
    pub scale_m: f32,
    /// What it looks like where a generator is there; pattern and colours are for the time until then.
    pub dream: Option<DreamSpec>,
    /// Written where it is worn, so that nobody can ask for it by name.
    pub nameless: bool,
}

impl Default for MaterialSpec {
    fn default() -> Self {
        Self {
            pattern: Pattern::Plain,
            base_color: Vec3::splat(0.6),
            accent_color: Vec3::splat(0.4),
            roughness: 0.7,
            metallic: 0.0,
            scale_m: 1.0,
            dream: None,
            nameless: false,
        }
    }
}

/// Procedural patterns that tile without a seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    Plain,
    Plaster,
    Planks,
    Parquet,
    Bricks,
    Tiles,
    Marble,
    Paving,
    Concrete,
    Grass,
    Gravel,
    Fabric,
}

/// One axis-aligned room. Floor at `floor_y`; walls stand on the rectangle from `min` to `max` (x, z), `wall_thickness`
/// to the outside. Neighbouring rooms share a wall position and each declare the opening between them.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomSpec {
    pub name: String,
    pub min: Vec2,
    pub max: Vec2,
    pub floor_y: f32,
    pub height: f32,
    /// Material names.
    pub floor: String,
    pub walls: String,
    /// `None`: open to the sky (a courtyard).
    pub ceiling: Option<String>,
    pub openings: Vec<OpeningSpec>,
}

#[cfg(test)]
impl RoomSpec {
    /// A room of plain surfaces, 3 m high, on level ground.
    pub fn bare(name: &str, min: [f32; 2], max: [f32; 2], openings: Vec<OpeningSpec>) -> Self {
        Self {
            name: name.into(),
            min: min.into(),
            max: max.into(),
            floor_y: 0.0,
            height: 3.0,
            floor: "floor".into(),
            walls: "walls".into(),
            ceiling: Some("ceiling".into()),
            openings,
        }
    }
}

impl RoomSpec {
    /// Extents along X and Z, metres.
    pub fn size(&self) -> Vec2 {
        self.max - self.min
    }

    /// Whether (x, z) lies over the floor, walls included.
    pub fn contains_xz(&self, x: f32, z: f32) -> bool {
        x >= self.min.x && x <= self.max.x && z >= self.min.y && z <= self.max.y
    }

    /// Whether a point lies in the room; 1 cm below the floor still counts.
    pub fn contains(&self, point: Vec3) -> bool {
        self.contains_xz(point.x, point.z) && point.y >= self.floor_y - 0.01 && point.y <= self.floor_y + self.height
    }

    /// Distance of a point from the room, 0 inside, metres.
    pub fn distance(&self, point: Vec3) -> f32 {
        let min = Vec3::new(self.min.x, self.floor_y, self.min.y);
        let max = Vec3::new(self.max.x, self.floor_y + self.height, self.max.y);
        point.distance(point.clamp(min, max))
    }
}

/// Walls by compass: north is −Z, east is +X.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    North,
    East,
    South,
    West,
}

/// A hole in a wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpeningSpec {
    pub side: Side,
    /// Distance of the opening's centre from the wall's end with the smaller coordinate, metres.
    pub center: f32,
    pub width: f32,
    /// Above the floor, metres.
    pub bottom: f32,
    pub top: f32,
    /// Filled with a frame and glass (a window), or free to walk through (a door).
    pub glazed: bool,
}

impl OpeningSpec {
    /// From where to where along its wall, metres from the wall's end with the smaller coordinate.
    pub fn span(&self) -> [f32; 2] {
        [self.center - 0.5 * self.width, self.center + 0.5 * self.width]
    }

    /// Whether both cut into the same piece of one wall.
    pub fn overlaps(&self, other: &OpeningSpec) -> bool {
        let [from, to] = self.span();
        let [other_from, other_to] = other.span();
        self.side == other.side
            && from.max(other_from) < to.min(other_to) - 1e-3
            && self.bottom.max(other.bottom) < self.top.min(other.top) - 1e-3
    }

    /// Whether both are the same hole, to within 2 cm.
    pub fn is_near(&self, other: &OpeningSpec) -> bool {
        let near = |a: f32, b: f32| (a - b).abs() <= 0.02;
        self.side == other.side
            && near(self.center, other.center)
            && near(self.width, other.width)
            && near(self.bottom, other.bottom)
            && near(self.top, other.top)
    }
}

/// A lamp that is not an object.
#[derive(Clone, Debug, PartialEq)]
pub struct LightSpec {
    pub position: Vec3,
    /// Linear RGB, 0 to 1.
    pub color: Vec3,
    /// Luminous power.
    pub lumens: f32,
    pub range: f32,
    pub shadows: bool,
    /// Direction and outer angle of a spot; `None` shines everywhere.
    pub spot: Option<(Vec3, f32)>,
}

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectSpec {
    /// Unique in the scene.
    pub name: String,
    pub source: ObjectSource,
    /// Of the object's origin: the middle of its underside.
    pub position: Vec3,
    /// From the object's frame to the world's; a file's yaw, pitch and roll turn about Y, X and Z in this order.
    pub rotation: Quat,
    /// Uniform.
    pub scale: f32,
    /// Fixed in place (furniture, wall clocks) or free to move.
    pub fixed: bool,
    pub grabbable: bool,
    /// Replaces the material of the object's main part.
    pub material: Option<String>,
}

/// A place that a thing clicks into when a hand lets it go near.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapZoneSpec {
    /// Unique among snap zones.
    pub name: String,
    /// Where the thing's origin (the middle of its underside) comes to be, and how it is turned then.
    pub position: Vec3,
    pub rotation: Quat,
    /// A thing whose middle is nearer to where it would be snaps, metres.
    pub radius: f32,
    /// Any of these; if empty, whatever a hand can take.
    pub takes: Vec<SnapFit>,
}

/// What fits into a snap zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapFit {
    /// All things with this label.
    Class(String),
    /// The object of this name.
    Object(String),
}

/// What an object is made from.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectSource {
    /// A registered kind (`world` registers the kit's classes), drawn from a seed.
    Kind { kind: String, seed: Seed },
    /// A glTF or GLB file inside the scene's folder.
    Asset {
        path: PathBuf,
        /// Class label.
        label: String,
        collider: AssetCollider,
        mass_kg: f32,
    },
}

/// Collision shape of an imported mesh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssetCollider {
    /// Convex hull.
    #[default]
    Hull,
    /// The bounding box.
    Box,
    /// The triangles themselves; fixed objects only.
    Mesh,
    None,
}
