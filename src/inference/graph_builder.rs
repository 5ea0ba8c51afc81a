//! Makes ONNX models node by node: the exporter of trained nets and the tests use it.
//!
//! In: inputs, weights, nodes and outputs in topological order; out: a [`ModelProto`] that declares the standard operator
//! set [`OPSET_VERSION`] and nothing else. It does not infer shapes and does not check operators: ONNX Runtime does, on load.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::onnx_file::{
    AttributeProto, DimensionProto, DimensionValue, ElementType, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
};

/// Version of the standard operator set that built models declare.
pub const OPSET_VERSION: i64 = 17;

/// File format version of built models; 8 is the oldest that may carry operator set 17.
const IR_VERSION: i64 = 8;

/// `TensorProto.DataType` of 16-bit floats, which only weights have.
const FLOAT16: i32 = 10;

/// One extent of a shape: a number, or a name for what is known only at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dim {
    Fixed(usize),
    Named(String),
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(extent) => extent.fmt(f),
            Dim::Named(name) => name.fmt(f),
        }
    }
}

impl From<usize> for Dim {
    fn from(extent: usize) -> Self {
        Dim::Fixed(extent)
    }
}

impl From<&str> for Dim {
    fn from(name: &str) -> Self {
        Dim::Named(name.to_owned())
    }
}

/// A graph under construction. Methods return the name of the value they made, to be handed to the next node;
/// the tests below show how they go together.
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    graph: GraphProto,
}

impl GraphBuilder {
    pub fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: name.to_owned(), ..Default::default() } }
    }

    /// Declares an input of the model.
    pub fn input(&mut self, name: &str, element: ElementType, dims: impl IntoIterator<Item = Dim>) -> String {
        self.graph.input.push(value_info(name, element.code(), dims));
        name.to_owned()
    }

    /// Declares the value `name`, made by some node, as an output of the model.
    pub fn output(&mut self, name: &str, element: ElementType, dims: impl IntoIterator<Item = Dim>) {
        self.graph.output.push(value_info(name, element.code(), dims));
    }

    /// A constant f32 tensor of shape `dims` (none: a scalar), row-major.
    ///
    /// # Panics
    /// If `data` does not have as many elements as `dims` say.
    pub fn weights_f32(&mut self, name: &str, dims: impl IntoIterator<Item = usize>, data: &[f32]) -> String {
        self.initializer(TensorProto::f32(name, dims, data))
    }

    /// The same, kept in the file as 16-bit floats (11 bits of precision, up to 65,504) and brought to f32 by a node.
    ///
    /// # Panics
    /// If `data` does not have as many elements as `dims` say.
    pub fn weights_f16(&mut self, name: &str, dims: impl IntoIterator<Item = usize>, data: &[f32]) -> String {
        let halves = self.initializer(TensorProto::f16(&format!("{name}_f16"), dims, data));
        let to = AttributeProto::int("to", i64::from(ElementType::F32.code()));
        self.node_named("Cast", [halves.as_str()], [name], [to]);
        name.to_owned()
    }

    /// A constant i64 tensor of shape `dims` (none: a scalar), row-major.
    ///
    /// # Panics
    /// If `data` does not have as many elements as `dims` say.
    pub fn weights_i64(&mut self, name: &str, dims: impl IntoIterator<Item = usize>, data: &[i64]) -> String {
        self.initializer(TensorProto::i64(name, dims, data))
    }

    /// Any constant tensor.
    pub fn initializer(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.graph.initializer.push(tensor);
        name
    }

    /// Appends a node with one output and returns that output's name, which is made up from the operator's.
    pub fn node<I: AsRef<str>>(
        &mut self,
        op_type: &str,
        inputs: impl IntoIterator<Item = I>,
        attributes: impl IntoIterator<Item = AttributeProto>,
    ) -> String {
        let output = format!("{}_{}", op_type.to_lowercase(), self.graph.node.len());
        self.node_named(op_type, inputs, [output.as_str()], attributes);
        output
    }

    /// Appends a node with the given outputs (`""`: not wanted) and returns their names. An input `""` is left out.
    pub fn node_named<I: AsRef<str>, O: AsRef<str>>(
        &mut self,
        op_type: &str,
        inputs: impl IntoIterator<Item = I>,
        outputs: impl IntoIterator<Item = O>,
        attributes: impl IntoIterator<Item = AttributeProto>,
    ) -> Vec<String> {
        let outputs: Vec<String> = outputs.into_iter().map(|name| name.as_ref().to_owned()).collect();
        self.graph.node.push(NodeProto {
            input: inputs.into_iter().map(|name| name.as_ref().to_owned()).collect(),
            output: outputs.clone(),
            name: format!("{op_type}_{}", self.graph.node.len()),
            op_type: op_type.to_owned(),
            attribute: attributes.into_iter().collect(),
            ..Default::default()
        });
        outputs
    }

    /// The graph itself, for use as a node's subgraph (`Loop`, `If`).
    pub fn into_graph(self) -> GraphProto {
        self.graph
    }

    /// The whole model.
    pub fn finish(self) -> ModelProto {
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET_VERSION }],
            graph: Some(self.graph),
            ..Default::default()
        }
    }
}

