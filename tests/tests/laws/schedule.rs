//! Worked schedules: who runs when, by hand, with tasks of certain length.
//!
//! Tasks compute for whole seconds on cores of their own, without data, launch delay or spread. An executor's first tasks take half
//! a second more (class loading), so each schedule begins with a job of one wave that warms all slots.

use sim_core::record::{Ending, FailureReason, Outcome};
use sim_core::spec::{
    Dist, ExclusionConf, JobSpec, JobStart, LocalityConf, Platform, PoolConf, SchedulingMode, SinkSpec, Spec, SpeculationConf, StageSpec, TaskRow, TaskWork,
};
use sim_core::units::{Bytes, SimSpan};
use tests::world;

use super::runs;

/// A row of so many seconds of CPU.
fn row(seconds: f64) -> TaskRow {
    let zero = world::row(Bytes::ZERO, Bytes::ZERO, Bytes::ZERO);
    TaskRow { cpu: SimSpan::from_secs_f64(seconds), unmanaged: Bytes::ZERO, records: 0, ..zero }
}

/// A result stage whose tasks take so many seconds each.
fn stage(name: &str, seconds: &[f64]) -> StageSpec {
    let work = TaskWork::Recorded(seconds.iter().map(|&s| row(s)).collect());
    StageSpec { work, ..world::stage(name, Vec::new(), seconds.len() as u32, row(0.0), SinkSpec::Result) }
}

/// `executors` of `cores` slots on machines of their own; the jobs after the first start together when the slots are warm.
fn schedule(executors: u32, cores: u32, jobs: &[(&str, &[f64])]) -> Spec {
    let mut spec = world::world();
    spec.cluster.platform = Platform::Standalone;
    spec.cluster.pools[0].count = executors;
    spec.cluster.pools[0].shape.cpu = sim_core::units::CoreMillis::cores(u64::from(cores) + 1);
    spec.spark.executor.instances = executors;
    spec.spark.executor.cores = cores;
    spec.spark.executor.cpu_request = sim_core::units::CoreMillis::cores(u64::from(cores));
    spec.spark.scheduling.min_registered_ratio = 1.0;
    spec.uncertainty.task_launch_s = Dist::Constant(0.0);
    let warm: Vec<f64> = vec![1.0; (executors * cores) as usize];
    spec.app.stages = vec![stage("warm", &warm)];
    spec.app.shuffles.clear();
    spec.app.jobs = vec![JobSpec { stages: vec![0], ..JobSpec::default() }];
    for (index, (pool, seconds)) in jobs.iter().enumerate() {
        spec.app.stages.push(stage(&format!("job-{index}"), seconds));
        let start = JobStart::After { jobs: vec![0], gap: SimSpan::from_secs(1) };
        spec.app.jobs.push(JobSpec { stages: vec![index + 1], driver_gap: SimSpan::ZERO, start, pool: Some((*pool).to_owned()) });
    }
    spec
}

/// Seconds from the start of the jobs to the end of each, to a twentieth: garbage collection takes a thousandth of the CPU.
fn ends(spec: &Spec) -> Vec<f64> {
    let outcome = runs(spec, 1, 1).remove(0);
    assert_eq!(outcome.ending, Ending::Succeeded);
    let start = outcome.stages[1..].iter().map(|stage| stage.started).min().expect("there is a job");
    outcome.stages[1..].iter().map(|stage| (stage.ended.since(start).as_secs_f64() * 20.0).round() / 20.0).collect()
}

fn fair(mut spec: Spec, pools: &[(&str, SchedulingMode, u32, u32)]) -> Spec {
    spec.spark.scheduler.mode = SchedulingMode::Fair;
    let pool = |&(name, mode, weight, min_share): &(&str, SchedulingMode, u32, u32)| PoolConf { name: name.to_owned(), mode, weight, min_share };
    spec.spark.scheduler.pools = pools.iter().map(pool).collect();
    spec
}

