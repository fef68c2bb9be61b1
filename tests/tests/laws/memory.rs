//! Laws on execution memory, storage memory, the driver's heap and workers.

use sim_core::record::{Cause, Ending, FailureReason, Outcome, Party};
use sim_core::spec::{InputSource, Language, Operators, SinkSpec, Spec, StageMemory, StorageLevel};
use sim_core::units::Bytes;
use tests::world;

use super::runs;

fn run(spec: &Spec) -> Outcome {
    runs(spec, 21, 1).remove(0)
}
fn seconds(spec: &Spec) -> f64 {
    let outcome = run(spec);
    assert_eq!(outcome.ending, Ending::Succeeded, "{:?}", outcome.incidents);
    outcome.duration.as_secs_f64()
}

/// F10, MEM-30: a build side beyond what a task can ever have fails the task and, after four times, the job; no executor dies, so
/// it is no memory death. One that fits passes.
#[test]
fn f10_a_build_side_that_does_not_fit_fails_tasks_and_no_executor() {
    let with = |each: u64| {
        let mut spec = world::world();
        spec.app.stages[1].work = tests::world::passes(Bytes::new(300_000_000), 2, 8).stages[1].work.clone();
        if let sim_core::spec::TaskWork::Parametric(row) = &mut spec.app.stages[1].work {
            row.unspillable = Bytes::mib(each) * 8;
        }
        run(&spec)
    };
    let huge = with(600);
    assert_eq!(huge.ending, Ending::Failed(FailureReason::TaskFailures));
    assert!(huge.task_ooms >= 4 && huge.executors_lost == 0 && !huge.oom(), "{} {:?}", huge.task_ooms, huge.incidents);
    assert_eq!(huge.task_ooms, huge.stages.iter().map(|s| s.task_ooms).sum::<u32>());
    let small = with(20);
    assert_eq!((small.ending, small.task_ooms), (Ending::Succeeded, 0));
}

/// 1.4: a writer that lacks memory makes the sorters spill that its task reads. An aggregation's map does not give way, but one that
/// has spilled is given up at the end of its input. A window that buffers its whole partition again spills more than one whose groups
/// are lists, and both end well.
#[test]
fn sorters_give_way_to_the_writer_and_a_windows_buffer_makes_more_spills() {
    let with = |operators, group_rows, input: u64| {
        let mut spec = world::world();
        spec.spark.executor.heap = Bytes::mib(512);
        spec.spark.executor.container_memory = Bytes::mib(1280);
        spec.app = world::passes(Bytes::new(input), 2, 8);
        spec.app.stages.iter_mut().for_each(|stage| (stage.memory.operators, stage.memory.group_rows) = (operators, group_rows));
        let outcome = run(&spec);
        assert_eq!((outcome.ending, outcome.task_ooms), (Ending::Succeeded, 0), "{operators:?}, {input}");
        assert!(outcome.stages[1].spills > 0 && !outcome.spill.is_zero(), "{operators:?}, {input}");
        outcome.stages[1].spill
    };
    for size in (12..=20).map(|n| n * 100_000_000) {
        let sorted = with(Operators::Sort, 0, size);
        with(Operators::SortMergeJoin, 0, size);
        assert_ne!(sorted, with(Operators::HashAggregate, 0, size));
        let (listed, buffered) = (with(Operators::Window, 100, size), with(Operators::Window, u64::MAX, size));
        assert_eq!(listed, sorted, "a list of 100 rows is nothing beside the sort");
        assert!(buffered > listed, "{size}: {buffered} and {listed}");
    }
}

/// 2.8: many keys make an object hash aggregate sort, so it spills; few keys leave it on the heap, which nobody can spill. The same
/// rows, the same memory. Likewise a join whose key comes a million times, unless the list has a threshold.
#[test]
fn states_and_duplicates_on_the_heap_end_executors_that_would_have_spilled() {
    let with = |operators, group_rows, listed| {
        let mut spec = world::world();
        spec.app = world::passes(Bytes::new(4_000_000_000), 2, 8);
        spec.spark.sql.sort_merge_join.in_memory_rows = listed;
        spec.app.stages.iter_mut().for_each(|stage| (stage.memory.operators, stage.memory.group_rows) = (operators, group_rows));
        run(&spec)
    };
    let many = with(Operators::ObjectHashAggregate, 100, 0);
    assert_eq!(many.ending, Ending::Succeeded);
    assert!(!many.spill.is_zero());
    let few = with(Operators::ObjectHashAggregate, u64::MAX, 0);
    assert!(few.incidents.iter().any(|i| i.cause == Cause::Heap), "{few:?}");
    let hot = with(Operators::SortMergeJoin, u64::MAX, u64::MAX);
    assert!(hot.incidents.iter().any(|i| i.cause == Cause::Heap), "{hot:?}");
    assert_eq!(with(Operators::SortMergeJoin, u64::MAX, 4096).ending, Ending::Succeeded);
}

