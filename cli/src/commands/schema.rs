//! `schema`: the JSON Schema of a scenario file.

use crate::exit::{Exit, Failure};
use crate::printer::Printer;
use crate::report;

/// Prints the schema.
pub(super) fn schema(printer: &Printer) -> Result<Exit, Failure> {
    printer.result(&report::pretty(&scenarios::schema()))?;
    Ok(Exit::Done)
}