/// FIFO, 2 slots. Job 0 has tasks of 2, 1, 2, 1 s: slot A 0-2 and (third task) ... by hand: A runs task 0 (0-2), B task 1 (0-1) and
/// task 2 (1-3), A task 3 (2-3). Job 1 (1, 1 s) gets nothing before: both slots are free at 3, it ends at 4.
#[test]
fn fifo_gives_all_slots_to_the_first_job() {
    let spec = schedule(1, 2, &[("a", &[2.0, 1.0, 2.0, 1.0]), ("b", &[1.0, 1.0])]);
    assert_eq!(ends(&spec), [3.0, 4.0]);
}

/// FAIR, 2 slots, equal pools, tasks of 1 s. Job 0 (4 tasks) is there first and takes both slots; at 1 s the slots come free one
/// after the other: the first goes to b (a runs 1, b 0), the second to a (a 0, b 1). So each runs one at a time: b's 2 tasks end at 3,
/// a's last two at 3.
#[test]
fn fair_pools_share_slots_as_they_come_free() {
    let jobs: [(&str, &[f64]); 2] = [("a", &[1.0; 4]), ("b", &[1.0; 2])];
    let spec = schedule(1, 2, &jobs);
    assert_eq!(ends(&spec), [2.0, 3.0], "FIFO");
    let shared = fair(spec.clone(), &[("a", SchedulingMode::Fifo, 1, 0), ("b", SchedulingMode::Fifo, 1, 0)]);
    assert_eq!(ends(&shared), [3.0, 3.0]);
    // One pool, FIFO within it, is FIFO; with FAIR within it the jobs share.
    let one = |mode| {
        let mut spec = fair(spec.clone(), &[("a", mode, 1, 0)]);
        spec.app.jobs[2].pool = Some("a".to_owned());
        ends(&spec)
    };
    assert_eq!(one(SchedulingMode::Fifo), [2.0, 3.0]);
    assert_eq!(one(SchedulingMode::Fair), [3.0, 3.0]);
}

/// FAIR with weights, 4 slots, tasks of 1 s, 12 in each pool, weight 3 against 1. At 0 a takes all four. At 1 s, slot by slot:
/// b (a 3/3, b 0/1), then a 2/3 < 1/1: a, a, a. From then on three of a and one of b run in each second:
/// a has 4 + 3·2 = 10 after 3 s, and two more with two of b in the fourth, so a ends at 4; b has 1 + 1 + 2 = 4 by then, and
/// its last 8 take two seconds on four slots: 6.
#[test]
fn fair_weights_split_the_slots() {
    let spec = schedule(1, 4, &[("a", &[1.0; 12]), ("b", &[1.0; 12])]);
    let weighted = fair(spec, &[("a", SchedulingMode::Fifo, 3, 0), ("b", SchedulingMode::Fifo, 1, 0)]);
    assert_eq!(ends(&weighted), [4.0, 6.0]);
}

/// A minimum share comes before weights: b may run three of four slots from the first second on, although a has weight 100.
/// At 0 a takes all four; at 1 s b gets three (0, 1, 2 of 3), a the last; b's 6 tasks run 1-2 and 2-3 and end at 3;
/// a has 4 + 1 + 1 = 6 by then and ends its last two at 4.
#[test]
fn a_minimum_share_comes_before_weights() {
    let spec = schedule(1, 4, &[("a", &[1.0; 8]), ("b", &[1.0; 6])]);
    let shared = fair(spec, &[("a", SchedulingMode::Fifo, 100, 0), ("b", SchedulingMode::Fifo, 1, 3)]);
    assert_eq!(ends(&shared), [4.0, 3.0]);
}

/// A job may start beside another, after an offset, and after several.
#[test]
fn jobs_start_after_and_beside_each_other() {
    let mut spec = schedule(2, 2, &[("a", &[2.0; 2]), ("a", &[1.0]), ("a", &[1.0])]);
    spec.app.jobs[2].start = JobStart::With { job: 1, offset: SimSpan::from_ms(500) };
    spec.app.jobs[3].start = JobStart::After { jobs: vec![1, 2], gap: SimSpan::from_ms(250) };
    assert_eq!(ends(&spec), [2.0, 1.5, 3.25]);
}

