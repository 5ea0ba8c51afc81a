//! What a model says about itself: `model.ron`.
//!
//! In: the text of a manifest; out: a [`Manifest`] whose values make sense, or the problems with their lines. Whether it
//! tells the truth about its graph is checked by [`super::model_folder`].
//!
//! A manifest looks like this:
//!
//! ```ron
//! (
//!     format: 1,
//!     name: "detector",
//!     task: "detect",
//!     inputs: [(name: "image", element: f32, shape: [1, 3, 320, 320])],
//!     outputs: [(name: "boxes", element: f32, shape: [1, "candidates", 4])],
//!     preprocessing: {"scale": 0.00392156862745098, "layout": "rgb"},
//!     labels: ["mug", "bowl"],
//!     thresholds: {"confidence": 0.4},
//!     sha256: "0123…",
//!     licence: "MIT",
//!     seed: 7,
//!     deadline_ms: 1000,
//! )
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{graph_builder::Dim, onnx_file::ElementType};
use crate::base::{Problem, did_you_mean};

/// The manifest format that this version reads and writes.
pub const FORMAT: u32 = 1;
/// Name of the graph's file in a model folder.
pub const MODEL_FILE: &str = "model.onnx";
/// Name of the manifest's file in a model folder.
pub const MANIFEST_FILE: &str = "model.ron";

/// What a model is and how it is to be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    pub name: String,
    /// What the model is for, in the words of those who use it: `"detect"`, `"transcribe"`.
    pub task: String,
    pub inputs: Vec<TensorSpec>,
    pub outputs: Vec<TensorSpec>,
    /// What the encoder and the decoder must know: scales, sample rates, strides.
    #[serde(default)]
    pub preprocessing: BTreeMap<String, Setting>,
    /// Names of the model's classes, in the order of its outputs.
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub thresholds: BTreeMap<String, f32>,
    /// SHA-256 of `model.onnx`, 64 hexadecimal digits.
    pub sha256: String,
    pub licence: String,
    /// The seed that the model was trained with.
    #[serde(default)]
    pub seed: u64,
    /// A run that takes longer is terminated, in milliseconds; the program's default where it is left out.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
}

/// One value of `preprocessing`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    Number(f64),
    Text(String),
    Numbers(Vec<f64>),
}

/// Name, element type and shape of an input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    pub name: String,
    pub element: ElementType,
    /// Extents, outermost axis first. Equal names are equal extents, in one run.
    pub shape: Vec<Dim>,
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}{}", self.name, self.element, shape_text(&self.shape))
    }
}

