//! Writing a profile so that people can read it and [`Profile::parse`](super::Profile::parse) gives it back.
//!
//! Every key is written, defaults too, so that a profile means the same with a later build's defaults. Recorded rows
//! are one line each, with the columns that are zero everywhere left out. The text goes out in pieces, because that of a
//! large profile is many megabytes.

use std::fmt::Write as _;
use std::io;

use sim_core::spec::{InputSource, JobStart};

use super::quantity::{print_rate, print_size, print_span};
use super::rows::{COLUMNS, SEEN_COLUMNS, WeightedRow, cells};
use super::{
    Evidence, InputBasis, JobEvidence, OPERATORS, PartitionRule, Pressure, Profile, Ratios, RddEvidence, SCHEMA_VERSION, STORAGE_LEVELS, Sink, Stage, TaskRule,
    Work,
};
use sim_core::units::ByteRate;

/// Bytes after which a piece goes out.
const PIECE: usize = 64 << 10;

/// Gives the profile as TOML to `to`, in pieces.
pub(super) fn write(profile: &Profile, to: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut out = Out(format!("schema_version = {SCHEMA_VERSION}\n"));
    out.text("name", &profile.name);
    if let Some(title) = &profile.title {
        out.text("title", title);
    }
    out.text("input", &print_size(profile.input));
    out.text("input_basis", if profile.input_basis == InputBasis::Storage { "storage" } else { "first-shuffle" });
    out.raw("sql", profile.sql);
    out.raw("partial", profile.partial);
    out.raw("shuffle_partitions", profile.shuffle_partitions);
    out.text("max_partition_bytes", &print_size(profile.max_partition_bytes));
    for job in &profile.jobs {
        out.header("[[job]]");
        out.text("name", &job.name);
        out.raw("stages", names(profile, &job.stages));
        out.text("driver_gap", &print_span(job.driver_gap));
        write_start(&mut out, profile, &job.start);
        if let Some(pool) = &job.pool {
            out.text("pool", pool);
        }
        if !job.executions.is_empty() {
            out.raw("executions", format!("{:?}", job.executions));
        }
        out.flush(PIECE, to)?;
    }
    for stage in &profile.stages {
        write_stage(&mut out, profile, stage);
        out.flush(PIECE, to)?;
    }
    if let Some(evidence) = &profile.evidence {
        write_evidence(&mut out, evidence, to)?;
    }
    out.flush(0, to)
}

/// Nothing for a job that starts in turn.
fn write_start(out: &mut Out, profile: &Profile, start: &JobStart) {
    match start {
        JobStart::InTurn => {}
        JobStart::After { jobs, gap } => {
            let names: Vec<String> = jobs.iter().map(|job| quoted(&profile.jobs[*job].name)).collect();
            out.raw("after", format!("[{}]", names.join(", ")));
            out.text("gap", &print_span(*gap));
        }
        JobStart::With { job, offset } => {
            out.text("beside", &profile.jobs[*job].name);
            out.text("offset", &print_span(*offset));
        }
    }
}

/// The text that has not gone out.
struct Out(String);

impl Out {
    /// Gives the text out if there is more than `room`.
    fn flush(&mut self, room: usize, to: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        if self.0.len() > room {
            to(&self.0)?;
            self.0.clear();
        }
        Ok(())
    }
    fn header(&mut self, header: &str) {
        self.raw_line(&format!("\n{header}"));
    }
    fn raw_line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
    fn raw(&mut self, key: &str, value: impl std::fmt::Display) {
        self.raw_line(&format!("{key} = {value}"));
    }
    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, quoted(value));
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn names(profile: &Profile, stages: &[usize]) -> String {
    let names: Vec<String> = stages.iter().map(|stage| quoted(&profile.stages[*stage].name)).collect();
    format!("[{}]", names.join(", "))
}