/// 3.6: two machines of four slots, one of them ten times slower. Eight tasks of 1 s: four are done at 1 s, the others would be at
/// 10 s. With a quantile of a half their threshold is 1.5 s; the look on the grid after that gives each a copy on the fast machine,
/// which ends 1 s later. Without data there is no rate to compare, so a long run (twice the threshold) decides where efficiency counts.
#[test]
fn speculation_runs_copies_on_another_host() {
    let mut spec = schedule(2, 4, &[("a", &[1.0; 8])]);
    let mut slow = spec.cluster.pools[0].clone();
    (spec.cluster.pools[0].count, slow.count) = (1, 1);
    slow.name = "slow".to_owned();
    spec.cluster.pools.push(slow);
    spec.app.stages[1].work = TaskWork::Recorded(vec![row(1.0); 8]);
    let slowed = |conf: Option<SpeculationConf>| {
        // Machines differ in speed by what they are drawn: one at 1, one at 0.1.
        let mut spec = spec.clone();
        spec.uncertainty.cpu_speed = Dist::Uniform { low: 0.1, high: 1.0 };
        // Slow machines would start late, too.
        spec.uncertainty.executor_start_s = Dist::Constant(0.0);
        spec.spark.scheduler.speculation = conf;
        let outcomes = runs(&spec, 1, 30);
        outcomes.iter().map(|o| o.stages[1].ended.since(o.stages[1].started).as_secs_f64()).collect::<Vec<f64>>()
    };
    let plain = slowed(None);
    let half = SpeculationConf { quantile: 0.5, efficiency: None, ..SpeculationConf::default() };
    let copied = slowed(Some(half));
    // On the fast machine a task takes t; the slow ones take r·t. With copies: 1.5 t, a look within 100 ms, then t again.
    let mut helped = 0;
    for (plain, copied) in plain.iter().zip(&copied) {
        assert!(copied <= &(plain + 1e-6), "a copy on an idle slot never delays: {plain} {copied}");
        helped += u32::from(*copied < plain * 0.9);
    }
    assert!(helped > 5, "{helped} of 30 runs have machines that differ by more than 2.5");
}

/// The law behind FIFO: with one job of independent tasks in list order, another slot never delays it.
#[test]
fn more_slots_never_delay_a_single_fifo_job() {
    let seconds: Vec<f64> = (0..23).map(|n| 1.0 + f64::from(n * 7 % 5)).collect();
    let ends: Vec<f64> = (1..8).map(|slots| ends(&schedule(1, slots, &[("a", &seconds)]))[0]).collect();
    assert!(ends.is_sorted_by(|fewer, more| fewer >= more), "{ends:?}");
    // By hand: one slot takes the sum, seven of them at least a seventh of it.
    let sum: f64 = seconds.iter().sum();
    assert!((ends[0] / sum - 1.0).abs() < 0.002 && ends[6] >= sum / 7.0);
}

