//! What a report is about: plain data that the command line fills in.
//!
//! Results come folded from `sim-core`; names, labels and commands come from the user's scenario. Axes are in
//! the order of the scenario and points in row-major order with the first axis slowest; an interrupted sweep
//! has a prefix of them. How a point stands ([`Standing`]) is decided here once, for sentences, tables and
//! charts alike: by its interval, never by its estimate alone.

use sim_core::observe::Timeline;
use sim_core::plan::NodeLines;
use sim_core::record::{Cause, Outcome};
use sim_core::study::{Estimate, PointResult};
use sim_core::units::Bytes;

use crate::format;

/// What was run, and how to run it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Scenario name or path, as it is typed in commands.
    pub scenario: String,
    /// One-line story of the scenario; may be empty.
    pub title: String,
    /// Version of spillcast.
    pub version: String,
    /// Fingerprint of the whole study.
    pub fingerprint: String,
    /// Master seed.
    pub seed: u64,
    /// Command that makes this report again.
    pub command: String,
}

/// Axis names with the value of a point on each, in the order of the axes.
pub type Coordinates = Vec<(String, serde_json::Value)>;

/// The result of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointReport {
    /// Empty for a single run.
    pub coordinates: Coordinates,
    /// The coordinates in words, one an axis.
    pub labels: Vec<String>,
    /// Fingerprint of the point's plan.
    pub fingerprint: String,
    /// Its folded replications.
    pub result: PointResult,
    /// Executors that the job asks for.
    pub executors_wanted: u32,
    /// Where the example incident happened, by name.
    pub place: Option<Place>,
}

/// Where something happened, in the user's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Node.
    pub node: String,
    /// Stage that was running; may be empty.
    pub stage: String,
}

/// One axis of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisInfo {
    /// Name in the scenario and in results.
    pub name: String,
    /// Name in charts.
    pub title: String,
    /// Unit of the values, if they have one.
    pub unit: Option<String>,
    /// Values in words.
    pub labels: Vec<String>,
    /// Values as numbers, when all are numeric.
    pub numbers: Option<Vec<f64>>,
    /// What sets each value on the command line, as flags with their arguments: nothing for the scenario as it is.
    /// `None` where no command can, as for a pod template.
    pub settings: Vec<Option<Vec<(String, String)>>>,
}

impl AxisInfo {
    /// A value in words, with the axis's unit unless the label has a unit already.
    pub fn label(&self, index: usize) -> String {
        let label = self.labels.get(index).map_or("", String::as_str);
        match &self.unit {
            Some(unit) if !unit.is_empty() && !label.ends_with(unit) && !label.contains(char::is_alphabetic) => format!("{label} {unit}"),
            _ => label.to_owned(),
        }
    }

    /// A value in words that stand alone: numbers and yes or no are nothing without the axis's title.
    pub fn phrase(&self, index: usize) -> String {
        let label = self.label(index);
        let bare = matches!(label.as_str(), "true" | "false" | "yes" | "no" | "on" | "off");
        if bare || self.numbers.is_some() { format!("{} {label}", self.short()) } else { label }
    }

    /// The title without what explains it, as it reads inside a sentence: `executor memory` of `Executor memory, factor on 8 GiB`.
    pub fn short(&self) -> String {
        let end = [", ", " ("].iter().filter_map(|stop| self.title.find(stop)).min().unwrap_or(self.title.len());
        format::uncapitalised(&self.title[..end])
    }

    /// The values as numbers when they can be a scale: at least two, finite, and strictly increasing.
    pub fn scale(&self) -> Option<&[f64]> {
        let numbers = self.numbers.as_deref()?;
        let increasing = numbers.windows(2).all(|w| w[0] < w[1]);
        (numbers.len() == self.labels.len() && numbers.len() >= 2 && increasing && numbers.iter().all(|v| v.is_finite())).then_some(numbers)
    }
}

/// A run to draw over time, and what it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// Short name of the configuration.
    pub title: String,
    /// What the configuration is, in a few words; may be empty.
    pub subtitle: String,
    /// Memory and marks over time.
    pub timeline: Timeline,
    /// Limits, by node index.
    pub nodes: Vec<NodeLines>,
    /// Container limit of an executor, if it has one.
    pub executor_limit: Option<Bytes>,
    /// Names of stages, by stage index.
    pub stage_names: Vec<String>,
    /// How the run ended.
    pub outcome: Outcome,
}

/// Everything that is known after a sweep or a run.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepReport {
    /// What was run.
    pub header: Header,
    /// Axes; none for a single run.
    pub axes: Vec<AxisInfo>,
    /// Points in row-major order, first axis slowest; a prefix when interrupted.
    pub points: Vec<PointReport>,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// Runs to draw over time.
    pub stories: Vec<Story>,
}

