//! Results as a flat table: one row a point, one column a number.
//!
//! Axis columns come first and keep the scenario's names; then the probabilities with their intervals, the
//! summaries, and the counts of endings. Numbers are plain (no units, no thousands separators); units are in
//! the names of columns. Every row carries scenario, version, seed and fingerprint, so that a row that is
//! copied out of the file can still be made again.

use sim_core::record::{Cause, FailureReason};
use sim_core::study::{Estimate, Summary};

use crate::format::finite;
use crate::{AxisInfo, Header, PointReport};

type Cells = Vec<(String, String)>;

/// All points as CSV with a header line.
pub fn points(header: &Header, axes: &[AxisInfo], points: &[PointReport]) -> String {
    let rows: Vec<Cells> = points.iter().map(|point| row(header, axes, point)).collect();
    let Some(first) = rows.first() else {
        return String::new();
    };
    let names = first.iter().map(|(name, _)| name.clone()).collect();
    let values = rows.iter().map(|cells| cells.iter().map(|(_, value)| value.clone()).collect());
    write(names, values)
}

/// A table as CSV text, quoted where needed.
pub(crate) fn write(names: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    // Writing to memory cannot fail, and flexible rows have no wrong length.
    let written = std::iter::once(names).chain(rows).try_for_each(|row| writer.write_record(row));
    debug_assert!(written.is_ok(), "{written:?}");
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn row(header: &Header, axes: &[AxisInfo], point: &PointReport) -> Cells {
    let result = &point.result;
    let mut cells: Cells = axes.iter().map(|axis| (axis.name.clone(), coordinate(point, &axis.name))).collect();
    cells.push(("replications".into(), result.replications.to_string()));
    proportion(&mut cells, "p_oom", &result.p_oom);
    proportion(&mut cells, "p_job_failure", &result.p_job_failure);
    for (cause, p) in Cause::ALL.iter().zip(&result.p_by_cause) {
        proportion(&mut cells, &format!("p_{}", cause.key()), p);
    }
    for (cause, n) in Cause::ALL.iter().zip(result.first_cause) {
        cells.push((format!("first_{}", cause.key()), n.to_string()));
    }
    summary(&mut cells, "executors_lost", "", &result.executors_lost, real);
    summary(&mut cells, "executors_pending", "", &result.executors_pending, real);
    cells.push(("executors_wanted".into(), point.executors_wanted.to_string()));
    summary(&mut cells, "duration", "_s", &result.duration_s, real);
    cells.push(("duration_n".into(), result.duration_s.n.to_string()));
    for (name, values) in [
        ("node_peak", &result.node_peak),
        ("node_before_shuffle", &result.node_before_shuffle),
        ("node_at_first_kill", &result.node_at_first_kill),
        ("pod_peak", &result.pod_peak),
        ("scratch_peak", &result.scratch_peak),
        ("shuffle_write", &result.shuffle_write),
        ("spill", &result.spill),
    ] {
        summary(&mut cells, name, "_bytes", values, whole);
    }
    summary(&mut cells, "task_ooms", "", &result.task_ooms, real);
    summary(&mut cells, "neighbours_lost", "", &result.neighbours_lost, real);
    summary(&mut cells, "daemons_lost", "", &result.daemons_lost, real);
    summary(&mut cells, "swap_out", "_bytes", &result.swap_out, whole);
    endings(&mut cells, header, point);
    cells
}

fn endings(cells: &mut Cells, header: &Header, point: &PointReport) {
    let failed = FailureReason::ALL.iter().zip(point.result.failed);
    cells.extend(failed.map(|(reason, n)| (format!("failed_{}", reason.key()), n.to_string())));
    let cut = ["horizon", "events", "starved"].iter().zip(point.result.truncated);
    cells.extend(cut.map(|(name, n)| (format!("truncated_{name}"), n.to_string())));
    let fingerprint = if point.fingerprint.is_empty() { &header.fingerprint } else { &point.fingerprint };
    let origin = [("scenario", header.scenario.clone()), ("version", header.version.clone()), ("seed", header.seed.to_string())];
    cells.extend(origin.map(|(name, value)| (name.to_owned(), value)));
    cells.push(("fingerprint".into(), fingerprint.clone()));
}

fn coordinate(point: &PointReport, axis: &str) -> String {
    match point.coordinates.iter().find(|(name, _)| name == axis) {
        Some((_, serde_json::Value::String(text))) => text.clone(),
        Some((_, value)) => value.to_string(),
        None => String::new(),
    }
}

fn proportion(cells: &mut Cells, name: &str, p: &Estimate) {
    cells.push((name.to_owned(), real(p.estimate)));
    cells.push((format!("{name}_low"), real(p.low)));
    cells.push((format!("{name}_high"), real(p.high)));
}

fn summary(cells: &mut Cells, name: &str, unit: &str, s: &Summary, number: fn(f64) -> String) {
    let mut put = |what: &str, value: f64| cells.push((format!("{name}_{what}{unit}"), number(value)));
    put("mean", s.mean);
    put("mean_low", s.mean_low.max(0.0));
    put("mean_high", s.mean_high);
    put("p50", s.p50);
    put("p50_low", s.p50_low);
    put("p50_high", s.p50_high);
    put("p95", s.p95);
    put("p95_low", s.p95_low);
    put("p95_high", s.p95_high);
    put("max", s.max);
}

/// A float with as many digits as it has.
pub(crate) fn real(value: f64) -> String {
    finite(value).to_string()
}

/// A float as a whole number.
pub(crate) fn whole(value: f64) -> String {
    (finite(value).round() as i64).to_string()
}
