//! Execution providers: which hardware runs a model, asked for by name or found, and proved.
//!
//! In: what the user asked for; out: an `ort` session and the provider that its nodes really went to. A provider that
//! registers while the CPU does the work is a known trap (<https://github.com/pykeio/ort/issues/567>), so the answer comes
//! from ONNX Runtime's own record of the assignment, and asking by name and not getting it is an error.

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString, c_char},
    fmt,
    path::PathBuf,
    ptr,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use ort::{
    AsPointer as _,
    memory::DeviceType,
    session::{
        Session,
        builder::{AutoDevicePolicy, GraphOptimizationLevel, SessionBuilder},
    },
};
use serde::Serialize;
use thiserror::Error;

use super::library::{Runtime, inspect_plugin};
use crate::base::did_you_mean;

/// A kind of hardware, by the library that drives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    Cpu,
    Cuda,
    TensorRt,
    DirectMl,
    CoreMl,
    /// Any GPU through Vulkan, Metal or DirectX 12; a plugin library.
    WebGpu,
    OpenVino,
    MiGraphX,
    Qnn,
    Xnnpack,
}

impl Provider {
    pub const ALL: [Provider; 10] = [
        Provider::Cpu,
        Provider::Cuda,
        Provider::TensorRt,
        Provider::DirectMl,
        Provider::CoreMl,
        Provider::WebGpu,
        Provider::OpenVino,
        Provider::MiGraphX,
        Provider::Qnn,
        Provider::Xnnpack,
    ];

    /// What it is called on the command line, on screen and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
            Provider::DirectMl => "directml",
            Provider::CoreMl => "coreml",
            Provider::WebGpu => "webgpu",
            Provider::OpenVino => "openvino",
            Provider::MiGraphX => "migraphx",
            Provider::Qnn => "qnn",
            Provider::Xnnpack => "xnnpack",
        }
    }

    /// What ONNX Runtime calls it (`include/onnxruntime/core/graph/constants.h`).
    const fn runtime_name(self) -> &'static str {
        match self {
            Provider::Cpu => "CPUExecutionProvider",
            Provider::Cuda => "CUDAExecutionProvider",
            Provider::TensorRt => "TensorrtExecutionProvider",
            Provider::DirectMl => "DmlExecutionProvider",
            Provider::CoreMl => "CoreMLExecutionProvider",
            Provider::WebGpu => "WebGpuExecutionProvider",
            Provider::OpenVino => "OpenVINOExecutionProvider",
            Provider::MiGraphX => "MIGraphXExecutionProvider",
            Provider::Qnn => "QNNExecutionProvider",
            Provider::Xnnpack => "XnnpackExecutionProvider",
        }
    }

    fn from_runtime_name(name: &str) -> Option<Self> {
        Provider::ALL.into_iter().find(|provider| provider.runtime_name() == name)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `--provider`: what the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProviderChoice {
    /// The platform's GPU providers, then the CPU.
    #[default]
    Auto,
    /// This one or none.
    Named(Provider),
}

impl ProviderChoice {
    /// What is tried, in order.
    fn candidates(self) -> Vec<Provider> {
        match self {
            ProviderChoice::Named(provider) => vec![provider],
            ProviderChoice::Auto if cfg!(windows) => {
                vec![Provider::Cuda, Provider::DirectMl, Provider::WebGpu, Provider::Cpu]
            }
            ProviderChoice::Auto if cfg!(target_os = "macos") => {
                vec![Provider::CoreMl, Provider::WebGpu, Provider::Cpu]
            }
            ProviderChoice::Auto => vec![Provider::Cuda, Provider::MiGraphX, Provider::WebGpu, Provider::Cpu],
        }
    }
}

impl FromStr for ProviderChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if word == "auto" {
            return Ok(ProviderChoice::Auto);
        }
        let names = || Provider::ALL.into_iter().map(Provider::name);
        Provider::ALL.into_iter().find(|known| known.name() == word).map(ProviderChoice::Named).ok_or_else(|| {
            let hint = did_you_mean(word, names().chain(["auto"])).map(|near| format!("; did you mean {near:?}?"));
            let known: Vec<&str> = names().collect();
            format!("unknown provider {word:?}{}; known are auto, {}", hint.unwrap_or_default(), known.join(", "))
        })
    }
}

impl fmt::Display for ProviderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProviderChoice::Auto => f.write_str("auto"),
            ProviderChoice::Named(provider) => provider.fmt(f),
        }
    }
}

/// Which provider got how many of a model's nodes, after optimisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// Nodes by provider, by our names where we have one.
    pub nodes: BTreeMap<String, usize>,
}

