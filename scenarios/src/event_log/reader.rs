//! The loop over the lines of a log.
//!
//! Each line is first asked for its kind, which Spark writes as the first key, so that the kinds that do not matter are
//! passed over unparsed. What the loop could not read (an open file that ends in the middle of a block, a broken stream)
//! ends that file, and the next one of a rolled log goes on.

use std::io::{self, Write};
use std::path::Path;

use serde::Deserialize;

use super::broken::Broken;
use super::codec::Packed;
use super::events::{self, Tag};
use super::files::LogFiles;
use super::limits::{LONGEST_TEXT, short};
use super::lines::{Line, Lines};
use super::log::Log;
use super::redact::{REDACTED, Redactor};
use super::summary::{LineCounts, Summary, Totals};
use super::{codec, failure};
use crate::diag::{Diagnostic, Diagnostics};

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) log: Log,
    pub(super) lines: LineCounts,
    pub(super) truncated: bool,
    pub(super) warnings: Vec<String>,
    /// The first line that is no event, and the part of the log that it is in.
    broken: Option<(Option<String>, Broken)>,
    /// Why reading ended before the log did.
    broke_off: Option<io::Error>,
    /// What private things are taken out with before anything is read, and where the redacted lines go.
    redaction: Option<Redaction>,
}

/// Redacts while reading.
struct Redaction {
    redactor: Redactor,
    out: Packed<Box<dyn io::Write>>,
    failed: Option<io::Error>,
}

/// Reads a log. Errors are files that cannot be opened and files without a single event.
pub(super) fn read(log: &LogFiles) -> Result<Read, Diagnostics> {
    let mut read = Read::default();
    read.warnings.extend(log.gap.iter().chain(&log.twice).cloned());
    read.parts(log)?;
    read.finish(&log.path.display().to_string())
}

/// Reads a log as its redacted lines, which also go to `out`. An error of `out` is given back beside what was read.
pub(super) fn read_redacted(log: &LogFiles, out: Packed<Box<dyn io::Write>>) -> Result<(Read, io::Result<()>), Diagnostics> {
    let mut read = Read { redaction: Some(Redaction { redactor: Redactor::default(), out, failed: None }), ..Read::default() };
    read.parts(log)?;
    let written = read.redaction.take().map_or(Ok(()), |redaction| redaction.failed.map_or_else(|| redaction.out.finish(), Err));
    Ok((read.finish(REDACTED)?, written))
}

/// Reads a log from a stream; its name tells the codec where its first bytes do not.
pub(super) fn read_stream(name: &str, input: impl io::Read + 'static) -> Result<Read, Diagnostics> {
    let mut read = Read::default();
    read.all(None, codec::text_of(name, input).map_err(|error| failure(cannot_read(Path::new(name), &error)))?);
    read.finish(name)
}

/// A file that cannot be read at all.
pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("event-log", format!("cannot read {}: {error}", path.display()))
        .expected("an event log of Spark, plain or compressed with zstd, gzip, lz4, snappy or lzf")
        .hint(match error.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "ask for the right to read it, or copy it to where you have it",
            io::ErrorKind::InvalidInput => "name one file; a stream can be given as `/dev/stdin`",
            _ => "check the path, or decompress the log first",
        })
}

impl Read {
    fn parts(&mut self, log: &LogFiles) -> Result<(), Diagnostics> {
        for part in &log.parts {
            let text = codec::open(part).map_err(|error| failure(cannot_read(part, &error)))?;
            let name = part.file_name().filter(|_| log.parts.len() > 1);
            self.all(name.map(|name| name.to_string_lossy().into_owned()), text);
        }
        Ok(())
    }

    /// Reads one part; it has a name if there are several.
    fn all(&mut self, part: Option<String>, text: Box<dyn io::Read>) {
        let mut lines = Lines::new(text);
        let mut number = 0;
        if let Err(error) = self.lines_of(&mut lines, &mut number, part.as_ref()) {
            self.truncated = true;
            let place = part.map_or_else(String::new, |part| format!(" of {part}"));
            self.warnings.push(format!("the log breaks off after {number} lines{place}: {error}"));
            self.broke_off = Some(error);
        }
    }

