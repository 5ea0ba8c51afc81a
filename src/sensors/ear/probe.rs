//! A short look at the microphone, for `doctor`: opens it, listens for a moment, closes it.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{
    level::{Level, LevelMeter},
    microphone::{self, MicrophoneFacts},
};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    pub facts: MicrophoneFacts,
    pub level: Level,
    /// Samples per second and channel that really came.
    pub rate_hz: f64,
    /// Other microphones that could be chosen.
    pub names: Vec<String>,
}

/// Listens to a microphone (`None`: the system's default) for `listen`, and waits for the sound system for `patience` at
/// most.
///
/// # Errors
/// - there is none, it is denied or busy, or the sound system does not answer; with what to do about it
pub fn probe_microphone(wanted: Option<&str>, listen: Duration, patience: Duration) -> Result<Probe, String> {
    let (tell, answer) = mpsc::channel();
    let wanted = wanted.map(str::to_owned);
    // The thread is not joined: opening, listing and dropping may block for ever.
    let started = thread::Builder::new().name("microphone probe".to_owned()).spawn(move || {
        let _ = tell.send(look(wanted.as_deref(), listen));
    });
    started.map_err(|error| format!("no thread could be had to look at the microphone ({error})"))?;
    answer.recv_timeout(patience + listen).unwrap_or_else(|_| {
        Err("the sound server does not answer; restart it, or start again without the variable PULSE_SERVER".to_owned())
    })
}

fn look(wanted: Option<&str>, listen: Duration) -> Result<Probe, String> {
    let mut opened = microphone::open(wanted, &Arc::default())?;
    let started = Instant::now();
    let (mut samples, mut all, mut meter) = (Vec::new(), 0, LevelMeter::default());
    while started.elapsed() < listen {
        thread::sleep(Duration::from_millis(10));
        samples.clear();
        opened.samples.read(&mut samples);
        all += samples.len();
        if !samples.is_empty() {
            meter.hear(&samples, samples.len() as f32 / opened.facts.rate_hz as f32);
        }
        if let Some(error) = opened.faults.try_iter().find(|error| !microphone::is_harmless(error)) {
            return Err(microphone::explain(&error, wanted));
        }
    }
    let rate_hz = all as f64 / started.elapsed().as_secs_f64();
    Ok(Probe { facts: opened.facts.clone(), level: meter.0, rate_hz, names: microphone::names() })
}
