//! `ingest`: a Spark event log becomes a job profile.
//!
//! The summary goes to stdout and the profile to `-o FILE`; with `-o -` the profile takes stdout and the summary is
//! left out. `--redact OUT` writes one more file, the redacted log or profile. Files are opened before the log is read,
//! because logs are large.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstyle::Style;
use anyhow::Context;
use scenarios::event_log::{self, Ingested, RedactError, Summary};
use scenarios::profile::Profile;
use scenarios::recorded::{self, Check};
use serde::Serialize;
use serde_json::Value;
use sim_core::units::Bytes;

use crate::args::{InfoFormat, IngestArgs};
use crate::exit::{Exit, Failure};
use crate::out_file::OutFile;
use crate::printer::Printer;

/// Ingests a log.
pub(super) fn ingest(args: &IngestArgs, printer: &Printer) -> Result<Exit, Failure> {
    let to_stdout = args.out.out.as_deref() == Some(Path::new("-"));
    let path = args.out.out.as_deref().filter(|_| !to_stdout);
    let file = path.map(|path| OutFile::open(path, args.out.force)).transpose()?;
    let scenario = args.scenario.as_deref().map(|path| OutFile::open(path, args.out.force)).transpose()?;
    let redacted = args.redact.as_deref().map(|path| OutFile::open(path, args.out.force).map(|file| (path, file))).transpose()?;
    // First, because it reads the log for itself and keeps nothing.
    if let Some((path, file)) = redacted {
        redact(&args.log, path, file)?;
        printer.note(&format!("wrote `{}` without names, hosts, paths, queries and secrets", path.display()));
    }
    let ingested = event_log::ingest_all(&args.log).map_err(Failure::Diagnosed)?;
    printer.diagnostics(&ingested.diagnostics);
    if let (Some(file), Some(path)) = (file, path) {
        write_profile(&ingested.profile, path, file)?;
        printer.note(&format!("wrote `{0}`; next: `spillcast run SCENARIO --profile {0}`", path.display()));
    } else if !to_stdout && args.scenario.is_none() && !args.check {
        printer.note("`-o profile.toml` writes the job profile");
    }
    if let (Some(file), Some(to)) = (scenario, args.scenario.as_deref()) {
        let named = beside(to, profile_source(path, &args.log)?)?;
        file.commit(recorded::scenario(&ingested, &named, args.cores).as_bytes())?;
        printer.note(&format!("wrote `{0}`; next: `spillcast run {0}`", to.display()));
    }
    if to_stdout {
        printer.result_in_pieces(|stdout| ingested.profile.write_toml(stdout))?;
        return Ok(Exit::Done);
    }
    let checked = if args.check { Some(recorded::check(&ingested, args.cores).map_err(Failure::Diagnosed)?) } else { None };
    let summary = summary_of(ingested);
    match (args.format.format, &checked) {
        (InfoFormat::Table, Some(check)) => printer.result(&format!("{}\n{}", table(&summary)?, check_table(check)))?,
        (InfoFormat::Table, None) => printer.result(&table(&summary)?)?,
        (InfoFormat::Json, check) => printer.result_in_pieces(|stdout| json(&summary, check.as_ref(), stdout))?,
    }
    Ok(Exit::Done)
}

/// The summary alone: a profile of many stages takes more memory than all that follows, and ends here.
fn summary_of(ingested: Ingested) -> Summary {
    ingested.summary
}

/// Writes the profile in pieces.
fn write_profile(profile: &Profile, path: &Path, file: OutFile) -> Result<(), Failure> {
    let mut out = file.handle()?;
    profile.write_toml(&mut out).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(file.commit(b"")?)
}

