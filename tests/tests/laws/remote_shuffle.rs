//! Laws of remote shuffle services: what leaves the pod, what a death loses, and what the workers let through.

use sim_core::record::{Cause, Ending, FailureReason, Outcome};
use sim_core::spec::{Injection, Moment, RemoteShuffleConf, Spec};
use sim_core::units::{ByteRate, Bytes};
use tests::world;

use super::runs;

/// The small world with its shuffles in a remote service.
fn with(conf: RemoteShuffleConf, change: impl Fn(&mut Spec)) -> Spec {
    let mut spec = world::world();
    spec.spark.shuffle_storage.remote = Some(conf);
    change(&mut spec);
    spec
}
fn run(spec: &Spec) -> Outcome {
    runs(spec, 31, 1).remove(0)
}
fn stage_seconds(outcome: &Outcome, stage: usize) -> f64 {
    outcome.stages[stage].ended.since(outcome.stages[stage].started).as_secs_f64()
}

/// 3.7: of shuffle nothing is on scratch; what sorters spill is, and no more than that.
#[test]
fn law_scratch_with_a_remote_service_holds_spills_only() {
    for conf in [world::celeborn(), world::uniffle()] {
        let calm = run(&with(conf.clone(), |_| {}));
        assert_eq!((calm.ending, calm.scratch_peak, calm.spill), (Ending::Succeeded, Bytes::ZERO, Bytes::ZERO));
        let tight = run(&with(conf, |spec| {
            spec.app = world::passes(Bytes::new(3_000_000_000), 2, 8);
            spec.spark.executor.heap = Bytes::gib(2);
            spec.spark.executor.container_memory = Bytes::gib(3);
        }));
        assert_eq!(tight.ending, Ending::Succeeded);
        assert!(tight.scratch_peak > Bytes::ZERO && tight.scratch_peak <= tight.spill, "{} of {}", tight.scratch_peak, tight.spill);
    }
    let local = run(&world::world());
    assert!(local.scratch_peak > Bytes::mib(200), "the same job on local disks: {}", local.scratch_peak);
}

/// What is written is what is read, and the same as with local files.
#[test]
fn law_a_remote_service_conserves_shuffle_bytes() {
    let local = run(&world::world());
    for conf in [world::celeborn(), world::uniffle()] {
        let remote = run(&with(conf, |_| {}));
        assert_eq!(remote.shuffle_write, local.shuffle_write);
        for (writer, reader) in remote.stages.iter().zip(&remote.stages[1..]) {
            let (written, read) = (writer.shuffle_write.get(), reader.shuffle_read.get());
            assert!(written.abs_diff(read) <= 16, "{written} written, {read} read");
        }
    }
}

fn killed_at(stage: usize, tasks: u32) -> impl Fn(&mut Spec) {
    move |spec| {
        // Long enough for the driver to hear of the death while the stage runs.
        spec.app = world::passes(Bytes::new(3_000_000_000), 2, 32);
        spec.inject = vec![Injection { executor: 1, when: Moment::TasksDone { stage, tasks } }];
    }
}
fn again(outcome: &Outcome) -> (u32, u32) {
    (outcome.stages.iter().map(|s| s.attempts - 1).sum(), outcome.stages.iter().map(|s| s.tasks_resubmitted).sum())
}

/// The loss of an executor loses no output; with local files it loses all that it had written.
#[test]
fn law_a_kill_with_a_remote_service_repeats_nothing() {
    for conf in [world::celeborn(), world::uniffle()] {
        for stage in [0, 1, 2] {
            let remote = run(&with(conf.clone(), killed_at(stage, 8)));
            assert_eq!((remote.ending, remote.executors_injected, again(&remote)), (Ending::Succeeded, 1, (0, 0)), "in stage {stage}");
        }
    }
    let mut local = world::world();
    killed_at(2, 8)(&mut local);
    let (attempts, _) = again(&run(&local));
    assert!(attempts > 0, "the shuffle that stage 2 reads must be made again");
}

