//! P(OOM) over two axes: a cell a point.
//!
//! The axis with more values lies horizontally. Numeric rows ascend upwards. Cells whose interval is wider than
//! 0.2 or has one half inside are undecided, and drawn hatched. When both axes are numeric, contours at 1, 5
//! and 50 % are interpolated between the centres of cells on the scale of log-odds, with half a count added to
//! both sides so that zero and one have a place on it. With more than two axes there is one map for each
//! combination of the remaining ones.

use sim_core::study::Estimate;

use super::{Figure, SIZE, Table, names};
use crate::csv::real;
use crate::report::undecided;
use crate::{AxisInfo, SweepReport, format, verdict};

/// Probabilities at which contours are drawn.
pub const LEVELS: [f64; 3] = [0.5, 0.05, 0.01];

/// The most maps that are drawn when there are more than two axes.
const MOST_MAPS: usize = 12;

/// One direction of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Title of the axis, with its unit.
    pub title: String,
    /// Labels, left to right or bottom to top.
    pub labels: Vec<String>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// P(OOM); `None` when the sweep was interrupted before this point.
    pub p: Option<Estimate>,
    /// Whether to hatch it.
    pub undecided: bool,
    /// Executors that stayed Pending, median; 0 when all found a node.
    pub pending: f64,
}

/// Line segments of one level, in cell units: (0, 0) is the centre of the first cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Contour {
    /// The probability.
    pub level: f64,
    /// Segments from one edge of a square of centres to another.
    pub segments: Vec<[(f64, f64); 2]>,
}

/// The data of a heat map.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// Columns.
    pub x: Side,
    /// Rows, bottom to top.
    pub y: Side,
    /// Cells, row by row from the bottom.
    pub cells: Vec<Cell>,
    /// Contours, when both axes are numeric.
    pub contours: Vec<Contour>,
}

/// A map for each combination of the axes beyond the first two that have more than one value; none for less
/// than two axes.
pub fn figures(report: &SweepReport) -> Vec<Figure> {
    let wide: Vec<usize> = (0..report.axes.len()).filter(|a| report.axes[*a].labels.len() > 1).collect();
    let [first, second, rest @ ..] = wide.as_slice() else {
        return Vec::new();
    };
    let (mut x, mut y) = (*second, *first);
    if report.axes[y].labels.len() > report.axes[x].labels.len() {
        (x, y) = (y, x);
    }
    let slices: usize = rest.iter().map(|a| report.axes[*a].labels.len()).product();
    (0..slices.min(MOST_MAPS)).map(|slice| figure(report, (x, y), rest, slice)).collect()
}

fn figure(report: &SweepReport, (x, y): (usize, usize), rest: &[usize], slice: usize) -> Figure {
    let mut position = vec![0; report.axes.len()];
    let mut left = slice;
    for axis in rest.iter().rev() {
        let len = report.axes[*axis].labels.len();
        position[*axis] = left % len;
        left /= len;
    }
    let (columns, rows) = (report.axes[x].labels.len(), report.axes[y].labels.len());
    // Names read from the top, numbers grow upwards; rows are stored from the bottom.
    let upwards = report.axes[y].scale().is_some();
    let mut cells = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        position[y] = if upwards { row } else { rows - 1 - row };
        for column in 0..columns {
            position[x] = column;
            let point = report.points.get(index_of(report, &position)).map(|p| &p.result);
            let p = point.map(|point| point.p_oom);
            let pending = point.map_or(0.0, |point| point.executors_pending.p50);
            cells.push(Cell { p, undecided: p.is_some_and(|p| undecided(&p)), pending });
        }
    }
    let mut map = HeatMap { x: side(&report.axes[x], true), y: side(&report.axes[y], upwards), cells, contours: Vec::new() };
    if report.axes[x].scale().is_some() && upwards && columns > 2 && rows > 2 && is_orderly(&map) {
        map.contours = LEVELS.iter().map(|level| contour(&map, *level)).filter(|c| !c.segments.is_empty()).collect();
    }
    let at: Vec<String> = rest.iter().map(|a| format!("{} {}", report.axes[*a].title, report.axes[*a].label(position[*a]))).collect();
    words(report, map, &at)
}

fn words(report: &SweepReport, map: HeatMap, at: &[String]) -> Figure {
    let (columns, rows) = (map.x.labels.len() as u32, map.y.labels.len() as u32);
    let waits = if map.cells.iter().any(|c| c.pending > 0.0) { " · executors that found no node: Pending" } else { "" };
    let setup = format!("{} · small print: {}{waits}", report.setup(), report.interval_words());
    let subtitle = if at.is_empty() { setup } else { format!("{} · {setup}", at.join(", ")) };
    let longest = |labels: &[String]| labels.iter().map(|l| l.chars().count()).max().unwrap_or(0) as u32;
    // Cells have room for an interval (74 by 44 px) beside labels of about 8 px a character, as long as the page has.
    let size =
        ((90 + (8 * longest(&map.y.labels)).min(300) + 74 * columns).clamp(SIZE.0, 1600), SIZE.1.max(190 + 44 * rows + (8 * longest(&map.x.labels)).min(130)));
    Figure { title: verdict::finding(report), subtitle, description: describe(&map), size, chart: super::Chart::HeatMap(map) }
}

