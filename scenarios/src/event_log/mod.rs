//! Spark event logs: from what a run recorded to a job profile and a summary.
//!
//! A log is read line by line with memory that depends on its stages and executors, not on its length. Read are the
//! events of the application, its environment, executors, jobs, stages, finished tasks and executor metrics; others
//! are skipped and counted, lines that are no event are counted as malformed, and a log that breaks off gives what it
//! has and a warning. The module `mapping` says how metrics become work and marks each default; the module `dag` finds
//! which stage reads which stage's shuffle. Codecs: plain, zstd, gzip, lz4, snappy, by first bytes and by extension;
//! rolling logs (`eventlog_v2_*`) are read in the order of their files. No input makes it panic.

mod busy;
mod codec;
mod dag;
mod events;
mod files;
mod lines;
mod log;
mod machines;
mod mapping;
mod number;
mod reader;
mod storage;
mod summary;
mod world;

use std::path::Path;

use crate::diag::{Diagnostic, Diagnostics};
use crate::profile::Profile;

pub use world::{RecordedHost, RecordedStage, RecordedWorld};

pub use summary::{ExecutorSummary, LineCounts, StageSummary, Summary, Totals};

/// What an event log gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingested {
    /// The application as a profile with recorded rows.
    pub profile: Profile,
    /// On what it ran.
    pub world: RecordedWorld,
    /// Stages in the order of the profile's, as they were.
    pub recorded: Vec<RecordedStage>,
    /// What was read, in numbers.
    pub summary: Summary,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// Reads an event log: a file, or a directory of rolling files.
pub fn ingest(log: &Path) -> Result<Ingested, Diagnostics> {
    let read = reader::read(log)?;
    let name = log.display().to_string();
    let mut warnings = read.warnings;
    let summary = read.log.summarize(read.lines, read.truncated);
    let (world, recorded) = (world::world(&read.log), world::stages(&read.log));
    let profile = dag::to_profile(read.log, &stem(log), &mut warnings).ok_or_else(|| failure(no_task(&name)))?;
    let mut diagnostics = Diagnostics::default();
    for warning in &warnings {
        diagnostics.push(Diagnostic::warning("event-log", format!("{name}: {warning}")));
    }
    Ok(Ingested { profile, world, recorded, summary: Summary { warnings, ..summary }, diagnostics })
}

fn failure(problem: Diagnostic) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    diagnostics.push(problem);
    diagnostics
}

fn no_task(name: &str) -> Diagnostic {
    Diagnostic::error("event-log", format!("{name}: the log has no finished task, so there is no work to replay"))
        .expected("`SparkListenerTaskEnd` events")
        .hint("use the log of a run that got at least through its first stage")
}

/// Name of the profile: the file's name up to its first dot.
fn stem(log: &Path) -> String {
    let name = log.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_start_matches("eventlog_v2_").split('.').next().unwrap_or_default().trim().to_owned();
    if stem.is_empty() { "recorded-job".to_owned() } else { stem }
}