/// A tensor-typed value; `element_code` is a `TensorProto.DataType`, so that subgraphs can carry booleans too.
pub fn value_info(name: &str, element_code: i32, dims: impl IntoIterator<Item = Dim>) -> ValueInfoProto {
    let dim = dims
        .into_iter()
        .map(|dim| DimensionProto {
            value: Some(match dim {
                Dim::Fixed(extent) => DimensionValue::DimValue(extent as i64),
                Dim::Named(name) => DimensionValue::DimParam(name),
            }),
        })
        .collect();
    let tensor_type = TensorTypeProto { elem_type: element_code, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: String::new(),
    }
}

impl TensorProto {
    /// A constant f32 tensor.
    ///
    /// # Panics
    /// If `data` does not have as many elements as `dims` say.
    pub fn f32(name: &str, dims: impl IntoIterator<Item = usize>, data: &[f32]) -> Self {
        let raw = data.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::raw(name, ElementType::F32.code(), dims, data.len(), raw)
    }

    /// A constant tensor of 16-bit floats; larger values become infinite.
    ///
    /// # Panics
    /// If `data` does not have as many elements as `dims` say.
    pub fn f16(name: &str, dims: impl IntoIterator<Item = usize>, data: &[f32]) -> Self {
        let raw = data.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
        Self::raw(name, FLOAT16, dims, data.len(), raw)
    }

    /// A constant i64 tensor.
    ///
    /// # Panics
    /// If `data` does not have as many elements as `dims` say.
    pub fn i64(name: &str, dims: impl IntoIterator<Item = usize>, data: &[i64]) -> Self {
        let raw = data.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::raw(name, ElementType::I64.code(), dims, data.len(), raw)
    }

    fn raw(name: &str, code: i32, dims: impl IntoIterator<Item = usize>, elements: usize, raw_data: Vec<u8>) -> Self {
        let dims: Vec<i64> = dims.into_iter().map(|extent| extent as i64).collect();
        assert_eq!(dims.iter().product::<i64>(), elements as i64, "shape {dims:?} of tensor {name:?} and its data");
        TensorProto { dims, data_type: code, name: name.to_owned(), raw_data: Some(raw_data), ..Default::default() }
    }
}

impl AttributeProto {
    pub fn float(name: &str, value: f32) -> Self {
        Self { f: Some(value), ..Self::of_kind(name, attribute_type::FLOAT) }
    }

    pub fn int(name: &str, value: i64) -> Self {
        Self { i: Some(value), ..Self::of_kind(name, attribute_type::INT) }
    }

    pub fn string(name: &str, value: &str) -> Self {
        Self { s: Some(value.as_bytes().to_vec()), ..Self::of_kind(name, attribute_type::STRING) }
    }

    pub fn tensor(name: &str, value: TensorProto) -> Self {
        Self { t: Some(value), ..Self::of_kind(name, attribute_type::TENSOR) }
    }

    pub fn graph(name: &str, value: GraphProto) -> Self {
        Self { g: Some(value), ..Self::of_kind(name, attribute_type::GRAPH) }
    }

    pub fn floats(name: &str, values: impl IntoIterator<Item = f32>) -> Self {
        Self { floats: values.into_iter().collect(), ..Self::of_kind(name, attribute_type::FLOATS) }
    }

    pub fn ints(name: &str, values: impl IntoIterator<Item = i64>) -> Self {
        Self { ints: values.into_iter().collect(), ..Self::of_kind(name, attribute_type::INTS) }
    }

    pub fn strings<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let strings = values.into_iter().map(|value| value.as_bytes().to_vec()).collect();
        Self { strings, ..Self::of_kind(name, attribute_type::STRINGS) }
    }

    fn of_kind(name: &str, kind: i32) -> Self {
        Self { name: name.to_owned(), kind, ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_reads_back_the_same() {
        let mut graph = GraphBuilder::new("example");
        let x = graph.input("x", ElementType::F32, [1.into(), 3.into(), "height".into(), "width".into()]);
        let weights = graph.weights_f32("w", [8, 3, 3, 3], &[0.5; 8 * 3 * 3 * 3]);
        let convolved = graph.node("Conv", [&x, &weights], [AttributeProto::ints("pads", [1, 1, 1, 1])]);
        let y = graph.node_named("Relu", [&convolved], ["y"], []);
        graph.output(&y[0], ElementType::F32, [1.into(), 8.into(), "height".into(), "width".into()]);
        let model = graph.finish();
        assert_eq!(ModelProto::from_bytes(&model.to_bytes()).expect("readable"), model);
    }

    #[test]
    #[should_panic(expected = "shape [2, 2]")]
    fn weights_must_fill_their_shape() {
        GraphBuilder::new("g").weights_f32("w", [2, 2], &[0.0; 3]);
    }
}
