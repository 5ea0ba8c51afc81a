//! The thread that keeps a microphone open and listens to it.
//!
//! In: [`Orders`]. Out: [`EarEvent`]s through a bounded channel, a [`Report`]. Whatever happens to device and sound server is
//! a status within a second, and is tried again at least twice a second. This thread itself never calls the sound system:
//! opening, asking for a sign of life and dropping may each block for ever, so each is done on a thread of its own that
//! nobody waits for. Nobody joins this one either; it ends within milliseconds when its [`MicrophoneThread`] is dropped.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, TryRecvError, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    endpoint::EndpointSettings,
    level::Level,
    listener::{Attention, EarEvent, EarPart, Listener},
    microphone::{self, Microphone, MicrophoneFacts},
    to_ear_rate::ToEarRate,
};
use crate::base::Status;

/// Between two looks at the ring.
const PACE: Duration = Duration::from_millis(5);
/// Opening that takes longer is told; it goes on.
const SLOW: Duration = Duration::from_millis(700);
/// Opening that takes longer is given up. Threads that still open a microphone, or wait for its first samples, are no more than
/// [`MAX_HELPERS`].
const STUCK: Duration = Duration::from_secs(8);
const MAX_HELPERS: usize = 4;
/// A stream that delivers nothing for so long makes us ask for a sign of life, which may take as long as the second.
const STALL: Duration = Duration::from_millis(450);
const SIGN_OF_LIFE: Duration = Duration::from_millis(350);
/// A living server's stream that delivers nothing for so long is opened anew.
const DRY: Duration = Duration::from_secs(6);
const FIRST_RETRY: Duration = Duration::from_millis(150);
const LAST_RETRY: Duration = Duration::from_millis(400);
/// Events that wait for a slow frame: more than a minute of talk.
const EVENTS: usize = 4_096;

const HANGS: &str =
    "the sound server does not answer; restart it (pulseaudio -k, or systemctl --user restart pipewire-pulse)";

/// What the ear is told to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Orders {
    /// The microphone's name; `None`: the system's default.
    pub wanted: Option<String>,
    pub attention: Attention,
    /// Counts requests to list the microphones again.
    pub listings: u64,
}

/// How it goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub status: Status,
    pub facts: Option<MicrophoneFacts>,
    pub level: Level,
    pub in_utterance: bool,
    pub lost_samples: u64,
    pub utterances: u64,
    /// From the end of the last voice to the moment that it was taken for the end, seconds of sound.
    pub hang_over_s: Option<f64>,
    /// Microphones that can be chosen.
    pub names: Vec<String>,
    /// How often a microphone was opened.
    pub opened: u64,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    orders: Mutex<Orders>,
    report: Mutex<Report>,
    names: Mutex<Option<Vec<String>>>,
}

/// The plain values inside are whole at any moment, also where a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The handle of the thread; dropping it ends the thread without waiting.
pub(super) struct MicrophoneThread {
    shared: Arc<Shared>,
    /// A mutex, as a receiver cannot be shared between threads and the world wants that.
    events: Mutex<mpsc::Receiver<EarEvent>>,
}

impl MicrophoneThread {
    /// # Errors
    /// - the system has no thread left
    pub fn start(orders: Orders, first_utterance: u64) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { orders: Mutex::new(orders), ..Default::default() });
        let (sender, events) = mpsc::sync_channel(EVENTS);
        let inside = shared.clone();
        thread::Builder::new().name("ear".to_owned()).spawn(move || {
            let outlet = Outlet { sender, skipping: None, lost: 0 };
            Keeper::new(&inside, outlet, first_utterance).run();
        })?;
        Ok(Self { shared, events: Mutex::new(events) })
    }

    pub fn order(&self, orders: &Orders) {
        let mut current = lock(&self.shared.orders);
        if *current != *orders {
            current.clone_from(orders);
        }
    }

    pub fn report(&self) -> Report {
        lock(&self.shared.report).clone()
    }

    /// What happened since the last call.
    pub fn take_events(&self) -> Vec<EarEvent> {
        lock(&self.events).try_iter().collect()
    }
}

impl Drop for MicrophoneThread {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// The way out. Where the world reads too late, whole utterances are given up and counted, never parts.
struct Outlet {
    sender: mpsc::SyncSender<EarEvent>,
    /// The utterance that found no room, and whether the world has seen its beginning and waits to be told.
    skipping: Option<(u64, bool)>,
    lost: u64,
}

impl Outlet {
    fn send(&mut self, event: EarEvent) {
        if let Some((utterance, owed)) = self.skipping {
            if owed {
                let reason = "the world did not keep up with the ear".to_owned();
                let told = EarEvent { utterance, part: EarPart::Broken { reason } };
                if self.sender.try_send(told).is_ok() {
                    self.skipping = Some((utterance, false));
                }
            }
            if event.utterance == utterance || matches!(self.skipping, Some((_, true))) {
                self.count(&event);
                return;
            }
            self.skipping = None;
        }
        if let Err(TrySendError::Full(event)) = self.sender.try_send(event) {
            self.skipping = Some((event.utterance, !matches!(event.part, EarPart::Began { .. })));
            self.count(&event);
        }
    }

