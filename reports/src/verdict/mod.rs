//! The answer in one sentence, one number and one next step.
//!
//! The sentence says which points die, which survive and how the axes work together; it is read off the
//! intervals ([`Standing`]), so it says that it does not know when replications are too few. The number is the
//! P(OOM) that the sentence rests on, with interval and n. The next step is a command to type, with its reason: more
//! replications when undecided, else the change that the nearest survivor or the cause of death suggests.

mod finding;
mod next_step;

use sim_core::record::{Cause, Level};

use crate::{PointReport, Standing, SweepReport, format};

pub(crate) use finding::{finding, trend};
pub use next_step::cure;
pub(crate) use next_step::words;

/// What the first screen and the first lines of a table say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// One sentence.
    pub sentence: String,
    /// P(OOM) of the point in question, with interval and n.
    pub number: String,
    /// A command to type next.
    pub next_step: String,
    /// Why that command, in a few words.
    pub reason: String,
}

/// Judges a sweep or a run.
pub fn verdict(report: &SweepReport) -> Verdict {
    let Some(worst) = worst(report) else {
        let sentence = "Nothing to report: no replication was finished.".to_owned();
        return Verdict { sentence, number: "no replications".into(), next_step: report.header.command.clone(), reason: "nothing is known yet".into() };
    };
    let mut sentence = if report.axes.is_empty() { run_sentence(&report.points[worst]) } else { finding(report) };
    if report.interrupted && !report.axes.is_empty() {
        sentence = format!("Interrupted after {} of {} points. So far: {sentence}", report.points.len(), report.grid_len());
    } else if report.interrupted {
        sentence = format!("Interrupted early. So far: {sentence}");
    }
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    let next = next_step::next_step(report, worst);
    Verdict { sentence, number: number(report, worst), next_step: next.command, reason: next.reason }
}

/// The point with the largest P(OOM); the first of equals.
pub fn worst(report: &SweepReport) -> Option<usize> {
    let p = |i: &usize| report.points[*i].result.p_oom.estimate;
    (0..report.points.len()).rev().max_by(|a, b| p(a).total_cmp(&p(b)))
}

fn number(report: &SweepReport, worst: usize) -> String {
    let text = format!("P(OOM) {}", format::estimate(&report.points[worst].result.p_oom));
    if report.axes.is_empty() { text } else { format!("{text} at {}", report.point_label(worst)) }
}

fn run_sentence(point: &PointReport) -> String {
    let p = &point.result.p_oom;
    match Standing::of(p) {
        Standing::Undecided => format!("Undecided: P(OOM) is between {} after {}", ends(p), format::plural(p.n, "replication")),
        Standing::Dies => format!("Runs out of memory in {} of replications{}", format::percent(p.estimate), how(point)),
        Standing::Risky => format!("Sometimes runs out of memory: in {} of replications{}", format::percent(p.estimate), how(point)),
        Standing::Survives if p.estimate <= 0.0 => {
            format!("Did not run out of memory once in {}{}", format::plural(p.n, "replication"), other_trouble(point))
        }
        Standing::Survives => format!("Rarely runs out of memory: in {} of replications{}", format::percent(p.estimate), how(point)),
    }
}

fn ends(p: &sim_core::study::Estimate) -> String {
    format!("{} and {}", format::percent(p.low), format::percent(p.high))
}

/// Which limit kills, and what becomes of the job.
fn how(point: &PointReport) -> String {
    let first = point.result.first_level.iter().max_by_key(|(_, n)| *n);
    let Some((level, _)) = first else {
        return String::new();
    };
    let job = &point.result.p_job_failure;
    let job = if job.estimate > 0.0 { format!("; the job fails in {}", format::percent(job.estimate)) } else { "; the job gets through".into() };
    format!(", killed {}{job}", level_words(*level))
}

/// Evictions, full scratch and failed jobs are not P(OOM); a survivor's sentence must not hide them.
fn other_trouble(point: &PointReport) -> String {
    let result = &point.result;
    let share = |cause: Cause| result.p_by_cause[Cause::ALL.iter().position(|c| *c == cause).unwrap_or(0)].estimate;
    let troubles =
        [(share(Cause::Eviction), "executors are evicted"), (share(Cause::ScratchFull), "scratch fills up"), (result.p_job_failure.estimate, "the job fails")];
    let worst = troubles.iter().filter(|(p, _)| *p > 0.0).max_by(|a, b| a.0.total_cmp(&b.0));
    worst.map_or_else(String::new, |(p, what)| format!(", but {what} in {}", format::percent(*p)))
}

/// A limit in words that follow "killed".
pub(crate) const fn level_words(level: Level) -> &'static str {
    match level {
        Level::Heap => "by the heap limit",
        Level::Pod => "at the container limit",
        Level::Kubepods => "at the limit of all pods of a node",
        Level::Node => "by the node's kernel",
        Level::Eviction => "by the kubelet",
        Level::Volume => "by a full volume",
    }
}
