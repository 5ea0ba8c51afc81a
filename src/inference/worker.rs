//! A thread of its own for each model: requests go in, answers come out, nobody waits.
//!
//! In: requests, each an encoder and a decoder that are stamped with a tick; out: answers with the same tick. Both
//! closures run on the worker's thread, the encoder only if its request is not overtaken. Two paces on one path:
//!
//! - *live*: [`Worker::submit`] puts a request in a mailbox for one, where a newer request takes an older one's place;
//!   [`Worker::poll`] takes the newest answer. What was overtaken is counted.
//! - *lockstep*: [`Worker::run_blocking`] waits for its answer; such requests are run in order and never overtaken.
//!
//! The interface is submit and poll, never a callback, so that a browser's promises fit behind it.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Instant,
};

use serde::Serialize;

use super::{
    library::Runtime,
    manifest::Manifest,
    provider::SessionSettings,
    session::{ModelSession, OpenError, RunError, Stopper},
    tensor::NamedTensors,
};
use crate::{
    base::{Problem, Status, Tick},
    signal::percentiles,
};

/// How many runs the latency figures look back on.
const WINDOW: usize = 256;

/// What came of one request.
#[derive(Debug)]
pub struct Answer<T> {
    /// The tick of the request.
    pub tick: Tick,
    /// What the decoder made of the outputs, or why there are none.
    pub result: Result<T, RunError>,
    /// How long the request lay in the mailbox, in milliseconds.
    pub waited_ms: f64,
    /// How long encoding, running and decoding took together, in milliseconds.
    pub took_ms: f64,
}

/// A model's state and figures, for the screen, `doctor` and reports.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ModelStatus {
    pub name: String,
    pub status: Status,
    /// The provider that got most of the model's nodes.
    pub provider: Option<String>,
    /// Finished runs, failed ones included.
    pub runs: u64,
    /// Requests that a newer one overtook before they were run.
    pub drops: u64,
    /// Runs that failed, were stopped at their deadline, or gave numbers that are not finite.
    pub faults: u64,
    pub last_fault: Option<String>,
    /// Encode, run and decode, over the last 256 runs, in milliseconds.
    pub took_ms: Percentiles,
    /// Time in the mailbox, over the same runs, in milliseconds.
    pub waited_ms: Percentiles,
    /// What is wrong with the folder, also while an older version of it is still in use.
    pub problems: Vec<Problem>,
}

/// Median and 95th percentile; 0 where there is no value yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
}

impl Percentiles {
    fn of(values: &VecDeque<f64>) -> Self {
        let values: Vec<f64> = values.iter().copied().collect();
        let [p50, p95] = percentiles(&values, [0.5, 0.95]);
        Self { p50, p95 }
    }
}

type Erased = Box<dyn Any + Send>;

struct Request {
    tick: Tick,
    submitted: Instant,
    encode: Box<dyn FnOnce(&Manifest) -> NamedTensors + Send>,
    decode: Box<dyn FnOnce(&NamedTensors, &Manifest) -> Erased + Send>,
    /// Where a waiting caller gets the answer; `None`: into the slot.
    reply: Option<mpsc::SyncSender<Answer<Erased>>>,
}

#[derive(Default)]
struct Mailbox {
    /// Whose callers wait; they are run in order, and none is overtaken.
    waited_for: VecDeque<Request>,
    /// The newest live request.
    newest: Option<Request>,
    answer: Option<Answer<Erased>>,
    /// From taking a request out until its answer is in.
    busy: bool,
    reload: bool,
    closed: bool,
}

#[derive(Default)]
struct Figures {
    status: ModelStatus,
    manifest: Option<Arc<Manifest>>,
    took_ms: VecDeque<f64>,
    waited_ms: VecDeque<f64>,
}

struct Shared {
    mailbox: Mutex<Mailbox>,
    posted: Condvar,
    figures: Mutex<Figures>,
    /// For ending the run in progress when the worker is dropped.
    stopper: Mutex<Option<Stopper>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One model on its own thread. Dropping it stops the run in progress and ends the thread.
pub struct Worker {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that loads the model in `folder` and then serves requests. Loading takes a while: see
    /// [`Worker::status`], or [`Worker::wait_until_loaded`].
    pub fn start(runtime: &'static Runtime, folder: PathBuf, settings: SessionSettings) -> Self {
        let mut worker = Self::idle(&folder, Status::Loading);
        let shared = Arc::clone(&worker.shared);
        let started = thread::Builder::new()
            .name(format!("model {}", folder_name(&folder)))
            .spawn(move || Serving { runtime, folder, settings, shared, session: None }.serve());
        match started {
            Ok(thread) => worker.thread = Some(thread),
            Err(error) => {
                lock(&worker.shared.figures).status.status = Status::Unavailable(format!("no thread for it: {error}"));
            }
        }
        worker
    }

    /// A model that cannot be served, for `reason`.
    pub fn unavailable(folder: &Path, reason: String) -> Self {
        Self::idle(folder, Status::Unavailable(reason))
    }

