//! Timelines worked out by hand, by fact id.

use super::*;
use crate::cluster;
use crate::fixture;
use crate::observe::Nobody;
use crate::record::{Level, Outcome};
use crate::sim::{RunKey, Simulator};
use crate::spark::executor::{Death, die};
use crate::spec::{AllocationConf, Dist, DynamicAllocation, PodsAllocator, Spec, TaskCount};

const KEY: RunKey = RunKey { seed: 1, replication: 0 };
/// When the driver is up and asks for its first executors.
const UP: SimTime = SimTime::from_ns(10_000_000_000);

fn after_up(ms: u64) -> SimTime {
    UP + SimSpan::from_ms(ms)
}
fn plan(change: impl Fn(&mut Spec)) -> SimPlan {
    let mut spec = fixture::case_study(true, false);
    // Small executors, so that a node is never full before the allocator is.
    spec.spark.executor.cpu_request = crate::units::CoreMillis::new(100);
    spec.spark.executor.container_memory = crate::units::Bytes::gib(1);
    change(&mut spec);
    SimPlan::compile(&spec).expect("the fixture compiles")
}
/// Runs to so many milliseconds after the driver is up, and looks.
fn at<T>(plan: &SimPlan, ms: u64, look: impl Fn(&mut Sim) -> T) -> T {
    let mut nobody = Nobody;
    let mut sim = Sim::new(plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(after_up(ms));
    look(&mut sim)
}
fn created(plan: &SimPlan, ms: u64) -> usize {
    at(plan, ms, |sim| sim.executors.len())
}
fn created_at(plan: &SimPlan, times: &[u64]) -> Vec<usize> {
    times.iter().map(|&ms| created(plan, ms)).collect()
}
fn twelve(seen_s: f64) -> impl Fn(&mut Spec) {
    move |spec| {
        spec.spark.executor.instances = 12;
        spec.uncertainty.pod_acknowledged_s = Dist::Constant(seen_s);
    }
}

#[test]
fn al_1_batches_follow_a_second_apart_when_pods_are_seen_in_time() {
    assert_eq!(created_at(&plan(twelve(0.1)), &[0, 999, 1000, 1999, 2000, 9000]), [5, 5, 10, 10, 12, 12]);
}

#[test]
fn al_1_nothing_is_created_while_a_created_pod_is_not_seen() {
    // Seen after 1.5 s: the rounds at 1 s and 3 s create nothing.
    assert_eq!(created_at(&plan(twelve(1.5)), &[0, 1999, 2000, 3999, 4000]), [5, 5, 10, 10, 12]);
}

#[test]
fn al_3_a_pod_that_is_never_seen_is_given_up_after_its_timeout() {
    let plan = plan(|spec| {
        spec.spark.executor.instances = 2;
        spec.spark.executor.cpu_request = crate::units::CoreMillis::cores(100);
        spec.uncertainty.pod_acknowledged_s = Dist::Constant(1e6);
    });
    // The round at 600 s does not exceed the timeout, the one at 601 s does.
    for (ms, pods, gone) in [(600_999, 2, 0), (601_000, 4, 2)] {
        let found = at(&plan, ms, |sim| (sim.executors.len(), sim.executors.values().filter(|e| e.life == Life::Gone).count()));
        assert_eq!(found, (pods, gone), "{ms} ms");
    }
}

#[test]
fn al_5_a_pod_that_was_seen_waits_for_a_node_for_ever() {
    let plan = plan(|spec| spec.spark.executor.cpu_request = crate::units::CoreMillis::cores(100));
    let waiting = at(&plan, 3_000_000, |sim| (sim.executors.len(), sim.cluster.pending.len()));
    assert_eq!(waiting, (4, 4));
}

#[test]
fn pods_that_do_not_run_yet_have_a_ceiling() {
    let plan = plan(|spec| {
        twelve(0.1)(spec);
        spec.spark.allocation.max_pending_pods = Some(3);
    });
    // A container starts 35 % of 8 s after its pod was bound, so 2.8 s after each batch; three more come with the next round, which is
    // less than a second later whatever its phase.
    assert_eq!(created_at(&plan, &[0, 2799, 3800, 5599, 7600]), [3, 3, 6, 6, 9]);
}

/// Spark 4.3 refuses the pod whose number reaches the maximum, and goes on with those that it has.
#[test]
fn allocation_maximum_counts_all_pods_ever_created() {
    let plan = plan(|spec| {
        twelve(0.1)(spec);
        spec.spark.allocation.maximum = Some(8);
    });
    assert_eq!(created(&plan, 60_000), 7);
}

/// AL-2 with the allocator's phase: the replacement comes with the next round, less than a second after the loss is seen.
#[test]
fn al_2_a_dead_executor_is_replaced_in_the_next_round() {
    let plan = plan(|_| {});
    let mut waits = Vec::new();
    for replication in 0..200 {
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication }, &mut nobody);
        cluster::settle_in(&mut sim);
        sim.run_until(after_up(9000));
        let death = Death { cause: crate::record::Cause::Container, level: Level::Pod, used: crate::units::Bytes::ZERO, limit: crate::units::Bytes::ZERO };
        die(&mut sim, ExecutorId::new(0), death);
        let seen = sim.now() + SimSpan::from_secs(2);
        sim.run_until(after_up(13_000));
        let new = sim.executors.values().nth(4).expect("it is replaced").created_at;
        waits.push(new.since(seen).as_secs_f64());
    }
    let mean = waits.iter().sum::<f64>() / 200.0;
    // Uniform on a second: standard error 0.289 / √200 = 0.0204; four of them.
    assert!((mean - 0.5).abs() < 0.082, "{mean}");
}

