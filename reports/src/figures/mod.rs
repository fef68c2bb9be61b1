//! Charts as data: what is drawn, before anything is drawn.
//!
//! One file a chart; each has a `figure` function that returns `None` when the report has nothing for it. A
//! figure knows its title (the finding, computed from the data), its setup line, a description for readers who
//! do not see it, and its data as CSV. Adding a chart is one file here, one in [`crate::svg`], a variant of
//! [`Chart`] and a line in [`all`].

pub mod agreement;
pub mod causes;
pub mod curve;
pub mod dots;
pub mod fan;
pub mod heat_map;
pub mod memory;
pub mod reliability;

use crate::SweepReport;

/// A chart with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The finding, in words.
    pub title: String,
    /// The setup: scenario, n, seed, what bands mean.
    pub subtitle: String,
    /// What a reader who does not see the chart needs.
    pub description: String,
    /// Width and height in CSS pixels.
    pub size: (u32, u32),
    /// What is drawn.
    pub chart: Chart,
}

/// The kinds of charts.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// P(OOM) over two axes.
    HeatMap(heat_map::HeatMap),
    /// P(OOM) over one numeric axis.
    Curve(curve::Curve),
    /// P(OOM) over one axis of names.
    Dots(dots::Dots),
    /// First causes by point.
    Causes(causes::Causes),
    /// Node memory over time.
    Memory(memory::Memory),
    /// Quantiles of the fullest node's peak.
    Fan(fan::Fan),
    /// What was forecast against what happened, by probability.
    Reliability(reliability::Reliability),
    /// Forecast against observation, a mark a trial.
    Agreement(agreement::Agreement),
}

/// A figure with the name of its files.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedFigure {
    /// File name without extension.
    pub name: String,
    /// The figure.
    pub figure: Figure,
}

/// Default size of a chart, CSS pixels.
pub const SIZE: (u32, u32) = (960, 540);

impl Figure {
    /// The chart's data as CSV, with a header line.
    pub fn data_csv(&self) -> String {
        let (names, rows) = match &self.chart {
            Chart::HeatMap(c) => c.table(),
            Chart::Curve(c) => c.table(),
            Chart::Dots(c) => c.table(),
            Chart::Causes(c) => c.table(),
            Chart::Memory(c) => c.table(),
            Chart::Fan(c) => c.table(),
            Chart::Reliability(c) => c.table(),
            Chart::Agreement(c) => c.table(),
        };
        crate::csv::write(names, rows.into_iter())
    }
}

/// Names of columns, and rows.
type Table = (Vec<String>, Vec<Vec<String>>);

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

/// All charts that the report has data for, the most telling first.
pub fn all(report: &SweepReport) -> Vec<NamedFigure> {
    let mut figures: Vec<NamedFigure> = Vec::new();
    let mut push = |name: &str, figure: Option<Figure>| {
        if let Some(figure) = figure {
            figures.push(NamedFigure { name: name.to_owned(), figure });
        }
    };
    for (index, figure) in heat_map::figures(report).into_iter().enumerate() {
        let name = if index == 0 { "p_oom".to_owned() } else { format!("p_oom-{}", index + 1) };
        push(&name, Some(figure));
    }
    push("p_oom", curve::figure(report));
    push("p_oom", dots::figure(report));
    push("memory", memory::figure(report));
    push("causes", causes::figure(report));
    push("node_peak", fan::figure(report));
    figures
}

/// The axis with more than one value, when there is exactly one such.
fn only_axis(report: &SweepReport) -> Option<&crate::AxisInfo> {
    let mut wide = report.axes.iter().filter(|axis| axis.labels.len() > 1);
    let axis = wide.next()?;
    wide.next().is_none().then_some(axis)
}
