//! Exit codes, and which error means which.

use std::process::ExitCode;

use thiserror::Error;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: the input or the result is bad.
    Bad,
    /// 2: the call is wrong.
    WrongCall,
    /// 3: the machine lacks something.
    Lacking,
}

/// An error that means: this machine lacks something. The text says what and how to get it.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Lacking(pub String);

/// An error that means: the command was called wrongly. The text says what to write instead.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct WrongCall(pub String);

impl Exit {
    /// The code of an error: [`Lacking`] and [`WrongCall`] anywhere in its chain have their own, everything else is 1.
    pub fn from_error(error: &anyhow::Error) -> Exit {
        if error.chain().any(|cause| cause.is::<Lacking>()) {
            Exit::Lacking
        } else if error.chain().any(|cause| cause.is::<WrongCall>()) {
            Exit::WrongCall
        } else {
            Exit::Bad
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Bad => 1,
            Exit::WrongCall => 2,
            Exit::Lacking => 3,
        })
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn codes_survive_added_context() {
        let lacking = Err::<(), _>(Lacking("no GPU".into())).context("starting").unwrap_err();
        assert_eq!(Exit::from_error(&lacking), Exit::Lacking);
        assert_eq!(Exit::from_error(&anyhow::anyhow!("bad file")), Exit::Bad);
    }
}
