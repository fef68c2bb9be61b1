//! The loop over the lines of a log.
//!
//! Each line is first asked for its kind; the few kinds that matter are read again with their own type. What the loop
//! could not read (an open file that ends in the middle of a block, a broken stream) ends the log there.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::events::{self, Tag};
use super::lines::{Line, Lines};
use super::log::Log;
use super::summary::{LineCounts, Summary};
use super::{codec, failure, files};
use crate::diag::{Diagnostic, Diagnostics};

/// What was read.
pub(super) struct Read {
    pub(super) log: Log,
    pub(super) lines: LineCounts,
    pub(super) truncated: bool,
    pub(super) warnings: Vec<String>,
}

/// Reads a log. Errors are files that cannot be opened and files without a single event.
pub(super) fn read(path: &Path) -> Result<Read, Diagnostics> {
    let cannot = |error: &io::Error, path: &Path| {
        let problem = Diagnostic::error("event-log", format!("cannot read {}: {error}", path.display()));
        failure(
            problem.expected("an event log of Spark, plain or compressed with zstd, gzip, lz4 or snappy").hint("check the path, or decompress the log first"),
        )
    };
    let parts = files::of_log(path).map_err(|error| cannot(&error, path))?;
    let mut read = Read { log: Log::default(), lines: LineCounts::default(), truncated: false, warnings: Vec::new() };
    for part in &parts {
        let input = codec::open(part).map_err(|error| cannot(&error, part))?;
        let mut lines = Lines::new(input);
        if let Err(error) = read.all(&mut lines) {
            read.truncated = true;
            read.warnings.push(format!("the log breaks off after {} lines: {error}", read.lines.read));
        }
    }
    if read.lines.malformed == read.lines.read {
        let problem = Diagnostic::error("event-log", format!("{} is not an event log of Spark", path.display()));
        let found = if read.lines.read == 0 { "no lines".to_owned() } else { format!("{} lines, none of them an event", read.lines.read) };
        return Err(failure(
            problem
                .found(found)
                .expected("one JSON object a line, each with an `Event`")
                .hint("give the file that `spark.eventLog.dir` holds for the application"),
        ));
    }
    read.say();
    Ok(read)
}

impl Read {
    fn all(&mut self, lines: &mut Lines<Box<dyn io::BufRead>>) -> io::Result<()> {
        let mut last_malformed = false;
        loop {
            let malformed = match lines.next_line()? {
                None => break,
                Some(Line::Text(text)) if text.trim_ascii().is_empty() => continue,
                Some(Line::Text(text)) => match self.line(text) {
                    Ok(used) => {
                        self.lines.skipped += u64::from(!used);
                        false
                    }
                    Err(_) => true,
                },
                Some(Line::TooLong) => true,
            };
            self.lines.read += 1;
            self.lines.malformed += u64::from(malformed);
            last_malformed = malformed;
        }
        self.truncated |= last_malformed && lines.unfinished;
        Ok(())
    }

    fn say(&mut self) {
        if !self.log.ended {
            self.truncated = true;
            self.warnings
                .push("the log does not end with the end of the application: it is cut or still being written, and later stages are missing".to_owned());
        }
        if self.lines.malformed > 0 {
            self.warnings.push(format!("{} of {} lines are not events and were left out", self.lines.malformed, self.lines.read));
        }
    }

    /// Takes one line in; `false` if it is an event that is of no use here.
    fn line(&mut self, line: &[u8]) -> serde_json::Result<bool> {
        let tag: Tag<'_> = serde_json::from_slice(line)?;
        let log = &mut self.log;
        match tag.event.as_ref() {
            "SparkListenerLogStart" => log.spark_version = text(&from::<events::LogStart<'_>>(line)?.spark_version),
            "SparkListenerEnvironmentUpdate" => log.environment(&from(line)?),
            "SparkListenerResourceProfileAdded" => log.resource_profile(&from(line)?),
            "SparkListenerApplicationStart" => log.application = text(&from::<events::ApplicationStart<'_>>(line)?.name),
            "SparkListenerApplicationEnd" => log.ended = true,
            "SparkListenerExecutorAdded" => log.executor_added(&from(line)?),
            "SparkListenerExecutorRemoved" => log.executor_removed(&from(line)?),
            "SparkListenerBlockManagerAdded" => log.block_manager(&from(line)?),
            "SparkListenerJobStart" => log.job_start(&from(line)?),
            "SparkListenerJobEnd" => log.job_end(&from(line)?),
            "SparkListenerStageSubmitted" | "SparkListenerStageCompleted" => log.stage_event(&from::<events::StageEvent<'_>>(line)?.info),
            "SparkListenerTaskEnd" => log.task_end(&from(line)?),
            "SparkListenerStageExecutorMetrics" => {
                let event: events::StageExecutorMetrics<'_> = from(line)?;
                log.peaks(&event.executor, &event.peaks);
            }
            "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart" | "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd" => {
                log.sql = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn from<'a, T: Deserialize<'a>>(line: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line)
}

fn text(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Log {
    /// The numbers of what was read; warnings are added by the caller.
    pub(super) fn summarize(&self, lines: LineCounts, truncated: bool) -> Summary {
        let mut totals = self.totals;
        totals.stage_attempts = self.attempts.len() as u64;
        totals.stages = self.attempts.keys().map(|(stage, _)| stage).collect::<std::collections::BTreeSet<_>>().len() as u64;
        Summary {
            spark_version: self.spark_version.clone(),
            application: self.application.clone(),
            totals,
            stages: self.attempts.values().cloned().collect(),
            executors: self.executors.values().filter(|executor| executor.added_ms.is_some() || executor.tasks > 0).cloned().collect(),
            lines,
            truncated,
            warnings: Vec::new(),
        }
    }
}
