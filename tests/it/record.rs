//! `umwelt record`, as a user calls it: equal bytes for equal seeds, shards, resuming, refusals, and what COCO's own tools
//! make of the result.
//!
//! These tests need a Vulkan adapter (a software one will do); without one they say `SKIPPED` and pass.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use umwelt::{app::graphics::require_adapter, dataset::Reader};

/// A folder for one test, or `None` (said aloud) where nothing can render.
fn folder(test: &str) -> Option<tempfile::TempDir> {
    if let Err(lacking) = require_adapter() {
        println!("SKIPPED: {test}: {lacking}");
        return None;
    }
    Some(tempfile::tempdir().expect("a temporary folder"))
}

fn record(out: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_umwelt"))
        .args(["record", "--size", "96x80", "--views-per-scene", "2", "--json", "--out"])
        .arg(out)
        .args(arguments.split_whitespace())
        .output()
        .expect("started")
}

fn recorded(out: &Path, arguments: &str) -> Output {
    let output = record(out, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// All files below a folder with their bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below the root").to_owned();
                found.insert(name, fs::read(&path).expect("read"));
            }
        }
    }
    found
}

fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (files(a), files(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(*bytes == b[name], "{} differs", name.display());
    }
}

#[test]
fn equal_seeds_give_equal_bytes_in_one_go_in_shards_and_resumed() {
    let Some(folder) = folder("determinism") else { return };
    let [whole, again, shards, resumed, other] =
        ["whole", "again", "shards", "resumed", "other"].map(|name| folder.path().join(name));
    let output = recorded(&whole, "--frames 6 --seed 7");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["frames"], 6);
    assert!(report["frames_per_second"].as_f64().expect("a number") > 0.0);

    recorded(&again, "--frames 6 --seed 7");
    assert_same(&whole, &again);

    // The second scene first, then the first and the third.
    recorded(&shards, "--frames 6 --seed 7 --shard 2/2");
    recorded(&shards, "--frames 6 --seed 7 --shard 1/2");
    assert_same(&whole, &shards);

    // As a stopped run leaves it: some frames whole, one without its record, no file about all.
    recorded(&resumed, "--frames 6 --seed 7");
    fs::remove_file(resumed.join("coco.json")).expect("removed");
    for frame in [1, 4, 5] {
        fs::remove_file(resumed.join(format!("frames/{frame:06}.json"))).expect("removed");
    }
    fs::remove_file(resumed.join("rgb/000005.png")).expect("removed");
    recorded(&resumed, "--frames 6 --seed 7 --resume");
    assert_same(&whole, &resumed);

    recorded(&other, "--frames 2 --seed 8");
    assert_ne!(files(&whole)[Path::new("rgb/000000.png")], files(&other)[Path::new("rgb/000000.png")]);

    let reader = Reader::open(&whole).expect("opened");
    let objects: usize = (0..reader.len()).map(|index| reader.objects(index).len()).sum();
    assert!(objects >= 6, "random views have something in them: {objects}");
}

#[test]
fn an_authored_scene_is_shown_in_many_states_or_as_it_is() {
    let Some(folder) = folder("states of a scene") else { return };
    let [varied, again, as_it_is] = ["varied", "again", "as_it_is"].map(|name| folder.path().join(name));
    recorded(&varied, "--scene tiny --frames 4 --seed 5");
    recorded(&again, "--scene tiny --frames 4 --seed 5 --shard 2/2");
    recorded(&again, "--scene tiny --frames 4 --seed 5 --shard 1/2");
    assert_same(&varied, &again);
    recorded(&as_it_is, "--scene tiny --frames 4 --seed 5 --as-it-is");
    let [varied, as_it_is] = [varied, as_it_is].map(|out| Reader::open(&out).expect("opened"));
    assert!(varied.recording().varied && !as_it_is.recording().varied);
    assert_eq!(varied.recording().classes, as_it_is.recording().classes, "the same names for the same ids");
    let pixels = |reader: &Reader, index| reader.sample(index).expect("a frame").rgb.into_raw();
    assert_ne!(pixels(&varied, 0), pixels(&as_it_is, 0));
    assert_eq!(record(&folder.path().join("x"), "--frames 1 --as-it-is").status.code(), Some(2), "of which scene?");
}

