//! Laws of adaptive execution: it moves rows between tasks, and neither makes nor loses any.

use sim_core::spec::{AdaptiveConf, AdaptiveRead, CoalesceConf, Dist, SkewJoinConf, Spec};
use sim_core::units::Bytes;
use tests::world;

use super::runs;

/// The small world, whose readers may be planned anew.
fn adaptive(advisory: Bytes, least_tasks: u32) -> Spec {
    let mut spec = world::world();
    spec.spark.adaptive = Some(AdaptiveConf {
        advisory,
        coalesce: Some(CoalesceConf { smallest: Bytes::mib(1), least_tasks }),
        skew_join: Some(SkewJoinConf { factor: 5.0, threshold: Bytes::mib(256) }),
        accurate_block: Bytes::mib(100),
    });
    for stage in spec.app.stages.iter_mut().filter(|stage| !stage.reads.is_empty()) {
        stage.adaptive = Some(AdaptiveRead::Coalesced);
    }
    spec
}

/// Bytes that stages write and read by shuffle are the same; tasks become fewer the larger the advisory size is.
#[test]
fn coalescing_keeps_bytes_and_larger_targets_make_fewer_tasks() {
    let mut spec = world::world();
    spec.uncertainty.partition_skew = Dist::Lognormal { median: 1.0, sigma: 0.5 };
    let skew = spec.uncertainty.partition_skew.clone();
    let plain = runs(&spec, 3, 1).remove(0);
    let mut before = plain.stages.iter().map(|stage| stage.tasks_ok).sum::<u32>();
    for mib in [1, 4, 16, 1024] {
        let mut spec = adaptive(Bytes::mib(mib), 1);
        spec.uncertainty.partition_skew = skew.clone();
        let found = runs(&spec, 3, 1).remove(0);
        for (a, b) in plain.stages.iter().zip(&found.stages) {
            let near = |x: Bytes, y: Bytes| x.get().abs_diff(y.get()) <= 1 + x.get() / 10_000;
            assert!(near(a.shuffle_write, b.shuffle_write) && near(a.shuffle_read, b.shuffle_read), "{mib} MiB: {a:?} {b:?}");
        }
        let tasks = found.stages.iter().map(|stage| stage.tasks_ok).sum::<u32>();
        assert!(tasks <= before, "{mib} MiB: {tasks} after {before}");
        before = tasks;
    }
    let readers = adaptive(Bytes::mib(1), 1).app.stages.iter().filter(|stage| !stage.reads.is_empty()).count();
    let sources: u32 = plain.stages.iter().zip(&spec.app.stages).filter(|(_, stage)| stage.reads.is_empty()).map(|(found, _)| found.tasks_ok).sum();
    assert_eq!(before as usize, sources as usize + readers, "one task reads what fits into 1 GiB");
}

/// Switched on, with nothing to plan, it changes nothing.
#[test]
fn stages_with_a_number_of_their_own_run_as_without_it() {
    let plain = world::world();
    let mut on = adaptive(Bytes::mib(64), 1);
    on.app.stages.iter_mut().for_each(|stage| stage.adaptive = None);
    assert_eq!(runs(&plain, 5, 3), runs(&on, 5, 3));
}
