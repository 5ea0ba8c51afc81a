//! One model, ready to run: named tensors in, named tensors out, both compared with the manifest.
//!
//! It blocks while it runs; [`super::worker`] gives it a thread of its own. Inputs are handed to ONNX Runtime without a
//! copy, outputs are copied once.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ndarray::{ArrayD, CowArray, IxDyn};
use ort::{
    session::{RunOptions, Session, SessionInputValue},
    value::{DynValue, TensorRef},
};
use thiserror::Error;

use super::{
    graph_builder::Dim,
    library::Runtime,
    manifest::{Manifest, TensorSpec},
    model_folder::{CheckedModel, load_model},
    onnx_file::ElementType,
    provider::{Assignment, ProviderError, SessionSettings, open_session},
    tensor::{NamedTensors, Tensor},
    watchdog,
};
use crate::base::Problem;

/// A run may take this long where the manifest does not say otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// Why a model cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The folder did not pass the door.
    #[error("{}", first_of(.0))]
    Refused(Vec<Problem>),
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

fn first_of(problems: &[Problem]) -> String {
    let first = problems.first().map(Problem::to_string).unwrap_or_default();
    match problems.len() {
        0 | 1 => first,
        more => format!("{first} (and {} more; `umwelt check` lists them)", more - 1),
    }
}

/// Why a run gave nothing that can be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RunError {
    #[error("input {name:?} is {found}, the model wants {wanted}")]
    WrongInput { name: String, found: String, wanted: String },
    #[error("output {name:?} is {found}, the manifest promises {promised}")]
    WrongOutput { name: String, found: String, promised: String },
    #[error("output {0:?} holds NaN or infinite numbers")]
    NotFinite(String),
    #[error("stopped after {} ms, its deadline", .0.as_millis())]
    Deadline(Duration),
    #[error("ONNX Runtime failed: {0}")]
    Runtime(String),
    #[error("the encoder or decoder panicked: {0}")]
    Panicked(String),
    #[error("the model is not ready: {0}")]
    NotReady(String),
    #[error("the model was closed before it ran")]
    Closed,
}

/// A loaded model.
pub struct ModelSession {
    manifest: Arc<Manifest>,
    session: Session,
    assignment: Assignment,
    options: Arc<RunOptions>,
    deadline: Duration,
}

/// Ends the run in progress of one session.
#[derive(Clone)]
pub struct Stopper(Arc<RunOptions>);

impl Stopper {
    /// Asks the run to end; it returns with an error at its next operator, and so does every later run.
    pub fn stop(&self) {
        if let Err(error) = self.0.terminate() {
            bevy::log::error!("a run could not be stopped: {error}");
        }
    }
}

impl ModelSession {
    /// Reads, checks and loads a model folder.
    ///
    /// # Errors
    /// - the folder does not pass the door ([`load_model`])
    /// - ONNX Runtime refuses it, or the provider that was asked for is not there
    pub fn open(runtime: &Runtime, folder: &Path, settings: &SessionSettings) -> Result<Self, OpenError> {
        Self::new(runtime, load_model(folder).map_err(OpenError::Refused)?, settings)
    }

    /// Loads a model that passed the door.
    ///
    /// # Errors
    /// - ONNX Runtime refuses it, or the provider that was asked for is not there
    pub fn new(runtime: &Runtime, model: CheckedModel, settings: &SessionSettings) -> Result<Self, OpenError> {
        let (session, assignment) = open_session(runtime, &model.bytes, settings)?;
        let options = RunOptions::new().map_err(|error| ProviderError::BadModel(error.to_string()))?;
        let deadline = model.manifest.deadline_ms.map_or(DEFAULT_DEADLINE, Duration::from_millis);
        Ok(Self { manifest: Arc::new(model.manifest), session, assignment, options: Arc::new(options), deadline })
    }

    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// Which provider got the model's nodes.
    pub fn assignment(&self) -> &Assignment {
        &self.assignment
    }

