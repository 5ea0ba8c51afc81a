//! File → validated spec: everything that a scene file may say, its defaults and its limits.
//!
//! In: a file (or its text), the registered kinds and actions. Out: a [`SceneSpec`] that cannot be wrong, or all problems
//! of the file at once. Files are not trusted: sizes, counts, depths and paths are bounded here. What is absent: spawning,
//! and any knowledge of how kinds look. The format is described in `docs/SCENES.md`.

mod assets;
mod commands;
mod dream;
mod grammar;
mod objects;
mod rooms;
mod snap_zones;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use bevy::math::Vec3;

use super::{
    ActionRegistry, DreamMaterials, KindRegistry,
    read::{self, Fields, Report},
    spec::*,
    syntax::{Node, Value, read_tree},
};
use crate::base::{Problem, Seed};

use dream::Palette;
pub use grammar::check_grammar;

/// The format that this program reads and writes.
pub const FORMAT_VERSION: u64 = 1;
/// Bytes of a scene file.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
pub const MAX_ROOMS: usize = 64;
pub const MAX_LIGHTS: usize = 64;
pub const MAX_OBJECTS: usize = 2_000;
const MAX_NAMED: usize = 256;
/// Coordinates, metres.
const EXTENT: [f32; 2] = [-1_000.0, 1_000.0];

/// What files may refer to: the kinds that can be spawned, the actions that can be carried out and the materials that can be
/// dreamt in this run.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub kinds: &'a KindRegistry,
    pub actions: &'a ActionRegistry,
    pub dreams: &'a DreamMaterials,
}

/// Reads and checks one scene file.
///
/// # Errors
/// - All problems of the file, by line; one with line 0 if the file cannot be read, is too large or is not UTF-8.
pub fn check_scene(path: &Path, known: Known) -> Result<SceneSpec, Vec<Problem>> {
    let text = read_bounded(path).map_err(|problem| vec![problem])?;
    parse_scene(&text, path, known)
}

/// The text of a scene file, which is refused if it is larger than [`MAX_FILE_BYTES`].
///
/// # Errors
/// - The one problem that keeps the file from being read.
pub fn read_bounded(path: &Path) -> Result<String, Problem> {
    let problem = |what: String, help: &str| Problem { path: path.to_owned(), line: 0, what, help: help.to_owned() };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| problem(format!("cannot be read: {error}"), "check the path and its permissions"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(problem("is larger than 1 MiB".to_owned(), "split the scene"));
    }
    String::from_utf8(bytes).map_err(|_| problem("is not UTF-8 text".to_owned(), "save it as UTF-8"))
}

/// Checks the text of a scene file. `path` is named in problems, and its folder is where assets may lie.
///
/// # Errors
/// - All problems of the text, by line.
pub fn parse_scene(text: &str, path: &Path, known: Known) -> Result<SceneSpec, Vec<Problem>> {
    let mut report = Report::new(path);
    if text.trim().is_empty() {
        report.add(0, "the file is empty", "copy assets/scenes/tiny.scene.ron and change it");
        return Err(report.into_problems());
    }
    let tree = read_tree(text, &mut report);
    let scene = scene(&tree, path, known, &mut report);
    match scene {
        Some(scene) if report.is_empty() => Ok(scene),
        _ => Err(report.into_problems()),
    }
}

const SCENE_FIELDS: [&str; 14] = [
    "version",
    "name",
    "seed",
    "sky",
    "materials",
    "rooms",
    "lights",
    "objects",
    "snap_zones",
    "places",
    "commands",
    "say_as",
    "spawn",
    "nest",
];

/// Tells a version that this program does not know yet.
fn is_of_later_format(tree: &Node, report: &mut Report) -> bool {
    let Value::Fields(fields) = &tree.value else { return false };
    let version = fields.iter().find_map(|(name, node)| match &node.value {
        Value::Number(written) if name == "version" => Some((node.line, written.parse::<u64>().ok()?)),
        _ => None,
    });
    let Some((line, version)) = version.filter(|(_, version)| *version > FORMAT_VERSION) else { return false };
    let what = format!("the scene has format version {version}, this program reads {FORMAT_VERSION}");
    report.add(line, what, "update the program");
    true
}

