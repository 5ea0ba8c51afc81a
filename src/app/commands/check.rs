//! `umwelt check`: every problem of scenes, with file, line and remedy.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use crate::{app::Exit, base::Problem, scene::check_scene, world::all_kinds};

/// Folders inside folders are looked into this deep; links are not followed.
const MAX_DEPTH: usize = 16;
const SCENE_ENDING: &str = ".scene.ron";

/// Arguments of `umwelt check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Scene files, and folders that are searched for *.scene.ron.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// Runs the command. Problems are told on standard output; the answer is [`Exit::Bad`] if there are any.
///
/// # Errors
/// - standard output cannot be written
pub fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    let mut problems = Vec::new();
    let mut files = BTreeSet::new();
    for path in &args.paths {
        find_scenes(path, 0, &mut files, &mut problems);
    }
    let kinds = all_kinds();
    for file in &files {
        problems.extend(check_scene(file, &kinds).err().unwrap_or_default());
    }
    if args.json {
        println!("{}", serde_json::to_string(&json!({ "problems": problems, "files": files.len() }))?);
    } else {
        problems.iter().for_each(|problem| println!("{problem}"));
        println!("{} files checked, {} problems", files.len(), problems.len());
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Bad })
}

/// Collects what is to be checked. A file that is named is checked whatever it is called.
fn find_scenes(path: &Path, depth: usize, files: &mut BTreeSet<PathBuf>, problems: &mut Vec<Problem>) {
    let mut tell = |what: String, help: &str| {
        problems.push(Problem { path: path.to_owned(), line: 0, what, help: help.to_owned() });
    };
    if !path.is_dir() {
        files.insert(path.to_owned());
        return;
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) if depth < MAX_DEPTH => entries,
        Ok(_) => return tell("folders stand inside each other too deep".to_owned(), "name the inner folder"),
        Err(error) => return tell(format!("cannot be read: {error}"), "check the permissions"),
    };
    let before = files.len();
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder || entry.file_name().to_string_lossy().ends_with(SCENE_ENDING) {
            find_scenes(&entry.path(), depth + 1, files, problems);
        }
    }
    if depth == 0 && files.len() == before && problems.is_empty() {
        let what = "holds nothing to check".to_owned();
        problems.push(Problem { path: path.to_owned(), line: 0, what, help: format!("scenes end in {SCENE_ENDING}") });
    }
}
