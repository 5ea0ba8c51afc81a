//! Objects: what they are made from, and where they stand.
//!
//! Two passes: first every object is read on its own (a draft), then drafts are placed, supports before what stands on
//! them, whatever their order in the file.

use std::collections::{BTreeMap, HashSet};

use bevy::math::{EulerRot, Quat, Vec3};

use super::{EXTENT, Inside, MAX_OBJECTS, assets, dream::Palette, folder_of, items};
use crate::{
    base::{Seed, did_you_mean},
    scene::{
        KindRegistry, KindShape, SupportArea,
        read::{self, Fields, Report},
        spec::*,
        syntax::{Node, Value},
    },
};

/// What objects refer to.
pub(super) struct Context<'a> {
    pub seed: Seed,
    pub path: &'a std::path::Path,
    pub kinds: &'a KindRegistry,
    pub materials: &'a Palette<'a>,
    pub inside: &'a Inside<'a>,
}

const FIELDS: [&str; 17] = [
    "kind",
    "asset",
    "name",
    "at",
    "on",
    "level",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
    "scale",
    "seed",
    "fixed",
    "grabbable",
    "material",
    "label",
    "collider",
    "mass_kg",
];
pub(super) const TURN: [f32; 2] = [-360.0, 360.0];

/// An object as written, its place not yet found.
struct Draft<'a> {
    line: usize,
    spec: ObjectSpec,
    /// Unknown for imported models and wrong kinds.
    shape: Option<KindShape>,
    at: Option<&'a Node>,
    on: Option<(&'a str, usize)>,
    level: Option<usize>,
    progress: Progress,
}

/// How far the placing of a draft has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Placed,
    /// Told; what stands on it is not told as well.
    Broken,
}

pub(super) fn objects(node: &Node, context: &Context, report: &mut Report) -> Vec<ObjectSpec> {
    let nodes = items(node, "objects", MAX_OBJECTS, report);
    let mut names = Names::written(nodes);
    let mut drafts: Vec<Draft> = nodes.iter().filter_map(|node| draft(node, context, &mut names, report)).collect();
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        if let Some(earlier) = by_name.insert(draft.spec.name.clone(), index) {
            let told = format!("\"{}\" is already the object of line {}", draft.spec.name, drafts[earlier].line);
            report.add(draft.line, told, "rename one of them");
        }
    }
    for index in 0..drafts.len() {
        place(index, &mut drafts, &by_name, context, report);
    }
    drafts.into_iter().map(|draft| draft.spec).collect()
}

/// Finds names for objects that have none: `mug_1`, `mug_2` …, in the order of the file.
struct Names {
    taken: HashSet<String>,
    next: BTreeMap<String, usize>,
}

impl Names {
    fn written(nodes: &[Node]) -> Self {
        let mut taken = HashSet::new();
        for node in nodes {
            let Value::Fields(fields) = &node.value else { continue };
            let name = fields.iter().find(|(field, _)| field == "name").map(|(_, node)| &node.value);
            if let Some(Value::Text(name)) = name {
                taken.insert(name.clone());
            }
        }
        Self { taken, next: BTreeMap::new() }
    }

    fn invent(&mut self, kind: &str) -> String {
        let next = self.next.entry(kind.to_owned()).or_insert(0);
        loop {
            *next += 1;
            let name = format!("{kind}_{next}");
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}

fn draft<'a>(node: &'a Node, context: &Context, names: &mut Names, report: &mut Report) -> Option<Draft<'a>> {
    let fields = Fields::open(node, "object", &FIELDS, report)?;
    let label = fields.get(if fields.get("asset").is_some() { "label" } else { "kind" });
    let name = match fields.text("name", report) {
        Some(name) => name.to_owned(),
        None => names.invent(match label.map(|node| &node.value) {
            Some(Value::Text(label)) => label,
            _ => "object",
        }),
    };
    let source = source(&fields, &name, context, report);
    let shape = match &source {
        Some(ObjectSource::Kind { kind, seed }) => context.kinds.shape(kind, *seed),
        _ => None,
    };
    let angle = |name: &str, report: &mut Report| fields.degrees_or(name, 0.0, TURN, report);
    let (yaw, pitch, roll) = (angle("yaw_deg", report), angle("pitch_deg", report), angle("roll_deg", report));
    let fixed = fields.switch("fixed", report).unwrap_or(shape.as_ref().is_some_and(|shape| shape.fixed));
    let movable = !fixed && shape.as_ref().is_none_or(|shape| shape.grabbable);
    if !fixed && matches!(&source, Some(ObjectSource::Asset { collider: AssetCollider::Mesh, .. })) {
        let told = "a collider of triangles does not work for what moves";
        report.add(node.line, told, "set `fixed: true`, or `collider: Hull`");
    }
    let (at, on) = (fields.get("at"), fields.get("on"));
    if at.is_none() && on.is_none() {
        report.add(node.line, "this object has no place", "add `at: (x, z)` or `on: \"table_1\"`");
    }
    let level = fields.get("level").and_then(|node| read::whole_number(node, "level", report));
    if level.is_some() && on.is_none() {
        report.add(node.line, "`level` without `on`", "name the shelf: `on: \"shelf_1\"`");
    }
    let on = on.and_then(|node| Some((read::text(node, "on", report)?, node.line)));
    let level = level.and_then(|level| usize::try_from(level).ok());
    let material = fields.get("material").and_then(|node| context.materials.name(node, "material", report));
    let spec = ObjectSpec {
        name,
        source: source.unwrap_or(ObjectSource::Kind { kind: String::new(), seed: context.seed }),
        position: Vec3::ZERO,
        rotation: Quat::from_euler(EulerRot::YXZ, yaw, pitch, roll),
        scale: fields.number_or("scale", 1.0, [0.05, 20.0], report),
        fixed,
        grabbable: fields.switch("grabbable", report).unwrap_or(movable),
        material,
    };
    Some(Draft { line: node.line, spec, shape, at, on, level, progress: Progress::Waiting })
}