fn scene(tree: &Node, path: &Path, known: Known, report: &mut Report) -> Option<SceneSpec> {
    if is_of_later_format(tree, report) {
        // What a later format means is unknown: telling its fields as mistakes would mislead.
        return None;
    }
    let fields = Fields::open(tree, "scene", &SCENE_FIELDS, report)?;
    if let Some(node) = fields.require("version", report)
        && let Some(version) = read::whole_number(node, "version", report)
        && version != FORMAT_VERSION
    {
        report.add(node.line, format!("there is no format version {version}"), "write `version: 1`");
    }
    let stem = path.file_name().and_then(|name| name.to_str()).unwrap_or("scene");
    let name = fields.text("name", report).unwrap_or(stem.trim_end_matches(".scene.ron")).to_owned();
    let seed = Seed(fields.get("seed").and_then(|node| read::whole_number(node, "seed", report)).unwrap_or(0));
    let sky = sky(fields.get("sky"), report);
    let materials = Palette::new(materials(fields.get("materials"), known.dreams, report), known.dreams);
    let before_rooms = report.len();
    let rooms = match fields.require("rooms", report) {
        Some(node) => rooms::rooms(node, &materials, report),
        None => Vec::new(),
    };
    // One wrong room must not make everything in it "outside every room".
    let places_known = report.len() == before_rooms;
    let inside = Inside { rooms: places_known.then_some(&rooms) };
    let lights = lights(fields.get("lights"), report);
    let objects = match fields.get("objects") {
        Some(node) => {
            let context = objects::Context { seed, path, kinds: known.kinds, materials: &materials, inside: &inside };
            objects::objects(node, &context, report)
        }
        None => Vec::new(),
    };
    let places = places(fields.get("places"), &inside, report);
    let classes = objects.iter().filter_map(|object| match &object.source {
        ObjectSource::Asset { label, .. } => Some(label.as_str()),
        ObjectSource::Kind { .. } => None,
    });
    let classes: BTreeSet<&str> = known.kinds.names().chain(classes).collect();
    let zone_context =
        snap_zones::Context { kinds: known.kinds, classes: &classes, objects: &objects, inside: &inside };
    let snap_zones = snap_zones::snap_zones(fields.get("snap_zones"), &zone_context, report);
    let named = commands::Named {
        actions: known.actions,
        classes,
        materials: materials.names().collect(),
        places: places.keys().map(String::as_str).collect(),
    };
    let commands = commands::commands(fields.get("commands"), &commands::Meaning::Actions(&named), report);
    let say_as = commands::say_as(fields.get("say_as"), report);
    let spawn = match fields.require("spawn", report) {
        Some(node) => spawn(node, &inside, report),
        None => PoseSpec::default(),
    };
    let nest = match fields.get("nest") {
        Some(node) => {
            let nest = read::vec3(node, "nest", EXTENT, report).unwrap_or_default();
            inside.check(nest, "the nest", node.line, report);
            nest
        }
        None => spawn.position + Vec3::new(0.6, 1.4, 0.0),
    };
    let materials = materials.into_materials();
    Some(SceneSpec {
        name,
        seed,
        sky,
        materials,
        rooms,
        lights,
        objects,
        snap_zones,
        places,
        commands,
        say_as,
        spawn,
        nest,
    })
}

/// Which positions lie in a room. Without rooms (they are wrong themselves) nothing is told.
struct Inside<'a> {
    rooms: Option<&'a Vec<RoomSpec>>,
}

