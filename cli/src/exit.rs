//! How a command ends: the exit status as a type, and the ways of not getting there.
//!
//! The numbers are part of the interface and are documented in the guide. A failed *simulation* is a result, so
//! it is [`Exit::Done`]; only a gate that the user asked for turns a result into a failure.

use std::process::ExitCode;

use scenarios::diag::{Diagnostic, Diagnostics};

/// What the shell gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done, and within every gate.
    Done,
    /// 1: done, but a gate of `--fail-if` failed.
    GateFailed,
    /// 2: could not do it.
    Failed,
    /// 130: interrupted; what was done is written and marked.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::GateFailed => 1,
            Self::Failed => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads stdout any more: a quiet success.
    BrokenPipe,
    /// Problems in what the user wrote.
    Diagnosed(Diagnostics),
    /// Anything else: an unwritable file, a defect of the model.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        (*diagnostic).into()
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        let mut all = Diagnostics::default();
        all.push(diagnostic);
        Self::Diagnosed(all)
    }
}
