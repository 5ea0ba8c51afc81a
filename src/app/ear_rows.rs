//! What the measurements panel says of the ear.

use crate::{
    base::Status,
    percepts::HearingStatus,
    sensors::{EarSettings, EarStatus, TalkMode},
};

/// Names and values: the microphone, what it does and how loud it is there, what was lost, what was said, and how long after
/// the end of the voice the last command was known.
pub fn ear_rows(ear: &EarStatus, settings: &EarSettings, hearing: &HearingStatus) -> Vec<(String, String)> {
    let row = |name: &str, value: String| (name.to_owned(), value);
    let mut rows = Vec::new();
    match &ear.status {
        Status::Ready => rows.push(row("microphone", ear.source.clone())),
        Status::Loading => rows.push(row("microphone", "looked for".to_owned())),
        Status::Unavailable(reason) => rows.push(row("microphone", reason.clone())),
    }
    match &hearing.status {
        Status::Ready => {}
        Status::Loading => rows.push(row("hearing", "gets ready".to_owned())),
        Status::Unavailable(reason) => rows.push(row("hearing", reason.clone())),
    }
    if ear.status == Status::Ready {
        let state = match () {
            () if settings.muted => "muted",
            () if ear.hears_voice => "hears a voice",
            () if settings.mode == TalkMode::PushToTalk && !settings.talk_key => "waits for the talk key",
            () => "listens",
        };
        let (rms, peak) = (ear.level.rms_dbfs, ear.level.peak_dbfs);
        rows.push(row("ear", format!("{state}, {rms:.0} dBFS, peak {peak:.0}")));
        rows.push(row("lost samples", ear.lost_samples.to_string()));
        let given_up = hearing.given_up;
        rows.push(row(
            "utterances",
            format!("{}, {} of them commands, {given_up} given up", ear.utterances, hearing.commands),
        ));
    }
    if let (Some(hang_over_s), Some(waited_ms)) = (ear.hang_over_s, hearing.waited_ms.back()) {
        let hang_over_ms = 1e3 * hang_over_s;
        let after_ms = hang_over_ms + waited_ms;
        let value = format!("{after_ms:.0} ms, {hang_over_ms:.0} of them to be over");
        rows.push(row("voice to command", value));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(rows: &'a [(String, String)], name: &str) -> Option<&'a str> {
        rows.iter().find(|row| row.0 == name).map(|row| row.1.as_str())
    }

    #[test]
    fn a_ready_ear_tells_its_device_its_losses_and_its_last_latency() {
        let ear = EarStatus {
            status: Status::Ready,
            source: "Headset · PulseAudio · 48.0 kHz".into(),
            lost_samples: 7,
            utterances: 3,
            hang_over_s: Some(0.192),
            ..Default::default()
        };
        let hearing =
            HearingStatus { status: Status::Ready, commands: 2, waited_ms: [80.0, 21.4].into(), ..Default::default() };
        let rows = ear_rows(&ear, &EarSettings::default(), &hearing);
        assert_eq!(value(&rows, "microphone"), Some("Headset · PulseAudio · 48.0 kHz"));
        assert_eq!(value(&rows, "lost samples"), Some("7"));
        assert_eq!(value(&rows, "utterances"), Some("3, 2 of them commands, 0 given up"));
        assert!(value(&rows, "voice to command").unwrap().starts_with("213 ms"), "{rows:?}");
        assert_eq!(value(&rows, "hearing"), None);
    }

    #[test]
    fn an_ear_without_microphone_or_model_says_why() {
        let ear = EarStatus { status: Status::Unavailable("plug one in".into()), ..Default::default() };
        let hearing = HearingStatus { status: Status::Unavailable("no model".into()), ..Default::default() };
        let rows = ear_rows(&ear, &EarSettings::default(), &hearing);
        assert_eq!(rows, [("microphone".into(), "plug one in".into()), ("hearing".into(), "no model".into())]);
    }
}