impl Assignment {
    /// The provider with most nodes; the CPU where a graph has none left after optimisation.
    pub fn provider(&self) -> &str {
        let most = self.nodes.iter().max_by_key(|(_, count)| **count);
        most.map_or(Provider::Cpu.name(), |(name, _)| name.as_str())
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.provider())?;
        let others: Vec<String> = self
            .nodes
            .iter()
            .filter(|(name, _)| name.as_str() != self.provider())
            .map(|(name, count)| format!("{count} nodes on {name}"))
            .collect();
        if others.is_empty() { Ok(()) } else { write!(f, " ({})", others.join(", ")) }
    }
}

/// How sessions are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    pub provider: ProviderChoice,
    /// Threads that share one operator. They never spin: a waiting thread must not take time from the frame.
    pub intra_threads: usize,
    /// The WebGPU plugin library, if there is one.
    pub webgpu_plugin: Option<PathBuf>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { provider: ProviderChoice::Auto, intra_threads: 1, webgpu_plugin: None }
    }
}

/// Why no session could be made.
#[derive(Debug, Error)]
pub enum ProviderError {
    #[error("provider {asked} is not available: {reason}; use --provider auto or cpu")]
    NotAvailable { asked: Provider, reason: String },
    #[error("provider {asked} was asked for, but the model runs on {got}; use --provider auto or cpu")]
    NotUsed { asked: Provider, got: String },
    #[error("ONNX Runtime refuses the model: {0}")]
    BadModel(String),
}

/// Makes a session of `model` (the bytes of an ONNX file) on the first provider that takes it.
///
/// # Errors
/// - a provider was named, and it is not available or did not get most of the nodes
/// - ONNX Runtime refuses the model on the CPU too
pub fn open_session(
    runtime: &Runtime,
    model: &[u8],
    settings: &SessionSettings,
) -> Result<(Session, Assignment), ProviderError> {
    let mut last = None;
    for provider in settings.provider.candidates() {
        match open_on(runtime, model, settings, provider) {
            Ok(opened) => return Ok(opened),
            Err(error) => {
                bevy::log::debug!("{error}");
                last = Some(error);
            }
        }
    }
    Err(last.unwrap_or_else(|| ProviderError::BadModel("no provider is left".to_owned())))
}

fn open_on(
    runtime: &Runtime,
    model: &[u8],
    settings: &SessionSettings,
    provider: Provider,
) -> Result<(Session, Assignment), ProviderError> {
    let not_available = |reason: String| ProviderError::NotAvailable { asked: provider, reason };
    let builder = session_options(runtime, settings.intra_threads).map_err(|error| not_available(error.to_string()))?;
    let mut builder = append_provider(builder, runtime, settings, provider).map_err(not_available)?;
    let session = builder.commit_from_memory(model).map_err(|error| match provider {
        Provider::Cpu => ProviderError::BadModel(error.to_string()),
        _ => not_available(error.to_string()),
    })?;
    let assignment = assignment(&session).map_err(|error| not_available(error.to_string()))?;
    if assignment.provider() == provider.name() {
        Ok((session, assignment))
    } else {
        Err(ProviderError::NotUsed { asked: provider, got: assignment.to_string() })
    }
}

fn session_options(runtime: &Runtime, intra_threads: usize) -> ort::Result<SessionBuilder> {
    Ok(Session::builder(&runtime.environment)?
        // The binding's default is to look for an NPU; what we want is appended by name.
        .with_auto_device(AutoDevicePolicy::PreferCPU)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(intra_threads.max(1))?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_config_entry("session.record_ep_graph_assignment_info", "1")?)
}

fn append_provider(
    mut builder: SessionBuilder,
    runtime: &Runtime,
    settings: &SessionSettings,
    provider: Provider,
) -> Result<SessionBuilder, String> {
    match provider {
        Provider::Cpu => Ok(builder),
        Provider::WebGpu => append_webgpu(builder, runtime, settings),
        Provider::Cuda => append_cuda(&mut builder).map(|()| builder).map_err(|error| error.to_string()),
        Provider::TensorRt => append_tensorrt(&mut builder).map(|()| builder).map_err(|error| error.to_string()),
        other => append_by_name(&mut builder, other).map(|()| builder).map_err(|error| error.to_string()),
    }
}

/// Registers the plugin with the environment (once) and takes its first device. A device that is the processor in disguise
/// (software Vulkan) is taken only if WebGPU was asked for by name: it is right, but a hundred times slower than the CPU.
fn append_webgpu(
    builder: SessionBuilder,
    runtime: &Runtime,
    settings: &SessionSettings,
) -> Result<SessionBuilder, String> {
    /// Plugins known to the environment; registering one twice is an error.
    static REGISTERED: Mutex<bool> = Mutex::new(false);
    let plugin =
        settings.webgpu_plugin.as_deref().ok_or("its plugin library is not there (PyPI `onnxruntime-ep-webgpu`)")?;
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*registered {
        inspect_plugin(plugin).map_err(|error| error.to_string())?;
        runtime.environment.register_ep_library("webgpu", plugin).map_err(|error| error.to_string())?;
        *registered = true;
    }
    drop(registered);
    let wanted = Provider::WebGpu.runtime_name();
    let mut devices = runtime.environment.devices().filter(|device| device.ep().is_ok_and(|name| name == wanted));
    let device = match settings.provider {
        ProviderChoice::Auto => devices.find(|device| device.hardware_device().ty() == DeviceType::GPU),
        ProviderChoice::Named(_) => devices.next(),
    };
    let device = device.ok_or("it found no graphics device")?;
    builder.with_devices([device], None).map_err(|error| error.to_string())
}

