//! What authors will try wrong, one scene per mistake, with the expected text beside it.

use std::{fs, path::Path};

use umwelt::{
    base::Problem,
    scene::{ActionRegistry, DreamMaterials, KindRegistry, Known, Parameter, SceneSpec},
};

/// With kinds of typical size, a few actions and a few materials that can be dreamt.
fn check_scene(path: &Path) -> Result<SceneSpec, Vec<Problem>> {
    let mut actions = ActionRegistry::default();
    actions.register("Follow", &[], "");
    actions.register("Find", &[Parameter::Object], "");
    actions.register("GoTo", &[Parameter::Place], "");
    actions.register("Paint", &[Parameter::Material], "");
    actions.register("Lights", &[Parameter::Choice(&["on", "off", "dim", "bright"])], "");
    actions.register("Wait", &[Parameter::Number(1, 60)], "");
    let dreams = DreamMaterials(["bricks", "marble", "moss", "wood"].map(str::to_owned).into());
    umwelt::scene::check_scene(path, Known { kinds: &KindRegistry::typical(), actions: &actions, dreams: &dreams })
}

#[test]
fn every_bad_scene_is_told_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad_scenes");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(".scene.ron"));
    paths.sort();
    assert!(paths.len() >= 45, "only {} bad scenes", paths.len());
    let mut differences = String::new();
    for path in paths {
        let expected =
            fs::read_to_string(path.to_string_lossy().replace(".scene.ron", ".expected")).unwrap_or_default();
        let problems = check_scene(&path).err().unwrap_or_default();
        let root = format!("{}/", folder.display());
        let told: String = problems.iter().map(|problem| problem.to_string().replace(&root, "") + "\n").collect();
        if told != expected {
            differences += &format!("== {}\n-- expected\n{expected}-- told\n{told}", path.display());
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn thirty_faults_are_told_at_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad_scenes/thirty_faults.scene.ron");
    let problems = check_scene(&path).unwrap_err();
    assert_eq!(problems.len(), 30, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.line > 0 && !problem.help.is_empty()));
}

#[test]
fn what_cannot_be_read_is_one_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.scene.ron");
    let told = |path: &Path| check_scene(path).unwrap_err()[0].to_string();
    assert!(told(&path).contains("cannot be read"));
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(told(&path).contains("not UTF-8"));
    fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
    assert!(told(&path).contains("larger than 1 MiB"));
}