/// Writes the redacted log, or the redacted profile when the file is a `.toml`.
fn redact(logs: &[PathBuf], path: &Path, file: OutFile) -> Result<(), Failure> {
    if path.extension().is_some_and(|extension| extension == "toml") {
        let profile = event_log::ingest_redacted(logs).map_err(Failure::Diagnosed)?.profile;
        return write_profile(&profile, path, file);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let out = Box::new(BufWriter::new(file.handle()?));
    match event_log::redact_log(logs, &name, out) {
        Ok(()) => Ok(file.commit(b"")?),
        Err(RedactError::Log(problems)) => Err(Failure::Diagnosed(problems)),
        Err(RedactError::Write(error)) => Err(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())).into()),
    }
}

/// What the written scenario names as its profile: the profile that is written too, else the only log.
fn profile_source<'a>(profile: Option<&'a Path>, logs: &'a [PathBuf]) -> Result<&'a Path, Failure> {
    match (profile, logs) {
        (Some(profile), _) => Ok(profile),
        (None, [log]) => Ok(log),
        (None, _) => Err(anyhow::anyhow!("a scenario of several logs needs their profile; add `-o profile.toml`").into()),
    }
}

/// A path as a file at `from` has to name it: relative ones stay so when both are in the same directory.
fn beside(from: &Path, path: &Path) -> Result<String, Failure> {
    let same = from.parent().unwrap_or(Path::new("")) == path.parent().unwrap_or(Path::new(""));
    let named = match path.file_name().filter(|_| same) {
        Some(name) => std::path::PathBuf::from(name),
        None => std::path::absolute(path).context("the current directory has no name")?,
    };
    Ok(named.display().to_string())
}

/// What `--format json` prints: one object.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'a Check>,
}

/// In pieces, because the stages of a large log are many megabytes of text.
fn json(summary: &Summary, check: Option<&Check>, stdout: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, stdout);
    serde_json::to_writer_pretty(&mut out, &Printed { summary, check })?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Recorded beside replayed, by stage and in total.
fn check_table(check: &Check) -> String {
    let heading = ["replay of", "tasks", "recorded", "replayed", "error", "shuffle write", "replayed", "error", "shuffle read", "replayed", "error"];
    let percent = |error: Option<f64>| error.map_or_else(|| "-".to_owned(), |error| format!("{:+.1} %", error * 100.0));
    let seconds = |s: Option<f64>| s.map_or_else(|| "-".to_owned(), |s| format!("{s:.1} s"));
    let volume = |recorded: u64, replayed: u64| {
        let bytes = |n: u64| Bytes::new(n).to_string();
        [bytes(recorded), bytes(replayed), percent(recorded::error(recorded as f64, replayed as f64))]
    };
    let row = |name: &str, tasks: String, times: (Option<f64>, f64), written: [String; 3], read: [String; 3]| {
        let error = times.0.and_then(|recorded| recorded::error(recorded, times.1));
        let time = [seconds(times.0), seconds(Some(times.1)), percent(error)];
        [name.to_owned(), tasks].into_iter().chain(time).chain(written).chain(read).collect::<Vec<_>>()
    };
    let mut rows = vec![heading.iter().map(|text| (*text).to_owned()).collect()];
    for stage in &check.stages {
        let written = volume(stage.recorded_write_bytes, stage.replayed_write_bytes);
        let read = volume(stage.recorded_read_bytes, stage.replayed_read_bytes);
        rows.push(row(&stage.name, stage.tasks.to_string(), (stage.recorded_s, stage.replayed_s), written, read));
    }
    let written = volume(check.recorded_write_bytes, check.replayed_write_bytes);
    let read = volume(check.recorded_read_bytes, check.replayed_read_bytes);
    rows.push(row("all", String::new(), (check.recorded_s, check.replayed_s), written, read));
    let ended = if check.succeeded { "" } else { "\n  the replay did not end well: some replications failed or were cut off\n" };
    aligned(&rows) + ended
}

/// Columns of the table of stages: field of the summary and heading.
const COLUMNS: [(&str, &str); 7] = [
    ("stage", "stage"),
    ("attempt", "attempt"),
    ("tasks", "tasks"),
    ("input_bytes", "input"),
    ("shuffle_read_bytes", "shuffle read"),
    ("shuffle_write_bytes", "shuffle write"),
    ("spill_disk_bytes", "spilled"),
];

