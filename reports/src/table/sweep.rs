//! The table of a sweep.

use sim_core::record::Cause;

use super::layout::{Column, Keep, lines, wrap};
use super::{Style, clamped, closing, joined, notes, opening};
use crate::figures::causes::cause_words;
use crate::{PointReport, Standing, SweepReport, format, verdict};

/// A sweep: verdict, one row a point, notes, next step.
pub fn sweep(report: &SweepReport, width: usize, style: Style) -> String {
    let width = clamped(width);
    let verdict = verdict(report);
    let mut out = opening(&verdict, width, style);
    if !report.points.is_empty() {
        let standings: Vec<Standing> = report.points.iter().map(PointReport::standing).collect();
        let painted = |cell: &str, row: usize, column: &Column| match column.head.as_str() {
            "P(OOM)" | "" => style.standing(standings[row], cell),
            _ => cell.to_owned(),
        };
        out.extend(lines(columns(report), width, &painted));
    }
    for note in notes(&report.points) {
        out.push(String::new());
        out.extend(wrap(&note, width));
    }
    out.extend(closing(report, &verdict, &report.header.fingerprint, width, style));
    joined(&out)
}

fn columns(report: &SweepReport) -> Vec<Column> {
    let points = &report.points;
    let each = |show: &dyn Fn(&PointReport) -> String| points.iter().map(show).collect::<Vec<String>>();
    let mut columns: Vec<Column> = report
        .axes
        .iter()
        .enumerate()
        .map(|(a, axis)| Column::new(&axis.short(), Keep::Name, (0..points.len()).map(|i| axis.label(report.position(i)[a])).collect()))
        .collect();
    columns.push(Column::new("P(OOM)", Keep::Always, each(&|p| format::percent(p.result.p_oom.estimate))));
    columns.push(Column::new("interval", Keep::Always, each(&|p| format::interval(&p.result.p_oom))));
    columns.push(Column::words("", Keep::Always, each(&|p| p.standing_words().to_owned())));
    columns.push(Column::words("mostly by", Keep::Drop(2), each(&first_cause)));
    if points.iter().any(|p| p.result.executors_pending.max > 0.0) {
        columns.push(Column::new("Pending", Keep::Drop(0), each(&|p| format::count(p.result.executors_pending.p50))));
    }
    columns.push(Column::new("job fails", Keep::Drop(1), each(&|p| format::percent(p.result.p_job_failure.estimate))));
    columns.push(Column::new("lost", Keep::Drop(3), each(&|p| format::count(p.result.executors_lost.mean))));
    columns.push(Column::new("duration", Keep::Drop(4), each(&duration)));
    columns.push(Column::new("node peak", Keep::Drop(5), each(&|p| format::bytes(p.result.node_peak.p50))));
    columns.push(Column::new("n", Keep::Drop(6), each(&|p| p.result.replications.to_string())));
    columns
}

/// The commonest first cause.
fn first_cause(point: &PointReport) -> String {
    let counts = Cause::ALL.iter().zip(point.result.first_cause).filter(|(_, n)| *n > 0);
    counts.max_by_key(|(_, n)| *n).map_or_else(|| "-".to_owned(), |(cause, _)| cause_words(*cause).to_owned())
}

/// The median of the replications that succeeded.
fn duration(point: &PointReport) -> String {
    let s = &point.result.duration_s;
    if s.n == 0 { "-".into() } else { format::seconds(s.p50) }
}
