//! The worked examples of shuffle writing, each run as a task of a simulated application.
//!
//! One executor on a large node, one map stage, everything certain: what the stage records of spills and what its executor's
//! scratch held at most must be the figures of the examples, which come from Spark's byte code, and A25's from a real run. The
//! same arithmetic is tested without a run beside each writer.

use crate::fixture;
use crate::plan::SimPlan;
use crate::record::{Cause, Ending, Outcome};
use crate::sim::{RunKey, Simulator};
use crate::spark::scratch::index_files;
use crate::spark::writer::WriterKind;
use crate::spec::{
    EmptyDir, InputSource, JobSpec, JobStart, Medium, ShuffleSpec, SinkSpec, Spec, StageMemory, StageSpec, TaskCount, TaskRow, TaskWork, Volume, VolumeSource,
};
use crate::units::{ByteRate, Bytes, SimSpan};

/// What each task of the stage writes: records, their bytes with the serialiser's length, bytes on scratch.
struct Writes {
    tasks: u32,
    partitions: u32,
    records: u64,
    record: u64,
    output: Bytes,
}

/// One executor with this heap and so many slots that runs one map stage.
fn spec(heap: Bytes, cores: u32, writes: &Writes) -> Spec {
    let mut spec = fixture::case_study(false, false);
    spec.uncertainty = fixture::certain();
    spec.cluster.neighbours.clear();
    spec.limits.paranoid = true;
    let executor = &mut spec.spark.executor;
    (executor.instances, executor.cores, executor.heap, executor.container_memory) = (1, cores, heap, heap + Bytes::gib(4));
    let n = u64::from(writes.tasks);
    let work = TaskRow {
        input: Bytes::ZERO,
        shuffle_read: Bytes::ZERO,
        shuffle_write: writes.output * n,
        output: Bytes::ZERO,
        records: writes.records * n,
        cpu: SimSpan::from_secs(10 * n),
        operator_memory: Bytes::ZERO,
        writer_memory: Bytes::new(writes.records * writes.record * n),
        unmanaged: Bytes::ZERO,
        allocated: Bytes::ZERO,
        unspillable: Bytes::ZERO,
    };
    let stage = StageSpec {
        name: "map".into(),
        reads: Vec::new(),
        input: InputSource::None,
        tasks: TaskCount::Fixed(writes.tasks),
        work: TaskWork::Parametric(work),
        sink: SinkSpec::Shuffle(0),
        cached: Bytes::ZERO,
        broadcast: Bytes::ZERO,
        delay: SimSpan::ZERO,
        adaptive: None,
        barrier: false,
        indeterminate: false,
        memory: StageMemory::default(),
    };
    spec.app.stages = vec![stage];
    spec.app.shuffles = vec![ShuffleSpec { writer: 0, partitions: writes.partitions, map_side_combine: false, relocatable: true }];
    spec.app.jobs = vec![JobSpec { stages: vec![0], driver_gap: SimSpan::ZERO, start: JobStart::InTurn, pool: None }];
    spec
}

fn run(spec: &Spec) -> Outcome {
    let plan = SimPlan::compile(spec).expect("the example compiles");
    let outcome = Simulator::new(&plan).run(RunKey { seed: 1, replication: 0 });
    assert_eq!(outcome.ending, Ending::Succeeded);
    outcome
}

const OUT: Bytes = Bytes::new(1_000_000_000);

/// 30 million records of 100 B, over 300 partitions.
fn a17() -> Writes {
    Writes { tasks: 4, partitions: 300, records: 30_000_000, record: 100, output: OUT }
}

#[test]
fn a16_the_plan_chooses_the_writer() {
    let kind = |partitions, map_side_combine, relocatable| {
        let mut spec = spec(Bytes::gib(1), 1, &Writes { partitions, ..a17() });
        (spec.app.shuffles[0].map_side_combine, spec.app.shuffles[0].relocatable) = (map_side_combine, relocatable);
        SimPlan::compile(&spec).expect("compiles").writers[0]
    };
    assert_eq!([kind(200, false, true), kind(200, false, false)], [WriterKind::Bypass; 2]);
    assert_eq!([kind(201, false, true), kind(16_777_216, false, true)], [WriterKind::Unsafe; 2]);
    assert_eq!([kind(201, false, false), kind(10, true, true), kind(16_777_217, false, true)], [WriterKind::Sort; 3]);
}