    fn count(&mut self, event: &EarEvent) {
        if let EarPart::Sound(samples) = &event.part {
            self.lost += samples.len() as u64;
        }
    }
}

/// Where the thread is with its microphone.
enum Stage {
    Waiting { until: Instant },
    Opening { result: mpsc::Receiver<Result<Microphone, String>>, since: Instant },
    Open(Box<Opened>),
}

struct Opened {
    microphone: Microphone,
    converter: ToEarRate,
    last_sound: Instant,
    /// The answer to the question whether the server lives.
    asked: Option<(mpsc::Receiver<bool>, Instant)>,
    hangs: bool,
}

struct Keeper<'a> {
    shared: &'a Arc<Shared>,
    outlet: Outlet,
    listener: Listener,
    stage: Stage,
    orders: Orders,
    report: Report,
    retry: Duration,
    /// Threads that open microphones hold it too, also those that were given up.
    helpers: Arc<()>,
    raw: Vec<f32>,
    sound: Vec<f32>,
    events: Vec<EarEvent>,
}

impl<'a> Keeper<'a> {
    fn new(shared: &'a Arc<Shared>, outlet: Outlet, first_utterance: u64) -> Self {
        let mut listener = Listener::new(EndpointSettings::default());
        listener.count_from(first_utterance);
        Self {
            shared,
            outlet,
            listener,
            stage: Stage::Waiting { until: Instant::now() },
            orders: Orders::default(),
            report: Report::default(),
            retry: FIRST_RETRY,
            helpers: Arc::default(),
            raw: Vec::new(),
            sound: Vec::new(),
            events: Vec::new(),
        }
    }

    fn run(mut self) {
        list_names_of(self.shared);
        while !self.shared.stop.load(Ordering::Relaxed) {
            self.obey();
            let stage = std::mem::replace(&mut self.stage, Stage::Waiting { until: Instant::now() });
            self.stage = match stage {
                Stage::Waiting { until } if Instant::now() >= until => self.begin_opening(),
                Stage::Opening { result, since } => self.await_opening(result, since),
                Stage::Open(opened) => self.listen(opened),
                waiting @ Stage::Waiting { .. } => waiting,
            };
            for event in self.events.drain(..) {
                self.outlet.send(event);
            }
            self.publish();
            thread::sleep(PACE);
        }
        if let Stage::Open(opened) = self.stage {
            drop_elsewhere(*opened);
        }
    }

    fn obey(&mut self) {
        let orders = lock(&self.shared.orders).clone();
        if orders.listings != self.orders.listings {
            list_names_of(self.shared);
        }
        if orders.wanted != self.orders.wanted {
            self.report.status = Status::Loading;
            self.retry = FIRST_RETRY;
            self.close("another microphone was chosen");
            self.stage = Stage::Waiting { until: Instant::now() };
        }
        self.orders = orders;
    }

    fn begin_opening(&mut self) -> Stage {
        let helpers = Arc::strong_count(&self.helpers) - 1;
        let (tell, result) = mpsc::channel();
        let (wanted, helper) = (self.orders.wanted.clone(), self.helpers.clone());
        let opener = move || {
            // If nobody waits any more, the microphone is dropped here, where that may block.
            let _ = tell.send(microphone::open(wanted.as_deref(), &helper));
        };
        let now = Instant::now();
        if helpers < MAX_HELPERS && thread::Builder::new().name("ear opener".to_owned()).spawn(opener).is_ok() {
            Stage::Opening { result, since: now }
        } else {
            self.fail(HANGS.to_owned())
        }
    }

    fn await_opening(&mut self, result: mpsc::Receiver<Result<Microphone, String>>, since: Instant) -> Stage {
        match result.try_recv() {
            Ok(Ok(microphone)) => match ToEarRate::new(microphone.facts.rate_hz) {
                Ok(converter) => {
                    self.listener.restart();
                    self.report.status = Status::Ready;
                    self.report.facts = Some(microphone.facts.clone());
                    self.report.opened += 1;
                    self.retry = FIRST_RETRY;
                    list_names_of(self.shared);
                    let last_sound = Instant::now();
                    Stage::Open(Box::new(Opened { microphone, converter, last_sound, asked: None, hangs: false }))
                }
                Err(why) => {
                    let name = microphone.facts.name.clone();
                    drop_elsewhere(microphone);
                    self.fail(format!("the microphone \"{name}\" has {why}; choose another in the settings"))
                }
            },
            Ok(Err(reason)) => self.fail(reason),
            Err(TryRecvError::Disconnected) => {
                self.fail("the sound system failed while the microphone was opened; see the messages above".to_owned())
            }
            Err(TryRecvError::Empty) => {
                if since.elapsed() > SLOW {
                    self.report.status = Status::Unavailable(HANGS.to_owned());
                }
                if since.elapsed() > STUCK {
                    return self.fail(HANGS.to_owned());
                }
                Stage::Opening { result, since }
            }
        }
    }

