//! Typed readers over the syntax tree: they take a value or tell what is wrong with it, and always go on.
//!
//! In: [`Node`]s. Out: numbers, vectors, colours, words in range; problems in a [`Report`]. A reader that told a problem
//! returns `None` (or the fallback that its caller names), so one mistake is told once. What is absent: scenes.

use std::path::PathBuf;

use bevy::{
    color::{LinearRgba, Srgba},
    math::{Vec2, Vec3},
};

use super::syntax::{Node, Value};
use crate::base::{Problem, did_you_mean};

/// Nobody reads more; a file of garbage must not fill the memory.
pub const MAX_PROBLEMS: usize = 500;

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Report {
    path: PathBuf,
    problems: Vec<Problem>,
}

impl Report {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), problems: Vec::new() }
    }

    /// Tells a problem. Line 0 means the file as a whole.
    pub fn add(&mut self, line: usize, what: impl Into<String>, help: impl Into<String>) {
        if self.problems.len() == MAX_PROBLEMS {
            let what = "more problems follow that are not listed".to_owned();
            self.problems.push(Problem { path: self.path.clone(), line, what, help: "mend the first ones".to_owned() });
        }
        if self.problems.len() < MAX_PROBLEMS {
            let (what, help) = (what.into(), help.into());
            self.problems.push(Problem { path: self.path.clone(), line, what, help });
        }
    }

    /// How many problems were told.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether nothing was told.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// All problems, by line.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.line);
        self.problems
    }
}

/// The fields of one group.
pub struct Fields<'a> {
    /// What a message calls the group: "room", "object".
    what: &'static str,
    pub line: usize,
    fields: Vec<&'a (String, Node)>,
}

impl<'a> Fields<'a> {
    /// Opens a group of fields, all of which must be `known`. Tells fields that are unknown or written twice.
    pub fn open(node: &'a Node, what: &'static str, known: &[&str], report: &mut Report) -> Option<Self> {
        let all = match &node.value {
            Value::Fields(all) => all,
            Value::Wrong => return None,
            other => {
                let told = format!("{} is a group of fields, found {}", with_article(what), other.noun());
                report.add(node.line, told, format!("write ({}: …)", known.first().unwrap_or(&"name")));
                return None;
            }
        };
        Some(Self::of(all, node.line, what, known, report))
    }

    /// As [`Self::open`], for fields that were found already.
    pub fn of(all: &'a [(String, Node)], line: usize, what: &'static str, known: &[&str], report: &mut Report) -> Self {
        let mut fields: Vec<&(String, Node)> = Vec::new();
        for field in all {
            let (name, value) = field;
            if !known.contains(&name.as_str()) {
                let help = match did_you_mean(name, known.iter().copied()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("{} has: {}", with_article(what), known.join(", ")),
                };
                report.add(value.line, format!("unknown field \"{name}\" of {}", with_article(what)), help);
            } else if fields.iter().any(|(earlier, _)| earlier == name) {
                report.add(value.line, format!("field \"{name}\" is written twice in one {what}"), "keep one of them");
            } else {
                fields.push(field);
            }
        }
        Self { what, line, fields }
    }

