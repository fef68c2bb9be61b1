//! Policies against what the byte code does with the same figures; what a roll does to a run.

use super::*;
use crate::cluster;
use crate::fixture;
use crate::observe::Nobody;
use crate::plan::SimPlan;
use crate::record::{Ending, Outcome};
use crate::sim::{RunKey, Simulator};
use crate::spec::{DecommissionConf, Dist, DynamicAllocation, RollPolicy::*, Spec};
use crate::units::SimSpan;

const KEY: RunKey = RunKey { seed: 1, replication: 0 };

fn conf(policy: RollPolicy, min_tasks: u32) -> RollConf {
    RollConf { interval: SimSpan::from_secs(60), policy, min_tasks, wide_outliers: true }
}
/// In the order of the store: by number as text, downwards.
fn in_order(mut known: Vec<Summary>) -> Vec<Summary> {
    known.sort_by_key(|e| std::cmp::Reverse(e.id.to_string()));
    known
}
/// Eleven executors, each the first in one thing.
fn eleven() -> Vec<Summary> {
    let plain =
        |id| Summary { id, added_ms: 1000 + u64::from(id), tasks: 10, failed: 1, duration_ms: 1000, on_heap: 50, off_heap: 50, shuffle_write: 50, disk: 50 };
    let mut known: Vec<Summary> = (1..=11).map(plain).collect();
    known[1].added_ms = 3;
    known[2].duration_ms = 1200;
    (known[3].duration_ms, known[3].tasks) = (1100, 2);
    known[4].failed = 2;
    known[5].on_heap = 51;
    known[6].off_heap = 51;
    known[7].shuffle_write = 51;
    known[8].disk = 51;
    in_order(known)
}

/// `choose` of Spark 4.3: upwards by number and time, downwards by all others.
#[test]
fn each_policy_takes_the_first_in_its_own_measure() {
    let table = [
        (Id, 1),
        (AddTime, 2),
        (TotalDuration, 3),
        (TotalGcTime, 3),
        (AverageDuration, 4),
        (FailedTasks, 5),
        (PeakOnHeap, 6),
        (PeakOffHeap, 7),
        (TotalShuffleWrite, 8),
        (DiskUsed, 9),
    ];
    for (policy, number) in table {
        assert_eq!(choose(&conf(policy, 0), eleven()), Some(number), "{policy:?}");
        assert_eq!(choose(&conf(policy, 11), eleven()), None, "{policy:?}: nobody has so many tasks");
        assert_eq!(choose(&conf(policy, 0), Vec::new()), None, "{policy:?}");
    }
    assert_eq!(choose(&conf(Id, 3), eleven()), Some(1));
    assert_eq!(choose(&conf(AverageDuration, 3), eleven()), Some(3), "the fourth has two tasks only");
}

/// The store lists "9" before "11", "10", "1"; a stable sort turned round takes the last of equals, one that is not the first.
#[test]
fn of_equals_text_decides() {
    let equal = |ids: &[u32]| in_order(ids.iter().map(|&id| Summary { id, tasks: 1, ..Summary::default() }).collect());
    assert_eq!(choose(&conf(TotalDuration, 0), equal(&[2, 9, 10, 11])), Some(10));
    assert_eq!(choose(&conf(AddTime, 0), equal(&[2, 9, 10, 11])), Some(9));
    assert_eq!(choose(&conf(Id, 0), equal(&[2, 9, 10, 11])), Some(2));
    assert_eq!(choose(&conf(Outlier, 0), equal(&[2, 9, 10, 11])), Some(10), "no outlier: as by total time");
    assert_eq!(choose(&conf(OutlierNoFallback, 0), equal(&[2, 9, 10, 11])), None);
}

/// By hand: one value of n that is one above the others lies (n - 1)/√n deviations above the mean: 1.79 for five, 2.04 for six.
#[test]
fn outliers_need_six_executors() {
    let one_slow =
        |count: u32| in_order((1..=count).map(|id| Summary { id, tasks: 1, duration_ms: 1000 * u64::from(1 + id / count), ..Summary::default() }).collect());
    for count in 1..=9 {
        let expected = (count >= 6).then_some(count);
        assert_eq!(choose(&conf(OutlierNoFallback, 0), one_slow(count)), expected, "{count} executors");
        assert_eq!(choose(&conf(Outlier, 0), one_slow(count)), Some(count), "{count} executors");
    }
}

/// Measures come in Spark's order, the later ones from 3.4; executors without a task are no part of it.
#[test]
fn the_first_measure_with_an_outlier_decides() {
    let mut known: Vec<Summary> = (1..=8).map(|id| Summary { id, tasks: 4, duration_ms: 4000, ..Summary::default() }).collect();
    let of = |known: &Vec<Summary>, wide_outliers| choose(&RollConf { wide_outliers, ..conf(OutlierNoFallback, 0) }, in_order(known.clone()));
    known[0].disk = 1 << 30;
    assert_eq!((of(&known, true), of(&known, false)), (Some(1), None));
    known[1].on_heap = 1 << 30;
    assert_eq!((of(&known, true), of(&known, false)), (Some(2), None));
    known[2].failed = 3;
    assert_eq!((of(&known, true), of(&known, false)), (Some(3), Some(3)));
    // Twice the time for twice the tasks, cut off: total time, not the average.
    (known[3].duration_ms, known[3].tasks) = (8003, 8);
    assert_eq!(of(&known, false), Some(4));
    known[4].tasks = 2;
    assert_eq!(of(&known, false), Some(5), "the average comes first");
    known[4].tasks = 0;
    assert_eq!(of(&known, false), Some(4), "and has no part in it without a task");
}

