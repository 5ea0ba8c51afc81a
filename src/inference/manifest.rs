//! A model folder: `models/NAME/{model.onnx, model.ron, CARD.md}`, and the door that it has to pass.
//!
//! In: a folder that anyone may have written; out: a [`CheckedModel`], whose bytes have the hash and whose graph has the
//! inputs and outputs that its manifest promises, or all [`Problem`]s at once. Refused besides: weights in other files,
//! operators outside the standard sets, and shared libraries in the folder. ONNX Runtime is not needed for any of this.
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
//!     licence: "MIT OR Apache-2.0",
//!     seed: 7,
//!     deadline_ms: 1000,
//! )
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::{Problem, did_you_mean};

use super::{
    graph_builder::Dim,
    onnx_file::{
        AttributeProto, DimensionValue, EXTERNAL_LOCATION, ElementType, GraphProto, ModelProto, NodeProto, TensorProto,
        ValueInfoProto,
    },
};

/// The manifest format that this version reads and writes.
pub const FORMAT: u32 = 1;
/// Name of the graph's file in a model folder.
pub const MODEL_FILE: &str = "model.onnx";
/// Name of the manifest's file in a model folder.
pub const MANIFEST_FILE: &str = "model.ron";

/// Larger manifests are not read, in bytes.
const MANIFEST_LIMIT: u64 = 1 << 20;
/// Larger models are not read, in bytes: the format itself ends at 2 GiB.
const MODEL_LIMIT: u64 = (1 << 31) - 1;
/// Operator domains that ONNX defines; all others are custom.
const STANDARD_DOMAINS: [&str; 3] = ["", "ai.onnx", "ai.onnx.ml"];

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
}

/// A model folder that passed the door.
#[derive(Clone, Debug)]
pub struct CheckedModel {
    pub manifest: Manifest,
    /// What `model.onnx` held when it was hashed; sessions are made from these bytes, not from the file again.
    pub bytes: Vec<u8>,
}

/// All problems of a model folder; none if it is good.
pub fn check_model(folder: &Path) -> Vec<Problem> {
    load_model(folder).err().unwrap_or_default()
}

/// Reads and checks a model folder.
///
/// # Errors
/// - a file is missing, unreadable or too large; the manifest is wrong (see [`Manifest::parse`])
/// - the hash differs; the graph cannot be parsed, or differs from the manifest in names, shapes or element types
/// - the folder or the graph holds what is refused: shared libraries, weights in other files, custom operators
pub fn load_model(folder: &Path) -> Result<CheckedModel, Vec<Problem>> {
    let manifest_path = folder.join(MANIFEST_FILE);
    let model_path = folder.join(MODEL_FILE);
    let mut problems = foreign_files(folder);
    let manifest = read_limited(&manifest_path, MANIFEST_LIMIT)
        .map_err(|problem| vec![problem])
        .and_then(|bytes| {
            let text = String::from_utf8(bytes)
                .map_err(|_| vec![Problem::of_file(&manifest_path, "is not UTF-8 text", "write it anew")])?;
            Manifest::parse(&text, &manifest_path).map(|manifest| (manifest, text))
        })
        .map_err(|found| problems.extend(found))
        .ok();
    let bytes = read_limited(&model_path, MODEL_LIMIT).map_err(|problem| problems.push(problem)).ok();
    let (Some((manifest, text)), Some(bytes)) = (manifest, bytes) else { return Err(problems) };

    let hash = sha256_hex(&bytes);
    if !hash.eq_ignore_ascii_case(&manifest.sha256) {
        problems.push(Problem {
            path: manifest_path.clone(),
            line: line_of(&text, "sha256"),
            what: format!("the sha-256 of {MODEL_FILE} is {hash}, not {}", manifest.sha256.to_lowercase()),
            help: "restore the file that the manifest was made for, or correct the manifest if you trust the file"
                .into(),
        });
    }
    match ModelProto::from_bytes(&bytes) {
        Err(error) => problems.push(Problem::of_file(
            &model_path,
            &format!("is not an ONNX model or is cut off ({error})"),
            "restore the file",
        )),
        Ok(model) => {
            let refuse = |what: String| Problem::of_file(&model_path, &what, "export the model again without it");
            problems.extend(refused_contents(&model).into_iter().map(refuse));
            problems.extend(graph_differences(&manifest, &model).into_iter().map(|(field, what)| Problem {
                path: manifest_path.clone(),
                line: line_of(&text, &field),
                what,
                help: "make the manifest say what the graph has, or export the model again".into(),
            }));
        }
    }
    if problems.is_empty() { Ok(CheckedModel { manifest, bytes }) } else { Err(problems) }
}

