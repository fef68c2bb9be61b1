//! Laws on durations.

use sim_core::record::{Ending, Outcome};
use sim_core::spec::{Dist, InputSource, Platform, Spec, TaskWork};
use sim_core::units::{ByteRate, Bytes};
use tests::world;

use super::runs;

/// Scratch on a slow disk behind little page cache: writers wait for the disk.
fn behind_a_disk(mb_per_s: u64) -> Spec {
    let mut spec = world::world();
    spec.uncertainty = world::uncertain();
    spec.app = world::passes(Bytes::new(900_000_000), 2, 12);
    spec.cluster.pools[0].shape = world::node(Bytes::mib(2900));
    spec.cluster.pools[0].shape.disks = vec![world::disk(Bytes::gib(64), mb_per_s)];
    spec
}

/// A faster disk never lengthens a run in which nothing fails: writes and reads end no later, and the rest is as it was.
/// Asserted run by run.
#[test]
fn a_faster_disk_never_lengthens_a_fault_free_run() {
    let speeds = [4, 8, 16, 64, 512];
    let worlds: Vec<Vec<Outcome>> = speeds.iter().map(|&speed| runs(&behind_a_disk(speed), 1, 40)).collect();
    for pair in worlds.windows(2) {
        for (slow, fast) in pair[0].iter().zip(&pair[1]) {
            assert!(slow.incidents.is_empty() && fast.incidents.is_empty());
            assert!(fast.duration <= slow.duration, "replication {}: {:?}, faster disk {:?}", slow.replication, slow.duration, fast.duration);
        }
    }
    let longer = worlds[0].iter().zip(&worlds[4]).filter(|(slow, fast)| slow.duration > fast.duration.scale(1.5)).count();
    assert!(longer == 40, "the disk must matter: {longer} of 40");
}

/// One executor with one slot on a bare node: tasks run one after the other.
fn one_after_the_other(scale: f64, tmpfs: bool) -> Spec {
    let mut spec = world::world();
    spec.cluster.platform = Platform::Bare;
    spec.cluster.pools[0].count = 1;
    let faster = |rate: ByteRate| rate.scale(scale);
    let shape = &mut spec.cluster.pools[0].shape;
    shape.memory = Bytes::gib(5);
    shape.nic = faster(ByteRate::mb_per_sec(40));
    let mut disk = world::disk(Bytes::gib(64), 6);
    (disk.read, disk.write) = (faster(disk.read), faster(disk.write));
    shape.disks = vec![disk];
    spec.spark.executor.instances = 1;
    spec.spark.executor.cores = 1;
    spec.spark.executor.container_memory = Bytes::ZERO;
    spec.spark.kubernetes.local_dirs_tmpfs = tmpfs;
    // A sixth of the memory: it must spill.
    spec.spark.memory.fraction = 0.1;
    spec.app = world::passes(Bytes::new(800_000_000), 2, 4);
    spec.app.stages[0].input = InputSource::Local;
    if let TaskWork::Parametric(row) = &mut spec.app.stages[2].work {
        row.output = Bytes::new(900_000_000);
    }
    spec.uncertainty.cpu_speed = Dist::Constant(scale);
    spec.uncertainty.executor_start_s = Dist::Constant(8.0 / scale);
    spec
}

/// Duration of the single run, seconds, and of it what the model holds fixed: the first launch on an executor takes 600 ms
/// and each further one 10 ms (8.5), one after the other here.
fn duration_and_launches(scale: f64, tmpfs: bool) -> (Outcome, f64, f64) {
    let outcome = runs(&one_after_the_other(scale, tmpfs), 1, 1).remove(0);
    assert_eq!((outcome.ending, outcome.incidents.len()), (Ending::Succeeded, 0));
    assert!(!outcome.spill.is_zero(), "spills must be part of it");
    let launches: u64 = outcome.stages.iter().map(|s| u64::from(s.tasks_ok)).sum();
    let seconds = outcome.duration.as_secs_f64();
    (outcome, seconds, 0.6 + 0.01 * (launches - 1) as f64)
}

/// Twice all rates and half all latencies halve the duration of a fault-free run but for the fixed launches: with scratch in
/// RAM nothing overlaps them.
#[test]
fn twice_all_rates_halve_the_duration() {
    let (single, slow, fixed) = duration_and_launches(1.0, true);
    for scale in [2.0, 5.0] {
        let (outcome, fast, _) = duration_and_launches(scale, true);
        assert_eq!((outcome.spill, outcome.shuffle_write, outcome.node_peak), (single.spill, single.shuffle_write, single.node_peak));
        // Rounding: every event is rounded up by at most two nanoseconds.
        let rounding = 2e-9 * (single.events + outcome.events) as f64;
        assert!(((slow - fixed) - scale * (fast - fixed)).abs() <= scale * rounding, "{slow} s, {scale} times as fast {fast} s, fixed {fixed} s");
    }
}

/// With scratch on disk the write-back of page cache goes on during launches, so any part of them, but no more, is hidden.
#[test]
fn twice_all_rates_halve_the_duration_but_for_launches_hidden_behind_write_back() {
    let (_, slow, fixed) = duration_and_launches(1.0, false);
    for scale in [2.0, 5.0] {
        let (_, fast, _) = duration_and_launches(scale, false);
        let hidden = (slow - fixed) - scale * (fast - fixed);
        assert!(hidden > -1e-5 && hidden < (scale - 1.0) * fixed + 1e-5, "{slow} s, {scale} times as fast {fast} s, {hidden} s of {fixed} s hidden");
    }
}