    /// What ends a run in progress, from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.options))
    }

    /// How long ONNX Runtime alone takes for one run: no checks, no deadline, outputs not copied. For measuring what
    /// [`ModelSession::run`] adds.
    ///
    /// # Errors
    /// - ONNX Runtime refuses the inputs or fails
    pub fn time_bare_run(&mut self, inputs: &NamedTensors) -> Result<Duration, RunError> {
        let arrays: Vec<(&str, Contiguous<'_>)> =
            inputs.iter().map(|(name, tensor)| (name, Contiguous::of(tensor))).collect();
        let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(arrays.len());
        for (name, array) in &arrays {
            values.push((name, array.value().map_err(runtime_error)?));
        }
        let started = Instant::now();
        let outputs = self.session.run(values).map_err(runtime_error)?;
        let took = started.elapsed();
        drop(outputs);
        Ok(took)
    }

    /// Runs the model once.
    ///
    /// # Errors
    /// - an input is missing, superfluous, or of the wrong type or shape
    /// - the run failed or exceeded its deadline
    /// - an output differs from the manifest, or holds NaN or infinite numbers
    pub fn run(&mut self, inputs: &NamedTensors) -> Result<NamedTensors, RunError> {
        let mut extents = check_inputs(&self.manifest.inputs, inputs)?;
        // Arrays whose axes were permuted are put in order; others are lent as they are.
        let contiguous: Vec<(&str, Contiguous<'_>)> =
            inputs.iter().map(|(name, tensor)| (name, Contiguous::of(tensor))).collect();
        let mut values: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = Vec::with_capacity(contiguous.len());
        for (name, array) in &contiguous {
            values.push((Cow::Borrowed(name), array.value().map_err(runtime_error)?));
        }

        let watched = watchdog::watch(Arc::clone(&self.options), self.deadline);
        let started = Instant::now();
        let result = self.session.run_with_options(values, &self.options);
        // Nobody touches the options after the watch, so that they can be made good again for the next run.
        let stopped = watched.end();
        if stopped {
            self.options.unterminate().map_err(runtime_error)?;
        }
        let outputs = match result {
            Ok(outputs) => outputs,
            Err(_) if stopped => return Err(RunError::Deadline(started.elapsed())),
            Err(error) => return Err(runtime_error(error)),
        };

        let mut named = NamedTensors::new();
        for spec in &self.manifest.outputs {
            let tensor = outputs.get(&spec.name).map(|value| owned(value, spec.element)).unwrap_or(Ok(None));
            let tensor = tensor.map_err(runtime_error)?;
            let found = tensor.as_ref().map_or_else(|| "something else".to_owned(), describe);
            let Some(tensor) = tensor.filter(|tensor| agrees(spec, tensor, &mut extents)) else {
                return Err(RunError::WrongOutput { name: spec.name.clone(), found, promised: spec.to_string() });
            };
            if !tensor.is_finite() {
                return Err(RunError::NotFinite(spec.name.clone()));
            }
            named.insert(spec.name.clone(), tensor);
        }
        Ok(named)
    }
}

fn runtime_error(error: ort::Error) -> RunError {
    RunError::Runtime(error.to_string())
}

/// Compares what is submitted with what the model takes; returns what its named extents stand for in this run.
fn check_inputs<'a>(specs: &'a [TensorSpec], inputs: &NamedTensors) -> Result<BTreeMap<&'a str, usize>, RunError> {
    let mut extents = BTreeMap::new();
    let wrong =
        |name: &str, found: String, wanted: String| Err(RunError::WrongInput { name: name.into(), found, wanted });
    for spec in specs {
        match inputs.get(&spec.name) {
            None => return wrong(&spec.name, "missing".into(), spec.to_string()),
            Some(tensor) if !agrees(spec, tensor, &mut extents) => {
                return wrong(&spec.name, describe(tensor), spec.to_string());
            }
            Some(_) => {}
        }
    }
    match inputs.iter().find(|(name, _)| !specs.iter().any(|spec| spec.name == *name)) {
        Some((name, tensor)) => wrong(name, describe(tensor), "no such input".into()),
        None => Ok(extents),
    }
}