    /// The value of a field; `None` where it is not written or says `None`.
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        let found = self.fields.iter().find(|(known, _)| known == name).map(|(_, node)| node);
        found.filter(|node| node.value != Value::Word("None".to_owned()))
    }

    /// The value of a field that must be there.
    pub fn require(&self, name: &str, report: &mut Report) -> Option<&'a Node> {
        let found = self.get(name);
        if found.is_none() {
            report.add(self.line, format!("this {} has no \"{name}\"", self.what), format!("add `{name}: …`"));
        }
        found
    }

    /// A number in a range, or `default` where the field is not written or wrong.
    pub fn number_or(&self, name: &str, default: f32, range: [f32; 2], report: &mut Report) -> f32 {
        self.get(name).and_then(|node| number(node, name, range, report)).unwrap_or(default)
    }

    /// A number that must be written; `None` if it is missing or wrong.
    pub fn number(&self, name: &str, range: [f32; 2], report: &mut Report) -> Option<f32> {
        self.require(name, report).and_then(|node| number(node, name, range, report))
    }

    /// An angle written in degrees, in radians.
    pub fn degrees_or(&self, name: &str, default_deg: f32, range: [f32; 2], report: &mut Report) -> f32 {
        self.number_or(name, default_deg, range, report).to_radians()
    }

    /// `true` or `false`.
    pub fn switch(&self, name: &str, report: &mut Report) -> Option<bool> {
        let node = self.get(name)?;
        match &node.value {
            Value::Word(word) if word == "true" => Some(true),
            Value::Word(word) if word == "false" => Some(false),
            other => {
                wrong_type(node, name, "true or false", other, report);
                None
            }
        }
    }

    /// A colour, or `default`.
    pub fn color_or(&self, name: &str, default: Vec3, report: &mut Report) -> Vec3 {
        self.get(name).and_then(|node| color(node, name, report)).unwrap_or(default)
    }

    /// A text; `None` if it is missing or wrong (the latter is told).
    pub fn text(&self, name: &str, report: &mut Report) -> Option<&'a str> {
        text(self.get(name)?, name, report)
    }

    /// One of some words.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)], report: &mut Report) -> Option<T> {
        choice(self.get(name)?, name, choices, report)
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn wrong_type(node: &Node, name: &str, wanted: &str, found: &Value, report: &mut Report) {
    if *found != Value::Wrong {
        let help = match found {
            Value::Text(text) if text.parse::<f64>().is_ok() => "remove the quotes".to_owned(),
            Value::Word(_) if wanted.contains("quotes") => "put it in quotes".to_owned(),
            _ => format!("write {wanted}"),
        };
        report.add(node.line, format!("\"{name}\" must be {wanted}, found {}", found.noun()), help);
    }
}

/// A finite number from `range[0]` to `range[1]`.
pub fn number(node: &Node, name: &str, range: [f32; 2], report: &mut Report) -> Option<f32> {
    let Value::Number(written) = &node.value else {
        wrong_type(node, name, "a number", &node.value, report);
        return None;
    };
    let value: f32 = written.parse().unwrap_or(f32::NAN);
    if !value.is_finite() {
        report.add(node.line, format!("\"{name}\" is {written}, not a finite number"), "write a number like 1.5");
        return None;
    }
    if value < range[0] || value > range[1] {
        let help = format!("allowed is {} to {}", range[0], range[1]);
        report.add(node.line, format!("\"{name}\" is {written}"), help);
        return None;
    }
    Some(value)
}

/// A whole number from 0 to 2^64 − 1.
pub fn whole_number(node: &Node, name: &str, report: &mut Report) -> Option<u64> {
    match &node.value {
        Value::Number(written) => match written.parse() {
            Ok(value) => Some(value),
            Err(_) => {
                let help = "write a number from 0 to 18446744073709551615 without a point";
                report.add(node.line, format!("\"{name}\" is {written}"), help);
                None
            }
        },
        other => {
            wrong_type(node, name, "a whole number", other, report);
            None
        }
    }
}

/// A text in quotes, 1 to 64 characters without control characters.
pub fn text<'a>(node: &'a Node, name: &str, report: &mut Report) -> Option<&'a str> {
    let Value::Text(text) = &node.value else {
        wrong_type(node, name, "a text in quotes", &node.value, report);
        return None;
    };
    if text.trim().is_empty() || text.chars().count() > 64 || text.chars().any(char::is_control) {
        report.add(node.line, format!("\"{name}\" is empty, too long or not plain text"), "use 1 to 64 characters");
        return None;
    }
    Some(text)
}

