//! `umwelt check`: every problem of scenes, grammars and model folders, with file, line and remedy.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use crate::{
    app::{
        Exit, all_actions,
        dream_materials::{dream_materials, generator_problems},
        inference_places::models_folder,
        spoken_grammar::spoken_problems,
    },
    base::Problem,
    inference::{
        manifest::{MANIFEST_FILE, MODEL_FILE},
        model_folder::check_model,
        models::is_model_folder,
    },
    scene::{Known, check_grammar, check_scene},
    world::all_kinds,
};

/// Folders inside folders are looked into this deep; links are not followed.
const MAX_DEPTH: usize = 16;
const SCENE_ENDING: &str = ".scene.ron";
const GRAMMAR_ENDING: &str = ".grammar.ron";

/// Arguments of `umwelt check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Scene files, grammar files, model folders, and folders that are searched for them.
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
        find_checkable(path, 0, &mut files, &mut problems);
    }
    let (kinds, actions, dreams) = (all_kinds(), all_actions(), dream_materials(&models_folder()));
    let known = Known { kinds: &kinds, actions: &actions, dreams: &dreams };
    for file in &files {
        problems.extend(match model_folder(file) {
            Some(folder) => match check_model(folder) {
                problems if problems.is_empty() => generator_problems(folder),
                problems => problems,
            },
            None if is_grammar(file) => match check_grammar(file, known) {
                Ok(grammar) => spoken_problems(&grammar, file),
                Err(problems) => problems,
            },
            None => match check_scene(file, known) {
                Ok(scene) => spoken_problems(&scene.grammar(&dreams), file),
                Err(problems) => problems,
            },
        });
    }
    if args.json {
        println!("{}", serde_json::to_string(&json!({ "problems": problems, "files": files.len() }))?);
    } else {
        problems.iter().for_each(|problem| println!("{problem}"));
        println!("{} files checked, {} problems", files.len(), problems.len());
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Bad })
}

/// The model folder that `path` names: itself, or by one of its files.
fn model_folder(path: &Path) -> Option<&Path> {
    let of_model = path.file_name().is_some_and(|name| name == MANIFEST_FILE || name == MODEL_FILE);
    if of_model { path.parent() } else { Some(path).filter(|path| path.is_dir()) }
}

fn is_grammar(path: &Path) -> bool {
    path.to_string_lossy().ends_with(GRAMMAR_ENDING)
}

/// Collects what is to be checked: scene files and model folders. A file that is named is checked whatever it is called.
fn find_checkable(path: &Path, depth: usize, files: &mut BTreeSet<PathBuf>, problems: &mut Vec<Problem>) {
    let mut tell = |what: String, help: &str| {
        problems.push(Problem { path: path.to_owned(), line: 0, what, help: help.to_owned() });
    };
    if !path.is_dir() || is_model_folder(path) {
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
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_folder || name.ends_with(SCENE_ENDING) || name.ends_with(GRAMMAR_ENDING) {
            find_checkable(&entry.path(), depth + 1, files, problems);
        }
    }
    if depth == 0 && files.len() == before && problems.is_empty() {
        let what = "holds nothing to check".to_owned();
        problems.push(Problem {
            path: path.to_owned(),
            line: 0,
            what,
            help: format!("scenes end in {SCENE_ENDING}, grammars in {GRAMMAR_ENDING}, models have a {MANIFEST_FILE}"),
        });
    }
}