fn dynamic(min: u32, initial: u32, max: u32) -> DynamicAllocation {
    DynamicAllocation {
        min,
        initial,
        max,
        ratio: 1.0,
        backlog_timeout: SimSpan::from_secs(1),
        sustained_backlog_timeout: SimSpan::from_secs(1),
        idle_timeout: SimSpan::from_secs(60),
        cached_idle_timeout: None,
        shuffle_tracking: true,
        shuffle_timeout: None,
    }
}
fn with_dynamic(conf: DynamicAllocation) -> impl Fn(&mut Spec) {
    move |spec| {
        spec.spark.allocation.dynamic = Some(conf);
        spec.app.stages[0].tasks = TaskCount::Fixed(200);
    }
}
/// The same with executors that have room to work.
fn working(conf: DynamicAllocation) -> impl Fn(&mut Spec) {
    move |spec| {
        with_dynamic(conf)(spec);
        spec.spark.executor.container_memory = crate::units::Bytes::mib(12_800);
    }
}

#[test]
fn a24_dynamic_allocation_doubles_while_tasks_wait() {
    let plan = plan(with_dynamic(dynamic(0, 0, 20)));
    let targets: Vec<u32> = [0, 999, 1000, 2000, 3000, 4000, 5000, 6000].map(|ms| at(&plan, ms, |sim| sim.allocator.target())).to_vec();
    assert_eq!(targets, [0, 0, 1, 3, 7, 15, 20, 20]);
}

#[test]
fn the_ramp_ends_at_what_the_tasks_can_use() {
    // Ten tasks on executors of three slots need four; half of that with a ratio of one half: 10 · 0.5 / 3 → 2.
    for (ratio, needed) in [(1.0, 4), (0.5, 2)] {
        let plan = plan(|spec| {
            with_dynamic(DynamicAllocation { ratio, ..dynamic(0, 0, 20) })(spec);
            spec.app.stages[0].tasks = TaskCount::Fixed(10);
        });
        assert_eq!(at(&plan, 6000, |sim| sim.allocator.target()), needed);
    }
}

