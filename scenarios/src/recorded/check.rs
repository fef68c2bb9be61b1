//! The self-check: a profile replayed where it was recorded.

use std::sync::Arc;

use serde::Serialize;
use sim_core::plan::SimPlan;
use sim_core::record::{Ending, Outcome};
use sim_core::sim::{RunKey, Simulator};
use sim_core::spec::{Dist, Spec, Uncertainty};
use sim_core::units::SimTime;

use super::scenario;
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::event_log::Ingested;
use crate::scenario::load_with_profile;

/// Replications of the check: inputs are certain, only ties between nodes differ.
const REPLICATIONS: u64 = 3;
/// What the scenario calls the profile that is already read.
const READ: &str = "recorded.profile";

/// One stage, recorded and replayed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageCheck {
    /// Name in the profile.
    pub name: String,
    /// Its tasks.
    pub tasks: u64,
    /// From its first launch to the end of its last task, seconds; none where the log has no times.
    pub recorded_s: Option<f64>,
    /// The same in the replay.
    pub replayed_s: f64,
    /// Shuffle bytes written, each partition once.
    pub recorded_write_bytes: u64,
    /// The same in the replay.
    pub replayed_write_bytes: u64,
    /// Shuffle bytes read, each partition once.
    pub recorded_read_bytes: u64,
    /// The same in the replay.
    pub replayed_read_bytes: u64,
}

/// The check of a whole log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// From the start of the first job to the end of the last task, less `lost_s`, seconds; none where the log has no times.
    pub recorded_s: Option<f64>,
    /// Seconds in between that dead executors took: attempts that were lost with them or could not fetch from them, and the part of the
    /// slots that was missing until another executor came. A replay does not repeat them.
    pub lost_s: f64,
    /// The same in the replay.
    pub replayed_s: f64,
    /// Shuffle bytes written.
    pub recorded_write_bytes: u64,
    /// The same in the replay.
    pub replayed_write_bytes: u64,
    /// Shuffle bytes read.
    pub recorded_read_bytes: u64,
    /// The same in the replay.
    pub replayed_read_bytes: u64,
    /// Whether every replication ended well.
    pub succeeded: bool,
    /// Stages in the profile's order.
    pub stages: Vec<StageCheck>,
}

/// Relative error of a replayed value; none when nothing was recorded.
pub fn error(recorded: f64, replayed: f64) -> Option<f64> {
    (recorded > 0.0).then(|| replayed / recorded - 1.0)
}

impl Check {
    /// Relative error of the duration.
    pub fn duration_error(&self) -> Option<f64> {
        error(self.recorded_s?, self.replayed_s)
    }
    /// Relative error of the shuffle bytes, written and read together.
    pub fn shuffle_error(&self) -> Option<f64> {
        error((self.recorded_write_bytes + self.recorded_read_bytes) as f64, (self.replayed_write_bytes + self.replayed_read_bytes) as f64)
    }
}

/// Replays a log's profile on its recorded world. `cores`: how many cores each host had, if that is to decide and not the log.
///
/// # Errors
/// When the recorded world cannot be simulated, such as a heap below Spark's minimum.
pub fn check(ingested: &Ingested, cores: Option<u32>) -> Result<Check, Diagnostics> {
    let spec = spec(ingested, cores)?;
    let plan = SimPlan::compile(&spec).map_err(|error| {
        let mut problems = Diagnostics::default();
        problems.push(
            Diagnostic::error("plan", format!("the recorded world cannot be simulated: {error}")).hint("`--scenario FILE` writes it, to look and to change"),
        );
        problems
    })?;
    let outcomes: Vec<Outcome> = (0..REPLICATIONS).map(|replication| Simulator::new(&plan).run(RunKey { seed: 1, replication })).collect();
    Ok(compare(ingested, &outcomes))
}

