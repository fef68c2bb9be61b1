//! Laws on what follows a failure.

use sim_core::record::{Cause, Ending, FailureReason, Level, Outcome, Party};
use sim_core::spec::{EmptyDir, Injection, Medium, Moment, Platform, Resources, Spec, VolumeSource};
use sim_core::units::Bytes;
use tests::{random_world, world};

use super::runs;

/// YARN containers that now and then grow beyond their size: the monitor kills them.
pub(crate) fn on_yarn(service: bool) -> Spec {
    let mut spec = world::world();
    spec.cluster.platform = Platform::Yarn;
    spec.uncertainty = world::uncertain();
    spec.uncertainty.non_heap = sim_core::spec::Dist::Lognormal { median: 1.0, sigma: 0.5 };
    spec.spark.executor.container_memory = Bytes::mib(1280);
    spec.spark.shuffle.service = service;
    spec.spark.scheduling.task_max_failures = 100;
    spec.spark.scheduling.stage_max_consecutive_attempts = 100;
    spec.app = world::passes(Bytes::new(900_000_000), 3, 12);
    spec
}

/// With an external shuffle service map outputs belong to the node: a death loses running tasks, never outputs, so no stage
/// is tried twice and nothing is run again. Without it, some runs with the same luck have fetch failures.
#[test]
fn with_a_shuffle_service_a_death_causes_no_fetch_failure() {
    let tried_again = |o: &Outcome| o.stages.iter().any(|s| s.attempts > 1 || s.tasks_resubmitted > 0);
    let with = runs(&on_yarn(true), 12, 60);
    let without = runs(&on_yarn(false), 12, 60);
    assert!(with.iter().filter(|o| o.executors_lost > 0).count() > 10, "deaths must occur");
    assert!(!with.iter().any(tried_again));
    assert!(without.iter().filter(|o| tried_again(o)).count() > 5, "outputs must be lost without it");
}

/// NO-1: executors whose limit is their request reach their own limit, never that of `kubepods`, of the node, or of an eviction: these need
/// somebody who uses more than was asked for.
#[test]
fn no1_executors_alone_never_reach_a_limit_above_their_own() {
    let mut spec = on_yarn(true);
    spec.cluster.platform = Platform::Kubernetes;
    spec.cluster.neighbours.clear();
    let incidents: Vec<_> = runs(&spec, 12, 40).into_iter().flat_map(|o| o.incidents).collect();
    assert!(incidents.len() > 5);
    assert!(incidents.iter().all(|i| i.level == Level::Pod), "{incidents:?}");
}

/// 1.9: a standalone worker gives executors what it has of cores, and its memory less 1 GiB; an executor takes its heap of that, no overhead.
#[test]
fn standalone_workers_give_cores_and_memory_less_one_gib() {
    let pending = |memory: Bytes, cores: u32, instances: u32| {
        let mut spec = world::world();
        spec.cluster.platform = Platform::Standalone;
        spec.cluster.pools[0].count = 1;
        spec.cluster.pools[0].shape.memory = memory;
        spec.spark.executor.cores = cores;
        spec.spark.executor.instances = instances;
        runs(&spec, 6, 1)[0].executors_pending
    };
    // 8 cores. By memory: 4 GiB less 1 hold three heaps of 1 GiB.
    assert_eq!([3, 4, 5].map(|instances| pending(Bytes::gib(4), 2, instances)), [0, 1, 2]);
    // By cores: four executors of two.
    assert_eq!([4, 5].map(|instances| pending(Bytes::gib(8), 2, instances)), [0, 1]);
}

fn with_scratch(medium: Medium, size_limit: Bytes) -> Spec {
    let mut spec = world::world();
    spec.spark.executor.container_memory = Bytes::gib(3);
    let volume = EmptyDir { medium, size_limit: Some(size_limit) };
    spec.spark.kubernetes.pod_template.volumes = vec![random_world::local_dir(1, VolumeSource::EmptyDir(volume))];
    spec
}