/// One of some words, with or without quotes, in any case.
pub fn choice<T: Copy>(node: &Node, name: &str, choices: &[(&str, T)], report: &mut Report) -> Option<T> {
    let (Value::Word(word) | Value::Text(word)) = &node.value else {
        wrong_type(node, name, "one of a few words", &node.value, report);
        return None;
    };
    let found = choices.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<_> = choices.iter().map(|(known, _)| *known).collect();
        let near = known.iter().copied().max_by(|a, b| similarity(a, word).total_cmp(&similarity(b, word)));
        let help = match near.filter(|near| similarity(near, word) > 0.75) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known are {}", known.join(", ")),
        };
        report.add(node.line, format!("unknown {name} \"{word}\""), help);
    }
    found
}

fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(&a.to_lowercase(), &b.to_lowercase())
}

/// The numbers of a group like `(1, 2.5)`, each within `range`; `None` if anything is wrong.
pub fn numbers(node: &Node, name: &str, counts: &[usize], range: [f32; 2], report: &mut Report) -> Option<Vec<f32>> {
    let (Value::Tuple(items) | Value::List(items)) = &node.value else {
        wrong_type(node, name, "a group of numbers like (1, 2.5)", &node.value, report);
        return None;
    };
    if !counts.contains(&items.len()) {
        let wanted: Vec<_> = counts.iter().map(|count| if *count == 2 { "(x, z)" } else { "(x, y, z)" }).collect();
        let told = format!("\"{name}\" has {} numbers", items.len());
        report.add(node.line, told, format!("write {}", wanted.join(" or ")));
        return None;
    }
    let values: Vec<_> = items.iter().map(|item| number(item, name, range, report)).collect();
    values.into_iter().collect()
}

/// `(x, z)`.
pub fn vec2(node: &Node, name: &str, range: [f32; 2], report: &mut Report) -> Option<Vec2> {
    numbers(node, name, &[2], range, report).map(|v| Vec2::new(v[0], v[1]))
}

/// `(x, y, z)`.
pub fn vec3(node: &Node, name: &str, range: [f32; 2], report: &mut Report) -> Option<Vec3> {
    numbers(node, name, &[3], range, report).map(|v| Vec3::new(v[0], v[1], v[2]))
}

/// A colour as `"#rrggbb"` (sRGB) or three linear numbers from 0 to 1; the answer is linear RGB.
pub fn color(node: &Node, name: &str, report: &mut Report) -> Option<Vec3> {
    if let Value::Tuple(_) | Value::List(_) = &node.value {
        return vec3(node, name, [0.0, 1.0], report);
    }
    let written = text(node, name, report)?;
    match Srgba::hex(written) {
        Ok(color) if written.len() == 7 && written.starts_with('#') => {
            let linear = LinearRgba::from(color);
            Some(Vec3::new(linear.red, linear.green, linear.blue))
        }
        _ => {
            report.add(node.line, format!("\"{written}\" is not a colour"), "write it like \"#c08050\"");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_linear() {
        let mut report = Report::new("x");
        let node = Node { line: 1, value: Value::Text("#ff8000".into()) };
        let linear = color(&node, "color", &mut report).unwrap();
        // IEC 61966-2-1: 0x80 / 255 = 0.50196 is 0.21586 in linear light.
        assert!((linear - Vec3::new(1.0, 0.215_86, 0.0)).abs().max_element() < 1e-4, "{linear}");
        assert_eq!(report.len(), 0);
    }

    #[test]
    fn numbers_out_of_range_and_not_finite_are_told() {
        for (written, told) in [("inf", "not a finite"), ("1e60", "not a finite"), ("-1", "allowed is 0 to 2")] {
            let mut report = Report::new("x");
            let node = Node { line: 3, value: Value::Number(written.into()) };
            assert_eq!(number(&node, "scale", [0.0, 2.0], &mut report), None);
            let problems = report.into_problems();
            assert!(problems.len() == 1 && problems[0].to_string().contains(told), "{problems:?}");
        }
    }
}
