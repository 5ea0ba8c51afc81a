//! What the measurements panel says of dreams.

use crate::{base::Status, textures::DreamingStatus};

/// Names and values: the generator, what is waited for, what is there.
pub fn dream_rows(dreams: &DreamingStatus) -> Vec<(String, String)> {
    let row = |name: &str, value: String| (name.to_owned(), value);
    let mut rows = Vec::new();
    match &dreams.generator {
        Status::Ready => {
            let last = if dreams.made > 0 { format!(", the last in {:.0} ms", dreams.took_ms) } else { String::new() };
            let waiting = if dreams.waiting > 0 { format!(", {} waited for", dreams.waiting) } else { String::new() };
            rows.push(row("dreams", format!("{} made{last}{waiting}", dreams.made)));
            let megabytes = dreams.bytes as f64 / f64::from(1 << 20);
            let from_disk = dreams.from_disk;
            rows.push(row("dreamt textures", format!("{}, {megabytes:.0} MB, {from_disk} from disk", dreams.textures)));
        }
        Status::Loading => rows.push(row("dreams", "the generator is being loaded".to_owned())),
        Status::Unavailable(reason) => rows.push(row("dreams", reason.clone())),
    }
    rows.extend(dreams.disk_trouble.iter().map(|trouble| row("texture cache", trouble.clone())));
    rows.extend(dreams.last_fault.iter().map(|fault| row("dream fault", fault.clone())));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_and_trouble_are_told() {
        let status = DreamingStatus { generator: Status::Unavailable("no generator".into()), ..Default::default() };
        assert_eq!(dream_rows(&status), [("dreams".to_owned(), "no generator".to_owned())]);
        let status = DreamingStatus {
            generator: Status::Ready,
            made: 3,
            took_ms: 41.2,
            disk_trouble: Some("full".into()),
            ..Default::default()
        };
        let rows = dream_rows(&status);
        assert_eq!(rows[0].1, "3 made, the last in 41 ms");
        assert_eq!(rows[2], ("texture cache".to_owned(), "full".to_owned()));
    }
}
