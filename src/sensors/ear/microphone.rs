//! One opened microphone: cpal's stream, its samples on their way into a ring.
//!
//! In: a device's name or none. Out: the stream, the ring's end, faults; or why not and what to do. The stream is opened on
//! cpal itself and not through rodio's microphone, whose own ring of 100 ms drops silently and whose iterator ends without
//! telling why. Every call here may block for as long as a sound server hangs, so none is made on a thread that anybody
//! waits for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use cpal::{
    BufferSize, Error, ErrorKind, FromSample, Host, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize,
    traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _},
};

use super::ring::{RingReader, ring};

/// Seconds of sound that wait for a late ear before any is lost.
const RING_S: u32 = 4;
/// How long the sound server may take to make a stream.
const STREAM_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Wished for length of one delivery, as parts of a second.
const DELIVERIES_PER_S: u32 = 100;

/// A microphone that delivers, or is about to.
pub(super) struct Microphone {
    /// Dropping it may block.
    pub _stream: Arc<Stream>,
    pub samples: RingReader,
    pub faults: mpsc::Receiver<Error>,
    pub facts: MicrophoneFacts,
}

/// What is known of a microphone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicrophoneFacts {
    pub name: String,
    /// Whose it is: PulseAudio, ALSA, …
    pub host: String,
    pub rate_hz: u32,
    pub channels: u16,
    /// It hears what the machine plays.
    pub is_monitor: bool,
}

/// Whether PulseAudio was there once in this process. When its server is gone, ALSA's plugin for it would hang, so nobody
/// falls back to that.
static PULSE_SEEN: AtomicBool = AtomicBool::new(false);

/// The sound system to ask.
fn host() -> Result<Host, Error> {
    #[cfg(target_os = "linux")]
    {
        if cpal::available_hosts().contains(&cpal::HostId::PulseAudio) {
            PULSE_SEEN.store(true, Ordering::Relaxed);
            return cpal::host_from_id(cpal::HostId::PulseAudio);
        }
        if PULSE_SEEN.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::HostUnavailable));
        }
        // ALSA's library complains on standard error about machines without a sound card.
        let has_card = std::fs::read_dir("/dev/snd")
            .is_ok_and(|nodes| nodes.flatten().any(|node| node.file_name().to_string_lossy().starts_with("pcm")));
        if !has_card {
            return Err(Error::with_message(ErrorKind::DeviceNotAvailable, "no sound card and no sound server"));
        }
    }
    Ok(cpal::default_host())
}

/// Asks the sound system for a sign of life.
pub(super) fn server_answers() -> bool {
    host().is_ok()
}

fn name_of(device: &cpal::Device) -> String {
    device.description().map_or_else(|_| "unnamed".to_owned(), |description| description.name().to_owned())
}

fn is_monitor(device: &cpal::Device) -> bool {
    device.id().is_ok_and(|id| id.to_string().ends_with(".monitor"))
}

/// Names of the microphones of this machine, loudspeakers' monitors left out. May block.
pub(super) fn names() -> Vec<String> {
    let devices = host().and_then(|host| Ok(host.input_devices()?.collect::<Vec<_>>())).unwrap_or_default();
    let mut names: Vec<String> = devices.iter().filter(|device| !is_monitor(device)).map(name_of).collect();
    names.dedup();
    names
}

/// Opens a microphone by its name, or the system's default. May block. The thread that waits for its first samples holds
/// `helper` until they come.
///
/// # Errors
/// - what is missing, denied or busy, and what to do about it
pub(super) fn open(wanted: Option<&str>, helper: &Arc<()>) -> Result<Microphone, String> {
    try_open(wanted, helper).map_err(|error| explain(&error, wanted))
}

fn try_open(wanted: Option<&str>, helper: &Arc<()>) -> Result<Microphone, Error> {
    let host = host()?;
    let device = match wanted {
        None => host.default_input_device(),
        Some(name) => host.input_devices()?.find(|device| name_of(device) == name),
    };
    let Some(device) = device else {
        // PulseAudio's host answers "no device" also when the server went away in the meantime.
        if wanted.is_none() && host.devices().is_err() {
            return Err(Error::new(ErrorKind::HostUnavailable));
        }
        return Err(Error::with_message(ErrorKind::DeviceNotAvailable, "it is not there"));
    };
    let supported = device.default_input_config()?;
    let mut config: StreamConfig = supported.config();
    if let SupportedBufferSize::Range { min, max } = *supported.buffer_size() {
        config.buffer_size = BufferSize::Fixed((config.sample_rate / DELIVERIES_PER_S).clamp(min, max));
    }
    let facts = MicrophoneFacts {
        name: name_of(&device),
        host: host.id().name().to_owned(),
        rate_hz: config.sample_rate,
        channels: config.channels,
        is_monitor: is_monitor(&device),
    };
    let (stream, samples, faults) = match supported.sample_format() {
        SampleFormat::F32 => start::<f32>(&device, config, helper),
        SampleFormat::F64 => start::<f64>(&device, config, helper),
        SampleFormat::I8 => start::<i8>(&device, config, helper),
        SampleFormat::I16 => start::<i16>(&device, config, helper),
        SampleFormat::I24 => start::<cpal::I24>(&device, config, helper),
        SampleFormat::I32 => start::<i32>(&device, config, helper),
        SampleFormat::U8 => start::<u8>(&device, config, helper),
        SampleFormat::U16 => start::<u16>(&device, config, helper),
        SampleFormat::U32 => start::<u32>(&device, config, helper),
        _ => Err(Error::new(ErrorKind::UnsupportedConfig)),
    }?;
    Ok(Microphone { _stream: stream, samples, faults, facts })
}