impl Inside<'_> {
    /// Floor height of the room over which (x, z) lies; the lowest room where several are stacked.
    fn floor(&self, x: f32, z: f32) -> Option<f32> {
        let over = |room: &&RoomSpec| room.contains_xz(x, z);
        self.rooms?.iter().filter(over).map(|room| room.floor_y).min_by(f32::total_cmp)
    }

    fn check(&self, position: Vec3, what: &str, line: usize, report: &mut Report) {
        let Some(rooms) = self.rooms else { return };
        if rooms.iter().any(|room| room.contains(position)) {
            return;
        }
        let near = rooms.iter().min_by(|a, b| a.distance(position).total_cmp(&b.distance(position)));
        let help = match near {
            Some(room) => format!(
                "the nearest is \"{}\": x {} to {}, y {} to {}, z {} to {}",
                room.name,
                room.min.x,
                room.max.x,
                room.floor_y,
                room.floor_y + room.height,
                room.min.y,
                room.max.y
            ),
            None => "add a room".to_owned(),
        };
        let at = format!("({:.2}, {:.2}, {:.2})", position.x, position.y, position.z);
        report.add(line, format!("{what} at {at} is outside every room"), help);
    }

    /// `(x, z)` on the floor or `(x, y, z)`.
    fn position(&self, node: &Node, what: &str, report: &mut Report) -> Option<Vec3> {
        let v = read::numbers(node, "at", &[2, 3], EXTENT, report)?;
        let position = match v[..] {
            [x, z] => Vec3::new(x, self.floor(x, z).unwrap_or(0.0), z),
            _ => Vec3::new(v[0], v[1], v[2]),
        };
        self.check(position, what, node.line, report);
        Some(position)
    }
}

fn sky(node: Option<&Node>, report: &mut Report) -> SkySpec {
    let known = ["sun_elevation_deg", "sun_azimuth_deg", "turbidity", "sun_lux", "intensity"];
    let natural = SkySpec {
        sun_elevation: 40_f32.to_radians(),
        sun_azimuth: 140_f32.to_radians(),
        turbidity: 3.0,
        sun_illuminance: 90_000.0,
        sky_intensity: 1.0,
    };
    let Some(fields) = node.and_then(|node| Fields::open(node, "sky", &known, report)) else { return natural };
    SkySpec {
        sun_elevation: fields.degrees_or("sun_elevation_deg", 40.0, [-11.0, 90.0], report),
        sun_azimuth: fields.degrees_or("sun_azimuth_deg", 140.0, [-360.0, 360.0], report),
        turbidity: fields.number_or("turbidity", natural.turbidity, [2.0, 10.0], report),
        sun_illuminance: fields.number_or("sun_lux", natural.sun_illuminance, [0.0, 150_000.0], report),
        sky_intensity: fields.number_or("intensity", natural.sky_intensity, [0.0, 10.0], report),
    }
}

/// The entries of a map from names to something, at most [`MAX_NAMED`], each name once.
fn named<'a>(node: Option<&'a Node>, what: &str, report: &mut Report) -> Vec<(&'a str, &'a Node)> {
    let Some(node) = node else { return Vec::new() };
    let Value::Map(entries) = &node.value else {
        if !matches!(&node.value, Value::Wrong) {
            let told = format!("{what} must be a map, found {}", node.value.noun());
            report.add(node.line, told, "write { \"name\": … }");
        }
        return Vec::new();
    };
    if entries.len() > MAX_NAMED {
        report.add(node.line, format!("{} {what}", entries.len()), format!("at most {MAX_NAMED} are allowed"));
    }
    let mut found: Vec<(&str, &Node)> = Vec::new();
    for (key, value) in entries.iter().take(MAX_NAMED) {
        let Some(name) = read::text(key, "name", report) else { continue };
        if found.iter().any(|(earlier, _)| *earlier == name) {
            report.add(key.line, format!("\"{name}\" stands twice among the {what}"), "rename one of them");
        } else {
            found.push((name, value));
        }
    }
    found
}

/// The items of a list, at most `max`.
fn items<'a>(node: &'a Node, what: &str, max: usize, report: &mut Report) -> &'a [Node] {
    match &node.value {
        Value::List(items) => {
            if items.len() > max {
                report.add(node.line, format!("{} {what}", items.len()), format!("at most {max} are allowed"));
            }
            &items[..items.len().min(max)]
        }
        Value::Wrong => &[],
        other => {
            report.add(node.line, format!("{what} must be a list, found {}", other.noun()), "write [ … ]");
            &[]
        }
    }
}

