//! Commands of files as phrases for the ear: `scene` and `percepts` know nothing of each other.

use std::{path::Path, sync::Arc};

use crate::{
    base::Problem,
    percepts::speech::{CommandPhrase, GrammarProblem, GrammarSource, PhoneGraph, Word, ambiguity::ambiguities},
    scene::{CommandWord, GrammarSpec, Known, check_grammar},
    world::all_kinds,
};

use super::{all_actions, dream_materials::dream_materials, inference_places::models_folder};

/// What can be said, as the ear takes it.
pub fn spoken_grammar(spec: &GrammarSpec) -> GrammarSource {
    let word = |word: &CommandWord| match word {
        CommandWord::Fixed(word) => Word::Fixed(word.clone()),
        CommandWord::Slot(slot) => Word::Slot(slot.clone()),
    };
    let commands = spec.commands.iter().map(|command| CommandPhrase {
        line: command.line,
        phrase: command.parts.clone(),
        action: command.action.clone(),
        words: command.words.iter().map(word).collect(),
    });
    GrammarSource { commands: commands.collect(), slots: spec.slots.clone(), say_as: spec.say_as.clone() }
}

/// Words that cannot be pronounced and phrases that sound alike, as problems of the file that they stand in.
pub fn spoken_problems(spec: &GrammarSpec, path: &Path) -> Vec<Problem> {
    let found = match PhoneGraph::compile(&spoken_grammar(spec)) {
        Ok(graph) => ambiguities(&graph),
        Err(problems) => problems,
    };
    found.into_iter().map(|problem| in_file(problem, path)).collect()
}

/// A problem of a phrase as one of its file.
pub fn in_file(GrammarProblem { line, what, help }: GrammarProblem, path: &Path) -> Problem {
    Problem { path: path.to_owned(), line, what, help }
}

/// The phrases of a grammar file or a scene, ready for the ear.
///
/// # Errors
/// - all problems of the file, one a line
pub fn open_grammar(path: &Path) -> anyhow::Result<Arc<PhoneGraph>> {
    let source = open_source(path)?;
    PhoneGraph::compile(&source)
        .map(Arc::new)
        .map_err(|problems| listed(problems.into_iter().map(|problem| in_file(problem, path)).collect()))
}

/// The phrases of a grammar file or a scene.
///
/// # Errors
/// - all problems of the file, one a line; there is no command
pub fn open_source(path: &Path) -> anyhow::Result<GrammarSource> {
    let (kinds, actions, dreams) = (all_kinds(), all_actions(), dream_materials(&models_folder()));
    let spec = check_grammar(path, Known { kinds: &kinds, actions: &actions, dreams: &dreams }).map_err(listed)?;
    anyhow::ensure!(!spec.commands.is_empty(), "{}: there is no command; add some `commands`", path.display());
    Ok(spoken_grammar(&spec))
}

fn listed(problems: Vec<Problem>) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("the grammar has problems\n{}", lines.join("\n"))
}