#[test]
fn a_used_folder_is_refused() {
    let Some(folder) = folder("refusal") else { return };
    let out = folder.path().join("data");
    recorded(&out, "--frames 1 --seed 1");
    let before = files(&out);
    let refused = record(&out, "--frames 1 --seed 1");
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(text.contains("--resume") && text.contains("--force"), "{text}");
    assert_eq!(files(&out), before);

    let file = folder.path().join("file");
    fs::write(&file, "in the way").expect("written");
    assert_eq!(record(&file, "--frames 1").status.code(), Some(1));
    assert_eq!(record(&folder.path().join("x"), "--frames 1 --shard 3/2").status.code(), Some(2));
    assert_eq!(record(&folder.path().join("x"), "--frames 1 --scene no_such_scene").status.code(), Some(1));
    assert!(!folder.path().join("x").exists());
}

#[cfg(unix)]
#[test]
fn a_stop_signal_leaves_whole_frames_that_a_second_run_continues() {
    let Some(folder) = folder("SIGTERM") else { return };
    let out = folder.path().join("data");
    let arguments = "record --size 96x80 --frames 400 --seed 3 --out";
    let mut child = Command::new(env!("CARGO_BIN_EXE_umwelt"))
        .args(arguments.split(' '))
        .arg(&out)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let start = std::time::Instant::now();
    while fs::read_dir(out.join("frames")).map_or(0, Iterator::count) < 3 {
        assert!(start.elapsed().as_secs() < 120, "no frames came");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("sent");
    assert!(kill.success());
    assert_eq!(child.wait().expect("ended").code(), Some(1));

    let left = files(&out);
    assert!(left.keys().all(|name| name.extension().is_some_and(|kind| kind != "part")), "{:?}", left.keys());
    let frames = left.keys().filter(|name| name.starts_with("frames")).count();
    for kind in ["rgb", "depth", "ids"] {
        assert_eq!(left.keys().filter(|name| name.starts_with(kind)).count(), frames, "{kind}");
    }
    assert!(!out.join("coco.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_leaves_nothing_half_written() {
    let Some(folder) = folder("full disk") else { return };
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=96k", "tmpfs"]).arg(folder.path()).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: full disk: mounting a small file system is not allowed here");
        return;
    }
    let out = folder.path().join("data");
    let output = record(&out, "--frames 40 --seed 5");
    let left = files(&out);
    let unmounted = Command::new("umount").arg(folder.path()).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("No space left"), "{text}");
    for (name, bytes) in &left {
        assert!(!name.to_string_lossy().ends_with(".part"), "{} is half written", name.display());
        if name.extension().is_some_and(|kind| kind == "png") {
            image::load_from_memory(bytes).expect("a whole picture");
        }
    }
}

/// COCO's own reader, in a virtual environment that is made once.
fn pycocotools() -> Option<PathBuf> {
    let environment = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pycocotools");
    let python = environment.join("bin/python");
    let works = |python: &Path| {
        Command::new(python).args(["-c", "import pycocotools.mask"]).output().is_ok_and(|o| o.status.success())
    };
    if works(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).output();
    let installed =
        made.is_ok().then(|| Command::new(&python).args(["-m", "pip", "install", "-q", "pycocotools"]).output());
    drop(installed);
    works(&python).then_some(python)
}

#[test]
fn pycocotools_loads_the_file_and_its_masks_are_ours() {
    let Some(folder) = folder("pycocotools") else { return };
    let Some(python) = pycocotools() else {
        println!("SKIPPED: pycocotools could not be installed");
        return;
    };
    let out = folder.path().join("data");
    recorded(&out, "--frames 4 --seed 11");
    let script = r#"
import sys, json
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
coco = COCO(sys.argv[1])
masks = 0
for annotation in coco.anns.values():
    mask = coco.annToMask(annotation)
    ys, xs = np.nonzero(mask)
    assert mask.sum() == annotation["area"], annotation
    x, y, w, h = annotation["bbox"]
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x, y, x + w, y + h), annotation
    masks += 1
truth = [{"image_id": a["image_id"], "category_id": a["category_id"], "bbox": a["bbox"], "score": 0.9} for a in coco.anns.values()]
evaluation = COCOeval(coco, coco.loadRes(truth), "bbox")
evaluation.evaluate(); evaluation.accumulate(); evaluation.summarize()
assert evaluation.stats[0] > 0.99, evaluation.stats
assert len(coco.getCatIds()) == 36 and len(coco.getImgIds()) == 4
print("masks", masks)
"#;
    let output = Command::new(python).args(["-c", script]).arg(out.join("coco.json")).output().expect("started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("masks"));
}
