//! Stages, jobs and their work, and kills on purpose.

use super::Draw;
use crate::world;
use sim_core::spec::{
    AppSpec, Injection, InputSource, JobSpec, JobStart, Moment, Operators, ShuffleSpec, SinkSpec, StageMemory, StageSpec, StorageLevel, TaskCount, TaskRow,
    TaskWork,
};
use sim_core::units::{Bytes, SimSpan};

/// Stages in order, each reading some of the shuffles before it; one job or two.
pub(super) fn app(d: &mut Draw, heap: Bytes) -> AppSpec {
    let count = d.count(1, 5) as usize;
    let cut = if count > 2 && d.once_in(3) { d.count(1, count as u64 - 1) as usize } else { count };
    let input = d.bytes(Bytes::mib(1), Bytes::gib(2));
    let mut stages: Vec<StageSpec> = Vec::new();
    let mut shuffles: Vec<ShuffleSpec> = Vec::new();
    for index in 0..count {
        let last = index + 1 == count || index + 1 == cut;
        let reads: Vec<usize> = (0..shuffles.len()).filter(|_| d.once_in(2)).collect();
        let sink = if last { SinkSpec::Result } else { SinkSpec::Shuffle(shuffles.len()) };
        let tasks = d.count(1, 24) as u32;
        if !last {
            let partitions = d.count(1, 300) as u32;
            shuffles.push(ShuffleSpec { writer: index, partitions, map_side_combine: d.once_in(3), relocatable: d.once_in(2) });
        }
        stages.push(random_stage(d, index, reads, tasks, sink, input, heap));
    }
    // The second job's stages may read shuffles of the first, which then are skipped or made again.
    let gap = SimSpan::from_ms(d.count(0, 5000));
    let pool = |d: &mut Draw| d.once_in(2).then(|| "a".to_owned());
    let mut jobs = vec![JobSpec { stages: (0..cut).collect(), driver_gap: gap, start: JobStart::InTurn, pool: pool(d) }];
    if cut < count {
        let start = match d.count(0, 3) {
            0 | 1 => JobStart::InTurn,
            2 => JobStart::After { jobs: vec![0], gap },
            _ => JobStart::With { job: 0, offset: gap },
        };
        jobs.push(JobSpec { stages: (0..count).filter(|&s| s + 1 != cut).collect(), driver_gap: gap, start, pool: pool(d) });
    }
    AppSpec { name: "random".into(), input, jobs, stages, shuffles, sql: d.once_in(2) }
}

pub(super) fn random_stage(d: &mut Draw, index: usize, reads: Vec<usize>, tasks: u32, sink: SinkSpec, input: Bytes, heap: Bytes) -> StageSpec {
    let read = if reads.is_empty() { Bytes::ZERO } else { input.scale(d.0.unit()) };
    let scanned = if reads.is_empty() || d.once_in(4) { input } else { Bytes::ZERO };
    let write = if sink == SinkSpec::Result { Bytes::ZERO } else { input.scale(d.0.unit()) };
    let mut row = TaskRow { output: if sink == SinkSpec::Result && d.once_in(2) { input } else { Bytes::ZERO }, ..world::row(scanned, read, write) };
    row.operator_memory = row.operator_memory.scale(d.one_of(&[0.0, 1.0, 8.0]));
    row.writer_memory = row.writer_memory.scale(d.one_of(&[0.0, 1.0, 8.0]));
    row.unmanaged = Bytes::mib(d.one_of(&[0, 10, 200]) * u64::from(tasks));
    row.allocated = row.allocated.scale(d.one_of(&[0.0, 1.0, 10.0]));
    if d.once_in(6) {
        row.unspillable = heap.scale(d.0.unit() * 0.3 * f64::from(tasks));
    }
    if d.once_in(10) {
        row.cpu = SimSpan::ZERO;
    }
    if d.once_in(10) {
        row.records = d.one_of(&[0, 1, 100_000_000]);
    }
    let mut stage = world::stage(&format!("stage-{index}"), reads, tasks, row, sink);
    if !scanned.is_zero() {
        stage.input = d.one_of(&[InputSource::Remote { per_stream: 20_000_000 }, InputSource::Local, InputSource::Cached]);
        if d.once_in(4) {
            stage.tasks = TaskCount::InputSplit(d.bytes(Bytes::mib(16), Bytes::mib(256)));
        }
    }
    if d.once_in(5) {
        let part = |d: &mut Draw| {
            let share = 1.0 / f64::from(tasks) * (0.5 + d.0.unit());
            TaskRow { shuffle_write: row.shuffle_write.scale(share), shuffle_read: row.shuffle_read.scale(share), ..scaled(&row, share) }
        };
        stage.work = TaskWork::Recorded((0..d.count(1, 12)).map(|_| part(d)).collect());
    }
    stage.cached = if d.once_in(5) { d.bytes(Bytes::mib(1), Bytes::gib(1)) } else { Bytes::ZERO };
    stage.indeterminate = d.once_in(6);
    // More tasks than there are slots would wait ten minutes and fail.
    stage.barrier = d.once_in(10);
    stage.broadcast = if d.once_in(5) { d.bytes(Bytes::mib(1), Bytes::mib(200)) } else { Bytes::ZERO };
    stage.memory = StageMemory {
        operators: d.one_of(&[
            Operators::Sort,
            Operators::SortMergeJoin,
            Operators::HashAggregate,
            Operators::Window,
            Operators::ObjectHashAggregate,
            Operators::CartesianProduct,
        ]),
        row: if d.once_in(2) { d.bytes(Bytes::new(8), Bytes::kib(10)) } else { Bytes::ZERO },
        group_rows: if d.once_in(2) { d.count(1, 2_000_000) } else { 0 },
        state_row: if d.once_in(4) { d.bytes(Bytes::new(8), Bytes::kib(1)) } else { Bytes::ZERO },
        storage_level: d.one_of(&[StorageLevel::MemoryAndDisk, StorageLevel::MemoryOnly, StorageLevel::OffHeap]),
        worker: if d.once_in(4) { d.bytes(Bytes::mib(1), Bytes::mib(300)) } else { Bytes::ZERO },
        collected: if d.once_in(6) { d.bytes(Bytes::mib(1), Bytes::mib(300)) } else { Bytes::ZERO },
    };
    stage
}

pub(super) fn scaled(row: &TaskRow, share: f64) -> TaskRow {
    TaskRow {
        input: row.input.scale(share),
        output: row.output.scale(share),
        records: (row.records as f64 * share) as u64,
        cpu: row.cpu.scale(share),
        operator_memory: row.operator_memory.scale(share),
        writer_memory: row.writer_memory.scale(share),
        unmanaged: row.unmanaged.scale(share),
        allocated: row.allocated.scale(share),
        unspillable: row.unspillable.scale(share),
        ..*row
    }
}

/// A kill at a time or at a stage's progress, of an executor that is often there.
pub(super) fn injection(d: &mut Draw, app: &AppSpec) -> Injection {
    let when = if d.once_in(2) {
        Moment::At(SimSpan::from_ms(d.count(1, 60_000)))
    } else {
        Moment::TasksDone { stage: d.count(0, app.stages.len() as u64 - 1) as usize, tasks: d.count(1, 6) as u32 }
    };
    Injection { executor: d.count(1, 5) as u32, when }
}
