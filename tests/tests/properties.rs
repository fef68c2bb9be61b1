//! What holds in every run, over a thousand random small scenarios.
//!
//! Every case runs with the books checked after each event and an audit at the end (`limits.paranoid`): a byte that is
//! lost or leaks panics. A failing case is made smaller before it is shown; its number alone reproduces it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use sim_core::observe::Timeline;
use sim_core::plan::SimPlan;
use sim_core::record::{Cause, Ending, FailureReason, Incident, Level, Outcome, Party, Truncation};
use sim_core::sim::{RunKey, Simulator};
use sim_core::spark::jvm::usable_heap;
use sim_core::spec::{Platform, Spec};
use sim_core::units::{Bytes, SimSpan};
use tests::random_world;

const CASES: u64 = 1000;
const PAGE: Bytes = Bytes::kib(4);
const KEY: RunKey = RunKey { seed: 11, replication: 0 };

fn run(spec: &Spec) -> (SimPlan, Outcome) {
    let plan = SimPlan::compile(spec).expect("the generator makes runnable specs");
    let outcome = Simulator::new(&plan).run(KEY);
    (plan, outcome)
}

/// Checks one case; the text says what does not hold.
fn check(spec: &Spec) -> Result<Outcome, String> {
    let caught = catch_unwind(AssertUnwindSafe(|| run(spec)));
    let (plan, outcome) = caught.map_err(|panic| format!("panic: {}", text_of(panic.as_ref())))?;
    for incident in &outcome.incidents {
        incident_is_at_its_limit(spec, incident)?;
    }
    peaks_fit(&plan, &outcome)?;
    counts_agree(spec, &outcome)?;
    endings_agree(spec, &outcome)?;
    let again = Simulator::new(&plan).run(KEY);
    require(again == outcome, || "the second run differs".into())?;
    let mut timeline = Timeline::new(SimSpan::from_ms(50));
    let observed = Simulator::new(&plan).run_observed(KEY, &mut timeline);
    require(observed == outcome, || "the observed run differs".into())?;
    Ok(outcome)
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
}

fn require(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}

/// Nobody dies below a limit. Heap deaths name `-Xmx`, of which the collector keeps a part for itself.
fn incident_is_at_its_limit(spec: &Spec, incident: &Incident) -> Result<(), String> {
    let line = if incident.level == Level::Heap { usable_heap(incident.limit, spec.spark.executor.collector) } else { incident.limit };
    require(incident.used + PAGE >= line, || format!("{:?} at {:?}: used {} of {}", incident.victim, incident.level, incident.used, incident.limit))
}

/// A pod is part of its node, a node has no more than its RAM, a pod no more than its limit, unless that grows.
fn peaks_fit(plan: &SimPlan, outcome: &Outcome) -> Result<(), String> {
    let capacity = plan.node_lines().iter().map(|n| n.capacity).max().unwrap_or(Bytes::ZERO);
    require(outcome.pod_peak <= outcome.node_peak, || format!("pod peak {} > node peak {}", outcome.pod_peak, outcome.node_peak))?;
    require(outcome.node_peak <= capacity + PAGE, || format!("node peak {} > capacity {capacity}", outcome.node_peak))?;
    let grows = plan.spec().spark.allocation.resize.is_some();
    let limit = plan.executor_limit().filter(|_| !grows).unwrap_or(Bytes::MAX);
    require(outcome.pod_peak.saturating_sub(PAGE) <= limit, || format!("pod peak {} > limit {limit}", outcome.pod_peak))?;
    require(outcome.node_before_shuffle <= outcome.node_peak, || {
        format!("memory before the shuffle {} exceeds the peak {}", outcome.node_before_shuffle, outcome.node_peak)
    })
}

