//! Laws on YARN: who kills, what Spark makes of it, and what a full disk costs.

use sim_core::record::{Cause, Ending, FailureReason, Level, Outcome};
use sim_core::spec::{ContainerControl, Platform, Spec};
use sim_core::units::{Bytes, SimSpan};
use tests::world;

use super::runs;

/// Containers that now and then grow beyond their size.
fn growing(control: ContainerControl) -> Spec {
    let mut spec = super::failures::on_yarn(true);
    spec.cluster.yarn.control = control;
    spec
}

/// YRN-5: Spark counts neither −103 nor −104 towards `spark.executor.maxNumFailures`, and it counts 137.
#[test]
fn yrn5_only_kills_by_the_kernel_count_towards_the_cap() {
    let capped = |control| {
        let mut spec = growing(control);
        spec.spark.scheduling.executor_max_failures = Some(0);
        runs(&spec, 12, 40)
    };
    let stopped = |outcome: &&Outcome| outcome.ending == Ending::Failed(FailureReason::ExecutorFailures);
    let (monitored, enforced) = (capped(ContainerControl::Monitor), capped(ContainerControl::Cgroup));
    assert!(monitored.iter().filter(|o| o.executors_lost > 0).count() > 5, "deaths must occur");
    assert_eq!(monitored.iter().filter(stopped).count(), 0);
    let lost = enforced.iter().filter(|o| o.executors_lost > 0).count();
    assert!(lost > 5);
    assert_eq!(enforced.iter().filter(stopped).count(), lost);
}

/// YRN-2, YRN-6: between two looks of the monitor a container may be over its size; the kernel never lets it.
#[test]
fn yrn6_with_cgroups_no_container_is_ever_over_its_size() {
    let size = growing(ContainerControl::Cgroup).container(Bytes::mib(1280));
    let peaks = |control| runs(&growing(control), 12, 40).iter().map(|o| o.pod_peak).max().unwrap_or_default();
    assert!(peaks(ContainerControl::Monitor) > size);
    assert!(peaks(ContainerControl::Cgroup) <= size);
    let killed = runs(&growing(ContainerControl::Cgroup), 12, 40);
    assert!(killed.iter().flat_map(|o| &o.incidents).all(|i| i.cause != Cause::Container || i.level == Level::Pod && i.limit == size));
}

/// YRN-2: the monitor kills at its looks, every three seconds, and at no other instant.
#[test]
fn yrn2_containers_die_at_the_looks_of_the_monitor() {
    let runs = runs(&growing(ContainerControl::Monitor), 12, 40);
    let kills: Vec<u64> = runs.iter().flat_map(|o| &o.incidents).filter(|i| i.cause == Cause::Container).map(|i| i.at.as_ns()).collect();
    assert!(kills.len() > 5);
    assert!(kills.iter().all(|at| at % 3_000_000_000 == 0), "{kills:?}");
}

/// YRN-4: files are not resident memory. Far more shuffle files than the container is large kill nobody.
#[test]
fn yrn4_files_never_count_for_the_monitor() {
    let mut spec = world::world();
    spec.cluster.platform = Platform::Yarn;
    spec.app = world::passes(Bytes::gib(6), 2, 60);
    let size = spec.container(spec.spark.executor.container_memory);
    for outcome in runs(&spec, 5, 2) {
        assert!(outcome.scratch_peak > size, "{}", outcome.scratch_peak);
        assert!(outcome.incidents.is_empty() && outcome.executors_lost == 0, "{:?}", outcome.incidents);
    }
}

/// YRN-3: without its checks the monitor kills nobody.
#[test]
fn yrn3_without_its_checks_the_monitor_kills_nobody() {
    let mut spec = growing(ContainerControl::Monitor);
    spec.cluster.yarn.pmem_check = false;
    assert!(runs(&spec, 12, 40).iter().all(|o| o.executors_lost == 0 && !o.has(Cause::Container)));
}

/// YRN-7: a node whose only disk passes 90 % loses its executors at the next look; they start elsewhere, nobody is blamed, and files of the
/// shuffle service stay. With room enough nothing of that happens.
#[test]
fn yrn7_a_full_disk_costs_a_node_its_executors_and_blames_nobody() {
    let with_first_disk_at = |share: f64| {
        let mut spec = world::world();
        spec.cluster.platform = Platform::Yarn;
        spec.cluster.yarn.disk_check_interval_s = 12.0;
        spec.spark.shuffle.service = true;
        spec.spark.scheduling.task_max_failures = 1;
        let mut first = spec.cluster.pools[0].clone();
        first.count = 1;
        first.name = "first".into();
        first.shape.disks[0].used = first.shape.disks[0].size.scale(share);
        spec.cluster.pools.insert(0, first);
        runs(&spec, 3, 3)
    };
    let (roomy, full) = (with_first_disk_at(0.5), with_first_disk_at(0.95));
    for (one, other) in roomy.iter().zip(&full) {
        assert_eq!((one.ending, other.ending), (Ending::Succeeded, Ending::Succeeded));
        assert!(other.incidents.is_empty() && other.executors_lost == 0);
        assert_eq!(one.shuffle_write, other.shuffle_write);
        assert!(other.duration > one.duration, "{:?} and {:?}", one.duration, other.duration);
    }
    // No other node, and no way back: the application waits until it is cut off.
    let mut alone = world::world();
    alone.cluster.platform = Platform::Yarn;
    alone.cluster.yarn.disk_check_interval_s = 12.0;
    alone.cluster.pools[0].shape.disks[0].used = alone.cluster.pools[0].shape.disks[0].size.scale(0.95);
    alone.limits.horizon = SimSpan::from_secs(600);
    for outcome in runs(&alone, 3, 2) {
        assert!(matches!(outcome.ending, Ending::Truncated(_)), "{:?}", outcome.ending);
        assert_eq!(outcome.executors_pending, 2);
    }
}

/// A node takes as many containers as its memory has room for, or as its vcores have where they are counted.
#[test]
fn yrn1_vcores_bound_containers_only_where_they_are_counted() {
    let crowded = |counts_vcores| {
        let mut spec = world::world();
        spec.cluster.platform = Platform::Yarn;
        spec.cluster.yarn.counts_vcores = counts_vcores;
        spec.cluster.yarn.node_vcores = Some(3);
        spec.cluster.pools[0].count = 1;
        spec.spark.executor.instances = 3;
        runs(&spec, 4, 2)
    };
    // Executors of two cores on a node with three vcores and memory for all.
    assert!(crowded(false).iter().all(|o| o.executors_pending == 0));
    assert!(crowded(true).iter().all(|o| o.executors_pending == 2));
}