    fn listen(&mut self, mut opened: Box<Opened>) -> Stage {
        self.raw.clear();
        self.sound.clear();
        let mut lost = opened.microphone.samples.read(&mut self.raw);
        let mut fault = None;
        for error in opened.microphone.faults.try_iter() {
            if !microphone::is_harmless(&error) {
                fault = Some(microphone::explain(&error, self.orders.wanted.as_deref()));
            } else if error.kind() == cpal::ErrorKind::Xrun {
                // How many is not told.
                lost += 1;
            }
        }
        if !self.raw.is_empty() {
            opened.last_sound = Instant::now();
            opened.asked = None;
            if std::mem::take(&mut opened.hangs) {
                self.report.status = Status::Ready;
            }
        }
        opened.converter.convert(&self.raw, &mut self.sound);
        self.listener.hear(&self.sound, &self.orders.attention, &mut self.events);
        if lost > 0 {
            self.report.lost_samples += lost;
            let rate_hz = u64::from(opened.microphone.facts.rate_hz);
            self.listener.lose(lost * u64::from(super::SAMPLE_RATE_HZ) / rate_hz, &mut self.events);
        }
        if let Some(reason) = fault {
            drop_elsewhere(*opened);
            return self.fail(reason);
        }
        let silent = opened.last_sound.elapsed();
        if silent > STALL && !opened.hangs {
            let (answer, since) = opened.asked.get_or_insert_with(|| (ask_server(), Instant::now()));
            match answer.try_recv() {
                Ok(false) => {
                    drop_elsewhere(*opened);
                    let gone = cpal::Error::new(cpal::ErrorKind::HostUnavailable);
                    return self.fail(microphone::explain(&gone, None));
                }
                Err(TryRecvError::Empty) if since.elapsed() > SIGN_OF_LIFE => {
                    opened.hangs = true;
                    self.listener.break_off("the sound server does not answer", &mut self.events);
                    self.report.status = Status::Unavailable(HANGS.to_owned());
                }
                _ => {}
            }
        }
        if silent > DRY {
            let name = opened.microphone.facts.name.clone();
            drop_elsewhere(*opened);
            return self.fail(format!("the microphone \"{name}\" delivers nothing; plug it in anew or choose another"));
        }
        Stage::Open(opened)
    }

    /// Something is wrong: tells it and tries again later.
    fn fail(&mut self, reason: String) -> Stage {
        self.listener.break_off(&reason, &mut self.events);
        self.listener.restart();
        self.report.status = Status::Unavailable(reason);
        self.report.facts = None;
        let until = Instant::now() + self.retry;
        self.retry = (2 * self.retry).min(LAST_RETRY);
        Stage::Waiting { until }
    }

    fn close(&mut self, reason: &str) {
        self.listener.break_off(reason, &mut self.events);
        self.report.facts = None;
        if let Stage::Open(opened) = std::mem::replace(&mut self.stage, Stage::Waiting { until: Instant::now() }) {
            drop_elsewhere(*opened);
        }
    }

    fn publish(&mut self) {
        self.report.lost_samples += std::mem::take(&mut self.outlet.lost);
        self.report.level = self.listener.level();
        self.report.in_utterance = self.listener.in_utterance();
        self.report.utterances = self.listener.utterances();
        self.report.hang_over_s = self.listener.hang_over_s();
        if let Some(names) = lock(&self.shared.names).take() {
            self.report.names = names;
        }
        lock(&self.shared.report).clone_from(&self.report);
    }
}

/// Lists the microphones on a thread of its own; the names arrive later.
fn list_names_of(shared: &Arc<Shared>) {
    let shared = shared.clone();
    // Where no thread can be had, the list stays as it is.
    let _ = thread::Builder::new().name("ear lists".to_owned()).spawn(move || {
        let names = microphone::names();
        *lock(&shared.names) = Some(names);
    });
}

fn ask_server() -> mpsc::Receiver<bool> {
    let (tell, answer) = mpsc::channel();
    // Without a thread nobody answers, and that is told as an answer that does not come.
    let _ = thread::Builder::new().name("ear asks".to_owned()).spawn(move || {
        let _ = tell.send(microphone::server_answers());
    });
    answer
}

/// Drops what may block while it is dropped.
fn drop_elsewhere<T: Send + 'static>(thing: T) {
    // Where no thread can be had, the closure with the thing is dropped here after all: there is no better place.
    let _ = thread::Builder::new().name("ear drops".to_owned()).spawn(move || drop(thing));
}