    fn lines_of(&mut self, lines: &mut Lines<Box<dyn io::Read>>, number: &mut u64, part: Option<&String>) -> io::Result<()> {
        let mut last_malformed = false;
        while let Some(line) = lines.next_line()? {
            *number += 1;
            let text = match line {
                Line::Text(text) if text.trim_ascii().is_empty() => continue,
                Line::Text(text) => Some(text.trim_ascii_end()),
                Line::TooLong => None,
            };
            let used = text.and_then(|text| self.line(text).ok());
            last_malformed = used.is_none();
            if last_malformed && self.broken.is_none() {
                self.broken = Some((part.cloned(), Broken::new(*number, text)));
            }
            self.lines.read += 1;
            self.lines.malformed += u64::from(last_malformed);
            self.lines.skipped += u64::from(used == Some(false));
            if !last_malformed {
                lines.was_event();
            }
        }
        self.truncated |= last_malformed && lines.unfinished;
        Ok(())
    }

    /// The problem of a log that has not a single event.
    fn no_event(&self, name: &str) -> Diagnostic {
        let mut found = match (self.lines.read, &self.broken) {
            (0, _) => "no lines".to_owned(),
            (1, Some((_, broken))) => broken.describe(),
            (n, broken) => format!("{n} lines, none of them an event; {}", broken.as_ref().map_or_else(String::new, |(_, broken)| broken.describe())),
        };
        if let Some(error) = &self.broke_off {
            found += "; it cannot be read further: ";
            found += &error.to_string();
        }
        let hint = match (&self.broken, &self.broke_off) {
            (_, Some(error)) if error.to_string().contains("too much memory") => "unpack it first with `zstd -d --long=31`",
            (Some((_, broken)), _) => broken.hint(),
            (None, Some(_)) => "copy the file again, or unpack it by hand to see whether it is whole",
            (None, None) => "the file is empty: look whether the application wrote its log elsewhere (`spark.eventLog.dir`)",
        };
        let problem = Diagnostic::error("event-log", format!("{name} is not an event log of Spark"));
        problem.found(found).expected("one JSON object a line, each with an `Event`").hint(hint)
    }

    fn finish(mut self, name: &str) -> Result<Self, Diagnostics> {
        if self.lines.malformed == self.lines.read {
            return Err(failure(self.no_event(name)));
        }
        if !self.log.ended {
            self.truncated = true;
            self.warnings
                .push("the log does not end with the end of the application: it is cut or still being written, and later stages are missing".to_owned());
        }
        if self.lines.malformed > 0 {
            let first = self.broken.as_ref().map_or_else(String::new, |(part, broken)| {
                let place = part.as_ref().map_or_else(String::new, |part| format!(" (in {part})"));
                format!("; the first, {}{place}", broken.describe())
            });
            self.warnings.push(format!("{} of {} lines are not events and were left out{first}", self.lines.malformed, self.lines.read));
        }
        Ok(self)
    }

    /// Takes one line in; `false` if it is an event that is of no use here.
    fn line(&mut self, line: &[u8]) -> serde_json::Result<bool> {
        if let Some(redaction) = &mut self.redaction {
            return match redaction.line(line) {
                Some(redacted) => self.parse(redacted.as_bytes()),
                None => Ok(false),
            };
        }
        self.parse(line)
    }

    fn parse(&mut self, line: &[u8]) -> serde_json::Result<bool> {
        if let Some(kind) = kind_at_start(line) {
            return self.event(kind, line);
        }
        let tag: Tag<'_> = serde_json::from_slice(line)?;
        self.event(&tag.event, line)
    }