/// SHA-256 in lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a model file must not hold, as complaints that follow its path.
fn refused_contents(model: &ModelProto) -> Vec<String> {
    let mut refused = Refused::default();
    if let Some(graph) = &model.graph {
        refused.visit_graph(graph);
    }
    for function in &model.functions {
        refused.visit_domain(&function.domain);
        function.node.iter().for_each(|node| refused.visit_node(node));
        function.attribute_proto.iter().for_each(|attribute| refused.visit_attribute(attribute));
    }
    for opset in &model.opset_import {
        refused.visit_domain(&opset.domain);
    }
    for graph in model.training_info.iter().flat_map(|info| [&info.initialization, &info.algorithm]).flatten() {
        refused.visit_graph(graph);
    }
    let domains = refused.domains.iter().map(|domain| format!("uses custom operators of domain {domain:?}"));
    let external = refused.external.iter().map(|tensor| format!("keeps tensor {tensor:?} in another file"));
    domains.chain(external).collect()
}

/// Collects what is refused while it walks through a model.
#[derive(Default)]
struct Refused {
    domains: BTreeSet<String>,
    external: BTreeSet<String>,
}

impl Refused {
    fn visit_graph(&mut self, graph: &GraphProto) {
        graph.initializer.iter().for_each(|tensor| self.visit_tensor(tensor));
        for sparse in &graph.sparse_initializer {
            sparse.values.iter().chain(&sparse.indices).for_each(|tensor| self.visit_tensor(tensor));
        }
        graph.node.iter().for_each(|node| self.visit_node(node));
    }

    fn visit_node(&mut self, node: &NodeProto) {
        self.visit_domain(&node.domain);
        node.attribute.iter().for_each(|attribute| self.visit_attribute(attribute));
    }

    fn visit_attribute(&mut self, attribute: &AttributeProto) {
        attribute.t.iter().chain(&attribute.tensors).for_each(|tensor| self.visit_tensor(tensor));
        attribute.g.iter().chain(&attribute.graphs).for_each(|graph| self.visit_graph(graph));
        for sparse in attribute.sparse_tensor.iter().chain(&attribute.sparse_tensors) {
            sparse.values.iter().chain(&sparse.indices).for_each(|tensor| self.visit_tensor(tensor));
        }
    }

    fn visit_domain(&mut self, domain: &str) {
        if !STANDARD_DOMAINS.contains(&domain) {
            self.domains.insert(domain.to_owned());
        }
    }

    fn visit_tensor(&mut self, tensor: &TensorProto) {
        if tensor.data_location == EXTERNAL_LOCATION || !tensor.external_data.is_empty() {
            self.external.insert(tensor.name.clone());
        }
    }
}

/// How a graph differs from its manifest: the word in the manifest that is meant, and the complaint.
fn graph_differences(manifest: &Manifest, model: &ModelProto) -> Vec<(String, String)> {
    let Some(graph) = &model.graph else {
        return vec![("name".into(), format!("{MODEL_FILE} holds no graph"))];
    };
    // Files of old versions list weights among the inputs.
    let weights: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let inputs = graph.input.iter().filter(|input| !weights.contains(input.name.as_str()));
    let mut differences = list_differences("input", &manifest.inputs, inputs);
    differences.extend(list_differences("output", &manifest.outputs, graph.output.iter()));
    differences
}

