//! P(OOM) over one numeric axis: a curve with the band of its interval.
//!
//! Points are where replications were run; the line and the band between them are straight joins, not a model.
//! The scale is logarithmic when the values span a factor of 20 or more. The title says rises or falls only
//! when the intervals of the two ends part.

use sim_core::study::Estimate;

use super::{Chart, Figure, SIZE, Table, names};
use crate::csv::real;
use crate::report::undecided;
use crate::{SweepReport, format, verdict};

/// One point of the curve.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// Value on the axis.
    pub x: f64,
    /// The value in words.
    pub label: String,
    /// P(OOM) with the band.
    pub p: Estimate,
    /// Whether the interval leaves the answer open; such points are drawn hollow.
    pub undecided: bool,
}

/// The data of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Title of the axis.
    pub x_title: String,
    /// Whether the axis is logarithmic.
    pub log: bool,
    /// Points in ascending order.
    pub points: Vec<CurvePoint>,
}

/// The curve, when exactly one axis has more than one value and that axis is numeric.
pub fn figure(report: &SweepReport) -> Option<Figure> {
    let axis = super::only_axis(report)?;
    let numbers = axis.scale()?;
    let points: Vec<CurvePoint> = report
        .points
        .iter()
        .zip(numbers)
        .enumerate()
        .map(|(i, (point, x))| CurvePoint { x: *x, label: axis.label(i), p: point.result.p_oom, undecided: undecided(&point.result.p_oom) })
        .collect();
    if points.is_empty() {
        return None;
    }
    let estimates: Vec<&Estimate> = points.iter().map(|p| &p.p).collect();
    let title = verdict::trend(axis, &estimates);
    let log = points[0].x > 0.0 && points[points.len() - 1].x / points[0].x >= 20.0;
    let list: Vec<String> = points.iter().map(|p| format!("{}: {}", p.label, format::estimate(&p.p))).collect();
    Some(Figure {
        title,
        subtitle: format!("{} · band: {}", report.setup(), report.interval_words()),
        description: format!("Probability of running out of memory by {}: {}.", axis.title, list.join("; ")),
        size: SIZE,
        chart: Chart::Curve(Curve { x_title: axis.title.clone(), log, points }),
    })
}

impl Curve {
    pub(super) fn table(&self) -> Table {
        let row = |p: &CurvePoint| {
            let mut row = vec![real(p.x), p.label.clone()];
            row.extend([p.p.estimate, p.p.low, p.p.high].map(real));
            row.push(p.p.n.to_string());
            row
        };
        let mut header = vec![self.x_title.clone()];
        header.extend(names(&["label", "p_oom", "p_oom_low", "p_oom_high", "n"]));
        (header, self.points.iter().map(row).collect())
    }
}