/// The same facts counted in two ways.
fn counts_agree(spec: &Spec, outcome: &Outcome) -> Result<(), String> {
    let died = |i: &&Incident| matches!(i.victim, Party::Executor(_)) && i.cause != sim_core::record::Cause::ScratchFull;
    let dead = outcome.incidents.iter().filter(died).count();
    require(dead == outcome.executors_lost as usize, || format!("{dead} deaths in incidents, {} counted", outcome.executors_lost))?;
    require(outcome.incidents.is_sorted_by_key(|i| i.at), || "incidents are not in order of time".into())?;
    let stages = &outcome.stages;
    require(stages.len() == spec.app.stages.len(), || "not every stage has a record".into())?;
    require(outcome.shuffle_write == stages.iter().map(|s| s.shuffle_write).sum(), || "shuffle writes do not add up".into())?;
    require(outcome.spill == stages.iter().map(|s| s.spill).sum(), || "spills do not add up".into())?;
    let before_start = stages.iter().any(|s| s.attempts == 0 && s.tasks_ok + s.tasks_failed > 0);
    require(!before_start, || "a stage that never started has tasks".into())?;
    let mut victims: Vec<&Party> = outcome.incidents.iter().filter(died).map(|i| &i.victim).collect();
    victims.sort();
    victims.dedup();
    require(victims.len() == dead, || "an executor died twice".into())
}

/// An ending fits what happened before it.
fn endings_agree(spec: &Spec, outcome: &Outcome) -> Result<(), String> {
    let scheduling = &spec.spark.scheduling;
    match outcome.ending {
        Ending::Succeeded => {
            for job in &spec.app.jobs {
                let last = *job.stages.last().expect("a job has a stage");
                let record = &outcome.stages[last];
                let stage = &spec.app.stages[last];
                let planned_anew = spec.spark.adaptive.is_some() && stage.adaptive.is_some();
                let wanted = match stage.tasks {
                    sim_core::spec::TaskCount::Fixed(n) if !planned_anew => n,
                    sim_core::spec::TaskCount::Fixed(_) | sim_core::spec::TaskCount::InputSplit(_) => 1,
                };
                require(record.attempts > 0 && record.tasks_ok >= wanted, || format!("stage {last} is not complete: {record:?}"))?;
                require(record.ended >= record.started, || format!("stage {last} ended before it started"))?;
            }
            Ok(())
        }
        Ending::Failed(FailureReason::ExecutorFailures) => {
            // A cap is exceeded; standalone's retries are used up.
            let cap = scheduling.executor_max_failures.map(|cap| cap + 1).into_iter().chain(spec.spark.allocation.max_executor_retries).min();
            let cap = cap.ok_or("failed by a cap that is not set")?;
            let died = outcome.executors_lost + outcome.executors_injected;
            require(died >= cap, || format!("{died} died, cap {cap}"))
        }
        Ending::Failed(FailureReason::TaskFailures) => {
            let failed: u32 = outcome.stages.iter().map(|s| s.tasks_failed).sum();
            require(failed >= scheduling.task_max_failures, || format!("only {failed} tasks failed"))
        }
        Ending::Failed(FailureReason::StageAttempts) => {
            let most = scheduling.stage_max_consecutive_attempts.min(scheduling.stage_max_attempts.unwrap_or(u32::MAX));
            require(outcome.stages.iter().any(|s| s.attempts >= most), || "no stage was tried so often".into())
        }
        Ending::Failed(FailureReason::ResultSize) => {
            let largest = spec.app.stages.iter().map(|s| s.memory.collected).max().unwrap_or(Bytes::ZERO);
            require(!largest.is_zero() && !spec.spark.driver.max_result_size.is_zero(), || "no results that could be too large".into())
        }
        Ending::Failed(FailureReason::Unschedulable) => {
            let barrier = spec.app.stages.iter().any(|stage| stage.barrier);
            let failed = outcome.stages.iter().any(|s| s.tasks_failed > 0);
            require(barrier || spec.spark.scheduler.exclusion.is_some() && failed, || "nothing keeps a task from any slot".into())
        }
        Ending::Failed(FailureReason::Rollback) => {
            let may = spec.app.stages.iter().any(|stage| stage.barrier || stage.indeterminate);
            let lost = outcome.executors_lost + outcome.executors_injected > 0 || spec.spark.scheduler.exclusion.is_some();
            require(may && lost, || "nothing to roll back".into())
        }
        Ending::Failed(FailureReason::DriverLost) => {
            // It may have been on a node that vanished, or that YARN took for unhealthy because its disks were full.
            let vanished = spec.reclaims.iter().any(|reclaim| reclaim.sudden);
            let unhealthy = spec.cluster.platform == Platform::Yarn && outcome.has(Cause::ScratchFull);
            require(vanished || unhealthy || outcome.incidents.iter().any(|i| i.victim == Party::Driver), || "the driver is lost without an incident".into())
        }
        Ending::Truncated(Truncation::Horizon) => {
            // With a day to run, only trouble or a queue makes these small jobs that slow: a run that just stops is stuck.
            let long = spec.limits.horizon >= SimSpan::from_secs(24 * 3600);
            // Executors that are replaced on purpose may be gone before cores that neighbours have taken have brought them up.
            let trouble = !outcome.incidents.is_empty() || spec.spark.allocation.roll.is_some();
            require(!long || trouble, || "stuck: nothing died and yet the job never ends".into())?;
            require(outcome.duration >= spec.limits.horizon, || "cut off before the horizon".into())
        }
        Ending::Truncated(Truncation::Events) => require(outcome.events > spec.limits.max_events, || "cut off before the limit of events".into()),
        Ending::Truncated(Truncation::Starved) => Ok(()),
    }
}