fn describe(map: &HeatMap) -> String {
    let known: Vec<&Estimate> = map.cells.iter().filter_map(|c| c.p.as_ref()).collect();
    let least = known.iter().map(|p| p.estimate).fold(1.0, f64::min);
    let most = known.iter().map(|p| p.estimate).fold(0.0, f64::max);
    let open = map.cells.iter().filter(|c| c.undecided).count();
    format!(
        "Heat map of the probability of running out of memory over {} and {}: {} cells from {} to {}, {open} undecided.",
        map.x.title,
        map.y.title,
        known.len(),
        format::percent(least),
        format::percent(most),
    )
}

fn index_of(report: &SweepReport, position: &[usize]) -> usize {
    report.axes.iter().zip(position).fold(0, |index, (axis, at)| index * axis.labels.len() + at)
}

fn side(axis: &AxisInfo, forwards: bool) -> Side {
    let mut labels: Vec<String> = (0..axis.labels.len()).map(|i| axis.label(i)).collect();
    if !forwards {
        labels.reverse();
    }
    Side { title: axis.title.clone(), labels }
}

/// Log-odds of an estimate with half a count added to hits and misses.
fn log_odds(p: &Estimate) -> f64 {
    let hits = p.estimate * p.n as f64;
    ((hits + 0.5) / (p.n as f64 - hits + 0.5)).ln()
}

/// Whether no row or column both rises and falls beyond its intervals: a contour through a field that turns around
/// would promise a boundary that is none.
fn is_orderly(map: &HeatMap) -> bool {
    let columns = map.x.labels.len();
    let turns = |line: Vec<Option<Estimate>>| {
        let known: Vec<Estimate> = line.into_iter().flatten().collect();
        let pairs = || known.iter().enumerate().flat_map(|(i, a)| known[i + 1..].iter().map(move |b| (a, b)));
        pairs().any(|(a, b)| b.low > a.high) && pairs().any(|(a, b)| b.high < a.low)
    };
    let row = |r: usize| map.cells[r * columns..(r + 1) * columns].iter().map(|c| c.p).collect();
    let column = |c: usize| map.cells.iter().skip(c).step_by(columns).map(|c| c.p).collect();
    !(0..map.y.labels.len()).any(|r| turns(row(r))) && !(0..columns).any(|c| turns(column(c)))
}

/// Marching squares over the centres of cells; saddles are cut apart.
fn contour(map: &HeatMap, level: f64) -> Contour {
    let columns = map.x.labels.len();
    let threshold = (level / (1.0 - level)).ln();
    let value = |c: usize, r: usize| map.cells[r * columns + c].p.as_ref().map(|p| log_odds(p) - threshold);
    let mut segments = Vec::new();
    for r in 0..map.y.labels.len() - 1 {
        for c in 0..columns - 1 {
            let corners = [(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)];
            let values: Option<Vec<f64>> = corners.iter().map(|(c, r)| value(*c, *r)).collect();
            let Some(values) = values else { continue };
            let crossings: Vec<(f64, f64)> = (0..4).filter_map(|i| crossing((corners[i], values[i]), (corners[(i + 1) % 4], values[(i + 1) % 4]))).collect();
            segments.extend(crossings.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        }
    }
    Contour { level, segments }
}

fn crossing((from, a): ((usize, usize), f64), (to, b): ((usize, usize), f64)) -> Option<(f64, f64)> {
    if (a < 0.0) == (b < 0.0) {
        return None;
    }
    let t = a / (a - b);
    let mix = |from: usize, to: usize| from as f64 + t * (to as f64 - from as f64);
    Some((mix(from.0, to.0), mix(from.1, to.1)))
}

impl HeatMap {
    pub(super) fn table(&self) -> Table {
        let columns = self.x.labels.len().max(1);
        let rows = self.cells.iter().enumerate().filter_map(|(i, cell)| {
            let p = cell.p?;
            let mut row = vec![self.x.labels[i % columns].clone(), self.y.labels[i / columns].clone()];
            row.extend([p.estimate, p.low, p.high].map(real));
            row.extend([p.n.to_string(), cell.undecided.to_string(), format::count(cell.pending)]);
            Some(row)
        });
        let mut header = vec![self.x.title.clone(), self.y.title.clone()];
        header.extend(names(&["p_oom", "p_oom_low", "p_oom_high", "n", "undecided", "executors_pending_p50"]));
        (header, rows.collect())
    }
}
