//! The table of a single run.

use sim_core::record::Cause;
use sim_core::study::Summary;

use super::layout::{Column, Keep, lines, wrap};
use super::{BOLD, Style, clamped, closing, joined, notes, opening};
use crate::figures::causes::cause_words;
use crate::incident::{self, Held};
use crate::{Header, PointReport, SweepReport, format, verdict};

/// One run: verdict, probabilities with intervals, quantities, notes, next step.
pub fn run(header: &Header, point: &PointReport, width: usize, style: Style) -> String {
    let width = clamped(width);
    let report = SweepReport { header: header.clone(), axes: Vec::new(), points: vec![point.clone()], interrupted: false, stories: Vec::new() };
    let verdict = verdict(&report);
    let mut out = opening(&verdict, width, style);
    out.extend(probabilities(point, width, style));
    out.push(String::new());
    out.extend(quantities(point, width));
    out.extend(incident(point, width, style));
    for note in notes(&report.points) {
        out.push(String::new());
        out.extend(wrap(&note, width));
    }
    let fingerprint = if point.fingerprint.is_empty() { &header.fingerprint } else { &point.fingerprint };
    out.extend(closing(&report, &verdict, fingerprint, width, style));
    joined(&out)
}

fn probabilities(point: &PointReport, width: usize, style: Style) -> Vec<String> {
    let result = &point.result;
    let by_cause = |oom: bool| {
        let causes = Cause::ALL.iter().zip(&result.p_by_cause).filter(move |(cause, p)| cause.is_oom() == oom && p.estimate > 0.0);
        causes.map(move |(cause, p)| (format!("{}{}", if oom { "  " } else { "" }, cause_words(*cause)), *p))
    };
    let mut rows = vec![("out of memory".to_owned(), result.p_oom)];
    rows.extend(by_cause(true));
    rows.extend(by_cause(false));
    rows.push(("job fails".to_owned(), result.p_job_failure));
    let confidence = format!("{} interval", format::percent(result.p_oom.confidence));
    let columns = vec![
        Column::new("in a replication", Keep::Name, rows.iter().map(|(name, _)| name.clone()).collect()),
        Column::new("share", Keep::Always, rows.iter().map(|(_, p)| format::percent(p.estimate)).collect()),
        Column::new(if width < 50 { "interval" } else { &confidence }, Keep::Always, rows.iter().map(|(_, p)| format::interval(p)).collect()),
        Column::new("n", Keep::Drop(1), rows.iter().map(|(_, p)| p.n.to_string()).collect()),
    ];
    let standing = point.standing();
    lines(columns, width, &|cell, row, column| if row == 0 && column.head == "share" { style.standing(standing, cell) } else { cell.to_owned() })
}

/// Name, values, and how to print one.
pub(crate) type Quantity<'p> = (&'static str, &'p Summary, fn(f64) -> String);

/// Who held the memory at the first death.
fn incident(point: &PointReport, width: usize, style: Style) -> Vec<String> {
    let Some(sentence) = incident::sentence(point) else { return Vec::new() };
    let held = incident::holders(point);
    let each = |show: &dyn Fn(&Held) -> String| held.iter().map(show).collect::<Vec<String>>();
    let columns = vec![
        Column::new("who held the memory", Keep::Name, each(&|h| h.what.clone())),
        Column::new("held", Keep::Always, each(&|h| h.bytes.to_string())),
        Column::new("share", Keep::Always, each(&|h| format::percent(h.share))),
        Column::words("by", Keep::Drop(1), each(&|h| h.whose.clone())),
    ];
    let mut out = vec![String::new()];
    out.extend(wrap(&sentence, width).iter().map(|line| style.paint(BOLD, line)));
    out.extend(lines(columns, width, &|cell, _, _| cell.to_owned()));
    out
}

/// What there is to say of a run in numbers, without what stayed at nothing.
pub(crate) fn quantity_rows(point: &PointReport) -> Vec<Quantity<'_>> {
    let result = &point.result;
    let rows: Vec<Quantity> = vec![
        ("duration if it succeeds", &result.duration_s, format::seconds),
        ("executors lost", &result.executors_lost, format::count),
        ("neighbours killed", &result.neighbours_lost, format::count),
        ("daemons killed", &result.daemons_lost, format::count),
        ("executors Pending", &result.executors_pending, format::count),
        ("fullest node, peak", &result.node_peak, format::bytes),
        ("  before the shuffle", &result.node_before_shuffle, format::bytes),
        ("  at the first death", &result.node_at_first_kill, format::bytes),
        ("largest pod, peak", &result.pod_peak, format::bytes),
        ("scratch of a pod, peak", &result.scratch_peak, format::bytes),
        ("shuffle written", &result.shuffle_write, format::bytes),
        ("spilled", &result.spill, format::bytes),
        ("paged out to swap", &result.swap_out, format::bytes),
        ("tasks out of memory", &result.task_ooms, format::count),
    ];
    rows.into_iter().filter(|(name, s, _)| s.n > 0 && (s.max > 0.0 || *name == "executors lost")).collect()
}

fn quantities(point: &PointReport, width: usize) -> Vec<String> {
    let rows = quantity_rows(point);
    let cells = |pick: fn(&Summary) -> f64| rows.iter().map(|(_, s, show)| show(pick(s))).collect::<Vec<_>>();
    let span = rows.iter().map(|(_, s, show)| range(show(s.p50_low), &show(s.p50_high))).collect();
    let columns = vec![
        Column::new("quantity", Keep::Name, rows.iter().map(|(name, _, _)| (*name).to_owned()).collect()),
        Column::new("median", Keep::Always, cells(|s| s.p50)),
        Column::new("its interval", Keep::Drop(3), span),
        Column::new("95th", Keep::Drop(1), cells(|s| s.p95)),
        Column::new("largest", Keep::Drop(2), cells(|s| s.max)),
        Column::new("n", Keep::Drop(4), rows.iter().map(|(_, s, _)| s.n.to_string()).collect()),
    ];
    lines(columns, width, &|cell, _, _| cell.to_owned())
}

/// Both ends, or one when they read the same.
fn range(low: String, high: &str) -> String {
    if low == high { low } else { format!("{low} to {high}") }
}