    fn idle(folder: &Path, status: Status) -> Self {
        let status = ModelStatus { name: folder_name(folder), status, ..Default::default() };
        let figures = Mutex::new(Figures { status, ..Default::default() });
        let (mailbox, posted, stopper) = (Mutex::default(), Condvar::new(), Mutex::default());
        Self { shared: Arc::new(Shared { mailbox, posted, figures, stopper }), thread: None }
    }

    /// State and figures as of now.
    pub fn status(&self) -> ModelStatus {
        let figures = lock(&self.shared.figures);
        let mut status = figures.status.clone();
        status.took_ms = Percentiles::of(&figures.took_ms);
        status.waited_ms = Percentiles::of(&figures.waited_ms);
        status
    }

    /// Whether requests will be run.
    pub fn is_ready(&self) -> bool {
        lock(&self.shared.figures).status.status.is_ready()
    }

    /// The manifest of the model in use.
    pub fn manifest(&self) -> Option<Arc<Manifest>> {
        lock(&self.shared.figures).manifest.clone()
    }

    /// Whether a request is waiting or running: a caller that would only be overtaken can save itself the work.
    pub fn is_busy(&self) -> bool {
        let mailbox = lock(&self.shared.mailbox);
        mailbox.busy || mailbox.newest.is_some() || !mailbox.waited_for.is_empty()
    }

    /// Hands a request in and returns at once. A request that is still waiting is overtaken: it is dropped and counted.
    /// Nothing happens while the model is not ready.
    pub fn submit<T: Send + 'static>(
        &self,
        tick: Tick,
        encode: impl FnOnce(&Manifest) -> NamedTensors + Send + 'static,
        decode: impl FnOnce(&NamedTensors, &Manifest) -> T + Send + 'static,
    ) {
        if !self.is_ready() {
            return;
        }
        let overtaken = lock(&self.shared.mailbox).newest.replace(request(tick, encode, decode, None)).is_some();
        self.shared.posted.notify_one();
        if overtaken {
            lock(&self.shared.figures).status.drops += 1;
        }
    }