/// The recorded world with certain inputs. `cores` as for [`check()`].
///
/// # Errors
/// When the recorded world is not a scenario that can be loaded, such as a heap below Spark's minimum.
pub fn spec(ingested: &Ingested, cores: Option<u32>) -> Result<Spec, Diagnostics> {
    let text = scenario(ingested, READ, cores);
    let source: Arc<Source> = Source::new("recorded.toml", text);
    let (loaded, problems) = load_with_profile(&source, READ, &ingested.profile);
    let Some(mut spec) = loaded.map(|scenario| scenario.spec) else { return Err(problems) };
    certain(&mut spec.uncertainty);
    Ok(spec)
}

/// Every source of uncertainty at its median.
fn certain(u: &mut Uncertainty) {
    let all = [
        &mut u.data_volume,
        &mut u.partition_skew,
        &mut u.compression,
        &mut u.object_expansion,
        &mut u.heap_young_share,
        &mut u.allocation,
        &mut u.non_heap,
        &mut u.cpu_speed,
        &mut u.disk_speed,
        &mut u.nic_speed,
        &mut u.task_cpu,
        &mut u.heap_growth,
        &mut u.task_launch_s,
        &mut u.executor_start_s,
        &mut u.warm_up_s,
        &mut u.death_detection_s,
        &mut u.pod_acknowledged_s,
        &mut u.claim_attach_s,
        &mut u.claim_detach_s,
        &mut u.claim_resize_s,
    ];
    for dist in all {
        *dist = Dist::Constant(dist.quantile(0.5));
    }
}

fn compare(ingested: &Ingested, outcomes: &[Outcome]) -> Check {
    let n = outcomes.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / n;
    let stage = |(index, recorded): (usize, &crate::event_log::RecordedStage)| StageCheck {
        name: recorded.name.clone(),
        tasks: recorded.tasks,
        recorded_s: recorded.started_ms.zip(recorded.ended_ms).map(|(start, end)| end.saturating_sub(start) as f64 / 1e3),
        replayed_s: mean(&|outcome| outcome.stages[index].ended.since(outcome.stages[index].started).as_secs_f64()),
        recorded_write_bytes: recorded.write_bytes,
        replayed_write_bytes: mean(&|outcome| outcome.stages[index].shuffle_write.as_f64()) as u64,
        recorded_read_bytes: recorded.read_bytes,
        replayed_read_bytes: mean(&|outcome| outcome.stages[index].shuffle_read.as_f64()) as u64,
    };
    let stages: Vec<StageCheck> = ingested.recorded.iter().enumerate().map(stage).collect();
    let lost_s = ingested.span.lost.as_secs_f64();
    let delays: Vec<f64> = ingested.profile.stages().iter().map(|stage| stage.delay.as_secs_f64()).collect();
    let seconds = |time: SimTime| time.since(SimTime::ZERO).as_secs_f64();
    let span = |outcome: &Outcome| {
        let ran = || outcome.stages.iter().zip(&delays).filter(|(stage, _)| stage.attempts > 0);
        // The first job starts the delay of its first stage before that stage.
        let first = ran().map(|(stage, delay)| seconds(stage.started) - delay).fold(f64::INFINITY, f64::min);
        let last = ran().map(|(stage, _)| seconds(stage.ended)).fold(0.0, f64::max);
        if first.is_finite() { last - first } else { 0.0 }
    };
    let sum = |of: fn(&StageCheck) -> u64| stages.iter().map(of).fold(0u64, u64::saturating_add);
    Check {
        recorded_s: ingested.span.started_ms.zip(ingested.span.ended_ms).map(|(first, last)| last.saturating_sub(first) as f64 / 1e3 - lost_s),
        lost_s,
        replayed_s: mean(&span),
        recorded_write_bytes: sum(|stage| stage.recorded_write_bytes),
        replayed_write_bytes: sum(|stage| stage.replayed_write_bytes),
        recorded_read_bytes: sum(|stage| stage.recorded_read_bytes),
        replayed_read_bytes: sum(|stage| stage.replayed_read_bytes),
        succeeded: outcomes.iter().all(|outcome| outcome.ending == Ending::Succeeded),
        stages,
    }
}
