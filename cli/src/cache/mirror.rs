//! Mirror types: how a point's result looks on disk.
//!
//! The model has no serde, on purpose: its types may change freely. These mirrors name every field again, so a
//! field that is added to the model fails to compile here instead of being lost. Floats are written so that they
//! read back to the same bits. Enums are written by the names that results use.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sim_core::record::{Cause, FailureReason, Holder, Incident, Level, MemoryClass, Party};
use sim_core::shown::{Reason, Shown};
use sim_core::study::{CauseEstimates, Estimate, PointResult, Summary};
use sim_core::units::{Bytes, SimTime};

const CAUSES: usize = Cause::ALL.len();

#[derive(Serialize, Deserialize)]
#[serde(remote = "Estimate")]
struct EstimateMirror {
    estimate: f64,
    low: f64,
    high: f64,
    confidence: f64,
    n: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Summary")]
struct SummaryMirror {
    mean: f64,
    mean_low: f64,
    mean_high: f64,
    p50: f64,
    p50_low: f64,
    p50_high: f64,
    p95: f64,
    p95_low: f64,
    p95_high: f64,
    min: f64,
    max: f64,
    confidence: f64,
    n: u64,
}

/// [`PointResult`] on disk.
#[derive(Serialize, Deserialize)]
#[serde(remote = "PointResult")]
pub(super) struct PointResultMirror {
    replications: u64,
    #[serde(with = "EstimateMirror")]
    p_oom: Estimate,
    #[serde(with = "EstimateMirror")]
    p_job_failure: Estimate,
    #[serde(with = "by_cause")]
    p_by_cause: CauseEstimates,
    first_cause: [u64; CAUSES],
    #[serde(with = "levels")]
    first_level: Vec<(Level, u64)>,
    #[serde(with = "shown_counts")]
    first_shown: Vec<(Shown, u64)>,
    #[serde(with = "SummaryMirror")]
    executors_lost: Summary,
    #[serde(with = "SummaryMirror")]
    neighbours_lost: Summary,
    #[serde(with = "SummaryMirror")]
    daemons_lost: Summary,
    #[serde(with = "SummaryMirror")]
    executors_pending: Summary,
    #[serde(with = "SummaryMirror")]
    duration_s: Summary,
    #[serde(with = "SummaryMirror")]
    node_peak: Summary,
    #[serde(with = "SummaryMirror")]
    node_before_shuffle: Summary,
    #[serde(with = "SummaryMirror")]
    node_at_first_kill: Summary,
    #[serde(with = "SummaryMirror")]
    pod_peak: Summary,
    #[serde(with = "SummaryMirror")]
    scratch_peak: Summary,
    #[serde(with = "SummaryMirror")]
    shuffle_write: Summary,
    #[serde(with = "SummaryMirror")]
    spill: Summary,
    #[serde(with = "SummaryMirror")]
    task_ooms: Summary,
    #[serde(with = "SummaryMirror")]
    swap_out: Summary,
    truncated: [u64; 3],
    failed: [u64; FailureReason::ALL.len()],
    node_peaks: Vec<f64>,
    example: Option<u64>,
    #[serde(with = "example_incident")]
    example_incident: Option<Incident>,
    events: u64,
}

/// Five estimates as a list.
mod by_cause {
    use super::{CAUSES, CauseEstimates, Deserialize, Deserializer, Estimate, EstimateMirror, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "EstimateMirror")] Estimate);

    pub(super) fn serialize<S: Serializer>(estimates: &CauseEstimates, serializer: S) -> Result<S::Ok, S::Error> {
        estimates.map(One).serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CauseEstimates, D::Error> {
        <[One; CAUSES]>::deserialize(deserializer).map(|all| all.map(|one| one.0))
    }
}

/// Levels by name.
mod levels {
    use super::{Deserialize, Deserializer, Level, Serialize, Serializer, level};

    pub(super) fn serialize<S: Serializer>(levels: &[(Level, u64)], serializer: S) -> Result<S::Ok, S::Error> {
        levels.iter().map(|(level, n)| (level.key(), n)).collect::<Vec<_>>().serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Level, u64)>, D::Error> {
        let named = Vec::<(String, u64)>::deserialize(deserializer)?;
        named.into_iter().map(|(name, n)| Ok((level::<D>(&name)?, n))).collect()
    }
}

/// What is shown, by its reason and exit code.
mod shown_counts {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Shown, shown};

    pub(super) fn serialize<S: Serializer>(counts: &[(Shown, u64)], serializer: S) -> Result<S::Ok, S::Error> {
        counts.iter().map(|(shown, n)| (shown.reason.word(), shown.exit_code, n)).collect::<Vec<_>>().serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Shown, u64)>, D::Error> {
        let named = Vec::<(String, Option<i32>, u64)>::deserialize(deserializer)?;
        named.into_iter().map(|(reason, code, n)| Ok((shown::<D>(&reason, code)?, n))).collect()
    }
}