fn write_stage(out: &mut Out, profile: &Profile, stage: &Stage) {
    out.header("[[stage]]");
    out.text("name", &stage.name);
    if let Some(title) = &stage.title {
        out.text("title", title);
    }
    out.raw("reads", names(profile, &stage.reads));
    match stage.input {
        InputSource::None => out.text("from", "none"),
        InputSource::Local => out.text("from", "local"),
        InputSource::Cached => out.text("from", "cached"),
        InputSource::Remote { per_stream } => {
            out.text("from", "remote");
            out.text("per_stream", &print_rate(ByteRate::per_sec(per_stream)));
        }
    }
    match stage.tasks {
        TaskRule::Fixed(n) => out.raw("tasks", n),
        TaskRule::InputSplit => out.text("tasks", "input-split"),
        TaskRule::ShufflePartitions => out.text("tasks", "shuffle-partitions"),
    }
    out.text("sink", if stage.sink == Sink::Shuffle { "shuffle" } else { "result" });
    match stage.partitions {
        PartitionRule::AsReader => out.text("partitions", "as-reader"),
        PartitionRule::Fixed(n) => out.raw("partitions", n),
        PartitionRule::ShufflePartitions => out.text("partitions", "shuffle-partitions"),
    }
    out.raw("map_side_combine", stage.map_side_combine);
    out.raw("relocatable", stage.relocatable);
    out.text("cached", &print_size(stage.cached));
    out.text("broadcast", &print_size(stage.broadcast));
    out.text("operators", word(&OPERATORS, stage.memory.operators));
    out.text("row", &print_size(stage.memory.row));
    out.raw("group_rows", stage.memory.group_rows);
    out.text("state_row", &print_size(stage.memory.state_row));
    out.text("worker_memory", &print_size(stage.memory.worker));
    out.text("storage_level", word(&STORAGE_LEVELS, stage.memory.storage_level));
    out.text("collected", &print_size(stage.memory.collected));
    out.text("delay", &print_span(stage.delay));
    for (key, on) in [("barrier", stage.barrier), ("indeterminate", stage.indeterminate)] {
        if on {
            out.raw(key, true);
        }
    }
    if stage.attempts != 1 {
        out.raw("attempts", stage.attempts);
    }
    if stage.aborted {
        out.raw("aborted", true);
    }
    if let Some(job) = stage.job {
        out.raw("job", job);
    }
    match &stage.work {
        Work::Parametric(ratios) => write_ratios(out, ratios),
        Work::Recorded(rows) => write_rows(out, &rows.iter().collect::<Vec<_>>()),
    }
    if let Some(pressure) = &stage.pressure {
        write_pressure(out, pressure);
    }
    if !stage.failures.is_empty() {
        out.header("[stage.failures]");
        for (reason, count) in &stage.failures {
            out.raw(&quoted(reason), count);
        }
    }
}

/// A choice's word.
fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

fn write_ratios(out: &mut Out, ratios: &Ratios) {
    out.header("[stage.work]");
    // `{:?}` prints the shortest decimal that reads back as the same number, always with a point or an exponent.
    for (key, value) in [("input", ratios.input), ("volume", ratios.volume), ("shuffle_write", ratios.shuffle_write), ("output", ratios.output)] {
        out.raw(key, format!("{value:?}"));
    }
    out.text("record", &print_size(ratios.record));
    out.raw("in_memory", format!("{:?}", ratios.in_memory));
    out.text("cpu", &print_rate(ratios.cpu));
    out.raw("sort", ratios.sort);
    out.raw("allocation", format!("{:?}", ratios.allocation));
    out.text("unmanaged", &print_size(ratios.unmanaged));
    out.raw("unspillable", format!("{:?}", ratios.unspillable));
}

fn write_rows(out: &mut Out, rows: &[WeightedRow]) {
    let used: Vec<usize> = (0..COLUMNS.len()).filter(|c| rows.iter().any(|row| cells(&row.total)[*c] > 0)).collect();
    let seen: Vec<usize> = (0..SEEN_COLUMNS.len()).filter(|c| rows.iter().any(|row| row.seen[*c] > 0)).collect();
    let columns: Vec<&str> = std::iter::once("tasks").chain(used.iter().map(|c| COLUMNS[*c])).chain(seen.iter().map(|c| SEEN_COLUMNS[*c])).collect();
    out.header("[stage.recorded]");
    out.raw("columns", format!("{columns:?}"));
    out.raw_line("rows = [");
    for row in rows {
        let mut line = format!("  [{}", row.tasks);
        for column in &used {
            // Writing to a string does not fail.
            let _ = write!(line, ", {}", cells(&row.total)[*column]);
        }
        for column in &seen {
            let _ = write!(line, ", {}", row.seen[*column]);
        }
        out.raw_line(&(line + "],"));
    }
    out.raw_line("]");
}

