//! Spark event logs: from what a run recorded to a job profile and a summary.
//!
//! A log is read line by line with memory that depends on its stages and executors up to stated limits, not on its length. Read are the
//! events of the application, its environment, executors, jobs, stages, finished tasks and executor metrics; others
//! are skipped and counted, lines that are no event are counted as malformed, and a log that breaks off gives what it
//! has and a warning. The module `mapping` says how metrics become work and marks each default; the module `dag` finds
//! which stage reads which stage's shuffle. Codecs: plain, zstd, gzip, lz4, snappy, lzf, by first bytes and by
//! extension; rolled logs are read in the order of their files, and of several attempts of an application the one that
//! got furthest counts. No input makes it panic.

mod aborted;
mod accumulated;
mod attempts;
mod broadcasts;
mod broken;
mod busy;
mod codec;
mod dag;
mod events;
mod files;
mod folded;
mod garbage;
mod jobs;
mod kept_conf;
mod limits;
mod lines;
mod log;
mod machines;
mod mapping;
mod number;
mod objects;
mod operators;
mod partitions;
mod reader;
mod redact;
mod rows;
mod stage_record;
mod stages;
mod storage;
mod summary;
mod warming;
mod world;
mod writers;

use std::io;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Diagnostics};
use crate::profile::Profile;

pub use world::{RecordedHost, RecordedSpan, RecordedStage, RecordedWorld};

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
    /// How long all took.
    pub span: RecordedSpan,
    /// What was read, in numbers.
    pub summary: Summary,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// Reads an event log: a file, or a directory of rolling files.
pub fn ingest(log: &Path) -> Result<Ingested, Diagnostics> {
    ingest_all(&[log.to_owned()])
}

/// Reads the logs of one application: one log, the parts of a rolled one, or the logs of several attempts.
pub fn ingest_all(logs: &[PathBuf]) -> Result<Ingested, Diagnostics> {
    let (files, read) = read_all(logs)?;
    finish(&files.path, read)
}

/// Why a redacted log could not be written.
#[derive(Debug)]
pub enum RedactError {
    /// The log cannot be read.
    Log(Diagnostics),
    /// The output cannot be written.
    Write(io::Error),
}

/// Writes the log that [`ingest_all`] would read without what it says about people, places and data, packed as the
/// ending of `name` asks.
pub fn redact_log(logs: &[PathBuf], name: &str, out: Box<dyn io::Write>) -> Result<(), RedactError> {
    readable_twice(logs).map_err(RedactError::Log)?;
    let out = codec::Packed::new(name, out).map_err(RedactError::Write)?;
    let (files, _) = read_all(logs).map_err(RedactError::Log)?;
    let (_, written) = reader::read_redacted(&files, out).map_err(RedactError::Log)?;
    written.map_err(RedactError::Write)
}

/// What [`ingest_all`] gives for the redacted log: the profile has no private text in it.
pub fn ingest_redacted(logs: &[PathBuf]) -> Result<Ingested, Diagnostics> {
    readable_twice(logs)?;
    let (files, _) = read_all(logs)?;
    let (read, _) = reader::read_redacted(&files, codec::Packed::Plain(Box::new(io::sink())))?;
    finish(Path::new(redact::REDACTED), read)
}

/// Reads a log from a stream. The name is that of the file it came from: it tells the codec where the first bytes do not.
pub fn ingest_stream(name: &str, input: impl io::Read + 'static) -> Result<Ingested, Diagnostics> {
    finish(Path::new(name), reader::read_stream(name, input)?)
}

/// Redaction reads a log again once it knows which of several it is, which a stream does not allow.
fn readable_twice(logs: &[PathBuf]) -> Result<(), Diagnostics> {
    match logs.iter().find(|log| codec::is_stream(log)) {
        None => Ok(()),
        Some(stream) => Err(failure(
            Diagnostic::error("event-log", format!("{} is a stream, and redaction reads a log more than once", stream.display()))
                .expected("a file")
                .hint("write the stream into a file first"),
        )),
    }
}

/// The log to use, read.
fn read_all(logs: &[PathBuf]) -> Result<(files::LogFiles, reader::Read), Diagnostics> {
    let logs = files::of_paths(logs).map_err(|(path, error)| failure(reader::cannot_read(&path, &error)))?;
    let read = logs.into_iter().map(|log| reader::read(&log).map(|read| (log, read))).collect::<Result<_, _>>()?;
    attempts::furthest(read)
}

fn finish(path: &Path, read: reader::Read) -> Result<Ingested, Diagnostics> {
    let name = path.display().to_string();
    let (mut log, mut warnings) = (read.log, read.warnings);
    log.settle();
    log.finish_rows();
    let summary = log.summarize(read.lines, read.truncated);
    let (world, recorded) = (world::world(&log), world::stages(&log));
    let started_ms = jobs::started_ms(&log);
    let (profile, lost) = dag::to_profile(log, &stem(path), &mut warnings).ok_or_else(|| failure(no_task(&name)))?;
    let span = RecordedSpan { started_ms, ended_ms: recorded.iter().filter_map(|stage| stage.ended_ms).max(), lost };
    let mut diagnostics = Diagnostics::default();
    for warning in &warnings {
        diagnostics.push(Diagnostic::warning("event-log", format!("{name}: {warning}")));
    }
    Ok(Ingested { profile, world, recorded, span, summary: Summary { warnings, ..summary }, diagnostics })
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
