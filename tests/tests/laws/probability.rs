//! Laws on probabilities: what must never make a death more likely.

use sim_core::record::{Cause, Outcome};
use sim_core::spec::Spec;
use sim_core::units::Bytes;
use tests::{random_world, world};

use super::{falls, p_oom, runs, share};

const N: u64 = 100;

/// More RAM moves the limits of node and `kubepods` away and takes nothing from anyone.
#[test]
fn more_node_memory_never_raises_p_oom() {
    let series: Vec<_> =
        [4700, 4800, 4900, 5000, 5200, 5600, 6400].iter().map(|&mib| (format!("{mib} MiB"), p_oom(&runs(&world::troubled(Bytes::mib(mib)), 6, N)))).collect();
    falls("node memory", &series);
}

/// Spread executors have more room each on more nodes; from as many nodes as executors on nothing changes any more.
#[test]
fn more_nodes_never_raise_p_oom_of_a_spread_job() {
    let spread = |count: u32| {
        let mut spec = world::troubled(Bytes::mib(4700));
        spec.spark.kubernetes.pod_template.affinity = random_world::spread();
        spec.cluster.pools[0].count = count;
        spec
    };
    let series: Vec<_> = (1..=4).map(|count| (format!("{count} nodes"), p_oom(&runs(&spread(count), 7, N)))).collect();
    falls("nodes", &series);
}

/// A container whose limit is heap plus overhead, with scratch in RAM, on nodes with room to spare: only the container binds.
fn with_overhead(overhead: Bytes) -> Spec {
    let mut spec = world::troubled(Bytes::gib(24));
    spec.cluster.neighbours.clear();
    spec.spark.executor.container_memory = spec.spark.executor.heap + overhead;
    spec
}

/// Overhead is room that the heap never takes; where the larger pods still fit, container deaths get no likelier.
#[test]
fn more_memory_overhead_never_raises_p_container_oom() {
    let series: Vec<_> = [300, 450, 600, 800, 1100]
        .iter()
        .map(|&mib| {
            let outcomes = runs(&with_overhead(Bytes::mib(mib)), 8, N);
            assert!(outcomes.iter().all(|o| o.executors_pending == 0), "both executors must fit");
            (format!("{mib} MiB"), share(&outcomes, |o| o.has(Cause::Container)))
        })
        .collect();
    falls("overhead", &series);
}

/// Less input is less of everything: rows, files, garbage. Partition counts stay.
#[test]
fn smaller_input_never_raises_p_oom() {
    let series: Vec<_> = [1.5, 1.0, 0.7, 0.4, 0.1]
        .iter()
        .map(|&factor| {
            let mut spec = world::troubled(Bytes::mib(4750));
            spec.app = world::passes(Bytes::new(300_000_000).scale(factor), 3, 8);
            (format!("{factor} of the input"), p_oom(&runs(&spec, 9, N)))
        })
        .collect();
    falls("input", &series);
}

/// zstd's files are smaller (8.2), so there is less tmpfs in every run; run by run, where nothing dies.
#[test]
fn a_denser_codec_lowers_the_tmpfs_peak() {
    let with_codec = |ratio: f64| {
        let mut spec = world::troubled(Bytes::gib(12));
        spec.spark.shuffle.codec_ratio = ratio;
        runs(&spec, 10, 30)
    };
    for (lz4, zstd) in with_codec(1.0).iter().zip(&with_codec(0.53)) {
        assert!(!lz4.oom() && !zstd.oom() && !lz4.scratch_peak.is_zero());
        assert!(zstd.scratch_peak < lz4.scratch_peak && zstd.node_peak <= lz4.node_peak, "replication {}", lz4.replication);
        assert!(zstd.shuffle_write.as_f64() < 0.54 * lz4.shuffle_write.as_f64());
    }
}

/// Which link must break: without tmpfs, or without packing, the troubled world is a healthy one.
#[test]
fn either_remedy_of_the_troubled_world_cures_it() {
    let troubled = world::troubled(Bytes::mib(4700));
    let mut on_disk = troubled.clone();
    on_disk.spark.kubernetes.local_dirs_tmpfs = false;
    let mut spread = troubled.clone();
    spread.spark.kubernetes.pod_template.affinity = random_world::spread();
    let count = |spec: &Spec| runs(spec, 11, N).iter().filter(|o| Outcome::oom(o)).count();
    let (both, disk, apart) = (count(&troubled), count(&on_disk), count(&spread));
    assert!(both > 30 && disk < both / 3 && apart < both / 3, "both {both}, on disk {disk}, spread {apart}");
}