impl SweepReport {
    /// Number of points of the full grid.
    pub fn grid_len(&self) -> usize {
        self.axes.iter().map(|axis| axis.labels.len()).product()
    }

    /// Index of a point on each axis.
    pub fn position(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let mut position = vec![0; self.axes.len()];
        for (slot, axis) in position.iter_mut().zip(&self.axes).rev() {
            let len = axis.labels.len().max(1);
            *slot = rest % len;
            rest /= len;
        }
        position
    }

    /// A point's labels in one phrase, with units: `tmpfs, input 3 GB`.
    pub fn point_label(&self, index: usize) -> String {
        if self.axes.is_empty() {
            return self.header.scenario.clone();
        }
        let position = self.position(index);
        self.axes.iter().zip(position).map(|(axis, at)| axis.phrase(at)).collect::<Vec<_>>().join(", ")
    }

    /// A point's values without the names of axes, for rows under a heading that has them ([`SweepReport::row_heading`]).
    pub fn row_label(&self, index: usize) -> String {
        if self.axes.is_empty() {
            return self.header.scenario.clone();
        }
        let position = self.position(index);
        self.axes.iter().zip(position).map(|(axis, at)| axis.label(at)).collect::<Vec<_>>().join(", ")
    }

    /// What rows of points are rows of: the axes' short titles; empty when the labels say it, or for a single run.
    pub fn row_heading(&self) -> String {
        let speaks = |axis: &AxisInfo| (0..axis.labels.len()).all(|i| axis.phrase(i) == axis.label(i));
        if self.axes.iter().all(speaks) { String::new() } else { self.axes.iter().map(AxisInfo::short).collect::<Vec<_>>().join(", ") }
    }

    /// Replications a point in words: `n = 1000`, `n = 200 to 400 a point`.
    pub fn n_words(&self) -> String {
        let of = |p: &PointReport| p.result.replications;
        let (least, most) = (self.points.iter().map(of).min().unwrap_or(0), self.points.iter().map(of).max().unwrap_or(0));
        let each = if self.points.len() > 1 { " a point" } else { "" };
        if least == most { format!("n = {least}{each}") } else { format!("n = {least} to {most}{each}") }
    }

    /// The second line of every chart: scenario, n and seed.
    pub fn setup(&self) -> String {
        format!("{} · {} · seed {}", self.header.scenario, self.n_words(), self.header.seed)
    }

    /// Confidence of the intervals in words: `95 % interval`.
    pub fn interval_words(&self) -> String {
        let confidence = self.points.first().map_or(0.95, |p| p.result.p_oom.confidence);
        format!("{} interval", format::percent(confidence))
    }
}

/// How a point stands, judged by the interval of its P(OOM).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// More likely than not to run out of memory: the whole interval is above one half.
    Dies,
    /// Below one half, but more than one in twenty cannot be ruled out or has been seen.
    Risky,
    /// The whole interval is at or below 5 %, or nothing was seen and the interval is narrow.
    Survives,
    /// The interval is wider than 0.2 or has one half inside: more replications are needed.
    Undecided,
}

impl Standing {
    /// Judges an interval; the rule of hatching in heat maps is the [`Standing::Undecided`] arm.
    pub fn of(p: &Estimate) -> Self {
        if undecided(p) {
            Self::Undecided
        } else if p.low >= 0.5 {
            Self::Dies
        } else if p.estimate <= 0.0 || p.high <= 0.05 {
            Self::Survives
        } else {
            Self::Risky
        }
    }
}

impl PointReport {
    /// How the point stands.
    pub fn standing(&self) -> Standing {
        Standing::of(&self.result.p_oom)
    }

    /// How it stands in a word or two, so that colour is never the only carrier. Points that do not run out of
    /// memory but have another trouble in more than one replication in twenty are not said to survive.
    pub fn standing_words(&self) -> &'static str {
        match self.standing() {
            Standing::Dies => "dies",
            Standing::Risky => "risky",
            Standing::Undecided => "undecided",
            Standing::Survives => self.other_trouble().unwrap_or("survives"),
        }
    }

    /// The commonest trouble that P(OOM) does not count, when more than one replication in twenty has it.
    pub fn other_trouble(&self) -> Option<&'static str> {
        let share = |cause| Cause::ALL.iter().zip(&self.result.p_by_cause).filter(|(c, _)| **c == cause).map(|(_, p)| p.estimate).sum::<f64>();
        let troubles = [("job fails", self.result.p_job_failure.estimate), ("scratch full", share(Cause::ScratchFull)), ("evictions", share(Cause::Eviction))];
        troubles.into_iter().filter(|(_, p)| *p > 0.05).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(words, _)| words)
    }
}

/// Whether an interval leaves the answer open: wider than 0.2, or one half strictly inside.
pub(crate) fn undecided(p: &Estimate) -> bool {
    p.n == 0 || p.high - p.low > 0.2 || (p.low < 0.5 && p.high > 0.5)
}