/// Four tasks at a time in 8 GiB: each holds a quarter of M, is refused the next pointer array, and spills three times.
#[test]
fn a17_each_of_four_tasks_spills_three_times() {
    let mut spec = spec(Bytes::gib(8), 4, &a17());
    // Disks without limits, so that the tasks stay in step: one that is alone sooner has more than a quarter.
    for pool in &mut spec.cluster.pools {
        pool.shape.disks.iter_mut().for_each(|disk| (disk.write, disk.iops) = (ByteRate::mb_per_sec(1_000_000), 1_000_000_000));
    }
    let outcome = run(&spec);
    let stage = outcome.stages[0];
    assert_eq!((stage.spills, stage.spill_memory), (12, Bytes::new(12 * 939_523_872)));
    // 8 388 608 of 30 000 000 records are in each spill file; the last file of a task is none.
    let spilled = 12 * 8_388_608 * 100 / 3;
    assert!(stage.spill.get().abs_diff(spilled) < 12, "{} and {spilled}", stage.spill);
    let index = index_files(300, true);
    assert_eq!(index, Bytes::new(301 * 8 + 300 * 8));
    // All four merge at about the same time; each holds its spills and its output.
    let one = OUT * 2 + index;
    assert!(outcome.scratch_peak > one * 3 && outcome.scratch_peak <= one * 4, "{}", outcome.scratch_peak);
}

/// One record more than fits beside the copy of the pointer array: a band of shares in which the final array alone would fit.
#[test]
fn us_2_the_copy_of_the_pointer_array_makes_a_task_spill() {
    // M of 455 501 414 B; 4 194 304 records of 4 B are 2 pages of 16 MiB and a bit in the third, and the array of 8 388 608 slots.
    let held: u64 = 3 * 16_777_200 + 67_108_864;
    let writes = |records| Writes { tasks: 1, partitions: 300, records, record: 4, output: OUT };
    assert_eq!(run(&spec(Bytes::gib(1), 1, &writes(4_194_304))).stages[0].spills, 0);
    let mut tight = spec(Bytes::gib(1), 1, &writes(16_777_217));
    // The array of 268 435 456 B does not fit beside the old one and five pages, so each 8 388 608 records are a spill.
    assert_eq!(run(&tight).stages[0].spills, 2);
    // With M between twice and three times the array at 4 194 304 records the next array fits, but not beside the old one.
    tight = spec(Bytes::gib(1), 1, &writes(4_194_305));
    let with_copy = held + 134_217_728;
    tight.spark.memory.fraction = (with_copy - 100) as f64 / (724.0 * 1024.0 * 1024.0);
    tight.spark.memory.page_size = Some(Bytes::new(16_777_200));
    assert_eq!(run(&tight).stages[0].spills, 1, "{with_copy} B are not there");
    tight.spark.memory.fraction = (with_copy + 100) as f64 / (724.0 * 1024.0 * 1024.0);
    assert_eq!(run(&tight).stages[0].spills, 0);
}

#[test]
fn a18_scratch_peaks_of_bypass_and_unsafe() {
    let one = |partitions, records| Writes { tasks: 1, partitions, records, ..a17() };
    let bypass = run(&spec(Bytes::gib(8), 4, &one(200, 30_000_000)));
    assert_eq!(bypass.scratch_peak, Bytes::new(1_005_000_000) + index_files(200, true));
    let unspilled = run(&spec(Bytes::gib(8), 4, &one(300, 3_000_000)));
    assert_eq!((unspilled.stages[0].spills, unspilled.scratch_peak), (0, OUT + index_files(300, true)));
    let mut quarter = spec(Bytes::gib(8), 4, &one(300, 30_000_000));
    // A single task may have all of M; the example's has a quarter.
    quarter.spark.memory.fraction = 0.15;
    let spilled = run(&quarter);
    assert_eq!((spilled.stages[0].spills, spilled.scratch_peak), (3, OUT * 2 + index_files(300, true)));
}

/// The real run: 2 million rows of 208 B (212 with their length) in 1 GiB, 300 partitions, 122.49 MB written. Memory spilled
/// 419.43 MB, disk spilled 118.83 MB; 222.8 MB were seen on scratch with both spills present before the output was complete.
#[test]
fn a25_one_task_of_the_real_run() {
    let output = Bytes::new(122_490_000);
    let outcome = run(&spec(Bytes::gib(1), 1, &Writes { tasks: 1, partitions: 300, records: 2_000_000, record: 212, output }));
    let stage = outcome.stages[0];
    assert_eq!((stage.spills, stage.spill_memory), (1, Bytes::new(419_430_000)));
    let predicted = 122_490_000_f64 * 1_941_800.0 / 2_000_000.0;
    assert!((stage.spill.as_f64() - predicted).abs() < 2.0, "{}", stage.spill);
    assert!((stage.spill.as_f64() / 118_830_000.0 - 1.0).abs() < 0.002, "within 0.2 % of the real spill");
    assert_eq!(outcome.scratch_peak, output * 2 + index_files(300, true));
}

/// ES-6: the sort writer's last records are merged from memory, so scratch holds spills and output, not the output twice.
#[test]
fn es_6_the_sort_writer_merges_its_last_records_from_memory() {
    let mut spec = spec(Bytes::gib(1), 1, &Writes { tasks: 1, partitions: 300, records: 10_000_000, record: 100, output: OUT });
    spec.app.shuffles[0].relocatable = false;
    let outcome = run(&spec);
    let stage = outcome.stages[0];
    assert!(stage.spills == 2 && stage.spill < OUT, "{stage:?}");
    assert_eq!(outcome.scratch_peak, OUT + stage.spill + index_files(300, true));
    // 5 MiB are free, M is claimed by doubling: a spill comes with the first look beyond both.
    let look = (455_501_414_u64 + (5 << 20)).div_ceil(100).next_multiple_of(32);
    assert_eq!(stage.spill_memory, Bytes::new(2 * look * 100));
}