fn spec(roll: Option<RollConf>) -> Spec {
    let mut spec = fixture::case_study(false, false);
    spec.limits.paranoid = true;
    spec.uncertainty.data_volume = Dist::Constant(1.0);
    spec.spark.allocation.roll = roll;
    spec.spark.allocation.decommission = Some(DecommissionConf {
        shuffle_blocks: true,
        rdd_blocks: true,
        max_threads: 8,
        max_disk_size: None,
        max_failures_per_block: 3,
        reattempt_interval: SimSpan::from_secs(30),
        force_kill_timeout: None,
        fallback: None,
    });
    spec
}
fn run(spec: &Spec) -> Outcome {
    let plan = SimPlan::compile(spec).expect("the fixture compiles");
    Simulator::new(&plan).run(KEY)
}
/// What became of the executors by an instant: those that left, and all that there ever were.
fn after(spec: &Spec, seconds: u64) -> (Vec<u32>, usize) {
    let plan = SimPlan::compile(spec).expect("the fixture compiles");
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(SimTime::ZERO + SimSpan::from_secs(seconds));
    let left = sim.executors.iter().filter(|(_, e)| e.life == Life::Gone).map(|(id, _)| id.index() as u32 + 1).collect();
    assert!(sim.executors.values().all(|e| e.life != Life::Gone || e.dismissed), "who leaves did not fail");
    (left, sim.executors.len())
}

/// Law: a look that finds nobody to replace changes nothing but that it is an event.
#[test]
fn law_a_plugin_without_a_victim_changes_nothing() {
    let (off, on) = (run(&spec(None)), run(&spec(Some(conf(Id, u32::MAX)))));
    assert_eq!((off.duration, off.ending, off.pod_peak, off.shuffle_write), (on.duration, on.ending, on.pod_peak, on.shuffle_write));
    assert_eq!(off.stages, on.stages);
    assert!(on.events > off.events, "it looked");
    let never = run(&spec(Some(RollConf { interval: SimSpan::from_secs(1_000_000), ..conf(Id, 0) })));
    assert_eq!((off.event_hash, off.events), (never.event_hash, never.events), "before its first look there is nothing of it");
}

/// The driver is up after 10 s. Idle executors leave at once, one an interval, the smallest number first; each is replaced.
#[test]
fn one_executor_an_interval_is_replaced() {
    let mut spec = spec(Some(conf(Id, 0)));
    spec.app.stages[0].delay = SimSpan::from_secs(10_000);
    assert_eq!(after(&spec, 69), (vec![], 4));
    assert_eq!(after(&spec, 80), (vec![1], 5));
    assert_eq!(after(&spec, 140), (vec![1, 2], 6));
    assert_eq!(after(&spec, 320), (vec![1, 2, 3, 4, 5], 9), "and then those that came instead");
    spec.spark.allocation.dynamic = Some(DynamicAllocation {
        min: 4,
        initial: 4,
        max: 4,
        ratio: 1.0,
        backlog_timeout: SimSpan::from_secs(1),
        sustained_backlog_timeout: SimSpan::from_secs(1),
        idle_timeout: SimSpan::from_secs(60),
        cached_idle_timeout: None,
        shuffle_tracking: true,
        shuffle_timeout: None,
    });
    assert_eq!(after(&spec, 140), (vec![1, 2], 6), "the target of dynamic allocation stays, too");
}

/// Law: rolling costs time; nobody's leaving is a death or a failure, and with time and peers to leave to no output is lost.
#[test]
fn law_rolling_fails_nothing() {
    let none = run(&spec(None));
    for (seconds, (policy, ..)) in [30, 40].into_iter().flat_map(|seconds| RollPolicy::ALL.map(|policy| (seconds, policy))) {
        let rolled = run(&spec(Some(RollConf { interval: SimSpan::from_secs(seconds), ..conf(policy, 1) })));
        let failed: u32 = rolled.stages.iter().map(|stage| stage.tasks_failed).sum();
        assert_eq!((rolled.ending, rolled.executors_lost, rolled.incidents.len(), failed), (Ending::Succeeded, 0, 0, 0), "{policy:?}");
        assert_eq!(rolled.shuffle_write, none.shuffle_write, "{policy:?}");
        // Four executors have no outlier.
        assert_eq!(rolled.duration > none.duration, policy != OutlierNoFallback, "{policy:?}");
    }
}

/// What is counted is what the tasks did: all attempts, and all bytes of the shuffles' writers.
#[test]
fn statistics_add_up_to_the_run() {
    let mut spec = spec(Some(conf(OutlierNoFallback, 0)));
    spec.spark.allocation.decommission = None;
    let plan = SimPlan::compile(&spec).expect("the fixture compiles");
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(SimTime::ZERO + SimSpan::from_secs(1_000_000));
    let known = summaries(&sim);
    let outcome = run(&spec);
    assert_eq!(outcome.ending, Ending::Succeeded);
    let attempts: u32 = outcome.stages.iter().map(|stage| stage.tasks_ok + stage.tasks_failed).sum();
    assert_eq!(known.iter().map(|e| e.tasks).sum::<u32>(), attempts);
    assert_eq!(known.iter().map(|e| e.shuffle_write).sum::<u64>(), outcome.shuffle_write.get());
    let slots = u64::from(plan.executor.usual.slots);
    let end = outcome.duration.as_ns() / 1_000_000;
    assert!(known.iter().all(|e| e.duration_ms > 0 && e.duration_ms <= slots * end), "a slot serves one task at a time");
}
