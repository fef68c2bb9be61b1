//! One file a command. A command takes what was typed and the printer, and says how it ended.

mod completions;
mod explain;
mod ingest;
mod list;
mod new;
mod placement;
mod schema;
mod study;
mod validate;

use scenarios::{Request, Scenario};

use crate::args::Command;
use crate::exit::{Exit, Failure};
use crate::printer::Printer;
use crate::settings::{Mode, StudySettings};

/// Does what was asked.
pub(crate) fn dispatch(command: Command, printer: &Printer) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => study::study(&StudySettings::resolve(args, Mode::Run)?, printer),
        Command::Sweep(args) => study::study(&StudySettings::resolve(args, Mode::Sweep)?, printer),
        Command::Ingest(args) => ingest::ingest(&args, printer),
        Command::Validate(args) => validate::validate(&args, printer),
        Command::List(args) => list::list(&args, printer),
        Command::Explain(args) if args.key.as_deref() == Some(placement::WORD) => placement::placement(args, printer),
        Command::Explain(args) => explain::explain(args, printer),
        Command::Schema => schema::schema(printer),
        Command::New(args) => new::new(&args, printer),
        Command::Completions(args) => completions::completions(&args, printer),
    }
}

/// Loads a scenario and tells its warnings.
fn load(request: &Request, printer: &Printer) -> Result<Scenario, Failure> {
    let (scenario, diagnostics) = scenarios::load(request);
    match scenario {
        Some(scenario) if !diagnostics.has_errors() => {
            printer.diagnostics(&diagnostics);
            Ok(scenario)
        }
        _ => Err(Failure::Diagnosed(diagnostics)),
    }
}