const COLLIDERS: [(&str, AssetCollider); 4] = [
    ("Hull", AssetCollider::Hull),
    ("Box", AssetCollider::Box),
    ("Mesh", AssetCollider::Mesh),
    ("Nothing", AssetCollider::None),
];

fn source(fields: &Fields, name: &str, context: &Context, report: &mut Report) -> Option<ObjectSource> {
    let (kind, asset) = (fields.get("kind"), fields.get("asset"));
    let for_the_other = if asset.is_some() { ["seed"].as_slice() } else { &["label", "collider", "mass_kg"] };
    for field in for_the_other {
        if let Some(node) = fields.get(field) {
            let owner = if asset.is_some() { "a kind" } else { "an asset" };
            report.add(node.line, format!("\"{field}\" belongs to {owner}"), "remove it");
        }
    }
    match (kind, asset) {
        (Some(node), None) => {
            let kind = read::text(node, "kind", report)?;
            let seed = match fields.get("seed") {
                Some(node) => Seed(read::whole_number(node, "seed", report)?),
                // From the name, so that adding an object leaves the others as they are.
                None => context.seed.derive("object").derive(name),
            };
            if context.kinds.contains(kind) {
                return Some(ObjectSource::Kind { kind: kind.to_owned(), seed });
            }
            let help = match context.kinds.suggestion(kind) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("known are {}", context.kinds.names().collect::<Vec<_>>().join(", ")),
            };
            report.add(node.line, format!("unknown kind \"{kind}\""), help);
            None
        }
        (None, Some(node)) => {
            let label = fields.require("label", report).and_then(|node| read::text(node, "label", report));
            let collider = fields.choice("collider", &COLLIDERS, report).unwrap_or_default();
            let mass_kg = fields.number_or("mass_kg", 1.0, [0.001, 10_000.0], report);
            let written = read::text(node, "asset", report)?;
            match assets::check_asset(&folder_of(context.path), written) {
                Ok(path) => Some(ObjectSource::Asset { path, label: label?.to_owned(), collider, mass_kg }),
                Err((what, help)) => {
                    report.add(node.line, what, help);
                    None
                }
            }
        }
        (Some(_), Some(node)) => {
            report.add(node.line, "an object is made from a kind or from an asset, not both", "remove one of them");
            None
        }
        (None, None) => {
            report.add(fields.line, "this object has neither kind nor asset", "add `kind: \"mug\"`");
            None
        }
    }
}

/// Finds the place of one draft, and of what it stands on before.
fn place(
    index: usize,
    drafts: &mut [Draft],
    by_name: &BTreeMap<String, usize>,
    context: &Context,
    report: &mut Report,
) {
    // A chain of supports, the lowest last; a loop instead of recursion because files may chain 2,000 objects.
    let mut chain = vec![index];
    while let Some(&top) = chain.last() {
        if drafts[top].progress != Progress::Waiting {
            chain.pop();
            continue;
        }
        let support = match drafts[top].on {
            None => None,
            Some((name, line)) => match by_name.get(name) {
                Some(&support) if chain.contains(&support) => {
                    report.add(
                        line,
                        format!("\"{name}\" stands on itself, directly or through others"),
                        "break the circle",
                    );
                    chain.iter().for_each(|&index| drafts[index].progress = Progress::Broken);
                    return;
                }
                Some(&support) if drafts[support].progress == Progress::Waiting => {
                    chain.push(support);
                    continue;
                }
                Some(&support) => Some(support),
                None => {
                    let help = match did_you_mean(name, by_name.keys().map(String::as_str)) {
                        Some(near) => format!("did you mean \"{near}\"?"),
                        None => "`on` wants the name of another object".to_owned(),
                    };
                    report.add(line, format!("there is no object \"{name}\" to stand on"), help);
                    drafts[top].progress = Progress::Broken;
                    continue;
                }
            },
        };
        let found = match support {
            Some(support) => {
                let below = &drafts[support];
                (below.progress == Progress::Placed).then(|| stand_on(&drafts[top], below, report)).flatten()
            }
            None => drafts[top].at.and_then(|at| {
                let what = format!("\"{}\"", drafts[top].spec.name);
                Some((context.inside.position(at, &what, report)?, drafts[top].spec.rotation))
            }),
        };
        let draft = &mut drafts[top];
        match found {
            Some((position, rotation)) => {
                (draft.spec.position, draft.spec.rotation, draft.progress) = (position, rotation, Progress::Placed);
            }
            None => draft.progress = Progress::Broken,
        }
        chain.pop();
    }
}