    fn event(&mut self, kind: &str, line: &[u8]) -> serde_json::Result<bool> {
        let log = &mut self.log;
        match kind {
            "SparkListenerTaskEnd" => log.task_end(&from(line)?),
            "SparkListenerStageSubmitted" | "SparkListenerStageCompleted" => log.stage_event(&from::<events::StageEvent<'_>>(line)?.info),
            "SparkListenerJobStart" => log.job_start(&from(line)?),
            "SparkListenerJobEnd" => log.job_end(&from(line)?),
            "SparkListenerExecutorAdded" => log.executor_added(&from(line)?),
            "SparkListenerBlockManagerAdded" => log.block_manager(&from(line)?),
            "SparkListenerExecutorRemoved" => log.executor_removed(&from(line)?),
            "SparkListenerStageExecutorMetrics" => {
                let event: events::StageExecutorMetrics<'_> = from(line)?;
                log.peaks(&event.executor, &event.peaks);
            }
            "SparkListenerLogStart" => log.spark_version = text(&from::<events::LogStart<'_>>(line)?.spark_version),
            "SparkListenerEnvironmentUpdate" => log.environment(&from(line)?),
            "SparkListenerResourceProfileAdded" => log.resource_profile(&from(line)?),
            "SparkListenerApplicationStart" => log.application_start(&from(line)?),
            "SparkListenerApplicationEnd" => log.ended = true,
            "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd" => log.sql = true,
            "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart" => {
                log.sql = true;
                return self.plan(line);
            }
            "org.apache.spark.sql.execution.ui.SparkListenerSQLAdaptiveExecutionUpdate" => return self.plan(line),
            "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates" => log.broadcasts.measured(&from(line)?),
            // Most lines of a log start a task or tell of a block. They are not parsed, but a line that is cut is seen.
            _ if line.ends_with(b"}") => return Ok(false),
            _ => return from::<serde::de::IgnoredAny>(line).map(|_| false),
        }
        Ok(true)
    }
}

impl Read {
    /// Takes the broadcasts of a query's plan in. A plan can be nested deeper than the parser goes; then the line is only checked.
    fn plan(&mut self, line: &[u8]) -> serde_json::Result<bool> {
        match from(line) {
            Ok(event) => self.log.broadcasts.plan(event),
            Err(_) => from::<serde::de::IgnoredAny>(line).map(|_| ())?,
        }
        Ok(true)
    }
}

impl Redaction {
    /// The redacted line, written.
    fn line(&mut self, line: &[u8]) -> Option<String> {
        let redacted = self.redactor.line(line)?;
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{redacted}").err();
        }
        Some(redacted)
    }
}

/// The kind of an event whose first key says it, as Spark writes them; found without parsing the line.
pub(super) fn kind_at_start(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(b"{\"Event\":\"")?;
    let end = rest.iter().position(|byte| *byte == b'"' || *byte == b'\\')?;
    if rest[end] == b'"' { std::str::from_utf8(&rest[..end]).ok() } else { None }
}

fn from<'a, T: Deserialize<'a>>(line: &'a [u8]) -> serde_json::Result<T> {
    // Texts of a line that is UTF-8 as a whole, which is quick to see, are not looked at one by one.
    match std::str::from_utf8(line) {
        Ok(line) => serde_json::from_str(line),
        Err(_) => serde_json::from_slice(line),
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(|text| short(text, LONGEST_TEXT))
}

impl Log {
    /// The numbers of what was read; warnings are added by the caller. The attempts move into it.
    pub(super) fn summarize(&mut self, lines: LineCounts, truncated: bool) -> Summary {
        let totals = Totals { stages: self.counted.stages(), stage_attempts: self.counted.attempts(), ..self.totals };
        Summary {
            spark_version: self.spark_version.clone(),
            application: self.application.clone(),
            totals,
            stages: std::mem::take(&mut self.attempts).into_values().map(|attempt| *attempt).collect(),
            executors: self.executors.values().filter(|executor| executor.added_ms.is_some() || executor.tasks > 0).cloned().collect(),
            lines,
            truncated,
            warnings: Vec::new(),
        }
    }
}