/// The incident through its mirror.
mod example_incident {
    use super::{Deserialize, Deserializer, Incident, IncidentMirror, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(super) fn serialize<S: Serializer>(incident: &Option<Incident>, serializer: S) -> Result<S::Ok, S::Error> {
        incident.as_ref().map(IncidentMirror::of).serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Incident>, D::Error> {
        Option::<IncidentMirror>::deserialize(deserializer)?.map(IncidentMirror::back::<D>).transpose()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentMirror {
    at_ns: u64,
    cause: String,
    level: String,
    victim: PartyMirror,
    shown: (String, Option<i32>),
    node: u32,
    stage: Option<u32>,
    used: u64,
    limit: u64,
    node_memory: u64,
    holders: Vec<(PartyMirror, String, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartyMirror {
    Executor(u32),
    Driver,
    Neighbour(String),
    Daemon(String),
    System,
}

impl IncidentMirror {
    fn of(incident: &Incident) -> Self {
        let Incident { at, cause, level, victim, shown, node, stage, used, limit, node_memory, holders } = incident;
        Self {
            at_ns: at.as_ns(),
            cause: cause.key().to_owned(),
            level: level.key().to_owned(),
            victim: PartyMirror::of(victim),
            shown: (shown.reason.word().to_owned(), shown.exit_code),
            node: *node,
            stage: *stage,
            used: used.get(),
            limit: limit.get(),
            node_memory: node_memory.get(),
            holders: holders.iter().map(|holder| (PartyMirror::of(&holder.party), holder.class.key().to_owned(), holder.bytes.get())).collect(),
        }
    }

    fn back<'de, D: Deserializer<'de>>(self) -> Result<Incident, D::Error> {
        let holder = |(party, class, bytes): (PartyMirror, String, u64)| {
            let class = MemoryClass::ALL.into_iter().find(|known| known.key() == class).ok_or_else(|| D::Error::custom("memory class"))?;
            Ok(Holder { party: party.back(), class, bytes: Bytes::new(bytes) })
        };
        Ok(Incident {
            at: SimTime::from_ns(self.at_ns),
            cause: Cause::ALL.into_iter().find(|cause| cause.key() == self.cause).ok_or_else(|| D::Error::custom("cause"))?,
            level: level::<D>(&self.level)?,
            victim: self.victim.back(),
            shown: shown::<D>(&self.shown.0, self.shown.1)?,
            node: self.node,
            stage: self.stage,
            used: Bytes::new(self.used),
            limit: Bytes::new(self.limit),
            node_memory: Bytes::new(self.node_memory),
            holders: self.holders.into_iter().map(holder).collect::<Result<_, D::Error>>()?,
        })
    }
}

impl PartyMirror {
    fn of(party: &Party) -> Self {
        match party {
            Party::Executor(number) => Self::Executor(*number),
            Party::Driver => Self::Driver,
            Party::Neighbour(name) => Self::Neighbour(name.clone()),
            Party::Daemon(name) => Self::Daemon(name.clone()),
            Party::System => Self::System,
        }
    }

    fn back(self) -> Party {
        match self {
            Self::Executor(number) => Party::Executor(number),
            Self::Driver => Party::Driver,
            Self::Neighbour(name) => Party::Neighbour(name),
            Self::Daemon(name) => Party::Daemon(name),
            Self::System => Party::System,
        }
    }
}

fn level<'de, D: Deserializer<'de>>(name: &str) -> Result<Level, D::Error> {
    let all = [Level::Heap, Level::Pod, Level::Kubepods, Level::Node, Level::Eviction, Level::Volume];
    all.into_iter().find(|level| level.key() == name).ok_or_else(|| D::Error::custom("level"))
}

fn shown<'de, D: Deserializer<'de>>(word: &str, exit_code: Option<i32>) -> Result<Shown, D::Error> {
    let reason = Reason::ALL.into_iter().find(|reason| reason.word() == word).ok_or_else(|| D::Error::custom("reason"))?;
    Ok(Shown { reason, exit_code })
}

/// A result with something in every field, and floats that decimal digits do not hit.
#[cfg(test)]
pub(super) fn sample() -> PointResult {
    use sim_core::record::{Ending, FailureReason, Outcome, Truncation};
    use sim_core::units::SimSpan;
    let parties = [Party::Executor(7), Party::Driver, Party::Neighbour("kibana".to_owned()), Party::Daemon("sshd".to_owned()), Party::System];
    let levels = [Level::Heap, Level::Pod, Level::Kubepods, Level::Node];
    let endings = [Ending::Succeeded, Ending::Failed(FailureReason::DriverLost), Ending::Truncated(Truncation::Horizon), Ending::Succeeded];
    let outcome = |i: usize| Outcome {
        replication: i as u64,
        ending: endings[i],
        duration: SimSpan::from_ns(1_234_567_891_234 / (i as u64 + 3)),
        incidents: vec![Incident {
            at: SimTime::from_ns(i as u64 + 77),
            cause: Cause::ALL[i],
            level: levels[i],
            victim: parties[i % 2].clone(),
            shown: Shown { reason: Reason::ALL[i], exit_code: (i > 1).then_some(-104) },
            node: 3,
            stage: i.is_multiple_of(2).then_some(2),
            used: Bytes::new(u64::MAX),
            limit: Bytes::gib(58),
            node_memory: Bytes::gib(61),
            holders: parties.iter().map(|party| Holder { party: party.clone(), class: MemoryClass::ALL[i], bytes: Bytes::new(9) }).collect(),
        }],
        executors_lost: 1,
        executors_pending: 2,
        executors_injected: 0,
        node_peak: Bytes::new(60_000_000_001 / (i as u64 + 1)),
        node_before_shuffle: Bytes::gib(9),
        pod_peak: Bytes::gib(8),
        scratch_peak: Bytes::gib(5),
        shuffle_write: Bytes::gib(20),
        spill: Bytes::new(3),
        task_ooms: 2,
        swap_out: Bytes::ZERO,
        stages: Vec::new(),
        events: 100,
        event_hash: 1,
    };
    PointResult::fold(&(0..4).map(outcome).collect::<Vec<_>>(), 0.95)
}