/// EL-1: a Spark that does not know of the service runs finished tasks of the running map stage again, for nothing. Celeborn's
/// outputs carry the executor's address, but reducers do not ask for it: none fails.
#[test]
fn without_the_plugin_spark_repeats_finished_map_tasks() {
    for conf in [world::celeborn(), world::uniffle()] {
        let unknown = run(&with(RemoteShuffleConf { reliable: false, ..conf.clone() }, killed_at(1, 8)));
        assert_eq!(unknown.ending, Ending::Succeeded);
        assert!(again(&unknown).1 > 0);
        let reading = run(&with(RemoteShuffleConf { reliable: false, ..conf }, killed_at(2, 8)));
        assert_eq!((reading.ending, again(&reading)), (Ending::Succeeded, (0, 0)), "reducers go on");
    }
}

/// Closed form: workers whose NICs are the bottleneck receive every copy at their pace; the map stage takes no less and little more.
#[test]
fn replication_doubles_what_slow_workers_receive() {
    let slow = |copies_made| {
        let mut conf = world::celeborn();
        conf.service.nic = ByteRate::mb_per_sec(2);
        conf.copies_made = copies_made;
        stage_seconds(&run(&with(conf, |_| {})), 0)
    };
    // 300 MB over 3 × 2 MB/s, once or twice.
    let (one, two) = (slow(0), slow(1));
    assert!((50.0..51.5).contains(&one) && (100.0..102.0).contains(&two), "{one} and {two}");
}

/// Back-pressure: workers without memory take data at their disks' pace, workers with enough at their NICs'.
#[test]
fn workers_that_are_out_of_memory_let_clients_wait_for_their_disks() {
    let with_memory = |memory| {
        let mut conf = world::celeborn();
        (conf.service.disk, conf.service.memory) = (ByteRate::mb_per_sec(2), memory);
        stage_seconds(&run(&with(conf, |_| {})), 0)
    };
    let (none, some, enough) = (with_memory(Bytes::new(1)), with_memory(Bytes::mib(50)), with_memory(Bytes::gib(1)));
    assert!((50.0..51.5).contains(&none) && enough < 10.0 && (enough..=none).contains(&some), "{none}, {some}, {enough}");
}

/// A service without room fails the tasks that push, not their executors.
#[test]
fn a_full_service_fails_tasks_and_kills_nobody() {
    let mut conf = world::celeborn();
    conf.service.disk_size = Bytes::mib(60);
    let full = run(&with(conf.clone(), |_| {}));
    assert_eq!((full.ending, full.executors_lost), (Ending::Failed(FailureReason::TaskFailures), 0));
    assert!(full.has(Cause::ScratchFull));
    // Both shuffles fit, once, but not twice.
    conf.service.disk_size = Bytes::mib(200);
    assert_eq!(run(&with(conf.clone(), |_| {})).ending, Ending::Succeeded);
    conf.copies_made = 1;
    assert_eq!(run(&with(conf, |_| {})).ending, Ending::Failed(FailureReason::TaskFailures));
}

/// A hash writer's buffers are heap: 32 MiB of queue and 64 KiB a partition for each task fill a small one.
#[test]
fn push_buffers_fill_a_small_heap() {
    let partitioned = |hash_up_to| {
        let mut conf = world::celeborn();
        if let sim_core::spec::RemoteClient::Celeborn { hash_up_to: limit, .. } = &mut conf.client {
            *limit = hash_up_to;
        }
        run(&with(conf, |spec| {
            spec.app = world::passes(Bytes::new(3_000_000_000), 1, 12);
            spec.app.shuffles[0].partitions = 8000;
        }))
    };
    let (hash, sort) = (partitioned(u32::MAX), partitioned(0));
    assert!(hash.has(Cause::Heap), "two tasks of 8000 × 32 KiB: {:?}", hash.incidents.first());
    assert_eq!((sort.ending, sort.oom()), (Ending::Succeeded, false));
}
