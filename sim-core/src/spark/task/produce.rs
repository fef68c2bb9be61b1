//! Producing rows into the shuffle writer or the result, and writing the output.
//!
//! Unsafe and sort writers hold rows in execution memory and spill when refused, or at a threshold; before a refusal makes the
//! writer spill, the task's own operators are made to (1.4). Bypass writers hold nothing and write while they produce (BP-1). When
//! all rows are in, what is in memory is written. The unsafe writer's last rows are one more file, which is the output if it is
//! the only one and else merged with the others (US-6, US-7); the sort writer merges its spills with what is in memory into the
//! output (ES-6). All spills exist until the merge has ended.

use super::memory;
use super::pieces::{self, Work};
use super::{Step, TaskRun, fetch, finish, writer_memory};
use crate::ids::TaskId;
use crate::sim::Sim;
use crate::spark::execution_pool::Acquire;
use crate::spark::scratch;
use crate::spark::writer::WriterKind;
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// Core-seconds a byte for moving bytes through the page cache once more (merge by concatenation, US-7).
const COPY_SECONDS_PER_BYTE: f64 = 1.0 / 2.0e9;

/// How the task's rows leave it.
fn writer_kind(sim: &Sim, run: &TaskRun) -> Option<WriterKind> {
    match sim.plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => Some(sim.plan.writers[shuffle]),
        SinkSpec::Result => None,
    }
}

/// The next round of producing.
pub(super) fn round(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    match writer_kind(sim, run) {
        Some(kind @ (WriterKind::Unsafe | WriterKind::Sort)) if !run.demand.writer.is_zero() => collect(sim, id, kind),
        Some(_) | None => {
            let rest = run.demand.writer - run.writer.done;
            start(sim, id, rest, 1.0);
        }
    }
}

/// A round into a writer that holds rows: asks for the memory of all that are left, as far as the executor could ever give it. An
/// empty writer asks for its part among the running tasks first, since those that started with it fill theirs meanwhile.
fn collect(sim: &mut Sim, id: TaskId, kind: WriterKind) {
    let plan = sim.plan;
    let run = &sim.tasks[id];
    let demand = &run.demand;
    let in_memory = demand.records_in(run.writer.rows_held);
    let all = in_memory + (demand.writer_records() - demand.records_in(run.writer.done));
    let pool = plan.executor.tungsten;
    let wanted = match writer_memory::fill(kind, demand, all, pool, plan) {
        Ok(goal) if goal.records <= in_memory => return spill(sim, id),
        Ok(goal) => goal.peak.saturating_sub(run.writer.held),
        Err(_) => pool,
    };
    let fair = Bytes::new(pool.get() / sim.executors[run.executor].running.len().max(1) as u64).saturating_sub(run.operator.held);
    let ask = if in_memory == 0 && fair >= plan.executor.page { wanted.min(fair) } else { wanted };
    let (executor, serial) = (run.executor, run.serial);
    let host = &mut sim.executors[executor];
    let answer = host.memory.acquire_execution(serial, ask);
    host.memory.take_evicted();
    match answer {
        Acquire::Blocked => {
            host.blocked.push(id);
            sim.tasks[id].step = Step::Blocked(false);
        }
        Acquire::Granted(granted) => take_in(sim, id, kind, all, granted),
    }
}

/// Rows go in as far as the memory reaches; if none does, it is given back and someone spills.
fn take_in(sim: &mut Sim, id: TaskId, kind: WriterKind, all: u64, granted: Bytes) {
    let run = &sim.tasks[id];
    let (executor, serial, total) = (run.executor, run.serial, run.writer.held + granted);
    let in_memory = run.demand.records_in(run.writer.rows_held);
    let filled = writer_memory::fill(kind, &run.demand, all, total, sim.plan).ok().filter(|filled| filled.records > in_memory);
    let Some(filled) = filled else {
        sim.executors[executor].memory.release_execution(serial, granted);
        return make_room(sim, id);
    };
    let run = &mut sim.tasks[id];
    let rest = run.demand.writer - run.writer.done;
    let rows = if filled.records == all { rest } else { (run.demand.bytes_of(filled.records) - run.writer.rows_held).min(rest) };
    run.writer.held = filled.held;
    run.writer.pages = filled.pages;
    run.writer.rows_held += rows;
    let share = rows.as_f64() / run.demand.writer.as_f64();
    // The copy of the pointer array, and what was too little for another page.
    let unused = total.saturating_sub(filled.held);
    sim.executors[executor].memory.release_execution(serial, unused);
    memory::off_heap(sim, executor);
    start(sim, id, rows, share);
    if !unused.is_zero() && sim.executors[executor].is_up() {
        memory::retry_blocked(sim, executor);
    }
}

/// Memory was refused: the task's operators spill first, then the writer; with nothing in memory the task fails (1.4).
fn make_room(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    if !run.operator.held.is_zero() {
        memory::spill_operator(sim, id, false);
    } else if !run.writer.rows_held.is_zero() {
        spill(sim, id);
    } else {
        finish::fail(sim, id, finish::Failure::OutOfMemory);
    }
}

