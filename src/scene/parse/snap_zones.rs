//! Snap zones: places that things click into when a hand lets them go near.
//!
//! In: the list of the file, the objects (read and placed before). Out: [`SnapZoneSpec`]s. A zone is placed as an object is: somewhere in
//! a room, or on something.

use std::collections::{BTreeMap, BTreeSet};

use bevy::math::{EulerRot, Quat, Vec3};

use super::{
    Inside, MAX_NAMED, items,
    objects::{Support, TURN, offset},
};
use crate::{
    base::{Seed, did_you_mean},
    scene::{
        KindRegistry,
        read::{self, Fields, Report},
        spec::*,
        syntax::Node,
    },
};

const FIELDS: [&str; 9] = ["name", "at", "on", "level", "yaw_deg", "pitch_deg", "roll_deg", "radius_m", "takes"];
/// Metres.
const RADIUS: [f32; 2] = [0.05, 1.0];

/// What zones refer to.
pub(super) struct Context<'a> {
    pub kinds: &'a KindRegistry,
    /// Labels of kinds and of imported models.
    pub classes: &'a BTreeSet<&'a str>,
    pub objects: &'a [ObjectSpec],
    pub inside: &'a Inside<'a>,
}

impl Context<'_> {
    /// Whether anything of this class can be taken by a hand.
    fn is_carried(&self, class: &str) -> bool {
        let of_class = |object: &&ObjectSpec| match &object.source {
            ObjectSource::Kind { kind, .. } => kind == class,
            ObjectSource::Asset { label, .. } => label == class,
        };
        // What is not in the scene may come by an edit: its kind says.
        let by_nature = || self.kinds.shape(class, Seed(0)).is_none_or(|shape| shape.grabbable && !shape.fixed);
        self.objects.iter().filter(of_class).any(|object| object.grabbable) || by_nature()
    }
}

pub(super) fn snap_zones(node: Option<&Node>, context: &Context, report: &mut Report) -> Vec<SnapZoneSpec> {
    let Some(node) = node else { return Vec::new() };
    let mut zones = Vec::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for node in items(node, "snap_zones", MAX_NAMED, report) {
        let Some(fields) = Fields::open(node, "snap zone", &FIELDS, report) else { continue };
        let Some(name) = fields.require("name", report).and_then(|node| read::text(node, "name", report)) else {
            continue;
        };
        if let Some(earlier) = lines.insert(name, node.line) {
            let told = format!("\"{name}\" is already the snap zone of line {earlier}");
            report.add(node.line, told, "rename one of them");
        }
        let radius = fields.number_or("radius_m", 0.25, RADIUS, report);
        let takes = fields.get("takes").map(|node| takes(node, context, report)).unwrap_or_default();
        let place = place(&fields, node.line, name, context, report);
        if let Some((position, rotation)) = place {
            zones.push(SnapZoneSpec { name: name.to_owned(), position, rotation, radius, takes });
        }
    }
    zones
}

fn place(fields: &Fields, line: usize, name: &str, context: &Context, report: &mut Report) -> Option<(Vec3, Quat)> {
    let angle = |name: &str, report: &mut Report| fields.degrees_or(name, 0.0, TURN, report);
    let (yaw, pitch, roll) = (angle("yaw_deg", report), angle("pitch_deg", report), angle("roll_deg", report));
    let rotation = Quat::from_euler(EulerRot::YXZ, yaw, pitch, roll);
    let what = format!("snap zone \"{name}\"");
    let level = fields.get("level").and_then(|node| read::whole_number(node, "level", report));
    let (at, on) = (fields.get("at"), fields.get("on"));
    let Some(on) = on else {
        if level.is_some() {
            report.add(line, "`level` without `on`", "name the shelf: `on: \"shelf_1\"`");
        }
        if at.is_none() {
            report.add(line, format!("{what} has no place"), "add `at: (x, y, z)` or `on: \"table_1\"`");
        }
        return Some((context.inside.position(at?, &what, report)?, rotation));
    };
    let support = read::text(on, "on", report)?;
    let Some(object) = context.objects.iter().find(|object| object.name == support) else {
        let help = match did_you_mean(support, context.objects.iter().map(|object| object.name.as_str())) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "`on` wants the name of an object".to_owned(),
        };
        report.add(on.line, format!("there is no object \"{support}\" for {what} to be on"), help);
        return None;
    };
    let shape = match &object.source {
        ObjectSource::Kind { kind, seed } => context.kinds.shape(kind, *seed),
        ObjectSource::Asset { .. } => None,
    };
    let level = level.and_then(|level| usize::try_from(level).ok());
    let offset = offset(at, report)?;
    let support = Support { spec: object, shape: shape.as_ref(), line: on.line };
    let surface = support.surface(level, offset, &what, at.map(|node| node.line), report)?;
    Some((surface.position, object.rotation * rotation))
}

/// Classes and names of objects that a zone takes.
fn takes(node: &Node, context: &Context, report: &mut Report) -> Vec<SnapFit> {
    let written = items(node, "takes", MAX_NAMED, report);
    if written.is_empty() && matches!(&node.value, crate::scene::syntax::Value::List(_)) {
        report.add(node.line, "a snap zone that takes nothing", "leave `takes` out for one that takes anything");
    }
    let mut fits = Vec::new();
    for node in written {
        let Some(word) = read::text(node, "takes", report) else { continue };
        let object = context.objects.iter().find(|object| object.name == word);
        let is_class = context.classes.contains(word);
        let carried = if is_class { context.is_carried(word) } else { object.is_none_or(|object| object.grabbable) };
        if !carried {
            let told = format!("\"{word}\" cannot be carried, so it never comes into a snap zone");
            report.add(node.line, told, "name what a hand can take, or set its `grabbable: true`");
        } else if is_class {
            fits.push(SnapFit::Class(word.to_owned()));
        } else if object.is_some() {
            fits.push(SnapFit::Object(word.to_owned()));
        } else {
            let known =
                context.classes.iter().copied().chain(context.objects.iter().map(|object| object.name.as_str()));
            let help = match did_you_mean(word, known) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "write classes like \"mug\" or names of objects".to_owned(),
            };
            report.add(node.line, format!("\"{word}\" is neither a class nor an object"), help);
        }
    }
    fits
}