const PATTERNS: [(&str, Pattern); 12] = [
    ("Plain", Pattern::Plain),
    ("Plaster", Pattern::Plaster),
    ("Planks", Pattern::Planks),
    ("Parquet", Pattern::Parquet),
    ("Bricks", Pattern::Bricks),
    ("Tiles", Pattern::Tiles),
    ("Marble", Pattern::Marble),
    ("Paving", Pattern::Paving),
    ("Concrete", Pattern::Concrete),
    ("Grass", Pattern::Grass),
    ("Gravel", Pattern::Gravel),
    ("Fabric", Pattern::Fabric),
];

fn materials(node: Option<&Node>, dreams: &DreamMaterials, report: &mut Report) -> BTreeMap<String, MaterialSpec> {
    let known = ["pattern", "color", "accent", "roughness", "metallic", "scale_m", "dream"];
    let mut materials = BTreeMap::new();
    for (name, node) in named(node, "materials", report) {
        if let Value::Call { .. } = &node.value {
            let dreamt = dream::dream(node, dreams, report).map(dream::material_of);
            materials.insert(name.to_owned(), dreamt.unwrap_or_default());
            continue;
        }
        let fields = Fields::open(node, "material", &known, report);
        let material = fields.map(|fields| {
            let base_color = fields.color_or("color", Vec3::splat(0.6), report);
            MaterialSpec {
                pattern: fields.choice("pattern", &PATTERNS, report).unwrap_or(Pattern::Plain),
                base_color,
                accent_color: fields.color_or("accent", base_color * 0.7, report),
                roughness: fields.number_or("roughness", 0.7, [0.03, 1.0], report),
                metallic: fields.number_or("metallic", 0.0, [0.0, 1.0], report),
                scale_m: fields.number_or("scale_m", 1.0, [0.01, 100.0], report),
                dream: fields.get("dream").and_then(|node| dream::dream(node, dreams, report)),
                nameless: false,
            }
        });
        // A wrong material keeps its name, so that its users are not told as well.
        materials.insert(name.to_owned(), material.unwrap_or_default());
    }
    materials
}

fn lights(node: Option<&Node>, report: &mut Report) -> Vec<LightSpec> {
    let known = ["at", "color", "lumens", "range_m", "shadows", "spot"];
    let mut lights = Vec::new();
    let Some(node) = node else { return lights };
    for node in items(node, "lights", MAX_LIGHTS, report) {
        let Some(fields) = Fields::open(node, "light", &known, report) else { continue };
        let position = fields.require("at", report).and_then(|node| read::vec3(node, "at", EXTENT, report));
        let spot = fields.get("spot").and_then(|node| {
            let fields = Fields::open(node, "spot", &["direction", "angle_deg"], report)?;
            let node = fields.require("direction", report)?;
            let direction = read::vec3(node, "direction", EXTENT, report)?.try_normalize();
            if direction.is_none() {
                report.add(node.line, "a direction of length 0", "write for example (0, -1, 0)");
            }
            Some((direction?, fields.degrees_or("angle_deg", 40.0, [1.0, 89.0], report)))
        });
        lights.push(LightSpec {
            position: position.unwrap_or_default(),
            color: fields.color_or("color", Vec3::new(1.0, 0.85, 0.65), report),
            lumens: fields.number_or("lumens", 800.0, [0.0, 200_000.0], report),
            range: fields.number_or("range_m", 8.0, [0.1, 100.0], report),
            shadows: fields.switch("shadows", report).unwrap_or(false),
            spot,
        });
    }
    lights
}

fn places(node: Option<&Node>, inside: &Inside, report: &mut Report) -> BTreeMap<String, Vec3> {
    let mut places = BTreeMap::new();
    for (name, node) in named(node, "places", report) {
        if let Some(position) = inside.position(node, &format!("place \"{name}\""), report) {
            places.insert(name.to_owned(), position);
        }
    }
    places
}

fn spawn(node: &Node, inside: &Inside, report: &mut Report) -> PoseSpec {
    let Some(fields) = Fields::open(node, "spawn", &["at", "yaw_deg"], report) else { return PoseSpec::default() };
    let position = fields.require("at", report).and_then(|node| inside.position(node, "the spawn point", report));
    let yaw = fields.degrees_or("yaw_deg", 0.0, [-360.0, 360.0], report);
    PoseSpec { position: position.unwrap_or_default(), yaw }
}

/// The folder of a scene file: assets must lie in it.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests;