impl Manifest {
    /// Parses a manifest's text. `path` is for the report only.
    ///
    /// # Errors
    /// - the text is not RON, a field is missing, unknown or of the wrong type (the first such place only, as the
    ///   parser stops there)
    /// - the format is not [`FORMAT`], the hash is not a hash, a threshold is not finite, a name is used twice (all places)
    pub fn parse(text: &str, path: &Path) -> Result<Self, Vec<Problem>> {
        let manifest: Manifest = ron::from_str(text).map_err(|error| vec![syntax_problem(&error, path)])?;
        let mut problems = Vec::new();
        let mut report = |field: &str, what: String, help: &str| {
            problems.push(Problem { path: path.to_owned(), line: line_of(text, field), what, help: help.to_owned() });
        };
        if manifest.format != FORMAT {
            let help = format!("this version reads format {FORMAT}");
            report("format", format!("unknown manifest format {}", manifest.format), &help);
        }
        if manifest.sha256.len() != 64 || !manifest.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            report("sha256", "sha256 is not 64 hexadecimal digits".into(), "write what `sha256sum model.onnx` prints");
        }
        for (name, value) in manifest.thresholds.iter().filter(|(_, value)| !value.is_finite()) {
            report(name, format!("threshold {name:?} is {value}"), "write a finite number");
        }
        if manifest.deadline_ms == Some(0) {
            report("deadline_ms", "a deadline of 0 ms cannot be met".into(), "write at least 1");
        }
        let mut names = BTreeSet::new();
        for spec in manifest.inputs.iter().chain(&manifest.outputs).filter(|spec| !names.insert(&spec.name)) {
            report(&spec.name, format!("tensor {:?} is listed twice", spec.name), "give every tensor its own name");
        }
        for (what, list) in [("inputs", &manifest.inputs), ("outputs", &manifest.outputs)] {
            if list.is_empty() {
                report(what, format!("no {what} are listed"), "list what the graph has");
            }
        }
        if problems.is_empty() { Ok(manifest) } else { Err(problems) }
    }

    /// The manifest as the text of a file.
    ///
    /// # Errors
    /// - a value cannot be written as RON (does not happen for the types above)
    pub fn to_text(&self) -> Result<String, ron::Error> {
        let style = ron::ser::PrettyConfig::new().depth_limit(3).struct_names(false);
        ron::ser::to_string_pretty(self, style).map(|text| text + "\n")
    }

    /// The number `name` of `preprocessing`.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.preprocessing.get(name) {
            Some(Setting::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The text `name` of `preprocessing`.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.preprocessing.get(name) {
            Some(Setting::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The numbers `name` of `preprocessing`.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        match self.preprocessing.get(name) {
            Some(Setting::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }
}

/// A shape as people write it: `[1, n, 4]`.
pub(super) fn shape_text(shape: &[Dim]) -> String {
    let extents: Vec<String> = shape.iter().map(Dim::to_string).collect();
    format!("[{}]", extents.join(", "))
}

fn syntax_problem(error: &ron::error::SpannedError, path: &Path) -> Problem {
    let help = match &error.code {
        ron::Error::NoSuchStructField { expected, found, .. } => match did_you_mean(found, expected.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("fields are {}", expected.join(", ")),
        },
        _ => "see the manifests under models/ for the form".into(),
    };
    Problem { path: path.to_owned(), line: error.span.start.line, what: error.code.to_string(), help }
}

/// The first line (from 1) that holds `word`; 0 if none does.
pub(super) fn line_of(text: &str, word: &str) -> usize {
    text.lines().position(|line| line.contains(word)).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            format: FORMAT,
            name: "tiny".into(),
            task: "test".into(),
            inputs: vec![TensorSpec { name: "x".into(), element: ElementType::F32, shape: vec![1.into(), "n".into()] }],
            outputs: vec![TensorSpec {
                name: "y".into(),
                element: ElementType::F32,
                shape: vec![1.into(), "n".into()],
            }],
            preprocessing: BTreeMap::from([
                ("scale".into(), Setting::Number(0.5)),
                ("layout".into(), Setting::Text("rgb".into())),
                ("mean".into(), Setting::Numbers(vec![0.1, 0.2])),
            ]),
            labels: vec!["mug".into()],
            thresholds: BTreeMap::from([("confidence".into(), 0.25)]),
            sha256: "0".repeat(64),
            licence: "MIT".into(),
            seed: 3,
            deadline_ms: None,
        }
    }

    fn problems(text: &str) -> Vec<String> {
        let problems = Manifest::parse(text, Path::new("model.ron")).expect_err("problems");
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_written_manifest_reads_back_the_same() {
        let text = manifest().to_text().expect("text");
        assert_eq!(Manifest::parse(&text, Path::new("model.ron")), Ok(manifest()), "{text}");
        assert_eq!(manifest().number("scale"), Some(0.5));
        assert_eq!(manifest().text("layout"), Some("rgb"));
        assert_eq!(manifest().numbers("mean"), Some([0.1, 0.2].as_slice()));
    }

    #[test]
    fn a_misspelt_field_is_named_with_its_line() {
        let text = manifest().to_text().expect("text").replace("licence:", "license:");
        let line = line_of(&text, "license");
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("model.ron:{line}: ")), "{found:?}");
        assert!(found[0].ends_with("did you mean \"licence\"?"), "{found:?}");
    }

    #[test]
    fn all_wrong_values_are_reported_at_once() {
        let mut wrong = manifest();
        wrong.format = 9;
        wrong.sha256 = "abc".into();
        wrong.deadline_ms = Some(0);
        wrong.outputs[0].name = "x".into();
        let found = problems(&wrong.to_text().expect("text"));
        assert_eq!(found.len(), 4, "{found:?}");
    }
}
