//! A model folder, `models/NAME/{model.onnx, model.ron, CARD.md}`, and the door that it has to pass.
//!
//! In: a folder that anyone may have written; out: a [`CheckedModel`], whose bytes have the hash and whose graph has the
//! inputs and outputs that its manifest promises, or all [`Problem`]s at once. Refused besides: weights in other files,
//! operators outside the standard sets, and shared libraries in the folder. ONNX Runtime is not needed for any of this.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    graph_builder::Dim,
    manifest::{MANIFEST_FILE, MODEL_FILE, Manifest, TensorSpec, line_of, shape_text},
    onnx_file::{
        AttributeProto, DimensionValue, EXTERNAL_LOCATION, ElementType, GraphProto, ModelProto, NodeProto, TensorProto,
        ValueInfoProto,
    },
};
use crate::base::{Problem, did_you_mean, sha256_hex};

/// Larger manifests are not read, in bytes.
const MANIFEST_LIMIT: u64 = 1 << 20;
/// Larger models are not read, in bytes: the format itself ends at 2 GiB.
const MODEL_LIMIT: u64 = (1 << 31) - 1;
/// Operator domains that ONNX defines; all others are custom.
const STANDARD_DOMAINS: [&str; 3] = ["", "ai.onnx", "ai.onnx.ml"];

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
