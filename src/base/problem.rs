//! What is wrong with an author's file, and what to do about it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// One problem in one place: `assets/scenes/x.scene.ron:41: unknown kind "microphon"; did you mean "microphone"?`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub path: PathBuf,
    /// Line in the file, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    pub what: String,
    /// The remedy.
    pub help: String,
}

impl Problem {
    /// A problem of a file as a whole.
    pub fn of_file(path: &Path, what: &str, help: &str) -> Self {
        Self { path: path.to_owned(), line: 0, what: what.to_owned(), help: help.to_owned() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.what)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}

/// The known word that `word` most resembles (Jaro-Winkler similarity above 0.75), if any.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("microphon", ["teapot", "microphone"]), Some("microphone"));
        assert_eq!(did_you_mean("zzz", ["teapot", "microphone"]), None);
    }
}
