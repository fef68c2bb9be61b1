//! The fields that a gate may name: those of the result object, with their kinds.
//!
//! A probability's bare name means its estimate; ends of its interval are `.low` and `.high`. A summary has no bare
//! value: its name asks for a statistic. A summary of nothing (no replication succeeded, so no duration) has no value.

use sim_core::record::{Cause, FailureReason};
use sim_core::study::{Estimate, PointResult, Summary};

use super::lexer::Kind;

/// One number of the result object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    quantity: Quantity,
    statistic: Statistic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Oom,
    JobFailure,
    ByCause(usize),
    Summary(usize),
    Replications,
    Truncated,
    TruncatedBy(usize),
    Failed(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statistic {
    Only,
    Estimate(usize),
    Of(usize),
}

/// A summary of the result object, and where the result keeps it.
type Summarised = (&'static str, Kind, fn(&PointResult) -> &Summary);

const SUMMARIES: [Summarised; 14] = [
    ("executors_lost", Kind::Count, |r| &r.executors_lost),
    ("executors_pending", Kind::Count, |r| &r.executors_pending),
    ("duration_s", Kind::Seconds, |r| &r.duration_s),
    ("node_peak_bytes", Kind::Bytes, |r| &r.node_peak),
    ("node_before_shuffle_bytes", Kind::Bytes, |r| &r.node_before_shuffle),
    ("node_at_first_kill_bytes", Kind::Bytes, |r| &r.node_at_first_kill),
    ("pod_peak_bytes", Kind::Bytes, |r| &r.pod_peak),
    ("scratch_peak_bytes", Kind::Bytes, |r| &r.scratch_peak),
    ("shuffle_write_bytes", Kind::Bytes, |r| &r.shuffle_write),
    ("spill_bytes", Kind::Bytes, |r| &r.spill),
    ("task_ooms", Kind::Count, |r| &r.task_ooms),
    ("neighbours_lost", Kind::Count, |r| &r.neighbours_lost),
    ("daemons_lost", Kind::Count, |r| &r.daemons_lost),
    ("swap_out_bytes", Kind::Bytes, |r| &r.swap_out),
];

/// A number of an estimate or a summary, by name.
type Named<T> = (&'static str, fn(&T) -> f64);

const STATISTICS: [Named<Summary>; 12] = [
    ("mean", |s| s.mean),
    ("p50", |s| s.p50),
    ("p95", |s| s.p95),
    ("min", |s| s.min),
    ("max", |s| s.max),
    ("n", |s| s.n as f64),
    ("mean_low", |s| s.mean_low),
    ("mean_high", |s| s.mean_high),
    ("p50_low", |s| s.p50_low),
    ("p50_high", |s| s.p50_high),
    ("p95_low", |s| s.p95_low),
    ("p95_high", |s| s.p95_high),
];

const PARTS: [Named<Estimate>; 4] = [("estimate", |e| e.estimate), ("low", |e| e.low), ("high", |e| e.high), ("n", |e| e.n as f64)];

const TRUNCATIONS: [&str; 3] = ["horizon", "events", "starved"];

impl Field {
    /// The field of this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        all().into_iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }

    /// What it is compared with.
    pub(super) fn kind(self) -> Kind {
        match (self.quantity, self.statistic) {
            (Quantity::Oom | Quantity::JobFailure | Quantity::ByCause(_), Statistic::Estimate(part)) if PARTS[part].0 != "n" => Kind::Share,
            (Quantity::Summary(summary), Statistic::Of(statistic)) if STATISTICS[statistic].0 != "n" => SUMMARIES[summary].1,
            _ => Kind::Count,
        }
    }

    /// Its value at a point, `None` when there is none.
    pub(super) fn value(self, result: &PointResult) -> Option<f64> {
        let estimate = |estimate: &Estimate| match self.statistic {
            Statistic::Estimate(part) => Some(PARTS[part].1(estimate)),
            Statistic::Only | Statistic::Of(_) => None,
        };
        match self.quantity {
            Quantity::Oom => estimate(&result.p_oom),
            Quantity::JobFailure => estimate(&result.p_job_failure),
            Quantity::ByCause(cause) => estimate(&result.p_by_cause[cause]),
            Quantity::Summary(summary) => self.of_summary(SUMMARIES[summary].2(result)),
            Quantity::Replications => Some(result.replications as f64),
            Quantity::Truncated => Some(result.truncated.iter().sum::<u64>() as f64),
            Quantity::TruncatedBy(reason) => Some(result.truncated[reason] as f64),
            Quantity::Failed(reason) => Some(result.failed[reason] as f64),
        }
    }

    fn of_summary(self, summary: &Summary) -> Option<f64> {
        let Statistic::Of(statistic) = self.statistic else { return None };
        let (name, get) = STATISTICS[statistic];
        (summary.n > 0 || name == "n").then(|| get(summary))
    }
}

/// All fields by name.
pub(super) fn all() -> Vec<(String, Field)> {
    let mut all = vec![
        ("replications".to_owned(), Field { quantity: Quantity::Replications, statistic: Statistic::Only }),
        ("truncated".to_owned(), Field { quantity: Quantity::Truncated, statistic: Statistic::Only }),
    ];
    let truncations = TRUNCATIONS.iter().enumerate().map(|(i, name)| (format!("truncated_by.{name}"), Quantity::TruncatedBy(i)));
    let failures = FailureReason::ALL.iter().enumerate().map(|(i, reason)| (format!("failed.{}", reason.key()), Quantity::Failed(i)));
    all.extend(truncations.chain(failures).map(|(name, quantity)| (name, Field { quantity, statistic: Statistic::Only })));
    let causes = Cause::ALL.iter().enumerate().map(|(i, cause)| (format!("p_by_cause.{}", cause.key()), Quantity::ByCause(i)));
    let shares = [("p_oom".to_owned(), Quantity::Oom), ("p_job_failure".to_owned(), Quantity::JobFailure)];
    for (name, quantity) in shares.into_iter().chain(causes) {
        all.push((name.clone(), Field { quantity, statistic: Statistic::Estimate(0) }));
        all.extend(PARTS.iter().enumerate().map(|(i, (part, _))| (format!("{name}.{part}"), Field { quantity, statistic: Statistic::Estimate(i) })));
    }
    for (i, (name, ..)) in SUMMARIES.iter().enumerate() {
        let quantity = Quantity::Summary(i);
        all.extend(STATISTICS.iter().enumerate().map(|(j, (statistic, _))| (format!("{name}.{statistic}"), Field { quantity, statistic: Statistic::Of(j) })));
    }
    all
}

/// What to write instead of a name that is no field.
pub(super) fn nearest(name: &str) -> String {
    if SUMMARIES.iter().any(|(summary, ..)| *summary == name) {
        return format!("`{name}` is a distribution: write `{name}.mean`, `{name}.p50`, `{name}.p95` or `{name}.max`");
    }
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    match all().into_iter().map(|(known, _)| known).max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(known) if likeness(&known) > 0.7 => format!("did you mean `{known}`?"),
        _ => "fields are named as in the output of `--format json`".to_owned(),
    }
}