/// Where something is to be on its support, from the middle of its surface along the support's axes.
pub(super) fn offset(at: Option<&Node>, report: &mut Report) -> Option<Vec3> {
    let Some(node) = at else { return Some(Vec3::ZERO) };
    let v = read::numbers(node, "at", &[2, 3], EXTENT, report)?;
    Some(if let [x, z] = v[..] { Vec3::new(x, 0.0, z) } else { Vec3::new(v[0], v[1], v[2]) })
}

/// An object that something is on.
pub(super) struct Support<'a> {
    pub spec: &'a ObjectSpec,
    /// Unknown for imported models and wrong kinds.
    pub shape: Option<&'a KindShape>,
    /// Where it is named.
    pub line: usize,
}

/// A point on a support's surface.
pub(super) struct OnSurface {
    pub position: Vec3,
    level: usize,
    /// Room above it, metres.
    clearance: f32,
}

impl Support<'_> {
    /// The point `offset` from the middle of a level, the highest by default. `what` is to be there; `at_line` is where the offset is
    /// written.
    pub fn surface(
        &self,
        level: Option<usize>,
        offset: Vec3,
        what: &str,
        at_line: Option<usize>,
        report: &mut Report,
    ) -> Option<OnSurface> {
        let (name, line) = (&self.spec.name, self.line);
        let Some(shape) = self.shape else {
            if !matches!(&self.spec.source, ObjectSource::Kind { kind, .. } if kind.is_empty()) {
                let told = format!("the size of \"{name}\" is not known, so nothing can stand on it by name");
                report.add(line, told, "place it with `at: (x, y, z)`");
            }
            return None;
        };
        // What registers no support carries things on its highest point: a pear on a book.
        let top = SupportArea { center: Vec3::Y * shape.height, half_size: shape.half_size, clearance: f32::INFINITY };
        let areas = if shape.supports.is_empty() { std::slice::from_ref(&top) } else { &shape.supports };
        let level = level.unwrap_or(areas.len() - 1);
        let Some(area) = areas.get(level) else {
            report.add(line, format!("\"{name}\" has no level {level}"), format!("its highest is {}", areas.len() - 1));
            return None;
        };
        let scale = self.spec.scale;
        let half_size = area.half_size * scale;
        if offset.x.abs() > half_size.x || offset.z.abs() > half_size.y {
            let told = format!("{what} stands beyond the edge of \"{name}\"");
            let help = format!("x within ±{:.2}, z within ±{:.2} of its middle", half_size.x, half_size.y);
            report.add(at_line.unwrap_or(line), told, help);
            return None;
        }
        let position = self.spec.position + self.spec.rotation * (area.center * scale + offset);
        Some(OnSurface { position, level, clearance: area.clearance * scale })
    }
}

/// Position and rotation of a draft on its support. `at` counts from the middle of the support, along the support's axes.
fn stand_on(draft: &Draft, support: &Draft, report: &mut Report) -> Option<(Vec3, Quat)> {
    let name = &support.spec.name;
    let line = draft.on.map_or(draft.line, |(_, line)| line);
    let offset = offset(draft.at, report)?;
    let below = Support { spec: &support.spec, shape: support.shape.as_ref(), line };
    let what = format!("\"{}\"", draft.spec.name);
    let surface = below.surface(draft.level, offset, &what, draft.at.map(|node| node.line), report)?;
    let height = draft.shape.as_ref().map_or(0.0, |shape| shape.height * draft.spec.scale);
    if (draft.spec.rotation * Vec3::Y).y > 0.999 && height > surface.clearance {
        let told = format!("{what} is {height:.2} m high");
        let help = format!("level {} of \"{name}\" has {:.2} m: use another level", surface.level, surface.clearance);
        report.add(line, told, help);
        return None;
    }
    Some((surface.position, support.spec.rotation * draft.spec.rotation))
}