#[test]
fn us_3_thresholds_force_spills_of_both_writers() {
    for (relocatable, records, spills) in [(true, 1_000_000, 29), (false, 1_000_000, 29), (true, 999_999, 30), (false, 967_740, 31)] {
        let mut forced = spec(Bytes::gib(8), 1, &Writes { tasks: 1, ..a17() });
        forced.app.shuffles[0].relocatable = relocatable;
        forced.spark.scratch.force_spill_records = records;
        // The unsafe writer spills before the record that would be one too many, the sort writer with it: 31 · 967 741 = 29 999 971.
        assert_eq!(run(&forced).stages[0].spills, spills);
    }
    let mut forced = spec(Bytes::gib(8), 1, &Writes { tasks: 1, ..a17() });
    forced.spark.scratch.force_spill_bytes = Some(Bytes::mib(256));
    let stage = run(&forced).stages[0];
    // Pages hold 645 277 records; with the array of 16 MiB at 645 278 and 32 MiB from 1 048 577 on the fourth page is one too many:
    // 4 · 67 108 848 + 33 554 432 ≥ 268 435 456, so the spill has 3 · 645 277 + 1 records.
    assert_eq!((stage.spills, stage.spill_memory), (15, Bytes::new(15 * 4 * 67_108_848)));
}

/// CM-1: a stage of empty tasks leaves its index files, and checksums unless they are off.
#[test]
fn cm_1_index_and_checksum_files_are_on_scratch() {
    let empty = Writes { tasks: 10, partitions: 1000, records: 0, record: 0, output: Bytes::ZERO };
    let mut spec = spec(Bytes::gib(1), 1, &empty);
    assert_eq!(run(&spec).scratch_peak, Bytes::new(10 * (1001 * 8 + 1000 * 8)));
    spec.spark.scratch.checksum = false;
    assert_eq!(run(&spec).scratch_peak, Bytes::new(10 * 1001 * 8));
}

/// F5, 2.7: two tasks that merge at the same time need four outputs' room. Where there is less, the one that meets the end fails,
/// its files make room for the other, and it succeeds when it is tried again. On a claim as on a tmpfs mount.
#[test]
fn f5_only_the_writer_that_meets_the_full_directory_fails() {
    let size = OUT.scale(3.2);
    let sources = [VolumeSource::Claim(fixture::claim(size)), VolumeSource::EmptyDir(EmptyDir { medium: Medium::Memory, size_limit: Some(size) })];
    for source in sources {
        let mut spec = spec(Bytes::gib(8), 2, &Writes { tasks: 2, ..a17() });
        spec.spark.memory.fraction = 0.3;
        let volume = Volume { name: "spark-local-dir-1".into(), mount_path: "/scratch".into(), source };
        spec.spark.kubernetes.pod_template.volumes = vec![volume];
        let outcome = run(&spec);
        assert_eq!((outcome.stages[0].tasks_failed, outcome.executors_lost), (1, 0), "{source:?}");
        assert!(outcome.has(Cause::ScratchFull) && outcome.scratch_peak <= size, "{source:?}");
    }
}

/// FR-2: two executors, two maps of 500 MB, two reducers: each reads a block of 250 MB from the other executor, which is more than
/// 200 MiB and goes through its scratch beside the map output that lies there.
#[test]
fn fr_2_blocks_too_large_for_memory_are_files_of_the_reader() {
    let half = Bytes::new(500_000_000);
    let mut spec = spec(Bytes::gib(8), 1, &Writes { tasks: 2, partitions: 300, records: 1_000_000, record: 100, output: half });
    spec.spark.executor.instances = 2;
    spec.spark.scheduling.min_registered_ratio = 1.0;
    let reader = spec.app.stages[0].clone();
    let TaskWork::Parametric(work) = reader.work.clone() else { unreachable!("the example is parametric") };
    let work = TaskWork::Parametric(TaskRow { shuffle_read: half * 2, shuffle_write: Bytes::ZERO, writer_memory: Bytes::ZERO, records: 0, ..work });
    spec.app.stages.push(StageSpec { name: "reduce".into(), reads: vec![0], sink: SinkSpec::Result, work, ..reader });
    spec.app.jobs[0].stages.push(1);
    let output = half + index_files(300, true);
    let peak = |to_memory: Bytes, tmpfs: bool| {
        let mut spec = spec.clone();
        spec.spark.scratch.fetch_to_memory_max = to_memory;
        spec.spark.kubernetes.local_dirs_tmpfs = tmpfs;
        run(&spec).scratch_peak
    };
    for tmpfs in [false, true] {
        assert_eq!(peak(Bytes::mib(200), tmpfs), output + half.scale(0.5), "tmpfs {tmpfs}");
        assert_eq!(peak(Bytes::gib(1), tmpfs), output, "tmpfs {tmpfs}");
    }
}
