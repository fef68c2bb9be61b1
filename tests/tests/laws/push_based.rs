//! Laws of push-based shuffle: twice the disk, the same bytes, and nothing lost with an executor.

use sim_core::record::{Ending, Outcome};
use sim_core::spec::{Injection, Moment, Platform, PushConf, Spec};
use sim_core::units::{ByteRate, Bytes, SimSpan};
use tests::world;

use super::runs;

/// YARN with a shuffle service, one executor on each of three nodes.
fn on_yarn(push: Option<PushConf>, change: impl Fn(&mut Spec)) -> Spec {
    let mut spec = world::world();
    spec.cluster.platform = Platform::Yarn;
    spec.spark.executor.instances = 3;
    spec.spark.executor.heap = Bytes::gib(2);
    spec.spark.executor.container_memory = Bytes::gib(4);
    spec.spark.shuffle.service = true;
    spec.spark.shuffle_storage.push = push;
    spec.app = world::passes(Bytes::new(1_200_000_000), 1, 24);
    change(&mut spec);
    spec
}
/// Spark's defaults, but for the least number of mergers.
const PUSHING: Option<PushConf> = Some(PushConf {
    max_block: Bytes::mib(4),
    mergers_min_static: 3,
    mergers_min_ratio: 0.05,
    max_executors: 3,
    finalize_timeout: SimSpan::from_secs(10),
    min_size_to_wait: Bytes::mib(500),
    min_completed_ratio: 1.0,
});
fn run(spec: &Spec) -> Outcome {
    runs(spec, 41, 1).remove(0)
}
/// When the map stage has ended, seconds: Spark says so when it is final.
fn mapped(outcome: &Outcome) -> f64 {
    outcome.stages[0].ended.since(sim_core::units::SimTime::ZERO).as_secs_f64()
}

#[test]
fn law_push_based_shuffle_conserves_bytes() {
    let (with, without) = (run(&on_yarn(PUSHING, |_| {})), run(&on_yarn(None, |_| {})));
    assert_eq!((with.ending, with.shuffle_write), (Ending::Succeeded, without.shuffle_write));
    for outcome in [&with, &without] {
        let (written, read) = (outcome.stages[0].shuffle_write.get(), outcome.stages[1].shuffle_read.get());
        assert!(written.abs_diff(read) <= 32, "{written} written, {read} read");
    }
}

/// Merged files are the nodes': an executor that dies while reducers read takes none along.
#[test]
fn law_a_kill_after_finalisation_loses_no_merged_data() {
    let killed = run(&on_yarn(PUSHING, |spec| spec.inject = vec![Injection { executor: 1, when: Moment::TasksDone { stage: 1, tasks: 2 } }]));
    let again = |s: &sim_core::record::StageRecord| s.attempts > 1 || s.tasks_resubmitted > 0;
    assert_eq!((killed.ending, killed.executors_injected, killed.stages.iter().any(again)), (Ending::Succeeded, 1, false));
}

/// The driver waits for pushes that are not there: at most its timeout, and not at all for a small shuffle.
#[test]
fn children_wait_for_late_pushes_as_long_as_the_timeout() {
    let slow = |change: fn(&mut PushConf)| {
        let mut conf = PUSHING;
        conf.iter_mut().for_each(change);
        // A NIC that takes minutes for two thirds of 1.2 GB.
        run(&on_yarn(conf, |spec| spec.cluster.pools[0].shape.nic = ByteRate::mb_per_sec(4)))
    };
    let (late, never) = (slow(|_| {}), slow(|conf| conf.finalize_timeout = SimSpan::ZERO));
    assert!((mapped(&late) - mapped(&never) - 10.0).abs() < 1e-6, "{} and {}", mapped(&late), mapped(&never));
    let small = slow(|conf| conf.min_size_to_wait = Bytes::gib(2));
    assert!((mapped(&small) - mapped(&never)).abs() < 1e-6);
    let (quick, plain) = (run(&on_yarn(PUSHING, |_| {})), run(&on_yarn(None, |_| {})));
    assert!(mapped(&quick) < mapped(&plain) + 5.0, "{} and {}", mapped(&quick), mapped(&plain));
}

/// `YarnSchedulerBackend`: fewer hosts than are needed merge nothing, and blocks above the limit are not pushed: nothing changes.
#[test]
fn without_enough_mergers_or_with_large_blocks_nothing_is_pushed() {
    let plain = run(&on_yarn(None, |_| {}));
    let few = PUSHING.map(|conf| PushConf { mergers_min_static: 5, max_executors: 8, ..conf });
    let large = PUSHING.map(|conf| PushConf { max_block: Bytes::kib(1), ..conf });
    for conf in [few, large] {
        let outcome = run(&on_yarn(conf, |_| {}));
        assert_eq!((outcome.duration, outcome.shuffle_write), (plain.duration, plain.shuffle_write));
    }
    assert_ne!(run(&on_yarn(PUSHING, |_| {})).duration, plain.duration, "else something is");
}
