//! `new`: a commented scenario that runs as it is.

use std::path::Path;

use crate::args::NewArgs;
use crate::exit::{Exit, Failure};
use crate::out_file::OutFile;
use crate::printer::Printer;

/// Prints or writes the scenario.
pub(super) fn new(args: &NewArgs, printer: &Printer) -> Result<Exit, Failure> {
    let text = scenarios::new_scenario(&args.name);
    match args.out.out.as_deref().filter(|path| *path != Path::new("-")) {
        None => printer.result(&text)?,
        Some(path) => {
            OutFile::open(path, args.out.force)?.commit(text.as_bytes())?;
            printer.note(&format!("wrote `{0}`; next: `spillcast run {0}`", path.display()));
            printer.detail("`spillcast schema > scenario.schema.json` beside it gives completion in editors");
        }
    }
    Ok(Exit::Done)
}