/// `spark.driver.maxResultSize` aborts the job as the sum passes it; without a limit the same results end the driver's heap.
#[test]
fn results_beyond_the_limit_abort_and_beyond_the_heap_end_the_driver() {
    let with = |collected, limit| {
        let mut spec = world::world();
        let last = spec.app.stages.len() - 1;
        spec.app.stages[last].memory.collected = collected;
        spec.spark.driver.max_result_size = limit;
        run(&spec)
    };
    assert_eq!(with(Bytes::mib(100), Bytes::mib(90)).ending, Ending::Failed(FailureReason::ResultSize));
    assert_eq!(with(Bytes::mib(100), Bytes::mib(110)).ending, Ending::Succeeded);
    let full = with(Bytes::mib(900), Bytes::ZERO);
    assert_eq!(full.ending, Ending::Failed(FailureReason::DriverLost));
    assert!(full.oom() && full.incidents.iter().any(|i| i.victim == Party::Driver && i.cause == Cause::Heap));
}

/// 2.8: the driver builds a broadcast before it ships it; a gigabyte does not go through a driver of 1 GiB.
#[test]
fn a_broadcast_larger_than_the_driver_ends_it() {
    let with = |bytes| {
        let mut spec = world::world();
        spec.app.stages[1].broadcast = bytes;
        run(&spec)
    };
    assert_eq!(with(Bytes::mib(100)).ending, Ending::Succeeded);
    assert_eq!(with(Bytes::mib(1000)).ending, Ending::Failed(FailureReason::DriverLost));
}

/// A job that caches its scan and reads it again.
fn cached(bytes: Bytes, level: StorageLevel) -> Spec {
    let mut spec = world::world();
    let input = Bytes::new(600_000_000);
    let row = world::row(input, Bytes::ZERO, Bytes::ZERO);
    let mut first = world::stage("cache", Vec::new(), 8, row, SinkSpec::Result);
    (first.cached, first.memory) = (bytes, StageMemory { storage_level: level, ..StageMemory::default() });
    let mut second = world::stage("read", Vec::new(), 8, row, SinkSpec::Result);
    second.input = InputSource::Cached;
    spec.app.shuffles.clear();
    spec.app.stages = vec![first, second];
    spec.app.jobs = (0..2).map(|s| sim_core::spec::JobSpec { stages: vec![s], ..spec.app.jobs[0].clone() }).collect();
    spec
}

/// MEM-12: rows that fit are read from memory; those that do not are read from disk, or, with `MEMORY_ONLY`, computed again, which
/// takes longer than either.
#[test]
fn cached_rows_that_do_not_fit_cost_time() {
    let fits = seconds(&cached(Bytes::mib(500), StorageLevel::MemoryOnly));
    let with = |level| seconds(&cached(Bytes::gib(3), level));
    assert!((seconds(&cached(Bytes::mib(500), StorageLevel::MemoryAndDisk)) - fits).abs() < 1e-9, "nothing is evicted");
    let (disk, again) = (with(StorageLevel::MemoryAndDisk), with(StorageLevel::MemoryOnly));
    assert!(fits < disk && disk < again && again > fits + 1.0, "{fits} {disk} {again}");
    assert!(run(&cached(Bytes::gib(3), StorageLevel::MemoryAndDisk)).scratch_peak > Bytes::mib(500), "blocks are on scratch");
}

/// Workers are as many as tasks run at one time; one that is limited to less than its task's data fails it with `MemoryError`.
#[test]
fn python_workers_come_with_tasks_and_fail_at_their_limit() {
    let with = |language, worker, pyspark| {
        let mut spec = world::world();
        (spec.spark.language, spec.spark.executor.pyspark) = (language, pyspark);
        spec.spark.executor.container_memory = Bytes::gib(4);
        spec.app.stages.iter_mut().for_each(|stage| stage.memory.worker = worker);
        run(&spec)
    };
    let jvm = with(Language::Jvm, Bytes::ZERO, Bytes::ZERO).pod_peak;
    let more = with(Language::Python, Bytes::ZERO, Bytes::ZERO).pod_peak - jvm;
    assert_eq!(more, Bytes::mib(240), "two slots, 120 MiB each");
    assert!(with(Language::Python, Bytes::mib(500), Bytes::ZERO).pod_peak > jvm + Bytes::gib(1));
    let limited = with(Language::Python, Bytes::mib(500), Bytes::mib(600));
    assert_eq!(limited.ending, Ending::Failed(FailureReason::TaskFailures));
    assert!(limited.executors_lost == 0 && limited.task_ooms >= 4);
}

/// MEM-8: off-heap memory comes on top of the pools in the heap, so the same rows spill less with it.
#[test]
fn mem_8_off_heap_memory_leaves_the_heap_alone() {
    let with = |off_heap| {
        let mut spec = world::world();
        spec.spark.executor.heap = Bytes::mib(512);
        spec.spark.executor.off_heap = off_heap;
        spec.spark.executor.container_memory = Bytes::mib(1280) + off_heap;
        spec.app = world::passes(Bytes::new(1_200_000_000), 2, 8);
        run(&spec)
    };
    let (without, much) = (with(Bytes::ZERO), with(Bytes::gib(2)));
    assert!(!without.spill.is_zero() && much.spill < without.spill, "{} {}", without.spill, much.spill);
    assert!(much.pod_peak > without.pod_peak);
}