fn table(summary: &Summary) -> Result<String, Failure> {
    let bold = Style::new().bold();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let mut table = format!("{bold}{}{bold:#}, Spark {}\n\n", text(&summary.application), text(&summary.spark_version));
    let fields = serde_json::to_value(summary.totals).context("cannot put the totals into JSON")?;
    let totals: Vec<(String, String)> = fields.as_object().into_iter().flatten().map(|(name, value)| (heading(name), human(name, value))).collect();
    let names = totals.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let values = totals.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
    table.extend(totals.iter().map(|(name, value)| format!("  {name:names$}  {value:>values$}\n")));
    if !summary.stages.is_empty() {
        table.push('\n');
        // One at a time: as JSON, all stages of a large log take more memory than the log did.
        table.push_str(&stage_table(summary.stages.iter().filter_map(|stage| serde_json::to_value(stage).ok())));
    }
    Ok(table)
}

/// Right-aligned columns, those that the summary has.
fn stage_table(stages: impl Iterator<Item = Value>) -> String {
    let mut there = [false; COLUMNS.len()];
    let mut rows: Vec<Vec<String>> = vec![COLUMNS.iter().map(|(_, heading)| (*heading).to_owned()).collect()];
    for stage in stages {
        let cells = COLUMNS.iter().zip(&mut there).map(|((field, _), there)| {
            *there |= stage.get(field).is_some();
            stage.get(field).map_or_else(|| "-".to_owned(), |value| human(field, value))
        });
        rows.push(cells.collect());
    }
    for row in &mut rows {
        let mut there = there.iter();
        row.retain(|_| *there.next().unwrap_or(&true));
    }
    aligned(&rows)
}

/// Rows with right-aligned columns.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let cell = |(cell, width): (&String, &usize)| format!("  {cell:>width$}", width = *width);
    rows.iter().flat_map(|row| row.iter().zip(&widths).map(cell).chain(["\n".to_owned()])).collect()
}

/// `shuffle_write_bytes` becomes `shuffle write`.
fn heading(field: &str) -> String {
    let name = ["_bytes", "_ms", "_ns"].iter().find_map(|unit| field.strip_suffix(unit)).unwrap_or(field);
    name.replace('_', " ")
}

/// A number in the unit that its field name says.
fn human(field: &str, value: &Value) -> String {
    let Some(number) = value.as_f64() else { return value.as_str().map_or_else(|| value.to_string(), str::to_owned) };
    if field.ends_with("_bytes") {
        Bytes::from_f64(number).to_string()
    } else if field.ends_with("_ms") {
        format!("{:.1} s", number / 1e3)
    } else if field.ends_with("_ns") {
        format!("{:.1} s", number / 1e9)
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_shown_in_their_units() {
        for (field, value, text) in [
            ("shuffle_write_bytes", json!(3_221_225_472_u64), "3.0 GiB"),
            ("run_time_ms", json!(1500), "1.5 s"),
            ("cpu_time_ns", json!(2_500_000_000_u64), "2.5 s"),
            ("tasks", json!(12), "12"),
            ("name", json!("x"), "x"),
        ] {
            assert_eq!(human(field, &value), text, "{field}");
        }
        assert_eq!(heading("spill_memory_bytes"), "spill memory");
        assert_eq!(heading("failed_tasks"), "failed tasks");
    }

    #[test]
    fn stages_line_up_and_absent_columns_are_left_out() {
        let stages = [json!({"stage": 0, "attempt": 0, "tasks": 7}), json!({"stage": 10, "attempt": 0, "tasks": 200})];
        assert_eq!(stage_table(stages.into_iter()), "  stage  attempt  tasks\n      0        0      7\n     10        0    200\n");
    }
}
