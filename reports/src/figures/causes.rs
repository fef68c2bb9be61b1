//! What dies first: shares of the first incident's cause, stacked a point.
//!
//! Each replication counts once, for its first incident or as a survivor, so a bar is always the whole. When
//! there are many points, those without incidents are left out, then those with the fewest; the setup line says how many.

use sim_core::record::Cause;

use super::{Chart, Figure, SIZE, Table, names};
use crate::{SweepReport, format};

/// The most rows that are drawn.
const MOST_ROWS: usize = 40;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Name of the point.
    pub label: String,
    /// Replications by cause of the first incident, in [`Cause::ALL`] order.
    pub first: [u64; Cause::ALL.len()],
    /// Replications without any incident.
    pub survived: u64,
}

impl Bar {
    /// All replications.
    pub fn total(&self) -> u64 {
        self.first.iter().sum::<u64>() + self.survived
    }
}

/// The data of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Causes {
    /// Bars, from the top.
    pub bars: Vec<Bar>,
    /// What the rows are, when their labels do not say it.
    pub heading: String,
}

/// The chart; `None` without points.
pub fn figure(report: &SweepReport) -> Option<Figure> {
    let mut bars: Vec<Bar> = (0..report.points.len()).map(|i| bar(report, i)).collect();
    if bars.is_empty() {
        return None;
    }
    let all = bars.len();
    let title = title(&bars);
    if bars.len() > MOST_ROWS / 2 {
        bars.retain(|b| b.survived < b.total());
        keep_worst(&mut bars);
    }
    if bars.is_empty() {
        return None;
    }
    let hidden = match all - bars.len() {
        0 => String::new(),
        n => format!(" · {n} of {all} points with fewer not drawn"),
    };
    Some(Figure {
        title,
        subtitle: format!("{} · first incident of each replication{hidden}", report.setup()),
        description: describe(&bars),
        size: (SIZE.0, if bars.len() > 3 { SIZE.1.max(150 + 30 * bars.len() as u32) } else { 180 + 72 * bars.len() as u32 }),
        chart: Chart::Causes(Causes { bars, heading: report.row_heading() }),
    })
}

/// Keeps the bars with the largest share of incidents, in their order.
fn keep_worst(bars: &mut Vec<Bar>) {
    let share = |b: &Bar| b.survived as f64 / b.total() as f64;
    let mut shares: Vec<f64> = bars.iter().map(share).collect();
    shares.sort_by(f64::total_cmp);
    if let Some(last) = shares.get(MOST_ROWS - 1).copied() {
        bars.retain(|b| share(b) <= last);
        bars.truncate(MOST_ROWS);
    }
}

fn bar(report: &SweepReport, index: usize) -> Bar {
    let result = &report.points[index].result;
    let died: u64 = result.first_cause.iter().sum();
    Bar { label: report.row_label(index), first: result.first_cause, survived: result.replications.saturating_sub(died) }
}

/// A cause in words, as charts and tables name it.
pub const fn cause_words(cause: Cause) -> &'static str {
    match cause {
        Cause::Heap => "heap space",
        Cause::Container => "container limit",
        Cause::Node => "node out of memory",
        Cause::Eviction => "eviction",
        Cause::ScratchFull => "scratch full",
    }
}

/// A first cause as a clause.
const fn clause(cause: Cause) -> &'static str {
    match cause {
        Cause::Heap => "an executor runs out of heap",
        Cause::Container => "a container limit is hit",
        Cause::Node => "the node runs out of memory",
        Cause::Eviction => "the kubelet evicts",
        Cause::ScratchFull => "scratch fills up",
    }
}

/// The leading cause over all points.
fn title(bars: &[Bar]) -> String {
    let of = |i: usize| bars.iter().map(|b| b.first[i]).sum::<u64>();
    let mut counts: Vec<(Cause, u64)> = Cause::ALL.iter().enumerate().map(|(i, cause)| (*cause, of(i))).filter(|(_, n)| *n > 0).collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let died: u64 = counts.iter().map(|(_, n)| n).sum();
    let share = |n: u64| format::percent(n as f64 / died as f64);
    match counts.as_slice() {
        [] => "Nothing goes wrong in any replication".into(),
        [(cause, _)] => format!("Whenever something goes wrong, {} first", clause(*cause)),
        [(cause, n), ..] if *n as f64 >= 0.95 * died as f64 => format!("When something goes wrong, {} first: in {} of cases", clause(*cause), share(*n)),
        [(first, n), (second, m), ..] => format!("What comes first: {} ({} of incidents), {} ({})", clause(*first), share(*n), clause(*second), share(*m)),
    }
}

fn describe(bars: &[Bar]) -> String {
    let one = |b: &Bar| {
        let shares = Cause::ALL.iter().zip(b.first).filter(|(_, n)| *n > 0);
        let mut words: Vec<String> = shares.map(|(cause, n)| format!("{} {}", cause_words(*cause), format::percent(n as f64 / b.total() as f64))).collect();
        words.push(format!("survived {}", format::percent(b.survived as f64 / b.total().max(1) as f64)));
        format!("{}: {}", b.label, words.join(", "))
    };
    format!("Stacked bars of what ended each replication first. {}.", bars.iter().map(one).collect::<Vec<_>>().join("; "))
}

impl Causes {
    pub(super) fn table(&self) -> Table {
        let row = |b: &Bar| {
            let mut row = vec![b.label.clone()];
            row.extend(b.first.iter().chain([&b.survived, &b.total()]).map(u64::to_string));
            row
        };
        let mut header = names(&["point"]);
        header.extend(Cause::ALL.iter().map(|cause| format!("first_{}", cause.key())));
        header.extend(names(&["survived", "n"]));
        (header, self.bars.iter().map(row).collect())
    }
}