/// ED-3, ED-6: a tmpfs mount that is too small fails its writers with ENOSPC; the executor lives.
#[test]
fn a_tmpfs_size_limit_below_the_need_fills_scratch_and_kills_nobody() {
    for outcome in runs(&with_scratch(Medium::Memory, Bytes::mib(60)), 13, 5) {
        assert!(outcome.has(Cause::ScratchFull) && outcome.executors_lost == 0 && !outcome.oom(), "{:?}", outcome.incidents);
        assert_eq!(outcome.ending, Ending::Failed(FailureReason::TaskFailures));
        assert!(outcome.scratch_peak <= Bytes::mib(60) + Bytes::mib(1), "{}", outcome.scratch_peak);
    }
    let enough = runs(&with_scratch(Medium::Memory, Bytes::gib(2)), 13, 5);
    assert!(enough.iter().all(|o| o.ending == Ending::Succeeded && o.incidents.is_empty()));
}

/// ED-11: a disk `emptyDir` has no limit at write time; the kubelet evicts when it sees the use.
#[test]
fn a_disk_size_limit_below_the_need_evicts() {
    let slow = |size_limit| {
        let mut spec = with_scratch(Medium::Disk, size_limit);
        // Long enough for the kubelet's minute-old statistics.
        spec.app.stages.iter_mut().for_each(|stage| {
            if let sim_core::spec::TaskWork::Parametric(row) = &mut stage.work {
                row.cpu = row.cpu.scale(60.0);
            }
        });
        spec.limits.horizon = sim_core::units::SimSpan::from_secs(3600);
        spec
    };
    for outcome in runs(&slow(Bytes::mib(60)), 14, 5) {
        assert!(outcome.has(Cause::Eviction) && !outcome.oom() && !outcome.has(Cause::ScratchFull), "{:?}", outcome.incidents.first());
        assert!(outcome.incidents.iter().all(|i| i.level == Level::Volume && matches!(i.victim, Party::Executor(_))));
    }
    let enough = runs(&slow(Bytes::gib(2)), 14, 5);
    assert!(enough.iter().all(|o| o.ending == Ending::Succeeded && o.incidents.is_empty()));
}

/// VS-2: above the container the adjustment decides: a small pod without requests dies before executors full of tmpfs.
#[test]
fn a_best_effort_neighbour_dies_before_the_executors() {
    let mut spec = world::troubled(Bytes::mib(4700));
    let mut agent = world::neighbour("agent", Bytes::ZERO, Bytes::mib(300));
    agent.resources = Resources::default();
    agent.restarts = false;
    spec.cluster.neighbours.push(agent.clone());
    let first_victims = |spec: &Spec| -> Vec<Party> { runs(spec, 15, 60).iter().filter_map(|o| Some(o.incidents.first()?.victim.clone())).collect() };
    let victims = first_victims(&spec);
    assert!(victims.len() > 20 && victims.iter().all(|v| *v == Party::Neighbour("agent".into())), "{victims:?}");
    // QO-1: made system-critical, it is spared and an executor dies instead.
    agent.priority = 2_000_001_000;
    spec.cluster.neighbours[1] = agent;
    let victims = first_victims(&spec);
    assert!(victims.len() > 20 && victims.iter().all(|v| matches!(v, Party::Executor(_))), "{victims:?}");
}

