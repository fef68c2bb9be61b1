//! How full the fullest node gets: quantiles of its peak, a fan over the points.
//!
//! The peak is of anonymous and shmem memory, which the kernel cannot reclaim without swap; page cache is not
//! in it. Quantiles are order statistics of all replications (5, 25, 50, 75 and 95 %): the spread of outcomes,
//! not the interval of an estimate. The line is the node's RAM, taken from the runs that are drawn over time,
//! and left out when nodes differ or an axis may change them.

use super::{Chart, Figure, SIZE, Table, names};
use crate::csv::{real, whole};
use crate::{Story, SweepReport, format};
use sim_core::record::MemoryClass;
use sim_core::units::Bytes;

/// Quantiles of the fan.
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The most points that are drawn as rows of names.
const MOST_POINTS: usize = 40;

/// One point.
#[derive(Clone, Debug, PartialEq)]
pub struct FanPoint {
    /// Value on the axis, when numeric.
    pub x: Option<f64>,
    /// Name of the point.
    pub label: String,
    /// Bytes, by [`QUANTILES`].
    pub quantiles: [f64; QUANTILES.len()],
    /// Replications.
    pub n: u64,
}

/// The data of the fan.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// Title of the axis.
    pub x_title: String,
    /// Whether points lie on a numeric scale (bands) or are names (boxes).
    pub numeric: bool,
    /// Whether the scale is logarithmic.
    pub log: bool,
    /// Points.
    pub points: Vec<FanPoint>,
    /// The node's RAM, bytes.
    pub limit: Option<f64>,
    /// Limit of all pods with what the system itself holds on top, bytes: where pods and system together are killed.
    pub kubepods: Option<f64>,
    /// What the rows are, when their labels do not say it.
    pub heading: String,
}

/// The fan; `None` without points, or with too many points that are not on one scale.
pub fn figure(report: &SweepReport) -> Option<Figure> {
    let axis = super::only_axis(report);
    let scale = axis.and_then(|a| a.scale());
    let has_peaks = report.points.iter().all(|p| !p.result.node_peaks.is_empty());
    if report.points.is_empty() || !has_peaks || (scale.is_none() && report.points.len() > MOST_POINTS) {
        return None;
    }
    let points: Vec<FanPoint> = (0..report.points.len()).map(|i| point(report, i, scale)).collect();
    let numeric = scale.is_some() && points.len() > 1;
    let log = numeric && scale.is_some_and(|s| s[0] > 0.0 && s[s.len() - 1] / s[0] >= 20.0);
    let limit = common(report, |story, i| story.nodes.get(i).map(|n| n.capacity));
    let kubepods = common(report, |story, i| {
        let samples = story.timeline.nodes.get(i).map(|n| n.samples.iter().map(|s| s.classes[MemoryClass::System as usize]));
        // A node on which nothing was observed says nothing about the system's share; all nodes of a pool are alike.
        let system = samples.and_then(Iterator::max).or_else(|| story.timeline.nodes.iter().flat_map(|n| &n.samples).map(|s| s.classes[0]).max());
        Some(story.nodes.get(i)?.kubepods_limit? + system?)
    });
    let rows = if numeric { 0 } else { points.len() as u32 };
    let height = if numeric || rows > 3 { SIZE.1.max(150 + 30 * rows) } else { 200 + 72 * rows };
    Some(Figure {
        title: title(&points, limit, kubepods),
        subtitle: format!("{} · spread over replications: 5, 25, 50, 75, 95 %", report.setup()),
        description: describe(&points),
        size: (SIZE.0, height),
        chart: Chart::Fan(Fan {
            x_title: axis.map_or_else(String::new, |a| a.title.clone()),
            numeric,
            log,
            points,
            limit,
            kubepods,
            heading: report.row_heading(),
        }),
    })
}

fn point(report: &SweepReport, index: usize, scale: Option<&[f64]>) -> FanPoint {
    let mut peaks = report.points[index].result.node_peaks.clone();
    peaks.sort_by(f64::total_cmp);
    let quantile = |q: f64| peaks[((q * peaks.len() as f64).ceil() as usize).clamp(1, peaks.len()) - 1];
    let x = scale.and_then(|s| s.get(index).copied());
    FanPoint { x, label: report.row_label(index), quantiles: QUANTILES.map(quantile), n: peaks.len() as u64 }
}

/// A size of the nodes, when it is known to be the same for all of them at every point.
fn common(report: &SweepReport, of: impl Fn(&Story, usize) -> Option<Bytes>) -> Option<f64> {
    let changes_nodes = |name: &str| name.contains("cluster") && !name.ends_with("count");
    if report.axes.iter().any(|a| a.labels.len() > 1 && changes_nodes(&a.name)) {
        return None;
    }
    // The system's share differs a little from node to node: the largest stands for all, unless shapes differ.
    let sizes: Option<Vec<Bytes>> = report.stories.iter().flat_map(|s| (0..s.nodes.len()).map(|i| of(s, i))).collect();
    let sizes = sizes?;
    let (least, most) = (sizes.iter().min()?.as_f64(), sizes.iter().max()?.as_f64());
    (least > 0.97 * most).then_some(most)
}

fn title(points: &[FanPoint], limit: Option<f64>, kubepods: Option<f64>) -> String {
    let medians = || points.iter().map(|p| p.quantiles[2]);
    let (least, most) = (medians().fold(f64::INFINITY, f64::min), medians().fold(0.0, f64::max));
    let peak = if points.len() == 1 {
        format!("The fullest node peaks at {} (median)", format::bytes(most))
    } else {
        format!("The fullest node peaks between {} and {}", format::bytes(least), format::bytes(most))
    };
    // Deaths stop the peak at the pods' limit: there the limit is what there is to say.
    let stopped = |p: &&FanPoint| kubepods.is_some_and(|limit| p.quantiles[2] > 0.985 * limit && p.quantiles[2] < 1.02 * limit);
    match (points.iter().filter(stopped).count(), points.len()) {
        (0, _) => {}
        (1, 1) => return format!("The fullest node fills up to the pods' limit: {}", format::bytes(most)),
        (n, all) if n == all => return format!("The fullest node fills up to the pods' limit at every point: {}", format::bytes(most)),
        (n, all) => return format!("The fullest node fills up to the pods' limit at {n} of {all} points; the emptiest peaks at {}", format::bytes(least)),
    }
    match limit {
        Some(limit) if limit > 0.0 => format!("{peak}: {} of its RAM", share(least, most, limit)),
        _ => peak,
    }
}

fn share(least: f64, most: f64, limit: f64) -> String {
    let (low, high) = (format::percent_number(least / limit), format::percent(most / limit));
    if format!("{low} %") == high { high } else { format!("{low} to {high}") }
}

fn describe(points: &[FanPoint]) -> String {
    let one = |p: &FanPoint| {
        format!("{}: median {}, 5 to 95 % {} to {}", p.label, format::bytes(p.quantiles[2]), format::bytes(p.quantiles[0]), format::bytes(p.quantiles[4]))
    };
    format!("Peak of anonymous and shmem memory on the fullest node. {}.", points.iter().map(one).collect::<Vec<_>>().join("; "))
}

impl Fan {
    pub(super) fn table(&self) -> Table {
        let row = |p: &FanPoint| {
            let mut row = vec![p.label.clone(), p.x.map(real).unwrap_or_default()];
            row.extend(p.quantiles.map(whole));
            row.push(p.n.to_string());
            row
        };
        (names(&["point", "value", "p05_bytes", "p25_bytes", "p50_bytes", "p75_bytes", "p95_bytes", "n"]), self.points.iter().map(row).collect())
    }
}