/// Takes every simplification after which the case still fails in the same way.
fn shrink(mut spec: Spec, failure: &str) -> (Spec, Vec<&'static str>, String) {
    let kind = |text: &str| text.split(':').next().unwrap_or("").to_owned();
    let mut last = failure.to_owned();
    let mut taken = Vec::new();
    for (name, simplify) in random_world::simplifications() {
        let mut simpler = spec.clone();
        simplify(&mut simpler);
        if simpler == spec || SimPlan::compile(&simpler).is_err() {
            continue;
        }
        if let Err(text) = check(&simpler) {
            if kind(&text) == kind(failure) {
                (spec, last) = (simpler, text);
                taken.push(name);
            }
        }
    }
    (spec, taken, last)
}

#[test]
fn a_thousand_random_small_scenarios_run_without_panic_or_leak_of_a_byte() {
    let results: Vec<_> = (0..CASES).into_par_iter().map(|number| (number, check(&random_world::case(number)))).collect();
    let mut failures = Vec::new();
    let mut seen = [0_u32; 8];
    for (number, result) in results {
        match result {
            Ok(outcome) => note(&mut seen, &outcome),
            Err(text) if failures.len() < 3 => {
                let (small, taken, last) = shrink(random_world::case(number), &text);
                failures.push(format!("case {number}: {text}\n  after {taken:?}: {last}\n  {small:?}"));
            }
            Err(text) => failures.push(format!("case {number}: {text}")),
        }
    }
    assert!(failures.is_empty(), "{} of {CASES} cases fail:\n{}", failures.len(), failures.join("\n"));
    // The generator is worth something only if everything happens: success, failure, cut-offs, and each cause.
    assert!(seen.iter().all(|&n| n >= 10), "succeeded, failed, truncated, then by cause: {seen:?}");
}

fn note(seen: &mut [u32; 8], outcome: &Outcome) {
    let kind = match outcome.ending {
        Ending::Succeeded => 0,
        Ending::Failed(_) => 1,
        Ending::Truncated(_) => 2,
    };
    seen[kind] += 1;
    for (index, cause) in sim_core::record::Cause::ALL.into_iter().enumerate() {
        seen[3 + index] += u32::from(outcome.has(cause));
    }
}
