//! The binary `spillcast`: glue between what users type and the crates that read, simulate and draw.
//!
//! `args` is exactly what was typed, `settings` is what it means once everything is known, `commands` has one
//! file a command, and `printer` is the only way out: stdout carries results, stderr all the rest. The exit
//! status is a type ([`exit::Exit`]). A simulated out-of-memory death is a result, so it ends with 0; a broken
//! pipe is a success too. The manners follow ripgrep, cargo and spark-submit, which our users have in their fingers.

mod args;
mod cache;
mod commands;
mod diagnostics;
mod env_vars;
mod exit;
mod gate;
mod interrupt;
mod out_dir;
mod out_file;
mod printer;
mod progress;
mod quote;
mod report;
mod session;
mod settings;
mod stories;
mod wrap;

use std::process::ExitCode;

use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::printer::Printer;

fn main() -> ExitCode {
    match Cli::parse_arguments() {
        Ok(cli) => {
            let printer = Printer::new(&cli.global);
            conclude(&printer, commands::dispatch(cli.command, &printer)).into()
        }
        Err(stopped) => conclude_without_command(&stopped),
    }
}

/// Reports a failure, and says what the shell gets.
fn conclude(printer: &Printer, ended: Result<Exit, Failure>) -> Exit {
    match ended {
        Ok(exit) => exit,
        // After Ctrl-C the reader of a pipe is often gone too.
        Err(Failure::BrokenPipe) => {
            if interrupt::requested() {
                Exit::Interrupted
            } else {
                Exit::Done
            }
        }
        Err(Failure::Diagnosed(diagnostics)) => {
            printer.diagnostics(&diagnostics);
            Exit::Failed
        }
        Err(Failure::Other(error)) => {
            printer.error(&error);
            Exit::Failed
        }
    }
}

/// `--help` and `--version` are results; everything else that stops the parser is a usage error.
fn conclude_without_command(stopped: &clap::Error) -> ExitCode {
    let printer = Printer::before_parsing();
    let text = stopped.render().ansi().to_string();
    if stopped.use_stderr() {
        printer.usage_error(&text);
        return Exit::Failed.into();
    }
    conclude(&printer, printer.result(&text).map(|()| Exit::Done)).into()
}