    /// The newest answer that was not fetched yet.
    ///
    /// # Panics
    /// If `T` is not the type that the request's decoder returned.
    pub fn poll<T: 'static>(&self) -> Option<Answer<T>> {
        lock(&self.shared.mailbox).answer.take().map(typed)
    }

    /// Runs one request and waits for its answer, behind the run in progress if there is one.
    ///
    /// # Errors
    /// - the model is not ready, or was closed meanwhile
    pub fn run_blocking<T: Send + 'static>(
        &self,
        tick: Tick,
        encode: impl FnOnce(&Manifest) -> NamedTensors + Send + 'static,
        decode: impl FnOnce(&NamedTensors, &Manifest) -> T + Send + 'static,
    ) -> Result<Answer<T>, RunError> {
        if !self.is_ready() {
            return Err(RunError::NotReady(self.reason()));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        lock(&self.shared.mailbox).waited_for.push_back(request(tick, encode, decode, Some(sender)));
        self.shared.posted.notify_one();
        receiver.recv().map(typed).map_err(|_| RunError::Closed)
    }

    /// Asks the thread to load the folder again. The old model serves until the new one is good, and on if it is not.
    pub fn reload(&self) {
        lock(&self.shared.mailbox).reload = true;
        self.shared.posted.notify_one();
    }

    /// Waits until the model is ready or is known to be unavailable.
    ///
    /// # Errors
    /// - the model is unavailable, for the reason given
    pub fn wait_until_loaded(&self) -> Result<(), RunError> {
        loop {
            match lock(&self.shared.figures).status.status.clone() {
                Status::Ready => return Ok(()),
                Status::Unavailable(reason) => return Err(RunError::NotReady(reason)),
                Status::Loading => {}
            }
            thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn reason(&self) -> String {
        match &lock(&self.shared.figures).status.status {
            Status::Unavailable(reason) => reason.clone(),
            _ => "it is being loaded".to_owned(),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        lock(&self.shared.mailbox).closed = true;
        self.shared.posted.notify_one();
        if let Some(stopper) = lock(&self.shared.stopper).as_ref() {
            stopper.stop();
        }
        if let Some(thread) = self.thread.take() {
            // Not left behind: a thread inside ONNX Runtime would meet the process's static destructors.
            if thread.join().is_err() {
                bevy::log::error!("the thread of a model panicked");
            }
        }
    }
}

fn request<T: Send + 'static>(
    tick: Tick,
    encode: impl FnOnce(&Manifest) -> NamedTensors + Send + 'static,
    decode: impl FnOnce(&NamedTensors, &Manifest) -> T + Send + 'static,
    reply: Option<mpsc::SyncSender<Answer<Erased>>>,
) -> Request {
    let decode = move |outputs: &NamedTensors, manifest: &Manifest| Box::new(decode(outputs, manifest)) as Erased;
    Request { tick, submitted: Instant::now(), encode: Box::new(encode), decode: Box::new(decode), reply }
}

fn typed<T: 'static>(answer: Answer<Erased>) -> Answer<T> {
    let result = answer.result.map(|erased| *erased.downcast::<T>().expect("an answer of the type that was asked for"));
    Answer { tick: answer.tick, result, waited_ms: answer.waited_ms, took_ms: answer.took_ms }
}

fn folder_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The thread's side.
struct Serving {
    runtime: &'static Runtime,
    folder: PathBuf,
    settings: SessionSettings,
    shared: Arc<Shared>,
    session: Option<ModelSession>,
}

enum Task {
    Load,
    Run(Box<Request>),
    End,
}

impl Serving {
    fn serve(mut self) {
        lower_priority();
        self.load();
        loop {
            match self.next_task() {
                Task::Load => self.load(),
                Task::Run(request) => self.run(*request),
                Task::End => break,
            }
        }
    }

    fn next_task(&self) -> Task {
        let mut mailbox = lock(&self.shared.mailbox);
        loop {
            if mailbox.closed {
                return Task::End;
            }
            if std::mem::take(&mut mailbox.reload) {
                return Task::Load;
            }
            let waited_for = mailbox.waited_for.pop_front();
            if let Some(request) = waited_for.or_else(|| mailbox.newest.take()) {
                mailbox.busy = true;
                return Task::Run(Box::new(request));
            }
            mailbox = self.shared.posted.wait(mailbox).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Loads the folder; a good model takes the old one's place, a bad one is reported.
    fn load(&mut self) {
        let opened = ModelSession::open(self.runtime, &self.folder, &self.settings);
        let mut figures = lock(&self.shared.figures);
        match opened {
            Ok(session) => {
                bevy::log::info!("model {} runs on {}", figures.status.name, session.assignment());
                figures.status.status = Status::Ready;
                figures.status.provider = Some(session.assignment().provider().to_owned());
                figures.status.problems.clear();
                figures.manifest = Some(Arc::clone(session.manifest()));
                *lock(&self.shared.stopper) = Some(session.stopper());
                self.session = Some(session);
            }
            Err(error) => {
                bevy::log::warn!("model {}: {error}", figures.status.name);
                if self.session.is_none() {
                    figures.status.status = Status::Unavailable(error.to_string());
                }
                figures.status.problems = match error {
                    OpenError::Refused(problems) => problems,
                    OpenError::Provider(error) => {
                        vec![Problem::of_file(&self.folder, &error.to_string(), "see `umwelt doctor`")]
                    }
                };
            }
        }
    }

    fn run(&mut self, request: Request) {
        let waited_ms = milliseconds_since(request.submitted);
        let started = Instant::now();
        let Request { tick, encode, decode, reply, .. } = request;
        let result = match &mut self.session {
            None => Err(RunError::NotReady("no model is loaded".to_owned())),
            Some(session) => run_guarded(session, encode, decode),
        };
        let answer = Answer { tick, result, waited_ms, took_ms: milliseconds_since(started) };
        self.count(&answer);
        let mut mailbox = lock(&self.shared.mailbox);
        mailbox.busy = false;
        match reply {
            Some(reply) => {
                drop(mailbox);
                // The caller waits for as long as this function has the sender.
                let _ = reply.send(answer);
            }
            None => mailbox.answer = Some(answer),
        }
    }

    fn count(&self, answer: &Answer<Erased>) {
        let mut figures = lock(&self.shared.figures);
        figures.status.runs += 1;
        remember(&mut figures.took_ms, answer.took_ms);
        remember(&mut figures.waited_ms, answer.waited_ms);
        if let Err(error) = &answer.result {
            figures.status.faults += 1;
            figures.status.last_fault = Some(error.to_string());
        }
    }
}

/// Appends to a window of the last [`WINDOW`] values.
fn remember(values: &mut VecDeque<f64>, value: f64) {
    if values.len() == WINDOW {
        values.pop_front();
    }
    values.push_back(value);
}

/// A panic in an encoder or decoder is a fault of that run, and not the end of the thread.
fn run_guarded(
    session: &mut ModelSession,
    encode: impl FnOnce(&Manifest) -> NamedTensors,
    decode: impl FnOnce(&NamedTensors, &Manifest) -> Erased,
) -> Result<Erased, RunError> {
    let manifest = Arc::clone(session.manifest());
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        let outputs = session.run(&encode(&manifest))?;
        Ok(decode(&outputs, &manifest))
    }));
    guarded.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(RunError::Panicked(text.to_owned()))
    })
}

fn milliseconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// The frame comes first: this thread, and those that ONNX Runtime starts from it, get what the others leave.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: plain system calls without pointers. On Linux, 0 names the calling thread alone.
        let failed = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) } != 0;
        if failed {
            bevy::log::debug!("the priority of a model's thread could not be lowered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unavailable_model_says_why_and_runs_nothing() {
        let worker = Worker::unavailable(Path::new("models/ear"), "no library".into());
        worker.submit(Tick(1), |_| NamedTensors::new(), |_, _| ());
        assert!(worker.poll::<()>().is_none());
        let error = worker.run_blocking(Tick(1), |_| NamedTensors::new(), |_, _| ()).expect_err("nothing runs");
        assert_eq!(error, RunError::NotReady("no library".into()));
        assert_eq!(worker.status().name, "ear");
    }
}