/// Whether a tensor is what a specification says; names that have no extent yet get the tensor's.
fn agrees<'a>(spec: &'a TensorSpec, tensor: &Tensor, extents: &mut BTreeMap<&'a str, usize>) -> bool {
    tensor.element() == spec.element
        && tensor.shape().len() == spec.shape.len()
        && tensor.shape().iter().zip(&spec.shape).all(|(found, promised)| match promised {
            Dim::Fixed(extent) => found == extent,
            Dim::Named(name) => extents.entry(name).or_insert(*found) == found,
        })
}

fn describe(tensor: &Tensor) -> String {
    format!("{}{:?}", tensor.element(), tensor.shape())
}

/// A tensor in row-major order, borrowed if it was so.
enum Contiguous<'a> {
    F32(CowArray<'a, f32, IxDyn>),
    U8(CowArray<'a, u8, IxDyn>),
    I64(CowArray<'a, i64, IxDyn>),
}

impl<'a> Contiguous<'a> {
    fn of(tensor: &'a Tensor) -> Self {
        match tensor {
            Tensor::F32(array) => Contiguous::F32(array.as_standard_layout()),
            Tensor::U8(array) => Contiguous::U8(array.as_standard_layout()),
            Tensor::I64(array) => Contiguous::I64(array.as_standard_layout()),
        }
    }

    fn value(&self) -> ort::Result<SessionInputValue<'_>> {
        Ok(match self {
            Contiguous::F32(array) => TensorRef::from_array_view(array.view())?.into(),
            Contiguous::U8(array) => TensorRef::from_array_view(array.view())?.into(),
            Contiguous::I64(array) => TensorRef::from_array_view(array.view())?.into(),
        })
    }
}

/// A copy of an output; `None` if it does not hold what is wanted.
fn owned(value: &DynValue, wanted: ElementType) -> ort::Result<Option<Tensor>> {
    fn copy<T: Clone>(view: ndarray::ArrayViewD<'_, T>) -> ArrayD<T> {
        view.to_owned()
    }
    let found = value.dtype().tensor_type();
    use ort::value::TensorElementType;
    Ok(match (found, wanted) {
        (Some(TensorElementType::Float32), ElementType::F32) => Some(Tensor::F32(copy(value.try_extract_array()?))),
        (Some(TensorElementType::Uint8), ElementType::U8) => Some(Tensor::U8(copy(value.try_extract_array()?))),
        (Some(TensorElementType::Int64), ElementType::I64) => Some(Tensor::I64(copy(value.try_extract_array()?))),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array;

    use super::*;

    fn spec(name: &str, shape: impl IntoIterator<Item = Dim>) -> TensorSpec {
        TensorSpec { name: name.into(), element: ElementType::F32, shape: shape.into_iter().collect() }
    }

    #[test]
    fn named_extents_must_agree_among_inputs() {
        let specs = [spec("a", ["n".into()]), spec("b", [2.into(), "n".into()])];
        let inputs =
            |n| NamedTensors::new().with("a", Array::<f32, _>::zeros(3)).with("b", Array::<f32, _>::zeros((2, n)));
        assert_eq!(check_inputs(&specs, &inputs(3)), Ok(BTreeMap::from([("n", 3)])));
        let error = check_inputs(&specs, &inputs(4)).expect_err("n is 3 and 4");
        assert_eq!(error.to_string(), "input \"b\" is f32[2, 4], the model wants \"b\" f32[2, n]");
    }

    #[test]
    fn missing_superfluous_and_mistyped_inputs_are_refused() {
        let specs = [spec("a", [2.into()])];
        let check = |inputs: &NamedTensors| check_inputs(&specs, inputs).map(|_| ()).expect_err("refused").to_string();
        assert!(check(&NamedTensors::new()).contains("missing"));
        assert!(check(&NamedTensors::new().with("a", Array::<i64, _>::zeros(2))).contains("i64[2]"));
        let two = NamedTensors::new().with("a", Array::<f32, _>::zeros(2)).with("z", Array::<f32, _>::zeros(2));
        assert!(check(&two).contains("no such input"));
    }
}
