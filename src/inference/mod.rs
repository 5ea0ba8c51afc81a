//! ONNX models as assets: manifest, providers, sessions, queues, budgets.
//!
//! In: model folders and named tensors; out: named tensors and the status of every model. This room knows tensors, not
//! tasks: what a tensor means is the business of `percepts` and `textures`. Nothing else in the program names `ort`.
//!
//! | file | job |
//! |---|---|
//! | [`library`] | find the shared library, look at it, load it with telemetry off |
//! | [`manifest`] | what a model says about itself |
//! | [`model_folder`] | read a model folder and refuse what does not keep its promises |
//! | [`onnx_file`], [`graph_builder`] | the file format, and making models |
//! | [`provider`] | which hardware runs a model, and the proof of it |
//! | [`session`] | one model: named tensors in, named tensors out, with a deadline |
//! | [`worker`] | a thread per model: newest request wins, answers are polled; or lockstep |
//! | [`test_model`] | very small models, made on the spot |
//! | [`models`] | all models as a resource, reloaded when their files change |
//!
//! A system that uses a model submits and polls in the same update, and never waits:
//!
//! ```ignore
//! fn recognise(models: Res<Models>, frames: Res<NewestFrame>, mut seen: MessageWriter<Seen>) {
//!     let Some(detector) = models.for_task("detect") else { return };
//!     let (frame, stamp) = (frames.picture.clone(), frames.stamp);
//!     detector.submit(frames.tick, move |manifest| encode(&frame, manifest), move |outputs, manifest| {
//!         (stamp, decode(outputs, manifest))
//!     });
//!     if let Some(answer) = detector.poll::<(Stamp, Vec<Detection>)>() { /* … */ }
//! }
//! ```

pub mod graph_builder;
pub mod library;
pub mod manifest;
pub mod model_folder;
pub mod models;
pub mod onnx_file;
pub mod provider;
pub mod session;
pub mod tensor;
pub mod test_model;
mod watchdog;
pub mod worker;

pub use models::{InferencePlugin, InferenceSettings, Models};
pub use session::RunError;
pub use tensor::{NamedTensors, Tensor};
pub use worker::{Answer, ModelStatus, Worker};