/// SPARK-18886, 3.6: reducers of a shuffle that lies on one executor wait three seconds for it (and the next revival), then go elsewhere.
#[test]
fn reducers_wait_for_their_host() {
    let mut spec = schedule(2, 1, &[]);
    spec.spark.scheduler.locality = LocalityConf::default();
    spec.app.shuffles = vec![sim_core::spec::ShuffleSpec { writer: 1, partitions: 8, map_side_combine: false, relocatable: true }];
    let mut map = stage("map", &[1.0]);
    map.sink = SinkSpec::Shuffle(0);
    map.work = TaskWork::Recorded(vec![TaskRow { shuffle_write: Bytes::mib(1), writer_memory: Bytes::mib(1), records: 1000, ..row(1.0) }]);
    let mut reduce = stage("reduce", &[2.0; 8]);
    reduce.reads = vec![0];
    spec.app.stages.extend([map, reduce]);
    spec.app.jobs.push(JobSpec { stages: vec![1, 2], ..JobSpec::default() });
    let span = |spec: &Spec| {
        let stage = runs(spec, 1, 1).remove(0).stages[2];
        stage.ended.since(stage.started).as_secs_f64()
    };
    // Alone on its executor: 8 · 2 s. With the other one from the start: 8 s. The wait is over between 3 and 4 s: two tasks have
    // begun by then, six are left for two slots: 4 + 6 = 10 s, one of them up to 2 s later.
    let waited = span(&spec);
    assert!((9.9..=12.1).contains(&waited), "{waited}");
    spec.spark.scheduler.locality = world::no_wait();
    assert!((span(&spec) - 8.0).abs() < 0.1);
    spec.spark.scheduler.locality.wait_node = SimSpan::from_secs(3600);
    assert!((span(&spec) - 16.0).abs() < 0.1);
}

/// Executor 1's scratch is full: tasks fail there. Four failures of one task abort; with exclusion a task goes elsewhere after one.
#[test]
fn exclusion_keeps_tasks_from_the_executor_where_they_failed() {
    let outcome = |exclusion: Option<ExclusionConf>, executors: u32| -> Outcome {
        let mut spec = schedule(executors, 1, &[]);
        // All but the first machine have room.
        let mut rest = spec.cluster.pools[0].clone();
        spec.cluster.pools[0].count = 1;
        spec.cluster.pools[0].shape.disks[0].used = spec.cluster.pools[0].shape.disks[0].size;
        rest.name = "rest".to_owned();
        rest.count = executors - 1;
        spec.cluster.pools.push(rest);
        spec.app.shuffles = vec![sim_core::spec::ShuffleSpec { writer: 1, partitions: 1, map_side_combine: false, relocatable: true }];
        let mut map = stage("map", &[1.0; 6]);
        map.sink = SinkSpec::Shuffle(0);
        map.work = TaskWork::Recorded(vec![TaskRow { shuffle_write: Bytes::mib(1), writer_memory: Bytes::mib(1), records: 1000, ..row(1.0) }; 6]);
        spec.app.stages.push(map);
        spec.app.jobs.push(JobSpec { stages: vec![1], ..JobSpec::default() });
        spec.spark.scheduler.exclusion = exclusion;
        runs(&spec, 1, 1).remove(0)
    };
    assert_eq!(outcome(None, 2).ending, Ending::Failed(FailureReason::TaskFailures));
    let excluded = outcome(Some(ExclusionConf::default()), 2);
    // Two tasks fail there, one each; then the stage avoids the executor.
    assert_eq!((excluded.ending, excluded.stages[1].tasks_failed, excluded.stages[1].tasks_ok), (Ending::Succeeded, 2, 6));
    assert_eq!(outcome(Some(ExclusionConf::default()), 1).ending, Ending::Failed(FailureReason::Unschedulable));
}

/// FF-6: a barrier stage starts when all its slots are free, not before; without enough slots in the cluster the job fails after
/// forty checks at 15 s.
#[test]
fn a_barrier_stage_starts_all_together() {
    let mut spec = schedule(1, 3, &[("a", &[3.0, 5.0]), ("b", &[1.0; 3])]);
    spec.app.stages[2].barrier = true;
    let [first, second] = ends(&spec)[..] else { panic!("two jobs") };
    // Job 0 leaves one slot, then two free; the third at 5 s, when the offer of one slot is not enough: the next revival.
    assert_eq!(first, 5.0);
    assert!((6.0..=7.0).contains(&second), "{second}");
    spec.app.stages[2] = StageSpec { barrier: true, ..stage("too-many", &[1.0; 4]) };
    let outcome = runs(&spec, 1, 1).remove(0);
    assert_eq!(outcome.ending, Ending::Failed(FailureReason::Unschedulable));
    assert!((600.0..700.0).contains(&outcome.duration.as_secs_f64()), "{:?}", outcome.duration);
}