fn list_differences<'a>(
    kind: &str,
    promised: &[TensorSpec],
    found: impl Iterator<Item = &'a ValueInfoProto>,
) -> Vec<(String, String)> {
    let found: BTreeMap<&str, &ValueInfoProto> = found.map(|value| (value.name.as_str(), value)).collect();
    let mut differences = Vec::new();
    for spec in promised {
        match found.get(spec.name.as_str()) {
            None => {
                let near = did_you_mean(&spec.name, found.keys().copied());
                let hint = near.map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default();
                differences.push((spec.name.clone(), format!("the graph has no {kind} {:?}{hint}", spec.name)));
            }
            Some(value) => {
                if let Some(difference) = tensor_difference(spec, value) {
                    differences.push((spec.name.clone(), format!("{kind} {:?} {difference}", spec.name)));
                }
            }
        }
    }
    for name in found.keys().filter(|name| !promised.iter().any(|spec| spec.name == **name)) {
        differences.push((format!("{kind}s"), format!("the graph's {kind} {name:?} is not listed")));
    }
    differences
}

/// A manifest may fix an extent that the graph leaves open, but not open one that the graph fixes.
fn tensor_difference(spec: &TensorSpec, value: &ValueInfoProto) -> Option<String> {
    let Some(tensor) = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()) else {
        return Some("is not a tensor in the graph".into());
    };
    if tensor.elem_type != spec.element.code() {
        let found = ElementType::from_code(tensor.elem_type)
            .map_or_else(|| format!("type {} of ONNX", tensor.elem_type), |element| element.to_string());
        return Some(format!("holds {found} in the graph, not {}", spec.element));
    }
    let dims = &tensor.shape.as_ref()?.dim;
    let agrees = dims.len() == spec.shape.len()
        && dims.iter().zip(&spec.shape).all(|(found, promised)| match (&found.value, promised) {
            (Some(DimensionValue::DimValue(found)), Dim::Fixed(promised)) => usize::try_from(*found) == Ok(*promised),
            (Some(DimensionValue::DimValue(_)), Dim::Named(_)) => false,
            (Some(DimensionValue::DimParam(_)) | None, _) => true,
        });
    if agrees {
        return None;
    }
    let found: Vec<Dim> = dims
        .iter()
        .map(|dim| match &dim.value {
            Some(DimensionValue::DimValue(extent)) => Dim::Named(extent.to_string()),
            Some(DimensionValue::DimParam(name)) => Dim::Named(name.clone()),
            None => Dim::Named("?".into()),
        })
        .collect();
    Some(format!("has shape {} in the graph, not {}", shape_text(&found), shape_text(&spec.shape)))
}

fn shape_text(shape: &[Dim]) -> String {
    let extents: Vec<String> = shape.iter().map(Dim::to_string).collect();
    format!("[{}]", extents.join(", "))
}

/// Files that a model folder must not hold: ONNX Runtime could be made to load them.
fn foreign_files(folder: &Path) -> Vec<Problem> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return vec![Problem::of_file(folder, &format!("cannot be read ({error})"), "give the folder of a model")];
        }
    };
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        [".so", ".dll", ".dylib"].iter().any(|end| name.ends_with(end)) || name.contains(".so.")
    };
    let mut libraries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_library).collect();
    libraries.sort();
    let refuse = |path: &PathBuf| {
        Problem::of_file(path, "is a shared library; models must not bring operators of their own", "remove it")
    };
    libraries.iter().map(refuse).collect()
}

fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, Problem> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Problem::of_file(path, "is missing", "put it there or train the model again"),
        _ => Problem::of_file(path, &format!("cannot be read ({error})"), "check the file and its permissions"),
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > limit {
        return Err(Problem::of_file(path, &format!("has {size} bytes, more than {limit}"), "use a smaller file"));
    }
    fs::read(path).map_err(unreadable)
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
fn line_of(text: &str, word: &str) -> usize {
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

    #[test]
    fn a_manifest_may_fix_an_open_extent_but_not_open_a_fixed_one() {
        let check = |promised: Dim, found: Dim| {
            let spec = TensorSpec { name: "x".into(), element: ElementType::F32, shape: vec![promised] };
            tensor_difference(&spec, &super::super::graph_builder::value_info("x", ElementType::F32.code(), [found]))
        };
        assert_eq!(check(3.into(), 3.into()), None);
        assert_eq!(check(3.into(), "n".into()), None);
        assert_eq!(check("n".into(), 3.into()).as_deref(), Some("has shape [3] in the graph, not [n]"));
        assert_eq!(check(3.into(), 4.into()).as_deref(), Some("has shape [4] in the graph, not [3]"));
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // FIPS 180-4, example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), expected);
    }
}
