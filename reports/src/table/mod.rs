//! Results for a terminal, 40 to 200 columns wide.
//!
//! The verdict comes first, then the number with its interval, then the table, notes, and one next step. Colour
//! is optional and never the only carrier: rows say in a word how they stand. Probabilities have their interval
//! beside them. Text is plain UTF-8 and ends with a newline.

mod layout;
mod run;
mod sweep;

pub use run::run;
pub(crate) use run::{Quantity, quantity_rows};
pub use sweep::sweep;

use crate::{PointReport, Standing, SweepReport, Verdict, format};
use layout::wrap;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color && !text.trim().is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
    fn standing(self, standing: Standing, text: &str) -> String {
        let code = match standing {
            Standing::Dies => RED,
            Standing::Survives => GREEN,
            Standing::Risky | Standing::Undecided => YELLOW,
        };
        self.paint(code, text)
    }
}

/// Widths outside of 40 to 200 columns are taken as the nearest of them.
fn clamped(width: usize) -> usize {
    width.clamp(40, 200)
}

fn opening(verdict: &Verdict, width: usize, style: Style) -> Vec<String> {
    let mut lines: Vec<String> = wrap(&verdict.sentence, width).iter().map(|l| style.paint(BOLD, l)).collect();
    lines.extend(wrap(&verdict.number, width));
    lines.push(String::new());
    lines
}

fn closing(report: &SweepReport, verdict: &Verdict, fingerprint: &str, width: usize, style: Style) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(wrap(&format!("next: {}", verdict.reason), width));
    lines.extend(layout::command(&verdict.next_step, width).iter().map(|l| style.paint(BOLD, l)));
    let header = &report.header;
    let origin = format!("{} · seed {} · spillcast {} · fingerprint {fingerprint}", report.n_words(), header.seed, header.version);
    lines.extend(wrap(&origin, width).iter().map(|l| style.paint(DIM, l)));
    lines
}

/// What a reader must know beside the numbers: executors that found no node, and replications cut off.
pub(crate) fn notes(points: &[PointReport]) -> Vec<String> {
    let mut notes = Vec::new();
    let waiting: Vec<&PointReport> = points.iter().filter(|p| p.result.executors_pending.max > 0.0).collect();
    if let Some(most) = waiting.iter().max_by(|a, b| a.result.executors_pending.max.total_cmp(&b.result.executors_pending.max)) {
        let pending = &most.result.executors_pending;
        let wanted = match most.executors_wanted {
            0 => String::new(),
            n => format!(" of {n}"),
        };
        let place = if points.len() > 1 { format!(" in {}", format::plural(waiting.len() as u64, "point")) } else { String::new() };
        let (max, median) = (format::count(pending.max), format::count(pending.p50));
        notes.push(format!(
            "note: executors stayed Pending{place}: up to {max}{wanted} found no node (median {median}), so fewer shared the work and the memory{}",
            price(points)
        ));
    }
    let cut: u64 = points.iter().map(|p| p.result.truncated.iter().sum::<u64>()).sum();
    if cut > 0 {
        let by = |i: usize| points.iter().map(|p| p.result.truncated[i]).sum::<u64>();
        let reasons = [(by(0), "at the horizon"), (by(1), "at the limit of events"), (by(2), "with no executor able to start")];
        let words: Vec<String> = reasons.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        notes.push(format!("note: {} cut off and counted as failed jobs: {}", format::plural(cut, "replication"), words.join(", ")));
    }
    notes
}

/// What waiting costs in time: the medians of points where executors wait beside those where all start.
fn price(points: &[PointReport]) -> String {
    let range = |waits: bool| {
        let of = points.iter().map(|p| &p.result).filter(|r| (r.executors_pending.p50 > 0.0) == waits && r.duration_s.n > 0).map(|r| r.duration_s.p50);
        let (least, most) = of.fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), s| (least.min(s), most.max(s)));
        let (low, high) = (format::seconds(least), format::seconds(most));
        (most > 0.0).then(|| if low == high { low } else { format!("{low} to {high}") })
    };
    match (range(true), range(false)) {
        (Some(with), Some(without)) => format!("; what succeeds takes {with} with them waiting, {without} where all start"),
        (Some(with), None) => format!("; what succeeds takes {with}"),
        (None, _) => "; no replication with them waiting succeeds".to_owned(),
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}