/// FC-2: from Spark 3.5 on more dead executors than the cap end the application; without a cap that never ends it.
#[test]
fn the_failure_cap_of_spark_3_5_ends_the_application() {
    let with_cap = |cap| {
        let mut spec = world::troubled(Bytes::mib(4700));
        spec.cluster.neighbours[0].memory.anon = sim_core::spec::Dist::Constant(Bytes::mib(2300).as_f64());
        spec.spark.scheduling.executor_max_failures = cap;
        spec.spark.scheduling.task_max_failures = 1000;
        spec.spark.scheduling.stage_max_consecutive_attempts = 1000;
        runs(&spec, 16, 40)
    };
    let ended = Ending::Failed(FailureReason::ExecutorFailures);
    let (capped, free) = (with_cap(Some(3)), with_cap(None));
    assert!(capped.iter().filter(|o| o.ending == ended).count() > 10);
    assert!(free.iter().all(|o| o.ending != ended));
    for (capped, free) in capped.iter().zip(&free) {
        // The cap decides nothing until it is passed: who stays below it runs as without it.
        assert_eq!(capped.ending == ended, free.executors_lost > 3, "replication {}", free.replication);
        assert!(capped.executors_lost >= 4 || capped == free);
    }
}

/// A kill that the user asked for costs what any death costs, and is no finding of the model: no incident, no memory death.
#[test]
fn an_injected_kill_costs_the_outputs_that_lay_there_and_is_no_incident() {
    let calm = world::world();
    let kill = |executor, when| Spec { inject: vec![Injection { executor, when }], ..calm.clone() };
    let without = runs(&calm, 18, 1).remove(0);
    assert!(without.incidents.is_empty() && without.stages.iter().all(|stage| stage.attempts == 1 && stage.tasks_ok == 8));

    let with = runs(&kill(1, Moment::TasksDone { stage: 2, tasks: 3 }), 18, 1).remove(0);
    assert_eq!((with.executors_injected, with.executors_lost, with.incidents.len()), (1, 0, 0));
    assert_eq!(with.ending, Ending::Succeeded);
    assert_eq!((with.stages[1].attempts, with.stages[2].attempts), (2, 2), "outputs of pass-1 lay there, pass-2 needed them");
    let again = with.stages[1].tasks_ok - 8;
    assert!((1..8).contains(&again), "{again} of 8 outputs were lost");
    assert!(with.duration > without.duration && with.shuffle_write > without.shuffle_write);

    let span = without.stages[2].ended.since(without.stages[2].started);
    let middle = without.stages[2].started.since(sim_core::units::SimTime::ZERO) + span.scale(0.5);
    assert_eq!(runs(&kill(2, Moment::At(middle)), 18, 1)[0].executors_injected, 1);
    // Before the first executor is up and for a number that nobody has there is nobody to kill.
    for (executor, when) in [(1, Moment::At(sim_core::units::SimSpan::from_ms(1))), (99, Moment::At(middle))] {
        let spared = runs(&kill(executor, when), 18, 1).remove(0);
        assert_eq!((spared.executors_injected, &spared.stages, spared.duration), (0, &without.stages, without.duration));
    }
}

/// NE-5: disk pressure keeps new pods off a node for five minutes; then the scheduler tries again, though nobody else died.
#[test]
fn pending_executors_are_placed_when_the_pressure_ends() {
    let mut spec = world::world();
    spec.cluster.pools[0].count = 1;
    let disk = &mut spec.cluster.pools[0].shape.disks[0];
    (disk.size, disk.used) = (Bytes::gib(1), Bytes::mib(850));
    spec.spark.executor.instances = 1;
    for stage in &mut spec.app.stages {
        if let sim_core::spec::TaskWork::Parametric(row) = &mut stage.work {
            row.cpu = row.cpu.scale(20.0);
        }
    }
    spec.limits.horizon = sim_core::units::SimSpan::from_secs(3600);
    let outcome = runs(&spec, 17, 1).remove(0);
    let evicted: Vec<f64> = outcome.incidents.iter().filter(|i| i.cause == Cause::Eviction).map(|i| i.at.as_secs_f64()).collect();
    assert!(evicted.len() > 2 && outcome.executors_pending > 0, "{evicted:?}");
    // The volumes go within seconds of the eviction, the node's condition stays.
    assert!(evicted.windows(2).all(|pair| pair[1] - pair[0] > 300.0 && pair[1] - pair[0] < 600.0), "{evicted:?}");
}