type Started = (Arc<Stream>, RingReader, mpsc::Receiver<Error>);

fn start<T: SizedSample>(device: &cpal::Device, config: StreamConfig, helper: &Arc<()>) -> Result<Started, Error>
where
    f32: FromSample<T>,
{
    let (mut writer, samples) = ring((RING_S * config.sample_rate) as usize);
    let (tell, faults) = mpsc::channel();
    let tell_start = tell.clone();
    let channels = usize::from(config.channels.max(1));
    let stream = device.build_input_stream::<T, _, _>(
        config,
        move |data: &[T], _| writer.write(data.chunks_exact(channels).map(mixed)),
        move |error| {
            // Nobody listens any more: the stream is being dropped.
            let _ = tell.send(error);
        },
        Some(STREAM_TIMEOUT),
    )?;
    let stream = Arc::new(stream);
    let (starting, helper) = (stream.clone(), helper.clone());
    // PulseAudio answers this with the first samples only, which an idle source sends seconds later; the microphone is there
    // before that.
    let starter = move || {
        if let Err(error) = starting.play() {
            // Nobody listens any more: the stream is being dropped.
            let _ = tell_start.send(error);
        }
        drop(helper);
    };
    thread::Builder::new()
        .name("ear starter".to_owned())
        .spawn(starter)
        .map_err(|error| Error::with_message(ErrorKind::ResourceExhausted, error.to_string()))?;
    Ok((stream, samples, faults))
}

/// One channel of many: the mean of the first two (further ones are inputs of other things).
fn mixed<T: SizedSample>(frame: &[T]) -> f32
where
    f32: FromSample<T>,
{
    let front = &frame[..frame.len().min(2)];
    front.iter().map(|sample| sample.to_sample::<f32>()).sum::<f32>() / front.len() as f32
}

/// Whether a stream goes on after this.
pub(super) fn is_harmless(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied | ErrorKind::Xrun)
}

/// What is wrong and what to do about it.
pub(super) fn explain(error: &Error, wanted: Option<&str>) -> String {
    let which = wanted.map_or_else(|| "the microphone".to_owned(), |name| format!("the microphone \"{name}\""));
    let text = error.to_string();
    let denied = error.kind() == ErrorKind::PermissionDenied || text.contains("ermission denied");
    match error.kind() {
        _ if denied => format!("{which} is denied to this program; allow it in the system's privacy settings"),
        ErrorKind::DeviceNotAvailable if wanted.is_none() => {
            "there is no microphone; plug one in, it is taken within a second".to_owned()
        }
        ErrorKind::DeviceNotAvailable => format!("{which} is not there; plug it in or choose another in the settings"),
        ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated => {
            "the sound server is gone; it is taken again within a second of its return".to_owned()
        }
        ErrorKind::DeviceBusy => format!("{which} is held by another program; close that or choose another"),
        _ => format!("{which} cannot be opened ({text}); choose another in the settings"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_mixed_from_the_first_two() {
        assert_eq!(mixed(&[0.5_f32]), 0.5);
        assert_eq!(mixed(&[0.5_f32, -0.1, 0.9]), 0.2);
        assert_eq!(mixed(&[i16::MIN, i16::MIN]), -1.0);
        assert_eq!(mixed(&[128_u8]), 0.0);
    }

    #[test]
    fn every_failure_has_a_remedy() {
        for kind in [
            ErrorKind::DeviceBusy,
            ErrorKind::DeviceNotAvailable,
            ErrorKind::HostUnavailable,
            ErrorKind::PermissionDenied,
            ErrorKind::StreamInvalidated,
            ErrorKind::UnsupportedConfig,
            ErrorKind::Other,
        ] {
            for wanted in [None, Some("USB")] {
                let text = explain(&Error::new(kind), wanted);
                assert!(text.contains(';') && text.len() < 160, "{text}");
            }
        }
        let socket = Error::with_message(ErrorKind::StreamInvalidated, "I/O error: Permission denied (os error 13)");
        assert!(explain(&socket, None).contains("privacy"));
    }
}