/// Providers that are built into the library are appended by name.
fn append_by_name(builder: &mut SessionBuilder, provider: Provider) -> ort::Result<()> {
    let name = CString::new(provider.runtime_name())?;
    // SAFETY: the options outlive the call, the name is a C string, and no keys and values are passed.
    unsafe {
        let append = ort::api().SessionOptionsAppendExecutionProvider;
        ort::Error::result_from_status(append(builder.ptr_mut(), name.as_ptr(), ptr::null(), ptr::null(), 0))
    }
}

fn append_cuda(builder: &mut SessionBuilder) -> ort::Result<()> {
    let api = ort::api();
    let mut options = ptr::null_mut();
    // SAFETY: the options are made, used and released here; ONNX Runtime copies what it needs of them.
    unsafe {
        ort::Error::result_from_status((api.CreateCUDAProviderOptions)(&mut options))?;
        let status = (api.SessionOptionsAppendExecutionProvider_CUDA_V2)(builder.ptr_mut(), options);
        (api.ReleaseCUDAProviderOptions)(options);
        ort::Error::result_from_status(status)
    }
}

fn append_tensorrt(builder: &mut SessionBuilder) -> ort::Result<()> {
    let api = ort::api();
    let mut options = ptr::null_mut();
    // SAFETY: as in `append_cuda`.
    unsafe {
        ort::Error::result_from_status((api.CreateTensorRTProviderOptions)(&mut options))?;
        let status = (api.SessionOptionsAppendExecutionProvider_TensorRT_V2)(builder.ptr_mut(), options);
        (api.ReleaseTensorRTProviderOptions)(options);
        ort::Error::result_from_status(status)
    }
}

/// Reads from ONNX Runtime where the nodes of `session` went.
///
/// Source: `Session_GetEpGraphAssignmentInfo`, `onnxruntime_c_api.h`, since 1.24; the session must have been made with
/// `session.record_ep_graph_assignment_info`.
fn assignment(session: &Session) -> ort::Result<Assignment> {
    let api = ort::api();
    let mut nodes = BTreeMap::new();
    let mut subgraphs = ptr::null();
    let mut subgraph_count = 0;
    // SAFETY: all pointers that come back belong to the session, which outlives this function; the counts are theirs.
    unsafe {
        ort::Error::result_from_status((api.Session_GetEpGraphAssignmentInfo)(
            session.ptr(),
            &mut subgraphs,
            &mut subgraph_count,
        ))?;
        for index in 0..subgraph_count {
            let subgraph = *subgraphs.add(index);
            let mut name: *const c_char = ptr::null();
            ort::Error::result_from_status((api.EpAssignedSubgraph_GetEpName)(subgraph, &mut name))?;
            let name = CStr::from_ptr(name).to_string_lossy();
            let mut members = ptr::null();
            let mut count = 0;
            ort::Error::result_from_status((api.EpAssignedSubgraph_GetNodes)(subgraph, &mut members, &mut count))?;
            let name = Provider::from_runtime_name(&name).map_or_else(|| name.to_string(), |known| known.to_string());
            *nodes.entry(name).or_insert(0) += count;
        }
    }
    Ok(Assignment { nodes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_near_ones_are_suggested() {
        assert_eq!("auto".parse(), Ok(ProviderChoice::Auto));
        for provider in Provider::ALL {
            assert_eq!(provider.name().parse(), Ok(ProviderChoice::Named(provider)));
        }
        let error = "tensorr".parse::<ProviderChoice>().expect_err("unknown");
        assert!(error.contains("did you mean \"tensorrt\"?"), "{error}");
    }

    #[test]
    fn automatic_choice_ends_with_the_cpu() {
        assert_eq!(ProviderChoice::Auto.candidates().last(), Some(&Provider::Cpu));
    }

    #[test]
    fn the_provider_with_most_nodes_is_named_and_the_rest_told() {
        let nodes = BTreeMap::from([("cuda".to_owned(), 20), ("cpu".to_owned(), 3)]);
        assert_eq!(Assignment { nodes }.to_string(), "cuda (3 nodes on cpu)");
        assert_eq!(Assignment::default().provider(), "cpu");
    }
}
