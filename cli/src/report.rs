//! From what was conducted to what `reports` draws, and to the data formats on stdout.
//!
//! Result objects come from `reports`; added here is only what concerns the command: the object around a sweep's
//! points, and `"interrupted": true` on a point that has fewer replications than it should have.

use reports::{AxisInfo, Header, PointReport, SweepReport};
use scenarios::{Axis, AxisValue, Scenario};
use serde_json::{Value, json};
use sim_core::study::Study;

use crate::args::Format;
use crate::printer::{self, Printer};
use crate::session::{Conducted, Planned};
use crate::settings::{Mode, StudySettings};

/// Who, what, with which seed, and how to get it again.
pub(crate) fn header(settings: &StudySettings, scenario: &Scenario, study: &Study, planned: &[Planned]) -> Header {
    Header {
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        fingerprint: fingerprint(planned),
        seed: study.seed,
        command: settings.command(study),
    }
}

/// One point's fingerprint is the plan's; a grid's folds those of its points (FNV-1a, 64 bits).
fn fingerprint(planned: &[Planned]) -> String {
    if let [only] = planned {
        return only.fingerprint.clone();
    }
    let bytes = planned.iter().flat_map(|point| point.fingerprint.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Axes as reports know them.
pub(crate) fn axes(axes: &[Axis]) -> Vec<AxisInfo> {
    axes.iter()
        .map(|axis| AxisInfo {
            name: axis.name.clone(),
            title: axis.title.clone(),
            unit: axis.unit.clone(),
            labels: axis.values.iter().map(|value| value.label.clone()).collect(),
            numbers: axis.values.iter().map(|value| value.value.as_f64()).collect(),
            settings: axis.values.iter().map(settings).collect(),
        })
        .collect()
}

fn settings(value: &AxisValue) -> Option<Vec<(String, String)>> {
    let settings = value.settings()?;
    Some(settings.into_iter().map(|(flag, text)| (flag.to_owned(), text)).collect())
}

/// One result object a line, in order; a partial last point is marked.
pub(crate) fn lines(header: &Header, conducted: &Conducted) -> String {
    one_a_line(&objects(header, &conducted.points, conducted.last_is_partial))
}

fn one_a_line(objects: &[Value]) -> String {
    objects.iter().flat_map(|object| [object.to_string(), "\n".to_owned()]).collect()
}

fn objects(header: &Header, points: &[PointReport], last_is_partial: bool) -> Vec<Value> {
    let mut objects: Vec<Value> = points.iter().map(|point| reports::json::result_object(header, point)).collect();
    if let (true, Some(Value::Object(last))) = (last_is_partial, objects.last_mut()) {
        last.insert("interrupted".to_owned(), Value::Bool(true));
    }
    objects
}

/// The whole result as text in the format asked for.
pub(crate) fn render(mode: Mode, format: Format, report: &SweepReport, last_is_partial: bool, printer: &Printer) -> String {
    let objects = || objects(&report.header, &report.points, last_is_partial);
    match (format, mode, report.points.first()) {
        (Format::Table, Mode::Run, Some(point)) => reports::table::run(&report.header, point, printer::width(), printer.table_style()),
        (Format::Table, ..) => reports::table::sweep(report, printer::width(), printer.table_style()),
        (Format::Csv, ..) => reports::csv::points(&report.header, &report.axes, &report.points),
        (Format::Jsonl, ..) => one_a_line(&objects()),
        (Format::Json, Mode::Run, _) => objects().first().map(pretty).unwrap_or_default(),
        (Format::Json, Mode::Sweep, _) => pretty(&sweep_object(report, &objects())),
    }
}

/// The object around a sweep's points.
fn sweep_object(report: &SweepReport, points: &[Value]) -> Value {
    let SweepReport { header, axes, interrupted, .. } = report;
    let axis = |axis: &AxisInfo| json!({"name": axis.name, "title": axis.title, "unit": axis.unit, "values": axis.labels});
    let verdict = reports::verdict(report);
    json!({
        "schema_version": 1,
        "version": header.version,
        "scenario": header.scenario,
        "title": header.title,
        "fingerprint": header.fingerprint,
        "seed": header.seed,
        "command": header.command,
        "interrupted": interrupted,
        "verdict": {"sentence": verdict.sentence, "number": verdict.number, "next_step": verdict.next_step, "reason": verdict.reason},
        "axes": axes.iter().map(axis).collect::<Vec<_>>(),
        "points": points,
    })
}

/// A JSON document for people and programs.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
