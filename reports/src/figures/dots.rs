//! P(OOM) over one axis of names: a dot a value, with the bar of its interval.
//!
//! Used where a curve would suggest an order that names do not have.

use sim_core::study::Estimate;

use super::{Chart, Figure, SIZE, Table, names};
use crate::csv::real;
use crate::report::undecided;
use crate::{SweepReport, format, verdict};

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// Name of the value.
    pub label: String,
    /// P(OOM).
    pub p: Estimate,
    /// Whether the interval leaves the answer open; such dots are drawn hollow.
    pub undecided: bool,
}

/// The data of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Dots {
    /// Title of the axis.
    pub title: String,
    /// Rows, from the top.
    pub rows: Vec<Dot>,
}

/// The chart, when exactly one axis has more than one value and that axis is not numeric.
pub fn figure(report: &SweepReport) -> Option<Figure> {
    let axis = super::only_axis(report).filter(|axis| axis.scale().is_none())?;
    let row = |(i, p): (usize, &crate::PointReport)| {
        let label = report.axes.iter().position(|a| a == axis).map_or(i, |a| report.position(i)[a]);
        Dot { label: axis.label(label), p: p.result.p_oom, undecided: undecided(&p.result.p_oom) }
    };
    let rows: Vec<Dot> = report.points.iter().enumerate().map(row).collect();
    let list: Vec<String> = rows.iter().map(|d| format!("{}: {}", d.label, format::estimate(&d.p))).collect();
    Some(Figure {
        title: verdict::finding(report),
        subtitle: format!("{} · bars: {}", report.setup(), report.interval_words()),
        description: format!("Probability of running out of memory by {}: {}.", axis.title, list.join("; ")),
        size: (SIZE.0, SIZE.1.max(160 + 34 * rows.len() as u32)),
        chart: Chart::Dots(Dots { title: axis.title.clone(), rows }),
    })
}

impl Dots {
    pub(super) fn table(&self) -> Table {
        let row = |d: &Dot| {
            let mut row = vec![d.label.clone()];
            row.extend([d.p.estimate, d.p.low, d.p.high].map(real));
            row.push(d.p.n.to_string());
            row
        };
        let mut header = vec![self.title.clone()];
        header.extend(names(&["p_oom", "p_oom_low", "p_oom_high", "n"]));
        (header, self.rows.iter().map(row).collect())
    }
}
