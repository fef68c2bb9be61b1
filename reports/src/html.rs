//! One page that says everything and needs nothing: no network, no script to read it.
//!
//! The first screen is the verdict, its number, one chart and one next step; below are the other charts, the
//! table of points, how to draw it again, and what was assumed. Charts are inlined as SVG and keep a light
//! panel in the dark theme, because the colours of memory and causes are fixed. Everything that a user named
//! is escaped (autoescape is on: the template's name ends in `.html`).

use minijinja::{Environment, Value, context};

use crate::figures::causes::cause_words;
use crate::incident::{self, Held};
use crate::{NamedFigure, SweepReport, format, svg, verdict};
use sim_core::record::Cause;

const TEMPLATE: &str = include_str!("../templates/index.html");

/// The page.
///
/// # Panics
/// When the built-in template is broken, which no input can cause.
pub fn index(report: &SweepReport, figures: &[NamedFigure]) -> String {
    let mut environment = Environment::new();
    environment.add_template("index.html", TEMPLATE).expect("the built-in template parses");
    let template = environment.get_template("index.html").expect("the template was just added");
    let verdict = verdict(report);
    let header = &report.header;
    let (head, rows) = table(report);
    template
        .render(context! {
            scenario => &header.scenario,
            story => &header.title,
            version => &header.version,
            fingerprint => &header.fingerprint,
            seed => header.seed,
            command => &header.command,
            n => report.n_words(),
            interval => report.interval_words(),
            interrupted => report.interrupted,
            sentence => glued(&verdict.sentence),
            number => glued(&verdict.number),
            next_step => &verdict.next_step,
            reason => format::capitalised(&verdict.reason),
            incident => incident(report),
            quantities => if report.axes.is_empty() { quantities(report) } else { Vec::new() },
            charts => figures.iter().map(chart).collect::<Vec<Value>>(),
            head => head,
            rows => rows,
            notes => crate::table::notes(&report.points),
        })
        .expect("the built-in template renders any report")
}

/// A number and its percent sign stay on one line.
fn glued(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// The first death of the worst point: sentence and holders.
fn incident(report: &SweepReport) -> Option<Value> {
    let point = &report.points[crate::worst(report)?];
    let sentence = incident::sentence(point)?;
    let at = if report.axes.is_empty() { String::new() } else { report.point_label(crate::worst(report)?) };
    let holder = |h: Held| context! { what => h.what, bytes => h.bytes.to_string(), share => format::percent(h.share), width => (h.share * 100.0).round(), whose => h.whose };
    Some(context! { sentence => sentence, at => at, holders => incident::holders(point).into_iter().map(holder).collect::<Vec<Value>>() })
}

/// What a single run's quantities are: name, median, 95th percentile, largest.
fn quantities(report: &SweepReport) -> Vec<Value> {
    let Some(point) = report.points.first() else { return Vec::new() };
    let row = |(name, s, show): crate::table::Quantity<'_>| context! { name => name.strip_prefix("  ").map_or(name.to_owned(), |rest| format!("fullest node, {rest}")), cells => [s.p50, s.p95, s.max].map(show), n => s.n };
    crate::table::quantity_rows(point).into_iter().map(row).collect()
}

fn chart(named: &NamedFigure) -> Value {
    context! {
        name => &named.name,
        title => &named.figure.title,
        svg => Value::from_safe_string(svg::render(&named.figure)),
    }
}

/// Heads, and rows of cells; each cell has its text, the value to sort by, and whether it is a number.
fn table(report: &SweepReport) -> (Vec<Value>, Vec<Vec<Value>>) {
    let mut head: Vec<Value> = report.axes.iter().map(|a| context! { text => &a.title, number => a.numbers.is_some() }).collect();
    let columns = ["P(OOM)", "interval", "verdict", "mostly by", "job fails", "executors lost", "Pending", "duration", "node peak", "n"];
    head.extend(columns.into_iter().map(|c| context! { text => c, number => !matches!(c, "verdict" | "mostly by") }));
    (head, (0..report.points.len()).map(|i| row(report, i)).collect())
}

fn row(report: &SweepReport, index: usize) -> Vec<Value> {
    let point = &report.points[index];
    let result = &point.result;
    let number = |text: String, sort: f64| context! { text => text, sort => format::finite(sort), number => true };
    let words = |text: &str| context! { text => text, sort => text, number => false };
    let coordinate = |(axis, at): (&crate::AxisInfo, usize)| match axis.numbers.as_ref().and_then(|n| n.get(at)) {
        Some(value) => number(axis.label(at), *value),
        None => words(&axis.label(at)),
    };
    let mut cells: Vec<Value> = report.axes.iter().zip(report.position(index)).map(coordinate).collect();
    let causes = Cause::ALL.iter().zip(result.first_cause).filter(|(_, n)| *n > 0);
    let cause = causes.max_by_key(|(_, n)| *n).map_or("–", |(cause, _)| cause_words(*cause));
    let (p, duration) = (&result.p_oom, &result.duration_s);
    cells.push(number(format::percent(p.estimate), p.estimate));
    cells.push(number(format::interval(p), p.high - p.low));
    cells.push(words(point.standing_words()));
    cells.push(words(cause));
    cells.push(number(format::percent(result.p_job_failure.estimate), result.p_job_failure.estimate));
    cells.push(number(format::count(result.executors_lost.mean), result.executors_lost.mean));
    cells.push(number(format::count(result.executors_pending.p50), result.executors_pending.p50));
    cells.push(if duration.n == 0 { number("–".into(), -1.0) } else { number(format::seconds(duration.p50), duration.p50) });
    cells.push(number(format::bytes(result.node_peak.p50), result.node_peak.p50));
    cells.push(number(result.replications.to_string(), result.replications as f64));
    cells
}