/// The first job leaves no shuffle files; its executors go a minute after their last task, down to the minimum.
#[test]
fn idle_executors_go_and_count_as_no_failure() {
    let plan = plan(|spec| {
        working(dynamic(1, 3, 3))(spec);
        spec.app.jobs[0].driver_gap = SimSpan::from_secs(3000);
        spec.spark.scheduling.executor_max_failures = Some(0);
    });
    let registered = |sim: &mut Sim| sim.executors.values().filter(|e| e.life == Life::Registered).count();
    assert_eq!(at(&plan, 30_000, registered), 3);
    assert_eq!(at(&plan, 2_000_000, |sim| (registered(sim), sim.executors.len(), sim.ending)), (1, 3, None));
}

/// With shuffle tracking an executor stays for the shuffle files of the running job: no stage is run again.
#[test]
fn executors_with_shuffle_files_stay() {
    let work = |tracking: bool| {
        let plan = plan(|spec| {
            working(DynamicAllocation { shuffle_tracking: tracking, idle_timeout: SimSpan::from_ms(20), ..dynamic(1, 3, 3) })(spec);
            spec.spark.kubernetes.local_dirs_tmpfs = false;
            spec.limits.paranoid = true;
        });
        let outcome = Simulator::new(&plan).run(KEY);
        assert_eq!((outcome.executors_lost, plan.spec().app.stages.len()), (0, 10));
        outcome.stages.iter().map(|stage| stage.attempts + stage.tasks_resubmitted).sum::<u32>()
    };
    assert_eq!(work(true), 10, "each stage once, no task again");
    assert!(work(false) > 10, "files of idle executors go with them");
}

/// Law: nothing that a report shows differs between a fixed number and the same least, first and largest number.
#[test]
fn law_the_same_least_first_and_largest_number_is_a_fixed_number() {
    let run = |conf: Option<DynamicAllocation>, replication| {
        let mut spec = fixture::case_study(true, true);
        spec.spark.allocation.dynamic = conf;
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let outcome = Simulator::new(&plan).run(RunKey { seed: 1, replication });
        Outcome { events: 0, event_hash: 0, ..outcome }
    };
    for replication in 0..3 {
        assert_eq!(run(None, replication), run(Some(dynamic(4, 4, 4)), replication));
    }
}

/// ED-5: the tmpfs of a container that restarts in place stays charged to its pod; the new JVM is another executor, same node.
#[test]
fn ed_5_a_controllers_container_restarts_in_place_with_its_tmpfs() {
    let plan = plan(|spec| {
        spec.spark.allocation = AllocationConf { allocator: PodsAllocator::Controller, delete_on_termination: false, ..AllocationConf::FIXED };
        spec.spark.executor.container_memory = crate::units::Bytes::mib(12_800);
    });
    let mut nobody = Nobody;
    let mut sim = Sim::new(&plan, KEY, &mut nobody);
    cluster::settle_in(&mut sim);
    sim.run_until(after_up(60_000));
    let id = ExecutorId::new(0);
    let (node, slot) = (sim.executors[id].node.expect("bound"), sim.executors[id].slot.expect("bound"));
    let death = Death { cause: crate::record::Cause::Container, level: Level::Pod, used: crate::units::Bytes::ZERO, limit: crate::units::Bytes::ZERO };
    die(&mut sim, id, death);
    let tmpfs = sim.machines[node].memory.settled_shmem(slot);
    assert!(!tmpfs.is_zero());
    sim.run_until(after_up(60_001));
    let new = sim.executors.values().nth(4).expect("it restarted at once");
    assert_eq!((new.node, new.slot, new.life, new.garbage.tmpfs), (Some(node), Some(slot), Life::Starting, tmpfs));
    assert_eq!(sim.machines[node].memory.settled_shmem(slot), tmpfs);
    sim.run_until(after_up(70_000));
    assert_eq!(sim.executors.len(), 5, "the controller made no other pod");
}