fn write_pressure(out: &mut Out, pressure: &Pressure) {
    out.header("[stage.pressure]");
    out.raw("run_time_ms", pressure.run_time_ms);
    out.raw("gc_ms", pressure.gc_ms);
    out.raw("fetch_wait_ms", pressure.fetch_wait_ms);
    out.raw("deserialize_ms", pressure.deserialize_ms);
    out.raw("spill_memory_bytes", pressure.spill_memory);
    out.raw("spill_disk_bytes", pressure.spill_disk);
    out.raw("failed_tasks", pressure.failed_tasks);
}

fn write_job_evidence(out: &mut Out, job: &JobEvidence) {
    out.header("[[evidence.job]]");
    out.raw("id", job.id);
    out.text("started", &print_span(job.started));
    if let Some(ended) = job.ended {
        out.text("ended", &print_span(ended));
    }
    out.raw("failed", job.failed);
}

fn write_evidence(out: &mut Out, evidence: &Evidence, to: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    out.header("[evidence]");
    if let Some(version) = &evidence.spark_version {
        out.text("spark_version", version);
    }
    if let Some(application) = &evidence.application {
        out.text("application", application);
    }
    if let Some(collector) = &evidence.collector {
        out.text("collector", collector);
    }
    if let Some(full) = evidence.xms_equals_xmx {
        out.raw("xms_equals_xmx", full);
    }
    if !evidence.conf.is_empty() {
        out.header("[evidence.conf]");
        for (key, value) in &evidence.conf {
            out.text(&quoted(key), value);
        }
    }
    for executor in &evidence.executors {
        out.header("[[evidence.executor]]");
        out.text("id", &executor.id);
        if let Some(host) = executor.host {
            out.raw("host", host);
        }
        out.raw("cores", executor.cores);
        for (key, time) in [("added", executor.added), ("removed", executor.removed)] {
            if let Some(time) = time {
                out.text(key, &print_span(time));
            }
        }
        if let Some(reason) = &executor.reason {
            out.text("reason", reason);
        }
        let peaks = [
            ("heap_peak", executor.heap_peak),
            ("non_heap_peak", executor.non_heap_peak),
            ("direct_peak", executor.direct_peak),
            ("execution_peak", executor.execution_peak),
            ("storage_peak", executor.storage_peak),
            ("rss_peak", executor.rss_peak),
            ("jvm_rss_peak", executor.jvm_rss_peak),
            ("python_rss_peak", executor.python_rss_peak),
        ];
        for (key, peak) in peaks {
            out.text(key, &print_size(peak));
        }
        let held = executor.most_held;
        for (key, most) in [("task_pages", held.pages), ("task_states", held.states), ("task_buffers", held.buffers)] {
            if !most.is_zero() {
                out.text(key, &print_size(most));
            }
        }
        if executor.young_collections > 0 {
            out.raw("young_collections", executor.young_collections);
        }
        out.flush(PIECE, to)?;
    }
    for job in &evidence.jobs {
        write_job_evidence(out, job);
        out.flush(PIECE, to)?;
    }
    evidence.rdds.iter().for_each(|rdd| write_rdd(out, rdd));
    Ok(())
}

fn write_rdd(out: &mut Out, rdd: &RddEvidence) {
    out.header("[[evidence.rdd]]");
    out.raw("id", rdd.id);
    for (key, text) in [("name", &rdd.name), ("level", &rdd.level)] {
        if !text.trim().is_empty() {
            out.text(key, text);
        }
    }
    out.raw("partitions", rdd.partitions);
    out.text("memory", &print_size(rdd.memory));
    out.text("disk", &print_size(rdd.disk));
}
