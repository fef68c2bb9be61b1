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
    // What a start does is CPU work for one part and waiting for the other; here it is neither.
    spec.uncertainty.executor_start_s = Dist::Constant(0.0);
    spec.uncertainty.task_launch_s = Dist::Constant(0.01 / scale);
    spec
}

/// Twice all rates and half all latencies halve the duration of a fault-free run, whatever overlaps what: scratch in RAM, and
/// scratch on a disk with write-back behind the tasks. Memory does not notice.
#[test]
fn twice_all_rates_halve_the_duration() {
    for tmpfs in [true, false] {
        let run = |scale| runs(&one_after_the_other(scale, tmpfs), 1, 1).remove(0);
        let single = run(1.0);
        assert_eq!((single.ending, single.incidents.len()), (Ending::Succeeded, 0));
        assert!(!single.spill.is_zero(), "spills must be part of it");
        for scale in [2.0, 5.0] {
            let fast = run(scale);
            assert_eq!((fast.spill, fast.shuffle_write, fast.node_peak), (single.spill, single.shuffle_write, single.node_peak));
            let (slow_s, fast_s) = (single.duration.as_secs_f64(), fast.duration.as_secs_f64());
            // Rounding: every event is rounded up by at most two nanoseconds.
            let rounding = 2e-9 * (single.events + fast.events) as f64;
            assert!((slow_s - scale * fast_s).abs() <= scale * rounding, "tmpfs {tmpfs}: {slow_s} s, {scale} times as fast {fast_s} s");
        }
    }
}
