//! `completions`: completions for a shell, from the same definition as the help.

use crate::args::{Cli, CompletionsArgs};
use crate::exit::{Exit, Failure};
use crate::printer::Printer;

/// Prints completions.
pub(super) fn completions(args: &CompletionsArgs, printer: &Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::sized_command(), "spillcast", &mut script);
    printer.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
