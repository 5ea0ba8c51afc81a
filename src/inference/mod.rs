//! ONNX models as assets: manifest, providers, sessions, queues, budgets.
//!
//! In: model folders and named tensors; out: named tensors and the status of every model. This room knows tensors, not
//! tasks: what a tensor means is the business of `percepts` and `textures`. Nothing else in the program names `ort`.

pub mod graph_builder;
pub mod manifest;
pub mod onnx_file;
pub mod tensor;
