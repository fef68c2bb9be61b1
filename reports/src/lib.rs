//! From results to what people read: sentences, tables, JSON, CSV, figures, SVG and one HTML page.
//!
//! The input is a [`SweepReport`]: the folded results of `sim-core`, with the names that the user gave to
//! things; a single run is a report with no axes and one point. Figures are data first ([`figures`]) and drawn
//! afterwards ([`svg`]), so that what a chart says can be tested without looking at it. Nothing here knows of
//! files, clocks or terminals: [`files`] returns names and bytes, the same bytes for the same report. A
//! probability never appears without its interval and its number of replications.

pub mod csv;
pub mod figures;
pub mod format;
pub mod html;
mod incident;
pub mod json;
pub mod placement;
mod report;
pub mod svg;
pub mod table;
pub mod validation;
mod verdict;

pub use figures::{Figure, NamedFigure};
pub use report::{AxisInfo, Coordinates, Header, Place, PointReport, Standing, Story, SweepReport};
pub use verdict::{Verdict, cure, verdict, worst};

/// A file to write, with a name relative to the output directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// File name, without directories.
    pub name: String,
    /// Contents.
    pub contents: Vec<u8>,
}

/// Everything that an output directory holds: `index.html`, `results.csv`, `results.jsonl`, and for each chart
/// its `.svg` with its data in a `.csv` beside it.
pub fn files(report: &SweepReport) -> Vec<OutputFile> {
    let figures = figures::all(report);
    let file = |name: String, text: String| OutputFile { name, contents: text.into_bytes() };
    let mut files = vec![
        file("index.html".into(), html::index(report, &figures)),
        file("results.csv".into(), csv::points(&report.header, &report.axes, &report.points)),
        file("results.jsonl".into(), json::lines(report)),
    ];
    for named in &figures {
        files.push(file(format!("{}.svg", named.name), svg::render(&named.figure)));
        files.push(file(format!("{}.csv", named.name), named.figure.data_csv()));
    }
    files
}
