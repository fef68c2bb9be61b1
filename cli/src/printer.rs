//! The only way out: results go to stdout, everything else to stderr.
//!
//! Colour is decided once for each stream from `--color`, `NO_COLOR`, `CLICOLOR_FORCE` and whether it is a terminal;
//! a stream without colour gets no escape sequences whoever wrote them. A reader that goes away is reported as
//! [`Failure::BrokenPipe`], which ends quietly with 0. Failing writes to stderr are ignored: nobody is left to tell.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use scenarios::diag::{Diagnostics, Severity};

use crate::args::{ColorWhen, GlobalArgs};
use crate::diagnostics;
use crate::env_vars;
use crate::exit::Failure;

/// Columns of a table or a help text when stdout is not a terminal.
const PIPED_WIDTH: usize = 80;
/// Wider lines are hard to read, however wide the terminal.
const WIDEST: usize = 120;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

/// Where everything that is said goes through.
#[derive(Debug)]
pub(crate) struct Printer {
    stdout: ColorChoice,
    stderr: ColorChoice,
    verbosity: Verbosity,
    progress: bool,
}

impl Printer {
    /// A printer as the global options want it.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        let progress = !global.no_progress && verbosity > Verbosity::Quiet;
        Self { verbosity, progress, ..Self::colored(global.color) }
    }

    /// A printer for messages about the arguments themselves: only `--color` is looked for, by its spelling.
    pub(crate) fn before_parsing() -> Self {
        Self::colored(color_typed(std::env::args()))
    }

    fn colored(when: ColorWhen) -> Self {
        let (stdout, stderr) = match when {
            ColorWhen::Always => (ColorChoice::Always, ColorChoice::Always),
            ColorWhen::Never => (ColorChoice::Never, ColorChoice::Never),
            ColorWhen::Auto => (AutoStream::choice(&io::stdout()), AutoStream::choice(&io::stderr())),
        };
        Self { stdout, stderr, verbosity: Verbosity::Normal, progress: false }
    }

    /// A result, as it is, to stdout.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        self.result_in_pieces(|stdout| stdout.write_all(text.as_bytes()))
    }

    /// A result that is too large to be held, to stdout.
    pub(crate) fn result_in_pieces(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.stdout);
        let written = write(&mut stdout).and_then(|()| stdout.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::Other(anyhow::Error::new(error).context("cannot write to stdout")),
        })
    }

    /// How tables on stdout look.
    pub(crate) fn table_style(&self) -> reports::table::Style {
        reports::table::Style { color: self.stdout != ColorChoice::Never }
    }

    /// Something worth knowing.
    pub(crate) fn note(&self, message: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.tell(&format!("{NOTE}note{NOTE:#}: {message}\n"));
        }
    }

    /// Something that few want to know.
    pub(crate) fn detail(&self, message: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.tell(&format!("{NOTE}note{NOTE:#}: {message}\n"));
        }
    }

    /// Why it could not be done, with all causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.tell(&format!("{ERROR}error{ERROR:#}: {error:#}\n"));
    }

    /// A gate that failed: the result is there, but it is not what the user wants.
    pub(crate) fn gate_failed(&self, message: &str) {
        self.tell(&format!("{ERROR}gate failed{ERROR:#}: {message}\n"));
    }

    /// What clap has to say, which brings its own `error:`.
    pub(crate) fn usage_error(&self, text: &str) {
        self.tell(text);
    }

    /// All problems, errors in any case, warnings unless quiet.
    pub(crate) fn diagnostics(&self, all: &Diagnostics) {
        let least = if self.verbosity == Verbosity::Quiet { Severity::Error } else { Severity::Warning };
        for diagnostic in all.items().iter().filter(|diagnostic| diagnostic.severity >= least) {
            self.tell(&format!("{}\n\n", diagnostics::draw(diagnostic)));
        }
    }

    /// Whether a progress bar is wanted (whether it can be shown is the terminal's affair).
    pub(crate) fn wants_progress(&self) -> bool {
        self.progress
    }

    fn tell(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.stderr);
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

/// Columns that results may take: the terminal's, within reason, or 80 when piped.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(PIPED_WIDTH, |(terminal_size::Width(columns), _)| usize::from(columns).clamp(40, WIDEST))
}

/// `--color` as typed, or its twin; for use before the arguments are known to be right.
fn color_typed(arguments: impl Iterator<Item = String>) -> ColorWhen {
    let mut typed = std::env::var(env_vars::COLOR).ok();
    let mut arguments = arguments.skip(1).take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--color" {
            typed = arguments.next();
        } else if let Some(when) = argument.strip_prefix("--color=") {
            typed = Some(when.to_owned());
        }
    }
    match typed.as_deref() {
        Some("always") => ColorWhen::Always,
        Some("never") => ColorWhen::Never,
        _ => ColorWhen::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_is_found_before_parsing() {
        let typed = |line: &str| color_typed(line.split(' ').map(str::to_owned));
        assert_eq!(typed("spillcast --color always run"), ColorWhen::Always);
        assert_eq!(typed("spillcast run --color=never --bogus"), ColorWhen::Never);
        assert_eq!(typed("spillcast --color"), ColorWhen::Auto);
        assert_eq!(typed("spillcast -- --color=always"), ColorWhen::Auto);
    }
}