fn start(sim: &mut Sim, id: TaskId, bytes: Bytes, share: f64) {
    let kind = writer_kind(sim, &sim.tasks[id]);
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::Produce(bytes);
    let demand = &run.demand;
    // A task whose operators took the input has done its reading, and its share of the CPU, already.
    let reads_here = demand.operator.is_zero();
    let cpu_share = if reads_here {
        1.0
    } else if demand.writer.is_zero() {
        0.0
    } else {
        0.5
    };
    let decompress = if reads_here && !demand.read.is_zero() { demand.writer.as_gib() * conf.decompress_s_per_gib } else { 0.0 };
    let read_back = run.operator.spilled.scale(share);
    let bypass = kind == Some(WriterKind::Bypass);
    let work = Work {
        cpu: share * (demand.cpu * cpu_share + decompress) + if bypass { compress_seconds(demand.writer, conf) } else { 0.0 },
        allocated: demand.allocated.scale(share * cpu_share),
        write: if bypass { demand.write } else { Bytes::ZERO },
        read_back,
        input_share: if reads_here { share } else { 0.0 },
        send: if kind.is_none() { demand.output } else { Bytes::ZERO },
    };
    pieces::start(sim, id, work);
}

/// Core-seconds to compress rows of so many bytes.
pub(super) fn compress_seconds(rows: Bytes, conf: &crate::spec::ShuffleConf) -> f64 {
    if conf.compress { rows.as_gib() * conf.compress_s_per_gib } else { 0.0 }
}

/// A round has ended: more, or write what is left.
pub(super) fn round_done(sim: &mut Sim, id: TaskId) {
    if !fetch::complete(sim, id) {
        return;
    }
    let run = &sim.tasks[id];
    if run.writer.done < run.demand.writer {
        return round(sim, id);
    }
    fetch::drop_fetched(sim, id);
    match writer_kind(sim, run) {
        None => finish::succeed(sim, id),
        Some(WriterKind::Bypass) => concatenate(sim, id),
        Some(WriterKind::Sort) if run.writer.files > 0 => merge(sim, id, WriterKind::Sort),
        Some(WriterKind::Unsafe | WriterKind::Sort) => write_rest(sim, id),
    }
}

/// The writer's rows go to a spill file, which lives until the merge (US-4, US-7).
pub(super) fn spill(sim: &mut Sim, id: TaskId) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::SpillWriter;
    let rows = std::mem::take(&mut run.writer.rows_held);
    let memory = std::mem::take(&mut run.writer.pages);
    let file = rows.scale(run.demand.writer_ratio()).min(run.demand.write - run.writer.spilled);
    run.writer.spilled += file;
    run.writer.files += 1;
    let cpu = compress_seconds(rows, conf);
    let stage = run.stage;
    sim.tally.spilled(stage, memory, file);
    pieces::start(sim, id, Work { cpu, write: file, ..Work::default() });
}

/// The writer's spill file is written: its memory is free.
pub(super) fn spilled(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    let (held, executor, serial) = (std::mem::take(&mut run.writer.held), run.executor, run.serial);
    sim.executors[executor].memory.release_execution(serial, held);
    memory::retry_blocked(sim, executor);
}

/// Bypass: partition files are appended to one output, each deleted once copied: time, and room for the largest partition (BP-2).
fn concatenate(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let largest = run.demand.write.scale(sim.driver.largest_partition(sim.plan, run.stage));
    let cpu = run.demand.write.as_f64() * COPY_SECONDS_PER_BYTE;
    let write = largest + index_files(sim, run);
    sim.tasks[id].step = Step::Merge;
    pieces::start(sim, id, Work { cpu, write, ..Work::default() });
}

/// What is in memory is written: the output itself, or the last spill.
fn write_rest(sim: &mut Sim, id: TaskId) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &sim.tasks[id];
    let index = if run.writer.files == 0 { index_files(sim, run) } else { Bytes::ZERO };
    let rest = run.demand.write - run.writer.spilled;
    let work = Work { cpu: compress_seconds(run.writer.rows_held, conf), write: rest + index, ..Work::default() };
    sim.tasks[id].step = Step::FinishWrite;
    pieces::start(sim, id, work);
}

/// The last rows are on scratch: done when they are the only file, else merge all spills into the output.
pub(super) fn written(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    if run.writer.files == 0 {
        return finish::succeed(sim, id);
    }
    run.writer.files += 1;
    run.writer.spilled = run.demand.write;
    merge(sim, id, WriterKind::Unsafe);
}

/// Spill files become the output: copied by the unsafe writer, by the sort writer read, merged with what is in memory, and
/// serialised once more.
fn merge(sim: &mut Sim, id: TaskId, kind: WriterKind) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &sim.tasks[id];
    let demand = &run.demand;
    let cpu = if kind == WriterKind::Sort {
        let decompress = if conf.compress { (demand.writer - run.writer.rows_held).as_gib() * conf.decompress_s_per_gib } else { 0.0 };
        compress_seconds(demand.writer, conf) + decompress
    } else {
        demand.write.as_f64() * COPY_SECONDS_PER_BYTE
    };
    let work = Work { cpu, write: demand.write + index_files(sim, run), read_back: run.writer.spilled, ..Work::default() };
    sim.tasks[id].step = Step::Merge;
    pieces::start(sim, id, work);
}

/// Index and checksum files of the task's map output (CM-1).
pub(super) fn index_files(sim: &Sim, run: &TaskRun) -> Bytes {
    match sim.plan.spec().app.stages[run.stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => scratch::index_files(sim.plan.spec().app.shuffles[shuffle].partitions, sim.plan.spec().spark.scratch.checksum),
        SinkSpec::Result => Bytes::ZERO,
    }
}
